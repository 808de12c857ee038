//! How long what is kept: the rules, what they would take now, and running them.
use super::text;
use crate::app::App;
use crate::caller::{ReadPrivacy, WritePrivacy};
use crate::change::Done;
use crate::input::{Id, Input};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base::Timestamp;
use customers::privacy::retention::{self, DAYS_MAX, DAYS_MIN, Kind, RULES_MAX, Rule};
use db::Tx;
use pipeline::retention as apply;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionKind {
    /// Details of events: type, name, ids and time stay.
    Events,
    /// Texts of refused items.
    Rejects,
    /// Subjects and reasons of messages.
    Messages,
    /// Details of audit lines; that something was done, by whom and when, stays.
    Audit,
    /// People of whom nothing was heard: they are erased.
    Inactive,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    kind: RetentionKind,
    /// Events of this source only; nothing = of any.
    source_id: Option<Id>,
    /// A name of events in which `*` stands for anything; empty = all.
    #[serde(default)]
    pattern: String,
    /// From receipt on; for people, from the last sign of life.
    days: i64,
    /// Why so long.
    ground: String,
    #[serde(default)]
    enabled: bool,
}

/// A kind of document that law keeps beyond an erasure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptDocument {
    /// The event's name.
    event: String,
    /// The law.
    ground: String,
    /// After the event.
    term_days: i64,
    enabled: bool,
}

/// How long what is kept.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Retention {
    rules: Vec<RetentionRule>,
    documents: Vec<KeptDocument>,
    /// When the rules were applied last; they are once a day.
    #[schema(value_type = Option<String>, format = DateTime)]
    ran_at: Option<Timestamp>,
}

/// How long what shall be kept, in whole.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionInput {
    rules: Vec<RetentionRule>,
    documents: Vec<KeptDocument>,
}

fn model(kind: RetentionKind) -> Kind {
    match kind {
        RetentionKind::Events => Kind::Events,
        RetentionKind::Rejects => Kind::Rejects,
        RetentionKind::Messages => Kind::Messages,
        RetentionKind::Audit => Kind::Audit,
        RetentionKind::Inactive => Kind::Inactive,
    }
}

fn of(kind: Kind) -> RetentionKind {
    match kind {
        Kind::Events => RetentionKind::Events,
        Kind::Rejects => RetentionKind::Rejects,
        Kind::Messages => RetentionKind::Messages,
        Kind::Audit => RetentionKind::Audit,
        Kind::Inactive => RetentionKind::Inactive,
    }
}

fn body(r: &Rule) -> RetentionRule {
    RetentionRule {
        kind: of(r.kind),
        source_id: (r.source != 0).then_some(Id(r.source)),
        pattern: r.pattern.clone(),
        days: r.days,
        ground: r.ground.clone(),
        enabled: r.enabled,
    }
}

fn documents(tx: &mut Tx) -> Result<Vec<KeptDocument>, db::DbError> {
    let sql = "SELECT event, ground, term_days, enabled FROM retained_kinds ORDER BY event LIMIT 1000";
    let one = |r: &db::Row| {
        let (event, ground) = (r.text(0)?.to_string(), r.text(1)?.to_string());
        Ok(KeptDocument { event, ground, term_days: r.int(2)?, enabled: r.int(3)? == 1 })
    };
    tx.rows(sql, &[])?.iter().map(one).collect()
}

fn present(tx: &mut Tx) -> Result<Retention, Problem> {
    let rules = retention::list(tx.engine())?.iter().map(body).collect();
    Ok(Retention { rules, documents: documents(tx)?, ran_at: crate::retention::ran_at(tx)? })
}

/// Shows how long what is kept.
#[utoipa::path(get, path = "/api/v1/privacy/retention", tag = "privacy", responses((status = 200, body = Retention)))]
pub async fn get_retention(State(app): State<Arc<App>>, _: ReadPrivacy) -> Result<Json<Retention>, Problem> {
    Ok(Json(app.read(present).await?))
}

fn checked(input: &RetentionInput) -> Result<(Vec<Rule>, Vec<KeptDocument>), Problem> {
    if input.rules.len() > RULES_MAX || input.documents.len() > RULES_MAX {
        return Err(BAD_INPUT.at("/rules", format!("more than {RULES_MAX} rules")));
    }
    let mut rules = Vec::new();
    for (at, r) in input.rules.iter().enumerate() {
        let place = |field: &str| format!("/rules/{at}/{field}");
        if !(DAYS_MIN..=DAYS_MAX).contains(&r.days) {
            return Err(BAD_INPUT.at(&place("days"), format!("a number of days from {DAYS_MIN} to {DAYS_MAX}")));
        }
        if r.kind != RetentionKind::Events && (r.source_id.is_some() || !r.pattern.is_empty()) {
            return Err(BAD_INPUT.at(&place("pattern"), "only rules about events name a source or events"));
        }
        if r.pattern.chars().count() > 200 || r.pattern.chars().any(char::is_control) {
            return Err(BAD_INPUT.at(&place("pattern"), "a name of events with at most 200 characters"));
        }
        rules.push(Rule {
            id: 0,
            kind: model(r.kind),
            source: r.source_id.map_or(0, |id| id.0),
            pattern: r.pattern.trim().to_string(),
            days: r.days,
            ground: text(&place("ground"), &r.ground, true)?,
            enabled: r.enabled,
        });
    }
    let mut kept: Vec<KeptDocument> = Vec::new();
    for (at, d) in input.documents.iter().enumerate() {
        let place = |field: &str| format!("/documents/{at}/{field}");
        let event = text(&place("event"), &d.event, true)?;
        if kept.iter().any(|k| k.event == event) {
            return Err(BAD_INPUT.at(&place("event"), "this event is there already"));
        }
        if !(1..=DAYS_MAX).contains(&d.term_days) {
            return Err(BAD_INPUT.at(&place("term_days"), format!("a number of days from 1 to {DAYS_MAX}")));
        }
        kept.push(KeptDocument { event, ground: text(&place("ground"), &d.ground, true)?, ..d.clone() });
    }
    Ok((rules, kept))
}

