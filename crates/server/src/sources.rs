//! Sources: where events come from, and the keys by which they are known.
use crate::secrets::{KeyHash, NewKey, hash_key, unhex};
use base::Timestamp;
use db::{DbError, Engine, Tx};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// What kind of place sends the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A web page: its key is public.
    Browser,
    /// A program of the shop: its key is secret.
    Server,
    /// Files.
    Import,
    /// Braid itself.
    System,
}

impl SourceKind {
    /// The kind's name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceKind::Browser => "browser",
            SourceKind::Server => "server",
            SourceKind::Import => "import",
            SourceKind::System => "system",
        }
    }
    /// The inverse of [`SourceKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "browser" => SourceKind::Browser,
            "server" => SourceKind::Server,
            "import" => SourceKind::Import,
            "system" => SourceKind::System,
            _ => return None,
        })
    }
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Number.
    pub id: i64,
    /// As it is shown.
    pub name: String,
    /// What kind of place it is.
    pub kind: SourceKind,
    /// First letters of its write key; empty when it has none.
    pub key_prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// All sources in memory, found by write key and by number.
#[derive(Debug, Default)]
pub struct Snapshot {
    by_key: HashMap<KeyHash, Arc<Source>>,
    by_id: HashMap<i64, Arc<Source>>,
}

impl Snapshot {
    /// Reads it from the database.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self::default();
        for row in db.rows("SELECT id, name, kind, key_prefix, created_at, key_hash FROM sources", &[])? {
            let source = Arc::new(source(&row)?);
            if let Some(hash) = unhex(row.text(5)?) {
                out.by_key.insert(hash, source.clone());
            }
            out.by_id.insert(source.id, source);
        }
        Ok(out)
    }
    /// The source of a write key.
    pub fn of_key(&self, write_key: &str) -> Option<&Arc<Source>> {
        self.by_key.get(&hash_key(write_key))
    }
    /// A source by number.
    pub fn get(&self, id: i64) -> Option<&Arc<Source>> {
        self.by_id.get(&id)
    }
    /// All sources, oldest first.
    pub fn all(&self) -> Vec<Arc<Source>> {
        let mut all: Vec<_> = self.by_id.values().cloned().collect();
        all.sort_by_key(|s| s.id);
        all
    }
}

const COLUMNS: &str = "id, name, kind, key_prefix, created_at";

fn source(row: &db::Row) -> Result<Source, DbError> {
    let kind = row.text(2)?;
    Ok(Source {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        kind: SourceKind::parse(kind).ok_or_else(|| DbError::damaged("sources", format!("{kind:?} is no kind")))?,
        key_prefix: row.text(3)?.into(),
        created_at: Timestamp::from_micros(row.int(4)?),
    })
}

/// A source by name.
pub fn find(tx: &mut Tx, name: &str) -> Result<Option<Source>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM sources WHERE name = $1");
    tx.first(&sql, &[name.into()])?.map(|r| source(&r)).transpose()
}

/// Adds a source, with a key if it takes one; `None` when the name is taken.
pub fn add(tx: &mut Tx, name: &str, kind: SourceKind, key: Option<&NewKey>) -> Result<Option<Source>, DbError> {
    if find(tx, name)?.is_some() {
        return Ok(None);
    }
    let (id, created_at) = (tx.next_id(), tx.now());
    let (hash, prefix) = key.map_or(("", ""), |k| (k.hash.as_str(), k.prefix.as_str()));
    tx.execute(
        "INSERT INTO sources (id, name, kind, key_hash, key_prefix, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[id.into(), name.into(), kind.as_str().into(), hash.into(), prefix.into(), created_at.micros().into()],
    )?;
    Ok(Some(Source { id, name: name.into(), kind, key_prefix: prefix.into(), created_at }))
}

/// Gives a source a new key; the old one is worth nothing from now on. `None` when there is no such source.
pub fn rotate(tx: &mut Tx, id: i64, key: &NewKey) -> Result<Option<Source>, DbError> {
    tx.execute(
        "UPDATE sources SET key_hash = $2, key_prefix = $3 WHERE id = $1",
        &[id.into(), (&key.hash).into(), (&key.prefix).into()],
    )?;
    let sql = format!("SELECT {COLUMNS} FROM sources WHERE id = $1");
    tx.first(&sql, &[id.into()])?.map(|r| source(&r)).transpose()
}
