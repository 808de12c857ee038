//! `braid bench ingest`: the whole thread behind the tracking API against a durable echo (CONTRACTS 8).
use super::generator::{Outcome, process_cpu_seconds};
use super::http;
use anyhow::{Context, bail};
use serde::Serialize;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// A PostgreSQL database for each side, as `postgres://…/NAME`; two databases NAME_braid and NAME_echo must exist.
    /// Without it both sides use SQLite files.
    #[arg(long)]
    pub database: Option<String>,
    /// Rounds; each runs both sides.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Seconds of load a side and round.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Seconds of load before the first round.
    #[arg(long, default_value_t = 5)]
    pub warmup: u64,
    /// Profiles that the events belong to.
    #[arg(long, default_value_t = 100_000)]
    pub profiles: u64,
    /// Connections.
    #[arg(long, default_value_t = 32)]
    pub connections: usize,
    /// Events in a body; 1 sends single events to /v1/track.
    #[arg(long, default_value_t = 100)]
    pub batch: usize,
    /// Events a second, instead of as many as are answered.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Leave the baseline out.
    #[arg(long)]
    pub no_baseline: bool,
    /// Do not sync; for looking at the program alone.
    #[arg(long)]
    pub unsafe_fast: bool,
    /// Folder for the stores; a temporary one if absent. It is kept when given.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// The result, as CONTRACTS 8 names it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub sync: &'static str,
    pub events_per_s: f64,
    pub baseline_events_per_s: f64,
    pub ratio: f64,
    pub cpu_s_per_million_events: f64,
    pub baseline_cpu_s_per_million_events: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub group_events_median: f64,
    pub rounds: Vec<Round>,
    pub profiles: u64,
    pub segments: usize,
    pub errors: u64,
    pub rss_mib: f64,
    pub doctor_clean: bool,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub events_per_s: f64,
    pub baseline_events_per_s: f64,
    pub ratio: f64,
    pub cpu_s_per_million_events: f64,
    pub baseline_cpu_s_per_million_events: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// A server of this program that was started for the measurement; ended with the guard.
pub struct Server {
    pub child: Child,
    pub address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Twenty segments over what the generated events carry: windows, filters, thresholds, and their opposites.
pub fn segments() -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (at, category) in ["face care", "kitchen", "garden", "lights", "bags", "toys"].iter().enumerate() {
        out.push((
            format!("Looks at {category}"),
            format!(
                "count(\"Product Viewed\" where properties.category = \"{category}\" in last {} days) >= {}",
                14,
                at + 1
            ),
        ));
    }
    for (name, expression) in [
        ("Views a lot", "count(\"Product Viewed\" in last 7 days) >= 10"),
        ("Views", "count(\"Product Viewed\" in last 30 days) >= 1"),
        ("Lists", "count(\"Product List Viewed\" in last 1 days) >= 3"),
        ("Searches", "count(\"Products Searched\" in last 3 days) >= 2"),
        ("Adds", "count(\"Product Added\" in last 7 days) >= 1"),
        (
            "Adds, does not buy",
            "count(\"Product Added\" in last 7 days) >= 1 and count(\"Order Completed\" in last 7 days) = 0",
        ),
        ("Bought once", "count(\"Order Completed\") = 1"),
        ("Bought often", "count(\"Order Completed\" in last 90 days) >= 3"),
        ("Spends", "sum(\"Order Completed\".total) >= 1000"),
        ("Starts checkout", "count(\"Checkout Started\" in last 2 hours) >= 1"),
        ("Dear things", "count(\"Product Viewed\" where properties.price >= 800 in last 14 days) >= 2"),
        ("From Lviv", "trait.city = \"Lviv\""),
        ("Known by mail", "exists identifier.email"),
        ("Never bought", "not count(\"Order Completed\") >= 1"),
    ] {
        out.push((name.into(), expression.into()));
    }
    out
}

/// Runs it.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let temporary = std::env::temp_dir().join(format!("braid-bench-{}", std::process::id()));
    let dir = options.dir.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let out = run_in(options, &dir);
    if options.dir.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    out
}

