//! Decides the whole past again after the rules of identity changed, beside the writer.
//!
//! A round reads the log in one snapshot, decides all identities by the present rules in memory, compares them with the live
//! graph and makes the differences as commands, a few clusters of people each. New events follow the new rules from the
//! moment of the change, on a graph that is half old; rounds follow until one finds no difference: from then on the live
//! graph is what a replay gives, and stays so. Nothing is kept between rounds, so a kill only repeats the one that it hit.
use crate::cuts::Bodies;
use crate::preparer::Preparer;
use crate::{Settings, append_derived, backfill, step};
use base::Timestamp;
use customers::changes::{Why, append_difference};
use customers::privacy::erased;
use customers::regroup::{self, Cluster, Regrouped};
use customers::rules;
use db::jobs::{self, JobError, Progress};
use db::{Bulk, DbError, Store, Tx};
use hashbrown::HashMap;
use segments::runtime::{Cause, Memberships, definitions};
use std::sync::Arc;

mod plan;

use plan::plan;
pub use plan::{Plan, preview};

/// The kind of job.
pub const KIND: &str = rules::RERUN;

/// Changes (moved events and touched profiles) that go into one transaction, unless people hang together more closely.
const PIECE: usize = 500;
/// Rounds until it must have settled.
const ROUNDS: usize = 20;
/// Log rows between two looks at whether to go on.
const ROWS: i64 = 256;

/// The job's kind: brought by [`run`], stopped and resumed by people.
pub fn kind() -> crate::jobs::Kind {
    crate::jobs::Kind::brought(KIND)
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The past is what the rules say.
    Done(Figures),
    /// Somebody stopped it, or the program stops.
    Stopped,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    pub rounds: usize,
    pub clusters: usize,
    pub moved_events: usize,
    pub values: usize,
    pub edges_added: usize,
    pub edges_removed: usize,
}

/// What a run works with.
pub struct Work<'a> {
    pub store: &'a Arc<Store>,
    pub preparer: &'a Arc<Preparer>,
    pub settings: &'a Arc<Settings>,
    pub now: Timestamp,
}

/// The oldest run that waits or goes on, if there is one.
pub fn waiting(tx: &mut Tx) -> Result<Option<i64>, DbError> {
    Ok(jobs::open(tx)?.iter().find(|w| w.kind == KIND).map(|w| w.id))
}

/// Runs a job until it is done or stopped. Blocks; takes memory of about a kilobyte a profile.
pub fn run(work: &Work<'_>, job: i64, go_on: &dyn Fn() -> bool) -> Result<Ended, DbError> {
    let mut figures = Figures::default();
    for round in 1..=ROUNDS {
        figures.rounds = round;
        let tell = |seq: i64, total: i64| -> Result<bool, DbError> {
            Ok(go_on()
                && progress(work.store, job, Progress { total: Some(total), ..at(seq, round, "reading the log") })?)
        };
        let Some(plan) = plan(work, None, fresh_ids(work.store), &tell)? else { return Ok(Ended::Stopped) };
        if plan.clusters.is_empty() {
            let (version, result) = (plan.version, serde_json::to_string(&figures).unwrap_or_default());
            let settled = work.store.write(move |tx| -> Result<bool, DbError> {
                if rules::of(tx)?.version != version {
                    return Ok(false);
                }
                rules::set_applied(tx, version)?;
                jobs::finish(tx, job, &result)?;
                Ok(true)
            })?;
            if settled {
                return Ok(Ended::Done(figures));
            }
            continue;
        }
        figures.add(&plan.clusters);
        if !make(work, job, round, plan, go_on)? {
            return Ok(Ended::Stopped);
        }
    }
    let reason = format!("new events kept changing what was decided for {ROUNDS} rounds; resume it when less comes in");
    work.store.write(move |tx| jobs::fail(tx, job, &reason, true))?;
    Ok(Ended::Stopped)
}

impl Figures {
    fn add(&mut self, clusters: &[Cluster]) {
        self.clusters += clusters.len();
        for c in clusters {
            self.moved_events += c.moves.len();
            self.values += c.owners.len();
            self.edges_added += c.missing.len();
            self.edges_removed += c.extra.len();
        }
    }
}

fn at(position: i64, round: usize, what: &str) -> Progress {
    Progress::to(position).noting(format!("round {round}: {what}"))
}

