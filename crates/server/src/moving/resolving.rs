//! Recognising whom an import brought: people without a shared key are compared with everybody else and filed for a look.
//!
//! The new ones lie in memory with their blocking keys, some thousands at a time; the base is read once past them, and only who
//! shares a rare enough key is compared. Nobody is joined without a person, unless the shop says from which probability on.
use super::work::{Ended, WorkError, step};
use crate::domain::Domain;
use base::Country;
use customers::identity::Rule;
use customers::model::Profile;
use customers::profiles::{self, Profiles};
use customers::review::{self, Decision};
use db::jobs::{self, Job, New, Progress};
use db::{DbError, Table as _, Tx, log, settings};
use resolve::compare::compare;
use resolve::keys::keys;
use resolve::person::{self, Column, Person, Raw, Texts};
use resolve::{Options, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Jobs that recognise.
pub const KIND: &str = "resolve_import";
/// New people that are compared at once: what bounds memory.
const CHUNK: usize = 20_000;
/// People of the base with one key, at most; a commoner key says nothing.
const BLOCK_MAX: usize = 40;
/// People of the base who are compared with one chunk, at most.
const CANDIDATES_MAX: usize = 100_000;
/// Profiles read in one go.
const PAGE: i64 = 500;
/// Pairs filed in one transaction.
const FILED: usize = 50;
/// Pairs of one group of records, at most.
const GROUP_MAX: usize = 12;

const POLICY: &str = "resolve.policy";

/// What becomes of people who seem to be one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Filed for a look from this probability on.
    pub file_from: f64,
    /// Joined without asking from this probability on; `None` = never.
    pub join_from: Option<f64>,
    /// Pairs that one import files, at most: a queue that nobody gets through helps nobody.
    pub at_most: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { file_from: 0.5, join_from: None, at_most: 2_000 }
    }
}

impl Policy {
    /// What is wrong, with its place.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(0.1..=1.0).contains(&self.file_from) {
            return Err(("/resolve/file_from", "a probability from 0.1 to 1"));
        }
        if self.join_from.is_some_and(|p| !(0.9..=1.0).contains(&p)) {
            return Err(("/resolve/join_from", "a probability from 0.9 to 1, or null for never"));
        }
        if !(1..=100_000).contains(&self.at_most) {
            return Err(("/resolve/at_most", "1 to 100000 pairs"));
        }
        Ok(())
    }
    /// As it holds.
    pub fn load(db: &mut db::Engine) -> Result<Self, DbError> {
        let text = settings::get(db, POLICY)?;
        Ok(text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default())
    }
    /// Sets it.
    pub fn store(&self, db: &mut db::Engine) -> Result<(), DbError> {
        let text = serde_json::to_string(self).map_err(|e| DbError::damaged("settings", e))?;
        settings::set(db, POLICY, &text)
    }
}

/// Whom a job recognises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    import: i64,
    source: i64,
    /// When the import began, in microseconds.
    since_us: i64,
    upto_seq: i64,
}

/// Queues the job of an import that is done; gives its number.
pub fn begin(tx: &mut Tx, import: &Job, source: i64) -> Result<i64, DbError> {
    let upto_seq = tx.next_seq();
    let spec = Spec { import: import.id, source, since_us: import.created_at, upto_seq };
    let payload = serde_json::to_string(&spec).map_err(|e| DbError::damaged("jobs", e))?;
    jobs::add(tx, &New { subject: import.id, actor: &import.actor, ..New::of(KIND, &payload) })
}

/// What came of it; part of the job's result and of the import's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// People whom the import brought.
    pub people: u64,
    /// People of the base who were worth comparing with them.
    pub candidates: u64,
    /// Pairs filed for a look.
    pub filed: u64,
    /// Pairs joined because the shop allows it.
    pub joined: u64,
    /// Pairs that were known, taken apart before, or beyond what one import files.
    pub left: u64,
}

