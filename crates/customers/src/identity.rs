//! Which profile an event belongs to, and what it joins: pure rules over a [`Graph`], the same in the writer, in a replay
//! and on plain files.
//!
//! None of the event's identifiers is known: a new profile with all of them. One profile: it gets the new ones. Several: the
//! event goes to the profile of its highest-priority identifier, and an edge with its evidence joins each other person.
//! Where a limit would be exceeded the lowest-priority identifier is left out and all is tried again. Two profiles that
//! cannot be linked never come into one person, by whatever path.
use crate::rules::Rules;
use base::Timestamp;
use db::event::{Event, EventKind, Identifier};

pub mod memory;
#[cfg(test)]
mod tests;

/// A value as a profile's events carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub value: Box<str>,
    /// Whether the profile owns it; otherwise its events merely carried it.
    pub own: bool,
    pub last: Timestamp,
}

/// What the rules ask of whoever knows the profiles.
pub trait Graph {
    type Error;
    /// The profile that owns an identifier.
    fn owner(&mut self, identifier: &Identifier) -> Result<Option<i64>, Self::Error>;
    /// The same for a value that is no identifier of the event.
    fn named(&mut self, kind: &str, value: &str) -> Result<Option<i64>, Self::Error>;
    /// The person of a profile.
    fn person(&mut self, profile: i64) -> Result<i64, Self::Error>;
    /// The profiles of a person, itself included.
    fn members(&mut self, person: i64) -> Result<Vec<i64>, Self::Error>;
    /// Calls `see` with every value that a profile's events carried, own or not, with its kind.
    fn sightings(&mut self, profile: i64, see: &mut dyn FnMut(&str, Sighting)) -> Result<(), Self::Error>;
    /// A pair, one of each side, that cannot be linked.
    fn cannot_link(&mut self, a: &[i64], b: &[i64]) -> Result<Option<(i64, i64)>, Self::Error>;
}

/// Where an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    New,
    Profile(i64),
    /// It carries no identifier: it belongs to its place, not to a person.
    Nobody,
}

/// Why an edge is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// One event carried identifiers of both.
    SameEvent,
    /// An `alias` call said so.
    Alias,
    /// Both were joined to a profile that was cut out from between them.
    Bypass,
    /// Somebody joined two people by hand.
    Manual,
    /// Somebody joined two people that the review queue showed.
    Review,
    /// Two lists without a shared key were found to name one person.
    Resolve,
}

impl Rule {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::SameEvent => "same_event",
            Rule::Alias => "alias",
            Rule::Bypass => "bypass",
            Rule::Manual => "manual",
            Rule::Review => "review",
            Rule::Resolve => "resolve",
        }
    }
    /// Whether somebody made it, not events.
    pub fn is_by_hand(self) -> bool {
        matches!(self, Rule::Manual | Rule::Review | Rule::Resolve)
    }
    /// The inverse of [`Rule::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Rule::SameEvent, Rule::Alias, Rule::Bypass, Rule::Manual, Rule::Review, Rule::Resolve];
        all.into_iter().find(|r| r.as_str() == text)
    }
}

/// A join of the event's profile with another one, and the identifier of that one which says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    pub other: i64,
    pub rule: Rule,
    pub kind: Box<str>,
    pub value: Box<str>,
}

/// A join that is not made because it would bring `pair` into one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub join: Join,
    pub pair: (i64, i64),
}

/// What is to be done with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub target: Target,
    /// Identifiers, by position in the event, that become the target's own.
    pub attach: Vec<usize>,
    /// Edges between the target and others; every one joins two people that were apart.
    pub edges: Vec<Join>,
    /// How many of the event's identifiers, from the end, were left out.
    pub demoted: usize,
    /// Joins for a person to look at.
    pub review: Vec<Refused>,
}

