//! Endpoints: who gets what, with which secret, and how they fare.
use super::filter::Filter;
use super::gather::Places;
use crate::vault::{Vault, VaultError};
use base::Timestamp;
use connect::webhook::Secret;
use db::{DbError, Engine, Row, Tx};
use serde::{Deserialize, Serialize};

/// Whether an endpoint gets anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does.
    Active,
    /// Somebody stopped it for a while: deliveries are queued and wait.
    Paused,
    /// It failed for too long, said that it is gone, or its queue overflowed: nothing is queued.
    Disabled,
}

impl State {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
    fn parse(text: &str) -> Result<Self, DbError> {
        let known = [Self::Active, Self::Paused, Self::Disabled].into_iter().find(|s| s.as_str() == text);
        known.ok_or_else(|| DbError::damaged("webhook_endpoints", format!("{text:?} is no state")))
    }
}

/// Somebody who gets webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Number.
    pub id: i64,
    /// As people call it.
    pub name: String,
    /// Where.
    pub url: String,
    /// What.
    pub filter: Filter,
    /// Sealed.
    pub secret: String,
    /// Sealed; empty where there is none.
    pub old_secret: String,
    /// Until when the old secret signs too.
    pub old_until: Timestamp,
    /// Whether it gets anything.
    pub state: State,
    /// Why it is disabled: `gone`, `failing`, `overflow`.
    pub reason: String,
    /// Nothing from before goes there.
    pub since: Timestamp,
    /// Attempts in a row that failed.
    pub failures: i64,
    /// Since when all failed.
    pub failing_since: Option<Timestamp>,
    /// Nobody asks before.
    pub blocked_until: Timestamp,
    /// The last attempt.
    pub last_at: Option<Timestamp>,
    /// Its answer; 0 = none.
    pub last_status: i64,
    /// Why there was none.
    pub last_error: String,
    /// Rises with every change by a person.
    pub version: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When a person changed it last.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// As the audit holds it: no secret, and of the URL no query, which may hold one.
    pub fn audited(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name, "url": shown_url(&self.url), "filter": self.filter, "state": self.state, "reason": self.reason,
        })
    }
    /// The secrets that sign at a moment, the newest first.
    pub fn secrets(&self, vault: &Vault, now: Timestamp) -> Result<Vec<Secret>, VaultError> {
        let mut out = vec![open(vault, self.id, &self.secret)?];
        if !self.old_secret.is_empty() && now < self.old_until {
            out.push(open(vault, self.id, &self.old_secret)?);
        }
        Ok(out)
    }
}

/// A URL without what stands behind its path.
pub fn shown_url(url: &str) -> String {
    match url.split_once(['?', '#']) {
        Some((before, _)) => format!("{before}?…"),
        None => url.to_string(),
    }
}

fn bound_to(id: i64) -> String {
    format!("webhook/{id}")
}

fn open(vault: &Vault, id: i64, sealed: &str) -> Result<Secret, VaultError> {
    Secret::parse(&vault.open_text(&bound_to(id), sealed)?).map_err(|_| VaultError::Closed)
}

/// Seals a secret for an endpoint.
pub fn seal(vault: &Vault, id: i64, secret: &Secret) -> Result<String, VaultError> {
    vault.seal(&bound_to(id), &secret.reveal())
}

/// Seals every secret that is not sealed with the newest key again; gives how many.
pub fn reseal(db: &mut Engine, vault: &Vault) -> Result<Result<u64, VaultError>, DbError> {
    let mut count = 0;
    for column in ["secret", "old_secret"] {
        let sql = format!("SELECT id, {column} FROM webhook_endpoints WHERE {column} <> '' LIMIT 10000");
        for row in db.rows(&sql, &[])? {
            let (id, sealed) = (row.int(0)?, row.text(1)?);
            if vault.is_newest(sealed) {
                continue;
            }
            let fresh = vault.open_text(&bound_to(id), sealed).and_then(|text| vault.seal(&bound_to(id), &text));
            let fresh = match fresh {
                Ok(fresh) => fresh,
                Err(error) => return Ok(Err(error)),
            };
            let sql = format!("UPDATE webhook_endpoints SET {column} = $1 WHERE id = $2");
            db.execute(&sql, &[(&fresh).into(), id.into()])?;
            count += 1;
        }
    }
    Ok(Ok(count))
}

