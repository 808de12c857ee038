//! Makes the lines of a paper name the lots that they move, and refuses what cannot be: reads only.
use super::memory::LotMemory;
use super::removal::{Held, Removal, take};
use super::{LotState, find, lying};
use crate::StockTable;
use crate::commands::{self, Shortage};
use crate::error::{Short, StockError};
use crate::model::{Condition, Document, LOSS, Move};
use base::{Quantity, Timestamp};
use catalog::model::Lots;
use db::{DbError, Tx};

/// The lines of a paper with their lots.
#[derive(Debug)]
pub(crate) struct Completed {
    pub moves: Vec<Move>,
    /// Lots that moved although a place did not have them, nor anything that they could have been.
    pub found: Vec<Short>,
}

type Place = (i64, i64, Condition);

/// What lies at places by lot, as the lines before left it.
#[derive(Default)]
struct Shelves(Vec<(Place, Vec<Held>)>);

impl Shelves {
    fn at(&mut self, tx: &mut Tx, place: Place) -> Result<&mut Vec<Held>, DbError> {
        if let Some(at) = self.0.iter().position(|(known, _)| *known == place) {
            return Ok(&mut self.0[at].1);
        }
        let (variant_no, location_no, condition) = place;
        let position = tx.get::<StockTable>(variant_no)?.and_then(|stock| stock.at(location_no));
        let mut plain = position.map_or(Quantity::ZERO, |p| p.on_hand[condition as usize]);
        let sql = "SELECT p.lot, p.quantity, l.expires_at, l.first_at FROM stock_lot_positions p \
                   JOIN stock_lots l ON l.variant_no = p.variant_no AND l.lot = p.lot \
                   WHERE p.variant_no = $1 AND p.location_no = $2 AND p.condition = $3 AND p.quantity > 0 ORDER BY p.lot";
        let mut held = Vec::new();
        for row in tx.rows(sql, &[variant_no.into(), location_no.into(), (condition as i64).into()])? {
            let quantity = Quantity::from_milli(row.int(1)?);
            plain -= quantity;
            held.push(Held {
                lot: row.text(0)?.into(),
                quantity,
                expires_at: Some(row.int(2)?).filter(|at| *at > 0).map(Timestamp::from_micros),
                first_at: Timestamp::from_micros(row.int(3)?),
            });
        }
        let begun = Timestamp::from_micros(i64::MIN);
        held.push(Held { lot: "".into(), quantity: plain.or_none(), expires_at: None, first_at: begun });
        self.0.push((place, held));
        let last = self.0.len() - 1;
        Ok(&mut self.0[last].1)
    }
    fn add(&mut self, tx: &mut Tx, place: Place, lot: &str, quantity: Quantity) -> Result<(), DbError> {
        let held = self.at(tx, place)?;
        match held.iter_mut().find(|h| &*h.lot == lot) {
            Some(known) => known.quantity += quantity,
            None => {
                let first_at = Timestamp::from_micros(i64::MAX);
                held.push(Held { lot: lot.into(), quantity, expires_at: None, first_at });
            }
        }
        Ok(())
    }
    /// Where a serial number lies now, other than at `except`.
    fn elsewhere(&mut self, tx: &mut Tx, variant_no: i64, lot: &str, except: Place) -> Result<Vec<Place>, DbError> {
        for p in lying(tx, variant_no, lot)? {
            self.at(tx, (variant_no, p.location_no, p.condition))?;
        }
        let has = |held: &[Held]| held.iter().any(|h| &*h.lot == lot && h.quantity.is_positive());
        let mut out: Vec<Place> = self
            .0
            .iter()
            .filter(|((v, ..), held)| *v == variant_no && has(held))
            .map(|(place, _)| *place)
            .filter(|place| *place != except)
            .collect();
        out.sort_unstable();
        Ok(out)
    }
}

struct Work {
    shelves: Shelves,
    shortage: Shortage,
    out: Completed,
}

