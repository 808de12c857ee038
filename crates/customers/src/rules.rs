//! The rules of identity as data: priorities, limits and written forms by kind, values that identify nobody, when a value
//! counts as shared. Defaults are CONVENTIONS 1; every change is a version.
use crate::identifier::{KIND_MAX, VALUE_MAX, is_placeholder};
use crate::identity::Limit;
use crate::pattern;
use base::{Country, DAY_US, normalise_email, normalise_phone};
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

mod store;
#[cfg(test)]
mod tests;

pub use store::{
    ListError, Listed, RERUN, RulesRow, applied, block, blocked_list, carried, current, listed_values, newest, of, set,
    set_applied, unblock,
};

/// In which form values of a kind are stored and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is, without blanks at its ends.
    Exact,
    /// In lower case.
    Lower,
    /// Letters and digits only, in lower case: cards and codes that people write in groups.
    Compact,
    /// An address (trimmed, lower case).
    Email,
    /// E.164, read with the shop's country.
    Phone,
}

/// So many values within so many days; without days, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitData {
    pub count: u32,
    #[serde(default)]
    pub window_days: Option<u32>,
}

/// What holds for one kind of identifier; the kind `*` stands for all that are not named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRule {
    pub kind: String,
    /// 1 comes first; equal ones are ordered by name.
    pub priority: u32,
    pub limits: Vec<LimitData>,
    pub form: Form,
}

/// When a value counts as shared by many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hubs {
    /// Listed as a suspect from so many other values of one kind on.
    pub suspect_at: u32,
    /// Demoted without asking from so many on; 0 = never.
    pub demote_at: u32,
    pub window_days: u32,
}

/// What the stitch rate is and when it alarms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stitch {
    /// A new anonymous profile counts as stitched when it becomes known within so many days.
    pub known_within_days: u32,
    /// Alarm when a rate is this many times smaller or larger than in the weeks before; 0 = never.
    pub alarm_factor: f64,
}

/// The rules as people read and write them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesData {
    pub kinds: Vec<KindRule>,
    pub hubs: Hubs,
    pub stitch: Stitch,
}

impl Default for RulesData {
    fn default() -> Self {
        let limit = |count, window_days| LimitData { count, window_days };
        let rule = |kind: &str, priority, limits: &[LimitData], form| KindRule {
            kind: kind.into(),
            priority,
            limits: limits.to_vec(),
            form,
        };
        let year = Some(365);
        Self {
            kinds: vec![
                rule("user_id", 1, &[limit(1, None)], Form::Exact),
                rule("email", 2, &[limit(5, year)], Form::Email),
                rule("phone", 3, &[limit(5, year)], Form::Phone),
                rule("*", 10, &[limit(5, year)], Form::Exact),
                rule("anonymous_id", 100, &[limit(20, year), limit(5, Some(7))], Form::Exact),
            ],
            hubs: Hubs { suspect_at: 3, demote_at: 10, window_days: 30 },
            stitch: Stitch { known_within_days: 7, alarm_factor: 2.0 },
        }
    }
}

/// What is wrong with rules, and where: a JSON Pointer and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BadRules {
    pub pointer: String,
    pub detail: String,
}

fn bad(pointer: impl Into<String>, detail: impl Into<String>) -> BadRules {
    BadRules { pointer: pointer.into(), detail: detail.into() }
}

/// Kinds that rules may name.
const KINDS_MAX: usize = 64;

impl RulesData {
    /// Checks what somebody wrote.
    pub fn check(&self) -> Result<(), BadRules> {
        if self.kinds.len() > KINDS_MAX {
            return Err(bad("/kinds", format!("at most {KINDS_MAX} kinds can have rules of their own")));
        }
        if !self.kinds.iter().any(|k| k.kind == "*") {
            return Err(bad("/kinds", "a rule for the kind * must say what holds for all other kinds"));
        }
        let mut seen = HashSet::new();
        for (at, rule) in self.kinds.iter().enumerate() {
            let here = |field: &str| format!("/kinds/{at}/{field}");
            if rule.kind.trim() != rule.kind || rule.kind.is_empty() || rule.kind.len() > KIND_MAX {
                return Err(bad(here("kind"), format!("a kind has 1 to {KIND_MAX} characters without blanks around")));
            }
            if !seen.insert(&rule.kind) {
                return Err(bad(here("kind"), format!("{} stands here twice", rule.kind)));
            }
            if !(1..=1000).contains(&rule.priority) {
                return Err(bad(here("priority"), "a priority is a number from 1 to 1000; 1 comes first"));
            }
            let fixed = match rule.kind.as_str() {
                "email" => Some(Form::Email),
                "phone" => Some(Form::Phone),
                _ => None,
            };
            if fixed.is_some_and(|f| f != rule.form) {
                return Err(bad(here("form"), format!("{} always has its own form", rule.kind)));
            }
            if rule.limits.len() > 8 {
                return Err(bad(here("limits"), "at most eight limits a kind"));
            }
            for (n, limit) in rule.limits.iter().enumerate() {
                if !(1..=1000).contains(&limit.count) || limit.window_days.is_some_and(|d| !(1..=3650).contains(&d)) {
                    return Err(bad(
                        format!("/kinds/{at}/limits/{n}"),
                        "a limit is 1 to 1000 values within 1 to 3650 days, or ever",
                    ));
                }
            }
        }
        let Hubs { suspect_at, demote_at, window_days } = self.hubs;
        if !(2..=1000).contains(&suspect_at) || demote_at > 1000 || (demote_at > 0 && demote_at < suspect_at) {
            return Err(bad("/hubs", "suspect_at is 2 to 1000; demote_at is not below it, or 0 for never"));
        }
        if !(1..=365).contains(&window_days) {
            return Err(bad("/hubs/window_days", "the window has 1 to 365 days"));
        }
        let Stitch { known_within_days, alarm_factor } = self.stitch;
        if !(1..=30).contains(&known_within_days) {
            return Err(bad("/stitch/known_within_days", "1 to 30 days"));
        }
        if !(alarm_factor == 0.0 || (1.1..=100.0).contains(&alarm_factor)) {
            return Err(bad("/stitch/alarm_factor", "a factor from 1.1 to 100, or 0 for no alarm"));
        }
        Ok(())
    }
}

