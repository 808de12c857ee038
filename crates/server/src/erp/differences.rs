//! The other side's stock held against our books: each difference with its cause, who is right, and what to do. Changes nothing.
use super::connections::Connection;
use super::feed::unheard;
use super::ids::{self, IdKind, IdState};
use super::maps::{self, MapKind};
use super::settle::Held;
use base::{Quantity, Timestamp};
use db::{Bulk, DbError, Engine, Row, Tx};
use std::collections::{HashMap, HashSet};
use stock::StockTable;

/// Runs that are kept.
const RUNS: i64 = 30;
/// Quantities of one request.
pub const ITEMS_MAX: usize = 5_000;

/// Why two numbers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErpCause)]
pub enum Cause {
    /// Nobody knows these goods here.
    UnknownGoods,
    /// Nobody said which location the warehouse is.
    UnmappedWarehouse,
    /// The other side has not acknowledged what happened here.
    NotAcknowledged,
    /// A paper of before the list came here after it.
    LateDocument,
    /// Goods were counted here since.
    CountedSince,
    /// Less than nothing there.
    Negative,
    /// Goods lie here that the list does not have.
    MissingThere,
    /// No paper explains it.
    Lost,
}

/// Who is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErpWho)]
pub enum Who {
    /// Our books: each movement has its paper.
    Here,
    /// Nobody can say before somebody looks.
    Unknown,
}

const CAUSES: [(Cause, &str, Who, &str); 8] = [
    (Cause::UnknownGoods, "unknown_goods", Who::Unknown, "tell its goods, or give its SKU here the same id"),
    (Cause::UnmappedWarehouse, "unmapped_warehouse", Who::Unknown, "say which location the warehouse is"),
    (Cause::NotAcknowledged, "not_acknowledged", Who::Here, "the other side takes our events and acknowledges them"),
    (
        Cause::LateDocument,
        "late_document",
        Who::Here,
        "nothing: the paper is in our books by now, the next list will agree",
    ),
    (Cause::CountedSince, "counted_since", Who::Here, "the other side takes the count over"),
    (Cause::Negative, "negative", Who::Here, "the other side books the receipt or the return that it lacks"),
    (Cause::MissingThere, "missing_there", Who::Here, "the other side takes the goods and their receipts over"),
    (Cause::Lost, "lost", Who::Unknown, "count the shelf: what is counted is right, and both sides take it over"),
];

impl Cause {
    fn entry(self) -> (Cause, &'static str, Who, &'static str) {
        CAUSES.into_iter().find(|(c, ..)| *c == self).unwrap_or(CAUSES[7])
    }
}

/// What is known of a place when two numbers are held against each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub theirs: Quantity,
    /// Our books as of the moment of the list.
    pub ours: Quantity,
    /// What moved here and was not acknowledged there.
    pub unheard: Quantity,
    /// What moved before the list by papers that came after it.
    pub late: Quantity,
    pub counted_since: bool,
}

/// Why they differ; `None` where they agree. Pure.
pub fn judge(s: &Standing) -> Option<Cause> {
    let difference = s.ours - s.theirs;
    if difference.is_zero() {
        None
    } else if s.theirs.is_negative() {
        Some(Cause::Negative)
    } else if !s.unheard.is_zero() && difference == s.unheard {
        Some(Cause::NotAcknowledged)
    } else if !s.late.is_zero() && difference == s.late {
        Some(Cause::LateDocument)
    } else if s.counted_since {
        Some(Cause::CountedSince)
    } else {
        Some(Cause::Lost)
    }
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub id: i64,
    pub run: i64,
    pub at: Timestamp,
    pub external_id: String,
    pub sku: String,
    pub warehouse: String,
    pub location_no: i64,
    pub theirs: Quantity,
    pub ours: Quantity,
    pub cause: Cause,
    pub who: Who,
    pub advice: String,
}

static ROWS: Bulk = Bulk {
    table: "erp_differences",
    columns: &[
        ("id", 'i'),
        ("connection_id", 'i'),
        ("run", 'i'),
        ("at", 'i'),
        ("subject", 't'),
        ("sku", 't'),
        ("warehouse", 't'),
        ("location_no", 'i'),
        ("theirs", 'i'),
        ("ours", 'i'),
        ("cause", 't'),
        ("who", 't'),
        ("advice", 't'),
    ],
    key: 1,
    insert_only: true,
};

/// A list of the other side's stock.
pub struct List<'a> {
    pub at: Timestamp,
    pub items: &'a [Held],
    /// It has everything: what it lacks and lies here is a difference too.
    pub whole: bool,
    /// A run that it goes on with; 0 begins one.
    pub run: i64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    pub run: i64,
    pub items: u64,
    pub differences: u64,
}

