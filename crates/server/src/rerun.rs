//! Runs what decides the past again after the rules of identity changed: one at a time, beside the writer.
use crate::app::App;
use base::Clock;
use db::{DbError, jobs};
use pipeline::rerun::{Work, run as decide, waiting};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_millis(500);

/// Works until the server stops. A run that a stop interrupts goes on at the next start.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = tokio::time::sleep(LOOK) => {}
            _ = stopped.changed() => return,
        }
        if *stopped.borrow() {
            return;
        }
        let Ok(Some(job)) = app.read(|tx| Ok(waiting(tx)?)).await else { continue };
        let (work, stop) = (app.clone(), stopped.clone());
        let done = tokio::task::spawn_blocking(move || {
            let domain = &work.domain;
            let (store, preparer, settings) = (domain.store(), domain.preparer(), domain.shared_settings());
            let now = base::SystemClock.now();
            decide(&Work { store, preparer, settings, now }, job, &|| !*stop.borrow())
        });
        let failed = match done.await {
            Ok(Ok(ended)) => {
                tracing::info!(job, ?ended, "identities were decided again");
                None
            }
            Ok(Err(DbError::Stopped)) => return,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it failed inside the program; the log says why".to_string()),
        };
        if let Some(reason) = failed {
            tracing::error!(job, reason, "identities could not be decided again");
            // What was done stands; a person may resume it.
            let noted = app.write(move |tx| Ok(jobs::fail(tx, job, &reason, true)?)).await;
            if noted.is_err() {
                tracing::warn!(job, "the failure could not be noted");
            }
        }
    }
}
