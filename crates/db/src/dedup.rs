//! Exact de-duplication of event ids in bounded memory.
//!
//! The newest ids stand in a set of at most [`MEMORY_BYTES`]; when it is half full, or an hour old, it is frozen, sorted on
//! a thread of its own and written as a *run*: pages of sorted ids, with filters. A look-up asks the set, then each run's
//! filter, and confirms what may be there in one page, so the answer is exact. Runs are merged with their like, so that
//! there are a few dozen however long the window is ([`plan`]); they go when they are older than `dedup_days`, except those
//! that hold ids of imports, which never expire.
//!
//! Sorting and merging happen beside the writer; what they make comes in pieces that the groups write. Every step is a
//! fact of its own: a run that a kill left half written, or half deleted, is deleted after the next start. Filters are read
//! when they are needed first, and ahead after a start; until then, and beyond [`FILTER_BYTES`], pages answer alone.
use crate::event::EventId;
use crate::log;
use crate::tx::Memory;
use crate::{Bulk, DbError, Engine, Lookup, Owned, Tx, Value};
use base::{DAY_US, HOUR_US, Timestamp};
use fuse::Fuse;
use hashbrown::{HashMap, HashSet};
use run::{Building, Former, Head, Hint, PART_PAGES, Piece, Run};
use std::collections::VecDeque;
use std::sync::mpsc::{self, TryRecvError};

mod ahead;
pub mod bench;
mod fuse;
mod plan;
mod run;

pub(crate) use ahead::FiltersAhead;
pub use run::page_of;

/// Memory for unsealed ids: a set of 16-byte ids with its control bytes, at most 7/8 full.
pub const MEMORY_BYTES: usize = 64 << 20;
/// Ids at which a run is sealed: half of what fits.
pub const SEAL_AT: usize = MEMORY_BYTES / 2 / 20;
/// Memory for filters. At nine bits an id it holds those of 700 million.
pub const FILTER_BYTES: usize = 800 << 20;
/// Pieces of 32 pages written with one group, so that sealing and merging stall nobody.
const PIECES_PER_GROUP: usize = 2;
/// Pages of a run that goes, deleted with one group.
const DELETED_PER_GROUP: i64 = 128;
/// Filters that the writer reads itself for a batch, at most.
const FILTERS_AT_ONCE: usize = 4;
/// Rest after a merge that failed.
const REST_US: i64 = 60 * 1_000_000;

/// The ids that were seen.
#[derive(Default)]
pub struct Dedup {
    set: HashSet<EventId>,
    /// Ids of this group, to be taken back when it is undone.
    fresh: Vec<EventId>,
    /// The set that is being sealed.
    frozen: HashSet<EventId>,
    sealing: Option<Building>,
    merging: Option<Building>,
    runs: Vec<Run>,
    going: VecDeque<Going>,
    started_at: Timestamp,
    imports: bool,
    next_run: i64,
    filter_bytes: usize,
    /// Pages that were read for the running batch.
    pages: HashMap<(i64, i64), Vec<u8>>,
    /// The group that was maintained last: one piece a group, however many batches it has.
    maintained: i64,
    merge_at: Timestamp,
}

/// A run whose pages are being deleted.
struct Going {
    head: Head,
    /// Pages, and then filters, before this are gone.
    done: i64,
    step: i64,
}

impl Going {
    fn new(head: Head) -> Self {
        Self { head, done: 0, step: 0 }
    }
    fn steps(&self) -> i64 {
        self.head.stored_pages()
    }
}

static PAGES: Bulk =
    Bulk { table: "dedup_pages", columns: &[("run", 'i'), ("page", 'i'), ("ids", 'b')], key: 2, insert_only: false };
static FILTERS: Bulk =
    Bulk { table: "dedup_filters", columns: &[("run", 'i'), ("part", 'i'), ("bits", 'b')], key: 2, insert_only: false };
