//! Carts of the shop's API (CONTRACTS 9): from an empty cart to an order.
use super::desk::{desk, taken};
use super::ids::{self, Kind};
use super::{Holder, Shop};
use crate::api::orders::{refused, shop, wire};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::change::Done;
use crate::input::{Input, Nothing, Params};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base::{Country, Quantity, Timestamp};
use catalog::variants;
use db::Tx;
use orders::commands;
use orders::model::{Cart, Contact, Delivery, Promised};
use orders::offers::{Desk, Offer, WantedLine};
use orders::promise::{Taken, WayKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::Places;

/// How a cart begins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewCart {
    /// The sales channel; `site` without it.
    channel: Option<String>,
    /// ISO 4217; the shop's without it.
    currency: Option<String>,
}

/// A cart as its customer sees it.
#[derive(Debug, Serialize)]
pub struct CartBody {
    cart_id: String,
    channel: String,
    currency: String,
    lines: Vec<CartLineBody>,
    coupons: Vec<CouponBody>,
    goods: wire::Money,
    discount: wire::Money,
    shipping: wire::Money,
    tax: wire::Money,
    total: wire::Money,
    try_on: bool,
    delivery: Option<wire::DeliveryBody>,
    promised: Option<wire::PromisedBody>,
    /// Goods that were looked at with a colleague, and how they were liked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advised: Vec<AdvisedBody>,
    /// Where a colleague advised.
    #[serde(skip_serializing_if = "Option::is_none")]
    advised_at: Option<String>,
    /// How it can be paid for here: providers that `POST /orders/{id}/payments` takes.
    payment_ways: Vec<&'static str>,
    /// Whether an e-mail or a phone is known; neither is told, since links are passed on.
    reachable: bool,
    /// Until when the cart holds its goods.
    held_until: Option<Timestamp>,
    /// The order that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct CartLineBody {
    sku: String,
    name: String,
    quantity: Amount,
    unit: wire::Money,
    list: wire::Money,
    total: wire::Money,
    discounts: Vec<wire::DiscountBody>,
    /// Why it costs that.
    why: String,
}

#[derive(Debug, Serialize)]
struct AdvisedBody {
    sku: String,
    name: String,
    tried: bool,
    liked: Option<bool>,
}

#[derive(Debug, Serialize)]
struct CouponBody {
    code: String,
    /// `applied`, `not_applied` or `unknown`.
    verdict: loyalty::model::CouponState,
}

/// What a cart is, and would cost now.
fn body(tx: &mut Tx, app: &App, cart: &Cart) -> Result<CartBody, Problem> {
    let (priced, quotes) = commands::price_cart(tx, cart, &shop(app)).map_err(|e| refused(tx, e))?;
    let currency = cart.body.currency.clone();
    let money = |minor: i64| wire::Money { minor, currency: currency.clone() };
    let mut lines = Vec::with_capacity(cart.body.lines.len());
    for ((line, priced), quote) in cart.body.lines.iter().zip(&priced.lines).zip(&quotes) {
        let sku = variants::get(tx, line.variant_no)?.map_or_else(String::new, |v| v.sku.to_string());
        lines.push(CartLineBody {
            sku,
            name: crate::api::consultations::name_of(tx, line.variant_no)?,
            quantity: Amount(line.quantity()),
            unit: money(quote.minor),
            list: money(priced.list_minor),
            total: money(priced.taxed.total),
            discounts: wire::discounts(priced.discounts.iter().map(|d| (&*d.promotion, d.minor, &*d.why))),
            why: quote.reason.clone(),
        });
    }
    let held = match cart.body.hold {
        Some(no) => tx.get::<stock::ReservationTable>(no)?.map(|r| r.expires_at).filter(|at| *at > tx.now()),
        None => None,
    };
    let places = stock::commands::places(tx)?;
    let last = match cart.body.advised {
        true => orders::showroom::of_cart(tx, cart.no).map_err(|e| refused(tx, e))?.pop(),
        false => None,
    };
    let mut advised = Vec::new();
    for g in last.iter().flat_map(|c| c.goods.iter()) {
        let sku = variants::get(tx, g.variant_no)?.map_or_else(String::new, |v| v.sku.to_string());
        let name = crate::api::consultations::name_of(tx, g.variant_no)?;
        advised.push(AdvisedBody { sku, name, tried: g.tried, liked: g.liked });
    }
    let key = tx.hash_key();
    Ok(CartBody {
        advised,
        advised_at: last.and_then(|c| places.get(c.location_no).map(|l| l.id.to_string())),
        payment_ways: match commands::settings(tx)?.1.policy.test_payments {
            true => vec!["test", "on_delivery", "store_credit"],
            false => vec!["on_delivery", "store_credit"],
        },
        reachable: cart.contact.is_reachable(),
        cart_id: ids::id(key, Kind::Cart, cart.no),
        channel: cart.body.channel.clone(),
        lines,
        coupons: priced
            .coupons
            .iter()
            .map(|(code, state)| CouponBody { code: code.clone(), verdict: *state })
            .collect(),
        goods: money(priced.lines.iter().map(|line| line.taxed.total).sum()),
        discount: money(priced.totals.discount_minor),
        shipping: money(priced.shipping.as_ref().map_or(0, |s| s.taxed.total)),
        tax: money(priced.totals.tax_minor),
        total: money(priced.totals.total_minor),
        try_on: cart.body.try_on,
        delivery: cart.body.delivery.as_ref().map(|d| wire::delivery(d, &places, &currency)),
        promised: cart.body.promised.as_ref().map(wire::PromisedBody::of),
        held_until: held,
        order_id: cart.order_no.map(|no| ids::id(key, Kind::Order, no)),
        currency,
    })
}

