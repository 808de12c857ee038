//! Stories and properties of stock, on both engines.
mod cost;
mod entities;
mod incoming;
mod lots;
mod model;
mod rfid;
mod rules;
mod stories;
mod waiting;
mod work;
mod world;
