//! `/segments`: groups of people by a condition.
use crate::api::customers::person::caption;
use crate::api::customers::row::{self, CustomerRow};
use crate::api::wire::moment;
use crate::app::App;
use crate::caller::{ReadSegments, WriteSegments};
use crate::change::{Done, check_version, with_version};
use crate::hub::Topic;
use crate::input::{Id, Input, List, Nothing, Params, cursor, if_match, limit, place};
use crate::problem::{ALREADY_EXISTS, BAD_EXPRESSION, BAD_INPUT, CONFLICT, FieldError, NOT_FOUND, Problem};
use crate::sse;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use db::Tx;
use segments::runtime::commands::{self, SegmentError};
use segments::runtime::definitions::{self, Filling};
use segments::runtime::{self, Membership};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Whether a segment's members are all known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SegmentState {
    /// Its past is still being read.
    Filling,
    /// It follows every event.
    Live,
}

/// A segment.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Segment {
    id: Id,
    name: String,
    expression: String,
    state: SegmentState,
    count: i64,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// From 0 to 1.
    progress: f64,
}

/// What a person writes.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentInput {
    name: String,
    expression: String,
}

fn body(tx: &mut Tx, segment: &definitions::Segment) -> Result<Segment, Problem> {
    let live = segment.filling == Filling::Live;
    Ok(Segment {
        id: Id(segment.id),
        name: segment.name.clone(),
        expression: segment.expression.clone(),
        state: if live { SegmentState::Live } else { SegmentState::Filling },
        count: runtime::changes::count(tx, segment.id)?,
        version: segment.version,
        created_at: Timestamp::from_micros(segment.created_at_us),
        updated_at: Timestamp::from_micros(segment.updated_at_us),
        as_of: tx.now(),
        progress: if live { 1.0 } else { commands::progress(tx, segment.id)? },
    })
}

/// Why a command of segments was refused, as a problem.
pub fn refused(error: SegmentError) -> Problem {
    match error {
        SegmentError::Expression(e) => bad_expression(&e),
        SegmentError::Name => BAD_INPUT.at("/name", error.to_string()),
        SegmentError::Taken(_) => ALREADY_EXISTS.at("/name", error.to_string()),
        SegmentError::Unknown(_) | SegmentError::Circle(_) => BAD_EXPRESSION.at("/expression", error.to_string()),
        SegmentError::Needed(_) | SegmentError::TooMany => CONFLICT.because(error.to_string()),
        SegmentError::NotFound(_) => NOT_FOUND.because(error.to_string()),
        SegmentError::Store(error) => error.into(),
    }
}

/// Where an expression cannot be read, and what to write instead.
pub fn bad_expression(error: &segments::SyntaxError) -> Problem {
    let detail = match &error.hint {
        Some(hint) => format!("{} ({hint})", error.problem),
        None => error.problem.to_string(),
    };
    let offset = Some(error.offset as i64);
    let place = FieldError { pointer: "/expression".into(), detail: detail.clone(), offset, line: None };
    Problem { errors: vec![place], ..BAD_EXPRESSION.because(detail) }
}

fn found(tx: &mut Tx, id: i64) -> Result<definitions::Segment, Problem> {
    commands::find(tx, id)?.ok_or_else(|| NOT_FOUND.because(format!("there is no segment {id}")))
}

fn noted(segment: &definitions::Segment) -> Option<Value> {
    Some(json!({"name": segment.name, "expression": segment.expression, "version": segment.version}))
}

/// Lists the segments.
#[utoipa::path(get, path = "/api/v1/segments", tag = "segments", responses((status = 200, body = inline(List<Segment>))))]
pub async fn list_segments(State(app): State<Arc<App>>, _: ReadSegments) -> Result<Json<List<Segment>>, Problem> {
    let items = app.read(|tx| commands::list(tx)?.iter().map(|(s, _)| body(tx, s)).collect()).await?;
    Ok(Json(List::whole(items)))
}

/// Makes a segment.
#[utoipa::path(post, path = "/api/v1/segments", tag = "segments", request_body = SegmentInput,
    responses((status = 201, body = Segment)))]
pub async fn create_segment(
    State(app): State<Arc<App>>,
    WriteSegments(caller): WriteSegments,
    input: Input<SegmentInput>,
) -> Result<Response, Problem> {
    let SegmentInput { name, expression } = input.value;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let segment = commands::create(tx, &name, &expression).map_err(refused)?;
        preparer.follow(tx)?;
        let done = Done::created(body(tx, &segment)?).versioned(segment.version);
        Ok(done.noted(("create", "segment"), segment.id, None, noted(&segment)))
    })
    .await
}

