//! What is promised before it is there, and what is written down when it is given: over HTTP.
use super::harness::shops;
use super::orders::{begin, bought, filled, get, owner, receive, site};
use serde_json::json;

#[test]
fn goods_on_order_are_sold_ahead_and_their_promise_follows_the_purchase_order() {
    for shop in shops() {
        begin(&shop);
        let page = || site(&shop, "GET", "promises?sku=shoe-42&address=Odesa", None).json()["items"].clone();
        owner(&shop, "POST", "suppliers", &json!({"id": "acme", "name": "Acme"}));
        let lines = json!([{"sku": "shoe-42", "quantity": 2, "cost_minor": 10_000}]);
        let order =
            json!({"supplier_id": "acme", "location_id": "hub", "currency": "GBP", "freight_minor": 0, "lines": lines});
        let purchase = owner(&shop, "POST", "purchase-orders", &order)["id"].as_str().expect("an id").to_string();
        let day = |days: i64| base::Clock::now(&base::SystemClock).plus(days * base::DAY_US);
        owner(&shop, "POST", &format!("purchase-orders/{purchase}/place"), &json!({"expected_at": day(10)}));
        assert_eq!(page(), json!([]), "nobody said that it may be sold ahead");
        let allowed = owner(&shop, "PUT", "stock/shoe-42/ahead", &json!({"everywhere": true}));
        assert_eq!(allowed, json!({"everywhere": true, "locations": []}));
        let offer = page()[0].clone();
        assert!(offer["why"].to_string().contains("on order"), "{offer}");
        let cart = filled(&shop, &[("shoe-42", 1)]);
        let way = json!({"option_id": "courier", "address": "Odesa, Derybasivska 1"});
        bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &way);
        let placed = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        let id = placed["order_id"].as_str().expect("an id").to_string();
        let supply = get(&shop, "stock/shoe-42/incoming")["items"][0]["free"].clone();
        assert_eq!(supply, json!(1), "one of two is somebody's");
        let later = json!({"expected_at": day(13)});
        owner(&shop, "PUT", &format!("purchase-orders/{purchase}/expected"), &later);
        let seen = site(&shop, "GET", &format!("orders/{id}"), None).json();
        assert!(seen["promised"]["earliest"].as_str() > placed["promised"]["earliest"].as_str(), "{seen}");
        let came = json!({"lines": [{"line": 0, "quantity": 2}]});
        owner(&shop, "POST", &format!("purchase-orders/{purchase}/receive"), &came);
        let queue = get(&shop, "pick-queue?location_id=hub");
        assert_eq!(queue["items"][0]["order_id"], json!(id), "{queue}");
        assert_eq!(site(&shop, "GET", "availability?sku=shoe-42", None).json()["available"], json!(1));
        shop.assert_clean();
    }
}

#[test]
fn serial_numbers_and_a_word_after_it_are_planned_at_the_hand_over() {
    // [Q4]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 2);
        let cart = filled(&shop, &[("shoe-42", 1)]);
        bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &json!({"kind": "pickup", "location_id": "lviv-1"}));
        let order = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        let steps = format!("orders/{}/fulfilments/1/steps", order["order_id"].as_str().expect("an id"));
        owner(&shop, "POST", &steps, &json!({"do": "accept"}));
        owner(&shop, "POST", &steps, &json!({"do": "ready"}));
        let two = json!([{"line": 0, "serial": "sn-1"}, {"line": 0, "serial": "sn-2"}]);
        let refused = json!({"do": "hand_over", "seen": "passport", "serials": two});
        let answer = shop.owner("POST", &format!("/api/v1/{steps}")).json(&refused).send();
        assert_eq!(answer.status, 422, "one piece has one number: {}", answer.text);
        let given = json!({"do": "hand_over", "seen": "passport", "serials": [{"line": 0, "serial": "sn-1"}]});
        let done = owner(&shop, "POST", &steps, &given);
        assert!(done["history"].to_string().contains("serial noted"), "{done}");
        let cases = get(&shop, "after-sale");
        let planned = cases["items"].as_array().into_iter().flatten().filter(|case| case["kind"] == "check_in").count();
        assert_eq!(planned, 1, "{cases}");
        shop.assert_clean();
    }
}
