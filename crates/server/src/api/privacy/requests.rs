//! Requests of people about their data.
use super::text;
use crate::app::App;
use crate::caller::{ReadPrivacy, WritePrivacy};
use crate::change::{Done, check_version};
use crate::input::{Id, Input, List, Nothing, Params, cursor, if_match, limit, place};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base::Timestamp;
use customers::privacy::requests::{self, Kind, Outcome, State as At};
use pipeline::erasure::EraseError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What somebody asks for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To see what is held.
    Access,
    /// To be forgotten.
    Erasure,
    /// To have something put right.
    Rectification,
    /// Not to be processed for a purpose.
    Objection,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    Received,
    Verified,
    Running,
    Done,
    Refused,
}

impl RequestKind {
    fn model(self) -> Kind {
        match self {
            RequestKind::Access => Kind::Access,
            RequestKind::Erasure => Kind::Erasure,
            RequestKind::Rectification => Kind::Rectification,
            RequestKind::Objection => Kind::Objection,
        }
    }
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Access => RequestKind::Access,
            Kind::Erasure => RequestKind::Erasure,
            Kind::Rectification => RequestKind::Rectification,
            Kind::Objection => RequestKind::Objection,
        }
    }
}

impl RequestState {
    fn model(self) -> At {
        match self {
            RequestState::Received => At::Received,
            RequestState::Verified => At::Verified,
            RequestState::Running => At::Running,
            RequestState::Done => At::Done,
            RequestState::Refused => At::Refused,
        }
    }
    fn of(state: At) -> Self {
        match state {
            At::Received => RequestState::Received,
            At::Verified => RequestState::Verified,
            At::Running => RequestState::Running,
            At::Done => RequestState::Done,
            At::Refused => RequestState::Refused,
        }
    }
}

/// A request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PrivacyRequest {
    id: Id,
    kind: RequestKind,
    /// The customer, where one was found.
    person_id: Option<Id>,
    who: String,
    contact: String,
    note: String,
    state: RequestState,
    /// Why it was refused.
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// By when it must be answered.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    overdue: bool,
    /// Where the answer to the request is found: the person's data, for a verified request for access.
    result: Option<String>,
    /// What was handed over.
    export: Option<HandedOver>,
    /// The erasure that answers the request.
    erasure_job_id: Option<Id>,
    version: i64,
}

/// A file that was handed over, as proof.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HandedOver {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// `json` or `html`.
    format: String,
    events: i64,
    bytes: i64,
    /// The file's SHA-256 in hexadecimal digits.
    sha256: String,
}

fn body(r: requests::Request, now: Timestamp) -> PrivacyRequest {
    let opened = matches!(r.state, At::Verified | At::Running | At::Done);
    let result = (r.kind == Kind::Access && r.person_id != 0 && opened)
        .then(|| format!("/api/v1/customers/{}/export?format=html&request_id={}", r.person_id, r.id));
    let (export, erasure_job_id) = match r.outcome.clone() {
        Some(Outcome::Export { at, format, events, bytes, sha256 }) => {
            (Some(HandedOver { at, format, events, bytes, sha256 }), None)
        }
        Some(Outcome::Erasure { job_id }) => (None, Some(Id(job_id))),
        None => (None, None),
    };
    PrivacyRequest {
        id: Id(r.id),
        kind: RequestKind::of(r.kind),
        person_id: (r.person_id != 0).then_some(Id(r.person_id)),
        overdue: r.is_overdue(now),
        state: RequestState::of(r.state),
        who: r.who,
        contact: r.contact,
        note: r.note,
        reason: r.reason,
        received_at: r.received_at,
        due_at: r.due_at,
        result,
        export,
        erasure_job_id,
        version: r.version,
    }
}

/// Which requests.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RequestsQuery {
    #[param(inline)]
    state: Option<RequestState>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists requests, newest first.
#[utoipa::path(get, path = "/api/v1/privacy/requests", tag = "privacy", params(RequestsQuery),
    responses((status = 200, body = inline(List<PrivacyRequest>))))]
pub async fn list_privacy_requests(
    State(app): State<Arc<App>>,
    _: ReadPrivacy,
    Params(q): Params<RequestsQuery>,
) -> Result<Json<List<PrivacyRequest>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let state = q.state.map_or("", |s| s.model().as_str());
    let found = app.query(move |db| Ok(requests::list(db, state, before, limit + 1)?)).await?;
    let now = app.now();
    let items = found.into_iter().map(|r| body(r, now)).collect();
    Ok(Json(List::page(items, limit, |r: &PrivacyRequest| cursor(&[r.id.0]))))
}

/// A new request.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrivacyRequest {
    kind: RequestKind,
    /// Who asks.
    who: String,
    /// Where the answer goes. A contact that a customer has leads to the customer.
    contact: String,
    person_id: Option<Id>,
    note: Option<String>,
    /// When it came, where that was not now. The term begins then.
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<String>,
}

/// Notes a request; the term begins.
#[utoipa::path(post, path = "/api/v1/privacy/requests", tag = "privacy", request_body = NewPrivacyRequest,
    responses((status = 201, body = PrivacyRequest)))]
