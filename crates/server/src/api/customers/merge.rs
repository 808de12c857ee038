//! Joining two customers by hand: what would come of it, and doing it.
use super::identity::KindValue;
use crate::api::identity::review::refused;
use crate::api::identity::shown;
use crate::app::App;
use crate::caller::{ReadIdentity, WriteIdentity};
use crate::change::Done;
use crate::input::{Id, Input};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use customers::joins;
use customers::model::Profile;
use customers::profiles::Read;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whom to join with.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    with: Id,
}

/// A limit that the result would be above.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExceededLimit {
    kind: String,
    limit: i64,
    /// Null = ever.
    window_days: Option<i64>,
    values: i64,
}

/// What a join would give.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MergePreview {
    /// The id that the person would have: that of the oldest profile.
    person_id: Id,
    profile_ids: Vec<Id>,
    identifiers: Vec<KindValue>,
    /// As they would be: of each trait the one that was set last.
    #[schema(value_type = Object)]
    traits: BTreeMap<String, serde_json::Value>,
    events: i64,
    orders: i64,
    /// Limits that the result would be above; a join by hand is made all the same.
    exceeds: Vec<ExceededLimit>,
    /// Whether somebody took these apart before; the join takes that back.
    was_kept_apart: bool,
}

/// Shows what joining two customers would give.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/merge/preview", tag = "customers",
    params(("person_id" = String, Path)), request_body = Merge, responses((status = 200, body = MergePreview)))]
pub async fn preview_merge(
    State(app): State<Arc<App>>,
    ReadIdentity(caller): ReadIdentity,
    Path(id): Path<String>,
    input: Input<Merge>,
) -> Result<Json<MergePreview>, Problem> {
    let (id, with) = (Id::in_path(&id)?, input.value.with.0);
    let counters = app.domain.preparer().current().counters;
    let preview = app.read(move |tx| {
        let [(_, left), (_, right)] = joins::sides(tx, id, with).map_err(refused)?;
        let was_kept_apart = joins::kept_apart(tx, &left, &right)?;
        let ids = [left, right].concat();
        let exceeds = joins::exceeded(tx, &ids)?;
        let mut profiles: Vec<(i64, Profile)> = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(profile) = Read::profile(tx, id)? {
                profiles.push((id, profile));
            }
        }
        profiles.sort_by_key(|(id, p)| (p.created_at, *id));
        let person_id = profiles.first().map_or(id, |(id, _)| *id);
        let view = customers::commands::view(person_id, &profiles, &counters);
        let trait_of = |(name, json, _): (&str, &str, _)| {
            let value = match (name, serde_json::from_str(json).unwrap_or_default()) {
                ("email" | "phone", serde_json::Value::String(text)) => shown(&caller, name, &text).into(),
                (_, value) => value,
            };
            (name.to_string(), value)
        };
        Ok(MergePreview {
            person_id: Id(person_id),
            profile_ids: view.members.iter().map(|m| Id(m.profile_id)).collect(),
            identifiers: view
                .identifiers
                .iter()
                .map(|i| KindValue::new(&i.kind, shown(&caller, &i.kind, &i.value)))
                .collect(),
            traits: view.state.traits.iter().map(trait_of).collect(),
            events: view.state.totals.events,
            orders: view.state.totals.orders,
            exceeds: exceeds
                .into_iter()
                .map(|e| ExceededLimit {
                    kind: e.kind,
                    limit: e.limit as i64,
                    window_days: e.window_days,
                    values: e.values as i64,
                })
                .collect(),
            was_kept_apart,
        })
    });
    preview.await.map(Json)
}

/// What a join gave.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MergeResult {
    person_id: Id,
    /// The id that leads to this person from now on.
    absorbed: Id,
    /// The edge that `unmerge` removes to undo it.
    edge: Id,
}

/// Joins two customers because somebody says so: over the limits, and over an earlier decision to keep them apart.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/merge", tag = "customers",
    params(("person_id" = String, Path)), request_body = Merge, responses((status = 200, body = MergeResult)))]
pub async fn merge_customers(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    Path(id): Path<String>,
    input: Input<Merge>,
) -> Result<Response, Problem> {
    let (id, with) = (Id::in_path(&id)?, input.value.with.0);
    let (preparer, actor) = (app.domain.preparer().clone(), caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let joined = pipeline::joins::merge(tx, &preparer, id, with, &actor).map_err(refused)?;
        let after = json!({"with": with.to_string(), "edge": joined.edge.to_string()});
        let body =
            MergeResult { person_id: Id(joined.person_id), absorbed: Id(joined.absorbed), edge: Id(joined.edge) };
        Ok(Done::ok(body).noted(("merge", "person"), joined.person_id, None, Some(after)))
    })
    .await
}
