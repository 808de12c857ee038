//! Rows become messages of the tracking API, each with an id that is the same whenever the same row is read again.
mod customer;
mod message;
mod money;
mod order;
#[cfg(test)]
mod tests;

pub(crate) use order::fate_word;

use crate::mapping::{Kind, Plan};
use crate::rows::{Bad, Row, short};
use crate::values;
use base::{Country, Timestamp, normalise_email, normalise_phone};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What rows are read against.
#[derive(Debug, Clone)]
pub struct Context {
    /// The shop's zone: times without one are of its clock.
    pub zone: TimeZone,
    /// Numbers without a country code are of this country.
    pub country: Country,
    /// Amounts without a currency are in this one.
    pub currency: String,
    /// How old a row is that says nothing about it: the file's date. Live data that is newer stays.
    pub file_time: Timestamp,
    /// The present: nothing may lie after it.
    pub now: Timestamp,
    /// Where the file comes from, as consents name it.
    pub source: String,
}

/// A message of the tracking API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub json: String,
    pub message_id: String,
    pub time: Timestamp,
}

/// What rows became.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Out {
    pub made: Vec<Made>,
    /// What was wrong; with `kept` the rest of the row was taken.
    pub bad: Vec<(Bad, bool)>,
}

impl Out {
    fn refuse(&mut self, plan: &Plan, row: &Row, meaning: &str, reason: impl Into<String>) {
        self.bad.push((bad(plan, row, meaning, reason), false));
    }
    fn drop_value(&mut self, plan: &Plan, row: &Row, meaning: &str, reason: impl Into<String>) {
        self.bad.push((bad(plan, row, meaning, reason), true));
    }
}

fn bad(plan: &Plan, row: &Row, meaning: &str, reason: impl Into<String>) -> Bad {
    let at = plan.column(meaning);
    let column = at.and_then(|at| plan.columns.get(at)).cloned().unwrap_or_default();
    Bad { line: row.line, column, reason: reason.into(), value: short(at.map_or("", |at| row.get(at))) }
}

/// Converts one row, or the rows of one order.
pub fn convert(plan: &Plan, context: &Context, rows: &[Row], out: &mut Out) {
    let Some(first) = rows.first() else { return };
    if is_canary(plan, first, out) {
        return;
    }
    match plan.mapping.kind {
        Kind::Customers => customer::convert(plan, context, first, out),
        Kind::Orders => order::convert(plan, context, rows, out),
        Kind::Events if !plan.value(first, "message").is_empty() => message::convert(plan, context, first, out),
        Kind::Events => event(plan, context, first, out),
        Kind::Consents => consent(plan, context, first, out),
    }
}

/// The domain of addresses that belong to nobody and mark an export (RFC 2606 keeps it free for ever).
pub const CANARY_DOMAIN: &str = "@canary.invalid";

/// Refuses the row of an export that marks it: it is nobody, and must not become a customer.
fn is_canary(plan: &Plan, row: &Row, out: &mut Out) -> bool {
    let found = (0..row.len()).any(|at| row.get(at).contains(CANARY_DOMAIN));
    if found {
        out.refuse(plan, row, "email", "this row marks an export and is nobody");
    }
    found
}

/// Who a row is about.
#[derive(Debug, Clone, Default)]
struct Person {
    user_id: Option<String>,
    anonymous_id: Option<String>,
    email: Option<String>,
    /// The first is the person's, others are further numbers.
    phones: Vec<String>,
    external: Vec<(String, String)>,
}

