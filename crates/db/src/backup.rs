//! Backups: every table in one snapshot as one file that both engines read.
//!
//! The file begins with [`MAGIC`]; then come parts, each a line of JSON (what it is, bytes, SHA-256) and that many bytes of
//! zstd. A part holds rows of one table: per value a byte 0 (nothing), 1 (number, signed varint), 2 (text) or 3 (bytes; both
//! with their length as a varint before them). The last part is the manifest with the count of parts and rows of each table and the
//! SHA-256 over all parts' lines: without it the file is no backup. docs/backup.md describes it for others.
use crate::engine::{Bulk, Owned, Row, Value};
use crate::migrate::Migrations;
use crate::pack::{Reader, put_bytes, put_i64};
use crate::{DbError, Dialect, Engine};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// How a backup begins.
pub const MAGIC: &str = "braid-backup 1\n";
/// Raw bytes of a part, roughly.
const PART: usize = 4 << 20;
/// A part larger than this is damage.
const PART_MAX: u64 = 256 << 20;
/// A line that says what follows is never longer.
const LINE_MAX: usize = 1 << 20;

/// Why a backup cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] DbError),
    #[error("the file cannot be read or written")]
    Io(#[from] std::io::Error),
    /// Not whole, changed, or none of ours.
    #[error("this is no whole backup: {0}")]
    Damaged(String),
}

fn damaged(why: impl Into<String>) -> BackupError {
    BackupError::Damaged(why.into())
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the program that made it.
    pub braid: String,
    /// When, RFC 3339.
    pub made_at: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// The text of `braid.toml`.
    pub config: String,
    /// Steps of each crate's schema.
    pub schema: BTreeMap<String, i64>,
    /// The seq after the last event.
    pub next_seq: i64,
    /// Rows of each table.
    pub tables: BTreeMap<String, i64>,
    pub parts: i64,
    /// SHA-256 over the lines of all parts, in order, each with its line break.
    pub sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Empty for the manifest.
    table: String,
    #[serde(default)]
    columns: Vec<(String, char)>,
    #[serde(default)]
    rows: i64,
    bytes: u64,
    sha256: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Names and types of columns.
type Columns = Vec<(String, char)>;
/// Takes a part: table, columns, rows, raw bytes.
type Visit<'v> = dyn FnMut(&str, &[(String, char)], i64, &[u8]) -> Result<(), BackupError> + 'v;

/// Tables and their columns, as the database has them. `sessions` stay behind: a restored store signs nobody in.
fn tables(db: &mut Engine) -> Result<Vec<(String, Columns)>, DbError> {
    let (names, columns) = match db.dialect() {
        Dialect::Sqlite => (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND SUBSTR(name, 1, 7) <> 'sqlite_' ORDER BY name",
            "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
        ),
        Dialect::Postgres => (
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
            "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
        ),
    };
    let mut out = Vec::new();
    for row in db.rows(names, &[])? {
        let table = row.text(0)?.to_string();
        if table == "sessions" {
            continue;
        }
        let mut list = Vec::new();
        for column in db.rows(columns, &[table.as_str().into()])? {
            let kind = match column.text(1)?.to_ascii_uppercase().as_str() {
                "BIGINT" | "INTEGER" => 'i',
                "TEXT" => 't',
                "BYTEA" => 'b',
                other => return Err(DbError::damaged(&table, format!("a column of the type {other}"))),
            };
            list.push((column.text(0)?.to_string(), kind));
        }
        out.push((table, list));
    }
    Ok(out)
}

struct Out<'a> {
    to: &'a mut dyn Write,
    sums: Sha256,
    parts: i64,
    throttle: std::time::Duration,
}

impl Out<'_> {
    fn part(&mut self, table: &str, columns: &[(String, char)], rows: i64, raw: &[u8]) -> std::io::Result<()> {
        let packed = zstd::bulk::compress(raw, 3)?;
        let sum = Sha256::digest(&packed);
        self.parts += 1;
        let (table, columns, bytes) = (table.to_string(), columns.to_vec(), packed.len() as u64);
        let head = Head { table, columns, rows, bytes, sha256: hex(&sum) };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        // The line holds the part's own sum, so that one sum covers both.
        self.sums.update(&line);
        self.to.write_all(&line)?;
        self.to.write_all(&packed)?;
        // The disk and the processor are the server's first.
        std::thread::sleep(self.throttle);
        Ok(())
    }
}

