//! `braid restore`: a shop out of a backup, on either engine. Who was erased since stays erased.
use crate::backup::{open, unusable};
use crate::printer::Printer;
use crate::shop::sync;
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock};
use db::Location;
use db::backup::{self, Manifest};
use pipeline::doctor::{self, Report, Severity};
use pipeline::erasure::{self, manifest};
use serde_json::json;
use server::config::Effective;
use server::domain::{Domain, Start, settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes a shop in a new or empty folder out of a backup, and checks it.
///
/// Example: braid restore shop-2026-11-22.braid --to shop2 --erasures shop/erasures.ndjson
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The backup.
    file: PathBuf,
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Where the store shall be: sqlite:FILE or postgres://…, an empty database.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The newest manifest of erasures; else the one beside the backup is taken.
    #[arg(long, value_name = "FILE")]
    erasures: Option<PathBuf>,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(command: &Restore, printer: &mut Printer) -> Outcome {
    let (manifest, report) =
        restore(&command.file, &command.to, command.database.as_deref(), command.erasures.as_deref())?;
    if command.json {
        let manifest = Manifest { config: String::new(), ..manifest };
        printer.json(&json!({"manifest": manifest, "doctor": report}))?;
    } else {
        printer.line(format!("{} is restored as of {}", command.to.display(), manifest.made_at))?;
        say(&report, printer)?;
    }
    if report.findings.is_empty() { Ok(()) } else { Err(Stop::silent(1)) }
}

/// Says what doctor found.
pub fn say(report: &Report, printer: &mut Printer) -> Outcome {
    let c = &report.counts;
    printer
        .line(format!("{} events, {} profiles, {} people, {} messages", c.events, c.profiles, c.people, c.messages))?;
    for finding in &report.findings {
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        printer.line(format!("{severity}: {} {}: {}", finding.check, finding.subject, finding.detail))?;
    }
    printer.line(if report.findings.is_empty() { "clean" } else { "not clean" })
}

/// Restores a backup into a folder; gives what it held and what doctor says.
pub fn restore(
    file: &Path,
    folder: &Path,
    database: Option<&str>,
    erasures: Option<&Path>,
) -> Result<(Manifest, Report), Stop> {
    let manifest = backup::verify(&mut open(file)?).map_err(|e| unusable(file, e))?;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let error = anyhow!("{} is not empty", folder.display());
        return Err(Stop::bad_input(error).hint("name a folder that does not exist yet"));
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let text = database.map_or_else(|| manifest.config.clone(), |url| with_database(&manifest.config, url));
    std::fs::write(folder.join("braid.toml"), &text)?;
    let effective = Effective::load(Some(&text), &std::collections::HashMap::new(), &[]).map_err(Stop::bad_input)?;
    let config = effective.config(folder);
    let location = Location::parse(&config.database_url, folder).map_err(Stop::bad_input)?;
    load(file, &manifest, &location)?;
    // Before anybody is served: who was erased since the backup is erased again.
    let beside = file.parent().map(|p| p.join(manifest::FILE)).filter(|p| p.exists());
    if let Some(known) = erasures.map(Path::to_path_buf).or(beside) {
        std::fs::copy(&known, folder.join(manifest::FILE))
            .with_context(|| format!("cannot read {}", known.display()))
            .map_err(Stop::bad_input)?;
    }
    let clock = Arc::new(SystemClock);
    let start = Start::new(&config, location.clone(), sync(false), clock, "braid restore");
    let domain = Domain::open(start).map_err(Stop::failed)?;
    let done =
        manifest::catch_up(domain.core(), &folder.join(manifest::FILE)).and_then(|_| erasure::finish(domain.core()));
    domain.close();
    done.map_err(Stop::failed)?;
    let report = doctor::run(&location, &SystemClock, settings(&config)).map_err(Stop::failed)?;
    Ok((manifest, report))
}

/// Settings with another database; everything else as it stands.
fn with_database(config: &str, url: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for line in config.lines() {
        let bare = line.trim();
        if bare.starts_with('[') {
            inside = bare == "[database]";
        }
        let gone = inside && (bare == "[database]" || bare.split('=').next().is_some_and(|key| key.trim() == "url"));
        if !gone {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.push_str(&format!("\n[database]\nurl = {}\n", serde_json::Value::from(url)));
    out
}

fn load(file: &Path, manifest: &Manifest, location: &Location) -> Result<(), Stop> {
    let mut engine = location.open(sync(false), false).map_err(Stop::bad_input)?;
    if db::store::read_holder(&mut engine).is_ok() {
        let error = anyhow!("the database {} holds a store already", location.shown());
        return Err(Stop::bad_input(error).hint("name an empty database"));
    }
    let mut all = pipeline::migrations();
    all.push(server::accounts::MIGRATIONS);
    let now = SystemClock.now().micros();
    backup::load(&mut engine, &mut open(file)?, manifest, &all, now).map_err(|e| unusable(file, e))
}
