//! Stories of orders, on both engines.
mod lives;
mod stories;
mod work;
pub(crate) mod world;
