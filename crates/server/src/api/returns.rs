//! `/returns`, `/refunds`, `/claims` and `/after-sale`: what comes after the sale. docs/returns.md is for people.
pub mod cases;
pub mod claims;
pub mod customer;
pub mod policy;
pub mod rates;
pub mod refunds;
pub mod steps;
pub mod wire;

use crate::api::orders::shop;
use crate::api::orders::wire::OrderRef;
use crate::app::App;
use crate::caller::{ReadOrders, WriteOrders};
use crate::change::{Done, with_version};
use crate::input::{Id, Input, List, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem, WRONG_STATE};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use orders::OrderError;
use orders::after::commands::{self, Ask};
use orders::after::lists::{self, Which};
use orders::after::model::{Instead, Reason, Wanted};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of what comes after the sale.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_returns, create_return))
        .routes(routes!(policy::get_return_policy, policy::put_return_policy))
        .routes(routes!(rates::return_rates))
        .routes(routes!(get_return))
        .routes(routes!(steps::approve_return))
        .routes(routes!(steps::deny_return))
        .routes(routes!(steps::cancel_return))
        .routes(routes!(steps::receive_return))
        .routes(routes!(steps::grade_return))
        .routes(routes!(steps::close_return_short))
        .routes(routes!(steps::refund_return))
        .routes(routes!(steps::fulfil_exchange))
        .routes(routes!(steps::turn_into_return))
        .routes(routes!(refunds::list_refunds))
        .routes(routes!(refunds::settle_refund))
        .routes(routes!(refunds::fail_refund))
        .routes(routes!(refunds::retry_refund))
        .routes(routes!(refunds::credit_refund))
        .routes(routes!(refunds::give_goodwill))
        .routes(routes!(claims::list_claims, claims::create_claim))
        .routes(routes!(claims::get_claim))
        .routes(routes!(claims::approve_claim))
        .routes(routes!(claims::deny_claim))
        .routes(routes!(claims::reopen_claim))
        .routes(routes!(claims::cancel_claim))
        .routes(routes!(claims::resolve_claim))
        .routes(routes!(cases::list_cases, cases::create_case))
        .routes(routes!(cases::get_case))
        .routes(routes!(cases::step_case))
        .routes(routes!(cases::close_case))
        .routes(routes!(cases::assign_case))
        .routes(routes!(cases::lend_in_case))
        .routes(routes!(cases::take_back_loan))
        .routes(routes!(cases::note_serial))
        .routes(routes!(customer::after_of_customer))
}

/// Why a command was refused, as a problem.
pub(super) fn refused(tx: &mut db::Tx, error: OrderError) -> Problem {
    match error {
        OrderError::Unknown { .. } => NOT_FOUND.because(error.to_string()),
        OrderError::Field { pointer, detail } => BAD_INPUT.at(&pointer, detail),
        OrderError::Refused(_) => WRONG_STATE.because(error.to_string()),
        OrderError::Stock(error) => super::stock::refused(tx, error),
        OrderError::NoPrice { .. } => BAD_INPUT.at("/lines", error.to_string()),
        OrderError::Store(error) => error.into(),
    }
}

/// A word of a list, or a refusal that names them.
pub(super) fn word<T: Copy>(pointer: &str, text: &str, parse: fn(&str) -> Option<T>, all: &str) -> Result<T, Problem> {
    parse(text).ok_or_else(|| BAD_INPUT.at(pointer, format!("one of {all}")))
}

pub(super) fn reason(pointer: &str, text: &str) -> Result<Reason, Problem> {
    let all: Vec<&str> = Reason::ALL.iter().map(|r| r.as_str()).collect();
    word(pointer, text, Reason::parse, &all.join(", "))
}

/// Which of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AfterQuery {
    /// A state; of returns also `open`, of cases `running`: all that are not over.
    state: Option<String>,
    kind: Option<String>,
    /// Only of this order.
    order_id: Option<OrderRef>,
    /// Only those that are due before.
    #[param(value_type = Option<String>, format = DateTime)]
    due_before: Option<base::Timestamp>,
    /// Of returns and claims, only those with a line that comes back for this reason.
    reason: Option<String>,
    /// Of returns, only those of which something came back to this place.
    location_id: Option<String>,
    /// Of cases, only those that this person looks after, as they are named there.
    owner: Option<String>,
    /// An order's number, an e-mail or a phone, whole.
    q: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

