//! `/orders`: orders of every channel, what is done with them, and what places are asked to do (CONTRACTS 9).
pub mod alerts;
pub mod bags;
pub mod beside;
pub mod figures;
pub mod queue;
pub mod settings;
pub mod steps;
pub mod wire;

use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{Caller, ReadOrders, WriteOrders};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, List, Params, cursor, if_match, limit, place as place_in};
use crate::problem::{BAD_INPUT, BAD_QUERY, CONFLICT, NOT_FOUND, Problem, WRONG_STATE};
use crate::shop_api::carts::{CustomerBody, DeliveryInput, choose};
use crate::shop_api::desk::{desk, taken};
use crate::shop_api::ids::{self, Kind};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use catalog::variants;
use db::Tx;
use orders::OrderError;
use orders::commands::{self, Edit, Shop};
use orders::model::{Delivery, Order};
use orders::offers::WantedLine;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::Places;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of orders.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_orders, create_order))
        .routes(routes!(figures::order_figures))
        .routes(routes!(get_order, edit_order))
        .routes(routes!(steps::step_order))
        .routes(routes!(steps::pay_order))
        .routes(routes!(steps::step_fulfilment))
        .routes(routes!(queue::pick_queue))
        .routes(routes!(bags::step_bag))
        .routes(routes!(beside::order_slots))
        .routes(routes!(beside::sell_beside))
        .routes(routes!(queue::reroute_location))
        .routes(routes!(put_cart_person))
        .routes(routes!(alerts::get_alerts))
        .routes(routes!(alerts::put_alert_key))
        .routes(routes!(settings::get_order_settings, settings::put_order_settings))
}

/// The shop as orders ask.
pub fn shop(app: &App) -> Shop {
    pipeline::orders::shop(app.domain.preparer())
}

/// Why a command of orders was refused, as a problem.
pub fn refused(tx: &mut Tx, error: OrderError) -> Problem {
    match error {
        OrderError::Unknown { what, id } => NOT_FOUND.because(format!("there is no {what} {id:.60}")),
        OrderError::Field { pointer, detail } => BAD_INPUT.at(&pointer, detail),
        OrderError::Refused(refusal) => WRONG_STATE.because(refusal.to_string()),
        OrderError::Stock(error) => crate::api::stock::refused(tx, error),
        OrderError::NoPrice { .. } => CONFLICT.because(error.to_string()),
        OrderError::Store(error) => error.into(),
    }
}

/// The order of an id as the API gives it, of what the customer calls it, or of its number in the books.
pub(super) fn order_no(tx: &mut Tx, id: &str) -> Result<i64, Problem> {
    if let Some(no) = ids::number(tx.hash_key(), Kind::Order, id) {
        return Ok(no);
    }
    tx.flush_table::<orders::OrderTable>()?;
    let row = tx.first("SELECT no FROM orders WHERE number = $1", &[id.into()])?;
    let mut found = row.map(|row| row.int(0)).transpose()?;
    if found.is_none()
        && let Ok(no) = id.parse::<i64>()
    {
        found = tx.get::<orders::OrderTable>(no)?.map(|order| order.no);
    }
    found.ok_or_else(|| NOT_FOUND.because(format!("there is no order {id:.60}")))
}

/// Orders whose goods are not there after all: other places serve them, or a person sees them; in the transaction that found it out.
pub fn claims_lost(tx: &mut Tx, app: &App, broken: &[stock::commands::Broken], actor: &str) -> Result<(), Problem> {
    commands::claims_lost(tx, broken, &shop(app), actor).map_err(|e| refused(tx, e))?;
    pipeline::orders::tell(tx, app.domain.preparer())?;
    Ok(())
}

/// Goods of a transfer came: what was brought for an order is kept for it.
pub fn goods_arrived(tx: &mut Tx, app: &App, transfer_no: i64, actor: &str) -> Result<(), Problem> {
    commands::arrived(tx, transfer_no, actor).map_err(|e| refused(tx, e))?;
    pipeline::orders::tell(tx, app.domain.preparer())?;
    Ok(())
}

