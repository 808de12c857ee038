//! Claims on goods that are still to come: back-orders and pre-orders against purchase orders.
//!
//! What is on order is never available (DOMAIN 4.7); it can be promised, by line of a purchase order, never more than is
//! awaited of it. When goods come, those who were promised them get them first, the oldest claim of the line before the others,
//! as firm claims at the place of delivery. A purchase order that comes late, short or never is promised anew from others,
//! and every change of a promise is written down for whoever tells the customer.
use crate::StockTable;
use crate::availability::at_the_till;
use crate::commands;
use crate::error::{Short, StockError};
use crate::model::ReservationKind;
use crate::purchasing::{PurchaseOrder, PurchaseState};
use base::{Quantity, Timestamp};
use db::{DbError, Row, Tx};
use std::collections::BTreeMap;

/// What a line of a purchase order can still be promised to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    pub purchase_order_no: i64,
    /// The line's place, from 0.
    pub purchase_line: i64,
    /// Where it is to be delivered.
    pub location_no: i64,
    pub free: Quantity,
    /// The epoch where nobody said.
    pub expected_at: Timestamp,
}

/// What is wanted of what is to come.
#[derive(Debug, Clone)]
pub struct IncomingRequest {
    /// Whose claim it is: `order:9`.
    pub owner: String,
    /// Where it must come to; `None`: anywhere.
    pub location_no: Option<i64>,
    /// The last moment at which it may come; what nobody expects at any time is then left out.
    pub latest: Option<Timestamp>,
    /// Only what is expected after this moment; without it also what is late, and what nobody expects at any time.
    pub after: Option<Timestamp>,
    /// Variant and how much of it.
    pub lines: Vec<(i64, Quantity)>,
}

/// How far a part of a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartState {
    Open,
    /// The goods came: it is a claim on them.
    Moved,
    Released,
    /// They will not come.
    Short,
}

