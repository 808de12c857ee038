//! Sending → sent, refused, unknown or pending again; and what is done about leases that ended.
use super::{ATTEMPTS_MAX, Books, GIVE_UP_AFTER_US, find, message_of, message_sql, why_with};
use crate::error::MessagingError;
use crate::model::{Derived, Message, Status};
use base::Timestamp;
use db::{DbError, Tx};

/// What became of an attempt, as `connect` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server took the mail.
    Sent { reply: String },
    /// The server does not have it, and a later attempt may succeed; `after_us` is the wait.
    Retry { reason: String, after_us: i64 },
    /// The server does not have it and never will.
    Refused { reason: String },
    /// Nobody knows.
    Unknown { reason: String },
}

/// What settling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The message has this status now.
    Now(Status),
    /// The outcome is of an attempt that does not matter any more: another one runs, or a person decided. Nothing changed.
    Stale,
}

/// How a person settles an unknown message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleAs {
    /// The recipient has it.
    Sent,
    /// The recipient never got it. It is not sent again: the person decides that with a rule or by hand.
    Refused,
}

/// Why a lease that ended made a message unknown.
const LEASE_EXPIRED: &str = "lease_expired";

/// Records the outcome of an attempt. An answer that comes after its lease ended is still the truth and counts.
pub fn settle(
    tx: &mut Tx,
    message_id: i64,
    attempt: i64,
    outcome: &Outcome,
) -> Result<(Settled, Vec<Derived>), DbError> {
    let Some(message) = find(tx, message_id)? else { return Ok((Settled::Stale, Vec::new())) };
    let waits =
        message.status == Status::Sending || (message.status == Status::Unknown && message.reason == LEASE_EXPIRED);
    if !waits || message.attempts != attempt {
        return Ok((Settled::Stale, Vec::new()));
    }
    let now = tx.now();
    let mut books = Books::default();
    let blank;
    let outcome = if message.address == super::forget::ERASED {
        // The person was erased meanwhile: a mail server's words may name the address, and nothing is tried again.
        blank = without_words(outcome);
        &blank
    } else {
        outcome
    };
    let status = match outcome {
        Outcome::Sent { reply } => {
            change(
                tx,
                &mut books,
                &message,
                &Step { to: Status::Sent, reason: "", due_at: 0, passed: true, detail: reply },
            )?;
            books.event("Message Sent", &message, "", now);
            Status::Sent
        }
        Outcome::Refused { reason } => {
            change(
                tx,
                &mut books,
                &message,
                &Step { to: Status::Refused, reason: "refused", due_at: 0, passed: false, detail: reason },
            )?;
            books.event("Message Failed", &message, reason, now);
            Status::Refused
        }
        Outcome::Unknown { reason } => {
            let step =
                Step { to: Status::Unknown, reason: "connection_lost", due_at: 0, passed: false, detail: reason };
            change(tx, &mut books, &message, &step)?;
            Status::Unknown
        }
        Outcome::Retry { reason, after_us } => retry(tx, &mut books, &message, reason, *after_us)?,
    };
    Ok((Settled::Now(status), books.close(tx)?))
}

fn without_words(outcome: &Outcome) -> Outcome {
    let said = String::new;
    match outcome {
        Outcome::Sent { .. } => Outcome::Sent { reply: said() },
        Outcome::Refused { .. } | Outcome::Retry { .. } => Outcome::Refused { reason: said() },
        Outcome::Unknown { .. } => Outcome::Unknown { reason: said() },
    }
}

fn retry(tx: &mut Tx, books: &mut Books, message: &Message, detail: &str, after_us: i64) -> Result<Status, DbError> {
    let now = tx.now();
    let tried_us = now.micros() - message.first_attempt_at.micros();
    if message.attempts >= ATTEMPTS_MAX || tried_us >= GIVE_UP_AFTER_US {
        change(tx, books, message, &Step { to: Status::Stopped, reason: "gave_up", due_at: 0, passed: false, detail })?;
        books.event("Message Failed", message, "gave_up", now);
        return Ok(Status::Stopped);
    }
    // At least a second, so that a caller's mistake cannot make a busy loop.
    let due_at = now.plus(after_us.max(base::SECOND_US)).micros();
    change(tx, books, message, &Step { to: Status::Pending, reason: "retry", due_at, passed: false, detail })?;
    Ok(Status::Pending)
}

