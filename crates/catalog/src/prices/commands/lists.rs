//! Price lists: made, changed, ended; every version is kept.
use super::{LISTS_MAX, PriceError};
use crate::prices::marks;
use crate::prices::model::{Kind, NEVER, PriceList, Scope};
use crate::prices::select::Lists;
use crate::prices::store::{lists, replace_lists};
use base::Timestamp;
use db::{DbError, Engine, Tx};
use serde::{Deserialize, Serialize};

/// A list as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    pub name: String,
    pub currency: String,
    #[serde(default)]
    pub kind: Kind,
    #[serde(default)]
    pub position: i64,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    pub reason: String,
    /// Without it from now on.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

fn check(new: &NewList) -> Result<(), PriceError> {
    if new.name.trim().is_empty() || new.name.len() > 200 || new.name.chars().any(char::is_control) {
        return Err(PriceError::invalid("/name", "a name has 1 to 200 bytes on one line"));
    }
    if new.currency.len() != 3 || !new.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(PriceError::invalid("/currency", "a currency is three capitals, such as UAH"));
    }
    if new.reason.len() > 500 {
        return Err(PriceError::invalid("/reason", "a reason has at most 500 bytes"));
    }
    let Scope { channels, regions, stores, segments, customers } = &new.scope;
    for (name, values) in [
        ("channels", channels),
        ("regions", regions),
        ("stores", stores),
        ("segments", segments),
        ("customers", customers),
    ] {
        if values.len() > 1000 || values.iter().any(|v| v.trim().is_empty() || v.len() > 200) {
            return Err(PriceError::invalid(format!("/scope/{name}"), "up to 1000 names of 1 to 200 bytes"));
        }
    }
    Ok(())
}

fn times(new: &NewList, starts_at: Timestamp) -> Result<Timestamp, PriceError> {
    match new.ends_at {
        Some(ends_at) if ends_at <= starts_at => Err(PriceError::invalid("/ends_at", "it ends before it begins")),
        ends_at => Ok(ends_at.unwrap_or(NEVER)),
    }
}

/// Makes a list.
pub fn create_list(tx: &mut Tx, new: &NewList, actor: &str) -> Result<PriceList, PriceError> {
    check(new)?;
    let known = lists(tx)?;
    if known.all().len() >= LISTS_MAX {
        return Err(PriceError::invalid("", format!("there are {LISTS_MAX} price lists already")));
    }
    let starts_at = new.starts_at.unwrap_or(tx.now());
    if starts_at < tx.now() {
        return Err(PriceError::invalid("/starts_at", "it lies in the past, where prices are history"));
    }
    let ends_at = times(new, starts_at)?;
    let list = written(new, tx.next_id(), starts_at, ends_at, 1);
    let now = tx.now().micros();
    tx.execute(
        "INSERT INTO price_lists (id, name, currency, kind, position, scope, reason, starts_at, ends_at, version, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        &[
            list.id.into(),
            (&list.name).into(),
            (&list.currency).into(),
            list.kind.as_str().into(),
            list.position.into(),
            (&scope_text(&list)?).into(),
            (&list.reason).into(),
            list.starts_at.micros().into(),
            list.ends_at.micros().into(),
            list.version.into(),
            now.into(),
        ],
    )?;
    keep(tx, &known, list, actor)
}

/// Changes a list of which `version` was read. Its currency and its beginning, once it began, stay: they are history.
pub fn update_list(
    tx: &mut Tx,
    id: i64,
    version: Option<i64>,
    new: &NewList,
    actor: &str,
) -> Result<(PriceList, PriceList), PriceError> {
    check(new)?;
    let known = lists(tx)?;
    let before = known.find(id).cloned().ok_or(PriceError::NoList { id })?;
    if let Some(expected) = version.filter(|v| *v != before.version) {
        return Err(PriceError::Stale { id, expected, current: before.version });
    }
    let now = tx.now();
    if before.ends_at <= now {
        return Err(PriceError::Ended { id });
    }
    if new.currency != before.currency {
        return Err(PriceError::invalid("/currency", "a list keeps its currency: make another one"));
    }
    let starts_at = new.starts_at.unwrap_or(before.starts_at);
    if starts_at != before.starts_at && (before.starts_at <= now || starts_at < now) {
        return Err(PriceError::invalid("/starts_at", "what has begun keeps its beginning"));
    }
    let ends_at = times(new, starts_at)?;
    if ends_at < now {
        return Err(PriceError::invalid("/ends_at", "it lies in the past, where prices are history"));
    }
    let after = written(new, id, starts_at, ends_at, before.version + 1);
    save(tx, &after)?;
    if (&after.scope, after.position, after.kind) != (&before.scope, before.position, before.kind) {
        marks::list_moved(tx, &[&before, &after])?;
    }
    Ok((before, keep(tx, &known, after, actor)?))
}

/// Ends a list now; one that has not begun never holds.
pub fn end_list(tx: &mut Tx, id: i64, actor: &str) -> Result<(PriceList, PriceList), PriceError> {
    let known = lists(tx)?;
    let before = known.find(id).cloned().ok_or(PriceError::NoList { id })?;
    if before.ends_at <= tx.now() {
        return Err(PriceError::Ended { id });
    }
    let after = PriceList { ends_at: before.starts_at.max(tx.now()), version: before.version + 1, ..before.clone() };
    save(tx, &after)?;
    Ok((before, keep(tx, &known, after, actor)?))
}

