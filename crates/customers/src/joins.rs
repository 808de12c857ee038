//! Joining people by hand, and saying that two are not one. Both stand in the ledger of cuts, so that identity can be decided
//! again from the log; both can be taken back.
use crate::changes::Why;
use crate::commands::{CannotLinks, join_people, members_of, person_of};
use crate::identity::Rule;
use crate::profiles::{Profiles, Read};
use crate::rules;
use crate::sql::{self, NewEdge};
use db::{DbError, Notice, Tx};
use hashbrown::HashMap;

/// Why nothing was joined or kept apart. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("there is no person {0}")]
    NoPerson(i64),
    #[error("both are one person already")]
    SamePerson,
    #[error("a person of more than {0} profiles is not joined by hand: it is a value that many share")]
    TooMany(usize),
    #[error("identity cannot be changed now")]
    Store(#[from] DbError),
}

/// Profiles that a join by hand may bring together.
pub const PROFILES_MAX: usize = 500;

/// What came of a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    pub person_id: i64,
    /// The id that is no person any more.
    pub absorbed: i64,
    /// Pairs that somebody had taken apart and that are one now.
    pub lifted: Vec<(i64, i64)>,
    pub edge: i64,
}

fn person(tx: &mut Tx, id: i64) -> Result<(i64, Vec<i64>), JoinError> {
    if tx.get::<Profiles>(id)?.is_none() {
        return Err(JoinError::NoPerson(id));
    }
    let person = person_of(tx, id)?;
    Ok((person, members_of(tx, person)?))
}

/// Both sides of a join or of a decision to keep apart: two people, each with its profiles.
pub fn sides(tx: &mut Tx, a: i64, b: i64) -> Result<[(i64, Vec<i64>); 2], JoinError> {
    let (first, second) = (person(tx, a)?, person(tx, b)?);
    if first.0 == second.0 {
        return Err(JoinError::SamePerson);
    }
    Ok([first, second])
}

/// Whether somebody took these people apart.
pub fn kept_apart(tx: &mut Tx, left: &[i64], right: &[i64]) -> Result<bool, DbError> {
    Ok(!tx.memory::<CannotLinks>()?.between(left, right).is_empty())
}

/// Joins the people of two profiles by an edge between these profiles: over the limits, and over what was taken apart
/// before, since whoever decides last is believed. Undone by removing the edge.
pub fn join(tx: &mut Tx, a: i64, b: i64, rule: Rule, actor: &str) -> Result<Joined, JoinError> {
    let [(_, left), (_, right)] = sides(tx, a, b)?;
    if left.len() + right.len() > PROFILES_MAX {
        return Err(JoinError::TooMany(PROFILES_MAX));
    }
    let lifted = tx.memory::<CannotLinks>()?.between(&left, &right);
    for (x, y) in &lifted {
        lift(tx, *x, *y)?;
        sql::append_cut(tx, "lift", (*x, *y), ("", ""), actor);
    }
    let now = tx.now();
    let edge = NewEdge { a, b, rule: rule.as_str(), kind: "", value: "", seq: 0, message_id: "", at: now, actor };
    let edge = sql::append_edge(tx, &edge);
    sql::append_cut(tx, rule.as_str(), (a, b), ("", ""), actor);
    let cause = if rule == Rule::Manual { "merge" } else { rule.as_str() };
    let (person_id, absorbed) = join_people(tx, a, b, &Why::by(cause, actor))?;
    Ok(Joined { person_id, absorbed: absorbed.unwrap_or(person_id), lifted, edge })
}

/// Says that the people of two profiles are not one: nothing joins them by any path from now on.
pub fn keep_apart(tx: &mut Tx, a: i64, b: i64, actor: &str) -> Result<(), JoinError> {
    let [(first, _), (second, _)] = sides(tx, a, b)?;
    if tx.memory::<CannotLinks>()?.holds(a, b) {
        return Ok(());
    }
    tx.memory::<CannotLinks>()?.add(a, b);
    sql::append_cannot_link(tx, a, b, actor);
    sql::append_cut(tx, "apart", (a, b), ("", ""), actor);
    for person_id in [first, second] {
        tx.notify(Notice::Person { person_id });
    }
    Ok(())
}

fn lift(tx: &mut Tx, a: i64, b: i64) -> Result<(), DbError> {
    tx.memory::<CannotLinks>()?.remove(a, b);
    tx.execute("DELETE FROM cannot_link WHERE (a = $1 AND b = $2) OR (a = $2 AND b = $1)", &[a.into(), b.into()])
        .map(drop)
}

/// A limit that a join would go over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    pub kind: String,
    pub limit: usize,
    /// Days of the limit's window; none = ever.
    pub window_days: Option<i64>,
    pub values: usize,
}

/// The limits that a person of these profiles would be above, as of now.
pub fn exceeded(tx: &mut Tx, profiles: &[i64]) -> Result<Vec<Exceeded>, DbError> {
    let rules = rules::of(tx)?;
    let now = tx.now();
    let mut values: HashMap<Box<str>, HashMap<Box<str>, base::Timestamp>> = HashMap::new();
    for profile in profiles {
        let Some(row) = Read::profile(tx, *profile)? else { continue };
        for (key, _, seen) in row.state.identifiers.own() {
            let last = values.entry(key.kind.clone()).or_default().entry(key.value.clone()).or_insert(seen.last);
            *last = (*last).max(seen.last);
        }
    }
    let mut out = Vec::new();
    for (kind, values) in values {
        for limit in rules.limits(&kind) {
            let within = |last: &base::Timestamp| limit.window_us.is_none_or(|w| now.plus(-w) < *last);
            let count = values.values().filter(|last| within(last)).count();
            if count > limit.count {
                let window_days = limit.window_us.map(|w| w / base::DAY_US);
                out.push(Exceeded { kind: kind.to_string(), limit: limit.count, window_days, values: count });
            }
        }
    }
    out.sort_by(|a, b| (&a.kind, a.limit).cmp(&(&b.kind, b.limit)));
    Ok(out)
}
