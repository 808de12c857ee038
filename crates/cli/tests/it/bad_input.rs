//! What nobody should send, over real connections: each is answered with why, none harms the server or what is stored.
use crate::braid::{Server, Shop, until};
use crate::http::{Answer, Client, basic, connect, read_answer};
use base::Rng;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(body).and_then(|()| out.finish()).expect("it is packed in memory")
}

fn event(id: &str) -> Value {
    json!({"type": "track", "messageId": id, "userId": "olena", "event": "Product Viewed"})
}

/// Asserts a refusal with its status and stable code, in the form that the contract fixes.
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    assert_eq!(body["success"], json!(false));
    assert!(body["detail"].as_str().is_some_and(|d| !d.is_empty()), "{body}");
    if matches!(status, 429 | 503) {
        let seconds: u32 =
            answer.header("retry-after").and_then(|v| v.parse().ok()).expect("it says when to try again");
        assert!(seconds > 0);
    }
}

/// The server lives, is sound, and holds just so many events.
fn assert_unharmed(shop: &Shop, server: &mut Server, events: i64) {
    assert!(server.child.is_running(), "{}", server.said());
    assert_eq!(server.tracking(shop).get("/healthz").expect("an answer").status, 200);
    assert_eq!(shop.assert_clean("beside the server"), events);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn bodies_that_are_none_are_refused_whole() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let lists = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let one = event("x").to_string();
    let many =
        |count: usize| json!({"batch": (0..count).map(|n| event(&format!("m{n}"))).collect::<Vec<_>>()}).to_string();
    let large = format!("{{\"batch\":[{}],\"context\":\"{}\"}}", one, "x".repeat(600 << 10));
    let cases: [(&str, Vec<u8>, &str); 18] = [
        ("nothing", b"".to_vec(), "bad_json"),
        ("an open list", b"{\"batch\":[".to_vec(), "bad_json"),
        ("half an item", one.as_bytes()[..one.len() / 2].to_vec(), "bad_json"),
        ("words", b"hello".to_vec(), "bad_json"),
        ("no UTF-8", b"{\"batch\":[\"\xff\xfe\"]}".to_vec(), "bad_json"),
        ("a bare null byte", b"{\"batch\":[{\"type\":\"track\0\"}]}".to_vec(), "bad_json"),
        ("only null bytes", vec![0; 512], "bad_json"),
        ("a byte order mark", [b"\xef\xbb\xbf", one.as_bytes()].concat(), "bad_json"),
        ("text after the end", format!("{{\"batch\":[{one}]}} and more").into_bytes(), "bad_json"),
        ("a list", format!("[{one}]").into_bytes(), "invalid_body"),
        ("a number", b"12".to_vec(), "invalid_body"),
        ("no batch", b"{}".to_vec(), "invalid_body"),
        ("a batch of text", b"{\"batch\":\"x\"}".to_vec(), "invalid_body"),
        ("too many", many(2501).into_bytes(), "too_many_items"),
        ("too much", large.into_bytes(), "body_too_large"),
        ("a deep hole of lists", lists(100_000).into_bytes(), "invalid_body"),
        ("a deep hole of objects", objects(50_000).into_bytes(), "invalid_body"),
        (
            "a deep hole beside the batch",
            format!("{{\"batch\":[{one}],\"context\":{}}}", objects(50_000)).into_bytes(),
            "too_deep",
        ),
    ];
    let mut client = server.tracking(&shop);
    let mut wrong = Vec::new();
    for (what, body, code) in &cases {
        let answer = client.post("/v1/batch", body).unwrap_or_else(|e| panic!("{what}: {e}"));
        if (answer.status, answer.code().as_str()) != (400, code) {
            wrong.push(format!("{what}: expected {code}, got {} {}", answer.status, answer.json()));
        } else {
            assert_refused(&answer, 400, code);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_unharmed(&shop, &mut server, 0);
    assert_eq!(client.post("/v1/batch", many(2500).as_bytes()).expect("an answer").status, 200, "as many as may be");
    assert_unharmed(&shop, &mut server, 2500);
    server.stop();
}

#[test]
fn packed_bodies_are_bounded_by_what_they_hold() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let mut client = server.tracking(&shop);
    let mut send = |encoding: &str, body: &[u8]| {
        client.request("POST", "/v1/batch", &[("content-encoding", encoding)], body).expect("an answer")
    };
    let good = json!({"batch": [event("a")]}).to_string();
    assert_eq!(send("gzip", &gzip(good.as_bytes())).status, 200);
    let before = server.child.memory_kib();
    // 256 MiB of spaces in 260 KB, and a bomb within the bomb.
    let bomb = gzip(&vec![b' '; 256 << 20]);
    assert!(bomb.len() < 400 << 10);
    for _ in 0..4 {
        assert_refused(&send("gzip", &bomb), 400, "body_too_large");
    }
    assert!(
        server.child.memory_kib() < before + (64 << 10),
        "a small body took {} KiB",
        server.child.memory_kib() - before
    );
    assert_refused(&send("gzip", &gzip(&gzip(good.as_bytes()))), 400, "bad_json");
    assert_refused(&send("gzip", good.as_bytes()), 400, "bad_gzip");
    assert_refused(&send("gzip", &gzip(good.as_bytes())[..20]), 400, "bad_gzip");
    assert_refused(&send("br", good.as_bytes()), 400, "bad_encoding");
    assert_unharmed(&shop, &mut server, 1);
    server.stop();
}

#[test]
fn keys_methods_and_paths_are_checked() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let body = json!({"batch": [event("a")]});
    let mut stranger = Client::new(&server.url, None);
    assert_refused(&stranger.post_json("/v1/batch", &body).expect("an answer"), 401, "unknown_key");
    for authorization in [
        "Basic",
        "Basic !!!",
        "Basic Og==",
        "Bearer x",
        "Digest y",
        &basic(""),
        &basic("wk_wrong"),
        &basic(&shop.api_key),
    ] {
        stranger.authorization = Some(authorization.to_string());
        assert_refused(&stranger.post_json("/v1/batch", &body).expect("an answer"), 401, "unknown_key");
    }
    stranger.authorization = None;
    let mut with_key = body.clone();
    with_key["writeKey"] = json!(shop.write_key);
    assert_eq!(
        stranger.post_json("/v1/batch", &with_key).expect("an answer").status,
        200,
        "a beacon carries its key inside"
    );
    for key in [json!(5), json!(null), json!({}), json!("wk_wrong")] {
        with_key["writeKey"] = key;
        let answer = stranger.post_json("/v1/batch", &with_key).expect("an answer");
        assert!(matches!(answer.status, 400 | 401), "{:?}", answer.json());
    }
    let mut client = server.tracking(&shop);
    for method in ["GET", "PUT", "DELETE", "PATCH", "BREW"] {
        let answer = client.request(method, "/v1/batch", &[], b"").expect("an answer");
        assert_refused(&answer, 405, "method_not_allowed");
        assert!(answer.header("allow").is_some_and(|a| a.contains("POST")));
    }
    for path in ["/v1/", "/v1/nothing", "/v1/batch/", "/v1/Batch", "/v1/%00", "/v1/../v1/batch"] {
        let answer = client.post_json(path, &body).expect("an answer");
        assert_refused(&answer, 404, "not_found");
    }
    let mut admin = server.admin(&shop);
    assert_eq!(admin.get("/api/v1/nothing").expect("an answer").status, 404);
    assert_eq!(client.get("/api/v1/segments").expect("an answer").status, 401, "a write key opens no other door");
    let garbage = admin.post("/api/v1/segments", b"{\"name\":").expect("an answer");
    assert!((400..500).contains(&garbage.status), "{:?}", garbage.json());
    assert_unharmed(&shop, &mut server, 1);
    server.stop();
}

