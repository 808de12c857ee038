//! What the two sides tell each other by REST, and their stock held against each other.
use super::{Id2, missing, named};
use crate::access::{Act, Area};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{Caller, ReadImports, WriteImports};
use crate::change::Done;
use crate::erp::connections;
use crate::erp::differences::{self, Cause, List as Listed, Who};
use crate::erp::events::{self, EVENTS_MAX, Incoming, Outcome, Type};
use crate::erp::feed;
use crate::erp::settle::Held;
use crate::input::{Id, Input, List, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, NOT_ALLOWED, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Something that happened here.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpEvent {
    /// Its place; what is acknowledged is a place.
    id: Id,
    /// `stock.sale`, `order.placed`, `price.changed`, …
    #[serde(rename = "type")]
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// Which events.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// After this place; without it after what was acknowledged.
    #[param(value_type = Option<String>)]
    after: Option<String>,
    limit: Option<i64>,
}

/// Whoever keeps to stores sees those only, and an exchange is of all of them.
fn of_all_stores(caller: &Caller) -> Result<(), Problem> {
    match caller.stores {
        Some(_) => {
            Err(NOT_ALLOWED.because(format!("{} works in some stores only, an exchange is of all", caller.actor)))
        }
        None => Ok(()),
    }
}

fn number(text: &str, pointer: &str) -> Result<i64, Problem> {
    text.parse()
        .ok()
        .filter(|n| *n >= 0)
        .ok_or_else(|| BAD_INPUT.at(pointer, "a place is a number, as it came in an event's id"))
}

/// Lists what happened here and was not told by the other side itself, in its order.
#[utoipa::path(get, path = "/api/v1/erp/{connection}/events", tag = "erp",
    params(("connection" = String, Path), EventsQuery), responses((status = 200, body = inline(List<ErpEvent>))))]
pub async fn list_erp_events(
    State(app): State<Arc<App>>,
    ReadImports(caller): ReadImports,
    Path(name): Path<String>,
    Params(query): Params<EventsQuery>,
) -> Result<Json<List<ErpEvent>>, Problem> {
    of_all_stores(&caller)?;
    let limit = limit(query.limit)?;
    let after = query.after.as_deref().map(|a| number(a, "/after")).transpose()?;
    let found = app
        .query(move |db| {
            let connection = connections::find(db, &name)?.ok_or_else(missing)?;
            let after = after.unwrap_or(connection.acked);
            Ok(feed::after(db, &connection, after, limit)?)
        })
        .await?;
    let shown = found.into_iter().map(|h| ErpEvent { id: Id(h.no), kind: h.kind, at: h.at, data: h.data });
    Ok(Json(List::whole(shown.collect())))
}

/// Up to where the other side has our events.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpAcknowledgement {
    /// The id of the last event that it took over.
    #[schema(value_type = String)]
    upto: String,
}

/// Where the other side stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpAcknowledged {
    acknowledged: Id2,
}

/// Notes that the other side has our events up to one. Never goes back.
#[utoipa::path(post, path = "/api/v1/erp/{connection}/events/acknowledge", tag = "erp", params(("connection" = String, Path)),
    request_body = ErpAcknowledgement, responses((status = 200, body = ErpAcknowledged)))]
pub async fn acknowledge_erp_events(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(name): Path<String>,
    input: Input<ErpAcknowledgement>,
) -> Result<Response, Problem> {
    of_all_stores(&caller)?;
    let upto = number(&input.value.upto, "/upto")?;
    app.change(&caller, input.request, move |tx| {
        let connection = named(tx, &name)?;
        // A place that was not given yet would hide what is still to come.
        if upto >= tx.next_id() {
            return Err(BAD_INPUT.at("/upto", "there is no such event yet"));
        }
        let stands = feed::acknowledge(tx, connection.id, upto)?;
        Ok(Done::ok(ErpAcknowledged { acknowledged: Id2(stands) }))
    })
    .await
}

