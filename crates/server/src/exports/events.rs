//! Events and orders, in the order of the log.
use super::browse::{Browse, Page};
use super::kinds::Kind;
use super::spool::Row;
use base::Decimal;
use db::event::Origin;
use db::{DbError, log};
use exchange::table::{Cell, Type, compact};
use pipeline::timeline::{StoredEvent, stored_events};
use serde_json::{Map, Value};

/// Rows of the log of one page.
const ROWS: i64 = 256;

/// Columns of files of events.
pub const COLUMNS: &[(&str, Type, &str)] = &[
    ("seq", Type::Int, "Number of the event in the log; rises by receipt."),
    ("message_id", Type::Text, "The event's own id, by which repeats are known."),
    ("type", Type::Text, "Call of the tracking API: track, identify, page, screen, group, alias."),
    ("event", Type::Text, "Name by the tracking plan; empty but for track, page and screen."),
    ("time", Type::Time, "When it happened, by the corrected clock."),
    ("received_at", Type::Time, "When it came."),
    ("source", Type::Text, "Name of the source."),
    ("origin", Type::Text, "tracking, import, derived."),
    ("person_id", Type::Int, "Whose it is now; empty for nobody."),
    ("profile_id", Type::Int, "The profile that it belongs to."),
    ("user_id", Type::Text, "As the message says."),
    ("anonymous_id", Type::Text, "As the message says."),
    ("email", Type::Text, "As the message says, among its traits or properties."),
    ("phone", Type::Text, "As the message says, among its traits or properties."),
    ("properties", Type::Json, "By the names of the tracking plan."),
    ("traits", Type::Json, "As the message says."),
    ("context", Type::Json, "What the message says and what was derived when it came: device, place."),
    ("message", Type::Text, "The whole message as JSON text; an import takes it as it stands."),
];

/// Columns of files of orders.
pub const ORDER_COLUMNS: &[(&str, Type, &str)] = &[
    ("order_id", Type::Text, "Number of the order."),
    ("event", Type::Text, "Order Completed, Order Cancelled, Order Refunded."),
    ("status", Type::Text, "completed, cancelled, refunded."),
    ("time", Type::Time, "When it happened."),
    ("total", Type::Decimal, "Major units."),
    ("subtotal", Type::Decimal, "Major units."),
    ("shipping", Type::Decimal, "Major units."),
    ("tax", Type::Decimal, "Major units."),
    ("discount", Type::Decimal, "Major units."),
    ("currency", Type::Text, "ISO 4217."),
    ("coupon", Type::Text, "As the event says."),
    ("affiliation", Type::Text, "As the event says."),
    ("store_id", Type::Text, "As the event says."),
    ("payment_method", Type::Text, "As the event says."),
    ("shipping_method", Type::Text, "As the event says."),
    ("user_id", Type::Text, "The customer's account."),
    ("email", Type::Text, "The customer's address."),
    ("phone", Type::Text, "The customer's number."),
    ("name", Type::Text, "The customer's name."),
    ("lines", Type::Json, "The products: product_id, sku, name, quantity, price, …"),
    ("person_id", Type::Int, "Whose it is; empty for nobody, or for who was erased."),
    ("profile_id", Type::Int, "The profile that it belongs to."),
    ("source", Type::Text, "Name of the source."),
    ("message_id", Type::Text, "The event's own id."),
    ("properties", Type::Json, "Everything that the event says."),
];

/// The word for what became of an order.
fn fate(event: &str) -> Option<&'static str> {
    Some(match event {
        "Order Completed" => "completed",
        "Order Cancelled" => "cancelled",
        "Order Refunded" => "refunded",
        _ => return None,
    })
}

/// The events of the next rows of the log.
pub fn page(browse: &mut Browse, kind: Kind, after: i64) -> Result<Page, DbError> {
    let rows = log::page(browse.tx.engine(), after + 1, ROWS)?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok((Vec::new(), None)) };
    let (from, next) = (first.first_seq, last.first_seq + last.ids.len() as i64);
    let place = last.first_seq;
    let moved = pipeline::backfill::moved_between(&mut browse.tx, from, next)?;
    let preparer = browse.preparer.clone();
    let mut out = Vec::new();
    for row in &rows {
        if (row.origin == Origin::Derived) != (kind == Kind::Derived) {
            continue;
        }
        for event in stored_events(&preparer, row)? {
            if kind == Kind::Orders && fate(&event.name).is_none() || !browse.filter.holds(event.timestamp) {
                continue;
            }
            let profile = moved.get(&event.seq).copied().unwrap_or(event.profile_id);
            let person = browse.person_of(profile);
            // Erased, and the job has not come to this event yet; or not of the segment.
            let gone = person == 0 && profile != 0;
            if gone || browse.members.as_ref().is_some_and(|m| !m.contains(&person)) {
                continue;
            }
            let cells = match kind {
                Kind::Orders => order(browse, &event, profile, person)?,
                _ => cells(browse, &event, profile, person)?,
            };
            out.push(Row::of(&[profile, person], cells));
        }
    }
    Ok((out, Some(place)))
}

