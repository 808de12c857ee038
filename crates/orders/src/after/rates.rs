//! How much comes back, of what and why; what try-on changes; and what the catalogue should say.
//!
//! A rate is of a cohort: pieces of the orders that were placed in a period, and of the same pieces those that came back since. So what came
//! back never exceeds what was delivered, and a rate of last week still grows. Every rate stands with its counts and an interval.
mod gather;
mod statistics;

pub use gather::gather;
pub use statistics::{Interval, binomial_tail, difference, wilson};

use super::model::Reason;
use std::collections::BTreeMap;

/// Pieces of one variant in orders of a period, with or without try-on. Quantities in thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fact {
    pub product_id: String,
    pub product_name: String,
    /// Codes of the categories that it lies in, and of those above them.
    pub categories: Vec<String>,
    /// Empty: it has none.
    pub size: String,
    pub try_on: bool,
    pub delivered_milli: i64,
    pub returned_milli: BTreeMap<Reason, i64>,
}

/// Pieces that were delivered, and of them those that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    pub delivered_milli: i64,
    pub returned_milli: i64,
}

impl Share {
    fn add(&mut self, delivered_milli: i64, returned_milli: i64) {
        self.delivered_milli += delivered_milli;
        self.returned_milli += returned_milli;
    }
    /// Between 0 and 1; `None` where nothing was delivered.
    pub fn rate(self) -> Option<f64> {
        (self.delivered_milli > 0).then(|| self.returned_milli as f64 / self.delivered_milli as f64)
    }
    /// Wilson's interval of 95 %.
    pub fn interval(self) -> Option<Interval> {
        wilson(self.returned_milli as f64 / 1000.0, self.delivered_milli as f64 / 1000.0, Z95)
    }
}

const Z95: f64 = 1.959_963_984_540_054;

/// The rate of a category, product, size, or of everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    pub key: String,
    pub name: String,
    pub all: Share,
    pub with_try_on: Share,
    pub without_try_on: Share,
    /// What came back by reason, the most frequent first.
    pub reasons: Vec<(Reason, i64)>,
}

/// What try-on changes: the rate with it less the rate without, with Newcombe's interval of 95 %; beyond nothing on both ends, it is no chance.
/// Who orders with try-on chooses it, so only where it was drawn by lot is it the cause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    pub difference: f64,
    pub low: f64,
    pub high: f64,
}

/// All rates of a period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    pub overall: Group,
    pub categories: Vec<Group>,
    pub products: Vec<Group>,
    pub sizes: Vec<Group>,
    pub effect: Option<Effect>,
    pub hints: Vec<Hint>,
}

/// Counts facts; groups with the most returns first, at most so many of each kind.
pub fn count(facts: &[Fact], groups_max: usize) -> Rates {
    let overall = group(facts.iter(), "", "");
    let by = |key: &dyn Fn(&Fact) -> Vec<(String, String)>| {
        let mut split: BTreeMap<(String, String), Vec<&Fact>> = BTreeMap::new();
        for fact in facts {
            for key in key(fact) {
                split.entry(key).or_default().push(fact);
            }
        }
        let mut out: Vec<Group> =
            split.into_iter().map(|((key, name), facts)| group(facts.into_iter(), &key, &name)).collect();
        out.sort_by(|a, b| b.all.returned_milli.cmp(&a.all.returned_milli).then_with(|| a.key.cmp(&b.key)));
        out.truncate(groups_max);
        out
    };
    let categories = by(&|f| f.categories.iter().map(|code| (code.clone(), String::new())).collect());
    let products = by(&|f| vec![(f.product_id.clone(), f.product_name.clone())]);
    let sizes = by(&|f| if f.size.is_empty() { vec![] } else { vec![(f.size.clone(), String::new())] });
    let effect = effect(overall.with_try_on, overall.without_try_on);
    Rates { overall, categories, products, sizes, effect, hints: hints(facts, Test::default()) }
}

