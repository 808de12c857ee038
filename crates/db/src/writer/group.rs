//! What the loop does with its work: groups of commands, reads between them, ticks, and the flush of a store at rest.
use super::transaction::Failure;
use super::{Command, Loop, MISSES, Read, Ticker, Verdict, not_before};
use crate::event::Batch;
use crate::{DbError, Tx};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often a command alone in its transaction is run, if others keep coming between.
const TRIES: u32 = 6;
/// After this it is not run again but for the second time: a lock that is waited for takes seconds each time.
const TRY_FOR: Duration = Duration::from_secs(5);

/// Rows of each table that a store at rest looks at at once, to give them back: some five milliseconds.
const LOOKS: usize = 50_000;

/// Whether running the same again may help.
fn is_again(failure: &Failure) -> bool {
    !failure.fatal && !failure.unknown && matches!(failure.error, Some(DbError::Busy(_) | DbError::Lost(_)))
}

impl Loop {
    pub(super) fn run_reads(&mut self, reads: Vec<Read>) {
        if !reads.is_empty()
            && self.stale
            && let Err(error) = self.load_again()
        {
            // No answer is better than a wrong one.
            reads.into_iter().for_each(|read| read(Err(error.clone())));
            return;
        }
        for read in reads {
            self.tx.set_now(not_before(self.clock.now(), self.tx.now()));
            if catch_unwind(AssertUnwindSafe(|| read(Ok(&mut self.tx)))).is_err() {
                tracing::error!("a read panicked");
            }
            if self.tx.discard() && !self.reload_with(false) {
                self.shared.dead.store(true, Ordering::SeqCst);
                return;
            }
        }
    }

    pub(super) fn run_group(&mut self, mut commands: Vec<Box<dyn Command>>) {
        let started = Instant::now();
        let events: usize = commands.iter().map(|c| c.size()).sum();
        let flush = self.slices_due();
        if std::mem::take(&mut self.rested) {
            self.shared.cold.store(true, Ordering::Relaxed);
        }
        match self.attempt(&mut commands, flush) {
            Ok(()) => {
                self.note_group(events, started);
                crate::answer::together(|| commands.into_iter().for_each(|command| command.finish(Ok(()))));
            }
            Err(Failure { error, fatal, unknown }) => {
                if fatal {
                    return self.die(commands, &error);
                }
                if unknown {
                    // Done again they might be done twice.
                    return commands.into_iter().for_each(|command| self.fail_one(command, error.clone()));
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
                        Err(Failure { error, fatal: true, .. }) => {
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

    pub(super) fn fail_one(&mut self, command: Box<dyn Command>, error: Option<DbError>) {
        match error {
            // A refusal after writing: the effects are gone, the refusal is the answer.
            None => command.finish(Ok(())),
            Some(error) => {
                // Of commands that found the database away, one line for all of them is in the log already.
                if self.away.is_none() {
                    tracing::warn!(command = command.name(), %error, "a command failed");
                }
                command.finish(Err(error));
            }
        }
    }

    pub(super) fn die(&mut self, commands: Vec<Box<dyn Command>>, error: &Option<DbError>) {
        let error = error.clone().unwrap_or(DbError::Stopped);
        tracing::error!(%error, "the writer stops");
        self.shared.dead.store(true, Ordering::SeqCst);
        for command in commands {
            command.finish(Err(error.clone()));
        }
    }

    pub(super) fn note_group(&mut self, events: usize, started: Instant) {
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
    pub(super) fn slices_due(&mut self) -> usize {
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

    pub(super) fn run_tick(&mut self) {
        self.tick_once();
        // From its end: a tick that takes long, or fails on a full disk, must not keep commands from their turn.
        self.unticked = Instant::now();
    }

    pub(super) fn tick_once(&mut self) {
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
        if let Err(Failure { error: Some(error), fatal, .. }) = out {
            if self.away.is_none() {
                tracing::error!(%error, "a timer could not be worked off");
            }
            if fatal {
                return self.shared.dead.store(true, Ordering::SeqCst);
            }
            // What is due stays due; a short rest keeps a lasting failure from spinning.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Reads ahead by hand.
    pub(super) fn run_ahead(&mut self) {
        let Some(mut ahead) = self.ahead.take() else { return };
        if let Some(read) = ahead.held() {
            self.run_reads(vec![read]);
        }
        if let Err(error) = ahead.read() {
            tracing::warn!(%error, "rows could not be read ahead; each is read when it is asked for");
        }
        self.ahead = Some(ahead);
    }

    pub(super) fn run_idle(&mut self) {
        if self.tx.dirty_slices() == 0 {
            // A store at rest gives back what only load needs, a piece at a time: whoever asks meanwhile waits for a piece.
            let enough = self.options.cache_bytes / 16;
            self.rested = self.tx.evict_some(enough, LOOKS);
            self.shared.cache_bytes.store(self.tx.cache_weight(), Ordering::Relaxed);
            return;
        }
        // Nothing to do: write a few slices, so that a kill now costs little to fold again.
        self.last_flush = Instant::now();
        if let Err(Failure { error, fatal: true, .. }) = self.transaction(&mut |_| Ok(Verdict::Keep), 4) {
            return self.die(Vec::new(), &error);
        }
        self.shared.dirty_rows.store(self.tx.dirty_rows(), Ordering::Relaxed);
    }

    pub(super) fn attempt(&mut self, commands: &mut [Box<dyn Command>], flush: usize) -> Result<(), Failure> {
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
        let started = Instant::now();
        let mut out = self.transaction(&mut run, flush);
        // A lost connection or a serialization failure is nobody's fault: the same command is tried again.
        for tried in 1..TRIES {
            if !single || self.stale || !out.as_ref().is_err_and(is_again) || (tried > 1 && started.elapsed() > TRY_FOR)
            {
                break;
            }
            if matches!(&out, Err(Failure { error: Some(DbError::Busy(_)), .. })) {
                // Whoever was in the way gets what this run let go.
                std::thread::sleep(Duration::from_millis(u64::from(tried) * 10));
            }
            out = self.transaction(&mut run, flush);
        }
        self.missed = self.tx.take_misses();
        out
    }
}
