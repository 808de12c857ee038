//! Stories and properties of stock, on both engines.
mod model;
mod rules;
mod stories;
mod work;
mod world;
