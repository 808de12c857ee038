//! The reactors, in their fixed order, and what the writer's definitions are.
use crate::facts::Facts;
use crate::preparer::{Current, Preparer};
use crate::shop;
use crate::sources::{self, observe};
use db::event::Origin;
use db::reactor::{Happened, Moved, NewEvent, Reactor};
use db::{DbError, Notice, Tx};
use messaging::Derived;
use messaging::outbox::Entry;
use segments::runtime::{Cause, definitions};
use std::sync::Arc;

/// Customers: which profile, the fold, consent.
struct Customers;

impl Reactor for Customers {
    fn name(&self) -> &'static str {
        "customers"
    }
    fn react(&mut self, tx: &mut Tx, happened: &mut Happened<'_>) -> Result<(), DbError> {
        let event = happened.event;
        let placed = customers::place(tx, event, happened.seq, happened.received_at)?;
        happened.profile_id = placed.profile_id;
        happened.person_id = placed.person_id;
        happened.created = placed.created && placed.person_id == placed.profile_id;
        happened.person_changed = placed.created || !placed.absorbed.is_empty();
        happened.absorbed = placed.absorbed;
        if placed.profile_id != 0 {
            let counters = definitions::current(tx)?.counters.clone();
            customers::fold_event(tx, placed.profile_id, event, &counters, happened.source, happened.seq)?;
            customers::households::note(tx, placed.profile_id, event)?;
        }
        if event.consent.is_some() {
            let stated = customers::consent::Stated {
                profile_id: placed.profile_id,
                person_id: placed.person_id,
                source: happened.source,
                browser: happened.browser,
                imported: happened.origin == Origin::Import,
                received_at: happened.received_at,
            };
            customers::consent::record_claim(tx, event, stated)?;
        }
        Ok(())
    }
}

/// Segments: who enters and leaves.
struct Segments;

impl Reactor for Segments {
    fn name(&self) -> &'static str {
        "segments"
    }
    fn react(&mut self, tx: &mut Tx, happened: &mut Happened<'_>) -> Result<(), DbError> {
        segments::runtime::react(tx, happened)?;
        // A consent about somebody else's address moves that person too.
        let mut named = customers::consent::people_named(tx, happened.event)?;
        named.retain(|person| *person != happened.person_id);
        if !named.is_empty() {
            happened.moved.extend(segments::runtime::reevaluate(tx, &named, Cause::Event, &[])?);
        }
        Ok(())
    }
}

/// Messages: entering a segment may call for one.
struct Messaging<'a>(&'a Preparer);

impl Reactor for Messaging<'_> {
    fn name(&self) -> &'static str {
        "messaging"
    }
    fn react(&mut self, tx: &mut Tx, happened: &mut Happened<'_>) -> Result<(), DbError> {
        if observe::is_observed(tx, happened.source)? {
            return observe::count(tx, happened.source, &happened.event.message_id, &happened.moved);
        }
        let entering = (&*happened.event.message_id, happened.seq);
        let derived = intend(tx, self.0, &happened.moved, entering)?;
        happened.appended.extend(derived);
        Ok(())
    }
}

/// Writes intents for those who entered.
fn intend(
    tx: &mut Tx,
    preparer: &Preparer,
    moved: &[Moved],
    (message_id, seq): (&str, i64),
) -> Result<Vec<NewEvent>, DbError> {
    let mut entries = Vec::new();
    for m in moved.iter().filter(|m| m.entered && m.triggers) {
        if messaging::rules::listens(tx, m.segment_id)? {
            entries.push(Entry {
                segment_id: m.segment_id,
                person_id: m.person_id,
                event_id: message_id,
                event_seq: seq,
            });
        }
    }
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let derived = messaging::outbox::intend(tx, &mut Facts { preparer }, &entries)?;
    tx.notify(Notice::Changed { what: "outbox" });
    Ok(derived.into_iter().map(new_event).collect())
}

/// A step of a message's life as an event about its person.
pub fn new_event(derived: Derived) -> NewEvent {
    let properties = derived.properties.to_string();
    NewEvent { profile_id: derived.profile_id, name: derived.name.into(), properties, timestamp: derived.timestamp }
}

/// One event through all reactors.
pub fn react(tx: &mut Tx, preparer: &Preparer, happened: &mut Happened<'_>) -> Result<(), DbError> {
    // The order is the meaning: a segment counts the event that was just folded, a message goes to who has just entered.
    let mut reactors: [&mut dyn Reactor; 4] =
        [&mut Customers, &mut crate::losses::Losses, &mut Segments, &mut Messaging(preparer)];
    for reactor in &mut reactors {
        reactor.react(tx, happened)?;
    }
    Ok(())
}

/// What follows from people who moved without an event: by a moment that came, by joining or separating.
pub fn moved(tx: &mut Tx, preparer: &Preparer, moved: &[Moved], reason: &str) -> Result<Vec<NewEvent>, DbError> {
    let moved = observe::without_observed(tx, preparer, moved)?;
    intend(tx, preparer, &moved, (reason, 0))
}

/// Tells whose count moved; at the end of every command that may have changed some.
pub fn finish(tx: &mut Tx) -> Result<(), DbError> {
    segments::runtime::changes::tell(tx)
}

/// Version of the counters, rules and plans that batches must be prepared with.
pub fn definitions_version(tx: &mut Tx) -> Result<u64, DbError> {
    Ok(current(tx)?.version())
}

/// What the writer prepares with.
pub fn current(tx: &mut Tx) -> Result<Current, DbError> {
    let counters = definitions::current(tx)?.counters.clone();
    Ok(Current { counters, rules: customers::rules::of(tx)?, plans: sources::plans(tx)? })
}

/// `[collect] dedup_days`.
pub fn dedup_days(tx: &mut Tx) -> Result<i64, DbError> {
    Ok(tx.memory::<shop::Shop>()?.dedup_days)
}

/// The shop's currency.
pub fn currency(tx: &mut Tx) -> Result<Arc<str>, DbError> {
    Ok(tx.memory::<shop::Shop>()?.currency.clone())
}
