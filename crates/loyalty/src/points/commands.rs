//! Movements of points, each a function over `&mut Tx` that is done once for its document.
use super::plan::{self, Lot, Move, Shortfall};
use base::Timestamp;
use db::{Bulk, DbError, Tx, Value};

/// The account that issues points.
pub const ISSUER: i64 = 0;
/// Lots of one person that are looked at; beyond, something is wrong with whoever earns.
const LOTS_MAX: i64 = 10_000;

static LINES: Bulk = Bulk {
    table: "points_lines",
    columns: &[("posting_id", 'i'), ("line", 'i'), ("account", 'i'), ("lot_id", 'i'), ("points", 'i')],
    key: 2,
    insert_only: true,
};

/// Why points did not move. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PointsError {
    #[error("a movement is of at least one point, and of an account")]
    Nothing,
    #[error("the customer has {balance} points, not {wanted}")]
    NotEnough { balance: i64, wanted: i64 },
    /// The same document moved another number of points before.
    #[error("{document:?} moved {before} points already, not {now}")]
    OtherAmount { document: String, before: i64, now: i64 },
    #[error("{document:?} moved {moved} points, of which {back} went back: {wanted} more cannot")]
    TooMany { document: String, moved: i64, back: i64, wanted: i64 },
    #[error("points cannot be read or written")]
    Store(#[from] DbError),
}

/// A movement, after it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub id: i64,
    pub points: i64,
    /// It was posted before, under the same document.
    pub replayed: bool,
}

/// Who moves points, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// Unique for this kind of movement: the order, receipt or return.
    pub document: &'a str,
    pub actor: &'a str,
}

/// Gives points for a document; debts are paid first. `expires_at` is when what is left of them ends.
pub fn earn(
    tx: &mut Tx,
    account: i64,
    points: i64,
    expires_at: Option<Timestamp>,
    cause: Cause,
) -> Result<Posted, PointsError> {
    if !is_new(tx, "earn", account, points, cause)? {
        return replayed(tx, "earn", points, cause);
    }
    let mut lots = lots(tx, &[account])?;
    let mut moves = plan::pay_debts(&lots, points);
    let paid: i64 = moves.iter().map(|m| m.points).sum();
    let lot = Lot {
        id: tx.next_id(),
        account,
        document: cause.document.into(),
        remaining: 0,
        expires_at: expires_at.unwrap_or(Timestamp::from_micros(i64::MAX)),
    };
    add_lot(tx, &lot)?;
    moves.push(Move { lot: lot.id, account, points: points - paid });
    lots.push(lot);
    post(tx, "earn", "", points, &moves, &lots, cause)
}

/// Burns points of a person, whose accounts these are; those that end first go first.
pub fn burn(tx: &mut Tx, accounts: &[i64], points: i64, cause: Cause) -> Result<Posted, PointsError> {
    let first = accounts.first().copied().unwrap_or(ISSUER);
    if !is_new(tx, "burn", first, points, cause)? {
        return replayed(tx, "burn", points, cause);
    }
    let lots = lots(tx, accounts)?;
    let balance = plan::balance(&lots, tx.now());
    if balance < points {
        return Err(PointsError::NotEnough { balance, wanted: points });
    }
    let moves = plan::burn(&lots, points, tx.now());
    post(tx, "burn", "", points, &moves, &lots, cause)
}

/// Takes back points that a document earned, for goods that come back: from its own lot first. What the customer no longer has
/// becomes a debt, or is forgiven. Never more than the document earned.
pub fn take_back(
    tx: &mut Tx,
    accounts: &[i64],
    of_document: &str,
    points: i64,
    shortfall: Shortfall,
    cause: Cause,
) -> Result<Posted, PointsError> {
    let first = accounts.first().copied().unwrap_or(ISSUER);
    if !is_new(tx, "take_back", first, points, cause)? {
        return replayed(tx, "take_back", points, cause);
    }
    check_back(tx, "earn", "take_back", of_document, points)?;
    let mut lots = lots(tx, accounts)?;
    let (mut moves, missing) = plan::take_back(&lots, of_document, points, tx.now());
    if missing > 0 && shortfall == Shortfall::Debt {
        let debt = Lot {
            id: tx.next_id(),
            account: first,
            document: cause.document.into(),
            remaining: 0,
            expires_at: Timestamp::from_micros(i64::MAX),
        };
        add_lot(tx, &debt)?;
        moves.push(Move { lot: debt.id, account: first, points: -missing });
        lots.push(debt);
    }
    post(tx, "take_back", of_document, points, &moves, &lots, cause)
}

