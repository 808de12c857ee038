//! One connection to one of the two engines: the same SQL text, the same values, the same rows.
//!
//! The dialect is small: `$n` parameters, `BIGINT`, `BYTEA` and `TEXT` only. What differs between the engines is in this
//! file and in [`crate::migrate`].
use crate::DbError;
use hashbrown::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) mod connect;
mod lookup;
pub mod tls;
pub use lookup::Lookup;

/// A value that goes to the database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(v: i64) -> Self {
        Value::Int(v)
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(v: &'a str) -> Self {
        Value::Text(v)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(v: &'a [u8]) -> Self {
        Value::Blob(v)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(v: &'a String) -> Self {
        Value::Text(v)
    }
}
impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(v: &'a Vec<u8>) -> Self {
        Value::Blob(v)
    }
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Value::Null, Into::into)
    }
}

/// A value that waits to be written, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Owned {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    /// The same value, borrowed.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Owned::Null => Value::Null,
            Owned::Int(v) => Value::Int(*v),
            Owned::Text(v) => Value::Text(v),
            Owned::Blob(v) => Value::Blob(v),
        }
    }
}
impl From<i64> for Owned {
    fn from(v: i64) -> Self {
        Owned::Int(v)
    }
}
impl From<&str> for Owned {
    fn from(v: &str) -> Self {
        Owned::Text(v.to_owned())
    }
}
impl From<String> for Owned {
    fn from(v: String) -> Self {
        Owned::Text(v)
    }
}
impl From<Vec<u8>> for Owned {
    fn from(v: Vec<u8>) -> Self {
        Owned::Blob(v)
    }
}
impl<T: Into<Owned>> From<Option<T>> for Owned {
    fn from(v: Option<T>) -> Self {
        v.map_or(Owned::Null, Into::into)
    }
}

/// A row that came from the database. Columns by position; a column of another type is [`DbError::Damaged`].
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Owned>);

impl Row {
    /// A number.
    pub fn int(&self, at: usize) -> Result<i64, DbError> {
        match self.0.get(at) {
            Some(Owned::Int(v)) => Ok(*v),
            other => Err(mismatch("a number", at, other)),
        }
    }
    /// A number or nothing.
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>, DbError> {
        if matches!(self.0.get(at), Some(Owned::Null)) { Ok(None) } else { self.int(at).map(Some) }
    }
    /// A text.
    pub fn text(&self, at: usize) -> Result<&str, DbError> {
        match self.0.get(at) {
            Some(Owned::Text(v)) => Ok(v),
            other => Err(mismatch("a text", at, other)),
        }
    }
    /// A text or nothing.
    pub fn opt_text(&self, at: usize) -> Result<Option<&str>, DbError> {
        if matches!(self.0.get(at), Some(Owned::Null)) { Ok(None) } else { self.text(at).map(Some) }
    }
    /// Bytes.
    pub fn blob(&self, at: usize) -> Result<&[u8], DbError> {
        match self.0.get(at) {
            Some(Owned::Blob(v)) => Ok(v),
            other => Err(mismatch("bytes", at, other)),
        }
    }
    /// Bytes or nothing.
    pub fn opt_blob(&self, at: usize) -> Result<Option<&[u8]>, DbError> {
        if matches!(self.0.get(at), Some(Owned::Null)) { Ok(None) } else { self.blob(at).map(Some) }
    }
}

fn mismatch(wanted: &str, at: usize, found: Option<&Owned>) -> DbError {
    let found = match found {
        None => "no such column",
        Some(Owned::Null) => "nothing",
        Some(Owned::Int(_)) => "a number",
        Some(Owned::Text(_)) => "a text",
        Some(Owned::Blob(_)) => "bytes",
    };
    DbError::damaged(&format!("column {at}"), format!("expected {wanted}, found {found}"))
}

/// The type of a column in a bulk write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Int,
    Text,
    Blob,
}

/// A bulk write: table, columns with their types (the key columns first), and how many of them are the key.
///
/// With a key, rows that exist are replaced; `insert_only` keeps what is there instead.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Bulk {
    pub table: &'static str,
    pub columns: &'static [(&'static str, ColumnCode)],
    pub key: usize,
    pub insert_only: bool,
}

