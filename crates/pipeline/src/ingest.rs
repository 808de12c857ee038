//! A batch in its transaction: repeats are removed, each event goes through the reactors, the row is logged, and what the
//! reactors wrote is fed again.
use crate::hours::Hours;
use crate::preparer::Preparer;
use crate::{erasure, rejects, step};
use base::{MINUTE_US, Timestamp};
use collect::{Reject, Stored};
use customers::state::{ORDER_COMPLETED, ORDER_REFUNDED};
use db::event::{Batch, Event, EventId, Origin};
use db::log::{self, Kept};
use db::notice::{Logged, LoggedItem};
use db::reactor::{Happened, NewEvent, ROUNDS_MAX};
use db::writer::{Command, Verdict};
use db::{DbError, Notice, Tx, dedup, names};
use std::sync::Arc;

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Seq of the body's first item; 0 when nothing was logged.
    pub first_seq: i64,
    /// Items that were logged.
    pub kept: u32,
    /// Positions of repeats.
    pub duplicates: Vec<u32>,
    /// Positions of items that would have brought an erased person back.
    pub erased: Vec<u32>,
}

/// Who is answered.
pub type Reply = Box<dyn FnOnce(Result<Ingested, DbError>) + Send>;

/// The command that logs a batch.
pub struct Ingest {
    preparer: Arc<Preparer>,
    batch: Batch,
    rejects: Vec<Reject>,
    answer: Ingested,
    reply: Reply,
}

impl Ingest {
    /// A command for the writer; `reply` is called after COMMIT.
    pub fn command(preparer: Arc<Preparer>, batch: Batch, rejects: Vec<Reject>, reply: Reply) -> Box<dyn Command> {
        Box::new(Self { preparer, batch, rejects, answer: Ingested::default(), reply })
    }
}

impl Command for Ingest {
    fn run(&mut self, tx: &mut Tx) -> Result<Verdict, DbError> {
        rejects::record(tx, self.batch.source, self.batch.received_at, &self.rejects)?;
        self.answer = ingest(tx, &self.preparer, &mut self.batch)?;
        Ok(Verdict::Keep)
    }
    fn finish(self: Box<Self>, outcome: Result<(), DbError>) {
        let Self { answer, reply, .. } = *self;
        reply(outcome.map(|()| answer));
    }
    fn size(&self) -> usize {
        self.batch.events.len()
    }
    fn batch(&self) -> Option<&Batch> {
        Some(&self.batch)
    }
    fn name(&self) -> &'static str {
        "ingest"
    }
}

/// Logs a batch and everything that follows from it.
pub fn ingest(tx: &mut Tx, preparer: &Preparer, batch: &mut Batch) -> Result<Ingested, DbError> {
    let version = step::definitions_version(tx)?;
    if batch.prepared_with != version {
        prepare_again(tx, preparer, batch)?;
    }
    let dedup_days = step::dedup_days(tx)?;
    dedup::maintain(tx, dedup_days, batch.origin == Origin::Import)?;
    let mut new_events = Vec::new();
    let answer = one_round(tx, preparer, batch, &mut new_events)?;
    let mut round = 1;
    while !new_events.is_empty() {
        if round > ROUNDS_MAX {
            park(tx, &new_events)?;
            break;
        }
        let mut derived = derived_batch(tx, preparer, std::mem::take(&mut new_events))?;
        one_round(tx, preparer, &mut derived, &mut new_events)?;
        round += 1;
    }
    step::finish(tx)?;
    Ok(answer)
}

/// Logs events that Braid writes itself, outside a batch: what timers and outcomes of messages call forth.
pub fn append_derived(tx: &mut Tx, preparer: &Preparer, mut new_events: Vec<NewEvent>) -> Result<(), DbError> {
    let mut round = 0;
    while !new_events.is_empty() {
        if round >= ROUNDS_MAX {
            park(tx, &new_events)?;
            break;
        }
        let mut derived = derived_batch(tx, preparer, std::mem::take(&mut new_events))?;
        one_round(tx, preparer, &mut derived, &mut new_events)?;
        round += 1;
    }
    step::finish(tx)
}

