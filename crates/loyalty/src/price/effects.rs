//! What a promotion takes off each line, given what is left of the lines.
use super::choose::names;
use super::compile::Rule;
use crate::amounts::{Quantity, Rate, UnitPrice, major};
use crate::distribute::{distribute, share_until};
use crate::model::{Basket, BundleItem, By, Effect, Line, Selection, Step};

/// What a promotion would take off.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    /// Per line.
    pub shares: Vec<i64>,
    /// Whether any line is among its goods, and whether any of these is left out for its sale price.
    pub names_lines: bool,
    pub sale_lines: bool,
}

/// What a rule takes off each line of `base`, capped; nothing for effects on shipping and points.
pub(super) fn offer(rule: &Rule, basket: &Basket, base: &[i64]) -> Offer {
    let promotion = &rule.promotion;
    let mut left = base.to_vec();
    let mut out = Offer { shares: vec![0; base.len()], ..Offer::default() };
    for effect in &promotion.effects {
        let at =
            |on: &Option<Selection>, out: &mut Offer| lines(basket, on.as_ref(), promotion.not_with_sale_price, out);
        let off = match effect {
            Effect::Percent { percent, on } => per_line(at(on, &mut out), &left, |_, base| percent.of(base)),
            Effect::FixedPerOrder { minor, on } => over(*minor, &at(on, &mut out), &left),
            Effect::FixedPerLine { minor, on } => per_line(at(on, &mut out), &left, |_, _| *minor),
            Effect::FixedPerUnit { minor, on } => {
                per_line(at(on, &mut out), &left, |at, _| UnitPrice::minor(*minor).times(basket.lines[at].quantity))
            }
            Effect::FixedPrice { minor, on } => per_line(at(on, &mut out), &left, |at, base| {
                base - UnitPrice::minor(*minor).times(basket.lines[at].quantity)
            }),
            Effect::CheapestFree { every, free, percent, on } => {
                let among = at(on, &mut out);
                let pieces: i64 = among.iter().map(|at| basket.lines[*at].quantity.whole()).sum();
                let chosen = cheapest(basket, &left, &among, pieces / every * free, &mut |_, count| count);
                off_pieces(basket, &left, &chosen, *percent)
            }
            Effect::BuyGet { buy, get, percent, on, get_on, times_max } => {
                let from = at(on, &mut out);
                let to = if get_on.is_some() { at(get_on, &mut out) } else { from.clone() };
                let chosen = buy_get(basket, &left, &from, &to, (*buy, *get), times_max.unwrap_or(i64::MAX));
                off_pieces(basket, &left, &chosen, *percent)
            }
            Effect::BundlePrice { items, minor, times_max } => {
                bundle(basket, &left, promotion.not_with_sale_price, &mut out, items, *minor, *times_max)
            }
            Effect::Tiers { by, on, steps } => tiers(basket, &left, &at(on, &mut out), *by, steps),
            Effect::FreeShipping { .. } | Effect::PointsMultiplier { .. } => continue,
        };
        for (at, minor) in off {
            let minor = minor.clamp(0, left[at]);
            left[at] -= minor;
            out.shares[at] += minor;
        }
    }
    if let Some(cap) = promotion.cap_minor.filter(|cap| out.shares.iter().sum::<i64>() > *cap) {
        out.shares = distribute(cap, &out.shares);
    }
    out
}

/// What a rule takes off shipping.
pub(super) fn off_shipping(rule: &Rule, base: i64) -> i64 {
    let mut left = base;
    for effect in &rule.promotion.effects {
        if let Effect::FreeShipping { percent, minor_max } = effect {
            left -= percent.of(left).min(minor_max.unwrap_or(i64::MAX)).clamp(0, left);
        }
    }
    (base - left).min(rule.promotion.cap_minor.unwrap_or(i64::MAX))
}

type Off = Vec<(usize, i64)>;

