//! `/audit`: who did and saw what.
use crate::app::App;
use crate::audit::{self, Entry, Filter};
use crate::caller::{ReadAudit, WriteAudit};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place};
use crate::problem::{BAD_QUERY, NOT_FOUND, Problem};
use crate::views;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use db::{DbError, Engine};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Lines of one export.
const EXPORT_MAX: i64 = 100_000;

/// One field that differs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// Its name; empty where the whole thing is one value.
    field: String,
    #[schema(value_type = Value)]
    before: Value,
    #[schema(value_type = Value)]
    after: Value,
}

/// A change that somebody made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    action: String,
    subject_kind: String,
    subject: String,
    /// The subject as people know it, where it has a name.
    subject_name: Option<String>,
    #[schema(value_type = Value)]
    before: Value,
    #[schema(value_type = Value)]
    after: Value,
    /// What differs, field by field.
    changed: Vec<Difference>,
}

/// Which changes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Who: an address, or a key as the list shows it.
    actor: Option<String>,
    action: Option<String>,
    subject_kind: Option<String>,
    subject: Option<String>,
    /// From this moment on (RFC 3339).
    from: Option<String>,
    /// Before this moment.
    until: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

fn filter(q: &AuditQuery) -> Result<Filter, Problem> {
    let moment = |text: &Option<String>| {
        let parsed = text.as_deref().map(Timestamp::parse).transpose();
        parsed.map_err(|e| BAD_QUERY.because(format!("from and until are moments such as 2026-11-22T14:31:08Z: {e}")))
    };
    Ok(Filter {
        actor: q.actor.clone(),
        action: q.action.clone(),
        subject_kind: q.subject_kind.clone(),
        subject: q.subject.clone(),
        from: moment(&q.from)?,
        until: moment(&q.until)?,
    })
}

/// Names of what the lines are about: one query a kind, over what is there now.
fn names(db: &mut Engine, entries: &[Entry]) -> Result<HashMap<(String, String), String>, DbError> {
    const TABLES: [(&str, &str); 5] = [
        ("user", "users"),
        ("api_key", "api_keys"),
        ("source", "sources"),
        ("segment", "segments"),
        ("template", "templates"),
    ];
    let mut out = HashMap::new();
    for (kind, table) in TABLES {
        let mut ids: Vec<i64> =
            entries.iter().filter(|e| e.subject_kind == kind).filter_map(|e| e.subject.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            continue;
        }
        let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
        let sql = format!("SELECT id, name FROM {table} WHERE id IN ({})", places.join(", "));
        let params: Vec<db::Value<'_>> = ids.iter().map(|id| (*id).into()).collect();
        for row in db.rows(&sql, &params)? {
            out.insert((kind.to_string(), row.int(0)?.to_string()), row.text(1)?.to_string());
        }
    }
    Ok(out)
}

fn body(e: Entry, names: &HashMap<(String, String), String>) -> AuditEntry {
    let now = names.get(&(e.subject_kind.clone(), e.subject.clone())).cloned();
    // Something that is gone had a name when it was changed.
    let then = [&e.after, &e.before]
        .into_iter()
        .flatten()
        .find_map(|v| ["name", "email"].iter().find_map(|n| v.get(n)?.as_str()).map(str::to_string));
    let changed = audit::differences(e.before.as_ref(), e.after.as_ref());
    let changed = changed.into_iter().map(|(field, before, after)| Difference { field, before, after });
    AuditEntry {
        id: Id(e.id),
        at: e.at,
        actor: e.actor,
        action: e.action,
        subject_kind: e.subject_kind,
        subject: e.subject,
        subject_name: now.or(then),
        changed: changed.collect(),
        before: e.before.unwrap_or_default(),
        after: e.after.unwrap_or_default(),
    }
}