static RUNS: Bulk = Bulk {
    table: "dedup_runs",
    columns: &[
        ("run", 'i'),
        ("upto_seq", 'i'),
        ("newest_at", 'i'),
        ("keep_for_ever", 'i'),
        ("count", 'i'),
        ("filter", 'b'),
        ("state", 'i'),
        ("level", 'i'),
        ("pages", 'i'),
        ("oldest_at", 'i'),
    ],
    key: 1,
    insert_only: false,
};
static PAGE: Lookup = Lookup { table: "dedup_pages", keys: &[("run", 'i'), ("page", 'i')], columns: "ids", order: "" };
static FILTER: Lookup =
    Lookup { table: "dedup_filters", keys: &[("run", 'i'), ("part", 'i')], columns: "bits", order: "" };

/// States of a run's row.
const LIVE: i64 = 0;
const WRITING: i64 = 1;
const GOING: i64 = 2;

const READ_RUNS: &str = "SELECT run, upto_seq, newest_at, keep_for_ever, count, state, level, pages, oldest_at FROM dedup_runs ORDER BY run";
const READ_FORMER: &str = "SELECT filter FROM dedup_runs WHERE run = $1";

fn row_of(head: &Head, state: i64) -> Vec<Owned> {
    vec![
        head.run.into(),
        head.upto_seq.into(),
        head.newest_at.micros().into(),
        i64::from(head.keep_for_ever).into(),
        head.count.into(),
        Vec::new().into(),
        state.into(),
        head.level.into(),
        head.pages.into(),
        head.oldest_at.micros().into(),
    ]
}

impl Memory for Dedup {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self::default();
        let mut sealed_upto = 1;
        for row in db.rows(READ_RUNS, &[])? {
            let at = |column| row.int(column).map(Timestamp::from_micros);
            let head = Head {
                run: row.int(0)?,
                upto_seq: row.int(1)?,
                newest_at: at(2)?,
                keep_for_ever: row.int(3)? == 1,
                count: row.int(4)?,
                level: row.int(6)?,
                pages: row.int(7)?,
                oldest_at: at(8)?,
            };
            out.next_run = out.next_run.max(head.run);
            let state = row.int(5)?;
            if state != WRITING {
                // What goes was whole once: its ids were sealed. They need not be read from the log.
                sealed_upto = sealed_upto.max(head.upto_seq);
            }
            if state == LIVE {
                out.add(head);
            } else {
                // What a kill left half written, or half deleted.
                out.going.push_back(Going::new(head));
            }
        }
        for run in out.runs.iter_mut().filter(|run| run.head.pages == 0) {
            let row = db.first(READ_FORMER, &[run.head.run.into()])?;
            run.former = row.map(|row| Former::decode(row.blob(0)?)).transpose()?;
        }
        log::each(db, sealed_upto, false, &mut |row| {
            out.imports |= row.origin == crate::event::Origin::Import;
            if out.set.is_empty() {
                out.started_at = row.received_at;
            }
            out.set.extend(row.ids.iter().copied().filter(|id| *id != 0));
            Ok(true)
        })?;
        Ok(out)
    }
    fn reload(&mut self, db: &mut Engine) -> Result<(), DbError> {
        let mut fresh = Self::load(db)?;
        // A run never changes, so neither do its filters.
        for run in &mut fresh.runs {
            if let Some(known) = self.runs.iter_mut().find(|known| known.head == run.head) {
                run.parts = std::mem::take(&mut known.parts);
            }
        }
        fresh.filter_bytes = fresh.runs.iter().flat_map(|r| r.parts.iter().flatten()).map(Fuse::weight).sum();
        *self = fresh;
        Ok(())
    }
    fn commit(&mut self) {
        self.fresh.clear();
        self.pages.clear();
        for building in [&mut self.sealing, &mut self.merging].into_iter().flatten() {
            building.commit();
        }
        if let Some(done) = self.sealing.take_if(|b| b.ends) {
            self.frozen = HashSet::new();
            self.publish(done);
        }
        if let Some(done) = self.merging.take_if(|b| b.ends) {
            self.publish(done);
        }
        if let Some(first) = self.going.front_mut() {
            first.done += std::mem::take(&mut first.step);
        }
        self.going.pop_front_if(|g| g.done >= g.steps());
    }
    fn rollback(&mut self) {
        self.pages.clear();
        for id in self.fresh.drain(..) {
            self.set.remove(&id);
        }
        self.maintained = 0;
        for building in [&mut self.sealing, &mut self.merging].into_iter().flatten() {
            building.rollback();
        }
        if let Some(first) = self.going.front_mut() {
            first.step = 0;
        }
    }
}

