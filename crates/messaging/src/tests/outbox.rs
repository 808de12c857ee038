//! The states of a message, one step at a time.
use super::world::{LEASE_US, WEEK_US, World, draft, names, rule_draft};
use crate::MessagingError;
use crate::commands::{archive_rule, update_template};
use crate::lists::{self, MessageFilter};
use crate::model::{QuietHours, RuleDraft, Status};
use crate::outbox::{self, Outcome, SettleAs, Settled};
use crate::preferences::{self, Choice};
use crate::suppressions::{By, block};
use base::Country;
use base::{HOUR_US, SECOND_US};

#[test]
fn entering_writes_one_intent_per_entering_event() {
    // [E1] [LESSONS 18] key = rule, person at entry, entering event
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule_with(RuleDraft { once: false, ..rule_draft(t) }).expect("a rule");
        w.rule_with(RuleDraft { segment_id: 2, ..rule_draft(t) }).expect("another segment's rule");
        w.person(1);
        w.enter_by(1, 7);
        w.enter_by(1, 7);
        assert_eq!(w.statuses(), ["pending"]);
        w.enter_by(1, 8);
        assert_eq!(w.statuses(), ["pending", "pending"]);
        assert_eq!(w.totals().intended, 2);
        // The clock brings people in without an event: each moment is an entry of its own.
        for _ in 0..2 {
            w.enter_by(1, 0);
            w.enter_by(1, 0);
            w.clock.advance(1);
        }
        assert_eq!(w.totals().intended, 4);
        w.check();
    });
}

#[test]
fn a_message_that_passes_is_sent_and_becomes_an_event() {
    // [LESSONS 7] the life of a message is ordinary events
    World::each(|mut w| {
        let t = w.template("Hi {{ customer.first_name }}", "You looked at {{ event.product }}");
        w.rule(t);
        w.person(1);
        w.enter_by(1, 42);
        let batch = w.claim();
        let mail = &batch.claimed[0];
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("olena1@example.com", "Hi Olena1"));
        assert!(mail.text.starts_with("You looked at shoe-42"), "{}", mail.text);
        assert!(mail.message_id_header.ends_with("@shop.example"));
        assert_eq!(mail.headers[1], ("List-Unsubscribe-Post".to_string(), "List-Unsubscribe=One-Click".to_string()));
        assert_eq!(w.statuses(), ["sending"]);
        assert!(w.claim().claimed.is_empty(), "a claimed message is not claimed again");
        let (settled, derived) = w.sent(mail.message_id, mail.attempt);
        assert_eq!(settled, Settled::Now(Status::Sent));
        assert_eq!(derived[0].name, "Message Sent");
        assert!(derived[0].properties.contains("\"subject\":\"Hi Olena1\""), "{}", derived[0].properties);
        assert_eq!(w.statuses(), ["sent"]);
        let why = &w.messages()[0].message.why;
        for gate in [
            "rule",
            "person",
            "segment",
            "once",
            "address",
            "consent",
            "preference",
            "suppression",
            "quiet_hours",
            "cap",
            "template",
        ] {
            assert!(why.contains(&format!("\"gate\":\"{gate}\",\"passed\":true")), "{gate}: {why}");
        }
        w.check();
    });
}

#[test]
fn the_gate_reads_everything_at_the_moment_of_sending() {
    // [DESIGN 9] [LESSONS 17] [LESSONS 19] skip is a terminal outcome with its reason
    World::each(|mut w| {
        let t = w.template("Hi", "Hello {{ customer.first_name }}");
        w.rule(t);
        (1..=8).for_each(|id| w.person(id));
        (1..=8).for_each(|id| drop(w.enter(id)));
        w.leave(1);
        w.consent(2, Some(false));
        w.consent(3, None);
        w.facts.truth().person_of.remove(&4);
        w.facts.truth().emails.remove(&5);
        w.facts.truth().unsubscribed.insert(6);
        w.try_write(|tx| {
            block(tx, "email", "Olena7@example.com", By { reason: "bounced", actor: "", country: Country::find("UA") })
        })
        .expect("suppressed");
        w.facts.truth().traits.remove(&8);
        let batch = w.claim();
        assert_eq!((batch.claimed.len(), batch.stopped), (0, 8));
        assert_eq!(
            w.statuses(),
            [
                "stopped left_segment",
                "stopped no_consent",
                "stopped no_consent",
                "stopped person_erased",
                "stopped no_address",
                "stopped unsubscribed",
                "stopped suppressed",
                "stopped missing_value"
            ]
        );
        assert_eq!(names(&batch.derived).len(), 8);
        assert!(batch.derived.iter().all(|d| d.name == "Message Suppressed"));
        assert!(w.messages()[7].message.why.contains("customer.first_name is missing"));
        w.check();
    });
}

