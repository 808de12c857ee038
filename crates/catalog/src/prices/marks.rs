//! Which public prices moved, for those who follow them: feeds and the search. (ADR 0040)
//!
//! A price moves at a moment: it was set to begin now, its time came, or its time ended. [`look`] is called when such a moment
//! has come and marks the variants that it touches, a bounded piece at a time; a list that changed as a whole is walked through.
//! Marks are made after the fact, from what is stored, so that nothing has to be remembered between a crash and a start.
use super::model::{BASE, Entry, PriceList};
use super::select::Lists;
use super::shown::is_public;
use super::store::{VariantPrices, changed_between, lists_between};
use base::Timestamp;
use db::{Bulk, DbError, Engine, Tx, settings};
use std::collections::BTreeSet;

/// Variants that one piece marks.
pub const PIECE: i64 = 1_000;
/// Up to when prices that moved by themselves were marked, in microseconds.
const TOLD: &str = "prices.told";
/// The mark of every channel.
const ANY: &str = "";

static MARKS: Bulk = Bulk {
    table: "price_marks",
    columns: &[("channel", 't'), ("variant_no", 'i'), ("change", 'i')],
    key: 2,
    insert_only: false,
};

/// The channels in which a list can change what everybody sees; none for a list that only some people meet.
pub fn channels_of(list: &PriceList) -> BTreeSet<String> {
    if !is_public(list) {
        return BTreeSet::new();
    }
    match list.scope.channels.is_empty() {
        true => BTreeSet::from([ANY.to_string()]),
        false => list.scope.channels.iter().cloned().collect(),
    }
}

/// The channels in which entries of a variant began or ended in `from < t <= to`.
pub fn moved_in(lists: &Lists, entries: &[Entry], (from, to): (Timestamp, Timestamp)) -> BTreeSet<String> {
    let within = |at: Timestamp| from < at && at <= to;
    let moved = entries.iter().filter(|e| e.starts_at < e.ends_at && (within(e.starts_at) || within(e.ends_at)));
    let mut out = BTreeSet::new();
    for entry in moved {
        match lists.find(entry.list) {
            Some(list) => out.extend(channels_of(list)),
            None if entry.list == BASE => out.extend([ANY.to_string()]),
            None => {}
        }
    }
    // What is marked for all needs no mark of one.
    if out.contains(ANY) { BTreeSet::from([ANY.to_string()]) } else { out }
}

/// Up to when prices were marked.
pub fn told(db: &mut Engine) -> Result<Timestamp, DbError> {
    let at = settings::get(db, TOLD)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Timestamp::from_micros(at))
}

/// Whether some list is still being walked through.
pub fn is_walking(db: &mut Engine) -> Result<bool, DbError> {
    Ok(db.first("SELECT list_id FROM price_list_moves LIMIT 1", &[])?.is_some())
}

/// Notes that a list changed as a whole: what it was and what it is.
pub fn list_moved(tx: &mut Tx, versions: &[&PriceList]) -> Result<(), DbError> {
    let Some(id) = versions.first().map(|list| list.id) else { return Ok(()) };
    let mut channels: BTreeSet<String> = versions.iter().flat_map(|list| channels_of(list)).collect();
    if channels.is_empty() {
        return Ok(());
    }
    let sql = "SELECT channels FROM price_list_moves WHERE list_id = $1";
    if let Some(row) = tx.first(sql, &[id.into()])? {
        let before: BTreeSet<String> =
            serde_json::from_str(row.text(0)?).map_err(|e| DbError::damaged("price_list_moves", e))?;
        channels.extend(before);
    }
    let text = crate::schema::text_of(&channels);
    let sql = "INSERT INTO price_list_moves (list_id, channels, after) VALUES ($1, $2, $3) ON CONFLICT (list_id) DO UPDATE SET channels = excluded.channels, after = excluded.after";
    tx.execute(sql, &[id.into(), (&text).into(), 0i64.into()]).map(drop)
}

/// A walk over what moved in `from < t <= to`, by variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The last variant that was looked at.
    pub after: i64,
}