impl Person {
    fn is_nobody(&self) -> bool {
        self.user_id.is_none()
            && self.anonymous_id.is_none()
            && self.email.is_none()
            && self.phones.is_empty()
            && self.external.is_empty()
    }
    /// `userId`, `anonymousId` and `context` of a message.
    fn into_message(self, message: &mut Map<String, Value>) {
        let mut traits = Map::new();
        if let Some(email) = self.email {
            traits.insert("email".into(), email.into());
        }
        let mut external = self.external;
        let mut phones = self.phones.into_iter();
        if let Some(phone) = phones.next() {
            traits.insert("phone".into(), phone.into());
        }
        external.extend(phones.map(|p| ("phone".to_string(), p)));
        let ids: Vec<Value> = external
            .into_iter()
            .map(|(kind, id)| json!({"id": id, "type": kind, "collection": "users", "encoding": "none"}))
            .collect();
        if let Some(id) = self.user_id {
            message.insert("userId".into(), id.into());
        }
        if let Some(id) = self.anonymous_id {
            message.insert("anonymousId".into(), id.into());
        }
        let mut context = Map::new();
        if !traits.is_empty() {
            context.insert("traits".into(), traits.into());
        }
        if !ids.is_empty() {
            context.insert("externalIds".into(), ids.into());
        }
        if !context.is_empty() {
            message.insert("context".into(), context.into());
        }
    }
}

/// Reads who a row is about. A contact that is none is told and left out.
fn person(plan: &Plan, context: &Context, row: &Row, out: &mut Out) -> Person {
    let mut person = Person::default();
    for (at, meaning) in &plan.meant {
        let value = row.get(*at);
        if value.is_empty() {
            continue;
        }
        let wrong = |reason: &str, out: &mut Out| {
            let bad =
                Bad { line: row.line, column: plan.columns[*at].clone(), reason: reason.into(), value: short(value) };
            out.bad.push((bad, true));
        };
        match meaning.as_str() {
            "user_id" => person.user_id = Some(value.to_string()),
            "anonymous_id" => person.anonymous_id = Some(value.to_string()),
            "email" => match normalise_email(value) {
                Some(email) => person.email = Some(email),
                None => wrong("this is no e-mail address", out),
            },
            "phone" => match normalise_phone(value.trim_start_matches('\''), context.country) {
                Some(phone) if person.phones.contains(&phone) => {}
                Some(phone) => person.phones.push(phone),
                None => wrong("this is no phone number", out),
            },
            other => {
                if let Some(kind) = other.strip_prefix("external:") {
                    person.external.push((kind.to_string(), value.to_string()));
                }
            }
        }
    }
    person
}

/// A moment of a row; told where it is none. `Err` when the row cannot be taken.
fn moment(plan: &Plan, context: &Context, row: &Row, meaning: &str, out: &mut Out) -> Result<Option<Timestamp>, ()> {
    let value = plan.value(row, meaning);
    if value.is_empty() {
        return Ok(None);
    }
    match values::moment(value, plan.mapping.date_order, &context.zone) {
        Some(at) if at > context.now => out.refuse(plan, row, meaning, "it lies in the future"),
        Some(at) => return Ok(Some(at)),
        None => out.refuse(plan, row, meaning, "this is no date and time from 1900 to 2100"),
    }
    Err(())
}

/// An id made of what the row says, so that the same row again is a repeat.
fn content_id(kind: &str, content: &Map<String, Value>, own_time: Option<Timestamp>) -> String {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_string(content).unwrap_or_default());
    if let Some(at) = own_time {
        hash.update(at.micros().to_le_bytes());
    }
    let digest = hash.finalize();
    let hex: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
    format!("import:{kind}:{hex}")
}

/// Finishes a message.
fn push(out: &mut Out, mut message: Map<String, Value>, message_id: String, time: Timestamp) {
    message.insert("messageId".into(), message_id.clone().into());
    message.insert("timestamp".into(), time.to_string().into());
    let json = Value::Object(message).to_string();
    out.made.push(Made { json, message_id, time });
}

