//! Claims: held while somebody thinks, firm once it is an order's, and ended one way or another.
use super::{claim, unclaim};
use crate::availability::available;
use crate::choice::{self, Wanted};
use crate::error::{Short, StockError};
use crate::model::{EndedWhy, NEVER, Reservation, ReservationKind, ReservedLine, VariantStock};
use crate::places::Channel;
use crate::{ReservationTable, StockTable};
use base::{Quantity, SECOND_US, Timestamp};
use db::{DbError, Tx};
use std::sync::Arc;

/// The channel of work inside the shop: no buffer and no state of a place keeps it from goods at places that it names.
pub const ANY_CHANNEL: &str = "";

/// Lines of one claim.
const LINES_MAX: usize = 500;
/// The longest hold: a week.
const SECONDS_MAX: i64 = 7 * 86_400;

/// What is to be claimed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The sales channel, by whose places and rules.
    pub channel: Box<str>,
    pub kind: ReservationKind,
    /// Whose claim it is: `cart:17`.
    pub owner: Box<str>,
    pub lines: Vec<Wanted>,
    /// How long it holds; `None`: as the channel has it for carts, a day for the rest.
    pub seconds: Option<i64>,
    /// Whether what there is will do.
    pub partial: bool,
}

/// A claim that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    pub no: i64,
    pub expires_at: Timestamp,
    /// What each wanted line got: its place among them, and from where.
    pub lines: Vec<choice::Chosen>,
    /// What there was not enough of; empty unless partial.
    pub short: Vec<Short>,
}

/// Claims goods. Refused with all that is short, unless what there is will do and there is anything.
pub fn reserve(tx: &mut Tx, request: &Request) -> Result<Reserved, StockError> {
    check(request)?;
    let places = super::places(tx)?;
    let inside = Channel::inside();
    let channel = match &*request.channel {
        ANY_CHANNEL => &inside,
        id => places.channel(id).ok_or_else(|| StockError::Unknown { what: "channel", id: id.into() })?,
    };
    for (at, line) in request.lines.iter().enumerate() {
        if let Some(no) = line.location_no
            && !places.get(no).is_some_and(|location| location.kind.sells())
        {
            return Err(StockError::field(format!("/lines/{at}/location_id"), "nothing can be reserved there"));
        }
    }
    let now = tx.now();
    let (chosen, short) = {
        let mut held: Vec<(i64, Option<Arc<VariantStock>>)> = Vec::with_capacity(request.lines.len());
        for line in &request.lines {
            if !held.iter().any(|(no, _)| *no == line.variant_no) {
                held.push((line.variant_no, super::stock(tx, line.variant_no)?));
            }
        }
        let views: Vec<(i64, Option<&VariantStock>)> = held.iter().map(|(no, stock)| (*no, stock.as_deref())).collect();
        choice::choose(&request.lines, &views, channel, now, request.partial).map_err(StockError::NotEnough)?
    };
    if chosen.is_empty() {
        return Err(StockError::NotEnough(short));
    }
    let expires_at = ends(request, channel.hold_seconds, now);
    let no = tx.next_id();
    let mut lines = Vec::with_capacity(chosen.len());
    for part in &chosen {
        let variant_no = request.lines[part.line].variant_no;
        claim(super::change(tx, variant_no)?, part.location_no, expires_at, part.quantity, now);
        lines.push(ReservedLine { variant_no, location_no: part.location_no, quantity: part.quantity, ended: None });
    }
    let (kind, owner) = (request.kind, request.owner.clone());
    tx.put::<ReservationTable>(no, Arc::new(Reservation { kind, owner, created_at: now, expires_at, lines }));
    super::expiry::note(tx, expires_at)?;
    Ok(Reserved { no, expires_at, lines: chosen, short })
}

/// Claims goods that came for somebody, whatever is kept back from others: the caller has seen that they are free. Gives the
/// claim's number.
pub(crate) fn keep_for(
    tx: &mut Tx,
    kind: ReservationKind,
    owner: &str,
    location_no: i64,
    wanted: &[(i64, Quantity)],
) -> Result<i64, DbError> {
    let (no, now) = (tx.next_id(), tx.now());
    let mut lines = Vec::with_capacity(wanted.len());
    for (variant_no, quantity) in wanted {
        let (variant_no, quantity) = (*variant_no, *quantity);
        claim(super::change(tx, variant_no)?, location_no, NEVER, quantity, now);
        lines.push(ReservedLine { variant_no, location_no, quantity, ended: None });
    }
    let reservation = Reservation { kind, owner: owner.into(), created_at: now, expires_at: NEVER, lines };
    tx.put::<ReservationTable>(no, Arc::new(reservation));
    Ok(no)
}