/// What a backup says of its making.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// The program's version.
    pub braid: &'a str,
    /// When, RFC 3339.
    pub at: &'a str,
    /// The text of `braid.toml`.
    pub config: &'a str,
    /// Rest after each part.
    pub throttle: std::time::Duration,
}

/// Writes a backup of a database, in one snapshot, beside whoever writes to it. Rests after each part.
pub fn write(db: &mut Engine, to: &mut dyn Write, made: &Made<'_>) -> Result<Manifest, BackupError> {
    db.batch(match db.dialect() {
        Dialect::Sqlite => "BEGIN",
        Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    let written = write_in_snapshot(db, to, made);
    db.batch("ROLLBACK")?;
    written
}

fn write_in_snapshot(db: &mut Engine, to: &mut dyn Write, made: &Made<'_>) -> Result<Manifest, BackupError> {
    to.write_all(MAGIC.as_bytes())?;
    let next_seq = crate::store::read_row(db)?.next_seq;
    let mut schema = BTreeMap::new();
    for row in db.rows("SELECT owner, MAX(step) FROM migrations GROUP BY owner ORDER BY owner", &[])? {
        schema.insert(row.text(0)?.to_string(), row.int(1)?);
    }
    let engine = if db.dialect() == Dialect::Sqlite { "sqlite" } else { "postgres" };
    let mut out = Out { to, sums: Sha256::new(), parts: 0, throttle: made.throttle };
    let mut counts = BTreeMap::new();
    for (table, columns) in tables(db)? {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let sql = format!("SELECT {} FROM {table}", names.join(", "));
        let (mut raw, mut rows, mut total) = (Vec::with_capacity(PART), 0, 0);
        let mut failed = None;
        db.each(&sql, &[], &mut |row| {
            encode(&row, &mut raw);
            (rows, total) = (rows + 1, total + 1);
            if raw.len() >= PART {
                failed = out.part(&table, &columns, rows, &raw).err();
                raw.clear();
                rows = 0;
            }
            Ok(failed.is_none())
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        if rows > 0 || total == 0 {
            out.part(&table, &columns, rows, &raw)?;
        }
        counts.insert(table, total);
    }
    let sha256 = hex(&out.sums.clone().finalize());
    let manifest = Manifest {
        braid: made.braid.into(),
        made_at: made.at.into(),
        engine: engine.into(),
        config: made.config.into(),
        schema,
        next_seq,
        tables: counts,
        parts: out.parts,
        sha256,
    };
    let raw = serde_json::to_vec(&manifest).map_err(std::io::Error::from)?;
    out.part("", &[], 0, &raw)?;
    out.to.flush()?;
    Ok(manifest)
}

fn encode(row: &Row, out: &mut Vec<u8>) {
    for value in &row.0 {
        match value {
            Owned::Null => out.push(0),
            Owned::Int(v) => {
                out.push(1);
                put_i64(out, *v);
            }
            Owned::Text(v) => {
                out.push(2);
                put_bytes(out, v.as_bytes());
            }
            Owned::Blob(v) => {
                out.push(3);
                put_bytes(out, v);
            }
        }
    }
}

fn decode<'a>(reader: &mut Reader<'a>) -> Result<Value<'a>, DbError> {
    Ok(match reader.u8()? {
        0 => Value::Null,
        1 => Value::Int(reader.i64()?),
        2 => Value::Text(reader.str()?),
        3 => Value::Blob(reader.bytes()?),
        other => return Err(DbError::damaged("a backup", format!("a value of the kind {other}"))),
    })
}

/// Reads a backup part by part; every sum is checked before `visit` sees a part. Gives the manifest.
fn read(from: &mut dyn BufRead, visit: &mut Visit<'_>) -> Result<Manifest, BackupError> {
    let mut magic = vec![0; MAGIC.len()];
    from.read_exact(&mut magic).map_err(|_| damaged("it is too short"))?;
    if magic != MAGIC.as_bytes() {
        return Err(damaged("it does not begin as one"));
    }
    let (mut sums, mut parts, mut counts) = (Sha256::new(), 0, BTreeMap::<String, i64>::new());
    loop {
        let mut line = Vec::new();
        std::io::Read::take(&mut *from, LINE_MAX as u64).read_until(b'\n', &mut line)?;
        let head: Head = serde_json::from_slice(&line).map_err(|_| damaged(format!("it ends after part {parts}")))?;
        if head.bytes > PART_MAX {
            return Err(damaged(format!("part {} is too large", parts + 1)));
        }
        let mut packed = vec![0; head.bytes as usize];
        from.read_exact(&mut packed).map_err(|_| damaged(format!("it ends in part {}", parts + 1)))?;
        let sum = Sha256::digest(&packed);
        if hex(&sum) != head.sha256 {
            return Err(damaged(format!("part {} was changed", parts + 1)));
        }
        let raw = crate::compress::unpack(&packed, PART_MAX as usize);
        let raw = raw.map_err(|e| damaged(format!("part {}: {e}", parts + 1)))?;
        if head.table.is_empty() {
            let manifest: Manifest = serde_json::from_slice(&raw).map_err(|e| damaged(format!("its manifest: {e}")))?;
            if (manifest.parts, &manifest.tables) != (parts, &counts) || manifest.sha256 != hex(&sums.finalize()) {
                return Err(damaged("its parts are not those that the manifest names"));
            }
            return Ok(manifest);
        }
        sums.update(&line);
        parts += 1;
        *counts.entry(head.table.clone()).or_default() += head.rows;
        visit(&head.table, &head.columns, head.rows, &raw)?;
    }
}

/// Checks every sum of a backup and that nothing is missing.
pub fn verify(from: &mut dyn BufRead) -> Result<Manifest, BackupError> {
    read(from, &mut |_, columns, rows, raw| {
        let mut reader = Reader::new(raw);
        for _ in 0..rows {
            for _ in columns {
                decode(&mut reader)?;
            }
        }
        if reader.is_empty() { Ok(()) } else { Err(damaged("bytes follow the rows of a part")) }
    })
}

/// Loads a verified backup into an empty database, of either engine; the schema becomes the backup's, to be brought to the
/// present when the store is opened. All in one transaction.
pub fn load(
    db: &mut Engine,
    from: &mut dyn BufRead,
    manifest: &Manifest,
    all: &[Migrations],
    now_us: i64,
) -> Result<(), BackupError> {
    let mut then = Vec::new();
    for known in all {
        let found = manifest.schema.get(known.owner).copied().unwrap_or(0);
        if found > known.steps.len() as i64 {
            return Err(DbError::Newer { found, known: known.steps.len() as i64 }.into());
        }
        then.push(Migrations { owner: known.owner, steps: &known.steps[..found as usize] });
    }
    crate::migrate::migrate(db, &then, now_us)?;
    let there = tables(db)?;
    db.batch("BEGIN")?;
    // Steps of the schema bring rows of their own.
    for (table, _) in &there {
        db.batch(&format!("DELETE FROM {table}"))?;
    }
    let mut bulks: BTreeMap<String, &'static Bulk> = BTreeMap::new();
    let loaded = read(from, &mut |table, columns, rows, raw| {
        let fits = there.iter().any(|(name, list)| name == table && columns.iter().all(|c| list.contains(c)));
        if !fits {
            return Err(damaged(format!("the table {table} is not one of this program's")));
        }
        let bulk = *bulks.entry(table.to_string()).or_insert_with(|| bulk_of(table, columns));
        let mut reader = Reader::new(raw);
        let mut values = Vec::with_capacity(rows.max(0) as usize);
        for _ in 0..rows {
            values.push(columns.iter().map(|_| decode(&mut reader)).collect::<Result<Vec<_>, _>>()?);
        }
        for piece in values.chunks(2_000) {
            let refs: Vec<&[Value<'_>]> = piece.iter().map(Vec::as_slice).collect();
            db.bulk(bulk, &refs)?;
        }
        Ok(())
    });
    match loaded {
        Ok(_) => Ok(db.batch("COMMIT")?),
        Err(error) => {
            db.batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// A description of a table that stays as long as the program: there are a few dozen tables, and a restore ends soon.
fn bulk_of(table: &str, columns: &[(String, char)]) -> &'static Bulk {
    let columns: Vec<(&'static str, char)> =
        columns.iter().map(|(name, kind)| (&*Box::leak(name.clone().into_boxed_str()), *kind)).collect();
    let (table, columns) = (&*Box::leak(table.to_string().into_boxed_str()), &*Box::leak(columns.into_boxed_slice()));
    Box::leak(Box::new(Bulk { table, columns, key: 0, insert_only: true }))
}
