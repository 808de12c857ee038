//! The order of the ledger, and who may say what.
use super::{
    NewConsent, Standing, Stated, add, consent_state, deciding_time, of_person, person_consent, profile_address,
    record_claim, record_consent,
};
use crate::commands::{self, members_of};
use crate::cuts::{edges_of, unmerge_edges};
use crate::tests::harness::{Shop, day, event_with};
use base::{SECOND_US, Timestamp};
use proptest::prelude::*;

fn standing(granted: bool, at: i64, id: i64) -> Standing {
    Standing { purpose: "marketing".into(), granted, at: Timestamp::from_micros(at), id }
}

proptest! {
    /// In whatever order rows are read, one of them decides: the newest, and of one moment the denial.
    #[test]
    fn no_order_of_arrival_turns_a_denial_into_a_grant(rows in proptest::collection::vec((any::<bool>(), 0..3i64), 1..8), seed in any::<u64>()) {
        let rows: Vec<Standing> = rows.iter().enumerate().map(|(id, (granted, at))| standing(*granted, *at, id as i64)).collect();
        let mut rng = base::Rng::new(seed);
        let mut shuffled = rows.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, rng.below(at as u64 + 1) as usize);
        }
        let last = rows.iter().map(|r| r.at).max().expect("there is a row");
        let wanted = !rows.iter().any(|r| r.at == last && !r.granted);
        for order in [rows, shuffled] {
            let mut out = Vec::new();
            order.into_iter().for_each(|r| add(&mut out, r));
            prop_assert_eq!(out.len(), 1);
            prop_assert_eq!(out[0].granted, wanted);
        }
    }
}

#[test]
fn an_import_never_overrides_a_later_live_row() {
    let time = |n| Timestamp::from_micros(n);
    let mut out = Vec::new();
    add(&mut out, standing(false, 10, 1));
    // Recorded later, but collected before the denial.
    add(&mut out, Standing { at: deciding_time(time(20), time(5), true), ..standing(true, 0, 2) });
    assert!(!out[0].granted);
    // Its claim to lie in the future does not help it past the moment of the import.
    assert_eq!(deciding_time(time(20), time(99), true), time(20));
    assert_eq!(deciding_time(time(20), time(5), false), time(20), "a live row's own time is proof only");
}

const GRANT: &str =
    r#""event":"Consent Granted","properties":{"channel":"email","purpose":"marketing","wording":"yes","address":"#;

/// Sends a message and records what it claims, as the writer does.
fn claim(shop: &Shop, browser: bool, text: &str) -> (commands::Placed, usize) {
    let placed = shop.send(text);
    let event = event_with(shop.store.hash_key(), text);
    let (profile_id, person_id) = (placed.profile_id, placed.person_id);
    let rows = shop.write(move |tx| {
        let stated = Stated { profile_id, person_id, source: 1, browser, imported: false, received_at: tx.now() };
        record_claim(tx, &event, stated).map(|ids| ids.len())
    });
    (placed, rows)
}

fn state(shop: &Shop, person: i64, address: &'static str) -> Option<bool> {
    shop.write(move |tx| {
        let members = if person == 0 { Vec::new() } else { members_of(tx, person)? };
        Ok(consent_state(tx, &members, "email", address, "marketing")?.map(|s| s.granted))
    })
}

