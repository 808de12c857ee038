//! One order as numbers: what each lane could give to each line, and what that costs.
//!
//! Costs are thousandths of a minor unit, shifted left by [`Problem::shift`] bits; the bits below hold the lanes' numbers, so
//! that of equal costs the smaller sum of numbers wins by plain comparison.
use super::ledger::{Ledger, Limits};
use super::model::{LocationIndex, Order, Weights};
use super::rules::Said;

/// No capacity limit.
pub const UNLIMITED: i64 = i64::MAX / 4;

/// A lane that could send a parcel.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub location: LocationIndex,
    /// Position in its zone.
    pub lane: usize,
    /// What the parcel costs before its content, shifted.
    pub fixed: i64,
    pub days: u32,
    /// Pieces that the place can still pick.
    pub capacity: i64,
}

/// What a choice could give to a line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cell {
    /// Pieces, at most what the line wants.
    pub available: i64,
    /// For each, shifted.
    pub cost: i64,
    /// What the last of them costs more, because it empties the shelf.
    pub last: i64,
}

/// One order, or some of its lines.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Positions of the lines in the order.
    pub lines: Vec<usize>,
    pub need: Vec<i64>,
    pub units: i64,
    pub choices: Vec<Choice>,
    cells: Vec<Cell>,
    /// Whether a choice's place can pick fewer pieces than it could give.
    pub tight: Vec<bool>,
    /// Different SKUs.
    pub components: usize,
    /// What a piece of each line is made of: (component, pieces).
    pub parts: Vec<Vec<(usize, i64)>>,
    /// The only component of a line that is no kit.
    pub component_of: Vec<usize>,
    shelves: Vec<i64>,
    last: Vec<i64>,
    /// Two lines want one SKU.
    pub lines_share: bool,
    /// One of those is a kit.
    pub kits_share: bool,
    /// Components that kits use.
    pub kit_component: Vec<bool>,
    pub shift: u32,
    /// What stands too much in the fixed cost of one parcel, not shifted.
    pub split_milli: i64,
    /// What days cost, shifted: (days, cost), growing.
    pub levels: Vec<(u32, i64)>,
    /// Whether any lane goes to the zone, any place holds enough of each line, and rules leave any: for reasons.
    pub hopes: Vec<Hope>,
}

/// What there would be for a line, before capacity.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hope {
    pub stock: i64,
    pub allowed_stock: i64,
    pub available: i64,
}

impl Problem {
    pub fn cell(&self, choice: usize, line: usize) -> &Cell {
        &self.cells[choice * self.need.len() + line]
    }
    pub fn row(&self, choice: usize) -> &[Cell] {
        &self.cells[choice * self.need.len()..(choice + 1) * self.need.len()]
    }
    /// Pieces of a SKU at a choice.
    pub fn shelf(&self, choice: usize, component: usize) -> i64 {
        self.shelves[choice * self.components + component]
    }
    /// What the last piece of a SKU costs more at a choice.
    pub fn last(&self, choice: usize) -> i64 {
        self.last[choice]
    }

    /// What the lateness of a parcel of so many days costs, shifted.
    pub fn late(&self, days: u32) -> i64 {
        self.levels.iter().find(|(most, _)| days <= *most).map_or(0, |(_, late)| *late)
    }

