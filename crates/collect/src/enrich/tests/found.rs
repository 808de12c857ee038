//! From an event to what is stored beside it and read back.
use crate::enrich::place::Places;
use crate::enrich::{Client, KeepIp, mask, truncated};
use crate::tests::{SOURCE, now, options, prepare};
use crate::{Call, Extra, Received, Request, Source, SourceKind, receive};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";

fn send(kind: SourceKind, client: Client, items: &[Value], keep_ip: KeepIp) -> Received {
    let csv = "192.0.2.0,192.0.2.255,UA,Lvivska Oblast,Lviv\n203.0.113.0,203.0.113.255,UA,Kyiv City,Kyiv\n";
    let places = Arc::new(OnceLock::new());
    places.set(Places::read(csv.as_bytes(), "UA").expect("a table")).expect("set once");
    let options = crate::Options { places: Some(places), keep_ip, ..options() };
    let request = Request {
        call: Call::Batch,
        source: Source { kind, ..SOURCE },
        client,
        body: json!({ "batch": items }).to_string().into(),
        received_at: now(),
        prepared_with: 0,
    };
    receive(request, &options, &prepare).expect("the body is taken")
}

fn derived(received: &Received, index: usize) -> Value {
    let extra = Extra::unpack(&received.batch.extra).expect("it was packed by us");
    extra.of(index).map_or(Value::Null, |t| serde_json::from_str(t).expect("an object"))
}

fn track(context: Value) -> Value {
    json!({"type": "track", "userId": "u", "event": "A", "context": context})
}

// [B1]
#[test]
fn an_event_of_a_page_tells_device_system_place_and_campaign() {
    let context = json!({"userAgent": PHONE, "ip": "192.0.2.77",
        "page": {"url": "https://shop.example/p?utm_source=News&utm_campaign=Black%20Friday&utm_id=7&gclid=abc#x"}});
    let received = send(SourceKind::Browser, Client::default(), &[track(context), track(json!({}))], KeepIp::Network);
    assert_eq!(
        derived(&received, 0),
        json!({
            "device": {"type": "phone", "class": "phone"}, "os": {"name": "Android", "version": "14"},
            "browser": {"name": "Chrome", "version": "131"},
            "location": {"country": "UA", "region": "Львівська область", "region_code": "UA-46", "city": "Львів", "by": "ip"},
            "campaign": {"source": "News", "name": "Black Friday", "id": "7"}, "click_ids": {"gclid": "abc"}
        })
    );
    assert_eq!(derived(&received, 1), Value::Null);
    // The address was used; only its network is stored.
    let body = String::from_utf8(received.batch.raw.to_vec()).expect("UTF-8");
    assert!(body.contains("\"192.0.2.0\"") && !body.contains("192.0.2.77"), "{body}");
    serde_json::from_str::<Value>(&body).expect("it is JSON still");
}

#[test]
fn the_connection_speaks_for_browsers_only_and_after_the_event_itself() {
    let client = Client { ip: Some(IpAddr::from([203, 0, 113, 9])), agent: Some(PHONE.into()) };
    let items = [track(json!({})), track(json!({"ip": "192.0.2.1"}))];
    let received = send(SourceKind::Browser, client.clone(), &items, KeepIp::Network);
    assert_eq!(derived(&received, 0)["location"]["city"], "Київ");
    assert_eq!(derived(&received, 0)["os"]["name"], "Android");
    assert_eq!(derived(&received, 1)["location"]["city"], "Львів");
    let received = send(SourceKind::Server, client, &items, KeepIp::Network);
    assert_eq!(derived(&received, 0), Value::Null);
    assert_eq!(derived(&received, 1)["location"]["city"], "Львів");
}

