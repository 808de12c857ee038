//! What the API says of a customer beyond traits: derived traits, facts, history, settings, lost addresses.
use super::harness::shops;
use serde_json::{Value, json};

fn derived<'v>(person: &'v Value, name: &str) -> &'v Value {
    let all = person["derived"].as_array().expect("derived traits");
    all.iter().find(|d| d["name"] == name).unwrap_or_else(|| panic!("{name} is listed"))
}

#[test]
fn one_test_customer_shows_what_happened_everywhere() {
    // [A1] [A4] [A5] [A8] [A11]
    for shop in shops() {
        let at = |h: u32| format!("2026-05-01T{h:02}:00:00Z");
        let track = |n: u32, event: &str, properties: Value, context: Value| {
            let body = json!({"userId": "olena", "messageId": format!("t{n}"), "timestamp": at(n), "event": event,
                "properties": properties, "context": context});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
        };
        let page = json!({"page": {"path": "/p"}, "userAgent": "Mozilla/5.0 (Linux; Android 15) Mobile"});
        track(1, "Product Viewed", json!({"product_id": "p-1", "category": "face care"}), page.clone());
        track(
            2,
            "Order Completed",
            json!({"order_id": "o-1", "total": "250.50", "currency": "UAH", "shipping_method": "pickup"}),
            page.clone(),
        );
        track(
            3,
            "Order Completed",
            json!({"order_id": "o-2", "total": "100", "currency": "UAH", "register_id": "4"}),
            json!({}),
        );
        track(4, "Call Started", json!({}), json!({}));
        track(5, "Email Link Clicked", json!({}), json!({"traits": {"email": "olena@example.com"}}));
        track(6, "Complaint Created", json!({"channel": "phone"}), json!({}));
        track(
            7,
            "Order Refunded",
            json!({"order_id": "o-2", "total": "100", "currency": "UAH", "register_id": "4"}),
            json!({}),
        );
        track(8, "Product Reviewed", json!({"product_id": "p-1", "rating": 5}), page);
        let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=olena").send().json();
        let id = person["person_id"].as_str().expect("an id").to_string();
        let person = shop.owner("GET", &format!("/api/v1/customers/{id}")).send().json();
        let channels = person["facts"]["channels"].as_array().expect("channels");
        let of = |name: &str| channels.iter().find(|c| c["channel"] == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            (&of("site")["orders"], &of("shop")["orders"], &of("shop")["returns"]),
            (&json!(1), &json!(1), &json!(1))
        );
        assert_eq!(of("site")["revenue"], json!([{"minor": 25050, "currency": "UAH"}]));
        assert_eq!(of("site")["acts"]["reviewed"], 1);
        assert_eq!(of("phone")["acts"], json!({"contacted": 1, "complained": 1}));
        assert_eq!(of("email")["acts"]["clicked"], 1);
        assert_eq!(person["facts"]["products"][0]["value"], "p-1");
        assert_eq!(person["facts"]["last_orders"][0]["order_id"], "o-2");
        assert_eq!(person["facts"]["last_orders"][0]["message_id"], "t3");
        for name in ["omnichannel.bopis", "omnichannel.leaves_reviews"] {
            assert_eq!(derived(&person, name)["value"], true, "{name}");
        }
        assert_eq!(derived(&person, "preferred_channel")["value"], "site");
        assert_eq!(derived(&person, "average_order")["value"], json!(175.25));
        let timeline = shop.owner("GET", &format!("/api/v1/customers/{id}/timeline")).send().json();
        assert_eq!(timeline["items"].as_array().map(Vec::len), Some(8));
        let listed = shop.owner("GET", "/api/v1/derived-traits").send().json();
        assert_eq!(listed["items"].as_array().map(Vec::len), person["derived"].as_array().map(Vec::len));
    }
}