fn check(request: &Request) -> Result<(), StockError> {
    if request.lines.is_empty() || request.lines.len() > LINES_MAX {
        return Err(StockError::field("/lines", format!("name one to {LINES_MAX} lines")));
    }
    for (at, line) in request.lines.iter().enumerate() {
        if !line.quantity.is_positive() || line.quantity > Quantity::MAX {
            return Err(StockError::field(format!("/lines/{at}/quantity"), "the quantity must be more than nothing"));
        }
    }
    if request.owner.is_empty() || request.owner.len() > 200 {
        return Err(StockError::field("/owner", "say whose claim it is, in at most 200 bytes"));
    }
    match request.seconds {
        Some(seconds) if !(1..=SECONDS_MAX).contains(&seconds) => {
            Err(StockError::field("/seconds", format!("a hold lasts from 1 to {SECONDS_MAX} seconds")))
        }
        _ => Ok(()),
    }
}

/// A hold ends with a full second, never earlier than it should.
fn ends(request: &Request, channel_seconds: i64, now: Timestamp) -> Timestamp {
    if request.kind.is_firm() {
        return NEVER;
    }
    let usual = if request.kind == ReservationKind::Cart { channel_seconds } else { 86_400 };
    full_second(now.plus(request.seconds.unwrap_or(usual) * SECOND_US))
}

fn full_second(at: Timestamp) -> Timestamp {
    let us = at.micros();
    Timestamp::from_micros(us.saturating_add((SECOND_US - us.rem_euclid(SECOND_US)) % SECOND_US))
}

/// A claim that is alive; one that has ended is refused, whether it was swept or not.
fn alive(tx: &mut Tx, no: i64) -> Result<Arc<Reservation>, StockError> {
    let found = tx.get::<ReservationTable>(no)?.cloned();
    let found = found.ok_or_else(|| StockError::Unknown { what: "reservation", id: no.to_string() })?;
    if found.expires_at <= tx.now() {
        return Err(StockError::Ended { no, why: EndedWhy::Expired.as_str() });
    }
    if found.lines.iter().all(|line| line.ended.is_some()) {
        let why = found.lines.first().and_then(|line| line.ended).map_or("released", |(_, why)| why.as_str());
        return Err(StockError::Ended { no, why });
    }
    Ok(found)
}

/// Lets a hold last longer, from now on: somebody is still busy with the cart.
pub fn extend(tx: &mut Tx, no: i64, seconds: i64) -> Result<Timestamp, StockError> {
    if !(1..=SECONDS_MAX).contains(&seconds) {
        return Err(StockError::field("/seconds", format!("a hold lasts from 1 to {SECONDS_MAX} seconds")));
    }
    let reservation = alive(tx, no)?;
    if reservation.kind.is_firm() {
        return Err(StockError::field("/no", "it does not end by itself"));
    }
    let until = full_second(tx.now().plus(seconds * SECOND_US));
    if until <= reservation.expires_at {
        return Ok(reservation.expires_at);
    }
    change_end(tx, no, &reservation, reservation.kind, &reservation.owner, until)?;
    Ok(until)
}

/// Makes a hold an order's: the same goods at the same places, without end.
pub fn confirm(tx: &mut Tx, no: i64, kind: ReservationKind, owner: &str) -> Result<Arc<Reservation>, StockError> {
    let reservation = alive(tx, no)?;
    let until = if kind.is_firm() { NEVER } else { reservation.expires_at };
    change_end(tx, no, &reservation, kind, owner, until)?;
    Ok(tx.get::<ReservationTable>(no)?.cloned().unwrap_or(reservation))
}

fn change_end(
    tx: &mut Tx,
    no: i64,
    before: &Reservation,
    kind: ReservationKind,
    owner: &str,
    until: Timestamp,
) -> Result<(), DbError> {
    let now = tx.now();
    for (_, line) in before.active(now) {
        let stock = super::change(tx, line.variant_no)?;
        unclaim(stock, line.location_no, before.expires_at, line.quantity, now);
        claim(stock, line.location_no, until, line.quantity, now);
    }
    if let Some(row) = tx.get_mut::<ReservationTable>(no)? {
        let row = Arc::make_mut(row);
        row.expires_at = until;
        row.kind = kind;
        row.owner = owner.into();
    }
    super::expiry::note(tx, until)
}

/// Gives back all that is still claimed. Giving back what has ended is no error: what was wanted is so.
pub fn release(tx: &mut Tx, no: i64, why: EndedWhy) -> Result<(), StockError> {
    match alive(tx, no) {
        Ok(reservation) => end_lines(tx, no, &reservation, why, &|_| true).map_err(StockError::from),
        Err(StockError::Ended { .. }) => Ok(()),
        Err(e) => Err(e),
    }
}

