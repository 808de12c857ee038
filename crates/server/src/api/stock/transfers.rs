//! Transfers between places.
use super::wire::Amount;
use super::{check_place, place, place_id, places_of, refused, skus, variant};
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::lists;
use stock::transfers::{self, Arrived, Rest, Transfer, TransferInput};
use stock::{Places, commands};

/// Goods to bring from one place to another.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferBody {
    from: String,
    to: String,
    lines: Vec<TransferWanted>,
    #[serde(default)]
    note: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
}

/// A line that is asked for.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferWanted {
    sku: String,
    quantity: Amount,
}

/// A transfer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TransferShown {
    id: Id,
    from: String,
    to: String,
    /// `requested`, `in_transit`, `partly_received`, `received` or `cancelled`.
    state: String,
    reference: String,
    note: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    lines: Vec<TransferLineShown>,
    version: i64,
}

/// A line of a transfer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TransferLineShown {
    sku: String,
    requested: Amount,
    shipped: Amount,
    received: Amount,
    damaged: Amount,
    lost: Amount,
    returned: Amount,
    on_the_way: Amount,
    why: String,
}

fn shown(tx: &mut db::Tx, transfer: &Transfer) -> Result<TransferShown, Problem> {
    let places = commands::places(tx)?;
    let names = skus(tx, transfer.lines.iter().map(|l| l.variant_no).collect::<Vec<_>>())?;
    let lines = transfer.lines.iter().map(|line| TransferLineShown {
        sku: names.get(&line.variant_no).cloned().unwrap_or_default(),
        requested: Amount(line.requested),
        shipped: Amount(line.shipped),
        received: Amount(line.received),
        damaged: Amount(line.damaged),
        lost: Amount(line.lost),
        returned: Amount(line.returned),
        on_the_way: Amount(line.on_the_way()),
        why: line.why.to_string(),
    });
    Ok(TransferShown {
        id: Id(transfer.no),
        from: place_id(&places, transfer.from_no),
        to: place_id(&places, transfer.to_no),
        state: transfer.state.as_str().into(),
        reference: transfer.reference.to_string(),
        note: transfer.note.to_string(),
        expected_at: Some(transfer.expected_at).filter(|at| at.micros() > 0),
        created_by: transfer.created_by.to_string(),
        created_at: transfer.created_at,
        updated_at: transfer.updated_at,
        lines: lines.collect(),
        version: transfer.version,
    })
}

/// Which transfers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransfersQuery {
    /// Only those that are not over.
    open: Option<bool>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A transfer in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TransferItem {
    id: Id,
    from: String,
    to: String,
    state: String,
    reference: String,
    lines: i64,
    requested: Amount,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Lists transfers, newest first.
#[utoipa::path(get, path = "/api/v1/transfers", tag = "stock", params(TransfersQuery),
    responses((status = 200, body = inline(List<TransferItem>))))]
pub async fn list_transfers(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Params(q): Params<TransfersQuery>,
) -> Result<Json<List<TransferItem>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place_in::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let open = q.open.unwrap_or(false);
    let (rows, places) =
        app.query(move |db| Ok((lists::transfers(db, open, before, limit + 1)?, places_of(db)?))).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let items = page.items.into_iter().map(|t| TransferItem {
        id: Id(t.no),
        from: place_id(&places, t.from_no),
        to: place_id(&places, t.to_no),
        state: t.state,
        reference: t.reference,
        lines: t.lines,
        requested: Amount(t.requested),
        expected_at: Some(t.expected_at).filter(|at| at.micros() > 0),
        created_by: t.created_by,
        created_at: t.created_at,
        updated_at: t.updated_at,
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// Asks for goods from another place; they are claimed there at once.
#[utoipa::path(post, path = "/api/v1/transfers", tag = "stock", request_body = TransferBody,
    responses((status = 201, body = TransferShown)))]
pub async fn create_transfer(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<TransferBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let (from_no, to_no) = (place(&places, "/from", &given.from)?, place(&places, "/to", &given.to)?);
        // A shop may ask others for goods, and send away its own.
        if check_place(&by, &places, from_no).is_err() {
            check_place(&by, &places, to_no)?;
        }
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            lines.push((variant(tx, &format!("/lines/{at}/sku"), &line.sku)?, line.quantity.0));
        }
        let new = TransferInput {
            from_no,
            to_no,
            reference: String::new(),
            note: given.note.clone(),
            expected_at: given.expected_at,
            lines,
        };
        let made = transfers::request(tx, &new, &by.actor).map_err(|e| refused(tx, e))?;
        let after = json!({"from": given.from, "to": given.to, "lines": made.lines.len()});
        let body = shown(tx, &made)?;
        Ok(Done::created(body).versioned(made.version).noted(("create", "transfer"), made.no, None, Some(after)))
    })
    .await
}

