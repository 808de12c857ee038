//! Any file: as a job of the running server, or of this program when no server runs.
use super::Import;
use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock, Timestamp};
use db::jobs;
use exchange::mapping::Mapping;
use exchange::rows::Layout;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::api::imports::{Look, look, written};
use server::domain::{Domain, Start};
use server::imports::drive::{self, Ended};
use server::imports::spec::{self, KIND, Spec};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How a file is read, as `--show-mapping` prints it and `--mapping` takes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    layout: Layout,
    mapping: Mapping,
}

/// Runs it.
pub fn run(import: &Import, printer: &mut Printer) -> Outcome {
    let started = Instant::now();
    let shop = Shop::find(&import.shop, Vec::new())?;
    let settings = server::domain::settings(&shop.config);
    let path = std::path::absolute(&import.file).map_err(Stop::bad_input)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let reading = match &import.mapping {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
            let text = text.map_err(Stop::bad_input)?;
            serde_json::from_str(&text).map_err(|e| Stop::bad_input(anyhow!("{}: {e}", file.display())))?
        }
        None => {
            let ask = Look::of(import.kind.clone(), import.preset.clone());
            let looked = look(&settings, &name, &path, &ask).map_err(|p| Stop::bad_input(anyhow!("{}", p.detail)))?;
            let (layout, mapping) = looked.into_parts();
            Reading { layout, mapping }
        }
    };
    if import.show_mapping {
        return printer.json(&serde_json::to_value(&reading).map_err(Stop::failed)?);
    }
    let spec = spec_of(import, path, name, reading)?;
    spec.plan().map_err(|p| {
        Stop::bad_input(anyhow!("{}", p.detail)).hint("--show-mapping > m.json, change it, and pass --mapping m.json")
    })?;
    let job = match running_server(&shop)? {
        Some((url, token)) => through_server(&url, &token, import, &spec, printer)?,
        None => alone(&shop, import, &spec, printer)?,
    };
    let report = drive::report_path(&shop.folder, job["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0));
    if let Some(to) = import.report.as_ref().filter(|_| !import.dry_run) {
        std::fs::copy(&report, to).with_context(|| format!("cannot write {}", to.display())).map_err(Stop::failed)?;
    }
    say(import, &job, started.elapsed(), printer)
}

fn spec_of(import: &Import, path: PathBuf, name: String, reading: Reading) -> Result<Spec, Stop> {
    let found = spec::fingerprint(&path).map_err(|e| Stop::bad_input(anyhow!("{}: {e}", path.display())))?;
    let now = SystemClock.now();
    let file_time = match &import.file_time {
        Some(text) => Timestamp::parse(text).map_err(|e| Stop::bad_input(anyhow!("--file-time {text:?}: {e}")))?,
        None => written(&path).unwrap_or(now).min(now),
    };
    let own = import.preset.clone().unwrap_or_else(|| name.trim_end_matches(".gz").to_string());
    Ok(Spec {
        path,
        name,
        sha256: found.sha256,
        lines: found.lines,
        layout: reading.layout,
        mapping: reading.mapping,
        source: import.source.clone().unwrap_or(own),
        file_time,
        dry_run: import.dry_run,
    })
}

fn through_server(url: &str, token: &str, import: &Import, spec: &Spec, printer: &mut Printer) -> Result<Value, Stop> {
    let mut client = Client::new(url, format!("Bearer {token}"))?;
    let body = json!({"path": spec.path, "layout": spec.layout, "mapping": spec.mapping, "source": spec.source,
        "file_time": spec.file_time, "dry_run": spec.dry_run, "without_opt_outs": import.without_opt_outs});
    let begun = client.send("POST", "/api/v1/imports", Some(&body.to_string())).map_err(Stop::failed)?;
    if begun.status != 201 {
        return Err(Stop::bad_input(anyhow!("{}", said(&begun.body))));
    }
    let path = format!("/api/v1/jobs/{}", begun.body["job_id"].as_str().unwrap_or_default());
    let bar = super::progress(printer, spec.lines, "importing");
    loop {
        let job = client.must("GET", &path, None).map_err(Stop::failed)?;
        bar.set_position(job["position"].as_u64().unwrap_or(0));
        match job["state"].as_str().unwrap_or_default() {
            "queued" | "running" => std::thread::sleep(Duration::from_millis(200)),
            "done" => {
                bar.finish_and_clear();
                return Ok(job);
            }
            state => {
                let why = job["reason"].as_str().unwrap_or_default();
                let stop = Stop::failed(anyhow!("the import is {state}: {why}"));
                return Err(stop.hint("the same command again goes on where this one stopped"));
            }
        }
    }
}

fn alone(shop: &Shop, import: &Import, spec: &Spec, printer: &mut Printer) -> Result<Value, Stop> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let start = Start::new(&shop.config, shop.location()?, shop.sync, clock.clone(), "braid import");
    let domain = Domain::open(start).map_err(Stop::failed)?;
    let (asked, without) = (spec.clone(), import.without_opt_outs);
    let begun = domain.store().write(move |tx| match spec::begin(tx, &asked, without, "braid import") {
        Ok(id) => Ok(Ok(id)),
        Err(problem) => Ok::<_, db::DbError>(Err(problem.detail)),
    });
    let id = begun.map_err(Stop::failed)?.map_err(|why| Stop::bad_input(anyhow!("{why}")))?;
    let bar = super::progress(printer, spec.lines, "importing");
    let outcome = drive_one(&domain, shop, id, &*clock, &bar);
    bar.finish_and_clear();
    let job = domain.store().read(move |tx| jobs::find(tx, id)).map_err(Stop::failed)?;
    domain.close();
    match outcome? {
        Ended::Done(_) => {}
        Ended::Stopped | Ended::Interrupted => return Err(Stop::failed(anyhow!("the import was stopped"))),
    }
    let job = job.ok_or_else(|| Stop::failed(anyhow!("the import's job is gone")))?;
    let result: Value = serde_json::from_str(&job.result).map_err(Stop::failed)?;
    Ok(json!({"id": id.to_string(), "kind": KIND, "result": result}))
}

