//! One order: which lines can be served, from where, and what it costs.
use super::allocate::{Piece, allocate, feasible};
use super::ledger::{Ledger, Limits};
use super::model::{Alternative, Assignment, Cost, Lane, Network, Order, OrderPlan, Park, Weights};
use super::problem::Problem;
use super::rules::{Rule, Said};
use super::search::{search, single_parcels};

/// What is asked for besides the four costs.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Further weights.
    pub weights: Weights,
    /// What the business wants, in order.
    pub rules: Vec<Rule>,
}

/// The best plan for one order with what is left, exactly.
///
/// Serves as many pieces as can be, a line whole or not at all, then costs as little as can be; ties as in
/// docs/formats/plan.schema.json. Never fails: what cannot be served is parked with its reason.
pub fn plan_order(ledger: &Ledger<'_>, order: &Order, wishes: &Wishes, limits: &Limits) -> OrderPlan {
    let said = Said::about(&wishes.rules, order);
    let problem = Problem::build(order, ledger, limits, &said, &wishes.weights);
    if said.one_parcel {
        return one_parcel(ledger.network, order, &problem);
    }
    let possible: Vec<usize> =
        (0..problem.need.len()).filter(|line| problem.hopes[*line].available >= problem.need[*line]).collect();
    let mut best: Option<(OrderPlan, i64)> = None;
    let mut consider = |keep: &[usize]| -> bool {
        let narrowed;
        let problem = if keep.len() == problem.need.len() {
            &problem
        } else {
            narrowed = problem.narrow(keep);
            &narrowed
        };
        let singles = single_parcels(problem);
        let Some(found) = search(problem, &singles) else { return false };
        if best.as_ref().is_none_or(|(_, cost)| found.cost < *cost) {
            let mut plan = finish(ledger.network, order, problem, &found.pieces, found.cost);
            plan.proven = found.proven;
            plan.other = other(problem, &plan, &singles);
            best = Some((plan, found.cost));
        }
        true
    };
    if !consider(&possible) {
        for keep in fewer(&problem, &possible) {
            // Of several sets of lines with equally many pieces the cheapest counts; more than these are not looked at.
            consider(&keep);
        }
    }
    let mut plan = best.map(|(plan, _)| plan).unwrap_or_default();
    park(&mut plan, &problem, ledger.network.lanes(&order.zone).is_empty());
    plan
}

/// Sets of lines that can be served together, all with the most pieces that any such set has.
fn fewer(problem: &Problem, possible: &[usize]) -> Vec<Vec<usize>> {
    const LINES_MAX: usize = 14;
    const SETS_MAX: usize = 64;
    let possible_set = |keep: &[usize]| feasible(&problem.narrow(keep));
    if possible.len() > LINES_MAX {
        // Too many sets: the largest lines first, each if it still fits.
        let mut order = possible.to_vec();
        order.sort_by_key(|l| (std::cmp::Reverse(problem.need[*l]), *l));
        let mut keep: Vec<usize> = Vec::new();
        for line in order {
            let mut with = keep.clone();
            with.push(line);
            with.sort_unstable();
            if possible_set(&with) {
                keep = with;
            }
        }
        return vec![keep];
    }
    let units = |set: u32| -> i64 {
        possible.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, l)| problem.need[*l]).sum()
    };
    let (mut room, mut before) = (0i64, u32::MAX);
    for choice in &problem.choices {
        if choice.location != before {
            before = choice.location;
            room += choice.capacity.min(problem.units);
        }
    }
    let mut sets: Vec<(i64, u32)> =
        (0..1u32 << possible.len()).map(|s| (units(s), s)).filter(|(u, _)| *u <= room).collect();
    sets.sort_unstable_by_key(|(units, set)| (std::cmp::Reverse(*units), *set));
    let (mut out, mut most): (Vec<Vec<usize>>, i64) = (Vec::new(), -1);
    for (units, set) in sets {
        if units < most || out.len() == SETS_MAX {
            break;
        }
        let keep: Vec<usize> = (0..possible.len()).filter(|at| set >> at & 1 == 1).map(|at| possible[at]).collect();
        if possible_set(&keep) {
            most = units;
            out.push(keep);
        }
    }
    out
}

