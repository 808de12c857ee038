//! Lots, tags, waiting lists, promises, costs and entities over HTTP.
use super::harness::{Shop, shops};
use serde_json::{Value, json};
use std::time::Duration;

fn post(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("POST", &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json()
}

fn put(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("PUT", &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json()
}

fn get(shop: &Shop, path: &str) -> Value {
    let answer = shop.owner("GET", &format!("/api/v1/{path}")).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn key(shop: &Shop, role: &str) -> String {
    let stores = if role == "shop_assistant" { json!(["Lviv-1"]) } else { json!([]) };
    let made = post(shop, "api-keys", &json!({"name": role, "role": role, "stores": stores}));
    format!("Bearer {}", made["key"].as_str().unwrap_or_default())
}

fn begin(shop: &Shop) {
    post(shop, "locations", &json!({"id": "Lviv-1", "kind": "store", "name": "Lviv"}));
    post(shop, "locations", &json!({"id": "Hub", "kind": "warehouse", "name": "Hub"}));
    let variants = json!([
        {"sku": "kefir", "lots": "lot", "price": {"minor": 4_900, "currency": "UAH"}},
        {"sku": "phone", "lots": "serial", "price": {"minor": 2_590_000, "currency": "UAH"}},
    ]);
    post(shop, "products", &json!({"id": "goods", "name": "Goods", "state": "active", "variants": variants}));
}

#[test]
fn a_lot_expires_by_itself_and_a_serial_number_tells_its_way() {
    for shop in shops() {
        begin(&shop);
        let receipt = json!({
            "source": "erp", "external_id": "r-1", "kind": "receipt", "at": "2026-11-01T09:00:00Z",
            "lines": [
                {"sku": "kefir", "quantity": 3, "to": "Lviv-1", "lot": "old", "expires_on": "2020-01-31"},
                {"sku": "kefir", "quantity": 2, "to": "Lviv-1", "lot": "new", "expires_on": "2099-01-31"},
                {"sku": "phone", "quantity": 1, "to": "Hub", "lot": "SN-1"},
            ],
        });
        post(&shop, "stock/documents", &receipt);
        assert_eq!(post(&shop, "stock/documents", &receipt)["repeated"], true);
        let lots = get(&shop, "stock/kefir/lots");
        let told: Vec<_> = lots["items"].as_array().expect("lots").iter().map(|l| (&l["lot"], &l["state"])).collect();
        assert_eq!(told, [(&json!("new"), &json!("good")), (&json!("old"), &json!("expired"))]);
        assert_eq!(get(&shop, "stock/kefir")["available"], 2, "what has expired cannot be had");
        let recall = put(
            &shop,
            "stock/kefir/lots/new",
            &json!({"expires_on": "2099-01-31", "quarantined": true, "why": "recall"}),
        );
        assert_eq!(
            (&recall["lot"]["state"], &get(&shop, "stock/kefir")["available"]),
            (&json!("quarantined"), &json!(0))
        );
        let twice = json!({"sku": "phone", "from": "supplier", "to": "Lviv-1", "quantity": 1, "reason": "again", "lot": "SN-1"});
        let refused = shop.owner("POST", "/api/v1/stock/movements").json(&twice).send();
        assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/lot")));
        post(
            &shop,
            "stock/movements",
            &json!({"sku": "phone", "from": "Hub", "to": "Lviv-1", "quantity": 1, "reason": "move", "lot": "SN-1"}),
        );
        let serial = get(&shop, "serials/SN-1");
        assert_eq!(serial["items"][0]["places"][0]["location_id"], "Lviv-1");
        let way: Vec<_> =
            serial["items"][0]["history"].as_array().expect("steps").iter().map(|s| s["to"].clone()).collect();
        assert_eq!(way, [json!("Hub"), json!("Lviv-1")]);
    }
}

#[test]
fn who_waits_is_told_and_their_contact_is_masked() {
    for shop in shops() {
        begin(&shop);
        let joined = post(&shop, "waiting-list", &json!({"sku": "kefir", "email": " Ann@Example.com "}));
        assert_eq!((&joined["state"], &joined["email"]), (&json!("waiting"), &json!("ann@example.com")));
        let assistant =
            shop.ask("GET", "/api/v1/waiting-list").header("authorization", &key(&shop, "shop_assistant")).send();
        assert!(assistant.status == 200 && !assistant.text.contains("ann@example.com"), "{}", assistant.text);
        post(
            &shop,
            "stock/movements",
            &json!({"sku": "kefir", "from": "supplier", "to": "Lviv-1", "quantity": 1, "reason": "x"}),
        );
        let id = joined["id"].as_str().expect("an id");
        let told = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            get(&shop, "waiting-list?sku=kefir")["items"][0]["state"] == "told"
        });
        assert!(told, "the next in line was not told");
        assert_eq!(get(&shop, "stock/kefir")["available"], 0, "it is kept");
        let claim = post(&shop, &format!("waiting-list/{id}/take"), &json!({"owner": "cart:7"}));
        let claim = get(&shop, &format!("reservations/{}", claim["reservation_id"].as_str().expect("a claim")));
        assert_eq!(claim["owner"], "cart:7");
    }
}

#[test]
fn what_is_on_order_is_promised_and_costs_are_for_some() {
    for shop in shops() {
        begin(&shop);
        post(&shop, "suppliers", &json!({"id": "khmara", "name": "Khmara"}));
        let lines = json!([{"sku": "kefir", "quantity": 4, "cost_minor": 2_500}]);
        let order = json!({"supplier_id": "khmara", "location_id": "Lviv-1", "currency": "UAH", "freight_minor": 100, "lines": lines});
        let order = post(&shop, "purchase-orders", &order)["id"].as_str().expect("an id").to_string();
        post(&shop, &format!("purchase-orders/{order}/place"), &json!({"expected_at": "2027-01-10T10:00:00Z"}));
        let claim =
            post(&shop, "incoming-claims", &json!({"owner": "order:9", "lines": [{"sku": "kefir", "quantity": 3}]}));
        assert_eq!(claim["promised_at"], "2027-01-10T10:00:00.000000Z");
        let more = json!({"owner": "order:10", "lines": [{"sku": "kefir", "quantity": 2}]});
        assert_eq!(shop.owner("POST", "/api/v1/incoming-claims").json(&more).send().code(), (409, "not_enough".into()));
        assert_eq!(get(&shop, "stock/kefir/incoming")["items"][0]["free"], 1);
        put(&shop, &format!("purchase-orders/{order}/expected"), &json!({"expected_at": "2027-02-01T10:00:00Z"}));
        post(&shop, &format!("purchase-orders/{order}/receive"), &json!({"lines": [{"line": 0, "quantity": 4}]}));
        let changes = get(&shop, "incoming-claims/changes");
        let why: Vec<_> = changes["items"].as_array().expect("changes").iter().map(|c| c["why"].clone()).collect();
        assert_eq!(why, [json!("it comes later"), json!("came")]);
        assert_eq!(get(&shop, "stock/kefir")["available"], 1, "three are the customer's");
        let cost = get(&shop, "stock/kefir/cost");
        assert_eq!(
            (&cost["average_minor"], &cost["average_unit_minor"], &cost["unknown"]),
            (&json!(10_100), &json!(2_525), &json!(0))
        );
        let agent = key(&shop, "agent");
        let ask = |path: &str| shop.ask("GET", path).header("authorization", &agent).send();
        assert_eq!(ask("/api/v1/stock/kefir/cost").code(), (403, "not_allowed".into()));
        let hidden = ask(&format!("/api/v1/purchase-orders/{order}")).json();
        assert_eq!((&hidden["lines"][0]["cost_minor"], &hidden["freight_minor"]), (&Value::Null, &Value::Null));
        assert_eq!(ask("/api/v1/purchase-orders").json()["items"][0]["total"], Value::Null);
    }
}

#[test]
fn a_transfer_between_entities_has_two_papers() {
    for shop in shops() {
        begin(&shop);
        let wrong = shop
            .owner("PUT", "/api/v1/legal-entities/trade")
            .json(&json!({"kind": "company", "name": "T", "code": "14360571"}))
            .send();
        assert_eq!((wrong.status, wrong.json()["errors"][0]["pointer"].clone()), (422, json!("/code")));
        put(
            &shop,
            "legal-entities/trade",
            &json!({"kind": "company", "name": "Trade", "code": "14360570", "vat": true}),
        );
        put(
            &shop,
            "legal-entities/petrenko",
            &json!({"kind": "sole_trader", "name": "Petrenko", "code": "1234567899"}),
        );
        for (entity, place) in [("trade", "Hub"), ("petrenko", "Lviv-1")] {
            let body = json!({"location_id": place, "since": "2026-01-01T00:00:00Z"});
            assert_eq!(
                shop.owner("POST", &format!("/api/v1/legal-entities/{entity}/locations")).json(&body).send().status,
                204
            );
        }
        post(
            &shop,
            "stock/movements",
            &json!({"sku": "kefir", "from": "supplier", "to": "Hub", "quantity": 5, "reason": "x"}),
        );
        let asked = json!({"from": "Hub", "to": "Lviv-1", "lines": [{"sku": "kefir", "quantity": 2}]});
        let id = post(&shop, "transfers", &asked)["id"].as_str().expect("an id").to_string();
        post(&shop, &format!("transfers/{id}/ship"), &json!({}));
        let papers = get(&shop, "legal-entities/documents");
        let told: Vec<_> = papers["items"]
            .as_array()
            .expect("papers")
            .iter()
            .map(|p| (&p["side"], &p["entity_id"], &p["net_minor"]))
            .collect();
        let (none, trade, petrenko) = (json!(null), json!("trade"), json!("petrenko"));
        assert_eq!(
            told,
            [(&json!("purchase"), &petrenko, &none), (&json!("sale"), &trade, &none)],
            "nobody said what it cost"
        );
        let report = get(&shop, "legal-entities/report?from=2026-01-01T00:00:00Z&until=2028-12-31T00:00:00Z");
        let of = |id: &str| {
            report["items"].as_array().expect("rows").iter().find(|r| r["entity_id"] == id).cloned().unwrap_or_default()
        };
        assert_eq!((&of("trade")["received"], &report["total"]["received"]), (&json!(5), &json!(5)));
    }
}

#[test]
fn who_waits_is_exported_and_forgotten() {
    for shop in shops() {
        begin(&shop);
        let identify = json!({"userId": "ann", "messageId": "1", "traits": {"email": "ann@example.com"}});
        assert_eq!(shop.track("/v1/identify", &identify).status, 200);
        post(&shop, "waiting-list", &json!({"sku": "kefir", "email": "ann@example.com"}));
        post(&shop, "waiting-list", &json!({"sku": "kefir", "email": "bob@example.com"}));
        let ann = super::privacy::person(&shop, "ann@example.com");
        let held = get(&shop, &format!("customers/{ann}/export"));
        assert_eq!(
            (&held["waiting_list"][0]["name"], &held["waiting_list"][0]["state"]),
            (&json!("kefir"), &json!("waiting"))
        );
        super::privacy::erase(&shop, &ann);
        let line = get(&shop, "waiting-list?all=true");
        let told: Vec<_> =
            line["items"].as_array().expect("a line").iter().map(|w| (&w["email"], &w["state"])).collect();
        assert_eq!(told, [(&json!(null), &json!("left")), (&json!("bob@example.com"), &json!("waiting"))]);
    }
}
