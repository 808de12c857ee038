//! `/sources/{id}/…`: what a source sends, what it should send, and whether anything reacts to it.
use crate::api::wire::moment;
use crate::app::App;
use crate::caller::{ReadEvents, ReadSources, WriteEvents, WriteSources};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, if_match, limit, place};
use crate::problem::{BAD_PLAN, CHANGED_MEANWHILE, CONFLICT, FieldError, NOT_FOUND, Problem};
use crate::sources::{Source, SourceKind};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use pipeline::sources::learned::lists;
use pipeline::sources::{PutError, observe, put, versions};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

fn known(app: &App, id: &str) -> Result<Arc<Source>, Problem> {
    let id = Id::in_path(id)?;
    app.sources().sources().get(id).cloned().ok_or_else(|| NOT_FOUND.because("there is no such source"))
}

/// What a rule would have done on a day, had its source not been observed only.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WouldHave {
    rule_id: Id,
    rule_name: Option<String>,
    /// The day's beginning, UTC.
    #[schema(value_type = String, format = DateTime)]
    day: Timestamp,
    count: i64,
    /// The newest case.
    person_id: Id,
    message_id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A source with what people decided about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SourceDetail {
    id: Id,
    name: String,
    kind: SourceKind,
    write_key_prefix: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Nothing reacts at customers because of its events.
    observe_only: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    observed_since: Option<Timestamp>,
    /// The newest 100 lines by rule and day.
    would_have: Vec<WouldHave>,
    /// 0 while there is no plan.
    plan_version: i64,
    open_drift: i64,
}

/// Shows a source.
#[utoipa::path(get, path = "/api/v1/sources/{id}", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = SourceDetail)))]
pub async fn get_source(
    State(app): State<Arc<App>>,
    _: ReadSources,
    Path(id): Path<String>,
) -> Result<Json<SourceDetail>, Problem> {
    let source = known(&app, &id)?;
    let id = source.id;
    let (since, cases, names, plan, open) = app
        .query(move |db| {
            let since = observe::observed_since(db)?.get(&id).copied();
            let cases = observe::would_have(db, id, 100)?;
            let mut names = std::collections::HashMap::new();
            for row in db.rows("SELECT id, name FROM message_rules ORDER BY id LIMIT 10000", &[])? {
                names.insert(row.int(0)?, row.text(1)?.to_string());
            }
            let plan = versions(db, id, i64::MAX, 1)?.first().map_or(0, |v| v.version);
            let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM drift WHERE source = $1 AND resolved_at = 0";
            let open = db.first(sql, &[id.into()])?.map_or(Ok(0), |r| r.int(0))?;
            Ok((since, cases, names, plan, open))
        })
        .await?;
    let case = |w: observe::WouldHave| WouldHave {
        rule_id: Id(w.rule_id),
        rule_name: names.get(&w.rule_id).cloned(),
        day: w.day,
        count: w.count,
        person_id: Id(w.person_id),
        message_id: w.message_id,
        at: w.at,
    };
    Ok(Json(SourceDetail {
        id: Id(id),
        name: source.name.clone(),
        kind: source.kind,
        write_key_prefix: Some(source.key_prefix.clone()).filter(|p| !p.is_empty()),
        created_at: source.created_at,
        observe_only: since.is_some(),
        observed_since: since,
        would_have: cases.into_iter().map(case).collect(),
        plan_version: plan,
        open_drift: open,
    }))
}

/// Whether a source is observed only.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Observing {
    observe_only: bool,
}

/// Whether a source is observed only now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Observed {
    observe_only: bool,
}

/// Sets a source to observe only, or lets things react to it from now on.
#[utoipa::path(put, path = "/api/v1/sources/{id}/observe", tag = "sources", params(("id" = String, Path)),
    request_body = Observing, responses((status = 200, body = Observed)))]
pub async fn observe_source(
    State(app): State<Arc<App>>,
    WriteSources(caller): WriteSources,
    Path(id): Path<String>,
    input: Input<Observing>,
) -> Result<Response, Problem> {
    let (source, on) = (known(&app, &id)?, input.value.observe_only);
    let answer = app.change(&caller, input.request, move |tx| {
        let changed = observe::set(tx, source.id, on)?;
        let done = Done::ok(Observed { observe_only: on });
        let (before, after) = (json!({"observe_only": !on}), json!({"observe_only": on}));
        Ok(if changed { done.noted(("observe", "source"), source.id, Some(before), Some(after)) } else { done })
    });
    Ok(answer.await?.into_response())
}

