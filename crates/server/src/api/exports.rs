//! `/exports`: data as files.
pub mod download;

use crate::access::Act;
use crate::app::App;
use crate::caller::{Caller, ReadExports, WriteExports};
use crate::change::Done;
use crate::exports::kinds::{self, Chosen, Computed, Kind};
use crate::exports::spec::{self, Filter, Wish};
use crate::exports::store::{self, Export};
use crate::exports::sweep;
use crate::input::{Id, Input, List, Nothing, Params, cursor, limit, place};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use db::jobs::{self, State as JobState};
use exchange::table::Column;
use exchange::write::Format;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Which rows.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportFilter {
    /// Only people of this segment: of customers, events, orders, members.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    segment_id: Option<Id>,
    /// Events at or after, customers seen last at or after.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// The same, before.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Data to take out.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExport {
    kind: Kind,
    /// `csv`, `ndjson`, `parquet`, `xlsx`.
    format: String,
    #[serde(default)]
    filter: ExportFilter,
    /// Columns of the kind; none: all.
    #[serde(default)]
    columns: Vec<String>,
    /// Traits of customers with columns of their own.
    #[serde(default)]
    traits: Vec<String>,
    /// Computed traits of customers with columns of their own, of their own type; all stand in the column `computed` too.
    #[serde(default)]
    computed: Vec<String>,
    /// For `way_back`: whose format, such as `shopify-customers` (see `exports/kinds`).
    #[serde(default)]
    preset: Option<String>,
    /// Phones and e-mails plainly; without it, if you see them at all. Who does not needs an approval.
    #[serde(default)]
    contacts: Option<bool>,
    /// The approval, where one is needed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    approval_id: Option<Id>,
}

impl NewExport {
    fn wish(self, caller: &Caller) -> Result<(Wish, Option<i64>), Problem> {
        let format = Format::parse(&self.format);
        let format = format.ok_or_else(|| BAD_INPUT.at("/format", "csv, ndjson, parquet or xlsx"))?;
        let filter = Filter {
            segment_id: self.filter.segment_id.map(|id| id.0),
            since: self.filter.since,
            until: self.filter.until,
        };
        let chosen = Chosen {
            columns: self.columns,
            traits: self.traits,
            computed: self.computed.into_iter().map(Computed::named).collect(),
            preset: self.preset,
        };
        let contacts = self.contacts.unwrap_or_else(|| caller.may(Act::SeeContacts));
        let wish = Wish { kind: self.kind, format, filter, chosen, contacts };
        wish.check()?;
        wish.allowed(caller)?;
        Ok((wish, self.approval_id.map(|id| id.0)))
    }
}

/// A column of a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExportColumn {
    name: String,
    /// `text`, `int`, `decimal`, `bool`, `time`, `json`.
    #[serde(rename = "type")]
    kind: String,
    doc: String,
}

impl From<Column> for ExportColumn {
    fn from(column: Column) -> Self {
        Self { name: column.name, kind: column.kind.as_str().into(), doc: column.doc }
    }
}

/// Something that can be taken out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExportKindBody {
    #[schema(inline)]
    kind: Kind,
    doc: String,
    columns: Vec<ExportColumn>,
    takes_segment: bool,
    takes_times: bool,
    formats: Vec<String>,
    /// Whether the one who asks may take it out.
    allowed: bool,
    /// Old tools' formats, of `way_back`.
    presets: Vec<BackPreset>,
}

/// An old tool's format that files can be written in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BackPreset {
    id: String,
    /// As people call the system.
    system: String,
    /// `customers`, `orders` or `consents`.
    kind: String,
    columns: Vec<String>,
}

fn presets(kind: Kind) -> Vec<BackPreset> {
    let body = |p: &exchange::presets::Preset| BackPreset {
        id: p.id.into(),
        system: p.system.into(),
        kind: p.kind.as_str().into(),
        columns: exchange::back::header(p).into_iter().map(str::to_string).collect(),
    };
    if kind == Kind::WayBack { exchange::back::presets().map(body).collect() } else { Vec::new() }
}

/// Lists what can be taken out, with its columns.
#[utoipa::path(get, path = "/api/v1/exports/kinds", tag = "exports",
    responses((status = 200, body = inline(List<ExportKindBody>))))]
