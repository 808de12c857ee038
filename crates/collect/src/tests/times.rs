//! When it happened (CONTRACTS 3).
use super::{check, now, send};
use crate::{TimeWarning, correct};
use base::{MINUTE_US, Timestamp};
use proptest::prelude::*;

const TOLERANCE_US: i64 = MINUTE_US;

/// `expected` is a time of 2026-11-22, on which everything is received at 12:00:00.
#[track_caller]
fn check_time(original: Option<&str>, sent: Option<&str>, expected: &str, warning: Option<TimeWarning>) {
    let corrected = correct(original, sent, now(), TOLERANCE_US);
    let expected =
        Timestamp::parse(&if expected.len() > 12 { expected.into() } else { format!("2026-11-22T{expected}Z") });
    assert_eq!((Ok(corrected.timestamp), corrected.warning), (expected, warning), "{original:?} sent {sent:?}");
}

#[test]
fn clocks() {
    let day = |time: &str| format!("2026-11-22T{time}Z");
    let (at_11, at_12) = (day("11:00:00"), day("12:00:00"));
    // Without sentAt, or with a clock that is right within the tolerance, the client is believed.
    check_time(Some(&at_11), None, "11:00:00", None);
    check_time(Some(&at_11), Some(&at_12), "11:00:00", None);
    check_time(Some(&at_11), Some(&day("12:01:00")), "11:00:00", None);
    check_time(Some(&at_11), Some(&day("11:59:00")), "11:00:00", None);
    // Otherwise what counts is how long before sending it happened.
    check_time(Some(&at_11), Some(&day("12:01:00.000001")), "2026-11-22T10:58:59.999999Z", None);
    check_time(Some(&at_11), Some(&day("11:30:00")), "11:30:00", None);
    check_time(Some("2031-01-01T00:00:00Z"), Some("2031-01-01T00:05:00Z"), "11:55:00", None);
    check_time(Some("1970-01-01T00:00:10Z"), Some("1970-01-01T00:00:30Z"), "11:59:40", None);
    check_time(Some("2026-11-22T13:00:00+02:00"), None, "11:00:00", None);
    // Nothing lies in the future.
    check_time(Some(&day("12:00:30")), None, "12:00:00", None);
    check_time(Some(&day("12:01:00")), None, "12:00:00", None);
    check_time(Some(&day("12:01:00.000001")), None, "12:00:00", Some(TimeWarning::Future));
    check_time(Some("9999-12-31T23:59:59Z"), None, "12:00:00", Some(TimeWarning::Future));
    check_time(Some(&day("11:40:00")), Some(&day("11:30:00")), "12:00:00", Some(TimeWarning::Future));
    // Nothing lies before 2000.
    check_time(Some("2000-01-01T00:00:00Z"), None, "2000-01-01T00:00:00Z", None);
    check_time(Some("1999-12-31T23:59:59.999999Z"), None, "12:00:00", Some(TimeWarning::TooOld));
    check_time(Some("0000-01-01"), Some("9999-12-31"), "12:00:00", Some(TimeWarning::TooOld));
    // Missing says nothing, nonsense is told. A nonsensical sentAt corrects nothing.
    check_time(None, None, "12:00:00", None);
    check_time(None, Some("2031-01-01T00:05:00Z"), "12:00:00", None);
    for nonsense in ["", "yesterday", "1763821868", "2026-13-01T00:00:00Z", "22.11.2026", "\u{FFFD}2026-11-22"] {
        check_time(Some(nonsense), None, "12:00:00", Some(TimeWarning::Unparsable));
        check_time(Some(&at_11), Some(nonsense), "11:00:00", None);
    }
}

/// The time of a single accepted message, on 2026-11-22.
#[track_caller]
fn check_sent(body: &str, expected: &str) {
    let received = send("batch", body.to_owned()).expect("the body is fine");
    let expected = Timestamp::parse(&format!("2026-11-22T{expected}Z"));
    assert_eq!(received.batch.events.iter().map(|e| Ok(e.timestamp)).collect::<Vec<_>>(), [expected], "{body}");
}

