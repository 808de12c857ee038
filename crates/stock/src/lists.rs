//! Lists for people: what lies where, what moved, who claims what, work in progress. Read beside the writer.
use crate::counting::LineState;
use crate::model::{Condition, ReservationKind};
use base::{Quantity, Timestamp};
use db::{DbError, Engine, Row};

/// What lies of a variant at a place, for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lying {
    pub variant_no: i64,
    pub sku: String,
    pub name: String,
    pub location_no: i64,
    /// By [`Condition`].
    pub on_hand: [Quantity; 4],
    /// Claims that are alive.
    pub reserved: Quantity,
    pub safety: Quantity,
    pub counted_at: Timestamp,
}

const LYING: &str = "SELECT p.variant_no, v.sku, pr.name, p.location_no, p.sellable, p.display, p.damaged, p.quarantine, p.safety, \
     p.counted_at, CAST(COALESCE((SELECT SUM(r.quantity) FROM reservations r WHERE r.variant_no = p.variant_no AND r.ended_at = 0 \
     AND r.location_no = p.location_no AND r.expires_at > $1), 0) AS BIGINT) \
     FROM stock_positions p JOIN variants v ON v.no = p.variant_no JOIN products pr ON pr.no = v.product_no \
     WHERE p.location_no = $2 AND p.variant_no > $3 AND (p.sellable <> 0 OR p.display <> 0 OR p.damaged <> 0 OR p.quarantine <> 0) \
     ORDER BY p.variant_no LIMIT $4";

/// What lies at a place, by variant, after one.
pub fn lying(db: &mut Engine, location_no: i64, after: i64, limit: i64, now: Timestamp) -> Result<Vec<Lying>, DbError> {
    let read = |row: &Row| -> Result<Lying, DbError> {
        let quantity = |at: usize| row.int(at).map(Quantity::from_milli);
        Ok(Lying {
            variant_no: row.int(0)?,
            sku: row.text(1)?.into(),
            name: row.text(2)?.into(),
            location_no: row.int(3)?,
            on_hand: [quantity(4)?, quantity(5)?, quantity(6)?, quantity(7)?],
            safety: quantity(8)?,
            counted_at: Timestamp::from_micros(row.int(9)?),
            reserved: quantity(10)?,
        })
    };
    db.rows(LYING, &[now.micros().into(), location_no.into(), after.into(), limit.into()])?.iter().map(read).collect()
}

/// A movement with its paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub no: i64,
    pub sku: String,
    pub from_no: i64,
    pub from_condition: Condition,
    pub to_no: i64,
    pub to_condition: Condition,
    pub lot: String,
    pub quantity: Quantity,
    pub reason: String,
    pub at: Timestamp,
    pub document_no: i64,
    pub kind: String,
    pub source: String,
    pub external_id: String,
    pub reference: String,
    pub actor: String,
    pub recorded_at: Timestamp,
}

const MOVED: &str = "SELECT m.no, COALESCE(v.sku, ''), m.from_no, m.from_condition, m.to_no, m.to_condition, m.lot, m.quantity, \
     m.reason, m.at, d.no, d.kind, d.source, d.external_id, d.reference, d.actor, d.recorded_at FROM stock_moves m \
     JOIN stock_documents d ON d.no = m.document_no LEFT JOIN variants v ON v.no = m.variant_no";

fn moved(row: &Row) -> Result<Moved, DbError> {
    let condition = |at: usize| -> Result<Condition, DbError> {
        let code = row.int(at)?;
        Condition::from_code(code).ok_or_else(|| DbError::damaged("stock_moves", format!("condition {code}")))
    };
    let external_id = row.text(13)?;
    Ok(Moved {
        no: row.int(0)?,
        sku: row.text(1)?.into(),
        from_no: row.int(2)?,
        from_condition: condition(3)?,
        to_no: row.int(4)?,
        to_condition: condition(5)?,
        lot: row.text(6)?.into(),
        quantity: Quantity::from_milli(row.int(7)?),
        reason: row.text(8)?.into(),
        at: Timestamp::from_micros(row.int(9)?),
        document_no: row.int(10)?,
        kind: row.text(11)?.into(),
        source: row.text(12)?.into(),
        // Papers without an id of their own have one of ours that nobody knows.
        external_id: if external_id.starts_with('#') { String::new() } else { external_id.into() },
        reference: row.text(14)?.into(),
        actor: row.text(15)?.into(),
        recorded_at: Timestamp::from_micros(row.int(16)?),
    })
}

