//! Users and their sessions: what is stored of them, and the snapshot against which requests are checked.
use crate::access::Role;
use crate::app::App;
use crate::keys::ApiKey;
use crate::policy::Policy;
use crate::secrets::{KeyHash, hash_key, hex, unhex};
use axum::http::{HeaderMap, header};
use base::{MINUTE_US, Timestamp};
use db::{DbError, Engine, Migrations, Row, Tx, Value};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The tables of the server itself.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "server",
    steps: &[
        ("0001_accounts", include_str!("../migrations/0001_accounts.sql")),
        ("0002_access", include_str!("../migrations/0002_access.sql")),
        ("0003_webhooks", include_str!("../migrations/0003_webhooks.sql")),
        ("0004_redactable_audit", include_str!("../migrations/0004_redactable_audit.sql")),
        ("0005_exports", include_str!("../migrations/0005_exports.sql")),
        ("0006_moving", include_str!("../migrations/0006_moving.sql")),
        ("0008_views", include_str!("../migrations/0008_views.sql")),
        ("0009_oidc", include_str!("../migrations/0009_oidc.sql")),
        ("0010_rollout", include_str!("../migrations/0010_rollout.sql")),
        ("0011_erp", include_str!("../migrations/0011_erp.sql")),
        ("0013_erp_ids", include_str!("../migrations/0013_erp_ids.sql")),
    ],
};

/// Users, at most: all of them are in memory.
pub const USERS_MAX: i64 = 10_000;
/// Sessions of one user, at most; the oldest goes.
const SESSIONS_MAX: i64 = 20;

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
    /// The stores that they serve; means something for roles that keep to stores.
    pub stores: Arc<[String]>,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether they have a second factor.
    pub totp: bool,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they set their password; 0 for one that was given to them.
    pub password_at: Timestamp,
    /// Whether they have a password at all; who was added by the identity provider has none.
    pub has_password: bool,
}

/// How a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignedInBy)]
pub enum Via {
    /// With a password.
    Password,
    /// At the shop's identity provider.
    Provider,
}

impl Via {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Password => "password",
            Via::Provider => "provider",
        }
    }
}

/// From where and how somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address as it is counted.
    pub address: String,
    /// The program.
    pub agent: String,
    /// How.
    pub via: Via,
}

impl Origin {
    fn new(address: &str, headers: &HeaderMap, via: Via) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("");
        let agent = agent.chars().filter(|c| !c.is_control()).take(200).collect();
        Self { address: address.into(), agent, via }
    }
    /// Of somebody with a password.
    pub fn of_password(address: &str, headers: &HeaderMap) -> Self {
        Self::new(address, headers, Via::Password)
    }
    /// Of somebody whom the identity provider sends.
    pub fn of_provider(address: &str, headers: &HeaderMap) -> Self {
        Self::new(address, headers, Via::Provider)
    }
}

/// Where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Half of the token's hash: names the session, opens nothing.
    pub id: String,
    /// Whose.
    pub user: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// The last moment at which it is good, however busy.
    pub expires_at: Timestamp,
    /// When it was last used, as far as that is written.
    pub seen_at: Timestamp,
    /// From which address it began.
    pub address: String,
    /// With which program.
    pub agent: String,
    /// How it began.
    pub via: Via,
}

/// Everything against which a request is checked, in memory.
#[derive(Debug, Default)]
pub struct Snapshot {
    keys: HashMap<KeyHash, ApiKey>,
    sessions: HashMap<KeyHash, Session>,
    users: HashMap<i64, User>,
    /// The shop's rules of access.
    pub policy: Policy,
    /// Its identity provider.
    pub oidc: crate::oidc::Settings,
    /// Its name and stores.
    pub shop: crate::shop::Profile,
}

