//! Values against naive ones that read the whole list of events each time.
use super::{Answer, Definition, Known, arithmetic, check, compile};
use crate::calendar::period;
use crate::language::{Aggregate, Arithmetic, Calendar, Formula, Function, Unit, Window, parse, parse_formula};
use crate::tests::{Happened, Person, START, at, fields, happened, kyiv};
use crate::{compile_with, evaluate};
use base::{Decimal, MINUTE_US, Timestamp};
use customers::counters::{CounterSet, Counters, FieldPath, Filter, Json, Kind};
use db::event::Scalar;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn kind_of(value: &Scalar) -> Kind {
    Kind::of(value.into())
}

/// A person of two profiles with the events folded as they came, one after another.
fn person(meanings: Vec<customers::counters::Meaning>, events: &[Happened]) -> Person {
    let numbered = meanings.into_iter().zip((0..).step_by(3));
    let definitions = numbered.map(|(meaning, id)| customers::counters::Definition { id, meaning }).collect();
    let set = CounterSet::build(1, definitions).unwrap_or_default();
    let mut profiles = vec![Counters::default(); 2];
    for (n, event) in events.iter().enumerate() {
        let hits = set.hits(event.name, event.at, Some(&event.properties), None);
        profiles[n % 2].fold(&set, event.at, &event.message_id, &hits);
    }
    Person { set, profiles, traits: Vec::new(), state: Default::default(), rules: Default::default() }
}

fn answer(definition: &Definition, events: &[Happened], now: Timestamp, zone: &TimeZone) -> Answer {
    let mut plan = compile(definition, zone);
    let person = person(plan.meanings().cloned().collect(), events);
    assert_eq!(plan.bind(&person.set), Ok(()));
    plan.value(&person, now, zone)
}

fn naive_of(a: &Aggregate, kind: Kind, events: &[Happened], now: Timestamp, zone: &TimeZone) -> Vec<Scalar> {
    let inside = |t: Timestamp| match &a.window {
        None => true,
        Some(Window::Last { amount, unit }) => now.plus(-i64::from(*amount) * unit.micros()) < t && t <= now,
        Some(Window::Calendar(calendar)) => {
            let (from, to) = period(*calendar, now, zone);
            from <= t && t < to && t <= now
        }
        Some(Window::Between { .. }) => unreachable!("not generated"),
    };
    let passes = |event: &Happened, filter: &Option<Filter>| {
        let json = Json::parse(&event.properties).unwrap_or(Json::Null);
        filter.as_ref().is_none_or(|filter| filter.matches(&json))
    };
    let mut chosen: Vec<&Happened> =
        events.iter().filter(|e| *e.name == *a.event && inside(e.at) && passes(e, &a.filter)).collect();
    chosen.sort_by(|x, y| (x.at, &x.message_id).cmp(&(y.at, &y.message_id)));
    let values: Vec<Vec<Scalar>> = match &a.field {
        Some(field) => chosen.iter().map(|e| fields(e, field)).filter(|v| !v.is_empty()).collect(),
        None => chosen.iter().map(|_| Vec::new()).collect(),
    };
    let of_kind = || values.iter().flatten().filter(|v| kind_of(v) == kind).cloned();
    let one = |values: Option<&Vec<Scalar>>| {
        let mut all: Vec<Scalar> = values.into_iter().flatten().cloned().collect();
        all.sort();
        all.dedup();
        all.retain(|v| kind_of(v) == kind);
        all
    };
    let number = |n: Decimal| vec![Scalar::Number(n)];
    match a.function {
        Function::Count => number(Decimal::from_int(values.len() as i64)),
        Function::Sum => number(values.iter().flatten().fold(Decimal::ZERO, |sum, v| match v {
            Scalar::Number(n) => sum.plus(*n),
            _ => sum,
        })),
        Function::Min => of_kind().min().into_iter().collect(),
        Function::Max => of_kind().max().into_iter().collect(),
        Function::First => one(values.first()),
        Function::Last => one(values.last()),
        Function::Distinct => {
            let mut all: Vec<_> = values.iter().flatten().collect();
            all.sort();
            all.dedup();
            number(Decimal::from_int(all.len() as i64))
        }
    }
}

