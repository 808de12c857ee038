//! The catalogue: products, variants, what is said of them per channel and language, and price lists.
//!
//! Deliberately absent: how many there are (`stock`), promotions (`loyalty`), HTTP.
