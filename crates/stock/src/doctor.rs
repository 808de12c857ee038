//! Checks of the books of stock on real data.
use crate::model::LocationKind;
use crate::places::Places;
use base::{Quantity, Timestamp};
use db::{DbError, Engine};

/// Something that must never be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name of the check.
    pub check: &'static str,
    pub subject: String,
    pub detail: String,
}

/// Rows of each check that are told.
const TOLD: i64 = 100;

/// What lies at a place by its movements, beside what the books say; `counted` are the places where anything is counted.
const BALANCE: &str = "SELECT variant_no, location_no, condition, CAST(SUM(quantity) AS BIGINT) FROM (\
     SELECT variant_no, to_no AS location_no, to_condition AS condition, quantity FROM stock_moves WHERE to_no NOT IN (-1, -2, -3) \
     UNION ALL \
     SELECT variant_no, from_no, from_condition, -quantity FROM stock_moves WHERE from_no NOT IN (-1, -2, -3) \
     UNION ALL SELECT variant_no, location_no, 0, -sellable FROM stock_positions \
     UNION ALL SELECT variant_no, location_no, 1, -display FROM stock_positions \
     UNION ALL SELECT variant_no, location_no, 2, -damaged FROM stock_positions \
     UNION ALL SELECT variant_no, location_no, 3, -quarantine FROM stock_positions) AS sides \
     GROUP BY variant_no, location_no, condition HAVING SUM(quantity) <> 0 ORDER BY variant_no, location_no, condition LIMIT $1";

const NEGATIVE: &str = "SELECT variant_no, location_no FROM stock_positions \
     WHERE sellable < 0 OR display < 0 OR damaged < 0 OR quarantine < 0 ORDER BY variant_no, location_no LIMIT $1";

const OVERSOLD: &str = "SELECT r.variant_no, r.location_no, CAST(SUM(r.quantity) AS BIGINT), \
     COALESCE(MAX(p.sellable), 0), COALESCE(MAX(p.safety), 0) FROM reservations r \
     LEFT JOIN stock_positions p ON p.variant_no = r.variant_no AND p.location_no = r.location_no \
     WHERE r.ended_at = 0 AND r.expires_at > $1 GROUP BY r.variant_no, r.location_no \
     HAVING SUM(r.quantity) > COALESCE(MAX(p.sellable), 0) + CASE WHEN COALESCE(MAX(p.safety), 0) < 0 THEN -MAX(p.safety) ELSE 0 END \
     ORDER BY r.variant_no, r.location_no LIMIT $2";

const ORPHANS: &str = "SELECT m.no FROM stock_moves m LEFT JOIN stock_documents d ON d.no = m.document_no \
     WHERE d.no IS NULL ORDER BY m.no LIMIT $1";

/// What lies of a lot by its movements, beside what its books say.
const LOTS: &str = "SELECT variant_no, lot, location_no, CAST(SUM(quantity) AS BIGINT) FROM (\
     SELECT variant_no, lot, to_no AS location_no, to_condition AS condition, quantity FROM stock_moves \
     WHERE lot <> '' AND to_no NOT IN (-1, -2, -3) \
     UNION ALL \
     SELECT variant_no, lot, from_no, from_condition, -quantity FROM stock_moves WHERE lot <> '' AND from_no NOT IN (-1, -2, -3) \
     UNION ALL SELECT variant_no, lot, location_no, condition, -quantity FROM stock_lot_positions) AS sides \
     GROUP BY variant_no, lot, location_no, condition HAVING SUM(quantity) <> 0 ORDER BY variant_no, lot, location_no LIMIT $1";

/// Lots of which less than nothing lies somewhere, or more than there is.
const LOTS_WRONG: &str = "SELECT l.variant_no, l.location_no FROM stock_lot_positions l \
     LEFT JOIN stock_positions p ON p.variant_no = l.variant_no AND p.location_no = l.location_no \
     GROUP BY l.variant_no, l.location_no, l.condition \
     HAVING MIN(l.quantity) < 0 OR SUM(l.quantity) > MAX(CASE l.condition WHEN 0 THEN COALESCE(p.sellable, 0) \
     WHEN 1 THEN COALESCE(p.display, 0) WHEN 2 THEN COALESCE(p.damaged, 0) ELSE COALESCE(p.quarantine, 0) END) \
     ORDER BY l.variant_no, l.location_no LIMIT $1";

/// People who were told, and for whom nothing is kept.
const TOLD_IN_VAIN: &str = "SELECT w.no FROM waiting w WHERE w.state = 'told' AND w.until_at > $1 AND NOT EXISTS (\
     SELECT 1 FROM reservations r WHERE r.no = w.reservation_no) ORDER BY w.no LIMIT $2";

/// Lines of purchase orders of which more is claimed than is awaited.
const OVERPROMISED: &str = "SELECT c.purchase_order_no, c.purchase_line, CAST(SUM(c.quantity) AS BIGINT), \
     CAST(COALESCE(MAX(CASE WHEN o.state IN ('ordered', 'partly_received') THEN l.ordered - l.received - l.cancelled ELSE 0 END), 0) \
     AS BIGINT) FROM incoming_claims c LEFT JOIN purchase_orders o ON o.no = c.purchase_order_no \
     LEFT JOIN purchase_order_lines l ON l.purchase_order_no = c.purchase_order_no AND l.line = c.purchase_line \
     AND l.variant_no = c.variant_no WHERE c.state = 'open' GROUP BY c.purchase_order_no, c.purchase_line \
     HAVING SUM(c.quantity) > COALESCE(MAX(CASE WHEN o.state IN ('ordered', 'partly_received') \
     THEN l.ordered - l.received - l.cancelled ELSE 0 END), 0) ORDER BY c.purchase_order_no, c.purchase_line LIMIT $1";