    /// What `order` could be served with from what is left.
    pub fn build(order: &Order, ledger: &Ledger<'_>, limits: &Limits, said: &Said<'_>, weights: &Weights) -> Problem {
        let network = ledger.network;
        let lanes = network.lanes(&order.zone);
        let count = order.lines.len();
        let mut names: Vec<&str> = Vec::new();
        let mut skus = Vec::new();
        let mut parts: Vec<Vec<(usize, i64)>> = Vec::with_capacity(count);
        for line in &order.lines {
            let mut of_line: Vec<(usize, i64)> = Vec::with_capacity(1);
            for component in &line.components {
                let at = names.iter().position(|n| *n == component.name).unwrap_or_else(|| {
                    names.push(&component.name);
                    skus.push(component.sku);
                    names.len() - 1
                });
                match of_line.iter_mut().find(|(c, _)| *c == at) {
                    Some((_, quantity)) => *quantity += component.quantity,
                    None => of_line.push((at, component.quantity)),
                }
            }
            parts.push(of_line);
        }
        let components = names.len();
        let need: Vec<i64> = order.lines.iter().map(|l| l.quantity).collect();
        let units: i64 = need.iter().sum();
        let simple = |line: usize| parts[line].len() == 1 && parts[line][0].1 == 1;
        let mut problem = Problem {
            lines: (0..count).collect(),
            units,
            choices: Vec::with_capacity(lanes.len()),
            cells: Vec::with_capacity(lanes.len() * count),
            tight: Vec::new(),
            components,
            component_of: parts.iter().map(|p| p.first().map_or(0, |(c, _)| *c)).collect(),
            shelves: Vec::with_capacity(lanes.len() * components),
            last: Vec::with_capacity(lanes.len()),
            lines_share: false,
            kits_share: false,
            kit_component: Vec::new(),
            shift: 0,
            split_milli: 1_000 * order.split_penalty_minor,
            levels: Vec::new(),
            hopes: vec![Hope::default(); count],
            need,
            parts: Vec::new(),
        };
        let mut cursors = vec![0usize; components];
        let (day, hour) = (ledger.taken_day(order), ledger.taken_hour(order));
        let mut shelf = vec![0i64; components];
        let mut raw = vec![(0i64, 0i64); count];
        let (mut before, mut capacity, mut penalty) = (LocationIndex::MAX, 0, 0);
        let mut fixed_milli = Vec::with_capacity(lanes.len());
        for (number, lane) in lanes.iter().enumerate() {
            let at = lane.from as usize;
            let location = &network.locations[at];
            let fresh = before != lane.from;
            if fresh {
                before = lane.from;
                for (component, sku) in skus.iter().enumerate() {
                    let list = sku.map_or(&[][..], |sku| ledger.shelves(sku));
                    let cursor = &mut cursors[component];
                    while *cursor < list.len() && list[*cursor].0 < lane.from {
                        *cursor += 1;
                    }
                    let here = list.get(*cursor).filter(|(l, _)| *l == lane.from).map_or(0, |(_, q)| *q);
                    let most =
                        sku.map_or(0, |sku| if limits.0.is_empty() { here } else { limits.stock(lane.from, sku) });
                    shelf[component] = if location.down { 0 } else { here.min(most).max(0) };
                }
                let taken = |taken: Option<&[i64]>| taken.map_or(0, |t| t[at]);
                let by_day = location.capacity_per_day.map_or(UNLIMITED, |most| most - taken(day));
                let by_hour = location.capacity_per_hour.map_or(UNLIMITED, |most| most - taken(hour));
                let by_rule = if said.silent() { None } else { said.cap(location) };
                let by_rule = by_rule.map_or(UNLIMITED, |most| most - taken(day));
                capacity = by_day.min(by_hour).min(by_rule).min(limits.capacity(lane.from)).max(0);
                penalty = if said.silent() { 0 } else { said.penalty_minor(location) };
            }
            let mut any = false;
            for (line, wanted) in order.lines.iter().enumerate() {
                let stock = parts[line].iter().map(|(c, each)| shelf[*c] / each).min().unwrap_or(0);
                let allowed = stock > 0 && (said.silent() || said.allows(location, wanted));
                let hope = &mut problem.hopes[line];
                let available = if allowed { stock.min(wanted.quantity).min(capacity) } else { 0 };
                if fresh {
                    hope.stock += stock;
                    hope.allowed_stock += if allowed { stock } else { 0 };
                    hope.available += available;
                }
                any |= available > 0;
                raw[line] = (available, 1_000 * location.handling_minor + lane.per_kg_minor * wanted.weight_g);
            }
            if !any {
                continue;
            }
            let co2 = lane.co2_g * weights.co2_minor_per_kg;
            fixed_milli.push(1_000 * (lane.first_parcel_minor + order.split_penalty_minor + penalty) + co2);
            problem.choices.push(Choice { location: lane.from, lane: number, fixed: 0, days: lane.days, capacity });
            let last = if weights.last_piece { 1_000 * location.last_piece_minor.max(0) } else { 0 };
            problem.last.push(last);
            problem.shelves.extend(&shelf);
            for (line, (available, cost)) in raw.iter().enumerate() {
                let empties = last > 0 && simple(line) && *available == shelf[problem.component_of[line]];
                let last = if empties && *available > 0 { last } else { 0 };
                problem.cells.push(Cell { available: *available, cost: *cost, last });
            }
        }
        problem.parts = parts;
        problem.note_tight();
        problem.note_sharing();
        problem.note_levels(order);
        problem.scale(&fixed_milli);
        problem
    }