impl Placement {
    /// Nothing is to be written besides the event: what nearly every event gets.
    pub fn is_plain(&self) -> bool {
        self.target != Target::New
            && self.attach.is_empty()
            && self.edges.is_empty()
            && self.demoted == 0
            && self.review.is_empty()
    }
    fn plain(target: Target) -> Self {
        Self { target, attach: Vec::new(), edges: Vec::new(), demoted: 0, review: Vec::new() }
    }
}

/// So many distinct values of a kind a person may have within a window; without a window, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub count: usize,
    pub window_us: Option<i64>,
}

/// Decides where an event goes.
pub fn place<G: Graph>(graph: &mut G, event: &Event, rules: &Rules) -> Result<Placement, G::Error> {
    if let Some(profile) = event.profile_id {
        return Ok(Placement::plain(Target::Profile(profile)));
    }
    let Some(first) = event.identifiers.first() else { return Ok(Placement::plain(Target::Nobody)) };
    let mut owners = Vec::with_capacity(event.identifiers.len());
    owners.push(graph.owner(first)?);
    for identifier in &event.identifiers[1..] {
        owners.push(graph.owner(identifier)?);
    }
    let mut placement = match owners[0] {
        // Nearly every event: everything it carries is known and in one place.
        Some(profile) if owners.iter().all(|o| *o == Some(profile)) => Placement::plain(Target::Profile(profile)),
        _ => place_limited(graph, event, &owners, rules)?,
    };
    if event.kind == EventKind::Alias {
        add_alias(graph, event, &mut placement)?;
    }
    Ok(placement)
}

/// Tries with all identifiers, then without the lowest, until no limit is exceeded. One identifier alone never exceeds one.
fn place_limited<G: Graph>(
    graph: &mut G,
    event: &Event,
    owners: &[Option<i64>],
    rules: &Rules,
) -> Result<Placement, G::Error> {
    for live in (1..=owners.len()).rev() {
        let attempt = attempt(graph, event, &owners[..live])?;
        if live == 1 || !exceeds(graph, event, &attempt, rules)? {
            return Ok(Placement { demoted: owners.len() - live, ..attempt.placement });
        }
    }
    Ok(Placement::plain(Target::Nobody))
}

struct Attempt {
    placement: Placement,
    /// The people that would become one, each with its profiles; the target's first, none for a new profile.
    parts: Vec<Vec<i64>>,
}

fn attempt<G: Graph>(graph: &mut G, event: &Event, owners: &[Option<i64>]) -> Result<Attempt, G::Error> {
    let mut placement = Placement::plain(Target::New);
    placement.attach = owners.iter().enumerate().filter(|(_, o)| o.is_none()).map(|(at, _)| at).collect();
    let Some(target) = owners.iter().flatten().next().copied() else {
        return Ok(Attempt { placement, parts: Vec::new() });
    };
    placement.target = Target::Profile(target);
    let person = graph.person(target)?;
    let mut decided = vec![person];
    let mut parts = vec![graph.members(person)?];
    for (at, owner) in owners.iter().enumerate() {
        let Some(other) = *owner else { continue };
        let person = graph.person(other)?;
        if decided.contains(&person) {
            continue;
        }
        decided.push(person);
        let identifier = &event.identifiers[at];
        let (kind, value) = (identifier.kind.clone(), identifier.value.clone());
        let join = Join { other, rule: Rule::SameEvent, kind, value };
        let members = graph.members(person)?;
        match graph.cannot_link(&parts.concat(), &members)? {
            Some(pair) => placement.review.push(Refused { join, pair }),
            None => {
                placement.edges.push(join);
                parts.push(members);
            }
        }
    }
    Ok(Attempt { placement, parts })
}

