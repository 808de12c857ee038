//! Reading the log's bodies again: what was decided when they were received stays decided.
use crate::accept::{draft, message_id, own_time};
use crate::enrich::extra::Extra;
use crate::shape::{Body, Item};
use crate::{Defaults, Prepare, id};
use base::Timestamp;
use db::DbError;
use db::event::{Event, EventId, EventKind, Origin};
use db::message::{Items, Message};

/// A body of the log with what was decided about its items.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    pub body: &'a str,
    pub origin: Origin,
    /// One an item; 0 = dropped.
    pub ids: &'a [EventId],
    /// When each item happened.
    pub times: &'a [Timestamp],
    /// What was derived when the body came, as [`db::event::Batch::extra`] held it.
    pub extra: &'a [u8],
}

/// The events of a stored body, dropped items left out, as [`crate::receive`] made them.
///
/// The hook fills them as it did then; what it refuses now was taken before and stays, with what the hook filled in. An
/// error means that the body is damaged. Imports and Braid itself make their events this way too: they write a body, choose
/// times and take ids from [`crate::event_id`], and none of the limits of the tracking API applies.
pub fn decode(stored: Stored<'_>, prepare: &Prepare<'_>) -> Result<Vec<Event>, DbError> {
    let damaged = |reason: String| DbError::damaged("a logged body", reason);
    let unreadable = |e: serde_json::Error| damaged(e.to_string());
    let mut events = Vec::with_capacity(stored.ids.len());
    let extra = Extra::unpack(stored.extra)?;
    let defaults = |at: usize, context| Defaults { context, derived: extra.of(at) };
    let count = if let Ok(body) = serde_json::from_str::<Body<'_, Vec<Item<'_>>>>(stored.body)
        && let Some(items) = &body.batch
    {
        for (at, item) in items.iter().enumerate() {
            push(&stored, at, &item.0, defaults(at, body.context), prepare, &mut events).map_err(damaged)?;
        }
        items.len()
    } else {
        // A single message, or a list with items that were dropped because they cannot be read.
        let split = Items::split(stored.body).map_err(unreadable)?;
        for (at, raw) in split.items.iter().enumerate() {
            // What was erased keeps its place and its id.
            if kept(&stored, at) && raw.get() != ERASED {
                let item: Item<'_> = serde_json::from_str(raw.get()).map_err(unreadable)?;
                push(&stored, at, &item.0, defaults(at, split.context), prepare, &mut events).map_err(damaged)?;
            }
        }
        split.items.len()
    };
    if count != stored.ids.len() || count != stored.times.len() {
        let (ids, times) = (stored.ids.len(), stored.times.len());
        return Err(damaged(format!("it has {count} items, but {ids} ids and {times} times")));
    }
    Ok(events)
}

/// What stands in a body in place of an item that was erased.
pub const ERASED: &str = "null";

fn kept(stored: &Stored<'_>, at: usize) -> bool {
    stored.ids.get(at).is_some_and(|id| *id != 0)
}

fn push(
    stored: &Stored<'_>,
    at: usize,
    message: &Message<'_>,
    defaults: Defaults<'_>,
    prepare: &Prepare<'_>,
    events: &mut Vec<Event>,
) -> Result<(), String> {
    let (Some(id), Some(time)) = (stored.ids.get(at).filter(|id| **id != 0), stored.times.get(at)) else {
        return Ok(());
    };
    let kind = message.kind.as_deref().and_then(EventKind::parse).ok_or_else(|| format!("item {at} has no type"))?;
    let own_id = message_id(message);
    let text = own_id.map_or_else(|| id::content_message_id(*id), |text| crate::clean(text).into());
    let mut event = draft(at as u32, message, kind, *id, text, *time);
    event.weak_id = own_id.is_none() && own_time(message).0.is_none();
    if stored.origin == Origin::Derived {
        event.profile_id = message.profile_id.as_deref().and_then(|p| p.parse().ok());
    }
    // Refused or not: it is in the log.
    let _ = prepare(message, &defaults, &mut event);
    events.push(event);
    Ok(())
}
