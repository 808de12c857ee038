//! The event log: one row a request, its body as it came.
//!
//! The seq of an event is its row's `first_seq` plus its position in the body. A dropped item keeps its seq and has the id
//! zero. `profiles` is where each event was placed when it was logged; a detach moves events in the profiles' indexes only.
use crate::event::{Batch, EventId, Origin};
use crate::pack::{Reader, put_i64, put_u64};
use crate::{Bulk, DbError, Engine, Owned, Row, Tx, compress};
use base::Timestamp;

/// The customers' writer: it owns everything from collecting to the outbox.
pub const CUSTOMERS: i64 = 1;

/// A row of the log, read back.
#[derive(Debug, Clone)]
pub struct LogRow {
    pub first_seq: i64,
    pub group: i64,
    pub source: i64,
    pub origin: Origin,
    pub received_at: Timestamp,
    /// One an item; 0 = dropped.
    pub ids: Vec<EventId>,
    /// When each item happened.
    pub times: Vec<Timestamp>,
    /// Where each item was placed; 0 = nowhere.
    pub profiles: Vec<i64>,
    /// JSON as it came; empty when only the head was asked for.
    pub body: String,
    /// What was derived of the items when they came, packed; empty for nothing, or when only the head was asked for.
    pub extra: Vec<u8>,
}

impl LogRow {
    /// Number of items that were not dropped.
    pub fn kept(&self) -> usize {
        self.ids.iter().filter(|id| **id != 0).count()
    }
}

/// What the writer decided about one kept item of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub index: u32,
    pub id: EventId,
    pub timestamp: Timestamp,
    /// 0 = nobody's.
    pub profile_id: i64,
}

static LOG: Bulk = Bulk {
    table: "log",
    columns: &[
        ("first_seq", 'i'),
        ("writer", 'i'),
        ("group_id", 'i'),
        ("count", 'i'),
        ("source", 'i'),
        ("origin", 'i'),
        ("received_at", 'i'),
        ("ids", 'b'),
        ("times", 'b'),
        ("profiles", 'b'),
        ("body", 'b'),
        ("extra", 'b'),
    ],
    key: 0,
    insert_only: false,
};

/// Appends a batch with what was kept of it, sorted by index; gives its first seq. The seqs were promised by
/// [`Tx::next_seq`] before, so nothing may be logged between asking and appending.
pub fn append(tx: &mut Tx, batch: &Batch, kept: &[Kept]) -> i64 {
    let count = batch.count as usize;
    let first_seq = tx.advance_seq(i64::from(batch.count));
    let mut ids = vec![0u8; count * 16];
    let (mut times, mut profiles) = (Vec::with_capacity(count * 3), Vec::with_capacity(count * 3));
    let mut next = kept.iter().peekable();
    for index in 0..batch.count {
        match next.next_if(|k| k.index == index) {
            Some(k) => {
                ids[index as usize * 16..][..16].copy_from_slice(&k.id.to_le_bytes());
                put_i64(&mut times, batch.received_at.micros() - k.timestamp.micros());
                put_u64(&mut profiles, k.profile_id as u64);
            }
            None => {
                put_i64(&mut times, 0);
                put_u64(&mut profiles, 0);
            }
        }
    }
    assert!(next.peek().is_none(), "kept items are sorted by index and within the body");
    let counts = tx.counts();
    if batch.origin == Origin::Derived {
        counts.derived += kept.len() as i64;
    } else {
        counts.events += kept.len() as i64;
    }
    let group = tx.group();
    tx.append(
        &LOG,
        vec![
            first_seq.into(),
            CUSTOMERS.into(),
            group.into(),
            i64::from(batch.count).into(),
            batch.source.into(),
            (batch.origin as i64).into(),
            batch.received_at.micros().into(),
            ids.into(),
            times.into(),
            profiles.into(),
            batch.packed.clone().into(),
            if batch.extra.is_empty() { Owned::Null } else { batch.extra.clone().into() },
        ],
    );
    first_seq
}

const COLUMNS: &str = "first_seq, group_id, source, origin, received_at, ids, times, profiles, body, extra";

