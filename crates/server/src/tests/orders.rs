//! Orders over HTTP: what a site, a colleague and a shop do, from the first click to the ledger (CONTRACTS 9).
use super::harness::{Shop, shops};
use serde_json::{Value, json};

pub fn owner(shop: &Shop, method: &str, path: &str, body: &Value) -> Value {
    let answer = shop.owner(method, &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
    answer.json()
}

pub fn get(shop: &Shop, path: &str) -> Value {
    let answer = shop.owner("GET", &format!("/api/v1/{path}")).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

pub fn site(shop: &Shop, method: &str, path: &str, body: Option<&Value>) -> super::harness::Answer {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(format!("{}:", shop.keys.write_key));
    let path = format!("/shop/v1/{path}");
    let request = shop.ask(method, &path).header("authorization", &format!("Basic {key}"));
    match body {
        Some(body) => request.json(body).send(),
        None => request.send(),
    }
}

pub fn bought(shop: &Shop, method: &str, path: &str, body: &Value) -> Value {
    let answer = site(shop, method, path, Some(body));
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
    answer.json()
}

/// Two shops and a warehouse with shoes.
pub fn begin(shop: &Shop) {
    for (id, kind) in [("lviv-1", "store"), ("kyiv-1", "store"), ("hub", "warehouse")] {
        owner(shop, "POST", "locations", &json!({"id": id, "kind": kind, "name": id, "time_zone": "Europe/Kyiv"}));
    }
    let variants = json!([
        {"sku": "shoe-41", "price": {"minor": 200_000, "currency": "UAH"}},
        {"sku": "shoe-42", "price": {"minor": 200_000, "currency": "UAH"}},
    ]);
    owner(shop, "POST", "products", &json!({"id": "shoe", "name": "Khmara", "state": "active", "variants": variants}));
}

pub fn receive(shop: &Shop, sku: &str, to: &str, quantity: i64) {
    let body = json!({"sku": sku, "from": "supplier", "to": to, "quantity": quantity, "reason": "receipt"});
    owner(shop, "POST", "stock/movements", &body);
}

pub fn filled(shop: &Shop, lines: &[(&str, i64)]) -> String {
    let cart = bought(shop, "POST", "carts", &json!({}));
    let id = cart["cart_id"].as_str().expect("an id").to_string();
    for (sku, quantity) in lines {
        bought(shop, "POST", &format!("carts/{id}/lines"), &json!({"sku": sku, "quantity": quantity}));
    }
    let who = json!({"email": "olena@example.com", "phone": "067 123 45 67", "name": "Олена", "anonymous_id": "dev-1"});
    bought(shop, "PUT", &format!("carts/{id}/customer"), &who);
    id
}

fn available(shop: &Shop, sku: &str) -> Value {
    site(shop, "GET", &format!("availability?sku={sku}"), None).json()["available"].clone()
}

#[test]
fn eight_requests_make_an_order_and_one_more_pays_it() {
    // [N1] [N2]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "hub", 3);
        let cart = filled(&shop, &[("shoe-42", 2)]);
        let options = site(&shop, "GET", &format!("carts/{cart}/delivery-options?address=Odesa"), None).json();
        let courier = &options["items"][0];
        assert_eq!((&courier["option_id"], &courier["kind"]), (&json!("courier"), &json!("courier")), "{options}");
        assert!(courier["earliest"].as_str() < courier["latest"].as_str() && courier["why"][0].is_string());
        assert_eq!(courier["price"], json!({"minor": 0, "currency": "UAH"}));
        let way = json!({"option_id": "courier", "address": "Odesa, Derybasivska 1"});
        let priced = bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &way);
        assert_eq!(
            (&priced["total"]["minor"], &priced["lines"][0]["unit"]["minor"]),
            (&json!(400_000), &json!(200_000))
        );
        let placed = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        assert_eq!(placed["state"], "awaiting_payment");
        let again = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        assert_eq!(again["number"], placed["number"], "a repeat orders nothing twice");
        assert_eq!(available(&shop, "shoe-42"), 1);
        let id = placed["order_id"].as_str().expect("an id");
        let paid =
            bought(&shop, "POST", &format!("orders/{id}/payments"), &json!({"provider": "test", "amount": 4000}));
        assert_eq!((&paid["state"], &paid["to_pay"]["minor"]), (&json!("confirmed"), &json!(0)), "{paid}");
        for name in [id, placed["number"].as_str().expect("a number")] {
            let order = get(&shop, &format!("orders/{name}"));
            assert_eq!(order["order_id"], id);
            assert_eq!(order["payments"][0]["captured_minor"], 400_000);
            assert_eq!(order["fulfilments"][0]["location_id"], "hub");
            let sourced = order["history"].as_array().expect("a list").iter().find(|h| h["what"] == "sourced");
            let why = sourced.and_then(|h| h["reason"].as_str()).expect("a reason");
            assert!(why.contains("the warehouse hub"), "{why}");
            assert_eq!(order["contact"]["phone"], "+380671234567");
            // The order is in the customer's log: one profile has the address, the phone and the device.
            let person = order["person_id"].as_str().expect("they are known");
            let who = get(&shop, "customers/lookup?anonymous_id=dev-1");
            assert_eq!(who["person_id"], person);
        }
        let listed = get(&shop, "orders?state=confirmed&q=olena@example.com");
        assert_eq!(listed["items"][0]["order_id"], id);
        assert_eq!(get(&shop, "orders?state=cancelled")["items"], json!([]));
        shop.assert_clean();
    }
}