/// Begins a cart.
pub async fn create_cart(State(app): State<Arc<App>>, by: Shop, input: Input<NewCart>) -> Result<Response, Problem> {
    let given = input.value;
    let shared = app.clone();
    app.change_as(by.actor(), input.request, move |tx| {
        let channel = given.channel.as_deref().unwrap_or("site");
        let cart = commands::create_cart(tx, &shop(&shared), channel, given.currency.as_deref());
        let cart = cart.map_err(|e| refused(tx, e))?;
        Ok(Done::created(json!({"cart_id": ids::id(tx.hash_key(), Kind::Cart, cart.no)})))
    })
    .await
}

pub(super) fn cart_no(tx: &Tx, id: &str) -> Result<i64, Problem> {
    ids::number(tx.hash_key(), Kind::Cart, id).ok_or_else(|| NOT_FOUND.because("there is no such cart"))
}

/// Shows a cart with what it costs now.
pub async fn get_cart(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
) -> Result<Json<CartBody>, Problem> {
    let shared = app.clone();
    let found = app.read(move |tx| {
        let no = cart_no(tx, &id)?;
        let cart = commands::cart_of(tx, no).map_err(|e| refused(tx, e))?;
        body(tx, &shared, &cart)
    });
    Ok(Json(found.await?))
}

/// A basket's own page as an image for a camera: from a colleague's tablet to the customer's phone.
pub async fn code_image(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let asked = id.clone();
    app.read(move |tx| {
        let no = cart_no(tx, &asked)?;
        commands::cart_of(tx, no).map_err(|e| refused(tx, e)).map(drop)
    })
    .await?;
    let image = super::qr::svg(&format!("{}/c/{id}", app.public_url.trim_end_matches('/')))?;
    Ok(([(axum::http::header::CONTENT_TYPE, "image/svg+xml")], image).into_response())
}

/// Goods for a cart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineBody {
    sku: String,
    quantity: Amount,
}

/// Adds goods to a cart.
pub async fn add_line(
    state: State<Arc<App>>,
    by: Holder,
    id: Path<String>,
    input: Input<LineBody>,
) -> Result<Response, Problem> {
    line(state, by, id, input, false).await
}

/// Puts so much of an SKU into a cart, instead of what is there; nothing takes it out.
pub async fn put_line(
    state: State<Arc<App>>,
    by: Holder,
    id: Path<String>,
    input: Input<LineBody>,
) -> Result<Response, Problem> {
    line(state, by, id, input, true).await
}

async fn line(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<LineBody>,
    instead: bool,
) -> Result<Response, Problem> {
    let given = input.value;
    change(&app, by, id, input.request, move |tx, no| {
        let variant = crate::api::stock::variant(tx, "/sku", &given.sku)?;
        let cart = commands::put_line(tx, no, variant, given.quantity.0, instead).map_err(|e| refused(tx, e))?;
        if commands::settings(tx)?.1.policy.hold_carts {
            return commands::hold_cart(tx, no).map_err(|e| refused(tx, e));
        }
        Ok(cart)
    })
    .await
}

