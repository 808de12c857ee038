//! A seeded simulation of a shop: random commands against the real database, with everything that goes wrong in a long life.
//!
//! Start at [`run::run`]: one seed is one life of a store, on SQLite or PostgreSQL, driven step by step so that no wall clock
//! has a say. [`story`] draws what happens, [`world`] does it to the store, [`ledger`] keeps in a few maps what must be true
//! afterwards, found without the code under test. Memory, overlay and connection are dropped at chosen points of a commit,
//! the disk forgets what was not synced, answers get lost, requests come twice, late and out of order, clocks jump.
//!
//! [`trade`] is another kind of life: of orders, from carts to what comes back, ended by [`checker`], a model of its own that
//! replays what was written down.
//!
//! At the end nothing that was acknowledged is lost, nothing counts twice, and `doctor` folds every profile again from the
//! log. A seed that fails prints itself; `simulate --seed N` repeats it exactly.
//!
//! Deliberately absent: HTTP and real kills of a process, which are tested in `cli`.
mod change;
pub mod checker;
mod erase;
mod finish;
mod goods;
pub mod ledger;
mod mail;
pub mod reached;
pub mod run;
pub mod story;
pub mod trade;
pub mod world;

#[cfg(test)]
mod tests;
