//! `braid bench customers`: a large base on this machine in one run. What it costs in memory and on disk, how long a start takes, how
//! long the server takes to find somebody by e-mail address while events come in, and how ingest fares against ten thousand.
use super::generator::{Outcome, Skew, process_cpu_seconds};
use super::http;
use super::ingest::{Keys, Server, start_braid, start_keys, status_mib, stop};
use anyhow::{Context, bail};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Customers; memory is compared between half of them and all.
    #[arg(long, default_value_t = 2_000_000)]
    pub customers: u64,
    /// Events of each customer; every one moves thirty counters.
    #[arg(long, default_value_t = 1)]
    pub events: u64,
    /// Customers of the base that ingest is compared with.
    #[arg(long, default_value_t = 10_000)]
    pub small: u64,
    /// Seconds of each load.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Look-ups by e-mail address, cold and then warm.
    #[arg(long, default_value_t = 10_000)]
    pub lookups: usize,
    /// A PostgreSQL database; two databases NAME_large and NAME_small must exist. Without it SQLite files.
    #[arg(long)]
    pub database: Option<String>,
    /// Folder for the stores; a temporary one if absent. It is kept when given.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What came out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub customers: u64,
    pub segments: usize,
    /// Resident memory of the server after half of the customers, and after all.
    pub rss_half_mib: f64,
    pub rss_mib: f64,
    pub rss_growth_bytes_per_customer: f64,
    pub cache_mib: f64,
    /// SQLite's file, bytes a customer.
    pub disk_bytes_per_customer: f64,
    pub fill_events_per_s: f64,
    /// Half of the events from one customer in a hundred, see `--skew shop`.
    pub events_per_s: f64,
    pub small_events_per_s: f64,
    pub ratio: f64,
    pub cpu_s_per_million_events: f64,
    pub small_cpu_s_per_million_events: f64,
    /// From the start of the process until it takes requests: after a clean stop, and after a kill under load.
    pub ready_ms: f64,
    pub ready_after_kill_ms: f64,
    pub stop_ms: f64,
    /// Resident a minute after a start without load, if `--seconds` is at least 10.
    pub rss_at_rest_mib: f64,
    /// The server's own time for a look-up in milliseconds, beside half of `events_per_s`.
    pub cold: Lookups,
    pub warm: Lookups,
}

/// Look-ups by e-mail address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Lookups {
    pub asked: usize,
    pub found: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
}

/// Runs it.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let temporary = std::env::temp_dir().join(format!("braid-bench-customers-{}", std::process::id()));
    let dir = options.dir.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&dir)?;
    let out = run_in(options, &dir);
    if options.dir.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    out
}

/// Thirty counters over fourteen days that every generated view moves, each with a threshold of its own.
fn segments() -> Vec<(String, String)> {
    let one = |n: u32| {
        let text = format!("count(\"Product Viewed\" where properties.price >= {n} in last 14 days) >= {}", n % 5 + 6);
        (format!("Views from {n}"), text)
    };
    (1..=30).map(one).collect()
}

struct Shop {
    dir: PathBuf,
    keys: Keys,
    server: Server,
}

impl Shop {
    fn make(options: &Options, dir: &Path, name: &str) -> anyhow::Result<Self> {
        let dir = dir.join(name);
        let url = options.database.as_ref().map(|url| format!("{url}_{name}"));
        let keys = start_keys(url.as_deref(), &dir, true)?;
        let server = start_braid(false, &dir)?;
        for (name, expression) in segments() {
            let body = serde_json::json!({"name": name, "expression": expression}).to_string();
            let authorization = format!("Bearer {}", keys.api_key);
            let (status, answer) = http::post(&server.address, "/api/v1/segments", &authorization, &body)?;
            if status != 201 {
                bail!("the segment {name:?} was refused with {status}: {answer}");
            }
        }
        Ok(Self { dir, keys, server })
    }
    fn pid(&self) -> u32 {
        self.server.child.id()
    }
    fn generate(&self, load: &Load) -> anyhow::Result<Child> {
        let authorization = format!("Basic {}", http::base64(format!("{}:", self.keys.write_key).as_bytes()));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "generate", "--address", &self.server.address, "--authorization", &authorization]);
        command.args(["--skew", load.skew.flag(), "--profiles", &load.profiles.to_string()]);
        command.args(["--first", &load.first.to_string(), "--seed", &load.seed.to_string()]);
        command.args(["--seconds", &load.seconds.to_string()]);
        if let Some(rate) = load.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        Ok(command.stdout(Stdio::piped()).spawn()?)
    }
    /// Sends a load to its end; gives what came back and the server's CPU seconds.
    fn load(&self, load: &Load) -> anyhow::Result<(Outcome, f64)> {
        let before = process_cpu_seconds(self.pid()).unwrap_or(0.0);
        let out = self.generate(load)?.wait_with_output()?;
        let outcome: Outcome = serde_json::from_slice(&out.stdout).context("the generator failed")?;
        if outcome.errors > 0 {
            bail!("{} requests of the load failed", outcome.errors);
        }
        Ok((outcome, process_cpu_seconds(self.pid()).unwrap_or(0.0) - before))
    }
    fn restart(self, kill: bool) -> anyhow::Result<(Self, f64, f64)> {
        let Self { dir, keys, server } = self;
        let started = Instant::now();
        if kill {
            drop(server);
        } else {
            stop(server)?;
        }
        let stopped_ms = started.elapsed().as_secs_f64() * 1000.0;
        let started = Instant::now();
        let server = start_braid(false, &dir)?;
        Ok((Self { dir, keys, server }, stopped_ms, started.elapsed().as_secs_f64() * 1000.0))
    }
    fn disk_bytes(&self) -> u64 {
        let size = |name: &str| std::fs::metadata(self.dir.join(name)).map_or(0, |m| m.len());
        size("braid.db")
    }
}

