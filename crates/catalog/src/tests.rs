//! The catalogue on both engines.
mod harness;
mod products;
