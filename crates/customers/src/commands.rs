//! Placing events, folding them, and reading people, over the database.
use crate::changes::{self, Kind, Side, Why};
use crate::counters::CounterSet;
use crate::identifier;
use crate::identity::{self, Graph, Placement, Sighting, Target, memory::sightings_of};
use crate::model::{Evidence, Member, OwnIdentifier, PersonView, Profile, State};
use crate::profiles::{IdentifierTable, Owner, Profiles, Read};
use crate::rules;
use crate::search::name_words;
use crate::sql::{self, NewEdge};
use crate::state::{self, Logged};
use crate::{hubs, stitch};
use base::{Country, Timestamp};
use db::event::{Event, EventKind, Identifier};
use db::index::{self, CHUNK};
use db::{DbError, Engine, Memory, Notice, Tx, names};
use hashbrown::HashMap;
use serde_json::json;
use std::ops::Deref;

/// Where an event went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// 0 = nobody's.
    pub profile_id: i64,
    pub person_id: i64,
    /// The event made the profile.
    pub created: bool,
    /// The event brought the person identifiers that it did not have.
    pub attached: bool,
    /// People that are part of `person_id` since this event: what is kept per person goes over.
    pub absorbed: Vec<i64>,
}

/// Decides which profile an event belongs to and makes it so: new profile, identifiers, edges, review items. `seq` is the
/// seq that the event gets, `received_at` the time of its batch.
pub fn place(tx: &mut Tx, event: &Event, seq: i64, received_at: Timestamp) -> Result<Placed, DbError> {
    let rules = rules::of(tx)?;
    let placement = identity::place(&mut TxGraph(tx), event, &rules)?;
    let mut placed = Placed::default();
    match placement.target {
        Target::Nobody => return Ok(placed),
        Target::Profile(id) => placed.profile_id = id,
        Target::New => {
            placed.profile_id = tx.next_profile_id();
            placed.created = true;
            tx.put::<Profiles>(placed.profile_id, Profile::new(placed.profile_id, received_at));
            tx.counts().profiles += 1;
        }
    }
    let Some(row) = tx.get::<Profiles>(placed.profile_id)?.filter(|row| row.person != 0) else {
        // An event of ours about a profile that is gone or erased: logged, and nobody's.
        return if event.profile_id.is_some() { Ok(Placed::default()) } else { Err(missing(placed.profile_id)) };
    };
    placed.person_id = row.person;
    placed.attached = !placement.attach.is_empty();
    if placement.is_plain() {
        return Ok(placed);
    }
    stitch::before(tx, event, &placement, &placed)?;
    attach(tx, event, &placement, placed.profile_id, seq)?;
    for join in &placement.edges {
        let (a, b) = (placed.profile_id, join.other);
        sql::append_edge(tx, &edge(event, join, (a, b), seq));
        let shown = json!({"rule": join.rule.as_str(), "kind": &*join.kind, "message_id": &*event.message_id});
        let (person, absorbed) = join_people(tx, a, b, &Why { cause: "event", evidence: shown })?;
        placed.person_id = person;
        placed.absorbed.extend(absorbed);
    }
    if !placed.created || placement.demoted > 0 {
        hubs::note(tx, event, &placement, (placed.profile_id, placed.person_id, seq), &rules)?;
    }
    for refused in &placement.review {
        sql::append_review(tx, &edge(event, &refused.join, refused.pair, seq));
    }
    placed.absorbed.retain(|p| *p != placed.person_id);
    Ok(placed)
}

fn missing(profile_id: i64) -> DbError {
    DbError::damaged("profiles", format!("profile {profile_id} owns an identifier, but has no row"))
}

fn edge<'a>(event: &'a Event, join: &'a identity::Join, (a, b): (i64, i64), seq: i64) -> NewEdge<'a> {
    let (message_id, at) = (&*event.message_id, event.timestamp);
    let rule = join.rule.as_str();
    NewEdge { a, b, rule, kind: &join.kind, value: &join.value, seq, message_id, at, actor: "" }
}

