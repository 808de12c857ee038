//! Goods reach the customer: handed over by code, tried on, sent, delivered; or they come back from the way.
use super::work::{at, parts, pick_up_code, settle, split};
use super::{history, order_of, put_order, telling};
use crate::confirmation::NOT_COLLECTED;
use crate::error::OrderError;
use crate::model::{Delivery, Order, Part, Serving};
use crate::states::fulfilment::{Action, Fulfilment, Guard};
use crate::states::line::{Action as LineAction, Guard as LineGuard, Line as LineState};
use crate::states::step;
use crate::told::tell;
use base::Quantity;
use catalog::variants;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::commands::{Shortage, post};
use stock::entities::SoldLine;
use stock::entities::needed::{Chain, Needed};
use stock::model::{CUSTOMER, Document, DocumentKind, EndedWhy, Move};

/// How a colleague knows that the right person stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The code, said or scanned.
    Code(String),
    /// They were recognised otherwise, as said.
    Seen(String),
}

/// The customer takes what is there, or of goods that were tried on what they keep: the rest is on sale again at once.
///
/// `kept` are pieces by line of the order; without it everything. What is not kept is cancelled, and nothing is owed for it.
pub fn collect(
    tx: &mut Tx,
    order_no: i64,
    no: i64,
    (proof, kept): (&Proof, Option<&[(usize, Quantity)]>),
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
    let before = order_of(tx, order_no)?;
    let mut next = (*before).clone();
    let index = at(&next, no)?;
    if let Proof::Code(code) = proof
        && code.trim() != pick_up_code(tx.hash_key(), order_no)
    {
        return Err(OrderError::field("/code", "it is not the code of this order"));
    }
    let f = &next.body.fulfilments[index];
    if f.kind == Serving::Supply {
        return Err(OrderError::field("/fulfilment", "it brings goods to a shop: receive its transfer there"));
    }
    step(f.state, Action::Fulfil, &[])?;
    let here = parts(&next.body, no, |state| state == LineState::Released);
    if here.is_empty() {
        return Err(OrderError::field("/fulfilment", "nothing of it waits any more"));
    }
    let mut left: Vec<(usize, i64)> = match kept {
        None => Vec::new(),
        Some(kept) => kept.iter().map(|(line, quantity)| (*line, quantity.milli())).collect(),
    };
    let (mut takes, mut leaves) = (Vec::new(), Vec::new());
    for part in here {
        if kept.is_none() {
            takes.push(part);
            continue;
        }
        let line = next.body.parts[part].line;
        let want = left.iter_mut().find(|(l, _)| *l == line).map_or(0, |(_, milli)| {
            let take = (*milli).clamp(0, next.body.parts[part].milli);
            *milli -= take;
            take
        });
        match want {
            0 => leaves.push(part),
            milli if milli == next.body.parts[part].milli => takes.push(part),
            milli => {
                takes.push(split(&mut next.body, part, milli));
                leaves.push(part);
            }
        }
    }
    if let Some((line, milli)) = left.iter().find(|(_, milli)| *milli != 0) {
        let detail = format!("line {line} has {} less there", Quantity::from_milli(*milli));
        return Err(OrderError::field("/kept", detail));
    }
    give(tx, &mut next, &takes, (LineAction::HandOver, actor))?;
    for part in &leaves {
        let part = &mut next.body.parts[*part];
        part.state = step(part.state, LineAction::Cancel, &[LineGuard::Agreed])?;
        if let Some((reservation_no, line)) = part.claim {
            let quantity = part.quantity();
            stock::commands::release_line(tx, reservation_no, line, quantity, EndedWhy::Released)?;
        }
    }
    let now = tx.now();
    settle(&mut next.body, now)?;
    if next.body.given_at.micros() == 0 && !takes.is_empty() {
        next.body.given_at = now;
    }
    next.body.holds.retain(|hold| hold != NOT_COLLECTED);
    let seen = match proof {
        Proof::Code(_) => "code".to_string(),
        Proof::Seen(how) => how.chars().take(200).collect(),
    };
    let not_kept: i64 = leaves.iter().map(|at| next.body.parts[*at].milli).sum();
    let detail = json!({"fulfilment": no, "proof": seen, "not_kept": Quantity::from_milli(not_kept).to_string()});
    history(tx, order_no, actor, "collected", &detail);
    if takes.is_empty() {
        cancel_stage(&mut next)?;
    }
    if next.body.stage.is_cancelled() {
        loyalty::rules::uses::release(tx, &format!("order:{order_no}"))?;
    }
    let next = put_order(tx, next);
    let (order, lost) = super::called_off(tx, &before, next, actor)?;
    super::buyers::finished(tx, &order, actor)?;
    let told = match (takes.is_empty(), order.body.stage.is_cancelled()) {
        (false, _) => {
            let mut more = json!({"not_kept": not_kept > 0});
            if !lost.is_empty() {
                more["lost_discount"] = lost.into();
            }
            telling::step(&order, "Order Collected", more)
        }
        (true, true) => telling::step(&order, "Order Cancelled", json!({"not_kept": true})),
        // Nothing was kept here, and the rest of the order is elsewhere or with the customer.
        (true, false) => telling::less(&order, &lost),
    };
    tell(tx, told)?;
    Ok(order)
}

