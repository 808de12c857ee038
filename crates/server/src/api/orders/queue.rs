//! What places are asked to do: the pick queue, and a place that goes down.
use super::alerts::PausedPlace;
use super::{refused, shop};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{ReadOrders, WriteOrders};
use crate::change::Done;
use crate::input::{Input, List, Params};
use crate::problem::{BAD_QUERY, NOT_ALLOWED, NOT_FOUND, Problem};
use crate::shop_api::ids::{self, Kind};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use db::Tx;
use orders::commands::{self, pauses};
use orders::states::line::Line as LineState;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Which place.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QueueQuery {
    location_id: String,
    /// 1 to 500; 100 without it.
    limit: Option<i64>,
}

/// Something that a place shall do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct QueueItem {
    order_id: String,
    number: String,
    fulfilment: i64,
    /// `pick_up`, `ship` or `supply`.
    kind: String,
    /// `open`: to be taken; `in_progress`: being picked, or ready.
    state: String,
    name: String,
    try_on: bool,
    paid: bool,
    to_pay_minor: i64,
    currency: String,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    asked_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ready_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    keep_until: Option<Timestamp>,
    transfer_id: Option<String>,
    /// Minutes since the place was asked; those in which it stood still do not count.
    minutes: Option<i64>,
    /// Minutes of the place's own until it should be ready; less than nothing: it is late. Null once it is ready.
    minutes_left: Option<i64>,
    /// Why the clocks stand now.
    paused: Option<PausedPlace>,
    /// Items of one bag have the same: one customer, one place, one way. They can be handed over or sent together.
    bag: Option<String>,
    lines: Vec<PickLine>,
}

/// What is picked.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PickLine {
    line: i64,
    sku: String,
    product: String,
    quantity: Amount,
    state: String,
}

const QUEUE: &str = "SELECT order_no, no FROM fulfilments WHERE location_no = $1 AND state IN ('open', 'in_progress', 'incomplete') \
                     AND asked_at > 0 ORDER BY CASE WHEN ready_at > 0 THEN 1 ELSE 0 END, due_at, order_no LIMIT $2";

/// Lists what a place is asked to do, the most urgent first, what lies ready at the end.
#[utoipa::path(get, path = "/api/v1/pick-queue", tag = "orders", params(QueueQuery),
    responses((status = 200, body = inline(List<QueueItem>))))]
