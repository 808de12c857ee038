//! Webhooks out: what happens here, told to other systems.
//!
//! [`read`] goes over the log and the lists of changes behind the writer and puts what an endpoint wants into its queue, in the
//! transaction that moves its place: into the queue exactly once. [`send`] takes from each endpoint's queue what is due,
//! speaks HTTP outside of any transaction and settles the answer in another: out of the house at least once, with the same
//! `webhook-id` every time. [`kinds`] names what there is, [`filter`] says what goes where, [`facts`] what a body holds.
//!
//! Invariants: while there is no endpoint nothing runs, and taking events costs nothing for it; each endpoint has its own queue,
//! its own places for attempts and its own pauses, so that none waits for another; what an erased person's message said is
//! gone from here in the transaction that begins the erasure. (ADR 0021)
pub mod deliveries;
pub mod doctor;
pub mod endpoints;
pub mod facts;
pub mod filter;
pub mod gather;
pub mod kinds;
pub mod queue;
pub mod read;
pub mod send;
pub mod settle;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Endpoints of a shop, at most: each has places of its own for attempts.
pub const ENDPOINTS_MAX: i64 = 50;
/// Attempts under way at once for one endpoint; one that fails gets a single place.
pub const AT_ONCE: usize = 4;
/// Deliveries that wait for one endpoint, at most; with more it is disabled and somebody is told.
pub const QUEUE_MAX: i64 = 100_000;

/// What requests, reader and sender share.
#[derive(Debug, Default)]
pub struct Webhooks {
    /// Whether any endpoint gets anything; without one neither reader nor sender does.
    wanted: AtomicBool,
    /// Something changed that both should look at.
    pub(crate) changed: Notify,
    pub(crate) sender_wakes: Notify,
    /// Attempts by how they ended: delivered, failed.
    pub(crate) attempts: [AtomicU64; 2],
    waiting: Mutex<HashMap<i64, Waiting>>,
}

/// What waits for an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Deliveries.
    pub count: i64,
    /// When the oldest was queued, microseconds.
    pub oldest_us: i64,
}

impl Webhooks {
    /// Whether any endpoint gets anything.
    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }
    /// Says that endpoints or queues changed.
    pub fn touch(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
        self.wake();
    }
    /// Says that something may be due now.
    pub fn wake(&self) {
        self.changed.notify_one();
        self.sender_wakes.notify_one();
    }
    /// What waits, by endpoint, as it was counted last.
    pub fn waiting(&self) -> HashMap<i64, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(crate) fn set_waiting(&self, waiting: HashMap<i64, Waiting>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }
    /// Attempts since the start: delivered, failed.
    pub fn attempts(&self) -> [u64; 2] {
        [0, 1].map(|at| self.attempts[at].load(Ordering::Relaxed))
    }
}
