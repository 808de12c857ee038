//! `/waiting-list`: people who wait for goods. Contacts in it leave masked like any other.
use crate::api::stock::wire::Amount;
use crate::api::stock::{place, place_id, places_of, refused, variant};
use crate::app::App;
use crate::caller::{ReadCustomers, WriteCustomers};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{Country, Quantity, Timestamp, normalise_email, normalise_phone};
use catalog::variants;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::waiting::{self, Waiting, WaitingInput};
use stock::{Places, commands};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of the waiting list.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_waiting, join_waiting))
        .routes(routes!(take_waiting))
        .routes(routes!(leave_waiting))
}

/// Somebody who wants to be told.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingBody {
    sku: String,
    /// The channel by whose rules; `site` without it.
    channel: Option<String>,
    /// Where they want it; any place of the channel without it.
    location_id: Option<String>,
    /// One without it.
    quantity: Option<Amount>,
    /// One of both.
    email: Option<String>,
    phone: Option<String>,
}

/// Somebody in a line.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WaitingShown {
    id: Id,
    sku: String,
    channel: String,
    location_id: Option<String>,
    quantity: Amount,
    email: Option<String>,
    phone: Option<String>,
    /// `waiting`, `told`, `taken`, `passed` or `left`.
    state: String,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    told_at: Option<Timestamp>,
    /// Until when the goods are kept for them.
    #[schema(value_type = Option<String>, format = DateTime)]
    until_at: Option<Timestamp>,
    reservation_id: Option<Id>,
}

fn shown(w: &Waiting, sku: &str, places: &Places) -> WaitingShown {
    let contact = Some(w.contact.to_string()).filter(|contact| !contact.is_empty());
    let (email, phone) = match contact {
        Some(contact) if contact.contains('@') => (Some(contact), None),
        other => (None, other),
    };
    WaitingShown {
        id: Id(w.no),
        sku: sku.into(),
        channel: w.channel.to_string(),
        location_id: (w.location_no != 0).then(|| place_id(places, w.location_no)),
        quantity: Amount(w.quantity),
        email,
        phone,
        state: w.state.as_str().into(),
        joined_at: w.joined_at,
        told_at: Some(w.told_at).filter(|at| at.micros() > 0),
        until_at: Some(w.until_at).filter(|at| at.micros() > 0),
        reservation_id: Some(Id(w.reservation_no)).filter(|id| id.0 != 0),
    }
}

fn contact(given: &WaitingBody, country: Country) -> Result<String, Problem> {
    match (&given.email, &given.phone) {
        (Some(email), None) => {
            normalise_email(email).ok_or_else(|| BAD_INPUT.at("/email", "this is no e-mail address"))
        }
        (None, Some(phone)) => {
            normalise_phone(phone, country).ok_or_else(|| BAD_INPUT.at("/phone", "this is no telephone number"))
        }
        _ => Err(BAD_INPUT.at("/email", "name an e-mail address or a telephone number, one of both")),
    }
}

/// Which lines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitingQuery {
    sku: Option<String>,
    /// Also those who wait no more.
    #[serde(default)]
    all: bool,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists who waits, the first in line first.
#[utoipa::path(get, path = "/api/v1/waiting-list", tag = "stock", params(WaitingQuery),
    responses((status = 200, body = inline(List<WaitingShown>))))]
pub async fn list_waiting(
    State(app): State<Arc<App>>,
    _: ReadCustomers,
    Params(q): Params<WaitingQuery>,
) -> Result<Json<List<WaitingShown>>, Problem> {
    let limit = limit(q.limit)?;
    let after = place_in::<1>(q.cursor.as_deref())?.map_or(0, |[no]| no);
    let no = match q.sku {
        // A number that no variant has: an SKU that does not exist has an empty line.
        Some(sku) => app.read(move |tx| Ok(variants::find(tx, &sku)?)).await?.unwrap_or(-1),
        None => 0,
    };
    let (rows, places) =
        app.query(move |db| Ok((waiting::list(db, no, !q.all, after, limit + 1)?, places_of(db)?))).await?;
    let page = List::page(rows, limit, |(w, _)| cursor(&[w.no]));
    let items = page.items.iter().map(|(w, sku)| shown(w, sku, &places)).collect();
    Ok(Json(List { items, next_cursor: page.next_cursor }))
}

/// Puts somebody into the line for an SKU. Who stands in it already keeps their place.
#[utoipa::path(post, path = "/api/v1/waiting-list", tag = "stock", request_body = WaitingBody,
    responses((status = 200, body = WaitingShown), (status = 201, body = WaitingShown)))]
pub async fn join_waiting(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    input: Input<WaitingBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let contact = contact(&given, app.domain.settings().country)?;
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let new = WaitingInput {
            variant_no: variant(tx, "/sku", &given.sku)?,
            channel: given.channel.clone().unwrap_or_else(|| "site".into()),
            location_no: given.location_id.as_deref().map(|id| place(&places, "/location_id", id)).transpose()?,
            quantity: given.quantity.map_or(Quantity::ONE, |quantity| quantity.0),
            contact: contact.clone(),
        };
        let (joined, new) = waiting::join(tx, &new).map_err(|e| refused(tx, e))?;
        let body = shown(&joined, &given.sku, &places);
        if !new {
            return Ok(Done::ok(body));
        }
        let after = json!({"sku": given.sku, "channel": &*joined.channel, "quantity": Amount(joined.quantity)});
        Ok(Done::created(body).noted(("create", "waiting"), joined.no, None, Some(after)))
    })
    .await
}

/// Whose cart the goods are for.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBody {
    /// For whom, as you name them: `cart:17`.
    owner: String,
}

/// The claim that keeps the goods.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WaitingTaken {
    reservation_id: Id,
}

/// Somebody who was told comes: the goods that are kept become their cart's.
#[utoipa::path(post, path = "/api/v1/waiting-list/{id}/take", tag = "stock", params(("id" = String, Path)),
    request_body = TakeBody, responses((status = 200, body = WaitingTaken)))]
pub async fn take_waiting(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path(id): Path<String>,
    input: Input<TakeBody>,
) -> Result<Response, Problem> {
    let (no, owner) = (Id::in_path(&id)?, input.value.owner);
    app.change(&caller, input.request, move |tx| {
        let claim = waiting::take(tx, no, &owner).map_err(|e| refused(tx, e))?;
        let after = json!({"state": "taken", "owner": owner});
        Ok(Done::ok(WaitingTaken { reservation_id: Id(claim) }).noted(("update", "waiting"), no, None, Some(after)))
    })
    .await
}

/// Takes somebody out of the line; goods that were kept for them go to the next.
#[utoipa::path(delete, path = "/api/v1/waiting-list/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn leave_waiting(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        waiting::leave(tx, no).map_err(|e| refused(tx, e))?;
        Ok(Done::nothing().noted(("delete", "waiting"), no, None, None))
    })
    .await
}
