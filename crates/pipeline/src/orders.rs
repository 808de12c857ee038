//! Steps of orders in the customers' log: what commands on orders noted is logged as events about who ordered, in the same
//! transaction. Identity is resolved by the order's contact as by any event's.
use crate::ingest::{append_batch, body_batch};
use crate::preparer::Preparer;
use db::{DbError, Tx};
use serde_json::{Map, Value, json};

/// The shop as orders ask.
pub(crate) fn shop(preparer: &Preparer) -> ::orders::commands::Shop {
    let settings = preparer.settings();
    ::orders::commands::Shop {
        country: settings.country.code.to_string(),
        currency: settings.currency.clone(),
        zone: settings.zone.clone(),
    }
}

/// Logs what waits to be told. Orders of whom nothing is known (erased, or only a name) stay in the books of orders.
pub fn tell(tx: &mut Tx, preparer: &Preparer) -> Result<(), DbError> {
    let waiting = ::orders::told::take(tx)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let mut items = Vec::with_capacity(waiting.len());
    for told in waiting {
        let Some(order) = tx.get::<::orders::OrderTable>(told.order_no)?.cloned() else { continue };
        let contact = &order.contact;
        let mut traits = Map::new();
        for (name, value) in [("email", &contact.email), ("phone", &contact.phone)] {
            if !value.is_empty() {
                traits.insert(name.into(), value.as_str().into());
            }
        }
        if traits.is_empty() && contact.user_id.is_empty() && contact.anonymous_id.is_empty() {
            continue;
        }
        let number = tx.next_id();
        let mut item = json!({
            "type": "track",
            "messageId": format!("braid:{number}"),
            "event": told.name,
            "timestamp": now,
            "context": {"traits": traits, "channel": "server"},
            "properties": told.properties,
        });
        for (name, value) in [("userId", &contact.user_id), ("anonymousId", &contact.anonymous_id)] {
            if !value.is_empty()
                && let Some(fields) = item.as_object_mut()
            {
                fields.insert(name.into(), Value::from(value.as_str()));
            }
        }
        items.push((format!("braid:{number}"), item.to_string(), now));
    }
    if items.is_empty() {
        return Ok(());
    }
    let batch = body_batch(tx, preparer, &items)?;
    append_batch(tx, preparer, batch)
}
