//! Pauses as they are reckoned with: what was known a moment ago, what is known now, and how that moves what was promised.
//!
//! Pure. A guess is made once and kept until it proves wrong: an alert that lasts longer than was assumed is then assumed to last
//! twice as long as it has, so that one long alert moves a promise a few times and not with every tick.
use super::disruption::Pause;
use super::work::WorkTime;

/// The end of a pause that nobody knows.
pub const OPEN_END: i64 = i64::MAX;

/// What is reckoned with from now on, from what was and what is seen now, by begin and kind.
///
/// What is over stays as it was; what is not seen any more ends now, or never begins.
pub fn reckon(before: &[Pause], seen: &[Pause], now_us: i64) -> Vec<Pause> {
    let mut out = Vec::with_capacity(before.len().max(seen.len()));
    let same = |a: &Pause, b: &Pause| (a.from_us, a.kind) == (b.from_us, b.kind);
    for pause in seen {
        let known = before.iter().find(|b| same(b, pause));
        let guess = |length_us: i64| Pause { until_us: pause.from_us.saturating_add(length_us), ..*pause };
        let lasts = now_us.saturating_sub(pause.from_us);
        out.push(match known {
            // It ended, or its end is known.
            _ if !pause.assumed || pause.until_us <= now_us || pause.until_us == OPEN_END => *pause,
            Some(known) if known.assumed && known.until_us > now_us => *known,
            Some(known) if known.assumed => guess(pause.until_us.saturating_sub(pause.from_us).max(2 * lasts)),
            _ => *pause,
        });
    }
    for pause in before.iter().filter(|b| !seen.iter().any(|s| same(s, b))) {
        if pause.until_us <= now_us {
            out.push(*pause);
        } else if pause.from_us < now_us {
            out.push(Pause { until_us: now_us, assumed: false, ..*pause });
        }
    }
    out.sort_unstable_by_key(|p| (p.from_us, p.kind, p.until_us));
    out
}

/// How much of a stretch lies in pauses, counted once where they overlap. A pause without an end goes on.
pub fn lost_us(pauses: &[Pause], from_us: i64, until_us: i64) -> i64 {
    let mut spans: Vec<(i64, i64)> = pauses
        .iter()
        .map(|p| (p.from_us.max(from_us), p.until_us.min(until_us)))
        .filter(|(from, until)| from < until)
        .collect();
    spans.sort_unstable();
    let (mut lost, mut reached) = (0, i64::MIN);
    for (from, until) in spans {
        lost += (until - from.max(reached)).max(0);
        reached = reached.max(until);
    }
    lost
}

/// The work of a place with the pauses that were known, and with those that are.
#[derive(Debug, Clone)]
pub struct Shift {
    /// Moments up to here stay: what is over, is over.
    pub anchor_us: i64,
    pub before: WorkTime,
    pub after: WorkTime,
}

impl Shift {
    /// Where a moment lies now that lay at `at_us` and was first promised for `first_us`: after the same work as before, of which
    /// `most_us` at most was really to be done (what waits for its turn loses nothing by a pause), and never before it was promised
    /// first. What is beyond the calendars stays.
    pub fn moved(&self, at_us: i64, first_us: i64, most_us: i64) -> i64 {
        if at_us <= self.anchor_us {
            return at_us;
        }
        let work_us = self.before.between(self.anchor_us, at_us).min(most_us);
        self.after.add(self.anchor_us, work_us).map_or(at_us, |done| done.max(first_us))
    }
}

#[cfg(test)]
mod tests {
    use super::super::disruption::PauseKind;
    use super::super::hours::{Hours, Span};
    use super::*;
    use base::{DAY_US, HOUR_US, MINUTE_US};
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn pause(from_us: i64, until_us: i64, assumed: bool) -> Pause {
        Pause { from_us, until_us, kind: PauseKind::Alert, assumed }
    }

