//! Claims on goods.
use super::movements::ClaimItem;
use super::wire::{Amount, ServedFrom};
use super::{check_place, place, place_id, places_of, refused, skus, variant};
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{DAY_US, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::ReservationTable;
use stock::choice::Wanted;
use stock::commands::{self, Request};
use stock::lists;
use stock::model::{EndedWhy, NEVER, ReservationKind};

/// Goods to keep for somebody.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservationBody {
    /// The channel by whose rules; `site` without it.
    channel: Option<String>,
    /// `cart` (minutes), `in_store` or `try_on` (a day).
    kind: String,
    /// For whom, as you name them.
    owner: String,
    lines: Vec<ReservationLine>,
    /// How long; as the kind has it without it.
    seconds: Option<i64>,
    /// Whether what there is will do.
    #[serde(default)]
    partial: bool,
}

/// What is wanted.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservationLine {
    sku: String,
    quantity: Amount,
    /// Where it must come from; any place of the channel without it.
    location_id: Option<String>,
}

/// A claim that was made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReservationMade {
    reservation_id: Id,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    lines: Vec<ServedFrom>,
    short: Vec<ShortBody>,
}

/// Of what there was not enough.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ShortBody {
    sku: String,
    wanted: Amount,
    available: Amount,
}

/// A claim.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReservationShown {
    reservation_id: Id,
    kind: String,
    owner: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    lines: Vec<ReservationLineShown>,
}

/// A line of a claim.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReservationLineShown {
    sku: String,
    location_id: String,
    quantity: Amount,
    /// How it ended: `expired`, `released`, `fulfilled`, `replaced` or `short`; null while it is alive.
    ended: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// Keeps goods for somebody.
#[utoipa::path(post, path = "/api/v1/reservations", tag = "stock", request_body = ReservationBody,
    responses((status = 201, body = ReservationMade)))]
pub async fn create_reservation(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<ReservationBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let kind = ReservationKind::parse(&given.kind).filter(|kind| !kind.is_firm());
    let kind = kind.ok_or_else(|| BAD_INPUT.at("/kind", "cart, in_store or try_on"))?;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let location_no = match &line.location_id {
                Some(id) => {
                    let no = place(&places, &format!("/lines/{at}/location_id"), id)?;
                    check_place(&by, &places, no)?;
                    Some(no)
                }
                None => None,
            };
            let variant_no = variant(tx, &format!("/lines/{at}/sku"), &line.sku)?;
            lines.push(Wanted { variant_no, quantity: line.quantity.0, location_no });
        }
        let request = Request {
            channel: given.channel.as_deref().unwrap_or("site").into(),
            kind,
            owner: given.owner.as_str().into(),
            lines,
            seconds: given.seconds,
            partial: given.partial,
        };
        if request.channel.is_empty() {
            return Err(BAD_INPUT.at("/channel", "name a channel"));
        }
        let made = commands::reserve(tx, &request).map_err(|e| refused(tx, e))?;
        let names = skus(tx, made.short.iter().map(|s| s.variant_no).collect::<Vec<_>>())?;
        let body = ReservationMade {
            reservation_id: Id(made.no),
            expires_at: Some(made.expires_at).filter(|at| *at != NEVER),
            lines: made
                .lines
                .iter()
                .map(|c| ServedFrom::of(c, given.lines[c.line].sku.clone(), place_id(&places, c.location_no)))
                .collect(),
            short: made
                .short
                .iter()
                .map(|s| ShortBody {
                    sku: names.get(&s.variant_no).cloned().unwrap_or_default(),
                    wanted: Amount(s.wanted),
                    available: Amount(s.available),
                })
                .collect(),
        };
        let after = json!({"kind": given.kind, "owner": given.owner, "lines": given.lines.len()});
        Ok(Done::created(body).noted(("create", "reservation"), made.no, None, Some(after)))
    })
    .await
}

