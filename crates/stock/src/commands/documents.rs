//! Papers and their movements: the only way in which what lies somewhere changes.
use super::claims::end_lines;
use crate::availability::{at_the_till, claimed};
use crate::error::{Short, StockError};
use crate::model::{Condition, Document, DocumentKind, EndedWhy, LOSS, Move, Reservation};
use crate::tables::DocumentTable;
use crate::{ReservationTable, StockTable};
use base::{DAY_US, Quantity, Timestamp};
use db::{Bulk, DbError, Owned, Tx};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use std::sync::Arc;

static DOCUMENTS: Bulk = Bulk {
    table: "stock_documents",
    columns: &[
        ("no", 'i'),
        ("kind", 't'),
        ("source", 't'),
        ("external_id", 't'),
        ("reference", 't'),
        ("note", 't'),
        ("actor", 't'),
        ("at", 'i'),
        ("recorded_at", 'i'),
    ],
    key: 1,
    insert_only: true,
};

static MOVES: Bulk = Bulk {
    table: "stock_moves",
    columns: &[
        ("no", 'i'),
        ("document_no", 'i'),
        ("variant_no", 'i'),
        ("from_no", 'i'),
        ("from_condition", 'i'),
        ("to_no", 'i'),
        ("to_condition", 'i'),
        ("lot", 't'),
        ("quantity", 'i'),
        ("reason", 't'),
        ("at", 'i'),
    ],
    key: 1,
    insert_only: true,
};

/// Lines of one paper.
const MOVES_MAX: usize = 5000;

/// What happens when the books do not have what a paper says has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// It has not happened yet: it is refused, as is taking what somebody has a claim on.
    Refuse,
    /// It has happened, whatever the books say, as when a till that was offline tells what it sold. What was missing is written
    /// down as found, and claims that cannot be served any more are broken and told.
    Record,
    /// Goods leave for a claim: what it claims may be taken. The claim must be ended by the caller in the same transaction, before.
    Claimed,
}

/// A claim that can not be served any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub reservation_no: i64,
    pub line: usize,
    pub quantity: Quantity,
    pub owner: Box<str>,
    pub variant_no: i64,
    pub location_no: i64,
}

/// What a paper did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub document_no: i64,
    /// It was told before; nothing happened.
    pub repeated: bool,
    /// What moved although the books did not have it.
    pub found: Vec<Short>,
    pub broken: Vec<Broken>,
}

/// Posts a paper: all of its movements or none. A paper that the same teller told before under the same id does nothing.
///
/// A movement that happened before the last count of a place does not change what was counted there: it is balanced by one
/// against lost and found, at the moment of the count (DOMAIN 4.7: a count is an anchor).
pub fn post(tx: &mut Tx, document: &Document, shortage: Shortage) -> Result<Posted, StockError> {
    check(tx, document)?;
    if let Some(no) = told(tx, document)? {
        return Ok(Posted { document_no: no, repeated: true, found: vec![], broken: vec![] });
    }
    let completed = crate::lots::complete(tx, document, shortage)?;
    let lines = completed.as_ref().map_or(&document.moves, |completed| &completed.moves);
    let moves = anchored(tx, lines, document.at)?;
    let mut found = if shortage == Shortage::Refuse {
        // Whatever moment it bears, it is to happen now: a count does not lend goods.
        let plain: Vec<(Timestamp, Move)> = lines.iter().map(|m| (document.at, m.clone())).collect();
        missing(tx, &plain, shortage)?
    } else {
        missing(tx, &moves, shortage)?
    };
    if !found.is_empty() && shortage == Shortage::Refuse {
        return Err(StockError::NotEnough(found));
    }
    let no = append(tx, document)?;
    for short in &found {
        let Some(location_no) = short.location_no else { continue };
        let made_good = Move {
            variant_no: short.variant_no,
            from_no: LOSS,
            from_condition: Condition::Sellable,
            to_no: location_no,
            to_condition: condition_of(&moves, short),
            lot: "".into(),
            quantity: short.wanted - short.available,
            reason: "moved though not on the books".into(),
        };
        carry_out(tx, no, &made_good, document.at)?;
    }
    for (at, movement) in &moves {
        carry_out(tx, no, movement, *at)?;
    }
    found.extend(completed.map(|completed| completed.found).unwrap_or_default());
    let broken = if shortage == Shortage::Record { break_claims(tx, &moves)? } else { vec![] };
    Ok(Posted { document_no: no, repeated: false, found, broken })
}