#[test]
fn a_page_call_tells_its_campaign_in_its_properties_and_a_stated_campaign_stays() {
    let page =
        json!({"type": "page", "userId": "u", "properties": {"search": "?utm_source=a+b&UTM_Medium=cpc&fbclid=z"}});
    let stated = track(json!({"campaign": {"name": "own"}, "page": {"search": "?utm_campaign=other&ttclid=1"}}));
    let received = send(SourceKind::Browser, Client::default(), &[page, stated], KeepIp::Network);
    assert_eq!(
        derived(&received, 0),
        json!({"campaign": {"source": "a b", "medium": "cpc"}, "click_ids": {"fbclid": "z"}})
    );
    assert_eq!(derived(&received, 1), json!({"click_ids": {"ttclid": "1"}}));
}

#[test]
fn an_app_states_its_device_and_its_coordinates() {
    let context = json!({"device": {"id": "d", "type": "ios", "model": "iPad13,4"},
        "location": {"latitude": 49.8397, "longitude": 24.0297}});
    let received = send(SourceKind::Server, Client::default(), &[track(context)], KeepIp::Network);
    assert_eq!(
        derived(&received, 0),
        json!({"device": {"class": "tablet"},
            "location": {"country": "UA", "region": "Львівська область", "region_code": "UA-46", "city": "Львів", "by": "device"}})
    );
}

#[test]
fn many_events_share_one_text_and_a_large_body_is_packed() {
    let one = |n: usize| track(json!({"userAgent": PHONE, "page": {"search": format!("?utm_source=s{}", n % 40)}}));
    let items: Vec<Value> = (0..2000).map(one).collect();
    let received = send(SourceKind::Server, Client::default(), &items, KeepIp::Whole);
    for index in [0, 41, 1999] {
        assert_eq!(derived(&received, index)["campaign"]["source"], format!("s{}", index % 40));
    }
    assert!(received.batch.extra.len() < 4000, "{} bytes", received.batch.extra.len());
}

#[test]
fn damaged_texts_beside_a_body_are_refused() {
    for bad in [&[9u8, 1, 2][..], &[0, 5, 1], &[1, 2, 3, 4], &[0, 1, 2, 0xff, 0xfe]] {
        assert!(Extra::unpack(bad).is_err(), "{bad:?}");
    }
    assert_eq!(Extra::unpack(&[]).expect("nothing is fine").of(0), None);
}

#[test]
fn networks_of_addresses() {
    let cases = [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:db8::1", "2001:db8::"),
        ("::ffff:192.0.2.9", "192.0.2.0"),
        ("::1", "::"),
    ];
    for (ip, network) in cases {
        assert_eq!(truncated(ip.parse().expect("an address")).to_string(), network);
        let body = format!("{{\"context\": {{\"ip\" : \"{ip}\", \"x\": 1}}}}");
        let masked = mask(&body).expect("it has an address");
        assert_eq!(masked.len(), body.len());
        let value: Value = serde_json::from_str(&masked).expect("it is JSON still");
        assert_eq!(value, json!({"context": {"ip": network, "x": 1}}));
    }
    for none in [
        r#"{"ip": 5}"#,
        r#"{"ip": "no address"}"#,
        r#"{"a": "\"ip\": \"1.2.3.4\""}"#,
        r#"["ip", "1.2.3.4"]"#,
        r#"{"ip""#,
    ] {
        assert_eq!(mask(none), None, "{none}");
    }
}

proptest::proptest! {
    #[test]
    fn masking_never_breaks_json(ips in proptest::collection::vec(proptest::prelude::any::<u128>(), 1..5), four: u32) {
        let mut all: Vec<String> = ips.iter().map(|n| std::net::Ipv6Addr::from_bits(*n).to_string()).collect();
        all.push(std::net::Ipv4Addr::from_bits(four).to_string());
        let body = json!({"batch": all.iter().map(|ip| json!({"context": {"ip": ip, "page": {"title": "ip"}}})).collect::<Vec<_>>()});
        let masked = mask(&body.to_string()).expect("it has addresses");
        let value: Value = serde_json::from_str(&masked).expect("it is JSON still");
        for (at, ip) in all.iter().enumerate() {
            let shown = value["batch"][at]["context"]["ip"].as_str().expect("a text");
            let network = truncated(ip.parse().expect("an address")).to_string();
            proptest::prop_assert!(shown == network || shown.is_empty());
        }
    }
}
