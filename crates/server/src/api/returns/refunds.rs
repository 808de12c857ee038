//! Refunds: what became of money that goes back.
use super::refused;
use super::steps::WhyBody;
use super::wire::RefundShown;
use crate::api::orders::wire::OrderRef;
use crate::app::App;
use crate::caller::{Caller, ReadOrders, WriteOrders};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Params, RequestKey, cursor, limit, place as place_in};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use db::Tx;
use orders::after::model::Refund;
use orders::after::{commands, credit, lists};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Which refunds.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RefundsQuery {
    order_id: Option<OrderRef>,
    /// `pending`, `failed`, `settled` or `credited`.
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists refunds, newest first.
#[utoipa::path(get, path = "/api/v1/refunds", tag = "returns", params(RefundsQuery),
    responses((status = 200, body = inline(List<RefundShown>))))]
pub async fn list_refunds(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Params(q): Params<RefundsQuery>,
) -> Result<Json<List<RefundShown>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place_in::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let (order_no, state) = (q.order_id.map_or(0, |id| id.0), q.state.unwrap_or_default());
    let rows = app.query(move |db| Ok(lists::refunds(db, order_no, &state, before, limit + 1)?)).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let key = app.board.hash_key();
    let items = page.items.iter().map(|row| RefundShown::of(key, row)).collect();
    Ok(Json(List { items, next_cursor: page.next_cursor }))
}

async fn step<F>(
    app: &App,
    (caller, request): (Caller, RequestKey),
    id: &str,
    what: &'static str,
    mut f: F,
) -> Result<Response, Problem>
where
    F: FnMut(&mut Tx, i64) -> Result<Arc<Refund>, orders::OrderError> + Send + 'static,
{
    let no = Id::in_path(id)?;
    app.change(&caller, request, move |tx| {
        let before = commands::refund_of(tx, no).map_err(|e| refused(tx, e))?;
        let after = f(tx, no).map_err(|e| refused(tx, e))?;
        let noted = |row: &Refund| Some(json!({"state": row.state.as_str(), "minor": row.amount_minor}));
        let shown = RefundShown::of(tx.hash_key(), &after);
        Ok(Done::ok(shown).noted((what, "refund"), no, noted(&before), noted(&after)))
    })
    .await
}

/// What the provider told.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleBody {
    /// The provider's own id of it.
    external_id: Option<String>,
}

/// The money is back. Told twice, it counts once.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/settle", tag = "returns", params(("id" = String, Path)),
    request_body = SettleBody, responses((status = 200, body = RefundShown)))]
pub async fn settle_refund(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<SettleBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    step(&app, (caller, input.request), &id, "settle", move |tx, no| {
        commands::settle_refund(tx, no, given.external_id.as_deref().unwrap_or_default(), &actor)
    })
    .await
}

/// The provider could not.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/fail", tag = "returns", params(("id" = String, Path)),
    request_body = WhyBody, responses((status = 200, body = RefundShown)))]
pub async fn fail_refund(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<WhyBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    step(&app, (caller, input.request), &id, "fail", move |tx, no| commands::fail_refund(tx, no, &given.why)).await
}

/// Asks the provider again.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/retry", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = RefundShown)))]
pub async fn retry_refund(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    step(&app, (caller, input.request), &id, "retry", commands::retry_refund).await
}

/// What the customer said.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditBody {
    /// The customer takes store credit instead.
    agreed: bool,
}

/// Gives as store credit what the provider could not give back.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/credit", tag = "returns", params(("id" = String, Path)),
    request_body = CreditBody, responses((status = 200, body = RefundShown)))]
pub async fn credit_refund(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<CreditBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    step(&app, (caller, input.request), &id, "credit", move |tx, no| {
        commands::credit_refund(tx, no, given.agreed, &actor)
    })
    .await
}

/// Something for the trouble.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GoodwillBody {
    order_id: OrderRef,
    /// In the order's currency.
    amount_minor: i64,
    why: String,
    /// Your own id of it, so that it is given once.
    key: String,
}

/// Store credit that was given.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GoodwillShown {
    /// What the customer types to pay with it.
    code: String,
    balance: crate::api::wire::Money,
}

/// Gives store credit for the trouble; it is no part of what was paid.
#[utoipa::path(post, path = "/api/v1/goodwill", tag = "returns", request_body = GoodwillBody,
    responses((status = 201, body = GoodwillShown)))]
pub async fn give_goodwill(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<GoodwillBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let (order_no, minor) = (given.order_id.0, given.amount_minor);
        let account = commands::goodwill(tx, order_no, minor, (&given.key, &given.why), &actor);
        let account = account.and_then(|no| credit::account(tx, no)).map_err(|e| refused(tx, e))?;
        let currency = account.currency.clone();
        let balance = crate::api::wire::Money { minor: account.balance_minor, currency };
        let after = json!({"minor": minor, "why": given.why});
        let body = GoodwillShown { code: account.code.clone(), balance };
        Ok(Done::created(body).noted(("create", "goodwill"), order_no, None, Some(after)))
    })
    .await
}
