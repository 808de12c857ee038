//! `/parallel-run`: an old tool and Braid side by side, module by module, until somebody decides.
use super::imports::{Look, blocking, file_of, look, written};
use crate::app::App;
use crate::caller::{Caller, ReadImports, WriteImports};
use crate::change::{Done, check_version, with_version};
use crate::imports::spec;
use crate::input::{Id, Input, List, Params, if_match, limit};
use crate::moving::compare::{self, Spec};
use crate::moving::store::{self, Decision, DecisionRow, DifferenceRow, Row, RunRow, Settings, Which};
use crate::problem::{BAD_CURSOR, BAD_INPUT, BAD_QUERY, CONFLICT, NOT_ALLOWED, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use db::Engine;
use exchange::compare::module::Module;
use exchange::compare::ready::Standing;
use exchange::compare::there::{Totals, day_of};
use exchange::compare::{Cause, Verdict};
use exchange::mapping::Mapping;
use exchange::rows::Layout;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Days of history on a module's page.
const DAYS: i64 = 60;
/// Differences that are explained at once, at most.
const EXPLAINED_MAX: usize = 500;

/// How a module stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CompareStanding)]
pub struct StandingBody {
    green_days: u32,
    /// The newest compared day.
    newest: Option<String>,
    open_differences: u64,
    /// `go`, `no_go` or `nothing`.
    verdict: String,
    /// What is lacking for go.
    lacking: Vec<String>,
}

impl From<Standing> for StandingBody {
    fn from(s: Standing) -> Self {
        Self {
            green_days: s.green_days,
            newest: s.newest,
            open_differences: s.open_differences,
            verdict: s.verdict.as_str().into(),
            lacking: s.lacking,
        }
    }
}

/// A compared module.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CompareModule)]
pub struct ModuleBody {
    id: Id,
    name: String,
    /// `orders`, `receipts`, `refunds`, `revenue`, `customers`, `opt_ins`, `sends` or `segments`.
    module: String,
    settings: Settings,
    standing: StandingBody,
    /// Since when Braid does it, where somebody decided so.
    switched_at: Option<String>,
    switched_by: Option<String>,
    version: i64,
}

fn body(db: &mut Engine, row: &Row, today: &str) -> Result<ModuleBody, Problem> {
    Ok(ModuleBody {
        id: Id(row.id),
        name: row.name.clone(),
        module: row.module.as_str().into(),
        settings: row.settings,
        standing: store::stands(db, row, today)?.into(),
        switched_at: row.switched.then(|| Timestamp::from_micros(row.switched_at).to_string()),
        switched_by: Some(row.switched_by.clone()).filter(|b| !b.is_empty()),
        version: row.version,
    })
}

pub(super) fn today(app: &App) -> String {
    day_of(app.now(), &app.domain.settings().zone)
}

fn module(db: &mut Engine, id: i64) -> Result<Row, Problem> {
    store::find(db, id)?.ok_or_else(|| NOT_FOUND.because("there is no such compared module"))
}

/// Lists the modules that are compared with an old tool, with how they stand.
#[utoipa::path(get, path = "/api/v1/parallel-run", tag = "moving",
    responses((status = 200, body = inline(List<ModuleBody>))))]
pub async fn list_compared(State(app): State<Arc<App>>, _: ReadImports) -> Result<Json<List<ModuleBody>>, Problem> {
    let today = today(&app);
    let items = app.query(move |db| {
        let rows = store::list(db)?;
        rows.iter().map(|row| body(db, row, &today)).collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(List::whole(items.await?)))
}

/// A module to be compared.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCompared {
    /// As people call it: `Orders of the old shop`.
    name: String,
    /// `orders`, `receipts`, `refunds`, `revenue`, `customers`, `opt_ins`, `sends` or `segments`.
    module: String,
    #[serde(default)]
    settings: Option<Settings>,
}

fn checked(settings: Option<Settings>) -> Result<Settings, Problem> {
    let settings = settings.unwrap_or_default();
    settings.check().map_err(|(place, detail)| BAD_INPUT.at(place, detail))?;
    Ok(settings)
}

/// Adds a module.
#[utoipa::path(post, path = "/api/v1/parallel-run", tag = "moving", request_body = NewCompared,
    responses((status = 201, body = ModuleBody)))]
