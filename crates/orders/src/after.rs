//! After the sale: returns, exchanges, claims, refunds, store credit, warranty, repair, loans and check-ins.
//!
//! Start at [`commands`]. The rules are pure: [`policy`] says whether something may come back and until when, [`money`] what is
//! given back for it and where that goes, [`rates`] how much comes back of what, and what the catalogue should say. Goods, money and
//! papers are three ledgers that a case joins: goods move by papers of stock, money by payments and [`credit`], and neither waits for the other
//! except where a life ([`crate::states`]) says so.
//!
//! Invariants ([`doctor`] checks them): what goes back of an order, or is moved to another, never exceeds what was captured; no more pieces
//! come back than were delivered; every posting of store credit has two sides, and no account is below zero; what was lent is back before
//! its case is closed.
pub mod commands;
pub mod credit;
pub mod doctor;
pub mod lists;
pub mod model;
pub mod money;
pub mod policy;
pub mod rates;
mod tables;

pub use tables::{AccountTable, CaseTable, ClaimTable, CreditTable, RefundTable, ReturnTable};

#[cfg(test)]
mod tests;
