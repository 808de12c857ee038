//! The laws of the standing facts, and what events add to them.
use super::*;
use crate::tests::harness::{self, day};
use base::SECOND_US;
use db::event::{Amount, Event, Loss, Touch};
use db::pack::Reader;
use proptest::prelude::*;
use std::cell::Cell;

/// Day, second, act, channel, device, product, amount.
type Drawn = (i64, i64, u8, u8, u8, u8, i64);

/// Events over two years, with equal times, all acts, few products, losses and the staff's time.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0..700i64, 0..3i64, 0..34u8, 0..4u8, 0..3u8, 0..9u8, 0..100i64);
    proptest::collection::vec(one, 0..60).prop_map(|all| {
        let one = |(n, drawn): (usize, Drawn)| {
            let (at, second, act, channel, device, item, minor) = drawn;
            let mut event = harness::draft(&serde_json::from_str("{}").expect("an empty message"));
            event.message_id = format!("m{:03}", n * 37 % 60).into();
            // Looks and orders are most of life.
            let act = [act, 2, 5][usize::from(act >= 20) + usize::from(act >= 28)];
            event.timestamp = day(at - 700).plus(second * SECOND_US);
            let lost = act == Act::Failed as u8;
            event.touch = Touch {
                act,
                also: if act == Act::Ordered as u8 { Act::PickedUp as u8 } else { 0 },
                channel,
                device,
                seconds: if act == Act::Served as u8 { 60 } else { 0 },
                item: Some(format!("p{item}").into()),
                group: Some(format!("g{}", item % 5).into()),
                lost: lost.then(|| Box::new(Loss { address: format!("a{item}@x").into(), reason: device })),
            };
            event.amount =
                (minor > 10).then(|| Amount { minor, currency: ["UAH", "EUR"][(minor % 2) as usize].into() });
            event
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

fn folded<'a>(events: impl IntoIterator<Item = &'a Event>) -> Facts {
    let mut facts = Facts::default();
    events.into_iter().for_each(|e| fold(&mut facts, e));
    facts
}

fn bytes(facts: &Facts) -> Vec<u8> {
    let mut out = Vec::new();
    facts.encode(day(0).micros(), &mut out);
    out
}

type Merge = fn(&mut Facts, &Facts);

fn lawful(events: &[Event], seed: u64, merge: Merge) -> bool {
    let whole = bytes(&folded(events));
    let mut rng = base::Rng::new(seed);
    let mut shuffled: Vec<&Event> = events.iter().collect();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, (rng.next_u64() % (at as u64 + 1)) as usize);
    }
    let mut parts: [Vec<&Event>; 3] = Default::default();
    for event in &shuffled {
        parts[(rng.next_u64() % 3) as usize].push(event);
    }
    let [a, b, c] = parts.map(folded);
    let of = |x: &Facts, y: &Facts| {
        let mut out = x.clone();
        merge(&mut out, y);
        out
    };
    let results = [of(&of(&a, &b), &c), of(&a, &of(&b, &c)), of(&of(&c, &a), &b), folded(shuffled)];
    results.iter().all(|r| bytes(r) == whole)
}

thread_local! {
    static EQUAL_TIMES: Cell<u32> = const { Cell::new(0) };
    static OLD_PERIODS: Cell<u32> = const { Cell::new(0) };
    static OLD_DAYS: Cell<u32> = const { Cell::new(0) };
    static CROWDED: Cell<u32> = const { Cell::new(0) };
    static SAME_PRODUCT: Cell<u32> = const { Cell::new(0) };
}

fn tick(cell: &'static std::thread::LocalKey<Cell<u32>>, hit: bool) {
    cell.with(|c| c.set(c.get() + u32::from(hit)));
}

