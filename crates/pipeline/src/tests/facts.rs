//! Standing facts in the store: through joins, crashes, detaching and the upgrade of a store without them.
use super::harness::*;
use base::{DAY_US, HOUR_US};
use customers::codec;
use customers::facts::{Act, Facts};
use customers::profiles::Profiles;
use db::{Location, Sync};
use serde_json::json;

fn facts(shop: &Shop, user: &str) -> Facts {
    let person = shop.person("user_id", user).expect("the person is known");
    shop.read(move |tx| {
        let counters = segments::runtime::definitions::current(tx)?.counters.clone();
        Ok(customers::person(tx, person, &counters)?.expect("the person is there").state.facts)
    })
}

fn times(facts: &Facts, act: Act) -> u32 {
    facts.tallies.iter().filter(|t| t.act == act as u8).map(|t| t.count).sum()
}

#[test]
fn time_alone_moves_people_through_the_stages_of_their_life() {
    // [A15] Nobody sends an event, and the segment is right at the moment itself.
    for shop in shops() {
        let at_risk = shop.segment("At risk", r#"trait.lifecycle_stage = "at risk""#).id;
        let lapsed = shop.segment("Lapsed", r#"trait.lifecycle_stage = "lapsed""#).id;
        shop.track("olena", "Order Completed", json!({"total": 100, "currency": "UAH"}));
        assert_eq!((shop.count(at_risk), shop.count(lapsed)), (0, 0));
        shop.pass(90 * DAY_US - HOUR_US);
        assert_eq!(shop.count(at_risk), 0);
        shop.pass(HOUR_US);
        assert_eq!((shop.count(at_risk), shop.count(lapsed)), (1, 0));
        shop.assert_clean();
        shop.pass(90 * DAY_US);
        assert_eq!((shop.count(at_risk), shop.count(lapsed)), (0, 1));
        shop.track("olena", "Order Completed", json!({"total": 100, "currency": "UAH"}));
        assert_eq!((shop.count(at_risk), shop.count(lapsed)), (0, 0));
        shop.assert_clean();
    }
}

#[test]
fn facts_survive_crashes_and_joins() {
    for mut shop in shops() {
        for n in 0..40 {
            shop.track(&format!("u{}", n % 3), "Product Viewed", json!({"product_id": format!("p{n}")}));
        }
        shop.crash();
        for user in ["u0", "u1"] {
            let identify = json!({"type": "identify", "userId": user, "messageId": format!("i{user}"),
                "traits": {"preferred_channel": "viber"}});
            shop.events(&[identify]);
        }
        assert_eq!(times(&facts(&shop, "u0"), Act::Viewed), 14);
        shop.events(&[json!({"type": "alias", "userId": "u0", "previousId": "u1", "messageId": "al"})]);
        let joined = facts(&shop, "u0");
        assert_eq!(times(&joined, Act::Viewed), 27);
        let newest: Vec<String> = joined.recents.iter().map(|r| r.value.to_string()).collect();
        assert_eq!(newest.len(), customers::facts::PRODUCTS_MAX);
        shop.crash();
        assert_eq!(facts(&shop, "u0"), joined);
        shop.assert_clean();
    }
}

#[test]
fn an_address_that_is_gone_is_suppressed_at_once() {
    // [A9] The gate knows in the transaction of the event; a soft bounce and a file's past do not count.
    for shop in shops() {
        let mail = |id: &str, event: &str, address: &str, properties: serde_json::Value| {
            shop.events(&[json!({"type": "track", "messageId": id, "userId": id, "event": event,
                "properties": properties, "context": {"traits": {"email": address}}})]);
        };
        mail("1", "Email Bounced", "gone@example.com", json!({}));
        mail("2", "Email Bounced", "full@example.com", json!({"type": "soft"}));
        mail("3", "Email Marked as Spam", "angry@example.com", json!({}));
        let found = shop.read(|tx| messaging::lists::suppressions(tx.engine(), "email", "", "", 10));
        let found: Vec<(String, String)> = found.into_iter().map(|s| (s.address, s.reason)).collect();
        let gone = |address: &str, reason: &str| (address.to_string(), reason.to_string());
        assert_eq!(found, [gone("angry@example.com", "complaint"), gone("gone@example.com", "hard_bounce")]);
        shop.assert_clean();
    }
}

/// Makes a store's rows what the first release wrote: without facts, and nothing noted about them.
fn forget(location: &Location) {
    let mut db = location.open(Sync::UnsafeFast, false).expect("the store opens");
    let rows = db.rows("SELECT profile_id, state, folded_to FROM profiles", &[]).expect("rows");
    assert!(!rows.is_empty());
    for row in rows {
        let mut profile = codec::decode(row.blob(1).expect("a row"), row.int(2).expect("a group")).expect("it reads");
        profile.state.facts = Facts::default();
        let mut state = Vec::new();
        codec::encode(&profile, &mut state);
        let id = row.int(0).expect("an id");
        db.execute("UPDATE profiles SET state = $2 WHERE profile_id = $1", &[id.into(), state.as_slice().into()])
            .expect("written");
    }
    db.execute("DELETE FROM settings WHERE name IN ('facts.upto', 'facts.position')", &[]).expect("forgotten");
}

#[test]
fn a_store_of_the_first_release_learns_its_past() {
    for mut shop in shops() {
        let buyers = shop.segment("Site buyers", r#"trait.lifecycle_stage = "new""#).id;
        for n in 0..300 {
            shop.track(&format!("u{}", n % 20), "Product Viewed", json!({"product_id": format!("p{n}")}));
        }
        shop.track("u3", "Order Completed", json!({"total": 5, "currency": "UAH", "order_id": "o-1"}));
        let before: Vec<Facts> = (0..20).map(|n| facts(&shop, &format!("u{n}"))).collect();
        shop.stop();
        forget(&shop.place.location);
        shop.start();
        // Events meanwhile, and a kill in the middle of the job: nothing is counted twice.
        shop.track("u7", "Product Viewed", json!({"product_id": "later"}));
        shop.core().store.poke();
        shop.crash();
        shop.until("the past is learnt", |s| {
            s.core().store.poke();
            s.read(|tx| Ok(!crate::backfill::is_waiting(tx)?))
        });
        for (n, old) in before.iter().enumerate() {
            let now = facts(&shop, &format!("u{n}"));
            if n == 7 {
                assert_eq!(times(&now, Act::Viewed), times(old, Act::Viewed) + 1);
            } else {
                assert_eq!(&now, old, "u{n}");
            }
        }
        assert_eq!(shop.count(buyers), 1);
        shop.read(|tx| Ok(tx.get::<Profiles>(1)?.is_some()));
        shop.assert_clean();
    }
}