/// A version of a tracking plan.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PlanBody {
    /// 0: nobody wrote one yet.
    version: i64,
    /// See docs/tracking-plan.md.
    text: String,
    actor: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// The job that reads history again, right after a change of meaning.
    job_id: Option<Id>,
}

impl From<pipeline::sources::Version> for PlanBody {
    fn from(v: pipeline::sources::Version) -> Self {
        let created_at = moment(v.created_at_us);
        Self { version: v.version, text: v.text, actor: Some(v.actor), created_at, job_id: None }
    }
}

/// Shows a source's plan.
#[utoipa::path(get, path = "/api/v1/sources/{id}/plan", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = PlanBody)))]
pub async fn get_plan(State(app): State<Arc<App>>, _: ReadEvents, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = known(&app, &id)?.id;
    let newest = app.query(move |db| Ok(versions(db, id, i64::MAX, 1)?)).await?.pop();
    let none = PlanBody { version: 0, text: String::new(), actor: None, created_at: None, job_id: None };
    let body = newest.map_or(none, PlanBody::from);
    let tag = format!("\"v{}\"", body.version);
    Ok(([(axum::http::header::ETAG, tag)], Json(body)).into_response())
}

/// Lists the versions of a source's plan, newest first.
#[utoipa::path(get, path = "/api/v1/sources/{id}/plan/versions", tag = "sources", params(("id" = String, Path), Page),
    responses((status = 200, body = inline(List<PlanBody>))))]
pub async fn plan_versions(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Path(id): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<List<PlanBody>>, Problem> {
    let (id, limit) = (known(&app, &id)?.id, limit(page.limit)?);
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[v]| v);
    let found = app.query(move |db| Ok(versions(db, id, before, limit + 1)?)).await?;
    let items = found.into_iter().map(PlanBody::from).collect();
    Ok(Json(List::page(items, limit, |p: &PlanBody| cursor(&[p.version]))))
}

/// A plan as a person writes it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    text: String,
}

/// Writes a new version of a source's plan. Where events get another meaning, a job reads history again.
#[utoipa::path(put, path = "/api/v1/sources/{id}/plan", tag = "sources", params(("id" = String, Path)),
    request_body = NewPlan, responses((status = 200, body = PlanBody)))]
pub async fn put_plan(
    State(app): State<Arc<App>>,
    WriteEvents(caller): WriteEvents,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<NewPlan>,
) -> Result<Response, Problem> {
    let (source, expected, text) = (known(&app, &id)?, if_match(&headers)?, input.value.text);
    let actor = caller.actor.clone();
    let answer = app.change(&caller, input.request, move |tx| {
        let done = put(tx, source.id, &text, &actor, expected).map_err(refused)?;
        let at = moment(tx.now().micros());
        let body = PlanBody {
            version: done.version,
            text: text.clone(),
            actor: Some(actor.clone()),
            created_at: at,
            job_id: done.job.map(Id),
        };
        let after = json!({"version": done.version, "job": done.job.map(|j| j.to_string())});
        let before = json!({"version": done.version - 1});
        let answer = Done { version: Some(done.version), ..Done::ok(body) };
        Ok(answer.noted(("write_plan", "source"), source.id, Some(before), Some(after)))
    });
    let answer = answer.await?;
    // Requests are held against the new plan from here on.
    let preparer = app.domain.preparer().clone();
    app.read(move |tx| Ok(preparer.follow(tx)?)).await?;
    Ok(answer.into_response())
}

fn refused(error: PutError) -> Problem {
    match error {
        PutError::Plan(e) => {
            let detail = e.to_string();
            let line = Some(e.line as i64);
            let field = FieldError { pointer: "/text".into(), detail: e.detail, offset: None, line };
            Problem { errors: vec![field], ..BAD_PLAN.because(detail) }
        }
        PutError::Changed(_) => CHANGED_MEANWHILE.because(error.to_string()),
        PutError::Rereading(_) => {
            CONFLICT.because(format!("{error}; change the names when it is done (see /api/v1/jobs)"))
        }
        PutError::Store(e) => e.into(),
    }
}

