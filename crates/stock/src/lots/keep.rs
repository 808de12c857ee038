//! What is known of lots and what lies of them: written with every movement that names one.
use super::memory::{LotMemory, NEXT};
use super::{LOT_MAX, Lot, LotState, find, lying};
use crate::commands::{self, Broken, Shortage};
use crate::error::StockError;
use crate::model::{Condition, Document, DocumentKind, Move};
use base::{DAY_US, Timestamp};
use db::{DbError, Tx};

/// Lines of one paper.
const LINES_MAX: usize = 2000;

/// Adds a movement to the sums of its lot. `from` and `to` say at which ends goods are counted.
pub(crate) fn carry(tx: &mut Tx, m: &Move, (from, to): (bool, bool), at: Timestamp) -> Result<(), DbError> {
    let sql = "INSERT INTO stock_lots (variant_no, lot, expires_at, first_at, state, why, version, updated_at) \
               VALUES ($1, $2, 0, $3, 'good', '', 1, $4) ON CONFLICT (variant_no, lot) DO NOTHING";
    let now = tx.now().micros();
    tx.execute(sql, &[m.variant_no.into(), (&*m.lot).into(), at.micros().into(), now.into()])?;
    tx.memory::<LotMemory>()?.add(m.variant_no);
    let sum = "INSERT INTO stock_lot_positions (variant_no, lot, location_no, condition, quantity) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (variant_no, lot, location_no, condition) DO UPDATE SET \
               quantity = stock_lot_positions.quantity + excluded.quantity";
    let ends = [(from, m.from_no, m.from_condition, -m.quantity), (to, m.to_no, m.to_condition, m.quantity)];
    for (_, location_no, condition, quantity) in ends.into_iter().filter(|(counts, ..)| *counts) {
        let values = [
            m.variant_no.into(),
            (&*m.lot).into(),
            location_no.into(),
            (condition as i64).into(),
            quantity.milli().into(),
        ];
        tx.execute(sum, &values)?;
    }
    Ok(())
}

/// What somebody says of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotInput {
    /// From this moment on it must not be sold.
    pub expires_at: Option<Timestamp>,
    /// Hold it back everywhere.
    pub quarantined: bool,
    pub why: String,
}

/// Says what is known of a lot: until when it is good, whether it is held back. What lies of it goes into quarantine everywhere,
/// or comes out. Gives the lot before and after, and claims that cannot be served any more.
pub fn put(
    tx: &mut Tx,
    variant_no: i64,
    name: &str,
    input: &LotInput,
    actor: &str,
) -> Result<(Option<Lot>, Lot, Vec<Broken>), StockError> {
    if name.trim().is_empty() || name.len() > LOT_MAX || name.chars().any(char::is_control) {
        return Err(StockError::field("/lot", format!("a lot has a name of at most {LOT_MAX} bytes")));
    }
    if input.why.len() > 200 || actor.len() > 200 {
        return Err(StockError::field("/why", "at most 200 bytes are allowed"));
    }
    if input.expires_at.is_some_and(|at| at.micros() <= 0 || at > tx.now().plus(100 * 365 * DAY_US)) {
        return Err(StockError::field("/expires_on", "a lot expires within a hundred years"));
    }
    let before = find(tx, variant_no, name)?;
    let now = tx.now();
    let state = match (input.quarantined, input.expires_at) {
        (true, _) => LotState::Quarantined,
        (false, Some(at)) if at <= now => LotState::Expired,
        (false, _) => LotState::Good,
    };
    let after = Lot {
        lot: name.into(),
        expires_at: input.expires_at,
        first_at: before.as_ref().map_or(now, |lot| lot.first_at),
        state,
        why: input.why.trim().into(),
        version: before.as_ref().map_or(0, |lot| lot.version) + 1,
    };
    let broken = store(tx, variant_no, before.as_ref(), &after, actor)?;
    Ok((before, after, broken))
}

