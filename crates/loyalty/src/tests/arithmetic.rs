//! Shares and tax: the golden numbers of the trade, properties, and seeded bugs that the properties must catch.
use crate::amounts::{Quantity, Rate};
use crate::distribute::{distribute, share_until, split_units};
use crate::tax::{self, Prices, Rates, Rounding};
use proptest::prelude::*;

#[test]
fn shares_by_largest_remainder_with_the_trades_golden_numbers() {
    assert_eq!(distribute(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(distribute(-100, &[1, 1, 1]), [-34, -33, -33]);
    assert_eq!(distribute(100, &[0, 0, 0]), [34, 33, 33], "no weight at all is equal weight");
    assert_eq!(distribute(100, &[0, 1, 1]), [0, 50, 50]);
    assert_eq!(distribute(10, &[5, 3, 2]), [5, 3, 2]);
    assert_eq!(distribute(7, &[1, 2]), [2, 5], "the larger part that was cut goes first");
    assert_eq!(distribute(5, &[]), Vec::<i64>::new());
    assert_eq!(distribute(i64::MIN, &[i64::MIN, 1])[1], -1, "the ends of the range are no exception");
    assert_eq!(split_units(100, 3), [34, 33, 33]);
}

#[test]
fn tax_with_the_trades_golden_numbers() {
    let ua = Rate::percent(20);
    for (gross, tax) in [(10000, 1667), (9999, 1667), (1, 0), (0, 0), (-10000, -1667)] {
        assert_eq!(tax::inside(gross, ua), tax, "of {gross}");
    }
    assert_eq!(tax::upon(8333, ua), 1667);
    assert_eq!(tax::upon(5, Rate::percent(50)), 3, "half goes away from zero");
    assert_eq!(tax::upon(-5, Rate::percent(50)), -3);
}

#[test]
fn retail_excise_is_counted_on_the_price_with_tax() {
    let rates = Rates { vat: Rate::percent(20), excise: Rate::percent(5) };
    let wine = tax::taxed(12600, rates, Prices::Inclusive);
    assert_eq!((wine.net, wine.vat, wine.excise, wine.total), (10000, 2000, 600, 12600));
    assert_eq!(tax::taxed(10000, rates, Prices::Exclusive), wine, "both ways meet");
}

#[test]
fn per_line_and_per_document_differ_and_both_sum_up() {
    let rates = Rates { vat: Rate::percent(20), excise: Rate(0) };
    // Three lines of 0.02: each holds 0.0033 of tax, together 0.01.
    let lines = vec![(2, rates); 3];
    let (by_line, owed) = tax::document(&lines, Prices::Inclusive, Rounding::Line);
    assert_eq!((by_line.iter().map(|t| t.vat).sum::<i64>(), owed[0].taxed.vat), (0, 0));
    let (by_document, owed) = tax::document(&lines, Prices::Inclusive, Rounding::Document);
    assert_eq!(by_document.iter().map(|t| t.vat).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(owed[0].taxed.vat, 1);
}

type Shares = fn(i64, &[i64]) -> Vec<i64>;

/// What shares must be: exact, of the amount's sign, none further than one minor unit from its exact share, nothing for no weight.
fn shares_are_sound(shares: Shares, amount: i64, weights: &[i64]) -> Result<(), String> {
    let out = shares(amount, weights);
    let all: i128 = weights.iter().map(|w| i128::from(w.unsigned_abs())).sum();
    if out.iter().map(|s| i128::from(*s)).sum::<i128>() != i128::from(amount) {
        return Err(format!("{out:?} do not sum to {amount}"));
    }
    let negated = shares(-amount, weights);
    for (at, (share, weight)) in out.iter().zip(weights).enumerate() {
        if negated[at] != -share {
            return Err(format!("share {at} of {} is {} and not {}", -amount, negated[at], -share));
        }
        let weight = i128::from(weight.unsigned_abs());
        if all > 0 && (i128::from(*share) * all - i128::from(amount) * weight).abs() >= all {
            return Err(format!("share {at} is {share}, far from {weight}/{all} of {amount}"));
        }
        if all > 0 && weight == 0 && *share != 0 {
            return Err(format!("share {at} is {share} for no weight"));
        }
    }
    Ok(())
}

fn part(amount: i64, weights: &[i64], at: usize) -> f64 {
    amount as f64 * weights[at] as f64 / weights.iter().sum::<i64>().max(1) as f64
}
fn what_is_cut_is_lost(amount: i64, weights: &[i64]) -> Vec<i64> {
    (0..weights.len()).map(|at| part(amount, weights, at).floor() as i64).collect()
}
fn every_share_is_rounded(amount: i64, weights: &[i64]) -> Vec<i64> {
    (0..weights.len()).map(|at| part(amount, weights, at).round() as i64).collect()
}
fn the_last_bears_the_rest(amount: i64, weights: &[i64]) -> Vec<i64> {
    let mut out = what_is_cut_is_lost(amount, weights);
    let rest = amount - out.iter().sum::<i64>();
    *out.last_mut().expect("a share") += rest;
    out
}
fn a_negative_is_floored(amount: i64, weights: &[i64]) -> Vec<i64> {
    let mut out = what_is_cut_is_lost(amount, weights);
    let rest = amount - out.iter().sum::<i64>();
    (0..rest as usize).for_each(|at| out[at] += 1);
    out
}

#[test]
fn seeded_bugs_in_shares_are_caught() {
    let cases: [(i64, &[i64]); 5] =
        [(100, &[1, 1, 1]), (101, &[1, 1, 1]), (-100, &[1, 1, 1]), (10, &[3, 3, 3, 0]), (7, &[1, 2, 4])];
    let bugs: [(&str, Shares); 4] = [
        ("lost", what_is_cut_is_lost),
        ("rounded", every_share_is_rounded),
        ("last", the_last_bears_the_rest),
        ("floored", a_negative_is_floored),
    ];
    for (name, bug) in bugs {
        let caught = cases.iter().any(|(amount, weights)| shares_are_sound(bug, *amount, weights).is_err());
        assert!(caught, "the bug {name:?} is not caught");
    }
    for (amount, weights) in cases {
        shares_are_sound(distribute, amount, weights).expect("ours is sound");
    }
}

proptest! {
    #[test]
    fn shares_sum_exactly(amount in -10_000_000i64..10_000_000, weights in prop::collection::vec(0i64..1_000_000, 1..20)) {
        shares_are_sound(distribute, amount, &weights).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_partition_of_a_line_sums_to_it(amount in -1_000_000i64..1_000_000, quantity in 1i64..20_000, cuts in prop::collection::vec(0i64..20_000, 0..8)) {
        let of = Quantity(quantity);
        let mut at: Vec<i64> = cuts.into_iter().map(|c| c % (quantity + 1)).chain([0, quantity]).collect();
        at.sort_unstable();
        let parts: Vec<i64> = at.windows(2).map(|w| share_until(amount, of, Quantity(w[1])) - share_until(amount, of, Quantity(w[0]))).collect();
        prop_assert_eq!(parts.iter().sum::<i64>(), amount);
        prop_assert!(parts.iter().all(|p| p.signum() != -amount.signum()), "{:?}", parts);
    }

    #[test]
    fn pieces_of_a_line_are_its_units(amount in -100_000i64..100_000, pieces in 1i64..40) {
        let of = Quantity::pieces(pieces);
        let units: Vec<i64> = (0..pieces)
            .map(|n| share_until(amount, of, Quantity::pieces(n + 1)) - share_until(amount, of, Quantity::pieces(n)))
            .collect();
        prop_assert_eq!(units, split_units(amount, pieces as usize));
    }

    #[test]
    fn net_and_tax_make_the_total(lines in prop::collection::vec((0i64..10_000_000, 0usize..4), 1..20), inclusive: bool, by_line: bool) {
        let classes = [(20, 0), (7, 0), (0, 0), (20, 5)];
        let lines: Vec<(i64, Rates)> = lines.into_iter().map(|(amount, class)| {
            (amount, Rates { vat: Rate::percent(classes[class].0), excise: Rate::percent(classes[class].1) })
        }).collect();
        let prices = if inclusive { Prices::Inclusive } else { Prices::Exclusive };
        let rounding = if by_line { Rounding::Line } else { Rounding::Document };
        let (taxed, owed) = tax::document(&lines, prices, rounding);
        for ((amount, _), line) in lines.iter().zip(&taxed) {
            prop_assert_eq!(line.net + line.vat + line.excise, line.total);
            prop_assert_eq!(if inclusive { line.total } else { line.net }, *amount);
            prop_assert!(line.net >= 0 && line.vat >= 0 && line.excise >= 0);
            prop_assert!(*amount > 0 || line.tax() == 0, "nothing paid, nothing taxed");
        }
        prop_assert_eq!(owed.iter().map(|o| o.taxed.total).sum::<i64>(), taxed.iter().map(|t| t.total).sum::<i64>());
        if rounding == Rounding::Document {
            for o in owed {
                let of: i64 = lines.iter().filter(|(_, r)| *r == o.rates).map(|(a, _)| a).sum();
                prop_assert_eq!(o.taxed, tax::taxed(of, o.rates, prices), "the document's tax is that of its sum");
            }
        }
    }
}
