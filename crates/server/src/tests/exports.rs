//! Files out: what is in them, who may have them, what becomes of them; and in again, on both engines.
use super::harness::{Answer, Shop, shops};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

fn fill(shop: &Shop) {
    let send = |path: &str, body: Value| assert_eq!(shop.track(path, &body).status, 200, "{body}");
    send(
        "/v1/identify",
        json!({"messageId": "1", "userId": "u1", "anonymousId": "a1", "timestamp": "2026-01-01T10:00:00Z",
        "traits": {"email": "olena@example.com", "firstName": "=Олена", "lastName": "Коваль", "size": "M"}}),
    );
    send(
        "/v1/track",
        json!({"messageId": "2", "anonymousId": "a2", "event": "Product Viewed", "timestamp": "2026-01-02T10:00:00Z",
        "properties": {"product_id": "p"}}),
    );
    send(
        "/v1/track",
        json!({"messageId": "3", "userId": "u1", "anonymousId": "a2", "event": "Order Completed",
        "timestamp": "2026-01-03T10:00:00Z", "properties": {"order_id": "o1", "total": 99.9, "currency": "GBP",
        "products": [{"product_id": "p", "price": 99.9, "quantity": 1}]}}),
    );
    send(
        "/v1/identify",
        json!({"messageId": "4", "userId": "u2", "timestamp": "2026-01-04T10:00:00Z",
        "traits": {"email": "taras@example.com", "phone": "+380671234567", "name": "Taras"}}),
    );
    send(
        "/v1/alias",
        json!({"messageId": "5", "userId": "u2", "previousId": "old", "timestamp": "2026-01-05T10:00:00Z"}),
    );
    for (n, who, email, event) in [
        ("6", "u1", "olena@example.com", "Consent Granted"),
        ("7", "u2", "taras@example.com", "Consent Granted"),
        ("8", "u2", "taras@example.com", "Consent Revoked"),
    ] {
        send(
            "/v1/track",
            json!({"messageId": n, "userId": who, "event": event, "timestamp": format!("2026-01-06T10:00:0{n}Z"),
            "properties": {"channel": "email", "address": email, "purpose": "marketing", "wording": "News"}}),
        );
    }
    // Nobody's, and not acceptable.
    send(
        "/v1/track",
        json!({"messageId": "9", "anonymousId": "a9", "event": "Page Left", "timestamp": "2026-01-07T10:00:00Z"}),
    );
}

fn get(shop: &Shop, id: &str) -> Value {
    shop.owner("GET", &format!("/api/v1/exports/{id}")).send().json()
}

