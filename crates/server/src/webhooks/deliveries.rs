//! Deliveries as people see them: lists, details, trying again.
use super::Waiting;
use base::Timestamp;
use db::{DbError, Engine, Row, Tx};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has tried.
    Pending,
    /// An attempt is under way.
    Delivering,
    /// It failed and will be tried again.
    Failed,
    /// It arrived.
    Delivered,
    /// Nobody tries any more, but a person may.
    Dead,
}

impl State {
    const ALL: [State; 5] = [Self::Pending, Self::Delivering, Self::Failed, Self::Delivered, Self::Dead];
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivering => "delivering",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
    pub(super) fn parse(text: &str) -> Result<Self, DbError> {
        let known = Self::ALL.into_iter().find(|s| s.as_str() == text);
        known.ok_or_else(|| DbError::damaged("webhook_deliveries", format!("{text:?} is no state")))
    }
}

/// A delivery with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number.
    pub id: i64,
    /// To whom.
    pub endpoint: i64,
    /// What, by number.
    pub message: i64,
    /// The type.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Attempts of all times.
    pub attempts: i64,
    /// When it is tried next, or its attempt's lease ends.
    pub next_at: Option<Timestamp>,
    /// The last answer's status; 0 = none.
    pub last_status: i64,
    /// Why there was none.
    pub last_error: String,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it arrived or died.
    pub settled_at: Option<Timestamp>,
    /// What is sent; empty once the person was erased.
    pub body: String,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which, from 1.
    pub attempt: i64,
    /// When its answer came.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// Status; 0 = no answer.
    pub status: i64,
    /// Why there was none.
    pub error: String,
    /// The beginning of the answer.
    pub answer: String,
}

const DELIVERY: &str = "SELECT d.id, d.endpoint_id, d.message_id, m.type, m.at, d.state, d.attempts, d.next_at, \
                        d.last_status, d.last_error, d.created_at, d.settled_at, m.body FROM webhook_deliveries d \
                        JOIN webhook_messages m ON m.id = d.message_id";

fn read(row: &Row) -> Result<Delivery, DbError> {
    let time = |at: usize| row.int(at).map(Timestamp::from_micros);
    let some = |at: usize| time(at).map(|t| Some(t).filter(|t| t.micros() > 0));
    Ok(Delivery {
        id: row.int(0)?,
        endpoint: row.int(1)?,
        message: row.int(2)?,
        kind: row.text(3)?.into(),
        at: time(4)?,
        state: State::parse(row.text(5)?)?,
        attempts: row.int(6)?,
        next_at: some(7)?,
        last_status: row.int(8)?,
        last_error: row.text(9)?.into(),
        created_at: time(10)?,
        settled_at: some(11)?,
        body: row.text(12)?.into(),
    })
}

/// Deliveries of an endpoint before a number, newest first, in a state, of a type, or all.
pub fn list(
    db: &mut Engine,
    endpoint: i64,
    (state, kind): (Option<State>, Option<&str>),
    before: i64,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let one_state = if state.is_some() { "d.state = $3" } else { "$3 = ''" };
    let sql = format!(
        "{DELIVERY} WHERE d.endpoint_id = $1 AND d.id < $2 AND {one_state} AND ($4 = '' OR m.type = $4) \
         ORDER BY d.id DESC LIMIT $5"
    );
    let state = state.map_or("", State::as_str);
    let params = [endpoint.into(), before.into(), state.into(), kind.unwrap_or("").into(), limit.into()];
    db.rows(&sql, &params)?.iter().map(read).collect()
}

/// A delivery by number.
pub fn find(db: &mut Engine, id: i64) -> Result<Option<Delivery>, DbError> {
    db.first(&format!("{DELIVERY} WHERE d.id = $1"), &[id.into()])?.as_ref().map(read).transpose()
}