pub async fn create_privacy_request(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    input: Input<NewPrivacyRequest>,
) -> Result<Response, Problem> {
    let new = input.value;
    let (who, contact) = (text("/who", &new.who, true)?, text("/contact", &new.contact, true)?);
    let note = text("/note", new.note.as_deref().unwrap_or(""), false)?;
    let received = match &new.received_at {
        None => None,
        Some(written) => {
            Some(Timestamp::parse(written).map_err(|_| BAD_INPUT.at("/received_at", "write 2026-11-22T12:00:00Z"))?)
        }
    };
    let country = app.domain.settings().country;
    app.change(&caller, input.request, move |tx| {
        let now = tx.now();
        let received_at = received.unwrap_or(now);
        if received_at > now {
            return Err(BAD_INPUT.at("/received_at", "it lies in the future"));
        }
        let person_id = match new.person_id {
            Some(Id(id)) => {
                let row = tx.get::<customers::profiles::Profiles>(id)?;
                let person = row.map(|p| p.person).filter(|p| *p != 0);
                person.ok_or_else(|| BAD_INPUT.at("/person_id", "nobody has this id"))?
            }
            None => {
                let mut found = 0;
                for kind in ["email", "phone", "user_id"] {
                    if found == 0 {
                        found = customers::lookup(tx, kind, &contact, country)?.map_or(0, |(person, _)| person);
                    }
                }
                found
            }
        };
        let due_at = requests::due_at(tx.engine(), received_at)?;
        let id = tx.next_id();
        let request = requests::Request {
            id,
            kind: new.kind.model(),
            person_id,
            who: who.clone(),
            contact: contact.clone(),
            note: note.clone(),
            state: At::Received,
            reason: String::new(),
            received_at,
            due_at,
            closed_at: 0,
            version: 1,
            outcome: None,
        };
        requests::put(tx, &request);
        let after = json!({"kind": request.kind.as_str(), "due_at": due_at.to_string()});
        Ok(Done::created(body(request, now)).noted(("create", "privacy_request"), id, None, Some(after)))
    })
    .await
}

/// The next step of a request.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceRequest {
    state: RequestState,
    /// Needed to refuse: the person is told.
    reason: Option<String>,
}

/// Moves a request on: received, verified, running, done; or refused with a reason.
#[utoipa::path(put, path = "/api/v1/privacy/requests/{id}", tag = "privacy", params(("id" = String, Path)),
    request_body = AdvanceRequest, responses((status = 200, body = PrivacyRequest)))]
pub async fn advance_privacy_request(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<AdvanceRequest>,
) -> Result<Response, Problem> {
    let (id, wanted) = (Id::in_path(&id)?, if_match(&headers)?);
    let next = input.value.state.model();
    let reason = text("/reason", input.value.reason.as_deref().unwrap_or(""), next == At::Refused)?;
    app.change(&caller, input.request, move |tx| {
        let known = requests::find(tx, id)?;
        let known = known.ok_or_else(|| NOT_FOUND.because(format!("there is no request {id}")))?;
        check_version(wanted, known.version)?;
        if !known.state.may_become(next) {
            let detail = format!("a request that is {} cannot become {}", known.state.as_str(), next.as_str());
            return Err(CONFLICT.because(detail));
        }
        let now = tx.now();
        let before = json!({"state": known.state.as_str()});
        let changed = requests::Request {
            state: next,
            reason: reason.clone(),
            closed_at: if next.is_closed() { now.micros() } else { 0 },
            version: known.version + 1,
            ..known
        };
        requests::put(tx, &changed);
        let (version, after) = (changed.version, json!({"state": next.as_str()}));
        let done = Done::ok(body(changed, now)).versioned(version);
        Ok(done.noted(("advance", "privacy_request"), id, Some(before), Some(after)))
    })
    .await
}

/// Erases the person of a verified request for erasure. The request closes by itself when log, tables and disk are done.
/// What it says of the person goes with the rest: write the answer's address down first.
#[utoipa::path(post, path = "/api/v1/privacy/requests/{id}/erasure", tag = "privacy", params(("id" = String, Path)),
    responses((status = 202, body = PrivacyRequest)))]
pub async fn erase_for_request(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let known = requests::find(tx, id)?;
        let known = known.ok_or_else(|| NOT_FOUND.because(format!("there is no request {id}")))?;
        if known.kind != Kind::Erasure {
            return Err(CONFLICT.because("this request does not ask for an erasure"));
        }
        if known.outcome.is_some() {
            return Err(CONFLICT.because("the erasure of this request has begun already"));
        }
        if !matches!(known.state, At::Verified | At::Running) {
            let detail = format!("a request that is {} erases nobody; find out first who asks", known.state.as_str());
            return Err(CONFLICT.because(detail));
        }
        let person = known.person_id;
        let job = pipeline::erasure::begin(tx, &preparer, person).map_err(|e| match e {
            EraseError::NoPerson(_) => CONFLICT.because("no customer belongs to this request, or not any more"),
            EraseError::Store(e) => e.into(),
        })?;
        let now = tx.now();
        let changed = requests::note_outcome(tx, id, Outcome::Erasure { job_id: job })?.unwrap_or(known);
        let (version, after) = (changed.version, json!({"job": job.to_string(), "request": id.to_string()}));
        let done = Done { status: StatusCode::ACCEPTED, ..Done::ok(body(changed, now)) };
        // The kept answer would name the person to whoever repeats the request.
        let kept = Some(json!({"id": id.to_string()}));
        let done = Done { kept, ..done }.versioned(version);
        Ok(done.noted(("erase", "customer"), person, None, Some(after)))
    })
    .await
}
