//! The graph of profiles in memory: for events in plain files, and for deciding a log's identities again.
use super::{Graph, Join, Placement, Rule, Sighting, Target};
use crate::model::{Evidence, Identifiers};
use crate::rules::Rules;
use crate::state;
use base::Timestamp;
use db::event::{Event, Identifier};
use hashbrown::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

mod cutting;

/// A cut that somebody made, as it stands in the ledger of cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// The edge between two profiles went.
    Edge { a: i64, b: i64 },
    /// An edge between two profiles took the place of the way over a profile that was cut out.
    Bypass { a: i64, b: i64 },
    /// A value went from one profile to another. It is empty where it was erased since.
    Detach { from: i64, to: i64, kind: Box<str>, value: Box<str> },
    /// Somebody joined two people.
    Join { a: i64, b: i64, rule: Rule },
    /// Somebody said that two people are not one.
    Apart { a: i64, b: i64 },
    /// A pair that was kept apart may be one again.
    Lift { a: i64, b: i64 },
}

/// An edge with what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub a: i64,
    pub b: i64,
    pub rule: Rule,
    pub seq: i64,
    pub message_id: Box<str>,
    pub at: Timestamp,
    pub kind: Box<str>,
    pub value: Box<str>,
}

impl Edge {
    fn by_hand(a: i64, b: i64, rule: Rule, at: Timestamp) -> Self {
        Self { a, b, rule, seq: 0, message_id: "".into(), at, kind: "".into(), value: "".into() }
    }
}

#[derive(Debug, Clone)]
struct Node {
    created_at: Timestamp,
    person: i64,
    identifiers: Identifiers,
}

/// Gives the id of a new profile; it is told which ids are known.
pub type Fresh<'a> = &'a mut dyn FnMut(&dyn Fn(i64) -> bool) -> i64;

/// Profiles, edges and cuts in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryGraph {
    owners: HashMap<Box<str>, HashMap<Box<str>, i64>>,
    nodes: HashMap<i64, Node>,
    /// Profiles of people that have several.
    members: HashMap<i64, Vec<i64>>,
    edges: Vec<Edge>,
    cannot_link: HashSet<(i64, i64)>,
    /// Pairs that the present cuts took apart.
    apart: Vec<(i64, i64)>,
    /// Bypasses that wait until the edges that they stand for are gone, and whether such edges go now.
    bypasses: Vec<(i64, i64, Timestamp)>,
    cutting: bool,
    next_profile: i64,
    /// By which events are placed.
    pub rules: Arc<Rules>,
    /// Joins that were refused.
    pub refused: Vec<(i64, i64)>,
}

impl Graph for MemoryGraph {
    type Error = Infallible;

    fn owner(&mut self, identifier: &Identifier) -> Result<Option<i64>, Infallible> {
        self.named(&identifier.kind, &identifier.value)
    }
    fn named(&mut self, kind: &str, value: &str) -> Result<Option<i64>, Infallible> {
        Ok(self.find(kind, value))
    }
    fn person(&mut self, profile: i64) -> Result<i64, Infallible> {
        Ok(self.person_of(profile))
    }
    fn members(&mut self, person: i64) -> Result<Vec<i64>, Infallible> {
        Ok(self.members.get(&person).cloned().unwrap_or_else(|| vec![person]))
    }
    fn sightings(&mut self, profile: i64, see: &mut dyn FnMut(&str, Sighting)) -> Result<(), Infallible> {
        if let Some(node) = self.nodes.get(&profile) {
            sightings_of(&node.identifiers, see);
        }
        Ok(())
    }
    fn cannot_link(&mut self, a: &[i64], b: &[i64]) -> Result<Option<(i64, i64)>, Infallible> {
        if self.cannot_link.is_empty() {
            return Ok(None);
        }
        let pairs = a.iter().flat_map(|x| b.iter().map(|y| (*x, *y)));
        Ok(pairs.into_iter().find(|(x, y)| self.cannot_link.contains(&ordered(*x, *y))))
    }
}

/// What limits look at, of one profile.
pub fn sightings_of(identifiers: &Identifiers, see: &mut dyn FnMut(&str, Sighting)) {
    for (key, seen) in identifiers.keys.iter().zip(&identifiers.seen) {
        see(&key.kind, Sighting { value: key.value.clone(), own: key.evidence.is_some(), last: seen.last });
    }
}

fn ordered(a: i64, b: i64) -> (i64, i64) {
    (a.min(b), a.max(b))
}

