//! Taking people apart: edges, values, and what the next events do.
use super::harness::{Remembered, Shop, counters};
use crate::commands::timeline_entries;
use crate::cuts::{CutError, Piece, detach, edges_of, unmerge_edges};
use crate::profiles::Profiles;
use proptest::prelude::*;

const CARD: &str = r#"{"id":"c1","type":"loyalty_card","collection":"users","encoding":"none"}"#;
const PHONE: &str = r#"{"id":"0671234567","type":"phone","collection":"users","encoding":"none"}"#;

fn purchase(id: &str, ids: &[&str], total: i64) -> String {
    format!(
        r#"{{"messageId":"{id}","event":"Order Completed","properties":{{"total":{total}}},"context":{{"externalIds":[{}]}}}}"#,
        ids.join(",")
    )
}

fn cut(shop: &Shop, person: i64, kind: &'static str, value: &'static str) -> Result<Vec<Piece>, CutError> {
    let log = shop.log.clone();
    shop.store
        .write(move |tx| detach(tx, person, &[(kind, value)], &mut Remembered(log.clone()), &counters(), "olha@shop"))
}

fn phone_cut(shop: &Shop, person: i64) -> Vec<Piece> {
    cut(shop, person, "phone", "+380671234567").expect("the phone can be detached")
}

fn timeline(shop: &Shop, profile: i64) -> Vec<i64> {
    shop.read(move |tx| Ok(timeline_entries(tx, &[profile])?.iter().map(|e| e.seq).collect()))
}

#[test]
fn a_wrong_phone_takes_its_events_to_a_page_of_its_own() {
    // [A6] LESSONS 10, 11: partial un-merge with the events.
    let events = [
        purchase("1", &[CARD, PHONE], 10),
        purchase("2", &[CARD], 200),
        purchase("3", &[PHONE], 3_000),
        purchase("4", &[CARD], 40_000),
    ];
    let mut people = Vec::new();
    let orders = [[0, 1, 2, 3], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]];
    for (order, shop) in orders.into_iter().flat_map(|order| Shop::each().into_iter().map(move |shop| (order, shop))) {
        let mut person = 0;
        for at in order {
            person = shop.send(&events[at]).person_id;
        }
        assert_eq!(shop.people().len(), 1, "before the cut all is one");
        let pieces = phone_cut(&shop, person);
        assert_eq!(pieces.len(), 2);
        people.push(shop.people());
        assert_eq!(shop.findings(), [], "states, indexes and identities are those of the log with its cuts");
        // A phone is of higher priority than a card: the event with both is the phone's.
        let revenue = shop.read(|tx| {
            let rows = tx.rows("SELECT kind, profile_id FROM identifiers ORDER BY kind", &[])?;
            let mut out = Vec::new();
            for row in rows {
                let id = row.int(1)?;
                out.push(tx.get::<Profiles>(id)?.map(|p| p.state.totals.revenue.greatest()));
            }
            Ok(out)
        });
        assert_eq!(revenue, [Some(4_020_000), Some(301_000)], "card, phone; order {order:?}");
        let counts = shop.write(|tx| Ok(tx.counts().clone()));
        assert_eq!((counts.profiles, counts.absorbed), (2, 0));
        // An event with both goes to the higher priority, joins nothing and asks a person.
        let again = shop.send(&purchase("5", &[CARD, PHONE], 1));
        assert!(again.absorbed.is_empty());
        assert_eq!(shop.people().len(), 2);
        let review = shop.read(|tx| Ok(tx.rows("SELECT message_id FROM review_items", &[])?.len()));
        assert_eq!(review, 1);
        shop.send(&purchase("6", &[CARD, PHONE], 1));
        assert_eq!(shop.read(|tx| Ok(tx.rows("SELECT a FROM review_items", &[])?.len())), 1, "one item a pair");
        assert_eq!(shop.findings(), []);
    }
    assert!(people.windows(2).all(|w| w[0] == w[1]), "the same people in every order: {people:?}");
}

#[test]
fn detached_events_stand_in_the_new_timeline() {
    for shop in Shop::each() {
        let placed = shop.send(&purchase("1", &[CARD, PHONE], 1));
        for n in 0..100 {
            shop.send(&purchase(&format!("c{n}"), &[CARD], 1));
            shop.send(&purchase(&format!("p{n}"), &[PHONE], 1));
        }
        let pieces = phone_cut(&shop, placed.person_id);
        let (old, new) = (pieces[0].person_id, pieces[1].person_id);
        assert_eq!(old, placed.person_id);
        assert_eq!(timeline(&shop, new), [1].into_iter().chain((1..=100).map(|n| 2 * n + 1)).collect::<Vec<i64>>());
        assert_eq!(timeline(&shop, old), (1..=100).map(|n| 2 * n).collect::<Vec<i64>>());
        assert_eq!(shop.findings(), []);
        let shop = shop.kill();
        assert_eq!(shop.findings(), [], "a cut is a fact");
        shop.send(&purchase("late", &[PHONE], 1));
        assert_eq!(timeline(&shop, new).len(), 102);
    }
}

#[test]
fn what_cannot_be_detached_is_refused_and_nothing_is_written() {
    for shop in Shop::each() {
        let placed = shop.send(&purchase("1", &[PHONE], 1));
        let person = placed.person_id;
        assert!(matches!(cut(&shop, person, "phone", "+380671234567"), Err(CutError::NothingElse)));
        assert!(matches!(cut(&shop, person, "email", "a@b.c"), Err(CutError::NoValue { .. })));
        assert!(matches!(cut(&shop, 99, "email", "a@b.c"), Err(CutError::NoPerson(99))));
        assert_eq!(shop.findings(), []);
    }
}

