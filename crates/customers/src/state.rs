//! The fold of a profile's events into its state, and the merge that makes a person's state of its profiles'.
//!
//! Both are functions of the *set* of events: "last" is the greatest (time, message id), "first" the least, so that late
//! events, replays and merges are ordinary. `fold(a ∪ b) = merge(fold(a), fold(b))` for disjoint a and b, with `merge`
//! commutative and associative, given the same own identifiers on both sides.
use crate::counters::CounterSet;
use crate::facts;
use crate::model::{
    Amounts, Currency, Evidence, FOREIGN_MAX, Identifiers, Key, Profile, Seen, Stamp, State, TRAITS_MAX, Totals, Trait,
    Traits,
};
use base::Timestamp;
use db::event::{Event, EventKind};
use db::index::Entry;
use std::sync::Arc;

/// Event names that move money.
pub const ORDER_COMPLETED: &str = "Order Completed";
/// See [`ORDER_COMPLETED`].
pub const ORDER_REFUNDED: &str = "Order Refunded";

/// Where an event stands, beside what it says.
#[derive(Debug, Clone, Copy)]
pub struct Logged {
    pub source: i64,
    pub seq: i64,
    /// Number of the event's name, see [`db::names`].
    pub name: u32,
}

/// Folds an event into its profile: state and index. The tail may then be full; whoever stores it moves it to a chunk.
pub fn fold(profile: &mut Profile, event: &Event, counters: &CounterSet, logged: Logged) {
    fold_state(&mut profile.state, event, counters, logged.source);
    profile.tail.push(Entry { seq: logged.seq, timestamp: event.timestamp, name: logged.name });
}

/// Folds an event into a state.
pub fn fold_state(state: &mut State, event: &Event, counters: &CounterSet, source: i64) {
    for identifier in &event.identifiers {
        see(&mut state.identifiers, &identifier.kind, &identifier.value, event.timestamp);
    }
    if !event.traits.is_empty() {
        fold_traits(&mut state.traits, event, source);
    }
    // Events about a profile that Braid writes itself, such as messages sent, are no sign of the customer's life.
    if event.profile_id.is_none() {
        fold_totals(&mut state.totals, event, source);
    }
    state.counters.fold(counters, event.timestamp, &event.message_id, &event.hits);
    facts::fold(&mut state.facts, event);
}

pub(crate) fn see(identifiers: &mut Identifiers, kind: &str, value: &str, at: Timestamp) {
    match identifiers.position(kind, value) {
        Ok(found) => {
            let seen = &mut identifiers.seen[found];
            seen.first = seen.first.min(at);
            seen.last = seen.last.max(at);
        }
        Err(place) => {
            let key = Key { kind: kind.into(), value: value.into(), evidence: None };
            Arc::make_mut(&mut identifiers.keys).insert(place, key);
            identifiers.seen.insert(place, Seen { first: at, last: at });
            trim_foreign(identifiers);
        }
    }
}

/// Keeps the foreign values that were carried last. Which ones these are depends on the set only: a value among the newest
/// at the end is among the newest from the moment of its last event on.
fn trim_foreign(identifiers: &mut Identifiers) {
    while identifiers.keys.iter().filter(|k| k.evidence.is_none()).count() > FOREIGN_MAX {
        let keys = Arc::make_mut(&mut identifiers.keys);
        let foreign = (0..keys.len()).filter(|at| keys[*at].evidence.is_none());
        let Some(oldest) = foreign.min_by_key(|at| (identifiers.seen[*at].last, *at)) else { return };
        keys.remove(oldest);
        identifiers.seen.remove(oldest);
    }
}

/// Makes a value the profile's own. Its times begin with those of the evidence, so that a fold from scratch over other
/// events of the profile ends in the same state.
pub fn attach(identifiers: &mut Identifiers, kind: &str, value: &str, evidence: Evidence) {
    let at = evidence.at;
    match identifiers.position(kind, value) {
        Ok(found) => {
            Arc::make_mut(&mut identifiers.keys)[found].evidence = Some(evidence);
            let seen = &mut identifiers.seen[found];
            seen.first = seen.first.min(at);
            seen.last = seen.last.max(at);
        }
        Err(place) => {
            let key = Key { kind: kind.into(), value: value.into(), evidence: Some(evidence) };
            Arc::make_mut(&mut identifiers.keys).insert(place, key);
            identifiers.seen.insert(place, Seen { first: at, last: at });
        }
    }
}

fn fold_traits(traits: &mut Traits, event: &Event, source: i64) {
    let stamp = Arc::new(Stamp { timestamp: event.timestamp, message_id: event.message_id.clone(), source });
    let list = Arc::make_mut(&mut traits.0);
    for (name, value) in &event.traits {
        set_trait(list, Trait { name: name.clone(), value: value.clone(), stamp: stamp.clone() });
    }
    trim_traits(list);
}

