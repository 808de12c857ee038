//! The rules for one message: what it must carry, what it is called, which id it has and when it happened.
use crate::enrich::Enricher;
use crate::limits::{ID_CHARS_MAX, MESSAGE_ID_CHARS_MAX, NAME_CHARS_MAX, longer_than};
use crate::time::{correct_with, moment};
use crate::{Defaults, Options, Prepare, Rejection, TimeWarning, id, name};
use base::Timestamp;
use db::event::{Event, EventId, EventKind};
use db::message::Message;
use std::borrow::Cow;
use std::cell::RefCell;

/// A text without U+0000, which PostgreSQL cannot store: each becomes U+FFFD.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// What all messages of a body share.
pub(crate) struct Shared<'a> {
    pub source: i64,
    pub options: &'a Options,
    pub received_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub defaults: Defaults<'a>,
    pub prepare: &'a Prepare<'a>,
    pub enricher: &'a RefCell<Enricher<'a>>,
}

/// A warning about a field of the message, by its name.
pub(crate) type FieldWarning = (&'static str, TimeWarning);

impl Shared<'_> {
    /// Makes the event of a message. `kind` is the path's for a single message; `raw` gives the message's text and is asked
    /// only for a message that does not name itself.
    pub(crate) fn event<'t>(
        &self,
        index: u32,
        message: &Message<'_>,
        kind: Option<EventKind>,
        raw: &dyn Fn() -> &'t str,
    ) -> Result<(Event, Option<FieldWarning>), Rejection> {
        let kind = match kind {
            Some(kind) => kind,
            None => kind_of(message)?,
        };
        require(kind, message)?;
        let (original, field) = own_time(message);
        let (id, message_id, weak_id) = match message_id(message) {
            Some(text) if longer_than(text, MESSAGE_ID_CHARS_MAX) => {
                return Err(too_long("message_id_too_long", "messageId", MESSAGE_ID_CHARS_MAX));
            }
            Some(text) => {
                let text = clean(text);
                (id::event_id(self.options.hash_key, self.source, &text), text.into(), false)
            }
            None => {
                let id = id::content_id(self.options, self.source, raw());
                (id, id::content_message_id(id), original.is_none())
            }
        };
        let sent_at = if message.sent_at.is_some() { moment(message.sent_at.as_deref()) } else { self.sent_at };
        let time = correct_with(original, sent_at, self.received_at, self.options.clock_tolerance_us);
        let mut event = draft(index, message, kind, id, message_id, time.timestamp);
        event.weak_id = weak_id;
        let mut enricher = self.enricher.borrow_mut();
        let page = message.properties.filter(|_| kind == EventKind::Page);
        let told = enricher.find(message.context, self.defaults.context, page);
        let defaults = Defaults { derived: enricher.text(told), ..self.defaults };
        (self.prepare)(message, &defaults, &mut event)?;
        if told != 0 {
            enricher.of_items.push((index, told));
        }
        Ok((event, time.warning.map(|w| (field, w))))
    }
}

/// An event with everything that the message itself says, before the hook has seen it.
pub(crate) fn draft(
    index: u32,
    message: &Message<'_>,
    kind: EventKind,
    id: EventId,
    message_id: Box<str>,
    timestamp: Timestamp,
) -> Event {
    let name: Box<str> = match kind {
        EventKind::Track => clean(db::names::canonical(message.event.as_deref().unwrap_or_default())).into(),
        EventKind::Page => name::PAGE.into(),
        EventKind::Screen => name::SCREEN.into(),
        EventKind::Identify | EventKind::Group | EventKind::Alias => "".into(),
    };
    Event {
        index,
        id,
        message_id,
        timestamp,
        kind,
        name,
        identifiers: Vec::new(),
        traits: Vec::new(),
        hits: Vec::new(),
        amount: None,
        previous_id: match kind {
            EventKind::Alias => message.previous_id.as_deref().map(|p| clean(p).into()),
            _ => None,
        },
        consent: None,
        touch: db::event::Touch::default(),
        profile_id: None,
        weak_id: false,
        passive: false,
    }
}

/// What the message names itself; an empty name is none.
pub(crate) fn message_id<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    message.message_id.as_deref().filter(|t| !t.is_empty())
}

/// What the client sent as the message's own time, and the field that it stands in.
pub(crate) fn own_time<'m>(message: &'m Message<'_>) -> (Option<&'m str>, &'static str) {
    match (&message.timestamp, &message.original_timestamp) {
        (Some(text), _) => (Some(text), "timestamp"),
        (None, Some(text)) => (Some(text), "originalTimestamp"),
        (None, None) => (None, "timestamp"),
    }
}

/// The call that a message of a list says it is.
fn kind_of(message: &Message<'_>) -> Result<EventKind, Rejection> {
    let unknown = |detail: String| Rejection::new("unknown_type", "/type", detail);
    let Some(text) = message.kind.as_deref() else {
        return Err(unknown("type is missing: identify, track, page, screen, group or alias".into()));
    };
    EventKind::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        unknown(format!("{shown:?} is no type: identify, track, page, screen, group or alias"))
    })
}

/// What a call needs (CONVENTIONS 1), and how long it may be.
fn require(kind: EventKind, message: &Message<'_>) -> Result<(), Rejection> {
    let missing = |text: &Option<Cow<'_, str>>| text.as_deref().is_none_or(|t| t.trim().is_empty());
    match kind {
        EventKind::Track if missing(&message.event) => {
            return Err(Rejection::new("missing_event", "/event", "track needs event, the name of what happened"));
        }
        EventKind::Track if message.event.as_deref().is_some_and(|n| longer_than(n, NAME_CHARS_MAX)) => {
            return Err(too_long("name_too_long", "event", NAME_CHARS_MAX));
        }
        EventKind::Group if missing(&message.group_id) => {
            return Err(Rejection::new("missing_group_id", "/groupId", "group needs groupId"));
        }
        EventKind::Alias if missing(&message.previous_id) => {
            return Err(Rejection::new(
                "missing_previous_id",
                "/previousId",
                "alias needs previousId, the id used before",
            ));
        }
        EventKind::Alias if missing(&message.user_id) => {
            return Err(Rejection::new("missing_user_id", "/userId", "alias needs userId, the id that stays"));
        }
        _ => {}
    }
    let ids = [
        ("userId", &message.user_id),
        ("anonymousId", &message.anonymous_id),
        ("previousId", &message.previous_id),
        ("groupId", &message.group_id),
    ];
    match ids.into_iter().find(|(_, id)| id.as_deref().is_some_and(|i| longer_than(i, ID_CHARS_MAX))) {
        Some((field, _)) => Err(too_long("id_too_long", field, ID_CHARS_MAX)),
        None => Ok(()),
    }
}

fn too_long(code: &'static str, field: &str, max: usize) -> Rejection {
    Rejection::new(code, format!("/{field}"), format!("{field} is longer than {max} characters"))
}
