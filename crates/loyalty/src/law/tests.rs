use super::{Day, Earlier, Law, presets};
use crate::amounts::Rate;
use base::Timestamp;
use serde_json::json;

fn ua() -> Law {
    presets::find("ua").expect("there is a preset")
}

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

#[test]
fn every_preset_can_be_read_and_is_sound() {
    for country in presets::countries() {
        let law = presets::find(country).unwrap_or_else(|| panic!("{country} cannot be read"));
        law.check().unwrap_or_else(|e| panic!("{country}: {e}"));
        assert_eq!(law.country, country);
        let text = serde_json::to_string(&law).expect("it can be written");
        assert_eq!(serde_json::from_str::<Law>(&text).expect("and read again"), law);
    }
    assert!(presets::find("XX").is_none());
}

#[test]
fn cash_is_rounded_in_ukraine_as_the_day_says() {
    let law = ua();
    assert_eq!(law.cash(day("2018-06-30")), None, "kopecks were in use");
    let check = |on: &str, cases: &[(i64, i64)]| {
        let rounding = law.cash(day(on)).expect("cash is rounded");
        for (minor, wanted) in cases {
            assert_eq!(minor + rounding.difference(*minor), *wanted, "{minor} on {on}");
            assert_eq!(-minor + rounding.difference(-minor), -wanted, "a return of {minor} on {on}");
        }
    };
    // 1–4 down, 5–9 up to ten kopecks.
    for on in ["2018-07-01", "2025-09-30"] {
        check(on, &[(0, 0), (10001, 10000), (10004, 10000), (10005, 10010), (10009, 10010), (10010, 10010)]);
    }
    // 1–24 → 00, 25–49 → 50, 51–74 → 50, 75–99 → next hryvnia.
    for on in ["2025-10-01", "2026-11-23"] {
        check(on, &[(0, 0), (10000, 10000), (10001, 10000), (10024, 10000), (10025, 10050), (10049, 10050)]);
        check(on, &[(10050, 10050), (10051, 10050), (10074, 10050), (10075, 10100), (10099, 10100)]);
    }
}

#[test]
fn a_day_begins_at_the_shops_midnight() {
    let law = ua();
    // Kyiv is three hours ahead in September.
    let last = Timestamp::parse("2025-09-30T20:59:59.999999Z").expect("a moment");
    assert_eq!(law.day(last), day("2025-09-30"));
    assert_eq!(law.day(last.plus(1)), day("2025-10-01"));
    assert_eq!(law.cash(law.day(last)).map(|c| c.step_minor), Some(10));
    assert_eq!(law.cash(law.day(last.plus(1))).map(|c| c.step_minor), Some(50));
}

#[test]
fn tax_classes_of_ukraine() {
    let law = ua();
    let on = day("2026-11-23");
    for (class, vat, excise) in [
        ("standard", 20, 0),
        ("agricultural", 14, 0),
        ("medicines", 7, 0),
        ("zero", 0, 0),
        ("not_payer", 0, 0),
        ("excise", 20, 5),
    ] {
        let rates = law.tax(class, on).expect("it holds");
        assert_eq!((rates.vat, rates.excise), (Rate::percent(vat), Rate::percent(excise)), "{class}");
    }
    assert_eq!(law.standard_tax(on).vat, Rate::percent(20));
    let early = law.tax("agricultural", day("2021-02-28")).expect_err("it did not hold yet");
    assert!(early.to_string().contains("no tax class \"agricultural\" holds on 2021-02-28"), "{early}");
}

#[test]
fn an_earlier_price_stands_beside_a_reduced_one() {
    let eu = presets::find("EU").expect("a preset");
    assert_eq!(eu.earlier_price(day("2022-05-27")), None);
    assert_eq!(eu.earlier_price(day("2022-05-28")), Some(Earlier::Lowest { days: 30 }));
    assert_eq!(ua().earlier_price(day("2026-11-23")), Some(Earlier::Previous));
}

#[test]
fn a_change_of_law_is_data() {
    let mut document = serde_json::to_value(ua()).expect("a document");
    let rule = json!({"rule": {"kind": "tax", "class": "standard", "letter": "А", "vat_percent": 21}, "from": "2027-01-01", "source": "a draft"});
    document["rules"].as_array_mut().expect("rules").push(rule);
    let law: Law = serde_json::from_value(document.clone()).expect("a law");
    law.check().expect("it is sound");
    assert_eq!(law.standard_tax(day("2026-12-31")).vat, Rate::percent(20));
    assert_eq!(law.standard_tax(day("2027-01-01")).vat, Rate::percent(21));
    for (pointer, value, wanted) in [
        ("/rules/0/source", json!(" "), "/rules/0/source: say where the rule is written"),
        ("/time_zone", json!("Mars"), "/time_zone: there is no such time zone"),
        ("/standard", json!("luxury"), "/standard: no rule makes this tax class"),
        ("/rules/6/until", json!("2018-07-01"), "/rules/6/until: it ends before it begins"),
        ("/rules/6/rule/rounding/step_minor", json!(0), "/rules/6/rule/rounding: the step is at least 1"),
    ] {
        let mut bad = document.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        let law: Law = serde_json::from_value(bad).expect("it can be read");
        let error = law.check().expect_err(pointer).to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
    assert!(Day::parse("2025-02-30").is_none(), "there is no such day");
}

#[test]
fn goods_are_taken_back_for_fourteen_days_of_the_shop() {
    let law = ua();
    let (returns, source) = law.returns(day("2026-11-23")).expect("the law says so");
    assert_eq!((returns.days, returns.fault_days), (14, 730));
    assert!(source.contains("article 9") && returns.except.iter().any(|e| e.class == "underwear"));
    assert_eq!(law.returns(day("1990-01-01")), None);
    // Midnight in Kyiv is 22:00 UTC in winter and 21:00 in summer; a day of 25 hours ends with the new offset.
    let ends = |on: &str| law.end_of(day(on)).to_string();
    assert!(ends("2026-11-23").starts_with("2026-11-23T22:00:00"), "{}", ends("2026-11-23"));
    assert!(ends("2026-07-01").starts_with("2026-07-01T21:00:00"));
    assert!(ends("2026-10-25").starts_with("2026-10-25T22:00:00"), "{}", ends("2026-10-25"));
    assert_eq!(law.day(law.end_of(day("2026-10-25"))), day("2026-10-26"));
    assert_eq!(law.day(law.end_of(day("2026-10-25")).plus(-1)), day("2026-10-25"));
    assert_eq!(day("2026-02-27").plus(2), day("2026-03-01"));
    let mut wrong = law.clone();
    wrong.rules.iter_mut().for_each(|d| {
        if let super::Rule::Returns(returns) = &mut d.rule {
            returns.days = -1;
        }
    });
    assert!(wrong.check().is_err_and(|e| e.to_string().contains("/rule/days")));
}