const COLUMNS: &str = "id, name, url, filter, secret, old_secret, old_until, state, reason, since, failures, failing_since, \
                       blocked_until, last_at, last_status, last_error, version, created_by, created_at, updated_at";

fn read(row: &Row) -> Result<Endpoint, DbError> {
    let time = |at: usize| row.int(at).map(Timestamp::from_micros);
    let some = |at: usize| time(at).map(|t| Some(t).filter(|t| t.micros() > 0));
    Ok(Endpoint {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        url: row.text(2)?.into(),
        filter: serde_json::from_str(row.text(3)?).map_err(|e| DbError::damaged("webhook_endpoints", e))?,
        secret: row.text(4)?.into(),
        old_secret: row.text(5)?.into(),
        old_until: time(6)?,
        state: State::parse(row.text(7)?)?,
        reason: row.text(8)?.into(),
        since: time(9)?,
        failures: row.int(10)?,
        failing_since: some(11)?,
        blocked_until: time(12)?,
        last_at: some(13)?,
        last_status: row.int(14)?,
        last_error: row.text(15)?.into(),
        version: row.int(16)?,
        created_by: row.text(17)?.into(),
        created_at: time(18)?,
        updated_at: time(19)?,
    })
}

/// All endpoints, oldest first.
pub fn list(db: &mut Engine) -> Result<Vec<Endpoint>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook_endpoints ORDER BY id LIMIT 1000");
    db.rows(&sql, &[])?.iter().map(read).collect()
}

/// An endpoint by number.
pub fn find(db: &mut Engine, id: i64) -> Result<Option<Endpoint>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE id = $1");
    db.first(&sql, &[id.into()])?.as_ref().map(read).transpose()
}

/// Whether anybody gets anything now, paused ones included.
pub fn any(db: &mut Engine) -> Result<bool, DbError> {
    Ok(db.first("SELECT id FROM webhook_endpoints WHERE state <> 'disabled' LIMIT 1", &[])?.is_some())
}

/// What a person says of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As people call it.
    pub name: String,
    /// Where, checked.
    pub url: String,
    /// What, checked.
    pub filter: Filter,
}

/// Begins at the present where nobody listened: the past is told to nobody.
fn begin(tx: &mut Tx) -> Result<(), DbError> {
    if !any(tx.engine())? {
        Places::now(tx).write(tx)?;
    }
    Ok(())
}

/// Adds an endpoint with a secret that `seal` seals for its number.
pub fn add(
    tx: &mut Tx,
    wanted: &Wanted,
    by: &str,
    seal: &dyn Fn(i64) -> Result<String, VaultError>,
) -> Result<Result<Endpoint, VaultError>, DbError> {
    // The number is drawn before anything is written, so that a vault which refuses leaves nothing behind.
    let (id, now) = (tx.next_id(), tx.now().micros());
    let secret = match seal(id) {
        Ok(secret) => secret,
        Err(error) => return Ok(Err(error)),
    };
    begin(tx)?;
    tx.execute(
        "INSERT INTO webhook_endpoints (id, name, url, filter, secret, old_secret, old_until, state, reason, since, \
         failures, failing_since, blocked_until, last_at, last_status, last_error, version, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, '', 0, 'active', '', $6, 0, 0, 0, 0, 0, '', 1, $7, $6, $6)",
        &[
            id.into(),
            (&wanted.name).into(),
            (&wanted.url).into(),
            (&filter_text(&wanted.filter)).into(),
            (&secret).into(),
            now.into(),
            by.into(),
        ],
    )?;
    Ok(Ok(expect(tx, id)?))
}

fn filter_text(filter: &Filter) -> String {
    serde_json::to_string(filter).unwrap_or_else(|e| panic!("a filter serializes: {e}"))
}

