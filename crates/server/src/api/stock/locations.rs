//! Places and sales channels.
use super::wire::Amount;
use super::{place_id, refused};
use crate::app::App;
use crate::caller::{ReadStock, WriteSettings};
use crate::change::Done;
use crate::input::{Input, List, if_match};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::commands::{self, ChannelInput, LocationInput};
use stock::model::{self, LocationKind, LocationState};
use stock::{Channel, Places};

/// A place where goods are.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Location {
    id: String,
    /// `store`, `warehouse`, `micro_fulfilment`, `pickup_point`, `locker`, `partner`; and `supplier`, `customer`, `loss`,
    /// `transit`, which every shop has.
    kind: String,
    name: String,
    address: String,
    lat: Option<f64>,
    lon: Option<f64>,
    time_zone: String,
    /// The company it belongs to; empty where the shop has one only.
    entity: String,
    /// `open`, `paused` or `closed`.
    state: String,
    /// Why it is not open.
    why: String,
    version: i64,
}

/// A place to make or change.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationBody {
    id: String,
    kind: String,
    name: String,
    #[serde(default)]
    address: String,
    lat: Option<f64>,
    lon: Option<f64>,
    /// IANA name; the shop's own without it.
    time_zone: Option<String>,
    #[serde(default)]
    entity: String,
}

/// Whether a place works.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationStateBody {
    /// `open`, `paused` or `closed`.
    state: String,
    #[serde(default)]
    why: String,
}

fn body(location: &model::Location) -> Location {
    let degrees = |e7: i64| e7 as f64 / 1e7;
    Location {
        id: location.id.to_string(),
        kind: location.kind.as_str().into(),
        name: location.name.to_string(),
        address: location.address.to_string(),
        lat: location.lat_lon_e7.map(|(lat, _)| degrees(lat)),
        lon: location.lat_lon_e7.map(|(_, lon)| degrees(lon)),
        time_zone: location.time_zone.to_string(),
        entity: location.entity.to_string(),
        state: location.state.as_str().into(),
        why: location.state_why.to_string(),
        version: location.version,
    }
}

/// Lists all places, those that every shop has first.
#[utoipa::path(get, path = "/api/v1/locations", tag = "stock", responses((status = 200, body = inline(List<Location>))))]
pub async fn list_locations(State(app): State<Arc<App>>, _: ReadStock) -> Result<Json<List<Location>>, Problem> {
    let items = app.read(|tx| Ok(commands::places(tx)?.all().iter().map(|l| body(l)).collect())).await?;
    Ok(Json(List::whole(items)))
}

/// Makes a place, or changes the one with this id.
#[utoipa::path(post, path = "/api/v1/locations", tag = "stock", request_body = LocationBody,
    responses((status = 200, body = Location), (status = 201, body = Location)))]
pub async fn put_location(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    headers: HeaderMap,
    input: Input<LocationBody>,
) -> Result<Response, Problem> {
    let wanted = if_match(&headers)?;
    let given = input.value;
    let kind = LocationKind::parse(&given.kind).ok_or_else(|| {
        BAD_INPUT.at("/kind", "a location is a store, warehouse, micro_fulfilment, pickup_point, locker or partner")
    })?;
    let e7 = |degrees: f64| (degrees * 1e7).round() as i64;
    let fine = |degrees: f64| degrees.is_finite() && degrees.abs() <= 360.0;
    let lat_lon_e7 = match (given.lat, given.lon) {
        (Some(lat), Some(lon)) if fine(lat) && fine(lon) => Some((e7(lat), e7(lon))),
        (None, None) => None,
        _ => return Err(BAD_INPUT.at("/lat", "give both lat and lon, in degrees, or neither")),
    };
    let time_zone =
        given.time_zone.unwrap_or_else(|| app.domain.settings().zone.iana_name().unwrap_or("UTC").to_string());
    let new = LocationInput {
        id: given.id,
        kind,
        name: given.name,
        address: given.address,
        lat_lon_e7,
        time_zone,
        entity: given.entity,
    };
    app.change(&caller, input.request, move |tx| {
        let (before, after) = commands::put_location(tx, &new, wanted).map_err(|e| refused(tx, e))?;
        let (shown, version) = (body(&after), after.version);
        let before = before.map(|b| json!(body(&b)));
        let (done, action) =
            if before.is_some() { (Done::ok(shown), "update") } else { (Done::created(shown), "create") };
        Ok(done.versioned(version).noted((action, "location"), &after.id, before, Some(json!(body(&after)))))
    })
    .await
}

