//! The commit loop, the cache and the log, over both engines.
mod ahead;
mod away;
mod dedup;
mod durability;
mod eager;
mod harness;
mod loops;
mod tls;
