//! `braid resolve`: which rows of a list are the same person.
mod read;
#[cfg(test)]
mod tests;

use crate::printer::Printer;
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::Country;
use indicatif::{ProgressBar, ProgressStyle};
use resolve::field::{FIELDS, level};
use resolve::model::kind;
use resolve::{Options, Resolution};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Says which rows of a list are the same person, without keys and without labels.
///
/// Columns: rec_id, and of people given_name (first_name), patronymic, surname (last_name), name, email, phone, birth_date
/// (date_of_birth), address_1, address_2, street, house (street_number), flat, city (suburb), region (state), postcode, soc_sec_id. Others are
/// ignored. Prints rec_id,entity_id,score in the order of rec_id.
///
/// Example: braid resolve people.csv --column phone=Mobile --out resolved.csv
#[derive(Debug, clap::Args)]
pub struct Resolve {
    /// CSV or NDJSON; `.gz` too, `-` for stdin.
    file: PathBuf,
    /// Writes the result here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes parameters, figures and learned weights here, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What a column holds, where its name does not say so.
    #[arg(long = "column", value_name = "KIND=NAME")]
    columns: Vec<String>,
    /// Decides which pairs are drawn for learning.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Country of telephone numbers without a country code.
    #[arg(long, default_value = "UA")]
    country: String,
    /// Threads to work on; without it all processors. The result does not depend on it.
    #[arg(long)]
    threads: Option<usize>,
}

/// Runs it.
pub fn run(command: &Resolve, printer: &mut Printer) -> Outcome {
    let started = Instant::now();
    let name = command.file.display().to_string();
    let bar = Bar::new(printer);
    let mut people = read::read(
        crate::segment::open(&command.file)?,
        &name,
        &command.columns,
        Country::find(&command.country),
        |rows| bar.say("reading", rows, 0),
    )?;
    let defaults = Options::default();
    let threads = command.threads.unwrap_or(defaults.threads).max(1);
    let options = Options { seed: command.seed, threads, ..defaults };
    let result = resolve::resolve(&mut people.table, &options, &|what, done, all| bar.say(what, done, all));
    bar.end();
    let text = table(&people.ids, &result)?;
    match &command.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => printer.out().write_all(&text)?,
    }
    if let Some(path) = &command.report {
        let figures = report(command, &options, &people, &result, started.elapsed());
        std::fs::write(path, format!("{figures}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The result as CSV. Records stand in the order of their ids (bytes), so a group's least record has its least id.
fn table(ids: &[Box<str>], result: &Resolution) -> Result<Vec<u8>, Stop> {
    let mut out = csv::Writer::from_writer(Vec::with_capacity(ids.len() * 40 + 64));
    let broken = |e: csv::Error| Stop::failed(e);
    out.write_record(["rec_id", "entity_id", "score"]).map_err(broken)?;
    for ((id, entity), score) in ids.iter().zip(&result.entity).zip(&result.score) {
        let entity = &ids[*entity as usize];
        out.write_record([&**id, &**entity, &format!("{score:.6}")]).map_err(broken)?;
    }
    out.into_inner().map_err(|e| Stop::failed(anyhow!("{e}")))
}

fn report(command: &Resolve, options: &Options, people: &read::People, result: &Resolution, took: Duration) -> Value {
    let figures = &result.figures;
    let weights: serde_json::Map<String, Value> = FIELDS
        .into_iter()
        .map(|field| {
            let of = |kind: usize| result.model.chances[kind][field as usize][0];
            let (one, two) = (of(kind::MATCH), of(kind::STRANGERS));
            let levels = (0..level::COUNT).filter(|l| one[*l] > 0.002 || two[*l] > 0.002);
            let rows: Vec<Value> = levels
                .map(|l| {
                    json!({"level": field.level_word(l as u8), "same_person": one[l], "strangers": two[l],
                        "weight_bits": (one[l] / two[l].max(1e-9)).log2()})
                })
                .collect();
            (field.word().to_string(), Value::from(rows))
        })
        .collect();
    json!({
        "parameters": {"file": command.file, "seed": options.seed, "threads": options.threads, "country": command.country,
            "columns": people.columns},
        "metrics": {"records": figures.records, "entities": figures.entities, "pairs_compared": figures.pairs,
            "links": figures.links, "links_cut": figures.cut, "expected_matching_pairs": figures.expected_matches,
            "biggest_block": figures.block_cap, "learning_rounds": figures.rounds, "seconds": took.as_secs_f64()},
        "weights": weights,
    })
}

/// What is going on, drawn on a terminal and told every ten seconds elsewhere.
pub struct Bar {
    drawn: Option<ProgressBar>,
    told: Option<Mutex<Instant>>,
}

impl Bar {
    /// One for this printer.
    pub fn new(printer: &Printer) -> Bar {
        let drawn = printer.draws().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{msg:10} {bar:30} {pos}/{len} ({per_sec}, {eta})") {
                bar.set_style(style);
            }
            bar
        });
        let told = (drawn.is_none() && printer.speaks()).then(|| Mutex::new(Instant::now()));
        Bar { drawn, told }
    }

    /// Says how far it is.
    pub fn say(&self, what: &'static str, done: u64, all: u64) {
        if let Some(bar) = &self.drawn {
            if bar.message() != what {
                bar.set_message(what);
                bar.reset_eta();
            }
            bar.set_length(all.max(done));
            bar.set_position(done);
        } else if let Some(told) = &self.told
            && let Ok(mut last) = told.try_lock()
            && last.elapsed() >= Duration::from_secs(10)
        {
            *last = Instant::now();
            if all > 1 {
                tracing::info!(done, all, "{what}");
            } else {
                tracing::info!(done, "{what}");
            }
        }
    }

    /// Takes it away.
    pub fn end(&self) {
        if let Some(bar) = &self.drawn {
            bar.finish_and_clear();
        }
    }
}
