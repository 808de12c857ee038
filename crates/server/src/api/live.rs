//! `/live`: the whole shop while it happens.
use super::events::StatusFilter;
use crate::app::App;
use crate::caller::ReadEvents;
use crate::hub::Topic;
use crate::input::{Id, Params};
use crate::live_filter::Wants;
use crate::problem::Problem;
use crate::sse;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Which events are told. Counts, segments and jobs are told whatever is asked.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// `false`: no events at all.
    events: Option<bool>,
    source_id: Option<String>,
    /// Name of the event, as the list shows it.
    event: Option<String>,
    /// `track`, `page`, `screen`, `identify`, `group` or `alias`; refused items do not say theirs.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    #[param(inline)]
    status: Option<StatusFilter>,
    /// Why items were refused.
    code: Option<String>,
}

impl LiveQuery {
    fn wants(self) -> Result<Wants, Problem> {
        Ok(Wants {
            silent: self.events == Some(false),
            source: self.source_id.as_deref().map(Id::in_path).transpose()?,
            event: self.event,
            kind: self.kind.as_deref().map(super::events::kind_word).transpose()?,
            rejected: self.status.map(|s| s == StatusFilter::Rejected),
            code: self.code,
        })
    }
}

/// Tells what comes in, counts and segments while they move. Of many events a second some are left out; `skipped` says how many.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(LiveQuery),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn live(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Params(query): Params<LiveQuery>,
) -> Result<Response, Problem> {
    sse::stream_of(&app.hub, Topic::Live, query.wants()?)
}
