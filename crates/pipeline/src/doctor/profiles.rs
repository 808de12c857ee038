//! One pass over the log: contiguity, ids, and every profile folded from scratch beside its row.
use super::Findings;
use crate::backfill;
use crate::preparer::Preparer;
use crate::sources::reread;
use customers::counters::CounterSet;
use customers::doctor::{Facts, Placed, differences, read_facts};
use customers::model::{Evidence, Profile, State};
use customers::privacy::kin::Kin;
use customers::replay::{Replay, unused_ids};
use customers::{commands, state};
use db::event::Origin;
use db::index::Entry;
use db::pack::Reader;
use db::{DbError, Engine, Tx, index, log};
use hashbrown::{HashMap, HashSet};
use segments::runtime::definitions;
use std::sync::Arc;

/// What the log says of one profile, beside what its row says.
#[derive(Default)]
struct Side {
    scratch: State,
    /// The row, folded up to the log's end; `None` when it was not written yet.
    row: Option<Profile>,
    events: u64,
    index_sum: u64,
    first_received: base::Timestamp,
    last_received: base::Timestamp,
}

/// What one pass over the log gave.
pub(super) struct Pass {
    sides: HashMap<i64, Side>,
    replay: Replay,
    facts: Facts,
    counters: Arc<CounterSet>,
    pub(super) ids: Vec<u128>,
    pub(super) first_seqs: Vec<(i64, i64)>,
    pub(super) events: i64,
    pub(super) derived: i64,
    pub(super) next_seq: i64,
    /// Profiles with events that a start folds again, so that their people are looked at then.
    pub(super) folded_again: HashSet<i64>,
}

type Owned = HashMap<i64, Vec<(Box<str>, Box<str>, Evidence)>>;

fn owned(db: &mut Engine) -> Result<Owned, DbError> {
    let mut out: Owned = HashMap::new();
    db.each("SELECT kind, value, profile_id, seq, message_id, at FROM identifiers", &[], &mut |r| {
        let evidence =
            Evidence { seq: r.int(3)?, message_id: r.text(4)?.into(), at: base::Timestamp::from_micros(r.int(5)?) };
        out.entry(r.int(2)?).or_default().push((r.text(0)?.into(), r.text(1)?.into(), evidence));
        Ok(true)
    })?;
    Ok(out)
}

