//! Couriers and carriers while a place stands still: nobody hands a parcel over then, and couriers of the shop's own wait.
//!
//! Pure. Curfews are left to the hours of places: a carrier that comes at night says so with its cut-off.
use super::carrier::Carrier;
use super::disruption::{Pause, PauseKind};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Days that are looked at until a carrier has come, or a courier has been at the door.
const DAYS_MAX: usize = 60;

/// A parcel's way, as moments: when it is fetched from the place, and between which moments it is at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    pub leaves_us: i64,
    pub arrives_us: i64,
    pub latest_us: i64,
}

/// The pause that holds at a moment and lasts longest.
fn held(pauses: &[Pause], at_us: i64) -> Option<&Pause> {
    let holds = |p: &&Pause| p.kind != PauseKind::Curfew && p.from_us <= at_us && at_us < p.until_us;
    pauses.iter().filter(holds).max_by_key(|p| p.until_us)
}

/// The first moment at or after `at_us` at which nothing holds the place; `None` where nobody knows the end.
fn free(pauses: &[Pause], mut at_us: i64) -> Option<i64> {
    while let Some(pause) = held(pauses, at_us) {
        if pause.until_us == super::OPEN_END {
            return None;
        }
        at_us = pause.until_us;
    }
    Some(at_us)
}

