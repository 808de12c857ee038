//! What happens to the pieces of an order: told to be picked, sent, handed over, cancelled.
use super::{history, order_of, put_order};
use crate::error::OrderError;
use crate::model::{Delivery, Order, Part};
use crate::states::line::{Action, Guard, Line as LineState};
use crate::states::order::{Action as OrderAction, Guard as OrderGuard};
use crate::states::step;
use base::Quantity;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::choice::Wanted;
use stock::commands::{Request, Shortage, post};
use stock::model::{CUSTOMER, Condition, Document, DocumentKind, EndedWhy, Move, ReservationKind};

/// Tells places to pick what is kept for the order: all parts, or those named.
pub fn release(tx: &mut Tx, order_no: i64, which: Option<&[usize]>, actor: &str) -> Result<Arc<Order>, OrderError> {
    let order = order_of(tx, order_no)?;
    if let Some(why) = order.body.holds.first() {
        return Err(OrderError::field("/order", format!("it is on hold: {why}")));
    }
    let mut next = (*order).clone();
    let chosen = choose(&next, which, |state| state == LineState::Allocated)?;
    for at in &chosen {
        let part = &mut next.body.parts[*at];
        part.state = step(part.state, Action::Release, &[])?;
    }
    history(tx, order_no, actor, "released", &json!({"parts": chosen}));
    Ok(put_order(tx, next))
}

/// The goods leave for the customer with a carrier.
pub fn send(tx: &mut Tx, order_no: i64, which: Option<&[usize]>, actor: &str) -> Result<Arc<Order>, OrderError> {
    leave(tx, order_no, which, actor, Action::Send)
}

/// The customer gets the goods: in the shop, or from the carrier.
pub fn hand_over(tx: &mut Tx, order_no: i64, which: Option<&[usize]>, actor: &str) -> Result<Arc<Order>, OrderError> {
    leave(tx, order_no, which, actor, Action::HandOver)
}

fn leave(
    tx: &mut Tx,
    order_no: i64,
    which: Option<&[usize]>,
    actor: &str,
    action: Action,
) -> Result<Arc<Order>, OrderError> {
    let order = order_of(tx, order_no)?;
    let mut next = (*order).clone();
    let ready =
        |state: LineState| state == LineState::Released || (action == Action::HandOver && state == LineState::Sent);
    let chosen = choose(&next, which, ready)?;
    let (mut moves, mut claims) = (Vec::new(), Vec::new());
    for at in &chosen {
        let part = next.body.parts[*at].clone();
        let before = part.state;
        next.body.parts[*at].state = step(before, action, &[])?;
        // What was sent before left the place then.
        if let (Some(claim), LineState::Released) = (part.claim, before) {
            claims.push((claim, part.quantity()));
            moves.push(movement(&next, &part));
        }
    }
    let short = missing(tx, &moves)?;
    if !short.is_empty() {
        return Err(stock::StockError::NotEnough(short).into());
    }
    for ((reservation_no, claim), quantity) in claims {
        stock::commands::fulfil(tx, reservation_no, claim, quantity)?;
    }
    if !moves.is_empty() {
        let document = Document {
            kind: DocumentKind::Sale,
            source: "braid".into(),
            external_id: "".into(),
            reference: format!("order:{order_no}").into(),
            note: "".into(),
            actor: actor.into(),
            at: tx.now(),
            moves,
        };
        post(tx, &document, Shortage::Claimed)?;
    }
    let what = if action == Action::Send { "sent" } else { "handed over" };
    history(tx, order_no, actor, what, &json!({"parts": chosen}));
    Ok(put_order(tx, next))
}

fn movement(order: &Order, part: &Part) -> Move {
    Move {
        variant_no: order.body.lines[part.line].variant_no,
        from_no: part.location_no,
        from_condition: Condition::Sellable,
        to_no: CUSTOMER,
        to_condition: Condition::Sellable,
        lot: "".into(),
        quantity: part.quantity(),
        reason: "order".into(),
    }
}

/// Goods that are claimed and yet not there: sold ahead of what comes.
fn missing(tx: &mut Tx, moves: &[Move]) -> Result<Vec<stock::Short>, OrderError> {
    let mut out: Vec<stock::Short> = Vec::new();
    for m in moves {
        let same = |o: &&Move| (o.variant_no, o.from_no) == (m.variant_no, m.from_no);
        let wanted: Quantity = moves.iter().filter(same).map(|o| o.quantity).sum();
        let there = stock::commands::stock(tx, m.variant_no)?;
        let available = there.and_then(|s| s.at(m.from_no).map(|p| p.sellable())).unwrap_or(Quantity::ZERO);
        if available < wanted {
            out.push(stock::Short { variant_no: m.variant_no, location_no: Some(m.from_no), wanted, available });
        }
    }
    Ok(out)
}

