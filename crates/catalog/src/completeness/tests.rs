use super::*;
use crate::check;
use crate::model::ProductInput;
use crate::schema::{self, ChannelKind, FamilyAttribute, Kind, Labels, Schema};
use base::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// A shop with a site in two languages and a marketplace in one.
fn schema() -> Schema {
    let mut out = Schema::default();
    for (no, code, localisable, scopable) in [
        (1, "description", true, true),
        (2, "colour", false, false),
        (3, "photo", false, true),
        (4, "size", false, false),
    ] {
        let mut a = schema::learned(no, code, &Value::Null).expect("a code");
        (a.localisable, a.scopable, a.kind) = (localisable, scopable, Kind::Text);
        out.attributes.push(Arc::new(a));
    }
    let channel = |no, code: &str, locales: &[&str]| Channel {
        no,
        code: code.into(),
        kind: ChannelKind::Site,
        labels: Labels::new(),
        root_no: 0,
        locales: locales.iter().map(ToString::to_string).collect(),
        currencies: vec!["UAH".into()],
        assortment: Vec::new(),
        version: 1,
    };
    out.channels = vec![Arc::new(channel(10, "site", &["uk", "en"])), Arc::new(channel(11, "market", &["uk"]))];
    let wanted = |code: &str, channels: &[&str]| FamilyAttribute {
        code: code.into(),
        required: channels.iter().map(ToString::to_string).collect(),
    };
    out.families.push(Arc::new(Family {
        no: 20,
        code: "shoes".into(),
        labels: Labels::new(),
        label_attribute: String::new(),
        attributes: vec![
            wanted("description", &["*"]),
            wanted("colour", &["site"]),
            wanted("photo", &["market"]),
            wanted("size", &["site"]),
        ],
        axes: vec!["colour".into(), "size".into()],
        version: 1,
    }));
    out.reindex();
    out
}

fn product(schema: &Schema, input: Value) -> Product {
    let input: ProductInput = serde_json::from_value(input).expect("an input");
    check::apply(schema, None, &input, Timestamp::default()).expect("sound")
}

#[test]
fn each_channel_and_language_wants_its_own() {
    // [L1] [L2] DOMAIN 4.11a.
    let schema = schema();
    let p = product(
        &schema,
        json!({"id": "s", "name": "S", "family": "shoes",
        "attributes": {"description#uk": "Туфлі", "photo@market": "p"},
        "variants": [{"sku": "1", "attributes": {"colour": "red", "size": "36"}}, {"sku": "2", "attributes": {"colour": "red", "size": "37"}}]}),
    );
    let all = all(&schema, &p);
    let expected = [("market/uk", (2, 2)), ("site/en", (2, 3)), ("site/uk", (3, 3))];
    assert_eq!(all, expected.map(|(k, v)| (k.to_string(), v)).into());
    let site = schema.channel("site").expect("the site");
    let en = of(&schema, &p, site, "en");
    assert_eq!((en.percent(), en.missing), (66, vec![Missing { attribute: "description".into(), sku: None }]));
}

#[test]
fn values_of_the_model_and_of_a_level_count_for_variants() {
    let schema = schema();
    let site = schema.channel("site").expect("the site");
    let base = json!({"id": "s", "name": "S", "family": "shoes", "attributes": {"description": "x", "description#uk": "y"},
        "variants": [{"sku": "1", "attributes": {"colour": "red"}}, {"sku": "2", "attributes": {"colour": "blue", "size": "37"}}]});
    let p = product(&schema, base.clone());
    let full = of(&schema, &p, site, "uk");
    assert_eq!((full.filled, full.required), (2, 3));
    assert_eq!(full.missing, [Missing { attribute: "size".into(), sku: Some("1".into()) }]);
    // The level of the first axis says it for every red one.
    let mut with_level = base.clone();
    with_level["levels"] = json!({"red": {"size": "one size"}});
    assert_eq!(of(&schema, &product(&schema, with_level), site, "uk").percent(), 100);
    // An archived variant is asked for nothing.
    let mut archived = base;
    archived["variants"][0]["archived"] = true.into();
    assert_eq!(of(&schema, &product(&schema, archived), site, "uk").percent(), 100);
}

#[test]
fn without_a_family_nothing_is_wanted() {
    let schema = schema();
    let p = product(&schema, json!({"id": "s", "name": "S"}));
    assert!(all(&schema, &p).is_empty());
    assert_eq!(Fullness::default().percent(), 100);
    assert_eq!(label(&schema, &p, None, Some("uk")), "S");
}
