//! What would have to change so that the live graph is what a replay gives.
use super::{ROWS, Work};
use crate::preparer::{Current, Preparer};
use crate::{backfill, erasure, step};
use base::Timestamp;
use customers::doctor::{Facts, Placed, read_cuts, read_made};
use customers::identity::memory::Edge;
use customers::privacy::erased::{self, Erased};
use customers::regroup::{Cluster, OwnerChange};
use customers::replay::{Move, Replay, StoredEdge, edge_difference, unused_ids};
use customers::rules::Rules;
use db::{DbError, Engine, Memory, Sync, Tx, log};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be changed, and for which version of the rules.
pub struct Plan {
    pub version: i64,
    /// Who was erased when it was made, see [`erased::newest`].
    pub erased: (i64, i64),
    pub clusters: Vec<Cluster>,
    /// Live people that fall apart, and people that several live ones become.
    pub apart: usize,
    pub joined: usize,
    pub people: usize,
}

/// What a change of rules would do, counted in a snapshot beside the writer. `None` when `go_on` said so.
pub fn preview(work: &Work<'_>, rules: Arc<Rules>, go_on: &dyn Fn() -> bool) -> Result<Option<Plan>, DbError> {
    plan(work, Some(rules), unused_ids(), &|_, _| Ok(go_on()))
}

