//! The shop's API, `/shop/v1/…` (CONTRACTS 9): what a site or an app asks on behalf of a customer, with a publishable key.
pub mod carts;
pub mod desk;
pub mod document;
pub mod ids;
pub mod orders;
pub mod pace;
pub mod qr;
pub mod returns;
pub mod reviews;
pub mod shelf;
pub mod slots;

use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::problem::{BAD_QUERY, NOT_FOUND, NOT_SIGNED_IN, Problem};
use crate::sources::Source;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use base::{Quantity, Timestamp};
use catalog::variants::{self, Skus, Variants};
use db::DbError;
use db::mirror::Mirror;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stock::ahead::{Ahead, AheadCell};
use stock::{Channel, PlacesCell, StockTable, availability, commands};

/// What product pages are answered from, without asking the writer.
pub struct Board {
    skus: Arc<Mirror<Skus>>,
    variants: Arc<Mirror<Variants>>,
    stock: Arc<Mirror<StockTable>>,
    places: PlacesCell,
    ahead: AheadCell,
    hash_key: (u64, u64),
}

impl Board {
    /// Begins to follow the writer's memory.
    pub async fn open(app: &crate::domain::Domain) -> Result<Self, DbError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        app.store().read_with(
            |tx| -> Result<Self, DbError> {
                Ok(Self {
                    skus: tx.mirror(),
                    variants: tx.mirror(),
                    stock: tx.mirror(),
                    places: commands::places_cell(tx)?,
                    ahead: stock::ahead::cell(tx)?,
                    hash_key: tx.hash_key(),
                })
            },
            move |answer| drop(sender.send(answer)),
        );
        receiver.await.unwrap_or(Err(DbError::Stopped))
    }

    /// The places and channels as they were last committed.
    pub fn places(&self) -> Arc<stock::Places> {
        self.places.get()
    }
    /// The store's secret.
    pub fn hash_key(&self) -> (u64, u64) {
        self.hash_key
    }

    /// A line that somebody may order, with the variant's base price, its currency; `None` where memory does not know all of it.
    fn wanted(&self, sku: &str, quantity: Quantity, channel: &Channel, now: Timestamp) -> Option<Option<Wanted>> {
        let Some(sku) = variants::normalise_sku(sku) else { return Some(None) };
        let no = match self.skus.get(variants::hash(self.hash_key, &sku))? {
            Some(no) if no != 0 => no,
            _ => return Some(None),
        };
        let Some(variant) = self.variants.get(no)? else { return Some(None) };
        let stock = self.stock.get(no)?;
        let ahead = self.ahead.get(no);
        Some(Some(wanted(&variant, (stock.as_deref(), ahead.as_deref()), quantity, (channel, now))))
    }

    /// What is known of an SKU in a channel; `None` where memory does not know all of it.
    fn look(&self, sku: &str, channel: &Channel, now: Timestamp) -> Option<Found> {
        let Some(sku) = variants::normalise_sku(sku) else { return Some(Found::Nowhere) };
        let no = match self.skus.get(variants::hash(self.hash_key, &sku))? {
            Some(no) if no != 0 => no,
            _ => return Some(Found::Nowhere),
        };
        let Some(variant) = self.variants.get(no)? else { return Some(Found::Nowhere) };
        let stock = self.stock.get(no)?;
        Some(Found::Variant(available(&variant, stock.as_deref(), channel, now)))
    }
}

/// A line with the variant's base price and its currency.
type Wanted = (::orders::offers::WantedLine, i64, String);

fn wanted(
    variant: &variants::Variant,
    (stock, ahead): (Option<&stock::model::VariantStock>, Option<&Ahead>),
    quantity: Quantity,
    (channel, now): (&Channel, Timestamp),
) -> Wanted {
    let line = ::orders::offers::WantedLine::new(variant.tracked, stock, quantity, ahead, (channel, now));
    (line, variant.price_minor, variant.currency.to_string())
}