struct Load {
    skew: Skew,
    profiles: u64,
    first: u64,
    seed: u64,
    seconds: u64,
    rate: Option<f64>,
}

fn run_in(options: &Options, dir: &Path) -> anyhow::Result<Report> {
    let mut report = Report { customers: options.customers, segments: segments().len(), ..Report::default() };
    report.engine = if options.database.is_some() { "postgres" } else { "sqlite" };
    let mut shop = Shop::make(options, dir, "large")?;
    let half = options.customers / 2;
    let mut seed = 0;
    let mut fill = |shop: &Shop, first: u64, to: u64| -> anyhow::Result<(f64, f64)> {
        let (mut events, mut seconds) = (0.0, 0.0);
        for _ in 0..options.events {
            seed += 1;
            let load = Load { skew: Skew::InTurn, profiles: to, first, seed, seconds: 3600, rate: None };
            let (outcome, _) = shop.load(&load)?;
            events += outcome.events as f64;
            seconds += outcome.seconds;
        }
        eprintln!("{to} customers, {:.0} events/s", events / seconds);
        Ok((events / seconds, status_mib(shop.pid(), "VmRSS:")))
    };
    report.rss_half_mib = fill(&shop, 0, half)?.1;
    (report.fill_events_per_s, report.rss_mib) = fill(&shop, half, options.customers)?;
    report.rss_growth_bytes_per_customer =
        (report.rss_mib - report.rss_half_mib) * f64::from(1 << 20) / (options.customers - half) as f64;
    report.cache_mib = metric(&shop, "braid_cache_bytes ")? / f64::from(1 << 20);
    report.disk_bytes_per_customer = shop.disk_bytes() as f64 / options.customers as f64;
    let load = |profiles: u64, seed: u64, rate: Option<f64>| Load {
        skew: Skew::Shop,
        profiles,
        first: 0,
        seed,
        seconds: options.seconds,
        rate,
    };
    let small = Shop::make(options, dir, "small")?;
    fill(&small, 0, options.small)?;
    // The one, the other, and the first again: what the disk does meanwhile meets both.
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..2u64 {
        for (at, (shop, people)) in [(&small, options.small), (&shop, options.customers)].into_iter().enumerate() {
            let (outcome, cpu) = shop.load(&load(people, 100 + round * 2 + at as u64, None))?;
            let events = outcome.events as f64;
            rates[at].push((events / outcome.seconds, cpu * 1e6 / events));
            eprintln!(
                "{people} customers: {:.0} events/s, {:.1} CPU-s a million",
                events / outcome.seconds,
                cpu * 1e6 / events
            );
        }
    }
    let mean = |of: &[(f64, f64)]| {
        (of.iter().map(|r| r.0).sum::<f64>() / of.len() as f64, of.iter().map(|r| r.1).sum::<f64>() / of.len() as f64)
    };
    (report.small_events_per_s, report.small_cpu_s_per_million_events) = mean(&rates[0]);
    (report.events_per_s, report.cpu_s_per_million_events) = mean(&rates[1]);
    report.ratio = report.events_per_s / report.small_events_per_s;
    stop(small.server)?;

    (shop, report.stop_ms, report.ready_ms) = shop.restart(false)?;
    let mut beside =
        shop.generate(&Load { seconds: 120, ..load(options.customers, 200, Some(report.events_per_s / 2.0)) })?;
    let mut rng = base::Rng::new(4);
    let keys: Vec<u64> = (0..options.lookups).map(|_| rng.below(options.customers)).collect();
    report.cold = look_up(&shop, &keys)?;
    report.warm = look_up(&shop, &keys)?;
    let killed;
    (shop, _, killed) = shop.restart(true)?;
    report.ready_after_kill_ms = killed;
    let _ = beside.kill();
    let _ = beside.wait();
    if options.seconds >= 10 {
        (shop, ..) = shop.restart(false)?;
        std::thread::sleep(Duration::from_secs(60));
        report.rss_at_rest_mib = status_mib(shop.pid(), "VmRSS:");
    }
    stop(shop.server)?;
    Ok(report)
}

fn metric(shop: &Shop, name: &str) -> anyhow::Result<f64> {
    let (_, text) = http::get(&shop.server.address, "/metrics", "")?;
    let line = text.lines().find_map(|l| l.strip_prefix(name)).with_context(|| format!("no metric {name}"))?;
    Ok(line.trim().parse()?)
}

/// Asks for customers by e-mail address; the server's own time as its answers say it.
fn look_up(shop: &Shop, keys: &[u64]) -> anyhow::Result<Lookups> {
    let authorization = format!("Bearer {}", shop.keys.api_key);
    let (mut times, mut found) = (Vec::with_capacity(keys.len()), 0);
    for key in keys {
        let path = format!("/api/v1/customers/lookup?email=u{key:09}@shop.example");
        let (status, ms) = http::get_timed(&shop.server.address, &path, &authorization)?;
        found += usize::from(status == 200);
        times.push(ms);
    }
    times.sort_unstable_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied();
    let at = |share: f64| at(share).unwrap_or(0.0);
    Ok(Lookups { asked: keys.len(), found, p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999) })
}