fn run_in(options: &Options, dir: &Path) -> anyhow::Result<Report> {
    let braid_dir = dir.join("braid");
    let fresh = !braid_dir.exists();
    let keys = start_keys(options.database.as_ref().map(|url| format!("{url}_braid")).as_deref(), &braid_dir, fresh)?;
    let braid = start_braid(options.unsafe_fast, &braid_dir)?;
    let wanted = segments();
    if fresh {
        for (name, expression) in &wanted {
            let body = serde_json::json!({"name": name, "expression": expression}).to_string();
            let (status, answer) =
                http::post(&braid.address, "/api/v1/segments", &format!("Bearer {}", keys.api_key), &body)?;
            if status != 201 {
                bail!("the segment {name:?} was refused with {status}: {answer}");
            }
        }
    }
    let echo = if options.no_baseline { None } else { Some(start_echo(options, dir)?) };
    let authorization = format!("Basic {}", http::base64(format!("{}:", keys.write_key).as_bytes()));
    let mut seed = 1;
    let mut load = |address: &str, seconds: u64| {
        seed += 1;
        generate(options, address, &authorization, seconds, seed)
    };
    if options.warmup > 0 {
        if let Some(echo) = &echo {
            load(&echo.address, options.warmup)?;
        }
        load(&braid.address, options.warmup)?;
    }
    let (mut rounds, mut errors) = (Vec::new(), 0);
    for _ in 0..options.rounds {
        let baseline = match &echo {
            Some(echo) => Some(measure(echo.child.id(), || load(&echo.address, options.seconds))?),
            None => None,
        };
        let (ours, cpu) = measure(braid.child.id(), || load(&braid.address, options.seconds))?;
        errors += ours.errors;
        let per_s = ours.events as f64 / ours.seconds;
        let (base_per_s, base_cpu) = match &baseline {
            Some((b, cpu)) => (b.events as f64 / b.seconds, cpu / (b.events as f64 / 1e6).max(1e-9)),
            None => (0.0, 0.0),
        };
        rounds.push(Round {
            events_per_s: per_s,
            baseline_events_per_s: base_per_s,
            ratio: if base_per_s > 0.0 { per_s / base_per_s } else { 0.0 },
            cpu_s_per_million_events: cpu / (ours.events as f64 / 1e6).max(1e-9),
            baseline_cpu_s_per_million_events: base_cpu,
            p50_ms: ours.percentile_ms(0.5),
            p99_ms: ours.percentile_ms(0.99),
        });
        eprintln!("{}", serde_json::to_string(rounds.last().context("a round was made")?)?);
    }
    let metrics =
        http::get(&braid.address, "/metrics", &format!("Bearer {}", keys.api_key)).map(|(_, m)| m).unwrap_or_default();
    let group_events_median = metrics
        .lines()
        .find_map(|l| l.strip_prefix("braid_writer_group_events_median "))
        .and_then(|v| v.trim().parse().ok())
        .unwrap_or(0.0);
    let rss_mib = rss_mib(braid.child.id());
    stop(braid)?;
    drop(echo);
    let doctor = Command::new(std::env::current_exe()?).arg("doctor").arg(&braid_dir).arg("--json").output()?;
    if !doctor.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&doctor.stdout));
    }
    Ok(Report {
        engine: if options.database.is_some() { "postgres" } else { "sqlite" },
        sync: if options.unsafe_fast { "off" } else { "full" },
        events_per_s: median(&rounds, |r| r.events_per_s),
        baseline_events_per_s: median(&rounds, |r| r.baseline_events_per_s),
        ratio: median(&rounds, |r| r.ratio),
        cpu_s_per_million_events: median(&rounds, |r| r.cpu_s_per_million_events),
        baseline_cpu_s_per_million_events: median(&rounds, |r| r.baseline_cpu_s_per_million_events),
        p50_ms: median(&rounds, |r| r.p50_ms),
        p99_ms: median(&rounds, |r| r.p99_ms),
        group_events_median,
        rounds,
        profiles: options.profiles,
        segments: wanted.len(),
        errors,
        rss_mib,
        doctor_clean: doctor.status.success(),
    })
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// What `init` printed.
pub struct Keys {
    pub api_key: String,
    pub write_key: String,
}

