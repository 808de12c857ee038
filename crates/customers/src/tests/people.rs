//! People over the database: views, timelines, search, lists, counts.
use super::harness::{SERVER, Shop, counters, day};
use crate::commands::{self, person, timeline_entries};
use crate::identity::memory::MemoryGraph;
use crate::profiles::Profiles;
use crate::search::{Matching, Position, Sort, find_people, list_people};
use base::Country;
use proptest::prelude::*;

fn view(shop: &Shop, id: i64) -> crate::PersonView {
    shop.read(move |tx| Ok(person(tx, id, &counters())?.expect("the person is there")))
}

#[test]
fn a_store_purchase_and_a_site_order_meet_in_one_person() {
    // [A2] [A6] The same phone in two spellings is one value.
    for shop in Shop::each() {
        let till = shop.send(
            r#"{"messageId":"t1","event":"Order Completed","properties":{"total":"150.50","currency":"uah"},
            "context":{"externalIds":[{"id":"067 123-45-67","type":"phone","collection":"users","encoding":"none"}]}}"#,
        );
        let site = shop.send(r#"{"messageId":"s1","type":"identify","userId":"u1","traits":{"phone":"+380671234567","firstName":"Olha","lastName":"Koval"}}"#);
        assert_eq!(till.profile_id, site.profile_id);
        assert!(till.created && site.attached && !site.created);
        let found = view(&shop, site.person_id);
        assert_eq!(found.state.display_name().as_deref(), Some("Olha Koval"));
        assert_eq!((found.state.totals.orders, found.state.totals.revenue.greatest()), (1, 15_050));
        assert_eq!(found.members[0].source, Some(SERVER));
        let evidence: Vec<(&str, &str)> =
            found.identifiers.iter().map(|i| (&*i.kind, &*i.evidence.message_id)).collect();
        assert_eq!(evidence, [("user_id", "s1"), ("phone", "t1")]);
        let country = Country::find("UA");
        let by_phone = shop.write(move |tx| commands::lookup(tx, "phone", "(067) 123 45 67", country));
        assert_eq!(by_phone, Some((site.person_id, site.profile_id)));
        assert_eq!(shop.write(move |tx| commands::lookup(tx, "phone", "nobody", country)), None);
        assert_eq!(shop.findings(), []);
    }
}

