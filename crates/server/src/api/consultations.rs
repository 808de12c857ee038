//! `/consultations`: advice in a shop, from the customer's basket to their own phone (P9).
use crate::api::orders::beside::counter_channel;
use crate::api::orders::{refused, shop, wire::Money};
use crate::api::stock::check_place;
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{Caller, ReadOrders, WriteOrders};
use crate::change::Done;
use crate::input::{Id, Input, List, Params};
use crate::problem::{BAD_INPUT, Problem};
use crate::shop_api::carts::CustomerBody;
use crate::shop_api::ids::{self, Kind};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use catalog::variants;
use db::Tx;
use orders::commands;
use orders::showroom::{self, Begin, Consultation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of advice.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_consultations, begin_consultation))
        .routes(routes!(get_consultation))
        .routes(routes!(step_consultation))
}

/// Who is advised, and where.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginBody {
    location_id: String,
    /// The basket that the customer shows: its id, or the link as it was scanned.
    #[serde(default)]
    cart: String,
    /// Who they are otherwise; their newest basket is opened. Nobody is named: a new one.
    #[schema(value_type = Object)]
    #[serde(default)]
    customer: CustomerBody,
}

/// What is done while advising.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConsultationStep {
    /// Notes goods that were looked at; so many go into the basket, nothing takes them out, without a number it stays.
    Goods {
        sku: String,
        #[serde(default)]
        tried: bool,
        liked: Option<bool>,
        quantity: Option<Amount>,
    },
    /// Writes down what was said.
    Note { text: String },
    /// Says who it is.
    Customer {
        #[schema(value_type = Object)]
        customer: CustomerBody,
    },
    /// Sends the basket to the customer's phone.
    Send,
}

/// Goods in the basket.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BasketLine {
    sku: String,
    name: String,
    quantity: Amount,
    total: Money,
}

/// Goods that were looked at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LookedAtTogether {
    sku: String,
    name: String,
    tried: bool,
    /// Null: nothing was said.
    liked: Option<bool>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A consultation with its basket.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConsultationBody {
    id: Id,
    cart_id: String,
    /// The customer's own page of the basket.
    link: String,
    location_id: String,
    seller: String,
    note: String,
    name: String,
    email: String,
    phone: String,
    lines: Vec<BasketLine>,
    total: Money,
    goods: Vec<LookedAtTogether>,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    order_id: Option<String>,
}

/// The name of a variant's product.
pub fn name_of(tx: &mut Tx, variant_no: i64) -> Result<String, Problem> {
    let sql = "SELECT p.name FROM variants v JOIN products p ON p.no = v.product_no WHERE v.no = $1";
    let row = tx.first(sql, &[variant_no.into()])?;
    Ok(row.map(|row| row.text(0).map(String::from)).transpose()?.unwrap_or_default())
}

fn shown(tx: &mut Tx, app: &App, row: &Consultation) -> Result<ConsultationBody, Problem> {
    let cart = commands::cart_of(tx, row.cart_no).map_err(|e| refused(tx, e))?;
    let (priced, _) = commands::price_cart(tx, &cart, &shop(app)).map_err(|e| refused(tx, e))?;
    let money = |minor: i64| Money { minor, currency: cart.body.currency.clone() };
    let sku = |tx: &mut Tx, no: i64| -> Result<String, Problem> {
        Ok(variants::get(tx, no)?.map_or_else(String::new, |v| v.sku.to_string()))
    };
    let mut lines = Vec::with_capacity(cart.body.lines.len());
    for (line, priced) in cart.body.lines.iter().zip(&priced.lines) {
        lines.push(BasketLine {
            sku: sku(tx, line.variant_no)?,
            name: name_of(tx, line.variant_no)?,
            quantity: Amount(line.quantity()),
            total: money(priced.taxed.total),
        });
    }
    let mut goods = Vec::with_capacity(row.goods.len());
    for g in &row.goods {
        let (sku, name) = (sku(tx, g.variant_no)?, name_of(tx, g.variant_no)?);
        goods.push(LookedAtTogether { sku, name, tried: g.tried, liked: g.liked, at: g.at });
    }
    let key = tx.hash_key();
    let cart_id = ids::id(key, Kind::Cart, cart.no);
    let place = stock::commands::places(tx)?.get(row.location_no).map(|place| place.id.to_string());
    Ok(ConsultationBody {
        id: Id(row.no),
        link: link(app, &cart_id),
        cart_id,
        location_id: place.unwrap_or_default(),
        seller: row.seller.clone(),
        note: row.note.clone(),
        name: cart.contact.name.clone(),
        email: cart.contact.email.clone(),
        phone: cart.contact.phone.clone(),
        lines,
        total: money(priced.totals.total_minor),
        goods,
        opened_at: row.opened_at,
        sent_at: Some(row.sent_at).filter(|at| at.micros() > 0),
        order_id: row.order_no.map(|no| ids::id(key, Kind::Order, no)),
    })
}

fn link(app: &App, cart_id: &str) -> String {
    format!("{}/c/{cart_id}", app.public_url.trim_end_matches('/'))
}

/// A basket's id as somebody typed or scanned it: alone, or within its link.
fn cart_in(text: &str) -> &str {
    let text = text.trim();
    let id = text.rsplit_once("/c/").map_or(text, |(_, rest)| rest);
    id.split(['?', '#', '/']).next().unwrap_or_default()
}

