//! Decides the identities of a log again, cuts included: what `doctor` compares a store with, and what a re-run after a change
//! of rules brings it to.
use crate::doctor::{Facts, Finding, Placed, error};
use crate::identity::memory::{Cut, Edge, MemoryGraph};
use crate::model::Evidence;
use crate::rules::Rules;
use base::Timestamp;
use db::event::Event;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// Kind and value of an event's highest-priority identifier.
type First = (Box<str>, Box<str>);

/// An event that is to be elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    pub seq: i64,
    /// Where it is now; 0 = nobody's.
    pub from: i64,
    pub to: i64,
}

/// An event of a profile that will be divided.
#[derive(Debug)]
struct Held {
    seq: i64,
    live: i64,
    /// The identifier that decides where it goes; none for events about a profile.
    first: Option<First>,
    /// Kept where the value's owner may be another one by then than the profile that it was detached from.
    event: Option<Box<Event>>,
}

/// Decides the identities of a log again, cuts included.
pub struct Replay {
    pub graph: MemoryGraph,
    cuts: std::collections::VecDeque<(i64, Timestamp, Cut)>,
    /// Events of profiles that will be divided, as they are theirs now.
    history: HashMap<i64, Vec<Event>>,
    divided: HashSet<i64>,
    /// Values that will be detached: from which profiles and to which.
    detached: HashMap<First, Vec<(i64, i64)>>,
    /// The first event of the log that carried each of them, whether it was believed or not.
    carried: HashMap<First, Evidence>,
    /// Profiles that a detach made: nothing else makes them.
    made: HashSet<i64>,
    /// The same events by profile, briefly.
    held: HashMap<i64, Vec<Held>>,
    /// Events that name nobody by the present rules, by the profile that they were logged with.
    bare: HashMap<i64, (Timestamp, Vec<(i64, i64)>)>,
    /// Where every event is, if somebody wants to know.
    places: Option<Vec<(i64, i64)>>,
    moves: Vec<Move>,
    fresh: Box<dyn FnMut() -> i64 + Send>,
    /// Profiles that the log does not name, with the events that made them.
    given: HashMap<i64, i64>,
    /// Those of them that have events.
    lived_in: HashSet<i64>,
    /// Profiles that earlier re-runs made, by the event that made them.
    stored: HashMap<i64, i64>,
    /// Since when those are, as far as the log was read.
    born: HashMap<i64, Timestamp>,
}

/// Numbers that no profile has, for replays that only look.
pub fn unused_ids() -> Box<dyn FnMut() -> i64 + Send> {
    let mut next = i64::MAX / 2;
    Box::new(move || {
        next += 1;
        next
    })
}

impl Replay {
    /// Begins with the cuts that will be made on the way. `fresh` gives ids for profiles that the log does not name.
    pub fn new(facts: &Facts, rules: Arc<Rules>, fresh: Box<dyn FnMut() -> i64 + Send>) -> Self {
        let detach = |c: &Cut| if let Cut::Detach { from, to, .. } = c { Some((*from, *to)) } else { None };
        let (divided, made) = facts.cuts.iter().filter_map(|(.., c)| detach(c)).unzip();
        let mut detached: HashMap<First, Vec<(i64, i64)>> = HashMap::new();
        for (.., cut) in &facts.cuts {
            if let Cut::Detach { from, to, kind, value } = cut {
                detached.entry((kind.clone(), value.clone())).or_default().push((*from, *to));
            }
        }
        Self {
            detached,
            carried: HashMap::new(),
            graph: MemoryGraph::with_rules(rules),
            cuts: facts.cuts.iter().cloned().collect(),
            history: HashMap::new(),
            divided,
            made,
            held: HashMap::new(),
            bare: HashMap::new(),
            places: None,
            moves: Vec::new(),
            fresh,
            given: HashMap::new(),
            stored: facts.made.clone(),
            born: HashMap::new(),
            lived_in: HashSet::new(),
        }
    }

    /// Remembers where every event is.
    pub fn keeping_places(mut self) -> Self {
        self.places = Some(Vec::new());
        self
    }

