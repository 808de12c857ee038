//! The ledger of consents: who may be sent what, where, with proof.
//!
//! A row is about a *contact point* (channel and normalised address) and a purpose, and is never changed. The newest row
//! decides, by the server's own time; of rows of one moment a denial wins, then the later id. An import stands where it
//! claims to stand, so that it never overrides a later live row. What is denied without naming an address is denied for every
//! address that the person has and for the profile as such (address `#id`); channel `*` of a profile denies everything,
//! whatever is granted elsewhere. No row means no marketing.
use self::rule::fits;
use crate::identifier;
use crate::model::State;
use crate::prepare::address_kind;
use crate::profiles::{ConsentTable, Profiles, Read, time};
use base::Timestamp;
use db::erase::hidden_address;
use db::event::{ConsentClaim, Event, Identifier, Origin};
use db::reactor::Happened;
use db::{Bulk, DbError, Engine, Notice, Owned, Tx};

pub mod rule;
pub mod wordings;

#[cfg(test)]
mod tests;

/// What the ledger says of one purpose at one contact point: its newest row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `*` = every purpose.
    pub purpose: Box<str>,
    pub granted: bool,
    /// The time that decides: the server's, or for an import what it claims, but never later than the server's.
    pub at: Timestamp,
    pub id: i64,
}

impl Standing {
    /// Newer is greater.
    fn rank(&self) -> (Timestamp, bool, i64) {
        (self.at, !self.granted, self.id)
    }
}

/// A row to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConsent {
    /// `email`, `sms`, …; `*` = every channel.
    pub channel: Box<str>,
    /// Normalised; see [`profile_address`] for what is said of a profile as such.
    pub address: Box<str>,
    pub purpose: Box<str>,
    pub granted: bool,
    /// The server's time of recording.
    pub at: Timestamp,
    /// The client's time: proof, and the deciding time of an import.
    pub claimed_at: Timestamp,
    pub wording: Box<str>,
    pub wording_version: Box<str>,
    /// Whose event, call or page it was; 0 = nobody's.
    pub profile_id: i64,
    pub message_id: Box<str>,
    pub source: i64,
    /// Who entered it, when it was a member of staff.
    pub actor: Box<str>,
    pub imported: bool,
}

/// The address that stands for a profile as such.
pub fn profile_address(profile_id: i64) -> Box<str> {
    format!("#{profile_id}").into()
}

static CONSENTS: Bulk = Bulk {
    table: "consents",
    columns: &[
        ("id", 'i'),
        ("channel", 't'),
        ("address", 't'),
        ("purpose", 't'),
        ("granted", 'i'),
        ("at", 'i'),
        ("claimed_at", 'i'),
        ("wording", 't'),
        ("wording_version", 't'),
        ("profile_id", 'i'),
        ("message_id", 't'),
        ("source", 'i'),
        ("actor", 't'),
        ("imported", 'i'),
    ],
    key: 1,
    insert_only: false,
};

/// Adds a row to the ledger; gives its id.
pub fn record_consent(tx: &mut Tx, new: &NewConsent) -> Result<i64, DbError> {
    let mut standings = standings(tx, &new.channel, &new.address)?.to_vec();
    let id = tx.next_id();
    let text = |t: &str| Owned::Text(t.to_string());
    tx.append(
        &CONSENTS,
        vec![
            id.into(),
            text(&new.channel),
            text(&new.address),
            text(&new.purpose),
            i64::from(new.granted).into(),
            time(new.at),
            time(new.claimed_at),
            text(&new.wording),
            text(&new.wording_version),
            new.profile_id.into(),
            text(&new.message_id),
            new.source.into(),
            text(&new.actor),
            i64::from(new.imported).into(),
        ],
    );
    let at = deciding_time(new.at, new.claimed_at, new.imported);
    add(&mut standings, Standing { purpose: new.purpose.clone(), granted: new.granted, at, id });
    let key = key(tx, &new.channel, &new.address);
    tx.put::<ConsentTable>(key, standings);
    Ok(id)
}

fn deciding_time(at: Timestamp, claimed_at: Timestamp, imported: bool) -> Timestamp {
    if imported { claimed_at.min(at) } else { at }
}

fn add(standings: &mut Vec<Standing>, new: Standing) {
    match standings.iter_mut().find(|s| s.purpose == new.purpose) {
        Some(known) if new.rank() > known.rank() => *known = new,
        Some(_) => {}
        None => standings.push(new),
    }
}

