//! Signing in, changing things once, lists.
use super::harness::{Shop, shops};
use serde_json::{Value, json};

fn sign_in(shop: &Shop, password: &str) -> super::harness::Answer {
    let body = json!({"email": "Owner@Example.com", "password": password});
    shop.ask("POST", "/api/v1/session").json(&body).send()
}

#[test]
fn a_session_needs_the_password_and_changes_need_the_header() {
    for shop in shops() {
        assert_eq!(sign_in(&shop, "wrong").code(), (401, "bad_credentials".into()));
        let answer = sign_in(&shop, &shop.keys.password.clone());
        assert_eq!((answer.status, &answer.json()["role"]), (200, &json!("owner")));
        assert_eq!(answer.json()["shop"]["currency"], "UAH");
        let cookie = answer.headers["set-cookie"].clone();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        let cookie = cookie.split(';').next().unwrap_or_default().to_string();
        let ask = |method, path| shop.ask(method, path).header("cookie", &cookie);
        assert_eq!(ask("GET", "/api/v1/session").send().json()["email"], "owner@example.com");
        let source = json!({"name": "Till", "kind": "server"});
        assert_eq!(ask("POST", "/api/v1/sources").json(&source).send().code(), (403, "csrf_missing".into()));
        let made = ask("POST", "/api/v1/sources").header("x-braid-csrf", "1").json(&source).send();
        assert_eq!(made.status, 201);
        let out = ask("DELETE", "/api/v1/session").header("x-braid-csrf", "1").send();
        assert_eq!(out.status, 204);
        assert_eq!(ask("GET", "/api/v1/session").send().code(), (401, "not_signed_in".into()));
    }
}

#[test]
fn guessing_passwords_is_slowed_down() {
    let shop = Shop::new();
    let answers: Vec<_> = (0..9).map(|_| sign_in(&shop, "wrong")).collect();
    assert_eq!(answers[8].code(), (429, "too_many_attempts".into()));
    assert!(answers[8].headers["retry-after"].parse::<u32>().is_ok());
}

#[test]
fn the_same_key_makes_the_same_change_once() {
    for shop in shops() {
        let make = |key: &str, name: &str| {
            let body = json!({"name": name, "role": "analyst"});
            shop.owner("POST", "/api/v1/api-keys").header("idempotency-key", key).json(&body).send()
        };
        let first = make("k1", "Robot");
        assert_eq!(first.status, 201);
        assert!(first.json()["key"].as_str().is_some_and(|k| k.starts_with("ak_")));
        let again = make("k1", "Robot");
        assert_eq!((again.status, again.headers.contains_key("idempotent-replayed")), (201, true));
        assert_eq!(again.json()["id"], first.json()["id"]);
        assert!(again.json().get("key").is_none(), "a secret is shown once");
        assert_eq!(make("k1", "Other").code(), (422, "idempotency_mismatch".into()));
        let keys = shop.owner("GET", "/api/v1/api-keys").send().json();
        assert_eq!(keys["items"].as_array().map(Vec::len), Some(2));
        let audit = shop.owner("GET", "/api/v1/audit?limit=1").send().json();
        assert_eq!(
            (&audit["items"][0]["action"], &audit["items"][0]["subject_kind"]),
            (&json!("create"), &json!("api_key"))
        );
        assert!(!audit.to_string().contains(first.json()["key"].as_str().unwrap_or("?")), "no key in the audit");
    }
}

#[test]
fn a_change_of_an_old_version_is_refused() {
    let shop = Shop::new();
    let body = |text: &str| json!({"name": "T", "channel": "email", "subject": text, "body_html": "<p>x</p>", "body_text": "x"});
    let made = shop.owner("POST", "/api/v1/templates").json(&body("one")).send();
    assert_eq!((made.status, made.headers["etag"].as_str()), (201, "\"v1\""));
    let path = format!("/api/v1/templates/{}", made.json()["id"].as_str().unwrap_or_default());
    let put = |tag: &str, text: &str| shop.owner("PUT", &path).header("if-match", tag).json(&body(text)).send();
    let second = put("\"v1\"", "two");
    assert_eq!((second.status, second.headers["etag"].as_str()), (200, "\"v2\""));
    assert_eq!(put("\"v1\"", "three").code(), (412, "changed_meanwhile".into()));
    assert_eq!(put("nonsense", "three").code(), (400, "bad_request".into()));
    assert_eq!(shop.owner("GET", &path).send().json()["subject"], "two");
    let bad = shop.owner("POST", "/api/v1/templates").json(&body("{{ oops")).send();
    assert_eq!((bad.code(), bad.json()["errors"][0]["line"].is_number()), ((422, "bad_template".into()), true));
}

