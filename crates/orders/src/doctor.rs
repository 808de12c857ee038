//! Checks of orders on real data.
use crate::model::{Order, OrderBody};
use crate::states::line::Line as LineState;
use db::{DbError, Engine};
use std::collections::{BTreeMap, BTreeSet};
use stock::model::ReservationKind;

/// Something that must never be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub subject: String,
    pub detail: String,
}

const BESIDE: &str = "SELECT s.order_no FROM pick_up_sales s LEFT JOIN orders o ON o.no = s.order_no LEFT JOIN orders f ON f.no = s.of_order_no \
                      WHERE o.no IS NULL OR f.no IS NULL ORDER BY s.order_no LIMIT 100";
const ADVISED: &str = "SELECT c.no FROM consultations c LEFT JOIN carts k ON k.no = c.cart_no \
                       WHERE k.no IS NULL OR (c.order_no > 0 AND k.order_no <> c.order_no) ORDER BY c.no LIMIT 100";

/// Runs every check over open orders and the facts of money; reads only.
pub fn check(db: &mut Engine) -> Result<Vec<Finding>, DbError> {
    let mut out = Vec::new();
    let mut finding = |check, subject: String, detail: String| out.push(Finding { check, subject, detail });
    let mut told: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let facts = "SELECT order_no, CAST(SUM(CASE WHEN action = 'capture' THEN amount_minor ELSE 0 END) AS BIGINT), \
                 CAST(SUM(CASE WHEN action = 'refund' THEN amount_minor ELSE 0 END) AS BIGINT) FROM payment_facts \
                 GROUP BY order_no ORDER BY order_no";
    for row in db.rows(facts, &[])? {
        told.insert(row.int(0)?, (row.int(1)?, row.int(2)?));
    }
    let mut alive = alive_claims(db)?;
    let mut awaiting = open_incoming(db)?;
    // Orders that did not hear yet what became of goods that they wait for.
    let sql = "SELECT DISTINCT owner FROM incoming_promises WHERE no > \
               COALESCE((SELECT no FROM order_positions WHERE name = 'incoming'), 0) ORDER BY owner";
    let mut unheard = BTreeSet::new();
    for row in db.rows(sql, &[])? {
        unheard.insert(row.text(0)?.to_string());
    }
    for (check, sql, detail) in [
        ("pick_up_sale", BESIDE, "the order sold beside a pick-up, or the one that was fetched, is not there"),
        ("consultation", ADVISED, "its basket is not there, or became another order"),
    ] {
        for row in db.rows(sql, &[])? {
            finding(check, row.int(0)?.to_string(), detail.to_string());
        }
    }
    for (product_no, stored, counted) in crate::reviews::commands::recounted(db)? {
        let detail = format!("its stars are kept as {:?}, and are {:?}", stored.stars, counted.stars);
        finding("review_sums", product_no.to_string(), detail);
    }
    let mut after = 0;
    loop {
        let sql = "SELECT no, status, total_minor, body FROM orders WHERE no > $1 ORDER BY no LIMIT 500";
        let rows = db.rows(sql, &[after.into()])?;
        let Some(last) = rows.last() else { break };
        let mut work = work_of(db, (after, last.int(0)?))?;
        for row in &rows {
            after = row.int(0)?;
            let subject = format!("order {after}");
            let body: OrderBody = match serde_json::from_str(row.text(3)?) {
                Ok(body) => body,
                Err(e) => {
                    finding("order_row", subject, e.to_string());
                    continue;
                }
            };
            let order = order_of(after, body);
            for (at, line) in order.body.lines.iter().enumerate() {
                let parts: i64 = order.body.parts.iter().filter(|p| p.line == at).map(|p| p.milli).sum();
                if parts != line.milli {
                    finding(
                        "order_parts",
                        subject.clone(),
                        format!("line {at} is {} and its parts {parts}", line.milli),
                    );
                }
            }
            let lines: i64 = order.body.lines.iter().map(|line| line.total_minor).sum();
            if lines + order.body.shipping_minor != order.body.total_minor || order.body.total_minor != row.int(2)? {
                finding("order_total", subject.clone(), format!("lines and delivery give {lines}, not the total"));
            }
            if order.status().as_str() != row.text(1)? {
                finding("order_status", subject.clone(), format!("it should be {}", order.status()));
            }
            let (captured, refunded) = told.remove(&after).unwrap_or_default();
            let sums = order.sums();
            if (sums.captured, sums.refunded) != (captured, refunded) || refunded > captured {
                let detail = format!("{captured} were captured and {refunded} refunded, by what providers told");
                finding("order_money", subject.clone(), detail);
            }
            let kept = alive.remove(&after).unwrap_or_default();
            let waits = awaiting.remove(&after).unwrap_or_default();
            let listed = work.remove(&after).unwrap_or_default();
            let own = order.body.fulfilments.iter().map(|f| (f.no, (f.location_no, f.state.as_str().to_string())));
            if own.collect::<BTreeMap<_, _>>() != listed {
                finding("order_work", subject.clone(), "what its places see of it is not what it says".into());
            }
            if !unheard.contains(&format!("order:{after}")) {
                claims(&order, kept, &subject, &mut finding);
                awaited(&order, waits, &subject, &mut finding);
            }
        }
    }
    for no in told.keys() {
        finding("order_money", format!("order {no}"), "a payment is of an order that is not there".into());
    }
    Ok(out)
}

