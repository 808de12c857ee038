//! Which of an order's burned points belong to which pieces: exact to the unit in any partition.
//!
//! The pieces of a line that are not called off have the first shares, those that are called off the last ones, and what comes
//! back is counted from the first: so cancels and returns together give back what was burned, and never a point more.
use crate::after::money::{Points, points_of};
use crate::model::Order;
use crate::owing::kept_milli;
use loyalty::amounts::Quantity;
use loyalty::share_until;

/// Burned points with what they were worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Burned {
    pub points: i64,
    /// What they paid, where they were a way of paying.
    pub minor: i64,
}

impl Burned {
    /// What is more in `self` than in what is left after a change.
    pub fn less(self, after: Burned) -> Burned {
        Burned { points: self.points - after.points, minor: self.minor - after.minor }
    }
}

/// The points of an order by line, as it was priced.
pub fn by_line(order: &Order) -> Vec<Points> {
    let Some(of) = order.body.points else { return vec![Points::default(); order.body.lines.len()] };
    let burned_minor = if of.pays { of.burned_minor } else { 0 };
    points_of(&order.body.lines, Points { burned: of.burned, burned_minor, earned: of.earned }, of.pays)
}

/// What is burned for the pieces that are not called off.
pub fn kept(order: &Order) -> Burned {
    let mut out = Burned::default();
    for (at, (of, line)) in by_line(order).into_iter().zip(&order.body.lines).enumerate() {
        let share = |amount: i64| share_until(amount, Quantity(line.milli), Quantity(kept_milli(order, at)));
        out.points += share(of.burned);
        out.minor += share(of.burned_minor);
    }
    out
}
