//! Why something cannot be done with stock.
use base::Quantity;
use db::DbError;

/// A variant of which there is not enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    pub variant_no: i64,
    /// Where it was wanted; `None`: anywhere.
    pub location_no: Option<i64>,
    pub wanted: Quantity,
    pub available: Quantity,
}

/// What was wrong, by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    #[error("there is not enough of {} variants", .0.len())]
    NotEnough(Vec<Short>),
    #[error("there is no {what} {id:?}")]
    Unknown { what: &'static str, id: String },
    /// A field cannot be taken as it is.
    #[error("{pointer}: {detail}")]
    Field { pointer: String, detail: String },
    /// The reservation has ended.
    #[error("reservation {no} has ended: {why}")]
    Ended { no: i64, why: &'static str },
    /// It is not at a point where this can be done.
    #[error("{what} {no} is {state} and cannot {wanted}")]
    Wrong { what: &'static str, no: i64, state: &'static str, wanted: String },
    /// Somebody changed it meanwhile.
    #[error("{what} {id:?} was changed meanwhile: read it again")]
    Changed { what: &'static str, id: String },
    #[error("the store cannot be read or written")]
    Store(#[from] DbError),
}

impl StockError {
    pub(crate) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        StockError::Field { pointer: pointer.into(), detail: detail.into() }
    }
}