fn condition_of(moves: &[(Timestamp, Move)], short: &Short) -> Condition {
    let of = |m: &&(Timestamp, Move)| m.1.variant_no == short.variant_no && Some(m.1.from_no) == short.location_no;
    moves.iter().find(of).map_or(Condition::Sellable, |(_, m)| m.from_condition)
}

fn check(tx: &mut Tx, document: &Document) -> Result<(), StockError> {
    if document.moves.is_empty() || document.moves.len() > MOVES_MAX {
        return Err(StockError::field("/lines", format!("a paper has from one to {MOVES_MAX} lines")));
    }
    for (pointer, text) in [
        ("/source", &document.source),
        ("/external_id", &document.external_id),
        ("/reference", &document.reference),
        ("/actor", &document.actor),
    ] {
        if text.len() > 200 {
            return Err(StockError::field(pointer, "at most 200 bytes are allowed"));
        }
    }
    if document.note.len() > 2000 {
        return Err(StockError::field("/note", "at most 2000 bytes are allowed"));
    }
    // A till's clock may be a little ahead; a paper from tomorrow is a mistake.
    if document.at > tx.now().plus(DAY_US) {
        return Err(StockError::field("/at", "it lies in the future"));
    }
    let places = super::places(tx)?;
    for (at, m) in document.moves.iter().enumerate() {
        if !m.quantity.is_positive() || m.quantity > Quantity::MAX {
            return Err(StockError::field(format!("/lines/{at}/quantity"), "the quantity must be more than nothing"));
        }
        if m.from_no == m.to_no && m.from_condition == m.to_condition {
            return Err(StockError::field(format!("/lines/{at}/to"), "it goes to where it comes from"));
        }
        if m.lot.len() > 100 || m.reason.len() > 200 {
            return Err(StockError::field(format!("/lines/{at}"), "lot or reason is too long"));
        }
        let (from, to) = (places.get(m.from_no), places.get(m.to_no));
        for (what, found, no) in [("from", from, m.from_no), ("to", to, m.to_no)] {
            if found.is_none() {
                return Err(StockError::field(format!("/lines/{at}/{what}"), format!("there is no place {no}")));
            }
        }
        if [from, to].into_iter().flatten().all(|location| !location.kind.counts()) {
            return Err(StockError::field(format!("/lines/{at}/to"), "nothing is counted at either place"));
        }
    }
    Ok(())
}

/// The number of a paper that was told before.
fn told(tx: &mut Tx, document: &Document) -> Result<Option<i64>, DbError> {
    if document.external_id.is_empty() {
        return Ok(None);
    }
    let (source, id) = (document.source.to_string(), document.external_id.to_string());
    let key = hash(tx.hash_key(), &source, &id);
    let found = tx.get_with::<DocumentTable>(key, |db| {
        let sql = "SELECT no FROM stock_documents WHERE source = $1 AND external_id = $2";
        db.first(sql, &[(&source).into(), (&id).into()])?.map(|row| row.int(0)).transpose()
    })?;
    Ok(found.copied())
}

fn hash(key: (u64, u64), source: &str, id: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(b"stock_document");
    hasher.write_u64(source.len() as u64);
    hasher.write(source.as_bytes());
    hasher.write(id.as_bytes());
    hasher.finish128().as_u128()
}

