//! What is given back, and where it goes.
use super::policy::ShippingBack;
use crate::model::OrderLine;
use loyalty::amounts::Quantity;
use loyalty::model::{BurnAs, PricedLine};
use loyalty::refunds::{Refund, RefundError, of_line};
use loyalty::tax::Taxed;

/// The money of pieces of an order's line: exact to the unit, whatever the order and the size of the parts in which it is asked for.
///
/// `before` are the pieces whose money was given back or moved earlier. `points` are those that the line burned and earned.
pub fn of_pieces(line: &OrderLine, at: usize, before: i64, milli: i64, points: Points) -> Result<Refund, RefundError> {
    let priced = PricedLine {
        id: at.to_string(),
        sku: line.sku.clone(),
        quantity: Quantity(line.milli),
        list_minor: line.list_minor,
        taxed: Taxed { net: line.net_minor, vat: line.tax_minor, excise: 0, total: line.total_minor },
        burned: points.burned,
        burned_minor: points.burned_minor,
        earned: points.earned,
        ..PricedLine::default()
    };
    let burn_as = if points.burned_minor > 0 { BurnAs::Payment } else { BurnAs::Discount };
    of_line(&priced, Quantity(before), Quantity(milli), burn_as)
}

/// Points of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Points {
    pub burned: i64,
    /// What the burned ones were worth, where they were a way of paying.
    pub burned_minor: i64,
    pub earned: i64,
}

/// An order's points by line: as the lines were priced, where they say so; else in proportion to what they cost.
pub fn points_of(lines: &[OrderLine], of_order: Points, pays: bool) -> Vec<Points> {
    let sum = |of: fn(&OrderLine) -> i64| lines.iter().map(of).sum::<i64>();
    // Fewer points than the lines say were earned where some of them were called off: those that are left have the first shares.
    if sum(|line| line.burned) == of_order.burned && sum(|line| line.earned) >= of_order.earned {
        let own = |line: &OrderLine| Points {
            burned: line.burned,
            burned_minor: if pays { line.burned_minor } else { 0 },
            earned: if of_order.earned > 0 { line.earned } else { 0 },
        };
        return lines.iter().map(own).collect();
    }
    let weights: Vec<i64> = lines.iter().map(|line| line.total_minor).collect();
    let distribute = |amount: i64, weights: &[i64]| loyalty::distribute(amount, weights);
    let burned = distribute(of_order.burned, &weights);
    let earned = distribute(of_order.earned, &weights);
    let worth = distribute(of_order.burned_minor, &weights);
    let all = burned.into_iter().zip(worth).zip(earned);
    all.map(|((burned, burned_minor), earned)| Points { burned, burned_minor, earned }).collect()
}

/// What delivery brings back: all of it or nothing, and only once.
pub fn shipping(policy: ShippingBack, paid_minor: i64, given_minor: i64, all_back: bool, our_fault: bool) -> i64 {
    let due = match policy {
        ShippingBack::Never => false,
        ShippingBack::OurFault => all_back && our_fault,
        ShippingBack::AllBack => all_back,
    };
    if due { (paid_minor - given_minor).max(0) } else { 0 }
}

/// A payment that money can go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub provider: String,
    pub payment_id: String,
    /// Captured less refunded less what is on its way back.
    pub left_minor: i64,
}

/// The money of an order after the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spoken {
    pub captured: i64,
    /// Told by providers.
    pub refunded: i64,
    /// Asked of providers, and not told yet.
    pub waiting: i64,
    /// Given as store credit instead.
    pub credited: i64,
    /// Paid for another order: an exchange, a replacement.
    pub moved: i64,
}

impl Spoken {
    /// What may still go back.
    pub fn left(self) -> i64 {
        (self.captured - self.refunded - self.waiting - self.credited - self.moved).max(0)
    }
}

/// Where an amount goes: to the payments in their order, each as far as it goes. Gives which takes how much, and what none takes.
pub fn to_payments(amount: i64, sources: &[Source]) -> (Vec<(usize, i64)>, i64) {
    let mut rest = amount.max(0);
    let mut out = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let part = rest.min(source.left_minor.max(0));
        if part > 0 {
            out.push((at, part));
            rest -= part;
        }
    }
    (out, rest)
}