/// Opens, pauses or closes a place. What it promised stays promised; new claims go elsewhere.
#[utoipa::path(post, path = "/api/v1/locations/{id}/state", tag = "stock", params(("id" = String, Path)),
    request_body = LocationStateBody, responses((status = 200, body = Location)))]
pub async fn set_location_state(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<LocationStateBody>,
) -> Result<Response, Problem> {
    let LocationStateBody { state, why } = input.value;
    let state = LocationState::parse(&state).ok_or_else(|| BAD_INPUT.at("/state", "open, paused or closed"))?;
    let (shared, by) = (app.clone(), caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let (before, after) = commands::set_state(tx, &id, state, &why).map_err(|e| refused(tx, e))?;
        if state == LocationState::Closed {
            // What it was asked for and has not taken goes elsewhere; more than so many orders by `reroute`.
            crate::api::orders::queue::leave(tx, &shared, after.no, (200, &why, &by))?;
        }
        let noted = |l: &model::Location| Some(json!({"state": l.state.as_str(), "why": l.state_why}));
        let done = Done::ok(body(&after)).versioned(after.version);
        Ok(done.noted(("update", "location"), &after.id, noted(&before), noted(&after)))
    })
    .await
}

/// From where a channel sells, and how long it holds.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StockChannel {
    id: String,
    name: String,
    /// How long a cart holds goods.
    hold_seconds: i64,
    /// Kept back at each place.
    buffer: Amount,
    /// Kinds of places that serve it.
    kinds: Vec<String>,
    /// Only these places, if any are named.
    only: Vec<String>,
    excluded: Vec<String>,
    /// How many places serve it now.
    serving: i64,
    version: i64,
}

/// A channel to make or change.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockChannelBody {
    name: String,
    hold_seconds: i64,
    buffer: Amount,
    kinds: Vec<String>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    excluded: Vec<String>,
}

fn channel_body(channel: &Channel, places: &Places) -> StockChannel {
    let ids = |list: &[i64]| list.iter().map(|no| place_id(places, *no)).collect();
    StockChannel {
        id: channel.id.to_string(),
        name: channel.name.to_string(),
        hold_seconds: channel.hold_seconds,
        buffer: Amount(channel.buffer),
        kinds: channel.kinds.iter().map(|kind| kind.as_str().into()).collect(),
        only: ids(&channel.only),
        excluded: ids(&channel.excluded),
        serving: channel.serving.len() as i64,
        version: channel.version,
    }
}

/// Lists who sells from where.
#[utoipa::path(get, path = "/api/v1/stock-channels", tag = "stock",
    responses((status = 200, body = inline(List<StockChannel>))))]
pub async fn list_stock_channels(
    State(app): State<Arc<App>>,
    _: ReadStock,
) -> Result<Json<List<StockChannel>>, Problem> {
    let items = app
        .read(|tx| {
            let places = commands::places(tx)?;
            Ok(places.channels().iter().map(|c| channel_body(c, &places)).collect())
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Says from where a channel sells, what is kept back from it and how long its carts hold goods.
#[utoipa::path(put, path = "/api/v1/stock-channels/{id}", tag = "stock", params(("id" = String, Path)),
    request_body = StockChannelBody, responses((status = 200, body = StockChannel)))]
pub async fn put_stock_channel(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<StockChannelBody>,
) -> Result<Response, Problem> {
    let wanted = if_match(&headers)?;
    let given = input.value;
    let mut kinds = Vec::new();
    for (at, kind) in given.kinds.iter().enumerate() {
        let kind = LocationKind::parse(kind);
        kinds.push(kind.ok_or_else(|| BAD_INPUT.at(&format!("/kinds/{at}"), "there is no such kind of location"))?);
    }
    let new = ChannelInput {
        id,
        name: given.name,
        hold_seconds: given.hold_seconds,
        buffer: given.buffer.0,
        kinds,
        only: given.only,
        excluded: given.excluded,
    };
    app.change(&caller, input.request, move |tx| {
        let (before, after) = commands::put_channel(tx, &new, wanted).map_err(|e| refused(tx, e))?;
        let places = commands::places(tx)?;
        let before = before.map(|b| json!(channel_body(&b, &places)));
        let shown = channel_body(&after, &places);
        let noted = Some(json!(shown));
        Ok(Done::ok(shown).versioned(after.version).noted(("update", "stock_channel"), &after.id, before, noted))
    })
    .await
}
