//! Orders as their customers see them: by an id that only they have.
use super::Holder;
use super::ids::{self, Kind};
use super::reviews::OwnReview;
use crate::api::orders::steps::{PaymentInput, pay};
use crate::api::orders::{refused, shop, wire};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::change::Done;
use crate::input::Input;
use crate::problem::{NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base::{Quantity, Timestamp};
use db::Tx;
use orders::commands;
use orders::model::{Order, Serving};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// An order as its customer sees it: nothing of who works on it, and no contact, since links are passed on.
#[derive(Debug, Serialize)]
pub struct OrderView {
    order_id: String,
    number: String,
    state: String,
    placed_at: Timestamp,
    delivery: wire::DeliveryBody,
    promised: Option<wire::PromisedBody>,
    lines: Vec<LineView>,
    shipping: wire::Money,
    discount: wire::Money,
    total: wire::Money,
    /// What is still to be paid; less than nothing is given back.
    to_pay: wire::Money,
    /// What stays costs so much more than its share, as it lost discounts by what was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_discount: Option<wire::Money>,
    try_on: bool,
    /// What waits at the counter, or is on its way.
    parcels: Vec<ParcelView>,
    /// The code for the counter, once something waits there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pick_up_code: Option<String>,
    /// Numbers of other orders of the same customer that wait at the same counter: the code opens them too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    with: Vec<String>,
    /// Something can be brought back, or complained of: see `…/returns` and `…/claims`.
    can_return: bool,
    can_claim: bool,
    /// How many returns and claims there are.
    returns: usize,
    claims: usize,
    /// What the customer is asked for: `confirm`, `prepay` or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct LineView {
    sku: String,
    name: String,
    quantity: Amount,
    total: wire::Money,
    /// `waiting`, `ready`, `sent`, `delivered`, `returned` or `cancelled`, of most of its pieces.
    state: &'static str,
    /// It can be reviewed: see `…/reviews`.
    can_review: bool,
    /// What was written of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<OwnReview>,
}

#[derive(Debug, Serialize)]
struct ParcelView {
    kind: &'static str,
    location_id: Option<String>,
    location_name: Option<String>,
    state: &'static str,
    ready_at: Option<Timestamp>,
    keep_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "String::is_empty")]
    tracking: String,
}

pub(super) fn view(tx: &mut Tx, shop: &commands::Shop, order: &Order) -> Result<OrderView, Problem> {
    use orders::confirmation::{PREPAYMENT, UNCONFIRMED};
    use orders::states::fulfilment::Fulfilment;
    use orders::states::line::Line as State;
    let places = stock::commands::places(tx)?;
    let body = &order.body;
    let money = |minor: i64| wire::Money { minor, currency: body.currency.clone() };
    let ready = |no: Option<i64>| body.fulfilments.iter().any(|f| Some(f.no) == no && f.ready_at.micros() > 0);
    let state = |line: usize| {
        let parts = body.parts.iter().filter(|p| p.line == line);
        let most = parts.max_by_key(|p| p.milli);
        match most.map(|p| (p.state, p.fulfilment)) {
            Some((State::Released, no)) if ready(no) => "ready",
            Some((State::Sent, _)) => "sent",
            Some((State::Delivered, _)) => "delivered",
            Some((State::Returned, _)) => "returned",
            Some((State::Cancelled | State::Lost, _)) => "cancelled",
            _ => "waiting",
        }
    };
    let some = |at: Timestamp| (at.micros() > 0).then_some(at);
    let shown = body.fulfilments.iter().filter(|f| f.kind != Serving::Supply && f.state != Fulfilment::Cancelled);
    let parcels: Vec<ParcelView> = shown
        .map(|f| ParcelView {
            kind: f.kind.as_str(),
            location_id: places.get(f.location_no).filter(|_| f.kind == Serving::PickUp).map(|l| l.id.to_string()),
            location_name: places.get(f.location_no).filter(|_| f.kind == Serving::PickUp).map(|l| l.name.to_string()),
            state: match (f.state, f.ready_at.micros() > 0) {
                (Fulfilment::Closed, _) if f.kind == Serving::Ship => "sent",
                (Fulfilment::Closed, _) => "fetched",
                (_, true) => "ready",
                (Fulfilment::InProgress, false) => "in_progress",
                _ => "waiting",
            },
            ready_at: some(f.ready_at),
            keep_until: some(f.keep_until),
            tracking: f.tracking.clone(),
        })
        .collect();
    let mut names = Vec::with_capacity(body.lines.len());
    for line in &body.lines {
        let sql = "SELECT p.name FROM variants v JOIN products p ON p.no = v.product_no WHERE v.no = $1";
        let row = tx.first(sql, &[line.variant_no.into()])?;
        names.push(row.map(|row| row.text(0).map(String::from)).transpose()?.unwrap_or_default());
    }
    let waits = parcels.iter().any(|p| p.kind == "pick_up" && p.state == "ready");
    let with = match waits {
        true => commands::with_it(tx, order).map_err(|e| refused(tx, e))?,
        false => Vec::new(),
    };
    let offered = orders::after::commands::offered(tx, shop, order.no).map_err(|e| refused(tx, e))?;
    let account = orders::after::commands::account_of(tx, order.no)?;
    let reviewable = orders::reviews::commands::reviewable(order);
    let reviews = orders::reviews::commands::of_order(tx, order.no)?;
    let review = |line: usize| reviews.iter().find(|r| r.bought == Some((order.no, line))).map(OwnReview::of);
    let held = |hold: &str| body.holds.iter().any(|h| h == hold);
    Ok(OrderView {
        order_id: ids::id(tx.hash_key(), Kind::Order, order.no),
        number: body.number.clone(),
        state: order.status().as_str().into(),
        placed_at: order.placed_at,
        delivery: wire::delivery(&body.delivery, &places, &body.currency),
        promised: body.promised.as_ref().map(wire::PromisedBody::of),
        lines: body
            .lines
            .iter()
            .enumerate()
            .map(|(at, line)| LineView {
                sku: line.sku.clone(),
                name: names[at].clone(),
                quantity: Amount(Quantity::from_milli(line.milli)),
                total: money(line.total_minor),
                state: state(at),
                can_review: reviewable.contains(&at),
                review: review(at),
            })
            .collect(),
        shipping: money(body.shipping_minor),
        discount: money(body.discount_minor),
        total: money(body.total_minor),
        to_pay: money(order.open_minor()),
        lost_discount: (body.lost_discount_minor != 0).then(|| money(body.lost_discount_minor)),
        try_on: body.try_on,
        parcels,
        pick_up_code: waits.then(|| commands::pick_up_code(tx.hash_key(), order.no)),
        with: with.iter().map(|order| order.body.number.clone()).collect(),
        can_return: offered.iter().any(|o| o.returnable > 0 && o.denied.is_none()),
        can_claim: offered.iter().any(|o| o.claimable > 0),
        returns: account.returns.len(),
        claims: account.claims.len(),
        asks: match () {
            () if held(UNCONFIRMED) => Some("confirm"),
            () if held(PREPAYMENT) => Some("prepay"),
            () => None,
        },
    })
}

