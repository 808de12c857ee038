//! The states of a delivery: claimed for an attempt, and settled by its verdict.
use super::endpoints::{self, Endpoint, State};
use base::{DAY_US, HOUR_US, Timestamp};
use connect::webhook::{Verdict, schedule};
use db::{DbError, Engine, Tx};
use std::time::Duration;

/// An endpoint that has failed for so long, and at least so often, is disabled.
pub const FAILING_US: i64 = 5 * DAY_US;
const FAILURES_MIN: i64 = 10;
/// After so many failures in a row the endpoint as a whole pauses, whatever it answers.
const FAILURES_ALIKE: i64 = 5;
/// Attempts of which a delivery keeps the record.
const ATTEMPTS_KEPT: i64 = 20;
/// How long a delivery that arrived is kept, for a look and for a replay.
pub const DELIVERED_KEPT_US: i64 = 7 * DAY_US;
/// How long a dead one is.
pub const DEAD_KEPT_US: i64 = 30 * DAY_US;
/// Rows that one transaction takes away.
const PURGED: i64 = 1_000;

/// A delivery to be attempted now.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Number.
    pub id: i64,
    /// Which attempt of all: names the lease.
    pub attempt: i64,
    /// Where, with which secrets.
    pub endpoint: Endpoint,
    /// The message's number, of which `webhook-id` is made.
    pub message: i64,
    /// What is signed and sent.
    pub body: String,
}

/// Which endpoints may get attempts now: those that are active, not left alone, and have something due. Cheap, beside the
/// writer.
pub fn due(db: &mut Engine, now: Timestamp) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT id FROM webhook_endpoints WHERE state = 'active' AND blocked_until <= $1 ORDER BY id LIMIT 1000";
    let mut out = Vec::new();
    // At most fifty endpoints, one step into an index each.
    for row in db.rows(sql, &[now.micros().into()])? {
        let next =
            "SELECT next_at FROM webhook_deliveries WHERE endpoint_id = $1 AND next_at > 0 ORDER BY next_at LIMIT 1";
        let id = row.int(0)?;
        if db.first(next, &[id.into()])?.map_or(Ok(i64::MAX), |r| r.int(0))? <= now.micros() {
            out.push(id);
        }
    }
    Ok(out)
}

/// Claims up to `room` due deliveries of each endpoint for `lease_us`. An endpoint that fails gets one place: it is asked
/// whether it is back, no more.
pub fn claim(tx: &mut Tx, room: &[(i64, usize)], lease_us: i64) -> Result<Vec<Claimed>, DbError> {
    let now = tx.now();
    let mut out = Vec::new();
    for (id, free) in room {
        let Some(endpoint) = endpoints::find(tx.engine(), *id)? else { continue };
        if endpoint.state != State::Active || endpoint.blocked_until > now {
            continue;
        }
        let under_way = super::AT_ONCE.saturating_sub(*free);
        let free = if endpoint.failures > 0 { usize::from(under_way == 0) } else { *free };
        let sql = "SELECT d.id, d.attempts, d.message_id, m.body FROM webhook_deliveries d JOIN webhook_messages m \
                   ON m.id = d.message_id WHERE d.endpoint_id = $1 AND d.next_at > 0 AND d.next_at <= $2 \
                   ORDER BY d.next_at, d.id LIMIT $3";
        for row in tx.rows(sql, &[(*id).into(), now.micros().into(), (free as i64).into()])? {
            let (delivery, attempt) = (row.int(0)?, row.int(1)? + 1);
            tx.execute(
                "UPDATE webhook_deliveries SET state = 'delivering', attempts = $2, tries = tries + 1, next_at = $3 \
                 WHERE id = $1",
                &[delivery.into(), attempt.into(), now.plus(lease_us).micros().into()],
            )?;
            out.push(Claimed {
                id: delivery,
                attempt,
                endpoint: endpoint.clone(),
                message: row.int(2)?,
                body: row.text(3)?.into(),
            });
        }
    }
    Ok(out)
}

/// What an attempt brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it means.
    pub verdict: Verdict,
    /// The answer's status; 0 = none.
    pub status: u16,
    /// Why there was none.
    pub error: String,
    /// The beginning of the answer.
    pub answer: String,
    /// How long it took.
    pub took: Duration,
}

/// What follows from an outcome for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It arrived.
    Delivered,
    /// It will be tried again.
    Again,
    /// It will not.
    Dead,
    /// The endpoint was disabled with it.
    Disabled(&'static str),
    /// The lease was somebody else's by now, or the row is gone.
    Late,
}

