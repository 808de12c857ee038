//! Brings a part of the live graph to what a replay decided: values change owners, events their profiles, edges come and go.
use crate::commands::{index_name, members_of, person_of, set_people};
use crate::counters::CounterSet;
use crate::cuts::{EventReader, edges_of, own_identifiers};
use crate::identifier;
use crate::identity::memory::{Edge, components};
use crate::model::{Evidence, Profile, State};
use crate::profiles::{IdentifierTable, Owner, Profiles, Read};
use crate::replay::{Move, StoredEdge};
use crate::search::name_words;
use crate::sql::{self, NewEdge};
use crate::state;
use base::Timestamp;
use db::index::{self, Entry};
use db::{DbError, Notice, Tx, names};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

/// A value that another profile owns from now on, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerChange {
    pub kind: Box<str>,
    pub value: Box<str>,
    pub from: Option<i64>,
    pub to: Option<(i64, Evidence)>,
}

/// Changes that hang together: no other cluster touches these profiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cluster {
    pub moves: Vec<Move>,
    pub owners: Vec<OwnerChange>,
    /// Edges to be added.
    pub missing: Vec<Edge>,
    /// Edges to be removed.
    pub extra: Vec<StoredEdge>,
    /// Profiles that are new, with the time from which they are and the event that makes them.
    pub created: Vec<(i64, Timestamp, i64)>,
    /// All profiles that are touched.
    pub profiles: Vec<i64>,
}

/// People with their profiles.
pub type People = Vec<(i64, Vec<i64>)>;

/// What a cluster changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regrouped {
    pub before: People,
    pub after: People,
    /// Events that are elsewhere now.
    pub moved: Vec<Move>,
}

const REMOVE_EDGE: &str = "UPDATE edges SET removed_at = $4 WHERE id = (SELECT MIN(id) FROM edges \
     WHERE ((a = $1 AND b = $2) OR (a = $2 AND b = $1)) AND rule = $3 AND removed_at = 0)";

/// Makes a cluster's changes. What has changed since it was planned is left for the next plan.
pub fn apply(
    tx: &mut Tx,
    cluster: &Cluster,
    reader: &mut dyn EventReader,
    counters: &CounterSet,
) -> Result<Regrouped, DbError> {
    let before = people_of(tx, &cluster.profiles)?;
    let mut fresh = Vec::new();
    for (profile, at, seq) in &cluster.created {
        if tx.get::<Profiles>(*profile)?.is_none() {
            tx.put::<Profiles>(*profile, Profile::new(*profile, *at));
            tx.counts().profiles += 1;
            sql::append_made(tx, *seq, *profile);
            fresh.push(*profile);
        }
    }
    for change in &cluster.owners {
        set_owner(tx, change)?;
    }
    let now = tx.now().micros();
    for (a, b, rule) in &cluster.extra {
        tx.execute(REMOVE_EDGE, &[(*a).into(), (*b).into(), (&**rule).into(), now.into()])?;
    }
    for Edge { a, b, rule, seq, message_id, at, kind, value } in &cluster.missing {
        let (rule, seq, at) = (rule.as_str(), *seq, *at);
        let edge = NewEdge { a: *a, b: *b, rule, kind, value, seq, message_id, at, actor: "" };
        sql::append_edge(tx, &edge);
    }
    let moved = rebuild(tx, cluster, reader, counters)?;
    let mut members: Vec<i64> = before.iter().flat_map(|(_, m)| m.iter().copied()).chain(fresh).collect();
    members.sort_unstable();
    members.dedup();
    let edges = edges_of(tx, &members)?;
    let pieces = components(&members, edges.iter().map(|e| (e.a, e.b)));
    let absorbed = |people: &mut dyn Iterator<Item = usize>| people.map(|n| n as i64 - 1).sum::<i64>();
    tx.counts().absorbed +=
        absorbed(&mut pieces.iter().map(Vec::len)) - absorbed(&mut before.iter().map(|(_, m)| m.len()));
    let people = set_people(tx, pieces.clone())?;
    let mut after: People = people.into_iter().zip(pieces).collect();
    after.sort_unstable();
    for (person_id, _) in before.iter().chain(&after) {
        tx.notify(Notice::Person { person_id: *person_id });
    }
    Ok(Regrouped { before, after, moved })
}

/// The people of some profiles, each with all its profiles.
fn people_of(tx: &mut Tx, profiles: &[i64]) -> Result<People, DbError> {
    let mut out: People = Vec::new();
    let mut seen = HashSet::new();
    for profile in profiles {
        if tx.get::<Profiles>(*profile)?.is_none() {
            continue;
        }
        let person = person_of(tx, *profile)?;
        if seen.insert(person) {
            let mut members = members_of(tx, person)?;
            members.sort_unstable();
            out.push((person, members));
        }
    }
    out.sort_unstable();
    Ok(out)
}