/// [`Column`] as a letter, so that a [`Bulk`] reads as a table: `'i'`, `'t'`, `'b'`.
pub type ColumnCode = char;

fn column(code: ColumnCode) -> Column {
    match code {
        'i' => Column::Int,
        't' => Column::Text,
        _ => Column::Blob,
    }
}

/// How hard the engine syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// An acknowledged commit survives a power cut.
    Full,
    /// `--unsafe-fast`: it may not.
    UnsafeFast,
}

enum Inner {
    Sqlite(connect::Link<rusqlite::Connection>),
    Postgres(connect::Link<connect::Client>),
}

/// One connection.
pub struct Engine {
    inner: Inner,
    /// SQL with `$n` turned into `?n`, by the address and length of the original text.
    rewritten: HashMap<(usize, usize), Arc<str>>,
    bulk_sql: HashMap<(usize, lookup::Use), Arc<str>>,
    /// Statements run so far: on PostgreSQL each is a round trip.
    ran: u64,
    /// SQLite's file as it was opened for writing.
    file: Option<(PathBuf, FileId)>,
}

/// Device and number of a file: another file in its place has others.
type FileId = (u64, u64);

fn file_id(path: &Path) -> std::io::Result<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|m| (m.dev(), m.ino()))
}

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Opens an SQLite file, made if it is absent (unless `read_only`), in WAL mode.
    pub fn open_sqlite(path: &Path, sync: Sync, read_only: bool, vfs: Option<&str>) -> Result<Self, DbError> {
        use rusqlite::OpenFlags;
        without_books();
        let url = format!("sqlite:{}", path.display());
        let open = |e: rusqlite::Error| DbError::Open { url: url.clone(), reason: e.to_string() };
        // A read-only connection still writes the WAL index, so it is opened for writing and forbidden to write.
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if !read_only {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let home = format!("{url}\0{read_only} {sync:?}");
        let file = |engine: Self| -> Result<Self, DbError> {
            if read_only {
                return Ok(engine);
            }
            let id = file_id(path).map_err(|e| DbError::Open { url: url.clone(), reason: e.to_string() })?;
            Ok(Self { file: Some((path.to_path_buf(), id)), ..engine })
        };
        #[cfg(any(test, feature = "testing"))]
        if let Some(kept) = connect::take(&home) {
            return file(Self::new(Inner::Sqlite(kept)));
        }
        let connection = match vfs {
            Some(vfs) => rusqlite::Connection::open_with_flags_and_vfs(path, flags, vfs),
            None => rusqlite::Connection::open_with_flags(path, flags),
        }
        .map_err(open)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(open)?;
        connection.set_prepared_statement_cache_capacity(256);
        // Plans must not be made again for each bound value: with its statistics compiled in, SQLite would do so.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(open)?;
        let sync = if sync == Sync::Full { "FULL" } else { "OFF" };
        let pragmas = if read_only {
            "PRAGMA query_only = 1; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;".to_string()
        } else {
            format!(
                "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = {sync}; \
                 PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 1000; \
                 PRAGMA foreign_keys = OFF; PRAGMA secure_delete = FAST;"
            )
        };
        connection.execute_batch(&pragmas).map_err(|e| sqlite_error(&e, &pragmas))?;
        file(Self::new(Inner::Sqlite(connect::Link::new(connection, home))))
    }

    fn new(inner: Inner) -> Self {
        Self { inner, rewritten: HashMap::new(), bulk_sql: HashMap::new(), ran: 0, file: None }
    }

    /// Refuses to write into a file that nobody will find again: moved or deleted under the program, it takes every write
    /// and is gone with the last program that has it open. One look at the folder, no reading.
    pub(crate) fn check_file(&self) -> Result<(), DbError> {
        let Some((path, id)) = &self.file else { return Ok(()) };
        if file_id(path).is_ok_and(|found| found == *id) {
            return Ok(());
        }
        let path = path.display();
        Err(DbError::Lost(format!(
            "{path} was moved, deleted or replaced while it is in use: put back the file, or restart"
        )))
    }

    /// Statements run so far; on PostgreSQL each is a round trip.
    pub fn statements_run(&self) -> u64 {
        self.ran
    }

    /// Which engine this is.
    pub fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs statements without parameters.
    pub fn batch(&mut self, sql: &str) -> Result<(), DbError> {
        self.ran += 1;
        match &mut self.inner {
            Inner::Sqlite(c) => c.execute_batch(sql).map_err(|e| sqlite_error(&e, sql)),
            Inner::Postgres(c) => c.batch_execute(sql).map_err(|e| postgres_error(&e, sql)),
        }
    }

    /// Runs one statement; gives the number of rows that it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64, DbError> {
        self.ran += 1;
        if let Inner::Sqlite(_) = self.inner {
            let text = self.sqlite_text(sql);
            let Inner::Sqlite(c) = &self.inner else { unreachable!() };
            let mut statement = c.prepare_cached(&text).map_err(|e| sqlite_error(&e, sql))?;
            bind(&mut statement, params).map_err(|e| sqlite_error(&e, sql))?;
            return statement.raw_execute().map(|n| n as u64).map_err(|e| sqlite_error(&e, sql));
        }
        let statement = self.prepare(sql)?;
        let Inner::Postgres(c) = &mut self.inner else { unreachable!() };
        let values: Vec<PgValue<'_>> = params.iter().map(|v| PgValue(*v)).collect();
        let refs: Vec<&(dyn postgres::types::ToSql + Sync2)> = values.iter().map(|v| v as _).collect();
        c.execute(&statement, &refs).map_err(|e| postgres_error(&e, sql))
    }

    /// Runs a query; gives its rows.
    pub fn rows(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>, DbError> {
        let mut out = Vec::new();
        self.each(sql, params, &mut |row| {
            out.push(row);
            Ok(true)
        })?;
        Ok(out)
    }

    /// The first row of a query, if there is one.
    pub fn first(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Option<Row>, DbError> {
        let mut out = None;
        self.each(sql, params, &mut |row| {
            out = Some(row);
            Ok(false)
        })?;
        Ok(out)
    }

    /// Runs a query row by row until `visit` gives `false`; holds one row at a time on SQLite, a batch on PostgreSQL.
    pub fn each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        visit: &mut dyn FnMut(Row) -> Result<bool, DbError>,
    ) -> Result<(), DbError> {
        self.ran += 1;
        if let Inner::Sqlite(_) = self.inner {
            let text = self.sqlite_text(sql);
            let Inner::Sqlite(c) = &self.inner else { unreachable!() };
            let mut statement = c.prepare_cached(&text).map_err(|e| sqlite_error(&e, sql))?;
            bind(&mut statement, params).map_err(|e| sqlite_error(&e, sql))?;
            let width = statement.column_count();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(|e| sqlite_error(&e, sql))? {
                if !visit(sqlite_row(row, width, sql)?)? {
                    break;
                }
            }
            return Ok(());
        }
        let statement = self.prepare(sql)?;
        let Inner::Postgres(c) = &mut self.inner else { unreachable!() };
        let values: Vec<PgValue<'_>> = params.iter().map(|v| PgValue(*v)).collect();
        use postgres::fallible_iterator::FallibleIterator;
        let refs = values.iter().map(|v| v as &(dyn postgres::types::ToSql + Sync2));
        let mut rows = c.query_raw(&statement, refs).map_err(|e| postgres_error(&e, sql))?;
        while let Some(row) = rows.next().map_err(|e| postgres_error(&e, sql))? {
            let mut values = Vec::with_capacity(row.len());
            for at in 0..row.len() {
                values.push(postgres_value(&row, at, sql)?);
            }
            if !visit(Row(values))? {
                break;
            }
        }
        Ok(())
    }

    /// Writes many rows at once; the only place where the two engines get different texts.
    pub fn bulk(&mut self, bulk: &'static Bulk, rows: &[&[Value<'_>]]) -> Result<(), DbError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.ran += 1;
        let key = (std::ptr::from_ref(bulk) as usize, lookup::Use::Write);
        let dialect = self.dialect();
        let sql = self.bulk_sql.entry(key).or_insert_with(|| bulk_text(bulk, dialect).into()).clone();
        match &mut self.inner {
            Inner::Sqlite(c) => {
                let mut statement = c.prepare_cached(&sql).map_err(|e| sqlite_error(&e, &sql))?;
                for row in rows {
                    debug_assert_eq!(row.len(), bulk.columns.len());
                    bind(&mut statement, row).map_err(|e| sqlite_error(&e, &sql))?;
                    statement.raw_execute().map_err(|e| sqlite_error(&e, &sql))?;
                }
                Ok(())
            }
            Inner::Postgres(_) => {
                let statement = self.prepare(&sql)?;
                let arrays: Vec<PgArray<'_>> = bulk
                    .columns
                    .iter()
                    .enumerate()
                    .map(|(at, (_, code))| PgArray::gather(rows, at, column(*code)))
                    .collect();
                let refs: Vec<&(dyn postgres::types::ToSql + Sync2)> = arrays.iter().map(PgArray::as_sql).collect();
                let Inner::Postgres(c) = &mut self.inner else { unreachable!() };
                c.execute(&statement, &refs).map(drop).map_err(|e| postgres_error(&e, &sql))
            }
        }
    }

    /// Whether a lost connection can be noticed now.
    pub fn is_closed(&self) -> bool {
        match &self.inner {
            Inner::Sqlite(_) => false,
            Inner::Postgres(c) => c.is_closed(),
        }
    }

    /// Asks the database whether it understands a statement, without running it.
    #[cfg(any(test, feature = "testing"))]
    pub fn prepare_only(&mut self, sql: &str) -> Result<(), DbError> {
        match &mut self.inner {
            Inner::Sqlite(c) => c.prepare(&rewrite(sql)).map(drop).map_err(|e| sqlite_error(&e, sql)),
            Inner::Postgres(c) => c.prepare(sql).map(drop).map_err(|e| postgres_error(&e, sql)),
        }
    }

    /// Whether the database answers on this connection.
    pub fn answers(&mut self) -> bool {
        !self.is_closed() && (self.dialect() == Dialect::Sqlite || self.batch("SELECT 1").is_ok())
    }

    /// SQLite's own connection, for what only `db` may do with it.
    pub(crate) fn sqlite(&mut self) -> Option<&mut rusqlite::Connection> {
        match &mut self.inner {
            Inner::Sqlite(c) => Some(c),
            Inner::Postgres(_) => None,
        }
    }

    fn sqlite_text(&mut self, sql: &str) -> Arc<str> {
        // Statements are `'static` constants nearly everywhere, so address and length name them without hashing the text;
        // the text is compared all the same, since a temporary may lie where another one lay.
        let key = (sql.as_ptr() as usize, sql.len());
        if let Some(found) = self.rewritten.get(&key)
            && rewrites_to(sql, found)
        {
            return found.clone();
        }
        let text: Arc<str> = rewrite(sql).into();
        self.rewritten.insert(key, text.clone());
        text
    }

    fn prepare(&mut self, sql: &str) -> Result<postgres::Statement, DbError> {
        let Inner::Postgres(c) = &mut self.inner else { unreachable!() };
        if let Some(found) = c.statements.get(sql) {
            return Ok(found.clone());
        }
        let statement = c.prepare(sql).map_err(|e| postgres_error(&e, sql))?;
        if c.statements.len() >= 512 {
            c.statements.clear();
        }
        c.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }
}

