//! The catalogue: products, variants, what is said of them per channel and language.
//!
//! Start at [`commands`]: everything that can be asked. [`schema`] holds what can be said of a product at all (attributes,
//! families, categories, brands, channels), [`values`] how a value is named and checked, [`gtin`] numbers on packages.
//! Rooms above keep variants by number: [`variants::find`] and [`variants::get`] answer from memory. [`prices`] says what one piece costs: price
//! lists, their history, and why a price holds.
//!
//! Invariants: an SKU belongs to one variant of the whole shop, and so does a GTIN; a value that is missing is not there,
//! never an empty text; whatever a search or a feed shows of a product moves its `change`.
//! Deliberately absent: how many there are (`stock`), promotions (`loyalty`), full-text search (`search`), HTTP.
pub mod assortment;
pub mod check;
pub mod commands;
pub mod compare;
pub mod completeness;
pub mod describe;
pub mod doctor;
pub mod document;
pub mod drafts;
pub mod feeds;
pub mod gtin;
pub mod links;
pub mod model;
pub mod prices;
pub mod products;
pub mod recount;
pub mod schema;
pub mod unique;
pub mod units;
pub mod values;
pub mod variants;

/// This crate's tables.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "catalog",
    steps: &[
        ("0001_catalog", include_str!("../migrations/0001_catalog.sql")),
        ("0015_feed_items", include_str!("../migrations/0015_feed_items.sql")),
        ("0017_feed_prices", include_str!("../migrations/0017_feed_prices.sql")),
    ],
};

#[cfg(test)]
mod tests;