/// Shows a segment.
#[utoipa::path(get, path = "/api/v1/segments/{id}", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = Segment)))]
pub async fn get_segment(
    State(app): State<Arc<App>>,
    _: ReadSegments,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let segment = app
        .read(move |tx| {
            let s = found(tx, id)?;
            body(tx, &s)
        })
        .await?;
    let version = segment.version;
    Ok(with_version(segment, version))
}

/// Changes a segment; a changed condition fills it anew.
#[utoipa::path(put, path = "/api/v1/segments/{id}", tag = "segments", params(("id" = String, Path)),
    request_body = SegmentInput, responses((status = 200, body = Segment)))]
pub async fn update_segment(
    State(app): State<Arc<App>>,
    WriteSegments(caller): WriteSegments,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<SegmentInput>,
) -> Result<Response, Problem> {
    let (id, wanted) = (Id::in_path(&id)?, if_match(&headers)?);
    let SegmentInput { name, expression } = input.value;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let old = found(tx, id)?;
        check_version(wanted, old.version)?;
        let segment = commands::update(tx, id, &name, &expression).map_err(refused)?;
        preparer.follow(tx)?;
        let done = Done::ok(body(tx, &segment)?).versioned(segment.version);
        Ok(done.noted(("update", "segment"), id, noted(&old), noted(&segment)))
    })
    .await
}

/// Archives a segment: it stops moving, nothing is erased.
#[utoipa::path(delete, path = "/api/v1/segments/{id}", tag = "segments", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn archive_segment(
    State(app): State<Arc<App>>,
    WriteSegments(caller): WriteSegments,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let old = found(tx, id)?;
        commands::archive(tx, id).map_err(refused)?;
        preparer.follow(tx)?;
        Ok(Done::nothing().noted(("archive", "segment"), id, noted(&old), None))
    })
    .await
}

/// Brings an archived segment back; it is filled anew.
#[utoipa::path(post, path = "/api/v1/segments/{id}/restore", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = Segment)))]
pub async fn restore_segment(
    State(app): State<Arc<App>>,
    WriteSegments(caller): WriteSegments,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let segment = commands::restore(tx, id).map_err(refused)?;
        preparer.follow(tx)?;
        let done = Done::ok(body(tx, &segment)?).versioned(segment.version);
        Ok(done.noted(("restore", "segment"), id, None, noted(&segment)))
    })
    .await
}

/// Which members.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MembersQuery {
    person_id: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A person in a segment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Member {
    person_id: Id,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    name: Option<String>,
    email: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    leaves_at: Option<Timestamp>,
    cause: Option<String>,
}

/// A page of members.
pub struct MemberPage {
    /// Person and membership.
    pub items: Vec<(i64, Membership)>,
    /// For the next page.
    pub next_cursor: Option<String>,
    /// All members.
    pub count: i64,
}

/// Reads a page of members by person id.
pub async fn member_page(app: &App, segment: i64, after: i64, limit: i64) -> Result<MemberPage, Problem> {
    let (items, more, count) = app
        .write(move |tx| {
            found(tx, segment)?;
            let mut rows = commands::members(tx, segment, after, limit + 1)?;
            let more = rows.len() as i64 > limit;
            rows.truncate(limit as usize);
            let last = rows.last().map(|(person, _)| *person);
            // Whose time ran out a moment ago is no member any more, whatever the table still says.
            let mut items = Vec::with_capacity(rows.len());
            for (person, _) in rows {
                let now = runtime::read_person(tx, person)?;
                items.extend(now.into_iter().find(|m| m.segment_id == segment).map(|m| (person, m)));
            }
            Ok((items, last.filter(|_| more), runtime::changes::count(tx, segment)?))
        })
        .await?;
    Ok(MemberPage { items, next_cursor: more.map(|person| cursor(&[person])), count })
}

/// Lists the members of a segment, or asks for one.
#[utoipa::path(get, path = "/api/v1/segments/{id}/members", tag = "segments", params(("id" = String, Path), MembersQuery),
    responses((status = 200, body = inline(List<Member>))))]
