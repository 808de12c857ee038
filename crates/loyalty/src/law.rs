//! Rules of law as dated data: which tax, how cash is rounded, which earlier price stands beside a reduced one.
//!
//! A [`Law`] is a document with a source for each rule; [`presets`] has some to start from, the shop keeps its own version in
//! the store ([`crate::rules`]) and changes it without a release. What holds is asked for a day of the shop's calendar.
//!
//! Deliberately absent: legal advice. Whoever runs a shop checks the presets against its own duties.
pub mod goods;
pub mod presets;

use crate::amounts::Rate;
use crate::model::CashRounding;
use crate::tax::Rates;
use base::{DAY_US, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A day of the shop's calendar, ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

/// What the law of a country says, by day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// ISO 3166, two letters; `EU` for what holds in the whole union.
    pub country: String,
    /// The zone whose midnight begins a day.
    pub time_zone: String,
    /// The tax class of goods that name none.
    pub standard: String,
    pub rules: Vec<Dated>,
}

/// A rule with the days on which it holds and where it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dated {
    pub rule: Rule,
    /// The first day.
    pub from: Day,
    /// The first day on which it no longer holds; without it a later rule of the same subject takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Where it is written.
    pub source: String,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A tax class: its letter on a receipt, value added tax, and a retail excise on the price with it.
    Tax {
        class: String,
        letter: String,
        vat_percent: Rate,
        #[serde(default)]
        excise_percent: Rate,
    },
    /// How the cash total of a receipt is rounded.
    Cash { rounding: CashRounding },
    /// Which price stands beside a reduced one.
    EarlierPrice { shown: Earlier },
    /// From which age goods of these kinds are sold.
    Age { goods: Vec<String>, years: i64 },
    /// Each piece of these kinds is sold with its excise stamp scanned.
    Stamp { goods: Vec<String> },
    /// How long a receipt is kept.
    Receipts { kept_days: i64 },
    /// How long goods are taken back, and complained of.
    Returns(Returns),
}

/// How long a customer may give goods back, and complain of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// Days after the day on which the customer got the goods, which does not count, to return goods without a fault.
    pub days: i64,
    /// The same for goods with a fault, where nothing longer was promised.
    pub fault_days: i64,
    /// Goods without a fault that need not be taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<NotTakenBack>,
}

/// A class of goods that need not be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotTakenBack {
    /// As products name it.
    pub class: String,
    /// As people read it.
    pub words: String,
}

/// The earlier price beside a reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum Earlier {
    /// The price just before the reduction.
    Previous,
    /// The lowest price of so many days before the reduction was announced.
    Lowest { days: i64 },
}

/// Why a law cannot be used, and where it stands in its document.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LawError {
    #[error("{pointer}: {what}")]
    Invalid { pointer: String, what: String },
    #[error("no tax class {class:?} holds on {day}; there are {known}")]
    NoClass { class: String, day: Day, known: String },
}