fn order_of(no: i64, body: OrderBody) -> Order {
    let (placed_at, updated_at) = Default::default();
    Order { no, contact: Default::default(), placed_at, updated_at, version: 0, body }
}

/// Lines of claims that are alive, by their number and line, in thousandths.
type Claims = BTreeMap<(i64, i64), i64>;

/// Claims of orders that are alive, by order.
fn alive_claims(db: &mut Engine) -> Result<BTreeMap<i64, Claims>, DbError> {
    let mut out: BTreeMap<i64, Claims> = BTreeMap::new();
    let mut after = (0, -1);
    loop {
        let sql = "SELECT no, line, quantity, owner FROM reservations WHERE (no, line) > ($1, $2) AND ended_at = 0 \
                   AND kind = $3 ORDER BY no, line LIMIT 5000";
        let rows = db.rows(sql, &[after.0.into(), after.1.into(), (ReservationKind::Order as i64).into()])?;
        let Some(last) = rows.last() else { return Ok(out) };
        after = (last.int(0)?, last.int(1)?);
        for row in &rows {
            let Some(no) = row.text(3)?.strip_prefix("order:").and_then(|no| no.parse().ok()) else { continue };
            out.entry(no).or_default().insert((row.int(0)?, row.int(1)?), row.int(2)?);
        }
    }
}

/// Place and state of what places do for an order, by its number in the order.
type Work = BTreeMap<i64, (i64, String)>;

/// What the lists of places say of orders behind the first up to the last: place and state, by order and number.
fn work_of(db: &mut Engine, (behind, to): (i64, i64)) -> Result<BTreeMap<i64, Work>, DbError> {
    let sql = "SELECT order_no, no, location_no, state FROM fulfilments WHERE order_no > $1 AND order_no <= $2 \
               ORDER BY order_no, no";
    let mut out: BTreeMap<i64, Work> = BTreeMap::new();
    for row in db.rows(sql, &[behind.into(), to.into()])? {
        out.entry(row.int(0)?).or_default().insert(row.int(1)?, (row.int(2)?, row.text(3)?.to_string()));
    }
    Ok(out)
}

/// What waits is kept by a claim that is alive, and only that.
fn claims(order: &Order, mut alive: Claims, subject: &str, finding: &mut dyn FnMut(&'static str, String, String)) {
    for part in &order.body.parts {
        let Some((no, line)) = part.claim else { continue };
        if matches!(part.state, LineState::Allocated | LineState::Released)
            && alive.remove(&(no, line as i64)) != Some(part.milli)
        {
            finding("order_claim", subject.into(), format!("claim {no}/{line} does not keep what the order has there"));
        }
    }
    if let Some((no, line)) = alive.keys().next() {
        finding("order_claim", subject.into(), format!("claim {no}/{line} keeps goods that the order does not want"));
    }
}

/// Claims of orders on goods to come that are open, by order.
fn open_incoming(db: &mut Engine) -> Result<BTreeMap<i64, Claims>, DbError> {
    let mut out: BTreeMap<i64, Claims> = BTreeMap::new();
    let sql = "SELECT owner, no, line, CAST(SUM(quantity) AS BIGINT) FROM incoming_claims WHERE state = 'open' \
               GROUP BY owner, no, line ORDER BY owner, no, line";
    for row in db.rows(sql, &[])? {
        let Some(no) = row.text(0)?.strip_prefix("order:").and_then(|no| no.parse().ok()) else { continue };
        out.entry(no).or_default().insert((row.int(1)?, row.int(2)?), row.int(3)?);
    }
    Ok(out)
}

/// What is awaited is claimed on a purchase order, so much and no more.
fn awaited(order: &Order, mut open: Claims, subject: &str, finding: &mut dyn FnMut(&'static str, String, String)) {
    for part in &order.body.parts {
        let Some(of) = part.incoming else { continue };
        if part.state != LineState::Ordered {
            finding("order_incoming", subject.into(), format!("a part is {} and still awaited", part.state));
        }
        *open.entry(of).or_default() -= part.milli;
    }
    for ((no, line), milli) in open.iter().filter(|(_, milli)| **milli != 0) {
        let detail = format!("claim {no}/{line} on goods to come is {milli} thousandths more than the order waits for");
        finding("order_incoming", subject.into(), detail);
    }
}