pub async fn create_compared(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<NewCompared>,
) -> Result<Response, Problem> {
    let name = super::accounts::named(&input.value.name)?;
    let kinds = Module::ALL.map(Module::as_str).join(", ");
    let module = Module::parse(&input.value.module)
        .ok_or_else(|| BAD_INPUT.at("/module", format!("what is compared is one of {kinds}")))?;
    let settings = checked(input.value.settings)?;
    let (actor, today) = (caller.actor.clone(), today(&app));
    app.change(&caller, input.request, move |tx| {
        if store::list(tx.engine())?.len() as i64 >= store::MODULES_MAX {
            return Err(CONFLICT.because("there are too many compared modules"));
        }
        let row = store::add(tx, &name, module, &settings, &actor)?;
        let after = json!({"name": row.name, "module": module.as_str(), "settings": settings});
        let body = body(tx.engine(), &row, &today)?;
        Ok(Done::created(body).noted(("create", "parallel_run"), row.id, None, Some(after)))
    })
    .await
}

/// A compared day.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ComparedDay)]
pub struct DayBody {
    /// The shop's day.
    day: String,
    /// `go`, `no_go` or `nothing`.
    verdict: String,
    why: String,
    figures: Figures,
}

/// Both systems' numbers. Sums are minor units or counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CompareFigures)]
pub struct Figures {
    there: u64,
    here: u64,
    same: u64,
    sum_there: i64,
    sum_here: i64,
    /// How many differences have which cause.
    #[schema(value_type = Object)]
    causes: Value,
}

fn figures(text: &str) -> Figures {
    serde_json::from_str(text).unwrap_or_default()
}

/// A comparison that was made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CompareRun)]
pub struct RunBody {
    id: Id,
    job_id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    file: String,
    rows: i64,
    from_day: String,
    to_day: String,
    figures: Figures,
    /// By how many minutes the file's clock is off; 0 = it is not.
    shift_minutes: i64,
    verdict: String,
    why: String,
}

fn run(r: RunRow) -> RunBody {
    RunBody {
        id: Id(r.id),
        job_id: Id(r.job_id),
        at: r.at,
        actor: r.actor,
        file: r.file,
        rows: r.file_rows,
        from_day: r.from_day,
        to_day: r.to_day,
        figures: figures(&r.figures),
        shift_minutes: r.shift_minutes,
        verdict: r.verdict.as_str().into(),
        why: r.why,
    }
}

/// A decision that was made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = DecisionMade)]
pub struct DecidedBody {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    /// `go`, `no_go`, `switch` or `back`.
    decision: String,
    reason: String,
    /// How the module stood.
    #[schema(value_type = Object)]
    standing: Value,
}

fn decided(d: DecisionRow) -> DecidedBody {
    let standing = serde_json::from_str(&d.standing).unwrap_or(Value::Null);
    DecidedBody { id: Id(d.id), at: d.at, actor: d.actor, decision: d.decision, reason: d.reason, standing }
}

/// A module with its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CompareModulePage)]
pub struct ModulePage {
    module: ModuleBody,
    /// The newest first.
    days: Vec<DayBody>,
    runs: Vec<RunBody>,
    decisions: Vec<DecidedBody>,
    /// Open differences by cause.
    #[schema(value_type = Object)]
    open_by_cause: Value,
}

/// A module with its days, comparisons and decisions.
#[utoipa::path(get, path = "/api/v1/parallel-run/{id}", tag = "moving", params(("id" = String, Path)),
    responses((status = 200, body = ModulePage)))]
pub async fn get_compared(
    State(app): State<Arc<App>>,
    _: ReadImports,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (id, today) = (Id::in_path(&id)?, today(&app));
    let page = app.query(move |db| {
        let row = module(db, id)?;
        let day = |d: store::DayRow| DayBody {
            day: d.day,
            verdict: d.verdict.as_str().into(),
            why: d.why,
            figures: figures(&d.figures),
        };
        let days = store::days(db, id, DAYS)?.into_iter().map(day).collect();
        let runs = store::runs(db, id, 30)?.into_iter().map(run).collect();
        let decisions = store::decisions(db, id)?.into_iter().map(decided).collect();
        let open_by_cause = json!(store::open_by_cause(db, id)?);
        Ok(ModulePage { module: body(db, &row, &today)?, days, runs, decisions, open_by_cause })
    });
    let page = page.await?;
    let version = page.module.version;
    Ok(with_version(page, version))
}