/// Gives back some of a line, or all of it.
pub fn release_line(tx: &mut Tx, no: i64, line: usize, quantity: Quantity, why: EndedWhy) -> Result<(), StockError> {
    let reservation = alive(tx, no)?;
    let found = reservation.lines.get(line).filter(|l| l.ended.is_none());
    let found = found.ok_or_else(|| StockError::Unknown { what: "line", id: format!("{no}/{line}") })?;
    if !quantity.is_positive() || quantity > found.quantity {
        return Err(StockError::field("/quantity", format!("{} are claimed", found.quantity)));
    }
    if quantity == found.quantity {
        return end_lines(tx, no, &reservation, why, &|at| at == line).map_err(StockError::from);
    }
    let now = tx.now();
    unclaim(super::change(tx, found.variant_no)?, found.location_no, reservation.expires_at, quantity, now);
    if let Some(row) = tx.get_mut::<ReservationTable>(no)? {
        Arc::make_mut(row).lines[line].quantity -= quantity;
    }
    crate::waiting::mark(tx, found.variant_no)?;
    Ok(())
}

/// Ends lines: takes them off the sums and says how they ended.
pub(super) fn end_lines(
    tx: &mut Tx,
    no: i64,
    reservation: &Reservation,
    why: EndedWhy,
    which: &dyn Fn(usize) -> bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let ending: Vec<(usize, ReservedLine)> = reservation
        .lines
        .iter()
        .enumerate()
        .filter(|(at, line)| which(*at) && line.ended.is_none())
        .map(|(at, line)| (at, line.clone()))
        .collect();
    for (_, line) in &ending {
        unclaim(super::change(tx, line.variant_no)?, line.location_no, reservation.expires_at, line.quantity, now);
        crate::waiting::mark(tx, line.variant_no)?;
    }
    if let Some(row) = tx.get_mut::<ReservationTable>(no)? {
        let row = Arc::make_mut(row);
        for (at, _) in ending {
            row.lines[at].ended = Some((now, why));
        }
    }
    Ok(())
}

/// The goods of a line left with the customer, or for another place: so much of the claim is done. The movement itself is
/// the caller's paper, posted in the same transaction by `post` with the claim named.
pub fn fulfil(tx: &mut Tx, no: i64, line: usize, quantity: Quantity) -> Result<(), StockError> {
    release_line(tx, no, line, quantity, EndedWhy::Fulfilled)
}

/// Where a line of a claim is served from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    pub line: usize,
    pub location_no: i64,
    pub quantity: Quantity,
}

/// Lets other places serve a claim: the old claim ends and the new one begins in one step, so that nobody comes between.
/// Lines that are not named stay as they are. `buffer` is not asked for: it is kept back from new claims, not from old ones.
pub fn replace(tx: &mut Tx, no: i64, parts: &[Replacement]) -> Result<(), StockError> {
    let reservation = alive(tx, no)?;
    let now = tx.now();
    let mut lines: Vec<usize> = parts.iter().map(|part| part.line).collect();
    lines.sort_unstable();
    lines.dedup();
    // What each place would have once the old lines are given back.
    let mut gains: Vec<(i64, i64, Quantity)> = Vec::new();
    for at in &lines {
        let line = reservation.lines.get(*at).filter(|line| line.ended.is_none());
        let line = line.ok_or_else(|| StockError::Unknown { what: "line", id: format!("{no}/{at}") })?;
        let wanted: Quantity = parts.iter().filter(|part| part.line == *at).map(|part| part.quantity).sum();
        if wanted != line.quantity {
            return Err(StockError::field(
                "/parts",
                format!("line {at} claims {}, the parts are {wanted}", line.quantity),
            ));
        }
        gains.push((line.variant_no, line.location_no, line.quantity));
    }
    let mut short = Vec::new();
    for part in parts {
        if !part.quantity.is_positive() {
            return Err(StockError::field("/parts", "each part must be more than nothing"));
        }
        let variant_no = reservation.lines[part.line].variant_no;
        let stock = tx.get::<StockTable>(variant_no)?;
        let own = stock.and_then(|stock| stock.at(part.location_no)).map(|p| available(p, Quantity::ZERO, now));
        let back: Quantity =
            gains.iter().filter(|(v, l, _)| *v == variant_no && *l == part.location_no).map(|(_, _, q)| *q).sum();
        let others: Quantity = parts
            .iter()
            .filter(|other| other.location_no == part.location_no)
            .filter(|other| reservation.lines[other.line].variant_no == variant_no)
            .map(|other| other.quantity)
            .sum();
        let free = own.unwrap_or(Quantity::ZERO) + back;
        if others > free {
            let location_no = Some(part.location_no);
            short.push(Short { variant_no, location_no, wanted: others, available: free });
        }
    }
    if !short.is_empty() {
        return Err(StockError::NotEnough(short));
    }
    end_lines(tx, no, &reservation, EndedWhy::Replaced, &|at| lines.contains(&at))?;
    for part in parts {
        let variant_no = reservation.lines[part.line].variant_no;
        claim(super::change(tx, variant_no)?, part.location_no, reservation.expires_at, part.quantity, now);
        if let Some(row) = tx.get_mut::<ReservationTable>(no)? {
            let (location_no, quantity) = (part.location_no, part.quantity);
            Arc::make_mut(row).lines.push(ReservedLine { variant_no, location_no, quantity, ended: None });
        }
    }
    Ok(())
}
