//! When a delivery that failed is tried again: the schedule of Standard Webhooks, spread by chance.
use crate::backoff::mix;
use std::time::Duration;

/// Waits before the second attempt, the third, …: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; three days in all.
pub const WAITS_S: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Attempts of one delivery before it is dead.
pub const ATTEMPTS: u32 = WAITS_S.len() as u32 + 1;
/// A server that asks for more patience than this does not get it.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);
/// The jitter in percent, later only: nobody is asked earlier than the schedule says.
pub const JITTER_PERCENT: u64 = 20;

/// How long to wait after the failed attempt number `attempt` (the first is 1), `None` when there is no further one.
///
/// The wait is spread evenly over 0 to 20 % more than the schedule, so that deliveries which failed together do not come
/// back together; a longer `retry_after`, up to a day, is obeyed, with the same spread. `chance` is the only source of
/// chance: same attempt and chance, same wait.
pub fn wait(attempt: u32, retry_after: Option<Duration>, chance: u64) -> Option<Duration> {
    let nominal = Duration::from_secs(*WAITS_S.get(attempt.max(1) as usize - 1)?);
    let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    Some(spread(nominal.max(asked), chance ^ u64::from(attempt)))
}

/// How long an endpoint as a whole is left alone after `failures` in a row that were about the server, not about one
/// message: 5 s, 10 s, … up to 5 min, or what it asked for. Without this a dead server would be asked once for each message
/// that waits.
pub fn pause(failures: u32, retry_after: Option<Duration>, chance: u64) -> Duration {
    let nominal = Duration::from_secs(5u64.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(300));
    let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    spread(nominal.max(asked), chance ^ u64::from(failures))
}

fn spread(wait: Duration, chance: u64) -> Duration {
    let ms = wait.as_millis() as u64;
    // The remainder's bias is below 2^-36 for a spread of at most 4.8 h in milliseconds.
    Duration::from_millis(ms + mix(chance) % (ms / 100 * JITTER_PERCENT + 1))
}

/// Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date of which the wait from `now_us` is taken.
pub fn retry_after(value: &str, now_us: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_microsecond();
    Some(Duration::from_micros(u64::try_from(then - now_us).unwrap_or(0)))
}
