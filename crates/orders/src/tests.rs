//! Stories of orders, on both engines.
mod stories;
pub(crate) mod world;
