//! From a request's bytes to events: the one way in.
use crate::accept::{FieldWarning, Shared, clean};
use crate::enrich::{Enricher, KeepIp, mask};
use crate::limits::{DEPTH_MAX, EVENT_BYTES_MAX, ITEMS_MAX, REJECT_BYTES_MAX, cut, depth, surely_within, too_deep};
use crate::packing::body_too_large;
use crate::shape::{AtMost, Body, Item, self_contained};
use crate::time::moment;
use crate::{
    Call, Defaults, Options, Prepare, Received, Refusal, Reject, Rejection, Request, SourceKind, Warning, diagnose,
    pack,
};
use bytes::Bytes;
use db::event::{Batch, Event, EventKind, Origin};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// Reads a request's body by the rules of CONTRACTS 3.
///
/// A body that cannot be taken as a whole is refused with 400. Otherwise each message stands alone: a good one becomes an
/// event, a bad one a reject. About 1 µs a message of 650 bytes, plus what `prepare` and packing take.
pub fn receive(request: Request, options: &Options, prepare: &Prepare<'_>) -> Result<Received, Refusal> {
    if request.body.len() > options.max_body {
        return Err(body_too_large(options.max_body));
    }
    // Once over everything is faster than string by string, and lets messages borrow from the text.
    let whole = std::str::from_utf8(&request.body).map_err(|e| not_utf8(&request.body, e))?;
    // What is stored is what everything is decided by, or reading it again would decide otherwise.
    let masked = if options.keep_ip == KeepIp::Network { mask(whole) } else { None };
    let text = masked.as_deref().unwrap_or(whole);
    let trimmed = text.trim_ascii_start();
    if !trimmed.is_empty() && !trimmed.starts_with('{') {
        // What is no JSON at all is told so, with its place.
        serde_json::from_str::<&RawValue>(text).map_err(bad_json)?;
        return Err(Refusal::bad("invalid_body", "the body is no object"));
    }
    let places = options.places.as_ref().and_then(|p| p.get());
    let client = Some(&request.client).filter(|_| request.source.kind == SourceKind::Browser);
    let enricher = RefCell::new(Enricher::new(places, client, masked.as_deref().map(|m| (m, whole))));
    let shared = Shared {
        enricher: &enricher,
        source: request.source.id,
        options,
        received_at: request.received_at,
        sent_at: None,
        defaults: Defaults::default(),
        prepare,
    };
    let mut out = Outcome { in_list: request.call == Call::Batch, ..Outcome::default() };
    let (count, rewritten) = match request.call {
        Call::Batch => (list(text, shared, &mut out)?, None),
        Call::One(kind) => (1, one(text, kind, &shared, &mut out)?),
    };
    let (events, rejects, warnings) = (out.events, out.rejects, out.warnings);
    let extra = enricher.borrow().pack(count);
    let raw = rewritten.or(masked).map_or_else(|| request.body.clone(), Bytes::from);
    // A body without an event is not logged.
    let packed = if events.is_empty() { Vec::new() } else { pack(&raw) };
    let batch = Batch {
        source: request.source.id,
        origin: Origin::Tracking,
        browser: request.source.kind == SourceKind::Browser,
        received_at: request.received_at,
        raw,
        packed,
        extra,
        count,
        events,
        prepared_with: request.prepared_with,
    };
    Ok(Received { batch, rejects, warnings })
}

/// What became of the messages so far.
#[derive(Default)]
struct Outcome {
    /// Whether pointers lead through a list.
    in_list: bool,
    /// What the body states for all its messages, for those that may be tried again.
    sent_at: Option<String>,
    context: Option<String>,
    events: Vec<Event>,
    rejects: Vec<Reject>,
    warnings: Vec<Warning>,
}

impl Outcome {
    /// A place in a message as a place in the body.
    fn pointer(&self, index: u32, within: &str) -> String {
        if self.in_list { format!("/batch/{index}{within}") } else { within.to_owned() }
    }

    fn accept(&mut self, index: u32, event: Event, warning: Option<FieldWarning>) {
        if let Some((field, warning)) = warning {
            let pointer = self.pointer(index, &format!("/{field}"));
            let (code, detail) = (warning.code(), warning.detail().to_owned());
            self.warnings.push(Warning { index, code, pointer, detail });
        }
        self.events.push(event);
    }