#[test]
fn caps_slide_add_up_over_the_person_and_count_what_may_have_arrived() {
    // [LESSONS 20] [D21] one cap over all rules; caps add up over the component
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        let rule = RuleDraft { once: false, ..rule_draft(t) };
        w.rule_with(rule.clone()).expect("a rule");
        w.caps(2, "7d");
        w.person(1);
        w.person(2);
        w.enter(1);
        w.enter(2);
        let first = w.claim();
        assert_eq!(first.claimed.len(), 2);
        w.sent(first.claimed[0].message_id, 1);
        w.settle(first.claimed[1].message_id, 1, Outcome::Unknown { reason: "lost".into() });
        w.facts.truth().merge(1, 2);
        w.enter(1);
        w.claim();
        assert_eq!(w.statuses(), ["sent", "unknown connection_lost", "stopped cap_reached"]);
        // What is known not to have arrived gives its place back.
        w.settle_unknown(first.claimed[1].message_id, SettleAs::Refused).expect("settled");
        w.enter(1);
        let again = w.claim();
        assert_eq!(again.claimed.len(), 1);
        w.sent(again.claimed[0].message_id, 1);
        // To the microsecond: a week after the second mail, one has left the window.
        w.clock.advance(WEEK_US - 1);
        w.enter(1);
        w.claim();
        w.clock.advance(1);
        w.enter(1);
        assert_eq!(w.claim().claimed.len(), 1);
        assert_eq!(w.statuses()[4..], ["stopped cap_reached", "sending"]);
        w.check();
    });
}

#[test]
fn of_two_messages_under_a_cap_with_one_place_the_older_gets_it() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule(t);
        w.rule(t);
        w.caps(1, "calendar day");
        w.person(1);
        w.enter(1);
        w.claim();
        assert_eq!(w.statuses(), ["sending", "stopped cap_reached"]);
        w.check();
    });
}

#[test]
fn once_keeps_a_rule_from_reaching_a_person_twice() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        let rule = w.rule(t);
        (1..=4).for_each(|id| w.person(id));
        // Again while the first waits, and again when it was sent: stopped from the start, and visible.
        w.enter(1);
        w.enter(1);
        let mail = w.claim().claimed.remove(0);
        w.sent(mail.message_id, 1);
        w.enter(1);
        assert_eq!(w.statuses(), ["sent", "stopped once", "stopped once"]);
        // A merge after both entered: the gate stops the second.
        w.enter(2);
        w.enter(3);
        w.facts.truth().merge(2, 3);
        w.claim();
        assert_eq!(w.statuses()[3..], ["sending", "stopped once"]);
        // Who was stopped was not reached: the next entry may.
        w.enter(4);
        w.leave(4);
        w.claim();
        w.enter(4);
        assert_eq!(w.claim().claimed.len(), 1);
        // Switched off, the rule may reach again.
        w.change_rule(rule, RuleDraft { once: false, ..rule_draft(t) });
        w.enter(1);
        assert_eq!(w.claim().claimed.len(), 1);
        w.check();
    });
}

#[test]
fn once_follows_the_address_when_a_profile_is_split_off() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule(t);
        w.person(1);
        w.person(2);
        w.enter(1);
        let mail = w.claim().claimed.remove(0);
        w.sent(mail.message_id, 1);
        // A detach moved the address to another profile: its reader was reached all the same.
        let address = w.facts.truth().emails.remove(&1).unwrap_or_default();
        w.facts.truth().emails.insert(2, address);
        w.enter(2);
        w.claim();
        assert_eq!(w.statuses(), ["sent", "stopped once"]);
        w.check();
    });
}

#[test]
fn a_template_or_rule_that_changes_meanwhile_counts_as_it_is_then() {
    // [D24] live edits; [LESSONS 17] nothing is deleted
    World::each(|mut w| {
        let t = w.template("Old", "Old");
        let rule = w.rule(t);
        w.person(1);
        w.person(2);
        w.person(3);
        w.enter(1);
        let change = draft("New", "New");
        w.try_write(move |tx| update_template(tx, t, &change, Some(1))).expect("a new version");
        let mail = w.claim().claimed.remove(0);
        assert_eq!(mail.subject, "New");
        assert_eq!(w.messages()[0].message.template_version, 2);
        let old = w.store().query(move |db| lists::template_version(db, t, 1)).expect("read").expect("kept");
        assert_eq!(old.subject, "Old");
        w.enter(2);
        w.change_rule(rule, RuleDraft { enabled: false, ..rule_draft(t) });
        w.enter(3);
        w.claim();
        assert_eq!(w.statuses()[1..], ["stopped rule_disabled"]);
        w.try_write(move |tx| archive_rule(tx, rule)).expect("deleted");
        assert_eq!(w.messages().len(), 2);
        w.check();
    });
}

