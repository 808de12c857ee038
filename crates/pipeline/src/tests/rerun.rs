//! The past decided again after the rules changed.
use super::harness::*;
use super::kiosk::{external, rerun};
use customers::rules::{self, LimitData, Mode, RulesData};
use serde_json::json;

fn set(shop: &Shop, change: impl Fn(&mut RulesData) + Send + 'static) {
    shop.core()
        .store
        .write(move |tx| {
            let mut data = rules::newest(tx.engine())?.rules;
            change(&mut data);
            rules::set(tx, &data, "olha").map(drop)
        })
        .expect("the rules are set");
}

fn block(shop: &Shop, kind: &'static str, value: &'static str, mode: Mode) {
    let country = base::Country::find("UA");
    shop.core()
        .store
        .write(move |tx| rules::block(tx, (kind, value), mode, "", "olha", country).map(drop))
        .expect("the value is listed");
}

fn kinds_of_changes(shop: &Shop) -> Vec<String> {
    shop.read(|tx| {
        Ok(customers::changes::after(tx.engine(), 0, 1000)?
            .into_iter()
            .map(|c| format!("{}:{}", c.kind, c.cause))
            .collect())
    })
}

#[test]
fn a_blocked_value_comes_off_and_comes_back() {
    for shop in shops() {
        let buyers = shop.segment("Buyers", r#"count("Order Completed") >= 2"#).id;
        let order = |id: &str, ids: &[(&str, &str)]| json!({"type": "track", "messageId": id, "event": "Order Completed", "properties": {"total": 1, "currency": "UAH"}, "context": external(ids)});
        // The shop's own phone joins two cards and brings a third purchase.
        shop.events(&[order("a", &[("loyalty_card", "c1")]), order("b", &[("loyalty_card", "c2")])]);
        shop.events(&[order("c", &[("loyalty_card", "c1"), ("phone", "0800500500")])]);
        shop.events(&[order("d", &[("loyalty_card", "c2"), ("phone", "0800500500")])]);
        shop.events(&[order("e", &[("phone", "0800500500")])]);
        assert_eq!(shop.person("loyalty_card", "c1"), shop.person("loyalty_card", "c2"));
        assert_eq!(shop.count(buyers), 1);
        block(&shop, "phone", "0 800 500 500", Mode::Block);
        // Until the run is through, the doctor knows that the past is of other rules.
        shop.assert_clean();
        rerun(&shop);
        shop.assert_clean();
        assert_ne!(shop.person("loyalty_card", "c1"), shop.person("loyalty_card", "c2"));
        assert_eq!(shop.person("phone", "0800500500"), None);
        assert_eq!(shop.count(buyers), 2, "each has two purchases; the one with the phone alone is nobody's");
        assert!(kinds_of_changes(&shop).contains(&"split:rules".to_string()), "{:?}", kinds_of_changes(&shop));
        // Let in again, all is as it was.
        let country = base::Country::find("UA");
        shop.core().store.write(move |tx| rules::unblock(tx, "phone", "+380800500500", country)).expect("it is let in");
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("loyalty_card", "c1"), shop.person("loyalty_card", "c2"));
        assert_eq!(shop.person("phone", "0800500500"), shop.person("loyalty_card", "c1"));
        assert_eq!(shop.count(buyers), 1);
        assert_eq!(kinds_of_changes(&shop).last().map(String::as_str), Some("merged:rules"));
    }
}

#[test]
fn limits_tightened_and_loosened_are_held_by_the_past() {
    for mut shop in shops() {
        let seen = |id: &str, user: &str, email: &str| json!({"type": "identify", "messageId": id, "userId": user, "traits": {"email": email}});
        for n in 0..5 {
            shop.events(&[seen(&format!("m{n}"), "u", &format!("a{n}@example.com"))]);
        }
        shop.events(&[json!({"type": "track", "messageId": "t", "event": "Visit", "context": {"traits": {"email": "a4@example.com"}}})]);
        assert_eq!(shop.person("email", "a4@example.com"), shop.person("user_id", "u"));
        set(&shop, |d| d.kinds[1].limits = vec![LimitData { count: 2, window_days: Some(365) }]);
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("email", "a1@example.com"), shop.person("user_id", "u"));
        assert_eq!(shop.person("email", "a3@example.com"), None, "it was only ever seen with u");
        let alone = shop.person("email", "a4@example.com").expect("one event carries only this");
        assert_ne!(Some(alone), shop.person("user_id", "u"));
        // A crash after the run changes nothing.
        shop.crash();
        shop.assert_clean();
        set(&shop, |d| d.kinds[1].limits = vec![LimitData { count: 5, window_days: Some(365) }]);
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("email", "a4@example.com"), shop.person("user_id", "u"));
        assert_eq!(shop.person("email", "a3@example.com"), shop.person("user_id", "u"));
    }
}

