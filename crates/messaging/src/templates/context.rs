//! The values that a template can name: `customer`, `event`, `message`, `shop`, `links`.
use crate::model::Shop;
use minijinja::Value;
use serde_json::{Map, Value as Json, json};

/// What a template may know of its own message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFacts<'a> {
    pub id: i64,
    pub channel: &'a str,
    pub purpose: &'a str,
    pub rule: &'a str,
    pub address: &'a str,
}

/// Everything that one message can name.
#[derive(Debug, Clone)]
pub struct Context {
    pub(super) value: Value,
}

impl Context {
    /// Puts the namespaces together. `event` is the entering event's properties as JSON text; what is no object counts as
    /// none. `null` is the same as missing: a mail that says "Hello none" is worse than no mail.
    pub fn new(
        traits: &Map<String, Json>,
        event: Option<&str>,
        message: &MessageFacts<'_>,
        shop: &Shop,
        unsubscribe: &str,
    ) -> Self {
        let mut customer = with_both_spellings(&without_nulls(traits));
        if !message.address.is_empty() {
            customer.entry("email").or_insert_with(|| message.address.into());
        }
        let event: Option<Map<String, Json>> = event.and_then(|text| serde_json::from_str(text).ok());
        let value = json!({
            "customer": customer,
            "event": event.map(|e| without_nulls(&e)).unwrap_or_default(),
            "message": {
                "id": message.id.to_string(),
                "channel": message.channel,
                "purpose": message.purpose,
                "rule": message.rule,
            },
            "shop": {
                "name": shop.name,
                "currency": shop.currency,
                "locale": shop.locale,
                "country": shop.country,
                "time_zone": shop.time_zone,
                "url": shop.public_url,
            },
        });
        // The link is ours and holds nothing to escape; escaped, its slashes would hide it from whoever looks for it.
        let unsubscribe = Value::from_safe_string(unsubscribe.to_string());
        let links = minijinja::context! { unsubscribe };
        Self { value: minijinja::context! { links, ..Value::from_serialize(&value) } }
    }
}

fn without_nulls(map: &Map<String, Json>) -> Map<String, Json> {
    let kept = map.iter().filter(|(_, v)| !v.is_null());
    kept.map(|(k, v)| (k.clone(), clean(v))).collect()
}

fn clean(value: &Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(without_nulls(map)),
        Json::Array(items) => Json::Array(items.iter().filter(|v| !v.is_null()).map(clean).collect()),
        other => other.clone(),
    }
}

/// Traits are `firstName` on the wire and `first_name` in the templates of most tools; both are understood.
fn with_both_spellings(map: &Map<String, Json>) -> Map<String, Json> {
    let mut out = map.clone();
    for (name, value) in map {
        let (snake, camel) = (to_snake(name), to_camel(name));
        for other in [snake, camel] {
            out.entry(other).or_insert_with(|| value.clone());
        }
    }
    out
}

fn to_snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn to_camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        if c == '_' && !out.is_empty() {
            raise = true;
        } else {
            out.push(if raise { c.to_ascii_uppercase() } else { c });
            raise = false;
        }
    }
    out
}
