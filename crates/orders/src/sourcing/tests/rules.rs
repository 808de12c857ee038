//! What the server weighs and what the business wants.
use super::*;
use crate::sourcing::why::{reason, sentence};
use serde_json::json;

fn shops() -> (Network, Vec<Order>) {
    let place = |id: &str, kind: &str, handling: i64, stock: i64| json!({"id": id, "kind": kind, "capacity_per_day": 10, "handling_minor": handling, "stock": {"s": stock, "t": stock}});
    let lane = |from: &str, first: i64, co2: i64| json!({"from": from, "zone": "z", "carrier": "c", "first_parcel_minor": first, "per_kg_minor": 0, "days": 1, "co2_g": co2});
    let network = json!({"currency": "UAH",
        "locations": [place("shop-1", "store", 100, 2), place("shop-2", "store", 100, 2), place("ware", "warehouse", 50, 50)],
        "lanes": [lane("shop-1", 1000, 100), lane("shop-2", 1500, 100), lane("ware", 3000, 9000)]});
    let lines = json!([{"id": "1", "sku": "s", "quantity": 2}, {"id": "2", "sku": "t", "quantity": 1}]);
    let orders = json!({"orders": [{"id": "o", "zone": "z", "placed_at": "2026-11-27T12:00:00+02:00",
        "split_penalty_minor": 500, "lines": lines}]});
    read(&network, &orders)
}

fn from(network: &Network, order: &Order, wishes: &Wishes) -> (Vec<String>, OrderPlan) {
    let plan = plan_order(&Ledger::new(network), order, wishes, &Limits::default());
    let mut from: Vec<String> =
        plan.assignments.iter().map(|a| network.locations[a.location as usize].id.clone()).collect();
    from.dedup();
    (from, plan)
}

fn rules(list: Json) -> Wishes {
    Wishes { rules: serde_json::from_value(list).expect("rules"), ..Wishes::default() }
}

#[test]
fn a_shop_is_told_why() {
    let (network, orders) = shops();
    let (places, plan) = from(&network, &orders[0], &Wishes::default());
    assert_eq!((places, plan.cost.total()), (vec!["shop-1".to_string()], 1300));
    let said = sentence(&reason(&network, &orders[0], &plan));
    assert_eq!(said, "from the shop shop-1 by c: arrives tomorrow, saves 5.00 UAH against all from shop-2");
}

#[test]
fn the_last_piece_of_a_shop_has_its_price() {
    let (mut network, orders) = shops();
    network.locations[0].last_piece_minor = 400;
    let wishes = Wishes { weights: Weights { last_piece: true, ..Weights::default() }, ..Wishes::default() };
    // Two of two would empty shop-1's shelf of s: 400 is still less than another place's 500.
    let (places, plan) = from(&network, &orders[0], &wishes);
    assert_eq!((places, plan.cost.beyond, plan.cost.total()), (vec!["shop-1".to_string()], 400, 1700));
    network.locations[0].last_piece_minor = 501;
    assert_eq!(from(&network, &orders[0], &wishes).0, ["shop-2"]);
    let mut one = orders[0].clone();
    one.lines[0].quantity = 1;
    let (places, plan) = from(&network, &one, &wishes);
    assert_eq!((places, plan.cost.beyond), (vec!["shop-1".to_string()], 0), "one of two empties nothing");
}

#[test]
fn co2_weighs_when_asked() {
    let (network, orders) = shops();
    let mut order = orders[0].clone();
    order.lines[0].quantity = 5;
    let wishes =
        |price: i64| Wishes { weights: Weights { co2_minor_per_kg: price, ..Weights::default() }, ..Wishes::default() };
    assert_eq!(from(&network, &order, &wishes(0)).0, ["ware"]);
    let (_, plan) = from(&network, &order, &wishes(10));
    assert_eq!(plan.cost.beyond, 90, "nine kilograms at ten");
}

