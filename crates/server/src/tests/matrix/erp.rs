//! The routes of exchange with accounting systems.
use super::{Act, Area, Shop, Value, fresh, json};

/// A connection that is new.
fn connection(shop: &Shop) -> String {
    let name = format!("erp-{}", fresh());
    let made = shop.owner("POST", "/api/v1/erp").json(&json!({"name": name, "kind": "rest"})).send();
    assert_eq!(made.status, 201, "{}", made.text);
    name
}

fn goods() -> Value {
    let number = fresh();
    let product = json!({"id": format!("e{number}"), "name": "E", "variants": [{"sku": format!("e{number}-s")}]});
    let data = json!({"external_id": format!("X{number}"), "product": product});
    json!({"events": [{"id": format!("g{number}"), "type": "goods", "at": "2026-11-01T10:00:00Z", "data": data}]})
}

/// A connection whose warehouse nobody knows yet.
fn heard(shop: &Shop) -> String {
    let name = connection(shop);
    let told = goods();
    shop.owner("POST", &format!("/api/v1/erp/{name}/events")).json(&told).send();
    let sku = told["events"][0]["data"]["product"]["variants"][0]["sku"].clone();
    let data = json!({"sku": sku, "warehouse": "w1", "quantity": "3"});
    let stock = json!({"events": [{"id": "s", "type": "stock", "at": "2026-11-01T10:00:00Z", "data": data}]});
    shop.owner("POST", &format!("/api/v1/erp/{name}/events")).json(&stock).send();
    name
}

/// An exchange in which somebody is asked.
fn asked(shop: &Shop) -> String {
    let name = connection(shop);
    let found = shop.owner("GET", &format!("/api/v1/erp/{name}")).send().json();
    let connection: i64 = found["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
    let written = shop.app().domain.store().write(move |tx: &mut db::Tx| {
        let id = tx.next_id();
        let sql = "INSERT INTO erp_exchanges (id, connection_id, direction, session_hash, state, version, whole, asked, begun_at, \
                   heard_at) VALUES ($1, $2, 'catalog', '', 'open', '', 1, '1 of 2', 1, 1)";
        tx.execute(sql, &[id.into(), connection.into()])?;
        Ok::<i64, db::DbError>(id)
    });
    format!("erp/{name}/exchanges/{}/confirm", written.expect("it is written"))
}

/// What a route is asked with; `None` for other routes.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    let (read, write) = (Act::Read(Area::Settings), Act::Write(Area::Settings));
    let (look, bring) = (Act::Read(Area::Imports), Act::Write(Area::Imports));
    let of = |rest: &str| format!("erp/{}{rest}", connection(shop));
    Some(match id {
        "list_erp_connections" => ("erp".into(), None, read),
        "create_erp_connection" => {
            ("erp".into(), Some(json!({"name": format!("n{}", fresh()), "kind": "commerceml"})), write)
        }
        "get_erp_connection" => (of(""), None, read),
        "update_erp_connection" => (of(""), Some(json!({"settings": {"zip": false}, "new_password": true})), write),
        "delete_erp_connection" => (of(""), None, write),
        "list_erp_mappings" => (of("/mappings"), None, read),
        "put_erp_mapping" => {
            shop.owner("POST", "/api/v1/locations").json(&json!({"id": "lviv-1", "kind": "store", "name": "L"})).send();
            let body = json!({"kind": "warehouse", "external_id": "w1", "target": "lviv-1"});
            (format!("erp/{}/mappings", heard(shop)), Some(body), write)
        }
        "list_erp_exchanges" => (of("/exchanges"), None, read),
        "confirm_erp_exchange" => (asked(shop), Some(json!({"archive": false})), write),
        "list_erp_journal" => (of("/journal"), None, read),
        "list_erp_events" => (of("/events?after=0&limit=5"), None, look),
        "tell_erp_events" => (of("/events"), Some(goods()), bring),
        "acknowledge_erp_events" => (of("/events/acknowledge"), Some(json!({"upto": "1"})), bring),
        "compare_erp_stock" => {
            let items = json!([{"external_id": "x", "warehouse": "w", "quantity": 1}]);
            (of("/reconciliations"), Some(json!({"items": items, "whole": false})), bring)
        }
        "begin_stock_import" => {
            shop.owner("POST", "/api/v1/locations").json(&json!({"id": "lviv-1", "kind": "store", "name": "L"})).send();
            let name = format!("stock{}.csv", fresh());
            let file = b"sku,location,quantity\nnothing,lviv-1,1\n";
            let body = json!({"name": name, "size": file.len()});
            let upload = shop.owner("POST", "/api/v1/uploads").json(&body).send().json();
            let upload = upload["id"].as_str().unwrap_or_default().to_string();
            let path = format!("/api/v1/uploads/{upload}?offset=0");
            shop.owner("PUT", &path).header("content-type", "application/octet-stream").body(file).send();
            ("stock/imports".into(), Some(json!({"upload": upload})), Act::Write(Area::Stock))
        }
        "export_stock" => ("stock/export?layout=shopify-inventory".into(), None, Act::Read(Area::Stock)),
        "list_erp_differences" => (of("/differences"), None, look),
        _ => return None,
    })
}
