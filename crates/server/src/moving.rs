//! Moving in from old tools: both run side by side, their numbers are compared, data is judged, people are recognised.
//!
//! [`store`] keeps compared modules and what became of them, [`here`] counts Braid's own numbers, [`work`] does the long work on
//! a thread of its own, [`quality`] judges the base, [`resolving`] finds who an import brought again, [`mappings`] keeps what
//! columns mean, [`rollout`] what is left to do before a part is Braid's. The rules stand in crate `exchange`. (ADR 0025)
pub mod back;
pub mod compare;
pub mod here;
pub mod mappings;
pub mod quality;
pub mod resolving;
pub mod rollout;
pub mod store;
pub mod work;
