//! Orders: what was promised, from where it comes, and how it reaches the customer.
//!
//! [`sourcing`] decides which place sends which piece. [`calendar`] says when places work, over holidays, air-raid alerts and
//! power cuts; [`promise`] what a customer can be told before ordering. [`states`] are the lives of orders, fulfilments,
//! payments, returns and transfers, and why a step is refused. [`commands`] is what can be asked: from a cart to what is handed over.
//! [`after`] is what comes after the sale: returns, exchanges, claims, repairs, store credit. At the counter: [`showroom`] is advice,
//! [`reviews`] what they say of it, [`accompany`] what goes with what, [`bag`] which orders are one bag. [`owing`] is what is left to pay. [`personal`] is what is held of somebody.
//!
//! Deliberately absent: what a basket costs (`loyalty`), where goods are (`stock`), messages, HTTP.
pub mod accompany;
pub mod after;
pub mod bag;
pub mod burned;
pub mod calendar;
pub mod commands;
pub mod confirmation;
mod delays;
pub mod doctor;
mod error;
pub mod figures;
pub mod model;
pub mod offers;
pub mod owing;
pub mod payments;
pub mod personal;
pub mod promise;
pub mod repricing;
pub mod reviews;
pub mod settings;
pub mod showroom;
pub mod sourcing;
pub mod states;
mod tables;
pub mod told;

pub use error::OrderError;
pub use tables::{CartTable, OrderTable};

/// The tables of this crate.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "orders",
    steps: &[
        ("0001_orders", include_str!("../migrations/0001_orders.sql")),
        ("0002_work", include_str!("../migrations/0002_work.sql")),
        ("0003_returns", include_str!("../migrations/0003_returns.sql")),
        ("0004_promises", include_str!("../migrations/0004_promises.sql")),
        ("0005_front", include_str!("../migrations/0005_front.sql")),
        ("0006_reviews", include_str!("../migrations/0006_reviews.sql")),
    ],
};

#[cfg(test)]
mod tests;
