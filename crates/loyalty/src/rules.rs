//! Promotions, the policy over them and rules of law in the store: documents with every version, compiled in memory.
//!
//! A document is checked together with all others before it is kept, so that what is compiled is always sound. To roll back is
//! to keep an earlier version's document as the newest one. [`uses`] counts what limits need, by order.
mod memory;
pub mod uses;

pub use memory::{Rules, rules, rules_of};

use crate::law::{Law, LawError};
use crate::model::{Lane, PointsPolicy, Promotion, Promotions};
use crate::price::compile::Invalid;
use base::Timestamp;
use db::{DbError, Engine, Tx};
use serde::{Deserialize, Serialize};

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A promotion; its code is its id.
    Promotion,
    /// Lanes and what points are worth; its code is `shop`.
    Policy,
    /// Rules of law; its code is the country.
    Law,
}

impl Kind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Promotion => "promotion",
            Kind::Policy => "policy",
            Kind::Law => "law",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Kind> {
        [Kind::Promotion, Kind::Policy, Kind::Law].into_iter().find(|k| k.as_str() == text)
    }
}

/// Lanes, and what points are worth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointsPolicy>,
}

/// The one policy's code.
pub const POLICY: &str = "shop";
/// Promotions that are kept, archived ones not counted.
pub const PROMOTIONS_MAX: usize = 10_000;
/// Bytes of a document.
const DOCUMENT_MAX: usize = 256 << 10;

/// A document as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub kind: Kind,
    pub code: String,
    pub version: i64,
    /// JSON, as written.
    pub document: String,
    pub archived: bool,
    pub updated_at: Timestamp,
}

/// A version of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    pub version: i64,
    pub document: String,
    pub archived: bool,
    pub actor: String,
    pub at: Timestamp,
}

/// Why a document was refused. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RuleError {
    /// At this JSON pointer of the document.
    #[error("{what}")]
    Invalid { pointer: String, what: String },
    #[error("there is no {kind} {code:?}", kind = .kind.as_str())]
    NotFound { kind: Kind, code: String },
    #[error("the {kind} {code:?} has version {current} by now, the change was made to version {expected}", kind = .kind.as_str())]
    Stale { kind: Kind, code: String, expected: i64, current: i64 },
    #[error("rules cannot be read or written")]
    Store(#[from] DbError),
}

impl RuleError {
    fn invalid(pointer: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), what: what.into() }
    }
    /// The stable code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            RuleError::Invalid { .. } => "bad_promotion",
            RuleError::NotFound { .. } => "not_found",
            RuleError::Stale { .. } => "changed_meanwhile",
            RuleError::Store(_) => "internal",
        }
    }
}

impl From<LawError> for RuleError {
    fn from(e: LawError) -> Self {
        match e {
            LawError::Invalid { pointer, what } => Self::Invalid { pointer, what },
            e @ LawError::NoClass { .. } => Self::invalid("", e.to_string()),
        }
    }
}

/// Keeps a document as the newest version; gives what was there before. `expected` is the version that was read, 0 for one that
/// shall be new.
pub fn put(
    tx: &mut Tx,
    kind: Kind,
    code: &str,
    expected: Option<i64>,
    document: &str,
    actor: &str,
) -> Result<(Option<Kept>, Kept), RuleError> {
    store(tx, kind, code, expected, document, false, actor)
}

/// Takes a promotion out of use; its versions stay.
pub fn archive(
    tx: &mut Tx,
    kind: Kind,
    code: &str,
    expected: Option<i64>,
    actor: &str,
) -> Result<(Kept, Kept), RuleError> {
    let missing = || RuleError::NotFound { kind, code: code.into() };
    let before = find(tx, kind, code)?.filter(|k| !k.archived).ok_or_else(missing)?;
    let (_, after) = store(tx, kind, code, expected, &before.document, true, actor)?;
    Ok((before, after))
}

/// Keeps the document of an earlier version as the newest.
pub fn restore(
    tx: &mut Tx,
    kind: Kind,
    code: &str,
    version: i64,
    actor: &str,
) -> Result<(Option<Kept>, Kept), RuleError> {
    let sql = "SELECT document FROM price_rule_versions WHERE kind = $1 AND code = $2 AND version = $3";
    let row = tx.first(sql, &[kind.as_str().into(), code.into(), version.into()])?;
    let row = row.ok_or_else(|| RuleError::NotFound { kind, code: format!("{code} version {version}") })?;
    let document = row.text(0)?.to_string();
    store(tx, kind, code, None, &document, false, actor)
}

