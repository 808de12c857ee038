//! Into the queues: what was read, for whom it is, and the place up to which it was read, in one transaction.
use super::facts::Fact;
use super::filter::Filter;
use super::gather::{Gathered, Places, newest_erasure};
use base::Timestamp;
use customers::profiles::Profiles;
use db::{Bulk, DbError, Tx};
use serde_json::json;

static MESSAGES: Bulk = Bulk {
    table: "webhook_messages",
    columns: &[
        ("id", 'i'),
        ("key", 't'),
        ("type", 't'),
        ("at", 'i'),
        ("queued_at", 'i'),
        ("profile_id", 'i'),
        ("body", 't'),
    ],
    key: 1,
    insert_only: false,
};
static DELIVERIES: Bulk = Bulk {
    table: "webhook_deliveries",
    columns: &[
        ("id", 'i'),
        ("endpoint_id", 'i'),
        ("message_id", 'i'),
        ("state", 't'),
        ("attempts", 'i'),
        ("tries", 'i'),
        ("next_at", 'i'),
        ("last_status", 'i'),
        ("last_error", 't'),
        ("created_at", 'i'),
        ("settled_at", 'i'),
    ],
    key: 1,
    insert_only: false,
};

/// What came of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// So many deliveries were queued.
    Queued(u64),
    /// Somebody else moved the places, or somebody was erased meanwhile: read again.
    Stale,
}

/// Queues what endpoints want of a reading and moves the places. A repetition with the same reading changes nothing.
pub fn put(tx: &mut Tx, gathered: &Gathered) -> Result<Put, DbError> {
    if Places::read(tx.engine())? != gathered.before || newest_erasure(tx.engine())? != gathered.newest_erasure {
        return Ok(Put::Stale);
    }
    let endpoints = listening(tx)?;
    let mut queued = 0;
    for fact in &gathered.facts {
        let to: Vec<i64> = endpoints
            .iter()
            .filter(|(_, since, filter)| fact.known_at >= *since && filter.wants(fact.about()))
            .map(|(id, ..)| *id)
            .collect();
        if to.is_empty() {
            continue;
        }
        let mut fact = fact.clone();
        if !still_known(tx, &mut fact)? || is_there(tx, &fact)? {
            continue;
        }
        queued += to.len() as u64;
        add(tx, &fact, &to);
    }
    gathered.after.write(tx)?;
    Ok(Put::Queued(queued))
}

/// Endpoints that get something: number, since when, what.
fn listening(tx: &mut Tx) -> Result<Vec<(i64, Timestamp, Filter)>, DbError> {
    let sql = "SELECT id, since, filter FROM webhook_endpoints WHERE state <> 'disabled' ORDER BY id LIMIT 1000";
    let rows = tx.rows(sql, &[])?;
    rows.iter()
        .map(|r| {
            let filter = serde_json::from_str(r.text(2)?).map_err(|e| DbError::damaged("webhook_endpoints", e))?;
            Ok((r.int(0)?, Timestamp::from_micros(r.int(1)?), filter))
        })
        .collect()
}

/// Puts the person's present id in; `false` for somebody who was erased, of whom nothing leaves any more.
fn still_known(tx: &mut Tx, fact: &mut Fact) -> Result<bool, DbError> {
    if fact.profile_id == 0 {
        return Ok(true);
    }
    let person = tx.get::<Profiles>(fact.profile_id)?.map_or(0, |row| row.person);
    if fact.data.get("person_id").is_some_and(serde_json::Value::is_null) {
        fact.data["person_id"] = json!(person.to_string());
    }
    Ok(person != 0)
}

/// Jobs of one moment are read again; everything else is read once.
fn is_there(tx: &mut Tx, fact: &Fact) -> Result<bool, DbError> {
    Ok(fact.key.starts_with("job/")
        && tx.first("SELECT id FROM webhook_messages WHERE key = $1", &[(&fact.key).into()])?.is_some())
}

/// Adds a message for some endpoints; gives the numbers of its deliveries.
pub fn add(tx: &mut Tx, fact: &Fact, to: &[i64]) -> Vec<i64> {
    let (message, now) = (tx.next_id(), tx.now().micros());
    let row = vec![
        message.into(),
        fact.key.clone().into(),
        fact.kind.into(),
        fact.at.micros().into(),
        now.into(),
        fact.profile_id.into(),
        fact.body().into(),
    ];
    tx.append(&MESSAGES, row);
    let mut deliveries = Vec::with_capacity(to.len());
    for endpoint in to {
        let id = tx.next_id();
        deliveries.push(id);
        let row = vec![
            id.into(),
            (*endpoint).into(),
            message.into(),
            "pending".into(),
            0.into(),
            0.into(),
            now.into(),
            0.into(),
            "".into(),
            now.into(),
            0.into(),
        ];
        tx.append(&DELIVERIES, row);
    }
    deliveries
}
