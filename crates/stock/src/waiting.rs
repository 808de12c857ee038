//! Waiting for goods that are not there: "notify me" (M9).
//!
//! waiting → told → taken; or passed, when the time was over, and the next are told; or left. Whoever is told has the goods kept
//! for a while: it means something. The line of a variant is looked at when goods come or claims end, and a few lines a second
//! besides, because settings of places change what can be had too. Nothing of this is part of a reservation's work.
pub mod fair;

use crate::availability::available;
use crate::choice::Wanted;
use crate::commands::{self, Request};
use crate::error::StockError;
use crate::model::{EndedWhy, ReservationKind};
use crate::places::Places;
use crate::{ReservationTable, StockTable};
use base::{HOUR_US, Quantity, SECOND_US, Timestamp};
use db::{DbError, Engine, Memory, Notice, Row, Tx};
use fair::Waiter;
use std::collections::{BTreeMap, BTreeSet};

/// How long goods are kept for whoever was told.
pub const KEPT_SECONDS: i64 = 2 * HOUR_US / SECOND_US;
/// People of one line who are looked at together; those behind come when these are through.
const LINE_MAX: i64 = 200;
/// Lines that are looked at in one transaction.
const LINES_MAX: usize = 32;
/// Lines in which one contact stands.
const CONTACT_MAX: i64 = 100;

/// How far somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingState {
    Waiting,
    /// The goods are kept for them.
    Told,
    /// They took them.
    Taken,
    /// They did not come in time.
    Passed,
    Left,
}

