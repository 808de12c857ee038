//! Shapes that several parts of the API share, and how they are made of what the rooms below give.
use crate::input::Id;
use crate::sources::{Snapshot, SourceKind};
use base::Timestamp;
use customers::model::Amounts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// A JSON object with whatever people put into it.
pub type Object = HashMap<String, Value>;

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// Sums by currency.
pub fn money(amounts: &Amounts) -> Vec<Money> {
    amounts.0.iter().map(|(currency, minor)| Money { minor: *minor, currency: currency.as_str().into() }).collect()
}

/// A source, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceName {
    /// Number.
    pub id: Id,
    /// As it is shown.
    pub name: String,
    /// What kind of place it is.
    pub kind: SourceKind,
}

impl SourceName {
    /// A source by number; Braid itself for what it wrote, a nameless one for a number that nobody knows.
    pub fn of(sources: &Snapshot, id: i64) -> Self {
        match sources.get(id) {
            Some(source) => Self { id: Id(id), name: source.name.clone(), kind: source.kind },
            None => Self { id: Id(id), name: "braid".into(), kind: SourceKind::System },
        }
    }
}

/// JSON text as it is, `{}` where there is none.
pub fn raw_object(text: Option<String>) -> Box<RawValue> {
    let empty = || RawValue::from_string("{}".into());
    let object = text.map(RawValue::from_string).unwrap_or_else(empty);
    object.or_else(|_| empty()).unwrap_or_default()
}

/// A moment, or nothing for 0.
pub fn moment(us: i64) -> Option<Timestamp> {
    (us != 0).then(|| Timestamp::from_micros(us))
}

/// Where an event belongs on a person's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strand {
    /// On a page or in an app.
    Online,
    /// In a shop.
    Store,
    /// Something that was sent, and what became of it.
    Message,
    /// A conversation.
    Talk,
    /// A partner.
    Partner,
}

/// The strand of an event, by its name and where it came from.
pub fn strand(name: &str, source: SourceKind, properties: &str) -> Strand {
    if is_message(name) {
        return Strand::Message;
    }
    if is_talk(name) {
        return Strand::Talk;
    }
    let at_till = ["\"register_id\"", "\"store_id\"", "\"receipt_id\""].iter().any(|p| properties.contains(p));
    if at_till || (source == SourceKind::Server && is_purchase(name)) { Strand::Store } else { Strand::Online }
}

/// Whether an event is about something that was sent.
pub fn is_message(name: &str) -> bool {
    name == "Unsubscribed"
        || ["Message ", "Email ", "Push Notification ", "Consent "].iter().any(|p| name.starts_with(p))
}

/// Whether an event is about a conversation.
pub fn is_talk(name: &str) -> bool {
    ["Conversation ", "Call ", "Chat ", "Ticket "].iter().any(|p| name.starts_with(p))
}

/// Whether an event is about an order.
pub fn is_purchase(name: &str) -> bool {
    name.starts_with("Order ")
}