/// Holds a list against our books and keeps the differences.
pub fn compare(tx: &mut Tx, connection: &Connection, list: &List<'_>) -> Result<Compared, DbError> {
    let run = if list.run > 0 { list.run } else { tx.next_id() };
    if list.run == 0 {
        forget(tx, connection.id)?;
    }
    let at = list.at.min(tx.now());
    let mapped = maps::all(tx.engine(), connection.id)?;
    let targets: HashMap<&str, &str> = mapped
        .iter()
        .filter(|m| m.kind == MapKind::Warehouse && !m.target.is_empty())
        .map(|m| (m.external_id.as_str(), m.target.as_str()))
        .collect();
    let places = stock::commands::places(tx)?;
    let asked: Vec<(IdKind, &str)> = list.items.iter().map(|h| (IdKind::Variant, h.external_id.as_str())).collect();
    let known = ids::find(tx, connection.id, &asked)?;
    let texts: Vec<String> = list.items.iter().map(|h| h.external_id.clone()).collect();
    let by_sku = catalog::variants::find_many(tx, &texts)?;
    let mut found = 0u64;
    let mut seen: HashSet<(i64, i64)> = HashSet::new();
    for (h, by_sku) in list.items.iter().zip(by_sku) {
        let own = known.get(&(IdKind::Variant, h.external_id.clone())).filter(|k| k.state != IdState::Moved);
        let variant = own.map(|k| k.variant_no).or(by_sku);
        let location =
            targets.get(h.warehouse.as_str()).copied().or(Some(h.warehouse.as_str()).filter(|w| !w.is_empty()));
        let location = location.and_then(|id| places.find(id)).map(|l| l.no);
        let cause = match (variant, location) {
            (None, _) => Some((Cause::UnknownGoods, Quantity::ZERO)),
            (_, None) => Some((Cause::UnmappedWarehouse, Quantity::ZERO)),
            (Some(variant), Some(location)) => {
                seen.insert((variant, location));
                let standing = standing(tx, connection, (variant, location), h.quantity, at)?;
                judge(&standing).map(|cause| (cause, standing.ours))
            }
        };
        if let Some((cause, ours)) = cause {
            let place = (variant.unwrap_or(0), location.unwrap_or(0));
            keep(tx, connection, (run, at), h, place, (cause, ours))?;
            found += 1;
        }
    }
    if list.whole {
        found += missing(tx, connection, (run, at), &targets, &seen)?;
    }
    tx.notify(db::Notice::Changed { what: "erp" });
    Ok(Compared { run, items: list.items.len() as u64, differences: found })
}

const LATE: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN m.to_no = $2 AND m.to_condition = 0 THEN m.quantity ELSE 0 END), 0) \
                    - COALESCE(SUM(CASE WHEN m.from_no = $2 AND m.from_condition = 0 THEN m.quantity ELSE 0 END), 0) AS BIGINT) \
                    FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no WHERE m.variant_no = $1 AND m.at <= $3 \
                    AND d.recorded_at > $3";

fn standing(
    tx: &mut Tx,
    connection: &Connection,
    (variant, location): (i64, i64),
    theirs: Quantity,
    at: Timestamp,
) -> Result<Standing, DbError> {
    let ours = stock::commands::book_at(tx, location, variant, at)?;
    if ours == theirs {
        return Ok(Standing { theirs, ours, ..Standing::default() });
    }
    let late = tx.first(LATE, &[variant.into(), location.into(), at.micros().into()])?;
    let late = Quantity::from_milli(late.map(|r| r.int(0)).transpose()?.unwrap_or(0));
    let position = tx.get::<StockTable>(variant)?.and_then(|stock| stock.at(location));
    let counted_since = position.is_some_and(|p| p.counted_at > at);
    Ok(Standing { theirs, ours, unheard: unheard(tx, connection, variant, location, at)?, late, counted_since })
}

fn keep(
    tx: &mut Tx,
    connection: &Connection,
    (run, at): (i64, Timestamp),
    held: &Held,
    (variant, location): (i64, i64),
    (cause, ours): (Cause, Quantity),
) -> Result<(), DbError> {
    let sku = catalog::variants::get(tx, variant)?.map_or_else(String::new, |v| v.sku.to_string());
    let (_, name, who, advice) = cause.entry();
    let id = tx.next_id();
    let who = if who == Who::Here { "here" } else { "unknown" };
    tx.append(
        &ROWS,
        vec![
            id.into(),
            connection.id.into(),
            run.into(),
            at.micros().into(),
            held.external_id.as_str().into(),
            sku.into(),
            held.warehouse.as_str().into(),
            location.into(),
            held.quantity.milli().into(),
            ours.milli().into(),
            name.into(),
            who.into(),
            advice.into(),
        ],
    );
    Ok(())
}

