//! Sets many prices of a list at once: what is wrong with one costs no other its place.
use super::{PRICES_MAX, PriceError};
use crate::prices::model::{BASE, Entry};
use crate::prices::select::order;
use crate::prices::store::{ENTRIES, VariantPrices, lists, look_again};
use crate::prices::timeline::{self, Span};
use base::Timestamp;
use db::{Bulk, DbError, Engine, Tx};
use std::collections::{BTreeMap, HashSet};

pub(super) static CUTS: Bulk = Bulk {
    table: "price_cuts",
    columns: &[("change_id", 'i'), ("entry_id", 'i'), ("starts_at", 'i'), ("ends_at", 'i')],
    key: 2,
    insert_only: true,
};

/// A price to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrice {
    pub variant: i64,
    /// In thousandths of a piece; 0 and 1000 both mean any quantity.
    pub min_quantity: i64,
    /// `None`: no price from here on.
    pub minor: Option<i64>,
    pub compare_at: Option<i64>,
    /// Without it from now on.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Why one price was not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its place in the list that was sent.
    pub index: usize,
    /// JSON pointer within it.
    pub pointer: &'static str,
    pub what: String,
}

/// What one price does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub index: usize,
    pub variant: i64,
    pub min_quantity: i64,
    pub from: Timestamp,
    /// Until when it holds; [`crate::prices::model::NEVER`] where nothing is scheduled.
    pub until: Timestamp,
    /// What would hold at that moment without it.
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub change: i64,
    pub accepted: usize,
    pub rejections: Vec<Rejection>,
    /// It was done before, under the same key.
    pub replayed: bool,
}

struct Plan {
    effects: Vec<Effect>,
    rejections: Vec<Rejection>,
    /// Entries of variants that change, as they will be.
    variants: Vec<(i64, Vec<Entry>)>,
    /// By id, as they will be.
    written: BTreeMap<i64, Entry>,
    /// By id, as they were.
    cuts: BTreeMap<i64, (Timestamp, Timestamp)>,
}

/// What setting these prices would do; writes nothing.
pub fn preview(
    tx: &mut Tx,
    list: i64,
    currency: &str,
    prices: &[NewPrice],
) -> Result<(Vec<Effect>, Vec<Rejection>), PriceError> {
    let currency = currency_of(tx, list, currency)?;
    // Numbers that are not kept.
    let mut next = i64::MAX - 2 * PRICES_MAX as i64;
    let plan = plan(tx, list, &currency, prices, i64::MAX, &mut || {
        next += 1;
        next
    })?;
    Ok((plan.effects, plan.rejections))
}

/// Sets prices of a list, or base prices ([`BASE`], which need a currency). `key` makes a repeat the same: it gives what was
/// done before and changes nothing.
pub fn set_prices(
    tx: &mut Tx,
    (list, currency): (i64, &str),
    key: &str,
    prices: &[NewPrice],
    actor: &str,
    note: &str,
) -> Result<Applied, PriceError> {
    let sql = "SELECT id, accepted, rejected FROM price_changes WHERE key = $1";
    if let Some(row) = tx.first(sql, &[key.into()])? {
        let accepted = usize::try_from(row.int(1)?).unwrap_or(0);
        return Ok(Applied { change: row.int(0)?, accepted, rejections: Vec::new(), replayed: true });
    }
    let currency = currency_of(tx, list, currency)?;
    let change = tx.next_id();
    let mut ids: Vec<i64> = (0..prices.len() * 2).map(|_| tx.next_id()).collect();
    let plan = plan(tx, list, &currency, prices, change, &mut || ids.pop().unwrap_or(i64::MAX))?;
    note_change(tx, change, list, key, actor, note, (plan.effects.len(), plan.rejections.len()), 0)?;
    let accepted = plan.effects.len();
    let written: Vec<Entry> = plan.written.into_values().collect();
    let cuts: Vec<_> = plan.cuts.into_iter().map(|(id, (from, until))| (id, from, until)).collect();
    write(tx, change, plan.variants, &written, &cuts)?;
    Ok(Applied { change, accepted, rejections: plan.rejections, replayed: false })
}

/// A change as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: i64,
    pub actor: String,
    pub note: String,
    pub accepted: i64,
    pub rejected: i64,
    /// The change that it rolled back, 0 = none.
    pub undoes: i64,
    pub at: Timestamp,
}

