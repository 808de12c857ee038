//! Orders that wait for goods to come: what a purchase order brings, brings later or does not bring, from its claims to the
//! customer.
//!
//! A part that waits is `ordered` and names its claim. When goods come, their claim is the order's, and the place where they lie
//! serves it, or gives them to the shop where they are fetched. What will not come is looked for elsewhere, or parked where a
//! person sees it. Each change of a promise is taken once, in its order.
use super::arrived::ask_for;
use super::checkout::fulfilling;
use super::elsewhere::elsewhere;
use super::pauses::tell_delay;
use super::work::{go_on, settle, split};
use super::{Shop, history, order_of, put_order, telling};
use crate::error::OrderError;
use crate::model::{Delivery, Order, OrderBody, Promised, Serving};
use crate::states::line::{Action, Guard, Line as LineState};
use crate::states::step;
use crate::told::tell;
use base::{Quantity, Timestamp};
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::ReservationTable;
use stock::availability::claimed;
use stock::incoming::{self, Part as Claimed, PartState, Repromised};
use stock::model::EndedWhy;

const READ: &str = "SELECT no FROM order_positions WHERE name = 'incoming'";
const NOTE: &str = "INSERT INTO order_positions (name, no) VALUES ('incoming', $1) \
                    ON CONFLICT (name) DO UPDATE SET no = excluded.no";

/// Takes over what became of goods that orders wait for: up to so many changes. Gives how many there were.
pub fn incoming_moved(tx: &mut Tx, shop: &Shop, limit: i64, actor: &str) -> Result<usize, OrderError> {
    let read = tx.first(READ, &[])?.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    let changes = incoming::changes_in(tx, read, limit)?;
    let Some(last) = changes.last().map(|change| change.no) else { return Ok(0) };
    let mut seen: Vec<i64> = Vec::new();
    for change in &changes {
        let Some(order_no) = change.owner.strip_prefix("order:").and_then(|no| no.parse::<i64>().ok()) else {
            continue;
        };
        if !seen.contains(&order_no) && tx.get::<crate::OrderTable>(order_no)?.is_some() {
            seen.push(order_no);
            let own: Vec<&Repromised> = changes.iter().filter(|c| c.owner == change.owner).collect();
            take_over(tx, order_no, &own, (shop, actor))?;
        }
    }
    tx.execute(NOTE, &[last.into()])?;
    Ok(changes.len())
}

/// Parts of an order that wait for a claim's line.
fn waiting(body: &OrderBody) -> Vec<(i64, i64)> {
    let mut out: Vec<(i64, i64)> =
        body.parts.iter().filter(|p| p.state == LineState::Ordered).filter_map(|p| p.incoming).collect();
    out.sort_unstable();
    out.dedup();
    out
}