impl WaitingState {
    pub const ALL: [(WaitingState, &'static str); 5] = [
        (WaitingState::Waiting, "waiting"),
        (WaitingState::Told, "told"),
        (WaitingState::Taken, "taken"),
        (WaitingState::Passed, "passed"),
        (WaitingState::Left, "left"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub no: i64,
    pub variant_no: i64,
    pub channel: Box<str>,
    /// The place where they want it; 0: any of the channel.
    pub location_no: i64,
    pub quantity: Quantity,
    /// An e-mail address or a telephone number, normalised; empty once it was erased.
    pub contact: Box<str>,
    pub state: WaitingState,
    pub joined_at: Timestamp,
    pub told_at: Timestamp,
    /// Until when goods are kept for them.
    pub until_at: Timestamp,
    /// The claim that keeps them.
    pub reservation_no: i64,
}

/// Who wants what.
#[derive(Debug, Clone)]
pub struct WaitingInput {
    pub variant_no: i64,
    pub channel: String,
    pub location_no: Option<i64>,
    pub quantity: Quantity,
    /// Normalised.
    pub contact: String,
}

/// Variants that somebody waits for, and those whose line must be looked at. Both may name too many: looking costs little.
struct Lines {
    waited: BTreeSet<i64>,
    marked: BTreeSet<i64>,
    /// What the open group took out of either.
    taken: Vec<i64>,
    told_due: Option<Timestamp>,
    /// The last line that was looked at in turn, and when the next is.
    turn: i64,
    turn_at: Timestamp,
}

const TOLD_DUE: &str = "SELECT MIN(until_at) FROM waiting WHERE state = 'told'";

impl Memory for Lines {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let rows = db.rows("SELECT DISTINCT variant_no FROM waiting WHERE state = 'waiting'", &[])?;
        let waited: BTreeSet<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
        let due = db.first(TOLD_DUE, &[])?.map(|row| row.opt_int(0)).transpose()?.flatten();
        Ok(Lines {
            // Goods may have come just before a kill.
            marked: waited.clone(),
            waited,
            taken: vec![],
            told_due: due.map(Timestamp::from_micros),
            turn: 0,
            turn_at: Timestamp::default(),
        })
    }
    fn commit(&mut self) {
        self.taken.clear();
    }
    fn rollback(&mut self) {
        for variant_no in self.taken.drain(..) {
            self.waited.insert(variant_no);
            self.marked.insert(variant_no);
        }
        self.told_due = Some(Timestamp::default());
    }
}

/// There may be more of a variant than before.
pub(crate) fn mark(tx: &mut Tx, variant_no: i64) -> Result<(), DbError> {
    let lines = tx.memory::<Lines>()?;
    if lines.waited.contains(&variant_no) {
        lines.marked.insert(variant_no);
    }
    Ok(())
}

const COLUMNS_IN_LINE: &str = "SELECT no, variant_no, channel, location_no, quantity, contact, state, joined_at, told_at, until_at, \
     reservation_no FROM waiting WHERE variant_no = $1 AND state = 'waiting' ORDER BY no LIMIT $2";

fn waiting(row: &Row) -> Result<Waiting, DbError> {
    let state = WaitingState::parse(row.text(6)?);
    let moment = |at: usize| row.int(at).map(Timestamp::from_micros);
    Ok(Waiting {
        no: row.int(0)?,
        variant_no: row.int(1)?,
        channel: row.text(2)?.into(),
        location_no: row.int(3)?,
        quantity: Quantity::from_milli(row.int(4)?),
        contact: row.text(5)?.into(),
        state: state.ok_or_else(|| DbError::damaged("waiting", "its state is unknown"))?,
        joined_at: moment(7)?,
        told_at: moment(8)?,
        until_at: moment(9)?,
        reservation_no: row.int(10)?,
    })
}

/// Somebody by number.
pub fn get(tx: &mut Tx, no: i64) -> Result<Waiting, StockError> {
    let sql = "SELECT no, variant_no, channel, location_no, quantity, contact, state, joined_at, told_at, until_at, reservation_no \
               FROM waiting WHERE no = $1";
    let row = tx.first(sql, &[no.into()])?;
    let row = row.ok_or_else(|| StockError::Unknown { what: "place in the line", id: no.to_string() })?;
    Ok(waiting(&row)?)
}

/// Joins the line of a variant. Who stands in it already, for the same channel and place, keeps their place. Gives whether they
/// are new.
pub fn join(tx: &mut Tx, input: &WaitingInput) -> Result<(Waiting, bool), StockError> {
    if input.contact.trim().is_empty() || input.contact.len() > 254 {
        return Err(StockError::field("/contact", "say whom to tell: an e-mail address or a telephone number"));
    }
    if !input.quantity.is_positive() || input.quantity > Quantity::units(1000) {
        return Err(StockError::field("/quantity", "from a part of a piece to a thousand"));
    }
    let places = commands::places(tx)?;
    if places.channel(&input.channel).is_none() {
        return Err(StockError::Unknown { what: "channel", id: input.channel.clone() });
    }
    let location_no = input.location_no.unwrap_or(0);
    if location_no != 0 && !places.get(location_no).is_some_and(|location| location.kind.sells()) {
        return Err(StockError::field("/location_id", "nothing is sold from there"));
    }
    let own = "SELECT no, variant_no, channel, location_no, quantity, contact, state, joined_at, told_at, until_at, reservation_no \
               FROM waiting WHERE contact = $1 AND state IN ('waiting', 'told') ORDER BY no LIMIT $2";
    let own = tx.rows(own, &[(&input.contact).into(), CONTACT_MAX.into()])?;
    for row in &own {
        let known = waiting(row)?;
        if (known.variant_no, &*known.channel, known.location_no) == (input.variant_no, &*input.channel, location_no) {
            return Ok((known, false));
        }
    }
    if own.len() as i64 >= CONTACT_MAX {
        return Err(StockError::field("/contact", format!("it stands in {CONTACT_MAX} lines already")));
    }
    let now = tx.now();
    let joined = Waiting {
        no: tx.next_id(),
        variant_no: input.variant_no,
        channel: input.channel.as_str().into(),
        location_no,
        quantity: input.quantity,
        contact: input.contact.as_str().into(),
        state: WaitingState::Waiting,
        joined_at: now,
        told_at: Timestamp::default(),
        until_at: Timestamp::default(),
        reservation_no: 0,
    };
    let sql = "INSERT INTO waiting (no, variant_no, channel, location_no, quantity, contact, state, joined_at, told_at, until_at, \
               reservation_no) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, 0, 0)";
    tx.execute(
        sql,
        &[
            joined.no.into(),
            joined.variant_no.into(),
            (&*joined.channel).into(),
            location_no.into(),
            joined.quantity.milli().into(),
            (&*joined.contact).into(),
            now.micros().into(),
        ],
    )?;
    let lines = tx.memory::<Lines>()?;
    lines.waited.insert(input.variant_no);
    // There may be some already.
    lines.marked.insert(input.variant_no);
    tx.notify(Notice::Changed { what: "waiting" });
    Ok((joined, true))
}

fn set(tx: &mut Tx, waiting: &Waiting) -> Result<(), DbError> {
    let sql = "UPDATE waiting SET state = $2, told_at = $3, until_at = $4, reservation_no = $5 WHERE no = $1";
    tx.execute(
        sql,
        &[
            waiting.no.into(),
            waiting.state.as_str().into(),
            waiting.told_at.micros().into(),
            waiting.until_at.micros().into(),
            waiting.reservation_no.into(),
        ],
    )?;
    tx.notify(Notice::Changed { what: "waiting" });
    Ok(())
}

fn wrong(waiting: &Waiting, wanted: &str) -> StockError {
    let (no, state) = (waiting.no, waiting.state.as_str());
    StockError::Wrong { what: "place in the line", no, state, wanted: wanted.into() }
}

/// Somebody who was told takes the goods: the claim becomes their cart's. Gives its number.
pub fn take(tx: &mut Tx, no: i64, owner: &str) -> Result<i64, StockError> {
    let found = get(tx, no)?;
    if found.state != WaitingState::Told {
        return Err(wrong(&found, "take the goods"));
    }
    if owner.is_empty() || owner.len() > 200 {
        return Err(StockError::field("/owner", "say whose claim it is, in at most 200 bytes"));
    }
    commands::confirm(tx, found.reservation_no, ReservationKind::Cart, owner)?;
    set(tx, &Waiting { state: WaitingState::Taken, ..found.clone() })?;
    Ok(found.reservation_no)
}

/// Somebody does not want to wait any more; goods that were kept for them go to the next.
pub fn leave(tx: &mut Tx, no: i64) -> Result<Waiting, StockError> {
    let found = get(tx, no)?;
    match found.state {
        WaitingState::Told => commands::release(tx, found.reservation_no, EndedWhy::Released)?,
        WaitingState::Waiting => {}
        WaitingState::Left => return Ok(found),
        WaitingState::Taken | WaitingState::Passed => return Err(wrong(&found, "leave")),
    }
    let after = Waiting { state: WaitingState::Left, ..found };
    set(tx, &after)?;
    // Whoever stood behind may have waited for this one only.
    mark(tx, after.variant_no)?;
    Ok(after)
}

/// When [`advance`] has something to do next.
pub fn next_due(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    let lines = tx.memory::<Lines>()?;
    if !lines.marked.is_empty() {
        return Ok(Some(Timestamp::default()));
    }
    let turn = (!lines.waited.is_empty()).then_some(lines.turn_at);
    Ok(match (turn, lines.told_due) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    })
}

/// Ends what is kept for people who did not come, and tells the next of each line that may have more: a bounded piece. Gives
/// who was told.
pub fn advance(tx: &mut Tx) -> Result<Vec<Waiting>, StockError> {
    let now = tx.now();
    if next_due(tx)?.is_none_or(|at| at > now) {
        return Ok(vec![]);
    }
    pass(tx)?;
    let lines = tx.memory::<Lines>()?;
    let mut variants: Vec<i64> = lines.marked.iter().take(LINES_MAX).copied().collect();
    if lines.turn_at <= now {
        let after = lines.turn;
        let mut next: Vec<i64> = lines.waited.range(after + 1..).take(LINES_MAX).copied().collect();
        lines.turn = next.last().copied().unwrap_or(0);
        lines.turn_at = now.plus(SECOND_US);
        next.retain(|variant_no| !variants.contains(variant_no));
        variants.extend(next);
    }
    for variant_no in &variants {
        lines.marked.remove(variant_no);
        lines.taken.push(*variant_no);
    }
    let places = commands::places(tx)?;
    let mut out = Vec::new();
    for variant_no in variants {
        out.extend(tell(tx, &places, variant_no)?);
    }
    Ok(out)
}

/// People whose time is over, and those whose goods were sold at a till meanwhile: they wait on, where they stood.
fn pass(tx: &mut Tx) -> Result<(), StockError> {
    let now = tx.now();
    let mut broken = Vec::new();
    let marked: Vec<i64> = tx.memory::<Lines>()?.marked.iter().take(LINES_MAX).copied().collect();
    let told = "SELECT no, variant_no, channel, location_no, quantity, contact, state, joined_at, told_at, until_at, reservation_no \
                FROM waiting WHERE variant_no = $1 AND state = 'told' ORDER BY no LIMIT $2";
    for variant_no in marked {
        for row in tx.rows(told, &[variant_no.into(), LINE_MAX.into()])? {
            let found = waiting(&row)?;
            let claim = tx.get::<ReservationTable>(found.reservation_no)?;
            let short = |claim: &crate::model::Reservation| {
                claim.lines.iter().any(|line| line.ended.is_some_and(|(_, why)| why == EndedWhy::Short))
            };
            if claim.is_some_and(|claim| short(claim)) {
                broken.push(found);
            }
        }
    }
    for found in broken {
        // Other lines of the claim may be alive; one that is gone has nothing to give back.
        if let Err(StockError::Store(error)) = commands::release(tx, found.reservation_no, EndedWhy::Released) {
            return Err(error.into());
        }
        set(tx, &Waiting { state: WaitingState::Waiting, reservation_no: 0, ..found })?;
    }
    if tx.memory::<Lines>()?.told_due.is_none_or(|at| at > now) {
        return Ok(());
    }
    let over = "SELECT no, variant_no, channel, location_no, quantity, contact, state, joined_at, told_at, until_at, reservation_no \
                FROM waiting WHERE state = 'told' AND until_at <= $1 ORDER BY until_at, no LIMIT $2";
    for row in tx.rows(over, &[now.micros().into(), LINE_MAX.into()])? {
        let found = waiting(&row)?;
        mark(tx, found.variant_no)?;
        set(tx, &Waiting { state: WaitingState::Passed, ..found })?;
    }
    let due = tx.first(TOLD_DUE, &[])?.map(|row| row.opt_int(0)).transpose()?.flatten();
    tx.memory::<Lines>()?.told_due = due.map(Timestamp::from_micros);
    Ok(())
}

/// Tells those of a line whose turn it is, and keeps the goods for them.
fn tell(tx: &mut Tx, places: &Places, variant_no: i64) -> Result<Vec<Waiting>, StockError> {
    let line = tx.rows(COLUMNS_IN_LINE, &[variant_no.into(), LINE_MAX.into()])?;
    let line: Vec<Waiting> = line.iter().map(waiting).collect::<Result<_, _>>()?;
    if line.is_empty() {
        tx.memory::<Lines>()?.waited.remove(&variant_no);
        return Ok(vec![]);
    }
    let now = tx.now();
    let Some(stock) = tx.get::<StockTable>(variant_no)?.cloned() else { return Ok(vec![]) };
    let free: BTreeMap<i64, Quantity> =
        stock.positions.iter().map(|p| (p.location_no, available(p, Quantity::ZERO, now))).collect();
    let waiters: Vec<Waiter> = line.iter().map(|who| waiter(places, &stock, who)).collect();
    let mut out = Vec::new();
    for (who, turn) in line.into_iter().zip(fair::turns(&waiters, &free)) {
        let Some(turn) = turn else { continue };
        let lines = turn.into_iter();
        let lines =
            lines.map(|(location_no, quantity)| Wanted { variant_no, quantity, location_no: Some(location_no) });
        let request = Request {
            channel: who.channel.clone(),
            kind: ReservationKind::Cart,
            owner: format!("waiting:{}", who.no).into(),
            lines: lines.collect(),
            seconds: Some(KEPT_SECONDS),
            partial: false,
        };
        let reserved = match commands::reserve(tx, &request) {
            Ok(reserved) => reserved,
            Err(StockError::Store(error)) => return Err(error.into()),
            // Refused before anything was written: they wait on.
            Err(_) => continue,
        };
        let (told_at, until_at, reservation_no) = (now, reserved.expires_at, reserved.no);
        let told = Waiting { state: WaitingState::Told, told_at, until_at, reservation_no, ..who };
        set(tx, &told)?;
        let sql = "INSERT INTO waiting_notices (no, waiting_no, at, until_at, done_at) VALUES ($1, $2, $3, $4, 0)";
        let no = tx.next_id();
        tx.execute(sql, &[no.into(), told.no.into(), now.micros().into(), until_at.micros().into()])?;
        let lines = tx.memory::<Lines>()?;
        lines.told_due = Some(lines.told_due.map_or(until_at, |due| due.min(until_at)));
        out.push(told);
    }
    Ok(out)
}

fn waiter(places: &Places, stock: &crate::model::VariantStock, who: &Waiting) -> Waiter {
    let (quantity, none) = (who.quantity, Waiter { quantity: who.quantity, places: vec![], buffer: Quantity::ZERO });
    let Some(channel) = places.channel(&who.channel) else { return none };
    if who.location_no != 0 {
        // A place that is closed for now serves nobody, and keeps nobody from other places.
        let serves = channel.serves(who.location_no);
        return Waiter {
            quantity,
            places: serves.then_some(who.location_no).into_iter().collect(),
            buffer: channel.buffer,
        };
    }
    let known = stock.positions.iter().map(|p| p.location_no).filter(|no| channel.serves(*no));
    Waiter { quantity, places: known.collect(), buffer: channel.buffer }
}

/// Who waits for a variant, or for anything (0), the first in line first, after a number.
pub fn list(
    db: &mut Engine,
    variant_no: i64,
    open: bool,
    after: i64,
    limit: i64,
) -> Result<Vec<(Waiting, String)>, DbError> {
    let sql = "SELECT w.no, w.variant_no, w.channel, w.location_no, w.quantity, w.contact, w.state, w.joined_at, w.told_at, \
               w.until_at, w.reservation_no, COALESCE(v.sku, '') FROM waiting w LEFT JOIN variants v ON v.no = w.variant_no \
               WHERE w.no > $1 AND ($2 = 0 OR w.variant_no = $2) AND ($3 = 0 OR w.state IN ('waiting', 'told')) \
               ORDER BY w.no LIMIT $4";
    let rows = db.rows(sql, &[after.into(), variant_no.into(), i64::from(open).into(), limit.into()])?;
    rows.iter().map(|row| Ok((waiting(row)?, row.text(11)?.into()))).collect()
}

/// Where a contact waits or waited, with SKUs: for an export of personal data.
pub fn of_contact(tx: &mut Tx, contact: &str) -> Result<Vec<(Waiting, String)>, DbError> {
    let sql = "SELECT w.no, w.variant_no, w.channel, w.location_no, w.quantity, w.contact, w.state, w.joined_at, w.told_at, \
               w.until_at, w.reservation_no, COALESCE(v.sku, '') FROM waiting w LEFT JOIN variants v ON v.no = w.variant_no \
               WHERE w.contact = $1 AND w.contact <> '' ORDER BY w.no LIMIT 1000";
    tx.rows(sql, &[contact.into()])?.iter().map(|row| Ok((waiting(row)?, row.text(11)?.into()))).collect()
}

/// Somebody who is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToTell {
    pub no: i64,
    pub waiting_no: i64,
    pub variant_no: i64,
    pub contact: String,
    pub until_at: Timestamp,
}

