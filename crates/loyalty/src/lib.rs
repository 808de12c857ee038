//! Loyalty: what a basket costs after promotions and coupons, and what a customer's points are worth.
//!
//! Start at [`price()`]: a basket, compiled promotions and a context in, a priced basket out, with a reason for every
//! discount. [`distribute()`] and [`tax`] are the arithmetic below it, [`refunds`] what comes back of a stored line,
//! [`law`] the rules of law that hold at a date. All of these are pure. [`wire`] is the JSON of `braid price`. In the store are
//! [`rules`], promotions and law as people wrote them with every version, and [`points`], the ledger of points.
//!
//! Invariants: shares of an amount sum to it exactly; a total is never negative; refunds of all pieces sum to what was paid.
//!
//! Deliberately absent: which price list holds a price (`catalog`), payments and orders (`orders`), HTTP.
pub mod amounts;
mod distribute;
pub mod law;
pub mod model;
pub mod points;
mod price;
pub mod refunds;
pub mod rules;
pub mod tax;
pub mod wire;

pub use distribute::{distribute, share_until, split_units};
pub use price::{Compiled, PERSONAL, POINTS, choose::coupon, compile::Invalid, price};

/// The tables of this crate.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "loyalty",
    steps: &[
        ("0001_loyalty", include_str!("../migrations/0001_loyalty.sql")),
        ("0002_rules_version", include_str!("../migrations/0002_rules_version.sql")),
    ],
};

#[cfg(test)]
mod tests;
