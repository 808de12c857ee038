//! Erasing people: nothing of them is left, nothing of others changes, and nobody comes back by a file or a backup.
use super::harness::*;
use crate::erasure::{self, manifest};
use base::{Clock, DAY_US, HOUR_US, Rng};
use collect::SourceKind;
use customers::privacy::erased;
use db::{DbError, Location};
use serde_json::{Value, json};

const NEEDLES: [&str; 5] = ["olena@example.com", "671112233", "Zinchenko", "olena-device-77", "Pasichna"];

pub(super) fn olena(shop: &Shop) {
    let at = |hours: i64| shop.clock.now().plus(-hours * HOUR_US).to_string();
    shop.events(&[
        json!({"type": "identify", "messageId": "o1", "anonymousId": "olena-device-77", "timestamp": at(9),
            "traits": {"email": "Olena@example.com", "phone": "+38 (067) 111-22-33", "firstName": "Olena", "lastName": "Zinchenko"}}),
        json!({"type": "track", "messageId": "p1", "userId": "petro", "timestamp": at(8), "event": "Product Viewed",
            "properties": {"category": "garden"}}),
        json!({"type": "track", "messageId": "o2", "userId": "olena-1", "timestamp": at(7), "event": "Order Completed",
            "context": {"traits": {"email": "olena@example.com"}},
            "properties": {"order_id": "R-1", "total": 250, "currency": "UAH", "note": "ring Olena Zinchenko",
                "products": [{"sku": "S1", "price": 250, "quantity": 1, "gift_for": "Zinchenko"}]}}),
    ]);
    // An old name of hers, and a repeat in a request of somebody else: not accepted, yet in that body.
    shop.events(&[
        json!({"type": "identify", "messageId": "o0", "userId": "olena-1", "timestamp": at(20), "traits": {"lastName": "Pasichna"}}),
    ]);
    shop.events(&[
        json!({"type": "identify", "messageId": "o1", "anonymousId": "olena-device-77",
            "traits": {"email": "Olena@example.com", "lastName": "Zinchenko"}}),
        json!({"type": "track", "messageId": "p2", "userId": "petro", "timestamp": at(6), "event": "Order Completed",
            "properties": {"order_id": "R-2", "total": 99, "currency": "UAH"}}),
    ]);
}

fn reject(shop: &Shop) {
    let raw = "{\"email\":\"olena@example.com\",\"phone\":\"067 111 22 33\"}".to_string();
    let refused = collect::Reject {
        index: 0,
        message_id: None,
        code: "wrong_type",
        pointer: "/x".into(),
        detail: "no".into(),
        event: None,
        raw,
        envelope: Some("{\"context\":{\"traits\":{\"email\":\"olena@example.com\"}}}".into()),
    };
    let done: Result<(), DbError> = shop.core().store.write(move |tx| {
        let now = tx.now();
        crate::rejects::record(tx, 1, now, std::slice::from_ref(&refused))
    });
    done.expect("the reject is kept");
}

pub(super) fn begin(shop: &Shop, person: i64) -> i64 {
    let preparer = shop.core().preparer.clone();
    shop.core().store.write(move |tx| erasure::begin(tx, &preparer, person)).expect("the erasure begins")
}

pub(super) fn work_off(shop: &Shop) {
    shop.until("the erasure is through the tables", |shop| {
        shop.core().store.poke();
        !shop.read(erasure::is_waiting)
    });
}

/// Everything that a store holds, as texts; bodies of the log unpacked.
fn everything(shop: &Shop) -> String {
    let location = shop.place.location.clone();
    let mut db = location.open(db::Sync::UnsafeFast, true).expect("the store can be read");
    let sql = match db.dialect() {
        db::Dialect::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND SUBSTR(name, 1, 6) <> 'sqlite' ORDER BY name"
        }
        db::Dialect::Postgres => "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    };
    let mut out = String::new();
    for table in db.rows(sql, &[]).expect("tables are listed") {
        let table = table.text(0).expect("a name").to_string();
        let columns = if table == "log" { "first_seq, count, body" } else { "*" };
        for row in db.rows(&format!("SELECT {columns} FROM {table}"), &[]).expect("the table can be read") {
            for value in row.0 {
                out.push_str(&match value {
                    db::Owned::Text(text) => text,
                    db::Owned::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    db::Owned::Int(number) => number.to_string(),
                    db::Owned::Null => String::new(),
                });
                out.push('\n');
            }
        }
    }
    for row in db::log::page(&mut db, 0, 100_000).expect("the log can be read") {
        out.push_str(&row.body);
    }
    out
}

