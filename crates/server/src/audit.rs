//! Who changed what: rows that are only ever added, in the transaction of the change itself.
//!
//! Every row holds a hash over itself and the row before, and the last one stands in the settings too. A row that was changed,
//! taken out or put in breaks the chain, and `doctor` names the place. Whoever can write all of the database can of course
//! write a new chain; the head that an export carries is what they cannot reach.
use base::Timestamp;
use db::{Bulk, DbError, Engine, Owned, Tx, settings};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Where the last row's number and hash stand.
const HEAD: &str = "audit.head";

static AUDIT: Bulk = Bulk {
    table: "audit",
    columns: &[
        ("id", 'i'),
        ("at", 'i'),
        ("actor", 't'),
        ("action", 't'),
        ("subject_kind", 't'),
        ("subject", 't'),
        ("before", 't'),
        ("after", 't'),
        ("chain", 't'),
    ],
    key: 1,
    insert_only: true,
};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who: an address, or the name of a key.
    pub actor: String,
    /// What was done: `create`, `update`, `archive`, …
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which.
    pub subject: String,
    /// As it was.
    pub before: Option<Value>,
    /// As it is.
    pub after: Option<Value>,
}

/// The hash of a row: over the hash before it and every field with its length, so that no two rows have one text.
fn link(before: &str, id: i64, at: i64, fields: [Option<&str>; 6]) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(id.to_be_bytes());
    hash.update(at.to_be_bytes());
    for field in fields {
        match field {
            Some(text) => {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            None => hash.update(u64::MAX.to_be_bytes()),
        }
    }
    crate::secrets::hex(&hash.finalize())
}

/// The last row's number and hash.
pub fn head(db: &mut Engine) -> Result<(i64, String), DbError> {
    let Some(text) = settings::get(db, HEAD)? else { return Ok((0, String::new())) };
    let parts = text.split_once(' ').and_then(|(id, hash)| Some((id.parse().ok()?, hash.to_string())));
    parts.ok_or_else(|| DbError::damaged("settings", "audit.head cannot be read"))
}

/// Notes a change.
pub fn note(
    tx: &mut Tx,
    actor: &str,
    (action, kind): (&str, &str),
    subject: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), DbError> {
    let (id, at) = (tx.next_id(), tx.now().micros());
    let text = |v: Option<&Value>| v.map(Value::to_string);
    let (before, after) = (text(before), text(after));
    let (_, last) = head(tx.engine())?;
    let fields = [Some(actor), Some(action), Some(kind), Some(subject), before.as_deref(), after.as_deref()];
    let chain = link(&last, id, at, fields);
    let value = format!("{id} {chain}");
    let set =
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(set, &[HEAD.into(), (&value).into()])?;
    let row: Vec<Owned> = vec![
        id.into(),
        at.into(),
        actor.into(),
        action.into(),
        kind.into(),
        subject.into(),
        before.into(),
        after.into(),
        (&*chain).into(),
    ];
    tx.append(&AUDIT, row);
    Ok(())
}

/// Which lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// To what kind of thing.
    pub subject_kind: Option<String>,
    /// To which.
    pub subject: Option<String>,
    /// From when on.
    pub from: Option<Timestamp>,
    /// Before when.
    pub until: Option<Timestamp>,
}

const ROW: &str = "SELECT id, at, actor, action, subject_kind, subject, before, after, chain FROM audit";

fn entry(row: &db::Row) -> Result<Entry, DbError> {
    let value = |text: Option<&str>| text.and_then(|t| serde_json::from_str(t).ok());
    Ok(Entry {
        id: row.int(0)?,
        at: Timestamp::from_micros(row.int(1)?),
        actor: row.text(2)?.into(),
        action: row.text(3)?.into(),
        subject_kind: row.text(4)?.into(),
        subject: row.text(5)?.into(),
        before: value(row.opt_text(6)?),
        after: value(row.opt_text(7)?),
    })
}