fn naive(definition: &Definition, events: &[Happened], now: Timestamp, zone: &TimeZone) -> Vec<Scalar> {
    match &definition.formula {
        Formula::Number(n) => vec![Scalar::Number(*n)],
        Formula::Of(a) => naive_of(a, definition.kind, events, now, zone),
        Formula::Pair(a, sign, b) => {
            let part = |formula: &Formula| {
                let part = Definition { formula: formula.clone(), kind: Kind::Number };
                match naive(&part, events, now, zone).first() {
                    Some(Scalar::Number(n)) => Some(*n),
                    _ => None,
                }
            };
            let found = part(a).zip(part(b)).and_then(|(a, b)| arithmetic(a, *sign, b));
            found.map(Scalar::Number).into_iter().collect()
        }
    }
}

fn aggregates() -> impl Strategy<Value = Aggregate> {
    let window = prop_oneof![
        Just(None),
        (1u32..90, prop::sample::select(vec![Unit::Minutes, Unit::Hours]))
            .prop_map(|(amount, unit)| Some(Window::Last { amount, unit })),
        prop::sample::select(vec![Calendar::Day, Calendar::Week, Calendar::Month])
            .prop_map(|c| Some(Window::Calendar(c))),
    ];
    (prop::sample::select(Function::ALL.to_vec()), prop::sample::select(vec!["A", "B"]), any::<bool>(), window)
        .prop_map(|(function, event, bare, window)| {
            let field = (!bare || function != Function::Count).then(|| FieldPath::new(["x"]));
            Aggregate { function, event: event.into(), field, filter: None, window }
        })
}

fn definitions() -> impl Strategy<Value = Definition> {
    let leaf = prop_oneof![
        4 => aggregates().prop_map(|a| Formula::Of(Box::new(a))),
        1 => (-3i64..4).prop_map(|n| Formula::Number(Decimal::from_int(n))),
    ];
    let sign = prop::sample::select(vec![Arithmetic::Plus, Arithmetic::Minus, Arithmetic::Times, Arithmetic::By]);
    let formula = leaf.prop_recursive(2, 6, 2, move |inner| {
        (inner.clone(), sign.clone(), inner).prop_map(|(a, sign, b)| Formula::Pair(Box::new(a), sign, Box::new(b)))
    });
    (formula, prop::sample::select(vec![Kind::Number, Kind::Number, Kind::Text])).prop_map(|(formula, kind)| {
        let kind = if check(&formula, kind).is_ok() { kind } else { Kind::Number };
        Definition { formula, kind }
    })
}

/// Moments around which something may leave a window.
fn probes(now: Timestamp, events: &[Happened], definition: &Definition) -> Vec<Timestamp> {
    let mut functions = Vec::new();
    definition.formula.aggregates(&mut functions);
    let mut out = vec![now.plus(1), now.plus(MINUTE_US), now.plus(86_400_000_000)];
    for function in &functions {
        if let Some(Window::Last { amount, unit }) = &function.window {
            out.extend(events.iter().map(|e| e.at.plus(i64::from(*amount) * unit.micros())));
        }
    }
    out.retain(|t| *t > now);
    out
}

