//! The tracking API by its contract.
use super::harness::{Shop, shops};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

fn lookup(shop: &Shop, user: &str) -> (u16, Value) {
    let path = format!("/api/v1/customers/lookup?user_id={user}");
    let answer = shop.owner("GET", &path).send();
    (answer.status, answer.json())
}

#[test]
fn an_acknowledged_event_is_on_its_person_and_survives_a_restart() {
    for mut shop in shops() {
        let order = json!({"userId": "u1", "event": "Order Completed", "messageId": "m1",
            "properties": {"total": 12.5, "currency": "GBP", "order_id": "1"}});
        let answer = shop.track("/v1/track", &order);
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"success": true}"#));
        assert_eq!(answer.headers.get("access-control-allow-origin").map(String::as_str), Some("*"));
        assert!(answer.headers["server-timing"].starts_with("db;dur="));
        shop.restart();
        let (status, person) = lookup(&shop, "u1");
        assert_eq!((status, &person["totals"]["revenue"]), (200, &json!([{"minor": 1250, "currency": "GBP"}])));
        // The same again is a repeat, also after the restart.
        assert_eq!(shop.track("/v1/track", &order).status, 200);
        assert_eq!(lookup(&shop, "u1").1["totals"]["orders"], 1);
    }
}

#[test]
fn every_way_to_send_a_key_and_a_body_is_taken() {
    let shop = Shop::new();
    let event = |id: &str| json!({"userId": "u", "event": "A", "messageId": id});
    let bearer = format!("Bearer {}", shop.keys.write_key);
    let answer = shop.ask("POST", "/v1/track").header("authorization", &bearer).json(&event("1")).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    // As a page's last beacon sends it: text, with the key inside.
    let body = json!({"userId": "u", "event": "A", "messageId": "2", "writeKey": shop.keys.write_key}).to_string();
    let answer = shop.ask("POST", "/v1/track").header("content-type", "text/plain").body(body.as_bytes()).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped
        .write_all(
            json!({"batch": [event("3"), event("4")]})
                .to_string()
                .replace("\"A\"", "\"A\",\"type\":\"track\"")
                .as_bytes(),
        )
        .expect("packs");
    let zipped = zipped.finish().expect("packs");
    let ask = shop.ask("POST", "/v1/batch").header("authorization", &bearer).header("content-encoding", "gzip");
    assert_eq!(ask.body(&zipped).send().status, 200);
    assert_eq!(lookup(&shop, "u").1["totals"]["events"], 4);
    let answer = shop.ask("OPTIONS", "/v1/track").header("origin", "https://shop.example").send();
    assert_eq!((answer.status, answer.headers["access-control-allow-origin"].as_str()), (204, "*"));
}

#[test]
fn what_cannot_be_taken_is_refused_with_its_code() {
    let shop = Shop::new();
    let (bearer, big) = (format!("Bearer {}", shop.keys.write_key), "x".repeat(600 << 10));
    let many = format!("{{\"batch\":[{}]}}", vec!["{}"; 2501].join(","));
    type Case<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, u16, &'a str);
    let cases: [Case<'_>; 10] = [
        ("POST", "/v1/track", None, "{}", 401, "unknown_key"),
        ("POST", "/v1/track", Some("Bearer nobody"), "{}", 401, "unknown_key"),
        ("POST", "/v1/track", Some("Basic !!"), "{}", 401, "unknown_key"),
        ("POST", "/v1/track", Some(&bearer), "", 400, "bad_json"),
        ("POST", "/v1/track", Some(&bearer), "{\"a\":", 400, "bad_json"),
        ("POST", "/v1/track", Some(&bearer), "[]", 400, "invalid_body"),
        ("POST", "/v1/track", Some(&bearer), &big, 400, "body_too_large"),
        ("POST", "/v1/batch", Some(&bearer), &many, 400, "too_many_items"),
        ("POST", "/v1/nothing", Some(&bearer), "{}", 404, "not_found"),
        ("GET", "/v1/track", Some(&bearer), "", 405, "method_not_allowed"),
    ];
    for (method, path, key, body, status, code) in cases {
        let ask = shop.ask(method, path).body(body.as_bytes());
        let ask = if let Some(key) = key { ask.header("authorization", key) } else { ask };
        let answer = ask.send();
        assert_eq!(answer.code(), (status, code.to_string()), "{method} {path} {:.40}", body);
        assert_eq!(answer.json()["success"], false);
    }
    assert_eq!(shop.owner("GET", "/api/v1/events").send().json()["items"], json!([]));
}

#[test]
fn a_batch_keeps_its_good_items_and_says_in_strict_mode_what_became_of_each() {
    for shop in shops() {
        let track = |id: &str| json!({"type": "track", "event": "A", "userId": "u", "messageId": id});
        let body = json!({"batch": [track("1"), {"type": "track", "userId": "u"}, track("1"), {"type": "nope"}]});
        let answer = shop.track("/v1/batch?strict=1", &body).json();
        let items: Vec<(&str, &Value)> = answer["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|i| (i["status"].as_str().unwrap_or_default(), &i["code"]))
            .collect();
        assert_eq!(items[0].0, "accepted");
        assert_eq!(items[1].0, "rejected");
        assert_eq!((items[2].0, items[3].0), ("duplicate", "rejected"));
        let rejects = shop.owner("GET", "/api/v1/rejects").send().json();
        assert_eq!(rejects["items"].as_array().map(Vec::len), Some(2));
        let summary = shop.owner("GET", "/api/v1/rejects/summary").send().json();
        assert_eq!(summary["items"][0]["count"], 1);
    }
}

#[test]
fn a_source_that_sends_too_fast_is_told_when_to_come_again() {
    let place = db::testing::Place::sqlite();
    let shop = Shop::open(place, &[("collect", "rate_per_source", "2")]);
    let send = |n: usize| shop.track("/v1/track", &json!({"userId": "u", "event": "A", "messageId": n.to_string()}));
    let answers: Vec<_> = (0..6).map(send).collect();
    let slow = answers.iter().find(|a| a.status == 429).expect("some are refused");
    assert_eq!(slow.code().1, "too_fast");
    assert!(slow.headers["retry-after"].parse::<u32>().is_ok_and(|s| s >= 1));
    assert_eq!(answers[0].status, 200);
}