pub(super) fn found(shop: &Shop) -> Vec<&'static str> {
    let all = everything(shop);
    let mut out: Vec<&'static str> =
        NEEDLES.into_iter().filter(|n| all.to_lowercase().contains(&n.to_lowercase())).collect();
    if let Location::Sqlite { path, .. } = &shop.place.location {
        let one = |n: &&str| db::erase::search(path, &[n.as_bytes().to_vec()]).expect("the files can be read") > 0;
        out.extend(NEEDLES.into_iter().filter(|n| one(n)));
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// [AC] The whole life of an erasure, with a kill after every piece.
#[test]
fn nothing_of_an_erased_person_is_left_and_others_stay() {
    for mut shop in shops() {
        let buyers = shop.segment("Buyers", r#"count("Order Completed") >= 1"#);
        olena(&shop);
        reject(&shop);
        let person = shop.person("email", "olena@example.com").expect("Olena is known");
        let petro = shop.person("user_id", "petro").expect("Petro is known");
        assert_eq!(shop.count(buyers.id), 2);
        assert_eq!(found(&shop).len(), NEEDLES.len(), "the search finds what is there");
        let before = shop.doctor().counts;
        begin(&shop, person);
        assert_eq!(shop.person("email", "olena@example.com"), None);
        assert_eq!(shop.count(buyers.id), 1);
        // A kill before any piece, and one after each.
        for _ in 0..12 {
            shop.crash();
            shop.assert_clean();
            shop.core().store.poke();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        work_off(&shop);
        erasure::scrub(shop.core(), true).expect("the disk is cleaned");
        assert_eq!(found(&shop), Vec::<&str>::new());
        let after = shop.doctor();
        assert!(after.findings.is_empty(), "{:#?}", after.findings);
        assert_eq!((after.counts.events, after.counts.people), (before.events, before.people - 1));
        // The receipt stays for the tax office, and nobody's.
        let seq =
            shop.read(|tx| Ok(tx.first("SELECT seq FROM retained_documents", &[])?.map(|r| r.int(0)))).expect("kept");
        let seq = seq.expect("a number");
        let kept = shop.read(move |tx| db::log::find(tx.engine(), seq)).expect("the row is there");
        assert!(kept.body.contains(r#""order_id":"R-1""#) && kept.body.contains("250"), "{}", kept.body);
        assert_eq!(kept.profiles[(seq - kept.first_seq) as usize], 0);
        // Petro is who he was.
        assert_eq!(shop.person("user_id", "petro"), Some(petro));
        let name = shop.read(move |tx| {
            let counters = segments::runtime::definitions::current(tx)?.counters.clone();
            Ok(customers::person(tx, petro, &counters)?.map(|v| (v.state.totals.events, v.state.totals.orders)))
        });
        assert_eq!(name, Some((2, 1)));
        shop.restart();
        shop.assert_clean();
    }
}

/// [AC] A file that still has the person does not bring her back; her own later act makes a new profile.
#[test]
fn an_erased_person_comes_back_by_own_act_only() {
    for shop in shops() {
        olena(&shop);
        let person = shop.person("email", "olena@example.com").expect("Olena is known");
        begin(&shop, person);
        work_off(&shop);
        let late = shop.clock.now().plus(-DAY_US).to_string();
        let sent = shop.events(&[
            json!({"type": "identify", "messageId": "late", "userId": "olena-1", "timestamp": late, "traits": {"email": "olena@example.com"}}),
            json!({"type": "track", "messageId": "other", "userId": "petro", "event": "Product Viewed", "properties": {}}),
        ]);
        assert_eq!((sent.kept, sent.erased.clone()), (1, vec![0]));
        assert_eq!(shop.person("email", "olena@example.com"), None);
        let raw = shop.read(|tx| {
            Ok(tx
                .first("SELECT raw FROM rejects WHERE code = $1", &[erasure::CODE.into()])?
                .map(|r| r.text(0).map(str::to_string)))
        });
        assert_eq!(raw.expect("counted").expect("a text"), "");
        erasure::scrub(shop.core(), true).expect("the disk is cleaned");
        assert!(!everything(&shop).contains("olena@example.com"));
        shop.clock.advance(HOUR_US);
        let now = shop.clock.now().to_string();
        let back = json!({"type": "identify", "messageId": "back", "userId": "olena-1", "timestamp": now, "traits": {"email": "olena@example.com"}});
        assert_eq!(shop.events(&[back]).kept, 1);
        let again = shop.person("email", "olena@example.com").expect("a new life");
        assert_ne!(again, person);
        shop.assert_clean();
    }
}

#[test]
fn what_a_mark_refuses() {
    let mark = erased::Mark { at: noon(), seq: 10 };
    let (before, after) = (noon().plus(-1), noon().plus(1));
    assert_eq!([false, true].map(|import| erased::refused(mark, before, import, false)), [true, true]);
    assert_eq!([false, true].map(|import| erased::refused(mark, after, import, false)), [false, true]);
    assert_eq!([false, true].map(|import| erased::refused(mark, after, import, true)), [false, false]);
    assert!(erased::refused(mark, noon(), false, true), "the moment itself is before");
}

/// An address that was denied stays denied, and nobody can read it.
#[test]
fn a_denial_outlives_the_person() {
    for shop in shops() {
        olena(&shop);
        let deny = json!({"type": "track", "messageId": "deny", "userId": "olena-1", "event": "Consent Revoked",
            "properties": {"channel": "email", "purpose": "marketing", "address": "olena@example.com", "wording": "no"}});
        shop.events(&[deny]);
        let state = |shop: &Shop| {
            shop.read(|tx| {
                Ok(customers::consent::consent_state(tx, &[], "email", "olena@example.com", "marketing")?
                    .map(|s| s.granted))
            })
        };
        assert_eq!(state(&shop), Some(false));
        let person = shop.person("email", "olena@example.com").expect("Olena is known");
        begin(&shop, person);
        work_off(&shop);
        assert_eq!(state(&shop), Some(false));
        let mut shop = shop;
        shop.restart();
        assert_eq!(state(&shop), Some(false), "read from the database");
        erasure::scrub(shop.core(), true).expect("the disk is cleaned");
        assert!(!everything(&shop).contains("olena@example.com"));
        shop.assert_clean();
    }
}

/// The manifest outlives a backup: what it names is erased again before the store is served.
#[test]
fn a_manifest_erases_in_an_older_store() {
    for mut shop in shops() {
        olena(&shop);
        let key = shop.read(|tx| Ok(tx.hash_key()));
        let person = shop.person("email", "olena@example.com").expect("Olena is known");
        let born = shop
            .read(move |tx| Ok(tx.get::<customers::profiles::Profiles>(person)?.map(|p| p.created_at)))
            .expect("a row");
        let mark = erased::Mark { at: shop.clock.now(), seq: 1000 };
        let line = |hash, kind| erased::Line { hash, kind, request_id: 7, mark };
        let lines = vec![
            line(erased::profile_hash(key, person, born), erased::Kind::Profile),
            line(manifest::hash_of(key, "email", "olena@example.com"), erased::Kind::Identifier),
            line(manifest::hash_of(key, "email", "later@example.com"), erased::Kind::Identifier),
        ];
        let file = shop.place.folder.join(manifest::FILE);
        assert_eq!(manifest::append(&file, &lines).expect("written"), 3);
        assert_eq!(manifest::append(&file, &lines).expect("nothing new"), 0);
        std::fs::write(&file, std::fs::read_to_string(&file).expect("read") + "{\"hash\":\"ab").expect("a cut line");
        let read = manifest::read(&file).expect("a cut last line is left out");
        assert_eq!(read, lines);
        assert_eq!(manifest::catch_up(shop.core(), &file).expect("applied"), 1);
        assert_eq!(manifest::catch_up(shop.core(), &file).expect("known"), 0);
        assert!(manifest::read(&file).expect("whole again").len() > read.len(), "her other values are there too");
        work_off(&shop);
        assert_eq!(shop.person("email", "olena@example.com"), None);
        let late = json!({"type": "identify", "messageId": "l", "timestamp": noon().plus(-HOUR_US).to_string(), "userId": "x9", "traits": {"email": "later@example.com"}});
        assert_eq!(shop.events(&[late]).erased, vec![0]);
        shop.restart();
        shop.assert_clean();
    }
}

fn random_item(rng: &mut Rng, number: usize) -> Value {
    let who = rng.below(8);
    let name = *rng.pick(&["Product Viewed", "Order Completed"]);
    let mut item = json!({"messageId": format!("m{number}"), "userId": format!("user-number-{who}"), "type": "track",
        "event": name, "properties": {"total": rng.below(90), "currency": "UAH", "order_id": number}});
    if rng.below(3) == 0 {
        item = json!({"messageId": format!("m{number}"), "userId": format!("user-number-{who}"), "type": "identify",
            "traits": {"email": format!("p{}@example.com", rng.below(8)), "name": format!("Person Number {who}")}});
    }
    item
}

/// What others see of themselves: totals, traits, identifiers, events.
fn others(shop: &Shop, without: &[i64]) -> Vec<String> {
    let without = without.to_vec();
    shop.read(move |tx| {
        let counters = segments::runtime::definitions::current(tx)?.counters.clone();
        let mut out = Vec::new();
        for id in 1..=tx.last_profile_id() {
            let Some(row) =
                tx.get::<customers::profiles::Profiles>(id)?.filter(|p| p.person == id && !without.contains(&id))
            else {
                continue;
            };
            let _ = row;
            let Some(view) = customers::person(tx, id, &counters)? else { continue };
            let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
            let events = customers::commands::timeline_entries(tx, &members)?;
            let own: Vec<_> =
                view.identifiers.iter().map(|i| (i.kind.clone(), i.value.clone(), i.evidence.clone())).collect();
            let lists = segments::runtime::read_person(tx, id)?;
            out.push(format!(
                "{id} {members:?} {own:?} {:?} {:?} {events:?} {lists:?}",
                view.state.traits, view.state.totals
            ));
        }
        Ok(out)
    })
}

/// [AC] Whoever is erased out of whatever store: everybody else is exactly as before.
#[test]
fn erasing_a_random_person_changes_nobody_else() {
    let seeds: Vec<u64> = match std::env::var("BRAID_SEED") {
        Ok(seed) => vec![seed.parse().expect("BRAID_SEED is a number")],
        Err(_) => (1..=6).collect(),
    };
    for seed in seeds {
        let mut rng = Rng::new(seed);
        let mut shop = Shop::open(db::testing::Place::sqlite(), std::time::Duration::from_millis(5));
        shop.segment("Buyers", r#"count("Order Completed") >= 2"#);
        let mut number = 0;
        for _ in 0..40 {
            let items: Vec<Value> = (0..rng.below(6) + 1)
                .map(|_| {
                    number += 1;
                    random_item(&mut rng, number)
                })
                .collect();
            shop.events(&items);
        }
        shop.assert_clean();
        let people: Vec<i64> = shop.read(|tx| {
            let mut out = Vec::new();
            for id in 1..=tx.last_profile_id() {
                if tx.get::<customers::profiles::Profiles>(id)?.is_some_and(|p| p.person == id) {
                    out.push(id);
                }
            }
            Ok(out)
        });
        let person = *rng.pick(&people);
        let before = others(&shop, &[person]);
        begin(&shop, person);
        shop.crash();
        work_off(&shop);
        assert_eq!(others(&shop, &[person]), before, "seed {seed}");
        erasure::scrub(shop.core(), true).expect("the disk is cleaned");
        let found = shop.doctor().findings;
        assert!(found.is_empty(), "seed {seed}: {found:#?}");
        // Everybody, one after the other.
        for id in people.into_iter().filter(|id| *id != person) {
            begin(&shop, id);
        }
        work_off(&shop);
        shop.restart();
        let report = shop.doctor();
        assert!(report.findings.is_empty(), "seed {seed}: {:#?}", report.findings);
        assert_eq!((report.counts.people, report.counts.profiles), (0, 0));
    }
}

/// The search of the grep test must be able to fail: a store whose rejects were left out of the sweep is caught.
#[test]
fn a_table_that_is_forgotten_is_found() {
    let shop = Shop::open(db::testing::Place::sqlite(), std::time::Duration::from_millis(5));
    olena(&shop);
    let person = shop.person("email", "olena@example.com").expect("Olena is known");
    begin(&shop, person);
    work_off(&shop);
    reject(&shop);
    erasure::scrub(shop.core(), true).expect("the disk is cleaned");
    assert_eq!(found(&shop), vec!["olena@example.com"]);
    let _ = shop.send(1, SourceKind::Server, "{\"batch\":[]}");
}