/// Names the lots of a paper's lines; `None` where none of them has any.
pub(crate) fn complete(tx: &mut Tx, document: &Document, shortage: Shortage) -> Result<Option<Completed>, StockError> {
    let memory = tx.memory::<LotMemory>()?;
    if document.moves.iter().all(|m| m.lot.is_empty() && !memory.has(m.variant_no)) {
        return Ok(None);
    }
    let places = commands::places(tx)?;
    let counts = |no: i64| places.get(no).is_some_and(|location| location.kind.counts());
    let sells = |no: i64| places.get(no).is_some_and(|location| location.kind.sells());
    let out = Completed { moves: Vec::with_capacity(document.moves.len()), found: vec![] };
    let mut work = Work { shelves: Shelves::default(), shortage, out };
    for (at, m) in document.moves.iter().enumerate() {
        let serial = !m.lot.is_empty() && kind(tx, m.variant_no)? == Lots::Serial;
        if serial && m.quantity != Quantity::ONE {
            let detail = "a serial number is one piece: name each on a line of its own";
            return Err(StockError::field(format!("/lines/{at}/quantity"), detail));
        }
        let mut m = m.clone();
        if !m.lot.is_empty() && m.to_condition == Condition::Sellable && sells(m.to_no) {
            hold_back(tx, at, &mut m)?;
        }
        // What was gone when the place was counted is made good by the count, under the same lot.
        let counted = tx.get::<StockTable>(m.variant_no)?.and_then(|stock| stock.at(m.from_no)).map(|p| p.counted_at);
        let before_count = m.from_condition == Condition::Sellable && counted.is_some_and(|c| document.at < c);
        if !counts(m.from_no) || before_count {
            work.arrive(tx, at, m, serial, counts)?;
            continue;
        }
        if m.lot.is_empty() {
            for part in work.split(tx, &m)? {
                work.arrive(tx, at, part, false, counts)?;
            }
            continue;
        }
        work.leave(tx, at, &m, serial)?;
        work.arrive(tx, at, m, serial, counts)?;
    }
    Ok(Some(work.out))
}

/// How a variant is kept.
fn kind(tx: &mut Tx, variant_no: i64) -> Result<Lots, DbError> {
    if !tx.memory::<LotMemory>()?.catalog {
        return Ok(Lots::None);
    }
    Ok(catalog::variants::get(tx, variant_no)?.map_or(Lots::None, |v| v.lots))
}

/// Goods of a lot that is not good lie in quarantine wherever they arrive.
fn hold_back(tx: &mut Tx, at: usize, m: &mut Move) -> Result<(), StockError> {
    let Some(lot) = find(tx, m.variant_no, &m.lot)? else { return Ok(()) };
    let fresh = lot.expires_at.is_none_or(|end| end > tx.now());
    if lot.state == LotState::Good && fresh {
        return Ok(());
    }
    if m.from_no == m.to_no {
        let why = if fresh { lot.state.as_str() } else { LotState::Expired.as_str() };
        let detail = format!("lot {} is {why}: it cannot be sold", m.lot);
        return Err(StockError::field(format!("/lines/{at}/lot"), detail));
    }
    m.to_condition = Condition::Quarantine;
    Ok(())
}

impl Work {
    /// Goods of which nobody says the lot: those that leave first.
    fn split(&mut self, tx: &mut Tx, m: &Move) -> Result<Vec<Move>, StockError> {
        let now = tx.now();
        let place = (m.variant_no, m.from_no, m.from_condition);
        let held = self.shelves.at(tx, place)?.clone();
        let removal = Removal::usual(&held);
        let (mut parts, mut left) = take(&held, m.quantity, removal, now);
        let expired: Quantity = held.iter().filter(|h| !h.is_fresh(now)).map(|h| h.quantity).sum();
        if left.is_positive() && expired.is_positive() {
            if self.shortage == Shortage::Refuse && m.from_condition == Condition::Sellable {
                let (variant_no, location_no) = (m.variant_no, Some(m.from_no));
                let available = m.quantity - left;
                return Err(StockError::NotEnough(vec![Short {
                    variant_no,
                    location_no,
                    wanted: m.quantity,
                    available,
                }]));
            }
            // It has happened, whatever the label said.
            let old: Vec<Held> =
                held.iter().filter(|h| !h.is_fresh(now)).map(|h| Held { expires_at: None, ..h.clone() }).collect();
            let (more, still) = take(&old, left, Removal::Fifo, now);
            parts.extend(more);
            left = still;
        }
        if left.is_positive() {
            parts.push(("".into(), left));
        }
        for (lot, quantity) in &parts {
            self.shelves.add(tx, place, lot, -*quantity)?;
        }
        Ok(parts.into_iter().map(|(lot, quantity)| Move { lot, quantity, ..m.clone() }).collect())
    }

