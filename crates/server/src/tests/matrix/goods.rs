//! The routes of lots, tags and waiting lists.
use super::stock::{id_of, purchase, stocked};
use super::{Act, Area, Shop, Value, fresh, json};

/// A walk in which a known tag was seen.
fn walk(shop: &Shop) -> Value {
    let sku = stocked(shop);
    let number = fresh();
    let item = format!("{number:06}");
    // The item's first digit is the indicator, which stands before the company.
    let body = format!("{}4820001{}", &item[..1], &item[1..]);
    let gtin = format!("{body}{}", catalog::gtin::check_digit(&body).unwrap_or_default());
    let product = json!({"id": format!("t{number}"), "name": "Tagged", "variants": [{"sku": format!("t{number}"), "gtin": gtin,
        "price": {"minor": 100, "currency": "UAH"}}]});
    shop.owner("POST", "/api/v1/products").json(&product).send();
    let read = json!({"epc": format!("urn:epc:id:sgtin:4820001.{item}.{number}"), "at": "2026-11-01T10:00:00Z"});
    assert!(!sku.is_empty());
    json!({"source": "gate", "session": format!("w{number}"), "device": "reader", "location_id": "lviv-1", "reads": [read]})
}

fn walked(shop: &Shop) -> String {
    let made = shop.owner("POST", "/api/v1/stock/rfid-reads").json(&walk(shop)).send();
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()["session_id"].as_str().unwrap_or_default().to_string()
}

fn lot(shop: &Shop) -> (String, String) {
    let (sku, lot) = (stocked(shop), format!("L{}", fresh()));
    let receipt =
        json!({"sku": sku, "from": "supplier", "to": "lviv-1", "quantity": 1, "reason": "receipt", "lot": lot});
    assert_eq!(shop.owner("POST", "/api/v1/stock/movements").json(&receipt).send().status, 201);
    (sku, lot)
}

fn waiting(shop: &Shop) -> Value {
    let number = fresh();
    let product = json!({"id": format!("w{number}"), "name": "Wanted", "variants": [{"sku": format!("w{number}"),
        "price": {"minor": 100, "currency": "UAH"}}]});
    shop.owner("POST", "/api/v1/products").json(&product).send();
    shop.owner("POST", "/api/v1/locations").json(&json!({"id": "lviv-1", "kind": "store", "name": "lviv-1"})).send();
    json!({"sku": format!("w{number}"), "email": format!("w{number}@example.com")})
}

fn waits(shop: &Shop) -> (String, String) {
    let body = waiting(shop);
    let made = shop.owner("POST", "/api/v1/waiting-list").json(&body).send();
    assert_eq!(made.status, 201, "{}", made.text);
    (id_of(&made.json()), body["sku"].as_str().unwrap_or_default().to_string())
}