fn lines(basket: &Basket, on: Option<&Selection>, not_sale: bool, out: &mut Offer) -> Vec<usize> {
    let named = |line: &Line| on.is_none_or(|on| names(on, line));
    let mut all: Vec<usize> = (0..basket.lines.len()).filter(|at| named(&basket.lines[*at])).collect();
    out.names_lines |= !all.is_empty();
    if not_sale {
        let before = all.len();
        all.retain(|at| !basket.lines[*at].sale);
        out.sale_lines |= all.len() < before;
    }
    all
}

fn per_line(lines: Vec<usize>, base: &[i64], off: impl Fn(usize, i64) -> i64) -> Off {
    lines.into_iter().map(|at| (at, off(at, base[at]))).collect()
}

/// An amount off the order, shared by what is left of the lines.
fn over(minor: i64, lines: &[usize], base: &[i64]) -> Off {
    let weights: Vec<i64> = lines.iter().map(|at| base[*at]).collect();
    let shares = distribute(minor.min(weights.iter().sum()), &weights);
    lines.iter().copied().zip(shares).collect()
}

/// Pieces of lines, cheapest first by what is left of a piece; `allow` may take fewer of a line.
fn cheapest(
    basket: &Basket,
    base: &[i64],
    among: &[usize],
    count: i64,
    allow: &mut dyn FnMut(usize, i64) -> i64,
) -> Vec<(usize, i64)> {
    let mut order: Vec<usize> = among.iter().copied().filter(|at| basket.lines[*at].quantity.whole() > 0).collect();
    // a/b < c/d compared crosswise, without division.
    order.sort_by(|a, b| {
        let of = |at: usize| (i128::from(base[at]), i128::from(basket.lines[at].quantity.0));
        let ((one, per), (other, other_per)) = (of(*a), of(*b));
        (one * other_per).cmp(&(other * per)).then(a.cmp(b))
    });
    let (mut left, mut out) = (count, Vec::new());
    for at in order {
        let take = allow(at, left.min(basket.lines[at].quantity.whole()));
        if take > 0 {
            out.push((at, take));
            left -= take;
        }
        if left == 0 {
            break;
        }
    }
    out
}

fn off_pieces(basket: &Basket, base: &[i64], pieces: &[(usize, i64)], percent: Rate) -> Off {
    let worth = |at: usize, count: i64| share_until(base[at], basket.lines[at].quantity, Quantity::pieces(count));
    pieces.iter().map(|(at, count)| (*at, percent.of(worth(*at, *count)))).collect()
}

/// The pieces that are given: the cheapest that leave enough to be bought, as often as the basket allows.
fn buy_get(
    basket: &Basket,
    base: &[i64],
    from: &[usize],
    to: &[usize],
    (buy, get): (i64, i64),
    times_max: i64,
) -> Vec<(usize, i64)> {
    let pieces =
        |lines: &mut dyn Iterator<Item = &usize>| -> i64 { lines.map(|at| basket.lines[*at].quantity.whole()).sum() };
    let both = pieces(&mut from.iter().filter(|at| to.contains(at)));
    let (bought, given) = (pieces(&mut from.iter()), pieces(&mut to.iter()));
    let times = (bought / buy).min(given / get).min((bought + given - both) / (buy + get)).min(times_max);
    // Of the lines that count on both sides so many may be given that enough are left to be bought.
    let mut spare = bought - buy * times;
    cheapest(basket, base, to, get * times, &mut |at, count| {
        if !from.contains(&at) {
            return count;
        }
        let take = count.min(spare);
        spare -= take;
        take
    })
}

