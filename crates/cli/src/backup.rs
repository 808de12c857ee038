//! `braid backup`: the whole store as one file, beside a running server; and checking such a file.
use crate::printer::Printer;
use crate::restore;
use crate::shop::{Shop, ShopArgs, unreadable};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock};
use db::backup::{self, BackupError, Made, Manifest};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Rest after each part of about 4 MiB.
const THROTTLE: Duration = Duration::from_millis(10);

/// Writes the whole store to one file while the server runs. Either engine reads it: see docs/backup.md.
///
/// Example: braid backup shop --to shop-2026-11-22.braid
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Backup {
    #[command(subcommand)]
    verify: Option<Verify>,
    #[command(flatten)]
    shop: Option<ShopArgs>,
    /// The file to write; one that exists is not overwritten.
    #[arg(long, value_name = "FILE", required = true)]
    to: Option<PathBuf>,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What else can be done with a backup.
#[derive(Debug, clap::Subcommand)]
enum Verify {
    /// Checks a file: every sum, then a restore to a temporary folder and doctor.
    ///
    /// Example: braid backup verify shop-2026-11-22.braid
    Verify {
        file: PathBuf,
        /// Prints one line of JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub fn run(command: &Backup, printer: &mut Printer) -> Outcome {
    if let Some(Verify::Verify { file, json }) = &command.verify {
        return verify(file, *json, printer);
    }
    let (Some(args), Some(to)) = (&command.shop, &command.to) else {
        return Err(Stop::bad_input(anyhow!("name the shop's folder, and the file with --to")));
    };
    let shop = Shop::find(args, Vec::new())?;
    if to.exists() {
        return Err(Stop::bad_input(anyhow!("{} exists", to.display())).hint("name a file that does not exist yet"));
    }
    let mut engine = shop.location()?.open(shop.sync, true).map_err(|e| unreadable(&shop.folder, e))?;
    pipeline::refuse_newer(&mut engine).map_err(|e| unreadable(&shop.folder, e))?;
    // Under its own name there is only ever a whole file.
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let mut out = BufWriter::new(file);
    let made_at = SystemClock.now().to_string();
    let config = std::fs::read_to_string(shop.folder.join("braid.toml")).unwrap_or_default();
    let made = Made { braid: env!("CARGO_PKG_VERSION"), at: &made_at, config: &config, throttle: THROTTLE };
    let written = backup::write(&mut engine, &mut out, &made)
        .and_then(|manifest| Ok((manifest, out.into_inner().map_err(std::io::IntoInnerError::into_error)?)))
        .and_then(|(manifest, file)| {
            file.sync_all()?;
            std::fs::rename(&part, to)?;
            Ok(manifest)
        });
    let manifest = written.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        Stop::failed(error)
    })?;
    say(&manifest, to, command.json, printer)
}

fn say(manifest: &Manifest, file: &Path, json: bool, printer: &mut Printer) -> Outcome {
    let bytes = std::fs::metadata(file).map_or(0, |m| m.len());
    let manifest = &Manifest { config: String::new(), ..manifest.clone() };
    let rows: i64 = manifest.tables.values().sum();
    if json {
        return printer
            .json(&json!({"file": file.display().to_string(), "bytes": bytes, "rows": rows, "manifest": manifest}));
    }
    printer.line(format!(
        "{}: {rows} rows of {} tables, {bytes} bytes, made {}, sha256 {}",
        file.display(),
        manifest.tables.len(),
        manifest.made_at,
        manifest.sha256
    ))
}

/// What is wrong with a backup.
pub fn unusable(file: &Path, error: BackupError) -> Stop {
    let damaged = matches!(error, BackupError::Damaged(_));
    let error = anyhow!(error).context(format!("cannot use {}", file.display()));
    if damaged { Stop::bad_input(error) } else { Stop::failed(error) }
}

fn verify(file: &Path, json: bool, printer: &mut Printer) -> Outcome {
    let folder = std::env::temp_dir().join(format!("braid-verify-{}", std::process::id()));
    let outcome = restore::restore(file, &folder, Some("sqlite:braid.db"), None);
    let _ = std::fs::remove_dir_all(&folder);
    let (manifest, report) = outcome?;
    if json {
        printer.json(&json!({"manifest": manifest, "doctor": report}))?;
    } else {
        say(&manifest, file, false, printer)?;
        restore::say(&report, printer)?;
    }
    if report.findings.is_empty() { Ok(()) } else { Err(Stop::silent(1)) }
}

/// Opens a backup for reading.
pub fn open(file: &Path) -> Result<BufReader<File>, Stop> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()));
    Ok(BufReader::with_capacity(1 << 20, opened.map_err(Stop::bad_input)?))
}
