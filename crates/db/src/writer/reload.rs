//! After a failure: the connection again, and memory from what was committed.
use super::Loop;
use super::transaction::{Failure, begin};
use crate::DbError;
use std::time::{Duration, Instant};

/// How long a group waits for a lost connection before its commands are told that the database is away: a restart of
/// PostgreSQL is over within this as a rule, and nobody but the clock notices it.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same where a COMMIT hangs in the air: a wait is better there than an answer that says neither yes nor no.
const PATIENCE_OF_COMMIT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 15 });
/// Between two tries while the database is away.
const REST: Duration = Duration::from_millis(250);

/// The database cannot be reached.
pub(crate) struct Away {
    since: Instant,
    /// The next try; until then nobody waits for one.
    again: Instant,
    reason: DbError,
}

impl Loop {
    /// Rolls back; after a database error memory is loaded again.
    pub(super) fn undo(&mut self, error: DbError) -> Failure {
        let rolled_back = self.tx.engine.batch("ROLLBACK");
        self.tx.open = false;
        let group = self.tx.committed.last_group;
        self.tx.group_starts.retain(|(g, _)| *g <= group);
        let lent = self.tx.discard();
        let lost = matches!(error, DbError::Lost(_)) || self.tx.engine.is_closed();
        let own = matches!(error, DbError::Panicked);
        if own && !lent && rolled_back.is_ok() {
            return Failure::of(error);
        }
        let fatal = !self.reload_with(lost);
        Failure { fatal, ..Failure::of(error) }
    }

    pub(super) fn reload(&mut self, error: &DbError) -> bool {
        self.reload_with(matches!(error, DbError::Lost(_)))
    }

    pub(super) fn reload_with(&mut self, lost: bool) -> bool {
        if lost || self.tx.engine.is_closed() {
            // Whatever comes of it: what memory knows may not be what was committed.
            self.stale = true;
        }
        match self.load_again() {
            Ok(()) => true,
            Err(e) => {
                // An absence is logged where it begins and where it ends.
                if self.away.is_none() {
                    tracing::error!(error = %e, "memory cannot be loaded again");
                }
                passes(&e)
            }
        }
    }

    pub(super) fn load_again(&mut self) -> Result<(), DbError> {
        if self.stale {
            self.reconnect(PATIENCE)?;
        }
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

    pub(super) fn reload_after_unknown(&mut self, error: DbError) -> Result<(), Failure> {
        tracing::warn!(%error, "the answer to a commit was lost; the commit had happened");
        self.tx.notices.clear();
        match self.load_again() {
            // The commit stands, so its commands are told so; memory is loaded before anybody looks at it again.
            Ok(()) => Ok(()),
            Err(e) if passes(&e) => Ok(()),
            Err(e) => Err(Failure { fatal: true, ..Failure::of(e) }),
        }
    }

    /// Makes sure that there is a connection that holds the lock. Tries for `patience`; while the database is known to be away
    /// it tries once, and not again before [`REST`] is over.
    pub(super) fn reconnect(&mut self, patience: Duration) -> Result<(), DbError> {
        // A connection that still answers is kept: it holds the lock, which a second one could not get beside it.
        if self.tx.engine.answers() {
            self.away = None;
            return Ok(());
        }
        let started = Instant::now();
        let patience = match &self.away {
            Some(away) if started < away.again => return Err(away.reason.clone()),
            Some(_) => Duration::ZERO,
            None => patience,
        };
        let mut wait = Duration::from_millis(20);
        let reason = loop {
            match self.connect() {
                Ok(()) => {
                    let since = self.away.take().map_or(started, |away| away.since);
                    tracing::warn!(after_ms = since.elapsed().as_millis() as u64, "the database is there again");
                    return Ok(());
                }
                Err(fenced @ DbError::Fenced { .. }) => return Err(fenced),
                Err(error) if started.elapsed() + wait > patience => break error,
                Err(_) => std::thread::sleep(wait),
            }
            wait = (wait * 2).min(REST);
        };
        if self.away.is_none() {
            tracing::error!(error = %reason, "the database is away; it is tried again until it is there");
        }
        // Callers see a lost connection, whatever the reason that there is no new one.
        let reason = DbError::Lost(reason.to_string());
        let since = self.away.take().map_or(started, |away| away.since);
        self.away = Some(Away { since, again: Instant::now() + REST, reason: reason.clone() });
        Err(reason)
    }

    /// A new connection in place of the lost one.
    fn connect(&mut self) -> Result<(), DbError> {
        let mut engine = self.location.open(self.sync, false)?;
        if !crate::store::lock_again(&mut engine)? {
            // The database may not have noticed yet that the lost connection, which held the lock, is gone.
            let row = crate::store::read_row(&mut engine)?;
            if row.epoch != self.tx.committed.epoch {
                return Err(DbError::Fenced { epoch: row.epoch });
            }
            return Err(DbError::Busy("the lock of the lost connection is still held".into()));
        }
        self.tx.engine = engine;
        Ok(())
    }

    /// Whether the group whose COMMIT got no answer was committed; `None` while nobody can tell.
    pub(super) fn was_committed(&mut self, group: i64) -> Option<bool> {
        self.reconnect(PATIENCE_OF_COMMIT).ok()?;
        let row = crate::store::read_row(&mut self.tx.engine).ok()?;
        // A program that took over meanwhile may have a group of this number of its own.
        Some(row.epoch == self.tx.committed.epoch && row.last_group == group)
    }
}

/// Whether a failure to load memory is over by itself one day.
pub(super) fn passes(error: &DbError) -> bool {
    matches!(error, DbError::Busy(_) | DbError::Full | DbError::Lost(_) | DbError::Open { .. })
}