impl AfterQuery {
    fn which(&self, country: base::Country) -> Result<Which, Problem> {
        if let Some(asked) = self.reason.as_deref().filter(|asked| !asked.is_empty()) {
            reason("/reason", asked)?;
        }
        let q = self.q.as_deref().unwrap_or_default().trim();
        Ok(Which {
            state: self.state.clone().unwrap_or_default(),
            kind: self.kind.clone().unwrap_or_default(),
            order_no: self.order_id.map_or(0, |id| id.0),
            due_before: self.due_before.map_or(0, base::Timestamp::micros),
            reason: self.reason.clone().unwrap_or_default(),
            location: self.location_id.clone().unwrap_or_default(),
            owner: self.owner.clone().unwrap_or_default(),
            phone: base::normalise_phone(q, country).unwrap_or_default(),
            q: q.into(),
        })
    }
}

type Read = fn(&mut db::Engine, &Which, i64, i64) -> Result<Vec<lists::Item>, db::DbError>;

/// A page of a list.
async fn page(app: &App, q: AfterQuery, read: Read) -> Result<Json<List<wire::AfterItem>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place_in::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let which = q.which(app.domain.settings().country)?;
    let rows = app.query(move |db| Ok(read(db, &which, before, limit + 1)?)).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let key = app.board.hash_key();
    let items = page.items.into_iter().map(|item| wire::AfterItem::of(key, item)).collect();
    Ok(Json(List { items, next_cursor: page.next_cursor }))
}

/// Lists returns and exchanges, newest first.
#[utoipa::path(get, path = "/api/v1/returns", tag = "returns", params(AfterQuery),
    responses((status = 200, body = inline(List<wire::AfterItem>))))]
pub async fn list_returns(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Params(q): Params<AfterQuery>,
) -> Result<Json<List<wire::AfterItem>>, Problem> {
    page(&app, q, lists::returns).await
}

/// Asks to bring goods back: of an order, or by a receipt alone where the shop takes that. With `instead` it is an exchange. What the rules
/// allow is approved at once, if the shop says so.
#[utoipa::path(post, path = "/api/v1/returns", tag = "returns", request_body = wire::ReturnBody,
    responses((status = 201, body = wire::ReturnShown)))]
pub async fn create_return(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    input: Input<wire::ReturnBody>,
) -> Result<Response, Problem> {
    let (given, shop) = (input.value, shop(&app));
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let of = |field: &str| format!("/lines/{at}/{field}");
            let variant_no = match &line.sku {
                Some(sku) => super::stock::variant(tx, &of("sku"), sku)?,
                None => 0,
            };
            let number = line.line.map(usize::try_from).transpose();
            let number = number.map_err(|_| BAD_INPUT.at(&of("line"), "lines are counted from 0"))?;
            if number.is_none() && variant_no == 0 {
                return Err(BAD_INPUT.at(&of("line"), "name the order's line, or without an order the SKU"));
            }
            let reason = reason(&of("reason"), &line.reason)?;
            lines.push(Wanted { line: number, variant_no, quantity: line.quantity.0, reason });
        }
        let mut instead = Vec::with_capacity(given.instead.len());
        for (at, other) in given.instead.iter().enumerate() {
            let variant_no = super::stock::variant(tx, &format!("/instead/{at}/sku"), &other.sku)?;
            let of = usize::try_from(other.of);
            let of = of.map_err(|_| BAD_INPUT.at(&format!("/instead/{at}/of"), "lines are counted from 0"))?;
            instead.push(Instead { of, variant_no, milli: other.quantity.0.milli() });
        }
        let ask = Ask {
            order_no: given.order_id.map(|id| id.0),
            receipt: given.receipt.clone(),
            contact: orders::model::Contact {
                email: given.email.clone(),
                phone: given.phone.clone(),
                name: given.name.clone(),
                ..Default::default()
            },
            lines,
            instead,
            note: given.note.clone(),
            photos: given.photos.clone(),
            key: given.key.clone(),
            channel: given.channel.clone(),
        };
        let made = commands::request(tx, &shop, &ask, &actor).map_err(|e| refused(tx, e))?;
        let after = json!({"order": made.order_no, "kind": made.stage.kind(), "state": made.stage.as_str()});
        let body = wire::ReturnShown::of(tx, &made)?;
        Ok(Done::created(body).versioned(made.version).noted(("create", "return"), made.no, None, Some(after)))
    })
    .await
}

/// Shows a return or exchange.
#[utoipa::path(get, path = "/api/v1/returns/{id}", tag = "returns", params(("id" = String, Path)),
    responses((status = 200, body = wire::ReturnShown)))]
pub async fn get_return(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let (body, version) = app
        .write(move |tx| {
            let found = commands::return_of(tx, no).map_err(|e| refused(tx, e))?;
            Ok((wire::ReturnShown::of(tx, &found)?, found.version))
        })
        .await?;
    Ok(with_version(body, version))
}
