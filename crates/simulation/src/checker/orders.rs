//! Orders: what was ordered by the customer's events, what of it left and came back, and what it should therefore be called.
use super::goods::Sold;
use super::{Disagreement, Event, Line, Log, OrderRow, Tables, When};
use std::collections::BTreeMap;

/// The last event that says what the order is.
fn last<'a>(log: &'a Log, order: &OrderRow) -> Option<&'a Event> {
    let says = |e: &&Event| e.order == order.number && matches!(e.name.as_str(), "Order Completed" | "Order Updated");
    log.events.iter().rfind(says)
}

/// What was ordered, at which price: by the customer's events, or, for what was given instead, by the order.
pub(super) fn bought(log: &Log, order: &OrderRow) -> Vec<Line> {
    let Some(event) = last(log, order) else { return order.lines.clone() };
    let variant = |sku: &str| order.lines.iter().find(|line| line.sku == sku).map_or(0, |line| line.variant);
    let line = |p: &super::Product| Line {
        sku: p.sku.clone(),
        variant: variant(&p.sku),
        milli: p.milli,
        unit_minor: p.unit_minor,
    };
    event.products.iter().map(line).collect()
}

pub(super) fn shipping(log: &Log, order: &OrderRow) -> i64 {
    last(log, order).map_or(order.shipping_minor, |event| event.shipping_minor)
}

/// Statuses of orders of which nothing left.
const INSIDE: [&str; 6] = ["awaiting_payment", "on_hold", "parked", "confirmed", "in_progress", "cancelled"];
/// Statuses of orders of which something left.
const OUTSIDE: [&str; 8] = [
    "partly_sent",
    "sent",
    "partly_delivered",
    "delivered",
    "partly_returned",
    "returned",
    "lost",
    // Something stopped what is left of it.
    "on_hold",
];

/// What an order may be called when so much left and came back.
pub(super) fn statuses(left: i64, back: i64, when: When) -> &'static [&'static str] {
    match (when, left, back) {
        (When::AtTheEnd, 0, _) => &["cancelled"],
        (When::AtTheEnd, _, 0) => &["delivered"],
        (When::AtTheEnd, left, back) if left == back => &["returned"],
        (When::AtTheEnd, ..) => &["partly_returned"],
        (_, 0, _) => &INSIDE,
        _ => &OUTSIDE,
    }
}

pub(super) fn check(
    log: &Log,
    order: &OrderRow,
    sold: &BTreeMap<(i64, i64), Sold>,
    when: When,
    found: &mut Vec<Disagreement>,
) {
    let mut say = |what: &'static str, detail: String| {
        found.push(Disagreement { what, detail: format!("order {}: {detail}", order.number) });
    };
    let (mut left, mut back) = (0, 0);
    for ((no, variant), of) in sold.range((order.no, i64::MIN)..=(order.no, i64::MAX)) {
        let ordered: i64 = bought(log, order).iter().filter(|l| l.variant == *variant).map(|l| l.milli).sum();
        if of.left > ordered || of.back > of.left {
            let detail =
                format!("{} of variant {variant} left and {} came back; {ordered} were ordered", of.left, of.back);
            say("pieces", detail);
        }
        debug_assert_eq!(*no, order.no);
        left += of.left;
        back += of.back;
    }
    let allowed = statuses(left, back, when);
    if !allowed.contains(&order.status.as_str()) {
        say("status", format!("it is {}, and {left} left and {back} came back: {}", order.status, allowed.join(", ")));
    }
    if !order.known {
        return;
    }
    let times = |name: &str| log.events.iter().filter(|e| e.order == order.number && e.name == name).count();
    if times("Order Completed") != usize::from(!order.instead) {
        say("events", format!("it was ordered {} times by its customer's log", times("Order Completed")));
    }
    if let Some(event) = last(log, order) {
        let same = event.products.len() == order.lines.len()
            && event.products.iter().zip(&order.lines).all(|(p, l)| (&p.sku, p.milli) == (&l.sku, l.milli));
        if event.total_minor != order.total_minor || !same {
            say("events", format!("its customer was told of {event:?}"));
        }
    }
    if times("Order Cancelled") > 0 && left > 0 {
        say("events", format!("its customer was told that it is cancelled, and {left} left"));
    }
    let given = times("Order Shipped") + times("Order Delivered") + times("Order Collected");
    if (given > 0) != (left > 0) {
        say("events", format!("{left} left, and its customer was told {given} times"));
    }
    let called_off = times("Order Cancelled") + times("Pickup Expired");
    if order.status == "cancelled" && called_off == 0 {
        say("events", "it was called off, and its customer was not told".into());
    }
}

/// Payments, movements and events of orders that are not there.
pub(super) fn unknown(log: &Log, tables: &Tables, found: &mut Vec<Disagreement>) {
    let numbers: Vec<i64> = tables.orders.iter().map(|o| o.no).collect();
    let names: Vec<&str> = tables.orders.iter().map(|o| o.number.as_str()).collect();
    for paid in log.paid.iter().filter(|p| !numbers.contains(&p.order)) {
        let detail = format!("{} were paid for order {}, which is not there", paid.minor, paid.order);
        found.push(Disagreement { what: "money", detail });
    }
    for event in log.events.iter().filter(|e| !names.contains(&e.order.as_str())) {
        let detail = format!("{} is about order {}, which is not there", event.name, event.order);
        found.push(Disagreement { what: "events", detail });
    }
}
