//! Claims: something was wrong with goods.
use super::steps::{WhyBody, number};
use super::wire::{AfterItem, ClaimShown};
use super::{AfterQuery, page, reason, refused, word};
use crate::api::orders::shop;
use crate::api::orders::wire::OrderRef;
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{Caller, ReadOrders, WriteOrders};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, List, Nothing, Params, RequestKey, if_match};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use db::Tx;
use orders::after::commands::{self, ClaimAsk};
use orders::after::lists;
use orders::after::model::{Claim, ClaimLine, Resolution};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Lists claims, newest first.
#[utoipa::path(get, path = "/api/v1/claims", tag = "returns", params(AfterQuery),
    responses((status = 200, body = inline(List<AfterItem>))))]
pub async fn list_claims(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Params(q): Params<AfterQuery>,
) -> Result<Json<List<AfterItem>>, Problem> {
    page(&app, q, lists::claims).await
}

/// What is complained of.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimBody {
    order_id: OrderRef,
    lines: Vec<ClaimLineBody>,
    #[serde(default)]
    note: String,
    /// References of media.
    #[serde(default)]
    photos: Vec<String>,
    /// Your own id of it, so that telling it twice counts once.
    #[serde(default)]
    key: String,
    #[serde(default)]
    channel: String,
}

/// Pieces that something was wrong with.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimLineBody {
    /// The order's line, from 0.
    line: i64,
    quantity: Amount,
    /// As of a return.
    reason: String,
}

/// Writes a claim down.
#[utoipa::path(post, path = "/api/v1/claims", tag = "returns", request_body = ClaimBody,
    responses((status = 201, body = ClaimShown)))]
pub async fn create_claim(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<ClaimBody>,
) -> Result<Response, Problem> {
    let (given, shop, actor) = (input.value, shop(&app), caller.actor.clone());
    let mut lines = Vec::with_capacity(given.lines.len());
    for (at, line) in given.lines.iter().enumerate() {
        lines.push(ClaimLine {
            line: number(&format!("/lines/{at}/line"), line.line)?,
            milli: line.quantity.0.milli(),
            reason: reason(&format!("/lines/{at}/reason"), &line.reason)?,
        });
    }
    let ask = ClaimAsk {
        order_no: given.order_id.0,
        lines,
        note: given.note,
        photos: given.photos,
        key: given.key,
        channel: given.channel,
    };
    app.change(&caller, input.request, move |tx| {
        let made = commands::open_claim(tx, &shop, &ask, &actor).map_err(|e| refused(tx, e))?;
        let body = ClaimShown::of(tx, &made)?;
        let after = json!({"order": made.order_no});
        Ok(Done::created(body).versioned(made.version).noted(("create", "claim"), made.no, None, Some(after)))
    })
    .await
}

/// Shows a claim.
#[utoipa::path(get, path = "/api/v1/claims/{id}", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = ClaimShown)))]
pub async fn get_claim(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let (body, version) = app
        .write(move |tx| {
            let found = commands::claim_of(tx, no).map_err(|e| refused(tx, e))?;
            Ok((ClaimShown::of(tx, &found)?, found.version))
        })
        .await?;
    Ok(with_version(body, version))
}

struct Asked {
    caller: Caller,
    id: String,
    version: Option<i64>,
    request: RequestKey,
}

async fn step<F>(app: &App, asked: Asked, what: &'static str, mut f: F) -> Result<Response, Problem>
where
    F: FnMut(&mut Tx, i64) -> Result<Arc<Claim>, orders::OrderError> + Send + 'static,
{
    let no = Id::in_path(&asked.id)?;
    app.change(&asked.caller, asked.request, move |tx| {
        let before = commands::claim_of(tx, no).map_err(|e| refused(tx, e))?;
        check_version(asked.version, before.version)?;
        let after = f(tx, no).map_err(|e| refused(tx, e))?;
        let noted = |row: &Claim| Some(json!({"state": row.state.as_str(), "refund_minor": row.body.refund_minor}));
        let body = ClaimShown::of(tx, &after)?;
        Ok(Done::ok(body).versioned(after.version).noted((what, "claim"), no, noted(&before), noted(&after)))
    })
    .await
}

/// What a claim brings.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimApproveBody {
    /// `refund`, `replacement` or `both`.
    resolution: String,
    /// Without it a refund is all of what the pieces cost.
    amount_minor: Option<i64>,
    /// In words for the customer.
    #[serde(default)]
    answer: String,
}

/// Says that it is right, and what it brings.
#[utoipa::path(post, path = "/api/v1/claims/{id}/approve", tag = "returns", params(("id" = String, Path)),
    request_body = ClaimApproveBody, responses((status = 200, body = ClaimShown)))]
pub async fn approve_claim(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ClaimApproveBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let resolution = word("/resolution", &given.resolution, Resolution::parse, "refund, replacement, both")?;
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "approve", move |tx, no| {
        commands::approve_claim(tx, no, (resolution, given.amount_minor), &given.answer, &actor)
    })
    .await
}

/// Says that it is not right.
#[utoipa::path(post, path = "/api/v1/claims/{id}/deny", tag = "returns", params(("id" = String, Path)),
    request_body = WhyBody, responses((status = 200, body = ClaimShown)))]
pub async fn deny_claim(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<WhyBody>,
) -> Result<Response, Problem> {
    let (given, shop, actor) = (input.value, shop(&app), caller.actor.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "deny", move |tx, no| commands::deny_claim(tx, &shop, no, &given.why, &actor)).await
}

/// What the customer brings.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenBody {
    #[serde(default)]
    note: String,
    #[serde(default)]
    photos: Vec<String>,
}

/// The customer brings more.
#[utoipa::path(post, path = "/api/v1/claims/{id}/reopen", tag = "returns", params(("id" = String, Path)),
    request_body = ReopenBody, responses((status = 200, body = ClaimShown)))]
pub async fn reopen_claim(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ReopenBody>,
) -> Result<Response, Problem> {
    let (given, shop, actor) = (input.value, shop(&app), caller.actor.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "reopen", move |tx, no| {
        commands::reopen_claim(tx, &shop, no, (&given.note, &given.photos), &actor)
    })
    .await
}

/// The customer takes it back.
#[utoipa::path(post, path = "/api/v1/claims/{id}/cancel", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = ClaimShown)))]
pub async fn cancel_claim(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let actor = caller.actor.clone();
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "cancel", move |tx, no| commands::cancel_claim(tx, no, &actor)).await
}

/// Ends a claim whose money arrived and whose replacement left.
#[utoipa::path(post, path = "/api/v1/claims/{id}/resolve", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = ClaimShown)))]
pub async fn resolve_claim(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let actor = caller.actor.clone();
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "resolve", move |tx, no| commands::resolve_claim(tx, no, &actor)).await
}