#[test]
fn a_retry_waits_gives_its_place_back_and_asks_the_gate_again() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule_with(RuleDraft { once: false, ..rule_draft(t) }).expect("a rule");
        w.caps(1, "7d");
        w.person(1);
        w.enter(1);
        let mail = w.claim().claimed.remove(0);
        let retry = Outcome::Retry { reason: "RCPT TO: 451 try later".into(), after_us: 5 * SECOND_US };
        assert_eq!(w.settle(mail.message_id, 1, retry.clone()).0, Settled::Now(Status::Pending));
        assert_eq!(w.settle(mail.message_id, 1, retry).0, Settled::Stale, "an outcome counts once");
        assert!(w.claim().claimed.is_empty());
        assert_eq!(w.write(outbox::next_due), Some(w.messages()[0].message.due_at));
        w.clock.advance(5 * SECOND_US);
        let again = w.claim().claimed.remove(0);
        assert_eq!((again.attempt, &again.message_id_header), (2, &mail.message_id_header));
        assert_eq!(w.sent(mail.message_id, 1).0, Settled::Stale, "the first attempt does not matter any more");
        w.settle(mail.message_id, 2, Outcome::Retry { reason: "451".into(), after_us: SECOND_US });
        w.consent(1, Some(false));
        w.clock.advance(SECOND_US);
        w.claim();
        assert_eq!(w.statuses(), ["stopped no_consent"]);
        w.check();
    });
}

#[test]
fn a_message_is_given_up_after_a_day_or_a_dozen_attempts() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule(t);
        w.person(1);
        w.person(2);
        w.enter(1);
        let mut last = Vec::new();
        for attempt in 1..=outbox::ATTEMPTS_MAX {
            let mail = w.claim().claimed.remove(0);
            assert_eq!(mail.attempt, attempt);
            last = w.settle(mail.message_id, attempt, Outcome::Retry { reason: "451".into(), after_us: 0 }).1;
            w.clock.advance(SECOND_US);
        }
        assert_eq!(last[0].name, "Message Failed");
        w.enter(2);
        for wait in [0, 25 * HOUR_US] {
            w.clock.advance(wait);
            let mail = w.claim().claimed.remove(0);
            w.settle(mail.message_id, mail.attempt, Outcome::Retry { reason: "451".into(), after_us: SECOND_US });
        }
        assert_eq!(w.statuses(), ["stopped gave_up", "stopped gave_up"]);
        w.check();
    });
}

#[test]
fn a_lease_that_ends_makes_a_message_unknown_for_good() {
    // [DESIGN 5] an act whose answer was lost is unknown: counted, shown, never repeated
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule(t);
        (1..=4).for_each(|id| w.person(id));
        (1..=4).for_each(|id| drop(w.enter(id)));
        let mails = w.claim().claimed;
        w.clock.advance(LEASE_US - 1);
        assert_eq!(w.expire(), 0);
        w.clock.advance(1);
        assert_eq!(w.expire(), 4);
        assert_eq!(w.expire(), 0);
        w.clock.advance(WEEK_US);
        assert!(w.claim().claimed.is_empty());
        // A slow answer is still the truth.
        assert_eq!(w.sent(mails[0].message_id, 1).0, Settled::Now(Status::Sent));
        // A person settles the others, once.
        w.settle_unknown(mails[1].message_id, SettleAs::Sent).expect("settled");
        w.settle_unknown(mails[2].message_id, SettleAs::Refused).expect("settled");
        let again = w.settle_unknown(mails[2].message_id, SettleAs::Sent).expect_err("it is settled");
        assert_eq!((again.code(), again.to_string().contains("refused")), ("message_not_unknown", true));
        assert_eq!(w.sent(mails[2].message_id, 1).0, Settled::Stale, "a person's word stands");
        let missing = w.settle_unknown(999_999, SettleAs::Sent).expect_err("there is none");
        assert!(matches!(missing, MessagingError::NotFound { what: "message", id: 999_999 }));
        assert_eq!(w.statuses(), ["sent", "sent settled_by_hand", "refused settled_by_hand", "unknown lease_expired"]);
        w.check();
    });
}

