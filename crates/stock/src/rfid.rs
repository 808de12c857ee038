//! Tags that readers, hand-helds and robots saw at a place: a proposal for a count, never a movement (M10).
//!
//! A source tells its reads in batches, late, twice and in any order; a session gathers those of one walk through one place. Its
//! tags, each once, stand beside the books as of its last read; a blind count is made of it, whose differences somebody else
//! approves. Reads that come after that are kept and marked late.
use crate::counting::{self, Count, CountInput};
use crate::epc::Sgtin;
use crate::error::StockError;
use crate::model::Condition;
use crate::{StockTable, commands};
use base::{DAY_US, Quantity, Timestamp};
use db::{DbError, Row, Tx};
use std::collections::BTreeMap;

/// What saw the tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    Reader,
    Handheld,
    Robot,
}

impl Device {
    pub const ALL: [(Device, &'static str); 3] =
        [(Device::Reader, "reader"), (Device::Handheld, "handheld"), (Device::Robot, "robot")];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(device, _)| *device)
    }
}

/// A walk through a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub no: i64,
    /// Who tells it, such as `robot:7`.
    pub source: Box<str>,
    /// Its own name of the walk.
    pub external_id: Box<str>,
    pub device: Device,
    pub location_no: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The count that was made of it; 0 = none yet.
    pub count_no: i64,
    pub created_by: Box<str>,
    pub created_at: Timestamp,
}

/// Reads of one walk.
#[derive(Debug, Clone)]
pub struct Batch {
    pub source: String,
    pub external_id: String,
    pub device: Device,
    pub location_no: i64,
    /// The code of a tag, and when it was seen.
    pub reads: Vec<(String, Timestamp)>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub session_no: i64,
    /// Tags in the batch that could be read, each once.
    pub tags: usize,
    /// Those that came after the session had become a count: they do not change it.
    pub late: usize,
    /// Reads that were refused, by their place in the batch.
    pub refused: Vec<(usize, String)>,
}

/// Reads of one batch.
pub const READS_MAX: usize = 2000;
/// Variants of one proposal.
const LINES_MAX: usize = 5000;

fn session(row: &Row) -> Result<Session, DbError> {
    let device = Device::parse(row.text(3)?);
    Ok(Session {
        no: row.int(0)?,
        source: row.text(1)?.into(),
        external_id: row.text(2)?.into(),
        device: device.ok_or_else(|| DbError::damaged("rfid_sessions", "its device is unknown"))?,
        location_no: row.int(4)?,
        first_at: Timestamp::from_micros(row.int(5)?),
        last_at: Timestamp::from_micros(row.int(6)?),
        count_no: row.int(7)?,
        created_by: row.text(8)?.into(),
        created_at: Timestamp::from_micros(row.int(9)?),
    })
}

