//! `braid back`: the way back to an old tool, as files that it reads.
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, unreadable};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock};
use db::{Dialect, Tx};
use pipeline::{Preparer, step};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Writes customers, orders or opt-outs in an old tool's own format, so that it can take the work over again.
///
/// Example: braid back shop --preset shopify-customers --out customers.csv
#[derive(Debug, clap::Args)]
pub struct Back {
    #[command(flatten)]
    shop: ShopArgs,
    /// The system and what of it, such as yespo-contacts, woocommerce-orders, generic-opt-outs.
    #[arg(long)]
    preset: String,
    /// Writes here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints one line of JSON on how many rows there are; needs --out.
    #[arg(long, requires = "out")]
    json: bool,
}

/// Runs it.
pub fn run(back: &Back, printer: &mut Printer) -> Outcome {
    let preset = exchange::back::find(&back.preset).ok_or_else(|| {
        let known: Vec<&str> = exchange::back::presets().map(|p| p.id).collect();
        Stop::bad_input(anyhow!("there is no preset {:?}", back.preset)).hint(format!("one of {}", known.join(", ")))
    })?;
    let shop = Shop::find(&back.shop, Vec::new())?;
    let unreadable = |error| unreadable(&shop.folder, error);
    let mut engine = shop.location()?.open(shop.sync, true).map_err(unreadable)?;
    let snapshot = match engine.dialect() {
        Dialect::Sqlite => "BEGIN",
        Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    engine.batch(snapshot).map_err(unreadable)?;
    pipeline::refuse_newer(&mut engine).map_err(unreadable)?;
    let mut tx = Tx::for_reading(engine, SystemClock.now()).map_err(unreadable)?;
    let settings = Arc::new(server::domain::settings(&shop.config));
    let preparer = Preparer::new(settings, step::current(&mut tx).map_err(Stop::failed)?);
    preparer.follow(&mut tx).map_err(Stop::failed)?;
    let mut write =
        |out: &mut dyn Write| server::moving::back::write(tx.engine(), &preparer, preset, out).map_err(Stop::failed);
    let Some(path) = &back.out else { return write(printer.out()).map(drop) };
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let rows = write(&mut out)?;
    out.flush()?;
    if back.json {
        return printer.json(&json!({"preset": preset.id, "rows": rows}));
    }
    printer.note(format!("{rows} rows for {}", preset.system));
    Ok(())
}
