//! Connections: who may exchange, with which settings.
use crate::secrets::{hash_key, hex};
use base::Timestamp;
use db::{DbError, Engine, Row, Tx};
use serde::{Deserialize, Serialize};

/// How the other side speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErpKind)]
pub enum Kind {
    /// CommerceML 2 files over HTTP: BAS, 1C.
    Commerceml,
    /// The REST form of docs/erp.md.
    Rest,
}

impl Kind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Commerceml => "commerceml",
            Kind::Rest => "rest",
        }
    }
}

/// What the other side's stock is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErpStockMode)]
pub enum StockMode {
    /// A count at the moment that the file bears: our books follow it.
    #[default]
    Counts,
    /// Only held against our books, see the differences.
    Check,
}

/// How a connection works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ErpSettings)]
pub struct Settings {
    /// For prices that name none; empty: the shop's.
    pub currency: String,
    /// Whether archives are taken.
    pub zip: bool,
    /// Bytes of one upload, 1,024 to 33,554,432.
    pub file_limit: i64,
    /// How long one request works before it answers that there is more to do, 0 to 60,000 ms.
    pub slice_ms: i64,
    /// Share of the goods that a whole exchange may archive without being asked, 0 to 100.
    pub vanish_percent: i64,
    pub stock: StockMode,
}

impl Default for Settings {
    fn default() -> Self {
        let (file_limit, slice_ms) = (10 << 20, 20_000);
        Self { currency: String::new(), zip: true, file_limit, slice_ms, vanish_percent: 20, stock: StockMode::Counts }
    }
}

impl Settings {
    /// What is wrong with them, and where.
    pub fn wrong(&self) -> Option<(&'static str, &'static str)> {
        let capitals = self.currency.len() == 3 && self.currency.bytes().all(|b| b.is_ascii_uppercase());
        if !self.currency.is_empty() && !capitals {
            return Some(("/settings/currency", "three capitals, such as UAH, or nothing"));
        }
        if !(1_024..=33_554_432).contains(&self.file_limit) {
            return Some(("/settings/file_limit", "1,024 to 33,554,432 bytes"));
        }
        if !(0..=60_000).contains(&self.slice_ms) {
            return Some(("/settings/slice_ms", "0 to 60,000 ms"));
        }
        (!(0..=100).contains(&self.vanish_percent)).then_some(("/settings/vanish_percent", "0 to 100"))
    }
}

/// Somebody who exchanges with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: i64,
    /// In addresses: small letters, digits, `-`.
    pub name: String,
    pub kind: Kind,
    pub login: String,
    pub key_hash: String,
    pub settings: Settings,
    pub told_upto: i64,
    pub sent_upto: i64,
    pub acked: i64,
    pub version: i64,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Connection {
    /// Whether a name and a password are those of this connection.
    pub fn admits(&self, login: &str, password: &str) -> bool {
        crate::secrets::same(login, &self.login) & crate::secrets::same(&hex(&hash_key(password)), &self.key_hash)
    }
    /// As the audit keeps it.
    pub fn audited(&self) -> serde_json::Value {
        serde_json::json!({"name": self.name, "kind": self.kind.as_str(), "settings": self.settings})
    }
}

/// Whether a text can be a connection's name.
pub fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
}

fn read(row: &Row) -> Result<Connection, DbError> {
    let settings = serde_json::from_str(row.text(5)?).map_err(|e| DbError::damaged("erp_connections", e))?;
    Ok(Connection {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        kind: if row.text(2)? == "rest" { Kind::Rest } else { Kind::Commerceml },
        login: row.text(3)?.into(),
        key_hash: row.text(4)?.into(),
        settings,
        told_upto: row.int(6)?,
        sent_upto: row.int(7)?,
        acked: row.int(8)?,
        version: row.int(9)?,
        created_by: row.text(10)?.into(),
        created_at: Timestamp::from_micros(row.int(11)?),
        updated_at: Timestamp::from_micros(row.int(12)?),
    })
}