/// `std::marker::Sync` under a name that does not collide with [`Sync`].
use std::marker::Sync as Sync2;

fn rewrites_to(sql: &str, rewritten: &str) -> bool {
    sql.len() == rewritten.len() && sql.bytes().zip(rewritten.bytes()).all(|(a, b)| a == b || (a == b'$' && b == b'?'))
}

/// `$1` becomes `?1`: SQLite numbers `$n` by first appearance, which swaps parameters silently. Quoted texts stay.
fn rewrite(sql: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        quoted ^= c == '\'';
        let parameter = c == '$' && !quoted && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if parameter { '?' } else { c });
    }
    out
}

fn bulk_text(bulk: &Bulk, dialect: Dialect) -> String {
    let names: Vec<&str> = bulk.columns.iter().map(|(name, _)| *name).collect();
    let list = names.join(", ");
    let values = match dialect {
        Dialect::Sqlite => {
            let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
            format!("VALUES ({})", marks.join(", "))
        }
        Dialect::Postgres => {
            let arrays: Vec<String> = bulk
                .columns
                .iter()
                .enumerate()
                .map(|(at, (_, code))| {
                    let kind = match column(*code) {
                        Column::Int => "BIGINT",
                        Column::Text => "TEXT",
                        Column::Blob => "BYTEA",
                    };
                    format!("${}::{kind}[]", at + 1)
                })
                .collect();
            format!("SELECT * FROM unnest({})", arrays.join(", "))
        }
    };
    let mut sql = format!("INSERT INTO {} ({list}) {values}", bulk.table);
    if bulk.key > 0 {
        let keys = names[..bulk.key].join(", ");
        let rest: Vec<String> = names[bulk.key..].iter().map(|n| format!("{n} = excluded.{n}")).collect();
        if bulk.insert_only || rest.is_empty() {
            sql.push_str(&format!(" ON CONFLICT ({keys}) DO NOTHING"));
        } else {
            sql.push_str(&format!(" ON CONFLICT ({keys}) DO UPDATE SET {}", rest.join(", ")));
        }
    }
    sql
}

