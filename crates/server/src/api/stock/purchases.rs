//! Suppliers and what is ordered from them.
use super::wire::Amount;
use super::{check_place, place, place_id, places_of, refused, skus, variant};
use crate::access::Act;
use crate::api::wire::Money;
use crate::app::App;
use crate::caller::{Caller, ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::purchasing::{self, PurchaseInput, PurchaseOrder, Supplier};
use stock::{commands, lists};

/// A supplier.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SupplierShown {
    id: String,
    name: String,
    /// Days from order to arrival, usually.
    lead_days: i64,
    note: String,
    version: i64,
}

/// A supplier to make or change.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierBody {
    id: String,
    name: String,
    #[serde(default)]
    lead_days: i64,
    #[serde(default)]
    note: String,
}

fn supplier(s: &Supplier) -> SupplierShown {
    SupplierShown {
        id: s.id.to_string(),
        name: s.name.to_string(),
        lead_days: s.lead_days,
        note: s.note.to_string(),
        version: s.version,
    }
}

/// Lists suppliers.
#[utoipa::path(get, path = "/api/v1/suppliers", tag = "stock", responses((status = 200, body = inline(List<SupplierShown>))))]
pub async fn list_suppliers(State(app): State<Arc<App>>, _: ReadStock) -> Result<Json<List<SupplierShown>>, Problem> {
    let items = app.query(|db| Ok(purchasing::suppliers(db)?)).await?;
    Ok(Json(List::whole(items.iter().map(supplier).collect())))
}

/// Makes a supplier, or changes the one with this id.
#[utoipa::path(post, path = "/api/v1/suppliers", tag = "stock", request_body = SupplierBody,
    responses((status = 200, body = SupplierShown), (status = 201, body = SupplierShown)))]
pub async fn put_supplier(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<SupplierBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    app.change(&caller, input.request, move |tx| {
        let new = (given.id.as_str(), given.name.as_str(), given.lead_days, given.note.as_str());
        let (before, after) = purchasing::put_supplier(tx, new).map_err(|e| refused(tx, e))?;
        let before = before.map(|b| json!(supplier(&b)));
        let (shown, noted) = (supplier(&after), Some(json!(supplier(&after))));
        let (done, action) =
            if before.is_some() { (Done::ok(shown), "update") } else { (Done::created(shown), "create") };
        Ok(done.versioned(after.version).noted((action, "supplier"), &after.id, before, noted))
    })
    .await
}

/// What to order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseBody {
    supplier_id: String,
    /// Where it is to be delivered.
    location_id: String,
    /// ISO 4217; the shop's own without it.
    currency: Option<String>,
    /// Freight and customs of the whole, in minor units.
    #[serde(default)]
    freight_minor: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
    #[serde(default)]
    note: String,
    lines: Vec<PurchaseLineBody>,
}

/// A line to order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseLineBody {
    sku: String,
    quantity: Amount,
    /// Minor units a unit.
    cost_minor: i64,
}

/// A purchase order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PurchaseShown {
    id: Id,
    location_id: String,
    /// `draft`, `ordered`, `partly_received`, `received` or `cancelled`.
    state: String,
    currency: String,
    /// Null for who may not see costs.
    freight_minor: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
    note: String,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    lines: Vec<PurchaseLineShown>,
    version: i64,
}

/// A line of a purchase order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PurchaseLineShown {
    sku: String,
    ordered: Amount,
    received: Amount,
    cancelled: Amount,
    awaited: Amount,
    /// Null for who may not see costs.
    cost_minor: Option<i64>,
}

fn shown(tx: &mut db::Tx, order: &PurchaseOrder, caller: &Caller) -> Result<PurchaseShown, Problem> {
    let sees = caller.may(Act::SeeCosts);
    let places = commands::places(tx)?;
    let names = skus(tx, order.lines.iter().map(|l| l.variant_no).collect::<Vec<_>>())?;
    let lines = order.lines.iter().map(|line| PurchaseLineShown {
        sku: names.get(&line.variant_no).cloned().unwrap_or_default(),
        ordered: Amount(line.ordered),
        received: Amount(line.received),
        cancelled: Amount(line.cancelled),
        awaited: Amount(line.awaited()),
        cost_minor: sees.then_some(line.cost_minor),
    });
    Ok(PurchaseShown {
        id: Id(order.no),
        location_id: place_id(&places, order.location_no),
        state: order.state.as_str().into(),
        currency: order.currency.to_string(),
        freight_minor: sees.then_some(order.freight_minor),
        expected_at: Some(order.expected_at).filter(|at| at.micros() > 0),
        note: order.note.to_string(),
        created_by: order.created_by.to_string(),
        created_at: order.created_at,
        lines: lines.collect(),
        version: order.version,
    })
}

/// A purchase order in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PurchaseItem {
    id: Id,
    supplier: String,
    location_id: String,
    state: String,
    /// Null for who may not see costs.
    total: Option<Money>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
    lines: i64,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Lists purchase orders, newest first.
#[utoipa::path(get, path = "/api/v1/purchase-orders", tag = "stock", params(Page),
    responses((status = 200, body = inline(List<PurchaseItem>))))]
