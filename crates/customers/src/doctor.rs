//! Checks of what is stored against what it was made of. Pure comparisons and reads in one snapshot; who calls them brings
//! the events of the log.
use crate::commands::index_name;
use crate::counters::CounterSet;
use crate::cuts::own_identifiers;
use crate::identity::Rule;
use crate::identity::memory::Cut;
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

pub(crate) fn error(check: &'static str, subject: impl ToString, detail: impl Into<String>) -> Finding {
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
    /// Where it is now, after what was moved since.
    pub live_id: i64,
    pub event: Event,
}

/// What the facts and rows say of identity, read in one snapshot. Rows must be flushed or re-folded before.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Kind, value, owner.
    pub owners: Vec<(Box<str>, Box<str>, i64)>,
    /// Person and creation by profile.
    pub profiles: HashMap<i64, (i64, Timestamp)>,
    /// What erasures left of profiles.
    pub tombstones: HashSet<i64>,
    /// Edges that are there: the smaller profile, the other, the rule.
    pub edges: Vec<(i64, i64, Box<str>)>,
    /// Cuts with the seq before which they were made, in order.
    pub cuts: Vec<(i64, Timestamp, Cut)>,
    /// Profiles that re-runs made, by the event that made them.
    pub made: HashMap<i64, i64>,
}

/// Reads identity's facts.
pub fn read_facts(db: &mut Engine) -> Result<Facts, DbError> {
    let mut facts = Facts::default();
    db.each("SELECT kind, value, profile_id FROM identifiers", &[], &mut |r| {
        facts.owners.push((r.text(0)?.into(), r.text(1)?.into(), r.int(2)?));
        Ok(true)
    })?;
    each_profile(db, &mut |id, profile| {
        if profile.person == 0 {
            facts.tombstones.insert(id);
            return Ok(());
        }
        facts.profiles.insert(id, (profile.person, profile.created_at));
        Ok(())
    })?;
    db.each("SELECT a, b, rule FROM edges WHERE removed_at = 0", &[], &mut |r| {
        let (a, b) = (r.int(0)?, r.int(1)?);
        facts.edges.push((a.min(b), a.max(b), r.text(2)?.into()));
        Ok(true)
    })?;
    facts.cuts = read_cuts(db)?;
    facts.made = read_made(db)?;
    Ok(facts)
}

/// Reads what people cut and joined, in order.
pub fn read_cuts(db: &mut Engine) -> Result<Vec<(i64, Timestamp, Cut)>, DbError> {
    let mut out = Vec::new();
    for r in
        db.rows("SELECT seq, at, rule, a, b, kind, value FROM identity_cuts WHERE rule <> 'made' ORDER BY id", &[])?
    {
        let (a, b) = (r.int(3)?, r.int(4)?);
        let cut = match r.text(2)? {
            "edge" => Cut::Edge { a, b },
            "bypass" => Cut::Bypass { a, b },
            "detach" => Cut::Detach { from: a, to: b, kind: r.text(5)?.into(), value: r.text(6)?.into() },
            "apart" => Cut::Apart { a, b },
            "lift" => Cut::Lift { a, b },
            rule if Rule::parse(rule).is_some_and(Rule::is_by_hand) => {
                Cut::Join { a, b, rule: Rule::parse(rule).unwrap_or(Rule::Manual) }
            }
            other => return Err(DbError::damaged("identity_cuts", format!("rule {other:?}"))),
        };
        out.push((r.int(0)?, Timestamp::from_micros(r.int(1)?), cut));
    }
    Ok(out)
}

/// Reads the profiles that re-runs made, by the event that made them.
pub fn read_made(db: &mut Engine) -> Result<HashMap<i64, i64>, DbError> {
    let rows = db.rows("SELECT seq, a FROM identity_cuts WHERE rule = 'made'", &[])?;
    rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect()
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
    if let Some(difference) = identifiers_differ(&row.identifiers, &again.identifiers) {
        out.push(format!("identifiers differ from a fold from scratch: {difference}"));
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

/// The first own identifier that two states know differently. Its value is nobody's business who reads a report.
fn identifiers_differ(row: &Identifiers, again: &Identifiers) -> Option<String> {
    let (mut mine, mut fresh) = (row.own(), again.own());
    loop {
        return match (mine.next(), fresh.next()) {
            (None, None) => None,
            (Some((k, ..)), None) => Some(format!("a value of kind {} is too many", k.kind)),
            (None, Some((k, ..))) => Some(format!("a value of kind {} is missing", k.kind)),
            (Some((a, ..)), Some((b, ..))) if (&a.kind, &a.value) != (&b.kind, &b.value) => {
                Some(format!("a value of kind {} stands where one of kind {} should", a.kind, b.kind))
            }
            (Some((k, a, _)), Some((_, b, _))) if a != b => {
                Some(format!("a value of kind {} came with event {}, from scratch with {}", k.kind, a.seq, b.seq))
            }
            (Some((k, _, a)), Some((_, _, b))) if a != b => Some(format!(
                "a value of kind {} was seen from {} to {}, from scratch from {} to {}",
                k.kind, a.first, a.last, b.first, b.last
            )),
            _ => continue,
        };
    }
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
