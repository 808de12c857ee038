//! Holds that end by themselves. Nothing waits for this: a hold that has ended does not count, swept or not. The sweep writes
//! down how it ended, and tells those who watch.
use crate::ReservationTable;
use crate::model::{EndedWhy, NEVER, Reservation};
use base::Timestamp;
use db::{DbError, Engine, Memory, Tx};
use std::sync::Arc;

/// When the next hold ends, at the earliest.
#[derive(Default)]
struct Due {
    committed: Option<Timestamp>,
    changed: Option<Option<Timestamp>>,
}

impl Due {
    fn now(&self) -> Option<Timestamp> {
        self.changed.unwrap_or(self.committed)
    }
}

impl Memory for Due {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let sql = "SELECT MIN(expires_at) FROM reservations WHERE ended_at = 0";
        let row = db.first(sql, &[])?;
        let first = row.map(|row| row.opt_int(0)).transpose()?.flatten().map(Timestamp::from_micros);
        Ok(Due { committed: first.filter(|at| *at != NEVER), changed: None })
    }
    fn commit(&mut self) {
        if let Some(changed) = self.changed.take() {
            self.committed = changed;
        }
    }
    fn rollback(&mut self) {
        self.changed = None;
    }
}

/// A hold ends at `at`.
pub(super) fn note(tx: &mut Tx, at: Timestamp) -> Result<(), DbError> {
    let due = tx.memory::<Due>()?;
    if at != NEVER && due.now().is_none_or(|first| at < first) {
        due.changed = Some(Some(at));
    }
    Ok(())
}

/// When [`expire`] has something to do next.
pub fn next_expiry(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    Ok(tx.memory::<Due>()?.now())
}

/// A claim whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    pub no: i64,
    pub reservation: Arc<Reservation>,
}

const ENDED: &str = "SELECT no FROM reservations WHERE ended_at = 0 AND expires_at <= $1 \
                     GROUP BY no ORDER BY MIN(expires_at), no LIMIT $2";

/// Writes down that holds have ended, so many at a time, the oldest first.
pub fn expire(tx: &mut Tx, limit: i64) -> Result<Vec<Expired>, DbError> {
    let now = tx.now();
    if next_expiry(tx)?.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    // SQL must see what this group changed already.
    tx.flush_table::<ReservationTable>()?;
    let numbers = tx.rows(ENDED, &[now.micros().into(), limit.into()])?;
    let mut out = Vec::with_capacity(numbers.len());
    for row in &numbers {
        let no = row.int(0)?;
        let Some(reservation) = tx.get::<ReservationTable>(no)?.cloned() else { continue };
        let ends = reservation.expires_at;
        for line in reservation.lines.iter().filter(|line| line.ended.is_none()) {
            // Its sum goes by itself; whoever watches learns that there is more now.
            tx.notify(db::Notice::Stock { variant_no: line.variant_no });
            crate::waiting::mark(tx, line.variant_no)?;
        }
        if let Some(row) = tx.get_mut::<ReservationTable>(no)? {
            for line in &mut Arc::make_mut(row).lines {
                line.ended.get_or_insert((ends, EndedWhy::Expired));
            }
        }
        out.push(Expired { no, reservation });
    }
    let next = if out.len() as i64 == limit {
        Some(now)
    } else {
        tx.flush_table::<ReservationTable>()?;
        let row = tx.first("SELECT MIN(expires_at) FROM reservations WHERE ended_at = 0", &[])?;
        let first = row.map(|row| row.opt_int(0)).transpose()?.flatten().map(Timestamp::from_micros);
        first.filter(|at| *at != NEVER)
    };
    tx.memory::<Due>()?.changed = Some(next);
    Ok(out)
}
