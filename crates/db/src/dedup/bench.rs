//! Runs of made-up ids, as a month of events would leave them: for measurements of what no test can wait for.
use super::run::{Cutter, Head, Piece};
use super::{FILTERS, LIVE, PAGES, RUNS, pages_for, row_of};
use crate::event::EventId;
use crate::{DbError, Engine, Value};
use base::{Rng, Timestamp};
use std::sync::mpsc;

/// A run to be made.
#[derive(Debug, Clone)]
pub struct Synthetic {
    pub run: i64,
    pub level: i64,
    /// Ids, roughly.
    pub ids: i64,
    pub oldest_at: Timestamp,
    pub newest_at: Timestamp,
}

/// Pieces written with one transaction.
const PIECES: usize = 32;

/// Writes a run straight into its tables; gives its true number of ids, and some of them spread over it.
pub fn write(db: &mut Engine, wanted: &Synthetic, samples: usize) -> Result<(i64, Vec<EventId>), DbError> {
    let pages = pages_for(wanted.ids);
    let (sender, receiver) = mpsc::sync_channel::<Piece>(8);
    let (seed, every) = (wanted.run as u64, (pages / samples.max(1) as i64).max(1));
    let maker = std::thread::spawn(move || make(seed, pages, every, Cutter::new(pages, sender)));
    let mut count = 0;
    let mut pieces = receiver.iter().peekable();
    while pieces.peek().is_some() {
        db.batch("BEGIN")?;
        for piece in pieces.by_ref().take(PIECES) {
            count += piece.ids;
            let rows: Vec<[Value<'_>; 3]> =
                piece.pages.iter().map(|(page, ids)| [wanted.run.into(), (*page).into(), ids.into()]).collect();
            db.bulk(&PAGES, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
            let encoded: Vec<(i64, Vec<u8>)> = piece.filters.iter().map(|(part, f)| (*part, f.encode())).collect();
            let rows: Vec<[Value<'_>; 3]> =
                encoded.iter().map(|(part, bits)| [wanted.run.into(), (*part).into(), bits.into()]).collect();
            db.bulk(&FILTERS, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
        }
        db.batch("COMMIT")?;
    }
    let head = Head {
        run: wanted.run,
        level: wanted.level,
        count,
        pages,
        upto_seq: 1,
        oldest_at: wanted.oldest_at,
        newest_at: wanted.newest_at,
        keep_for_ever: false,
    };
    let row = row_of(&head, LIVE);
    db.bulk(&RUNS, &[&row.iter().map(crate::Owned::as_value).collect::<Vec<_>>()])?;
    Ok((count, maker.join().unwrap_or_default()))
}

/// Ids in ascending order, page by page, so that nothing must be sorted as a whole.
fn make(seed: u64, pages: i64, every: i64, mut cutter: Cutter) -> Vec<EventId> {
    let mut rng = Rng::new(seed);
    let mut samples = Vec::new();
    let width = u64::MAX / pages as u64;
    let mut ids: Vec<EventId> = Vec::new();
    for page in 0..pages {
        let start = ((page as u128) << 64).div_ceil(pages as u128) as u64;
        ids.clear();
        ids.extend((0..448 + rng.below(129)).map(|_| {
            let high = start.saturating_add(rng.below(width));
            u128::from(high) << 64 | u128::from(rng.next_u64())
        }));
        ids.sort_unstable();
        if page % every == every / 2 {
            samples.extend(ids.get(ids.len() / 2));
        }
        if ids.iter().any(|id| cutter.push(*id).is_err()) {
            return samples;
        }
    }
    let _ = cutter.finish();
    samples
}