#[test]
fn an_edge_joins_people_and_every_id_finds_the_person() {
    for shop in Shop::each() {
        let first = shop.send(r#"{"messageId":"1","anonymousId":"a","timestamp":"2026-05-02T00:00:00Z"}"#);
        let second = shop.send(r#"{"messageId":"2","userId":"u","timestamp":"2026-05-01T00:00:00Z"}"#);
        let both = shop.send(r#"{"messageId":"3","userId":"u","anonymousId":"a","timestamp":"2026-05-03T00:00:00Z"}"#);
        // The event goes to the higher priority; the older profile names the person.
        assert_eq!((both.profile_id, both.person_id), (second.profile_id, first.profile_id));
        assert_eq!(both.absorbed, [second.profile_id]);
        let found = view(&shop, second.profile_id);
        assert_eq!(found.person_id, first.person_id);
        assert_eq!(found.members.len(), 2);
        assert_eq!(found.state.totals.events, 3);
        // Seen last by an event of the other profile.
        let anonymous = found.identifiers.iter().find(|i| &*i.kind == "anonymous_id").expect("it is there");
        assert_eq!(anonymous.seen.last, base::Timestamp::parse("2026-05-03T00:00:00Z").expect("a time"));
        let profiles: Vec<i64> = found.members.iter().map(|m| m.profile_id).collect();
        let seqs: Vec<i64> = shop.read(move |tx| Ok(timeline_entries(tx, &profiles)?.iter().map(|e| e.seq).collect()));
        assert_eq!(seqs, [2, 1, 3], "by event time");
        let counts = shop.write(|tx| Ok(tx.counts().clone()));
        assert_eq!((counts.profiles, counts.absorbed), (2, 1));
        assert_eq!(shop.findings(), []);
    }
}

#[test]
fn full_tails_are_spilled_and_the_timeline_stays_whole() {
    for shop in Shop::each() {
        let mut placed = None;
        for n in 0..150 {
            placed = Some(shop.send(&format!(r#"{{"messageId":"m{n}","userId":"u"}}"#)));
        }
        let id = placed.expect("something was sent").profile_id;
        let (tail, all) = shop.read(move |tx| {
            let tail = tx.get::<Profiles>(id)?.expect("the row is there").tail.len();
            Ok((tail, timeline_entries(tx, &[id])?.len()))
        });
        assert_eq!((tail, all), (150 - 128, 150));
        assert_eq!(shop.findings(), []);
    }
}

#[test]
fn people_are_found_by_any_spelling_prefix_and_name() {
    for shop in Shop::each() {
        let olha = shop.send(r#"{"type":"identify","userId":"cust-77","traits":{"email":" Olha.Koval@Example.com ","phone":"0671234567","name":"Ольга Коваль"}}"#);
        let ivan = shop.send(r#"{"messageId":"2","type":"identify","userId":"cust-78","traits":{"email":"ivan@example.com","name":"Іван Коваленко"}}"#);
        let find = |query: &str| {
            let query = query.to_string();
            shop.read(move |tx| {
                Ok(find_people(
                    tx,
                    &query,
                    (&crate::rules::Rules::default(), Country::find("UA"), Matching::Beginnings),
                    None,
                    10,
                )?
                .people)
            })
        };
        let (olha, ivan) = (olha.person_id, ivan.person_id);
        let cases: &[(&str, &[i64])] = &[
            ("OLHA.koval@example.COM", &[olha]),
            ("olha.", &[olha]),
            ("067 123", &[olha]),
            ("+38 067", &[olha]),
            ("cust-7", &[ivan, olha]),
            ("коваль", &[olha]),
            ("Кова ів", &[ivan]),
            ("кова", &[ivan, olha]),
            ("zz", &[]),
            ("", &[]),
            ("%", &[]),
        ];
        for (query, wanted) in cases {
            assert_eq!(find(query), *wanted, "{query:?}");
        }
        // Who may not see contacts finds them whole or not at all, and names as ever.
        let whole = |query: &str| {
            let query = query.to_string();
            shop.read(move |tx| {
                Ok(find_people(
                    tx,
                    &query,
                    (&crate::rules::Rules::default(), Country::find("UA"), Matching::Whole),
                    None,
                    10,
                )?
                .people)
            })
        };
        assert_eq!(whole("067 123 45 67"), [olha]);
        assert_eq!(whole("Olha.Koval@example.com"), [olha]);
        assert_eq!(whole("Кова ів"), [ivan]);
        for beginning in ["067 123", "olha.", "cust-7"] {
            assert!(whole(beginning).is_empty(), "{beginning}");
        }
        // A name that is no more is not found.
        shop.send(r#"{"messageId":"3","type":"identify","userId":"cust-78","traits":{"name":"Петро"},"timestamp":"2026-06-01T00:00:00Z"}"#);
        assert_eq!(find("кова"), [olha]);
        let (first, rest) = shop.read(|tx| {
            let first = find_people(
                tx,
                "cust",
                (&crate::rules::Rules::default(), Country::find("UA"), Matching::Beginnings),
                None,
                1,
            )?;
            let rest = find_people(
                tx,
                "cust",
                (&crate::rules::Rules::default(), Country::find("UA"), Matching::Beginnings),
                first.next,
                1,
            )?;
            Ok((first, rest))
        });
        assert_eq!((first.people, first.total, rest.people, rest.next), (vec![ivan], Some(2), vec![olha], None));
    }
}

#[test]
fn lists_show_people_with_the_figures_of_all_their_profiles() {
    for shop in Shop::each() {
        let order = |id: &str, who: &str, total: i64, at: &str| {
            shop.send(&format!(r#"{{"messageId":"{id}",{who},"event":"Order Completed","properties":{{"total":{total}}},"timestamp":"{at}"}}"#))
        };
        let a = order("1", r#""userId":"a""#, 100, "2026-05-01T00:00:00Z").person_id;
        let b = order("2", r#""userId":"b""#, 90, "2026-05-03T00:00:00Z").person_id;
        order("3", r#""anonymousId":"x""#, 20, "2026-05-02T00:00:00Z");
        let joined = shop
            .send(r#"{"messageId":"4","event":"E","userId":"b","anonymousId":"x","timestamp":"2026-05-03T00:00:02Z"}"#);
        assert_eq!(joined.person_id, b);
        let c = shop.send(r#"{"messageId":"5","event":"E","userId":"c","timestamp":"2026-05-03T00:00:01Z"}"#).person_id;
        let list = |sort| {
            shop.read(move |tx| Ok(list_people(tx, sort, None, 10)?.0.iter().map(|p| p.person_id).collect::<Vec<_>>()))
        };
        assert_eq!(list(Sort::Revenue), [b, a, c], "the joined person bought for 110");
        assert_eq!(list(Sort::Orders), [b, a, c]);
        assert_eq!(list(Sort::LastSeen), [b, c, a]);
        // Pages follow one another without gap or repetition.
        for sort in [Sort::Revenue, Sort::Orders, Sort::LastSeen] {
            let whole = list(sort);
            let paged = shop.read(move |tx| {
                let (mut out, mut after): (Vec<i64>, Option<Position>) = (Vec::new(), None);
                loop {
                    let (page, more) = list_people(tx, sort, after, 1)?;
                    out.extend(page.iter().map(|p| p.person_id));
                    after = page.last().copied();
                    if !more {
                        return Ok(out);
                    }
                }
            });
            assert_eq!(paged, whole, "{sort:?}");
        }
    }
}

#[derive(Debug, Clone)]
struct Sent {
    user: Option<u8>,
    email: Option<u8>,
    card: Option<u8>,
    anonymous: Option<u8>,
    alias: Option<u8>,
    day: i64,
}

fn sent() -> impl Strategy<Value = Sent> {
    let id = |n: u8| proptest::option::of(0..n);
    (id(3), id(9), id(3), id(9), proptest::option::weighted(0.1, 0..3u8), 0..40i64)
        .prop_map(|(user, email, card, anonymous, alias, day)| Sent { user, email, card, anonymous, alias, day })
}

impl Sent {
    fn json(&self, n: usize) -> String {
        let mut parts = vec![format!(r#""messageId":"m{n}","timestamp":"{}""#, day(self.day))];
        let kind = if self.alias.is_some() { "alias" } else { "identify" };
        parts.push(format!(r#""type":"{kind}""#));
        if let Some(user) = self.user {
            parts.push(format!(r#""userId":"u{user}""#));
        }
        if let Some(previous) = self.alias {
            parts.push(format!(r#""previousId":"u{previous}""#));
        }
        if let Some(anonymous) = self.anonymous {
            parts.push(format!(r#""anonymousId":"a{anonymous}""#));
        }
        let email = self.email.map(|e| format!(r#""email":"e{e}@example.com""#)).unwrap_or_default();
        let card = self
            .card
            .map(|c| format!(r#"{{"id":"c{c}","type":"loyalty_card","collection":"users","encoding":"none"}}"#));
        parts.push(format!(r#""context":{{"traits":{{{email}}},"externalIds":[{}]}}"#, card.unwrap_or_default()));
        format!("{{{}}}", parts.join(","))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The writer and the graph in memory decide alike, and what is stored stands `doctor`'s replay.
    #[test]
    fn the_writer_and_memory_decide_alike(all in proptest::collection::vec(sent(), 1..40)) {
        let shop = Shop::new();
        let mut graph = MemoryGraph::default();
        for (n, one) in all.iter().enumerate() {
            let text = one.json(n);
            let placed = shop.send(&text);
            let event = super::harness::event(&text);
            let profile = graph.place(&event, n as i64 + 1, day(100).plus(n as i64), None);
            prop_assert_eq!(profile.unwrap_or(0), placed.profile_id, "event {}", text);
            prop_assert_eq!(profile.map_or(0, |p| graph.person_of(p)), placed.person_id, "event {}", text);
        }
        prop_assert_eq!(shop.findings(), vec![]);
        let counts = shop.write(|tx| Ok(tx.counts().clone()));
        prop_assert_eq!(counts.profiles - counts.absorbed, graph.people().len() as i64);
    }
}
