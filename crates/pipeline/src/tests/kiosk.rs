//! Values that many people share: found by themselves, and nobody stays joined through them.
use super::harness::*;
use base::{Clock, MINUTE_US};
use customers::hubs;
use customers::rules::{self, Mode};
use serde_json::{Value, json};

/// Decides the past again, as the job does.
pub fn rerun(shop: &Shop) -> crate::rerun::Figures {
    let core = shop.core();
    let job = shop.read(crate::rerun::waiting).expect("a change of rules asked for a run");
    let work = crate::rerun::Work {
        store: &core.store,
        preparer: &core.preparer,
        settings: &core.settings,
        now: shop.clock.now(),
    };
    match crate::rerun::run(&work, job, &|| true).expect("the run goes through") {
        crate::rerun::Ended::Done(figures) => figures,
        stopped => {
            let rules = shop.read(rules::of);
            for _ in 0..2 {
                let left =
                    crate::rerun::preview(&work, rules.clone(), &|| true).expect("it can be read").expect("whole");
                eprintln!("{:#?}", left.clusters);
            }
            panic!("{stopped:?}")
        }
    }
}

pub fn external(ids: &[(&str, &str)]) -> Value {
    let one =
        |(kind, value): &(&str, &str)| json!({"id": value, "type": kind, "collection": "users", "encoding": "none"});
    json!({"externalIds": ids.iter().map(one).collect::<Vec<_>>()})
}

fn purchase(id: &str, total: i64, context: Value) -> Value {
    json!({"type": "track", "messageId": id, "event": "Order Completed", "properties": {"total": total, "currency": "UAH"}, "context": context})
}

/// Orders of the person with a value.
fn orders(shop: &Shop, kind: &str, value: &str) -> Option<i64> {
    let person = shop.person(kind, value)?;
    Some(shop.read(move |tx| {
        let counters = segments::runtime::definitions::current(tx)?.counters.clone();
        Ok(customers::person(tx, person, &counters)?.map_or(0, |view| view.state.totals.orders))
    }))
}

fn version(shop: &Shop) -> i64 {
    shop.read(|tx| Ok(rules::of(tx)?.version))
}

#[test]
fn a_tablet_in_the_shop_joins_none_of_two_hundred_customers() {
    // CONVENTIONS 1: the canonical failure. LESSONS 10, 16.
    for shop in shops() {
        let mut batch = vec![json!({"type": "page", "messageId": "p0", "anonymousId": "tablet", "name": "Home"})];
        for n in 0..200 {
            batch.push(json!({"type": "identify", "messageId": format!("i{n}"), "userId": format!("u{n}"), "anonymousId": "tablet", "traits": {"name": format!("Customer {n}")}}));
            batch.push(json!({"type": "track", "messageId": format!("o{n}"), "userId": format!("u{n}"), "anonymousId": "tablet", "event": "Order Completed", "properties": {"total": 1, "currency": "UAH"}}));
            batch.push(json!({"type": "track", "messageId": format!("v{n}"), "anonymousId": "tablet", "event": "Product Viewed"}));
        }
        for piece in batch.chunks(50) {
            shop.clock.advance(MINUTE_US);
            shop.events(piece);
        }
        let people: std::collections::HashSet<i64> =
            (0..200).map(|n| shop.person("user_id", &format!("u{n}")).expect("everybody is known")).collect();
        assert_eq!(people.len(), 200, "nobody was joined, not even before it was noticed");
        assert!(shop.read(|tx| Ok(rules::of(tx)?.is_demoted("anonymous_id", "tablet"))), "the tablet was found");
        let listed = shop.read(|tx| rules::blocked_list(tx.engine(), None, 10));
        assert_eq!((listed.len(), listed[0].mode, listed[0].actor.as_str()), (1, Mode::Demote, "braid"));
        assert!(listed[0].reason.contains("10 values of user_id"), "{}", listed[0].reason);
        // The first customer was joined with whoever browsed on the tablet; the run gives the tablet its profile back.
        let figures = rerun(&shop);
        assert!(figures.moved_events == 2 && figures.values == 1, "{figures:?}");
        shop.assert_clean();
        for n in 0..200 {
            assert_eq!(orders(&shop, "user_id", &format!("u{n}")), Some(1), "customer {n} has the own order only");
        }
        let people: std::collections::HashSet<i64> =
            (0..200).filter_map(|n| shop.person("user_id", &format!("u{n}"))).collect();
        assert_eq!(people.len(), 200);
        let kiosk = shop.person("anonymous_id", "tablet").expect("the tablet has a profile of its own");
        assert!(!people.contains(&kiosk));
        assert_eq!(orders(&shop, "anonymous_id", "tablet"), Some(0));
        // New customers on it stay themselves, and the run is not needed again.
        shop.events(&[json!({"type": "identify", "messageId": "new", "userId": "u-new", "anonymousId": "tablet"})]);
        assert_ne!(shop.person("user_id", "u-new"), shop.person("anonymous_id", "tablet"));
        shop.assert_clean();
    }
}

