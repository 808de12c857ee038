//! The routes of orders.
use super::{Act, Area, Shop, Value, fresh, json};

/// A shop with a new SKU on sale, of which fifty lie there.
pub fn stocked(shop: &Shop) -> String {
    shop.owner("POST", "/api/v1/locations").json(&json!({"id": "lviv-1", "kind": "store", "name": "lviv-1"})).send();
    let sku = format!("o{}", fresh());
    let variants = json!([{"sku": sku, "price": {"minor": 100, "currency": "UAH"}}]);
    let product = json!({"id": sku, "name": "O", "state": "active", "variants": variants});
    let answer = shop.owner("POST", "/api/v1/products").json(&product).send();
    assert!(answer.status < 300, "{}", answer.text);
    let receipt = json!({"sku": sku, "from": "supplier", "to": "lviv-1", "quantity": 50, "reason": "receipt"});
    shop.owner("POST", "/api/v1/stock/movements").json(&receipt).send();
    sku
}

fn new_order(shop: &Shop) -> Value {
    json!({
        "customer": {"phone": "+380671234567", "name": "Олена"}, "lines": [{"sku": stocked(shop), "quantity": 1}],
        "delivery": {"kind": "pickup", "location_id": "lviv-1"},
    })
}

pub fn placed(shop: &Shop) -> String {
    let answer = shop.owner("POST", "/api/v1/orders").json(&new_order(shop)).send();
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["order_id"].as_str().unwrap_or_default().to_string()
}

/// What a route of orders is asked with; `None` for routes that are not of orders.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    let (read, write) = (Act::Read(Area::Orders), Act::Write(Area::Orders));
    Some(match id {
        "list_orders" => ("orders?limit=3".into(), None, read),
        "create_order" => ("orders".into(), Some(new_order(shop)), write),
        "order_figures" => ("orders/figures".into(), None, read),
        "get_order" => (format!("orders/{}", placed(shop)), None, read),
        "edit_order" => {
            let change = json!({"lines": [{"sku": stocked(shop), "quantity": 2}]});
            (format!("orders/{}", placed(shop)), Some(change), write)
        }
        "step_order" => (format!("orders/{}/steps", placed(shop)), Some(json!({"do": "note", "text": "x"})), write),
        "pay_order" => {
            let body = json!({"provider": "till", "amount": {"minor": 100, "currency": "UAH"}});
            (format!("orders/{}/payments", placed(shop)), Some(body), write)
        }
        "step_fulfilment" => {
            (format!("orders/{}/fulfilments/1/steps", placed(shop)), Some(json!({"do": "accept"})), write)
        }
        "pick_queue" => {
            placed(shop);
            ("pick-queue?location_id=lviv-1".into(), None, read)
        }
        "reroute_location" => {
            placed(shop);
            ("locations/lviv-1/reroute".into(), Some(json!({"why": "flooded"})), write)
        }
        "put_cart_person" => {
            let key = format!("{}:", shop.keys.write_key);
            let key = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
            let made = shop.ask("POST", "/shop/v1/carts").header("authorization", &format!("Basic {key}"));
            let made = made.json(&json!({})).send().json();
            let id = made["cart_id"].as_str().unwrap_or_default().to_string();
            (format!("carts/{id}/person"), Some(json!({"person_id": null})), write)
        }
        "get_alerts" => ("alerts".into(), None, read),
        "put_alert_key" => ("alerts/key".into(), Some(json!({"key": ""})), Act::Write(Area::Settings)),
        "get_order_settings" => ("order-settings".into(), None, read),
        "put_order_settings" => {
            let settings = shop.owner("GET", "/api/v1/order-settings").send().json();
            ("order-settings".into(), Some(settings), Act::Write(Area::Settings))
        }
        _ => return None,
    })
}
