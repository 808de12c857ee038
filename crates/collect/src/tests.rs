//! One way to send a body in tests, and one text that says everything about what came of it.
mod answers;
mod fuzz;
mod small;
mod stored;
mod times;

use crate::{Call, Defaults, Options, Received, Refusal, Rejection, Request, Source, SourceKind, receive};
use base::Timestamp;
use bytes::Bytes;
use db::event::{Event, Identifier};
use db::message::Message;

pub(crate) const SOURCE: Source = Source { id: 7, kind: SourceKind::Browser };

pub(crate) fn now() -> Timestamp {
    Timestamp::from_civil(2026, 11, 22, 12, 0, 0)
}

pub(crate) fn options() -> Options {
    Options { keep_ip: crate::KeepIp::Whole, ..Options::new((11, 22)) }
}

/// A stand-in for `customers`: ids become identifiers, a message without any is refused, and the context in force is kept
/// where a test can see it.
pub(crate) fn prepare(message: &Message<'_>, defaults: &Defaults<'_>, event: &mut Event) -> Result<(), Rejection> {
    for (kind, value) in [("user_id", &message.user_id), ("anonymous_id", &message.anonymous_id)] {
        if let Some(value) = value {
            event.identifiers.push(Identifier { kind: kind.into(), value: value.as_ref().into(), hash: 0 });
        }
    }
    if let Some(context) = message.context.or(defaults.context) {
        event.traits.push(("context".into(), Some(context.get().into())));
    }
    match event.identifiers.is_empty() {
        true => Err(Rejection::new("no_identifier", "", "the message names nobody")),
        false => Ok(()),
    }
}

pub(crate) fn send(path: &str, body: impl Into<Bytes>) -> Result<Received, Refusal> {
    let call = Call::parse(path).expect("tests name calls that exist");
    let request = Request {
        call,
        source: SOURCE,
        client: crate::Client::default(),
        body: body.into(),
        received_at: now(),
        prepared_with: 3,
    };
    receive(request, &options(), &prepare)
}

/// What came of a body: the refusal, or a line per message and warning.
pub(crate) fn outcome(path: &str, body: impl Into<Bytes>) -> String {
    let received = match send(path, body) {
        Ok(received) => received,
        Err(refusal) => return format!("{} {}", refusal.status, refusal.code),
    };
    let mut lines = Vec::new();
    for event in &received.batch.events {
        let name = if event.name.is_empty() { event.kind.as_str() } else { &event.name };
        lines.push((event.index, format!("{} accepted {} {name}", event.index, event.message_id)));
    }
    for reject in &received.rejects {
        lines.push((reject.index, format!("{} {} {}", reject.index, reject.code, reject.pointer)));
    }
    for warning in &received.warnings {
        lines.push((warning.index, format!("{} warning {} {}", warning.index, warning.code, warning.pointer)));
    }
    lines.sort();
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line.trim_end().to_owned()).collect();
    lines.join("; ")
}

#[track_caller]
pub(crate) fn check(path: &str, body: &str, expected: &str) {
    assert_eq!(outcome(path, body.to_owned()), expected, "{path} {body:.200}");
}
