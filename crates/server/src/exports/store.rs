//! Rows of `exports`: files that were taken out, for ever; the files themselves go.
use super::kinds::Kind;
use super::spec::{KEPT_US, Spec};
use base::Timestamp;
use db::jobs;
use db::{DbError, Engine, Row, Tx};
use exchange::write::Format;

/// A file that was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub id: i64,
    pub job_id: i64,
    pub kind: Kind,
    pub format: Format,
    pub actor: String,
    pub mark: String,
    pub canary: String,
    /// 0 = none was needed.
    pub approval: i64,
    pub contacts: bool,
    /// Name in the folder of exports; empty until it is there.
    pub file: String,
    pub rows: i64,
    pub bytes: i64,
    pub sha256: String,
    pub created_at: Timestamp,
    pub ready_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Why the file is gone; empty while it is not.
    pub ended: String,
    pub link_hash: String,
    pub link_until: i64,
    /// How often the link was begun from the first byte.
    pub link_used: i64,
    pub downloads: i64,
}

impl Export {
    /// Whether the file can be had.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.ready_at.is_some() && self.ended.is_empty() && self.expires_at > now
    }
}

const COLUMNS: &str = "id, job_id, kind, format, actor, mark, canary, approval, contacts, file, export_rows, bytes, sha256, created_at, \
                       ready_at, expires_at, ended_at, ended, link_hash, link_until, link_used, downloads";

fn read(row: &Row) -> Result<Export, DbError> {
    let odd = |what: &str| DbError::damaged("exports", format!("{what} is none"));
    let some = |at: usize| row.int(at).map(|t| (t > 0).then(|| Timestamp::from_micros(t)));
    Ok(Export {
        id: row.int(0)?,
        job_id: row.int(1)?,
        kind: Kind::parse(row.text(2)?).ok_or_else(|| odd("the kind"))?,
        format: Format::parse(row.text(3)?).ok_or_else(|| odd("the format"))?,
        actor: row.text(4)?.into(),
        mark: row.text(5)?.into(),
        canary: row.text(6)?.into(),
        approval: row.int(7)?,
        contacts: row.int(8)? != 0,
        file: row.text(9)?.into(),
        rows: row.int(10)?,
        bytes: row.int(11)?,
        sha256: row.text(12)?.into(),
        created_at: Timestamp::from_micros(row.int(13)?),
        ready_at: some(14)?,
        expires_at: Timestamp::from_micros(row.int(15)?),
        ended_at: some(16)?,
        ended: row.text(17)?.into(),
        link_hash: row.text(18)?.into(),
        link_until: row.int(19)?,
        link_used: row.int(20)?,
        downloads: row.int(21)?,
    })
}

/// Adds a row for an export that begins.
pub fn add(tx: &mut Tx, spec: &Spec, job: i64, approval: i64) -> Result<Export, DbError> {
    let now = tx.now();
    let expires = now.plus(KEPT_US);
    let sql = format!(
        "INSERT INTO exports ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, 0, '', $10, 0, $11, 0, '', '', 0, 0, 0)"
    );
    tx.execute(
        &sql,
        &[
            spec.export.into(),
            job.into(),
            spec.kind.as_str().into(),
            spec.format.as_str().into(),
            (&spec.actor).into(),
            (&spec.mark).into(),
            (&spec.canary).into(),
            approval.into(),
            i64::from(spec.contacts).into(),
            now.micros().into(),
            expires.micros().into(),
        ],
    )?;
    find(tx, spec.export)?.ok_or_else(|| DbError::damaged("exports", "a new row is not there"))
}

/// An export by number.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Export>, DbError> {
    tx.first(&format!("SELECT {COLUMNS} FROM exports WHERE id = $1"), &[id.into()])?.map(|r| read(&r)).transpose()
}

/// Exports before a number, newest first; of one mark or canary, of one actor, or all (empty texts).
pub fn list(db: &mut Engine, mark: &str, actor: &str, before: i64, limit: i64) -> Result<Vec<Export>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exports WHERE id < $1 AND ($2 = '' OR mark = $2 OR canary = $2) AND ($3 = '' OR actor = $3) \
         ORDER BY id DESC LIMIT $4"
    );
    db.rows(&sql, &[before.into(), mark.into(), actor.into(), limit.into()])?.iter().map(read).collect()
}

/// Exports whose files, or whose beginnings of files, may be there.
pub fn living(db: &mut Engine) -> Result<Vec<Export>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM exports WHERE ended = '' ORDER BY id LIMIT 10000");
    db.rows(&sql, &[])?.iter().map(read).collect()
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub file: String,
    pub rows: i64,
    pub bytes: i64,
    pub sha256: String,
}

/// Notes that a file is there and ends its job; its time begins now. False when the export was ended meanwhile.
pub fn ready(tx: &mut Tx, id: i64, made: &Made) -> Result<bool, DbError> {
    let now = tx.now();
    let Some(export) = find(tx, id)?.filter(|e| e.ended.is_empty()) else { return Ok(false) };
    let open = jobs::find(tx, export.job_id)?.is_some_and(|j| j.state.is_open());
    if !open {
        return Ok(false);
    }
    tx.execute(
        "UPDATE exports SET file = $2, export_rows = $3, bytes = $4, sha256 = $5, ready_at = $6, expires_at = $7 WHERE id = $1",
        &[
            id.into(),
            (&made.file).into(),
            made.rows.into(),
            made.bytes.into(),
            (&made.sha256).into(),
            now.micros().into(),
            now.plus(KEPT_US).micros().into(),
        ],
    )?;
    tx.execute("UPDATE jobs SET total = $2, position = $2 WHERE id = $1", &[export.job_id.into(), made.rows.into()])?;
    let result =
        serde_json::json!({"export_id": id.to_string(), "rows": made.rows, "bytes": made.bytes, "sha256": made.sha256});
    jobs::finish(tx, export.job_id, &result.to_string())?;
    Ok(true)
}

/// Notes that a file is to go, and why; its job, if it still works, is stopped. False when it was gone.
pub fn end(tx: &mut Tx, id: i64, why: &str) -> Result<bool, DbError> {
    let now = tx.now().micros();
    let Some(export) = find(tx, id)?.filter(|e| e.ended.is_empty()) else { return Ok(false) };
    if let Some(job) = jobs::find(tx, export.job_id)?.filter(|j| j.state.is_open())
        && let Err(jobs::JobError::Store(error)) = jobs::stop(tx, job.id, &format!("the export was ended: {why}"))
    {
        return Err(error);
    }
    tx.execute(
        "UPDATE exports SET ended = $2, ended_at = $3, link_hash = '' WHERE id = $1",
        &[id.into(), why.into(), now.into()],
    )?;
    Ok(true)
}

/// Gives an export a link; an older one is worth nothing from now on.
pub fn set_link(tx: &mut Tx, id: i64, hash: &str, until: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE exports SET link_hash = $2, link_until = $3, link_used = 0 WHERE id = $1";
    tx.execute(sql, &[id.into(), hash.into(), until.micros().into()]).map(drop)
}

/// Notes that a download began.
pub fn note_download(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    let sql = "UPDATE exports SET link_used = link_used + 1, downloads = downloads + 1 WHERE id = $1";
    tx.execute(sql, &[id.into()]).map(drop)
}