/// A profile as resolution reads it; `None` for one that has no name, for a contact alone would have matched.
fn texts(profile: &Profile, country: Country) -> Option<Texts> {
    let traits = &profile.state.traits;
    let text = |name: &str| traits.text(name).map(|t| t.trim().to_string()).filter(|t| !t.is_empty());
    let (first, last, whole) = (text("firstName"), text("lastName"), text("name"));
    if first.is_none() && last.is_none() && whole.is_none() {
        return None;
    }
    let mut raw = Raw::default();
    let mut put = |column: Column, value: Option<&str>| {
        if let Some(value) = value {
            raw.put(column, value);
        }
    };
    put(Column::Given, first.as_deref());
    put(Column::Surname, last.as_deref());
    if first.is_none() && last.is_none() {
        put(Column::Name, whole.as_deref());
    }
    put(Column::Patronymic, text("patronymic").as_deref());
    put(Column::Birth, text("birthday").as_deref());
    let identifiers = &profile.state.identifiers;
    put(Column::Email, identifiers.own_of_kind("email").next());
    identifiers.own_of_kind("phone").take(2).for_each(|phone| put(Column::Phone, Some(phone)));
    let address: Value = traits.json("address").and_then(|a| serde_json::from_str(&a).ok()).unwrap_or_default();
    let part = |name: &str| address.get(name).and_then(Value::as_str).map(str::to_string);
    put(Column::City, part("city").or_else(|| text("city")).as_deref());
    put(Column::Region, part("state").as_deref());
    put(Column::Postcode, part("postalCode").as_deref());
    put(Column::Address1, part("street").as_deref());
    Some(person::read(&raw, country))
}

/// The blocking keys of what was read.
fn blocking(texts: &Texts) -> Vec<u64> {
    keys(&Person::of(texts).side())
}

/// Profiles that an import made, sorted.
fn brought(domain: &Domain, spec: &Spec, stop: &AtomicBool) -> Result<Option<Vec<i64>>, DbError> {
    let since = spec.since_us;
    let mut next = domain.store().query(move |db| super::here::first_seq(db, since))?;
    let mut out: Vec<i64> = Vec::new();
    let (source, upto) = (spec.source, spec.upto_seq);
    while next < upto {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (found, further) = domain.store().query(move |db| {
            let (mut found, mut last, mut rows) = (Vec::new(), upto, 0);
            log::each(db, next, false, &mut |row| {
                last = row.first_seq + 1;
                rows += 1;
                if row.source == source && row.received_at.micros() >= since && row.first_seq < upto {
                    found.extend(row.profiles.iter().copied().filter(|p| *p != 0));
                }
                Ok(rows < 1_000)
            })?;
            Ok::<_, DbError>((found, if rows < 1_000 { upto } else { last }))
        })?;
        out.extend(found);
        out.sort_unstable();
        out.dedup();
        next = further;
    }
    Ok(Some(out))
}

/// Somebody of the table.
struct Record {
    profile: i64,
    person: i64,
    new: bool,
}

