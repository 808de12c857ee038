//! The segment language (CONTRACTS 5): text to tree and back.
//!
//! Start at [`parse`]; [`parse_formula`] reads what a computed trait is. [`Expr`] is the tree; its `Display` prints the one normal text of a tree, and parsing that text gives
//! the tree again. [`SyntaxError`] says where, what was expected there, and mostly what to write instead.
mod ast;
mod error;
mod fields;
mod formula;
mod parser;
mod print;
mod scan;

pub use ast::{Aggregate, Calendar, Date, Expr, Function, Path, Sequence, Unit, Window};
pub use error::{Problem, SyntaxError};
pub use formula::{Arithmetic, Formula, parse_formula};
pub use parser::parse;

/// Longest expression, in bytes.
pub const TEXT_MAX: usize = 16 * 1024;
/// Deepest nesting of brackets.
pub const DEPTH_MAX: u32 = 64;
/// Most conditions in one expression, those after `where` included.
pub const ATOMS_MAX: u32 = 200;
/// Greatest number that a count in a window, or a count of distinct values, compares with: so many entries are kept for
/// each person.
pub const THRESHOLD_MAX: u32 = 10_000;
/// Longest window, in days: a hundred years.
pub const WINDOW_DAYS_MAX: u32 = 36_525;

#[cfg(test)]
pub(crate) mod tests;