/// Changes of a list before `before`, newest first.
pub fn changes(db: &mut Engine, list: i64, before: i64, limit: i64) -> Result<Vec<Change>, DbError> {
    let sql = "SELECT id, actor, note, accepted, rejected, undoes, at FROM price_changes WHERE list_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    let rows = db.rows(sql, &[list.into(), before.into(), limit.into()])?;
    rows.iter()
        .map(|r| {
            Ok(Change {
                id: r.int(0)?,
                actor: r.text(1)?.into(),
                note: r.text(2)?.into(),
                accepted: r.int(3)?,
                rejected: r.int(4)?,
                undoes: r.int(5)?,
                at: Timestamp::from_micros(r.int(6)?),
            })
        })
        .collect()
}

#[allow(clippy::too_many_arguments)]
pub(super) fn note_change(
    tx: &mut Tx,
    change: i64,
    list: i64,
    key: &str,
    actor: &str,
    note: &str,
    (accepted, rejected): (usize, usize),
    undoes: i64,
) -> Result<(), PriceError> {
    let now = tx.now().micros();
    tx.execute(
        "INSERT INTO price_changes (id, list_id, key, actor, note, accepted, rejected, undoes, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            change.into(),
            list.into(),
            key.into(),
            actor.into(),
            note.into(),
            (accepted as i64).into(),
            (rejected as i64).into(),
            undoes.into(),
            now.into(),
        ],
    )?;
    Ok(())
}