/// Goods on order came, come at another time or not at all: orders that wait for them hear of it in the same transaction.
pub fn incoming_moved(tx: &mut Tx, app: &App, actor: &str) -> Result<(), Problem> {
    // A delivery of hundreds of orders is heard by the rest of them a moment later.
    const AT_ONCE: i64 = 500;
    commands::incoming::incoming_moved(tx, &shop(app), AT_ONCE, actor).map_err(|e| refused(tx, e))?;
    pipeline::orders::tell(tx, app.domain.preparer())?;
    Ok(())
}

/// Whoever is bound to stores sees the orders that those serve or hand over.
fn check_stores(caller: &Caller, places: &Places, order: &Order) -> Result<(), Problem> {
    let Some(stores) = &caller.stores else { return Ok(()) };
    let mine = |no: i64| places.get(no).is_some_and(|l| stores.iter().any(|store| **store == *l.id));
    let fetched = match order.body.delivery {
        Delivery::PickUp { location_no } => mine(location_no),
        Delivery::Ship { .. } => false,
    };
    if fetched || order.body.fulfilments.iter().any(|f| mine(f.location_no)) {
        return Ok(());
    }
    Err(NOT_FOUND.because("there is no such order in your stores"))
}

/// Which orders.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// What people see, such as `awaiting_payment`.
    state: Option<String>,
    sales_channel: Option<String>,
    /// Only what this place serves or hands over.
    location_id: Option<String>,
    /// A number, an e-mail or a phone, whole.
    q: Option<String>,
    /// Placed from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Placed before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// 1 to 500; 50 without it.
    limit: Option<i64>,
    cursor: Option<String>,
}

/// An order in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OrderItem {
    order_id: String,
    number: String,
    state: String,
    sales_channel: String,
    currency: String,
    total_minor: i64,
    /// Who ordered, as they name themselves.
    name: String,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

const LIST: &str = "SELECT no, number, status, channel, currency, total_minor, name, placed_at, updated_at FROM orders \
                    WHERE no < $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR channel = $3) AND placed_at >= $4 AND placed_at < $5 \
                    AND ($6 = '' OR number = $6 OR email = $6 OR phone = $7) ORDER BY no DESC LIMIT $8";
const OF_STORES: &str = "SELECT o.no, o.number, o.status, o.channel, o.currency, o.total_minor, o.name, o.placed_at, o.updated_at \
                         FROM orders o WHERE o.no < $1 AND ($2 = '' OR o.status = $2) AND ($3 = '' OR o.channel = $3) \
                         AND o.placed_at >= $4 AND o.placed_at < $5 AND ($6 = '' OR o.number = $6 OR o.email = $6 OR o.phone = $7) \
                         AND o.no IN (SELECT f.order_no FROM fulfilments f JOIN locations l ON l.no = f.location_no \
                         WHERE l.id = $9 OR l.id = $10 OR l.id = $11) ORDER BY o.no DESC LIMIT $8";

/// Lists orders of every channel, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrdersQuery),
    responses((status = 200, body = inline(List<OrderItem>))))]
