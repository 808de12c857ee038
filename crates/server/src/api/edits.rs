//! `/bulk-edits`: one change of many customers, looked at first, and taken back as a whole.
use crate::app::App;
use crate::caller::{Caller, ReadCustomers, WriteCustomers};
use crate::change::Done;
use crate::edits::{self, Change, Edit, ROWS_MAX, RowError, TRAITS_MAX, Wanted};
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use crate::scope;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{Country, Timestamp};
use customers::counters::CounterSet;
use db::{DbError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// An identifier, as it stands in somebody's table.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditIdentifier {
    /// `phone`, `email`, `user_id`, `loyalty_card`, …
    kind: String,
    value: String,
}

/// A customer with the traits to set; null removes one.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRow {
    /// Who, by number, or by `identifier`.
    #[serde(default)]
    person_id: Option<Id>,
    #[serde(default)]
    identifier: Option<EditIdentifier>,
    traits: BTreeMap<String, Value>,
}

/// What to change.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkEditInput {
    /// As people will find it again, such as `tier: gold`.
    title: String,
    /// 1 to 1000 rows.
    rows: Vec<EditRow>,
}

/// What one trait was and is to be; null for nothing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EditedTrait {
    name: String,
    before: Value,
    after: Value,
}

/// What comes of a row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EditedRow {
    /// Place in the request, from 0.
    row: i64,
    person_id: Option<Id>,
    name: Option<String>,
    changes: Vec<EditedTrait>,
    /// Why the row is passed over.
    error: Option<RowError>,
    /// The trait at fault.
    at: Option<String>,
}

/// What a change would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkEditPreview {
    rows: Vec<EditedRow>,
    /// Customers that change.
    changed: i64,
    /// Rows that are so already.
    unchanged: i64,
    /// Rows that are passed over.
    failed: i64,
}

/// A change of many customers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkEdit {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    title: String,
    /// Customers.
    changed: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    undone_at: Option<Timestamp>,
    undone_by: Option<String>,
}

/// What was taken back.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkUndo {
    /// Customers.
    changed: i64,
    /// Values that stay because somebody changed them since.
    passed: i64,
}

fn body(edit: Edit) -> BulkEdit {
    let undone = edit.undone_at != 0;
    BulkEdit {
        id: Id(edit.id),
        at: Timestamp::from_micros(edit.at),
        actor: edit.actor,
        title: edit.title,
        changed: edit.changed,
        undone_at: undone.then(|| Timestamp::from_micros(edit.undone_at)),
        undone_by: undone.then_some(edit.undone_by),
    }
}

/// Rows about customers of other stores, who are not there for whoever keeps to theirs.
async fn hidden(app: &Arc<App>, caller: &Caller, rows: &[EditRow]) -> Result<HashSet<usize>, Problem> {
    if caller.stores.is_none() {
        return Ok(HashSet::new());
    }
    let (own, country) = (rows.to_vec(), app.domain.settings().country);
    let found = app
        .read(move |tx| Ok(own.iter().map(|row| who(tx, row, country)).collect::<Result<Vec<_>, DbError>>()?))
        .await?;
    let mut out = HashSet::new();
    for (at, person) in found.into_iter().enumerate() {
        if let Some(person) = person
            && !scope::visible(app, caller, person).await?
        {
            out.insert(at);
        }
    }
    Ok(out)
}

/// The profile that a row names.
fn who(tx: &mut Tx, row: &EditRow, country: Country) -> Result<Option<i64>, DbError> {
    Ok(match (&row.person_id, &row.identifier) {
        (Some(id), _) => Some(id.0),
        (None, Some(i)) => customers::lookup(tx, &i.kind, &i.value, country)?.map(|(_, profile)| profile),
        (None, None) => None,
    })
}

