//! `/identity/changes`: what was joined and separated, in order.
use crate::app::App;
use crate::caller::ReadIdentity;
use crate::input::{Id, List, Page, Params, cursor, limit, place};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use base::Timestamp;
use customers::changes::{self, Side};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// A person with its profiles.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangedPerson {
    person_id: String,
    profile_ids: Vec<String>,
}

/// What happened to people.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IdentityChange {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `merged`, `split`, or `stitch_alarm` (a rate of joins left its usual range).
    kind: String,
    before: Vec<ChangedPerson>,
    after: Vec<ChangedPerson>,
    /// `event`, `merge`, `review`, `unmerge`, `detach`, `rules`, `watch`.
    cause: String,
    /// What shows it: rule, kind and message, or who did it.
    #[schema(value_type = Object)]
    evidence: Value,
}

/// Lists what was joined and separated, oldest first; `next_cursor` is there as long as anything was found, so that a reader
/// goes on from where it was.
#[utoipa::path(get, path = "/api/v1/identity/changes", tag = "identity", params(Page),
    responses((status = 200, body = inline(List<IdentityChange>))))]
pub async fn list_identity_changes(
    State(app): State<Arc<App>>,
    _: ReadIdentity,
    Params(page): Params<Page>,
) -> Result<Json<List<IdentityChange>>, Problem> {
    let limit = limit(page.limit)?;
    let after = place::<1>(page.cursor.as_deref())?.map_or(0, |[id]| id);
    let rows = app.query(move |db| Ok(changes::after(db, after, limit)?)).await?;
    let next_cursor = rows.last().map(|r| cursor(&[r.id])).or(page.cursor);
    let side = |s: Side| ChangedPerson { person_id: s.person_id, profile_ids: s.profile_ids };
    let items = rows.into_iter().map(|r| IdentityChange {
        id: Id(r.id),
        at: r.at,
        kind: r.kind,
        before: r.before.into_iter().map(side).collect(),
        after: r.after.into_iter().map(side).collect(),
        cause: r.cause,
        evidence: r.evidence,
    });
    Ok(Json(List { items: items.collect(), next_cursor }))
}
