//! The log: the person's items become tombstones with the same place and id; documents that law keeps lose the person.
use super::Work;
use crate::preparer::Preparer;
use crate::step;
use base::Timestamp;
use customers::commands::timeline_entries;
use customers::privacy::retained::{Retained, stripped};
use customers::search::name_words;
use db::log::{self, LogRow};
use db::message::Items;
use db::{Bulk, DbError, Tx};
use hashbrown::HashMap;

/// Events of one piece.
pub const EVENTS: usize = 256;
/// Rows of the log that one piece looks at for items that were not accepted.
const ROWS: i64 = 512;

static DOCUMENTS: Bulk = Bulk {
    table: "retained_documents",
    columns: &[("seq", 'i'), ("event", 't'), ("ground", 't'), ("until", 'i')],
    key: 1,
    insert_only: true,
};

/// Events that a job will go through.
pub fn total(tx: &mut Tx, profiles: &[i64]) -> Result<i64, DbError> {
    Ok(timeline_entries(tx, profiles)?.len() as i64)
}

/// The kinds of documents that are kept.
pub fn kinds(tx: &mut Tx) -> Result<Vec<Retained>, DbError> {
    let sql = "SELECT event, ground, term_days FROM retained_kinds WHERE enabled = 1 ORDER BY event LIMIT 1000";
    let one = |r: &db::Row| Ok(Retained { event: r.text(0)?.into(), ground: r.text(1)?.into(), term_days: r.int(2)? });
    tx.rows(sql, &[])?.iter().map(one).collect()
}

/// The next of the person's events after `position`; gives where to go on, `None` when all are gone.
pub fn own(tx: &mut Tx, preparer: &Preparer, work: &Work, position: i64) -> Result<Option<i64>, DbError> {
    let mut seqs: Vec<i64> = timeline_entries(tx, &work.profiles)?.iter().map(|e| e.seq).collect();
    seqs.sort_unstable();
    seqs.dedup();
    let seqs: Vec<i64> = seqs.into_iter().filter(|seq| *seq > position).take(EVENTS).collect();
    let Some(last) = seqs.last().copied() else { return Ok(None) };
    let kinds = kinds(tx)?;
    let moved = moved(tx, &seqs)?;
    for row in log::rows_of(tx.engine(), &seqs)? {
        bury(tx, preparer, work, &row, &moved, &kinds)?;
    }
    Ok(Some(last))
}

/// Where events are that a detach moved, of those given.
fn moved(tx: &mut Tx, seqs: &[i64]) -> Result<HashMap<i64, i64>, DbError> {
    let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else { return Ok(HashMap::new()) };
    // Rows are whole requests: neighbours of the first and last event stand in them too.
    crate::backfill::moved_between(tx, first - 10_000, last + 10_000)
}

fn bury(
    tx: &mut Tx,
    preparer: &Preparer,
    work: &Work,
    row: &LogRow,
    moved: &HashMap<i64, i64>,
    kinds: &[Retained],
) -> Result<(), DbError> {
    let current = step::current(tx)?;
    let items = Items::split(&row.body).map_err(|e| DbError::damaged(&format!("log row {}", row.first_seq), e))?;
    let now = tx.now();
    let (mut profiles, mut replace) = (row.profiles.clone(), Vec::new());
    for event in preparer.decode_row(&current, row)? {
        let at = event.index as usize;
        let seq = row.first_seq + i64::from(event.index);
        let profile = moved.get(&seq).copied().unwrap_or(row.profiles[at]);
        let logged_with = work.profiles.contains(&row.profiles[at]);
        if !work.profiles.contains(&profile) {
            if logged_with {
                // A detach gave the event to somebody else before: from now on it always was theirs.
                profiles[at] = profile;
                tx.execute("DELETE FROM moved_events WHERE seq = $1", &[seq.into()])?;
            }
            continue;
        }
        for word in name_words(&event) {
            customers::privacy::forget::drop_word(tx, &word, profile)?;
        }
        tx.execute("DELETE FROM moved_events WHERE seq = $1", &[seq.into()])?;
        profiles[at] = 0;
        let kept = kinds.iter().find(|k| *k.event == *event.name && k.until(event.timestamp) > now);
        let text = kept.and_then(|_| stripped(items.items.get(at)?.get(), event.timestamp, &|t| work.needles.hit(t)));
        if let (Some(kind), Some(_)) = (kept, &text) {
            note_document(tx, seq, kind, event.timestamp);
        }
        replace.push((at, text));
    }
    let dropped = |at: usize| row.ids.get(at) == Some(&0) && work.needles.hit(items.items[at].get());
    replace.extend((0..items.items.len()).filter(|at| dropped(*at)).map(|at| (at, None)));
    if replace.is_empty() && profiles == row.profiles {
        return Ok(());
    }
    let body = db::erase::replace_items(&row.body, &replace)?;
    db::erase::rewrite_row(tx, row.first_seq, &profiles, &body)
}

fn note_document(tx: &mut Tx, seq: i64, kind: &Retained, happened: Timestamp) {
    let until = kind.until(happened).micros();
    tx.append(&DOCUMENTS, vec![seq.into(), kind.event.as_str().into(), kind.ground.as_str().into(), until.into()]);
}

/// Items that were not accepted, repeats above all, stand in bodies of other requests: the next rows of the log.
pub fn dropped(tx: &mut Tx, work: &Work, position: i64) -> Result<Option<i64>, DbError> {
    let (rows, next) = db::erase::rows_with_dropped(tx, position, ROWS)?;
    for row in log::rows_of(tx.engine(), &rows)? {
        let items = Items::split(&row.body).map_err(|e| DbError::damaged(&format!("log row {}", row.first_seq), e))?;
        let gone = |at: &usize| row.ids.get(*at) == Some(&0) && work.needles.hit(items.items[*at].get());
        let replace: Vec<(usize, Option<String>)> = (0..items.items.len()).filter(gone).map(|at| (at, None)).collect();
        if !replace.is_empty() {
            let body = db::erase::replace_items(&row.body, &replace)?;
            db::erase::rewrite_row(tx, row.first_seq, &row.profiles, &body)?;
        }
    }
    Ok(next.filter(|n| *n < work.upto_seq))
}
