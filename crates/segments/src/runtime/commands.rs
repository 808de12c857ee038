//! What can be asked of segments: made, changed, archived, previewed, listed.
use super::changes;
use super::definitions::{self, Compiled, Filling, Segment, parse_state, state_text};
use crate::compile_with;
use crate::language::{SyntaxError, parse};
use base::Timestamp;
use customers::counters::Meaning;
use db::{DbError, Notice, Tx, jobs};
use std::sync::Arc;

/// Longest name of a segment, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Most segments that are not archived.
pub const SEGMENTS_MAX: usize = 2_000;

/// Why a segment is refused.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The expression cannot be read.
    #[error("{0}")]
    Expression(#[from] SyntaxError),
    /// The name is empty or too long.
    #[error("a segment's name has 1 to {NAME_CHARS_MAX} characters")]
    Name,
    /// Another segment has the name.
    #[error("there is a segment named {0:?} already")]
    Taken(String),
    /// `in segment` names one that does not exist.
    #[error("there is no segment named {0:?}")]
    Unknown(String),
    /// `in segment` leads back to the segment itself.
    #[error("the segment would depend on itself through {0:?}")]
    Circle(String),
    /// Others name this one in `in segment`.
    #[error("the segment {0:?} names this one")]
    Needed(String),
    /// No such segment.
    #[error("there is no segment {0}")]
    NotFound(i64),
    /// As many as there may be.
    #[error("there are {SEGMENTS_MAX} segments already; archive some")]
    TooMany,
    #[error("segments cannot be read or written")]
    Store(#[from] DbError),
}

/// A job that a change calls for, for whoever runs jobs.
pub const FILL: &str = "segment_fill";

/// Makes a segment. It is live at once when there is nobody yet; otherwise a job fills it.
pub fn create(tx: &mut Tx, name: &str, expression: &str) -> Result<Segment, SegmentError> {
    let name = check(tx, None, name, expression)?;
    let now = tx.now();
    let id = tx.next_id();
    let filling = tx.execute(
        "INSERT INTO segments (id, name, expression, state, version, created_at, updated_at, archived_at) \
         VALUES ($1, $2, $3, 'counting', 1, $4, $4, 0)",
        &[id.into(), (&name).into(), expression.into(), now.micros().into()],
    );
    filling?;
    fill(tx, id, expression, &[])
}

/// Changes a segment; a changed expression fills it anew.
pub fn update(tx: &mut Tx, id: i64, name: &str, expression: &str) -> Result<Segment, SegmentError> {
    let compiled = definitions::current(tx)?;
    let old = compiled.find(id).ok_or(SegmentError::NotFound(id))?.clone();
    let name = check(tx, Some(id), name, expression)?;
    if name != old.name
        && let Some(other) = compiled.naming(id).first()
    {
        return Err(SegmentError::Needed(compiled.segments[*other].name.clone()));
    }
    let now = tx.now().micros();
    if old.expression == expression {
        let sql = "UPDATE segments SET name = $2, updated_at = $3 WHERE id = $1";
        tx.execute(sql, &[id.into(), (&name).into(), now.into()])?;
        let compiled = definitions::reload(tx)?;
        tx.notify(Notice::Changed { what: "segments" });
        return compiled.find(id).cloned().ok_or(SegmentError::NotFound(id));
    }
    tx.execute(
        "UPDATE segments SET name = $2, expression = $3, state = 'counting', version = version + 1, updated_at = $4 WHERE id = $1",
        &[id.into(), (&name).into(), expression.into(), now.into()],
    )?;
    // The job that is replaced may have been counting for others as well.
    let half = half_counted(tx, id)?;
    fill(tx, id, expression, &[])?;
    count_instead(tx, &half)?;
    find(tx, id)?.ok_or(SegmentError::NotFound(id))
}

/// Archives a segment: it stops moving, nothing is erased.
pub fn archive(tx: &mut Tx, id: i64) -> Result<(), SegmentError> {
    let compiled = definitions::current(tx)?;
    compiled.find(id).ok_or(SegmentError::NotFound(id))?;
    if let Some(other) = compiled.naming(id).first() {
        return Err(SegmentError::Needed(compiled.segments[*other].name.clone()));
    }
    let now = tx.now().micros();
    let half = half_counted(tx, id)?;
    tx.execute("UPDATE segments SET archived_at = $2 WHERE id = $1", &[id.into(), now.into()])?;
    stop_job(tx, id)?;
    // Others that relied on this one to count the past count it themselves.
    count_instead(tx, &half)?;
    tx.notify(Notice::Changed { what: "segments" });
    Ok(())
}

/// Counters that a segment's job was still counting the past of: with the job gone, nobody else would.
pub(super) fn half_counted(tx: &mut Tx, id: i64) -> Result<Vec<u32>, DbError> {
    let sql = "SELECT payload FROM jobs WHERE kind = $1 AND subject = $2 AND state IN ('queued', 'running', 'failed') \
               AND position >= 0 AND position < total";
    let row = tx.first(sql, &[FILL.into(), id.into()])?;
    row.map_or(Ok(Vec::new()), |r| Ok(r.text(0)?.split(',').filter_map(|id| id.parse().ok()).collect()))
}

pub(super) fn stop_job(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    let sql = "UPDATE jobs SET state = 'stopped', reason = 'replaced', updated_at = $3, finished_at = $3 \
               WHERE kind = $1 AND subject = $2 AND state IN ('queued', 'running', 'failed')";
    let now = tx.now().micros();
    tx.execute(sql, &[FILL.into(), id.into(), now.into()])?;
    jobs::changed(tx)
}

/// Brings an archived segment back; it is filled anew, since it did not move meanwhile.
pub fn restore(tx: &mut Tx, id: i64) -> Result<Segment, SegmentError> {
    let sql = "SELECT name, expression FROM segments WHERE id = $1 AND archived_at > 0";
    let row = tx.first(sql, &[id.into()])?.ok_or(SegmentError::NotFound(id))?;
    let (name, expression) = (row.text(0)?.to_string(), row.text(1)?.to_string());
    check(tx, Some(id), &name, &expression)?;
    let now = tx.now().micros();
    let sql = "UPDATE segments SET archived_at = 0, state = 'counting', updated_at = $2 WHERE id = $1";
    tx.execute(sql, &[id.into(), now.into()])?;
    fill(tx, id, &expression, &[])
}

fn check(tx: &mut Tx, own: Option<i64>, name: &str, expression: &str) -> Result<String, SegmentError> {
    let name = name.trim().replace('\0', "\u{fffd}");
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(SegmentError::Name);
    }
    let compiled = definitions::current(tx)?;
    if own.is_none() && compiled.segments.len() >= SEGMENTS_MAX {
        return Err(SegmentError::TooMany);
    }
    if compiled.segments.iter().any(|s| s.name == name && Some(s.id) != own) {
        return Err(SegmentError::Taken(name));
    }
    let plan = compile_with(&parse(expression)?, &compiled.zone, &compiled.known);
    let own_name = own.and_then(|id| compiled.find(id)).map(|s| s.name.clone());
    let mut open: Vec<Box<str>> = plan.dependencies().segments.iter().cloned().collect();
    let mut seen = 0;
    while let Some(needed) = open.pop() {
        if *needed == *name || own_name.as_deref() == Some(&*needed) {
            return Err(SegmentError::Circle(needed.into()));
        }
        let found = compiled.segments.iter().find(|s| *s.name == *needed);
        let found = found.ok_or_else(|| SegmentError::Unknown(needed.clone().into()))?;
        seen += 1;
        if seen > SEGMENTS_MAX {
            break;
        }
        open.extend(found.plan.dependencies().segments.iter().cloned());
    }
    Ok(name)
}

