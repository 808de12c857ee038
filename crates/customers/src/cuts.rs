//! Taking people apart again: removing edges, and detaching values out of a profile.
//!
//! Both keep the pieces apart afterwards (`cannot-link`) and stand in the ledger of cuts with the seq before which they were
//! made, so that identity can be decided again from the log.
pub use crate::again::refold_profile;
use crate::changes::{self, Kind, Side, Why};
use crate::commands::{CannotLinks, members_of, person_of, set_people};
use crate::counters::CounterSet;
use crate::identifier;
use crate::identity::{Rule, memory::components};
use crate::model::{Evidence, Profile, State};
use crate::privacy::erased::Erased;
use crate::profiles::{IdentifierTable, Owner, Profiles, Read};
use crate::search::name_words;
use crate::sql::{self, NewEdge};
use crate::state;
use base::Timestamp;
use db::event::Event;
use db::index::{self, Entry};
use db::{DbError, Notice, Tx};

/// Why nothing was cut. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    #[error("there is no person {0}")]
    NoPerson(i64),
    #[error("the person has no edge {0}")]
    NoEdge(i64),
    #[error("the person has no {kind} {value:?}")]
    NoValue { kind: String, value: String },
    #[error("the values stand on different profiles of the person: detach them one profile at a time")]
    SeveralProfiles,
    #[error("the person has nothing else: there is nothing to detach these values from")]
    NothingElse,
    #[error("identity cannot be changed now")]
    Store(#[from] DbError),
}

/// A person that a cut left, with its profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub person_id: i64,
    pub profile_ids: Vec<i64>,
}

/// An event read back from the log.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    pub seq: i64,
    pub source: i64,
    pub event: Event,
}

/// Reads events of the log by seq; those that were erased are left out. What a body means is decided elsewhere.
pub trait EventReader {
    fn events(&mut self, tx: &mut Tx, seqs: &[i64]) -> Result<Vec<LoggedEvent>, DbError>;
}

/// An edge that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeRow {
    pub id: i64,
    pub a: i64,
    pub b: i64,
    pub rule: String,
    pub kind: String,
    pub value: String,
    pub seq: i64,
    pub message_id: String,
    pub at: Timestamp,
    /// Who made it by hand; empty when events did.
    pub actor: String,
}

const EDGES_OF: &str = "SELECT id, a, b, rule, kind, value, seq, message_id, at, actor FROM edges WHERE a = $1 AND removed_at = 0 ORDER BY id";
const REMOVE_EDGE: &str = "UPDATE edges SET removed_at = $2 WHERE id = $1";
const MOVE_VALUE: &str = "UPDATE identifiers SET profile_id = $3 WHERE kind = $1 AND value = $2";

/// The edges within a person, by id.
pub fn edges_of(read: &mut impl Read, members: &[i64]) -> Result<Vec<EdgeRow>, DbError> {
    let mut out = Vec::new();
    for member in members {
        for r in read.query(EDGES_OF, &[(*member).into()])? {
            out.push(EdgeRow {
                id: r.int(0)?,
                a: r.int(1)?,
                b: r.int(2)?,
                rule: r.text(3)?.into(),
                kind: r.text(4)?.into(),
                value: r.text(5)?.into(),
                seq: r.int(6)?,
                message_id: r.text(7)?.into(),
                at: Timestamp::from_micros(r.int(8)?),
                actor: r.text(9)?.into(),
            });
        }
    }
    out.sort_by_key(|e| e.id);
    Ok(out)
}

/// A pair that cannot be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotLinkRow {
    pub id: i64,
    pub a: i64,
    pub b: i64,
    pub at: Timestamp,
    pub actor: String,
}

/// The pairs that name one of the profiles, by id.
pub fn cannot_links_of(read: &mut impl Read, members: &[i64]) -> Result<Vec<CannotLinkRow>, DbError> {
    let mut out = Vec::new();
    for member in members {
        for r in
            read.query("SELECT id, a, b, at, actor FROM cannot_link WHERE a = $1 OR b = $1", &[(*member).into()])?
        {
            let at = Timestamp::from_micros(r.int(3)?);
            out.push(CannotLinkRow { id: r.int(0)?, a: r.int(1)?, b: r.int(2)?, at, actor: r.text(4)?.into() });
        }
    }
    out.sort_by_key(|c| c.id);
    out.dedup_by_key(|c| c.id);
    Ok(out)
}

fn person(tx: &mut Tx, id: i64) -> Result<(i64, Vec<i64>), CutError> {
    if tx.get::<Profiles>(id)?.is_none_or(|row| row.person == 0) {
        return Err(CutError::NoPerson(id));
    }
    let person = person_of(tx, id)?;
    Ok((person, members_of(tx, person)?))
}

