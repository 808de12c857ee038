//! Days with their answers, and what holds for every calendar.
use super::*;
use base::{DAY_US, HOUR_US, MINUTE_US, Rng, Timestamp};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn kyiv() -> TimeZone {
    TimeZone::get("Europe/Kyiv").expect("a zone")
}
fn at(text: &str) -> i64 {
    Timestamp::parse(text).expect("a time").micros()
}
fn span(from: u16, until: u16) -> Span {
    Span { from: from * 60, until: until * 60 }
}
fn shop() -> Hours {
    let day = vec![span(9, 18)];
    let [mon, tue, wed, thu, fri] = std::array::from_fn(|_| day.clone());
    Hours::new(kyiv(), [mon, tue, wed, thu, fri, vec![span(10, 16)], vec![]]).expect("hours")
}

#[test]
fn work_goes_over_nights_sundays_and_holidays() {
    let mut hours = shop();
    hours.except(date(2026, 11, 24), vec![]).expect("a holiday");
    hours.except(date(2026, 11, 29), vec![span(12, 14)]).expect("an open Sunday");
    // 23 November 2026 is a Monday; Kyiv is two hours ahead.
    let work = WorkTime::compile(&hours, &[], at("2026-11-23T00:00:00+02:00"), 14);
    let add = |from: &str, hours: i64| work.add(at(from), hours * HOUR_US);
    assert_eq!(add("2026-11-23T17:00:00+02:00", 1), Some(at("2026-11-23T18:00:00+02:00")));
    assert_eq!(add("2026-11-23T17:00:00+02:00", 2), Some(at("2026-11-25T10:00:00+02:00")), "over a holiday");
    assert_eq!(add("2026-11-28T15:00:00+02:00", 2), Some(at("2026-11-29T13:00:00+02:00")), "into an open Sunday");
    assert_eq!(work.next_open(at("2026-11-23T18:00:00+02:00")), Some(at("2026-11-25T09:00:00+02:00")));
    assert_eq!(work.between(at("2026-11-23T12:00:00+02:00"), at("2026-11-25T12:00:00+02:00")), 9 * HOUR_US);
    assert!(work.is_open(at("2026-11-23T09:00:00+02:00")) && !work.is_open(at("2026-11-23T18:00:00+02:00")));
    assert_eq!(add("2026-11-23T09:00:00+02:00", 1_000), None, "beyond what was compiled");
}

#[test]
fn the_days_when_clocks_change_are_as_long_as_they_are() {
    let hours = Hours::daily(kyiv(), vec![span(0, 6)]).expect("hours");
    // On 29 March 2026 03:00 becomes 04:00, on 25 October 2026 04:00 becomes 03:00.
    let length = |day: Date| hours.moments(day).iter().map(|(a, b)| b - a).sum::<i64>() / HOUR_US;
    assert_eq!(length(date(2026, 3, 28)), 6);
    assert_eq!(length(date(2026, 3, 29)), 5);
    assert_eq!(length(date(2026, 10, 25)), 7);
    let gone = Hours::daily(kyiv(), vec![span(3, 4)]).expect("hours");
    assert_eq!(gone.moments(date(2026, 3, 29)), [], "an hour that does not happen");
    let spring = WorkTime::compile(&hours, &[], at("2026-03-29T00:00:00+02:00"), 2);
    assert_eq!(spring.add(at("2026-03-29T00:00:00+02:00"), 4 * HOUR_US), Some(at("2026-03-29T05:00:00+03:00")));
}

#[test]
fn hours_that_make_no_sense_are_refused() {
    let daily = |spans| Hours::daily(kyiv(), spans);
    assert_eq!(daily(vec![span(18, 9)]), Err(HoursError::Span(span(18, 9))));
    assert_eq!(daily(vec![span(20, 25)]), Err(HoursError::Span(span(20, 25))));
    assert_eq!(daily(vec![span(12, 20), span(9, 13)]), Err(HoursError::Overlap(span(9, 13), span(12, 20))));
}

fn place() -> Place {
    Place {
        id: "lviv-1".into(),
        zone: kyiv(),
        territories: vec!["90".into(), "27".into()],
        queue: Some("3.2".into()),
        own_power: false,
        works_in_alerts: false,
    }
}