/// Writes entries and cuts, and puts the variants into memory.
pub(super) fn write(
    tx: &mut Tx,
    change: i64,
    variants: Vec<(i64, Vec<Entry>)>,
    written: &[Entry],
    cuts: &[(i64, Timestamp, Timestamp)],
) -> Result<(), PriceError> {
    let rows: Vec<[db::Value<'_>; 10]> = written
        .iter()
        .map(|e| {
            [
                e.id.into(),
                e.variant.into(),
                e.list.into(),
                (&e.currency).into(),
                e.min_quantity.into(),
                e.minor.unwrap_or(-1).into(),
                e.compare_at.unwrap_or(-1).into(),
                e.starts_at.micros().into(),
                e.ends_at.micros().into(),
                e.change.into(),
            ]
        })
        .collect();
    let rows: Vec<&[db::Value<'_>]> = rows.iter().map(|r| &r[..]).collect();
    tx.upsert_many(&ENTRIES, &rows)?;
    let rows: Vec<[db::Value<'_>; 4]> = cuts
        .iter()
        .map(|(id, from, until)| [change.into(), (*id).into(), from.micros().into(), until.micros().into()])
        .collect();
    let rows: Vec<&[db::Value<'_>]> = rows.iter().map(|r| &r[..]).collect();
    tx.upsert_many(&CUTS, &rows)?;
    for (variant, entries) in variants {
        tx.put::<VariantPrices>(variant, entries);
    }
    look_again(tx)?;
    tx.notify(db::Notice::Changed { what: "prices" });
    Ok(())
}

fn currency_of(tx: &mut Tx, list: i64, currency: &str) -> Result<String, PriceError> {
    if list == BASE {
        return match currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase()) {
            true => Ok(currency.into()),
            false => Err(PriceError::invalid("/currency", "base prices need a currency of three capitals")),
        };
    }
    let found = lists(tx)?.find(list).cloned().ok_or(PriceError::NoList { id: list })?;
    if found.ends_at <= tx.now() {
        return Err(PriceError::Ended { id: list });
    }
    if !currency.is_empty() && currency != found.currency {
        return Err(PriceError::invalid("/currency", format!("the list is in {}", found.currency)));
    }
    Ok(found.currency)
}

fn wrong(now: Timestamp, price: &NewPrice) -> Option<(&'static str, String)> {
    const MINOR_MAX: i64 = 100_000_000_000_000;
    if price.variant < 1 {
        return Some(("/variant", "there is no such variant".into()));
    }
    if !(0..=1_000_000_000).contains(&price.min_quantity) {
        return Some(("/min_quantity", "it lies between 0 and a million pieces".into()));
    }
    for (pointer, minor) in [("/minor", price.minor), ("/compare_at", price.compare_at)] {
        if minor.is_some_and(|minor| !(0..=MINOR_MAX).contains(&minor)) {
            return Some((pointer, format!("it lies between 0 and {MINOR_MAX}")));
        }
    }
    if price.compare_at.zip(price.minor).is_some_and(|(compare_at, minor)| compare_at < minor) {
        return Some(("/compare_at", "what is struck through is not below the price".into()));
    }
    let from = price.from.unwrap_or(now);
    if from < now {
        return Some(("/from", "it lies in the past, where prices are history".into()));
    }
    if price.until.is_some_and(|until| until <= from) {
        return Some(("/until", "it ends before it begins".into()));
    }
    None
}

fn plan(
    tx: &mut Tx,
    list: i64,
    currency: &str,
    prices: &[NewPrice],
    change: i64,
    next_id: &mut dyn FnMut() -> i64,
) -> Result<Plan, PriceError> {
    if prices.is_empty() || prices.len() > PRICES_MAX {
        return Err(PriceError::invalid("/prices", format!("1 to {PRICES_MAX} prices are set at once")));
    }
    let now = tx.now();
    let mut keys: Vec<i64> = prices.iter().map(|p| p.variant).filter(|v| *v > 0).collect();
    keys.sort_unstable();
    keys.dedup();
    tx.preload::<VariantPrices>(&keys)?;
    let mut out = Plan {
        effects: Vec::new(),
        rejections: Vec::new(),
        variants: Vec::new(),
        written: BTreeMap::new(),
        cuts: BTreeMap::new(),
    };
    let mut by_variant: Vec<usize> = (0..prices.len()).collect();
    by_variant.sort_by_key(|at| (prices[*at].variant, *at));
    for same in by_variant.chunk_by(|a, b| prices[*a].variant == prices[*b].variant) {
        let variant = prices[same[0]].variant;
        let mut entries =
            if variant > 0 { tx.get::<VariantPrices>(variant)?.cloned().unwrap_or_default() } else { Vec::new() };
        let (mut touched, mut changed) = (HashSet::new(), false);
        for at in same.iter().copied() {
            let price = &prices[at];
            if let Some((pointer, what)) = wrong(now, price) {
                out.rejections.push(Rejection { index: at, pointer, what });
                continue;
            }
            let min_quantity = if price.min_quantity <= 1000 { 0 } else { price.min_quantity };
            let from = price.from.unwrap_or(now);
            if !touched.insert((min_quantity, from)) {
                let what = "the same variant, quantity and moment stand twice".to_string();
                out.rejections.push(Rejection { index: at, pointer: "", what });
                continue;
            }
            let (mut like, other): (Vec<Entry>, Vec<Entry>) = entries
                .into_iter()
                .partition(|e| e.list == list && e.currency == currency && e.min_quantity == min_quantity);
            let before = like.iter().find(|e| e.holds(from)).and_then(|e| e.minor);
            let span = Span { minor: price.minor, compare_at: price.compare_at, from, until: price.until };
            let set = timeline::set(&like, &span);
            for (id, starts_at, ends_at) in set.moved {
                let Some(entry) = like.iter_mut().find(|e| e.id == id) else { continue };
                // One that this change itself made has no earlier time to go back to.
                if entry.change != change {
                    out.cuts.entry(id).or_insert((entry.starts_at, entry.ends_at));
                }
                (entry.starts_at, entry.ends_at) = (starts_at, ends_at);
                out.written.insert(id, entry.clone());
            }
            let mut until = from;
            for span in set.new {
                let entry = Entry {
                    id: next_id(),
                    variant,
                    list,
                    currency: currency.to_string(),
                    min_quantity,
                    minor: span.minor,
                    compare_at: span.compare_at,
                    starts_at: span.from,
                    ends_at: span.until.unwrap_or(crate::prices::model::NEVER),
                    change,
                };
                if entry.starts_at == from {
                    until = entry.ends_at;
                }
                out.written.insert(entry.id, entry.clone());
                like.push(entry);
            }
            let after = price.minor;
            out.effects.push(Effect { index: at, variant, min_quantity, from, until, before, after });
            entries = other;
            entries.extend(like);
            changed = true;
        }
        if changed {
            entries.sort_by(order);
            out.variants.push((variant, entries));
        }
    }
    out.effects.sort_by_key(|e| e.index);
    out.rejections.sort_by_key(|r| r.index);
    Ok(out)
}
