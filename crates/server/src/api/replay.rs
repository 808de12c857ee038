//! `/rejects/…`: trying refused items again, and how many there were by hour.
use crate::app::App;
use crate::caller::{ReadEvents, WriteEvents};
use crate::change::Done;
use crate::collect_api::sender_of;
use crate::input::{Id, Input, List, Nothing, Params};
use crate::problem::{BAD_QUERY, CONFLICT, NOT_FOUND, Problem};
use crate::rejects::{self, Filter};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base::{HOUR_US, Timestamp};
use collect::SourceKind;
use pipeline::rejects::{ReplayError, replay};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Refused items tried again by one request.
const MANY: i64 = 200;

/// Refused items of an hour, by reason.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RejectHour {
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
    code: String,
    count: i64,
}

/// Which hours.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HoursQuery {
    source_id: Option<String>,
    /// 1 to 744; 48 without it.
    hours: Option<i64>,
}

/// Counts refused items by hour and reason, oldest first.
#[utoipa::path(get, path = "/api/v1/rejects/hours", tag = "rejects", params(HoursQuery),
    responses((status = 200, body = inline(List<RejectHour>))))]
pub async fn reject_hours(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Params(q): Params<HoursQuery>,
) -> Result<Json<List<RejectHour>>, Problem> {
    let source = q.source_id.as_deref().map(Id::in_path).transpose()?;
    let back = q.hours.unwrap_or(48);
    if !(1..=744).contains(&back) {
        return Err(BAD_QUERY.because("hours is a number from 1 to 744"));
    }
    let since = Timestamp::from_micros((app.now().micros() / HOUR_US - back + 1) * HOUR_US);
    let found = app.query(move |db| Ok(rejects::hours(db, source, since)?)).await?;
    let items = found.into_iter().map(|(hour, code, count)| RejectHour { hour, code, count }).collect();
    Ok(Json(List::whole(items)))
}

/// What came of trying a refused item again.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReplayOutcome {
    id: Id,
    /// `accepted`, `duplicate`, or the reason for which it is refused still.
    outcome: String,
}

fn refused(error: ReplayError) -> Problem {
    match error {
        ReplayError::NotFound(_) => NOT_FOUND.because(error.to_string()),
        ReplayError::NotByPlan(_) | ReplayError::Done => CONFLICT.because(error.to_string()),
        ReplayError::Store(e) => e.into(),
    }
}

fn kinds(app: &Arc<App>) -> impl Fn(i64) -> SourceKind + Clone + Send + 'static {
    let keys = app.sources();
    move |id| keys.sources().get(id).map_or(SourceKind::Server, |s| sender_of(s).kind)
}

/// Tries a refused item again by the present plan.
#[utoipa::path(post, path = "/api/v1/rejects/{id}/replay", tag = "rejects", params(("id" = String, Path)),
    responses((status = 200, body = ReplayOutcome)))]
pub async fn replay_reject(
    State(app): State<Arc<App>>,
    WriteEvents(caller): WriteEvents,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (id, preparer, kind) = (Id::in_path(&id)?, app.domain.preparer().clone(), kinds(&app));
    let answer = app.change(&caller, input.request, move |tx| {
        let outcome = replay(tx, &preparer, kind.clone(), id).map_err(refused)?;
        let body = ReplayOutcome { id: Id(id), outcome: outcome.as_str().into() };
        Ok(Done::ok(body).noted(("replay", "reject"), id, None, Some(json!({"outcome": outcome.as_str()}))))
    });
    Ok(answer.await?.into_response())
}

/// Which refused items to try again.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayMany {
    source_id: Id,
    /// For one reason only.
    code: Option<String>,
    /// Of one event only, as it was sent.
    event: Option<String>,
}

/// What came of each.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReplayedMany {
    items: Vec<ReplayOutcome>,
}

/// Tries the newest refused items of a source again, 200 at a time.
#[utoipa::path(post, path = "/api/v1/rejects/replay", tag = "rejects", request_body = ReplayMany,
    responses((status = 200, body = ReplayedMany)))]
pub async fn replay_rejects(
    State(app): State<Arc<App>>,
    WriteEvents(caller): WriteEvents,
    input: Input<ReplayMany>,
) -> Result<Response, Problem> {
    let (wanted, preparer, kind) = (input.value, app.domain.preparer().clone(), kinds(&app));
    let filter = Filter {
        source: Some(wanted.source_id.0),
        code: wanted.code,
        event: wanted.event,
        before: i64::MAX,
        ..Filter::default()
    };
    let found = app.query(move |db| Ok(rejects::list(db, &filter, MANY)?)).await?;
    let ids: Vec<i64> = found.iter().filter(|r| r.replayable).map(|r| r.id).collect();
    let source = wanted.source_id.0;
    let answer = app.change(&caller, input.request, move |tx| {
        let mut items = Vec::with_capacity(ids.len());
        for id in &ids {
            let outcome = replay(tx, &preparer, kind.clone(), *id).map_err(refused)?;
            items.push(ReplayOutcome { id: Id(*id), outcome: outcome.as_str().into() });
        }
        let taken = items.iter().filter(|i| i.outcome == "accepted").count();
        let after = json!({"tried": items.len(), "accepted": taken});
        Ok(Done::ok(ReplayedMany { items }).noted(("replay", "rejects"), source, None, Some(after)))
    });
    Ok(answer.await?.into_response())
}
