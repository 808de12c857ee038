//! The commit loop, the cache and the log, over both engines.
mod harness;
mod loops;
