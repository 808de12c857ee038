//! `braid source`: which place sends which piece of each order, over plain files.
mod place;
#[cfg(test)]
mod tests;

use crate::printer::Printer;
use crate::resolve::Bar;
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use orders::sourcing::file::{FileError, NetworkFile, OrdersFile, PlanFile};
use orders::sourcing::{Batch, Effort, Network, Order, Wishes, plan, value};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Says which place sends which piece of each order, by which carrier, and why.
///
/// Reads a network and orders (docs/formats/network.schema.json, orders.schema.json) and writes a plan (plan.schema.json):
/// most pieces first, then the least sum of shipping, handling, split parcels and lateness, within stock and capacity.
///
/// Example: braid source network.json orders.json --out plan.json
#[derive(Debug, clap::Args)]
pub struct Source {
    /// Places, stock and lanes, as JSON; `.gz` too, `-` for stdin.
    network: PathBuf,
    /// What is ordered, as JSON; `.gz` too, `-` for stdin.
    orders: PathBuf,
    /// Writes the plan here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes parameters and figures here, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Taken for the sake of other engines: nothing here is drawn, so it decides nothing.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads to work on; without it all processors. The result does not depend on it.
    #[arg(long)]
    threads: Option<usize>,
}

/// Runs it.
pub fn run(command: &Source, printer: &mut Printer) -> Outcome {
    let started = Instant::now();
    if command.network == Path::new("-") && command.orders == Path::new("-") {
        return Err(Stop::bad_input(anyhow!("only one of the two files can be stdin")));
    }
    let bar = Bar::new(printer);
    let (network, orders) =
        files(&read(&command.network)?, &read(&command.orders)?, &command.network, &command.orders)?;
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = command.threads.unwrap_or_else(processors).max(1);
    let effort = Effort { threads, ..Effort::default() };
    let batch = plan(&network, &orders, &Wishes::default(), &effort, &|what, done, all| bar.say(what, done, all));
    bar.end();
    let file = PlanFile::new(&network, &orders, &batch.plans);
    let mut text = serde_json::to_vec_pretty(&file).map_err(Stop::failed)?;
    text.push(b'\n');
    match &command.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => printer.out().write_all(&text)?,
    }
    if let Some(path) = &command.report {
        let figures = report(command, threads, &network, &orders, &batch, started.elapsed());
        std::fs::write(path, format!("{figures}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Stop> {
    let mut bytes = Vec::new();
    let read = crate::segment::open(path)?.read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {}", path.display())).map_err(Stop::bad_input)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..good];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        Stop::bad_input(anyhow!("{}: line {line}: this is not UTF-8", path.display()))
    })
}

/// Both files as what the engine takes; mistakes with file, line and column.
fn files(network: &str, orders: &str, network_at: &Path, orders_at: &Path) -> Result<(Network, Vec<Order>), Stop> {
    let shape = |path: &Path, e: serde_json::Error| {
        let (line, column) = (e.line(), e.column());
        let text = e.to_string();
        let text = text.split(" at line ").next().unwrap_or_default().to_string();
        Stop::bad_input(anyhow!("{}: line {line}, column {column}: {text}", path.display()))
    };
    let content = |path: &Path, text: &str, e: FileError| {
        let (line, column) = place::of(text, &e.pointer);
        Stop::bad_input(anyhow!("{}: line {line}, column {column}: {e}", path.display()))
    };
    let (network, orders) = (strip(network), strip(orders));
    let file: NetworkFile = serde_json::from_str(network).map_err(|e| shape(network_at, e))?;
    let known = file.network().map_err(|e| content(network_at, network, e))?;
    let file: OrdersFile = serde_json::from_str(orders).map_err(|e| shape(orders_at, e))?;
    let orders = file.orders(&known).map_err(|e| content(orders_at, orders, e))?;
    Ok((known, orders))
}

/// Without the mark that some programs put before UTF-8.
fn strip(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn report(
    command: &Source,
    threads: usize,
    network: &Network,
    orders: &[Order],
    batch: &Batch,
    took: Duration,
) -> Value {
    let each = orders.iter().zip(&batch.plans).map(|(order, plan)| value(order, plan));
    let have = each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let sum = |of: fn(&orders::sourcing::OrderPlan) -> i64| batch.plans.iter().map(of).sum::<i64>();
    let parcels = |plan: &orders::sourcing::OrderPlan| {
        let mut lanes: Vec<usize> = plan.assignments.iter().map(|a| a.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes.len()
    };
    let co2 = |(order, plan): (&Order, &orders::sourcing::OrderPlan)| -> i64 {
        let mut lanes: Vec<usize> = plan.assignments.iter().map(|a| a.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes.into_iter().map(|lane| network.lanes(&order.zone)[lane].co2_g).sum()
    };
    json!({
        "parameters": {"network": command.network, "orders": command.orders, "threads": threads, "seed": command.seed},
        "metrics": {
            "orders": orders.len(), "lines": orders.iter().map(|o| o.lines.len()).sum::<usize>(), "locations": network.locations.len(),
            "units": sum(|p| p.units), "units_parked": have.0, "lines_parked": batch.plans.iter().map(|p| p.parked.len()).sum::<usize>(),
            "parcels": batch.plans.iter().map(parcels).sum::<usize>(),
            "co2_g": orders.iter().zip(&batch.plans).map(co2).sum::<i64>(),
            "cost_minor": sum(|p| p.cost.total()), "ship": sum(|p| p.cost.ship), "handle": sum(|p| p.cost.handle),
            "split": sum(|p| p.cost.split), "late": sum(|p| p.cost.late),
            "proven_optimal": batch.proven, "orders_behind": batch.behind,
            "bound": {"units_parked": batch.bound.0, "cost_minor": batch.bound.1 / 1_000},
            "seconds": took.as_secs_f64(),
        },
    })
}
