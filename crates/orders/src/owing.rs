//! What is left to pay: one rule for whoever asks, from what an order costs, what came back and what was paid.
//!
//! Money that went back does not open an order again where goods or a promise went with it: what was called off is not owed, what
//! came back is not owed for as much as it was worth, and what was given for a complaint need not be paid twice. Money that went
//! back for nothing is open again: whoever changes an order down and up pays the difference.
use crate::model::{Order, OrderLine};
use crate::states::line::Line as LineState;
use crate::states::payment::Sums;
use loyalty::amounts::Quantity;
use loyalty::share_until;
use serde::{Deserialize, Serialize};

/// What was decided after the sale, as far as it changes what is to pay. It is the shadow of [`crate::after::model::Account`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decided {
    /// Pieces by line, in thousandths, that came back and whose worth is in `let_go_minor`.
    pub came_back: Vec<i64>,
    /// So much of what the order cost need not be paid: goods that came back, complaints, delivery.
    pub let_go_minor: i64,
    /// So much of what was paid left the order beside its payments: as store credit, or to pay for another order.
    pub away_minor: i64,
}

impl Decided {
    /// Nothing was decided.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// An order's money at a moment, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owing {
    /// What it costs with all that was decided: to be paid for what the customer has, had for good or waits for.
    pub due_minor: i64,
    /// Of which this is with us: captured, less what went back and away.
    pub paid_minor: i64,
}

impl Owing {
    /// What is left to pay; never below nothing.
    pub fn open_minor(self) -> i64 {
        (self.due_minor - self.paid_minor).max(0)
    }
    /// What is to be given back; never below nothing.
    pub fn surplus_minor(self) -> i64 {
        (self.paid_minor - self.due_minor).max(0)
    }
}

/// What of a line is not called off, in thousandths: the first pieces, those after them were.
pub fn kept_milli(order: &Order, line: usize) -> i64 {
    order.body.lines.get(line).map_or(0, |of| of.milli) - milli_in(order, line, |state| state == LineState::Cancelled)
}

fn milli_in(order: &Order, line: usize, of: impl Fn(LineState) -> bool) -> i64 {
    order.body.parts.iter().filter(|p| p.line == line && of(p.state)).map(|p| p.milli).sum()
}

/// What is to be paid for what is not called off: lines in proportion, the last piece taking the rest, with the discounts that it
/// lost by what was called off. What came back is in it.
pub fn owed_minor(order: &Order) -> i64 {
    if order.body.parts.iter().all(|p| p.state == LineState::Cancelled) {
        return 0;
    }
    goods_minor(order) + order.body.lost_discount_minor + order.body.shipping_minor
}

/// The share of the goods that are not called off in what all of them cost.
pub fn goods_minor(order: &Order) -> i64 {
    let of_line = |(at, line): (usize, &OrderLine)| {
        share_until(line.total_minor, Quantity(line.milli), Quantity(kept_milli(order, at)))
    };
    order.body.lines.iter().enumerate().map(of_line).sum()
}

/// What an order owes and has.
pub fn owing(order: &Order) -> Owing {
    let (sums, decided) = (order.sums(), &order.body.decided);
    Owing { due_minor: due_minor(order), paid_minor: sums.captured - sums.refunded - decided.away_minor }
}

fn due_minor(order: &Order) -> i64 {
    let decided = &order.body.decided;
    let alive = |state| !matches!(state, LineState::Cancelled | LineState::Returned);
    let nobody_decided = decided.came_back.iter().all(|milli| *milli == 0);
    if nobody_decided && order.body.given_at.micros() == 0 && !order.body.parts.iter().any(|p| alive(p.state)) {
        // Nobody ever had any of it: a parcel that came back unopened is owed nothing for, nor is its way.
        return 0;
    }
    // What came back and nobody decided on yet is worth its share.
    let undecided = |(at, line): (usize, &OrderLine)| {
        let before = decided.came_back.get(at).copied().unwrap_or(0);
        let until = milli_in(order, at, |state| state == LineState::Returned).max(before);
        let share = |milli: i64| share_until(line.total_minor, Quantity(line.milli), Quantity(milli));
        share(until) - share(before)
    };
    let back: i64 = order.body.lines.iter().enumerate().map(undecided).sum();
    (owed_minor(order) - back - decided.let_go_minor).max(0)
}

/// Whether money, a promise of the bank or an agreement for the hand-over covers all that is due.
pub fn is_covered(order: &Order) -> bool {
    let Sums { authorised, on_delivery, captured, refunded } = with_away(order);
    authorised.max(captured) - refunded + on_delivery >= due_minor(order)
}

/// All money of the order; what left beside its payments counts as given back.
pub(crate) fn with_away(order: &Order) -> Sums {
    let sums = order.sums();
    Sums { refunded: sums.refunded + order.body.decided.away_minor, ..sums }
}

#[cfg(test)]
#[path = "owing/tests.rs"]
mod tests;
