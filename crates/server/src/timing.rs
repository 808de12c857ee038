//! `Server-Timing`: how long a request waited for the database, and how long it took besides.
use axum::http::{HeaderMap, HeaderValue};
use std::cell::Cell;
use std::time::{Duration, Instant};

tokio::task_local! {
    static DATABASE: Cell<Duration>;
}

/// Runs a request and says in its answer where the time went.
pub async fn timed<F>(future: F) -> axum::response::Response
where
    F: Future<Output = axum::response::Response>,
{
    let started = Instant::now();
    let (mut response, database) = DATABASE
        .scope(Cell::new(Duration::ZERO), async {
            let response = future.await;
            (response, DATABASE.with(Cell::get))
        })
        .await;
    write(response.headers_mut(), database, started.elapsed());
    response
}

/// Waits for the database and notes how long it took.
pub async fn database<F: Future>(future: F) -> F::Output {
    let started = Instant::now();
    let out = future.await;
    // Outside of a request, as in background loops, nobody asks.
    let _ = DATABASE.try_with(|total| total.set(total.get() + started.elapsed()));
    out
}

/// Writes the header; `total` includes `database`.
pub fn write(headers: &mut HeaderMap, database: Duration, total: Duration) {
    let ms = |d: Duration| d.as_micros() as f64 / 1000.0;
    let text = format!("db;dur={}, app;dur={}", ms(database), ms(total.saturating_sub(database)));
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert("server-timing", value);
    }
}
