//! A lower bound on what serving all lines can cost, by Lagrange multipliers on the lines' pieces.
//!
//! A plan pays `F` for each parcel and `c` for each piece, takes at most `a` pieces of a line from a parcel, and serves `Q` of
//! each line. With a price `v` for a piece of each line, L(v) = Σ Q·v − Σ over parcels of what they would earn, is a lower bound
//! for any v: a paid parcel earns Σ a·max(0, v − c), an open question max(0, that − F). Started with F shared over all the pieces
//! that a parcel could give, then raised line by line to the exact maximum of L in that line (dual ascent). Source: Erlenkotter,
//! "A dual-based procedure for uncapacitated facility location", Operations Research 26 (1978), with the bounds on x of
//! Nauss, "An improved algorithm for the capacitated facility location problem", J. Opl Res. Soc. 29 (1978).
use super::problem::Problem;

/// What is decided about a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not yet.
    Free,
    /// It sends a parcel.
    Open,
    /// It does not.
    Closed,
}

/// Room for the computation, kept between nodes.
#[derive(Debug, Default)]
pub struct Bound {
    /// The price of a piece of each line.
    pub price: Vec<i64>,
    /// For each choice: what is left of its fixed cost; at or below zero it would earn.
    pub slack: Vec<i64>,
    offers: Vec<(i64, i64)>,
}

const ROUNDS: usize = 2;

impl Bound {
    /// The bound, without late costs; `None` when the lines cannot all be served. `alive` lists the choices that count.
    pub fn compute(&mut self, problem: &Problem, state: &[State], alive: &[usize]) -> Option<i64> {
        let lines = problem.need.len();
        self.price.clear();
        self.price.resize(lines, 0);
        self.slack.clear();
        self.slack.resize(problem.choices.len(), 0);
        for choice in alive {
            let row: i64 = problem.row(*choice).iter().map(|c| c.available).sum();
            let room = row.min(problem.choices[*choice].capacity);
            // Shared over the pieces that it could give: rounded down, so that the sum never exceeds the fixed cost.
            let share = if state[*choice] == State::Open { 0 } else { problem.choices[*choice].fixed / room.max(1) };
            self.slack[*choice] = share;
        }
        for line in 0..lines {
            self.offers.clear();
            for choice in alive {
                let cell = problem.cell(*choice, line);
                if cell.available > 0 {
                    self.offers.push((cell.cost + self.slack[*choice], cell.available));
                }
            }
            self.price[line] = quantile(&mut self.offers, problem.need[line])?;
        }
        for choice in alive {
            let earned = self.earned(problem, *choice, None);
            self.slack[*choice] =
                if state[*choice] == State::Open { 0 } else { problem.choices[*choice].fixed } - earned;
        }
        for round in 0..ROUNDS {
            for step in 0..lines {
                let line = if round % 2 == 0 { step } else { lines - 1 - step };
                self.raise(problem, state, alive, line);
            }
        }
        let paid: i64 = alive.iter().filter(|c| state[**c] == State::Open).map(|c| problem.choices[*c].fixed).sum();
        let served: i64 = problem.need.iter().zip(&self.price).map(|(need, price)| need * price).sum();
        let given: i64 = alive.iter().map(|c| (-self.slack[*c]).max(0)).sum();
        Some(paid + served - given)
    }

    /// Moves the price of one line to the maximum of the bound, the others fixed.
    fn raise(&mut self, problem: &Problem, state: &[State], alive: &[usize], line: usize) {
        self.offers.clear();
        let price = self.price[line];
        for choice in alive {
            let cell = problem.cell(*choice, line);
            if cell.available > 0 {
                // From here on a higher price is paid out again.
                let room = if state[*choice] == State::Open {
                    0
                } else if problem.tight[*choice] {
                    let others = self.earned(problem, *choice, Some((line, cell.available)));
                    (problem.choices[*choice].fixed - others).max(0) / cell.available
                } else {
                    let without = self.slack[*choice] + cell.available * (price - cell.cost).max(0);
                    without.max(0) / cell.available
                };
                self.offers.push((cell.cost + room, cell.available));
            }
        }
        let Some(best) = quantile(&mut self.offers, problem.need[line]) else { return };
        if best == price {
            return;
        }
        self.price[line] = best;
        for choice in alive {
            let cell = problem.cell(*choice, line);
            if cell.available > 0 {
                if problem.tight[*choice] {
                    let fixed = if state[*choice] == State::Open { 0 } else { problem.choices[*choice].fixed };
                    self.slack[*choice] = fixed - self.earned(problem, *choice, None);
                } else {
                    let change = (best - cell.cost).max(0) - (price - cell.cost).max(0);
                    self.slack[*choice] -= cell.available * change;
                }
            }
        }
    }

    /// What a parcel earns at the prices: its best pieces, as many as the place can pick; `without` a line and the pieces
    /// kept for it.
    fn earned(&self, problem: &Problem, choice: usize, without: Option<(usize, i64)>) -> i64 {
        let row = problem.row(choice);
        let profit = |line: usize| (self.price[line] - row[line].cost).max(0);
        if !problem.tight[choice] {
            return (0..row.len()).map(|line| row[line].available * profit(line)).sum();
        }
        let mut room = problem.choices[choice].capacity - without.map_or(0, |(_, kept)| kept);
        let mut offers: Vec<(i64, i64)> = (0..row.len())
            .filter(|line| without.is_none_or(|(left_out, _)| left_out != *line))
            .map(|line| (profit(line), row[line].available))
            .filter(|(profit, available)| *profit > 0 && *available > 0)
            .collect();
        offers.sort_unstable_by_key(|(profit, _)| -profit);
        let mut sum = 0;
        for (profit, available) in offers {
            let pieces = available.min(room);
            sum += profit * pieces;
            room -= pieces;
            if room <= 0 {
                break;
            }
        }
        sum
    }
}

/// The price at which the offers below it suffice for `need`.
fn quantile(offers: &mut [(i64, i64)], need: i64) -> Option<i64> {
    // Mostly one offer suffices for all: then only cheaper ones matter.
    let whole = offers.iter().filter(|(_, a)| *a >= need).map(|(b, _)| *b).min();
    let mut small: Vec<(i64, i64)> =
        offers.iter().copied().filter(|(b, a)| *a < need && whole.is_none_or(|w| *b < w)).collect();
    small.sort_unstable();
    let mut sum = 0;
    for (at, available) in small {
        sum += available;
        if sum >= need {
            return Some(at);
        }
    }
    whole
}