#[test]
fn what_is_short_is_named_and_nothing_is_kept() {
    // [M5]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "hub", 1);
        receive(&shop, "shoe-41", "hub", 5);
        let cart = filled(&shop, &[("shoe-41", 2), ("shoe-42", 2)]);
        bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &json!({"option_id": "courier", "address": "Odesa"}));
        let refused = site(&shop, "POST", &format!("carts/{cart}/checkout"), Some(&json!({})));
        let problem = refused.json();
        assert_eq!((refused.status, &problem["code"]), (409, &json!("not_enough")));
        let short = json!([{"sku": "shoe-42", "wanted": 2, "available": 1}]);
        assert_eq!(problem["short"], short, "{problem}");
        assert_eq!(available(&shop, "shoe-41"), 5);
        let other = site(&shop, "GET", &format!("carts/{}", cart.replace('c', "o")), None);
        assert_eq!(other.status, 404);
        let forged = site(&shop, "GET", "carts/c1-0000000000000000", None);
        assert_eq!(forged.status, 404, "nobody finds another's cart by counting");
        for (path, body, pointer) in [
            ("lines", json!({"sku": "nothing", "quantity": 1}), "/sku"),
            ("lines", json!({"sku": "shoe-41", "quantity": -1}), "/quantity"),
        ] {
            let refused = site(&shop, "POST", &format!("carts/{cart}/{path}"), Some(&body));
            assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
        }
        let nowhere = json!({"kind": "pickup", "location_id": "moon"});
        let refused = site(&shop, "PUT", &format!("carts/{cart}/delivery"), Some(&nowhere));
        assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/location_id")));
    }
}

#[test]
fn a_shop_picks_and_hands_over_by_the_customers_code() {
    // [N4] [N5] [P6]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 2);
        let cart = filled(&shop, &[("shoe-42", 1)]);
        let there = json!({"kind": "pickup", "location_id": "lviv-1"});
        let chosen = bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &there);
        assert!(chosen["promised"]["latest"].is_string(), "{chosen}");
        let placed = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        let id = placed["order_id"].as_str().expect("an id");
        // Lists are narrowed by the place that serves an order.
        let at =
            |place: &str| get(&shop, &format!("orders?location_id={place}"))["items"].as_array().map_or(0, Vec::len);
        assert_eq!((at("lviv-1"), at("hub"), at("nowhere")), (1, 0, 0));
        let queue = get(&shop, "pick-queue?location_id=lviv-1");
        assert_eq!(
            (&queue["items"][0]["order_id"], &queue["items"][0]["lines"][0]["product"]),
            (&json!(id), &json!("Khmara"))
        );
        let no = queue["items"][0]["fulfilment"].as_i64().expect("a number");
        let path = format!("orders/{id}/fulfilments/{no}/steps");
        let step = |body: Value| shop.owner("POST", &format!("/api/v1/{path}")).json(&body).send();
        assert_eq!(step(json!({"do": "ready"})).status, 409, "nobody took it");
        assert_eq!(step(json!({"do": "accept"})).status, 200);
        assert_eq!(step(json!({"do": "ready"})).status, 200);
        let seen = site(&shop, "GET", &format!("orders/{id}"), None).json();
        assert_eq!((&seen["lines"][0]["state"], &seen["parcels"][0]["state"]), (&json!("ready"), &json!("ready")));
        let code = seen["pick_up_code"].as_str().expect("a code");
        assert_eq!(step(json!({"do": "hand_over", "code": "1"})).status, 422);
        let done = step(json!({"do": "hand_over", "code": code}));
        assert_eq!((done.status, &done.json()["state"]), (200, &json!("delivered")));
        assert_eq!(get(&shop, "pick-queue?location_id=lviv-1")["items"], json!([]));
        let till = json!({"provider": "till", "amount": {"minor": 200_000, "currency": "UAH"}});
        let cheat = site(&shop, "POST", &format!("orders/{id}/payments"), Some(&till));
        assert_eq!(cheat.status, 409, "a customer's device cannot say that money came");
        assert_eq!(owner(&shop, "POST", &format!("orders/{id}/payments"), &till)["balance_minor"], 0);
        let figures = get(&shop, "orders/figures");
        let lviv = &figures["places"][0];
        assert_eq!(
            (&lviv["ready_within_30"], &lviv["fetched"], &lviv["kept"]),
            (&json!(1), &json!(1), &json!(1)),
            "{figures}"
        );
        shop.assert_clean();
    }
}

