//! Stories of orders, on both engines.
mod ahead;
mod assortment;
mod books;
mod categories;
mod front;
mod lives;
mod money;
mod pauses;
mod points;
mod reviews;
mod stories;
mod work;
pub(crate) mod world;
