//! What can be asked: make, change and end lists; set many prices, look at what that would do, roll it back. Each is a function
//! over `&mut Tx` that refuses before its first write.
mod lists;
mod rollback;
mod set;

pub use lists::{NewList, create_list, end_list, forget_customer, list_versions, update_list};
pub use rollback::roll_back;
pub use set::{Applied, Effect, NewPrice, Rejection, preview, set_prices};
pub use set::{Change, changes};

use db::DbError;

/// Prices that one command sets at most.
pub const PRICES_MAX: usize = 10_000;
/// Lists that are kept, with those that ended.
pub const LISTS_MAX: usize = 100_000;

/// Why a command was refused. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PriceError {
    /// What was sent makes no sense, at this JSON pointer.
    #[error("{what}")]
    Invalid { pointer: String, what: String },
    #[error("there is no price list {id}")]
    NoList { id: i64 },
    #[error("there is no change of prices {id}")]
    NoChange { id: i64 },
    /// Somebody else changed it since it was read.
    #[error("the price list {id} has version {current} by now, the change was made to version {expected}")]
    Stale { id: i64, expected: i64, current: i64 },
    /// It ended, and what ended is history.
    #[error("the price list {id} ended: make a new one")]
    Ended { id: i64 },
    #[error("the change {id} cannot be rolled back: {why}")]
    NotUndone { id: i64, why: String },
    #[error("prices cannot be read or written")]
    Store(#[from] DbError),
}

impl PriceError {
    fn invalid(pointer: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), what: what.into() }
    }
    /// The stable code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            PriceError::Invalid { .. } => "bad_price",
            PriceError::NoList { .. } | PriceError::NoChange { .. } => "not_found",
            PriceError::Stale { .. } => "changed_meanwhile",
            PriceError::Ended { .. } | PriceError::NotUndone { .. } => "conflict",
            PriceError::Store(_) => "internal",
        }
    }
}
