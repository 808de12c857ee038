//! The pure price function.
//!
//! Order of computation (DOMAIN of the trade, after Vendure): list price, personal price, lanes of promotions on lines (those
//! over the order shared out), shipping, promotions on shipping, points burned, tax, cash rounding, points earned.
mod check;
pub mod choose;
pub mod compile;
mod effects;
mod eligible;
mod lanes;
mod spend;

use crate::amounts::major;
use crate::model::{Basket, Context, CouponState, Discount, Effect, Line, Priced, PricedLine, Totals, WhyNot};
use crate::tax;
pub use compile::Compiled;
use eligible::stands;
use lanes::{Run, State};

/// The name under which burned points stand among a line's discounts.
pub const POINTS: &str = "points";
/// The name under which a personal price stands there.
pub const PERSONAL: &str = "personal-price";

/// Prices a basket: what each line costs after promotions, points and tax, and why.
///
/// Pure and total: the same input gives the same answer, and no input panics. Amounts are minor units of the basket's
/// currency. A promotion that a line does not touch is not looked at, unless [`Context::explain`] asks why. Pricing a basket
/// never reads an earlier price, so a basket may be priced again at every change of it.
pub fn price(basket: &Basket, promotions: &Compiled, context: &Context) -> Priced {
    let list: Vec<i64> = basket.lines.iter().map(|line| line.price.times(line.quantity)).collect();
    let mut state = State::new(basket, &list);
    personal(basket, &mut state);
    let codes = codes(basket, promotions);
    let mut not_applied: Vec<(u32, WhyNot)> = Vec::new();
    let open = open(basket, promotions, context, &codes, &mut not_applied);
    let run = Run { basket, promotions, context, list: &list };
    let (active, out) = choose_together(&run, open, &state, &mut not_applied);
    state = out;
    not_applied.extend(std::mem::take(&mut state.unmet));
    let burned = spend::burn(&run, &mut state);
    finish(&run, state, burned, &active, not_applied, codes)
}

/// Personal prices go first: they are the customer's list price.
fn personal(basket: &Basket, state: &mut State) {
    for (at, line) in basket.lines.iter().enumerate() {
        let Some(own) = line.personal.filter(|own| *own < line.price) else { continue };
        let minor = state.base[at] - own.times(line.quantity);
        if minor > 0 {
            let why = format!("personal price: {} each", major(own.0 / 10_000));
            state.base[at] -= minor;
            state.discounts[at].push((None, Discount { promotion: PERSONAL.into(), minor, why }));
        }
    }
}

/// Codes of the basket as they are compared, each once, with the promotion that has it.
fn codes(basket: &Basket, promotions: &Compiled) -> Vec<(String, Option<u32>)> {
    let mut out: Vec<(String, Option<u32>)> = Vec::new();
    for code in basket.coupons.iter().map(|code| choose::coupon(code)).filter(|code| !code.is_empty()) {
        if !out.iter().any(|(known, _)| *known == code) {
            let rule = promotions.coupon(&code);
            out.push((code, rule));
        }
    }
    out
}

fn open(
    basket: &Basket,
    promotions: &Compiled,
    context: &Context,
    codes: &[(String, Option<u32>)],
    not_applied: &mut Vec<(u32, WhyNot)>,
) -> Vec<u32> {
    let mut touched = match context.explain {
        true => promotions.all(),
        false => promotions.touched(&basket.lines, context.customer.id.as_deref(), codes),
    };
    touched.retain(|at| {
        let has_coupon = codes.iter().any(|(_, rule)| *rule == Some(*at));
        match stands(&promotions.rules[*at as usize], context, has_coupon) {
            Ok(()) => true,
            Err(why) => {
                not_applied.push((*at, why));
                false
            }
        }
    });
    touched
}

/// Settles groups and exclusive promotions, then the lanes. Gives who took part, and what came out.
fn choose_together(
    run: &Run,
    mut open: Vec<u32>,
    start: &State,
    not_applied: &mut Vec<(u32, WhyNot)>,
) -> (Vec<u32>, State) {
    let rule = |at: u32| &run.promotions.rules[at as usize].promotion;
    let gain = |of: &[u32]| run.settle(of, start.clone());
    let mut groups: Vec<&String> = open.iter().filter_map(|at| rule(*at).group.as_ref()).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let members: Vec<u32> = open.iter().copied().filter(|at| rule(*at).group.as_ref() == Some(group)).collect();
        if members.len() < 2 {
            continue;
        }
        let first = members
            .iter()
            .map(|at| (*at, gain(&[*at])))
            .filter(|(_, state)| state.does_something())
            .min_by_key(|(at, state)| (rule(*at).priority, -state.gain(start), *at));
        let Some((first, _)) = first else { continue };
        for at in members.into_iter().filter(|at| *at != first) {
            open.retain(|open| *open != at);
            not_applied.push((at, WhyNot::Group { by: rule(first).id.clone() }));
        }
    }
    let (alone, together): (Vec<u32>, Vec<u32>) = open.iter().copied().partition(|at| rule(*at).exclusive);
    let all = gain(&together);
    let best = alone
        .iter()
        .map(|at| (*at, gain(&[*at])))
        .filter(|(_, state)| state.does_something())
        .min_by_key(|(at, state)| (-state.gain(start), rule(*at).priority, *at));
    match best {
        Some((best, state)) if state.gain(start) >= all.gain(start) => {
            for at in open.into_iter().filter(|at| *at != best) {
                not_applied.push((at, WhyNot::Excluded { by: rule(best).id.clone() }));
            }
            (vec![best], state)
        }
        _ => {
            for at in alone {
                let unmet = gain(&[at]).unmet.into_iter().find(|(of, _)| *of == at);
                not_applied.push((at, unmet.map_or(WhyNot::AloneIsLess, |(_, why)| why)));
            }
            (together, all)
        }
    }
}

