//! The routes of price lists, promotions and rules of law.
use super::{Act, Area, Shop, Value, fresh, json};

fn price_list() -> Value {
    json!({"name": format!("L{}", fresh()), "currency": "UAH", "scope": {"channels": ["site"]}})
}

fn priced_list(shop: &Shop) -> String {
    let made = shop.owner("POST", "/api/v1/price-lists").json(&price_list()).send().json();
    made["id"].as_str().unwrap_or_default().to_string()
}

fn prices() -> Value {
    json!({"currency": "UAH", "prices": [{"variant_id": "1", "minor": 100 + fresh()}]})
}

fn promotion_of(id: &str) -> Value {
    json!({"document": {"id": id, "effects": [{"kind": "percent", "percent": 10}]}})
}

fn promotion(shop: &Shop) -> String {
    let id = format!("p{}", fresh());
    shop.owner("PUT", &format!("/api/v1/promotions/{id}")).json(&promotion_of(&id)).send();
    id
}

/// What a route of this area is asked with; `None` for others.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    Some(match id {
        "list_price_lists" => ("price-lists".into(), None, Act::Read(Area::Prices)),
        "create_price_list" => ("price-lists".into(), Some(price_list()), Act::Write(Area::Prices)),
        "get_price_list" => (format!("price-lists/{}", priced_list(shop)), None, Act::Read(Area::Prices)),
        "update_price_list" => {
            (format!("price-lists/{}", priced_list(shop)), Some(price_list()), Act::Write(Area::Prices))
        }
        "end_price_list" => (format!("price-lists/{}/end", priced_list(shop)), None, Act::Write(Area::Prices)),
        "price_list_versions" => (format!("price-lists/{}/versions", priced_list(shop)), None, Act::Read(Area::Prices)),
        "set_list_prices" => ("price-lists/base/prices".into(), Some(prices()), Act::Write(Area::Prices)),
        "preview_list_prices" => ("price-lists/base/prices/preview".into(), Some(prices()), Act::Write(Area::Prices)),
        "list_price_changes" => ("price-lists/base/changes".into(), None, Act::Read(Area::Prices)),
        "roll_back_prices" => {
            let set = shop.owner("POST", "/api/v1/price-lists/base/prices").json(&prices()).send().json();
            let change = set["change_id"].as_str().unwrap_or_default().to_string();
            (format!("price-changes/{change}/roll-back"), None, Act::Write(Area::Prices))
        }
        "explain_price" => {
            let body = json!({"variant_id": "1", "currency": "UAH", "channel": "site"});
            ("prices/explain".into(), Some(body), Act::Read(Area::Prices))
        }
        "price_differences" => {
            let body = json!({"currency": "UAH", "places": [{"channel": "site"}, {"channel": "app"}]});
            ("prices/differences".into(), Some(body), Act::Read(Area::Prices))
        }
        "list_promotions" => ("promotions".into(), None, Act::Read(Area::Prices)),
        "get_promotion" => (format!("promotions/{}", promotion(shop)), None, Act::Read(Area::Prices)),
        "put_promotion" => {
            let id = promotion(shop);
            (format!("promotions/{id}"), Some(promotion_of(&id)), Act::Write(Area::Prices))
        }
        "archive_promotion" => (format!("promotions/{}", promotion(shop)), None, Act::Write(Area::Prices)),
        "promotion_versions" => (format!("promotions/{}/versions", promotion(shop)), None, Act::Read(Area::Prices)),
        "restore_promotion" => {
            (format!("promotions/{}/restore", promotion(shop)), Some(json!({"version": 1})), Act::Write(Area::Prices))
        }
        "get_promotion_policy" => ("promotion-policy".into(), None, Act::Read(Area::Prices)),
        "put_promotion_policy" => (
            "promotion-policy".into(),
            Some(json!({"document": {"points": {"point_minor": 100, "earn_percent": 5}}})),
            Act::Write(Area::Prices),
        ),
        "get_law" => ("laws/UA".into(), None, Act::Read(Area::Prices)),
        "put_law" => {
            let preset = shop.owner("GET", "/api/v1/laws/UA").send().json();
            ("laws/UA".into(), Some(json!({"document": preset["document"]})), Act::Write(Area::Prices))
        }
        "price_basket" => {
            let line = json!({"id": "1", "sku": "A", "quantity": 1, "price_minor": 100});
            let body = json!({"basket": {"currency": "UAH", "lines": [line]}});
            ("baskets/price".into(), Some(body), Act::Read(Area::Prices))
        }
        _ => return None,
    })
}
