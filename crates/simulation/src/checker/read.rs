//! Reads what the checker replays, and what it compares with, from a store: rows and JSON as they are stored.
use super::{Claim, Ended, Event, Given, Line, Log, Moved, Movement, OrderRow, Paid, Product, Tables};
use db::event::Origin;
use db::{DbError, Engine};
use serde_json::Value;

fn damaged(what: &str, detail: impl std::fmt::Display) -> DbError {
    DbError::damaged(what, detail.to_string())
}

/// Everything that is written down for ever.
pub fn log(db: &mut Engine) -> Result<Log, DbError> {
    let mut log = Log::default();
    let sql = "SELECT m.no, m.document_no, d.reference, m.variant_no, m.from_no, m.from_condition, m.to_no, m.to_condition, \
               m.quantity FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no ORDER BY m.no";
    for row in db.rows(sql, &[])? {
        log.movements.push(Movement {
            no: row.int(0)?,
            document: row.int(1)?,
            reference: row.text(2)?.into(),
            variant: row.int(3)?,
            from: (row.int(4)?, row.int(5)?),
            to: (row.int(6)?, row.int(7)?),
            quantity: row.int(8)?,
        });
    }
    let sql = "SELECT no, line, owner, variant_no, location_no, quantity, expires_at, ended_at, ended_why FROM reservations \
               ORDER BY no, line";
    for row in db.rows(sql, &[])? {
        let why = match (row.int(7)?, row.int(8)?) {
            (0, _) => None,
            (_, 1) => Some(Ended::Expired),
            (_, 2) => Some(Ended::Released),
            (_, 3) => Some(Ended::Fulfilled),
            (_, 4) => Some(Ended::Replaced),
            (_, 5) => Some(Ended::Short),
            (_, other) => return Err(damaged("reservations", format!("a claim ended for reason {other}"))),
        };
        log.claims.push(Claim {
            no: row.int(0)?,
            line: row.int(1)?,
            owner: row.text(2)?.into(),
            variant: row.int(3)?,
            place: row.int(4)?,
            quantity: row.int(5)?,
            expires: row.int(6)?,
            ended: why,
        });
    }
    let sql = "SELECT order_no, action, amount_minor FROM payment_facts WHERE action IN ('capture', 'refund') \
               ORDER BY at, provider, external_id";
    for row in db.rows(sql, &[])? {
        log.paid.push(Paid { order: row.int(0)?, refund: row.text(1)? == "refund", minor: row.int(2)? });
    }
    moved(db, &mut log)?;
    let sql = "SELECT order_no, amount_minor, provider, state, cause FROM refunds ORDER BY no";
    for row in db.rows(sql, &[])? {
        let state = row.text(3)?;
        if !matches!(state, "settled" | "credited") {
            continue;
        }
        let credit = state == "credited" || (row.text(2)? == "store_credit" && !paid_with_credit(db, row.int(0)?)?);
        let claim = row.text(4)?.starts_with("claim:");
        log.given.push(Given { order: row.int(0)?, minor: row.int(1)?, credit, claim });
    }
    for row in db.rows("SELECT no, order_no FROM returns WHERE order_no > 0", &[])? {
        log.returns.insert(row.int(0)?, row.int(1)?);
    }
    events(db, &mut log)?;
    Ok(log)
}

/// Whether store credit paid for an order: what goes back to it then is a refund as any other.
fn paid_with_credit(db: &mut Engine, order: i64) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM payment_facts WHERE order_no = $1 AND provider = 'store_credit' LIMIT 1";
    Ok(db.first(sql, &[order.into()])?.is_some())
}

