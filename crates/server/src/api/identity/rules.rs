//! `/identity/rules`: priorities, limits, forms; and what other rules would do.
use crate::app::App;
use crate::caller::{ReadIdentity, WriteIdentity};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, if_match};
use crate::problem::{BAD_INPUT, BUSY, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use customers::rules::{self, Form, Hubs, KindRule, LimitData, Rules, RulesData, RulesRow, Stitch};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// In which form values of a kind are stored and compared.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityForm {
    /// As they are, without blanks at the ends.
    Exact,
    /// In lower case.
    Lower,
    /// Letters and digits only, in lower case.
    Compact,
    /// Addresses.
    Email,
    /// E.164.
    Phone,
}

/// So many values within so many days.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityLimit {
    count: u32,
    /// Null = ever.
    #[serde(default)]
    window_days: Option<u32>,
}

/// What holds for a kind of identifier.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityKindRule {
    /// `*` stands for all kinds without a rule of their own.
    kind: String,
    /// 1 is matched first and left out last.
    priority: u32,
    limits: Vec<IdentityLimit>,
    form: IdentityForm,
}

/// When a value counts as shared by many.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityHubs {
    /// Listed as a suspect from so many other values of one kind on.
    suspect_at: u32,
    /// Demoted without asking from so many on; 0 = never.
    demote_at: u32,
    window_days: u32,
}

/// The stitch rate.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityStitch {
    /// An anonymous profile counts as stitched when it becomes known within so many days.
    known_within_days: u32,
    /// Alarm when a rate is this many times smaller or larger than in the four weeks before; 0 = never.
    alarm_factor: f64,
}

/// Rules as they are sent.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityRulesInput {
    kinds: Vec<IdentityKindRule>,
    hubs: IdentityHubs,
    stitch: IdentityStitch,
}

/// The rules that hold.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct IdentityRules {
    /// 0 = the defaults.
    version: i64,
    kinds: Vec<IdentityKindRule>,
    hubs: IdentityHubs,
    stitch: IdentityStitch,
    /// Values that identify nobody in any shop.
    built_in: Vec<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
    changed_by: Option<String>,
    /// Whether the whole past was decided by these rules and the present list of values.
    applied: bool,
    /// The job that brings the past to them, while it runs.
    job_id: Option<Id>,
}

fn input(body: IdentityRulesInput) -> Result<RulesData, Problem> {
    let form = |f| match f {
        IdentityForm::Exact => Form::Exact,
        IdentityForm::Lower => Form::Lower,
        IdentityForm::Compact => Form::Compact,
        IdentityForm::Email => Form::Email,
        IdentityForm::Phone => Form::Phone,
    };
    let limit = |l: IdentityLimit| LimitData { count: l.count, window_days: l.window_days };
    let kind = |k: IdentityKindRule| KindRule {
        kind: k.kind,
        priority: k.priority,
        limits: k.limits.into_iter().map(limit).collect(),
        form: form(k.form),
    };
    let (hubs, stitch) = (body.hubs, body.stitch);
    let data = RulesData {
        kinds: body.kinds.into_iter().map(kind).collect(),
        hubs: Hubs { suspect_at: hubs.suspect_at, demote_at: hubs.demote_at, window_days: hubs.window_days },
        stitch: Stitch { known_within_days: stitch.known_within_days, alarm_factor: stitch.alarm_factor },
    };
    data.check().map_err(|e| BAD_INPUT.at(&e.pointer, e.detail))?;
    Ok(data)
}

fn output(row: RulesRow, applied: bool, job: Option<i64>) -> IdentityRules {
    let form = |f| match f {
        Form::Exact => IdentityForm::Exact,
        Form::Lower => IdentityForm::Lower,
        Form::Compact => IdentityForm::Compact,
        Form::Email => IdentityForm::Email,
        Form::Phone => IdentityForm::Phone,
    };
    let limit = |l: &LimitData| IdentityLimit { count: l.count, window_days: l.window_days };
    let kind = |k: &KindRule| IdentityKindRule {
        kind: k.kind.clone(),
        priority: k.priority,
        limits: k.limits.iter().map(limit).collect(),
        form: form(k.form),
    };
    let RulesData { kinds, hubs, stitch } = row.rules;
    let built_in = ["0, 00, -, 0-0, …", "-1", "null", "anonymous", "undefined", "test", "none"];
    IdentityRules {
        version: row.version,
        kinds: kinds.iter().map(kind).collect(),
        hubs: IdentityHubs { suspect_at: hubs.suspect_at, demote_at: hubs.demote_at, window_days: hubs.window_days },
        stitch: IdentityStitch { known_within_days: stitch.known_within_days, alarm_factor: stitch.alarm_factor },
        built_in: built_in.map(String::from).to_vec(),
        changed_at: row.at,
        changed_by: Some(row.actor).filter(|a| !a.is_empty()),
        applied,
        job_id: job.map(Id),
    }
}