/// A property that was seen.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LearnedProperty {
    name: String,
    /// Values seen, by sample.
    count: i64,
    /// `text, number`, …
    kinds: String,
    /// What a value looks like: letters are `a`, digits `9`.
    shape: String,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

/// An event that was seen.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LearnedEvent {
    /// Its standard name; empty for the events beyond the first 500 names.
    event: String,
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// What was beyond the limits of learning.
    overflow: i64,
    properties: Vec<LearnedProperty>,
}

/// Shows what a source was seen to send.
#[utoipa::path(get, path = "/api/v1/sources/{id}/learned", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<LearnedEvent>))))]
pub async fn learned_events(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Path(id): Path<String>,
) -> Result<Json<List<LearnedEvent>>, Problem> {
    let id = known(&app, &id)?.id;
    let found = app.query(move |db| Ok(lists::learned(db, id)?)).await?;
    let property = |p: lists::LearnedProperty| LearnedProperty {
        name: p.name,
        count: p.count,
        kinds: p.kinds,
        shape: p.shape,
        first_at: p.first_at,
        last_at: p.last_at,
    };
    let event = |e: lists::LearnedEvent| LearnedEvent {
        event: e.name,
        count: e.count,
        first_at: e.first_at,
        last_at: e.last_at,
        overflow: e.overflow,
        properties: e.properties.into_iter().map(property).collect(),
    };
    Ok(Json(List::whole(found.into_iter().map(event).collect())))
}

/// Something that changed in a source's events, or does not fit its plan.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DriftItem {
    id: Id,
    /// `new_event`, `new_property`, `type_change`, `unknown_event`, `missing_property`, `wrong_kind`.
    kind: String,
    event: String,
    property: Option<String>,
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    count: i64,
    /// Ids of messages, newest first.
    message_ids: Vec<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    resolved_by: Option<String>,
}

impl From<lists::DriftItem> for DriftItem {
    fn from(d: lists::DriftItem) -> Self {
        Self {
            id: Id(d.id),
            kind: d.kind,
            event: d.event,
            property: Some(d.property).filter(|p| !p.is_empty()),
            detail: d.detail,
            since: d.since,
            last_at: d.last_at,
            count: d.count,
            message_ids: d.examples,
            resolved_at: moment(d.resolved_at_us),
            resolved_by: Some(d.resolved_by).filter(|b| !b.is_empty()),
        }
    }
}

/// Which drift.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DriftQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    /// Resolved ones too.
    #[serde(default)]
    all: bool,
}

/// Lists what changed in a source's events, newest first.
#[utoipa::path(get, path = "/api/v1/sources/{id}/drift", tag = "sources", params(("id" = String, Path), DriftQuery),
    responses((status = 200, body = inline(List<DriftItem>))))]
pub async fn list_drift(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Path(id): Path<String>,
    Params(q): Params<DriftQuery>,
) -> Result<Json<List<DriftItem>>, Problem> {
    let (id, limit) = (known(&app, &id)?.id, limit(q.limit)?);
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let found = app.query(move |db| Ok(lists::drift(db, id, !q.all, before, limit + 1)?)).await?;
    let items = found.into_iter().map(DriftItem::from).collect();
    Ok(Json(List::page(items, limit, |d: &DriftItem| cursor(&[d.id.0]))))
}

/// Marks a drift as seen and in order.
#[utoipa::path(post, path = "/api/v1/sources/{id}/drift/{drift_id}/resolve", tag = "sources",
    params(("id" = String, Path), ("drift_id" = String, Path)), responses((status = 200, body = DriftItem)))]
pub async fn resolve_drift(
    State(app): State<Arc<App>>,
    WriteEvents(caller): WriteEvents,
    Path((id, drift)): Path<(String, String)>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (source, drift, actor) = (known(&app, &id)?.id, Id::in_path(&drift)?, caller.actor.clone());
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(item) = lists::resolve(tx, source, drift, &actor)? else {
            return Err(NOT_FOUND.because("there is no such drift"));
        };
        let after = json!({"kind": item.kind, "event": item.event, "property": item.property});
        Ok(Done::ok(DriftItem::from(item)).noted(("resolve", "drift"), drift, None, Some(after)))
    });
    Ok(answer.await?.into_response())
}
