//! Which runs are merged: pure.
use super::run::Head;
use base::DAY_US;

/// Runs of one level that become one.
pub(super) const FAN_IN: usize = 6;

/// The runs, by number, to be merged next. Neighbours in time of one level, the oldest first; those that expire only while
/// the result is dropped at most a tenth of the window late.
pub(super) fn choose(runs: &[&Head], dedup_days: i64) -> Option<Vec<i64>> {
    let mut sorted: Vec<&&Head> = runs.iter().collect();
    sorted.sort_by_key(|h| (h.keep_for_ever, h.level, h.newest_at, h.run));
    let span_max = dedup_days * DAY_US / 10;
    let fits = |window: &[&&Head]| {
        let oldest = window.iter().map(|h| h.oldest_at.micros()).min().unwrap_or(0);
        let newest = window.iter().map(|h| h.newest_at.micros()).max().unwrap_or(0);
        window[0].keep_for_ever || newest - oldest <= span_max
    };
    sorted
        .chunk_by(|a, b| (a.keep_for_ever, a.level) == (b.keep_for_ever, b.level))
        .filter(|same| same.len() >= FAN_IN)
        // Fewer where six would span too much: a level of runs that never merge would grow with the window.
        .find_map(|same| (3..=FAN_IN).rev().find_map(|many| same.windows(many).find(|window| fits(window))))
        .map(|window| window.iter().map(|h| h.run).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{HOUR_US, Timestamp};

    fn head(run: i64, level: i64, from: i64, to: i64, keep_for_ever: bool) -> Head {
        let at = Timestamp::from_micros;
        let (oldest_at, newest_at) = (at(from), at(to));
        Head { run, level, count: 1, pages: 1, upto_seq: 1, oldest_at, newest_at, keep_for_ever }
    }

    #[test]
    fn ninety_days_of_runs_stay_few_and_none_outlives_its_window_by_much() {
        // Twelve runs a day, as twenty million events make; imports in between.
        let (mut runs, mut number): (Vec<Head>, i64) = (Vec::new(), 0);
        let (mut most, mut merged_ids) = (0, 0u64);
        let mut weights: std::collections::HashMap<i64, u64> = Default::default();
        for step in 0..90 * 12i64 {
            let (from, to) = (step * 2 * HOUR_US, (step + 1) * 2 * HOUR_US);
            number += 1;
            runs.push(head(number, 0, from, to, step % 40 == 7));
            weights.insert(number, 1);
            runs.retain(|r| r.keep_for_ever || r.newest_at.micros() >= to - 30 * DAY_US);
            let refs: Vec<&Head> = runs.iter().collect();
            if let Some(chosen) = choose(&refs, 30) {
                assert!((3..=FAN_IN).contains(&chosen.len()));
                let (inputs, rest): (Vec<Head>, Vec<Head>) = runs.into_iter().partition(|r| chosen.contains(&r.run));
                runs = rest;
                number += 1;
                let weight: u64 = inputs.iter().map(|r| weights[&r.run]).sum();
                weights.insert(number, weight);
                merged_ids += weight;
                let (level, for_ever) = (inputs[0].level, inputs[0].keep_for_ever);
                assert!(inputs.iter().all(|r| r.level == level && r.keep_for_ever == for_ever));
                let from = inputs.iter().map(|r| r.oldest_at.micros()).min().expect("six");
                let to = inputs.iter().map(|r| r.newest_at.micros()).max().expect("six");
                assert!(for_ever || to - from <= 3 * DAY_US);
                runs.push(head(number, level + 1, from, to, for_ever));
            }
            most = most.max(runs.len());
        }
        assert!(most <= 32, "{most} runs at once");
        // Each id is rewritten about twice.
        assert!(merged_ids < 90 * 12 * 5 / 2, "{merged_ids}");
    }
}
