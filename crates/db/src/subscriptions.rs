//! Readers of the log that remember how far they came, in the same transaction as what they did with it.
use crate::{DbError, Engine, Tx, log};

/// The seq up to which a subscription has read (exclusive); 1 for one that never read.
pub fn position(db: &mut Engine, name: &str) -> Result<i64, DbError> {
    let sql = "SELECT position FROM subscriptions WHERE name = $1 AND writer = $2";
    db.first(sql, &[name.into(), log::CUSTOMERS.into()])?.map_or(Ok(1), |r| r.int(0))
}

/// Notes that a subscription has read everything before `position`; never goes back.
pub fn advance(tx: &mut Tx, name: &str, position: i64) -> Result<(), DbError> {
    assert!(position <= tx.next_seq(), "a subscription cannot be past the log");
    tx.execute(
        "INSERT INTO subscriptions (name, writer, position) VALUES ($1, $2, $3) ON CONFLICT (name, writer) \
         DO UPDATE SET position = excluded.position WHERE subscriptions.position < excluded.position",
        &[name.into(), log::CUSTOMERS.into(), position.into()],
    )
    .map(drop)
}

/// All subscriptions with their positions.
pub fn all(db: &mut Engine) -> Result<Vec<(String, i64)>, DbError> {
    let rows = db.rows("SELECT name, position FROM subscriptions ORDER BY name", &[])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)?))).collect()
}
