//! Steps of a return or exchange. `If-Match` names the version that was read.
use super::wire::ReturnShown;
use super::{refused, word};
use crate::api::orders::shop;
use crate::api::stock::wire::Amount;
use crate::api::stock::{check_place, place};
use crate::app::App;
use crate::caller::{Caller, WriteOrders};
use crate::change::{Done, check_version};
use crate::input::{Id, Input, Nothing, RequestKey, if_match};
use crate::problem::{BAD_INPUT, Problem};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use db::Tx;
use orders::after::commands::{self, Got, Pay, Taken};
use orders::after::model::{Grade, Return, Way};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Who asks for which return, and what makes the request the same as an earlier one.
struct Asked {
    caller: Caller,
    id: String,
    version: Option<i64>,
    request: RequestKey,
}

/// Takes a step: once for its key, with its line in the audit.
async fn step<F>(app: &App, asked: Asked, what: &'static str, mut f: F) -> Result<Response, Problem>
where
    F: FnMut(&mut Tx, i64) -> Result<Arc<Return>, Problem> + Send + 'static,
{
    let no = Id::in_path(&asked.id)?;
    app.change(&asked.caller, asked.request, move |tx| {
        let before = commands::return_of(tx, no).map_err(|e| refused(tx, e))?;
        check_version(asked.version, before.version)?;
        let after = f(tx, no)?;
        let noted = |row: &Return| Some(json!({"kind": row.stage.kind(), "state": row.stage.as_str()}));
        let body = ReturnShown::of(tx, &after)?;
        Ok(Done::ok(body).versioned(after.version).noted((what, "return"), no, noted(&before), noted(&after)))
    })
    .await
}

/// A reason.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// Why it is taken although the rules do not allow it.
    #[serde(default)]
    exception: String,
}

/// Says yes; of an exchange the others are kept now.
#[utoipa::path(post, path = "/api/v1/returns/{id}/approve", tag = "returns", params(("id" = String, Path)),
    request_body = ApproveBody, responses((status = 200, body = ReturnShown)))]
pub async fn approve_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ApproveBody>,
) -> Result<Response, Problem> {
    let (given, shop, actor) = (input.value, shop(&app), caller.actor.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "approve", move |tx, no| {
        commands::approve(tx, &shop, no, &given.exception, &actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// A reason for the customer.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhyBody {
    pub(super) why: String,
}

/// Says no, in words for the customer.
#[utoipa::path(post, path = "/api/v1/returns/{id}/deny", tag = "returns", params(("id" = String, Path)),
    request_body = WhyBody, responses((status = 200, body = ReturnShown)))]
pub async fn deny_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<WhyBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "deny", move |tx, no| commands::deny(tx, no, &given.why, &actor).map_err(|e| refused(tx, e)))
        .await
}

/// The customer keeps the goods after all.
#[utoipa::path(post, path = "/api/v1/returns/{id}/cancel", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = ReturnShown)))]
pub async fn cancel_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let actor = caller.actor.clone();
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "cancel", move |tx, no| commands::cancel(tx, no, &actor).map_err(|e| refused(tx, e))).await
}

/// Goods that came.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenBody {
    /// The place that has them now.
    location_id: String,
    /// Your own id of it, so that telling it twice counts once.
    #[serde(default)]
    key: String,
    lines: Vec<GotBody>,
}

/// Pieces that came.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GotBody {
    /// The return's line, from 0.
    line: i64,
    quantity: Amount,
    /// `sellable`, `outlet` or `write_off`; without it somebody looks later.
    grade: Option<String>,
    /// Batch or serial number.
    #[serde(default)]
    lot: String,
}

pub(super) fn grade(pointer: &str, text: &str) -> Result<Grade, Problem> {
    word(pointer, text, Grade::parse, "sellable, outlet, write_off")
}

pub(super) fn number(pointer: &str, line: i64) -> Result<usize, Problem> {
    usize::try_from(line).map_err(|_| BAD_INPUT.at(pointer, "they are counted from 0"))
}

/// Takes goods in: what is sellable is on sale there at once, what nobody graded waits in quarantine.
#[utoipa::path(post, path = "/api/v1/returns/{id}/receive", tag = "returns", params(("id" = String, Path)),
    request_body = TakenBody, responses((status = 200, body = ReturnShown)))]