/// Marks one piece of what moved; gives how the sweep goes on, `None` when it is done.
pub fn look(tx: &mut Tx, lists: &Lists, sweep: Sweep) -> Result<Option<Sweep>, DbError> {
    let span = (sweep.from, sweep.to);
    let variants = changed_between(tx.engine(), span, sweep.after, PIECE)?;
    tx.preload::<VariantPrices>(&variants)?;
    let mut moved: Vec<(String, i64)> = Vec::new();
    for variant in &variants {
        let entries = tx.get::<VariantPrices>(*variant)?;
        let channels = entries.map(|entries| moved_in(lists, entries, span)).unwrap_or_default();
        moved.extend(channels.into_iter().map(|channel| (channel, *variant)));
    }
    mark(tx, &moved)?;
    if let Some(last) = variants.last().filter(|_| variants.len() as i64 == PIECE) {
        return Ok(Some(Sweep { after: *last, ..sweep }));
    }
    for id in lists_between(lists, sweep.from, sweep.to) {
        if let Some(list) = lists.find(id) {
            list_moved(tx, &[list])?;
        }
    }
    settings::set(tx.engine(), TOLD, &sweep.to.micros().to_string())?;
    Ok(None)
}

/// Marks the next variants of the first list that changed as a whole.
pub fn walk(tx: &mut Tx) -> Result<(), DbError> {
    let sql = "SELECT list_id, channels, after FROM price_list_moves ORDER BY list_id LIMIT 1";
    let Some(row) = tx.first(sql, &[])? else { return Ok(()) };
    let (list, after) = (row.int(0)?, row.int(2)?);
    let channels: Vec<String> =
        serde_json::from_str(row.text(1)?).map_err(|e| DbError::damaged("price_list_moves", e))?;
    let sql = "SELECT DISTINCT variant_no FROM price_entries WHERE list_id = $1 AND variant_no > $2 ORDER BY variant_no LIMIT $3";
    let rows = tx.rows(sql, &[list.into(), after.into(), PIECE.into()])?;
    let variants: Vec<i64> = rows.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    let moved: Vec<(String, i64)> =
        channels.iter().flat_map(|channel| variants.iter().map(move |variant| (channel.clone(), *variant))).collect();
    mark(tx, &moved)?;
    match variants.last().filter(|_| variants.len() as i64 == PIECE) {
        Some(last) => {
            tx.execute("UPDATE price_list_moves SET after = $2 WHERE list_id = $1", &[list.into(), (*last).into()])?
        }
        None => tx.execute("DELETE FROM price_list_moves WHERE list_id = $1", &[list.into()])?,
    };
    Ok(())
}

/// Each variant gets a number of its own, so that a position never stands inside one.
fn mark(tx: &mut Tx, moved: &[(String, i64)]) -> Result<(), DbError> {
    let mut rows: Vec<[db::Value<'_>; 3]> = Vec::with_capacity(moved.len());
    for (channel, variant) in moved {
        let change = tx.next_id();
        rows.push([channel.as_str().into(), (*variant).into(), change.into()]);
    }
    tx.upsert_many(&MARKS, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())
}

/// Variants whose price moved in a channel after a position: the position that covers each, and the variant, in order.
pub fn marked(db: &mut Engine, channel: &str, after: i64, limit: i64) -> Result<Vec<(i64, i64)>, DbError> {
    let sql = "SELECT change, variant_no FROM price_marks WHERE channel = $1 AND change > $2 ORDER BY change LIMIT $3";
    let mut out: Vec<(i64, i64)> = Vec::new();
    for channel in [ANY, channel] {
        for row in db.rows(sql, &[channel.into(), after.into(), limit.into()])? {
            out.push((row.int(0)?, row.int(1)?));
        }
    }
    out.sort_unstable();
    out.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(out)
}

/// The same over all channels.
pub fn marked_anywhere(db: &mut Engine, after: i64, limit: i64) -> Result<Vec<(i64, i64)>, DbError> {
    let sql = "SELECT change, variant_no FROM price_marks WHERE change > $1 ORDER BY change LIMIT $2";
    db.rows(sql, &[after.into(), limit.into()])?.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect()
}
