//! One change of many customers: what would change, the change itself as events of a source of its own, and the way back.
//!
//! A change is what any till or site could have said: an `identify` about one of the person's identifiers. So it stands on
//! the timeline, has its origin, moves segments, and leaves with exports. The way back is another such event with the value
//! from before, and passes over what somebody changed since.
use crate::sources::{self, SourceKind};
use customers::PersonView;
use db::{DbError, Engine, Row, Tx};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Customers in one change, at most; more come as an import.
pub const ROWS_MAX: usize = 1000;
/// Traits that one row may set.
pub const TRAITS_MAX: usize = 50;
/// Letters of a text.
const TEXT_MAX: usize = 1000;
/// The source of what staff change by hand.
pub const SOURCE: &str = "Console";
/// Traits that say who somebody is: changed by the rules of identity only.
const PROTECTED: [&str; 7] = ["email", "phone", "id", "userId", "user_id", "anonymousId", "anonymous_id"];

/// Why a row cannot be taken. The names are part of the API: the console has words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowError {
    /// Nobody has this id or identifier.
    Nobody,
    /// The person stands in an earlier row already.
    Twice,
    /// The trait says who somebody is.
    Protected,
    /// The trait's name has no or too many letters.
    BadName,
    /// The value is no text, number, yes or no, or too long.
    BadValue,
    /// The value is masked: it would overwrite what it hides.
    Masked,
    /// All identifiers of the person are kept out of matching.
    NoIdentifier,
    /// The row changes nothing because it names no trait.
    Empty,
}

/// What one trait of a person was and is to be, as JSON; `None` for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Whether a trait may be set to a value; `null` removes it.
pub fn check(name: &str, value: &Value) -> Result<(), RowError> {
    if PROTECTED.contains(&name) {
        return Err(RowError::Protected);
    }
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(RowError::BadName);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) if text.contains('•') => Err(RowError::Masked),
        Value::String(text) if text.chars().count() <= TEXT_MAX && !text.contains('\0') => Ok(()),
        _ => Err(RowError::BadValue),
    }
}

/// What of `wanted` differs from what is known.
pub fn changes(known: impl Fn(&str) -> Option<String>, wanted: &BTreeMap<String, Value>) -> Vec<Change> {
    let mut out = Vec::new();
    for (name, value) in wanted {
        let (before, after) = (known(name), (!value.is_null()).then(|| value.to_string()));
        if before != after {
            out.push(Change { name: name.clone(), before, after });
        }
    }
    out
}

/// The changes that take a row back: those whose value nobody changed since. Gives them and how many were passed over.
pub fn way_back(known: impl Fn(&str) -> Option<String>, made: &[Change]) -> (Vec<Change>, usize) {
    let (mut out, mut passed) = (Vec::new(), 0);
    for change in made {
        if known(&change.name) == change.after {
            out.push(Change { name: change.name.clone(), before: change.after.clone(), after: change.before.clone() });
        } else {
            passed += 1;
        }
    }
    (out, passed)
}

/// What is known of a person's trait: what somebody said, not what follows from it.
pub fn known(view: &PersonView, name: &str) -> Option<String> {
    view.state.traits.find(name).and_then(|t| t.value.as_deref()).map(str::to_string)
}

/// The identifier by which an event finds the person: of the profile itself where it has one, else the first of the person.
/// Gives its profile, kind and value.
pub fn handle(tx: &mut Tx, view: &PersonView, profile: i64) -> Result<Option<(i64, String, String)>, DbError> {
    let rules = customers::rules::of(tx)?.clone();
    let free: Vec<_> = view.identifiers.iter().filter(|i| !rules.is_blocked(&i.kind, &i.value)).collect();
    let own = free.iter().find(|i| i.profile_id == profile).or_else(|| free.first());
    Ok(own.map(|i| (i.profile_id, i.kind.to_string(), i.value.to_string())))
}

