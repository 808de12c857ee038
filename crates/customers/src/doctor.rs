//! Checks of what is stored against what it was made of. Pure comparisons and reads in one snapshot; who calls them brings
//! the events of the log.
use crate::commands::index_name;
use crate::counters::CounterSet;
use crate::cuts::own_identifiers;
use crate::identity::memory::{Cut, MemoryGraph};
use crate::model::{Identifiers, Profile, State};
use crate::profiles::Read;
use crate::state;
use base::Timestamp;
use db::event::Event;
use db::{DbError, Engine};
use hashbrown::{HashMap, HashSet};

#[cfg(test)]
mod tests;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// An invariant is broken.
    Error,
    /// A person must act.
    Warning,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub severity: Severity,
    pub subject: String,
    pub detail: String,
}

fn error(check: &'static str, subject: impl ToString, detail: impl Into<String>) -> Finding {
    Finding { check, severity: Severity::Error, subject: subject.to_string(), detail: detail.into() }
}

/// An event of the log with where it was placed when it was logged.
#[derive(Debug, Clone)]
pub struct Placed {
    pub seq: i64,
    pub source: i64,
    pub received_at: Timestamp,
    /// 0 = nowhere.
    pub profile_id: i64,
    pub event: Event,
}

/// What the facts and rows say of identity, read in one snapshot. Rows must be flushed or re-folded before.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Kind, value, owner.
    pub owners: Vec<(Box<str>, Box<str>, i64)>,
    /// Person and creation by profile.
    pub profiles: HashMap<i64, (i64, Timestamp)>,
    /// Edges that are there: the smaller profile, the other, the rule.
    pub edges: Vec<(i64, i64, Box<str>)>,
    /// Cuts with the seq before which they were made, in order.
    pub cuts: Vec<(i64, Timestamp, Cut)>,
}

/// Reads identity's facts.
pub fn read_facts(db: &mut Engine) -> Result<Facts, DbError> {
    let mut facts = Facts::default();
    db.each("SELECT kind, value, profile_id FROM identifiers", &[], &mut |r| {
        facts.owners.push((r.text(0)?.into(), r.text(1)?.into(), r.int(2)?));
        Ok(true)
    })?;
    each_profile(db, &mut |id, profile| {
        facts.profiles.insert(id, (profile.person, profile.created_at));
        Ok(())
    })?;
    db.each("SELECT a, b, rule FROM edges WHERE removed_at = 0", &[], &mut |r| {
        let (a, b) = (r.int(0)?, r.int(1)?);
        facts.edges.push((a.min(b), a.max(b), r.text(2)?.into()));
        Ok(true)
    })?;
    for r in db.rows("SELECT seq, at, rule, a, b, kind, value FROM identity_cuts ORDER BY id", &[])? {
        let (a, b) = (r.int(3)?, r.int(4)?);
        let cut = match r.text(2)? {
            "edge" => Cut::Edge { a, b },
            "bypass" => Cut::Bypass { a, b },
            "detach" => Cut::Detach { from: a, to: b, kind: r.text(5)?.into(), value: r.text(6)?.into() },
            other => return Err(DbError::damaged("identity_cuts", format!("rule {other:?}"))),
        };
        facts.cuts.push((r.int(0)?, Timestamp::from_micros(r.int(1)?), cut));
    }
    Ok(facts)
}

/// Visits every profile's row, in pieces, by id.
pub fn each_profile(
    db: &mut Engine,
    visit: &mut dyn FnMut(i64, Profile) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let mut from = i64::MIN;
    loop {
        let rows = db.rows(
            "SELECT profile_id, state, folded_to FROM profiles WHERE profile_id > $1 ORDER BY profile_id LIMIT 1000",
            &[from.into()],
        )?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = last.int(0)?;
        for row in &rows {
            visit(row.int(0)?, crate::codec::decode(row.blob(1)?, row.int(2)?)?)?;
        }
    }
}

/// Kind and value of an event's highest-priority identifier.
type First = (Box<str>, Box<str>);

/// Decides the identities of a log again, cuts included.
#[derive(Debug, Default)]
pub struct Replay {
    pub graph: MemoryGraph,
    cuts: std::collections::VecDeque<(i64, Timestamp, Cut)>,
    /// Events of profiles that will be divided, as they are theirs now.
    history: HashMap<i64, Vec<Event>>,
    divided: HashSet<i64>,
    /// Where each event is now: seq and profile.
    pub places: Vec<(i64, i64)>,
    /// The same events by seq, with the identifier that decides where they go.
    moves: HashMap<i64, Vec<(i64, Option<First>)>>,
    findings: Vec<Finding>,
}