/// The movements, each with its moment, and beside those that lie before a count what balances them.
fn anchored(tx: &mut Tx, moves: &[Move], at: Timestamp) -> Result<Vec<(Timestamp, Move)>, DbError> {
    let mut out = Vec::with_capacity(moves.len());
    for m in moves {
        let counted = |stock: Option<&Arc<crate::model::VariantStock>>, no: i64| {
            stock.and_then(|stock| stock.at(no)).map_or(Timestamp::default(), |position| position.counted_at)
        };
        let stock = tx.get::<StockTable>(m.variant_no)?;
        let (from, to) = (counted(stock, m.from_no), counted(stock, m.to_no));
        out.push((at, m.clone()));
        let balance = |out: &mut Vec<(Timestamp, Move)>, from: (i64, Condition), to: (i64, Condition), at| {
            let movement = Move {
                from_no: from.0,
                from_condition: from.1,
                to_no: to.0,
                to_condition: to.1,
                reason: "happened before the count".into(),
                ..m.clone()
            };
            out.push((at, movement));
        };
        if m.from_condition == Condition::Sellable && at < from {
            // Goods that were gone when they were counted: the count did not see them, so they are not taken off again.
            out.pop();
            balance(&mut out, (LOSS, Condition::Sellable), (m.from_no, m.from_condition), from);
            out.push((at, m.clone()));
        }
        if m.to_condition == Condition::Sellable && at < to {
            balance(&mut out, (m.to_no, m.to_condition), (LOSS, Condition::Sellable), to);
        }
    }
    Ok(out)
}

/// What the places do not have of what is to leave them, summed over the lines.
fn missing(tx: &mut Tx, moves: &[(Timestamp, Move)], shortage: Shortage) -> Result<Vec<Short>, DbError> {
    let places = super::places(tx)?;
    let now = tx.now();
    // Net outflow, in the order of the lines: what comes in with a line can leave with a later one.
    let mut levels: Vec<((i64, i64, Condition), Quantity, Quantity)> = Vec::new();
    for (_, m) in moves {
        for (no, condition, incoming) in [(m.to_no, m.to_condition, true), (m.from_no, m.from_condition, false)] {
            if !places.get(no).is_some_and(|location| location.kind.counts()) {
                continue;
            }
            let key = (m.variant_no, no, condition);
            let at = match levels.iter().position(|(k, ..)| *k == key) {
                Some(at) => at,
                None => {
                    let position = tx.get::<StockTable>(m.variant_no)?.and_then(|stock| stock.at(no));
                    let free = position.map_or(Quantity::ZERO, |p| match (condition, shortage) {
                        (Condition::Sellable, Shortage::Refuse) => at_the_till(p, now),
                        _ => p.on_hand[condition as usize],
                    });
                    levels.push((key, free, free));
                    levels.len() - 1
                }
            };
            let (_, level, lowest) = &mut levels[at];
            *level = if incoming { *level + m.quantity } else { *level - m.quantity };
            *lowest = (*lowest).min(*level);
        }
    }
    let short = levels.into_iter().filter(|(_, _, lowest)| lowest.is_negative());
    Ok(short
        .map(|((variant_no, location_no, condition), _, lowest)| {
            let wanted: Quantity = moves
                .iter()
                .filter(|(_, m)| (m.variant_no, m.from_no, m.from_condition) == (variant_no, location_no, condition))
                .map(|(_, m)| m.quantity)
                .sum();
            Short { variant_no, location_no: Some(location_no), wanted, available: wanted + lowest }
        })
        .collect())
}

