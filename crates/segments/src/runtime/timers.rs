//! Moments at which a person must be looked at again: those of the near future in memory, the others in the database.
use super::memberships::{Memberships, TIMER_KIND};
use base::{HOUR_US, Timestamp};
use db::tx::Memory;
use db::{DbError, Engine, Tx};
use std::collections::BTreeSet;

/// Moments taken into memory at once.
const LOAD_MAX: i64 = 20_000;

/// The near moments.
#[derive(Debug, Default)]
pub struct Timers {
    near: BTreeSet<(i64, i64)>,
    /// Everything due before this is in `near`.
    horizon_us: i64,
    added: Vec<(i64, i64)>,
    removed: Vec<(i64, i64)>,
}

impl Memory for Timers {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self { horizon_us: i64::MIN, ..Self::default() })
    }
    fn commit(&mut self) {
        self.added.clear();
        self.removed.clear();
    }
    fn rollback(&mut self) {
        if !self.added.is_empty() {
            // What was read from the database is forgotten with what was armed: the near future is read again.
            self.horizon_us = i64::MIN;
        }
        for entry in self.added.drain(..) {
            self.near.remove(&entry);
        }
        self.near.extend(self.removed.drain(..));
    }
}

/// Asks that a person be looked at at `due`, unless an earlier look is armed already.
pub fn arm(tx: &mut Tx, person_id: i64, due: Timestamp) -> Result<(), DbError> {
    let due_us = due.micros();
    let armed = tx.get::<Memberships>(person_id)?.map_or(0, |row| row.armed_us);
    if armed != 0 && armed <= due_us {
        return Ok(());
    }
    if let Some(row) = tx.get_mut::<Memberships>(person_id)? {
        row.arm(due_us);
    }
    let timers = tx.memory::<Timers>()?;
    if due_us < timers.horizon_us && timers.near.insert((due_us, person_id)) {
        timers.added.push((due_us, person_id));
    }
    Ok(())
}

/// Forgets a person's moment, when the person is absorbed.
pub fn disarm(tx: &mut Tx, person_id: i64) -> Result<(), DbError> {
    if let Some(row) = tx.get_mut::<Memberships>(person_id)? {
        row.arm(0);
    }
    tx.execute("DELETE FROM timers WHERE kind = $1 AND subject = $2", &[TIMER_KIND.into(), person_id.into()]).map(drop)
}

/// The next moment at which somebody must be looked at, or at which the near future must be read.
pub fn next_due(tx: &mut Tx) -> Result<Timestamp, DbError> {
    let timers = tx.memory::<Timers>()?;
    let first = timers.near.first().map_or(i64::MAX, |(due, _)| *due);
    Ok(Timestamp::from_micros(first.min(timers.horizon_us)))
}

/// Takes up to `limit` people whose moment has come.
pub fn take_due(tx: &mut Tx, limit: usize) -> Result<Vec<(Timestamp, i64)>, DbError> {
    let now_us = tx.now().micros();
    if tx.memory::<Timers>()?.horizon_us <= now_us {
        extend_horizon(tx, now_us)?;
    }
    let mut due = Vec::new();
    while due.len() < limit {
        let timers = tx.memory::<Timers>()?;
        let Some(&(due_us, person)) = timers.near.first().filter(|(due, _)| *due <= now_us) else { break };
        timers.near.pop_first();
        timers.removed.push((due_us, person));
        // One that was armed anew for another moment, or belongs to a person that was absorbed, is nobody's.
        let current = tx.get::<Memberships>(person)?.is_some_and(|row| row.armed_us == due_us);
        if current {
            if let Some(row) = tx.get_mut::<Memberships>(person)? {
                row.arm(0);
            }
            due.push((Timestamp::from_micros(due_us), person));
        }
        tx.execute(
            "DELETE FROM timers WHERE kind = $1 AND subject = $2 AND due_at <= $3",
            &[TIMER_KIND.into(), person.into(), due_us.into()],
        )?;
    }
    Ok(due)
}

fn extend_horizon(tx: &mut Tx, now_us: i64) -> Result<(), DbError> {
    // Rows that were armed beyond the old horizon may wait for their flush still.
    tx.flush_table::<Memberships>()?;
    let mut horizon = now_us + HOUR_US;
    let sql = "SELECT due_at, subject FROM timers WHERE kind = $1 AND due_at < $2 ORDER BY due_at, subject LIMIT $3";
    let rows = tx.rows(sql, &[TIMER_KIND.into(), horizon.into(), LOAD_MAX.into()])?;
    if rows.len() as i64 == LOAD_MAX
        && let Some(last) = rows.last()
    {
        // More than fit: the horizon is where they end, and moves on when these are worked off.
        horizon = last.int(0)?.max(now_us);
    }
    let entries = rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect::<Result<Vec<_>, DbError>>()?;
    let timers = tx.memory::<Timers>()?;
    timers.horizon_us = horizon.max(now_us + 1);
    for entry in entries {
        if timers.near.insert(entry) {
            timers.added.push(entry);
        }
    }
    Ok(())
}
