//! Many orders over the same stock and capacity.
//!
//! Every order is planned alone first; together these plans are a lower bound, and where they do not get into each other's way
//! they are the answer. Orders that touch something scarce are then placed by regret (who would lose most by going without), and
//! improved: an order that got less than its own best is planned again, and, where what it lacks is held by others, one of
//! them is taken out and planned again, if both together gain. Small batches are solved exactly ([`super::conflict`]).
use super::conflict::{Value, exact, value};
use super::ledger::{Ledger, Limits, Resource, needs};
use super::model::{Network, Order, OrderPlan};
use super::order::{Wishes, plan_order};
use super::rules::Said;
use std::collections::{BTreeSet, HashMap};

/// How hard to try.
#[derive(Debug, Clone)]
pub struct Effort {
    /// Batches of at most so many orders are tried exactly.
    pub exact_orders_max: usize,
    /// Plans of single orders that the exact search may spend.
    pub exact_plans_max: usize,
    /// Rounds of improvement.
    pub rounds: usize,
    /// Holders of a scarce thing that are asked to move, for each order and round.
    pub holders: usize,
    /// Plans of single orders that improvement may spend, for each order of the batch; a small batch gets some thousands.
    pub plans_per_order: usize,
    /// Threads for the plans of orders alone. The result does not depend on it.
    pub threads: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { exact_orders_max: 24, exact_plans_max: 2_000, rounds: 4, holders: 4, plans_per_order: 3, threads: 1 }
    }
}

/// What came out for a batch.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// One for each order, in the same order.
    pub plans: Vec<OrderPlan>,
    /// No plan serves more pieces, or as many for less.
    pub proven: bool,
    /// Pieces that even orders planned alone do not get, and their cost in thousandths: what no plan can beat.
    pub bound: Value,
    /// Orders that got less than they would have got alone.
    pub behind: usize,
}

