//! Which lots a movement of points touches.
use base::Timestamp;
use serde::{Deserialize, Serialize};

/// What is left of points that were earned together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    pub id: i64,
    pub account: i64,
    /// The document that earned them.
    pub document: String,
    /// Below 0 for a debt.
    pub remaining: i64,
    pub expires_at: Timestamp,
}

impl Lot {
    /// Whether its points can be burned at a moment.
    pub fn lives(&self, at: Timestamp) -> bool {
        self.remaining > 0 && at < self.expires_at
    }
}

/// Points that go from or to a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub lot: i64,
    pub account: i64,
    /// Above 0 for points that the customer gets.
    pub points: i64,
}

/// What happens when more is taken back than the customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// The balance goes below zero; later points pay the debt first.
    #[default]
    Debt,
    /// What is missing is forgiven.
    Forgive,
}

/// What can be burned at a moment: live lots less debts.
pub fn balance(lots: &[Lot], at: Timestamp) -> i64 {
    lots.iter().filter(|lot| lot.remaining < 0 || lot.lives(at)).map(|lot| lot.remaining).sum()
}

/// Takes points from live lots, those that end first going first. Gives fewer than asked when there are not enough.
pub fn burn(lots: &[Lot], points: i64, at: Timestamp) -> Vec<Move> {
    let mut live: Vec<&Lot> = lots.iter().filter(|lot| lot.lives(at)).collect();
    live.sort_by_key(|lot| (lot.expires_at, lot.id));
    take(live.into_iter(), points)
}

/// Takes back points that a document had earned: from its own lot first, then from the others as [`burn`] does. Gives what of
/// it no lot covers.
pub fn take_back(lots: &[Lot], document: &str, points: i64, at: Timestamp) -> (Vec<Move>, i64) {
    let own = lots.iter().filter(|lot| lot.document == document && lot.lives(at));
    let mut live: Vec<&Lot> = lots.iter().filter(|lot| lot.document != document && lot.lives(at)).collect();
    live.sort_by_key(|lot| (lot.expires_at, lot.id));
    let moves = take(own.chain(live), points);
    let covered: i64 = moves.iter().map(|m| -m.points).sum();
    (moves, points - covered)
}

/// Gives back burned points to the lots that they came from, the last that was taken going first; `given` went back before.
/// Points whose lot ended meanwhile are not moved into it: the second value counts them.
pub fn give_back(burned: &[Move], given: i64, points: i64, lots: &[Lot], at: Timestamp) -> (Vec<Move>, i64) {
    let (mut skip, mut left, mut ended) = (given, points, 0);
    let mut out = Vec::new();
    for from in burned.iter().rev() {
        let taken = -from.points;
        let before = skip.min(taken);
        skip -= before;
        let back = left.min(taken - before);
        if back <= 0 {
            continue;
        }
        left -= back;
        match lots.iter().find(|lot| lot.id == from.lot) {
            Some(lot) if at < lot.expires_at => out.push(Move { points: back, ..*from }),
            _ => ended += back,
        }
    }
    (out, ended)
}

/// What new points pay of debts, oldest first, as moves into the debts.
pub fn pay_debts(lots: &[Lot], points: i64) -> Vec<Move> {
    let mut left = points;
    let mut debts: Vec<&Lot> = lots.iter().filter(|lot| lot.remaining < 0).collect();
    debts.sort_by_key(|lot| lot.id);
    let mut out = Vec::new();
    for debt in debts {
        let paid = left.min(-debt.remaining);
        if paid > 0 {
            out.push(Move { lot: debt.id, account: debt.account, points: paid });
            left -= paid;
        }
    }
    out
}

fn take<'a>(lots: impl Iterator<Item = &'a Lot>, points: i64) -> Vec<Move> {
    let mut left = points;
    let mut out = Vec::new();
    for lot in lots {
        let taken = left.min(lot.remaining);
        if taken <= 0 {
            break;
        }
        out.push(Move { lot: lot.id, account: lot.account, points: -taken });
        left -= taken;
    }
    out
}
