//! Prices in the store: lists in memory, entries of a variant as one cached row, both following commits.
use super::marks::{self, Sweep};
use super::model::{Ask, Entry, Kind, PriceList, Quote};
use super::select::{Lists, order, quote};
use base::Timestamp;
use db::tx::Memory;
use db::{Bulk, DbError, Engine, Lookup, Table, Tx};
use std::sync::Arc;

pub(super) static ENTRIES: Bulk = Bulk {
    table: "price_entries",
    columns: &[
        ("id", 'i'),
        ("variant_no", 'i'),
        ("list_id", 'i'),
        ("currency", 't'),
        ("min_quantity", 'i'),
        ("minor", 'i'),
        ("compare_at", 'i'),
        ("starts_at", 'i'),
        ("ends_at", 'i'),
        ("change_id", 'i'),
    ],
    key: 1,
    insert_only: false,
};

static OF_VARIANT: Lookup = Lookup {
    table: "price_entries",
    keys: &[("variant_no", 'i')],
    columns: "id, list_id, currency, min_quantity, minor, compare_at, starts_at, ends_at, change_id",
    order: "id",
};

/// All lists, replaced as a whole when one changes.
#[derive(Debug, Default)]
pub struct Known {
    lists: Arc<Lists>,
    before: Option<Arc<Lists>>,
    /// Up to when it was told which prices moved.
    told: Timestamp,
    /// What is being told just now.
    sweep: Option<Sweep>,
    /// Both as of the last commit.
    committed: (Timestamp, Option<Sweep>),
    /// The next moment after that; the outer `None` while nobody knows.
    next: Option<Option<Timestamp>>,
}

impl Memory for Known {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let told = marks::told(db)?;
        Ok(Self { lists: Arc::new(load_lists(db)?), told, committed: (told, None), ..Self::default() })
    }
    fn commit(&mut self) {
        self.before = None;
        self.committed = (self.told, self.sweep);
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.lists = before;
        }
        (self.told, self.sweep) = self.committed;
        self.next = None;
    }
}

/// When [`tell`] has something to say: the next moment at which a price begins or ends, or one that has passed.
pub fn next_due(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    let memory = tx.memory::<Known>()?;
    if let Some(next) = memory.next {
        return Ok(next);
    }
    let (told, sweeping) = (memory.told, memory.sweep.is_some());
    let at_once = sweeping || marks::is_walking(tx.engine())?;
    let next = if at_once { Some(Timestamp::default()) } else { next_change(tx.engine(), told)? };
    tx.memory::<Known>()?.next = Some(next);
    Ok(next)
}

/// Tells whoever follows that prices moved, once their moment has come: marks a piece of them. What holds needs no telling, it is
/// found by time.
pub fn tell(tx: &mut Tx) -> Result<(), DbError> {
    let now = tx.now();
    if next_due(tx)?.is_none_or(|at| at > now) {
        return Ok(());
    }
    let memory = tx.memory::<Known>()?;
    memory.next = None;
    let (lists, from, open) = (memory.lists.clone(), memory.told, memory.sweep);
    if open.is_none() && marks::is_walking(tx.engine())? {
        return marks::walk(tx);
    }
    let sweep = open.unwrap_or(Sweep { from, to: now, after: 0 });
    let more = marks::look(tx, &lists, sweep)?;
    let memory = tx.memory::<Known>()?;
    memory.sweep = more;
    if more.is_none() {
        memory.told = sweep.to;
        tx.notify(db::Notice::Changed { what: "prices" });
    }
    Ok(())
}

/// Forgets the next moment, since prices were set: those of this very moment are still to be told.
pub(super) fn look_again(tx: &mut Tx) -> Result<(), DbError> {
    let now = tx.now();
    let memory = tx.memory::<Known>()?;
    memory.next = None;
    memory.told = memory.told.min(now.plus(-1));
    memory.sweep = memory.sweep.filter(|sweep| sweep.to < now);
    Ok(())
}

/// Lists as they stand in the database.
pub fn load_lists(db: &mut Engine) -> Result<Lists, DbError> {
    let sql = "SELECT id, name, currency, kind, position, scope, reason, starts_at, ends_at, version FROM price_lists ORDER BY id";
    Ok(Lists::new(db.rows(sql, &[])?.iter().map(read_list).collect::<Result<_, _>>()?))
}

fn read_list(row: &db::Row) -> Result<PriceList, DbError> {
    let kind = Kind::parse(row.text(3)?).ok_or_else(|| DbError::damaged("price_lists", "an unknown kind"))?;
    let scope = serde_json::from_str(row.text(5)?).map_err(|e| DbError::damaged("price_lists", e))?;
    Ok(PriceList {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        currency: row.text(2)?.into(),
        kind,
        position: row.int(4)?,
        scope,
        reason: row.text(6)?.into(),
        starts_at: Timestamp::from_micros(row.int(7)?),
        ends_at: Timestamp::from_micros(row.int(8)?),
        version: row.int(9)?,
    })
}

/// The lists as this transaction sees them.
pub fn lists(tx: &mut Tx) -> Result<Arc<Lists>, DbError> {
    Ok(tx.memory::<Known>()?.lists.clone())
}

pub(super) fn replace_lists(tx: &mut Tx, lists: Lists) -> Result<(), DbError> {
    let memory = tx.memory::<Known>()?;
    let before = std::mem::replace(&mut memory.lists, Arc::new(lists));
    memory.before.get_or_insert(before);
    look_again(tx)
}

/// Entries of a variant, sorted as [`quote`] wants them.
pub struct VariantPrices;

