//! The way back: what Braid knows, in the old tool's own format, so that the tool can take the work over again.
//!
//! A preset read backwards: each column gets the value of its meaning. What a preset reads from such a file is what it read from
//! the tool's own one (tested for each preset), apart from what Braid leaves out on the way in.
use crate::mapping::Kind;
use crate::presets::{PRESETS, Preset};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Files of no system in particular: plain names of columns that every tool can be told about.
pub const GENERIC: [Preset; 3] = [
    Preset {
        id: "generic-customers",
        system: "CSV",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("user_id", "user_id"),
            ("email", "email"),
            ("phone", "phone"),
            ("first_name", "first_name"),
            ("last_name", "last_name"),
            ("patronymic", "patronymic"),
            ("birthday", "birthday"),
            ("gender", "gender"),
            ("language", "language"),
            ("city", "address.city"),
            ("street", "address.street"),
            ("postcode", "address.postalCode"),
            ("country", "address.country"),
            ("tags", "tags"),
            ("email_consent", "consent:email"),
            ("sms_consent", "consent:sms"),
            ("viber_consent", "consent:viber"),
            ("created_at", "created_at"),
            ("updated_at", "updated_at"),
        ],
        constants: &[],
        statuses: &[],
        note: "",
    },
    Preset {
        id: "generic-orders",
        system: "CSV",
        kind: Kind::Orders,
        delimiter: ',',
        columns: &[
            ("order_id", "order_id"),
            ("time", "time"),
            ("status", "status"),
            ("user_id", "user_id"),
            ("email", "email"),
            ("phone", "phone"),
            ("total", "total"),
            ("subtotal", "subtotal"),
            ("shipping", "shipping"),
            ("tax", "tax"),
            ("discount", "discount"),
            ("currency", "currency"),
            ("coupon", "coupon"),
            ("store_id", "store_id"),
            ("payment_method", "payment_method"),
            ("shipping_method", "shipping_method"),
            ("lines", "lines"),
        ],
        constants: &[],
        statuses: &[],
        note: "",
    },
    Preset {
        id: "generic-opt-outs",
        system: "CSV",
        kind: Kind::Consents,
        delimiter: ',',
        columns: &[
            ("channel", "channel"),
            ("address", "address"),
            ("purpose", "purpose"),
            ("state", "state"),
            ("time", "time"),
        ],
        constants: &[],
        statuses: &[],
        note: "",
    },
];

/// Presets that a file can be written for: other tools' and plain ones. Braid's own files are exports.
pub fn presets() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().filter(|p| !p.is_own()).chain(&GENERIC)
}

/// A preset by its id, the generic ones too.
pub fn find(id: &str) -> Option<&'static Preset> {
    presets().find(|p| p.id == id)
}

/// Somebody, as a file tells of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Customer {
    pub user_id: String,
    pub emails: Vec<String>,
    /// E.164.
    pub phones: Vec<String>,
    /// Other identifiers by kind, one or several of each.
    pub external: Vec<(String, String)>,
    pub traits: Map<String, Value>,
    /// Channel → whether marketing is granted; nothing for what nobody said.
    pub consents: BTreeMap<String, bool>,
    /// RFC 3339; empty = not known.
    pub updated_at: String,
}

/// An order, as a file tells of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Order {
    /// `completed`, `cancelled` or `refunded`.
    pub fate: String,
    /// RFC 3339.
    pub time: String,
    pub who: Customer,
    /// As the tracking API names them; `products` among them.
    pub properties: Map<String, Value>,
}

/// What may not be sent where, as a file tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptOut {
    pub channel: String,
    pub address: String,
    pub purpose: String,
    /// RFC 3339.
    pub time: String,
    pub wording: String,
}

/// The names of the columns.
pub fn header(preset: &Preset) -> Vec<&'static str> {
    preset.columns.iter().map(|(name, _)| *name).collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().map(|v| text(Some(v))).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

