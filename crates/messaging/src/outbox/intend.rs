//! Entering a segment writes an intent for each rule that listens.
use super::{Books, why_json};
use crate::facts::GateFacts;
use crate::gate::GateLine;
use crate::model::{Derived, Message, Rule, Status};
use crate::rules;
use base::Timestamp;
use db::{Bulk, DbError, Owned, Tx};
use std::collections::HashSet;

/// A person who entered a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    pub segment_id: i64,
    /// The person at this moment: the oldest profile's id.
    pub person_id: i64,
    /// The event that brought the person in; 0 if it was the clock.
    pub event_seq: i64,
    /// The event's message id; without an event a word for what moved the person, such as `timer`.
    pub event_id: &'a str,
}

static MESSAGES: Bulk = Bulk {
    table: "messages",
    columns: &[
        ("key", 't'),
        ("id", 'i'),
        ("rule_id", 'i'),
        ("profile_id", 'i'),
        ("event_seq", 'i'),
        ("event_id", 't'),
        ("channel", 't'),
        ("purpose", 't'),
        ("status", 't'),
        ("reason", 't'),
        ("why", 't'),
        ("address", 't'),
        ("subject", 't'),
        ("template_id", 'i'),
        ("template_version", 'i'),
        ("once", 'i'),
        ("attempts", 'i'),
        ("intended_at", 'i'),
        ("first_attempt_at", 'i'),
        ("due_at", 'i'),
        ("settled_at", 'i'),
    ],
    // No key: the look-up before decides, and a double that slipped through must fail loudly on UNIQUE (key).
    key: 0,
    insert_only: false,
};

/// Writes the intents of these entries. Idempotent: an entry that was intended before adds nothing. With `once`, a person
/// whom the rule reached, or is about to reach, gets a message that is stopped from the start, so that the books show it.
///
/// Without rules for a segment an entry costs a look-up in memory; else two or three reads by key and one appended row.
pub fn intend(tx: &mut Tx, facts: &mut dyn GateFacts, entries: &[Entry<'_>]) -> Result<Vec<Derived>, DbError> {
    let mut books = Books::default();
    let mut rows: Vec<Vec<Owned>> = Vec::new();
    // What this call has decided is not in the table yet: rows are appended together after all look-ups.
    let mut keys: HashSet<String> = HashSet::new();
    let mut reaching: HashSet<(i64, i64)> = HashSet::new();
    for entry in entries {
        let listening = rules::listening(tx, entry.segment_id)?;
        if listening.is_empty() {
            continue;
        }
        let mut members = facts.members(tx, entry.person_id)?;
        if !members.contains(&entry.person_id) {
            members.push(entry.person_id);
        }
        for rule in listening {
            let key = key_of(rule.id, entry, tx.now());
            if keys.contains(&key) || tx.first("SELECT id FROM messages WHERE key = $1", &[(&key).into()])?.is_some() {
                continue;
            }
            let in_call = members.iter().any(|m| reaching.contains(&(rule.id, *m)));
            let other = if rule.once { find_reaching(tx, rule.id, &members)? } else { None };
            let blocked = rule.once && (in_call || other.is_some());
            let message = new_message(tx, &rule, entry, key.clone(), blocked, other);
            books.intended(rule.id, entry.person_id, message.status);
            if blocked {
                books.event("Message Suppressed", &message, "once", message.intended_at);
            } else {
                reaching.insert((rule.id, entry.person_id));
            }
            rows.push(row_of(&message, rule.once));
            keys.insert(key);
        }
    }
    for row in rows {
        tx.append(&MESSAGES, row);
    }
    books.close(tx)
}

/// The key of an intent: rule, person at entry, entering event. A seq is unique for ever. What moves people without an event
/// (the clock, a merge) has none, so its moment stands in: one transaction has one, and nobody enters twice in it.
fn key_of(rule_id: i64, entry: &Entry<'_>, now: Timestamp) -> String {
    match entry.event_seq {
        0 => format!("{rule_id}-{}-{}@{}", entry.person_id, entry.event_id, now.micros()),
        seq => format!("{rule_id}-{}-{seq}", entry.person_id),
    }
}

fn find_reaching(tx: &mut Tx, rule_id: i64, members: &[i64]) -> Result<Option<i64>, DbError> {
    for member in members {
        let row = tx.first(
            "SELECT id FROM messages WHERE profile_id = $1 AND rule_id = $2 AND status IN ('pending', 'sending', 'sent', 'unknown') \
             ORDER BY id LIMIT 1",
            &[(*member).into(), rule_id.into()],
        )?;
        if let Some(row) = row {
            return row.int(0).map(Some);
        }
    }
    Ok(None)
}

fn new_message(tx: &mut Tx, rule: &Rule, entry: &Entry<'_>, key: String, blocked: bool, other: Option<i64>) -> Message {
    let now = tx.now();
    let why = if blocked {
        let by = other.map_or("another message of this moment".into(), |id| format!("message {id}"));
        let detail = format!("this rule reached the person already, or is about to, with {by}");
        why_json(&[GateLine { gate: "once".into(), passed: false, detail }])
    } else {
        String::new()
    };
    Message {
        id: tx.next_id(),
        key,
        rule_id: rule.id,
        profile_id: entry.person_id,
        event_seq: entry.event_seq,
        event_id: entry.event_id.chars().take(200).collect(),
        channel: rule.channel.clone(),
        purpose: rule.purpose.clone(),
        status: if blocked { Status::Stopped } else { Status::Pending },
        reason: if blocked { "once".into() } else { String::new() },
        why,
        address: String::new(),
        subject: String::new(),
        template_id: rule.template_id,
        template_version: 0,
        attempts: 0,
        intended_at: now,
        first_attempt_at: Timestamp::default(),
        due_at: if blocked { Timestamp::default() } else { now },
        settled_at: blocked.then_some(now),
    }
}

fn row_of(m: &Message, once: bool) -> Vec<Owned> {
    vec![
        m.key.clone().into(),
        m.id.into(),
        m.rule_id.into(),
        m.profile_id.into(),
        m.event_seq.into(),
        m.event_id.clone().into(),
        m.channel.clone().into(),
        m.purpose.clone().into(),
        m.status.as_str().into(),
        m.reason.clone().into(),
        m.why.clone().into(),
        m.address.clone().into(),
        m.subject.clone().into(),
        m.template_id.into(),
        m.template_version.into(),
        i64::from(once).into(),
        m.attempts.into(),
        m.intended_at.micros().into(),
        m.first_attempt_at.micros().into(),
        m.due_at.micros().into(),
        m.settled_at.map_or(0, Timestamp::micros).into(),
    ]
}
