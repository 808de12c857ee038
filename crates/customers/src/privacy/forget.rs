//! Taking people out of the tables of this crate, in one transaction. Profiles stay as tombstones: rows that belong to
//! nobody (person 0) and say nothing but where their events stand, until those are gone too.
use super::erased::{self, Kind, Line, Mark};
use super::needles::Needles;
use crate::commands::{members_of, set_people};
use crate::consent;
use crate::identifier;
use crate::identity::memory::components;
use crate::model::{Profile, State};
use crate::profiles::{IdentifierTable, Owner, Profiles};
use crate::search::words_of;
use db::{DbError, Notice, Tx};

/// What was forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// By what the person may still be found in texts.
    pub needles: Needles,
    /// Channel and address pairs that were denied or granted, by what hides them: channel, address, hidden address.
    pub addresses: Vec<(String, String)>,
    /// People who were parts of the same person, and are left.
    pub left: Vec<i64>,
}

/// Whether a row is what an erasure left.
pub fn is_tombstone(profile: &Profile) -> bool {
    profile.person == 0
}

const OWNED: &str = "SELECT kind, value FROM identifiers WHERE profile_id = $1 ORDER BY kind, value LIMIT 10000";

/// Forgets profiles of one person; all of them as a rule, those that a manifest names where a backup is older.
/// Gives `None` when there is no such person any more.
pub fn forget(tx: &mut Tx, profiles: &[i64], request_id: i64) -> Result<Option<Forgotten>, DbError> {
    let Some(first) = profiles.first() else { return Ok(None) };
    let Some(person) = tx.get::<Profiles>(*first)?.map(|row| row.person).filter(|p| *p != 0) else { return Ok(None) };
    let members = members_of(tx, person)?;
    debug_assert!(profiles.iter().all(|p| members.contains(p)), "the profiles are one person's");
    let mark = Mark { at: tx.now(), seq: tx.next_seq() };
    let mut out = Forgotten::default();
    for profile in profiles {
        forget_identifiers(tx, *profile, request_id, mark, &mut out)?;
        forget_names(tx, *profile, &mut out.needles)?;
        for sql in [
            "DELETE FROM edges WHERE a = $1 OR b = $1",
            "DELETE FROM cannot_link WHERE a = $1 OR b = $1",
            "DELETE FROM identity_cuts WHERE a = $1 OR b = $1",
            "DELETE FROM review_items WHERE a = $1 OR b = $1",
        ] {
            tx.execute(sql, &[(*profile).into()])?;
        }
    }
    let rest: Vec<i64> = members.iter().copied().filter(|m| !profiles.contains(m)).collect();
    let mut pairs = Vec::new();
    for member in &rest {
        for row in tx.rows("SELECT a, b FROM edges WHERE a = $1 AND removed_at = 0", &[(*member).into()])? {
            pairs.push((row.int(0)?, row.int(1)?));
        }
    }
    let pieces = components(&rest, pairs);
    let counts = tx.counts();
    counts.absorbed -= members.len() as i64 - 1;
    counts.absorbed += pieces.iter().map(|p| p.len() as i64 - 1).sum::<i64>();
    counts.profiles -= profiles.len() as i64;
    for profile in profiles {
        bury(tx, *profile, request_id, mark)?;
    }
    out.left = set_people(tx, pieces)?;
    tx.flush_keys::<Profiles>(profiles)?;
    tx.notify(Notice::Person { person_id: person });
    Ok(Some(out))
}

/// Leaves a tombstone in place of a profile; its index stays until the job has been through its events.
fn bury(tx: &mut Tx, profile: i64, request_id: i64, mark: Mark) -> Result<(), DbError> {
    let key = tx.hash_key();
    let Some(row) = tx.get_mut::<Profiles>(profile)? else { return Ok(()) };
    let hash = erased::profile_hash(key, profile, row.created_at);
    row.person = 0;
    row.members = None;
    row.state = State::default();
    erased::add(tx, &[Line { hash, kind: Kind::Profile, request_id, mark }])
}

fn forget_identifiers(
    tx: &mut Tx,
    profile: i64,
    request_id: i64,
    mark: Mark,
    out: &mut Forgotten,
) -> Result<(), DbError> {
    let key = tx.hash_key();
    for row in tx.rows(OWNED, &[profile.into()])? {
        let (kind, value) = (row.text(0)?, row.text(1)?);
        let hash = identifier::hash(key, kind, value);
        erased::add(tx, &[Line { hash, kind: Kind::Identifier, request_id, mark }])?;
        out.needles.add(kind, value);
        out.addresses.extend(consent::hide(tx, kind, value)?.into_iter().map(|c| (c, value.to_string())));
        tx.put::<IdentifierTable>(hash, Owner { profile_id: 0, seq: 0 });
        // What holds others together names a value that went: the pair stays, the value does not.
        for sql in [
            "UPDATE edges SET value = '' WHERE kind = $1 AND value = $2",
            "UPDATE review_items SET value = '' WHERE kind = $1 AND value = $2",
            "UPDATE identity_cuts SET value = '' WHERE kind = $1 AND value = $2",
        ] {
            tx.execute(sql, &[kind.into(), value.into()])?;
        }
    }
    tx.execute("DELETE FROM identifiers WHERE profile_id = $1", &[profile.into()])?;
    crate::households::forget(tx, profile)?;
    consent::drop_profile(tx, profile)
}

fn forget_names(tx: &mut Tx, profile: i64, needles: &mut Needles) -> Result<(), DbError> {
    let Some(row) = tx.get::<Profiles>(profile)? else { return Ok(()) };
    let name = row.state.display_name();
    let parts: Vec<String> =
        ["name", "firstName", "lastName"].iter().filter_map(|name| row.state.traits.text(name)).collect();
    if let Some(name) = &name {
        needles.add_name(name);
    }
    for part in &parts {
        needles.add_name(part);
    }
    for word in parts.iter().chain(&name).flat_map(|text| words_of(text)) {
        drop_word(tx, &word, profile)?;
    }
    Ok(())
}

/// Takes a word of a name out of the search.
pub fn drop_word(tx: &mut Tx, word: &str, profile: i64) -> Result<(), DbError> {
    let sql = "DELETE FROM name_words WHERE word = $1 AND profile_id = $2";
    tx.execute(sql, &[word.into(), profile.into()]).map(drop)
}

/// Ends the tombstone's index, once no event of it is in the log any more.
pub fn close(tx: &mut Tx, profiles: &[i64]) -> Result<(), DbError> {
    for profile in profiles {
        tx.execute("DELETE FROM profile_index WHERE profile_id = $1", &[(*profile).into()])?;
        tx.execute("DELETE FROM moved_events WHERE profile_id = $1", &[(*profile).into()])?;
        if let Some(row) = tx.get_mut::<Profiles>(*profile)? {
            row.tail = db::index::Tail::default();
            row.state = State::default();
        }
    }
    tx.flush_keys::<Profiles>(profiles)
}