fn store(
    tx: &mut Tx,
    variant_no: i64,
    before: Option<&Lot>,
    after: &Lot,
    actor: &str,
) -> Result<Vec<Broken>, StockError> {
    let sql = "INSERT INTO stock_lots (variant_no, lot, expires_at, first_at, state, why, version, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (variant_no, lot) DO UPDATE SET \
               expires_at = excluded.expires_at, state = excluded.state, why = excluded.why, version = excluded.version, \
               updated_at = excluded.updated_at";
    let now = tx.now();
    let expires_at = after.expires_at.map_or(0, Timestamp::micros);
    tx.execute(
        sql,
        &[
            variant_no.into(),
            (&*after.lot).into(),
            expires_at.into(),
            after.first_at.micros().into(),
            after.state.as_str().into(),
            (&*after.why).into(),
            after.version.into(),
            now.micros().into(),
        ],
    )?;
    let memory = tx.memory::<LotMemory>()?;
    memory.add(variant_no);
    if let Some(at) = after.expires_at.filter(|_| after.state == LotState::Good)
        && memory.due().is_none_or(|due| at < due)
    {
        memory.set_due(Some(at));
    }
    tx.notify(db::Notice::Changed { what: "lots" });
    let was = before.map_or(LotState::Good, |lot| lot.state);
    if (was == LotState::Good) == (after.state == LotState::Good) {
        return Ok(vec![]);
    }
    move_all(tx, variant_no, after, actor)
}

/// Moves what lies of a lot into quarantine, or out of it, wherever goods are promised from. What is on the way follows when it
/// arrives.
fn move_all(tx: &mut Tx, variant_no: i64, lot: &Lot, actor: &str) -> Result<Vec<Broken>, StockError> {
    let (from, to) = match lot.state {
        LotState::Good => (Condition::Quarantine, Condition::Sellable),
        _ => (Condition::Sellable, Condition::Quarantine),
    };
    let places = commands::places(tx)?;
    let mut moves = Vec::new();
    for p in lying(tx, variant_no, &lot.lot)? {
        if p.condition == from && places.get(p.location_no).is_some_and(|location| location.kind.sells()) {
            moves.push(Move {
                variant_no,
                from_no: p.location_no,
                from_condition: from,
                to_no: p.location_no,
                to_condition: to,
                lot: lot.lot.clone(),
                quantity: p.quantity,
                reason: format!("lot {}", lot.state.as_str()).into(),
            });
        }
    }
    let mut broken = Vec::new();
    // A lot may lie at more places than a paper has lines.
    for moves in moves.chunks(LINES_MAX) {
        let paper = Document {
            kind: DocumentKind::Condition,
            source: "braid".into(),
            external_id: "".into(),
            reference: format!("lot:{}", lot.lot).into(),
            note: "".into(),
            actor: actor.into(),
            at: tx.now(),
            moves: moves.to_vec(),
        };
        broken.extend(commands::post(tx, &paper, Shortage::Record)?.broken);
    }
    Ok(broken)
}

/// When [`expire`] has something to do next.
pub fn next_expiry(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    Ok(tx.memory::<LotMemory>()?.due())
}

/// Puts lots whose day has come into quarantine, so many at a time, the oldest first. Gives the claims that broke.
pub fn expire(tx: &mut Tx, limit: i64) -> Result<Vec<Broken>, StockError> {
    let now = tx.now();
    if next_expiry(tx)?.is_none_or(|at| at > now) {
        return Ok(vec![]);
    }
    let sql = "SELECT variant_no, lot FROM stock_lots WHERE expires_at > 0 AND state = 'good' AND expires_at <= $1 \
               ORDER BY expires_at, variant_no, lot LIMIT $2";
    let mut out = Vec::new();
    for row in tx.rows(sql, &[now.micros().into(), limit.into()])? {
        let variant_no = row.int(0)?;
        let Some(lot) = find(tx, variant_no, row.text(1)?)? else { continue };
        let after = Lot { state: LotState::Expired, version: lot.version + 1, ..lot.clone() };
        out.extend(store(tx, variant_no, Some(&lot), &after, "braid")?);
    }
    let next = tx.first(NEXT, &[])?.map(|row| row.opt_int(0)).transpose()?.flatten();
    tx.memory::<LotMemory>()?.set_due(next.map(Timestamp::from_micros));
    Ok(out)
}
