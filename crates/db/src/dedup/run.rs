//! A run: ids in pages by their value, with filters over parts of it.
//!
//! Ids are uniform, so an id's page follows from its value and the number of pages, and nothing must be kept to find it: page
//! = ⌊id · pages / 2¹²⁸⌋. Runs of before have pages of equal length instead, with the first id of each; they are read until
//! they are merged or dropped.
use super::fuse::Fuse;
use crate::event::EventId;
use crate::pack::{Reader, put_u64};
use crate::{DbError, Engine};
use base::Timestamp;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender};

/// Ids in a page, on average.
pub(super) const PAGE_IDS: i64 = 512;
/// Pages under one filter: a quarter of a million ids, 300 kB.
pub(super) const PART_PAGES: i64 = 512;
/// Pages that are handed to the writer at once.
const PIECE_PAGES: usize = 32;

/// Where an id stands in a run of so many pages.
pub fn page_of(id: EventId, pages: i64) -> i64 {
    (((id >> 64) * pages as u128) >> 64) as i64
}

/// What a run is, without its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub run: i64,
    /// How often its ids were merged.
    pub level: i64,
    pub count: i64,
    /// 0: a run of before.
    pub pages: i64,
    pub upto_seq: i64,
    pub oldest_at: Timestamp,
    pub newest_at: Timestamp,
    pub keep_for_ever: bool,
}

impl Head {
    /// Pages that may be stored under its number.
    pub(super) fn stored_pages(&self) -> i64 {
        if self.pages > 0 { self.pages } else { self.count / PAGE_IDS + 1 }
    }
    pub(super) fn parts(&self) -> i64 {
        (self.pages + PART_PAGES - 1) / PART_PAGES
    }
}

/// The filter and the page bounds of a run of before.
#[derive(Debug)]
pub(super) struct Former {
    firsts: Vec<EventId>,
    filter: Vec<u64>,
}

impl Former {
    const HASHES: u64 = 7;

    fn page_of(&self, id: EventId) -> Option<i64> {
        let bits = self.filter.len() as u64 * 64;
        let (a, b) = (id as u64, (id >> 64) as u64 | 1);
        let mut positions = (0..Self::HASHES).map(|i| a.wrapping_add(b.wrapping_mul(i)) % bits);
        if bits == 0 || !positions.all(|b| self.filter[(b / 64) as usize] >> (b % 64) & 1 == 1) {
            return None;
        }
        Some(self.firsts.partition_point(|first| *first <= id) as i64 - 1).filter(|page| *page >= 0)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DbError> {
        let mut reader = Reader::new(bytes);
        let count = reader.u64()? as usize;
        let mut firsts = Vec::with_capacity(count.min(1 << 20));
        for _ in 0..count {
            firsts.push(reader.u128()?);
        }
        let mut head = Vec::new();
        put_u64(&mut head, count as u64);
        let rest = bytes.get(head.len() + count * 16..).unwrap_or_default();
        Ok(Self { firsts, filter: rest.as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c)).collect() })
    }
}

/// A run that is looked up in.
#[derive(Debug)]
pub(super) struct Run {
    pub head: Head,
    /// Filters that are in memory.
    pub parts: Vec<Option<Fuse>>,
    pub former: Option<Former>,
}

/// What a run says of an id without reading a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Absent,
    /// It stands in this page, if anywhere.
    Perhaps(i64),
    /// This part's filter would say.
    NeedsFilter(i64),
}

impl Run {
    pub(super) fn hint(&self, id: EventId) -> Hint {
        if let Some(former) = &self.former {
            return former.page_of(id).map_or(Hint::Absent, Hint::Perhaps);
        }
        let page = page_of(id, self.head.pages);
        let part = page / PART_PAGES;
        match self.parts.get(part as usize) {
            Some(Some(filter)) if filter.may_hold(id) => Hint::Perhaps(page),
            Some(Some(_)) => Hint::Absent,
            _ => Hint::NeedsFilter(part),
        }
    }
}

/// Some pages of a run that is being made, and the filters of parts that end in it.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub pages: Vec<(i64, Vec<u8>)>,
    pub filters: Vec<(i64, Fuse)>,
    pub ids: i64,
    pub last: bool,
}

/// Cuts sorted ids into pieces and sends them.
pub(super) struct Cutter {
    pages: i64,
    out: SyncSender<Piece>,
    piece: Piece,
    page: (i64, Vec<u8>),
    part: (i64, Vec<EventId>),
    last: Option<EventId>,
}

/// Whoever waits for the pieces is gone.
pub(super) struct Gone;

impl Cutter {
    pub(super) fn new(pages: i64, out: SyncSender<Piece>) -> Self {
        let (page, part) = ((0, Vec::new()), (0, Vec::new()));
        Self { pages, out, piece: Piece::default(), page, part, last: None }
    }

    /// Takes the next id; they come in ascending order, a repeat is left out.
    pub(super) fn push(&mut self, id: EventId) -> Result<(), Gone> {
        if self.last.replace(id) == Some(id) {
            return Ok(());
        }
        let page = page_of(id, self.pages);
        if page != self.page.0 {
            self.end_page();
            self.page.0 = page;
            if self.piece.pages.len() >= PIECE_PAGES {
                self.send(false)?;
            }
        }
        let part = page / PART_PAGES;
        if part != self.part.0 {
            self.end_part();
            self.part.0 = part;
        }
        self.page.1.extend_from_slice(&id.to_le_bytes());
        self.part.1.push(id);
        self.piece.ids += 1;
        Ok(())
    }