impl Snapshot {
    /// Reads it from the database.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let (policy, shop) = (Policy::load(db)?, crate::shop::Profile::load(db)?);
        let oidc = crate::oidc::Settings::load(db)?;
        let mut out = Self { policy, shop, oidc, ..Self::default() };
        for (hash, key) in crate::keys::with_hashes(db)? {
            out.keys.insert(hash, key);
        }
        for row in db.rows(&format!("{SESSIONS} LIMIT 200000"), &[])? {
            let hash = unhex(row.text(0)?).ok_or_else(|| DbError::damaged("sessions", "a hash is cut"))?;
            out.sessions.insert(hash, session(&row)?);
        }
        for user in users(db)? {
            out.users.insert(user.id, user);
        }
        Ok(out)
    }
    /// The key that a request shows, if it has not ended.
    pub fn key(&self, key: &str, now: Timestamp) -> Option<&ApiKey> {
        self.keys.get(&hash_key(key)).filter(|k| k.expires_at.is_none_or(|end| end > now))
    }
    /// Who is signed in with a token: not beyond the session's end, nor after too long a rest. `touched` is when the session
    /// was last used, if that was in this program's life.
    pub fn session(&self, token: &str, now: Timestamp, touches: &Touches) -> Option<(&User, &Session)> {
        let session = self.sessions.get(&hash_key(token))?;
        let seen = touches.of_session(&session.id).unwrap_or(session.seen_at).max(session.seen_at);
        let rested = now.micros() - seen.max(session.created_at).micros() > self.policy.idle_minutes * MINUTE_US;
        if session.expires_at <= now || rested {
            return None;
        }
        let user = self.users.get(&session.user).filter(|u| u.active)?;
        Some((user, session))
    }
    /// A user's sessions, newest first.
    pub fn sessions_of(&self, user: i64) -> Vec<Session> {
        let mut out: Vec<Session> = self.sessions.values().filter(|s| s.user == user).cloned().collect();
        out.sort_by_key(|s| std::cmp::Reverse(s.created_at));
        out
    }
    /// A user by number.
    pub fn user(&self, id: i64) -> Option<&User> {
        self.users.get(&id)
    }
    /// All users.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }
}

/// When sessions and keys were last used: kept in memory, written by minutes.
#[derive(Debug, Default)]
pub struct Touches(Mutex<Touched>);

#[derive(Debug, Default)]
struct Touched {
    sessions: HashMap<String, Timestamp>,
    keys: HashMap<i64, Timestamp>,
    fresh_sessions: HashSet<String>,
    fresh_keys: HashSet<i64>,
    written_at: Timestamp,
}

impl Touches {
    /// Notes that a session was used.
    pub fn session(&self, id: &str, now: Timestamp) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = inner.sessions.get_mut(id) {
            *at = now;
        } else {
            inner.sessions.insert(id.to_string(), now);
        }
        if !inner.fresh_sessions.contains(id) {
            inner.fresh_sessions.insert(id.to_string());
        }
    }
    /// Notes that a key was used.
    pub fn key(&self, id: i64, now: Timestamp) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.keys.insert(id, now);
        inner.fresh_keys.insert(id);
    }
    fn of_session(&self, id: &str) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sessions.get(id).copied()
    }
    /// When a session was last used.
    pub fn session_at(&self, session: &Session) -> Timestamp {
        self.of_session(&session.id).unwrap_or(session.seen_at).max(session.seen_at)
    }
    /// When a key was last used, if that was lately.
    pub fn key_at(&self, id: i64) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys.get(&id).copied()
    }
}

/// Writes which sessions and keys were used in the last minute: one statement each, whose time is the minute's end.
pub async fn touched(app: &Arc<App>) {
    let now = app.now();
    let (sessions, keys) = {
        let mut inner = app.touches.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.micros() - inner.written_at.micros() < MINUTE_US {
            return;
        }
        inner.written_at = now;
        (std::mem::take(&mut inner.fresh_sessions), std::mem::take(&mut inner.fresh_keys))
    };
    if sessions.is_empty() && keys.is_empty() {
        return;
    }
    let known = app.accounts();
    let hashes = known.sessions.iter().filter(|(_, s)| sessions.contains(&s.id)).map(|(hash, _)| hex(hash));
    let hashes: Vec<String> = hashes.collect();
    let keys: Vec<i64> = keys.into_iter().collect();
    let at = now.micros();
    let places = |n: usize| (2..n + 2).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let done = app.write(move |tx| {
        for chunk in hashes.chunks(200) {
            let sql = format!("UPDATE sessions SET seen_at = $1 WHERE token IN ({})", places(chunk.len()));
            let params: Vec<Value<'_>> = std::iter::once(at.into()).chain(chunk.iter().map(Into::into)).collect();
            tx.execute(&sql, &params)?;
        }
        for chunk in keys.chunks(200) {
            let sql = format!("UPDATE api_keys SET used_at = $1 WHERE id IN ({})", places(chunk.len()));
            let params: Vec<Value<'_>> = std::iter::once(at.into()).chain(chunk.iter().map(|k| (*k).into())).collect();
            tx.execute(&sql, &params)?;
        }
        Ok(())
    });
    if let Err(problem) = done.await {
        tracing::warn!(error = %problem.detail, "when keys were used could not be written");
    }
}

