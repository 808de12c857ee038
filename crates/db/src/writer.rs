//! The commit loop: one thread that runs commands in groups, each group one transaction.
//!
//! A group's commands run in order over one [`Tx`]; answers leave only after COMMIT. When a command panics, refuses after it
//! wrote, or the database fails, the group is undone and its commands run again one by one, so that the guilty one alone
//! gets its error. After any database error memory is loaded again, never trusted.
use crate::engine::Sync;
use crate::event::Batch;
use crate::notice::Notice;
use crate::queue::{Shared, Step};
use crate::store::{Location, Opened};
use crate::warm::Warm;
use crate::{DbError, Tx};
use base::{Clock, SECOND_US, Timestamp};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

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

/// A read of committed state by the writer's thread, between two groups.
pub type Read = Box<dyn FnOnce(&mut Tx) + Send>;

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

/// Rows that a group had to read at which the next group reads beforehand: a few are cheaper one by one.
const MISSES: usize = 4;

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
    /// The loop does nothing by itself, only what is queued and what [`crate::Store::step`] asks for; no wall clock has a say,
    /// so that a simulation repeats exactly.
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

pub(crate) struct Loop {
    pub(crate) tx: Tx,
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ticker: Option<Box<dyn Ticker>>,
    pub(crate) recover: Option<Box<dyn Recover>>,
    pub(crate) observer: Option<Observer>,
    pub(crate) location: Location,
    pub(crate) sync: Sync,
    pub(crate) last_flush: Instant,
    pub(crate) credit: f64,
    /// Nothing came since the cache was trimmed.
    pub(crate) rested: bool,
    /// Memory could not be loaded again: nothing may look at it before that succeeds.
    pub(crate) stale: bool,
    pub(crate) clean_stop: bool,
    /// When the last tick was; see [`TICK_AFTER`].
    pub(crate) unticked: Instant,
    pub(crate) preload: Option<Preload>,
    /// Rows that the last group had to read.
    pub(crate) missed: usize,
}

/// How long what is due may wait while commands keep coming.
const TICK_AFTER: Duration = Duration::from_millis(50);

enum Work {
    Group(Vec<Box<dyn Command>>, Vec<Read>),
    Tick,
    Idle,
    Stepped(Step, std::sync::mpsc::SyncSender<()>),
    Stop,
}

