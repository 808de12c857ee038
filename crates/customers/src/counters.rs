//! What is counted per profile, so that no question ever reads past events.
//!
//! A [`Definition`] says which events count and what is kept of them; [`CounterSet`] holds all definitions and finds, before
//! an event reaches the writer, which counters it touches ([`CounterSet::hits`]). A [`Summary`] is the state of one counter
//! and [`Counters`] those of a profile.
//!
//! Invariants: a summary is a function of the *set* of its events. For disjoint sets, `merge(fold(a), fold(b))` equals
//! `fold(a ∪ b)`; order does not matter; equal sets give equal bytes. Every summary is bounded: by a constant of the
//! question, or by [`window::ENTRIES_MAX`] and [`sequence::TIMES_MAX`], which say what is forgotten beyond them.
//! Deliberately absent: evaluation. What a summary means at a moment is decided in `segments`.
pub mod definition;
pub mod filter;
pub mod json;
pub mod sequence;
mod set;
mod summary;
pub mod window;

pub use definition::{CALENDAR_SPAN_US, Counted, Definition, Keep, Kind, Meaning, Occurrence, Within};
pub use filter::{FieldPath, Filter, Op, Test};
pub use json::{Json, ScalarRef};
pub use set::{CounterSet, Counters, SetError, VALUES_MAX};
pub use summary::{FIRST, Register, Summary, THEN, put_scalar, read_scalar};

#[cfg(test)]
mod tests;