impl App {
    /// A line that somebody may order, from memory where memory knows it.
    async fn wanted(&self, sku: &str, quantity: Quantity, channel: &str) -> Result<Wanted, Problem> {
        let places = self.board.places.get();
        let channel = places.channel(channel).cloned();
        let channel = channel.ok_or_else(|| BAD_QUERY.because("there is no such channel"))?;
        let found = match self.board.wanted(sku, quantity, &channel, self.now()) {
            Some(found) => found,
            None => {
                let sku = sku.to_string();
                self.read(move |tx| {
                    let Some(no) = variants::find(tx, &sku)? else { return Ok(None) };
                    let Some(variant) = variants::get(tx, no)? else { return Ok(None) };
                    let stock = commands::stock(tx, no)?;
                    let ahead = stock::ahead::of(tx, no)?;
                    Ok(Some(wanted(&variant, (stock.as_deref(), ahead.as_deref()), quantity, (&channel, tx.now()))))
                })
                .await?
            }
        };
        found.ok_or_else(|| NOT_FOUND.because(format!("there is no SKU {sku:.60}")))
    }
}

enum Found {
    Nowhere,
    Variant(Available),
}

/// What can be had of an SKU.
#[derive(Debug, Clone, Serialize)]
struct Available {
    sku: String,
    /// Null where pieces are not counted: it can always be had.
    available: Option<Amount>,
    in_stock: bool,
    as_of: Timestamp,
    /// When more can be had by time alone: a hold ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes_at: Option<Timestamp>,
}

fn available(
    variant: &variants::Variant,
    stock: Option<&stock::model::VariantStock>,
    channel: &Channel,
    now: Timestamp,
) -> Available {
    let count = stock.map_or(Quantity::ZERO, |stock| availability::for_channel(stock, channel, now));
    Available {
        sku: variant.sku.to_string(),
        available: variant.tracked.then_some(Amount(count)),
        in_stock: !variant.tracked || count.is_positive(),
        as_of: now,
        changes_at: stock.and_then(|stock| availability::changes_at(stock, now)).filter(|_| variant.tracked),
    }
}

/// The routes of the shop's API. Browsers of any site may ask.
pub fn routes(app: &Arc<App>) -> axum::Router<Arc<App>> {
    axum::Router::new()
        .route("/shop/v1/openapi.json", get(async || axum::Json(document::document())))
        .route("/shop/v1/availability", get(get_availability).options(preflight))
        .route("/shop/v1/promises", get(carts::promises).options(preflight))
        .route("/shop/v1/carts", post(carts::create_cart).options(preflight))
        .route("/shop/v1/carts/{id}", get(carts::get_cart).options(preflight))
        .route("/shop/v1/carts/{id}/lines", post(carts::add_line).put(carts::put_line).options(preflight))
        .route("/shop/v1/carts/{id}/customer", put(carts::put_customer).options(preflight))
        .route("/shop/v1/carts/{id}/coupons", post(carts::add_coupon).options(preflight))
        .route("/shop/v1/carts/{id}/try-on", put(carts::put_try_on).options(preflight))
        .route("/shop/v1/carts/{id}/delivery-options", get(carts::delivery_options).options(preflight))
        .route("/shop/v1/carts/{id}/delivery", put(carts::put_delivery).options(preflight))
        .route("/shop/v1/carts/{id}/checkout", post(carts::checkout).options(preflight))
        .route("/shop/v1/orders/{id}", get(orders::get_order).options(preflight))
        .route("/shop/v1/orders/{id}/payments", post(orders::pay_order).options(preflight))
        .route("/shop/v1/orders/{id}/confirm", post(orders::confirm_order).options(preflight))
        .route("/shop/v1/orders/{id}/cancel", post(orders::cancel_order).options(preflight))
        .route("/shop/v1/orders/{id}/returns", get(returns::list_returns).post(returns::ask_return).options(preflight))
        .route("/shop/v1/orders/{id}/code.svg", get(orders::code_image))
        .route("/shop/v1/orders/{id}/slots", get(slots::of_order).options(preflight))
        .route("/shop/v1/orders/{id}/reviews", post(reviews::write_review).options(preflight))
        .route("/shop/v1/products/{product}/reviews", get(reviews::of_product).options(preflight))
        .route("/shop/v1/shelf/{location}/{code}", get(shelf::look).options(preflight))
        .route("/shop/v1/shelf/{location}", post(shelf::begin_basket).options(preflight))
        .route("/shop/v1/carts/{id}/code.svg", get(carts::code_image))
        .route("/shop/v1/carts/{id}/slots", get(slots::of_cart).options(preflight))
        .route("/shop/v1/orders/{id}/claims", get(returns::list_claims).post(returns::ask_claim).options(preflight))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX))
        .layer(axum::middleware::from_fn_with_state(app.clone(), pace::around))
        .layer(axum::middleware::map_response(async |mut response: Response| {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }))
}

