//! Exact de-duplication of event ids in bounded memory.
//!
//! The newest ids stand in a set of at most [`MEMORY_BYTES`]; when it is half full, or an hour old, it is frozen, sorted on
//! a thread of its own and written as a *run*: pages of sorted ids with a small filter. A look-up asks the set, then each
//! run's filter, and confirms a hit in the run's page, so the answer is exact. Runs go when they are older than
//! `dedup_days`, except those that hold ids of imports, which never expire.
use crate::event::EventId;
use crate::log;
use crate::pack::{Reader, put_u64};
use crate::tx::Memory;
use crate::{Bulk, DbError, Engine, Tx};
use base::{DAY_US, HOUR_US, Timestamp};
use hashbrown::HashSet;
use std::sync::mpsc;

/// Memory for unsealed ids: a set of 16-byte ids with its control bytes, at most 7/8 full.
pub const MEMORY_BYTES: usize = 64 << 20;
/// Ids at which a run is sealed: half of what fits.
pub const SEAL_AT: usize = MEMORY_BYTES / 2 / 20;
/// Ids in a page of a run.
const PAGE_IDS: usize = 512;
/// Pages written with one group, so that sealing stalls nobody.
const PAGES_PER_GROUP: usize = 64;
/// Bits an id in a run's filter: 1 false hit in a hundred, and a false hit costs one page read.
const FILTER_BITS: usize = 10;
const FILTER_HASHES: u32 = 7;

#[derive(Debug)]
struct Run {
    run: i64,
    newest_at: Timestamp,
    keep_for_ever: bool,
    /// First id of each page.
    firsts: Vec<EventId>,
    filter: Vec<u64>,
}

impl Run {
    fn may_hold(&self, id: EventId) -> bool {
        let bits = self.filter.len() as u64 * 64;
        bits > 0 && bit_positions(id, bits).all(|b| self.filter[(b / 64) as usize] >> (b % 64) & 1 == 1)
    }
}

fn bit_positions(id: EventId, bits: u64) -> impl Iterator<Item = u64> {
    // Double hashing (Kirsch, Mitzenmacher 2006): ids are hashes already.
    let (a, b) = (id as u64, (id >> 64) as u64 | 1);
    (0..u64::from(FILTER_HASHES)).map(move |i| a.wrapping_add(b.wrapping_mul(i)) % bits)
}

/// A run as its thread made it.
struct Sorted {
    ids: Vec<EventId>,
    /// First id of each page.
    firsts: Vec<EventId>,
    filter: Vec<u64>,
}

impl Sorted {
    fn make(mut ids: Vec<EventId>) -> Self {
        ids.sort_unstable();
        let firsts = ids.chunks(PAGE_IDS).map(|c| c[0]).collect();
        let bits = (ids.len() * FILTER_BITS).next_multiple_of(64).max(64);
        let mut filter = vec![0u64; bits / 64];
        for id in &ids {
            for b in bit_positions(*id, bits as u64) {
                filter[(b / 64) as usize] |= 1 << (b % 64);
            }
        }
        Self { ids, firsts, filter }
    }
}

struct Sealing {
    run: i64,
    upto_seq: i64,
    newest_at: Timestamp,
    keep_for_ever: bool,
    ids: HashSet<EventId>,
    sorted: Option<Sorted>,
    receiver: mpsc::Receiver<Sorted>,
    /// Pages written in committed groups, and in this group.
    written: usize,
    fresh: usize,
}

/// The ids that were seen.
#[derive(Default)]
pub struct Dedup {
    set: HashSet<EventId>,
    /// Ids of this group, to be taken back when it is undone.
    fresh: Vec<EventId>,
    sealing: Option<Sealing>,
    runs: Vec<Run>,
    started_at: Timestamp,
    imports: bool,
    next_run: i64,
    /// Set when this group finishes a run.
    finished: Option<Run>,
    /// The group that was maintained last: one piece a group, however many batches it has.
    maintained: i64,
}

static PAGES: Bulk =
    Bulk { table: "dedup_pages", columns: &[("run", 'i'), ("page", 'i'), ("ids", 'b')], key: 2, insert_only: false };