fn wait(shop: &Shop, id: &str, state: &str) -> Value {
    for _ in 0..1500 {
        let found = get(shop, id);
        if found["state"] == state {
            return found;
        }
        assert_ne!(found["state"], "failed", "{found}");
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never {state}: {}", get(shop, id));
}

fn begin(shop: &Shop, body: Value) -> Answer {
    shop.owner("POST", "/api/v1/exports").json(&body).send()
}

fn path(shop: &Shop, export: &Value) -> PathBuf {
    let end = if export["kind"] == "everything" { "zip" } else { export["format"].as_str().expect("a format") };
    shop.place.folder.join("exports").join(format!("{}.{end}", export["id"].as_str().expect("an id")))
}

fn made(shop: &Shop, body: Value) -> Value {
    let begun = begin(shop, body);
    assert_eq!(begun.status, 201, "{}", begun.text);
    wait(shop, begun.json()["id"].as_str().expect("an id"), "ready")
}

fn text(shop: &Shop, body: Value) -> String {
    std::fs::read_to_string(path(shop, &made(shop, body))).expect("the file is there")
}

fn rows(shop: &Shop, kind: &str) -> Vec<Value> {
    let text = text(shop, json!({"kind": kind, "format": "ndjson"}));
    let rows: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    // The one that is nobody.
    rows.into_iter().filter(|r| !r.to_string().contains("@canary.invalid")).collect()
}

fn bring(shop: &Shop, name: &str, bytes: &[u8], kind: &str, source: &str) -> Value {
    let upload = shop.owner("POST", "/api/v1/uploads").json(&json!({"name": name, "size": bytes.len()})).send().json();
    let id = upload["id"].as_str().expect("an id").to_string();
    assert_eq!(shop.owner("PUT", &format!("/api/v1/uploads/{id}?offset=0")).body(bytes).send().status, 200);
    let looked = shop.owner("POST", "/api/v1/imports/look").json(&json!({"upload": id, "kind": kind})).send();
    assert_eq!(looked.status, 200, "{}", looked.text);
    let looked = looked.json();
    let run = |dry: bool| {
        let body = json!({"upload": id, "layout": looked["layout"], "mapping": looked["mapping"], "source": source,
            "dry_run": dry, "without_opt_outs": true});
        let begun = shop.owner("POST", "/api/v1/imports").json(&body).send();
        assert_eq!(begun.status, 201, "{}", begun.text);
        let job = format!("/api/v1/jobs/{}", begun.json()["job_id"].as_str().expect("a job"));
        for _ in 0..1500 {
            let found = shop.owner("GET", &job).send().json();
            assert_ne!(found["state"], "failed", "{found}");
            if found["state"] == "done" {
                return found["result"]["tally"].clone();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the import never ends");
    };
    let (dry, real) = (run(true), run(false));
    assert_eq!(
        (&dry["rows"], &dry["rejected_rows"]),
        (&real["rows"], &real["rejected_rows"]),
        "a dry run tells the truth"
    );
    real
}

fn clean(shop: &Shop) {
    let app = shop.app();
    let report = pipeline::doctor::run(&shop.place.location, &*app.clock, app.domain.settings().clone());
    let findings = report.expect("the doctor can read").findings;
    assert!(findings.is_empty(), "{findings:#?}");
}

fn unzipped(path: &std::path::Path, name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).expect("it is there")).expect("a zip");
    let mut out = Vec::new();
    let mut file = archive.by_name(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    std::io::Read::read_to_end(&mut file, &mut out).expect("unpacks");
    out
}

/// What a person is, whatever numbers they have: identifiers, totals, what may be sent.
fn person(row: &Value) -> Value {
    let mut identifiers: Vec<String> = row["identifiers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|i| format!("{}={}", i["kind"], i["value"]))
        .collect();
    identifiers.sort();
    let mut consents: Vec<String> = row["consents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|c| format!("{} {} {} {}", c["channel"], c["address"], c["purpose"], c["state"]))
        .collect();
    consents.sort();
    json!({"identifiers": identifiers, "consents": consents, "traits": row["traits"], "orders": row["orders"],
        "revenue": row["revenue_by_currency"], "events": row["events"], "profiles": row["profile_ids"].as_array().map(Vec::len)})
}

fn people(shop: &Shop) -> Vec<String> {
    let mut out: Vec<String> = rows(shop, "customers").iter().map(|row| person(row).to_string()).collect();
    out.sort();
    out
}

/// [issue 3, 7] All data can leave at any time, whole: a shop that is filled from it has the same people, consents and counts.
#[test]
fn everything_goes_out_and_makes_the_same_shop() {
    for (old, new) in shops().into_iter().zip(shops()) {
        fill(&old);
        for format in ["ndjson", "csv", "parquet"] {
            let export = made(&old, json!({"kind": "everything", "format": format}));
            let file = path(&old, &export);
            let manifest: Value = serde_json::from_slice(&unzipped(&file, "manifest.json")).expect("JSON");
            assert_eq!(manifest["mark"], export["mark"]);
            for part in manifest["files"].as_array().expect("files") {
                let bytes = unzipped(&file, part["file"].as_str().expect("a name"));
                let sum = crate::secrets::hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes));
                assert_eq!((part["sha256"].as_str(), part["bytes"].as_u64()), (Some(&*sum), Some(bytes.len() as u64)));
                assert!(part["columns"].as_array().is_some_and(|c| c.len() > 2), "{part}");
            }
            let events = unzipped(&file, &format!("events.{format}"));
            let tally = bring(&new, &format!("events.{format}"), &events, "events", "Old shop");
            // The first brings all; the others are the same events again. One row is nobody.
            let fresh = if format == "ndjson" { 9 } else { 0 };
            assert_eq!((&tally["events"], &tally["rejected_rows"]), (&json!(fresh), &json!(1)), "{format}: {tally}");
        }
        assert_eq!(people(&old), people(&new));
        assert_eq!(rows(&old, "events").len(), rows(&new, "events").len());
        assert_eq!(rows(&old, "orders")[0]["total"], json!(99.9));
        // The ledger as a file says the same once more.
        let ledger = text(&old, json!({"kind": "consents", "format": "csv"}));
        let tally = bring(&new, "consents.csv", ledger.as_bytes(), "consents", "Old ledger");
        assert_eq!((&tally["rows"], &tally["rejected_rows"]), (&json!(4), &json!(1)), "{tally}");
        // (The order of the rows is each file's mark.)
        let said = |shop: &Shop| -> Vec<String> {
            let mut all: Vec<String> =
                rows(shop, "customers").iter().map(|r| person(r)["consents"].to_string()).collect();
            all.sort();
            all
        };
        assert_eq!(said(&old), said(&new));
        clean(&old);
        clean(&new);
    }
}

/// [issue 3, 7] Customers as tables: the same people from CSV and Parquet, and nothing that a spreadsheet would run.
#[test]
fn customers_go_out_and_come_in_as_tables() {
    for (old, new) in shops().into_iter().zip(shops()) {
        fill(&old);
        let csv = text(&old, json!({"kind": "customers", "format": "csv", "traits": ["size"]}));
        assert!(
            csv.contains(",'=Олена,") && csv.lines().next().is_some_and(|l| l.contains(",trait.size,export_mark")),
            "{csv}"
        );
        let export = made(&old, json!({"kind": "customers", "format": "parquet"}));
        let parquet = std::fs::read(path(&old, &export)).expect("the file is there");
        // Two of the four have an id or contact that a table brings; one is nobody.
        for (name, bytes) in [("c.csv", csv.as_bytes()), ("c.parquet", &parquet)] {
            let tally = bring(&new, name, bytes, "customers", name);
            assert_eq!((&tally["rows"], &tally["rejected_rows"]), (&json!(4), &json!(2)), "{name}: {tally}");
        }
        let found = new.owner("GET", "/api/v1/customers/lookup?email=olena@example.com").send().json();
        assert_eq!(
            (found["traits"]["firstName"].as_str(), found["identifiers"][0]["value"].as_str()),
            (Some("=Олена"), Some("u1")),
            "{found}"
        );
        let xlsx = made(&old, json!({"kind": "customers", "format": "xlsx"}));
        assert!(
            String::from_utf8_lossy(&unzipped(&path(&old, &xlsx), "xl/worksheets/sheet1.xml"))
                .contains("taras@example.com")
        );
        let few = text(
            &old,
            json!({"kind": "customers", "format": "csv", "columns": ["person_id", "email"],
            "filter": {"since": "2026-01-05T00:00:00Z", "until": "2026-01-07T00:00:00Z"}}),
        );
        assert_eq!(few.lines().count(), 4, "{few}");
        assert!(few.starts_with("person_id,email,export_mark\r\n"));
    }
}

/// [issue 3, 7] Computed traits leave with the customers: all of them in one column, chosen ones in their own type and masked
/// like everything else.
#[test]
fn computed_traits_go_out_with_the_customers() {
    for shop in shops() {
        fill(&shop);
        for (name, expression, kind) in [
            ("spent", "sum(\"Order Completed\".total)", "number"),
            ("told", "last(\"Consent Granted\".address)", "text"),
        ] {
            let new = json!({"name": name, "title": name, "expression": expression, "kind": kind});
            let made = shop.owner("POST", "/api/v1/computed-traits").json(&new).send();
            assert_eq!(made.status, 201, "{}", made.text);
            let id = made.json()["id"].as_str().expect("an id").to_string();
            for _ in 0..500 {
                if shop.owner("GET", &format!("/api/v1/computed-traits/{id}")).send().json()["state"] == "live" {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let wish = |format: &str| {
            json!({"kind": "customers", "format": format, "columns": ["user_id", "computed"],
                "computed": ["spent", "told"]})
        };
        let csv = text(&shop, wish("csv"));
        let line = csv.lines().find(|l| l.starts_with("u1,")).expect("the row");
        assert!(csv.starts_with("user_id,computed,computed.spent,computed.told,export_mark\r\n"), "{csv}");
        assert!(
            line.contains(r#""{""spent"":99.9,""told"":""olena@example.com""}",99.9,olena@example.com,"#),
            "{line}"
        );
        let rows = text(&shop, wish("ndjson"));
        assert!(rows.contains(r#""computed.spent":99.9"#), "{rows}");
        for format in ["parquet", "xlsx"] {
            let export = made(&shop, wish(format));
            assert!(std::fs::metadata(path(&shop, &export)).expect("the file").len() > 500, "{format}");
        }
        let mut masked = wish("csv");
        masked["contacts"] = json!(false);
        let masked = text(&shop, masked);
        assert!(masked.contains(",99.9,") && !masked.contains("olena@example.com"), "{masked}");
        let unknown = json!({"kind": "customers", "format": "csv", "computed": ["nothing"]});
        let refused = begin(&shop, unknown);
        assert!(refused.status == 422 && refused.text.contains("no computed trait nothing"), "{}", refused.text);
    }
}

fn set_policy(shop: &Shop, rows: i64) {
    let mut policy = shop.owner("GET", "/api/v1/settings/security").send().json();
    policy["export_rows"] = rows.into();
    let set = shop.owner("PUT", "/api/v1/settings/security").json(&policy).send();
    assert_eq!(set.status, 200, "{}", set.text);
}

/// [issue 3, 8] Above N rows a second person; who sees no contacts gets none without one; every file leads back.
#[test]
fn large_exports_and_contacts_need_a_second_person() {
    for shop in shops() {
        fill(&shop);
        let key = shop.owner("POST", "/api/v1/api-keys").json(&json!({"name": "M", "role": "marketer"})).send().json();
        let key = format!("Bearer {}", key["key"].as_str().expect("a key"));
        let ask = |method: &'static str, path: &str, body: Value| {
            let answer = shop.ask(method, path).header("authorization", &key).json(&body).send();
            (answer.status, serde_json::from_str::<Value>(&answer.text).unwrap_or_default())
        };
        let ready = |export: &Value| {
            let id = export["id"].as_str().expect("an id").to_string();
            wait(&shop, &id, "ready")
        };
        // Few rows without contacts go at once, masked, without the row that is nobody.
        let (status, masked) = ask("POST", "/api/v1/exports", json!({"kind": "customers", "format": "csv"}));
        assert_eq!((status, &masked["masked"]), (201, &json!(true)), "{masked}");
        let csv = std::fs::read_to_string(path(&shop, &ready(&masked))).expect("the file");
        assert!(!csv.contains("olena@") && !csv.contains("671234567") && !csv.contains("canary"), "{csv}");
        assert!(csv.contains("Коваль") && csv.contains(masked["mark"].as_str().expect("a mark")));
        // Contacts do not.
        let wish = json!({"kind": "customers", "format": "csv", "contacts": true});
        let (_, preview) = ask("POST", "/api/v1/exports/preview", wish.clone());
        assert_eq!(
            (&preview["needs_approval"], &preview["what"]),
            (&json!(true), &json!("customers with contacts")),
            "{preview}"
        );
        let (status, refused) = ask("POST", "/api/v1/exports", wish.clone());
        assert_eq!((status, &refused["code"]), (403, &json!("approval_needed")));
        // Nor do more rows than the shop lets one person take, whoever it is.
        set_policy(&shop, 2);
        assert_eq!(begin(&shop, json!({"kind": "customers", "format": "csv"})).code(), (403, "approval_needed".into()));
        let reason = json!({"what": "customers with contacts", "rows": 10, "reason": "for the printer"});
        let (_, approval) = ask("POST", "/api/v1/export-approvals", reason);
        let number: i64 = approval["id"].as_str().and_then(|i| i.parse().ok()).expect("a number");
        let mut with = wish.clone();
        with["approval_id"] = approval["id"].clone();
        assert_eq!(ask("POST", "/api/v1/exports", with.clone()).0, 403, "nobody has approved it");
        shop.app()
            .domain
            .store()
            .write(move |tx| crate::approvals::decide(tx, number, "owner@example.com", true))
            .expect("decides");
        let (status, plain) = ask("POST", "/api/v1/exports", with.clone());
        assert_eq!((status, &plain["masked"]), (201, &json!(false)), "{plain}");
        let plain = ready(&plain);
        let csv = std::fs::read_to_string(path(&shop, &plain)).expect("the file");
        let (mark, canary) =
            (plain["mark"].as_str().expect("a mark"), plain["canary"].as_str().expect("shown to owners"));
        assert!(
            csv.contains("olena@example.com") && csv.contains(canary) && csv.lines().skip(1).all(|l| l.contains(mark)),
            "{csv}"
        );
        assert_eq!(ask("POST", "/api/v1/exports", with).0, 403, "an approval is good once");
        // Whose file was it?
        let found = shop.owner("GET", &format!("/api/v1/exports?mark={canary}")).send().json();
        assert_eq!((&found["items"][0]["actor"], found["items"].as_array().map(Vec::len)), (&plain["actor"], Some(1)));
        let audit = shop.owner("GET", "/api/v1/audit?action=export").send().json();
        assert_eq!(
            (&audit["items"][0]["after"]["mark"], &audit["items"][0]["after"]["canary"]),
            (&json!(mark), &json!(canary))
        );
        // Marketers see their own exports, and no canary.
        let (_, own) = ask("GET", "/api/v1/exports", Value::Null);
        assert_eq!(
            (own["items"].as_array().map(Vec::len), &own["items"][0]["canary"]),
            (Some(2), &Value::Null),
            "{own}"
        );
    }
}

#[test]
fn a_link_is_good_once_and_goes_on_after_a_break() {
    let shop = Shop::new();
    fill(&shop);
    let export = made(&shop, json!({"kind": "events", "format": "ndjson"}));
    let id = export["id"].as_str().expect("an id");
    let whole = std::fs::read_to_string(path(&shop, &export)).expect("the file");
    let link = |shop: &Shop| {
        let link = shop.owner("POST", &format!("/api/v1/exports/{id}/link")).send();
        assert_eq!(link.status, 201, "{}", link.text);
        link.json()["url"].as_str().expect("a path").to_string()
    };
    let (old, url) = (link(&shop), link(&shop));
    assert_eq!(shop.owner("GET", &old).send().status, 404, "a newer link is the only one");
    assert_eq!(shop.ask("GET", &url).send().status, 401, "a link alone opens nothing");
    let answer = shop.owner("GET", &url).send();
    assert_eq!((answer.status, answer.text.as_str()), (200, whole.as_str()));
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    assert_eq!(answer.headers["etag"], format!("\"{}\"", export["sha256"].as_str().expect("a sum")));
    assert_eq!(shop.owner("GET", &url).send().status, 404, "once");
    let rest = shop.owner("GET", &url).header("range", "bytes=100-").send();
    assert_eq!((rest.status, rest.text.as_str()), (206, &whole[100..]));
    assert_eq!(get(&shop, id)["downloads"], 1);
    let audit = shop.owner("GET", "/api/v1/audit?action=download").send().json();
    assert_eq!(audit["items"][0]["after"]["mark"], export["mark"]);
    assert_eq!(shop.owner("DELETE", &format!("/api/v1/exports/{id}")).send().status, 204);
    assert_eq!(get(&shop, id)["state"], "deleted");
    assert!(!path(&shop, &export).exists());
    assert_eq!(shop.owner("POST", &format!("/api/v1/exports/{id}/link")).send().code(), (409, "conflict".into()));
}

/// [issue 3, 6] A file with an erased person in it goes; others stay. A file goes when its time is over.
#[test]
fn files_go_with_the_person_and_with_time() {
    for shop in shops() {
        fill(&shop);
        let all = made(&shop, json!({"kind": "customers", "format": "csv"}));
        let some =
            made(&shop, json!({"kind": "customers", "format": "csv", "filter": {"until": "2026-01-04T00:00:00Z"}}));
        let other = made(&shop, json!({"kind": "segments", "format": "csv"}));
        let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=u2").send().json();
        let person = found["person_id"].as_str().expect("a person");
        let erase = shop
            .owner("POST", &format!("/api/v1/customers/{person}/erasure"))
            .json(&json!({"reason": "asked for it"}))
            .send();
        assert!((200..300).contains(&erase.status), "{}", erase.text);
        let gone = wait(&shop, all["id"].as_str().expect("an id"), "erased");
        assert!(!path(&shop, &all).exists() && gone["ended_at"].is_string());
        assert_eq!(get(&shop, some["id"].as_str().expect("an id"))["state"], "ready");
        assert!(rows(&shop, "events").iter().all(|e| !e.to_string().contains("taras")));
        let id: i64 = other["id"].as_str().and_then(|i| i.parse().ok()).expect("a number");
        shop.app()
            .domain
            .store()
            .write(move |tx| tx.execute("UPDATE exports SET expires_at = 1 WHERE id = $1", &[id.into()]))
            .expect("writes");
        assert_eq!(get(&shop, &id.to_string())["state"], "expired");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        runtime.block_on(crate::exports::sweep::look(shop.app())).expect("looks");
        assert!(!path(&shop, &other).exists());
    }
}

/// An export goes on after stops and restarts, and every row is in the file once.
#[test]
fn an_export_goes_on_after_stops_and_restarts() {
    const PEOPLE: usize = 4_000;
    for mut shop in shops() {
        let list: Vec<Value> = (0..PEOPLE)
            .map(|n| json!({"type": "identify", "messageId": n.to_string(), "userId": format!("u{n}"), "traits": {"n": n}}))
            .collect();
        for piece in list.chunks(400) {
            assert_eq!(shop.track("/v1/batch", &json!({"batch": piece})).status, 200);
        }
        set_policy(&shop, 1_000_000);
        let begun =
            begin(&shop, json!({"kind": "customers", "format": "csv", "columns": ["person_id", "user_id"]})).json();
        let (id, job) =
            (begun["id"].as_str().expect("an id").to_string(), begun["job_id"].as_str().expect("a job").to_string());
        let stop = shop.owner("POST", &format!("/api/v1/jobs/{job}/stop")).json(&json!({})).send();
        if stop.status == 200 {
            assert_eq!(get(&shop, &id)["state"], "stopped");
            assert_eq!(shop.owner("POST", &format!("/api/v1/jobs/{job}/resume")).json(&json!({})).send().status, 200);
        }
        shop.restart();
        let export = wait(&shop, &id, "ready");
        assert_eq!(export["rows"], PEOPLE);
        let csv = std::fs::read_to_string(path(&shop, &export)).expect("the file");
        let mut found: Vec<&str> = csv.lines().skip(1).map(|l| l.split(',').nth(1).unwrap_or_default()).collect();
        found.sort_unstable();
        found.dedup();
        // With the columns that were chosen the row that is nobody has no address to stand in.
        assert_eq!(found.iter().filter(|u| u.starts_with('u')).count(), PEOPLE);
        // The order of the rows gives the mark away, even without its column.
        let numbers: Vec<i64> = csv.lines().skip(1).filter_map(|l| l.split(',').next()?.parse().ok()).collect();
        let mark = u64::from_str_radix(export["mark"].as_str().expect("a mark"), 16).expect("it is hexadecimal");
        assert_eq!(crate::exports::read_mark(&numbers), Some(mark));
        let folder = shop.place.folder.join("exports").join(format!("{id}.spool"));
        assert!(!folder.exists(), "rows are kept only until the file is there");
    }
}
