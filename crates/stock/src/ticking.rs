//! What stock does by itself when its time has come: holds end, lots expire, people who wait are told. For the writer's ticker.
use crate::error::StockError;
use crate::{commands, lots, waiting};
use base::Timestamp;
use db::{DbError, Tx};

/// Holds and lots whose end is written down in one transaction.
const HOLDS: i64 = 256;
const LOTS: i64 = 32;

/// When [`tick`] has something to do next.
pub fn next_due(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    let due = [commands::next_expiry(tx)?, lots::next_expiry(tx)?, waiting::next_due(tx)?];
    Ok(due.into_iter().flatten().min())
}

/// Does a bounded piece of it.
pub fn tick(tx: &mut Tx) -> Result<Vec<commands::Broken>, DbError> {
    commands::expire(tx, HOLDS)?;
    let broken = lots::expire(tx, LOTS).map_err(unasked)?;
    waiting::advance(tx).map_err(unasked)?;
    Ok(broken)
}

/// Nobody asked for it, so nobody can be refused: whatever is refused here contradicts the books.
fn unasked(error: StockError) -> DbError {
    match error {
        StockError::Store(error) => error,
        other => DbError::damaged("stock", other),
    }
}