/// Makes messages whose lease has ended unknown: whoever sent them is gone, and may or may not have been heard. Gives how
/// many; call again while it is `limit`.
pub fn expire_leases(tx: &mut Tx, limit: i64) -> Result<i64, DbError> {
    let now = tx.now();
    expire(tx, now, limit)
}

/// The same for every message that is under way, when the program starts: nobody else can hold a lease then.
pub fn expire_all(tx: &mut Tx, limit: i64) -> Result<i64, DbError> {
    expire(tx, Timestamp::from_micros(i64::MAX), limit)
}

const LEASED: &str = message_sql!(
    " FROM messages m WHERE m.status = 'sending' AND m.due_at > 0 AND m.due_at <= $1 ORDER BY m.due_at, m.id LIMIT $2"
);

fn expire(tx: &mut Tx, until: Timestamp, limit: i64) -> Result<i64, DbError> {
    let rows = tx.rows(LEASED, &[until.micros().into(), limit.into()])?;
    let mut books = Books::default();
    for row in &rows {
        let message = message_of(row)?;
        let detail = "the program ended, or was too slow, before it could note the server's answer";
        change(
            tx,
            &mut books,
            &message,
            &Step { to: Status::Unknown, reason: LEASE_EXPIRED, due_at: 0, passed: false, detail },
        )?;
    }
    books.close(tx)?;
    Ok(rows.len() as i64)
}

/// Settles an unknown message by a person's word.
pub fn settle_unknown(tx: &mut Tx, message_id: i64, how: SettleAs) -> Result<(Message, Vec<Derived>), MessagingError> {
    let message = find(tx, message_id)?.ok_or(MessagingError::NotFound { what: "message", id: message_id })?;
    if message.status != Status::Unknown {
        return Err(MessagingError::NotUnknown { id: message_id, status: message.status.as_str() });
    }
    let now = tx.now();
    let mut books = Books::default();
    let (to, name, passed) = match how {
        SettleAs::Sent => (Status::Sent, "Message Sent", true),
        SettleAs::Refused => (Status::Refused, "Message Failed", false),
    };
    let step = Step { to, reason: "settled_by_hand", due_at: 0, passed, detail: "a person said so" };
    change(tx, &mut books, &message, &step)?;
    books.event(name, &message, "settled_by_hand", now);
    let derived = books.close(tx)?;
    let after = find(tx, message_id)?.ok_or(MessagingError::NotFound { what: "message", id: message_id })?;
    Ok((after, derived))
}

struct Step<'a> {
    to: Status,
    reason: &'a str,
    due_at: i64,
    passed: bool,
    detail: &'a str,
}

/// Moves a message that is sending or unknown, and keeps the cap ledger true to its status.
fn change(tx: &mut Tx, books: &mut Books, message: &Message, step: &Step<'_>) -> Result<(), DbError> {
    let why = why_with(&message.why, "delivery", step.passed, step.detail);
    let settled_at =
        if matches!(step.to, Status::Sent | Status::Refused | Status::Stopped) { tx.now().micros() } else { 0 };
    tx.execute(
        "UPDATE messages SET status = $2, reason = $3, why = $4, due_at = $5, settled_at = $6 WHERE id = $1",
        &[
            message.id.into(),
            step.to.as_str().into(),
            step.reason.into(),
            (&why).into(),
            step.due_at.into(),
            settled_at.into(),
        ],
    )?;
    if !step.to.counts() {
        tx.execute("DELETE FROM sends WHERE message_id = $1", &[message.id.into()])?;
    }
    if step.to != message.status {
        books.moved(message, step.to);
    }
    Ok(())
}
