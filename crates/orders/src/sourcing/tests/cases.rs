//! Cases with their answers, and what is refused.
use super::*;
use crate::sourcing::file::FileError;
use serde_json::json;

fn example(name: &str) -> Json {
    let path = format!("{}/../../docs/formats/examples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("an example")).expect("JSON")
}

#[test]
fn the_worked_example_is_what_comes_out() {
    let (plan, batch) = planned(&example("network"), &example("orders"));
    assert!(batch.proven);
    if std::env::var_os("BRAID_BLESS").is_some() {
        let path = format!("{}/../../docs/formats/examples/plan.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, format!("{plan:#}\n")).expect("written");
    }
    assert_eq!(plan, example("plan"), "{plan:#}");
}

#[test]
fn two_lines_of_one_sku_share_its_stock() {
    let network = json!({"currency": "UAH", "locations": [
        {"id": "a", "kind": "store", "capacity_per_day": null, "handling_minor": 0, "stock": {"s": 3}},
        {"id": "b", "kind": "store", "capacity_per_day": null, "handling_minor": 0, "stock": {"s": 1}}],
        "lanes": [{"from": "a", "zone": "z", "carrier": "c", "first_parcel_minor": 1, "per_kg_minor": 0, "days": 1},
                  {"from": "b", "zone": "z", "carrier": "c", "first_parcel_minor": 100, "per_kg_minor": 0, "days": 1}]});
    let lines = json!([{"id": "1", "sku": "s", "quantity": 2}, {"id": "2", "sku": "s", "quantity": 2}]);
    let (plan, _) = planned(&network, &json!({"orders": [{"id": "o", "zone": "z", "lines": lines}]}));
    assert_eq!(plan["cost_minor"], 101, "{plan}");
    let lines = json!([{"id": "1", "sku": "s", "quantity": 2}, {"id": "2", "sku": "s", "quantity": 3}]);
    let (plan, _) = planned(&network, &json!({"orders": [{"id": "o", "zone": "z", "lines": lines}]}));
    assert_eq!(plan["orders"][0]["parked"], json!([{"line": "1", "reason": "taken"}]), "more pieces come first");
}

#[test]
fn every_reason_of_a_parked_line_has_its_case() {
    let network = json!({"currency": "UAH", "locations": [
        {"id": "a", "kind": "store", "capacity_per_day": 2, "handling_minor": 0, "stock": {"s": 9, "t": 1}}],
        "lanes": [{"from": "a", "zone": "z", "carrier": "c", "first_parcel_minor": 1, "per_kg_minor": 0, "days": 1}]});
    let one = |zone: &str, sku: &str, quantity: i64| {
        let order =
            json!({"orders": [{"id": "o", "zone": zone, "lines": [{"id": "1", "sku": sku, "quantity": quantity}]}]});
        planned(&network, &order).0["orders"][0]["parked"][0]["reason"].as_str().map(str::to_string)
    };
    assert_eq!(one("z", "s", 2), None);
    assert_eq!(one("nowhere", "s", 1).as_deref(), Some("no_lane"));
    assert_eq!(one("z", "t", 2).as_deref(), Some("no_stock"));
    assert_eq!(one("z", "unheard", 1).as_deref(), Some("no_stock"));
    assert_eq!(one("z", "s", 3).as_deref(), Some("no_capacity"));
}

#[test]
fn capacity_counts_by_the_day_as_written() {
    let network = json!({"currency": "UAH", "locations": [
        {"id": "a", "kind": "store", "capacity_per_day": 1, "handling_minor": 0, "stock": {"s": 9}}],
        "lanes": [{"from": "a", "zone": "z", "carrier": "c", "first_parcel_minor": 1, "per_kg_minor": 0, "days": 1}]});
    let order = |id: &str, at: &str| json!({"id": id, "zone": "z", "placed_at": at, "lines": [{"id": "1", "sku": "s", "quantity": 1}]});
    // The first two are the same day in UTC, but not as written.
    let orders = json!({"orders": [order("1", "2026-11-23T01:00:00+02:00"), order("2", "2026-11-22T23:30:00Z"),
        order("3", "2026-11-23T20:00:00+02:00")]});
    let (plan, batch) = planned(&network, &orders);
    let parked: Vec<usize> = (0..3).map(|o| plan["orders"][o]["parked"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!((parked, batch.proven), (vec![0, 0, 1], true), "of equal orders the first in the file is served");
}

#[test]
fn mistakes_are_named_with_their_place() {
    let network = |change: &dyn Fn(&mut Json)| {
        let mut file = example("network");
        change(&mut file);
        let file: NetworkFile = serde_json::from_value(file).expect("shape");
        file.network().expect_err("a mistake")
    };
    let at = |error: FileError| error.pointer;
    assert_eq!(at(network(&|f| f["currency"] = json!("uah"))), "/currency");
    assert_eq!(at(network(&|f| f["locations"][2]["id"] = json!("lviv-1"))), "/locations/2/id");
    assert_eq!(at(network(&|f| f["locations"][1]["stock"]["a/b~c"] = json!(-1))), "/locations/1/stock/a~1b~0c");
    assert_eq!(at(network(&|f| f["locations"][1]["lat"] = json!(91))), "/locations/1/lat");
    assert_eq!(at(network(&|f| f["lanes"][3]["from"] = json!("nowhere"))), "/lanes/3/from");
    assert_eq!(at(network(&|f| f["lanes"][1]["carrier"] = json!("post"))), "/lanes/1");
    assert_eq!(at(network(&|f| f["lanes"][0]["days"] = json!(-1))), "/lanes/0/days");
    let (known, _) = read(&example("network"), &example("orders"));
    let orders = |change: &dyn Fn(&mut Json)| {
        let mut file = example("orders");
        change(&mut file);
        let file: OrdersFile = serde_json::from_value(file).expect("shape");
        file.orders(&known).expect_err("a mistake").pointer
    };
    assert_eq!(orders(&|f| f["orders"][1]["id"] = json!("1001")), "/orders/1/id");
    assert_eq!(orders(&|f| f["orders"][0]["placed_at"] = json!("yesterday")), "/orders/0/placed_at");
    assert_eq!(orders(&|f| f["orders"][0]["lines"] = json!([])), "/orders/0/lines");
    assert_eq!(orders(&|f| f["orders"][0]["lines"][1]["id"] = json!("a")), "/orders/0/lines/1/id");
    assert_eq!(orders(&|f| f["orders"][0]["lines"][1]["quantity"] = json!(0)), "/orders/0/lines/1/quantity");
}
