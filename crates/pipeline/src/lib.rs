//! The pipeline: what happens to an event, in which order, inside one transaction; used by server, imports, bench and tests.
//!
//! Start at [`Core::open`]: a store with everything that reacts to its log. [`Preparer`] makes batches of bodies on the
//! threads that take requests; [`Ingest`] is the command that logs them. [`step`] lists the reactors. [`recover`] folds the
//! log again after a kill, [`ticker`] does what is due, [`jobs`] long work piece by piece, such as [`backfill`]. [`doctor`] checks the
//! invariants of a whole store.
//!
//! Deliberately absent: rules of retail (the domain crates have them), HTTP.
pub mod backfill;
mod core;
pub mod cuts;
pub mod doctor;
pub mod erasure;
pub mod facts;
pub mod facts_job;
pub mod hours;
pub mod households;
mod ingest;
pub mod jobs;
pub mod joins;
mod losses;
pub mod orders;
mod preparer;
pub mod recover;
pub mod rejects;
pub mod rerun;
pub mod retention;
mod settings;
pub mod shop;
pub mod sources;
pub mod step;
pub mod ticker;
pub mod timeline;
mod warm;

pub use crate::core::{Core, Open, migrations, refuse_newer};
pub use ingest::{Ingest, Ingested, Reply, append_derived, ingest};
pub use preparer::{Current, Preparer};
pub use settings::Settings;

#[cfg(test)]
mod tests;
