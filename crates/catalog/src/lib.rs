//! The catalogue: products, variants, what is said of them per channel and language, and price lists.
//!
//! Deliberately absent: how many there are (`stock`), promotions (`loyalty`), HTTP.
//!
//! [`prices`] says what one piece costs: price lists, their history, and why a price holds.
pub mod prices;