/// Takes reads in. Those that cannot be read are told; the rest counts.
pub fn take(tx: &mut Tx, batch: &Batch, actor: &str) -> Result<Taken, StockError> {
    for (pointer, text) in [("/source", &batch.source), ("/session", &batch.external_id)] {
        if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
            return Err(StockError::field(pointer, "name it in at most 200 bytes"));
        }
    }
    if batch.reads.is_empty() || batch.reads.len() > READS_MAX {
        return Err(StockError::field("/reads", format!("send one to {READS_MAX} reads at once")));
    }
    if !commands::places(tx)?.get(batch.location_no).is_some_and(|location| location.kind.sells()) {
        return Err(StockError::field("/location_id", "nothing is counted there"));
    }
    let by_source = "SELECT no, source, external_id, device, location_no, first_at, last_at, count_no, created_by, created_at \
                     FROM rfid_sessions WHERE source = $1 AND external_id = $2";
    let known = tx.first(by_source, &[(&batch.source).into(), (&batch.external_id).into()])?;
    let known = known.as_ref().map(session).transpose()?;
    if known.as_ref().is_some_and(|s| s.location_no != batch.location_no) {
        return Err(StockError::field("/location_id", "this session is at another location: begin a new one there"));
    }
    let now = tx.now();
    let mut refused = Vec::new();
    // Each tag once, with when it was seen first and last.
    let mut tags: BTreeMap<String, (Sgtin, Timestamp, Timestamp, i64)> = BTreeMap::new();
    for (at, (code, seen)) in batch.reads.iter().enumerate() {
        if *seen > now.plus(DAY_US) || seen.micros() <= 0 {
            refused.push((at, "its moment is out of range: the clock of the device is wrong".to_string()));
            continue;
        }
        let read = match Sgtin::parse(code) {
            Ok(read) => read,
            Err(e) => {
                refused.push((at, e.to_string()));
                continue;
            }
        };
        // The two forms of one code are one tag.
        let key = format!("{}.{}", read.gtin.as_str(), read.serial);
        let tag = tags.entry(key).or_insert((read, *seen, *seen, 0));
        tag.1 = tag.1.min(*seen);
        tag.2 = tag.2.max(*seen);
        tag.3 += 1;
    }
    if tags.is_empty() {
        let first = refused.first().map(|(_, why)| why.as_str()).unwrap_or_default();
        return Err(StockError::field("/reads/0/epc", format!("none of the reads can be used: {first}")));
    }
    let late = known.as_ref().is_some_and(|s| s.count_no != 0);
    let first = tags.values().map(|tag| tag.1).min().unwrap_or(now);
    let last = tags.values().map(|tag| tag.2).max().unwrap_or(now);
    let no = known.as_ref().map_or_else(|| tx.next_id(), |s| s.no);
    let (first_at, last_at) = match &known {
        // What the count was compared with does not move any more.
        Some(s) if late => (s.first_at, s.last_at),
        Some(s) => (s.first_at.min(first), s.last_at.max(last)),
        None => (first, last),
    };
    let sql = "INSERT INTO rfid_sessions (no, source, external_id, device, location_no, first_at, last_at, count_no, created_by, \
               created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9) ON CONFLICT (no) DO UPDATE SET \
               first_at = excluded.first_at, last_at = excluded.last_at";
    tx.execute(
        sql,
        &[
            no.into(),
            (&batch.source).into(),
            (&batch.external_id).into(),
            batch.device.as_str().into(),
            batch.location_no.into(),
            first_at.micros().into(),
            last_at.micros().into(),
            actor.into(),
            now.micros().into(),
        ],
    )?;
    let read = "INSERT INTO rfid_reads (session_no, epc, gtin, serial, first_at, last_at, times, late) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (session_no, epc) DO UPDATE SET \
                first_at = CASE WHEN excluded.first_at < rfid_reads.first_at THEN excluded.first_at ELSE rfid_reads.first_at END, \
                last_at = CASE WHEN excluded.last_at > rfid_reads.last_at THEN excluded.last_at ELSE rfid_reads.last_at END, \
                times = rfid_reads.times + excluded.times";
    for (key, (tag, first, last, times)) in &tags {
        tx.execute(
            read,
            &[
                no.into(),
                key.into(),
                tag.gtin.as_str().into(),
                (&tag.serial).into(),
                first.micros().into(),
                last.micros().into(),
                (*times).into(),
                i64::from(late).into(),
            ],
        )?;
    }
    tx.notify(db::Notice::Changed { what: "rfid_sessions" });
    Ok(Taken { session_no: no, tags: tags.len(), late: if late { tags.len() } else { 0 }, refused })
}

/// A session by number.
pub fn get(tx: &mut Tx, no: i64) -> Result<Session, StockError> {
    let sql = "SELECT no, source, external_id, device, location_no, first_at, last_at, count_no, created_by, created_at \
               FROM rfid_sessions WHERE no = $1";
    let row = tx.first(sql, &[no.into()])?;
    let row = row.ok_or_else(|| StockError::Unknown { what: "session", id: no.to_string() })?;
    Ok(session(&row)?)
}

/// The newest sessions before a number.
pub fn list(db: &mut db::Engine, before: i64, limit: i64) -> Result<Vec<Session>, DbError> {
    let sql = "SELECT no, source, external_id, device, location_no, first_at, last_at, count_no, created_by, created_at \
               FROM rfid_sessions WHERE no < $1 ORDER BY no DESC LIMIT $2";
    db.rows(sql, &[before.into(), limit.into()])?.iter().map(session).collect()
}

/// A variant of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub variant_no: i64,
    /// Pieces whose tags were seen.
    pub seen: Quantity,
    /// Sellable goods that this makes: what is on display, damaged or in quarantine bears tags too.
    pub sellable: Quantity,
    /// Sellable goods on the books as of the last read.
    pub book: Quantity,
}