fn key(tx: &Tx, channel: &str, address: &str) -> u128 {
    identifier::hash(tx.hash_key(), channel, address)
}

const OF_ADDRESS: &str =
    "SELECT purpose, granted, at, claimed_at, imported, id FROM consents WHERE channel = $1 AND address IN ($2, $3)";

fn standings<'t>(tx: &'t mut Tx, channel: &str, address: &str) -> Result<&'t [Standing], DbError> {
    let key = key(tx, channel, address);
    // An address that was denied and then erased is known by its hidden form only.
    let hidden = hidden_address(tx.hash_key(), channel, address);
    let load = |db: &mut Engine| load(db, channel, address, &hidden);
    Ok(tx.get_with::<ConsentTable>(key, load)?.map_or(&[], Vec::as_slice))
}

fn load(db: &mut Engine, channel: &str, address: &str, hidden: &str) -> Result<Option<Vec<Standing>>, DbError> {
    {
        let mut out = Vec::new();
        for r in db.rows(OF_ADDRESS, &[channel.into(), address.into(), hidden.into()])? {
            let (at, claimed_at) = (Timestamp::from_micros(r.int(2)?), Timestamp::from_micros(r.int(3)?));
            let at = deciding_time(at, claimed_at, r.int(4)? != 0);
            add(&mut out, Standing { purpose: r.text(0)?.into(), granted: r.int(1)? != 0, at, id: r.int(5)? });
        }
        Ok((!out.is_empty()).then_some(out))
    }
}

/// Hides an address that is erased: a denial that stands goes on under the hidden address, everything else stays as proof
/// that nobody can read and nothing counts. Gives the channels in which the address had rows.
pub(crate) fn hide(tx: &mut Tx, kind: &str, address: &str) -> Result<Vec<String>, DbError> {
    let mut found = Vec::new();
    let mut channel = String::new();
    while let Some(row) = tx.first(CHANNELS, &[(&channel).into()])? {
        channel = row.text(0)?.to_string();
        if !fits(kind, &channel) {
            continue;
        }
        let denied: Vec<i64> = standings(tx, &channel, address)?.iter().filter(|s| !s.granted).map(|s| s.id).collect();
        let hidden = hidden_address(tx.hash_key(), &channel, address);
        for id in denied {
            let sql =
                "UPDATE consents SET address = $3, profile_id = 0, message_id = '' WHERE id = $1 AND address = $2";
            tx.execute(sql, &[id.into(), address.into(), (&hidden).into()])?;
        }
        let proof = hidden.replace("erased:", "proof:");
        let sql =
            "UPDATE consents SET address = $3, profile_id = 0, message_id = '' WHERE channel = $1 AND address = $2";
        tx.execute(sql, &[(&channel).into(), address.into(), (&proof).into()])?;
        let left = load(tx.engine(), &channel, address, &hidden)?.unwrap_or_default();
        let key = key(tx, &channel, address);
        tx.put::<ConsentTable>(key, left);
        found.push(channel.clone());
    }
    Ok(found)
}

/// Drops what was said of a profile as such.
pub(crate) fn drop_profile(tx: &mut Tx, profile_id: i64) -> Result<(), DbError> {
    let address = profile_address(profile_id);
    let mut channel = String::new();
    while let Some(row) = tx.first(CHANNELS, &[(&channel).into()])? {
        channel = row.text(0)?.to_string();
        let sql = "DELETE FROM consents WHERE channel = $1 AND address = $2";
        tx.execute(sql, &[(&channel).into(), (&*address).into()])?;
        let key = key(tx, &channel, &address);
        tx.put::<ConsentTable>(key, Vec::new());
    }
    Ok(())
}

/// What decides at one key for a purpose: the newest row of the purpose itself or of all purposes.
fn newest_at(tx: &mut Tx, channel: &str, address: &str, purpose: &str) -> Result<Option<Standing>, DbError> {
    let fits = |s: &&Standing| *s.purpose == *purpose || &*s.purpose == "*";
    Ok(standings(tx, channel, address)?.iter().filter(fits).max_by_key(|s| s.rank()).cloned())
}

/// What the ledger says of an address of a person for a channel and purpose; `None` without a row. `members` are all
/// profiles of the person; without any, those of whoever owns the address are found.
pub fn consent_state(
    tx: &mut Tx,
    members: &[i64],
    channel: &str,
    address: &str,
    purpose: &str,
) -> Result<Option<Standing>, DbError> {
    let found;
    let members = if members.is_empty() {
        found = owners(tx, channel, address)?;
        &found
    } else {
        members
    };
    rule::of_address(tx, members, (channel, address), purpose)
}

