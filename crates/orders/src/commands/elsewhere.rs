//! Pieces that another place has to serve: declined, missing, gone; and a place that goes down.
use super::arrived::ask_for;
use super::checkout::fulfilling;
use super::pauses::{minutes, pauses_of};
use super::source::{Route, Sourced, Wants, source};
use super::work::{decline, go_on};
use super::{Shop, history, order_of, put_order};
use crate::error::OrderError;
use crate::model::{Delivery, Order, Part, Serving};
use crate::states::fulfilment::Fulfilment;
use crate::states::line::{Action as LineAction, Guard as LineGuard, Line as LineState};
use crate::states::step;
use base::MINUTE_US;
use catalog::variants;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::choice::Wanted;
use stock::commands::Request;
use stock::model::ReservationKind;

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
        let known = variants::get(tx, line.variant_no)?.map(|variant| (variant.weight_g, variant.product_no));
        let (weight_g, product_no) = known.unwrap_or_default();
        wants.push(Wants {
            variant_no: line.variant_no,
            sku: line.sku.clone(),
            quantity: part.quantity(),
            weight_g,
            price_minor: line.unit_minor,
            categories: super::goods::categories(tx, &settings.sourcing, product_no)?,
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
            let of = fresh.iter().filter(|(_, _, from)| *from == from_no);
            let pieces = of.map(|(want, part, _)| (wants[*want].variant_no, part.quantity()));
            let transfer_no = ask_for(tx, (order.no, from_no, location_no), pieces, None, actor)?;
            let no = fulfilling(&mut order.body, (from_no, Serving::Supply, Some(transfer_no)), &why);
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

const SILENT: &str = "SELECT order_no, no, location_no, asked_at FROM fulfilments WHERE state = 'open' AND asked_at <= $1 \
                      AND (asked_at > $2 OR (asked_at = $2 AND order_no > $3)) ORDER BY asked_at, order_no LIMIT $4";
/// Pages of waiting orders that are looked at, at most: those whose place stands still are passed over.
const PAGES: usize = 20;

/// Gives what places were asked for and did not answer in time to others, if the policy names a time; minutes in which a place
/// stood still do not count. Gives how many moved.
pub fn unanswered(tx: &mut Tx, shop: &Shop, limit: i64) -> Result<usize, OrderError> {
    let most = i64::from(super::settings::settings(tx)?.1.policy.answer_minutes);
    if most == 0 {
        return Ok(0);
    }
    let now = tx.now();
    let since = now.plus(-most * MINUTE_US);
    let mut moved = 0;
    let mut after = (0, i64::MAX);
    for _ in 0..PAGES {
        let rows = tx.rows(SILENT, &[since.micros().into(), after.0.into(), after.1.into(), limit.into()])?;
        for row in &rows {
            let (order_no, no, location_no) = (row.int(0)?, row.int(1)?, row.int(2)?);
            after = (row.int(3)?, order_no);
            let pauses = pauses_of(tx, location_no)?;
            let order = order_of(tx, order_no)?;
            let waits = |f: &&crate::model::Fulfilling| {
                f.no == no
                    && f.state == Fulfilment::Open
                    && f.asked_at.micros() > 0
                    && minutes(&pauses, f.asked_at, now) >= most
            };
            if order.body.fulfilments.iter().any(|f| waits(&f)) {
                decline(tx, order_no, no, shop, ("it did not answer in time", "braid"))?;
                moved += 1;
            }
        }
        if moved >= limit as usize || (rows.len() as i64) < limit {
            break;
        }
    }
    Ok(moved)
}