/// Changes a cart and answers with it.
async fn change(
    app: &Arc<App>,
    by: Holder,
    id: String,
    request: crate::input::RequestKey,
    f: impl Fn(&mut Tx, i64) -> Result<Arc<Cart>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let shared = app.clone();
    app.change_as(by.actor(), request, move |tx| {
        let no = cart_no(tx, &id)?;
        let cart = f(tx, no)?;
        Ok(Done::ok(body(tx, &shared, &cart)?))
    })
    .await
}

/// Who orders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerBody {
    email: String,
    phone: String,
    name: String,
    address: String,
    user_id: String,
    anonymous_id: String,
}

impl CustomerBody {
    /// As orders keep it: a phone that can be read stands in its international form.
    pub fn contact(self, country: Country) -> Contact {
        let phone =
            base::normalise_phone(&self.phone, country).map_or_else(|| self.phone.trim().into(), |p| p.to_string());
        Contact {
            email: self.email.trim().into(),
            phone,
            name: self.name.trim().into(),
            address: self.address.trim().into(),
            user_id: self.user_id.trim().into(),
            anonymous_id: self.anonymous_id.trim().into(),
            person_id: 0,
        }
    }
}

/// Says who orders.
pub async fn put_customer(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<CustomerBody>,
) -> Result<Response, Problem> {
    let contact = input.value.contact(app.domain.settings().country);
    change(&app, by, id, input.request, move |tx, no| {
        commands::put_contact(tx, no, &contact).map_err(|e| refused(tx, e))
    })
    .await
}

/// A coupon as the customer typed it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CouponInput {
    code: String,
}

/// Adds a coupon.
pub async fn add_coupon(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<CouponInput>,
) -> Result<Response, Problem> {
    let code = input.value.code;
    change(&app, by, id, input.request, move |tx, no| commands::add_coupon(tx, no, &code).map_err(|e| refused(tx, e)))
        .await
}

/// Whether goods are tried on before they are paid for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TryOnBody {
    try_on: bool,
}

/// Says whether goods are tried on before they are paid for.
pub async fn put_try_on(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<TryOnBody>,
) -> Result<Response, Problem> {
    let try_on = input.value.try_on;
    change(&app, by, id, input.request, move |tx, no| commands::put_try_on(tx, no, try_on).map_err(|e| refused(tx, e)))
        .await
}

/// Where to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionsQuery {
    address: Option<String>,
    /// Only this place.
    location_id: Option<String>,
}

/// A way in which a cart can be had.
#[derive(Debug, Serialize)]
pub struct OptionBody {
    /// What `PUT …/delivery` takes.
    pub option_id: String,
    /// `pick_up`, `transfer`, `courier`, `branch` or `locker`.
    pub kind: WayKind,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    pub price: wire::Money,
    pub ready_at: Timestamp,
    pub earliest: Timestamp,
    pub latest: Timestamp,
    /// How sure it is, from 0 to 1.
    pub confidence: f64,
    pub why: Vec<String>,
}

/// Offers as a page shows them.
pub fn options(offers: &[Offer], desk: &Desk, places: &Places, currency: &str) -> Vec<OptionBody> {
    let at = Timestamp::from_micros;
    let one = |offer: &Offer| {
        let shop = offer.shop_no.and_then(|no| places.get(no));
        let method = offer.method.as_deref().and_then(|id| desk.settings.method(id));
        let name = match (shop, method) {
            (Some(shop), _) if !shop.name.is_empty() => shop.name.to_string(),
            (Some(shop), _) => shop.id.to_string(),
            (None, Some(method)) if !method.name.is_empty() => method.name.clone(),
            _ => offer.option.clone(),
        };
        OptionBody {
            option_id: offer.option.clone(),
            kind: offer.kind,
            name,
            location_id: shop.map(|shop| shop.id.to_string()),
            carrier: offer.carrier.clone(),
            price: wire::Money { minor: offer.price_minor, currency: currency.into() },
            ready_at: at(offer.promise.ready_us),
            earliest: at(offer.promise.earliest_us),
            latest: at(offer.promise.latest_us),
            confidence: f64::from(offer.promise.confidence) / 1000.0,
            why: offer.why.clone(),
        }
    };
    offers.iter().map(one).collect()
}