#[cfg(any(test, feature = "testing"))]
pub(crate) fn made_of_bulk(bulk: &Bulk, dialect: Dialect) -> Vec<String> {
    let delete = (bulk.key > 0).then(|| lookup::delete_text(bulk, dialect));
    std::iter::once(bulk_text(bulk, dialect)).chain(delete).collect()
}

#[cfg(any(test, feature = "testing"))]
pub(crate) fn made_of_lookup(lookup: &Lookup, dialect: Dialect) -> Vec<String> {
    vec![lookup::read_text(lookup, dialect)]
}

/// SQLite keeps books of its memory under one lock for all connections; nobody asks for them, and every allocation would wait
/// for that lock.
#[allow(unsafe_code, reason = "SQLite's settings for the whole process have a C interface only")]
fn without_books() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: called with the one argument that this setting takes; once a connection is open it is refused, which changes
        // nothing.
        unsafe { rusqlite::ffi::sqlite3_config(rusqlite::ffi::SQLITE_CONFIG_MEMSTATUS, 0) };
    });
}

fn sqlite_row(row: &rusqlite::Row<'_>, width: usize, sql: &str) -> Result<Row, DbError> {
    use rusqlite::types::ValueRef;
    let mut values = Vec::with_capacity(width);
    for at in 0..width {
        values.push(match row.get_ref(at).map_err(|e| sqlite_error(&e, sql))? {
            ValueRef::Null => Owned::Null,
            ValueRef::Integer(v) => Owned::Int(v),
            ValueRef::Real(v) => Owned::Int(v as i64),
            ValueRef::Text(v) => Owned::Text(String::from_utf8_lossy(v).into_owned()),
            ValueRef::Blob(v) => Owned::Blob(v.to_vec()),
        });
    }
    Ok(Row(values))
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[Value<'_>]) -> rusqlite::Result<()> {
    use rusqlite::types::{ToSqlOutput, ValueRef};
    struct Bound<'a>(Value<'a>);
    impl rusqlite::ToSql for Bound<'_> {
        fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
            Ok(ToSqlOutput::Borrowed(match self.0 {
                Value::Null => ValueRef::Null,
                Value::Int(v) => ValueRef::Integer(v),
                Value::Text(v) => ValueRef::Text(v.as_bytes()),
                Value::Blob(v) => ValueRef::Blob(v),
            }))
        }
    }
    for (at, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, Bound(*value))?;
    }
    Ok(())
}