/// Reads the whole log.
pub(super) fn read_log(tx: &mut Tx, preparer: &Preparer, findings: &mut Findings) -> Result<Pass, DbError> {
    let counters = definitions::current(tx)?.counters.clone();
    let facts = read_facts(tx.engine())?;
    let owned = owned(tx.engine())?;
    let job = crate::facts_job::current(tx.engine())?;
    let moved = all_moved(tx)?;
    let erased = <customers::privacy::erased::Erased as db::tx::Memory>::load(tx.engine())?;
    let numbers: HashMap<Box<str>, u32> = db::names::all(tx.engine())?.into_iter().map(|(n, name)| (name, n)).collect();
    let mut pass = Pass {
        sides: HashMap::new(),
        replay: Replay::new(&facts, crate::step::current(tx)?.rules, unused_ids()),
        facts,
        counters: counters.clone(),
        ids: Vec::new(),
        first_seqs: Vec::new(),
        events: 0,
        derived: 0,
        next_seq: 1,
        folded_again: HashSet::new(),
    };
    let (unflushed_seq, last_group) = (tx.writer_row().unflushed_seq, tx.writer_row().last_group);
    let mut from = 1;
    loop {
        let rows = log::page(tx.engine(), from, 256)?;
        let Some(last) = rows.last() else { break };
        from = last.first_seq + 1;
        for row in &rows {
            if row.first_seq != pass.next_seq {
                let detail = format!("the log goes on with seq {} after {}", row.first_seq, pass.next_seq - 1);
                findings.error("log.contiguous", format!("seq {}", row.first_seq), detail);
            }
            if row.group > last_group {
                let detail = format!("it is of group {}, the last one was {last_group}", row.group);
                findings.error("log.group", format!("log row {}", row.first_seq), detail);
            }
            pass.next_seq = row.first_seq + row.ids.len() as i64;
            pass.first_seqs.push((row.first_seq, row.ids.len() as i64));
            pass.ids.extend(row.ids.iter().filter(|id| **id != 0));
            let kept = row.kept() as i64;
            if row.origin == Origin::Derived {
                pass.derived += kept;
            } else {
                pass.events += kept;
            }
            let events = preparer.decode(row)?;
            if events.len() as i64 != kept && events.len() as i64 + crate::erasure::tombstones(row)? != kept {
                let detail = format!("{} ids, but {} events in the body", kept, events.len());
                findings.error("log.ids", format!("log row {}", row.first_seq), detail);
            }
            for event in events {
                let seq = row.first_seq + i64::from(event.index);
                let logged = row.profiles[event.index as usize];
                let profile_id = moved.get(&seq).copied().unwrap_or(logged);
                if pass.facts.tombstones.contains(&profile_id) {
                    // Erased, and the job has not come to it yet.
                    continue;
                }
                let mut placed = Placed {
                    seq,
                    source: row.source,
                    received_at: row.received_at,
                    profile_id: crate::erasure::placed_with(logged, profile_id, &pass.facts.tombstones),
                    live_id: profile_id,
                    event,
                };
                // Another person's event may name a value that an erased person owned: it decided nothing. Its profile
                // remembers having seen it all the same, should it own it one day.
                match erased.deciding(&placed.event.identifiers, seq) {
                    None => pass.replay.event(&placed),
                    Some(deciding) => {
                        let all = std::mem::replace(&mut placed.event.identifiers, deciding);
                        pass.replay.event(&placed);
                        placed.event.identifiers = all;
                    }
                }
                if profile_id == 0 {
                    continue;
                }
                let event = &mut placed.event;
                job.strip(seq, event);
                let number = numbers.get(commands::index_name(event)).copied().unwrap_or(0);
                let side = match pass.sides.get_mut(&profile_id) {
                    Some(side) => side,
                    None => {
                        let mut side = Side { first_received: row.received_at, ..Side::default() };
                        for (kind, value, evidence) in owned.get(&profile_id).into_iter().flatten() {
                            state::attach(&mut side.scratch.identifiers, kind, value, evidence.clone());
                        }
                        side.row = customers::profiles::Read::profile(tx.engine(), profile_id)?;
                        pass.sides.entry(profile_id).or_insert(side)
                    }
                };
                state::fold_state(&mut side.scratch, event, &counters, row.source);
                side.last_received = side.last_received.max(row.received_at);
                side.events += 1;
                let entry = Entry { seq, timestamp: event.timestamp, name: number };
                side.index_sum = side.index_sum.wrapping_add(sum_of(&entry));
                let behind = side.row.as_ref().is_none_or(|r| r.folded_to < row.group);
                if seq >= unflushed_seq {
                    pass.folded_again.insert(profile_id);
                } else if behind && logged == profile_id {
                    let detail =
                        format!("its row misses event {seq}, and a start folds from event {unflushed_seq} on only");
                    findings.error("state.flushed", profile_id, detail);
                }
                if behind && logged == profile_id {
                    let profile = side.row.get_or_insert_with(|| Profile::new(profile_id, row.received_at));
                    for (kind, value, evidence) in owned.get(&profile_id).into_iter().flatten() {
                        if evidence.seq == seq {
                            state::attach(&mut profile.state.identifiers, kind, value, evidence.clone());
                        }
                    }
                    let logged = state::Logged { source: row.source, seq, name: number };
                    state::fold(profile, event, &counters, logged);
                }
            }
        }
    }
    Ok(pass)
}

fn all_moved(tx: &mut Tx) -> Result<HashMap<i64, i64>, DbError> {
    let mut out = HashMap::new();
    tx.engine().each("SELECT seq, profile_id FROM moved_events", &[], &mut |r| {
        out.insert(r.int(0)?, r.int(1)?);
        Ok(true)
    })?;
    Ok(out)
}

/// A number that only equal entries share, to compare sets of them without holding either.
fn sum_of(entry: &Entry) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = siphasher::sip::SipHasher13::new();
    entry.hash(&mut hasher);
    hasher.finish()
}

/// Spilled entries of all profiles: how many, their sum, and the last seq.
fn spilled(db: &mut Engine) -> Result<HashMap<i64, (u64, u64, i64)>, DbError> {
    let mut out: HashMap<i64, (u64, u64, i64)> = HashMap::new();
    db.each("SELECT profile_id, entries FROM profile_index", &[], &mut |r| {
        let known = out.entry(r.int(0)?).or_default();
        for entry in index::unpack(&mut Reader::new(r.blob(1)?))? {
            *known = (known.0 + 1, known.1.wrapping_add(sum_of(&entry)), known.2.max(entry.seq));
        }
        Ok(true)
    })?;
    Ok(out)
}

/// The counters that know the past; of one that a job still counts, rows hold a part.
fn whole(tx: &mut Tx, all: &Arc<CounterSet>) -> Result<Arc<CounterSet>, DbError> {
    let counting: Vec<u32> = backfill::counting(tx.engine())?.into_iter().flat_map(|(_, ids)| ids).collect();
    if counting.is_empty() {
        return Ok(all.clone());
    }
    let known = all.definitions().iter().filter(|d| !counting.contains(&d.id)).cloned().collect();
    Ok(Arc::new(CounterSet::build(0, known).map_err(|e| DbError::damaged("counters", e))?))
}

/// A profile as it must be, and when its last event was received.
pub(super) struct Rebuilt {
    pub(super) id: i64,
    pub(super) profile: Profile,
    pub(super) last_received: base::Timestamp,
}

