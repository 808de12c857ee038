//! When it happened: client clocks are wrong, and no stored event lies in the future.
use base::{SECOND_US, Timestamp};

/// 2000-01-01T00:00:00Z. What claims to be older was sent by a clock that was never set.
const OLDEST: Timestamp = Timestamp::from_micros(946_684_800 * SECOND_US);

/// A message's own moment, after correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrected {
    pub timestamp: Timestamp,
    pub warning: Option<TimeWarning>,
}

/// Why the moment of receipt was taken instead of what the client said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeWarning {
    /// It is no date and time.
    Unparsable,
    /// It lay in the future by more than the tolerance.
    Future,
    /// It lay before 2000.
    TooOld,
}

impl TimeWarning {
    /// Stable; the console translates by it.
    pub fn code(self) -> &'static str {
        match self {
            TimeWarning::Unparsable => "unparsable_time",
            TimeWarning::Future => "future_time",
            TimeWarning::TooOld => "old_time",
        }
    }
    /// For people.
    pub fn detail(self) -> &'static str {
        match self {
            TimeWarning::Unparsable => {
                "this is no date and time as in 2026-11-22T14:31:08Z; the time of receipt was taken"
            }
            TimeWarning::Future => "this lies in the future; the time of receipt was taken",
            TimeWarning::TooOld => "this lies before the year 2000; the time of receipt was taken",
        }
    }
}

/// When a message happened, by what the client said and when it was received (CONTRACTS 3).
///
/// A `sent` that is missing or no date corrects nothing. The result is never after `received`, nor before 2000 unless
/// `received` is. A missing `original` is no reason for a warning.
pub fn correct(original: Option<&str>, sent: Option<&str>, received: Timestamp, tolerance_us: i64) -> Corrected {
    correct_with(original, moment(sent), received, tolerance_us)
}

/// A text as a moment, if it is one.
pub(crate) fn moment(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|t| Timestamp::parse(t).ok())
}

/// [`correct`] with `sentAt` parsed: all messages of a batch share it.
pub(crate) fn correct_with(
    original: Option<&str>,
    sent: Option<Timestamp>,
    received: Timestamp,
    tolerance_us: i64,
) -> Corrected {
    let replaced = |warning| Corrected { timestamp: received, warning };
    let Some(original) = original else { return replaced(None) };
    let Ok(original) = Timestamp::parse(original) else { return replaced(Some(TimeWarning::Unparsable)) };
    let timestamp = match sent {
        Some(sent) if apart(sent, received) > tolerance_us => {
            received.plus(-(sent.micros().saturating_sub(original.micros())))
        }
        _ => original,
    };
    let warning = if timestamp > received {
        TimeWarning::Future
    } else if timestamp < OLDEST {
        TimeWarning::TooOld
    } else {
        return Corrected { timestamp, warning: None };
    };
    replaced((apart(timestamp, received) > tolerance_us).then_some(warning))
}

fn apart(a: Timestamp, b: Timestamp) -> i64 {
    a.micros().saturating_sub(b.micros()).saturating_abs()
}