fn one_round(
    tx: &mut Tx,
    preparer: &Preparer,
    batch: &mut Batch,
    new_events: &mut Vec<NewEvent>,
) -> Result<Ingested, DbError> {
    let first_seq = tx.next_seq();
    let mut kept = Vec::with_capacity(batch.events.len());
    let mut items = Vec::new();
    let (mut duplicates, mut erased) = (Vec::new(), Vec::new());
    let ids: Vec<EventId> = batch.events.iter().map(|e| e.id).collect();
    // All at once: a filter that says "perhaps" costs a page, and pages of a batch are read together.
    let sealed = dedup::in_runs(tx, &ids)?;
    for (at, sealed) in sealed.into_iter().enumerate() {
        if customers::privacy::erased::refuses(tx, &batch.events[at], batch.origin)? {
            erased.push(batch.events[at].index);
            continue;
        }
        let event = &mut batch.events[at];
        let id = match unique_id(tx, event, batch.received_at, sealed)? {
            Some(id) => id,
            None => {
                duplicates.push(event.index);
                continue;
            }
        };
        if event.weak_id {
            // The body says no id, so whoever reads it back makes one of the id under which the event is logged.
            event.message_id = collect::content_message_id(id);
        }
        let event = &batch.events[at];
        let seq = first_seq + i64::from(event.index);
        let name = if event.name.is_empty() { 0 } else { names::number(tx, &event.name)? };
        let mut happened = Happened {
            event,
            seq,
            source: batch.source,
            origin: batch.origin,
            browser: batch.browser,
            received_at: batch.received_at,
            name,
            profile_id: 0,
            person_id: 0,
            created: false,
            person_changed: false,
            absorbed: Vec::new(),
            moved: Vec::new(),
            appended: Vec::new(),
        };
        step::react(tx, preparer, &mut happened)?;
        count_hour(tx, &happened)?;
        new_events.append(&mut happened.appended);
        kept.push(Kept { index: event.index, id, timestamp: event.timestamp, profile_id: happened.profile_id });
        items.push(LoggedItem { seq, profile_id: happened.profile_id, person_id: happened.person_id });
    }
    refuse_erased(tx, batch, &erased)?;
    if kept.is_empty() {
        return Ok(Ingested { duplicates, erased, ..Ingested::default() });
    }
    let logged = log::append(tx, batch, &kept);
    debug_assert_eq!(logged, first_seq);
    let count = kept.len() as u32;
    if batch.origin != Origin::Derived {
        customers::stitch::events(tx, i64::from(count))?;
    }
    tx.notify(Notice::Logged(Arc::new(Logged {
        source: batch.source,
        origin: batch.origin,
        received_at: batch.received_at,
        items,
    })));
    Ok(Ingested { first_seq, kept: count, duplicates, erased })
}

/// Items of erased people leave no trace but a count: neither the log nor the debugger keeps what they said.
fn refuse_erased(tx: &mut Tx, batch: &mut Batch, erased: &[u32]) -> Result<(), DbError> {
    if erased.is_empty() {
        return Ok(());
    }
    let body = std::str::from_utf8(&batch.raw).map_err(|e| DbError::damaged("a request's body", e))?;
    let gone: Vec<(usize, Option<String>)> = erased.iter().map(|index| (*index as usize, None)).collect();
    let body = db::erase::replace_items(body, &gone)?;
    batch.packed = log::pack_body(body.as_bytes());
    let one = |index: &u32| Reject {
        index: *index,
        message_id: None,
        code: erasure::CODE,
        pointer: String::new(),
        detail: "it names somebody who was erased, and happened before that or stands in a file".into(),
        event: None,
        raw: String::new(),
        envelope: None,
    };
    let refused: Vec<Reject> = erased.iter().map(one).collect();
    rejects::record(tx, batch.source, batch.received_at, &refused)
}

/// The id under which an event is logged, or `None` for a repeat. An id made of content without a time of its own counts for
/// ten minutes: it is logged under one id a minute, and the last ten are looked up.
fn unique_id(tx: &mut Tx, event: &Event, received_at: Timestamp, sealed: bool) -> Result<Option<EventId>, DbError> {
    if !event.weak_id {
        return Ok(dedup::insert_unless(tx, event.id, sealed)?.then_some(event.id));
    }
    let minute = received_at.micros() / MINUTE_US;
    for back in 0..10 {
        if dedup::contains(tx, weak_id(event.id, minute - back))? {
            return Ok(None);
        }
    }
    let id = weak_id(event.id, minute);
    Ok(dedup::insert(tx, id)?.then_some(id))
}

fn weak_id(id: EventId, minute: i64) -> EventId {
    use siphasher::sip128::{Hasher128, SipHasher13};
    use std::hash::Hasher;
    let mut hasher = SipHasher13::new_with_keys(id as u64, (id >> 64) as u64);
    hasher.write_i64(minute);
    hasher.finish128().as_u128().max(1)
}

fn count_hour(tx: &mut Tx, happened: &Happened<'_>) -> Result<(), DbError> {
    let currency = step::currency(tx)?;
    let (orders, revenue) = of_hour(happened.event, &currency);
    let hours = tx.memory::<Hours>()?;
    if happened.origin != Origin::Derived {
        hours.add(happened.event.timestamp, orders, revenue);
    } else if orders != 0 || revenue != 0 {
        // An order that was placed here counts as one that a site tells; the event itself came from nobody.
        hours.correct(happened.event.timestamp, orders, revenue);
    }
    Ok(())
}