/// Name and settings of a module.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparedInput {
    name: String,
    settings: Settings,
}

/// Changes a module's name and thresholds; days that were compared keep their verdict until they are compared again.
#[utoipa::path(put, path = "/api/v1/parallel-run/{id}", tag = "moving", params(("id" = String, Path)),
    request_body = ComparedInput, responses((status = 200, body = ModuleBody)))]
pub async fn update_compared(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ComparedInput>,
) -> Result<Response, Problem> {
    let (id, wanted, today) = (Id::in_path(&id)?, if_match(&headers)?, today(&app));
    let name = super::accounts::named(&input.value.name)?;
    let settings = checked(Some(input.value.settings))?;
    app.change(&caller, input.request, move |tx| {
        let before = module(tx.engine(), id)?;
        check_version(wanted, before.version)?;
        store::update(tx, id, &name, &settings)?;
        let row = module(tx.engine(), id)?;
        let told = |r: &Row| Some(json!({"name": r.name, "settings": r.settings}));
        let body = body(tx.engine(), &row, &today)?;
        Ok(Done::ok(body).versioned(row.version).noted(("update", "parallel_run"), id, told(&before), told(&row)))
    })
    .await
}

/// A file of the old tool to compare with.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComparison {
    /// An upload.
    #[serde(default)]
    upload: Option<String>,
    /// A file on the server's machine; for programs on it.
    #[serde(default)]
    path: Option<String>,
    /// The system whose export it is; found out without it. A file of totals by day needs none.
    #[serde(default)]
    preset: Option<String>,
    /// As `imports/look` gave it, or changed; found out without it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    layout: Option<Layout>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    mapping: Option<Mapping>,
    /// The first day that the file is about, where its rows do not show it.
    #[serde(default)]
    from_day: Option<String>,
    /// The last one.
    #[serde(default)]
    to_day: Option<String>,
}

/// A comparison that goes on as a job.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ComparisonBegun)]
pub struct Begun {
    /// See `/api/v1/jobs/{id}`; its result tells the differences.
    job_id: Id,
}

/// Finds out how the file is to be read. Also for `braid compare` without a server.
pub fn spec_of(
    shop: &pipeline::Settings,
    row: &Row,
    (name, path): (String, std::path::PathBuf),
    ask: &NewComparison,
    now: Timestamp,
) -> Result<Spec, Problem> {
    for (place, day) in [("/from_day", &ask.from_day), ("/to_day", &ask.to_day)] {
        if day.as_deref().is_some_and(|d| exchange::compare::day(d).is_none()) {
            return Err(BAD_INPUT.at(place, "a day is written as 2026-11-30"));
        }
    }
    let kind = row.module.kind().map(|k| k.as_str().to_string());
    let found = spec::fingerprint(&path).map_err(|e| BAD_INPUT.because(format!("{name} cannot be read: {e}")))?;
    let (layout, mapping) = match (&ask.layout, &ask.mapping) {
        (Some(layout), mapping) => (layout.clone(), mapping.clone()),
        (None, _) => {
            let looked =
                look(shop, &name, &path, &Look::of(kind.filter(|_| ask.preset.is_none()), ask.preset.clone()))?;
            let (layout, mapping) = looked.into_parts();
            let totals = ask.preset.is_none() && Totals::find(row.module, &layout.columns).is_some();
            (layout, if totals { None } else { Some(mapping) })
        }
    };
    let mapping = Spec::read_as(row.module, &layout, mapping)?;
    let file_time = written(&path).unwrap_or(now).min(now);
    Ok(Spec {
        module_id: row.id,
        path,
        name,
        sha256: found.sha256,
        layout,
        mapping,
        file_time,
        from_day: ask.from_day.clone(),
        to_day: ask.to_day.clone(),
    })
}

impl NewComparison {
    /// A question about a file on this machine.
    pub fn local(path: &std::path::Path, preset: Option<String>, days: (Option<String>, Option<String>)) -> Self {
        let path = Some(path.display().to_string());
        Self { upload: None, path, preset, layout: None, mapping: None, from_day: days.0, to_day: days.1 }
    }
}