#[test]
fn while_the_past_waits_for_new_rules_the_doctor_knows_that_rows_hold_the_old_ones() {
    for shop in shops() {
        let card = |id: &str, ids: &[(&str, &str)]| json!({"type": "track", "messageId": id, "event": "Visit", "context": external(ids)});
        shop.events(&[card("a", &[("loyalty_card", "c"), ("device", "tablet")])]);
        shop.clock.advance(MINUTE_US);
        // The last that is known of the device: by the new rules this event does not carry it.
        shop.events(&[card("b", &[("loyalty_card", "c"), ("device", "tablet")])]);
        let country = base::Country::find("UA");
        shop.core()
            .store
            .write(move |tx| rules::block(tx, ("device", "tablet"), Mode::Demote, "", "olha", country).map(drop))
            .expect("the value is listed");
        shop.assert_clean();
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("device", "tablet"), None, "no event carries only the device");
    }
}

#[test]
fn a_cashiers_card_swiped_for_fifty_customers_keeps_no_purchase_of_theirs() {
    for shop in shops() {
        let phone = |n: i64| format!("+38067100{n:04}");
        for n in 0..50 {
            shop.clock.advance(MINUTE_US);
            shop.events(&[purchase(
                &format!("b{n}"),
                n + 1,
                external(&[("phone", &phone(n)), ("loyalty_card", "cashier")]),
            )]);
        }
        assert!(shop.read(|tx| Ok(rules::of(tx)?.is_demoted("loyalty_card", "cashier"))));
        // Before the card was noticed its first customers stood on one profile.
        assert_eq!(shop.person("phone", &phone(0)), shop.person("phone", &phone(1)));
        rerun(&shop);
        shop.assert_clean();
        let people: std::collections::HashSet<i64> = (0..50).filter_map(|n| shop.person("phone", &phone(n))).collect();
        assert_eq!(people.len(), 50);
        for n in 0..50 {
            assert_eq!(orders(&shop, "phone", &phone(n)), Some(1), "customer {n}");
        }
        assert_eq!(shop.person("loyalty_card", "cashier"), None, "no event carries only the card");
        // A purchase with the card alone lies on nobody of them.
        shop.events(&[purchase("alone", 9, external(&[("loyalty_card", "cashier")]))]);
        let kiosk = shop.person("loyalty_card", "cashier").expect("it has a profile of its own");
        assert!(!people.contains(&kiosk));
        shop.assert_clean();
        assert_eq!(shop.doctor().counts.people, 51);
    }
}

#[test]
fn a_family_on_one_address_stays_four_people_and_is_a_suspect() {
    for shop in shops() {
        for n in 0..4 {
            shop.events(&[json!({"type": "identify", "messageId": format!("f{n}"), "userId": format!("member-{n}"), "traits": {"email": "Family@Example.com"}})]);
            shop.events(&[json!({"type": "track", "messageId": format!("o{n}"), "userId": format!("member-{n}"), "event": "Order Completed", "properties": {"total": 5, "currency": "UAH"}})]);
        }
        let people: std::collections::HashSet<i64> =
            (0..4).filter_map(|n| shop.person("user_id", &format!("member-{n}"))).collect();
        assert_eq!(people.len(), 4);
        for n in 0..4 {
            assert_eq!(orders(&shop, "user_id", &format!("member-{n}")), Some(1));
        }
        assert_eq!(version(&shop), 0, "four are a family, not a kiosk");
        let now = shop.clock.now();
        let suspects = shop.read(move |tx| {
            let rules = rules::of(tx)?;
            hubs::list(tx.engine(), &rules, now, 10)
        });
        let found: Vec<(&str, &str, i64)> =
            suspects.iter().map(|s| (s.value.as_str(), s.other_kind.as_str(), s.others)).collect();
        assert_eq!(found, [("family@example.com", "user_id", 3)]);
        let examples = shop.read(|tx| hubs::examples(tx.engine(), "email", "family@example.com", 10));
        assert_eq!(examples.len(), 3);
        // Somebody says that this is fine: it is asked no more.
        shop.core().store.write(|tx| hubs::dismiss(tx, "email", "family@example.com", "olha")).expect("it is noted");
        let left = shop.read(move |tx| {
            let rules = rules::of(tx)?;
            hubs::list(tx.engine(), &rules, now, 10)
        });
        assert!(left.is_empty());
        shop.assert_clean();
    }
}

#[test]
fn a_guest_account_with_many_addresses_gives_them_back() {
    // LESSONS 10: null and guest ids merge thousands.
    for shop in shops() {
        let address = |n: i64| format!("guest{n}@example.com");
        for n in 0..30 {
            shop.clock.advance(MINUTE_US);
            let context = json!({"traits": {"email": address(n)}});
            shop.events(&[json!({"type": "track", "messageId": format!("g{n}"), "userId": "shop-guest", "event": "Order Completed", "properties": {"total": 2, "currency": "UAH"}, "context": context})]);
        }
        assert!(shop.read(|tx| Ok(rules::of(tx)?.is_demoted("user_id", "shop-guest"))));
        rerun(&shop);
        shop.assert_clean();
        for n in 0..30 {
            assert_eq!(orders(&shop, "email", &address(n)), Some(1), "guest {n}");
        }
        assert_eq!(shop.doctor().counts.people, 30);
    }
}