#[test]
fn lists_come_in_pages_that_fit_together() {
    for shop in shops() {
        for n in 0..7 {
            let body = json!({"userId": format!("u{n}"), "event": "A", "messageId": n.to_string(), "timestamp": format!("2026-01-0{}T00:00:00Z", n + 1)});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
            let body = json!({"userId": "u0", "event": "B", "messageId": format!("b{n}"), "timestamp": format!("2026-02-0{}T00:00:00Z", n + 1)});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
        }
        let walk = |list: &str, id: &str| {
            let (mut seen, mut cursor) = (Vec::<String>::new(), String::new());
            loop {
                let path = format!("{list}limit=3{cursor}");
                let page: Value = shop.owner("GET", &path).send().json();
                let items = page["items"].as_array().cloned().unwrap_or_default();
                assert!(items.len() <= 3);
                seen.extend(items.iter().map(|i| i[id].to_string()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => return seen,
                }
            }
        };
        let people = walk("/api/v1/customers?", "person_id");
        assert_eq!((people.len(), people[0].as_str()), (7, "\"1\""), "{people:?}");
        let events = walk("/api/v1/events?", "message_id");
        assert_eq!(events.len(), 14);
        let timeline = walk("/api/v1/customers/1/timeline?", "message_id");
        assert_eq!((timeline.len(), timeline[0].as_str(), timeline[7].as_str()), (8, "\"b6\"", "\"0\""));
        assert_eq!(shop.owner("GET", "/api/v1/customers?cursor=x").send().code(), (400, "bad_cursor".into()));
    }
}

#[test]
fn files_are_taken_from_this_machine_only() {
    let shop = Shop::new();
    let event =
        json!({"type": "track", "event": "A", "userId": "u", "messageId": "1", "timestamp": "2009-12-01T00:00:00Z"});
    let body = json!({"source": "file", "batch": [event]});
    assert_eq!(shop.owner("POST", "/api/v1/imports/pieces").json(&body).send().code(), (403, "not_allowed".into()));
    let token = format!("Bearer {}", shop.app().local_token);
    let send =
        |body: &Value| shop.ask("POST", "/api/v1/imports/pieces").header("authorization", &token).json(body).send();
    assert_eq!(send(&body).json(), json!({"events": 1, "duplicates": 0}));
    assert_eq!(send(&body).json(), json!({"events": 0, "duplicates": 1}));
    let late = json!({"source": "file", "batch": [{"type": "track", "event": "A", "userId": "u", "messageId": "2", "timestamp": "2999-01-01"}]});
    assert_eq!(send(&late).code(), (422, "bad_input".into()));
    let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=u").send().json();
    assert_eq!(person["totals"]["first_seen"], "2009-12-01T00:00:00.000000Z");
}

#[test]
fn a_person_is_taken_apart_and_put_back_under_every_id() {
    for shop in shops() {
        shop.track("/v1/identify", &json!({"userId": "a", "messageId": "1", "traits": {"email": "a@example.com"}}));
        shop.track("/v1/identify", &json!({"userId": "b", "messageId": "2", "traits": {"phone": "+447911123456"}}));
        let both = json!({"anonymousId": "x", "messageId": "3", "traits": {"email": "A@example.com", "phone": "07911 123456"}});
        shop.track("/v1/identify", &both);
        let person = shop.owner("GET", "/api/v1/customers/2").send().json();
        let identity = shop.owner("GET", "/api/v1/customers/2/identity").send().json();
        if person["profile_ids"].as_array().map(Vec::len) != Some(2) {
            // Two user ids on one person are over the limit: nothing was joined, so there is nothing to take apart.
            assert_eq!(identity["edges"], json!([]));
            continue;
        }
        let edges: Vec<&Value> = identity["edges"].as_array().into_iter().flatten().map(|e| &e["id"]).collect();
        let cut = shop.owner("POST", "/api/v1/customers/2/unmerge").json(&json!({"edges": edges})).send();
        assert_eq!(cut.json()["people"].as_array().map(Vec::len), Some(2));
    }
}
