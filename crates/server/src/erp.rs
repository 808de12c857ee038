//! Exchange with accounting systems (ERPs): BAS and 1C by CommerceML 2 files, others by REST.
//!
//! The other side is always the client. [`exchange`] answers CommerceML's steps over HTTP; [`folder`] keeps what it uploads;
//! [`work`] takes the files in, a piece a transaction, on a thread of its own; [`goods`], [`settle`] and [`returned`] say what an
//! item does here; [`sale`] gives orders out. [`feed`] and [`events`] are the same by REST, event by event; [`differences`] holds
//! the two sides' stock against each other and says who is right. [`journal`] keeps what was done and refused.
//!
//! Invariants: an item is known by its id there, never by article or name; nothing is deleted, what vanishes is archived, and
//! more than a set share only after somebody said so; a price or a quantity that cannot be used yet is kept and used later.
//! Deliberately absent: rules of stock and prices (their crates), anything about a person.
pub mod connections;
pub mod differences;
pub mod doctor;
pub mod events;

pub mod exchange;
pub mod feed;
pub mod folder;
pub mod goods;
pub mod ids;
pub mod journal;
pub mod maps;
pub mod protocol;
pub mod returned;
pub mod sale;
pub mod settle;
pub mod vanish;
pub mod work;

/// Jobs that take files of an exchange in.
pub const JOB: &str = "erp_import";
/// Connections of a shop.
pub const CONNECTIONS_MAX: i64 = 50;

/// Who tells stock and payments: the source of papers that came over a connection.
pub fn source(connection: &connections::Connection) -> String {
    format!("erp:{}", connection.name)
}
