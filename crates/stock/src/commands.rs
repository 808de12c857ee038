//! What can be asked of stock: each a function over `&mut Tx` that refuses before its first write.
mod claims;
mod documents;
mod expiry;
mod locations;

pub(crate) use claims::keep_for;
pub use claims::{
    ANY_CHANNEL, Replacement, Request, Reserved, confirm, extend, fulfil, release, release_line, replace, reserve,
};
pub use documents::{Broken, Posted, Shortage, book_at, count, post};
pub use expiry::{Expired, expire, next_expiry};
pub use locations::{ChannelInput, LocationInput, places, places_cell, put_channel, put_location, set_state};

use crate::StockTable;
use crate::model::VariantStock;
use base::{Quantity, Timestamp};
use db::{DbError, Notice, Tx};
use std::sync::Arc;

/// The stock of a variant as this transaction sees it.
pub fn stock(tx: &mut Tx, variant_no: i64) -> Result<Option<Arc<VariantStock>>, DbError> {
    Ok(tx.get::<StockTable>(variant_no)?.cloned())
}

/// Keeps so much back at a place from every channel but its own till; less than nothing lets so much be sold ahead. Gives what
/// it was before.
pub fn set_safety(
    tx: &mut Tx,
    variant_no: i64,
    location_no: i64,
    safety: Quantity,
) -> Result<Quantity, crate::StockError> {
    if safety > Quantity::MAX || safety < -Quantity::MAX {
        return Err(crate::StockError::field("/quantity", "it is out of range"));
    }
    if !places(tx)?.get(location_no).is_some_and(|location| location.kind.sells()) {
        return Err(crate::StockError::field("/location_id", "nothing is sold from there"));
    }
    let now = tx.now();
    let ahead = (-safety).or_none();
    if let Some(position) = stock(tx, variant_no)?.as_ref().and_then(|stock| stock.at(location_no))
        && crate::availability::claimed(position, now) > position.sellable() + ahead
    {
        let detail = "more has been sold ahead than this allows: serve or cancel those orders first";
        return Err(crate::StockError::field("/quantity", detail));
    }
    let group = tx.group();
    let position = change(tx, variant_no)?.at_mut(location_no);
    position.changed = group;
    Ok(std::mem::replace(&mut position.safety, safety))
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