impl Replay {
    /// Begins with the cuts that will be made on the way.
    pub fn new(facts: &Facts) -> Self {
        let divided =
            facts.cuts.iter().filter_map(|(.., c)| if let Cut::Detach { from, .. } = c { Some(*from) } else { None });
        Self { divided: divided.collect(), cuts: facts.cuts.iter().cloned().collect(), ..Self::default() }
    }

    /// The next event of the log, in order of seq.
    pub fn event(&mut self, placed: &Placed) {
        self.cut_before(placed.seq);
        let recorded = (placed.profile_id != 0).then_some(placed.profile_id);
        // An event about a profile is no evidence of identity.
        let profile = match placed.event.profile_id {
            Some(profile) => recorded.map(|_| profile),
            None => self.graph.place(&placed.event, placed.seq, placed.received_at, recorded),
        };
        if profile != recorded {
            let detail = format!("logged with profile {recorded:?}, decided again as {profile:?}");
            self.findings.push(error("identity.replay", format!("event {}", placed.seq), detail));
        }
        let Some(profile) = profile else { return };
        if self.divided.contains(&profile) {
            self.history.entry(profile).or_default().push(placed.event.clone());
            let first = placed.event.identifiers.first().filter(|_| placed.event.profile_id.is_none());
            let first = first.map(|i| (i.kind.clone(), i.value.clone()));
            self.moves.entry(profile).or_default().push((placed.seq, first));
        } else {
            self.places.push((placed.seq, profile));
        }
    }

    fn cut_before(&mut self, seq: i64) {
        while self.cuts.front().is_some_and(|(at, ..)| *at <= seq) {
            let mut cuts = Vec::new();
            let Some((_, at, first)) = self.cuts.pop_front() else { return };
            cuts.push(first);
            // The values of one detach are moved together.
            while let (Some(Cut::Detach { from, to, .. }), Some((_, _, Cut::Detach { from: f, to: t, .. }))) =
                (cuts.last(), self.cuts.front())
                && (from, to) == (f, t)
                && let Some((.., next)) = self.cuts.pop_front()
            {
                cuts.push(next);
            }
            let history = &self.history;
            self.graph.cut(&cuts, at, &mut |profile| history.get(&profile).cloned().unwrap_or_default());
            self.divide(&cuts);
        }
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
        self.history.entry(*to).or_default().extend(moved);
        let seqs = self.moves.remove(from).unwrap_or_default();
        let (moved, kept): (Vec<_>, Vec<_>) =
            seqs.into_iter().partition(|(_, f)| goes(f.as_ref().map(|(k, v)| (&**k, &**v))));
        self.moves.insert(*from, kept);
        self.moves.entry(*to).or_default().extend(moved);
    }

    /// The end of the log: makes the last cuts and gives where every event is, by seq.
    pub fn finish(&mut self) -> Vec<(i64, i64)> {
        self.cut_before(i64::MAX);
        let mut places = std::mem::take(&mut self.places);
        for (profile, seqs) in &self.moves {
            places.extend(seqs.iter().map(|(seq, _)| (*seq, *profile)));
        }
        places.sort_unstable();
        places
    }

    /// Compares what was decided again with the facts: owners of identifiers, people of profiles.
    pub fn compare(&mut self, facts: &Facts) -> Vec<Finding> {
        let mut out = std::mem::take(&mut self.findings);
        let mut decided: HashMap<(&str, &str), i64> = self.graph.owned().map(|(k, v, p)| ((k, v), p)).collect();
        for (kind, value, profile) in &facts.owners {
            match decided.remove(&(&**kind, &**value)) {
                Some(again) if again == *profile => {}
                again => out.push(error(
                    "identity.owner",
                    kind,
                    format!("a value stands on profile {profile}, decided again: {again:?}"),
                )),
            }
        }
        for ((kind, _), profile) in decided {
            out.push(error("identity.owner", kind, format!("a value of profile {profile} is missing")));
        }
        out.extend(self.compare_edges(&facts.edges));
        let mut again: HashMap<i64, i64> = self.graph.profiles().into_iter().collect();
        for (profile, (person, _)) in &facts.profiles {
            let decided = again.remove(profile);
            if decided != Some(*person) {
                out.push(error(
                    "identity.person",
                    profile,
                    format!("belongs to person {person}, decided again: {decided:?}"),
                ));
            }
        }
        out.extend(again.keys().map(|p| error("identity.person", p, "the profile is missing")));
        out
    }