fn group<'a>(facts: impl Iterator<Item = &'a Fact>, key: &str, name: &str) -> Group {
    let mut out = Group { key: key.into(), name: name.into(), ..Group::default() };
    let mut reasons: BTreeMap<Reason, i64> = BTreeMap::new();
    for fact in facts {
        let returned = fact.returned_milli.values().sum();
        out.all.add(fact.delivered_milli, returned);
        let side = if fact.try_on { &mut out.with_try_on } else { &mut out.without_try_on };
        side.add(fact.delivered_milli, returned);
        for (reason, milli) in &fact.returned_milli {
            *reasons.entry(*reason).or_default() += milli;
        }
    }
    out.reasons = reasons.into_iter().collect();
    out.reasons.sort_by_key(|(reason, milli)| (std::cmp::Reverse(*milli), *reason));
    out
}

fn effect(with: Share, without: Share) -> Option<Effect> {
    let pieces = |share: Share| (share.returned_milli as f64 / 1000.0, share.delivered_milli as f64 / 1000.0);
    let (difference, interval) = difference(pieces(with), pieces(without), Z95)?;
    Some(Effect { difference, low: interval.low, high: interval.high })
}

/// Something that the catalogue should say of a product, or of one of its sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    pub product_id: String,
    /// Empty: all sizes of it.
    pub size: String,
    /// `too_small`: it runs small; `too_large`: it runs large.
    pub reason: Reason,
    /// Pieces that came back for that reason, and all that came back.
    pub pieces: i64,
    pub of: i64,
    /// The share of that reason in what comes back of other goods.
    pub usual: f64,
    /// The chance of so many by chance alone.
    pub p: f64,
}

/// When a hint is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// Fewer returns say nothing.
    pub returns_min: i64,
    /// Fewer of the one reason say nothing.
    pub pieces_min: i64,
    /// Of the hints that are given, so many may be false (Benjamini and Hochberg 1995).
    pub false_share: f64,
}

impl Default for Test {
    fn default() -> Self {
        Self { returns_min: 10, pieces_min: 5, false_share: 0.05 }
    }
}

/// Which products and sizes run small or large.
///
/// Of each product, and of each of its sizes, the share of `too_small` (`too_large`) in what came back is compared with the share of the same
/// reason in what came back of all other products, by the exact one-sided binomial test; the other share is taken as (k + 1) / (n + 2), so that
/// few returns elsewhere prove nothing. Of all that are tested, those stay that keep the share of false hints below the limit.
pub fn hints(facts: &[Fact], test: Test) -> Vec<Hint> {
    let mut counts: BTreeMap<(&str, &str), BTreeMap<Reason, i64>> = BTreeMap::new();
    for fact in facts {
        let sizes: &[&str] = if fact.size.is_empty() { &[""] } else { &["", &fact.size] };
        for size in sizes {
            let known = counts.entry((&fact.product_id, size)).or_default();
            for (reason, milli) in &fact.returned_milli {
                *known.entry(*reason).or_default() += milli;
            }
        }
    }
    let sum = |of: &BTreeMap<Reason, i64>| of.values().sum::<i64>();
    let all: i64 = counts.iter().filter(|((_, size), _)| size.is_empty()).map(|(_, of)| sum(of)).sum();
    let mut tested = Vec::new();
    for reason in [Reason::TooSmall, Reason::TooLarge] {
        let total: i64 = counts
            .iter()
            .filter(|((_, size), _)| size.is_empty())
            .map(|(_, of)| of.get(&reason).copied().unwrap_or(0))
            .sum();
        for ((id, size), of) in &counts {
            let (pieces, n) = (of.get(&reason).copied().unwrap_or(0) / 1000, sum(of) / 1000);
            if n < test.returns_min || pieces < test.pieces_min {
                continue;
            }
            let own = counts.get(&(*id, "")).map_or((0, 0), |of| (of.get(&reason).copied().unwrap_or(0), sum(of)));
            let (k_other, n_other) = ((total - own.0) / 1000, (all - own.1) / 1000);
            let usual = (k_other as f64 + 1.0) / (n_other as f64 + 2.0);
            let p = binomial_tail(pieces, n, usual);
            tested.push(Hint { product_id: id.to_string(), size: size.to_string(), reason, pieces, of: n, usual, p });
        }
    }
    tested.sort_by(|a, b| a.p.total_cmp(&b.p).then_with(|| (&a.product_id, &a.size).cmp(&(&b.product_id, &b.size))));
    let m = tested.len() as f64;
    let keep = tested.iter().enumerate().rev().find(|(at, hint)| hint.p <= test.false_share * (*at as f64 + 1.0) / m);
    tested.truncate(keep.map_or(0, |(at, _)| at + 1));
    tested
}