/// The newest movements before a number: of all, of a variant, of a paper.
pub fn movements(db: &mut Engine, of: Movements, before: i64, limit: i64) -> Result<Vec<Moved>, DbError> {
    let (clause, key) = match of {
        Movements::All => ("WHERE m.no < $1 AND CAST($2 AS BIGINT) = 0", 0),
        Movements::Variant(no) => ("WHERE m.no < $1 AND m.variant_no = $2", no),
        Movements::Document(no) => ("WHERE m.no < $1 AND m.document_no = $2", no),
    };
    let sql = format!("{MOVED} {clause} ORDER BY m.no DESC LIMIT $3");
    db.rows(&sql, &[before.into(), key.into(), limit.into()])?.iter().map(moved).collect()
}

/// Which movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movements {
    All,
    Variant(i64),
    Document(i64),
}

/// A line of a claim that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub no: i64,
    pub kind: ReservationKind,
    pub owner: String,
    pub location_no: i64,
    pub quantity: Quantity,
    pub created_at: Timestamp,
    /// `model::NEVER` for firm ones.
    pub expires_at: Timestamp,
}

const CLAIMS: &str = "SELECT no, kind, owner, location_no, quantity, created_at, expires_at FROM reservations \
     WHERE variant_no = $1 AND ended_at = 0 AND expires_at > $2 ORDER BY no, line LIMIT 200";

fn claimed(row: &Row) -> Result<Claimed, DbError> {
    let kind = ReservationKind::from_code(row.int(1)?);
    Ok(Claimed {
        no: row.int(0)?,
        kind: kind.ok_or_else(|| DbError::damaged("reservations", "its kind is unknown"))?,
        owner: row.text(2)?.into(),
        location_no: row.int(3)?,
        quantity: Quantity::from_milli(row.int(4)?),
        created_at: Timestamp::from_micros(row.int(5)?),
        expires_at: Timestamp::from_micros(row.int(6)?),
    })
}

/// Who has a claim on a variant.
pub fn claims(db: &mut Engine, variant_no: i64, now: Timestamp) -> Result<Vec<Claimed>, DbError> {
    db.rows(CLAIMS, &[variant_no.into(), now.micros().into()])?.iter().map(claimed).collect()
}

/// Claims that have been waiting for long, with their SKUs: somebody must look (LESSONS: stuck reservations).
pub fn stuck(db: &mut Engine, created_before: Timestamp, limit: i64) -> Result<Vec<(Claimed, String)>, DbError> {
    let sql = "SELECT r.no, r.kind, r.owner, r.location_no, r.quantity, r.created_at, r.expires_at, COALESCE(v.sku, '') \
               FROM reservations r LEFT JOIN variants v ON v.no = r.variant_no \
               WHERE r.ended_at = 0 AND r.expires_at = $1 AND r.created_at < $2 ORDER BY r.no, r.line LIMIT $3";
    let never = crate::model::NEVER.micros();
    let rows = db.rows(sql, &[never.into(), created_before.micros().into(), limit.into()])?;
    rows.iter().map(|row| Ok((claimed(row)?, row.text(7)?.into()))).collect()
}

/// A transfer in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    pub no: i64,
    pub from_no: i64,
    pub to_no: i64,
    pub state: String,
    pub reference: String,
    pub lines: i64,
    pub requested: Quantity,
    pub expected_at: Timestamp,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The newest transfers before a number; `open` leaves those out that are over.