/// Whether the person that would result has too many values of some kind because of this event. What was above a limit
/// before, through an alias, stays as it is and keeps nothing else out.
fn exceeds<G: Graph>(graph: &mut G, event: &Event, attempt: &Attempt, rules: &Rules) -> Result<bool, G::Error> {
    let Placement { attach, edges, .. } = &attempt.placement;
    if attach.is_empty() && edges.is_empty() {
        return Ok(false);
    }
    // A new profile with one value of each kind: no limit is below one.
    let repeated =
        |at: &usize| attach.iter().any(|b| b != at && event.identifiers[*b].kind == event.identifiers[*at].kind);
    if attempt.parts.is_empty() && !attach.iter().any(repeated) {
        return Ok(false);
    }
    let mut parts: Vec<Values> = Vec::with_capacity(attempt.parts.len());
    for members in &attempt.parts {
        let mut values = Values::default();
        for member in members {
            graph.sightings(*member, &mut |kind, sighting| values.see(kind, sighting))?;
        }
        parts.push(values);
    }
    let mut all = Values::default();
    for part in &parts {
        part.0.iter().for_each(|(kind, s)| all.see(kind, s.clone()));
    }
    for at in attach {
        let identifier = &event.identifiers[*at];
        all.see(&identifier.kind, Sighting { value: identifier.value.clone(), own: true, last: event.timestamp });
    }
    // The event itself is the last one that carries what it carries.
    for identifier in &event.identifiers {
        all.touch(&identifier.kind, &identifier.value, event.timestamp);
    }
    let mut kinds: Vec<&str> = all.0.iter().map(|(kind, _)| &**kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        // Without a join only what is attached can make a kind grow.
        if edges.is_empty() && !attach.iter().any(|at| *event.identifiers[*at].kind == *kind) {
            continue;
        }
        for limit in rules.limits(kind) {
            let after = all.count(kind, *limit, event.timestamp);
            let before = parts.iter().map(|p| p.count(kind, *limit, event.timestamp)).max().unwrap_or(0);
            if after > limit.count && after > before {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Distinct values by kind, each with its last event.
#[derive(Default)]
struct Values(Vec<(Box<str>, Sighting)>);

impl Values {
    fn find(&mut self, kind: &str, value: &str) -> Option<&mut Sighting> {
        self.0.iter_mut().find(|(k, s)| **k == *kind && *s.value == *value).map(|(_, s)| s)
    }
    fn see(&mut self, kind: &str, new: Sighting) {
        match self.find(kind, &new.value) {
            Some(known) => {
                known.own |= new.own;
                known.last = known.last.max(new.last);
            }
            None => self.0.push((kind.into(), new)),
        }
    }
    fn touch(&mut self, kind: &str, value: &str, at: Timestamp) {
        if let Some(known) = self.find(kind, value) {
            known.last = known.last.max(at);
        }
    }
    fn count(&self, kind: &str, limit: Limit, now: Timestamp) -> usize {
        let within = |last: Timestamp| limit.window_us.is_none_or(|w| now.plus(-w) < last && last <= now);
        self.0.iter().filter(|(k, s)| **k == *kind && s.own && within(s.last)).count()
    }
}

/// `alias`: the former id is looked up as `user_id`, then as `anonymous_id`. Over the limits, never over a `cannot-link`.
fn add_alias<G: Graph>(graph: &mut G, event: &Event, placement: &mut Placement) -> Result<(), G::Error> {
    let Some(previous) = &event.previous_id else { return Ok(()) };
    let mut found = None;
    for kind in ["user_id", "anonymous_id"] {
        if let Some(owner) = graph.named(kind, previous)? {
            found = Some((kind, owner));
            break;
        }
    }
    let Some((kind, other)) = found else { return Ok(()) };
    let person = graph.person(other)?;
    let mut joined = Vec::new();
    let sides = match placement.target {
        Target::Profile(target) => Some(target),
        _ => None,
    };
    for side in sides.into_iter().chain(placement.edges.iter().map(|e| e.other)) {
        let side = graph.person(side)?;
        if side == person {
            return Ok(());
        }
        joined.extend(graph.members(side)?);
    }
    let join = Join { other, rule: Rule::Alias, kind: kind.into(), value: previous.clone() };
    let members = graph.members(person)?;
    match graph.cannot_link(&joined, &members)? {
        Some(pair) => placement.review.push(Refused { join, pair }),
        None => placement.edges.push(join),
    }
    Ok(())
}