#[test]
fn a_colleague_orders_what_the_shop_lacks_and_it_is_brought() {
    // [M8] [N6] [P6] [P7]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "hub", 2);
        let body = json!({
            "sales_channel": "phone", "customer": {"phone": "+380671234567", "name": "Олена"}, "seller": "ira@example.com",
            "lines": [{"sku": "shoe-42", "quantity": 1}], "delivery": {"kind": "pickup", "location_id": "lviv-1"},
            "note": "розмір із запасом",
        });
        let order = owner(&shop, "POST", "orders", &body);
        assert_eq!((&order["fulfilments"][0]["kind"], &order["seller"]), (&json!("supply"), &json!("ira@example.com")));
        let id = order["order_id"].as_str().expect("an id");
        let transfer = order["fulfilments"][0]["transfer_id"].as_str().expect("a transfer brings it");
        owner(&shop, "POST", &format!("transfers/{transfer}/ship"), &json!({}));
        let lines = json!({"lines": [{"line": 0, "received": 1}]});
        owner(&shop, "POST", &format!("transfers/{transfer}/receive"), &lines);
        let queue = get(&shop, "pick-queue?location_id=lviv-1");
        assert_eq!(queue["items"][0]["order_id"], id, "the shop is asked to lay it out");
        let hold =
            owner(&shop, "POST", &format!("orders/{id}/steps"), &json!({"do": "hold", "why": "asks for a call"}));
        assert_eq!(hold["state"], "on_hold");
        let free =
            owner(&shop, "POST", &format!("orders/{id}/steps"), &json!({"do": "release", "hold": "asks for a call"}));
        assert_eq!(free["holds"], json!([]));
        let over =
            owner(&shop, "POST", &format!("orders/{id}/steps"), &json!({"do": "cancel", "why": "changed her mind"}));
        assert_eq!(over["state"], "cancelled");
        assert_eq!(available(&shop, "shoe-42"), 2);
        shop.assert_clean();
    }
}

#[test]
fn goods_that_a_till_sold_late_come_from_elsewhere() {
    // [M2] [V7]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 1);
        let cart = filled(&shop, &[("shoe-42", 1)]);
        bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &json!({"option_id": "courier", "address": "Odesa"}));
        let placed = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        let id = placed["order_id"].as_str().expect("an id");
        receive(&shop, "shoe-42", "kyiv-1", 1);
        let sale = json!({
            "source": "till:lviv-1", "external_id": "r-1", "kind": "sale", "at": "2026-11-01T09:00:00Z", "happened": true,
            "lines": [{"sku": "shoe-42", "quantity": 1, "from": "lviv-1"}],
        });
        owner(&shop, "POST", "stock/documents", &sale);
        let order = get(&shop, &format!("orders/{id}"));
        assert_eq!(order["lines"][0]["parts"][0]["location_id"], "kyiv-1", "{order}");
        owner(&shop, "POST", "locations/kyiv-1/state", &json!({"state": "closed", "why": "flooded"}));
        let order = get(&shop, &format!("orders/{id}"));
        assert_eq!((&order["state"], &order["lines"][0]["parts"][0]["state"]), (&json!("parked"), &json!("parked")));
        shop.assert_clean();
    }
}

#[test]
fn the_way_orders_go_is_edited_while_it_runs() {
    // [N9] [U1]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "hub", 5);
        let mut settings = get(&shop, "order-settings");
        settings["zones"] = json!([{"id": "odesa", "words": ["Odesa", "Одеса"]}]);
        settings["methods"][0]["rates"] = json!([
            {"zone": "odesa", "price_minor": 9_900, "free_from_minor": 300_000, "days": 1},
            {"zone": "*", "price_minor": 15_000, "days": 3},
        ]);
        owner(&shop, "PUT", "order-settings", &settings);
        settings["policy"]["test_payments"] = json!(false);
        owner(&shop, "PUT", "order-settings", &settings);
        settings["methods"][0]["carrier"] = json!("nobody");
        let refused = shop.owner("PUT", "/api/v1/order-settings").json(&settings).send();
        assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/methods/0/carrier")));
        let cart = filled(&shop, &[("shoe-42", 1)]);
        let price = |address: &str| {
            let path = format!("carts/{cart}/delivery-options?address={address}");
            site(&shop, "GET", &path, None).json()["items"][0]["price"]["minor"].clone()
        };
        assert_eq!((price("Odesa"), price("Lviv")), (json!(9_900), json!(15_000)));
        bought(&shop, "POST", &format!("carts/{cart}/lines"), &json!({"sku": "shoe-42", "quantity": 1}));
        assert_eq!(price("Odesa"), json!(0), "from 3,000 UAH on it is free");
        bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &json!({"option_id": "courier", "address": "Odesa"}));
        let placed = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        let pays = format!("orders/{}/payments", placed["order_id"].as_str().expect("an id"));
        let refused = site(&shop, "POST", &pays, Some(&json!({"provider": "test", "amount": 4000})));
        assert_eq!(refused.status, 409, "a shop that is open to the public takes no play money");
        let page = site(&shop, "GET", "promises?sku=shoe-42&address=Odesa", None).json();
        assert_eq!(page["items"][0]["option_id"], "courier", "{page}");
    }
}
