//! Orders for the other side: what happened to orders since it confirmed, the same set until it confirms again.
use super::connections::Connection;
use super::{ids, source};
use base::{Decimal, Quantity};
use db::{DbError, Tx};
use exchange::commerceml::{DELIVERY, Discount, Document, Line, Partner, local};
use jiff::tz::TimeZone;
use loyalty::amounts;
use orders::model::{Delivery, Order};
use orders::states::line::Line as LineState;

/// Orders of one answer.
const ORDERS_MAX: i64 = 500;

const CHANGED: &str = "SELECT order_no, MAX(no) FROM order_history WHERE no > $1 AND no <= $2 AND actor <> $3 GROUP BY order_no \
                       ORDER BY MAX(no) LIMIT $4";

/// The orders of this answer; notes what was sent. What only the other side itself changed is no news to it.
pub fn sent(tx: &mut Tx, connection: &Connection, zone: &TimeZone) -> Result<Vec<Document>, DbError> {
    let last =
        tx.first("SELECT MAX(no) FROM order_history", &[])?.map(|r| r.opt_int(0)).transpose()?.flatten().unwrap_or(0);
    // What was sent and not confirmed is sent again as it was: neither more nor less.
    let bound = if connection.sent_upto > connection.told_upto { connection.sent_upto } else { last };
    let own = source(connection);
    let rows = tx.rows(CHANGED, &[connection.told_upto.into(), bound.into(), (&own).into(), ORDERS_MAX.into()])?;
    let mut numbers: Vec<i64> = Vec::with_capacity(rows.len());
    let mut upto = bound;
    for row in &rows {
        numbers.push(row.int(0)?);
    }
    if rows.len() as i64 == ORDERS_MAX
        && let Some(row) = rows.last()
    {
        upto = row.int(1)?;
    }
    if upto != connection.sent_upto {
        let sql = "UPDATE erp_connections SET sent_upto = $2 WHERE id = $1";
        tx.execute(sql, &[connection.id.into(), upto.into()])?;
    }
    tx.preload::<orders::OrderTable>(&numbers)?;
    let mut out = Vec::with_capacity(numbers.len());
    for no in numbers {
        let Some(order) = tx.get::<orders::OrderTable>(no)?.cloned() else { continue };
        out.push(document(tx, connection, &order, zone)?);
    }
    Ok(out)
}

/// The other side has what it was sent.
pub fn confirmed(tx: &mut Tx, connection: i64) -> Result<(), DbError> {
    let sql = "UPDATE erp_connections SET told_upto = sent_upto WHERE id = $1 AND told_upto < sent_upto";
    tx.execute(sql, &[connection.into()]).map(drop)
}

fn money(minor: i64, currency: &str) -> Decimal {
    let places = base::currency_exponent(currency);
    Decimal::from_billionths(i128::from(minor) * 10i128.pow(9 - places))
}

fn document(tx: &mut Tx, connection: &Connection, order: &Order, zone: &TimeZone) -> Result<Document, DbError> {
    let body = &order.body;
    let variants: Vec<i64> = body.lines.iter().map(|l| l.variant_no).collect();
    let names = ids::of_variants(tx, connection.id, &variants)?;
    let (date, time) = local(order.placed_at, zone);
    let mut lines = Vec::with_capacity(body.lines.len() + 1);
    for (at, line) in body.lines.iter().enumerate() {
        let cancelled =
            body.parts.iter().filter(|p| p.line == at && p.state == LineState::Cancelled).map(|p| p.milli).sum::<i64>();
        let kept = line.milli - cancelled;
        if kept <= 0 {
            continue;
        }
        let share = |minor: i64| {
            let (of, until) = (amounts::Quantity(line.milli), amounts::Quantity(kept));
            money(loyalty::share_until(minor, of, until), &body.currency)
        };
        let discounts =
            line.discounts.iter().map(|d| Discount { name: d.why.clone(), total: share(d.minor), included: true });
        lines.push(Line {
            id: names.get(&line.variant_no).cloned().unwrap_or_else(|| line.sku.clone()),
            name: line.sku.clone(),
            unit: "796".into(),
            price: money(line.unit_minor, &body.currency),
            quantity: Quantity::from_milli(kept),
            total: share(line.total_minor),
            discounts: discounts.collect(),
            is_service: false,
        });
    }
    let (delivery, shipped) = match &body.delivery {
        Delivery::PickUp { .. } => ("Самовивіз".to_string(), false),
        Delivery::Ship { option, .. } => (option.clone(), true),
    };
    let cancelled = body.parts.iter().all(|p| p.state == LineState::Cancelled);
    if shipped && body.shipping_minor > 0 && !cancelled {
        let price = money(body.shipping_minor, &body.currency);
        lines.push(Line {
            id: DELIVERY.into(),
            name: "Доставка".into(),
            unit: "796".into(),
            price,
            quantity: Quantity::ONE,
            total: price,
            discounts: Vec::new(),
            is_service: true,
        });
    }
    let said = |yes: bool| if yes { "true" } else { "false" }.to_string();
    let (changed_date, changed_time) = local(order.updated_at, zone);
    let ways: Vec<&str> = body.payments.iter().map(|p| p.provider.as_str()).collect();
    let requisites = [
        ("Метод оплаты", ways.join(", ")),
        ("Способ доставки", delivery),
        ("Статус заказа", order.status().as_str().to_string()),
        ("Заказ оплачен", said(!cancelled && order.open_minor() == 0)),
        ("Доставка разрешена", said(body.holds.is_empty())),
        ("Отменен", said(cancelled)),
        ("Дата изменения статуса", format!("{changed_date} {changed_time}")),
    ];
    let c = &order.contact;
    Ok(Document {
        id: body.number.clone(),
        number: body.number.clone(),
        date,
        time,
        operation: "Заказ товара".into(),
        currency: body.currency.clone(),
        total: money(order.owed_minor(), &body.currency),
        version: order.version.to_string(),
        comment: String::new(),
        partner: Some(Partner {
            // The buyer of one order: no number of a person leaves the house.
            id: format!("buyer-{}", body.number),
            name: if c.name.is_empty() { body.number.clone() } else { c.name.clone() },
            role: "Покупатель".into(),
            email: c.email.clone(),
            phone: c.phone.clone(),
            address: c.address.clone(),
        }),
        lines,
        requisites: requisites.into_iter().map(|(n, v)| (n.to_string(), v)).collect(),
    })
}
