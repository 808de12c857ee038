//! Goods over HTTP, from the receipt to the product page.
use super::harness::{Shop, shops};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn post(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("POST", &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json()
}

fn get(shop: &Shop, path: &str) -> Value {
    let answer = shop.owner("GET", &format!("/api/v1/{path}")).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn begin(shop: &Shop) {
    post(shop, "locations", &json!({"id": "Lviv-1", "kind": "store", "name": "Львів, Площа Ринок"}));
    post(shop, "locations", &json!({"id": "Hub", "kind": "warehouse", "name": "Kyiv hub", "lat": 50.45, "lon": 30.52}));
    let variants = json!([
        {"sku": "shoe-42", "price": {"minor": 259_900, "currency": "UAH"}},
        {"sku": "gift-card", "tracked": false, "price": {"minor": 50_000, "currency": "UAH"}},
    ]);
    post(shop, "products", &json!({"id": "shoe", "name": "Khmara", "state": "active", "variants": variants}));
}

fn moved(shop: &Shop, from: &str, to: &str, quantity: &Value) -> Value {
    let body = json!({"sku": "shoe-42", "from": from, "to": to, "quantity": quantity, "reason": "by hand"});
    post(shop, "stock/movements", &body)
}

/// What a product page is told.
fn on_the_page(shop: &Shop, sku: &str) -> Value {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(format!("{}:", shop.keys.write_key));
    let path = format!("/shop/v1/availability?sku={sku}");
    let answer = shop.ask("GET", &path).header("authorization", &format!("Basic {key}")).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    answer.json()
}

#[test]
fn a_sale_anywhere_is_seen_by_every_channel_within_a_second() {
    // [M1] [M2] [M4]
    for shop in shops() {
        begin(&shop);
        moved(&shop, "supplier", "Lviv-1", &json!(2));
        moved(&shop, "supplier", "Hub", &json!(3));
        assert_eq!(on_the_page(&shop, "shoe-42")["available"], 5);
        let stream = shop.owner("GET", "/api/v1/stock/stream").stream();
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || stream.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop));
        while lines.recv_timeout(Duration::from_secs(5)).expect("it opens") != ": open" {}
        let begun = Instant::now();
        let sale = json!({
            "source": "till:Lviv-1", "external_id": "r-1", "kind": "sale", "at": "2026-11-01T09:00:00Z", "happened": true,
            "lines": [{"sku": "shoe-42", "quantity": 1, "from": "Lviv-1"}],
        });
        assert_eq!(post(&shop, "stock/documents", &sale)["repeated"], false);
        assert_eq!(on_the_page(&shop, "shoe-42")["available"], 4);
        let told = loop {
            let line = lines.recv_timeout(Duration::from_secs(5)).expect("it is told");
            if let Some(data) = line.strip_prefix("data: ") {
                break serde_json::from_str::<Value>(data).expect("JSON");
            }
        };
        assert_eq!((&told["sku"], &told["channels"]["site"]), (&json!("shoe-42"), &json!(4)));
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(post(&shop, "stock/documents", &sale)["repeated"], true);
        assert_eq!(on_the_page(&shop, "shoe-42")["available"], 4);
        let card = on_the_page(&shop, "gift-card");
        assert_eq!((&card["available"], &card["in_stock"]), (&Value::Null, &json!(true)), "pieces are not counted");
        shop.assert_clean();
    }
}