pub async fn list_export_kinds(ReadExports(caller): ReadExports) -> Json<List<ExportKindBody>> {
    let body = |kind: Kind| {
        let wish =
            |format| Wish { kind, format, filter: Filter::default(), chosen: Chosen::default(), contacts: false };
        let takes = |f: &&Format| match kind {
            Kind::WayBack => **f == Format::Csv,
            _ => wish(**f).check().is_ok(),
        };
        let formats = Format::ALL.iter().filter(takes);
        ExportKindBody {
            kind,
            doc: kind.doc().into(),
            columns: kinds::all_columns(kind).into_iter().map(ExportColumn::from).collect(),
            takes_segment: kind.takes_segment(),
            takes_times: kind.takes_times(),
            formats: formats.map(|f| f.as_str().into()).collect(),
            allowed: wish(Format::Csv).allowed(&caller).is_ok(),
            presets: presets(kind),
        }
    };
    Json(List::whole(Kind::ALL.into_iter().map(body).collect()))
}

/// What an export would be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExportPreview {
    /// About so many rows; what times leave out is not taken off.
    rows: i64,
    /// Whether a second person has to approve it.
    needs_approval: bool,
    /// What to name in the request for approval.
    what: String,
    /// Whether contacts would be masked.
    masked: bool,
    columns: Vec<String>,
}

/// Says how many rows an export would have, and whether it needs an approval.
#[utoipa::path(post, path = "/api/v1/exports/preview", tag = "exports", request_body = NewExport,
    responses((status = 200, body = ExportPreview)))]
pub async fn preview_export(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    input: Input<NewExport>,
) -> Result<Json<ExportPreview>, Problem> {
    let (wish, _) = input.value.wish(&caller)?;
    let rows = rows_of(&app, &wish).await?;
    let needs = rows > wish.alone(&caller, &app.accounts().policy);
    let columns = kinds::columns(wish.kind, &wish.chosen).into_iter().map(|c| c.name).collect();
    Ok(Json(ExportPreview { rows, needs_approval: needs, what: wish.what(&caller), masked: !wish.contacts, columns }))
}

async fn rows_of(app: &Arc<App>, wish: &Wish) -> Result<i64, Problem> {
    app.settle().await?;
    let (kind, filter, chosen) = (wish.kind, wish.filter.clone(), wish.chosen.clone());
    app.query(move |db| Ok(spec::estimate(db, kind, &filter, &chosen)?)).await
}

/// Where an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportState)]
pub enum Standing {
    Queued,
    Running,
    /// The file can be had.
    Ready,
    Stopped,
    Failed,
    /// Its time is over.
    Expired,
    Deleted,
    /// A person in it was erased, so the file went.
    Erased,
}

/// Data that was taken out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Export)]
pub struct ExportBody {
    id: Id,
    /// See `/api/v1/jobs/{id}`; stop and resume it there.
    job_id: Id,
    #[schema(inline)]
    kind: Kind,
    format: String,
    actor: String,
    #[schema(inline)]
    state: Standing,
    /// Why it failed or was stopped.
    reason: Option<String>,
    /// Rows so far, of the file when it is there.
    rows: i64,
    bytes: i64,
    sha256: Option<String>,
    /// Stands in every row; leads back to the line in the audit.
    mark: String,
    /// An address in the file that belongs to nobody; shown to owners.
    canary: Option<String>,
    masked: bool,
    approval_id: Option<Id>,
    downloads: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ready_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Whether the one who asks may download it.
    may_download: bool,
}

fn may_have(export: &Export, caller: &Caller) -> bool {
    caller.may(Act::Write(crate::access::Area::Exports))
        && (export.actor == caller.actor || caller.may(Act::SeeContacts))
}

fn body(export: Export, job: Option<&jobs::Job>, caller: &Caller, now: Timestamp) -> ExportBody {
    let state = match (&*export.ended, job.map(|j| j.state)) {
        ("expired", _) => Standing::Expired,
        ("erasure", _) => Standing::Erased,
        (ended, _) if !ended.is_empty() => Standing::Deleted,
        _ if export.ready_at.is_some() => {
            if export.expires_at > now {
                Standing::Ready
            } else {
                Standing::Expired
            }
        }
        (_, Some(JobState::Queued)) => Standing::Queued,
        (_, Some(JobState::Running)) => Standing::Running,
        (_, Some(JobState::Stopped)) => Standing::Stopped,
        _ => Standing::Failed,
    };
    ExportBody {
        may_download: state == Standing::Ready && may_have(&export, caller),
        id: Id(export.id),
        job_id: Id(export.job_id),
        kind: export.kind,
        format: export.format.as_str().into(),
        state,
        reason: job.map(|j| j.reason.clone()).filter(|r| !r.is_empty()),
        rows: if export.ready_at.is_some() { export.rows } else { job.map_or(0, |j| j.position.max(0)) },
        bytes: export.bytes,
        sha256: Some(export.sha256).filter(|s| !s.is_empty()),
        mark: export.mark,
        canary: Some(export.canary).filter(|_| caller.may(Act::SeeContacts)),
        masked: !export.contacts,
        approval_id: (export.approval > 0).then_some(Id(export.approval)),
        downloads: export.downloads,
        created_at: export.created_at,
        ready_at: export.ready_at,
        expires_at: export.expires_at,
        ended_at: export.ended_at,
        actor: export.actor,
    }
}

