//! Which jobs are open: few, so they are in memory, and asking what is due costs no query.
use super::State;
use crate::tx::Memory;
use crate::{DbError, Engine, Tx};

/// Open jobs that are looked at; more wait for their turn.
const OPEN_MAX: i64 = 1_000;

/// An open job, briefly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: i64,
    pub kind: String,
    pub state: State,
    /// Microseconds UTC; 0 = at once.
    pub not_before: i64,
}

/// Open jobs by age.
#[derive(Debug, Default)]
struct Open {
    list: Vec<Waiting>,
    /// What the list becomes with the running group.
    fresh: Option<Vec<Waiting>>,
}

impl Memory for Open {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        Ok(Self { list: load(db)?, fresh: None })
    }
    fn commit(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            self.list = fresh;
        }
    }
    fn rollback(&mut self) {
        self.fresh = None;
    }
}

fn load(db: &mut Engine) -> Result<Vec<Waiting>, DbError> {
    let sql = "SELECT id, kind, state, not_before FROM jobs WHERE state IN ('queued', 'running') ORDER BY id LIMIT $1";
    let rows = db.rows(sql, &[OPEN_MAX.into()])?;
    rows.iter()
        .map(|r| {
            let state = if r.text(2)? == "queued" { State::Queued } else { State::Running };
            Ok(Waiting { id: r.int(0)?, kind: r.text(1)?.into(), state, not_before: r.int(3)? })
        })
        .collect()
}

/// The open jobs, oldest first.
pub fn open(tx: &mut Tx) -> Result<&[Waiting], DbError> {
    let open = tx.memory::<Open>()?;
    Ok(open.fresh.as_deref().unwrap_or(&open.list))
}

/// Reads the open jobs again; for those who change `jobs` by SQL of their own.
pub fn changed(tx: &mut Tx) -> Result<(), DbError> {
    // What is read here is what this transaction sees; it becomes lasting with it.
    tx.memory::<Open>()?;
    let fresh = load(tx.engine())?;
    tx.memory::<Open>()?.fresh = Some(fresh);
    Ok(())
}
