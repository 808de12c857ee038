use super::ast::{Aggregate, Calendar, Date, Expr, Function, Path, Sequence, Unit, Window};
use super::error::Problem;
use super::{ATOMS_MAX, DEPTH_MAX, TEXT_MAX, parse};
use base::{Decimal, Timestamp};
use customers::counters::{FieldPath, Filter, Occurrence, Op, Test};
use db::event::Scalar;
use proptest::prelude::*;

/// A text and the normal text of what it means.
fn check(text: &str, normal: &str) {
    match parse(text) {
        Ok(expr) => {
            assert_eq!(expr.to_string(), normal, "{text}");
            assert_eq!(parse(normal), Ok(expr), "{text}");
        }
        Err(error) => panic!("{text}: {error}"),
    }
}

#[test]
fn every_form_of_the_grammar_is_read() {
    // [C3] the example of CONTRACTS 5 is its own normal text.
    let c3 = r#"count("Product Viewed" where properties.category = "face care" in last 14 days) >= 1"#;
    check(c3, c3);
    for text in [
        r#"trait.city = "Львів""#,
        r#"trait.address.city != "Kyiv""#,
        r#"trait."odd name".a-b.$x_1 in ["a", 1, true, -2.5]"#,
        r#"trait.2fa = true"#,
        r#"context.page.path starts with "/sale""#,
        r#"context.userAgent contains "iPhone""#,
        r#"consent.email.marketing = "granted""#,
        r#"identifier.email contains "@example.com""#,
        r#"exists identifier.android.id"#,
        r#"exists trait.email and not exists consent.email.marketing"#,
        r#"in segment("Loyal, \"gold\"")"#,
        r#"count("A") = 0 or count("B") = 0 and not (count("C") = 0 or count("D") > 1)"#,
        r#"sum("Order Completed".total between 2026-01-01 and 2026-02-01) >= 1000.5"#,
        r#"sum("Order Completed".total between 2026-01-01T00:00:00.000000Z and 2026-02-01) > 1"#,
        r#"min("A".x.y in calendar day) < 3"#,
        r#"max("A"."a b" in calendar week) = "z""#,
        r#"first("A".x in calendar month) = true"#,
        r#"last("A".x) != "a""#,
        r#"distinct("Product Viewed".product_id in last 30 minutes) >= 5"#,
        r#"count("A".coupon where not properties.a = 1 in last 2 hours) > 0"#,
        r#"count("Order Completed" where products[].category = "tea" and products[].price > 100) >= 1"#,
        r#"count("A" where (properties.a = 1 or exists properties.b.c) and not (properties.d in ["x", "y"] and properties.e contains "z")) >= 1"#,
        r#"count("A" where properties.a starts with "x" between 2026-01-01 and 2026-01-02) >= 1"#,
        r#"seq("Checkout Started" where properties.value > 100 then not "Order Completed" within 2 hours)"#,
        r#"seq("A" then "B" where properties.x = 1 or properties.y = 2 within 7 days)"#,
        r#"trait.and = "or" and trait.in in ["not"] and trait.exists.contains contains "x""#,
    ] {
        check(text, text);
    }
    check("  trait . a\n=  \t1 ", "trait.a = 1");
    check("((trait.a = 1e2))", "trait.a = 100");
    check(
        "(trait.a = 1 or trait.b = 2) and (trait.c=3 and trait.d=+4)",
        "(trait.a = 1 or trait.b = 2) and (trait.c = 3 and trait.d = 4)",
    );
    check(r#"trait.a = "\u0041\/\n""#, r#"trait.a = "A/\n""#);
    check(r#"count("A" where properties.products[].sku = "x") > 0"#, r#"count("A" where products[].sku = "x") > 0"#);
    check(r#"sum("A".products[].price) > 0"#, r#"sum("A".products.price) > 0"#);
    check(
        r#"count("A" between "2026-01-01" and 2026-01-02T03:04:05+02:00)>=1"#,
        r#"count("A" between 2026-01-01 and 2026-01-02T01:04:05.000000Z) >= 1"#,
    );
    check("not (not trait.a = 1)", "not (not trait.a = 1)");
}

#[test]
fn precedence_is_not_then_and_then_or() {
    let text = r#"exists trait.a or exists trait.b and not exists trait.c or exists trait.d"#;
    let exists = |name: &str| Expr::Exists(Path::Trait(FieldPath::new([name])));
    let want = Expr::Or(vec![exists("a"), Expr::And(vec![exists("b"), Expr::Not(Box::new(exists("c")))]), exists("d")]);
    assert_eq!(parse(text), Ok(want));
}

/// A wrong text, the byte of the mistake, and words of its message.
fn refuse(text: &str, offset: usize, words: &[&str]) {
    match parse(text) {
        Ok(expr) => panic!("{text} was read as {expr}"),
        Err(error) => {
            let message = error.to_string();
            assert_eq!(error.offset, offset, "{text}: {message}");
            for word in words {
                assert!(message.contains(word), "{text}: {message} lacks {word}");
            }
        }
    }
}

#[test]
fn mistakes_say_where_and_what_to_write() {
    // [LESSONS 5] what is wrong is found when it is saved.
    refuse("", 0, &["expected a condition", "the end"]);
    refuse("trait.a = ", 10, &["a string, a number", "the end"]);
    refuse("trait.a = 'x'", 10, &["double quotes", "instead of '"]);
    refuse("trait.a = “x”", 10, &["double quotes"]);
    refuse("trait.a = x", 10, &["\"x\""]);
    refuse("trait.a = null", 10, &["exists"]);
    refuse("trait.a == 1", 8, &["write = instead of =="]);
    refuse("trait.a <> 1", 8, &["write != instead of <>"]);
    refuse("trait.a like \"x\"", 8, &["`contains`"]);
    refuse("trait.a = \"x", 10, &["no closing quote"]);
    refuse(r#"trait.a = "\q""#, 10, &["unknown escape"]);
    refuse("trait.a = 1 2", 12, &["`and` or `or`"]);
    refuse("trait.a = 1 AND trait.b = 2", 12, &["did you mean `and`"]);
    refuse("trait.a = 1)", 11, &["no opening bracket"]);
    refuse("(trait.a = 1", 12, &["`)`", "the end"]);
    refuse("trait = 1", 6, &["`.`"]);
    refuse("trait.a = 1-2", 10, &["is no number"]);
    refuse("trait.a = 1e999", 10, &["is no number"]);
    refuse("trait.a = 2026-01-01", 10, &["double quotes"]);
    refuse("city = \"Kyiv\"", 0, &["trait.city"]);
    refuse("cuont(\"A\") > 1", 0, &["did you mean `count`"]);
    refuse("count(A) > 1", 6, &["\"A\""]);
    refuse("count(\"A\" where category = 1) > 1", 16, &["properties.category"]);
    refuse("count(\"A\" where products.price = 1) > 1", 24, &["products[].price"]);
    refuse("count(\"A\" where properties.a = 1 in last 14 weeks) > 1", 44, &["minutes", "98 days"]);
    refuse("count(\"A\" in last 14 day) > 1", 21, &["14 days"]);
    refuse("count(\"A\" in last 0 days) > 1", 18, &["1 to"]);
    refuse("count(\"A\" in last 1.5 days) > 1", 19, &["minutes"]);
    refuse("count(\"A\" in last x days) > 1", 18, &["whole number"]);
    refuse("count(\"A\" in last 99999 days) > 1", 18, &["36525"]);
    refuse("count(\"A\" in calendar year) > 1", 22, &["`day`, `week` or `month`"]);
    refuse("count(\"A\" between 2026-02-30 and 2026-03-01) > 1", 18, &["no date"]);
    refuse("count(\"A\" between 2026-02-03) > 1", 28, &["`and`"]);
    refuse("count(\"A\" in last 5 days)", 25, &["=, !="]);
    refuse("count(\"A\" in last 5 days) >= 10001", 29, &["10000"]);
    refuse("distinct(\"A\".x) > 10000.5", 18, &["10000"]);
    refuse("sum(\"A\") > 1", 0, &["needs a field", "sum(\"A\".total)"]);
    refuse("count(\"A\" foo) > 1", 10, &["`where`", "`in last`"]);
    refuse("not not exists trait.a", 4, &["brackets"]);
    refuse("consent.email = \"granted\"", 14, &["channel and a purpose"]);
    refuse("within 5 km of store \"Lviv-1\"", 0, &["geography", "not part of the language yet"]);
    refuse("properties.a = 1", 0, &["belong to an event"]);
    refuse("in segment \"A\"", 11, &["`(`"]);
    refuse("in segmnt(\"A\")", 3, &["did you mean `segment`"]);
    refuse("seq(\"A\" the \"B\" within 1 days)", 8, &["`then`"]);
    refuse("seq(\"A\" then \"B\")", 16, &["`within`"]);
    refuse("trait.a in []", 12, &["a string, a number"]);
    refuse("trait.місто = 'x'", "trait.місто = ".len(), &["double quotes"]);
}

#[test]
fn expressions_are_bounded() {
    let long = format!("trait.a = \"{}\"", "x".repeat(TEXT_MAX));
    assert!(matches!(parse(&long).map_err(|e| e.problem), Err(Problem::TooLong { .. })));
    let brackets = |n: usize| format!("{}exists trait.a{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&brackets(DEPTH_MAX as usize)).is_ok());
    assert_eq!(parse(&brackets(DEPTH_MAX as usize + 1)).map_err(|e| e.problem), Err(Problem::TooDeep));
    let inner = |n: usize| format!("count(\"A\" where {}properties.a = 1{}) > 0", "(".repeat(n), ")".repeat(n));
    assert_eq!(parse(&inner(DEPTH_MAX as usize + 1)).map_err(|e| e.problem), Err(Problem::TooDeep));
    let many = |n: u32| vec!["exists trait.a"; n as usize].join(" or ");
    assert!(parse(&many(ATOMS_MAX)).is_ok());
    assert_eq!(parse(&many(ATOMS_MAX + 1)).map_err(|e| e.problem), Err(Problem::TooMany));
    // What compares with a number too great for a windowed count is fine where only a number is kept.
    assert!(parse("count(\"A\") > 1000000").is_ok());
}

fn names() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        Just("and".into()),
        Just("products".into()),
        Just("in".into()),
        Just("a".into()),
        "[a-zа-яї0-9_$-]{1,4}".prop_map(|n: String| n.into()),
        "[ -~\"\\\\\n\u{1}é]{0,5}".prop_map(|n: String| n.into()),
    ]
}

fn paths() -> impl Strategy<Value = FieldPath> {
    prop::collection::vec(names(), 1..4).prop_map(FieldPath::new)
}

pub(crate) fn values() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        names().prop_map(Scalar::Text),
        any::<bool>().prop_map(Scalar::Bool),
        (-9_000_000_000i64..9_000_000_000)
            .prop_map(|n| Scalar::Number(Decimal::from_billionths(i128::from(n) * 1_000))),
    ]
}

pub(crate) fn ops() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge])
}