    fn states<L>(&mut self, body: &Body<'_, L>) {
        self.sent_at = body.sent_at.as_ref().map(|t| t.0.to_string());
        self.context = body.context.map(|c| c.get().to_owned());
    }

    fn envelope(&self) -> String {
        let text = |t: &str| serde_json::to_string(t).unwrap_or_else(|_| "null".into());
        let sent_at = self.sent_at.as_deref().map(|t| format!("\"sentAt\":{}", text(t)));
        let context = self.context.as_deref().map(|c| format!("\"context\":{c}"));
        format!("{{{}}}", [sent_at, context].into_iter().flatten().collect::<Vec<_>>().join(","))
    }

    fn reject(&mut self, index: u32, raw: &str, why: Rejection) {
        self.rejects.push(Reject {
            index,
            message_id: diagnose::message_id(raw).map(|id| cut(&clean(&id), REJECT_BYTES_MAX).to_owned()),
            code: why.code,
            pointer: self.pointer(index, &why.pointer),
            detail: why.detail,
            event: diagnose::event(raw).map(|e| cut(&clean(&e), REJECT_BYTES_MAX).to_owned()),
            raw: kept(raw, why.code),
            envelope: may_be_tried_again(why.code).then(|| self.envelope()),
        });
    }
}

/// Whether a message that was refused for this may be taken some day: when the plan is mended.
fn may_be_tried_again(code: &str) -> bool {
    code.starts_with("plan_")
}

/// What is kept of a rejected message: of one that may be tried again everything.
fn kept(raw: &str, code: &str) -> String {
    let max = if may_be_tried_again(code) { EVENT_BYTES_MAX } else { REJECT_BYTES_MAX };
    cut(raw, max).to_owned()
}

/// A single message; gives the body to store when it is not the one that came.
fn one(text: &str, kind: EventKind, shared: &Shared<'_>, out: &mut Outcome) -> Result<Option<String>, Refusal> {
    let parsed = serde_json::from_str::<Item<'_>>(text);
    if parsed.is_err() {
        serde_json::from_str::<&RawValue>(text).map_err(bad_json)?;
    }
    if text.len() > EVENT_BYTES_MAX {
        return Err(Refusal::bad("too_large", too_large()));
    }
    if too_deep(text) {
        return Err(nested_too_deep());
    }
    let raw = text.trim_ascii();
    let stored = match &parsed {
        Ok(_) => self_contained(text, kind),
        Err(_) => Ok(Cow::Borrowed(text)),
    };
    let result = match (&parsed, &stored) {
        (Ok(item), Ok(stored)) => shared.event(0, &item.0, Some(kind), &|| stored.trim_ascii()),
        (Ok(_), Err(_)) => Err(Rejection::new("duplicate_field", "/batch", "batch stands in the message twice")),
        (Err(_), _) => Err(diagnose::message(raw)),
    };
    match result {
        Ok((event, warning)) => out.accept(0, event, warning),
        Err(why) => {
            // With its call inside, so that it can be tried again without the path that it came by.
            let whole = stored.as_ref().map_or(raw, |s| s.trim_ascii());
            out.reject(0, if may_be_tried_again(why.code) { whole } else { raw }, why);
            return Ok(None);
        }
    }
    Ok(match stored {
        Ok(Cow::Owned(stored)) => Some(stored),
        _ => None,
    })
}

