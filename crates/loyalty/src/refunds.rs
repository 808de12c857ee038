//! What goes back for returned goods, from the stored priced lines.
//!
//! A line's net, tax, burned and earned points are split to its pieces once ([`share_until`]); a refund is the part between
//! two counts of returned pieces. So refunds are exact in any order and partition, and their sum never exceeds what was paid.
use crate::amounts::Quantity;
use crate::distribute::{distribute, share_until};
use crate::model::{Basket, BurnAs, Context, Priced, PricedLine};
use crate::tax::{self, Prices};
use crate::{Compiled, price};
use serde::{Deserialize, Serialize};

/// What happens to promotions whose condition the kept goods no longer meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Each piece brings back what was paid for it; what is kept keeps its discount.
    #[default]
    Prorate,
    /// What is kept is priced anew, and the difference to what was paid goes back, if there is one.
    Recompute,
}

/// What goes back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Refund {
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// Burned points that go back to the customer.
    pub points_back: i64,
    /// What these were worth, where they were a way of paying; it is not paid out in money.
    pub points_minor: i64,
    /// Earned points that are taken back.
    pub points_taken: i64,
}

impl Refund {
    /// What is paid out.
    pub fn money_minor(&self) -> i64 {
        self.total_minor - self.points_minor
    }
    fn plus(self, other: Refund) -> Refund {
        Refund {
            net_minor: self.net_minor + other.net_minor,
            tax_minor: self.tax_minor + other.tax_minor,
            total_minor: self.total_minor + other.total_minor,
            points_back: self.points_back + other.points_back,
            points_minor: self.points_minor + other.points_minor,
            points_taken: self.points_taken + other.points_taken,
        }
    }
}

/// Why nothing goes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    #[error("there is no line {line:?} in the order")]
    NoLine { line: String },
    #[error("line {line:?} has {left} left to return, not {wanted}")]
    TooMany { line: String, left: Quantity, wanted: Quantity },
    #[error("a return is of more than nothing: line {line:?}")]
    Nothing { line: String },
}

/// What goes back for `quantity` of a stored line of which `returned` went back before.
pub fn of_line(
    line: &PricedLine,
    returned: Quantity,
    quantity: Quantity,
    burn_as: BurnAs,
) -> Result<Refund, RefundError> {
    let left = Quantity(line.quantity.0 - returned.0);
    if quantity.0 <= 0 {
        return Err(RefundError::Nothing { line: line.id.clone() });
    }
    if quantity > left || returned.0 < 0 {
        return Err(RefundError::TooMany { line: line.id.clone(), left, wanted: quantity });
    }
    let until = Quantity(returned.0 + quantity.0);
    let part = |amount: i64| share_until(amount, line.quantity, until) - share_until(amount, line.quantity, returned);
    let tax_minor = part(line.taxed.tax());
    // By pieces the total is what is split. By weight net and tax are rounded apart, so that neither is ever negative.
    let net_minor = match [line.quantity.0, until.0, returned.0].iter().all(|q| q % 1000 == 0) {
        true => part(line.taxed.total) - tax_minor,
        false => part(line.taxed.net),
    };
    let total_minor = net_minor + tax_minor;
    let points_minor = if burn_as == BurnAs::Payment { part(line.burned_minor) } else { 0 };
    Ok(Refund {
        net_minor,
        tax_minor,
        total_minor,
        points_back: part(line.burned),
        points_minor,
        points_taken: part(line.earned),
    })
}

/// Goods that come back, or came back before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    pub line: String,
    pub quantity: Quantity,
}

/// What goes back for a return of several lines of an order.
///
/// With [`Policy::Prorate`] it is the sum of [`of_line`]. With [`Policy::Recompute`] what is kept is priced again with the
/// promotions and context of the order, and the refund is what was paid, less that price, less `refunded_minor` that went back
/// before, and nothing where that is negative: a return never costs the customer money, and all of them never bring more than
/// was paid. Points follow the prorated rule in both: what is kept is priced with the points that stay burned for it.
pub fn of_order(
    order: &Ordered,
    (before, refunded_minor): (&[Returned], i64),
    now: &[Returned],
    policy: Policy,
) -> Result<Vec<(String, Refund)>, RefundError> {
    let sum = |of: &[Returned], line: &str| Quantity(of.iter().filter(|r| r.line == line).map(|r| r.quantity.0).sum());
    let mut out: Vec<(String, Refund)> = Vec::new();
    for (nth, returned) in now.iter().enumerate() {
        let line = order.line(&returned.line)?;
        let earlier = Quantity(sum(before, &line.id).0 + sum(&now[..nth], &line.id).0);
        let refund = of_line(line, earlier, returned.quantity, order.burn_as)?;
        match out.iter_mut().find(|(id, _)| *id == line.id) {
            Some((_, all)) => *all = all.plus(refund),
            None => out.push((line.id.clone(), refund)),
        }
    }
    if policy == Policy::Prorate {
        return Ok(out);
    }
    let back = order.paid() - order.cost_without(&[before, now].concat()) - refunded_minor;
    let prorated: Vec<i64> = out.iter().map(|(_, refund)| refund.total_minor).collect();
    let shares = distribute(back.max(0), &prorated);
    for ((id, refund), total) in out.iter_mut().zip(shares) {
        let taxed = tax::taxed(total, order.line(id)?.rates, Prices::Inclusive);
        refund.points_minor = refund.points_minor.min(total);
        (refund.total_minor, refund.tax_minor, refund.net_minor) = (total, taxed.tax(), taxed.net);
    }
    Ok(out)
}

/// An order as it was priced, with what it was priced from.
#[derive(Debug, Clone, Copy)]
pub struct Ordered<'a> {
    pub priced: &'a Priced,
    pub basket: &'a Basket,
    pub promotions: &'a Compiled,
    pub context: &'a Context,
    pub burn_as: BurnAs,
}

impl Ordered<'_> {
    fn line(&self, id: &str) -> Result<&PricedLine, RefundError> {
        self.priced.lines.iter().find(|line| line.id == id).ok_or_else(|| RefundError::NoLine { line: id.into() })
    }

    /// What was paid for the goods.
    fn paid(&self) -> i64 {
        self.priced.lines.iter().map(|line| line.taxed.total).sum()
    }

    /// What the goods that are kept cost, priced anew.
    fn cost_without(&self, returned: &[Returned]) -> i64 {
        self.without(returned).lines.iter().map(|line| line.taxed.total).sum()
    }

    /// The goods that are kept, priced anew: burned points of what is gone went with it.
    pub fn without(&self, returned: &[Returned]) -> Priced {
        let mut kept = self.basket.clone();
        let mut gone_points = 0;
        for line in &mut kept.lines {
            let gone: i64 = returned.iter().filter(|r| r.line == line.id).map(|r| r.quantity.0).sum();
            if let Some(priced) = self.priced.lines.iter().find(|priced| priced.id == line.id) {
                gone_points += share_until(priced.burned, priced.quantity, Quantity(gone));
            }
            line.quantity.0 -= gone;
        }
        kept.lines.retain(|line| line.quantity.0 > 0);
        kept.points = (self.priced.points.burned - gone_points).max(0);
        price(&kept, self.promotions, self.context)
    }
}

#[cfg(test)]
mod tests;