#[test]
fn what_is_wanted_and_what_there_is_stand_in_the_refusal() {
    // [M5]
    for mut shop in shops() {
        begin(&shop);
        moved(&shop, "supplier", "Lviv-1", &json!(1.5));
        let line = json!({"sku": "shoe-42", "quantity": 1});
        let cart = json!({"kind": "cart", "owner": "cart:1", "lines": [line]});
        let made = post(&shop, "reservations", &cart);
        assert_eq!(made["lines"][0]["location_id"], "Lviv-1");
        let refused = shop.owner("POST", "/api/v1/reservations").json(&cart).send();
        assert_eq!(refused.code(), (409, "not_enough".into()));
        let detail = refused.json()["errors"][0]["detail"].as_str().unwrap_or_default().to_string();
        assert_eq!(detail, "of shoe-42 1 are wanted and 0.5 available");
        let stock = get(&shop, "stock/shoe-42");
        assert_eq!(stock["items"][0]["on_hand"], 1.5);
        assert_eq!((&stock["items"][0]["reserved"], &stock["available"]), (&json!(1), &json!(0.5)));
        assert_eq!(stock["claims"][0]["owner"], "cart:1");
        shop.restart();
        assert_eq!(get(&shop, "stock/shoe-42")["available"], 0.5);
        assert_eq!(on_the_page(&shop, "shoe-42")["available"], 0.5, "the page is answered after a start too");
        let id = made["reservation_id"].as_str().unwrap_or_default();
        assert_eq!(shop.owner("DELETE", &format!("/api/v1/reservations/{id}")).send().status, 204);
        assert_eq!(get(&shop, &format!("reservations/{id}"))["lines"][0]["ended"], "released");
        assert_eq!(on_the_page(&shop, "shoe-42")["available"], 1.5);
        shop.assert_clean();
    }
}

#[test]
fn bad_input_of_stock_is_refused_at_its_place() {
    let shop = Shop::new();
    begin(&shop);
    let pointer = |path: &str, body: Value| {
        let answer = shop.owner("POST", &format!("/api/v1/{path}")).json(&body).send();
        assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text);
        answer.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_string()
    };
    let movement = |change: fn(&mut Value)| {
        let mut body = json!({"sku": "shoe-42", "from": "supplier", "to": "Hub", "quantity": 1, "reason": "r"});
        change(&mut body);
        pointer("stock/movements", body)
    };
    assert_eq!(movement(|b| b["sku"] = json!("nobody")), "/sku");
    assert_eq!(movement(|b| b["to"] = json!("nowhere")), "/to");
    assert_eq!(movement(|b| b["to"] = json!("supplier")), "/to");
    assert_eq!(movement(|b| b["quantity"] = json!(0)), "/quantity");
    assert_eq!(movement(|b| b["quantity"] = json!(0.0001)), "/quantity");
    assert_eq!(movement(|b| b["quantity"] = json!("1")), "/quantity");
    assert_eq!(movement(|b| b["to_condition"] = json!("new")), "/to_condition");
    assert_eq!(pointer("locations", json!({"id": "x", "kind": "moon", "name": "x"})), "/kind");
    assert_eq!(
        pointer("locations", json!({"id": "x", "kind": "store", "name": "x", "time_zone": "Kyiv"})),
        "/time_zone"
    );
    assert_eq!(pointer("locations", json!({"id": "x", "kind": "store", "name": "x", "lat": 91, "lon": 0})), "/lat");
    assert_eq!(pointer("locations", json!({"id": "supplier", "kind": "store", "name": "x"})), "/id");
    let nobody = shop.ask("GET", "/shop/v1/availability?sku=shoe-42").send();
    assert_eq!(nobody.code(), (401, "not_signed_in".into()));
    shop.assert_clean();
}

#[test]
fn a_shop_assistant_works_in_their_own_shop() {
    let shop = Shop::new();
    begin(&shop);
    moved(&shop, "supplier", "Lviv-1", &json!(5));
    moved(&shop, "supplier", "Hub", &json!(5));
    let key = json!({"name": "Till", "role": "shop_assistant", "stores": ["Lviv-1"]});
    let key = post(&shop, "api-keys", &key)["key"].as_str().unwrap_or_default().to_string();
    let sell = |from: &str| {
        let body = json!({"sku": "shoe-42", "from": from, "to": "customer", "quantity": 1, "reason": "sale"});
        let ask = shop.ask("POST", "/api/v1/stock/movements").header("authorization", &format!("Bearer {key}"));
        ask.json(&body).send().code()
    };
    assert_eq!(sell("Lviv-1").0, 201);
    assert_eq!(sell("Hub"), (403, "not_allowed".into()));
    let look = shop.ask("GET", "/api/v1/stock/shoe-42").header("authorization", &format!("Bearer {key}"));
    assert_eq!(look.send().json()["available"], 9, "they see where else it is");
}
