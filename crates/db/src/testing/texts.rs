//! The statements that the database layer makes of descriptions, so that a test can ask both engines about them.
use crate::engine::{made_of_bulk, made_of_lookup};
use crate::{Bulk, Dialect, Lookup};

/// What writes and, with a key, what deletes.
pub fn bulk(bulk: &Bulk, dialect: Dialect) -> Vec<String> {
    made_of_bulk(bulk, dialect)
}

/// What reads.
pub fn lookup(lookup: &Lookup, dialect: Dialect) -> Vec<String> {
    made_of_lookup(lookup, dialect)
}