/// The next time at which a carrier fetches what is packed at `packed_us`, from `day` on: it comes once a day, and in vain where the
/// place stands still then.
pub fn collects(
    carrier: &Carrier,
    zone: &TimeZone,
    pauses: &[Pause],
    (mut day, packed_us): (Date, i64),
) -> Option<(Date, i64)> {
    for _ in 0..DAYS_MAX {
        let leaves = carrier.leaves(zone, day).filter(|at| *at >= packed_us && held(pauses, *at).is_none());
        if let Some(leaves_us) = leaves {
            return Some((day, leaves_us));
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// Between which moments a parcel that arrives on `day` is at the door. A carrier keeps its window. Couriers of the shop's own wait while
/// their place stands still: the window begins after the pause, one that is lost wholly is that of the next day on which they
/// drive, and where its end is lost, what was not delivered comes on that day.
pub fn at_the_door(carrier: &Carrier, zone: &TimeZone, pauses: &[Pause], day: Date) -> Option<(i64, i64)> {
    if !carrier.own {
        return Some(carrier.window_of(zone, day));
    }
    let next = |day: Date| carrier.arrives(day.tomorrow().ok()?, 0);
    let (mut day, mut begin) = (day, None);
    for _ in 0..DAYS_MAX {
        let (from_us, until_us) = carrier.window_of(zone, day);
        if begin.is_none() {
            begin = free(pauses, from_us).filter(|at| *at < until_us);
        }
        if let Some(begin_us) = begin
            && held(pauses, until_us - 1).is_none()
        {
            return Some((begin_us, until_us));
        }
        day = next(day)?;
    }
    None
}

/// A parcel's way from a place: fetched at the next time, so many days on the road, late by as many as the carrier may be.
pub fn trip(carrier: &Carrier, zone: &TimeZone, pauses: &[Pause], packed: (Date, i64), days: u32) -> Option<Trip> {
    let (day, leaves_us) = collects(carrier, zone, pauses, packed)?;
    let (arrives_us, end_us) = at_the_door(carrier, zone, pauses, carrier.arrives(day, days)?)?;
    let (_, latest_us) = at_the_door(carrier, zone, pauses, carrier.arrives(day, days + carrier.late_days)?)?;
    Some(Trip { leaves_us, arrives_us: arrives_us.max(leaves_us), latest_us: latest_us.max(end_us).max(leaves_us) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{DAY_US, HOUR_US, MINUTE_US};
    use proptest::prelude::*;

    // 1 January 1970 was a Thursday.
    fn day(n: i64) -> Date {
        Date::constant(1970, 1, 1 + n as i8)
    }
    fn own() -> Carrier {
        Carrier { own: true, late_days: 0, ..Carrier::daily("own", 18 * 60) }
    }
    fn alert(from_us: i64, until_us: i64) -> Pause {
        Pause { from_us, until_us, kind: PauseKind::Alert, assumed: false }
    }
    fn at(day: i64, hour: i64) -> i64 {
        day * DAY_US + hour * HOUR_US
    }

    #[test]
    fn a_carrier_that_comes_in_an_alert_comes_again_after_it() {
        // [N5] the parcel's next time is after the pause, which may be the next day.
        let (carrier, zone) = (Carrier::daily("np", 18 * 60), TimeZone::UTC);
        let fetched =
            |pauses: &[Pause], packed: i64| collects(&carrier, &zone, pauses, (day(0), packed)).map(|(_, at)| at);
        assert_eq!(fetched(&[], at(0, 12)), Some(at(0, 18)));
        assert_eq!(fetched(&[alert(at(0, 17), at(0, 19))], at(0, 12)), Some(at(1, 18)));
        assert_eq!(fetched(&[alert(at(0, 16), at(0, 18))], at(0, 12)), Some(at(0, 18)), "it is over just then");
        assert_eq!(fetched(&[alert(at(0, 18), at(0, 18) + 1)], at(0, 12)), Some(at(1, 18)));
        assert_eq!(fetched(&[alert(at(0, 17), super::super::OPEN_END)], at(0, 12)), None, "nobody knows when");
        let night = Pause { kind: PauseKind::Curfew, ..alert(at(0, 17), at(0, 19)) };
        assert_eq!(fetched(&[night], at(0, 12)), Some(at(0, 18)));
        let weekdays = Carrier {
            cut_off: [Some(1080), Some(1080), Some(1080), Some(1080), Some(1080), None, None],
            ..carrier.clone()
        };
        let found = collects(&weekdays, &zone, &[alert(at(1, 17), at(1, 19))], (day(1), at(1, 9)));
        assert_eq!(found.map(|(_, at)| at), Some(at(4, 18)), "after Friday comes Monday");
    }

    #[test]
    fn couriers_of_ones_own_wait_and_carriers_keep_their_window() {
        let zone = TimeZone::UTC;
        let door = |carrier: &Carrier, pauses: &[Pause]| at_the_door(carrier, &zone, pauses, day(0));
        let (morning, all_day, evening) =
            (alert(at(0, 8), at(0, 11)), alert(at(0, 8), at(0, 21)), alert(at(0, 19), at(0, 22)));
        assert_eq!(door(&own(), &[]), Some((at(0, 9), at(0, 20))));
        assert_eq!(door(&own(), &[morning]), Some((at(0, 11), at(0, 20))));
        assert_eq!(door(&own(), &[all_day]), Some((at(1, 9), at(1, 20))));
        assert_eq!(door(&own(), &[evening]), Some((at(0, 9), at(1, 20))), "who was not reached is on the next day");
        assert_eq!(door(&own(), &[alert(at(0, 12), at(0, 13))]), Some((at(0, 9), at(0, 20))), "there is time enough");
        assert_eq!(door(&own(), &[alert(at(0, 19), super::super::OPEN_END)]), None);
        let carrier = Carrier { own: false, ..own() };
        assert_eq!(door(&carrier, &[all_day]), Some((at(0, 9), at(0, 20))), "its couriers are elsewhere");
        let sunday = Carrier { delivers: [true, true, true, true, false, false, true], ..own() };
        assert_eq!(
            at_the_door(&sunday, &zone, &[all_day], day(0)),
            Some((at(3, 9), at(3, 20))),
            "on a day when they drive"
        );
    }

    proptest! {
        /// More pauses make no trip earlier, nobody fetches in a pause, and nobody of ours is at the door in one.
        #[test]
        fn pauses_only_delay(
            seeds in prop::collection::vec((0i64..9_000, 1i64..1_500), 0..6), more in (0i64..9_000, 1i64..1_500),
            packed in 0i64..4_000, days in 0u32..3, is_own in any::<bool>(),
        ) {
            let pause = |(from, long): (i64, i64)| alert(from * MINUTE_US, (from + long) * MINUTE_US);
            let carrier = Carrier { own: is_own, late_days: 1, ..own() };
            let few: Vec<Pause> = seeds.into_iter().map(pause).collect();
            let all: Vec<Pause> = few.iter().copied().chain([pause(more)]).collect();
            let of = |pauses: &[Pause]| trip(&carrier, &TimeZone::UTC, pauses, (day(0), packed * MINUTE_US), days);
            let (before, after) = (of(&few).expect("a trip"), of(&all).expect("a trip"));
            prop_assert!(after.leaves_us >= before.leaves_us && after.arrives_us >= before.arrives_us && after.latest_us >= before.latest_us);
            prop_assert!(held(&all, after.leaves_us).is_none() && after.leaves_us >= packed * MINUTE_US);
            prop_assert!(after.arrives_us <= after.latest_us);
            prop_assert!(!is_own || held(&all, after.arrives_us).is_none());
        }
    }
}