fn expect(tx: &mut Tx, id: i64) -> Result<Endpoint, DbError> {
    find(tx.engine(), id)?.ok_or_else(|| DbError::damaged("webhook_endpoints", "a row is not there"))
}

/// Changes what a person says of an endpoint. A new URL is a new server: its failures are forgotten.
pub fn update(tx: &mut Tx, before: &Endpoint, wanted: &Wanted) -> Result<Endpoint, DbError> {
    let now = tx.now().micros();
    let health = if before.url == wanted.url { "" } else { ", failures = 0, failing_since = 0, blocked_until = 0" };
    tx.execute(
        &format!(
            "UPDATE webhook_endpoints SET name = $2, url = $3, filter = $4, version = version + 1, updated_at = $5{health} \
             WHERE id = $1"
        ),
        &[
            before.id.into(),
            (&wanted.name).into(),
            (&wanted.url).into(),
            (&filter_text(&wanted.filter)).into(),
            now.into(),
        ],
    )?;
    expect(tx, before.id)
}

/// Takes an endpoint away with its queue.
pub fn remove(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    for sql in [
        "DELETE FROM webhook_attempts WHERE delivery_id IN (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1)",
        "DELETE FROM webhook_deliveries WHERE endpoint_id = $1",
        "DELETE FROM webhook_endpoints WHERE id = $1",
    ] {
        tx.execute(sql, &[id.into()])?;
    }
    Ok(())
}

/// Endpoints that Braid disabled because of what they answered: number and name, by name.
pub fn disabled(db: &mut Engine) -> Result<Vec<(i64, String)>, DbError> {
    let sql =
        "SELECT id, name FROM webhook_endpoints WHERE state = 'disabled' AND reason <> '' ORDER BY name, id LIMIT 100";
    db.rows(sql, &[])?.iter().map(|r| Ok((r.int(0)?, r.text(1)?.into()))).collect()
}

/// Pauses an endpoint, or lets it go on: what waited goes out, what was not queued while it was disabled does not.
pub fn set_state(tx: &mut Tx, before: &Endpoint, state: State) -> Result<Endpoint, DbError> {
    let now = tx.now().micros();
    let since = if before.state == State::Disabled { now } else { before.since.micros() };
    if before.state == State::Disabled {
        begin(tx)?;
    }
    tx.execute(
        "UPDATE webhook_endpoints SET state = $2, reason = '', since = $3, failures = 0, failing_since = 0, \
         blocked_until = 0, version = version + 1, updated_at = $4 WHERE id = $1",
        &[before.id.into(), state.as_str().into(), since.into(), now.into()],
    )?;
    expect(tx, before.id)
}

/// Gives an endpoint a new secret; the one before signs too until `until`.
pub fn rotate(tx: &mut Tx, before: &Endpoint, sealed: &str, until: Timestamp) -> Result<Endpoint, DbError> {
    let now = tx.now().micros();
    tx.execute(
        "UPDATE webhook_endpoints SET old_secret = secret, old_until = $3, secret = $2, version = version + 1, \
         updated_at = $4 WHERE id = $1",
        &[before.id.into(), sealed.into(), until.micros().into(), now.into()],
    )?;
    expect(tx, before.id)
}

/// Disables an endpoint because of how it fares, with a line in the audit. `false` when it was already.
pub fn disable(tx: &mut Tx, id: i64, reason: &str) -> Result<bool, DbError> {
    let Some(before) = find(tx.engine(), id)?.filter(|e| e.state != State::Disabled) else { return Ok(false) };
    let now = tx.now().micros();
    tx.execute(
        "UPDATE webhook_endpoints SET state = 'disabled', reason = $2, updated_at = $3 WHERE id = $1",
        &[id.into(), reason.into(), now.into()],
    )?;
    let after = expect(tx, id)?;
    crate::audit::note(
        tx,
        "braid",
        ("disable", "webhook"),
        &id.to_string(),
        Some(&before.audited()),
        Some(&after.audited()),
    )?;
    tx.notify(db::Notice::Changed { what: "webhooks" });
    Ok(true)
}
