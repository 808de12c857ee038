//! What an answer means: taken, to be tried again, or nobody is there any more.
use std::time::Duration;

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx.
    Delivered,
    /// Anything else that may pass.
    Retry {
        /// What the server asked for.
        retry_after: Option<Duration>,
        /// Whether it is about the server rather than about this message: others need not try now either.
        server: bool,
    },
    /// 410: nobody wants these any more; the endpoint is disabled.
    Gone,
}

/// Judges an answer by its status; `None` when there was none (no connection, no TLS, too late, an address that is
/// refused).
///
/// A redirect is a failure: following it would send the body to an address that nobody has checked or meant. Standard
/// Webhooks counts 429, 502 and 504 as a wish to be left alone; 503 says so itself (RFC 9110, 15.6.4).
pub fn judge(status: Option<u16>, retry_after: Option<Duration>) -> Verdict {
    match status {
        Some(200..=299) => Verdict::Delivered,
        Some(410) => Verdict::Gone,
        Some(429 | 502 | 503 | 504) | None => Verdict::Retry { retry_after, server: true },
        Some(_) => Verdict::Retry { retry_after, server: false },
    }
}
