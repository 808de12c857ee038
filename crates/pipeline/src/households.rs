//! The job that notes where everybody lives, once somebody looks for households.
use crate::jobs::{Hands, Kind, Step};
use customers::households;
use db::jobs::{self, Job, Progress};
use db::{DbError, Tx};

/// The job's kind.
pub const HOUSEHOLDS: &str = "household_keys";
/// Profiles looked at in one transaction.
const PROFILES: i64 = 500;

/// The kind; a person may stop it.
pub fn kind() -> Kind {
    Kind::stepping(HOUSEHOLDS, advance)
}

/// Switches the looking on or off, and starts the job that reads who is known already. Switched on again, it reads again.
pub fn switch(tx: &mut Tx, on: bool) -> Result<(), DbError> {
    households::set_on(tx, on)?;
    let sql = "UPDATE jobs SET state = 'stopped', reason = 'replaced', updated_at = $2, finished_at = $2 \
               WHERE kind = $1 AND state IN ('queued', 'running', 'failed')";
    let now = tx.now().micros();
    tx.execute(sql, &[HOUSEHOLDS.into(), now.into()])?;
    jobs::changed(tx)?;
    let last = tx.last_profile_id();
    if on && last > 0 {
        jobs::add(tx, &jobs::New { total: last, ..jobs::New::of(HOUSEHOLDS, "") })?;
    }
    Ok(())
}

fn advance(tx: &mut Tx, job: &Job, _: &mut Hands<'_>) -> Result<Step, DbError> {
    if !households::is_on(tx)? || job.position >= job.total {
        return Ok(Step::Done(String::new()));
    }
    let from = job.position.max(0);
    let end = (from + PROFILES).min(job.total);
    for profile in from + 1..=end {
        households::note_profile(tx, profile)?;
    }
    Ok(Step::More(Progress::to(end).noting("notes where people live")))
}
