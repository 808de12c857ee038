//! Properties over random baskets and promotions.
use crate::amounts::{Quantity, Rate, UnitPrice};
use crate::model::*;
use crate::refunds::{Ordered, Policy, Returned, of_line, of_order};
use crate::tax::{Prices, Rates, Rounding};
use crate::{Compiled, price};
use base::{Rng, Timestamp};
use proptest::prelude::*;

const CATEGORIES: [&str; 4] = ["shoes", "shoes/boots", "bags", "care"];

fn below(rng: &mut Rng, n: i64) -> i64 {
    (rng.next_u64() % n as u64) as i64
}

fn selection(rng: &mut Rng) -> Selection {
    let mut out = Selection::default();
    match below(rng, 4) {
        0 => {}
        1 => out.skus = vec![format!("S{}", below(rng, 6)), format!("S{}", below(rng, 6))],
        _ => out.categories = vec![CATEGORIES[below(rng, 4) as usize].into()],
    }
    if below(rng, 5) == 0 {
        out.not = Some(Box::new(Selection { skus: vec!["S0".into()], ..Selection::default() }));
    }
    out
}

fn effect(rng: &mut Rng) -> Effect {
    let on = (below(rng, 2) == 0).then(|| selection(rng));
    let percent = Rate(1 + below(rng, 1_000_000));
    let minor = below(rng, 3000);
    match below(rng, 11) {
        0 => Effect::FixedPerOrder { minor, on },
        1 => Effect::FixedPerLine { minor, on },
        2 => Effect::FixedPerUnit { minor, on },
        3 => Effect::FixedPrice { minor, on },
        4 => Effect::CheapestFree { every: 2 + below(rng, 3), free: 1, percent, on },
        5 => Effect::BuyGet {
            buy: 1 + below(rng, 3),
            get: 1 + below(rng, 2),
            percent,
            on,
            get_on: (below(rng, 2) == 0).then(|| selection(rng)),
            times_max: None,
        },
        6 => Effect::BundlePrice {
            items: vec![
                BundleItem { on: selection(rng), quantity: 1 },
                BundleItem { on: selection(rng), quantity: 1 + below(rng, 2) },
            ],
            minor,
            times_max: None,
        },
        7 => Effect::Tiers {
            by: By::Amount,
            on,
            steps: vec![
                Step { from: Quantity::pieces(500), percent: Some(percent), minor: None },
                Step { from: Quantity::pieces(5000), percent: None, minor: Some(minor) },
            ],
        },
        8 => Effect::FreeShipping { percent, minor_max: None },
        9 => Effect::PointsMultiplier { times: UnitPrice(below(rng, 50_000)), on },
        _ => Effect::Percent { percent, on },
    }
}

fn promotion(rng: &mut Rng, at: usize) -> Promotion {
    let maybe = |rng: &mut Rng, of: i64| below(rng, of) == 0;
    let mut out = Promotion {
        id: format!("p{at}"),
        lane: Some(["pre", "default", "post"][below(rng, 3) as usize].into()),
        priority: below(rng, 3),
        exclusive: maybe(rng, 8),
        group: maybe(rng, 3).then(|| format!("g{}", below(rng, 2))),
        not_with_sale_price: maybe(rng, 3),
        cap_minor: maybe(rng, 4).then(|| below(rng, 2000)),
        coupons: if maybe(rng, 4) { vec![format!("code{at}")] } else { Vec::new() },
        effects: (0..1 + below(rng, 2)).map(|_| effect(rng)).collect(),
        ..Promotion::default()
    };
    if maybe(rng, 3) {
        out.conditions.push(Condition::Amount {
            on: selection(rng),
            min_minor: Some(below(rng, 8000)),
            max_minor: None,
            of: Of::Remaining,
        });
    }
    if maybe(rng, 3) {
        out.conditions
            .push(Condition::Products { on: selection(rng), quantity_min: Quantity::pieces(1 + below(rng, 2)) });
    }
    out
}