/// Calls the order off once every piece is.
pub(super) fn cancel_stage(order: &mut Order) -> Result<(), OrderError> {
    use crate::states::order::{Action, Guard};
    if order.body.stage.is_cancelled() || order.body.parts.iter().any(|p| p.state != LineState::Cancelled) {
        return Ok(());
    }
    let holds = [Guard::AllCancelled, Guard::Refunding];
    order.body.stage = step(order.body.stage, Action::Cancel, &holds)?;
    Ok(())
}

/// Pieces leave the place's shelf for the customer: claims are done, the ledger has a paper.
fn give(
    tx: &mut Tx,
    order: &mut Order,
    which: &[usize],
    (action, actor): (LineAction, &str),
) -> Result<(), OrderError> {
    let mut moves: Vec<Move> = Vec::new();
    let mut claims = Vec::new();
    for at in which {
        let part = order.body.parts[*at].clone();
        if let (Some(claim), LineState::Released) = (part.claim, part.state) {
            claims.push((claim, part.quantity()));
            moves.push(Move::sellable(
                order.body.lines[part.line].variant_no,
                (part.location_no, CUSTOMER),
                part.quantity(),
                "order",
            ));
        }
        order.body.parts[*at].state = step(part.state, action, &[])?;
    }
    let short = super::pieces::missing(tx, &moves)?;
    if !short.is_empty() {
        return Err(stock::StockError::NotEnough(short).into());
    }
    for ((reservation_no, line), quantity) in claims {
        stock::commands::fulfil(tx, reservation_no, line, quantity)?;
    }
    if !moves.is_empty() {
        let document = Document {
            kind: DocumentKind::Sale,
            source: "braid".into(),
            external_id: "".into(),
            reference: format!("order:{}", order.no).into(),
            note: "".into(),
            actor: actor.into(),
            at: tx.now(),
            moves,
        };
        let posted = post(tx, &document, Shortage::Claimed)?;
        papers(tx, order, which, (posted.document_no, actor))?;
    }
    Ok(())
}

/// What goods of several legal entities need beside the movement: papers between them are written, and all of them stand in the
/// order's history, for whoever gives receipts.
fn papers(tx: &mut Tx, order: &Order, which: &[usize], (document_no, actor): (i64, &str)) -> Result<(), OrderError> {
    let (_, settings) = super::settings::settings(tx)?;
    let chain = if settings.policy.resale { Chain::Resale } else { Chain::Direct };
    let taker = match &order.body.delivery {
        Delivery::PickUp { location_no } => Some(*location_no),
        Delivery::Ship { .. } => {
            let places = stock::commands::places(tx)?;
            settings.policy.taker.as_deref().and_then(|id| places.find(id)).map(|location| location.no)
        }
    };
    let mut lines = Vec::new();
    for part in which.iter().map(|at| &order.body.parts[*at]).filter(|part| part.claim.is_some()) {
        let line = &order.body.lines[part.line];
        let whole = loyalty::amounts::Quantity(line.milli);
        lines.push(SoldLine {
            line: part.line as i64,
            location_no: part.location_no,
            variant_no: line.variant_no,
            quantity: part.quantity(),
            price_minor: loyalty::share_until(line.total_minor, whole, loyalty::amounts::Quantity(part.milli)),
        });
    }
    let now = tx.now();
    let reference = format!("order:{}", order.no);
    let needed = stock::entities::sold(tx, &lines, (taker, chain), (document_no, &reference), now)?;
    let receipts = needed.iter().filter(|paper| matches!(paper, Needed::Receipt { .. })).count();
    if needed.len() > 1 || receipts > 1 {
        let shown: Vec<serde_json::Value> = needed.iter().map(shown).collect();
        history(tx, order.no, actor, "papers", &json!({"document_no": document_no, "papers": shown}));
    }
    Ok(())
}

fn shown(paper: &Needed) -> serde_json::Value {
    match paper {
        Needed::Receipt { entity_no, lines, price_minor } => {
            json!({"kind": "receipt", "entity_no": entity_no, "lines": lines, "price_minor": price_minor})
        }
        Needed::Between { seller_no, buyer_no, lines, .. } => {
            json!({"kind": "between", "seller_no": seller_no, "buyer_no": buyer_no, "lines": lines})
        }
    }
}