#[test]
fn merging_is_folding_the_union_byte_for_byte() {
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&(events(), any::<u64>()), |(events, seed)| {
            let pairs = || events.iter().enumerate().flat_map(|(n, a)| events[n + 1..].iter().map(move |b| (a, b)));
            tick(&EQUAL_TIMES, pairs().any(|(a, b)| a.timestamp == b.timestamp && a.message_id != b.message_id));
            let viewed = |e: &Event| e.touch.act == Act::Viewed as u8;
            tick(&SAME_PRODUCT, pairs().any(|(a, b)| viewed(a) && viewed(b) && a.touch.item == b.touch.item));
            let facts = folded(&events);
            tick(&OLD_PERIODS, facts.tallies.first().is_some_and(|t| t.period == 0));
            let money = |e: &&Event| matches!(Act::from_code(e.touch.act), Act::Ordered | Act::Returned);
            let first = events.iter().filter(money).map(|e| day_of(e.timestamp)).min();
            tick(&OLD_DAYS, first.is_some_and(|f| facts.rare().days.first().is_some_and(|d| d.day > f)));
            tick(&CROWDED, facts.rare().orders.len() == ORDERS_MAX || facts.recents.iter().count() >= 8);
            prop_assert!(lawful(&events, seed, merge));
            let packed = bytes(&facts);
            let mut reader = Reader::new(&packed);
            let read = Facts::decode(day(0).micros(), &mut reader).expect("what was written reads");
            prop_assert!(reader.is_empty());
            prop_assert_eq!(read, facts);
            Ok(())
        })
        .expect("the laws hold");
    for (what, cell) in [
        ("equal times", &EQUAL_TIMES),
        ("a product seen twice", &SAME_PRODUCT),
        ("periods that are closed", &OLD_PERIODS),
        ("days that are dropped", &OLD_DAYS),
        ("full lists", &CROWDED),
    ] {
        assert!(cell.with(Cell::get) > 10, "the events reach {what} only {} times", cell.with(Cell::get));
    }
}

#[test]
fn mistakes_in_merging_are_caught() {
    fn no_hours(into: &mut Facts, other: &Facts) {
        let hours = into.hours.clone();
        merge(into, other);
        into.hours = hours;
    }
    fn periods_as_they_are(into: &mut Facts, other: &Facts) {
        let mine = into.clone();
        merge(into, other);
        into.tallies = mine.tallies;
        other.tallies.iter().for_each(|t| into.add(*t));
    }
    fn left_recents(into: &mut Facts, other: &Facts) {
        let recents = into.recents.clone();
        merge(into, other);
        into.recents = recents;
    }
    fn days_for_ever(into: &mut Facts, other: &Facts) {
        let days = other.rare().days.clone();
        merge(into, other);
        if let Some(rare) = &mut into.rare {
            rare.days.retain(|d| days.iter().all(|o| o.day != d.day));
        }
    }
    for (what, wrong) in [
        ("no hours", no_hours as Merge),
        ("periods stay apart", periods_as_they_are),
        ("recents of one side", left_recents),
        ("days of one side", days_for_ever),
    ] {
        let config = ProptestConfig { failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let caught = runner.run(&(events(), any::<u64>()), |(events, seed)| {
            prop_assert!(lawful(&events, seed, wrong));
            Ok(())
        });
        assert!(caught.is_err(), "not caught: {what}");
    }
}

#[test]
fn damaged_facts_are_refused_without_a_panic() {
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&(events(), any::<(u16, u8)>()), |(events, (at, value))| {
            let mut packed = bytes(&folded(&events));
            let place = usize::from(at) % packed.len();
            packed[place] = value;
            let _ = Facts::decode(0, &mut Reader::new(&packed));
            Ok(())
        })
        .expect("no panic");
}

/// Channel, device and act of a message.
fn seen(text: &str) -> (&'static str, &'static str, &'static str) {
    let touch = harness::event(text).touch;
    let act = Act::from_code(touch.act).as_str();
    (Channel::from_code(touch.channel).as_str(), Device::from_code(touch.device).as_str(), act)
}

