//! The rows of one order: `Order Completed` (it was placed), `Order Cancelled`, `Order Refunded`. The order's number is the
//! event's id, so that a file that is imported again, or overlaps another, counts no order twice.
use super::{Context, Out, moment, money, person, push};
use crate::mapping::Plan;
use crate::rows::Row;
use crate::values;
use base::Decimal;
use serde_json::{Map, Value};

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Completed,
    Cancelled,
    Refunded,
    Skip,
}

/// The usual words of shops; whatever else there is was ordered, and counts.
fn fate(plan: &Plan, status: &str) -> Fate {
    let lower = status.trim().to_lowercase();
    let own =
        plan.mapping.statuses.iter().find(|(word, _)| word.to_lowercase() == lower).map(|(_, fate)| fate.as_str());
    usual(own.unwrap_or(&lower))
}

/// What became of an order by a system's own words and the usual ones: `completed`, `cancelled`, `refunded` or `skip`.
pub(crate) fn fate_word(own: &std::collections::BTreeMap<String, &str>, status: &str) -> &'static str {
    let lower = status.trim().to_lowercase();
    match usual(own.get(&lower).copied().unwrap_or(&lower)) {
        Fate::Completed => "completed",
        Fate::Cancelled => "cancelled",
        Fate::Refunded => "refunded",
        Fate::Skip => "skip",
    }
}

fn usual(word: &str) -> Fate {
    match word {
        "cancelled"
        | "canceled"
        | "cancel"
        | "failed"
        | "voided"
        | "declined"
        | "скасовано"
        | "скасований"
        | "отменен"
        | "отменён"
        | "відмінено"
        | "cancel-other" => Fate::Cancelled,
        "refunded" | "returned" | "return" | "повернуто" | "повернення" | "возврат" => {
            Fate::Refunded
        }
        "skip" | "draft" | "checkout-draft" | "abandoned_shopping_cart" | "trash" | "removed" => Fate::Skip,
        _ => Fate::Completed,
    }
}

pub(super) fn convert(plan: &Plan, context: &Context, rows: &[Row], out: &mut Out) {
    let first = &rows[0];
    let order_id = plan.value(first, "order_id").trim_start_matches('#').to_string();
    if order_id.is_empty() {
        return out.refuse(plan, first, "order_id", "the row has no number of an order");
    }
    let Ok(time) = moment(plan, context, first, "time", out) else { return };
    let Some(time) = time else { return out.refuse(plan, first, "time", "the order has no time") };
    let who = person(plan, context, first, out);
    let mut properties = Map::new();
    properties.insert("order_id".into(), order_id.clone().into());
    for meaning in ["total", "subtotal", "shipping", "tax", "discount"] {
        let value = plan.value(first, meaning);
        if value.is_empty() {
            continue;
        }
        match values::money(value) {
            Some(amount) => drop(properties.insert(meaning.into(), money::number(amount))),
            None if meaning == "total" => return out.refuse(plan, first, meaning, "this is no amount"),
            None => out.drop_value(plan, first, meaning, "this is no amount"),
        }
    }
    let products = products(plan, rows, out);
    if !properties.contains_key("total") {
        properties.insert("total".into(), money::number(sum(&products)));
    }
    let named = plan.value(first, "currency");
    let shown = values::currency(plan.value(first, "total")).map(str::to_string);
    let currency =
        if named.is_empty() { shown.unwrap_or_else(|| context.currency.clone()) } else { named.to_uppercase() };
    properties.insert("currency".into(), currency.into());
    for meaning in ["coupon", "affiliation", "store_id", "payment_method", "shipping_method", "status"] {
        let value = plan.value(first, meaning);
        if !value.is_empty() {
            properties.insert(meaning.into(), value.into());
        }
    }
    for (at, meaning) in &plan.meant {
        if let Some(name) = meaning.strip_prefix("property:")
            && !first.get(*at).is_empty()
        {
            properties.insert(name.into(), money::scalar(first.get(*at)));
        }
    }
    properties.insert("products".into(), products.into());
    let names: &[(&str, &str)] = match fate(plan, plan.value(first, "status")) {
        Fate::Completed => &[("Order Completed", "completed")],
        Fate::Cancelled => &[("Order Cancelled", "cancelled")],
        Fate::Refunded => &[("Order Completed", "completed"), ("Order Refunded", "refunded")],
        Fate::Skip => &[],
    };
    for (name, word) in names {
        let mut message = Map::new();
        message.insert("type".into(), "track".into());
        message.insert("event".into(), (*name).into());
        who.clone().into_message(&mut message);
        message.insert("properties".into(), Value::Object(properties.clone()));
        push(out, message, format!("import:order:{order_id}:{word}"), time);
    }
}