/// The largest body of a customer's device.
const BODY_MAX: usize = 64 << 10;

async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, idempotency-key"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// A shop that asks, by its publishable key: the write key of a source, as Basic user name.
pub struct Shop(pub Arc<Source>);

impl Shop {
    /// As idempotency and history name it.
    pub fn actor(&self) -> String {
        format!("shop:{}", self.0.name)
    }
}

/// The source whose write key a request carries.
fn source_of(app: &App, headers: &axum::http::HeaderMap) -> Option<Arc<Source>> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = header.and_then(collect::write_key::in_authorization);
    key.and_then(|key| app.sources().sources().of_key(&key).cloned())
}

/// Whoever has the link of a cart or an order: a shop with its key, or the customer's own page without one. The id's seal says that they
/// may; a key that is sent has to be right.
pub struct Holder(Option<Arc<Source>>);

impl Holder {
    /// As idempotency and history name it.
    pub fn actor(&self) -> String {
        self.0.as_ref().map_or_else(|| "customer".to_string(), |source| format!("shop:{}", source.name))
    }
}

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match parts.headers.contains_key(header::AUTHORIZATION) {
            true => Shop::from_request_parts(parts, app).await.map(|shop| Holder(Some(shop.0))),
            false => Ok(Holder(None)),
        }
    }
}

impl FromRequestParts<Arc<App>> for Shop {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let found = source_of(app, &parts.headers);
        let refused = "send a source's write key as the user name of Basic authentication";
        found.map(Shop).ok_or_else(|| NOT_SIGNED_IN.because(refused))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AvailabilityQuery {
    /// One SKU, or several behind commas.
    sku: String,
    /// `site` without it.
    channel: Option<String>,
}

/// SKUs of one question.
const SKUS_MAX: usize = 100;

/// What can be had: of one SKU an object, of several a list.
async fn get_availability(
    State(app): State<Arc<App>>,
    _: Shop,
    query: Result<Query<AvailabilityQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|e| BAD_QUERY.because(e.body_text()))?;
    let places = app.board.places.get();
    let id = query.channel.as_deref().unwrap_or("site");
    let channel = places.channel(id).ok_or_else(|| BAD_QUERY.because(format!("there is no channel {id:.60}")))?;
    let wanted: Vec<&str> = query.sku.split(',').collect();
    if wanted.len() > SKUS_MAX {
        return Err(BAD_QUERY.because(format!("ask for at most {SKUS_MAX} SKUs at once")));
    }
    let now = app.now();
    let mut found = Vec::with_capacity(wanted.len());
    for sku in &wanted {
        let one = match app.board.look(sku, channel, now) {
            Some(one) => one,
            None => ask(&app, sku, channel.clone()).await?,
        };
        if let Found::Variant(one) = one {
            found.push(one);
        } else if wanted.len() == 1 {
            return Err(NOT_FOUND.because(format!("there is no SKU {sku:.60}")));
        }
    }
    Ok(match found.as_slice() {
        [one] if wanted.len() == 1 => axum::Json(one).into_response(),
        _ => axum::Json(serde_json::json!({"items": found})).into_response(),
    })
}

/// Asks the writer, who then knows it for the next one.
async fn ask(app: &App, sku: &str, channel: Arc<Channel>) -> Result<Found, Problem> {
    let sku = sku.to_string();
    app.read(move |tx| {
        let Some(no) = variants::find(tx, &sku)? else { return Ok(Found::Nowhere) };
        let Some(variant) = variants::get(tx, no)? else { return Ok(Found::Nowhere) };
        let stock = commands::stock(tx, no)?;
        Ok(Found::Variant(available(&variant, stock.as_deref(), &channel, tx.now())))
    })
    .await
}
