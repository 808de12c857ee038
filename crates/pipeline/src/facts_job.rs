//! A store of the first release learns the standing facts of its past.
//!
//! Rows of that release have none. A start notes the seq up to which that is so (`facts.upto`); a job folds the facts of the
//! log before it, a piece a tick, each in one transaction with its position (`facts.position`). Events from `upto` on were
//! folded as they came, and since facts of disjoint sets merge exactly, the two halves make the whole.
use crate::backfill::moved_between;
use crate::preparer::Preparer;
use customers::facts;
use customers::profiles::Profiles;
use db::event::{Event, Touch};
use db::tx::Memory;
use db::{DbError, Engine, Tx, log, settings};

/// Log rows read in one transaction.
const ROWS: i64 = 64;

const UPTO: &str = "facts.upto";
const POSITION: &str = "facts.position";

/// How far the job is; done when the position has reached the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactsJob {
    pub position: i64,
    pub upto: i64,
    before: Option<i64>,
}

impl FactsJob {
    /// Whether something is left to do.
    pub fn is_waiting(&self) -> bool {
        self.position < self.upto
    }
    /// Takes from an event the facts that the job has still to fold.
    pub fn strip(&self, seq: i64, event: &mut Event) {
        if self.position <= seq && seq < self.upto {
            event.touch = Touch::default();
        }
    }
}

impl Memory for FactsJob {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut number = |name| Ok::<i64, DbError>(settings::get(db, name)?.and_then(|n| n.parse().ok()).unwrap_or(0));
        Ok(Self { upto: number(UPTO)?, position: number(POSITION)?, before: None })
    }
    fn commit(&mut self) {
        self.before = None;
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.position = before;
        }
    }
}

/// Notes, once in a store's life, how much of its log was folded without facts.
pub fn note(db: &mut Engine) -> Result<(), DbError> {
    if settings::get(db, UPTO)?.is_some() {
        return Ok(());
    }
    let row = db.first("SELECT CAST(COALESCE(MAX(first_seq), 0) AS BIGINT) FROM log", &[])?;
    let newest = row.map_or(Ok(0), |r| r.int(0))?;
    let upto = log::find(db, newest)?.map_or(0, |row| row.first_seq + row.ids.len() as i64);
    settings::set(db, POSITION, &upto.min(1).to_string())?;
    settings::set(db, UPTO, &upto.to_string())
}

/// How far the job is, by the store.
pub fn current(db: &mut Engine) -> Result<FactsJob, DbError> {
    FactsJob::load(db)
}

/// Folds the next piece; says whether that was the last.
pub fn advance(tx: &mut Tx, preparer: &Preparer) -> Result<bool, DbError> {
    let job = *tx.memory::<FactsJob>()?;
    if !job.is_waiting() {
        return Ok(false);
    }
    let current = crate::step::current(tx)?;
    let rows = log::page(tx.engine(), job.position, ROWS)?;
    let next = rows.last().map_or(job.upto, |last| last.first_seq + last.ids.len() as i64);
    let moved = moved_between(tx, job.position, next)?;
    let mut touched = Vec::new();
    for row in rows.iter().filter(|row| row.first_seq < job.upto) {
        for event in preparer.decode_row(&current, row)? {
            let seq = row.first_seq + i64::from(event.index);
            let profile_id = moved.get(&seq).copied().unwrap_or(row.profiles[event.index as usize]);
            if event.touch.act == 0 || profile_id == 0 || seq < job.position {
                continue;
            }
            if let Some(profile) = tx.get_mut::<Profiles>(profile_id)? {
                facts::fold(&mut profile.state.facts, &event);
                touched.push(profile_id);
            }
        }
    }
    touched.sort_unstable();
    touched.dedup();
    // With the position in one transaction: folding a row twice would count twice.
    tx.flush_keys::<Profiles>(&touched)?;
    settings::set(tx.engine(), POSITION, &next.to_string())?;
    let memory = tx.memory::<FactsJob>()?;
    memory.before.get_or_insert(job.position);
    memory.position = next;
    Ok(next >= job.upto)
}
