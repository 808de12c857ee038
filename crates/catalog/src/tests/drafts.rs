//! Versions, approval, links, families: what people do with products.
use super::harness::Shop;
use crate::drafts::{self, DraftError, DraftState, DraftStep, next};
use crate::links::{self, Part};
use crate::model::ProductInput;
use crate::schema::{self, Family, FamilyAttribute, Labels};
use crate::{describe, doctor, recount};
use db::DbError;
use serde_json::json;
use std::collections::BTreeMap;

fn step<T>(outcome: Result<T, DraftError>) -> Result<Result<T, String>, DbError> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(DraftError::Store(error)) => Err(error),
        Err(other) => Ok(Err(other.to_string())),
    }
}

#[test]
fn every_step_of_a_draft_is_allowed_or_refused_with_a_reason() {
    use DraftState::{Approved, Draft, Rejected, Submitted, Withdrawn};
    for state in [Draft, Submitted, Approved, Rejected, Withdrawn] {
        for what in [DraftStep::Edit, DraftStep::Submit, DraftStep::Approve, DraftStep::Reject, DraftStep::Withdraw] {
            match next(state, what, false) {
                Ok(after) => assert_ne!((state, after), (Approved, Approved), "an approved one goes nowhere"),
                Err(why) => assert!(!why.is_empty(), "{state:?} {what:?}"),
            }
        }
    }
    assert_eq!(next(Submitted, DraftStep::Approve, false), Ok(Approved));
    assert!(next(Submitted, DraftStep::Approve, true).is_err(), "nobody approves their own");
}

#[test]
fn a_draft_waits_for_somebody_else_and_a_version_comes_back() {
    for shop in Shop::each() {
        shop.made(json!([{"id": "a", "name": "A", "attributes": {"colour": "red"}, "variants": [{"sku": "a1"}]}]));
        let change: ProductInput = serde_json::from_value(
            json!({"id": "a", "name": "B", "attributes": {"colour": null, "size": "M"}, "variants": [{"sku": "a2"}]}),
        )
        .expect("an input");
        let no = shop.write(move |tx| step(drafts::create(tx, "olha", change.clone(), "new name"))).expect("kept").no;
        assert_eq!(shop.product("a").name, "A", "a draft changes nothing");
        let paths = shop.query(move |db| {
            let draft = drafts::find(db, no)?.expect("the draft");
            let schema = schema::Schema::load(db)?;
            Ok(drafts::preview(db, &schema, &draft)?.into_iter().map(|d| d.path).collect::<Vec<_>>())
        });
        assert_eq!(paths, ["attributes/colour", "attributes/size", "name", "variants/a2"]);
        let decide = |what, who: &'static str| shop.write(move |tx| step(drafts::decide(tx, no, what, who, "")));
        assert!(decide(DraftStep::Approve, "taras").is_err(), "it is not submitted");
        decide(DraftStep::Submit, "olha").expect("submitted");
        assert!(decide(DraftStep::Approve, "olha").is_err(), "nobody approves their own");
        decide(DraftStep::Approve, "taras").expect("approved");
        let a = shop.product("a");
        assert_eq!((a.name.as_str(), a.version, a.variants.len(), a.values.len()), ("B", 2, 2, 1));
        let past = shop.query(move |db| drafts::history(db, a.no, 10));
        assert_eq!((past.len(), past[0].version, past[0].actor.as_str()), (1, 1, "olha"));
        shop.write(|tx| step(drafts::roll_back(tx, "a", 1, "taras"))).expect("back");
        let a = shop.product("a");
        assert_eq!((a.name.as_str(), a.version, a.values["colour"].as_str()), ("A", 3, Some("red")));
        assert_eq!(
            a.variants.iter().map(|v| v.archived).collect::<Vec<_>>(),
            [false, true],
            "what came since is archived"
        );
        assert!(shop.write(|tx| step(drafts::roll_back(tx, "a", 9, "taras"))).is_err());
    }
}