/// Something that happened there.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpTold {
    /// The other side's own: told twice, it counts once.
    id: String,
    /// `goods`, `price`, `stock`, `receipt`, `sale`, `return` or `payment`.
    #[serde(rename = "type")]
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// See docs/erp.md.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// What happened there, in its order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpTelling {
    events: Vec<ErpTold>,
}

/// What became of an event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpTaken {
    id: String,
    /// `taken`, `repeated`, `waiting` or `refused`.
    outcome: String,
    /// Why it was refused.
    why: Option<String>,
}

fn act_of(kind: Type) -> Act {
    match kind {
        Type::Goods => Act::Write(Area::Catalog),
        Type::Price => Act::Write(Area::Prices),
        Type::Payment => Act::Write(Area::Orders),
        Type::Stock | Type::Receipt | Type::Sale | Type::Return => Act::Write(Area::Stock),
    }
}

/// Takes what happened there: each event for itself.
#[utoipa::path(post, path = "/api/v1/erp/{connection}/events", tag = "erp", params(("connection" = String, Path)),
    request_body = ErpTelling, responses((status = 200, body = inline(List<ErpTaken>))))]
pub async fn tell_erp_events(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(name): Path<String>,
    input: Input<ErpTelling>,
) -> Result<Response, Problem> {
    of_all_stores(&caller)?;
    let told = input.value.events;
    if told.is_empty() || told.len() > EVENTS_MAX {
        return Err(BAD_INPUT.at("/events", format!("1 to {EVENTS_MAX} events are told at once")));
    }
    let mut wanted = Vec::with_capacity(told.len());
    for (at, e) in told.into_iter().enumerate() {
        if e.id.is_empty() || e.id.len() > 500 {
            return Err(BAD_INPUT.at(&format!("/events/{at}/id"), "an id has 1 to 500 bytes"));
        }
        let kind = Type::parse(&e.kind);
        let kind = kind.ok_or_else(|| {
            let what = "goods, price, stock, receipt, sale, return or payment";
            BAD_INPUT.at(&format!("/events/{at}/type"), what)
        })?;
        if !caller.may(act_of(kind)) {
            return Err(NOT_ALLOWED.because(format!("{} takes {}", kind.as_str(), act_of(kind).name())));
        }
        wanted.push(Incoming { id: e.id, kind, at: e.at, data: e.data });
    }
    let currency = app.config.currency.clone();
    app.change(&caller, input.request, move |tx| {
        let connection = named(tx, &name)?;
        let mut out = Vec::with_capacity(wanted.len());
        let mut taken = 0;
        for event in &wanted {
            let outcome = events::take(tx, &connection, &currency, event)?;
            taken += usize::from(outcome == Outcome::Taken);
            let (word, why) = match outcome {
                Outcome::Taken => ("taken", None),
                Outcome::Repeated => ("repeated", None),
                Outcome::Waiting => ("waiting", None),
                Outcome::Refused(why) => ("refused", Some(why)),
            };
            out.push(ErpTaken { id: event.id.clone(), outcome: word.into(), why });
        }
        let done = Done::ok(List::whole(out));
        let after = json!({"events": wanted.len(), "taken": taken});
        Ok(if taken > 0 { done.noted(("tell", "erp_events"), connection.id, None, Some(after)) } else { done })
    })
    .await
}

/// A quantity there.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpQuantity {
    /// The id there, or the SKU.
    external_id: String,
    warehouse: String,
    quantity: Amount,
}

/// The other side's stock at a moment.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpStockList {
    /// Now without it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Without it, what the other side said last, by files or events.
    #[serde(default)]
    items: Option<Vec<ErpQuantity>>,
    /// It is everything that lies there: what it lacks is a difference too.
    whole: bool,
    /// Goes on with a list that was too long for one request.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    run: Option<Id>,
}

/// What came of holding stock against our books.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpCompared {
    run: Id,
    items: i64,
    differences: i64,
}