/// Compares a file of the old tool with Braid's own numbers: an export with its rows, or totals by day.
#[utoipa::path(post, path = "/api/v1/parallel-run/{id}/comparisons", tag = "moving", params(("id" = String, Path)),
    request_body = NewComparison, responses((status = 201, body = Begun)))]
pub async fn begin_comparison(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(id): Path<String>,
    input: Input<NewComparison>,
) -> Result<Response, Problem> {
    let (id, ask) = (Id::in_path(&id)?, input.value);
    let row = app.query(move |db| module(db, id)).await?;
    let file = file_of(&app, &caller, ask.upload.as_deref(), ask.path.as_deref()).await?;
    let (shared, now) = (app.clone(), app.now());
    let spec = blocking(move || spec_of(shared.domain.settings(), &row, file, &ask, now)).await?;
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let job = compare::begin(tx, &spec, &actor)?;
        let after = json!({"file": spec.name, "module": id.to_string()});
        Ok(Done::created(Begun { job_id: Id(job) }).noted(("compare", "parallel_run"), id, None, Some(after)))
    })
    .await
}

/// Which differences.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DifferencesQuery {
    /// Only of this day.
    day: Option<String>,
    /// Only of this cause.
    cause: Option<String>,
    /// Only those that count and that nobody has explained.
    open: Option<bool>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// One side of a difference.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ComparedItem)]
pub struct ItemBody {
    day: String,
    /// Minor units or a count.
    value: i64,
    /// When, where it is known.
    at: Option<String>,
    /// A line of the file, or a source of events.
    place: String,
}

/// A difference.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CompareDifference)]
pub struct DifferenceBody {
    id: Id,
    day: String,
    /// The order's number, the contact, the segment, the day.
    item: String,
    /// `missing_in_braid`, `missing_there`, `different_value`, `zone_shift`, `day_border`, `duplicate_there`, `duplicate_here`, `rejected_row`.
    cause: String,
    why: String,
    there: Option<ItemBody>,
    here: Option<ItemBody>,
    /// Whether it counts by the module's thresholds.
    counts: bool,
    explained_at: Option<String>,
    explained_by: Option<String>,
    note: Option<String>,
}

fn difference(d: DifferenceRow) -> DifferenceBody {
    let side = |i: exchange::compare::Item| ItemBody {
        day: i.day,
        value: i.value,
        at: (i.at_us != 0).then(|| Timestamp::from_micros(i.at_us).to_string()),
        place: i.place,
    };
    let text = |t: String| Some(t).filter(|t| !t.is_empty());
    DifferenceBody {
        id: Id(d.id),
        day: d.day,
        item: d.item,
        cause: d.cause,
        why: d.why,
        there: d.there.map(side),
        here: d.here.map(side),
        counts: d.counts,
        explained_at: (d.explained_at > 0).then(|| Timestamp::from_micros(d.explained_at).to_string()),
        explained_by: text(d.explained_by),
        note: text(d.note),
    }
}

/// The differences of a module with their causes, the newest day first.
#[utoipa::path(get, path = "/api/v1/parallel-run/{id}/differences", tag = "moving",
    params(("id" = String, Path), DifferencesQuery), responses((status = 200, body = inline(List<DifferenceBody>))))]
pub async fn list_differences(
    State(app): State<Arc<App>>,
    _: ReadImports,
    Path(id): Path<String>,
    Params(query): Params<DifferencesQuery>,
) -> Result<Json<List<DifferenceBody>>, Problem> {
    let (id, limit) = (Id::in_path(&id)?, limit(query.limit)?);
    if query.cause.as_deref().is_some_and(|c| Cause::parse(c).is_none()) {
        return Err(BAD_QUERY.because("there is no such cause"));
    }
    let before = query.cursor.as_deref().map(|c| {
        let (day, id) = c.split_once('.')?;
        Some((day.to_string(), id.parse().ok()?))
    });
    let before = match before {
        Some(None) => return Err(BAD_CURSOR.because("pass next_cursor as it came")),
        Some(place) => place,
        None => None,
    };
    let which = Which {
        day: query.day.unwrap_or_default(),
        cause: query.cause.unwrap_or_default(),
        open: query.open.unwrap_or(false),
    };
    let rows = app.query(move |db| {
        module(db, id)?;
        Ok(store::listed(db, id, &which, before, limit + 1)?)
    });
    let page = List::page(rows.await?, limit, |d| format!("{}.{}", d.day, d.id));
    Ok(Json(List { items: page.items.into_iter().map(difference).collect(), next_cursor: page.next_cursor }))
}

