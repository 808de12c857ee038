//! `/uploads` and `/imports`: files in, from the first look to the report.
use crate::app::App;
use crate::caller::{Caller, ReadImports, WriteImports};
use crate::change::Done;
use crate::imports::drive;
use crate::imports::spec::{self, Spec};
use crate::imports::uploads::{FILE_MAX, Upload, Uploads};
use crate::input::{Id, Input, List, Nothing};
use crate::moving::mappings;
use crate::problem::{BAD_INPUT, BAD_QUERY, NOT_ALLOWED, NOT_FOUND, Problem, internal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use exchange::mapping::{Kind, Mapping, meanings};
use exchange::presets::{self, PRESETS};
use exchange::rows::{FileError, Layout, Row};
use exchange::suggest::{Guess, suggest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows that are looked at for suggestions.
const LOOK: usize = 500;

/// A file to come.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// As it is called.
    name: String,
    /// Bytes.
    size: u64,
    /// SHA-256 of the whole file, to be checked.
    #[serde(default)]
    sha256: Option<String>,
}

/// Announces a file; its bytes follow in pieces.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "imports", request_body = NewUpload,
    responses((status = 201, body = Upload)))]
pub async fn create_upload(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<NewUpload>,
) -> Result<Response, Problem> {
    let uploads = Uploads::new(&app.folder);
    let NewUpload { name, size, sha256 } = input.value;
    let upload = blocking(move || uploads.create(&name, size, sha256)).await?;
    app.change(&caller, input.request, move |_| {
        let after = json!({"name": upload.name, "size": upload.size});
        Ok(Done::created(upload.clone()).noted(("create", "upload"), &upload.id, None, Some(after)))
    })
    .await
}

/// How much of a file is here.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = Upload)))]
pub async fn get_upload(
    State(app): State<Arc<App>>,
    _: ReadImports,
    Path(id): Path<String>,
) -> Result<Json<Upload>, Problem> {
    let uploads = Uploads::new(&app.folder);
    Ok(Json(blocking(move || uploads.find(&id)).await?))
}

/// Where a piece begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Offset {
    /// Byte of the file at which the piece begins: what `received` says.
    offset: u64,
}

/// Adds a piece of at most 16 MiB to a file.
#[utoipa::path(put, path = "/api/v1/uploads/{id}", tag = "imports", params(("id" = String, Path), Offset),
    request_body(content = String, content_type = "application/octet-stream"), responses((status = 200, body = Upload)))]
pub async fn append_upload(
    State(app): State<Arc<App>>,
    _: WriteImports,
    Path(id): Path<String>,
    crate::input::Params(at): crate::input::Params<Offset>,
    piece: Bytes,
) -> Result<Json<Upload>, Problem> {
    if at.offset > FILE_MAX {
        return Err(BAD_QUERY.because("offset lies beyond any file"));
    }
    let uploads = Uploads::new(&app.folder);
    Ok(Json(blocking(move || uploads.append(&id, at.offset, &piece)).await?))
}

/// Forgets a file.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 204)))]
pub async fn delete_upload(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (uploads, gone) = (Uploads::new(&app.folder), id.clone());
    blocking(move || uploads.delete(&gone)).await?;
    app.change(&caller, input.request, move |_| Ok(Done::nothing().noted(("delete", "upload"), &id, None, None))).await
}

/// A system whose files Braid knows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PresetBody {
    id: String,
    system: String,
    kind: String,
    note: String,
    columns: Vec<String>,
}

/// Lists the systems whose files are known.
#[utoipa::path(get, path = "/api/v1/imports/presets", tag = "imports",
    responses((status = 200, body = inline(List<PresetBody>))))]
pub async fn list_import_presets(_: ReadImports) -> Json<List<PresetBody>> {
    let body = |p: &presets::Preset| PresetBody {
        id: p.id.into(),
        system: p.system.into(),
        kind: p.kind.as_str().into(),
        note: p.note.into(),
        columns: p.columns.iter().map(|(c, _)| (*c).to_string()).collect(),
    };
    Json(List::whole(PRESETS.iter().map(body).collect()))
}

/// A file to look at.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// An upload.
    #[serde(default)]
    upload: Option<String>,
    /// A file on the server's machine; for programs on it.
    #[serde(default)]
    path: Option<String>,
    /// `customers`, `orders`, `events` or `consents`; guessed without it.
    #[serde(default)]
    kind: Option<String>,
    /// Reads it as a known system's file.
    #[serde(default)]
    preset: Option<String>,
}