#[test]
fn each_part_of_a_history_is_seen_under_its_own_right() {
    // [A1] One page for everybody who may open it; what it shows of each area follows the role.
    for shop in shops() {
        let track = |n: u32, event: &str, properties: Value| {
            let body = json!({"userId": "ivan", "messageId": format!("r{n}"), "event": event, "properties": properties,
                "timestamp": format!("2026-05-01T{n:02}:00:00Z")});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
        };
        track(1, "Product Viewed", json!({"product_id": "p-1"}));
        track(2, "Order Completed", json!({"order_id": "o-1", "total": "10", "currency": "UAH"}));
        track(3, "Order Completed", json!({"order_id": "o-2", "total": "20", "currency": "UAH", "register_id": "4"}));
        track(4, "Call Started", json!({}));
        track(5, "Email Link Clicked", json!({}));
        track(6, "Complaint Created", json!({}));
        track(7, "Order Refunded", json!({"order_id": "o-2", "total": "20", "currency": "UAH"}));
        track(8, "Product Reviewed", json!({"product_id": "p-1", "rating": 5}));
        let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=ivan").send().json();
        let person = found["person_id"].as_str().expect("an id");
        let key = |scopes: Value, role: &str| {
            let body = json!({"name": "N", "role": role, "scopes": scopes});
            let made = shop.owner("POST", "/api/v1/api-keys").json(&body).send();
            assert_eq!(made.status, 201, "{}", made.text);
            format!("Bearer {}", made.json()["key"].as_str().expect("a key"))
        };
        let ids = |answer: &Value, list: &str, field: &str| -> Vec<String> {
            let items = answer[list].as_array().expect("a list");
            items.iter().map(|i| i[field].as_str().unwrap_or_default().to_string()).collect()
        };
        let see = |key: &str, query: &str| {
            let path = format!("/api/v1/customers/{person}/timeline{query}");
            let answer = shop.ask("GET", &path).header("authorization", key).send();
            assert_eq!(answer.status, 200, "{}", answer.text);
            let kinds = ids(&answer.json(), "items", "kind");
            kinds.into_iter().rev().collect::<Vec<_>>()
        };
        let owner = format!("Bearer {}", shop.keys.api_key);
        let all = ["views", "purchases", "purchases", "contacts", "messages", "complaints", "returns", "reviews"];
        assert_eq!(see(&owner, ""), all);
        assert_eq!(see(&owner, "?kind=purchases,returns"), ["purchases", "purchases", "returns"]);
        assert_eq!(see(&owner, "?kind=purchases&channel=store"), ["purchases"]);
        assert_eq!(see(&owner, "?name=Order%20Completed&limit=1").len(), 1);
        assert_eq!(see(&owner, "?from=2026-05-01T04:00:00Z&to=2026-05-01T06:00:00Z"), ["contacts", "messages"]);
        // A right fewer each time.
        let scopes = ["customers:read", "orders:read", "service:read", "reviews:read", "messages:read"];
        let hidden: [(&str, &[&str]); 4] = [
            ("orders:read", &["purchases", "returns"]),
            ("service:read", &["contacts", "complaints"]),
            ("reviews:read", &["reviews"]),
            ("messages:read", &["messages"]),
        ];
        for (scope, gone) in hidden {
            let left: Vec<&str> = scopes.into_iter().filter(|s| *s != scope).collect();
            let key = key(json!(left), "owner");
            let expected: Vec<&str> = all.into_iter().filter(|kind| !gone.contains(kind)).collect();
            assert_eq!(see(&key, ""), expected, "without {scope}");
            // A filter gives no more than the right does, and counts say no more either.
            assert_eq!(see(&key, &format!("?kind={}", gone[0])), Vec::<String>::new());
            let counts = format!("/api/v1/customers/{person}/timeline/counts");
            let counts = shop.ask("GET", &counts).header("authorization", &key).send().json();
            let page = shop.ask("GET", "/api/v1/customer-page").header("authorization", &key).send().json();
            for kind in gone {
                assert!(!ids(&counts, "kinds", "kind").iter().any(|k| k == kind), "{kind}");
                assert!(!ids(&page, "kinds", "id").iter().any(|k| k == kind), "{kind}");
            }
            assert!(ids(&page, "kinds", "id").contains(&"views".to_string()));
        }
        let only_customers = key(json!(["customers:read"]), "owner");
        assert_eq!(see(&only_customers, ""), ["views"]);
        let page = shop.ask("GET", "/api/v1/customer-page").header("authorization", &only_customers).send().json();
        let panels = ids(&page, "panels", "id");
        assert!(panels.contains(&"traits".into()) && !panels.contains(&"messages".into()), "{panels:?}");
        assert_eq!(shop.ask("GET", "/api/v1/customer-page").send().status, 401);
        let bad = shop.owner("GET", &format!("/api/v1/customers/{person}/timeline?kind=nonsense")).send();
        assert_eq!(bad.code(), (400, "bad_query".into()));
    }
}

