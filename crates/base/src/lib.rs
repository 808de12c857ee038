//! The small vocabulary that every room of Braid speaks: time, money, identifiers as people write them, chance.
//!
//! Everything here is a plain value or a pure function. Time and chance are inputs: a [`Clock`] and a seeded [`Rng`] are
//! passed to whoever needs them.
//!
//! Deliberately absent: I/O, storage, anything of retail (that starts in `customers`).
mod clock;
mod contact;
mod decimal;
pub mod mail_service;
mod money;
pub mod names;
pub mod page;
mod quantity;
mod rng;
mod time;

pub use clock::{Clock, ManualClock, SystemClock};
pub use contact::{Country, mask_email, mask_phone, normalise_email, normalise_phone};
pub use decimal::Decimal;
pub use money::{Money, MoneyError, currency_exponent};
pub use quantity::{Quantity, QuantityError};
pub use rng::{Rng, random_bytes, random_token};
pub use time::{DAY_US, HOUR_US, MINUTE_US, SECOND_US, TimeError, Timestamp};

#[cfg(test)]
mod tests;
