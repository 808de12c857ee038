//! What can be asked of computed traits: made, changed, archived, and what they are of a person.
//!
//! A trait shares the machinery of segments: its counters get numbers as a segment's do, the same kind of job counts their
//! past, and the jobs run in order, so that a segment on `trait.NAME` is evaluated after the trait knows the past.
use super::commands::{SegmentError, begin, count_instead, fill as fill_segment, give_numbers, half_counted, stop_job};
use super::definitions::{self, Compiled, ComputedTrait, kind_text};
use super::react::View;
use crate::computed::{Answer, Definition, TypeError, check, compile};
use crate::language::{SyntaxError, parse_formula};
use base::Timestamp;
use customers::State;
use customers::counters::{Kind, Meaning};
use customers::derived;
use db::{DbError, Notice, Tx};

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 60;
/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 120;
/// Most computed traits that are not archived.
pub const TRAITS_MAX: usize = 200;

/// Why a computed trait is refused.
#[derive(Debug, thiserror::Error)]
pub enum ComputedError {
    /// The expression cannot be read.
    #[error("{0}")]
    Expression(#[from] SyntaxError),
    /// It does not give the type that was said.
    #[error("{0}")]
    Type(#[from] TypeError),
    /// The name cannot stand in a condition.
    #[error(
        "a name has 1 to {NAME_CHARS_MAX} small letters, digits and _, and begins with a letter, such as total_90_days"
    )]
    Name,
    /// The title is too long.
    #[error("a title has at most {TITLE_CHARS_MAX} characters")]
    Title,
    /// Another trait has the name.
    #[error("there is a trait named {0} already")]
    Taken(String),
    /// A segment asks for a sent trait of this name, which would mean something else from now on.
    #[error("the segment {0:?} asks for a trait of this name that is sent with events; choose another name")]
    Sent(String),
    /// A segment asks for it.
    #[error("the segment {0:?} needs this trait; change that first")]
    Needed(String),
    /// No such trait.
    #[error("there is no computed trait {0}")]
    NotFound(i64),
    /// As many as there may be.
    #[error("there are {TRAITS_MAX} computed traits already; archive some")]
    TooMany,
    #[error("computed traits cannot be read or written")]
    Store(#[from] DbError),
}

/// What a person writes.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub name: String,
    pub title: String,
    pub expression: String,
    pub kind: Kind,
}

/// Reads and checks what a person wrote.
pub fn read(expression: &str, kind: Kind) -> Result<Definition, ComputedError> {
    let formula = parse_formula(expression)?;
    check(&formula, kind)?;
    Ok(Definition { formula, kind })
}

/// Makes a computed trait. It is live at once when there is nobody yet; otherwise a job counts the past.
pub fn create(tx: &mut Tx, wanted: &Wanted) -> Result<ComputedTrait, ComputedError> {
    let compiled = definitions::current(tx)?;
    read(&wanted.expression, wanted.kind)?;
    check_names(&compiled, None, wanted)?;
    if compiled.computed.len() >= TRAITS_MAX {
        return Err(ComputedError::TooMany);
    }
    let (id, now) = (tx.next_id(), tx.now().micros());
    let sql = "INSERT INTO computed_traits (id, name, title, expression, kind, state, version, created_at, updated_at, archived_at) \
               VALUES ($1, $2, $3, $4, $5, 'counting', 1, $6, $6, 0)";
    let Wanted { name, title, expression, kind } = wanted;
    let kind = kind_text(*kind);
    tx.execute(sql, &[id.into(), name.into(), title.into(), expression.into(), kind.into(), now.into()])?;
    note_version(tx, id, 1, wanted)?;
    fill(tx, id, &[]).map_err(stored)?;
    find(tx, id)
}