impl Memory for Dedup {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self::default();
        let mut sealed_upto = 1;
        for row in
            db.rows("SELECT run, upto_seq, newest_at, keep_for_ever, filter FROM dedup_runs ORDER BY run", &[])?
        {
            let run = row.int(0)?;
            sealed_upto = sealed_upto.max(row.int(1)?);
            let (firsts, filter) = decode_filter(row.blob(4)?)?;
            let newest_at = Timestamp::from_micros(row.int(2)?);
            out.runs.push(Run { run, newest_at, keep_for_ever: row.int(3)? == 1, firsts, filter });
            out.next_run = out.next_run.max(run);
        }
        // A run that a kill left half written is begun again; its pages are overwritten.
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
    fn commit(&mut self) {
        self.fresh.clear();
        if let Some(run) = self.finished.take() {
            self.runs.push(run);
            self.sealing = None;
        } else if let Some(sealing) = &mut self.sealing {
            sealing.written += std::mem::take(&mut sealing.fresh);
        }
    }
    fn rollback(&mut self) {
        for id in self.fresh.drain(..) {
            self.set.remove(&id);
        }
        self.maintained = 0;
        if self.finished.take().is_some() {
            // What was sorted went with it; the frozen ids are sorted again, as a run of their own.
            if let Some(sealing) = self.sealing.take() {
                self.set.extend(sealing.ids);
            }
        } else if let Some(sealing) = &mut self.sealing {
            sealing.fresh = 0;
        }
    }
}

impl Dedup {
    /// Bytes in use, for metrics.
    pub fn ids_in_memory(&self) -> usize {
        self.set.len() + self.sealing.as_ref().map_or(0, |s| s.ids.len())
    }
    /// Sealed runs.
    pub fn run_count(&self) -> usize {
        self.runs.len()
    }
}

/// Whether an id is new; if it is, it is remembered.
pub fn insert(tx: &mut Tx, id: EventId) -> Result<bool, DbError> {
    if contains(tx, id)? {
        return Ok(false);
    }
    let dedup = tx.memory::<Dedup>()?;
    dedup.set.insert(id);
    dedup.fresh.push(id);
    Ok(true)
}

