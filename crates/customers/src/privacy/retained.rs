//! Documents that tax law keeps: what stays of an event without the person.
use base::{DAY_US, Timestamp};
use serde_json::{Map, Value};

/// A kind of document that outlives an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// The event's name.
    pub event: String,
    /// The law that asks for it.
    pub ground: String,
    /// For how many days after the event.
    pub term_days: i64,
}

impl Retained {
    /// When a document of that moment may go.
    pub fn until(&self, happened: Timestamp) -> Timestamp {
        happened.plus(self.term_days.saturating_mul(DAY_US))
    }
}

/// What a receipt is about: money, numbers of documents, places. Everything else may speak of the buyer.
const PROPERTIES: [&str; 22] = [
    "order_id",
    "orderId",
    "receipt_id",
    "receiptId",
    "checkout_id",
    "total",
    "revenue",
    "subtotal",
    "value",
    "tax",
    "shipping",
    "discount",
    "currency",
    "refund",
    "refund_id",
    "store_id",
    "storeId",
    "location_id",
    "till_id",
    "fiscal_number",
    "fiscal_id",
    "quantity",
];
/// What a line of a receipt is about.
const LINE: [&str; 12] = [
    "product_id",
    "productId",
    "sku",
    "variant",
    "name",
    "brand",
    "category",
    "quantity",
    "price",
    "currency",
    "tax",
    "discount",
];

fn chosen(from: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let plain = |v: &Value| v.is_number() || v.is_string() || v.is_boolean();
    names.iter().filter_map(|n| Some(((*n).to_string(), from.get(*n).filter(|v| plain(v))?.clone()))).collect()
}

/// The event with nothing that speaks of the buyer: names of fields are chosen, never refused, so that an unknown one goes.
/// `None` when the item is not an event with properties.
pub fn stripped(item: &str, timestamp: Timestamp, is_personal: &dyn Fn(&str) -> bool) -> Option<String> {
    let item: Map<String, Value> = serde_json::from_str(item).ok()?;
    let properties = item.get("properties")?.as_object()?;
    let mut kept = chosen(properties, &PROPERTIES);
    if let Some(lines) = properties.get("products").and_then(Value::as_array) {
        let lines = lines.iter().filter_map(Value::as_object).map(|l| Value::Object(chosen(l, &LINE)));
        kept.insert("products".into(), lines.collect());
    }
    // A shop may write a telephone where a number of a receipt belongs.
    kept.retain(|_, value| !is_personal(&value.to_string()));
    let mut out = Map::new();
    for name in ["type", "messageId", "event"] {
        if let Some(value) = item.get(name).filter(|v| !is_personal(&v.to_string())) {
            out.insert(name.into(), value.clone());
        }
    }
    out.insert("timestamp".into(), timestamp.to_string().into());
    out.insert("properties".into(), kept.into());
    Some(Value::Object(out).to_string())
}
