//! What happened here, for the other side: papers of stock, orders and their payments, changes of prices, one after another by
//! number. What the other side told itself is left out.
use super::connections::Connection;
use super::source;
use base::{Quantity, Timestamp};
use db::{DbError, Engine, Tx};
use serde_json::{Value as Json, json};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// Its place: events come in the order of these.
    pub no: i64,
    /// `stock.receipt`, `stock.sale`, …, `order.…`, `price.changed`.
    pub kind: String,
    pub at: Timestamp,
    pub data: Json,
}

/// Lines of one paper that an event shows.
const LINES_MAX: i64 = 5_000;

const PAPERS: &str = "SELECT no, kind, source, external_id, reference, at, recorded_at FROM stock_documents WHERE no > $1 \
                      AND source <> $2 ORDER BY no LIMIT $3";
const LINES: &str = "SELECT m.document_no, COALESCE(v.sku, ''), COALESCE(i.external_id, ''), COALESCE(f.id, ''), COALESCE(t.id, ''), \
                     m.from_condition, m.to_condition, m.quantity, m.reason FROM stock_moves m \
                     LEFT JOIN variants v ON v.no = m.variant_no \
                     LEFT JOIN erp_ids i ON i.connection_id = $1 AND i.variant_no = m.variant_no AND i.state <> 'moved' \
                     LEFT JOIN locations f ON f.no = m.from_no LEFT JOIN locations t ON t.no = m.to_no \
                     WHERE m.document_no >= $2 AND m.document_no <= $3 ORDER BY m.no LIMIT $4";
const ORDERS: &str = "SELECT h.no, h.at, h.what, o.no, o.number, o.status, o.currency, o.total_minor, o.version \
                      FROM order_history h JOIN orders o ON o.no = h.order_no WHERE h.no > $1 AND h.actor <> $2 ORDER BY h.no LIMIT $3";
const PRICES: &str =
    "SELECT id, list_id, at, accepted FROM price_changes WHERE id > $1 AND actor <> $2 ORDER BY id LIMIT $3";

/// Events after a number, at most `limit`.
pub fn after(db: &mut Engine, connection: &Connection, after: i64, limit: i64) -> Result<Vec<Happened>, DbError> {
    let own = source(connection);
    let ask = [after.into(), (&own).into(), limit.into()];
    let mut out: Vec<Happened> = Vec::new();
    for row in db.rows(ORDERS, &ask)? {
        let data = json!({"order_no": row.int(3)?.to_string(), "number": row.text(4)?, "status": row.text(5)?,
            "total": {"minor": row.int(7)?, "currency": row.text(6)?}, "version": row.int(8)?});
        let (no, kind, at) = (row.int(0)?, format!("order.{}", row.text(2)?), Timestamp::from_micros(row.int(1)?));
        out.push(Happened { no, kind, at, data });
    }
    for row in db.rows(PRICES, &ask)? {
        let list = row.int(1)?;
        let list = if list == 0 { "base".to_string() } else { list.to_string() };
        let data = json!({"change_id": row.int(0)?.to_string(), "price_list": list, "prices": row.int(3)?});
        let at = Timestamp::from_micros(row.int(2)?);
        out.push(Happened { no: row.int(0)?, kind: "price.changed".into(), at, data });
    }
    let mut papers: Vec<Happened> = Vec::new();
    for row in db.rows(PAPERS, &ask)? {
        let recorded = Timestamp::from_micros(row.int(6)?);
        let data = json!({"source": row.text(2)?, "external_id": row.text(3)?, "reference": row.text(4)?,
            "recorded_at": recorded.to_string(), "lines": []});
        let at = Timestamp::from_micros(row.int(5)?);
        papers.push(Happened { no: row.int(0)?, kind: format!("stock.{}", row.text(1)?), at, data });
    }
    out.extend(papers);
    out.sort_by_key(|h| h.no);
    out.truncate(usize::try_from(limit).unwrap_or(0));
    with_lines(db, connection, &mut out)?;
    Ok(out)
}

fn with_lines(db: &mut Engine, connection: &Connection, out: &mut [Happened]) -> Result<(), DbError> {
    let papers: Vec<i64> = out.iter().filter(|h| h.kind.starts_with("stock.")).map(|h| h.no).collect();
    let (Some(first), Some(last)) = (papers.first(), papers.last()) else { return Ok(()) };
    let ask = [connection.id.into(), (*first).into(), (*last).into(), (LINES_MAX * papers.len() as i64).into()];
    let conditions = stock::model::Condition::ALL;
    for row in db.rows(LINES, &ask)? {
        let no = row.int(0)?;
        let Ok(at) = out.binary_search_by_key(&no, |h| h.no) else { continue };
        let condition =
            |code: i64| usize::try_from(code).ok().and_then(|c| conditions.get(c)).map_or("", |(_, name)| *name);
        let line = json!({"sku": row.text(1)?, "external_id": row.text(2)?, "from": row.text(3)?, "to": row.text(4)?,
            "from_condition": condition(row.int(5)?), "to_condition": condition(row.int(6)?),
            "quantity": Quantity::from_milli(row.int(7)?).to_string(), "reason": row.text(8)?});
        if let Some(lines) = out[at].data["lines"].as_array_mut() {
            lines.push(line);
        }
    }
    Ok(())
}

const UNHEARD: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN m.to_no = $2 AND m.to_condition = 0 THEN m.quantity ELSE 0 END), 0) \
                       - COALESCE(SUM(CASE WHEN m.from_no = $2 AND m.from_condition = 0 THEN m.quantity ELSE 0 END), 0) AS BIGINT) \
                       FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no WHERE m.variant_no = $1 AND m.at <= $3 \
                       AND d.no > $4 AND d.source <> $5";

/// What moved here until a moment (in less out) that the other side has not acknowledged. Nothing for who does not follow our events.
pub fn unheard(
    tx: &mut Tx,
    connection: &Connection,
    variant: i64,
    location: i64,
    at: Timestamp,
) -> Result<Quantity, DbError> {
    if connection.acked == 0 {
        return Ok(Quantity::ZERO);
    }
    let own = source(connection);
    let ask = [variant.into(), location.into(), at.micros().into(), connection.acked.into(), (&own).into()];
    let row = tx.first(UNHEARD, &ask)?;
    Ok(Quantity::from_milli(row.map(|r| r.int(0)).transpose()?.unwrap_or(0)))
}

/// Notes up to where the other side has our events; never goes back. Gives where it stands.
pub fn acknowledge(tx: &mut Tx, connection: i64, upto: i64) -> Result<i64, DbError> {
    let sql = "UPDATE erp_connections SET acked = $2, updated_at = $3 WHERE id = $1 AND acked < $2";
    tx.execute(sql, &[connection.into(), upto.into(), tx.now().micros().into()])?;
    let row = tx.first("SELECT acked FROM erp_connections WHERE id = $1", &[connection.into()])?;
    row.map_or(Ok(0), |r| r.int(0))
}
