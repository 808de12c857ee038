//! Keys, zips and rates.
use crate::{RateLimit, RetryAfter, gunzip, write_key};
use base::{SECOND_US, Timestamp};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;

#[test]
fn keys_in_headers() {
    for (header, expected) in [
        ("Basic a2V5Og==", Some("key")),
        ("basic  a2V5Og", Some("key")),
        ("Basic a2V5OnBhc3N3b3Jk", Some("key")),
        ("Basic a2V5", Some("key")),
        ("Bearer key", Some("key")),
        (" bearer  key ", Some("key")),
        ("Basic Og==", None),
        ("Basic !!!", None),
        ("Basic", None),
        ("Bearer ", None),
        ("Digest key", None),
        ("", None),
    ] {
        assert_eq!(write_key::in_authorization(header).as_deref(), expected, "{header}");
    }
}

#[test]
fn keys_in_bodies() {
    for (body, expected) in [
        (r#"{"batch":[{}],"writeKey":"key"}"#, Some("key")),
        (r#"{"writeKey":"key"}"#, Some("key")),
        (r#"{"writeKey":""}"#, None),
        (r#"{"writeKey":{}}"#, None),
        (r#"{"writeKey":"key""#, None),
        (r#"{"x":"\"writeKey\""}"#, None),
        (r#"{"batch":[{"writeKey":"key"}]}"#, Some("key")),
        (r#"{"batch":[{"event":"writeKey"},{"writeKey":"second"},{"writeKey":"third"}]}"#, Some("second")),
        (r#"{"writeKey":"own","batch":[{"writeKey":"key"}]}"#, Some("own")),
        (r#"{"batch":[{"writeKey":{}}]}"#, None),
        (r#"["key"] "writeKey""#, None),
        ("{}", None),
        ("", None),
    ] {
        assert_eq!(write_key::in_body(body.as_bytes()).as_deref(), expected, "{body}");
    }
    assert_eq!(write_key::in_body(b"\xff\"writeKey\""), None);
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

#[test]
fn zips() {
    let body = b"{\"batch\":[]}".repeat(10);
    assert_eq!(gunzip(&zipped(&body), body.len()), Ok(body.clone()));
    let code = |bytes: &[u8], limit| gunzip(bytes, limit).map_err(|r| r.code);
    assert_eq!(code(&zipped(&body), body.len() - 1), Err("body_too_large"));
    assert_eq!(code(&zipped(&vec![b' '; 50_000_000]), 500 << 10), Err("body_too_large"));
    assert_eq!(code(&body, 1000), Err("bad_gzip"));
    assert_eq!(code(&zipped(&body)[..20], 1000), Err("bad_gzip"));
}

fn at(us: i64) -> Timestamp {
    Timestamp::from_micros(us)
}

#[test]
fn rates() {
    let mut limit = RateLimit::new(100, 200, at(0));
    assert_eq!(limit.take(200, at(0)), Ok(()));
    assert_eq!(limit.take(1, at(0)), Err(RetryAfter { seconds: 1 }));
    assert_eq!(limit.take(1, at(9_999)), Err(RetryAfter { seconds: 1 }));
    assert_eq!(limit.take(1, at(10_000)), Ok(()));
    assert_eq!(limit.take(150, at(10_000)), Err(RetryAfter { seconds: 2 }));
    assert_eq!(limit.take(150, at(10_000 + 1_500_000)), Ok(()));
    // A clock that is set back gives nothing.
    assert_eq!(limit.take(1, at(0)), Err(RetryAfter { seconds: 1 }));
    // More than the burst passes when the bucket is full, and is paid for afterwards.
    let mut limit = RateLimit::new(100, 200, at(0));
    assert_eq!(limit.take(1000, at(0)), Ok(()));
    assert_eq!(limit.take(1, at(0)), Err(RetryAfter { seconds: 9 }));
    assert_eq!(limit.take(1, at(8_010_000)), Ok(()));
    // No limit.
    let mut limit = RateLimit::new(0, 0, at(0));
    assert_eq!(limit.take(u32::MAX, at(0)), Ok(()));
    assert_eq!(limit.take(u32::MAX, at(0)), Ok(()));
}

proptest! {
    /// Over any time no more passes than the burst, the rate and one request of debt; whoever waits as told passes.
    #[test]
    fn a_limit_limits(
        rate in 1u32..1000,
        burst in 1u32..2000,
        asks in proptest::collection::vec((0u32..500, 0i64..2 * SECOND_US), 1..60),
    ) {
        let mut limit = RateLimit::new(rate, burst, at(0));
        let (mut now, mut passed) = (0, 0i64);
        for (n, wait) in asks {
            now += wait;
            if let Err(retry) = limit.take(n, at(now)) {
                now += i64::from(retry.seconds) * SECOND_US;
                prop_assert_eq!(limit.take(n, at(now)), Ok(()));
            }
            passed += i64::from(n);
            prop_assert!(passed <= i64::from(burst) + 500 + now * i64::from(rate) / SECOND_US);
        }
    }
}