/// A cart as promises see it: its lines with where they lie, what its goods cost, where it goes.
struct Asked {
    lines: Vec<WantedLine>,
    goods_minor: i64,
    currency: String,
    address: String,
}

async fn asked(app: &Arc<App>, id: String) -> Result<Asked, Problem> {
    let shared = app.clone();
    app.read(move |tx| {
        let no = cart_no(tx, &id)?;
        let cart = commands::cart_of(tx, no).map_err(|e| refused(tx, e))?;
        let (priced, _) = commands::price_cart(tx, &cart, &shop(&shared)).map_err(|e| refused(tx, e))?;
        let places = stock::commands::places(tx)?;
        let channel = places.channel(&cart.body.channel).cloned();
        let channel = channel.ok_or_else(|| CONFLICT.because("its sales channel is gone: begin a new cart"))?;
        let now = tx.now();
        let mut lines = Vec::with_capacity(cart.body.lines.len());
        for line in &cart.body.lines {
            let tracked = variants::get(tx, line.variant_no)?.is_some_and(|variant| variant.tracked);
            let stock = stock::commands::stock(tx, line.variant_no)?;
            let ahead = stock::ahead::of(tx, line.variant_no)?;
            lines.push(WantedLine::new(tracked, stock.as_deref(), line.quantity(), ahead.as_deref(), (&channel, now)));
        }
        // What the cart holds itself is there for it.
        if let Some(hold) = cart.body.hold
            && let Some(reservation) = tx.get::<stock::ReservationTable>(hold)?
        {
            for (_, held) in reservation.active(now) {
                let Some(at) = cart.body.lines.iter().position(|l| l.variant_no == held.variant_no) else { continue };
                let Some(list) = lines[at].available.as_mut() else { continue };
                match list.iter_mut().find(|(no, _)| *no == held.location_no) {
                    Some((_, quantity)) => *quantity += held.quantity,
                    None => list.push((held.location_no, held.quantity)),
                }
            }
        }
        Ok(Asked {
            lines,
            goods_minor: priced.lines.iter().map(|line| line.taxed.total).sum(),
            currency: cart.body.currency.clone(),
            address: cart.contact.address.clone(),
        })
    })
    .await
}

/// Lists the ways in which a cart can be had, with price, moments and reasons.
pub async fn delivery_options(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
    Params(query): Params<OptionsQuery>,
) -> Result<Json<serde_json::Value>, Problem> {
    let asked = asked(&app, id).await?;
    let desk = desk(&app).await?;
    let taken = taken(&app, &desk).await?;
    let places = app.board.places();
    let shop = match &query.location_id {
        Some(id) => Some(crate::api::stock::place(&places, "/location_id", id)?),
        None => None,
    };
    let address = query.address.as_deref().unwrap_or(&asked.address);
    let zone = (!address.trim().is_empty()).then(|| desk.settings.zone_of(address));
    let offers = desk.offers(&asked.lines, (zone, shop), asked.goods_minor, &taken, app.now());
    Ok(Json(json!({"items": options(&offers, &desk, &places, &asked.currency), "zone": zone})))
}

/// How the goods get to the customer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryInput {
    /// As the options name it.
    option_id: Option<String>,
    /// `pickup`, with a place.
    kind: Option<String>,
    location_id: Option<String>,
    pub address: Option<String>,
}

