//! What goes with an order at the counter, and what is sold beside it (N10, P11).
use super::{check_stores, order_no, refused, shop, shown, wire};
use crate::api::stock::check_place;
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{ReadOrders, WriteOrders};
use crate::change::Done;
use crate::input::{Input, List, Params};
use crate::problem::Problem;
use crate::shop_api::slots::{SLOTS, SlotBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use orders::accompany;
use orders::commands::{self, Beside};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Where.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SlotsQuery {
    /// Only what lies there; where the order is fetched without it.
    location_id: Option<String>,
}

/// Lists what goes with an order, lies there, and is not owned by its customer.
#[utoipa::path(get, path = "/api/v1/orders/{id}/slots", tag = "orders", params(("id" = String, Path), SlotsQuery),
    responses((status = 200, body = inline(List<SlotBody>))))]
pub async fn order_slots(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Path(id): Path<String>,
    Params(query): Params<SlotsQuery>,
) -> Result<Json<List<SlotBody>>, Problem> {
    let items = app
        .read(move |tx| {
            let no = order_no(tx, &id)?;
            let order = commands::order_of(tx, no).map_err(|e| refused(tx, e))?;
            let places = stock::commands::places(tx)?;
            check_stores(&caller, &places, &order)?;
            let place = match &query.location_id {
                Some(id) => Some(crate::api::stock::place(&places, "/location_id", id)?),
                None => None,
            };
            accompany::beside_order(tx, no, place, SLOTS).map_err(|e| refused(tx, e))
        })
        .await?;
    Ok(Json(List::whole(items.into_iter().map(SlotBody::of).collect())))
}

/// What a customer who fetches an order buys beside it.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BesideBody {
    /// Where it is fetched.
    location_id: String,
    lines: Vec<BesideLine>,
    /// `store` without it, or `site` where the shop has no such channel.
    sales_channel: Option<String>,
}

/// Goods that are sold beside a pick-up.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BesideLine {
    sku: String,
    quantity: Amount,
}

/// Sells goods beside a pick-up: an order of its own, handed over at once, counted for the pick-up.
#[utoipa::path(post, path = "/api/v1/orders/{id}/beside", tag = "orders", params(("id" = String, Path)),
    request_body = BesideBody, responses((status = 201, body = wire::OrderBody)))]
pub async fn sell_beside(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<BesideBody>,
) -> Result<Response, Problem> {
    let (given, by, shared) = (input.value, caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let of_order_no = order_no(tx, &id)?;
        let places = stock::commands::places(tx)?;
        let location_no = crate::api::stock::place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let no = crate::api::stock::variant(tx, &format!("/lines/{at}/sku"), &line.sku)?;
            lines.push((no, line.quantity.0));
        }
        let channel = given.sales_channel.clone().unwrap_or_else(|| counter_channel(&places));
        let sale = Beside { of_order_no, location_no, lines, channel };
        let order = commands::sell_beside(tx, &shop(&shared), &sale, &by.actor).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let after = json!({"number": order.body.number, "total_minor": order.body.total_minor, "beside": id});
        let done = Done::created(shown(tx, &shared, &order)?).versioned(order.version);
        Ok(done.noted(("create", "order"), order.no, None, Some(after)))
    })
    .await
}

/// The channel of what is sold at a counter.
pub fn counter_channel(places: &stock::Places) -> String {
    let known = ["store", "site"].into_iter().find(|id| places.channel(id).is_some());
    known.unwrap_or("site").to_string()
}
