//! What feeds say.
use std::time::Duration;

/// What threatens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Threat {
    /// From the air.
    AirRaid,
    /// By artillery.
    Artillery,
    /// Fights in streets.
    UrbanFights,
    /// Chemical.
    Chemical,
    /// Nuclear.
    Nuclear,
    /// A notice, or something that this program does not know.
    Other,
}

/// An alert that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedAlert {
    /// Uid of the territory, the same in both feeds.
    pub territory: String,
    /// What threatens.
    pub threat: Threat,
    /// Since when, µs; for a feed that tells only changes, since the last one.
    pub began_us: i64,
    /// When it ended, where the feed says so.
    pub ended_us: Option<i64>,
}

/// What a feed answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Everything that goes on now.
    Now(Vec<FeedAlert>),
    /// The same as before; the feed is alive.
    Same,
}

/// Why there is no answer. None of them says that there is no alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedFailure {
    /// The address or the key cannot be used.
    #[error("the alert feed cannot be asked: {0}")]
    Settings(String),
    /// The key is not known.
    #[error("the alert feed does not know this key (401)")]
    Unauthorised,
    /// Not from here.
    #[error("the alert feed refuses this address or country (403)")]
    Forbidden,
    /// Asked too often; nothing was sent when this comes from our own limit.
    #[error("the alert feed may be asked again in {0:?}")]
    TooFast(Duration),
    /// Another status.
    #[error("the alert feed answered {0}")]
    Status(u16),
    /// No answer.
    #[error("the alert feed did not answer within {0:?}")]
    Timeout(Duration),
    /// No connection.
    #[error("the alert feed cannot be reached: {0}")]
    Connection(String),
    /// Not what the feed documents.
    #[error("the alert feed's answer cannot be read: {0}")]
    Unreadable(String),
}

/// A time as feeds write it; without a zone it is UTC.
pub(super) fn moment(text: &str) -> Option<i64> {
    let zoned = text.parse::<jiff::Timestamp>().ok().map(|t| t.as_microsecond());
    let plain = || {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
    };
    zoned.or_else(plain)
}
