//! What a price was: the series of what everybody was asked, and the earlier price beside a reduction.
use super::model::{Ask, Entry};
use super::select::{Lists, quote};
use base::{DAY_US, Timestamp};

/// From when a price held; `None` while there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub from: Timestamp,
    pub minor: Option<i64>,
}

/// A reduced price with what the law wants to stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reduction {
    /// What is asked now.
    pub minor: i64,
    /// Since when: the announcement.
    pub since: Timestamp,
    /// What was asked just before.
    pub previous: i64,
    /// The lowest that was asked in the days before the announcement.
    pub lowest: i64,
}

/// What everybody was asked from `from` to `ask.at`, as a series of changes; the first point stands at `from`. Personal prices
/// and those of segments are nobody's else business: the question is asked without customer.
pub fn series(lists: &Lists, entries: &[Entry], ask: &Ask, from: Timestamp) -> Vec<Point> {
    let mut moments: Vec<Timestamp> = entries.iter().flat_map(|e| [e.starts_at, e.ends_at]).collect();
    moments.extend(lists.moments());
    moments.push(from);
    moments.retain(|at| (from..=ask.at).contains(at));
    moments.sort_unstable();
    moments.dedup();
    let mut out: Vec<Point> = Vec::new();
    for at in moments {
        let public = Ask { customer: None, segments: Vec::new(), at, ..ask.clone() };
        let minor = quote(lists, entries, &public).map(|q| q.minor);
        if out.last().is_none_or(|last| last.minor != minor) {
            out.push(Point { from: at, minor });
        }
    }
    out
}

/// Whether what is asked now is a reduction, and of what: the lowest price of `days` before it was announced (Directive
/// 98/6/EC, article 6a). A price that was never higher just before is no reduction.
pub fn reduction(lists: &Lists, entries: &[Entry], ask: &Ask, days: i64) -> Option<Reduction> {
    let all = series(lists, entries, ask, Timestamp::from_micros(i64::MIN));
    let (last, before) = all.split_last()?;
    let (minor, previous) = (last.minor?, before.last()?.minor?);
    if previous <= minor {
        return None;
    }
    let window = last.from.plus(-days.saturating_mul(DAY_US));
    let lowest = before
        .iter()
        .enumerate()
        // What held when the window began counts too.
        .filter(|(nth, _)| before.get(nth + 1).is_none_or(|next| next.from > window))
        .filter_map(|(_, point)| point.minor)
        .min()?;
    Some(Reduction { minor, since: last.from, previous, lowest })
}