    fn note_tight(&mut self) {
        let tight = |choice: usize| {
            let gives: i64 = self.row(choice).iter().map(|c| c.available).sum();
            gives > self.choices[choice].capacity
        };
        self.tight = (0..self.choices.len()).map(tight).collect();
    }

    fn note_sharing(&mut self) {
        let mut users = vec![(0, false); self.components];
        for parts in &self.parts {
            let kit = parts.len() != 1 || parts[0].1 != 1;
            for (component, _) in parts {
                users[*component].0 += 1;
                users[*component].1 |= kit;
            }
        }
        self.lines_share = users.iter().any(|(count, _)| *count > 1);
        self.kits_share = users.iter().any(|(count, kit)| *count > 1 && *kit);
        self.kit_component = users.iter().map(|(_, kit)| *kit).collect();
    }

    fn note_levels(&mut self, order: &Order) {
        let penalty = order.late_penalty_minor_per_day;
        let late = |days: u32| if penalty == 0 { 0 } else { days.saturating_sub(order.promised_days) };
        let mut days: Vec<u32> = self.choices.iter().map(|c| late(c.days)).collect();
        days.sort_unstable();
        days.dedup();
        let most = self.choices.iter().map(|c| c.days).max().unwrap_or(0);
        let day = |late: u32| if penalty == 0 { most } else { order.promised_days + late };
        self.levels = days.into_iter().map(|late| (day(late), 1_000 * penalty * i64::from(late))).collect();
    }

    /// Chooses the shift, so that the worst plan still fits into 62 bits, and shifts.
    fn scale(&mut self, fixed_milli: &[i64]) {
        let most =
            |line: usize| (0..self.choices.len()).map(|c| self.cell(c, line).cost + self.cell(c, line).last).max();
        let content = |(line, need): (usize, &i64)| i128::from(*need) * i128::from(most(line).unwrap_or(0));
        let parcels = self.units.min(self.choices.len() as i64);
        let worst = self.need.iter().enumerate().map(content).sum::<i128>()
            + i128::from(parcels) * i128::from(fixed_milli.iter().copied().max().unwrap_or(0))
            + i128::from(self.levels.last().map_or(0, |(_, late)| *late))
            + 1;
        self.shift = (0..=20).rev().find(|shift| worst << shift < 1 << 61).unwrap_or(0);
        let lanes = self.choices.last().map_or(0, |c| c.lane as i64 + 1);
        // Sums of numbers must stay below the costs.
        let numbered = parcels * lanes < 1 << self.shift;
        for (choice, fixed) in self.choices.iter_mut().zip(fixed_milli) {
            let number = if numbered { choice.lane as i64 + 1 } else { 0 };
            choice.fixed = (fixed << self.shift) + number;
        }
        for cell in &mut self.cells {
            cell.cost <<= self.shift;
            cell.last <<= self.shift;
        }
        for last in &mut self.last {
            *last <<= self.shift;
        }
        for (_, late) in &mut self.levels {
            *late <<= self.shift;
        }
    }

    /// The same with some of its lines only; `keep` are positions in this problem.
    pub fn narrow(&self, keep: &[usize]) -> Problem {
        let mut out = self.clone();
        out.lines = keep.iter().map(|l| self.lines[*l]).collect();
        out.need = keep.iter().map(|l| self.need[*l]).collect();
        out.units = out.need.iter().sum();
        out.parts = keep.iter().map(|l| self.parts[*l].clone()).collect();
        out.component_of = keep.iter().map(|l| self.component_of[*l]).collect();
        out.cells = (0..self.choices.len()).flat_map(|c| keep.iter().map(move |l| *self.cell(c, *l))).collect();
        out.note_tight();
        let mut users = vec![(0, false); self.components];
        for parts in &out.parts {
            for (component, _) in parts {
                users[*component].0 += 1;
                users[*component].1 |= parts.len() != 1 || parts[0].1 != 1;
            }
        }
        out.lines_share = users.iter().any(|(count, _)| *count > 1);
        out.kits_share = users.iter().any(|(count, kit)| *count > 1 && *kit);
        out
    }
}
