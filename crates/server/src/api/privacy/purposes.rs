//! The register of processing purposes, as data and as a page to print.
use super::{print, text};
use crate::app::App;
use crate::caller::{ReadPrivacy, WritePrivacy};
use crate::change::{Done, check_version};
use crate::input::{Id, Input, Params, if_match};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use customers::privacy::{purposes, requests};
use db::{DbError, Engine};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// A purpose of processing.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Purpose {
    /// `0` for a preset that was not changed yet.
    id: String,
    pub(super) purpose: String,
    /// The legal ground.
    pub(super) ground: String,
    pub(super) categories: String,
    pub(super) retention: String,
    pub(super) recipients: String,
    pub(super) archived: bool,
    version: i64,
}

/// How many requests of a kind stand in a state.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RequestCount {
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) count: i64,
    pub(super) overdue: i64,
}

/// A kind of document that outlives an erasure.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RetainedKind {
    pub(super) event: String,
    pub(super) ground: String,
    pub(super) term_days: i64,
    pub(super) enabled: bool,
    /// Documents without a person that are kept now.
    pub(super) kept: i64,
}

/// The register.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Register {
    pub(super) items: Vec<Purpose>,
    pub(super) requests: Vec<RequestCount>,
    pub(super) retained: Vec<RetainedKind>,
    pub(super) erasures: i64,
}

#[cfg(test)]
impl Register {
    pub(super) fn of_tests(items: Vec<Purpose>) -> Self {
        Self { items, requests: Vec::new(), retained: Vec::new(), erasures: 0 }
    }
}

#[cfg(test)]
impl Purpose {
    pub(super) fn of_tests(purpose: &str, ground: &str) -> Self {
        let [purpose, ground, categories, retention, recipients] = [purpose, ground, "c", "r", "n"].map(str::to_string);
        Self { id: "1".into(), purpose, ground, categories, retention, recipients, archived: false, version: 1 }
    }
}

fn body(p: purposes::Purpose) -> Purpose {
    Purpose {
        id: p.id.to_string(),
        purpose: p.purpose,
        ground: p.ground,
        categories: p.categories,
        retention: p.retention,
        recipients: p.recipients,
        archived: p.archived_at != 0,
        version: p.version,
    }
}

fn register(db: &mut Engine, now: Timestamp) -> Result<Register, DbError> {
    let items = purposes::list(db)?.into_iter().map(body).collect();
    let count = |(kind, state, count, overdue)| RequestCount { kind, state, count, overdue };
    let requests = requests::statistics(db, now)?.into_iter().map(count).collect();
    let sql = "SELECT k.event, k.ground, k.term_days, k.enabled, \
               (SELECT COUNT(*) FROM retained_documents d WHERE d.event = k.event) FROM retained_kinds k ORDER BY k.event LIMIT 1000";
    let kind = |r: &db::Row| {
        Ok(RetainedKind {
            event: r.text(0)?.into(),
            ground: r.text(1)?.into(),
            term_days: r.int(2)?,
            enabled: r.int(3)? == 1,
            kept: r.int(4)?,
        })
    };
    let retained = db.rows(sql, &[])?.iter().map(kind).collect::<Result<_, DbError>>()?;
    let erasures = db.first("SELECT COUNT(*) FROM jobs WHERE kind = 'erase'", &[])?.map_or(Ok(0), |r| r.int(0))?;
    Ok(Register { items, requests, retained, erasures })
}

/// In which form.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RegisterQuery {
    /// `html`: a page to print.
    #[param(inline)]
    format: Option<Format>,
    /// The page's language: `en` or `uk`; the shop's without it.
    language: Option<String>,
}

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Json,
    Html,
}

/// Shows the register of processing purposes, with what is retained and how requests stand.
#[utoipa::path(get, path = "/api/v1/privacy/purposes", tag = "privacy", params(RegisterQuery),
    responses((status = 200, body = Register)))]
pub async fn list_purposes(
    State(app): State<Arc<App>>,
    _: ReadPrivacy,
    Params(q): Params<RegisterQuery>,
) -> Result<Response, Problem> {
    let (now, language) = (app.now(), print::language(q.language.as_deref(), &app)?);
    let register = app.query(move |db| Ok(register(db, now)?)).await?;
    if q.format == Some(Format::Html) {
        return Ok(page(&print::register(&register, language, (now, &app.domain.settings().zone))));
    }
    Ok(Json(register).into_response())
}

