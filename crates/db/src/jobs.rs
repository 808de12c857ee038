//! Long work: a row in `jobs` with a position, moved on piece by piece.
//!
//! queued → running → done | failed | stopped; what failed for a passing reason and what was stopped can be resumed and
//! goes on where it was. A piece and the position after it are one transaction, so a kill neither repeats nor skips
//! anything. Who does the pieces is not known here: the writer between groups (`pipeline::jobs`), or a thread beside it
//! that brings each piece as a command and calls [`progress`] in it.
mod model;
mod open;

pub use model::{Job, New, Progress, State};
pub use open::{Waiting, changed, open};

use crate::engine::Row;
use crate::notice::{JobMoved, Notice};
use crate::{DbError, Engine, Tx};
use std::sync::Arc;

/// Longest reason or note that is kept, in bytes.
const TEXT_MAX: usize = 2_000;

/// Why a job does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// No such job.
    #[error("there is no job {0}")]
    NotFound(i64),
    /// Its state does not allow it.
    #[error("the job is {}", .0.as_str())]
    State(State),
    /// It failed for a reason that trying again does not change.
    #[error("the job failed for good: {0}")]
    Final(String),
    /// Jobs cannot be read or written.
    #[error("jobs cannot be read or written")]
    Store(#[from] DbError),
}

const COLUMNS: &str = "id, kind, subject, state, position, total, payload, bookmark, note, reason, retryable, result, \
                       pieces, created_at, updated_at, started_at, started_from, finished_at, not_before, actor";

fn read(row: &Row) -> Result<Job, DbError> {
    let state = State::parse(row.text(3)?);
    Ok(Job {
        id: row.int(0)?,
        kind: row.text(1)?.into(),
        subject: row.int(2)?,
        state: state.ok_or_else(|| DbError::damaged("jobs", format!("{:?} is no state", row.text(3))))?,
        position: row.int(4)?,
        total: row.int(5)?,
        payload: row.text(6)?.into(),
        bookmark: row.text(7)?.into(),
        note: row.text(8)?.into(),
        reason: row.text(9)?.into(),
        retryable: row.int(10)? != 0,
        result: row.text(11)?.into(),
        pieces: row.int(12)?,
        created_at: row.int(13)?,
        updated_at: row.int(14)?,
        started_at: row.int(15)?,
        started_from: row.int(16)?,
        finished_at: row.int(17)?,
        not_before: row.int(18)?,
        actor: row.text(19)?.into(),
    })
}

/// Adds a job; it is queued. Gives its number.
pub fn add(tx: &mut Tx, new: &New<'_>) -> Result<i64, DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let sql = "INSERT INTO jobs (id, kind, subject, state, position, total, payload, actor, created_at, updated_at) \
               VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $8)";
    let (position, total) = (new.position.into(), new.total.into());
    let row = [
        id.into(),
        new.kind.into(),
        new.subject.into(),
        position,
        total,
        new.payload.into(),
        new.actor.into(),
        now.into(),
    ];
    tx.execute(sql, &row)?;
    changed(tx)?;
    tell(tx, id)?;
    Ok(id)
}

/// A job as this transaction sees it.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Job>, DbError> {
    tx.first(&format!("SELECT {COLUMNS} FROM jobs WHERE id = $1"), &[id.into()])?.as_ref().map(read).transpose()
}

/// A job as it was committed.
pub fn committed(db: &mut Engine, id: i64) -> Result<Option<Job>, DbError> {
    db.first(&format!("SELECT {COLUMNS} FROM jobs WHERE id = $1"), &[id.into()])?.as_ref().map(read).transpose()
}

/// The newest jobs before a number, of one kind and state or of all.
pub fn list(
    db: &mut Engine,
    kind: Option<&str>,
    state: Option<State>,
    before: i64,
    limit: i64,
) -> Result<Vec<Job>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs WHERE id < $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR state = $3) \
         ORDER BY id DESC LIMIT $4"
    );
    let state = state.map_or("", State::as_str);
    let rows = db.rows(&sql, &[before.into(), kind.unwrap_or("").into(), state.into(), limit.into()])?;
    rows.iter().map(read).collect()
}

/// Jobs of a kind after a number, in the order in which they were asked for.
pub fn begun_after(db: &mut Engine, kind: &str, id: i64, limit: i64) -> Result<Vec<Job>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3");
    db.rows(&sql, &[kind.into(), id.into(), limit.into()])?.iter().map(read).collect()
}

/// Jobs that ended at a moment or later (microseconds), in that order.
pub fn ended_since(db: &mut Engine, at_us: i64, limit: i64) -> Result<Vec<Job>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE finished_at >= $1 ORDER BY finished_at, id LIMIT $2");
    db.rows(&sql, &[at_us.into(), limit.into()])?.iter().map(read).collect()
}