/// Evaluates everybody again for the segments that rest on standing facts, after the facts or the shop's thresholds
/// changed; entries are `initial` and trigger nothing.
pub fn refill_facts(tx: &mut Tx) -> Result<(), DbError> {
    let compiled = definitions::current(tx)?;
    for segment in compiled.segments.iter().filter(|s| s.plan.dependencies().facts) {
        // What is stored was parsed before, so only the store can refuse.
        if let Err(SegmentError::Store(error)) = fill(tx, segment.id, &segment.expression, &[]) {
            return Err(error);
        }
        if tx.counts().profiles > 0 {
            set_state(tx, segment.id, Filling::Counting)?;
        }
    }
    Ok(())
}

/// Gives new counters their numbers and starts the job, or goes live at once in an empty store. Counters in `half`, and those
/// that an earlier job of the segment did not finish, are counted as if they were new.
pub(super) fn fill(tx: &mut Tx, id: i64, expression: &str, half: &[u32]) -> Result<Segment, SegmentError> {
    let compiled = definitions::current(tx)?;
    let plan = compile_with(&parse(expression)?, &compiled.zone, &compiled.known);
    let meanings: Vec<Meaning> = plan.meanings().cloned().collect();
    let fresh = give_numbers(tx, id, &meanings, half)?;
    definitions::reload(tx)?;
    if tx.counts().profiles == 0 {
        set_state(tx, id, Filling::Live)?;
    } else {
        begin(tx, id, &fresh)?;
    }
    tx.notify(Notice::Changed { what: "segments" });
    find(tx, id)?.ok_or(SegmentError::NotFound(id))
}