    /// Sends what is left.
    pub(super) fn finish(mut self) -> Result<(), Gone> {
        self.end_page();
        self.end_part();
        self.send(true)
    }

    fn end_page(&mut self) {
        let ids = std::mem::take(&mut self.page.1);
        if !ids.is_empty() {
            self.piece.pages.push((self.page.0, ids));
        }
    }
    fn end_part(&mut self) {
        // A part without ids has a filter too: one that denies everything, so that nobody reads its pages.
        self.piece.filters.push((self.part.0, Fuse::make(&self.part.1)));
        self.part.1.clear();
    }
    fn send(&mut self, last: bool) -> Result<(), Gone> {
        self.piece.last = last;
        self.out.send(std::mem::take(&mut self.piece)).map_err(|_| Gone)
    }
}

/// A run that is being made by a thread of its own and written by the writer.
pub(super) struct Building {
    pub head: Head,
    pub receiver: Receiver<Piece>,
    /// Runs that it takes the place of.
    pub inputs: Vec<i64>,
    pub parts: Vec<Option<Fuse>>,
    /// Pieces that an undone group had written: they come first.
    pub again: VecDeque<Piece>,
    /// Pieces that this group writes.
    pub taken: Vec<Piece>,
    pub announced: bool,
    /// This group writes the last piece.
    pub ends: bool,
    /// Ids of committed groups so far.
    pub written: i64,
}

impl Building {
    pub(super) fn new(head: Head, receiver: Receiver<Piece>, inputs: Vec<i64>) -> Self {
        let parts = (0..head.parts()).map(|_| None).collect();
        let (again, taken) = (VecDeque::new(), Vec::new());
        Self { head, receiver, inputs, parts, again, taken, announced: false, ends: false, written: 0 }
    }
    pub(super) fn commit(&mut self) {
        self.announced |= !self.taken.is_empty();
        for piece in self.taken.drain(..) {
            self.written += piece.ids;
            for (part, filter) in piece.filters {
                if let Some(slot) = self.parts.get_mut(part as usize) {
                    *slot = Some(filter);
                }
            }
        }
    }
    pub(super) fn rollback(&mut self) {
        self.ends = false;
        for piece in self.taken.drain(..).rev() {
            self.again.push_front(piece);
        }
    }
}

/// Sorts ids and sends them as the pieces of a run.
pub(super) fn sort(mut ids: Vec<EventId>, pages: i64, out: SyncSender<Piece>) {
    ids.sort_unstable();
    send_all(ids.into_iter().map(Ok), pages, out);
}

/// Reads runs page by page and sends their ids, merged, as the pieces of one. Ends without a last piece when a run cannot
/// be read, or nobody wants it any more.
pub(super) fn merge(db: &mut Engine, inputs: &[Head], pages: i64, out: SyncSender<Piece>) {
    let mut cursors: Vec<Cursor> = inputs.iter().map(|head| Cursor::new(head.run)).collect();
    let next = std::iter::from_fn(|| {
        let mut least: Option<(usize, EventId)> = None;
        for (at, cursor) in cursors.iter_mut().enumerate() {
            match cursor.peek(db) {
                Ok(Some(id)) if least.is_none_or(|(_, l)| id < l) => least = Some((at, id)),
                Ok(_) => {}
                Err(e) => return Some(Err(e)),
            }
        }
        let (at, id) = least?;
        cursors[at].at += 1;
        Some(Ok(id))
    });
    send_all(next, pages, out);
}

fn send_all(ids: impl Iterator<Item = Result<EventId, DbError>>, pages: i64, out: SyncSender<Piece>) {
    let mut cutter = Cutter::new(pages, out);
    for id in ids {
        let pushed = match id {
            Ok(id) => cutter.push(id),
            Err(error) => {
                tracing::warn!(%error, "runs of ids cannot be merged now");
                Err(Gone)
            }
        };
        if pushed.is_err() {
            return;
        }
    }
    let _ = cutter.finish();
}

/// Reads a run's ids in order.
struct Cursor {
    run: i64,
    next_page: i64,
    ids: Vec<EventId>,
    at: usize,
    ended: bool,
}

impl Cursor {
    fn new(run: i64) -> Self {
        Self { run, next_page: 0, ids: Vec::new(), at: 0, ended: false }
    }
    fn peek(&mut self, db: &mut Engine) -> Result<Option<EventId>, DbError> {
        while self.at == self.ids.len() && !self.ended {
            self.ids.clear();
            self.at = 0;
            let sql = "SELECT page, ids FROM dedup_pages WHERE run = $1 AND page >= $2 ORDER BY page LIMIT 32";
            let rows = db.rows(sql, &[self.run.into(), self.next_page.into()])?;
            self.ended = rows.is_empty();
            for row in rows {
                self.next_page = row.int(0)? + 1;
                self.ids.extend(row.blob(1)?.as_chunks::<16>().0.iter().map(|c| EventId::from_le_bytes(*c)));
            }
        }
        Ok(self.ids.get(self.at).copied())
    }
}
