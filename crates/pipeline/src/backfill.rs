//! Jobs that let a new segment know the past.
//!
//! First the log up to the segment's beginning is read in order and its new counters are folded into the profiles; events
//! since then were folded as they came, and since summaries of disjoint sets merge exactly, the two halves make the whole.
//! Then everybody is evaluated; entries are `initial` and trigger nothing. Every piece is one transaction that writes the
//! touched rows and the position, so a kill repeats nothing.
use crate::jobs::{Hands, Kind, Step};
use crate::preparer::{Current, Preparer};
use customers::counters::{CounterSet, Definition};
use customers::profiles::Profiles;
use db::jobs::{Job, Progress};
use db::{DbError, Engine, Notice, Tx, log};
use hashbrown::HashMap;
use segments::runtime::Memberships;
use segments::runtime::commands::{FILL, set_state};
use segments::runtime::definitions::{self, Filling};
use std::sync::Arc;

/// Log rows read in one transaction.
const ROWS: i64 = 64;
/// Profiles evaluated in one transaction.
const PROFILES: i64 = 500;

/// Whether some segment still fills, or a store of the first release still learns its facts.
pub fn is_waiting(tx: &mut Tx) -> Result<bool, DbError> {
    let facts = tx.memory::<crate::facts_job::FactsJob>()?.is_waiting();
    let compiled = definitions::current(tx)?;
    let filling = compiled.segments.iter().any(|s| s.filling != Filling::Live);
    Ok(facts || filling || compiled.computed.iter().any(|c| !c.live))
}

/// Filling a segment is a job that follows its segment: changing or archiving that ends it.
pub fn kind() -> Kind {
    Kind::stepping(FILL, advance).unstoppable()
}

/// Does the next piece of a job.
fn advance(tx: &mut Tx, job: &Job, hands: &mut Hands<'_>) -> Result<Step, DbError> {
    let (segment_id, total) = (job.subject, job.total);
    let ids: Vec<u32> = job.payload.split(',').filter_map(|id| id.parse().ok()).collect();
    let compiled = definitions::current(tx)?;
    if let Some(computed) = compiled.find_computed(job.subject) {
        // A computed trait has no members: when its counters know the past, it is done.
        if computed.live || job.position < 0 || job.position >= total {
            segments::runtime::computed::set_live(tx, job.subject)?;
            tx.notify(Notice::Changed { what: "traits" });
            return Ok(Step::Done(String::new()));
        }
        let next = count_past(tx, hands.preparer, &compiled.counters, &ids, job.position, total)?;
        return Ok(Step::More(Progress::to(next).noting("counting the past")));
    }
    let Some(filling) = compiled.find(segment_id).map(|s| s.filling) else {
        // The segment was archived meanwhile.
        return Ok(Step::Done(String::new()));
    };
    match filling {
        Filling::Live => Ok(Step::Done(String::new())),
        Filling::Counting if job.position < 0 || job.position >= total => {
            set_state(tx, segment_id, Filling::Evaluating { upto: 0 })?;
            Ok(Step::More(Progress::to(job.position).noting("evaluating everybody")))
        }
        Filling::Counting => {
            let next = count_past(tx, hands.preparer, &compiled.counters, &ids, job.position, total)?;
            Ok(Step::More(Progress::to(next).noting("counting the past")))
        }
        Filling::Evaluating { upto } => match evaluate_some(tx, segment_id, upto)? {
            Some(upto) => {
                set_state(tx, segment_id, Filling::Evaluating { upto })?;
                Ok(Step::More(Progress::to(job.position)))
            }
            None => {
                set_state(tx, segment_id, Filling::Live)?;
                tx.notify(Notice::Changed { what: "segments" });
                Ok(Step::Done(String::new()))
            }
        },
    }
}

/// Folds a piece of the log into new counters; gives where to go on.
fn count_past(
    tx: &mut Tx,
    preparer: &Preparer,
    all: &Arc<CounterSet>,
    ids: &[u32],
    from: i64,
    total: i64,
) -> Result<i64, DbError> {
    let fresh: Vec<Definition> = all.definitions().iter().filter(|d| ids.contains(&d.id)).cloned().collect();
    let set = CounterSet::build(0, fresh).map_err(|e| DbError::damaged("counters", e))?;
    let current = Current { counters: Arc::new(set), ..crate::step::current(tx)? };
    let rows = log::page(tx.engine(), from, ROWS)?;
    let Some(last) = rows.last() else { return Ok(total) };
    let next = last.first_seq + last.ids.len() as i64;
    let moved = moved_between(tx, from, next)?;
    let mut touched = Vec::new();
    for row in rows.iter().filter(|row| row.first_seq < total) {
        for event in preparer.decode_row(&current, row)? {
            if event.hits.is_empty() {
                continue;
            }
            let seq = row.first_seq + i64::from(event.index);
            let logged = row.profiles[event.index as usize];
            let profile_id = moved.get(&seq).copied().unwrap_or(logged);
            if profile_id == 0 {
                continue;
            }
            if let Some(profile) = tx.get_mut::<Profiles>(profile_id)?.filter(|p| p.person != 0) {
                profile.state.counters.fold(all, event.timestamp, &event.message_id, &event.hits);
                touched.push(profile_id);
            }
        }
    }
    touched.sort_unstable();
    touched.dedup();
    // With the position in one transaction: folding a row twice would count twice.
    tx.flush_keys::<Profiles>(&touched)?;
    Ok(next)
}

/// Counters whose past is being counted, each list with the seq before which events are the job's to count.
pub fn counting(db: &mut Engine) -> Result<Vec<(i64, Vec<u32>)>, DbError> {
    let sql = "SELECT j.total, j.payload FROM jobs j \
               WHERE j.kind = $1 AND j.state IN ('queued', 'running', 'failed') AND j.position >= 0 AND (EXISTS \
               (SELECT 1 FROM segments s WHERE s.id = j.subject AND s.state = 'counting' AND s.archived_at = 0) \
               OR EXISTS (SELECT 1 FROM computed_traits t \
               WHERE t.id = j.subject AND t.state = 'counting' AND t.archived_at = 0)) ORDER BY j.id";
    let ids = |text: &str| text.split(',').filter_map(|id| id.parse().ok()).collect();
    db.rows(sql, &[FILL.into()])?.iter().map(|r| Ok((r.int(0)?, ids(r.text(1)?)))).collect()
}

/// Events of a piece of the log that a detach moved since.
pub fn moved_between(tx: &mut Tx, from: i64, to: i64) -> Result<HashMap<i64, i64>, DbError> {
    let sql = "SELECT seq, profile_id FROM moved_events WHERE seq >= $1 AND seq < $2";
    tx.rows(sql, &[from.into(), to.into()])?.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect()
}

/// Evaluates the next people; `None` when everybody was.
fn evaluate_some(tx: &mut Tx, segment_id: i64, upto: i64) -> Result<Option<i64>, DbError> {
    let last = tx.last_profile_id();
    if upto >= last {
        return Ok(None);
    }
    let end = (upto + PROFILES).min(last);
    let mut people = Vec::new();
    for profile_id in upto + 1..=end {
        let is_person = tx.get::<Profiles>(profile_id)?.is_some_and(|row| row.person == profile_id);
        if is_person {
            segments::runtime::evaluate_now(tx, profile_id, segment_id)?;
            people.push(profile_id);
        }
    }
    // Moments that were armed are facts at once: no event of theirs in the log would tell a start to look at these people.
    tx.flush_keys::<Memberships>(&people)?;
    Ok(Some(end))
}
