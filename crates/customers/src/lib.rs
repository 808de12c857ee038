//! Customers: identifiers, identity, the fold of events into profiles, consent.
//!
//! Start at [`prepare`]: what a message means, found before it reaches the writer. [`identity`] decides which profile an
//! event belongs to, [`state`] folds it and merges profiles to people, [`commands`] does both over the database;
//! [`cuts`] takes people apart again. [`consent`] is the ledger of what may be sent. [`counters`] is what segments count.
//!
//! Invariants: an identifier value belongs to at most one profile; an event belongs to exactly one, and only a detach moves
//! it; a profile's state is a function of the set of its events; profiles are never poured into one another; no order of
//! arrival turns a denied consent into a granted one. [`doctor`] checks them on real data.
//! Deliberately absent: conditions over profiles (`segments`), sending (`messaging`), HTTP.
mod again;
pub mod changes;
pub mod codec;
pub mod commands;
pub mod consent;
pub mod counters;
pub mod cuts;
pub mod derived;
pub mod doctor;
pub mod facts;
pub mod households;
pub mod hubs;
pub mod identifier;
pub mod identity;
pub mod joins;
pub mod model;
pub mod page;
pub mod pattern;
pub mod preload;
pub mod prepare;
pub mod privacy;
pub mod profiles;
pub mod regroup;
pub mod replay;
pub mod review;
pub mod rules;
pub mod search;
mod sql;
pub mod state;
pub mod stitch;
pub mod timeline;

pub use commands::{Placed, fold_event, lookup, person, place, refold};
pub use model::{PersonView, Profile, State};
pub use profiles::MIGRATIONS;

#[cfg(test)]
mod tests;