/// The newest job of a kind about a subject.
pub fn newest(tx: &mut Tx, kind: &str, subject: i64) -> Result<Option<Job>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE kind = $1 AND subject = $2 ORDER BY id DESC LIMIT 1");
    tx.first(&sql, &[kind.into(), subject.into()])?.as_ref().map(read).transpose()
}

/// Notes a piece that was done in this transaction; refuses when the job was stopped meanwhile.
pub fn progress(tx: &mut Tx, id: i64, done: &Progress) -> Result<Job, JobError> {
    let mut job = find(tx, id)?.ok_or(JobError::NotFound(id))?;
    if !job.state.is_open() {
        return Err(JobError::State(job.state));
    }
    let now = tx.now().micros();
    let waits = done.not_before.map_or(0, base::Timestamp::micros);
    let listed = job.state == State::Queued || waits != job.not_before;
    if job.started_at == 0 {
        // What the first piece took is not known, so the rate counts from its end.
        (job.started_at, job.started_from) = (now, done.position.max(0));
    }
    (job.state, job.updated_at, job.not_before) = (State::Running, now, waits);
    job.position = done.position;
    job.total = done.total.unwrap_or(job.total);
    job.pieces += 1;
    if let Some(note) = &done.note {
        job.note = cut(note);
    }
    if let Some(bookmark) = &done.bookmark {
        job.bookmark.clone_from(bookmark);
    }
    tx.execute(
        "UPDATE jobs SET state = 'running', position = $2, total = $3, note = $4, bookmark = $5, pieces = $6, \
         started_at = $7, started_from = $8, not_before = $9, updated_at = $10 WHERE id = $1",
        &[
            id.into(),
            job.position.into(),
            job.total.into(),
            (&job.note).into(),
            (&job.bookmark).into(),
            job.pieces.into(),
            job.started_at.into(),
            job.started_from.into(),
            job.not_before.into(),
            now.into(),
        ],
    )?;
    if listed {
        changed(tx)?;
    }
    say(tx, &job);
    Ok(job)
}

/// Ends a job well; `result` is JSON for whoever asked for it, or nothing.
pub fn finish(tx: &mut Tx, id: i64, result: &str) -> Result<(), DbError> {
    end(tx, id, State::Done, "", false, result)
}

/// Ends a job badly; with `retryable` a person may resume it.
pub fn fail(tx: &mut Tx, id: i64, reason: &str, retryable: bool) -> Result<(), DbError> {
    end(tx, id, State::Failed, reason, retryable, "")
}

fn end(tx: &mut Tx, id: i64, state: State, reason: &str, retryable: bool, result: &str) -> Result<(), DbError> {
    let (now, reason) = (tx.now().micros(), cut(reason));
    tx.execute(
        "UPDATE jobs SET state = $2, reason = $3, retryable = $4, result = $5, finished_at = $6, updated_at = $6, \
         not_before = 0 WHERE id = $1",
        &[id.into(), state.as_str().into(), (&reason).into(), i64::from(retryable).into(), result.into(), now.into()],
    )?;
    changed(tx)?;
    tell(tx, id)
}

/// Stops an open job; it keeps its position.
pub fn stop(tx: &mut Tx, id: i64, reason: &str) -> Result<(), JobError> {
    let job = find(tx, id)?.ok_or(JobError::NotFound(id))?;
    if !job.state.is_open() {
        return Err(JobError::State(job.state));
    }
    Ok(end(tx, id, State::Stopped, reason, true, "")?)
}

/// Lets a stopped or passingly failed job go on where it was.
pub fn resume(tx: &mut Tx, id: i64) -> Result<(), JobError> {
    let job = find(tx, id)?.ok_or(JobError::NotFound(id))?;
    match job.state {
        State::Failed if !job.retryable => return Err(JobError::Final(job.reason)),
        State::Failed | State::Stopped => {}
        state => return Err(JobError::State(state)),
    }
    let now = tx.now().micros();
    // The rate is of this run: what stood still between is not counted.
    tx.execute(
        "UPDATE jobs SET state = 'queued', reason = '', retryable = 0, started_at = 0, finished_at = 0, not_before = 0, \
         updated_at = $2 WHERE id = $1",
        &[id.into(), now.into()],
    )?;
    changed(tx)?;
    Ok(tell(tx, id)?)
}

fn tell(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    if let Some(job) = find(tx, id)? {
        say(tx, &job);
    }
    Ok(())
}

fn say(tx: &mut Tx, job: &Job) {
    tx.notify(Notice::Job(Arc::new(JobMoved {
        id: job.id,
        kind: job.kind.clone(),
        state: job.state,
        position: job.position.max(0),
        total: job.total,
        rate: job.rate(),
        note: job.note.clone(),
    })));
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', "\u{fffd}")
}
