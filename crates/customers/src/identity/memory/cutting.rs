//! What people took apart and joined, made in the graph of a replay.
use super::{Cut, Edge, MemoryGraph, components, ordered};
use crate::identity::{Graph, Rule};
use crate::model::{Evidence, Identifiers};
use crate::state;
use base::Timestamp;
use db::event::Event;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

impl MemoryGraph {
    /// Makes the cuts of one command. `history` gives, per profile, the events that are its own now, as they were logged:
    /// what a detach moves. `shown` gives what shows that a detached value is its new owner's where nobody owned it.
    pub fn cut(
        &mut self,
        cuts: &[Cut],
        at: Timestamp,
        history: &mut dyn FnMut(i64) -> Vec<Event>,
        shown: &dyn Fn(&str, &str) -> Evidence,
    ) {
        let mut touched: Vec<i64> = Vec::new();
        let mut taken: Vec<(i64, Box<str>, Box<str>, Evidence)> = Vec::new();
        for cut in cuts {
            // Bypasses stand before the edges of their command; they are made when these are gone.
            let same = match cut {
                Cut::Bypass { .. } => !self.cutting,
                Cut::Edge { a, b } => !self.bypasses.iter().any(|(x, y, _)| ordered(*x, *y) == ordered(*a, *b)),
                _ => false,
            };
            if !same {
                self.make_bypasses();
            }
            self.cutting = matches!(cut, Cut::Edge { .. });
            match cut {
                Cut::Edge { a, b } => {
                    touched.extend(self.component(*a));
                    self.edges.retain(|e| ordered(e.a, e.b) != ordered(*a, *b));
                    self.cannot_link.insert(ordered(*a, *b));
                    self.apart.push((*a, *b));
                }
                // In between stood a way; by other rules there may have been none, or another one.
                Cut::Bypass { a, b } => {
                    if self.person_of(*a) == self.person_of(*b) {
                        self.bypasses.push((*a, *b, at));
                    }
                }
                Cut::Detach { from, to, kind, value } => {
                    if !self.nodes.contains_key(to) {
                        self.create(Some(*to), at);
                    }
                    // Without a value: its owner was erased, and only the profiles are left of the detach.
                    if !value.is_empty() && !self.rules.is_blocked(kind, value) {
                        let owner = self.owners.entry_ref(&**kind).or_default().insert(value.clone(), *to);
                        if let Some(owner) = owner.filter(|o| o != from && o != to)
                            && let Some(evidence) = self.disown(owner, kind, value)
                        {
                            taken.push((*to, kind.clone(), value.clone(), evidence));
                        }
                    }
                    self.cannot_link.insert(ordered(*from, *to));
                    self.apart.push((*from, *to));
                }
                Cut::Lift { a, b } => {
                    self.cannot_link.remove(&ordered(*a, *b));
                }
                Cut::Join { a, b, rule } => {
                    let (left, right) = (self.component(*a), self.component(*b));
                    // By other rules one side may hold somebody whom the other must not meet.
                    let Ok(kept) = self.cannot_link(&left, &right);
                    if self.knows(*a) && self.knows(*b) && self.person_of(*a) != self.person_of(*b) && kept.is_none() {
                        self.edges.push(Edge::by_hand(*a, *b, *rule, at));
                        self.join(*a, *b);
                    }
                }
                Cut::Apart { a, b } => {
                    self.cannot_link.insert(ordered(*a, *b));
                    self.apart.push((*a, *b));
                }
            }
        }
        self.split(touched);
        for (from, to) in detached(cuts) {
            self.rebuild(from, to, cuts, history);
        }
        for (to, kind, value, evidence) in taken {
            if let Some(node) = self.nodes.get_mut(&to) {
                state::attach(&mut node.identifiers, &kind, &value, evidence);
            }
        }
        self.own_detached(cuts, shown);
    }

    /// Makes detached values their profile's own that were nobody's by the present rules, such as a tighter limit: somebody
    /// decided whose they are. An owner that does not own would count for no limit here, and for one in the store.
    fn own_detached(&mut self, cuts: &[Cut], shown: &dyn Fn(&str, &str) -> Evidence) {
        for cut in cuts {
            let Cut::Detach { to, kind, value, .. } = cut else { continue };
            if self.find(kind, value) != Some(*to) {
                continue;
            }
            let Some(node) = self.nodes.get_mut(to) else { continue };
            if !node.identifiers.owns(kind, value) {
                state::attach(&mut node.identifiers, kind, value, shown(kind, value));
            }
        }
    }