fn take_over(
    tx: &mut Tx,
    order_no: i64,
    changes: &[&Repromised],
    (shop, actor): (&Shop, &str),
) -> Result<(), OrderError> {
    let order = order_of(tx, order_no)?;
    let mut next = (*order).clone();
    let claims = incoming::of_owner(tx, &format!("order:{order_no}"))?;
    let mut lost: Vec<usize> = Vec::new();
    for of in waiting(&next.body) {
        let own: Vec<&Claimed> = claims.iter().filter(|c| (c.claim_no, c.line) == of).collect();
        let open: i64 = own.iter().filter(|c| c.state == PartState::Open).map(|c| c.quantity.milli()).sum();
        let here = |p: &crate::model::Part| p.incoming == Some(of) && p.state == LineState::Ordered;
        let awaited: i64 = next.body.parts.iter().filter(|p| here(p)).map(|p| p.milli).sum();
        let mut gone = awaited - open;
        for came in own.iter().filter(|c| c.state == PartState::Moved) {
            if gone <= 0 {
                break;
            }
            let Some((line, location_no)) = free_line(tx, &next, came)? else { continue };
            let Some(at) = next.body.parts.iter().position(here) else { break };
            // A part may be of several claims' lines of one delivery: never more than the part has.
            let milli = came.quantity.milli().min(next.body.parts[at].milli).min(gone);
            gone -= milli;
            let at = split(&mut next.body, at, milli);
            let part = &mut next.body.parts[at];
            part.state = step(part.state, Action::Allocate, &[Guard::Stock])?;
            (part.claim, part.location_no, part.incoming) = (Some((came.reservation_no, line)), location_no, None);
            serve(tx, &mut next, at, actor)?;
        }
        while gone > 0 {
            let Some(at) = next.body.parts.iter().position(here) else { break };
            let milli = gone.min(next.body.parts[at].milli);
            gone -= milli;
            let at = split(&mut next.body, at, milli);
            // No place is to be passed over for it.
            (next.body.parts[at].incoming, next.body.parts[at].location_no) = (None, 0);
            lost.push(at);
        }
    }
    let skus: Vec<&str> = lost.iter().map(|at| order.body.lines[next.body.parts[*at].line].sku.as_str()).collect();
    let why: Vec<&str> = changes.iter().map(|change| change.why.as_str()).collect();
    history(tx, order_no, actor, "goods to come", &json!({"why": why, "will_not_come": skus}));
    if !lost.is_empty() {
        let missing: Vec<String> = skus.iter().map(|sku| sku.to_string()).collect();
        let found = elsewhere(tx, &mut next, &lost, shop, actor)?;
        if !found {
            let event = json!({"reason": "incoming", "skus": missing, "promised": null,
                "promised_before": order.body.promised.as_ref().map(super::pauses::span)});
            tell(tx, telling::step(&order, "Order Delayed", event))?;
        }
    }
    let now = tx.now();
    promise(&mut next, &claims, changes);
    settle(&mut next.body, now)?;
    go_on(tx, &mut next)?;
    let before = order.body.promised.clone();
    let after = put_order(tx, next);
    if let (Some(before), Some(promised)) = (&before, &after.body.promised) {
        tell_delay(tx, &after, (before, promised), json!({"reason": "incoming"}))?;
    }
    Ok(())
}

/// Which line of the claim on goods that came keeps a part, and where: one that no part of the order has yet.
fn free_line(tx: &mut Tx, order: &Order, came: &Claimed) -> Result<Option<(usize, i64)>, OrderError> {
    let Some(kept) = tx.get::<ReservationTable>(came.reservation_no)?.cloned() else { return Ok(None) };
    let taken = |line: usize| order.body.parts.iter().any(|p| p.claim == Some((came.reservation_no, line)));
    let fits = |(at, line): &(usize, &stock::model::ReservedLine)| {
        line.variant_no == came.variant_no && line.quantity == came.quantity && line.ended.is_none() && !taken(*at)
    };
    Ok(kept.lines.iter().enumerate().find(fits).map(|(at, line)| (at, line.location_no)))
}

