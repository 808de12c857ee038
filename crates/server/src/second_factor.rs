//! A user's second factor in the store: the app's secret (sealed), the last code that was used, the recovery codes (hashed).
use crate::totp;
use crate::vault::{Vault, VaultError};
use db::{DbError, Engine, Tx};

/// Recovery codes that a user gets.
pub const CODES: usize = 10;
/// The columns of users that hold sealed values.
const SEALED: [&str; 2] = ["totp", "totp_pending"];

/// What a sealed secret is bound to.
pub fn bound_to(user: i64) -> String {
    format!("totp/{user}")
}

/// What is stored of a user's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The sealed secret; empty for none.
    pub sealed: String,
    /// A sealed secret that waits for its first code.
    pub pending: String,
    /// The step of the last code that was used.
    pub last_step: i64,
}

/// What is stored of a user.
pub fn find(tx: &mut Tx, user: i64) -> Result<Option<Stored>, DbError> {
    let row = tx.first("SELECT totp, totp_pending, totp_step FROM users WHERE id = $1", &[user.into()])?;
    row.map(|r| Ok(Stored { sealed: r.text(0)?.into(), pending: r.text(1)?.into(), last_step: r.int(2)? })).transpose()
}

/// Keeps a secret until its first code.
pub fn propose(tx: &mut Tx, user: i64, sealed: &str) -> Result<(), DbError> {
    tx.execute("UPDATE users SET totp_pending = $1 WHERE id = $2", &[sealed.into(), user.into()]).map(drop)
}

/// Turns the proposed secret on, with fresh recovery codes.
pub fn confirm(tx: &mut Tx, user: i64, step: i64, codes: &[String]) -> Result<(), DbError> {
    let sql = "UPDATE users SET totp = totp_pending, totp_pending = '', totp_step = $1 WHERE id = $2";
    tx.execute(sql, &[step.into(), user.into()])?;
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[user.into()])?;
    let hashes: Vec<String> = codes.iter().map(|c| totp::recovery_hash(user, c)).collect();
    let places: Vec<String> = (0..hashes.len()).map(|n| format!("($1, ${})", n + 2)).collect();
    let sql = format!("INSERT INTO recovery_codes (user_id, hash) VALUES {}", places.join(", "));
    let params: Vec<db::Value<'_>> = std::iter::once(user.into()).chain(hashes.iter().map(Into::into)).collect();
    tx.execute(&sql, &params).map(drop)
}

/// Takes the second factor away.
pub fn remove(tx: &mut Tx, user: i64) -> Result<(), DbError> {
    tx.execute("UPDATE users SET totp = '', totp_pending = '', totp_step = 0 WHERE id = $1", &[user.into()])?;
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[user.into()]).map(drop)
}

/// Checks a code of the app, or a recovery code, and uses it up: in one transaction, so that a code works once however
/// many send it at the same time.
pub fn take(tx: &mut Tx, user: i64, secret: &[u8], last_step: i64, given: &str) -> Result<bool, DbError> {
    let now_s = tx.now().micros().div_euclid(base::SECOND_US);
    if let Some(step) = totp::accepted(secret, given, now_s, last_step) {
        let sql = "UPDATE users SET totp_step = $1 WHERE id = $2 AND totp_step < $3";
        return Ok(tx.execute(sql, &[step.into(), user.into(), step.into()])? == 1);
    }
    let hash = totp::recovery_hash(user, given);
    let sql = "DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2";
    Ok(tx.execute(sql, &[user.into(), (&hash).into()])? == 1)
}

/// Seals everything with the newest key that was sealed with an older one; says how many values there were. Nobody else may
/// write meanwhile (the store's lock).
pub fn reseal(db: &mut Engine, vault: &Vault) -> Result<Result<u64, VaultError>, DbError> {
    let mut count = 0;
    for column in SEALED {
        let rows = db.rows(&format!("SELECT id, {column} FROM users WHERE {column} <> '' LIMIT 10000"), &[])?;
        for row in rows {
            let (id, sealed) = (row.int(0)?, row.text(1)?);
            if vault.is_newest(sealed) {
                continue;
            }
            let fresh = vault.open_text(&bound_to(id), sealed).and_then(|text| vault.seal(&bound_to(id), &text));
            let fresh = match fresh {
                Ok(fresh) => fresh,
                Err(error) => return Ok(Err(error)),
            };
            db.execute(&format!("UPDATE users SET {column} = $1 WHERE id = $2"), &[(&fresh).into(), id.into()])?;
            count += 1;
        }
    }
    Ok(Ok(count))
}