fn append(tx: &mut Tx, document: &Document) -> Result<i64, DbError> {
    let no = tx.next_id();
    let now = tx.now();
    // Papers without an id of their own get one that nobody else can have.
    let own = format!("#{no}");
    let external_id = if document.external_id.is_empty() { &own } else { &*document.external_id };
    if !document.external_id.is_empty() {
        let key = hash(tx.hash_key(), &document.source, external_id);
        tx.put::<DocumentTable>(key, no);
    }
    tx.append(
        &DOCUMENTS,
        vec![
            no.into(),
            document.kind.as_str().into(),
            (&*document.source).into(),
            external_id.into(),
            (&*document.reference).into(),
            (&*document.note).into(),
            (&*document.actor).into(),
            document.at.micros().into(),
            now.micros().into(),
        ],
    );
    Ok(no)
}

fn carry_out(tx: &mut Tx, document_no: i64, m: &Move, at: Timestamp) -> Result<(), DbError> {
    let places = super::places(tx)?;
    let counts = |no: i64| places.get(no).is_some_and(|location| location.kind.counts());
    let (from, to) = (counts(m.from_no), counts(m.to_no));
    let group = tx.group();
    let stock = super::change(tx, m.variant_no)?;
    if from {
        let position = stock.at_mut(m.from_no);
        position.on_hand[m.from_condition as usize] -= m.quantity;
        position.changed = group;
        assert!(!position.on_hand[m.from_condition as usize].is_negative(), "less than nothing lies at a place");
    }
    if to {
        let position = stock.at_mut(m.to_no);
        position.on_hand[m.to_condition as usize] += m.quantity;
        position.changed = group;
    }
    if to && m.to_condition == Condition::Sellable {
        crate::waiting::mark(tx, m.variant_no)?;
    }
    if !m.lot.is_empty() {
        crate::lots::carry(tx, m, (from, to), at)?;
    }
    let no = tx.next_id();
    let row: Vec<Owned> = vec![
        no.into(),
        document_no.into(),
        m.variant_no.into(),
        m.from_no.into(),
        (m.from_condition as i64).into(),
        m.to_no.into(),
        (m.to_condition as i64).into(),
        (&*m.lot).into(),
        m.quantity.milli().into(),
        (&*m.reason).into(),
        at.micros().into(),
    ];
    tx.append(&MOVES, row);
    Ok(())
}

const ALIVE: &str = "SELECT no FROM reservations WHERE variant_no = $1 AND location_no = $2 AND ended_at = 0 \
                     AND expires_at > $3 GROUP BY no ORDER BY MIN(kind), no DESC";

/// Ends claims on goods that are not there any more: carts before orders, the newest first.
fn break_claims(tx: &mut Tx, moves: &[(Timestamp, Move)]) -> Result<Vec<Broken>, DbError> {
    let mut out = Vec::new();
    let now = tx.now();
    let mut seen: Vec<(i64, i64)> = Vec::new();
    for (_, m) in moves {
        let place = (m.variant_no, m.from_no);
        if m.from_condition != Condition::Sellable || seen.contains(&place) {
            continue;
        }
        seen.push(place);
        let over = |tx: &mut Tx| -> Result<Quantity, DbError> {
            let position = tx.get::<StockTable>(m.variant_no)?.and_then(|stock| stock.at(m.from_no));
            Ok(position.map_or(Quantity::ZERO, |p| {
                let ahead = (-p.safety).or_none();
                claimed(p, now) - p.sellable() - ahead
            }))
        };
        if !over(tx)?.is_positive() {
            continue;
        }
        tx.flush_table::<ReservationTable>()?;
        let claims = tx.rows(ALIVE, &[m.variant_no.into(), m.from_no.into(), now.micros().into()])?;
        for row in &claims {
            let left = over(tx)?;
            if !left.is_positive() {
                break;
            }
            let no = row.int(0)?;
            let Some(reservation) = tx.get::<ReservationTable>(no)?.cloned() else { continue };
            break_lines(tx, (no, &reservation), place, left, &mut out)?;
        }
    }
    Ok(out)
}

