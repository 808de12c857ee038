//! Goods come back: in parts, piece by piece, to any place.
use super::goods::{bring_back, move_goods, reopen, taken_in};
use super::*;
use crate::after::model::{Account, Arrived, Grade, Reason, Stage};
use crate::commands::{order_of, put_order};
use crate::states::returns::goods::{Action, Guard};
use crate::states::step;
use base::Quantity;
use serde_json::json;
use stock::model::{Condition, DocumentKind, LOSS};

/// Pieces that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// The return's line.
    pub line: usize,
    pub quantity: Quantity,
    /// `None`: somebody looks later.
    pub grade: Option<Grade>,
    /// Batch or serial number; empty where none is kept.
    pub lot: String,
}

/// What somebody took in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The place that has the goods now.
    pub location_no: i64,
    /// The teller's own id of it, so that telling it twice counts once; empty: none.
    pub key: String,
    pub lines: Vec<Got>,
}

/// Takes goods in: what is sellable is on sale there at once, what is not yet graded lies in quarantine. Of an exchange all pieces come
/// at once and graded, and the others become an order.
pub fn receive(tx: &mut Tx, shop: &Shop, no: i64, taken: &Taken, actor: &str) -> Result<Arc<Return>, OrderError> {
    check_key(&taken.key)?;
    let known = return_of(tx, no)?;
    let told = |line: &crate::after::model::ReturnLine| line.arrived.iter().any(|a| a.key == taken.key);
    if !taken.key.is_empty() && known.body.lines.iter().any(told) {
        return Ok(known);
    }
    let places = stock::commands::places(tx)?;
    if !places.get(taken.location_no).is_some_and(|location| location.kind.sells()) {
        return Err(OrderError::field("/location_id", "no goods are taken in there"));
    }
    let mut row = Return::clone(&known);
    let mut moves = Vec::new();
    for (at, got) in taken.lines.iter().enumerate() {
        let Some(line) = row.body.lines.get_mut(got.line) else {
            return Err(OrderError::field(format!("/lines/{at}/line"), "the return has no such line"));
        };
        let open = line.milli - line.arrived_milli();
        if !got.quantity.is_positive() || got.quantity.milli() > open {
            let detail = format!("{} of it are awaited, not {}", Quantity::from_milli(open), got.quantity);
            return Err(OrderError::field(format!("/lines/{at}/quantity"), detail));
        }
        if got.lot.len() > 100 {
            return Err(OrderError::field(format!("/lines/{at}/lot"), "at most 100 bytes are allowed"));
        }
        let arrived = Arrived {
            key: taken.key.clone(),
            milli: got.quantity.milli(),
            grade: got.grade,
            location_no: taken.location_no,
            lot: got.lot.clone(),
            at: tx.now(),
            by: actor.into(),
        };
        moves.extend(taken_in(line, &arrived));
        line.arrived.push(arrived);
    }
    if taken.lines.is_empty() {
        return Err(OrderError::field("/lines", "say what came"));
    }
    row.stage = match row.stage {
        Stage::Return(state) => Stage::Return(step(state, Action::Receive, &guards(&row))?),
        Stage::Exchange(state) => Stage::Exchange(exchange::step_received(state, &row)?),
    };
    let order = if row.order_no > 0 { Some(came_back(tx, &row, taken)?) } else { None };
    move_goods(tx, DocumentKind::Return, &format!("return:{no}"), moves, actor)?;
    if let Some((order, account)) = order {
        put_order(tx, order);
        put_account(tx, row.order_no, account)?;
    }
    let pieces: i64 = taken.lines.iter().map(|got| got.quantity.milli()).sum();
    tell(tx, row.order_no, actor, "goods came back", &json!({"return": no, "milli": pieces}));
    if matches!(row.stage, Stage::Exchange(_)) {
        exchange::received(tx, shop, &mut row, actor)?;
    }
    Ok(put_return(tx, row))
}

/// The order and its account, with the pieces that came.
fn came_back(tx: &mut Tx, row: &Return, taken: &Taken) -> Result<(Order, Account), OrderError> {
    let mut order = Order::clone(&*order_of(tx, row.order_no)?);
    let mut account = account_of(tx, row.order_no)?;
    for got in &taken.lines {
        let line = &row.body.lines[got.line];
        let of = line.line.unwrap_or(0);
        bring_back(&mut order, of, got.quantity.milli(), line.reason == Reason::NotCollected, taken.location_no)?;
        Account::add(&mut account.coming, of, -got.quantity.milli());
    }
    reopen(&mut order)?;
    Ok((order, account))
}

fn guards(row: &Return) -> Vec<Guard> {
    let mut out = Vec::new();
    if row.body.lines.iter().all(|line| line.arrived_milli() == line.milli) {
        out.push(Guard::All);
    }
    if row.body.lines.iter().all(crate::after::model::ReturnLine::is_graded) {
        out.push(Guard::Graded);
    }
    out
}

/// Says what pieces that wait in quarantine are good for: the `nth` that came of a line.
pub fn grade(
    tx: &mut Tx,
    no: i64,
    (line, nth): (usize, usize),
    grade: Grade,
    actor: &str,
) -> Result<Arc<Return>, OrderError> {
    let mut row = Return::clone(&*return_of(tx, no)?);
    let found = row.body.lines.get_mut(line);
    let variant_no = found.as_ref().map_or(0, |line| line.variant_no);
    let arrived = found.and_then(|line| line.arrived.get_mut(nth));
    let Some(arrived) = arrived else {
        return Err(OrderError::field("/line", "nothing of that came"));
    };
    if let Some(known) = arrived.grade {
        return Err(OrderError::field("/grade", format!("it was graded {} before", known.as_str())));
    }
    arrived.grade = Some(grade);
    let to = match grade {
        Grade::WriteOff => (LOSS, Condition::Sellable),
        other => (arrived.location_no, goods::condition(Some(other))),
    };
    let from = (arrived.location_no, Condition::Quarantine);
    let (milli, lot) = (arrived.milli, arrived.lot.clone());
    let moved = goods::Moving { variant_no, milli, lot: &lot, from, to, reason: grade.as_str() }.movement();
    let Stage::Return(state) = row.stage else {
        return Err(OrderError::field("/grade", "an exchange is graded when its goods are taken in"));
    };
    row.stage = Stage::Return(step(state, Action::Receive, &guards(&row))?);
    move_goods(tx, DocumentKind::Condition, &format!("return:{no}"), vec![moved], actor)?;
    Ok(put_return(tx, row))
}

/// Stops waiting for the rest: what came counts.
pub fn close_short(tx: &mut Tx, no: i64, actor: &str) -> Result<Arc<Return>, OrderError> {
    let mut row = Return::clone(&*return_of(tx, no)?);
    let Stage::Return(state) = row.stage else {
        return Err(OrderError::field("/return", "an exchange takes all of its goods at once"));
    };
    row.stage = Stage::Return(step(state, Action::CloseShort, &guards(&row))?);
    decide::let_go(tx, &mut row)?;
    tell(tx, row.order_no, actor, "return closed short", &json!({"return": no}));
    Ok(put_return(tx, row))
}
