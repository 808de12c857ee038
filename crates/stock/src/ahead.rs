//! What may be sold before it is there, and how much of what is on order is free for that.
//!
//! Nothing is sold ahead unless somebody said so for the variant, everywhere or at places to which it is delivered. What can be
//! promised is a line of a purchase order with a day on which it is expected; an order that is late is promised to nobody. All of
//! it is held in memory and published after each commit, so that product pages ask no store.
use crate::error::{Short, StockError};
use crate::incoming::{self, IncomingRequest, Part, Supply, allot, supplies};
use base::{Quantity, Timestamp};
use db::{DbError, Engine, Memory, Notice, Tx};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Where a variant is sold ahead that is so everywhere.
pub const EVERYWHERE: i64 = 0;
/// Variants that are sold ahead, and places of one of them.
const VARIANTS_MAX: usize = 50_000;
const PLACES_MAX: usize = 1_000;

/// A variant that is sold ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Places to which it must be delivered; [`EVERYWHERE`]: any.
    pub places: Vec<i64>,
    /// What can still be promised there, with a day.
    pub supplies: Vec<Supply>,
}

impl Ahead {
    /// What is still expected in the future.
    pub fn coming(&self, now: Timestamp) -> impl Iterator<Item = &Supply> {
        self.supplies.iter().filter(move |s| s.expected_at > now && s.free.is_positive())
    }
    fn of(places: Vec<i64>, all: Vec<Supply>) -> Self {
        let fits = |s: &Supply| {
            s.expected_at.micros() > 0 && places.iter().any(|no| *no == EVERYWHERE || *no == s.location_no)
        };
        let supplies = all.into_iter().filter(fits).collect();
        Ahead { places, supplies }
    }
}

type All = HashMap<i64, Arc<Ahead>>;

/// All variants that are sold ahead, as they were committed last, for threads beside the writer.
#[derive(Debug, Clone, Default)]
pub struct AheadCell(Arc<RwLock<Arc<All>>>);

impl AheadCell {
    /// What of a variant is sold ahead; `None`: nothing is.
    pub fn get(&self, variant_no: i64) -> Option<Arc<Ahead>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&variant_no).cloned()
    }
    fn set(&self, all: Arc<All>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

struct Held {
    committed: Arc<All>,
    changed: Option<Arc<All>>,
    shared: AheadCell,
}

const ALLOWED: &str = "SELECT variant_no, location_no FROM sell_ahead ORDER BY variant_no, location_no";

/// Reads everything that is sold ahead.
pub fn read(db: &mut Engine) -> Result<HashMap<i64, Arc<Ahead>>, DbError> {
    let mut places: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in db.rows(ALLOWED, &[])? {
        places.entry(row.int(0)?).or_default().push(row.int(1)?);
    }
    let mut out = All::new();
    for (variant_no, places) in places {
        // Once at a start, and a look-up by index each.
        let all = supplies(db, variant_no)?;
        out.insert(variant_no, Arc::new(Ahead::of(places, all)));
    }
    Ok(out)
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let committed = Arc::new(read(db)?);
        let shared = AheadCell::default();
        shared.set(committed.clone());
        Ok(Held { committed, changed: None, shared })
    }
    fn reload(&mut self, db: &mut Engine) -> Result<(), DbError> {
        self.changed = None;
        self.committed = Arc::new(read(db)?);
        self.shared.set(self.committed.clone());
        Ok(())
    }
    fn commit(&mut self) {
        if let Some(changed) = self.changed.take() {
            self.shared.set(changed.clone());
            self.committed = changed;
        }
    }
    fn rollback(&mut self) {
        self.changed = None;
    }
}

/// What is sold ahead, for threads beside the writer.
pub fn cell(tx: &mut Tx) -> Result<AheadCell, DbError> {
    Ok(tx.memory::<Held>()?.shared.clone())
}

/// What of a variant is sold ahead, as this transaction sees it.
pub fn of(tx: &mut Tx, variant_no: i64) -> Result<Option<Arc<Ahead>>, DbError> {
    let held = tx.memory::<Held>()?;
    Ok(held.changed.as_ref().unwrap_or(&held.committed).get(&variant_no).cloned())
}