impl MemoryGraph {
    /// An empty graph in which events are placed by these rules.
    pub fn with_rules(rules: Arc<Rules>) -> Self {
        Self { rules, ..Self::default() }
    }
    /// The profile that owns a value.
    pub fn find(&self, kind: &str, value: &str) -> Option<i64> {
        self.owners.get(kind)?.get(value).copied()
    }
    /// The person that a profile belongs to; the profile itself when it is unknown.
    pub fn person_of(&self, profile: i64) -> i64 {
        self.nodes.get(&profile).map_or(profile, |n| n.person)
    }
    /// All profiles with their people, by profile.
    pub fn profiles(&self) -> Vec<(i64, i64)> {
        let mut out: Vec<(i64, i64)> = self.nodes.iter().map(|(id, n)| (*id, n.person)).collect();
        out.sort_unstable();
        out
    }
    /// All people with their profiles, by person.
    pub fn people(&self) -> Vec<(i64, Vec<i64>)> {
        let mut out: std::collections::BTreeMap<i64, Vec<i64>> = std::collections::BTreeMap::new();
        for (profile, person) in self.profiles() {
            out.entry(person).or_default().push(profile);
        }
        out.into_iter().collect()
    }
    /// A profile's identifiers, values of others included.
    pub fn identifiers(&self, profile: i64) -> Option<&Identifiers> {
        self.nodes.get(&profile).map(|n| &n.identifiers)
    }
    /// All owned values: kind, value, profile.
    pub fn owned(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        self.owners.iter().flat_map(|(kind, values)| values.iter().map(move |(value, p)| (&**kind, &**value, *p)))
    }
    /// Takes a profile that has nothing out of the graph; its neighbours stay joined to one another.
    pub fn prune(&mut self, profile: i64) {
        let mut members = self.component(profile);
        let touches = |e: &Edge| e.a == profile || e.b == profile;
        let (gone, kept): (Vec<Edge>, Vec<Edge>) = std::mem::take(&mut self.edges).into_iter().partition(touches);
        self.edges = kept;
        let neighbour = |e: &Edge| if e.a == profile { e.b } else { e.a };
        for pair in gone.windows(2) {
            self.edges.push(Edge { a: neighbour(&pair[0]), b: neighbour(&pair[1]), ..pair[1].clone() });
        }
        self.nodes.remove(&profile);
        self.members.remove(&profile);
        members.retain(|m| *m != profile);
        self.split(members);
    }
    /// Takes a value out of the graph, for comparing; gives who owned it.
    pub fn take_owner(&mut self, kind: &str, value: &str) -> Option<i64> {
        self.owners.get_mut(kind)?.remove(value)
    }
    /// The event that brought a value to a profile.
    pub fn evidence(&self, profile: i64, kind: &str, value: &str) -> Option<Evidence> {
        let identifiers = &self.nodes.get(&profile)?.identifiers;
        identifiers.position(kind, value).ok().and_then(|at| identifiers.keys[at].evidence.clone())
    }
    /// Edges that are there.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Places an event that was logged at `seq`; gives its profile. A new profile gets the id `new_id`, or the next number.
    pub fn place(&mut self, event: &Event, seq: i64, received_at: Timestamp, new_id: Option<i64>) -> Option<i64> {
        let rules = self.rules.clone();
        let Ok(placement) = super::place(self, event, &rules);
        self.apply(event, &placement, seq, received_at, new_id)
    }

    /// Places an event of a log that was placed before, maybe by other rules; gives its profile. It stays where it was
    /// (`recorded`, with the time from which that profile is) if that is the same person: profiles are never dissolved, and what made a profile makes it again, with an
    /// edge where the rules know somebody. `fresh` gives a new profile's id; it is told which are known.
    pub fn place_again(
        &mut self,
        event: &Event,
        seq: i64,
        (received_at, recorded): (Timestamp, Option<(i64, Timestamp)>),
        fresh: Fresh<'_>,
    ) -> Option<i64> {
        let rules = self.rules.clone();
        let Ok(mut placement) = super::place(self, event, &rules);
        let (recorded, born) = recorded.map_or((None, received_at), |(r, born)| (Some(r), born));
        let recorded_new = recorded.filter(|r| !self.nodes.contains_key(r));
        match placement.target {
            Target::Nobody => return None,
            Target::New => {
                let at = if recorded_new.is_some() { born } else { received_at };
                let id = recorded_new.unwrap_or_else(|| fresh(&|id| self.nodes.contains_key(&id)));
                return self.apply(event, &placement, seq, at, Some(id));
            }
            Target::Profile(known) => {
                if let Some(made) = recorded_new {
                    self.create(Some(made), born);
                    placement.target = Target::Profile(made);
                    placement.edges.insert(0, self.way_to(event, known));
                } else if let Some(other) = recorded.filter(|r| *r != known) {
                    let person = self.person_of(other);
                    let same = person == self.person_of(known);
                    if same || placement.edges.iter().any(|e| self.person_of(e.other) == person) {
                        placement.target = Target::Profile(other);
                        // An edge to its own person would lead nowhere: it goes to the one that was found instead.
                        for at in 0..placement.edges.len() {
                            if self.person_of(placement.edges[at].other) == person {
                                placement.edges[at].other = known;
                            }
                        }
                    }
                }
            }
        }
        self.apply(event, &placement, seq, received_at, None)
    }