/// Gives back points that a document burned, into the lots that they came from. Those whose lot ended meanwhile come into a
/// new one that ends at `late_until`.
pub fn give_back(
    tx: &mut Tx,
    of_document: &str,
    points: i64,
    late_until: Option<Timestamp>,
    cause: Cause,
) -> Result<Posted, PointsError> {
    let burned = moves_of(tx, "burn", of_document)?;
    let Some(first) = burned.first().copied() else {
        return Err(PointsError::TooMany { document: of_document.into(), moved: 0, back: 0, wanted: points });
    };
    if !is_new(tx, "give_back", first.account, points, cause)? {
        return replayed(tx, "give_back", points, cause);
    }
    let given = check_back(tx, "burn", "give_back", of_document, points)?;
    let mut accounts: Vec<i64> = burned.iter().map(|m| m.account).collect();
    accounts.dedup();
    let mut lots = lots(tx, &accounts)?;
    let (mut moves, ended) = plan::give_back(&burned, given, points, &lots, tx.now());
    if ended > 0 {
        let expires_at = late_until.unwrap_or(Timestamp::from_micros(i64::MAX));
        let lot =
            Lot { id: tx.next_id(), account: first.account, document: cause.document.into(), remaining: 0, expires_at };
        add_lot(tx, &lot)?;
        moves.push(Move { lot: lot.id, account: first.account, points: ended });
        lots.push(lot);
    }
    post(tx, "give_back", of_document, points, &moves, &lots, cause)
}

/// Books the end of lots that ended, at most so many; a timer calls it. A balance is right without it.
pub fn expire(tx: &mut Tx, limit: i64) -> Result<usize, DbError> {
    let now = tx.now();
    let sql = "SELECT id, account, document, remaining, expires_at FROM points_lots WHERE expires_at <= $1 AND remaining > 0 ORDER BY expires_at, id LIMIT $2";
    let ended = tx.rows(sql, &[now.micros().into(), limit.into()])?;
    let ended: Vec<Lot> = ended.iter().map(read_lot).collect::<Result<_, _>>()?;
    for lot in &ended {
        let document = format!("lot {} at {}", lot.id, now.micros());
        let cause = Cause { document: &document, actor: "timer" };
        let moves = [Move { lot: lot.id, account: lot.account, points: -lot.remaining }];
        // A lot that got points back after its end was booked ends again. What is not of the store cannot be refused here.
        let booked = match is_new(tx, "expire", lot.account, lot.remaining, cause) {
            Ok(true) => {
                post(tx, "expire", &lot.document, lot.remaining, &moves, std::slice::from_ref(lot), cause).map(drop)
            }
            other => other.map(drop),
        };
        match booked {
            Err(PointsError::Store(e)) => return Err(e),
            Err(e) => return Err(DbError::damaged("points_lots", e)),
            Ok(()) => {}
        }
    }
    Ok(ended.len())
}

/// What a person can burn now.
pub fn balance(tx: &mut Tx, accounts: &[i64]) -> Result<i64, DbError> {
    let lots = lots(tx, accounts)?;
    Ok(plan::balance(&lots, tx.now()))
}

/// Lots of these accounts in which something is left, or owed.
pub fn lots(tx: &mut Tx, accounts: &[i64]) -> Result<Vec<Lot>, DbError> {
    let mut out = Vec::new();
    for account in accounts {
        let sql = "SELECT id, account, document, remaining, expires_at FROM points_lots WHERE account = $1 ORDER BY id DESC LIMIT $2";
        for row in tx.rows(sql, &[(*account).into(), LOTS_MAX.into()])? {
            out.push(read_lot(&row)?);
        }
    }
    out.sort_by_key(|lot| lot.id);
    Ok(out)
}

fn read_lot(row: &db::Row) -> Result<Lot, DbError> {
    Ok(Lot {
        id: row.int(0)?,
        account: row.int(1)?,
        document: row.text(2)?.into(),
        remaining: row.int(3)?,
        expires_at: Timestamp::from_micros(row.int(4)?),
    })
}

fn key_of(kind: &str, document: &str) -> String {
    format!("{kind}:{document}")
}

/// Whether the movement makes sense and its document was not posted before.
fn is_new(tx: &mut Tx, kind: &str, account: i64, points: i64, cause: Cause) -> Result<bool, PointsError> {
    if points < 1 || account == ISSUER || cause.document.is_empty() {
        return Err(PointsError::Nothing);
    }
    let key = key_of(kind, cause.document);
    Ok(tx.first("SELECT id FROM points_postings WHERE key = $1", &[(&key).into()])?.is_none())
}

fn replayed(tx: &mut Tx, kind: &str, points: i64, cause: Cause) -> Result<Posted, PointsError> {
    let key = key_of(kind, cause.document);
    let row = tx.first("SELECT id, points FROM points_postings WHERE key = $1", &[(&key).into()])?;
    let row = row.ok_or_else(|| DbError::damaged("points_postings", "a posting that was there is gone"))?;
    let before = row.int(1)?;
    if before != points {
        return Err(PointsError::OtherAmount { document: cause.document.into(), before, now: points });
    }
    Ok(Posted { id: row.int(0)?, points, replayed: true })
}

