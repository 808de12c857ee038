//! `braid bench source`: single orders over many places, and a batch that shares stock and capacity.
//!
//! Peer of the single orders: planning by the nearest rule, the cheapest single parcel, else line by line; it says what the
//! optimum saves. The batch is compared with the sum of what each order would cost alone, which no plan can beat.
use orders::sourcing::sample::{Sample, sample};
use orders::sourcing::{Effort, Ledger, Limits, Wishes, plan, plan_order, value};
use serde::Serialize;
use std::time::Instant;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Places.
    #[arg(long, default_value_t = 300)]
    pub locations: usize,
    /// Lines of a single order.
    #[arg(long, default_value_t = 10)]
    pub lines: usize,
    /// Single orders.
    #[arg(long, default_value_t = 2_000)]
    pub singles: usize,
    /// Orders of the batch.
    #[arg(long, default_value_t = 10_000)]
    pub orders: usize,
    /// Threads for the batch; without it all processors.
    #[arg(long)]
    pub threads: Option<usize>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub locations: usize,
    pub single: Single,
    pub batch: BatchReport,
}

/// Orders one by one.
#[derive(Debug, Clone, Serialize)]
pub struct Single {
    pub orders: usize,
    pub lines: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// Orders for which the search ended by itself: nothing better exists.
    pub proven: usize,
    pub parcels_mean: f64,
}

/// Orders together.
#[derive(Debug, Clone, Serialize)]
pub struct BatchReport {
    pub orders: usize,
    pub lines: usize,
    pub threads: usize,
    pub seconds: f64,
    /// Orders that got less than they would have got alone.
    pub behind: usize,
    /// Pieces parked beyond those that are parked for orders alone.
    pub pieces_beyond_bound: i64,
    /// Cost above that of orders alone, which is a lower bound.
    pub cost_above_bound: f64,
}

/// Runs it.
pub fn run(options: &Options) -> Report {
    let base = Sample { locations: options.locations, seed: options.seed, ..Sample::default() };
    let (network, orders) = sample(&Sample { orders: options.singles, lines: options.lines, ..base.clone() });
    let ledger = Ledger::new(&network);
    let (mut times, mut proven, mut parcels) = (Vec::with_capacity(orders.len()), 0, 0);
    for order in &orders {
        let started = Instant::now();
        let plan = plan_order(&ledger, order, &Wishes::default(), &Limits::default());
        times.push(started.elapsed().as_secs_f64() * 1e3);
        proven += usize::from(plan.proven);
        let mut lanes: Vec<usize> = plan.assignments.iter().map(|a| a.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        parcels += lanes.len();
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or(0.0)
    };
    let single = Single {
        orders: orders.len(),
        lines: options.lines,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        max_ms: at(1.0),
        proven,
        parcels_mean: parcels as f64 / orders.len().max(1) as f64,
    };
    let lines = 4;
    let (network, orders) = sample(&Sample { orders: options.orders, lines, scarce: true, ..base });
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let started = Instant::now();
    let batch = plan(&network, &orders, &Wishes::default(), &Effort { threads, ..Effort::default() }, &|_, _, _| {});
    let seconds = started.elapsed().as_secs_f64();
    let each = orders.iter().zip(&batch.plans).map(|(order, plan)| value(order, plan));
    let have = each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let batch = BatchReport {
        orders: orders.len(),
        lines,
        threads,
        seconds,
        behind: batch.behind,
        pieces_beyond_bound: have.0 - batch.bound.0,
        cost_above_bound: (have.1 - batch.bound.1) as f64 / (batch.bound.1 as f64).max(1.0),
    };
    Report { locations: options.locations, single, batch }
}
