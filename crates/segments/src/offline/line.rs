//! One line of the file: the messages in it, and the event of a message before it is prepared.
use base::Timestamp;
use db::event::{Event, EventKind};
use db::message::{Items, Message};
use db::names::canonical;
use serde_json::value::RawValue;

/// A line that is no event, and where it went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {detail}")]
pub struct BadLine {
    /// From 1.
    pub line: u64,
    /// In bytes, from 1.
    pub column: usize,
    pub detail: String,
}

impl BadLine {
    pub(super) fn new(line: u64, column: usize, detail: impl Into<String>) -> Self {
        Self { line, column: column.max(1), detail: detail.into() }
    }

    /// An error of the parser, `offset` bytes into the line.
    fn of_json(line: u64, offset: usize, error: &serde_json::Error) -> Self {
        // The parser's words end in "at line 1 column 7", which is said already, and better.
        let text = error.to_string();
        let detail = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
        Self::new(line, offset + error.column(), detail)
    }
}

/// What is done with a message: its text, itself, and the context that a batch states for all.
type Take<'t> = dyn FnMut(&str, &Message<'_>, Option<&RawValue>) -> Result<(), BadLine> + 't;

/// Calls `take` with each message of a line.
pub(super) fn events(text: &str, line: u64, take: &mut Take<'_>) -> Result<(), BadLine> {
    // A byte order mark is how some programs begin a file.
    let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
    if text.trim().is_empty() {
        return Ok(());
    }
    if !text.trim_start().starts_with('{') {
        return Err(BadLine::new(line, 1, "expected a JSON object"));
    }
    if !text.contains("\"batch\"") {
        let message: Message<'_> = serde_json::from_str(text).map_err(|e| BadLine::of_json(line, 0, &e))?;
        return take(text, &message, None);
    }
    let body = Items::split(text).map_err(|e| BadLine::of_json(line, 0, &e))?;
    for item in body.items {
        let offset = offset_in(text, item.get()).unwrap_or(0);
        let message: Message<'_> = serde_json::from_str(item.get()).map_err(|e| BadLine::of_json(line, offset, &e))?;
        take(item.get(), &message, body.context)?;
    }
    Ok(())
}

/// Where a part that was borrowed from a text stands in it.
fn offset_in(text: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (offset + part.len() <= text.len()).then_some(offset)
}

/// The event of a message: kind, name and time; the rest is for [`customers::prepare`].
pub(super) fn event(line: u64, raw: &str, message: &Message<'_>) -> Result<Event, BadLine> {
    let column = |part: Option<&str>| part.and_then(|part| offset_in(raw, part)).map_or(1, |offset| offset + 1);
    let kind = match message.kind.as_deref() {
        Some(text) => EventKind::parse(text).ok_or_else(|| {
            let detail = format!("{text:?} is no type: identify, track, page, screen, group or alias");
            BadLine::new(line, column(Some(text)), detail)
        })?,
        // What has an event's name was meant as one.
        None if message.event.is_some() => EventKind::Track,
        None => {
            let detail = "type is missing: identify, track, page, screen, group or alias";
            return Err(BadLine::new(line, 1, detail));
        }
    };
    let name = match kind {
        EventKind::Track => match message.event.as_deref().filter(|name| !name.trim().is_empty()) {
            Some(name) => canonical(name),
            None => return Err(BadLine::new(line, 1, "track needs event, the name of what happened")),
        },
        EventKind::Page => "Page Viewed",
        EventKind::Screen => "Screen Viewed",
        EventKind::Identify | EventKind::Group | EventKind::Alias => "",
    };
    let Some(time) = message.timestamp.as_deref().or(message.original_timestamp.as_deref()) else {
        return Err(BadLine::new(line, 1, "timestamp is missing"));
    };
    let timestamp = Timestamp::parse(time).map_err(|e| BadLine::new(line, column(Some(time)), e.to_string()))?;
    Ok(Event {
        index: 0,
        id: 0,
        message_id: message.message_id.as_deref().unwrap_or_default().into(),
        timestamp,
        kind,
        name: name.replace('\0', "\u{fffd}").into(),
        identifiers: Vec::new(),
        traits: Vec::new(),
        hits: Vec::new(),
        amount: None,
        previous_id: None,
        consent: None,
        touch: db::event::Touch::default(),
        profile_id: None,
        weak_id: false,
        passive: false,
    })
}
