//! Reading filters ahead after a start.
use super::fuse::Fuse;
use super::{Dedup, FILTER, FILTER_BYTES};
use crate::warm::{Piece, Warm};
use crate::{DbError, Engine, Value};
use std::collections::VecDeque;

/// Reads the filters of all runs ahead after a start, the newest first.
#[derive(Default)]
pub(crate) struct FiltersAhead {
    waiting: VecDeque<(i64, i64)>,
}

/// Filters in a piece: some megabytes.
const AHEAD: usize = 16;

impl Warm for FiltersAhead {
    fn begin(&mut self, db: &mut Engine, _: usize) -> Result<(), DbError> {
        self.waiting.clear();
        let sql = "SELECT f.run, f.part FROM dedup_filters f JOIN dedup_runs r ON r.run = f.run WHERE r.state = 0 \
                   ORDER BY r.newest_at DESC, f.run, f.part";
        db.each(sql, &[], &mut |row| {
            self.waiting.push_back((row.int(0)?, row.int(1)?));
            Ok(true)
        })
    }
    fn next(&mut self, db: &mut Engine) -> Result<Option<Piece>, DbError> {
        let wanted: Vec<(i64, i64)> = self.waiting.drain(..self.waiting.len().min(AHEAD)).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let keys: Vec<[Value<'_>; 2]> = wanted.iter().map(|(run, part)| [(*run).into(), (*part).into()]).collect();
        let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
        let mut filters = Vec::with_capacity(wanted.len());
        db.lookup(&FILTER, &refs, &mut |at, row| {
            filters.push((wanted[at], Fuse::decode(row.blob(0)?)?));
            Ok(())
        })?;
        Ok(Some(Box::new(move |tx, _| {
            let Ok(dedup) = tx.memory::<Dedup>() else { return false };
            filters.into_iter().for_each(|((run, part), filter)| dedup.keep_filter(run, part, filter));
            dedup.filter_bytes < FILTER_BYTES
        })))
    }
}
