//! `cargo xtask test`: runs the planned stages one after the other and stops at the first that fails.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::braid::{self, Braid, Profile};
use crate::counts::Counts;
use crate::packages;
use crate::postgres::TestServers;
use crate::process::{Output, Running};
use crate::stages::{self, Stage};
use crate::stop::{BadInput, Interrupted};
use crate::workspace::{Workspace, cargo};
use crate::{clients, demo, demo_server, node, openapi, process, temporary, tidy};

/// Already reported in full; only the exit status is left.
#[derive(Debug)]
pub struct StagesFailed;

impl fmt::Display for StagesFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stage failed")
    }
}

impl std::error::Error for StagesFailed {}

pub fn command(mut args: Args) -> Result<()> {
    let quick = args.flag("--quick");
    let install = !args.flag("--no-install");
    let only = args.value("--only")?;
    args.finish()?;
    let planned = stages::plan(quick, only.as_deref()).map_err(BadInput)?;
    let workspace = Workspace::find()?;
    // All of it first: a missing package should not come up after ten minutes.
    let mut tools: Vec<_> = planned.iter().flat_map(|stage| stage.tools()).copied().collect();
    tools.sort_unstable();
    tools.dedup();
    packages::ensure(&tools, install, &workspace)?;
    let (counts, failed) = run_all(&planned, &workspace)?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    if failed { Err(StagesFailed.into()) } else { Ok(()) }
}

fn run_all(planned: &[Stage], workspace: &Workspace) -> Result<(Counts, bool)> {
    let mut counts = Counts::default();
    let mut failed = false;
    let start = Instant::now();
    for stage in planned {
        let name = stage.name();
        if failed {
            println!("{name:<8} skipped");
            continue;
        }
        println!("{name:<8} …");
        let log = workspace.log(name);
        process::empty_log(&log)?;
        let stage_start = Instant::now();
        let done = run_stage(*stage, workspace, &log);
        let text = fs::read(&log).unwrap_or_default();
        counts += Counts::of_stage(&String::from_utf8_lossy(&text), done.is_ok());
        match done {
            Ok(()) => println!("{name:<8} ok      {}", seconds(stage_start.elapsed())),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                println!("{name:<8} FAILED  {}\n{error:#}", seconds(stage_start.elapsed()));
                failed = true;
            }
        }
    }
    println!("{:<8}         {}", "all", seconds(start.elapsed()));
    Ok((counts, failed))
}

fn run_stage(stage: Stage, workspace: &Workspace, log: &Path) -> Result<()> {
    match stage {
        Stage::Tidy => {
            let report = tidy::check(workspace)?;
            println!("{}", report.summary());
            report.into_result()
        }
        Stage::Fmt => run_cargo(workspace, &["fmt", "--all", "--check"], log),
        Stage::Clippy => {
            braid::ensure_console_folder(workspace)?;
            let words = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
            run_cargo(workspace, &words, log)
        }
        Stage::Rust => rust_tests(workspace, log),
        Stage::Simulation => simulation(workspace, log),
        Stage::Sdk => sdk_tests(&workspace.sdk(), log),
        Stage::Demo => demo_tests(workspace, log),
        Stage::Clients => clients::test(workspace, log),
        Stage::Openapi => openapi::compare(workspace, log),
        Stage::Console => console(workspace, log),
        Stage::Browser => browser_tests(workspace, log),
    }
}

fn run_cargo(workspace: &Workspace, words: &[&str], log: &Path) -> Result<()> {
    let mut command = cargo(&workspace.root);
    command.args(words);
    process::run(command, log)
}

/// Unit, property and scenario tests, on both engines.
fn rust_tests(workspace: &Workspace, log: &Path) -> Result<()> {
    braid::ensure_console_folder(workspace)?;
    let servers = TestServers::start(workspace)?;
    let mut nextest = cargo(&workspace.root);
    nextest.args(["nextest", "--version"]);
    let mut command = cargo(&workspace.root);
    if process::succeeds(nextest) {
        command.args(["nextest", "run", "--workspace", "--no-tests=pass"]);
    } else {
        command.args(["test", "--workspace", "--no-fail-fast"]);
    }
    command.envs(servers.variables());
    process::run(command, log)
}

/// Lives that are lived on SQLite, and on PostgreSQL: of stores, and of shops that trade.
const LIVES: [(&str, &str, &str); 4] = [
    ("SQLite", "stores", "1..1201"),
    ("PostgreSQL", "stores", "1..121"),
    ("SQLite", "trade", "1..601"),
    ("PostgreSQL", "trade", "1..61"),
];

