//! Who changed what: rows that are only ever added, in the transaction of the change itself.
use base::Timestamp;
use db::{Bulk, DbError, Engine, Tx};
use serde_json::Value;

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

/// Notes a change.
pub fn note(
    tx: &mut Tx,
    actor: &str,
    (action, kind): (&str, &str),
    subject: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) {
    let (id, at) = (tx.next_id(), tx.now().micros());
    let text = |v: Option<&Value>| v.map(Value::to_string);
    let row = vec![
        id.into(),
        at.into(),
        actor.into(),
        action.into(),
        kind.into(),
        subject.into(),
        text(before).into(),
        text(after).into(),
    ];
    tx.append(&AUDIT, row);
}

/// Changes before a number, newest first.
pub fn list(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<Entry>, DbError> {
    let sql = "SELECT id, at, actor, action, subject_kind, subject, before, after FROM audit WHERE id < $1 \
               ORDER BY id DESC LIMIT $2";
    let value = |text: Option<&str>| text.and_then(|t| serde_json::from_str(t).ok());
    db.rows(sql, &[before.into(), limit.into()])?
        .iter()
        .map(|row| {
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
        })
        .collect()
}