pub async fn list_orders(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Params(query): Params<OrdersQuery>,
) -> Result<Json<List<OrderItem>>, Problem> {
    let most = limit(query.limit)?;
    let before = place_in::<1>(query.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let q = query.q.unwrap_or_default().trim().to_string();
    let phone = base::normalise_phone(&q, app.domain.settings().country).unwrap_or_default();
    let (state, channel) = (query.state.unwrap_or_default(), query.sales_channel.unwrap_or_default());
    let place = query.location_id.filter(|id| !id.is_empty());
    let (from, to) = (query.from.map_or(i64::MIN, Timestamp::micros), query.to.map_or(i64::MAX, Timestamp::micros));
    if place.is_none() && caller.stores.as_ref().is_some_and(|stores| stores.len() > 3) {
        return Err(BAD_QUERY.because("whoever works in more than three stores asks for the pick queue of each"));
    }
    // An empty phone would match every order without one.
    let phone = if phone.is_empty() { "-".to_string() } else { phone };
    let key = app.board.hash_key();
    let rows = app
        .query(move |db| {
            let mut values: Vec<db::Value<'_>> = vec![
                before.into(),
                (&state).into(),
                (&channel).into(),
                from.into(),
                to.into(),
                (&q).into(),
                (&phone).into(),
                (most + 1).into(),
            ];
            let mut ids: Vec<&str> = match (&caller.stores, &place) {
                (None, None) => Vec::new(),
                // Whoever is bound to stores asks for one of those, or gets nothing.
                (Some(stores), Some(place)) if !stores.iter().any(|store| **store == **place) => vec![""],
                (_, Some(place)) => vec![place],
                (Some(stores), None) => stores.iter().map(|store| &**store).collect(),
            };
            let sql = if caller.stores.is_none() && place.is_none() { LIST } else { OF_STORES };
            if sql == OF_STORES {
                ids.resize(3, "");
                values.extend(ids.into_iter().map(db::Value::from));
            }
            let read = |row: &db::Row| -> Result<(i64, OrderItem), db::DbError> {
                let item = OrderItem {
                    order_id: ids::id(key, Kind::Order, row.int(0)?),
                    number: row.text(1)?.into(),
                    state: row.text(2)?.into(),
                    sales_channel: row.text(3)?.into(),
                    currency: row.text(4)?.into(),
                    total_minor: row.int(5)?,
                    name: row.text(6)?.into(),
                    placed_at: Timestamp::from_micros(row.int(7)?),
                    updated_at: Timestamp::from_micros(row.int(8)?),
                };
                Ok((row.int(0)?, item))
            };
            Ok(db.rows(sql, &values)?.iter().map(read).collect::<Result<Vec<_>, _>>()?)
        })
        .await?;
    let more = rows.len() as i64 > most;
    let mut rows = rows;
    rows.truncate(most as usize);
    let next = rows.last().filter(|_| more).map(|(no, _)| cursor(&[*no]));
    Ok(Json(List { items: rows.into_iter().map(|(_, item)| item).collect(), next_cursor: next }))
}

/// An order with everything that is known of it, as a change answers it.
fn shown(tx: &mut Tx, app: &App, order: &Order) -> Result<wire::OrderBody, Problem> {
    let places = stock::commands::places(tx)?;
    let history = commands::history_of(tx, order.no)?;
    let country = app.domain.settings().country;
    let mut person = None;
    for (kind, value) in
        [("user_id", &order.contact.user_id), ("email", &order.contact.email), ("phone", &order.contact.phone)]
    {
        if person.is_none() && !value.is_empty() {
            person = customers::lookup(tx, kind, value, country)?.map(|(person, _)| person);
        }
    }
    Ok(wire::order(order, (&places, tx.hash_key()), &history, person))
}

/// Shows an order, with what happened to it and why.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = wire::OrderBody)))]
pub async fn get_order(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let shared = app.clone();
    let (body, version) = app
        .read(move |tx| {
            let no = order_no(tx, &id)?;
            let order = commands::order_of(tx, no).map_err(|e| refused(tx, e))?;
            check_stores(&caller, &*stock::commands::places(tx)?, &order)?;
            Ok((shown(tx, &shared, &order)?, order.version))
        })
        .await?;
    Ok(with_version(body, version))
}

/// An order that a colleague takes: by phone, in a shop, for a marketplace.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// `phone` without it.
    sales_channel: Option<String>,
    currency: Option<String>,
    #[schema(value_type = Object)]
    customer: CustomerBody,
    lines: Vec<NewOrderLine>,
    #[schema(value_type = Object)]
    delivery: DeliveryInput,
    #[serde(default)]
    coupons: Vec<String>,
    #[serde(default)]
    try_on: bool,
    /// The colleague to whom it is credited; whoever asks without it.
    seller: Option<String>,
    #[serde(default)]
    note: String,
    /// The customer, where the colleague knows for sure who it is: their prices hold, and they may burn points.
    person_id: Option<Id>,
    /// Points of that customer to burn; as many as the rules allow are.
    #[serde(default)]
    points: i64,
}

/// Goods that are ordered.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrderLine {
    sku: String,
    quantity: Amount,
}

/// Variants with quantities, the same as promises see them, and the sum of the goods.
type Ordered = (Vec<(i64, base::Quantity)>, Vec<WantedLine>, i64);