/// Shows a claim and how its lines ended.
#[utoipa::path(get, path = "/api/v1/reservations/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = ReservationShown)))]
pub async fn get_reservation(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(id): Path<String>,
) -> Result<Json<ReservationShown>, Problem> {
    let no = Id::in_path(&id)?;
    let body = app
        .read(move |tx| {
            let found = tx.get::<ReservationTable>(no)?.cloned();
            let found = found.ok_or_else(|| NOT_FOUND.because(format!("there is no reservation {no}")))?;
            let places = commands::places(tx)?;
            let names = skus(tx, found.lines.iter().map(|l| l.variant_no).collect::<Vec<_>>())?;
            let now = tx.now();
            let lines = found.lines.iter().map(|line| {
                // What is over is over, swept or not.
                let over = (found.expires_at <= now).then_some((found.expires_at, EndedWhy::Expired));
                let ended = line.ended.or(over);
                ReservationLineShown {
                    sku: names.get(&line.variant_no).cloned().unwrap_or_default(),
                    location_id: place_id(&places, line.location_no),
                    quantity: Amount(line.quantity),
                    ended: ended.map(|(_, why)| why.as_str().into()),
                    ended_at: ended.map(|(at, _)| at),
                }
            });
            Ok(ReservationShown {
                reservation_id: Id(no),
                kind: found.kind.as_str().into(),
                owner: found.owner.to_string(),
                created_at: found.created_at,
                expires_at: Some(found.expires_at).filter(|at| *at != NEVER),
                lines: lines.collect(),
            })
        })
        .await?;
    Ok(Json(body))
}

/// How much longer.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendBody {
    /// From now on.
    seconds: i64,
}

/// When it ends.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Extended {
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Keeps goods for longer.
#[utoipa::path(post, path = "/api/v1/reservations/{id}/extend", tag = "stock", params(("id" = String, Path)),
    request_body = ExtendBody, responses((status = 200, body = Extended)))]
pub async fn extend_reservation(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<ExtendBody>,
) -> Result<Response, Problem> {
    let (no, seconds) = (Id::in_path(&id)?, input.value.seconds);
    app.change(&caller, input.request, move |tx| {
        let expires_at = commands::extend(tx, no, seconds).map_err(|e| refused(tx, e))?;
        let after = json!({"expires_at": expires_at});
        Ok(Done::ok(Extended { expires_at }).noted(("update", "reservation"), no, None, Some(after)))
    })
    .await
}

/// Gives goods back before the claim ends by itself. An order's claim is given back through the order.
#[utoipa::path(delete, path = "/api/v1/reservations/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn release_reservation(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        let kind = tx.get::<ReservationTable>(no)?.map(|r| r.kind);
        if kind.is_some_and(ReservationKind::is_firm) {
            let detail = "it belongs to an order or a transfer: cancel that";
            return Err(crate::problem::CONFLICT.because(detail));
        }
        commands::release(tx, no, EndedWhy::Released).map_err(|e| refused(tx, e))?;
        Ok(Done::nothing().noted(("delete", "reservation"), no, None, None))
    })
    .await
}

/// Lists claims of orders and transfers that are older than two days and still alive: somebody should look.
#[utoipa::path(get, path = "/api/v1/reservations/stuck", tag = "stock",
    responses((status = 200, body = inline(List<ClaimItem>))))]
pub async fn list_stuck_reservations(
    State(app): State<Arc<App>>,
    _: ReadStock,
) -> Result<Json<List<ClaimItem>>, Problem> {
    let before = app.now().plus(-2 * DAY_US);
    let (rows, places) = app.query(move |db| Ok((lists::stuck(db, before, 500)?, places_of(db)?))).await?;
    let items = rows.iter().map(|(claimed, sku)| ClaimItem::of(claimed, sku, place_id(&places, claimed.location_no)));
    Ok(Json(List::whole(items.collect())))
}
