//! Who is who in lists without a shared key: probabilistic resolution.
//!
//! Start at [`resolve()`]: a [`Table`] of records in, people out. [`person`] reads what people write into values, [`keys`] says which
//! pairs are worth comparing, [`compare`] compares them level by level, [`learn`] finds out without labels what each level is worth,
//! [`model`] weighs, [`cluster`] makes groups that do not contradict themselves. For two people at hand: [`Person::read`],
//! [`keys::keys`] (they may be stored), [`defaults::model`] and [`Model::explain`].
//!
//! Invariants: the same records give the same people, whatever their order, the order of columns or the number of threads; rare values weigh
//! more than common ones; a missing value is no evidence. Deliberately absent: files, the store, any merging of profiles.
pub mod address;
pub mod birth;
pub mod blocks;
pub mod cluster;
pub mod compare;
pub mod defaults;
pub mod field;
pub mod generate;
pub mod keys;
pub mod learn;
pub mod measure;
pub mod model;
mod parallel;
pub mod person;
mod places;
mod resolve;
pub mod table;
pub mod text;
mod value;

pub use field::Field;
pub use model::{Evidence, Model, Scored};
pub use person::{Column, Person, Raw};
pub use resolve::{Figures, Options, Progress, Resolution, resolve};
pub use table::Table;

#[cfg(test)]
mod tests;
