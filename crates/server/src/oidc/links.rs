//! Who is who at a provider, in the store; and which attempts came back already.
use crate::secrets::{hash_key, hex};
use base::Timestamp;
use db::{DbError, Engine, Row, Tx};

/// Somebody of a provider who is a user here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The provider.
    pub issuer: String,
    /// What it calls them.
    pub subject: String,
    /// Who they are here.
    pub user: i64,
    /// The address that the provider told last.
    pub email: String,
    /// When they were linked.
    pub linked_at: Timestamp,
    /// When they last signed in so.
    pub used_at: Timestamp,
}

const LINK: &str = "SELECT issuer, subject, user_id, email, linked_at, used_at FROM oidc_links";

fn link(row: &Row) -> Result<Link, DbError> {
    let time = |at: usize| row.int(at).map(Timestamp::from_micros);
    Ok(Link {
        issuer: row.text(0)?.into(),
        subject: row.text(1)?.into(),
        user: row.int(2)?,
        email: row.text(3)?.into(),
        linked_at: time(4)?,
        used_at: time(5)?,
    })
}

/// All links with a provider.
pub fn of_issuer(db: &mut Engine, issuer: &str) -> Result<Vec<Link>, DbError> {
    let sql = format!("{LINK} WHERE issuer = $1 ORDER BY user_id LIMIT 10000");
    db.rows(&sql, &[issuer.into()])?.iter().map(link).collect()
}

/// The link of a provider's subject.
pub fn find(tx: &mut Tx, issuer: &str, subject: &str) -> Result<Option<Link>, DbError> {
    let sql = format!("{LINK} WHERE issuer = $1 AND subject = $2");
    tx.first(&sql, &[issuer.into(), subject.into()])?.map(|r| link(&r)).transpose()
}

/// A user's link with a provider.
pub fn of_user(tx: &mut Tx, user: i64, issuer: &str) -> Result<Option<Link>, DbError> {
    let sql = format!("{LINK} WHERE user_id = $1 AND issuer = $2");
    tx.first(&sql, &[user.into(), issuer.into()])?.map(|r| link(&r)).transpose()
}

/// Links somebody.
pub fn add(tx: &mut Tx, (issuer, subject): (&str, &str), user: i64, email: &str) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql =
        "INSERT INTO oidc_links (issuer, subject, user_id, email, linked_at, used_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let params = [issuer.into(), subject.into(), user.into(), email.into(), now.into(), now.into()];
    tx.execute(sql, &params).map(drop)
}

/// Notes that a link was used, and what the provider says the address is now; `None` leaves it.
pub fn touch(tx: &mut Tx, (issuer, subject): (&str, &str), email: Option<&str>) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE oidc_links SET used_at = $1 WHERE issuer = $2 AND subject = $3";
    tx.execute(sql, &[now.into(), issuer.into(), subject.into()])?;
    let Some(email) = email else { return Ok(()) };
    let sql = "UPDATE oidc_links SET email = $1 WHERE issuer = $2 AND subject = $3";
    tx.execute(sql, &[email.into(), issuer.into(), subject.into()]).map(drop)
}

/// Takes a user's links away and ends the sessions that began with them; says how many links there were.
pub fn remove(tx: &mut Tx, user: i64) -> Result<u64, DbError> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND via = 'provider'", &[user.into()])?;
    tx.execute("DELETE FROM oidc_links WHERE user_id = $1", &[user.into()])
}

/// Uses an attempt up; `false` when it was used before. What can come back no more is forgotten.
pub fn use_up(tx: &mut Tx, state: &str, expires_at: Timestamp) -> Result<bool, DbError> {
    let (now, hash) = (tx.now().micros(), hex(&hash_key(state)));
    tx.execute("DELETE FROM oidc_used WHERE expires_at < $1", &[now.into()])?;
    if tx.first("SELECT state FROM oidc_used WHERE state = $1", &[(&hash).into()])?.is_some() {
        return Ok(false);
    }
    let sql = "INSERT INTO oidc_used (state, expires_at) VALUES ($1, $2)";
    tx.execute(sql, &[(&hash).into(), expires_at.micros().into()])?;
    Ok(true)
}
