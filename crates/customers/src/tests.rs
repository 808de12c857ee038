//! Folding, placing and cutting, on values alone and over the database.
pub(crate) mod harness;

mod cutting;
mod fold;
mod people;
mod recovery;
