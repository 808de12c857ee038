use super::definition::{Counted, Definition, Keep, Kind, Meaning, Occurrence, Within};
use super::filter::{FieldPath, Filter, Op, Test};
use super::json::{Json, ScalarRef};
use super::set::{CounterSet, Counters};
use super::summary::{FIRST, Summary, THEN};
use base::{Decimal, Timestamp};
use db::event::{Hit, Scalar};
use db::pack::Reader;
use proptest::prelude::*;

fn number(value: i64) -> Scalar {
    Scalar::Number(Decimal::from_int(value))
}
fn text(value: &str) -> Scalar {
    Scalar::Text(value.into())
}
fn path(dotted: &str) -> FieldPath {
    FieldPath::new(dotted.split('.'))
}
fn field(dotted: &str, op: Op, value: Scalar) -> Filter {
    Filter::Field(path(dotted), Test::Compare(op, value))
}
fn events(event: &str, filter: Option<Filter>, at: Option<&str>) -> Counted {
    Counted::Events { what: Occurrence { event: event.into(), filter }, field: at.map(path), between: None }
}

const PROPERTIES: &str = r#"{"product_id":"p-1","category":"face care","price":129.90,"odd \u0022name":null,
    "tags":["new","sale"],"nested":{"deep":[{"x":1},{"x":"two"}]},
    "products":[{"sku":"a","price":10},{"sku":"b","price":20.5,"coupon":"X"}]}"#;

