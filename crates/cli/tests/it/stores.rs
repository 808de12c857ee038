//! A store that each landed release left behind (`testdata/stores/NAME`): it opens with today's program, is upgraded,
//! is sound, and still says about its people what it said then.
//!
//! `BRAID_KEEP_STORE=NAME cargo xtask postgres --exec cargo nextest run -p cli --run-ignored only -E 'test(keep_a_store)'`
//! writes one with the program as it is; that is done once, when a release lands, and never again.
use crate::braid::{Database, Server, Shop, braid, run, sql};
use base::Rng;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const STORES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/stores");
const INVOICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/invoices.csv");
/// All stores together are part of every clone.
const BYTES_MAX: u64 = 1 << 20;
/// Looked up then and now.
const KNOWN: [&str; 6] =
    ["user_id=u0", "user_id=u1", "email=p2@example.com", "phone=067 123 45 03", "user_id=u7", "anonymous_id=kiosk"];

/// What is remembered of a store beside its files.
fn expected(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("expected.json")).expect("the store says what it held");
    serde_json::from_str(&text).expect("it is JSON")
}

/// What must not change with the program: counts, who is who, what is known, who is where.
fn digest(shop: &Shop, server: &Server) -> Value {
    let mut admin = server.admin(shop);
    let mut get = |path: &str| admin.get(path).expect("an answer").json();
    let mut people = serde_json::Map::new();
    for query in KNOWN {
        let person = get(&format!("/api/v1/customers/lookup?{}", query.replace(' ', "%20")));
        let id = person["person_id"].as_str().expect("somebody").to_string();
        let identity = get(&format!("/api/v1/customers/{id}/identity"));
        let timeline = get(&format!("/api/v1/customers/{id}/timeline?limit=200"));
        let events: Vec<&Value> =
            timeline["items"].as_array().expect("a list").iter().map(|i| &i["message_id"]).collect();
        let pairs = |list: &Value| -> Vec<Value> {
            list.as_array().expect("a list").iter().map(|e| json!([e["a"], e["b"]])).collect()
        };
        people.insert(
            query.into(),
            json!({
                "person_id": id, "profile_ids": person["profile_ids"], "traits": person["traits"], "events": events,
                "edges": pairs(&identity["edges"]), "cannot_link": pairs(&identity["cannot_link"]),
                "identifiers": person["identifiers"].as_array().expect("a list").iter()
                    .map(|i| json!([i["kind"], i["value"]])).collect::<Vec<_>>(),
            }),
        );
    }
    let segments: Vec<Value> = get("/api/v1/segments")["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| json!([s["name"], s["expression"], s["count"]]))
        .collect();
    let messages: Vec<Value> = get("/api/v1/messages?limit=200")["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| json!([m["id"], m["person_id"], m["status"], m["reason"]]))
        .collect();
    json!({ "people": people, "segments": segments, "messages": messages })
}

fn send(shop: &Shop, server: &Server, items: Vec<Value>) {
    let answer = server.tracking(shop).post_json("/v1/batch", &json!({ "batch": items })).expect("an answer");
    assert_eq!(answer.status, 200, "{:?}", answer.json());
}

/// A shop's weeks in small: people who merge and are taken apart, late events, consents, orders, messages that wait.
fn live(shop: &Shop, server: &Server) {
    let mut admin = server.admin(shop);
    let mut make = |path: &str, body: Value| -> Value {
        let answer = admin.post_json(path, &body).expect("an answer");
        assert!(matches!(answer.status, 200 | 201), "{path}: {:?}", answer.json());
        answer.json()
    };
    let segment = make("/api/v1/segments", json!({"name": "Buyers", "expression": "count(\"Order Completed\") >= 1"}));
    make(
        "/api/v1/segments",
        json!({"name": "Lviv", "expression": "trait.city = \"Lviv\" and not in segment (\"Buyers\")"}),
    );
    make(
        "/api/v1/segments",
        json!({"name": "Looked", "expression": "count(\"Product Viewed\" where properties.category = \"toys\" in last 3650 days) >= 2"}),
    );
    let template = make(
        "/api/v1/templates",
        json!({"name": "Thanks", "channel": "email", "subject": "Дякуємо", "body_text": "Вітаємо, {{ customer.name | default('друже') }}", "body_html": "<p>Вітаємо</p>"}),
    );
    make(
        "/api/v1/message-rules",
        json!({"segment_id": segment["id"], "template_id": template["id"], "channel": "email", "purpose": "marketing", "once": true, "enabled": true}),
    );
    let mut rng = Rng::new(7);
    let mut number = 0;
    for day in 1..=20 {
        let mut items = Vec::new();
        for _ in 0..40 {
            number += 1;
            let person = rng.below(12);
            let time = format!(
                "2026-10-{:02}T{:02}:{:02}:00Z",
                if rng.below(9) == 0 { 1 } else { day },
                rng.below(24),
                rng.below(60)
            );
            let mut item = json!({"messageId": format!("s{number}"), "timestamp": time, "type": "track"});
            match rng.below(4) {
                0 => {
                    item["anonymousId"] =
                        json!(if rng.below(5) == 0 { "kiosk".to_string() } else { format!("d{}", rng.below(30)) })
                }
                1 => item["userId"] = json!(format!("u{person}")),
                2 => {
                    item["userId"] = json!(format!("u{person}"));
                    item["anonymousId"] = json!(format!("d{}", rng.below(30)));
                }
                _ => {
                    item["anonymousId"] = json!(format!("d{}", person));
                    item["context"] = json!({"traits": {"email": format!("p{person}@example.com"), "phone": format!("06712345{person:02}")}});
                }
            }
            match rng.below(8) {
                0 => {
                    item["type"] = json!("identify");
                    item["traits"] = json!({"city": *rng.pick(&["Lviv", "Kyiv"]), "name": format!("Оксана {person}"), "visits": rng.below(9)});
                }
                1 => {
                    item["event"] = json!(*rng.pick(&["Consent Granted", "Consent Granted", "Consent Revoked"]));
                    item["properties"] = json!({"channel": "email", "purpose": "marketing", "wording": "Новини", "address": format!("p{person}@example.com")});
                }
                2 => {
                    item["event"] = json!("Order Completed");
                    item["properties"] = json!({"order_id": format!("o{number}"), "total": 100.5, "currency": "UAH"});
                }
                _ => {
                    item["event"] = json!("Product Viewed");
                    item["properties"] = json!({"product_id": "p1", "category": *rng.pick(&["toys", "garden"])});
                }
            }
            items.push(item);
        }
        // One that nobody can be found for, kept among the rejects.
        items.push(json!({"type": "track", "messageId": "", "event": 5}));
        send(shop, server, items);
    }
    let identify = |id: &str, user: &str, email: &str| json!({"type": "identify", "messageId": id, "userId": user, "traits": {"email": email}});
    // Two customers by a shared address, taken apart; then one value out of a profile.
    send(shop, server, vec![identify("m1", "v1", "v1@example.com"), identify("m2", "v2", "v2@example.com")]);
    send(shop, server, vec![json!({"type": "alias", "messageId": "m3", "previousId": "v1", "userId": "v2"})]);
    let found =
        |query: &str| server.admin(shop).get(&format!("/api/v1/customers/lookup?{query}")).expect("an answer").json();
    let joined = found("user_id=v1")["person_id"].as_str().expect("an id").to_string();
    let identity = server.admin(shop).get(&format!("/api/v1/customers/{joined}/identity")).expect("an answer").json();
    let edges: Vec<Value> = identity["edges"].as_array().expect("a list").iter().map(|e| e["id"].clone()).collect();
    assert_eq!(edges.len(), 1, "{identity}");
    let make = |path: &str, body: Value| {
        let answer = server.admin(shop).post_json(path, &body).expect("an answer");
        assert!(matches!(answer.status, 200 | 201), "{path}: {:?}", answer.json());
    };
    make(&format!("/api/v1/customers/{joined}/unmerge"), json!({ "edges": edges }));
    let three = found("user_id=u3")["person_id"].as_str().expect("an id").to_string();
    make(&format!("/api/v1/customers/{three}/unmerge"), json!({"detach": {"kind": "user_id", "value": "u3"}}));
    make(
        "/api/v1/consents",
        json!({"channel": "sms", "address": "+380671234501", "purpose": "service", "wording": "by phone"}),
    );
}

/// The folders of releases.
fn releases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(STORES).expect("stores are kept").map(|e| e.expect("an entry").path());
    entries.filter(|path| path.is_dir()).collect()
}

fn pack(from: &Path, to: &Path) {
    let bytes = std::fs::read(from).expect("a file");
    let packed = zstd::encode_all(&bytes[..], 19).expect("it is packed");
    std::fs::write(to, packed).expect("it is kept");
}

fn unpack(from: &Path) -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(from).expect("the store is there")).expect("it is whole")
}