/// Whether an id was seen.
pub fn contains(tx: &mut Tx, id: EventId) -> Result<bool, DbError> {
    let dedup = tx.memory::<Dedup>()?;
    if dedup.set.contains(&id) || dedup.sealing.as_ref().is_some_and(|s| s.ids.contains(&id)) {
        return Ok(true);
    }
    let suspects: Vec<(i64, i64)> = dedup
        .runs
        .iter()
        .rev()
        .filter(|run| run.may_hold(id))
        .map(|run| (run.run, run.firsts.partition_point(|first| *first <= id) as i64 - 1))
        .filter(|(_, page)| *page >= 0)
        .collect();
    for (run, page) in suspects {
        let sql = "SELECT ids FROM dedup_pages WHERE run = $1 AND page = $2";
        if let Some(row) = tx.first(sql, &[run.into(), page.into()])? {
            let ids = row.blob(0)?.as_chunks::<16>().0;
            if ids.binary_search_by_key(&id, |c| u128::from_le_bytes(*c)).is_ok() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Takes an id back whose event is not logged after all, in the same group.
pub fn forget(tx: &mut Tx, id: EventId) -> Result<(), DbError> {
    tx.memory::<Dedup>()?.set.remove(&id);
    Ok(())
}

/// Seals, writes pages of a run that is being sealed, and drops runs that are too old: a bounded piece of it, called once a
/// group.
pub fn maintain(tx: &mut Tx, dedup_days: i64, imported: bool) -> Result<(), DbError> {
    let (now, next_seq, group) = (tx.now(), tx.next_seq(), tx.group());
    let dedup = tx.memory::<Dedup>()?;
    dedup.imports |= imported;
    if dedup.maintained == group {
        return Ok(());
    }
    dedup.maintained = group;
    if dedup.set.len() == dedup.fresh.len() {
        dedup.started_at = now;
    }
    let old = dedup.set.len() > 65_536 && now.micros() - dedup.started_at.micros() > HOUR_US;
    // Sealed at the border of a group only: a group that is undone would have to be taken out of the frozen set.
    if dedup.sealing.is_none() && dedup.fresh.is_empty() && (dedup.set.len() >= SEAL_AT || old) {
        dedup.next_run += 1;
        // The next set will be as large: growing it step by step would move every id at each step.
        let room = HashSet::with_capacity(dedup.set.len());
        let ids = std::mem::replace(&mut dedup.set, room);
        let (sender, receiver) = mpsc::sync_channel(1);
        let copy: Vec<EventId> = ids.iter().copied().collect();
        std::thread::spawn(move || {
            let _ = sender.send(Sorted::make(copy));
        });
        dedup.sealing = Some(Sealing {
            run: dedup.next_run,
            upto_seq: next_seq,
            newest_at: now,
            keep_for_ever: std::mem::take(&mut dedup.imports),
            ids,
            sorted: None,
            receiver,
            written: 0,
            fresh: 0,
        });
    }
    if dedup.sealing.is_some() {
        write_some(tx)?;
    }
    drop_old(tx, now, dedup_days)
}

fn write_some(tx: &mut Tx) -> Result<(), DbError> {
    let dedup = tx.memory::<Dedup>()?;
    let Some(sealing) = &mut dedup.sealing else { return Ok(()) };
    if sealing.sorted.is_none() {
        sealing.sorted = sealing.receiver.try_recv().ok();
    }
    let Some(sorted) = &sealing.sorted else { return Ok(()) };
    let run = sealing.run;
    let from = sealing.written;
    let pages: Vec<(i64, Vec<u8>)> = sorted
        .ids
        .chunks(PAGE_IDS)
        .enumerate()
        .skip(from)
        .take(PAGES_PER_GROUP)
        .map(|(page, ids)| (page as i64, ids.iter().flat_map(|id| id.to_le_bytes()).collect()))
        .collect();
    sealing.fresh = pages.len();
    let done = from + pages.len() >= sorted.ids.len().div_ceil(PAGE_IDS);
    let mut last = None;
    if done {
        let Some(Sorted { ids, firsts, filter }) = sealing.sorted.take() else { return Ok(()) };
        let encoded = encode_filter(&firsts, &filter);
        last = Some((sealing.upto_seq, sealing.newest_at, sealing.keep_for_ever, ids.len() as i64, encoded));
        // Should this group be undone, memory is loaded again: the run is begun anew.
        dedup.finished =
            Some(Run { run, newest_at: sealing.newest_at, keep_for_ever: sealing.keep_for_ever, firsts, filter });
    }
    for (page, ids) in pages {
        tx.append(&PAGES, vec![run.into(), page.into(), ids.into()]);
    }
    if let Some((upto, newest, for_ever, count, filter)) = last {
        tx.execute(
            "INSERT INTO dedup_runs (run, upto_seq, newest_at, keep_for_ever, count, filter) VALUES ($1, $2, $3, $4, $5, $6)",
            &[run.into(), upto.into(), newest.micros().into(), i64::from(for_ever).into(), count.into(), (&filter).into()],
        )?;
    }
    Ok(())
}

fn drop_old(tx: &mut Tx, now: Timestamp, dedup_days: i64) -> Result<(), DbError> {
    let limit = now.plus(-dedup_days * DAY_US);
    let dedup = tx.memory::<Dedup>()?;
    let Some(at) = dedup.runs.iter().position(|r| r.newest_at < limit && !r.keep_for_ever) else { return Ok(()) };
    let run = dedup.runs.remove(at).run;
    tx.execute("DELETE FROM dedup_pages WHERE run = $1", &[run.into()])?;
    tx.execute("DELETE FROM dedup_runs WHERE run = $1", &[run.into()])?;
    Ok(())
}

fn encode_filter(firsts: &[EventId], filter: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(firsts.len() * 16 + filter.len() * 8 + 8);
    put_u64(&mut out, firsts.len() as u64);
    firsts.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
    filter.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    out
}

fn decode_filter(bytes: &[u8]) -> Result<(Vec<EventId>, Vec<u64>), DbError> {
    let mut reader = Reader::new(bytes);
    let count = reader.u64()? as usize;
    let mut firsts = Vec::with_capacity(count.min(1 << 20));
    for _ in 0..count {
        firsts.push(reader.u128()?);
    }
    let mut head = Vec::new();
    put_u64(&mut head, count as u64);
    let rest = bytes.get(head.len() + count * 16..).unwrap_or_default();
    Ok((firsts, rest.as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c)).collect()))
}