/// Versions of a list before `before`, newest first: number, who, when, and the list as it was.
pub fn list_versions(
    db: &mut Engine,
    id: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<(i64, String, Timestamp, String)>, DbError> {
    let sql = "SELECT version, actor, at, document FROM price_list_versions WHERE list_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3";
    let rows = db.rows(sql, &[id.into(), before.into(), limit.into()])?;
    rows.iter()
        .map(|r| Ok((r.int(0)?, r.text(1)?.into(), Timestamp::from_micros(r.int(2)?), r.text(3)?.into())))
        .collect()
}

fn written(new: &NewList, id: i64, starts_at: Timestamp, ends_at: Timestamp, version: i64) -> PriceList {
    PriceList {
        id,
        name: new.name.trim().into(),
        currency: new.currency.clone(),
        kind: new.kind,
        position: new.position,
        scope: new.scope.clone(),
        reason: new.reason.trim().into(),
        starts_at,
        ends_at,
        version,
    }
}

fn scope_text(list: &PriceList) -> Result<String, PriceError> {
    serde_json::to_string(&list.scope).map_err(|e| PriceError::invalid("/scope", e.to_string()))
}

fn save(tx: &mut Tx, list: &PriceList) -> Result<(), PriceError> {
    let scope = scope_text(list)?;
    let now = tx.now().micros();
    tx.execute(
        "UPDATE price_lists SET name = $2, kind = $3, position = $4, scope = $5, reason = $6, starts_at = $7, ends_at = $8, version = $9, updated_at = $10 WHERE id = $1",
        &[
            list.id.into(),
            (&list.name).into(),
            list.kind.as_str().into(),
            list.position.into(),
            (&scope).into(),
            (&list.reason).into(),
            list.starts_at.micros().into(),
            list.ends_at.micros().into(),
            list.version.into(),
            now.into(),
        ],
    )?;
    Ok(())
}

/// Writes the version and brings memory up to date.
fn keep(tx: &mut Tx, known: &Lists, list: PriceList, actor: &str) -> Result<PriceList, PriceError> {
    let document = serde_json::to_string(&list).map_err(|e| PriceError::invalid("", e.to_string()))?;
    let now = tx.now().micros();
    tx.execute(
        "INSERT INTO price_list_versions (list_id, version, document, actor, at) VALUES ($1, $2, $3, $4, $5)",
        &[list.id.into(), list.version.into(), (&document).into(), actor.into(), now.into()],
    )?;
    let mut all: Vec<PriceList> = known.all().iter().filter(|l| l.id != list.id).cloned().collect();
    all.push(list.clone());
    replace_lists(tx, Lists::new(all))?;
    tx.notify(db::Notice::Changed { what: "prices" });
    Ok(list)
}

/// What stands in the place of somebody who was erased: nobody has this name, so that the list holds for nobody in their place.
const ERASED: &str = "erased";

/// Takes a customer out of the next list after a number, and out of all its versions; gives the list's number, `None` after the last.
///
/// A list that was theirs alone stays one that holds for nobody: with an empty scope it would hold for all.
pub fn forget_customer(tx: &mut Tx, after: i64, is_theirs: &dyn Fn(&str) -> bool) -> Result<Option<i64>, PriceError> {
    let known = lists(tx)?;
    let Some(list) = known.all().iter().filter(|l| l.id > after).min_by_key(|l| l.id).cloned() else { return Ok(None) };
    let id = list.id;
    let hide = |mut list: PriceList| -> Option<PriceList> {
        let before = list.clone();
        list.scope.customers.iter_mut().filter(|c| is_theirs(c)).for_each(|c| *c = ERASED.into());
        for text in [&mut list.name, &mut list.reason] {
            if is_theirs(text) {
                *text = format!("{ERASED} {id}");
            }
        }
        (list != before).then_some(list)
    };
    let sql = "SELECT version, document FROM price_list_versions WHERE list_id = $1 ORDER BY version";
    for row in tx.rows(sql, &[id.into()])? {
        let (version, text) = (row.int(0)?, row.text(1)?);
        // As JSON: a version of long ago is read however it was written.
        let Ok(mut of_then) = serde_json::from_str::<serde_json::Value>(text) else { continue };
        let mut changed = false;
        if let Some(customers) = of_then.pointer_mut("/scope/customers").and_then(|c| c.as_array_mut()) {
            for customer in customers.iter_mut().filter(|c| c.as_str().is_some_and(is_theirs)) {
                (*customer, changed) = (ERASED.into(), true);
            }
        }
        for field in ["name", "reason"] {
            if of_then[field].as_str().is_some_and(is_theirs) {
                (of_then[field], changed) = (format!("{ERASED} {id}").into(), true);
            }
        }
        if changed {
            let sql = "UPDATE price_list_versions SET document = $3 WHERE list_id = $1 AND version = $2";
            tx.execute(sql, &[id.into(), version.into(), (&of_then.to_string()).into()])?;
        }
    }
    if let Some(hidden) = hide(list) {
        save(tx, &hidden)?;
        let mut all: Vec<PriceList> = known.all().iter().filter(|l| l.id != id).cloned().collect();
        all.push(hidden);
        replace_lists(tx, Lists::new(all))?;
        tx.notify(db::Notice::Changed { what: "prices" });
    }
    Ok(Some(id))
}