/// Makes a store on one engine, ends the program by a kill, and keeps what it left.
fn keep(name: &str, database: Option<Database>) {
    let engine = if database.is_some() { "postgres" } else { "sqlite" };
    let kept = PathBuf::from(STORES).join(name).join(engine);
    std::fs::create_dir_all(&kept).expect("a folder");
    let shop = Shop::make(database);
    let server = shop.serve();
    live(&shop, &server);
    let said = run(braid(["import".as_ref(), shop.folder.as_os_str(), INVOICES.as_ref()]).args([
        "--preset",
        "online-retail-ii",
        "--json",
    ]));
    assert_eq!(said.code, 0, "{}", said.err);
    send(
        &shop,
        &server,
        vec![json!({"type": "track", "messageId": "last", "userId": "u1", "event": "Product Viewed"})],
    );
    let digest = digest(&shop, &server);
    let mut server = server;
    server.child.kill();
    drop(server);
    // As the kill left it, with the tail that is to be folded again.
    match &shop.database {
        None => {
            for file in ["braid.db", "braid.db-wal"] {
                pack(&shop.folder.join(file), &kept.join(format!("{file}.zst")));
            }
        }
        Some(database) => {
            let file = shop.beside("dump.sql");
            let mut command = std::process::Command::new("pg_dump");
            command.args(["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100", "--file"]);
            assert!(command.arg(&file).arg(&database.url).status().expect("pg_dump runs").success());
            pack(&file, &kept.join("dump.sql.zst"));
        }
    }
    std::fs::copy(shop.folder.join("braid.toml"), kept.join("braid.toml")).expect("the settings are kept");
    let (code, report) = shop.doctor();
    assert_eq!(code, 0, "{report:#}");
    let expected =
        json!({"api_key": shop.api_key, "write_key": shop.write_key, "counts": report["counts"], "digest": digest});
    std::fs::write(kept.join("expected.json"), format!("{expected:#}\n")).expect("it is kept");
}