#[test]
fn fields_of_any_type_are_taken_or_named() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let mut client = server.tracking(&shop);
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5e300),
        json!(""),
        json!("текст\u{0}\u{7}"),
        json!([]),
        json!([[1], {"a": null}]),
        json!({}),
        json!({"": {"\u{0}": []}}),
        json!("x".repeat(2000)),
        json!(9_007_199_254_740_993i64),
    ];
    let fields = [
        "type",
        "messageId",
        "event",
        "name",
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "properties",
        "traits",
        "context",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "receivedAt",
        "integrations",
        "category",
        "writeKey",
        "unheard_of",
    ];
    let (mut items, mut number) = (Vec::new(), 0);
    for field in fields {
        for value in &values {
            for call in ["track", "identify", "alias"] {
                number += 1;
                let mut item = event(&format!("f{number}"));
                item["type"] = json!(call);
                item["previousId"] = json!("before");
                item[field] = value.clone();
                items.push(item);
            }
        }
    }
    let mut accepted = 0;
    for piece in items.chunks(200) {
        let answer = client.post_json("/v1/batch?strict=1", &json!({"batch": piece})).expect("an answer");
        assert_eq!(answer.status, 200, "{:?}", answer.json());
        let told = answer.json()["items"].as_array().expect("each item is told").clone();
        assert_eq!(told.len(), piece.len());
        for (item, said) in piece.iter().zip(told) {
            match said["status"].as_str() {
                Some("accepted") => accepted += 1,
                Some("duplicate") => {}
                Some("rejected") => assert!(said["code"].as_str().is_some_and(|c| !c.is_empty()), "{item}: {said}"),
                other => panic!("{item}: {other:?}"),
            }
        }
    }
    assert!(accepted > items.len() as i64 / 3, "only {accepted} of {} were taken", items.len());
    assert_unharmed(&shop, &mut server, accepted);
    // What was taken can be read back and folded again.
    server.child.kill();
    assert_eq!(shop.assert_clean("after a kill"), accepted);
    assert_eq!(shop.exported().values().sum::<usize>(), accepted as usize);
    shop.serve().stop();
    assert_eq!(shop.assert_clean("after the next start"), accepted);
}