#[test]
fn an_alert_pauses_and_a_lost_feed_stops_nothing() {
    let policy = Policy::default();
    let (now, began) = (at("2026-11-23T12:00:00+02:00"), at("2026-11-23T11:50:00+02:00"));
    let alert = |confirmed: i64, ended: Option<i64>| Alert {
        territory: "27".into(),
        began_us: began,
        confirmed_us: confirmed,
        ended_us: ended,
    };
    let minutes = |a: &Alert, now: i64| (a.pause(now, &policy).until_us - began) / MINUTE_US;
    assert_eq!(minutes(&alert(now, None), now), 65, "as long as usual, then the time to resume");
    let ended = alert(now, Some(began + 8 * MINUTE_US));
    assert_eq!((minutes(&ended, now), ended.pause(now, &policy).assumed), (13, false));
    let lost = alert(began + MINUTE_US, None);
    let later = now + HOUR_US;
    assert!(!lost.goes_on(later, &policy) && lost.goes_on(now, &policy));
    assert_eq!(minutes(&lost, later), 1 + 20 + 5, "twenty minutes after the last word");
    let stuck = alert(now + 40 * HOUR_US, None);
    assert_eq!(minutes(&stuck, now + 40 * HOUR_US), 12 * 60 + 5, "no alert lasts for ever");
    let world = Disruptions { alerts: vec![alert(now, None)], ..Disruptions::default() };
    assert_eq!(world.of(&place(), now, 1, &policy).len(), 1);
    let elsewhere = Place { territories: vec!["31".into()], ..place() };
    assert_eq!(world.of(&elsewhere, now, 1, &policy), []);
    let locker = Place { works_in_alerts: true, ..place() };
    assert_eq!(world.of(&locker, now, 1, &policy), []);
}

#[test]
fn blackouts_curfews_closures_and_hands_pause_whom_they_concern() {
    let policy = Policy::default();
    let now = at("2026-11-23T12:00:00+02:00");
    let world = Disruptions {
        blackouts: vec![
            Blackout {
                queue: "3.2".into(),
                from_us: at("2026-11-23T14:00:00+02:00"),
                until_us: at("2026-11-23T17:00:00+02:00"),
            },
            Blackout { queue: "1.1".into(), from_us: now, until_us: now + DAY_US },
        ],
        curfews: vec![Curfew { territory: "27".into(), from: 23 * 60, until: 5 * 60 }],
        closures: vec![Closure { territory: "14".into(), from_us: 0, until_us: None }],
        hands: vec![HandSwitch { place: "lviv-2".into(), from_us: now, until_us: None }],
        ..Disruptions::default()
    };
    let hours = Hours::daily(kyiv(), vec![span(0, 24)]).expect("hours");
    let pauses = world.of(&place(), now, 2, &policy);
    let work = WorkTime::compile(&hours, &pauses, now, 2);
    assert_eq!(work.add(now, 3 * HOUR_US), Some(at("2026-11-23T18:00:00+02:00")), "over the power cut");
    assert_eq!(work.paused_by(at("2026-11-23T14:00:00+02:00")), Some(PauseKind::Blackout));
    assert_eq!(work.next_open(at("2026-11-23T23:30:00+02:00")), Some(at("2026-11-24T05:00:00+02:00")));
    assert_eq!(work.paused_by(at("2026-11-24T04:59:00+02:00")), Some(PauseKind::Curfew));
    let powered = Place { own_power: true, ..place() };
    assert!(world.of(&powered, now, 2, &policy).iter().all(|p| p.kind == PauseKind::Curfew));
    let off = Place { id: "lviv-2".into(), ..powered };
    let work = WorkTime::compile(&hours, &world.of(&off, now, 2, &policy), now, 2);
    assert_eq!(work.add(now, 1), None, "until somebody turns it on");
    assert!(world.closed(&["90".into(), "14".into()], now) && !world.closed(&["27".into()], now));
    assert_eq!(world.curfews[0].spans(), [Span { from: 0, until: 300 }, Span { from: 1380, until: 1440 }]);
}

