//! Both clients against feeds on a real port that refuse, fail, freeze and fall silent; and messages that are not believed.
use super::hook::{Headers, HookError, HookKey, News};
use super::*;
use crate::fake::{FakeAlerts, FeedTrick, Shown};
use std::time::{Duration, SystemTime};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
fn shown(uid: &str, kind: &'static str, levels: &[&'static str]) -> Shown {
    Shown { uid: uid.into(), kind, since: "2026-11-23T08:15:00.000Z".into(), levels: levels.to_vec() }
}
fn alert(territory: &str, threat: Threat) -> FeedAlert {
    FeedAlert { territory: territory.into(), threat, began_us: 1_795_421_700_000_000, ended_us: None }
}
fn options(url: String, key: &str) -> FeedOptions {
    FeedOptions { answer: Duration::from_millis(400), ..FeedOptions::new(url, key) }
}
fn clients(fake: &FakeAlerts) -> (InUa, UkraineAlarm) {
    let in_ua = InUa::new(&options(fake.in_ua(), fake.key())).expect("a client");
    (in_ua, UkraineAlarm::new(&options(fake.ukraine_alarm(), fake.key())).expect("a client"))
}
const STEP: i64 = 10_000_000;

#[test]
fn both_feeds_tell_the_same_and_only_changes_cost_something() {
    let fake = FakeAlerts::start();
    fake.show([
        shown("27", "air_raid", &["Red"]),
        shown("29", "artillery_shelling", &["Red"]),
        shown("90", "drones", &["Yellow"]),
    ]);
    let want = vec![alert("27", Threat::AirRaid), alert("29", Threat::Artillery), alert("90", Threat::Other)];
    let (mut a, mut b) = clients(&fake);
    assert_eq!(run(a.poll(0)), Ok(Polled::Now(want.clone())));
    assert_eq!(run(b.poll(0)), Ok(Polled::Now(want)), "Crimea has the other feed's uid");
    assert_eq!(run(a.poll(STEP)), Ok(Polled::Same));
    assert_eq!(run(b.poll(STEP)), Ok(Polled::Same));
    assert_eq!(
        fake.asked().iter().filter(|p| *p == "/api/v3/alerts").count(),
        1,
        "the list only when the index changed"
    );
    fake.show([]);
    assert_eq!(run(a.poll(2 * STEP)), Ok(Polled::Now(vec![])));
    assert_eq!(run(b.poll(2 * STEP)), Ok(Polled::Now(vec![])));
}

#[test]
fn nobody_is_asked_too_often() {
    let fake = FakeAlerts::start();
    let (mut a, _) = clients(&fake);
    assert_eq!(run(a.poll(0)), Ok(Polled::Now(vec![])));
    assert_eq!(run(a.poll(1_000_000)), Err(FeedFailure::TooFast(Duration::from_millis(6_500))));
    assert_eq!(fake.asked().len(), 1, "refused here, not there");
    fake.then([FeedTrick::SlowDown(30)]);
    assert_eq!(run(a.poll(STEP)), Err(FeedFailure::TooFast(Duration::from_secs(30))));
    assert_eq!(run(a.poll(2 * STEP)), Err(FeedFailure::TooFast(Duration::from_secs(20))), "as long as the feed said");
    assert_eq!(run(a.poll(4 * STEP)), Ok(Polled::Same));
    // The feed itself counts too: clocks that run ahead do not help.
    for step in 5..14 {
        assert_eq!(run(a.poll(step * STEP)), Ok(Polled::Same));
    }
    assert_eq!(run(a.poll(20 * STEP)), Err(FeedFailure::TooFast(Duration::from_secs(60))), "twelve a minute");
    fake.next_minute();
    assert_eq!(run(a.poll(30 * STEP)), Ok(Polled::Same));
}

#[test]
fn every_failure_is_told_apart_and_the_next_answer_counts_again() {
    let fake = FakeAlerts::start();
    fake.show([shown("31", "air_raid", &["Red"])]);
    let (mut a, mut b) = clients(&fake);
    let mut now = 0;
    let mut fails = |trick: FeedTrick, want: &dyn Fn(&FeedFailure) -> bool| {
        fake.next_minute();
        for client in 0..2 {
            now += STEP;
            fake.then([trick.clone()]);
            let failure = if client == 0 { run(a.poll(now)) } else { run(b.poll(now)) }.expect_err("a failure");
            assert!(want(&failure), "{trick:?}: {failure:?}");
        }
    };
    fails(FeedTrick::Status(500), &|f| *f == FeedFailure::Status(500));
    fails(FeedTrick::Status(401), &|f| *f == FeedFailure::Unauthorised);
    fails(FeedTrick::Status(403), &|f| *f == FeedFailure::Forbidden);
    fails(FeedTrick::Hang, &|f| matches!(f, FeedFailure::Timeout(_)));
    fails(FeedTrick::Drop, &|f| matches!(f, FeedFailure::Connection(_)));
    fails(FeedTrick::Garbage, &|f| matches!(f, FeedFailure::Unreadable(_)));
    fails(FeedTrick::Redirect, &|f| *f == FeedFailure::Status(302));
    fails(FeedTrick::Huge, &|f| matches!(f, FeedFailure::Unreadable(_)));
    fake.next_minute();
    let want = Ok(Polled::Now(vec![alert("31", Threat::AirRaid)]));
    assert_eq!(run(a.poll(now + STEP)), want, "nothing was seen, so nothing is unchanged");
    assert_eq!(run(b.poll(now + STEP)), want);
    let mut stranger = InUa::new(&options(fake.in_ua(), "another")).expect("a client");
    assert_eq!(run(stranger.poll(0)), Err(FeedFailure::Unauthorised));
    let mut stranger = UkraineAlarm::new(&options(fake.ukraine_alarm(), "Bearer a-key")).expect("a client");
    assert_eq!(run(stranger.poll(0)), Err(FeedFailure::Unauthorised), "this feed knows no scheme");
    let open = InUa::new(&FeedOptions::new("http://192.0.2.7/v1", "k")).map(|_| ());
    assert!(matches!(open, Err(FeedFailure::Settings(_))), "no key over an open network: {open:?}");
}