#[test]
fn a_browser_grants_only_for_addresses_that_are_its_own() {
    // LESSONS 26: consent with proof; CONTRACTS 3.
    for shop in Shop::each() {
        let (placed, rows) =
            claim(&shop, true, &format!(r#"{{"messageId":"1","anonymousId":"a",{GRANT}"Victim@b.c"}}}}"#));
        assert_eq!((rows, state(&shop, placed.person_id, "victim@b.c")), (0, None));
        let (_, rows) = claim(&shop, false, &format!(r#"{{"messageId":"2","anonymousId":"a",{GRANT}"victim@b.c"}}}}"#));
        assert_eq!((rows, state(&shop, 0, "victim@b.c")), (1, Some(true)), "a server may");
        // What the event carries, then what the profile carries.
        let carried = format!(
            r#"{{"messageId":"3","anonymousId":"a","context":{{"traits":{{"email":"own@b.c"}}}},{GRANT}"own@b.c"}}}}"#
        );
        assert_eq!(claim(&shop, true, &carried).1, 1);
        assert_eq!(claim(&shop, true, &format!(r#"{{"messageId":"4","anonymousId":"a",{GRANT}"OWN@b.c"}}}}"#)).1, 1);
        // A revocation always counts.
        let revoke = r#"{"messageId":"5","anonymousId":"stranger","event":"Consent Revoked","properties":{"channel":"email","purpose":"marketing","address":"own@b.c"}}"#;
        assert_eq!(claim(&shop, true, revoke).1, 1);
        assert_eq!(state(&shop, 0, "own@b.c"), Some(false));
        assert_eq!(state(&shop, 0, "nobody@b.c"), None, "no row, no marketing");
    }
}

#[test]
fn without_an_address_it_is_the_events_own_and_a_revocation_covers_all() {
    for shop in Shop::each() {
        let own = r#"{"messageId":"1","userId":"u","context":{"traits":{"email":"a@b.c"}},"event":"Consent Granted","properties":{"channel":"email","purpose":"marketing","wording":"yes"}}"#;
        let (placed, rows) = claim(&shop, true, own);
        assert_eq!((rows, state(&shop, placed.person_id, "a@b.c")), (1, Some(true)));
        let bare = r#"{"messageId":"2","userId":"u","event":"Consent Granted","properties":{"channel":"sms","purpose":"marketing"}}"#;
        assert_eq!(claim(&shop, true, bare).1, 0, "a grant for nothing");
        // Unsubscribed without any address: every address of the person, and the profile as such.
        let (_, rows) = claim(&shop, true, r#"{"messageId":"3","userId":"u","event":"Unsubscribed"}"#);
        assert_eq!((rows, state(&shop, placed.person_id, "a@b.c")), (2, Some(false)));
        // An address that comes later is denied too, until it is granted.
        shop.send(r#"{"messageId":"4","type":"identify","userId":"u","traits":{"email":"new@b.c"}}"#);
        assert_eq!(state(&shop, placed.person_id, "new@b.c"), Some(false));
        assert_eq!(state(&shop, 0, "new@b.c"), Some(false), "whoever asks by the address alone hears the same");
        claim(&shop, false, &format!(r#"{{"messageId":"5","userId":"u",{GRANT}"new@b.c"}}}}"#));
        assert_eq!(state(&shop, placed.person_id, "new@b.c"), Some(true));
        let person = placed.person_id;
        let whole = shop.write(move |tx| of_person(tx, person, "email", "marketing"));
        assert_eq!(whole, Some(false), "granted if any own address is and none is denied");
        let other = shop.write(move |tx| of_person(tx, person, "email", "service"));
        assert_eq!(other, None);
    }
}

#[test]
fn a_global_unsubscription_of_one_profile_denies_all_and_survives_the_parting() {
    for shop in Shop::each() {
        let (first, _) = claim(
            &shop,
            false,
            &format!(r#"{{"messageId":"1","userId":"u","context":{{"traits":{{"email":"a@b.c"}}}},{GRANT}"a@b.c"}}}}"#),
        );
        let stop = r#"{"messageId":"2","anonymousId":"x","event":"Unsubscribed","properties":{"channel":"all","purpose":"all"}}"#;
        claim(&shop, true, stop);
        assert_eq!(state(&shop, first.person_id, "a@b.c"), Some(true), "somebody else so far");
        let joined = shop.send(r#"{"messageId":"3","userId":"u","anonymousId":"x"}"#);
        assert_eq!(state(&shop, joined.person_id, "a@b.c"), Some(false));
        claim(&shop, false, &format!(r#"{{"messageId":"4","userId":"u",{GRANT}"a@b.c"}}}}"#));
        assert_eq!(state(&shop, joined.person_id, "a@b.c"), Some(false), "a grant for one address does not lift it");
        // Said again by the joined person, it stays with the address when the person is taken apart.
        claim(
            &shop,
            true,
            r#"{"messageId":"5","anonymousId":"x","event":"Unsubscribed","properties":{"channel":"all","purpose":"all"}}"#,
        );
        let person = joined.person_id;
        shop.store
            .write(move |tx| {
                let members = members_of(tx, person)?;
                let edges: Vec<i64> = edges_of(tx, &members)?.iter().map(|e| e.id).collect();
                unmerge_edges(tx, person, &edges, "x")
            })
            .expect("the person can be taken apart");
        assert_eq!(state(&shop, first.profile_id, "a@b.c"), Some(false));
        // The ledger's memory and its rows say the same.
        let shop = shop.kill();
        assert_eq!(state(&shop, first.profile_id, "a@b.c"), Some(false));
        let ledger = shop.read(|tx| super::rows_of_person(tx, &[], &["a@b.c"]));
        assert_eq!(ledger.len(), 3);
        assert!(!ledger[0].granted && ledger[0].channel == "*");
    }
}

#[test]
fn rows_by_hand_carry_their_proof() {
    for shop in Shop::each() {
        let new = NewConsent {
            channel: "email".into(),
            address: "a@b.c".into(),
            purpose: "marketing".into(),
            granted: true,
            at: day(1),
            claimed_at: day(1),
            wording: "Yes, write to me".into(),
            wording_version: "3".into(),
            profile_id: 0,
            message_id: "".into(),
            source: 0,
            actor: "olha@shop".into(),
            imported: false,
        };
        let denial = NewConsent { granted: false, at: day(1).plus(SECOND_US), ..new.clone() };
        let (a, b) = (new.clone(), denial.clone());
        shop.write(move |tx| {
            record_consent(tx, &a)?;
            record_consent(tx, &b)
        });
        assert_eq!(state(&shop, 0, "a@b.c"), Some(false));
        let old = NewConsent { imported: true, at: day(9), claimed_at: day(0), ..new };
        shop.write(move |tx| record_consent(tx, &old));
        assert_eq!(state(&shop, 0, "a@b.c"), Some(false));
        let rows = shop.read(|tx| super::rows_of_person(tx, &[], &["a@b.c"]));
        assert_eq!(rows.len(), 3);
        assert_eq!(
            (rows[0].granted, rows[1].wording.as_str(), rows[1].actor.as_str()),
            (false, "Yes, write to me", "olha@shop")
        );
        assert_eq!(shop.write(|tx| person_consent(tx, &[], "email", "marketing")), None);
        assert_eq!(&*profile_address(7), "#7");
    }
}
