//! Sourcing against its text: a naive search over all plans, written from docs/formats, and properties.
mod cases;
mod naive;
mod rules;
mod scale;

use super::file::{NetworkFile, OrdersFile, PlanFile};
use super::*;
use serde_json::Value as Json;

/// Reads both files as `braid source` does.
pub(crate) fn read(network: &Json, orders: &Json) -> (Network, Vec<Order>) {
    let network: NetworkFile = serde_json::from_value(network.clone()).expect("the shape of a network");
    let network = network.network().expect("a network");
    let orders: OrdersFile = serde_json::from_value(orders.clone()).expect("the shape of orders");
    let orders = orders.orders(&network).expect("orders");
    (network, orders)
}

/// Plans files as `braid source` does.
pub(crate) fn planned(network: &Json, orders: &Json) -> (Json, Batch) {
    let (network, orders) = read(network, orders);
    let batch = plan(&network, &orders, &Wishes::default(), &Effort::default(), &|_, _, _| {});
    let file = PlanFile::new(&network, &orders, &batch.plans);
    (serde_json::to_value(file).expect("JSON"), batch)
}