#[test]
fn quiet_hours_put_marketing_off_and_nothing_else() {
    // [LESSONS 21] [LESSONS 27] the recipient's clock; not stopped
    World::each(|mut w| {
        // 14:32 UTC is 16:32 in Kyiv.
        w.shop.quiet_hours = Some(QuietHours { from_minute: 16 * 60, to_minute: 9 * 60 });
        let t = w.template("Hi", "Hello");
        w.rule(t);
        w.rule_with(RuleDraft { purpose: "service".into(), ..rule_draft(t) }).expect("a service rule");
        w.person(1);
        w.facts.truth().consents.insert(("olena1@example.com".into(), "service".into()), true);
        w.enter(1);
        let batch = w.claim();
        assert_eq!((batch.later, batch.claimed.len()), (1, 1));
        assert!(batch.claimed[0].headers.is_empty(), "service mail needs no way to unsubscribe");
        assert_eq!(w.statuses(), ["pending quiet_hours", "sending"]);
        assert_eq!(w.messages()[0].message.due_at.to_string(), "2026-11-23T07:00:00.000000Z");
        w.clock.set(w.messages()[0].message.due_at);
        assert_eq!(w.claim().claimed.len(), 1);
        w.check();
    });
}

#[test]
fn what_a_person_does_not_want_is_not_sent() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule_with(RuleDraft { topic: "news".into(), ..rule_draft(t) }).expect("a rule about news");
        w.rule_with(RuleDraft { topic: "sale".into(), ..rule_draft(t) }).expect("a rule about sales");
        w.rule_with(RuleDraft { purpose: "service".into(), topic: "news".into(), ..rule_draft(t) })
            .expect("a service rule");
        let bad = w.rule_with(RuleDraft { topic: "News!".into(), ..rule_draft(t) });
        assert!(bad.is_err(), "a topic is a word");
        w.person(1);
        w.facts.truth().consents.insert(("olena1@example.com".into(), "service".into()), true);
        w.try_write(|tx| {
            let at = tx.now();
            let choice = |topic: &str, wanted| Choice {
                channel: "email".into(),
                topic: topic.into(),
                wanted,
                at,
                actor: String::new(),
            };
            preferences::replace(tx, &[1], &[choice("*", false), choice("sale", true)])?;
            Ok::<_, MessagingError>(())
        })
        .expect("chosen");
        w.enter(1);
        assert_eq!(
            (w.claim().claimed.len(), w.statuses()),
            (2, vec!["stopped not_wanted".into(), "sending".into(), "sending".into()])
        );
        assert!(w.messages()[0].message.why.contains("does not want email about news"));
        w.check();
    });
}

#[test]
fn lists_page_by_key_and_filter() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        let rule = w.rule_with(RuleDraft { once: false, ..rule_draft(t) }).expect("a rule").id;
        (1..=3).for_each(|id| w.person(id));
        for _ in 0..3 {
            (1..=3).for_each(|id| drop(w.enter(id)));
        }
        let page = |filter: MessageFilter, limit| {
            w.store().query(move |db| lists::messages(db, &filter, limit)).expect("a page")
        };
        let all: Vec<i64> = w.messages().iter().rev().map(|m| m.message.id).collect();
        let mut seen = Vec::new();
        let mut filter = MessageFilter::default();
        loop {
            let got = page(filter.clone(), 4);
            seen.extend(got.items.iter().map(|m| m.message.id));
            filter.before = got.next;
            if got.next.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        let two = page(MessageFilter { profiles: vec![1, 3], ..MessageFilter::default() }, 5);
        assert_eq!((two.items.len(), two.next.is_some()), (5, true));
        assert!(two.items.iter().all(|m| m.message.profile_id != 2 && m.rule_name == "Welcome"));
        let status = Some(Status::Pending);
        for filter in [
            MessageFilter { status, ..MessageFilter::default() },
            MessageFilter { status, rule_id: Some(rule), ..MessageFilter::default() },
            MessageFilter { rule_id: Some(rule), ..MessageFilter::default() },
            MessageFilter { profiles: vec![1, 2, 3], status, rule_id: Some(rule), before: None },
        ] {
            assert_eq!(page(filter, 100).items.len(), 9);
        }
        let none =
            page(MessageFilter { status: Some(Status::Sent), rule_id: Some(rule), ..MessageFilter::default() }, 100);
        assert_eq!(none.items.len(), 0);
        let (_, counts) = w.store().query(move |db| lists::rule(db, rule)).expect("read").expect("a rule");
        assert_eq!((counts.intended, counts.pending), (9, 9));
        let sent = w.claim().claimed;
        w.sent(sent[0].message_id, 1);
        let since = w.messages()[0].message.intended_at;
        assert_eq!(w.store().query(move |db| lists::sent_since(db, since)).expect("read"), 1);
    });
}