/// What lies in mapped places and was not listed.
fn missing(
    tx: &mut Tx,
    connection: &Connection,
    (run, at): (i64, Timestamp),
    targets: &HashMap<&str, &str>,
    seen: &HashSet<(i64, i64)>,
) -> Result<u64, DbError> {
    let places = stock::commands::places(tx)?;
    tx.flush_table::<StockTable>()?;
    let mut found = 0;
    for (warehouse, target) in targets {
        let Some(location) = places.find(target).map(|l| l.no) else { continue };
        let sql = "SELECT variant_no FROM stock_positions WHERE location_no = $1 ORDER BY variant_no LIMIT 1000000";
        for row in tx.rows(sql, &[location.into()])? {
            let variant = row.int(0)?;
            if seen.contains(&(variant, location)) {
                continue;
            }
            let ours = stock::commands::book_at(tx, location, variant, at)?;
            if ours.is_zero() {
                continue;
            }
            let id = ids::of_variants(tx, connection.id, &[variant])?.remove(&variant).unwrap_or_default();
            let held = Held { external_id: id, warehouse: (*warehouse).into(), quantity: Quantity::ZERO };
            keep(tx, connection, (run, at), &held, (variant, location), (Cause::MissingThere, ours))?;
            found += 1;
        }
    }
    Ok(found)
}

/// Takes the oldest runs away.
fn forget(tx: &mut Tx, connection: i64) -> Result<(), DbError> {
    let sql = "SELECT DISTINCT run FROM erp_differences WHERE connection_id = $1 ORDER BY run DESC LIMIT 1 OFFSET $2";
    if let Some(row) = tx.first(sql, &[connection.into(), (RUNS - 1).into()])? {
        let sql = "DELETE FROM erp_differences WHERE connection_id = $1 AND run <= $2";
        tx.execute(sql, &[connection.into(), row.int(0)?.into()])?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<Difference, DbError> {
    let name = row.text(9)?;
    let (cause, ..) = CAUSES.into_iter().find(|(_, n, ..)| *n == name).unwrap_or(CAUSES[7]);
    Ok(Difference {
        id: row.int(0)?,
        run: row.int(1)?,
        at: Timestamp::from_micros(row.int(2)?),
        external_id: row.text(3)?.into(),
        sku: row.text(4)?.into(),
        warehouse: row.text(5)?.into(),
        location_no: row.int(6)?,
        theirs: Quantity::from_milli(row.int(7)?),
        ours: Quantity::from_milli(row.int(8)?),
        cause,
        who: if row.text(10)? == "here" { Who::Here } else { Who::Unknown },
        advice: row.text(11)?.into(),
    })
}

/// Differences of a run after one, of the newest run where `run` is 0.
pub fn page(db: &mut Engine, connection: i64, run: i64, after: i64, limit: i64) -> Result<Vec<Difference>, DbError> {
    let sql = "SELECT MAX(run) FROM erp_differences WHERE connection_id = $1";
    let run = match run {
        0 => db.first(sql, &[connection.into()])?.map(|r| r.opt_int(0)).transpose()?.flatten().unwrap_or(0),
        run => run,
    };
    let sql = "SELECT id, run, at, subject, sku, warehouse, location_no, theirs, ours, cause, who, advice FROM erp_differences \
               WHERE connection_id = $1 AND run = $2 AND id > $3 ORDER BY id LIMIT $4";
    db.rows(sql, &[connection.into(), run.into(), after.into(), limit.into()])?.iter().map(read).collect()
}

/// The other side's last word on stock, for who sends files and no lists.
pub fn last_word(tx: &mut Tx, connection: i64) -> Result<(Vec<Held>, Timestamp), DbError> {
    let sql = "SELECT external_id, warehouse, quantity, at FROM erp_stock WHERE connection_id = $1 AND warehouse <> '' \
               ORDER BY external_id, warehouse LIMIT 1000000";
    let (mut out, mut at) = (Vec::new(), 0);
    for row in tx.rows(sql, &[connection.into()])? {
        let quantity = Quantity::from_milli(row.int(2)?);
        out.push(Held { external_id: row.text(0)?.into(), warehouse: row.text(1)?.into(), quantity });
        at = at.max(row.int(3)?);
    }
    Ok((out, Timestamp::from_micros(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_explained_by_what_is_known() {
        let q = Quantity::units;
        let of = |theirs, ours, unheard, late, counted_since| {
            judge(&Standing { theirs: q(theirs), ours: q(ours), unheard: q(unheard), late: q(late), counted_since })
        };
        assert_eq!(of(5, 5, 3, 0, true), None);
        assert_eq!(of(5, 3, -2, 0, false), Some(Cause::NotAcknowledged));
        assert_eq!(of(5, 3, 0, -2, false), Some(Cause::LateDocument));
        assert_eq!(of(5, 3, -1, -1, true), Some(Cause::CountedSince));
        assert_eq!(of(-1, 0, 0, 0, false), Some(Cause::Negative));
        assert_eq!(of(5, 3, -1, 0, false), Some(Cause::Lost));
    }
}
