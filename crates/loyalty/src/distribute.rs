//! Shares of an amount that sum to it exactly.
use crate::amounts::{Quantity, divide};

/// Shares of `amount` over `weights` by largest remainder: each share is cut to whole minor units, what is left over goes one
/// by one to the largest cut parts, ties in the order of the weights. Weights count by their absolute value; all zero, they
/// count as equal. A negative amount is shared as its absolute value. Without weights there are no shares.
pub fn distribute(amount: i64, weights: &[i64]) -> Vec<i64> {
    let all: u128 = weights.iter().map(|w| u128::from(w.unsigned_abs())).sum();
    let (weight, all): (Box<dyn Fn(usize) -> u128>, u128) = match all {
        0 => (Box::new(|_| 1), weights.len() as u128),
        all => (Box::new(|at| u128::from(weights[at].unsigned_abs())), all),
    };
    if weights.is_empty() {
        return Vec::new();
    }
    let whole = u128::from(amount.unsigned_abs());
    let mut shares: Vec<u128> = Vec::with_capacity(weights.len());
    let mut cut: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    for at in 0..weights.len() {
        let part = whole * weight(at);
        shares.push(part / all);
        cut.push((part % all, at));
    }
    let left = (whole - shares.iter().sum::<u128>()) as usize;
    cut.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, at) in cut.iter().take(left) {
        shares[*at] += 1;
    }
    let sign = if amount < 0 { -1 } else { 1 };
    shares.into_iter().map(|share| (share as i128 * sign) as i64).collect()
}

/// A line's amount split to its pieces: the first of them bear what does not divide. Nothing for no pieces.
pub fn split_units(amount: i64, pieces: usize) -> Vec<i64> {
    distribute(amount, &vec![1; pieces])
}

/// What the first `until` of `of` bear of `amount`, so that any partition of a line sums to it exactly: whole pieces as
/// [`split_units`], a part of a piece by its share, goods by weight by theirs. `until` is kept within 0 and `of`.
pub fn share_until(amount: i64, of: Quantity, until: Quantity) -> i64 {
    let until = until.0.clamp(0, of.0.max(0));
    if of.0 <= 0 || until == of.0 {
        return if of.0 <= 0 { 0 } else { amount };
    }
    if of.0 % 1000 != 0 {
        return divide(i128::from(amount) * i128::from(until), i128::from(of.0));
    }
    let (pieces, sign) = (of.0 / 1000, amount.signum());
    let (each, more) = ((amount / pieces).abs(), (amount % pieces).abs());
    let (whole, part) = (until / 1000, until % 1000);
    let next = each + i64::from(whole < more);
    let begun = divide(i128::from(next) * i128::from(part), 1000);
    sign * (each * whole + more.min(whole) + begun)
}