impl Seen {
    /// What a count would change.
    pub fn difference(&self) -> Quantity {
        self.sellable - self.book
    }
}

/// What a session says beside the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub lines: Vec<Seen>,
    /// GTINs that the catalogue does not know, with pieces.
    pub unknown: Vec<(String, i64)>,
}

/// Sets a session beside the books: what was seen, and what bears tags, lies there by the books and was not seen.
pub fn proposal(tx: &mut Tx, session: &Session) -> Result<Proposal, StockError> {
    let seen = "SELECT r.gtin, COALESCE(v.no, 0), COUNT(*) FROM rfid_reads r LEFT JOIN variants v ON v.gtin = r.gtin \
                WHERE r.session_no = $1 AND r.late = 0 GROUP BY r.gtin, v.no ORDER BY r.gtin";
    let (mut pieces, mut unknown): (BTreeMap<i64, i64>, Vec<(String, i64)>) = Default::default();
    for row in tx.rows(seen, &[session.no.into()])? {
        match row.int(1)? {
            0 => unknown.push((row.text(0)?.into(), row.int(2)?)),
            variant_no => *pieces.entry(variant_no).or_default() += row.int(2)?,
        }
    }
    // Goods that never bore a tag say nothing by not being seen.
    let unseen = "SELECT v.no FROM stock_positions p JOIN variants v ON v.no = p.variant_no WHERE p.location_no = $1 \
                  AND p.sellable > 0 AND v.gtin <> '' AND EXISTS (SELECT 1 FROM rfid_reads r WHERE r.gtin = v.gtin) \
                  ORDER BY v.no LIMIT $2";
    for row in tx.rows(unseen, &[session.location_no.into(), (LINES_MAX as i64).into()])? {
        pieces.entry(row.int(0)?).or_default();
    }
    if pieces.len() > LINES_MAX {
        return Err(StockError::field("/session", format!("it saw more than {LINES_MAX} SKUs: walk in parts")));
    }
    let mut lines = Vec::with_capacity(pieces.len());
    for (variant_no, count) in pieces {
        let book = commands::book_at(tx, session.location_no, variant_no, session.last_at)?;
        let position = tx.get::<StockTable>(variant_no)?.and_then(|stock| stock.at(session.location_no));
        let apart = |p: &crate::model::Position| {
            let of = |condition: Condition| p.on_hand[condition as usize];
            of(Condition::Display) + of(Condition::Damaged) + of(Condition::Quarantine)
        };
        let seen = Quantity::units(count);
        let sellable = (seen - position.map_or(Quantity::ZERO, apart)).or_none();
        lines.push(Seen { variant_no, seen, sellable, book });
    }
    Ok(Proposal { lines, unknown })
}

/// Makes a blind count of a session. What agrees is settled; every difference waits for a person.
pub fn count(tx: &mut Tx, no: i64, actor: &str) -> Result<Count, StockError> {
    let session = get(tx, no)?;
    if session.count_no != 0 {
        let wanted = format!("be counted again: it became count {}", session.count_no);
        return Err(StockError::Wrong { what: "session", no, state: "counted", wanted });
    }
    let proposal = proposal(tx, &session)?;
    if proposal.lines.is_empty() {
        return Err(StockError::field("/session", "it saw nothing that the catalogue knows"));
    }
    let input = CountInput {
        location_no: session.location_no,
        blind: true,
        tolerance_permille: 0,
        note: format!("{} {}", session.device.as_str(), session.external_id),
        variants: proposal.lines.iter().map(|line| line.variant_no).collect(),
    };
    let count = counting::begin(tx, &input, actor)?;
    let (by, at) = (format!("{}:{}", session.device.as_str(), session.source), session.last_at.min(tx.now()));
    for line in &proposal.lines {
        counting::enter_in(tx, &count, line.variant_no, line.sellable, (&by, at))?;
    }
    tx.execute("UPDATE rfid_sessions SET count_no = $2 WHERE no = $1", &[no.into(), count.no.into()])?;
    tx.notify(db::Notice::Changed { what: "rfid_sessions" });
    counting::get(tx, count.no)
}