fn tests() -> impl Strategy<Value = Test> {
    prop_oneof![
        (ops(), values()).prop_map(|(op, value)| Test::Compare(op, value)),
        prop::collection::vec(values(), 1..4).prop_map(Test::In),
        names().prop_map(Test::Contains),
        names().prop_map(Test::StartsWith),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        paths().prop_map(Filter::Exists),
        (paths(), tests()).prop_map(|(path, test)| Filter::Field(path, test)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

fn windows() -> impl Strategy<Value = Window> {
    let unit = prop::sample::select(vec![Unit::Minutes, Unit::Hours, Unit::Days]);
    let day = (0u16..=9999, 1u8..=12, 1u8..=28).prop_map(|(year, month, day)| Date::Day { year, month, day });
    let moment =
        (-60_000_000_000_000_000i64..200_000_000_000_000_000).prop_map(|us| Date::Moment(Timestamp::from_micros(us)));
    let date = prop_oneof![day, moment];
    let calendar = prop::sample::select(vec![Calendar::Day, Calendar::Week, Calendar::Month]);
    prop_oneof![
        (1u32..30_000, unit).prop_map(|(amount, unit)| Window::Last { amount, unit }),
        (date.clone(), date).prop_map(|(from, to)| Window::Between { from, to }),
        calendar.prop_map(Window::Calendar),
    ]
}

fn occurrences() -> impl Strategy<Value = Occurrence> {
    (names(), prop::option::of(filters())).prop_map(|(event, filter)| Occurrence { event, filter })
}

fn atoms() -> impl Strategy<Value = Expr> {
    let path = prop_oneof![
        paths().prop_map(Path::Trait),
        paths().prop_map(Path::Context),
        (names(), names()).prop_map(|(channel, purpose)| Path::Consent { channel, purpose }),
        prop_oneof![Just("android.id".into()), names()].prop_map(Path::Identifier),
    ]
    .boxed();
    let function = prop::sample::select(Function::ALL.to_vec());
    let aggregate = (
        function,
        names(),
        prop::option::of(paths()),
        prop::option::of(filters()),
        prop::option::of(windows()),
        ops(),
        values(),
    )
        .prop_map(|(function, event, field, filter, window, op, value)| {
            let field =
                if function == Function::Count { field } else { field.or_else(|| Some(FieldPath::new(["total"]))) };
            Expr::Aggregate(Box::new(Aggregate { function, event, field, filter, window }), op, value)
        });
    let sequence =
        (occurrences(), any::<bool>(), occurrences(), 1u32..1_000).prop_map(|(first, negated, then, amount)| {
            Expr::Sequence(Box::new(Sequence { first, negated, then, amount, unit: Unit::Hours }))
        });
    prop_oneof![
        (path.clone(), tests()).prop_map(|(path, test)| Expr::Value(path, test)),
        path.prop_map(Expr::Exists),
        aggregate,
        sequence,
        names().prop_map(Expr::InSegment),
    ]
}

fn exprs() -> impl Strategy<Value = Expr> {
    atoms().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_printed_is_read_back(expr in exprs()) {
        let text = expr.to_string();
        if text.len() <= TEXT_MAX {
            prop_assert_eq!(parse(&text).map_err(|e| e.to_string()), Ok(expr), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z.()\\[\\]\"'=<>! 0-9а-я\\\\-]{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn cut_and_doubled_texts_are_errors_or_fine(expr in exprs(), at in 0usize..400) {
        let text = expr.to_string();
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let _ = parse(&text[..at]);
        let _ = parse(&format!("{}{}", &text[at..], &text[..at]));
    }
}
