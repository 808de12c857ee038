//! Stories of orders, on both engines.
mod stories;
mod work;
mod world;
