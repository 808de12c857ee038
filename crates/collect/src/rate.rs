//! How fast a source may send.
use base::{SECOND_US, Timestamp};

/// A token bucket: `per_second` events a second, `burst` at once.
///
/// Exact in integers. A clock that is set back refills nothing at that moment; counting goes on from there, since waiting for
/// the old time to come again could shut a source out for long.
#[derive(Debug, Clone)]
pub struct RateLimit {
    per_second: i64,
    burst: i64,
    /// Millionths of an event; below zero after a request larger than the burst.
    tokens: i64,
    refilled_at: Timestamp,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    /// Whole seconds, at least 1.
    pub seconds: u32,
}

impl RateLimit {
    /// A full bucket. `per_second` 0 means no limit.
    pub fn new(per_second: u32, burst: u32, now: Timestamp) -> Self {
        let burst = i64::from(burst.max(1));
        Self { per_second: i64::from(per_second), burst, tokens: burst * SECOND_US, refilled_at: now }
    }

    /// Takes `n` events out, or says when to come again and takes nothing.
    ///
    /// A request larger than the burst passes when the bucket is full and leaves a debt: it would never pass otherwise.
    pub fn take(&mut self, n: u32, now: Timestamp) -> Result<(), RetryAfter> {
        if self.per_second == 0 {
            return Ok(());
        }
        let elapsed_us = now.micros().saturating_sub(self.refilled_at.micros()).max(0);
        // A token a second is a millionth of a token a microsecond, so no division and no rounding.
        let refill = elapsed_us.saturating_mul(self.per_second);
        self.tokens = self.tokens.saturating_add(refill).min(self.burst * SECOND_US);
        self.refilled_at = now;
        let needed = i64::from(n).min(self.burst) * SECOND_US;
        if self.tokens >= needed {
            self.tokens -= i64::from(n) * SECOND_US;
            return Ok(());
        }
        let lacking = (needed - self.tokens).unsigned_abs();
        let wait_s = lacking.div_ceil(self.per_second.unsigned_abs()).div_ceil(SECOND_US.unsigned_abs());
        Err(RetryAfter { seconds: u32::try_from(wait_s).unwrap_or(u32::MAX).max(1) })
    }
}