/// Lives of one kind after those of the other, each on both engines side by side. `BRAID_SEEDS=1..1000001` lives a million of each on
/// SQLite, for a night.
fn simulation(workspace: &Workspace, log: &Path) -> Result<()> {
    let built = ["build", "--quiet", "--profile", "simulation", "--package", "simulation"];
    run_cargo(workspace, &built, log)?;
    let program = workspace.target.join("simulation/simulate");
    let servers = TestServers::start(workspace)?;
    let folder = temporary::TemporaryFolder::in_memory("lives")?;
    let asked = std::env::var("BRAID_SEEDS").ok();
    for kind in ["stores", "trade"] {
        let (mut running, mut logs) = (Vec::new(), Vec::new());
        for (engine, _, seeds) in LIVES.into_iter().filter(|(_, of, _)| *of == kind) {
            let own = format!("simulation-{kind}-{}", engine.to_lowercase());
            let log = if logs.is_empty() && kind == "stores" { log.to_path_buf() } else { workspace.log(&own) };
            if kind != "stores" || !logs.is_empty() {
                process::empty_log(&log)?;
            }
            let mut command = std::process::Command::new(&program);
            command.envs(servers.variables()).env("TMPDIR", folder.path());
            if engine == "PostgreSQL" {
                command.args(["--postgres", "--seeds", seeds]);
            } else {
                command.args(["--seeds", asked.as_deref().unwrap_or(seeds)]);
            }
            if kind == "trade" {
                command.arg("--trade");
            }
            running.push(Running::start(command, &log, Output::Log, libc::SIGTERM)?);
            logs.push(log);
        }
        running.into_iter().try_for_each(process::finish)?;
        for log in logs {
            let text = fs::read_to_string(log).unwrap_or_default();
            print!("{}", lives_of(&text));
        }
    }
    Ok(())
}

/// What a simulation says at its end: how many lives, and how often they came across what.
fn lives_of(log: &str) -> String {
    let mut out = String::new();
    let mut lines = log.lines().skip_while(|line| !line.contains(" lives of "));
    if let Some(lives) = lines.next() {
        let reached: Vec<&str> = lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect();
        out = format!("{lives}\n  {}\n", reached.join(", "));
    }
    out
}

fn sdk_tests(folder: &Path, log: &Path) -> Result<()> {
    node::install(folder, log)?;
    node::script(folder, "build", log)?;
    node::script(folder, "test", log)
}

fn demo_tests(workspace: &Workspace, log: &Path) -> Result<()> {
    let files = node::test_files(&workspace.root.join("demo/tests"))?;
    if files.is_empty() {
        bail!("demo/tests holds no *.test.mjs");
    }
    let mut command = std::process::Command::new("node");
    command.current_dir(&workspace.root).arg("--test").args(files);
    process::run(command, log)
}

fn console(workspace: &Workspace, log: &Path) -> Result<()> {
    let folder = workspace.console();
    node::install(&folder, log)?;
    node::script(&folder, "lint", log)?;
    node::script(&folder, "build", log)?;
    node::script(&folder, "check-size", log)
}

/// The console in a real browser, against the real program with an empty shop of its own.
fn browser_tests(workspace: &Workspace, log: &Path) -> Result<()> {
    let console = workspace.console();
    node::install(&console, log)?;
    if !console.join("dist/index.html").is_file() {
        node::script(&console, "build", log)?;
    }
    let program = braid::build(workspace, Profile::Dev, log)?;
    let folder = temporary::TemporaryFolder::new("browser")?;
    let shop = folder.path().join("shop");
    // The demo's shop: till and tests write telephone numbers as its customers do.
    let keys = braid::init(&program, &shop, &demo::SHOP, log)?;
    let server_log = workspace.log("browser-braid");
    process::empty_log(&server_log)?;
    let ready = folder.path().join("ready");
    let mut server = Braid::serve(&program, &shop, "127.0.0.1:0", &ready, &[], &server_log)?;
    // The till, as the demo has it, so that a sale can be made where a shop assistant makes it.
    node::install(&workspace.sdk(), log)?;
    if !workspace.sdk().join("dist/braid.js").is_file() {
        node::script(&workspace.sdk(), "build", log)?;
    }
    let setting = demo_server::Setting {
        ports: (0, 0),
        braid_url: server.url(),
        shop_write_key: &keys.write_key,
        till_write_key: &keys.write_key,
        api_key: &keys.api_key,
        mail_dir: &folder.path().join("mail"),
        ready: &folder.path().join("till-ready"),
    };
    let (mut till, till_url) = demo_server::start(workspace, &setting, &workspace.log("browser-till"))?;
    let mut command = std::process::Command::new("npx");
    command
        .current_dir(&console)
        .env("BRAID_TILL_URL", format!("{till_url}/till/"))
        .args(["--no-install", "playwright", "test"])
        // For whoever looks at one half: `BRAID_BROWSER=real cargo xtask test --only browser`.
        .args(std::env::var("BRAID_BROWSER").map(|project| format!("--project={project}")))
        .env("CI", "1")
        .env("BRAID_URL", server.url())
        .env("BRAID_EMAIL", &keys.email)
        .env("BRAID_PASSWORD", &keys.password)
        .env("BRAID_WRITE_KEY", &keys.write_key)
        .env("BRAID_API_KEY", &keys.api_key);
    let tested = process::run(command, log);
    till.stop();
    let stopped = server.stop();
    tested.with_context(|| format!("the server's log is {}", server_log.display()))?;
    stopped
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::lives_of;

    #[test]
    fn what_lives_reached_stands_behind_their_number() {
        let log =
            "building\n3 lives of 300 commands on SQLite in 1 s\n  crashes 4\n  merges 5\nerror: never reached: x\n";
        assert_eq!(lives_of(log), "3 lives of 300 commands on SQLite in 1 s\n  crashes 4, merges 5\n");
        assert_eq!(lives_of("it panicked\n"), "");
    }
}
