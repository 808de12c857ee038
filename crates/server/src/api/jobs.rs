//! `/jobs`: long work, how far it is, and a hand on its brake.
use crate::app::App;
use crate::caller::{ReadJobs, WriteJobs};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, cursor, limit, place};
use crate::problem::{BAD_QUERY, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use db::Tx;
use db::jobs::{self, JobError};
use pipeline::jobs::{Kind, StopError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// Some of it is done.
    Running,
    /// All of it is done.
    Done,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

impl JobState {
    fn stored(self) -> jobs::State {
        match self {
            Self::Queued => jobs::State::Queued,
            Self::Running => jobs::State::Running,
            Self::Done => jobs::State::Done,
            Self::Failed => jobs::State::Failed,
            Self::Stopped => jobs::State::Stopped,
        }
    }
    fn of(state: jobs::State) -> Self {
        match state {
            jobs::State::Queued => Self::Queued,
            jobs::State::Running => Self::Running,
            jobs::State::Done => Self::Done,
            jobs::State::Failed => Self::Failed,
            jobs::State::Stopped => Self::Stopped,
        }
    }
}

/// A piece of long work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Job)]
pub struct JobBody {
    id: Id,
    /// What kind of work.
    kind: String,
    /// What it is about, in the numbers of its kind.
    subject: Option<Id>,
    state: JobState,
    /// How far it is, in units of its kind.
    position: i64,
    /// Where it ends; null while nobody knows.
    total: Option<i64>,
    /// Units a second in this run.
    rate: f64,
    /// What it is at.
    note: String,
    /// Why it failed or was stopped.
    reason: Option<String>,
    /// Whether `resume` lets it go on.
    resumable: bool,
    /// Whether `stop` stops it.
    stoppable: bool,
    /// What came of it, once it is done.
    #[schema(value_type = Option<Object>)]
    result: Option<Box<RawValue>>,
    /// Who asked for it.
    actor: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl JobBody {
    /// A job as it is shown.
    pub fn new(job: jobs::Job, kinds: &[Kind]) -> Self {
        let bound = kinds.iter().any(|k| k.name == job.kind && !k.stoppable);
        let failed = job.state == jobs::State::Failed;
        let resumable = !bound && (job.state == jobs::State::Stopped || failed && job.retryable);
        Self {
            id: Id(job.id),
            subject: (job.subject > 0).then_some(Id(job.subject)),
            state: JobState::of(job.state),
            position: job.position.max(0),
            total: (job.total > 0).then_some(job.total),
            rate: (job.rate() * 10.0).round() / 10.0,
            reason: Some(job.reason).filter(|r| !r.is_empty()),
            resumable,
            stoppable: !bound && job.state.is_open(),
            result: Some(job.result).filter(|r| !r.is_empty()).and_then(|r| RawValue::from_string(r).ok()),
            actor: Some(job.actor).filter(|a| !a.is_empty()),
            created_at: Timestamp::from_micros(job.created_at),
            updated_at: Timestamp::from_micros(job.updated_at),
            finished_at: crate::api::wire::moment(job.finished_at),
            note: job.note,
            kind: job.kind,
        }
    }
}

/// Which jobs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of this kind only.
    kind: Option<String>,
    /// In this state only.
    state: Option<JobState>,
    /// Items, 1 to 500; 50 without it.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists jobs, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(Which),
    responses((status = 200, body = inline(List<JobBody>))))]
pub async fn list_jobs(
    State(app): State<Arc<App>>,
    _: ReadJobs,
    crate::input::Params(which): crate::input::Params<Which>,
) -> Result<Json<List<JobBody>>, Problem> {
    let limit = limit(which.limit)?;
    if which.kind.as_ref().is_some_and(|k| k.is_empty() || k.len() > 100) {
        return Err(BAD_QUERY.because("kind has 1 to 100 characters"));
    }
    let before = place::<1>(which.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let state = which.state.map(JobState::stored);
    let found = app.query(move |db| Ok(jobs::list(db, which.kind.as_deref(), state, before, limit + 1)?)).await?;
    let kinds = app.domain.job_kinds();
    let items = found.into_iter().map(|job| JobBody::new(job, kinds)).collect();
    Ok(Json(List::page(items, limit, |job: &JobBody| cursor(&[job.id.0]))))
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobBody)))]
pub async fn get_job(
    State(app): State<Arc<App>>,
    _: ReadJobs,
    Path(id): Path<String>,
) -> Result<Json<JobBody>, Problem> {
    let id = Id::in_path(&id)?;
    let found = app.query(move |db| Ok(jobs::committed(db, id)?)).await?;
    let job = found.ok_or_else(|| NOT_FOUND.because("there is no such job"))?;
    Ok(Json(JobBody::new(job, app.domain.job_kinds())))
}

/// Stops a job; it keeps its place.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/stop", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobBody)))]
pub async fn stop_job(
    State(app): State<Arc<App>>,
    WriteJobs(caller): WriteJobs,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let kinds = app.domain.job_kinds().clone();
    let answer = app.change(&caller, input.request, move |tx| {
        pipeline::jobs::stop(tx, &kinds, id).map_err(refused)?;
        moved(tx, &kinds, id, "stop")
    });
    answer.await
}

/// Lets a stopped or failed job go on where it was.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/resume", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobBody)))]
pub async fn resume_job(
    State(app): State<Arc<App>>,
    WriteJobs(caller): WriteJobs,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let kinds = app.domain.job_kinds().clone();
    let answer = app.change(&caller, input.request, move |tx| {
        pipeline::jobs::resume(tx, &kinds, id).map_err(refused)?;
        moved(tx, &kinds, id, "resume")
    });
    answer.await
}

fn moved(tx: &mut Tx, kinds: &[Kind], id: i64, what: &'static str) -> Result<Done<JobBody>, Problem> {
    let job = jobs::find(tx, id)?.ok_or_else(|| NOT_FOUND.because("there is no such job"))?;
    let after = json!({"kind": job.kind, "position": job.position.max(0)});
    Ok(Done::ok(JobBody::new(job, kinds)).noted((what, "job"), id, None, Some(after)))
}

/// What a person is told who asked for something that cannot be.
pub fn refused(error: StopError) -> Problem {
    match error {
        StopError::Job(JobError::Store(error)) => error.into(),
        StopError::Job(JobError::NotFound(_)) => NOT_FOUND.because("there is no such job"),
        other => CONFLICT.because(other.to_string()),
    }
}
