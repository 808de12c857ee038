//! Which parcels one order is sent in: branch and bound over lanes, level by level of lateness.
//!
//! At a node some choices are open, some closed, the rest free. [`super::bound`] says what the node can cost at least; what
//! would earn most at those prices is tried open first, then closed. The levels are the numbers of days that cost something
//! different; a level allows all lanes that are not slower.
use super::allocate::{Piece, allocate, feasible};
use super::bound::{Bound, State};
use super::problem::Problem;

/// Work after which the best plan that was found is taken, unproven: lanes times lines, over all nodes. Counted, not timed,
/// so that the answer does not depend on the machine; about half a second.
const WORK_MAX: u64 = 50_000_000;

/// The best way to serve all lines of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Shifted, late costs included.
    pub cost: i64,
    pub pieces: Vec<Piece>,
    /// Nothing is better.
    pub proven: bool,
}

/// The cheapest single parcels: (choice, cost with late costs), for all choices that could send everything.
pub fn single_parcels(problem: &Problem) -> Vec<(usize, i64)> {
    (0..problem.choices.len())
        .filter_map(|choice| {
            let of = &problem.choices[choice];
            let short = |(cell, need): (&super::problem::Cell, &i64)| cell.available < *need;
            if of.capacity < problem.units || problem.row(choice).iter().zip(&problem.need).any(short) {
                return None;
            }
            let (cost, _) = allocate(problem, &[choice])?;
            Some((choice, of.fixed + cost + problem.late(of.days)))
        })
        .collect()
}

/// The cheapest plan that serves every line; `None` when there is none.
pub fn search(problem: &Problem, singles: &[(usize, i64)]) -> Option<Found> {
    if problem.need.is_empty() {
        return Some(Found { cost: 0, pieces: Vec::new(), proven: true });
    }
    if singles.is_empty() && !feasible(problem) {
        return None;
    }
    let mut search = Search {
        problem,
        state: vec![State::Closed; problem.choices.len()],
        open: Vec::new(),
        bounds: Vec::new(),
        best: None,
        late: 0,
        work: std::cell::Cell::new(0),
    };
    // The best single parcel to start from: it is the answer in most cases, and then only has to be proven.
    if let Some((choice, cost)) = singles.iter().min_by_key(|(choice, cost)| (*cost, *choice))
        && let Some((_, pieces)) = allocate(problem, &[*choice])
    {
        search.best = Some((*cost, pieces));
    }
    let survivors = search.sift();
    for (days, late) in &problem.levels {
        search.late = *late;
        let alive: Vec<usize> = survivors.iter().copied().filter(|c| problem.choices[*c].days <= *days).collect();
        search.state.fill(State::Closed);
        for choice in &alive {
            search.state[*choice] = State::Free;
        }
        search.open.clear();
        search.node(alive, 0);
    }
    let proven = search.work.get() < WORK_MAX;
    search.best.map(|(cost, pieces)| Found { cost, pieces, proven })
}

struct Search<'a> {
    problem: &'a Problem,
    state: Vec<State>,
    open: Vec<usize>,
    bounds: Vec<Bound>,
    best: Option<(i64, Vec<Piece>)>,
    late: i64,
    work: std::cell::Cell<u64>,
}

