//! What the console keeps on the server: views, notes, files, changes of many customers, leave for downloads.
use super::harness::{Answer, Shop, shops};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn get(shop: &Shop, path: &str) -> Value {
    let answer = shop.owner("GET", &format!("/api/v1/{path}")).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn post(shop: &Shop, path: &str, body: &Value) -> Answer {
    shop.owner("POST", &format!("/api/v1/{path}")).json(body).send()
}

fn customer(shop: &Shop, user: &str, traits: Value) -> String {
    let body = json!({"userId": user, "messageId": format!("i-{user}-{traits}"), "traits": traits});
    assert_eq!(shop.track("/v1/identify", &body).status, 200);
    get(shop, &format!("customers/lookup?user_id={user}"))["person_id"].as_str().expect("an id").to_string()
}

fn key(shop: &Shop, role: &str) -> String {
    let made = post(shop, "api-keys", &json!({"name": role, "role": role})).json();
    format!("Bearer {}", made["key"].as_str().unwrap_or_default())
}

#[test]
fn many_customers_change_at_once_and_the_change_is_taken_back() {
    for shop in shops() {
        let ann = customer(&shop, "ann", json!({"name": "Ann", "tier": "silver"}));
        let bob = customer(&shop, "bob", json!({"name": "Bob", "phone": "+380671234567"}));
        let rows = json!([
            {"person_id": ann, "traits": {"tier": "gold", "list_vip": true}},
            {"identifier": {"kind": "phone", "value": "067 123-45-67"}, "traits": {"tier": "gold", "list_vip": true}},
            {"identifier": {"kind": "email", "value": "nobody@example.com"}, "traits": {"tier": "gold"}},
            {"person_id": bob, "traits": {"tier": "gold"}},
            {"person_id": ann, "traits": {"email": "x@example.com"}},
        ]);
        let wanted = json!({"title": "gold for all", "rows": rows});
        let preview = post(&shop, "bulk-edits/preview", &wanted).json();
        assert_eq!((&preview["changed"], &preview["failed"]), (&json!(2), &json!(3)), "{preview}");
        let errors: Vec<&Value> = preview["rows"].as_array().expect("rows").iter().map(|r| &r["error"]).collect();
        assert_eq!(errors, [&Value::Null, &Value::Null, &json!("nobody"), &json!("twice"), &json!("twice")]);
        let first = &preview["rows"][0]["changes"];
        assert_eq!(first[1], json!({"name": "tier", "before": "silver", "after": "gold"}));
        assert_eq!(get(&shop, &format!("customers/{ann}"))["traits"]["tier"], "silver", "a preview changes nothing");

        let made = post(&shop, "bulk-edits", &wanted);
        assert_eq!((made.status, &made.json()["changed"]), (201, &json!(2)), "{}", made.text);
        let id = made.json()["id"].as_str().expect("an id").to_string();
        for person in [&ann, &bob] {
            let traits = get(&shop, &format!("customers/{person}"))["traits"].clone();
            assert_eq!((&traits["tier"], &traits["list_vip"]), (&json!("gold"), &json!(true)));
        }
        // A trait that somebody changed since stays; the rest goes back, and what was not there is not there again.
        let later = json!({"userId": "ann", "messageId": "later", "traits": {"tier": "platinum"}});
        assert_eq!(shop.track("/v1/identify", &later).status, 200);
        let listed = get(&shop, "bulk-edits");
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["undone_at"]), (&json!(id), &Value::Null));
        let undone = post(&shop, &format!("bulk-edits/{id}/undo"), &json!({}));
        assert_eq!((undone.status, undone.json()), (200, json!({"changed": 2, "passed": 1})), "{}", undone.text);
        let traits = get(&shop, &format!("customers/{ann}"))["traits"].clone();
        assert_eq!((&traits["tier"], traits.get("list_vip")), (&json!("platinum"), None));
        assert_eq!(get(&shop, &format!("customers/{bob}"))["traits"].get("tier"), None);
        assert_eq!(post(&shop, &format!("bulk-edits/{id}/undo"), &json!({})).code(), (409, "conflict".into()));
        // Who did it stands on the timeline's source and in the audit.
        let timeline = get(&shop, &format!("customers/{bob}/timeline"));
        assert!(timeline["items"].as_array().expect("items").iter().any(|i| i["source"]["name"] == "Console"));
        let audit = get(&shop, "audit?limit=2");
        assert_eq!((&audit["items"][0]["action"], &audit["items"][1]["action"]), (&json!("undo"), &json!("change")));
        shop.assert_clean();
    }
}