fn attach(tx: &mut Tx, event: &Event, placement: &Placement, profile_id: i64, seq: i64) -> Result<(), DbError> {
    for at in &placement.attach {
        let identifier = &event.identifiers[*at];
        let evidence = evidence(event, seq);
        sql::append_identifier(tx, &identifier.kind, &identifier.value, profile_id, &evidence);
        tx.put::<IdentifierTable>(identifier.hash, Owner { profile_id, seq });
        let row = tx.get_mut::<Profiles>(profile_id)?.ok_or_else(|| missing(profile_id))?;
        state::attach(&mut row.state.identifiers, &identifier.kind, &identifier.value, evidence);
    }
    Ok(())
}

fn evidence(event: &Event, seq: i64) -> Evidence {
    Evidence { seq, message_id: event.message_id.clone(), at: event.timestamp }
}

/// Makes the people of two profiles one; gives its id and the id that is no person any more. The rows are facts at once.
pub(crate) fn join_people(tx: &mut Tx, a: i64, b: i64, why: &Why) -> Result<(i64, Option<i64>), DbError> {
    let (first, second) = (person_of(tx, a)?, person_of(tx, b)?);
    if first == second {
        return Ok((first, None));
    }
    let (mut members, others) = (members_of(tx, first)?, members_of(tx, second)?);
    let before = [Side::new(first, &members), Side::new(second, &others)];
    members.extend(others);
    let born = |tx: &mut Tx, id| Ok::<_, DbError>((row(tx, id)?.created_at, id));
    let (stays, goes) = if born(tx, first)? < born(tx, second)? { (first, second) } else { (second, first) };
    let after = [Side::new(stays, &members)];
    set_people(tx, vec![members])?;
    changes::append(tx, Kind::Merged, &before, &after, why);
    stitch::joined(tx)?;
    tx.counts().absorbed += 1;
    tx.notify(Notice::Person { person_id: stays });
    Ok((stays, Some(goes)))
}

/// Makes each list of profiles one person, whose id is its oldest profile's; gives the people's ids. Changed rows are
/// written in this transaction.
pub(crate) fn set_people(tx: &mut Tx, people: Vec<Vec<i64>>) -> Result<Vec<i64>, DbError> {
    let mut out = Vec::with_capacity(people.len());
    let mut changed = Vec::new();
    for mut members in people {
        members.sort_unstable();
        members.dedup();
        let mut oldest = None;
        for member in &members {
            let born = (row(tx, *member)?.created_at, *member);
            oldest = Some(oldest.map_or(born, |o: (Timestamp, i64)| o.min(born)));
        }
        let Some((_, person)) = oldest else { continue };
        let all: Option<std::sync::Arc<[i64]>> = (members.len() > 1).then(|| members.as_slice().into());
        for member in &members {
            let wanted = all.clone().filter(|_| *member == person);
            let known = row(tx, *member)?;
            if known.person == person && known.members == wanted {
                continue;
            }
            let row = tx.get_mut::<Profiles>(*member)?.ok_or_else(|| missing(*member))?;
            row.person = person;
            row.members = wanted;
            changed.push(*member);
        }
        out.push(person);
    }
    tx.flush_keys::<Profiles>(&changed)?;
    Ok(out)
}

fn row(tx: &mut Tx, id: i64) -> Result<&Profile, DbError> {
    tx.get::<Profiles>(id)?.ok_or_else(|| missing(id))
}

/// The person that a profile belongs to.
pub fn person_of(tx: &mut Tx, profile_id: i64) -> Result<i64, DbError> {
    Ok(row(tx, profile_id)?.person)
}

/// The profiles of a person.
pub fn members_of(tx: &mut Tx, person_id: i64) -> Result<Vec<i64>, DbError> {
    Ok(row(tx, person_id)?.members.as_deref().map_or_else(|| vec![person_id], <[i64]>::to_vec))
}

/// Folds a placed event into its profile: state, index, words of the name.
pub fn fold_event(
    tx: &mut Tx,
    profile_id: i64,
    event: &Event,
    counters: &CounterSet,
    source: i64,
    seq: i64,
) -> Result<(), DbError> {
    fold_row(tx, profile_id, event, counters, source, seq)?;
    if event.traits.iter().any(|(name, _)| matches!(&**name, "name" | "firstName" | "lastName")) {
        for word in name_words(event) {
            sql::append_name_word(tx, &word, profile_id);
        }
    }
    Ok(())
}