/// What a document burned and did not get back yet.
pub fn still_out(tx: &mut Tx, document: &str) -> Result<i64, DbError> {
    let (moved, back) = moved_and_back(tx, "burn", "give_back", document)?;
    Ok(moved - back)
}

/// What a document earned and was not taken back yet.
pub fn still_earned(tx: &mut Tx, document: &str) -> Result<i64, DbError> {
    let (moved, back) = moved_and_back(tx, "earn", "take_back", document)?;
    Ok(moved - back)
}

fn moved_and_back(tx: &mut Tx, kind: &str, back_kind: &str, document: &str) -> Result<(i64, i64), DbError> {
    let key = key_of(kind, document);
    let row = tx.first("SELECT points FROM points_postings WHERE key = $1", &[(&key).into()])?;
    let moved = row.map_or(Ok(0), |r| r.int(0))?;
    let sql =
        "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM points_postings WHERE of_document = $1 AND kind = $2";
    let back = tx.first(sql, &[document.into(), back_kind.into()])?.map_or(Ok(0), |r| r.int(0))?;
    Ok((moved, back))
}

/// Refuses to bring back more than was moved; gives what came back before.
fn check_back(tx: &mut Tx, kind: &str, back_kind: &str, document: &str, points: i64) -> Result<i64, PointsError> {
    let (moved, back) = moved_and_back(tx, kind, back_kind, document)?;
    if moved - back < points {
        return Err(PointsError::TooMany { document: document.into(), moved, back, wanted: points });
    }
    Ok(back)
}

/// What a document earned or burned (`kind`), by account: so many points, never below zero.
pub fn of_document(tx: &mut Tx, kind: &str, document: &str) -> Result<Vec<(i64, i64)>, DbError> {
    let mut out: Vec<(i64, i64)> = Vec::new();
    for m in moves_of(tx, kind, document)? {
        match out.iter_mut().find(|(account, _)| *account == m.account) {
            Some((_, points)) => *points += m.points.abs(),
            None => out.push((m.account, m.points.abs())),
        }
    }
    Ok(out)
}

fn moves_of(tx: &mut Tx, kind: &str, document: &str) -> Result<Vec<Move>, DbError> {
    let key = key_of(kind, document);
    let sql = "SELECT l.lot_id, l.account, l.points FROM points_lines l JOIN points_postings p ON p.id = l.posting_id WHERE p.key = $1 AND l.account <> 0 ORDER BY l.line";
    let rows = tx.rows(sql, &[(&key).into()])?;
    rows.iter().map(|r| Ok(Move { lot: r.int(0)?, account: r.int(1)?, points: r.int(2)? })).collect()
}

fn add_lot(tx: &mut Tx, lot: &Lot) -> Result<(), DbError> {
    let sql = "INSERT INTO points_lots (id, account, document, remaining, expires_at) VALUES ($1, $2, $3, $4, $5)";
    let params: [Value<'_>; 5] =
        [lot.id.into(), lot.account.into(), (&lot.document).into(), 0.into(), lot.expires_at.micros().into()];
    tx.execute(sql, &params).map(drop)
}

/// Writes the posting, its lines and what is left in the lots.
#[allow(clippy::too_many_arguments)]
fn post(
    tx: &mut Tx,
    kind: &str,
    of_document: &str,
    points: i64,
    moves: &[Move],
    lots: &[Lot],
    cause: Cause,
) -> Result<Posted, PointsError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let key = key_of(kind, cause.document);
    tx.execute(
        "INSERT INTO points_postings (id, key, kind, document, of_document, points, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            id.into(),
            (&key).into(),
            kind.into(),
            cause.document.into(),
            of_document.into(),
            points.into(),
            cause.actor.into(),
            now.into(),
        ],
    )?;
    let mut line = 0;
    let mut rows: Vec<[Value<'_>; 5]> = Vec::new();
    for m in moves.iter().filter(|m| m.points != 0) {
        rows.push([id.into(), line.into(), m.account.into(), m.lot.into(), m.points.into()]);
        line += 1;
        let before = lots.iter().find(|lot| lot.id == m.lot).map_or(0, |lot| lot.remaining);
        let sql = "UPDATE points_lots SET remaining = $2 WHERE id = $1";
        tx.execute(sql, &[m.lot.into(), (before + m.points).into()])?;
    }
    let owed: i64 = moves.iter().map(|m| m.points).sum();
    rows.push([id.into(), line.into(), ISSUER.into(), 0.into(), (-owed).into()]);
    let rows: Vec<&[Value<'_>]> = rows.iter().map(|r| &r[..]).collect();
    tx.upsert_many(&LINES, &rows)?;
    Ok(Posted { id, points, replayed: false })
}