#[test]
fn sets_are_taken_apart_and_never_hold_themselves() {
    // DOMAIN 4.6.
    for shop in Shop::each() {
        shop.made(json!([{"id": "a", "name": "A", "variants": [{"sku": "set"}, {"sku": "inner"}, {"sku": "cup"}, {"sku": "spoon"}]}]));
        let nos: Vec<i64> = shop.product("a").variants.iter().map(|v| v.no).collect();
        let [set, inner, cup, spoon] = nos[..] else { panic!("four variants") };
        let put = |bundle: i64, parts: Vec<(i64, i64)>| {
            shop.write(move |tx| {
                let parts: Vec<Part> = parts
                    .iter()
                    .map(|(variant_no, quantity)| Part { variant_no: *variant_no, quantity: *quantity })
                    .collect();
                match links::put_parts(tx, bundle, &parts) {
                    Ok(()) => Ok(true),
                    Err(links::LinkError::Wrong(_)) => Ok(false),
                    Err(links::LinkError::Store(e)) => Err(e),
                }
            })
        };
        assert!(put(inner, vec![(cup, 2), (spoon, 1)]));
        assert!(put(set, vec![(inner, 3), (cup, 1)]));
        assert!(!put(inner, vec![(set, 1)]) && !put(set, vec![(set, 1)]), "no set holds itself");
        assert_eq!(shop.query(doctor::check), []);
        let all: BTreeMap<i64, Vec<Part>> =
            shop.query(move |db| Ok([(set, links::parts(db, set)?), (inner, links::parts(db, inner)?)].into()));
        let parts_of = |no: i64| all.get(&no).cloned().unwrap_or_default();
        assert_eq!(links::demand(&[(set, 2), (cup, 1)], &parts_of), [(cup, 15), (spoon, 6)].into());
        assert_eq!(links::makes(&all[&inner], &|no| if no == cup { 9 } else { 5 }), 4);
        shop.write(move |tx| {
            tx.execute(
                "INSERT INTO bundle_parts (bundle_no, part_no, quantity) VALUES ($1, $2, 1)",
                &[cup.into(), set.into()],
            )
        });
        assert!(!shop.query(doctor::check).is_empty(), "a loop is found");
    }
}

#[test]
fn a_family_that_changes_is_counted_anew() {
    // DOMAIN 4.11a.
    for shop in Shop::each() {
        let family = |required: &[&str]| Family {
            no: 0,
            code: "shoes".into(),
            labels: Labels::new(),
            label_attribute: String::new(),
            attributes: vec![FamilyAttribute {
                code: "colour".into(),
                required: required.iter().map(ToString::to_string).collect(),
            }],
            axes: vec![],
            version: 0,
        };
        shop.made(json!([{"id": "x", "name": "X", "attributes": {"colour": "red"}}]));
        let put = |f: Family| {
            shop.write(move |tx| {
                describe::put_family(tx, f.clone(), None).map(drop).map_err(|e| DbError::damaged("test", e))
            })
        };
        put(family(&[]));
        let channel = crate::schema::Channel {
            no: 0,
            code: "site".into(),
            kind: schema::ChannelKind::Site,
            labels: Labels::new(),
            root_no: 0,
            locales: vec!["uk".into()],
            currencies: vec!["UAH".into()],
            assortment: vec![],
            version: 0,
        };
        shop.write(move |tx| {
            describe::put_channel(tx, channel.clone(), None).map(drop).map_err(|e| DbError::damaged("test", e))
        });
        shop.made(json!([{"id": "x", "family": "shoes"}, {"id": "y", "name": "Y", "family": "shoes"}]));
        assert!(shop.product("y").complete.is_empty());
        put(family(&["site"]));
        let jobs = shop.write(|tx| Ok(db::jobs::open(tx)?.len()));
        assert_eq!(jobs, 1);
        let job = shop.write(|tx| {
            let id = db::jobs::open(tx)?[0].id;
            Ok(db::jobs::find(tx, id)?.expect("the job"))
        });
        shop.write(move |tx| recount::step(tx, &job).map(drop));
        assert_eq!(shop.product("x").complete, [("site/uk".to_string(), (1, 1))].into());
        assert_eq!(shop.product("y").complete, [("site/uk".to_string(), (0, 1))].into());
        shop.write(|tx| tx.execute("UPDATE jobs SET state = 'done'", &[]));
        assert_eq!(shop.query(doctor::check), []);
        shop.write(|tx| tx.execute("UPDATE products SET complete = '{}' WHERE id = 'x'", &[]));
        assert_eq!(shop.query(doctor::check)[0].check, "catalog.completeness");
        // A kind stays once there are values.
        let attribute = schema::Attribute {
            kind: schema::Kind::Number,
            ..(*shop.query(|db| Ok(schema::Schema::load(db)?.attribute("colour").cloned())).expect("it is there"))
                .clone()
        };
        let refused = shop.write(move |tx| Ok(describe::put_attribute(tx, attribute.clone(), None).is_err()));
        assert!(refused);
    }
}

#[test]
fn a_unique_value_belongs_to_one() {
    for shop in Shop::each() {
        let mut attribute = schema::learned(0, "code", &json!("x")).expect("a code");
        (attribute.unique, attribute.localisable, attribute.scopable) = (true, false, false);
        shop.write(move |tx| {
            describe::put_attribute(tx, attribute.clone(), None).map(drop).map_err(|e| DbError::damaged("test", e))
        });
        shop.made(json!([{"id": "a", "name": "A", "attributes": {"code": "1"}}]));
        let (_, rejected) = shop.put(json!([{"id": "b", "name": "B", "attributes": {"code": "1"}}]));
        assert_eq!(rejected[0].pointer, "/attributes/code");
        shop.made(
            json!([{"id": "a", "attributes": {"code": "2"}}, {"id": "b", "name": "B", "attributes": {"code": "1"}}]),
        );
        assert_eq!(shop.product("b").values["code"], "1");
    }
}