fn fold_row(tx: &mut Tx, id: i64, event: &Event, counters: &CounterSet, source: i64, seq: i64) -> Result<(), DbError> {
    let name = names::number(tx, index_name(event))?;
    let row = tx.get_mut::<Profiles>(id)?.ok_or_else(|| missing(id))?;
    state::fold(row, event, counters, Logged { source, seq, name });
    if row.tail.len() >= CHUNK {
        let tail = std::mem::take(&mut row.tail);
        index::spill(tx, id, &tail.entries());
    }
    Ok(())
}

/// The name under which an event stands in indexes: its own, or `$` and the call for calls without one.
pub fn index_name(event: &Event) -> &str {
    match event.kind {
        EventKind::Identify => "$identify",
        EventKind::Group => "$group",
        EventKind::Alias => "$alias",
        _ => &event.name,
    }
}

/// Where a logged event stands, for folding it again.
#[derive(Debug, Clone, Copy)]
pub struct Replayed {
    pub seq: i64,
    pub group: i64,
    pub source: i64,
    pub received_at: Timestamp,
    /// Where it was placed.
    pub profile_id: i64,
}

/// Folds a logged event again after a kill, unless its profile's row has it. Facts (identifiers, edges) are there already;
/// a row that was never written is made again.
pub fn refold(tx: &mut Tx, at: Replayed, event: &Event, counters: &CounterSet) -> Result<(), DbError> {
    let Replayed { seq, group, source, received_at, profile_id } = at;
    match tx.get::<Profiles>(profile_id)? {
        Some(row) if row.folded_to >= group || row.person == 0 => return Ok(()),
        Some(_) => {}
        None => tx.put::<Profiles>(profile_id, Profile::new(profile_id, received_at)),
    }
    for identifier in &event.identifiers {
        let Some(owner) = owner(tx, identifier)? else { continue };
        if owner.profile_id != profile_id || owner.seq > seq {
            continue;
        }
        let row = tx.get_mut::<Profiles>(profile_id)?.ok_or_else(|| missing(profile_id))?;
        if row.state.identifiers.owns(&identifier.kind, &identifier.value) {
            continue;
        }
        let evidence = if owner.seq == seq { evidence(event, seq) } else { evidence_of(tx, identifier)? };
        let row = tx.get_mut::<Profiles>(profile_id)?.ok_or_else(|| missing(profile_id))?;
        state::attach(&mut row.state.identifiers, &identifier.kind, &identifier.value, evidence);
    }
    fold_row(tx, profile_id, event, counters, source, seq)
}

const FIND_OWNER: &str = "SELECT profile_id, seq FROM identifiers WHERE kind = $1 AND value = $2";
const FIND_EVIDENCE: &str = "SELECT seq, message_id, at FROM identifiers WHERE kind = $1 AND value = $2";

/// Who owns an identifier; that nobody does is remembered too.
pub fn owner(tx: &mut Tx, identifier: &Identifier) -> Result<Option<Owner>, DbError> {
    let load = |db: &mut Engine| {
        let row = db.first(FIND_OWNER, &[(&*identifier.kind).into(), (&*identifier.value).into()])?;
        row.map(|r| Ok(Owner { profile_id: r.int(0)?, seq: r.int(1)? })).transpose()
    };
    // Profile 0: the value was taken off its profile, or its owner was erased, in this run of the program.
    Ok(tx.get_with::<IdentifierTable>(identifier.hash, load)?.copied().filter(|o| o.profile_id != 0))
}

fn evidence_of(tx: &mut Tx, identifier: &Identifier) -> Result<Evidence, DbError> {
    let row = tx.first(FIND_EVIDENCE, &[(&*identifier.kind).into(), (&*identifier.value).into()])?;
    let row = row.ok_or_else(|| DbError::damaged("identifiers", "a value has an owner, but no row"))?;
    Ok(Evidence { seq: row.int(0)?, message_id: row.text(1)?.into(), at: Timestamp::from_micros(row.int(2)?) })
}