/// An `identify` about an identifier.
fn message(id: &str, (kind, value): (&str, &str), changes: &[Change]) -> Value {
    let mut traits = Map::new();
    for change in changes {
        let value = change.after.as_deref().and_then(|v| serde_json::from_str(v).ok()).unwrap_or(Value::Null);
        traits.insert(change.name.clone(), value);
    }
    let mut out = json!({"type": "identify", "messageId": id, "traits": traits});
    match kind {
        "user_id" => out["userId"] = value.into(),
        "anonymous_id" => out["anonymousId"] = value.into(),
        "email" | "phone" => out["context"] = json!({"traits": {kind: value}}),
        _ => {
            let external = json!({"id": value, "type": kind, "collection": "users", "encoding": "none"});
            out["context"] = json!({"externalIds": [external]});
        }
    }
    out
}

/// A person with what is to change.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub profile: i64,
    pub handle: (String, String),
    pub changes: Vec<Change>,
}

/// Says the changes as events; `what` makes their ids.
pub fn say(tx: &mut Tx, preparer: &pipeline::Preparer, what: &str, wanted: &[Wanted]) -> Result<(), DbError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let source = match sources::find(tx, SOURCE)? {
        Some(source) => source,
        None => sources::add(tx, SOURCE, SourceKind::System, None)?
            .ok_or_else(|| DbError::damaged("sources", "a name is taken and free at once"))?,
    };
    let messages: Vec<Value> = wanted
        .iter()
        .enumerate()
        .map(|(at, w)| message(&format!("{what}:{at}"), (&w.handle.0, &w.handle.1), &w.changes))
        .collect();
    let body = json!({"batch": messages}).to_string();
    preparer.follow(tx)?;
    let sender = crate::collect_api::sender_of(&source);
    let received = preparer.receive(collect::Call::Batch, sender, collect::Client::default(), body.into(), tx.now());
    let mut received = received.map_err(|e| DbError::damaged("a change", e.detail))?;
    if let Some(reject) = received.rejects.first() {
        return Err(DbError::damaged("a change", format!("{}: {}", reject.code, reject.detail)));
    }
    pipeline::ingest(tx, preparer, &mut received.batch).map(drop)
}

/// One change of many, as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub id: i64,
    pub at: i64,
    pub actor: String,
    pub title: String,
    /// Customers.
    pub changed: i64,
    /// 0 while it stands.
    pub undone_at: i64,
    pub undone_by: String,
}

const COLUMNS: &str = "id, at, actor, title, changed, undone_at, undone_by";

fn read(row: &Row) -> Result<Edit, DbError> {
    Ok(Edit {
        id: row.int(0)?,
        at: row.int(1)?,
        actor: row.text(2)?.into(),
        title: row.text(3)?.into(),
        changed: row.int(4)?,
        undone_at: row.int(5)?,
        undone_by: row.text(6)?.into(),
    })
}

/// The newest changes before a number.
pub fn list(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<Edit>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM bulk_edits WHERE id < $1 ORDER BY id DESC LIMIT $2");
    db.rows(&sql, &[before.into(), limit.into()])?.iter().map(read).collect()
}

/// A change by number.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Edit>, DbError> {
    tx.first(&format!("SELECT {COLUMNS} FROM bulk_edits WHERE id = $1"), &[id.into()])?.map(|r| read(&r)).transpose()
}

/// Writes a change into the books.
pub fn note(tx: &mut Tx, id: i64, actor: &str, title: &str, wanted: &[Wanted]) -> Result<Edit, DbError> {
    let now = tx.now().micros();
    tx.execute(
        "INSERT INTO bulk_edits (id, at, actor, title, changed, undone_at, undone_by) VALUES ($1, $2, $3, $4, $5, 0, '')",
        &[id.into(), now.into(), actor.into(), title.into(), (wanted.len() as i64).into()],
    )?;
    let mut place = 0_i64;
    for one in wanted {
        for change in &one.changes {
            tx.execute(
                "INSERT INTO bulk_edit_rows (edit_id, place, profile_id, name, before, after) VALUES ($1, $2, $3, $4, $5, $6)",
                &[
                    id.into(),
                    place.into(),
                    one.profile.into(),
                    (&change.name).into(),
                    change.before.as_deref().unwrap_or("").into(),
                    change.after.as_deref().unwrap_or("").into(),
                ],
            )?;
            place += 1;
        }
    }
    find(tx, id)?.ok_or_else(|| DbError::damaged("bulk_edits", "a new row is not there"))
}

