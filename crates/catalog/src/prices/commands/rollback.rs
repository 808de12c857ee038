//! Rolls a change of prices back: what it set ends now, what it ended holds again. The past stays as it was.
use super::set::{note_change, write};
use super::{Applied, PriceError, Rejection};
use crate::prices::model::Entry;
use crate::prices::select::order;
use crate::prices::store::{VariantPrices, entries};
use base::Timestamp;
use db::Tx;
use std::collections::HashMap;

/// Rolls a change back, price by price; one that was changed again since is left alone and named.
pub fn roll_back(tx: &mut Tx, change: i64, key: &str, actor: &str) -> Result<Applied, PriceError> {
    let sql = "SELECT id, accepted FROM price_changes WHERE key = $1";
    if let Some(row) = tx.first(sql, &[key.into()])? {
        let accepted = usize::try_from(row.int(1)?).unwrap_or(0);
        return Ok(Applied { change: row.int(0)?, accepted, rejections: Vec::new(), replayed: true });
    }
    let row = tx.first("SELECT list_id, undoes FROM price_changes WHERE id = $1", &[change.into()])?;
    let row = row.ok_or(PriceError::NoChange { id: change })?;
    let (list, undoes) = (row.int(0)?, row.int(1)?);
    let refused = |why: &str| Err(PriceError::NotUndone { id: change, why: why.into() });
    if undoes != 0 {
        return refused("it is a roll-back itself; set the prices again");
    }
    if tx.first("SELECT id FROM price_changes WHERE undoes = $1 LIMIT 1", &[change.into()])?.is_some() {
        return refused("it was rolled back before");
    }
    let mut cuts: HashMap<i64, (Timestamp, Timestamp)> = HashMap::new();
    let sql = "SELECT entry_id, starts_at, ends_at FROM price_cuts WHERE change_id = $1 ORDER BY entry_id";
    for row in tx.rows(sql, &[change.into()])? {
        let times = (Timestamp::from_micros(row.int(1)?), Timestamp::from_micros(row.int(2)?));
        cuts.insert(row.int(0)?, times);
    }
    let sql = "SELECT DISTINCT variant_no FROM price_entries WHERE change_id = $1 ORDER BY variant_no";
    let variants: Vec<i64> = tx.rows(sql, &[change.into()])?.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    tx.preload::<VariantPrices>(&variants)?;
    let mut held: Vec<(i64, Vec<Entry>)> = Vec::new();
    for variant in variants {
        held.push((variant, entries(tx, variant)?));
    }
    let (now, new_change) = (tx.now(), tx.next_id());
    let (mut changed, mut written, mut moved, mut rejections) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut accepted = 0;
    for (index, (variant, mut entries)) in held.into_iter().enumerate() {
        let mut keys: Vec<i64> = entries.iter().filter(|e| e.change == change).map(|e| e.min_quantity).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut back = Vec::new();
        for min_quantity in keys {
            let is_like = |e: &Entry| e.list == list && e.min_quantity == min_quantity;
            if let Some(later) = entries.iter().filter(|e| is_like(e)).map(|e| e.change).find(|c| *c > change) {
                let what = format!("variant {variant} was changed again by change {later}");
                rejections.push(Rejection { index, pointer: "", what });
                continue;
            }
            accepted += 1;
            for entry in entries.iter_mut().filter(|e| is_like(e) && e.ends_at > now) {
                if entry.change == change {
                    moved.push((entry.id, entry.starts_at, entry.ends_at));
                    entry.ends_at = entry.starts_at.max(now);
                    written.push(entry.clone());
                }
            }
            for entry in entries.iter_mut().filter(|e| is_like(e)) {
                let Some((starts_at, ends_at)) = cuts.get(&entry.id).copied().filter(|(_, ends_at)| *ends_at > now)
                else {
                    continue;
                };
                if entry.ends_at <= now {
                    back.push(Entry {
                        id: 0,
                        starts_at: starts_at.max(now),
                        ends_at,
                        change: new_change,
                        ..entry.clone()
                    });
                } else {
                    moved.push((entry.id, entry.starts_at, entry.ends_at));
                    // What has begun keeps its beginning; what was moved away from a moment that has passed begins now.
                    if entry.starts_at > now {
                        entry.starts_at = starts_at.max(now);
                    }
                    entry.ends_at = ends_at;
                    written.push(entry.clone());
                }
            }
        }
        for mut entry in back {
            entry.id = tx.next_id();
            written.push(entry.clone());
            entries.push(entry);
        }
        entries.sort_by(order);
        changed.push((variant, entries));
    }
    note_change(tx, new_change, list, key, actor, "", (accepted, rejections.len()), change)?;
    write(tx, new_change, changed, &written, &moved)?;
    Ok(Applied { change: new_change, accepted, rejections, replayed: false })
}
