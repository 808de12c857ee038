//! After a failure: the connection again, and memory from what was committed.
use super::Loop;
use super::transaction::{Failure, begin};
use crate::DbError;
use std::time::Duration;

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
            return Failure { error: Some(error), fatal: false };
        }
        let fatal = !self.reload_with(lost);
        Failure { error: Some(error), fatal }
    }

    pub(super) fn reload(&mut self, error: &DbError) -> bool {
        self.reload_with(matches!(error, DbError::Lost(_)))
    }

    pub(super) fn reload_with(&mut self, lost: bool) -> bool {
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

    pub(super) fn load_again(&mut self) -> Result<(), DbError> {
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
        self.load_again().map_err(|e| Failure { error: Some(e), fatal: true })
    }

    pub(super) fn reconnect(&mut self) -> bool {
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

    pub(super) fn committed_group(&mut self) -> Option<i64> {
        crate::store::read_row(&mut self.tx.engine).ok().map(|r| r.last_group)
    }
}

/// Whether a failure to load memory is over by itself one day.
pub(super) fn passes(error: &DbError) -> bool {
    matches!(error, DbError::Busy(_) | DbError::Full)
}
