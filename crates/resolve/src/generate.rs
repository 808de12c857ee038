//! Made-up lists whose truth is known: for tests, for benchmarks, for trying things out. Nothing in them is a real person.
//!
//! [`ukraine()`] makes a shop's list in two alphabets; [`plain()`] one in the style of the Febrl sets, with more damage a record. Both are
//! decided by their seed alone.
mod damage;
mod data;
mod plain;
mod ukraine;

use crate::person::Raw;

pub use plain::{Plain, plain};
pub use ukraine::{Ukraine, ukraine};

/// A made-up row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub raw: Raw,
    /// Number of the person that the row is about.
    pub person: u32,
}

/// Puts rows into an order that says nothing.
fn shuffle(rows: &mut [Row], rng: &mut base::Rng) {
    for at in (1..rows.len()).rev() {
        rows.swap(at, rng.below(at as u64 + 1) as usize);
    }
}