#[test]
fn channels_and_devices_are_recognised() {
    let iphone = r#""userAgent":"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148""#;
    let windows = r#""userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)""#;
    let cases = [
        (format!(r#"{{"userId":"u","event":"Product Viewed","context":{{{iphone}}}}}"#), ("site", "mobile", "viewed")),
        (format!(r#"{{"userId":"u","type":"page","context":{{{windows}}}}}"#), ("site", "desktop", "visited")),
        (r#"{"userId":"u","type":"screen"}"#.into(), ("app", "mobile", "visited")),
        (
            r#"{"userId":"u","event":"Order Completed","context":{"app":{"name":"Shop"},"device":{"type":"tablet"}}}"#.into(),
            ("app", "tablet", "ordered"),
        ),
        (
            r#"{"userId":"u","event":"Order Completed","properties":{"register_id":4,"store_id":"Lviv-1"}}"#.into(),
            ("shop", "none", "ordered"),
        ),
        (
            r#"{"userId":"u","event":"Order Completed","properties":{"store_id":"Lviv-1","shipping_method":"pickup"},"context":{"page":{"path":"/"}}}"#.into(),
            ("site", "none", "ordered"),
        ),
        (
            r#"{"userId":"u","event":"Order Completed","properties":{"affiliation":"Rozetka Marketplace"}}"#.into(),
            ("marketplace", "none", "ordered"),
        ),
        (
            r#"{"userId":"u","event":"Message Opened","properties":{"channel":"viber"}}"#.into(),
            ("messenger", "none", "opened"),
        ),
        (r#"{"userId":"u","event":"Order Completed","properties":{"channel":"call_center"}}"#.into(), ("phone", "none", "ordered")),
        (r#"{"userId":"u","event":"Email Opened"}"#.into(), ("email", "none", "opened")),
        (r#"{"userId":"u","event":"Push Notification Tapped"}"#.into(), ("push", "none", "clicked")),
        (r#"{"userId":"u","event":"Order Completed"}"#.into(), ("other", "none", "ordered")),
        (r#"{"userId":"u","event":"Anything Else"}"#.into(), ("other", "none", "nothing")),
        (r#"{"userId":"u","type":"identify"}"#.into(), ("other", "none", "nothing")),
    ];
    for (text, wanted) in cases {
        assert_eq!(seen(&text), wanted, "{text}");
    }
}

#[test]
fn losses_say_which_contact_point_and_why() {
    let loss =
        |text: &str| harness::event(text).touch.lost.map(|l| (l.address.to_string(), Reason::from_code(l.reason)));
    let mail = r#""context":{"traits":{"email":"Ann@Example.com"}}"#;
    let email = |event: &str, properties: &str| {
        loss(&format!(r#"{{"userId":"u","event":"{event}","properties":{properties},{mail}}}"#))
    };
    let hard = Some(("ann@example.com".to_string(), Reason::HardBounce));
    assert_eq!(email("Email Bounced", "{}"), hard);
    assert_eq!(email("Email Bounced", r#"{"type":"Permanent"}"#), hard);
    assert_eq!(email("Email Bounced", r#"{"bounce_type":"soft"}"#), None);
    assert_eq!(email("Email Marked as Spam", "{}"), Some(("ann@example.com".into(), Reason::Complaint)));
    assert_eq!(email("Message Failed", r#"{"channel":"email","reason":"550 5.1.1 no such user"}"#), hard);
    assert_eq!(email("Message Failed", r#"{"channel":"email","reason":"451 try later"}"#), None);
    let push =
        r#"{"userId":"u","event":"Push Notification Bounced","context":{"device":{"type":"ios","token":"tok-1"}}}"#;
    assert_eq!(loss(push), Some(("tok-1".into(), Reason::TokenGone)));
    let bot = r#"{"userId":"u","event":"Message Failed","properties":{"channel":"telegram","reason":"Forbidden: bot was blocked by the user"}}"#;
    assert_eq!(loss(bot), Some((String::new(), Reason::BotBlocked)));
}

#[test]
fn a_young_profile_is_small() {
    let view = harness::event(
        r#"{"userId":"u-1234567","anonymousId":"5f0c1a52-8f2d-4c39-9f0d-1f2f3a4b5c6d","event":"Product Viewed","messageId":"5f0c1a52-8f2d-4c39-9f0d-000000000001",
            "properties":{"product_id":"SKU-104233","category":"face care"},"context":{"userAgent":"Mozilla/5.0 (Windows NT 10.0)"}}"#,
    );
    let facts = folded([&view]);
    let size = bytes(&facts).len();
    assert!(size <= 80, "one view takes {size} bytes");
    let mut profile = crate::model::Profile::new(1, day(0));
    crate::state::fold_state(&mut profile.state, &view, &harness::counters(), 1);
    let mut row = Vec::new();
    crate::codec::encode(&profile, &mut row);
    assert!(row.len() < 500, "a young row takes {} bytes", row.len());
}

#[test]
fn rows_of_the_first_release_read_without_facts() {
    let profile = crate::model::Profile::new(7, day(0));
    let mut row = Vec::new();
    crate::codec::encode(&profile, &mut row);
    // Version 1 had no flag byte of facts before the tail's count.
    let (last, head) = row.split_last().expect("a row");
    let mut old = head[..head.len() - 1].to_vec();
    old.push(*last);
    old[0] = 1;
    let read = crate::codec::decode(&old, 3).expect("an old row reads");
    assert_eq!((read.person, read.state.facts.is_empty(), read.folded_to), (7, true, 3));
    row[0] = 9;
    assert!(crate::codec::decode(&row, 0).is_err());
}
