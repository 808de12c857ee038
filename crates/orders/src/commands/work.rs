//! What places do for orders: asked, taken or declined, missing something, packed.
use super::elsewhere::elsewhere;
use super::{Shop, history, order_of, put_order, telling};
use crate::confirmation::PREPAYMENT;
use crate::error::OrderError;
use crate::model::{Fulfilling, Order, OrderBody, Part, Serving};
use crate::settings::Begin;
use crate::states::fulfilment::{Action, Fulfilment, Guard};
use crate::states::line::{Action as LineAction, Line as LineState};
use crate::states::{Machine as _, step};
use crate::told::tell;
use base::{HOUR_US, MINUTE_US, Quantity, Timestamp};
use db::Tx;
use serde_json::json;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use std::sync::Arc;
use stock::model::EndedWhy;
use stock::transfers::{self, Rest};

/// Asks the places of an order that nothing stops.
pub(crate) fn begin(order: &mut Order, now: Timestamp) -> Result<(), OrderError> {
    if !order.body.holds.is_empty() {
        return Ok(());
    }
    for f in order.body.fulfilments.iter_mut().filter(|f| f.state == Fulfilment::Open && f.asked_at.micros() == 0) {
        f.state = step(f.state, Action::Request, &[Guard::NotAsked])?;
        f.asked_at = now;
        if f.due_at.micros() == 0 {
            f.due_at = now.plus(30 * MINUTE_US);
        }
    }
    Ok(())
}

/// Goes on where a policy waited for money or for a colleague: asks the places, if nothing stops the order any more.
pub(super) fn go_on(tx: &mut Tx, order: &mut Order) -> Result<(), OrderError> {
    let (_, settings) = super::settings::settings(tx)?;
    let sums = order.sums();
    let covered = crate::owing::is_covered(order);
    if let Some(at) = order.body.holds.iter().position(|hold| hold == PREPAYMENT) {
        let wanted = i128::from(order.body.total_minor) * i128::from(settings.policy.prepay_percent);
        if i128::from(sums.captured.max(sums.authorised) - sums.refunded) * 100 >= wanted {
            order.body.holds.remove(at);
        }
    }
    if settings.policy.begin == Begin::Placed || covered {
        let now = tx.now();
        begin(order, now)?;
    }
    Ok(())
}

pub(super) fn at(order: &Order, no: i64) -> Result<usize, OrderError> {
    let found = order.body.fulfilments.iter().position(|f| f.no == no);
    found.ok_or_else(|| OrderError::Unknown { what: "fulfilment", id: format!("{}/{no}", order.body.number) })
}

/// Parts that a fulfilment serves and that are in a state.
pub(super) fn parts(body: &OrderBody, no: i64, state: impl Fn(LineState) -> bool) -> Vec<usize> {
    let of = |(_, part): &(usize, &Part)| part.fulfilment == Some(no) && state(part.state);
    body.parts.iter().enumerate().filter(of).map(|(at, _)| at).collect()
}

/// Takes so much off a part; gives the position of the new part that has it. The claim is shared until the caller ends its share.
pub(super) fn split(body: &mut OrderBody, at: usize, milli: i64) -> usize {
    if body.parts[at].milli == milli {
        return at;
    }
    body.parts[at].milli -= milli;
    let part = Part { milli, ..body.parts[at].clone() };
    body.parts.push(part);
    body.parts.len() - 1
}

/// A place takes it: its people pick.
pub fn accept(tx: &mut Tx, order_no: i64, no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let index = at(&next, no)?;
    let f = &next.body.fulfilments[index];
    let guards: &[Guard] = if f.asked_at.micros() > 0 { &[Guard::Asked] } else { &[] };
    let state = step(f.state, Action::Accept, guards)?;
    for part in parts(&next.body, no, |state| state == LineState::Allocated) {
        let part = &mut next.body.parts[part];
        part.state = step(part.state, LineAction::Release, &[])?;
    }
    let now = tx.now();
    let f = &mut next.body.fulfilments[index];
    (f.state, f.accepted_at) = (state, now);
    let location_no = f.location_no;
    history(tx, order_no, actor, "accepted", &json!({"fulfilment": no, "location_no": location_no}));
    Ok(put_order(tx, next))
}

/// A place does not take it: another one serves it, or it is parked where a person sees it.
pub fn decline(
    tx: &mut Tx,
    order_no: i64,
    no: i64,
    shop: &Shop,
    (why, actor): (&str, &str),
) -> Result<Arc<Order>, OrderError> {
    let next = (*order_of(tx, order_no)?).clone();
    let f = next.body.fulfilments[at(&next, no)?].clone();
    let guards: &[Guard] = if f.asked_at.micros() > 0 { &[Guard::Asked] } else { &[] };
    step(f.state, Action::Reject, guards)?;
    give_up(tx, next, &f, shop, (why, actor))
}