/// Gives a part that came to the place where it lies, or lets it be brought to where it is fetched.
fn serve(tx: &mut Tx, order: &mut Order, at: usize, actor: &str) -> Result<(), OrderError> {
    const WHY: &str = "it was ordered for this customer, and came";
    let part = order.body.parts[at].clone();
    let shop_no = match order.body.delivery {
        Delivery::PickUp { location_no } if location_no != part.location_no => location_no,
        Delivery::PickUp { .. } => {
            let no = fulfilling(&mut order.body, (part.location_no, Serving::PickUp, None), WHY);
            order.body.parts[at].fulfilment = Some(no);
            return Ok(());
        }
        Delivery::Ship { .. } => {
            let no = fulfilling(&mut order.body, (part.location_no, Serving::Ship, None), WHY);
            order.body.parts[at].fulfilment = Some(no);
            return Ok(());
        }
    };
    let variant_no = order.body.lines[part.line].variant_no;
    let now = tx.now();
    let there = stock::commands::stock(tx, variant_no)?;
    let gives = there.and_then(|stock| {
        stock.at(part.location_no).map(|p| p.sellable() - claimed(p, now) - p.safety >= Quantity::ZERO)
    });
    if let Some((reservation_no, line)) = part.claim {
        stock::commands::release_line(tx, reservation_no, line, part.quantity(), EndedWhy::Replaced)?;
    }
    order.body.parts[at].claim = None;
    if gives != Some(true) {
        // What the place must keep back for itself does not leave it by itself: a person decides.
        order.body.parts[at].state = step(part.state, Action::Park, &[])?;
        return Ok(());
    }
    let pieces = [(variant_no, part.quantity())].into_iter();
    let transfer_no = ask_for(tx, (order.no, part.location_no, shop_no), pieces, None, actor)?;
    let no = fulfilling(&mut order.body, (part.location_no, Serving::Supply, Some(transfer_no)), WHY);
    order.body.parts[at].fulfilment = Some(no);
    Ok(())
}

/// Moves the promise by as much as what is still awaited comes later, or earlier.
fn promise(order: &mut Order, claims: &[Claimed], changes: &[&Repromised]) {
    let of = |p: &crate::model::Part| p.incoming.filter(|_| p.state == LineState::Ordered);
    let awaited: Vec<(i64, i64)> = order.body.parts.iter().filter_map(of).collect();
    let open: Vec<Claimed> = claims.iter().filter(|c| awaited.contains(&(c.claim_no, c.line))).cloned().collect();
    let Some(after) = incoming::promised_at(&open) else { return };
    // What it was before: the latest that any of these was promised for, by what is told now.
    let known = |at: Timestamp| at.micros() > 0;
    let moves = |c: &&&Repromised| c.why != "came" && known(c.before_at) && known(c.after_at);
    let stayed =
        open.iter().filter(|c| c.state == PartState::Open && !changes.iter().any(|r| r.claim_no == c.claim_no));
    let before = changes.iter().filter(moves).map(|c| c.before_at).chain(stayed.map(|c| c.promised_at)).max();
    let (Some(before), Some(promised)) = (before, order.body.promised.clone()) else { return };
    let by = after.micros() - before.micros();
    if by == 0 {
        return;
    }
    let first = order.body.promised_first.clone().unwrap_or_else(|| promised.clone());
    let why = first.why.iter().cloned().chain([format!("it is expected at {after}")]).collect();
    order.body.promised =
        Some(Promised { earliest: promised.earliest.plus(by), latest: promised.latest.plus(by), why });
    order.body.promised_first = Some(first);
}

/// Gives back what parts wait for: they are called off, or wanted otherwise.
pub(super) fn give_back<'a>(
    tx: &mut Tx,
    parts: impl Iterator<Item = &'a crate::model::Part>,
) -> Result<(), OrderError> {
    for part in parts.filter(|part| part.state == LineState::Ordered) {
        if let Some((claim_no, line)) = part.incoming {
            incoming::release_line(tx, claim_no, line, part.quantity())?;
        }
    }
    Ok(())
}

/// What an order waits for, for whoever looks at it: claim and line with when it should be there.
pub fn awaited(tx: &mut Tx, order: &Arc<Order>) -> Result<Vec<(usize, Quantity, Option<Timestamp>)>, OrderError> {
    let of = waiting(&order.body);
    if of.is_empty() {
        return Ok(vec![]);
    }
    let claims = incoming::of_owner(tx, &format!("order:{}", order.no))?;
    let mut out = Vec::new();
    for part in order.body.parts.iter().filter(|p| p.state == LineState::Ordered) {
        let Some(of) = part.incoming else { continue };
        let own: Vec<Claimed> = claims.iter().filter(|c| (c.claim_no, c.line) == of).cloned().collect();
        out.push((part.line, part.quantity(), incoming::promised_at(&own)));
    }
    Ok(out)
}