impl PartState {
    pub const ALL: [(PartState, &'static str); 4] = [
        (PartState::Open, "open"),
        (PartState::Moved, "moved"),
        (PartState::Released, "released"),
        (PartState::Short, "short"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

/// What a claim has of one line of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub claim_no: i64,
    pub part: i64,
    pub owner: Box<str>,
    /// The line's place in what was asked for.
    pub line: i64,
    pub variant_no: i64,
    pub purchase_order_no: i64,
    pub purchase_line: i64,
    /// Where it must come to; 0: anywhere.
    pub location_no: i64,
    pub quantity: Quantity,
    /// The epoch where nobody said.
    pub promised_at: Timestamp,
    pub state: PartState,
    /// The claim on goods that it became.
    pub reservation_no: i64,
    pub created_at: Timestamp,
    pub ended_at: Timestamp,
}

/// Lines of one claim.
const LINES_MAX: usize = 500;
/// Lines of purchase orders that are looked at for one variant.
pub(crate) const SUPPLIES_MAX: i64 = 500;

/// Takes so much from supplies, the earliest first and those that nobody expects at any time last: pure. Gives places in
/// `supplies` with quantities, or how much there is.
pub fn allot(
    supplies: &[Supply],
    wanted: Quantity,
    location_no: Option<i64>,
    latest: Option<Timestamp>,
) -> Result<Vec<(usize, Quantity)>, Quantity> {
    let known = |s: &Supply| s.expected_at.micros() > 0;
    let fits = |s: &Supply| {
        s.free.is_positive()
            && location_no.is_none_or(|no| no == s.location_no)
            && latest.is_none_or(|latest| known(s) && s.expected_at <= latest)
    };
    let mut order: Vec<usize> = (0..supplies.len()).filter(|at| fits(&supplies[*at])).collect();
    order.sort_by_key(|at| {
        let s = &supplies[*at];
        (if known(s) { s.expected_at.micros() } else { i64::MAX }, s.purchase_order_no, s.purchase_line)
    });
    let mut left = wanted;
    let mut out = Vec::new();
    for at in order {
        if left.is_zero() {
            break;
        }
        let part = supplies[at].free.min(left);
        left -= part;
        out.push((at, part));
    }
    if left.is_positive() { Err(wanted - left) } else { Ok(out) }
}

pub(crate) const SUPPLIES: &str = "SELECT o.no, l.line, o.location_no, o.expected_at, CAST(l.ordered - l.received - l.cancelled - \
     COALESCE((SELECT SUM(c.quantity) FROM incoming_claims c WHERE c.purchase_order_no = o.no AND c.purchase_line = l.line \
     AND c.state = 'open'), 0) AS BIGINT) FROM purchase_order_lines l JOIN purchase_orders o ON o.no = l.purchase_order_no \
     WHERE l.variant_no = $1 AND o.state IN ('ordered', 'partly_received') AND l.ordered > l.received + l.cancelled \
     ORDER BY o.expected_at, o.no, l.line LIMIT $2";

/// What can still be promised of a variant that is on order.
pub fn supplies(db: &mut db::Engine, variant_no: i64) -> Result<Vec<Supply>, DbError> {
    db.rows(SUPPLIES, &[variant_no.into(), SUPPLIES_MAX.into()])?.iter().map(supply).collect()
}

pub(crate) fn supply(row: &Row) -> Result<Supply, DbError> {
    Ok(Supply {
        purchase_order_no: row.int(0)?,
        purchase_line: row.int(1)?,
        location_no: row.int(2)?,
        expected_at: Timestamp::from_micros(row.int(3)?),
        free: Quantity::from_milli(row.int(4)?),
    })
}

fn supplies_of(tx: &mut Tx, variant_no: i64) -> Result<Vec<Supply>, DbError> {
    tx.rows(SUPPLIES, &[variant_no.into(), SUPPLIES_MAX.into()])?.iter().map(supply).collect()
}

fn part(row: &Row) -> Result<Part, DbError> {
    let state = PartState::parse(row.text(10)?);
    let moment = |at: usize| row.int(at).map(Timestamp::from_micros);
    Ok(Part {
        claim_no: row.int(0)?,
        part: row.int(1)?,
        owner: row.text(2)?.into(),
        line: row.int(3)?,
        variant_no: row.int(4)?,
        purchase_order_no: row.int(5)?,
        purchase_line: row.int(6)?,
        location_no: row.int(7)?,
        quantity: Quantity::from_milli(row.int(8)?),
        promised_at: moment(9)?,
        state: state.ok_or_else(|| DbError::damaged("incoming_claims", "its state is unknown"))?,
        reservation_no: row.int(11)?,
        created_at: moment(12)?,
        ended_at: moment(13)?,
    })
}

fn store(tx: &mut Tx, part: &Part) -> Result<(), DbError> {
    let sql = "INSERT INTO incoming_claims (no, part, owner, line, variant_no, purchase_order_no, purchase_line, location_no, quantity, \
               promised_at, state, reservation_no, created_at, ended_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (no, part) DO UPDATE SET \
               purchase_order_no = excluded.purchase_order_no, purchase_line = excluded.purchase_line, \
               quantity = excluded.quantity, promised_at = excluded.promised_at, state = excluded.state, \
               reservation_no = excluded.reservation_no, ended_at = excluded.ended_at";
    tx.execute(
        sql,
        &[
            part.claim_no.into(),
            part.part.into(),
            (&*part.owner).into(),
            part.line.into(),
            part.variant_no.into(),
            part.purchase_order_no.into(),
            part.purchase_line.into(),
            part.location_no.into(),
            part.quantity.milli().into(),
            part.promised_at.micros().into(),
            part.state.as_str().into(),
            part.reservation_no.into(),
            part.created_at.micros().into(),
            part.ended_at.micros().into(),
        ],
    )?;
    tx.notify(db::Notice::Changed { what: "incoming_claims" });
    crate::ahead::touched(tx, part.variant_no)
}

/// Claims goods that are to come: all that is asked for, or nothing.
pub fn claim(tx: &mut Tx, request: &IncomingRequest) -> Result<Vec<Part>, StockError> {
    if request.lines.is_empty() || request.lines.len() > LINES_MAX {
        return Err(StockError::field("/lines", format!("name one to {LINES_MAX} lines")));
    }
    if request.owner.is_empty() || request.owner.len() > 200 {
        return Err(StockError::field("/owner", "say whose claim it is, in at most 200 bytes"));
    }
    let mut held: BTreeMap<i64, Vec<Supply>> = BTreeMap::new();
    let (mut chosen, mut short) = (Vec::new(), Vec::new());
    for (at, (variant_no, wanted)) in request.lines.iter().enumerate() {
        if !wanted.is_positive() || *wanted > Quantity::MAX {
            return Err(StockError::field(format!("/lines/{at}/quantity"), "the quantity must be more than nothing"));
        }
        if !held.contains_key(variant_no) {
            let mut list = supplies_of(tx, *variant_no)?;
            list.retain(|s| request.after.is_none_or(|after| s.expected_at > after));
            held.insert(*variant_no, list);
        }
        let supplies = held.entry(*variant_no).or_default();
        match allot(supplies, *wanted, request.location_no, request.latest) {
            Ok(parts) => {
                for (supply, quantity) in parts {
                    supplies[supply].free -= quantity;
                    chosen.push((at, *variant_no, supplies[supply].clone(), quantity));
                }
            }
            Err(available) => {
                let location_no = request.location_no;
                short.push(Short { variant_no: *variant_no, location_no, wanted: *wanted, available });
            }
        }
    }
    if !short.is_empty() {
        return Err(StockError::NotEnough(short));
    }
    let (claim_no, now) = (tx.next_id(), tx.now());
    let mut out = Vec::with_capacity(chosen.len());
    for (at, (line, variant_no, supply, quantity)) in chosen.into_iter().enumerate() {
        let made = Part {
            claim_no,
            part: at as i64,
            owner: request.owner.as_str().into(),
            line: line as i64,
            variant_no,
            purchase_order_no: supply.purchase_order_no,
            purchase_line: supply.purchase_line,
            location_no: request.location_no.unwrap_or(0),
            quantity,
            promised_at: supply.expected_at,
            state: PartState::Open,
            reservation_no: 0,
            created_at: now,
            ended_at: Timestamp::default(),
        };
        store(tx, &made)?;
        out.push(made);
    }
    Ok(out)
}

/// When all of a claim should be there: the last of its open parts; `None` where nobody knows, or nothing is awaited.
pub fn promised_at(parts: &[Part]) -> Option<Timestamp> {
    let open: Vec<Timestamp> = parts.iter().filter(|p| p.state == PartState::Open).map(|p| p.promised_at).collect();
    if open.iter().any(|at| at.micros() <= 0) { None } else { open.into_iter().max() }
}

/// The parts of a claim.
pub fn get(tx: &mut Tx, claim_no: i64) -> Result<Vec<Part>, StockError> {
    let sql = "SELECT no, part, owner, line, variant_no, purchase_order_no, purchase_line, location_no, quantity, promised_at, state, \
               reservation_no, created_at, ended_at FROM incoming_claims WHERE no = $1 ORDER BY part";
    let rows = tx.rows(sql, &[claim_no.into()])?;
    if rows.is_empty() {
        return Err(StockError::Unknown { what: "claim on incoming goods", id: claim_no.to_string() });
    }
    Ok(rows.iter().map(part).collect::<Result<_, _>>()?)
}

/// The parts of all claims of an owner, the oldest first: which of an order's lines still wait, and what they became.
pub fn of_owner(tx: &mut Tx, owner: &str) -> Result<Vec<Part>, DbError> {
    let sql = "SELECT no, part, owner, line, variant_no, purchase_order_no, purchase_line, location_no, quantity, promised_at, state, \
               reservation_no, created_at, ended_at FROM incoming_claims WHERE owner = $1 ORDER BY no, part LIMIT 5000";
    tx.rows(sql, &[owner.into()])?.iter().map(part).collect()
}

/// Gives back what is still open of a claim. What became a claim on goods is given back as such.
pub fn release(tx: &mut Tx, claim_no: i64) -> Result<Vec<Part>, StockError> {
    let mut parts = get(tx, claim_no)?;
    let now = tx.now();
    for part in parts.iter_mut().filter(|part| part.state == PartState::Open) {
        part.state = PartState::Released;
        part.ended_at = now;
        store(tx, part)?;
    }
    Ok(parts)
}

/// Gives back so much of what is open of one line of a claim, the part that is promised last first; what is not open any more stays.
/// Gives how much was open.
pub fn release_line(tx: &mut Tx, claim_no: i64, line: i64, quantity: Quantity) -> Result<Quantity, StockError> {
    let mut open = get(tx, claim_no)?;
    open.retain(|part| part.line == line && part.state == PartState::Open);
    let unknown = |at: Timestamp| if at.micros() > 0 { at.micros() } else { i64::MAX };
    open.sort_by_key(|part| (unknown(part.promised_at), part.part));
    let now = tx.now();
    let mut left = quantity;
    while left.is_positive() {
        let Some(mut last) = open.pop() else { break };
        let given = last.quantity.min(left);
        left -= given;
        let mut back = split(tx, &mut last, given)?;
        (back.state, back.ended_at) = (PartState::Released, now);
        store(tx, &back)?;
    }
    Ok(quantity - left)
}

/// Open parts on a line of a purchase order, the oldest first.
fn on_line(tx: &mut Tx, purchase_order_no: i64, line: i64) -> Result<Vec<Part>, DbError> {
    let sql = "SELECT no, part, owner, line, variant_no, purchase_order_no, purchase_line, location_no, quantity, promised_at, state, \
               reservation_no, created_at, ended_at FROM incoming_claims WHERE purchase_order_no = $1 AND purchase_line = $2 \
               AND state = 'open' ORDER BY no, part";
    tx.rows(sql, &[purchase_order_no.into(), line.into()])?.iter().map(part).collect()
}

/// Takes so much off an open part: the part itself where it is all of it, else a new one beside it. Gives it, not stored.
fn split(tx: &mut Tx, of: &mut Part, quantity: Quantity) -> Result<Part, DbError> {
    if quantity == of.quantity {
        return Ok(of.clone());
    }
    of.quantity -= quantity;
    store(tx, of)?;
    let sql = "SELECT MAX(part) FROM incoming_claims WHERE no = $1";
    let last = tx.first(sql, &[of.claim_no.into()])?.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    Ok(Part { part: last + 1, quantity, ..of.clone() })
}

/// Goods of a purchase order came: whoever was promised them has them now, the oldest claim first. Called when the receipt is
/// posted, in the same transaction, so that nobody comes between.
pub(crate) fn arrived(tx: &mut Tx, order: &PurchaseOrder, received: &[(usize, Quantity)]) -> Result<(), StockError> {
    let now = tx.now();
    let mut claims: BTreeMap<i64, Vec<Part>> = BTreeMap::new();
    let mut taken: BTreeMap<i64, Quantity> = BTreeMap::new();
    for (line, quantity) in received {
        let Some(variant_no) = order.lines.get(*line).map(|l| l.variant_no) else { continue };
        let there = tx.get::<StockTable>(variant_no)?.and_then(|stock| stock.at(order.location_no));
        // A receipt from before a count, or of a lot that is over, brings nothing that can be promised.
        let there =
            there.map_or(Quantity::ZERO, |p| at_the_till(p, now)) - taken.get(&variant_no).copied().unwrap_or_default();
        let mut left = (*quantity).min(there.or_none());
        for mut open in on_line(tx, order.no, *line as i64)? {
            if !left.is_positive() {
                break;
            }
            let quantity = open.quantity.min(left);
            left -= quantity;
            *taken.entry(variant_no).or_default() += quantity;
            let mut moved = split(tx, &mut open, quantity)?;
            moved.state = PartState::Moved;
            moved.ended_at = now;
            // Stored at once, so that a second line of this receipt does not find it open; its claim follows.
            store(tx, &moved)?;
            claims.entry(open.claim_no).or_default().push(moved);
        }
    }
    for parts in claims.into_values() {
        let Some(owner) = parts.first().map(|part| part.owner.clone()) else { continue };
        let wanted: Vec<(i64, Quantity)> = parts.iter().map(|part| (part.variant_no, part.quantity)).collect();
        let reservation_no = commands::keep_for(tx, ReservationKind::Order, &owner, order.location_no, &wanted)?;
        for mut moved in parts {
            moved.reservation_no = reservation_no;
            store(tx, &moved)?;
            note(tx, &moved, moved.promised_at, now, "came")?;
        }
    }
    Ok(())
}

/// Writes down that a promise is another one now.
fn note(tx: &mut Tx, part: &Part, before: Timestamp, after: Timestamp, why: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO incoming_promises (no, claim_no, owner, before_at, after_at, quantity, why, at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (no, now) = (tx.next_id(), tx.now().micros());
    tx.execute(
        sql,
        &[
            no.into(),
            part.claim_no.into(),
            (&*part.owner).into(),
            before.micros().into(),
            after.micros().into(),
            part.quantity.milli().into(),
            why.into(),
            now.into(),
        ],
    )?;
    Ok(())
}

/// A purchase order brings less than it did: what is claimed beyond what is awaited, the youngest claims first, is promised from
/// others, and what no other brings is short.
pub(crate) fn settle(tx: &mut Tx, order: &PurchaseOrder) -> Result<(), StockError> {
    let alive = matches!(order.state, PurchaseState::Ordered | PurchaseState::PartlyReceived);
    for (line, of) in order.lines.iter().enumerate() {
        let mut parts = on_line(tx, order.no, line as i64)?;
        let awaited = if alive { of.awaited() } else { Quantity::ZERO };
        let claimed: Quantity = parts.iter().map(|part| part.quantity).sum();
        let mut excess = (claimed - awaited).or_none();
        while excess.is_positive() {
            let Some(mut youngest) = parts.pop() else { break };
            let quantity = youngest.quantity.min(excess);
            excess -= quantity;
            let lost = split(tx, &mut youngest, quantity)?;
            again(tx, lost, order.no)?;
        }
    }
    Ok(())
}

/// Promises a part from other purchase orders than one; what none of them brings is short.
fn again(tx: &mut Tx, lost: Part, not_from: i64) -> Result<(), StockError> {
    let now = tx.now();
    let mut supplies = supplies_of(tx, lost.variant_no)?;
    supplies.retain(|s| s.purchase_order_no != not_from);
    let place = Some(lost.location_no).filter(|no| *no != 0);
    let before = lost.promised_at;
    let (found, missing) = match allot(&supplies, lost.quantity, place, None) {
        Ok(found) => (found, Quantity::ZERO),
        Err(there) => (allot(&supplies, there, place, None).unwrap_or_default(), lost.quantity - there),
    };
    let mut rest = lost;
    for (at, quantity) in found {
        let mut moved = split(tx, &mut rest, quantity)?;
        moved.purchase_order_no = supplies[at].purchase_order_no;
        moved.purchase_line = supplies[at].purchase_line;
        moved.promised_at = supplies[at].expected_at;
        store(tx, &moved)?;
        note(tx, &moved, before, moved.promised_at, "from another purchase order")?;
    }
    if missing.is_positive() {
        rest.state = PartState::Short;
        rest.ended_at = now;
        store(tx, &rest)?;
        note(tx, &rest, before, Timestamp::default(), "it will not come")?;
    }
    Ok(())
}

/// A purchase order is expected at another time: its claims move with it, or to another one that can bring them earlier, the
/// oldest first.
pub(crate) fn expected(tx: &mut Tx, order: &PurchaseOrder) -> Result<(), StockError> {
    let late = |at: Timestamp| at.micros() <= 0;
    for line in 0..order.lines.len() {
        for mut open in on_line(tx, order.no, line as i64)? {
            let before = open.promised_at;
            if before == order.expected_at {
                continue;
            }
            let worse = late(order.expected_at) || !late(before) && order.expected_at > before;
            let place = Some(open.location_no).filter(|no| *no != 0);
            let mut supplies = supplies_of(tx, open.variant_no)?;
            supplies.retain(|s| s.purchase_order_no != order.no && s.free >= open.quantity);
            let latest = if late(order.expected_at) { None } else { Some(order.expected_at.plus(-1)) };
            let other = if worse { allot(&supplies, open.quantity, place, latest).ok() } else { None };
            let other = other.and_then(|found| found.first().map(|(at, _)| supplies[*at].clone()));
            let other = other.filter(|s| !late(s.expected_at));
            let why = match &other {
                Some(supply) => {
                    open.purchase_order_no = supply.purchase_order_no;
                    open.purchase_line = supply.purchase_line;
                    open.promised_at = supply.expected_at;
                    "from another purchase order"
                }
                None => {
                    open.promised_at = order.expected_at;
                    if worse { "it comes later" } else { "it comes earlier" }
                }
            };
            store(tx, &open)?;
            if open.promised_at != before {
                note(tx, &open, before, open.promised_at, why)?;
            }
        }
    }
    Ok(())
}

/// A promise that became another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repromised {
    pub no: i64,
    pub claim_no: i64,
    pub owner: String,
    /// The epoch where nobody said, before or after; after "it will not come" too.
    pub before_at: Timestamp,
    pub after_at: Timestamp,
    pub quantity: Quantity,
    /// `came`, `it comes later`, `it comes earlier`, `from another purchase order` or `it will not come`.
    pub why: String,
    pub at: Timestamp,
}

const CHANGES: &str = "SELECT no, claim_no, owner, before_at, after_at, quantity, why, at FROM incoming_promises WHERE no > $1 \
                       ORDER BY no LIMIT $2";

/// Changes of promises after a number, the oldest first: for whoever tells customers and orders.
pub fn changes(db: &mut db::Engine, after: i64, limit: i64) -> Result<Vec<Repromised>, DbError> {
    db.rows(CHANGES, &[after.into(), limit.into()])?.iter().map(repromised).collect()
}

/// The same as a transaction sees them.
pub fn changes_in(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Repromised>, DbError> {
    tx.rows(CHANGES, &[after.into(), limit.into()])?.iter().map(repromised).collect()
}

fn repromised(row: &Row) -> Result<Repromised, DbError> {
    let moment = |at: usize| row.int(at).map(Timestamp::from_micros);
    Ok(Repromised {
        no: row.int(0)?,
        claim_no: row.int(1)?,
        owner: row.text(2)?.into(),
        before_at: moment(3)?,
        after_at: moment(4)?,
        quantity: Quantity::from_milli(row.int(5)?),
        why: row.text(6)?.into(),
        at: moment(7)?,
    })
}
