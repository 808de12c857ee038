//! What an erasure needs beside the writer: the manifest in the folder, and the clean-up of the disk.
use crate::app::App;
use pipeline::erasure::{self, manifest};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often erasures are looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Runs until the server stops.
pub async fn run(app: Arc<App>, folder: PathBuf, mut stop: watch::Receiver<bool>) {
    let file = folder.join(manifest::FILE);
    let mut written = 0;
    go_on(&app).await;
    loop {
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let look = app.query(|db| {
            let count = db.first("SELECT COUNT(*) FROM erased", &[])?.map_or(Ok(0), |r| r.int(0))?;
            Ok((count, erasure::waiting_for_scrub(db)?))
        });
        let Ok((count, waiting)) = look.await else { continue };
        if count == written && !waiting {
            continue;
        }
        let (app, file) = (app.clone(), file.clone());
        let done = tokio::task::spawn_blocking(move || {
            manifest::catch_up(app.domain.core(), &file)?;
            if waiting {
                erasure::scrub(app.domain.core(), false)?;
            }
            Ok::<_, db::DbError>(())
        });
        match done.await {
            Ok(Ok(())) => written = count,
            Ok(Err(error)) => tracing::warn!(%error, "an erasure could not be ended yet"),
            Err(error) => tracing::error!(%error, "the end of an erasure broke off"),
        }
    }
}

/// An erasure that failed goes on with the next start: nobody else may leave it half done.
async fn go_on(app: &App) {
    let resumed = app.write(|tx| {
        let sql = "SELECT id FROM jobs WHERE kind = $1 AND state = 'failed' AND retryable = 1 ORDER BY id LIMIT 100";
        for row in tx.rows(sql, &[erasure::KIND.into()])? {
            if let Err(db::jobs::JobError::Store(error)) = db::jobs::resume(tx, row.int(0)?) {
                return Err(error.into());
            }
        }
        Ok(())
    });
    if let Err(problem) = resumed.await {
        tracing::warn!(detail = %problem.detail, "erasures that failed could not be resumed");
    }
}
