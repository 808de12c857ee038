//! Money of an order: what came in and went back, and, once all is settled, that what was kept is the price of what the customer has.
use super::goods::Sold;
use super::{Disagreement, Log, OrderRow, When, orders};
use std::collections::BTreeMap;

pub(super) fn check(
    log: &Log,
    order: &OrderRow,
    sold: &BTreeMap<(i64, i64), Sold>,
    when: When,
    found: &mut Vec<Disagreement>,
) {
    let mut say = |detail: String| {
        found.push(Disagreement { what: "money", detail: format!("order {}: {detail}", order.number) });
    };
    let told = |refund: bool| -> i64 {
        log.paid.iter().filter(|p| p.order == order.no && p.refund == refund).map(|p| p.minor).sum()
    };
    let (captured, refunded) = (told(false), told(true));
    if (captured, refunded) != (order.captured_minor, order.refunded_minor) {
        say(format!(
            "{captured} came and {refunded} went back; its row has {} and {}",
            order.captured_minor, order.refunded_minor
        ));
    }
    if refunded > captured {
        say(format!("{refunded} went back of {captured}"));
    }
    if order.known {
        let of = log.events.iter().filter(|e| e.order == order.number && e.name == "Order Refunded");
        let events: i64 = of.map(|e| e.total_minor).sum();
        if events != refunded {
            say(format!("{refunded} went back, its customer was told of {events}"));
        }
    }
    if when != When::AtTheEnd {
        return;
    }
    let given = |credit: bool| -> i64 {
        let of = log.given.iter().filter(|g| g.order == order.no);
        of.filter(|g| if credit { g.credit } else { g.claim }).map(|g| g.minor).sum()
    };
    let moved: i64 = log.moved.iter().filter(|m| m.from == order.no).map(|m| m.minor).sum();
    let kept = captured - refunded - given(true) - moved;
    let (mut goods, mut left, mut has) = (0, 0, 0);
    for product in orders::bought(log, order) {
        let of = sold.get(&(order.no, product.variant)).copied().unwrap_or_default();
        left += of.left;
        has += of.left - of.back;
        goods += i128::from(product.unit_minor) * i128::from(of.left - of.back) / 1000;
    }
    let goods = goods as i64;
    let shipping = orders::shipping(log, order);
    // What was given for complaints stays given while the goods stay; who brings them back later gets the rest.
    let least = (goods - given(false)).max(0);
    let price_of = |kept: i64| (least..=goods).contains(&kept);
    // Who sent everything back may have paid for the delivery or not, as the shop promises; who has something paid for it.
    let right = match (left, has) {
        (0, _) => kept == 0,
        (_, 0) => price_of(kept) || price_of(kept - shipping),
        _ => price_of(kept - shipping),
    };
    if !right {
        say(format!("{kept} were kept for goods of {goods} and a delivery of {shipping} ({has} of {left} stayed)"));
    }
}