fn present(tx: &mut db::Tx) -> Result<IdentityRules, db::DbError> {
    let applied = rules::applied(tx.engine())? == rules::of(tx)?.version;
    let job = pipeline::rerun::waiting(tx)?;
    Ok(output(rules::newest(tx.engine())?, applied, job))
}

/// Shows the rules by which people are told apart.
#[utoipa::path(get, path = "/api/v1/identity/rules", tag = "identity", responses((status = 200, body = IdentityRules)))]
pub async fn get_identity_rules(State(app): State<Arc<App>>, _: ReadIdentity) -> Result<Response, Problem> {
    let rules = app.read(|tx| Ok(present(tx)?)).await?;
    let version = rules.version;
    Ok(with_version(rules, version))
}

/// Changes the rules. New events follow them at once; a job brings the past to them.
#[utoipa::path(put, path = "/api/v1/identity/rules", tag = "identity", request_body = IdentityRulesInput,
    responses((status = 200, body = IdentityRules)))]
pub async fn put_identity_rules(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    headers: HeaderMap,
    body: Input<IdentityRulesInput>,
) -> Result<Response, Problem> {
    let (wanted, data, actor) = (if_match(&headers)?, input(body.value)?, caller.actor.clone());
    let answer = app
        .change(&caller, body.request, move |tx| {
            let before = rules::newest(tx.engine())?;
            check_version(wanted, before.version)?;
            let row = rules::set(tx, &data, &actor)?;
            let version = row.version;
            let told = |r: &RulesData| serde_json::to_value(r).ok();
            let (old, new) = (told(&before.rules), told(&row.rules));
            Ok(Done::ok(present(tx)?).versioned(version).noted(("update", "identity_rules"), version, old, new))
        })
        .await?;
    follow(&app).await?;
    Ok(answer)
}

/// Lets requests be prepared with the newest rules at once.
pub async fn follow(app: &App) -> Result<(), Problem> {
    let preparer = app.domain.preparer().clone();
    app.read(move |tx| Ok(preparer.follow(tx)?)).await
}

/// What rules would do to the past.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IdentityRulesPreview {
    /// People that would fall apart.
    people_apart: i64,
    /// People that several of today's would become.
    people_joined: i64,
    /// Events that would go to another profile, or to nobody.
    events_moved: i64,
    /// Values that would come to another profile, or off.
    values_moved: i64,
    /// How many people there would be.
    people: i64,
}

static LOOKING: AtomicBool = AtomicBool::new(false);

struct Looking;

impl Drop for Looking {
    fn drop(&mut self) {
        LOOKING.store(false, Ordering::SeqCst);
    }
}

/// Counts what rules would do: the whole log is decided again in a snapshot beside the writer, about a second for 200,000
/// events. One at a time.
#[utoipa::path(post, path = "/api/v1/identity/rules/preview", tag = "identity", request_body = IdentityRulesInput,
    responses((status = 200, body = IdentityRulesPreview)))]
pub async fn preview_identity_rules(
    State(app): State<Arc<App>>,
    _: ReadIdentity,
    body: Input<IdentityRulesInput>,
) -> Result<Json<IdentityRulesPreview>, Problem> {
    let data = input(body.value)?;
    if LOOKING.swap(true, Ordering::SeqCst) {
        return Err(BUSY.because("another preview is being counted; try again when it is done"));
    }
    let looking = Looking;
    let listed = app.query(|db| Ok(rules::listed_values(db)?)).await?;
    let proposed = Arc::new(Rules::new(&data, listed, 0));
    let (work, now) = (app.clone(), app.now());
    let counted = tokio::task::spawn_blocking(move || {
        let domain = &work.domain;
        let (store, preparer, settings) = (domain.store(), domain.preparer(), domain.shared_settings());
        let work = pipeline::rerun::Work { store, preparer, settings, now };
        let plan = pipeline::rerun::preview(&work, proposed, &|| store.is_alive());
        drop(looking);
        plan
    });
    let plan = counted.await.map_err(|e| crate::problem::internal(&e))??;
    let plan = plan.ok_or_else(|| BUSY.because("the server is stopping"))?;
    let sum = |of: fn(&customers::regroup::Cluster) -> usize| plan.clusters.iter().map(of).sum::<usize>() as i64;
    Ok(Json(IdentityRulesPreview {
        people_apart: plan.apart as i64,
        people_joined: plan.joined as i64,
        events_moved: sum(|c| c.moves.len()),
        values_moved: sum(|c| c.owners.len()),
        people: plan.people as i64,
    }))
}
