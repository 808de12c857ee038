//! Lists of trailing windows: each insertion keeps them sorted, pruned to the span before their newest entry, and bounded.
use super::summary::Register;
use base::Decimal;
use db::event::Scalar;

/// Entries that one window keeps. Beyond it the oldest are forgotten: a sum, or a first value, then speaks of the newest
/// 10,000 moments of the window only.
pub const ENTRIES_MAX: usize = 10_000;

/// Drops what lies a whole span before the newest entry, and what is over the limit. `at` gives an entry's time.
fn prune<T>(entries: &mut Vec<T>, span_us: i64, at: impl Fn(&T) -> i64) {
    let Some(newest) = entries.last().map(&at) else { return };
    let start = newest.saturating_sub(span_us);
    // In the usual case nothing goes, and one look at the oldest says so.
    let mut drop = entries.len().saturating_sub(ENTRIES_MAX);
    if entries.first().is_some_and(|oldest| at(oldest) <= start) {
        drop = drop.max(entries.partition_point(|entry| at(entry) <= start));
    }
    entries.drain(..drop);
}

/// Adds to the total of a moment.
pub fn insert_sum(entries: &mut Vec<(i64, Decimal)>, at: i64, total: Decimal, span_us: i64) {
    let place = entries.partition_point(|(t, _)| *t < at);
    match entries.get_mut(place) {
        Some((t, held)) if *t == at => *held = held.plus(total),
        _ => entries.insert(place, (at, total)),
    }
    prune(entries, span_us, |(t, _)| *t);
}

/// Adds a value unless one at or after its time is at least as good, and drops those that it outdoes.
pub fn insert_extreme(entries: &mut Vec<(i64, Scalar)>, at: i64, value: &Scalar, greatest: bool, span_us: i64) {
    let as_good = |a: &Scalar, b: &Scalar| if greatest { a >= b } else { a <= b };
    // Values get strictly worse with time, so the first entry at or after `at` is the best of them.
    let place = entries.partition_point(|(t, _)| *t < at);
    if entries.get(place).is_some_and(|(_, held)| as_good(held, value)) {
        return;
    }
    // An entry of the same moment is worse and goes too.
    let end = place + usize::from(entries.get(place).is_some_and(|(t, _)| *t == at));
    let start = entries[..place].partition_point(|(_, held)| !as_good(value, held));
    entries.splice(start..end, [(at, value.clone())]);
    prune(entries, span_us, |(t, _)| *t);
}

/// Adds an event.
pub fn insert_register(entries: &mut Vec<Register>, new: Register, span_us: i64) {
    let place = entries.partition_point(|held| *held < new);
    entries.insert(place, new);
    prune(entries, span_us, |entry| entry.at);
}

/// Adds a value, or renews the time at which it was seen; the `k` seen last stay.
pub fn insert_distinct(entries: &mut Vec<(i64, Scalar)>, at: i64, value: &Scalar, k: usize, span_us: i64) {
    if let Some(held) = entries.iter().position(|(_, v)| v == value) {
        if entries[held].0 >= at {
            return;
        }
        entries.remove(held);
    }
    let new = (at, value.clone());
    let place = entries.partition_point(|entry| *entry < new);
    entries.insert(place, new);
    entries.drain(..entries.len().saturating_sub(k));
    prune(entries, span_us, |(t, _)| *t);
}
