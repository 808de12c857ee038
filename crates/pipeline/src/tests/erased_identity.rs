//! Identity after an erasure: what was decided with the help of somebody who is gone, and what others' events still name.
use super::harness::*;
use super::kiosk::{external, rerun};
use crate::cuts::{self, Cut};
use crate::erasure;
use customers::rules::{self, LimitData};
use serde_json::{Value, json};

/// Gives a value a profile of its own.
fn detach(shop: &Shop, person: i64, kind: &str, value: &str) {
    let preparer = shop.core().preparer.clone();
    let what = Cut::Detach(vec![(kind.to_string(), value.to_string())]);
    shop.core().store.write(move |tx| cuts::cut(tx, &preparer, person, &what, "olha")).expect("it is detached");
}

fn seen(id: &str, user: &str, email: &str) -> Value {
    json!({"type": "identify", "messageId": id, "userId": user, "traits": {"email": email}})
}

fn mail_only(id: &str, email: &str) -> Value {
    json!({"type": "track", "messageId": id, "event": "Visit", "context": {"traits": {"email": email}}})
}

fn erase(shop: &Shop, kind: &str, value: &str) {
    let person = shop.person(kind, value).expect("somebody is known");
    let preparer = shop.core().preparer.clone();
    shop.core().store.write(move |tx| erasure::begin(tx, &preparer, person)).expect("the erasure begins");
    shop.until("the erasure is through", |shop| {
        shop.core().store.poke();
        !shop.read(erasure::is_waiting)
    });
}

/// Asks for the past to be decided again, by rules that change nothing here.
fn decide_again(shop: &Shop, count: u32) {
    let set = move |tx: &mut db::Tx| {
        let mut data = rules::newest(tx.engine())?.rules;
        data.kinds[4].limits = vec![LimitData { count, window_days: None }];
        rules::set(tx, &data, "olha").map(drop)
    };
    shop.core().store.write(set).expect("the rules are set");
    rerun(shop);
}

/// Petro's event named Olena's address, which decided nothing while it was hers; it must not become his when she is gone.
#[test]
fn a_change_of_rules_brings_no_erased_value_back() {
    for mut shop in shops() {
        shop.events(&[seen("o", "olena", "olena@example.com")]);
        shop.events(&[seen("p", "petro", "olena@example.com")]);
        assert_ne!(shop.person("user_id", "olena"), shop.person("user_id", "petro"), "two user ids are two people");
        erase(&shop, "user_id", "olena");
        assert_eq!(shop.person("email", "olena@example.com"), None);
        decide_again(&shop, 30);
        assert_eq!(shop.person("email", "olena@example.com"), None, "nobody's");
        shop.assert_clean();
        // By his own act it becomes his, with what he had seen of it before.
        shop.clock.advance(base::HOUR_US);
        shop.events(&[seen("again", "petro", "olena@example.com")]);
        assert_eq!(shop.person("email", "olena@example.com"), shop.person("user_id", "petro"));
        shop.assert_clean();
        shop.crash();
        shop.assert_clean();
        // Taken off again, it takes only what was decided by it.
        let petro = shop.person("user_id", "petro").expect("he is there");
        detach(&shop, petro, "email", "olena@example.com");
        shop.assert_clean();
        decide_again(&shop, 40);
        shop.assert_clean();
    }
}

/// What a detach gave to somebody else stays there when the profile is erased with which it was logged.
#[test]
fn what_was_detached_outlives_the_erasure_of_the_rest() {
    for mut shop in shops() {
        shop.events(&[seen("a", "olena", "shared@example.com")]);
        shop.events(&[mail_only("b", "shared@example.com")]);
        let olena = shop.person("user_id", "olena").expect("she is known");
        detach(&shop, olena, "email", "shared@example.com");
        let other = shop.person("email", "shared@example.com").expect("it has a profile of its own");
        assert_ne!(other, olena);
        shop.assert_clean();
        erase(&shop, "user_id", "olena");
        shop.assert_clean();
        decide_again(&shop, 30);
        shop.assert_clean();
        assert_eq!(shop.person("email", "shared@example.com"), Some(other));
        shop.crash();
        shop.assert_clean();
    }
}

