//! Full-text search over the catalogue: an index that can be thrown away and built again.
//!
//! Start at [`Index::search`]. [`follow`] keeps the index beside the store, on a thread of its own: it reads what changed
//! since the position that its last commit carries. [`text`] compares words of three languages. (ADR 0031)
//!
//! Invariants: nothing is in the index that the store does not say; a position moves with the commit that covers it, so a kill
//! at any point costs some work and no product. Deliberately absent: prices and stock by channel, HTTP.
mod counts;
pub mod document;
pub mod follow;
pub mod index;
pub mod query;
pub mod text;

pub use follow::Follower;
pub use index::{Index, SearchError};
pub use query::{Asked, FacetCount, Found, Sort};

#[cfg(test)]
mod tests;