/// What a file seems to be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Looked {
    /// How it is written; to be passed on as it is or changed.
    #[schema(value_type = Object)]
    layout: Layout,
    kind: String,
    /// The known system that it looks like.
    preset: Option<String>,
    /// Saved mappings that fit its columns, the best first.
    saved: Vec<SavedFit>,
    /// What its columns may mean; to be passed on as it is or changed.
    #[schema(value_type = Object)]
    mapping: Mapping,
    #[schema(value_type = Vec<Object>)]
    columns: Vec<Guess>,
    /// All meanings of the kind; those that end in a colon take a name.
    meanings: Vec<String>,
    /// The first rows.
    rows: Vec<Vec<String>>,
    /// What was wrong among the first rows.
    #[schema(value_type = Vec<Object>)]
    bad: Vec<exchange::rows::Bad>,
}

/// A saved mapping that fits a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SavedFit {
    /// Whether its files had exactly these columns.
    exact: bool,
    saved: super::mappings::MappingBody,
}

/// Looks at the beginning of a file: how it is written, and what its columns may mean.
#[utoipa::path(post, path = "/api/v1/imports/look", tag = "imports", request_body = Look,
    responses((status = 200, body = Looked)))]
pub async fn look_at_import(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<Look>,
) -> Result<Json<Looked>, Problem> {
    let shared = app.clone();
    let ask = input.value;
    let (name, path) = file_of(&app, &caller, ask.upload.as_deref(), ask.path.as_deref()).await?;
    let mut looked = blocking(move || look(shared.domain.settings(), &name, &path, &ask)).await?;
    let (columns, kind) = (looked.layout.columns.clone(), looked.kind.clone());
    let saved = app.query(|db| Ok(mappings::list(db)?)).await?;
    let fitting = mappings::fitting(saved, &columns).into_iter().filter(|(s, exact)| *exact || s.kind.as_str() == kind);
    looked.saved =
        fitting.take(10).map(|(saved, exact)| SavedFit { exact, saved: super::mappings::body(saved) }).collect();
    Ok(Json(looked))
}

/// Finds out what a file is. Also for `braid import` without a server.
pub fn look(shop: &pipeline::Settings, name: &str, path: &std::path::Path, ask: &Look) -> Result<Looked, Problem> {
    let kind = ask
        .kind
        .as_deref()
        .map(|k| Kind::parse(k).ok_or_else(|| BAD_INPUT.at("/kind", "customers, orders, events or consents")));
    let kind = kind.transpose()?;
    let preset = ask
        .preset
        .as_deref()
        .map(|id| presets::find(id).ok_or_else(|| BAD_INPUT.at("/preset", "there is no such preset")));
    let preset = preset.transpose()?;
    let unreadable = |e: FileError| BAD_INPUT.because(format!("{name}: {e}"));
    let layout = Layout::of_file(path, name).map_err(unreadable)?;
    let mut rows = layout.rows_of_file(path).map_err(unreadable)?;
    let (mut first, mut bad) = (Vec::new(), Vec::new());
    while first.len() + bad.len() < LOOK {
        match rows.next_row().map_err(|e| BAD_INPUT.because(format!("{name} cannot be read: {e}")))? {
            Some(Ok(row)) => first.push(row),
            Some(Err(wrong)) => bad.push(wrong),
            None => break,
        }
    }
    drop(rows);
    let preset = preset.or_else(|| presets::guess(&layout.columns, kind));
    let kind = preset.map(|p| p.kind).or(kind).unwrap_or_else(|| guess_kind(&layout.columns, &first, shop));
    let (suggested, columns) = suggest(kind, &layout.columns, &first, &shop.zone, shop.country);
    let mapping = preset.map_or(suggested, |p| p.mapping(&layout.columns));
    let shown = |row: &Row| (0..layout.columns.len()).map(|at| exchange::rows::short(row.get(at))).collect();
    Ok(Looked {
        kind: kind.as_str().into(),
        preset: preset.map(|p| p.id.to_string()),
        saved: Vec::new(),
        mapping,
        columns,
        meanings: meanings(kind).iter().map(|m| (*m).to_string()).collect(),
        rows: first.iter().take(20).map(shown).collect(),
        bad: bad.into_iter().take(20).collect(),
        layout,
    })
}

impl Looked {
    /// What an import of this file needs.
    pub fn into_parts(self) -> (Layout, Mapping) {
        (self.layout, self.mapping)
    }
}

impl Look {
    /// A question about a file.
    pub fn of(kind: Option<String>, preset: Option<String>) -> Self {
        Self { upload: None, path: None, kind, preset }
    }
}

