//! Cases after the sale: warranty, repair, loans, instructions, a word after delivery.
use super::steps::{grade, number};
use super::wire::{AfterItem, CaseShown};
use super::{AfterQuery, page, refused, word};
use crate::api::orders::shop;
use crate::api::orders::wire::OrderRef;
use crate::api::stock::wire::Amount;
use crate::api::stock::{check_place, place, variant};
use crate::app::App;
use crate::caller::{Caller, ReadOrders, WriteOrders};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, List, Params, RequestKey, if_match};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use db::Tx;
use orders::after::commands::{self, CaseAsk, CaseStep};
use orders::after::lists;
use orders::after::model::{Case, CaseKind};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Lists cases, newest first.
#[utoipa::path(get, path = "/api/v1/after-sale", tag = "returns", params(AfterQuery),
    responses((status = 200, body = inline(List<AfterItem>))))]
pub async fn list_cases(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Params(q): Params<AfterQuery>,
) -> Result<Json<List<AfterItem>>, Problem> {
    page(&app, q, lists::cases).await
}

/// What is asked.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseBody {
    /// `warranty`, `repair`, `instructions` or `check_in`.
    kind: String,
    /// Found by the serial number without it.
    order_id: Option<OrderRef>,
    /// The order's line, from 0.
    line: Option<i64>,
    #[serde(default)]
    serial: String,
    #[serde(default)]
    note: String,
    /// Who looks after it.
    #[serde(default)]
    owner: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// The customer agreed to pay.
    #[serde(default)]
    paid_by_customer: bool,
}

/// Opens a case.
#[utoipa::path(post, path = "/api/v1/after-sale", tag = "returns", request_body = CaseBody,
    responses((status = 201, body = CaseShown)))]
pub async fn create_case(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<CaseBody>,
) -> Result<Response, Problem> {
    let (given, shop, actor) = (input.value, shop(&app), caller.actor.clone());
    let ask = CaseAsk {
        kind: word("/kind", &given.kind, CaseKind::parse, "warranty, repair, instructions, check_in")?,
        order_no: given.order_id.map(|id| id.0),
        line: given.line.map(|line| number("/line", line)).transpose()?,
        serial: given.serial,
        note: given.note,
        owner: given.owner,
        due_at: given.due_at,
        paid_by_customer: given.paid_by_customer,
    };
    app.change(&caller, input.request, move |tx| {
        let made = commands::open_case(tx, &shop, &ask, &actor).map_err(|e| refused(tx, e))?;
        let body = CaseShown::of(tx, &made)?;
        let after = json!({"order": made.order_no, "kind": made.kind.as_str()});
        Ok(Done::created(body).versioned(made.version).noted(("create", "after_sale"), made.no, None, Some(after)))
    })
    .await
}

/// Shows a case.
#[utoipa::path(get, path = "/api/v1/after-sale/{id}", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = CaseShown)))]
pub async fn get_case(State(app): State<Arc<App>>, _: ReadOrders, Path(id): Path<String>) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let (body, version) = app
        .write(move |tx| {
            let found = commands::case_of(tx, no).map_err(|e| refused(tx, e))?;
            Ok((CaseShown::of(tx, &found)?, found.version))
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

async fn change<F>(app: &App, asked: Asked, what: &'static str, mut f: F) -> Result<Response, Problem>
where
    F: FnMut(&mut Tx, i64) -> Result<Arc<Case>, Problem> + Send + 'static,
{
    let no = Id::in_path(&asked.id)?;
    app.change(&asked.caller, asked.request, move |tx| {
        let before = commands::case_of(tx, no).map_err(|e| refused(tx, e))?;
        check_version(asked.version, before.version)?;
        let after = f(tx, no)?;
        let noted = |row: &Case| Some(json!({"state": row.state.as_str(), "owner": row.owner}));
        let body = CaseShown::of(tx, &after)?;
        Ok(Done::ok(body).versioned(after.version).noted((what, "after_sale"), no, noted(&before), noted(&after)))
    })
    .await
}

/// A step.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseStepBody {
    /// `accept`, `wait`, `work`, `finish` or `cancel`.
    step: String,
}

/// Takes a step of a case.
#[utoipa::path(post, path = "/api/v1/after-sale/{id}/step", tag = "returns", params(("id" = String, Path)),
    request_body = CaseStepBody, responses((status = 200, body = CaseShown)))]
