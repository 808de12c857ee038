//! What one piece costs: price lists by channel, region, store, segment, customer, quantity and time.
//!
//! Start at [`select::quote`]: it says which price holds and why, as a pure function of lists, entries and a question.
//! [`timeline`] sets a price into the time of its like, [`history`] finds the earlier price that must stand beside a reduced
//! one, [`differences`] compares channels. [`commands`] is what can be asked of the store; [`store`] is its memory.
//!
//! A scheduled price is an entry whose time has not come: it holds at its second without anything being stored then.
//! [`store::next_change`] says when something changes by itself; [`marks`] is the list that feeds and searches follow, [`shown`] what
//! everybody is shown.
//!
//! Invariants: of one variant, list, currency and quantity no two entries hold at the same time ([`doctor`] checks it); what
//! has begun to hold is never edited, only ended, so that entries are the history of prices.
//!
//! Deliberately absent: promotions (`loyalty`), SKUs: variants are known by their number here.
pub mod commands;
pub mod differences;
pub mod doctor;
pub mod history;
pub mod marks;
pub mod model;
pub mod select;
pub mod shown;
pub mod store;
pub mod timeline;

use db::Migrations;

/// The tables of prices.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "prices",
    steps: &[
        ("0010_prices", include_str!("../migrations/0010_prices.sql")),
        ("0016_price_marks", include_str!("../migrations/0016_price_marks.sql")),
    ],
};

#[cfg(test)]
mod tests;
