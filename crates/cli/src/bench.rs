//! `braid bench`: what Braid does against a baseline of the same machine, in one run (CONTRACTS 8).
mod catalog;
mod customers;
mod dedup;
mod echo;
pub mod generator;
mod http;
mod ingest;
mod orders;
mod price;
mod source;
mod timeline;

use anyhow::Context;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Measures Braid against a baseline on this machine.
#[derive(Debug, clap::Subcommand)]
pub enum Bench {
    /// Events through the tracking API against a durable echo.
    ///
    /// Example: braid bench ingest --json
    Ingest(ingest::Options),
    /// A large base: memory, disk, start, look-ups by identifier, and ingest against ten thousand customers.
    ///
    /// Example: braid bench customers --customers 2000000 --json
    Customers(customers::Options),
    /// Repeats among the ids of a month: memory, start, look-ups.
    ///
    /// Example: braid bench dedup --ids 600000000 --json
    Dedup(dedup::Options),
    /// Pages of one customer's long history, against reading the whole of its index.
    ///
    /// Example: braid bench timeline --json
    Timeline(timeline::Options),
    /// Claims on goods that everybody wants, against what the database does at best and against the usual way.
    ///
    /// Example: braid bench orders --json
    Orders(orders::Options),
    /// Sourcing: one order of ten lines over 300 places, and a batch of 10,000 orders.
    ///
    /// Example: braid bench source --json
    Source(source::Options),
    /// A basket of three lines, with 10,000 price entries and 200 promotions in force.
    ///
    /// Example: braid bench price --json
    Price(price::Options),
    /// A catalogue: a file of products in, searches, a changed SKU on its way to a feed.
    ///
    /// Example: braid bench catalog --skus 300000 --json
    Catalog(catalog::Options),
    /// The asking part of `dedup`, alone.
    #[command(hide = true)]
    DedupMeasure(dedup::Options),
    /// The load of `ingest`, alone.
    #[command(hide = true)]
    Generate(Generate),
    /// The baseline of `ingest`, alone: prints its address and serves until it is ended.
    #[command(hide = true)]
    EchoServer {
        /// `sqlite:FILE` or `postgres://…`.
        url: String,
        #[arg(long)]
        unsafe_fast: bool,
    },
}

/// What the load is made of.
#[derive(Debug, clap::Args)]
pub struct Generate {
    #[arg(long)]
    address: String,
    #[arg(long)]
    authorization: String,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    #[arg(long, default_value_t = 100)]
    batch: usize,
    #[arg(long, default_value_t = 100_000)]
    profiles: u64,
    #[arg(long, value_enum, default_value = "80/20")]
    skew: generator::Skew,
    #[arg(long, default_value_t = 0)]
    first: u64,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long)]
    rate: Option<f64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs one of them; what is data goes to `out`.
pub fn run(bench: &Bench, out: &mut dyn Write) -> anyhow::Result<()> {
    match bench {
        Bench::Ingest(options) => {
            let report = ingest::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
                return Ok(());
            }
            writeln!(
                out,
                "{} ({} sync), {} profiles, {} segments",
                report.engine, report.sync, report.profiles, report.segments
            )?;
            writeln!(
                out,
                "  {:>10.0} events/s   baseline {:>10.0}   ratio {:.2}",
                report.events_per_s, report.baseline_events_per_s, report.ratio
            )?;
            writeln!(
                out,
                "  {:>10.1} CPU-s per million events   baseline {:.1}",
                report.cpu_s_per_million_events, report.baseline_cpu_s_per_million_events
            )?;
            writeln!(
                out,
                "  p50 {:.1} ms, p99 {:.1} ms, {:.0} events a group",
                report.p50_ms, report.p99_ms, report.group_events_median
            )?;
            writeln!(
                out,
                "  {} errors, {:.0} MiB resident, doctor {}",
                report.errors,
                report.rss_mib,
                if report.doctor_clean { "clean" } else { "finds something" }
            )?;
            Ok(())
        }
        Bench::Orders(options) => {
            let report = orders::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
            } else {
                writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
            Ok(())
        }
        Bench::Customers(options) => {
            let report = customers::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
            } else {
                writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
            Ok(())
        }
        Bench::Source(options) => {
            let report = source::run(options);
            let text =
                if options.json { serde_json::to_string(&report)? } else { serde_json::to_string_pretty(&report)? };
            writeln!(out, "{text}")?;
            Ok(())
        }
        Bench::Catalog(options) => {
            let report = catalog::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
            } else {
                writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
            Ok(())
        }
        Bench::Timeline(options) => {
            let report = timeline::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
            } else {
                writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
            Ok(())
        }
        Bench::Price(options) => {
            let report = price::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
            } else {
                writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
            Ok(())
        }
        Bench::Dedup(options) => {
            let report = dedup::run(options)?;
            if options.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
                return Ok(());
            }
            writeln!(
                out,
                "{} ids in {} runs ({}): start {:.0} ms, {:.0} MiB of filters after {:.0} ms, {:.0} MiB resident ({:.0} at most)",
                report.ids,
                report.runs,
                report.engine,
                report.start_ms,
                report.filter_mib,
                report.filters_ms,
                report.rss_mib,
                report.peak_rss_mib
            )?;
            writeln!(
                out,
                "  a new id {:.2} µs ({:.2} µs of CPU; {:.1} µs before the filters are there), {} wrongly known",
                report.new_us, report.new_cpu_us, report.new_cold_us, report.wrong
            )?;
            for r in &report.repeats {
                writeln!(out, "  repeats of {}: {} of {} found, {:.0} µs each", r.age, r.found, r.asked, r.us)?;
            }
            Ok(())
        }
        Bench::DedupMeasure(options) => {
            writeln!(out, "{}", serde_json::to_string(&dedup::measure(options)?)?)?;
            Ok(())
        }
        Bench::Generate(g) => {
            let load = generator::Load {
                address: g.address.clone(),
                path: if g.batch == 1 { "/v1/track".into() } else { "/v1/batch".into() },
                authorization: g.authorization.clone(),
                connections: g.connections,
                events_per_body: g.batch,
                profiles: g.profiles.max(10),
                skew: g.skew,
                first: g.first,
                duration: Duration::from_secs(g.seconds),
                rate: g.rate,
                seed: g.seed,
            };
            let outcome = generator::run(&load).context("the load could not be sent")?;
            writeln!(out, "{}", serde_json::to_string(&outcome)?)?;
            Ok(())
        }
        Bench::EchoServer { url, unsafe_fast } => {
            let location = db::Location::parse(url, Path::new("."))?;
            let sync = if *unsafe_fast { db::Sync::UnsafeFast } else { db::Sync::Full };
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let mut first = Vec::new();
            let (sender, receiver) = std::sync::mpsc::channel();
            runtime.spawn(async move {
                if let Err(e) = echo::serve(location, sync, move |address| {
                    let _ = sender.send(address);
                })
                .await
                {
                    tracing::error!(error = %e, "the baseline ended");
                }
            });
            writeln!(first, "{}", receiver.recv().context("the baseline did not start")?)?;
            out.write_all(&first)?;
            out.flush()?;
            // Ended by whoever started it.
            loop {
                std::thread::park();
            }
        }
    }
}