/// Everything of an order that still lies at places goes to the customer at once, without a place being asked: what is exchanged over
/// the counter, or given from hand to hand.
pub fn hand_over_all(tx: &mut Tx, order_no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    if let Some(why) = next.body.holds.first() {
        return Err(OrderError::field("/order", format!("it is on hold: {why}")));
    }
    let here = |(_, part): &(usize, &Part)| matches!(part.state, LineState::Allocated | LineState::Released);
    let all: Vec<usize> = next.body.parts.iter().enumerate().filter(here).map(|(at, _)| at).collect();
    if all.is_empty() {
        return Err(OrderError::field("/order", "nothing of it lies at a place any more"));
    }
    if all.iter().any(|at| {
        next.body.fulfilments.iter().any(|f| Some(f.no) == next.body.parts[*at].fulfilment && f.kind == Serving::Supply)
    }) {
        return Err(OrderError::field("/order", "some of it is brought from elsewhere and is not here yet"));
    }
    let now = tx.now();
    for at in &all {
        let part = &mut next.body.parts[*at];
        if part.state == LineState::Allocated {
            part.state = step(part.state, LineAction::Release, &[])?;
        }
        let no = part.fulfilment;
        for f in next.body.fulfilments.iter_mut().filter(|f| Some(f.no) == no && f.state == Fulfilment::Open) {
            f.state = step(f.state, Action::Accept, &[Guard::Asked])?;
            f.accepted_at = now;
        }
    }
    give(tx, &mut next, &all, (LineAction::HandOver, actor))?;
    settle(&mut next.body, now)?;
    if next.body.given_at.micros() == 0 {
        next.body.given_at = now;
    }
    history(tx, order_no, actor, "handed over", &json!({"parts": all}));
    let order = put_order(tx, next);
    super::buyers::finished(tx, &order, actor)?;
    tell(tx, telling::step(&order, "Order Delivered", json!({})))?;
    Ok(order)
}

/// The carrier takes the parcel.
pub fn dispatch(tx: &mut Tx, order_no: i64, no: i64, tracking: &str, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let index = at(&next, no)?;
    if next.body.fulfilments[index].kind != Serving::Ship {
        return Err(OrderError::field(
            "/fulfilment",
            "it is not sent to the customer: hand it over, or ship its transfer",
        ));
    }
    if tracking.len() > 100 || tracking.chars().any(char::is_control) {
        return Err(OrderError::field("/tracking", "a carrier's number has at most 100 bytes on one line"));
    }
    step(next.body.fulfilments[index].state, Action::Fulfil, &[])?;
    let here = parts(&next.body, no, |state| state == LineState::Released);
    if here.is_empty() {
        return Err(OrderError::field("/fulfilment", "nothing of it waits any more"));
    }
    give(tx, &mut next, &here, (LineAction::Send, actor))?;
    let now = tx.now();
    next.body.fulfilments[index].tracking = tracking.trim().into();
    settle(&mut next.body, now)?;
    history(tx, order_no, actor, "sent", &json!({"fulfilment": no, "tracking": tracking}));
    let order = put_order(tx, next);
    tell(tx, telling::step(&order, "Order Shipped", json!({"tracking": tracking})))?;
    Ok(order)
}

/// The carrier brought the parcel to the customer.
pub fn deliver(tx: &mut Tx, order_no: i64, no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    at(&next, no)?;
    let sent = parts(&next.body, no, |state| state == LineState::Sent);
    if sent.is_empty() {
        return Err(OrderError::field("/fulfilment", "nothing of it is on the way"));
    }
    for part in sent {
        let part = &mut next.body.parts[part];
        part.state = step(part.state, LineAction::HandOver, &[])?;
    }
    let now = tx.now();
    if next.body.given_at.micros() == 0 {
        next.body.given_at = now;
    }
    history(tx, order_no, actor, "delivered", &json!({"fulfilment": no}));
    let order = put_order(tx, next);
    super::buyers::finished(tx, &order, actor)?;
    tell(tx, telling::step(&order, "Order Delivered", json!({})))?;
    Ok(order)
}

/// A parcel that nobody took came back, to this place: its goods are on the shelf again.
pub fn bring_back(
    tx: &mut Tx,
    order_no: i64,
    no: i64,
    location_no: Option<i64>,
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let index = at(&next, no)?;
    let sent = parts(&next.body, no, |state| state == LineState::Sent);
    if sent.is_empty() {
        return Err(OrderError::field("/fulfilment", "nothing of it is on the way"));
    }
    let to_no = location_no.unwrap_or(next.body.fulfilments[index].location_no);
    let mut moves = Vec::new();
    for at in sent {
        let part = &mut next.body.parts[at];
        part.state = step(part.state, LineAction::BringBack, &[LineGuard::Received])?;
        let variant_no = next.body.lines[part.line].variant_no;
        if variants::get(tx, variant_no)?.is_some_and(|variant| variant.tracked) {
            moves.push(Move::sellable(variant_no, (CUSTOMER, to_no), part.quantity(), "unclaimed"));
        }
    }
    if !moves.is_empty() {
        let document = Document {
            kind: DocumentKind::Return,
            source: "braid".into(),
            external_id: "".into(),
            reference: format!("order:{order_no}").into(),
            note: "".into(),
            actor: actor.into(),
            at: tx.now(),
            moves,
        };
        post(tx, &document, Shortage::Refuse)?;
    }
    next.body.unclaimed = true;
    history(tx, order_no, actor, "brought back", &json!({"fulfilment": no, "location_no": to_no}));
    let order = put_order(tx, next);
    tell(tx, telling::step(&order, "Order Returned Unclaimed", json!({})))?;
    Ok(order)
}
