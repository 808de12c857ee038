//! Sourcing: which place sends which pieces of an order, by which carrier, and why.
//!
//! Start at [`plan_order`], exact for one order, and [`plan`] for many that share stock and capacity. What is good is
//! docs/formats/plan.schema.json to the letter: most pieces first, then the least sum of ship, handle, split and late. The
//! server adds [`Weights`] (CO₂, a shop's last piece) and [`Rule`]s that the business edits; both are empty for plain files.
//! [`why::reason`] says why, as data, [`why::sentence`] in English; [`file`] reads and writes the files of `braid source`.
//!
//! A hand that re-sources (a shop declines, a count fails, a point goes down) calls the same functions with what is left and a
//! rule or [`Location::down`] that leaves the place out.
//!
//! Deliberately absent: when a parcel arrives by the clock ([`crate::promise`]), reservations (`stock`), messages.
mod allocate;
mod batch;
mod bound;
mod conflict;
pub mod file;
mod ledger;
mod model;
mod order;
mod problem;
mod rules;
pub mod sample;
mod search;
pub mod why;

pub use batch::{Batch, Effort, plan};
pub use conflict::{Value, value};
pub use ledger::{Ledger, Limits, Resource, needs};
pub use model::{
    Alternative, Assignment, Component, Cost, Lane, Line, Location, LocationIndex, Network, Order, OrderPlan, Park,
    SkuIndex, Weights,
};
pub use order::{Wishes, cost_of, plan_order};
pub use rules::{Condition, Effect, Rule};

#[cfg(test)]
mod tests;
