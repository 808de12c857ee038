//! Segments: groups of people by a condition, kept exact as events arrive and as time passes.
//!
//! Start at [`language`]: what a condition can say. [`compile`] turns it into a [`Plan`]: the counters that it needs of each
//! profile, and a tree over their summaries. [`evaluate`] decides membership of one person at a moment, and says how long
//! that answer holds if nothing happens. [`offline`] does all of it over a plain file of events.
//!
//! Invariants: evaluation is pure, reads no past event and no clock; its answer equals that over the full list of events.
//! An answer's `valid_until` is never later than the moment at which the answer changes.
//! Deliberately absent: counting (that is `customers::counters`), identity (that is `customers::identity`).
pub mod calendar;
pub mod compile;
pub mod computed;
pub mod evaluate;
pub mod language;
pub mod offline;
pub mod page;
pub mod runtime;

pub use compile::{Dependencies, Plan, Unbound, compile, compile_with};
pub use evaluate::{PersonView, Verdict, evaluate};
pub use language::{Expr, SyntaxError, parse, parse_formula};

#[cfg(test)]
mod tests;