/// Makes a store, or finds the keys of one that was made before.
pub fn start_keys(database: Option<&str>, dir: &Path, fresh: bool) -> anyhow::Result<Keys> {
    let saved = dir.with_extension("keys.json");
    if fresh {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("init").arg(dir).args([
            "--json",
            "--time-zone",
            "Europe/Kyiv",
            "--currency",
            "UAH",
            "--locale",
            "uk",
            "--country",
            "UA",
        ]);
        if let Some(url) = database {
            command.arg("--database").arg(url);
        }
        let out = command.output()?;
        if !out.status.success() {
            bail!("init failed: {}", String::from_utf8_lossy(&out.stderr));
        }
        std::fs::write(&saved, &out.stdout)?;
    }
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&saved)?)?;
    let text = |name: &str| value[name].as_str().map(str::to_string).with_context(|| format!("init printed no {name}"));
    Ok(Keys { api_key: text("api_key")?, write_key: text("write_key")? })
}

/// Serves a store and waits until it is ready.
pub fn start_braid(unsafe_fast: bool, dir: &Path) -> anyhow::Result<Server> {
    let ready = dir.with_extension("ready");
    let _ = std::fs::remove_file(&ready);
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg(dir).args(["--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready);
    if unsafe_fast {
        command.arg("--unsafe-fast");
    }
    // The load comes from one source; its limit is not what is measured.
    command.env("BRAID_COLLECT_RATE_PER_SOURCE", "10000000").env("BRAID_LOG_LEVEL", "warn");
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let started = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(&ready) {
            let address = text.trim().trim_start_matches("http://").to_string();
            return Ok(Server { child, address });
        }
        if let Some(status) = child.try_wait()? {
            bail!("serve ended with {status}");
        }
        if started.elapsed() > Duration::from_secs(60) {
            let _ = child.kill();
            bail!("serve was not ready after 60 s");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start_echo(options: &Options, dir: &Path) -> anyhow::Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "echo-server"]);
    match &options.database {
        Some(url) => command.arg(format!("{url}_echo")),
        None => {
            std::fs::create_dir_all(dir.join("echo"))?;
            command.arg(format!("sqlite:{}", dir.join("echo/echo.db").display()))
        }
    };
    if options.unsafe_fast {
        command.arg("--unsafe-fast");
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("the baseline has an output")?).read_line(&mut line)?;
    if line.trim().is_empty() {
        let _ = child.kill();
        bail!("the baseline did not start");
    }
    Ok(Server { child, address: line.trim().to_string() })
}

fn generate(options: &Options, address: &str, authorization: &str, seconds: u64, seed: u64) -> anyhow::Result<Outcome> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "generate", "--address", address, "--authorization", authorization]);
    command.args(["--connections", &options.connections.to_string(), "--batch", &options.batch.to_string()]);
    command.args([
        "--profiles",
        &options.profiles.to_string(),
        "--seconds",
        &seconds.to_string(),
        "--seed",
        &seed.to_string(),
    ]);
    if let Some(rate) = options.rate {
        command.args(["--rate", &rate.to_string()]);
    }
    let out = command.stderr(Stdio::inherit()).output()?;
    if !out.status.success() {
        bail!("the generator failed");
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

fn measure(pid: u32, load: impl FnOnce() -> anyhow::Result<Outcome>) -> anyhow::Result<(Outcome, f64)> {
    let before = process_cpu_seconds(pid).unwrap_or(0.0);
    let out = load()?;
    Ok((out, process_cpu_seconds(pid).unwrap_or(0.0) - before))
}

fn rss_mib(pid: u32) -> f64 {
    status_mib(pid, "VmRSS:")
}

/// A line of `/proc/PID/status` that counts kB, in MiB.
pub fn status_mib(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// Ends a server in order.
pub fn stop(mut server: Server) -> anyhow::Result<()> {
    let pid = server.child.id();
    Command::new("kill").args(["-TERM", &pid.to_string()]).status()?;
    let started = Instant::now();
    while server.child.try_wait()?.is_none() {
        if started.elapsed() > Duration::from_secs(60) {
            bail!("serve did not stop within 60 s");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
