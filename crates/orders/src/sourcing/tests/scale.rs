//! Realistic sizes: 300 places, ten lines, and batches. Times are printed, and asserted only in release builds.
use super::*;
use crate::sourcing::sample::{Sample, sample};
use std::time::Instant;

#[test]
fn three_hundred_places_and_ten_lines() {
    let (network, orders) = sample(&Sample { orders: 400, lines: 10, ..Sample::default() });
    let ledger = Ledger::new(&network);
    let mut times: Vec<f64> = Vec::new();
    let (mut proven, mut parcels) = (0, 0);
    for order in &orders {
        // The best of three: a machine that does something else for a moment is not what is measured.
        let mut took = f64::MAX;
        let mut plan = OrderPlan::default();
        for _ in 0..3 {
            let started = Instant::now();
            plan = plan_order(&ledger, order, &Wishes::default(), &Limits::default());
            took = took.min(started.elapsed().as_secs_f64() * 1e3);
        }
        times.push(took);
        proven += usize::from(plan.proven);
        let mut from: Vec<usize> = plan.assignments.iter().map(|a| a.lane).collect();
        from.sort_unstable();
        from.dedup();
        parcels += from.len();
    }
    times.sort_by(f64::total_cmp);
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    eprintln!(
        "300 × 10: p50 {p50:.3} ms, p99 {p99:.3} ms, worst {:.3} ms, {:.2} parcels",
        times[times.len() - 1],
        parcels as f64 / 400.0
    );
    assert_eq!(proven, orders.len());
    assert!(parcels > orders.len(), "some are split");
    assert!(cfg!(debug_assertions) || p99 < 5.0, "p99 {p99} ms");
}

#[test]
fn a_batch_keeps_stock_and_capacity_and_stays_near_the_bound() {
    let count = if cfg!(debug_assertions) { 400 } else { 10_000 };
    let (network, orders) = sample(&Sample { orders: count, lines: 4, scarce: true, ..Sample::default() });
    let started = Instant::now();
    let effort = Effort { threads: 2, ..Effort::default() };
    let phases = std::sync::Mutex::new(Vec::<(&'static str, f64)>::new());
    let batch = plan(&network, &orders, &Wishes::default(), &effort, &|what, _, _| {
        if let Ok(mut phases) = phases.lock()
            && phases.last().is_none_or(|(last, _)| *last != what)
        {
            phases.push((what, started.elapsed().as_secs_f64()));
        }
    });
    let took = started.elapsed().as_secs_f64();
    eprintln!("phases begin at {:.2?}", phases.into_inner());
    let mut ledger = Ledger::new(&network);
    for (order, plan) in orders.iter().zip(&batch.plans) {
        assert!(ledger.fits(order, plan, &|_| None), "{}", order.id);
        ledger.take(order, plan, 1);
        assert_eq!(
            plan.units + plan.parked.iter().map(|(l, _)| order.lines[*l].quantity).sum::<i64>(),
            order.lines.iter().map(|l| l.quantity).sum::<i64>()
        );
    }
    let have = orders.iter().zip(&batch.plans).map(|(o, p)| value(o, p)).fold((0, 0), |s, v| (s.0 + v.0, s.1 + v.1));
    let gap = (have.1 - batch.bound.1) as f64 / batch.bound.1 as f64;
    eprintln!(
        "{count} orders in {took:.2} s: {} behind, {} pieces more parked, cost {:.3} % above the bound",
        batch.behind,
        have.0 - batch.bound.0,
        gap * 100.0
    );
    assert!(have.0 - batch.bound.0 <= have.0 / 2 + 5 && gap < 0.10);
    assert!(cfg!(debug_assertions) || took < 10.0, "{took} s");
    let again = plan(&network, &orders, &Wishes::default(), &Effort { threads: 1, ..effort }, &|_, _, _| {});
    assert!(again.plans == batch.plans, "threads decide nothing");
}

/// Far larger than orders are: it must end in time, whether proven or not, and keep stock.
#[test]
fn a_huge_order_ends_in_time() {
    for scarce in [false, true] {
        let (network, orders) = sample(&Sample { orders: 6, lines: 60, scarce, seed: 5, ..Sample::default() });
        let mut ledger = Ledger::new(&network);
        for order in &orders {
            let started = Instant::now();
            let plan = plan_order(&ledger, order, &Wishes::default(), &Limits::default());
            let took = started.elapsed().as_secs_f64();
            eprintln!("60 lines, scarce {scarce}: {took:.2} s, {} parked, proven {}", plan.parked.len(), plan.proven);
            assert!(ledger.fits(order, &plan, &|_| None) && took < 20.0, "{took} s");
            ledger.take(order, &plan, 1);
        }
    }
}

/// The heuristic for large batches on batches small enough to know the answer.
#[test]
fn the_heuristic_comes_near_the_exact_answer() {
    let heuristic = Effort { exact_orders_max: 0, ..Effort::default() };
    let (mut same, mut all, mut worse_units, mut gap) = (0, 0, 0, 0.0);
    for seed in 0..1_500 {
        let shape = naive::Shape { locations: 4, carriers: 2, orders: 5, lines: 2, quantity: 2, kits: false };
        let (network, orders) = naive::random(seed, shape);
        let (network, orders) = read(&network, &orders);
        let exact = plan(&network, &orders, &Wishes::default(), &Effort::default(), &|_, _, _| {});
        if !exact.proven || exact.behind == 0 {
            continue;
        }
        let found = plan(&network, &orders, &Wishes::default(), &heuristic, &|_, _, _| {});
        let sum = |b: &Batch| {
            orders.iter().zip(&b.plans).map(|(o, p)| value(o, p)).fold((0, 0), |s, v| (s.0 + v.0, s.1 + v.1))
        };
        let (best, have) = (sum(&exact), sum(&found));
        assert!(have >= best, "seed {seed}: better than the best");
        all += 1;
        same += usize::from(have == best);
        worse_units += have.0 - best.0;
        if have.0 == best.0 {
            gap += (have.1 - best.1) as f64 / best.1.max(1) as f64;
        }
    }
    eprintln!(
        "heuristic: {same} of {all} contended batches exact, {worse_units} pieces fewer, mean gap {:.3} %",
        gap / all as f64 * 100.0
    );
    assert!(all > 300 && same * 10 >= all * 8, "{same} of {all}");
}
