//! Sets a price into the time of its like: entries of one variant, list, currency and quantity.
use super::model::Entry;
use base::Timestamp;

/// A price to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// `None`: no price.
    pub minor: Option<i64>,
    pub compare_at: Option<i64>,
    pub from: Timestamp,
    /// Without an end the price holds until the next one that is scheduled.
    pub until: Option<Timestamp>,
}

/// What setting a price does to what was there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Set {
    /// Entries that get another time, by id. An entry whose time is empty never held.
    pub moved: Vec<(i64, Timestamp, Timestamp)>,
    /// What is new: the price itself, and what comes back after its end.
    pub new: Vec<Span>,
}

/// Sets `span` among `existing`, which do not overlap. Nothing before `span.from` changes.
///
/// Without an end it holds until the next scheduled price begins, which stays as it is; a price that was to begin at the very
/// same moment is replaced. With an end, what was to hold at that end comes back then, and what lay wholly inside never holds.
pub fn set(existing: &[Entry], span: &Span) -> Set {
    let mut out = Set::default();
    let live = |e: &&Entry| e.starts_at < e.ends_at;
    let next = existing.iter().filter(live).map(|e| e.starts_at).filter(|at| *at > span.from).min();
    let until = span.until.or(next).unwrap_or(super::model::NEVER);
    for entry in existing.iter().filter(live).filter(|e| e.ends_at > span.from && e.starts_at < until) {
        if entry.starts_at < span.from {
            out.moved.push((entry.id, entry.starts_at, span.from));
        } else if entry.ends_at > until {
            // It begins later, which no one has seen yet.
            out.moved.push((entry.id, until, entry.ends_at));
        } else {
            out.moved.push((entry.id, entry.starts_at, entry.starts_at));
        }
        if entry.starts_at < span.from && entry.ends_at > until {
            let (minor, compare_at) = (entry.minor, entry.compare_at);
            out.new.push(Span { minor, compare_at, from: until, until: Some(entry.ends_at) });
        }
    }
    out.new.push(Span { until: Some(until), ..span.clone() });
    out
}
