//! Editing templates, rules and caps: what is refused, in which words, and that nothing is lost.
use super::world::{World, draft, rule_draft, shop};
use crate::MessagingError;
use crate::commands::{
    archive_rule, archive_template, create_template, load_quiet_hours, parse_quiet_hours, preview, put_caps,
    put_quiet_hours, restore_rule, restore_template, update_rule, update_template,
};
use crate::lists;
use crate::model::{Cap, RuleDraft, TemplateDraft};
use crate::rules;
use crate::suppressions::{By, block, lift, reason};
use serde_json::json;

fn pointers(error: &MessagingError) -> Vec<&str> {
    error.errors().iter().map(|e| e.pointer.as_str()).collect()
}

#[test]
fn a_bad_template_is_refused_with_every_mistake() {
    World::each(|w| {
        let bad = TemplateDraft { name: " ".into(), channel: "pigeon".into(), ..draft("{{ x", "y\n{% if %}") };
        let error = w.try_write(move |tx| create_template(tx, &bad)).expect_err("bad");
        assert_eq!(error.code(), "bad_template");
        assert_eq!(pointers(&error), ["/name", "/channel", "/subject", "/body_text"]);
        assert_eq!(error.errors()[3].line, Some(2));
        assert!(error.errors()[1].detail.contains("write one of email"));
        assert!(error.to_string().contains("(and 3 more)"));
        assert_eq!(w.store().query(|db| lists::templates(db, false)).expect("read"), []);
    });
}

#[test]
fn a_template_keeps_its_versions_and_is_changed_by_who_read_it() {
    // [DESIGN 8] versioned, restored in one step
    World::each(|w| {
        let one = draft("One", "1");
        let made = w.try_write(move |tx| create_template(tx, &one)).expect("made");
        assert_eq!((made.after.version, made.before.is_none(), made.warnings.len()), (1, true, 1));
        let id = made.after.id;
        let two = draft("Two", "{{ links.unsubscribe }}");
        let stale = two.clone();
        let changed = w.try_write(move |tx| update_template(tx, id, &two, Some(1))).expect("changed");
        assert_eq!(
            (changed.after.version, changed.before.map(|b| b.subject), changed.warnings.len()),
            (2, Some("One".into()), 0)
        );
        let error = w.try_write(move |tx| update_template(tx, id, &stale, Some(1))).expect_err("stale");
        assert!(matches!(error, MessagingError::Stale { expected: 1, current: 2, .. }), "{error}");
        let rule = w.rule(id);
        let error = w.try_write(move |tx| archive_template(tx, id)).expect_err("in use");
        assert_eq!(error.code(), "template_in_use");
        w.try_write(move |tx| archive_rule(tx, rule)).expect("deleted");
        assert!(w.try_write(move |tx| archive_template(tx, id)).expect("deleted").after.archived);
        let mut facts = w.facts.clone();
        let error = w.try_write(move |tx| restore_rule(tx, &mut facts, rule)).expect_err("its template is gone");
        assert_eq!(pointers(&error), ["/template_id"]);
        assert_eq!(w.store().query(|db| lists::templates(db, true)).expect("read").len(), 1);
        w.try_write(move |tx| restore_template(tx, id)).expect("back");
        let mut facts = w.facts.clone();
        let back = w.try_write(move |tx| restore_rule(tx, &mut facts, rule)).expect("back").after;
        assert_eq!((back.archived, back.version), (false, 3));
        let found = w.store().query(move |db| lists::template(db, id)).expect("read").expect("there");
        assert_eq!(found.subject, "Two");
        w.check();
    });
}

#[test]
fn a_rule_names_what_exists() {
    World::each(|w| {
        let t = w.template("Hi", "x");
        let bad = RuleDraft {
            segment_id: 77,
            template_id: 12345,
            channel: "sms".into(),
            purpose: "spam".into(),
            ..rule_draft(t)
        };
        let error = w.rule_with(bad).expect_err("bad");
        assert_eq!(error.code(), "bad_message_rule");
        assert_eq!(pointers(&error), ["/channel", "/purpose", "/segment_id", "/template_id"]);
        let named = w.rule_with(RuleDraft { name: String::new(), ..rule_draft(t) }).expect("a rule");
        assert_eq!(named.name, format!("Segment 1 → template {t}"));
        let mut facts = w.facts.clone();
        let missing = w.try_write(move |tx| update_rule(tx, &mut facts, 999, &rule_draft(t), None)).expect_err("none");
        assert_eq!(missing.code(), "not_found");
        let mut facts = w.facts.clone();
        let id = named.id;
        let stale = w.try_write(move |tx| update_rule(tx, &mut facts, id, &rule_draft(t), Some(9))).expect_err("stale");
        assert_eq!(stale.code(), "version_conflict");
    });
}

