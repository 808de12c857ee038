//! Lists for people: returns, claims, cases, refunds. Read beside the writer.
use super::model::Refund;
use super::tables::refund_of;
use base::Timestamp;
use db::{DbError, Engine, Row};

/// A return, claim or case in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub no: i64,
    pub order_no: i64,
    /// The order's number as the customer knows it; empty without an order.
    pub order_number: String,
    pub kind: String,
    pub state: String,
    /// Who ordered, or brings it back, as they name themselves.
    pub name: String,
    /// Who looks after it, of a case.
    pub owner: String,
    pub opened_at: Timestamp,
    pub due_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which ones. Empty texts and zeros ask for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// `open`: all that are not over; else a state.
    pub state: String,
    pub kind: String,
    pub order_no: i64,
    /// Only what is due before; 0: whenever.
    pub due_before: i64,
    /// Only what has a line of this reason.
    pub reason: String,
    /// Only what came back to the place of this id.
    pub location: String,
    /// Only what this person looks after.
    pub owner: String,
    /// An order's number, an e-mail or, in `phone` as it is kept, a phone.
    pub q: String,
    pub phone: String,
}

// One number of parameters for all three, so that they are asked alike; what one of them has not got is compared with nothing. Reasons and
// places stand in the body, as serde writes them: a line is {"line":0,...,"reason":"defect",...}, what came {...,"location_no":7,...}.
const RETURNS: &str = "SELECT r.no, r.order_no, COALESCE(o.number, ''), r.kind, r.state, '', r.opened_at, r.due_at, r.updated_at, \
     CASE WHEN r.name <> '' THEN r.name ELSE COALESCE(o.name, '') END \
     FROM returns r LEFT JOIN orders o ON o.no = r.order_no WHERE r.no < $1 AND (CAST($2 AS BIGINT) = 0 OR r.order_no = $2) \
     AND (CAST($3 AS TEXT) = '' OR r.kind = $3) AND (CAST($4 AS TEXT) = '' OR r.state = $4 \
     OR ($4 = 'open' AND r.state NOT IN ('refunded', 'fulfilled', 'cancelled'))) \
     AND (CAST($5 AS BIGINT) = 0 OR r.due_at < $5) AND (CAST($7 AS TEXT) = '' OR REPLACE(r.body, $7, '') <> r.body) \
     AND (CAST($8 AS TEXT) = '' OR REPLACE(r.body, $8, '') <> r.body) AND CAST($9 AS TEXT) = '' \
     AND (CAST($10 AS TEXT) = '' OR o.number = $10 OR o.email = $10 OR r.email = $10 OR o.phone = $11 OR r.phone = $11) \
     ORDER BY r.no DESC LIMIT $6";

const CLAIMS: &str = "SELECT c.no, c.order_no, COALESCE(o.number, ''), 'claim', c.state, '', c.opened_at, c.due_at, c.updated_at, \
     COALESCE(o.name, '') \
     FROM claims c LEFT JOIN orders o ON o.no = c.order_no WHERE c.no < $1 AND (CAST($2 AS BIGINT) = 0 OR c.order_no = $2) \
     AND (CAST($3 AS TEXT) = '' OR 'claim' = $3) AND (CAST($4 AS TEXT) = '' OR c.state = $4) \
     AND (CAST($5 AS BIGINT) = 0 OR c.due_at < $5) AND (CAST($7 AS TEXT) = '' OR REPLACE(c.body, $7, '') <> c.body) \
     AND CAST($8 AS TEXT) = '' AND CAST($9 AS TEXT) = '' \
     AND (CAST($10 AS TEXT) = '' OR o.number = $10 OR o.email = $10 OR o.phone = $11) ORDER BY c.no DESC LIMIT $6";

