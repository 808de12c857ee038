//! A retailer that is alive: real invoices become a catalogue, shops, stock and prices, and are lived again as orders through the
//! commands that everybody uses, each step at its moment, the last invoice being of now.
//!
//! [`plan`] is pure: what is done when. [`replay`] does it, one step a transaction with its place in the plan, so that it stops
//! and goes on anywhere. What a rule refuses is counted, and the rest goes on.
pub mod plan;
pub mod replay;
#[cfg(test)]
mod tests;

use base::Timestamp;

/// An invoice as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub number: String,
    /// Who bought, if anybody in particular.
    pub customer: Option<String>,
    pub at: Timestamp,
    /// Goods came back.
    pub back: bool,
    pub lines: Vec<Line>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub code: String,
    pub name: String,
    /// Pieces, more than none.
    pub units: i64,
    /// What one cost.
    pub unit_minor: i64,
}