/// Sets how long what is kept. Nothing goes at once: the rules are applied once a day, or when somebody asks for it. What an
/// erasure kept already keeps its ground and its term.
#[utoipa::path(put, path = "/api/v1/privacy/retention", tag = "privacy", request_body = RetentionInput,
    responses((status = 200, body = Retention)))]
pub async fn put_retention(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    input: Input<RetentionInput>,
) -> Result<Response, Problem> {
    let (rules, kept) = checked(&input.value)?;
    app.change(&caller, input.request, move |tx| {
        let before = present(tx)?;
        retention::replace(tx, &rules)?;
        tx.execute("DELETE FROM retained_kinds", &[])?;
        for d in &kept {
            let sql = "INSERT INTO retained_kinds (event, ground, term_days, enabled) VALUES ($1, $2, $3, $4)";
            tx.execute(sql, &[(&d.event).into(), (&d.ground).into(), d.term_days.into(), i64::from(d.enabled).into()])?;
        }
        tx.notify(db::Notice::Changed { what: "privacy" });
        let after = present(tx)?;
        let noted = |r: &Retention| Some(json!({"rules": r.rules, "documents": r.documents}));
        let states = (noted(&before), noted(&after));
        Ok(Done::ok(after).noted(("update", "retention"), "", states.0, states.1))
    })
    .await
}

/// What a rule would take now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RetentionPreview {
    rule: RetentionRule,
    /// Events, items, messages, lines or people.
    count: i64,
    /// Whether all was looked at; otherwise there are at least so many.
    complete: bool,
}

/// What would go now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RetentionPreviews {
    items: Vec<RetentionPreview>,
    /// Documents without a person whose term is over.
    documents: i64,
}

/// Counts what rules would take now, without taking it. The rules may be others than those that are in force.
#[utoipa::path(post, path = "/api/v1/privacy/retention/preview", tag = "privacy", request_body = RetentionInput,
    responses((status = 200, body = RetentionPreviews)))]
pub async fn preview_retention(
    State(app): State<Arc<App>>,
    _: ReadPrivacy,
    input: Input<RetentionInput>,
) -> Result<Json<RetentionPreviews>, Problem> {
    let (rules, _) = checked(&input.value)?;
    let (preparer, now) = (app.domain.preparer().clone(), app.now());
    app.settle().await?;
    let found = app.query(move |db| {
        let mut items = Vec::new();
        for rule in rules {
            let before = rule.cutoff(now);
            let (count, complete) = match rule.kind {
                Kind::Events => apply::events_waiting(db, &preparer, &rule, now)?,
                Kind::Rejects => (apply::texts_waiting(db, true, before)?, true),
                Kind::Messages => (apply::texts_waiting(db, false, before)?, true),
                Kind::Audit => (crate::audit::expiring(db, before)?, true),
                Kind::Inactive => apply::inactive_waiting(db, before)?,
            };
            items.push(RetentionPreview { rule: body(&rule), count, complete });
        }
        Ok(RetentionPreviews { items, documents: apply::documents_waiting(db, now)? })
    });
    Ok(Json(found.await?))
}

/// A run that has begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RetentionBegun {
    job_id: Id,
}

/// Says that it is meant.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRetention {
    /// True: what goes does not come back.
    confirm: bool,
}

/// Applies the rules now. What goes does not come back.
#[utoipa::path(post, path = "/api/v1/privacy/retention/run", tag = "privacy", request_body = RunRetention,
    responses((status = 202, body = RetentionBegun)))]
pub async fn run_retention(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    input: Input<RunRetention>,
) -> Result<Response, Problem> {
    if !input.value.confirm {
        return Err(BAD_INPUT.at("/confirm", "look at the preview, and confirm"));
    }
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let job = crate::retention::begin(tx, &actor)?;
        let done = Done { status: StatusCode::ACCEPTED, ..Done::ok(RetentionBegun { job_id: Id(job) }) };
        Ok(done.noted(("run", "retention"), job, None, None))
    })
    .await
}