pub async fn step_case(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<CaseStepBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let what = match given.step.as_str() {
        "accept" => CaseStep::Accept,
        "wait" => CaseStep::Wait,
        "work" => CaseStep::Work,
        "finish" => CaseStep::Finish,
        "cancel" => CaseStep::Cancel,
        _ => return Err(BAD_INPUT.at("/step", "accept, wait, work, finish or cancel")),
    };
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    change(&app, asked, "step", move |tx, no| commands::step_case(tx, no, what, &actor).map_err(|e| refused(tx, e)))
        .await
}

/// How a case ends.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseBody {
    /// In words for the customer: what came of it, or why we do not do it.
    outcome: String,
    /// We do not do it.
    #[serde(default)]
    refused: bool,
}

/// Ends a case with what came of it, or says no.
#[utoipa::path(post, path = "/api/v1/after-sale/{id}/close", tag = "returns", params(("id" = String, Path)),
    request_body = CloseBody, responses((status = 200, body = CaseShown)))]
pub async fn close_case(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<CloseBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    change(&app, asked, "close", move |tx, no| {
        let done = match given.refused {
            true => commands::refuse_case(tx, no, &given.outcome, &actor),
            false => commands::close_case(tx, no, &given.outcome, &actor),
        };
        done.map_err(|e| refused(tx, e))
    })
    .await
}

/// Who looks after a case.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseAssignBody)]
pub struct AssignBody {
    owner: String,
    /// As it was without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    paid_by_customer: Option<bool>,
}

/// Says who looks after a case, and until when.
#[utoipa::path(post, path = "/api/v1/after-sale/{id}/assign", tag = "returns", params(("id" = String, Path)),
    request_body = AssignBody, responses((status = 200, body = CaseShown)))]
pub async fn assign_case(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<AssignBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    change(&app, asked, "assign", move |tx, no| {
        commands::assign(tx, no, &given.owner, given.due_at, given.paid_by_customer).map_err(|e| refused(tx, e))
    })
    .await
}

/// Something of ours to lend.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LendBody {
    sku: String,
    quantity: Amount,
    /// From where.
    location_id: String,
    #[serde(default)]
    lot: String,
}

/// Lends the customer something for as long as the work takes.
#[utoipa::path(post, path = "/api/v1/after-sale/{id}/lend", tag = "returns", params(("id" = String, Path)),
    request_body = LendBody, responses((status = 200, body = CaseShown)))]
pub async fn lend_in_case(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<LendBody>,
) -> Result<Response, Problem> {
    let (given, by) = (input.value, caller.clone());
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    change(&app, asked, "lend", move |tx, no| {
        let places = stock::commands::places(tx)?;
        let from_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, from_no)?;
        let of = (variant(tx, "/sku", &given.sku)?, from_no, given.lot.as_str());
        commands::lend(tx, no, of, given.quantity.0, &by.actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// Something that was lent is back.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoanBackBody {
    /// Which loan of the case, from 0.
    loan: i64,
    /// Where it is now.
    location_id: String,
    /// `sellable` or `outlet`.
    grade: String,
}

/// Takes back what was lent.
#[utoipa::path(post, path = "/api/v1/after-sale/{id}/take-back", tag = "returns", params(("id" = String, Path)),
    request_body = LoanBackBody, responses((status = 200, body = CaseShown)))]
pub async fn take_back_loan(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<LoanBackBody>,
) -> Result<Response, Problem> {
    let (given, by) = (input.value, caller.clone());
    let (loan, grade) = (number("/loan", given.loan)?, grade("/grade", &given.grade)?);
    let asked = Asked { caller, id, version: if_match(&headers)?, request: input.request };
    change(&app, asked, "take_back", move |tx, no| {
        let places = stock::commands::places(tx)?;
        let to_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, to_no)?;
        commands::take_back(tx, no, loan, (to_no, grade), &by.actor).map_err(|e| refused(tx, e))
    })
    .await
}

/// Which piece went out.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SerialBody {
    order_id: OrderRef,
    /// The order's line, from 0.
    line: i64,
    serial: String,
}

/// Writes down which piece, by its serial number, went out with a line of an order.
#[utoipa::path(post, path = "/api/v1/sold-serials", tag = "returns", request_body = SerialBody,
    responses((status = 204)))]
pub async fn note_serial(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<SerialBody>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let line = number("/line", given.line)?;
    app.change(&caller, input.request, move |tx| {
        commands::note_serial(tx, given.order_id.0, line, &given.serial, &actor).map_err(|e| refused(tx, e))?;
        Ok(Done::nothing().noted(("create", "serial"), given.order_id.0, None, None))
    })
    .await
}