proptest! {
    /// What is folded event by event, over two profiles and in any order, equals what the whole list gives; windows are
    /// exact to the microsecond, and an answer holds until the moment that it names.
    #[test]
    fn incremental_equals_recomputed(definition in definitions(), events in happened(), later in 0i64..3_000) {
        let zone = kyiv();
        let newest = events.iter().map(|e| e.at).max().unwrap_or_else(|| at(START)).plus(later * MINUTE_US);
        let found = answer(&definition, &events, newest, &zone);
        prop_assert_eq!(&found.values, &naive(&definition, &events, newest, &zone), "{}", definition.formula);
        for probe in probes(newest, &events, &definition) {
            let there = answer(&definition, &events, probe, &zone);
            prop_assert_eq!(&there.values, &naive(&definition, &events, probe, &zone), "{} at {}", definition.formula, probe);
            if found.valid_until.is_none_or(|until| probe < until) {
                prop_assert_eq!(&there.values, &found.values, "{} until {:?}", definition.formula, found.valid_until);
            }
        }
    }

    /// The one text of a formula parses to the same formula.
    #[test]
    fn formulas_come_back_from_their_text(definition in definitions()) {
        let text = definition.formula.to_string();
        let mut functions = Vec::new();
        definition.formula.aggregates(&mut functions);
        if functions.is_empty() {
            prop_assert!(parse_formula(&text).is_err());
        } else {
            prop_assert_eq!(parse_formula(&text), Ok(definition.formula), "{}", text);
        }
    }

    /// A condition on a trait says what the same comparison of its value says, now and until the moment it names.
    #[test]
    fn a_condition_asks_for_the_value(definition in definitions(), events in happened(), limit in -2i64..5, later in 0i64..3_000) {
        let zone = kyiv();
        let known = Known::from([("mine".into(), definition.clone())]);
        let expr = parse(&format!("trait.mine >= {limit}")).expect("a condition");
        let mut plan = compile_with(&expr, &zone, &known);
        prop_assert!(plan.dependencies().computed.contains("mine") && plan.dependencies().traits.is_empty());
        let person = person(plan.meanings().cloned().collect(), &events);
        prop_assert_eq!(plan.bind(&person.set), Ok(()));
        let now = events.iter().map(|e| e.at).max().unwrap_or_else(|| at(START)).plus(later * MINUTE_US);
        let limit = Scalar::Number(Decimal::from_int(limit));
        let holds = |now| {
            let values = naive(&definition, &events, now, &zone);
            values.iter().any(|v| kind_of(v) == Kind::Number && *v >= limit)
        };
        let verdict = evaluate(&plan, &person, now, &zone);
        prop_assert_eq!(verdict.member, holds(now), "{}", definition.formula);
        for probe in probes(now, &events, &definition) {
            if verdict.valid_until.is_none_or(|until| probe < until) {
                prop_assert_eq!(holds(probe), verdict.member, "{} at {}", definition.formula, probe);
            }
        }
    }
}

#[test]
fn what_a_formula_cannot_be_is_said() {
    let wrong = |text: &str| parse_formula(text).expect_err(text).to_string();
    assert!(wrong("5").contains("a function such as"), "{}", wrong("5"));
    assert!(wrong(r#"count("A") >= 3"#).contains("a segment asks for it"));
    assert!(wrong(r#"sum("A")"#).contains("sum needs a field"));
    assert!(wrong("trait.x + 1").contains("a function such as"));
    assert!(wrong(r#"count("A") +"#).contains("expected"));
    assert!(wrong(&format!("{}1", "count(\"A\") + ".repeat(300))).contains("more than 200"));
    assert!(parse_formula(r#"(sum("A".x) - 2) * 3 / count("A" in last 3 days)"#).is_ok());
    let formula = parse_formula(r#"count("A")"#).expect("a formula");
    assert!(check(&formula, Kind::Text).is_err() && check(&formula, Kind::Number).is_ok());
    let last = parse_formula(r#"last("A".x)"#).expect("a formula");
    assert!(check(&last, Kind::Text).is_ok());
}

#[test]
fn arithmetic_rounds_half_away_from_zero_and_knows_its_limits() {
    let n = |text: &str| Decimal::parse(text).expect("a number");
    let by = |a: &str, b: &str| arithmetic(n(a), Arithmetic::By, n(b)).map(|n| n.to_string());
    assert_eq!(by("1", "3").as_deref(), Some("0.333333333"));
    assert_eq!(by("2", "3").as_deref(), Some("0.666666667"));
    assert_eq!(by("-2", "3").as_deref(), Some("-0.666666667"));
    assert_eq!(by("1", "0"), None);
    let times = |a: &str, b: &str| arithmetic(n(a), Arithmetic::Times, n(b)).map(|n| n.to_string());
    assert_eq!(times("1.5", "-2").as_deref(), Some("-3"));
    assert_eq!(times("0.000000001", "0.5").as_deref(), Some("0.000000001"));
    assert_eq!(times("1e20", "1e20"), None);
}