impl Customer {
    /// The value of a meaning; `at` counts columns of one meaning (a second phone).
    fn value(&self, meaning: &str, at: usize) -> String {
        let of_trait = |name: &str| text(self.traits.get(name));
        match meaning {
            "" => String::new(),
            "user_id" => self.user_id.clone(),
            "email" => self.emails.get(at).cloned().unwrap_or_default(),
            "phone" => self.phones.get(at).cloned().unwrap_or_default(),
            "first_name" => of_trait("firstName"),
            "last_name" => of_trait("lastName"),
            "name" => {
                let composed = [of_trait("firstName"), of_trait("lastName")].join(" ").trim().to_string();
                Some(of_trait("name")).filter(|n| !n.is_empty()).unwrap_or(composed)
            }
            "created_at" => of_trait("createdAt"),
            "updated_at" => self.updated_at.clone(),
            other => {
                let part = |family: &str| other.strip_prefix(family);
                if let Some(kind) = part("external:") {
                    let mut own = self.external.iter().filter(|(k, _)| k == kind);
                    return own.nth(at).map(|(_, v)| v.clone()).unwrap_or_default();
                }
                if let Some(channel) = part("consent:") {
                    let said = self.consents.get(channel);
                    return said.map_or("", |granted| if *granted { "yes" } else { "no" }).to_string();
                }
                if let Some(name) = part("address.") {
                    return text(self.traits.get("address").and_then(|a| a.get(name)));
                }
                let name = part("trait:").or(part("money:")).or(part("bool:")).unwrap_or(other);
                of_trait(name)
            }
        }
    }
}

/// How many columns before this one have its meaning.
fn place(preset: &Preset, at: usize) -> usize {
    let meaning = preset.columns[at].1;
    preset.columns[..at].iter().filter(|(_, m)| *m == meaning).count()
}

/// A customer's row of a file of customers.
pub fn customer_row(preset: &Preset, customer: &Customer) -> Vec<String> {
    let columns = preset.columns.iter().enumerate();
    columns.map(|(at, (_, meaning))| customer.value(meaning, place(preset, at))).collect()
}

/// The rows of an order: one, or one for each of its lines where the system writes them so.
pub fn order_rows(preset: &Preset, order: &Order) -> Vec<Vec<String>> {
    let products: &[Value] = order.properties.get("products").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let by_line = preset.columns.iter().any(|(_, m)| m.starts_with("line."));
    let rows = if by_line { products.len().max(1) } else { 1 };
    (0..rows).map(|row| order_row(preset, order, (row, products))).collect()
}

fn order_row(preset: &Preset, order: &Order, (row, products): (usize, &[Value])) -> Vec<String> {
    let value = |(at, (_, meaning)): (usize, &(&str, &str))| {
        let property = |name: &str| text(order.properties.get(name));
        if let Some(name) = meaning.strip_prefix("line.") {
            return text(products.get(row).and_then(|p| p.get(name)));
        }
        match *meaning {
            "order_id" => property("order_id"),
            // A further line says only whose it is.
            _ if row > 0 => String::new(),
            "" => String::new(),
            "time" => order.time.clone(),
            "status" => status(preset, order),
            "lines" => serde_json::to_string(products).unwrap_or_default(),
            other => match other.strip_prefix("property:") {
                Some(name) => property(name),
                None if order.properties.contains_key(other) => property(other),
                None if other.starts_with("address.") || is_of_person(other) => {
                    order.who.value(other, place(preset, at))
                }
                None => String::new(),
            },
        }
    };
    preset.columns.iter().enumerate().map(value).collect()
}

fn is_of_person(meaning: &str) -> bool {
    matches!(meaning, "user_id" | "email" | "phone" | "first_name" | "last_name" | "patronymic" | "name")
        || meaning.starts_with("external:")
}

/// The system's own word for what became of an order: the one that it used, where that still says the same.
fn status(preset: &Preset, order: &Order) -> String {
    let own = text(order.properties.get("status"));
    let fates: BTreeMap<String, &str> =
        preset.statuses.iter().map(|(word, fate)| (word.to_lowercase(), *fate)).collect();
    if !own.is_empty() && crate::convert::fate_word(&fates, &own) == order.fate {
        return own;
    }
    let word = preset.statuses.iter().find(|(_, fate)| *fate == order.fate).map(|(word, _)| *word);
    word.unwrap_or(&order.fate).to_string()
}

/// A row of a file of opt-outs.
pub fn opt_out_row(preset: &Preset, out: &OptOut) -> Vec<String> {
    let email = out.address.contains('@');
    let value = |meaning: &str| match meaning {
        "channel" => out.channel.clone(),
        "address" => out.address.clone(),
        "email" if email => out.address.clone(),
        "phone" if !email => out.address.clone(),
        "purpose" => out.purpose.clone(),
        "state" => "unsubscribed".to_string(),
        "time" => out.time.clone(),
        "wording" => out.wording.clone(),
        _ => String::new(),
    };
    preset.columns.iter().map(|(_, meaning)| value(meaning)).collect()
}
