//! Suppliers, and what is ordered from them: incoming stock, never counted as available (DOMAIN 4.7).
//!
//! draft → ordered → partly received → received; or cancelled, as far as nothing of it came.
use crate::commands::{self, Shortage};
use crate::cost;
use crate::error::StockError;
use crate::incoming;
use crate::model::{Condition, Document, DocumentKind, Move, SUPPLIER};
use base::{Quantity, Timestamp};
use db::{DbError, Row, Tx};

/// How far a purchase order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseState {
    Draft,
    Ordered,
    PartlyReceived,
    Received,
    Cancelled,
}

impl PurchaseState {
    pub const ALL: [(PurchaseState, &'static str); 5] = [
        (PurchaseState::Draft, "draft"),
        (PurchaseState::Ordered, "ordered"),
        (PurchaseState::PartlyReceived, "partly_received"),
        (PurchaseState::Received, "received"),
        (PurchaseState::Cancelled, "cancelled"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplier {
    pub no: i64,
    pub id: Box<str>,
    pub name: Box<str>,
    /// Days from order to arrival, usually.
    pub lead_days: i64,
    pub note: Box<str>,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseLine {
    pub variant_no: i64,
    pub ordered: Quantity,
    pub received: Quantity,
    pub cancelled: Quantity,
    /// Minor units a unit, without freight.
    pub cost_minor: i64,
}

impl PurchaseLine {
    /// What is still to come.
    pub fn awaited(&self) -> Quantity {
        self.ordered - self.received - self.cancelled
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseOrder {
    pub no: i64,
    pub supplier_no: i64,
    pub location_no: i64,
    pub state: PurchaseState,
    pub currency: Box<str>,
    /// Freight and customs of the whole, shared over the lines by value.
    pub freight_minor: i64,
    /// When it should arrive; the epoch where nobody said.
    pub expected_at: Timestamp,
    pub note: Box<str>,
    pub version: i64,
    pub created_by: Box<str>,
    pub created_at: Timestamp,
    pub lines: Vec<PurchaseLine>,
}

/// What is to be ordered.
#[derive(Debug, Clone)]
pub struct PurchaseInput {
    pub supplier_no: i64,
    pub location_no: i64,
    pub currency: String,
    pub freight_minor: i64,
    pub expected_at: Option<Timestamp>,
    pub note: String,
    /// Variant, how much, minor units a unit.
    pub lines: Vec<(i64, Quantity, i64)>,
}

/// Lines of one purchase order.
const LINES_MAX: usize = 2000;
/// No unit costs more: ten million in major units of two decimals.
const COST_MAX: i64 = 1_000_000_000;

/// Makes a supplier, or changes one by its id. Gives it before and after.
pub fn put_supplier(
    tx: &mut Tx,
    (id, name, lead_days, note): (&str, &str, i64, &str),
) -> Result<(Option<Supplier>, Supplier), StockError> {
    if id.is_empty() || id.len() > 100 || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(StockError::field("/id", "an id is up to 100 bytes without spaces"));
    }
    if name.trim().is_empty() || name.len() > 200 || note.len() > 2000 {
        return Err(StockError::field("/name", "a supplier has a name of at most 200 bytes"));
    }
    if !(0..=730).contains(&lead_days) {
        return Err(StockError::field("/lead_days", "goods come within 0 to 730 days"));
    }
    let before = find_supplier(tx, id)?;
    let no = before.as_ref().map_or_else(|| tx.next_id(), |b| b.no);
    let after = Supplier {
        no,
        id: id.into(),
        name: name.trim().into(),
        lead_days,
        note: note.into(),
        version: before.as_ref().map_or(0, |b| b.version) + 1,
    };
    let sql = "INSERT INTO suppliers (no, id, name, lead_days, note, version, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (no) DO UPDATE SET name = excluded.name, lead_days = excluded.lead_days, note = excluded.note, \
               version = excluded.version, updated_at = excluded.updated_at";
    let now = tx.now().micros();
    tx.execute(
        sql,
        &[no.into(), id.into(), (&*after.name).into(), lead_days.into(), note.into(), after.version.into(), now.into()],
    )?;
    tx.notify(db::Notice::Changed { what: "suppliers" });
    Ok((before, after))
}

fn supplier(row: &Row) -> Result<Supplier, DbError> {
    Ok(Supplier {
        no: row.int(0)?,
        id: row.text(1)?.into(),
        name: row.text(2)?.into(),
        lead_days: row.int(3)?,
        note: row.text(4)?.into(),
        version: row.int(5)?,
    })
}

/// A supplier by its id.
pub fn find_supplier(tx: &mut Tx, id: &str) -> Result<Option<Supplier>, DbError> {
    let sql = "SELECT no, id, name, lead_days, note, version FROM suppliers WHERE id = $1";
    tx.first(sql, &[id.into()])?.as_ref().map(supplier).transpose()
}

/// All suppliers by id, at most a thousand.
pub fn suppliers(db: &mut db::Engine) -> Result<Vec<Supplier>, DbError> {
    let sql = "SELECT no, id, name, lead_days, note, version FROM suppliers ORDER BY id LIMIT 1000";
    db.rows(sql, &[])?.iter().map(supplier).collect()
}

/// Writes down what is to be ordered, as a draft.
pub fn draft(tx: &mut Tx, input: &PurchaseInput, actor: &str) -> Result<PurchaseOrder, StockError> {
    let places = commands::places(tx)?;
    if !places.get(input.location_no).is_some_and(|location| location.kind.sells()) {
        return Err(StockError::field("/location_id", "goods cannot be delivered there"));
    }
    if input.lines.is_empty() || input.lines.len() > LINES_MAX {
        return Err(StockError::field("/lines", format!("name one to {LINES_MAX} lines")));
    }
    for (at, (_, quantity, cost)) in input.lines.iter().enumerate() {
        if !quantity.is_positive() || *quantity > Quantity::MAX {
            return Err(StockError::field(format!("/lines/{at}/quantity"), "the quantity must be more than nothing"));
        }
        if !(0..=COST_MAX).contains(cost) {
            return Err(StockError::field(format!("/lines/{at}/cost"), "the cost is out of range"));
        }
    }
    if !(0..=COST_MAX).contains(&input.freight_minor) || input.note.len() > 2000 {
        return Err(StockError::field("/freight", "freight or note are out of range"));
    }
    if input.currency.len() != 3 || !input.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(StockError::field("/currency", "name a currency by three capital letters"));
    }
    let now = tx.now();
    let order = PurchaseOrder {
        no: tx.next_id(),
        supplier_no: input.supplier_no,
        location_no: input.location_no,
        state: PurchaseState::Draft,
        currency: input.currency.as_str().into(),
        freight_minor: input.freight_minor,
        expected_at: input.expected_at.unwrap_or_default(),
        note: input.note.as_str().into(),
        version: 0,
        created_by: actor.into(),
        created_at: now,
        lines: input
            .lines
            .iter()
            .map(|(variant_no, ordered, cost_minor)| PurchaseLine {
                variant_no: *variant_no,
                ordered: *ordered,
                received: Quantity::ZERO,
                cancelled: Quantity::ZERO,
                cost_minor: *cost_minor,
            })
            .collect(),
    };
    store(tx, order)
}

fn wrong(order: &PurchaseOrder, wanted: &str) -> StockError {
    StockError::Wrong { what: "purchase order", no: order.no, state: order.state.as_str(), wanted: wanted.into() }
}

/// It was sent to the supplier: from now on the goods are incoming.
pub fn place(tx: &mut Tx, no: i64, expected_at: Option<Timestamp>) -> Result<PurchaseOrder, StockError> {
    let mut order = get(tx, no)?;
    if order.state != PurchaseState::Draft {
        return Err(wrong(&order, "be ordered"));
    }
    order.state = PurchaseState::Ordered;
    if let Some(at) = expected_at {
        order.expected_at = at;
    }
    let order = store(tx, order)?;
    touched(tx, &order)?;
    Ok(order)
}

/// Goods came: so much of each line, and with `complete` nothing more will come. More than was ordered is refused: it is a
/// receipt of its own.
pub fn receive(
    tx: &mut Tx,
    no: i64,
    received: &[(usize, Quantity)],
    complete: bool,
    (external_id, actor): (&str, &str),
    at: Timestamp,
) -> Result<PurchaseOrder, StockError> {
    let mut order = get(tx, no)?;
    if !matches!(order.state, PurchaseState::Ordered | PurchaseState::PartlyReceived) {
        return Err(wrong(&order, "be received"));
    }
    let mut moves = Vec::new();
    for (at, (line, quantity)) in received.iter().enumerate() {
        let found = order.lines.get_mut(*line);
        let found = found.ok_or_else(|| StockError::field(format!("/lines/{at}/line"), "there is no such line"))?;
        if quantity.is_negative() || *quantity > found.awaited() {
            let detail = format!("{} are awaited", found.awaited());
            return Err(StockError::field(format!("/lines/{at}/received"), detail));
        }
        if quantity.is_zero() {
            continue;
        }
        found.received += *quantity;
        moves.push(Move {
            variant_no: found.variant_no,
            from_no: SUPPLIER,
            from_condition: Condition::Sellable,
            to_no: order.location_no,
            to_condition: Condition::Sellable,
            lot: "".into(),
            quantity: *quantity,
            reason: "purchase".into(),
        });
    }
    if moves.is_empty() && !complete {
        return Err(StockError::field("/lines", "nothing came"));
    }
    let mut document_no = None;
    if !moves.is_empty() {
        let paper = Document {
            kind: DocumentKind::Receipt,
            source: "braid".into(),
            external_id: external_id.into(),
            reference: format!("purchase_order:{no}").into(),
            note: "".into(),
            actor: actor.into(),
            at,
            moves,
        };
        let posted = commands::post(tx, &paper, Shortage::Refuse)?;
        if posted.repeated {
            return get(tx, no);
        }
        document_no = Some(posted.document_no);
    }
    if complete {
        for line in &mut order.lines {
            line.cancelled += line.awaited();
        }
    }
    let over = order.lines.iter().all(|line| line.awaited().is_zero());
    order.state = if over { PurchaseState::Received } else { PurchaseState::PartlyReceived };
    let order = store(tx, order)?;
    cost::received(tx, &order, received, document_no)?;
    incoming::arrived(tx, &order, received)?;
    incoming::settle(tx, &order)?;
    touched(tx, &order)?;
    Ok(order)
}

/// It is expected at another time than before; `None`: nobody knows. Those who were promised goods of it are promised anew.
pub fn expect(tx: &mut Tx, no: i64, expected_at: Option<Timestamp>) -> Result<PurchaseOrder, StockError> {
    let mut order = get(tx, no)?;
    if !matches!(order.state, PurchaseState::Draft | PurchaseState::Ordered | PurchaseState::PartlyReceived) {
        return Err(wrong(&order, "be expected at another time"));
    }
    order.expected_at = expected_at.unwrap_or_default();
    let order = store(tx, order)?;
    incoming::expected(tx, &order)?;
    touched(tx, &order)?;
    Ok(order)
}

/// Calls it off, as long as nothing came.
pub fn cancel(tx: &mut Tx, no: i64) -> Result<PurchaseOrder, StockError> {
    let mut order = get(tx, no)?;
    if !matches!(order.state, PurchaseState::Draft | PurchaseState::Ordered) {
        return Err(wrong(&order, "be cancelled"));
    }
    order.state = PurchaseState::Cancelled;
    let order = store(tx, order)?;
    incoming::settle(tx, &order)?;
    touched(tx, &order)?;
    Ok(order)
}

/// What may be sold ahead of it is something else now.
fn touched(tx: &mut Tx, order: &PurchaseOrder) -> Result<(), DbError> {
    for line in &order.lines {
        crate::ahead::touched(tx, line.variant_no)?;
    }
    Ok(())
}

/// Goods that are ordered and did not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    pub purchase_order_no: i64,
    pub location_no: i64,
    pub quantity: Quantity,
    /// The epoch where nobody said.
    pub expected_at: Timestamp,
}

const INCOMING: &str = "SELECT o.no, o.location_no, l.ordered - l.received - l.cancelled, o.expected_at \
     FROM purchase_order_lines l JOIN purchase_orders o ON o.no = l.purchase_order_no \
     WHERE l.variant_no = $1 AND o.state IN ('ordered', 'partly_received') AND l.ordered > l.received + l.cancelled \
     ORDER BY o.expected_at, o.no LIMIT 200";

/// What is on order of a variant, the earliest first.
pub fn incoming(db: &mut db::Engine, variant_no: i64) -> Result<Vec<Incoming>, DbError> {
    let read = |row: &Row| -> Result<Incoming, DbError> {
        Ok(Incoming {
            purchase_order_no: row.int(0)?,
            location_no: row.int(1)?,
            quantity: Quantity::from_milli(row.int(2)?),
            expected_at: Timestamp::from_micros(row.int(3)?),
        })
    };
    db.rows(INCOMING, &[variant_no.into()])?.iter().map(read).collect()
}

const HEAD: &str = "SELECT no, supplier_no, location_no, state, currency, freight_minor, expected_at, note, version, created_by, \
                    created_at FROM purchase_orders WHERE no = $1";
const LINES: &str = "SELECT variant_no, ordered, received, cancelled, cost_minor FROM purchase_order_lines \
                     WHERE purchase_order_no = $1 ORDER BY line";

/// A purchase order by number.
pub fn get(tx: &mut Tx, no: i64) -> Result<PurchaseOrder, StockError> {
    let row = tx.first(HEAD, &[no.into()])?;
    let row = row.ok_or_else(|| StockError::Unknown { what: "purchase order", id: no.to_string() })?;
    let state = PurchaseState::parse(row.text(3)?);
    let line = |row: &Row| -> Result<PurchaseLine, DbError> {
        let quantity = |at: usize| row.int(at).map(Quantity::from_milli);
        Ok(PurchaseLine {
            variant_no: row.int(0)?,
            ordered: quantity(1)?,
            received: quantity(2)?,
            cancelled: quantity(3)?,
            cost_minor: row.int(4)?,
        })
    };
    let lines = tx.rows(LINES, &[no.into()])?;
    Ok(PurchaseOrder {
        no: row.int(0)?,
        supplier_no: row.int(1)?,
        location_no: row.int(2)?,
        state: state.ok_or_else(|| DbError::damaged("purchase_orders", "its state is unknown"))?,
        currency: row.text(4)?.into(),
        freight_minor: row.int(5)?,
        expected_at: Timestamp::from_micros(row.int(6)?),
        note: row.text(7)?.into(),
        version: row.int(8)?,
        created_by: row.text(9)?.into(),
        created_at: Timestamp::from_micros(row.int(10)?),
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
    })
}

fn store(tx: &mut Tx, mut order: PurchaseOrder) -> Result<PurchaseOrder, StockError> {
    order.version += 1;
    let now = tx.now().micros();
    let sql = "INSERT INTO purchase_orders (no, supplier_no, location_no, state, currency, freight_minor, expected_at, note, version, \
               created_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (no) DO UPDATE SET state = excluded.state, expected_at = excluded.expected_at, \
               version = excluded.version, updated_at = excluded.updated_at";
    tx.execute(
        sql,
        &[
            order.no.into(),
            order.supplier_no.into(),
            order.location_no.into(),
            order.state.as_str().into(),
            (&*order.currency).into(),
            order.freight_minor.into(),
            order.expected_at.micros().into(),
            (&*order.note).into(),
            order.version.into(),
            (&*order.created_by).into(),
            order.created_at.micros().into(),
            now.into(),
        ],
    )?;
    for (at, line) in order.lines.iter().enumerate() {
        let sql = "INSERT INTO purchase_order_lines (purchase_order_no, line, variant_no, ordered, received, cancelled, cost_minor) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (purchase_order_no, line) DO UPDATE SET \
                   received = excluded.received, cancelled = excluded.cancelled";
        tx.execute(
            sql,
            &[
                order.no.into(),
                (at as i64).into(),
                line.variant_no.into(),
                line.ordered.milli().into(),
                line.received.milli().into(),
                line.cancelled.milli().into(),
                line.cost_minor.into(),
            ],
        )?;
    }
    tx.notify(db::Notice::Changed { what: "purchase_orders" });
    Ok(order)
}