/// Does a job.
pub fn drive(domain: &Domain, job: &Job, stop: &AtomicBool) -> Result<Ended, WorkError> {
    let spec: Spec =
        serde_json::from_str(&job.payload).map_err(|e| WorkError::Lasting(format!("the job is damaged: {e}")))?;
    if !step(domain, job.id, Progress::to(job.position.max(0)).noting("reading whom the import brought"))? {
        return Ok(Ended::Stopped);
    }
    domain.store().write(|tx| tx.flush_table::<Profiles>())?;
    let Some(profiles) = brought(domain, &spec, stop)? else { return Ok(Ended::Interrupted) };
    let policy = domain.store().query(Policy::load)?;
    // A resumed job goes on after the chunks that are done; what they filed is not filed twice.
    let mut done: Recognised = serde_json::from_str(&job.bookmark).unwrap_or_default();
    let chunks: Vec<&[i64]> = profiles.chunks(CHUNK).collect();
    for (at, chunk) in chunks.iter().enumerate().skip(job.position.max(0) as usize) {
        let Some((table, records)) = gather(domain, &spec, chunk, &mut done, stop)? else {
            return Ok(Ended::Interrupted);
        };
        let pairs = pairs(table, &records, policy.file_from);
        file(domain, job, &pairs, policy, &mut done)?;
        let progress = Progress {
            bookmark: serde_json::to_string(&done).ok(),
            total: Some(chunks.len() as i64),
            ..Progress::to(at as i64 + 1).noting(format!("{} people, {} pairs filed", done.people, done.filed))
        };
        if !step(domain, job.id, progress)? {
            return Ok(Ended::Stopped);
        }
    }
    let (id, import) = (job.id, spec.import);
    domain.store().write(move |tx| {
        let result = json!({"import": import.to_string(), "recognised": done});
        jobs::finish(tx, id, &result.to_string())?;
        // The import's own report tells it too.
        let Some(mut told) = jobs::find(tx, import)?.and_then(|j| serde_json::from_str::<Value>(&j.result).ok()) else {
            return Ok::<_, DbError>(());
        };
        told["recognised"] = json!(done);
        tx.execute("UPDATE jobs SET result = $2 WHERE id = $1", &[import.into(), (&told.to_string()).into()])?;
        Ok(())
    })?;
    Ok(Ended::Done)
}

