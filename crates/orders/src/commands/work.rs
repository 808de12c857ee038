//! What places do for orders: asked, taken or declined, missing something, ready, handed over, sent, brought back.
use super::checkout::fulfilling;
use super::source::{Route, Sourced, Wants, source};
use super::{Shop, history, order_of, put_order, telling};
use crate::confirmation::{NOT_COLLECTED, PREPAYMENT, UNCONFIRMED};
use crate::error::OrderError;
use crate::model::{Delivery, Fulfilling, Order, OrderBody, Part, Serving};
use crate::settings::Begin;
use crate::states::fulfilment::{Action, Fulfilment, Guard};
use crate::states::line::{Action as LineAction, Guard as LineGuard, Line as LineState};
use crate::states::{Machine as _, step};
use crate::told::tell;
use base::{HOUR_US, MINUTE_US, Quantity, Timestamp};
use catalog::variants;
use db::Tx;
use serde_json::json;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use std::sync::Arc;
use stock::choice::Wanted;
use stock::commands::{Request, Shortage, post};
use stock::model::{CUSTOMER, Condition, Document, DocumentKind, EndedWhy, Move, ReservationKind};
use stock::transfers::{self, Rest, TransferInput};

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
    let covered = sums.authorised.max(sums.captured) + sums.on_delivery >= order.owed_minor();
    if let Some(at) = order.body.holds.iter().position(|hold| hold == PREPAYMENT) {
        let wanted = i128::from(order.body.total_minor) * i128::from(settings.policy.prepay_percent);
        if i128::from(sums.captured.max(sums.authorised)) * 100 >= wanted {
            order.body.holds.remove(at);
        }
    }
    if settings.policy.begin == Begin::Placed || covered {
        let now = tx.now();
        begin(order, now)?;
    }
    Ok(())
}

fn at(order: &Order, no: i64) -> Result<usize, OrderError> {
    let found = order.body.fulfilments.iter().position(|f| f.no == no);
    found.ok_or_else(|| OrderError::Unknown { what: "fulfilment", id: format!("{}/{no}", order.body.number) })
}