impl Law {
    /// Checks a document: zone, classes, days, roundings.
    pub fn check(&self) -> Result<(), LawError> {
        let wrong = |pointer: String, what: &str| Err(LawError::Invalid { pointer, what: what.to_string() });
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return wrong("/time_zone".into(), "there is no such time zone");
        }
        let is_class = |d: &Dated| matches!(&d.rule, Rule::Tax { class, .. } if *class == self.standard);
        if !self.standard.is_empty() && !self.rules.iter().any(is_class) {
            return wrong("/standard".into(), "no rule makes this tax class");
        }
        for (at, dated) in self.rules.iter().enumerate() {
            if dated.until.is_some_and(|until| until <= dated.from) {
                return wrong(format!("/rules/{at}/until"), "it ends before it begins");
            }
            if dated.source.trim().is_empty() {
                return wrong(format!("/rules/{at}/source"), "say where the rule is written");
            }
            match &dated.rule {
                Rule::Tax { vat_percent, excise_percent, .. } => {
                    let sound = |rate: &Rate| (0..=Rate::percent(1000).0).contains(&rate.0);
                    if !sound(vat_percent) || !sound(excise_percent) {
                        return wrong(format!("/rules/{at}/rule"), "a tax lies between 0 and 1000 percent");
                    }
                }
                Rule::Cash { rounding } => {
                    if rounding.step_minor < 1 || !(0..=rounding.step_minor).contains(&rounding.up_from_minor) {
                        let what = "the step is at least 1, and what goes up lies within it";
                        return wrong(format!("/rules/{at}/rule/rounding"), what);
                    }
                }
                Rule::EarlierPrice { shown: Earlier::Lowest { days } } if !(1..=3650).contains(days) => {
                    return wrong(format!("/rules/{at}/rule/shown/days"), "it lies between 1 and 3650");
                }
                Rule::EarlierPrice { .. } => {}
                Rule::Age { goods, .. } | Rule::Stamp { goods } if goods.iter().all(|kind| kind.trim().is_empty()) => {
                    return wrong(format!("/rules/{at}/rule/goods"), "name at least one kind of goods");
                }
                Rule::Age { years, .. } if !(1..=120).contains(years) => {
                    return wrong(format!("/rules/{at}/rule/years"), "an age lies between 1 and 120");
                }
                Rule::Receipts { kept_days } if !(1..=36_500).contains(kept_days) => {
                    return wrong(format!("/rules/{at}/rule/kept_days"), "it lies between 1 and 36500");
                }
                Rule::Age { .. } | Rule::Stamp { .. } | Rule::Receipts { .. } => {}
                Rule::Returns(returns) => {
                    for (what, days) in [("days", returns.days), ("fault_days", returns.fault_days)] {
                        if !(0..=3650).contains(&days) {
                            return wrong(format!("/rules/{at}/rule/{what}"), "it lies between 0 and 3650");
                        }
                    }
                    if let Some(nth) = returns.except.iter().position(|e| e.class.trim().is_empty()) {
                        return wrong(format!("/rules/{at}/rule/except/{nth}/class"), "name the class of goods");
                    }
                }
            }
        }
        Ok(())
    }

    /// The day of the shop's calendar at a moment.
    pub fn day(&self, at: Timestamp) -> Day {
        let zone = jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let offset = jiff::Timestamp::from_microsecond(at.micros()).map_or(0, |t| zone.to_offset(t).seconds());
        Day((at.micros() + i64::from(offset) * 1_000_000).div_euclid(DAY_US))
    }

    /// The rules that hold on a day, the latest first.
    fn holding(&self, day: Day) -> impl Iterator<Item = &Dated> {
        let mut all: Vec<&Dated> =
            self.rules.iter().filter(|d| d.from <= day && d.until.is_none_or(|until| day < until)).collect();
        all.sort_by_key(|d| std::cmp::Reverse(d.from));
        all.into_iter()
    }

    /// The rates of a tax class on a day.
    pub fn tax(&self, class: &str, day: Day) -> Result<Rates, LawError> {
        let mut known = Vec::new();
        for dated in self.holding(day) {
            if let Rule::Tax { class: name, vat_percent, excise_percent, .. } = &dated.rule {
                if name == class {
                    return Ok(Rates { vat: *vat_percent, excise: *excise_percent });
                }
                known.push(name.as_str());
            }
        }
        Err(LawError::NoClass { class: class.into(), day, known: known.join(", ") })
    }

    /// The rates of goods that name no class; no tax where the law has none.
    pub fn standard_tax(&self, day: Day) -> Rates {
        self.tax(&self.standard, day).unwrap_or_default()
    }

    /// How cash is rounded on a day; `None` where it is not.
    pub fn cash(&self, day: Day) -> Option<CashRounding> {
        self.holding(day).find_map(|d| match d.rule {
            Rule::Cash { rounding } => Some(rounding),
            _ => None,
        })
    }

    /// How long goods are taken back that were got on a day, and where that is written; `None` where the law says nothing.
    pub fn returns(&self, day: Day) -> Option<(&Returns, &str)> {
        self.holding(day).find_map(|d| match &d.rule {
            Rule::Returns(returns) => Some((returns, d.source.as_str())),
            _ => None,
        })
    }

    /// The first moment after a day of the shop's calendar.
    pub fn end_of(&self, day: Day) -> Timestamp {
        let zone = jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let midnight = Timestamp::from_micros((day.0 + 1) * DAY_US);
        let civil = jiff::Timestamp::from_microsecond(midnight.micros()).map(|t| zone.to_offset(t).seconds());
        let guess = midnight.plus(-i64::from(civil.unwrap_or(0)) * 1_000_000);
        // The offset at that moment, should clocks change around it.
        let at = jiff::Timestamp::from_microsecond(guess.micros()).map(|t| zone.to_offset(t).seconds());
        midnight.plus(-i64::from(at.unwrap_or(0)) * 1_000_000)
    }

    /// Which price stands beside a reduced one on a day.
    pub fn earlier_price(&self, day: Day) -> Option<Earlier> {
        self.holding(day).find_map(|d| match d.rule {
            Rule::EarlierPrice { shown } => Some(shown),
            _ => None,
        })
    }
}

impl Day {
    /// So many days later.
    #[must_use]
    pub fn plus(self, days: i64) -> Day {
        Day(self.0.saturating_add(days))
    }
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Day> {
        let right = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let day = right.then(|| Timestamp::parse(text).ok())?.map(|at| Day(at.micros().div_euclid(DAY_US)))?;
        (day.to_string() == text).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp::from_micros(self.0 * DAY_US).to_string();
        f.write_str(text.get(..10).unwrap_or(&text))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Day::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no day as in 2025-10-01")))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_goods;
