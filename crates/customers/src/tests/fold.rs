//! The algebra of folding and merging, and that its tests catch what they are for.
use super::harness::{self, KEY, day};
use crate::counters::CounterSet;
use crate::identifier;
use crate::model::{Evidence, FOREIGN_MAX, Profile, Stamp, State, TRAITS_MAX, Trait};
use crate::state::{attach, fold_state, from_scratch, merge, merge_into};
use crate::{codec, model};
use base::{SECOND_US, Timestamp};
use db::event::{Amount, Event, EventKind, Hit, Identifier};
use db::index::Entry;
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

fn identifier(kind: &str, value: String) -> Identifier {
    Identifier { kind: kind.into(), hash: identifier::hash(KEY, kind, &value), value: value.into() }
}

/// Events with equal times, removals and orders; message ids are distinct, as they are in a log.
fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let traits = proptest::collection::vec((0..4u8, proptest::option::weighted(0.7, 0..3u8)), 0..3);
    let one = (0..6i64, 0..5u8, traits, 0..8u8, 0..1000i64, 0..3i64, any::<bool>());
    proptest::collection::vec(one, 0..24).prop_map(|all| {
        let one = |(n, (time, what, traits, id, minor, source, hit)): (usize, _)| {
            let traits: Vec<(u8, Option<u8>)> = traits;
            let mut event = harness::draft(&serde_json::from_str("{}").expect("an empty message"));
            // Ids in an order that is not that of the list.
            event.message_id = format!("m{:02}", n * 7 % 24).into();
            event.timestamp = day(0).plus(time * SECOND_US);
            event.kind = if what == 0 { EventKind::Identify } else { EventKind::Track };
            event.name =
                ["", "Order Completed", "Order Refunded", "Product Viewed", "Product Viewed"][what as usize].into();
            if what == 0 {
                let mut traits: Vec<_> = traits
                    .iter()
                    .map(|(name, v)| (format!("t{name}").into(), v.map(|v| format!("{v}").into())))
                    .collect();
                traits.dedup_by(|a: &mut (Box<str>, _), b| a.0 == b.0);
                event.traits = traits;
            }
            if what == 1 || what == 2 {
                event.amount = Some(Amount { minor, currency: ["UAH", "EUR"][(minor % 2) as usize].into() });
            }
            event.identifiers = vec![identifier("user_id", "u".into()), identifier("anonymous_id", format!("a{id}"))];
            if hit {
                event.hits = vec![Hit { counter: 1, values: vec![] }, Hit { counter: 2, values: vec![] }];
            }
            (source, event)
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

fn evidence() -> Evidence {
    Evidence { seq: 1, message_id: "m00".into(), at: day(0) }
}

type Fold = fn(&mut State, &Event, &CounterSet, i64);
type Merge = fn(&mut State, &State, &CounterSet);

fn folded<'a>(events: impl IntoIterator<Item = &'a (i64, Event)>, fold: Fold) -> State {
    let mut state = State::default();
    attach(&mut state.identifiers, "user_id", "u", evidence());
    attach(&mut state.identifiers, "anonymous_id", "a0", evidence());
    for (source, event) in events {
        fold(&mut state, event, &harness::counters(), *source);
    }
    state
}

/// Whether the laws hold for one list of events under one shuffle and one partition into three.
fn lawful(events: &[(i64, Event)], seed: u64, fold: Fold, merge_into: Merge) -> bool {
    let counters = harness::counters();
    let whole = folded(events, fold);
    let mut rng = base::Rng::new(seed);
    let mut shuffled: Vec<&(i64, Event)> = events.iter().collect();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, (rng.next_u64() % (at as u64 + 1)) as usize);
    }
    if folded(shuffled.iter().copied(), fold) != whole {
        return false;
    }
    let mut parts: [Vec<&(i64, Event)>; 3] = Default::default();
    for event in shuffled {
        parts[(rng.next_u64() % 3) as usize].push(event);
    }
    let [a, b, c] = parts.map(|p| folded(p, fold));
    let of = |x: &State, y: &State| {
        let mut out = x.clone();
        merge_into(&mut out, y, &counters);
        out
    };
    let left = of(&of(&a, &b), &c);
    left == of(&a, &of(&b, &c)) && left == of(&c, &of(&b, &a)) && left == whole
}

