//! Cycle counts.
use super::wire::{Amount, BrokenClaim};
use super::{check_place, place, place_id, places_of, refused, skus, variant};
use crate::app::App;
use crate::caller::{Caller, ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place as place_in};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::counting::{self, Count, CountInput, CountLine, Entered, LineState};
use stock::{commands, lists};

/// What to count.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountBody {
    location_id: String,
    /// Whether who counts is not told what the books have; yes without it.
    blind: Option<bool>,
    /// How far a line may be off, in thousandths of what the books have; 0 without it.
    #[serde(default)]
    tolerance_permille: i64,
    #[serde(default)]
    note: String,
    skus: Vec<String>,
}

/// A count.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CountShown {
    id: Id,
    location_id: String,
    closed: bool,
    blind: bool,
    tolerance_permille: i64,
    note: String,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    lines: Vec<CountLineShown>,
    version: i64,
}

/// A line of a count.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CountLineShown {
    sku: String,
    /// `open`, `variance` (too far off: count again, or let somebody else approve it) or `settled`.
    state: String,
    counted: Option<Amount>,
    #[schema(value_type = Option<String>, format = DateTime)]
    counted_at: Option<Timestamp>,
    counted_by: Option<String>,
    recounts: i64,
    /// What the books had; null to who counts blind, before the line is settled.
    book: Option<Amount>,
    variance: Option<Amount>,
    decided_by: Option<String>,
}

fn line_shown(count: &Count, line: &CountLine, sku: String, by: &Caller) -> CountLineShown {
    let counted = line.state != LineState::Open;
    // Whoever is to count it again must not know; whoever may approve it must.
    let told = counted && (!count.blind || line.state == LineState::Settled || *line.counted_by != *by.actor);
    let text = |text: &str| Some(text.to_string()).filter(|t| !t.is_empty());
    CountLineShown {
        sku,
        state: line.state.as_str().into(),
        counted: counted.then_some(Amount(line.counted)),
        counted_at: counted.then_some(line.counted_at),
        counted_by: text(&line.counted_by),
        recounts: line.recounts,
        book: told.then_some(Amount(line.book)),
        variance: told.then_some(Amount(line.variance)),
        decided_by: text(&line.decided_by),
    }
}

fn shown(tx: &mut db::Tx, count: &Count, by: &Caller) -> Result<CountShown, Problem> {
    let places = commands::places(tx)?;
    let names = skus(tx, count.lines.iter().map(|l| l.variant_no).collect::<Vec<_>>())?;
    let name = |no: i64| names.get(&no).cloned().unwrap_or_default();
    Ok(CountShown {
        id: Id(count.no),
        location_id: place_id(&places, count.location_no),
        closed: count.closed,
        blind: count.blind,
        tolerance_permille: count.tolerance_permille,
        note: count.note.to_string(),
        created_by: count.created_by.to_string(),
        created_at: count.created_at,
        lines: count.lines.iter().map(|line| line_shown(count, line, name(line.variant_no), by)).collect(),
        version: count.version,
    })
}

/// A count in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CountItem {
    id: Id,
    location_id: String,
    closed: bool,
    note: String,
    lines: i64,
    settled: i64,
    variances: i64,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Lists counts, newest first.
#[utoipa::path(get, path = "/api/v1/stock-counts", tag = "stock", params(Page),
    responses((status = 200, body = inline(List<CountItem>))))]
pub async fn list_counts(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Params(page): Params<Page>,
) -> Result<Json<List<CountItem>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place_in::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let (rows, places) = app.query(move |db| Ok((lists::counts(db, before, limit + 1)?, places_of(db)?))).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let items = page.items.into_iter().map(|c| CountItem {
        id: Id(c.no),
        location_id: place_id(&places, c.location_no),
        closed: c.closed,
        note: c.note,
        lines: c.lines,
        settled: c.settled,
        variances: c.variances,
        created_by: c.created_by,
        created_at: c.created_at,
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// Begins a count.
#[utoipa::path(post, path = "/api/v1/stock-counts", tag = "stock", request_body = CountBody,
    responses((status = 201, body = CountShown)))]
