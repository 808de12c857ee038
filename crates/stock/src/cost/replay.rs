//! Cost by moving average and by layers, first in first out, from all movements of a variant: pure (DOMAIN 4.7).
//!
//! Movements are replayed in the order in which they happened, so that a receipt that is told late, or whose bill comes late,
//! changes everything after it. Goods that left before they came, by the order of the papers, get the cost of what comes next.
//! Amounts are minor units; nothing is lost by rounding: what came in is what left and what lies there.
use base::{Quantity, Timestamp};
use std::collections::VecDeque;

/// What happened to the stock of a variant as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Came in, at a cost of all of it; `None`: nobody said, as of a return or of what a count found.
    In(Option<i64>),
    Out,
}

/// A movement into the shop or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The movement's number.
    pub no: i64,
    pub at: Timestamp,
    /// More than nothing.
    pub quantity: Quantity,
    pub flow: Flow,
}

/// What a movement cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub no: i64,
    pub quantity: Quantity,
    pub average_minor: i64,
    pub fifo_minor: i64,
    /// Not all of it is known: it left before it came, and is counted as the last that was known.
    pub estimated: bool,
}

/// Goods that came together and lie there still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    pub no: i64,
    pub at: Timestamp,
    pub quantity: Quantity,
    pub value_minor: i64,
}

/// What lies there and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub on_hand: Quantity,
    /// What left and did not come yet.
    pub owed: Quantity,
    /// Of what lies there, by moving average; the layers sum to the same goods, not to the same value.
    pub average_minor: i64,
    pub layers: VecDeque<Layer>,
    /// What all that came in cost.
    pub came_minor: i64,
    /// Movements in whose cost nobody said: they count as the average of their moment.
    pub unknown: usize,
}

impl Standing {
    /// The value of the layers.
    pub fn fifo_minor(&self) -> i64 {
        self.layers.iter().map(|layer| layer.value_minor).sum()
    }
}

/// A part of an amount, half away from zero; all of it for the whole. The whole is more than nothing.
pub fn share(amount: i64, part: Quantity, whole: Quantity) -> i64 {
    if part == whole {
        return amount;
    }
    let (top, whole) = (i128::from(amount) * i128::from(part.milli()), i128::from(whole.milli().max(1)));
    let half = if top < 0 { -whole / 2 } else { whole / 2 };
    ((top + half) / whole).clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Goods that left before they came: which movement, and how much of it still waits for a cost.
struct Debt {
    at: usize,
    quantity: Quantity,
}

/// Replays movements; gives what lies there, and what each of them cost in the order in which they happened.
pub fn replay(events: &[Event]) -> (Standing, Vec<Cost>) {
    let mut order: Vec<&Event> = events.iter().filter(|event| event.quantity.is_positive()).collect();
    order.sort_by_key(|event| (event.at, event.no));
    let mut standing = Standing::default();
    let mut costs: Vec<Cost> = Vec::with_capacity(order.len());
    let mut debts: VecDeque<Debt> = VecDeque::new();
    // What a unit cost last, as an amount and its quantity.
    let mut last: Option<(i64, Quantity)> = None;
    for event in order {
        let quantity = event.quantity;
        let mut cost = Cost { no: event.no, quantity, average_minor: 0, fifo_minor: 0, estimated: false };
        match event.flow {
            Flow::Out => {
                let there = standing.on_hand.min(quantity);
                if there.is_positive() {
                    cost.average_minor = share(standing.average_minor, there, standing.on_hand);
                    cost.fifo_minor = take(&mut standing.layers, there);
                    last = Some((standing.average_minor, standing.on_hand));
                    standing.average_minor -= cost.average_minor;
                    standing.on_hand -= there;
                }
                if there < quantity {
                    standing.owed += quantity - there;
                    debts.push_back(Debt { at: costs.len(), quantity: quantity - there });
                }
            }
            Flow::In(known) => {
                let unit = if standing.on_hand.is_positive() {
                    Some((standing.average_minor, standing.on_hand))
                } else {
                    last
                };
                let amount = known.unwrap_or_else(|| unit.map_or(0, |(amount, of)| share(amount, quantity, of)));
                standing.unknown += usize::from(known.is_none());
                standing.came_minor += amount;
                cost.average_minor = amount;
                cost.fifo_minor = amount;
                last = Some((amount, quantity));
                let (mut left, mut value) = (quantity, amount);
                while let Some(debt) = debts.front_mut() {
                    let settled = debt.quantity.min(left);
                    let paid = share(value, settled, left);
                    costs[debt.at].average_minor += paid;
                    costs[debt.at].fifo_minor += paid;
                    standing.owed -= settled;
                    debt.quantity -= settled;
                    left -= settled;
                    value -= paid;
                    if debt.quantity.is_positive() {
                        break;
                    }
                    debts.pop_front();
                    if left.is_zero() {
                        break;
                    }
                }
                if left.is_positive() {
                    standing.on_hand += left;
                    standing.average_minor += value;
                    standing.layers.push_back(Layer { no: event.no, at: event.at, quantity: left, value_minor: value });
                }
            }
        }
        costs.push(cost);
    }
    for debt in debts {
        let guess = last.map_or(0, |(amount, of)| share(amount, debt.quantity, of));
        let cost = &mut costs[debt.at];
        cost.average_minor += guess;
        cost.fifo_minor += guess;
        cost.estimated = true;
    }
    (standing, costs)
}

/// Takes so much off the oldest layers; gives what it cost.
fn take(layers: &mut VecDeque<Layer>, quantity: Quantity) -> i64 {
    let (mut left, mut cost) = (quantity, 0);
    while let Some(layer) = layers.front_mut() {
        let part = layer.quantity.min(left);
        let value = share(layer.value_minor, part, layer.quantity);
        layer.quantity -= part;
        layer.value_minor -= value;
        left -= part;
        cost += value;
        if layer.quantity.is_zero() {
            layers.pop_front();
        }
        if left.is_zero() {
            break;
        }
    }
    cost
}

/// Shares of an amount that sum to it exactly: cut to whole units, what is left over goes to the largest cut parts, ties to the
/// earlier ones. Weights that are all nothing count as equal.
pub fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    let weight = |w: &i64| i128::from((*w).max(0));
    let all: i128 = weights.iter().map(weight).sum();
    let even = all == 0;
    let all = if even { weights.len() as i128 } else { all };
    let mut shares = Vec::with_capacity(weights.len());
    let mut cut: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    for (at, w) in weights.iter().enumerate() {
        let part = i128::from(amount.unsigned_abs()) * if even { 1 } else { weight(w) };
        shares.push((part / all) as i64);
        cut.push((part % all, at));
    }
    let mut left = amount.unsigned_abs() as i64 - shares.iter().sum::<i64>();
    cut.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, at) in cut {
        if left == 0 {
            break;
        }
        shares[at] += 1;
        left -= 1;
    }
    if amount < 0 { shares.into_iter().map(|s| -s).collect() } else { shares }
}
