//! Checks of orders on real data.
use crate::model::{Order, OrderBody};
use crate::states::line::Line as LineState;
use db::{DbError, Engine};
use std::collections::BTreeMap;

/// Something that must never be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub subject: String,
    pub detail: String,
}

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
    let mut after = 0;
    loop {
        let sql = "SELECT no, status, total_minor, body FROM orders WHERE no > $1 ORDER BY no LIMIT 500";
        let rows = db.rows(sql, &[after.into()])?;
        if rows.is_empty() {
            break;
        }
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
            claims(db, &order, &subject, &mut finding)?;
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

/// What waits is kept by a claim that is alive, and only that.
fn claims(
    db: &mut Engine,
    order: &Order,
    subject: &str,
    finding: &mut dyn FnMut(&'static str, String, String),
) -> Result<(), DbError> {
    let sql = "SELECT no, line, quantity FROM reservations WHERE owner = $1 AND ended_at = 0 ORDER BY no, line";
    let owner = format!("order:{}", order.no);
    let mut alive: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for row in db.rows(sql, &[(&owner).into()])? {
        alive.insert((row.int(0)?, row.int(1)?), row.int(2)?);
    }
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
    Ok(())
}