    fn compare_edges(&self, stored: &[(i64, i64, Box<str>)]) -> Vec<Finding> {
        let mut balance: HashMap<(i64, i64, &str), i64> = HashMap::new();
        for (a, b, rule) in stored {
            *balance.entry((*a, *b, &**rule)).or_default() += 1;
        }
        for (a, b, rule) in self.graph.edges() {
            *balance.entry((*a.min(b), *a.max(b), rule.as_str())).or_default() -= 1;
        }
        let mut wrong: Vec<_> = balance.into_iter().filter(|(_, more)| *more != 0).collect();
        wrong.sort_unstable();
        let said = |more: i64| if more > 0 { "is stored, and the log does not say it" } else { "is missing" };
        wrong
            .into_iter()
            .map(|((a, b, rule), more)| {
                error("identity.edge", format!("{a} and {b}"), format!("an edge ({rule}) {}", said(more)))
            })
            .collect()
    }
}

/// Compares a profile's row with the facts about its identifiers.
pub fn check_identifiers(db: &mut Engine, id: i64, profile: &Profile) -> Result<Vec<Finding>, DbError> {
    let mut facts = own_identifiers(db, id)?;
    facts.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let row: Vec<_> =
        profile.state.identifiers.own().map(|(k, e, _)| (k.kind.clone(), k.value.clone(), e.clone())).collect();
    let same = facts == row;
    Ok(if same {
        Vec::new()
    } else {
        vec![error("identifiers", id, format!("{} in the row, {} facts", row.len(), facts.len()))]
    })
}

/// Compares a profile's state with a fold from scratch over its own identifiers and all its events.
pub fn check_state<'a>(
    read: &mut impl Read,
    id: i64,
    profile: &Profile,
    events: impl IntoIterator<Item = (i64, &'a Event)>,
    counters: &CounterSet,
) -> Result<Vec<Finding>, DbError> {
    let own = own_identifiers(read, id)?;
    let own = own.iter().map(|(kind, value, evidence)| (&**kind, &**value, evidence.clone()));
    let again = state::from_scratch(own, events, counters);
    Ok(differences(&profile.state, &again, counters).into_iter().map(|d| error("state", id, d)).collect())
}

/// Where two states differ. Values that are not the profile's own are left out: which of them it remembers depends on when
/// it came to own others.
pub fn differences(row: &State, again: &State, counters: &CounterSet) -> Vec<String> {
    let mut out = Vec::new();
    let own =
        |i: &Identifiers| i.own().map(|(k, e, s)| (k.kind.clone(), k.value.clone(), e.clone(), s)).collect::<Vec<_>>();
    if own(&row.identifiers) != own(&again.identifiers) {
        out.push("identifiers differ from a fold from scratch".to_string());
    }
    if row.traits != again.traits {
        out.push("traits differ from a fold from scratch".to_string());
    }
    if row.totals != again.totals {
        out.push(format!("totals are {:?}, from scratch {:?}", row.totals, again.totals));
    }
    if row.facts != again.facts {
        out.push("standing facts differ from a fold from scratch".to_string());
    }
    // What is not counted any more is dropped when a row is next merged or counted anew.
    let (mut mine, mut fresh) = (row.counters.clone(), again.counters.clone());
    mine.retain(counters);
    fresh.retain(counters);
    if mine != fresh {
        out.push("counters differ from a fold from scratch".to_string());
    }
    out
}

/// Compares a profile's index with the events that are its own: seq, event time and name, in both directions.
pub fn check_index(
    read: &mut impl Read,
    id: i64,
    profile: &Profile,
    events: &[(i64, &Event)],
    names: &HashMap<u32, Box<str>>,
) -> Result<Vec<Finding>, DbError> {
    let mut entries = read.chunks(id)?;
    let spilled = entries.last().map_or(0, |e| e.seq);
    entries.extend(profile.tail.entries().into_iter().filter(|e| e.seq > spilled));
    let mut out = Vec::new();
    let mut wanted: HashMap<i64, &Event> = events.iter().map(|(seq, e)| (*seq, *e)).collect();
    for entry in &entries {
        let Some(event) = wanted.remove(&entry.seq) else {
            out.push(error("index", id, format!("event {} is not, or not any more, its own", entry.seq)));
            continue;
        };
        let named = entry.name == 0 || names.get(&entry.name).is_some_and(|n| **n == *index_name(event));
        if entry.timestamp != event.timestamp || !named {
            out.push(error("index", id, format!("event {} stands there with another time or name", entry.seq)));
        }
    }
    let mut missing: Vec<&i64> = wanted.keys().collect();
    missing.sort_unstable();
    out.extend(missing.into_iter().map(|seq| error("index", id, format!("event {seq} is missing"))));
    Ok(out)
}
