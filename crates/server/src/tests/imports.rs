//! Files in, over HTTP and through kills, on both engines.
use super::harness::{Answer, Shop, shops};
use serde_json::{Value, json};
use std::time::Duration;

fn upload(shop: &Shop, name: &str, bytes: &[u8]) -> String {
    let made = shop.owner("POST", "/api/v1/uploads").json(&json!({"name": name, "size": bytes.len()})).send().json();
    let id = made["id"].as_str().expect("an id").to_string();
    let mut at = 0;
    for piece in bytes.chunks(700_000) {
        let put = shop.owner("PUT", &format!("/api/v1/uploads/{id}?offset={at}")).body(piece).send();
        at += piece.len();
        assert_eq!((put.status, put.json()["received"].as_u64()), (200, Some(at as u64)));
    }
    id
}

fn look(shop: &Shop, upload: &str, more: Value) -> Value {
    let mut body = json!({"upload": upload});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = shop.owner("POST", "/api/v1/imports/look").json(&body).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn begin(shop: &Shop, upload: &str, looked: &Value, more: Value) -> Answer {
    let mut body =
        json!({"upload": upload, "layout": looked["layout"], "mapping": looked["mapping"], "source": "Old CRM"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    shop.owner("POST", "/api/v1/imports").json(&body).send()
}

fn job(shop: &Shop, id: &str) -> Value {
    shop.owner("GET", &format!("/api/v1/jobs/{id}")).send().json()
}

fn done(shop: &Shop, begun: &Answer) -> Value {
    assert_eq!(begun.status, 201, "{}", begun.text);
    let id = begun.json()["job_id"].as_str().expect("a job").to_string();
    wait(shop, &id, |j| j["state"] == "done")
}

fn wait(shop: &Shop, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1500 {
        let found = job(shop, id);
        if holds(&found) {
            return found;
        }
        assert_ne!(found["state"], "failed", "{found}");
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {}", job(shop, id));
}

fn customer(shop: &Shop, query: &str) -> Value {
    shop.owner("GET", &format!("/api/v1/customers/lookup?{query}")).send().json()
}

fn clean(shop: &Shop) {
    let app = shop.app();
    let report = pipeline::doctor::run(&shop.place.location, &*app.clock, app.domain.settings().clone());
    let findings = report.expect("the doctor can read").findings;
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_file_goes_from_the_first_look_to_the_report() {
    // [A5] the profile takes the old CRM's data and shows where it came from.
    for shop in shops() {
        let text = "Ім'я;Прізвище;Ел. пошта;Телефон;Місто\nОлена;Коваль;Olena@Example.com;067 123 45 67;Львів\nБез;Контакту;;;Київ\nJohn;Smith;not an address;(050) 111-22-33;London\n";
        let file = upload(&shop, "clients.csv", text.as_bytes());
        let looked = look(&shop, &file, json!({}));
        assert_eq!((looked["kind"].as_str(), looked["layout"]["delimiter"].as_str()), (Some("customers"), Some(";")));
        assert_eq!(looked["mapping"]["columns"]["Ел. пошта"], "email");
        let dry = done(&shop, &begin(&shop, &file, &looked, json!({"dry_run": true})));
        let tally = &dry["result"]["tally"];
        assert_eq!(
            (tally["rows"].as_u64(), tally["events"].as_u64(), tally["rejected_rows"].as_u64()),
            (Some(3), Some(2), Some(1))
        );
        assert_eq!(dry["result"]["bad"][0]["line"], 3);
        assert_eq!(dry["result"]["quality"]["flaws"]["email_invalid"], 1);
        assert_eq!(customer(&shop, "email=olena@example.com")["code"], "not_found", "a dry run writes nothing");
        let real = begin(&shop, &file, &looked, json!({"file_time": "2026-01-01T00:00:00Z"}));
        let real = done(&shop, &real);
        assert_eq!((real["position"].as_u64(), real["total"].as_u64()), (Some(3), Some(3)));
        let found = customer(&shop, "email=olena@example.com");
        assert_eq!(
            found["traits"]["firstName"].as_str().or(found["traits"]["firstName"]["value"].as_str()),
            Some("Олена"),
            "{found}"
        );
        let report =
            shop.owner("GET", &format!("/api/v1/imports/{}/report", real["id"].as_str().expect("an id"))).send().text;
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines[0], "file,line,column,reason,value,rest_taken");
        assert!(lines[1].starts_with("clients.csv,3,,") && lines[1].ends_with(",no"), "{report}");
        assert!(lines[2].starts_with("clients.csv,4,Ел. пошта,") && lines[2].ends_with(",yes"), "{report}");
        clean(&shop);
    }
}

#[test]
fn the_same_file_twice_changes_nothing_and_newer_live_data_stays() {
    for shop in shops() {
        let live = json!({"userId": "7", "messageId": "live", "traits": {"city": "Odesa"}});
        assert_eq!(shop.track("/v1/identify", &live).status, 200);
        let text = b"user_id,email,name\n7,seven@example.com,Old Name\n8,eight@example.com,Eight\n";
        let columns = json!({"user_id": "user_id", "email": "email", "name": "trait:city"});
        let begun = |name: &str| {
            let file = upload(&shop, name, text);
            let mut looked = look(&shop, &file, json!({"kind": "customers"}));
            looked["mapping"]["columns"] = columns.clone();
            done(&shop, &begin(&shop, &file, &looked, json!({"file_time": "2025-01-01T00:00:00Z"})))
        };
        let first = begun("a.csv");
        assert_eq!(first["result"]["tally"]["events"], 2);
        let second = begun("b.csv");
        assert_eq!(
            (&second["result"]["tally"]["events"], &second["result"]["tally"]["duplicates"]),
            (&json!(0), &json!(2))
        );
        let found = customer(&shop, "email=seven@example.com");
        assert!(found["traits"].to_string().contains("Odesa"), "the older row does not win: {found}");
        clean(&shop);
    }
}

#[test]
fn opt_outs_come_before_whoever_may_be_written_to() {
    // [AD2] blacklists first.
    for shop in shops() {
        let text = b"email,Accepts Marketing\nann@example.com,yes\nbob@example.com,yes\n";
        let file = upload(&shop, "people.csv", text);
        let looked = look(&shop, &file, json!({"kind": "customers"}));
        assert_eq!(looked["mapping"]["columns"]["Accepts Marketing"], "consent:email");
        let refused = begin(&shop, &file, &looked, json!({}));
        assert_eq!(refused.code(), (409, "conflict".into()));
        assert!(refused.text.contains("opt-outs"), "{}", refused.text);
        let list = upload(&shop, "blacklist.csv", b"email,date\nbob@example.com,2026-06-01\n");
        let listed = look(&shop, &list, json!({"preset": "sendpulse-blacklist"}));
        assert_eq!(done(&shop, &begin(&shop, &list, &listed, json!({})))["result"]["tally"]["events"], 2);
        let begun = begin(&shop, &file, &looked, json!({"file_time": "2026-05-01T00:00:00Z"}));
        assert_eq!(done(&shop, &begun)["result"]["tally"]["events"], 4);
        let state = |email: &str| {
            let found = customer(&shop, &format!("email={email}"));
            let id = found["person_id"].as_str().unwrap_or_default().to_string();
            shop.owner("GET", &format!("/api/v1/customers/{id}")).send().json()["consents"].to_string()
        };
        assert!(state("ann@example.com").contains("granted"), "{}", state("ann@example.com"));
        assert!(!state("bob@example.com").contains("granted"), "{}", state("bob@example.com"));
        clean(&shop);
    }
}

fn many(rows: usize) -> Vec<u8> {
    let mut text = String::from("user_id,email,name\n");
    for n in 0..rows {
        let email = if n % 1000 == 999 { "broken".to_string() } else { format!("p{n}@example.com") };
        text.push_str(&format!("u{n},{email},Person {n}\n"));
    }
    text.into_bytes()
}

#[test]
fn an_import_goes_on_after_stops_and_restarts_and_counts_each_row_once() {
    const ROWS: usize = 4_000;
    for mut shop in shops() {
        let file = upload(&shop, "many.csv", &many(ROWS));
        let looked = look(&shop, &file, json!({"kind": "customers"}));
        let begun = begin(&shop, &file, &looked, json!({}));
        let id = begun.json()["job_id"].as_str().expect("a job").to_string();
        wait(&shop, &id, |j| j["position"].as_u64() > Some(500));
        let stopped = shop.owner("POST", &format!("/api/v1/jobs/{id}/stop")).json(&json!({})).send();
        if stopped.status == 200 {
            assert_eq!(stopped.json()["state"], "stopped");
            std::thread::sleep(Duration::from_millis(100));
            let position = job(&shop, &id)["position"].clone();
            assert_eq!(position, stopped.json()["position"], "nothing moves after the stop");
            // The same request again goes on with the same job.
            assert_eq!(begin(&shop, &file, &looked, json!({})).json()["job_id"], id.as_str());
        }
        wait(&shop, &id, |j| j["state"] != "queued");
        shop.restart();
        let end = wait(&shop, &id, |j| j["state"] == "done");
        let tally = &end["result"]["tally"];
        assert_eq!(tally["rows"], ROWS, "{end}");
        assert_eq!(tally["events"].as_u64().unwrap_or(0) + tally["duplicates"].as_u64().unwrap_or(0), ROWS as u64);
        assert_eq!(tally["dropped_values"], ROWS / 1000);
        let report = shop.owner("GET", &format!("/api/v1/imports/{id}/report")).send().text;
        assert_eq!(report.lines().count(), 1 + ROWS / 1000, "the report is whole");
        assert_eq!(customer(&shop, &format!("user_id=u{}", ROWS - 1))["profile_ids"].as_array().map(Vec::len), Some(1));
        clean(&shop);
    }
}

#[test]
fn files_that_cannot_be_are_refused_with_what_to_do() {
    let shop = Shop::new();
    let new = |body: Value| shop.owner("POST", "/api/v1/uploads").json(&body).send().code();
    assert_eq!(new(json!({"name": "x", "size": 0})), (422, "bad_input".into()));
    assert_eq!(new(json!({"name": "x", "size": 1u64 << 40})), (413, "too_large".into()));
    assert_eq!(new(json!({"name": " ", "size": 1})), (422, "bad_input".into()));
    let hashed = shop
        .owner("POST", "/api/v1/uploads")
        .json(&json!({"name": "x", "size": 3, "sha256": "0".repeat(64)}))
        .send()
        .json();
    let id = hashed["id"].as_str().expect("an id");
    let put =
        |at: u64, bytes: &[u8]| shop.owner("PUT", &format!("/api/v1/uploads/{id}?offset={at}")).body(bytes).send();
    assert_eq!(put(1, b"a").code(), (409, "conflict".into()), "not where the file is");
    assert_eq!(put(0, b"abcd").code(), (422, "bad_input".into()), "more than announced");
    assert_eq!(
        shop.owner("POST", "/api/v1/imports/look").json(&json!({"upload": id})).send().code(),
        (409, "conflict".into())
    );
    assert_eq!(put(0, b"abc").code(), (422, "bad_input".into()), "other bytes than announced");
    assert_eq!(shop.owner("GET", &format!("/api/v1/uploads/{id}")).send().json()["received"], 0, "it begins again");
    for bad in ["../../etc/passwd", "x", "..%2f..%2fbraid"] {
        assert_eq!(shop.owner("GET", &format!("/api/v1/uploads/{bad}")).send().status, 404, "{bad}");
    }
    let by_path = json!({"path": "/etc/passwd"});
    assert_eq!(shop.owner("POST", "/api/v1/imports/look").json(&by_path).send().code(), (403, "not_allowed".into()));
    let file = upload(&shop, "a.csv", b"a,b\n1,2\n");
    let looked = look(&shop, &file, json!({}));
    assert_eq!(
        begin(
            &shop,
            &file,
            &looked,
            json!({"mapping": {"kind": "customers", "columns": {"a": "email", "zz": "phone"}}})
        )
        .code()
        .0,
        422
    );
    assert_eq!(
        begin(
            &shop,
            &file,
            &looked,
            json!({"file_time": "2999-01-01T00:00:00Z", "mapping": {"kind": "customers", "columns": {"a": "user_id"}}})
        )
        .code()
        .0,
        422
    );
}