pub(super) fn plan(
    work: &Work<'_>,
    proposed: Option<Arc<Rules>>,
    fresh: Box<dyn FnMut() -> i64 + Send>,
    tell: &dyn Fn(i64, i64) -> Result<bool, DbError>,
) -> Result<Option<Plan>, DbError> {
    let mut engine = work.store.location().open(Sync::Full, true)?;
    engine.batch(match engine.dialect() {
        db::Dialect::Sqlite => "BEGIN",
        db::Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    let mut tx = Tx::for_reading(engine, work.now)?;
    let held = step::current(&mut tx)?;
    let current = Current { rules: proposed.unwrap_or(held.rules), ..held };
    let preparer = Preparer::new(work.settings.clone(), current.clone());
    preparer.follow_key(&tx);
    let facts = Facts { cuts: read_cuts(tx.engine())?, made: read_made(tx.engine())?, ..Facts::default() };
    let mut replay = Replay::new(&facts, current.rules.clone(), fresh);
    let newest = erased::newest(tx.engine())?;
    let erased = Erased::load(tx.engine())?;
    let buried = erasure::buried(tx.engine())?;
    let total = tx.next_seq();
    let mut from = 1;
    loop {
        let rows = log::page(tx.engine(), from, ROWS)?;
        let Some(last) = rows.last() else { break };
        let next = last.first_seq + last.ids.len() as i64;
        let moved = backfill::moved_between(&mut tx, from, next)?;
        from = next;
        for row in &rows {
            for mut event in preparer.decode_row(&current, row)? {
                let seq = row.first_seq + i64::from(event.index);
                let profile_id = row.profiles[event.index as usize];
                let live_id = moved.get(&seq).copied().unwrap_or(profile_id);
                if buried.contains(&live_id) {
                    continue;
                }
                let profile_id = erasure::placed_with(profile_id, live_id, &buried);
                // What was erased must not find an owner again, because an older event of somebody else names it.
                if let Some(deciding) = erased.deciding(&event.identifiers, seq) {
                    event.identifiers = deciding;
                }
                let (source, received_at) = (row.source, row.received_at);
                replay.event(&Placed { seq, source, received_at, profile_id, live_id, event });
            }
        }
        if !tell(from, total)? {
            return Ok(None);
        }
    }
    let moves = replay.finish();
    let mut plan = compare(tx.engine(), replay, moves, current.rules.version)?;
    plan.erased = newest;
    Ok(Some(plan))
}

/// Compares what was decided with the live graph.
fn compare(db: &mut Engine, mut replay: Replay, moves: Vec<Move>, version: i64) -> Result<Plan, DbError> {
    let mut stored: Vec<StoredEdge> = Vec::new();
    db.each("SELECT a, b, rule FROM edges WHERE removed_at = 0", &[], &mut |r| {
        let (a, b) = (r.int(0)?, r.int(1)?);
        stored.push((a.min(b), a.max(b), r.text(2)?.into()));
        Ok(true)
    })?;
    let (apart, joined, people) = count(&replay, &stored, &moves);
    let mut parts: Vec<Part> = moves.into_iter().map(Part::Move).collect();
    let (missing, extra) = edge_difference(&replay.graph, &stored);
    parts.extend(missing.into_iter().cloned().map(Part::Missing));
    parts.extend(extra.into_iter().map(Part::Extra));
    db.each("SELECT kind, value, profile_id, seq, at FROM identifiers", &[], &mut |r| {
        let (kind, value, live) = (r.text(0)?, r.text(1)?, r.int(2)?);
        let brought = (r.int(3)?, Timestamp::from_micros(r.int(4)?));
        let decided = replay.graph.take_owner(kind, value);
        let to = decided.and_then(|p| Some((p, replay.graph.evidence(p, kind, value)?)));
        // The same owner by another event differs too: a profile that has the value by a detach knows from nothing else when
        // it was carried, and limits with a window ask.
        if to.as_ref().map(|(profile, e)| (*profile, e.seq, e.at)) != Some((live, brought.0, brought.1)) {
            parts.push(Part::Owner(OwnerChange { kind: kind.into(), value: value.into(), from: Some(live), to }));
        }
        Ok(true)
    })?;
    let unknown: Vec<(Box<str>, Box<str>, i64)> =
        replay.graph.owned().map(|(kind, value, p)| (kind.into(), value.into(), p)).collect();
    for (kind, value, profile) in unknown {
        let to = replay.graph.evidence(profile, &kind, &value).map(|evidence| (profile, evidence));
        parts.push(Part::Owner(OwnerChange { kind, value, from: None, to }));
    }
    for (profile, seq) in replay.given() {
        if let Some(born) = replay.graph.created_at(*profile) {
            parts.push(Part::Created(*profile, born, *seq));
        }
    }
    Ok(Plan { version, erased: (0, 0), clusters: clusters(parts), apart, joined, people })
}

/// Live people that fall apart, people that several become, and how many there are then.
fn count(replay: &Replay, stored: &[StoredEdge], moves: &[Move]) -> (usize, usize, usize) {
    let mut live = Union::default();
    for (a, b, _) in stored {
        live.join(*a, *b);
    }
    let (mut to, mut from): (HashMap<i64, i64>, HashMap<i64, i64>) = (HashMap::new(), HashMap::new());
    let (mut apart, mut joined) = (hashbrown::HashSet::new(), hashbrown::HashSet::new());
    let mut link = |live: i64, decided: i64| {
        if *to.entry(live).or_insert(decided) != decided {
            apart.insert(live);
        }
        if *from.entry(decided).or_insert(live) != live {
            joined.insert(decided);
        }
    };
    for (profile, person) in replay.graph.profiles() {
        // A profile that is new has no live person of its own.
        if !replay.given().contains_key(&profile) {
            link(live.root(profile), person);
        }
    }
    for one in moves.iter().filter(|m| m.from != 0 && m.to != 0) {
        link(live.root(one.from), replay.graph.person_of(one.to));
    }
    (apart.len(), joined.len(), from.len())
}

/// Disjoint sets of profiles.
#[derive(Default)]
struct Union(HashMap<i64, i64>);

impl Union {
    fn root(&mut self, mut at: i64) -> i64 {
        while let Some(up) = self.0.get(&at).copied().filter(|up| *up != at) {
            let above = self.0.get(&up).copied().unwrap_or(up);
            self.0.insert(at, above);
            at = up;
        }
        at
    }
    fn join(&mut self, a: i64, b: i64) {
        let (a, b) = (self.root(a), self.root(b));
        self.0.insert(a.max(b), a.min(b));
        self.0.insert(a.min(b), a.min(b));
    }
}

/// One change on its way into a cluster.
enum Part {
    Move(Move),
    Owner(OwnerChange),
    Missing(Edge),
    Extra(StoredEdge),
    Created(i64, Timestamp, i64),
}

impl Part {
    /// The profiles that it touches; 0 = none.
    fn profiles(&self) -> [i64; 2] {
        match self {
            Part::Move(m) => [m.from, m.to],
            Part::Owner(o) => [o.from.unwrap_or(0), o.to.as_ref().map_or(0, |(p, _)| *p)],
            Part::Missing(e) => [e.a, e.b],
            Part::Extra((a, b, _)) => [*a, *b],
            Part::Created(p, ..) => [*p, 0],
        }
    }
    fn put(self, cluster: &mut Cluster) {
        match self {
            Part::Move(m) => cluster.moves.push(m),
            Part::Owner(o) => cluster.owners.push(o),
            Part::Missing(e) => cluster.missing.push(e),
            Part::Extra(e) => cluster.extra.push(e),
            Part::Created(p, born, seq) => cluster.created.push((p, born, seq)),
        }
    }
}

/// Gathers changes that touch the same profiles.
fn clusters(parts: Vec<Part>) -> Vec<Cluster> {
    let mut sets = Union::default();
    for part in &parts {
        match part.profiles() {
            [a, b] if a != 0 && b != 0 => sets.join(a, b),
            [a, b] => sets.join(a.max(b), a.max(b)),
        }
    }
    let profiles: Vec<i64> = sets.0.keys().copied().collect();
    let mut out: BTreeMap<i64, Cluster> = BTreeMap::new();
    for part in parts {
        let [a, b] = part.profiles();
        part.put(out.entry(sets.root(a.max(b))).or_default());
    }
    for profile in profiles {
        if let Some(cluster) = out.get_mut(&sets.root(profile)) {
            cluster.profiles.push(profile);
        }
    }
    let mut clusters: Vec<Cluster> = out.into_values().collect();
    // A profile that is there already and changes in nothing is no work.
    clusters.retain(|c| !(c.moves.is_empty() && c.owners.is_empty() && c.missing.is_empty() && c.extra.is_empty()));
    clusters.iter_mut().for_each(|c| c.profiles.sort_unstable());
    clusters
}