fn finish(
    run: &Run,
    state: State,
    burned: spend::Burned,
    active: &[u32],
    mut not_applied: Vec<(u32, WhyNot)>,
    codes: Vec<(String, Option<u32>)>,
) -> Priced {
    let (basket, context) = (run.basket, run.context);
    let shipping = basket.shipping.as_ref();
    let mut amounts: Vec<(i64, tax::Rates)> =
        state.base.iter().zip(&basket.lines).map(|(base, line)| (*base, line.rates)).collect();
    amounts.extend(shipping.map(|s| (state.shipping, s.rates)));
    let (taxed, owed) = tax::document(&amounts, context.prices, context.rounding);
    let applied = applied(run, &state, active);
    let of = |at: u32| &run.promotions.rules[at as usize].promotion.id;
    not_applied.retain(|(at, _)| !applied.iter().any(|(id, _)| id == of(*at)));
    not_applied.sort_by_key(|(at, _)| *at);
    not_applied.dedup_by_key(|(at, _)| *at);
    let State { discounts, shipping_discounts, multipliers, .. } = state;
    let mut lines: Vec<PricedLine> = Vec::with_capacity(basket.lines.len());
    for ((at, line), discounts) in basket.lines.iter().enumerate().zip(discounts) {
        lines.push(PricedLine {
            burned: burned.points.get(at).copied().unwrap_or(0),
            burned_minor: burned.minor.get(at).copied().unwrap_or(0),
            ..priced_line(line, run.list[at], discounts, taxed[at])
        });
    }
    let shipping = shipping.zip(taxed.last()).map(|(s, taxed)| PricedLine {
        id: "shipping".into(),
        quantity: crate::amounts::Quantity::pieces(1),
        list_minor: s.minor,
        discounts: shipping_discounts.into_iter().map(|(_, d)| d).collect(),
        taxed: *taxed,
        rates: s.rates,
        ..PricedLine::default()
    });
    let (earned, earned_why) = spend::earn(run, &mut lines, &multipliers);
    let totals = totals(&lines, shipping.as_ref(), &burned, context);
    let coupons = codes
        .into_iter()
        .map(|(code, rule)| {
            let state = match rule {
                None => CouponState::Unknown,
                Some(at) if applied.iter().any(|(id, _)| id == of(at)) => CouponState::Applied,
                Some(_) => CouponState::NotApplied,
            };
            (code, state)
        })
        .collect();
    Priced {
        currency: basket.currency.clone(),
        at: context.at,
        prices: context.prices,
        rounding: context.rounding,
        lines,
        shipping,
        owed,
        totals,
        points: burned.said(earned, earned_why),
        not_applied: not_applied.into_iter().map(|(at, why)| (of(at).clone(), why)).collect(),
        applied,
        coupons,
    }
}

fn priced_line(line: &Line, list_minor: i64, discounts: Vec<(Option<u32>, Discount)>, taxed: tax::Taxed) -> PricedLine {
    PricedLine {
        id: line.id.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        list_minor,
        discounts: discounts.into_iter().map(|(_, d)| d).collect(),
        taxed,
        rates: line.rates,
        ..PricedLine::default()
    }
}

/// What each promotion gave; those that only change points stand with nothing.
fn applied(run: &Run, state: &State, active: &[u32]) -> Vec<(String, i64)> {
    let given = state.discounts.iter().flatten().chain(&state.shipping_discounts);
    let mut out: Vec<(u32, i64)> = Vec::new();
    for (rule, discount) in given.filter_map(|(rule, d)| rule.map(|rule| (rule, d))) {
        match out.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, minor)) => *minor += discount.minor,
            None => out.push((rule, discount.minor)),
        }
    }
    for at in active {
        let gives_points = state.multiplied.contains(at);
        if gives_points && !out.iter().any(|(known, _)| known == at) {
            out.push((*at, 0));
        }
    }
    out.sort_by_key(|(at, _)| (run.promotions.rules[*at as usize].lane, *at));
    out.into_iter().map(|(at, minor)| (run.promotions.rules[at as usize].promotion.id.clone(), minor)).collect()
}

fn totals(lines: &[PricedLine], shipping: Option<&PricedLine>, burned: &spend::Burned, context: &Context) -> Totals {
    let mut out = Totals::default();
    for line in lines.iter().chain(shipping) {
        out.list_minor += line.list_minor;
        out.discount_minor += line.discounts.iter().map(|d| d.minor).sum::<i64>();
        out.net_minor += line.taxed.net;
        out.tax_minor += line.taxed.tax();
        out.total_minor += line.taxed.total;
    }
    out.points_minor = burned.as_payment;
    out.due_minor = out.total_minor - out.points_minor;
    if let Some(cash) = context.cash.filter(|_| context.payment.as_deref() == Some("cash")) {
        out.rounding_minor = cash.difference(out.due_minor);
        out.due_minor += out.rounding_minor;
    }
    out
}

/// Whether an effect is on what a line costs.
fn on_lines(effect: &Effect) -> bool {
    !matches!(effect, Effect::FreeShipping { .. } | Effect::PointsMultiplier { .. })
}
