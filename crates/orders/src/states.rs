//! The lives of orders and of what belongs to them, as small machines.
//!
//! A machine is a table of rows: from a state, by an action, if guards hold, to a state ([`Row`]). [`step`] is the only way from
//! state to state; what the table does not say is refused with the reason and with what would be possible ([`Refusal`]). The
//! diagrams in docs/orders.md are drawn from the same tables, and a test compares them.
//!
//! Guards are facts that the caller knows (all pieces received, the place agreed to cancel): [`step`] takes those that hold. Of
//! several rows for one state and action the first whose guards hold counts.
//!
//! An order's status is stored nowhere: [`order::status`] derives it from stage, payment, fulfilment and returns. Money is facts
//! that only grow ([`payment::Sums`]), so that no late message makes a paid order unpaid. A carrier's tracking ([`shipment`]) is
//! data that moves neither money nor stock.
pub mod after;
pub mod fulfilment;
pub mod line;
mod machine;
pub mod order;
pub mod payment;
pub mod returns;
pub mod reviews;
pub mod shipment;
pub mod transfer;

pub use machine::{Machine, Refusal, Row, Why, mermaid, possible, step};

#[cfg(test)]
mod tests;