impl Loop {
    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let due = match self.ask_due() {
                Ok(due) => due,
                Err(e) => {
                    tracing::error!(error = %e, "cannot read what is due");
                    if !self.reload(&e) {
                        break;
                    }
                    continue;
                }
            };
            match self.next_work(due) {
                Work::Group(commands, reads) => {
                    self.run_reads(reads);
                    if !commands.is_empty() {
                        self.run_group(commands);
                    }
                }
                Work::Tick => self.run_tick(),
                Work::Idle => self.run_idle(),
                Work::Stepped(step, done) => {
                    match step {
                        Step::Tick => self.run_tick(),
                        Step::Flush => self.run_idle(),
                    }
                    let _ = done.send(());
                }
                Work::Stop => break,
            }
            if self.shared.dead.load(Ordering::SeqCst) {
                break;
            }
        }
        self.stop();
    }

    fn ask_due(&mut self) -> Result<Option<Timestamp>, DbError> {
        if self.stale {
            // A tick begins with loading memory; nothing else can be due before.
            return Ok(Some(self.clock.now().plus(SECOND_US / 4)));
        }
        match &mut self.ticker {
            Some(ticker) => ticker.next_due(&mut self.tx),
            None => Ok(None),
        }
    }

    fn next_work(&mut self, due: Option<Timestamp>) -> Work {
        let shared = self.shared.clone();
        let mut queue = shared.lock();
        let mut waited = false;
        loop {
            if !queue.reads.is_empty() || !queue.writes.is_empty() {
                // A queue that is never empty would keep timers and jobs from ever moving.
                if !self.options.stepped
                    && self.unticked.elapsed() >= TICK_AFTER
                    && due.is_some_and(|due| due <= self.clock.now())
                {
                    return Work::Tick;
                }
                let reads: Vec<Read> = queue.reads.drain(..).collect();
                let mut commands = Vec::new();
                let mut events = 0;
                while commands.len() < self.options.group_commands
                    && events < self.options.group_events
                    && let Some(command) = queue.writes.pop_front()
                {
                    events += command.size();
                    commands.push(command);
                }
                return Work::Group(commands, reads);
            }
            if let Some((step, done)) = queue.steps.pop_front() {
                return Work::Stepped(step, done);
            }
            if queue.closed {
                return Work::Stop;
            }
            if self.options.stepped {
                queue = shared.wake.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
                continue;
            }
            if std::mem::take(&mut queue.poked) {
                return Work::Tick;
            }
            let now = self.clock.now();
            let until_due = due.map(|due| due.micros().saturating_sub(now.micros()));
            if until_due.is_some_and(|us| us <= 0) {
                return Work::Tick;
            }
            if waited && self.tx.dirty_slices() > 0 {
                return Work::Idle;
            }
            if waited && !self.rested && self.last_flush.elapsed() > Duration::from_secs(10) {
                return Work::Idle;
            }
            // A timer may be due by a clock that is moved by hand, so the wait is never long.
            let idle = if self.tx.dirty_slices() > 0 { 20 } else { 250 };
            let wait = until_due.map_or(idle, |us| (us / 1000).saturating_add(1).clamp(1, idle));
            queue = match shared.wake.wait_timeout(queue, Duration::from_millis(wait as u64)) {
                Ok((queue, timeout)) => {
                    waited = timeout.timed_out();
                    queue
                }
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    fn run_reads(&mut self, reads: Vec<Read>) {
        if !reads.is_empty()
            && self.stale
            && let Err(error) = self.load_again()
        {
            // Dropping a read drops its reply, which tells whoever waits: no answer is better than a wrong one.
            tracing::error!(%error, "memory cannot be loaded again");
            return;
        }
        for read in reads {
            self.tx.set_now(not_before(self.clock.now(), self.tx.now()));
            if catch_unwind(AssertUnwindSafe(|| read(&mut self.tx))).is_err() {
                tracing::error!("a read panicked");
            }
            if self.tx.discard() && !self.reload_with(false) {
                self.shared.dead.store(true, Ordering::SeqCst);
                return;
            }
        }
    }

    fn run_group(&mut self, mut commands: Vec<Box<dyn Command>>) {
        let started = Instant::now();
        let events: usize = commands.iter().map(|c| c.size()).sum();
        let flush = self.slices_due();
        if std::mem::take(&mut self.rested) {
            self.shared.cold.store(true, Ordering::Relaxed);
        }
        match self.attempt(&mut commands, flush) {
            Ok(()) => {
                self.note_group(events, started);
                for command in commands {
                    command.finish(Ok(()));
                }
            }
            Err(Failure { error, fatal }) => {
                if fatal {
                    return self.die(commands, &error);
                }
                if commands.len() == 1 {
                    let Some(command) = commands.pop() else { return };
                    return self.fail_one(command, error);
                }
                self.shared.replays.fetch_add(1, Ordering::Relaxed);
                let mut rest: VecDeque<_> = commands.into();
                while let Some(command) = rest.pop_front() {
                    let mut one = vec![command];
                    match self.attempt(&mut one, 0) {
                        Ok(()) => one.into_iter().for_each(|c| c.finish(Ok(()))),
                        Err(Failure { error, fatal: true }) => {
                            one.extend(rest);
                            return self.die(one, &error);
                        }
                        Err(Failure { error, .. }) => {
                            if let Some(command) = one.pop() {
                                self.fail_one(command, error);
                            }
                        }
                    }
                }
            }
        }
    }

    fn fail_one(&mut self, command: Box<dyn Command>, error: Option<DbError>) {
        match error {
            // A refusal after writing: the effects are gone, the refusal is the answer.
            None => command.finish(Ok(())),
            Some(error) => {
                tracing::warn!(command = command.name(), %error, "a command failed");
                command.finish(Err(error));
            }
        }
    }

    fn die(&mut self, commands: Vec<Box<dyn Command>>, error: &Option<DbError>) {
        let error = error.clone().unwrap_or(DbError::Stopped);
        tracing::error!(%error, "the writer stops");
        self.shared.dead.store(true, Ordering::SeqCst);
        for command in commands {
            command.finish(Err(error.clone()));
        }
    }

    fn note_group(&mut self, events: usize, started: Instant) {
        self.shared.groups.fetch_add(1, Ordering::Relaxed);
        self.shared.last_group_events.store(events, Ordering::Relaxed);
        self.shared.last_commit_us.store(started.elapsed().as_micros() as i64, Ordering::Relaxed);
        self.shared.dirty_rows.store(self.tx.dirty_rows(), Ordering::Relaxed);
        self.shared.cache_bytes.store(self.tx.cache_weight(), Ordering::Relaxed);
        self.shared.statements.store(self.tx.engine.statements_run(), Ordering::Relaxed);
        let mut sizes = self.shared.group_sizes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if sizes.len() >= 4096 {
            sizes.pop_front();
        }
        sizes.push_back(events as u32);
    }

    /// How many slices this group should write so that a turn takes its time, and no group stalls on them.
    fn slices_due(&mut self) -> usize {
        let dirty = self.tx.dirty_slices();
        if self.options.stepped {
            return usize::from(dirty > 0 && self.tx.group() % 3 == 0);
        }
        let elapsed = self.last_flush.elapsed();
        self.last_flush = Instant::now();
        // Larger bases take longer turns: fewer events would share a page otherwise.
        let turn =
            self.options.turn.as_secs_f64().max(dirty as f64 * 0.025).min(self.options.turn.as_secs_f64() * 12.0);
        // After an idle gap everything would be overdue at once; the cap spreads it over the next groups.
        self.credit = (self.credit + dirty as f64 * elapsed.as_secs_f64() / turn.max(0.001)).min(4.0);
        let due = self.credit as usize;
        self.credit -= due as f64;
        due.min(4)
    }

    fn run_tick(&mut self) {
        self.tick_once();
        // From its end: a tick that takes long, or fails on a full disk, must not keep commands from their turn.
        self.unticked = Instant::now();
    }

    fn tick_once(&mut self) {
        let Some(mut ticker) = self.ticker.take() else { return };
        struct Tick<'a>(&'a mut dyn Ticker);
        impl Command for Tick<'_> {
            fn run(&mut self, tx: &mut Tx) -> Result<Verdict, DbError> {
                self.0.tick(tx).map(|()| Verdict::Keep)
            }
            fn finish(self: Box<Self>, _: Result<(), DbError>) {}
            fn name(&self) -> &'static str {
                "tick"
            }
        }
        let out = self.transaction(&mut |tx| Tick(ticker.as_mut()).run(tx), 0);
        self.ticker = Some(ticker);
        if let Err(Failure { error: Some(error), fatal }) = out {
            tracing::error!(%error, "a timer could not be worked off");
            if fatal {
                self.shared.dead.store(true, Ordering::SeqCst);
            }
            // What is due stays due; a short rest keeps a lasting failure from spinning.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn run_idle(&mut self) {
        if self.tx.dirty_slices() == 0 {
            // A store at rest gives back what only load needs.
            self.tx.evict(self.options.cache_bytes / 16);
            self.shared.cache_bytes.store(self.tx.cache_weight(), Ordering::Relaxed);
            self.rested = true;
            return;
        }
        // Nothing to do: write a few slices, so that a kill now costs little to fold again.
        self.last_flush = Instant::now();
        if let Err(Failure { error, fatal: true }) = self.transaction(&mut |_| Ok(Verdict::Keep), 4) {
            return self.die(Vec::new(), &error);
        }
        self.shared.dirty_rows.store(self.tx.dirty_rows(), Ordering::Relaxed);
    }

    fn attempt(&mut self, commands: &mut [Box<dyn Command>], flush: usize) -> Result<(), Failure> {
        let single = commands.len() == 1;
        let preload = self.preload.filter(|_| self.missed >= MISSES);
        let mut run = |tx: &mut Tx| {
            if let Some(preload) = preload {
                let batches: Vec<&Batch> = commands.iter().filter_map(|c| c.batch()).collect();
                preload(tx, &batches)?;
            }
            for command in commands.iter_mut() {
                match command.run(tx)? {
                    Verdict::Keep => {}
                    Verdict::Undo => return Ok(Verdict::Undo),
                }
            }
            Ok(Verdict::Keep)
        };
        let out = self.transaction(&mut run, flush);
        self.missed = self.tx.take_misses();
        // A lost connection or a serialization failure is nobody's fault: the same command is tried again.
        if single && matches!(&out, Err(Failure { error: Some(DbError::Busy(_) | DbError::Lost(_)), fatal: false })) {
            return self.transaction(&mut run, flush);
        }
        out
    }

    /// Runs `body` in one transaction with everything that belongs to a commit.
    fn transaction(
        &mut self,
        body: &mut dyn FnMut(&mut Tx) -> Result<Verdict, DbError>,
        flush: usize,
    ) -> Result<(), Failure> {
        let now = not_before(self.clock.now(), self.tx.now());
        self.tx.set_now(now);
        if self.stale
            && let Err(e) = self.load_again()
        {
            let fatal = !passes(&e);
            return Err(Failure { error: Some(e), fatal });
        }
        if let Err(e) = self.tx.engine.batch(begin(&self.tx)) {
            return Err(self.undo(e));
        }
        self.tx.open = true;
        let ran = catch_unwind(AssertUnwindSafe(|| body(&mut self.tx)));
        self.crash_point("crash-after-body")?;
        let verdict = match ran {
            Err(_) => {
                let failure = self.undo(DbError::Panicked);
                return Err(failure);
            }
            Ok(Err(e)) => return Err(self.undo(e)),
            Ok(Ok(verdict)) => verdict,
        };
        if let Some(e) = self.tx.error.take() {
            return Err(self.undo(e));
        }
        if verdict == Verdict::Undo {
            let rolled_back = self.tx.engine.batch("ROLLBACK");
            self.tx.open = false;
            let lost = self.tx.discard();
            if let Err(e) = rolled_back {
                return Err(self.undo(e));
            }
            let fatal = lost && !self.reload_with(false);
            return Err(Failure { error: fatal.then_some(DbError::Stopped), fatal });
        }
        let group = self.tx.group();
        let finished = self.finish(flush);
        self.crash_point("crash-before-commit")?;
        match finished {
            Ok(()) => {}
            Err(e @ DbError::Fenced { .. }) => return Err(Failure { error: Some(e), fatal: true }),
            Err(e) => return Err(self.undo(e)),
        }
        if let Err(e) = commit(&mut self.tx) {
            // The outcome is unknown: the group's number in the writer's row tells.
            self.tx.open = false;
            // On a connection that is still there the transaction may be open, and would show its own row.
            let _ = self.tx.engine.batch("ROLLBACK");
            if matches!(e, DbError::Lost(_)) && self.reconnect() && self.committed_group() == Some(group) {
                return self.reload_after_unknown(e);
            }
            return Err(self.undo(e));
        }
        self.tx.open = false;
        self.crash_point("crash-after-commit")?;
        self.publish();
        Ok(())
    }

    /// Ends the loop as a kill would, if a test asked for it here.
    fn crash_point(&mut self, point: &str) -> Result<(), Failure> {
        if self.tx.failpoint != Some(point) {
            return Ok(());
        }
        Err(Failure { error: Some(DbError::Stopped), fatal: true })
    }

    fn finish(&mut self, flush: usize) -> Result<(), DbError> {
        let tx = &mut self.tx;
        tx.write_waiting()?;
        tx.before_commit()?;
        tx.write_waiting()?;
        if flush > 0 {
            tx.flush_slices(flush)?;
        }
        tx.flush_early()?;
        let group = tx.group();
        let start = tx.committed.next_seq;
        tx.group_starts.push_back((group, start));
        let oldest = tx.oldest_unflushed().unwrap_or(group + 1);
        while tx.group_starts.len() > 1 && tx.group_starts.get(1).is_some_and(|(g, _)| *g <= oldest) {
            tx.group_starts.pop_front();
        }
        let seq = if oldest > group { tx.row.next_seq } else { tx.group_starts.front().map_or(start, |(_, s)| *s) };
        tx.row.unflushed_group = oldest;
        tx.row.unflushed_seq = seq;
        write_row(tx, group, false)
    }

    fn publish(&mut self) {
        self.tx.publish();
        self.tx.row.last_group += 1;
        self.tx.committed = self.tx.row.clone();
        self.tx.evict(self.options.cache_bytes);
        let notices = std::mem::take(&mut self.tx.notices);
        if let Some(observer) = &self.observer
            && !notices.is_empty()
            && self.shared.observed.load(Ordering::Relaxed)
        {
            observer(&notices);
        }
    }

    /// Rolls back; after a database error memory is loaded again.
    fn undo(&mut self, error: DbError) -> Failure {
        let rolled_back = self.tx.engine.batch("ROLLBACK");
        self.tx.open = false;
        let group = self.tx.committed.last_group;
        self.tx.group_starts.retain(|(g, _)| *g <= group);
        let lent = self.tx.discard();
        let lost = matches!(error, DbError::Lost(_)) || self.tx.engine.is_closed();
        let own = matches!(error, DbError::Panicked);
        if own && !lent && rolled_back.is_ok() {
            return Failure { error: Some(error), fatal: false };
        }
        let fatal = !self.reload_with(lost);
        Failure { error: Some(error), fatal }
    }

    fn reload(&mut self, error: &DbError) -> bool {
        self.reload_with(matches!(error, DbError::Lost(_)))
    }

    fn reload_with(&mut self, lost: bool) -> bool {
        if (lost || self.tx.engine.is_closed()) && !self.reconnect() {
            return false;
        }
        match self.load_again() {
            Ok(()) => true,
            Err(e) => {
                tracing::error!(error = %e, "memory cannot be loaded again");
                passes(&e)
            }
        }
    }

    fn load_again(&mut self) -> Result<(), DbError> {
        // Until the end of this, memory lacks what was not flushed yet.
        self.stale = true;
        let row = crate::store::read_row(&mut self.tx.engine)?;
        if row.epoch != self.tx.committed.epoch {
            return Err(DbError::Fenced { epoch: row.epoch });
        }
        self.tx.row = row.clone();
        self.tx.committed = row;
        self.tx.forget_all()?;
        self.recover_now()?;
        self.stale = false;
        Ok(())
    }

    pub(crate) fn recover_now(&mut self) -> Result<(), DbError> {
        let (group, seq) = (self.tx.row.unflushed_group, self.tx.row.unflushed_seq);
        self.tx.group_starts.clear();
        self.tx.group_starts.push_back((group, seq));
        if self.recover.is_some() {
            self.tx.engine.batch(begin(&self.tx))?;
        }
        if let Some(mut recover) = self.recover.take() {
            let out = recover.recover(&mut self.tx, group, seq).and_then(|()| self.tx.write_waiting());
            self.recover = Some(recover);
            if let Err(e) = out {
                let _ = self.tx.discard();
                self.tx.engine.batch("ROLLBACK")?;
                return Err(e);
            }
            self.tx.engine.batch("COMMIT")?;
            // What was folded again is dirty since the oldest unflushed group; counts were committed with the groups.
            self.tx.row = self.tx.committed.clone();
            self.tx.publish_recovered(group);
        }
        Ok(())
    }

    fn reload_after_unknown(&mut self, error: DbError) -> Result<(), Failure> {
        tracing::warn!(%error, "the answer to a commit was lost; the commit had happened");
        self.tx.notices.clear();
        self.load_again().map_err(|e| Failure { error: Some(e), fatal: true })
    }

    fn reconnect(&mut self) -> bool {
        // A connection that still answers is kept: it holds the lock, which a second one could not get beside it.
        if !self.tx.engine.is_closed() && self.tx.engine.rows("SELECT 1", &[]).is_ok() {
            return true;
        }
        for attempt in 0..20u32 {
            match self.location.open(self.sync, false) {
                Ok(mut engine) => {
                    if crate::store::lock_again(&mut engine).unwrap_or(false) {
                        self.tx.engine = engine;
                        return true;
                    }
                }
                Err(e) => tracing::warn!(error = %e, attempt, "the database cannot be reached"),
            }
            std::thread::sleep(Duration::from_millis(100 * u64::from(attempt.min(10) + 1)));
        }
        false
    }

    fn committed_group(&mut self) -> Option<i64> {
        crate::store::read_row(&mut self.tx.engine).ok().map(|r| r.last_group)
    }

    fn stop(&mut self) {
        if self.shared.dead.load(Ordering::SeqCst) {
            self.drain(&DbError::Stopped);
            return;
        }
        if self.clean_stop {
            while self.tx.dirty_slices() > 0 {
                if self.transaction(&mut |_| Ok(Verdict::Keep), 16).is_err() {
                    tracing::error!("not everything could be flushed; the next start folds it again");
                    break;
                }
            }
            let group = self.tx.group();
            let finished = self
                .tx
                .engine
                .batch(begin(&self.tx))
                .and_then(|()| write_row(&mut self.tx, group, true))
                .and_then(|()| commit(&mut self.tx));
            if let Err(error) = finished {
                tracing::warn!(%error, "the stop could not be noted");
            }
            if let Some(c) = self.tx.engine.sqlite() {
                let _ = c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
            }
        }
        self.shared.dead.store(true, Ordering::SeqCst);
        self.drain(&DbError::Stopped);
    }

    fn drain(&mut self, error: &DbError) {
        self.shared.drain(error);
    }
}