/// Changes a computed trait. A changed expression or type counts the past anew, and so do segments that ask for the trait.
pub fn update(tx: &mut Tx, id: i64, wanted: &Wanted) -> Result<ComputedTrait, ComputedError> {
    let compiled = definitions::current(tx)?;
    let old = compiled.find_computed(id).ok_or(ComputedError::NotFound(id))?.clone();
    read(&wanted.expression, wanted.kind)?;
    check_names(&compiled, Some(id), wanted)?;
    let needing: Vec<(i64, String)> = needing(&compiled, &old.name);
    if old.name != wanted.name
        && let Some((_, name)) = needing.first().and_then(|(id, _)| compiled.find(*id).map(|s| (id, s.name.clone())))
    {
        return Err(ComputedError::Needed(name));
    }
    let now = tx.now().micros();
    let Wanted { name, title, expression, kind } = wanted;
    if old.expression == *expression && old.kind == *kind {
        let sql = "UPDATE computed_traits SET name = $2, title = $3, updated_at = $4 WHERE id = $1";
        tx.execute(sql, &[id.into(), name.into(), title.into(), now.into()])?;
        definitions::reload(tx)?;
        tx.notify(Notice::Changed { what: "traits" });
        return find(tx, id);
    }
    let half = half_counted(tx, id)?;
    let sql = "UPDATE computed_traits SET name = $2, title = $3, expression = $4, kind = $5, state = 'counting', \
               version = version + 1, updated_at = $6 WHERE id = $1";
    let kind = kind_text(*kind);
    tx.execute(sql, &[id.into(), name.into(), title.into(), expression.into(), kind.into(), now.into()])?;
    note_version(tx, id, old.version + 1, wanted)?;
    // Their counters change with the trait's: numbers first, so that what is compiled can be bound.
    for (segment, _) in &needing {
        tx.execute("UPDATE segments SET state = 'counting' WHERE id = $1", &[(*segment).into()])?;
    }
    fill(tx, id, &[]).map_err(stored)?;
    for (segment, expression) in &needing {
        fill_segment(tx, *segment, expression, &[]).map_err(stored)?;
    }
    count_instead(tx, &half).map_err(stored)?;
    find(tx, id)
}

/// Archives a computed trait: nothing more is counted for it.
pub fn archive(tx: &mut Tx, id: i64) -> Result<(), ComputedError> {
    let compiled = definitions::current(tx)?;
    let old = compiled.find_computed(id).ok_or(ComputedError::NotFound(id))?;
    if let Some(segment) = needing(&compiled, &old.name).first().and_then(|(id, _)| compiled.find(*id)) {
        return Err(ComputedError::Needed(segment.name.clone()));
    }
    let half = half_counted(tx, id)?;
    let now = tx.now().micros();
    tx.execute("UPDATE computed_traits SET archived_at = $2 WHERE id = $1", &[id.into(), now.into()])?;
    stop_job(tx, id)?;
    count_instead(tx, &half).map_err(stored)?;
    tx.notify(Notice::Changed { what: "traits" });
    Ok(())
}

/// Gives the trait's counters numbers and starts the job that counts their past. Counters in `half` are counted as if new.
pub(super) fn fill(tx: &mut Tx, id: i64, half: &[u32]) -> Result<(), SegmentError> {
    let zone = definitions::current(tx)?.zone.clone();
    let sql = "SELECT expression, kind FROM computed_traits WHERE id = $1";
    let Some(row) = tx.first(sql, &[id.into()])? else { return Ok(()) };
    let damaged = |what: &dyn std::fmt::Display| DbError::damaged(&format!("computed trait {id}"), what);
    let formula = parse_formula(row.text(0)?).map_err(|e| damaged(&e))?;
    let kind = definitions::parse_kind(row.text(1)?).ok_or_else(|| damaged(&"its type is none"))?;
    let plan = compile(&Definition { formula, kind }, &zone);
    let meanings: Vec<Meaning> = plan.meanings().cloned().collect();
    let fresh = give_numbers(tx, id, &meanings, half)?;
    tx.execute("UPDATE computed_traits SET state = 'counting' WHERE id = $1", &[id.into()])?;
    definitions::reload(tx)?;
    if tx.counts().profiles == 0 {
        set_live(tx, id)?;
    } else {
        begin(tx, id, &fresh)?;
    }
    tx.notify(Notice::Changed { what: "traits" });
    Ok(())
}

