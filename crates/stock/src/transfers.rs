//! Transfers: goods that go from one place to another.
//!
//! requested → in transit → partly received → received; or cancelled, before they leave or on the way. What is requested is
//! claimed at once, so that nobody sells it meanwhile. What leaves stands in transit until somebody takes it in: the source
//! falls when it leaves, the destination rises when it is received, and a difference is settled with a reason (DOMAIN 4.7).
use crate::commands::{self, Posted, Request, Shortage};
use crate::error::StockError;
use crate::model::{Condition, Document, DocumentKind, EndedWhy, LOSS, Move, ReservationKind, TRANSIT};
use crate::{ReservationTable, choice::Wanted};
use base::{Quantity, Timestamp};
use db::{DbError, Row, Tx};

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferState {
    /// Asked for; the goods are claimed.
    Requested,
    /// They left.
    InTransit,
    /// Some were taken in.
    PartlyReceived,
    /// All is settled.
    Received,
    Cancelled,
}

impl TransferState {
    pub const ALL: [(TransferState, &'static str); 5] = [
        (TransferState::Requested, "requested"),
        (TransferState::InTransit, "in_transit"),
        (TransferState::PartlyReceived, "partly_received"),
        (TransferState::Received, "received"),
        (TransferState::Cancelled, "cancelled"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

/// One variant of a transfer. `shipped = received + damaged + lost + returned` once it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferLine {
    pub variant_no: i64,
    pub requested: Quantity,
    pub shipped: Quantity,
    pub received: Quantity,
    /// Came broken.
    pub damaged: Quantity,
    /// Did not come.
    pub lost: Quantity,
    /// Went back to where it came from.
    pub returned: Quantity,
    /// Why less came than left.
    pub why: Box<str>,
}

impl TransferLine {
    /// What is still on the way.
    pub fn on_the_way(&self) -> Quantity {
        self.shipped - self.received - self.damaged - self.lost - self.returned
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub no: i64,
    pub from_no: i64,
    pub to_no: i64,
    pub state: TransferState,
    /// What it is for: an order, or nothing.
    pub reference: Box<str>,
    pub note: Box<str>,
    pub reservation_no: i64,
    /// When it should arrive; the epoch where nobody said.
    pub expected_at: Timestamp,
    pub version: i64,
    pub created_by: Box<str>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub lines: Vec<TransferLine>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct TransferInput {
    pub from_no: i64,
    pub to_no: i64,
    pub reference: String,
    pub note: String,
    pub expected_at: Option<Timestamp>,
    pub lines: Vec<(i64, Quantity)>,
}

/// What came of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    pub line: usize,
    pub received: Quantity,
    pub damaged: Quantity,
}

/// What becomes of what is still on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// More may come.
    Awaited,
    /// It will not come: written off.
    Lost,
    /// It went back.
    Back,
}

fn wrong_state(transfer: &Transfer, what: &str) -> StockError {
    StockError::Wrong { what: "transfer", no: transfer.no, state: transfer.state.as_str(), wanted: what.into() }
}

/// Asks for goods from another place; they are claimed there at once.
pub fn request(tx: &mut Tx, input: &TransferInput, actor: &str) -> Result<Transfer, StockError> {
    let places = commands::places(tx)?;
    for (pointer, no) in [("/from", input.from_no), ("/to", input.to_no)] {
        if !places.get(no).is_some_and(|location| location.kind.sells()) {
            return Err(StockError::field(pointer, "goods are transferred between places that count them"));
        }
    }
    if input.from_no == input.to_no {
        return Err(StockError::field("/to", "it goes to where it comes from"));
    }
    if input.note.len() > 2000 || input.reference.len() > 200 {
        return Err(StockError::field("/note", "the note is too long"));
    }
    let mut seen: Vec<i64> = input.lines.iter().map(|(variant_no, _)| *variant_no).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(StockError::field("/lines", "name each variant once"));
    }
    let wanted = |(variant_no, quantity): &(i64, Quantity)| Wanted {
        variant_no: *variant_no,
        quantity: *quantity,
        location_no: Some(input.from_no),
    };
    let claim = Request {
        channel: commands::ANY_CHANNEL.into(),
        kind: ReservationKind::Transfer,
        owner: "transfer".into(),
        lines: input.lines.iter().map(wanted).collect(),
        seconds: None,
        partial: false,
    };
    // Its number is given once nothing can be refused any more.
    let reserved = commands::reserve(tx, &claim)?;
    let no = tx.next_id();
    commands::confirm(tx, reserved.no, ReservationKind::Transfer, &format!("transfer:{no}"))?;
    let now = tx.now();
    let transfer = Transfer {
        no,
        from_no: input.from_no,
        to_no: input.to_no,
        state: TransferState::Requested,
        reference: input.reference.as_str().into(),
        note: input.note.as_str().into(),
        reservation_no: reserved.no,
        expected_at: input.expected_at.unwrap_or_default(),
        version: 0,
        created_by: actor.into(),
        created_at: now,
        updated_at: now,
        lines: input
            .lines
            .iter()
            .map(|(variant_no, requested)| TransferLine {
                variant_no: *variant_no,
                requested: *requested,
                shipped: Quantity::ZERO,
                received: Quantity::ZERO,
                damaged: Quantity::ZERO,
                lost: Quantity::ZERO,
                returned: Quantity::ZERO,
                why: "".into(),
            })
            .collect(),
    };
    store(tx, transfer)
}

/// The goods leave: so much of each line, in the order of the lines. What was claimed and does not leave is given back.
pub fn ship(tx: &mut Tx, no: i64, shipped: &[Quantity], actor: &str, at: Timestamp) -> Result<Transfer, StockError> {
    let mut transfer = get(tx, no)?;
    if transfer.state != TransferState::Requested {
        return Err(wrong_state(&transfer, "leave"));
    }
    if shipped.len() != transfer.lines.len() {
        return Err(StockError::field("/lines", format!("it has {} lines", transfer.lines.len())));
    }
    for (at, (line, quantity)) in transfer.lines.iter().zip(shipped).enumerate() {
        if quantity.is_negative() || *quantity > line.requested {
            let detail = format!("nothing up to {} can leave", line.requested);
            return Err(StockError::field(format!("/lines/{at}/shipped"), detail));
        }
    }
    if shipped.iter().all(|quantity| quantity.is_zero()) {
        return Err(StockError::field("/lines", "nothing leaves: cancel it instead"));
    }
    let moves = moves(&transfer, shipped, transfer.from_no, TRANSIT, Condition::Sellable);
    // The claim may have been broken by a sale of goods that were not there; then there is nothing to leave.
    let claim = tx.get::<ReservationTable>(transfer.reservation_no)?.cloned();
    for (line, quantity) in shipped.iter().enumerate() {
        let alive = claim.as_ref().and_then(|c| c.lines.get(line)).is_some_and(|l| l.ended.is_none());
        if !alive && quantity.is_positive() {
            let detail = "its goods were sold meanwhile: nothing of it can leave";
            return Err(StockError::field(format!("/lines/{line}/shipped"), detail));
        }
    }
    let short = missing_at(tx, &moves)?;
    if !short.is_empty() {
        return Err(StockError::NotEnough(short));
    }
    for (line, quantity) in shipped.iter().enumerate() {
        if quantity.is_positive() {
            commands::fulfil(tx, transfer.reservation_no, line, *quantity)?;
        }
    }
    commands::release(tx, transfer.reservation_no, EndedWhy::Released)?;
    let paper = paper(&transfer, DocumentKind::TransferOut, actor, at, moves);
    let posted = commands::post(tx, &paper, Shortage::Claimed)?;
    let sold = transfer.lines.iter().zip(shipped).map(|(line, quantity)| (line.variant_no, *quantity)).collect();
    between(tx, &transfer, (transfer.from_no, transfer.to_no), sold, posted.document_no, at)?;
    for (line, quantity) in transfer.lines.iter_mut().zip(shipped) {
        line.shipped = *quantity;
    }
    transfer.state = TransferState::InTransit;
    store(tx, transfer)
}

/// Goods that change hands between legal entities are sold, and sold back where they return.
fn between(
    tx: &mut Tx,
    transfer: &Transfer,
    ends: (i64, i64),
    lines: Vec<(i64, Quantity)>,
    document_no: i64,
    at: Timestamp,
) -> Result<(), StockError> {
    let reference = format!("transfer:{}", transfer.no);
    crate::entities::transferred(tx, ends, &lines, (document_no, &reference), at)
}

/// What lies at the source is checked before the first write: afterwards nothing may be refused.
fn missing_at(tx: &mut Tx, moves: &[Move]) -> Result<Vec<crate::Short>, DbError> {
    let mut out = Vec::new();
    for m in moves {
        let there = commands::stock(tx, m.variant_no)?;
        let there = there.and_then(|s| s.at(m.from_no).map(|p| p.on_hand[m.from_condition as usize]));
        let there = there.unwrap_or(Quantity::ZERO);
        if there < m.quantity {
            let location_no = Some(m.from_no);
            out.push(crate::Short { variant_no: m.variant_no, location_no, wanted: m.quantity, available: there });
        }
    }
    Ok(out)
}

/// Goods are taken in. `rest` says what becomes of what is still on the way, `why` why it did not come.
pub fn receive(
    tx: &mut Tx,
    no: i64,
    arrived: &[Arrived],
    rest: Rest,
    (why, actor): (&str, &str),
    at: Timestamp,
) -> Result<(Transfer, Option<Posted>), StockError> {
    let mut transfer = get(tx, no)?;
    if !matches!(transfer.state, TransferState::InTransit | TransferState::PartlyReceived) {
        return Err(wrong_state(&transfer, "be received"));
    }
    let mut seen: Vec<usize> = arrived.iter().map(|a| a.line).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(StockError::field("/lines", "name each line once"));
    }
    for (at, a) in arrived.iter().enumerate() {
        let line = transfer.lines.get(a.line);
        let line = line.ok_or_else(|| StockError::field(format!("/lines/{at}/line"), "there is no such line"))?;
        if a.received.is_negative() || a.damaged.is_negative() || a.received + a.damaged > line.on_the_way() {
            let detail = format!("{} are on the way", line.on_the_way());
            return Err(StockError::field(format!("/lines/{at}/received"), detail));
        }
    }
    if rest == Rest::Lost && why.trim().is_empty() {
        return Err(StockError::field("/why", "say why less came than left"));
    }
    if why.len() > 200 {
        return Err(StockError::field("/why", "at most 200 bytes are allowed"));
    }
    let quantities = |of: &dyn Fn(&Arrived) -> Quantity| -> Vec<Quantity> {
        let one = |line| arrived.iter().find(|a| a.line == line).map_or(Quantity::ZERO, of);
        (0..transfer.lines.len()).map(one).collect()
    };
    let (received, damaged) = (quantities(&|a| a.received), quantities(&|a| a.damaged));
    let mut all = moves(&transfer, &received, TRANSIT, transfer.to_no, Condition::Sellable);
    all.extend(moves(&transfer, &damaged, TRANSIT, transfer.to_no, Condition::Damaged));
    for (line, (got, broken)) in transfer.lines.iter_mut().zip(received.iter().zip(&damaged)) {
        line.received += *got;
        line.damaged += *broken;
    }
    let left: Vec<Quantity> = transfer.lines.iter().map(TransferLine::on_the_way).collect();
    match rest {
        Rest::Awaited => {}
        Rest::Lost => {
            all.extend(moves(&transfer, &left, TRANSIT, LOSS, Condition::Sellable).into_iter().map(|m| {
                let reason = format!("lost on the way: {why}").chars().take(150).collect::<String>();
                Move { reason: reason.into(), ..m }
            }));
        }
        Rest::Back => all.extend(moves(&transfer, &left, TRANSIT, transfer.from_no, Condition::Sellable)),
    }
    for (line, left) in transfer.lines.iter_mut().zip(&left) {
        match rest {
            Rest::Awaited => {}
            Rest::Lost => line.lost += *left,
            Rest::Back => line.returned += *left,
        }
        if rest != Rest::Awaited && left.is_positive() {
            line.why = why.into();
        }
    }
    let over = transfer.lines.iter().all(|line| line.on_the_way().is_zero());
    transfer.state = if over { TransferState::Received } else { TransferState::PartlyReceived };
    let posted = if all.is_empty() {
        None
    } else {
        let paper = paper(&transfer, DocumentKind::TransferIn, actor, at, all);
        Some(commands::post(tx, &paper, Shortage::Claimed)?)
    };
    if let (Rest::Back, Some(posted)) = (rest, &posted) {
        let back = transfer.lines.iter().zip(&left).map(|(line, quantity)| (line.variant_no, *quantity)).collect();
        between(tx, &transfer, (transfer.to_no, transfer.from_no), back, posted.document_no, at)?;
    }
    Ok((store(tx, transfer)?, posted))
}

/// Calls it off: before it left, the claim is given back; on the way, `rest` says what becomes of the goods.
pub fn cancel(tx: &mut Tx, no: i64, rest: Rest, (why, actor): (&str, &str)) -> Result<Transfer, StockError> {
    let mut transfer = get(tx, no)?;
    match transfer.state {
        TransferState::Requested => {
            commands::release(tx, transfer.reservation_no, EndedWhy::Released)?;
            transfer.state = TransferState::Cancelled;
            store(tx, transfer)
        }
        TransferState::InTransit | TransferState::PartlyReceived => {
            if rest == Rest::Awaited {
                let detail = "it is on the way: say whether it goes back or is written off";
                return Err(StockError::field("/rest", detail));
            }
            let at = tx.now();
            let (mut transfer, _) = receive(tx, no, &[], rest, (why, actor), at)?;
            if transfer.lines.iter().all(|line| line.received.is_zero() && line.damaged.is_zero()) {
                transfer.state = TransferState::Cancelled;
                transfer = store(tx, transfer)?;
            }
            Ok(transfer)
        }
        TransferState::Received | TransferState::Cancelled => Err(wrong_state(&transfer, "be cancelled")),
    }
}

fn moves(transfer: &Transfer, quantities: &[Quantity], from_no: i64, to_no: i64, to: Condition) -> Vec<Move> {
    let lines = transfer.lines.iter().zip(quantities).filter(|(_, quantity)| quantity.is_positive());
    lines
        .map(|(line, quantity)| Move {
            variant_no: line.variant_no,
            from_no,
            from_condition: Condition::Sellable,
            to_no,
            to_condition: to,
            lot: "".into(),
            quantity: *quantity,
            reason: "transfer".into(),
        })
        .collect()
}

fn paper(transfer: &Transfer, kind: DocumentKind, actor: &str, at: Timestamp, moves: Vec<Move>) -> Document {
    Document {
        kind,
        source: "braid".into(),
        external_id: "".into(),
        reference: format!("transfer:{}", transfer.no).into(),
        note: "".into(),
        actor: actor.into(),
        at,
        moves,
    }
}

const ONE: &str = "SELECT no, from_no, to_no, state, reference, note, reservation_no, expected_at, version, created_by, created_at, \
                   updated_at FROM transfers WHERE no = $1";
const LINES: &str = "SELECT variant_no, requested, shipped, received, damaged, lost, returned, why FROM transfer_lines \
                     WHERE transfer_no = $1 ORDER BY line";

/// A transfer by number.
pub fn get(tx: &mut Tx, no: i64) -> Result<Transfer, StockError> {
    let row = tx.first(ONE, &[no.into()])?;
    let row = row.ok_or_else(|| StockError::Unknown { what: "transfer", id: no.to_string() })?;
    let lines = tx.rows(LINES, &[no.into()])?;
    Ok(read(&row, &lines)?)
}

fn read(row: &Row, lines: &[Row]) -> Result<Transfer, DbError> {
    let moment = |at: usize| row.int(at).map(Timestamp::from_micros);
    let state =
        TransferState::parse(row.text(3)?).ok_or_else(|| DbError::damaged("transfers", "its state is unknown"))?;
    let line = |row: &Row| -> Result<TransferLine, DbError> {
        let quantity = |at: usize| row.int(at).map(Quantity::from_milli);
        Ok(TransferLine {
            variant_no: row.int(0)?,
            requested: quantity(1)?,
            shipped: quantity(2)?,
            received: quantity(3)?,
            damaged: quantity(4)?,
            lost: quantity(5)?,
            returned: quantity(6)?,
            why: row.text(7)?.into(),
        })
    };
    Ok(Transfer {
        no: row.int(0)?,
        from_no: row.int(1)?,
        to_no: row.int(2)?,
        state,
        reference: row.text(4)?.into(),
        note: row.text(5)?.into(),
        reservation_no: row.int(6)?,
        expected_at: moment(7)?,
        version: row.int(8)?,
        created_by: row.text(9)?.into(),
        created_at: moment(10)?,
        updated_at: moment(11)?,
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
    })
}

fn store(tx: &mut Tx, mut transfer: Transfer) -> Result<Transfer, StockError> {
    transfer.version += 1;
    transfer.updated_at = tx.now();
    let sql = "INSERT INTO transfers (no, from_no, to_no, state, reference, note, reservation_no, expected_at, version, created_by, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (no) DO UPDATE SET state = excluded.state, version = excluded.version, updated_at = excluded.updated_at";
    tx.execute(
        sql,
        &[
            transfer.no.into(),
            transfer.from_no.into(),
            transfer.to_no.into(),
            transfer.state.as_str().into(),
            (&*transfer.reference).into(),
            (&*transfer.note).into(),
            transfer.reservation_no.into(),
            transfer.expected_at.micros().into(),
            transfer.version.into(),
            (&*transfer.created_by).into(),
            transfer.created_at.micros().into(),
            transfer.updated_at.micros().into(),
        ],
    )?;
    for (at, line) in transfer.lines.iter().enumerate() {
        let sql = "INSERT INTO transfer_lines (transfer_no, line, variant_no, requested, shipped, received, damaged, lost, returned, \
                   why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (transfer_no, line) DO UPDATE SET \
                   shipped = excluded.shipped, received = excluded.received, damaged = excluded.damaged, lost = excluded.lost, \
                   returned = excluded.returned, why = excluded.why";
        let [requested, shipped, received, damaged, lost, returned] =
            [line.requested, line.shipped, line.received, line.damaged, line.lost, line.returned].map(Quantity::milli);
        tx.execute(
            sql,
            &[
                transfer.no.into(),
                (at as i64).into(),
                line.variant_no.into(),
                requested.into(),
                shipped.into(),
                received.into(),
                damaged.into(),
                lost.into(),
                returned.into(),
                (&*line.why).into(),
            ],
        )?;
    }
    tx.notify(db::Notice::Changed { what: "transfers" });
    Ok(transfer)
}