#[test]
fn the_doctor_finds_what_is_broken() {
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule(t);
        w.person(1);
        w.person(2);
        w.enter(1);
        w.enter(2);
        let mails = w.claim().claimed;
        w.sent(mails[0].message_id, 1);
        w.check();
        let broken = |w: &World, sql: &'static str| {
            w.write(move |tx| tx.execute(sql, &[]).map(drop));
            w.findings().into_iter().map(|f| f.check).collect::<Vec<_>>()
        };
        assert_eq!(broken(&w, "UPDATE message_counts SET sent = sent + 1"), ["message_counts"]);
        assert_eq!(broken(&w, "UPDATE message_counts SET sent = sent - 1"), [""; 0]);
        assert_eq!(broken(&w, "UPDATE sends SET address = 'x'"), ["cap_ledger", "cap_ledger"]);
        assert_eq!(broken(&w, "DELETE FROM sends"), ["cap_ledger", "cap_ledger"]);
        assert!(broken(&w, "UPDATE messages SET due_at = 0, profile_id = 1").contains(&"message_once"));
        assert!(broken(&w, "UPDATE templates SET archived_at = 1").contains(&"rule_template"));
        assert!(broken(&w, "DELETE FROM template_versions").contains(&"template_version"));
    });
}

#[test]
fn an_erased_person_leaves_counts_and_no_traces() {
    // [AB] erasure
    World::each(|mut w| {
        let t = w.template("Hi {{ customer.first_name }}", "Hello");
        w.rule_with(RuleDraft { once: false, ..rule_draft(t) }).expect("a rule");
        w.person(1);
        w.person(2);
        for id in [1, 1, 2] {
            w.enter(id);
            if let Some(mail) = w.claim().claimed.first() {
                w.sent(mail.message_id, 1);
            }
        }
        w.enter(1);
        w.enter(2);
        w.write(|tx| outbox::forget(tx, &[1]));
        assert_eq!(w.statuses(), ["sent", "sent", "sent", "stopped person_erased", "pending"]);
        for item in w.messages() {
            let m = item.message;
            let traces = [m.address, m.subject, m.why].concat();
            assert!(!traces.contains("lena1"), "{traces}");
            assert_eq!(
                traces.contains("olena2@example.com"),
                m.profile_id == 2 && m.status == Status::Sent,
                "{traces}"
            );
        }
        w.check();
    });
}

#[test]
fn many_entries_of_one_call_see_each_other() {
    World::each(|w| {
        let t = w.template("Hi", "Hello");
        w.rule(t);
        (1..=3).for_each(|id| w.person(id));
        w.facts.truth().merge(1, 2);
        let mut facts = w.facts.clone();
        let entry = |person_id, event_seq| outbox::Entry { segment_id: 1, person_id, event_seq, event_id: "e" };
        let entries = [entry(1, 1), entry(1, 1), entry(1, 2), entry(2, 3), entry(3, 4)];
        let derived = w.write(move |tx| outbox::intend(tx, &mut facts, &entries));
        assert_eq!(w.statuses(), ["pending", "stopped once", "stopped once", "pending"]);
        assert_eq!(derived.len(), 2);
        assert_ne!(derived[0].message_id, derived[1].message_id);
        w.check();
    });
}

#[test]
fn mail_to_a_blocked_service_is_held_back_unless_the_shop_says_send() {
    // [E1] services that are blocked in Ukraine deliver nothing: the gate says why
    World::each(|mut w| {
        let t = w.template("Hi", "Hello");
        w.rule_with(RuleDraft { once: false, ..rule_draft(t) }).expect("a rule");
        w.person(1);
        w.facts.truth().emails.insert(1, vec!["olena1@mail.ru".into()]);
        w.facts.truth().consents.insert(("olena1@mail.ru".into(), "marketing".into()), true);
        w.enter_by(1, 7);
        w.claim();
        assert_eq!(w.statuses(), ["stopped suppressed"]);
        let held = &w.messages()[0].message;
        assert_eq!(held.reason, "suppressed");
        assert!(held.why.contains("its mail service is blocked"), "{}", held.why);
        w.write(|tx| db::settings::set(tx.engine(), lists::BLOCKED_SERVICES, "send"));
        w.enter_by(1, 8);
        assert_eq!(w.claim().claimed.len(), 1);
        w.check();
    });
}
