//! Steps of orders in the customers' log: what commands on orders noted is logged as events about who ordered, in the same
//! transaction. Identity is resolved by the order's contact as by any event's.
use crate::ingest::{append_batch, body_batch};
use crate::preparer::Preparer;
use ::orders::commands::buyers::{Buyer, Buyers};
use db::{DbError, Tx};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The shop as orders ask.
pub fn shop(preparer: &Preparer) -> ::orders::commands::Shop {
    let settings = preparer.settings();
    ::orders::commands::Shop {
        country: settings.country.code.to_string(),
        currency: settings.currency.clone(),
        zone: settings.zone.clone(),
        buyers: Some(Arc::new(People)),
    }
}

/// What orders are told of a person: who they are, their profiles, and the segments that they are in now, by number and by name.
#[derive(Debug)]
struct People;

impl Buyers for People {
    fn buyer(&self, tx: &mut Tx, person_id: i64) -> Result<Option<Buyer>, DbError> {
        if tx.get::<customers::profiles::Profiles>(person_id)?.is_none() {
            return Ok(None);
        }
        let person = customers::commands::person_of(tx, person_id)?;
        let mut accounts = customers::commands::members_of(tx, person)?;
        accounts.sort_by_key(|no| (*no != person, *no));
        let compiled = segments::runtime::definitions::current(tx)?;
        let mut names = Vec::new();
        for membership in segments::runtime::read_person(tx, person)? {
            names.push(membership.segment_id.to_string());
            names.extend(compiled.find(membership.segment_id).map(|segment| segment.name.clone()));
        }
        Ok(Some(Buyer { id: person.to_string(), accounts, segments: names }))
    }
}

/// Logs what waits to be told. Orders of whom nothing is known (erased, or only a name) stay in the books of orders.
pub fn tell(tx: &mut Tx, preparer: &Preparer) -> Result<(), DbError> {
    let (orders, carts) = (::orders::told::take(tx)?, ::orders::told::take_of_carts(tx)?);
    if orders.is_empty() && carts.is_empty() {
        return Ok(());
    }
    let mut waiting = Vec::with_capacity(orders.len() + carts.len());
    for told in orders {
        let Some(order) = tx.get::<::orders::OrderTable>(told.order_no)?.cloned() else { continue };
        waiting.push((order.contact.clone(), told.name, told.properties));
    }
    for told in carts {
        let Some(cart) = tx.get::<::orders::CartTable>(told.cart_no)?.cloned() else { continue };
        waiting.push((cart.contact.clone(), told.name, told.properties));
    }
    let now = tx.now();
    let mut items = Vec::with_capacity(waiting.len());
    for (contact, name, properties) in waiting {
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
            "event": name,
            "timestamp": now,
            "context": {"traits": traits, "channel": "server"},
            "properties": properties,
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