pub(super) fn find(tx: &mut Tx, id: &str) -> Result<Arc<Order>, Problem> {
    let no = ids::number(tx.hash_key(), Kind::Order, id);
    let no = no.ok_or_else(|| NOT_FOUND.because("there is no such order"))?;
    commands::order_of(tx, no).map_err(|e| refused(tx, e))
}

/// Shows an order to whoever has its link.
pub async fn get_order(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<OrderView>, Problem> {
    let shared = app.clone();
    let found = app.read(move |tx| {
        let order = find(tx, &id)?;
        view(tx, &shop(&shared), &order)
    });
    Ok(Json(found.await?))
}

/// The pick-up code as an image for the scanner at the counter: the order's address with its code. There is none before something waits.
pub async fn code_image(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let asked = id.clone();
    let code = app
        .read(move |tx| {
            let order = find(tx, &asked)?;
            let waits = |f: &orders::model::Fulfilling| {
                f.kind == Serving::PickUp && f.ready_at.micros() > 0 && f.done_at.micros() == 0
            };
            let code = commands::pick_up_code(tx.hash_key(), order.no);
            Ok(order.body.fulfilments.iter().any(waits).then_some(code))
        })
        .await?;
    let code = code.ok_or_else(|| NOT_FOUND.because("nothing of the order waits at a counter now"))?;
    let image = super::qr::svg(&format!("{}/o/{id}?code={code}", app.public_url.trim_end_matches('/')))?;
    Ok(([(axum::http::header::CONTENT_TYPE, "image/svg+xml")], image).into_response())
}

/// Pays an order.
pub async fn pay_order(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<PaymentInput>,
) -> Result<Response, Problem> {
    let (given, shared, actor) = (input.value, app.clone(), by.actor());
    app.change_as(by.actor(), input.request, move |tx| {
        let order = find(tx, &id)?;
        let (order, payment_id) = pay(tx, &order, &given, (false, &actor))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let paying = order.body.payments.iter().find(|p| p.id == payment_id && p.provider == given.provider);
        let sums = order.sums();
        let money = |minor: i64| wire::Money { minor, currency: order.body.currency.clone() };
        Ok(Done::created(json!({
            "payment_id": payment_id,
            "payment_state": paying.map_or("created", |p| p.state.as_str()),
            "order_id": id,
            "state": order.status().as_str(),
            "paid": money(sums.captured),
            "to_pay": money(order.open_minor()),
        })))
    })
    .await
}

/// The customer confirms by a button: nobody has to call them.
pub async fn confirm_order(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<crate::input::Nothing>,
) -> Result<Response, Problem> {
    let shared = app.clone();
    app.change_as(by.actor(), input.request, move |tx| {
        let order = find(tx, &id)?;
        let order = commands::confirm_order(tx, order.no, "customer").map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        Ok(Done::ok(view(tx, &shop(&shared), &order)?))
    })
    .await
}

/// The customer calls off what no place works on yet.
pub async fn cancel_order(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<CancelBody>,
) -> Result<Response, Problem> {
    let (why, shared) = (input.value.why, app.clone());
    app.change_as(by.actor(), input.request, move |tx| {
        let order = find(tx, &id)?;
        let order = commands::cancel(tx, order.no, None, (false, &why, "customer")).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        Ok(Done::ok(view(tx, &shop(&shared), &order)?))
    })
    .await
}

/// Why it is called off.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CancelBody {
    why: String,
}