/// A page that loads nothing and runs nothing.
pub fn page(html: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ];
    (headers, html.to_string()).into_response()
}

/// A purpose as it should stand in the register.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeInput {
    purpose: String,
    ground: String,
    categories: String,
    retention: String,
    recipients: String,
    /// Out of force, but not forgotten.
    #[serde(default)]
    archived: bool,
}

fn model(id: i64, version: i64, input: &PurposeInput, now: i64) -> Result<purposes::Purpose, Problem> {
    Ok(purposes::Purpose {
        id,
        purpose: text("/purpose", &input.purpose, true)?,
        ground: text("/ground", &input.ground, true)?,
        categories: text("/categories", &input.categories, true)?,
        retention: text("/retention", &input.retention, true)?,
        recipients: text("/recipients", &input.recipients, true)?,
        version,
        archived_at: if input.archived { now } else { 0 },
    })
}

/// Adds a purpose.
#[utoipa::path(post, path = "/api/v1/privacy/purposes", tag = "privacy", request_body = PurposeInput,
    responses((status = 201, body = Purpose)))]
pub async fn create_purpose(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    input: Input<PurposeInput>,
) -> Result<Response, Problem> {
    let new = input.value;
    app.change(&caller, input.request, move |tx| {
        let now = tx.now().micros();
        let mut purpose = model(0, 1, &new, now)?;
        purposes::ensure(tx)?;
        purpose.id = tx.next_id();
        purposes::put(tx, &purpose);
        let (id, after) = (purpose.id, json!({"purpose": purpose.purpose, "ground": purpose.ground}));
        Ok(Done::created(body(purpose)).versioned(1).noted(("create", "purpose"), id, None, Some(after)))
    })
    .await
}

/// Changes a purpose.
#[utoipa::path(put, path = "/api/v1/privacy/purposes/{id}", tag = "privacy", params(("id" = String, Path)),
    request_body = PurposeInput, responses((status = 200, body = Purpose)))]
pub async fn update_purpose(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<PurposeInput>,
) -> Result<Response, Problem> {
    let (id, wanted, new) = (Id::in_path(&id)?, if_match(&headers)?, input.value);
    app.change(&caller, input.request, move |tx| {
        let known = purposes::list(tx.engine())?.into_iter().find(|p| p.id == id);
        let known = known.ok_or_else(|| NOT_FOUND.because(format!("there is no purpose {id}")))?;
        check_version(wanted, known.version)?;
        let now = tx.now().micros();
        let purpose = model(id, known.version + 1, &new, now)?;
        purposes::put(tx, &purpose);
        let before = json!({"purpose": known.purpose, "ground": known.ground});
        let (version, after) = (purpose.version, json!({"purpose": purpose.purpose, "ground": purpose.ground}));
        Ok(Done::ok(body(purpose)).versioned(version).noted(("update", "purpose"), id, Some(before), Some(after)))
    })
    .await
}

/// Takes the presets over as the shop's own, so that each can be changed. Does nothing where the shop has purposes.
#[utoipa::path(post, path = "/api/v1/privacy/purposes/adopt", tag = "privacy", request_body = Adopt,
    responses((status = 200, body = Register)))]
pub async fn adopt_purposes(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    input: Input<Adopt>,
) -> Result<Response, Problem> {
    if !input.value.presets {
        return Err(BAD_INPUT.at("/presets", "there is nothing else to adopt"));
    }
    app.change(&caller, input.request, move |tx| {
        let new = purposes::list(tx.engine())?.iter().all(|p| p.id == 0);
        purposes::ensure(tx)?;
        // What waits in the transaction's buffer is written before it is read.
        tx.rows("SELECT id FROM privacy_purposes WHERE id = 0", &[])?;
        let now = tx.now();
        let done = Done::ok(register(tx.engine(), now)?);
        Ok(if new { done.noted(("adopt", "purposes"), "", None, None) } else { done })
    })
    .await
}

/// What is taken over.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adopt {
    /// True: the presets are all that there is to adopt.
    presets: bool,
}
