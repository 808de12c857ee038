//! Rules that the business edits while it runs: ordered data, no release.
//!
//! A rule names orders and places by conditions and says one thing about them. Rules are looked at in their order. About
//! whether a place may serve a line the first rule that speaks decides, so an exception stands before what it is an exception
//! from. Preferences add up, the least cap counts, and one parcel is wanted as soon as one rule wants it.
use super::model::{Line, Location, Order};
use serde::{Deserialize, Serialize};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Names it in reasons.
    pub id: String,
    /// When it speaks.
    #[serde(default)]
    pub when: Condition,
    /// What it says.
    pub then: Effect,
}

/// When a rule speaks. An empty list asks nothing; of several values any; of several lists all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Orders by id.
    pub orders: Vec<String>,
    /// Channels that orders came by.
    pub channels: Vec<String>,
    /// Zones that orders go to.
    pub zones: Vec<String>,
    /// Lines by the code of a category, which stands for all below it.
    pub categories: Vec<String>,
    /// Lines by SKU.
    pub skus: Vec<String>,
    /// Places by id.
    pub locations: Vec<String>,
    /// Places by kind.
    pub kinds: Vec<String>,
    /// First day, as in `2026-11-27`.
    pub from_day: Option<String>,
    /// Last day.
    pub to_day: Option<String>,
    /// Hours of the day from, included, to, excluded; over midnight when the second is not greater.
    pub hours: Option<(u32, u32)>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Effect {
    /// These places may serve, whatever later rules say.
    Allow,
    /// These places do not serve.
    Forbid,
    /// A parcel from any other place counts as so much dearer.
    Prefer {
        /// Minor units.
        bonus_minor: i64,
    },
    /// Each of these places gives at most so many pieces a day.
    Cap {
        /// Pieces.
        pieces: i64,
    },
    /// The order goes as one parcel or not at all.
    OneParcel,
}

impl Condition {
    fn order(&self, order: &Order) -> bool {
        let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
        let hour = |(from, to): (u32, u32)| {
            let inside = |hour: u32| if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to };
            order.hour.is_some_and(inside)
        };
        any(&self.orders, &order.id)
            && any(&self.channels, &order.channel)
            && any(&self.zones, &order.zone)
            && self.from_day.as_ref().is_none_or(|day| order.day.as_str() >= day.as_str())
            && self.to_day.as_ref().is_none_or(|day| order.day.as_str() <= day.as_str())
            && self.hours.is_none_or(hour)
    }
    fn line(&self, line: &Line) -> bool {
        let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
        let of = self.categories.is_empty() || self.categories.iter().any(|wanted| line.categories.contains(wanted));
        of && any(&self.skus, &line.sku)
    }
    fn location(&self, location: &Location) -> bool {
        let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
        any(&self.locations, &location.id) && any(&self.kinds, &location.kind)
    }
}

/// What the rules say about one order.
pub(super) struct Said<'a> {
    rules: Vec<&'a Rule>,
    /// Wanted as one parcel.
    pub one_parcel: bool,
}

impl<'a> Said<'a> {
    pub fn about(rules: &'a [Rule], order: &Order) -> Self {
        let speaks = |rule: &&Rule| rule.when.order(order) && order.lines.iter().any(|l| rule.when.line(l));
        let rules: Vec<&Rule> = rules.iter().filter(speaks).collect();
        let one_parcel = rules.iter().any(|r| r.then == Effect::OneParcel);
        Said { rules, one_parcel }
    }
    pub fn silent(&self) -> bool {
        self.rules.is_empty()
    }
    pub fn allows(&self, location: &Location, line: &Line) -> bool {
        let speaks = |rule: &&&Rule| {
            matches!(rule.then, Effect::Allow | Effect::Forbid) && rule.when.location(location) && rule.when.line(line)
        };
        self.rules.iter().find(speaks).is_none_or(|rule| rule.then == Effect::Allow)
    }
    /// Minor units that a parcel from here counts as dearer.
    pub fn penalty_minor(&self, location: &Location) -> i64 {
        let of = |rule: &&Rule| match rule.then {
            Effect::Prefer { bonus_minor } if !rule.when.location(location) => bonus_minor.max(0),
            _ => 0,
        };
        self.rules.iter().map(of).sum()
    }
    pub fn cap(&self, location: &Location) -> Option<i64> {
        let of = |rule: &&Rule| match rule.then {
            Effect::Cap { pieces } if rule.when.location(location) => Some(pieces.max(0)),
            _ => None,
        };
        self.rules.iter().filter_map(of).min()
    }
}
