//! `braid export customers|orders|…`: typed files, by a job of the running server, or of this program when no server runs.
use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock, Timestamp};
use db::jobs::{self, Job};
use exchange::write::Format;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use server::access::Role;
use server::caller::{Caller, LOCAL};
use server::domain::{Domain, Start};
use server::exports::drive::{self, Ended};
use server::exports::kinds::{Chosen, Computed, Kind};
use server::exports::spec::{self, Filter, Spec, Wish};
use server::exports::{self, JOB, store, sweep};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What to take out, and where to.
#[derive(Debug, clap::Args)]
pub struct Taking {
    #[command(flatten)]
    shop: ShopArgs,
    /// csv, ndjson, parquet or xlsx. An export of everything is a zip of such files.
    #[arg(long, default_value = "csv")]
    format: String,
    /// Writes here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Prints one line of JSON about the file.
    #[arg(long, requires = "out")]
    json: bool,
}

/// Which rows and columns.
#[derive(Debug, Default, clap::Args)]
pub struct Which {
    /// Only people of this segment, by number.
    #[arg(long, value_name = "ID")]
    segment: Option<i64>,
    /// Events at or after, customers seen last at or after (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The same, before.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only these columns, comma-separated; docs/formats/exports.md lists all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Traits of customers with columns of their own, comma-separated.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    traits: Vec<String>,
    /// Computed traits of customers with columns of their own, comma-separated.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    computed: Vec<String>,
    /// Masks phones and e-mails.
    #[arg(long)]
    masked: bool,
}

/// A file, or else whatever prints.
type To<'a> = (Option<&'a Path>, &'a mut Printer);

/// Takes a kind out.
pub fn run(kind: Kind, taking: &Taking, printer: &mut Printer) -> Outcome {
    let shop = Shop::find(&taking.shop, Vec::new())?;
    take(&shop, kind, &taking.format, &taking.which, (taking.out.as_deref(), taking.json), printer)
}

/// Takes a kind out of a shop that was found.
pub fn take(
    shop: &Shop,
    kind: Kind,
    format: &str,
    which: &Which,
    (out, json): (Option<&Path>, bool),
    printer: &mut Printer,
) -> Outcome {
    let wish = wish(kind, format, which)?;
    let bar = super::super::import::progress(printer, 0, "exporting");
    let made = match running_server(shop)? {
        Some((url, token)) => through_server(&url, &token, shop, &wish, (out, &mut *printer), &bar),
        None => alone(shop, &wish, (out, &mut *printer), &bar),
    };
    bar.finish_and_clear();
    let made = made?;
    let Some(out) = out else { return Ok(()) };
    if json {
        return printer.json(&made);
    }
    printer.line(format!(
        "{}: {} rows, {} bytes, sha256 {}, mark {}",
        out.display(),
        made["rows"],
        made["bytes"],
        made["sha256"].as_str().unwrap_or_default(),
        made["mark"].as_str().unwrap_or_default()
    ))
}

fn wish(kind: Kind, format: &str, which: &Which) -> Result<Wish, Stop> {
    let format = Format::parse(format)
        .ok_or_else(|| Stop::bad_input(anyhow!("--format {format:?}: csv, ndjson, parquet or xlsx")))?;
    let time = |flag: &str, text: &Option<String>| -> Result<Option<Timestamp>, Stop> {
        let parse = |t: &String| Timestamp::parse(t).map_err(|e| Stop::bad_input(anyhow!("{flag} {t:?}: {e}")));
        text.as_ref().map(parse).transpose()
    };
    let filter = Filter {
        segment_id: which.segment,
        since: time("--since", &which.since)?,
        until: time("--until", &which.until)?,
    };
    let computed = which.computed.iter().cloned().map(Computed::named).collect();
    let chosen = Chosen { columns: which.columns.clone(), traits: which.traits.clone(), computed, preset: None };
    let wish = Wish { kind, format, filter, chosen, contacts: !which.masked };
    wish.check().map_err(|p| Stop::bad_input(anyhow!("{}", p.detail)))?;
    Ok(wish)
}

fn through_server(
    url: &str,
    token: &str,
    shop: &Shop,
    wish: &Wish,
    to: To<'_>,
    bar: &ProgressBar,
) -> Result<Value, Stop> {
    let mut client = Client::new(url, format!("Bearer {token}"))?;
    let filter = json!({"segment_id": wish.filter.segment_id.map(|id| id.to_string()), "since": wish.filter.since,
        "until": wish.filter.until});
    let body = json!({"kind": wish.kind, "format": wish.format.as_str(), "filter": filter, "columns": wish.chosen.columns,
        "traits": wish.chosen.traits, "contacts": wish.contacts,
        "computed": wish.chosen.computed.iter().map(|c| c.name.as_str()).collect::<Vec<_>>()});
    let begun = client.send("POST", "/api/v1/exports", Some(&body.to_string())).map_err(Stop::failed)?;
    if begun.status != 201 {
        return Err(Stop::bad_input(anyhow!("{}", said(&begun.body))));
    }
    let path = format!("/api/v1/exports/{}", begun.body["id"].as_str().unwrap_or_default());
    loop {
        let export = client.must("GET", &path, None).map_err(Stop::failed)?;
        bar.set_position(export["rows"].as_u64().unwrap_or(0));
        match export["state"].as_str().unwrap_or_default() {
            "queued" | "running" => std::thread::sleep(Duration::from_millis(100)),
            "ready" => {
                let end = if wish.kind == Kind::Everything { "zip" } else { wish.format.as_str() };
                let file = format!("{}.{end}", export["id"].as_str().unwrap_or_default());
                let moved = hand_out(&exports::folder(&shop.folder).join(file), to);
                client.must("DELETE", &path, None).map_err(Stop::failed)?;
                moved?;
                return Ok(summary(&export));
            }
            state => {
                let why = export["reason"].as_str().unwrap_or_default();
                return Err(Stop::failed(anyhow!("the export is {state}: {why}")));
            }
        }
    }
}

