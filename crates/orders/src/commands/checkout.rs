//! From a cart to an order: priced, its goods kept, in one transaction.
use super::{cart_of, change_cart, history, open_cart, order_of, price_cart, put_order};
use crate::commands::Shop;
use crate::error::OrderError;
use crate::model::{Cart, Delivery, Order, OrderBody, OrderLine, Part, Taken};
use crate::states::line::Line as LineState;
use crate::states::order::{Action, Guard, Stage};
use crate::states::step;
use catalog::variants;
use db::Tx;
use serde_json::json;
use std::sync::Arc;
use stock::choice::Wanted;
use stock::commands::{Request, confirm, reserve};
use stock::model::ReservationKind;

/// Orders a cart. A cart that was ordered before gives the order that it became: a repeat after a lost answer orders nothing twice.
///
/// Refused with all that is short, and then nothing is kept. Goods whose pieces are not counted are kept nowhere.
pub fn checkout(tx: &mut Tx, cart_no: i64, shop: &Shop, actor: &str) -> Result<Arc<Order>, OrderError> {
    if let Some(order_no) = cart_of(tx, cart_no)?.order_no {
        return order_of(tx, order_no);
    }
    let cart = open_cart(tx, cart_no)?;
    step(Stage::Cart, Action::Place, &guards(&cart))?;
    let Some(delivery) = cart.body.delivery.clone() else {
        return Err(OrderError::field("/delivery", "choose how the goods get to the customer"));
    };
    let (priced, quotes) = price_cart(tx, &cart, shop)?;
    let location_no = match &delivery {
        Delivery::PickUp { location_no } => Some(*location_no),
        Delivery::Ship { .. } => None,
    };
    let mut wanted = Vec::new();
    // The lines of the cart that the reservation's lines stand for: goods that are not counted have none.
    let mut counted = Vec::new();
    let mut skus = Vec::new();
    for (at, line) in cart.body.lines.iter().enumerate() {
        let variant = variants::get(tx, line.variant_no)?;
        let variant = variant.ok_or_else(|| OrderError::field(format!("/lines/{at}"), "it is not sold any more"))?;
        if variant.tracked {
            counted.push(at);
            wanted.push(Wanted { variant_no: line.variant_no, quantity: line.quantity(), location_no });
        }
        skus.push(variant.sku.to_string());
    }
    let reserved = if wanted.is_empty() {
        None
    } else {
        let owner = format!("cart:{cart_no}").into();
        let (channel, kind) = (cart.body.channel.as_str().into(), ReservationKind::Order);
        Some(reserve(tx, &Request { channel, kind, owner, lines: wanted, seconds: None, partial: false })?)
    };
    // The order's number is given once nothing can be refused any more.
    let no = tx.next_id();
    if let Some(reserved) = &reserved {
        confirm(tx, reserved.no, ReservationKind::Order, &format!("order:{no}"))?;
    }
    let mut parts: Vec<Part> = Vec::new();
    let kept = reserved.iter().flat_map(|r| r.lines.iter().enumerate().map(|(at, chosen)| ((r.no, at), chosen)));
    for (claim, chosen) in kept {
        let (line, milli) = (counted[chosen.line], chosen.quantity.milli());
        parts.push(Part {
            line,
            milli,
            state: LineState::Allocated,
            location_no: chosen.location_no,
            claim: Some(claim),
        });
    }
    for (at, line) in cart.body.lines.iter().enumerate().filter(|(at, _)| !counted.contains(at)) {
        let location_no = location_no.unwrap_or(0);
        parts.push(Part { line: at, milli: line.milli, state: LineState::Allocated, location_no, claim: None });
    }
    let now = tx.now();
    let lines = cart.body.lines.iter().zip(&priced.lines).zip(&quotes).zip(skus);
    let lines: Vec<OrderLine> = lines
        .map(|(((wanted, line), quote), sku)| OrderLine {
            variant_no: wanted.variant_no,
            sku,
            milli: wanted.milli,
            unit_minor: quote.minor,
            why: quote.reason.clone(),
            list_minor: line.list_minor,
            discounts: line
                .discounts
                .iter()
                .map(|d| Taken { promotion: d.promotion.clone(), minor: d.minor, why: d.why.clone() })
                .collect(),
            net_minor: line.taxed.net,
            tax_minor: line.taxed.tax(),
            total_minor: line.taxed.total,
        })
        .collect();
    let shipping = priced.shipping.as_ref().map_or((0, 0), |s| (s.taxed.total, s.taxed.tax()));
    let body = OrderBody {
        number: number(no),
        cart_no,
        channel: cart.body.channel.clone(),
        currency: cart.body.currency.clone(),
        delivery,
        lines,
        shipping_minor: shipping.0,
        shipping_tax_minor: shipping.1,
        discount_minor: priced.totals.discount_minor,
        tax_minor: priced.totals.tax_minor,
        total_minor: priced.totals.total_minor,
        stage: Stage::Placed,
        holds: vec![],
        parts,
        payments: vec![],
    };
    let used: Vec<String> = priced.applied.iter().map(|(promotion, _)| promotion.clone()).collect();
    loyalty::rules::uses::note(tx, &format!("order:{no}"), 0, &used)?;
    let contact = cart.contact.clone();
    let order = put_order(tx, Order { no, contact, placed_at: now, updated_at: now, version: 0, body });
    change_cart(tx, cart_no, |cart| cart.order_no = Some(no))?;
    let detail =
        json!({"channel": order.body.channel, "total_minor": order.body.total_minor, "lines": order.body.lines.len()});
    history(tx, no, actor, "placed", &detail);
    Ok(order)
}

/// What holds of a cart. Stock is kept a moment later, in the same transaction or not at all; money is covered when it comes: an
/// order that is not paid yet waits, and says so.
fn guards(cart: &Cart) -> Vec<Guard> {
    let mut out = vec![Guard::Stock, Guard::Covered];
    if !cart.body.lines.is_empty() {
        out.push(Guard::Lines);
    }
    if cart.contact.is_reachable() {
        out.push(Guard::Customer);
    }
    if cart.body.delivery.is_some() {
        out.push(Guard::Delivery);
    }
    out
}

/// What the customer sees: short, without a hint at how many orders there are, and with a check digit against slips of the
/// tongue. Seven digits of a permutation of the order's number (a multiplication that is prime to 10⁷) and the digit of GS1.
fn number(no: i64) -> String {
    const MODULUS: i64 = 10_000_000;
    let mixed = (no.rem_euclid(MODULUS) * 7_368_787 + 1_299_709).rem_euclid(MODULUS);
    let rounds = no / MODULUS;
    let digits = if rounds == 0 { format!("{mixed:07}") } else { format!("{rounds}{mixed:07}") };
    let sum: u32 =
        digits.bytes().rev().enumerate().map(|(at, b)| u32::from(b - b'0') * if at % 2 == 0 { 3 } else { 1 }).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_unique_and_checked() {
        let all: std::collections::HashSet<String> = (1..200_000).map(super::number).collect();
        assert_eq!(all.len(), 199_999);
        assert!(all.iter().all(|n| n.len() == 8));
        assert_eq!(super::number(10_000_001).len(), 9);
    }
}
