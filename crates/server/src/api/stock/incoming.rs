//! Claims on goods that are to come.
use super::wire::Amount;
use super::{check_place, place, refused, skus, variant};
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::problem::{NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use catalog::variants;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::ahead;
use stock::incoming::{self, IncomingRequest, Part};
use stock::{commands, purchasing};

/// What a line of a purchase order can still be promised.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SupplyShown {
    purchase_order_id: Id,
    line: i64,
    location_id: String,
    /// Awaited and promised to nobody yet.
    free: Amount,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
}

fn moment(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| at.micros() > 0)
}

/// Lists what is on order of an SKU and can still be promised, the earliest first.
#[utoipa::path(get, path = "/api/v1/stock/{sku}/incoming", tag = "stock", params(("sku" = String, Path)),
    responses((status = 200, body = inline(List<SupplyShown>))))]
pub async fn list_incoming(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(sku): Path<String>,
) -> Result<Json<List<SupplyShown>>, Problem> {
    let no = app.read(move |tx| Ok(variants::find(tx, &sku)?)).await?;
    let no = no.ok_or_else(|| NOT_FOUND.because("there is no such SKU"))?;
    let (found, places) = app.query(move |db| Ok((incoming::supplies(db, no)?, super::places_of(db)?))).await?;
    let items = found.iter().map(|s| SupplyShown {
        purchase_order_id: Id(s.purchase_order_no),
        line: s.purchase_line,
        location_id: super::place_id(&places, s.location_no),
        free: Amount(s.free),
        expected_at: moment(s.expected_at),
    });
    Ok(Json(List::whole(items.collect())))
}

/// Goods that are to come, for somebody.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncomingBody {
    /// For whom, as you name them: `order:9`.
    owner: String,
    /// Where they must come to; anywhere without it.
    location_id: Option<String>,
    /// The last moment at which they may come.
    #[schema(value_type = Option<String>, format = DateTime)]
    latest: Option<Timestamp>,
    lines: Vec<IncomingLine>,
}

/// What is wanted.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncomingLine {
    sku: String,
    quantity: Amount,
}

/// A claim on goods that are to come.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct IncomingShown {
    id: Id,
    owner: String,
    /// When all of it should be there; null where nobody knows, or nothing is awaited.
    #[schema(value_type = Option<String>, format = DateTime)]
    promised_at: Option<Timestamp>,
    parts: Vec<IncomingPart>,
}

/// What a claim has of one line of a purchase order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct IncomingPart {
    /// The line's place in what was asked for, from 0.
    line: i64,
    sku: String,
    quantity: Amount,
    /// `open`, `moved` (it came), `released` or `short` (it will not come).
    state: String,
    purchase_order_id: Id,
    #[schema(value_type = Option<String>, format = DateTime)]
    promised_at: Option<Timestamp>,
    /// The claim on goods that it became.
    reservation_id: Option<Id>,
}

fn shown(tx: &mut db::Tx, parts: &[Part]) -> Result<IncomingShown, Problem> {
    let names = skus(tx, parts.iter().map(|p| p.variant_no).collect::<Vec<_>>())?;
    let items = parts.iter().map(|p| IncomingPart {
        line: p.line,
        sku: names.get(&p.variant_no).cloned().unwrap_or_default(),
        quantity: Amount(p.quantity),
        state: p.state.as_str().into(),
        purchase_order_id: Id(p.purchase_order_no),
        promised_at: moment(p.promised_at),
        reservation_id: Some(Id(p.reservation_no)).filter(|id| id.0 != 0),
    });
    Ok(IncomingShown {
        id: Id(parts.first().map_or(0, |p| p.claim_no)),
        owner: parts.first().map_or_else(String::new, |p| p.owner.to_string()),
        promised_at: incoming::promised_at(parts),
        parts: items.collect(),
    })
}

/// Promises goods that are on order to somebody: all that is asked for, or nothing.
#[utoipa::path(post, path = "/api/v1/incoming-claims", tag = "stock", request_body = IncomingBody,
    responses((status = 201, body = IncomingShown)))]
pub async fn create_incoming_claim(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<IncomingBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let location_no = given.location_id.as_deref().map(|id| place(&places, "/location_id", id)).transpose()?;
        if let Some(no) = location_no {
            check_place(&by, &places, no)?;
        }
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            lines.push((variant(tx, &format!("/lines/{at}/sku"), &line.sku)?, line.quantity.0));
        }
        let request =
            IncomingRequest { owner: given.owner.clone(), location_no, latest: given.latest, after: None, lines };
        let parts = incoming::claim(tx, &request).map_err(|e| refused(tx, e))?;
        let body = shown(tx, &parts)?;
        let (id, after) = (body.id, json!({"owner": given.owner, "lines": given.lines.len()}));
        Ok(Done::created(body).noted(("create", "incoming_claim"), id.0, None, Some(after)))
    })
    .await
}

/// Shows a claim on goods that are to come.
#[utoipa::path(get, path = "/api/v1/incoming-claims/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = IncomingShown)))]
pub async fn get_incoming_claim(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(id): Path<String>,
) -> Result<Json<IncomingShown>, Problem> {
    let no = Id::in_path(&id)?;
    let body = app
        .write(move |tx| {
            let parts = incoming::get(tx, no).map_err(|e| refused(tx, e))?;
            shown(tx, &parts)
        })
        .await?;
    Ok(Json(body))
}

/// Gives back what is still open of a claim.
#[utoipa::path(delete, path = "/api/v1/incoming-claims/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn release_incoming_claim(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        let parts = incoming::release(tx, no).map_err(|e| refused(tx, e))?;
        let owner = parts.first().map_or_else(String::new, |p| p.owner.to_string());
        Ok(Done::nothing().noted(("delete", "incoming_claim"), no, Some(json!({"owner": owner})), None))
    })
    .await
}