/// A world drawn from a seed: a basket, its context, promotions.
fn world(seed: u64) -> (Basket, Context, Promotions) {
    let rng = &mut Rng::new(seed);
    let lines = (0..1 + below(rng, 6))
        .map(|at| Line {
            id: at.to_string(),
            sku: format!("S{}", below(rng, 6)),
            quantity: if below(rng, 5) == 0 {
                Quantity(1 + below(rng, 3000))
            } else {
                Quantity::pieces(1 + below(rng, 4))
            },
            price: UnitPrice(below(rng, 50_000_000)),
            personal: (below(rng, 5) == 0).then(|| UnitPrice(below(rng, 50_000_000))),
            sale: below(rng, 4) == 0,
            gift_card: below(rng, 8) == 0,
            categories: vec![CATEGORIES[below(rng, 4) as usize].into()],
            rates: Rates {
                vat: Rate::percent([20, 7, 0][below(rng, 3) as usize]),
                excise: Rate::percent([0, 5][below(rng, 2) as usize]),
            },
            ..Line::default()
        })
        .collect();
    let basket = Basket {
        currency: "UAH".into(),
        lines,
        shipping: (below(rng, 2) == 0)
            .then(|| Shipping { minor: below(rng, 10_000), rates: Rates { vat: Rate::percent(20), excise: Rate(0) } }),
        coupons: (0..3).map(|_| format!(" Code{} ", below(rng, 8))).collect(),
        points: below(rng, 40),
    };
    let context = Context {
        at: Timestamp::from_micros(1_000_000_000_000_000),
        payment: Some(["cash", "card"][below(rng, 2) as usize].into()),
        customer: Customer { id: Some("olena".into()), points: below(rng, 60), ..Customer::default() },
        prices: if below(rng, 2) == 0 { Prices::Inclusive } else { Prices::Exclusive },
        rounding: if below(rng, 2) == 0 { Rounding::Line } else { Rounding::Document },
        cash: Some(CashRounding { step_minor: 50, up_from_minor: 25 }),
        explain: below(rng, 2) == 0,
        ..Context::default()
    };
    let mode = |rng: &mut Rng| [Mode::Best, Mode::Worst, Mode::First, Mode::Accumulate][below(rng, 4) as usize];
    let promotions = Promotions {
        lanes: ["pre", "default", "post"].map(|id| Lane { id: id.into(), mode: mode(rng) }).into(),
        points: Some(PointsPolicy {
            point_minor: 1 + below(rng, 100),
            earn_percent: Rate(below(rng, 100_000)),
            burn_percent_max: Rate(below(rng, 1_000_001)),
            burn_min: 0,
            burn_as: if below(rng, 2) == 0 { BurnAs::Discount } else { BurnAs::Payment },
            except: None,
        }),
        promotions: (0..below(rng, 8)).map(|at| promotion(rng, at as usize)).collect(),
    };
    (basket, context, promotions)
}

fn compiled(promotions: &Promotions) -> Compiled {
    Compiled::new(promotions.clone()).unwrap_or_else(|e| panic!("{e}: {promotions:?}"))
}

/// Whether a promotion names its goods everywhere, so that others cannot touch it.
fn of_goods_alone(promotion: &Promotion) -> bool {
    let named = |on: &Selection| crate::price::choose::selects(on);
    let conditions = promotion.conditions.iter().all(|c| match c {
        Condition::Products { on, .. } | Condition::Amount { on, .. } => named(on),
        _ => false,
    });
    conditions
        && promotion.coupons.is_empty()
        && promotion.effects.iter().all(|effect| match effect {
            Effect::Percent { on, .. }
            | Effect::FixedPerOrder { on, .. }
            | Effect::FixedPerLine { on, .. }
            | Effect::FixedPerUnit { on, .. }
            | Effect::FixedPrice { on, .. }
            | Effect::CheapestFree { on, .. }
            | Effect::Tiers { on, .. }
            | Effect::PointsMultiplier { on, .. } => on.as_ref().is_some_and(named),
            Effect::BuyGet { on, get_on, .. } => on.as_ref().is_some_and(named) && get_on.as_ref().is_none_or(named),
            Effect::BundlePrice { items, .. } => items.iter().all(|item| named(&item.on)),
            Effect::FreeShipping { .. } => false,
        })
}

