//! `braid import`: purchases from a file, through the running server or without one.
mod files;
mod goods;
pub mod online_retail_ii;
pub mod read;
#[cfg(test)]
mod tests;

use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock};
use indicatif::{ProgressBar, ProgressStyle};
use read::{BadRow, Contents};
use serde_json::json;
use server::domain::{Domain, Start};
use server::imports::{self, Imported};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Events in one request or transaction.
const PIECE: usize = 250;

/// The data set of examples/online_retail_ii: lines of invoices, read by code of its own.
const ONLINE_RETAIL_II: &str = "online-retail-ii";

/// Brings customers, orders, events or consents in from a file. The same file again changes nothing, and an import that was
/// stopped or killed goes on when it is run again.
///
/// Example: braid import shop customers.csv --preset shopify-customers
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(flatten)]
    shop: ShopArgs,
    /// The file: CSV or NDJSON, `.gz` too, or Parquet.
    file: PathBuf,
    /// The system whose export it is, such as shopify-orders; found out without it.
    #[arg(long)]
    preset: Option<String>,
    /// What its rows are: customers, orders, events or consents; found out without it.
    #[arg(long)]
    kind: Option<String>,
    /// What its columns mean, as JSON, as --show-mapping prints it.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Prints how the file is read and what its columns are taken for, and stops.
    #[arg(long)]
    show_mapping: bool,
    /// How old rows are that do not say it themselves (RFC 3339); without it, when the file was written.
    #[arg(long, value_name = "TIME")]
    file_time: Option<String>,
    /// Takes consents although no opt-outs were imported before.
    #[arg(long)]
    without_opt_outs: bool,
    /// Name of the source that the events belong to; without it the preset's or the file's.
    #[arg(long)]
    source: Option<String>,
    /// Reads and reports, writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Writes the rows that do not count here, as CSV with line and reason.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(import: &Import, printer: &mut Printer) -> Outcome {
    if let Some(layout) = goods::layout(import.preset.as_deref()) {
        return goods::run(import, layout, printer);
    }
    if import.preset.as_deref() != Some(ONLINE_RETAIL_II) {
        return files::run(import, printer);
    }
    let started = Instant::now();
    let shop = Shop::find(&import.shop, Vec::new())?;
    let source = import.source.as_deref().unwrap_or(ONLINE_RETAIL_II);
    let name = import.file.display().to_string();
    let reading = progress(printer, 0, "reading");
    let contents = read::read(crate::segment::open(&import.file)?, &name, SystemClock.now(), |n| {
        if n.is_multiple_of(4096) {
            reading.set_position(n);
        }
    })?;
    reading.finish_and_clear();
    if let Some(path) = &import.report {
        write_report(path, &contents.bad)?;
    }
    let events: Vec<String> = contents.invoices.iter().filter_map(|i| i.event(source)).collect();
    let done = if import.dry_run {
        Imported { events: events.len() as u64, duplicates: 0 }
    } else {
        let bar = progress(printer, events.len() as u64, "importing");
        let done = send(&shop, source, &events, &bar, printer);
        bar.finish_and_clear();
        done.map_err(|stop| stop.hint("the same command again goes on where this one stopped"))?
    };
    say(import, &contents, done, started.elapsed(), printer)
}

fn say(import: &Import, contents: &Contents, done: Imported, took: Duration, printer: &mut Printer) -> Outcome {
    let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
    if import.json {
        return printer.json(&json!({
            "rows": contents.rows,
            "events": done.events,
            "duplicates": done.duplicates,
            "rejected_rows": contents.bad.len(),
            "seconds": seconds,
        }));
    }
    let verb = if import.dry_run { "would bring" } else { "brought" };
    printer.line(format!(
        "{} rows {verb} {} events ({} were there), {} rows do not count, {seconds} s",
        contents.rows,
        done.events,
        done.duplicates,
        contents.bad.len()
    ))?;
    if import.report.is_none() && !contents.bad.is_empty() {
        printer.note("--report FILE says which rows do not count, and why");
    }
    Ok(())
}

fn write_report(path: &Path, bad: &[BadRow]) -> Outcome {
    let failed = |e: csv::Error| Stop::failed(anyhow!(e).context(format!("cannot write {}", path.display())));
    let mut out = csv::Writer::from_path(path).map_err(failed)?;
    out.write_record(["line", "reason"]).map_err(failed)?;
    for row in bad {
        out.write_record([row.line.to_string().as_str(), &row.reason]).map_err(failed)?;
    }
    out.flush()?;
    Ok(())
}