/// A bundle's price: each line counts for the first part that names it; the dearest pieces are taken.
fn bundle(
    basket: &Basket,
    base: &[i64],
    not_sale: bool,
    out: &mut Offer,
    items: &[BundleItem],
    minor: i64,
    times_max: Option<i64>,
) -> Off {
    let mut taken = vec![false; base.len()];
    let mut parts: Vec<(Vec<usize>, i64)> = Vec::new();
    for item in items {
        let mut of = lines(basket, Some(&item.on), not_sale, out);
        of.retain(|at| !std::mem::replace(&mut taken[*at], true));
        parts.push((of, item.quantity));
    }
    let pieces = |of: &[usize]| -> i64 { of.iter().map(|at| basket.lines[*at].quantity.whole()).sum() };
    let times = parts.iter().map(|(of, quantity)| pieces(of) / quantity).min().unwrap_or(0);
    let times = times.min(times_max.unwrap_or(i64::MAX));
    let mut chosen: Off = Vec::new();
    for (of, quantity) in &parts {
        // The dearest of a part are what its cheapest leave.
        let mut rest: Vec<(usize, i64)> = of.iter().map(|at| (*at, basket.lines[*at].quantity.whole())).collect();
        let spare = pieces(of) - quantity * times;
        for (at, count) in cheapest(basket, base, of, spare, &mut |_, count| count) {
            rest.iter_mut().filter(|(line, _)| *line == at).for_each(|(_, left)| *left -= count);
        }
        for (at, count) in rest.into_iter().filter(|(_, count)| *count > 0) {
            let line = basket.lines[at].quantity;
            // The last pieces of a line, since its first may be taken by the cheapest.
            let before = Quantity(line.0 - Quantity::pieces(count).0);
            chosen.push((at, base[at] - share_until(base[at], line, before)));
        }
    }
    let worth: i64 = chosen.iter().map(|(_, minor)| minor).sum();
    let off = (worth - minor.saturating_mul(times)).max(0);
    let weights: Vec<i64> = chosen.iter().map(|(_, minor)| *minor).collect();
    chosen.iter().map(|(at, _)| *at).zip(distribute(off, &weights)).collect()
}

fn tiers(basket: &Basket, base: &[i64], among: &[usize], by: By, steps: &[Step]) -> Off {
    let reached = match by {
        By::Amount => Quantity::pieces(among.iter().map(|at| base[*at]).sum()),
        By::Quantity => Quantity(among.iter().map(|at| basket.lines[*at].quantity.0).sum()),
    };
    match steps.iter().rev().find(|step| step.from <= reached) {
        Some(Step { percent: Some(percent), .. }) => per_line(among.to_vec(), base, |_, base| percent.of(base)),
        Some(Step { minor: Some(minor), .. }) => over(*minor, among, base),
        _ => Vec::new(),
    }
}

/// Why a line costs less, in a sentence: the promotion, and what it does.
pub(super) fn why(rule: &Rule, base: i64, off: i64) -> String {
    let what = match rule.promotion.effects.first() {
        Some(Effect::Percent { percent, .. }) => format!("{percent}% of {}", major(base)),
        Some(Effect::FixedPerOrder { minor, .. }) => format!("its share of {} off the order", major(*minor)),
        Some(Effect::FixedPerLine { minor, .. }) => format!("{} off", major(*minor)),
        Some(Effect::FixedPerUnit { minor, .. }) => format!("{} off each", major(*minor)),
        Some(Effect::FixedPrice { minor, .. }) => format!("{} each", major(*minor)),
        Some(Effect::CheapestFree { every, free, percent, .. }) => match *percent == Rate::percent(100) {
            true => format!("{free} of every {every} free"),
            false => format!("{free} of every {every} at {percent}% off"),
        },
        Some(Effect::BuyGet { buy, get, percent, .. }) => match *percent == Rate::percent(100) {
            true => format!("buy {buy}, get {get} free"),
            false => format!("buy {buy}, get {get} at {percent}% off"),
        },
        Some(Effect::BundlePrice { minor, .. }) => format!("together for {}", major(*minor)),
        Some(Effect::Tiers { .. }) => format!("{} off by its step", major(off)),
        Some(Effect::FreeShipping { percent, .. }) => match *percent == Rate::percent(100) {
            true => "free shipping".to_string(),
            false => format!("{percent}% off shipping"),
        },
        Some(Effect::PointsMultiplier { .. }) | None => "points".to_string(),
    };
    let more = if rule.promotion.effects.len() > 1 { " and more" } else { "" };
    let capped = if rule.promotion.cap_minor.is_some() { ", within its cap" } else { "" };
    format!("{}: {what}{more}{capped}", rule.label)
}