/// Orders that were paid with the money of others: the history of the one that got it names the other.
fn moved(db: &mut Engine, log: &mut Log) -> Result<(), DbError> {
    let sql = "SELECT what, detail FROM order_history WHERE what IN ('payment capture', 'payment refund') ORDER BY no";
    for row in db.rows(sql, &[])? {
        let detail: Value = serde_json::from_str(row.text(1)?).map_err(|e| damaged("order_history", e))?;
        if detail["provider"] != "moved" {
            continue;
        }
        let from = detail["payment"].as_str().and_then(|text| text.strip_prefix("order:")?.parse().ok());
        let from = from.ok_or_else(|| damaged("order_history", "money was moved from nowhere"))?;
        let minor = detail["amount_minor"].as_i64().unwrap_or(0);
        let minor = if row.text(0)? == "payment refund" { -minor } else { minor };
        log.moved.push(Moved { from, minor });
    }
    Ok(())
}

/// The customers' events about orders, of those that the shop itself wrote.
fn events(db: &mut Engine, log: &mut Log) -> Result<(), DbError> {
    db::log::each(db, 1, true, &mut |row| {
        if row.origin != Origin::Derived {
            return Ok(true);
        }
        let body: Value = serde_json::from_str(&row.body).map_err(|e| damaged("log", e))?;
        for item in body["batch"].as_array().into_iter().flatten() {
            let name = item["event"].as_str().unwrap_or_default();
            if !name.starts_with("Order ") && !name.starts_with("Pickup ") {
                continue;
            }
            let of = &item["properties"];
            let product = |p: &Value| Product {
                sku: p["sku"].as_str().unwrap_or_default().into(),
                milli: thousandths(&p["quantity"]),
                unit_minor: minor(&p["price"]),
            };
            log.events.push(Event {
                name: name.into(),
                order: of["order_id"].as_str().unwrap_or_default().into(),
                total_minor: minor(&of["total"]),
                shipping_minor: minor(&of["shipping"]),
                products: of["products"].as_array().into_iter().flatten().map(product).collect(),
            });
        }
        Ok(true)
    })
}

/// A decimal number with at most so many places, as a whole number of its last place.
fn scaled(value: &Value, places: usize) -> i64 {
    let text = value.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part: String = part.chars().chain(std::iter::repeat('0')).take(places).collect();
    format!("{whole}{part}").parse::<i64>().map_or(0, |n| sign * n)
}
fn minor(value: &Value) -> i64 {
    scaled(value, 2)
}
fn thousandths(value: &Value) -> i64 {
    scaled(value, 3)
}

/// What the tables say.
pub fn tables(db: &mut Engine) -> Result<Tables, DbError> {
    let mut tables = Tables::default();
    let sql = "SELECT variant_no, location_no, sellable, display, damaged, quarantine FROM stock_positions";
    for row in db.rows(sql, &[])? {
        let conditions = [row.int(2)?, row.int(3)?, row.int(4)?, row.int(5)?];
        tables.positions.insert((row.int(0)?, row.int(1)?), conditions);
    }
    let sql =
        "SELECT no, number, status, total_minor, email, phone, user_id, anonymous_id, body FROM orders ORDER BY no";
    for row in db.rows(sql, &[])? {
        let body: Value = serde_json::from_str(row.text(8)?).map_err(|e| damaged("orders", e))?;
        let number = |of: &Value, name: &str| of[name].as_i64().unwrap_or(0);
        let sum = |name: &str| body["payments"].as_array().into_iter().flatten().map(|p| number(p, name)).sum();
        let line = |of: &Value| Line {
            sku: of["sku"].as_str().unwrap_or_default().into(),
            variant: number(of, "variant_no"),
            milli: number(of, "milli"),
            unit_minor: number(of, "unit_minor"),
        };
        let mut known = false;
        for at in 4..8 {
            known |= !row.text(at)?.is_empty();
        }
        tables.orders.push(OrderRow {
            no: row.int(0)?,
            number: row.text(1)?.into(),
            status: row.text(2)?.into(),
            total_minor: row.int(3)?,
            captured_minor: sum("captured_minor"),
            refunded_minor: sum("refunded_minor"),
            shipping_minor: number(&body, "shipping_minor"),
            known,
            instead: number(&body, "cart_no") == 0,
            lines: body["lines"].as_array().into_iter().flatten().map(line).collect(),
        });
    }
    Ok(tables)
}