impl Dedup {
    /// Ids that are in no run yet.
    pub fn ids_in_memory(&self) -> usize {
        self.set.len() + self.frozen.len()
    }
    /// Runs that are looked up in.
    pub fn run_count(&self) -> usize {
        self.runs.len()
    }
    /// Bytes of filters in memory.
    pub fn filter_bytes(&self) -> usize {
        self.filter_bytes
    }
    /// Filters that are not in memory.
    pub fn filters_missing(&self) -> usize {
        self.runs.iter().map(|r| r.parts.iter().filter(|p| p.is_none()).count()).sum()
    }
    /// Whether nothing is being sealed, merged or deleted.
    pub fn is_settled(&self) -> bool {
        self.sealing.is_none() && self.merging.is_none() && self.going.is_empty()
    }

    fn add(&mut self, head: Head) {
        let parts = (0..head.parts()).map(|_| None).collect();
        self.runs.push(Run { head, parts, former: None });
    }
    /// A run that was written whole takes the place of those that it was made of.
    fn publish(&mut self, done: Building) {
        let Building { head, inputs, parts, .. } = done;
        let (gone, stay) = std::mem::take(&mut self.runs).into_iter().partition(|r| inputs.contains(&r.head.run));
        self.runs = stay;
        self.runs.push(Run { head, parts, former: None });
        self.going.extend::<Vec<Going>>(Vec::<Run>::into_iter(gone).map(|r| Going::new(r.head)).collect());
        self.filter_bytes = self.runs.iter().flat_map(|r| r.parts.iter().flatten()).map(Fuse::weight).sum();
    }
    fn keep_filter(&mut self, run: i64, part: i64, filter: Fuse) {
        let Some(run) = self.runs.iter_mut().find(|r| r.head.run == run) else { return };
        if let Some(slot @ None) = run.parts.get_mut(part as usize)
            && self.filter_bytes + filter.weight() <= FILTER_BYTES
        {
            self.filter_bytes += filter.weight();
            *slot = Some(filter);
        }
    }
}

/// Whether an id is new; if it is, it is remembered.
pub fn insert(tx: &mut Tx, id: EventId) -> Result<bool, DbError> {
    let sealed = in_runs(tx, &[id])?;
    insert_unless(tx, id, sealed.first().is_some_and(|s| *s))
}

/// Whether an id is new, where it is known whether a run holds it ([`in_runs`]); if it is, it is remembered.
pub fn insert_unless(tx: &mut Tx, id: EventId, sealed: bool) -> Result<bool, DbError> {
    let dedup = tx.memory::<Dedup>()?;
    if sealed || dedup.frozen.contains(&id) || !dedup.set.insert(id) {
        return Ok(false);
    }
    dedup.fresh.push(id);
    Ok(true)
}

/// Whether an id was seen.
pub fn contains(tx: &mut Tx, id: EventId) -> Result<bool, DbError> {
    let dedup = tx.memory::<Dedup>()?;
    if dedup.set.contains(&id) || dedup.frozen.contains(&id) {
        return Ok(true);
    }
    Ok(in_runs(tx, &[id])?.first().is_some_and(|s| *s))
}

