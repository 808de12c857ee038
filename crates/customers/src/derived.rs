//! What follows from a person's state at a moment: pure functions, one registry.
//!
//! Nothing here is stored. Each answer says the value, until when it holds if nothing happens, over which window and how
//! many events it rests on, and why in words. [`ALL`] is the only list: the API, segments (`trait.lifecycle_stage`),
//! templates and the documentation read it.
mod habits;
mod lifecycle;
mod omnichannel;
mod preference;
mod rules;
mod value;

pub use habits::lost_of;
pub use rules::{BadRules, Rules, Thresholds};

use crate::facts::{Act, Channel, PERIOD_DAYS, PERIODS, Tally, period_of};
use crate::model::State;
use base::{DAY_US, Timestamp};
use db::event::Scalar;

#[cfg(test)]
mod tests;

/// The type of a derived trait's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Bool,
    /// Texts; a condition holds when it holds for any of them.
    List,
}

impl Kind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Bool => "bool",
            Kind::List => "list",
        }
    }
}

/// Over what an answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Everything that is known.
    Ever,
    /// So many days back from now.
    Days(i64),
    /// The present period of thirty days and the three before it.
    Periods,
    /// The customer said it.
    Stated,
}

impl Window {
    /// In words.
    pub fn describe(self) -> String {
        match self {
            Window::Ever => "ever".into(),
            Window::Days(days) => format!("last {days} days"),
            Window::Periods => format!("the present {PERIOD_DAYS} days and the {} before", PERIOD_DAYS * 3),
            Window::Stated => "stated by the customer".into(),
        }
    }
}

/// What is asked about whom.
pub struct Asked<'a> {
    pub state: &'a State,
    pub now: Timestamp,
    pub rules: &'a Rules,
    /// Channel and purpose to granted or denied.
    pub consent: &'a dyn Fn(&str, &str) -> Option<bool>,
    /// Whether reasons are wanted; conditions do without.
    pub explain: bool,
}

/// What is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// None is missing, several are a list.
    pub values: Vec<Scalar>,
    /// The earliest moment at which it may be another if nothing happens.
    pub valid_until: Option<Timestamp>,
    pub window: Window,
    /// Events that it rests on.
    pub count: u64,
    pub why: String,
}

impl Answer {
    fn none(window: Window) -> Self {
        Self { values: Vec::new(), valid_until: None, window, count: 0, why: String::new() }
    }
    fn of(value: Scalar, window: Window, count: u64) -> Self {
        Self { values: vec![value], valid_until: None, window, count, why: String::new() }
    }
    fn text(value: &str, window: Window, count: u64) -> Self {
        Self::of(Scalar::Text(value.into()), window, count)
    }
    fn until(mut self, at: Option<Timestamp>) -> Self {
        self.valid_until = at;
        self
    }
    fn because(mut self, asked: &Asked<'_>, why: impl FnOnce() -> String) -> Self {
        if asked.explain {
            self.why = why();
        }
        self
    }
}

/// One derived trait.
pub struct Derived {
    /// As it stands after `trait.`, with dots.
    pub name: &'static str,
    pub kind: Kind,
    /// `days`, `hour`, `money`; empty for words.
    pub unit: &'static str,
    /// The texts that it can be; empty where they are not a fixed list.
    pub options: &'static [&'static str],
    pub doc: &'static str,
    /// Consents that it reads, by channel; of marketing.
    pub consents: &'static [&'static str],
    /// Traits that it reads.
    pub traits: &'static [&'static str],
    /// Whether time alone can change it.
    pub by_time: bool,
    pub function: fn(&Asked<'_>) -> Answer,
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Derived({})", self.name)
    }
}

/// Every derived trait, by name.
pub static ALL: &[Derived] = &[
    value::AVERAGE_ORDER,
    habits::APP_LOOKS_ONLY,
    value::EXPECTED_YEAR,
    value::INCOME_YEAR,
    value::NET_YEAR,
    value::SERVICE_COST_YEAR,
    habits::BEST_HOUR,
    habits::BEST_WEEKDAY,
    habits::BUYS_ON,
    habits::CROSS_DEVICE,
    habits::EMAIL,
    habits::MESSENGER,
    habits::PHONE,
    habits::PUSH,
    habits::SEARCHES_ON,
    habits::SMS,
    lifecycle::STAGE,
    habits::LOST_CHANNELS,
    omnichannel::APP_INSTALLED,
    omnichannel::BOPIS,
    omnichannel::HOME_DELIVERY,
    omnichannel::LEAVES_REVIEWS,
    omnichannel::PRICE_COMPARING,
    omnichannel::SUBSCRIBED,
    preference::CHANNEL,
    preference::CONTACT_CHANNEL,
    preference::DEVICE,
    lifecycle::PURCHASE_INTERVAL,
];

/// A derived trait by name.
pub fn find(name: &str) -> Option<&'static Derived> {
    ALL.iter().find(|d| d.name == name)
}

/// The first names of derived traits that are groups, such as `omnichannel`.
pub fn is_group(root: &str) -> bool {
    ALL.iter().any(|d| d.name.split_once('.').is_some_and(|(group, _)| group == root))
}

/// Counts of an act in the window of periods, or ever when `ever`.
fn tallies<'a>(asked: &Asked<'a>, ever: bool) -> impl Iterator<Item = &'a Tally> {
    let first = if ever { 0 } else { period_of(asked.now).saturating_sub(PERIODS - 1).max(1) };
    asked.state.facts.tallies.iter().filter(move |t| t.period >= first)
}

fn count(asked: &Asked<'_>, ever: bool, wanted: impl Fn(Act, Channel) -> bool) -> u64 {
    let all = tallies(asked, ever).filter(|t| wanted(Act::from_code(t.act), t.channel()));
    all.map(|t| u64::from(t.count)).sum()
}

/// When the window of periods moves on, if anything is in it.
fn next_period(asked: &Asked<'_>) -> Option<Timestamp> {
    let any = tallies(asked, false).next().is_some();
    any.then(|| Timestamp::from_micros((i64::from(period_of(asked.now)) + 1) * PERIOD_DAYS * DAY_US))
}

/// Days of a span, rounded.
fn days(us: i64) -> i64 {
    (us + DAY_US / 2).div_euclid(DAY_US)
}
