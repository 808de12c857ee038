//! The reader: as long as anybody listens, what happened goes into the queues.
use super::gather::{Gathered, gather};
use super::queue::{Put, put};
use super::{QUEUE_MAX, deliveries, endpoints, settle};
use crate::app::App;
use crate::problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often it is looked whether anything happened, where anybody listens.
const EVERY: Duration = Duration::from_millis(250);
/// How often queues are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How often old deliveries are taken away.
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// After a failure of the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads until the server stops. Without an endpoint it sleeps until there is one.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    match app.query(|db| Ok(endpoints::any(db)?)).await {
        Ok(any) => app.webhooks.touch(any),
        Err(problem) => tracing::warn!(detail = %problem.detail, "the endpoints of webhooks could not be read"),
    }
    let (mut counted, mut purged) = (Instant::now() - COUNT_EVERY, Instant::now());
    loop {
        let pause = if app.webhooks.wanted() { EVERY } else { PURGE_EVERY };
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = app.webhooks.changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
        if app.webhooks.wanted() {
            while !*stop.borrow() {
                match step(&app).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(problem) => {
                        tracing::warn!(code = problem.code.code, detail = %problem.detail, "webhooks could not be queued");
                        tokio::time::sleep(PATIENCE).await;
                        break;
                    }
                }
            }
        }
        if app.webhooks.wanted() && counted.elapsed() >= COUNT_EVERY {
            counted = Instant::now();
            count(&app).await;
        }
        if purged.elapsed() >= PURGE_EVERY {
            purged = Instant::now();
            while app.write(|tx| Ok(settle::purge(tx)?)).await.unwrap_or(false) && !*stop.borrow() {}
        }
    }
}

/// Reads and queues one piece; gives whether there may be more at once.
async fn step(app: &Arc<App>) -> Result<bool, Problem> {
    let preparer = app.domain.preparer().clone();
    let found: Gathered = app
        .query(move |db| {
            let with_log =
                endpoints::list(db)?.iter().any(|e| e.state != endpoints::State::Disabled && e.filter.wants_log());
            Ok(gather(db, &preparer, with_log)?)
        })
        .await?;
    if found.is_empty() {
        return Ok(false);
    }
    let queued = app.write(move |tx| Ok(put(tx, &found)?)).await?;
    if let Put::Queued(1..) = queued {
        app.webhooks.sender_wakes.notify_one();
    }
    Ok(true)
}

/// Counts the queues, and disables an endpoint whose queue overflows.
async fn count(app: &Arc<App>) {
    let Ok(waiting) = app.query(|db| Ok(deliveries::waiting(db)?)).await else { return };
    let over: Vec<i64> = waiting.iter().filter(|(_, w)| w.count > QUEUE_MAX).map(|(id, _)| *id).collect();
    app.webhooks.set_waiting(waiting);
    for id in over {
        match app.write(move |tx| Ok(endpoints::disable(tx, id, "overflow")?)).await {
            Ok(true) => super::send::alarm(app, id, "overflow").await,
            Ok(false) => {}
            Err(problem) => tracing::warn!(detail = %problem.detail, "an endpoint could not be disabled"),
        }
    }
}
