//! Keys of programs: what they may, for which stores, from where, until when.
use crate::access::{Act, Role};
use crate::accounts::{list_of, list_text};
use crate::secrets::{KeyHash, NewKey, unhex};
use base::Timestamp;
use db::{DbError, Engine, Row, Tx};
use std::net::IpAddr;
use std::sync::Arc;

/// A program's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Number.
    pub id: i64,
    /// As it is shown.
    pub name: String,
    /// First letters of the key.
    pub prefix: String,
    /// What it may at most.
    pub role: Role,
    /// Rights of the role that it has; empty for all of them.
    pub scopes: Arc<[Act]>,
    /// Stores whose customers it sees; empty for all.
    pub stores: Arc<[String]>,
    /// Networks from which it is taken; empty for all.
    pub networks: Arc<[Network]>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as far as that is written.
    pub used_at: Option<Timestamp>,
}

/// A range of addresses: `10.1.0.0/16`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads a range (CIDR, RFC 4632); `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.trim().split_once('/') {
            Some((base, bits)) => (base.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?),
            None => {
                let base = text.trim().parse::<IpAddr>().ok()?;
                (base, if base.is_ipv4() { 32 } else { 128 })
            }
        };
        (bits <= if base.is_ipv4() { 32 } else { 128 }).then_some(Self { base, bits })
    }
    /// Whether an address lies in it. An IPv4 address that came as IPv6 counts as IPv4.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(base).checked_shr(shift).unwrap_or(0) == u32::from(address).checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(base).checked_shr(shift).unwrap_or(0) == u128::from(address).checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl ApiKey {
    /// Whether the key is taken from an address; one that is unknown is taken only where any is.
    pub fn takes(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty() || address.is_some_and(|a| self.networks.iter().any(|n| n.holds(a)))
    }
    /// The key as it stands in the audit.
    pub fn audited(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name,
            "prefix": self.prefix,
            "role": self.role,
            "scopes": self.scopes.iter().map(|s| s.name()).collect::<Vec<_>>(),
            "stores": *self.stores,
            "networks": self.networks.iter().map(Network::to_string).collect::<Vec<_>>(),
            "expires_at": self.expires_at,
        })
    }
}

const KEY: &str =
    "SELECT id, name, prefix, role, created_at, scopes, stores, networks, expires_at, used_at, hash FROM api_keys";

fn api_key(row: &Row) -> Result<ApiKey, DbError> {
    let moment = |us: i64| (us > 0).then(|| Timestamp::from_micros(us));
    // A right that this program does not know is none; a key that had only such may nothing beyond itself.
    let names = list_of(row.text(5)?)?;
    let mut scopes: Vec<Act> = names.iter().filter_map(|s| Act::parse(s)).collect();
    if scopes.is_empty() && !names.is_empty() {
        scopes.push(Act::Own);
    }
    let networks: Option<Vec<Network>> = list_of(row.text(7)?)?.iter().map(|n| Network::parse(n)).collect();
    Ok(ApiKey {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        prefix: row.text(2)?.into(),
        role: Role::parse(row.text(3)?),
        created_at: Timestamp::from_micros(row.int(4)?),
        scopes: scopes.into(),
        stores: list_of(row.text(6)?)?.into(),
        networks: networks.ok_or_else(|| DbError::damaged("api_keys", "a network cannot be read"))?.into(),
        expires_at: moment(row.int(8)?),
        used_at: moment(row.int(9)?),
    })
}

/// Keys, at most: all of them are in memory.
pub const KEYS_MAX: i64 = 10_000;

/// All keys with their hashes.
pub fn with_hashes(db: &mut Engine) -> Result<Vec<(KeyHash, ApiKey)>, DbError> {
    let rows = db.rows(&format!("{KEY} ORDER BY id LIMIT $1"), &[KEYS_MAX.into()])?;
    let hash = |row: &Row| unhex(row.text(10)?).ok_or_else(|| DbError::damaged("api_keys", "a hash is cut"));
    rows.iter().map(|row| Ok((hash(row)?, api_key(row)?))).collect()
}

/// All keys, oldest first.
pub fn list(db: &mut Engine) -> Result<Vec<ApiKey>, DbError> {
    Ok(with_hashes(db)?.into_iter().map(|(_, key)| key).collect())
}

/// What a new key may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As it is shown.
    pub name: String,
    /// What it may at most.
    pub role: Role,
    /// Rights of the role; empty for all.
    pub scopes: Vec<Act>,
    /// Stores; empty for all.
    pub stores: Vec<String>,
    /// Networks; empty for all.
    pub networks: Vec<Network>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Wanted {
    /// A key with everything that a role may.
    pub fn of_role(name: &str, role: Role) -> Self {
        Self { name: name.into(), role, scopes: vec![], stores: vec![], networks: vec![], expires_at: None }
    }
}

/// Adds a key whose hash is given.
pub fn add(tx: &mut Tx, wanted: &Wanted, key: &NewKey) -> Result<ApiKey, DbError> {
    let (id, now) = (tx.next_id(), tx.now());
    let scopes: Vec<String> = wanted.scopes.iter().map(|s| s.name()).collect();
    let networks: Vec<String> = wanted.networks.iter().map(Network::to_string).collect();
    tx.execute(
        "INSERT INTO api_keys (id, name, prefix, hash, role, created_at, scopes, stores, networks, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            id.into(),
            (&wanted.name).into(),
            (&key.prefix).into(),
            (&key.hash).into(),
            wanted.role.as_str().into(),
            now.micros().into(),
            (&list_text(&scopes)).into(),
            (&list_text(&wanted.stores)).into(),
            (&list_text(&networks)).into(),
            wanted.expires_at.map_or(0, Timestamp::micros).into(),
        ],
    )?;
    Ok(ApiKey {
        id,
        name: wanted.name.clone(),
        prefix: key.prefix.clone(),
        role: wanted.role,
        scopes: wanted.scopes.clone().into(),
        stores: wanted.stores.clone().into(),
        networks: wanted.networks.clone().into(),
        created_at: now,
        expires_at: wanted.expires_at,
        used_at: None,
    })
}

/// Removes a key; gives what it was.
pub fn remove(tx: &mut Tx, id: i64) -> Result<Option<ApiKey>, DbError> {
    let Some(row) = tx.first(&format!("{KEY} WHERE id = $1"), &[id.into()])? else { return Ok(None) };
    let found = api_key(&row)?;
    tx.execute("DELETE FROM api_keys WHERE id = $1", &[id.into()])?;
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_only() {
        for (network, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.7", "10.2.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("0.0.0.0/0", "8.8.8.8", "2001:db8::1"),
            ("10.0.0.0/8", "::ffff:10.9.9.9", "::ffff:11.0.0.1"),
        ] {
            let network = Network::parse(network).expect(network);
            assert!(network.holds(inside.parse().expect("an address")), "{network} {inside}");
            assert!(!network.holds(outside.parse().expect("an address")), "{network} {outside}");
        }
        for bad in ["10.0.0.0/33", "2001:db8::/129", "x", "10.0.0/8", ""] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
