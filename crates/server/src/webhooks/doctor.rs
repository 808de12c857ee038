//! Whether the books of webhooks agree: queues, places, and that nothing is left of erased people.
use super::gather::Places;
use customers::profiles::Profiles;
use db::{DbError, Location, Sync, Tx};

/// Rows told of one kind.
const TOLD: i64 = 20;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub check: &'static str,
    /// Of what.
    pub subject: String,
    /// How.
    pub detail: String,
}

/// What waits for an endpoint, for the notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The endpoint's name.
    pub name: String,
    /// Deliveries that wait.
    pub waiting: i64,
    /// Age of the oldest in seconds.
    pub oldest_s: i64,
    /// Whether it is disabled.
    pub disabled: bool,
}

const RULES: [(&str, &str, &str); 7] = [
    (
        "webhooks.queue",
        "SELECT d.id FROM webhook_deliveries d WHERE NOT EXISTS (SELECT 1 FROM webhook_messages m WHERE m.id = d.message_id) \
         ORDER BY d.id LIMIT $1",
        "its message is missing",
    ),
    (
        "webhooks.queue",
        "SELECT d.id FROM webhook_deliveries d WHERE NOT EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.id = d.endpoint_id) \
         ORDER BY d.id LIMIT $1",
        "its endpoint is missing",
    ),
    (
        "webhooks.queue",
        "SELECT id FROM webhook_deliveries WHERE (state IN ('pending', 'delivering', 'failed')) <> (next_at > 0) \
         OR (state IN ('delivered', 'dead')) <> (settled_at > 0) ORDER BY id LIMIT $1",
        "its state does not go with when it is due or was settled",
    ),
    (
        "webhooks.queue",
        "SELECT id FROM webhook_deliveries WHERE state NOT IN ('pending', 'delivering', 'failed', 'delivered', 'dead') \
         OR tries > attempts ORDER BY id LIMIT $1",
        "it has no known state, or more tries than attempts",
    ),
    (
        "webhooks.attempts",
        "SELECT a.delivery_id FROM webhook_attempts a LEFT JOIN webhook_deliveries d ON d.id = a.delivery_id \
         WHERE d.id IS NULL OR a.attempt > d.attempts ORDER BY a.id LIMIT $1",
        "an attempt is noted that was never made",
    ),
    (
        "webhooks.erased",
        "SELECT d.id FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id \
         WHERE m.body = '' AND d.next_at > 0 AND d.state <> 'delivering' ORDER BY d.id LIMIT $1",
        "it waits to be sent, and there is nothing to send",
    ),
    (
        "webhooks.endpoints",
        "SELECT id FROM webhook_endpoints WHERE secret = '' OR state NOT IN ('active', 'paused', 'disabled') ORDER BY id LIMIT $1",
        "it has no secret or no known state",
    ),
];

/// Checks a store, beside a server or without one.
pub fn check(location: &Location, now: base::Timestamp) -> Result<(Vec<Finding>, Vec<Queue>), DbError> {
    let mut engine = location.open(Sync::Full, true)?;
    engine.batch(match engine.dialect() {
        db::Dialect::Sqlite => "BEGIN",
        db::Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    // A store that this program has not opened yet has no such tables.
    let step = "SELECT step FROM migrations WHERE owner = 'server' AND name = '0003_webhooks'";
    if engine.first(step, &[])?.is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut tx = Tx::for_reading(engine, now)?;
    let mut out = Vec::new();
    for (check, sql, detail) in RULES {
        for row in tx.rows(sql, &[TOLD.into()])? {
            out.push(Finding { check, subject: format!("row {}", row.int(0)?), detail: detail.into() });
        }
    }
    places(&mut tx, &mut out)?;
    erased(&mut tx, &mut out)?;
    let queues = queues(&mut tx)?;
    Ok((out, queues))
}

fn places(tx: &mut Tx, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let at = Places::read(tx.engine())?;
    let end = Places::now(tx);
    let pairs = [
        ("log", at.log, end.log),
        ("identity", at.identity, end.identity),
        ("consents", at.consents, end.consents),
        ("segments", at.segments, end.segments),
        ("erasures", at.erasures, end.erasures),
    ];
    for (what, at, end) in pairs.into_iter().filter(|(_, at, end)| at > end) {
        let detail = format!("it was read up to {at}, and ends at {end}");
        out.push(Finding { check: "webhooks.places", subject: what.into(), detail });
    }
    Ok(())
}

/// Nothing that was said about somebody who is gone is left.
fn erased(tx: &mut Tx, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT id, profile_id FROM webhook_messages WHERE profile_id > 0 AND body <> '' ORDER BY id";
    let mut seen = Vec::new();
    tx.engine().each(sql, &[], &mut |row| {
        seen.push((row.int(0)?, row.int(1)?));
        Ok(true)
    })?;
    for (id, profile) in seen {
        // A profile that was born a moment ago may have no row yet: rows follow the log.
        if tx.get::<Profiles>(profile)?.is_some_and(|row| row.person == 0) {
            let detail = format!("it still holds what was said about profile {profile}, which was erased");
            out.push(Finding { check: "webhooks.erased", subject: format!("message {id}"), detail });
        }
    }
    Ok(())
}

fn queues(tx: &mut Tx) -> Result<Vec<Queue>, DbError> {
    let now = tx.now().micros();
    let waiting = super::deliveries::waiting(tx.engine())?;
    let all = super::endpoints::list(tx.engine())?;
    let queue = |e: &super::endpoints::Endpoint| {
        let w = waiting.get(&e.id).copied().unwrap_or_default();
        let disabled = e.state == super::endpoints::State::Disabled;
        let oldest_s = if w.count > 0 { ((now - w.oldest_us) / base::SECOND_US).max(0) } else { 0 };
        Queue { name: e.name.clone(), waiting: w.count, oldest_s, disabled }
    };
    Ok(all.iter().map(queue).filter(|q| q.waiting > 0 || q.disabled).collect())
}
