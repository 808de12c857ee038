//! `/healthz`, `/readyz`, `/metrics`: for machines that watch, without signing in; no personal data.
use crate::app::App;
use crate::metrics::{RouteClass, StoreCounts};
use crate::problem::{DATABASE_AWAY, Problem};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The program runs.
pub async fn alive(State(app): State<Arc<App>>) -> Response {
    app.metrics.answered(RouteClass::Health, 200);
    "ok\n".into_response()
}

/// The program can take and answer requests.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if !app.domain.store().is_alive() {
        return Err(DATABASE_AWAY.because("the writer has stopped").retry_after(5));
    }
    app.query(|db| Ok(db.first("SELECT writer FROM writers", &[])?)).await?;
    app.metrics.answered(RouteClass::Health, 200);
    Ok("ready\n".into_response())
}

/// Figures in Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let now = app.now().micros();
    let mut counts = app
        .query(move |db| {
            let sql = "SELECT events, profiles FROM writers WHERE writer = 1";
            let (events, profiles) = match db.first(sql, &[])? {
                Some(row) => (row.int(0)?, row.int(1)?),
                None => (0, 0),
            };
            let outbox_pending = pipeline::doctor::counts(db)?.outbox_pending;
            let sql = "SELECT CAST(COALESCE(MIN(intended_at), 0) AS BIGINT) FROM messages WHERE status IN ('pending', 'sending')";
            let oldest = db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0))?;
            let outbox_oldest_us = if outbox_pending > 0 { (now - oldest).max(0) } else { 0 };
            Ok(StoreCounts { events, profiles, outbox_pending, outbox_oldest_us, streams: 0, ..StoreCounts::default() })
        })
        .await?;
    counts.streams = app.hub.streams();
    let mut waiting: Vec<_> = app.webhooks.waiting().into_iter().collect();
    waiting.sort_unstable_by_key(|(id, _)| *id);
    counts.webhooks = waiting.into_iter().map(|(id, w)| (id, w.count, (now - w.oldest_us).max(0))).collect();
    counts.webhook_attempts = app.webhooks.attempts();
    app.metrics.answered(RouteClass::Health, 200);
    let text = app.metrics.render(&app.domain.store().figures(), &counts);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