/// Holds the other side's stock against our books: a check, which changes nothing. `…/differences` lists what it finds.
#[utoipa::path(post, path = "/api/v1/erp/{connection}/reconciliations", tag = "erp", params(("connection" = String, Path)),
    request_body = ErpStockList, responses((status = 200, body = ErpCompared)))]
pub async fn compare_erp_stock(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(name): Path<String>,
    input: Input<ErpStockList>,
) -> Result<Response, Problem> {
    of_all_stores(&caller)?;
    let list = input.value;
    if list.items.as_ref().is_some_and(|i| i.len() > differences::ITEMS_MAX) {
        let what = format!("at most {} at once; go on with `run`", differences::ITEMS_MAX);
        return Err(BAD_INPUT.at("/items", what));
    }
    app.change(&caller, input.request, move |tx| {
        let connection = named(tx, &name)?;
        let (items, said) = match &list.items {
            Some(items) => {
                let held = items.iter().map(|i| Held {
                    external_id: i.external_id.clone(),
                    warehouse: i.warehouse.clone(),
                    quantity: i.quantity.0,
                });
                (held.collect(), tx.now())
            }
            None => differences::last_word(tx, connection.id)?,
        };
        let at = list.at.unwrap_or(said);
        let run = list.run.map_or(0, |id| id.0);
        let done = differences::compare(tx, &connection, &Listed { at, items: &items, whole: list.whole, run })?;
        let body = ErpCompared { run: Id(done.run), items: done.items as i64, differences: done.differences as i64 };
        let after = json!({"items": done.items, "differences": done.differences});
        Ok(Done::ok(body).noted(("compare", "erp_stock"), connection.id, None, Some(after)))
    })
    .await
}

/// A difference between the two sides.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpDifference {
    id: Id,
    run: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Empty where the other side has no id of it.
    external_id: String,
    sku: Option<String>,
    warehouse: String,
    location_id: Option<String>,
    theirs: Amount,
    ours: Amount,
    #[schema(inline)]
    cause: Cause,
    /// Who is right.
    #[schema(inline)]
    right: Who,
    /// What to do.
    advice: String,
}

/// Which differences.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DifferencesQuery {
    /// Of one run; the newest with any without it.
    #[param(value_type = Option<String>)]
    run: Option<Id>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists where the two sides' stock differed, why, who is right, and what to do.
#[utoipa::path(get, path = "/api/v1/erp/{connection}/differences", tag = "erp",
    params(("connection" = String, Path), DifferencesQuery), responses((status = 200, body = inline(List<ErpDifference>))))]
pub async fn list_erp_differences(
    State(app): State<Arc<App>>,
    ReadImports(caller): ReadImports,
    Path(name): Path<String>,
    Params(query): Params<DifferencesQuery>,
) -> Result<Json<List<ErpDifference>>, Problem> {
    of_all_stores(&caller)?;
    let (limit, after) = (limit(query.limit)?, place_in::<1>(query.cursor.as_deref())?.map_or(0, |[id]| id));
    let run = query.run.map_or(0, |id| id.0);
    let (found, places) = app
        .query(move |db| {
            let connection = connections::find(db, &name)?.ok_or_else(missing)?;
            Ok((differences::page(db, connection.id, run, after, limit + 1)?, stock::Places::read(db)?))
        })
        .await?;
    let shown = found.into_iter().map(|d| ErpDifference {
        id: Id(d.id),
        run: Id(d.run),
        at: d.at,
        external_id: d.external_id,
        sku: Some(d.sku).filter(|s| !s.is_empty()),
        warehouse: d.warehouse,
        location_id: places.get(d.location_no).map(|l| l.id.to_string()),
        theirs: Amount(d.theirs),
        ours: Amount(d.ours),
        cause: d.cause,
        right: d.who,
        advice: d.advice,
    });
    Ok(Json(List::page(shown.collect(), limit, |d| cursor(&[d.id.0]))))
}
