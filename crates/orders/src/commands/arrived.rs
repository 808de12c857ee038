//! Goods of a transfer that were brought for an order.
use super::checkout::fulfilling;
use super::work::{at, go_on, parts, place_id, settle, split};
use super::{history, order_of, put_order};
use crate::error::OrderError;
use crate::model::{Order, Serving};
use crate::states::fulfilment::{Action, Fulfilment, Guard};
use crate::states::line::{Action as LineAction, Guard as LineGuard, Line as LineState};
use crate::states::{Machine as _, step};
use base::{Quantity, Timestamp};
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::choice::Wanted;
use stock::commands::Request;
use stock::model::ReservationKind;
use stock::transfers::{self, TransferInput};

/// Asks a place to give pieces (variant, quantity) to the shop where an order is fetched: one transfer, each variant once.
pub(super) fn ask_for(
    tx: &mut Tx,
    (order_no, from_no, to_no): (i64, i64, i64),
    pieces: impl Iterator<Item = (i64, Quantity)>,
    expected_at: Option<Timestamp>,
    actor: &str,
) -> Result<i64, OrderError> {
    let mut lines: Vec<(i64, Quantity)> = Vec::new();
    for (variant_no, quantity) in pieces {
        match lines.iter_mut().find(|(no, _)| *no == variant_no) {
            Some((_, sum)) => *sum += quantity,
            None => lines.push((variant_no, quantity)),
        }
    }
    let reference = format!("order:{order_no}");
    let input = TransferInput { from_no, to_no, reference, note: String::new(), expected_at, lines };
    Ok(transfers::request(tx, &input, actor)?.no)
}

/// Goods of a transfer came to the shop: what was brought for an order is kept for it there, and the shop is asked to lay it out.
pub fn arrived(tx: &mut Tx, transfer_no: i64, actor: &str) -> Result<Option<Arc<Order>>, OrderError> {
    let transfer = transfers::get(tx, transfer_no)?;
    let Some(order_no) = transfer.reference.strip_prefix("order:").and_then(|no| no.parse::<i64>().ok()) else {
        return Ok(None);
    };
    let mut next = (*order_of(tx, order_no)?).clone();
    let Some(f) = next.body.fulfilments.iter().find(|f| f.transfer_no == Some(transfer_no)).cloned() else {
        return Ok(None);
    };
    let waiting = |state| matches!(state, LineState::Allocated | LineState::Released);
    let mut came: Vec<(i64, i64)> = transfer.lines.iter().map(|l| (l.variant_no, l.received.milli())).collect();
    // What was kept here before is no news.
    for part in next.body.parts.iter().filter(|p| p.fulfilment != Some(f.no) && p.claim.is_some()) {
        let variant_no = next.body.lines[part.line].variant_no;
        let of_this =
            next.body.fulfilments.iter().any(|g| Some(g.no) == part.fulfilment && g.transfer_no == Some(transfer_no));
        if of_this && let Some((_, milli)) = came.iter_mut().find(|(no, _)| *no == variant_no) {
            *milli -= part.milli;
        }
    }
    let mut kept = Vec::new();
    for at in parts(&next.body, f.no, waiting) {
        let variant_no = next.body.lines[next.body.parts[at].line].variant_no;
        let Some((_, milli)) = came.iter_mut().find(|(no, milli)| *no == variant_no && *milli > 0) else { continue };
        let take = (*milli).min(next.body.parts[at].milli);
        *milli -= take;
        kept.push(split(&mut next.body, at, take));
    }
    if kept.is_empty() {
        return Ok(None);
    }
    let lines = kept.iter().map(|at| {
        let part = &next.body.parts[*at];
        let variant_no = next.body.lines[part.line].variant_no;
        Wanted { variant_no, quantity: part.quantity(), location_no: Some(transfer.to_no) }
    });
    let request = Request {
        channel: stock::commands::ANY_CHANNEL.into(),
        kind: ReservationKind::Order,
        owner: format!("order:{order_no}").into(),
        lines: lines.collect(),
        seconds: None,
        partial: false,
    };
    let claim = stock::commands::reserve(tx, &request)?;
    let why = format!("brought from {}", place_id(tx, transfer.from_no)?);
    let there = fulfilling(&mut next.body, (transfer.to_no, Serving::PickUp, None), &why);
    for (line, chosen) in claim.lines.iter().enumerate() {
        let part = &mut next.body.parts[kept[chosen.line]];
        if part.state == LineState::Released {
            part.state = step(part.state, LineAction::Short, &[])?;
            part.state = step(part.state, LineAction::Allocate, &[LineGuard::Stock])?;
        } else {
            part.state = step(part.state, LineAction::Resource, &[LineGuard::Stock])?;
        }
        (part.location_no, part.claim, part.fulfilment) = (transfer.to_no, Some((claim.no, line)), Some(there));
    }
    let now = tx.now();
    // Whoever gave them is done, whether it said so or not.
    if parts(&next.body, f.no, waiting).is_empty() {
        let index = at(&next, f.no)?;
        let f = &mut next.body.fulfilments[index];
        if f.state == Fulfilment::OnHold {
            // The order is stopped, and its goods came all the same.
            f.state = step(f.state, Action::Release, &[Guard::LastHold])?;
        }
        if f.state == Fulfilment::Open {
            f.state = step(f.state, Action::Accept, &[Guard::Asked])?;
        }
        if !f.state.is_end() {
            f.state = step(f.state, Action::Fulfil, &[Guard::All])?;
            f.done_at = now;
        }
    }
    settle(&mut next.body, now)?;
    history(tx, order_no, actor, "arrived", &json!({"transfer_no": transfer_no, "location_no": transfer.to_no}));
    go_on(tx, &mut next)?;
    Ok(Some(put_order(tx, next)))
}
