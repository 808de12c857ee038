//! Rules and listed values in the store, and as the writer holds them.
use super::{BadRules, KeptOut, Mode, Rules, RulesData, bad};
use crate::identifier::{KIND_MAX, VALUE_MAX};
use crate::pattern;
use base::{Country, Timestamp};
use db::{Bulk, DbError, Engine, Memory, Notice, Tx, jobs, settings};
use std::borrow::Cow;
use std::sync::Arc;

/// Values that may be listed, all kinds together.
const LISTED_MAX: usize = 10_000;
/// Patterns that may be listed: each is tried on every identifier.
const PATTERNS_MAX: usize = 100;

/// The rules as the writer knows them, with those of before the running group.
struct Held {
    now: Arc<Rules>,
    committed: Arc<Rules>,
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let now = Arc::new(current(db)?);
        Ok(Self { committed: now.clone(), now })
    }
    fn commit(&mut self) {
        self.committed = self.now.clone();
    }
    fn rollback(&mut self) {
        self.now = self.committed.clone();
    }
}

/// The rules that hold in this transaction; the same pointer until they change.
pub fn of(tx: &mut Tx) -> Result<Arc<Rules>, DbError> {
    Ok(tx.memory::<Held>()?.now.clone())
}

/// A version of the rules as it was set.
#[derive(Debug, Clone, PartialEq)]
pub struct RulesRow {
    /// 0 = the defaults.
    pub version: i64,
    pub rules: RulesData,
    pub at: Option<Timestamp>,
    pub actor: String,
}

const NEWEST: &str = "SELECT version, rules, at, actor FROM identity_rules ORDER BY version DESC LIMIT 1";

/// The newest rules, listed values apart.
pub fn newest(db: &mut Engine) -> Result<RulesRow, DbError> {
    let Some(row) = db.first(NEWEST, &[])? else {
        return Ok(RulesRow { version: 0, rules: RulesData::default(), at: None, actor: String::new() });
    };
    let rules = serde_json::from_str(row.text(1)?).map_err(|e| DbError::damaged("identity_rules", e))?;
    let at = Some(Timestamp::from_micros(row.int(2)?));
    Ok(RulesRow { version: row.int(0)?, rules, at, actor: row.text(3)?.into() })
}

/// The kind of the job that decides the past again.
pub const RERUN: &str = "identity_rerun";

const VERSION: &str = "identity.version";
const APPLIED: &str = "identity.applied";

fn number(db: &mut Engine, name: &str) -> Result<i64, DbError> {
    Ok(settings::get(db, name)?.and_then(|v| v.parse().ok()).unwrap_or(0))
}

/// The version by which the whole past was decided; new events are always decided by the newest.
pub fn applied(db: &mut Engine) -> Result<i64, DbError> {
    number(db, APPLIED)
}

/// Notes that the whole past was decided by a version.
pub fn set_applied(tx: &mut Tx, version: i64) -> Result<(), DbError> {
    tx.rows("SELECT CAST(1 AS BIGINT)", &[])?;
    settings::set(tx.engine(), APPLIED, &version.to_string())
}

/// The rules as the store has them.
pub fn current(db: &mut Engine) -> Result<Rules, DbError> {
    let (data, values) = (newest(db)?.rules, listed_values(db)?);
    Ok(Rules::new(&data, values, number(db, VERSION)?))
}

/// The values that are kept out.
pub fn listed_values(db: &mut Engine) -> Result<Vec<KeptOut>, DbError> {
    let rows = db.rows("SELECT kind, value, mode FROM blocked_values", &[])?;
    rows.iter().map(|r| Ok((r.text(0)?.into(), r.text(1)?.into(), Mode::parse(r.text(2)?)))).collect()
}

/// How many profiles carry each of some listed values as their own; a pattern's are not counted.
pub fn carried(db: &mut Engine, listed: &[Listed]) -> Result<Vec<i64>, DbError> {
    let mut out = Vec::with_capacity(listed.len());
    for one in listed {
        // A value stands on one profile at most, and with `*` on one for each kind.
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM identifiers WHERE kind = $1 AND value = $2";
        let any = "SELECT CAST(COUNT(*) AS BIGINT) FROM identifiers WHERE value = $1";
        let row = match (one.mode, one.kind.as_str()) {
            (Mode::Pattern, _) => None,
            (_, "*") => db.first(any, &[one.value.as_str().into()])?,
            (_, kind) => db.first(sql, &[kind.into(), one.value.as_str().into()])?,
        };
        out.push(row.map_or(Ok(0), |r| r.int(0))?);
    }
    Ok(out)
}

/// Reads the rules again after a change that this transaction wrote.
fn reload(tx: &mut Tx) -> Result<i64, DbError> {
    // Loaded before the change, so that a rollback finds the former ones.
    let next = tx.memory::<Held>()?.now.version + 1;
    tx.rows("SELECT CAST(1 AS BIGINT)", &[])?;
    settings::set(tx.engine(), VERSION, &next.to_string())?;
    let fresh = Arc::new(current(tx.engine())?);
    tx.memory::<Held>()?.now = fresh;
    tx.notify(Notice::Changed { what: "identity_rules" });
    if !jobs::open(tx)?.iter().any(|w| w.kind == RERUN) {
        jobs::add(tx, &jobs::New::of(RERUN, ""))?;
    }
    Ok(next)
}

