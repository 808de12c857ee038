//! Who gives what, once it is decided who sends: the cheapest split of the lines' pieces over open parcels.
//!
//! Exact. Where no two lines want the same stock and no capacity binds, each line takes from the cheapest; else a minimum-cost
//! flow (successive shortest paths, Ahuja, Magnanti, Orlin, "Network Flows", 9.7); where a kit shares a component with
//! another line it is no flow any more, and a bounded depth-first search decides.
use super::problem::{Problem, UNLIMITED};

/// Pieces of `line` from `choice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub line: usize,
    pub choice: usize,
    pub quantity: i64,
}

/// The variable cost of serving everything from `open`, and how; `None` if they cannot. No two of `open` share a place.
pub fn allocate(problem: &Problem, open: &[usize]) -> Option<(i64, Vec<Piece>)> {
    if problem.kits_share {
        return Kits::solve(problem, open);
    }
    if !problem.lines_share {
        let (cost, pieces) = greedy(problem, open)?;
        if fits(problem, open, &pieces) {
            return Some((cost, pieces));
        }
    }
    flow(problem, open)
}

fn fits(problem: &Problem, open: &[usize], pieces: &[Piece]) -> bool {
    open.iter().all(|choice| {
        let capacity = problem.choices[*choice].capacity;
        capacity >= problem.units
            || pieces.iter().filter(|p| p.choice == *choice).map(|p| p.quantity).sum::<i64>() <= capacity
    })
}

fn greedy(problem: &Problem, open: &[usize]) -> Option<(i64, Vec<Piece>)> {
    let mut total = 0;
    let mut pieces: Vec<Piece> = Vec::with_capacity(problem.need.len() + open.len());
    let mut offers: Vec<(i64, usize, i64)> = Vec::with_capacity(open.len() * 2);
    for (line, need) in problem.need.iter().enumerate() {
        offers.clear();
        for choice in open {
            let cell = problem.cell(*choice, line);
            if cell.available > 0 {
                let last = i64::from(cell.last > 0);
                if cell.available > last {
                    offers.push((cell.cost, *choice, cell.available - last));
                }
                if last > 0 {
                    offers.push((cell.cost + cell.last, *choice, 1));
                }
            }
        }
        offers.sort_unstable();
        let mut left = *need;
        for (cost, choice, available) in &offers {
            let quantity = left.min(*available);
            total += cost * quantity;
            left -= quantity;
            match pieces.iter_mut().find(|p| p.line == line && p.choice == *choice) {
                Some(piece) => piece.quantity += quantity,
                None => pieces.push(Piece { line, choice: *choice, quantity }),
            }
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            return None;
        }
    }
    Some((total, pieces))
}

#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    room: i64,
    cost: i64,
}

/// A residual network; edge `e` and `e ^ 1` are each other's reverse.
pub(super) struct Flow {
    edges: Vec<Edge>,
    out: Vec<Vec<usize>>,
}

impl Flow {
    pub fn new(nodes: usize) -> Self {
        Self { edges: Vec::new(), out: vec![Vec::new(); nodes] }
    }
    pub fn add(&mut self, from: usize, to: usize, room: i64, cost: i64) -> usize {
        let edge = self.edges.len();
        self.edges.push(Edge { to, room, cost });
        self.edges.push(Edge { to: from, room: 0, cost: -cost });
        self.out[from].push(edge);
        self.out[to].push(edge + 1);
        edge
    }
    pub fn through(&self, edge: usize) -> i64 {
        self.edges[edge ^ 1].room
    }
    /// Pushes up to `wanted` from node 0 to the last, as cheaply as can be; gives what went and its cost.
    pub fn run(&mut self, wanted: i64) -> (i64, i64) {
        let (nodes, sink) = (self.out.len(), self.out.len() - 1);
        let (mut gone, mut paid) = (0, 0);
        let mut queue = std::collections::VecDeque::new();
        while gone < wanted {
            let mut distance = vec![i64::MAX; nodes];
            let mut by = vec![usize::MAX; nodes];
            let mut queued = vec![false; nodes];
            distance[0] = 0;
            queue.push_back(0);
            while let Some(node) = queue.pop_front() {
                queued[node] = false;
                for edge in &self.out[node] {
                    let Edge { to, room, cost } = self.edges[*edge];
                    let there = distance[node] + cost;
                    if room > 0 && there < distance[to] {
                        distance[to] = there;
                        by[to] = *edge;
                        if !queued[to] {
                            queued[to] = true;
                            queue.push_back(to);
                        }
                    }
                }
            }
            if distance[sink] == i64::MAX {
                break;
            }
            let mut push = wanted - gone;
            let mut node = sink;
            while node != 0 {
                push = push.min(self.edges[by[node]].room);
                node = self.edges[by[node] ^ 1].to;
            }
            node = sink;
            while node != 0 {
                self.edges[by[node]].room -= push;
                self.edges[by[node] ^ 1].room += push;
                node = self.edges[by[node] ^ 1].to;
            }
            gone += push;
            paid += push * distance[sink];
        }
        (gone, paid)
    }
}

