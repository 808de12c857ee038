//! Every documented route: nobody, the wrong role, garbage, the right role. A route that is missing here fails.
use super::harness::{Shop, shops};
use crate::access::Role;
use serde_json::{Value, json};

/// What a route is asked with by somebody who may, and what it needs.
struct Case {
    path: String,
    body: Option<Value>,
    /// The least role that may.
    role: Role,
}

fn case(shop: &Shop, id: &str) -> Case {
    let find = |list: &str| {
        let items = shop.owner("GET", list).send().json();
        items["items"][0]["id"].as_str().unwrap_or("0").to_string()
    };
    let (segment, template, rule) =
        (find("/api/v1/segments"), find("/api/v1/templates"), find("/api/v1/message-rules"));
    let text = json!({"name": "T", "channel": "email", "subject": "s", "body_html": "<p>x</p>", "body_text": "x"});
    let rule_body = json!({"segment_id": segment, "template_id": template, "channel": "email", "purpose": "marketing", "once": true, "enabled": true});
    let condition = json!({"name": format!("S {id}"), "expression": "count(\"A\") >= 1"});
    let (path, body, role): (String, Option<Value>, Role) = match id {
        "sign_in" => (
            "session".into(),
            Some(json!({"email": "owner@example.com", "password": shop.keys.password})),
            Role::Analyst,
        ),
        "current_session" | "sign_out" => ("session".into(), None, Role::Analyst),
        "list_users" => ("users".into(), None, Role::Owner),
        "create_user" => (
            "users".into(),
            Some(json!({"email": "n@example.com", "name": "N", "role": "analyst", "password": "long enough"})),
            Role::Owner,
        ),
        "list_api_keys" => ("api-keys".into(), None, Role::Owner),
        "create_api_key" => ("api-keys".into(), Some(json!({"name": "N", "role": "analyst"})), Role::Owner),
        "delete_api_key" => {
            let made =
                shop.owner("POST", "/api/v1/api-keys").json(&json!({"name": "Gone", "role": "analyst"})).send().json();
            (format!("api-keys/{}", made["id"].as_str().unwrap_or_default()), None, Role::Owner)
        }
        "list_audit" => ("audit".into(), None, Role::Owner),
        "list_sources" => ("sources".into(), None, Role::Analyst),
        "create_source" => ("sources".into(), Some(json!({"name": "New", "kind": "server"})), Role::Owner),
        "rotate_source_key" => {
            let made =
                shop.owner("POST", "/api/v1/sources").json(&json!({"name": "Old", "kind": "server"})).send().json();
            (format!("sources/{}/rotate", made["id"].as_str().unwrap_or_default()), None, Role::Owner)
        }
        "home" | "health" | "live" => (id.into(), None, Role::Analyst),
        "list_customers" => ("customers?query=ann".into(), None, Role::Analyst),
        "lookup_customer" => ("customers/lookup?user_id=u".into(), None, Role::Analyst),
        "get_customer" => ("customers/1".into(), None, Role::Analyst),
        "customer_stream" => ("customers/1/stream".into(), None, Role::Analyst),
        "customer_timeline" => ("customers/1/timeline?kind=online".into(), None, Role::Analyst),
        "customer_identity" => ("customers/1/identity".into(), None, Role::Analyst),
        "customer_messages" => ("customers/1/messages".into(), None, Role::Analyst),
        "unmerge_customer" => (
            "customers/1/unmerge".into(),
            Some(json!({"detach": {"kind": "email", "value": "ann@example.com"}})),
            Role::Owner,
        ),
        "record_consent" => (
            "consents".into(),
            Some(
                json!({"channel": "email", "address": "ann@example.com", "purpose": "marketing", "state": "granted", "wording": "yes"}),
            ),
            Role::Owner,
        ),
        "list_segments" => ("segments".into(), None, Role::Analyst),
        "create_segment" => ("segments".into(), Some(condition), Role::Owner),
        "preview_segment" => {
            ("segments/preview".into(), Some(json!({"expression": "count(\"A\") >= 1"})), Role::Analyst)
        }
        "get_segment" => (format!("segments/{segment}"), None, Role::Analyst),
        "update_segment" => (format!("segments/{segment}"), Some(condition), Role::Owner),
        "archive_segment" | "restore_segment" => {
            let made = shop.owner("POST", "/api/v1/segments").json(&condition).send().json();
            let made = made["id"].as_str().unwrap_or_default().to_string();
            if id == "archive_segment" {
                (format!("segments/{made}"), None, Role::Owner)
            } else {
                shop.owner("DELETE", &format!("/api/v1/segments/{made}")).send();
                (format!("segments/{made}/restore"), None, Role::Owner)
            }
        }
        "segment_members" => (format!("segments/{segment}/members"), None, Role::Analyst),
        "segment_changes" => (format!("segments/{segment}/changes"), None, Role::Analyst),
        "segment_stream" => (format!("segments/{segment}/stream"), None, Role::Analyst),
        "list_events" => ("events?status=accepted".into(), None, Role::Analyst),
        "get_event" => ("events/1".into(), None, Role::Analyst),
        "list_rejects" => ("rejects".into(), None, Role::Analyst),
        "reject_summary" => ("rejects/summary".into(), None, Role::Analyst),
        "list_templates" => ("templates".into(), None, Role::Analyst),
        "create_template" => ("templates".into(), Some(text), Role::Owner),
        "preview_template" => (
            "templates/preview".into(),
            Some(json!({"subject": "s", "body_html": "<p>x</p>", "body_text": "", "person_id": "1"})),
            Role::Analyst,
        ),
        "get_template" => (format!("templates/{template}"), None, Role::Analyst),
        "update_template" => (format!("templates/{template}"), Some(text), Role::Owner),
        "list_message_rules" => ("message-rules".into(), None, Role::Analyst),
        "create_message_rule" => ("message-rules".into(), Some(rule_body), Role::Owner),
        "get_message_rule" => (format!("message-rules/{rule}"), None, Role::Analyst),
        "update_message_rule" => (format!("message-rules/{rule}"), Some(rule_body), Role::Owner),
        "delete_message_rule" => {
            let made = shop.owner("POST", "/api/v1/message-rules").json(&rule_body).send().json();
            (format!("message-rules/{}", made["id"].as_str().unwrap_or_default()), None, Role::Owner)
        }
        "get_caps" => ("caps".into(), None, Role::Analyst),
        "put_caps" => (
            "caps".into(),
            Some(json!({"items": [{"channel": "email", "purpose": "marketing", "limit": 3, "window": "7d"}]})),
            Role::Owner,
        ),
        "list_messages" => ("messages?status=pending".into(), None, Role::Analyst),
        // No message is unknown here, so the right role gets a clean "no such message".
        "settle_message" => ("messages/1/settle".into(), Some(json!({"as": "sent"})), Role::Owner),
        other => panic!("the route {other} is documented, but not in this matrix"),
    };
    Case { path: format!("/api/v1/{path}"), body, role }
}