/// Takes data out. More rows than one person may take, and contacts that one does not see, need an approval.
#[utoipa::path(post, path = "/api/v1/exports", tag = "exports", request_body = NewExport,
    responses((status = 201, body = ExportBody)))]
pub async fn create_export(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    input: Input<NewExport>,
) -> Result<Response, Problem> {
    let (wish, approval) = input.value.wish(&caller)?;
    let rows = rows_of(&app, &wish).await?;
    let (who, policy) = (caller.clone(), app.accounts().policy);
    app.change(&caller, input.request, move |tx| {
        let export = spec::begin(tx, (&who, &policy), &wish, rows, approval)?;
        let job = jobs::find(tx, export.job_id)?;
        let (id, after) = (export.id, audited(&export, &wish));
        let body = body(export, job.as_ref(), &who, tx.now());
        Ok(Done::created(body).noted(("begin", "export"), id, None, Some(after)))
    })
    .await
}

fn audited(export: &Export, wish: &Wish) -> serde_json::Value {
    json!({"kind": export.kind.as_str(), "format": export.format.as_str(), "mark": export.mark, "contacts": export.contacts,
        "segment_id": wish.filter.segment_id.map(|id| id.to_string()), "since": wish.filter.since, "until": wish.filter.until,
        "columns": wish.chosen.columns, "traits": wish.chosen.traits,
        "computed": wish.chosen.computed.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), "preset": wish.chosen.preset})
}

/// Which exports.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportsQuery {
    /// Of this mark or canary: whose file got out.
    #[serde(default)]
    mark: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// Lists exports, newest first: owners see all, others their own.
#[utoipa::path(get, path = "/api/v1/exports", tag = "exports", params(ExportsQuery),
    responses((status = 200, body = inline(List<ExportBody>))))]
pub async fn list_exports(
    State(app): State<Arc<App>>,
    ReadExports(caller): ReadExports,
    Params(q): Params<ExportsQuery>,
) -> Result<Json<List<ExportBody>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let actor = if caller.may(Act::SeeContacts) { String::new() } else { caller.actor.clone() };
    let mark = q.mark.unwrap_or_default().trim().to_lowercase();
    let found = app
        .query(move |db| {
            let exports = store::list(db, &mark, &actor, before, limit + 1)?;
            let with = |e: Export| Ok::<_, db::DbError>((jobs::committed(db, e.job_id)?, e));
            Ok(exports.into_iter().map(with).collect::<Result<Vec<_>, _>>()?)
        })
        .await?;
    let now = app.now();
    let items = found.into_iter().map(|(job, e)| body(e, job.as_ref(), &caller, now)).collect();
    Ok(Json(List::page(items, limit, |e: &ExportBody| cursor(&[e.id.0]))))
}

/// The export, if the one who asks may know of it.
fn own(export: Option<Export>, caller: &Caller) -> Result<Export, Problem> {
    let known = |e: &Export| e.actor == caller.actor || caller.may(Act::SeeContacts);
    export.filter(known).ok_or_else(|| NOT_FOUND.because("there is no such export"))
}

/// One export.
#[utoipa::path(get, path = "/api/v1/exports/{id}", tag = "exports", params(("id" = String, Path)),
    responses((status = 200, body = ExportBody)))]
pub async fn get_export(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    Path(id): Path<String>,
) -> Result<Json<ExportBody>, Problem> {
    let id = Id::in_path(&id)?;
    let (export, job) = app
        .read(move |tx| {
            let export = store::find(tx, id)?;
            let job = export.as_ref().map(|e| jobs::find(tx, e.job_id)).transpose()?.flatten();
            Ok((export, job))
        })
        .await?;
    Ok(Json(body(own(export, &caller)?, job.as_ref(), &caller, app.now())))
}

/// Ends an export: stops it, or deletes its file.
#[utoipa::path(delete, path = "/api/v1/exports/{id}", tag = "exports", params(("id" = String, Path)),
    responses((status = 204)))]
pub async fn delete_export(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let who = caller.clone();
    let found = app.read(move |tx| Ok(store::find(tx, id)?)).await?;
    let export = own(found, &who)?;
    let answer = app.change(&caller, input.request, move |tx| {
        store::end(tx, id, "deleted")?;
        Ok(Done::nothing().noted(("delete", "export"), id, None, None))
    });
    let answer = answer.await?;
    sweep::remove(&app.folder, &export);
    Ok(answer)
}