fn checked(input: BulkEditInput) -> Result<BulkEditInput, Problem> {
    let title = input.title.trim().to_string();
    if title.is_empty() || title.chars().count() > 200 || title.contains('\0') {
        return Err(BAD_INPUT.at("/title", "a title has 1 to 200 characters"));
    }
    if input.rows.is_empty() || input.rows.len() > ROWS_MAX {
        return Err(BAD_INPUT.at("/rows", format!("1 to {ROWS_MAX} rows; bring more as an import")));
    }
    for (at, row) in input.rows.iter().enumerate() {
        if row.person_id.is_some() == row.identifier.is_some() {
            return Err(BAD_INPUT.at(&format!("/rows/{at}"), "name either person_id or identifier"));
        }
        if row.traits.len() > TRAITS_MAX {
            return Err(BAD_INPUT.at(&format!("/rows/{at}/traits"), format!("at most {TRAITS_MAX} traits")));
        }
    }
    Ok(BulkEditInput { title, ..input })
}

/// Looks at each row; gives what would change and what to do for it.
fn plan(
    tx: &mut Tx,
    (rows, hidden): (&[EditRow], &HashSet<usize>),
    (counters, country): (&CounterSet, Country),
) -> Result<(Vec<EditedRow>, Vec<Wanted>), DbError> {
    let (mut shown, mut wanted, mut seen) = (Vec::with_capacity(rows.len()), Vec::new(), HashSet::new());
    for (at, row) in rows.iter().enumerate() {
        let mut out =
            EditedRow { row: at as i64, person_id: None, name: None, changes: Vec::new(), error: None, at: None };
        if hidden.contains(&at) {
            out.error = Some(RowError::Nobody);
            shown.push(out);
            continue;
        }
        match one(tx, row, (counters, country), &mut seen, &mut out)? {
            Ok(Some(found)) => wanted.push(found),
            Ok(None) => {}
            Err(error) => out.error = Some(error),
        }
        shown.push(out);
    }
    Ok((shown, wanted))
}

fn one(
    tx: &mut Tx,
    row: &EditRow,
    (counters, country): (&CounterSet, Country),
    seen: &mut HashSet<i64>,
    out: &mut EditedRow,
) -> Result<Result<Option<Wanted>, RowError>, DbError> {
    let id = who(tx, row, country)?;
    let view = id.map(|id| customers::person(tx, id, counters)).transpose()?.flatten();
    let (Some(id), Some(view)) = (id, view) else { return Ok(Err(RowError::Nobody)) };
    out.person_id = Some(Id(view.person_id));
    out.name = view.state.display_name();
    if !seen.insert(view.person_id) {
        return Ok(Err(RowError::Twice));
    }
    if row.traits.is_empty() {
        return Ok(Err(RowError::Empty));
    }
    for (name, value) in &row.traits {
        if let Err(error) = edits::check(name, value) {
            out.at = Some(name.clone());
            return Ok(Err(error));
        }
    }
    let changes = edits::changes(|name| edits::known(&view, name), &row.traits);
    out.changes = changes.iter().map(shown).collect();
    if changes.is_empty() {
        return Ok(Ok(None));
    }
    Ok(match edits::handle(tx, &view, id)? {
        Some((profile, kind, value)) => Ok(Some(Wanted { profile, handle: (kind, value), changes })),
        None => Err(RowError::NoIdentifier),
    })
}

fn shown(change: &Change) -> EditedTrait {
    let value =
        |text: &Option<String>| text.as_deref().and_then(|t| serde_json::from_str(t).ok()).unwrap_or(Value::Null);
    EditedTrait { name: change.name.clone(), before: value(&change.before), after: value(&change.after) }
}

fn summary(rows: Vec<EditedRow>, changed: usize) -> BulkEditPreview {
    let failed = rows.iter().filter(|r| r.error.is_some()).count();
    BulkEditPreview {
        unchanged: (rows.len() - failed - changed) as i64,
        changed: changed as i64,
        failed: failed as i64,
        rows,
    }
}

/// Shows what a change of many customers would do, row by row.
#[utoipa::path(post, path = "/api/v1/bulk-edits/preview", tag = "customers", request_body = BulkEditInput,
    responses((status = 200, body = BulkEditPreview)))]
pub async fn preview_bulk_edit(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    input: Input<BulkEditInput>,
) -> Result<Json<BulkEditPreview>, Problem> {
    let asked = checked(input.value)?;
    let hidden = hidden(&app, &caller, &asked.rows).await?;
    let (counters, country) = (app.domain.preparer().current().counters, app.domain.settings().country);
    let (rows, wanted) = app.read(move |tx| Ok(plan(tx, (&asked.rows, &hidden), (&counters, country))?)).await?;
    Ok(Json(summary(rows, wanted.len())))
}

