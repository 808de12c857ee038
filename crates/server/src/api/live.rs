//! `/live`: the whole shop while it happens.
use crate::app::App;
use crate::caller::ReadEvents;
use crate::hub::Topic;
use crate::problem::Problem;
use crate::sse;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Tells what comes in, counts and segments while they move.
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn live(State(app): State<Arc<App>>, _: ReadEvents) -> Result<Response, Problem> {
    sse::stream(&app.hub, Topic::Live)
}