#[test]
fn a_trait_shows_what_it_was_and_who_said_so() {
    // [A5]
    for shop in shops() {
        let say = |n: u32, traits: Value| {
            let body = json!({"userId": "u", "messageId": format!("h{n}"), "timestamp": format!("2026-05-0{n}T00:00:00Z"), "traits": traits});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
        };
        say(1, json!({"city": "Kyiv"}));
        say(4, json!({"city": null}));
        say(2, json!({"city": "Kyiv", "age": 3}));
        say(3, json!({"city": "Lviv"}));
        let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=u").send().json();
        let id = person["person_id"].as_str().expect("an id").to_string();
        let history = shop.owner("GET", &format!("/api/v1/customers/{id}/traits/city/history")).send().json();
        let said: Vec<(Value, Value)> = history["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|i| (i["value"].clone(), i["message_id"].clone()))
            .collect();
        assert_eq!(said, [(Value::Null, json!("h4")), (json!("Lviv"), json!("h3")), (json!("Kyiv"), json!("h1"))]);
        assert_eq!(history["complete"], true);
        assert!(history["items"][0]["source"]["name"].is_string());
        let nothing = shop.owner("GET", &format!("/api/v1/customers/{id}/traits/nothing/history")).send().json();
        assert_eq!(nothing["items"], json!([]));
    }
}

#[test]
fn thresholds_are_the_shops_and_move_people() {
    // [A15]
    for shop in shops() {
        let order = json!({"userId": "u", "messageId": "o", "event": "Order Completed", "properties": {"total": "5"}});
        assert_eq!(shop.track("/v1/track", &order).status, 200);
        let settings = shop.owner("GET", "/api/v1/profile-settings").send().json();
        assert_eq!(settings["at_risk_days"], 90);
        let mut wrong = settings.clone();
        wrong["lapsed_days"] = json!(10);
        let refused = shop.owner("PUT", "/api/v1/profile-settings").json(&wrong).send();
        assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/lapsed_days")));
        let mut right = settings;
        right["service_hour_minor"] = json!(20_000);
        assert_eq!(shop.owner("PUT", "/api/v1/profile-settings").json(&right).send().status, 200);
        assert_eq!(shop.owner("GET", "/api/v1/profile-settings").send().json(), right);
        let person = shop.owner("GET", "/api/v1/customers/1").send().json();
        assert_eq!(derived(&person, "clv.service_cost_year")["value"], 0);
        assert_eq!(derived(&person, "lifecycle_stage")["value"], "new");
    }
}

/// Waits until a computed trait or segment under an address is live.
fn live(shop: &super::harness::Shop, path: &str) {
    for _ in 0..2_000 {
        if shop.owner("GET", path).send().json()["state"] == "live" {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{path} is never live");
}

#[test]
fn a_trait_that_the_shop_defines_is_on_the_page_in_segments_and_in_the_chooser() {
    for shop in shops() {
        for (n, (user, total)) in [("olena", "100"), ("olena", "50.5"), ("taras", "7")].into_iter().enumerate() {
            let properties = json!({"order_id": n, "total": total, "currency": "GBP", "store_id": "lviv-1"});
            let body = json!({"userId": user, "messageId": format!("c{n}"), "event": "Order Completed",
                "timestamp": format!("2026-05-0{}T00:00:00Z", n + 1), "properties": properties});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
        }
        let sum = r#"sum("Order Completed".total)"#;
        let preview = json!({"expression": sum, "kind": "number"});
        let preview = shop.owner("POST", "/api/v1/computed-traits/preview").json(&preview).send().json();
        assert_eq!((&preview["of"], &preview["known"]), (&json!(2), &json!(2)));
        assert_eq!((&preview["least"], &preview["greatest"]), (&json!(0.0), &json!(0.0)), "text is no number");
        let as_text = json!({"expression": r#"last("Order Completed".total)"#, "kind": "text"});
        let preview = shop.owner("POST", "/api/v1/computed-traits/preview").json(&as_text).send().json();
        assert_eq!(preview["sample"][0]["value"], "50.5", "{preview}");
        assert_eq!(preview["frequent"].as_array().map(Vec::len), Some(2));

        let orders = json!({"name": "orders_ever", "title": "Orders ever", "expression": r#"count("Order Completed")"#, "kind": "number"});
        let made = shop.owner("POST", "/api/v1/computed-traits").json(&orders).send();
        assert_eq!(made.status, 201, "{}", made.text);
        let path = format!("/api/v1/computed-traits/{}", made.json()["id"].as_str().expect("an id"));
        live(&shop, &path);
        let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=olena").send().json();
        let person = format!("/api/v1/customers/{}", found["person_id"].as_str().expect("an id"));
        let computed = shop.owner("GET", &person).send().json()["computed"].clone();
        assert_eq!((&computed[0]["name"], &computed[0]["value"]), (&json!("orders_ever"), &json!(2)), "{computed}");

        let segment = json!({"name": "Twice", "expression": "trait.orders_ever >= 2"});
        let segment = shop.owner("POST", "/api/v1/segments").json(&segment).send().json();
        let id = segment["id"].as_str().expect("an id");
        live(&shop, &format!("/api/v1/segments/{id}"));
        assert_eq!(shop.owner("GET", &format!("/api/v1/segments/{id}")).send().json()["count"], 1);
        assert_eq!(shop.owner("GET", &path).send().json()["segments"], json!(["Twice"]));
        assert_eq!(shop.owner("DELETE", &path).send().code(), (409, "conflict".into()));

        let fields = shop.owner("GET", "/api/v1/segment-fields").send().json();
        let of = |path: &str| {
            let all = fields["fields"].as_array().expect("fields");
            all.iter().find(|f| f["path"] == path).unwrap_or_else(|| panic!("{path} in {fields}")).clone()
        };
        assert_eq!(of("trait.orders_ever")["origin"], "computed");
        assert!(of("trait.lifecycle_stage")["options"].as_array().is_some_and(|o| o.len() > 3));
        assert_eq!(of("consent.email.marketing")["options"], json!(["granted", "denied"]));
        assert_eq!(of("identifier.email")["origin"], "identifier");

        let wrong = json!({"name": "x", "expression": r#"count("A") >= 2"#, "kind": "number"});
        let wrong = shop.owner("POST", "/api/v1/computed-traits").json(&wrong).send();
        assert_eq!(wrong.code(), (422, "bad_expression".into()), "{}", wrong.text);
        assert_eq!(wrong.json()["errors"][0]["offset"], 11);
        let stale = shop.owner("PUT", &path).header("if-match", "\"v9\"").json(&orders).send();
        assert_eq!(stale.status, 412, "{}", stale.text);
        let mut changed = orders.clone();
        changed["expression"] = json!(r#"count("Order Completed" in last 36500 days)"#);
        assert_eq!(shop.owner("PUT", &path).json(&changed).send().json()["version"], 2);
        live(&shop, &path);
        let versions = shop.owner("GET", &format!("{path}/versions")).send().json();
        assert_eq!(versions["items"].as_array().map(Vec::len), Some(2));
        shop.assert_clean();
    }
}

#[test]
fn a_channel_lost_at_the_provider_is_on_the_page_with_the_answer() {
    // [A9] The very next reading knows, whatever the channel: bot blocked, push token gone, complaint.
    for shop in shops() {
        let track = |n: u32, event: &str, properties: Value| {
            let body = json!({"userId": "u", "messageId": format!("l{n}"), "event": event, "properties": properties,
                "timestamp": format!("2026-05-01T{n:02}:00:00Z")});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
            let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=u").send().json();
            let person = format!("/api/v1/customers/{}", found["person_id"].as_str().expect("an id"));
            let person = shop.owner("GET", &person).send().json();
            derived(&person, "lost_channels")["value"].clone()
        };
        assert_eq!(track(1, "Product Viewed", json!({})), json!([]));
        assert_eq!(track(2, "Bot Blocked", json!({"channel": "telegram"})), json!(["messenger"]));
        let after = track(3, "Push Notification Bounced", json!({}));
        assert!(after.as_array().is_some_and(|l| l.contains(&json!("push"))), "{after}");
        let after = track(4, "Email Marked as Spam", json!({"email": "u@example.com"}));
        assert!(after.as_array().is_some_and(|l| l.contains(&json!("email")) && l.len() == 3), "{after}");
    }
}

#[test]
fn people_of_one_address_are_shown_together_and_stay_apart() {
    for shop in shops() {
        let live = |user: &str, surname: &str, address: &str, total: Option<i64>| {
            let traits = json!({"lastName": surname, "address": address});
            let said = json!({"userId": user, "messageId": format!("i{user}"), "traits": traits});
            assert_eq!(shop.track("/v1/identify", &said).status, 200);
            if let Some(total) = total {
                let properties = json!({"order_id": user, "total": total, "currency": "GBP"});
                let bought = json!({"userId": user, "messageId": format!("o{user}"), "event": "Order Completed",
                    "properties": properties});
                assert_eq!(shop.track("/v1/track", &bought).status, 200);
            }
            let found = shop.owner("GET", &format!("/api/v1/customers/lookup?user_id={user}")).send().json();
            found["person_id"].as_str().expect("an id").to_string()
        };
        let olena = live("olena", "Гудзь", "Lviv, Horodotska 5/2", Some(10));
        let taras = live("taras", "Gudz", "Львів, Городоцька 5, 2", Some(5));
        let path = format!("/api/v1/customers/{olena}/household");
        let alone = shop.owner("GET", &path).send().json();
        assert_eq!((&alone["members"], &alone["on"]), (&json!(1), &json!(false)));
        assert_eq!(shop.owner("PUT", "/api/v1/household-settings").json(&json!({"on": true})).send().status, 200);
        let mut found = alone;
        for _ in 0..2_000 {
            found = shop.owner("GET", &path).send().json();
            if found["members"] == 2 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(found["items"][1]["because"], "home", "{found}");
        assert_eq!(found["revenue"], json!([{"minor": 1500, "currency": "GBP"}]));
        // Two people still: nothing was joined.
        assert_ne!(olena, taras);
        let apart = json!({"person_id": taras, "together": false});
        let said = shop.owner("POST", &path).json(&apart).send();
        assert_eq!((said.status, &said.json()["members"]), (200, &json!(1)));
        let stranger = live("roman", "Boiko", "Kyiv, Khreshchatyk 1, 1", None);
        let together = json!({"person_id": stranger, "together": true});
        assert_eq!(shop.owner("POST", &path).json(&together).send().json()["items"][1]["because"], "said");
        let own = json!({"person_id": olena, "together": true});
        assert_eq!(shop.owner("POST", &path).json(&own).send().code().0, 422);
        let nobody = json!({"person_id": "999", "together": true});
        assert_eq!(shop.owner("POST", &path).json(&nobody).send().code().0, 404);
        shop.assert_clean();
    }
}
