//! Small batches exactly: plan every order alone, and where two want the same thing, branch on who gets less of it.
//!
//! Orders planned alone, each within its limits, are a lower bound on any plan. If together they use more of something than
//! there is, in every real plan at least one of its users takes at least one piece less than now; one branch for each. Best
//! first, so the first node without a conflict is the best plan. The idea is conflict-based search: Sharon, Stern, Felner,
//! Sturtevant, Artificial Intelligence 219 (2015).
use super::ledger::{Ledger, Limits, Resource, needs};
use super::model::{Order, OrderPlan};
use super::order::{Wishes, plan_order};
use super::rules::Said;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

/// How good a batch is: pieces that are not served, then cost in thousandths. Less is better.
pub type Value = (i64, i64);

/// The value of one order's plan.
pub fn value(order: &Order, plan: &OrderPlan) -> Value {
    (order.lines.iter().map(|l| l.quantity).sum::<i64>() - plan.units, plan.exact_milli)
}

struct Node {
    value: Value,
    number: usize,
    limits: Vec<Rc<Limits>>,
    plans: Vec<Rc<OrderPlan>>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Node {}
impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Node {
    /// The heap gives the greatest first: the best value, of equals the older node.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.value, other.number).cmp(&(self.value, self.number))
    }
}

/// The best plan of a batch with what is left, if it is found with at most `plans_max` plans of single orders.
pub fn exact(ledger: &Ledger<'_>, orders: &[&Order], wishes: &Wishes, plans_max: usize) -> Option<Vec<OrderPlan>> {
    let mut spent = orders.len();
    let plans: Vec<Rc<OrderPlan>> =
        orders.iter().map(|order| Rc::new(plan_order(ledger, order, wishes, &Limits::default()))).collect();
    let sum = |plans: &[Rc<OrderPlan>]| {
        let each = orders.iter().zip(plans).map(|(order, plan)| value(order, plan));
        each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let root = Node { value: sum(&plans), number: 0, limits: vec![Rc::default(); orders.len()], plans };
    let mut numbers = 0;
    let mut heap = BinaryHeap::from([root]);
    let mut seen: HashSet<Vec<Vec<(Resource, i64)>>> = HashSet::new();
    while let Some(node) = heap.pop() {
        if !node.plans.iter().all(|plan| plan.proven) {
            return None;
        }
        let Some((resource, users)) = conflict(ledger, orders, &node.plans, wishes) else {
            return Some(node.plans.iter().map(|plan| (**plan).clone()).collect());
        };
        // The later order first: of equal answers the older node wins, and the earlier order keeps what it has.
        for (user, used) in users.into_iter().rev() {
            let mut limits = (*node.limits[user]).clone();
            limits.0.retain(|(r, _)| *r != resource);
            limits.0.push((resource.clone(), used - 1));
            limits.0.sort();
            let mut all = node.limits.clone();
            all[user] = Rc::new(limits);
            if !seen.insert(all.iter().map(|l| l.0.clone()).collect()) {
                continue;
            }
            if spent >= plans_max {
                return None;
            }
            spent += 1;
            let mut plans = node.plans.clone();
            plans[user] = Rc::new(plan_order(ledger, orders[user], wishes, &all[user]));
            numbers += 1;
            heap.push(Node { value: sum(&plans), number: numbers, limits: all, plans });
        }
    }
    None
}

/// The first thing of which more is used than there is, and who uses how much of it.
fn conflict(
    ledger: &Ledger<'_>,
    orders: &[&Order],
    plans: &[Rc<OrderPlan>],
    wishes: &Wishes,
) -> Option<(Resource, Vec<(usize, i64)>)> {
    let mut used: BTreeMap<Resource, Vec<(usize, i64)>> = BTreeMap::new();
    for (at, (order, plan)) in orders.iter().zip(plans).enumerate() {
        for (resource, quantity) in needs(ledger.network, order, plan) {
            used.entry(resource).or_default().push((at, quantity));
        }
    }
    let capped: HashMap<usize, Said<'_>> = orders
        .iter()
        .enumerate()
        .map(|(at, order)| (at, Said::about(&wishes.rules, order)))
        .filter(|(_, said)| !said.silent())
        .collect();
    used.into_iter().find(|(resource, users)| {
        let sum = users.iter().map(|(_, quantity)| quantity).sum::<i64>();
        let mut left = ledger.left(resource);
        if let Resource::Day(at, _) = resource {
            let location = &ledger.network.locations[*at as usize];
            let cap = |user: &(usize, i64)| capped.get(&user.0).and_then(|said| said.cap(location));
            left = users.iter().filter_map(cap).min().map_or(left, |cap| left.min(cap));
        }
        sum > left
    })
}