const CASES: &str = "SELECT a.no, a.order_no, COALESCE(o.number, ''), a.kind, a.state, a.owner, a.opened_at, a.due_at, a.updated_at, \
     COALESCE(o.name, '') \
     FROM after_sale a LEFT JOIN orders o ON o.no = a.order_no WHERE a.no < $1 AND (CAST($2 AS BIGINT) = 0 OR a.order_no = $2) \
     AND (CAST($3 AS TEXT) = '' OR a.kind = $3) AND (CAST($4 AS TEXT) = '' OR a.state = $4 \
     OR ($4 = 'running' AND a.state NOT IN ('closed', 'refused', 'cancelled'))) \
     AND (CAST($5 AS BIGINT) = 0 OR a.due_at < $5) AND CAST($7 AS TEXT) = '' AND CAST($8 AS TEXT) = '' \
     AND (CAST($9 AS TEXT) = '' OR a.owner = $9) \
     AND (CAST($10 AS TEXT) = '' OR o.number = $10 OR o.email = $10 OR o.phone = $11) ORDER BY a.no DESC LIMIT $6";

fn item(row: &Row) -> Result<Item, DbError> {
    let at = |column: usize| row.int(column).map(Timestamp::from_micros);
    Ok(Item {
        no: row.int(0)?,
        order_no: row.int(1)?,
        order_number: row.text(2)?.into(),
        kind: row.text(3)?.into(),
        state: row.text(4)?.into(),
        owner: row.text(5)?.into(),
        opened_at: at(6)?,
        due_at: at(7)?,
        updated_at: at(8)?,
        name: row.text(9)?.into(),
    })
}

fn list(db: &mut Engine, sql: &str, which: &Which, before: i64, limit: i64) -> Result<Vec<Item>, DbError> {
    let part = |text: String, asked: &str| if asked.is_empty() { String::new() } else { text };
    let reason = part(format!("\"reason\":\"{}\"", which.reason), &which.reason);
    let mut place = String::new();
    if !which.location.is_empty() {
        let row = db.first("SELECT no FROM locations WHERE id = $1", &[(&which.location).into()])?;
        let no = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        place = format!("\"location_no\":{no},");
    }
    // An empty phone would match every order without one.
    let phone = if which.phone.is_empty() { "-" } else { &which.phone };
    let params = [
        before.into(),
        which.order_no.into(),
        (&which.kind).into(),
        (&which.state).into(),
        which.due_before.into(),
        limit.into(),
        (&reason).into(),
        (&place).into(),
        (&which.owner).into(),
        (&which.q).into(),
        phone.into(),
    ];
    db.rows(sql, &params)?.iter().map(item).collect()
}

/// Returns and exchanges below a number, newest first.
pub fn returns(db: &mut Engine, which: &Which, before: i64, limit: i64) -> Result<Vec<Item>, DbError> {
    list(db, RETURNS, which, before, limit)
}

/// Claims below a number, newest first.
pub fn claims(db: &mut Engine, which: &Which, before: i64, limit: i64) -> Result<Vec<Item>, DbError> {
    list(db, CLAIMS, which, before, limit)
}

/// Cases below a number, newest first; the state `running` stands for all that are not over.
pub fn cases(db: &mut Engine, which: &Which, before: i64, limit: i64) -> Result<Vec<Item>, DbError> {
    list(db, CASES, which, before, limit)
}

const REFUNDS: &str = "SELECT order_no, cause, provider, payment_id, amount_minor, currency, state, external_id, why, actor, at, settled_at, no \
     FROM refunds WHERE no < $1 AND (CAST($2 AS BIGINT) = 0 OR order_no = $2) AND (CAST($3 AS TEXT) = '' OR state = $3) \
     ORDER BY no DESC LIMIT $4";

/// Refunds below a number, newest first: of an order or all, in a state or any.
pub fn refunds(db: &mut Engine, order_no: i64, state: &str, before: i64, limit: i64) -> Result<Vec<Refund>, DbError> {
    let rows = db.rows(REFUNDS, &[before.into(), order_no.into(), state.into(), limit.into()])?;
    rows.iter().map(|row| refund_of(row.int(12)?, row)).collect()
}