/// Counters of a segment or a computed trait that are to be counted from the past.
pub(super) struct Fresh {
    ids: Vec<u32>,
    /// Numbers that they had before.
    renumbered: Vec<u32>,
    /// What was compiled before they got new ones.
    compiled: Arc<Compiled>,
}

/// Gives numbers to what is not counted yet, or was not counted to its end.
pub(super) fn give_numbers(tx: &mut Tx, id: i64, meanings: &[Meaning], half: &[u32]) -> Result<Fresh, DbError> {
    let compiled = definitions::current(tx)?;
    let unfinished = half_counted(tx, id)?;
    let (mut ids, mut renumbered) = (Vec::new(), Vec::new());
    for meaning in meanings {
        let known = compiled.counters.find_id(meaning);
        if known.is_none_or(|k| unfinished.contains(&k) || half.contains(&k)) {
            ids.push(number(tx, meaning)?);
            renumbered.extend(known);
        }
    }
    Ok(Fresh { ids, renumbered, compiled })
}

/// Starts the job that counts the past for a segment or a computed trait, in place of one that runs.
pub(super) fn begin(tx: &mut Tx, id: i64, fresh: &Fresh) -> Result<(), DbError> {
    stop_job(tx, id)?;
    start_job(tx, id, &fresh.ids)?;
    // Jobs run in order: who needs the same counters is evaluated after they are counted.
    let shares = |counters: &[u32]| counters.iter().any(|c| fresh.renumbered.contains(c));
    let compiled = &fresh.compiled;
    let segments = compiled.segments.iter().filter(|s| shares(&s.plan.dependencies().counters)).map(|s| s.id);
    let computed = compiled.computed.iter().filter(|c| shares(&c.plan.dependencies().counters)).map(|c| c.id);
    for other in segments.chain(computed).filter(|other| *other != id) {
        let later = tx.next_id();
        let sql = "UPDATE jobs SET id = $3 WHERE kind = $1 AND subject = $2 \
                   AND state IN ('queued', 'running', 'failed')";
        tx.execute(sql, &[FILL.into(), other.into(), later.into()])?;
    }
    jobs::changed(tx)
}

/// Lets segments and computed traits that relied on a job that is gone count what it had half counted.
pub(super) fn count_instead(tx: &mut Tx, half: &[u32]) -> Result<(), SegmentError> {
    let mut compiled = definitions::reload(tx)?;
    let relies = |counters: &[u32]| counters.iter().any(|c| half.contains(c));
    // Each turn gives some of them new numbers.
    loop {
        if let Some(one) = compiled.computed.iter().find(|c| relies(&c.plan.dependencies().counters)) {
            super::computed::fill(tx, one.id, half)?;
        } else if let Some(other) = compiled.segments.iter().find(|s| relies(&s.plan.dependencies().counters)) {
            fill(tx, other.id, &other.expression, half)?;
        } else {
            return Ok(());
        }
        compiled = definitions::current(tx)?;
    }
}

fn start_job(tx: &mut Tx, id: i64, fresh: &[u32]) -> Result<(), DbError> {
    let cutoff = tx.next_seq();
    let ids: Vec<String> = fresh.iter().map(u32::to_string).collect();
    // Without new counters the past is known already.
    let position = if fresh.is_empty() { -1 } else { 1 };
    let payload = ids.join(",");
    jobs::add(tx, &jobs::New { subject: id, position, total: cutoff, ..jobs::New::of(FILL, &payload) }).map(drop)
}