/// Parts that a fulfilment serves and that are in a state.
fn parts(body: &OrderBody, no: i64, state: impl Fn(LineState) -> bool) -> Vec<usize> {
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

/// Finds other places for parts whose claims have ended: what the customer fetches is brought there, what is sent is sent from
/// elsewhere; what nobody has is parked. Places that served the order before are left out.
pub(super) fn elsewhere(
    tx: &mut Tx,
    order: &mut Order,
    moving: &[usize],
    shop: &Shop,
    actor: &str,
) -> Result<bool, OrderError> {
    if moving.is_empty() {
        return Ok(true);
    }
    let (_, settings) = super::settings::settings(tx)?;
    let places = stock::commands::places(tx)?;
    let mut without: Vec<i64> = moving.iter().map(|at| order.body.parts[*at].location_no).collect();
    let mut wants = Vec::with_capacity(moving.len());
    for at in moving {
        let part = &order.body.parts[*at];
        let line = &order.body.lines[part.line];
        let weight_g = variants::get(tx, line.variant_no)?.map_or(0, |variant| variant.weight_g);
        wants.push(Wants {
            variant_no: line.variant_no,
            sku: line.sku.clone(),
            quantity: part.quantity(),
            weight_g,
            price_minor: line.unit_minor,
        });
    }
    let Some(channel) = places.channel(&order.body.channel).cloned() else { return Ok(false) };
    let number = order.body.number.clone();
    let (method, kinds) = match &order.body.delivery {
        Delivery::PickUp { location_no } => {
            without.push(*location_no);
            (None, settings.transfers.enabled.then_some(settings.transfers.from_kinds.as_slice()))
        }
        Delivery::Ship { option, .. } => {
            let method = settings.method(option);
            (method.and_then(|m| Some((m, settings.rate(m, &order.body.zone)?))), None)
        }
    };
    let fetched = matches!(order.body.delivery, Delivery::PickUp { .. });
    let route = Route { channel: &channel, method, zone: &order.body.zone, order: &number, without: &without, kinds };
    let sourced = match fetched && kinds.is_none() {
        true => Sourced::Silent,
        false => source(tx, (&settings, &places, shop), &wants, &route)?,
    };
    let Sourced::From(given, why) = sourced else {
        for at in moving {
            let part = &mut order.body.parts[*at];
            part.state = step(part.state, LineAction::Park, &[])?;
            (part.claim, part.fulfilment) = (None, None);
        }
        let skus: Vec<&str> = wants.iter().map(|want| want.sku.as_str()).collect();
        history(tx, order.no, actor, "parked", &json!({"skus": skus, "why": "no other place has it"}));
        return Ok(false);
    };
    // Pieces that go on stand in parts of their own, in the order in which they are given.
    let mut fresh: Vec<(usize, Part, i64)> = Vec::new();
    for one in &given {
        let old = order.body.parts[moving[one.line]].clone();
        let state = match old.state {
            LineState::Allocated => step(old.state, LineAction::Resource, &[LineGuard::Stock])?,
            state => step(state, LineAction::Allocate, &[LineGuard::Stock])?,
        };
        let part = Part {
            milli: one.quantity.milli(),
            state,
            location_no: one.location_no,
            claim: None,
            fulfilment: None,
            ..old
        };
        fresh.push((one.line, part, one.location_no));
    }
    if let Delivery::PickUp { location_no } = order.body.delivery {
        let mut givers: Vec<i64> = fresh.iter().map(|(_, _, from)| *from).collect();
        givers.sort_unstable();
        givers.dedup();
        for from_no in givers {
            let mut lines: Vec<(i64, Quantity)> = Vec::new();
            for (want, part, _) in fresh.iter().filter(|(_, _, from)| *from == from_no) {
                let variant_no = wants[*want].variant_no;
                match lines.iter_mut().find(|(no, _)| *no == variant_no) {
                    Some((_, quantity)) => *quantity += part.quantity(),
                    None => lines.push((variant_no, part.quantity())),
                }
            }
            let input = TransferInput {
                from_no,
                to_no: location_no,
                reference: format!("order:{}", order.no),
                note: String::new(),
                expected_at: None,
                lines,
            };
            let transfer = transfers::request(tx, &input, actor)?;
            let no = fulfilling(&mut order.body, (from_no, Serving::Supply, Some(transfer.no)), &why);
            for (_, part, _) in fresh.iter_mut().filter(|(_, _, from)| *from == from_no) {
                part.fulfilment = Some(no);
            }
        }
    } else {
        let lines = fresh.iter().map(|(want, part, from)| Wanted {
            variant_no: wants[*want].variant_no,
            quantity: part.quantity(),
            location_no: Some(*from),
        });
        let request = Request {
            channel: order.body.channel.as_str().into(),
            kind: ReservationKind::Order,
            owner: format!("order:{}", order.no).into(),
            lines: lines.collect(),
            seconds: None,
            partial: false,
        };
        let kept = stock::commands::reserve(tx, &request)?;
        for (claim, chosen) in kept.lines.iter().enumerate() {
            fresh[chosen.line].1.claim = Some((kept.no, claim));
        }
        for (_, part, from) in &mut fresh {
            part.fulfilment = Some(fulfilling(&mut order.body, (*from, Serving::Ship, None), &why));
        }
    }
    let mut gone: Vec<usize> = moving.to_vec();
    gone.sort_unstable_by(|a, b| b.cmp(a));
    for at in gone {
        order.body.parts.remove(at);
    }
    order.body.parts.extend(fresh.into_iter().map(|(_, part, _)| part));
    history(tx, order.no, actor, "sourced", &json!({"why": why}));
    Ok(true)
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
        let waits = order.body.fulfilments.iter().any(|f| f.kind == Serving::Supply && !f.state.is_end());
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

fn place_id(tx: &mut Tx, no: i64) -> Result<String, OrderError> {
    Ok(stock::commands::places(tx)?.get(no).map_or_else(|| no.to_string(), |location| location.id.to_string()))
}

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
    let mut next = (*order_of(tx, order_no)?).clone();
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
    let order = put_order(tx, next);
    let name = if takes.is_empty() { "Order Cancelled" } else { "Order Collected" };
    tell(tx, telling::step(&order, name, json!({"not_kept": not_kept > 0})))?;
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
            moves.push(Move {
                variant_no: order.body.lines[part.line].variant_no,
                from_no: part.location_no,
                from_condition: Condition::Sellable,
                to_no: CUSTOMER,
                to_condition: Condition::Sellable,
                lot: "".into(),
                quantity: part.quantity(),
                reason: "order".into(),
            });
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
        post(tx, &document, Shortage::Claimed)?;
    }
    Ok(())
}