fn summary(export: &Value) -> Value {
    json!({"export_id": export["id"], "kind": export["kind"], "format": export["format"], "rows": export["rows"],
        "bytes": export["bytes"], "sha256": export["sha256"], "mark": export["mark"]})
}

/// Gives a finished file to whoever asked: under its name there is only ever a whole one.
fn hand_out(file: &Path, (out, printer): To<'_>) -> Outcome {
    match out {
        Some(out) => {
            let mut part = out.as_os_str().to_owned();
            part.push(".part");
            let part = PathBuf::from(part);
            let failed = || format!("cannot write {}", out.display());
            std::fs::copy(file, &part).with_context(failed).map_err(Stop::failed)?;
            std::fs::rename(&part, out).with_context(failed).map_err(Stop::failed)
        }
        None => {
            let mut input = std::fs::File::open(file)?;
            std::io::copy(&mut input, printer.out())?;
            Ok(())
        }
    }
}

/// The same export, if this machine began it and did not come to its end.
fn begun_before(tx: &mut db::Tx, wish: &Wish) -> Result<Option<Job>, db::DbError> {
    let open: Vec<i64> = jobs::open(tx)?.iter().filter(|w| w.kind == JOB).map(|w| w.id).collect();
    for id in open {
        let Some(job) = jobs::find(tx, id)?.filter(|j| j.actor == LOCAL) else { continue };
        let same = serde_json::from_str::<Spec>(&job.payload).is_ok_and(|s| {
            s.kind == wish.kind
                && s.format == wish.format
                && s.filter == wish.filter
                && s.chosen.asked() == wish.chosen
                && s.contacts == wish.contacts
        });
        if same {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

fn alone(shop: &Shop, wish: &Wish, to: To<'_>, bar: &ProgressBar) -> Result<Value, Stop> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let start = Start::new(&shop.config, shop.location()?, shop.sync, clock.clone(), "braid export");
    let domain = Domain::open(start).map_err(Stop::failed)?;
    let outcome = alone_in(&domain, shop, wish, to, &*clock, bar);
    domain.close();
    outcome
}

fn alone_in(
    domain: &Domain,
    shop: &Shop,
    wish: &Wish,
    to: To<'_>,
    clock: &dyn Clock,
    bar: &ProgressBar,
) -> Result<Value, Stop> {
    let asked = wish.clone();
    let rows = domain.store().query(move |db| spec::estimate(db, asked.kind, &asked.filter, &asked.chosen));
    let rows = rows.map_err(Stop::failed)?;
    let asked = wish.clone();
    let begun = domain.store().write(move |tx| {
        if let Some(job) = begun_before(tx, &asked)? {
            return Ok(Ok(job.id));
        }
        let (caller, policy) = (Caller::of_role(LOCAL, Role::Owner), server::policy::Policy::load(tx.engine())?);
        match spec::begin(tx, (&caller, &policy), &asked, rows, None) {
            Ok(export) => Ok::<_, db::DbError>(Ok(export.job_id)),
            Err(problem) => Ok(Err(problem.detail)),
        }
    });
    let job = begun.map_err(Stop::failed)?.map_err(|why| Stop::bad_input(anyhow!("{why}")))?;
    let gone = || Stop::failed(anyhow!("the export's job is gone"));
    let found = domain.store().read(move |tx| jobs::find(tx, job)).map_err(Stop::failed)?.ok_or_else(gone)?;
    let mut told = |rows: u64| bar.set_position(rows);
    match drive::drive(domain, &shop.folder, &found, clock, &AtomicBool::new(false), &mut told) {
        Ok(Ended::Done) => {}
        Ok(Ended::Stopped | Ended::Interrupted) => return Err(Stop::failed(anyhow!("the export was stopped"))),
        Err(error) => {
            drive::fail(domain, job, &error);
            return Err(Stop::failed(error));
        }
    }
    let id = found.subject;
    let export = domain.store().read(move |tx| store::find(tx, id)).map_err(Stop::failed)?.ok_or_else(gone)?;
    let moved = hand_out(&exports::folder(&shop.folder).join(&export.file), to);
    domain.store().write(move |tx| store::end(tx, id, "deleted")).map_err(Stop::failed)?;
    sweep::remove(&shop.folder, &export);
    moved?;
    Ok(json!({"export_id": id.to_string(), "kind": export.kind, "format": export.format.as_str(), "rows": export.rows,
        "bytes": export.bytes, "sha256": export.sha256, "mark": export.mark}))
}