pub fn progress(printer: &Printer, total: u64, what: &'static str) -> ProgressBar {
    if !printer.draws() {
        return ProgressBar::hidden();
    }
    let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
    let template =
        if total == 0 { "{msg} {pos} rows ({per_sec})" } else { "{msg} {bar:30} {pos}/{len} ({per_sec}, {eta})" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}

/// Says every ten seconds how far it is, where no bar can be drawn.
struct Ticker {
    last: Instant,
}

impl Ticker {
    fn tick(&mut self, bar: &ProgressBar, done: u64, total: usize, printer: &mut Printer) {
        bar.set_position(done);
        if !printer.draws() && printer.speaks() && self.last.elapsed() >= Duration::from_secs(10) {
            self.last = Instant::now();
            printer.note(format!("{done} of {total} events"));
        }
    }
}

fn send(
    shop: &Shop,
    source: &str,
    events: &[String],
    bar: &ProgressBar,
    printer: &mut Printer,
) -> Result<Imported, Stop> {
    match running_server(shop)? {
        Some((url, token)) => through_server(&url, &token, source, events, bar, printer),
        None => alone(shop, source, events, bar, printer),
    }
}

fn through_server(
    url: &str,
    token: &str,
    source: &str,
    events: &[String],
    bar: &ProgressBar,
    printer: &mut Printer,
) -> Result<Imported, Stop> {
    let mut client = Client::new(url, format!("Bearer {token}"))?;
    let name = serde_json::to_string(source).map_err(Stop::failed)?;
    let mut total = Imported { events: 0, duplicates: 0 };
    let mut ticker = Ticker { last: Instant::now() };
    for piece in events.chunks(PIECE) {
        let body = format!("{{\"source\":{name},\"batch\":[{}]}}", piece.join(","));
        let mut patience = 60;
        let answer = loop {
            let answer = client
                .send("POST", "/api/v1/imports/pieces", Some(&body))
                .context("the server did not take a piece")?;
            if answer.status != 503 || patience == 0 {
                break answer;
            }
            patience -= 1;
            std::thread::sleep(Duration::from_secs(1));
        };
        if answer.status != 200 {
            return Err(Stop::failed(anyhow!("the server refused a piece: {} {}", answer.status, said(&answer.body))));
        }
        let done: Imported = serde_json::from_value(answer.body).map_err(Stop::failed)?;
        total.events += done.events;
        total.duplicates += done.duplicates;
        ticker.tick(bar, total.events + total.duplicates, events.len(), printer);
    }
    Ok(total)
}

/// Takes the writer itself, since no server runs.
fn alone(
    shop: &Shop,
    source: &str,
    events: &[String],
    bar: &ProgressBar,
    printer: &mut Printer,
) -> Result<Imported, Stop> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let start = Start::new(&shop.config, shop.location()?, shop.sync, clock.clone(), "braid import");
    let domain = Domain::open(start).map_err(Stop::failed)?;
    let name = source.to_string();
    let id = domain.store().write(move |tx| imports::ensure_source(tx, &name)).map_err(Stop::failed)?.id;
    let mut total = Imported { events: 0, duplicates: 0 };
    let mut ticker = Ticker { last: Instant::now() };
    // A few pieces are on their way at once, so that the next is read while one is written.
    let (sender, receiver) = mpsc::channel();
    let mut waiting = 0;
    let mut take = |total: &mut Imported, printer: &mut Printer| -> Outcome {
        let (items, outcome): (usize, Result<_, db::DbError>) = receiver.recv().map_err(Stop::failed)?;
        let done = Imported::of(items, &outcome.map_err(Stop::failed)?);
        total.events += done.events;
        total.duplicates += done.duplicates;
        ticker.tick(bar, total.events + total.duplicates, events.len(), printer);
        Ok(())
    };
    for piece in events.chunks(PIECE) {
        let body = imports::body_of(piece.iter().map(String::as_str));
        let batch =
            imports::prepare(&domain, id, body, clock.now()).map_err(|p| Stop::failed(anyhow!("{}", p.detail)))?;
        let (items, sender) = (batch.events.len(), sender.clone());
        domain.ingest_batch(batch, move |outcome| drop(sender.send((items, outcome))));
        waiting += 1;
        if waiting >= 8 {
            take(&mut total, printer)?;
            waiting -= 1;
        }
    }
    for _ in 0..waiting {
        take(&mut total, printer)?;
    }
    domain.close();
    Ok(total)
}