/// The lines of an order as promises see them, with the variants and the sum of the goods at their base prices.
fn wanted(tx: &mut Tx, lines: &[NewOrderLine], channel: &str) -> Result<Ordered, Problem> {
    let places = stock::commands::places(tx)?;
    let channel = places.channel(channel).cloned();
    let channel = channel.ok_or_else(|| BAD_INPUT.at("/sales_channel", "there is no such channel"))?;
    let now = tx.now();
    let (mut numbers, mut out, mut goods) = (Vec::new(), Vec::new(), 0i64);
    for (at, line) in lines.iter().enumerate() {
        let pointer = format!("/lines/{at}/sku");
        let no = crate::api::stock::variant(tx, &pointer, &line.sku)?;
        let variant = variants::get(tx, no)?;
        let variant = variant.ok_or_else(|| BAD_INPUT.at(&pointer, format!("there is no SKU {:.60}", line.sku)))?;
        let stock = stock::commands::stock(tx, variant.no)?;
        let sum = i128::from(variant.price_minor) * i128::from(line.quantity.0.milli()) / 1000;
        goods = goods.saturating_add(i64::try_from(sum).unwrap_or(i64::MAX));
        numbers.push((variant.no, line.quantity.0));
        let ahead = stock::ahead::of(tx, variant.no)?;
        let (stock, quantity) = (stock.as_deref(), line.quantity.0);
        out.push(WantedLine::new(variant.tracked, stock, quantity, ahead.as_deref(), (&channel, now)));
    }
    Ok((numbers, out, goods))
}

/// Takes an order for a customer: a cart, priced, promised and placed in one step.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    responses((status = 201, body = wire::OrderBody)))]
pub async fn create_order(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<NewOrder>,
) -> Result<Response, Problem> {
    let mut given = input.value;
    let contact = std::mem::take(&mut given.customer).contact(app.domain.settings().country);
    let desk = desk(&app).await?;
    let taken = taken(&app, &desk).await?;
    let (shared, actor) = (app.clone(), caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let channel = given.sales_channel.as_deref().unwrap_or("phone");
        let (numbers, lines, goods) = wanted(tx, &given.lines, channel)?;
        let places = stock::commands::places(tx)?;
        let address = given.delivery_address(&contact.address);
        let (delivery, promised) =
            choose(&desk, (&places, &taken, tx.now()), &lines, (&given.delivery, &address, goods))?;
        let shop = shop(&shared);
        let made = (|| {
            let cart = commands::create_cart(tx, &shop, channel, given.currency.as_deref())?;
            for (variant_no, quantity) in &numbers {
                commands::put_line(tx, cart.no, *variant_no, *quantity, false)?;
            }
            commands::put_contact(tx, cart.no, &contact)?;
            let person_id = given.person_id.as_ref().map_or(0, |id| id.0);
            if person_id != 0 || given.points != 0 {
                commands::buyers::put_person(tx, cart.no, person_id, given.points, &shop)?;
            }
            commands::put_delivery(tx, cart.no, &delivery, (&address, promised.as_ref()))?;
            for code in &given.coupons {
                commands::add_coupon(tx, cart.no, code)?;
            }
            commands::put_try_on(tx, cart.no, given.try_on)?;
            commands::put_seller(tx, cart.no, given.seller.as_deref().unwrap_or(&actor))?;
            let order = commands::checkout(tx, cart.no, &shop, &actor)?;
            if given.note.trim().is_empty() { Ok(order) } else { commands::note(tx, order.no, &given.note, &actor) }
        })();
        let order = made.map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let after = json!({"number": order.body.number, "total_minor": order.body.total_minor});
        let done = Done::created(shown(tx, &shared, &order)?).versioned(order.version);
        Ok(done.noted(("create", "order"), order.no, None, Some(after)))
    })
    .await
}

impl NewOrder {
    fn delivery_address(&self, contact: &str) -> String {
        self.delivery.address.clone().unwrap_or_else(|| contact.to_string())
    }
}