impl Search<'_> {
    fn spend(&self, work: usize) {
        self.work.set(self.work.get().saturating_add(work as u64));
    }
    fn spent(&self) -> bool {
        self.work.get() >= WORK_MAX
    }
    /// Who gives what, counted: a flow pushes about once for each line, over all of its edges.
    fn allocate(&self, open: &[usize]) -> Option<(i64, Vec<Piece>)> {
        let lines = self.problem.need.len();
        let flow = self.problem.lines_share || open.iter().any(|c| self.problem.tight[*c]);
        self.spend(open.len() * lines * if flow { lines * 4 } else { 1 });
        allocate(self.problem, open)
    }

    fn beats(&self, cost: i64) -> bool {
        self.best.as_ref().is_none_or(|(best, _)| cost < *best)
    }

    /// Leaves out choices that are in no better plan: what the cheapest plan with them costs at least, lateness included,
    /// is not less than the best so far.
    fn sift(&mut self) -> Vec<usize> {
        let mut alive: Vec<usize> = (0..self.problem.choices.len()).collect();
        let free = vec![State::Free; alive.len()];
        let mut bound = Bound::default();
        for _ in 0..2 {
            let Some(lower) = bound.compute(self.problem, &free, &alive) else { break };
            self.state.clone_from(&free);
            self.try_promising(&bound, &alive);
            let before = alive.len();
            alive.retain(|c| {
                self.beats(lower + bound.slack[*c].max(0) + self.problem.late(self.problem.choices[*c].days))
            });
            if alive.len() == before {
                break;
            }
        }
        alive
    }

    /// Looks below a node; `alive` are the open and the free choices.
    fn node(&mut self, mut alive: Vec<usize>, depth: usize) {
        self.spend(alive.len() * self.problem.need.len() + 100);
        if self.spent() {
            return;
        }
        if self.bounds.len() == depth {
            self.bounds.push(Bound::default());
        }
        let mut bound = std::mem::take(&mut self.bounds[depth]);
        let lower = bound.compute(self.problem, &self.state, &alive);
        if let Some(lower) = lower.filter(|lower| self.beats(lower + self.late)) {
            self.try_promising(&bound, &alive);
            // A free choice whose opening alone lifts the bound to the best is never part of something better.
            let mut shut = Vec::new();
            alive.retain(|choice| {
                let free = self.state[*choice] == State::Free;
                let keep = !free || self.beats(lower + self.late + bound.slack[*choice].max(0));
                if !keep {
                    shut.push(*choice);
                }
                keep
            });
            for choice in &shut {
                self.state[*choice] = State::Closed;
            }
            self.branch(&bound, &alive, lower, depth);
            for choice in shut {
                self.state[choice] = State::Free;
            }
        }
        self.bounds[depth] = bound;
    }

    fn branch(&mut self, bound: &Bound, alive: &[usize], lower: i64, depth: usize) {
        if !self.beats(lower + self.late) || !self.enough_capacity(alive) {
            return;
        }
        // The one that would earn most; of equals the one with the smaller number.
        let free = alive.iter().copied().filter(|c| self.state[*c] == State::Free);
        let Some(choice) = free.min_by_key(|c| (bound.slack[*c], *c)) else { return };
        let location = self.problem.choices[choice].location;
        // Open: no other carrier from the same place.
        let twins: Vec<usize> = alive
            .iter()
            .copied()
            .filter(|c| self.state[*c] == State::Free && *c != choice && self.problem.choices[*c].location == location)
            .collect();
        for twin in &twins {
            self.state[*twin] = State::Closed;
        }
        self.state[choice] = State::Open;
        self.open.push(choice);
        self.node(alive.iter().copied().filter(|c| !twins.contains(c)).collect(), depth + 1);
        self.open.pop();
        for twin in twins {
            self.state[twin] = State::Free;
        }
        self.state[choice] = State::Closed;
        self.node(alive.iter().copied().filter(|c| *c != choice).collect(), depth + 1);
        self.state[choice] = State::Free;
    }

    fn enough_capacity(&self, alive: &[usize]) -> bool {
        let (mut sum, mut before) = (0, u32::MAX);
        for choice in alive {
            let choice = &self.problem.choices[*choice];
            if choice.location != before {
                before = choice.location;
                sum += choice.capacity.min(self.problem.units);
                if sum >= self.problem.units {
                    return true;
                }
            }
        }
        false
    }

    /// Tries what is open together with what the prices recommend, and the open ones alone.
    fn try_promising(&mut self, bound: &Bound, alive: &[usize]) {
        if !self.open.is_empty() {
            self.try_open(&self.open.clone());
        }
        let mut wanted: Vec<usize> =
            alive.iter().copied().filter(|c| self.state[*c] == State::Free && bound.slack[*c] <= 0).collect();
        wanted.sort_by_key(|c| (bound.slack[*c], *c));
        wanted.truncate(12);
        let mut open = self.open.clone();
        for choice in wanted {
            let location = self.problem.choices[choice].location;
            if open.iter().all(|c| self.problem.choices[*c].location != location) {
                open.push(choice);
            }
        }
        if open.len() > self.open.len() {
            self.try_open(&open);
        }
        if self.best.is_none() {
            self.try_covering(alive);
        }
    }

    /// Adds the free choice that gives most of what is missing until all is there: something to start from.
    fn try_covering(&mut self, alive: &[usize]) {
        let problem = self.problem;
        let mut open = self.open.clone();
        let mut missing: Vec<i64> = problem.need.clone();
        let give = |missing: &[i64], choice: usize| -> i64 {
            let of = |(cell, missing): (&super::problem::Cell, &i64)| cell.available.min(*missing);
            problem.row(choice).iter().zip(missing).map(of).sum::<i64>().min(problem.choices[choice].capacity)
        };
        for choice in &open {
            for (missing, cell) in missing.iter_mut().zip(problem.row(*choice)) {
                *missing -= cell.available.min(*missing);
            }
        }
        loop {
            if self.allocate(&open).is_some() {
                return self.try_open(&open);
            }
            let used = |c: &usize| open.iter().any(|o| problem.choices[*o].location == problem.choices[*c].location);
            let next = alive.iter().copied().filter(|c| !used(c));
            let next = next.max_by_key(|c| (give(&missing, *c), -problem.choices[*c].fixed, std::cmp::Reverse(*c)));
            let Some(next) = next else { return };
            for (missing, cell) in missing.iter_mut().zip(problem.row(next)) {
                *missing -= cell.available.min(*missing);
            }
            open.push(next);
            if open.len() > 60 {
                return;
            }
        }
    }

    /// Evaluates a set of parcels, leaving out what is not used and then what is not worth its fixed cost.
    fn try_open(&mut self, open: &[usize]) {
        let Some((mut cost, mut pieces)) = self.evaluate(open) else { return };
        let mut used: Vec<usize> = open.iter().copied().filter(|c| pieces.iter().any(|p| p.choice == *c)).collect();
        loop {
            let mut improved = false;
            for at in (0..used.len()).rev() {
                let mut fewer = used.clone();
                fewer.remove(at);
                if let Some((less, other)) = self.evaluate(&fewer).filter(|(less, _)| *less < cost) {
                    (cost, pieces, improved) = (less, other, true);
                    used = fewer;
                }
            }
            if !improved || self.spent() {
                break;
            }
        }
        // What it really costs: it may be faster than its level allows.
        let days = used.iter().map(|c| self.problem.choices[*c].days).max().unwrap_or(0);
        let cost = cost + self.problem.late(days);
        if self.beats(cost) {
            self.best = Some((cost, pieces));
        }
    }

    fn evaluate(&self, open: &[usize]) -> Option<(i64, Vec<Piece>)> {
        let (variable, pieces) = self.allocate(open)?;
        let used = |c: &&usize| pieces.iter().any(|p| p.choice == **c);
        let fixed: i64 = open.iter().filter(used).map(|c| self.problem.choices[*c].fixed).sum();
        Some((variable + fixed, pieces))
    }
}