fn one_parcel(network: &Network, order: &Order, problem: &Problem) -> OrderPlan {
    let singles = single_parcels(problem);
    let mut plan = OrderPlan::default();
    let best = singles.iter().min_by_key(|(choice, cost)| (*cost, *choice));
    if let Some((choice, cost)) = best
        && let Some((_, pieces)) = allocate(problem, &[*choice])
    {
        plan = finish(network, order, problem, &pieces, *cost);
        plan.other = other(problem, &plan, &singles);
        plan.proven = true;
        return plan;
    }
    park(&mut plan, problem, network.lanes(&order.zone).is_empty());
    for (_, reason) in &mut plan.parked {
        if *reason == Park::Taken {
            *reason = Park::OneParcel;
        }
    }
    plan.proven = true;
    plan
}

fn finish(network: &Network, order: &Order, problem: &Problem, pieces: &[Piece], cost: i64) -> OrderPlan {
    let mut assignments: Vec<Assignment> = pieces
        .iter()
        .map(|piece| {
            let choice = &problem.choices[piece.choice];
            let line = problem.lines[piece.line];
            Assignment { line, location: choice.location, lane: choice.lane, quantity: piece.quantity }
        })
        .collect();
    assignments.sort_unstable_by_key(|a| (a.line, a.location));
    let (four, exact_four) = cost_of(network, order, &assignments);
    let parcels = !assignments.is_empty();
    let exact_milli = (cost >> problem.shift) - if parcels { problem.split_milli } else { 0 };
    let beyond = half_up(exact_milli - exact_four, 1_000);
    let lanes = network.lanes(&order.zone);
    OrderPlan {
        units: assignments.iter().map(|a| a.quantity).sum(),
        days: assignments.iter().map(|a| lanes[a.lane].days).max().unwrap_or(0),
        assignments,
        cost: Cost { beyond, ..four },
        exact_milli,
        ..OrderPlan::default()
    }
}

/// The four costs of the contract for given assignments, and their sum in thousandths before rounding.
///
/// This is docs/formats/plan.schema.json in code: `braid source` and the tests use it on finished plans.
pub fn cost_of(network: &Network, order: &Order, assignments: &[Assignment]) -> (Cost, i64) {
    let lanes: &[Lane] = network.lanes(&order.zone);
    let mut parcels: Vec<usize> = assignments.iter().map(|a| a.lane).collect();
    parcels.sort_unstable();
    parcels.dedup();
    if parcels.is_empty() {
        return (Cost::default(), 0);
    }
    let first: i64 = parcels.iter().map(|p| lanes[*p].first_parcel_minor).sum();
    let weight = |a: &Assignment| lanes[a.lane].per_kg_minor * order.lines[a.line].weight_g * a.quantity;
    let weight_milli: i64 = assignments.iter().map(weight).sum();
    let handle = assignments.iter().map(|a| network.locations[a.location as usize].handling_minor * a.quantity).sum();
    let split = order.split_penalty_minor * (parcels.len() as i64 - 1);
    let days = parcels.iter().map(|p| lanes[*p].days).max().unwrap_or(0);
    let late = order.late_penalty_minor_per_day * i64::from(days.saturating_sub(order.promised_days));
    let cost = Cost { ship: first + half_up(weight_milli, 1_000), handle, split, late, beyond: 0 };
    (cost, 1_000 * (first + handle + split + late) + weight_milli)
}

fn half_up(value: i64, by: i64) -> i64 {
    (value + by / 2).div_euclid(by)
}

fn other(problem: &Problem, plan: &OrderPlan, singles: &[(usize, i64)]) -> Option<Alternative> {
    let used = |choice: usize| plan.assignments.iter().any(|a| a.location == problem.choices[choice].location);
    let (choice, cost) = singles.iter().filter(|(c, _)| !used(*c)).min_by_key(|(choice, cost)| (*cost, *choice))?;
    // A first parcel pays no split penalty, which stands in every parcel's fixed cost.
    let exact_milli = (cost >> problem.shift) - problem.split_milli;
    let choice = &problem.choices[*choice];
    Some(Alternative { location: choice.location, lane: choice.lane, exact_milli })
}

/// Names every line that the plan does not serve, with the reason.
fn park(plan: &mut OrderPlan, problem: &Problem, no_lane: bool) {
    for line in 0..problem.need.len() {
        if plan.assignments.iter().any(|a| a.line == line) {
            continue;
        }
        let (hope, need) = (problem.hopes[line], problem.need[line]);
        let reason = if no_lane {
            Park::NoLane
        } else if hope.stock < need {
            Park::NoStock
        } else if hope.allowed_stock < need {
            Park::Forbidden
        } else if hope.available < need {
            Park::NoCapacity
        } else {
            Park::Taken
        };
        plan.parked.push((line, reason));
    }
}
