//! Webhooks out: one signed request to somebody else's server, and what its answer means.
//!
//! Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>). Start at [`WebhookClient::send`]; [`outcome::judge`] is the law
//! over its answers, [`schedule::wait`] says when to come again, [`sign`] how a receiver knows who speaks, [`address`] where
//! we do not go.
//!
//! Invariants: no redirect is followed; a connection goes only to an address that was checked after the name was resolved;
//! an answer is read up to a limit; every wait has one. Deliberately absent: the queue, and any repetition.
pub mod address;
mod client;
pub mod outcome;
pub mod schedule;
pub mod sign;

pub use address::{Reach, UrlError, check_url};
pub use client::{Answer, Failure, Post, WebhookClient, WebhookOptions, WebhookOptionsError};
pub(crate) use client::{Checked, words};
pub use outcome::{Verdict, judge};
pub use sign::{Secret, SecretError};

#[cfg(test)]
mod tests;
