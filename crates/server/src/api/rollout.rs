//! `/rollout`: what is left to do before each part of the shop's work is Braid's, and who said go.
use super::parallel_run::{signed, today};
use crate::app::App;
use crate::caller::{ReadImports, WriteImports};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::moving::rollout::{self, Area, Decided, Facts, Name, Step};
use crate::problem::{CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use db::Engine;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// A decision that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RolloutDecided)]
pub struct DecidedBody {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    go: bool,
    reason: String,
    /// Steps that were not done then.
    lacking: Vec<String>,
}

/// A part of the shop's work on its way to Braid.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RolloutPart)]
pub struct PartBody {
    #[schema(inline)]
    area: Area,
    steps: Vec<Step>,
    /// What is compared with the old tool for it, as `/api/v1/parallel-run` names it.
    modules: Vec<String>,
    /// Whether every step is done.
    ready: bool,
    /// The newest first.
    decisions: Vec<DecidedBody>,
}

fn part(db: &mut Engine, area: Area, facts: &Facts, now: Timestamp) -> Result<PartBody, Problem> {
    let steps = rollout::checklist(area, facts, now);
    let decided = |d: Decided| DecidedBody {
        id: Id(d.id),
        at: d.at,
        actor: d.actor,
        go: d.go,
        reason: d.reason,
        lacking: serde_json::from_str(&d.lacking).unwrap_or_default(),
    };
    Ok(PartBody {
        area,
        ready: steps.iter().all(|s| s.done),
        steps,
        modules: area.compared().iter().map(|m| m.as_str().into()).collect(),
        decisions: rollout::decisions(db, area)?.into_iter().map(decided).collect(),
    })
}

/// Lists the parts of the roll-out with their checklists and decisions.
#[utoipa::path(get, path = "/api/v1/rollout", tag = "moving", responses((status = 200, body = inline(List<PartBody>))))]
pub async fn list_rollout(State(app): State<Arc<App>>, _: ReadImports) -> Result<Json<List<PartBody>>, Problem> {
    let (today, now) = (today(&app), app.now());
    let items = app.query(move |db| {
        let facts = rollout::facts(db, &today)?;
        Area::ALL.into_iter().map(|area| part(db, area, &facts, now)).collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(List::whole(items.await?)))
}

/// Go or no go.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutDecision {
    go: bool,
    /// 3 to 500 characters.
    reason: String,
    /// Says go although steps are open.
    #[serde(default)]
    although: bool,
}

/// Says go or no go about a part, signed in the audit with what was lacking.
#[utoipa::path(post, path = "/api/v1/rollout/{area}/decisions", tag = "moving", params(("area" = String, Path)),
    request_body = RolloutDecision, responses((status = 200, body = PartBody)))]
pub async fn decide_rollout(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(area): Path<String>,
    input: Input<RolloutDecision>,
) -> Result<Response, Problem> {
    let area = Area::parse(&area).ok_or_else(|| NOT_FOUND.because("there is no such part of the roll-out"))?;
    let RolloutDecision { go, reason, although } = input.value;
    let reason = super::approvals::reason(&reason)?;
    signed(&caller)?;
    let (actor, today) = (caller.actor.clone(), today(&app));
    app.change(&caller, input.request, move |tx| {
        let now = tx.now();
        let facts = rollout::facts(tx.engine(), &today)?;
        let steps = rollout::checklist(area, &facts, now);
        let lacking: Vec<Name> = steps.iter().filter(|s| !s.done).map(|s| s.step).collect();
        if go && !lacking.is_empty() && !although {
            let open = lacking.len();
            return Err(CONFLICT
                .because(format!("{open} steps of the checklist are open. Say although to decide it nevertheless")));
        }
        rollout::decide(tx, area, go, &reason, &lacking, &actor)?;
        let body = part(tx.engine(), area, &facts, now)?;
        let after = json!({"reason": reason, "although": although, "lacking": lacking});
        let act = if go { "go" } else { "no_go" };
        Ok(Done::ok(body).noted((act, "rollout"), area.as_str(), None, Some(after)))
    })
    .await
}

/// Notes that the newest report on the data's quality was read: a step of the roll-out's checklists.
#[utoipa::path(post, path = "/api/v1/quality/read", tag = "moving", responses((status = 204)))]
pub async fn read_quality_report(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    app.change(&caller, input.request, move |tx| {
        let newest = tx.first("SELECT MAX(day) FROM quality_days", &[])?;
        let Some(day) = newest.map(|r| r.opt_text(0).map(|t| t.map(str::to_string))).transpose()?.flatten() else {
            return Err(CONFLICT.because("there is no report yet: make one"));
        };
        rollout::read_report(tx)?;
        Ok(Done::nothing().noted(("read", "quality_report"), day, None, None))
    })
    .await
}