const SESSIONS: &str = "SELECT token, user_id, created_at, expires_at, seen_at, address, agent, via FROM sessions";
const USER: &str = "SELECT id, email, name, role, created_at, stores, active, totp, password_at, password FROM users";

fn session(row: &Row) -> Result<Session, DbError> {
    let time = |at: usize| row.int(at).map(Timestamp::from_micros);
    Ok(Session {
        id: row.text(0)?.chars().take(32).collect(),
        user: row.int(1)?,
        created_at: time(2)?,
        expires_at: time(3)?,
        seen_at: time(4)?,
        address: row.text(5)?.into(),
        agent: row.text(6)?.into(),
        via: if row.text(7)? == Via::Provider.as_str() { Via::Provider } else { Via::Password },
    })
}

/// A list of texts as it is stored.
pub fn list_text(items: &[String]) -> String {
    serde_json::Value::from(items.to_vec()).to_string()
}

/// The inverse of [`list_text`].
pub fn list_of(text: &str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(text).map_err(|e| DbError::damaged("a list", e))
}

fn user(row: &Row) -> Result<User, DbError> {
    Ok(User {
        id: row.int(0)?,
        email: row.text(1)?.into(),
        name: row.text(2)?.into(),
        role: Role::parse(row.text(3)?),
        created_at: Timestamp::from_micros(row.int(4)?),
        stores: list_of(row.text(5)?)?.into(),
        active: row.int(6)? != 0,
        totp: !row.text(7)?.is_empty(),
        password_at: Timestamp::from_micros(row.int(8)?),
        has_password: !row.text(9)?.is_empty(),
    })
}

/// All users, oldest first.
pub fn users(db: &mut Engine) -> Result<Vec<User>, DbError> {
    let rows = db.rows(&format!("{USER} ORDER BY id LIMIT $1"), &[USERS_MAX.into()])?;
    rows.iter().map(user).collect()
}

/// A user with their password's hash, by address.
pub fn find_login(db: &mut Engine, email: &str) -> Result<Option<(User, String)>, DbError> {
    let row = db.first(&format!("{USER} WHERE email = $1"), &[email.into()])?;
    row.map(|r| Ok((user(&r)?, r.text(9)?.to_string()))).transpose()
}

/// A user by number.
pub fn find_user(tx: &mut Tx, id: i64) -> Result<Option<User>, DbError> {
    tx.first(&format!("{USER} WHERE id = $1"), &[id.into()])?.map(|r| user(&r)).transpose()
}

/// A user by address.
pub fn find_by_email(tx: &mut Tx, email: &str) -> Result<Option<User>, DbError> {
    tx.first(&format!("{USER} WHERE email = $1"), &[email.into()])?.map(|r| user(&r)).transpose()
}

/// How many users there are.
pub fn count(tx: &mut Tx) -> Result<i64, DbError> {
    tx.first("SELECT CAST(COUNT(*) AS BIGINT) FROM users", &[])?.map_or(Ok(0), |r| r.int(0))
}

/// Somebody who is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Normalised address.
    pub email: String,
    /// As it is shown.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// The stores that they serve.
    pub stores: Vec<String>,
    /// The password's hash; empty for somebody who signs in elsewhere.
    pub password: String,
    /// Whether they chose the password themselves.
    pub own_password: bool,
}