/// Who a cart's customer is, said by whoever knows: the shop's own back end, after a sign-in there.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartPerson {
    /// Null takes it back.
    person_id: Option<Id>,
    /// Points to burn; as many as the rules allow are.
    #[serde(default)]
    points: i64,
}

/// What a cart costs its customer now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CartPriced {
    total_minor: i64,
    /// What points pay of it, where they are a way of paying.
    points_minor: i64,
    burned: i64,
    earned: i64,
    currency: String,
}

/// Vouches for who a cart's customer is: their personal and segments' prices hold from then on, and points may be burned.
#[utoipa::path(put, path = "/api/v1/carts/{id}/person", tag = "orders", params(("id" = String, Path)),
    request_body = CartPerson, responses((status = 200, body = CartPriced)))]
pub async fn put_cart_person(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<CartPerson>,
) -> Result<Response, Problem> {
    let (given, shared) = (input.value, app.clone());
    app.change(&caller, input.request, move |tx| {
        let no = ids::number(tx.hash_key(), Kind::Cart, &id);
        let no = no.ok_or_else(|| NOT_FOUND.because(format!("there is no cart {id:.60}")))?;
        let (shop, person_id) = (shop(&shared), given.person_id.as_ref().map_or(0, |id| id.0));
        let cart = commands::buyers::put_person(tx, no, person_id, given.points, &shop).map_err(|e| refused(tx, e))?;
        let (priced, _) = commands::price_cart(tx, &cart, &shop).map_err(|e| refused(tx, e))?;
        let done = Done::ok(CartPriced {
            total_minor: priced.totals.total_minor,
            points_minor: priced.totals.points_minor,
            burned: priced.points.burned,
            earned: priced.points.earned,
            currency: priced.currency,
        });
        let after = json!({"person": person_id.to_string(), "points": given.points});
        Ok(done.noted(("update", "cart"), no, None, Some(after)))
    })
    .await
}

/// A change of an order; what is not named stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderChange {
    /// All lines as they shall be.
    lines: Option<Vec<NewOrderLine>>,
    #[schema(value_type = Option<Object>)]
    delivery: Option<DeliveryInput>,
    address: Option<String>,
}

/// Changes an order that no place works on yet: its lines, where it goes, how it gets there.
#[utoipa::path(put, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = String, Path)),
    request_body = OrderChange, responses((status = 200, body = wire::OrderBody)))]
pub async fn edit_order(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<OrderChange>,
) -> Result<Response, Problem> {
    let given = input.value;
    let version = if_match(&headers)?;
    let desk = desk(&app).await?;
    let taken = taken(&app, &desk).await?;
    let (shared, by) = (app.clone(), caller.clone());
    app.change(&caller, input.request, move |tx| {
        let no = order_no(tx, &id)?;
        let order = commands::order_of(tx, no).map_err(|e| refused(tx, e))?;
        let places = stock::commands::places(tx)?;
        check_stores(&by, &places, &order)?;
        check_version(version, order.version)?;
        let mut change = Edit { address: given.address.clone(), ..Edit::default() };
        let old: Vec<NewOrderLine> = order
            .body
            .lines
            .iter()
            .map(|l| NewOrderLine { sku: l.sku.clone(), quantity: Amount(base::Quantity::from_milli(l.milli)) })
            .collect();
        let (numbers, lines, goods) = wanted(tx, given.lines.as_deref().unwrap_or(&old), &order.body.channel)?;
        if given.lines.is_some() {
            change.lines = Some(numbers);
        }
        if let Some(delivery) = &given.delivery {
            let address = given.address.as_deref().or(delivery.address.as_deref()).unwrap_or(&order.contact.address);
            let (way, promised) = choose(&desk, (&places, &taken, tx.now()), &lines, (delivery, address, goods))?;
            (change.delivery, change.promised) = (Some(way), promised);
            change.address = Some(address.to_string());
        }
        let before = json!({"total_minor": order.body.total_minor});
        let order = commands::edit(tx, no, &change, &shop(&shared), &by.actor).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let after = json!({"total_minor": order.body.total_minor});
        let done = Done::ok(shown(tx, &shared, &order)?).versioned(order.version);
        Ok(done.noted(("update", "order"), no, Some(before), Some(after)))
    })
    .await
}
