//! Files in and out, as rules: from bytes to rows, from rows to messages of the tracking API, and back to files.
//!
//! Start at [`rows::Layout::detect`], which finds out how a file is written, then [`suggest::suggest`], which guesses what its
//! columns mean, [`mapping::Plan`], which checks that, and [`convert::convert`], which makes messages of rows. [`presets`] know the
//! exports of well-known systems. [`quality`] judges contacts, [`compare`] holds two systems' numbers against each other.
//!
//! Invariants: nothing here panics on a file's bytes; memory is bounded by the longest line; the same file gives the same
//! message ids for ever. Deliberately absent: the store, HTTP, threads, the clock.
pub mod back;
pub mod commerceml;
pub mod compare;
pub mod convert;
pub mod encoding;
pub mod goods;
pub mod groups;
pub mod lines;
pub mod mapping;
pub mod presets;
pub mod quality;
pub mod rows;
pub mod stock_files;
pub mod suggest;
pub mod table;
pub mod values;
pub mod write;
pub mod xlsx;