/// Adds a user; `None` when the address is taken.
pub fn add_user(tx: &mut Tx, new: &NewUser) -> Result<Option<User>, DbError> {
    if tx.first("SELECT id FROM users WHERE email = $1", &[(&new.email).into()])?.is_some() {
        return Ok(None);
    }
    let (id, now) = (tx.next_id(), tx.now().micros());
    tx.execute(
        "INSERT INTO users (id, email, name, role, password, created_at, stores, password_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            id.into(),
            (&new.email).into(),
            (&new.name).into(),
            new.role.as_str().into(),
            (&new.password).into(),
            now.into(),
            (&list_text(&new.stores)).into(),
            (if new.own_password { now } else { 0 }).into(),
        ],
    )?;
    find_user(tx, id)
}

/// Changes name, role, stores and whether they may sign in.
pub fn change_user(tx: &mut Tx, user: &User) -> Result<(), DbError> {
    tx.execute(
        "UPDATE users SET name = $1, role = $2, stores = $3, active = $4 WHERE id = $5",
        &[
            (&user.name).into(),
            user.role.as_str().into(),
            (&list_text(&user.stores)).into(),
            i64::from(user.active).into(),
            user.id.into(),
        ],
    )?;
    if !user.active {
        tx.execute("DELETE FROM sessions WHERE user_id = $1", &[user.id.into()])?;
    }
    Ok(())
}

/// Owners who may sign in with a password, without one user: the last one must stay, or nobody comes in when an identity
/// provider is away.
pub fn other_owners(tx: &mut Tx, but: i64) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM users WHERE role = 'owner' AND active = 1 AND password <> '' AND id <> $1";
    tx.first(sql, &[but.into()])?.map_or(Ok(0), |r| r.int(0))
}

/// Sets a password that its user chose, and ends all their sessions but one.
pub fn set_password(tx: &mut Tx, user: i64, hash: &str, keep: Option<&str>) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE users SET password = $1, password_at = $2 WHERE id = $3";
    tx.execute(sql, &[hash.into(), now.into(), user.into()])?;
    end_sessions(tx, user, keep)
}

/// Ends a user's sessions, but for the one with this token.
pub fn end_sessions(tx: &mut Tx, user: i64, keep: Option<&str>) -> Result<(), DbError> {
    let keep = keep.map(|t| hex(&hash_key(t))).unwrap_or_default();
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND token <> $2";
    tx.execute(sql, &[user.into(), (&keep).into()]).map(drop)
}

/// Notes that somebody signed in; sessions that have ended go, and the oldest of too many.
pub fn add_session(tx: &mut Tx, user: i64, token: &str, days: i64, from: &Origin) -> Result<(), DbError> {
    let now = tx.now().micros();
    tx.execute("DELETE FROM sessions WHERE expires_at <= $1", &[now.into()])?;
    let old = "DELETE FROM sessions WHERE user_id = $1 AND token NOT IN \
               (SELECT token FROM sessions WHERE user_id = $2 ORDER BY created_at DESC, token LIMIT $3)";
    tx.execute(old, &[user.into(), user.into(), (SESSIONS_MAX - 1).into()])?;
    tx.execute(
        "INSERT INTO sessions (token, user_id, created_at, expires_at, seen_at, address, agent, via) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            (&hex(&hash_key(token))).into(),
            user.into(),
            now.into(),
            (now + days * base::DAY_US).into(),
            now.into(),
            (&from.address).into(),
            (&from.agent).into(),
            from.via.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Signs somebody out.
pub fn remove_session(tx: &mut Tx, token: &str) -> Result<(), DbError> {
    tx.execute("DELETE FROM sessions WHERE token = $1", &[(&hex(&hash_key(token))).into()])?;
    Ok(())
}

/// Ends one of a user's sessions by its id; `false` when there is none.
pub fn end_session(tx: &mut Tx, user: i64, id: &str) -> Result<bool, DbError> {
    let end = format!("{id}g");
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND token >= $2 AND token < $3";
    Ok(tx.execute(sql, &[user.into(), id.into(), (&end).into()])? > 0)
}