#[derive(Debug)]
struct PgValue<'a>(Value<'a>);

impl postgres::types::ToSql for PgValue<'_> {
    fn to_sql(
        &self,
        kind: &postgres::types::Type,
        out: &mut bytes::BytesMut,
    ) -> Result<postgres::types::IsNull, Box<dyn std::error::Error + Sync2 + Send>> {
        match self.0 {
            Value::Null => Ok(postgres::types::IsNull::Yes),
            Value::Int(v) if *kind == postgres::types::Type::INT4 => i32::try_from(v)?.to_sql(kind, out),
            Value::Int(v) => v.to_sql(kind, out),
            Value::Text(v) => without_zero(v).to_sql(kind, out),
            Value::Blob(v) => v.to_sql(kind, out),
        }
    }
    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }
    postgres::types::to_sql_checked!();
}

/// One column of a bulk write as an array parameter.
enum PgArray<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<std::borrow::Cow<'a, str>>>),
    Blob(Vec<Option<&'a [u8]>>),
}

impl<'a> PgArray<'a> {
    fn gather(rows: &[&[Value<'a>]], at: usize, column: Column) -> Self {
        match column {
            Column::Int => {
                PgArray::Int(rows.iter().map(|r| if let Value::Int(v) = r[at] { Some(v) } else { None }).collect())
            }
            Column::Text => PgArray::Text(
                rows.iter().map(|r| if let Value::Text(v) = r[at] { Some(without_zero(v)) } else { None }).collect(),
            ),
            Column::Blob => {
                PgArray::Blob(rows.iter().map(|r| if let Value::Blob(v) = r[at] { Some(v) } else { None }).collect())
            }
        }
    }
    fn as_sql(&self) -> &(dyn postgres::types::ToSql + Sync2) {
        match self {
            PgArray::Int(v) => v,
            PgArray::Text(v) => v,
            PgArray::Blob(v) => v,
        }
    }
}

/// U+0000 cannot stand in PostgreSQL's text; the border replaces it, this is the last line.
fn without_zero(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn postgres_value(row: &postgres::Row, at: usize, sql: &str) -> Result<Owned, DbError> {
    use postgres::types::Type;
    let kind = row.columns()[at].type_();
    let failed = |e: postgres::Error| postgres_error(&e, sql);
    Ok(match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(at).map_err(failed)?.into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(at).map_err(failed)?.map(i64::from).into(),
        Type::BOOL => row.try_get::<_, Option<bool>>(at).map_err(failed)?.map(i64::from).into(),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at).map_err(failed)?.into(),
        _ => row.try_get::<_, Option<String>>(at).map_err(failed)?.into(),
    })
}

fn sqlite_error(error: &rusqlite::Error, sql: &str) -> DbError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => DbError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DbError::Busy(error.to_string()),
        Some(ErrorCode::SystemIoFailure) => DbError::Lost(error.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            DbError::damaged(crate::error::DATABASE_FILE, error)
        }
        _ => DbError::Statement { reason: error.to_string(), sql: sql.to_string() },
    }
}

