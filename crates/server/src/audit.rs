//! Who changed what: rows that are only ever added, in the transaction of the change itself.
//!
//! Every row holds a hash over itself and the row before, and the last one stands in the settings too. A row that was changed,
//! taken out or put in breaks the chain, and `doctor` names the place. Whoever can write all of the database can of course
//! write a new chain; the head that an export carries is what they cannot reach.
//!
//! What a line says in detail is covered by a digest with a salt of the line's own. An erasure takes detail and salt away:
//! nothing can be learnt from what is left, the chain still holds, and a line of the audit names the lines that were emptied
//! ([`redact`]). A line that was emptied without being named is found like any other change. (ADR 0022)
use base::Timestamp;
use db::{Bulk, DbError, Engine, Owned, Tx, settings};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

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
        ("salt", 't'),
        ("digest", 't'),
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

/// What stands in place of the digest in a line of before digests that an erasure emptied.
const EMPTIED: &str = "emptied";
/// What stands in place of the subject of a line that an erasure emptied.
const ERASED: &str = "erased";
/// The act of emptying lines, and what it is done to.
const REDACTION: (&str, &str) = ("redact", "audit");

/// The digest of what an erasure may take away.
fn digest(salt: &str, subject: &str, before: Option<&str>, after: Option<&str>) -> String {
    link(salt, 0, 0, [Some("braid.audit.detail"), Some(subject), before, after, None, None])
}

/// The subject as the chain itself covers it: numbers stay when a line is emptied, names and addresses go.
fn shown(subject: &str) -> &str {
    if !subject.is_empty() && subject.bytes().all(|b| b.is_ascii_digit()) { subject } else { "" }
}

/// The hash of a row with a digest.
fn link_digest(before: &str, id: i64, at: i64, [actor, action, kind, subject]: [&str; 4], digest: &str) -> String {
    let fields = [Some("braid.audit.2"), Some(actor), Some(action), Some(kind), Some(shown(subject)), Some(digest)];
    link(before, id, at, fields)
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
    let salt = base::random_token();
    let digest = digest(&salt, subject, before.as_deref(), after.as_deref());
    let chain = link_digest(&last, id, at, [actor, action, kind, subject], &digest);
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
        salt.into(),
        digest.into(),
    ];
    tx.append(&AUDIT, row);
    Ok(())
}

/// Lines that one piece of an erasure looks at.
const PIECE: i64 = 500;

/// Empties lines that speak of somebody who is erased, a piece at a time; gives where to go on, `None` at the end. Lines
/// about the person lose their detail whatever it says; others when they name the person. The line about the erasure
/// itself stays: its reason names nobody.
pub fn redact(tx: &mut Tx, erasing: &pipeline::erasure::Erasing<'_>, position: i64) -> Result<Option<i64>, DbError> {
    let sql = format!("{ROW} WHERE id > $1 AND chain <> '' AND digest <> $3 ORDER BY id LIMIT $2");
    let (mut next, mut emptied) = (None, Vec::new());
    for row in tx.rows(&sql, &[position.into(), PIECE.into(), EMPTIED.into()])? {
        let id = row.int(0)?;
        next = Some(id);
        let (action, kind, subject) = (row.text(3)?, row.text(4)?, row.text(5)?);
        let gone = !row.text(10)?.is_empty() && row.text(9)?.is_empty();
        if gone || (action, kind) == REDACTION {
            continue;
        }
        let about = matches!(kind, "customer" | "person")
            && action != "erase"
            && subject.parse().is_ok_and(|id: i64| erasing.profiles.contains(&id));
        let detail = [row.opt_text(6)?, row.opt_text(7)?];
        let named = || [Some(subject), detail[0], detail[1]].into_iter().flatten().any(|t| erasing.needles.hit(t));
        let told = about && detail.iter().any(Option::is_some);
        if !told && !named() {
            continue;
        }
        take(tx, &row)?;
        emptied.push(id);
    }
    name(tx, erasing.job, emptied)?;
    Ok(next)
}

/// Takes a line's detail away.
fn take(tx: &mut Tx, row: &db::Row) -> Result<(), DbError> {
    let subject = row.text(5)?;
    let subject = if shown(subject).is_empty() { ERASED } else { subject };
    let digest = if row.text(10)?.is_empty() { EMPTIED } else { row.text(10)? };
    let sql = "UPDATE audit SET subject = $2, before = NULL, after = NULL, salt = '', digest = $3 WHERE id = $1";
    tx.execute(sql, &[row.int(0)?.into(), subject.into(), digest.into()]).map(drop)
}

/// Notes which lines a job emptied.
fn name(tx: &mut Tx, job: i64, emptied: Vec<i64>) -> Result<(), DbError> {
    if emptied.is_empty() {
        return Ok(());
    }
    let after = serde_json::json!({"lines": emptied});
    note(tx, "braid", REDACTION, &job.to_string(), None, Some(&after))
}

/// Lines with a detail that is old enough. What names emptied lines, and what proves an erasure, stays.
const EXPIRING: &str =
    "chain <> '' AND at < $1 AND action NOT IN ('redact', 'erase') AND (before IS NOT NULL OR after IS NOT NULL)";