thread_local! {
    static EQUAL_TIMES: Cell<u32> = const { Cell::new(0) };
    static REMOVALS: Cell<u32> = const { Cell::new(0) };
    static LATE: Cell<u32> = const { Cell::new(0) };
    static FOREIGN: Cell<u32> = const { Cell::new(0) };
}

fn count(cell: &'static std::thread::LocalKey<Cell<u32>>, hit: bool) {
    cell.with(|c| c.set(c.get() + u32::from(hit)));
}

#[test]
fn folding_ignores_order_and_partition() {
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&(events(), any::<u64>()), |(events, seed)| {
            let set: Vec<&Event> = events.iter().map(|(_, e)| e).filter(|e| !e.traits.is_empty()).collect();
            let same = |a: &&Event, b: &&Event| a.timestamp == b.timestamp && a.message_id != b.message_id;
            let both = |a: &Event, b: &Event| a.traits.iter().any(|(n, _)| b.traits.iter().any(|(m, _)| n == m));
            count(
                &EQUAL_TIMES,
                set.iter().enumerate().any(|(at, a)| set[at + 1..].iter().any(|b| same(a, b) && both(a, b))),
            );
            count(&REMOVALS, set.iter().any(|e| e.traits.iter().any(|(_, v)| v.is_none())));
            count(&LATE, set.windows(2).any(|w| w[0].timestamp > w[1].timestamp && both(w[0], w[1])));
            count(&FOREIGN, events.iter().any(|(_, e)| e.identifiers.iter().any(|i| &*i.value == "a5")));
            prop_assert!(lawful(&events, seed, fold_state, merge_into));
            Ok(())
        })
        .expect("the laws hold");
    for (what, cell) in
        [("equal times", &EQUAL_TIMES), ("removals", &REMOVALS), ("late events", &LATE), ("others' values", &FOREIGN)]
    {
        assert!(cell.with(Cell::get) > 10, "the events reach {what} only {} times", cell.with(Cell::get));
    }
}

/// Folds with one mistake each.
fn last_writer_wins(state: &mut State, event: &Event, counters: &CounterSet, source: i64) {
    fold_state(state, event, counters, source);
    let list = Arc::make_mut(&mut state.traits.0);
    for (name, value) in &event.traits {
        if let Some(known) = list.iter_mut().find(|t| t.name == *name) {
            known.value.clone_from(value);
        }
    }
}

fn ties_go_to_the_later(state: &mut State, event: &Event, counters: &CounterSet, source: i64) {
    let before = state.traits.clone();
    fold_state(state, event, counters, source);
    let list = Arc::make_mut(&mut state.traits.0);
    for (name, value) in &event.traits {
        if before.find(name).is_some_and(|t| t.stamp.timestamp == event.timestamp)
            && let Some(known) = list.iter_mut().find(|t| t.name == *name)
        {
            let stamp = Stamp { timestamp: event.timestamp, message_id: event.message_id.clone(), source };
            *known = Trait { name: name.clone(), value: value.clone(), stamp: Arc::new(stamp) };
        }
    }
}

fn removals_leave_no_trace(state: &mut State, event: &Event, counters: &CounterSet, source: i64) {
    fold_state(state, event, counters, source);
    Arc::make_mut(&mut state.traits.0).retain(|t| t.value.is_some());
}

fn newest_order_by_arrival(state: &mut State, event: &Event, counters: &CounterSet, source: i64) {
    fold_state(state, event, counters, source);
    if &*event.name == "Order Completed" {
        state.totals.last_order_at = Some(event.timestamp);
    }
}

fn refunds_forgotten_in_merge(state: &mut State, other: &State, counters: &CounterSet) {
    let refunded = state.totals.refunded.clone();
    merge_into(state, other, counters);
    state.totals.refunded = refunded;
}