pub async fn list_purchase_orders(
    State(app): State<Arc<App>>,
    ReadStock(caller): ReadStock,
    Params(page): Params<Page>,
) -> Result<Json<List<PurchaseItem>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place_in::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let (rows, places) = app.query(move |db| Ok((lists::purchases(db, before, limit + 1)?, places_of(db)?))).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let sees = caller.may(Act::SeeCosts);
    let items = page.items.into_iter().map(|p| PurchaseItem {
        id: Id(p.no),
        supplier: p.supplier,
        location_id: place_id(&places, p.location_no),
        state: p.state,
        total: sees.then_some(Money { minor: p.total_minor, currency: p.currency }),
        expected_at: Some(p.expected_at).filter(|at| at.micros() > 0),
        lines: p.lines,
        created_by: p.created_by,
        created_at: p.created_at,
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// Writes down what is to be ordered, as a draft.
#[utoipa::path(post, path = "/api/v1/purchase-orders", tag = "stock", request_body = PurchaseBody,
    responses((status = 201, body = PurchaseShown)))]
pub async fn create_purchase_order(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<PurchaseBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let by = caller.clone();
    let currency = given.currency.clone().unwrap_or_else(|| app.domain.settings().currency.clone());
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let location_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let supplier = purchasing::find_supplier(tx, &given.supplier_id)?;
        let supplier = supplier.ok_or_else(|| BAD_INPUT.at("/supplier_id", "there is no such supplier"))?;
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let variant_no = variant(tx, &format!("/lines/{at}/sku"), &line.sku)?;
            lines.push((variant_no, line.quantity.0, line.cost_minor));
        }
        let new = PurchaseInput {
            supplier_no: supplier.no,
            location_no,
            currency: currency.clone(),
            freight_minor: given.freight_minor,
            expected_at: given.expected_at,
            note: given.note.clone(),
            lines,
        };
        let made = purchasing::draft(tx, &new, &by.actor).map_err(|e| refused(tx, e))?;
        let body = shown(tx, &made, &by)?;
        let after = json!({"supplier_id": given.supplier_id, "lines": made.lines.len()});
        let line = (("create", "purchase_order"), made.no, None, Some(after));
        Ok(Done::created(body).versioned(made.version).noted(line.0, line.1, line.2, line.3))
    })
    .await
}

/// Shows a purchase order.
#[utoipa::path(get, path = "/api/v1/purchase-orders/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = PurchaseShown)))]
pub async fn get_purchase_order(
    State(app): State<Arc<App>>,
    ReadStock(caller): ReadStock,
    Path(id): Path<String>,
) -> Result<Json<PurchaseShown>, Problem> {
    let no = Id::in_path(&id)?;
    let body = app
        .write(move |tx| {
            let found = purchasing::get(tx, no).map_err(|e| refused(tx, e))?;
            shown(tx, &found, &caller)
        })
        .await?;
    Ok(Json(body))
}

fn done(tx: &mut db::Tx, after: &PurchaseOrder, caller: &Caller) -> Result<Done<PurchaseShown>, Problem> {
    let body = shown(tx, after, caller)?;
    let noted = Some(json!({"state": after.state.as_str()}));
    Ok(Done::ok(body).versioned(after.version).noted(("update", "purchase_order"), after.no, None, noted))
}

/// When it should arrive.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceBody {
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
}

/// Says that it was sent to the supplier: from now on the goods are incoming.
#[utoipa::path(post, path = "/api/v1/purchase-orders/{id}/place", tag = "stock", params(("id" = String, Path)),
    request_body = PlaceBody, responses((status = 200, body = PurchaseShown)))]
pub async fn place_purchase_order(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<PlaceBody>,
) -> Result<Response, Problem> {
    let (no, expected_at) = (Id::in_path(&id)?, input.value.expected_at);
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let before = purchasing::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, before.location_no)?;
        let after = purchasing::place(tx, no, expected_at).map_err(|e| refused(tx, e))?;
        done(tx, &after, &by)
    })
    .await
}

/// What came.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryBody {
    lines: Vec<DeliveredLine>,
    /// Nothing more will come.
    #[serde(default)]
    complete: bool,
    /// The delivery note's id: told twice, it counts once.
    #[serde(default)]
    document: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// What came of a line.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveredLine {
    /// The line's place, from 0.
    line: i64,
    quantity: Amount,
}

/// Takes a delivery in.
#[utoipa::path(post, path = "/api/v1/purchase-orders/{id}/receive", tag = "stock", params(("id" = String, Path)),
    request_body = DeliveryBody, responses((status = 200, body = PurchaseShown)))]
pub async fn receive_purchase_order(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<DeliveryBody>,
) -> Result<Response, Problem> {
    let (no, given) = (Id::in_path(&id)?, input.value);
    if given.document.starts_with('#') {
        return Err(BAD_INPUT.at("/document", "an id does not begin with #"));
    }
    let mut came = Vec::with_capacity(given.lines.len());
    for (at, line) in given.lines.iter().enumerate() {
        let number = usize::try_from(line.line);
        let number = number.map_err(|_| BAD_INPUT.at(&format!("/lines/{at}/line"), "lines are counted from 0"))?;
        came.push((number, line.quantity.0));
    }
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let before = purchasing::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, before.location_no)?;
        let at = given.at.unwrap_or_else(|| tx.now());
        let told = (given.document.as_str(), by.actor.as_str());
        let after = purchasing::receive(tx, no, &came, given.complete, told, at).map_err(|e| refused(tx, e))?;
        crate::api::orders::incoming_moved(tx, &shared, &by.actor)?;
        done(tx, &after, &by)
    })
    .await
}

/// Calls a purchase order off, as long as nothing came.
#[utoipa::path(post, path = "/api/v1/purchase-orders/{id}/cancel", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = PurchaseShown)))]
pub async fn cancel_purchase_order(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let before = purchasing::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, before.location_no)?;
        let after = purchasing::cancel(tx, no).map_err(|e| refused(tx, e))?;
        crate::api::orders::incoming_moved(tx, &shared, &by.actor)?;
        done(tx, &after, &by)
    })
    .await
}