/// Shows a transfer.
#[utoipa::path(get, path = "/api/v1/transfers/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = TransferShown)))]
pub async fn get_transfer(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(id): Path<String>,
) -> Result<Json<TransferShown>, Problem> {
    let no = Id::in_path(&id)?;
    let body = app
        .write(move |tx| {
            let found = transfers::get(tx, no).map_err(|e| refused(tx, e))?;
            shown(tx, &found)
        })
        .await?;
    Ok(Json(body))
}

/// How much of each line leaves.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipBody {
    /// In the order of the lines; all that was asked for without it.
    quantities: Option<Vec<Amount>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Says that the goods left. What was claimed and does not leave is given back.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/ship", tag = "stock", params(("id" = String, Path)),
    request_body = ShipBody, responses((status = 200, body = TransferShown)))]
pub async fn ship_transfer(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<ShipBody>,
) -> Result<Response, Problem> {
    let (no, given) = (Id::in_path(&id)?, input.value);
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let before = transfers::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, before.from_no)?;
        let all = || before.lines.iter().map(|line| line.requested).collect::<Vec<Quantity>>();
        let quantities = given.quantities.as_ref().map_or_else(all, |list| list.iter().map(|a| a.0).collect());
        let at = given.at.unwrap_or_else(|| tx.now());
        let after = transfers::ship(tx, no, &quantities, &by.actor, at).map_err(|e| refused(tx, e))?;
        done(tx, &before, &after)
    })
    .await
}

fn done(tx: &mut db::Tx, before: &Transfer, after: &Transfer) -> Result<Done<TransferShown>, Problem> {
    let noted = |t: &Transfer| Some(json!({"state": t.state.as_str()}));
    let body = shown(tx, after)?;
    Ok(Done::ok(body).versioned(after.version).noted(("update", "transfer"), after.no, noted(before), noted(after)))
}

/// What came.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveBody {
    #[serde(default)]
    lines: Vec<ArrivedBody>,
    /// What becomes of what is still on the way: `awaited`, `lost` or `back`.
    #[serde(default)]
    rest: Option<String>,
    /// Why it did not come.
    #[serde(default)]
    why: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// What came of a line.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivedBody {
    /// The line's place, from 0.
    line: i64,
    received: Amount,
    damaged: Option<Amount>,
}

fn rest(text: Option<&str>) -> Result<Rest, Problem> {
    match text {
        None | Some("awaited") => Ok(Rest::Awaited),
        Some("lost") => Ok(Rest::Lost),
        Some("back") => Ok(Rest::Back),
        Some(_) => Err(BAD_INPUT.at("/rest", "awaited, lost or back")),
    }
}

/// Takes goods in, and settles what did not come.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/receive", tag = "stock", params(("id" = String, Path)),
    request_body = ReceiveBody, responses((status = 200, body = TransferShown)))]
pub async fn receive_transfer(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<ReceiveBody>,
) -> Result<Response, Problem> {
    let (no, given) = (Id::in_path(&id)?, input.value);
    let rest = rest(given.rest.as_deref())?;
    let mut arrived = Vec::with_capacity(given.lines.len());
    for (at, line) in given.lines.iter().enumerate() {
        let number = usize::try_from(line.line);
        let number = number.map_err(|_| BAD_INPUT.at(&format!("/lines/{at}/line"), "lines are counted from 0"))?;
        let damaged = line.damaged.map_or(Quantity::ZERO, |a| a.0);
        arrived.push(Arrived { line: number, received: line.received.0, damaged });
    }
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let before = transfers::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, before.to_no)?;
        let at = given.at.unwrap_or_else(|| tx.now());
        let received = transfers::receive(tx, no, &arrived, rest, (&given.why, &by.actor), at);
        let (after, posted) = received.map_err(|e| refused(tx, e))?;
        if let Some(posted) = posted {
            crate::api::orders::claims_lost(tx, &shared, &posted.broken, &by.actor)?;
        }
        crate::api::orders::goods_arrived(tx, &shared, no, &by.actor)?;
        done(tx, &before, &after)
    })
    .await
}

/// What becomes of what is on the way.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    /// `lost` or `back`, once it left.
    #[serde(default)]
    rest: Option<String>,
    #[serde(default)]
    why: String,
}

/// Calls a transfer off.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/cancel", tag = "stock", params(("id" = String, Path)),
    request_body = CancelBody, responses((status = 200, body = TransferShown)))]
pub async fn cancel_transfer(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<CancelBody>,
) -> Result<Response, Problem> {
    let (no, given) = (Id::in_path(&id)?, input.value);
    let rest = rest(given.rest.as_deref())?;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let before = transfers::get(tx, no).map_err(|e| refused(tx, e))?;
        let places: Arc<Places> = commands::places(tx)?;
        if check_place(&by, &places, before.from_no).is_err() {
            check_place(&by, &places, before.to_no)?;
        }
        let after = transfers::cancel(tx, no, rest, (&given.why, &by.actor)).map_err(|e| refused(tx, e))?;
        done(tx, &before, &after)
    })
    .await
}
