use super::{priced, read_basket, read_promotions};
use crate::tests::shop::now;
use crate::{law::presets, price};
use serde_json::{Value, json};

const BASKET: &str = include_str!("../../../../docs/formats/examples/basket.json");
const PROMOTIONS: &str = include_str!("../../../../docs/formats/examples/promotions.json");
const PRICED: &str = include_str!("../../../../docs/formats/examples/priced.json");

#[test]
fn the_worked_example_is_what_comes_out() {
    let (basket, context) = read_basket(BASKET, now(), &presets::find).expect("a basket");
    let (document, promotions) = read_promotions(PROMOTIONS).expect("promotions");
    let out = serde_json::to_value(priced(&price(&basket, &promotions, &context))).expect("it is written");
    assert_eq!(out, serde_json::from_str::<Value>(PRICED).expect("the example"), "{out:#}");
    let again = serde_json::to_string(&document).expect("promotions are written");
    assert_eq!(read_promotions(&again).expect("and read again").0, document);
}

#[test]
fn a_line_has_the_six_fields_of_the_contract() {
    let out: Value = serde_json::from_str(PRICED).expect("the example");
    for line in out["lines"].as_array().expect("lines").iter().chain([&out["shipping"]]) {
        let mut keys: Vec<&String> = line.as_object().expect("an object").keys().collect();
        keys.sort_unstable();
        assert_eq!(keys, ["discounts", "id", "list_minor", "net_minor", "tax_minor", "total_minor"]);
    }
}

#[test]
fn what_is_wrong_with_a_basket_is_said_with_its_place() {
    let base: Value = serde_json::from_str(BASKET).expect("the example");
    for (pointer, value, wanted) in [
        ("/currency", json!("грн"), "at /currency: \"грн\" is no currency code of three capitals"),
        ("/lines/1/id", json!("1"), "at /lines/1/id: line \"1\" stands twice"),
        ("/lines/1/quantity", json!(0), "at /lines/1/quantity: 0 is not above 0"),
        ("/lines/0/price_minor", json!(-1), "at /lines/0/price_minor: a price is not negative"),
        (
            "/lines/0/price_minor",
            json!(200_000_000_000_000i64),
            "at /lines/0/price_minor: the line costs more than 100000000000000",
        ),
        ("/lines/0/sku", json!(" "), "at /lines/0/sku: a line needs a SKU"),
        ("/country", json!("ZZ"), "at /country: there are no rules of law for \"ZZ\"; presets: UA, EU"),
        ("/points", json!(-5), "at /points: points to burn are not negative"),
        ("/shipping/price_minor", json!(-5), "at /shipping/price_minor: it lies between 0 and 100000000000000"),
    ] {
        let mut bad = base.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        let error = read_basket(&bad.to_string(), now(), &presets::find).expect_err(pointer);
        assert_eq!(error.to_string(), wanted);
    }
    for (text, wanted) in [
        ("", "line 1, column 0: EOF while parsing a value"),
        (
            "{\n  \"currency\": \"UAH\",\n  \"lines\": [],\n  \"colour\": 1\n}",
            "line 4, column 10: unknown field `colour`",
        ),
        ("{\"currency\": \"UAH\"}", "line 1, column 19: missing field `lines`"),
        (
            "{\"currency\": \"UAH\", \"lines\": [{\"id\": \"1\", \"sku\": \"a\", \"quantity\": 1.2345, \"price_minor\": 1}]}",
            "line 1, column 72: 1.2345 is no quantity: at most 3 decimals, and not beyond its range",
        ),
        (
            "{\"currency\": \"UAH\", \"lines\": [{\"id\": \"1\", \"sku\": \"a\", \"quantity\": 1, \"price_minor\": \"1\"}]}",
            "line 1, column ",
        ),
    ] {
        let error = read_basket(text, now(), &presets::find).expect_err(text).to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
}

#[test]
fn what_is_wrong_with_promotions_is_said_with_its_place() {
    let rule = |more: Value| {
        let mut rule = json!({"id": "p", "effects": [{"kind": "percent", "percent": 10}]});
        more.as_object().expect("an object").iter().for_each(|(key, value)| rule[key] = value.clone());
        rule
    };
    let of =
        |rules: Value| read_promotions(&json!({"promotions": rules}).to_string()).expect_err("refused").to_string();
    for (more, wanted) in [
        (json!({"id": " "}), "at /promotions/0/id: a promotion needs an id"),
        (json!({"id": "points"}), "at /promotions/0/id: \"points\" is kept for discounts of our own"),
        (json!({"lane": "fast"}), "at /promotions/0/lane: there is no lane \"fast\"; lanes are pre, default, post"),
        (
            json!({"starts_at": "2026-01-02", "ends_at": "2026-01-01"}),
            "at /promotions/0/ends_at: it ends at 2026-01-01T00:00:00.000000Z, before it begins",
        ),
        (json!({"cap_minor": -1}), "at /promotions/0/cap_minor: -1 does not lie between"),
        (json!({"effects": []}), "at /promotions/0/effects: a promotion needs an effect"),
        (
            json!({"effects": [{"kind": "percent", "percent": 101}]}),
            "at /promotions/0/effects/0/percent: it is above 0 and at most 100",
        ),
        (
            json!({"effects": [{"kind": "cheapest_free", "every": 1}]}),
            "at /promotions/0/effects/0/every: it is at least 2",
        ),
        (
            json!({"effects": [{"kind": "cheapest_free", "every": 3, "free": 3}]}),
            "at /promotions/0/effects/0/free: it is at least 1 and below",
        ),
        (
            json!({"effects": [{"kind": "tiers", "by": "amount", "steps": [{"from": 1}]}]}),
            "at /promotions/0/effects/0/steps/0: a step has either",
        ),
        (
            json!({"effects": [{"kind": "tiers", "by": "amount", "steps": [{"from": 2, "minor": 1}, {"from": 2, "minor": 2}]}]}),
            "at /promotions/0/effects/0/steps/1/from: steps go upwards",
        ),
        (
            json!({"conditions": [{"kind": "not", "condition": {"kind": "store", "in": []}}]}),
            "at /promotions/0/conditions/0/condition/in: it names nothing",
        ),
        (
            json!({"conditions": [{"kind": "orders", "min": 3, "max": 2}]}),
            "at /promotions/0/conditions/0/max: the greatest value is below the least",
        ),
    ] {
        let error = of(json!([rule(more)]));
        assert!(error.starts_with(wanted), "{error}");
    }
    assert_eq!(
        of(json!([rule(json!({})), rule(json!({}))])),
        "at /promotions/1/id: \"p\" is the id of promotion 0 too"
    );
    let two = json!([rule(json!({"coupons": ["A"]})), rule(json!({"id": "q", "coupons": [" a"]}))]);
    assert_eq!(of(two), "at /promotions/1/coupons/0: coupon \"A\" stands at promotion 0 already");
    let two = json!([rule(json!({"coupons": ["Q"]})), rule(json!({"id": "q"}))]);
    assert_eq!(of(two), "at /promotions/1/id: it is a coupon of promotion 0 too");
    let unknown = of(json!([rule(json!({"effects": [{"kind": "gift"}]}))]));
    assert!(unknown.starts_with("line 1, column") && unknown.contains("unknown variant `gift`"), "{unknown}");
}
