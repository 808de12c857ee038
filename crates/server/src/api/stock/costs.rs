//! What goods cost the shop: for those who may see it.
use super::wire::Amount;
use super::{check_place, refused, skus};
use crate::access::Act;
use crate::app::App;
use crate::caller::{SeeCosts, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{Quantity, Timestamp};
use catalog::variants;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::commands;
use stock::cost::replay::share;
use stock::cost::{self, Bill, Share};
use stock::lists::{self, Movements};

/// What an SKU cost.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CostShown {
    sku: String,
    currency: String,
    /// In the whole shop, of whatever condition, on the way too.
    on_hand: Amount,
    /// What left and did not come yet, by the papers.
    owed: Amount,
    /// By moving average: of a unit, rounded, and of all that lies there.
    average_unit_minor: Option<i64>,
    average_minor: i64,
    /// By layers, first in first out, of all that lies there.
    fifo_minor: i64,
    layers: Vec<LayerShown>,
    /// Movements in of unknown cost, or of another currency: they count as the average of their moment.
    unknown: i64,
    foreign: i64,
}

/// Goods that came together and lie there still.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LayerShown {
    movement_id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    quantity: Amount,
    value_minor: i64,
}

/// Layers that are shown.
const LAYERS_MAX: usize = 200;

/// Shows what an SKU cost: by moving average and by layers, with freight and customs.
#[utoipa::path(get, path = "/api/v1/stock/{sku}/cost", tag = "stock", params(("sku" = String, Path)),
    responses((status = 200, body = CostShown)))]
pub async fn get_cost(
    State(app): State<Arc<App>>,
    _: SeeCosts,
    Path(sku): Path<String>,
) -> Result<Json<CostShown>, Problem> {
    let name = sku.clone();
    let no = app.read(move |tx| Ok(variants::find(tx, &name)?)).await?;
    let no = no.ok_or_else(|| NOT_FOUND.because("there is no such SKU"))?;
    let currency = app.domain.settings().currency.clone();
    let of = currency.clone();
    let book = app.query(move |db| Ok(cost::book(db, no, &of, None)?)).await?;
    let standing = book.standing;
    let there = standing.on_hand.is_positive();
    Ok(Json(CostShown {
        sku,
        currency,
        on_hand: Amount(standing.on_hand),
        owed: Amount(standing.owed),
        average_unit_minor: there.then(|| share(standing.average_minor, Quantity::ONE, standing.on_hand)),
        average_minor: standing.average_minor,
        fifo_minor: standing.fifo_minor(),
        layers: standing
            .layers
            .iter()
            .take(LAYERS_MAX)
            .map(|layer| LayerShown {
                movement_id: Id(layer.no),
                at: layer.at,
                quantity: Amount(layer.quantity),
                value_minor: layer.value_minor,
            })
            .collect(),
        unknown: standing.unknown as i64,
        foreign: book.foreign as i64,
    }))
}

/// What a movement cost.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MovementCost {
    movement_id: Id,
    sku: String,
    quantity: Amount,
    average_minor: i64,
    fifo_minor: i64,
    /// Not all of it is known yet: it left before it came.
    estimated: bool,
}

/// Shows what the lines of a paper cost at their moment: of a sale, what was sold.
#[utoipa::path(get, path = "/api/v1/stock/documents/{id}/cost", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<MovementCost>))))]
pub async fn get_document_cost(
    State(app): State<Arc<App>>,
    _: SeeCosts,
    Path(id): Path<String>,
) -> Result<Json<List<MovementCost>>, Problem> {
    let no = Id::in_path(&id)?;
    let currency = app.domain.settings().currency.clone();
    let lines = app.query(move |db| Ok(cost::of_document(db, no, &currency)?)).await?;
    let numbers: Vec<i64> = lines.iter().map(|(variant_no, _)| *variant_no).collect();
    let names = app.read(move |tx| Ok(skus(tx, numbers.clone())?)).await?;
    let items = lines.iter().map(|(variant_no, cost)| MovementCost {
        movement_id: Id(cost.no),
        sku: names.get(variant_no).cloned().unwrap_or_default(),
        quantity: Amount(cost.quantity),
        average_minor: cost.average_minor,
        fifo_minor: cost.fifo_minor,
        estimated: cost.estimated,
    });
    Ok(Json(List::whole(items.collect())))
}

/// The bill of a receipt.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BillBody {
    /// ISO 4217; the shop's own without it. What cost another currency counts as of unknown cost.
    currency: Option<String>,
    /// Lines that are not named keep what was said of them.
    #[serde(default)]
    lines: Vec<BillLine>,
    #[serde(default)]
    freight_minor: i64,
    #[serde(default)]
    customs_minor: i64,
    /// How freight and customs are shared: `value`, as without it, or `weight`.
    by: Option<String>,
}

/// What a line of a receipt cost.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BillLine {
    movement_id: String,
    /// All of it, without freight and customs.
    cost_minor: i64,
}

/// What a line of a receipt cost with its share of freight and customs.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BilledLine {
    movement_id: Id,
    sku: String,
    quantity: Amount,
    goods_minor: Option<i64>,
    freight_minor: Option<i64>,
    customs_minor: Option<i64>,
}

/// Says what a receipt cost, however late: everything that was sold since costs anew.
#[utoipa::path(put, path = "/api/v1/stock/documents/{id}/cost", tag = "stock", params(("id" = String, Path)),
    request_body = BillBody, responses((status = 200, body = inline(List<BilledLine>))))]
pub async fn put_document_cost(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<BillBody>,
) -> Result<Response, Problem> {
    let (no, given) = (Id::in_path(&id)?, input.value);
    let by = match given.by.as_deref() {
        None | Some("value") => Share::Value,
        Some("weight") => Share::Weight,
        Some(_) => return Err(BAD_INPUT.at("/by", "value or weight")),
    };
    let mut lines = Vec::with_capacity(given.lines.len());
    for (at, line) in given.lines.iter().enumerate() {
        let pointer = format!("/lines/{at}/movement_id");
        let movement = Id::in_path(&line.movement_id).map_err(|_| BAD_INPUT.at(&pointer, "name a movement"))?;
        lines.push((movement, line.cost_minor));
    }
    let currency = given.currency.clone().unwrap_or_else(|| app.domain.settings().currency.clone());
    let (freight_minor, customs_minor) = (given.freight_minor, given.customs_minor);
    let bill = Bill { currency, lines, freight_minor, customs_minor, by };
    // Who takes goods in may write the bill down; the amounts are shown to those who may see costs.
    let sees = caller.may(Act::SeeCosts);
    let who = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        for moved in lists::movements(tx.engine(), Movements::Document(no), i64::MAX, 5000)? {
            if moved.to_no > 0 {
                check_place(&who, &places, moved.to_no)?;
            }
        }
        let inputs = cost::bill(tx, no, &bill).map_err(|e| refused(tx, e))?;
        let names = skus(tx, inputs.iter().map(|i| i.variant_no).collect::<Vec<_>>())?;
        let items = inputs.iter().map(|i| BilledLine {
            movement_id: Id(i.move_no),
            sku: names.get(&i.variant_no).cloned().unwrap_or_default(),
            quantity: Amount(i.quantity),
            goods_minor: sees.then_some(i.goods_minor),
            freight_minor: sees.then_some(i.freight_minor),
            customs_minor: sees.then_some(i.customs_minor),
        });
        let after = json!({"lines": bill.lines.len(), "currency": bill.currency});
        let body = List::whole(items.collect());
        Ok(Done::ok(body).noted(("update", "stock_document"), no, None, Some(after)))
    })
    .await
}