/// [N9] Rules are data; nothing is built or started again.
#[test]
fn rules_forbid_allow_prefer_cap_and_want_one_parcel() {
    let (network, orders) = shops();
    let order = &orders[0];
    let forbid = json!([{"id": "black friday", "when": {"kinds": ["store"], "from_day": "2026-11-27"}, "then": {"do": "forbid"}}]);
    assert_eq!(from(&network, order, &rules(forbid)).0, ["ware"]);
    let except = json!([{"id": "this one may", "when": {"locations": ["shop-2"]}, "then": {"do": "allow"}},
        {"id": "no shops", "when": {"kinds": ["store"]}, "then": {"do": "forbid"}}]);
    assert_eq!(from(&network, order, &rules(except)).0, ["shop-2"]);
    let earlier =
        json!([{"id": "over", "when": {"kinds": ["store"], "to_day": "2026-11-26"}, "then": {"do": "forbid"}}]);
    assert_eq!(from(&network, order, &rules(earlier)).0, ["shop-1"]);
    let prefer = |bonus: i64| {
        rules(json!([{"id": "p", "when": {"kinds": ["warehouse"]}, "then": {"do": "prefer", "bonus_minor": bonus}}]))
    };
    assert_eq!(from(&network, order, &prefer(1800)).0, ["shop-1"]);
    let (places, plan) = from(&network, order, &prefer(1900));
    assert_eq!((places, plan.cost.beyond), (vec!["ware".to_string()], 0));
    let cap = json!([{"id": "c", "when": {"locations": ["shop-1"]}, "then": {"do": "cap", "pieces": 2}}]);
    assert_eq!(from(&network, order, &rules(cap)).0, ["shop-2"]);
    let none = json!([{"id": "n", "when": {}, "then": {"do": "forbid"}}]);
    let (places, plan) = from(&network, order, &rules(none));
    assert_eq!((places.len(), plan.parked[0].1), (0, Park::Forbidden));
    let mut big = order.clone();
    big.lines[0].quantity = 51;
    let (places, plan) = from(&network, &big, &rules(json!([])));
    assert_eq!((places.len(), plan.parked), (1, vec![(0, Park::NoCapacity)]), "51 pieces are more than all can pick");
    let (mut roomy, _) = shops();
    roomy.locations.iter_mut().for_each(|l| l.capacity_per_day = None);
    assert_eq!(from(&roomy, &big, &rules(json!([]))).0.len(), 2);
    let (_, plan) = from(&roomy, &big, &rules(json!([{"id": "one", "then": {"do": "one_parcel"}}])));
    assert!(plan.assignments.is_empty() && plan.parked.iter().all(|(_, why)| *why == Park::OneParcel));
    let unknown = serde_json::from_value::<Vec<Rule>>(json!([{"id": "x", "then": {"do": "teleport"}}]));
    assert!(unknown.is_err_and(|e| e.to_string().contains("teleport")));
}

/// [V7] What stands still is planned around.
#[test]
fn a_point_that_is_down_and_an_hour_that_is_full_send_nothing() {
    let (mut network, orders) = shops();
    network.locations[0].down = true;
    assert_eq!(from(&network, &orders[0], &Wishes::default()).0, ["shop-2"]);
    network.locations[1].capacity_per_hour = Some(4);
    let mut later = orders[0].clone();
    later.hour = Some(13);
    let batch = [orders[0].clone(), Order { id: "p".into(), ..orders[0].clone() }, later];
    network.stock.iter_mut().for_each(|shelf| shelf.iter_mut().for_each(|(_, q)| *q = 50));
    let plans = plan(&network, &batch, &Wishes::default(), &Effort::default(), &|_, _, _| {}).plans;
    let places: Vec<&str> =
        plans.iter().map(|p| network.locations[p.assignments[0].location as usize].id.as_str()).collect();
    assert_eq!(places, ["shop-2", "ware", "shop-2"], "three pieces fit into each hour once");
}