/// How a listed value is kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It identifies nobody.
    Block,
    /// So does every value that it matches: `*` any characters, `?` one, `[0-9a]` one of these.
    Pattern,
    /// It counts only where an event carries nothing else, and then has a profile of its own.
    Demote,
}

impl Mode {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Block => "block",
            Mode::Pattern => "pattern",
            Mode::Demote => "demote",
        }
    }
    fn parse(text: &str) -> Self {
        match text {
            "pattern" => Mode::Pattern,
            "demote" => Mode::Demote,
            _ => Mode::Block,
        }
    }
}

/// Values of one kind that are kept out.
#[derive(Debug, Clone, Default)]
struct Listing {
    exact: HashMap<Box<str>, Mode>,
    patterns: Vec<Box<str>>,
}

/// What a kind's rule says, ready for use.
#[derive(Debug, Clone)]
struct Compiled {
    priority: u32,
    limits: Vec<Limit>,
    form: Form,
}

/// The rules as events are matched by them.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Rises with every change of rules or listed values.
    pub version: i64,
    kinds: HashMap<Box<str>, Compiled>,
    other: Compiled,
    listed: HashMap<Box<str>, Listing>,
    demotes: bool,
    pub hubs: Hubs,
    pub stitch: Stitch,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(&RulesData::default(), [], 0)
    }
}

/// A value that is kept out: kind (`*` = every kind), value, mode.
pub type KeptOut = (Box<str>, Box<str>, Mode);

impl Rules {
    /// Checked rules with the values that are kept out.
    pub fn new(data: &RulesData, values: impl IntoIterator<Item = KeptOut>, version: i64) -> Self {
        let mut kinds = HashMap::new();
        let mut other = Compiled { priority: 10, limits: Vec::new(), form: Form::Exact };
        for rule in &data.kinds {
            let limit = |l: &LimitData| Limit {
                count: l.count as usize,
                window_us: l.window_days.map(|days| i64::from(days) * DAY_US),
            };
            let limits = rule.limits.iter().map(limit).collect();
            let compiled = Compiled { priority: rule.priority, limits, form: rule.form };
            if rule.kind == "*" {
                other = compiled;
            } else {
                kinds.insert(rule.kind.as_str().into(), compiled);
            }
        }
        let mut listed: HashMap<Box<str>, Listing> = HashMap::new();
        let mut demotes = false;
        for (kind, value, mode) in values {
            let listing = listed.entry(kind).or_default();
            demotes |= mode == Mode::Demote;
            if mode == Mode::Pattern {
                listing.patterns.push(value);
            } else {
                listing.exact.insert(value, mode);
            }
        }
        Self { version, kinds, other, listed, demotes, hubs: data.hubs, stitch: data.stitch }
    }

    fn kind(&self, kind: &str) -> &Compiled {
        self.kinds.get(kind).unwrap_or(&self.other)
    }
    /// The limits of a kind of identifier.
    pub fn limits(&self, kind: &str) -> &[Limit] {
        &self.kind(kind).limits
    }
    /// The order in which identifiers are matched: least first.
    pub fn priority<'k>(&self, kind: &'k str) -> (u32, &'k str) {
        (self.kind(kind).priority, kind)
    }
    /// Whether a normalised value identifies nobody.
    pub fn is_blocked(&self, kind: &str, value: &str) -> bool {
        if is_placeholder(value) {
            return true;
        }
        let says = |listing: &Listing| {
            matches!(listing.exact.get(value), Some(Mode::Block))
                || listing.patterns.iter().any(|p| pattern::matches(p, value))
        };
        !self.listed.is_empty() && [kind, "*"].into_iter().any(|k| self.listed.get(k).is_some_and(says))
    }
    /// Whether a normalised value counts only where an event carries nothing else.
    pub fn is_demoted(&self, kind: &str, value: &str) -> bool {
        let says = |l: &Listing| matches!(l.exact.get(value), Some(Mode::Demote));
        self.demotes && [kind, "*"].into_iter().any(|k| self.listed.get(k).is_some_and(says))
    }
    /// Whether any value is demoted, asked before each event is looked through.
    pub fn demotes(&self) -> bool {
        self.demotes
    }
    /// The one form in which a value is stored and compared; `None` when it cannot be a value of its kind.
    pub fn normalise<'a>(&self, kind: &str, value: &'a str, country: Country) -> Option<Cow<'a, str>> {
        let value = value.trim();
        let value = match self.kind(kind).form {
            Form::Email => Cow::Owned(normalise_email(value)?),
            Form::Phone => Cow::Owned(normalise_phone(value, country)?),
            Form::Lower => Cow::Owned(value.to_lowercase().replace('\0', "\u{fffd}")),
            Form::Compact => {
                let kept: String = value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
                Cow::Owned(Some(kept).filter(|k| !k.is_empty())?)
            }
            Form::Exact if value.contains('\0') => Cow::Owned(value.replace('\0', "\u{fffd}")),
            Form::Exact => Cow::Borrowed(value),
        };
        // Bytes bound characters from above, so the usual short value is not counted.
        (value.len() <= VALUE_MAX || value.chars().count() <= VALUE_MAX).then_some(value)
    }
}