/// The kind whose names and values explain most columns.
fn guess_kind(columns: &[String], rows: &[Row], shop: &pipeline::Settings) -> Kind {
    let kinds = [Kind::Customers, Kind::Orders, Kind::Events, Kind::Consents];
    let fits = |kind: Kind| {
        let (mapping, _) = suggest(kind, columns, rows, &shop.zone, shop.country);
        let known = mapping.columns.len();
        exchange::mapping::Plan::new(mapping, columns).map_or(0, |_| known)
    };
    // An order is also a customer with a date; the more telling kind wins among equals.
    let order = |kind: &Kind| match kind {
        Kind::Orders => 3,
        Kind::Events => 2,
        Kind::Customers => 1,
        Kind::Consents => 0,
    };
    kinds.into_iter().max_by_key(|k| (fits(*k), order(k))).unwrap_or(Kind::Customers)
}

/// An import to begin.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImport {
    /// An upload.
    #[serde(default)]
    upload: Option<String>,
    /// A file on the server's machine; for programs on it.
    #[serde(default)]
    path: Option<String>,
    /// As `look` gave it, or changed.
    #[schema(value_type = Object)]
    layout: Layout,
    /// As `look` gave it, or changed.
    #[schema(value_type = Object)]
    mapping: Mapping,
    /// Name of the source that the events belong to; made when it is new.
    source: String,
    /// How old rows are that do not say it themselves; without it, now. Newer data in Braid stays.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    file_time: Option<Timestamp>,
    /// Reads and reports, writes nothing.
    #[serde(default)]
    dry_run: bool,
    /// Takes consents although no opt-outs were imported before.
    #[serde(default)]
    without_opt_outs: bool,
}

/// An import that goes on as a job.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Begun {
    /// See `/api/v1/jobs/{id}`.
    job_id: Id,
}

/// Begins an import, or goes on with the same one that was stopped or failed.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports", request_body = NewImport,
    responses((status = 201, body = Begun)))]
pub async fn begin_import(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<NewImport>,
) -> Result<Response, Problem> {
    let ask = input.value;
    let source = crate::api::accounts::named(&ask.source)?;
    let (name, path) = file_of(&app, &caller, ask.upload.as_deref(), ask.path.as_deref()).await?;
    let hashed = path.clone();
    let found = blocking(move || {
        spec::fingerprint(&hashed).map_err(|e| BAD_INPUT.because(format!("the file cannot be read: {e}")))
    })
    .await?;
    // A repeated request means the same file of the same time: the upload's own, not that of the request.
    let file_time = match ask.file_time {
        Some(at) => at,
        None => written(&path).unwrap_or_else(|| app.now()).min(app.now()),
    };
    let spec = Spec {
        path,
        name,
        sha256: found.sha256,
        lines: found.lines,
        layout: ask.layout,
        mapping: ask.mapping,
        source,
        file_time,
        dry_run: ask.dry_run,
    };
    spec.plan()?;
    let (actor, without) = (caller.actor.clone(), ask.without_opt_outs);
    let answer = app.change(&caller, input.request, move |tx| {
        let job = spec::begin(tx, &spec, without, &actor)?;
        let after = json!({"file": spec.name, "kind": spec.mapping.kind.as_str(), "source": spec.source, "dry_run": spec.dry_run});
        Ok(Done::created(Begun { job_id: Id(job) }).noted(("begin", "import"), job, None, Some(after)))
    });
    let answer = answer.await?;
    app.reload_sources().await?;
    Ok(answer)
}

/// When a file was written last.
pub fn written(path: &std::path::Path) -> Option<Timestamp> {
    let at = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp::from_micros)
}

/// The rows of an import that were not taken, with why, as CSV.
#[utoipa::path(get, path = "/api/v1/imports/{id}/report", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn import_report(
    State(app): State<Arc<App>>,
    _: ReadImports,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let path = drive::report_path(&app.folder, id);
    let gone = || NOT_FOUND.because("this import has no report");
    let text = blocking(move || std::fs::read(&path).map_err(|_| gone())).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"report.csv\""),
    ];
    Ok((headers, text).into_response())
}

/// The file that a request is about.
pub async fn file_of(
    app: &Arc<App>,
    caller: &Caller,
    upload: Option<&str>,
    path: Option<&str>,
) -> Result<(String, PathBuf), Problem> {
    match (upload, path) {
        (Some(id), None) => {
            let (uploads, id) = (Uploads::new(&app.folder), id.to_string());
            let (upload, path) = blocking(move || uploads.complete(&id)).await?;
            Ok((upload.name, path))
        }
        (None, Some(path)) if caller.is_local() => {
            let path = PathBuf::from(path);
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            Ok((name, path))
        }
        (None, Some(_)) => {
            Err(NOT_ALLOWED.because("files of the server's machine are imported on it, with braid import"))
        }
        _ => Err(BAD_INPUT.at("/upload", "name one file")),
    }
}

/// Work with files, off the threads that answer.
pub async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(f).await.map_err(|e| internal(&e))?
}
