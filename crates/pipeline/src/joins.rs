//! Joining people by hand and deciding about pairs to look at, with everything that follows.
use crate::preparer::Preparer;
use crate::{append_derived, step};
use customers::identity::Rule;
use customers::joins::{self, JoinError, Joined};
use customers::review::{self, Decision, Item};
use db::{DbError, Tx};
use segments::runtime::Cause;

/// Joins the people of two profiles because somebody says so.
pub fn merge(tx: &mut Tx, preparer: &Preparer, a: i64, b: i64, actor: &str) -> Result<Joined, JoinError> {
    let joined = joins::join(tx, a, b, Rule::Manual, actor)?;
    follow(tx, preparer, &joined)?;
    Ok(joined)
}

/// Decides about a pair of the review queue.
pub fn decide(
    tx: &mut Tx,
    preparer: &Preparer,
    item: &Item,
    decision: Decision,
    actor: &str,
) -> Result<Option<Joined>, JoinError> {
    let joined = review::decide(tx, item, decision, actor)?;
    if let Some(joined) = &joined {
        follow(tx, preparer, joined)?;
    }
    Ok(joined)
}

/// Memberships follow: who stays in keeps the earliest beginning and triggers nothing.
fn follow(tx: &mut Tx, preparer: &Preparer, joined: &Joined) -> Result<(), DbError> {
    let before = segments::runtime::take_over(tx, &[joined.absorbed])?;
    // No event of the absorbed one tells a start that its rows went.
    tx.flush_keys::<segments::runtime::Memberships>(&[joined.absorbed])?;
    let moved = segments::runtime::reevaluate(tx, &[joined.person_id], Cause::Merge, &before)?;
    let appended = step::moved(tx, preparer, &moved, "merge")?;
    append_derived(tx, preparer, appended)
}