/// Says where a variant is sold before it is there: at no place, at some, or everywhere it is delivered to.
pub fn allow(tx: &mut Tx, variant_no: i64, places: &[i64]) -> Result<(), StockError> {
    let known = super::commands::places(tx)?;
    if places.len() > PLACES_MAX {
        return Err(StockError::field(
            "/locations",
            format!("name at most {PLACES_MAX} places, or none for everywhere"),
        ));
    }
    if let Some(no) = places.iter().find(|no| **no != EVERYWHERE && !known.get(**no).is_some_and(|l| l.kind.sells())) {
        return Err(StockError::Unknown { what: "location", id: no.to_string() });
    }
    let held = tx.memory::<Held>()?;
    let all = held.changed.as_ref().unwrap_or(&held.committed);
    if !all.contains_key(&variant_no) && !places.is_empty() && all.len() >= VARIANTS_MAX {
        return Err(StockError::field("/sku", format!("at most {VARIANTS_MAX} variants are sold ahead")));
    }
    tx.execute("DELETE FROM sell_ahead WHERE variant_no = $1", &[variant_no.into()])?;
    let mut places: Vec<i64> = places.to_vec();
    places.sort_unstable();
    places.dedup();
    for no in &places {
        let sql = "INSERT INTO sell_ahead (variant_no, location_no) VALUES ($1, $2)";
        tx.execute(sql, &[variant_no.into(), (*no).into()])?;
    }
    let fresh = match places.is_empty() {
        true => None,
        false => Some(Ahead::of(places, supplies(tx.engine(), variant_no)?)),
    };
    change(tx, variant_no, fresh)?;
    Ok(())
}

fn change(tx: &mut Tx, variant_no: i64, fresh: Option<Ahead>) -> Result<(), DbError> {
    let held = tx.memory::<Held>()?;
    let committed = &held.committed;
    let all = Arc::make_mut(held.changed.get_or_insert_with(|| committed.clone()));
    match fresh {
        Some(fresh) => drop(all.insert(variant_no, Arc::new(fresh))),
        None => drop(all.remove(&variant_no)),
    }
    tx.notify(Notice::Stock { variant_no });
    Ok(())
}

/// What is on order of a variant changed, or who was promised it.
pub(crate) fn touched(tx: &mut Tx, variant_no: i64) -> Result<(), DbError> {
    let Some(known) = of(tx, variant_no)? else { return Ok(()) };
    let sql = incoming::SUPPLIES;
    let rows = tx.rows(sql, &[variant_no.into(), incoming::SUPPLIES_MAX.into()])?;
    let all = rows.iter().map(incoming::supply).collect::<Result<Vec<_>, _>>()?;
    let fresh = Ahead::of(known.places.clone(), all);
    if fresh != *known {
        change(tx, variant_no, Some(fresh))?;
    }
    Ok(())
}

/// From where something is taken that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its place among what was wanted.
    pub line: usize,
    pub variant_no: i64,
    /// Where it is delivered.
    pub location_no: i64,
    pub quantity: Quantity,
    pub expected_at: Timestamp,
}

/// Finds what is to come for all that is wanted, the soonest first, or everything there is too little of. Reads memory only.
///
/// `serves` says to which places it may be delivered.
pub fn plan(tx: &mut Tx, wanted: &[(i64, Quantity)], serves: &dyn Fn(i64) -> bool) -> Result<Vec<Planned>, StockError> {
    let now = tx.now();
    let mut held: BTreeMap<i64, Vec<Supply>> = BTreeMap::new();
    let (mut out, mut short) = (Vec::new(), Vec::new());
    for (line, (variant_no, quantity)) in wanted.iter().enumerate() {
        if !held.contains_key(variant_no) {
            let known = of(tx, *variant_no)?;
            let list = known.iter().flat_map(|ahead| ahead.coming(now)).filter(|s| serves(s.location_no)).cloned();
            held.insert(*variant_no, list.collect());
        }
        let supplies = held.entry(*variant_no).or_default();
        match allot(supplies, *quantity, None, None) {
            Ok(parts) => {
                for (at, quantity) in parts {
                    let supply = &mut supplies[at];
                    supply.free -= quantity;
                    let (location_no, expected_at) = (supply.location_no, supply.expected_at);
                    out.push(Planned { line, variant_no: *variant_no, location_no, quantity, expected_at });
                }
            }
            Err(available) => {
                short.push(Short { variant_no: *variant_no, location_no: None, wanted: *quantity, available });
            }
        }
    }
    if short.is_empty() { Ok(out) } else { Err(StockError::NotEnough(short)) }
}

/// Claims what was planned in this transaction for somebody: a claim for each place. Gives for each planned part its claim and its
/// line there.
pub fn claim(tx: &mut Tx, owner: &str, planned: &[Planned]) -> Result<Vec<(i64, i64)>, StockError> {
    let after = Some(tx.now());
    let mut out = vec![(0, 0); planned.len()];
    let mut places: Vec<i64> = planned.iter().map(|p| p.location_no).collect();
    places.sort_unstable();
    places.dedup();
    for location_no in places {
        let of: Vec<usize> = (0..planned.len()).filter(|at| planned[*at].location_no == location_no).collect();
        let lines = of.iter().map(|at| (planned[*at].variant_no, planned[*at].quantity)).collect();
        let request =
            IncomingRequest { owner: owner.into(), location_no: Some(location_no), latest: None, after, lines };
        let parts: Vec<Part> = incoming::claim(tx, &request)?;
        let claim_no = parts.first().map_or(0, |part| part.claim_no);
        for (line, at) in of.into_iter().enumerate() {
            out[at] = (claim_no, line as i64);
        }
    }
    Ok(out)
}
