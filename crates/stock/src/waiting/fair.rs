//! Whose turn it is: pure. First come, first served, and nobody is overtaken.
use base::Quantity;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    pub quantity: Quantity,
    /// Places from which they can be served.
    pub places: Vec<i64>,
    /// Kept back from their channel at each place.
    pub buffer: Quantity,
}

/// What somebody gets: from which places, and how much.
pub type Turn = Vec<(i64, Quantity)>;

/// Serves a line, in its order, from what is free at each place; `None` for those who wait on.
///
/// Who cannot be served whole waits, and keeps everybody behind from the places that could serve them: three pieces that
/// somebody waits for are not sold one by one to others. Somebody further behind is served only from places that serve nobody
/// before them.
pub fn turns(line: &[Waiter], free: &BTreeMap<i64, Quantity>) -> Vec<Option<Turn>> {
    let mut free = free.clone();
    let mut kept: BTreeSet<i64> = BTreeSet::new();
    line.iter()
        .map(|waiter| {
            let mut open: Vec<(i64, Quantity)> = waiter
                .places
                .iter()
                .filter(|place| !kept.contains(place))
                .map(|place| (*place, free.get(place).map_or(Quantity::ZERO, |f| (*f - waiter.buffer).or_none())))
                .filter(|(_, there)| there.is_positive())
                .collect();
            // One place for all if there is one, else those with most.
            open.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            let all: Quantity = open.iter().map(|(_, there)| *there).sum();
            if all < waiter.quantity || !waiter.quantity.is_positive() {
                kept.extend(&waiter.places);
                return None;
            }
            let mut left = waiter.quantity;
            let mut turn = Vec::new();
            for (place, there) in open {
                let part = there.min(left);
                if part.is_positive() {
                    left -= part;
                    turn.push((place, part));
                    if let Some(known) = free.get_mut(&place) {
                        *known -= part;
                    }
                }
            }
            Some(turn)
        })
        .collect()
}