/// Notes progress; false when somebody stopped the job.
fn progress(store: &Store, job: i64, done: Progress) -> Result<bool, DbError> {
    store.write(move |tx| match jobs::progress(tx, job, &done) {
        Ok(_) => Ok(true),
        Err(JobError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    })
}

/// Makes a plan's changes; false when it was stopped.
fn make(work: &Work<'_>, job: i64, round: usize, plan: Plan, go_on: &dyn Fn() -> bool) -> Result<bool, DbError> {
    let (total, follows) = (plan.clusters.len() as i64, (plan.version, plan.erased));
    let mut left = plan.clusters.into_iter().peekable();
    let mut done = 0;
    while left.peek().is_some() {
        let (mut piece, mut size) = (Vec::new(), 0);
        while let Some(next) = left.next_if(|c| piece.is_empty() || size + weight(c) <= PIECE) {
            size += weight(&next);
            piece.push(next);
        }
        done += piece.len() as i64;
        let piece = Arc::new(piece);
        loop {
            if !go_on() {
                return Ok(false);
            }
            let (piece, preparer) = (piece.clone(), work.preparer.clone());
            let told = Progress { total: Some(total), ..at(done, round, "changing people") };
            let made = work.store.write(move |tx| change(tx, &preparer, (job, follows), &piece, &told));
            match made {
                Ok(Changed::Made) => break,
                // What was planned follows rules that hold no more: the next round plans anew.
                Ok(Changed::Outdated) => return Ok(true),
                Ok(Changed::Stopped) => return Ok(false),
                Ok(Changed::Wait) | Err(DbError::QueueFull) => std::thread::sleep(std::time::Duration::from_millis(50)),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(true)
}

fn weight(cluster: &Cluster) -> usize {
    cluster.moves.len() + cluster.profiles.len()
}

enum Changed {
    Made,
    /// A segment is being filled: a fold from scratch would count what that job counts too.
    Wait,
    Outdated,
    Stopped,
}

static MOVED: Bulk =
    Bulk { table: "moved_events", columns: &[("seq", 'i'), ("profile_id", 'i')], key: 1, insert_only: false };

fn change(
    tx: &mut Tx,
    preparer: &Preparer,
    (job, (version, erased)): (i64, (i64, (i64, i64))),
    clusters: &[Cluster],
    told: &Progress,
) -> Result<Changed, DbError> {
    // Whoever was erased since the plan was made must not be brought back by it.
    if rules::of(tx)?.version != version || erased::newest(tx.engine())? != erased {
        return Ok(Changed::Outdated);
    }
    if backfill::is_waiting(tx)? {
        return Ok(Changed::Wait);
    }
    match jobs::progress(tx, job, told) {
        Ok(_) => {}
        Err(JobError::Store(error)) => return Err(error),
        Err(_) => return Ok(Changed::Stopped),
    }
    let counters = definitions::current(tx)?.counters.clone();
    for cluster in clusters {
        // Nothing of this transaction may wait when bodies are read.
        tx.rows("SELECT CAST(1 AS BIGINT)", &[])?;
        let made = regroup::apply(tx, cluster, &mut Bodies(preparer), &counters)?;
        for one in &made.moved {
            tx.append(&MOVED, vec![one.seq.into(), one.to.into()]);
        }
        follow(tx, &made)?;
    }
    step::finish(tx)?;
    append_derived(tx, preparer, Vec::new())?;
    Ok(Changed::Made)
}

/// What a change of people brings about: notices and memberships. Who stays in keeps the earliest beginning, and a change of
/// rules triggers nothing.
fn follow(tx: &mut Tx, made: &Regrouped) -> Result<(), DbError> {
    let pairs: Vec<(i64, i64)> = made.moved.iter().map(|m| (m.from, m.to)).collect();
    let evidence = serde_json::json!({"rules": rules::of(tx)?.version});
    append_difference(tx, &made.before, &made.after, &pairs, &Why { cause: "rules", evidence })?;
    let after: Vec<i64> = made.after.iter().map(|(p, _)| *p).collect();
    let (mut since, mut gone): (HashMap<i64, i64>, Vec<i64>) = (HashMap::new(), Vec::new());
    for (person, _) in &made.before {
        for m in tx.get::<Memberships>(*person)?.map(|row| row.list.clone()).unwrap_or_default() {
            let known = since.entry(m.segment_id).or_insert(m.since_us);
            *known = (*known).min(m.since_us);
        }
        if !after.contains(person) {
            gone.push(*person);
        }
    }
    segments::runtime::take_over(tx, &gone)?;
    tx.flush_keys::<Memberships>(&gone)?;
    let before: Vec<(i64, i64)> = since.into_iter().collect();
    let cause = if made.after.len() < made.before.len() { Cause::Merge } else { Cause::Unmerge };
    segments::runtime::reevaluate(tx, &after, cause, &before).map(drop)
}

/// Ids of new profiles, taken from the writer in small stocks; those that stay unused are nobody's.
fn fresh_ids(store: &Arc<Store>) -> Box<dyn FnMut() -> i64 + Send> {
    let (store, mut stock) = (store.clone(), Vec::new());
    Box::new(move || {
        if stock.is_empty() {
            let taken: Result<Vec<i64>, DbError> =
                store.write(|tx| Ok((0..100).map(|_| tx.next_profile_id()).collect()));
            // The writer is gone: what follows fails by itself.
            stock = taken.unwrap_or_default();
            stock.reverse();
        }
        stock.pop().unwrap_or(i64::MAX)
    })
}