    /// The next event of the log, in order of seq.
    pub fn event(&mut self, placed: &Placed) {
        self.cut_before(placed.seq);
        self.note_carried(placed);
        let live = placed.live_id;
        let recorded = Some(self.before_detaches(placed)).filter(|r| *r != 0);
        let profile = match placed.event.profile_id {
            // An event about a profile is no evidence of identity.
            Some(profile) => recorded.map(|_| profile),
            None => self.place(placed, recorded),
        };
        let Some(profile) = profile else {
            match recorded {
                Some(r) => {
                    let bare = self.bare.entry(r).or_insert((placed.received_at, Vec::new()));
                    bare.1.push((placed.seq, live));
                }
                None => self.settle(placed.seq, live, 0),
            }
            return;
        };
        let divided = self.divided.contains(&profile);
        if !divided && self.detached.is_empty() {
            return self.settle(placed.seq, live, profile);
        }
        let first = placed.event.identifiers.first().filter(|_| placed.event.profile_id.is_none());
        let first = first.map(|i| (i.kind.clone(), i.value.clone()));
        if divided {
            self.history.entry(profile).or_default().push(placed.event.clone());
        } else if !first.as_ref().is_some_and(|f| self.detached.contains_key(f)) {
            return self.settle(placed.seq, live, profile);
        }
        let event = (!divided).then(|| Box::new(placed.event.clone()));
        self.held.entry(profile).or_default().push(Held { seq: placed.seq, live, first, event });
    }

    fn note_carried(&mut self, placed: &Placed) {
        if self.carried.len() == self.detached.len() {
            return;
        }
        let Placed { seq, event, .. } = placed;
        for identifier in &event.identifiers {
            let value = (identifier.kind.clone(), identifier.value.clone());
            if self.detached.contains_key(&value) {
                let evidence = || Evidence { seq: *seq, message_id: event.message_id.clone(), at: event.timestamp };
                self.carried.entry(value).or_insert_with(evidence);
            }
        }
    }

    /// Where an event was before detaches moved it. Where an earlier re-run put it it stays if it can, so that no profile is
    /// left empty; what a detach moved is moved by the detach again.
    fn before_detaches(&self, placed: &Placed) -> i64 {
        let Placed { profile_id: logged, live_id, event, .. } = placed;
        let mut at = if *live_id == 0 { *logged } else { *live_id };
        if !self.made.contains(&at) {
            return at;
        }
        let first = event.identifiers.first().map(|i| (i.kind.clone(), i.value.clone()));
        let steps = first.and_then(|f| self.detached.get(&f)).map_or(&[][..], Vec::as_slice);
        while at != *logged && self.made.contains(&at) {
            let Some((from, _)) = steps.iter().find(|(_, to)| *to == at) else { return *logged };
            at = *from;
        }
        at
    }

    fn place(&mut self, placed: &Placed, recorded: Option<i64>) -> Option<i64> {
        let before = self.stored.get(&placed.seq).copied();
        if let Some(made) = before {
            self.born.insert(made, placed.received_at);
        }
        // A profile is as old as the first event that was logged with it, whether that names somebody by now or not, or as the
        // event for which a re-run made it.
        let bare = |r: i64| self.bare.get(&r).map(|(at, _)| *at);
        let born = |r: i64| self.born.get(&r).copied().or_else(|| bare(r)).unwrap_or(placed.received_at);
        let recorded = recorded.map(|r| (r, born(r)));
        // Its own profile is somebody else's by now: it makes one. If an earlier re-run made one for it, that one.
        let (fresh, given) = (&mut self.fresh, &mut self.given);
        let mut give = |knows: &dyn Fn(i64) -> bool| {
            let id = before.filter(|id| !knows(*id)).unwrap_or_else(&mut *fresh);
            given.insert(id, placed.seq);
            id
        };
        self.graph.place_again(&placed.event, placed.seq, (placed.received_at, recorded), &mut give)
    }

    fn settle(&mut self, seq: i64, live: i64, profile: i64) {
        if self.given.contains_key(&profile) {
            self.lived_in.insert(profile);
        }
        if live != profile {
            self.moves.push(Move { seq, from: live, to: profile });
        }
        if let Some(places) = &mut self.places {
            places.push((seq, profile));
        }
    }

    fn cut_before(&mut self, seq: i64) {
        while self.cuts.front().is_some_and(|(at, ..)| *at <= seq) {
            let mut cuts = Vec::new();
            let Some((position, at, first)) = self.cuts.pop_front() else { return };
            cuts.push(first);
            // The values of one detach are moved together.
            while let (Some(Cut::Detach { from, to, .. }), Some((_, _, Cut::Detach { from: f, to: t, .. }))) =
                (cuts.last(), self.cuts.front())
                && (from, to) == (f, t)
                && let Some((.., next)) = self.cuts.pop_front()
            {
                cuts.push(next);
            }
            let owners = self.owners_now(&cuts);
            let (history, carried) = (&self.history, &self.carried);
            let mut history = |profile| history.get(&profile).cloned().unwrap_or_default();
            // Where no event of the log carries it, as the present rules read them, only the cut itself says so.
            let by_hand = || Evidence { seq: position, message_id: "".into(), at };
            let shown =
                |kind: &str, value: &str| carried.get(&(kind.into(), value.into())).cloned().unwrap_or_else(by_hand);
            self.graph.cut(&cuts, at, &mut history, &shown);
            self.divide(&cuts);
            for owner in owners {
                self.divide_other(owner, &cuts);
            }
        }
        self.graph.separate_pairs();
    }