/// Reads the new people of a chunk, and whoever of the base shares a key with them.
fn gather(
    domain: &Domain,
    spec: &Spec,
    chunk: &[i64],
    done: &mut Recognised,
    stop: &AtomicBool,
) -> Result<Option<(Table, Vec<Record>)>, WorkError> {
    let country = domain.settings().country;
    let (mut table, mut records) = (Table::default(), Vec::new());
    let mut wanted: HashMap<u64, Vec<i64>> = HashMap::new();
    for part in chunk.chunks(PAGE as usize) {
        let ids = part.to_vec();
        let found = domain.store().query(move |db| Profiles::load_many(db, &ids))?;
        for (id, profile) in found.into_iter().filter_map(|(id, p)| Some((id, p?))) {
            // Who was here before was matched by a key.
            if profile.person == 0 || profile.created_at.micros() < spec.since_us {
                continue;
            }
            let Some(texts) = texts(&profile, country) else { continue };
            for key in blocking(&texts) {
                wanted.entry(key).or_default();
            }
            table.push(&texts);
            records.push(Record { profile: id, person: profile.person, new: true });
        }
    }
    done.people += records.len() as u64;
    let own: HashSet<i64> = records.iter().map(|r| r.profile).collect();
    let mut after = 0;
    while !records.is_empty() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let page = domain.store().query(move |db| profiles::page(db, after, PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (id, profile) in &page {
            if profile.person == 0 || own.contains(id) {
                continue;
            }
            let Some(texts) = texts(profile, country) else { continue };
            for key in blocking(&texts) {
                if let Some(found) = wanted.get_mut(&key).filter(|f| f.len() <= BLOCK_MAX) {
                    found.push(*id);
                }
            }
        }
    }
    // The rarest keys first: they say most, and what they bring together is bounded.
    let mut blocks: Vec<Vec<i64>> = wanted.into_values().filter(|f| !f.is_empty() && f.len() <= BLOCK_MAX).collect();
    blocks.sort_by_key(Vec::len);
    let mut known: HashSet<i64> = HashSet::new();
    for block in blocks {
        if known.len() >= CANDIDATES_MAX {
            break;
        }
        known.extend(block);
    }
    let mut candidates: Vec<i64> = known.into_iter().collect();
    candidates.sort_unstable();
    done.candidates += candidates.len() as u64;
    for part in candidates.chunks(PAGE as usize) {
        let ids = part.to_vec();
        let found = domain.store().query(move |db| Profiles::load_many(db, &ids))?;
        for (id, profile) in found.into_iter().filter_map(|(id, p)| Some((id, p?))) {
            if let Some(texts) = texts(&profile, country) {
                table.push(&texts);
                records.push(Record { profile: id, person: profile.person, new: false });
            }
        }
    }
    Ok(Some((table, records)))
}

/// Two profiles that seem to be one person.
#[derive(Debug, Clone, PartialEq)]
struct Pair {
    a: i64,
    b: i64,
    probability: f64,
    evidence: String,
}

/// Pairs with somebody new, the surest first.
fn pairs(mut table: Table, records: &[Record], file_from: f64) -> Vec<Pair> {
    if records.len() < 2 {
        return Vec::new();
    }
    let options = Options { threads: 1, ..Options::default() };
    let resolution = resolve::resolve(&mut table, &options, &|_, _, _| {});
    let mut groups: HashMap<u32, Vec<u32>> = HashMap::new();
    for (record, entity) in resolution.entity.iter().enumerate() {
        groups.entry(*entity).or_default().push(record as u32);
    }
    let mut out: Vec<Pair> = Vec::new();
    for group in groups.into_values().filter(|g| g.len() > 1) {
        let mut own: Vec<Pair> = Vec::new();
        for (at, a) in group.iter().enumerate() {
            for b in &group[at + 1..] {
                let (left, right) = (&records[*a as usize], &records[*b as usize]);
                if left.person == right.person || !(left.new || right.new) {
                    continue;
                }
                let scored = resolution.model.explain(&compare(&table.side(*a), &table.side(*b)));
                let probability = f64::from(scored.probability);
                if probability >= file_from {
                    let words: Vec<String> = scored.evidence.into_iter().take(6).map(|e| e.words).collect();
                    own.push(Pair { a: left.profile, b: right.profile, probability, evidence: words.join("; ") });
                }
            }
        }
        own.sort_by(|x, y| y.probability.total_cmp(&x.probability));
        own.truncate(GROUP_MAX);
        out.append(&mut own);
    }
    out.sort_by(|x, y| y.probability.total_cmp(&x.probability).then((x.a, x.b).cmp(&(y.a, y.b))));
    out
}

/// Files pairs for a look; joins those that the shop allows.
fn file(domain: &Domain, job: &Job, pairs: &[Pair], policy: Policy, done: &mut Recognised) -> Result<(), WorkError> {
    let room = (u64::from(policy.at_most)).saturating_sub(done.filed + done.joined) as usize;
    done.left += pairs.len().saturating_sub(room) as u64;
    for part in pairs[..pairs.len().min(room)].chunks(FILED) {
        let all = part.len() as u64;
        let (part, preparer) = (part.to_vec(), Arc::clone(domain.preparer()));
        let actor = format!("braid (import {})", job.subject);
        let (filed, joined) = domain.store().write(move |tx| {
            let (mut filed, mut joined) = (0, 0);
            for pair in &part {
                let evidence = &pair.evidence;
                if !review::file(tx, pair.a, pair.b, Rule::Resolve, Some(pair.probability), evidence)? {
                    continue;
                }
                let item = match policy.join_from {
                    Some(from) if pair.probability >= from => review::find(tx, pair.a, pair.b)?,
                    _ => None,
                };
                match item {
                    Some(item) => {
                        match pipeline::joins::decide(tx, &preparer, &item, Decision::Join, &actor) {
                            Ok(_) => joined += 1,
                            // It stays in the queue, where a person sees why.
                            Err(customers::joins::JoinError::Store(error)) => return Err(error),
                            Err(_) => filed += 1,
                        }
                    }
                    None => filed += 1,
                }
            }
            Ok::<_, DbError>((filed, joined))
        })?;
        done.filed += filed;
        done.joined += joined;
        done.left += all - filed - joined;
    }
    Ok(())
}