/// Sets the rules; gives their row and the version that events are matched by from now on.
pub fn set(tx: &mut Tx, rules: &RulesData, actor: &str) -> Result<RulesRow, DbError> {
    tx.memory::<Held>()?;
    let version = newest(tx.engine())?.version + 1;
    let text = serde_json::to_string(rules).map_err(|e| DbError::damaged("rules of identity", e))?;
    let at = tx.now();
    tx.execute(
        "INSERT INTO identity_rules (version, rules, at, actor) VALUES ($1, $2, $3, $4)",
        &[version.into(), (&*text).into(), at.micros().into(), actor.into()],
    )?;
    reload(tx)?;
    Ok(RulesRow { version, rules: rules.clone(), at: Some(at), actor: actor.into() })
}

static LISTED: Bulk = Bulk {
    table: "blocked_values",
    columns: &[("kind", 't'), ("value", 't'), ("mode", 't'), ("reason", 't'), ("at", 'i'), ("actor", 't')],
    key: 2,
    insert_only: false,
};

/// A value that is kept out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub kind: String,
    pub value: String,
    pub mode: Mode,
    pub reason: String,
    pub at: Timestamp,
    pub actor: String,
}

const COUNT_LISTED: &str = "SELECT CAST(COUNT(*) AS BIGINT), \
     CAST(COALESCE(SUM(CASE WHEN mode = 'pattern' THEN 1 ELSE 0 END), 0) AS BIGINT) FROM blocked_values";

/// Why a value is not listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error(transparent)]
    Bad(#[from] BadRules),
    #[error("the list of values cannot be changed now")]
    Store(#[from] DbError),
}

/// Keeps a value out from now on. `kind` may be `*`. What it joined before is taken apart when the past is decided again.
/// Gives the value as it is compared.
pub fn block(
    tx: &mut Tx,
    (kind, value): (&str, &str),
    mode: Mode,
    reason: &str,
    actor: &str,
    country: Country,
) -> Result<Listed, ListError> {
    let kind = kind.trim();
    if kind.is_empty() || kind.len() > KIND_MAX || kind.contains('\0') {
        return Err(bad("/kind", format!("a kind has 1 to {KIND_MAX} characters; * stands for every kind")).into());
    }
    let rules = of(tx)?;
    let value = match mode {
        Mode::Pattern => value.trim().to_string(),
        _ if kind == "*" => value.trim().to_string(),
        _ => rules.normalise(kind, value, country).map_or_else(|| value.trim().to_string(), Cow::into_owned),
    };
    if value.is_empty() || value.chars().count() > VALUE_MAX || value.contains('\0') {
        return Err(bad("/value", format!("a value has 1 to {VALUE_MAX} characters")).into());
    }
    if mode == Mode::Pattern && !pattern::is_sensible(&value) {
        return Err(bad("/value", "this pattern matches everything: nobody would be known any more").into());
    }
    let row = tx.first(COUNT_LISTED, &[])?;
    let (all, patterns) = row.map_or(Ok((0, 0)), |r| Ok::<_, DbError>((r.int(0)?, r.int(1)?)))?;
    if all as usize >= LISTED_MAX || (mode == Mode::Pattern && patterns as usize >= PATTERNS_MAX) {
        return Err(bad(
            "/value",
            format!("at most {LISTED_MAX} values, {PATTERNS_MAX} of them patterns; a pattern stands for many values"),
        )
        .into());
    }
    let at = tx.now();
    let row =
        vec![kind.into(), value.as_str().into(), mode.as_str().into(), reason.into(), at.micros().into(), actor.into()];
    tx.append(&LISTED, row);
    reload(tx)?;
    Ok(Listed { kind: kind.into(), value, mode, reason: reason.into(), at, actor: actor.into() })
}

/// Lets a value identify people again; gives whether it was listed.
pub fn unblock(tx: &mut Tx, kind: &str, value: &str, country: Country) -> Result<bool, DbError> {
    let rules = of(tx)?;
    let normal = rules.normalise(kind, value, country).map_or_else(|| value.trim().to_string(), Cow::into_owned);
    let mut gone = 0;
    for text in [value, normal.as_str()] {
        gone += tx.execute("DELETE FROM blocked_values WHERE kind = $1 AND value = $2", &[kind.into(), text.into()])?;
    }
    if gone > 0 {
        reload(tx)?;
    }
    Ok(gone > 0)
}

/// The listed values after a place, by kind and value.
pub fn blocked_list(db: &mut Engine, after: Option<(&str, &str)>, limit: i64) -> Result<Vec<Listed>, DbError> {
    let (kind, value) = after.unwrap_or(("", ""));
    let rows = db.rows(
        "SELECT kind, value, mode, reason, at, actor FROM blocked_values WHERE (kind = $1 AND value > $2) OR kind > $1 \
         ORDER BY kind, value LIMIT $3",
        &[kind.into(), value.into(), limit.into()],
    )?;
    rows.iter()
        .map(|r| {
            Ok(Listed {
                kind: r.text(0)?.into(),
                value: r.text(1)?.into(),
                mode: Mode::parse(r.text(2)?),
                reason: r.text(3)?.into(),
                at: Timestamp::from_micros(r.int(4)?),
                actor: r.text(5)?.into(),
            })
        })
        .collect()
}
