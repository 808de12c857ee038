//! Steps of orders as events about their customers, named and shaped as CONVENTIONS 2 has them.
use crate::model::{Delivery, Order};
use crate::told::Told;
use base::currency_exponent;
use serde_json::{Value, json};

/// A sum as a decimal number of units of the currency.
fn money(minor: i64, currency: &str) -> Value {
    let places = currency_exponent(currency);
    let unit = 10i64.pow(places);
    let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs() as i64);
    let text = match places {
        0 => format!("{sign}{minor}"),
        _ => format!("{sign}{}.{:0width$}", minor / unit, minor % unit, width = places as usize),
    };
    // A decimal text of at most 19 digits is a number of JSON.
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn quantity(milli: i64) -> Value {
    if milli % 1000 == 0 { json!(milli / 1000) } else { json!(milli as f64 / 1000.0) }
}

/// What every event of an order says.
fn about(order: &Order) -> Value {
    let body = &order.body;
    let products: Vec<Value> = body
        .lines
        .iter()
        .map(|line| {
            json!({
                "product_id": line.sku,
                "sku": line.sku,
                "price": money(line.unit_minor, &body.currency),
                "quantity": quantity(line.milli),
            })
        })
        .collect();
    let delivery = match &body.delivery {
        Delivery::PickUp { .. } => "pickup",
        Delivery::Ship { option, .. } => option.as_str(),
    };
    json!({
        "order_id": body.number,
        "affiliation": body.channel,
        "currency": body.currency,
        "total": money(body.total_minor, &body.currency),
        "revenue": money(body.total_minor - body.tax_minor - body.shipping_minor, &body.currency),
        "shipping": money(body.shipping_minor, &body.currency),
        "tax": money(body.tax_minor, &body.currency),
        "discount": money(body.discount_minor, &body.currency),
        "delivery": delivery,
        "products": products,
    })
}

fn with(mut event: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (event.as_object_mut(), more) {
        fields.extend(more);
    }
    event
}

/// It was placed.
pub(super) fn completed(order: &Order, cart_no: i64, coupons: &[String]) -> Told {
    let more = json!({"checkout_id": cart_no.to_string(), "coupon": coupons.join(",")});
    Told { order_no: order.no, name: "Order Completed", properties: with(about(order), more) }
}

/// It was changed.
pub(super) fn updated(order: &Order) -> Told {
    Told { order_no: order.no, name: "Order Updated", properties: about(order) }
}

/// Some of it was called off; `lost`: why less than its share went back, in words for the customer.
pub(super) fn less(order: &Order, lost: &str) -> Told {
    let told = updated(order);
    match lost {
        "" => told,
        lost => Told { properties: with(told.properties, json!({"lost_discount": lost})), ..told },
    }
}

/// All of it was called off.
pub(super) fn cancelled(order: &Order, why: &str) -> Told {
    let properties = with(about(order), json!({"reason": why}));
    Told { order_no: order.no, name: "Order Cancelled", properties }
}

/// Money went back.
pub(super) fn refunded(order: &Order, minor: i64) -> Told {
    let total = money(minor, &order.body.currency);
    let properties = with(about(order), json!({"total": total, "revenue": total}));
    Told { order_no: order.no, name: "Order Refunded", properties }
}

/// Something happened to what a place serves.
pub(super) fn step(order: &Order, name: &'static str, more: Value) -> Told {
    let properties = with(json!({"order_id": order.body.number, "status": order.status().as_str()}), more);
    Told { order_no: order.no, name, properties }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn sums_are_written_in_units() {
        let text = |minor, currency| money(minor, currency).to_string();
        assert_eq!(
            (text(123_456, "UAH"), text(-5, "UAH"), text(7, "JPY"), text(100, "UAH")),
            ("1234.56".into(), "-0.05".into(), "7".into(), "100".replace("100", "1.0").to_string())
        );
    }
}