/// Somebody for whom goods are kept.
fn told(shop: &Shop) -> String {
    let (id, sku) = waits(shop);
    let receipt = json!({"sku": sku, "from": "supplier", "to": "lviv-1", "quantity": 1, "reason": "receipt"});
    assert_eq!(shop.owner("POST", "/api/v1/stock/movements").json(&receipt).send().status, 201);
    for _ in 0..500 {
        let now = shop.owner("GET", &format!("/api/v1/waiting-list?sku={sku}")).send().json();
        if now["items"][0]["state"] == "told" {
            return id;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nobody was told of {sku}");
}

/// An SKU of which three are on order.
fn on_order(shop: &Shop) -> (String, String) {
    let id = purchase(shop, true);
    let order = shop.owner("GET", &format!("/api/v1/purchase-orders/{id}")).send().json();
    (id, order["lines"][0]["sku"].as_str().unwrap_or_default().to_string())
}

fn incoming(shop: &Shop) -> Value {
    json!({"owner": format!("order:{}", fresh()), "lines": [{"sku": on_order(shop).1, "quantity": 1}]})
}

fn promised(shop: &Shop) -> String {
    let made = shop.owner("POST", "/api/v1/incoming-claims").json(&incoming(shop)).send();
    assert_eq!(made.status, 201, "{}", made.text);
    id_of(&made.json())
}

/// A paper that brought goods, with its movement.
fn brought(shop: &Shop) -> (String, String) {
    let sku = stocked(shop);
    let receipt = json!({"sku": sku, "from": "supplier", "to": "lviv-1", "quantity": 3, "reason": "receipt"});
    let made = shop.owner("POST", "/api/v1/stock/movements").json(&receipt).send().json();
    let document = made["document_id"].as_str().unwrap_or_default().to_string();
    let moves = shop.owner("GET", &format!("/api/v1/stock/movements?document={document}")).send().json();
    (document, id_of(&moves["items"][0]))
}

/// A legal entity that is there.
fn entity(shop: &Shop) -> String {
    let id = format!("e{}", fresh());
    let body = json!({"kind": "company", "name": "Trade", "code": "14360570", "vat": true});
    let made = shop.owner("PUT", &format!("/api/v1/legal-entities/{id}")).json(&body).send();
    assert_eq!(made.status, 201, "{}", made.text);
    id
}

/// A place that belongs to nobody yet.
fn unowned(shop: &Shop) -> String {
    let id = format!("p{}", fresh());
    shop.owner("POST", "/api/v1/locations").json(&json!({"id": id, "kind": "store", "name": id})).send();
    id
}

/// What a route of this area is asked with; `None` for others.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    let (read, write) = (Act::Read(Area::Stock), Act::Write(Area::Stock));
    let (see, serve) = (Act::Read(Area::Customers), Act::Write(Area::Customers));
    Some(match id {
        "list_lots" => (format!("stock/{}/lots", lot(shop).0), None, read),
        "put_lot" => {
            let (sku, lot) = lot(shop);
            (format!("stock/{sku}/lots/{lot}"), Some(json!({"expires_on": "2030-01-31"})), write)
        }
        "get_serial" => (format!("serials/{}", lot(shop).1), None, read),
        "post_rfid_reads" => ("stock/rfid-reads".into(), Some(walk(shop)), write),
        "list_rfid_sessions" => ("rfid-sessions".into(), None, read),
        "get_rfid_session" => (format!("rfid-sessions/{}", walked(shop)), None, read),
        "count_rfid_session" => (format!("rfid-sessions/{}/count", walked(shop)), None, write),
        "list_incoming" => (format!("stock/{}/incoming", on_order(shop).1), None, read),
        "get_sold_ahead" => (format!("stock/{}/ahead", on_order(shop).1), None, read),
        "put_sold_ahead" => {
            let body = json!({"everywhere": false, "locations": []});
            (format!("stock/{}/ahead", on_order(shop).1), Some(body), write)
        }
        "create_incoming_claim" => ("incoming-claims".into(), Some(incoming(shop)), write),
        "list_incoming_changes" => ("incoming-claims/changes".into(), None, read),
        "get_incoming_claim" => (format!("incoming-claims/{}", promised(shop)), None, read),
        "release_incoming_claim" => (format!("incoming-claims/{}", promised(shop)), None, write),
        "expect_purchase_order" => {
            let body = json!({"expected_at": "2027-01-31T10:00:00Z"});
            (format!("purchase-orders/{}/expected", on_order(shop).0), Some(body), write)
        }
        "get_cost" => (format!("stock/{}/cost", stocked(shop)), None, Act::SeeCosts),
        "get_document_cost" => (format!("stock/documents/{}/cost", brought(shop).0), None, Act::SeeCosts),
        "put_document_cost" => {
            let (document, movement) = brought(shop);
            let body = json!({"lines": [{"movement_id": movement, "cost_minor": 999}], "freight_minor": 10});
            (format!("stock/documents/{document}/cost"), Some(body), write)
        }
        "list_entities" => ("legal-entities".into(), None, read),
        "list_entity_documents" => ("legal-entities/documents".into(), None, read),
        "entities_report" => {
            ("legal-entities/report?from=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z".into(), None, read)
        }
        "put_entity" => {
            let body = json!({"kind": "sole_trader", "name": "Petrenko", "code": "1234567899"});
            (format!("legal-entities/e{}", fresh()), Some(body), Act::Write(Area::Settings))
        }
        "assign_entity" => {
            let body = json!({"location_id": unowned(shop)});
            (format!("legal-entities/{}/locations", entity(shop)), Some(body), Act::Write(Area::Settings))
        }
        "list_waiting" => ("waiting-list".into(), None, see),
        "join_waiting" => ("waiting-list".into(), Some(waiting(shop)), serve),
        "take_waiting" => (format!("waiting-list/{}/take", told(shop)), Some(json!({"owner": "cart:1"})), serve),
        "leave_waiting" => (format!("waiting-list/{}", waits(shop).0), None, serve),
        _ => return None,
    })
}
