//! The catalogue on both engines.
mod drafts;
mod feeds;
mod harness;
mod products;