/// Reads a row in the order of the columns `first_seq, group_id, source, origin, received_at, ids, times, profiles, body, extra`.
fn decode(row: &Row, with_body: bool) -> Result<LogRow, DbError> {
    let first_seq = row.int(0)?;
    let place = || format!("log row {first_seq}");
    let received_at = Timestamp::from_micros(row.int(4)?);
    let raw = row.blob(5)?;
    if raw.len() % 16 != 0 {
        return Err(DbError::damaged(&place(), "its ids are cut"));
    }
    let ids: Vec<EventId> = raw.as_chunks::<16>().0.iter().map(|c| u128::from_le_bytes(*c)).collect();
    let (mut times, mut profiles) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
    let (mut t, mut p) = (Reader::new(row.blob(6)?), Reader::new(row.blob(7)?));
    for _ in 0..ids.len() {
        times.push(received_at.plus(-t.i64()?));
        profiles.push(p.u64()? as i64);
    }
    let body = if with_body { unpack_body(row.blob(8)?, &place())? } else { String::new() };
    let extra = if with_body { row.opt_blob(9)?.unwrap_or_default().to_vec() } else { Vec::new() };
    Ok(LogRow {
        extra,
        first_seq,
        group: row.int(1)?,
        source: row.int(2)?,
        origin: Origin::from_code(row.int(3)?),
        received_at,
        ids,
        times,
        profiles,
        body,
    })
}

/// A body larger than this never was accepted; a stored length beyond it means damage.
const BODY_MAX: usize = 64 << 20;

fn unpack_body(packed: &[u8], place: &str) -> Result<String, DbError> {
    let raw = compress::unpack(packed, BODY_MAX).map_err(|e| DbError::damaged(place, e))?;
    String::from_utf8(raw).map_err(|e| DbError::damaged(place, e))
}

/// Compresses a body that Braid writes itself; requests are compressed on their own threads.
pub fn pack_body(body: &[u8]) -> Vec<u8> {
    compress::pack(body)
}

/// Visits rows from `from_seq` on, in order, until `visit` gives `false`.
pub fn each(
    db: &mut Engine,
    from_seq: i64,
    with_body: bool,
    visit: &mut dyn FnMut(LogRow) -> Result<bool, DbError>,
) -> Result<(), DbError> {
    // In pieces: PostgreSQL would hold the whole answer otherwise, and a visitor may want the connection between them.
    let sql = if with_body {
        format!("SELECT {COLUMNS} FROM log WHERE first_seq >= $1 ORDER BY first_seq LIMIT 256")
    } else {
        format!(
            "SELECT {} FROM log WHERE first_seq >= $1 ORDER BY first_seq LIMIT 1024",
            COLUMNS.trim_end_matches(", body, extra")
        )
    };
    let mut from = from_seq;
    loop {
        let rows = db.rows(&sql, &[from.into()])?;
        let Some(last) = rows.last() else { return Ok(()) };
        let next = last.int(0)? + 1;
        for row in &rows {
            if !visit(decode(row, with_body)?)? {
                return Ok(());
            }
        }
        from = next;
    }
}

/// Up to `limit` rows from `from_seq` on, with bodies.
pub fn page(db: &mut Engine, from_seq: i64, limit: i64) -> Result<Vec<LogRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM log WHERE first_seq >= $1 ORDER BY first_seq LIMIT $2");
    db.rows(&sql, &[from_seq.into(), limit.into()])?.iter().map(|r| decode(r, true)).collect()
}

/// The row that holds a seq.
pub fn find(db: &mut Engine, seq: i64) -> Result<Option<LogRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM log WHERE first_seq <= $1 ORDER BY first_seq DESC LIMIT 1");
    let Some(row) = db.first(&sql, &[seq.into()])? else { return Ok(None) };
    let row = decode(&row, true)?;
    Ok((seq < row.first_seq + row.ids.len() as i64).then_some(row))
}

/// The newest rows before `before_seq`, newest first.
pub fn newest(db: &mut Engine, before_seq: i64, limit: i64) -> Result<Vec<LogRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM log WHERE first_seq < $1 ORDER BY first_seq DESC LIMIT $2");
    db.rows(&sql, &[before_seq.into(), limit.into()])?.iter().map(|r| decode(r, true)).collect()
}

/// The rows that hold the given seqs, which must be sorted; each row once, in order.
pub fn rows_of(db: &mut Engine, seqs: &[i64]) -> Result<Vec<LogRow>, DbError> {
    let mut out: Vec<LogRow> = Vec::new();
    for seq in seqs {
        if out.last().is_some_and(|r| *seq < r.first_seq + r.ids.len() as i64) {
            continue;
        }
        if let Some(row) = find(db, *seq)? {
            out.push(row);
        }
    }
    Ok(out)
}
