//! What the writer works with: its row, the commands it is given, and its settings.
use crate::event::Batch;
use crate::notice::Notice;
use crate::warm::Warm;
use crate::{DbError, Tx};
use base::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The writer's row: where its part of the log stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriterRow {
    pub epoch: i64,
    pub next_seq: i64,
    pub last_group: i64,
    /// The oldest group that some lazy row misses on disk, and the seq at which it began.
    pub unflushed_group: i64,
    pub unflushed_seq: i64,
    pub next_id: i64,
    pub next_profile: i64,
    pub counts: Counts,
    pub hash_key: (u64, u64),
    /// When the writer acted last; see [`not_before`].
    pub acted_at: Timestamp,
}

/// A clock that is set back by less than this does not take time back: what was decided at a moment, such as who is in a
/// segment and when to look again, must not be decided anew for an earlier one. Time stands still until the clock has caught
/// up. A clock that is further behind was wrong before, by years perhaps, and is believed.
const SET_BACK_MAX_US: i64 = base::DAY_US;

/// The moment that counts as now, when the writer acted last at `acted_at` and the clock shows `clock`.
pub fn not_before(clock: Timestamp, acted_at: Timestamp) -> Timestamp {
    match acted_at.micros().saturating_sub(clock.micros()) {
        0..=SET_BACK_MAX_US => acted_at,
        _ => clock,
    }
}

/// Counts of the store as they stand in the writer's row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events accepted from outside.
    pub events: i64,
    /// Events that Braid wrote itself.
    pub derived: i64,
    /// Items refused.
    pub rejected: i64,
    /// Profiles.
    pub profiles: i64,
    /// Profiles that belong to a person with an older profile; people = profiles − absorbed.
    pub absorbed: i64,
}

/// Whether a command's effects stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    /// The command refused after it wrote; only its own effects must go.
    Undo,
}

/// What can be queued to the writer. `run` may be called again after its effects were undone.
pub trait Command: Send {
    /// Does the work; the answer is kept inside until [`Command::finish`].
    fn run(&mut self, tx: &mut Tx) -> Result<Verdict, DbError>;
    /// Gives the answer, after COMMIT or after everything failed.
    fn finish(self: Box<Self>, outcome: Result<(), DbError>);
    /// How many events it brings, for the size of groups.
    fn size(&self) -> usize {
        1
    }
    /// The events that it brings, so that what they need can be read together.
    fn batch(&self) -> Option<&Batch> {
        None
    }
    /// Where it came from, for failure injection and logs.
    fn name(&self) -> &'static str {
        "command"
    }
}

/// A read of committed state by the writer's thread, between two groups; told why when memory cannot be read now.
pub type Read = Box<dyn FnOnce(Result<&mut Tx, DbError>) + Send>;

/// What the writer does by itself: timers, leases, jobs.
pub trait Ticker: Send {
    /// When something is due next; asked after every group.
    fn next_due(&mut self, tx: &mut Tx) -> Result<Option<Timestamp>, DbError>;
    /// Does what is due, a bounded piece of it, inside a transaction.
    fn tick(&mut self, tx: &mut Tx) -> Result<(), DbError>;
}

/// Reads what batches are going to ask for by key, all of it at once, before the first of them runs. Called while rows turn
/// out to be missing in memory.
pub type Preload = fn(&mut Tx, &[&Batch]) -> Result<(), DbError>;

/// Folds a log row again at start; given by whoever knows the reactors.
pub trait Recover: Send {
    /// Folds what memory and lazy rows miss of the log, from `from_seq` and `from_group` on.
    fn recover(&mut self, tx: &mut Tx, from_group: i64, from_seq: i64) -> Result<(), DbError>;
    /// How to read what a group of batches is going to ask for, if there is a way.
    fn preload(&self) -> Option<Preload> {
        None
    }
    /// What reads rows ahead after a start, if there is something.
    fn warm(&self) -> Option<Box<dyn Warm>> {
        None
    }
}

/// Settings of the loop.
#[derive(Debug, Clone)]
pub struct Options {
    /// Commands in a group, at most.
    pub group_commands: usize,
    /// Events in a group, at most.
    pub group_events: usize,
    /// Commands that may wait; one more is refused with [`DbError::QueueFull`].
    pub queue: usize,
    /// Bytes of decoded rows to keep.
    pub cache_bytes: usize,
    /// New ids at which a run is made of them, see [`crate::dedup`].
    pub seal_ids: usize,
    /// How long a turn of the rotating flush takes while there are few slices.
    pub turn: Duration,
    /// The loop has no thread and does nothing by itself: what is queued is done by whoever waits for an answer, or asks by
    /// [`crate::Store::work`] or [`crate::Store::step`]. No wall clock and no other thread has a say, so that a simulation
    /// repeats exactly.
    pub stepped: bool,
}

impl Default for Options {
    fn default() -> Self {
        // 64 requests a group: a cap of 8 costs 8 % of the throughput for the same p99 (measured).
        Self {
            group_commands: 64,
            group_events: 8192,
            queue: 4096,
            cache_bytes: 256 << 20,
            seal_ids: crate::dedup::SEAL_AT,
            turn: Duration::from_secs(5),
            stepped: false,
        }
    }
}

/// Who is told after a commit.
pub type Observer = Arc<dyn Fn(&[Notice]) + Send + std::marker::Sync>;