/// Empties lines of before a moment, a piece at a time, as [`redact`] does; gives where to go on, `None` at the end.
pub fn expire(tx: &mut Tx, job: i64, before: Timestamp, position: i64) -> Result<Option<i64>, DbError> {
    let sql = format!("{ROW} WHERE {EXPIRING} AND id > $2 ORDER BY id LIMIT $3");
    let rows = tx.rows(&sql, &[before.micros().into(), position.into(), PIECE.into()])?;
    let mut emptied = Vec::new();
    for row in &rows {
        take(tx, row)?;
        emptied.push(row.int(0)?);
    }
    let last = emptied.last().copied();
    name(tx, job, emptied)?;
    Ok(last)
}

/// How many lines [`expire`] would empty.
pub fn expiring(db: &mut Engine, before: Timestamp) -> Result<i64, DbError> {
    let sql = format!("SELECT COUNT(*) FROM audit WHERE {EXPIRING}");
    db.first(&sql, &[before.micros().into()])?.map_or(Ok(0), |r| r.int(0))
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

const ROW: &str = "SELECT id, at, actor, action, subject_kind, subject, before, after, chain, salt, digest FROM audit";
/// The same, of a store whose audit has no digests yet.
const OLD_ROW: &str =
    "SELECT id, at, actor, action, subject_kind, subject, before, after, chain, '' AS salt, '' AS digest FROM audit";

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
/// come before all that have one. Rows that were emptied must be named by an erasure's line.
pub fn verify(db: &mut Engine) -> Result<Vec<Broken>, DbError> {
    let (head_id, head_hash) = head(db)?;
    let sql = "SELECT name FROM migrations WHERE owner = 'server' AND name = '0004_redactable_audit'";
    let row = if db.first(sql, &[])?.is_some() { ROW } else { OLD_ROW };
    let (mut last, mut last_id, mut broken) = (String::new(), 0, Vec::new());
    let (mut emptied, mut named) = (Vec::new(), HashSet::new());
    db.each(&format!("{row} ORDER BY id"), &[], &mut |row| {
        let (id, chain) = (row.int(0)?, row.text(8)?);
        if chain.is_empty() {
            if !last.is_empty() {
                broken.push(Broken { id, why: "a line without a hash stands among lines with one" });
            }
            return Ok(broken.len() < 100);
        }
        match judge(&row, &last)? {
            Held::Whole => named.extend(emptied_by(&row)?),
            Held::Emptied => emptied.push(id),
            Held::Broken => {
                broken.push(Broken { id, why: "this line, or one before it, was changed, removed or put in" })
            }
        }
        (last, last_id) = (chain.to_string(), id);
        Ok(broken.len() < 100)
    })?;
    let why = "its detail was taken away, and no erasure says so";
    broken.extend(emptied.into_iter().filter(|id| !named.contains(id)).take(100).map(|id| Broken { id, why }));
    if broken.is_empty() && (last_id, &last) != (head_id, &head_hash) {
        broken.push(Broken { id: head_id, why: "the last line that was written is not the last that is there" });
    }
    Ok(broken)
}

/// What a line is, seen by itself and the hash before it.
enum Held {
    Whole,
    /// Its detail is gone, and what is left agrees with the chain.
    Emptied,
    Broken,
}

fn judge(row: &db::Row, last: &str) -> Result<Held, DbError> {
    let (id, at, chain, salt, kept) = (row.int(0)?, row.int(1)?, row.text(8)?, row.text(9)?, row.text(10)?);
    let names = [row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?];
    let (before, after) = (row.opt_text(6)?, row.opt_text(7)?);
    let empty = salt.is_empty() && before.is_none() && after.is_none();
    let held = |fits: bool, held: Held| if fits { held } else { Held::Broken };
    Ok(match kept {
        "" => {
            let [actor, action, kind, subject] = names.map(Some);
            held(link(last, id, at, [actor, action, kind, subject, before, after]) == chain, Held::Whole)
        }
        // Of before digests: its hash was over what is gone. What follows it still holds its place.
        EMPTIED => held(empty, Held::Emptied),
        kept if link_digest(last, id, at, names, kept) != chain => Held::Broken,
        _ if salt.is_empty() => held(empty && (names[3] == ERASED || !shown(names[3]).is_empty()), Held::Emptied),
        kept => held(digest(salt, names[3], before, after) == kept, Held::Whole),
    })
}

/// The lines that this line says were emptied.
fn emptied_by(row: &db::Row) -> Result<Vec<i64>, DbError> {
    if (row.text(3)?, row.text(4)?) != REDACTION {
        return Ok(Vec::new());
    }
    let after: Value = row.opt_text(7)?.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    Ok(after["lines"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect())
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

/// Makes all lines what they were before digests.
#[cfg(test)]
pub(crate) fn as_before_digests(tx: &mut Tx) -> Result<(), DbError> {
    let (mut last, mut last_id) = (String::new(), 0);
    for row in tx.rows(&format!("{ROW} ORDER BY id"), &[])? {
        let [actor, action, kind, subject] = [row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?].map(Some);
        last_id = row.int(0)?;
        last = link(&last, last_id, row.int(1)?, [actor, action, kind, subject, row.opt_text(6)?, row.opt_text(7)?]);
        let sql = "UPDATE audit SET chain = $2, salt = '', digest = '' WHERE id = $1";
        tx.execute(sql, &[last_id.into(), (&last).into()])?;
    }
    settings::set(tx.engine(), HEAD, &format!("{last_id} {last}"))
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
