//! Working time: open hours without pauses, compiled over a stretch of days.
use super::disruption::{Pause, PauseKind};
use super::hours::Hours;
use base::DAY_US;

/// When a place works, as moments. Made once for a place and asked often: each answer is a search in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkTime {
    /// (from, until, work before `from`), sorted, apart from each other.
    spans: Vec<(i64, i64, i64)>,
    pauses: Vec<Pause>,
}

impl WorkTime {
    /// Open hours from `from_us` on, over `days` days, without the pauses.
    pub fn compile(hours: &Hours, pauses: &[Pause], from_us: i64, days: u16) -> Self {
        let mut pauses: Vec<Pause> = pauses.iter().filter(|p| p.until_us > p.from_us).copied().collect();
        pauses.sort_unstable_by_key(|p| (p.from_us, p.until_us));
        let (first, _) = hours.local(from_us);
        let end = from_us.saturating_add(i64::from(days) * DAY_US);
        let mut spans: Vec<(i64, i64, i64)> = Vec::new();
        let mut work = 0;
        let mut day = first;
        let mut next_pause = 0;
        for _ in 0..=days {
            for (from, until) in hours.moments(day) {
                let (mut from, until) = (from.max(from_us), until.min(end));
                while next_pause < pauses.len() && pauses[next_pause].until_us <= from {
                    next_pause += 1;
                }
                // Pauses may overlap each other, so each only moves `from` on.
                for pause in &pauses[next_pause..] {
                    if pause.from_us >= until || from >= until {
                        break;
                    }
                    if pause.from_us > from {
                        push(&mut spans, &mut work, from, pause.from_us);
                    }
                    from = from.max(pause.until_us);
                }
                if from < until {
                    push(&mut spans, &mut work, from, until);
                }
            }
            let Ok(tomorrow) = day.tomorrow() else { break };
            day = tomorrow;
        }
        WorkTime { spans, pauses }
    }

    /// The first moment at or after `at_us` that is open.
    pub fn next_open(&self, at_us: i64) -> Option<i64> {
        let at = self.spans.partition_point(|(_, until, _)| *until <= at_us);
        self.spans.get(at).map(|(from, _, _)| (*from).max(at_us))
    }
    /// Whether it is open at a moment.
    pub fn is_open(&self, at_us: i64) -> bool {
        self.next_open(at_us) == Some(at_us)
    }
    /// Work that is done until a moment, counted from the beginning.
    fn done(&self, at_us: i64) -> i64 {
        let at = self.spans.partition_point(|(from, _, _)| *from <= at_us);
        match at.checked_sub(1).map(|at| self.spans[at]) {
            Some((from, until, before)) => before + at_us.min(until) - from,
            None => 0,
        }
    }
    /// The moment when work begun at `start_us` has lasted `work_us`; work of nothing ends when it can begin. `None` when that is
    /// beyond what was compiled.
    pub fn add(&self, start_us: i64, work_us: i64) -> Option<i64> {
        if work_us <= 0 {
            return self.next_open(start_us);
        }
        let goal = self.done(start_us).saturating_add(work_us);
        let at = self.spans.partition_point(|(from, until, before)| before + (until - from) < goal);
        self.spans.get(at).map(|(from, _, before)| from + (goal - before))
    }
    /// Working time between two moments; 0 when the second is not later.
    pub fn between(&self, from_us: i64, until_us: i64) -> i64 {
        (self.done(until_us) - self.done(from_us)).max(0)
    }
    /// What keeps a place that is paused at this moment.
    pub fn paused_by(&self, at_us: i64) -> Option<PauseKind> {
        self.pauses.iter().find(|p| p.from_us <= at_us && at_us < p.until_us).map(|p| p.kind)
    }
    /// Pauses that lie between two moments.
    pub fn pauses(&self, from_us: i64, until_us: i64) -> impl Iterator<Item = &Pause> {
        self.pauses.iter().filter(move |p| p.from_us < until_us && p.until_us > from_us)
    }
}

fn push(spans: &mut Vec<(i64, i64, i64)>, work: &mut i64, from: i64, until: i64) {
    match spans.last_mut() {
        Some(last) if last.1 == from => last.1 = until,
        _ => spans.push((from, until, *work)),
    }
    *work += until - from;
}
