//! `braid segment eval`: a condition over a plain file of events.
use crate::printer::Printer;
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Country, Timestamp};
use flate2::read::MultiGzDecoder;
use segments::offline::{self, OfflineError};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Works with segments.
#[derive(Debug, clap::Subcommand)]
pub enum Segment {
    /// Evaluates a condition over tracking-API events and prints who it holds for.
    ///
    /// Example: braid segment eval 'count("Order Completed" in last 30 days) >= 2' events.ndjson
    Eval(Eval),
}

/// Evaluates a condition over a file.
#[derive(Debug, clap::Args)]
pub struct Eval {
    /// The condition.
    expression: String,
    /// Events, one JSON object a line; `.gz` too, `-` for stdin.
    file: PathBuf,
    /// The moment that is asked about; without it the greatest timestamp of the file.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Zone of calendar windows.
    #[arg(long, default_value = "Europe/Kyiv")]
    time_zone: String,
    /// Country of telephone numbers without a country code.
    #[arg(long, default_value = "UA")]
    country: String,
    /// Writes the members here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes figures here, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs it.
pub fn run(segment: &Segment, printer: &mut Printer) -> Outcome {
    let Segment::Eval(eval) = segment;
    let at = eval.at.as_deref().map(Timestamp::parse).transpose();
    let at = at.map_err(|e| Stop::bad_input(e).hint("--at 2026-11-22T14:31:08Z"))?;
    let zone =
        jiff::tz::TimeZone::get(&eval.time_zone).with_context(|| format!("there is no time zone {:?}", eval.time_zone));
    let rules = offline::Rules::default();
    let country = Country::find(&eval.country);
    let options = offline::Options { at, zone: zone.map_err(Stop::bad_input)?, country, rules };
    let mut input = open(&eval.file)?;
    let report = offline::segment(&eval.expression, &mut input, &options).map_err(|e| refused(e, eval))?;
    let mut text = csv::Writer::from_writer(Vec::new());
    let broken = |e: csv::Error| Stop::failed(e);
    text.write_record(["customer_id"]).map_err(broken)?;
    for customer in &report.customers {
        text.write_record([&**customer]).map_err(broken)?;
    }
    let text = text.into_inner().map_err(|e| Stop::failed(anyhow!("{e}")))?;
    match &eval.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => printer.out().write_all(&text)?,
    }
    if let Some(path) = &eval.report {
        let figures = json!({
            "parameters": {"expression": eval.expression, "at": report.at, "time_zone": eval.time_zone, "country": eval.country},
            "metrics": {"members": report.customers.len(), "people": report.people, "events": report.events,
                "duplicates": report.duplicates, "later": report.later, "unnamed": report.unnamed},
        });
        std::fs::write(path, format!("{figures}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if report.unnamed > 0 {
        printer
            .note(format!("{} members have neither a user id nor an anonymous id and are not listed", report.unnamed));
    }
    Ok(())
}

fn refused(error: OfflineError, eval: &Eval) -> Stop {
    match error {
        OfflineError::Expression(e) => {
            let at = eval.expression.get(..e.offset).map_or(0, |t| t.chars().count()) + 1;
            let stop = Stop::bad_input(anyhow!("in the expression at character {at}: {}", e.problem));
            match e.hint {
                Some(hint) => stop.hint(hint),
                None => stop,
            }
        }
        OfflineError::Line(line) => Stop::bad_input(anyhow!("{}: {line}", eval.file.display())),
        error @ OfflineError::Segment(_) => Stop::bad_input(error),
        error => Stop::failed(anyhow::Error::new(error).context(format!("cannot evaluate {}", eval.file.display()))),
    }
}

/// Opens a file for reading, unpacked if it is gzip; `-` is stdin.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, Stop> {
    let raw: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()));
        Box::new(file.map_err(Stop::bad_input)?)
    };
    let mut buffered = BufReader::with_capacity(1 << 16, raw);
    let zipped = buffered.fill_buf().map_err(Stop::failed)?.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(buffered)))
    } else {
        Box::new(buffered)
    })
}