fn id(id: i64) -> Cell {
    if id == 0 { Cell::None } else { Cell::Int(id) }
}

fn object(json: Option<&String>) -> Map<String, Value> {
    json.and_then(|j| serde_json::from_str(j).ok()).unwrap_or_default()
}

/// What a message says under one of a few names, of text or number.
fn said(places: &[Option<&Map<String, Value>>], name: &str) -> Option<String> {
    places.iter().flatten().find_map(|map| match map.get(name)? {
        Value::String(text) => Some(text.trim().to_string()).filter(|t| !t.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn cells(browse: &Browse, event: &StoredEvent, profile: i64, person: i64) -> Result<Vec<Cell>, DbError> {
    let damaged = |e: serde_json::Error| DbError::damaged("log", e);
    let mut message: Map<String, Value> = serde_json::from_str(&event.raw).map_err(damaged)?;
    message.insert("type".into(), event.kind.as_str().into());
    message.insert("messageId".into(), event.message_id.clone().into());
    message.insert("timestamp".into(), event.timestamp.to_string().into());
    if let Some(context) = &event.context {
        message.insert("context".into(), serde_json::from_str(context).map_err(damaged)?);
    }
    message.remove("writeKey");
    let (traits, properties) = (object(event.traits.as_ref()), object(event.properties.as_ref()));
    let own = message.get("context").and_then(|c| c.get("traits")).and_then(Value::as_object);
    let places = [own, Some(&traits), Some(&properties)];
    let (email, phone) = (said(&places, "email"), said(&places, "phone"));
    let text = |name: &str| Cell::maybe(said(&[Some(&message)], name));
    let json = |json: &Option<String>| json.as_ref().map_or(Cell::None, |j| Cell::Json(compact(j)));
    Ok(vec![
        Cell::Int(event.seq),
        Cell::text(event.message_id.as_str()),
        Cell::text(event.kind.as_str()),
        Cell::text(event.name.as_str()),
        Cell::Time(event.timestamp),
        Cell::Time(event.received_at),
        Cell::maybe(browse.sources.get(&event.source).cloned()),
        Cell::text(match event.origin {
            Origin::Tracking => "tracking",
            Origin::Import => "import",
            Origin::Derived => "derived",
        }),
        id(person),
        id(profile),
        text("userId"),
        text("anonymousId"),
        Cell::maybe(email),
        Cell::maybe(phone),
        json(&event.properties),
        json(&event.traits),
        json(&event.context),
        Cell::text(Value::Object(message.clone()).to_string()),
    ])
}

fn order(browse: &mut Browse, event: &StoredEvent, profile: i64, person: i64) -> Result<Vec<Cell>, DbError> {
    let properties = object(event.properties.as_ref());
    let contacts = if person == 0 { None } else { Some(browse.contacts(person)?) };
    let of = |f: &dyn Fn(&super::browse::Contacts) -> Option<String>| Cell::maybe(contacts.as_deref().and_then(f));
    let text = |name: &str| Cell::maybe(said(&[Some(&properties)], name));
    let number = |name: &str| {
        let found = said(&[Some(&properties)], name).and_then(|text| Decimal::parse(&text));
        found.map_or(Cell::None, Cell::Decimal)
    };
    Ok(vec![
        text("order_id"),
        Cell::text(event.name.as_str()),
        Cell::maybe(fate(&event.name)),
        Cell::Time(event.timestamp),
        number("total"),
        number("subtotal"),
        number("shipping"),
        number("tax"),
        number("discount"),
        text("currency"),
        text("coupon"),
        text("affiliation"),
        text("store_id"),
        text("payment_method"),
        text("shipping_method"),
        of(&|c| c.user_id.clone()),
        of(&|c| c.email.clone()),
        of(&|c| c.phone.clone()),
        of(&|c| c.name.clone()),
        properties.get("products").map_or(Cell::None, Cell::json),
        id(person),
        id(profile),
        Cell::maybe(browse.sources.get(&event.source).cloned()),
        Cell::text(event.message_id.as_str()),
        Cell::Json(Value::Object(properties.clone()).to_string()),
    ])
}
