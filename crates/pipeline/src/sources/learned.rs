//! What sources are seen to send, and what changed in it.
//!
//! Learned on the threads that take requests, in memory: of each event name the first thousand events are looked at
//! closely, then one in 64, counted as so many. Every ten seconds the writer adds what was learned to its tables and
//! compares: what is new, of another kind, or does not fit the plan is *drift*, with the ids of a few messages. These are
//! figures about data, not data: a kill loses up to ten seconds of them.
mod flush;
pub mod lists;

pub use flush::flush;

use base::{SECOND_US, Timestamp};
use collect::plan::{Compiled, Found, Kind, Mode};
use db::event::{Event, EventKind};
use hashbrown::HashMap;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Names of events kept of a source, and of properties of an event; the rest is counted as overflow.
pub const EVENTS_MAX: usize = 500;
/// See [`EVENTS_MAX`].
pub const PROPERTIES_MAX: usize = 200;
/// Events of a name that are looked at one by one, and how many one stands for afterwards.
const EXACT: u64 = 1_000;
const SAMPLE: u64 = 64;
/// Bytes of a name that is learned.
const NAME_MAX: usize = 200;
/// How often the writer takes over what was learned.
pub const FLUSH_EVERY_US: i64 = 10 * SECOND_US;

/// One property since the last flush.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Property {
    pub count: u64,
    /// Bits in the order of [`Kind::OF_VALUES`].
    pub kinds: u8,
    pub shape: Box<str>,
    pub message_id: Box<str>,
}

/// One event since the last flush.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub count: u64,
    /// Events that the closely looked-at ones stand for.
    pub looked: u64,
    pub first_at: i64,
    pub last_at: i64,
    pub message_id: Box<str>,
    pub properties: HashMap<Box<str>, Property>,
    pub overflow: u64,
    /// What did not fit the plan, with the newest message.
    pub found: HashMap<Found, (u64, Box<str>)>,
}

/// An event by name, with what was seen of it.
pub(crate) type Named = (Box<str>, Seen);

/// What is learned of one source.
#[derive(Debug, Default)]
pub(crate) struct OfSource {
    /// Per event: how many were seen since the start, and what came since the last flush.
    pub events: HashMap<Box<str>, (u64, Seen)>,
    pub overflow: u64,
}

/// What is learned of all sources, shared by the threads that take requests.
#[derive(Debug, Default)]
pub struct Learner {
    sources: RwLock<HashMap<i64, Arc<Mutex<OfSource>>>>,
    /// When the writer last took over; 0 when nothing waits.
    dirty_since: AtomicI64,
}

impl Learner {
    /// Looks at an accepted event, under its standard name: a lock and a look-up, and the outermost fields of its properties
    /// where it is looked at closely.
    pub fn see(&self, source: i64, plan: Option<&Compiled>, event: &Event, properties: Option<&str>, now: Timestamp) {
        let name = match event.kind {
            EventKind::Identify => "$identify",
            EventKind::Group => "$group",
            EventKind::Alias => "$alias",
            _ => &event.name,
        };
        if name.len() > NAME_MAX {
            return;
        }
        let of_source = self.of(source);
        let mut of_source = of_source.lock().unwrap_or_else(PoisonError::into_inner);
        let known = of_source.events.len();
        let (total, seen) = match of_source.events.get_mut(name) {
            Some(found) => found,
            None if known >= EVENTS_MAX => {
                of_source.overflow += 1;
                return;
            }
            None => of_source.events.entry(name.into()).or_default(),
        };
        if seen.count == 0 {
            seen.first_at = now.micros();
            seen.message_id = event.message_id.clone();
            self.dirty_since.compare_exchange(0, now.micros(), Ordering::Relaxed, Ordering::Relaxed).ok();
        }
        seen.count += 1;
        seen.last_at = now.micros();
        *total += 1;
        let weight = if *total <= EXACT { 1 } else { SAMPLE };
        if weight == SAMPLE && *total % SAMPLE != 0 {
            return;
        }
        seen.looked += weight;
        if let Some(properties) = properties {
            look(seen, properties, weight, &event.message_id);
        }
        if let Some(plan) = plan.filter(|p| p.expects() && !event.name.is_empty())
            && let (Mode::Warn, found) = plan.check(&event.name, properties)
        {
            for found in found {
                let entry = seen.found.entry(found).or_default();
                entry.0 += weight;
                entry.1 = event.message_id.clone();
            }
        }
    }

