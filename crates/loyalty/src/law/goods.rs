//! What the law says of kinds of goods: who may buy them, which bear a stamp, and how long a receipt
//! is kept. Pure: a law, kinds of goods and days in; an answer with its source out.
//!
//! Goods have kinds as words of the shop's own choice (`alcohol`, `hosiery`, …): the law names those that it means, and goods may
//! be of several. What no rule names is ordinary.
use super::{Day, Law, Rule};

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