    /// Goods of a named lot leave a place. What the place does not have of it is refused, or, once it has happened, the books
    /// are put right first: a serial number came from where it lay, another lot was this one.
    fn leave(&mut self, tx: &mut Tx, at: usize, m: &Move, serial: bool) -> Result<(), StockError> {
        let place = (m.variant_no, m.from_no, m.from_condition);
        let held = self.shelves.at(tx, place)?;
        let there = held.iter().find(|h| h.lot == m.lot).map_or(Quantity::ZERO, |h| h.quantity.or_none());
        let missing = m.quantity - there;
        if missing.is_positive() && self.shortage == Shortage::Refuse {
            let detail = format!("of {} {there} lie there", m.lot);
            return Err(StockError::field(format!("/lines/{at}/lot"), detail));
        }
        let mut missing = missing.or_none();
        if serial && missing.is_positive() {
            for other in self.shelves.elsewhere(tx, m.variant_no, &m.lot, place)?.into_iter().take(1) {
                self.correct(tx, m, (other, place), m.quantity, "the serial number was somewhere else")?;
                missing = Quantity::ZERO;
            }
        }
        if missing.is_positive() {
            let others: Vec<Held> = self.shelves.at(tx, place)?.iter().filter(|h| h.lot != m.lot).cloned().collect();
            let fresh: Vec<Held> = others.into_iter().map(|h| Held { expires_at: None, ..h }).collect();
            let (parts, left) = take(&fresh, missing, Removal::Fifo, tx.now());
            let reason = "it was another lot than the books said";
            self.push(tx, m, (None, Some(place)), (&m.lot, missing), reason)?;
            for (lot, quantity) in parts {
                self.push(tx, m, (Some(place), None), (&lot, quantity), reason)?;
            }
            if left.is_positive() {
                let (variant_no, location_no) = (m.variant_no, Some(m.from_no));
                let available = m.quantity - left;
                self.out.found.push(Short { variant_no, location_no, wanted: m.quantity, available });
            }
        }
        self.shelves.add(tx, place, &m.lot, -m.quantity).map_err(StockError::from)
    }

    /// Goods arrive where the line says. A serial number that lies somewhere else already cannot.
    fn arrive(
        &mut self,
        tx: &mut Tx,
        at: usize,
        m: Move,
        serial: bool,
        counts: impl Fn(i64) -> bool,
    ) -> Result<(), StockError> {
        if counts(m.to_no) {
            let place = (m.variant_no, m.to_no, m.to_condition);
            if serial {
                let nowhere = (m.variant_no, 0, Condition::Sellable);
                for other in self.shelves.elsewhere(tx, m.variant_no, &m.lot, nowhere)? {
                    if self.shortage != Shortage::Record {
                        let places = commands::places(tx)?;
                        let id = places.get(other.1).map_or_else(|| other.1.to_string(), |l| l.id.to_string());
                        let detail = format!("serial number {} lies at {id} already", m.lot);
                        return Err(StockError::field(format!("/lines/{at}/lot"), detail));
                    }
                    let reason = "the serial number turned up somewhere else";
                    self.push(tx, &m, (Some(other), None), (&m.lot, Quantity::ONE), reason)?;
                }
            }
            self.shelves.add(tx, place, &m.lot, m.quantity)?;
        }
        self.out.moves.push(m);
        Ok(())
    }

    /// Moves a lot from where the books had it to where it was, by way of lost and found.
    fn correct(
        &mut self,
        tx: &mut Tx,
        m: &Move,
        (from, to): (Place, Place),
        quantity: Quantity,
        reason: &str,
    ) -> Result<(), DbError> {
        self.push(tx, m, (Some(from), None), (&m.lot, quantity), reason)?;
        self.push(tx, m, (None, Some(to)), (&m.lot, quantity), reason)
    }

    /// A line of the books' own; an end that is `None` is lost and found.
    fn push(
        &mut self,
        tx: &mut Tx,
        m: &Move,
        (from, to): (Option<Place>, Option<Place>),
        (lot, quantity): (&str, Quantity),
        reason: &str,
    ) -> Result<(), DbError> {
        let end =
            |place: Option<Place>| place.map_or((LOSS, Condition::Sellable), |(_, no, condition)| (no, condition));
        let ((from_no, from_condition), (to_no, to_condition)) = (end(from), end(to));
        if let Some(from) = from {
            self.shelves.add(tx, from, lot, -quantity)?;
        }
        if let Some(to) = to {
            self.shelves.add(tx, to, lot, quantity)?;
        }
        let (lot, reason) = (lot.into(), reason.into());
        self.out.moves.push(Move { from_no, from_condition, to_no, to_condition, lot, quantity, reason, ..m.clone() });
        Ok(())
    }
}
