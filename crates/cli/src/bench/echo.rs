//! The baseline: the same server library, queue, group commit, engine and sync settings, but one INSERT of the raw body per
//! request into a table without index, and no parsing.
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use base::SystemClock;
use db::{Bulk, DbError, Location, Open, Store, Sync, migrate};
use std::sync::Arc;

static ECHO: Bulk = Bulk { table: "echo", columns: &[("body", 'b')], key: 0, insert_only: false };
const MIGRATION: db::Migrations =
    db::Migrations { owner: "echo", steps: &[("0001_echo", "CREATE TABLE echo (body BYTEA NOT NULL)")] };

/// Opens the baseline's store and serves `/v1/batch` until the process is ended; tells its address through `ready`.
pub async fn serve(location: Location, sync: Sync, ready: impl FnOnce(std::net::SocketAddr)) -> anyhow::Result<()> {
    let store = tokio::task::spawn_blocking(move || {
        Store::open(Open {
            location,
            sync,
            migrations: &[migrate::MIGRATIONS, MIGRATION],
            options: db::writer::Options::default(),
            clock: Arc::new(SystemClock),
            holder: "braid bench (baseline)".into(),
            take_over: false,
            before: None,
            recover: None,
            ticker: None,
            observer: None,
            readers: 1,
        })
    })
    .await??;
    let app = Router::new().route("/v1/batch", post(echo)).route("/v1/track", post(echo)).with_state(Arc::new(store));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    ready(listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn echo(State(store): State<Arc<Store>>, body: Bytes) -> (StatusCode, &'static str) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    store.write_with(
        move |tx| {
            tx.append(&ECHO, vec![body.to_vec().into()]);
            Ok::<_, DbError>(())
        },
        move |answer| {
            let _ = sender.send(answer);
        },
    );
    match receiver.await {
        Ok(Ok(())) => (StatusCode::OK, "{\"success\": true}"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "{\"success\": false}"),
    }
}