fn break_lines(
    tx: &mut Tx,
    (no, reservation): (i64, &Reservation),
    (variant_no, location_no): (i64, i64),
    mut over: Quantity,
    out: &mut Vec<Broken>,
) -> Result<(), DbError> {
    let now = tx.now();
    let lines: Vec<usize> = reservation
        .active(now)
        .filter(|(_, line)| line.variant_no == variant_no && line.location_no == location_no)
        .map(|(at, _)| at)
        .collect();
    for line in lines {
        if !over.is_positive() {
            break;
        }
        // A line is broken whole: half a pair of shoes helps nobody, and whoever serves it anew decides on the whole.
        let quantity = reservation.lines[line].quantity;
        end_lines(tx, no, reservation, EndedWhy::Short, &|at| at == line)?;
        over -= quantity;
        let owner = reservation.owner.clone();
        out.push(Broken { reservation_no: no, line, quantity, owner, variant_no, location_no });
    }
    Ok(())
}

const SINCE: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN to_no = $2 AND to_condition = 0 THEN quantity ELSE 0 END), 0) \
                     - COALESCE(SUM(CASE WHEN from_no = $2 AND from_condition = 0 THEN quantity ELSE 0 END), 0) AS BIGINT) \
                     FROM stock_moves WHERE variant_no = $1 AND at > $3";

/// What the books have of the sellable goods of a variant at a place as of a moment: what lies there now, less what moved since.
pub fn book_at(tx: &mut Tx, location_no: i64, variant_no: i64, at: Timestamp) -> Result<Quantity, DbError> {
    let after = tx.first(SINCE, &[variant_no.into(), location_no.into(), at.micros().into()])?;
    let after = Quantity::from_milli(after.map(|row| row.int(0)).transpose()?.unwrap_or(0));
    let position = tx.get::<StockTable>(variant_no)?.and_then(|stock| stock.at(location_no));
    Ok(position.map_or(Quantity::ZERO, |p| p.sellable()) - after)
}

/// Writes down what was counted of the sellable goods of a variant at a place at a moment: the difference to what the books had
/// then becomes a movement. A count from before the last one is no news and does nothing. Gives what it did, and the variance.
pub fn count(
    tx: &mut Tx,
    paper: &Document,
    location_no: i64,
    variant_no: i64,
    counted: Quantity,
) -> Result<(Option<Posted>, Quantity), StockError> {
    if counted.is_negative() || counted > Quantity::MAX {
        return Err(StockError::field("/counted", "what is counted is nothing or more"));
    }
    let places = super::places(tx)?;
    if !places.get(location_no).is_some_and(|location| location.kind.sells()) {
        return Err(StockError::field("/location_id", "nothing is counted there"));
    }
    if paper.at > tx.now() {
        return Err(StockError::field("/at", "it lies in the future"));
    }
    if !paper.external_id.is_empty() && told(tx, paper)?.is_some() {
        return Ok((None, Quantity::ZERO));
    }
    let position = tx.get::<StockTable>(variant_no)?.and_then(|stock| stock.at(location_no)).cloned();
    if position.as_ref().is_some_and(|p| p.counted_at > paper.at) {
        return Ok((None, Quantity::ZERO));
    }
    let variance = counted - book_at(tx, location_no, variant_no, paper.at)?;
    let posted = if variance.is_zero() {
        None
    } else {
        let (from_no, to_no) = if variance.is_positive() { (LOSS, location_no) } else { (location_no, LOSS) };
        let quantity = if variance.is_positive() { variance } else { -variance };
        let movement = Move {
            variant_no,
            from_no,
            from_condition: Condition::Sellable,
            to_no,
            to_condition: Condition::Sellable,
            lot: "".into(),
            quantity,
            reason: "count".into(),
        };
        let document = Document { kind: DocumentKind::Count, moves: vec![movement], ..paper.clone() };
        Some(post(tx, &document, Shortage::Record)?)
    };
    let group = tx.group();
    let at = paper.at;
    let position = super::change(tx, variant_no)?.at_mut(location_no);
    position.counted_at = at;
    position.changed = group;
    Ok((posted, variance))
}
