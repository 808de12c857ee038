//! Plans as texts, names and properties by them, what they refuse.
use super::{Action, Compiled, EventPlan, Expected, Found, Kind, Mode, PRESETS, Plan, Rule, Segment};
use proptest::prelude::*;
use serde_json::{Value, json};

const FULL: &str = r#"
# Checkout
unknown events warn
required missing over 7 %
preset ga4
alias "kupivka" = "Order Completed"
rename "Order Completed" number -> order_id
rename * lines -> products   # the old till
rename * products[].art -> products[].sku
set "Order Completed" currency = "UAH"
divide "Order Completed" total by 100
event "Order Completed" block
  order_id text required
  total number required
  products list
event "Product Viewed"
  "odd name" any
"#;

fn compiled(text: &str) -> Compiled {
    Compiled::new(Plan::parse(text).expect("a plan"))
}

fn mapped(plan: &Compiled, event: &str, properties: Value) -> Value {
    let text = properties.to_string();
    let out = plan.properties(event, &text);
    serde_json::from_str(out.as_deref().map_or(&text, |r| r.get())).expect("JSON")
}

// [A6]
#[test]
fn a_source_speaks_its_own_way_and_means_the_standard() {
    let plan = compiled(FULL);
    assert_eq!(plan.name("kupivka"), "Order Completed");
    assert_eq!(plan.name("purchase"), "Order Completed");
    assert_eq!(plan.name("Completed Order"), "Order Completed");
    assert_eq!(plan.name("Something else"), "Something else");
    let order = json!({"number": "7", "total": 129900, "lines": [{"art": "a"}, {"art": "b", "sku": "own"}]});
    assert_eq!(
        mapped(&plan, "Order Completed", order),
        json!({"order_id": "7", "total": 1299, "currency": "UAH", "products": [{"sku": "a"}, {"art": "b", "sku": "own"}]})
    );
    // Google's names, and the one product of a list as the event's own.
    let viewed = json!({"items": [{"item_id": "g1", "item_name": "Ковдра", "price": 12.50}], "currency": "EUR"});
    let viewed = mapped(&plan, "Product Viewed", viewed);
    assert_eq!((&viewed["product_id"], &viewed["name"]), (&json!("g1"), &json!("Ковдра")));
    assert_eq!(viewed["products"][0]["product_id"], "g1");
}

#[test]
fn money_moves_its_point_exactly() {
    let plan =
        compiled("divide * total by 100\ndivide * products[].price by 1000\nset * products[].currency = \"UAH\"");
    let cases = [
        ("129990", "1299.9"),
        ("5", "0.05"),
        ("-250", "-2.5"),
        ("0", "0"),
        ("\"1250\"", "12.5"),
        ("12.34", "0.1234"),
        ("90071992547409930001", "900719925474099300.01"),
        ("true", "true"),
        ("null", "null"),
        ("1e3", "1e3"),
    ];
    for (from, to) in cases {
        let text = format!("{{\"total\":{from}}}");
        let out = plan.properties("A", &text).map_or(text.clone(), |r| r.get().to_string());
        assert_eq!(out, format!("{{\"total\":{to}}}"));
    }
    assert_eq!(
        mapped(&plan, "A", json!({"products": [{"price": 1500}, 7, {"currency": "EUR"}]})),
        json!({"products": [{"price": 1.5, "currency": "UAH"}, 7, {"currency": "EUR"}]})
    );
}

