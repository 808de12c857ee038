//! Files of products: as a job of the running server, or of this program when no server runs.
use super::Import;
use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use base::SystemClock;
use db::jobs;
use exchange::goods::Layout;
use serde_json::{Value, json};
use server::domain::{Domain, Start};
use server::goods::files::{KIND, Spec, drive, look};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The layout that a preset names, if it is one of products.
pub fn layout(preset: Option<&str>) -> Option<Layout> {
    match preset? {
        "braid-products" => Some(Layout::Braid),
        "shopify-products" => Some(Layout::ShopifyProducts),
        "woocommerce-products" => Some(Layout::WoocommerceProducts),
        _ => None,
    }
}

/// Runs it.
pub fn run(import: &Import, layout: Layout, printer: &mut Printer) -> Outcome {
    let started = Instant::now();
    if import.dry_run {
        let stop = Stop::bad_input(anyhow!("a file of products is not tried dry yet"));
        return Err(stop.hint("import it into a copy of the shop: braid backup, braid restore"));
    }
    let shop = Shop::find(&import.shop, Vec::new())?;
    let path = std::path::absolute(&import.file).map_err(Stop::bad_input)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let spec = look(&path, &name, Some(layout), &shop.config.currency).map_err(|e| Stop::bad_input(anyhow!("{e}")))?;
    let tally = match running_server(&shop)? {
        Some((url, token)) => through_server(&url, &token, &path, &spec)?,
        None => alone(&shop, &spec)?,
    };
    let number = |name: &str| tally[name].as_u64().unwrap_or(0);
    let seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    if import.json {
        return printer
            .json(&json!({"rows": number("rows"), "products": number("products"), "created": number("created"),
            "changed": number("changed"), "rejected": number("rejected"), "seconds": seconds}));
    }
    printer.line(format!(
        "{} rows brought {} new products and changed {}; {} were not taken, {seconds} s",
        number("rows"),
        number("created"),
        number("changed"),
        number("rejected")
    ))
}

fn through_server(url: &str, token: &str, path: &std::path::Path, spec: &Spec) -> Result<Value, Stop> {
    let mut client = Client::new(url, format!("Bearer {token}"))?;
    let body = json!({"path": path, "preset": spec.preset.as_str(), "currency": spec.currency});
    let begun = client.send("POST", "/api/v1/catalog/imports", Some(&body.to_string())).map_err(Stop::failed)?;
    if begun.status != 201 {
        return Err(Stop::bad_input(anyhow!("{}", said(&begun.body))));
    }
    let path = format!("/api/v1/jobs/{}", begun.body["job_id"].as_str().unwrap_or_default());
    loop {
        let job = client.must("GET", &path, None).map_err(Stop::failed)?;
        match job["state"].as_str().unwrap_or_default() {
            "queued" | "running" => std::thread::sleep(Duration::from_millis(200)),
            "done" => return Ok(job["result"]["tally"].clone()),
            state => {
                let why = job["reason"].as_str().unwrap_or_default();
                return Err(
                    Stop::failed(anyhow!("the import is {state}: {why}")).hint("the page of jobs lets it go on")
                );
            }
        }
    }
}

fn alone(shop: &Shop, spec: &Spec) -> Result<Value, Stop> {
    let start = Start::new(&shop.config, shop.location()?, shop.sync, Arc::new(SystemClock), "braid import");
    let domain = Domain::open(start).map_err(Stop::failed)?;
    let payload = serde_json::to_string(spec).map_err(Stop::failed)?;
    let job = domain.store().write(move |tx| {
        let id = jobs::add(tx, &jobs::New { actor: "braid import", ..jobs::New::of(KIND, &payload) })?;
        jobs::find(tx, id)
    });
    let job = job.map_err(Stop::failed)?.ok_or_else(|| Stop::failed(anyhow!("the import's job is gone")))?;
    let tally = drive(&domain, &shop.folder, &job, &AtomicBool::new(false));
    domain.close();
    let tally = tally.map_err(Stop::failed)?.ok_or_else(|| Stop::failed(anyhow!("the import was stopped")))?;
    serde_json::to_value(tally).map_err(Stop::failed)
}