/// Removes edges of a person; what they held together falls apart and stays apart. Gives the people that result.
pub fn unmerge_edges(tx: &mut Tx, person_id: i64, edges: &[i64], actor: &str) -> Result<Vec<Piece>, CutError> {
    let (person, members) = person(tx, person_id)?;
    let known = edges_of(tx, &members)?;
    if let Some(unknown) = edges.iter().find(|id| !known.iter().any(|e| e.id == **id)) {
        return Err(CutError::NoEdge(*unknown));
    }
    let (gone, stay): (Vec<EdgeRow>, Vec<EdgeRow>) = known.into_iter().partition(|e| edges.contains(&e.id));
    Ok(cut_edges(tx, person, &members, &gone, stay.iter().map(|e| (e.a, e.b)).collect(), actor)?)
}

/// Removes `gone`; `stay` are the edges that hold the person's profiles together from now on.
fn cut_edges(
    tx: &mut Tx,
    person: i64,
    members: &[i64],
    gone: &[EdgeRow],
    stay: Vec<(i64, i64)>,
    actor: &str,
) -> Result<Vec<Piece>, DbError> {
    let now = tx.now();
    for edge in gone {
        tx.execute(REMOVE_EDGE, &[edge.id.into(), now.micros().into()])?;
        sql::append_cut(tx, "edge", (edge.a, edge.b), ("", ""), actor);
        keep_apart(tx, edge.a, edge.b, actor)?;
    }
    let pieces = components(members, stay);
    tx.counts().absorbed -= pieces.len() as i64 - 1;
    let people = set_people(tx, pieces.clone())?;
    if people.len() > 1 {
        let after: Vec<Side> = people.iter().zip(&pieces).map(|(p, profiles)| Side::new(*p, profiles)).collect();
        changes::append(tx, Kind::Split, &[Side::new(person, members)], &after, &Why::by("unmerge", actor));
    }
    if !people.contains(&person) {
        // The id of the former person is that of its oldest profile, which is the oldest of its piece too.
        return Err(DbError::damaged("profiles", format!("person {person} vanished in a cut")));
    }
    for person_id in &people {
        tx.notify(Notice::Person { person_id: *person_id });
    }
    let mut out: Vec<Piece> =
        people.into_iter().zip(pieces).map(|(person_id, profile_ids)| Piece { person_id, profile_ids }).collect();
    out.sort_by_key(|p| p.person_id);
    Ok(out)
}

fn keep_apart(tx: &mut Tx, a: i64, b: i64, actor: &str) -> Result<(), DbError> {
    // Asked for first, so that what is loaded from the database does not hold the new pair already.
    tx.memory::<CannotLinks>()?.add(a, b);
    sql::append_cannot_link(tx, a, b, actor);
    Ok(())
}

/// Gives values of a person a profile of their own, and with them the events whose highest-priority identifier is one of
/// them. Where the profile owns nothing else it is taken out of the person as it is. Gives the people that result.
///
/// Reads every event of the profile: about 3 µs each.
pub fn detach(
    tx: &mut Tx,
    person_id: i64,
    values: &[(&str, &str)],
    reader: &mut dyn EventReader,
    counters: &CounterSet,
    actor: &str,
) -> Result<Vec<Piece>, CutError> {
    let (person, members) = person(tx, person_id)?;
    let mut from = None;
    for (kind, value) in values {
        let holder = holder(tx, &members, kind, value)?;
        let holder = holder.ok_or_else(|| CutError::NoValue { kind: (*kind).into(), value: (*value).into() })?;
        if *from.get_or_insert(holder) != holder {
            return Err(CutError::SeveralProfiles);
        }
    }
    let Some(from) = from else { return Err(CutError::NothingElse) };
    let chosen = |kind: &str, value: &str| values.iter().any(|(k, v)| *k == kind && *v == value);
    let old = tx.get::<Profiles>(from)?.cloned().ok_or(CutError::NoPerson(from))?;
    if old.state.identifiers.own().all(|(k, ..)| chosen(&k.kind, &k.value)) {
        return isolate(tx, person, &members, from, actor);
    }

    let to = tx.next_profile_id();
    tx.counts().profiles += 1;
    for (kind, value) in values {
        tx.execute(MOVE_VALUE, &[(*kind).into(), (*value).into(), to.into()])?;
        let seq = old.state.identifiers.position(kind, value).ok();
        let seq = seq.and_then(|at| old.state.identifiers.keys[at].evidence.as_ref()).map_or(0, |e| e.seq);
        tx.put::<IdentifierTable>(identifier::hash(tx.hash_key(), kind, value), Owner { profile_id: to, seq });
        sql::append_cut(tx, "detach", (from, to), (kind, value), actor);
    }
    keep_apart(tx, from, to, actor)?;
    divide(tx, (from, to), &old, &chosen, reader, counters)?;
    let after = [Side::new(person, &members), Side::new(to, &[to])];
    changes::append(tx, Kind::Split, &after[..1], &after, &Why::by("detach", actor));
    tx.notify(Notice::Person { person_id: person });
    tx.notify(Notice::Person { person_id: to });
    Ok(vec![Piece { person_id: person, profile_ids: members }, Piece { person_id: to, profile_ids: vec![to] }])
}

