//! Values that somebody detached, decided again by rules under which they would never have been the person's.
use super::harness::*;
use super::kiosk::rerun;
use crate::cuts::{self, Cut};
use crate::erasure;
use base::DAY_US;
use customers::rules::{self, LimitData, Mode};
use serde_json::{Value, json};

fn seen(id: &str, user: &str, traits: Value) -> Value {
    json!({"type": "identify", "messageId": id, "userId": user, "traits": traits})
}

fn mail(at: usize) -> String {
    format!("a{at}@example.com")
}

/// Gives values of a person a profile of their own.
fn detach(shop: &Shop, values: &[(&str, &str)]) -> i64 {
    let (kind, value) = values[0];
    let person = shop.person(kind, value).expect("somebody is known");
    let preparer = shop.core().preparer.clone();
    let what = Cut::Detach(values.iter().map(|(kind, value)| (kind.to_string(), value.to_string())).collect());
    shop.core().store.write(move |tx| cuts::cut(tx, &preparer, person, &what, "olha")).expect("they are detached");
    shop.person(kind, value).expect("it has a profile of its own")
}

/// Allows so many addresses, ever or within some days.
fn allow(shop: &Shop, count: u32, window_days: Option<u32>) {
    let set = move |tx: &mut db::Tx| {
        let mut data = rules::newest(tx.engine())?.rules;
        data.kinds
            .iter_mut()
            .filter(|k| k.kind == "email")
            .for_each(|k| k.limits = vec![LimitData { count, window_days }]);
        rules::set(tx, &data, "olha").map(drop)
    };
    shop.core().store.write(set).expect("the rules are set");
}

/// Olena's third address, which was detached, and Petro with two of his own.
fn olena_and_petro(shop: &Shop) -> i64 {
    for at in 0..3 {
        shop.events(&[seen(&format!("o{at}"), "olena", json!({"email": mail(at)}))]);
    }
    let alone = detach(shop, &[("email", "a2@example.com")]);
    for at in 0..2 {
        shop.events(&[seen(&format!("p{at}"), "petro", json!({"email": format!("b{at}@example.com")}))]);
    }
    alone
}

/// By the tighter limit Olena never had the address, so nobody had it when it was detached; it is its own profile's all the
/// same, and counts for the next limit in the store and when everything is decided again.
#[test]
fn a_value_that_nobody_had_when_it_was_detached_counts_for_limits() {
    for mut shop in shops() {
        let alone = olena_and_petro(&shop);
        shop.assert_clean();
        allow(&shop, 2, None);
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("email", "a2@example.com"), Some(alone));
        shop.events(&[seen("p2", "petro", json!({"email": "a2@example.com"}))]);
        assert_eq!(shop.person("email", "a2@example.com"), Some(alone), "it would be Petro's third");
        shop.assert_clean();
        shop.crash();
        shop.assert_clean();
    }
}

/// Nobody's while it was blocked, it is let in again under a limit by which it was never Olena's: its profile gets it back.
#[test]
fn a_detached_value_comes_back_to_its_profile() {
    for shop in shops() {
        let alone = olena_and_petro(&shop);
        let country = base::Country::find("UA");
        let block =
            move |tx: &mut db::Tx| rules::block(tx, ("email", "a2@example.com"), Mode::Block, "", "olha", country);
        shop.core().store.write(block).expect("it is blocked");
        rerun(&shop);
        assert_eq!(shop.person("email", "a2@example.com"), None);
        shop.assert_clean();
        allow(&shop, 2, None);
        let unblock = move |tx: &mut db::Tx| rules::unblock(tx, "email", "a2@example.com", country);
        shop.core().store.write(unblock).expect("it is let in");
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("email", "a2@example.com"), Some(alone));
        let evidence = |shop: &Shop| {
            shop.read(|tx| {
                let sql = "SELECT message_id FROM identifiers WHERE value = 'a2@example.com'";
                Ok(tx.rows(sql, &[])?[0].text(0)?.to_string())
            })
        };
        assert_eq!(evidence(&shop), "o2", "the event that carried it first");
        // Demoted it counts only alone, and no event carries it alone: only the cut itself says whose it is now.
        let demote =
            move |tx: &mut db::Tx| rules::block(tx, ("email", "a2@example.com"), Mode::Demote, "", "olha", country);
        shop.core().store.write(demote).expect("it is demoted");
        rerun(&shop);
        shop.assert_clean();
        assert_eq!((shop.person("email", "a2@example.com"), evidence(&shop)), (Some(alone), String::new()));
    }
}

/// By other rules another event brought the address, a hundred days later. Limits with a window ask when it was last carried,
/// and of the detached address only that event says so.
#[test]
fn a_value_that_another_event_brought_is_as_young_as_that() {
    for shop in shops() {
        let phone = "+380671234567";
        shop.events(&[seen("o0", "olena", json!({"email": mail(0), "phone": phone}))]);
        shop.events(&[seen("o1", "olena", json!({"email": mail(1)}))]);
        shop.events(&[seen("o2", "olena", json!({"email": mail(2)}))]);
        shop.clock.advance(100 * DAY_US);
        shop.events(&[seen("o3", "olena", json!({"email": mail(2)}))]);
        let alone = detach(&shop, &[("email", "a2@example.com"), ("phone", phone)]);
        allow(&shop, 2, Some(30));
        rerun(&shop);
        shop.assert_clean();
        for at in 0..2 {
            shop.events(&[seen(&format!("p{at}"), "petro", json!({"email": format!("b{at}@example.com")}))]);
        }
        shop.clock.advance(DAY_US);
        shop.events(&[seen("p2", "petro", json!({"phone": phone}))]);
        assert_eq!(shop.person("phone", phone), Some(alone), "with the address Petro would have three in a month");
        shop.assert_clean();
    }
}

/// Detached twice, the value stood on a profile that is erased. What is left of the way there does not name it.
#[test]
fn a_value_that_was_detached_twice_is_erased_from_both_cuts() {
    for mut shop in shops() {
        let phone = "+380671234567";
        shop.events(&[seen("o", "olena", json!({"email": mail(2), "phone": phone}))]);
        let second = detach(&shop, &[("email", "a2@example.com"), ("phone", phone)]);
        let third = detach(&shop, &[("email", "a2@example.com")]);
        assert_ne!(third, second);
        shop.assert_clean();
        let preparer = shop.core().preparer.clone();
        shop.core().store.write(move |tx| erasure::begin(tx, &preparer, third)).expect("the erasure begins");
        shop.until("the erasure is through", |shop| {
            shop.core().store.poke();
            !shop.read(erasure::is_waiting)
        });
        let named = shop.read(|tx| {
            let sql = "SELECT rule FROM identity_cuts WHERE value = 'a2@example.com'";
            tx.rows(sql, &[]).map(|rows| rows.len())
        });
        assert_eq!(named, 0);
        shop.assert_clean();
        allow(&shop, 3, None);
        rerun(&shop);
        shop.assert_clean();
        assert_eq!(shop.person("email", "a2@example.com"), None);
        assert_eq!(shop.person("phone", phone), Some(second));
        // Whoever comes with it by an act of their own is somebody else.
        shop.clock.advance(DAY_US);
        shop.events(&[seen("m", "mariia", json!({"email": mail(2)}))]);
        assert_eq!(shop.person("email", "a2@example.com"), shop.person("user_id", "mariia"));
        allow(&shop, 4, None);
        rerun(&shop);
        assert_eq!(shop.person("email", "a2@example.com"), shop.person("user_id", "mariia"));
        shop.assert_clean();
        shop.crash();
        shop.assert_clean();
    }
}
