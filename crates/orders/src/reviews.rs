//! Reviews of products (P3, AA5): written by customers from the link of their order, or brought from elsewhere with their source.
//!
//! Here are the nouns and the pure rules: what may be written ([`check`]), what is shown unread ([`is_trusted`]), what has to be answered
//! first ([`is_raised`]), the sums of a product ([`Rating`]). [`commands`] is what can be asked, [`lists`] what is read beside the
//! writer. The states are [`crate::states::reviews`].
//!
//! Invariants: a line of an order has at most one review; sums are those of what is published ([`commands::recounted`] says so).
pub mod commands;
pub mod lists;

use crate::error::OrderError;
use crate::states::reviews::Review as State;
use base::Timestamp;
use serde::{Deserialize, Serialize};

/// Characters of a title, a text, a name, a reason.
pub const TITLE_MAX: usize = 200;
pub const TEXT_MAX: usize = 4_000;
pub const NAME_MAX: usize = 80;
pub const REASON_MAX: usize = 500;

/// Where a review was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Here, by who bought it.
    Own,
    /// Brought by a file or another system.
    Import,
    /// A marketplace.
    Marketplace,
}

impl Source {
    /// All of them.
    pub const ALL: [Source; 3] = [Source::Own, Source::Import, Source::Marketplace];
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Own => "own",
            Source::Import => "import",
            Source::Marketplace => "marketplace",
        }
    }
    /// The inverse of [`Source::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What the shop lets be shown by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewSettings {
    /// From so many stars a review is shown unread; 0: somebody reads each.
    pub publish_from: u8,
    /// Up to so many stars a review is negative: while nobody answered it, it stands first.
    pub negative_to: u8,
}

impl Default for ReviewSettings {
    fn default() -> Self {
        Self { publish_from: 0, negative_to: 2 }
    }
}

/// What somebody writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// 1 to 5.
    pub rating: i64,
    pub title: String,
    pub text: String,
    /// As it is shown; empty: nobody's.
    pub name: String,
    /// A language such as `uk`; empty: not said.
    pub lang: String,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub no: i64,
    pub product_no: i64,
    pub variant_no: i64,
    /// The order and the place of its line: the purchase is verified.
    pub bought: Option<(i64, usize)>,
    pub source: Source,
    pub source_id: String,
    pub state: State,
    /// Why it is not shown.
    pub reason: String,
    pub written: Written,
    /// What the shop says to it; empty: nothing yet.
    pub answer: String,
    pub answered_by: String,
    pub answered_at: Timestamp,
    pub decided_by: String,
    pub written_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// How many reviews of a product are published, by stars from one to five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rating {
    pub stars: [i64; 5],
}

impl Rating {
    /// One more, or one less, of so many stars.
    pub fn moved(mut self, rating: i64, by: i64) -> Self {
        if let Some(count) = usize::try_from(rating - 1).ok().and_then(|at| self.stars.get_mut(at)) {
            *count += by;
        }
        self
    }
    /// How many there are.
    pub fn count(&self) -> i64 {
        self.stars.iter().sum()
    }
    /// The mean to two decimals, half up: `4.67`; `None` of none.
    pub fn mean(&self) -> Option<String> {
        let count = i128::from(self.count());
        if count <= 0 {
            return None;
        }
        let sum: i128 = (1..).zip(self.stars).map(|(star, n): (i128, i64)| star * i128::from(n)).sum();
        let hundredths = (sum * 200 + count) / (count * 2);
        Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
    }
}

/// Whether a review is shown before somebody read it.
pub fn is_trusted(settings: &ReviewSettings, rating: i64) -> bool {
    settings.publish_from > 0 && rating >= i64::from(settings.publish_from)
}

/// Whether a review stands first until somebody answers it.
pub fn is_raised(settings: &ReviewSettings, review: &Review) -> bool {
    review.state != State::Rejected
        && review.answer.is_empty()
        && review.written.rating <= i64::from(settings.negative_to)
}

fn one_line(pointer: &str, text: &str, most: usize) -> Result<String, OrderError> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(OrderError::field(pointer, format!("at most {most} characters on one line")));
    }
    Ok(text.into())
}

/// A text of some lines, without what no text holds.
pub(crate) fn some_lines(pointer: &str, text: &str, most: usize) -> Result<String, OrderError> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(OrderError::field(pointer, format!("at most {most} characters")));
    }
    Ok(text.into())
}

/// What was written, as it is kept.
pub fn check(written: &Written) -> Result<Written, OrderError> {
    if !(1..=5).contains(&written.rating) {
        return Err(OrderError::field("/rating", "one to five stars"));
    }
    let lang = written.lang.trim();
    if lang.len() > 20 || !lang.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(OrderError::field("/lang", "a language such as uk or pt-BR"));
    }
    Ok(Written {
        rating: written.rating,
        title: one_line("/title", &written.title, TITLE_MAX)?,
        text: some_lines("/text", &written.text, TEXT_MAX)?,
        name: one_line("/name", &written.name, NAME_MAX)?,
        lang: lang.into(),
    })
}

#[cfg(test)]
mod tests;
