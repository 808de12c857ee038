//! Air-raid alerts: two public feeds, as plain values.
//!
//! [`InUa`] asks alerts.in.ua (`alerts/active.json`, conditional requests), [`UkraineAlarm`] asks ukrainealarm.com (its status
//! index first, the list only when that changed); [`hook`] believes ukrainealarm's signed webhooks. All give [`FeedAlert`]s with
//! the territory uids that both feeds share; whoever uses them compares a place's own uids from community to region, so that a
//! city that is a region of its own is not its neighbour. [`health`] says when silence means that nothing is known.
//!
//! The feeds are advice and say so themselves ("not for critical infrastructure"): a failure here is a value, stops nobody, and
//! an alert that is not confirmed any more ends by the policy of whoever uses it.
//!
//! Invariants: no redirect is followed; an answer is read up to a limit and every wait has one; a client asks no more often than
//! the feed allows, whoever calls it how often.
mod client;
mod health;
pub mod hook;
mod in_ua;
mod ukraine_alarm;
mod value;

pub use client::FeedOptions;
pub use health::{Health, SILENT_US, health};
pub use in_ua::InUa;
pub use ukraine_alarm::{ANY_REGION_OF_CRIMEA, UkraineAlarm};
pub use value::{FeedAlert, FeedFailure, Polled, Threat};

#[cfg(test)]
mod tests;
