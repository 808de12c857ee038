//! The commit loop, the cache and the log, over both engines.
mod durability;
mod harness;
mod loops;