/// Who is to be told and was not yet, the oldest first: for whoever sends messages. Those whose time is over are not told.
pub fn to_tell(tx: &mut Tx, limit: i64) -> Result<Vec<ToTell>, DbError> {
    let sql = "SELECT n.no, n.waiting_no, w.variant_no, w.contact, n.until_at FROM waiting_notices n \
               JOIN waiting w ON w.no = n.waiting_no WHERE n.done_at = 0 AND w.state = 'told' AND w.contact <> '' \
               AND n.until_at > $1 ORDER BY n.no LIMIT $2";
    let now = tx.now().micros();
    let read = |row: &Row| -> Result<ToTell, DbError> {
        Ok(ToTell {
            no: row.int(0)?,
            waiting_no: row.int(1)?,
            variant_no: row.int(2)?,
            contact: row.text(3)?.into(),
            until_at: Timestamp::from_micros(row.int(4)?),
        })
    };
    tx.rows(sql, &[now.into(), limit.into()])?.iter().map(read).collect()
}

/// Somebody was told.
pub fn told(tx: &mut Tx, no: i64) -> Result<(), DbError> {
    let now = tx.now().micros();
    tx.execute("UPDATE waiting_notices SET done_at = $2 WHERE no = $1 AND done_at = 0", &[no.into(), now.into()])
        .map(drop)
}
