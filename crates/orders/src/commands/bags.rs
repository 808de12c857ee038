//! Several orders of one customer as one bag: handed over by one code, or sent under one number (N8).
use super::handing::{Proof, collect, dispatch};
use super::work::{at, parts, pick_up_code};
use super::{history, order_of, pieces};
use crate::bag::{Key, key};
use crate::error::OrderError;
use crate::model::{Order, Serving};
use crate::states::fulfilment::Action;
use crate::states::line::Line as LineState;
use crate::states::step;
use crate::{OrderTable, personal};
use db::Tx;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use stock::model::{CUSTOMER, Move};

/// Orders of one bag, at most.
pub const BAG_MAX: usize = 50;

/// Hands over what is ready of all of them. The code of any of the orders is enough: it is one customer.
pub fn hand_over_bag(
    tx: &mut Tx,
    items: &[(i64, i64)],
    proof: &Proof,
    actor: &str,
) -> Result<Vec<Arc<Order>>, OrderError> {
    check(tx, items, Serving::PickUp)?;
    let seen = match proof {
        Proof::Seen(how) => how.clone(),
        Proof::Code(code) => {
            let of = items.iter().find(|(no, _)| pick_up_code(tx.hash_key(), *no) == code.trim());
            let Some((no, _)) = of else {
                return Err(OrderError::field("/code", "it is the code of none of these orders"));
            };
            format!("the code of order {}", order_of(tx, *no)?.body.number)
        }
    };
    let mut done = Vec::with_capacity(items.len());
    for (no, fulfilment) in items {
        // The order whose code it is keeps it as its proof.
        let own = matches!(proof, Proof::Code(code) if pick_up_code(tx.hash_key(), *no) == code.trim());
        let proof = if own { proof.clone() } else { Proof::Seen(seen.clone()) };
        collect(tx, *no, *fulfilment, (&proof, None), actor)?;
        done.push(*no);
    }
    note(tx, &done, json!({}), actor)
}

/// Gives all of them to the carrier as one parcel.
pub fn dispatch_bag(
    tx: &mut Tx,
    items: &[(i64, i64)],
    tracking: &str,
    actor: &str,
) -> Result<Vec<Arc<Order>>, OrderError> {
    check(tx, items, Serving::Ship)?;
    if tracking.trim().is_empty() || tracking.len() > 100 || tracking.chars().any(char::is_control) {
        return Err(OrderError::field("/tracking", "one parcel has one number of 1 to 100 bytes"));
    }
    let mut done = Vec::with_capacity(items.len());
    for (no, fulfilment) in items {
        dispatch(tx, *no, *fulfilment, tracking, actor)?;
        done.push(*no);
    }
    note(tx, &done, json!({"tracking": tracking.trim()}), actor)
}

/// Each order says with which others it left.
fn note(tx: &mut Tx, done: &[i64], more: serde_json::Value, actor: &str) -> Result<Vec<Arc<Order>>, OrderError> {
    let orders = done.iter().map(|no| order_of(tx, *no)).collect::<Result<Vec<_>, _>>()?;
    for order in &orders {
        let with: Vec<&str> = orders.iter().filter(|o| o.no != order.no).map(|o| o.body.number.as_str()).collect();
        let mut detail = json!({"with": with});
        if let (Some(fields), serde_json::Value::Object(more)) = (detail.as_object_mut(), more.clone()) {
            fields.extend(more);
        }
        history(tx, order.no, actor, "in one bag", &detail);
    }
    Ok(orders)
}

/// Refuses before anything is written: they are no bag, one of them is not ready, or the shelf lacks something.
fn check(tx: &mut Tx, items: &[(i64, i64)], kind: Serving) -> Result<(), OrderError> {
    let different: BTreeSet<&(i64, i64)> = items.iter().collect();
    if items.len() < 2 || items.len() > BAG_MAX || different.len() != items.len() {
        return Err(OrderError::field("/items", format!("a bag has from 2 to {BAG_MAX} different parts of orders")));
    }
    let mut shared: Option<Key> = None;
    let mut moves = Vec::new();
    for (position, (no, fulfilment)) in items.iter().enumerate() {
        let pointer = format!("/items/{position}");
        let order = order_of(tx, *no)?;
        let f = &order.body.fulfilments[at(&order, *fulfilment)?];
        if f.kind != kind {
            return Err(OrderError::field(pointer, "it is not given to the customer in this way"));
        }
        let of = key(&order, f).ok_or_else(|| OrderError::field(pointer.clone(), "it goes alone"))?;
        if shared.as_ref().is_some_and(|first| *first != of) {
            return Err(OrderError::field(pointer, "it is somebody else's, or goes elsewhere"));
        }
        shared = Some(of);
        step(f.state, Action::Fulfil, &[])?;
        let here = parts(&order.body, *fulfilment, |state| state == LineState::Released);
        if here.is_empty() || f.ready_at.micros() == 0 {
            return Err(OrderError::field(pointer, format!("order {} is not packed yet", order.body.number)));
        }
        for part in here.into_iter().map(|part| &order.body.parts[part]).filter(|part| part.claim.is_some()) {
            moves.push(Move::sellable(
                order.body.lines[part.line].variant_no,
                (part.location_no, CUSTOMER),
                part.quantity(),
                "order",
            ));
        }
    }
    let short = pieces::missing(tx, &moves)?;
    if short.is_empty() { Ok(()) } else { Err(stock::StockError::NotEnough(short).into()) }
}

/// Other orders of the same customer that wait for them at the same place: the code of this one opens them too.
pub fn with_it(tx: &mut Tx, order: &Order) -> Result<Vec<Arc<Order>>, OrderError> {
    let ready = |order: &Order| -> Vec<Key> {
        let waits = order.body.fulfilments.iter().filter(|f| f.kind == Serving::PickUp && f.ready_at.micros() > 0);
        waits.filter_map(|f| key(order, f)).collect()
    };
    let mine = ready(order);
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    tx.flush_table::<OrderTable>()?;
    let names = [("phone", order.contact.phone.as_str()), ("email", order.contact.email.as_str())];
    let all = personal::orders(tx, &names, BAG_MAX as i64)?;
    Ok(all.into_iter().filter(|o| o.no != order.no && ready(o).iter().any(|k| mine.contains(k))).collect())
}