    fn of(&self, source: i64) -> Arc<Mutex<OfSource>> {
        if let Some(found) = self.sources.read().unwrap_or_else(PoisonError::into_inner).get(&source) {
            return found.clone();
        }
        self.sources.write().unwrap_or_else(PoisonError::into_inner).entry(source).or_default().clone()
    }

    /// When the writer should take over what was learned; `None` when nothing waits.
    pub fn due(&self) -> Option<Timestamp> {
        let since = self.dirty_since.load(Ordering::Relaxed);
        (since != 0).then(|| Timestamp::from_micros(since + FLUSH_EVERY_US))
    }

    /// What was learned since the last time, by source.
    pub(crate) fn take(&self) -> Vec<(i64, Vec<Named>)> {
        self.dirty_since.store(0, Ordering::Relaxed);
        let sources: Vec<(i64, Arc<Mutex<OfSource>>)> = {
            let all = self.sources.read().unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|(id, s)| (*id, s.clone())).collect()
        };
        let mut out = Vec::new();
        for (id, of_source) in sources {
            let mut of_source = of_source.lock().unwrap_or_else(PoisonError::into_inner);
            let overflow = std::mem::take(&mut of_source.overflow);
            let mut events = Vec::new();
            for (name, (_, seen)) in of_source.events.iter_mut().filter(|(_, (_, seen))| seen.count > 0) {
                events.push((name.clone(), std::mem::take(seen)));
            }
            if overflow > 0 {
                events.push(("".into(), Seen { overflow, ..Seen::default() }));
            }
            if !events.is_empty() {
                events.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                out.push((id, events));
            }
        }
        out.sort_unstable_by_key(|(id, _)| *id);
        out
    }
}

/// Adds the outermost fields of properties.
fn look(seen: &mut Seen, properties: &str, weight: u64, message_id: &str) {
    let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(properties) else { return };
    for (name, value) in fields {
        let Some(kind) = Kind::of(value.get()).filter(|_| name.len() <= NAME_MAX && !name.contains('\0')) else {
            continue;
        };
        let known = seen.properties.len();
        let property = match seen.properties.get_mut(&*name) {
            Some(property) => property,
            None if known >= PROPERTIES_MAX => {
                seen.overflow += weight;
                continue;
            }
            None => seen.properties.entry(name.into()).or_default(),
        };
        property.count += weight;
        let bit = 1 << Kind::OF_VALUES.iter().position(|k| *k == kind).unwrap_or(0);
        if property.kinds & bit == 0 {
            property.kinds |= bit;
            property.shape = shape(value.get()).into();
            property.message_id = message_id.into();
        }
    }
}

struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut out = Vec::with_capacity(16);
                while let Some((name, value)) = map.next_entry::<db::message::Text<'de>, &'de RawValue>()? {
                    out.push((name.0, value));
                }
                Ok(Fields(out))
            }
        }
        deserializer.deserialize_map(Seen)
    }
}

/// The shape of a value: what it looks like, and nothing that it says. Letters become `a` or `A`, digits `9`.
pub fn shape(json: &str) -> String {
    const CHARS: usize = 24;
    match Kind::of(json) {
        Some(Kind::List) => "[…]".into(),
        Some(Kind::Object) => "{…}".into(),
        Some(Kind::Bool) | None => json.to_string(),
        _ => {
            let one = |c: char| match c {
                c if c.is_ascii_digit() => '9',
                c if c.is_uppercase() => 'A',
                c if c.is_alphabetic() => 'a',
                c if c.is_control() => ' ',
                c => c,
            };
            let text = json.trim_matches('"');
            let mut out: String = text.chars().take(CHARS).map(one).collect();
            if text.chars().nth(CHARS).is_some() {
                out.push('…');
            }
            out
        }
    }
}