fn drive_one(domain: &Domain, shop: &Shop, id: i64, clock: &dyn Clock, bar: &ProgressBar) -> Result<Ended, Stop> {
    let hint = |stop: Stop| stop.hint("the same command again goes on where this one stopped");
    let job = domain.store().read(move |tx| jobs::find(tx, id)).map_err(Stop::failed)?;
    let job = job.ok_or_else(|| Stop::failed(anyhow!("the import's job is gone")))?;
    let mut told = |done: u64, _: u64| bar.set_position(done);
    let ended = drive::drive(domain, &shop.folder, &job, clock, &AtomicBool::new(false), &mut told);
    ended.map_err(|error| {
        let reason = error.to_string();
        let _ = domain.store().write(move |tx| jobs::fail(tx, id, &reason, true));
        hint(Stop::failed(error))
    })
}

fn say(import: &Import, job: &Value, took: Duration, printer: &mut Printer) -> Outcome {
    let tally = &job["result"]["tally"];
    let number = |name: &str| tally[name].as_u64().unwrap_or(0);
    let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
    if import.json {
        let mut line = json!({"job_id": job["id"], "rows": number("rows"), "events": number("events"), "duplicates": number("duplicates"),
            "rejected_rows": number("rejected_rows"), "dropped_values": number("dropped_values"), "seconds": seconds});
        if import.dry_run {
            line["quality"] = job["result"]["quality"].clone();
        }
        return printer.json(&line);
    }
    let verb = if import.dry_run { "would bring" } else { "brought" };
    printer.line(format!(
        "{} rows {verb} {} events ({} were there); {} rows were not taken, {} values left out, {seconds} s",
        number("rows"),
        number("events"),
        number("duplicates"),
        number("rejected_rows"),
        number("dropped_values")
    ))?;
    if import.report.is_none() && !import.dry_run && number("rejected_rows") + number("dropped_values") > 0 {
        printer.note("--report FILE says which, and why");
    }
    Ok(())
}