impl rule::Ledger for Tx {
    type Error = DbError;
    fn newest(&mut self, channel: &str, address: &str, purpose: &str) -> Result<Option<Standing>, DbError> {
        newest_at(self, channel, address, purpose)
    }
}

/// What [`person_consent`] says of the person as it stands.
pub fn of_person(tx: &mut Tx, person_id: i64, channel: &str, purpose: &str) -> Result<Option<bool>, DbError> {
    let members = crate::commands::members_of(tx, person_id)?;
    person_consent(tx, &members, channel, purpose)
}

/// The profiles of the person that owns an address.
fn owners(tx: &mut Tx, channel: &str, address: &str) -> Result<Vec<i64>, DbError> {
    let kind = address_kind(channel);
    let hash = identifier::hash(tx.hash_key(), kind, address);
    match crate::commands::owner(tx, &Identifier { kind: kind.into(), value: address.into(), hash })? {
        Some(owner) => {
            let person = crate::commands::person_of(tx, owner.profile_id)?;
            crate::commands::members_of(tx, person)
        }
        None => Ok(Vec::new()),
    }
}

/// Whether a person may be sent something on a channel for a purpose: granted if any own address is and none is denied.
/// `None` without a row.
pub fn person_consent(tx: &mut Tx, members: &[i64], channel: &str, purpose: &str) -> Result<Option<bool>, DbError> {
    let addresses = addresses(tx, members, channel)?;
    rule::of_person(tx, members, &addresses, (channel, purpose))
}

/// The addresses that a person's profiles own for a channel.
pub fn addresses(tx: &mut Tx, members: &[i64], channel: &str) -> Result<Vec<Box<str>>, DbError> {
    let mut out = Vec::new();
    for member in members {
        if let Some(profile) = tx.get::<Profiles>(*member)? {
            out.extend(own_addresses(&profile.state, channel));
        }
    }
    Ok(out)
}

fn own_addresses(state: &State, channel: &str) -> Vec<Box<str>> {
    state.identifiers.own().filter(|(k, ..)| fits(&k.kind, channel)).map(|(k, ..)| k.value.clone()).collect()
}

/// Who stated a consent by an event.
#[derive(Debug, Clone, Copy)]
pub struct Stated {
    /// Where the event was placed; 0 = nowhere.
    pub profile_id: i64,
    pub person_id: i64,
    pub source: i64,
    /// From a browser a grant counts only for an address that the event or its profile carries.
    pub browser: bool,
    pub imported: bool,
    pub received_at: Timestamp,
}

/// Records what a placed event states about consent.
pub fn record_event(tx: &mut Tx, happened: &Happened<'_>) -> Result<Vec<i64>, DbError> {
    let stated = Stated {
        profile_id: happened.profile_id,
        person_id: happened.person_id,
        source: happened.source,
        browser: happened.browser,
        imported: happened.origin == Origin::Import,
        received_at: happened.received_at,
    };
    record_claim(tx, happened.event, stated)
}

/// Records what an event states about consent; gives the ids of the new rows, none when the claim does not count.
pub fn record_claim(tx: &mut Tx, event: &Event, stated: Stated) -> Result<Vec<i64>, DbError> {
    let Some(claim) = &event.consent else { return Ok(Vec::new()) };
    let members = match stated.person_id {
        0 => Vec::new(),
        person => crate::commands::members_of(tx, person)?,
    };
    let addresses = claimed_addresses(tx, event, claim, &stated, &members)?;
    let mut ids = Vec::with_capacity(addresses.len());
    for address in addresses {
        let new = NewConsent {
            channel: claim.channel.clone(),
            address,
            purpose: claim.purpose.clone(),
            granted: claim.granted,
            // The writer's time never goes back as a clock may: what was said later must not count as said before.
            at: stated.received_at.max(tx.now()),
            claimed_at: event.timestamp,
            wording: claim.wording.clone(),
            wording_version: claim.wording_version.clone(),
            profile_id: stated.profile_id,
            message_id: event.message_id.clone(),
            source: stated.source,
            actor: "".into(),
            imported: stated.imported,
        };
        ids.push(record_consent(tx, &new)?);
    }
    if !ids.is_empty() && stated.person_id != 0 {
        tx.notify(Notice::Person { person_id: stated.person_id });
    }
    Ok(ids)
}

