//! `/identity/suspects`: values that are seen with many others.
use super::shown;
use crate::app::App;
use crate::caller::{ReadIdentity, WriteIdentity};
use crate::change::Done;
use crate::input::{Id, Input, List, Params, limit};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::Timestamp;
use customers::hubs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// An event that shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SuspectExample {
    other_kind: String,
    other_value: String,
    profile_id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    seq: Id,
}

/// A value that many people seem to share. `POST /identity/blocked` with mode `demote` or `block` decides about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Suspect {
    kind: String,
    value: String,
    /// The kind of the others that it is seen with, and how many within the rules' window.
    other_kind: String,
    others: i64,
    /// Profiles that these events went to.
    profiles: i64,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// The newest of them.
    examples: Vec<SuspectExample>,
}

/// How many.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuspectsQuery {
    limit: Option<i64>,
}

const EXAMPLES: i64 = 5;
const SUSPECTS_MAX: i64 = 100;

/// Lists suspects that nobody has decided about, those with most others first.
#[utoipa::path(get, path = "/api/v1/identity/suspects", tag = "identity", params(SuspectsQuery),
    responses((status = 200, body = inline(List<Suspect>))))]
pub async fn list_suspects(
    State(app): State<Arc<App>>,
    ReadIdentity(caller): ReadIdentity,
    Params(q): Params<SuspectsQuery>,
) -> Result<Json<List<Suspect>>, Problem> {
    let (limit, now) = (limit(q.limit)?.min(SUSPECTS_MAX), app.now());
    let rules = app.domain.preparer().current().rules;
    let found = app
        .query(move |db| {
            let suspects = hubs::list(db, &rules, now, limit)?;
            let mut out = Vec::with_capacity(suspects.len());
            for suspect in suspects {
                let examples = hubs::examples(db, &suspect.kind, &suspect.value, EXAMPLES)?;
                out.push((suspect, examples));
            }
            Ok(out)
        })
        .await?;
    let example = |e: hubs::Example| SuspectExample {
        other_value: shown(&caller, &e.other_kind, &e.other_value),
        other_kind: e.other_kind,
        profile_id: Id(e.profile_id),
        at: e.at,
        seq: Id(e.seq),
    };
    let items = found.into_iter().map(|(s, examples)| Suspect {
        value: shown(&caller, &s.kind, &s.value),
        kind: s.kind,
        other_kind: s.other_kind,
        others: s.others,
        profiles: s.profiles,
        first_at: s.first,
        last_at: s.last,
        examples: examples.into_iter().map(example).collect(),
    });
    Ok(Json(List::whole(items.collect())))
}

/// A value that is fine.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissedSuspect {
    kind: String,
    value: String,
}

/// Leaves a suspect as it is: it is listed no more and never demoted by itself.
#[utoipa::path(post, path = "/api/v1/identity/suspects/dismiss", tag = "identity", request_body = DismissedSuspect,
    responses((status = 204)))]
pub async fn dismiss_suspect(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    input: Input<DismissedSuspect>,
) -> Result<Response, Problem> {
    let (DismissedSuspect { kind, value }, actor) = (input.value, caller.actor.clone());
    let country = app.domain.settings().country;
    app.change(&caller, input.request, move |tx| {
        let rules = customers::rules::of(tx)?;
        let normal = rules.normalise(&kind, &value, country).map_or_else(|| value.clone(), |v| v.into_owned());
        hubs::dismiss(tx, &kind, &normal, &actor)?;
        Ok(Done::nothing().noted(("dismiss", "suspect"), &kind, None, Some(json!({"kind": kind}))))
    })
    .await
}