/// Node 0, lines, (choice, component) pairs, choices, sink.
fn flow(problem: &Problem, open: &[usize]) -> Option<(i64, Vec<Piece>)> {
    let (lines, components) = (problem.need.len(), problem.components);
    let shelf = |at: usize, component: usize| 1 + lines + at * components + component;
    let place = |at: usize| 1 + lines + open.len() * components + at;
    let sink = place(open.len());
    let mut net = Flow::new(sink + 1);
    let mut ways = Vec::new();
    for (line, need) in problem.need.iter().enumerate() {
        net.add(0, 1 + line, *need, 0);
        for (at, choice) in open.iter().enumerate() {
            let cell = problem.cell(*choice, line);
            if cell.available > 0 {
                let edge = net.add(1 + line, shelf(at, problem.component_of[line]), cell.available, cell.cost);
                ways.push((line, *choice, edge));
            }
        }
    }
    for (at, choice) in open.iter().enumerate() {
        for component in 0..components {
            let stock = problem.shelf(*choice, component);
            let last = if problem.kit_component[component] { 0 } else { problem.last(*choice) };
            if stock > 0 && last > 0 {
                net.add(shelf(at, component), place(at), stock - 1, 0);
                net.add(shelf(at, component), place(at), 1, last);
            } else if stock > 0 {
                net.add(shelf(at, component), place(at), stock, 0);
            }
        }
        net.add(place(at), sink, problem.choices[*choice].capacity, 0);
    }
    let (gone, paid) = net.run(problem.units);
    if gone < problem.units {
        return None;
    }
    let piece = |(line, choice, edge)| Piece { line, choice, quantity: net.through(edge) };
    Some((paid, ways.into_iter().map(piece).filter(|p| p.quantity > 0).collect()))
}

/// Whether all lines of the problem can be served at all, by anybody. Exact but for kits that share, where it may say no.
pub fn feasible(problem: &Problem) -> bool {
    let mut seen = UNLIMITED as usize;
    let mut open = Vec::new();
    for (index, choice) in problem.choices.iter().enumerate() {
        if choice.location as usize != seen {
            seen = choice.location as usize;
            open.push(index);
        }
    }
    if problem.kits_share {
        return Kits::solve(problem, &open).is_some();
    }
    let loose = open.iter().all(|c| problem.choices[*c].capacity >= problem.units);
    if loose {
        let mut wanted = vec![(0i64, 0); problem.components];
        for (line, need) in problem.need.iter().enumerate() {
            let of_line = &mut wanted[problem.component_of[line]];
            *of_line = (of_line.0 + need, of_line.1 + 1);
            if open.iter().map(|c| problem.cell(*c, line).available).sum::<i64>() < *need {
                return false;
            }
        }
        // A shelf gives to every line that wants its SKU, so of lines that share one only the sum counts.
        return wanted.iter().enumerate().all(|(component, (wanted, lines))| {
            *lines < 2 || open.iter().map(|c| problem.shelf(*c, component)).sum::<i64>() >= *wanted
        });
    }
    let room = |c: &usize| problem.choices[*c].capacity.min(problem.units);
    if open.iter().map(room).sum::<i64>() < problem.units {
        return false;
    }
    flow(problem, &open).is_some()
}

/// Depth-first over lines for kits whose components other lines want too.
struct Kits<'a> {
    problem: &'a Problem,
    open: &'a [usize],
    stock: Vec<i64>,
    capacity: Vec<i64>,
    taken: Vec<Piece>,
    best: Option<(i64, Vec<Piece>)>,
    nodes: u32,
}

/// Nodes after which the best that was found is taken.
const NODES_MAX: u32 = 20_000;

impl<'a> Kits<'a> {
    fn solve(problem: &'a Problem, open: &'a [usize]) -> Option<(i64, Vec<Piece>)> {
        let stock =
            open.iter().flat_map(|c| (0..problem.components).map(|component| problem.shelf(*c, component))).collect();
        let capacity = open.iter().map(|c| problem.choices[*c].capacity).collect();
        let mut search = Kits { problem, open, stock, capacity, taken: Vec::new(), best: None, nodes: 0 };
        let first = problem.need.first().copied().unwrap_or(0);
        search.step(0, 0, first, 0);
        search.best
    }
    /// Serves `left` more pieces of `line` from the places at and after `at`.
    fn step(&mut self, line: usize, at: usize, left: i64, cost: i64) {
        self.nodes += 1;
        if self.nodes > NODES_MAX || self.best.as_ref().is_some_and(|(best, _)| cost >= *best) {
            return;
        }
        if line == self.problem.need.len() {
            self.best = Some((cost, self.taken.clone()));
            return;
        }
        if left == 0 {
            let next = self.problem.need.get(line + 1).copied().unwrap_or(0);
            return self.step(line + 1, 0, next, cost);
        }
        if at == self.open.len() {
            return;
        }
        let (choice, components) = (self.open[at], self.problem.components);
        let cell = self.problem.cell(choice, line);
        let shelf = |component: usize| at * components + component;
        let most = self.problem.parts[line].iter().map(|(c, each)| self.stock[shelf(*c)] / each).min().unwrap_or(0);
        let most = if cell.available == 0 { 0 } else { most.min(left).min(self.capacity[at]) };
        for quantity in (0..=most).rev() {
            let parts = &self.problem.parts[line];
            for (component, each) in parts {
                self.stock[shelf(*component)] -= each * quantity;
            }
            self.capacity[at] -= quantity;
            if quantity > 0 {
                self.taken.push(Piece { line, choice, quantity });
            }
            self.step(line, at + 1, left - quantity, cost + cell.cost * quantity);
            if quantity > 0 {
                self.taken.pop();
            }
            self.capacity[at] += quantity;
            for (component, each) in &self.problem.parts[line] {
                self.stock[shelf(*component)] += each * quantity;
            }
        }
    }
}
