//! Erasing people: first everything that answers questions, in one transaction; then, as a job of bounded pieces, what the
//! log and the other tables still say; then what the engine leaves of deleted rows on the disk.
//!
//! [`begin`] makes the person unknown at once: no list, search, segment or message knows it after that commit, and its
//! identifiers stand in the manifest as keyed hashes. The job ([`kind`]) goes through the log ([`bodies`]) and the tables that
//! hold texts ([`sweep`]). [`scrub`] runs beside the writer. A kill at any point repeats a piece that changes nothing the
//! second time.
pub mod bodies;
pub(crate) mod doctor;
pub mod manifest;
mod scrub;
pub mod sweep;

use crate::jobs::{Hands, Kind, Step};
use crate::preparer::Preparer;
use crate::step;
use customers::privacy::forget;
use customers::privacy::needles::Needles;
use customers::profiles::Profiles;
use db::jobs::{self, Job, New, Progress, State};
use db::log::LogRow;
use db::message::Items;
use db::{DbError, Engine, Notice, Tx};
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

pub use scrub::{finish, scrub, waiting_for_scrub};

/// The code under which items of erased people are refused.
pub const CODE: &str = "erased_person";
/// The kind of these jobs.
pub const KIND: &str = "erase";

/// The result of a job whose rows are gone, until the disk was looked at.
const DISK_WAITS: &str = "{\"disk\":\"waiting\"}";

/// What a job goes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// The person's own events.
    Bodies,
    /// Items of other requests that were not accepted.
    Dropped,
    /// Memberships' facts.
    Changes,
    /// Texts in tables, by the number of the table.
    Tables(usize),
}

impl Phase {
    fn words(self) -> &'static str {
        match self {
            Phase::Bodies => "the person's events",
            Phase::Dropped => "repeats in other requests",
            Phase::Changes => "memberships of the past",
            Phase::Tables(_) => "texts in tables",
        }
    }
}

/// What a job must remember. It holds what is searched for until the search is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    pub profiles: Vec<i64>,
    pub needles: Needles,
    /// Events from here on are a new life.
    pub upto_seq: i64,
}

/// Who is erased, for those who have texts of their own.
#[derive(Debug, Clone, Copy)]
pub struct Erasing<'a> {
    /// The number of the erasure.
    pub job: i64,
    pub profiles: &'a [i64],
    pub needles: &'a Needles,
}

/// Goes through texts of a room above this one, a bounded piece at a time: from a position (0 at first) on, to the next one,
/// or `None` at the end. It may run twice over a piece.
pub type Sweep = fn(&mut Tx, &Erasing<'_>, i64) -> Result<Option<i64>, DbError>;

/// The kind: nobody stops it, for half an erasure is none.
pub fn kind(above: Vec<Sweep>) -> Kind {
    let sweeps: Vec<Sweep> = std::iter::once(sweep::price_lists as Sweep).chain(above).collect();
    Kind::stepping(KIND, move |tx, job, hands| advance(tx, job, hands, &sweeps)).unstoppable()
}

/// Whether the writer has something to erase.
pub fn is_waiting(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(jobs::open(tx)?.iter().any(|waiting| waiting.kind == KIND))
}

/// Profiles of erased people: whatever of them still stands in the log is nobody's.
pub fn buried(db: &mut Engine) -> Result<HashSet<i64>, DbError> {
    let rows = db.rows("SELECT profile_id FROM profile_list WHERE person = 0 ORDER BY profile_id", &[])?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Where an event of the log was placed when it came, as it reads now: a detach that gave it to somebody else, before the
/// profile was erased with which it was logged, holds from the beginning.
pub fn placed_with(logged: i64, live: i64, buried: &HashSet<i64>) -> i64 {
    if buried.contains(&logged) { live } else { logged }
}

/// Why a person cannot be erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// Nobody has this id, or not any more.
    #[error("nobody has the id {0}")]
    NoPerson(i64),
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Makes a person unknown and queues the job that goes through the log; gives the job's id. The id of any profile of the
/// person leads to it.
pub fn begin(tx: &mut Tx, preparer: &Preparer, id: i64) -> Result<i64, EraseError> {
    let person = tx.get::<Profiles>(id)?.map(|row| row.person).filter(|p| *p != 0).ok_or(EraseError::NoPerson(id))?;
    let members = customers::commands::members_of(tx, person)?;
    begin_profiles(tx, preparer, &members)?.ok_or(EraseError::NoPerson(id))
}

/// As [`begin`], for some profiles of one person: what a manifest names may be joined with others in an older backup.
pub fn begin_profiles(tx: &mut Tx, preparer: &Preparer, profiles: &[i64]) -> Result<Option<i64>, DbError> {
    let Some(first) = profiles.first() else { return Ok(None) };
    let Some(person) = tx.get::<Profiles>(*first)?.map(|row| row.person).filter(|p| *p != 0) else { return Ok(None) };
    db::erase::overwrite(tx, true)?;
    let upto_seq = tx.next_seq();
    let total = bodies::total(tx, profiles)?;
    let job = jobs::add(tx, &New { kind: KIND, subject: person, position: 0, total, payload: "", actor: "" })?;
    // What a message is about is decided by its row alone; that it was stopped is no event of a person who is gone.
    messaging::outbox::forget(tx, profiles)?;
    sweep::webhooks(tx, profiles)?;
    sweep::forget_staff(tx, profiles)?;
    segments::runtime::leave_all(tx, person)?;
    let Some(forgotten) = forget::forget(tx, profiles, job)? else { return Ok(None) };
    for (channel, address) in &forgotten.addresses {
        sweep::hide_suppression(tx, channel, address)?;
    }
    for address in sweep::suppressed(tx, &forgotten.needles)? {
        sweep::hide_suppression(tx, &address.0, &address.1)?;
    }
    let moved = segments::runtime::reevaluate(tx, &forgotten.left, segments::runtime::Cause::Unmerge, &[])?;
    let appended = step::moved(tx, preparer, &moved, "erasure")?;
    let work = Work { profiles: profiles.to_vec(), needles: forgotten.needles, upto_seq };
    let payload = encode(&work);
    tx.execute("UPDATE jobs SET payload = $2 WHERE id = $1", &[job.into(), (&payload).into()])?;
    crate::append_derived(tx, preparer, appended)?;
    db::erase::overwrite(tx, false)?;
    tx.notify(Notice::Changed { what: "privacy" });
    Ok(Some(job))
}

fn encode(work: &impl Serialize) -> String {
    serde_json::to_string(work).unwrap_or_else(|e| panic!("a job's work serializes: {e}"))
}

fn decode<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|e| DbError::damaged("jobs", e))
}

