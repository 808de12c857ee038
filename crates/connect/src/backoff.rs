//! When to try again: exponential back-off with jitter, as a pure function.

use std::time::Duration;

/// The wait after the first failed attempt, before jitter.
pub const BASE: Duration = Duration::from_secs(5);
/// By how much each further failure multiplies the wait.
pub const FACTOR: u64 = 3;
/// No wait is longer than this.
pub const CAP: Duration = Duration::from_secs(6 * 3600);
/// The jitter in percent, to either side.
pub const JITTER_PERCENT: u64 = 20;

/// Gives how long to wait after the failed attempt number `attempt` (the first is 1; 0 counts as 1).
///
/// Without jitter: 5 s, 15 s, 45 s, 135 s, … ×3 each time, and 6 h from the ninth attempt on. The jitter spreads the
/// wait evenly over ±20 % of that, so that mails which failed together do not come back together. The upper end never
/// exceeds [`CAP`]; at the cap the spread is therefore 4.8 h to 6 h, and not a pile at exactly 6 h.
///
/// `seed` is the only source of chance: same attempt and seed, same delay. Give each message its own seed, for instance
/// a hash of its id; the attempt number is mixed in here.
pub fn delay(attempt: u32, seed: u64) -> Duration {
    let cap_ms = millis(CAP);
    let nominal_ms = FACTOR
        .checked_pow(attempt.saturating_sub(1))
        .and_then(|factor| millis(BASE).checked_mul(factor))
        .map_or(cap_ms, |ms| ms.min(cap_ms));
    let spread_ms = nominal_ms / 100 * JITTER_PERCENT;
    let least_ms = nominal_ms - spread_ms;
    let most_ms = (nominal_ms + spread_ms).min(cap_ms);
    let width_ms = most_ms - least_ms + 1;
    // The remainder's bias is below 2^-39 for a width of at most 1.2 h in milliseconds.
    Duration::from_millis(least_ms + mix(seed ^ u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15)) % width_ms)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const fn millis(duration: Duration) -> u64 {
    duration.as_secs() * 1000
}

#[cfg(test)]
mod tests;