const ALL: &str = "SELECT id, name, kind, login, key_hash, settings, told_upto, sent_upto, acked, version, created_by, created_at, \
                   updated_at FROM erp_connections ORDER BY id LIMIT 1000";
const BY_NAME: &str = "SELECT id, name, kind, login, key_hash, settings, told_upto, sent_upto, acked, version, created_by, \
                       created_at, updated_at FROM erp_connections WHERE name = $1";
const BY_ID: &str = "SELECT id, name, kind, login, key_hash, settings, told_upto, sent_upto, acked, version, created_by, created_at, \
                     updated_at FROM erp_connections WHERE id = $1";

/// All connections.
pub fn list(db: &mut Engine) -> Result<Vec<Connection>, DbError> {
    db.rows(ALL, &[])?.iter().map(read).collect()
}

/// A connection by name.
pub fn find(db: &mut Engine, name: &str) -> Result<Option<Connection>, DbError> {
    db.first(BY_NAME, &[name.into()])?.as_ref().map(read).transpose()
}

/// A connection by number.
pub fn get(db: &mut Engine, id: i64) -> Result<Option<Connection>, DbError> {
    db.first(BY_ID, &[id.into()])?.as_ref().map(read).transpose()
}

/// Makes a connection. It is told of orders from now on.
pub fn add(
    tx: &mut Tx,
    (name, kind, login): (&str, Kind, &str),
    settings: &Settings,
    key_hash: &str,
    actor: &str,
) -> Result<Connection, DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let text = serde_json::to_string(settings).map_err(|e| DbError::damaged("erp_connections", e))?;
    let sql = "INSERT INTO erp_connections (id, name, kind, login, key_hash, settings, told_upto, sent_upto, acked, version, \
               created_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 1, $7, $8, $8)";
    let row = [
        id.into(),
        name.into(),
        kind.as_str().into(),
        login.into(),
        key_hash.into(),
        (&text).into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(sql, &row)?;
    tx.notify(db::Notice::Changed { what: "erp" });
    get(tx.engine(), id)?.ok_or_else(|| DbError::damaged("erp_connections", "a row that was written is gone"))
}

/// Changes how a connection works, and its password where one is given.
pub fn update(
    tx: &mut Tx,
    before: &Connection,
    settings: &Settings,
    key_hash: Option<&str>,
) -> Result<Connection, DbError> {
    let text = serde_json::to_string(settings).map_err(|e| DbError::damaged("erp_connections", e))?;
    let sql =
        "UPDATE erp_connections SET settings = $2, key_hash = $3, version = version + 1, updated_at = $4 WHERE id = $1";
    let hash = key_hash.unwrap_or(&before.key_hash);
    tx.execute(sql, &[before.id.into(), (&text).into(), hash.into(), tx.now().micros().into()])?;
    tx.notify(db::Notice::Changed { what: "erp" });
    get(tx.engine(), before.id)?.ok_or_else(|| DbError::damaged("erp_connections", "a row that was changed is gone"))
}

/// Takes a connection away with everything that it brought about itself; goods, prices and stock stay.
pub fn remove(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    for sql in [
        "DELETE FROM erp_files WHERE exchange_id IN (SELECT id FROM erp_exchanges WHERE connection_id = $1)",
        "DELETE FROM erp_exchanges WHERE connection_id = $1",
        "DELETE FROM erp_maps WHERE connection_id = $1",
        "DELETE FROM erp_names WHERE connection_id = $1",
        "DELETE FROM erp_ids WHERE connection_id = $1",
        "DELETE FROM erp_prices WHERE connection_id = $1",
        "DELETE FROM erp_stock WHERE connection_id = $1",
        "DELETE FROM erp_journal WHERE connection_id = $1",
        "DELETE FROM erp_orders WHERE connection_id = $1",
        "DELETE FROM erp_events WHERE connection_id = $1",
        "DELETE FROM erp_differences WHERE connection_id = $1",
        "DELETE FROM erp_connections WHERE id = $1",
    ] {
        tx.execute(sql, &[id.into()])?;
    }
    tx.notify(db::Notice::Changed { what: "erp" });
    Ok(())
}
