//! A change after placing: other quantities, other goods, another address, way or place. All or nothing: the old claims hold until
//! the new ones are made, in one transaction; what was agreed keeps its price, what is new has today's.
use super::burning::{changed, paid_with_points};
use super::cart::{Agreed, price_with};
use super::checkout::{Kept, keep};
use super::work::go_on;
use super::{Shop, history, order_of, put_order, telling};
use crate::error::OrderError;
use crate::model::{Cart, CartBody, CartLine, Delivery, Order, Promised};
use crate::states::line::Line as LineState;
use crate::states::order::{Action, Guard};
use crate::states::step;
use base::Quantity;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::model::EndedWhy;

/// What is changed; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// All lines as they shall be: variant and quantity.
    pub lines: Option<Vec<(i64, Quantity)>>,
    pub delivery: Option<Delivery>,
    pub address: Option<String>,
    /// What the customer was told about the new way.
    pub promised: Option<Promised>,
}

/// Changes an order that no place works on yet. What was paid too much has to be given back first, what is owed more is owed. Points that
/// were burned for it are burned for the new one as far as the policy allows: the rest goes back at once, and no more are burned.
pub fn edit(tx: &mut Tx, order_no: i64, change: &Edit, shop: &Shop, actor: &str) -> Result<Arc<Order>, OrderError> {
    let order = order_of(tx, order_no)?;
    let free =
        |state| matches!(state, LineState::Ordered | LineState::Allocated | LineState::Parked | LineState::Cancelled);
    let guards: &[Guard] = if order.body.parts.iter().all(|p| free(p.state)) { &[Guard::Free] } else { &[] };
    let editing = step(order.body.stage, Action::Edit, guards)?;
    let lines = match &change.lines {
        Some(lines) => {
            lines.iter().map(|(variant_no, q)| CartLine { variant_no: *variant_no, milli: q.milli() }).collect()
        }
        None => kept_lines(&order),
    };
    let mut seen: Vec<i64> = lines.iter().map(|line: &CartLine| line.variant_no).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) || lines.iter().any(|line| line.milli <= 0) || lines.len() > 500 {
        return Err(OrderError::field("/lines", "name each SKU once, with more than nothing of it, and at most 500"));
    }
    let mut contact = order.contact.clone();
    if let Some(address) = &change.address {
        if address.len() > 500 || address.chars().any(char::is_control) {
            return Err(OrderError::field("/address", "at most 500 bytes on one line are allowed"));
        }
        contact.address = address.trim().into();
    }
    let delivery = change.delivery.clone().unwrap_or_else(|| order.body.delivery.clone());
    if matches!(delivery, Delivery::Ship { .. }) && contact.address.is_empty() {
        return Err(OrderError::field("/address", "say where to"));
    }
    let (_, settings) = super::settings::settings(tx)?;
    let zone = settings.zone_of(&contact.address).to_string();
    let moved = delivery != order.body.delivery || zone != order.body.zone;
    let cart = Cart {
        no: order.body.cart_no,
        contact: contact.clone(),
        order_no: None,
        updated_at: tx.now(),
        body: CartBody {
            channel: order.body.channel.clone(),
            currency: order.body.currency.clone(),
            lines,
            coupons: order.body.coupons.clone(),
            delivery: Some(delivery.clone()),
            zone,
            try_on: order.body.try_on,
            seller: order.body.seller.clone(),
            advised: false,
            hold: None,
            points: 0,
            promised: change.promised.clone().or_else(|| order.body.promised.clone().filter(|_| !moved)),
        },
    };
    let agreed = Agreed {
        units: order.body.lines.iter().map(|l| (l.variant_no, l.unit_minor)).collect(),
        burned: crate::burned::kept(&order).points,
        document: format!("order:{order_no}"),
    };
    let pricing = price_with(tx, &cart, shop, Some(&agreed))?;
    let (priced, quotes) = (&pricing.priced, &pricing.quotes);
    // What points pay is what the points of the new order are worth; the rest of what is here is money.
    let points = super::buyers::kept(priced, &*loyalty::rules::rules(tx)?);
    let with_points = points.filter(|of| of.pays).map_or(0, |of| of.burned_minor);
    let paid = order.owing().paid_minor - paid_with_points(&order) + with_points;
    let mut settled = vec![Guard::Delivery, Guard::Stock];
    if !cart.body.lines.is_empty() {
        settled.push(Guard::Lines);
    }
    if paid <= priced.totals.total_minor {
        settled.push(Guard::Settled);
    }
    let stage = step(editing, Action::Settle, &settled)?;
    // What was kept is given back and kept anew: nobody comes between.
    for part in order.body.parts.iter().filter(|part| part.state == LineState::Allocated) {
        if let Some((reservation_no, line)) = part.claim {
            stock::commands::release_line(tx, reservation_no, line, part.quantity(), EndedWhy::Replaced)?;
        }
    }
    super::incoming::give_back(tx, order.body.parts.iter())?;
    let mut before = (*order).clone();
    for f in &mut before.body.fulfilments {
        f.state = crate::states::fulfilment::Fulfilment::Cancelled;
    }
    super::pieces::end_transfers(tx, (&order, &before), "the order was changed", actor)?;
    let kept = keep(tx, (&settings, shop), (&cart, &delivery, quotes))?;
    let mut next = (*order).clone();
    next.contact = contact;
    let Kept { mut body, why } = kept.confirm(tx, (order_no, &cart, delivery), (priced, quotes), actor)?;
    body.points = points;
    // What was promised when it was ordered holds on, for what is priced now.
    pricing.note(&mut body, order.body.priced_from.is_some());
    body.number = order.body.number.clone();
    body.stage = stage;
    body.holds = order.body.holds.clone();
    body.payments = order.body.payments.clone();
    body.decided = order.body.decided.clone();
    // What places were asked before stays in the books, with numbers of its own.
    let highest = before.body.fulfilments.iter().map(|f| f.no).max().unwrap_or(0);
    for f in &mut body.fulfilments {
        f.no += highest;
    }
    for part in &mut body.parts {
        part.fulfilment = part.fulfilment.map(|no| no + highest);
    }
    let now = tx.now();
    for f in before.body.fulfilments.iter_mut().filter(|f| f.done_at.micros() == 0) {
        f.done_at = now;
    }
    before.body.fulfilments.extend(std::mem::take(&mut body.fulfilments));
    body.fulfilments = before.body.fulfilments;
    let used: Vec<String> = priced.applied.iter().map(|(promotion, _)| promotion.clone()).collect();
    loyalty::rules::uses::release(tx, &format!("order:{order_no}"))?;
    loyalty::rules::uses::note(tx, &format!("order:{order_no}"), order.contact.person_id, &used)?;
    let difference = body.total_minor - order.body.total_minor;
    next.body = body;
    let mut detail = json!({"difference_minor": difference});
    let points_back = agreed.burned - priced.points.burned;
    if points_back > 0 {
        detail["points_back"] = points_back.into();
    }
    history(tx, order_no, actor, "changed", &detail);
    if !why.is_empty() {
        history(tx, order_no, actor, "sourced", &json!({"why": why}));
    }
    go_on(tx, &mut next)?;
    let next = put_order(tx, next);
    let order = changed(tx, &order, next, actor)?;
    crate::told::tell(tx, telling::updated(&order))?;
    Ok(order)
}

/// Lines with what of them is not cancelled.
fn kept_lines(order: &Order) -> Vec<CartLine> {
    let of = |at: usize| {
        let cancelled = |p: &&crate::model::Part| p.line == at && p.state == LineState::Cancelled;
        order.body.parts.iter().filter(cancelled).map(|p| p.milli).sum::<i64>()
    };
    let lines = order.body.lines.iter().enumerate();
    lines
        .map(|(at, line)| CartLine { variant_no: line.variant_no, milli: line.milli - of(at) })
        .filter(|line| line.milli > 0)
        .collect()
}
