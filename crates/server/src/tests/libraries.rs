//! What the libraries of others send, and where: a shop changes one host and everything arrives.
use super::harness::{Answer, Ask, Shop, shops};
use serde_json::{Value, json};

fn bare(ask: Ask<'_>, body: &Value) -> Answer {
    ask.header("content-type", "text/plain").body(body.to_string().as_bytes()).send()
}

fn person(shop: &Shop, user: &str) -> Value {
    shop.owner("GET", &format!("/api/v1/customers/lookup?user_id={user}")).send().json()
}

fn timeline(shop: &Shop, user: &str) -> Vec<Value> {
    let id = person(shop, user)["person_id"].as_str().unwrap_or_default().to_string();
    let list = shop.owner("GET", &format!("/api/v1/customers/{id}/timeline")).send().json();
    list["items"].as_array().cloned().unwrap_or_default()
}

#[test]
fn every_address_that_libraries_use_takes_events() {
    let shop = Shop::new();
    let key = &shop.keys.write_key;
    let mut sent = 0;
    let mut take = |path: &str, mut body: Value, header: Option<(&str, &str)>| {
        sent += 1;
        body["messageId"] = json!(format!("m{sent}"));
        let ask = shop.ask("POST", path);
        let ask = if let Some((name, value)) = header { ask.header(name, value) } else { ask };
        let answer = bare(ask, &body);
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"success": true}"#), "{path}");
    };
    // analytics-next: the first letter of the call, the key inside.
    for (path, body) in [
        ("/v1/t", json!({"event": "A"})),
        ("/v1/i", json!({"traits": {"name": "Ann"}})),
        ("/v1/p", json!({"name": "Home"})),
        ("/v1/s", json!({"name": "Home"})),
        ("/v1/g", json!({"groupId": "g"})),
        ("/v1/a", json!({"previousId": "before"})),
        ("/api/s/track", json!({"event": "A"})),
        ("/api/s/s2s/page", json!({})),
    ] {
        let mut body = body;
        body["userId"] = json!("u");
        body["writeKey"] = json!(key);
        take(path, body, None);
    }
    let item = |id: &str| json!({"type": "track", "userId": "u", "event": "B", "messageId": id});
    take("/v1/b", json!({"batch": [item("b1")], "writeKey": key}), None);
    take("/v1/import", json!({"batch": [item("b2")], "writeKey": key}), None);
    let mut keyed = item("b3");
    keyed["writeKey"] = json!(key);
    take("/v1/batch", json!({"batch": [item("b4"), keyed]}), None);
    take(&format!("/beacon/v1/batch?writeKey={key}"), json!({"batch": [item("b5")]}), None);
    take("/api/s/track", json!({"userId": "u", "event": "A"}), Some(("x-write-key", key)));
    assert_eq!(person(&shop, "u")["totals"]["events"], 14);
    for path in ["/v1/x", "/api/s/", "/api/s/s2s/nothing", "/beacon/v1/", "/v1/projects/settings"] {
        assert_eq!(bare(shop.ask("POST", path), &json!({"writeKey": key})).code(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(bare(shop.ask("POST", "/beacon/v1/batch?writeKey=%00"), &json!({"batch": []})).status, 401);
}

#[test]
fn settings_lead_a_library_from_the_one_host_to_the_other() {
    let shop = Shop::new();
    let path = format!("/v1/projects/{}/settings", shop.keys.write_key);
    let answer = shop.ask("GET", &path).header("origin", "https://shop.example").send();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(answer.headers["cache-control"].contains("max-age"));
    let segment = answer.json()["integrations"]["Segment.io"].clone();
    assert_eq!((&segment["apiKey"], &segment["protocol"]), (&json!(shop.keys.write_key), &json!("http")));
    assert_eq!(segment["apiHost"], "test/v1");
    let unknown = shop.ask("GET", "/v1/projects/wk_nobody/settings").send();
    assert_eq!(unknown.code(), (401, "unknown_key".into()));
    assert_eq!(unknown.headers["access-control-allow-origin"], "*");
    let proxied = Shop::open(db::testing::Place::sqlite(), &[("http", "public_url", "https://data.shop.example")]);
    let path = format!("/v1/projects/{}/settings", proxied.keys.write_key);
    let segment = proxied.ask("GET", &path).send().json()["integrations"]["Segment.io"].clone();
    assert_eq!((&segment["apiHost"], &segment["protocol"]), (&json!("data.shop.example/v1"), &json!("https")));
}

#[test]
fn any_page_may_ask_before_it_sends() {
    let shop = Shop::new();
    for path in ["/v1/track", "/v1/b", "/api/s/track", "/v1/projects/k/settings"] {
        let ask = shop.ask("OPTIONS", path).header("origin", "https://shop.example");
        let answer = ask.header("access-control-request-headers", "authorization,content-type,anonymousid").send();
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.headers["access-control-max-age"], "86400");
        for header in ["authorization", "content-type", "content-encoding", "anonymousid", "x-write-key"] {
            assert!(answer.headers["access-control-allow-headers"].split(", ").any(|h| h == header), "{header}");
        }
    }
    let answer = bare(shop.ask("POST", "/v1/t"), &json!({}));
    assert!(answer.headers["access-control-expose-headers"].contains("retry-after"));
}

// [B1]
#[test]
fn device_and_place_stand_on_events_of_pages_in_timeline_and_segments() {
    for mut shop in shops() {
        let table = "start,end,country,region,city\n192.0.2.0,192.0.2.255,UA,Lvivska Oblast,Lviv\n";
        let file = shop.place.folder.join("places.csv");
        std::fs::write(&file, table).expect("can be written");
        shop.set("collect", "geo_file", "places.csv");
        shop.restart();
        let source = shop
            .owner("POST", "/api/v1/sources")
            .json(&json!({"name": "Second site", "kind": "browser"}))
            .send()
            .json();
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
        let send = |id: usize| {
            let body = json!({"writeKey": source["write_key"], "userId": "u", "event": "A", "messageId": format!("m{id}"),
                "context": {"page": {"url": "https://shop.example/?utm_source=news&fbclid=1"}}});
            let ask = shop.ask("POST", "/v1/t").header("user-agent", phone).header("x-forwarded-for", "192.0.2.44");
            assert_eq!(bare(ask, &body).status, 200);
            timeline(&shop, "u")[0]["context"].clone()
        };
        let segments: Vec<String> = [
            "context.device.type = \"phone\"",
            "context.os.name = \"iOS\"",
            "context.location.city = \"Львів\"",
            "context.campaign.source = \"news\"",
            "context.device.type = \"desktop\"",
        ]
        .iter()
        .enumerate()
        .map(|(at, expression)| {
            let body = json!({"name": format!("S{at}"), "expression": expression});
            shop.owner("POST", "/api/v1/segments").json(&body).send().json()["id"].as_str().expect("made").to_string()
        })
        .collect();
        // The table is read beside the start.
        let mut context = Value::Null;
        for id in 0..200 {
            context = send(id);
            if context["location"]["city"] == "Львів" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(context["device"], json!({"type": "phone", "class": "phone"}));
        assert_eq!(context["os"], json!({"name": "iOS", "version": "18.1"}));
        assert_eq!(context["location"]["region_code"], "UA-46");
        assert_eq!(
            (&context["campaign"], &context["click_ids"]),
            (&json!({"source": "news"}), &json!({"fbclid": "1"}))
        );
        assert_eq!(context["page"]["url"], "https://shop.example/?utm_source=news&fbclid=1");
        let member = |id: &str| shop.owner("GET", &format!("/api/v1/segments/{id}")).send().json()["count"].clone();
        let counts: Vec<Value> = segments.iter().map(|s| member(s)).collect();
        assert_eq!(counts, [json!(1), json!(1), json!(1), json!(1), json!(0)]);
        shop.stop();
        shop.assert_clean();
    }
}

#[test]
fn a_message_that_nobody_caused_is_no_sign_of_life() {
    let shop = Shop::new();
    let send = |id: &str, at: &str, active: bool| {
        let body =
            json!({"userId": "u", "event": "A", "messageId": id, "timestamp": at, "context": {"active": active}});
        assert_eq!(shop.track("/v1/track", &body).status, 200);
        person(&shop, "u")["totals"]["last_seen"].clone()
    };
    assert_eq!(send("1", "2026-01-01T00:00:00Z", true), "2026-01-01T00:00:00.000000Z");
    assert_eq!(send("2", "2026-02-01T00:00:00Z", false), "2026-01-01T00:00:00.000000Z");
    assert_eq!(send("3", "2026-03-01T00:00:00Z", true), "2026-03-01T00:00:00.000000Z");
    shop.assert_clean();
}

#[test]
fn consent_to_cookies_is_not_consent_to_messages() {
    let shop = Shop::new();
    let send = |id: &str, event: &str, properties: Value| {
        let body = json!({"userId": "u", "event": event, "messageId": id, "properties": properties,
            "context": {"traits": {"email": "ann@example.com"}, "consent": {"categoryPreferences": {"Advertising": true}}}});
        assert_eq!(shop.track("/v1/track", &body).status, 200);
        person(&shop, "u")["consents"].clone()
    };
    assert_eq!(send("1", "Segment Consent Preference Updated", json!({})), json!([]));
    let granted = send("2", "Consent Granted", json!({"channel": "email", "purpose": "marketing", "wording": "yes"}));
    assert_eq!(granted[0]["state"], "granted");
    // Cookies may be kept apart in conditions too.
    let body = json!({"name": "Ads", "expression": "context.consent.categoryPreferences.Advertising = true"});
    let made = shop.owner("POST", "/api/v1/segments").json(&body).send();
    assert_eq!(made.status, 201, "{}", made.text);
}

#[test]
fn a_group_call_is_kept_with_its_company() {
    let shop = Shop::new();
    let body = json!({"userId": "u", "groupId": "acme", "messageId": "1", "traits": {"name": "Acme", "email": "office@acme.example"}});
    assert_eq!(shop.track("/v1/group", &body).status, 200);
    let event = &timeline(&shop, "u")[0];
    assert_eq!((&event["type"], &event["traits"]["name"]), (&json!("group"), &json!("Acme")));
    // The company's address is not the person's.
    assert!(!person(&shop, "u")["identifiers"].to_string().contains("office@acme.example"));
}
