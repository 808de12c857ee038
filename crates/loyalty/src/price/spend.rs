//! Points in a basket: what is burned, and what is earned on what was really paid.
use super::POINTS;
use super::choose::names;
use super::lanes::{Run, State};
use crate::amounts::{ONE, major};
use crate::distribute::distribute;
use crate::model::{BurnAs, Discount, Line, PointsPolicy, PricedLine, PricedPoints};

/// Points burned, per line.
#[derive(Debug, Clone, Default)]
pub(super) struct Burned {
    pub points: Vec<i64>,
    pub minor: Vec<i64>,
    /// What of it is a way of paying.
    pub as_payment: i64,
    why: String,
}

impl Burned {
    pub fn said(&self, earned: i64, earned_why: String) -> PricedPoints {
        let why = [&*self.why, &*earned_why].into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join("; ");
        PricedPoints { burned: self.points.iter().sum(), burned_minor: self.minor.iter().sum(), earned, why }
    }
}

fn takes_part(policy: &PointsPolicy, line: &Line) -> bool {
    !line.gift_card && !policy.except.as_ref().is_some_and(|except| names(except, line))
}

/// Burns what the customer wants, as far as balance and policy go, and shares it over the goods.
pub(super) fn burn(run: &Run, state: &mut State) -> Burned {
    let Some(policy) = run.promotions.points.as_ref().filter(|_| run.basket.points > 0) else {
        let why = if run.basket.points > 0 { "points have no worth here" } else { "" };
        return Burned { why: why.into(), ..Burned::default() };
    };
    let weights: Vec<i64> = run
        .basket
        .lines
        .iter()
        .zip(&state.base)
        .map(|(line, base)| if takes_part(policy, line) { *base } else { 0 })
        .collect();
    let goods: i64 = weights.iter().sum();
    // Cut, not rounded: no more than the share that the policy allows.
    let share = (i128::from(goods) * i128::from(policy.burn_percent_max.0) / i128::from(ONE)) as i64;
    let most = share / policy.point_minor;
    let count = run.basket.points.min(run.context.customer.points).min(most).max(0);
    let why = if count == run.basket.points {
        format!("{count} points burned")
    } else if run.context.customer.points <= most {
        format!("the customer has {} points", run.context.customer.points.max(0))
    } else {
        format!("at most {}% of {} can be paid with points", policy.burn_percent_max, major(goods))
    };
    if count == 0 || count < policy.burn_min {
        let why = if count > 0 { format!("at least {} points are burned at once", policy.burn_min) } else { why };
        return Burned { why, ..Burned::default() };
    }
    let minor = distribute(count * policy.point_minor, &weights);
    let points = distribute(count, &weights);
    let mut out = Burned { points, minor, as_payment: 0, why };
    match policy.burn_as {
        BurnAs::Payment => out.as_payment = count * policy.point_minor,
        BurnAs::Discount => {
            for (at, minor) in out.minor.iter().copied().enumerate().filter(|(_, minor)| *minor > 0) {
                let why = format!("paid with points, one being {}", major(policy.point_minor));
                state.base[at] -= minor;
                state.discounts[at].push((None, Discount { promotion: POINTS.into(), minor, why }));
            }
        }
    }
    out
}

/// Points earned on what is really paid for goods, without gift cards, shipping and what points paid; whole points, cut.
pub(super) fn earn(run: &Run, lines: &mut [PricedLine], multipliers: &[i64]) -> (i64, String) {
    let Some(policy) = run.promotions.points.as_ref().filter(|policy| policy.earn_percent.0 > 0) else {
        return (0, String::new());
    };
    let by_payment = policy.burn_as == BurnAs::Payment;
    let mut paid_sum = 0;
    let exact: Vec<i128> = run
        .basket
        .lines
        .iter()
        .zip(lines.iter())
        .zip(multipliers)
        .map(|((line, priced), times)| {
            if !takes_part(policy, line) {
                return 0;
            }
            let paid = priced.taxed.total - if by_payment { priced.burned_minor } else { 0 };
            paid_sum += paid.max(0);
            i128::from(paid.max(0)) * i128::from(policy.earn_percent.0) * i128::from(*times)
        })
        .collect();
    let unit = i128::from(policy.point_minor) * i128::from(ONE) * 10_000;
    let earned = i64::try_from(exact.iter().sum::<i128>() / unit).unwrap_or(i64::MAX);
    if earned > 0 {
        // Weights in whole ten-millionths of a point keep their order and fit.
        let weights: Vec<i64> = exact.iter().map(|e| i64::try_from(e / 1_000_000).unwrap_or(i64::MAX)).collect();
        for (line, points) in lines.iter_mut().zip(distribute(earned, &weights)) {
            line.earned = points;
        }
    }
    (earned, format!("{}% of {} really paid for goods comes back as points", policy.earn_percent, major(paid_sum)))
}
