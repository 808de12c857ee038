//! Lots and serial numbers: what is known of each, how much of it lies where, and which of it leaves first.
//!
//! A movement may name a lot. Of goods that have lots, a movement that names none is split over them by [`removal`]; what has
//! expired or is held back lies in quarantine, so that nobody can promise it. A serial number is a lot of one piece that lies at
//! one place at a time. Goods without a lot are what a place has beyond its lots.
mod complete;
mod keep;
mod memory;
pub mod removal;

pub(crate) use complete::complete;
pub(crate) use keep::carry;
pub use keep::{LotInput, expire, next_expiry, put};

use crate::model::Condition;
use base::{Quantity, Timestamp};
use db::{DbError, Engine, Row, Tx};

/// What may be done with a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotState {
    Good,
    /// Somebody holds it back.
    Quarantined,
    /// Its day has come.
    Expired,
}

impl LotState {
    pub const ALL: [(LotState, &'static str); 3] =
        [(LotState::Good, "good"), (LotState::Quarantined, "quarantined"), (LotState::Expired, "expired")];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

/// What is known of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    pub lot: Box<str>,
    pub expires_at: Option<Timestamp>,
    /// When it was heard of first.
    pub first_at: Timestamp,
    pub state: LotState,
    pub why: Box<str>,
    pub version: i64,
}

/// How much of a lot lies at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotPosition {
    pub lot: Box<str>,
    pub location_no: i64,
    pub condition: Condition,
    pub quantity: Quantity,
}

/// The longest name of a lot, in bytes.
pub const LOT_MAX: usize = 100;

fn lot(row: &Row) -> Result<Lot, DbError> {
    let state = LotState::parse(row.text(3)?);
    Ok(Lot {
        lot: row.text(0)?.into(),
        expires_at: Some(row.int(1)?).filter(|at| *at > 0).map(Timestamp::from_micros),
        first_at: Timestamp::from_micros(row.int(2)?),
        state: state.ok_or_else(|| DbError::damaged("stock_lots", "its state is unknown"))?,
        why: row.text(4)?.into(),
        version: row.int(5)?,
    })
}

fn position(row: &Row) -> Result<LotPosition, DbError> {
    let condition = Condition::from_code(row.int(2)?);
    Ok(LotPosition {
        lot: row.text(0)?.into(),
        location_no: row.int(1)?,
        condition: condition.ok_or_else(|| DbError::damaged("stock_lot_positions", "its condition is unknown"))?,
        quantity: Quantity::from_milli(row.int(3)?),
    })
}

/// A lot of a variant.
pub fn find(tx: &mut Tx, variant_no: i64, name: &str) -> Result<Option<Lot>, DbError> {
    let sql =
        "SELECT lot, expires_at, first_at, state, why, version FROM stock_lots WHERE variant_no = $1 AND lot = $2";
    tx.first(sql, &[variant_no.into(), name.into()])?.as_ref().map(lot).transpose()
}

/// Where a lot lies.
pub fn lying(tx: &mut Tx, variant_no: i64, name: &str) -> Result<Vec<LotPosition>, DbError> {
    let sql = "SELECT lot, location_no, condition, quantity FROM stock_lot_positions \
               WHERE variant_no = $1 AND lot = $2 AND quantity > 0 ORDER BY location_no, condition";
    tx.rows(sql, &[variant_no.into(), name.into()])?.iter().map(position).collect()
}

/// The lots of a variant with where they lie, by name, at most a thousand after a name; those that lie nowhere only if `all`.
pub fn list(db: &mut Engine, variant_no: i64, after: &str, all: bool) -> Result<Vec<(Lot, Vec<LotPosition>)>, DbError> {
    let lots = "SELECT l.lot, l.expires_at, l.first_at, l.state, l.why, l.version FROM stock_lots l \
                WHERE l.variant_no = $1 AND l.lot > $2 AND ($3 = 1 OR EXISTS (SELECT 1 FROM stock_lot_positions p \
                WHERE p.variant_no = l.variant_no AND p.lot = l.lot AND p.quantity > 0)) ORDER BY l.lot LIMIT 1000";
    let rows = db.rows(lots, &[variant_no.into(), after.into(), i64::from(all).into()])?;
    let mut out: Vec<(Lot, Vec<LotPosition>)> =
        rows.iter().map(|row| Ok::<_, DbError>((lot(row)?, vec![]))).collect::<Result<_, _>>()?;
    let Some(last) = out.last().map(|(lot, _)| lot.lot.clone()) else { return Ok(out) };
    let lie = "SELECT lot, location_no, condition, quantity FROM stock_lot_positions \
               WHERE variant_no = $1 AND lot > $2 AND lot <= $3 AND quantity <> 0 ORDER BY lot, location_no, condition";
    for row in db.rows(lie, &[variant_no.into(), after.into(), (&*last).into()])? {
        let position = position(&row)?;
        if let Ok(at) = out.binary_search_by(|(lot, _)| lot.lot.cmp(&position.lot)) {
            out[at].1.push(position);
        }
    }
    Ok(out)
}

/// One step in the life of a lot or a serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub move_no: i64,
    pub variant_no: i64,
    pub from_no: i64,
    pub from_condition: Condition,
    pub to_no: i64,
    pub to_condition: Condition,
    pub quantity: Quantity,
    pub reason: String,
    pub at: Timestamp,
    pub document_no: i64,
    pub kind: String,
    pub reference: String,
    pub actor: String,
}

const HISTORY: &str = "SELECT m.no, m.variant_no, m.from_no, m.from_condition, m.to_no, m.to_condition, m.quantity, m.reason, m.at, \
     d.no, d.kind, d.reference, d.actor FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no \
     WHERE m.lot = $1 AND m.lot <> '' ORDER BY m.no LIMIT 1000";

/// Everything that happened to a lot or a serial number, of whichever variant, the oldest first, at most a thousand steps.
pub fn history(db: &mut Engine, name: &str) -> Result<Vec<Step>, DbError> {
    let read = |row: &Row| -> Result<Step, DbError> {
        let condition = |at: usize| -> Result<Condition, DbError> {
            let known = Condition::from_code(row.int(at)?);
            known.ok_or_else(|| DbError::damaged("stock_moves", "its condition is unknown"))
        };
        Ok(Step {
            move_no: row.int(0)?,
            variant_no: row.int(1)?,
            from_no: row.int(2)?,
            from_condition: condition(3)?,
            to_no: row.int(4)?,
            to_condition: condition(5)?,
            quantity: Quantity::from_milli(row.int(6)?),
            reason: row.text(7)?.into(),
            at: Timestamp::from_micros(row.int(8)?),
            document_no: row.int(9)?,
            kind: row.text(10)?.into(),
            reference: row.text(11)?.into(),
            actor: row.text(12)?.into(),
        })
    };
    db.rows(HISTORY, &[name.into()])?.iter().map(read).collect()
}

/// Where a lot or a serial number lies, by variant.
pub fn places_of(db: &mut Engine, name: &str) -> Result<Vec<(i64, LotPosition)>, DbError> {
    let sql = "SELECT p.lot, p.location_no, p.condition, p.quantity, p.variant_no FROM stock_lot_positions p \
               WHERE p.lot = $1 AND p.quantity > 0 AND p.variant_no IN (SELECT m.variant_no FROM stock_moves m WHERE m.lot = $1 \
               AND m.lot <> '') ORDER BY p.variant_no, p.location_no, p.condition LIMIT 1000";
    db.rows(sql, &[name.into()])?.iter().map(|row| Ok((row.int(4)?, position(row)?))).collect()
}
