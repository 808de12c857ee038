//! Users, sessions and API keys: what is stored of them, and the snapshot against which requests are checked.
use crate::access::Role;
use crate::secrets::{KeyHash, hash_key, hex, unhex};
use base::{DAY_US, Timestamp};
use db::{DbError, Engine, Migrations, Tx};
use std::collections::HashMap;

/// The tables of the server itself.
pub const MIGRATIONS: Migrations =
    Migrations { owner: "server", steps: &[("0001_accounts", include_str!("../migrations/0001_accounts.sql"))] };

/// How long somebody stays signed in.
pub const SESSION_US: i64 = 14 * DAY_US;

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Number.
    pub id: i64,
    /// Normalised address.
    pub email: String,
    /// As it is shown.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// When they were added.
    pub created_at: Timestamp,
}

/// A program's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Number.
    pub id: i64,
    /// As it is shown.
    pub name: String,
    /// First letters of the key.
    pub prefix: String,
    /// What it may.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Everything against which a request is checked, in memory.
#[derive(Debug, Default)]
pub struct Snapshot {
    keys: HashMap<KeyHash, ApiKey>,
    sessions: HashMap<KeyHash, (i64, Timestamp)>,
    users: HashMap<i64, User>,
}

impl Snapshot {
    /// Reads it from the database.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self::default();
        for row in db.rows("SELECT id, name, prefix, role, created_at, hash FROM api_keys", &[])? {
            let hash = unhex(row.text(5)?).ok_or_else(|| DbError::damaged("api_keys", "a hash is cut"))?;
            out.keys.insert(hash, api_key(&row)?);
        }
        for row in db.rows("SELECT token, user_id, expires_at FROM sessions", &[])? {
            let hash = unhex(row.text(0)?).ok_or_else(|| DbError::damaged("sessions", "a hash is cut"))?;
            out.sessions.insert(hash, (row.int(1)?, Timestamp::from_micros(row.int(2)?)));
        }
        for row in db.rows("SELECT id, email, name, role, created_at FROM users", &[])? {
            let user = user(&row)?;
            out.users.insert(user.id, user);
        }
        Ok(out)
    }
    /// The key that a request shows.
    pub fn key(&self, key: &str) -> Option<&ApiKey> {
        self.keys.get(&hash_key(key))
    }
    /// Who is signed in with a token.
    pub fn session(&self, token: &str, now: Timestamp) -> Option<&User> {
        let (user, expires_at) = self.sessions.get(&hash_key(token))?;
        (*expires_at > now).then(|| self.users.get(user)).flatten()
    }
}

fn user(row: &db::Row) -> Result<User, DbError> {
    Ok(User {
        id: row.int(0)?,
        email: row.text(1)?.into(),
        name: row.text(2)?.into(),
        role: Role::parse(row.text(3)?),
        created_at: Timestamp::from_micros(row.int(4)?),
    })
}

fn api_key(row: &db::Row) -> Result<ApiKey, DbError> {
    Ok(ApiKey {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        prefix: row.text(2)?.into(),
        role: Role::parse(row.text(3)?),
        created_at: Timestamp::from_micros(row.int(4)?),
    })
}

/// All users, oldest first.
pub fn users(db: &mut Engine) -> Result<Vec<User>, DbError> {
    let rows = db.rows("SELECT id, email, name, role, created_at FROM users ORDER BY id LIMIT 1000", &[])?;
    rows.iter().map(user).collect()
}

/// All keys, oldest first.
pub fn api_keys(db: &mut Engine) -> Result<Vec<ApiKey>, DbError> {
    let rows = db.rows("SELECT id, name, prefix, role, created_at FROM api_keys ORDER BY id LIMIT 1000", &[])?;
    rows.iter().map(api_key).collect()
}

/// A user with their password's hash, by address.
pub fn find_login(db: &mut Engine, email: &str) -> Result<Option<(User, String)>, DbError> {
    let sql = "SELECT id, email, name, role, created_at, password FROM users WHERE email = $1";
    let row = db.first(sql, &[email.into()])?;
    row.map(|r| Ok((user(&r)?, r.text(5)?.to_string()))).transpose()
}

/// Adds a user; `None` when the address is taken.
pub fn add_user(tx: &mut Tx, email: &str, name: &str, role: Role, password: &str) -> Result<Option<User>, DbError> {
    if tx.first("SELECT id FROM users WHERE email = $1", &[email.into()])?.is_some() {
        return Ok(None);
    }
    let (id, created_at) = (tx.next_id(), tx.now());
    tx.execute(
        "INSERT INTO users (id, email, name, role, password, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[id.into(), email.into(), name.into(), role.as_str().into(), password.into(), created_at.micros().into()],
    )?;
    Ok(Some(User { id, email: email.into(), name: name.into(), role, created_at }))
}

/// Adds a key whose hash is given.
pub fn add_api_key(tx: &mut Tx, name: &str, role: Role, key: &crate::secrets::NewKey) -> Result<ApiKey, DbError> {
    let (id, created_at) = (tx.next_id(), tx.now());
    tx.execute(
        "INSERT INTO api_keys (id, name, prefix, hash, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            id.into(),
            name.into(),
            (&key.prefix).into(),
            (&key.hash).into(),
            role.as_str().into(),
            created_at.micros().into(),
        ],
    )?;
    Ok(ApiKey { id, name: name.into(), prefix: key.prefix.clone(), role, created_at })
}

/// Removes a key; gives what it was.
pub fn remove_api_key(tx: &mut Tx, id: i64) -> Result<Option<ApiKey>, DbError> {
    let sql = "SELECT id, name, prefix, role, created_at FROM api_keys WHERE id = $1";
    let Some(row) = tx.first(sql, &[id.into()])? else { return Ok(None) };
    let found = api_key(&row)?;
    tx.execute("DELETE FROM api_keys WHERE id = $1", &[id.into()])?;
    Ok(Some(found))
}

/// Notes that somebody signed in; sessions that have ended go.
pub fn add_session(tx: &mut Tx, user: i64, token: &str) -> Result<(), DbError> {
    let now = tx.now().micros();
    tx.execute("DELETE FROM sessions WHERE expires_at <= $1", &[now.into()])?;
    tx.execute(
        "INSERT INTO sessions (token, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        &[(&hex(&hash_key(token))).into(), user.into(), now.into(), (now + SESSION_US).into()],
    )?;
    Ok(())
}

/// Signs somebody out.
pub fn remove_session(tx: &mut Tx, token: &str) -> Result<(), DbError> {
    tx.execute("DELETE FROM sessions WHERE token = $1", &[(&hex(&hash_key(token))).into()])?;
    Ok(())
}
