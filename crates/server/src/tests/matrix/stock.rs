//! The routes of stock.
use super::{Act, Area, Role, Shop, Value, fresh, json, key_for};

pub(super) fn id_of(made: &Value) -> String {
    made["id"].as_str().unwrap_or_default().to_string()
}

/// Two shops, and a new SKU of which fifty lie in each.
pub(super) fn stocked(shop: &Shop) -> String {
    for id in ["lviv-1", "kyiv-1"] {
        shop.owner("POST", "/api/v1/locations").json(&json!({"id": id, "kind": "store", "name": id})).send();
    }
    let number = fresh();
    shop.owner("POST", "/api/v1/products").json(&super::catalog::product(number)).send();
    let sku = format!("m{number}-s");
    for id in ["lviv-1", "kyiv-1"] {
        let receipt = json!({"sku": sku, "from": "supplier", "to": id, "quantity": 50, "reason": "receipt"});
        let answer = shop.owner("POST", "/api/v1/stock/movements").json(&receipt).send();
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    sku
}

fn transfer(shop: &Shop, from: &str, to: &str) -> String {
    let body = json!({"from": from, "to": to, "lines": [{"sku": stocked(shop), "quantity": 2}]});
    id_of(&shop.owner("POST", "/api/v1/transfers").json(&body).send().json())
}

/// A count with one line that is far off, entered by somebody else.
fn counted(shop: &Shop) -> (String, String) {
    let sku = stocked(shop);
    let body = json!({"location_id": "lviv-1", "skus": [sku]});
    let id = id_of(&shop.owner("POST", "/api/v1/stock-counts").json(&body).send().json());
    let path = format!("/api/v1/stock-counts/{id}/lines/{sku}");
    let entered = shop.ask("PUT", &path).header("authorization", &key_for(shop, Role::Planner));
    assert_eq!(entered.json(&json!({"counted": 7})).send().status, 200);
    (id, sku)
}

fn reserved(shop: &Shop) -> String {
    let line = json!({"sku": stocked(shop), "quantity": 1});
    let body = json!({"kind": "cart", "owner": "cart:1", "lines": [line]});
    let made = shop.owner("POST", "/api/v1/reservations").json(&body).send().json();
    made["reservation_id"].as_str().unwrap_or_default().to_string()
}

pub(super) fn purchase(shop: &Shop, placed: bool) -> String {
    let sku = stocked(shop);
    shop.owner("POST", "/api/v1/suppliers").json(&json!({"id": "khmara", "name": "Khmara"})).send();
    let lines = json!([{"sku": sku, "quantity": 3, "cost_minor": 100}]);
    let body = json!({"supplier_id": "khmara", "location_id": "lviv-1", "currency": "UAH", "lines": lines});
    let id = id_of(&shop.owner("POST", "/api/v1/purchase-orders").json(&body).send().json());
    if placed {
        let path = format!("/api/v1/purchase-orders/{id}/place");
        assert_eq!(shop.owner("POST", &path).json(&json!({})).send().status, 200);
    }
    id
}

/// What a route of stock is asked with; `None` for routes that are not of stock.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    let (read, write) = (Act::Read(Area::Stock), Act::Write(Area::Stock));
    let channel = json!({"name": "Site", "hold_seconds": 600, "buffer": 0, "kinds": ["store"]});
    Some(match id {
        "list_locations" => ("locations".into(), None, read),
        "put_location" => {
            let body =
                json!({"id": format!("l{}", fresh()), "kind": "warehouse", "name": "W", "lat": 49.84, "lon": 24.03});
            ("locations".into(), Some(body), Act::Write(Area::Settings))
        }
        "set_location_state" => {
            stocked(shop);
            let body = json!({"state": "open", "why": ""});
            ("locations/kyiv-1/state".into(), Some(body), Act::Write(Area::Settings))
        }
        "list_stock_channels" => ("stock-channels".into(), None, read),
        "put_stock_channel" => ("stock-channels/kiosk".into(), Some(channel), Act::Write(Area::Settings)),
        "list_movements" => ("stock/movements?limit=3".into(), None, read),
        "post_movement" => {
            let sale =
                json!({"sku": stocked(shop), "from": "lviv-1", "to": "customer", "quantity": 1, "reason": "sale"});
            ("stock/movements".into(), Some(sale), write)
        }
        "post_document" => {
            let body = json!({
                "source": "till:lviv-1", "external_id": format!("r{}", fresh()), "kind": "sale",
                "at": "2026-11-01T10:00:00Z", "happened": true,
                "lines": [{"sku": stocked(shop), "quantity": 1, "from": "lviv-1"}],
            });
            ("stock/documents".into(), Some(body), write)
        }
        "list_stock" => {
            stocked(shop);
            ("stock?location=lviv-1".into(), None, read)
        }
        "stock_stream" => ("stock/stream".into(), None, read),
        "get_stock" => (format!("stock/{}", stocked(shop)), None, read),
        "put_safety_stock" => {
            let body = json!({"location_id": "lviv-1", "quantity": 2});
            (format!("stock/{}/safety", stocked(shop)), Some(body), write)
        }
        "create_reservation" => {
            let line = json!({"sku": stocked(shop), "quantity": 1, "location_id": "lviv-1"});
            let body = json!({"kind": "in_store", "owner": "guest", "lines": [line]});
            ("reservations".into(), Some(body), write)
        }
        "get_reservation" => (format!("reservations/{}", reserved(shop)), None, read),
        "release_reservation" => (format!("reservations/{}", reserved(shop)), None, write),
        "extend_reservation" => {
            (format!("reservations/{}/extend", reserved(shop)), Some(json!({"seconds": 3600})), write)
        }
        "list_stuck_reservations" => ("reservations/stuck".into(), None, read),
        "list_transfers" => ("transfers?open=true".into(), None, read),
        "create_transfer" => {
            let body = json!({"from": "kyiv-1", "to": "lviv-1", "lines": [{"sku": stocked(shop), "quantity": 2}]});
            ("transfers".into(), Some(body), write)
        }
        "get_transfer" => (format!("transfers/{}", transfer(shop, "lviv-1", "kyiv-1")), None, read),
        "ship_transfer" => (format!("transfers/{}/ship", transfer(shop, "lviv-1", "kyiv-1")), Some(json!({})), write),
        "receive_transfer" => {
            let id = transfer(shop, "kyiv-1", "lviv-1");
            shop.owner("POST", &format!("/api/v1/transfers/{id}/ship")).json(&json!({})).send();
            let body = json!({"lines": [{"line": 0, "received": 2}]});
            (format!("transfers/{id}/receive"), Some(body), write)
        }
        "cancel_transfer" => {
            (format!("transfers/{}/cancel", transfer(shop, "lviv-1", "kyiv-1")), Some(json!({})), write)
        }
        "list_counts" => ("stock-counts".into(), None, read),
        "create_count" => {
            ("stock-counts".into(), Some(json!({"location_id": "lviv-1", "skus": [stocked(shop)]})), write)
        }
        "get_count" => (format!("stock-counts/{}", counted(shop).0), None, read),
        "enter_count" => {
            let (id, sku) = counted(shop);
            (format!("stock-counts/{id}/lines/{sku}"), Some(json!({"counted": 50})), write)
        }
        "approve_count" => {
            let (id, sku) = counted(shop);
            (format!("stock-counts/{id}/lines/{sku}/approve"), None, write)
        }
        "close_count" => (format!("stock-counts/{}/close", counted(shop).0), None, write),
        "list_suppliers" => ("suppliers".into(), None, read),
        "put_supplier" => {
            ("suppliers".into(), Some(json!({"id": format!("s{}", fresh()), "name": "S", "lead_days": 7})), write)
        }
        "list_purchase_orders" => ("purchase-orders".into(), None, read),
        "create_purchase_order" => {
            purchase(shop, false);
            let lines = json!([{"sku": stocked(shop), "quantity": 3, "cost_minor": 100}]);
            let body = json!({"supplier_id": "khmara", "location_id": "lviv-1", "currency": "UAH", "lines": lines});
            ("purchase-orders".into(), Some(body), write)
        }
        "get_purchase_order" => (format!("purchase-orders/{}", purchase(shop, false)), None, read),
        "place_purchase_order" => (format!("purchase-orders/{}/place", purchase(shop, false)), Some(json!({})), write),
        "receive_purchase_order" => {
            let body = json!({"lines": [{"line": 0, "quantity": 1}]});
            (format!("purchase-orders/{}/receive", purchase(shop, true)), Some(body), write)
        }
        "cancel_purchase_order" => (format!("purchase-orders/{}/cancel", purchase(shop, false)), None, write),
        other => return super::goods::case(shop, other),
    })
}
