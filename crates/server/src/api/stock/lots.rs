//! Lots and serial numbers.
use super::wire::{Amount, BrokenClaim};
use super::{check_place, place_id, places_of, refused, skus};
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Params};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use catalog::variants;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::lots::{self, LotInput, LotPosition};
use stock::{Places, commands};

/// Goods of a lot at a place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LotPlace {
    location_id: String,
    /// `sellable`, `display`, `damaged` or `quarantine`.
    condition: String,
    quantity: Amount,
}

impl LotPlace {
    fn of(position: &LotPosition, places: &Places) -> Self {
        Self {
            location_id: place_id(places, position.location_no),
            condition: position.condition.as_str().into(),
            quantity: Amount(position.quantity),
        }
    }
}

/// A lot, or a serial number.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LotShown {
    lot: String,
    /// `good`, `quarantined` or `expired`.
    state: String,
    why: String,
    /// From this moment on it must not be sold.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    places: Vec<LotPlace>,
    version: i64,
}

impl LotShown {
    fn of(lot: &lots::Lot, positions: &[LotPosition], places: &Places) -> Self {
        Self {
            lot: lot.lot.to_string(),
            state: lot.state.as_str().into(),
            why: lot.why.to_string(),
            expires_at: lot.expires_at,
            first_at: lot.first_at,
            places: positions.iter().map(|p| LotPlace::of(p, places)).collect(),
            version: lot.version,
        }
    }
}

/// Which lots.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LotsQuery {
    /// Also those that lie nowhere any more.
    #[serde(default)]
    all: bool,
    /// After this name.
    #[serde(default)]
    after: String,
}

/// Lists the lots of an SKU with where they lie, by name, a thousand at most.
#[utoipa::path(get, path = "/api/v1/stock/{sku}/lots", tag = "stock", params(("sku" = String, Path), LotsQuery),
    responses((status = 200, body = inline(List<LotShown>))))]
pub async fn list_lots(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(sku): Path<String>,
    Params(q): Params<LotsQuery>,
) -> Result<Json<List<LotShown>>, Problem> {
    let no = app.read(move |tx| Ok(variants::find(tx, &sku)?)).await?;
    let no = no.ok_or_else(|| NOT_FOUND.because("there is no such SKU"))?;
    let (found, places) = app.query(move |db| Ok((lots::list(db, no, &q.after, q.all)?, places_of(db)?))).await?;
    let items = found.iter().map(|(lot, positions)| LotShown::of(lot, positions, &places)).collect();
    Ok(Json(List::whole(items)))
}

/// What is known of a lot.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotBody {
    /// The last day on which it may be sold, `YYYY-MM-DD`.
    expires_on: Option<String>,
    /// Held back everywhere: a recall.
    #[serde(default)]
    quarantined: bool,
    #[serde(default)]
    why: String,
}

/// What became of a lot.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LotChanged {
    lot: LotShown,
    /// Claims that cannot be served any more.
    broken: Vec<BrokenClaim>,
}

/// The midnight that ends a day.
pub(super) fn end_of(pointer: &str, day: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let wrong = || BAD_INPUT.at(pointer, "name a day such as 2026-12-31");
    let day: Date = day.parse().map_err(|_| wrong())?;
    let next = day.tomorrow().and_then(|day| day.to_zoned(zone.clone())).map_err(|_| wrong())?;
    Ok(Timestamp::from_micros(next.timestamp().as_microsecond()))
}

/// Says until when a lot may be sold, and whether it is held back. What lies of it goes into quarantine everywhere, or comes out.
#[utoipa::path(put, path = "/api/v1/stock/{sku}/lots/{lot}", tag = "stock",
    params(("sku" = String, Path), ("lot" = String, Path)), request_body = LotBody,
    responses((status = 200, body = LotChanged)))]