#[test]
fn fields() {
    let body = |shared: &str, own: &str| {
        format!(r#"{{"batch":[{{"type":"page","userId":"u","messageId":"m"{own}}}]{shared}}}"#)
    };
    let at = |field: &str, time: &str| format!(r#","{field}":"2026-11-22T{time}Z""#);
    check_sent(&body("", &at("timestamp", "11:00:00")), "11:00:00");
    check_sent(&body("", &at("originalTimestamp", "11:00:00")), "11:00:00");
    check_sent(&body("", &(at("originalTimestamp", "10:00:00") + &at("timestamp", "11:00:00"))), "11:00:00");
    check_sent(&body(&at("sentAt", "11:30:00"), &at("timestamp", "11:00:00")), "11:30:00");
    // A message's own sentAt comes before the body's.
    check_sent(
        &body(&at("sentAt", "11:30:00"), &(at("timestamp", "11:00:00") + &at("sentAt", "11:10:00"))),
        "11:50:00",
    );
    check_sent(&body("", ""), "12:00:00");
}

#[test]
fn warnings_name_the_field() {
    let item = |field: &str| format!(r#"{{"type":"page","userId":"u","messageId":"m","{field}":"2030-01-01"}}"#);
    let body = format!(r#"{{"batch":[{},{}]}}"#, item("timestamp"), item("originalTimestamp"));
    check(
        "batch",
        &body,
        concat!(
            "0 accepted m Page Viewed; 0 warning future_time /batch/0/timestamp; ",
            "1 accepted m Page Viewed; 1 warning future_time /batch/1/originalTimestamp"
        ),
    );
    check(
        "page",
        r#"{"userId":"u","messageId":"m","timestamp":"1999"}"#,
        "0 accepted m Page Viewed; 0 warning unparsable_time /timestamp",
    );
    check(
        "page",
        r#"{"userId":"u","messageId":"m","timestamp":"1999-01-01"}"#,
        "0 accepted m Page Viewed; 0 warning old_time /timestamp",
    );
    check(
        "page",
        r#"{"userId":"u","messageId":"m","timestamp":1763821868}"#,
        "0 accepted m Page Viewed; 0 warning unparsable_time /timestamp",
    );
}

fn any_time() -> impl Strategy<Value = Option<String>> {
    let moment = (-70_000_000_000_000_000i64..250_000_000_000_000_000)
        .prop_map(|us| Some(Timestamp::from_micros(us).to_string()));
    let near = (-200_000_000i64..200_000_000).prop_map(|us| Some(now().plus(us).to_string()));
    prop_oneof![Just(None), "\\PC{0,30}".prop_map(Some), moment, near]
}

proptest! {
    #[test]
    fn never_in_the_future_and_never_before_2000(original in any_time(), sent in any_time(), tolerance in 0i64..200_000_000) {
        let corrected = correct(original.as_deref(), sent.as_deref(), now(), tolerance);
        prop_assert!(corrected.timestamp <= now());
        prop_assert!(corrected.timestamp >= Timestamp::from_civil(2000, 1, 1, 0, 0, 0));
        if corrected.warning.is_some() {
            prop_assert_eq!(corrected.timestamp, now());
        }
    }

    /// A clock that is wrong by any constant beyond the tolerance changes nothing in when things happened.
    #[test]
    fn a_wrong_clock_is_no_harm(ago in 0i64..1_000_000_000_000, skew in 61_000_000i64..10_000_000_000_000_000, behind: bool) {
        let skew = if behind { -skew } else { skew };
        let (original, sent) = (now().plus(skew - ago).to_string(), now().plus(skew).to_string());
        prop_assert_eq!(correct(Some(&original), Some(&sent), now(), TOLERANCE_US).timestamp, now().plus(-ago));
    }
}
