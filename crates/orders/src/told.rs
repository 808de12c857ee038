//! What happened to orders and is to be told to the customers' log, in the same transaction. Commands note it here; the pipeline
//! takes it and logs it.
use db::{DbError, Engine, Memory, Tx};

/// A step of an order's life, as an event about its customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub order_no: i64,
    /// As CONVENTIONS name it: `Order Completed`, `Order Cancelled`, `Order Refunded`, …
    pub name: &'static str,
    /// JSON of the event's properties.
    pub properties: serde_json::Value,
}

/// A step of a cart's life, as an event about whoever it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct OfCart {
    pub cart_no: i64,
    /// As CONVENTIONS name it: `Cart Shared`.
    pub name: &'static str,
    /// JSON of the event's properties.
    pub properties: serde_json::Value,
}

#[derive(Default)]
struct Waiting(Vec<Told>, Vec<OfCart>);

impl Memory for Waiting {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self::default())
    }
    fn commit(&mut self) {
        self.0.clear();
        self.1.clear();
    }
    fn rollback(&mut self) {
        self.0.clear();
        self.1.clear();
    }
}

/// Notes what is to be told.
pub(crate) fn tell(tx: &mut Tx, told: Told) -> Result<(), DbError> {
    tx.memory::<Waiting>()?.0.push(told);
    Ok(())
}

/// Notes what is to be told of a cart.
pub(crate) fn tell_of_cart(tx: &mut Tx, told: OfCart) -> Result<(), DbError> {
    tx.memory::<Waiting>()?.1.push(told);
    Ok(())
}

/// Takes what waits to be told of carts.
pub fn take_of_carts(tx: &mut Tx) -> Result<Vec<OfCart>, DbError> {
    Ok(std::mem::take(&mut tx.memory::<Waiting>()?.1))
}

/// Takes what waits to be told.
pub fn take(tx: &mut Tx) -> Result<Vec<Told>, DbError> {
    Ok(std::mem::take(&mut tx.memory::<Waiting>()?.0))
}