/// Which of the ids stand in runs. Filters that are needed first are read, then the pages of those that may be there, each in
/// one statement.
pub fn in_runs(tx: &mut Tx, ids: &[EventId]) -> Result<Vec<bool>, DbError> {
    let mut found = vec![false; ids.len()];
    if tx.memory::<Dedup>()?.runs.is_empty() {
        return Ok(found);
    }
    read_filters(tx, ids)?;
    let dedup = tx.memory::<Dedup>()?;
    let mut suspects: Vec<(i64, i64, usize)> = Vec::new();
    for run in &dedup.runs {
        for (at, id) in ids.iter().enumerate() {
            match run.hint(*id) {
                Hint::Absent => {}
                Hint::Perhaps(page) => suspects.push((run.head.run, page, at)),
                // Its filter has no room in memory: the page answers alone.
                Hint::NeedsFilter(_) => suspects.push((run.head.run, page_of(*id, run.head.pages), at)),
            }
        }
    }
    if suspects.is_empty() {
        return Ok(found);
    }
    suspects.sort_unstable();
    let mut wanted: Vec<(i64, i64)> = suspects.iter().map(|(run, page, _)| (*run, *page)).collect();
    wanted.dedup();
    let keys: Vec<[Value<'_>; 2]> = wanted.iter().map(|(run, page)| [(*run).into(), (*page).into()]).collect();
    let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
    tx.lookup(&PAGE, &refs, &mut |key, row| {
        let held = row.blob(0)?.as_chunks::<16>().0;
        let from = suspects.partition_point(|(run, page, _)| (*run, *page) < wanted[key]);
        for (.., at) in suspects[from..].iter().take_while(|(run, page, _)| (*run, *page) == wanted[key]) {
            found[*at] |= held.binary_search_by_key(&ids[*at], |c| EventId::from_le_bytes(*c)).is_ok();
        }
        Ok(())
    })?;
    Ok(found)
}

/// Reads the filters that the ids ask for and that are not in memory, as far as there is room.
fn read_filters(tx: &mut Tx, ids: &[EventId]) -> Result<(), DbError> {
    let dedup = tx.memory::<Dedup>()?;
    if dedup.filter_bytes >= FILTER_BYTES {
        return Ok(());
    }
    let mut wanted: Vec<(i64, i64)> = Vec::new();
    for run in dedup.runs.iter().filter(|r| r.parts.iter().any(Option::is_none)) {
        for id in ids {
            if let Hint::NeedsFilter(part) = run.hint(*id) {
                wanted.push((run.head.run, part));
            }
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    wanted.sort_unstable();
    wanted.dedup();
    // A filter costs as much as some dozen pages. Right after a start every id asks for another one in each run: reading them
    // here made the first request of a month's store wait for ten seconds. The pages answer, and the filters come ahead.
    if ids.len() < 16 || wanted.len() > FILTERS_AT_ONCE {
        return Ok(());
    }
    let keys: Vec<[Value<'_>; 2]> = wanted.iter().map(|(run, part)| [(*run).into(), (*part).into()]).collect();
    let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
    let mut read = Vec::new();
    tx.lookup(&FILTER, &refs, &mut |key, row| {
        read.push((wanted[key], Fuse::decode(row.blob(0)?)?));
        Ok(())
    })?;
    let dedup = tx.memory::<Dedup>()?;
    read.into_iter().for_each(|((run, part), filter)| dedup.keep_filter(run, part, filter));
    Ok(())
}

/// Takes an id back whose event is not logged after all, in the same group.
pub fn forget(tx: &mut Tx, id: EventId) -> Result<(), DbError> {
    tx.memory::<Dedup>()?.set.remove(&id);
    Ok(())
}

/// Seals, merges, writes pages of runs that are being made, and deletes those of runs that are too old or were merged: a
/// bounded piece of it, once a group.
pub fn maintain(tx: &mut Tx, dedup_days: i64, imported: bool) -> Result<(), DbError> {
    let (now, next_seq, group, seal_ids) = (tx.now(), tx.next_seq(), tx.group(), tx.seal_ids);
    let dedup = tx.memory::<Dedup>()?;
    dedup.imports |= imported;
    if dedup.maintained == group {
        return Ok(());
    }
    dedup.maintained = group;
    if dedup.set.len() == dedup.fresh.len() {
        dedup.started_at = now;
    }
    let old = dedup.set.len() > seal_ids / 25 && now.micros() - dedup.started_at.micros() > HOUR_US;
    // Sealed at the border of a group only: a group that is undone would have to be taken out of the frozen set.
    if dedup.sealing.is_none() && dedup.fresh.is_empty() && (dedup.set.len() >= seal_ids || old) {
        dedup.seal(now, next_seq);
    }
    if dedup.merging.is_none() && dedup.merge_at <= now {
        begin_merge(tx, dedup_days)?;
    }
    write_some(tx, false)?;
    write_some(tx, true)?;
    drop_old(tx, now, dedup_days)?;
    delete_some(tx)
}

impl Dedup {
    fn seal(&mut self, now: Timestamp, next_seq: i64) {
        self.next_run += 1;
        // The next set will be as large: growing it step by step would move every id at each step.
        let room = HashSet::with_capacity(self.set.len());
        self.frozen = std::mem::replace(&mut self.set, room);
        let count = self.frozen.len() as i64;
        let head = Head {
            run: self.next_run,
            level: 0,
            count,
            pages: pages_for(count),
            upto_seq: next_seq,
            oldest_at: self.started_at,
            newest_at: now,
            keep_for_ever: std::mem::take(&mut self.imports),
        };
        let (sender, receiver) = mpsc::sync_channel(4);
        let (ids, pages) = (self.frozen.iter().copied().collect(), head.pages);
        std::thread::spawn(move || run::sort(ids, pages, sender));
        self.sealing = Some(Building::new(head, receiver, Vec::new()));
    }
}

pub(crate) fn pages_for(count: i64) -> i64 {
    (count / run::PAGE_IDS).max(1)
}

fn begin_merge(tx: &mut Tx, dedup_days: i64) -> Result<(), DbError> {
    let Some((location, sync)) = tx.reader() else { return Ok(()) };
    let dedup = tx.memory::<Dedup>()?;
    let heads: Vec<&Head> = dedup.runs.iter().map(|r| &r.head).collect();
    let Some(chosen) = plan::choose(&heads, dedup_days) else { return Ok(()) };
    let inputs: Vec<Head> =
        dedup.runs.iter().filter(|r| chosen.contains(&r.head.run)).map(|r| r.head.clone()).collect();
    let Some(first) = inputs.first() else { return Ok(()) };
    dedup.next_run += 1;
    let count = inputs.iter().map(|h| h.count).sum();
    let head = Head {
        run: dedup.next_run,
        level: first.level + 1,
        count,
        pages: pages_for(count),
        upto_seq: inputs.iter().map(|h| h.upto_seq).max().unwrap_or(1),
        oldest_at: inputs.iter().map(|h| h.oldest_at).min().unwrap_or_default(),
        newest_at: inputs.iter().map(|h| h.newest_at).max().unwrap_or_default(),
        keep_for_ever: first.keep_for_ever,
    };
    let (sender, receiver) = mpsc::sync_channel(4);
    let pages = head.pages;
    dedup.merging = Some(Building::new(head, receiver, chosen));
    std::thread::spawn(move || match location.open(sync, true) {
        Ok(mut db) => run::merge(&mut db, &inputs, pages, sender),
        Err(error) => tracing::warn!(%error, "runs of ids cannot be merged now"),
    });
    Ok(())
}

/// Writes what the sealing or merging thread has ready.
fn write_some(tx: &mut Tx, merge: bool) -> Result<(), DbError> {
    let (now, patient) = (tx.now(), tx.patient);
    let dedup = tx.memory::<Dedup>()?;
    let slot = if merge { &mut dedup.merging } else { &mut dedup.sealing };
    let Some(building) = slot else { return Ok(()) };
    while building.taken.len() < PIECES_PER_GROUP {
        let next = match building.again.pop_front() {
            Some(piece) => Ok(piece),
            None if patient => building.receiver.recv().map_err(|_| TryRecvError::Disconnected),
            None => building.receiver.try_recv(),
        };
        match next {
            Ok(piece) => {
                building.ends = piece.last;
                building.taken.push(piece);
                if building.ends {
                    break;
                }
            }
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => {
                if building.taken.is_empty() {
                    // It failed: its pages go, and it is tried again, a merge after a rest.
                    let head = building.head.clone();
                    *slot = None;
                    if merge {
                        dedup.merge_at = now.plus(REST_US);
                    } else {
                        dedup.set.extend(dedup.frozen.drain());
                    }
                    // Never the mark of where the log is sealed.
                    dedup.going.push_back(Going::new(Head { upto_seq: 0, ..head }));
                    return Ok(());
                }
                break;
            }
        }
    }
    if building.taken.is_empty() {
        return Ok(());
    }
    let (run, inputs) = (building.head.run, building.inputs.clone());
    let announce = !building.announced || building.ends;
    let ends = building.ends;
    if ends {
        // Repeats between runs were left out.
        building.head.count = building.written + building.taken.iter().map(|p| p.ids).sum::<i64>();
    }
    let row = announce.then(|| row_of(&building.head, if ends { LIVE } else { WRITING }));
    let (mut pages, mut filters) = (Vec::new(), Vec::new());
    for Piece { pages: p, filters: f, .. } in &building.taken {
        pages.extend(p.iter().map(|(page, ids)| vec![run.into(), (*page).into(), ids.clone().into()]));
        filters.extend(f.iter().map(|(part, filter)| vec![run.into(), (*part).into(), filter.encode().into()]));
    }
    pages.into_iter().for_each(|page| tx.append(&PAGES, page));
    filters.into_iter().for_each(|filter| tx.append(&FILTERS, filter));
    row.into_iter().for_each(|row| tx.append(&RUNS, row));
    if ends && !inputs.is_empty() {
        mark_going(tx, &inputs)?;
    }
    Ok(())
}

fn mark_going(tx: &mut Tx, runs: &[i64]) -> Result<(), DbError> {
    for run in runs {
        tx.execute("UPDATE dedup_runs SET state = $2 WHERE run = $1", &[(*run).into(), GOING.into()])?;
    }
    Ok(())
}

/// Takes runs out that are too old; those that are being merged go with what they become.
fn drop_old(tx: &mut Tx, now: Timestamp, dedup_days: i64) -> Result<(), DbError> {
    let limit = now.plus(-dedup_days * DAY_US);
    let dedup = tx.memory::<Dedup>()?;
    let merging = dedup.merging.as_ref().map(|m| m.inputs.clone()).unwrap_or_default();
    let too_old = |r: &Run| r.head.newest_at < limit && !r.head.keep_for_ever && !merging.contains(&r.head.run);
    let Some(at) = dedup.runs.iter().position(too_old) else { return Ok(()) };
    // Should this group be undone, the run is in memory no more, and its row lives: the next start drops it again.
    let run = dedup.runs.remove(at);
    dedup.filter_bytes -= run.parts.iter().flatten().map(Fuse::weight).sum::<usize>();
    let number = run.head.run;
    dedup.going.push_back(Going::new(run.head));
    mark_going(tx, &[number])
}

/// Deletes some pages of a run that goes; its row goes last.
fn delete_some(tx: &mut Tx) -> Result<(), DbError> {
    let dedup = tx.memory::<Dedup>()?;
    let Some(first) = dedup.going.front_mut() else { return Ok(()) };
    let (run, from, upto_seq) = (first.head.run, first.done, first.head.upto_seq);
    let to = (from + DELETED_PER_GROUP).min(first.steps());
    first.step = to - from;
    let last = to >= first.steps();
    // Where the log is not sealed yet must stay known, also when everything sealed was dropped.
    let newest = dedup.runs.iter().map(|r| r.head.upto_seq).max().unwrap_or(0) <= upto_seq;
    let range: [Value<'_>; 3] = [run.into(), from.into(), to.into()];
    tx.execute("DELETE FROM dedup_pages WHERE run = $1 AND page >= $2 AND page < $3", &range)?;
    let parts: [Value<'_>; 3] = [run.into(), (from / PART_PAGES).into(), ((to + PART_PAGES - 1) / PART_PAGES).into()];
    tx.execute("DELETE FROM dedup_filters WHERE run = $1 AND part >= $2 AND part < $3", &parts)?;
    if from == 0 {
        mark_going(tx, &[run])?;
    }
    if last && !newest {
        tx.execute("DELETE FROM dedup_runs WHERE run = $1", &[run.into()])?;
    }
    Ok(())
}
