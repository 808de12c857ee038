//! How much of something can be promised: one answer for product pages, reservations and reports.
use crate::model::{Position, VariantStock};
use crate::places::Channel;
use base::{Quantity, Timestamp};

/// Claims at a place that are alive: firm ones, and holds that have not ended.
pub fn claimed(position: &Position, now: Timestamp) -> Quantity {
    position.firm + held(position, now)
}

/// Holds at a place that have not ended. They are kept by their ends, so that the ended ones stand in front.
pub fn held(position: &Position, now: Timestamp) -> Quantity {
    let ended = position.holds.partition_point(|ending| ending.at <= now);
    position.holds[ended..].iter().map(|ending| ending.quantity).sum()
}

/// What the place itself may still sell to who stands at its till: what lies there less what others have a claim on.
pub fn at_the_till(position: &Position, now: Timestamp) -> Quantity {
    (position.sellable() - claimed(position, now)).or_none()
}

/// What a claim may still take at a place, of sellable goods, when `buffer` is kept back from its channel:
/// `sellable − claims − safety − buffer`, never below nothing (DOMAIN 4.6). A negative safety allows so many to be sold ahead.
pub fn available(position: &Position, buffer: Quantity, now: Timestamp) -> Quantity {
    (position.sellable() - claimed(position, now) - position.safety - buffer).or_none()
}

/// What a channel can promise of a variant, over all places that serve it.
pub fn for_channel(stock: &VariantStock, channel: &Channel, now: Timestamp) -> Quantity {
    serving(stock, channel).map(|position| available(position, channel.buffer, now)).sum()
}

/// The places that serve a channel and know the variant.
pub fn serving<'a>(stock: &'a VariantStock, channel: &'a Channel) -> impl Iterator<Item = &'a Position> {
    stock.positions.iter().filter(|position| channel.serves(position.location_no))
}

/// When availability changes next by time alone: the earliest end of a hold.
pub fn changes_at(stock: &VariantStock, now: Timestamp) -> Option<Timestamp> {
    let first = |position: &Position| position.holds.iter().map(|ending| ending.at).find(|at| *at > now);
    stock.positions.iter().filter_map(first).min()
}
