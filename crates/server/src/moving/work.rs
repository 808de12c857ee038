//! The long work of moving in, on a thread beside the writer: comparisons, reports on quality, recognising who was imported.
use super::{compare, quality, resolving};
use crate::domain::Domain;
use base::Clock;
use db::jobs::{self, Job};
use db::{DbError, Tx};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// A person stopped it.
    Stopped,
    /// This program is about to stop; the next one goes on.
    Interrupted,
}

/// Why work cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It never will.
    #[error("{0}")]
    Lasting(String),
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Kinds of jobs that this thread does.
pub const KINDS: [&str; 3] = [compare::KIND, quality::KIND, resolving::KIND];

/// How often it is looked whether the day has a report on quality.
const QUALITY_AFTER_US: i64 = 10 * base::MINUTE_US;

/// The oldest job that is open.
fn waiting(domain: &Domain) -> Result<Option<Job>, DbError> {
    domain.store().read(|tx| {
        let now = tx.now().micros();
        let open = jobs::open(tx)?;
        let id = open.iter().find(|w| KINDS.contains(&w.kind.as_str()) && w.not_before <= now).map(|w| w.id);
        id.map_or(Ok(None), |id| jobs::find(tx, id))
    })
}

/// Does one job to its end.
pub fn one(domain: &Domain, job: &Job, clock: &dyn Clock, stop: &AtomicBool) -> Result<Ended, WorkError> {
    match job.kind.as_str() {
        compare::KIND => compare::drive(domain, job, clock, stop),
        quality::KIND => quality::drive(domain, job, clock, stop),
        resolving::KIND => resolving::drive(domain, job, stop),
        other => Err(WorkError::Lasting(format!("nobody here does jobs of the kind {other}"))),
    }
}

/// Notes how far a job is; false when it was stopped.
pub fn step(domain: &Domain, job: i64, done: jobs::Progress) -> Result<bool, DbError> {
    domain.store().write(move |tx: &mut Tx| match jobs::progress(tx, job, &done) {
        Ok(_) => Ok(true),
        Err(jobs::JobError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    })
}

/// Does open jobs until it is told to end.
pub fn serve(domain: &Domain, clock: &Arc<dyn Clock>, stop: &AtomicBool) {
    // A new store has better things to do at its start; afterwards a day without a report gets one.
    let mut report_at = clock.now().micros() + QUALITY_AFTER_US;
    while !stop.load(Ordering::Relaxed) && domain.store().is_alive() {
        let now = clock.now().micros();
        if now >= report_at {
            report_at = now + QUALITY_AFTER_US;
            if let Err(error) = domain.store().write(quality::daily) {
                tracing::warn!(%error, "the daily report on quality could not be begun");
            }
        }
        let Ok(Some(job)) = waiting(domain) else {
            std::thread::sleep(std::time::Duration::from_millis(200));
            continue;
        };
        let attempt = || one(domain, &job, &**clock, stop);
        // What panics over one file must not keep the others waiting.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
        let broken = |_| Err(WorkError::Lasting("the work failed inside Braid; the log says where".into()));
        if let Err(error) = outcome.unwrap_or_else(broken) {
            tracing::warn!(job = job.id, kind = %job.kind, %error, "a job cannot go on");
            let (reason, passing) = (error.to_string(), matches!(error, WorkError::Store(_)));
            let id = job.id;
            let _ = domain.store().write(move |tx| jobs::fail(tx, id, &reason, passing));
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }
}