/// The people who own the addresses that an event states a consent about. They need not be the event's own: a form may
/// speak for another address, and limits may keep an address apart from who used it.
pub fn people_named(tx: &mut Tx, event: &Event) -> Result<Vec<i64>, DbError> {
    let Some(claim) = &event.consent else { return Ok(Vec::new()) };
    let kind = address_kind(&claim.channel);
    let carried = event.identifiers.iter().filter(|i| fits(&i.kind, &claim.channel)).map(|i| (&*i.kind, &i.value));
    let mut out = Vec::new();
    for (kind, address) in claim.address.iter().map(|a| (kind, a)).chain(carried) {
        let hash = identifier::hash(tx.hash_key(), kind, address);
        let identifier = Identifier { kind: kind.into(), value: address.clone(), hash };
        if let Some(owner) = crate::commands::owner(tx, &identifier)? {
            out.push(crate::commands::person_of(tx, owner.profile_id)?);
        }
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Which contact points a claim is about.
fn claimed_addresses(
    tx: &mut Tx,
    event: &Event,
    claim: &ConsentClaim,
    stated: &Stated,
    members: &[i64],
) -> Result<Vec<Box<str>>, DbError> {
    let channel = &*claim.channel;
    let carried: Vec<Box<str>> =
        event.identifiers.iter().filter(|i| fits(&i.kind, channel)).map(|i| i.value.clone()).collect();
    // From a browser a grant for another address is what anybody can write.
    if let Some(address) = claim.address.as_ref().filter(|a| claim.granted && stated.browser && !carried.contains(a)) {
        let profile = tx.get::<Profiles>(stated.profile_id)?;
        if !profile.is_some_and(|p| own_addresses(&p.state, channel).contains(address)) {
            return Ok(Vec::new());
        }
    }
    let profile = Some(stated.profile_id).filter(|p| *p != 0);
    rule::claimed(claim, carried, profile, || addresses(tx, members, channel))
}

/// A row of the ledger, as screens show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    pub id: i64,
    pub channel: String,
    pub address: String,
    pub purpose: String,
    pub granted: bool,
    pub at: Timestamp,
    pub claimed_at: Timestamp,
    pub wording: String,
    pub wording_version: String,
    pub message_id: String,
    pub source: i64,
    pub actor: String,
    pub imported: bool,
}

const ROWS_OF: &str = "SELECT id, channel, address, purpose, granted, at, claimed_at, wording, wording_version, message_id, source, \
     actor, imported FROM consents WHERE channel = $1 AND address = $2 ORDER BY id DESC LIMIT 200";
const CHANNELS: &str = "SELECT channel FROM consents WHERE channel > $1 ORDER BY channel LIMIT 1";

/// The ledger's rows about a person's contact points and profiles, newest first: the first of each (channel, address,
/// purpose) by [`ConsentRow::rank`] decides.
pub fn rows_of_person(read: &mut impl Read, members: &[i64], addresses: &[&str]) -> Result<Vec<ConsentRow>, DbError> {
    let mut points: Vec<String> = addresses.iter().map(|a| (*a).to_string()).collect();
    points.extend(members.iter().map(|m| String::from(profile_address(*m))));
    let mut out = Vec::new();
    let mut channel = String::new();
    while let Some(row) = read.query(CHANNELS, &[(&channel).into()])?.into_iter().next() {
        channel = row.text(0)?.to_string();
        for point in &points {
            for r in read.query(ROWS_OF, &[(&channel).into(), point.into()])? {
                out.push(ConsentRow {
                    id: r.int(0)?,
                    channel: r.text(1)?.into(),
                    address: r.text(2)?.into(),
                    purpose: r.text(3)?.into(),
                    granted: r.int(4)? != 0,
                    at: Timestamp::from_micros(r.int(5)?),
                    claimed_at: Timestamp::from_micros(r.int(6)?),
                    wording: r.text(7)?.into(),
                    wording_version: r.text(8)?.into(),
                    message_id: r.text(9)?.into(),
                    source: r.int(10)?,
                    actor: r.text(11)?.into(),
                    imported: r.int(12)? != 0,
                });
            }
        }
    }
    out.sort_by_key(|r| std::cmp::Reverse(r.rank()));
    Ok(out)
}

impl ConsentRow {
    /// Newer is greater.
    pub fn rank(&self) -> (Timestamp, bool, i64) {
        (deciding_time(self.at, self.claimed_at, self.imported), !self.granted, self.id)
    }
}