/// Everything of an order that still lies at places goes to the customer at once, without a place being asked: what is exchanged over
/// the counter, or given from hand to hand.
pub fn hand_over_all(tx: &mut Tx, order_no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    leave_all(tx, order_no, (LineAction::HandOver, "handed over"), actor)
}

/// Everything of an order that still lies at places leaves for the customer.
pub fn send_all(tx: &mut Tx, order_no: i64, actor: &str) -> Result<Arc<Order>, OrderError> {
    leave_all(tx, order_no, (LineAction::Send, "sent"), actor)
}

fn leave_all(
    tx: &mut Tx,
    order_no: i64,
    (action, what): (LineAction, &str),
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
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
    give(tx, &mut next, &all, (action, actor))?;
    settle(&mut next.body, now)?;
    if action == LineAction::HandOver && next.body.given_at.micros() == 0 {
        next.body.given_at = now;
    }
    history(tx, order_no, actor, what, &json!({"parts": all}));
    let order = put_order(tx, next);
    let name = if action == LineAction::Send { "Order Shipped" } else { "Order Delivered" };
    tell(tx, telling::step(&order, name, json!({})))?;
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
            moves.push(Move {
                variant_no,
                from_no: CUSTOMER,
                from_condition: Condition::Sellable,
                to_no,
                to_condition: Condition::Sellable,
                lot: "".into(),
                quantity: part.quantity(),
                reason: "unclaimed".into(),
            });
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

/// Looks again for places for what is parked.
pub fn source_again(tx: &mut Tx, order_no: i64, shop: &Shop, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut next = (*order_of(tx, order_no)?).clone();
    let parked = |(_, part): &(usize, &Part)| part.state == LineState::Parked;
    let moving: Vec<usize> = next.body.parts.iter().enumerate().filter(parked).map(|(at, _)| at).collect();
    if moving.is_empty() {
        return Err(OrderError::field("/order", "nothing of it is parked"));
    }
    // Whoever had too few may have got some.
    for at in &moving {
        next.body.parts[*at].location_no = 0;
    }
    let skus: Vec<String> = moving.iter().map(|at| next.body.lines[next.body.parts[*at].line].sku.clone()).collect();
    for at in &moving {
        let part = &mut next.body.parts[*at];
        // Parked pieces are nowhere; those that stay parked are parked again.
        part.state = LineState::Ordered;
    }
    if !elsewhere(tx, &mut next, &moving, shop, actor)? {
        let detail = format!("no place has {}", skus.join(", "));
        return Err(OrderError::field("/order", detail));
    }
    go_on(tx, &mut next)?;
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
        let mut next = (*order_of(tx, order_no)?).clone();
        let index = at(&next, no)?;
        let f: &mut Fulfilling = &mut next.body.fulfilments[index];
        if f.keep_until.micros() == 0 || f.keep_until > now || f.state != Fulfilment::InProgress {
            continue;
        }
        f.keep_until = Timestamp::default();
        let sums = next.sums();
        if sums.captured > sums.refunded {
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
        let order = put_order(tx, next);
        tell(tx, telling::step(&order, "Pickup Expired", json!({"paid": false})))?;
    }
    Ok(rows.len())
}

const ASKED: &str =
    "SELECT order_no, no FROM fulfilments WHERE location_no = $1 AND state = 'open' ORDER BY order_no LIMIT $2";

/// A place went down: what it was asked for and has not taken goes elsewhere. Gives how many orders moved, and whether more wait.
pub fn leave_place(
    tx: &mut Tx,
    location_no: i64,
    shop: &Shop,
    (limit, why, actor): (i64, &str, &str),
) -> Result<(usize, bool), OrderError> {
    tx.flush_table::<crate::OrderTable>()?;
    let rows = tx.rows(ASKED, &[location_no.into(), limit.into()])?;
    let mut moved = 0;
    for row in &rows {
        let (order_no, no) = (row.int(0)?, row.int(1)?);
        let order = order_of(tx, order_no)?;
        let asked = order.body.fulfilments.iter().any(|f| f.no == no && f.asked_at.micros() > 0);
        if asked {
            decline(tx, order_no, no, shop, (why, actor))?;
            moved += 1;
        }
    }
    Ok((moved, rows.len() as i64 == limit))
}