pub async fn pick_queue(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Params(query): Params<QueueQuery>,
) -> Result<Json<List<QueueItem>>, Problem> {
    if caller.stores.as_ref().is_some_and(|stores| !stores.contains(&query.location_id)) {
        return Err(NOT_ALLOWED.because(format!("{} works in other stores than {}", caller.actor, query.location_id)));
    }
    let most = query.limit.unwrap_or(100);
    if !(1..=500).contains(&most) {
        return Err(BAD_QUERY.because("limit is a number from 1 to 500"));
    }
    let places = app.board.places();
    let location = places.find(&query.location_id);
    let location =
        location.ok_or_else(|| NOT_FOUND.because(format!("there is no location {:.60}", query.location_id)))?;
    let (no, place_id) = (location.no, location.id.to_string());
    let items = app
        .read(move |tx| {
            tx.flush_table::<orders::OrderTable>()?;
            let (now, pauses) = (tx.now(), pauses::pauses_of(tx, no)?);
            let held = pauses::holding(&pauses, now);
            let rows = tx.rows(QUEUE, &[no.into(), most.into()])?;
            let mut out: Vec<QueueItem> = Vec::with_capacity(rows.len());
            let mut bags: HashMap<orders::bag::Key, Vec<usize>> = HashMap::new();
            for row in &rows {
                let order = commands::order_of(tx, row.int(0)?).map_err(|e| refused(tx, e))?;
                let number = row.int(1)?;
                let Some(f) = order.body.fulfilments.iter().find(|f| f.no == number) else { continue };
                let mut lines = Vec::new();
                let own =
                    order.body.parts.iter().filter(|p| p.fulfilment == Some(number) && p.state != LineState::Cancelled);
                for part in own {
                    let line = &order.body.lines[part.line];
                    let sql = "SELECT p.name FROM variants v JOIN products p ON p.no = v.product_no WHERE v.no = $1";
                    let name = tx.first(sql, &[line.variant_no.into()])?;
                    lines.push(PickLine {
                        line: part.line as i64,
                        sku: line.sku.clone(),
                        product: name.map(|row| row.text(0).map(String::from)).transpose()?.unwrap_or_default(),
                        quantity: Amount(part.quantity()),
                        state: part.state.as_str().into(),
                    });
                }
                let some = |at: Timestamp| (at.micros() > 0).then_some(at);
                let left = order.open_minor();
                if let Some(key) = orders::bag::key(&order, f) {
                    bags.entry(key).or_default().push(out.len());
                }
                out.push(QueueItem {
                    order_id: ids::id(tx.hash_key(), Kind::Order, order.no),
                    number: order.body.number.clone(),
                    fulfilment: number,
                    kind: f.kind.as_str().into(),
                    state: f.state.as_str().into(),
                    name: order.contact.name.clone(),
                    try_on: order.body.try_on,
                    paid: left == 0,
                    to_pay_minor: left,
                    currency: order.body.currency.clone(),
                    placed_at: order.placed_at,
                    asked_at: some(f.asked_at),
                    due_at: some(f.due_at),
                    ready_at: some(f.ready_at),
                    keep_until: some(f.keep_until),
                    transfer_id: f.transfer_no.map(|no| no.to_string()),
                    minutes: some(f.asked_at).map(|at| pauses::minutes(&pauses, at, some(f.ready_at).unwrap_or(now))),
                    minutes_left: some(f.due_at).filter(|_| f.ready_at.micros() == 0).map(|due| match due >= now {
                        true => pauses::minutes(&pauses, now, due),
                        false => -pauses::minutes(&pauses, due, now),
                    }),
                    paused: held.as_ref().map(|pause| PausedPlace::of(&place_id, pause)),
                    bag: None,
                    lines,
                });
            }
            for together in bags.into_values().filter(|together| together.len() > 1) {
                let first = together.first().map(|at| format!("{}.{}", out[*at].order_id, out[*at].fulfilment));
                together.iter().for_each(|at| out[*at].bag.clone_from(&first));
            }
            Ok(out)
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Gives what a place was asked for and has not taken to other places. Gives how many moved, and whether more wait.
pub fn leave(tx: &mut Tx, app: &App, no: i64, how: (i64, &str, &str)) -> Result<(usize, bool), Problem> {
    let moved = commands::leave_place(tx, no, &shop(app), how).map_err(|e| refused(tx, e))?;
    pipeline::orders::tell(tx, app.domain.preparer())?;
    Ok(moved)
}

/// Why a place cannot serve.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RerouteBody {
    why: String,
}

/// What moved.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Rerouted {
    moved: i64,
    /// Whether more wait: ask again.
    more: bool,
}

/// Gives what a place was asked for and has not taken to other places: it is down.
#[utoipa::path(post, path = "/api/v1/locations/{id}/reroute", tag = "orders", params(("id" = String, Path)),
    request_body = RerouteBody, responses((status = 200, body = Rerouted)))]
pub async fn reroute_location(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<RerouteBody>,
) -> Result<Response, Problem> {
    let (given, by, shared) = (input.value, caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let places = stock::commands::places(tx)?;
        let no = places.find(&id).map(|location| location.no);
        let no = no.ok_or_else(|| NOT_FOUND.because(format!("there is no location {id:.60}")))?;
        crate::api::stock::check_place(&by, &places, no)?;
        let (moved, more) =
            commands::leave_place(tx, no, &shop(&shared), (200, &given.why, &by.actor)).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let done = Done::ok(Rerouted { moved: moved as i64, more });
        Ok(done.noted(("reroute", "location"), &id, None, Some(json!({"moved": moved, "why": given.why}))))
    })
    .await
}