    #[test]
    fn a_guess_is_kept_until_it_proves_wrong_and_then_doubled() {
        let minutes = |n: i64| n * MINUTE_US;
        let mut known: Vec<Pause> = vec![];
        let mut changes = vec![];
        for now in 0..600 {
            let seen = pause(0, minutes(now.max(60) + 5), true);
            let next = reckon(&known, &[seen], minutes(now));
            if next != known {
                changes.push((now, next[0].until_us / MINUTE_US));
            }
            known = next;
        }
        assert_eq!(changes, [(0, 65), (65, 130), (130, 260), (260, 520), (520, 1040)], "ten hours are five guesses");
        let ended = reckon(&known, &[pause(0, minutes(605), false)], minutes(601));
        assert_eq!(ended, [pause(0, minutes(605), false)], "a known end is no guess");
        let lost = reckon(&known, &[pause(0, minutes(590), true)], minutes(600));
        assert_eq!(lost[0].until_us, minutes(590), "it ended while nobody listened");
    }

    #[test]
    fn what_is_not_seen_any_more_ends_now_or_never_begins() {
        let (over, open, future) = (
            pause(0, 10, false),
            pause(20, OPEN_END, true),
            Pause { kind: PauseKind::Blackout, ..pause(90, 99, false) },
        );
        let known = reckon(&[], &[over, open, future], 30);
        assert_eq!(known, [over, open, future]);
        assert_eq!(reckon(&known, &[], 40), [over, pause(20, 40, false)]);
        assert_eq!((lost_us(&known, 0, 40), lost_us(&[over, pause(5, 12, false)], 2, 40)), (30, 10));
    }

    fn shop(pauses: &[Pause]) -> WorkTime {
        let span = |from: u16, until: u16| Span { from: from * 60, until: until * 60 };
        let hours = Hours::daily(TimeZone::UTC, vec![span(9, 20)]).expect("hours");
        WorkTime::compile(&hours, pauses, 0, 20)
    }

    #[test]
    fn moments_move_by_the_work_that_is_lost() {
        let (ten, half) = (10 * HOUR_US, 30 * MINUTE_US);
        let alert = pause(ten, 11 * HOUR_US, true);
        let shift = Shift { anchor_us: ten, before: shop(&[]), after: shop(&[alert]) };
        let moved = |at: i64| shift.moved(at, at, half);
        assert_eq!(moved(ten), ten, "missed before");
        assert_eq!(moved(ten + half / 3), 11 * HOUR_US + half / 3);
        assert_eq!(moved(ten + half), 11 * HOUR_US + half);
        assert_eq!(moved(15 * HOUR_US), 15 * HOUR_US, "there is time enough after it");
        assert_eq!(shift.moved(20 * HOUR_US, 0, i64::MAX), DAY_US + ten, "a whole day of work loses an hour");
        let back = Shift { anchor_us: ten, before: shift.after.clone(), after: shift.before.clone() };
        assert_eq!(back.moved(11 * HOUR_US + half, ten + half, half), ten + half, "and back again");
        let night = Shift { after: shop(&[pause(21 * HOUR_US, DAY_US + 8 * HOUR_US, false)]), ..shift };
        assert_eq!(night.moved(DAY_US + ten, 0, i64::MAX), DAY_US + ten, "nobody works at night");
    }

    proptest! {
        /// More pauses make nothing earlier, keep the order of moments, and taking them away leads back.
        #[test]
        fn shifts_are_monotone_and_come_back(
            seeds in prop::collection::vec((0i64..9_000, 1i64..900), 0..6), a in 0i64..8_000, b in 0i64..8_000,
        ) {
            let at = |minute: i64| minute * MINUTE_US;
            let pauses: Vec<Pause> = seeds.iter().map(|(from, long)| pause(at(*from), at(from + long), false)).collect();
            let (before, after) = (shop(&[]), shop(&pauses));
            let shift = Shift { anchor_us: 0, before: before.clone(), after: after.clone() };
            let (a, b) = (at(a.min(b)), at(a.max(b)));
            let moved = |at: i64| shift.moved(at, at, i64::MAX);
            prop_assert!(moved(a) >= a && moved(a) <= moved(b));
            prop_assert!(shift.moved(a, a, at(30)) <= moved(a), "less work is lost");
            if before.is_open(a) {
                let back = Shift { anchor_us: 0, before: after, after: before };
                prop_assert_eq!(back.moved(moved(a), a, i64::MAX), a);
            }
        }
    }
}
