//! Orders as the other side sends them back: its number, payments, marks. What differs is told, never applied blindly; a paid
//! amount is never lowered.
use super::connections::Connection;
use super::ids::{self, IdKind};
use super::journal::{Level, Place, note};
use super::settle::paper_id;
use super::source;
use base::Quantity;
use db::{DbError, Tx};
use exchange::commerceml::{DELIVERY, Document};
use orders::OrderError;
use orders::commands::{Fact, pay};
use orders::model::Order;
use orders::states::line::Line as LineState;
use orders::states::payment::Action;
use serde_json::json;
use std::collections::BTreeMap;

/// Takes one document. Gives whether it was taken.
pub fn take(tx: &mut Tx, connection: &Connection, line: i64, d: &Document, place: &Place) -> Result<bool, DbError> {
    let subject = if d.number.is_empty() { &d.id } else { &d.number };
    let mut found = None;
    for number in [&d.id, &d.number] {
        let sql = "SELECT no FROM orders WHERE number = $1";
        if let (None, false) = (found, number.is_empty()) {
            found = tx.first(sql, &[number.into()])?.map(|r| r.int(0)).transpose()?;
        }
    }
    let order = match found {
        Some(no) => tx.get::<orders::OrderTable>(no)?.cloned(),
        None => None,
    };
    let Some(order) = order else {
        note(tx, place, Level::Refused, line, subject, "there is no order of this number here");
        return Ok(false);
    };
    let requisite = |name: &str| d.requisite(name).unwrap_or_default().to_string();
    let number = requisite("Номер по 1С");
    let said = json!({
        "date": requisite("Дата по 1С"), "paid_at": requisite("Дата оплаты по 1С"), "paid_number": requisite("Номер оплаты по 1С"),
        "shipped_at": requisite("Дата отгрузки по 1С"), "shipped_number": requisite("Номер отгрузки по 1С"),
        "status": requisite("Статус заказа"), "deleted": d.is("ПометкаУдаления"), "posted": d.is("Проведен"), "version": d.version,
    })
    .to_string();
    let sql = "INSERT INTO erp_orders (connection_id, order_no, number, said, at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (connection_id, order_no) DO UPDATE SET number = excluded.number, said = excluded.said, at = excluded.at";
    let row = [connection.id.into(), order.no.into(), (&number).into(), (&said).into(), tx.now().micros().into()];
    tx.execute(sql, &row)?;
    if d.is("ПометкаУдаления") {
        let what = "it is marked as deleted there: cancel it here if that is meant, or take the mark off";
        note(tx, place, Level::Refused, line, subject, what);
        return Ok(false);
    }
    differences(tx, connection, line, d, &order, place)?;
    paid(tx, connection, line, d, &order, place)
}

/// Lines that differ, each with both quantities.
fn differences(
    tx: &mut Tx,
    connection: &Connection,
    line: i64,
    d: &Document,
    order: &Order,
    place: &Place,
) -> Result<(), DbError> {
    if d.lines.is_empty() {
        return Ok(());
    }
    let asked: Vec<(IdKind, &str)> = d.lines.iter().map(|l| (IdKind::Variant, l.id.as_str())).collect();
    let known = ids::find(tx, connection.id, &asked)?;
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (at, l) in order.body.lines.iter().enumerate() {
        let gone: i64 =
            order.body.parts.iter().filter(|p| p.line == at && p.state == LineState::Cancelled).map(|p| p.milli).sum();
        sums.entry(l.sku.clone()).or_default().0 += l.milli - gone;
    }
    for l in d.lines.iter().filter(|l| l.id != DELIVERY && !l.is_service) {
        let own = known.get(&(IdKind::Variant, l.id.clone())).map(|k| k.variant_no);
        let own = own.and_then(|no| order.body.lines.iter().find(|o| o.variant_no == no)).map(|o| o.sku.clone());
        let name = own.unwrap_or_else(|| if l.id.is_empty() { l.name.clone() } else { l.id.clone() });
        sums.entry(name).or_default().1 += l.quantity.milli();
    }
    for (sku, (here, there)) in sums {
        if here != there {
            let (here, there) = (Quantity::from_milli(here), Quantity::from_milli(there));
            let what = format!("of {sku} {here} are ordered here and {there} there: change the order here, or there");
            note(tx, place, Level::Refused, line, &order.body.number, &what);
        }
    }
    Ok(())
}

fn paid(
    tx: &mut Tx,
    connection: &Connection,
    line: i64,
    d: &Document,
    order: &Order,
    place: &Place,
) -> Result<bool, DbError> {
    let Some(date) = d.requisite("Дата оплаты по 1С") else { return Ok(true) };
    let left = order.open_minor();
    if left == 0 {
        return Ok(true);
    }
    let payment = d.requisite("Номер оплаты по 1С").unwrap_or(date);
    let provider = source(connection);
    let fact = Fact {
        provider: provider.clone(),
        payment_id: payment.into(),
        external_id: paper_id(&format!("{}:{payment}", order.body.number)),
        action: Action::Capture,
        amount_minor: left,
    };
    match pay(tx, order.no, &fact, &provider) {
        Ok(_) => {
            note(
                tx,
                place,
                Level::Note,
                line,
                &order.body.number,
                &format!("paid there on {date} ({payment}): {left} written down"),
            );
            Ok(true)
        }
        Err(OrderError::Store(error)) => Err(error),
        Err(error) => {
            note(tx, place, Level::Refused, line, &order.body.number, &format!("its payment {payment}: {error}"));
            Ok(false)
        }
    }
}