pub async fn receive_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<TakenBody>,
) -> Result<Response, Problem> {
    let (given, shop, by) = (input.value, shop(&app), caller.clone());
    let mut lines = Vec::with_capacity(given.lines.len());
    for (at, got) in given.lines.iter().enumerate() {
        let of = |field: &str| format!("/lines/{at}/{field}");
        let grade = got.grade.as_deref().map(|text| grade(&of("grade"), text)).transpose()?;
        let line = number(&of("line"), got.line)?;
        lines.push(Got { line, quantity: got.quantity.0, grade, lot: got.lot.clone() });
    }
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "receive", move |tx, no| {
        let places = stock::commands::places(tx)?;
        let location_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let taken = Taken { location_no, key: given.key.clone(), lines: lines.clone() };
        commands::receive(tx, &shop, no, &taken, &by.actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// What pieces in quarantine are good for.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeBody {
    /// The return's line, from 0.
    line: i64,
    /// Which of what came of it, from 0.
    nth: i64,
    grade: String,
}

/// Grades pieces that wait in quarantine.
#[utoipa::path(post, path = "/api/v1/returns/{id}/grade", tag = "returns", params(("id" = String, Path)),
    request_body = GradeBody, responses((status = 200, body = ReturnShown)))]
pub async fn grade_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<GradeBody>,
) -> Result<Response, Problem> {
    let (given, by) = (input.value, caller.clone());
    let which = (number("/line", given.line)?, number("/nth", given.nth)?);
    let grade = grade("/grade", &given.grade)?;
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "grade", move |tx, no| {
        let row = commands::return_of(tx, no).map_err(|e| refused(tx, e))?;
        if let Some(arrived) = row.body.lines.get(which.0).and_then(|line| line.arrived.get(which.1)) {
            check_place(&by, &*stock::commands::places(tx)?, arrived.location_no)?;
        }
        commands::grade(tx, no, which, grade, &by.actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// Stops waiting for the rest.
#[utoipa::path(post, path = "/api/v1/returns/{id}/close-short", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = ReturnShown)))]
pub async fn close_return_short(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let actor = caller.actor.clone();
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "close", move |tx, no| commands::close_short(tx, no, &actor).map_err(|e| refused(tx, e))).await
}

/// How money is given back.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundBody {
    /// `payments` (without it) or `credit`.
    way: Option<String>,
    /// Kept back, because the goods are not as they were.
    #[serde(default)]
    withheld_minor: i64,
    /// Why it is kept back.
    #[serde(default)]
    why: String,
    /// The money was handed out already, as at a counter.
    #[serde(default)]
    paid_out: bool,
}

/// Gives money back for what came.
#[utoipa::path(post, path = "/api/v1/returns/{id}/refund", tag = "returns", params(("id" = String, Path)),
    request_body = RefundBody, responses((status = 200, body = ReturnShown)))]
pub async fn refund_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<RefundBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let way = match given.way.as_deref() {
        None | Some("payments") => Way::Payments,
        Some("credit") => Way::Credit,
        Some(_) => return Err(BAD_INPUT.at("/way", "payments or credit")),
    };
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "refund", move |tx, no| {
        let (withheld_minor, why, paid_out) = (given.withheld_minor, given.why.clone(), given.paid_out);
        let how = Pay { way, withheld_minor, why, paid_out };
        commands::refund(tx, no, &how, &actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// How the customer gets the others.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilBody {
    /// They are handed over now; without it they left before.
    #[serde(default)]
    hand_over: bool,
}

/// The customer has the others.
#[utoipa::path(post, path = "/api/v1/returns/{id}/fulfil", tag = "returns", params(("id" = String, Path)),
    request_body = FulfilBody, responses((status = 200, body = ReturnShown)))]
pub async fn fulfil_exchange(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<FulfilBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "fulfil", move |tx, no| {
        commands::fulfil(tx, no, given.hand_over, &actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// The others are not to be had: what came back is a return.
#[utoipa::path(post, path = "/api/v1/returns/{id}/turn-into-return", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = ReturnShown)))]
pub async fn turn_into_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let actor = caller.actor.clone();
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    step(&app, asked, "turn", move |tx, no| commands::turn_into_return(tx, no, &actor).map_err(|e| refused(tx, e)))
        .await
}