    /// Who owns the values of a detach now, besides the profile that they were detached from: by other rules they may have
    /// come to another one.
    fn owners_now(&self, cuts: &[Cut]) -> Vec<i64> {
        let other = |cut: &Cut| match cut {
            Cut::Detach { from, to, kind, value } => {
                self.graph.find(kind, value).filter(|owner| owner != from && owner != to)
            }
            _ => None,
        };
        let mut out: Vec<i64> = cuts.iter().filter_map(other).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Moves the events of detached values from a profile that owned them only by the present rules.
    fn divide_other(&mut self, owner: i64, cuts: &[Cut]) {
        let Some(Cut::Detach { to, .. }) = cuts.first() else { return };
        let moves = |(k, v): &First| {
            cuts.iter().any(|c| matches!(c, Cut::Detach { kind, value, .. } if kind == k && value == v))
        };
        let held = self.held.remove(&owner).unwrap_or_default();
        let (went, stayed): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|h: &Held| h.first.as_ref().is_some_and(moves));
        self.held.insert(owner, stayed);
        for event in went.iter().filter_map(|h| h.event.as_deref()) {
            self.graph.see(*to, event);
            if self.divided.contains(to) {
                self.history.entry(*to).or_default().push(event.clone());
            }
        }
        self.held.entry(*to).or_default().extend(went);
    }