fn products(plan: &Plan, rows: &[Row], out: &mut Out) -> Vec<Value> {
    let mut list = Vec::new();
    let lines = plan.value(&rows[0], "lines");
    if !lines.is_empty() {
        match serde_json::from_str::<Vec<Map<String, Value>>>(lines) {
            Ok(items) => list.extend(items.iter().map(|item| Value::Object(line_of(item)))),
            Err(_) => out.drop_value(plan, &rows[0], "lines", "this is no JSON list of objects"),
        }
    }
    for row in rows {
        let mut product = Map::new();
        for meaning in ["sku", "product_id", "name", "category"] {
            let value = plan.value(row, &format!("line.{meaning}"));
            if !value.is_empty() {
                product.insert(meaning.into(), value.into());
            }
        }
        for meaning in ["quantity", "price"] {
            let value = plan.value(row, &format!("line.{meaning}"));
            if value.is_empty() {
                continue;
            }
            match values::money(value) {
                Some(amount) => drop(product.insert(meaning.into(), money::number(amount))),
                None => out.drop_value(plan, row, &format!("line.{meaning}"), "this is no number"),
            }
        }
        let sku = product.get("sku").cloned();
        if let (Some(sku), false) = (sku, product.contains_key("product_id")) {
            product.insert("product_id".into(), sku);
        }
        if !product.is_empty() {
            list.push(Value::Object(product));
        }
    }
    list
}

/// A line of a list of lines, in the names of the tracking API.
fn line_of(item: &Map<String, Value>) -> Map<String, Value> {
    let mut line = Map::new();
    let names: &[(&str, &[&str])] = &[
        ("sku", &["sku", "article", "externalItemId", "barcode"]),
        ("product_id", &["product_id", "productId", "externalItemId", "item_id", "sku", "id"]),
        ("name", &["name", "productName", "item_name", "text", "title"]),
        ("category", &["category"]),
        ("quantity", &["quantity", "amount", "count", "num"]),
        ("price", &["price", "initialPrice", "cost", "costPerItem"]),
    ];
    for (own, theirs) in names {
        let found = theirs.iter().find_map(|name| item.get(*name).filter(|v| !v.is_null()));
        let Some(value) = found else { continue };
        let numeric = matches!(*own, "quantity" | "price");
        let amount = value.as_str().filter(|_| numeric).and_then(values::money).map(money::number);
        let text = (!numeric && value.is_number()).then(|| Value::String(value.to_string()));
        line.insert((*own).into(), amount.or(text).unwrap_or_else(|| value.clone()));
    }
    line
}

fn sum(products: &[Value]) -> Decimal {
    let number = |value: Option<&Value>| value.and_then(|v| Decimal::parse(&v.to_string()));
    let mut sum = Decimal::ZERO;
    for product in products {
        let price = number(product.get("price")).unwrap_or_default();
        let quantity = number(product.get("quantity")).unwrap_or(Decimal::from_int(1));
        let line = price.billionths().checked_mul(quantity.billionths()).unwrap_or(0) / 1_000_000_000;
        sum = sum.plus(Decimal::from_billionths(line));
    }
    sum
}
