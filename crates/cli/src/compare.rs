//! `braid compare`: an old tool's numbers beside Braid's own, through the running server or without one.
use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock};
use db::{DbError, jobs};
use exchange::compare::module::Module;
use serde_json::{Value, json};
use server::api::parallel_run::{NewComparison, spec_of};
use server::domain::{Domain, Start};
use server::moving::store::{self, Settings};
use server::moving::{compare, work};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Compares a file of an old tool with Braid's own numbers, day by day, and says why they differ. The comparison is kept with
/// the module's history.
///
/// Example: braid compare shop orders.csv --module orders --preset shopify-orders
#[derive(Debug, clap::Args)]
pub struct Compare {
    #[command(flatten)]
    shop: ShopArgs,
    /// The tool's export, or its totals by day: CSV or NDJSON; `.gz` too.
    file: PathBuf,
    /// What is compared: orders, receipts, refunds, revenue, customers, opt_ins, sends or segments.
    #[arg(long)]
    module: String,
    /// As the compared module is called; made when it is new. Without it as what is compared.
    #[arg(long)]
    name: Option<String>,
    /// The system whose export it is; found out without it.
    #[arg(long)]
    preset: Option<String>,
    /// The first day that the file is about, where its rows do not show it (YYYY-MM-DD).
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last one.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Counts what was imported as Braid's own too; for a new module, which keeps it so.
    #[arg(long)]
    imported: bool,
    /// Exits with 1 when the numbers are no go.
    #[arg(long)]
    check: bool,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(compare: &Compare, printer: &mut Printer) -> Outcome {
    let module = Module::parse(&compare.module).ok_or_else(|| {
        let known = Module::ALL.map(Module::as_str).join(", ");
        Stop::bad_input(anyhow!("{:?} cannot be compared", compare.module)).hint(format!("one of {known}"))
    })?;
    let shop = Shop::find(&compare.shop, Vec::new())?;
    let path = std::path::absolute(&compare.file).map_err(Stop::bad_input)?;
    if !path.is_file() {
        return Err(Stop::bad_input(anyhow!("there is no file {}", path.display())));
    }
    let name = compare.name.clone().unwrap_or_else(|| module.as_str().to_string());
    let result = match running_server(&shop)? {
        Some((url, token)) => through_server(&url, &token, compare, &name, &path)?,
        None => alone(&shop, compare, (module, &name), &path)?,
    };
    say(compare, &result, printer)
}

fn through_server(url: &str, token: &str, ask: &Compare, name: &str, path: &Path) -> Result<Value, Stop> {
    let mut client = Client::new(url, format!("Bearer {token}"))?;
    let list = client.must("GET", "/api/v1/parallel-run", None).map_err(Stop::failed)?;
    let known = list["items"].as_array().into_iter().flatten();
    let known = known.into_iter().find(|m| m["name"] == name && m["module"] == ask.module.as_str()).cloned();
    let module = match known {
        Some(module) => module,
        None => {
            let settings = Settings { live_only: !ask.imported, ..Settings::default() };
            let new = json!({"name": name, "module": ask.module, "settings": settings});
            client.must("POST", "/api/v1/parallel-run", Some(&new)).map_err(Stop::failed)?
        }
    };
    let id = module["id"].as_str().unwrap_or_default().to_string();
    let body = json!({"path": path, "preset": ask.preset, "from_day": ask.from, "to_day": ask.to}).to_string();
    let begun = client.send("POST", &format!("/api/v1/parallel-run/{id}/comparisons"), Some(&body));
    let begun = begun.map_err(Stop::failed)?;
    if begun.status != 201 {
        return Err(Stop::bad_input(anyhow!("{}", said(&begun.body))));
    }
    let path = format!("/api/v1/jobs/{}", begun.body["job_id"].as_str().unwrap_or_default());
    loop {
        let job = client.must("GET", &path, None).map_err(Stop::failed)?;
        match job["state"].as_str().unwrap_or_default() {
            "queued" | "running" => std::thread::sleep(Duration::from_millis(200)),
            "done" => return Ok(job["result"].clone()),
            state => {
                let why = job["reason"].as_str().unwrap_or_default();
                return Err(Stop::failed(anyhow!("the comparison is {state}: {why}")));
            }
        }
    }
}

fn alone(shop: &Shop, ask: &Compare, (module, name): (Module, &str), path: &Path) -> Result<Value, Stop> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let start = Start::new(&shop.config, shop.location()?, shop.sync, clock.clone(), "braid compare");
    let domain = Domain::open(start).map_err(Stop::failed)?;
    let outcome = one(&domain, ask, (module, name), path, &*clock);
    domain.close();
    outcome
}

fn one(
    domain: &Domain,
    ask: &Compare,
    (module, name): (Module, &str),
    path: &Path,
    clock: &dyn Clock,
) -> Result<Value, Stop> {
    let wanted = name.to_string();
    let settings = Settings { live_only: !ask.imported, ..Settings::default() };
    let row = domain.store().write(move |tx| {
        let known = store::list(tx.engine())?.into_iter().find(|m| m.name == wanted && m.module == module);
        match known {
            Some(row) => Ok(row),
            None => store::add(tx, &wanted, module, &settings, "braid compare"),
        }
    });
    let row = row.map_err(Stop::failed)?;
    let asked = NewComparison::local(path, ask.preset.clone(), (ask.from.clone(), ask.to.clone()));
    let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let spec = spec_of(domain.settings(), &row, (file, path.to_path_buf()), &asked, clock.now());
    let spec = spec.map_err(|p| Stop::bad_input(anyhow!("{}", p.detail)))?;
    let begun = domain.store().write(move |tx| {
        let id = compare::begin(tx, &spec, "braid compare")?;
        jobs::find(tx, id)?.ok_or_else(|| DbError::damaged("jobs", "a new row is gone"))
    });
    let job = begun.map_err(Stop::failed)?;
    if let Err(error) = work::one(domain, &job, clock, &AtomicBool::new(false)) {
        let (id, reason) = (job.id, error.to_string());
        let _ = domain.store().write(move |tx| jobs::fail(tx, id, &reason, false));
        return Err(Stop::failed(error));
    }
    let id = job.id;
    let job = domain.store().read(move |tx| jobs::find(tx, id)).map_err(Stop::failed)?;
    let result = job.map(|j| j.result).unwrap_or_default();
    serde_json::from_str(&result).context("the comparison was stopped").map_err(Stop::failed)
}

fn say(ask: &Compare, result: &Value, printer: &mut Printer) -> Outcome {
    let verdict = result["verdict"].as_str().unwrap_or_default();
    if ask.json {
        printer.json(result)?;
    } else {
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_string();
        let shown = match verdict {
            "go" => "go",
            "no_go" => "no go",
            _ => "nothing to compare",
        };
        printer.line(format!("{} to {}: {shown}; {}", text("from_day"), text("to_day"), text("why")))?;
        for (cause, count) in result["figures"]["causes"].as_object().into_iter().flatten() {
            printer.line(format!("  {count} {}", cause.replace('_', " ")))?;
        }
        for difference in result["first"].as_array().into_iter().flatten().take(20) {
            let part = |name: &str| difference[name].as_str().unwrap_or_default();
            printer.line(format!("  {} {}: {}", part("day"), part("key"), part("why")))?;
        }
        let all = result["differences"].as_u64().unwrap_or(0);
        if all > 20 {
            printer.note(format!("{} more; the page of the parallel run lists them", all - 20));
        }
    }
    if ask.check && verdict != "go" {
        return Err(Stop::failed(anyhow!("the numbers are no go")));
    }
    Ok(())
}