/// What every priced basket must be.
fn sound(basket: &Basket, context: &Context, promotions: &Promotions, out: &Priced) -> Result<(), String> {
    let fail = |what: String| Err(what);
    for line in out.lines.iter().chain(&out.shipping) {
        let off: i64 = line.discounts.iter().map(|d| d.minor).sum();
        let left = if context.prices == Prices::Inclusive { line.taxed.total } else { line.taxed.net };
        if line.list_minor - off != left {
            return fail(format!("line {}: {} less {off} is not {left}", line.id, line.list_minor));
        }
        if line.taxed.net < 0 || line.taxed.tax() < 0 || line.taxed.net + line.taxed.tax() != line.taxed.total {
            return fail(format!("line {}: {:?}", line.id, line.taxed));
        }
        if left == 0 && line.taxed.total != 0 {
            return fail(format!("line {} costs nothing and is taxed", line.id));
        }
        if line.discounts.iter().any(|d| d.minor <= 0 || d.why.is_empty()) {
            return fail(format!("line {}: a discount of nothing, or without a reason: {:?}", line.id, line.discounts));
        }
    }
    for (id, minor) in &out.applied {
        let rule = promotions.promotions.iter().find(|p| p.id == *id).ok_or("an unknown promotion applied")?;
        if rule.cap_minor.is_some_and(|cap| *minor > cap) && rule.effects.len() == 1 {
            return fail(format!("{id} gave {minor}, beyond its cap"));
        }
        if rule.exclusive && out.applied.len() > 1 {
            return fail(format!("{id} is exclusive and did not apply alone: {:?}", out.applied));
        }
        if !rule.coupons.is_empty()
            && !basket.coupons.iter().any(|c| crate::coupon(c) == crate::coupon(&rule.coupons[0]))
        {
            return fail(format!("{id} applied without its coupon"));
        }
    }
    let groups: Vec<&String> = promotions
        .promotions
        .iter()
        .filter(|p| out.applied.iter().any(|(id, _)| *id == p.id))
        .filter_map(|p| p.group.as_ref())
        .collect();
    if groups.iter().any(|g| groups.iter().filter(|o| o == &g).count() > 1) {
        return fail(format!("two of one group applied: {:?}", out.applied));
    }
    let t = &out.totals;
    if t.net_minor + t.tax_minor != t.total_minor
        || t.due_minor != t.total_minor - t.points_minor + t.rounding_minor
        || t.due_minor < 0
    {
        return fail(format!("{t:?}"));
    }
    if t.due_minor % 50 != 0 && context.payment.as_deref() == Some("cash") {
        return fail(format!("{} cannot be paid in coins", t.due_minor));
    }
    if out.points.burned > basket.points || out.points.burned > context.customer.points.max(0) {
        return fail(format!("{:?}", out.points));
    }
    if context.explain && out.not_applied.len() + out.applied.len() != promotions.promotions.len() {
        return fail(format!("some promotion says nothing: {:?} {:?}", out.applied, out.not_applied));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_priced_basket_is_sound(seed: u64) {
        let (basket, context, promotions) = world(seed);
        let out = price(&basket, &compiled(&promotions), &context);
        sound(&basket, &context, &promotions, &out).map_err(TestCaseError::fail)?;
        prop_assert_eq!(price(&basket, &compiled(&promotions), &context), out, "a fixpoint");
    }

    #[test]
    fn the_index_finds_all_that_applies(seed: u64) {
        let (basket, context, promotions) = world(seed);
        let quick = price(&basket, &compiled(&promotions), &Context { explain: false, ..context.clone() });
        let all = price(&basket, &compiled(&promotions), &Context { explain: true, ..context });
        prop_assert_eq!((quick.lines, quick.applied, quick.totals), (all.lines, all.applied, all.totals));
    }

    #[test]
    fn an_untouched_line_changes_no_other(seed: u64) {
        let (basket, mut context, mut promotions) = world(seed);
        // Promotions of goods alone: those over the whole basket rightly see the new line.
        promotions.promotions.retain(of_goods_alone);
        let mut stranger = Line { id: "stranger".into(), sku: "ZZZ".into(), quantity: Quantity::pieces(1), price: UnitPrice::minor(777), gift_card: true, ..Line::default() };
        stranger.rates = Rates { vat: Rate::percent(13), excise: Rate(0) };
        let rules = compiled(&promotions);
        let mut more = basket.clone();
        more.lines.push(stranger);
        prop_assert!(rules.touched(&more.lines[more.lines.len() - 1..], None, &[]).is_empty());
        context.explain = true;
        let (before, after) = (price(&basket, &rules, &context), price(&more, &rules, &context));
        prop_assert_eq!(&after.lines[..basket.lines.len()], &before.lines[..]);
        prop_assert_eq!(after.lines.last().map(|l| l.taxed.total), Some(if context.prices == Prices::Inclusive { 777 } else { 878 }));
    }

    #[test]
    fn refunds_of_all_pieces_are_what_was_paid(seed: u64, cuts in prop::collection::vec(1i64..1500, 1..6)) {
        let (basket, context, promotions) = world(seed);
        let out = price(&basket, &compiled(&promotions), &context);
        let burn_as = promotions.points.map_or(BurnAs::Discount, |p| p.burn_as);
        for line in &out.lines {
            let (mut at, mut sum, mut tax, mut points, mut taken, mut next) = (0, 0, 0, 0, 0, cuts.iter().cycle());
            while at < line.quantity.0 {
                let step = *next.next().expect("it goes round");
                let step = if line.quantity.0 % 1000 == 0 { 1000 * (1 + step % 2) } else { step };
                let take = step.min(line.quantity.0 - at);
                let part = of_line(line, Quantity(at), Quantity(take), burn_as).expect("it is left");
                prop_assert!(part.total_minor >= 0 && part.net_minor >= 0 && part.tax_minor >= 0, "{:?}", part);
                prop_assert_eq!(part.net_minor + part.tax_minor, part.total_minor);
                at += take;
                (sum, tax, points, taken) = (sum + part.total_minor, tax + part.tax_minor, points + part.points_back, taken + part.points_taken);
                prop_assert!(sum <= line.taxed.total);
            }
            prop_assert_eq!((sum, tax, points, taken), (line.taxed.total, line.taxed.tax(), line.burned, line.earned));
        }
    }

    #[test]
    fn recomputed_refunds_never_exceed_what_was_paid(seed: u64, order in prop::collection::vec(0usize..64, 1..12)) {
        let (basket, context, promotions) = world(seed);
        let rules = compiled(&promotions);
        let out = price(&basket, &rules, &context);
        let ordered = Ordered { priced: &out, basket: &basket, promotions: &rules, context: &context, burn_as: BurnAs::Discount };
        let paid: i64 = out.lines.iter().map(|l| l.taxed.total).sum();
        let (mut before, mut refunded) = (Vec::new(), 0);
        let mut left: Vec<String> = basket.lines.iter().map(|l| l.id.clone()).collect();
        for pick in order {
            if left.is_empty() {
                break;
            }
            let line = left.remove(pick % left.len());
            let quantity = basket.lines.iter().find(|l| l.id == line).map(|l| l.quantity).unwrap_or_default();
            let now = [Returned { line, quantity }];
            let back = of_order(&ordered, (&before, refunded), &now, Policy::Recompute).expect("it goes back");
            let sum: i64 = back.iter().map(|(_, r)| r.total_minor).sum();
            prop_assert!(sum >= 0);
            refunded += sum;
            prop_assert!(refunded <= paid, "{} of {}", refunded, paid);
            before.extend(now);
        }
        if left.is_empty() {
            prop_assert_eq!(refunded, paid, "with everything back, everything goes back");
        }
    }
}

/// Seeded bugs: a priced basket that was tampered with in the way of a known bug must not pass as sound.
#[test]
fn seeded_bugs_in_prices_are_caught() {
    type Bug = fn(&mut Priced);
    let bugs: [(&str, Bug); 5] = [
        ("tax of the list price", |out| {
            for line in &mut out.lines {
                line.taxed.vat = crate::tax::inside(line.list_minor, line.rates.vat);
            }
        }),
        ("a discount of the list price instead of what is left", |out| {
            for line in out.lines.iter_mut().filter(|l| l.discounts.len() > 1) {
                line.discounts[1].minor += line.discounts[0].minor / 10 + 1;
            }
        }),
        ("a discount is counted twice", |out| {
            for line in out.lines.iter_mut().filter(|l| !l.discounts.is_empty()) {
                let again = line.discounts[0].clone();
                line.discounts.push(again);
            }
        }),
        ("a kopeck stays", |out| {
            out.lines.iter_mut().filter(|l| !l.discounts.is_empty()).for_each(|l| l.taxed.total += 1)
        }),
        ("cash is not rounded", |out| out.totals.due_minor += 1),
    ];
    for (name, bug) in bugs {
        let caught = (0..200).any(|seed| {
            let (basket, context, promotions) = world(seed);
            let mut out = price(&basket, &compiled(&promotions), &context);
            bug(&mut out);
            sound(&basket, &context, &promotions, &out).is_err()
        });
        assert!(caught, "{name:?} is not caught");
    }
}
