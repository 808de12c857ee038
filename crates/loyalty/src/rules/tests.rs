use super::{Kind, POLICY, RuleError, archive, list, put, restore, rules, rules_of, uses, versions};
use crate::law::{Day, presets};
use crate::tests::shop::{basket, lines, totals};
use crate::tests::stored::Stored;
use crate::{law::Law, price};
use serde_json::{Value, json};

impl Stored {
    fn put(&self, kind: Kind, code: &str, expected: Option<i64>, document: Value) -> Result<i64, RuleError> {
        let (code, document) = (code.to_string(), document.to_string());
        self.write(move |tx| Ok(put(tx, kind, &code, expected, &document, "olena")?.1.version))
    }
    /// What one piece of 10.00 costs under the rules as they stand.
    fn cost(&self) -> i64 {
        let (cart, context) = basket(lines(&[1000]));
        let rules = self.store.read(rules).expect("rules");
        totals(&price(&cart, &rules.compiled, &context))[0]
    }
    fn law(&self, country: &str) -> Option<Law> {
        self.store.read(rules).expect("rules").law(country)
    }
}

fn percent(id: &str, percent: i64) -> Value {
    json!({"id": id, "effects": [{"kind": "percent", "percent": percent}]})
}

#[test]
fn promotions_are_versioned_data_that_is_checked_before_it_is_kept() {
    for shop in Stored::each() {
        assert_eq!(shop.put(Kind::Promotion, "a", Some(0), percent("a", 10)).expect("it is kept"), 1);
        assert_eq!(shop.cost(), 900);
        assert_eq!(shop.put(Kind::Promotion, "a", Some(1), percent("a", 20)).expect("it is kept"), 2);
        assert_eq!(shop.cost(), 800);
        let stale = shop.put(Kind::Promotion, "a", Some(1), percent("a", 30)).expect_err("it is stale");
        assert_eq!(stale.to_string(), "the promotion \"a\" has version 2 by now, the change was made to version 1");
        for (code, document, wanted) in [
            ("a", percent("b", 10), "/id: it is \"a\" that is kept here"),
            ("b", percent("b", 101), "/effects/0/percent: it is above 0 and at most 100"),
            (
                "b",
                json!({"id": "b", "lane": "fast", "effects": [{"kind": "percent", "percent": 1}]}),
                "/lane: there is no lane",
            ),
            ("b", json!({"id": "b", "effects": [{"kind": "gift"}]}), ": unknown variant `gift`"),
        ] {
            match shop.put(Kind::Promotion, code, None, document) {
                Err(RuleError::Invalid { pointer, what }) => {
                    assert!(format!("{pointer}: {what}").starts_with(wanted), "{pointer}: {what}")
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(shop.cost(), 800, "what was refused changed nothing");
        shop.write(|tx| restore(tx, Kind::Promotion, "a", 1, "taras")).expect("it is rolled back");
        assert_eq!(shop.cost(), 900);
        shop.write(|tx| archive(tx, Kind::Promotion, "a", Some(3), "taras")).expect("it is taken out");
        assert_eq!(shop.cost(), 1000);
        let found = shop.store.query(|db| versions(db, Kind::Promotion, "a", i64::MAX, 10)).expect("versions");
        let shown: Vec<(i64, bool, &str)> = found.iter().map(|v| (v.version, v.archived, v.actor.as_str())).collect();
        assert_eq!(shown, [(4, true, "taras"), (3, false, "taras"), (2, false, "olena"), (1, false, "olena")]);
        assert_eq!(shop.store.query(|db| list(db, Kind::Promotion, "", 10)).expect("a list"), []);
    }
}

#[test]
fn a_policy_cannot_take_a_lane_away_that_a_promotion_stands_in() {
    for shop in Stored::each() {
        shop.put(Kind::Promotion, "a", None, percent("a", 10)).expect("it is kept");
        let two = json!({"lanes": [{"id": "default"}, {"id": "late", "mode": "accumulate"}]});
        shop.put(Kind::Policy, POLICY, None, two).expect("it is kept");
        shop.put(
            Kind::Promotion,
            "b",
            None,
            json!({"id": "b", "lane": "late", "effects": [{"kind": "percent", "percent": 10}]}),
        )
        .expect("it is kept");
        assert_eq!(shop.cost(), 810);
        let one =
            shop.put(Kind::Policy, POLICY, None, json!({"lanes": [{"id": "default"}]})).expect_err("b stands there");
        assert!(one.to_string().contains("there is no lane \"late\""), "{one}");
        let failed = shop.write(|tx| {
            put(tx, Kind::Promotion, "a", None, &percent("a", 90).to_string(), "olena")?;
            Err::<(), _>(RuleError::NotFound { kind: Kind::Law, code: "x".into() })
        });
        assert!(failed.is_err());
        assert_eq!(shop.cost(), 810, "what was undone is not remembered");
    }
}

#[test]
fn a_law_is_changed_without_a_release() {
    for shop in Stored::each() {
        let day = Day::parse("2027-01-01").expect("a day");
        assert_eq!(shop.law("ua").expect("the preset").standard_tax(day).vat.to_string(), "20");
        let mut law = serde_json::to_value(presets::find("UA").expect("a preset")).expect("a document");
        let rule = json!({"rule": {"kind": "tax", "class": "standard", "letter": "А", "vat_percent": 21}, "from": "2027-01-01", "source": "a draft"});
        law["rules"].as_array_mut().expect("rules").push(rule);
        shop.put(Kind::Law, "UA", None, law.clone()).expect("it is kept");
        assert_eq!(shop.law("UA").expect("the shop's own").standard_tax(day).vat.to_string(), "21");
        let other = shop.put(Kind::Law, "EU", None, law).expect_err("another country's");
        assert!(matches!(other, RuleError::Invalid { pointer, .. } if pointer == "/country"));
        assert!(shop.law("XX").is_none());
    }
}

#[test]
fn uses_are_counted_once_for_an_order_and_given_back() {
    for shop in Stored::each() {
        let used = vec!["a".to_string(), "b".to_string()];
        let note = |document: &'static str, account: i64, used: &[String]| {
            let used = used.to_vec();
            shop.write(move |tx| uses::note(tx, document, account, &used)).expect("it is noted");
        };
        note("o1", 1, &used);
        note("o1", 1, &used);
        note("o2", 2, &used[..1]);
        let totals = || {
            let of = vec!["a".to_string(), "b".to_string(), "c".to_string()];
            let found = shop.store.read(move |tx| uses::totals(tx, &of)).expect("totals");
            found.into_values().collect::<Vec<i64>>()
        };
        assert_eq!(totals(), [2, 1]);
        let hers = shop.store.read(|tx| uses::of_person(tx, &[1, 2])).expect("uses");
        assert_eq!(hers.into_values().collect::<Vec<i64>>(), [2, 1]);
        assert_eq!(shop.write(|tx| uses::release(tx, "o1")).expect("they come back"), ["a", "b"]);
        shop.write(|tx| uses::release(tx, "o1")).expect("once");
        assert_eq!(totals(), [1, 0]);
    }
}

#[test]
fn rules_can_be_had_as_they_were_with_a_version() {
    for shop in Stored::each() {
        let cost = |shop: &Stored, version: i64| {
            let (cart, context) = basket(lines(&[1000]));
            let rules = shop.write(move |tx| Ok::<_, RuleError>(rules_of(tx, version)?)).expect("rules");
            totals(&price(&cart, &rules.compiled, &context))[0]
        };
        shop.put(Kind::Promotion, "a", None, percent("a", 10)).expect("it is kept");
        shop.put(Kind::Promotion, "b", None, percent("b", 20)).expect("it is kept");
        shop.put(Kind::Promotion, "a", None, percent("a", 50)).expect("it is kept");
        shop.write(|tx| archive(tx, Kind::Promotion, "a", None, "olena").map(drop)).expect("it is archived");
        let now = |shop: &Stored| shop.store.read(rules).expect("rules").version;
        assert_eq!(now(&shop), 4);
        let all = |shop: &Stored| (0..=4).map(|version| cost(shop, version)).collect::<Vec<_>>();
        assert_eq!(all(&shop), [1000, 900, 800, 500, 800]);
        assert!(shop.put(Kind::Promotion, "b", Some(9), percent("b", 30)).is_err());
        assert_eq!(now(&shop), 4, "what was refused has no number");
    }
}
