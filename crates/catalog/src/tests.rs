//! The catalogue on both engines.
mod drafts;
mod feed_prices;
mod feeds;
mod harness;
mod products;
