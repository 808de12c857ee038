//! `braid demo retail`: the newest of real invoices, lived again as orders up to this moment.
use super::retail::plan::plan;
use super::retail::replay::{STATE, replay, state};
use super::retail::{Invoice, Line};
use crate::import::online_retail_ii::Invoice as Read;
use crate::import::{progress, read};
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server, unreadable};
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use base::{Clock, Decimal, ManualClock, SystemClock};
use db::writer::Options;
use pipeline::{Core, Open};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Makes a retailer of real invoices: catalogue, shops, stock, prices, and orders up to now.
#[derive(Debug, clap::Args)]
pub struct Retail {
    #[command(flatten)]
    shop: ShopArgs,
    /// A file as examples/online_retail_ii/year_2009_2010.csv.gz.
    file: PathBuf,
    /// How many invoices, the newest of the file.
    #[arg(long, default_value_t = 600)]
    orders: usize,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// An invoice as the retailer's plan takes it.
fn invoice(read: &Read) -> Option<Invoice> {
    let line = |l: &crate::import::online_retail_ii::Line| Line {
        code: l.stock_code.clone(),
        name: l.description.clone(),
        units: l.quantity.abs(),
        unit_minor: Decimal::parse(&l.price).and_then(|price| price.to_minor(2)).unwrap_or(0),
    };
    Some(Invoice {
        number: read.number.clone(),
        customer: read.customer_id.clone(),
        at: read.lines.iter().map(|l| l.at).min()?,
        back: read.is_refund(),
        lines: read.lines.iter().map(line).collect(),
    })
}

/// Runs it.
pub fn run(retail: &Retail, printer: &mut Printer) -> Outcome {
    let started = Instant::now();
    let shop = Shop::find(&retail.shop, Vec::new())?;
    if running_server(&shop)?.is_some() {
        let stop = Stop::bad_input(anyhow!("a server runs for {}", shop.folder.display()));
        return Err(stop.hint("stop it: orders of the past are lived with a clock of their own"));
    }
    let name = retail.file.display().to_string();
    let contents = read::read(crate::segment::open(&retail.file)?, &name, SystemClock.now(), |_| {})?;
    let invoices: Vec<Invoice> = contents.invoices.iter().filter_map(invoice).collect();
    // The store's tables are made first, so that it can be asked whether this was begun before.
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let begun = {
        let core = open(&shop, Arc::new(SystemClock))?;
        let text = core.store.read(|tx| db::settings::get(tx.engine(), STATE));
        core.store.close();
        text.map_err(Stop::failed)?.map(|text| state(&text)).transpose().map_err(Stop::failed)?
    };
    let now = begun.map_or_else(|| SystemClock.now(), |begun| begun.now);
    let plan = plan(&invoices, retail.orders, now);
    if let Some(begun) = begun.filter(|begun| begun.of != plan.steps.len()) {
        let stop = Stop::bad_input(anyhow!("{} of {} other steps were done here before", begun.done, begun.of));
        return Err(stop.hint("use the same file and the same --orders as before"));
    }
    let core = open(&shop, clock.clone())?;
    let bar = progress(printer, plan.steps.len() as u64, "steps of orders");
    let tally = replay(&core, &clock, (&plan, now), &mut |at| {
        bar.set_position(at as u64);
        true
    });
    bar.finish_and_clear();
    core.store.close();
    let again = "the same command again goes on where this one stopped";
    let tally = tally.map_err(|e| Stop::failed(e).hint(again))?;
    let seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    if retail.json {
        return printer.json(&json!({
            "products": plan.goods.len(), "done": tally.done, "refused": tally.refused, "stopped": tally.stopped,
            "left_out_lines": plan.left_out, "seconds": seconds,
        }));
    }
    printer.line(format!("{} articles in {} places:", plan.goods.len(), super::retail::plan::PLACES.len()))?;
    for (what, times) in &tally.done {
        printer.line(format!("  {times} {what}"))?;
    }
    for (why, times) in &tally.refused {
        printer.note(format!("{times} steps were refused: {why}"));
    }
    printer.line(format!("{seconds} s"))
}

fn open(shop: &Shop, clock: Arc<dyn Clock>) -> Result<Core, Stop> {
    let opened = Core::open(Open {
        location: shop.location()?,
        sync: shop.sync,
        options: Options::default(),
        clock,
        holder: "braid demo retail".into(),
        take_over: false,
        settings: server::domain::settings(&shop.config),
        jobs: Vec::new(),
        sweeps: Vec::new(),
        migrations: Vec::new(),
        observer: None,
        readers: 1,
    });
    opened.map_err(|e| unreadable(&shop.folder, e))
}