fn event(plan: &Plan, context: &Context, row: &Row, out: &mut Out) {
    let name = plan.value(row, "event").to_string();
    if name.is_empty() {
        return out.refuse(plan, row, "event", "the row has no name of an event");
    }
    let Ok(time) = moment(plan, context, row, "time", out) else { return };
    let Some(time) = time else { return out.refuse(plan, row, "time", "the row has no time") };
    let who = person(plan, context, row, out);
    if who.is_nobody() {
        return out.refuse(plan, row, "", "nobody can be found by this row");
    }
    let mut properties = Map::new();
    for (at, meaning) in &plan.meant {
        let value = row.get(*at);
        if value.is_empty() {
            continue;
        }
        if let Some(name) = meaning.strip_prefix("property:") {
            properties.insert(name.into(), money::scalar(value));
        } else if let Some(name) = meaning.strip_prefix("money:").or((meaning == "revenue").then_some("revenue")) {
            match values::money(value) {
                Some(amount) => drop(properties.insert(name.into(), money::number(amount))),
                None => out.drop_value(plan, row, meaning, "this is no amount"),
            }
        } else if meaning == "currency" {
            properties.insert("currency".into(), value.to_uppercase().into());
        }
    }
    let own = plan.value(row, "message_id").to_string();
    let mut message = Map::new();
    message.insert("type".into(), "track".into());
    message.insert("event".into(), name.into());
    who.into_message(&mut message);
    message.insert("properties".into(), properties.into());
    let id = if own.is_empty() { content_id("event", &message, Some(time)) } else { format!("import:event:{own}") };
    push(out, message, id, time);
}

/// What a file says about a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Granted,
    Revoked,
    /// Nothing may be sent at all: a bounce, a complaint, a blacklist.
    Blocked,
    /// Nothing is said, such as `pending`.
    Unsaid,
}

/// Reads the state of a consent.
pub fn state(text: &str) -> Option<State> {
    let lower = text.trim().to_lowercase();
    Some(match lower.as_str() {
        "" | "pending" | "unconfirmed" | "not_subscribed" | "not subscribed" | "never_subscribed" | "unknown" => {
            State::Unsaid
        }
        "bounced"
        | "bounce"
        | "hard_bounce"
        | "hard bounce"
        | "complained"
        | "complaint"
        | "spam"
        | "blacklist"
        | "blacklisted"
        | "blocked"
        | "cleaned"
        | "заблокований"
        | "заблокирован"
        | "чорний список"
        | "черный список" => State::Blocked,
        _ => match values::yes(&lower)? {
            true => State::Granted,
            false => State::Revoked,
        },
    })
}

fn consent(plan: &Plan, context: &Context, row: &Row, out: &mut Out) {
    let Ok(time) = moment(plan, context, row, "time", out) else { return };
    let said = plan.value(row, "state");
    let Some(state) = state(said) else { return out.refuse(plan, row, "state", "this is neither yes nor no") };
    let mut who = person(plan, context, row, out);
    let channel = plan.value(row, "channel").to_lowercase();
    let address = plan.value(row, "address");
    if !address.is_empty() {
        match (normalise_email(address), normalise_phone(address, context.country)) {
            (Some(email), _) => who.email = who.email.or(Some(email)),
            (None, Some(phone)) if !who.phones.contains(&phone) => who.phones.push(phone),
            (None, Some(_)) => {}
            (None, None) => {
                return out.refuse(plan, row, "address", "this is neither an e-mail address nor a phone number");
            }
        }
    }
    let mut any = false;
    let purpose = plan.value(row, "purpose").to_lowercase();
    for (own, contact) in contacts(&who) {
        if channel.is_empty() && own == "email" || channel == own || own == "phone" && channel != "email" {
            any = true;
            let channels: &[&str] = match (own, channel.as_str()) {
                ("email", _) => &["email"],
                (_, "") => &["sms", "viber"],
                (_, channel) => &[channel],
            };
            let words = plan.value(row, "wording");
            for channel in channels {
                let stated = customer::Stated { channel, contact: &contact, state, purpose: &purpose, words };
                customer::consent(context, &who, &stated, time, out);
            }
        }
    }
    if !any {
        out.refuse(plan, row, "", "the row has no address of its channel");
    }
}

fn contacts(who: &Person) -> Vec<(&'static str, String)> {
    let phones = who.phones.iter().map(|p| ("phone", p.clone()));
    who.email.iter().map(|e| ("email", e.clone())).chain(phones).collect()
}
