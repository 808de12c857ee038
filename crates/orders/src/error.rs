//! Why something cannot be done with a cart or an order.
use crate::states::Refusal;
use db::DbError;
use stock::StockError;

/// What was wrong, by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("there is no {what} {id:?}")]
    Unknown { what: &'static str, id: String },
    /// A field cannot be taken as it is.
    #[error("{pointer}: {detail}")]
    Field { pointer: String, detail: String },
    /// A step that the state does not allow.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is not enough, or stock refuses otherwise.
    #[error(transparent)]
    Stock(StockError),
    /// A variant has no price in the cart's currency.
    #[error("{sku} has no price in {currency} here")]
    NoPrice { sku: String, currency: String },
    #[error("the store cannot be read or written")]
    Store(#[from] DbError),
}

impl OrderError {
    pub(crate) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        OrderError::Field { pointer: pointer.into(), detail: detail.into() }
    }
}

impl From<StockError> for OrderError {
    fn from(error: StockError) -> Self {
        match error {
            StockError::Store(e) => OrderError::Store(e),
            other => OrderError::Stock(other),
        }
    }
}
