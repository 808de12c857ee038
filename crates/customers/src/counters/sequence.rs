//! "One event and then, or then not, another": the times that decide it.
//!
//! "Then" means later and at most `within` later: `first < then ≤ first + within`. Only times are kept, and of dense
//! times only the outermost of each cell of length `within`: between two points of one cell there is no gap that the two
//! together do not cover, so what the inner points could match, the outer ones match too.

/// Times kept on each side. Beyond it the oldest are forgotten: a pair, or an unanswered first event, older than the
/// newest 1,024 kept times may then be missed when its other half arrives late. What was found stays found.
pub const TIMES_MAX: usize = 1_024;

/// What is known of a sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// A pair was seen. Nothing can undo that, so then nothing else is kept. Always false for "then not".
    pub found: bool,
    /// Times of first events, ascending; for "then not" those that no second event answers.
    pub first: Vec<i64>,
    /// Times of second events, ascending.
    pub then: Vec<i64>,
}

impl Sequence {
    /// Adds an event of the first role.
    pub fn insert_first(&mut self, at: i64, within: i64, negated: bool) {
        if self.found {
            return;
        }
        let next = self.then.partition_point(|t| *t <= at);
        let answered = self.then.get(next).is_some_and(|then| *then <= at.saturating_add(within));
        match (answered, negated) {
            (true, false) => self.settle(),
            (true, true) => {}
            (false, false) => insert_outermost(&mut self.first, at, within),
            (false, true) => insert(&mut self.first, at),
        }
    }

    /// Adds an event of the second role.
    pub fn insert_then(&mut self, at: i64, within: i64, negated: bool) {
        if self.found {
            return;
        }
        let from = self.first.partition_point(|t| *t < at.saturating_sub(within));
        let to = self.first.partition_point(|t| *t < at);
        if from < to && !negated {
            return self.settle();
        }
        self.first.drain(from..to);
        insert_outermost(&mut self.then, at, within);
    }

    /// Adds what another part of the events showed.
    pub fn merge(&mut self, other: &Sequence, within: i64, negated: bool) {
        if other.found {
            self.settle();
        }
        for at in &other.then {
            self.insert_then(*at, within, negated);
        }
        for at in &other.first {
            self.insert_first(*at, within, negated);
        }
    }

    fn settle(&mut self) {
        *self = Self { found: true, first: Vec::new(), then: Vec::new() };
    }
}

fn insert(times: &mut Vec<i64>, at: i64) {
    let place = times.partition_point(|t| *t < at);
    if times.get(place) != Some(&at) {
        times.insert(place, at);
        forget(times);
    }
}

/// Inserts and keeps only the first and the last time of the cell.
fn insert_outermost(times: &mut Vec<i64>, at: i64, within: i64) {
    let cell = at.div_euclid(within);
    let from = times.partition_point(|t| t.div_euclid(within) < cell);
    let to = times.partition_point(|t| t.div_euclid(within) <= cell);
    match times[from..to] {
        [] => times.insert(from, at),
        [only] if at < only => times.insert(from, at),
        [only] if at > only => times.insert(to, at),
        [low, ..] if at < low => times[from] = at,
        [.., high] if at > high => times[to - 1] = at,
        _ => {}
    }
    forget(times);
}

fn forget(times: &mut Vec<i64>) {
    if times.len() > TIMES_MAX {
        times.drain(..times.len() - TIMES_MAX);
    }
}