/// Notes that the counters of a trait know the past.
pub fn set_live(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    tx.execute("UPDATE computed_traits SET state = 'live' WHERE id = $1", &[id.into()])?;
    definitions::set_computed_live(tx, id)
}

/// How far the job has come that counts a trait's past, from 0 to 1.
pub fn progress(tx: &mut Tx, one: &ComputedTrait) -> Result<f64, DbError> {
    if one.live {
        return Ok(1.0);
    }
    let sql = "SELECT position, total FROM jobs WHERE kind = $1 AND subject = $2 \
               AND state IN ('queued', 'running', 'failed')";
    let row = tx.first(sql, &[super::commands::FILL.into(), one.id.into()])?;
    let part = row.map(|r| Ok::<_, DbError>(r.int(0)?.max(0) as f64 / r.int(1)?.max(1) as f64)).transpose()?;
    Ok(part.unwrap_or(0.0).clamp(0.0, 1.0))
}

/// What a trait was: version, expression, type, and since when; the newest first, a hundred at most.
pub fn versions(tx: &mut Tx, id: i64) -> Result<Vec<(i64, String, String, Timestamp)>, DbError> {
    let sql = "SELECT version, expression, kind, at FROM computed_trait_versions WHERE trait_id = $1 \
               ORDER BY version DESC LIMIT 100";
    let read = |r: &db::Row| Ok((r.int(0)?, r.text(1)?.into(), r.text(2)?.into(), Timestamp::from_micros(r.int(3)?)));
    tx.rows(sql, &[id.into()])?.iter().map(read).collect()
}

/// What every live computed trait is of a person at a moment, in the order of their names: the state is the person's, merged.
pub fn values<'c>(compiled: &'c Compiled, state: &State, now: Timestamp) -> Vec<(&'c ComputedTrait, Answer)> {
    let live = compiled.computed.iter().filter(|one| one.live);
    live.map(|one| (one, one.plan.value(&View::of(state, &compiled.rules), now, &compiled.zone))).collect()
}

/// Segments that ask for a trait: id and expression.
fn needing(compiled: &Compiled, name: &str) -> Vec<(i64, String)> {
    let asks = compiled.segments.iter().filter(|s| s.plan.dependencies().computed.contains(name));
    asks.map(|s| (s.id, s.expression.clone())).collect()
}

fn check_names(compiled: &Compiled, own: Option<i64>, wanted: &Wanted) -> Result<(), ComputedError> {
    let name = &*wanted.name;
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !plain || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.len() > NAME_CHARS_MAX {
        return Err(ComputedError::Name);
    }
    if wanted.title.chars().count() > TITLE_CHARS_MAX {
        return Err(ComputedError::Title);
    }
    let taken = compiled.computed.iter().any(|c| c.name == name && Some(c.id) != own);
    if taken || derived::find(name).is_some() {
        return Err(ComputedError::Taken(name.into()));
    }
    let sent = compiled.segments.iter().find(|s| s.plan.dependencies().traits.contains(name));
    sent.map_or(Ok(()), |segment| Err(ComputedError::Sent(segment.name.clone())))
}

fn note_version(tx: &mut Tx, id: i64, version: i64, wanted: &Wanted) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql =
        "INSERT INTO computed_trait_versions (trait_id, version, expression, kind, at) VALUES ($1, $2, $3, $4, $5)";
    let kind = kind_text(wanted.kind);
    tx.execute(sql, &[id.into(), version.into(), (&wanted.expression).into(), kind.into(), now.into()]).map(drop)
}

fn find(tx: &mut Tx, id: i64) -> Result<ComputedTrait, ComputedError> {
    definitions::current(tx)?.find_computed(id).cloned().ok_or(ComputedError::NotFound(id))
}

/// What is stored was checked before, so only the store can refuse.
fn stored(error: SegmentError) -> ComputedError {
    match error {
        SegmentError::Store(error) => ComputedError::Store(error),
        other => ComputedError::Store(DbError::damaged("segments", other)),
    }
}