pub fn transfers(db: &mut Engine, open: bool, before: i64, limit: i64) -> Result<Vec<TransferRow>, DbError> {
    let sql = "SELECT t.no, t.from_no, t.to_no, t.state, t.reference, t.expected_at, t.created_by, t.created_at, t.updated_at, \
               CAST((SELECT COUNT(*) FROM transfer_lines l WHERE l.transfer_no = t.no) AS BIGINT), \
               CAST(COALESCE((SELECT SUM(l.requested) FROM transfer_lines l WHERE l.transfer_no = t.no), 0) AS BIGINT) \
               FROM transfers t WHERE t.no < $1 AND ($2 = 0 OR t.state IN ('requested', 'in_transit', 'partly_received')) \
               ORDER BY t.no DESC LIMIT $3";
    let read = |row: &Row| -> Result<TransferRow, DbError> {
        let moment = |at: usize| row.int(at).map(Timestamp::from_micros);
        Ok(TransferRow {
            no: row.int(0)?,
            from_no: row.int(1)?,
            to_no: row.int(2)?,
            state: row.text(3)?.into(),
            reference: row.text(4)?.into(),
            expected_at: moment(5)?,
            created_by: row.text(6)?.into(),
            created_at: moment(7)?,
            updated_at: moment(8)?,
            lines: row.int(9)?,
            requested: Quantity::from_milli(row.int(10)?),
        })
    };
    db.rows(sql, &[before.into(), i64::from(open).into(), limit.into()])?.iter().map(read).collect()
}

/// A count in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    pub no: i64,
    pub location_no: i64,
    pub closed: bool,
    pub note: String,
    pub lines: i64,
    pub settled: i64,
    pub variances: i64,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// The newest counts before a number.
pub fn counts(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<CountRow>, DbError> {
    let sql = "SELECT c.no, c.location_no, c.state, c.note, c.created_by, c.created_at, \
               CAST((SELECT COUNT(*) FROM stock_count_lines l WHERE l.count_no = c.no) AS BIGINT), \
               CAST((SELECT COUNT(*) FROM stock_count_lines l WHERE l.count_no = c.no AND l.state = $2) AS BIGINT), \
               CAST((SELECT COUNT(*) FROM stock_count_lines l WHERE l.count_no = c.no AND l.state = $3) AS BIGINT) \
               FROM stock_counts c WHERE c.no < $1 ORDER BY c.no DESC LIMIT $4";
    let read = |row: &Row| -> Result<CountRow, DbError> {
        Ok(CountRow {
            no: row.int(0)?,
            location_no: row.int(1)?,
            closed: row.text(2)? == "closed",
            note: row.text(3)?.into(),
            created_by: row.text(4)?.into(),
            created_at: Timestamp::from_micros(row.int(5)?),
            lines: row.int(6)?,
            settled: row.int(7)?,
            variances: row.int(8)?,
        })
    };
    let (settled, variance) = (LineState::Settled.as_str(), LineState::Variance.as_str());
    db.rows(sql, &[before.into(), settled.into(), variance.into(), limit.into()])?.iter().map(read).collect()
}

/// A purchase order in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseRow {
    pub no: i64,
    pub supplier: String,
    pub location_no: i64,
    pub state: String,
    pub currency: String,
    pub total_minor: i64,
    pub expected_at: Timestamp,
    pub lines: i64,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// The newest purchase orders before a number.
pub fn purchases(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<PurchaseRow>, DbError> {
    let sql = "SELECT o.no, s.name, o.location_no, o.state, o.currency, o.freight_minor, o.expected_at, o.created_by, o.created_at, \
               CAST((SELECT COUNT(*) FROM purchase_order_lines l WHERE l.purchase_order_no = o.no) AS BIGINT), \
               CAST(COALESCE((SELECT SUM(l.ordered / 1000 * l.cost_minor + l.ordered % 1000 * l.cost_minor / 1000) \
               FROM purchase_order_lines l WHERE l.purchase_order_no = o.no), 0) AS BIGINT) \
               FROM purchase_orders o JOIN suppliers s ON s.no = o.supplier_no WHERE o.no < $1 ORDER BY o.no DESC LIMIT $2";
    let read = |row: &Row| -> Result<PurchaseRow, DbError> {
        Ok(PurchaseRow {
            no: row.int(0)?,
            supplier: row.text(1)?.into(),
            location_no: row.int(2)?,
            state: row.text(3)?.into(),
            currency: row.text(4)?.into(),
            expected_at: Timestamp::from_micros(row.int(6)?),
            created_by: row.text(7)?.into(),
            created_at: Timestamp::from_micros(row.int(8)?),
            lines: row.int(9)?,
            total_minor: row.int(5)? + row.int(10)?,
        })
    };
    db.rows(sql, &[before.into(), limit.into()])?.iter().map(read).collect()
}