#[test]
fn removed_edges_stay_removed_on_every_path() {
    // LESSONS 10: reversible, with evidence per edge.
    for shop in Shop::each() {
        for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
            shop.send(&format!(r#"{{"messageId":"{n}","anonymousId":"{id}"}}"#));
        }
        let id = |value: &str, kind: &str| {
            format!(r#"{{"id":"{value}","type":"{kind}","collection":"users","encoding":"none"}}"#)
        };
        // Two cards meet each of the browsers: a – k1 – b, then b – k2 – c.
        let with = |m: &str, anonymous: &str, card: &str| {
            let ids = id(card, "card");
            shop.send(&format!(
                r#"{{"messageId":"{m}","anonymousId":"{anonymous}","context":{{"externalIds":[{ids}]}}}}"#
            ))
        };
        with("3", "a", "k1");
        with("4", "b", "k1");
        with("5", "b", "k2");
        let joined = with("6", "c", "k2");
        assert_eq!(shop.people().len(), 1);
        let person = joined.person_id;
        let edges = shop.read(move |tx| {
            let members = crate::commands::members_of(tx, person)?;
            edges_of(tx, &members)
        });
        assert_eq!(edges.len(), 2);
        assert_eq!(
            (edges[0].rule.as_str(), edges[0].message_id.as_str(), edges[0].kind.as_str()),
            ("same_event", "4", "anonymous_id")
        );
        let first = edges[0].id;
        assert!(matches!(
            shop.store.write(move |tx| unmerge_edges(tx, person, &[first, 999], "x")),
            Err(CutError::NoEdge(999))
        ));
        let pieces =
            shop.store.write(move |tx| unmerge_edges(tx, person, &[first], "olha@shop")).expect("the edge is removed");
        assert_eq!(pieces.len(), 2);
        assert_eq!(shop.people().len(), 2);
        assert_eq!(shop.findings(), []);
        // The same evidence again, and evidence that goes around: neither joins them.
        with("7", "b", "k1");
        with("8", "c", "k1");
        assert_eq!(shop.people().len(), 2);
        assert_eq!(shop.read(|tx| Ok(tx.rows("SELECT a FROM review_items", &[])?.len())), 1);
        let counts = shop.write(|tx| Ok(tx.counts().clone()));
        assert_eq!(counts.profiles - counts.absorbed, 2);
        assert_eq!(shop.findings(), []);
        let shop = shop.kill();
        with_killed(&shop);
    }
}

fn with_killed(shop: &Shop) {
    assert_eq!(shop.people().len(), 2);
    assert_eq!(shop.findings(), [], "what cannot be linked is known after a kill");
}

fn ids() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::btree_map(0..3usize, 0..3u8, 1..3).prop_map(|ids| ids.into_iter().collect())
}

const KINDS: [&str; 3] = ["email", "card", "zoo"];

fn value(at: (usize, u8)) -> String {
    if at.0 == 0 { format!("e{}@b.c", at.1) } else { format!("v{}", at.1) }
}

fn sent(n: usize, ids: &[(usize, u8)]) -> String {
    let one = |id: &(usize, u8)| {
        let (kind, value) = (KINDS[id.0], value(*id));
        format!(r#"{{"id":"{value}","type":"{kind}","collection":"users","encoding":"none"}}"#)
    };
    let ids: Vec<String> = ids.iter().map(one).collect();
    format!(r#"{{"messageId":"m{n}","event":"E","context":{{"externalIds":[{}]}}}}"#, ids.join(","))
}

/// People as their values and the number of their events.
fn people_with_events(shop: &Shop) -> Vec<(Vec<String>, i64)> {
    let people = shop.people();
    shop.read(move |tx| {
        let mut out = Vec::new();
        for values in &people {
            let (kind, value) = values[0].split_once('=').expect("kind=value");
            let hash = crate::identifier::hash(tx.hash_key(), kind, value);
            let identifier = db::event::Identifier { kind: kind.into(), value: value.into(), hash };
            let owner = crate::commands::owner(tx, &identifier)?.expect("it was just read");
            let person = crate::commands::person_of(tx, owner.profile_id)?;
            let events = crate::commands::person_state(tx, person, &counters())?.totals.events;
            out.push((values.clone(), events));
        }
        Ok(out)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    /// In whatever order the events came, the same cut leaves the same people with the same events.
    #[test]
    fn a_cut_leaves_the_same_people_in_any_order(events in proptest::collection::vec(ids(), 2..12), seed in any::<u64>(), pick in any::<prop::sample::Index>()) {
        let all: Vec<(usize, u8)> = events.iter().flatten().copied().collect();
        let chosen = all[pick.index(all.len())];
        let mut rng = base::Rng::new(seed);
        let mut shuffled: Vec<usize> = (0..events.len()).collect();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, rng.below(at as u64 + 1) as usize);
        }
        let mut results = Vec::new();
        for order in [(0..events.len()).collect::<Vec<_>>(), shuffled] {
            let shop = Shop::new();
            for at in &order {
                shop.send(&sent(*at, &events[*at]));
            }
            let kind = KINDS[chosen.0];
            let value = value(chosen);
            let found = value.clone();
            let person = shop.write(move |tx| crate::commands::lookup(tx, kind, &found, base::Country::find("UA"))).expect("it was sent").0;
            let log = shop.log.clone();
            let cut = shop.store.write(move |tx| detach(tx, person, &[(kind, &value)], &mut Remembered(log.clone()), &counters(), "x"));
            let refused = matches!(cut, Err(CutError::NothingElse));
            prop_assert!(refused || cut.is_ok());
            prop_assert_eq!(shop.findings(), vec![]);
            results.push((refused, people_with_events(&shop)));
        }
        prop_assert_eq!(&results[0], &results[1]);
    }
}
