//! Taking people apart, with everything that follows: moved events are noted, every side is evaluated.
use crate::preparer::Preparer;
use crate::step;
use customers::cuts::{CutError, EventReader, LoggedEvent, Piece};
use db::{Bulk, DbError, Tx, log};
use hashbrown::HashMap;
use segments::runtime::{Cause, Memberships, definitions};

static MOVED: Bulk =
    Bulk { table: "moved_events", columns: &[("seq", 'i'), ("profile_id", 'i')], key: 1, insert_only: false };

/// What may be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Edges of the person, by id.
    Edges(Vec<i64>),
    /// Identifier values that get a profile of their own.
    Detach(Vec<(String, String)>),
}

pub(crate) struct Bodies<'a>(pub(crate) &'a Preparer);

impl EventReader for Bodies<'_> {
    fn events(&mut self, tx: &mut Tx, seqs: &[i64]) -> Result<Vec<LoggedEvent>, DbError> {
        let current = step::current(tx)?;
        let mut sorted = seqs.to_vec();
        sorted.sort_unstable();
        let mut out = Vec::with_capacity(sorted.len());
        for row in log::rows_of(tx.engine(), &sorted)? {
            for event in self.0.decode_row(&current, &row)? {
                let seq = row.first_seq + i64::from(event.index);
                if sorted.binary_search(&seq).is_ok() {
                    out.push(LoggedEvent { seq, source: row.source, event });
                }
            }
        }
        Ok(out)
    }
}

/// Cuts a person; gives the people that result.
pub fn cut(tx: &mut Tx, preparer: &Preparer, person_id: i64, cut: &Cut, actor: &str) -> Result<Vec<Piece>, CutError> {
    if crate::backfill::is_waiting(tx)? && matches!(cut, Cut::Detach(_)) {
        // A fold from scratch would count what the running job counts too.
        return Err(CutError::Store(DbError::Busy("a segment is being filled; try again when it is live".into())));
    }
    let counters = definitions::current(tx)?.counters.clone();
    // Nothing of this transaction may wait when bodies are read.
    tx.rows("SELECT 1", &[]).map_err(CutError::Store)?;
    let pieces = match cut {
        Cut::Edges(edges) => customers::cuts::unmerge_edges(tx, person_id, edges, actor)?,
        Cut::Detach(values) => {
            let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let before = tx.last_profile_id();
            let pieces = customers::cuts::detach(tx, person_id, &values, &mut Bodies(preparer), &counters, actor)?;
            for profile in before + 1..=tx.last_profile_id() {
                for entry in customers::commands::timeline_entries(tx, &[profile])? {
                    tx.append(&MOVED, vec![entry.seq.into(), profile.into()]);
                }
            }
            pieces
        }
    };
    evaluate_sides(tx, preparer, &pieces)?;
    step::finish(tx)?;
    Ok(pieces)
}

/// Who stays in keeps the earliest beginning and triggers nothing, on every side.
fn evaluate_sides(tx: &mut Tx, preparer: &Preparer, pieces: &[Piece]) -> Result<(), DbError> {
    let people: Vec<i64> = pieces.iter().map(|p| p.person_id).collect();
    let mut since: HashMap<i64, i64> = HashMap::new();
    for person in &people {
        for m in tx.get::<Memberships>(*person)?.map(|row| row.list.clone()).unwrap_or_default() {
            let known = since.entry(m.segment_id).or_insert(m.since_us);
            *known = (*known).min(m.since_us);
        }
    }
    let before: Vec<(i64, i64)> = since.into_iter().collect();
    let moved = segments::runtime::reevaluate(tx, &people, Cause::Unmerge, &before)?;
    let appended = step::moved(tx, preparer, &moved, "unmerge")?;
    crate::append_derived(tx, preparer, appended)
}
