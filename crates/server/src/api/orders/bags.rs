//! Several orders of one customer as one bag (N8).
use super::{order_no, refused};
use crate::api::stock::check_place;
use crate::app::App;
use crate::caller::WriteOrders;
use crate::change::Done;
use crate::input::Input;
use crate::problem::{BAD_INPUT, Problem};
use crate::shop_api::ids::{self, Kind};
use axum::extract::State;
use axum::response::Response;
use orders::commands::{self, Proof};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What is done with a bag.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum BagStep {
    /// Hands all of it over, by the code of any of its orders, or as somebody was recognised.
    HandOver { items: Vec<BagPart>, code: Option<String>, seen: Option<String> },
    /// Gives all of it to the carrier as one parcel under one number.
    Dispatch { items: Vec<BagPart>, tracking: String },
}

/// What a place serves of an order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BagPart {
    order_id: String,
    fulfilment: i64,
}

/// An order that was in a bag.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BagOrder {
    order_id: String,
    number: String,
    state: String,
    /// What is still to be paid.
    to_pay_minor: i64,
    currency: String,
}

/// A bag that left.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Bag {
    orders: Vec<BagOrder>,
    /// The carrier's number of the parcel; empty for what was handed over.
    tracking: String,
}

/// Hands several orders of one customer over together, or sends them as one parcel.
#[utoipa::path(post, path = "/api/v1/bags", tag = "orders", request_body = BagStep,
    responses((status = 200, body = Bag)))]
pub async fn step_bag(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<BagStep>,
) -> Result<Response, Problem> {
    let (given, by, shared) = (input.value, caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let places = stock::commands::places(tx)?;
        let (parts, tracking) = match &given {
            BagStep::HandOver { items, .. } => (items, ""),
            BagStep::Dispatch { items, tracking } => (items, tracking.as_str()),
        };
        let mut items = Vec::with_capacity(parts.len());
        for part in parts {
            let no = order_no(tx, &part.order_id)?;
            let order = commands::order_of(tx, no).map_err(|e| refused(tx, e))?;
            if let Some(f) = order.body.fulfilments.iter().find(|f| f.no == part.fulfilment) {
                check_place(&by, &places, f.location_no)?;
            }
            items.push((no, part.fulfilment));
        }
        let done = match &given {
            BagStep::HandOver { code, seen, .. } => {
                let proof = match (code, seen) {
                    (Some(code), _) => Proof::Code(code.clone()),
                    (None, Some(seen)) if !seen.trim().is_empty() => Proof::Seen(seen.clone()),
                    _ => return Err(BAD_INPUT.at("/code", "give a code, or say how the customer was recognised")),
                };
                commands::hand_over_bag(tx, &items, &proof, &by.actor)
            }
            BagStep::Dispatch { .. } => commands::dispatch_bag(tx, &items, tracking, &by.actor),
        };
        let done = done.map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let key = tx.hash_key();
        let orders: Vec<BagOrder> = done
            .iter()
            .map(|order| BagOrder {
                order_id: ids::id(key, Kind::Order, order.no),
                number: order.body.number.clone(),
                state: order.status().as_str().into(),
                to_pay_minor: order.open_minor(),
                currency: order.body.currency.clone(),
            })
            .collect();
        let numbers: Vec<&str> = done.iter().map(|o| o.body.number.as_str()).collect();
        let after = json!({"orders": numbers, "tracking": tracking.trim()});
        let subject = done.first().map_or(0, |order| order.no);
        let body = Bag { orders, tracking: tracking.trim().into() };
        Ok(Done::ok(body).noted(("hand_over", "bag"), subject, None, Some(after)))
    })
    .await
}