fn holder(tx: &mut Tx, members: &[i64], kind: &str, value: &str) -> Result<Option<i64>, DbError> {
    for member in members {
        if tx.get::<Profiles>(*member)?.is_some_and(|p| p.state.identifiers.owns(kind, value)) {
            return Ok(Some(*member));
        }
    }
    Ok(None)
}

/// Divides a profile's events and identifiers: index and both states are made again.
fn divide(
    tx: &mut Tx,
    (from, to): (i64, i64),
    old: &Profile,
    chosen: &dyn Fn(&str, &str) -> bool,
    reader: &mut dyn EventReader,
    counters: &CounterSet,
) -> Result<(), DbError> {
    let mut states = [State::default(), State::default()];
    for (key, evidence, _) in old.state.identifiers.own() {
        let side = usize::from(chosen(&key.kind, &key.value));
        state::attach(&mut states[side].identifiers, &key.kind, &key.value, evidence.clone());
    }
    let mut entries = Read::chunks(tx, from)?;
    entries.extend(old.tail.entries());
    let mut sides: [Vec<Entry>; 2] = [Vec::new(), Vec::new()];
    for piece in entries.chunks(1024) {
        let seqs: Vec<i64> = piece.iter().map(|e| e.seq).collect();
        let mut events = reader.events(tx, &seqs)?;
        events.sort_by_key(|e| e.seq);
        for entry in piece {
            let Ok(at) = events.binary_search_by_key(&entry.seq, |e| e.seq) else {
                // Erased: it says nothing any more, so it stays where it is.
                sides[0].push(*entry);
                continue;
            };
            let LoggedEvent { event, source, .. } = &events[at];
            let erased = tx.memory::<Erased>()?;
            let first = event.identifiers.iter().find(|i| !erased.covers(i.hash, entry.seq));
            let side = usize::from(event.profile_id.is_none() && first.is_some_and(|i| chosen(&i.kind, &i.value)));
            state::fold_state(&mut states[side], event, counters, *source);
            sides[side].push(*entry);
            if side == 1 {
                for word in name_words(event) {
                    sql::append_name_word(tx, &word, to);
                }
            }
        }
    }
    let [kept, moved] = states;
    let tail = index::rewrite(tx, from, &sides[0])?;
    if let Some(row) = tx.get_mut::<Profiles>(from)? {
        (row.state, row.tail) = (kept, tail);
    }
    let tail = index::rewrite(tx, to, &sides[1])?;
    let born = tx.now();
    tx.put::<Profiles>(to, Profile { state: moved, tail, ..Profile::new(to, born) });
    tx.flush_keys::<Profiles>(&[from, to])
}

/// Takes a whole profile out of its person. Those that it held together stay together, since it is its values that were
/// wrong: in another order of events they would all have come to one profile.
fn isolate(tx: &mut Tx, person: i64, members: &[i64], profile: i64, actor: &str) -> Result<Vec<Piece>, CutError> {
    let (gone, stay): (Vec<EdgeRow>, Vec<EdgeRow>) =
        edges_of(tx, members)?.into_iter().partition(|e| e.a == profile || e.b == profile);
    if gone.is_empty() {
        return Err(CutError::NothingElse);
    }
    let mut stay: Vec<(i64, i64)> = stay.iter().map(|e| (e.a, e.b)).collect();
    let neighbour = |e: &EdgeRow| if e.a == profile { e.b } else { e.a };
    for pair in gone.windows(2) {
        let (a, b) = (neighbour(&pair[0]), neighbour(&pair[1]));
        let EdgeRow { kind, value, seq, message_id, at, .. } = &pair[1];
        let rule = Rule::Bypass.as_str();
        sql::append_edge(tx, &NewEdge { a, b, rule, kind, value, seq: *seq, message_id, at: *at, actor });
        sql::append_cut(tx, "bypass", (a, b), (kind, value), actor);
        stay.push((a, b));
    }
    Ok(cut_edges(tx, person, members, &gone, stay, actor)?)
}

/// An identifier with its evidence: kind, value, event.
pub type Owned = (Box<str>, Box<str>, Evidence);

/// The evidence of a profile's own identifiers, as the facts have it: what a fold from scratch begins with.
pub fn own_identifiers(read: &mut impl Read, profile_id: i64) -> Result<Vec<Owned>, DbError> {
    let rows = read.query(
        "SELECT kind, value, seq, message_id, at FROM identifiers WHERE profile_id = $1",
        &[profile_id.into()],
    )?;
    let one = |r: &db::Row| {
        let evidence =
            Evidence { seq: r.int(2)?, message_id: r.text(3)?.into(), at: Timestamp::from_micros(r.int(4)?) };
        Ok((r.text(0)?.into(), r.text(1)?.into(), evidence))
    };
    rows.iter().map(one).collect()
}
