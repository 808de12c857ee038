//! Moments: microseconds since 1970 in UTC, as they stand in the store, and RFC 3339 text, as they stand on the wire.
use std::fmt;

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE_US: i64 = 60 * SECOND_US;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 60 * MINUTE_US;
/// Microseconds in 86,400 seconds.
pub const DAY_US: i64 = 24 * HOUR_US;

/// A moment in microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a date and time as in 2026-11-22T14:31:08Z")]
pub struct TimeError {
    /// What was given, cut to 64 characters.
    pub text: String,
}

impl Timestamp {
    /// The moment `us` microseconds after 1970.
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }
    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// This moment moved by `us` microseconds; stays at the ends of the range.
    #[must_use]
    pub const fn plus(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }
    /// Parses RFC 3339 and its common variants: `Z` or an offset, `T` or a blank, any number of decimals (cut to
    /// microseconds), a date without a time (midnight UTC), a time without an offset (UTC).
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        parse(text.as_bytes()).ok_or_else(|| TimeError { text: text.chars().take(64).collect() })
    }
    /// The moment of a calendar date and time of day in UTC.
    pub fn from_civil(year: i64, month: u32, day: u32, hour: i64, minute: i64, second: i64) -> Self {
        let days = days_from_civil(year, month, day);
        Self(days * DAY_US + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with six decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(DAY_US);
        let rest = self.0.rem_euclid(DAY_US);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (rest / HOUR_US, rest / MINUTE_US % 60);
        let (second, micro) = (rest / SECOND_US % 60, rest % SECOND_US);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z")
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    let mut out = 0i64;
    for &b in bytes.get(from..from + count)? {
        if !b.is_ascii_digit() {
            return None;
        }
        out = out * 10 + i64::from(b - b'0');
    }
    Some(out)
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let (year, month, day) = (digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?);
    if text[4] != b'-' || text[7] != b'-' || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    if day > days_in_month(year, month) {
        return None;
    }
    let date = days_from_civil(year, month as u32, day as u32) * DAY_US;
    if text.len() == 10 {
        return Some(Timestamp(date));
    }
    if !matches!(text[10], b'T' | b't' | b' ') {
        return None;
    }
    let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
    if text[13] != b':' {
        return None;
    }
    let mut at = 16;
    let mut second = 0;
    if text.get(at) == Some(&b':') {
        second = digits(text, 17, 2)?;
        at = 19;
    }
    // 60 is a leap second; it becomes the first moment of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micro = 0;
    if matches!(text.get(at), Some(b'.' | b',')) {
        at += 1;
        let start = at;
        let mut unit = 100_000;
        while let Some(d) = text.get(at).filter(|b| b.is_ascii_digit()) {
            micro += i64::from(d - b'0') * unit;
            unit /= 10;
            at += 1;
        }
        if at == start {
            return None;
        }
    }
    let offset = match text.get(at..)? {
        b"" | b"Z" | b"z" => 0,
        rest @ [sign @ (b'+' | b'-'), ..] => {
            let (h, m) = match rest.len() {
                3 => (digits(rest, 1, 2)?, 0),
                5 => (digits(rest, 1, 2)?, digits(rest, 3, 2)?),
                6 if rest[3] == b':' => (digits(rest, 1, 2)?, digits(rest, 4, 2)?),
                _ => return None,
            };
            if h > 23 || m > 59 {
                return None;
            }
            let us = h * HOUR_US + m * MINUTE_US;
            if *sign == b'+' { us } else { -us }
        }
        _ => return None,
    };
    Some(Timestamp(date + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + micro - offset))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (i64::from(month) + 9) % 12;
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// The inverse of [`days_from_civil`], same source.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = (if mp < 10 { mp + 3 } else { mp - 9 }) as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}