#[test]
fn every_documented_route_knows_who_may() {
    for shop in shops() {
        walk(&shop);
    }
}

fn walk(shop: &Shop) {
    let identify = json!({"userId": "u", "messageId": "1", "traits": {"name": "Ann", "email": "ann@example.com"}});
    assert_eq!(shop.track("/v1/identify", &identify).status, 200);
    let made = |path: &str, body: Value| {
        shop.owner("POST", path).json(&body).send().json()["id"].as_str().unwrap_or_default().to_string()
    };
    let segment = made("/api/v1/segments", json!({"name": "S", "expression": "count(\"A\") >= 1"}));
    let template = made(
        "/api/v1/templates",
        json!({"name": "T", "channel": "email", "subject": "s", "body_html": "<p>x</p>", "body_text": "x"}),
    );
    made(
        "/api/v1/message-rules",
        json!({"segment_id": segment, "template_id": template, "channel": "email", "purpose": "marketing"}),
    );
    let analyst = shop.owner("POST", "/api/v1/api-keys").json(&json!({"name": "A", "role": "analyst"})).send().json();
    let analyst = format!("Bearer {}", analyst["key"].as_str().unwrap_or_default());
    let document = serde_json::to_value(crate::api::document()).expect("serializes");
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            let case = case(shop, id);
            let method = method.to_uppercase();
            let ask = |key: Option<&str>, body: Option<&[u8]>| {
                let ask = shop.ask(&method, &case.path);
                let ask = key.map_or_else(|| shop.ask(&method, &case.path), |k| ask.header("authorization", k));
                match body {
                    Some(body) => ask.header("content-type", "application/json").body(body),
                    None => ask,
                }
            };
            let valid = case.body.as_ref().map(Value::to_string);
            let valid = valid.as_ref().map(|b| b.as_bytes());
            let streams = id == "live" || id.ends_with("_stream");
            if id != "sign_in" {
                assert_eq!(ask(None, valid).send().code(), (401, "not_signed_in".into()), "{id} for nobody");
                if case.role == Role::Owner {
                    assert_eq!(
                        ask(Some(&analyst), valid).send().code(),
                        (403, "not_allowed".into()),
                        "{id} for an analyst"
                    );
                } else if !streams {
                    let status = ask(Some(&analyst), valid).send().status;
                    assert!((200..300).contains(&status), "{id} for an analyst: {status}");
                }
            }
            let owner = format!("Bearer {}", shop.keys.api_key);
            if case.body.is_some() {
                for garbage in [&b"{"[..], b"[]", b"{\"nonsense\": 1}", b"\xff\xfe", b"null"] {
                    let answer = ask(Some(&owner), Some(garbage)).send();
                    assert!(
                        (400..500).contains(&answer.status),
                        "{id} with {garbage:?}: {} {}",
                        answer.status,
                        answer.text
                    );
                    assert_eq!(answer.headers["content-type"], "application/problem+json");
                }
            }
            if streams {
                assert!(ask(Some(&owner), None).stream().any(|l| l == ": open"), "{id}");
            } else {
                let answer = ask(Some(&owner), valid).send();
                let fine = (200..300).contains(&answer.status) || (id == "settle_message" && answer.status == 404);
                assert!(fine, "{id} for the owner: {} {}", answer.status, answer.text);
            }
            walked += 1;
        }
    }
    assert!(walked > 45, "{walked}");
}

