//! Kinds of goods under the law, with the cases of the sources.
use super::{Day, Law, presets};
use serde_json::json;

fn ua() -> Law {
    presets::find("ua").expect("there is a preset")
}

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

#[test]
fn age_and_stamps_follow_the_kind_of_goods() {
    let law = ua();
    let on = day("2026-11-23");
    for kind in ["alcohol", "beer", "tobacco", "e_cigarettes"] {
        assert_eq!(law.age(&["food", kind], on).map(|(years, _)| years), Some(18), "{kind}");
    }
    assert_eq!(law.age(&["food"], on), None);
    assert!(law.stamp(&["alcohol"], on).is_some() && law.stamp(&["tobacco"], on).is_some());
    assert_eq!(law.stamp(&["beer"], on), None, "beer bears no stamp");
    // The highest age holds where goods are of two kinds.
    let mut stricter = law.clone();
    let rule = json!({"rule": {"kind": "age", "goods": ["energy_drinks"], "years": 16}, "from": "2026-01-01", "source": "a draft"});
    stricter.rules.push(serde_json::from_value(rule).expect("a rule"));
    assert_eq!(stricter.age(&["energy_drinks"], on), Some((16, "a draft")));
    assert_eq!(stricter.age(&["energy_drinks", "alcohol"], on).map(|(years, _)| years), Some(18));
    assert_eq!(stricter.age(&["energy_drinks"], day("2025-12-31")), None);
}

#[test]
fn receipts_are_kept_for_three_years() {
    // 1095 days from the day on which it was given.
    assert_eq!(ua().receipts_kept_until(day("2026-11-23")), Some(day("2029-11-22")));
    assert_eq!(ua().receipts_kept_until(day("1999-01-01")), None);
}

#[test]
fn a_change_of_kinds_is_data_and_is_checked() {
    let document = serde_json::to_value(ua()).expect("a document");
    for (rule, wanted) in [
        (json!({"kind": "age", "goods": [], "years": 18}), "/rule/goods: name at least one kind of goods"),
        (json!({"kind": "age", "goods": ["a"], "years": 0}), "/rule/years: an age lies between 1 and 120"),
        (json!({"kind": "receipts", "kept_days": 0}), "/rule/kept_days: it lies between 1 and 36500"),
        (json!({"kind": "stamp", "goods": [" "]}), "/rule/goods: name at least one kind of goods"),
    ] {
        let mut bad = document.clone();
        bad["rules"] = json!([{"rule": rule, "from": "2026-01-01", "source": "a draft"}]);
        bad["standard"] = json!("");
        let law: Law = serde_json::from_value(bad).expect("it can be read");
        assert_eq!(law.check().expect_err(wanted).to_string(), format!("/rules/0{wanted}"));
    }
}