/// Changes many customers; rows at fault are passed over, as the preview says.
#[utoipa::path(post, path = "/api/v1/bulk-edits", tag = "customers", request_body = BulkEditInput,
    responses((status = 201, body = BulkEdit)))]
pub async fn make_bulk_edit(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    input: Input<BulkEditInput>,
) -> Result<Response, Problem> {
    let asked = checked(input.value)?;
    let hidden = hidden(&app, &caller, &asked.rows).await?;
    let (preparer, country) = (app.domain.preparer().clone(), app.domain.settings().country);
    let actor = caller.actor.clone();
    let answer = app
        .change(&caller, input.request, move |tx| {
            let counters = preparer.current().counters;
            let (_, wanted) = plan(tx, (&asked.rows, &hidden), (&counters, country))?;
            if wanted.is_empty() {
                return Err(CONFLICT.because("no row changes anything"));
            }
            let id = tx.next_id();
            edits::say(tx, &preparer, &format!("edit:{id}"), &wanted)?;
            let made = edits::note(tx, id, &actor, &asked.title, &wanted)?;
            let traits: BTreeMap<&str, usize> =
                wanted.iter().flat_map(|w| &w.changes).fold(BTreeMap::new(), |mut counts, change| {
                    *counts.entry(change.name.as_str()).or_default() += 1;
                    counts
                });
            let after = json!({"customers": wanted.len(), "traits": traits});
            Ok(Done::created(body(made)).noted(("change", "customers"), id, None, Some(after)))
        })
        .await?;
    // The first change makes the source that its events name.
    app.reload_sources().await?;
    Ok(answer)
}

/// Lists changes of many customers, newest first.
#[utoipa::path(get, path = "/api/v1/bulk-edits", tag = "customers", params(Page),
    responses((status = 200, body = inline(List<BulkEdit>))))]
pub async fn list_bulk_edits(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Params(page): Params<Page>,
) -> Result<Json<List<BulkEdit>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let found = app.query(move |db| Ok(edits::list(db, before, limit + 1)?)).await?;
    let List { items, next_cursor } = List::page(found, limit, |e| cursor(&[e.id]));
    // Whoever keeps to stores sees their own only.
    let shown = items.into_iter().filter(|e| caller.stores.is_none() || e.actor == caller.actor);
    Ok(Json(List { items: shown.map(body).collect(), next_cursor }))
}

/// Takes a change back; values that somebody changed since stay.
#[utoipa::path(post, path = "/api/v1/bulk-edits/{id}/undo", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = BulkUndo)))]
pub async fn undo_bulk_edit(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let own_only = caller.stores.is_some();
    let (id, preparer, actor) = (Id::in_path(&id)?, app.domain.preparer().clone(), caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let edit = edits::find(tx, id)?.filter(|e| !own_only || e.actor == actor);
        let edit = edit.ok_or_else(|| NOT_FOUND.because(format!("there is no change {id}")))?;
        if edit.undone_at != 0 {
            return Err(CONFLICT.because("this change was taken back already"));
        }
        let counters = preparer.current().counters;
        let (mut wanted, mut passed) = (Vec::new(), 0);
        for (profile, made) in edits::made(tx, id)? {
            let view = customers::person(tx, profile, &counters)?;
            let handle = match &view {
                Some(view) => edits::handle(tx, view, profile)?,
                None => None,
            };
            let (Some(view), Some((profile, kind, value))) = (view, handle) else {
                passed += made.len();
                continue;
            };
            let (changes, stay) = edits::way_back(|name| edits::known(&view, name), &made);
            passed += stay;
            if !changes.is_empty() {
                wanted.push(Wanted { profile, handle: (kind, value), changes });
            }
        }
        edits::say(tx, &preparer, &format!("undo:{id}"), &wanted)?;
        edits::undone(tx, id, &actor)?;
        let done = BulkUndo { changed: wanted.len() as i64, passed: passed as i64 };
        let after = json!({"customers": done.changed, "passed": done.passed});
        Ok(Done::ok(done).noted(("undo", "customers"), id, None, Some(after)))
    })
    .await
}