fn set_owner(tx: &mut Tx, change: &OwnerChange) -> Result<(), DbError> {
    let (kind, value): (&str, &str) = (&change.kind, &change.value);
    let hash = identifier::hash(tx.hash_key(), kind, value);
    match &change.to {
        Some((profile_id, evidence)) => {
            sql::append_identifier(tx, kind, value, *profile_id, evidence);
            tx.put::<IdentifierTable>(hash, Owner { profile_id: *profile_id, seq: evidence.seq });
        }
        None => {
            tx.execute("DELETE FROM identifiers WHERE kind = $1 AND value = $2", &[kind.into(), value.into()])?;
            tx.put::<IdentifierTable>(hash, Owner::NOBODY);
        }
    }
    Ok(())
}

/// Makes states and indexes of the touched profiles again, from their own identifiers and their events.
fn rebuild(
    tx: &mut Tx,
    cluster: &Cluster,
    reader: &mut dyn EventReader,
    counters: &CounterSet,
) -> Result<Vec<Move>, DbError> {
    let mut touched: Vec<i64> = cluster.moves.iter().flat_map(|m| [m.from, m.to]).collect();
    touched.extend(cluster.owners.iter().flat_map(|o| [o.from, o.to.as_ref().map(|(to, _)| *to)]).flatten());
    touched.extend(cluster.created.iter().map(|(id, ..)| *id));
    touched.sort_unstable();
    touched.dedup();
    let wanted: HashMap<i64, Move> = cluster.moves.iter().map(|m| (m.seq, *m)).collect();
    let mut lists: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
    let (mut moved, mut arrived) = (Vec::new(), Vec::new());
    for profile in touched.into_iter().filter(|p| *p != 0) {
        let Some(row) = tx.get::<Profiles>(profile)? else { continue };
        let tail = row.tail.entries();
        let mut entries = Read::chunks(tx, profile)?;
        entries.extend(tail);
        let goes = |e: &Entry| wanted.get(&e.seq).filter(|m| m.from == profile);
        for entry in &entries {
            if let Some(one) = goes(entry) {
                moved.push(*one);
                arrived.push((one.to, *entry));
            }
        }
        entries.retain(|e| goes(e).is_none());
        lists.insert(profile, entries);
    }
    let nobodys: Vec<i64> = cluster.moves.iter().filter(|m| m.from == 0).map(|m| m.seq).collect();
    for piece in nobodys.chunks(1024) {
        for logged in reader.events(tx, piece)? {
            let Some(one) = wanted.get(&logged.seq) else { continue };
            let name = names::number(tx, index_name(&logged.event))?;
            moved.push(*one);
            arrived.push((one.to, Entry { seq: logged.seq, timestamp: logged.event.timestamp, name }));
        }
    }
    let moved_in: HashSet<i64> = arrived.iter().map(|(_, e)| e.seq).collect();
    for (to, entry) in arrived.into_iter().filter(|(to, _)| *to != 0) {
        if let Some(list) = lists.get_mut(&to) {
            list.push(entry);
        }
    }
    let profiles: Vec<i64> = lists.keys().copied().collect();
    for (profile, mut entries) in lists {
        entries.sort_unstable_by_key(|e| e.seq);
        refold(tx, profile, &entries, &moved_in, reader, counters)?;
    }
    tx.flush_keys::<Profiles>(&profiles)?;
    moved.sort_unstable();
    Ok(moved)
}

fn refold(
    tx: &mut Tx,
    profile: i64,
    entries: &[Entry],
    moved_in: &HashSet<i64>,
    reader: &mut dyn EventReader,
    counters: &CounterSet,
) -> Result<(), DbError> {
    let mut fresh = State::default();
    for (kind, value, evidence) in own_identifiers(tx, profile)? {
        state::attach(&mut fresh.identifiers, &kind, &value, evidence);
    }
    for piece in entries.chunks(1024) {
        let seqs: Vec<i64> = piece.iter().map(|e| e.seq).collect();
        for logged in reader.events(tx, &seqs)? {
            state::fold_state(&mut fresh, &logged.event, counters, logged.source);
            if moved_in.contains(&logged.seq) {
                for word in name_words(&logged.event) {
                    sql::append_name_word(tx, &word, profile);
                }
            }
        }
    }
    let tail = index::rewrite(tx, profile, entries)?;
    if let Some(row) = tx.get_mut::<Profiles>(profile)? {
        (row.state, row.tail) = (fresh, tail);
    }
    Ok(())
}
