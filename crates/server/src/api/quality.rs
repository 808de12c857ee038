//! `/quality`: how good the base's data is, whether it gets better, and who stands behind each number.
use super::customers::row::{self, CustomerRow};
use crate::app::App;
use crate::caller::{ReadImports, ReadSettings, WriteImports, WriteSettings};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place};
use crate::moving::quality::{self, Look};
use crate::moving::resolving::Policy;
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use exchange::quality::people::Check;
use messaging::lists;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The report of a day.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct QualityDay {
    day: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// People with a name of any kind.
    people: u64,
    /// Visitors without one.
    anonymous: u64,
    /// For how many people each check holds; those that are not named hold for nobody.
    checks: BTreeMap<String, u64>,
    /// Pairs that wait in the review of identity.
    suspected_duplicates: u64,
}

/// Reports, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct QualityReport {
    items: Vec<QualityDay>,
    /// All checks, in the order of the page.
    checks: Vec<String>,
}

/// The reports on the data's quality by day.
#[utoipa::path(get, path = "/api/v1/quality", tag = "moving", responses((status = 200, body = QualityReport)))]
pub async fn quality_report(State(app): State<Arc<App>>, _: ReadImports) -> Result<Json<QualityReport>, Problem> {
    let days = app.query(|db| Ok(quality::days(db)?)).await?;
    let day = |d: quality::Day| QualityDay {
        day: d.day,
        at: d.at,
        people: d.report.tally.people,
        anonymous: d.report.tally.anonymous,
        checks: d.report.tally.checks,
        suspected_duplicates: d.report.suspected_duplicates,
    };
    let checks = Check::ALL.iter().map(|c| c.as_str().to_string()).collect();
    Ok(Json(QualityReport { items: days.into_iter().map(day).collect(), checks }))
}

/// A report that is made as a job.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct QualityBegun {
    /// See `/api/v1/jobs/{id}`.
    job_id: Id,
}

/// Makes today's report anew.
#[utoipa::path(post, path = "/api/v1/quality", tag = "moving", responses((status = 201, body = QualityBegun)))]
pub async fn begin_quality_report(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let job = quality::begin(tx, &actor)?;
        Ok(Done::created(QualityBegun { job_id: Id(job) }).noted(("begin", "quality_report"), job, None, None))
    })
    .await
}

/// The people for whom a check holds now. A page may be short, or empty, and have a next one.
#[utoipa::path(get, path = "/api/v1/quality/{check}", tag = "moving", params(("check" = String, Path), Page),
    responses((status = 200, body = inline(List<CustomerRow>))))]
pub async fn quality_people(
    State(app): State<Arc<App>>,
    _: ReadImports,
    Path(check): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<List<CustomerRow>>, Problem> {
    let check = Check::parse(&check).ok_or_else(|| NOT_FOUND.because("there is no such check"))?;
    let (limit, after) = (limit(page.limit)?, place::<1>(page.cursor.as_deref())?.map_or(0, |[id]| id));
    app.settle().await?;
    let look = Look::new(&app.domain, app.now());
    let counters = look.counters.clone();
    let (ids, next) = app.query(move |db| Ok(quality::people(db, &look, check, after, limit as usize)?)).await?;
    let items = app.read(move |tx| Ok(row::of_ids(tx, &ids, &counters)?)).await?;
    Ok(Json(List { items, next_cursor: next.map(|id| cursor(&[id])) }))
}

/// What becomes of people who seem to be one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolvePolicy {
    /// Pairs are filed for a look from this probability on.
    file_from: f64,
    /// Joined without asking from this probability on; null = never.
    join_from: Option<f64>,
    /// Pairs that one import files, at most.
    at_most: u32,
}

/// How the shop treats doubtful contacts and people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactSettings {
    /// `stop` or `send`: what becomes of mail to services that are blocked in Ukraine.
    blocked_services: String,
    resolve: ResolvePolicy,
}

fn current(db: &mut db::Engine) -> Result<ContactSettings, Problem> {
    let Policy { file_from, join_from, at_most } = Policy::load(db)?;
    let stops = lists::stops_blocked_services(db)?;
    Ok(ContactSettings {
        blocked_services: if stops { "stop" } else { "send" }.into(),
        resolve: ResolvePolicy { file_from, join_from, at_most },
    })
}

/// Shows how doubtful contacts and people are treated.
#[utoipa::path(get, path = "/api/v1/settings/contacts", tag = "settings", responses((status = 200, body = ContactSettings)))]
pub async fn get_contact_settings(
    State(app): State<Arc<App>>,
    _: ReadSettings,
) -> Result<Json<ContactSettings>, Problem> {
    Ok(Json(app.query(current).await?))
}

/// Changes it.
#[utoipa::path(put, path = "/api/v1/settings/contacts", tag = "settings", request_body = ContactSettings,
    responses((status = 200, body = ContactSettings)))]
pub async fn put_contact_settings(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<ContactSettings>,
) -> Result<Response, Problem> {
    let wanted = input.value;
    if !matches!(wanted.blocked_services.as_str(), "stop" | "send") {
        return Err(BAD_INPUT.at("/blocked_services", "stop or send"));
    }
    let ResolvePolicy { file_from, join_from, at_most } = wanted.resolve;
    let policy = Policy { file_from, join_from, at_most };
    policy.check().map_err(|(place, detail)| BAD_INPUT.at(place, detail))?;
    app.change(&caller, input.request, move |tx| {
        let before = current(tx.engine())?;
        db::settings::set(tx.engine(), lists::BLOCKED_SERVICES, &wanted.blocked_services)?;
        policy.store(tx.engine())?;
        let told = |s: &ContactSettings| serde_json::to_value(s).ok();
        let lines = (told(&before), told(&wanted));
        Ok(Done::ok(wanted.clone()).noted(("update", "contact settings"), "", lines.0, lines.1))
    })
    .await
}
