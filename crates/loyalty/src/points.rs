//! The ledger of points: earned, burned, taken back, given back, expired; never edited, only added to.
//!
//! Start at [`plan`]: which lots a movement touches, as pure functions. [`commands`] posts movements; each has a document,
//! so that a retried receipt moves points once. Lines of a posting sum to zero: what a customer has, the issuing account owes.
//! A balance is the sum of what is left in lots; below zero it is a debt, which the next points that are earned pay first.
//!
//! Deliberately absent: how many points a basket earns ([`crate::price()`]), tiers.
pub mod commands;
pub mod doctor;
pub mod plan;

#[cfg(test)]
mod tests;
