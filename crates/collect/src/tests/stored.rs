//! What is stored says the same again when the log is read.
use super::{SOURCE, now, options, prepare, send};
use crate::{Received, Stored, clean, decode, event_id};
use base::Timestamp;
use db::event::{Event, Origin};

/// What the log would keep of a batch: ids and times by index.
pub(crate) fn logged(received: &Received) -> (Vec<u128>, Vec<Timestamp>) {
    let count = received.batch.count as usize;
    let (mut ids, mut times) = (vec![0; count], vec![received.batch.received_at; count]);
    for event in &received.batch.events {
        ids[event.index as usize] = event.id;
        times[event.index as usize] = event.timestamp;
    }
    (ids, times)
}

pub(crate) fn read_back(received: &Received) -> Vec<Event> {
    let raw = db::compress::unpack(&received.batch.packed, received.batch.raw.len()).expect("it was packed by us");
    assert_eq!(raw, received.batch.raw);
    let body = String::from_utf8(raw).expect("it was UTF-8");
    let (ids, times) = logged(received);
    let stored =
        Stored { body: &body, origin: Origin::Tracking, ids: &ids, times: &times, extra: &received.batch.extra };
    decode(stored, &prepare).expect("it was valid")
}

#[track_caller]
fn check_stored(path: &str, body: &str, expected: &str) {
    let received = send(path, body.to_owned()).expect("the body is fine");
    assert_eq!(received.batch.raw, expected);
    assert!(!received.batch.events.is_empty());
    assert_eq!(read_back(&received), received.batch.events);
}

#[test]
fn single_messages_say_what_they_are() {
    check_stored("page", r#"{"userId":"u"}"#, r#"{"type":"page","userId":"u"}"#);
    check_stored("page", "\n { \"userId\":\"u\"} ", "\n {\"type\":\"page\", \"userId\":\"u\"} ");
    check_stored("page", r#"{"userId":"u","type":"page"}"#, r#"{"userId":"u","type":"page"}"#);
    check_stored("page", r#"{"userId":"u","type": "track"}"#, r#"{"userId":"u","type": "page"}"#);
    check_stored("page", r#"{"type":null,"userId":"u"}"#, r#"{"type":"page","userId":"u"}"#);
    check_stored("page", r#"{"type":5,"userId":"u"}"#, r#"{"type":"page","userId":"u"}"#);
    check_stored("page", r#"{"userId":"{","type":"\u0070age"}"#, r#"{"userId":"{","type":"page"}"#);
    check_stored("page", r#"{"userId":"u","batch":null}"#, r#"{"type":"page","userId":"u","batch":null}"#);
    // Such a field would make it a list when it is read again.
    check_stored("page", r#"{"userId":"u","batch":[1]}"#, r#"{"batch":[{"type":"page","userId":"u","batch":[1]}]}"#);
}

#[test]
fn lists_are_stored_as_they_came() {
    let body = r#"{ "context":{"ip":"1"}, "batch":[ {"type":"page","userId":"u"}, 5, {"type":"x"},
        {"type":"track","userId":"v","event":"Completed Order","context":{"ip":"2"},"timestamp":"2026-11-20"} ],"sentAt":"2026-11-21"}"#;
    check_stored("batch", body, body);
    let received = send("batch", body).expect("the body is fine");
    let contexts: Vec<_> = received.batch.events.iter().map(|e| (e.index, e.traits[0].1.as_deref())).collect();
    assert_eq!(contexts, [(0, Some(r#"{"ip":"1"}"#)), (3, Some(r#"{"ip":"2"}"#))]);
    assert_eq!((received.batch.count, received.batch.source, received.batch.browser), (4, SOURCE.id, true));
    assert_eq!((received.batch.prepared_with, received.batch.received_at), (3, now()));
}

#[test]
fn a_body_without_events_is_not_packed() {
    let received = send("batch", r#"{"batch":[5]}"#).expect("the body is fine");
    assert_eq!((received.batch.count, received.batch.packed.len()), (1, 0));
}

#[test]
fn what_the_writer_dropped_stays_dropped() {
    let body = r#"{"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"v"}]}"#;
    let stored = Stored { body, origin: Origin::Tracking, ids: &[0, 9], times: &[now(), now()], extra: &[] };
    let events = decode(stored, &prepare).expect("it is valid");
    assert_eq!(events.iter().map(|e| (e.index, e.id)).collect::<Vec<_>>(), [(1, 9)]);
}

#[test]
fn derived_events_know_their_profile() {
    let body = r#"{"batch":[{"type":"track","event":"Message Sent","messageId":"m","profileId":"42"}]}"#;
    let read = |origin| {
        let stored = Stored { body, origin, ids: &[9], times: &[now()], extra: &[] };
        // The hook refuses it, for it names nobody; it is in the log all the same.
        decode(stored, &prepare).expect("it is valid").remove(0)
    };
    assert_eq!(read(Origin::Derived).profile_id, Some(42));
    assert_eq!(read(Origin::Tracking).profile_id, None);
}

#[test]
fn damage_is_an_error() {
    for body in
        ["", "x", r#"{"batch":[]}"#, r#"{"batch":[{},{}]}"#, r#"{"batch":[{"type":"x"}]}"#, r#"{"batch":[5]}"#, "{}"]
    {
        let stored = Stored { body, origin: Origin::Tracking, ids: &[1], times: &[now()], extra: &[] };
        assert!(decode(stored, &prepare).is_err(), "{body}");
    }
}

#[test]
fn ids() {
    let key = options().hash_key;
    assert_eq!(event_id(key, 7, "m"), event_id(key, 7, "m"));
    assert_ne!(event_id(key, 7, "m"), event_id(key, 8, "m"));
    assert_ne!(event_id(key, 7, "m"), event_id((11, 23), 7, "m"));
    let of = |path: &str, body: &str| send(path, body.to_owned()).expect("the body is fine").batch.events.remove(0);
    let event = of("page", r#"{"userId":"u","messageId":"m"}"#);
    assert_eq!((event.id, event.weak_id), (event_id(key, 7, "m"), false));
    // A message without an id is its own id, on both paths; weak only without a time of its own.
    let bare = r#"{"type":"page","userId":"u"}"#;
    let timed = r#"{"type":"page","userId":"u","timestamp":"2026-11-22"}"#;
    let (a, b) = (of("page", bare), of("page", bare));
    assert_eq!((&a.message_id, a.id, a.weak_id), (&b.message_id, b.id, true));
    assert_eq!(*a.message_id, *format!("h-{:032x}", a.id));
    assert_eq!(of("batch", &format!(r#"{{"batch":[{bare}]}}"#)).id, a.id);
    assert_eq!(of("page", r#"{"type":"page","userId":"u","messageId":""}"#).message_id.len(), 34);
    assert!(!of("page", timed).weak_id);
    assert_ne!(of("page", timed).id, a.id);
    // The split path agrees with the typed one.
    let mixed = send("batch", format!(r#"{{"batch":[{bare},5]}}"#)).expect("the body is fine");
    assert_eq!(mixed.batch.events[0].id, a.id);
}

#[test]
fn clean_borrows_what_is_clean() {
    assert!(matches!(clean("abc"), std::borrow::Cow::Borrowed("abc")));
    assert_eq!(clean("\0a\0"), "\u{FFFD}a\u{FFFD}");
}
