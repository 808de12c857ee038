//! Events read back from the log, for timelines, exports and screens.
use crate::preparer::Preparer;
use base::Timestamp;
use db::event::{EventKind, Origin};
use db::log::{self, LogRow};
use db::message::{Items, Message};
use db::{DbError, Engine};
use serde_json::value::RawValue;

/// An event as it was accepted, with what was decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub seq: i64,
    pub message_id: String,
    pub kind: EventKind,
    /// Name after aliases; empty for identify, group and alias.
    pub name: String,
    /// What the source called it, where that is something else.
    pub sent_name: Option<String>,
    pub timestamp: Timestamp,
    pub received_at: Timestamp,
    /// As the client wrote them.
    pub original_timestamp: Option<String>,
    pub sent_at: Option<String>,
    pub source: i64,
    pub origin: Origin,
    /// Where it was placed when it was logged; 0 = nowhere.
    pub profile_id: i64,
    /// JSON objects.
    pub properties: Option<String>,
    pub traits: Option<String>,
    pub context: Option<String>,
    /// The whole message as it came.
    pub raw: String,
}

/// All kept events of a row.
pub fn stored_events(preparer: &Preparer, row: &LogRow) -> Result<Vec<StoredEvent>, DbError> {
    stored_some(preparer, row, &|_| true)
}

/// The kept events of a row whose seq is wanted; the others are not prepared.
fn stored_some(preparer: &Preparer, row: &LogRow, wanted: &dyn Fn(i64) -> bool) -> Result<Vec<StoredEvent>, DbError> {
    let damaged = |e: &dyn std::fmt::Display| DbError::damaged(&format!("log row {}", row.first_seq), e);
    let items = Items::split(&row.body).map_err(|e| damaged(&e))?;
    let extra = collect::Extra::unpack(&row.extra)?;
    let mut out = Vec::new();
    let (ids, times, packed) = (masked(row, wanted), &*row.times, &*row.extra);
    let stored = collect::Stored { body: &row.body, origin: row.origin, ids: &ids, times, extra: packed };
    for event in preparer.decode_with(&preparer.current(), row.source, stored)? {
        let at = event.index as usize;
        let Some(item) = items.items.get(at) else { return Err(damaged(&"an item is missing")) };
        // Taken once, a message stays readable; what it cannot say any more is left out rather than the whole.
        let message: Message<'_> = serde_json::from_str(item.get()).unwrap_or_default();
        let text = |v: Option<&RawValue>| v.map(|v| v.get().to_string());
        out.push(StoredEvent {
            seq: row.first_seq + i64::from(event.index),
            message_id: event.message_id.to_string(),
            kind: event.kind,
            sent_name: message
                .event
                .as_deref()
                .filter(|n| event.kind == EventKind::Track && **n != *event.name)
                .map(Into::into),
            name: event.name.to_string(),
            timestamp: event.timestamp,
            received_at: row.received_at,
            original_timestamp: message
                .timestamp
                .as_deref()
                .or(message.original_timestamp.as_deref())
                .map(str::to_string),
            sent_at: message.sent_at.as_deref().or(items.sent_at.as_deref()).map(str::to_string),
            source: row.source,
            origin: row.origin,
            profile_id: row.profiles.get(at).copied().unwrap_or(0),
            properties: preparer
                .standard_properties(row.source, &event.name, message.properties)
                .or_else(|| text(message.properties)),
            traits: text(message.traits),
            context: db::overlay::context(
                message.context.map(RawValue::get),
                items.context.map(RawValue::get),
                extra.of(at),
            ),
            raw: item.get().to_string(),
        });
    }
    Ok(out)
}

/// A row's ids with zero, which marks a dropped item, for every event that is not wanted.
fn masked(row: &LogRow, wanted: &dyn Fn(i64) -> bool) -> Vec<u128> {
    let ids = row.ids.iter().zip(row.first_seq..);
    ids.map(|(id, seq)| if wanted(seq) { *id } else { 0 }).collect()
}

/// One event of a row; `None` when it was dropped.
pub fn stored_event(preparer: &Preparer, row: &LogRow, seq: i64) -> Result<Option<StoredEvent>, DbError> {
    Ok(stored_some(preparer, row, &|s| s == seq)?.into_iter().next())
}

/// The events of given seqs, in any order; each row is opened once.
pub fn events_of(db: &mut Engine, preparer: &Preparer, seqs: &[i64]) -> Result<Vec<StoredEvent>, DbError> {
    let mut sorted = seqs.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut out = Vec::with_capacity(sorted.len());
    for row in log::rows_of(db, &sorted)? {
        out.extend(stored_some(preparer, &row, &|seq| sorted.binary_search(&seq).is_ok())?);
    }
    Ok(out)
}
