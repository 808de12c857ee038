//! At which stage of their life with the shop a customer is (A15).
use super::{Answer, Asked, Derived, Kind, Window, days};
use crate::facts::Rare;
use base::{DAY_US, Decimal, Timestamp};
use db::event::Scalar;

/// Orders from which the customer's own rhythm counts.
const OWN_RHYTHM: i64 = 3;
/// A rhythm is never taken for shorter or longer than this.
const SHORTEST_US: i64 = 7 * DAY_US;
const LONGEST_US: i64 = 365 * DAY_US;

pub(super) const STAGE: Derived = Derived {
    name: "lifecycle_stage",
    kind: Kind::Text,
    unit: "",
    options: &["prospect", "new", "active", "loyal", "at risk", "lapsed", "returned"],
    doc: "prospect: no order yet. new: the first order is recent. loyal: many orders. at risk: 1.5 times the customer's own \
          mean interval between orders has passed. lapsed: 3 times. returned: ordered again after having lapsed. With fewer \
          than 3 orders the shop's days count instead of the customer's own interval.",
    consents: &[],
    traits: &[],
    by_time: true,
    function: stage,
};

pub(super) const PURCHASE_INTERVAL: Derived = Derived {
    name: "purchase_interval_days",
    kind: Kind::Number,
    unit: "days",
    options: &[],
    doc: "The mean number of days between orders, from 2 orders on.",
    consents: &[],
    traits: &[],
    by_time: false,
    function: interval_days,
};

/// The mean interval of `orders` orders between two moments.
pub(super) fn mean_interval(orders: i64, first: Option<Timestamp>, last: Option<Timestamp>) -> Option<i64> {
    let (first, last) = (first?, last?);
    (orders >= 2 && last > first).then(|| last.micros().saturating_sub(first.micros()) / (orders - 1))
}

fn interval_days(asked: &Asked<'_>) -> Answer {
    let totals = &asked.state.totals;
    let Some(mean) = mean_interval(totals.orders, asked.state.facts.rare().first_order, totals.last_order_at) else {
        return Answer::none(Window::Ever).because(asked, || "fewer than two orders at different times".into());
    };
    let tenths = (i128::from(mean) * 10 + i128::from(DAY_US) / 2) / i128::from(DAY_US);
    let value = Scalar::Number(Decimal::from_billionths(tenths * 100_000_000));
    let orders = totals.orders;
    Answer::of(value, Window::Ever, orders as u64)
        .because(asked, || format!("{orders} orders with a mean of {} days between them", days(mean)))
}

/// After how long a customer is at risk and lapsed, and whether that is their own rhythm.
fn limits(asked: &Asked<'_>, orders: i64, first: Option<Timestamp>, last: Option<Timestamp>) -> (i64, i64, bool) {
    let thresholds = &asked.rules.thresholds;
    match mean_interval(orders, first, last).filter(|_| orders >= OWN_RHYTHM) {
        Some(mean) => {
            let mean = mean.clamp(SHORTEST_US, LONGEST_US);
            (mean / 2 * 3, mean * 3, true)
        }
        None => (thresholds.at_risk_days * DAY_US, thresholds.lapsed_days * DAY_US, false),
    }
}

fn has_returned(asked: &Asked<'_>, rare: &Rare, orders: i64) -> bool {
    let [.., before, newest] = rare.orders.as_slice() else { return false };
    // What counted as lapsed is what was known before the last order.
    let (_, lapsed, _) = limits(asked, orders - 1, rare.first_order, Some(before.at));
    newest.at.micros().saturating_sub(before.at.micros()) >= lapsed
}

fn stage(asked: &Asked<'_>) -> Answer {
    let (totals, rare) = (&asked.state.totals, asked.state.facts.rare());
    let orders = totals.orders;
    let Some(last) = totals.last_order_at.filter(|_| orders > 0) else {
        return Answer::text("prospect", Window::Ever, 0).because(asked, || "no order yet".into());
    };
    let (at_risk, lapsed, own) = limits(asked, orders, rare.first_order, totals.last_order_at);
    let since = asked.now.micros().saturating_sub(last.micros());
    let basis = || if own { "of the customer's own rhythm" } else { "of the shop's settings" };
    let answer = |stage: &str, until: Option<Timestamp>| {
        Answer::text(stage, Window::Ever, orders as u64).until(until).because(asked, || {
            let (risk, gone) = (days(at_risk), days(lapsed));
            let passed = days(since);
            format!(
                "{orders} orders, the last {passed} days ago; at risk after {risk}, lapsed after {gone} days {}",
                basis()
            )
        })
    };
    if since >= lapsed {
        return answer("lapsed", None);
    }
    if since >= at_risk {
        return answer("at risk", Some(last.plus(lapsed)));
    }
    let until = Some(last.plus(at_risk));
    if has_returned(asked, rare, orders) {
        return answer("returned", until);
    }
    if orders >= asked.rules.thresholds.loyal_orders {
        return answer("loyal", until);
    }
    let new_until = rare.first_order.unwrap_or(last).plus(asked.rules.thresholds.new_days * DAY_US);
    if asked.now < new_until {
        return answer("new", until.min(Some(new_until)));
    }
    answer("active", until)
}