    /// Takes a value from a profile that owns it; its events carried it all the same.
    fn disown(&mut self, profile: i64, kind: &str, value: &str) -> Option<Evidence> {
        let identifiers = &mut self.nodes.get_mut(&profile)?.identifiers;
        let at = identifiers.position(kind, value).ok()?;
        Arc::make_mut(&mut identifiers.keys)[at].evidence.take()
    }
    /// Notes what an event carried on a profile.
    pub fn see(&mut self, profile: i64, event: &Event) {
        if let Some(node) = self.nodes.get_mut(&profile) {
            for identifier in &event.identifiers {
                state::see(&mut node.identifiers, &identifier.kind, &identifier.value, event.timestamp);
            }
        }
    }

    /// Cuts what still joins pairs that somebody took apart, the newest edge of each way first: by the rules of that time
    /// there was no such way. Called when all cuts of a moment are made, since one of them may stand for a way that another
    /// removes.
    pub fn separate_pairs(&mut self) {
        self.make_bypasses();
        self.cutting = false;
        for (a, b) in std::mem::take(&mut self.apart) {
            if self.cannot_link.contains(&ordered(a, b)) {
                self.separate(a, b);
            }
        }
    }

    /// Joins what a profile that was cut out held together, where nothing else does.
    fn make_bypasses(&mut self) {
        for (a, b, at) in std::mem::take(&mut self.bypasses) {
            if self.person_of(a) != self.person_of(b) {
                self.edges.push(Edge::by_hand(a, b, Rule::Bypass, at));
                self.join(a, b);
            }
        }
    }

    fn separate(&mut self, a: i64, b: i64) {
        while a != b && self.person_of(a) == self.person_of(b) {
            let members = self.component(a);
            let Some(newest) = self.newest_on_way(a, b) else { return };
            self.edges.remove(newest);
            self.split(members);
        }
    }

    /// The newest edge on the only way between two profiles.
    fn newest_on_way(&self, a: i64, b: i64) -> Option<usize> {
        let mut came: HashMap<i64, Option<(i64, usize)>> = HashMap::from([(a, None)]);
        let mut queue = std::collections::VecDeque::from([a]);
        let members: HashSet<i64> = self.component(a).into_iter().collect();
        let within: Vec<(usize, &Edge)> =
            self.edges.iter().enumerate().filter(|(_, e)| members.contains(&e.a) && members.contains(&e.b)).collect();
        while let Some(at) = queue.pop_front() {
            for (index, edge) in &within {
                let next = match (edge.a == at, edge.b == at) {
                    (true, _) => edge.b,
                    (_, true) => edge.a,
                    _ => continue,
                };
                if !came.contains_key(&next) {
                    came.insert(next, Some((at, *index)));
                    queue.push_back(next);
                }
            }
        }
        let (mut at, mut newest) = (b, None);
        while let Some(Some((from, index))) = came.get(&at).copied() {
            newest = newest.max(Some(index));
            at = from;
        }
        newest
    }

    /// Finds people anew among the given profiles.
    pub(super) fn split(&mut self, mut left: Vec<i64>) {
        left.sort_unstable();
        left.dedup();
        for component in components(&left, self.edges.iter().map(|e| (e.a, e.b))) {
            for member in &component {
                self.members.remove(member);
            }
            self.set_person(component);
        }
    }

    fn rebuild(&mut self, from: i64, to: i64, cuts: &[Cut], history: &mut dyn FnMut(i64) -> Vec<Event>) {
        let Some(old) = self.nodes.get(&from).map(|n| n.identifiers.clone()) else { return };
        let moves = |kind: &str, value: &str| {
            cuts.iter().any(|c| matches!(c, Cut::Detach { from: f, kind: k, value: v, .. } if *f == from && **k == *kind && **v == *value))
        };
        let mut sides = [(from, Identifiers::default()), (to, Identifiers::default())];
        for (key, evidence, _) in old.own() {
            let side = usize::from(moves(&key.kind, &key.value));
            state::attach(&mut sides[side].1, &key.kind, &key.value, evidence.clone());
        }
        for event in history(from) {
            let side = usize::from(event.identifiers.first().is_some_and(|i| moves(&i.kind, &i.value)));
            for identifier in &event.identifiers {
                state::see(&mut sides[side].1, &identifier.kind, &identifier.value, event.timestamp);
            }
        }
        for (profile, identifiers) in sides {
            if let Some(node) = self.nodes.get_mut(&profile) {
                node.identifiers = identifiers;
            }
        }
    }
}

fn detached(cuts: &[Cut]) -> Vec<(i64, i64)> {
    let mut out: Vec<(i64, i64)> = cuts
        .iter()
        .filter_map(|c| if let Cut::Detach { from, to, .. } = c { Some((*from, *to)) } else { None })
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}
