//! The nouns: a profile, its state, and what it consists of.
use crate::counters::Counters;
use crate::facts::Facts;
use base::Timestamp;
use db::index::Tail;
use std::borrow::Cow;
use std::sync::Arc;

/// The event that brought an identifier to its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Position in the log.
    pub seq: i64,
    pub message_id: Box<str>,
    /// The event's own time.
    pub at: Timestamp,
}

/// A value that a profile's events carry. It is the profile's own when there is evidence; without, it belongs to another
/// profile or to nobody, and only the times are of use: limits count them over a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub kind: Box<str>,
    pub value: Box<str>,
    pub evidence: Option<Evidence>,
}

/// When a value was carried first and last, by event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub first: Timestamp,
    pub last: Timestamp,
}

/// Identifiers of a profile or person, sorted by kind and value.
///
/// The names change seldom and are shared between copies of a row; the times change with every event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identifiers {
    pub keys: Arc<Vec<Key>>,
    pub seen: Vec<Seen>,
}

/// Values of others that a profile remembers; of more, those carried last stay.
pub const FOREIGN_MAX: usize = 32;

impl Identifiers {
    /// Where a value stands.
    pub fn position(&self, kind: &str, value: &str) -> Result<usize, usize> {
        // Rows have two to five values: comparing lengths first is quicker than a binary search over texts.
        match self.keys.iter().position(|k| *k.value == *value && *k.kind == *kind) {
            Some(at) => Ok(at),
            None => Err(self.keys.partition_point(|k| (&*k.kind, &*k.value) < (kind, value))),
        }
    }
    /// The values that are the profile's own.
    pub fn own(&self) -> impl Iterator<Item = (&Key, &Evidence, Seen)> {
        self.keys.iter().zip(&self.seen).filter_map(|(k, s)| k.evidence.as_ref().map(|e| (k, e, *s)))
    }
    /// Own values of a kind.
    pub fn own_of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.own().filter(move |(k, ..)| *k.kind == *kind).map(|(k, ..)| &*k.value)
    }
    /// Whether the value is the profile's own.
    pub fn owns(&self, kind: &str, value: &str) -> bool {
        self.position(kind, value).is_ok_and(|at| self.keys[at].evidence.is_some())
    }
}

/// What decides which value of a trait stays: the greatest wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    pub timestamp: Timestamp,
    pub message_id: Box<str>,
    pub source: i64,
}

/// A trait with the event that set it; without a value it was removed, and the stamp keeps older values out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trait {
    pub name: Box<str>,
    /// JSON text.
    pub value: Option<Box<str>>,
    /// Shared by the traits of one event.
    pub stamp: Arc<Stamp>,
}

/// Traits beyond this many on one profile give way, those set longest ago first.
pub const TRAITS_MAX: usize = 256;

/// Traits sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits(pub Arc<Vec<Trait>>);

impl Traits {
    /// A trait, removed ones included.
    pub fn find(&self, name: &str) -> Option<&Trait> {
        self.0.binary_search_by(|t| (*t.name).cmp(name)).ok().map(|at| &self.0[at])
    }
    /// A trait's JSON text. `name` is composed of first and last name where nobody said it.
    pub fn json(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(found) = self.find(name).and_then(|t| t.value.as_deref()) {
            return Some(Cow::Borrowed(found));
        }
        if name != "name" {
            return None;
        }
        let composed = self.composed_name()?;
        serde_json::to_string(&composed).ok().map(Cow::Owned)
    }
    /// A trait that is a JSON string, decoded.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(&self.json(name)?).ok()
    }
    fn composed_name(&self) -> Option<String> {
        let part = |name: &str| -> Option<String> {
            let text: String = serde_json::from_str(self.find(name)?.value.as_deref()?).ok()?;
            Some(text.trim().to_string()).filter(|t| !t.is_empty())
        };
        let parts: Vec<String> = ["firstName", "lastName"].into_iter().filter_map(part).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
    /// Names and values of what is set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Stamp)> {
        self.0.iter().filter_map(|t| t.value.as_deref().map(|v| (&*t.name, v, &*t.stamp)))
    }
}

/// An ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// Stands where no amount was readable.
    pub const NONE: Currency = Currency([0; 3]);
    /// The code of three capitals; anything else is none.
    pub fn parse(code: &str) -> Option<Self> {
        <[u8; 3]>::try_from(code.as_bytes()).ok().filter(|c| c.iter().all(u8::is_ascii_uppercase)).map(Self)
    }
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).ok().filter(|code| !code.starts_with('\0')).unwrap_or("XXX")
    }
}

/// Sums of money by currency, sorted, without zeros that nobody added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts(pub Vec<(Currency, i64)>);

impl Amounts {
    /// Adds minor units. Amounts are bounded where they come in, so that a sum never leaves its range in practice; it wraps
    /// rather than stops, since only that keeps it independent of order.
    pub fn add(&mut self, currency: Currency, minor: i64) {
        match self.0.binary_search_by_key(&currency, |(c, _)| *c) {
            Ok(at) => self.0[at].1 = self.0[at].1.wrapping_add(minor),
            Err(at) => self.0.insert(at, (currency, minor)),
        }
    }
    /// The greatest sum of one currency: what lists are sorted by.
    pub fn greatest(&self) -> i64 {
        self.0.iter().map(|(_, minor)| *minor).max().unwrap_or(0)
    }
}

/// Totals over events from outside; what Braid wrote itself is no sign of life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub events: i64,
    /// The first event's time and the source that it came from.
    pub first: Option<(Timestamp, i64)>,
    pub last_seen: Option<Timestamp>,
    pub orders: i64,
    pub refunds: i64,
    pub revenue: Amounts,
    pub refunded: Amounts,
    pub last_order_at: Option<Timestamp>,
}

/// What is known of a profile, or of a person as the merge of its profiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub identifiers: Identifiers,
    pub traits: Traits,
    pub totals: Totals,
    pub counters: Counters,
    pub facts: Facts,
}

impl State {
    /// The name to show, if one is known.
    pub fn display_name(&self) -> Option<String> {
        self.traits.text("name").filter(|n| !n.trim().is_empty())
    }
}

/// A profile's row: its state, whom it belongs to, and the newest part of its index.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The person: the oldest profile of those joined; its own id while it is alone.
    pub person: i64,
    /// All profiles of the person, sorted; only in the row of the person itself, and only when there are several.
    pub members: Option<Arc<[i64]>>,
    /// When the event that made it was received.
    pub created_at: Timestamp,
    /// The group whose effects the row had when it was read.
    pub folded_to: i64,
    pub state: State,
    /// Newest entries of the index; older ones lie in chunks.
    pub tail: Tail,
}

impl Profile {
    /// A profile without events.
    pub fn new(profile_id: i64, created_at: Timestamp) -> Self {
        Self {
            person: profile_id,
            members: None,
            created_at,
            folded_to: 0,
            state: State::default(),
            tail: Tail::default(),
        }
    }
}

/// One profile of a person, briefly.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub profile_id: i64,
    pub created_at: Timestamp,
    /// The source of its first event.
    pub source: Option<i64>,
}

/// An identifier of a person, with the profile that holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnIdentifier {
    pub kind: Box<str>,
    pub value: Box<str>,
    pub profile_id: i64,
    pub seen: Seen,
    pub evidence: Evidence,
}

/// A person: profiles joined by evidence, seen through the merge of their states.
#[derive(Debug, Clone)]
pub struct PersonView {
    pub person_id: i64,
    /// Oldest first.
    pub members: Vec<Member>,
    /// In order of priority.
    pub identifiers: Vec<OwnIdentifier>,
    pub state: State,
}