struct Failure {
    /// `None`: the command refused after it wrote.
    error: Option<DbError>,
    fatal: bool,
}

/// Whether a failure to load memory is over by itself one day.
fn passes(error: &DbError) -> bool {
    matches!(error, DbError::Busy(_) | DbError::Full)
}

fn begin(tx: &Tx) -> &'static str {
    match tx.dialect() {
        crate::Dialect::Sqlite => "BEGIN IMMEDIATE",
        crate::Dialect::Postgres => "BEGIN ISOLATION LEVEL SERIALIZABLE",
    }
}

fn commit(tx: &mut Tx) -> Result<(), DbError> {
    match tx.failpoint {
        Some("before-commit") => {
            tx.failpoint = None;
            return Err(DbError::Lost("injected before COMMIT".into()));
        }
        Some("after-commit") => {
            tx.failpoint = None;
            tx.engine.batch("COMMIT")?;
            return Err(DbError::Lost("injected after COMMIT".into()));
        }
        Some("kill-before-commit") => std::process::abort(),
        _ => {}
    }
    tx.engine.batch("COMMIT")?;
    if tx.failpoint == Some("kill-after-commit") {
        std::process::abort();
    }
    Ok(())
}

fn write_row(tx: &mut Tx, group: i64, clean: bool) -> Result<(), DbError> {
    let row = tx.row.clone();
    let last_group = if clean { row.last_group } else { group };
    let changed = tx.engine.execute(
        "UPDATE writers SET next_seq = $2, last_group = $3, unflushed_group = $4, unflushed_seq = $5, next_id = $6, \
         next_profile = $7, events = $8, derived = $9, rejected = $10, profiles = $11, absorbed = $12, clean = $13, \
         acted_at = $14 \
         WHERE writer = 1 AND epoch = $1",
        &[
            row.epoch.into(),
            row.next_seq.into(),
            last_group.into(),
            row.unflushed_group.into(),
            row.unflushed_seq.into(),
            row.next_id.into(),
            row.next_profile.into(),
            row.counts.events.into(),
            row.counts.derived.into(),
            row.counts.rejected.into(),
            row.counts.profiles.into(),
            row.counts.absorbed.into(),
            i64::from(clean).into(),
            tx.now().micros().into(),
        ],
    )?;
    if changed != 1 {
        let epoch = crate::store::read_row(&mut tx.engine).map_or(0, |r| r.epoch);
        return Err(DbError::Fenced { epoch });
    }
    Ok(())
}

/// Opens the loop's state; see [`crate::store::Store::open`].
pub(crate) fn prepare(opened: Opened, options: Options, shared: Arc<Shared>, clock: Arc<dyn Clock>) -> Loop {
    let mut tx = Tx::new(opened.engine, opened.row);
    tx.home = Some((opened.location.clone(), opened.sync));
    tx.seal_ids = options.seal_ids;
    let (shown, acted_at) = (clock.now(), tx.row.acted_at);
    if shown < acted_at {
        tracing::warn!(%acted_at, clock = %shown, "the clock is behind what the store did last");
    }
    tx.set_now(not_before(shown, acted_at));
    Loop {
        tx,
        shared,
        options,
        clock,
        ticker: None,
        recover: None,
        observer: None,
        location: opened.location,
        sync: opened.sync,
        last_flush: Instant::now(),
        credit: 0.0,
        rested: false,
        stale: false,
        clean_stop: true,
        unticked: Instant::now(),
        preload: None,
        missed: MISSES,
    }
}