fn store(
    tx: &mut Tx,
    kind: Kind,
    code: &str,
    expected: Option<i64>,
    document: &str,
    archived: bool,
    actor: &str,
) -> Result<(Option<Kept>, Kept), RuleError> {
    if code.trim().is_empty() || code.len() > 200 || code.chars().any(char::is_control) {
        return Err(RuleError::invalid("/id", "an id has 1 to 200 bytes on one line"));
    }
    if document.len() > DOCUMENT_MAX {
        return Err(RuleError::invalid("", format!("a document has at most {} KiB", DOCUMENT_MAX >> 10)));
    }
    let before = find(tx, kind, code)?;
    let current = before.as_ref().map_or(0, |k| k.version);
    if let Some(expected) = expected.filter(|e| *e != current) {
        return Err(RuleError::Stale { kind, code: code.into(), expected, current });
    }
    let rules = memory::checked(tx, kind, code, document, archived)?;
    let now = tx.now();
    let after =
        Kept { kind, code: code.into(), version: current + 1, document: document.into(), archived, updated_at: now };
    tx.execute("DELETE FROM price_rules WHERE kind = $1 AND code = $2", &[kind.as_str().into(), code.into()])?;
    let (version, gone) = (after.version, i64::from(archived));
    tx.execute(
        "INSERT INTO price_rules (kind, code, version, document, archived, updated_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[kind.as_str().into(), code.into(), version.into(), document.into(), gone.into(), now.micros().into()],
    )?;
    tx.execute(
        "INSERT INTO price_rule_versions (kind, code, version, document, archived, actor, at, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            kind.as_str().into(),
            code.into(),
            version.into(),
            document.into(),
            gone.into(),
            actor.into(),
            now.micros().into(),
            rules.version.into(),
        ],
    )?;
    memory::replace(tx, rules)?;
    tx.notify(db::Notice::Changed { what: "promotions" });
    Ok((before, after))
}

/// A document by kind and code, archived ones too.
pub fn find(tx: &mut Tx, kind: Kind, code: &str) -> Result<Option<Kept>, DbError> {
    let sql = "SELECT code, version, document, archived, updated_at FROM price_rules WHERE kind = $1 AND code = $2";
    let row = tx.first(sql, &[kind.as_str().into(), code.into()])?;
    row.map(|r| read(kind, &r)).transpose()
}

/// Documents of a kind after `after`, by code; archived ones last are not listed.
pub fn list(db: &mut Engine, kind: Kind, after: &str, limit: i64) -> Result<Vec<Kept>, DbError> {
    let sql = "SELECT code, version, document, archived, updated_at FROM price_rules WHERE kind = $1 AND archived = 0 AND code > $2 ORDER BY code LIMIT $3";
    db.rows(sql, &[kind.as_str().into(), after.into(), limit.into()])?.iter().map(|r| read(kind, r)).collect()
}

/// Versions of a document before `before`, newest first.
pub fn versions(db: &mut Engine, kind: Kind, code: &str, before: i64, limit: i64) -> Result<Vec<Version>, DbError> {
    let sql = "SELECT version, document, archived, actor, at FROM price_rule_versions WHERE kind = $1 AND code = $2 AND version < $3 ORDER BY version DESC LIMIT $4";
    let rows = db.rows(sql, &[kind.as_str().into(), code.into(), before.into(), limit.into()])?;
    rows.iter()
        .map(|r| {
            Ok(Version {
                version: r.int(0)?,
                document: r.text(1)?.into(),
                archived: r.int(2)? != 0,
                actor: r.text(3)?.into(),
                at: Timestamp::from_micros(r.int(4)?),
            })
        })
        .collect()
}

fn read(kind: Kind, row: &db::Row) -> Result<Kept, DbError> {
    Ok(Kept {
        kind,
        code: row.text(0)?.into(),
        version: row.int(1)?,
        document: row.text(2)?.into(),
        archived: row.int(3)? != 0,
        updated_at: Timestamp::from_micros(row.int(4)?),
    })
}

/// Promotions with a policy, as they are compiled.
pub(crate) fn together(policy: Policy, promotions: Vec<Promotion>) -> Promotions {
    Promotions { lanes: policy.lanes, points: policy.points, promotions }
}

/// A pointer into the document of one promotion, from one into all of them.
fn own_pointer(e: Invalid, at: Option<usize>) -> RuleError {
    let own = at.map(|at| format!("/promotions/{at}"));
    match own.and_then(|own| e.pointer.strip_prefix(&own).map(str::to_string)) {
        Some(pointer) => RuleError::Invalid { pointer, what: e.what },
        None => RuleError::Invalid { pointer: String::new(), what: e.to_string() },
    }
}

/// Reads a document strictly.
fn parse<'a, T: Deserialize<'a>>(document: &'a str) -> Result<T, RuleError> {
    serde_json::from_str(document).map_err(|e| RuleError::invalid("", e.to_string()))
}

/// Reads and checks a law.
fn parse_law(code: &str, document: &str) -> Result<Law, RuleError> {
    let law: Law = parse(document)?;
    law.check()?;
    match law.country == code {
        true => Ok(law),
        false => Err(RuleError::invalid("/country", format!("it is the law of {code:?} that is kept here"))),
    }
}

#[cfg(test)]
mod tests;
