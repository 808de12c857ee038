//! What stops an order and lets it go on: confirmation, holds, notes, and customers who did not come.
use super::burning::POINTS;
use super::handing::cancel_stage;
use super::pauses::{holding, pauses_of, unheard};
use super::work::{at, go_on, parts, settle};
use super::{history, order_of, put_order, telling};
use crate::confirmation::{NOT_COLLECTED, UNCONFIRMED};
use crate::error::OrderError;
use crate::model::{Fulfilling, Order};
use crate::states::fulfilment::{Action, Fulfilment, Guard};
use crate::states::line::{Action as LineAction, Guard as LineGuard, Line as LineState};
use crate::states::{Machine as _, step};
use crate::told::tell;
use base::Timestamp;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::model::EndedWhy;

/// A colleague, or the customer by a button, confirms: nothing holds the order for that any more.
pub fn confirm_order(tx: &mut Tx, order_no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    release_hold(tx, order_no, UNCONFIRMED, actor)
}

/// Stops an order until somebody lets it go on. What a place already works on is not stopped.
pub fn hold(tx: &mut Tx, order_no: i64, why: &str, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let why = why.trim();
    if why.is_empty() || why.len() > 200 {
        return Err(OrderError::field("/why", "say why, in at most 200 bytes"));
    }
    if next.body.stage.is_end() {
        return Err(OrderError::field("/order", format!("it is {}: there is nothing to stop", next.body.stage)));
    }
    if !next.body.holds.iter().any(|hold| hold == why) {
        next.body.holds.push(why.into());
    }
    for f in next.body.fulfilments.iter_mut().filter(|f| f.state == Fulfilment::Open) {
        f.state = step(f.state, Action::Hold, &[])?;
        f.asked_at = Timestamp::default();
    }
    history(tx, order_no, actor, "held", &json!({"hold": why}));
    Ok(put_order(tx, next))
}

/// Lets an order go on.
pub fn release_hold(tx: &mut Tx, order_no: i64, hold: &str, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let Some(at) = next.body.holds.iter().position(|h| h == hold) else {
        return Err(OrderError::field("/hold", format!("it is not held for {hold:.60?}")));
    };
    next.body.holds.remove(at);
    if next.body.holds.is_empty() {
        for f in next.body.fulfilments.iter_mut().filter(|f| f.state == Fulfilment::OnHold) {
            f.state = step(f.state, Action::Release, &[Guard::LastHold])?;
        }
    }
    history(tx, order_no, actor, "released from hold", &json!({"hold": hold}));
    go_on(tx, &mut next)?;
    Ok(put_order(tx, next))
}

/// Writes a note: it stands in the order's history.
pub fn note(tx: &mut Tx, order_no: i64, text: &str, actor: &str) -> Result<Arc<Order>, OrderError> {
    let next = (*order_of(tx, order_no)?).clone();
    let text = text.trim();
    if text.is_empty() || text.len() > 2_000 {
        return Err(OrderError::field("/text", "a note has 1 to 2,000 bytes"));
    }
    history(tx, order_no, actor, "noted", &json!({"text": text}));
    Ok(put_order(tx, next))
}

const OVER: &str = "SELECT order_no, no FROM fulfilments WHERE state = 'in_progress' AND keep_until > 0 AND keep_until <= $1 \
                    ORDER BY keep_until, order_no LIMIT $2";

/// Ends the waiting for customers who did not come: unpaid goods go back on sale, a paid order is stopped for a person to refund
/// or move, never released silently. Gives how many were looked at.
pub fn no_shows(tx: &mut Tx, limit: i64) -> Result<usize, OrderError> {
    let now = tx.now();
    let rows = tx.rows(OVER, &[now.micros().into(), limit.into()])?;
    for row in &rows {
        let (order_no, no) = (row.int(0)?, row.int(1)?);
        let before = order_of(tx, order_no)?;
        let mut next = (*before).clone();
        let index = at(&next, no)?;
        // While the shop stands still nobody can come.
        let location_no = next.body.fulfilments[index].location_no;
        if holding(&pauses_of(tx, location_no)?, now).is_some() || unheard(tx, location_no)? {
            continue;
        }
        let f: &mut Fulfilling = &mut next.body.fulfilments[index];
        if f.keep_until.micros() == 0 || f.keep_until > now || f.state != Fulfilment::InProgress {
            continue;
        }
        f.keep_until = Timestamp::default();
        let paid = next.body.payments.iter().filter(|p| p.provider != POINTS);
        if paid.map(|p| p.captured_minor - p.refunded_minor).sum::<i64>() > 0 {
            next.body.holds.push(NOT_COLLECTED.into());
            history(tx, order_no, "braid", "not collected", &json!({"fulfilment": no, "paid": true}));
            let order = put_order(tx, next);
            tell(tx, telling::step(&order, "Pickup Expired", json!({"paid": true})))?;
            continue;
        }
        for at in parts(&next.body, no, |state| state == LineState::Released) {
            let part = &mut next.body.parts[at];
            part.state = step(part.state, LineAction::Cancel, &[LineGuard::Agreed])?;
            let (claim, quantity) = (part.claim, part.quantity());
            if let Some((reservation_no, line)) = claim {
                stock::commands::release_line(tx, reservation_no, line, quantity, EndedWhy::Released)?;
            }
        }
        settle(&mut next.body, now)?;
        cancel_stage(&mut next)?;
        next.body.unclaimed = true;
        if next.body.stage.is_cancelled() {
            loyalty::rules::uses::release(tx, &format!("order:{order_no}"))?;
        }
        history(tx, order_no, "braid", "not collected", &json!({"fulfilment": no, "paid": false}));
        let next = put_order(tx, next);
        let (order, _) = super::called_off(tx, &before, next, "braid")?;
        tell(tx, telling::step(&order, "Pickup Expired", json!({"paid": false})))?;
    }
    Ok(rows.len())
}