#[test]
fn damaged_bodies_never_break_the_server() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let mut client = server.tracking(&shop);
    let mut rng = Rng::new(5);
    let good = json!({"batch": [event("a"), {"type": "identify", "userId": "u", "traits": {"city": "Львів", "n": [1, 2.5e3]}}], "sentAt": "2026-01-01T00:00:00Z"});
    let good = good.to_string().into_bytes();
    for _ in 0..1500 {
        let mut body = good.clone();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(body.len() as u64) as usize;
            match rng.below(4) {
                0 => body[at] = rng.below(256) as u8,
                1 => drop(body.remove(at)),
                2 => body.insert(at, *rng.pick(b"{}[]\",:\\0")),
                _ => body.truncate(at.max(1)),
            }
        }
        let path = *rng.pick(&["/v1/batch", "/v1/batch?strict=1", "/v1/track", "/v1/identify", "/v1/alias"]);
        let answer = client.post(path, &body).expect("an answer");
        assert!(matches!(answer.status, 200 | 400), "{} for {:?}", answer.status, String::from_utf8_lossy(&body));
    }
    assert!(server.child.is_running());
    shop.assert_clean("beside the server");
    server.stop();
    shop.assert_clean("after the stop");
}

#[test]
fn clients_that_stop_half_way_leave_nothing() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let host = server.url.strip_prefix("http://").expect("plain HTTP").to_string();
    let body = json!({"batch": [event("half")]}).to_string();
    let head = |length: usize| {
        format!(
            "POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-length: {length}\r\n\r\n",
            basic(&shop.write_key)
        )
    };
    let say = |text: &str| {
        let mut stream = connect(&host).expect("it connects");
        stream.get_mut().write_all(text.as_bytes()).expect("it is sent");
        stream
    };
    for _ in 0..20 {
        drop(say(""));
        drop(say("POST /v1/ba"));
        drop(say(&head(body.len())));
        drop(say(&format!("{}{}", head(body.len()), &body[..body.len() - 1])));
    }
    // A body that is shorter than it said waits for its rest, and others do not wait for it.
    let mut slow = say(&format!("{}{}", head(body.len()), &body[..10]));
    assert_eq!(
        server.tracking(&shop).post_json("/v1/batch", &json!({"batch": [event("quick")]})).expect("an answer").status,
        200
    );
    slow.get_mut().write_all(&body.as_bytes()[10..]).expect("it is sent");
    assert_eq!(read_answer(&mut slow).expect("an answer").0.status, 200, "slow, but whole");
    // What is no HTTP at all, or says two lengths.
    for text in [
        "GARBAGE\r\n\r\n",
        "\0\0\0\0",
        "POST /v1/batch HTTP/9.9\r\n\r\n",
        "POST /v1/batch HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        "POST /v1/batch HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let mut stream = say(text);
        if let Ok((answer, _)) = read_answer(&mut stream) {
            assert!((400..500).contains(&answer.status), "{text:?}: {}", answer.status);
        }
    }
    assert_unharmed(&shop, &mut server, 2);
    server.stop();
}

