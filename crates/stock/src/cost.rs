//! What goods cost: by moving average and by layers, with freight and customs, so that each sale knows its margin.
//!
//! What is kept is what came in cost ([`Input`]); everything else follows from the movements by [`replay`]. A count is a
//! movement too: what it found comes in at the average, what it missed goes out at it. Costs are of the whole shop: a movement
//! between two of its places changes none.
pub mod replay;

use crate::error::StockError;
use crate::purchasing::PurchaseOrder;
use base::{Quantity, Timestamp};
use catalog::variants;
use db::{DbError, Engine, Row, Tx};
use replay::{Cost, Event, Flow, Standing, share, spread};

/// What a movement in cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub move_no: i64,
    pub variant_no: i64,
    pub quantity: Quantity,
    pub currency: Box<str>,
    /// Of all of it, without freight and customs.
    pub goods_minor: i64,
    pub freight_minor: i64,
    pub customs_minor: i64,
}

impl Input {
    /// With freight and customs.
    pub fn landed_minor(&self) -> i64 {
        self.goods_minor + self.freight_minor + self.customs_minor
    }
}

/// How freight and customs are shared over the lines of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Value,
    Weight,
}

/// The bill of a receipt.
#[derive(Debug, Clone)]
pub struct Bill {
    pub currency: String,
    /// Movement and what all of it cost; those that are not named keep what was said of them.
    pub lines: Vec<(i64, i64)>,
    pub freight_minor: i64,
    pub customs_minor: i64,
    pub by: Share,
}

/// No line costs more: ten billion in major units of two decimals.
const COST_MAX: i64 = 1_000_000_000_000;

fn put(tx: &mut Tx, input: &Input, (document_no, purchase_order_no): (i64, i64)) -> Result<(), DbError> {
    let sql = "INSERT INTO cost_inputs (move_no, document_no, variant_no, purchase_order_no, currency, goods_minor, freight_minor, \
               customs_minor, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (move_no) DO UPDATE SET \
               currency = excluded.currency, goods_minor = excluded.goods_minor, freight_minor = excluded.freight_minor, \
               customs_minor = excluded.customs_minor, updated_at = excluded.updated_at";
    let now = tx.now().micros();
    tx.execute(
        sql,
        &[
            input.move_no.into(),
            document_no.into(),
            input.variant_no.into(),
            purchase_order_no.into(),
            (&*input.currency).into(),
            input.goods_minor.into(),
            input.freight_minor.into(),
            input.customs_minor.into(),
            now.into(),
        ],
    )?;
    Ok(())
}

/// Movements of a paper that brought goods into the shop, in its order.
const BROUGHT: &str = "SELECT m.no, m.variant_no, m.quantity, COALESCE(c.currency, ''), COALESCE(c.goods_minor, 0), \
     COALESCE(c.freight_minor, 0), COALESCE(c.customs_minor, 0), COALESCE(c.purchase_order_no, 0) FROM stock_moves m \
     LEFT JOIN cost_inputs c ON c.move_no = m.no \
     WHERE m.document_no = $1 AND m.from_no IN (-1, -2, -3) AND m.to_no NOT IN (-1, -2, -3) AND m.from_no <> -3 ORDER BY m.no";

fn input(row: &Row) -> Result<Input, DbError> {
    Ok(Input {
        move_no: row.int(0)?,
        variant_no: row.int(1)?,
        quantity: Quantity::from_milli(row.int(2)?),
        currency: row.text(3)?.into(),
        goods_minor: row.int(4)?,
        freight_minor: row.int(5)?,
        customs_minor: row.int(6)?,
    })
}