pub async fn put_lot(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path((sku, lot)): Path<(String, String)>,
    input: Input<LotBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let zone = &app.domain.settings().zone;
    let expires_at = given.expires_on.as_deref().map(|day| end_of("/expires_on", day, zone)).transpose()?;
    let new = LotInput { expires_at, quarantined: given.quarantined, why: given.why.clone() };
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let no = variants::find(tx, &sku)?.ok_or_else(|| NOT_FOUND.because(format!("there is no SKU {sku:.60}")))?;
        // It is held back wherever it lies: whoever works in some stores says it of what lies in those only.
        let places = commands::places(tx)?;
        for position in lots::lying(tx, no, &lot)? {
            check_place(&by, &places, position.location_no)?;
        }
        let (before, after, broken) = lots::put(tx, no, &lot, &new, &by.actor).map_err(|e| refused(tx, e))?;
        let names = skus(tx, broken.iter().map(|b| b.variant_no).collect::<Vec<_>>())?;
        let name = |no: i64| names.get(&no).cloned().unwrap_or_default();
        let broken = broken.iter().map(|b| BrokenClaim::of(b, name(b.variant_no), place_id(&places, b.location_no)));
        let body = LotChanged { lot: LotShown::of(&after, &[], &places), broken: broken.collect() };
        let noted = |lot: &lots::Lot| json!({"sku": sku, "state": lot.state.as_str(), "expires_at": lot.expires_at, "why": &*lot.why});
        let line = (before.as_ref().map(&noted), Some(noted(&after)));
        Ok(Done::ok(body).versioned(after.version).noted(("update", "lot"), &lot, line.0, line.1))
    })
    .await
}

/// A step in the life of a serial number.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SerialStep {
    movement_id: Id,
    from: String,
    from_condition: String,
    to: String,
    to_condition: String,
    quantity: Amount,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    document_id: Id,
    kind: String,
    reference: String,
    actor: String,
}

/// An SKU with a serial number, or a lot, of this name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SerialShown {
    sku: String,
    serial: String,
    /// Where it lies now; nowhere once it is sold.
    places: Vec<LotPlace>,
    history: Vec<SerialStep>,
}

/// Shows where a serial number lies and everything that happened to it: one item for each SKU that has it.
#[utoipa::path(get, path = "/api/v1/serials/{sn}", tag = "stock", params(("sn" = String, Path)),
    responses((status = 200, body = inline(List<SerialShown>))))]
pub async fn get_serial(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(sn): Path<String>,
) -> Result<Json<List<SerialShown>>, Problem> {
    let name = sn.clone();
    let (steps, lying, places) =
        app.query(move |db| Ok((lots::history(db, &name)?, lots::places_of(db, &name)?, places_of(db)?))).await?;
    if steps.is_empty() {
        return Err(NOT_FOUND.because(format!("no piece has the serial number {sn:.60}")));
    }
    let mut numbers: Vec<i64> = steps.iter().map(|step| step.variant_no).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let of = numbers.clone();
    let names = app.read(move |tx| Ok(skus(tx, of.clone())?)).await?;
    let items = numbers.into_iter().map(|no| SerialShown {
        sku: names.get(&no).cloned().unwrap_or_default(),
        serial: sn.clone(),
        places: lying.iter().filter(|(v, _)| *v == no).map(|(_, p)| LotPlace::of(p, &places)).collect(),
        history: steps
            .iter()
            .filter(|step| step.variant_no == no)
            .map(|step| SerialStep {
                movement_id: Id(step.move_no),
                from: place_id(&places, step.from_no),
                from_condition: step.from_condition.as_str().into(),
                to: place_id(&places, step.to_no),
                to_condition: step.to_condition.as_str().into(),
                quantity: Amount(step.quantity),
                reason: step.reason.clone(),
                at: step.at,
                document_id: Id(step.document_no),
                kind: step.kind.clone(),
                reference: step.reference.clone(),
                actor: step.actor.clone(),
            })
            .collect(),
    });
    Ok(Json(List::whole(items.collect())))
}