/// Lines before a number that pass a filter, newest first.
pub fn list(db: &mut Engine, filter: &Filter, before: i64, limit: i64) -> Result<Vec<Entry>, DbError> {
    // Each condition is a fixed text, so there are few statements, and each finds its index.
    let mut sql = format!("{ROW} WHERE id < $1");
    let mut params: Vec<db::Value<'_>> = vec![before.into()];
    let texts = [
        ("actor =", &filter.actor),
        ("action =", &filter.action),
        ("subject_kind =", &filter.subject_kind),
        ("subject =", &filter.subject),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            params.push(value.into());
            sql.push_str(&format!(" AND {condition} ${}", params.len()));
        }
    }
    for (condition, value) in [("at >=", filter.from), ("at <", filter.until)] {
        if let Some(value) = value {
            params.push(value.micros().into());
            sql.push_str(&format!(" AND {condition} ${}", params.len()));
        }
    }
    params.push(limit.into());
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ${}", params.len()));
    db.rows(&sql, &params)?.iter().map(entry).collect()
}

/// What differs between two states of a thing, by field: each as it was and as it is, in order of the names.
pub fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<(String, Value, Value)> {
    let object = |v: Option<&Value>| v.and_then(Value::as_object).cloned().unwrap_or_default();
    let plain = |v: Option<&Value>| v.is_some_and(|v| !v.is_object());
    if plain(before) || plain(after) {
        let (before, after) = (before.cloned().unwrap_or_default(), after.cloned().unwrap_or_default());
        return if before == after { vec![] } else { vec![(String::new(), before, after)] };
    }
    let (before, after) = (object(before), object(after));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |map: &serde_json::Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or_default();
    let pairs = names.into_iter().map(|n| (n.clone(), value(&before, n), value(&after, n)));
    pairs.filter(|(_, before, after)| before != after).collect()
}

/// A place where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The row.
    pub id: i64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Checks every link, oldest first; tells the first hundred that are broken. Rows of before the chain have no hash, and
/// come before all that have one.
pub fn verify(db: &mut Engine) -> Result<Vec<Broken>, DbError> {
    let (head_id, head_hash) = head(db)?;
    let (mut last, mut last_id, mut broken) = (String::new(), 0, Vec::new());
    db.each(&format!("{ROW} ORDER BY id"), &[], &mut |row| {
        let (id, chain) = (row.int(0)?, row.text(8)?);
        if chain.is_empty() {
            if !last.is_empty() {
                broken.push(Broken { id, why: "a line without a hash stands among lines with one" });
            }
            return Ok(broken.len() < 100);
        }
        let fields = [
            Some(row.text(2)?),
            Some(row.text(3)?),
            Some(row.text(4)?),
            Some(row.text(5)?),
            row.opt_text(6)?,
            row.opt_text(7)?,
        ];
        if link(&last, id, row.int(1)?, fields) != chain {
            broken.push(Broken { id, why: "this line, or one before it, was changed, removed or put in" });
        }
        (last, last_id) = (chain.to_string(), id);
        Ok(broken.len() < 100)
    })?;
    if broken.is_empty() && (last_id, &last) != (head_id, &head_hash) {
        broken.push(Broken { id: head_id, why: "the last line that was written is not the last that is there" });
    }
    Ok(broken)
}

/// Checks the chain of a store at rest or beside a server, in one snapshot.
pub fn check(location: &db::Location) -> Result<Vec<Broken>, DbError> {
    let mut db = location.open(db::Sync::Full, true)?;
    db.batch(match db.dialect() {
        db::Dialect::Sqlite => "BEGIN",
        db::Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    verify(&mut db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_told_by_field() {
        let (before, after) =
            (json!({"name": "A", "role": "agent", "x": 1}), json!({"name": "B", "role": "agent", "y": 2}));
        let found = differences(Some(&before), Some(&after));
        let expected = [("name", json!("A"), json!("B")), ("x", json!(1), Value::Null), ("y", Value::Null, json!(2))];
        assert_eq!(found, expected.map(|(n, b, a)| (n.to_string(), b, a)));
        assert_eq!(differences(None, Some(&json!("on"))), [(String::new(), Value::Null, json!("on"))]);
        assert_eq!(differences(Some(&after), Some(&after)), []);
    }

    #[test]
    fn a_hash_is_over_every_field_and_its_border() {
        let row = |actor, action| link("", 1, 2, [Some(actor), Some(action), Some("k"), Some("s"), None, Some("")]);
        assert_ne!(row("ab", "c"), row("a", "bc"));
        assert_ne!(link("", 1, 2, [None; 6]), link("", 1, 2, [Some(""); 6]));
        assert_ne!(link("a", 1, 2, [None; 6]), link("b", 1, 2, [None; 6]));
    }
}
