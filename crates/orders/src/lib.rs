//! Orders: what was promised, from where it comes, and how it reaches the customer.
//!
//! [`sourcing`] decides which place sends which piece.
//!
//! Deliberately absent: what a basket costs (`loyalty`), where goods are (`stock`), messages, HTTP.
pub mod sourcing;
