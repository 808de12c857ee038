//! The test of the doctor: a sound store is damaged in one way, and just that is found. Every check of `doctor` has a case.
mod cases;

use super::harness::*;
use crate::facts::Facts;
use base::{DAY_US, Timestamp};
use customers::Profile;
use customers::model::{Currency, Evidence, Key, Seen};
use customers::profiles::Profiles;
use db::index::{Entry, Tail};
use db::{Engine, Sync, Table};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One way to damage a store.
struct Case {
    name: &'static str,
    /// What it touches, to be put back afterwards.
    tables: &'static [&'static str],
    damage: fn(&mut Engine),
    /// The names of all checks that then find something, and of no others.
    finds: &'static [&'static str],
}

const fn case(
    name: &'static str,
    tables: &'static [&'static str],
    damage: fn(&mut Engine),
    finds: &'static [&'static str],
) -> Case {
    Case { name, tables, damage, finds }
}

/// The beginning of the log's newest row.
const LAST: &str = "SELECT MAX(first_seq) FROM log";

fn sql(db: &mut Engine, text: &str) {
    let changed = db.execute(text, &[]).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert!(changed > 0, "nothing was damaged: {text}");
}

/// Reads a profile's row, changes it, and writes it as it was read.
fn change(db: &mut Engine, id: i64, change: impl FnOnce(&mut Profile)) {
    let mut row = Profiles::load(db, id).expect("it is read").expect("it is there");
    let before = row.clone();
    change(&mut row);
    assert_ne!(row, before, "nothing was damaged");
    Profiles::flush(db, &[(id, &row)], row.folded_to).expect("it is written");
}

fn change_tail(profile: &mut Profile, change: impl FnOnce(&mut Vec<Entry>)) {
    let mut entries = profile.tail.entries();
    change(&mut entries);
    profile.tail = Tail::from(entries);
}

/// A profile that belongs to another one, and that one.
fn joined(db: &mut Engine) -> (i64, i64) {
    let row =
        db.first("SELECT profile_id, person FROM profile_list WHERE person <> profile_id", &[]).expect("it is read");
    let row = row.expect("somebody was joined");
    (row.int(0).expect("a number"), row.int(1).expect("a number"))
}

/// The joined profile's own id: ids are given in order of birth, and it is the second of two.
fn joined_id(profile: &Profile) -> i64 {
    profile.person + 1
}

/// Changes the ids of a row of the log that holds several events.
fn change_ids(db: &mut Engine, change: impl FnOnce(&mut Vec<u8>)) {
    let row = db.first("SELECT first_seq, ids FROM log WHERE count > 20 ORDER BY first_seq", &[]).expect("it is read");
    let row = row.expect("a batch of many events");
    let mut ids = row.blob(1).expect("bytes").to_vec();
    change(&mut ids);
    db.execute("UPDATE log SET ids = $1 WHERE first_seq = $2", &[(&ids).into(), row.int(0).expect("a number").into()])
        .expect("it is written");
}

/// Writes a sealed run of ids that says that it holds `count`.
fn run_of_ids(db: &mut Engine, ids: &[[u8; 16]], count: i64) {
    let (page, filter) = (ids.concat(), vec![0u8]);
    let run =
        "INSERT INTO dedup_runs (run, upto_seq, newest_at, keep_for_ever, count, filter) VALUES (1, 1, 0, 0, $1, $2)";
    db.execute(run, &[count.into(), (&filter).into()]).expect("a run is written");
    db.execute("INSERT INTO dedup_pages (run, page, ids) VALUES (1, 0, $1)", &[(&page).into()])
        .expect("a page is written");
}