fn merge_takes_the_right_hand_first_seen(state: &mut State, other: &State, counters: &CounterSet) {
    merge_into(state, other, counters);
    if other.totals.first.is_some() {
        state.totals.first = other.totals.first;
    }
}

#[test]
fn seeded_mistakes_are_caught() {
    let folds: [(&str, Fold); 4] = [
        ("the last writer wins", last_writer_wins),
        ("ties go to the later arrival", ties_go_to_the_later),
        ("removals leave no trace", removals_leave_no_trace),
        ("the newest order is the one that arrived last", newest_order_by_arrival),
    ];
    for (what, fold) in folds {
        assert!(is_caught(fold, merge_into), "not caught: {what}");
    }
    let merges: [(&str, Merge); 2] = [
        ("refunds are forgotten", refunds_forgotten_in_merge),
        ("first seen is taken from the right", merge_takes_the_right_hand_first_seen),
    ];
    for (what, merge) in merges {
        assert!(is_caught(fold_state, merge), "not caught: {what}");
    }
}

fn is_caught(fold: Fold, merge: Merge) -> bool {
    let config = ProptestConfig { failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&(events(), any::<u64>()), |(events, seed)| {
            prop_assert!(lawful(&events, seed, fold, merge));
            Ok(())
        })
        .is_err()
}

#[test]
fn the_newest_values_of_others_are_remembered_in_any_order() {
    let seen = |n: usize| {
        let mut event = harness::event(&format!(
            r#"{{"userId":"u","anonymousId":"x{n}","timestamp":"{}"}}"#,
            day(n as i64 * 7 % 50)
        ));
        event.message_id = format!("m{n}").into();
        (1, event)
    };
    let all: Vec<(i64, Event)> = (0..50).map(seen).collect();
    let forwards = folded(&all, fold_state);
    let backwards = folded(all.iter().rev(), fold_state);
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.identifiers.keys.iter().filter(|k| k.evidence.is_none()).count(), FOREIGN_MAX);
    let (a, b) = all.split_at(20);
    assert_eq!(merge([&folded(a, fold_state), &folded(b, fold_state)], &harness::counters()), forwards);
}

#[test]
fn traits_are_bounded_and_the_newest_stay_in_any_order() {
    let set = |n: usize| {
        let mut event = harness::event(&format!(
            r#"{{"type":"identify","userId":"u","traits":{{"t{n}":{n}}},"messageId":"m{n}","timestamp":"{}"}}"#,
            day(0).plus(n as i64 * 13 % 300)
        ));
        event.identifiers.clear();
        (1, event)
    };
    let all: Vec<(i64, Event)> = (0..300).map(set).collect();
    let forwards = folded(&all, fold_state);
    assert_eq!(forwards.traits.0.len(), TRAITS_MAX);
    assert_eq!(folded(all.iter().rev(), fold_state), forwards);
}

