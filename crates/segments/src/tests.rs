//! Evaluation against a naive one that reads the whole list of events each time.
use crate::calendar::period;
use crate::language::tests::ops;
use crate::language::{Aggregate, Calendar, Date, Expr, Function, Unit, Window, parse};
use crate::{PersonView, Verdict, compile, evaluate};
use base::{Decimal, MINUTE_US, Timestamp};
use customers::counters::{CounterSet, Counters, Definition, FieldPath, Filter, Json, Op, Summary, Test};
use db::event::Scalar;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Kyiv's rules as a POSIX string, so that no tests needs the system's time zones.
pub(crate) fn kyiv() -> TimeZone {
    TimeZone::posix("EET-2EEST,M3.5.0/3,M10.5.0/4").unwrap_or(TimeZone::UTC)
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_default()
}

#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub at: Timestamp,
    pub message_id: String,
    pub name: &'static str,
    pub properties: String,
}

/// A person of several profiles, with what evaluation asks besides counters.
pub(crate) struct Person {
    pub set: CounterSet,
    pub profiles: Vec<Counters>,
    pub traits: Vec<(&'static str, &'static str)>,
    pub state: customers::State,
    pub rules: customers::derived::Rules,
}

impl PersonView for Person {
    fn state(&self) -> &customers::State {
        &self.state
    }
    fn rules(&self) -> &customers::derived::Rules {
        &self.rules
    }
    fn trait_json(&self, name: &str) -> Option<Cow<'_, str>> {
        self.traits.iter().find(|(n, _)| *n == name).map(|(_, json)| Cow::Borrowed(*json))
    }
    fn counter(&self, id: u32) -> Option<Cow<'_, Summary>> {
        Counters::merged(self.set.keep(id)?, id, &self.profiles)
    }
    fn any_identifier(&self, kind: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        kind == "email" && ["a@example.com", "b@example.com"].into_iter().any(test)
    }
    fn consent(&self, channel: &str, purpose: &str) -> Option<bool> {
        match (channel, purpose) {
            ("email", "marketing") => Some(true),
            ("sms", "marketing") => Some(false),
            _ => None,
        }
    }
    fn in_segment(&self, name: &str) -> bool {
        name == "Loyal"
    }
}

