//! Spans of time: a cap's window, and the quiet hours of a day.
use crate::model::QuietHours;
use base::{DAY_US, HOUR_US, MINUTE_US, Timestamp};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

/// The span over which a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last so many microseconds.
    Sliding(i64),
    /// The shop's day that holds the moment.
    CalendarDay,
    /// The shop's ISO week that holds the moment.
    CalendarWeek,
    /// The shop's month that holds the moment.
    CalendarMonth,
}

/// The longest sliding window: longer ones would be promises about years that nobody checks.
const SLIDING_US_MAX: i64 = 400 * DAY_US;

impl Window {
    /// Parses `7d`, `24h`, `30m` and `calendar day | week | month`; the error says what can be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(period) = text.strip_prefix("calendar") {
            return match period.trim() {
                "day" => Ok(Window::CalendarDay),
                "week" => Ok(Window::CalendarWeek),
                "month" => Ok(Window::CalendarMonth),
                _ => Err("after `calendar` stands day, week or month".into()),
            };
        }
        let wrong = || {
            "write a sliding window such as 7d, 24h or 30m, or `calendar day`, `calendar week`, `calendar month`"
                .to_string()
        };
        let unit = match text.as_bytes().last() {
            Some(b'd') => DAY_US,
            Some(b'h') => HOUR_US,
            Some(b'm') => MINUTE_US,
            _ => return Err(wrong()),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let us =
            digits.parse::<i64>().ok().and_then(|n| n.checked_mul(unit)).filter(|us| (1..=SLIDING_US_MAX).contains(us));
        us.map(Window::Sliding).ok_or_else(|| "a sliding window lasts from 1m to 400d".into())
    }

    /// The moment after which a message counts: it counts iff `after < at <= now`. Sliding windows are 24-hour days, whatever
    /// the clocks do; calendar ones begin at the shop's midnight.
    pub fn after(self, now: Timestamp, zone: &str) -> Timestamp {
        if let Window::Sliding(us) = self {
            return now.plus(-us);
        }
        let Some(local) = local(now, &find_zone(zone)) else { return now.plus(-DAY_US) };
        let date = local.date();
        let first = match self {
            Window::CalendarWeek => {
                date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).unwrap_or(date)
            }
            Window::CalendarMonth => date.first_of_month(),
            _ => date,
        };
        // Not midnight by force: where clocks spring forward at midnight the day begins at one o'clock.
        let start = first.to_zoned(local.time_zone().clone()).map_or(now.micros(), |z| z.timestamp().as_microsecond());
        Timestamp::from_micros(start - 1)
    }
}

/// The end of the quiet hours if `now` lies in them, in the recipient's zone.
///
/// The shop's zone stands for the recipient's until profiles know theirs. The end is the wall clock's: on the night that
/// clocks change, quiet hours are as long as people see them.
pub fn quiet_until(quiet: QuietHours, now: Timestamp, zone: &str) -> Option<Timestamp> {
    let (from, to) = (quiet.from_minute % 1440, quiet.to_minute % 1440);
    let local = local(now, &find_zone(zone))?;
    let minute = local.hour() as u16 * 60 + local.minute() as u16;
    let inside = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
    if !inside {
        return None;
    }
    let day = if minute < to { local.date() } else { local.date().tomorrow().ok()? };
    let end = day.at((to / 60) as i8, (to % 60) as i8, 0, 0).to_zoned(local.time_zone().clone()).ok()?;
    let end = Timestamp::from_micros(end.timestamp().as_microsecond());
    // A wall clock that is set back shows the end twice; between the two it is asked again a minute later.
    Some(if end > now { end } else { now.plus(MINUTE_US) })
}

/// A moment as the clocks of a zone show it, for texts.
pub(crate) fn local(now: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    jiff::Timestamp::from_microsecond(now.micros()).ok().map(|t| t.to_zoned(zone.clone()))
}

/// A zone by name; UTC when nobody knows it, so that a spelling mistake delays nothing for ever.
pub(crate) fn find_zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
