//! Pieces of an order that are called off, or whose goods are not there after all.
use super::elsewhere::elsewhere;
use super::handing::cancel_stage;
use super::work::settle;
use super::{Shop, history, order_of, put_order, telling};
use crate::error::OrderError;
use crate::model::{Order, Part};
use crate::states::fulfilment::Fulfilment;
use crate::states::line::{Action, Guard, Line as LineState};
use crate::states::{Machine as _, step};
use crate::told::tell;
use base::Quantity;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::model::{EndedWhy, Move};
use stock::transfers::{self, Rest};

/// Goods that are claimed and yet not there: sold ahead of what comes.
pub(super) fn missing(tx: &mut Tx, moves: &[Move]) -> Result<Vec<stock::Short>, OrderError> {
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
    cancel_stage(&mut next)?;
    let now = tx.now();
    settle(&mut next.body, now)?;
    for at in &chosen {
        let part = &order.body.parts[*at];
        if let Some((reservation_no, claim)) = part.claim {
            stock::commands::release_line(tx, reservation_no, claim, part.quantity(), EndedWhy::Released)?;
        }
    }
    super::incoming::give_back(tx, chosen.iter().map(|at| &order.body.parts[*at]))?;
    for at in &chosen {
        next.body.parts[*at].incoming = None;
    }
    end_transfers(tx, (&order, &next), why, actor)?;
    if next.body.stage.is_cancelled() {
        loyalty::rules::uses::release(tx, &format!("order:{order_no}"))?;
    }
    super::buyers::finished(tx, &next, actor)?;
    history(tx, order_no, actor, "cancelled", &json!({"parts": chosen, "why": why}));
    let next = put_order(tx, next);
    let (order, lost) = super::called_off(tx, &order, next, actor)?;
    let told = match order.body.stage.is_cancelled() {
        true => telling::cancelled(&order, why),
        false => telling::less(&order, &lost),
    };
    tell(tx, told)?;
    Ok(order)
}

/// Transfers that nobody waits for any more do not leave; what is on the way goes on and is on sale where it arrives.
pub(super) fn end_transfers(
    tx: &mut Tx,
    (before, after): (&Order, &Order),
    why: &str,
    actor: &str,
) -> Result<(), OrderError> {
    for f in after.body.fulfilments.iter().filter(|f| f.state == Fulfilment::Cancelled) {
        let alive = before.body.fulfilments.iter().any(|b| b.no == f.no && !b.state.is_end());
        let Some(transfer_no) = f.transfer_no.filter(|_| alive) else { continue };
        if transfers::get(tx, transfer_no)?.state == transfers::TransferState::Requested {
            transfers::cancel(tx, transfer_no, Rest::Back, (why, actor))?;
        }
    }
    Ok(())
}

/// Goods that were kept for an order are not there after all (a till sold them, a count did not find them): another place serves the
/// part if one can, else it is parked, where a person sees it. Gives the order, and whether somebody serves it now; `None` if no
/// part had this claim any more.
pub fn lose_claim(
    tx: &mut Tx,
    order_no: i64,
    claim: (i64, usize),
    shop: &Shop,
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
    let detail =
        json!({"sku": next.body.lines[next.body.parts[at].line].sku, "location_no": next.body.parts[at].location_no});
    history(tx, order_no, actor, "goods gone", &detail);
    let served = elsewhere(tx, &mut next, &[at], shop, actor)?;
    let now = tx.now();
    settle(&mut next.body, now)?;
    super::work::go_on(tx, &mut next)?;
    Ok(Some((put_order(tx, next), served)))
}

/// Claims that cannot be served any more, whoever's they are: orders get their goods elsewhere, or a person sees them.
pub fn claims_lost(
    tx: &mut Tx,
    broken: &[stock::commands::Broken],
    shop: &Shop,
    actor: &str,
) -> Result<(), OrderError> {
    for lost in broken {
        let no = |prefix: &str| lost.owner.strip_prefix(prefix).and_then(|no| no.parse::<i64>().ok());
        if let Some(order_no) = no("order:") {
            lose_claim(tx, order_no, (lost.reservation_no, lost.line), shop, actor)?;
        } else if let Some(transfer_no) = no("transfer:") {
            lose_transfer(tx, transfer_no, (lost.variant_no, lost.quantity), shop, actor)?;
        }
    }
    Ok(())
}

/// A transfer that brings goods for an order has lost some of them before it left: they come from elsewhere. `None` if no order waits
/// for them.
pub fn lose_transfer(
    tx: &mut Tx,
    transfer_no: i64,
    (variant_no, quantity): (i64, Quantity),
    shop: &Shop,
    actor: &str,
) -> Result<Option<Arc<Order>>, OrderError> {
    let transfer = transfers::get(tx, transfer_no)?;
    let order_no = transfer.reference.strip_prefix("order:").and_then(|no| no.parse::<i64>().ok());
    let Some(order_no) = order_no else { return Ok(None) };
    let order = order_of(tx, order_no)?;
    let f = order.body.fulfilments.iter().find(|f| f.transfer_no == Some(transfer_no) && !f.state.is_end());
    let Some(f) = f else { return Ok(None) };
    if f.state != Fulfilment::InProgress {
        let (next, f) = ((*order).clone(), f.clone());
        return super::work::give_up(tx, next, &f, shop, ("its goods were sold meanwhile", actor)).map(Some);
    }
    let of = |p: &&Part| {
        p.fulfilment == Some(f.no)
            && p.state == LineState::Released
            && order.body.lines[p.line].variant_no == variant_no
    };
    let Some(part) = order.body.parts.iter().find(of) else { return Ok(None) };
    let missing = quantity.min(part.quantity());
    super::work::report_short(tx, order_no, f.no, (part.line, missing), shop, actor).map(Some)
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