/// The person that an identifier belongs to, with the profile that holds it; the value as people write it.
pub fn lookup(tx: &mut Tx, kind: &str, value: &str, country: Country) -> Result<Option<(i64, i64)>, DbError> {
    let Some(value) = rules::of(tx)?.normalise(kind, value, country) else { return Ok(None) };
    let hash = identifier::hash(tx.hash_key(), kind, &value);
    let identifier = Identifier { kind: kind.into(), value: value.into(), hash };
    match owner(tx, &identifier)? {
        Some(owner) => Ok(Some((person_of(tx, owner.profile_id)?, owner.profile_id))),
        None => Ok(None),
    }
}

/// A person's state: its only profile's own, or the merge of several.
pub enum Seen<'t> {
    One(&'t State),
    Many(Box<State>),
}

impl Deref for Seen<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        match self {
            Seen::One(state) => state,
            Seen::Many(state) => state,
        }
    }
}

/// The state of a person, for evaluating conditions; nothing is copied for a person of one profile.
pub fn person_state<'t>(tx: &'t mut Tx, person_id: i64, counters: &CounterSet) -> Result<Seen<'t>, DbError> {
    let Some(members) = row(tx, person_id)?.members.clone() else {
        return Ok(Seen::One(&row(tx, person_id)?.state));
    };
    let mut out: Option<State> = None;
    for member in members.iter() {
        let state = &row(tx, *member)?.state;
        match &mut out {
            None => out = Some(state.clone()),
            Some(all) => state::merge_into(all, state, counters),
        }
    }
    Ok(Seen::Many(Box::new(out.unwrap_or_default())))
}

/// A person by the id of any of its profiles, past ones of other people included; `None` for an id that never was.
pub fn person(read: &mut impl Read, id: i64, counters: &CounterSet) -> Result<Option<PersonView>, DbError> {
    let Some(profile) = read.profile(id)?.filter(|p| p.person != 0) else { return Ok(None) };
    let person_id = profile.person;
    let root = if person_id == id { profile } else { read.profile(person_id)?.ok_or_else(|| missing(person_id))? };
    let ids = root.members.clone().unwrap_or_else(|| [person_id].into());
    let mut profiles = vec![(person_id, root)];
    for member in ids.iter().filter(|m| **m != person_id) {
        profiles.push((*member, read.profile(*member)?.ok_or_else(|| missing(*member))?));
    }
    profiles.sort_by_key(|(id, p)| (p.created_at, *id));
    Ok(Some(view(person_id, &profiles, counters)))
}

/// The view of a person's profiles.
pub fn view(person_id: i64, profiles: &[(i64, Profile)], counters: &CounterSet) -> PersonView {
    let state = state::merge(profiles.iter().map(|(_, p)| &p.state), counters);
    let mut identifiers = Vec::new();
    for (profile_id, profile) in profiles {
        for (key, evidence, seen) in profile.state.identifiers.own() {
            // Events of other profiles of the person may have carried it later.
            let seen = state.identifiers.position(&key.kind, &key.value).map_or(seen, |at| state.identifiers.seen[at]);
            let (kind, value, evidence) = (key.kind.clone(), key.value.clone(), evidence.clone());
            identifiers.push(OwnIdentifier { kind, value, profile_id: *profile_id, seen, evidence });
        }
    }
    identifiers.sort_by(|a, b| {
        (identifier::shown_order(&a.kind), &a.value).cmp(&(identifier::shown_order(&b.kind), &b.value))
    });
    let member = |(id, p): &(i64, Profile)| Member {
        profile_id: *id,
        created_at: p.created_at,
        source: p.state.totals.first.map(|(_, source)| source),
    };
    PersonView { person_id, members: profiles.iter().map(member).collect(), identifiers, state }
}

/// One event of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelineEntry {
    pub timestamp: Timestamp,
    pub seq: i64,
    /// Number of the name, see [`index_name`].
    pub name: u32,
    pub profile_id: i64,
}

