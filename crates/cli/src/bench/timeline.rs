//! `braid bench timeline`: pages of one customer's long history, against reading the whole of its index.
use super::http;
use super::ingest::{start_braid, start_keys, stop};
use anyhow::{Context, bail};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Events of the customer.
    #[arg(long, default_value_t = 100_000)]
    pub events: u64,
    /// Pages read of each kind.
    #[arg(long, default_value_t = 200)]
    pub pages: usize,
    /// A PostgreSQL database. Without it an SQLite file.
    #[arg(long)]
    pub database: Option<String>,
    /// Folder for the store; a temporary one if absent. It is kept when given.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What came out: the server's own time in milliseconds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub events: u64,
    /// Fifty events, the newest.
    pub first_page: Times,
    /// Fifty events at half of the history.
    pub middle_page: Times,
    /// The orders: one event in a thousand.
    pub orders: Times,
    /// The limit: every entry of the index read and counted, no event opened.
    pub whole_index: Times,
}

/// Times of one kind of page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Times {
    pub first_ms: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Runs it.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let temporary = std::env::temp_dir().join(format!("braid-bench-timeline-{}", std::process::id()));
    let dir = options.dir.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&dir)?;
    let out = run_in(options, &dir);
    if options.dir.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    out
}

/// Events of a batch.
const BATCH: u64 = 500;

fn run_in(options: &Options, dir: &Path) -> anyhow::Result<Report> {
    let keys = start_keys(options.database.as_deref(), dir, true)?;
    let server = start_braid(false, dir)?;
    let write = format!("Basic {}", http::base64(format!("{}:", keys.write_key).as_bytes()));
    let read = format!("Bearer {}", keys.api_key);
    let start = base::Timestamp::from_civil(2026, 1, 1, 0, 0, 0);
    let at = |n: u64| start.plus(n as i64 * base::MINUTE_US);
    for from in (0..options.events).step_by(BATCH as usize) {
        let to = (from + BATCH).min(options.events);
        let one = |n: u64| {
            let event = if n % 1_000 == 500 { "Order Completed" } else { "Product Viewed" };
            let properties =
                serde_json::json!({"product_id": n % 977, "price": "12.50", "total": "12.50", "currency": "UAH"});
            serde_json::json!({"type": "track", "messageId": format!("t{n}"), "userId": "one", "event": event,
                "timestamp": at(n).to_string(), "properties": properties})
        };
        let batch = serde_json::json!({ "batch": (from..to).map(one).collect::<Vec<_>>() }).to_string();
        let (status, answer) = http::post(&server.address, "/v1/batch", &write, &batch)?;
        if status != 200 {
            bail!("a batch was refused with {status}: {answer}");
        }
    }
    let (_, found) = http::get(&server.address, "/api/v1/customers/lookup?user_id=one", &read)?;
    let found: serde_json::Value = serde_json::from_str(&found)?;
    let person = found["person_id"].as_str().context("the customer is not found")?;
    let path = |query: &str| format!("/api/v1/customers/{person}/timeline{query}");
    let times = |path: &str| -> anyhow::Result<Times> {
        let mut all = Vec::with_capacity(options.pages);
        for _ in 0..options.pages.max(1) {
            let (status, ms) = http::get_timed(&server.address, path, &read)?;
            if status != 200 {
                bail!("{path} was refused with {status}");
            }
            all.push(ms);
        }
        let first_ms = all[0];
        all.sort_by(f64::total_cmp);
        let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
        Ok(Times { first_ms, p50_ms: at(0.5), p99_ms: at(0.99) })
    };
    let report = Report {
        engine: if options.database.is_some() { "postgres" } else { "sqlite" },
        events: options.events,
        first_page: times(&path("?limit=50"))?,
        middle_page: times(&path(&format!("?limit=50&to={}", at(options.events / 2))))?,
        orders: times(&path("?limit=50&kind=purchases"))?,
        whole_index: times(&path("/counts"))?,
    };
    stop(server)?;
    Ok(report)
}