/// A number for a meaning that is not counted now. One that was counted once gets a new number: the old summaries stopped
/// with it, and must not be taken for whole ones.
fn number(tx: &mut Tx, meaning: &Meaning) -> Result<u32, DbError> {
    let text = meaning.to_string();
    let row = tx.first("SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM counters", &[])?;
    let highest = row.map_or(Ok(0), |r| r.int(0))?;
    let floor = db::settings::get(tx.engine(), "counters.highest")?.and_then(|h| h.parse().ok()).unwrap_or(0);
    let next = highest.max(floor) + 1;
    tx.execute("DELETE FROM counters WHERE meaning = $1", &[(&text).into()])?;
    tx.execute("INSERT INTO counters (id, meaning) VALUES ($1, $2)", &[next.into(), (&text).into()])?;
    db::settings::set(tx.engine(), "counters.highest", &next.to_string())?;
    u32::try_from(next).map_err(|e| DbError::damaged("counters", e))
}

/// Notes how far a segment has come, in its row and in memory.
pub fn set_state(tx: &mut Tx, id: i64, filling: Filling) -> Result<(), DbError> {
    tx.execute("UPDATE segments SET state = $2 WHERE id = $1", &[id.into(), (&state_text(filling)).into()])?;
    definitions::set_filling(tx, id, filling)
}

/// A segment that is not archived.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Segment>, DbError> {
    Ok(definitions::current(tx)?.find(id).cloned())
}

/// All segments that are not archived, by name.
pub fn list(tx: &mut Tx) -> Result<Vec<(Segment, i64)>, DbError> {
    let compiled: Arc<Compiled> = definitions::current(tx)?;
    let mut out = Vec::with_capacity(compiled.segments.len());
    for segment in &compiled.segments {
        out.push((segment.clone(), changes::count(tx, segment.id)?));
    }
    out.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Ok(out)
}

/// Archived segments: id, name, expression, and when.
pub fn archived(tx: &mut Tx) -> Result<Vec<(i64, String, String, Timestamp)>, DbError> {
    let sql = "SELECT id, name, expression, archived_at FROM segments WHERE archived_at > 0 ORDER BY archived_at DESC LIMIT 500";
    let rows = tx.rows(sql, &[])?;
    let read = |r: &db::Row| Ok((r.int(0)?, r.text(1)?.into(), r.text(2)?.into(), Timestamp::from_micros(r.int(3)?)));
    rows.iter().map(read).collect()
}

/// How far the job that fills a segment has come, from 0 to 1.
pub fn progress(tx: &mut Tx, id: i64) -> Result<f64, DbError> {
    let sql = "SELECT state FROM segments WHERE id = $1";
    let state = tx.first(sql, &[id.into()])?.map(|r| r.text(0).map(parse_state)).transpose()?;
    match state {
        Some(Filling::Live) | None => Ok(1.0),
        Some(Filling::Evaluating { upto }) => {
            let people = tx.counts().profiles.max(1);
            Ok(0.5 + 0.5 * (upto as f64 / people as f64).min(1.0))
        }
        Some(Filling::Counting) => {
            let sql = "SELECT position, total FROM jobs WHERE kind = $1 AND subject = $2 \
                       AND state IN ('queued', 'running', 'failed')";
            let row = tx.first(sql, &[FILL.into(), id.into()])?;
            let part = row.map(|r| Ok::<_, DbError>(r.int(0)? as f64 / r.int(1)?.max(1) as f64)).transpose()?;
            Ok(0.5 * part.unwrap_or(0.0).clamp(0.0, 1.0))
        }
    }
}

/// Members of a segment by person id, from one on: the page that the database holds after a flush; whoever's time ran out is
/// left out by the caller through [`super::read_person`].
pub fn members(tx: &mut Tx, id: i64, after_person: i64, limit: i64) -> Result<Vec<(i64, super::Membership)>, DbError> {
    tx.flush_table::<super::Memberships>()?;
    let sql = "SELECT person_id, since, leaves_at, cause FROM memberships WHERE segment_id = $1 AND person_id > $2 \
               ORDER BY person_id LIMIT $3";
    let rows = tx.rows(sql, &[id.into(), after_person.into(), limit.into()])?;
    rows.iter()
        .map(|r| {
            let cause = super::Cause::parse(r.text(3)?);
            Ok((r.int(0)?, super::Membership { segment_id: id, since_us: r.int(1)?, leaves_at_us: r.int(2)?, cause }))
        })
        .collect()
}