/// Orders and revenue that an event adds to its hour.
pub(crate) fn of_hour(event: &Event, currency: &str) -> (i64, i64) {
    let own = |a: &&db::event::Amount| *a.currency == *currency;
    let minor = event.amount.as_ref().filter(own).map_or(0, |a| a.minor);
    match &*event.name {
        ORDER_COMPLETED => (1, minor),
        ORDER_REFUNDED => (0, -minor),
        _ => (0, 0),
    }
}

/// Definitions, rules or plans changed between preparing and writing: its events are read again.
fn prepare_again(tx: &mut Tx, preparer: &Preparer, batch: &mut Batch) -> Result<(), DbError> {
    let current = step::current(tx)?;
    let body = std::str::from_utf8(&batch.raw).map_err(|e| DbError::damaged("a request's body", e))?;
    let mut ids = vec![0; batch.count as usize];
    let mut times = vec![batch.received_at; batch.count as usize];
    for event in &batch.events {
        ids[event.index as usize] = event.id;
        times[event.index as usize] = event.timestamp;
    }
    let again = preparer.decode_with(
        &current,
        batch.source,
        Stored { body, origin: batch.origin, ids: &ids, times: &times, extra: &batch.extra },
    )?;
    for (event, fresh) in batch.events.iter_mut().zip(again) {
        debug_assert_eq!(event.index, fresh.index);
        // Name, amount and consent follow the plan; id and time were decided when it came.
        let (passive, weak_id) = (event.passive, event.weak_id);
        *event = Event { passive, weak_id, ..fresh };
    }
    batch.prepared_with = current.version();
    // Later requests are prepared with these; should this group be undone, they are prepared again as this one was.
    preparer.replace(current);
    Ok(())
}

/// A body of Braid's own events, in the form in which they are stored.
fn derived_batch(tx: &mut Tx, preparer: &Preparer, events: Vec<NewEvent>) -> Result<Batch, DbError> {
    let mut items = Vec::with_capacity(events.len());
    for event in &events {
        let number = tx.next_id();
        let message_id = format!("braid:{number}");
        let text = |t: &str| serde_json::to_string(t).unwrap_or_else(|e| panic!("a text serializes: {e}"));
        let item = format!(
            "{{\"type\":\"track\",\"messageId\":{},\"event\":{},\"profileId\":\"{}\",\"timestamp\":\"{}\",\"properties\":{}}}",
            text(&message_id),
            text(&event.name),
            event.profile_id,
            event.timestamp,
            event.properties
        );
        items.push((message_id, item, event.timestamp));
    }
    body_batch(tx, preparer, &items)
}

/// A batch of items that Braid writes itself: message id, JSON and moment of each.
pub(crate) fn body_batch(
    tx: &mut Tx,
    preparer: &Preparer,
    items: &[(String, String, Timestamp)],
) -> Result<Batch, DbError> {
    let now = tx.now();
    let (mut body, mut ids, mut times) = (String::from("{\"batch\":["), Vec::new(), Vec::new());
    for (at, (message_id, item, timestamp)) in items.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        body.push_str(item);
        ids.push(collect::event_id(tx.hash_key(), 0, message_id));
        // No stored event lies in the future.
        times.push((*timestamp).min(now));
    }
    body.push_str("]}");
    let current = step::current(tx)?;
    let decoded = preparer.decode_with(
        &current,
        0,
        Stored { body: &body, origin: Origin::Derived, ids: &ids, times: &times, extra: &[] },
    )?;
    Ok(Batch {
        source: 0,
        origin: Origin::Derived,
        browser: false,
        received_at: now,
        packed: log::pack_body(body.as_bytes()),
        extra: Vec::new(),
        raw: body.into(),
        count: items.len() as u32,
        events: decoded,
        prepared_with: current.version(),
    })
}

/// Logs a batch of Braid's own, and what it calls forth.
pub(crate) fn append_batch(tx: &mut Tx, preparer: &Preparer, mut batch: Batch) -> Result<(), DbError> {
    let mut new_events = Vec::new();
    one_round(tx, preparer, &mut batch, &mut new_events)?;
    append_derived(tx, preparer, new_events)
}

/// What still called forth events after the last round is kept where `doctor` and a person see it.
fn park(tx: &mut Tx, events: &[NewEvent]) -> Result<(), DbError> {
    tracing::error!(count = events.len(), "events kept calling forth events and were parked");
    let parked: Vec<Reject> = events
        .iter()
        .map(|e| Reject {
            index: 0,
            message_id: None,
            event: Some(e.name.to_string()),
            envelope: None,
            code: "parked",
            pointer: String::new(),
            detail: format!(
                "after {ROUNDS_MAX} rounds events still called forth events; look for rules that answer each other"
            ),
            raw: format!(
                "{{\"event\":{:?},\"profileId\":\"{}\",\"properties\":{}}}",
                e.name, e.profile_id, e.properties
            ),
        })
        .collect();
    let now = tx.now();
    rejects::record(tx, 0, now, &parked)
}
