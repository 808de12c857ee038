//! Privacy: erasing people, their requests, the register of purposes.
pub mod export;
pub mod print;
pub mod purposes;
pub mod requests;
pub mod retention;
pub mod wordings;

use crate::app::App;
use crate::caller::{ReadPrivacy, WritePrivacy};
use crate::change::Done;
use crate::input::{Id, Input, List};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use base::Timestamp;
use pipeline::erasure::{self, EraseError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Longest text of a field, in characters.
const TEXT_MAX: usize = 2_000;

/// A text that is stored: no control characters but line breaks, not too long.
pub fn text(pointer: &str, value: &str, needed: bool) -> Result<String, Problem> {
    let clean: String = value.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    if clean.chars().count() > TEXT_MAX {
        return Err(BAD_INPUT.at(pointer, format!("it has more than {TEXT_MAX} characters")));
    }
    if needed && clean.is_empty() {
        return Err(BAD_INPUT.at(pointer, "say something here"));
    }
    Ok(clean)
}

/// Why somebody is erased.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// For the audit. Name nobody here: it outlives the erasure.
    reason: String,
}

/// An erasure that has begun: the person is unknown from now on; the log and the disk follow.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErasureStarted {
    job_id: Id,
}

/// An erasure and how far it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Erasure {
    job_id: Id,
    person_id: Id,
    /// `queued`, `running`: the log and the tables; `scrub`: what the disk still holds; `done`; `failed`.
    state: String,
    /// Events that the person had.
    events: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Erases a customer with all profiles: identifiers, traits, events, messages, search, segments. Documents that tax law keeps
/// stay without the person. It cannot be undone.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/erasure", tag = "privacy", params(("person_id" = String, Path)),
    request_body = NewErasure, responses((status = 202, body = ErasureStarted)))]
pub async fn erase_customer(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    Path(id): Path<String>,
    input: Input<NewErasure>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let reason = text("/reason", &input.value.reason, true)?;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let job = erasure::begin(tx, &preparer, id).map_err(|e| match e {
            EraseError::NoPerson(id) => NOT_FOUND.because(format!("nobody has the id {id}, or not any more")),
            EraseError::Store(e) => e.into(),
        })?;
        let done = Done { status: StatusCode::ACCEPTED, ..Done::ok(ErasureStarted { job_id: Id(job) }) };
        Ok(done.noted(("erase", "customer"), id, None, Some(json!({"job": job.to_string(), "reason": reason}))))
    })
    .await
}

/// Lists the newest erasures.
#[utoipa::path(get, path = "/api/v1/privacy/erasures", tag = "privacy",
    responses((status = 200, body = inline(List<Erasure>))))]
pub async fn list_erasures(State(app): State<Arc<App>>, _: ReadPrivacy) -> Result<Json<List<Erasure>>, Problem> {
    const NEWEST: i64 = 200;
    let found = app.query(|db| Ok(erasure::list(db, NEWEST)?)).await?;
    let one = |job: db::jobs::Job| Erasure {
        job_id: Id(job.id),
        person_id: Id(job.subject),
        state: if erasure::waits_for_disk(&job) { "scrub".into() } else { job.state.as_str().into() },
        events: job.total,
        created_at: Timestamp::from_micros(job.created_at),
        updated_at: Timestamp::from_micros(job.updated_at),
    };
    Ok(Json(List::whole(found.into_iter().map(one).collect())))
}