/// A chosen way with what the customer is told about it; the same for carts and for orders that are changed.
pub fn choose(
    desk: &Desk,
    (places, taken, now): (&Places, &Taken, Timestamp),
    lines: &[WantedLine],
    (given, address, goods_minor): (&DeliveryInput, &str, i64),
) -> Result<(Delivery, Option<Promised>), Problem> {
    let told = |offer: &Offer| Promised {
        earliest: Timestamp::from_micros(offer.promise.earliest_us),
        latest: Timestamp::from_micros(offer.promise.latest_us),
        why: offer.why.clone(),
    };
    let pick_up = match (&given.option_id, given.kind.as_deref(), &given.location_id) {
        (Some(option), None, None) => option.strip_prefix("pickup:").map(|id| ("/option_id", id)),
        (None, Some("pickup" | "pick_up"), Some(id)) => Some(("/location_id", id.as_str())),
        _ => {
            let detail = "choose {\"option_id\": …}, or {\"kind\": \"pickup\", \"location_id\": …}";
            return Err(BAD_INPUT.at("/option_id", detail));
        }
    };
    if let Some((pointer, id)) = pick_up {
        let location_no = crate::api::stock::place(places, pointer, id)?;
        let offers = desk.offers(lines, (None, Some(location_no)), goods_minor, taken, now);
        let promised = offers.iter().find(|o| o.shop_no == Some(location_no)).map(told);
        return Ok((Delivery::PickUp { location_no }, promised));
    }
    let option = given.option_id.as_deref().unwrap_or_default();
    let zone = desk.settings.zone_of(address);
    let rate = desk.settings.method(option).and_then(|method| desk.settings.rate(method, zone));
    let rate = rate.ok_or_else(|| BAD_INPUT.at("/option_id", format!("there is no way {option:.60?} to there")))?;
    let offers = desk.offers(lines, (Some(zone), Some(0)), goods_minor, taken, now);
    let promised = offers.iter().find(|o| o.method.as_deref() == Some(option)).map(told);
    Ok((Delivery::Ship { option: option.into(), price_minor: rate.price(goods_minor) }, promised))
}

/// Chooses how the goods get to the customer.
pub async fn put_delivery(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<DeliveryInput>,
) -> Result<Response, Problem> {
    let asked = asked(&app, id.clone()).await?;
    let desk = desk(&app).await?;
    let taken = taken(&app, &desk).await?;
    let given = input.value;
    let address = given.address.clone().unwrap_or_else(|| asked.address.clone());
    let places = app.board.places();
    let (delivery, promised) =
        choose(&desk, (&places, &taken, app.now()), &asked.lines, (&given, &address, asked.goods_minor))?;
    change(&app, by, id, input.request, move |tx, no| {
        commands::put_delivery(tx, no, &delivery, (&address, promised.as_ref())).map_err(|e| refused(tx, e))
    })
    .await
}

/// Orders a cart: its goods are kept in the same transaction, or it is refused with what is short.
pub async fn checkout(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let shared = app.clone();
    let actor = by.actor();
    app.change_as(by.actor(), input.request, move |tx| {
        let no = cart_no(tx, &id)?;
        let order = commands::checkout(tx, no, &shop(&shared), &actor).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let currency = order.body.currency.clone();
        Ok(Done::created(json!({
            "order_id": ids::id(tx.hash_key(), Kind::Order, order.no),
            "number": order.body.number,
            "state": order.status().as_str(),
            "total": wire::Money { minor: order.body.total_minor, currency },
            "promised": order.body.promised.as_ref().map(wire::PromisedBody::of),
            "holds": order.body.holds,
        })))
    })
    .await
}

/// What a product page asks: how and when a piece can be had.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromisesQuery {
    sku: String,
    quantity: Option<String>,
    address: Option<String>,
    location_id: Option<String>,
    channel: Option<String>,
}

/// Lists the ways in which an SKU can be had, for a product page: answered from memory.
pub async fn promises(
    State(app): State<Arc<App>>,
    _: Shop,
    Params(query): Params<PromisesQuery>,
) -> Result<Json<serde_json::Value>, Problem> {
    let quantity = match &query.quantity {
        Some(text) => Quantity::parse(text).ok().filter(|q| q.is_positive()),
        None => Some(Quantity::units(1)),
    };
    let quantity = quantity.ok_or_else(|| crate::problem::BAD_QUERY.because("quantity is more than nothing"))?;
    let channel = query.channel.as_deref().unwrap_or("site");
    let (line, minor, currency) = app.wanted(&query.sku, quantity, channel).await?;
    let desk = desk(&app).await?;
    let taken = taken(&app, &desk).await?;
    let places = app.board.places();
    let shop = match &query.location_id {
        Some(id) => Some(crate::api::stock::place(&places, "/location_id", id)?),
        None => None,
    };
    let zone = query.address.as_deref().map(|address| desk.settings.zone_of(address));
    let goods = i64::try_from(i128::from(minor) * i128::from(quantity.milli()) / 1000).unwrap_or(i64::MAX);
    let offers = desk.offers(&[line], (zone, shop), goods, &taken, app.now());
    Ok(Json(json!({"sku": query.sku, "items": options(&offers, &desk, &places, &currency)})))
}