/// Why differences are fine.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    ids: Vec<Id>,
    /// 3 to 500 characters.
    note: String,
}

/// How many were open.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Explained {
    explained: u64,
}

/// Explains differences: they are open no more, now and when they are found again.
#[utoipa::path(post, path = "/api/v1/parallel-run/{id}/differences", tag = "moving", params(("id" = String, Path)),
    request_body = Explanation, responses((status = 200, body = Explained)))]
pub async fn explain_differences(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(id): Path<String>,
    input: Input<Explanation>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let note = super::approvals::reason(&input.value.note).map_err(|p| BAD_INPUT.at("/note", p.detail))?;
    let ids: Vec<i64> = input.value.ids.iter().map(|id| id.0).collect();
    if ids.is_empty() || ids.len() > EXPLAINED_MAX {
        return Err(BAD_INPUT.at("/ids", format!("1 to {EXPLAINED_MAX} differences")));
    }
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        module(tx.engine(), id)?;
        let explained = store::explain(tx, id, &ids, &note, &actor)?;
        let after = json!({"differences": ids.iter().map(i64::to_string).collect::<Vec<_>>(), "note": note});
        Ok(Done::ok(Explained { explained }).noted(("explain", "parallel_run"), id, None, Some(after)))
    })
    .await
}

/// A decision about a module.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionInput {
    decision: Decision,
    /// 3 to 500 characters.
    reason: String,
    /// Says go, or switches, although something is lacking.
    #[serde(default)]
    although: bool,
}

/// What must hold for a decision.
fn may_decide(decision: Decision, row: &Row, standing: &Standing, although: bool) -> Result<(), Problem> {
    let lacking = || standing.lacking.join("; ");
    match decision {
        Decision::Go | Decision::Switch if standing.verdict != Verdict::Go && !although => {
            let what = if standing.newest.is_none() { "nothing was compared yet".to_string() } else { lacking() };
            Err(CONFLICT.because(format!("this is no go yet: {what}. Say although to decide it nevertheless")))
        }
        Decision::Switch if row.switched => Err(CONFLICT.because("Braid does this already")),
        Decision::Back if !row.switched => Err(CONFLICT.because("the old tool still does this")),
        _ => Ok(()),
    }
}

/// Decides about a module, signed in the audit: go, no go, the switch, the way back.
#[utoipa::path(post, path = "/api/v1/parallel-run/{id}/decisions", tag = "moving", params(("id" = String, Path)),
    request_body = DecisionInput, responses((status = 200, body = ModuleBody)))]
pub async fn decide_compared(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(id): Path<String>,
    input: Input<DecisionInput>,
) -> Result<Response, Problem> {
    let (id, today) = (Id::in_path(&id)?, today(&app));
    let DecisionInput { decision, reason, although } = input.value;
    let reason = super::approvals::reason(&reason)?;
    signed(&caller)?;
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let row = module(tx.engine(), id)?;
        let standing = store::stands(tx.engine(), &row, &today)?;
        may_decide(decision, &row, &standing, although)?;
        store::decide(tx, id, decision, &reason, &standing, &actor)?;
        let row = module(tx.engine(), id)?;
        let body = body(tx.engine(), &row, &today)?;
        let after = json!({"decision": decision.as_str(), "reason": reason, "although": although,
            "green_days": standing.green_days, "open_differences": standing.open_differences, "lacking": standing.lacking});
        Ok(Done::ok(body).noted((decision.as_str(), "parallel_run"), id, None, Some(after)))
    })
    .await
}

/// A decision is a person's.
pub(super) fn signed(caller: &Caller) -> Result<(), Problem> {
    if caller.user.is_none() {
        return Err(NOT_ALLOWED.because("a person decides, not a key: sign in"));
    }
    Ok(())
}