/// A plan of the past that was made before somebody was erased is not followed afterwards.
#[test]
fn a_plan_from_before_an_erasure_is_made_anew() {
    for shop in shops() {
        for n in 0..4 {
            shop.events(&[seen(&format!("m{n}"), "olena", &format!("a{n}@example.com"))]);
        }
        shop.events(&[mail_only("x", "a3@example.com")]);
        let set = |tx: &mut db::Tx| {
            let mut data = rules::newest(tx.engine())?.rules;
            data.kinds[1].limits = vec![LimitData { count: 1, window_days: None }];
            rules::set(tx, &data, "olha").map(drop)
        };
        shop.core().store.write(set).expect("the rules are set");
        let core = shop.core();
        let job = shop.read(crate::rerun::waiting).expect("a run is asked for");
        let now = base::Clock::now(&*shop.clock);
        let work = crate::rerun::Work { store: &core.store, preparer: &core.preparer, settings: &core.settings, now };
        // The second look is that before the first change.
        let looks = std::sync::atomic::AtomicUsize::new(0);
        let go_on = || {
            if looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1 {
                erase(&shop, "user_id", "olena");
            }
            true
        };
        let ended = crate::rerun::run(&work, job, &go_on).expect("it goes through");
        assert!(matches!(ended, crate::rerun::Ended::Done(_)), "{ended:?}");
        for n in 0..4 {
            assert_eq!(shop.person("email", &format!("a{n}@example.com")), None, "nobody is brought back");
        }
        shop.assert_clean();
    }
}

/// The door made both cards one person when an event named both, so that nothing was noted of these two. Without the door the
/// log would join them: that it does not say why they are apart alarms nobody.
#[test]
fn who_was_one_with_an_erased_person_is_no_finding() {
    for shop in shops() {
        let visit = |id: &str, ids: &[(&str, &str)]| json!({"type": "track", "messageId": id, "event": "Visit", "context": external(ids)});
        let (one, two, door) = (("loyalty_card", "c1"), ("loyalty_card", "c2"), ("door", "d1"));
        for (at, ids) in
            [vec![one], vec![two], vec![door], vec![one, door], vec![two, door], vec![one, two]].iter().enumerate()
        {
            shop.events(&[visit(&format!("m{at}"), ids)]);
        }
        let person = shop.person("loyalty_card", "c1").expect("known");
        assert_eq!(shop.person("loyalty_card", "c2"), Some(person));
        for _ in 0..2 {
            let (person, edge) = shop.read(|tx| {
                let country = base::Country::find("UA");
                let (person, _) = customers::lookup(tx, "door", "d1", country)?.expect("the door is known");
                let members = customers::commands::members_of(tx, person)?;
                Ok((person, customers::cuts::edges_of(tx, &members)?[0].id))
            });
            let preparer = shop.core().preparer.clone();
            let what = Cut::Edges(vec![edge]);
            shop.core().store.write(move |tx| cuts::cut(tx, &preparer, person, &what, "olha")).expect("it is cut");
        }
        assert_ne!(shop.person("loyalty_card", "c1"), shop.person("loyalty_card", "c2"), "all three are apart");
        shop.assert_clean();
        erase(&shop, "door", "d1");
        shop.assert_clean();
        // Somebody who never had to do with the door is looked at as ever.
        shop.events(&[visit("x", &[("loyalty_card", "c8")])]);
        shop.events(&[visit("y", &[("loyalty_card", "c9")])]);
        shop.events(&[visit("z", &[("loyalty_card", "c8"), ("loyalty_card", "c9")])]);
        let damage = "DELETE FROM edges WHERE id = (SELECT MAX(id) FROM edges)";
        shop.core().store.write(move |tx| tx.execute(damage, &[])).expect("an edge is lost");
        let found = shop.doctor().findings;
        assert!(found.iter().any(|f| f.check == "identity.edge"), "{found:#?}");
    }
}
