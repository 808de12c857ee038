//! The database layer: one log of events, facts and derived rows over SQLite or PostgreSQL.
//!
//! Start at [`Store::open`]. A *writer* is one thread, its memory and its part of the log ([`writer`]); commands run in
//! groups over one [`Tx`], each group one transaction. [`cache`] holds decoded rows and flushes dirty ones by rotation,
//! [`log`] is the truth they follow. [`dedup`] removes repeats at the log's border, exactly and in bounded memory.
//!
//! Invariants: `(writer, seq)` is contiguous; no answer leaves before the commit that covers it; after any database error
//! memory is loaded again. Deliberately absent: what events mean (the domain crates), HTTP, async.
mod answer;
pub mod backup;
pub mod cache;
pub mod compress;
pub mod dedup;
pub mod engine;
pub mod erase;
pub mod error;
pub mod event;
pub mod index;
pub mod jobs;
pub mod log;
pub mod message;
pub mod migrate;
pub mod mirror;
pub mod names;
pub mod notice;
pub mod overlay;
pub mod pack;
mod queue;
pub mod reactor;
pub mod settings;
pub mod store;
pub mod subscriptions;
pub mod tx;
pub mod warm;
pub mod writer;

pub use cache::Table;
pub use engine::{Bulk, Column, Dialect, Engine, Lookup, Owned, Row, Sync, Value, redact};
pub use error::DbError;
pub use migrate::Migrations;
pub use notice::Notice;
pub use queue::Step;
pub use store::{Figures, Location, Open, Store};
pub use tx::{Memory, Tx};

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
