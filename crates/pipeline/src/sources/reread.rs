//! Reading history again after a plan gave events another meaning.
//!
//! First the log is read in order: each event of the source is decoded by the old plan and by the new one; where they differ, the
//! profile is noted, and hourly totals move by the difference. Then the noted profiles are made again from their events, a few
//! a piece, and their people are evaluated; entries are `initial` and trigger nothing. Events that come meanwhile are folded
//! by the new plan, and a profile that is made again holds them too. The result is that of a store that had the plan from
//! the start. While a segment fills, this waits: the fill would count what a fold from scratch counts too.
use super::{Plans, version_of};
use crate::hours::Hours;
use crate::jobs::{Hands, Kind, Step};
use crate::preparer::Current;
use crate::{backfill, step};
use base::SECOND_US;
use customers::profiles::Profiles;
use db::event::Origin;
use db::jobs::{Job, Progress};
use db::{Bulk, DbError, Tx, log};
use hashbrown::HashSet;
use segments::runtime::{Cause, Memberships};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The kind of job.
pub const REREAD: &str = "reread_source";
/// Log rows read in one piece.
const ROWS: i64 = 64;
/// Profiles made again in one piece, and events of them after which a piece ends.
const PROFILES: i64 = 50;
const EVENTS: usize = 4_000;

/// What a job was asked for: versions of the plan.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    from: i64,
    to: i64,
}

pub(super) fn payload(from: i64, to: i64) -> String {
    serde_json::to_string(&Payload { from, to }).unwrap_or_default()
}

/// The kind, for the runner. Stopped or failed it waits to be resumed: until then the source's names stay as they are.
pub fn kind() -> Kind {
    Kind::stepping(REREAD, advance)
}

/// The job that reads a source's history again, if one is open or failed halfway.
pub fn open(tx: &mut Tx, source: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT id FROM jobs WHERE kind = $1 AND subject = $2 AND state IN ('queued', 'running', 'failed', 'stopped') \
               ORDER BY id DESC LIMIT 1";
    tx.first(sql, &[REREAD.into(), source.into()])?.map(|r| r.int(0)).transpose()
}

/// Profiles that wait to be made again: their rows still hold the old meaning. For `doctor`.
pub fn waiting(db: &mut db::Engine) -> Result<HashSet<i64>, DbError> {
    let mut out = HashSet::new();
    db.each("SELECT profile_id FROM reread_profiles", &[], &mut |r| {
        out.insert(r.int(0)?);
        Ok(true)
    })?;
    Ok(out)
}

/// Whether some log is still to be read: until then it is not known which profiles wait.
pub fn is_reading(db: &mut db::Engine) -> Result<bool, DbError> {
    let sql = "SELECT id FROM jobs WHERE kind = $1 AND state <> 'done' AND bookmark <> 'profiles' LIMIT 1";
    Ok(db.first(sql, &[REREAD.into()])?.is_some())
}

fn advance(tx: &mut Tx, job: &Job, hands: &mut Hands<'_>) -> Result<Step, DbError> {
    if backfill::is_waiting(tx)? {
        let later = tx.now().plus(SECOND_US / 4);
        let progress = Progress { not_before: Some(later), ..Progress::to(job.position) };
        return Ok(Step::More(progress.noting("waits until segments are filled")));
    }
    if job.bookmark == "profiles" { make_again(tx, job, hands) } else { read_log(tx, job, hands) }
}