/// Where a job stands within its phase, kept as its bookmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    phase: Phase,
    at: i64,
}

/// Does the next piece. Each piece is one transaction with the place it leads to.
fn advance(tx: &mut Tx, job: &Job, hands: &mut Hands<'_>, sweeps: &[Sweep]) -> Result<Step, DbError> {
    let work: Work = decode(&job.payload)?;
    let Place { phase, at } =
        if job.bookmark.is_empty() { Place { phase: Phase::Bodies, at: 0 } } else { decode(&job.bookmark)? };
    db::erase::overwrite(tx, true)?;
    let next = match phase {
        Phase::Bodies => bodies::own(tx, hands.preparer, &work, at)?,
        Phase::Dropped => bodies::dropped(tx, &work, at)?,
        Phase::Changes => segments::runtime::changes::forget(tx, &work.profiles, at, sweep::ROWS)?,
        Phase::Tables(table) => match table.checked_sub(sweep::TABLES.len()).map(|n| sweeps.get(n)) {
            None => sweep::table(tx, &work, table, at)?,
            Some(None) => None,
            Some(Some(sweep)) => {
                let erasing = Erasing { job: job.id, profiles: &work.profiles, needles: &work.needles };
                sweep(tx, &erasing, at)?
            }
        },
    };
    let phase = match (next, phase) {
        (Some(_), phase) => Some(phase),
        (None, Phase::Bodies) => Some(Phase::Dropped),
        (None, Phase::Dropped) => Some(Phase::Changes),
        (None, Phase::Changes) => Some(Phase::Tables(0)),
        (None, Phase::Tables(table)) => {
            (table + 1 < sweep::TABLES.len() + sweeps.len()).then_some(Phase::Tables(table + 1))
        }
    };
    let Some(phase) = phase else {
        forget::close(tx, &work.profiles)?;
        customers::privacy::requests::forget(tx, &work.profiles)?;
        db::erase::overwrite(tx, false)?;
        tx.notify(Notice::Changed { what: "privacy" });
        return Ok(Step::Done(DISK_WAITS.into()));
    };
    db::erase::overwrite(tx, false)?;
    let done = (job.position + bodies::EVENTS as i64).min(job.total);
    let mut progress = Progress::to(if phase == Phase::Bodies { done } else { job.total });
    progress.bookmark = Some(encode(&Place { phase, at: next.unwrap_or(0) }));
    Ok(Step::More(progress.noting(phase.words())))
}

/// The newest erasures, newest first.
pub fn list(db: &mut Engine, limit: i64) -> Result<Vec<Job>, DbError> {
    jobs::list(db, Some(KIND), None, i64::MAX, limit)
}

/// Whether only the disk is left of an erasure.
pub fn waits_for_disk(job: &Job) -> bool {
    job.state == State::Done && job.result == DISK_WAITS
}

/// Items of a row whose place and id are kept, and nothing else.
pub fn tombstones(row: &LogRow) -> Result<i64, DbError> {
    let items = Items::split(&row.body).map_err(|e| DbError::damaged(&format!("log row {}", row.first_seq), e))?;
    let gone = |at: usize| items.items.get(at).is_some_and(|item| item.get() == collect::ERASED);
    Ok((0..row.ids.len()).filter(|at| row.ids[*at] != 0 && gone(*at)).count() as i64)
}

#[cfg(test)]
mod placing {
    use super::placed_with;

    #[test]
    fn what_was_taken_off_an_erased_profile_was_never_with_it() {
        let buried = [7].into_iter().collect();
        assert_eq!(placed_with(7, 9, &buried), 9);
        assert_eq!(placed_with(8, 9, &buried), 8, "whoever is there keeps what came with it");
    }
}