    /// The first identifier of an event that leads to a profile, as a join.
    fn way_to(&self, event: &Event, profile: i64) -> Join {
        let found = event.identifiers.iter().find(|i| self.find(&i.kind, &i.value) == Some(profile));
        let (kind, value) = found.map_or(("".into(), "".into()), |i| (i.kind.clone(), i.value.clone()));
        Join { other: profile, rule: Rule::SameEvent, kind, value }
    }

    /// Whether a profile is known.
    pub fn knows(&self, profile: i64) -> bool {
        self.nodes.contains_key(&profile)
    }
    /// Whether a profile has values of its own.
    pub fn owns_any(&self, profile: i64) -> bool {
        self.nodes.get(&profile).is_some_and(|n| n.identifiers.own().next().is_some())
    }
    /// When a profile was made.
    pub fn created_at(&self, profile: i64) -> Option<Timestamp> {
        self.nodes.get(&profile).map(|n| n.created_at)
    }
    /// Makes a profile that owns nothing.
    pub fn create_bare(&mut self, profile: i64, created_at: Timestamp) {
        self.create(Some(profile), created_at);
    }

    fn apply(
        &mut self,
        event: &Event,
        placement: &Placement,
        seq: i64,
        received_at: Timestamp,
        new_id: Option<i64>,
    ) -> Option<i64> {
        let profile = match placement.target {
            Target::Nobody => return None,
            Target::Profile(profile) => profile,
            Target::New => self.create(new_id, received_at),
        };
        for at in &placement.attach {
            let identifier = &event.identifiers[*at];
            self.owners.entry_ref(&*identifier.kind).or_default().insert(identifier.value.clone(), profile);
            if let Some(node) = self.nodes.get_mut(&profile) {
                let evidence = Evidence { seq, message_id: event.message_id.clone(), at: event.timestamp };
                state::attach(&mut node.identifiers, &identifier.kind, &identifier.value, evidence);
            }
        }
        if let Some(node) = self.nodes.get_mut(&profile) {
            for identifier in &event.identifiers {
                state::see(&mut node.identifiers, &identifier.kind, &identifier.value, event.timestamp);
            }
        }
        for join in &placement.edges {
            let (kind, value) = (join.kind.clone(), join.value.clone());
            let (rule, message_id, at) = (join.rule, event.message_id.clone(), event.timestamp);
            self.edges.push(Edge { a: profile, b: join.other, rule, seq, message_id, at, kind, value });
            self.join(profile, join.other);
        }
        self.refused.extend(placement.review.iter().map(|r| ordered(r.pair.0, r.pair.1)));
        Some(profile)
    }

    fn create(&mut self, id: Option<i64>, created_at: Timestamp) -> i64 {
        let id = id.unwrap_or(self.next_profile + 1);
        self.next_profile = self.next_profile.max(id);
        self.nodes.insert(id, Node { created_at, person: id, identifiers: Identifiers::default() });
        id
    }

    fn join(&mut self, a: i64, b: i64) {
        let mut all = self.component(a);
        all.extend(self.component(b));
        self.set_person(all);
    }

    fn component(&self, profile: i64) -> Vec<i64> {
        let person = self.person_of(profile);
        self.members.get(&person).cloned().unwrap_or_else(|| vec![person])
    }

    /// Makes these profiles one person: the oldest gives the id.
    fn set_person(&mut self, mut members: Vec<i64>) {
        members.sort_unstable();
        members.dedup();
        let person = members.iter().copied().min_by_key(|m| (self.nodes.get(m).map(|n| n.created_at), *m));
        let Some(person) = person else { return };
        for member in &members {
            self.members.remove(member);
            if let Some(node) = self.nodes.get_mut(member) {
                node.person = person;
            }
        }
        if members.len() > 1 {
            self.members.insert(person, members);
        }
    }
}

/// The connected components of some profiles under some edges; edges to others are ignored.
pub fn components(profiles: &[i64], edges: impl IntoIterator<Item = (i64, i64)>) -> Vec<Vec<i64>> {
    let mut group: HashMap<i64, usize> = profiles.iter().enumerate().map(|(at, p)| (*p, at)).collect();
    let mut out: Vec<Vec<i64>> = profiles.iter().map(|p| vec![*p]).collect();
    for (a, b) in edges {
        let (Some(&x), Some(&y)) = (group.get(&a), group.get(&b)) else { continue };
        if x != y {
            let moved = std::mem::take(&mut out[y]);
            for profile in &moved {
                group.insert(*profile, x);
            }
            out[x].extend(moved);
        }
    }
    out.retain(|c| !c.is_empty());
    out.iter_mut().for_each(|c| c.sort_unstable());
    out
}
