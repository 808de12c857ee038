//! `braid bench dedup`: memory, start and look-ups over a month of ids, made up as runs (a real month cannot be waited for).
use super::generator::process_cpu_seconds;
use super::ingest::status_mib;
use anyhow::{Context, bail};
use base::{Clock, DAY_US, HOUR_US, SystemClock, Timestamp};
use db::dedup::{self, Dedup, bench::Synthetic};
use db::event::EventId;
use db::{DbError, Location, Open, Store, Sync, migrate};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Ids of thirty days.
    #[arg(long, default_value_t = 60_000_000)]
    pub ids: i64,
    /// An empty PostgreSQL database; without it an SQLite file.
    #[arg(long)]
    pub database: Option<String>,
    /// Folder for the store; a temporary one if absent. It is kept when given, and used again when it holds one.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What came out. Times are of the process that only opens the store and asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    pub engine: String,
    pub ids: i64,
    pub runs: usize,
    /// Opening the store and the first hundred new ids, from nothing in memory.
    pub start_ms: f64,
    /// Until all filters were in memory.
    pub filters_ms: f64,
    pub filter_mib: f64,
    pub rss_mib: f64,
    pub peak_rss_mib: f64,
    /// Microseconds a new id, in batches of a hundred: before the filters were there, and after.
    pub new_cold_us: f64,
    pub new_us: f64,
    pub new_cpu_us: f64,
    /// New ids that were said to be known: none may be.
    pub wrong: usize,
    /// Repeats: of the last hour, a day ago and 29 days ago.
    pub repeats: Vec<Repeats>,
}

/// Repeats of one age.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Repeats {
    pub age: String,
    pub asked: usize,
    pub found: usize,
    pub us: f64,
}

/// Samples of each run, written beside the store.
#[derive(Serialize, Deserialize)]
struct Samples {
    ids: i64,
    now_us: i64,
    /// Newest moment of the run in microseconds, with some of its ids in hexadecimal.
    runs: Vec<(i64, Vec<String>)>,
}

/// Runs it.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let temporary = std::env::temp_dir().join(format!("braid-bench-dedup-{}", std::process::id()));
    let dir = options.dir.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&dir)?;
    let out = run_in(options, &dir);
    if options.dir.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    out
}

fn location(options: &Options, dir: &Path) -> anyhow::Result<Location> {
    let url = options.database.as_deref().unwrap_or("sqlite:dedup.db");
    Ok(Location::parse(url, dir)?)
}

fn open(location: Location, sync: Sync) -> Result<Store, DbError> {
    Store::open(Open {
        location,
        sync,
        migrations: &[migrate::MIGRATIONS],
        options: db::writer::Options::default(),
        clock: Arc::new(SystemClock),
        holder: "braid bench dedup".into(),
        take_over: false,
        before: None,
        recover: None,
        ticker: None,
        observer: None,
        readers: 1,
    })
}