/// All events of the given profiles, by event time, then seq.
pub fn timeline_entries(read: &mut impl Read, profiles: &[i64]) -> Result<Vec<TimelineEntry>, DbError> {
    let mut out = Vec::new();
    for profile_id in profiles {
        let mut entries = read.chunks(*profile_id)?;
        if let Some(row) = read.profile(*profile_id)? {
            // A row that was read before its last spill holds entries that are in a chunk by now.
            let spilled = entries.iter().map(|e| e.seq).max().unwrap_or(0);
            entries.extend(row.tail.entries().into_iter().filter(|e| e.seq > spilled));
        }
        let entry = |e: &index::Entry| TimelineEntry {
            timestamp: e.timestamp,
            seq: e.seq,
            name: e.name,
            profile_id: *profile_id,
        };
        out.extend(entries.iter().map(entry));
    }
    out.sort_unstable();
    Ok(out)
}

/// Pairs that cannot be linked, all in memory: they are made by hand, so there are few.
#[derive(Debug, Default)]
pub(crate) struct CannotLinks {
    of: HashMap<i64, Vec<i64>>,
    /// What the running group did: the pair, and whether it was added.
    done: Vec<(i64, i64, bool)>,
}

impl CannotLinks {
    pub(crate) fn add(&mut self, a: i64, b: i64) {
        self.put(a, b);
        self.done.push((a, b, true));
    }
    /// Takes away every mention of a pair.
    pub(crate) fn remove(&mut self, a: i64, b: i64) {
        while self.holds(a, b) {
            self.take(a, b);
            self.done.push((a, b, false));
        }
    }
    pub(crate) fn holds(&self, a: i64, b: i64) -> bool {
        self.of.get(&a).is_some_and(|list| list.contains(&b))
    }
    fn put(&mut self, a: i64, b: i64) {
        self.of.entry(a).or_default().push(b);
        self.of.entry(b).or_default().push(a);
    }
    fn take(&mut self, a: i64, b: i64) {
        for (from, to) in [(a, b), (b, a)] {
            if let Some(list) = self.of.get_mut(&from)
                && let Some(at) = list.iter().rposition(|x| *x == to)
            {
                list.remove(at);
            }
        }
    }
    fn find(&self, a: &[i64], b: &[i64]) -> Option<(i64, i64)> {
        if self.of.is_empty() {
            return None;
        }
        a.iter().find_map(|x| self.of.get(x)?.iter().find(|y| b.contains(y)).map(|y| (*x, *y)))
    }
    /// All pairs with one of each side.
    pub(crate) fn between(&self, a: &[i64], b: &[i64]) -> Vec<(i64, i64)> {
        let mut out: Vec<(i64, i64)> = Vec::new();
        for x in a {
            out.extend(self.of.get(x).into_iter().flatten().filter(|y| b.contains(y)).map(|y| (*x, *y)));
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

impl Memory for CannotLinks {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self::default();
        for row in db.rows("SELECT a, b FROM cannot_link", &[])? {
            out.put(row.int(0)?, row.int(1)?);
        }
        Ok(out)
    }
    fn commit(&mut self) {
        self.done.clear();
    }
    fn rollback(&mut self) {
        while let Some((a, b, added)) = self.done.pop() {
            if added {
                self.take(a, b);
            } else {
                self.put(a, b);
            }
        }
    }
}

/// The graph as the writer sees it.
struct TxGraph<'t>(&'t mut Tx);

impl Graph for TxGraph<'_> {
    type Error = DbError;

    fn owner(&mut self, identifier: &Identifier) -> Result<Option<i64>, DbError> {
        Ok(owner(self.0, identifier)?.map(|o| o.profile_id))
    }
    fn named(&mut self, kind: &str, value: &str) -> Result<Option<i64>, DbError> {
        let hash = identifier::hash(self.0.hash_key(), kind, value);
        self.owner(&Identifier { kind: kind.into(), value: value.into(), hash })
    }
    fn person(&mut self, profile: i64) -> Result<i64, DbError> {
        person_of(self.0, profile)
    }
    fn members(&mut self, person: i64) -> Result<Vec<i64>, DbError> {
        members_of(self.0, person)
    }
    fn sightings(&mut self, profile: i64, see: &mut dyn FnMut(&str, Sighting)) -> Result<(), DbError> {
        sightings_of(&row(self.0, profile)?.state.identifiers, see);
        Ok(())
    }
    fn cannot_link(&mut self, a: &[i64], b: &[i64]) -> Result<Option<(i64, i64)>, DbError> {
        Ok(self.0.memory::<CannotLinks>()?.find(a, b))
    }
}
