//! Tests of the price function: golden numbers, promotions one by one, properties.
mod arithmetic;
mod lessons;
mod promotions;
mod properties;
pub(crate) mod shop;
pub(crate) mod stored;
