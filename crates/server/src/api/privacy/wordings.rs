//! In which words people agreed or refused.
use crate::app::App;
use crate::caller::ReadConsents;
use crate::input::List;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use base::Timestamp;
use customers::consent::wordings::{WORDINGS_MAX, wordings};
use serde::Serialize;
use std::sync::Arc;

/// A wording with what was said under it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ConsentWording {
    channel: String,
    purpose: String,
    /// As the source numbers it.
    version: String,
    wording: String,
    /// The source's name; nothing when a member of staff entered it.
    source: Option<String>,
    granted: i64,
    denied: i64,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

/// Lists the wordings of consents with their versions and sources, those used last first, at most 500.
#[utoipa::path(get, path = "/api/v1/privacy/wordings", tag = "privacy",
    responses((status = 200, body = inline(List<ConsentWording>))))]
pub async fn list_wordings(
    State(app): State<Arc<App>>,
    _: ReadConsents,
) -> Result<Json<List<ConsentWording>>, Problem> {
    let found = app.query(|db| Ok(wordings(db)?)).await?;
    debug_assert!(found.len() <= WORDINGS_MAX, "the query has a limit");
    let keys = app.sources();
    let one = |w: customers::consent::wordings::Wording| ConsentWording {
        channel: w.channel,
        purpose: w.purpose,
        version: w.version,
        wording: w.wording,
        source: (w.source != 0)
            .then(|| keys.sources().get(w.source).map_or_else(|| "braid".into(), |s| s.name.clone())),
        granted: w.granted,
        denied: w.denied,
        first_at: w.first_at,
        last_at: w.last_at,
    };
    Ok(Json(List::whole(found.into_iter().map(one).collect())))
}