/// What a purchase order's receipt cost: its lines' prices, and their part of its freight by value. Parts of a line sum to the
/// line exactly, whatever the deliveries. `order` is as it is after the receipt, `received` what came with it.
pub(crate) fn received(
    tx: &mut Tx,
    order: &PurchaseOrder,
    received: &[(usize, Quantity)],
    document_no: Option<i64>,
) -> Result<(), DbError> {
    let value = |cost_minor: i64, of: Quantity| share(cost_minor, of, Quantity::ONE);
    let values: Vec<i64> = order.lines.iter().map(|line| value(line.cost_minor, line.ordered)).collect();
    let freight = spread(order.freight_minor, &values);
    if let Some(document_no) = document_no {
        let rows = tx.rows(BROUGHT, &[document_no.into()])?;
        // A line may be named twice: its earlier parts count as received before.
        let mut before: Vec<Quantity> = order.lines.iter().map(|line| line.received).collect();
        for (line, quantity) in received {
            before[*line] -= *quantity;
        }
        let came = received.iter().filter(|(_, quantity)| quantity.is_positive());
        for (row, (line, quantity)) in rows.iter().zip(came) {
            let of = &order.lines[*line];
            let (from, to) = (before[*line], before[*line] + *quantity);
            before[*line] = to;
            let part = |amount: i64| share(amount, to, of.ordered) - share(amount, from, of.ordered);
            let made = Input {
                currency: order.currency.clone(),
                goods_minor: value(of.cost_minor, to) - value(of.cost_minor, from),
                freight_minor: part(freight[*line]),
                customs_minor: 0,
                ..input(row)?
            };
            put(tx, &made, (document_no, order.no))?;
        }
    }
    // Nothing more will come: what freight its goods would have borne is borne by those that came.
    let over = order.lines.iter().all(|line| line.awaited().is_zero());
    let borne: i64 = order.lines.iter().zip(&freight).map(|(l, f)| share(*f, l.received, l.ordered)).sum();
    let left = order.freight_minor - borne;
    if over && left != 0 {
        let sql = "SELECT move_no, goods_minor FROM cost_inputs WHERE purchase_order_no = $1 AND purchase_order_no > 0 ORDER BY move_no";
        let rows = tx.rows(sql, &[order.no.into()])?;
        let weights: Vec<i64> = rows.iter().map(|row| row.int(1)).collect::<Result<_, _>>()?;
        for (row, more) in rows.iter().zip(spread(left, &weights)) {
            let add = "UPDATE cost_inputs SET freight_minor = freight_minor + $2 WHERE move_no = $1";
            tx.execute(add, &[row.int(0)?.into(), more.into()])?;
        }
    }
    Ok(())
}

/// Says what a receipt cost, when its bill comes: all that follows is computed anew from its moment on. Gives its lines.
pub fn bill(tx: &mut Tx, document_no: i64, bill: &Bill) -> Result<Vec<Input>, StockError> {
    if bill.currency.len() != 3 || !bill.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(StockError::field("/currency", "name a currency by three capital letters"));
    }
    for (pointer, amount) in [("/freight_minor", bill.freight_minor), ("/customs_minor", bill.customs_minor)] {
        if !(0..=COST_MAX).contains(&amount) {
            return Err(StockError::field(pointer, "the amount is out of range"));
        }
    }
    let rows = tx.rows(BROUGHT, &[document_no.into()])?;
    if rows.is_empty() {
        let id = document_no.to_string();
        return Err(StockError::Unknown { what: "paper that brought goods", id });
    }
    let orders: Vec<i64> = rows.iter().map(|row| row.int(7)).collect::<Result<_, _>>()?;
    let mut inputs: Vec<Input> = rows.iter().map(input).collect::<Result<_, _>>()?;
    for (at, (move_no, goods_minor)) in bill.lines.iter().enumerate() {
        if !(0..=COST_MAX).contains(goods_minor) {
            return Err(StockError::field(format!("/lines/{at}/cost_minor"), "the amount is out of range"));
        }
        let found = inputs.iter_mut().find(|input| input.move_no == *move_no);
        let found = found.ok_or_else(|| {
            StockError::field(format!("/lines/{at}/movement_id"), "this movement did not come with that paper")
        })?;
        found.goods_minor = *goods_minor;
        found.currency = bill.currency.as_str().into();
    }
    if let Some(other) = inputs.iter().find(|i| &*i.currency != bill.currency.as_str()) {
        let detail = match &*other.currency {
            "" => format!("say what movement {} cost too: freight is shared over all lines", other.move_no),
            currency => format!("movement {} cost {currency}: a bill is in one currency", other.move_no),
        };
        return Err(StockError::field("/lines", detail));
    }
    let mut weights = Vec::with_capacity(inputs.len());
    for input in &inputs {
        weights.push(match bill.by {
            Share::Value => input.goods_minor,
            Share::Weight => {
                let grams = variants::get(tx, input.variant_no)?.map_or(0, |v| v.weight_g);
                if grams <= 0 {
                    let detail = format!("the weight of movement {} is not known: share by value", input.move_no);
                    return Err(StockError::field("/by", detail));
                }
                share(grams, input.quantity, Quantity::ONE)
            }
        });
    }
    let (freight, customs) = (spread(bill.freight_minor, &weights), spread(bill.customs_minor, &weights));
    for (at, input) in inputs.iter_mut().enumerate() {
        input.freight_minor = freight[at];
        input.customs_minor = customs[at];
        put(tx, input, (document_no, orders[at]))?;
    }
    tx.notify(db::Notice::Changed { what: "costs" });
    Ok(inputs)
}