/// Calls an order off, or the parts that are named: what is kept for them is given back. Parts that a place works on need its
/// agreement; what left comes back as a return.
pub fn cancel(
    tx: &mut Tx,
    order_no: i64,
    which: Option<&[usize]>,
    (agreed, why, actor): (bool, &str, &str),
) -> Result<Arc<Order>, OrderError> {
    let order = order_of(tx, order_no)?;
    let mut next = (*order).clone();
    let chosen = choose(&next, which, |state| {
        matches!(state, LineState::Ordered | LineState::Parked | LineState::Allocated | LineState::Released)
    })?;
    let guards: &[Guard] = if agreed { &[Guard::Agreed] } else { &[] };
    for at in &chosen {
        let part = &mut next.body.parts[*at];
        part.state = step(part.state, Action::Cancel, guards)?;
    }
    if next.body.parts.iter().all(|p| p.state == LineState::Cancelled) {
        // What was paid is told apart: the order says what is owed, and money goes back as a payment's fact.
        let holds = [OrderGuard::AllCancelled, OrderGuard::Refunding];
        next.body.stage = step(next.body.stage, OrderAction::Cancel, &holds)?;
    }
    for at in &chosen {
        let part = &order.body.parts[*at];
        if let Some((reservation_no, claim)) = part.claim {
            stock::commands::release_line(tx, reservation_no, claim, part.quantity(), EndedWhy::Released)?;
        }
    }
    if next.body.stage.is_cancelled() {
        loyalty::rules::uses::release(tx, &format!("order:{order_no}"))?;
    }
    history(tx, order_no, actor, "cancelled", &json!({"parts": chosen, "why": why}));
    Ok(put_order(tx, next))
}

/// Goods that were kept for an order are not there after all (a till sold them, a count did not find them): another place of the
/// channel serves the part if there is one, else it is parked, where a person sees it. What a customer fetches at a place
/// stays with that place. Gives the order, and whether somebody serves it now; `None` if no part had this claim any more.
pub fn lose_claim(
    tx: &mut Tx,
    order_no: i64,
    claim: (i64, usize),
    actor: &str,
) -> Result<Option<(Arc<Order>, bool)>, OrderError> {
    let order = order_of(tx, order_no)?;
    let waits = |part: &Part| matches!(part.state, LineState::Allocated | LineState::Released);
    let Some(at) = order.body.parts.iter().position(|part| part.claim == Some(claim) && waits(part)) else {
        return Ok(None);
    };
    let mut next = (*order).clone();
    let part = &mut next.body.parts[at];
    if part.state == LineState::Released {
        // The place cannot find them.
        part.state = step(part.state, Action::Short, &[])?;
    }
    part.claim = None;
    let elsewhere = match next.body.delivery {
        Delivery::PickUp { .. } => None,
        Delivery::Ship { .. } => keep_again(tx, &next, at)?,
    };
    let served = elsewhere.is_some();
    let part = next.body.parts.remove(at);
    match elsewhere {
        Some((reservation_no, chosen)) => {
            for (line, (location_no, quantity)) in chosen.into_iter().enumerate() {
                next.body.parts.push(Part {
                    state: LineState::Allocated,
                    milli: quantity.milli(),
                    location_no,
                    claim: Some((reservation_no, line)),
                    ..part.clone()
                });
            }
        }
        None => {
            let state = step(part.state, Action::Park, &[])?;
            next.body.parts.push(Part { state, ..part });
        }
    }
    history(tx, order_no, actor, if served { "sourced again" } else { "parked" }, &json!({"part": at}));
    Ok(Some((put_order(tx, next), served)))
}

type Kept = (i64, Vec<(i64, Quantity)>);

/// Keeps the goods of a part anew, wherever they are.
fn keep_again(tx: &mut Tx, order: &Order, at: usize) -> Result<Option<Kept>, OrderError> {
    let part = &order.body.parts[at];
    let wanted =
        Wanted { variant_no: order.body.lines[part.line].variant_no, quantity: part.quantity(), location_no: None };
    let request = Request {
        channel: order.body.channel.as_str().into(),
        kind: ReservationKind::Order,
        owner: format!("order:{}", order.no).into(),
        lines: vec![wanted],
        seconds: None,
        partial: false,
    };
    match stock::commands::reserve(tx, &request) {
        Ok(made) => {
            let chosen = made.lines.iter().map(|chosen| (chosen.location_no, chosen.quantity));
            Ok(Some((made.no, chosen.collect())))
        }
        Err(stock::StockError::NotEnough(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The parts that are meant: those named, which must exist, or all that are ready.
fn choose(order: &Order, which: Option<&[usize]>, ready: impl Fn(LineState) -> bool) -> Result<Vec<usize>, OrderError> {
    let mut chosen: Vec<usize> = match which {
        Some(named) => named.to_vec(),
        None => (0..order.body.parts.len()).filter(|at| ready(order.body.parts[*at].state)).collect(),
    };
    chosen.sort_unstable();
    chosen.dedup();
    if let Some(at) = chosen.iter().find(|at| **at >= order.body.parts.len()) {
        return Err(OrderError::field("/parts", format!("the order has no part {at}")));
    }
    if chosen.is_empty() {
        let first = order.body.parts.first().map_or("nothing", |part| part.state.as_str());
        return Err(OrderError::field("/parts", format!("no part is ready for it: the first is {first}")));
    }
    Ok(chosen)
}
