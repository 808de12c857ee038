//! A person's newest events, read without reading the whole index.
//!
//! Chunks say of which times and names they hold events, and are read in the order of their newest one. An entry is given
//! out when no chunk that is still unread can hold a later one: so the page is exact, however late events came, and a person
//! of a hundred thousand events costs a handful of chunks. What a filter makes of that is bounded too: after
//! [`Ask::chunks_max`] chunks the page ends where it is, with a place to go on from.
use crate::commands::TimelineEntry;
use crate::profiles::Read;
use base::Timestamp;
use db::DbError;
use db::index::{self, Chunk, Entry, Newest};
use std::collections::BinaryHeap;

/// A place in a timeline: everything strictly before it in `(timestamp, seq)` comes after it on the page.
pub type Place = (Timestamp, i64);

/// Chunks that a page with a filter may read before it ends short: 256 of 64 entries.
pub const CHUNKS_MAX: usize = 256;

/// Which page of which entries.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Where it begins; the newest entry without it.
    pub before: Option<Place>,
    /// Only entries at or after this moment.
    pub from: Option<Timestamp>,
    /// Only entries before this moment.
    pub until: Option<Timestamp>,
    /// Which names, by number.
    pub wanted: &'a dyn Fn(u32) -> bool,
    /// The bits of those names ([`index::name_bit`]), -1 for all.
    pub names: i64,
    pub limit: usize,
    /// Chunks after which a page ends short.
    pub chunks_max: usize,
}

impl Ask<'_> {
    /// The newest entries of all names.
    pub fn newest(limit: usize) -> Ask<'static> {
        Ask { before: None, from: None, until: None, wanted: &|_| true, names: -1, limit, chunks_max: CHUNKS_MAX }
    }
    fn passes(&self, entry: &Entry) -> bool {
        self.before.is_none_or(|before| (entry.timestamp, entry.seq) < before)
            && self.from.is_none_or(|from| entry.timestamp >= from)
            && self.until.is_none_or(|until| entry.timestamp < until)
            && (self.wanted)(entry.name)
    }
}

/// What a page cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Chunks read.
    pub chunks: usize,
    /// Questions to the database.
    pub queries: usize,
}

/// Some entries, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub entries: Vec<TimelineEntry>,
    /// Where the next page begins; nothing when there is none.
    pub next: Option<Place>,
    pub work: Work,
}

/// How far the chunks of one profile are read.
struct Strand {
    profile_id: i64,
    /// The chunk read last; those unread are not newer. `None` when all are read.
    behind: Option<(i64, i64)>,
    /// Chunks asked for next: more with each question.
    step: i64,
}

/// Reads a page. O(chunks that can hold it), at most `chunks_max` beyond those that overlap its beginning.
pub fn page(read: &mut impl Read, profiles: &[i64], ask: &Ask<'_>) -> Result<Page, DbError> {
    let mut out = Page::default();
    let mut found: BinaryHeap<TimelineEntry> = BinaryHeap::new();
    let mut strands = Vec::with_capacity(profiles.len());
    let keep = |found: &mut BinaryHeap<TimelineEntry>, profile_id: i64, entries: &[Entry]| {
        let wanted = entries.iter().filter(|e| ask.passes(e));
        found.extend(wanted.map(|e| TimelineEntry { timestamp: e.timestamp, seq: e.seq, name: e.name, profile_id }));
    };
    for profile_id in profiles {
        // The row first: what is spilled after that is found in the chunks as well, and given out once.
        if let Some(row) = read.profile(*profile_id)? {
            keep(&mut found, *profile_id, &row.tail.entries());
        }
        strands.push(Strand { profile_id: *profile_id, behind: Some((i64::MAX, i64::MAX)), step: 2 });
    }
    // `until` is exclusive, the cursor's moment may hold earlier entries of the same moment.
    let until = ask.until.map_or(i64::MAX, |t| t.micros().saturating_sub(1));
    let until = ask.before.map_or(until, |(t, _)| t.micros().min(until));
    loop {
        let bound = strands.iter().filter_map(|s| s.behind.map(|(newest, _)| newest)).max();
        while let Some(entry) = found.peek().copied()
            && bound.is_none_or(|bound| entry.timestamp.micros() > bound)
        {
            found.pop();
            if out.entries.last().is_some_and(|last| last.seq == entry.seq) {
                continue;
            }
            if out.entries.len() == ask.limit {
                out.next = out.entries.last().map(|e| (e.timestamp, e.seq));
                return Ok(out);
            }
            out.entries.push(entry);
        }
        let Some(bound) = bound else { return Ok(out) };
        // Chunks that overlap the beginning are read in any case, or the page would never move on.
        if out.work.chunks >= ask.chunks_max && bound < until {
            out.next = Some((Timestamp::from_micros(bound), i64::MAX));
            return Ok(out);
        }
        let furthest = strands.iter_mut().filter(|s| s.behind.is_some()).max_by_key(|s| s.behind);
        let Some(strand) = furthest else { return Ok(out) };
        let Some(behind) = strand.behind else { return Ok(out) };
        let newest = Newest { behind, until, from: ask.from.map_or(i64::MIN, Timestamp::micros), names: ask.names };
        let rows = read.query(index::NEWEST, &newest.params(strand.profile_id, strand.step))?;
        out.work.queries += 1;
        out.work.chunks += rows.len();
        strand.behind = None;
        for row in &rows {
            let chunk = Chunk::read(row)?;
            keep(&mut found, strand.profile_id, &chunk.entries);
            strand.behind = Some((chunk.newest, chunk.chunk));
        }
        if (rows.len() as i64) < strand.step {
            strand.behind = None;
        }
        strand.step = (strand.step * 2).min(64);
    }
}

/// How many entries there are of each name, over the newest `chunks_max` chunks of each profile and what is not in chunks
/// yet; and whether that was all.
pub fn counts(read: &mut impl Read, profiles: &[i64], chunks_max: usize) -> Result<(Vec<(u32, i64)>, bool), DbError> {
    let mut counts: hashbrown::HashMap<u32, i64> = hashbrown::HashMap::new();
    let mut whole = true;
    for profile_id in profiles {
        let tail = read.profile(*profile_id)?.map(|row| row.tail.entries()).unwrap_or_default();
        let newest = Newest { behind: (i64::MAX, i64::MAX), until: i64::MAX, from: i64::MIN, names: -1 };
        let rows = read.query(index::NEWEST, &newest.params(*profile_id, chunks_max as i64 + 1))?;
        whole &= rows.len() <= chunks_max;
        let mut spilled = 0;
        for row in rows.iter().take(chunks_max) {
            let chunk = Chunk::read(row)?;
            for entry in &chunk.entries {
                spilled = spilled.max(entry.seq);
                *counts.entry(entry.name).or_default() += 1;
            }
        }
        for entry in tail.iter().filter(|e| e.seq > spilled) {
            *counts.entry(entry.name).or_default() += 1;
        }
    }
    let mut out: Vec<_> = counts.into_iter().collect();
    out.sort_unstable();
    Ok((out, whole))
}

#[cfg(test)]
mod tests;