#[test]
fn json_reads_what_is_wanted_and_keeps_the_text_of_numbers() {
    let json = Json::parse(PROPERTIES).unwrap_or(Json::Null);
    assert_eq!(json.get("price"), Some(&Json::Number("129.90")));
    assert_eq!(json.get("odd \"name"), Some(&Json::Null));
    let some = Json::parse_fields(PROPERTIES, &["price".into(), "tags".into()]);
    let Some(Json::Object(fields)) = some else { panic!("an object") };
    assert_eq!(fields.len(), 2);
    assert_eq!(Json::parse(r#""\ud83d\ude00 \u00e9 \n""#), Some(Json::String("😀 é \n".into())));
    assert_eq!(Json::parse(r#"{"a":1,"a":2}"#).as_ref().and_then(|j| j.get("a")), Some(&Json::Number("2")));
    for bad in ["", "{", r#"{"a":}"#, "[1,", "tru", r#""\x""#, "1 2", r#""abc"#, "{\"a\" 1}", "\"\\"] {
        assert_eq!(Json::parse(bad), None, "{bad}");
    }
    // Too deep a value is null, and what stands after it is still read.
    let deep = format!(r#"{{"a":{}1{},"b":7}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(Json::parse(&deep).as_ref().and_then(|j| j.get("b")), Some(&Json::Number("7")));
}

#[test]
fn filters_follow_the_rules_of_missing_values() {
    // [CONTRACTS 5] missing makes every comparison false, `!=` too; a list matches if any element does.
    let json = Json::parse(PROPERTIES).unwrap_or(Json::Null);
    let cases = [
        (field("category", Op::Eq, text("face care")), true),
        (field("category", Op::Eq, text("Face Care")), false),
        (field("category", Op::Ne, text("x")), true),
        (field("absent", Op::Ne, text("x")), false),
        (Filter::Not(Box::new(field("absent", Op::Eq, text("x")))), true),
        (field("price", Op::Gt, number(129)), true),
        (field("price", Op::Eq, Scalar::Number(Decimal::parse("129.9").unwrap_or_default())), true),
        (field("price", Op::Eq, text("129.90")), false),
        (field("price", Op::Ne, text("129.90")), false),
        (field("products.price", Op::Gt, number(20)), true),
        (field("products.price", Op::Gt, number(21)), false),
        (field("nested.deep.x", Op::Eq, text("two")), true),
        (field("nested.deep.x", Op::Le, number(1)), true),
        (field("tags", Op::Eq, text("sale")), true),
        (Filter::Field(path("tags"), Test::Contains("al".into())), true),
        (Filter::Field(path("category"), Test::StartsWith("face".into())), true),
        (Filter::Field(path("category"), Test::StartsWith("care".into())), false),
        (Filter::Field(path("price"), Test::Contains("1".into())), false),
        (Filter::Field(path("category"), Test::In(vec![number(1), text("face care")])), true),
        (Filter::Exists(path("products.coupon")), true),
        (Filter::Exists(path("products.gtin")), false),
        (Filter::Exists(path("nested")), true),
        (Filter::Exists(path("odd \"name")), false),
        (Filter::All(vec![Filter::Exists(path("tags")), Filter::Exists(path("absent"))]), false),
        (Filter::Any(vec![Filter::Exists(path("tags")), Filter::Exists(path("absent"))]), true),
    ];
    for (filter, want) in cases {
        assert_eq!(filter.matches(&json), want, "{filter}");
        assert_eq!(filter.clone().normal().matches(&json), want, "normal form of {filter}");
    }
}

#[test]
fn equal_conditions_have_one_normal_form_and_one_counter() {
    // [LESSONS 2, 15] segments that ask the same share a counter.
    let (a, b) = (field("a", Op::Eq, number(1)), field("b", Op::Eq, text("x")));
    let one = Filter::All(vec![a.clone(), Filter::All(vec![b.clone(), a.clone()])]);
    let other = Filter::All(vec![Filter::Field(path("b"), Test::In(vec![text("x"), text("x")])), a]);
    let meaning = |filter| Meaning { counted: events("E", Some(filter), None), keep: Keep::Count };
    assert_eq!(meaning(one.clone()).normal().to_string(), meaning(other.clone()).normal().to_string());
    let set = CounterSet::build(
        1,
        vec![Definition { id: 3, meaning: meaning(one) }, Definition { id: 9, meaning: meaning(other.clone()) }],
    );
    let Ok(set) = set else { panic!("a set") };
    assert_eq!(set.definitions().len(), 1);
    assert_eq!(set.find_id(&meaning(other)), Some(3));
    let twice = vec![
        Definition { id: 1, meaning: meaning(b.clone()) },
        Definition { id: 1, meaning: meaning(Filter::Not(Box::new(b))) },
    ];
    assert!(CounterSet::build(1, twice).is_err());
}

fn set_of(meanings: Vec<Meaning>) -> CounterSet {
    let definitions = meanings.into_iter().zip(1..).map(|(meaning, id)| Definition { id, meaning }).collect();
    CounterSet::build(1, definitions).unwrap_or_default()
}

#[test]
fn hits_find_the_counters_of_an_event_with_their_values() {
    let view = Occurrence { event: "Product Viewed".into(), filter: None };
    let dear = Occurrence { event: "Product Viewed".into(), filter: Some(field("price", Op::Gt, number(100))) };
    let at = Timestamp::from_micros;
    let set = set_of(vec![
        Meaning { counted: events("Product Viewed", None, None), keep: Keep::Newest { k: 1 } },
        Meaning { counted: events("Order Completed", None, None), keep: Keep::Count },
        Meaning { counted: events("Product Viewed", None, Some("products.price")), keep: Keep::Sum },
        Meaning { counted: events("Product Viewed", None, Some("category")), keep: Keep::Sum },
        Meaning { counted: Counted::Context(path("page.path")), keep: Keep::Last },
        Meaning {
            counted: Counted::Events {
                what: dear.clone(),
                field: Some(path("tags")),
                between: Some((at(100), at(200))),
            },
            keep: Keep::Least(Kind::Text),
        },
        Meaning {
            counted: Counted::Pair { first: view, then: dear },
            keep: Keep::Sequence { within_us: 10, negated: false },
        },
    ]);
    let context = r#"{"page":{"path":"/a"},"ip":"1.2.3.4"}"#;
    let hits = set.hits("Product Viewed", at(100), Some(PROPERTIES), Some(context));
    let ids: Vec<_> = hits.iter().map(|hit| hit.counter).collect();
    assert_eq!(ids, [1, 3, 5, 6, 7]);
    assert_eq!(hits[1].values, [number(10), Scalar::Number(Decimal::parse("20.5").unwrap_or_default())]);
    assert_eq!(hits[2].values, [text("/a")]);
    assert_eq!(hits[3].values, [text("new"), text("sale")]);
    assert_eq!(hits[4].values, [FIRST, THEN]);
    // `between` holds from ≤ t < to; a call without a name still has a context; no properties, no values.
    assert!(set.hits("Product Viewed", at(200), Some(PROPERTIES), None).iter().all(|hit| hit.counter != 6));
    assert_eq!(set.hits("", at(1), None, Some(context)).len(), 1);
    assert_eq!(set.hits("Product Viewed", at(100), None, None).len(), 2);
    assert!(set.hits("product viewed", at(100), Some(PROPERTIES), None).is_empty());
    // An object is something, but nothing to compare with.
    let set = set_of(vec![Meaning { counted: Counted::Context(path("page")), keep: Keep::Last }]);
    assert_eq!(set.hits("", at(1), None, Some(context)), [Hit { counter: 1, values: vec![] }]);
    assert!(set.hits("", at(1), None, Some(r#"{"page":null}"#)).is_empty());
}

#[test]
fn sums_leave_out_what_could_reach_the_end_of_the_range() {
    let take = |number: &str| Decimal::parse(number).is_some_and(|n| Keep::Sum.takes(ScalarRef::Number(n)));
    assert!(take("1e18") && take("-1e18") && !take("1000000000000000001"));
}

/// One event as a counter sees it.
#[derive(Debug, Clone)]
struct Seen {
    at: i64,
    message_id: String,
    values: Vec<Scalar>,
}

fn keeps() -> impl Strategy<Value = Keep> {
    let kind = prop_oneof![Just(Kind::Number), Just(Kind::Text)].boxed();
    let within = prop_oneof![
        Just(Within::Sum),
        Just(Within::Count),
        kind.clone().prop_map(Within::Least),
        kind.clone().prop_map(Within::Greatest),
        Just(Within::First),
        (1u32..5).prop_map(|k| Within::Distinct { k }),
    ];
    prop_oneof![
        Just(Keep::Count),
        (1u32..6).prop_map(|k| Keep::Newest { k }),
        Just(Keep::Sum),
        kind.clone().prop_map(Keep::Least),
        kind.prop_map(Keep::Greatest),
        Just(Keep::First),
        Just(Keep::Last),
        (1u32..5).prop_map(|k| Keep::Distinct { k }),
        (1i64..60, within).prop_map(|(span_us, what)| Keep::Window { span_us, what }),
        (1i64..40, any::<bool>()).prop_map(|(within_us, negated)| Keep::Sequence { within_us, negated }),
    ]
}

fn scalars() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        (-6i64..6).prop_map(|n| Scalar::Number(Decimal::from_billionths(i128::from(n) * 250_000_000))),
        "[ab]{0,2}".prop_map(|t| Scalar::Text(t.into())),
        any::<bool>().prop_map(Scalar::Bool),
    ]
}

/// Events with distinct message ids; times collide often.
fn seen() -> impl Strategy<Value = Vec<Seen>> {
    prop::collection::vec((-100i64..100, prop::collection::vec(scalars(), 0..3)), 0..40).prop_map(|events| {
        let with_id = |(n, (at, values)): (usize, (i64, Vec<Scalar>))| Seen { at, message_id: format!("m{n}"), values };
        events.into_iter().enumerate().map(with_id).collect()
    })
}

/// What [`CounterSet::hits`] would let through.
fn hit(keep: Keep, seen: &Seen) -> Option<Vec<Scalar>> {
    let values: Vec<_> = match keep {
        Keep::Sequence { .. } => {
            return Some(seen.values.iter().filter(|v| matches!(v, Scalar::Bool(_))).cloned().collect())
                .filter(|v: &Vec<_>| !v.is_empty());
        }
        keep => seen.values.iter().filter(|v| keep.takes(ScalarRef::from(*v))).cloned().collect(),
    };
    (!values.is_empty() || keep.takes_bare()).then_some(values)
}

fn fold<'a>(keep: Keep, events: impl IntoIterator<Item = &'a Seen>) -> Option<Summary> {
    let mut summary: Option<Summary> = None;
    for event in events {
        let Some(values) = hit(keep, event) else { continue };
        match &mut summary {
            None => summary = Summary::of(keep, event.at, &event.message_id, &values),
            Some(summary) => summary.fold(keep, event.at, &event.message_id, &values),
        }
    }
    summary
}

fn merged(keep: Keep, a: Option<Summary>, b: Option<Summary>) -> Option<Summary> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            a.merge(keep, &b);
            Some(a)
        }
        (a, b) => a.or(b),
    }
}

fn encoded(summary: &Option<Summary>) -> Vec<u8> {
    let mut out = Vec::new();
    summary.iter().for_each(|s| s.encode(&mut out));
    out
}

fn shuffled(mut events: Vec<Seen>, seed: u64) -> Vec<Seen> {
    let mut state = seed | 1;
    for at in (1..events.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        events.swap(at, (state >> 33) as usize % (at + 1));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    // [DESIGN, principle 2]
    #[test]
    fn fold_is_a_function_of_the_set(keep in keeps(), events in seen(), seed: u64) {
        let straight = fold(keep, &events);
        let other = fold(keep, &shuffled(events, seed));
        prop_assert_eq!(encoded(&straight), encoded(&other));
        prop_assert_eq!(straight, other);
    }

    #[test]
    fn merge_of_parts_is_the_fold_of_all(keep in keeps(), events in seen(), seed: u64) {
        let mut parts: [Vec<Seen>; 3] = Default::default();
        for (n, event) in events.iter().enumerate() {
            parts[(seed.rotate_left(n as u32 * 5) % 3) as usize].push(event.clone());
        }
        let [a, b, c] = parts.map(|part| fold(keep, &part));
        let whole = fold(keep, &events);
        let left = merged(keep, merged(keep, a.clone(), b.clone()), c.clone());
        let right = merged(keep, a.clone(), merged(keep, b.clone(), c.clone()));
        let turned = merged(keep, c, merged(keep, b, a));
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&right, &whole);
        prop_assert_eq!(&turned, &whole);
        prop_assert!(whole.is_none_or(|s| s.fits(keep)));
    }

    #[test]
    fn packed_summaries_come_back(keep in keeps(), events in seen()) {
        if let Some(summary) = fold(keep, &events) {
            let mut out = Vec::new();
            summary.encode(&mut out);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(Summary::decode(&mut reader).ok(), Some(summary));
            prop_assert!(reader.is_empty());
        }
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Summary::decode(&mut Reader::new(&bytes));
        let _ = Counters::decode(&mut Reader::new(&bytes));
    }

    #[test]
    fn kept_entries_answer_windows_as_the_whole_list_does(
        events in seen(), span in 1i64..60, later in 0i64..80, k in 1u32..5
    ) {
        // The kept state speaks of T ≥ the newest event that it saw.
        let newest = events.iter().map(|e| e.at).max().unwrap_or(0);
        let at = newest + later;
        let inside = |t: i64| at - span < t && t <= at;
        let window: Vec<&Seen> = events.iter().filter(|e| inside(e.at)).collect();
        let naive = |keep: Keep| -> Vec<Scalar> {
            window.iter().filter_map(|e| hit(keep, e)).flatten().collect()
        };
        let summary = fold(Keep::Newest { k }, &events);
        let count = match &summary { Some(Summary::Newest(t)) => t.iter().filter(|t| inside(**t)).count(), _ => 0 };
        prop_assert_eq!(count, window.len().min(k as usize));

        let keep = Keep::Window { span_us: span, what: Within::Sum };
        let total = match fold(keep, &events) {
            Some(Summary::WindowSum(e)) => {
                e.iter().filter(|(t, _)| inside(*t)).fold(Decimal::ZERO, |sum, (_, n)| sum.plus(*n))
            }
            _ => Decimal::ZERO,
        };
        let want = naive(keep).iter().fold(Decimal::ZERO, |sum, n| match n {
            Scalar::Number(n) => sum.plus(*n),
            _ => sum,
        });
        prop_assert_eq!(total, want);

        let keep = Keep::Window { span_us: span, what: Within::Least(Kind::Number) };
        let least = match fold(keep, &events) {
            Some(Summary::WindowExtreme(e)) => e.iter().find(|(t, _)| inside(*t)).map(|(_, v)| v.clone()),
            _ => None,
        };
        prop_assert_eq!(least, naive(keep).into_iter().min());

        let keep = Keep::Window { span_us: span, what: Within::Distinct { k } };
        let distinct = match fold(keep, &events) {
            Some(Summary::WindowDistinct(e)) => e.iter().filter(|(t, _)| inside(*t)).count(),
            _ => 0,
        };
        let mut want = naive(keep);
        want.sort();
        want.dedup();
        prop_assert_eq!(distinct, want.len().min(k as usize));
    }

    #[test]
    fn sequences_answer_as_the_whole_list_does(events in seen(), within in 1i64..40, later in 0i64..80) {
        let times = |role: Scalar| events.iter().filter(move |e| e.values.contains(&role)).map(|e| e.at);
        let answered = |a: i64| times(THEN).any(|b| a < b && b <= a + within);
        let found = match fold(Keep::Sequence { within_us: within, negated: false }, &events) {
            Some(Summary::Sequence(s)) => s.found,
            _ => false,
        };
        prop_assert_eq!(found, times(FIRST).any(answered));
        let at = events.iter().map(|e| e.at).max().unwrap_or(0) + later;
        let open = match fold(Keep::Sequence { within_us: within, negated: true }, &events) {
            Some(Summary::Sequence(s)) => s.first.iter().any(|a| a + within <= at),
            _ => false,
        };
        prop_assert_eq!(open, times(FIRST).any(|a| a + within <= at && !answered(a)));
    }
}

#[test]
fn counters_of_a_profile_fold_merge_and_come_back() {
    let set = set_of(vec![
        Meaning { counted: events("E", None, None), keep: Keep::Count },
        Meaning { counted: events("E", None, Some("v")), keep: Keep::Sum },
        Meaning { counted: events("E", None, None), keep: Keep::Newest { k: 2 } },
    ]);
    let at = Timestamp::from_micros;
    let fold = |times: &[i64]| {
        let mut counters = Counters::default();
        for t in times {
            let hits = set.hits("E", at(*t), Some(&format!(r#"{{"v":{t}}}"#)), None);
            counters.fold(&set, at(*t), &format!("m{t}"), &hits);
        }
        counters
    };
    let (a, b, whole) = (fold(&[1, 5]), fold(&[3]), fold(&[5, 3, 1]));
    let mut both = a.clone();
    both.merge(&set, &b);
    assert_eq!(both, whole);
    let mut out = Vec::new();
    whole.encode(&mut out);
    assert_eq!(Counters::decode(&mut Reader::new(&out)).ok(), Some(whole.clone()));
    assert_eq!(whole.get(1), Some(&Summary::Count(3)));
    assert_eq!(whole.get(3), Some(&Summary::Newest(vec![3, 5])));
    assert_eq!(Counters::merged(Keep::Count, 1, [&a, &b]).as_deref(), Some(&Summary::Count(3)));
    // What is not counted any more is neither folded nor kept.
    let mut left = whole;
    left.retain(&set_of(vec![Meaning { counted: events("E", None, None), keep: Keep::Count }]));
    assert_eq!(left.iter().count(), 1);
    assert!(size_of::<(u32, Summary)>() <= 32);
}

/// `cargo test --release -p customers -- --ignored --nocapture counters::tests::cost` prints nanoseconds.
#[test]
#[ignore = "a measurement"]
fn cost() {
    let newest = |k, event| Meaning { counted: events(event, None, None), keep: Keep::Newest { k } };
    let mut meanings = vec![
        newest(1, "Product Viewed"),
        newest(5, "Product Viewed"),
        Meaning {
            counted: events("Product Viewed", Some(field("category", Op::Eq, text("face care"))), None),
            keep: Keep::Newest { k: 1 },
        },
        Meaning { counted: events("Product Viewed", None, None), keep: Keep::Count },
    ];
    meanings.extend((0..20).map(|n| newest(1, ["Order Completed", "Cart Viewed", "Page Viewed"][n % 3])));
    let set = set_of(meanings);
    let rounds = 200_000u32;
    let started = std::time::Instant::now();
    let mut found = 0;
    for n in 0..rounds {
        found += set.hits("Product Viewed", Timestamp::from_micros(i64::from(n)), Some(PROPERTIES), None).len();
    }
    eprintln!("hits: {} ns an event, {} hits", started.elapsed().as_nanos() / u128::from(rounds), found);
    let hits = set.hits("Product Viewed", Timestamp::from_micros(1), Some(PROPERTIES), None);
    let mut counters = Counters::default();
    let started = std::time::Instant::now();
    for n in 0..rounds {
        counters.fold(&set, Timestamp::from_micros(i64::from(n)), "m", &hits);
    }
    eprintln!("fold: {} ns for {} hits", started.elapsed().as_nanos() / u128::from(rounds), hits.len());
}
