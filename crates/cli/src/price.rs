//! `braid price`: what a basket costs under promotions, and why.
use crate::printer::Printer;
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock, Timestamp};
use loyalty::law::presets;
use loyalty::wire::{self, WireError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Says what a basket costs under promotions, line by line, and why each promotion applied or did not.
///
/// The files are docs/formats/basket.schema.json and promotions.schema.json; what is printed is priced.schema.json.
///
/// Example: braid price docs/formats/examples/basket.json docs/formats/examples/promotions.json
#[derive(Debug, clap::Args)]
pub struct Price {
    /// The basket; `-` for stdin.
    basket: PathBuf,
    /// The promotions; `-` for stdin.
    promotions: PathBuf,
    /// The moment at which it is priced, where the basket names none; without it now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Writes the result here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs it.
pub fn run(command: &Price, printer: &mut Printer) -> Outcome {
    let at = command.at.as_deref().map(Timestamp::parse).transpose();
    let at = at.map_err(|e| Stop::bad_input(e).hint("--at 2026-11-22T14:31:08Z"))?;
    let now = at.unwrap_or_else(|| SystemClock.now());
    let refused = |path: &Path, e: WireError| Stop::bad_input(anyhow!("{}: {e}", path.display()));
    let text = read(&command.basket)?;
    let (basket, context) = wire::read_basket(&text, now, &presets::find).map_err(|e| refused(&command.basket, e))?;
    let text = read(&command.promotions)?;
    let (_, promotions) = wire::read_promotions(&text).map_err(|e| refused(&command.promotions, e))?;
    let priced = wire::priced(&loyalty::price(&basket, &promotions, &context));
    let mut text = serde_json::to_vec_pretty(&priced).map_err(|e| Stop::failed(anyhow!("{e}")))?;
    text.push(b'\n');
    match &command.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => printer.out().write_all(&text)?,
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Stop> {
    let mut bytes = Vec::new();
    crate::segment::open(path)?
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Stop::bad_input)?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Stop::bad_input(anyhow!("{}: byte {} is no UTF-8", path.display(), at + 1))
    })
}
