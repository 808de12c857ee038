//! Households: who lives together. A view over people, never a join: nothing of a person is changed by it.
//!
//! [`rule`] says what makes two people one household, as pure functions. Where the shop looks for households (a setting, off
//! by default), [`note`] writes a row per identify call that says where somebody lives; without it no event does anything
//! here. [`of_person`] reads: candidates by key, each checked against what is known of them now, and what people said.
pub mod rule;

use crate::commands::{members_of, person_of, person_state};
use crate::counters::CounterSet;
use crate::model::{Amounts, Traits};
use crate::profiles::Profiles;
use base::Timestamp;
use db::event::Event;
use db::tx::Memory;
use db::{Bulk, DbError, Engine, Tx, settings};
use rule::{Because, Keys, keys_of};

/// Profiles that one key leads to, at most: beyond, it is a dormitory and no household.
pub const CANDIDATES_MAX: i64 = 50;
/// Traits that say where somebody lives and with whom.
pub const TRAITS: [&str; 10] =
    ["address", "household_id", "lastName", "last_name", "street", "house", "apartment", "city", "zip", "postal_code"];

const ON: &str = "households.on";

static KEYS: Bulk =
    Bulk { table: "household_keys", columns: &[("key", 'i'), ("profile_id", 'i')], key: 2, insert_only: true };

/// Whether the shop looks for households.
#[derive(Debug, Default)]
struct Looking {
    on: bool,
    before: Option<bool>,
}

impl Memory for Looking {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        Ok(Self { on: settings::get(db, ON)?.as_deref() == Some("true"), before: None })
    }
    fn commit(&mut self) {
        self.before = None;
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.on = before;
        }
    }
}

/// Whether the shop looks for households.
pub fn is_on(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(tx.memory::<Looking>()?.on)
}

/// Switches it; who switches it on starts the job that reads the past.
pub fn set_on(tx: &mut Tx, on: bool) -> Result<(), DbError> {
    settings::set(tx.engine(), ON, if on { "true" } else { "false" })?;
    let memory = tx.memory::<Looking>()?;
    let before = std::mem::replace(&mut memory.on, on);
    memory.before.get_or_insert(before);
    Ok(())
}

/// Notes where the person of an event lives, after the event was folded. Events that say nothing of it cost a comparison of
/// their traits' names, and nothing where households are not looked for.
pub fn note(tx: &mut Tx, profile_id: i64, event: &Event) -> Result<(), DbError> {
    if event.traits.is_empty() || profile_id == 0 || !is_on(tx)? {
        return Ok(());
    }
    if event.traits.iter().any(|(name, _)| TRAITS.contains(&&**name)) {
        note_profile(tx, profile_id)?;
    }
    Ok(())
}

/// Notes where a profile lives by what is known of it; whether it says.
pub fn note_profile(tx: &mut Tx, profile_id: i64) -> Result<bool, DbError> {
    let key = tx.hash_key();
    let Some(row) = tx.get::<Profiles>(profile_id)?.filter(|row| row.person != 0) else { return Ok(false) };
    let keys = keys_of(&row.state.traits);
    for text in keys.texts() {
        tx.append(&KEYS, vec![hashed(key, &text).into(), profile_id.into()]);
    }
    Ok(!keys.is_empty())
}

fn hashed(key: (u64, u64), text: &str) -> i64 {
    (crate::identifier::hash(key, "household", text) as u64 >> 1) as i64
}

/// Somebody of a household.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub person_id: i64,
    pub because: Because,
    pub orders: i64,
    pub revenue: Amounts,
    pub last_order_at: Option<Timestamp>,
}

/// Who lives with a person, that person first, then by id; alone when nobody does.
pub fn of_person(tx: &mut Tx, person_id: i64, counters: &CounterSet) -> Result<Vec<Member>, DbError> {
    let own_members = members_of(tx, person_id)?;
    let (own, first) = read_one(tx, person_id, counters)?;
    let mut people: Vec<i64> = Vec::new();
    let hash_key = tx.hash_key();
    for text in own.texts() {
        let sql = "SELECT profile_id FROM household_keys WHERE key = $1 ORDER BY profile_id LIMIT $2";
        let rows = tx.rows(sql, &[hashed(hash_key, &text).into(), (CANDIDATES_MAX + 1).into()])?;
        if rows.len() as i64 > CANDIDATES_MAX {
            continue;
        }
        for row in &rows {
            people.push(person_of(tx, row.int(0)?)?);
        }
    }
    let (mut together, mut apart) = (Vec::new(), Vec::new());
    for member in &own_members {
        let sql = "SELECT a, b, said FROM household_links WHERE a = $1 OR b = $1 ORDER BY a, b";
        for row in tx.rows(sql, &[(*member).into()])? {
            let other = if row.int(0)? == *member { row.int(1)? } else { row.int(0)? };
            let Some(other) = live_person(tx, other)? else { continue };
            if row.text(2)? == "together" { &mut together } else { &mut apart }.push(other);
        }
    }
    people.extend(&together);
    people.sort_unstable();
    people.dedup();
    let mut out = vec![Member { because: Because::Self_, ..first }];
    for other in people.into_iter().filter(|p| *p != 0 && *p != person_id) {
        let (keys, mut member) = read_one(tx, other, counters)?;
        let said = if apart.contains(&other) { Some(false) } else { together.contains(&other).then_some(true) };
        if let Some(because) = rule::together(&own, &keys, said) {
            member.because = because;
            out.push(member);
        }
    }
    Ok(out)
}

fn live_person(tx: &mut Tx, profile: i64) -> Result<Option<i64>, DbError> {
    Ok(tx.get::<Profiles>(profile)?.map(|row| row.person).filter(|person| *person != 0))
}

fn read_one(tx: &mut Tx, person_id: i64, counters: &CounterSet) -> Result<(Keys, Member), DbError> {
    let state = person_state(tx, person_id, counters)?;
    let totals = &state.totals;
    let member = Member {
        person_id,
        because: Because::Self_,
        orders: totals.orders,
        revenue: totals.revenue.clone(),
        last_order_at: totals.last_order_at,
    };
    Ok((keys_of(&state.traits), member))
}

/// Says that two people do, or do not, live together.
pub fn say(tx: &mut Tx, one: i64, other: i64, together: bool, actor: &str) -> Result<(), DbError> {
    // Of every profile, so that it still holds when one of the people is taken apart, and is found from both sides.
    let (one, other) = (members_of(tx, one)?, members_of(tx, other)?);
    let (now, said) = (tx.now().micros(), if together { "together" } else { "apart" });
    for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (*a.min(b), *a.max(b)))) {
        tx.execute("DELETE FROM household_links WHERE a = $1 AND b = $2", &[a.into(), b.into()])?;
        let sql = "INSERT INTO household_links (a, b, said, actor, at) VALUES ($1, $2, $3, $4, $5)";
        tx.execute(sql, &[a.into(), b.into(), said.into(), actor.into(), now.into()])?;
    }
    Ok(())
}

/// Forgets where a profile lives and with whom.
pub fn forget(tx: &mut Tx, profile: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM household_keys WHERE profile_id = $1", &[profile.into()])?;
    tx.execute("DELETE FROM household_links WHERE a = $1 OR b = $1", &[profile.into()])?;
    Ok(())
}

/// The surname and address of traits, for tests and previews.
pub fn keys(traits: &Traits) -> Keys {
    keys_of(traits)
}

#[cfg(test)]
mod tests;
