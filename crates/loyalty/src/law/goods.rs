//! What the law says of kinds of goods: who may buy them, whether they can be given back, which bear a stamp, and how long a receipt
//! is kept. Pure: a law, kinds of goods and days in; an answer with its source out.
//!
//! Goods have kinds as words of the shop's own choice (`alcohol`, `hosiery`, …): the law names those that it means, and goods may
//! be of several. What no rule names is ordinary.
use super::{Day, Law, Rule};

/// Whether a purchase may be given back because it does not fit or please; what is faulty is another right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveBack {
    /// Up to and with this day.
    Until(Day),
    /// The last day has gone by.
    TooLate(Day),
    /// Goods of this kind are not taken back, and where that is written.
    Excepted { kind: String, source: String },
    /// The law gives no such right; the shop may.
    NoRight,
}

/// How something was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bought {
    /// Seen and taken in a shop.
    InShop,
    /// At a distance: from the site, by phone, from a marketplace. The days count from the day on which it was handed over.
    AtDistance,
}

impl Law {
    /// The age from which goods of these kinds are sold on a day, with the source; the highest where several hold.
    pub fn age(&self, kinds: &[&str], day: Day) -> Option<(i64, &str)> {
        let ages = self.holding(day).filter_map(|dated| match &dated.rule {
            Rule::Age { goods, years } if names(goods, kinds).is_some() => Some((*years, dated.source.as_str())),
            _ => None,
        });
        // Of rules of one age the latest is told.
        ages.fold(
            None,
            |best: Option<(i64, &str)>, one| if best.is_none_or(|b| one.0 > b.0) { Some(one) } else { best },
        )
    }

    /// Whether each piece of these kinds is sold with its excise stamp scanned on a day, and where that is written.
    pub fn stamp(&self, kinds: &[&str], day: Day) -> Option<&str> {
        self.holding(day).find_map(|dated| match &dated.rule {
            Rule::Stamp { goods } if names(goods, kinds).is_some() => Some(dated.source.as_str()),
            _ => None,
        })
    }

    /// Whether goods of these kinds, bought or handed over on a day, may be given back on another. The law of the day of purchase
    /// holds; that day itself does not count.
    pub fn give_back(&self, kinds: &[&str], how: Bought, bought: Day, asked: Day) -> GiveBack {
        let right = self.holding(bought).find_map(|dated| match &dated.rule {
            Rule::GiveBack { days, distance_days } => Some(match how {
                Bought::InShop => *days,
                Bought::AtDistance => *distance_days,
            }),
            _ => None,
        });
        let Some(days) = right.filter(|days| *days > 0) else { return GiveBack::NoRight };
        for dated in self.holding(bought) {
            if let Rule::NotGivenBack { goods, distance } = &dated.rule
                && distance.is_none_or(|distance| distance == (how == Bought::AtDistance))
                && let Some(kind) = names(goods, kinds)
            {
                return GiveBack::Excepted { kind: kind.to_string(), source: dated.source.clone() };
            }
        }
        let until = bought.plus(days);
        if asked <= until { GiveBack::Until(until) } else { GiveBack::TooLate(until) }
    }

    /// The last day on which a receipt of a day must still be kept; `None` where the law names none.
    pub fn receipts_kept_until(&self, issued: Day) -> Option<Day> {
        self.holding(issued).find_map(|dated| match dated.rule {
            Rule::Receipts { kept_days } => Some(issued.plus(kept_days)),
            _ => None,
        })
    }
}

/// The first of the kinds that a rule names.
fn names<'a>(goods: &[String], kinds: &[&'a str]) -> Option<&'a str> {
    kinds.iter().find(|kind| goods.iter().any(|named| named == *kind)).copied()
}