/// Notes an outcome. The attempt must still hold the delivery's lease; a late answer changes nothing but that an arrival
/// is an arrival.
pub fn settle(tx: &mut Tx, claimed: (i64, i64), outcome: &Outcome, chance: u64) -> Result<Settled, DbError> {
    let (id, attempt) = claimed;
    let sql = "SELECT endpoint_id, attempts, tries, state FROM webhook_deliveries WHERE id = $1";
    let Some(row) = tx.first(sql, &[id.into()])? else { return Ok(Settled::Late) };
    let (endpoint, newest, tries, state) = (row.int(0)?, row.int(1)?, row.int(2)?, row.text(3)?.to_string());
    let arrived = outcome.verdict == Verdict::Delivered;
    if state != "delivering" || (newest != attempt && !arrived) {
        return Ok(Settled::Late);
    }
    let now = tx.now();
    record(tx, id, attempt, outcome)?;
    let retry = match &outcome.verdict {
        Verdict::Retry { retry_after, .. } => {
            schedule::wait(tries.try_into().unwrap_or(u32::MAX), *retry_after, chance)
        }
        Verdict::Delivered | Verdict::Gone => None,
    };
    let (state, next_at, settled_at) = match (arrived, retry) {
        (true, _) => ("delivered", 0, now.micros()),
        (false, Some(wait)) => ("failed", now.plus(wait.as_micros() as i64).micros(), 0),
        (false, None) => ("dead", 0, now.micros()),
    };
    tx.execute(
        "UPDATE webhook_deliveries SET state = $2, next_at = $3, last_status = $4, last_error = $5, settled_at = $6 \
         WHERE id = $1",
        &[
            id.into(),
            state.into(),
            next_at.into(),
            i64::from(outcome.status).into(),
            (&outcome.error).into(),
            settled_at.into(),
        ],
    )?;
    if let Some(reason) = health(tx, endpoint, outcome, chance)?
        && endpoints::disable(tx, endpoint, reason)?
    {
        return Ok(Settled::Disabled(reason));
    }
    Ok(match state {
        "delivered" => Settled::Delivered,
        "failed" => Settled::Again,
        _ => Settled::Dead,
    })
}

/// Notes how the endpoint fares; gives why it has to be disabled, if it has.
fn health(tx: &mut Tx, id: i64, outcome: &Outcome, chance: u64) -> Result<Option<&'static str>, DbError> {
    let Some(before) = endpoints::find(tx.engine(), id)? else { return Ok(None) };
    let now = tx.now();
    let (failures, failing_since) = match outcome.verdict {
        Verdict::Delivered => (0, 0),
        _ => (before.failures + 1, before.failing_since.unwrap_or(now).micros()),
    };
    let blocked_until = match &outcome.verdict {
        Verdict::Retry { retry_after, server } if *server || failures >= FAILURES_ALIKE => {
            let pause = schedule::pause(failures.try_into().unwrap_or(u32::MAX), *retry_after, chance);
            now.plus(pause.as_micros() as i64).micros().max(before.blocked_until.micros())
        }
        _ => 0,
    };
    tx.execute(
        "UPDATE webhook_endpoints SET failures = $2, failing_since = $3, blocked_until = $4, last_at = $5, \
         last_status = $6, last_error = $7 WHERE id = $1",
        &[
            id.into(),
            failures.into(),
            failing_since.into(),
            blocked_until.into(),
            now.micros().into(),
            i64::from(outcome.status).into(),
            (&outcome.error).into(),
        ],
    )?;
    let too_long = failing_since > 0 && now.micros() - failing_since >= FAILING_US && failures >= FAILURES_MIN;
    Ok(match outcome.verdict {
        Verdict::Gone => Some("gone"),
        _ if too_long => Some("failing"),
        _ => None,
    })
}

fn record(tx: &mut Tx, delivery: i64, attempt: i64, outcome: &Outcome) -> Result<(), DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    // What a receiver says may repeat what it got: nothing of it is kept for an erased person.
    let erased = "SELECT m.id FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id \
                  WHERE d.id = $1 AND m.body = ''";
    let answer = if tx.first(erased, &[delivery.into()])?.is_some() { "" } else { &outcome.answer };
    tx.execute(
        "INSERT INTO webhook_attempts (id, delivery_id, attempt, at, duration_ms, status, error, answer) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            id.into(),
            delivery.into(),
            attempt.into(),
            now.into(),
            (outcome.took.as_millis() as i64).into(),
            i64::from(outcome.status).into(),
            (&outcome.error).into(),
            answer.into(),
        ],
    )?;
    let sql = "DELETE FROM webhook_attempts WHERE delivery_id = $1 AND attempt <= $2";
    tx.execute(sql, &[delivery.into(), (attempt - ATTEMPTS_KEPT).into()]).map(drop)
}

/// Attempts of an earlier run ended with it, and their answers are lost: they are due again, with the same `webhook-id`.
pub fn end_leases(tx: &mut Tx) -> Result<u64, DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE webhook_deliveries SET state = 'failed', next_at = $1, last_error = 'interrupted' \
               WHERE state = 'delivering'";
    tx.execute(sql, &[now.into()])
}

/// Takes away what is too old; gives whether there may be more.
pub fn purge(tx: &mut Tx) -> Result<bool, DbError> {
    let now = tx.now().micros();
    let mut gone = 0;
    for (state, kept) in [("delivered", DELIVERED_KEPT_US), ("dead", DEAD_KEPT_US)] {
        let sql = "SELECT id FROM webhook_deliveries WHERE state = $1 AND settled_at > 0 AND settled_at < $2 \
                   ORDER BY settled_at LIMIT $3";
        let rows = tx.rows(sql, &[state.into(), (now - kept).into(), PURGED.into()])?;
        gone += rows.len() as i64;
        for row in &rows {
            let id = row.int(0)?;
            tx.execute("DELETE FROM webhook_attempts WHERE delivery_id = $1", &[id.into()])?;
            tx.execute("DELETE FROM webhook_deliveries WHERE id = $1", &[id.into()])?;
        }
    }
    // A message whose last delivery is gone has nobody; a fresh one may still be on its way into a queue.
    let sql = "DELETE FROM webhook_messages WHERE id IN (SELECT m.id FROM webhook_messages m WHERE m.queued_at < $1 \
               AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.message_id = m.id) ORDER BY m.queued_at LIMIT $2)";
    gone += tx.execute(sql, &[(now - HOUR_US).into(), PURGED.into()])? as i64;
    Ok(gone >= PURGED)
}