/// Whoever is bound to stores sees the advice given there.
fn check(tx: &mut Tx, caller: &Caller, row: &Consultation) -> Result<(), Problem> {
    check_place(caller, &*stock::commands::places(tx)?, row.location_no)
}

/// Opens a customer's basket in a shop: the one they show, else their newest, else a new one. The order counts for whoever opens it.
#[utoipa::path(post, path = "/api/v1/consultations", tag = "orders", request_body = BeginBody,
    responses((status = 201, body = ConsultationBody)))]
pub async fn begin_consultation(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<BeginBody>,
) -> Result<Response, Problem> {
    let mut given = input.value;
    let contact = std::mem::take(&mut given.customer).contact(app.domain.settings().country);
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let places = stock::commands::places(tx)?;
        let location_no = crate::api::stock::place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let cart_no = match cart_in(&given.cart) {
            "" => None,
            id => {
                let no = ids::number(tx.hash_key(), Kind::Cart, id);
                Some(no.ok_or_else(|| BAD_INPUT.at("/cart", "it is the link of no basket"))?)
            }
        };
        let begin = Begin { cart_no, contact: contact.clone(), location_no, channel: counter_channel(&places) };
        let row = showroom::begin(tx, &shop(&shared), &begin, &by.actor).map_err(|e| refused(tx, e))?;
        let done = Done::created(shown(tx, &shared, &row)?);
        Ok(done.noted(("create", "consultation"), row.no, None, Some(json!({"location": given.location_id}))))
    })
    .await
}

/// Shows a consultation with its basket.
#[utoipa::path(get, path = "/api/v1/consultations/{id}", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = ConsultationBody)))]
pub async fn get_consultation(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Path(id): Path<String>,
) -> Result<Json<ConsultationBody>, Problem> {
    let (no, shared) = (Id::in_path(&id)?, app.clone());
    let found = app.read(move |tx| {
        let row = showroom::consultation(tx, no).map_err(|e| refused(tx, e))?;
        check(tx, &caller, &row)?;
        shown(tx, &shared, &row)
    });
    Ok(Json(found.await?))
}

/// Where.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConsultationsQuery {
    location_id: String,
}

/// Lists the newest advice at a place, fifty at most.
#[utoipa::path(get, path = "/api/v1/consultations", tag = "orders", params(ConsultationsQuery),
    responses((status = 200, body = inline(List<ConsultationBody>))))]
pub async fn list_consultations(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Params(query): Params<ConsultationsQuery>,
) -> Result<Json<List<ConsultationBody>>, Problem> {
    let shared = app.clone();
    let items = app
        .read(move |tx| {
            let places = stock::commands::places(tx)?;
            let location_no = crate::api::stock::place(&places, "/location_id", &query.location_id)?;
            check_place(&caller, &places, location_no)?;
            let rows = showroom::at_place(tx, location_no, 50).map_err(|e| refused(tx, e))?;
            rows.iter().map(|row| shown(tx, &shared, row)).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Notes goods, writes down what was said, says who it is, sends the basket to the customer's phone.
#[utoipa::path(post, path = "/api/v1/consultations/{id}/steps", tag = "orders", params(("id" = String, Path)),
    request_body = ConsultationStep, responses((status = 200, body = ConsultationBody)))]
pub async fn step_consultation(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<ConsultationStep>,
) -> Result<Response, Problem> {
    let (no, given, by, shared) = (Id::in_path(&id)?, input.value, caller.clone(), app.clone());
    let country = app.domain.settings().country;
    app.change(&caller, input.request, move |tx| {
        let before = showroom::consultation(tx, no).map_err(|e| refused(tx, e))?;
        check(tx, &by, &before)?;
        let (row, what) = match &given {
            ConsultationStep::Goods { sku, tried, liked, quantity } => {
                let variant = crate::api::stock::variant(tx, "/sku", sku)?;
                (showroom::note_goods(tx, no, (variant, *tried, *liked), quantity.map(|q| q.0)), "goods")
            }
            ConsultationStep::Note { text } => (showroom::note(tx, no, text), "note"),
            ConsultationStep::Customer { customer } => {
                let contact = customer.clone().contact(country);
                let put = commands::put_contact(tx, before.cart_no, &contact);
                (put.and_then(|_| showroom::consultation(tx, no)), "customer")
            }
            ConsultationStep::Send => {
                let link = link(&shared, &ids::id(tx.hash_key(), Kind::Cart, before.cart_no));
                (showroom::send(tx, no, &link), "send")
            }
        };
        let row = row.map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let done = Done::ok(shown(tx, &shared, &row)?);
        Ok(done.noted(("update", "consultation"), no, None, Some(json!({"step": what}))))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::cart_in;

    #[test]
    fn a_basket_is_read_from_its_link() {
        let id = "c7-0123456789abcdef";
        for text in [
            id,
            " c7-0123456789abcdef ",
            "https://shop.example/c/c7-0123456789abcdef?x=1#top",
            "/c/c7-0123456789abcdef/",
        ] {
            assert_eq!(cart_in(text), id, "{text}");
        }
        assert_eq!(cart_in(""), "");
    }
}