const FLOWS: &str = "SELECT m.no, m.at, m.quantity, CASE WHEN m.from_no IN (-1, -2, -3) THEN 1 ELSE 0 END, \
     COALESCE(c.goods_minor + c.freight_minor + c.customs_minor, -1), COALESCE(c.currency, ''), m.document_no \
     FROM stock_moves m LEFT JOIN cost_inputs c ON c.move_no = m.no WHERE m.variant_no = $1 \
     AND ((m.from_no IN (-1, -2, -3) AND m.to_no NOT IN (-1, -2, -3)) OR (m.from_no NOT IN (-1, -2, -3) AND m.to_no IN (-1, -2, -3))) \
     ORDER BY m.at, m.no";

/// What a variant cost, movement by movement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    pub standing: Standing,
    /// In the order in which they happened, with their papers.
    pub costs: Vec<(i64, Cost)>,
    /// Movements in that cost another currency: they count as of unknown cost.
    pub foreign: usize,
}

/// The cost of a variant in the shop's currency, up to a moment. Costs a read of all of its movements.
pub fn book(db: &mut Engine, variant_no: i64, currency: &str, until: Option<Timestamp>) -> Result<Book, DbError> {
    let rows = db.rows(FLOWS, &[variant_no.into()])?;
    let mut events = Vec::with_capacity(rows.len());
    let mut documents = std::collections::HashMap::with_capacity(rows.len());
    let mut foreign = 0;
    for row in &rows {
        let at = Timestamp::from_micros(row.int(1)?);
        if until.is_some_and(|until| at > until) {
            break;
        }
        let (no, known) = (row.int(0)?, row.int(4)?);
        let own = row.text(5)? == currency;
        foreign += usize::from(known >= 0 && !own);
        let flow = if row.int(3)? == 1 { Flow::In(Some(known).filter(|k| *k >= 0 && own)) } else { Flow::Out };
        events.push(Event { no, at, quantity: Quantity::from_milli(row.int(2)?), flow });
        documents.insert(no, row.int(6)?);
    }
    let (standing, costs) = replay::replay(&events);
    let costs = costs.into_iter().map(|cost| (documents.get(&cost.no).copied().unwrap_or(0), cost)).collect();
    Ok(Book { standing, costs, foreign })
}

/// What the lines of a paper that left the shop cost, with their variants: the cost of a sale at its time.
pub fn of_document(db: &mut Engine, document_no: i64, currency: &str) -> Result<Vec<(i64, Cost)>, DbError> {
    let sql = "SELECT DISTINCT variant_no FROM stock_moves WHERE document_no = $1 ORDER BY variant_no";
    let mut out = Vec::new();
    for row in db.rows(sql, &[document_no.into()])? {
        let variant_no = row.int(0)?;
        let book = book(db, variant_no, currency, None)?;
        out.extend(book.costs.into_iter().filter(|(of, _)| *of == document_no).map(|(_, cost)| (variant_no, cost)));
    }
    out.sort_by_key(|(_, cost)| cost.no);
    Ok(out)
}

/// What a variant costs now by moving average: an amount for a quantity, and its currency, the one that its last receipt cost;
/// `None` where nobody ever said or nothing lies there.
pub(crate) fn unit(tx: &mut Tx, variant_no: i64) -> Result<Option<(i64, Quantity, String)>, DbError> {
    let sql = "SELECT currency FROM cost_inputs WHERE variant_no = $1 ORDER BY move_no DESC LIMIT 1";
    let Some(row) = tx.first(sql, &[variant_no.into()])? else { return Ok(None) };
    let currency = row.text(0)?.to_string();
    let standing = book(tx.engine(), variant_no, &currency, None)?.standing;
    Ok(standing.on_hand.is_positive().then_some((standing.average_minor, standing.on_hand, currency)))
}