/// Lists changes, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = inline(List<AuditEntry>))))]
pub async fn list_audit(
    State(app): State<Arc<App>>,
    _: ReadAudit,
    Params(q): Params<AuditQuery>,
) -> Result<Json<List<AuditEntry>>, Problem> {
    let (limit, filter) = (limit(q.limit)?, filter(&q)?);
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let (entries, names) = app
        .query(move |db| {
            let entries = audit::list(db, &filter, before, limit + 1)?;
            let names = names(db, &entries)?;
            Ok((entries, names))
        })
        .await?;
    let items = entries.into_iter().map(|e| body(e, &names));
    Ok(Json(List::page(items.collect(), limit, |e| cursor(&[e.id.0]))))
}

/// Gives the changes as a file, newest first, at most 100,000 of them: a first line with the head of the chain, which proves
/// later that nothing before it was changed, then a line a change.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", params(AuditQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub async fn export_audit(
    State(app): State<Arc<App>>,
    ReadAudit(caller): ReadAudit,
    Params(q): Params<AuditQuery>,
) -> Result<Response, Problem> {
    let filter = filter(&q)?;
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let most = q.limit.unwrap_or(EXPORT_MAX).clamp(1, EXPORT_MAX);
    let now = app.now();
    let text = app
        .query(move |db| {
            let (last, head) = audit::head(db)?;
            let first =
                json!({"exported_at": now, "exported_by": caller.actor, "last": last.to_string(), "head": head});
            let mut out = format!("{first}\n");
            for entry in audit::list(db, &filter, before, most)? {
                let line =
                    serde_json::to_string(&body(entry, &HashMap::new())).map_err(|e| crate::problem::internal(&e))?;
                out.push_str(&line);
                out.push('\n');
            }
            Ok(out)
        })
        .await?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.ndjson\""));
    Ok(response)
}

/// Somebody looked at a customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct View {
    /// The beginning of the hour.
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
    actor: String,
    /// Answers in which the customer stood.
    times: i64,
}

/// Lists who looked at a customer, by hour, newest first, at most 500 lines.
#[utoipa::path(get, path = "/api/v1/audit/views/{person_id}", tag = "audit", params(("person_id" = String, Path)),
    responses((status = 200, body = inline(List<View>))))]
pub async fn list_views(
    State(app): State<Arc<App>>,
    _: ReadAudit,
    Path(id): Path<String>,
) -> Result<Json<List<View>>, Problem> {
    let id = Id::in_path(&id)?;
    views::flush(&app).await;
    let rows = app.query(move |db| Ok(views::of_person(db, id, 500)?)).await?;
    Ok(Json(List::whole(rows.into_iter().map(|(hour, actor, times)| View { hour, actor, times }).collect())))
}

/// Somebody looked at unusually many customers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ViewAlarm {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
    /// Different customers in the hour by then.
    persons: i64,
    /// What an hour of theirs usually has.
    usual: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    closed_by: Option<String>,
}

/// Lists the alarms about looking at customers, newest first.
#[utoipa::path(get, path = "/api/v1/view-alarms", tag = "audit", params(Page),
    responses((status = 200, body = inline(List<ViewAlarm>))))]
pub async fn list_view_alarms(
    State(app): State<Arc<App>>,
    _: ReadAudit,
    Params(page): Params<Page>,
) -> Result<Json<List<ViewAlarm>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    views::flush(&app).await;
    let rows = app.query(move |db| Ok(views::alarms(db, before, limit + 1)?)).await?;
    let items = rows.into_iter().map(|a| ViewAlarm {
        id: Id(a.id),
        at: a.at,
        actor: a.actor,
        hour: a.hour,
        persons: a.persons,
        usual: a.usual,
        closed_at: a.closed_at,
        closed_by: Some(a.closed_by).filter(|b| !b.is_empty()),
    });
    Ok(Json(List::page(items.collect(), limit, |a| cursor(&[a.id.0]))))
}

/// Closes an alarm that somebody has looked into.
#[utoipa::path(post, path = "/api/v1/view-alarms/{id}/close", tag = "audit", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn close_view_alarm(
    State(app): State<Arc<App>>,
    WriteAudit(caller): WriteAudit,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let by = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        if !views::close(tx, id, &by)? {
            return Err(NOT_FOUND.because("no such alarm is open"));
        }
        Ok(Done::nothing().noted(("close", "view_alarm"), id, None, None))
    })
    .await
}
