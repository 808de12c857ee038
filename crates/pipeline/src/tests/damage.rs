//! The test of the doctor: a sound store is damaged in one way, and just that is found. Every check of `doctor` has a case.
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

const CASES: &[Case] = &[
    // The log itself.
    case(
        "a row of the log is gone",
        &["log"],
        |db| sql(db, "DELETE FROM log WHERE first_seq = 3"),
        &[
            // It was the one that joined two profiles.
            "counts",
            "hours",
            "identity.edge",
            "identity.person",
            "index",
            "log.contiguous",
            "state",
        ],
    ),
    case(
        "the newest row of the log is gone",
        &["log"],
        |db| sql(db, &format!("DELETE FROM log WHERE first_seq = ({LAST})")),
        &["counts", "hours", "index", "log.contiguous", "state", "subscriptions"],
    ),
    case(
        "a row of the log is shifted",
        &["log"],
        |db| sql(db, &format!("UPDATE log SET first_seq = first_seq + 1 WHERE first_seq = ({LAST})")),
        &["index", "log.contiguous"],
    ),
    case(
        "the writer goes on too early",
        &["writers"],
        |db| sql(db, "UPDATE writers SET next_seq = next_seq - 1"),
        &["log.contiguous"],
    ),
    case(
        "a row is of a group that never was",
        &["log"],
        |db| sql(db, &format!("UPDATE log SET group_id = group_id + 1000 WHERE first_seq = ({LAST})")),
        &[
            // Such a row is folded once more into what has it already.
            "index",
            "log.group",
            "state",
            "state.flushed",
        ],
    ),
    case(
        "a row counts another number of items",
        &["log"],
        |db| sql(db, "UPDATE log SET count = count + 1 WHERE first_seq = 3"),
        &["log.ids"],
    ),
    case(
        "a body cannot be unpacked",
        &["log"],
        |db| sql(db, "UPDATE log SET body = ids WHERE first_seq = 3"),
        &["damaged"],
    ),
    // Ids.
    case(
        "an id is struck out of the log",
        &["log"],
        |db| change_ids(db, |ids| ids[..16].fill(0)),
        &["counts", "hours", "index", "state"],
    ),
    case("an id stands in the log twice", &["log"], |db| change_ids(db, |ids| ids.copy_within(16..32, 0)), &["ids"]),
    case(
        "a run knows an id that the log does not",
        &["dedup_runs", "dedup_pages"],
        |db| run_of_ids(db, &[7u128.to_le_bytes()], 1),
        &["ids"],
    ),
    case("a run has lost an id", &["dedup_runs", "dedup_pages"], |db| run_of_ids(db, &[], 1), &["ids"]),
    // Identity.
    case(
        "an identifier moved to another profile",
        &["identifiers"],
        |db| sql(db, "UPDATE identifiers SET profile_id = 3 WHERE value = 'u1'"),
        &["identity.owner", "state"],
    ),
    case(
        "an identifier is gone",
        &["identifiers"],
        |db| sql(db, "DELETE FROM identifiers WHERE value = 'u1'"),
        &["identity.owner", "state"],
    ),
    case(
        "an identifier came from nowhere",
        &["identifiers"],
        |db| {
            sql(
                db,
                "INSERT INTO identifiers (kind, value, profile_id, seq, message_id, at) VALUES ('user_id', 'stranger', 1, 1, 'm', 0)",
            );
        },
        &["identity.owner", "state"],
    ),
    case(
        "two profiles hold one value",
        &["profiles", "profile_list"],
        |db| {
            change(db, 3, |profile| {
                let key = Key {
                    kind: "user_id".into(),
                    value: "u1".into(),
                    evidence: Some(Evidence { seq: 1, message_id: "m".into(), at: noon() }),
                };
                Arc::make_mut(&mut profile.state.identifiers.keys).push(key);
                profile.state.identifiers.seen.push(Seen { first: noon(), last: noon() });
            })
        },
        &["state"],
    ),
    case(
        "a profile belongs to somebody else",
        &["profiles", "profile_list"],
        |db| change(db, 1, |profile| profile.person = 3),
        &["counts", "identity.person", "memberships", "segments.count"],
    ),
    case(
        "a joined profile stands alone",
        &["profiles", "profile_list"],
        |db| {
            let (joined, _) = joined(db);
            change(db, joined, |profile| profile.person = joined_id(profile));
        },
        &["counts", "identity.person", "memberships"],
    ),
    case("an edge is gone", &["edges"], |db| sql(db, "DELETE FROM edges"), &["identity.edge"]),
    case(
        "an edge came from nowhere",
        &["edges"],
        |db| {
            sql(
                db,
                "INSERT INTO edges (id, a, b, rule, kind, value, seq, message_id, at, removed_at) VALUES (1, 1, 3, 'same_event', 'user_id', 'u1', 1, 'm', 0, 0)",
            );
        },
        &["identity.edge"],
    ),
    case(
        "a list shows a profile with another person",
        &["profile_list"],
        |db| sql(db, "UPDATE profile_list SET person = 3 WHERE profile_id = 1"),
        &["lists"],
    ),
    case(
        "a list does not show a profile",
        &["profile_list"],
        |db| sql(db, "DELETE FROM profile_list WHERE profile_id = 1"),
        &["lists"],
    ),
    // States and indexes.
    case(
        "a row of a profile is gone",
        &["profiles"],
        |db| sql(db, "DELETE FROM profiles WHERE profile_id = 3"),
        &[
            // It is folded again from the log's beginning, which a start would not do.
            "state.flushed",
        ],
    ),
    case(
        "a row of a profile is cut",
        &["profiles"],
        |db| sql(db, "UPDATE profiles SET state = (SELECT ids FROM log WHERE first_seq = 1) WHERE profile_id = 3"),
        &["damaged"],
    ),
    case(
        "a row says that it has less than it has",
        &["profiles", "profile_list"],
        |db| sql(db, "UPDATE profiles SET folded_to = 0 WHERE profile_id = 1"),
        &["index", "state", "state.flushed"],
    ),
    case(
        "totals are wrong",
        &["profiles", "profile_list"],
        |db| change(db, 1, |p| p.state.totals.events += 1),
        &["state"],
    ),
    case(
        "revenue is wrong",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| p.state.totals.revenue.add(Currency::parse("UAH").expect("a code"), 1));
        },
        &["state"],
    ),
    case(
        "a trait is wrong",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| Arc::make_mut(&mut p.state.traits.0)[0].value = Some("\"Kyiv\"".into()));
        },
        &["state"],
    ),
    case(
        "counters are gone",
        &["profiles", "profile_list"],
        |db| change(db, 1, |p| p.state.counters = Default::default()),
        &["state"],
    ),
    case(
        "an index entry is gone",
        &["profiles", "profile_list"],
        |db| change(db, 1, |p| change_tail(p, |e| e.truncate(e.len() - 1))),
        &["index"],
    ),
    case(
        "an index entry is of another event",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| {
                change_tail(p, |e| {
                    let last = e.last_mut().expect("it has events");
                    last.timestamp = last.timestamp.plus(1);
                })
            })
        },
        &["index"],
    ),
    case(
        "an index entry came from nowhere",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| {
                change_tail(p, |e| {
                    let last = *e.last().expect("it has events");
                    e.push(Entry { seq: last.seq + 1, ..last });
                })
            })
        },
        &["index"],
    ),
    case("a chunk of an index is gone", &["profile_index"], |db| sql(db, "DELETE FROM profile_index"), &["index"]),
    case(
        "a chunk of an index is another's",
        &["profile_index"],
        |db| sql(db, "UPDATE profile_index SET profile_id = 3"),
        &["index"],
    ),
    case(
        "a chunk of an index is nobody's",
        &["profile_index"],
        |db| {
            sql(
                db,
                "INSERT INTO profile_index (profile_id, chunk, entries) SELECT 999, chunk, entries FROM profile_index",
            );
        },
        &["index"],
    ),
    // Segments.
    case(
        "a membership is gone",
        &["memberships"],
        |db| sql(db, "DELETE FROM memberships WHERE person_id = 1"),
        &["memberships", "segments.count"],
    ),
    case(
        "a membership came from nowhere",
        &["memberships"],
        |db| {
            sql(
                db,
                "INSERT INTO memberships (person_id, segment_id, since, leaves_at, cause) \
                 SELECT 3, id, 0, 0, 'event' FROM segments WHERE name = 'Views'",
            );
        },
        &["memberships", "segments.count"],
    ),
    case(
        "a membership is of no person",
        &["memberships"],
        |db| {
            sql(
                db,
                "INSERT INTO memberships (person_id, segment_id, since, leaves_at, cause) \
                 SELECT 999, id, 0, 0, 'event' FROM segments WHERE name = 'Views'",
            );
        },
        &["memberships"],
    ),
    case(
        "a timer rings too late",
        &["timers"],
        |db| sql(db, "UPDATE timers SET due_at = due_at + 86400000000"),
        &["timers"],
    ),
    case("a timer is gone", &["timers"], |db| sql(db, "DELETE FROM timers"), &["timers"]),
    case(
        "a segment counts one too many",
        &["segment_counts"],
        |db| sql(db, "UPDATE segment_counts SET count = count + 1"),
        &["segments.count"],
    ),
    // Books.
    case("events are counted wrong", &["writers"], |db| sql(db, "UPDATE writers SET events = events + 1"), &["counts"]),
    case(
        "own events are counted wrong",
        &["writers"],
        |db| sql(db, "UPDATE writers SET derived = derived + 1"),
        &["counts"],
    ),
    case(
        "profiles are counted wrong",
        &["writers"],
        |db| sql(db, "UPDATE writers SET profiles = profiles + 1"),
        &["counts"],
    ),
    case(
        "joined profiles are counted wrong",
        &["writers"],
        |db| sql(db, "UPDATE writers SET absorbed = absorbed + 1"),
        &["counts"],
    ),
    case(
        "numbers of profiles begin again",
        &["writers"],
        |db| sql(db, "UPDATE writers SET next_profile = 1"),
        &["sequences"],
    ),
    case("numbers begin again", &["writers"], |db| sql(db, "UPDATE writers SET next_id = 1"), &["sequences"]),
    case("an hour is lost", &["hours"], |db| sql(db, "DELETE FROM hours"), &["hours"]),
    case(
        "a reader is ahead of the log",
        &["subscriptions"],
        |db| sql(db, "UPDATE subscriptions SET position = position + 1000"),
        &["subscriptions"],
    ),
    // Messages.
    case(
        "messages are counted wrong",
        &["message_counts"],
        |db| sql(db, "UPDATE message_counts SET pending = pending + 1"),
        &["message_counts"],
    ),
    case(
        "a message changed its status by itself",
        &["messages"],
        |db| sql(db, "UPDATE messages SET status = 'sent'"),
        &["cap_ledger", "message_counts", "message_state"],
    ),
    case("a message is gone", &["messages"], |db| sql(db, "DELETE FROM messages"), &["message_counts"]),
    case(
        "a message has a status that there is not",
        &["messages"],
        |db| sql(db, "UPDATE messages SET status = 'lost'"),
        &["message_counts", "message_state", "message_status"],
    ),
    case(
        "a message waits for no moment",
        &["messages"],
        |db| sql(db, "UPDATE messages SET due_at = 0"),
        &["message_state"],
    ),
    case(
        "caps count what was never sent",
        &["sends"],
        |db| {
            sql(
                db,
                "INSERT INTO sends (message_id, profile_id, channel, purpose, address, at) VALUES (1, 1, 'email', 'marketing', 'a@b.c', 0)",
            );
        },
        &["cap_ledger"],
    ),
    case(
        "a template lost its text",
        &["template_versions"],
        |db| sql(db, "DELETE FROM template_versions"),
        &["template_version"],
    ),
    case(
        "a rule's template was archived behind its back",
        &["templates"],
        |db| sql(db, "UPDATE templates SET archived_at = 1"),
        &["rule_template"],
    ),
];

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
fn rule(shop: &Shop, segment_id: i64) {
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
        for Case { name, tables, damage, finds } in CASES {
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