/// Compares rows with folds from scratch; gives every profile as it must be.
pub(super) fn compare(tx: &mut Tx, pass: Pass, findings: &mut Findings) -> Result<Vec<Rebuilt>, DbError> {
    let Pass { sides, mut replay, mut facts, counters, .. } = pass;
    let counters = whole(tx, &counters)?;
    let mut chunks = spilled(tx.engine())?;
    let mut out = Vec::with_capacity(sides.len());
    // What a changed plan gives another meaning is made again by a job; until then a row holds the old one.
    let all_wait = reread::is_reading(tx.engine())?;
    let waiting = reread::waiting(tx.engine())?;
    // Which values an event carries is a matter of the rules: while a re-run waits, rows hold what older ones said.
    let rules = customers::rules::of(tx)?;
    let decided = customers::rules::applied(tx.engine())? == rules.version;
    for (id, mut side) in sides {
        let Some(row) = side.row else {
            findings.error("state", id, "the profile has events, but no row");
            continue;
        };
        if !decided {
            side.scratch.identifiers.clone_from(&row.state.identifiers);
        }
        if all_wait || waiting.contains(&id) {
            chunks.remove(&id);
            facts.profiles.entry(id).or_insert((row.person, side.first_received));
            out.push(Rebuilt { id, profile: row, last_received: side.last_received });
            continue;
        }
        for difference in differences(&row.state, &side.scratch, &counters) {
            findings.error("state", id, difference);
        }
        let (mut count, mut sum, last) = chunks.remove(&id).unwrap_or_default();
        for entry in row.tail.entries().iter().filter(|e| e.seq > last) {
            count += 1;
            sum = sum.wrapping_add(sum_of(entry));
        }
        if (count, sum) != (side.events, side.index_sum) {
            let detail = format!(
                "the index has {count} entries, the log {} events of this profile, or they differ",
                side.events
            );
            findings.error("index", id, detail);
        }
        facts.profiles.entry(id).or_insert((row.person, side.first_received));
        let profile = Profile { state: side.scratch, ..row };
        out.push(Rebuilt { id, profile, last_received: side.last_received });
    }
    for (id, _) in chunks.into_iter().filter(|(id, _)| !facts.tombstones.contains(id)) {
        findings.error("index", id, "the index has entries, but the log has no event of this profile");
    }
    // While the past is still being decided by new rules, it cannot be what they say.
    if decided {
        let moves = replay.finish();
        let mut different = replay.compare(&facts, &moves);
        if !different.is_empty() && !facts.tombstones.is_empty() {
            let live = facts.profiles.iter().map(|(profile, (person, _))| (*profile, *person));
            // A profile that was made on the way stands for that whose events it would take.
            let made =
                moves.iter().filter(|m| m.from != 0 && replay.given().contains_key(&m.to)).map(|m| (m.from, m.to));
            let people = live.chain(replay.people()).chain(made);
            let kin = Kin::read(tx.engine(), &facts.tombstones, people)?;
            different.retain(|d| !kin.knew(&d.profiles));
        }
        for f in different.into_iter().map(|d| d.finding) {
            findings.error(f.check, f.subject, f.detail);
        }
    }
    // Profiles whose events were all moved away are there still.
    let known: HashSet<i64> = out.iter().map(|r| r.id).collect();
    for id in facts.profiles.keys().filter(|id| !known.contains(*id)) {
        if let Some(row) = customers::profiles::Read::profile(tx.engine(), *id)? {
            out.push(Rebuilt { id: *id, last_received: row.created_at, profile: row });
        }
    }
    out.sort_unstable_by_key(|r| r.id);
    lists(tx.engine(), &out, &facts.tombstones, findings)?;
    Ok(out)
}

/// What lists of people name: each flushed profile with the person that it belongs to, and nobody else.
fn lists(
    db: &mut Engine,
    profiles: &[Rebuilt],
    tombstones: &HashSet<i64>,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let people: HashMap<i64, i64> = profiles.iter().map(|r| (r.id, r.profile.person)).collect();
    db.each("SELECT profile_id, person FROM profile_list", &[], &mut |r| {
        let (id, person) = (r.int(0)?, r.int(1)?);
        let buried = person == 0 && tombstones.contains(&id);
        if !buried && people.get(&id) != Some(&person) {
            findings.error(
                "lists",
                id,
                format!("lists show it with person {person}, it belongs to {:?}", people.get(&id)),
            );
        }
        Ok(true)
    })?;
    let missing = "SELECT p.profile_id FROM profiles p LEFT JOIN profile_list l ON l.profile_id = p.profile_id \
                   WHERE l.profile_id IS NULL ORDER BY p.profile_id LIMIT 100";
    for row in db.rows(missing, &[])? {
        findings.error("lists", row.int(0)?, "no list shows it");
    }
    Ok(())
}
