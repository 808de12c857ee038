//! The commit loop: one thread that runs commands in groups, each group one transaction.
//!
//! A group's commands run in order over one [`Tx`]; answers leave only after COMMIT. When a command panics, refuses after it
//! wrote, or the database fails, the group is undone and its commands run again one by one, so that the guilty one alone
//!
//! The loop is in this file; `model` holds what it is given, `group` what it does with a piece of work, `transaction` one
//! commit with all that belongs to it, `reload` the way back after a failure.
use crate::engine::Sync;
use crate::queue::{Queue, Shared, Step};
use crate::store::{Location, Opened};
use crate::{DbError, Tx};
use base::{Clock, SECOND_US, Timestamp};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

mod group;
mod model;
mod reload;
mod transaction;

pub use model::{Command, Counts, Observer, Options, Preload, Read, Recover, Ticker, Verdict, WriterRow, not_before};
use transaction::{begin, commit, write_row};

/// Rows that a group had to read at which the next group reads beforehand: a few are cheaper one by one.
const MISSES: usize = 4;

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
    /// The database cannot be reached.
    away: Option<reload::Away>,
    pub(crate) clean_stop: bool,
    /// When the last tick was; see [`TICK_AFTER`].
    pub(crate) unticked: Instant,
    pub(crate) preload: Option<Preload>,
    /// Rows that the last group had to read.
    pub(crate) missed: usize,
    /// What a stepped loop reads ahead.
    pub(crate) ahead: Option<crate::warm::ByHand>,
}

/// How long what is due may wait while commands keep coming.
const TICK_AFTER: Duration = Duration::from_millis(50);

enum Work {
    Group(Vec<Box<dyn Command>>, Vec<Read>),
    Tick,
    Idle,
    Stepped(Step),
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
            let work = self.next_work(due);
            if !self.perform(work) {
                break;
            }
        }
        self.stop();
    }

    /// Does what is queued and comes back: a stepped loop has no thread. Gives whether the loop goes on.
    pub(crate) fn work(&mut self) -> bool {
        loop {
            let shared = self.shared.clone();
            let work = self.queued(&mut shared.lock());
            let Some(work) = work else { return true };
            if !self.perform(work) {
                self.stop();
                return false;
            }
        }
    }

    /// Does a piece of work; gives whether the loop goes on.
    fn perform(&mut self, work: Work) -> bool {
        match work {
            Work::Group(commands, reads) => {
                self.run_reads(reads);
                if !commands.is_empty() {
                    self.run_group(commands);
                }
            }
            Work::Tick | Work::Stepped(Step::Tick) => self.run_tick(),
            Work::Idle | Work::Stepped(Step::Flush) => self.run_idle(),
            Work::Stepped(Step::Warm) => self.run_ahead(),
            Work::Stop => return false,
        }
        !self.shared.dead.load(Ordering::SeqCst)
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

    /// What was asked for, commands first.
    fn queued(&self, queue: &mut Queue) -> Option<Work> {
        if !queue.reads.is_empty() || !queue.writes.is_empty() {
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
            return Some(Work::Group(commands, reads));
        }
        let step = queue.steps.pop_front().map(Work::Stepped);
        step.or_else(|| queue.closed.then_some(Work::Stop))
    }

    fn next_work(&mut self, due: Option<Timestamp>) -> Work {
        let shared = self.shared.clone();
        let mut queue = shared.lock();
        let mut waited = false;
        loop {
            // A queue that is never empty would keep timers and jobs from ever moving.
            let busy = !queue.reads.is_empty() || !queue.writes.is_empty();
            if busy && self.unticked.elapsed() >= TICK_AFTER && due.is_some_and(|due| due <= self.clock.now()) {
                return Work::Tick;
            }
            if let Some(work) = self.queued(&mut queue) {
                return work;
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

    fn stop(&mut self) {
        if self.shared.dead.load(Ordering::SeqCst) {
            self.drain(&DbError::Stopped);
            return;
        }
        // What memory holds while it is stale must not reach the database.
        let known = !self.stale || self.load_again().is_ok();
        if self.clean_stop && known {
            while self.tx.dirty_slices() > 0 {
                if self.transaction(&mut |_| Ok(Verdict::Keep), 16).is_err() {
                    tracing::error!("not everything could be flushed; the next start folds it again");
                    break;
                }
            }
            if let Err(error) = self.note_stop() {
                tracing::warn!(%error, "the stop could not be noted");
            }
            if let Some(c) = self.tx.engine.sqlite() {
                let _ = c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
            }
        }
        self.shared.dead.store(true, Ordering::SeqCst);
        self.drain(&DbError::Stopped);
    }

    fn note_stop(&mut self) -> Result<(), DbError> {
        if self.stale {
            return Err(DbError::Stopped);
        }
        let group = self.tx.group();
        self.tx.engine.batch(begin(&self.tx))?;
        write_row(&mut self.tx, group, true)?;
        commit(&mut self.tx)
    }

    fn drain(&mut self, error: &DbError) {
        self.shared.drain(error);
    }
}

/// Opens the loop's state; see [`crate::store::Store::open`].
pub(crate) fn prepare(opened: Opened, options: Options, shared: Arc<Shared>, clock: Arc<dyn Clock>) -> Loop {
    let mut tx = Tx::new(opened.engine, opened.row);
    tx.home = Some((opened.location.clone(), opened.sync));
    tx.seal_ids = options.seal_ids;
    tx.patient = options.stepped;
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
        away: None,
        clean_stop: true,
        unticked: Instant::now(),
        preload: None,
        missed: MISSES,
        ahead: None,
    }
}