/// Plans a batch. `say` hears what is going on: what, done, of how many.
///
/// Deterministic. At most a few single-order plans an order; see docs/sourcing.md for measured gaps.
pub fn plan(
    network: &Network,
    orders: &[Order],
    wishes: &Wishes,
    effort: &Effort,
    say: &(dyn Fn(&'static str, u64, u64) + Sync),
) -> Batch {
    let ledger = Ledger::new(network);
    let alone = plan_alone(&ledger, orders, wishes, effort.threads, say);
    let bound = total(orders, &alone);
    let mut work = Work::new(ledger, orders, wishes, alone, effort);
    let scarce = work.scarce();
    if scarce.is_empty() {
        let proven = work.alone.iter().all(|plan| plan.proven);
        return Batch { plans: work.alone, proven, bound, behind: 0 };
    }
    if orders.len() <= effort.exact_orders_max {
        let all: Vec<&Order> = orders.iter().collect();
        if let Some(plans) = exact(&work.ledger, &all, wishes, effort.exact_plans_max) {
            let behind = (0..orders.len()).filter(|at| value(&orders[*at], &plans[*at]) > work.best(*at)).count();
            return Batch { plans, proven: true, bound, behind };
        }
    }
    work.place(&scarce, say);
    for _ in 0..effort.rounds {
        if !work.improve(say) {
            break;
        }
    }
    let behind = (0..orders.len()).filter(|at| work.behind(*at)).count();
    let proven = behind == 0 && work.alone.iter().all(|plan| plan.proven);
    Batch { plans: work.now, proven, bound, behind }
}

fn total(orders: &[Order], plans: &[OrderPlan]) -> Value {
    orders.iter().zip(plans).map(|(o, p)| value(o, p)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn plan_alone(
    ledger: &Ledger<'_>,
    orders: &[Order],
    wishes: &Wishes,
    threads: usize,
    say: &(dyn Fn(&'static str, u64, u64) + Sync),
) -> Vec<OrderPlan> {
    in_parts(orders, threads, "planning", say, &|order| plan_order(ledger, order, wishes, &Limits::default()))
}

/// `one` for each item, in the same order, on several threads.
fn in_parts<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    what: &'static str,
    say: &(dyn Fn(&'static str, u64, u64) + Sync),
    one: &(dyn Fn(&T) -> R + Sync),
) -> Vec<R> {
    let done = std::sync::atomic::AtomicU64::new(0);
    let part = |part: &[T]| -> Vec<R> {
        let told = |item: &T| {
            let out = one(item);
            say(what, done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, items.len() as u64);
            out
        };
        part.iter().map(told).collect()
    };
    if threads <= 1 || items.len() < 64 {
        return part(items);
    }
    let size = items.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = items.chunks(size).map(|chunk| scope.spawn(|| part(chunk))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<R>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().flat_map(join).collect()
    })
}

struct Work<'a> {
    ledger: Ledger<'a>,
    orders: &'a [Order],
    wishes: &'a Wishes,
    effort: &'a Effort,
    alone: Vec<OrderPlan>,
    now: Vec<OrderPlan>,
    /// Who has a plan in force that uses a thing.
    holders: HashMap<Resource, BTreeSet<usize>>,
    /// Plans that may still be made.
    budget: std::cell::Cell<usize>,
}

impl<'a> Work<'a> {
    fn new(
        ledger: Ledger<'a>,
        orders: &'a [Order],
        wishes: &'a Wishes,
        alone: Vec<OrderPlan>,
        effort: &'a Effort,
    ) -> Self {
        let now = vec![OrderPlan::default(); orders.len()];
        let budget = std::cell::Cell::new(effort.plans_per_order * orders.len() + 4_000);
        Work { ledger, orders, wishes, effort, alone, now, holders: HashMap::new(), budget }
    }
    fn best(&self, at: usize) -> Value {
        value(&self.orders[at], &self.alone[at])
    }
    fn have(&self, at: usize) -> Value {
        value(&self.orders[at], &self.now[at])
    }
    fn behind(&self, at: usize) -> bool {
        self.have(at) > self.best(at)
    }

    /// Things of which the plans of orders alone use more than there is.
    fn scarce(&self) -> HashMap<Resource, i64> {
        let mut used: HashMap<Resource, i64> = HashMap::new();
        for (order, plan) in self.orders.iter().zip(&self.alone) {
            for (resource, quantity) in needs(self.ledger.network, order, plan) {
                *used.entry(resource).or_insert(0) += quantity;
            }
        }
        used.retain(|resource, used| {
            let mut left = self.ledger.left(resource);
            if let Resource::Day(at, _) = resource {
                let location = &self.ledger.network.locations[*at as usize];
                let caps = self.orders.iter().filter_map(|order| Said::about(&self.wishes.rules, order).cap(location));
                if !self.wishes.rules.is_empty() {
                    left = caps.min().map_or(left, |cap| cap.min(left));
                }
            }
            *used > left
        });
        used
    }

    fn put(&mut self, at: usize, plan: OrderPlan) {
        self.ledger.take(&self.orders[at], &plan, 1);
        for resource in needs(self.ledger.network, &self.orders[at], &plan).into_keys() {
            self.holders.entry(resource).or_default().insert(at);
        }
        self.now[at] = plan;
    }
    fn lift(&mut self, at: usize) -> OrderPlan {
        let plan = std::mem::take(&mut self.now[at]);
        self.ledger.take(&self.orders[at], &plan, -1);
        for resource in needs(self.ledger.network, &self.orders[at], &plan).into_keys() {
            if let Some(holders) = self.holders.get_mut(&resource) {
                holders.remove(&at);
            }
        }
        plan
    }
    fn fits(&self, at: usize, plan: &OrderPlan) -> bool {
        let said = Said::about(&self.wishes.rules, &self.orders[at]);
        let locations = &self.ledger.network.locations;
        self.ledger.fits(&self.orders[at], plan, &|location| said.cap(&locations[location as usize]))
    }
    fn planned(&self, at: usize) -> OrderPlan {
        self.budget.set(self.budget.get().saturating_sub(1));
        plan_order(&self.ledger, &self.orders[at], self.wishes, &Limits::default())
    }

    /// Gives every order a plan: first those that want nothing scarce, then the others by regret.
    fn place(&mut self, scarce: &HashMap<Resource, i64>, say: &(dyn Fn(&'static str, u64, u64) + Sync)) {
        let mut waiting: Vec<(Value, usize)> = Vec::new();
        let mut contended: Vec<(usize, Vec<Resource>)> = Vec::new();
        for at in 0..self.orders.len() {
            let needs = needs(self.ledger.network, &self.orders[at], &self.alone[at]);
            let wanted: Vec<Resource> = needs.into_keys().filter(|r| scarce.contains_key(r)).collect();
            if wanted.is_empty() {
                self.put(at, self.alone[at].clone());
            } else {
                contended.push((at, wanted));
            }
        }
        let all = contended.len() as u64;
        let (ledger, orders, wishes) = (&self.ledger, self.orders, self.wishes);
        let other = in_parts(&contended, self.effort.threads, "comparing", say, &|(at, wanted)| {
            // What it would have to do without anything scarce.
            let mut without = Limits(wanted.iter().map(|resource| (resource.clone(), 0)).collect());
            without.0.sort();
            value(&orders[*at], &plan_order(ledger, &orders[*at], wishes, &without))
        });
        for ((at, _), worse) in contended.iter().zip(other) {
            let best = self.best(*at);
            waiting.push(((worse.0 - best.0, worse.1 - best.1), *at));
        }
        waiting.sort_by_key(|(regret, at)| (std::cmp::Reverse(*regret), *at));
        for (done, (_, at)) in waiting.into_iter().enumerate() {
            let plan = if self.fits(at, &self.alone[at]) { self.alone[at].clone() } else { self.planned(at) };
            self.put(at, plan);
            say("placing", done as u64 + 1, all);
        }
    }

    /// One round over the orders that got less than they could; whether anything got better.
    fn improve(&mut self, say: &(dyn Fn(&'static str, u64, u64) + Sync)) -> bool {
        let mut behind: Vec<usize> = (0..self.orders.len()).filter(|at| self.behind(*at)).collect();
        let gap = |at: &usize| {
            let (have, best) = (self.have(*at), self.best(*at));
            (have.0 - best.0, have.1 - best.1)
        };
        behind.sort_by_key(|at| (std::cmp::Reverse(gap(at)), *at));
        let mut better = false;
        let all = behind.len() as u64;
        for (done, at) in behind.into_iter().enumerate() {
            if self.budget.get() == 0 {
                break;
            }
            better |= self.behind(at) && (self.relocate(at) || self.eject(at) || self.regroup(at));
            say("improving", done as u64 + 1, all);
        }
        better
    }

    /// Plans an order again with what others have left since.
    fn relocate(&mut self, at: usize) -> bool {
        let before = self.have(at);
        let old = self.lift(at);
        let new = self.planned(at);
        let better = value(&self.orders[at], &new) < before;
        self.put(at, if better { new } else { old });
        better
    }

    /// Lets an order have what it wants most and plans one of those again who hold it.
    fn eject(&mut self, at: usize) -> bool {
        for other in self.rivals(at).into_iter().take(self.effort.holders) {
            let (mine, theirs) = (self.have(at), self.have(other));
            let (old_mine, old_theirs) = (self.lift(at), self.lift(other));
            let new_mine = if self.fits(at, &self.alone[at]) { self.alone[at].clone() } else { self.planned(at) };
            let gained = value(&self.orders[at], &new_mine);
            if gained < mine {
                self.put(at, new_mine);
                let new_theirs = self.planned(other);
                let left = value(&self.orders[other], &new_theirs);
                if (gained.0 + left.0, gained.1 + left.1) < (mine.0 + theirs.0, mine.1 + theirs.1) {
                    self.put(other, new_theirs);
                    return true;
                }
                self.lift(at);
            }
            self.put(at, old_mine);
            self.put(other, old_theirs);
        }
        false
    }

    /// Takes an order and some of those who hold what it wants, and plans this group exactly.
    fn regroup(&mut self, at: usize) -> bool {
        const PLANS_MAX: usize = 40;
        let mut group = self.rivals(at);
        group.truncate(self.effort.holders);
        if group.is_empty() {
            return false;
        }
        group.push(at);
        group.sort_unstable();
        let sum = |values: &mut dyn Iterator<Item = Value>| values.fold((0, 0), |s, v| (s.0 + v.0, s.1 + v.1));
        let before = sum(&mut group.iter().map(|at| self.have(*at)));
        let old: Vec<OrderPlan> = group.iter().map(|at| self.lift(*at)).collect();
        let orders: Vec<&Order> = group.iter().map(|at| &self.orders[*at]).collect();
        let new = exact(&self.ledger, &orders, self.wishes, PLANS_MAX);
        self.budget.set(self.budget.get().saturating_sub(PLANS_MAX));
        let gained = new.filter(|new| sum(&mut orders.iter().zip(new).map(|(o, p)| value(o, p))) < before);
        let better = gained.is_some();
        for (at, plan) in group.into_iter().zip(gained.unwrap_or(old)) {
            self.put(at, plan);
        }
        better
    }

    /// Who holds something that an order would use if it were alone, and does not use now; those with the least to lose first.
    fn rivals(&self, at: usize) -> Vec<usize> {
        let mut asked: Vec<usize> = Vec::new();
        let mut wanted: Vec<(Resource, i64)> =
            needs(self.ledger.network, &self.orders[at], &self.alone[at]).into_iter().collect();
        wanted.sort();
        for (resource, _) in wanted {
            let mine = needs(self.ledger.network, &self.orders[at], &self.now[at]).contains_key(&resource);
            if let Some(holders) = self.holders.get(&resource).filter(|_| !mine) {
                asked.extend(holders.iter().copied().filter(|other| *other != at));
            }
        }
        // Who has most room above their own best is asked last: they have lost already.
        asked.sort_unstable();
        asked.dedup();
        asked.sort_by_key(|other| {
            let (have, best) = (self.have(*other), self.best(*other));
            ((have.0 - best.0, have.1 - best.1), self.orders[*other].lines.len(), *other)
        });
        asked
    }
}