/// What a place was to serve goes elsewhere, whether it was asked or not.
pub(super) fn give_up(
    tx: &mut Tx,
    mut next: Order,
    f: &Fulfilling,
    shop: &Shop,
    (why, actor): (&str, &str),
) -> Result<Arc<Order>, OrderError> {
    let (order_no, no) = (next.no, f.no);
    let moving = parts(&next.body, no, |state| state == LineState::Allocated);
    if let Some(transfer_no) = f.transfer_no
        && transfers::get(tx, transfer_no)?.state == transfers::TransferState::Requested
    {
        transfers::cancel(tx, transfer_no, Rest::Back, (why, actor))?;
    }
    history(tx, order_no, actor, "declined", &json!({"fulfilment": no, "location_no": f.location_no, "why": why}));
    for part in &moving {
        let part = next.body.parts[*part].clone();
        if let Some((reservation_no, line)) = part.claim {
            stock::commands::release_line(tx, reservation_no, line, part.quantity(), EndedWhy::Replaced)?;
        }
    }
    elsewhere(tx, &mut next, &moving, shop, actor)?;
    let now = tx.now();
    settle(&mut next.body, now)?;
    go_on(tx, &mut next)?;
    Ok(put_order(tx, next))
}

/// A place misses pieces of a line: the claim on them is over, a person should count, and the pieces come from elsewhere if they
/// can. What it did find stays with it.
pub fn report_short(
    tx: &mut Tx,
    order_no: i64,
    no: i64,
    (line, missing): (usize, Quantity),
    shop: &Shop,
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let index = at(&next, no)?;
    step(next.body.fulfilments[index].state, Action::ReportShort, &[])?;
    let found = parts(&next.body, no, |state| state == LineState::Released);
    let found = found.into_iter().find(|at| next.body.parts[*at].line == line);
    let found = found.ok_or_else(|| OrderError::field("/line", "the place does not pick that line"))?;
    if !missing.is_positive() || missing > next.body.parts[found].quantity() {
        let detail = format!("from more than nothing up to {} can be missing", next.body.parts[found].quantity());
        return Err(OrderError::field("/quantity", detail));
    }
    if let Some((reservation_no, claim)) = next.body.parts[found].claim {
        stock::commands::release_line(tx, reservation_no, claim, missing, EndedWhy::Short)?;
    }
    let lost = split(&mut next.body, found, missing.milli());
    let part = &mut next.body.parts[lost];
    part.state = step(part.state, LineAction::Short, &[])?;
    let location_no = part.location_no;
    let detail = json!({"fulfilment": no, "location_no": location_no, "sku": next.body.lines[line].sku, "quantity": missing.to_string()});
    history(tx, order_no, actor, "short", &detail);
    elsewhere(tx, &mut next, &[lost], shop, actor)?;
    let now = tx.now();
    settle(&mut next.body, now)?;
    go_on(tx, &mut next)?;
    Ok(put_order(tx, next))
}

/// Ends what places serve once nothing of it is left to do.
pub(super) fn settle(body: &mut OrderBody, now: Timestamp) -> Result<(), OrderError> {
    for f in body.fulfilments.iter_mut().filter(|f| !f.state.is_end()) {
        let own = || body.parts.iter().filter(|part| part.fulfilment == Some(f.no));
        if own().any(|p| matches!(p.state, LineState::Ordered | LineState::Allocated | LineState::Released)) {
            continue;
        }
        let gone = own().any(|p| !matches!(p.state, LineState::Cancelled | LineState::Parked));
        f.state = match (f.state, gone) {
            (Fulfilment::InProgress | Fulfilment::Incomplete, true) => step(f.state, Action::Fulfil, &[Guard::All])?,
            (state, _) => step(state, Action::Cancel, &[Guard::Agreed, Guard::NothingGone])?,
        };
        f.done_at = now;
    }
    Ok(())
}

/// Everything is packed and lies ready: the customer is told to come, or the carrier takes it next.
pub fn ready(tx: &mut Tx, order_no: i64, no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let index = at(&next, no)?;
    let (_, settings) = super::settings::settings(tx)?;
    let f = &mut next.body.fulfilments[index];
    f.state = step(f.state, Action::Report, &[])?;
    if f.ready_at.micros() > 0 {
        return order_of(tx, order_no);
    }
    let now = tx.now();
    f.ready_at = now;
    let (kind, location_no) = (f.kind, f.location_no);
    if kind == Serving::PickUp {
        let hours = if next.body.try_on { settings.policy.try_on_hours } else { settings.policy.keep_hours };
        f.keep_until = now.plus(i64::from(hours) * HOUR_US);
    }
    let keep_until = f.keep_until;
    history(tx, order_no, actor, "ready", &json!({"fulfilment": no, "location_no": location_no}));
    let order = put_order(tx, next);
    if kind == Serving::PickUp {
        let store = place_id(tx, location_no)?;
        let waits = order.body.fulfilments.iter().any(|f| f.kind == Serving::Supply && !f.state.is_end())
            || order.body.parts.iter().any(|p| p.incoming.is_some());
        let more = json!({"store_id": store, "keep_until": keep_until, "complete": !waits, "code": pick_up_code(tx.hash_key(), order_no)});
        tell(tx, telling::step(&order, "Pickup Ready", more))?;
    }
    Ok(order)
}

/// The code that a customer shows at the counter: six digits that only this store's secret makes of the order.
pub fn pick_up_code(key: (u64, u64), order_no: i64) -> String {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(b"pick_up_code");
    hasher.write_i64(order_no);
    format!("{:06}", hasher.finish128().h1 % 1_000_000)
}

pub(super) fn place_id(tx: &mut Tx, no: i64) -> Result<String, OrderError> {
    Ok(stock::commands::places(tx)?.get(no).map_or_else(|| no.to_string(), |location| location.id.to_string()))
}