#[test]
fn a_fold_from_scratch_is_the_same_as_attaching_on_the_way() {
    let all = [
        harness::event(r#"{"userId":"u","messageId":"1","timestamp":"2026-05-04T00:00:00Z"}"#),
        harness::event(r#"{"userId":"u","anonymousId":"a","messageId":"2","timestamp":"2026-05-03T00:00:00Z"}"#),
        harness::event(r#"{"userId":"u","anonymousId":"a","messageId":"3","timestamp":"2026-05-02T00:00:00Z"}"#),
    ];
    let counters = harness::counters();
    let at = |n: usize| Evidence { seq: n as i64 + 1, message_id: all[n].message_id.clone(), at: all[n].timestamp };
    // The anonymous id came to the profile with the third event only: it was over a limit before.
    let mut state = State::default();
    attach(&mut state.identifiers, "user_id", "u", at(0));
    fold_state(&mut state, &all[0], &counters, 1);
    fold_state(&mut state, &all[1], &counters, 1);
    attach(&mut state.identifiers, "anonymous_id", "a", at(2));
    fold_state(&mut state, &all[2], &counters, 1);
    let own = [("user_id", "u", at(0)), ("anonymous_id", "a", at(2))];
    assert_eq!(from_scratch(own, all.iter().rev().map(|e| (1, e)), &counters), state);
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (1..1_000_000i64, any::<i64>(), any::<u32>());
    proptest::collection::vec(one, 0..64).prop_map(|all| {
        all.into_iter().map(|(seq, t, name)| Entry { seq, timestamp: Timestamp::from_micros(t / 4), name }).collect()
    })
}

proptest! {
    #[test]
    fn rows_are_read_as_they_were_written(events in events(), tail in entries(), members in proptest::collection::vec(1..i64::MAX, 0..4), born in any::<i64>()) {
        let profile = Profile {
            person: 7,
            members: (!members.is_empty()).then(|| members.into()),
            created_at: Timestamp::from_micros(born / 4),
            folded_to: 3,
            state: folded(&events, fold_state),
            tail: tail.into(),
        };
        let mut bytes = Vec::new();
        codec::encode(&profile, &mut bytes);
        prop_assert_eq!(codec::decode(&bytes, 3).expect("it was written just now"), profile);
        // Whatever is cut off is noticed.
        for end in 0..bytes.len() {
            prop_assert!(codec::decode(&bytes[..end], 3).is_err());
        }
    }
}

/// A customer of a shop: four identifiers, eight traits, two currencies, a half-full tail.
pub fn typical() -> Profile {
    let mut profile = Profile::new(1_234_567, day(0));
    let counters = harness::counters();
    let text = r#"{"type":"identify","userId":"4e7f9a10-52f1","anonymousId":"0b6d2f4c-6c1e-4f39-9f0f-1d2a5d9f3a77","messageId":"7c7f0f0e-1111-4c4c-9a9a-0123456789ab",
        "traits":{"email":"olha.koval@example.com","phone":"0671234567","firstName":"Ольга","lastName":"Коваль","city":"Львів","birthday":"1990-04-17","gender":"female","favourite_store":"Lviv-1"}}"#;
    let identify = harness::event(text);
    for i in &identify.identifiers {
        let evidence = Evidence { seq: 1_000_000, message_id: identify.message_id.clone(), at: identify.timestamp };
        attach(&mut profile.state.identifiers, &i.kind, &i.value, evidence);
    }
    let logged = |n: i64| crate::state::Logged { source: 1, seq: 1_000_000 + n * 40_000, name: 3 };
    crate::state::fold(&mut profile, &identify, &counters, logged(0));
    for n in 1..32 {
        let text = format!(
            r#"{{"userId":"4e7f9a10-52f1","anonymousId":"0b6d2f4c-6c1e-4f39-9f0f-1d2a5d9f3a77","messageId":"{n}","event":"{}","properties":{{"total":{n}}},"timestamp":"{}"}}"#,
            if n % 10 == 0 { "Order Completed" } else { "Product Viewed" },
            day(n)
        );
        crate::state::fold(&mut profile, &harness::event(&text), &counters, logged(n));
    }
    profile
}

#[test]
fn a_typical_row_is_small() {
    let profile = typical();
    let mut bytes = Vec::new();
    codec::encode(&profile, &mut bytes);
    let weight = <crate::profiles::Profiles as db::Table>::weight(&profile);
    assert!(bytes.len() < 1_100, "{} bytes encoded", bytes.len());
    assert!(weight < 3_500, "{weight} bytes in memory");
    assert!(size_of::<model::Profile>() <= 400, "{}", size_of::<model::Profile>());
}

/// Run with `--run-ignored all --release` to see the figures that docs quote.
#[test]
#[ignore = "a measurement, not a test"]
fn figures() {
    let profile = typical();
    let counters = harness::counters();
    let mut bytes = Vec::new();
    codec::encode(&profile, &mut bytes);
    let weight = <crate::profiles::Profiles as db::Table>::weight(&profile);
    let time = |what: &str, f: &mut dyn FnMut()| {
        let start = std::time::Instant::now();
        for _ in 0..100_000 {
            f();
        }
        eprintln!("{what}: {} ns", start.elapsed().as_nanos() / 100_000);
    };
    eprintln!("{} bytes encoded, {weight} in memory, {} the struct", bytes.len(), size_of::<Profile>());
    time("clone", &mut || drop(std::hint::black_box(profile.clone())));
    let mut out = Vec::with_capacity(2_000);
    time("encode", &mut || {
        out.clear();
        codec::encode(&profile, &mut out);
    });
    time("decode", &mut || drop(std::hint::black_box(codec::decode(&bytes, 1))));
    let event = harness::event(
        r#"{"userId":"4e7f9a10-52f1","anonymousId":"0b6d2f4c-6c1e-4f39-9f0f-1d2a5d9f3a77","messageId":"9","event":"Product Viewed"}"#,
    );
    let mut state = profile.state.clone();
    time("fold", &mut || fold_state(&mut state, &event, &counters, 1));
    let text = r#"{"type":"track","event":"Product Viewed","messageId":"7c7f0f0e-1111-4c4c-9a9a-0123456789ab","userId":"4e7f9a10-52f1","anonymousId":"0b6d2f4c-6c1e-4f39-9f0f-1d2a5d9f3a77",
        "timestamp":"2026-05-01T12:00:00Z","properties":{"product_id":"12345","sku":"SKU-12345","category":"face care","name":"Night cream","price":499.9,"currency":"UAH","quantity":1},
        "context":{"page":{"path":"/p/12345","url":"https://shop.example.com/p/12345","title":"Night cream"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)","locale":"uk-UA","library":{"name":"braid.js","version":"1.0.0"}}}"#;
    let message: db::message::Message<'_> = serde_json::from_str(text).expect("a message");
    let rules = crate::rules::Rules::default();
    let preparer = harness::preparer(&counters, &rules, KEY, true);
    let draft = harness::draft(&message);
    time("draft alone", &mut || drop(std::hint::black_box(harness::draft(&message))));
    time("prepare with draft", &mut || {
        let mut event = draft.clone();
        preparer.fill(&message, None, &mut event).expect("it names somebody");
    });
}

/// The writer's part, warm: 100,000 events of 20,000 people, 80/20.
#[test]
#[ignore = "a measurement, not a test"]
fn figures_of_the_writer() {
    use crate::commands;
    use crate::profiles::Profiles;
    let shop = harness::Shop::new();
    let key = shop.store.hash_key();
    let mut rng = base::Rng::new(7);
    let mut make = |n: usize| {
        let who = if rng.below(10) < 8 { rng.below(4_000) } else { rng.below(20_000) };
        harness::event_with(
            key,
            &format!(r#"{{"userId":"u{who}","anonymousId":"a{who}","messageId":"{n}","event":"Product Viewed"}}"#),
        )
    };
    let events: Arc<Vec<Event>> = Arc::new((0..200_000).map(&mut make).collect());
    for round in 0..2 {
        let events = events.clone();
        let (place, fold, flush, dirty) = shop.write(move |tx| {
            let counters = harness::counters();
            let part = &events[round * 100_000..][..100_000];
            let (mut place, mut fold) = (0, 0);
            for (n, event) in part.iter().enumerate() {
                let seq = (round * 100_000 + n) as i64 + 1;
                let start = std::time::Instant::now();
                let placed = commands::place(tx, event, seq, day(0))?;
                place += start.elapsed().as_nanos();
                let start = std::time::Instant::now();
                commands::fold_event(tx, placed.profile_id, event, &counters, 1, seq)?;
                fold += start.elapsed().as_nanos();
            }
            let start = std::time::Instant::now();
            let dirty = tx.counts().profiles;
            tx.flush_table::<Profiles>()?;
            Ok((place / 100_000, fold / 100_000, start.elapsed().as_nanos(), dirty))
        });
        eprintln!(
            "round {round}: place {place} ns, fold {fold} ns an event; flush {} ns a row of {dirty}",
            flush / dirty as u128
        );
    }
}