pub async fn create_count(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<CountBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let location_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let mut variants = Vec::with_capacity(given.skus.len());
        for (at, sku) in given.skus.iter().enumerate() {
            variants.push(variant(tx, &format!("/skus/{at}"), sku)?);
        }
        let new = CountInput {
            location_no,
            blind: given.blind.unwrap_or(true),
            tolerance_permille: given.tolerance_permille,
            note: given.note.clone(),
            variants,
        };
        let made = counting::begin(tx, &new, &by.actor).map_err(|e| refused(tx, e))?;
        let after = json!({"location_id": given.location_id, "lines": made.lines.len()});
        let body = shown(tx, &made, &by)?;
        Ok(Done::created(body).versioned(made.version).noted(("create", "stock_count"), made.no, None, Some(after)))
    })
    .await
}

/// Shows a count.
#[utoipa::path(get, path = "/api/v1/stock-counts/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = CountShown)))]
pub async fn get_count(
    State(app): State<Arc<App>>,
    ReadStock(caller): ReadStock,
    Path(id): Path<String>,
) -> Result<Json<CountShown>, Problem> {
    let no = Id::in_path(&id)?;
    let body = app
        .write(move |tx| {
            let found = counting::get(tx, no).map_err(|e| refused(tx, e))?;
            shown(tx, &found, &caller)
        })
        .await?;
    Ok(Json(body))
}

/// What was counted.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterBody {
    counted: Amount,
    /// When; now without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// What entering did.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EnteredBody {
    line: CountLineShown,
    /// Claims that cannot be served any more.
    broken: Vec<BrokenClaim>,
}

fn entered(
    tx: &mut db::Tx,
    (no, sku): (i64, &str),
    entered: Entered,
    by: &Caller,
) -> Result<Done<EnteredBody>, Problem> {
    let count = counting::get(tx, no).map_err(|e| refused(tx, e))?;
    let places = commands::places(tx)?;
    let line = line_shown(&count, &entered.line, sku.to_string(), by);
    let broken =
        entered.broken.iter().map(|b| BrokenClaim::of(b, sku.to_string(), place_id(&places, b.location_no))).collect();
    let after = json!({"sku": sku, "counted": Amount(entered.line.counted), "state": entered.line.state.as_str()});
    Ok(Done::ok(EnteredBody { line, broken }).noted(("update", "stock_count"), no, None, Some(after)))
}

/// Enters what was counted of an SKU. What is within tolerance settles at once; beyond it, it is counted again or approved.
#[utoipa::path(put, path = "/api/v1/stock-counts/{id}/lines/{sku}", tag = "stock",
    params(("id" = String, Path), ("sku" = String, Path)), request_body = EnterBody,
    responses((status = 200, body = EnteredBody)))]
pub async fn enter_count(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path((id, sku)): Path<(String, String)>,
    input: Input<EnterBody>,
) -> Result<Response, Problem> {
    let (no, given) = (Id::in_path(&id)?, input.value);
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let count = counting::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, count.location_no)?;
        let variant_no = variant(tx, "/sku", &sku)?;
        let at = given.at.unwrap_or_else(|| tx.now());
        let done = counting::enter(tx, no, variant_no, given.counted.0, (&by.actor, at)).map_err(|e| refused(tx, e))?;
        crate::api::orders::claims_lost(tx, &shared, &done.broken, &by.actor)?;
        entered(tx, (no, &sku), done, &by)
    })
    .await
}

/// Accepts what was counted although it is far off; by somebody who did not count it.
#[utoipa::path(post, path = "/api/v1/stock-counts/{id}/lines/{sku}/approve", tag = "stock",
    params(("id" = String, Path), ("sku" = String, Path)), responses((status = 200, body = EnteredBody)))]
pub async fn approve_count(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path((id, sku)): Path<(String, String)>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let count = counting::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, count.location_no)?;
        let variant_no = variant(tx, "/sku", &sku)?;
        let done = counting::approve(tx, no, variant_no, &by.actor).map_err(|e| refused(tx, e))?;
        crate::api::orders::claims_lost(tx, &shared, &done.broken, &by.actor)?;
        entered(tx, (no, &sku), done, &by)
    })
    .await
}

/// Ends a count: lines that are not settled stay as they were on the books.
#[utoipa::path(post, path = "/api/v1/stock-counts/{id}/close", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = CountShown)))]
pub async fn close_count(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let count = counting::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, count.location_no)?;
        let closed = counting::close(tx, no).map_err(|e| refused(tx, e))?;
        let body = shown(tx, &closed, &by)?;
        let after = Some(json!({"state": "closed"}));
        Ok(Done::ok(body).versioned(closed.version).noted(("update", "stock_count"), no, None, after))
    })
    .await
}
