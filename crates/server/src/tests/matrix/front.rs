//! The routes of the counter: bags, what goes with what, advice, price tags.
use super::orders::{placed, stocked};
use super::{Act, Area, Shop, Value, fresh, json};

fn done(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("POST", &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json()
}

/// An order that waits at the counter.
fn ready(shop: &Shop) -> String {
    let id = placed(shop);
    for step in ["accept", "ready"] {
        done(shop, &format!("orders/{id}/fulfilments/1/steps"), &json!({"do": step}));
    }
    id
}

/// Two orders of somebody new, ready at one counter.
fn bag(shop: &Shop) -> Value {
    let mut items = Vec::new();
    let phone = format!("+38067{:07}", 2_000_000 + fresh());
    for _ in 0..2 {
        let lines = json!([{"sku": stocked(shop), "quantity": 1}]);
        let delivery = json!({"kind": "pickup", "location_id": "lviv-1"});
        let made = done(shop, "orders", &json!({"customer": {"phone": phone}, "lines": lines, "delivery": delivery}));
        let id = made["order_id"].as_str().unwrap_or_default().to_string();
        for step in ["accept", "ready"] {
            done(shop, &format!("orders/{id}/fulfilments/1/steps"), &json!({"do": step}));
        }
        items.push(json!({"order_id": id, "fulfilment": 1}));
    }
    json!({"do": "hand_over", "items": items, "seen": "passport"})
}

fn advice(shop: &Shop) -> String {
    stocked(shop);
    let made = done(shop, "consultations", &json!({"location_id": "lviv-1"}));
    made["id"].as_str().unwrap_or_default().to_string()
}

/// A review of elsewhere.
fn reviews(shop: &Shop) -> Value {
    let (product_id, source_id) = (stocked(shop), format!("r{}", fresh()));
    json!({"reviews": [{"product_id": product_id, "source": "import", "source_id": source_id, "rating": 3}]})
}

fn reviewed(shop: &Shop) -> String {
    done(shop, "reviews", &reviews(shop));
    let list = shop.owner("GET", "/api/v1/reviews?state=awaiting&limit=1").send().json();
    list["items"][0]["id"].as_str().unwrap_or_default().to_string()
}

/// What a route of the counter is asked with; `None` for others.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    let (read, write) = (Act::Read(Area::Orders), Act::Write(Area::Orders));
    Some(match id {
        "step_bag" => ("bags".into(), Some(bag(shop)), write),
        "order_slots" => (format!("orders/{}/slots?location_id=lviv-1", placed(shop)), None, read),
        "sell_beside" => {
            let lines = json!([{"sku": stocked(shop), "quantity": 1}]);
            let body = json!({"location_id": "lviv-1", "lines": lines});
            (format!("orders/{}/beside", ready(shop)), Some(body), write)
        }
        "list_consultations" => {
            advice(shop);
            ("consultations?location_id=lviv-1".into(), None, read)
        }
        "begin_consultation" => {
            stocked(shop);
            ("consultations".into(), Some(json!({"location_id": "lviv-1"})), write)
        }
        "get_consultation" => (format!("consultations/{}", advice(shop)), None, read),
        "step_consultation" => {
            let body = json!({"do": "note", "text": "measures her room first"});
            (format!("consultations/{}/steps", advice(shop)), Some(body), write)
        }
        "customer_counter" => ("customers/1/counter".into(), None, Act::Read(Area::Customers)),
        "shelf_codes" => {
            let sku = stocked(shop);
            (format!("locations/lviv-1/shelf-codes?skus={sku}"), None, Act::Read(Area::Stock))
        }
        "list_reviews" => ("reviews?limit=2".into(), None, Act::Read(Area::Reviews)),
        "bring_reviews" => ("reviews".into(), Some(reviews(shop)), Act::Write(Area::Reviews)),
        "get_review" => (format!("reviews/{}", reviewed(shop)), None, Act::Read(Area::Reviews)),
        "step_review" => {
            (format!("reviews/{}/steps", reviewed(shop)), Some(json!({"do": "publish"})), Act::Write(Area::Reviews))
        }
        "product_rating" => (format!("products/{}/rating", stocked(shop)), None, Act::Read(Area::Reviews)),
        _ => return None,
    })
}