#[test]
fn a_list_of_people_is_a_segment_over_a_trait() {
    for shop in shops() {
        let ann = customer(&shop, "ann", json!({"name": "Ann"}));
        customer(&shop, "bob", json!({"name": "Bob"}));
        let made = post(&shop, "segments", &json!({"name": "VIP", "expression": "trait.list_vip = true"}));
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json()["id"].as_str().expect("an id").to_string();
        let count = |wanted: i64| {
            let began = Instant::now();
            while get(&shop, &format!("segments/{id}"))["count"] != wanted {
                assert!(began.elapsed() < Duration::from_secs(20), "never {wanted}");
                std::thread::sleep(Duration::from_millis(50));
            }
        };
        let rows = json!([{"person_id": ann, "traits": {"list_vip": true}}]);
        let edit = post(&shop, "bulk-edits", &json!({"title": "VIP", "rows": rows})).json();
        count(1);
        let names = |query: &str| {
            let found = get(&shop, &format!("customers?query={query}&segment_id={id}"));
            found["items"].as_array().expect("items").iter().map(|c| c["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((names("ann"), names("bob")), (vec![json!("Ann")], vec![]), "a search within a list");
        assert_eq!(get(&shop, &format!("segments/{id}/members"))["items"][0]["person_id"], json!(ann));
        let path = format!("bulk-edits/{}/undo", edit["id"].as_str().expect("an id"));
        assert_eq!(post(&shop, &path, &json!({})).status, 200);
        count(0);
    }
}

#[test]
fn views_are_ones_own_until_they_are_shared() {
    for shop in shops() {
        let view = |name: &str, shared: bool| json!({"page": "customers", "name": name, "shared": shared, "state": {"sort": "orders", "columns": [{"id": "name"}]}});
        let analyst = key(&shop, "analyst");
        let ask = |method, path| shop.ask(method, path).header("authorization", &analyst);
        let own = ask("POST", "/api/v1/views").json(&view("Mine", false)).send();
        assert_eq!((own.status, own.headers["etag"].as_str()), (201, "\"v1\""));
        let shared = post(&shop, "views", &view("Ours", true)).json();
        let names = |list: Value| -> Vec<String> {
            let items = list["items"].as_array().expect("items").clone();
            items.iter().map(|v| v["name"].as_str().unwrap_or_default().to_string()).collect()
        };
        assert_eq!(names(get(&shop, "views?page=customers")), ["Ours"]);
        assert_eq!(names(ask("GET", "/api/v1/views?page=customers").send().json()), ["Mine", "Ours"]);
        assert_eq!(names(get(&shop, "views?page=orders")), Vec::<String>::new());
        let path = format!("/api/v1/views/{}", shared["id"].as_str().expect("an id"));
        assert_eq!(ask("PUT", &path).json(&view("Taken", true)).send().code(), (409, "conflict".into()));
        let hidden = format!("/api/v1/views/{}", own.json()["id"].as_str().expect("an id"));
        assert_eq!(shop.owner("DELETE", &hidden).send().code(), (404, "not_found".into()), "not even an owner");
        let changed = shop.owner("PUT", &path).header("if-match", "\"v1\"").json(&view("Ours, sorted", true)).send();
        assert_eq!((changed.status, &changed.json()["state"]["sort"]), (200, &json!("orders")));
        let old = shop.owner("PUT", &path).header("if-match", "\"v1\"").json(&view("x", true)).send();
        assert_eq!(old.code(), (412, "changed_meanwhile".into()));
        let large = json!({"page": "customers", "name": "L", "state": {"x": "y".repeat(20_000)}});
        assert_eq!(post(&shop, "views", &large).code(), (422, "bad_input".into()));
        assert_eq!(ask("DELETE", &hidden).send().status, 204);
        assert_eq!(names(ask("GET", "/api/v1/views?page=customers").send().json()), ["Ours, sorted"]);
    }
}

#[test]
fn notes_and_files_go_with_the_person() {
    for shop in shops() {
        let ann = customer(&shop, "ann", json!({"name": "Ann", "email": "ann.unique@example.com"}));
        let bob = customer(&shop, "bob", json!({"name": "Bob"}));
        let notes = format!("customers/{ann}/notes");
        let note = post(&shop, &notes, &json!({"text": "  Asks for <b>Taras</b> \u{0}"})).json();
        assert_eq!(note["text"], "Asks for <b>Taras</b> \u{fffd}");
        let path = format!("/api/v1/{notes}/{}", note["id"].as_str().expect("an id"));
        assert_eq!(shop.owner("DELETE", &path).send().status, 204);
        assert_eq!(get(&shop, &notes)["items"], json!([]));
        let back = shop.owner("PUT", &path).json(&json!({"text": "Asks for Taras"})).send();
        assert_eq!((back.status, &get(&shop, &notes)["items"][0]["text"]), (200, &json!("Asks for Taras")));
        let other = key(&shop, "agent");
        let foreign = shop.ask("PUT", &path).header("authorization", &other).json(&json!({"text": "x"})).send();
        assert_eq!(foreign.code(), (409, "conflict".into()), "a colleague's note");
        let others = format!("/api/v1/customers/{bob}/notes/{}", note["id"].as_str().expect("an id"));
        assert_eq!(shop.owner("DELETE", &others).send().code(), (404, "not_found".into()));
        post(&shop, &format!("customers/{bob}/notes"), &json!({"text": "sister of ann.unique@example.com"}));
        post(&shop, &format!("customers/{bob}/notes"), &json!({"text": "likes blankets"}));

        let files = format!("/api/v1/customers/{ann}/files?name=..%2F%D0%A7%D0%B5%D0%BA.pdf");
        let put =
            |bytes: &[u8]| shop.owner("POST", &files).header("content-type", "application/pdf").body(bytes).send();
        let file = put(b"%PDF secret");
        assert_eq!((file.status, &file.json()["name"]), (201, &json!("Чек.pdf")), "{}", file.text);
        assert_eq!(put(b"%PDF secret").status, 200, "the same file is there once");
        assert_eq!(put(b"").code(), (422, "bad_input".into()));
        let large = vec![b'x'; (5 << 20) + 1];
        assert_eq!(put(&large).status, 413);
        let path = format!("/api/v1/customers/{ann}/files/{}", file.json()["id"].as_str().expect("an id"));
        let whole = shop.owner("GET", &path).send();
        assert_eq!((whole.text.as_str(), whole.headers["content-type"].as_str()), ("%PDF secret", "application/pdf"));
        assert!(whole.headers["content-disposition"].starts_with("attachment;"));
        let analyst = key(&shop, "analyst");
        let masked = shop.ask("GET", &path).header("authorization", &analyst).send();
        assert_eq!(masked.code(), (403, "not_allowed".into()), "bytes cannot be masked");

        let erased = post(&shop, &format!("customers/{ann}/erasure"), &json!({"reason": "asked"}));
        assert!(erased.status < 300, "{}", erased.text);
        assert_eq!(shop.owner("GET", &path).send().status, 404);
        let began = Instant::now();
        loop {
            let left = get(&shop, &format!("customers/{bob}/notes"))["items"].clone();
            let texts: Vec<&str> = left.as_array().expect("items").iter().filter_map(|n| n["text"].as_str()).collect();
            if texts == ["likes blankets", "erased"] {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{texts:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        let rows = shop.app().domain.store();
        for table in ["notes", "customer_files"] {
            let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM {table} WHERE profile_id = $1");
            let person: i64 = ann.parse().expect("a number");
            let left = rows.query(move |db| db.first(&sql, &[person.into()])?.map_or(Ok(-1), |r| r.int(0)));
            assert_eq!(left.expect("reads"), 0, "{table}");
        }
        shop.assert_clean();
    }
}

#[test]
fn a_table_leaves_with_a_mark_and_a_large_one_not_at_all() {
    for shop in shops() {
        let leave = |rows: i64| post(&shop, "table-downloads", &json!({"table": "customers", "rows": rows}));
        let given = leave(40);
        assert_eq!(given.status, 201, "{}", given.text);
        let mark = given.json()["mark"].as_str().expect("a mark").to_string();
        let audit = get(&shop, "audit?limit=1");
        assert_eq!(
            (&audit["items"][0]["action"], &audit["items"][0]["after"]["mark"]),
            (&json!("export"), &json!(mark))
        );
        assert_eq!(leave(501).code(), (403, "approval_needed".into()));
        assert_eq!(leave(10_001).code(), (422, "bad_input".into()));
        let agent = key(&shop, "agent");
        let body = json!({"table": "customers", "rows": 1});
        let refused = shop.ask("POST", "/api/v1/table-downloads").header("authorization", &agent).json(&body).send();
        assert_eq!(refused.code(), (403, "not_allowed".into()));
    }
}
