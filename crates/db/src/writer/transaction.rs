//! One transaction with everything that belongs to a commit, and what memory learns of its outcome.
use super::{Loop, Verdict, not_before, reload::passes};
use crate::{DbError, Tx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

/// Why a transaction left nothing.
pub(super) struct Failure {
    /// `None`: the command refused after it wrote.
    pub(super) error: Option<DbError>,
    /// The writer must not go on.
    pub(super) fatal: bool,
    /// Nobody knows whether it happened, so it must not be tried again.
    pub(super) unknown: bool,
}

impl Failure {
    /// A failure after which the writer goes on.
    pub(super) fn of(error: DbError) -> Self {
        Self { error: Some(error), fatal: false, unknown: false }
    }
}

impl Loop {
    /// Runs `body` in one transaction with everything that belongs to a commit.
    pub(super) fn transaction(
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
            return Err(Failure { fatal, ..Failure::of(e) });
        }
        if let Err(e) = self.tx.engine.check_file().and_then(|()| self.tx.engine.batch(begin(&self.tx))) {
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
            return Err(Failure { error: fatal.then_some(DbError::Stopped), fatal, unknown: false });
        }
        let group = self.tx.group();
        let finished = self.finish(flush);
        self.crash_point("crash-before-commit")?;
        match finished {
            Ok(()) => {}
            Err(e @ DbError::Fenced { .. }) => return Err(Failure { fatal: true, ..Failure::of(e) }),
            Err(e) => return Err(self.undo(e)),
        }
        if let Err(e) = commit(&mut self.tx) {
            // The outcome is unknown: the group's number in the writer's row tells.
            self.tx.open = false;
            // On a connection that is still there the transaction may be open, and would show its own row.
            let _ = self.tx.engine.batch("ROLLBACK");
            if !matches!(e, DbError::Lost(_)) {
                return Err(self.undo(e));
            }
            return match self.was_committed(group) {
                Some(true) => self.reload_after_unknown(e),
                Some(false) => Err(self.undo(e)),
                None => Err(Failure { unknown: true, ..self.undo(e) }),
            };
        }
        self.tx.open = false;
        self.crash_point("crash-after-commit")?;
        self.publish();
        Ok(())
    }

    /// Ends the loop as a kill would, if a test asked for it here.
    pub(super) fn crash_point(&mut self, point: &str) -> Result<(), Failure> {
        if self.tx.failpoint != Some(point) {
            return Ok(());
        }
        Err(Failure { fatal: true, ..Failure::of(DbError::Stopped) })
    }

    pub(super) fn finish(&mut self, flush: usize) -> Result<(), DbError> {
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

    pub(super) fn publish(&mut self) {
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
}

pub(super) fn begin(tx: &Tx) -> &'static str {
    match tx.dialect() {
        crate::Dialect::Sqlite => "BEGIN IMMEDIATE",
        crate::Dialect::Postgres => "BEGIN ISOLATION LEVEL SERIALIZABLE",
    }
}

pub(super) fn commit(tx: &mut Tx) -> Result<(), DbError> {
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

pub(super) fn write_row(tx: &mut Tx, group: i64, clean: bool) -> Result<(), DbError> {
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