/// A store with something of everything: people who were joined, a long history, timers, consents, a message that waits.
fn furnished(mut shop: Shop) -> Shop {
    shop.segment("Views", r#"count("Product Viewed" in last 2 days) >= 3"#);
    let buyers = shop.segment("Buyers", r#"count("Order Completed") >= 1"#).id;
    shop.segment("In Lviv", r#"trait.city = "Lviv""#);
    shop.segment("Willing", r#"consent.email.marketing = "granted""#);
    rule(&shop, buyers);
    let identify = |id: &str, who: Value| {
        let mut item = json!({"type": "identify", "messageId": id, "traits": {"city": "Lviv"}});
        who.as_object().into_iter().flatten().for_each(|(k, v)| item[k] = v.clone());
        item
    };
    shop.events(&[identify("a", json!({"userId": "u1", "context": {"traits": {"email": "u1@example.com"}}}))]);
    shop.events(&[identify("b", json!({"anonymousId": "d2"}))]);
    // Here the two become one person, before a third comes.
    shop.events(&[identify("c", json!({"userId": "u1", "anonymousId": "d2"}))]);
    shop.events(&[identify("d", json!({"userId": "u3"}))]);
    let view =
        |n: usize| json!({"type": "track", "messageId": format!("v{n}"), "userId": "u1", "event": "Product Viewed"});
    let views: Vec<Value> = (0..90).map(view).collect();
    shop.events(&views);
    let consent = json!({"channel": "email", "purpose": "marketing", "wording": "w"});
    shop.events(&[
        json!({"type": "track", "messageId": "e", "userId": "u1", "event": "Consent Granted", "properties": consent,
                         "context": {"traits": {"email": "u1@example.com"}}}),
    ]);
    let order = json!({"total": 12.5, "currency": "UAH"});
    shop.events(&[
        json!({"type": "track", "messageId": "f", "userId": "u1", "event": "Order Completed", "properties": order}),
    ]);
    shop.events(&[json!({"type": "track", "messageId": "g", "userId": "u3", "event": "Product Viewed"})]);
    let position = shop.core().store.write(|tx| {
        tx.execute(
            "INSERT INTO subscriptions (name, writer, position) VALUES ('a reader', 1, $1)",
            &[tx.next_seq().into()],
        )
    });
    position.expect("it is written");
    shop.stop();
    shop
}

/// Whoever enters the segment is written to.
pub(super) fn rule(shop: &Shop, segment_id: i64) {
    let preparer = shop.core().preparer.clone();
    let made = shop.core().store.write(move |tx| {
        let template = messaging::model::TemplateDraft {
            name: "Thanks".into(),
            channel: "email".into(),
            subject: "Thanks".into(),
            body_html: "<p>Thanks</p>".into(),
            body_text: String::new(),
        };
        let template_id = messaging::commands::create_template(tx, &template)?.after.id;
        let draft = messaging::model::RuleDraft {
            name: String::new(),
            segment_id,
            template_id,
            channel: "email".into(),
            purpose: "marketing".into(),
            topic: String::new(),
            once: true,
            enabled: true,
        };
        messaging::commands::create_rule(tx, &mut Facts { preparer: &preparer }, &draft).map(drop)
    });
    made.expect("the rule is made");
}

/// The names of the checks that find something.
fn found(shop: &Shop) -> (BTreeSet<String>, Vec<String>) {
    let findings = shop.doctor().findings;
    let told = findings.iter().map(|f| format!("{} {}: {}", f.check, f.subject, f.detail)).collect();
    (findings.into_iter().map(|f| f.check).collect(), told)
}

#[test]
fn each_damage_is_found_and_named() {
    for shop in shops() {
        let shop = furnished(shop);
        assert_eq!(found(&shop).1, Vec::<String>::new(), "the undamaged store is sound");
        let mut db = shop.place.location.open(Sync::UnsafeFast, false).expect("the store opens");
        let mut wrong = Vec::new();
        for Case { name, tables, damage, finds } in cases::CASES {
            for table in *tables {
                db.batch(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).expect("a copy is made");
            }
            damage(&mut db);
            let (checks, told) = found(&shop);
            if !checks.iter().map(String::as_str).eq(finds.iter().copied()) {
                wrong.push(format!("{name}: expected {finds:?}, found {checks:?}: {told:#?}"));
            }
            for table in *tables {
                let back = format!(
                    "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
                );
                db.batch(&back).expect("the copy is put back");
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(found(&shop).1, Vec::<String>::new(), "what was damaged was put back");
    }
}

#[test]
fn what_a_person_must_know_is_a_note_and_no_finding() {
    for shop in shops() {
        let shop = furnished(shop);
        let mut db = shop.place.location.open(Sync::UnsafeFast, false).expect("the store opens");
        let settled = noon().micros();
        let unknown = "UPDATE messages SET status = 'unknown', due_at = 0, settled_at = $1, attempts = 1, address = 'a@b.c', template_version = 1";
        db.execute(unknown, &[settled.into()]).expect("it is written");
        db.batch("UPDATE message_counts SET pending = 0, unknown = 1").expect("it is written");
        db.execute(
            "INSERT INTO sends (message_id, profile_id, channel, purpose, address, at) \
             SELECT id, profile_id, channel, purpose, address, $1 FROM messages",
            &[settled.into()],
        )
        .expect("it is written");
        shop.clock.set(Timestamp::from_micros(settled + 2 * DAY_US));
        let report = shop.doctor();
        // Two days later the timers are overdue, which is the server's work and no damage.
        assert_eq!(report.findings, [], "{:#?}", report.findings);
        let note = report.notes.iter().find(|n| n.what == "unknown_messages").expect("it is told");
        assert_eq!((note.count, note.oldest_s), (1, Some(2 * 86_400)));
    }
}