#[test]
fn a_plan_blocks_warns_or_watches() {
    let plan = compiled(FULL);
    let fine = r#"{"order_id":"1","total":5}"#;
    assert_eq!(plan.refuse("Order Completed", Some(fine)), Ok(()));
    let refused =
        |event: &str, properties: Option<&str>| plan.refuse(event, properties).map_err(|r| (r.code, r.pointer));
    assert_eq!(
        refused("Order Completed", Some(r#"{"total":5}"#)),
        Err(("plan_missing", "/properties/order_id".into()))
    );
    assert_eq!(refused("Order Completed", None), Err(("plan_missing", "/properties/order_id".into())));
    assert_eq!(
        refused("Order Completed", Some(r#"{"order_id":"1","total":"5"}"#)),
        Err(("plan_wrong_kind", "/properties/total".into()))
    );
    assert_eq!(
        refused("Order Completed", Some(r#"{"order_id":null,"total":5}"#)),
        Err(("plan_missing", "/properties/order_id".into()))
    );
    // Unknown ones are told, not refused; an event that is only watched fits always.
    assert_eq!(plan.refuse("New", None), Ok(()));
    assert_eq!(plan.check("New", None), (Mode::Warn, vec![Found::UnknownEvent]));
    assert_eq!(plan.check("Product Viewed", None), (Mode::Observe, vec![]));
    let strict = compiled("unknown events block\nevent \"A\"");
    assert_eq!(strict.refuse("B", None).map_err(|r| r.code), Err("plan_unknown_event"));
    assert!(strict.expects() && !compiled("event \"A\"").expects() && !compiled("").expects());
}

#[test]
fn a_text_that_is_no_plan_is_refused_with_its_line() {
    let cases = [
        ("nonsense", 1, "a line begins with"),
        ("\n\npreset nobody", 3, "is no preset; there are ga4"),
        ("alias a = b", 1, "in quotes"),
        ("alias \"a\" = \"b\"\nalias \"a\" = \"c\"", 2, "has an alias already"),
        ("alias \"yes\" = \"Consent Granted\"", 1, "about consent"),
        ("alias \"Unsubscribed\" = \"x\"", 1, "about consent"),
        ("set \"Consent Granted\" channel = \"email\"", 1, "about consent"),
        ("  a text", 1, "stands below an event"),
        ("event \"A\"\n  a txt", 2, "write: name text"),
        ("event \"A\"\n  a text\n  a text", 3, "stands twice"),
        ("event \"A\" maybe", 1, "is not observe"),
        ("rename * a -> a", 1, "the same"),
        ("rename * a[].b -> c[].b", 1, "rename the list itself first"),
        ("rename \"A\" a b", 1, "write: rename"),
        ("rename A a -> b", 1, "in quotes, or *"),
        ("set \"A\" a = nope", 1, "no JSON value"),
        ("divide \"A\" a by 7", 1, "10, 100 or 1000"),
        ("lift \"A\"", 1, "write: lift"),
        ("required missing over 200 %", 1, "required missing over 5 %"),
        ("event \"unfinished", 1, "does not end"),
        ("rename * a..b -> c", 1, "is no path"),
    ];
    for (text, line, said) in cases {
        let error = Plan::parse(text).expect_err(text);
        assert!(error.line == line && error.detail.contains(said), "{text}: {error}");
    }
    let many: String = (0..501).map(|n| format!("alias \"{n}\" = \"x\"\n")).collect();
    assert_eq!(Plan::parse(&many).expect_err("too many").line, 501);
    assert!(Plan::parse(&"#".repeat(300 << 10)).is_err());
}

#[test]
fn presets_are_sound() {
    for preset in PRESETS {
        let plan = Plan::parse(&format!("preset {}", preset.name)).expect("a plan");
        assert!(!preset.title.is_empty());
        for rule in preset.rules() {
            let printed = Plan { rules: vec![rule.clone()], ..Plan::default() }.text();
            assert_eq!(Plan::parse(&printed).expect("its rules are rules").rules, [rule]);
        }
        // No name leads to a name that leads on.
        let plan = Compiled::new(plan);
        for (from, to) in preset.events {
            assert_eq!((plan.name(from), plan.name(to)), (*to, *to));
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    "[A-Za-zА-Яа-яЇїІі\"\\\\ #=*-]{1,20}[a-z]"
}

fn paths() -> impl Strategy<Value = Vec<Segment>> {
    proptest::collection::vec("[a-zA-Z_$][a-z0-9_-]{0,8}", 1..4)
        .prop_map(|steps| steps.into_iter().map(|name| Segment { name, each: false }).collect())
}

fn rules() -> impl Strategy<Value = Rule> {
    let action = prop_oneof![
        (paths(), paths()).prop_filter("differ", |(a, b)| a != b).prop_map(|(from, to)| Action::Rename { from, to }),
        (paths(), any::<i64>()).prop_map(|(path, n)| Action::Set { path, value: n.to_string() }),
        (paths(), names()).prop_map(|(path, t)| Action::Set { path, value: json!(t).to_string() }),
        paths().prop_map(|path| Action::Divide { path, by: 100 }),
        paths().prop_map(|path| Action::Lift { path }),
    ];
    (proptest::option::of(names()), action).prop_map(|(event, action)| Rule { event, action })
}

fn modes() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Observe), Just(Mode::Warn), Just(Mode::Block)]
}

prop_compose! {
    fn plans()(
        unknown in modes(),
        missing_percent in 0u8..=100,
        aliases in proptest::collection::btree_map(names(), names(), 0..4),
        rules in proptest::collection::vec(rules(), 0..5),
        events in proptest::collection::btree_map(names(), (modes(), proptest::collection::btree_map(names(), (0usize..6, any::<bool>()), 0..4)), 0..4),
    ) -> Plan {
        let kinds = [Kind::Text, Kind::Number, Kind::Bool, Kind::List, Kind::Object, Kind::Any];
        let event = |(mode, properties): (Mode, std::collections::BTreeMap<String, (usize, bool)>)| EventPlan {
            mode,
            properties: properties.into_iter().map(|(name, (k, required))| Expected { name, kind: kinds[k], required }).collect(),
        };
        let events = events.into_iter().map(|(name, e)| (name, event(e))).collect();
        Plan { unknown, missing_percent, presets: vec!["shopify".into()], aliases, rules, events }
    }
}

proptest! {
    #[test]
    fn a_printed_plan_reads_as_itself(plan in plans()) {
        let text = plan.text();
        prop_assert_eq!(Plan::parse(&text), Ok(plan), "{}", text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(?s).{0,200}") {
        let _ = Plan::parse(&text);
    }

    #[test]
    fn rules_always_leave_an_object(plan in plans(), properties in "[a-c]{1,2}") {
        let plan = Compiled::new(plan);
        let value = json!({properties.clone(): [{"a": 1}, null], "a": {"b": "x"}, "b": 5}).to_string();
        for event in ["A", "Order Completed"] {
            if let Some(out) = plan.properties(event, &value) {
                prop_assert!(serde_json::from_str::<Value>(out.get()).is_ok_and(|v| v.is_object()));
            }
        }
    }
}