#[test]
fn ids_that_are_none_are_not_found() {
    let shop = Shop::new();
    for path in [
        "customers/0",
        "customers/999",
        "customers/x",
        "customers/-1",
        "customers/1e3",
        "segments/7",
        "templates/7",
        "message-rules/7",
        "events/99999999999999999999",
    ] {
        assert_eq!(shop.owner("GET", &format!("/api/v1/{path}")).send().code(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(shop.owner("GET", "/api/v1/customers/lookup").send().code(), (400, "bad_query".into()));
    assert_eq!(
        shop.owner("GET", "/api/v1/customers/lookup?email=a@b.co&phone=1").send().code(),
        (400, "bad_query".into())
    );
    let large = vec![b' '; (1 << 20) + 1];
    let answer = shop.owner("POST", "/api/v1/segments").header("content-type", "application/json").body(&large).send();
    assert_eq!(answer.code(), (413, "too_large".into()));
}

#[test]
fn the_committed_document_is_the_present_one() {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/openapi.json");
    // The console's folder may be absent, for instance in a package of this crate alone.
    let Ok(committed) = std::fs::read_to_string(committed) else { return };
    let fresh = crate::api::document_text();
    let differs = committed.lines().zip(fresh.lines()).position(|(a, b)| a != b);
    assert!(committed == fresh, "first in line {:?}; run: cargo xtask openapi", differs.map(|n| n + 1));
}