fn postgres_error(error: &postgres::Error, sql: &str) -> DbError {
    use postgres::error::SqlState;
    let text = chain(error);
    if error.is_closed() {
        return DbError::Lost(text);
    }
    match error.code() {
        Some(c) if *c == SqlState::DISK_FULL => DbError::Full,
        Some(c)
            if *c == SqlState::T_R_SERIALIZATION_FAILURE
                || *c == SqlState::T_R_DEADLOCK_DETECTED
                || *c == SqlState::LOCK_NOT_AVAILABLE =>
        {
            DbError::Busy(text)
        }
        Some(c)
            if *c == SqlState::ADMIN_SHUTDOWN
                || *c == SqlState::CRASH_SHUTDOWN
                || *c == SqlState::CANNOT_CONNECT_NOW
                || *c == SqlState::CONNECTION_FAILURE
                || *c == SqlState::CONNECTION_DOES_NOT_EXIST =>
        {
            DbError::Lost(text)
        }
        Some(_) => DbError::Statement { reason: text, sql: sql.to_string() },
        None => DbError::Lost(text),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// A connection URL as it may be shown: without its password.
pub fn redact(url: &str) -> String {
    match (url.find("://"), url.find('@')) {
        (Some(scheme), Some(at)) if at > scheme => match url[scheme + 3..at].split_once(':') {
            Some((user, _)) => format!("{}://{user}:…@{}", &url[..scheme], &url[at + 1..]),
            None => url.to_string(),
        },
        _ => url.to_string(),
    }
}