/// A delivery that this very transaction may have queued.
pub fn find_new(tx: &mut Tx, id: i64) -> Result<Option<Delivery>, DbError> {
    tx.first(&format!("{DELIVERY} WHERE d.id = $1"), &[id.into()])?.as_ref().map(read).transpose()
}

/// The newest attempts of a delivery, newest first.
pub fn attempts(db: &mut Engine, id: i64) -> Result<Vec<Attempt>, DbError> {
    let sql = "SELECT attempt, at, duration_ms, status, error, answer FROM webhook_attempts WHERE delivery_id = $1 \
               ORDER BY attempt DESC LIMIT 100";
    let read = |r: &Row| -> Result<Attempt, DbError> {
        Ok(Attempt {
            attempt: r.int(0)?,
            at: Timestamp::from_micros(r.int(1)?),
            duration_ms: r.int(2)?,
            status: r.int(3)?,
            error: r.text(4)?.into(),
            answer: r.text(5)?.into(),
        })
    };
    db.rows(sql, &[id.into()])?.iter().map(read).collect()
}

/// The newest settled deliveries of each endpoint, newest first: whether they arrived.
pub fn lately(db: &mut Engine, endpoint: i64, limit: i64) -> Result<Vec<bool>, DbError> {
    let sql = "SELECT state FROM webhook_deliveries WHERE endpoint_id = $1 AND attempts > 0 ORDER BY id DESC LIMIT $2";
    let rows = db.rows(sql, &[endpoint.into(), limit.into()])?;
    rows.iter().map(|r| Ok(r.text(0)? == "delivered")).collect()
}

/// Counts of an endpoint's deliveries by state.
pub fn counts(db: &mut Engine, endpoint: i64) -> Result<HashMap<String, i64>, DbError> {
    let sql = "SELECT state, CAST(COUNT(*) AS BIGINT) FROM webhook_deliveries WHERE endpoint_id = $1 GROUP BY state";
    let rows = db.rows(sql, &[endpoint.into()])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)?))).collect()
}

/// What waits, by endpoint.
pub fn waiting(db: &mut Engine) -> Result<HashMap<i64, Waiting>, DbError> {
    let sql = "SELECT endpoint_id, CAST(COUNT(*) AS BIGINT), MIN(created_at) FROM webhook_deliveries WHERE next_at > 0 \
               GROUP BY endpoint_id ORDER BY endpoint_id LIMIT 1000";
    let rows = db.rows(sql, &[])?;
    rows.iter().map(|r| Ok((r.int(0)?, Waiting { count: r.int(1)?, oldest_us: r.int(2)? }))).collect()
}

/// Tries a settled delivery again from the beginning of the schedule; `false` where the message is erased.
pub fn replay(tx: &mut Tx, id: i64) -> Result<bool, DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE webhook_deliveries SET state = 'pending', tries = 0, next_at = $2, settled_at = 0 \
               WHERE id = $1 AND state <> 'delivering' AND EXISTS (SELECT 1 FROM webhook_messages m \
               WHERE m.id = webhook_deliveries.message_id AND m.body <> '')";
    Ok(tx.execute(sql, &[id.into(), now.into()])? == 1)
}

/// Tries everything of an endpoint again that is dead or waits after a failure and was queued at a moment or later; gives
/// how many. With `delivered`, also what arrived, for a receiver that lost it.
pub fn replay_since(tx: &mut Tx, endpoint: i64, since: Timestamp, delivered: bool) -> Result<u64, DbError> {
    let now = tx.now().micros();
    let also = if delivered { "delivered" } else { "dead" };
    let sql = "UPDATE webhook_deliveries SET state = 'pending', tries = 0, next_at = $2, settled_at = 0 \
               WHERE endpoint_id = $1 AND created_at >= $3 AND state IN ('dead', 'failed', $4) AND EXISTS (SELECT 1 \
               FROM webhook_messages m WHERE m.id = webhook_deliveries.message_id AND m.body <> '')";
    tx.execute(sql, &[endpoint.into(), now.into(), since.micros().into(), also.into()])
}
