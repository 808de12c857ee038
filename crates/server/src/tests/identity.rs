//! Identity over HTTP: rules, kept-out values, reviews, joins by hand, the feed of changes, and who is found by what.
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

fn id_of(shop: &Shop, query: &str) -> String {
    get(shop, &format!("customers/lookup?{query}"))["person_id"].as_str().expect("an id").to_string()
}

fn external(kind: &str, value: &str) -> Value {
    json!({"externalIds": [{"id": value, "type": kind, "collection": "users", "encoding": "none"}]})
}

fn sent(shop: &Shop, path: &str, body: Value) {
    let answer = shop.track(path, &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Waits until the past follows the rules.
fn applied(shop: &Shop) {
    let began = Instant::now();
    while get(shop, "identity/rules")["applied"] != true {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", get(shop, "jobs"));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_site_order_from_kyiv_meets_the_profile_of_a_till_purchase_in_lviv() {
    // [A2] [A3] [A6]
    for shop in shops() {
        sent(
            &shop,
            "/v1/identify",
            json!({"messageId": "card", "timestamp": "2025-11-20T12:00:00Z", "traits": {"phone": "8 067 123-45-67", "lastName": "Коваленко", "firstName": "Олена", "city": "Львів"}}),
        );
        sent(
            &shop,
            "/v1/track",
            json!({"messageId": "till", "timestamp": "2025-11-20T12:01:00Z", "event": "Order Completed", "properties": {"total": 900, "currency": "UAH", "affiliation": "Львів, Городоцька"}, "context": {"channel": "server", "traits": {"phone": "067 1234567"}}}),
        );
        sent(
            &shop,
            "/v1/identify",
            json!({"messageId": "site", "userId": "kyiv-1", "anonymousId": "browser", "traits": {"phone": "+38 (067) 123-45-67", "lastName": "Kovalenko", "city": "Київ"}}),
        );
        sent(
            &shop,
            "/v1/track",
            json!({"messageId": "order", "userId": "kyiv-1", "event": "Order Completed", "properties": {"total": 400, "currency": "UAH"}}),
        );
        let person = get(&shop, "customers/lookup?user_id=kyiv-1");
        assert_eq!(person["totals"]["orders"], 2);
        assert_eq!(person["person_id"], id_of(&shop, "phone=0671234567").as_str());
        assert_eq!(person["traits"]["lastName"], "Kovalenko", "the newest, and the other alphabet joined nobody else");
        // A till purchase of a minute ago is on the page when the customer calls, with whatever number the exchange shows.
        sent(
            &shop,
            "/v1/track",
            json!({"messageId": "now", "event": "Order Completed", "properties": {"total": 50, "currency": "UAH"}, "context": external("phone", "380671234567")}),
        );
        sent(
            &shop,
            "/v1/track",
            json!({"messageId": "call", "event": "Call Received", "context": external("phone", "80671234567")}),
        );
        let id = id_of(&shop, "kind=phone&value=%2B380671234567");
        assert_eq!(person["person_id"], id.as_str());
        let page = get(&shop, &format!("customers/{id}/timeline"));
        let events: Vec<&str> =
            page["items"].as_array().expect("a list").iter().filter_map(|i| i["event"].as_str()).collect();
        assert_eq!(&events[..3], ["Call Received", "Order Completed", "Order Completed"]);
    }
}

#[test]
fn a_call_or_chat_of_somebody_unknown_makes_a_card() {
    // [A7]
    for shop in shops() {
        sent(
            &shop,
            "/v1/track",
            json!({"messageId": "1", "event": "Call Received", "context": {"traits": {"phone": "8 050 765 43 21"}}}),
        );
        let id = id_of(&shop, "phone=050%20765-43-21");
        for form in ["380507654321", "%2B380507654321", "80507654321", "%D0%9E507654321"] {
            assert_eq!(id_of(&shop, &format!("phone={form}")), id, "{form}");
        }
        for (kind, account) in [("telegram", "77001"), ("viber", "abc=="), ("instagram", "olena.k")] {
            sent(
                &shop,
                "/v1/track",
                json!({"messageId": kind, "event": "Chat Started", "context": external(kind, account)}),
            );
            let card = get(&shop, &format!("customers/lookup?kind={kind}&value={}", account.replace('=', "%3D")));
            assert_eq!(
                (&card["identifiers"][0]["kind"], &card["identifiers"][0]["value"]),
                (&json!(kind), &json!(account))
            );
        }
        for wrong in ["kind=phone", "value=1", "kind=phone&value=1&email=a@b.co", ""] {
            let answer = shop.owner("GET", &format!("/api/v1/customers/lookup?{wrong}")).send();
            assert_eq!(answer.code(), (400, "bad_query".into()), "{wrong}");
        }
    }
}

#[test]
fn rules_have_versions_are_previewed_and_bring_the_past_along() {
    for shop in shops() {
        for n in 0..4 {
            sent(
                &shop,
                "/v1/identify",
                json!({"messageId": format!("m{n}"), "userId": "u", "traits": {"email": format!("a{n}@example.com")}}),
            );
            sent(
                &shop,
                "/v1/track",
                json!({"messageId": format!("t{n}"), "event": "Visit", "context": {"traits": {"email": format!("a{n}@example.com")}}}),
            );
        }
        let first = shop.owner("GET", "/api/v1/identity/rules").send();
        assert_eq!((first.headers["etag"].as_str(), &first.json()["applied"]), ("\"v0\"", &json!(true)));
        let mut body = first.json();
        let body = json!({"kinds": body["kinds"].take(), "hubs": body["hubs"], "stitch": body["stitch"]});
        let mut tight = body.clone();
        assert_eq!(tight["kinds"][1]["kind"], "email");
        tight["kinds"][1]["limits"] = json!([{"count": 2, "window_days": 365}]);
        let preview = post(&shop, "identity/rules/preview", &tight);
        assert_eq!(preview.status, 200, "{}", preview.text);
        assert_eq!(
            preview.json(),
            json!({"people_apart": 1, "people_joined": 0, "events_moved": 2, "values_moved": 2, "people": 3})
        );
        assert_eq!(get(&shop, "identity/rules")["version"], 0, "a preview changes nothing");
        let put = |tag: &str, body: &Value| {
            shop.owner("PUT", "/api/v1/identity/rules").header("if-match", tag).json(body).send()
        };
        let done = put("\"v0\"", &tight);
        assert_eq!((done.status, done.headers["etag"].as_str()), (200, "\"v1\""), "{}", done.text);
        assert_eq!(put("\"v0\"", &tight).code(), (412, "changed_meanwhile".into()));
        applied(&shop);
        assert_ne!(id_of(&shop, "email=a3@example.com"), id_of(&shop, "user_id=u"));
        assert_eq!(id_of(&shop, "email=a1@example.com"), id_of(&shop, "user_id=u"));
        let mut wrong = body.clone();
        wrong["kinds"][0]["priority"] = json!(0);
        let refused = put("*", &wrong);
        assert_eq!(
            (refused.code(), &refused.json()["errors"][0]["pointer"]),
            ((422, "bad_input".into()), &json!("/kinds/0/priority"))
        );
        // A value that is blocked is on nobody any more, and comes back when it is let in.
        let blocked = post(&shop, "identity/blocked", &json!({"kind": "email", "value": " A1@Example.com "}));
        assert_eq!(
            (blocked.status, &blocked.json()["profiles"], &blocked.json()["value"]),
            (201, &json!(1), &json!("a1@example.com"))
        );
        applied(&shop);
        assert_eq!(shop.owner("GET", "/api/v1/customers/lookup?email=a1@example.com").send().status, 404);
        assert_eq!(get(&shop, "identity/blocked")["items"][0]["profiles"], 0);
        let everything = post(&shop, "identity/blocked", &json!({"kind": "*", "value": "**", "mode": "pattern"}));
        assert_eq!(everything.code(), (422, "bad_input".into()));
        let gone = shop.owner("DELETE", "/api/v1/identity/blocked?kind=email&value=a1@example.com").send();
        assert_eq!(gone.status, 204, "{}", gone.text);
        applied(&shop);
        assert_eq!(id_of(&shop, "email=a1@example.com"), id_of(&shop, "user_id=u"));
        let changes = get(&shop, "identity/changes");
        let told: Vec<&str> =
            changes["items"].as_array().expect("a list").iter().filter_map(|c| c["kind"].as_str()).collect();
        assert!(told.contains(&"split"), "{changes}");
        let next = changes["next_cursor"].as_str().expect("a reader goes on").to_string();
        assert_eq!(get(&shop, &format!("identity/changes?cursor={next}"))["items"], json!([]));
    }
}

#[test]
fn customers_are_joined_by_hand_reviewed_and_separated_again() {
    for shop in shops() {
        for user in ["a", "b"] {
            sent(&shop, "/v1/identify", json!({"messageId": user, "userId": user, "traits": {"name": user}}));
            sent(
                &shop,
                "/v1/track",
                json!({"messageId": format!("o{user}"), "userId": user, "event": "Order Completed", "properties": {"total": 1, "currency": "UAH"}}),
            );
        }
        let (a, b) = (id_of(&shop, "user_id=a"), id_of(&shop, "user_id=b"));
        let preview = post(&shop, &format!("customers/{a}/merge/preview"), &json!({"with": b}));
        assert_eq!(preview.status, 200, "{}", preview.text);
        let preview = preview.json();
        assert_eq!((&preview["orders"], &preview["traits"]["name"]), (&json!(2), &json!("b")));
        assert_eq!(preview["exceeds"], json!([{"kind": "user_id", "limit": 1, "window_days": null, "values": 2}]));
        let done = post(&shop, &format!("customers/{a}/merge"), &json!({"with": b}));
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!(id_of(&shop, "user_id=b"), a);
        assert_eq!(post(&shop, &format!("customers/{a}/merge"), &json!({"with": b})).code(), (409, "conflict".into()));
        let graph = get(&shop, &format!("customers/{b}/identity"));
        assert_eq!(
            (&graph["edges"][0]["rule"], graph["edges"][0]["why"].as_str().is_some_and(|w| w.contains("by hand"))),
            (&json!("manual"), true)
        );
        let back = post(&shop, &format!("customers/{a}/unmerge"), &json!({"edges": [done.json()["edge"]]}));
        assert_eq!(back.status, 200, "{}", back.text);
        assert_eq!(id_of(&shop, "user_id=b"), b);
        assert_eq!(get(&shop, &format!("customers/{b}"))["totals"]["orders"], 1, "each has the own history again");
        // An alias asks for what was taken apart: it waits for a look.
        sent(&shop, "/v1/alias", json!({"messageId": "alias", "userId": "a", "previousId": "b"}));
        assert_eq!(id_of(&shop, "user_id=b"), b, "nothing joins what somebody took apart");
        let queue = get(&shop, "identity/review");
        assert_eq!((&queue["open"], &queue["items"][0]["rule"]), (&json!(1), &json!("alias")));
        let (x, y) = (queue["items"][0]["a"].as_str().expect("an id"), queue["items"][0]["b"].as_str().expect("an id"));
        let attention = get(&shop, "home")["attention"].to_string();
        assert!(attention.contains("\"review\""), "{attention}");
        let pair = format!("identity/review/{x}-{y}");
        assert_eq!(post(&shop, &pair, &json!({"decision": "later"})).status, 200);
        assert_eq!(get(&shop, "identity/review")["open"], 0);
        let joined = post(&shop, "identity/review", &json!({"pairs": [{"a": x, "b": y}], "decision": "join"}));
        assert_eq!(joined.status, 200, "{}", joined.text);
        assert_eq!(id_of(&shop, "user_id=b"), a);
        assert_eq!(post(&shop, &pair, &json!({"decision": "keep_apart"})).code(), (409, "conflict".into()));
        let closed = get(&shop, "identity/review?state=closed");
        assert_eq!(closed["items"][0]["decision"], "join");
        let told: Vec<String> = get(&shop, "identity/changes")["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|c| format!("{} {}", c["kind"].as_str().unwrap_or(""), c["cause"].as_str().unwrap_or("")))
            .collect();
        assert_eq!(told, ["merged merge", "split unmerge", "merged review"]);
    }
}