/// Reads a piece of the log and notes whose events mean something else now.
fn read_log(tx: &mut Tx, job: &Job, hands: &mut Hands<'_>) -> Result<Step, DbError> {
    let done = |total: i64| {
        let progress = Progress { bookmark: Some("profiles".into()), ..Progress::to(total) };
        Ok(Step::More(progress.noting("makes profiles again")))
    };
    let from = job.position.max(1);
    if from >= job.total {
        return done(job.total);
    }
    let payload: Payload = serde_json::from_str(&job.payload).map_err(|e| DbError::damaged("jobs", e))?;
    let new = step::current(tx)?;
    let old = version_of(tx, job.subject, payload.from)?;
    let old = Current { plans: Arc::new(Plans::only(job.subject, old)), ..new.clone() };
    let rows = log::page(tx.engine(), from, ROWS)?;
    let Some(last) = rows.last() else { return done(job.total) };
    let next = last.first_seq + last.ids.len() as i64;
    let moved = backfill::moved_between(tx, from, next)?;
    let currency = step::currency(tx)?;
    let mut noted: HashSet<i64> = HashSet::new();
    for row in rows.iter().filter(|r| r.source == job.subject && r.origin != Origin::Derived && r.first_seq < job.total)
    {
        let before = hands.preparer.decode_row(&old, row)?;
        let after = hands.preparer.decode_row(&new, row)?;
        for (before, after) in before.iter().zip(&after).filter(|(b, a)| b != a) {
            let hours = tx.memory::<Hours>()?;
            let (orders_b, revenue_b) = crate::ingest::of_hour(before, &currency);
            let (orders_a, revenue_a) = crate::ingest::of_hour(after, &currency);
            hours.correct(after.timestamp, orders_a - orders_b, revenue_a - revenue_b);
            let seq = row.first_seq + i64::from(after.index);
            let logged = row.profiles[after.index as usize];
            let profile = moved.get(&seq).copied().unwrap_or(logged);
            if profile != 0 {
                noted.insert(profile);
            }
        }
    }
    note(tx, job.id, noted);
    Ok(Step::More(Progress::to(next.min(job.total)).noting("reads events again")))
}

static NOTED: Bulk =
    Bulk { table: "reread_profiles", columns: &[("job", 'i'), ("profile_id", 'i')], key: 2, insert_only: true };

/// Notes profiles that a job makes again.
pub(crate) fn note(tx: &mut Tx, job: i64, profiles: HashSet<i64>) {
    for profile in profiles {
        tx.append(&NOTED, vec![job.into(), profile.into()]);
    }
}

/// Makes some noted profiles again and evaluates their people.
fn make_again(tx: &mut Tx, job: &Job, hands: &mut Hands<'_>) -> Result<Step, DbError> {
    if !make_some(tx, job.id, hands.preparer)? {
        return Ok(Step::Done(String::new()));
    }
    let progress = Progress { bookmark: Some("profiles".into()), ..Progress::to(job.position) };
    Ok(Step::More(progress.noting("makes profiles again")))
}

/// Makes the next profiles that a job noted again; says whether there were any.
pub(crate) fn make_some(tx: &mut Tx, job: i64, preparer: &Arc<crate::Preparer>) -> Result<bool, DbError> {
    let sql = "SELECT profile_id FROM reread_profiles WHERE job = $1 ORDER BY profile_id LIMIT $2";
    let ids: Vec<i64> =
        tx.rows(sql, &[job.into(), PROFILES.into()])?.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(false);
    }
    let current = step::current(tx)?;
    let (mut people, mut events, mut last) = (Vec::new(), 0, 0);
    let mut made = Vec::new();
    for id in ids {
        let mut reader = crate::cuts::Bodies(preparer);
        events += customers::cuts::refold_profile(tx, id, &mut reader, &current.counters)?;
        people.push(customers::commands::person_of(tx, id)?);
        made.push(id);
        last = id;
        if events >= EVENTS {
            break;
        }
    }
    people.sort_unstable();
    people.dedup();
    // Written with the position: a row that was made again twice is the same, but a position without its rows is not.
    tx.flush_keys::<Profiles>(&made)?;
    let moved = segments::runtime::reevaluate(tx, &people, Cause::Initial, &[])?;
    debug_assert!(moved.iter().all(|m| !m.triggers));
    tx.flush_keys::<Memberships>(&people)?;
    let gone = "DELETE FROM reread_profiles WHERE job = $1 AND profile_id <= $2";
    tx.execute(gone, &[job.into(), last.into()])?;
    segments::runtime::changes::tell(tx)?;
    Ok(true)
}
