//! Whether a feed is to be believed.

/// Silence after which nothing is known: three minutes.
pub const SILENT_US: i64 = 180_000_000;

/// What a feed's last answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered not long ago; not changed is an answer too.
    Alive,
    /// It has been silent: what it said last may be wrong either way. Marketing may wait, selling goes on.
    Unknown {
        /// For how long.
        silent_us: i64,
    },
}

/// What a feed is worth at `now_us` that answered last at `answered_us`.
pub fn health(answered_us: Option<i64>, now_us: i64) -> Health {
    match answered_us {
        Some(at) if now_us - at <= SILENT_US => Health::Alive,
        at => Health::Unknown { silent_us: at.map_or(i64::MAX, |at| now_us - at) },
    }
}