pub async fn segment_members(
    State(app): State<Arc<App>>,
    _: ReadSegments,
    Path(id): Path<String>,
    Params(q): Params<MembersQuery>,
) -> Result<Json<List<Member>>, Problem> {
    let (id, limit) = (Id::in_path(&id)?, limit(q.limit)?);
    let (items, next_cursor) = match q.person_id {
        Some(person) => {
            let (person, _) = crate::api::customers::resolve(&app, &person).await?;
            let one = app.read(move |tx| {
                found(tx, id)?;
                Ok(runtime::read_person(tx, person)?.into_iter().find(|m| m.segment_id == id).map(|m| (person, m)))
            });
            (one.await?.into_iter().collect(), None)
        }
        None => {
            let after = place::<1>(q.cursor.as_deref())?.map_or(0, |[person]| person);
            let page = member_page(&app, id, after, limit).await?;
            (page.items, page.next_cursor)
        }
    };
    let counters = app.domain.preparer().current().counters;
    let items = app.read(move |tx| {
        let mut out = Vec::with_capacity(items.len());
        for (person, m) in items {
            let view = customers::person(tx, person, &counters)?;
            let (name, email) = view.as_ref().map_or((None, None), caption);
            let since = Timestamp::from_micros(m.since_us);
            let cause = Some(m.cause.as_str().to_string());
            out.push(Member { person_id: Id(person), since, name, email, leaves_at: moment(m.leaves_at_us), cause });
        }
        Ok(out)
    });
    Ok(Json(List { items: items.await?, next_cursor }))
}

/// How a membership changed.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The person came in.
    Entered,
    /// The person went.
    Left,
}

/// Somebody came or went.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentChange {
    person_id: Id,
    name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    change: ChangeKind,
    cause: Option<String>,
}

/// How many changes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    limit: Option<i64>,
}

/// Lists who came and went, newest first.
#[utoipa::path(get, path = "/api/v1/segments/{id}/changes", tag = "segments", params(("id" = String, Path), ChangesQuery),
    responses((status = 200, body = inline(List<SegmentChange>))))]
pub async fn segment_changes(
    State(app): State<Arc<App>>,
    _: ReadSegments,
    Path(id): Path<String>,
    Params(q): Params<ChangesQuery>,
) -> Result<Json<List<SegmentChange>>, Problem> {
    let (id, limit) = (Id::in_path(&id)?, limit(q.limit)?);
    let changes = app.query(move |db| Ok(runtime::changes::newest(db, id, limit as usize)?)).await?;
    let counters = app.domain.preparer().current().counters;
    let items = app.read(move |tx| {
        found(tx, id)?;
        let mut out = Vec::with_capacity(changes.len());
        for c in changes {
            let name = customers::person(tx, c.person_id, &counters)?.and_then(|view| caption(&view).0);
            let change = if c.entered { ChangeKind::Entered } else { ChangeKind::Left };
            let cause = Some(c.cause.as_str().to_string());
            out.push(SegmentChange { person_id: Id(c.person_id), name, at: c.at, change, cause });
        }
        Ok(out)
    });
    Ok(Json(List::whole(items.await?)))
}

/// A condition to try.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInput {
    expression: String,
}

/// What a condition would give.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentPreview {
    count: i64,
    of: i64,
    sample: Vec<CustomerRow>,
    took_ms: f64,
}

/// Says whom a condition would hold, without saving anything.
#[utoipa::path(post, path = "/api/v1/segments/preview", tag = "segments", request_body = PreviewInput,
    responses((status = 200, body = SegmentPreview)))]
pub async fn preview_segment(
    State(app): State<Arc<App>>,
    _: ReadSegments,
    input: Input<PreviewInput>,
) -> Result<Json<SegmentPreview>, Problem> {
    let started = std::time::Instant::now();
    let expression = input.value.expression;
    segments::parse(&expression).map_err(|e| bad_expression(&e))?;
    app.settle().await?;
    let found = crate::preview::people(&app, expression, 5).await?;
    let counters = app.domain.preparer().current().counters;
    let sample = app.read(move |tx| Ok(row::of_ids(tx, &found.sample, &counters)?)).await?;
    let took_ms = started.elapsed().as_micros() as f64 / 1000.0;
    Ok(Json(SegmentPreview { count: found.count, of: found.of, sample, took_ms }))
}

/// Tells a segment's count while it moves.
#[utoipa::path(get, path = "/api/v1/segments/{id}/stream", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn segment_stream(
    State(app): State<Arc<App>>,
    _: ReadSegments,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    app.read(move |tx| found(tx, id).map(drop)).await?;
    sse::stream(&app.hub, Topic::Segment(id))
}