/// What a change made, by profile.
pub fn made(tx: &mut Tx, id: i64) -> Result<Vec<(i64, Vec<Change>)>, DbError> {
    let sql = "SELECT profile_id, name, before, after FROM bulk_edit_rows WHERE edit_id = $1 ORDER BY place";
    let mut out: Vec<(i64, Vec<Change>)> = Vec::new();
    let some = |text: &str| Some(text.to_string()).filter(|t| !t.is_empty());
    for row in tx.rows(sql, &[id.into()])? {
        let profile = row.int(0)?;
        let change = Change { name: row.text(1)?.into(), before: some(row.text(2)?), after: some(row.text(3)?) };
        match out.last_mut() {
            Some((last, changes)) if *last == profile => changes.push(change),
            _ => out.push((profile, vec![change])),
        }
    }
    Ok(out)
}

/// Notes that a change was taken back.
pub fn undone(tx: &mut Tx, id: i64, by: &str) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE bulk_edits SET undone_at = $2, undone_by = $3 WHERE id = $1";
    tx.execute(sql, &[id.into(), now.into(), by.into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(list: &[(&str, Value)]) -> BTreeMap<String, Value> {
        list.iter().map(|(n, v)| ((*n).to_string(), v.clone())).collect()
    }

    #[test]
    fn who_somebody_is_and_what_is_masked_are_not_set_by_hand() {
        assert_eq!(check("email", &json!("a@b.co")), Err(RowError::Protected));
        assert_eq!(check("", &json!(1)), Err(RowError::BadName));
        assert_eq!(check("note", &json!("+380 67 ••• •• 67")), Err(RowError::Masked));
        assert_eq!(check("note", &json!(["x"])), Err(RowError::BadValue));
        assert_eq!(check("note", &json!("x".repeat(TEXT_MAX + 1))), Err(RowError::BadValue));
        for fine in [json!("Ґанна"), json!(3), json!(true), Value::Null] {
            assert_eq!(check("note", &fine), Ok(()));
        }
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        let known = |name: &str| (name == "tier").then(|| "\"gold\"".to_string());
        let found = changes(known, &wanted(&[("tier", json!("gold")), ("size", json!(2)), ("gone", Value::Null)]));
        assert_eq!(found, [Change { name: "size".into(), before: None, after: Some("2".into()) }]);
    }

    #[test]
    fn the_way_back_passes_over_what_was_changed_since() {
        let made = changes(|_| Some("\"a\"".into()), &wanted(&[("x", json!("b")), ("y", json!("b"))]));
        let since = |name: &str| Some(if name == "x" { "\"b\"" } else { "\"c\"" }.to_string());
        let (back, passed) = way_back(since, &made);
        assert_eq!((back.len(), passed), (1, 1));
        assert_eq!((back[0].name.as_str(), back[0].after.as_deref()), ("x", Some("\"a\"")));
        // Taking back twice is no change: the value is not what the change made it any more.
        assert_eq!(way_back(|_| Some("\"a\"".into()), &made), (vec![], 2));
    }

    proptest::proptest! {
        #[test]
        fn there_and_back_is_where_it_was(before in proptest::collection::btree_map("[a-d]", 0..3_i64, 0..4), after in proptest::collection::btree_map("[a-d]", proptest::option::of(0..3_i64), 0..4)) {
            let mut state: BTreeMap<String, String> = before.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
            let start = state.clone();
            let apply = |state: &mut BTreeMap<String, String>, changes: &[Change]| for c in changes {
                match &c.after { Some(v) => { state.insert(c.name.clone(), v.clone()); } None => { state.remove(&c.name); } }
            };
            let wanted = after.iter().map(|(k, v)| (k.clone(), v.map_or(Value::Null, Value::from))).collect();
            let there = changes(|n| state.get(n).cloned(), &wanted);
            apply(&mut state, &there);
            let (back, passed) = way_back(|n| state.get(n).cloned(), &there);
            apply(&mut state, &back);
            proptest::prop_assert_eq!(passed, 0);
            proptest::prop_assert_eq!(state, start);
        }
    }
}