/// A list of messages; gives how many it has.
fn list<'a>(text: &'a str, shared: Shared<'a>, out: &mut Outcome) -> Result<u32, Refusal> {
    // One typed pass over everything. Only when something in it is wrong is the body split, and each message read alone.
    if let Ok(body) = serde_json::from_str::<Body<'_, AtMost<Item<'_>, ITEMS_MAX>>>(text)
        && let Some(list) = &body.batch
        && list.more == 0
        && surely_within(text, &list.items)
    {
        out.states(&body);
        typed(text, &list.items, &with_defaults(&body, shared), out);
        return Ok(list.items.len() as u32);
    }
    let body: Body<'_, AtMost<&RawValue, ITEMS_MAX>> = serde_json::from_str(text).map_err(bad_body)?;
    let Some(list) = &body.batch else {
        return Err(Refusal::bad("invalid_body", "batch, the list of messages, is missing"));
    };
    if list.more > 0 {
        let detail = format!("the body has {} messages, {ITEMS_MAX} are allowed", list.items.len() + list.more);
        return Err(Refusal::bad("too_many_items", detail));
    }
    if depth_outside(text, &list.items) > DEPTH_MAX {
        return Err(nested_too_deep());
    }
    out.states(&body);
    split(&list.items, &with_defaults(&body, shared), out);
    Ok(list.items.len() as u32)
}

/// What a body states for all its messages.
fn with_defaults<'a, L>(body: &Body<'a, L>, shared: Shared<'a>) -> Shared<'a> {
    let sent_at = moment(body.sent_at.as_ref().map(|t| t.0.as_ref()));
    Shared { sent_at, defaults: Defaults { context: body.context, derived: None }, ..shared }
}

/// The messages of a body in which every one could be read.
fn typed(text: &str, items: &[Item<'_>], shared: &Shared<'_>, out: &mut Outcome) {
    // Texts of single messages are rarely needed: for one without an id, and for one that is rejected.
    let texts: OnceCell<Vec<&RawValue>> = OnceCell::new();
    let raw = |index: usize| -> &str {
        let texts = texts.get_or_init(|| {
            let body = serde_json::from_str::<Body<'_, Vec<&RawValue>>>(text);
            body.ok().and_then(|b| b.batch).unwrap_or_default()
        });
        texts.get(index).map_or("", |r| r.get())
    };
    out.events.reserve(items.len());
    for (at, item) in items.iter().enumerate() {
        let index = at as u32;
        match shared.event(index, &item.0, None, &|| raw(at)) {
            Ok((event, warning)) => out.accept(index, event, warning),
            Err(why) => out.reject(index, raw(at), why),
        }
    }
}

/// The messages of a body in which some cannot be read, are too large or too deep.
fn split(items: &[&RawValue], shared: &Shared<'_>, out: &mut Outcome) {
    for (at, raw) in items.iter().enumerate() {
        let (index, raw) = (at as u32, raw.get());
        let result = if raw.len() > EVENT_BYTES_MAX {
            Err(Rejection::new("too_large", "", too_large()))
        } else if too_deep(raw) {
            Err(Rejection::new("too_deep", "", format!("the message is nested deeper than {DEPTH_MAX} levels")))
        } else {
            match serde_json::from_str::<Item<'_>>(raw) {
                Ok(item) => shared.event(index, &item.0, None, &|| raw),
                Err(_) => Err(diagnose::message(raw)),
            }
        };
        match result {
            Ok((event, warning)) => out.accept(index, event, warning),
            Err(why) => out.reject(index, raw, why),
        }
    }
}

/// How deep a body is nested outside of its messages.
fn depth_outside(text: &str, items: &[&RawValue]) -> usize {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return depth(&[text]) };
    let at = |raw: &RawValue| raw.get().as_ptr() as usize - text.as_ptr() as usize;
    depth(&[&text[..at(first)], &text[at(last) + last.get().len()..]])
}

fn too_large() -> String {
    format!("the message is larger than {} KiB", EVENT_BYTES_MAX >> 10)
}

fn nested_too_deep() -> Refusal {
    Refusal::bad("too_deep", format!("the body is nested deeper than {DEPTH_MAX} levels"))
}

fn bad_json(error: serde_json::Error) -> Refusal {
    Refusal::bad("bad_json", format!("the body is no JSON: {error}"))
}

/// An error of a body that may be valid JSON of another shape.
fn bad_body(error: serde_json::Error) -> Refusal {
    match error.is_data() {
        true => Refusal::bad("invalid_body", error.to_string()),
        false => bad_json(error),
    }
}

fn not_utf8(body: &[u8], error: std::str::Utf8Error) -> Refusal {
    let before = &body[..error.valid_up_to()];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.len() - before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1) + 1;
    Refusal::bad("bad_json", format!("the body is no UTF-8 at line {line} column {column}"))
}