impl Table for VariantPrices {
    type Key = i64;
    type Row = Vec<Entry>;
    const NAME: &'static str = "price_entries";
    const LAZY: bool = false;

    fn slice(_: i64) -> i64 {
        0
    }
    fn weight(row: &Vec<Entry>) -> usize {
        row.iter().map(|e| size_of::<Entry>() + e.currency.len()).sum::<usize>() + 48
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Vec<Entry>>, DbError> {
        Ok(Self::load_many(db, &[key])?.pop().and_then(|(_, row)| row))
    }
    fn load_many(db: &mut Engine, keys: &[i64]) -> Result<Vec<(i64, Option<Vec<Entry>>)>, DbError> {
        let mut out: Vec<(i64, Option<Vec<Entry>>)> = keys.iter().map(|key| (*key, Some(Vec::new()))).collect();
        let values: Vec<[db::Value<'_>; 1]> = keys.iter().map(|key| [(*key).into()]).collect();
        let values: Vec<&[db::Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.lookup(&OF_VARIANT, &values, &mut |at, row| {
            if let Some((variant, Some(entries))) = out.get_mut(at) {
                entries.push(read_entry(*variant, &row)?);
            }
            Ok(())
        })?;
        for (_, entries) in &mut out {
            entries.iter_mut().for_each(|entries| entries.sort_by(order));
        }
        Ok(out)
    }
    fn flush(_: &mut Engine, _: &[(i64, &Vec<Entry>)], _: i64) -> Result<(), DbError> {
        Ok(())
    }
}

fn read_entry(variant: i64, row: &db::Row) -> Result<Entry, DbError> {
    let or_none = |minor: i64| Some(minor).filter(|minor| *minor >= 0);
    Ok(Entry {
        id: row.int(0)?,
        variant,
        list: row.int(1)?,
        currency: row.text(2)?.into(),
        min_quantity: row.int(3)?,
        minor: or_none(row.int(4)?),
        compare_at: or_none(row.int(5)?),
        starts_at: Timestamp::from_micros(row.int(6)?),
        ends_at: Timestamp::from_micros(row.int(7)?),
        change: row.int(8)?,
    })
}

/// Entries of a variant, with those that ended and those that have not begun.
pub fn entries(tx: &mut Tx, variant: i64) -> Result<Vec<Entry>, DbError> {
    Ok(tx.get::<VariantPrices>(variant)?.cloned().unwrap_or_default())
}

/// Entries of many variants over a connection of one's own, in the order of the keys.
pub fn read_entries(db: &mut Engine, variants: &[i64]) -> Result<Vec<Vec<Entry>>, DbError> {
    Ok(VariantPrices::load_many(db, variants)?.into_iter().map(|(_, row)| row.unwrap_or_default()).collect())
}

/// Variants that have prices, by number, after `after`.
pub fn variants(db: &mut Engine, after: i64, limit: i64) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT DISTINCT variant_no FROM price_entries WHERE variant_no > $1 ORDER BY variant_no LIMIT $2";
    db.rows(sql, &[after.into(), limit.into()])?.iter().map(|r| r.int(0)).collect()
}

/// The price that holds and why, from memory: about a microsecond where the variant was asked for before.
pub fn price_of(tx: &mut Tx, ask: &Ask) -> Result<Option<Quote>, DbError> {
    let lists = lists(tx)?;
    Ok(tx.get::<VariantPrices>(ask.variant)?.and_then(|entries| quote(&lists, entries, ask)))
}

/// The next moment after `now` at which some price begins or ends by itself: when caches and feeds look again.
pub fn next_change(db: &mut Engine, now: Timestamp) -> Result<Option<Timestamp>, DbError> {
    let sql = "SELECT MIN(at) FROM (SELECT MIN(starts_at) AS at FROM price_entries WHERE starts_at > $1 \
               UNION ALL SELECT MIN(ends_at) AS at FROM price_entries WHERE ends_at > $1 AND ends_at < $2 \
               UNION ALL SELECT MIN(starts_at) AS at FROM price_lists WHERE starts_at > $1 \
               UNION ALL SELECT MIN(ends_at) AS at FROM price_lists WHERE ends_at > $1 AND ends_at < $2) AS moments";
    let row = db.first(sql, &[now.micros().into(), i64::MAX.into()])?;
    Ok(row.map(|r| r.opt_int(0)).transpose()?.flatten().map(Timestamp::from_micros))
}

/// Variants of which an entry began or ended in `from < t <= to`, by number, after `after`: what feeds write anew. A list that
/// began or ended changes all of its variants; ask [`lists_between`].
pub fn changed_between(
    db: &mut Engine,
    (from, to): (Timestamp, Timestamp),
    after: i64,
    limit: i64,
) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT variant_no FROM (SELECT variant_no FROM price_entries WHERE starts_at > $1 AND starts_at <= $2 AND variant_no > $3 \
               UNION SELECT variant_no FROM price_entries WHERE ends_at > $1 AND ends_at <= $2 AND variant_no > $3) AS changed \
               ORDER BY variant_no LIMIT $4";
    let rows = db.rows(sql, &[from.micros().into(), to.micros().into(), after.into(), limit.into()])?;
    rows.iter().map(|r| r.int(0)).collect()
}

/// Lists that began or ended in `from < t <= to`.
pub fn lists_between(lists: &Lists, from: Timestamp, to: Timestamp) -> Vec<i64> {
    let within = |at: Timestamp| from < at && at <= to;
    lists.all().iter().filter(|l| within(l.starts_at) || within(l.ends_at)).map(|l| l.id).collect()
}