#[test]
fn a_frozen_feed_answers_and_a_silent_one_is_unknown() {
    let fake = FakeAlerts::start();
    let (mut a, mut b) = clients(&fake);
    fake.freeze(true);
    fake.show([shown("27", "air_raid", &["Red"])]);
    assert_eq!(run(a.poll(0)), Ok(Polled::Now(vec![])), "old news looks like news: policy has to end it");
    assert_eq!(run(b.poll(0)), Ok(Polled::Now(vec![])));
    fake.freeze(false);
    assert_eq!(run(b.poll(STEP)), Ok(Polled::Now(vec![alert("27", Threat::AirRaid)])));
    assert_eq!(health(Some(0), SILENT_US), Health::Alive);
    assert_eq!(health(Some(0), SILENT_US + 1), Health::Unknown { silent_us: SILENT_US + 1 });
    assert!(matches!(health(None, 0), Health::Unknown { .. }));
}

#[test]
fn an_alert_without_levels_is_over_there() {
    let fake = FakeAlerts::start();
    fake.show([shown("27", "air_raid", &[]), shown("28", "air_raid", &["Yellow"])]);
    let (_, mut b) = clients(&fake);
    assert_eq!(run(b.poll(0)), Ok(Polled::Now(vec![alert("28", Threat::AirRaid)])));
}

#[test]
fn lists_are_read_as_documented_and_else_refused() {
    let one = r#"{"alerts":[{"id":1,"location_uid":27,"started_at":"2026-11-23T08:15:00","finished_at":"2026-11-23T08:15:00Z"}]}"#;
    let read = in_ua::parse(one.as_bytes()).expect("numbers and times without zone are read");
    assert_eq!(
        (read[0].territory.as_str(), read[0].began_us, read[0].ended_us),
        ("27", 1_795_421_700_000_000, Some(1_795_421_700_000_000))
    );
    for bad in ["[]", "{}", r#"{"alerts":[{}]}"#, r#"{"alerts":[{"location_uid":"1"}]}"#, "\u{0}"] {
        assert!(matches!(in_ua::parse(bad.as_bytes()), Err(FeedFailure::Unreadable(_))), "{bad}");
    }
    let test =
        r#"[{"regionId":"0","activeAlerts":[{"regionId":"0","type":"AIR","lastUpdate":"2026-11-23T08:15:00Z"}]}]"#;
    assert_eq!(ukraine_alarm::parse(test.as_bytes()), Ok(vec![]), "the test region is nowhere");
    for bad in ["{}", "[{}]", r#"[{"regionId":"1","activeAlerts":[{"type":"AIR"}]}]"#] {
        assert!(matches!(ukraine_alarm::parse(bad.as_bytes()), Err(FeedFailure::Unreadable(_))), "{bad}");
    }
}

#[test]
fn webhooks_are_believed_by_signature_and_told_by_level() {
    let fake = FakeAlerts::start();
    let key = HookKey::parse(fake.public_pem().as_bytes()).expect("a key");
    let now_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    let time = now_s.to_string();
    let read = |body: &str, now_s: i64| {
        let signature = fake.sign(&time, body);
        let headers = Headers { signature: &signature, timestamp: &time, algorithm: "rsa-sha256" };
        key.read(headers, body.as_bytes(), now_s)
    };
    let body = |status: &str, levels: &str| {
        format!(
            r#"{{"regionId":"27","alarmType":"AIR","status":"{status}","createdAt":"2026-11-23T08:15:00Z"{levels}}}"#
        )
    };
    let on = News::On(alert("27", Threat::AirRaid));
    let off = News::Off { territory: "27".into(), threat: Threat::AirRaid, at_us: 1_795_421_700_000_000 };
    assert_eq!(read(&body("ACTIVATE", ""), now_s), Ok(on.clone()));
    assert_eq!(read(&body("DEACTIVATE", ""), now_s), Ok(off.clone()));
    let yellow = r#","activeAlertLevels":[{"alertLevel":"Yellow"}]"#;
    assert_eq!(read(&body("DEACTIVATE", yellow), now_s), Ok(on), "a lower level is still a level");
    assert_eq!(read(&body("ACTIVATE", r#","activeAlertLevels":[]"#), now_s), Ok(off));
    assert_eq!(read(&body("ACTIVATE", "").replace("27", "0"), now_s), Ok(News::Test));
    assert_eq!(read(&body("ACTIVATE", ""), now_s + 301), Err(HookError::Time));
    assert!(matches!(read("{}", now_s), Err(HookError::Unreadable(_))));
    let good = body("ACTIVATE", "");
    let signature = fake.sign(&time, &good);
    let headers = Headers { signature: &signature, timestamp: &time, algorithm: "rsa-sha256" };
    assert_eq!(key.read(headers, good.replace("27", "26").as_bytes(), now_s), Err(HookError::Signature));
    let later = (now_s + 1).to_string();
    assert_eq!(key.read(Headers { timestamp: &later, ..headers }, good.as_bytes(), now_s), Err(HookError::Signature));
    let weak = Headers { algorithm: "none", ..headers };
    assert_eq!(key.read(weak, good.as_bytes(), now_s), Err(HookError::Algorithm("none".into())));
    assert_eq!(HookKey::parse(b"no key"), Err(HookError::Key));
}