    fn divide(&mut self, cuts: &[Cut]) {
        let Some(Cut::Detach { from, to, .. }) = cuts.first() else { return };
        let moves = |k: &str, v: &str| {
            cuts.iter().any(|c| matches!(c, Cut::Detach { kind, value, .. } if **kind == *k && **value == *v))
        };
        let goes = |first: Option<(&str, &str)>| first.is_some_and(|(k, v)| moves(k, v));
        let events = self.history.remove(from).unwrap_or_default();
        let first =
            |e: &Event| goes(e.identifiers.first().filter(|_| e.profile_id.is_none()).map(|i| (&*i.kind, &*i.value)));
        let (moved, kept): (Vec<Event>, Vec<Event>) = events.into_iter().partition(first);
        self.history.insert(*from, kept);
        let held = self.held.remove(from).unwrap_or_default();
        let (went, stayed): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|h| goes(h.first.as_ref().map(|(k, v)| (&**k, &**v))));
        self.held.insert(*from, stayed);
        // What is divided again later must know its past; the rest has its place.
        if self.divided.contains(to) {
            self.history.entry(*to).or_default().extend(moved);
        }
        self.held.entry(*to).or_default().extend(went);
    }

    /// The end of the log: makes the last cuts and gives the events that are to be elsewhere, by seq.
    pub fn finish(&mut self) -> Vec<Move> {
        self.cut_before(i64::MAX);
        for (profile, held) in std::mem::take(&mut self.held) {
            for Held { seq, live, .. } in held {
                self.settle(seq, live, profile);
            }
        }
        for (profile, (born, events)) in std::mem::take(&mut self.bare) {
            // Nobody's; but of a profile that has nothing else they are all that it is.
            let mine = if self.graph.knows(profile) && self.graph.owns_any(profile) { 0 } else { profile };
            if mine != 0 && !self.graph.knows(profile) {
                self.graph.create_bare(profile, born);
            }
            for (seq, live) in events {
                self.settle(seq, live, mine);
            }
        }
        // Made on the way, and everything it had was detached since: it need not be. What is in the store stays.
        let stored: HashSet<i64> = self.stored.values().copied().collect();
        let mut empty: Vec<i64> = self.given.keys().copied().collect();
        empty.retain(|p| !self.lived_in.contains(p) && !stored.contains(p) && !self.graph.owns_any(*p));
        empty.sort_unstable();
        for profile in empty {
            self.graph.prune(profile);
            self.given.remove(&profile);
        }
        for profile in stored {
            if !self.graph.knows(profile) {
                self.graph.create_bare(profile, Timestamp::default());
            }
        }
        self.moves.sort_unstable();
        if let Some(places) = &mut self.places {
            places.sort_unstable();
        }
        std::mem::take(&mut self.moves)
    }

    /// Profiles that it made and the log does not name, with the events that made them.
    pub fn given(&self) -> &HashMap<i64, i64> {
        &self.given
    }

    /// Where every event is, by seq; empty unless it was asked for.
    pub fn places(&mut self) -> Vec<(i64, i64)> {
        self.places.take().unwrap_or_default()
    }

    /// Compares what was decided again with the facts: places of events, owners of identifiers, people of profiles.
    pub fn compare(&mut self, facts: &Facts, moves: &[Move]) -> Vec<Difference> {
        let mut out: Vec<Difference> = Vec::new();
        let one = |check: &'static str, subject: &dyn std::fmt::Display, detail: String, profiles: Vec<i64>| {
            Difference { finding: error(check, subject, detail), profiles }
        };
        for Move { seq, from, to } in moves {
            let detail = format!("it is with profile {from}, decided again with {to} (0 is nobody)");
            out.push(one("identity.replay", &format!("event {seq}"), detail, vec![*from, *to]));
        }
        let mut decided: HashMap<(&str, &str), i64> = self.graph.owned().map(|(k, v, p)| ((k, v), p)).collect();
        for (kind, value, profile) in &facts.owners {
            let again = decided.remove(&(&**kind, &**value));
            if again != Some(*profile) {
                let detail = format!("a value stands on profile {profile}, decided again: {again:?}");
                out.push(one("identity.owner", kind, detail, vec![*profile, again.unwrap_or(0)]));
            }
        }
        for ((kind, _), profile) in decided {
            out.push(one("identity.owner", &kind, format!("a value of profile {profile} is missing"), vec![profile]));
        }
        out.extend(self.compare_edges(&facts.edges));
        let mut again: HashMap<i64, i64> = self.graph.profiles().into_iter().collect();
        for (profile, (person, _)) in &facts.profiles {
            let decided = again.remove(profile);
            if decided != Some(*person) {
                let detail = format!("belongs to person {person}, decided again: {decided:?}");
                out.push(one("identity.person", profile, detail, vec![*profile, *person, decided.unwrap_or(0)]));
            }
        }
        let missing = |p: &i64| one("identity.person", p, "the profile is missing".into(), vec![*p]);
        out.extend(again.keys().map(missing));
        out
    }

    /// Profiles with their people, as they were decided again.
    pub fn people(&self) -> Vec<(i64, i64)> {
        self.graph.profiles()
    }

    fn compare_edges(&self, stored: &[(i64, i64, Box<str>)]) -> Vec<Difference> {
        let (missing, extra) = edge_difference(&self.graph, stored);
        let one = |a: i64, b: i64, rule: &str, said: &str| Difference {
            finding: error("identity.edge", format!("{a} and {b}"), format!("an edge ({rule}) {said}")),
            profiles: vec![a, b],
        };
        let mut out: Vec<Difference> = missing
            .iter()
            .map(|e| one(e.a.min(e.b), e.a.max(e.b), e.rule.as_str(), "is missing"))
            .chain(extra.iter().map(|(a, b, rule)| one(*a, *b, rule, "is stored, and the log does not say it")))
            .collect();
        out.sort_by(|x, y| (&x.finding.subject, &x.finding.detail).cmp(&(&y.finding.subject, &y.finding.detail)));
        out
    }
}

/// Something that was decided again in another way, with the profiles that it is about.
#[derive(Debug, Clone)]
pub struct Difference {
    pub finding: Finding,
    pub profiles: Vec<i64>,
}

/// A stored edge: the smaller profile, the other, the rule.
pub type StoredEdge = (i64, i64, Box<str>);

/// Edges that were decided and are not stored, and stored ones that were not decided.
pub fn edge_difference<'g>(graph: &'g MemoryGraph, stored: &[StoredEdge]) -> (Vec<&'g Edge>, Vec<StoredEdge>) {
    let mut balance: HashMap<(i64, i64, &str), i64> = HashMap::new();
    for (a, b, rule) in stored {
        *balance.entry((*a, *b, &**rule)).or_default() += 1;
    }
    let mut missing = Vec::new();
    for edge in graph.edges() {
        let left = balance.entry((edge.a.min(edge.b), edge.a.max(edge.b), edge.rule.as_str())).or_default();
        if *left > 0 {
            *left -= 1;
        } else {
            missing.push(edge);
        }
    }
    let mut extra = Vec::new();
    for ((a, b, rule), left) in balance {
        extra.extend((0..left).map(|_| (a, b, Box::from(rule))));
    }
    extra.sort_unstable();
    (missing, extra)
}
