//! `braid export`: data written out, beside a server or without one, in one snapshot.
mod take;

use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, unreadable};
use crate::stop::{Outcome, Stop};
use anyhow::Context;
use base::{Clock, SystemClock};
use db::event::Origin;
use db::{DbError, Dialect, Tx, log};
use pipeline::timeline::{StoredEvent, stored_events};
use pipeline::{Preparer, step};
use serde_json::{Map, Value};
use server::exports::kinds::Kind;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Writes data out.
#[derive(Debug, clap::Subcommand)]
pub enum Export {
    /// Prints every event as it was accepted, one JSON object a line, oldest first; with --format a typed file.
    ///
    /// Example: braid export events shop | gzip > events.ndjson.gz
    Events(Events),
    /// Writes one row a person: identifiers, traits, what follows from them, consents, segments.
    ///
    /// Example: braid export customers shop --format parquet --out customers.parquet
    Customers(take::Taking),
    /// Writes one row an order placed, cancelled or refunded.
    ///
    /// Example: braid export orders shop --since 2026-01-01T00:00:00Z --out orders.csv
    Orders(take::Taking),
    /// Writes the ledger of consents.
    ///
    /// Example: braid export consents shop --out consents.csv
    Consents(take::Taking),
    /// Writes who is in which segment.
    ///
    /// Example: braid export members shop --segment 12 --format xlsx --out members.xlsx
    Members(take::Taking),
    /// Writes what was sent, or why not.
    ///
    /// Example: braid export messages shop --out messages.csv
    Messages(take::Taking),
    /// Writes what was not accepted, with the reason.
    ///
    /// Example: braid export rejected shop --out rejected.csv
    Rejected(take::Taking),
    /// Writes a zip of all kinds, with a manifest that says what every file and column is.
    ///
    /// Example: braid export everything shop --format ndjson --out shop.zip
    Everything(take::Taking),
    /// Writes everything that is held of one person: JSON, or a page for people with --html.
    ///
    /// Example: braid export person shop --email ann@example.com --html --out ann.html
    Person(crate::export_person::Person),
}

/// Which events, and where to.
#[derive(Debug, clap::Args)]
pub struct Events {
    #[command(flatten)]
    shop: ShopArgs,
    /// Also what Braid wrote itself.
    #[arg(long)]
    derived: bool,
    /// Writes here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes typed columns as csv, ndjson, parquet or xlsx, as the other kinds do.
    #[arg(long)]
    format: Option<String>,
    #[command(flatten)]
    which: take::Which,
    /// Prints one line of JSON about the file.
    #[arg(long, requires = "out", requires = "format")]
    json: bool,
}

/// Runs it.
pub fn run(export: &Export, printer: &mut Printer) -> Outcome {
    let (kind, taking) = match export {
        Export::Events(events) => return run_events(events, printer),
        Export::Customers(taking) => (Kind::Customers, taking),
        Export::Orders(taking) => (Kind::Orders, taking),
        Export::Consents(taking) => (Kind::Consents, taking),
        Export::Members(taking) => (Kind::Members, taking),
        Export::Messages(taking) => (Kind::Messages, taking),
        Export::Rejected(taking) => (Kind::Rejected, taking),
        Export::Everything(taking) => (Kind::Everything, taking),
        Export::Person(person) => return crate::export_person::run(person, printer),
    };
    take::run(kind, taking, printer)
}

fn run_events(events: &Events, printer: &mut Printer) -> Outcome {
    let shop = Shop::find(&events.shop, Vec::new())?;
    if let Some(format) = &events.format {
        let kind = if events.derived { Kind::Derived } else { Kind::Events };
        return take::take(&shop, kind, format, &events.which, (events.out.as_deref(), events.json), printer);
    }
    match &events.out {
        None => write_events(&shop, events.derived, printer.out()),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let mut out = BufWriter::new(file);
            write_events(&shop, events.derived, &mut out)?;
            out.flush()?;
            Ok(())
        }
    }
}

fn write_events(shop: &Shop, derived: bool, out: &mut dyn Write) -> Outcome {
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
    let people = people(&mut tx).map_err(Stop::failed)?;
    let moved = pipeline::backfill::moved_between(&mut tx, 0, i64::MAX).map_err(Stop::failed)?;
    let mut from = 1;
    loop {
        let rows = log::page(tx.engine(), from, 256).map_err(Stop::failed)?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = last.first_seq + 1;
        for row in rows.iter().filter(|row| derived || row.origin != Origin::Derived) {
            for event in stored_events(&preparer, row).map_err(Stop::failed)? {
                let profile = moved.get(&event.seq).copied().unwrap_or(event.profile_id);
                let person = people.get(&profile).copied().unwrap_or(profile);
                if person == 0 && profile != 0 {
                    // Erased, and the job has not come to this event yet.
                    continue;
                }
                let line = line(&event, profile, person).map_err(Stop::failed)?;
                serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
        }
    }
}

/// The people of profiles that are not their own person. Merges are facts at once, so the list is complete.
fn people(tx: &mut Tx) -> Result<HashMap<i64, i64>, DbError> {
    let mut out = HashMap::new();
    tx.engine().each("SELECT profile_id, person FROM profile_list WHERE person <> profile_id", &[], &mut |row| {
        out.insert(row.int(0)?, row.int(1)?);
        Ok(true)
    })?;
    Ok(out)
}

/// An event as it was accepted, with what was decided about it.
fn line(event: &StoredEvent, profile: i64, person: i64) -> Result<Map<String, Value>, serde_json::Error> {
    let mut line: Map<String, Value> = serde_json::from_str(&event.raw)?;
    let id = |id: i64| if id == 0 { Value::Null } else { id.to_string().into() };
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
    line.insert("type".into(), event.kind.as_str().into());
    line.insert("messageId".into(), event.message_id.clone().into());
    // With what the body stated for all its messages, and what was derived.
    if let Some(context) = &event.context {
        line.insert("context".into(), serde_json::from_str(context)?);
    }
    line.remove("writeKey");
    line.insert("profile_id".into(), id(profile));
    line.insert("person_id".into(), id(person));
    line.insert("timestamp".into(), event.timestamp.to_string().into());
    line.insert("originalTimestamp".into(), text(&event.original_timestamp));
    line.insert("sentAt".into(), text(&event.sent_at));
    line.insert("receivedAt".into(), event.received_at.to_string().into());
    Ok(line)
}