fn set_trait(list: &mut Vec<Trait>, new: Trait) {
    match list.binary_search_by(|t| t.name.cmp(&new.name)) {
        Ok(at) => {
            // The value is the last tie-breaker, so that even two events that share time, id and source have one winner.
            if (&new.stamp, &new.value) > (&list[at].stamp, &list[at].value) {
                list[at] = new;
            }
        }
        Err(at) => list.insert(at, new),
    }
}

fn trim_traits(list: &mut Vec<Trait>) {
    while list.len() > TRAITS_MAX {
        let Some(oldest) = (0..list.len()).min_by(|a, b| (&list[*a].stamp, a).cmp(&(&list[*b].stamp, b))) else {
            return;
        };
        list.remove(oldest);
    }
}

fn fold_totals(totals: &mut Totals, event: &Event, source: i64) {
    let at = event.timestamp;
    totals.events += 1;
    totals.first = least(totals.first, Some((at, source)));
    if !event.passive {
        totals.last_seen = totals.last_seen.max(Some(at));
    }
    if event.kind != EventKind::Track {
        return;
    }
    match &*event.name {
        ORDER_COMPLETED => {
            totals.orders += 1;
            totals.last_order_at = totals.last_order_at.max(Some(at));
            add(&mut totals.revenue, event);
        }
        ORDER_REFUNDED => {
            totals.refunds += 1;
            add(&mut totals.refunded, event);
        }
        _ => {}
    }
}

fn add(amounts: &mut Amounts, event: &Event) {
    if let Some(amount) = &event.amount
        && let Some(currency) = Currency::parse(&amount.currency)
    {
        amounts.add(currency, amount.minor);
    }
}

pub(crate) fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The state of all events that made either state.
pub fn merge_into(state: &mut State, other: &State, counters: &CounterSet) {
    merge_identifiers(&mut state.identifiers, &other.identifiers);
    if !other.traits.0.is_empty() {
        let list = Arc::make_mut(&mut state.traits.0);
        for new in other.traits.0.iter() {
            set_trait(list, new.clone());
        }
        trim_traits(list);
    }
    merge_totals(&mut state.totals, &other.totals);
    state.counters.merge(counters, &other.counters);
    facts::merge(&mut state.facts, &other.facts);
}

/// The merge of several states; of one, its copy.
pub fn merge<'a>(states: impl IntoIterator<Item = &'a State>, counters: &CounterSet) -> State {
    let mut states = states.into_iter();
    let mut out = states.next().cloned().unwrap_or_default();
    for other in states {
        merge_into(&mut out, other, counters);
    }
    out
}

fn merge_identifiers(into: &mut Identifiers, other: &Identifiers) {
    for (key, seen) in other.keys.iter().zip(&other.seen) {
        match into.position(&key.kind, &key.value) {
            Ok(at) => {
                let mine = &mut into.seen[at];
                *mine = Seen { first: mine.first.min(seen.first), last: mine.last.max(seen.last) };
                let evidence = &into.keys[at].evidence;
                if key.evidence.is_some() && (evidence.is_none() || rank(&key.evidence) < rank(evidence)) {
                    Arc::make_mut(&mut into.keys)[at].evidence.clone_from(&key.evidence);
                }
            }
            Err(at) => {
                Arc::make_mut(&mut into.keys).insert(at, key.clone());
                into.seen.insert(at, *seen);
            }
        }
    }
    trim_foreign(into);
}

fn rank(evidence: &Option<Evidence>) -> Option<i64> {
    evidence.as_ref().map(|e| e.seq)
}

fn merge_totals(into: &mut Totals, other: &Totals) {
    into.events += other.events;
    into.first = least(into.first, other.first);
    into.last_seen = into.last_seen.max(other.last_seen);
    into.orders += other.orders;
    into.refunds += other.refunds;
    for (currency, minor) in &other.revenue.0 {
        into.revenue.add(*currency, *minor);
    }
    for (currency, minor) in &other.refunded.0 {
        into.refunded.add(*currency, *minor);
    }
    into.last_order_at = into.last_order_at.max(other.last_order_at);
}

/// A profile's state from nothing: its own identifiers as the facts have them, then its events in any order.
pub fn from_scratch<'a, 'b>(
    own: impl IntoIterator<Item = (&'b str, &'b str, Evidence)>,
    events: impl IntoIterator<Item = (i64, &'a Event)>,
    counters: &CounterSet,
) -> State {
    let mut state = State::default();
    for (kind, value, evidence) in own {
        attach(&mut state.identifiers, kind, value, evidence);
    }
    for (source, event) in events {
        fold_state(&mut state, event, counters, source);
    }
    state
}
