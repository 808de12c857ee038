//! One-time links: somebody is invited, or gets a new password. The link is shown once, to the owner who made it, and mailed
//! where mail is set; only its hash is kept.
use crate::access::Role;
use crate::accounts::{list_of, list_text};
use crate::secrets::{hash_key, hex};
use base::{DAY_US, HOUR_US, Timestamp};
use db::{DbError, Engine, Row, Tx};

/// How long an invitation is good.
pub const INVITED_US: i64 = 7 * DAY_US;
/// How long a link for a new password is good.
pub const RESET_US: i64 = 24 * HOUR_US;

/// A link that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Number.
    pub id: i64,
    /// The user who gets a new password; 0 for somebody new.
    pub user: i64,
    /// Whose it is.
    pub email: String,
    /// As they are shown.
    pub name: String,
    /// What they will be.
    pub role: Role,
    /// The stores that they will serve.
    pub stores: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

const INVITATION: &str =
    "SELECT id, user_id, email, name, role, stores, created_by, created_at, expires_at, used_at FROM invitations";

fn invitation(row: &Row) -> Result<Invitation, DbError> {
    let time = |at: usize| row.int(at).map(Timestamp::from_micros);
    Ok(Invitation {
        id: row.int(0)?,
        user: row.int(1)?,
        email: row.text(2)?.into(),
        name: row.text(3)?.into(),
        role: Role::parse(row.text(4)?),
        stores: list_of(row.text(5)?)?,
        created_by: row.text(6)?.into(),
        created_at: time(7)?,
        expires_at: time(8)?,
        used_at: Some(time(9)?).filter(|t| t.micros() > 0),
    })
}

/// Links that wait, newest first.
pub fn open(db: &mut Engine, now: Timestamp) -> Result<Vec<Invitation>, DbError> {
    let sql = format!("{INVITATION} WHERE used_at = 0 AND expires_at > $1 ORDER BY id DESC LIMIT 1000");
    db.rows(&sql, &[now.micros().into()])?.iter().map(invitation).collect()
}

/// Adds a link; an older one for the same address is good no longer.
pub fn add(tx: &mut Tx, new: &Invitation, token: &str) -> Result<Invitation, DbError> {
    let (id, now) = (tx.next_id(), tx.now());
    tx.execute(
        "DELETE FROM invitations WHERE email = $1 OR expires_at < $2",
        &[(&new.email).into(), now.micros().into()],
    )?;
    let life = if new.user == 0 { INVITED_US } else { RESET_US };
    let made = Invitation { id, created_at: now, expires_at: now.plus(life), used_at: None, ..new.clone() };
    tx.execute(
        "INSERT INTO invitations (id, hash, user_id, email, name, role, stores, created_by, created_at, expires_at, used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
        &[
            id.into(),
            (&hex(&hash_key(token))).into(),
            made.user.into(),
            (&made.email).into(),
            (&made.name).into(),
            made.role.as_str().into(),
            (&list_text(&made.stores)).into(),
            (&made.created_by).into(),
            now.micros().into(),
            made.expires_at.micros().into(),
        ],
    )?;
    Ok(made)
}

/// The link of a token, if it is good.
pub fn find(tx: &mut Tx, token: &str) -> Result<Option<Invitation>, DbError> {
    let sql = format!("{INVITATION} WHERE hash = $1 AND used_at = 0 AND expires_at > $2");
    let now = tx.now().micros();
    tx.first(&sql, &[(&hex(&hash_key(token))).into(), now.into()])?.map(|r| invitation(&r)).transpose()
}

/// The invitation of somebody new by their address, if one waits.
pub fn find_for(tx: &mut Tx, email: &str) -> Result<Option<Invitation>, DbError> {
    let sql = format!("{INVITATION} WHERE email = $1 AND user_id = 0 AND used_at = 0 AND expires_at > $2");
    let now = tx.now().micros();
    tx.first(&sql, &[email.into(), now.into()])?.map(|r| invitation(&r)).transpose()
}

/// Uses a link up.
pub fn mark_used(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    let now = tx.now().micros();
    tx.execute("UPDATE invitations SET used_at = $1 WHERE id = $2", &[now.into(), id.into()]).map(drop)
}

/// Takes a link back; `None` when there is none that waits.
pub fn remove(tx: &mut Tx, id: i64) -> Result<Option<Invitation>, DbError> {
    let found = tx.first(&format!("{INVITATION} WHERE id = $1 AND used_at = 0"), &[id.into()])?;
    let found = found.map(|r| invitation(&r)).transpose()?;
    tx.execute("DELETE FROM invitations WHERE id = $1 AND used_at = 0", &[id.into()])?;
    Ok(found)
}
