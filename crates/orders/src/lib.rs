//! Orders: what was promised, from where it comes, and how it reaches the customer.
//!
//! [`sourcing`] decides which place sends which piece. [`calendar`] says when places work, over holidays, air-raid alerts and
//! power cuts; [`promise`] what a customer can be told before ordering. [`states`] are the lives of orders, fulfilments,
//! payments, returns and transfers, and why a step is refused.
//!
//! Deliberately absent: what a basket costs (`loyalty`), where goods are (`stock`), messages, HTTP.
pub mod calendar;
pub mod promise;
pub mod sourcing;
pub mod states;
