//! What people and attackers send: it is taken as text, refused with a reason, or cut off; nothing else suffers.
use super::harness::{Shop, shops};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const NASTY: [&str; 7] = [
    "👩‍👩‍👧‍👦🎁 Подарунок 🇺🇦",
    "'; DROP TABLE log; --",
    "\" OR 1=1; DELETE FROM profiles WHERE '1'='1",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "{{ 7 * 7 }}${7*7}#{7*7}",
    "../../etc/passwd\\..\\x",
    "\u{202e} rtl \u{200b}zero\u{feff} width \r\n\t",
];

#[test]
fn emoji_sql_and_html_are_texts_in_every_field() {
    for shop in shops() {
        for (at, nasty) in NASTY.iter().enumerate() {
            let user = format!("{nasty}{at}");
            let track = json!({"userId": user, "anonymousId": nasty, "event": nasty, "messageId": format!("t{nasty}"),
                "properties": {*nasty: nasty, "list": [nasty]},
                "context": {"userAgent": nasty, "ip": nasty, "traits": {"city": nasty}, "page": {"url": nasty, "search": format!("?utm_source={nasty}")},
                    "location": {"latitude": nasty}, "device": {"type": nasty, "model": nasty}, *nasty: nasty}});
            assert_eq!(shop.track("/v1/track", &track).text, r#"{"success": true}"#);
            let identify =
                json!({"userId": user, "messageId": format!("i{nasty}"), "traits": {"name": nasty, *nasty: nasty}});
            assert_eq!(shop.track("/v1/identify", &identify).status, 200);
            let query: String = user.trim().bytes().map(|b| format!("%{b:02x}")).collect();
            let person = shop.owner("GET", &format!("/api/v1/customers/lookup?user_id={query}")).send();
            assert_eq!(person.status, 200, "{nasty:?}: {}", person.text);
            let person = person.json();
            assert_eq!(person["traits"][*nasty], json!(nasty));
            let path = format!("/api/v1/customers/{}/timeline", person["person_id"].as_str().expect("an id"));
            let items = shop.owner("GET", &path).send().json()["items"].clone();
            let event =
                items.as_array().expect("items").iter().find(|e| e["type"] == "track").expect("it is there").clone();
            assert_eq!((&event["event"], &event["properties"][*nasty]), (&json!(nasty), &json!(nasty)));
            assert_eq!(event["context"][*nasty], json!(nasty));
        }
        shop.assert_clean();
    }
}

#[test]
fn moments_that_cannot_be_become_the_receipt() {
    let shop = Shop::new();
    let odd = [
        "20000-01-01T00:00:00Z",
        "+020000-01-01T00:00:00Z",
        "-000001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "yesterday",
        "1763821868",
        "2026-02-30T00:00:00Z",
    ];
    for (at, text) in odd.iter().enumerate() {
        let body = json!({"userId": "u", "event": "A", "messageId": format!("m{at}"), "timestamp": text, "sentAt": odd[odd.len() - 1 - at]});
        assert_eq!(shop.track("/v1/track", &body).status, 200, "{text}");
    }
    let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=u").send().json();
    assert_eq!(person["totals"]["events"], odd.len());
    for moment in ["first_seen", "last_seen"] {
        assert!(person["totals"][moment].as_str().is_some_and(|t| t.starts_with("20") && t.len() == 27), "{person}");
    }
    shop.assert_clean();
}

/// Sends until the server closes or answers; gives the status, if there was one.
fn pour(shop: &Shop, head: &str, piece: &[u8], bytes: usize) -> Option<u16> {
    let mut stream = TcpStream::connect(shop.address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("can be set");
    stream.set_write_timeout(Some(Duration::from_secs(20))).expect("can be set");
    stream.write_all(head.as_bytes()).expect("the head is sent");
    let mut sent = 0;
    while sent < bytes && stream.write_all(piece).is_ok() {
        sent += piece.len();
    }
    let mut answer = [0u8; 32];
    let read = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).split(' ').nth(1).and_then(|s| s.parse().ok())
}

#[test]
fn a_line_of_a_hundred_megabytes_is_refused_without_being_held() {
    let shop = Shop::new();
    let key = format!("authorization: Bearer {}\r\n", shop.keys.write_key);
    let piece = vec![b'x'; 1 << 20];
    let told = format!("POST /v1/batch HTTP/1.1\r\nhost: x\r\n{key}content-length: {}\r\n\r\n", 100 << 20);
    assert!(matches!(pour(&shop, &told, &piece, 100 << 20), Some(400) | None));
    // In pieces, without a length.
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(&piece);
    chunk.extend_from_slice(b"\r\n");
    let chunked = format!("POST /v1/batch HTTP/1.1\r\nhost: x\r\n{key}transfer-encoding: chunked\r\n\r\n");
    assert!(matches!(pour(&shop, &chunked, &chunk, 100 << 20), Some(400) | None));
    // As a head without end.
    assert!(matches!(pour(&shop, "GET /v1/", &piece, 100 << 20), Some(400..=431) | None));
    let fine = json!({"userId": "u", "event": "A", "messageId": "1"});
    assert_eq!(shop.track("/v1/track", &fine).status, 200);
    shop.assert_clean();
}

#[test]
fn slow_senders_hold_up_nobody_and_are_cut_off() {
    let shop = Shop::new();
    let started = Instant::now();
    // Half of them are slow with their head, half with a body of which they told the length.
    let key = format!("authorization: Bearer {}\r\n", shop.keys.write_key);
    let with_body = format!("POST /v1/track HTTP/1.1\r\nhost: x\r\n{key}content-length: 5000\r\n\r\n");
    let heads = ["POST /v1/track HTTP/1.1\r\nhost: x\r\nx-a: ", &with_body];
    let mut slow: Vec<TcpStream> = (0..200)
        .map(|at| {
            let mut stream = TcpStream::connect(shop.address).expect("it listens");
            stream.write_all(heads[at % 2].as_bytes()).expect("sent");
            stream.set_read_timeout(Some(Duration::from_millis(500))).expect("can be set");
            stream
        })
        .collect();
    let mut open = slow.len();
    for round in 0..50u32 {
        let event = json!({"userId": "u", "event": "A", "messageId": round.to_string()});
        let asked = Instant::now();
        assert_eq!(shop.track("/v1/track", &event).status, 200);
        assert!(asked.elapsed() < Duration::from_secs(5), "others wait");
        // A byte now and then keeps no connection open: the limit is for the whole head.
        slow.retain_mut(|s| s.write_all(b"a").is_ok());
        let waits =
            |s: &mut TcpStream| matches!(s.read(&mut [0; 8]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock);
        open = slow.iter_mut().take(4).map(waits).filter(|open| *open).count();
        if open == 0 {
            break;
        }
    }
    assert_eq!(open, 0, "still open after {:?}", started.elapsed());
    assert!(started.elapsed() > Duration::from_secs(10), "somebody with a bad line has some time");
    let count: Value =
        shop.owner("GET", "/api/v1/customers/lookup?user_id=u").send().json()["totals"]["events"].clone();
    assert!(count.as_i64().is_some_and(|c| c > 0));
}
