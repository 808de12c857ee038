//! The rules of identity, each with the smallest story that shows it.
use super::memory::{Cut, MemoryGraph, components};
use super::{Target, place};
use crate::model::Evidence;
use crate::tests::harness::{day, event};
use base::{DAY_US, SECOND_US};

struct Story {
    graph: MemoryGraph,
    seq: i64,
}

impl Story {
    fn new() -> Self {
        Self { graph: MemoryGraph::default(), seq: 0 }
    }
    /// An event `at` days after the first of May with identifiers like `user=u1 email=a@b.c card=7 anon=x`; gives its profile.
    fn send(&mut self, at: i64, ids: &str) -> i64 {
        self.seq += 1;
        let text = message(self.seq, at, ids);
        self.graph.place(&event(&text), self.seq, day(0).plus(self.seq), None).expect("it names somebody")
    }
    fn person(&self, profile: i64) -> i64 {
        self.graph.person_of(profile)
    }
    fn apart(&self, a: i64, b: i64) -> bool {
        self.person(a) != self.person(b)
    }
}

/// What shows that a detached value is its new owner's; here somebody owned each.
fn nothing(kind: &str, _: &str) -> Evidence {
    panic!("a value of kind {kind} was nobody's")
}

fn message(seq: i64, at: i64, ids: &str) -> String {
    let (mut parts, mut external) = (vec![format!(r#""messageId":"m{seq}","timestamp":"{}""#, day(at))], Vec::new());
    for id in ids.split_whitespace() {
        let (kind, value) = id.split_once('=').expect("kind=value");
        match kind {
            "user" => parts.push(format!(r#""userId":"{value}""#)),
            "anon" => parts.push(format!(r#""anonymousId":"{value}""#)),
            "previous" => parts.push(format!(r#""type":"alias","previousId":"{value}""#)),
            kind => {
                external.push(format!(r#"{{"id":"{value}","type":"{kind}","collection":"users","encoding":"none"}}"#))
            }
        }
    }
    parts.push(format!(r#""context":{{"externalIds":[{}]}}"#, external.join(",")));
    format!("{{{}}}", parts.join(","))
}

#[test]
fn none_makes_one_takes_several_join() {
    // [A2] [A7]
    let mut s = Story::new();
    let p1 = s.send(0, "phone=+380671234567");
    assert_eq!(s.send(0, "phone=0671234567 email=a@b.c"), p1, "one match takes the new identifier");
    assert_eq!(s.graph.find("email", "a@b.c"), Some(p1));
    let p2 = s.send(0, "card=7");
    assert_eq!(s.send(0, "card=7 email=a@b.c"), p1, "the event goes to the higher priority");
    assert!(!s.apart(p1, p2));
    assert_eq!(s.graph.edges().len(), 1);
    assert_eq!(s.send(0, "card=7 email=a@b.c"), p1);
    assert_eq!(s.graph.edges().len(), 1, "known is known");
    assert_eq!(s.send(0, "card=7"), p2, "an event belongs to one profile for ever");
}

#[test]
fn priority_is_user_email_phone_others_by_name_anonymous_last() {
    let e = event(&message(1, 0, "zoo=1 anon=a card=2 phone=0671234567 email=a@b.c user=u"));
    let kinds: Vec<&str> = e.identifiers.iter().map(|i| &*i.kind).collect();
    assert_eq!(kinds, ["user_id", "email", "phone", "card", "zoo", "anonymous_id"]);
}

#[test]
fn a_new_user_id_on_a_known_address_goes_to_that_profile() {
    let mut s = Story::new();
    let (email, anonymous) = (s.send(0, "email=a@b.c"), s.send(0, "anon=a"));
    assert_eq!(s.send(0, "user=u email=a@b.c anon=a"), email, "the highest of those that are known");
    assert!(!s.apart(email, anonymous));
    assert_eq!(s.graph.find("user_id", "u"), Some(email));
}

#[test]
fn one_user_id_ever_so_a_shared_address_or_tablet_joins_nobody() {
    // LESSONS 10: null and guest ids merge thousands; CONVENTIONS 1: the shared tablet.
    let mut s = Story::new();
    let first = s.send(0, "user=u1 email=family@b.c anon=tablet");
    let second = s.send(1, "user=u2 email=family@b.c anon=tablet");
    assert!(s.apart(first, second));
    assert_eq!(s.graph.find("email", "family@b.c"), Some(first), "demoted is not attached");
    assert_eq!(s.graph.find("anonymous_id", "tablet"), Some(first));
    assert_eq!(s.send(2, "anon=tablet"), first);
    // A user with a profile of his own meets the tablet: no edge either.
    assert_eq!(s.send(3, "user=u2 anon=tablet"), second);
    assert!(s.apart(first, second));
    assert!(s.graph.edges().is_empty());
}

#[test]
fn the_lowest_is_left_out_first_and_matching_tried_again() {
    let mut s = Story::new();
    let first = s.send(0, "user=u1 anon=a");
    // With the anonymous id this would be a second user of the first profile; without it it is one with the address.
    let address = s.send(0, "email=x@b.c");
    let e = event(&message(9, 1, "user=u2 email=x@b.c anon=a"));
    let Ok(placement) = place(&mut s.graph, &e, &crate::rules::Rules::default());
    assert_eq!((placement.target, placement.demoted), (Target::Profile(address), 1));
    assert_eq!(placement.attach, [0]);
    assert!(placement.edges.is_empty());
    assert!(s.apart(first, address));
}

#[test]
fn five_addresses_a_year_counted_over_the_person_by_their_last_event() {
    for kind in ["email", "phone", "card"] {
        let value = |n: i64| match kind {
            "email" => format!("email=e{n}@b.c"),
            "phone" => format!("phone=+38067123456{n}"),
            _ => format!("card=c{n}"),
        };
        let mut s = Story::new();
        let p = s.send(0, &format!("user=u {}", value(0)));
        for n in 1..5 {
            assert_eq!(s.send(n, &format!("user=u {}", value(n))), p);
        }
        let alone = |s: &Story, n: i64| {
            let id = &event(&message(1, 0, &value(n))).identifiers[0];
            s.graph.find(&id.kind, &id.value).is_none()
        };
        s.send(10, &format!("user=u {}", value(5)));
        assert!(alone(&s, 5), "{kind}: a sixth is not attached");
        // At 365 days the first value's last event is outside the window, to the microsecond.
        s.send(365, &format!("user=u {}", value(5)));
        assert!(!alone(&s, 5), "{kind}: the first one is a year old");
        s.send(365, &format!("user=u {}", value(6)));
        assert!(alone(&s, 6), "{kind}: the second is still inside");
        s.send(366, &format!("user=u {}", value(1)));
        s.send(367, &format!("user=u {}", value(6)));
        assert!(!alone(&s, 6), "{kind}: two are old now, one was used again");
    }
}

#[test]
fn a_limit_counts_what_an_edge_would_bring_together() {
    let mut s = Story::new();
    let p = s.send(0, "card=a email=a0@b.c");
    let q = s.send(0, "card=b email=b0@b.c");
    for n in 1..3 {
        s.send(0, &format!("card=a email=a{n}@b.c"));
        s.send(0, &format!("card=b email=b{n}@b.c"));
    }
    // Three and three are six addresses: the cards stay apart.
    s.send(1, "card=a card=b");
    assert!(s.apart(p, q));
    // A year later only those that were used since count.
    s.send(380, "card=a email=a0@b.c");
    s.send(381, "card=a card=b");
    assert!(!s.apart(p, q));
}

#[test]
fn browsers_are_five_a_week_and_twenty_a_year() {
    let mut s = Story::new();
    s.send(0, "user=u anon=a0");
    for n in 1..5 {
        s.send(n, &format!("user=u anon=a{n}"));
    }
    s.send(5, "user=u anon=a5");
    assert_eq!(s.graph.find("anonymous_id", "a5"), None, "a sixth in a week");
    s.send(8, "user=u anon=a5");
    assert!(s.graph.find("anonymous_id", "a5").is_some(), "two of the others are older than seven days");
    for n in 6..20 {
        s.send(n * 10, &format!("user=u anon=a{n}"));
    }
    s.send(300, "user=u anon=a20");
    assert_eq!(s.graph.find("anonymous_id", "a20"), None, "a twenty-first in a year");
}

#[test]
fn an_event_of_another_profile_of_the_person_keeps_a_value_fresh() {
    let mut s = Story::new();
    let user = s.send(0, "user=u");
    let cards: Vec<i64> = (0..5).map(|n| s.send(0, &format!("card=c{n}"))).collect();
    for n in 0..5 {
        s.send(0, &format!("user=u card=c{n}"));
    }
    assert!(cards.iter().all(|c| !s.apart(*c, user)));
    for n in 0..5 {
        assert_eq!(s.send(300, &format!("user=u card=c{n}")), user, "the event is the user's");
    }
    s.send(400, "user=u card=new");
    assert_eq!(s.graph.find("card", "new"), None);
}

#[test]
fn values_that_identify_nobody_are_no_identifiers() {
    for value in ["", "0", "00-00", "-1", "null", "NULL", "anonymous", "undefined", "test", "none", " ", "-"] {
        let e = event(&format!(r#"{{"userId":"{value}","anonymousId":"a"}}"#));
        assert_eq!(e.identifiers.len(), 1, "{value:?}");
    }
    for value in ["1", "-2", "nobody", "testa", "0a"] {
        let e = event(&format!(r#"{{"userId":"{value}","anonymousId":"a"}}"#));
        assert_eq!(e.identifiers.len(), 2, "{value:?}");
    }
}

#[test]
fn alias_joins_over_limits() {
    let mut s = Story::new();
    let (old, new) = (s.send(0, "user=old anon=a"), s.send(0, "user=new"));
    assert_eq!(s.send(1, "user=new previous=old"), new);
    assert!(!s.apart(old, new), "two user ids, since somebody said so");
    // What was above a limit before keeps nothing else out.
    s.send(2, "user=new email=n@b.c");
    assert_eq!(s.graph.find("email", "n@b.c"), Some(new));
    // An anonymous id is looked up after user ids; an unknown or blocked one says nothing.
    let anonymous = s.send(3, "anon=visitor");
    s.send(3, "user=third previous=visitor");
    let third = s.graph.find("user_id", "third").expect("it is new");
    assert!(!s.apart(third, anonymous));
    s.send(4, "user=fourth previous=unheard-of");
    s.send(4, "user=fourth previous=null");
    assert_eq!(s.graph.people().len(), 3);
}

#[test]
fn what_cannot_be_linked_is_linked_by_no_path() {
    let mut s = Story::new();
    let (a, b, c) = (s.send(0, "user=a"), s.send(0, "card=b"), s.send(0, "shoe=c"));
    s.send(0, "user=a card=b");
    s.graph.cut(&[Cut::Edge { a, b }], day(0), &mut |_| Vec::new(), &nothing);
    assert!(s.apart(a, b));
    // Directly.
    assert_eq!(s.send(1, "user=a card=b"), a);
    assert!(s.apart(a, b));
    // Around: c joins b, then cannot join a.
    s.send(1, "card=b shoe=c");
    assert!(!s.apart(b, c));
    s.send(1, "user=a shoe=c");
    assert!(s.apart(a, c));
    // By an alias neither.
    let d = s.send(1, "user=d card=b");
    assert_eq!(d, b);
    s.send(2, "user=a previous=d");
    assert!(s.apart(a, b));
    assert_eq!(s.graph.refused, [(a, b), (a, b), (a, b)], "each asks for a look");
    // Of three in one event, the one that may joins.
    let e = s.send(3, "phone=0671234567");
    s.send(4, "user=a phone=0671234567 card=b");
    assert!(!s.apart(a, e) && s.apart(a, b));
}

#[test]
fn the_person_is_the_oldest_profile_not_the_smallest_event_time() {
    let mut s = Story::new();
    let late = s.send(40, "user=u");
    let early = s.send(0, "anon=a");
    s.send(50, "user=u anon=a");
    assert_eq!((s.person(early), s.person(late)), (late, late), "in the order of the log");
    assert_eq!(s.graph.people(), [(late, vec![late, early])]);
}

#[test]
fn a_detached_value_takes_its_sightings_with_it() {
    let mut s = Story::new();
    let p = s.send(0, "card=c phone=0671234567");
    s.send(10, "phone=0671234567");
    s.send(20, "card=c");
    let log: Vec<_> = [(0, "card=c phone=0671234567"), (10, "phone=0671234567"), (20, "card=c")]
        .iter()
        .enumerate()
        .map(|(n, (at, ids))| event(&message(n as i64 + 1, *at, ids)))
        .collect();
    let cut = Cut::Detach { from: p, to: 2, kind: "phone".into(), value: "+380671234567".into() };
    s.graph.cut(&[cut], day(30), &mut |_| log.clone(), &nothing);
    assert!(s.apart(p, 2));
    assert_eq!(s.graph.find("phone", "+380671234567"), Some(2));
    let last = |profile: i64, kind: &str| {
        let (_, _, seen) = s.graph.identifiers(profile)?.own().find(|(k, ..)| &*k.kind == kind)?;
        Some((seen.last.micros() - day(0).micros()) / DAY_US)
    };
    assert_eq!((last(2, "phone"), last(p, "card")), (Some(10), Some(20)));
    assert_eq!(last(p, "phone"), None);
}

#[test]
fn components_fall_apart_where_edges_are_missing() {
    assert_eq!(components(&[1, 2, 3, 4], [(1, 2), (3, 4), (4, 9)]), [vec![1, 2], vec![3, 4]]);
    assert_eq!(components(&[1, 2, 3], [(3, 2), (2, 1)]), [vec![1, 2, 3]]);
    assert_eq!(components(&[], []), Vec::<Vec<i64>>::new());
}

#[test]
fn many_profiles_are_placed_quickly() {
    // A hub: one address that thousands of visitors type. It ends at the limits, not in one person.
    let mut s = Story::new();
    for n in 0..3_000 {
        s.send(n % 300, &format!("email=hub@b.c anon=a{n}"));
    }
    let largest = s.graph.people().iter().map(|(_, members)| members.len()).max();
    let hub = s.graph.find("email", "hub@b.c").expect("it is known");
    let own = s.graph.identifiers(hub).map(|i| i.own().count()).unwrap_or(0);
    assert_eq!(largest, Some(1));
    assert!(own <= 40, "{own} identifiers on one profile");
    let _ = SECOND_US;
}