fn run_in(options: &Options, dir: &Path) -> anyhow::Result<Report> {
    let location = location(options, dir)?;
    if !dir.join("samples.json").exists() {
        build(options, dir, &location)?;
    }
    // A process of its own, so that its memory is what a server would have.
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "dedup-measure", "--dir"]).arg(dir);
    if let Some(url) = &options.database {
        command.args(["--database", url]);
    }
    let out = command.stderr(std::process::Stdio::inherit()).output()?;
    if !out.status.success() {
        bail!("the measurement failed");
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// The runs that merging leaves of thirty days: large ones of three days, then halves of a day, then of two hours.
fn plan(ids: i64, now: Timestamp) -> Vec<Synthetic> {
    let mut out = Vec::new();
    let mut from = now.plus(-30 * DAY_US);
    for (level, runs, share, span) in [(2, 9, 10, 3 * DAY_US), (1, 5, 60, DAY_US / 2), (0, 6, 360, 2 * HOUR_US)] {
        for _ in 0..runs {
            let (oldest_at, newest_at) = (from, from.plus(span));
            out.push(Synthetic { run: out.len() as i64 + 1, level, ids: ids / share, oldest_at, newest_at });
            from = newest_at;
        }
    }
    out
}

fn build(options: &Options, dir: &Path, location: &Location) -> anyhow::Result<()> {
    open(location.clone(), Sync::UnsafeFast)?.close();
    let mut engine = location.open(Sync::UnsafeFast, false)?;
    let now = SystemClock.now();
    let mut samples = Samples { ids: 0, now_us: now.micros(), runs: Vec::new() };
    let started = Instant::now();
    for wanted in plan(options.ids, now) {
        let (count, some) = dedup::bench::write(&mut engine, &wanted, 2_000)?;
        samples.ids += count;
        samples.runs.push((wanted.newest_at.micros(), some.iter().map(|id| format!("{id:032x}")).collect()));
        eprintln!("{:>12} ids in {:.0} s", samples.ids, started.elapsed().as_secs_f64());
    }
    std::fs::write(dir.join("samples.json"), serde_json::to_vec(&samples)?)?;
    Ok(())
}

/// Opens the store and asks; prints the report.
pub fn measure(options: &Options) -> anyhow::Result<Report> {
    let dir = options.dir.as_deref().context("--dir names the store")?;
    let samples: Samples = serde_json::from_slice(&std::fs::read(dir.join("samples.json"))?)?;
    let mut rng = base::Rng::new(99);
    let mut fresh = |count: usize| -> Vec<EventId> {
        (0..count).map(|_| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())).collect()
    };
    let started = Instant::now();
    let store = open(location(options, dir)?, Sync::UnsafeFast)?;
    let mut wrong = ask(&store, fresh(100))?.0;
    let start_ms = started.elapsed().as_secs_f64() * 1000.0;
    let (cold_wrong, new_cold_us) = ask(&store, fresh(2_000))?;
    let state = |store: &Store| {
        store.read(|tx| {
            let dedup = tx.memory::<Dedup>()?;
            Ok::<_, DbError>((dedup.run_count(), dedup.filter_bytes(), dedup.filters_missing()))
        })
    };
    while state(&store)?.2 > 0 && started.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let filters_ms = started.elapsed().as_secs_f64() * 1000.0;
    let cpu = process_cpu_seconds(std::process::id()).unwrap_or(0.0);
    const NEW: usize = 200_000;
    let (warm_wrong, new_us) = ask(&store, fresh(NEW))?;
    let new_cpu_us = (process_cpu_seconds(std::process::id()).unwrap_or(0.0) - cpu) * 1e6 / NEW as f64;
    wrong += cold_wrong + warm_wrong;
    let mut repeats = Vec::new();
    for (age, back) in [("one hour", HOUR_US), ("one day", DAY_US), ("29 days", 29 * DAY_US)] {
        let at = samples.now_us - back;
        let run = samples.runs.iter().find(|(newest, _)| *newest >= at).context("a run of that age")?;
        let ids = run.1.iter().map(|hex| EventId::from_str_radix(hex, 16)).collect::<Result<Vec<_>, _>>()?;
        let asked = ids.len();
        let (found, us) = ask(&store, ids)?;
        repeats.push(Repeats { age: age.into(), asked, found, us });
    }
    let (runs, filter_bytes, _) = state(&store)?;
    let pid = std::process::id();
    let report = Report {
        engine: if options.database.is_some() { "postgres" } else { "sqlite" }.into(),
        ids: samples.ids,
        runs,
        start_ms,
        filters_ms,
        filter_mib: filter_bytes as f64 / (1 << 20) as f64,
        rss_mib: status_mib(pid, "VmRSS:"),
        peak_rss_mib: status_mib(pid, "VmHWM:"),
        new_cold_us,
        new_us,
        new_cpu_us,
        wrong,
        repeats,
    };
    store.close();
    Ok(report)
}

/// Asks in batches of a hundred, as requests do, without remembering; gives how many were known, and microseconds an id.
fn ask(store: &Store, ids: Vec<EventId>) -> anyhow::Result<(usize, f64)> {
    let count = ids.len();
    let found = store.write(move |tx| {
        let started = Instant::now();
        let mut found = 0;
        for batch in ids.chunks(100) {
            found += dedup::in_runs(tx, batch)?.iter().filter(|f| **f).count();
        }
        Ok::<_, DbError>((found, started.elapsed()))
    })?;
    Ok((found.0, found.1.as_secs_f64() * 1e6 / count as f64))
}
