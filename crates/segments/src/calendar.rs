//! The shop's calendar: which day, ISO week or month holds a moment, and when a day begins.
use crate::language::{Calendar, Date};
use base::Timestamp;
use jiff::ToSpan as _;
use jiff::civil;
use jiff::tz::TimeZone;

/// Start and end of the period that holds a moment: `start ≤ moment < end`.
///
/// A day begins at midnight of the zone, or, where clocks jump over midnight, at the first moment after it. Outside
/// jiff's range (years ±9999) the period is the moment's day in UTC.
pub fn period(calendar: Calendar, at: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    find_period(calendar, at, zone).unwrap_or_else(|| {
        let start = at.micros().div_euclid(base::DAY_US).saturating_mul(base::DAY_US);
        (Timestamp::from_micros(start), Timestamp::from_micros(start.saturating_add(base::DAY_US)))
    })
}

fn find_period(calendar: Calendar, at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let date = jiff::Timestamp::from_microsecond(at.micros()).ok()?.to_zoned(zone.clone()).date();
    let (first, next) = match calendar {
        Calendar::Day => (date, date.tomorrow().ok()?),
        Calendar::Week => {
            let first = date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()?;
            (first, first.checked_add(7.days()).ok()?)
        }
        Calendar::Month => {
            let first = date.first_of_month();
            (first, first.checked_add(1.month()).ok()?)
        }
    };
    Some((midnight(first, zone)?, midnight(next, zone)?))
}

fn midnight(date: civil::Date, zone: &TimeZone) -> Option<Timestamp> {
    let start = date.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
}

/// The moment of a bound: of a day its start in the shop's zone.
pub fn moment(date: Date, zone: &TimeZone) -> Timestamp {
    match date {
        Date::Moment(moment) => moment,
        Date::Day { year, month, day } => civil::Date::new(year as i16, month as i8, day as i8)
            .ok()
            .and_then(|date| midnight(date, zone))
            .unwrap_or_else(|| Timestamp::from_civil(i64::from(year), u32::from(month), u32::from(day), 0, 0, 0)),
    }
}
