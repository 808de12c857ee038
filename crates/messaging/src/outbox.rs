//! The outbox: the states of a message, and the only functions that change them.
//!
//! ```text
//! entering ─ intend ─→ pending ── claim_due ──→ sending ── settle ──→ sent | refused | unknown
//!               │        ↑  │                      │                              │
//!               ↓        │  ↓                      │ lease ends (crash): unknown  │ settle_unknown
//!            stopped     │ stopped                 │                              ↓
//!            (once)      └──── retry (4xx, before DATA) ──┘                   sent | refused
//! ```
//!
//! Each arrow is one transaction with everything that belongs to it: the status, the row in the cap ledger, the counts of
//! the rule, the events about the person. The network is never called inside one: whoever sends claims first, so that a
//! crash leaves a lease behind and not a second mail.
mod claim;
mod forget;
mod intend;
mod settle;

pub use claim::{ClaimOptions, Claimed, ClaimedBatch, claim_due};
pub use forget::forget;
pub use intend::{Entry, intend};
pub use settle::{Outcome, SettleAs, Settled, expire_all, expire_leases, settle, settle_unknown};

use crate::gate::GateLine;
use crate::model::{Counts, Derived, Message, Status};
use base::{DAY_US, Timestamp};
use db::{DbError, Notice, Row, Tx};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts after which a message is given up. With the back-off of `connect` they span about a day.
pub const ATTEMPTS_MAX: i64 = 12;
/// How long after its first attempt a message is still tried.
pub const GIVE_UP_AFTER_US: i64 = DAY_US;

/// The earliest moment at which a message or a lease is due; `None` when nothing waits.
pub fn next_due(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    let sql = "SELECT MIN(due_at) FROM messages WHERE status = $1 AND due_at > 0";
    let mut earliest: Option<i64> = None;
    for status in [Status::Pending, Status::Sending] {
        let due = tx.first(sql, &[status.as_str().into()])?.map(|r| r.opt_int(0)).transpose()?.flatten();
        earliest = [earliest, due].into_iter().flatten().min();
    }
    Ok(earliest.map(Timestamp::from_micros))
}

/// A query over whole messages (`m`): the columns that [`message_of`] reads, and the rest of the statement, as one constant.
/// More columns may follow them.
macro_rules! message_sql {
    ($($rest:literal),+) => {
        concat!(
            "SELECT m.id, m.key, m.rule_id, m.profile_id, m.event_seq, m.event_id, m.channel, m.purpose, m.status, m.reason, m.why, \
             m.address, m.subject, m.template_id, m.template_version, m.attempts, m.intended_at, m.first_attempt_at, m.due_at, \
             m.settled_at",
            $($rest),+
        )
    };
}
pub(crate) use message_sql;

pub(crate) fn message_of(row: &Row) -> Result<Message, DbError> {
    let at = |column: usize| row.int(column).map(Timestamp::from_micros);
    let status = Status::parse(row.text(8)?)
        .ok_or_else(|| DbError::damaged("messages", format!("status {:?}", row.0.get(8))))?;
    Ok(Message {
        id: row.int(0)?,
        key: row.text(1)?.into(),
        rule_id: row.int(2)?,
        profile_id: row.int(3)?,
        event_seq: row.int(4)?,
        event_id: row.text(5)?.into(),
        channel: row.text(6)?.into(),
        purpose: row.text(7)?.into(),
        status,
        reason: row.text(9)?.into(),
        why: row.text(10)?.into(),
        address: row.text(11)?.into(),
        subject: row.text(12)?.into(),
        template_id: row.int(13)?,
        template_version: row.int(14)?,
        attempts: row.int(15)?,
        intended_at: at(16)?,
        first_attempt_at: at(17)?,
        due_at: at(18)?,
        settled_at: Some(at(19)?).filter(|t| t.micros() > 0),
    })
}

/// A message by id.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Message>, DbError> {
    let row = tx.first(message_sql!(" FROM messages m WHERE m.id = $1"), &[id.into()])?;
    row.as_ref().map(message_of).transpose()
}

/// What one call changed, gathered so that counts are written once per rule and people are told once.
#[derive(Default)]
pub(crate) struct Books {
    deltas: BTreeMap<i64, Counts>,
    people: BTreeSet<i64>,
    pub derived: Vec<Derived>,
}

impl Books {
    pub fn intended(&mut self, rule_id: i64, profile_id: i64, status: Status) {
        let counts = self.deltas.entry(rule_id).or_default();
        counts.intended += 1;
        *counts.of(status) += 1;
        self.people.insert(profile_id);
    }
    pub fn moved(&mut self, message: &Message, to: Status) {
        let counts = self.deltas.entry(message.rule_id).or_default();
        *counts.of(message.status) -= 1;
        *counts.of(to) += 1;
        self.people.insert(message.profile_id);
    }
    /// Notes a step of a message's life for the log.
    pub fn event(&mut self, name: &'static str, message: &Message, reason: &str, at: Timestamp) {
        let step = match name {
            "Message Sent" => "sent",
            "Message Failed" => "failed",
            _ => "suppressed",
        };
        let mut properties = json!({
            "message_id": message.id.to_string(),
            "channel": message.channel,
            "purpose": message.purpose,
            "rule_id": message.rule_id.to_string(),
            "template_id": message.template_id.to_string(),
            "template_version": message.template_version,
        });
        if !message.subject.is_empty() {
            properties["subject"] = message.subject.clone().into();
        }
        if !reason.is_empty() {
            properties["reason"] = reason.into();
        }
        self.derived.push(Derived {
            message_id: format!("message-{}-{step}", message.id),
            profile_id: message.profile_id,
            name,
            properties: properties.to_string(),
            timestamp: at,
        });
    }
    /// Writes the counts and tells whoever watches.
    pub fn close(self, tx: &mut Tx) -> Result<Vec<Derived>, DbError> {
        for (rule_id, c) in &self.deltas {
            tx.execute(
                "INSERT INTO message_counts (rule_id, intended, pending, stopped, sending, sent, refused, unknown) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (rule_id) DO UPDATE SET \
                 intended = message_counts.intended + excluded.intended, pending = message_counts.pending + excluded.pending, \
                 stopped = message_counts.stopped + excluded.stopped, sending = message_counts.sending + excluded.sending, \
                 sent = message_counts.sent + excluded.sent, refused = message_counts.refused + excluded.refused, \
                 unknown = message_counts.unknown + excluded.unknown",
                &[
                    (*rule_id).into(),
                    c.intended.into(),
                    c.pending.into(),
                    c.stopped.into(),
                    c.sending.into(),
                    c.sent.into(),
                    c.refused.into(),
                    c.unknown.into(),
                ],
            )?;
        }
        for person_id in self.people {
            tx.notify(Notice::Person { person_id });
        }
        Ok(self.derived)
    }
}

/// The gate's lines as they are stored.
pub(crate) fn why_json(lines: &[GateLine]) -> String {
    // Plain structs of strings always serialise.
    serde_json::to_string(lines).unwrap_or_default()
}

/// The stored lines with one more about the delivery.
pub(crate) fn why_with(why: &str, gate: &str, passed: bool, detail: &str) -> String {
    let mut lines: Vec<GateLine> = serde_json::from_str(why).unwrap_or_default();
    let detail = detail.chars().take(500).collect();
    lines.push(GateLine { gate: gate.into(), passed, detail });
    why_json(&lines)
}