/// Costs of movements that are not there, or that brought nothing into the shop.
const COSTS: &str = "SELECT c.move_no FROM cost_inputs c LEFT JOIN stock_moves m ON m.no = c.move_no \
     AND m.variant_no = c.variant_no AND m.document_no = c.document_no AND m.from_no IN (-1, -2, -3) \
     AND m.to_no NOT IN (-1, -2, -3) WHERE m.no IS NULL ORDER BY c.move_no LIMIT $1";

/// Papers between entities that one side has and the other has not, or has otherwise.
const ONE_SIDED: &str = "SELECT a.no FROM entity_documents a LEFT JOIN entity_documents b ON b.document_no = a.document_no \
     AND b.entity_no = a.other_no AND b.other_no = a.entity_no AND b.side <> a.side AND b.quantity = a.quantity \
     AND b.net_minor = a.net_minor WHERE b.no IS NULL ORDER BY a.no LIMIT $1";

/// Places that belong to two entities at once.
const TWO_OWNERS: &str = "SELECT DISTINCT a.location_no FROM location_entities a JOIN location_entities b \
     ON b.location_no = a.location_no AND b.since_at > a.since_at AND b.since_at < a.until_at ORDER BY a.location_no LIMIT $1";

/// Runs every check; reads only. Costs a scan of the movements.
pub fn check(db: &mut Engine, now: Timestamp) -> Result<Vec<Finding>, DbError> {
    let places = Places::read(db)?;
    let name = |no: i64| places.get(no).map_or_else(|| no.to_string(), |location| location.id.to_string());
    let mut out = Vec::new();
    for row in db.rows(BALANCE, &[TOLD.into()])? {
        let (location_no, off) = (row.int(1)?, Quantity::from_milli(row.int(3)?));
        out.push(Finding {
            check: "stock_balance",
            subject: format!("variant {} at {}", row.int(0)?, name(location_no)),
            detail: format!("the movements give {off} more than the books, condition {}", row.int(2)?),
        });
    }
    for row in db.rows(NEGATIVE, &[TOLD.into()])? {
        out.push(Finding {
            check: "stock_negative",
            subject: format!("variant {} at {}", row.int(0)?, name(row.int(1)?)),
            detail: "less than nothing lies there".into(),
        });
    }
    for row in db.rows(OVERSOLD, &[now.micros().into(), TOLD.into()])? {
        let (claimed, sellable) = (Quantity::from_milli(row.int(2)?), Quantity::from_milli(row.int(3)?));
        out.push(Finding {
            check: "stock_oversold",
            subject: format!("variant {} at {}", row.int(0)?, name(row.int(1)?)),
            detail: format!("{claimed} are claimed, {sellable} are there"),
        });
    }
    for row in db.rows(ORPHANS, &[TOLD.into()])? {
        let subject = format!("movement {}", row.int(0)?);
        out.push(Finding { check: "stock_paper", subject, detail: "its paper is missing".into() });
    }
    for row in db.rows(LOTS, &[TOLD.into()])? {
        let off = Quantity::from_milli(row.int(3)?);
        out.push(Finding {
            check: "stock_lots",
            subject: format!("lot {} of variant {} at {}", row.text(1)?, row.int(0)?, name(row.int(2)?)),
            detail: format!("the movements give {off} more than the books"),
        });
    }
    for row in db.rows(LOTS_WRONG, &[TOLD.into()])? {
        out.push(Finding {
            check: "stock_lots",
            subject: format!("variant {} at {}", row.int(0)?, name(row.int(1)?)),
            detail: "less than nothing lies of a lot, or lots are more than what lies there".into(),
        });
    }
    for row in db.rows(TOLD_IN_VAIN, &[now.micros().into(), TOLD.into()])? {
        let subject = format!("place {} in a line", row.int(0)?);
        out.push(Finding { check: "stock_waiting", subject, detail: "they were told, and nothing is kept".into() });
    }
    for row in db.rows(OVERPROMISED, &[TOLD.into()])? {
        let (claimed, awaited) = (Quantity::from_milli(row.int(2)?), Quantity::from_milli(row.int(3)?));
        out.push(Finding {
            check: "stock_incoming",
            subject: format!("line {} of purchase order {}", row.int(1)?, row.int(0)?),
            detail: format!("{claimed} are promised, {awaited} are awaited"),
        });
    }
    for row in db.rows(COSTS, &[TOLD.into()])? {
        let subject = format!("movement {}", row.int(0)?);
        out.push(Finding { check: "stock_cost", subject, detail: "it has a cost and brought nothing".into() });
    }
    for row in db.rows(ONE_SIDED, &[TOLD.into()])? {
        let subject = format!("paper {} between entities", row.int(0)?);
        out.push(Finding { check: "stock_entities", subject, detail: "the other side has not the same".into() });
    }
    for row in db.rows(TWO_OWNERS, &[TOLD.into()])? {
        let subject = name(row.int(0)?);
        out.push(Finding { check: "stock_entities", subject, detail: "it belongs to two entities at once".into() });
    }
    for location in places.all().iter().filter(|location| location.kind == LocationKind::Transit && location.no > 0) {
        let detail = "only one place is on the way".into();
        out.push(Finding { check: "stock_places", subject: location.id.to_string(), detail });
    }
    Ok(out)
}
