//! `braid bench orders`: goods that everybody wants, whole orders, and both over HTTP; each with its own limit of the machine.
//!
//! [`claims`] are clients that call the command and wait; [`whole`] are orders from an empty cart to their places, as commands
//! with all that follows in the log; [`web`] is the same asked of a server of its own process.
mod claims;
mod web;
mod whole;

use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Which parts.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Claims, Part::Whole, Part::Http])]
    pub what: Vec<Part>,
    /// Variants in stock; nine claims in ten want one of the first ten.
    #[arg(long, default_value_t = 100_000)]
    pub skus: i64,
    /// Threads that ask and wait; connections of claims over HTTP.
    #[arg(long, default_value_t = 64)]
    pub clients: usize,
    /// Shoppers of whole orders over HTTP.
    #[arg(long, default_value_t = 8)]
    pub shoppers: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Baseline and Braid are measured in turn so often; medians are told.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// PostgreSQL, as `postgres://…/NAME`; the empty databases NAME_claims, NAME_whole and NAME_http must exist, as far as they are
    /// measured. Without it SQLite files.
    #[arg(long)]
    pub database: Option<String>,
    /// Folder for the stores; a temporary one if absent.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    Claims,
    Whole,
    Http,
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub sync: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<claims::Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<whole::Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<web::Report>,
}

/// Runs it.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let temporary = std::env::temp_dir().join(format!("braid-bench-orders-{}", std::process::id()));
    let dir = options.dir.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&dir)?;
    let out = run_in(options, &dir);
    if options.dir.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    out
}

fn run_in(options: &Options, dir: &Path) -> anyhow::Result<Report> {
    let wanted = |part: Part| options.what.contains(&part);
    let url = |name: &str| options.database.as_ref().map(|url| format!("{url}_{name}"));
    Ok(Report {
        engine: if options.database.is_some() { "postgresql" } else { "sqlite" },
        sync: "full",
        claims: wanted(Part::Claims).then(|| claims::run(options, url("claims"), dir)).transpose()?,
        whole: wanted(Part::Whole).then(|| whole::run(options, url("whole"), dir)).transpose()?,
        http: wanted(Part::Http).then(|| web::run(options, url("http"), dir)).transpose()?,
    })
}

/// Median of a few.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// Of sorted values.
fn percentile(sorted: &[u64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0) as f64
}