#[test]
fn carriers_count_their_own_days() {
    let mut carrier = Carrier::daily("post", 16 * 60);
    carrier.travels = [true, true, true, true, true, true, false];
    carrier.delivers = [true, true, true, true, true, false, false];
    carrier.holidays.insert(date(2026, 12, 25));
    carrier.check().expect("a carrier");
    // 23 December 2026 is a Wednesday.
    let arrives = |day: Date, days: u32| carrier.arrives(day, days).expect("a day");
    assert_eq!(arrives(date(2026, 12, 23), 1), date(2026, 12, 24));
    assert_eq!(
        arrives(date(2026, 12, 23), 2),
        date(2026, 12, 28),
        "Saturday travels, but nobody delivers before Monday"
    );
    assert_eq!(arrives(date(2026, 12, 23), 3), date(2026, 12, 28));
    assert_eq!(arrives(date(2026, 12, 26), 0), date(2026, 12, 28));
    assert_eq!(carrier.leaves(&kyiv(), date(2026, 12, 25)), None);
    assert_eq!(carrier.leaves(&kyiv(), date(2026, 12, 24)), Some(at("2026-12-24T16:00:00+02:00")));
    let never = Carrier { delivers: [false; 7], ..carrier.clone() };
    assert_eq!(never.check(), Err(CarrierError::NeverDelivers("post".into())));
    assert_eq!(never.arrives(date(2026, 12, 23), 1), None);
}

fn pauses(rng: &mut Rng, from: i64) -> Vec<Pause> {
    (0..rng.below(8))
        .map(|_| {
            let from_us = from + rng.below(20 * 24 * 60) as i64 * MINUTE_US;
            let until_us = from_us + rng.below(2_000) as i64 * MINUTE_US;
            Pause { from_us, until_us, kind: PauseKind::Alert, assumed: false }
        })
        .collect()
}

proptest! {
    /// Around both changes of clocks: adding is monotone in both arguments, inverse to counting, and pauses never shorten.
    #[test]
    fn working_time_is_sound(seed: u64, autumn: bool, start in 0i64..20_000, more in 0i64..5_000, work in 0i64..6_000) {
        let mut rng = Rng::new(seed);
        let from = if autumn { at("2026-10-20T00:00:00Z") } else { at("2026-03-24T00:00:00Z") };
        let mut hours = shop();
        for day in 0..10u64 {
            if rng.below(4) == 0 {
                let exception = if rng.below(2) == 0 { vec![] } else { vec![span(0, 5), span(7, 24)] };
                let (date, _) = hours.local(from + day as i64 * DAY_US);
                hours.except(date, exception).expect("hours");
            }
        }
        let few = pauses(&mut rng, from);
        let many: Vec<Pause> = few.iter().copied().chain(pauses(&mut rng, from)).collect();
        let plain = WorkTime::compile(&hours, &few, from, 60);
        let paused = WorkTime::compile(&hours, &many, from, 60);
        let (start_us, work_us) = (from + start * MINUTE_US, work * MINUTE_US);
        let end = plain.add(start_us, work_us).expect("within two months");
        prop_assert!(end >= start_us);
        prop_assert_eq!(plain.between(start_us, end), work_us);
        prop_assert!(plain.add(start_us + more * MINUTE_US, work_us).expect("an end") >= end);
        prop_assert!(plain.add(start_us, work_us + more * MINUTE_US).expect("an end") >= end);
        prop_assert!(paused.add(start_us, work_us).is_none_or(|late| late >= end), "a pause never shortens");
        prop_assert!(paused.between(start_us, end) <= work_us);
        // Step by step, from the definition.
        let mut minutes = 0;
        for minute in 0..240 {
            let moment = start_us + minute * MINUTE_US;
            let (day, of_day) = hours.local(moment);
            let open = hours.on(day).iter().any(|s| s.from <= of_day && of_day < s.until);
            let paused = many.iter().any(|p| p.from_us <= moment && moment < p.until_us);
            minutes += i64::from(open && !paused);
        }
        prop_assert_eq!(paused.between(start_us, start_us + 240 * MINUTE_US), minutes * MINUTE_US);
    }

    /// However an alert is told, at every later moment it has ended at the latest when policy says.
    #[test]
    fn no_alert_outlives_its_policy(began in 0i64..1_000, confirmed in 0i64..2_000, now in 0i64..4_000, ended: Option<u8>) {
        let policy = Policy::default();
        let ended_us = ended.map(|e| (began + i64::from(e)) * MINUTE_US);
        let alert = Alert { territory: "27".into(), began_us: began * MINUTE_US, confirmed_us: confirmed * MINUTE_US, ended_us };
        let pause = alert.pause(now * MINUTE_US, &policy);
        prop_assert!(pause.until_us >= pause.from_us);
        prop_assert!(pause.until_us <= alert.began_us + policy.alert_max_us + policy.resume_us);
        let last_word = confirmed.max(began) * MINUTE_US;
        if ended.is_none() && now * MINUTE_US > last_word + policy.stale_us {
            prop_assert!(pause.until_us <= last_word + policy.stale_us + policy.resume_us);
        }
    }
}
