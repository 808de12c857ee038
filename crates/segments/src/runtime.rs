//! Segments that live in the store: their definitions, who is in them, and what an event or a moment changes.
//!
//! [`react`] evaluates, inside an event's transaction, only the segments that the event can change; [`look_again`] does the
//! same for a person whose moment has come. A segment that is made or edited is *filling* until its counters know the past
//! and everybody was evaluated; [`definitions`] says how far that is.
pub mod changes;
pub mod commands;
pub mod computed;
pub mod definitions;
pub mod memberships;
mod react;
pub mod timers;

pub use changes::{Change, count};
pub use definitions::{Filling, Segment, Segments};
pub use memberships::{Cause, Membership, Memberships};
pub use react::{evaluate_now, expected, leave_all, look_again, react, read_person, reevaluate, take_over};

/// This crate's tables.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "segments",
    steps: &[
        ("0001_segments", include_str!("../migrations/0001_segments.sql")),
        ("0002_computed", include_str!("../migrations/0002_computed.sql")),
    ],
};

#[cfg(test)]
mod tests;
