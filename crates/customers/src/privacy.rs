//! Forgetting people, and what proves that they were forgotten.
//!
//! [`erased`] is the manifest: keyed hashes of what was erased, so that neither a backup nor a repeated import brings a
//! person back. [`forget`] takes a person out of this crate's tables in one transaction and leaves a tombstone;
//! [`kin`] says about whom the log that is left proves nothing. [`needles`] finds what still speaks of the person in texts, and [`retained`] says what law keeps of an event.
//! The job that goes through the log is the pipeline's.
pub mod erased;
pub mod forget;
pub mod kin;
pub mod needles;
pub mod purposes;
pub mod requests;
pub mod retained;
pub mod retention;

#[cfg(test)]
mod tests;