#[test]
#[ignore = "writes a store into testdata, once for each release"]
fn keep_a_store() {
    let name = std::env::var("BRAID_KEEP_STORE").expect("BRAID_KEEP_STORE names the store");
    keep(&name, None);
    keep(&name, Some(Database::make("BRAID_TEST_POSTGRES").expect("a cluster runs")));
}

/// The store in a folder of its own, ready to be opened.
fn bring(kept: &Path, engine: &str) -> Option<Shop> {
    let around = tempfile::tempdir().expect("a temporary folder");
    let folder = around.path().join("shop");
    std::fs::create_dir(&folder).expect("a folder");
    let mut settings = std::fs::read_to_string(kept.join("braid.toml")).expect("the settings are there");
    let database = match engine {
        "sqlite" => {
            for file in ["braid.db", "braid.db-wal"] {
                std::fs::write(folder.join(file), unpack(&kept.join(format!("{file}.zst")))).expect("it is written");
            }
            None
        }
        _ => {
            let database = Database::make("BRAID_TEST_POSTGRES")?;
            let dump = String::from_utf8(unpack(&kept.join("dump.sql.zst"))).expect("a dump is text");
            // Commands of psql itself, which newer dumps begin and end with, are no SQL.
            let statements: Vec<&str> = dump.lines().filter(|l| !l.starts_with('\\')).collect();
            sql(&database.url, &statements.join("\n"));
            let at = settings.find("url = ").expect("the settings name the database");
            let end = at + settings[at..].find('\n').expect("a line");
            settings.replace_range(at..end, &format!("url = \"{}\"", database.url));
            Some(database)
        }
    };
    std::fs::write(folder.join("braid.toml"), settings).expect("it is written");
    Some(shop(around, folder, database, &expected(kept)))
}

fn shop(around: TempDir, folder: PathBuf, database: Option<Database>, expected: &Value) -> Shop {
    let word = |name: &str| expected[name].as_str().expect("it is kept").to_string();
    Shop::found(around, folder, database, word("api_key"), word("write_key"))
}

#[test]
fn stores_of_every_release_open_upgrade_and_are_sound() {
    let mut opened = 0;
    for release in releases() {
        for engine in ["sqlite", "postgres"] {
            let kept = release.join(engine);
            let Some(shop) = bring(&kept, engine) else { continue };
            let (name, expected) = (kept.display(), expected(&kept));
            let mut server = shop.serve();
            let counts = |report: &Value| {
                ["events", "rejected", "profiles", "people", "messages"].map(|n| report["counts"][n].clone())
            };
            let (code, report) = shop.doctor();
            assert_eq!((code, &report["findings"]), (0, &json!([])), "{name}: {report:#}");
            assert_eq!(counts(&report), counts(&expected), "{name}");
            assert_eq!(digest(&shop, &server), expected["digest"], "{name}");
            // It goes on: the same event is still a repeat, a new one is taken, and the upgraded store survives a kill.
            let again = json!({"type": "track", "messageId": "last", "userId": "u1", "event": "Product Viewed"});
            let new = json!({"type": "track", "messageId": "new", "userId": "u1", "event": "Product Viewed"});
            let body = json!({"batch": [again, new]});
            let answer = server.tracking(&shop).post_json("/v1/batch?strict=1", &body).expect("an answer").json();
            let said = [0, 1].map(|at| answer["items"][at]["status"].clone());
            assert_eq!(said, [json!("duplicate"), json!("accepted")], "{name}: {answer}");
            server.child.kill();
            shop.serve().stop();
            let events = shop.assert_clean(&name.to_string());
            assert_eq!(json!(events - 1), expected["counts"]["events"], "{name}");
            opened += 1;
        }
    }
    assert!(opened >= 1, "no store was opened");
}

#[test]
fn kept_stores_stay_small() {
    fn bytes(folder: &Path) -> u64 {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry"));
        entries.map(|e| if e.path().is_dir() { bytes(&e.path()) } else { e.metadata().expect("a file").len() }).sum()
    }
    for release in releases() {
        assert!(bytes(&release) <= BYTES_MAX, "{}: {} bytes", release.display(), bytes(&release));
    }
}