fn verdict(expr: &Expr, events: &[Happened], now: Timestamp, zone: &TimeZone) -> Verdict {
    let mut plan = compile(expr, zone);
    let definitions =
        plan.meanings().cloned().zip((0..).step_by(3)).map(|(meaning, id)| Definition { id, meaning }).collect();
    let set = CounterSet::build(1, definitions).unwrap_or_default();
    assert_eq!(plan.bind(&set), Ok(()));
    let mut profiles = vec![Counters::default(); 2];
    for (n, event) in events.iter().enumerate() {
        let context = r#"{"page":{"path":"/p"},"n":1}"#;
        let hits = set.hits(event.name, event.at, Some(&event.properties), Some(context));
        profiles[n % 2].fold(&set, event.at, &event.message_id, &hits);
    }
    let traits = vec![
        ("city", r#""Kyiv""#),
        ("age", "41"),
        ("vip", "true"),
        ("tags", r#"["new","Sale"]"#),
        ("address", r#"{"city":"Lviv","zip":null}"#),
        ("gone", "null"),
    ];
    evaluate(&plan, &Person { set, profiles, traits, state: Default::default(), rules: Default::default() }, now, zone)
}

fn member(text: &str, events: &[Happened], now: Timestamp) -> bool {
    match parse(text) {
        Ok(expr) => verdict(&expr, events, now, &kyiv()).member,
        Err(error) => panic!("{text}: {error}"),
    }
}

#[test]
fn facts_of_a_person_are_compared_as_the_contract_says() {
    let now = at("2026-11-22T12:00:00Z");
    for (text, want) in [
        (r#"trait.city = "Kyiv""#, true),
        (r#"trait.city = "kyiv""#, false),
        (r#"trait.city != "Lviv""#, true),
        (r#"trait.nothing != "Lviv""#, false),
        (r#"not trait.nothing = "Lviv""#, true),
        (r#"trait.age >= 41 and trait.age < 41.5"#, true),
        (r#"trait.age = "41""#, false),
        (r#"trait.age != "41""#, false),
        (r#"trait.vip = true"#, true),
        (r#"trait.vip = "true""#, false),
        (r#"trait.tags = "Sale""#, true),
        (r#"trait.tags in ["x", "new"]"#, true),
        (r#"trait.tags contains "al""#, true),
        (r#"trait.tags starts with "al""#, false),
        (r#"trait.address.city = "Lviv""#, true),
        (r#"exists trait.address"#, true),
        (r#"exists trait.address.zip"#, false),
        (r#"exists trait.gone"#, false),
        (r#"exists trait.city.deeper"#, false),
        (r#"consent.email.marketing = "granted""#, true),
        (r#"consent.sms.marketing = "denied""#, true),
        (r#"consent.viber.marketing != "granted""#, false),
        (r#"exists consent.viber.marketing"#, false),
        (r#"exists consent.sms.marketing"#, true),
        (r#"identifier.email = "b@example.com""#, true),
        (r#"identifier.email != "b@example.com""#, true),
        (r#"identifier.phone != "x""#, false),
        (r#"exists identifier.email and not exists identifier.phone"#, true),
        (r#"in segment("Loyal") and not in segment("Other")"#, true),
        // [CONTRACTS 5] count, sum and distinct of nothing are 0, the others are missing.
        (r#"count("A") = 0 and sum("A".x) = 0 and distinct("A".x) = 0"#, true),
        (r#"count("A" in last 1 days) = 0 and sum("A".x in calendar day) = 0"#, true),
        (r#"min("A".x) != 1 or max("A".x in last 1 days) < 1 or first("A".x) > 1 or last("A".x) = 1"#, false),
        (r#"count("A") = "0""#, false),
        (r#"exists context.page"#, false),
    ] {
        assert_eq!(member(text, &[], now), want, "{text}");
    }
}

fn viewed(time: &str, category: &str) -> Happened {
    let properties = format!(r#"{{"category":"{category}","price":10.5}}"#);
    Happened { at: at(time), message_id: time.into(), name: "Product Viewed", properties }
}

#[test]
fn viewed_a_category_in_the_last_14_days() {
    // [C3]
    let text = r#"count("Product Viewed" where properties.category = "face care" in last 14 days) >= 1"#;
    let events = [viewed("2026-11-01T10:00:00.000001Z", "face care"), viewed("2026-11-20T10:00:00Z", "hair")];
    assert!(!member(text, &events, at("2026-11-20T10:00:00Z")));
    assert!(member(text, &events[..1], at("2026-11-15T10:00:00Z")));
    assert!(!member(text, &events[..1], at("2026-11-15T10:00:00.000001Z")));
    let expr = parse(text);
    let Ok(expr) = expr else { panic!("parsed above") };
    let answer = verdict(&expr, &events[..1], at("2026-11-10T00:00:00Z"), &kyiv());
    assert_eq!(answer, Verdict { member: true, valid_until: Some(at("2026-11-15T10:00:00.000001Z")) });
    // Old names of events mean the new ones.
    assert!(member(
        r#"count("Viewed Product") = 2 and context.page.path = "/p" and exists context.page"#,
        &events,
        at("2026-11-21")
    ));
}

#[test]
fn periods_follow_the_clocks_of_the_shop() {
    let zone = kyiv();
    let check = |calendar, moment: &str, from: &str, to: &str| {
        assert_eq!(period(calendar, at(moment), &zone), (at(from), at(to)), "{moment}");
    };
    check(Calendar::Day, "2026-11-22T21:59:59Z", "2026-11-21T22:00:00Z", "2026-11-22T22:00:00Z");
    check(Calendar::Day, "2026-11-22T22:00:00Z", "2026-11-22T22:00:00Z", "2026-11-23T22:00:00Z");
    // The clocks of 2026 change on 29 March and 25 October: 23 and 25 hours.
    check(Calendar::Day, "2026-03-29T10:00:00Z", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z");
    check(Calendar::Day, "2026-10-25T10:00:00Z", "2026-10-24T21:00:00Z", "2026-10-25T22:00:00Z");
    check(Calendar::Week, "2026-11-22T21:59:59Z", "2026-11-15T22:00:00Z", "2026-11-22T22:00:00Z");
    check(Calendar::Week, "2026-01-01T00:00:00Z", "2025-12-28T22:00:00Z", "2026-01-04T22:00:00Z");
    check(Calendar::Month, "2026-10-31T12:00:00Z", "2026-09-30T21:00:00Z", "2026-10-31T22:00:00Z");
    check(Calendar::Month, "2024-02-29T12:00:00Z", "2024-01-31T22:00:00Z", "2024-02-29T22:00:00Z");
}

/// Values of an event's field, as the contract reads them.
pub(crate) fn fields(event: &Happened, path: &FieldPath) -> Vec<Scalar> {
    let json = Json::parse(&event.properties).unwrap_or(Json::Null);
    let mut values = Vec::new();
    json.any(&path.names, &mut |value| {
        values.push(value.to_scalar());
        false
    });
    values
}

fn compare(op: Op, a: &Scalar, b: &Scalar) -> bool {
    let same = std::mem::discriminant(a) == std::mem::discriminant(b);
    let order = a.cmp(b);
    same && match op {
        Op::Eq => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Lt => order == Ordering::Less,
        Op::Le => order != Ordering::Greater,
        Op::Gt => order == Ordering::Greater,
        Op::Ge => order != Ordering::Less,
    }
}

fn naive(expr: &Expr, events: &[Happened], now: Timestamp, zone: &TimeZone) -> bool {
    let passes = |event: &Happened, filter: &Option<Filter>| {
        let json = Json::parse(&event.properties).unwrap_or(Json::Null);
        filter.as_ref().is_none_or(|filter| filter.matches(&json))
    };
    match expr {
        Expr::Or(parts) => parts.iter().any(|part| naive(part, events, now, zone)),
        Expr::And(parts) => parts.iter().all(|part| naive(part, events, now, zone)),
        Expr::Not(part) => !naive(part, events, now, zone),
        Expr::Aggregate(aggregate, op, value) => {
            let Aggregate { function, event, field, filter, window } = &**aggregate;
            let inside = |t: Timestamp| match window {
                None => true,
                Some(Window::Last { amount, unit }) => now.plus(-i64::from(*amount) * unit.micros()) < t && t <= now,
                Some(Window::Between { from: Date::Moment(from), to: Date::Moment(to) }) => *from <= t && t < *to,
                Some(Window::Between { .. }) => unreachable!("not generated"),
                Some(Window::Calendar(calendar)) => {
                    let local = |t: Timestamp| {
                        let date =
                            jiff::Timestamp::from_microsecond(t.micros()).map(|t| t.to_zoned(zone.clone()).date());
                        let date = date.unwrap_or_default();
                        match calendar {
                            Calendar::Day => (date.year(), i32::from(date.day_of_year())),
                            Calendar::Week => (date.iso_week_date().year(), i32::from(date.iso_week_date().week())),
                            Calendar::Month => (date.year(), i32::from(date.month())),
                        }
                    };
                    local(t) == local(now)
                }
            };
            let mut chosen: Vec<&Happened> =
                events.iter().filter(|e| *e.name == **event && inside(e.at) && passes(e, filter)).collect();
            chosen.sort_by(|a, b| (a.at, &a.message_id).cmp(&(b.at, &b.message_id)));
            let values: Vec<Vec<Scalar>> = match field {
                Some(field) => chosen.iter().map(|e| fields(e, field)).filter(|v| !v.is_empty()).collect(),
                None => chosen.iter().map(|_| vec![]).collect(),
            };
            let number = |n: Decimal| compare(*op, &Scalar::Number(n), value);
            let flat = || values.iter().flatten();
            let typed = || flat().filter(|v| std::mem::discriminant(*v) == std::mem::discriminant(value));
            match function {
                Function::Count => number(Decimal::from_int(values.len() as i64)),
                Function::Sum => number(flat().fold(Decimal::ZERO, |sum, v| match v {
                    Scalar::Number(n) => sum.plus(*n),
                    _ => sum,
                })),
                Function::Min => typed().min().is_some_and(|v| compare(*op, v, value)),
                Function::Max => typed().max().is_some_and(|v| compare(*op, v, value)),
                Function::First => values.first().is_some_and(|v| v.iter().any(|v| compare(*op, v, value))),
                Function::Last => values.last().is_some_and(|v| v.iter().any(|v| compare(*op, v, value))),
                Function::Distinct => {
                    let mut all: Vec<_> = flat().collect();
                    all.sort();
                    all.dedup();
                    number(Decimal::from_int(all.len() as i64))
                }
            }
        }
        Expr::Sequence(seq) => {
            let within = i64::from(seq.amount) * seq.unit.micros();
            let times = |o: &customers::counters::Occurrence| -> Vec<Timestamp> {
                events.iter().filter(|e| *e.name == *o.event && passes(e, &o.filter)).map(|e| e.at).collect()
            };
            let (first, then) = (times(&seq.first), times(&seq.then));
            let answered = |a: Timestamp| then.iter().any(|b| a < *b && *b <= a.plus(within));
            match seq.negated {
                false => first.iter().any(|a| answered(*a)),
                true => first.iter().any(|a| a.plus(within) <= now && !answered(*a)),
            }
        }
        _ => unreachable!("not generated"),
    }
}

pub(crate) const START: &str = "2026-10-24T10:00:00Z";

pub(crate) fn happened() -> impl Strategy<Value = Vec<Happened>> {
    let property = prop_oneof![
        (-3i64..6).prop_map(|n| format!(r#"{{"x":{n}}}"#)),
        Just(r#"{"x":"a"}"#.to_string()),
        Just(r#"{"x":[1,"b",2]}"#.to_string()),
        Just(r#"{"x":null,"y":1}"#.to_string()),
        Just("{}".to_string()),
    ];
    let name = prop::sample::select(vec!["A", "B"]);
    // Minutes over about four days, over the end of summer time; many of them alike, some at midnight of the shop.
    prop::collection::vec(
        (
            prop_oneof![4 => 0i64..6_000, 4 => 1_300i64..1_320, 2 => prop::sample::select(vec![660i64, 2_160, 3_600])],
            name,
            property,
        ),
        0..14,
    )
    .prop_map(|events| {
        let make = |(n, (minute, name, properties)): (usize, (i64, &'static str, String))| Happened {
            at: at(START).plus(minute * MINUTE_US),
            message_id: format!("m{n}"),
            name,
            properties,
        };
        events.into_iter().enumerate().map(make).collect()
    })
}

fn leaves() -> impl Strategy<Value = Expr> {
    let unit = prop::sample::select(vec![Unit::Minutes, Unit::Hours, Unit::Days]);
    let moment = || (0i64..6_000).prop_map(|minute| Date::Moment(at(START).plus(minute * MINUTE_US)));
    let window = prop_oneof![
        Just(None),
        (1u32..60, unit.clone()).prop_map(|(amount, unit)| Some(Window::Last { amount, unit })),
        (moment(), moment()).prop_map(|(from, to)| Some(Window::Between { from, to })),
        prop::sample::select(vec![Calendar::Day, Calendar::Week, Calendar::Month])
            .prop_map(|calendar| Some(Window::Calendar(calendar))),
    ];
    let filter = || {
        prop_oneof![
            3 => Just(None),
            1 => (ops(), -2i64..4).prop_map(|(op, n)| {
                Some(Filter::Field(FieldPath::new(["x"]), Test::Compare(op, Scalar::Number(Decimal::from_int(n)))))
            }),
            1 => Just(Some(Filter::Not(Box::new(Filter::Exists(FieldPath::new(["x"])))))),
        ]
    };
    let value = prop_oneof![
        6 => (-2i64..6).prop_map(|n| Scalar::Number(Decimal::from_int(n))),
        1 => Just(Scalar::Number(Decimal::from_billionths(2_500_000_000))),
        1 => Just(Scalar::Text("a".into())),
    ];
    let function = prop::sample::select(Function::ALL.to_vec());
    let event = || prop::sample::select(vec!["A", "B"]);
    let aggregate = (function, event(), any::<bool>(), filter(), window, ops(), value).prop_map(
        |(function, event, with_field, filter, window, op, value)| {
            let field = (function != Function::Count || with_field).then(|| FieldPath::new(["x"]));
            Expr::Aggregate(Box::new(Aggregate { function, event: event.into(), field, filter, window }), op, value)
        },
    );
    let occurrence = move || {
        (event(), filter()).prop_map(|(event, filter)| customers::counters::Occurrence { event: event.into(), filter })
    };
    let sequence =
        (occurrence(), any::<bool>(), occurrence(), 1u32..40, unit).prop_map(|(first, negated, then, amount, unit)| {
            Expr::Sequence(Box::new(crate::language::Sequence { first, negated, then, amount, unit }))
        });
    prop_oneof![4 => aggregate, 1 => sequence]
}

fn exprs() -> impl Strategy<Value = Expr> {
    leaves().prop_recursive(2, 5, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

/// Moments from `now` on at which something can change, and those just before.
fn probes(now: Timestamp, events: &[Happened], expr: &Expr) -> Vec<Timestamp> {
    fn spans(expr: &Expr, out: &mut Vec<i64>) {
        match expr {
            Expr::Or(parts) | Expr::And(parts) => parts.iter().for_each(|part| spans(part, out)),
            Expr::Not(part) => spans(part, out),
            Expr::Sequence(seq) => out.push(i64::from(seq.amount) * seq.unit.micros()),
            Expr::Aggregate(aggregate, ..) => {
                if let Some(Window::Last { amount, unit }) = aggregate.window {
                    out.push(i64::from(amount) * unit.micros());
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    spans(expr, &mut all);
    let mut probes: Vec<Timestamp> = all.iter().flat_map(|span| events.iter().map(move |e| e.at.plus(*span))).collect();
    probes.extend((0..40).map(|day| at("2026-10-24T22:00:00Z").plus(day * base::DAY_US)));
    probes.extend((0..40).map(|day| at("2026-10-24T21:00:00Z").plus(day * base::DAY_US)));
    probes = probes.into_iter().flat_map(|p| [p.plus(-1), p]).filter(|p| *p >= now).collect();
    probes.push(now);
    probes.sort();
    probes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn answers_equal_those_over_the_whole_list(
        expr in exprs(), events in happened(), later in 0i64..4_000, pick: prop::sample::Index
    ) {
        let zone = kyiv();
        let newest = events.iter().map(|e| e.at).max().unwrap_or_else(|| at(START));
        let edges = probes(newest, &events, &expr);
        for now in [newest, newest.plus(later * MINUTE_US), edges[pick.index(edges.len())]] {
            let answer = verdict(&expr, &events, now, &zone);
            prop_assert_eq!(answer.member, naive(&expr, &events, now, &zone), "{} at {}", expr, now);
            prop_assert!(answer.valid_until.is_none_or(|until| until > now));
            for probe in probes(now, &events, &expr) {
                if answer.valid_until.is_none_or(|until| probe < until) {
                    prop_assert_eq!(answer.member, naive(&expr, &events, probe, &zone), "{} at {} until {:?}", expr, probe, answer.valid_until);
                }
            }
        }
    }

    #[test]
    fn one_condition_alone_knows_the_exact_moment_of_change(expr in leaves(), events in happened(), later in 0i64..4_000) {
        let zone = kyiv();
        let newest = events.iter().map(|e| e.at).max().unwrap_or_else(|| at(START));
        let answer = verdict(&expr, &events, newest.plus(later * MINUTE_US), &zone);
        if let Some(until) = answer.valid_until {
            prop_assert_eq!(naive(&expr, &events, until, &zone), !answer.member, "{}", expr);
        }
    }
}

#[test]
fn dependencies_name_what_can_change_an_answer() {
    // [LESSONS 1] only what an event touches is evaluated.
    let text = r#"trait.address.city = "x" and exists consent.email.marketing and identifier.email contains "@"
        and in segment("S") and (count("A") > 1 or count("A") > 5) and context.page.path = "/""#;
    let Ok(expr) = parse(text) else { panic!("a condition") };
    let mut plan = compile(&expr, &TimeZone::UTC);
    assert_eq!(plan.meanings().count(), 2);
    assert!(plan.bind(&CounterSet::default()).is_err());
    let definitions = plan.meanings().cloned().zip([7, 4]).map(|(meaning, id)| Definition { id, meaning }).collect();
    let set = CounterSet::build(1, definitions).unwrap_or_default();
    assert_eq!(plan.bind(&set), Ok(()));
    let needs = plan.dependencies();
    assert_eq!(needs.counters, [4, 7]);
    assert_eq!(needs.traits.iter().map(|n| &**n).collect::<Vec<_>>(), ["address"]);
    assert!(needs.consents.contains(&("email".into(), "marketing".into())));
    assert!(needs.identifiers.contains("email") && needs.segments.contains("S") && !needs.time);
    let timed = |text: &str| parse(text).is_ok_and(|expr| compile(&expr, &TimeZone::UTC).dependencies().time);
    assert!(timed(r#"count("A" in last 1 days) > 0"#) && timed(r#"seq("A" then not "B" within 1 days)"#));
    assert!(
        !timed(r#"seq("A" then "B" within 1 days)"#) && !timed(r#"count("A" between 2026-01-01 and 2026-02-01) > 0"#)
    );
}
