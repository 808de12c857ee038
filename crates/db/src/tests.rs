//! The commit loop, the cache and the log, over both engines.
mod ahead;
mod durability;
mod harness;
mod loops;