#[test]
fn rules_in_memory_follow_commits_and_starts() {
    World::each(|mut w| {
        let t = w.template("Hi", "x");
        let id = w.rule(t);
        let off = |w: &World| !w.write(|tx| rules::listens(tx, 1));
        assert!(!off(&w));
        w.change_rule(id, RuleDraft { enabled: false, ..rule_draft(t) });
        assert!(off(&w));
        w.change_rule(id, rule_draft(t));
        // A command that fails after its write leaves the rule as it was.
        let undone = w.try_write(move |tx| {
            archive_rule(tx, id)?;
            Err::<(), _>(MessagingError::BadToken)
        });
        assert!(undone.is_err() && !off(&w));
        w.crash();
        assert!(!off(&w));
        let (rule, _) = w.store().query(move |db| lists::rule(db, id)).expect("read").expect("there");
        assert_eq!((rule.version, rule.archived), (3, false));
        assert_eq!(w.store().query(|db| lists::rules(db, false)).expect("read").len(), 1);
        assert_eq!(w.store().query(|db| lists::rules(db, true)).expect("read").len(), 0);
    });
}

#[test]
fn caps_are_replaced_as_a_whole() {
    World::each(|w| {
        let cap = |channel: &str, purpose: &str, limit, window: &str| Cap {
            channel: channel.into(),
            purpose: purpose.into(),
            limit,
            window: window.into(),
        };
        let good = [cap("email", "marketing", 3, "7d"), cap("any", "any", 10, "calendar month")];
        let first = w.try_write({
            let good = good.clone();
            move |tx| put_caps(tx, &good)
        });
        let first = first.expect("good");
        assert_eq!((first.before, first.after.len()), (Some(vec![]), 2));
        let bad =
            [cap("fax", "x", -1, "7 days"), cap("email", "marketing", 3, "7d"), cap("email", "marketing", 4, " 7d")];
        let error = w.try_write(move |tx| put_caps(tx, &bad)).expect_err("bad");
        assert_eq!(error.code(), "bad_caps");
        assert_eq!(
            pointers(&error),
            ["/items/0/channel", "/items/0/purpose", "/items/0/limit", "/items/0/window", "/items/2/window"]
        );
        assert_eq!(w.store().query(lists::caps).expect("read").len(), 2);
        w.try_write(|tx| put_caps(tx, &[])).expect("none");
        assert_eq!(w.store().query(lists::caps).expect("read"), []);
    });
}

#[test]
fn addresses_are_suppressed_and_let_go() {
    World::each(|w| {
        let by = |reason: &'static str| By { reason, actor: "", country: base::Country::find("UA") };
        let (bounced, again, none, till) = (by("bounced"), by("again"), by("x"), by("asked at the till"));
        w.try_write(move |tx| block(tx, "email", " Olena@Example.com", bounced)).expect("blocked");
        w.try_write(move |tx| block(tx, "email", "olena@example.com", again)).expect("blocked");
        let all = w.store().query(|db| lists::suppressions(db, "email", "", "", 10)).expect("read");
        assert_eq!((all.len(), all[0].reason.as_str(), all[0].address.as_str()), (1, "bounced", "olena@example.com"));
        assert!(w.try_write(move |tx| block(tx, "email", "nobody", none)).is_err());
        let lifted = |w: &World| w.try_write(move |tx| lift(tx, "email", "olena@example.com", none.country));
        assert!(lifted(&w).expect("lifted").1 && !lifted(&w).expect("lifted").1);
        // A telephone is blocked on one channel and goes on getting calls.
        w.try_write(move |tx| block(tx, "sms", "067 123 45 67", till)).expect("blocked");
        let why = |w: &World, channel: &'static str| {
            w.try_write(move |tx| Ok(reason(tx, channel, "+380671234567")?)).expect("read")
        };
        assert_eq!((why(&w, "sms").as_deref(), why(&w, "call")), (Some("asked at the till"), None));
        let counts = w.store().query(lists::suppressed).expect("read");
        assert_eq!(counts, [("sms".to_string(), 1)]);
    });
}

#[test]
fn a_preview_shows_one_person_and_keeps_nothing() {
    let traits = json!({ "firstName": "Оля" });
    let traits = traits.as_object().expect("an object");
    let found =
        preview(&draft("Hi {{ customer.first_name }}", "x {{ event.sku }}"), traits, Some("{\"sku\": 5}"), &shop())
            .expect("shown");
    assert_eq!(found.rendered.subject, "Hi Оля");
    assert!(found.rendered.text.contains("x 5") && found.rendered.text.contains("/u/preview"));
    assert_eq!(found.warnings.len(), 1);
    let error = preview(&draft("Hi", "x\n{{ event.sku }}"), traits, None, &shop()).expect_err("missing");
    assert_eq!((pointers(&error), error.errors()[0].line), (vec!["/body_text"], Some(2)));
}

#[test]
fn quiet_hours_are_one_setting() {
    World::each(|w| {
        assert_eq!(w.write(load_quiet_hours), None);
        let hours = parse_quiet_hours("21:00 - 09:30").expect("good");
        assert_eq!((hours.from_minute, hours.to_minute), (1260, 570));
        w.try_write(move |tx| put_quiet_hours(tx, Some(hours))).expect("set");
        assert_eq!(w.write(load_quiet_hours), Some(hours));
        assert_eq!(w.try_write(|tx| put_quiet_hours(tx, None)).expect("unset").before, Some(Some(hours)));
        assert_eq!(w.write(load_quiet_hours), None);
        for bad in ["", "21-9", "21:00", "25:00-09:00", "21:60-09:00", "+1:00-09:00", "09:00-09:00"] {
            assert_eq!(parse_quiet_hours(bad).expect_err(bad).code(), "bad_setting");
        }
    });
}