/// When goods are expected now.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedBody {
    /// Null where nobody knows.
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
}

/// The purchase order's new date.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ExpectedShown {
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
    version: i64,
}

/// Expects a purchase order at another time; whoever was promised goods of it is promised anew.
#[utoipa::path(put, path = "/api/v1/purchase-orders/{id}/expected", tag = "stock", params(("id" = String, Path)),
    request_body = ExpectedBody, responses((status = 200, body = ExpectedShown)))]
pub async fn expect_purchase_order(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<ExpectedBody>,
) -> Result<Response, Problem> {
    let (no, expected_at) = (Id::in_path(&id)?, input.value.expected_at);
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let before = purchasing::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, before.location_no)?;
        let after = purchasing::expect(tx, no, expected_at).map_err(|e| refused(tx, e))?;
        crate::api::orders::incoming_moved(tx, &shared, &by.actor)?;
        let noted = |at: Timestamp| Some(json!({"expected_at": moment(at)}));
        let body = ExpectedShown { expected_at: moment(after.expected_at), version: after.version };
        let line = (noted(before.expected_at), noted(after.expected_at));
        Ok(Done::ok(body).versioned(after.version).noted(("update", "purchase_order"), no, line.0, line.1))
    })
    .await
}

/// A promise that became another one.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PromiseChange {
    id: Id,
    claim_id: Id,
    owner: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    after: Option<Timestamp>,
    quantity: Amount,
    why: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Lists changes of promises of goods that are to come, the oldest first.
#[utoipa::path(get, path = "/api/v1/incoming-claims/changes", tag = "stock", params(crate::input::Page),
    responses((status = 200, body = inline(List<PromiseChange>))))]
pub async fn list_incoming_changes(
    State(app): State<Arc<App>>,
    _: ReadStock,
    crate::input::Params(page): crate::input::Params<crate::input::Page>,
) -> Result<Json<List<PromiseChange>>, Problem> {
    let limit = crate::input::limit(page.limit)?;
    let after = crate::input::place::<1>(page.cursor.as_deref())?.map_or(0, |[no]| no);
    let rows = app.query(move |db| Ok(incoming::changes(db, after, limit + 1)?)).await?;
    let page = List::page(rows, limit, |row| crate::input::cursor(&[row.no]));
    let items = page.items.into_iter().map(|c| PromiseChange {
        id: Id(c.no),
        claim_id: Id(c.claim_no),
        owner: c.owner,
        before: moment(c.before_at),
        after: moment(c.after_at),
        quantity: Amount(c.quantity),
        why: c.why,
        at: c.at,
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// Where an SKU is sold before it is there.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AheadBody {
    /// Wherever it is delivered to.
    #[serde(default)]
    everywhere: bool,
    /// Places to which it must be delivered; none and not everywhere: it is sold only once it is there.
    #[serde(default)]
    locations: Vec<String>,
}

fn ahead_shown(tx: &mut db::Tx, variant_no: i64) -> Result<AheadBody, Problem> {
    let known = ahead::of(tx, variant_no)?;
    let numbers = known.map_or_else(Vec::new, |known| known.places.clone());
    let places = commands::places(tx)?;
    let named = numbers.iter().filter(|no| **no != ahead::EVERYWHERE);
    let locations = named.map(|no| places.get(*no).map_or_else(|| no.to_string(), |l| l.id.to_string())).collect();
    Ok(AheadBody { everywhere: numbers.contains(&ahead::EVERYWHERE), locations })
}

/// Shows where an SKU is sold before it is there.
#[utoipa::path(get, path = "/api/v1/stock/{sku}/ahead", tag = "stock", params(("sku" = String, Path)),
    responses((status = 200, body = AheadBody)))]
pub async fn get_sold_ahead(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(sku): Path<String>,
) -> Result<Json<AheadBody>, Problem> {
    let shown = app.read(move |tx| {
        let no = variants::find(tx, &sku)?.ok_or_else(|| NOT_FOUND.because("there is no such SKU"))?;
        ahead_shown(tx, no)
    });
    Ok(Json(shown.await?))
}

/// Says where an SKU is sold before it is there: as a back-order or a pre-order of goods that are on order with a day.
#[utoipa::path(put, path = "/api/v1/stock/{sku}/ahead", tag = "stock", params(("sku" = String, Path)),
    request_body = AheadBody, responses((status = 200, body = AheadBody)))]
pub async fn put_sold_ahead(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(sku): Path<String>,
    input: Input<AheadBody>,
) -> Result<Response, Problem> {
    let (given, by) = (input.value, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let no = variants::find(tx, &sku)?.ok_or_else(|| NOT_FOUND.because("there is no such SKU"))?;
        let places = commands::places(tx)?;
        let mut allowed = Vec::new();
        if given.everywhere {
            if by.stores.is_some() {
                return Err(crate::problem::NOT_ALLOWED.because("name the stores that are yours"));
            }
            allowed.push(ahead::EVERYWHERE);
        }
        for (at, id) in given.locations.iter().enumerate() {
            let location_no = place(&places, &format!("/locations/{at}"), id)?;
            check_place(&by, &places, location_no)?;
            allowed.push(location_no);
        }
        let before = ahead_shown(tx, no)?;
        ahead::allow(tx, no, &allowed).map_err(|e| refused(tx, e))?;
        let after = ahead_shown(tx, no)?;
        let (was, is) = (Some(json!(before)), Some(json!(after)));
        Ok(Done::ok(after).noted(("update", "sold_ahead"), &sku, was, is))
    })
    .await
}
