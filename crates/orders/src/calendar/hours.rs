//! Opening hours.
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A stretch of a day, in minutes after midnight: `from` is in it, `until` is not. `until` may be 1440, the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// 0 to 1439.
    pub from: u16,
    /// More than `from`, at most 1440.
    pub until: u16,
}

/// Why hours cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Ends before it begins, or beyond midnight: such a night is two spans.
    #[error("{0:?} is not a part of a day; a night is two spans, until 24:00 and from 00:00")]
    Span(Span),
    /// Two spans of a day overlap.
    #[error("{0:?} and {1:?} overlap")]
    Overlap(Span, Span),
}

/// When a place is open: every week the same, but for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// The place's zone.
    pub zone: TimeZone,
    weekly: [Vec<Span>; 7],
    exceptions: BTreeMap<Date, Vec<Span>>,
}

impl Hours {
    /// Hours by weekday, Monday first. A day without spans is closed.
    pub fn new(zone: TimeZone, weekly: [Vec<Span>; 7]) -> Result<Self, HoursError> {
        let mut hours = Self { zone, weekly: Default::default(), exceptions: BTreeMap::new() };
        for (day, spans) in weekly.into_iter().enumerate() {
            hours.weekly[day] = checked(spans)?;
        }
        Ok(hours)
    }
    /// Every day around the clock.
    pub fn always(zone: TimeZone) -> Self {
        let day = || vec![Span { from: 0, until: 1440 }];
        Self { zone, weekly: std::array::from_fn(|_| day()), exceptions: BTreeMap::new() }
    }
    /// The same hours on every day.
    pub fn daily(zone: TimeZone, spans: Vec<Span>) -> Result<Self, HoursError> {
        let spans = checked(spans)?;
        Ok(Self { zone, weekly: std::array::from_fn(|_| spans.clone()), exceptions: BTreeMap::new() })
    }
    /// Other hours on one day: a holiday (no spans), a long evening.
    pub fn except(&mut self, day: Date, spans: Vec<Span>) -> Result<(), HoursError> {
        self.exceptions.insert(day, checked(spans)?);
        Ok(())
    }
    /// The spans of a day.
    pub fn on(&self, day: Date) -> &[Span] {
        self.exceptions.get(&day).map_or(&self.weekly[weekday(day)], Vec::as_slice)
    }
    /// Open stretches of a day as moments (µs), shorter or longer than the clock says where clocks change.
    pub fn moments(&self, day: Date) -> Vec<(i64, i64)> {
        let at = |minute: u16| moment(&self.zone, day, minute);
        self.on(day).iter().map(|span| (at(span.from), at(span.until))).filter(|(from, until)| from < until).collect()
    }
    /// The date and the minute of the day at a moment.
    pub fn local(&self, at_us: i64) -> (Date, u16) {
        local(&self.zone, at_us)
    }
}

/// The moment of a minute of a day in a zone. A minute that the clocks jump over is the same distance after the jump; of one that
/// comes twice the first counts (RFC 5545).
pub(super) fn moment(zone: &TimeZone, day: Date, minute: u16) -> i64 {
    let (day, minute) = if minute >= 1440 { (day.saturating_add(jiff::Span::new().days(1)), 0) } else { (day, minute) };
    let time = Time::constant((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    let zoned = zone.to_ambiguous_timestamp(DateTime::from_parts(day, time)).compatible();
    zoned.map_or(i64::MAX / 4, |t| t.as_microsecond())
}

/// The date and the minute of the day at a moment.
pub(super) fn local(zone: &TimeZone, at_us: i64) -> (Date, u16) {
    let at = jiff::Timestamp::from_microsecond(at_us).unwrap_or(jiff::Timestamp::MAX);
    let at = zone.to_datetime(at);
    (at.date(), at.hour() as u16 * 60 + at.minute() as u16)
}

/// 0 for Monday.
pub(super) fn weekday(day: Date) -> usize {
    match day.weekday() {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

fn checked(mut spans: Vec<Span>) -> Result<Vec<Span>, HoursError> {
    spans.sort_unstable();
    if let Some(span) = spans.iter().find(|s| s.from >= s.until || s.until > 1440) {
        return Err(HoursError::Span(*span));
    }
    match spans.windows(2).find(|w| w[0].until > w[1].from) {
        Some(w) => Err(HoursError::Overlap(w[0], w[1])),
        None => Ok(spans),
    }
}