#[test]
fn what_people_decided_outlives_a_change_of_rules() {
    for shop in shops() {
        let order = |id: &str, ids: &[(&str, &str)]| json!({"type": "track", "messageId": id, "event": "Order Completed", "context": external(ids)});
        shop.events(&[order("a", &[("loyalty_card", "c1")]), order("b", &[("phone", "0671234567")])]);
        shop.events(&[order("c", &[("loyalty_card", "c1"), ("phone", "0671234567")])]);
        shop.events(&[order("d", &[("loyalty_card", "c3")])]);
        let person = shop.person("loyalty_card", "c1").expect("it is known");
        let preparer = shop.core().preparer.clone();
        let edge = shop.read(move |tx| {
            let members = customers::commands::members_of(tx, person)?;
            Ok(customers::cuts::edges_of(tx, &members)?[0].id)
        });
        shop.core()
            .store
            .write(move |tx| crate::cuts::cut(tx, &preparer, person, &crate::cuts::Cut::Edges(vec![edge]), "olha"))
            .expect("it is cut");
        // Joined by hand over the limits: three cards where one is allowed.
        let (left, right) =
            (shop.person("loyalty_card", "c1").expect("known"), shop.person("loyalty_card", "c3").expect("known"));
        let preparer = shop.core().preparer.clone();
        shop.core()
            .store
            .write(move |tx| crate::joins::merge(tx, &preparer, left, right, "olha"))
            .expect("they are joined");
        shop.assert_clean();
        set(&shop, |d| {
            for kind in &mut d.kinds {
                kind.limits.iter_mut().for_each(|l| l.count = 50);
            }
        });
        rerun(&shop);
        shop.assert_clean();
        assert_ne!(shop.person("loyalty_card", "c1"), shop.person("phone", "0671234567"), "cut stays cut");
        assert_eq!(shop.person("loyalty_card", "c1"), shop.person("loyalty_card", "c3"), "joined stays joined");
        set(&shop, |d| d.kinds.iter_mut().for_each(|k| k.limits.iter_mut().for_each(|l| l.count = 1)));
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("loyalty_card", "c1"), shop.person("loyalty_card", "c3"));
    }
}

#[test]
fn a_run_that_is_killed_or_stopped_goes_on_and_ends_alike() {
    for mut shop in shops() {
        for n in 0..40 {
            let card = format!("c{n}");
            shop.events(&[
                json!({"type": "track", "messageId": format!("a{n}"), "event": "Visit", "context": external(&[("loyalty_card", &card)])}),
                json!({"type": "track", "messageId": format!("b{n}"), "event": "Visit", "context": external(&[("login", &card)])}),
                json!({"type": "track", "messageId": format!("c{n}"), "event": "Visit", "context": external(&[("loyalty_card", &card), ("login", &card)])}),
            ]);
        }
        assert_eq!(shop.doctor().counts.people, 40);
        for n in 0..40 {
            let country = base::Country::find("UA");
            let value = format!("c{n}");
            shop.core()
                .store
                .write(move |tx| rules::block(tx, ("login", &value), Mode::Block, "", "olha", country).map(drop))
                .expect("the value is listed");
        }
        // It is told to stop between two looks, then the program is killed; the job waits for the next start.
        let looks = std::sync::atomic::AtomicUsize::new(0);
        let core = shop.core();
        let job = shop.read(crate::rerun::waiting).expect("a run is asked for");
        let work = crate::rerun::Work {
            store: &core.store,
            preparer: &core.preparer,
            settings: &core.settings,
            now: base::Clock::now(&*shop.clock),
        };
        let ended = crate::rerun::run(&work, job, &|| looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2);
        assert_eq!(ended.expect("it stops in order"), crate::rerun::Ended::Stopped);
        shop.crash();
        assert_eq!(shop.read(crate::rerun::waiting), Some(job), "the job is still there");
        rerun(&shop);
        shop.assert_clean();
        for n in 0..40 {
            assert_eq!(shop.person("login", &format!("c{n}")), None);
            assert!(shop.person("loyalty_card", &format!("c{n}")).is_some());
        }
        assert_eq!(shop.read(crate::rerun::waiting), None, "nothing is left to do");
    }
}
