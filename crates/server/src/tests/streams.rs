//! Streams tell what was committed, soon.
use super::harness::Shop;
use serde_json::{Value, json};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The data of the next message with a name.
fn next(lines: &mpsc::Receiver<String>, event: &str) -> String {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let line = lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {event} came"));
        if line == format!("event: {event}") {
            let data = lines.recv_timeout(Duration::from_secs(5)).expect("data follows");
            return data.trim_start_matches("data: ").to_string();
        }
    }
}

/// Reads a stream on a thread of its own; chunk sizes are lines that nobody looks for.
fn listen(shop: &Shop, path: &str) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let stream = shop.owner("GET", path).stream();
    std::thread::spawn(move || {
        for line in stream {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn the_shop_the_person_and_the_segment_are_told() {
    let shop = Shop::new();
    let segment = json!({"name": "Buyers", "expression": "count(\"Order Completed\") >= 1"});
    let segment = shop.owner("POST", "/api/v1/segments").json(&segment).send().json();
    assert_eq!(segment["state"], "live");
    shop.track("/v1/identify", &json!({"userId": "u", "messageId": "0", "traits": {"name": "Ann"}}));
    let live = listen(&shop, "/api/v1/live");
    let person = listen(&shop, "/api/v1/customers/1/stream");
    let path = format!("/api/v1/segments/{}/stream", segment["id"].as_str().unwrap_or_default());
    let count = listen(&shop, &path);
    for stream in [&live, &person, &count] {
        while stream.recv_timeout(Duration::from_secs(5)).expect("opens") != ": open" {}
    }
    let started = Instant::now();
    let order = json!({"userId": "u", "event": "Order Completed", "messageId": "1", "properties": {"total": 1, "currency": "GBP"}});
    shop.track("/v1/track", &order);
    assert!(next(&live, "event").contains("Order Completed"));
    assert!(next(&person, "timeline").contains("Order Completed"));
    assert!(next(&count, "count").contains("\"count\":1"));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(next(&live, "counts").contains("\"events\":2"));
}

#[test]
fn a_stop_ends_streams_and_takes_the_ready_file_away_last() {
    let mut shop = Shop::new();
    let live = listen(&shop, "/api/v1/live");
    assert!(shop.place.folder.join("ready").exists());
    let started = Instant::now();
    shop.stop();
    assert!(started.elapsed() < Duration::from_secs(10));
    while live.recv_timeout(Duration::from_secs(5)).is_ok() {}
}

/// A stream may be narrowed on the server: by source, name, kind and what became of the item; the list by the same.
#[test]
fn the_live_stream_tells_what_is_asked_for() {
    let shop = Shop::new();
    let orders = listen(&shop, "/api/v1/live?event=Order%20Completed&status=accepted");
    let pages = listen(&shop, "/api/v1/live?type=page");
    let refused = listen(&shop, "/api/v1/live?status=rejected");
    let silent = listen(&shop, "/api/v1/live?events=false");
    let elsewhere = listen(&shop, "/api/v1/live?source_id=999");
    for stream in [&orders, &pages, &refused, &silent, &elsewhere] {
        while stream.recv_timeout(Duration::from_secs(5)).expect("opens") != ": open" {}
    }
    let send = |path: &str, body: Value| shop.track(path, &body);
    send("/v1/track", json!({"userId": "u", "event": "Product Viewed", "messageId": "1"}));
    send("/v1/page", json!({"userId": "u", "name": "Cart", "messageId": "2"}));
    send("/v1/track", json!({"userId": "u", "event": "", "messageId": "3"}));
    send(
        "/v1/track",
        json!({"userId": "u", "event": "Order Completed", "messageId": "4", "properties": {"order_id": "o"}}),
    );
    assert!(next(&orders, "event").contains("\"message_id\":\"4\""), "the first that this one hears");
    assert!(next(&pages, "event").contains("\"message_id\":\"2\""));
    assert!(next(&refused, "event").contains("\"status\":\"rejected\""));
    for stream in [&silent, &elsewhere] {
        while let Ok(line) = stream.recv_timeout(Duration::from_millis(1500)) {
            assert!(!line.starts_with("event: event"), "{line}");
        }
    }
    let list = |query: &str| shop.owner("GET", &format!("/api/v1/events?{query}")).send();
    let ids = |query: &str| -> Vec<String> {
        let items = list(query).json()["items"].as_array().expect("a list").clone();
        items.iter().map(|i| i["message_id"].as_str().unwrap_or("refused").to_string()).collect()
    };
    assert_eq!(ids("event=Order%20Completed"), ["4"]);
    assert_eq!(ids("type=page"), ["2"]);
    assert_eq!(ids("type=track&status=accepted"), ["4", "1"]);
    assert_eq!(list("type=call").code().0, 400);
    assert_eq!(shop.owner("GET", "/api/v1/live?type=call").send().code().0, 400);
}