/// Another program that keeps the database's write lock.
fn locked(shop: &Shop) -> db::Engine {
    let location = db::Location::parse(&shop.database_url(), Path::new("/")).expect("a location");
    let mut holder = location.open(db::Sync::Full, false).expect("it opens");
    until("the lock is free", || holder.batch("BEGIN IMMEDIATE").is_ok());
    holder
}

#[test]
fn a_full_queue_answers_503_and_loses_nothing() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let host = server.url.strip_prefix("http://").expect("plain HTTP").to_string();
    let mut holder = locked(&shop);
    // More requests than the queue takes, each on a connection of its own, and none waits for its answer.
    let mut waiting = Vec::new();
    for n in 0..4300 {
        let body = json!({"batch": [event(&format!("q{n}"))]}).to_string();
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n",
            basic(&shop.write_key),
            body.len()
        );
        let mut stream = connect(&host).expect("it connects");
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).expect("it is sent");
        waiting.push((format!("q{n}"), stream));
    }
    let started = Instant::now();
    let mut client = server.tracking(&shop);
    let answer = client.post_json("/v1/batch", &json!({"batch": [event("late")]})).expect("an answer");
    assert_refused(&answer, 503, "busy");
    assert!(started.elapsed() < Duration::from_secs(3), "a full queue is told at once");
    holder.batch("ROLLBACK").expect("the lock is given back");
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for (id, mut stream) in waiting {
        let (answer, _) = read_answer(&mut stream).expect("an answer");
        match answer.status {
            200 => acknowledged.push(id),
            _ => {
                assert!(matches!(answer.code().as_str(), "busy" | "database_away"), "{:?}", answer.json());
                assert_refused(&answer, 503, &answer.code());
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && acknowledged.len() > 3000, "{refused} refused, {} acknowledged", acknowledged.len());
    let exported = shop.exported();
    assert!(acknowledged.iter().all(|id| exported.get(id) == Some(&1)));
    assert_eq!(exported.len(), acknowledged.len(), "what was refused was not stored");
    assert_unharmed(&shop, &mut server, acknowledged.len() as i64);
    server.stop();
}

#[test]
fn a_database_that_is_locked_meanwhile_answers_503_and_heals() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    let mut client = server.tracking(&shop);
    // Rows that wait for their flush must survive the failed group as well.
    for n in 0..50 {
        assert_eq!(client.post_json("/v1/track", &event(&format!("a{n}"))).expect("an answer").status, 200);
    }
    let mut holder = locked(&shop);
    let answer = client.post_json("/v1/track", &event("b")).expect("an answer");
    assert_refused(&answer, 503, "database_away");
    holder.batch("ROLLBACK").expect("the lock is given back");
    until("the server takes events again", || {
        client.post_json("/v1/track", &event("b")).is_ok_and(|answer| answer.status == 200)
    });
    assert_unharmed(&shop, &mut server, 51);
    server.stop();
    assert_eq!(shop.assert_clean("after the stop"), 51);
}
