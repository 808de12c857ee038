//! The rows that commands change: written once a group, however many commands touched them.
use crate::model::{EndedWhy, Ending, NEVER, Position, Reservation, ReservationKind, ReservedLine, VariantStock};
use base::{Quantity, Timestamp};
use db::{Bulk, DbError, Engine, Row, Table, Value};
use std::sync::Arc;

/// What lies of a variant everywhere and who has a claim on it, by the variant's number.
pub struct StockTable;

static POSITIONS: Bulk = Bulk {
    table: "stock_positions",
    columns: &[
        ("variant_no", 'i'),
        ("location_no", 'i'),
        ("sellable", 'i'),
        ("display", 'i'),
        ("damaged", 'i'),
        ("quarantine", 'i'),
        ("safety", 'i'),
        ("counted_at", 'i'),
    ],
    key: 2,
    insert_only: false,
};

const LOAD: &str = "SELECT location_no, sellable, display, damaged, quarantine, safety, counted_at FROM stock_positions \
                    WHERE variant_no = $1 ORDER BY location_no";
const CLAIMS: &str = "SELECT location_no, expires_at, CAST(SUM(quantity) AS BIGINT) FROM reservations \
                      WHERE variant_no = $1 AND ended_at = 0 GROUP BY location_no, expires_at ORDER BY location_no, expires_at";

impl Table for StockTable {
    type Key = i64;
    type Row = Arc<VariantStock>;
    const NAME: &'static str = "stock_positions";
    const LAZY: bool = false;
    const EAGER: bool = true;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Arc<VariantStock>) -> usize {
        let holds: usize = row.positions.iter().map(|p| p.holds.capacity() * size_of::<Ending>()).sum();
        64 + row.positions.capacity() * size_of::<Position>() + holds
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Arc<VariantStock>>, DbError> {
        let rows = db.rows(LOAD, &[key.into()])?;
        let mut stock = VariantStock { positions: rows.iter().map(position).collect::<Result<_, _>>()? };
        let claims = db.rows(CLAIMS, &[key.into()])?;
        if stock.positions.is_empty() && claims.is_empty() {
            return Ok(None);
        }
        for row in &claims {
            let (at, quantity) = (Timestamp::from_micros(row.int(1)?), Quantity::from_milli(row.int(2)?));
            let position = stock.at_mut(row.int(0)?);
            if at == NEVER {
                position.firm += quantity;
            } else {
                position.holds.push(Ending { at, quantity });
            }
        }
        Ok(Some(Arc::new(stock)))
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<VariantStock>)], group: i64) -> Result<(), DbError> {
        let mut values: Vec<[Value<'_>; 8]> = Vec::with_capacity(rows.len());
        for (variant_no, stock) in rows {
            // Claims are no part of the row: they stand in their own, and are summed when the row is read.
            for p in stock.positions.iter().filter(|p| p.changed == group) {
                let [sellable, display, damaged, quarantine] = p.on_hand.map(|quantity| quantity.milli().into());
                values.push([
                    (*variant_no).into(),
                    p.location_no.into(),
                    sellable,
                    display,
                    damaged,
                    quarantine,
                    p.safety.milli().into(),
                    p.counted_at.micros().into(),
                ]);
            }
        }
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&POSITIONS, &refs)
    }
}

fn position(row: &Row) -> Result<Position, DbError> {
    let quantity = |at: usize| row.int(at).map(Quantity::from_milli);
    Ok(Position {
        on_hand: [quantity(1)?, quantity(2)?, quantity(3)?, quantity(4)?],
        safety: quantity(5)?,
        counted_at: Timestamp::from_micros(row.int(6)?),
        ..Position::new(row.int(0)?)
    })
}

/// Claims by number.
pub struct ReservationTable;

static RESERVATIONS: Bulk = Bulk {
    table: "reservations",
    columns: &[
        ("no", 'i'),
        ("line", 'i'),
        ("kind", 'i'),
        ("owner", 't'),
        ("variant_no", 'i'),
        ("location_no", 'i'),
        ("quantity", 'i'),
        ("created_at", 'i'),
        ("expires_at", 'i'),
        ("ended_at", 'i'),
        ("ended_why", 'i'),
    ],
    key: 2,
    insert_only: false,
};

const RESERVATION: &str = "SELECT kind, owner, variant_no, location_no, quantity, created_at, expires_at, ended_at, ended_why \
                           FROM reservations WHERE no = $1 ORDER BY line";

impl Table for ReservationTable {
    type Key = i64;
    type Row = Arc<Reservation>;
    const NAME: &'static str = "reservations";
    const LAZY: bool = false;
    const EAGER: bool = true;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Arc<Reservation>) -> usize {
        size_of::<Reservation>() + row.owner.len() + row.lines.capacity() * size_of::<ReservedLine>()
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Arc<Reservation>>, DbError> {
        let rows = db.rows(RESERVATION, &[key.into()])?;
        let Some(first) = rows.first() else { return Ok(None) };
        let unknown = || DbError::damaged("reservations", format!("the kind of {key} is not known"));
        Ok(Some(Arc::new(Reservation {
            kind: ReservationKind::from_code(first.int(0)?).ok_or_else(unknown)?,
            owner: first.text(1)?.into(),
            created_at: Timestamp::from_micros(first.int(5)?),
            expires_at: Timestamp::from_micros(first.int(6)?),
            lines: rows.iter().map(line).collect::<Result<_, _>>()?,
        })))
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<Reservation>)], _: i64) -> Result<(), DbError> {
        let mut values: Vec<[Value<'_>; 11]> = Vec::with_capacity(rows.len());
        for (no, reservation) in rows {
            for (at, line) in reservation.lines.iter().enumerate() {
                let (ended_at, why) = line.ended.map_or((0, 0), |(at, why)| (at.micros(), why as i64));
                values.push([
                    (*no).into(),
                    (at as i64).into(),
                    (reservation.kind as i64).into(),
                    (&*reservation.owner).into(),
                    line.variant_no.into(),
                    line.location_no.into(),
                    line.quantity.milli().into(),
                    reservation.created_at.micros().into(),
                    reservation.expires_at.micros().into(),
                    ended_at.into(),
                    why.into(),
                ]);
            }
        }
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&RESERVATIONS, &refs)
    }
}

fn line(row: &Row) -> Result<ReservedLine, DbError> {
    let ended_at = row.int(7)?;
    let why = || DbError::damaged("reservations", "how a claim ended is not known");
    let ended = if ended_at == 0 {
        None
    } else {
        Some((Timestamp::from_micros(ended_at), EndedWhy::from_code(row.int(8)?).ok_or_else(why)?))
    };
    Ok(ReservedLine {
        variant_no: row.int(2)?,
        location_no: row.int(3)?,
        quantity: Quantity::from_milli(row.int(4)?),
        ended,
    })
}

/// The paper that a teller told under an id, by the hash of both.
pub(crate) struct DocumentTable;

impl Table for DocumentTable {
    type Key = u128;
    type Row = i64;
    const NAME: &'static str = "stock_documents";
    const LAZY: bool = false;

    fn slice(_: u128) -> i64 {
        0
    }
    fn weight(_: &i64) -> usize {
        8
    }
    fn load(_: &mut Engine, _: u128) -> Result<Option<i64>, DbError> {
        // A hash cannot be turned back: rows are read by teller and id, see `commands::documents`.
        Err(DbError::damaged("stock_documents", "a row was asked for by hash alone"))
    }
    fn flush(_: &mut Engine, _: &[(u128, &i64)], _: i64) -> Result<(), DbError> {
        Ok(())
    }
}
