//! What can be asked of stock: each a function over `&mut Tx` that refuses before its first write.
mod claims;
mod documents;
mod expiry;
mod locations;

pub use claims::{
    ANY_CHANNEL, Replacement, Request, Reserved, confirm, extend, fulfil, release, release_line, replace, reserve,
};
pub use documents::{Broken, Posted, Shortage, book_at, count, post};
pub use expiry::{Expired, expire, next_expiry};
pub use locations::{ChannelInput, LocationInput, places, put_channel, put_location, set_state};

use crate::StockTable;
use crate::model::VariantStock;
use base::{Quantity, Timestamp};
use db::{DbError, Notice, Tx};
use std::sync::Arc;

/// The stock of a variant as this transaction sees it.
pub fn stock(tx: &mut Tx, variant_no: i64) -> Result<Option<Arc<VariantStock>>, DbError> {
    Ok(tx.get::<StockTable>(variant_no)?.cloned())
}

/// The stock of a variant to be changed; watchers are told.
fn change(tx: &mut Tx, variant_no: i64) -> Result<&mut VariantStock, DbError> {
    tx.notify(Notice::Stock { variant_no });
    if tx.get::<StockTable>(variant_no)?.is_none() {
        tx.put::<StockTable>(variant_no, Arc::default());
    }
    let row = tx.get_mut::<StockTable>(variant_no)?;
    row.map(Arc::make_mut).ok_or_else(|| DbError::damaged("stock_positions", "a row that was put is gone"))
}

/// Adds a claim to the sums of its place.
fn claim(stock: &mut VariantStock, location_no: i64, ends: Timestamp, quantity: Quantity, now: Timestamp) {
    let position = stock.at_mut(location_no);
    if ends == crate::model::NEVER {
        position.firm += quantity;
        return;
    }
    let ended = position.holds.partition_point(|ending| ending.at <= now);
    position.holds.drain(..ended);
    match position.holds.binary_search_by_key(&ends, |ending| ending.at) {
        Ok(at) => position.holds[at].quantity += quantity,
        Err(at) => position.holds.insert(at, crate::model::Ending { at: ends, quantity }),
    }
}

/// Takes a claim off the sums of its place; one that has ended by itself is there no more.
fn unclaim(stock: &mut VariantStock, location_no: i64, ends: Timestamp, quantity: Quantity, now: Timestamp) {
    let position = stock.at_mut(location_no);
    if ends == crate::model::NEVER {
        position.firm -= quantity;
        return;
    }
    if ends <= now {
        return;
    }
    if let Ok(at) = position.holds.binary_search_by_key(&ends, |ending| ending.at) {
        position.holds[at].quantity -= quantity;
        if !position.holds[at].quantity.is_positive() {
            position.holds.remove(at);
        }
    }
}
