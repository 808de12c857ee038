//! Cycle counts: goods are counted, blind if wanted; what is off beyond tolerance is counted again and approved by somebody else.
//!
//! A line is open → counted → settled. What is within tolerance settles by itself; beyond it, it waits until a second count
//! says the same, or a person who did not count approves it. What is settled is posted as of the moment of counting, so that
//! sales between counting and approving stay what they are (DOMAIN 4.7).
use crate::commands::{self, Broken};
use crate::error::StockError;
use crate::model::{Document, DocumentKind};
use base::{Quantity, Timestamp};
use db::{DbError, Row, Tx};

/// How far a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    Open,
    /// Too far off to settle by itself.
    Variance,
    Settled,
}

impl LineState {
    pub fn as_str(self) -> &'static str {
        match self {
            LineState::Open => "open",
            LineState::Variance => "variance",
            LineState::Settled => "settled",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [LineState::Open, LineState::Variance, LineState::Settled].into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountLine {
    pub variant_no: i64,
    pub state: LineState,
    pub counted: Quantity,
    pub counted_at: Timestamp,
    pub counted_by: Box<str>,
    pub recounts: i64,
    /// What the books had when it was counted; not to be shown to who counts blind, before the line is settled.
    pub book: Quantity,
    pub variance: Quantity,
    pub decided_by: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub no: i64,
    pub location_no: i64,
    /// Nothing more can be entered.
    pub closed: bool,
    pub blind: bool,
    /// How far a line may be off, in thousandths of what the books have; never less than nothing.
    pub tolerance_permille: i64,
    pub note: Box<str>,
    pub version: i64,
    pub created_by: Box<str>,
    pub created_at: Timestamp,
    pub lines: Vec<CountLine>,
}

/// What is to be counted.
#[derive(Debug, Clone)]
pub struct CountInput {
    pub location_no: i64,
    pub blind: bool,
    pub tolerance_permille: i64,
    pub note: String,
    pub variants: Vec<i64>,
}

/// Variants of one count.
const LINES_MAX: usize = 5000;

/// Whether a line settles by itself: pure.
pub fn within(book: Quantity, variance: Quantity, tolerance_permille: i64) -> bool {
    let off = i128::from(variance.milli().unsigned_abs()) * 1000;
    off <= i128::from(book.milli().unsigned_abs()) * i128::from(tolerance_permille)
}

/// Begins a count.
pub fn begin(tx: &mut Tx, input: &CountInput, actor: &str) -> Result<Count, StockError> {
    let places = commands::places(tx)?;
    if !places.get(input.location_no).is_some_and(|location| location.kind.sells()) {
        return Err(StockError::field("/location_id", "nothing is counted there"));
    }
    if !(0..=1000).contains(&input.tolerance_permille) {
        return Err(StockError::field("/tolerance_permille", "from 0 to 1000 thousandths"));
    }
    let mut variants = input.variants.clone();
    variants.sort_unstable();
    variants.dedup();
    if variants.is_empty() || variants.len() > LINES_MAX {
        return Err(StockError::field("/lines", format!("name one to {LINES_MAX} variants")));
    }
    if input.note.len() > 2000 {
        return Err(StockError::field("/note", "at most 2000 bytes are allowed"));
    }
    let now = tx.now();
    let count = Count {
        no: tx.next_id(),
        location_no: input.location_no,
        closed: false,
        blind: input.blind,
        tolerance_permille: input.tolerance_permille,
        note: input.note.as_str().into(),
        version: 1,
        created_by: actor.into(),
        created_at: now,
        lines: variants
            .into_iter()
            .map(|variant_no| CountLine {
                variant_no,
                state: LineState::Open,
                counted: Quantity::ZERO,
                counted_at: Timestamp::default(),
                counted_by: "".into(),
                recounts: 0,
                book: Quantity::ZERO,
                variance: Quantity::ZERO,
                decided_by: "".into(),
            })
            .collect(),
    };
    store_head(tx, &count)?;
    for line in &count.lines {
        store_line(tx, count.no, line)?;
    }
    Ok(count)
}

/// What entering a line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    pub line: CountLine,
    /// Claims that cannot be served any more.
    pub broken: Vec<Broken>,
}

/// Enters what was counted of a variant at a moment. A line that is settled already is counted anew.
pub fn enter(
    tx: &mut Tx,
    no: i64,
    variant_no: i64,
    counted: Quantity,
    (actor, at): (&str, Timestamp),
) -> Result<Entered, StockError> {
    let count = get(tx, no)?;
    enter_in(tx, &count, variant_no, counted, (actor, at))
}

/// [`enter`] for whoever has read the count already and enters each of its lines once.
pub(crate) fn enter_in(
    tx: &mut Tx,
    count: &Count,
    variant_no: i64,
    counted: Quantity,
    (actor, at): (&str, Timestamp),
) -> Result<Entered, StockError> {
    let before = open_line(count, variant_no)?;
    if counted.is_negative() || counted > Quantity::MAX {
        return Err(StockError::field("/counted", "what is counted is nothing or more"));
    }
    if at > tx.now() {
        return Err(StockError::field("/at", "it lies in the future"));
    }
    let book = commands::book_at(tx, count.location_no, variant_no, at)?;
    let variance = counted - book;
    let again = before.state == LineState::Variance;
    // The same number twice is no slip of the hand; nobody counts blind twice and errs in the same way.
    let confirmed = again && before.counted - before.book == variance && count.blind;
    let settled = within(book, variance, count.tolerance_permille) || confirmed;
    let line = CountLine {
        state: if settled { LineState::Settled } else { LineState::Variance },
        counted,
        counted_at: at,
        counted_by: actor.into(),
        recounts: before.recounts + i64::from(before.state != LineState::Open),
        book,
        variance,
        decided_by: if settled { actor.into() } else { "".into() },
        ..before.clone()
    };
    let broken = if settled { settle(tx, count, &line)? } else { vec![] };
    store_line(tx, count.no, &line)?;
    Ok(Entered { line, broken })
}

/// Accepts what was counted although it is far off; by somebody who did not count it.
pub fn approve(tx: &mut Tx, no: i64, variant_no: i64, actor: &str) -> Result<Entered, StockError> {
    let count = get(tx, no)?;
    let before = open_line(&count, variant_no)?;
    if before.state != LineState::Variance {
        let wanted = "be approved".to_string();
        return Err(StockError::Wrong { what: "line", no: variant_no, state: before.state.as_str(), wanted });
    }
    if &*before.counted_by == actor {
        return Err(StockError::field("/approve", "who counted it cannot approve it: ask somebody else"));
    }
    let line = CountLine { state: LineState::Settled, decided_by: actor.into(), ..before.clone() };
    let broken = settle(tx, &count, &line)?;
    store_line(tx, no, &line)?;
    Ok(Entered { line, broken })
}

/// Ends a count: lines that are not settled stay as they were on the books.
pub fn close(tx: &mut Tx, no: i64) -> Result<Count, StockError> {
    let mut count = get(tx, no)?;
    if count.closed {
        return Err(StockError::Wrong { what: "count", no, state: "closed", wanted: "be closed".into() });
    }
    count.closed = true;
    count.version += 1;
    store_head(tx, &count)?;
    Ok(count)
}

fn open_line(count: &Count, variant_no: i64) -> Result<&CountLine, StockError> {
    if count.closed {
        let wanted = "take more lines".to_string();
        return Err(StockError::Wrong { what: "count", no: count.no, state: "closed", wanted });
    }
    let line = count.lines.iter().find(|line| line.variant_no == variant_no);
    line.ok_or_else(|| StockError::Unknown { what: "line", id: format!("{}/{variant_no}", count.no) })
}

fn settle(tx: &mut Tx, count: &Count, line: &CountLine) -> Result<Vec<Broken>, StockError> {
    let paper = Document {
        kind: DocumentKind::Count,
        source: "braid".into(),
        external_id: "".into(),
        reference: format!("count:{}", count.no).into(),
        note: "".into(),
        actor: line.decided_by.clone(),
        at: line.counted_at,
        moves: vec![],
    };
    let (posted, _) = commands::count(tx, &paper, count.location_no, line.variant_no, line.counted)?;
    Ok(posted.map(|posted| posted.broken).unwrap_or_default())
}

const HEAD: &str = "SELECT no, location_no, state, blind, tolerance_permille, note, version, created_by, created_at \
                    FROM stock_counts WHERE no = $1";
const LINES: &str = "SELECT variant_no, state, counted, counted_at, counted_by, recounts, book, variance, decided_by \
                     FROM stock_count_lines WHERE count_no = $1 ORDER BY variant_no";

/// A count by number.
pub fn get(tx: &mut Tx, no: i64) -> Result<Count, StockError> {
    let row = tx.first(HEAD, &[no.into()])?;
    let row = row.ok_or_else(|| StockError::Unknown { what: "count", id: no.to_string() })?;
    let line = |row: &Row| -> Result<CountLine, DbError> {
        let state = LineState::parse(row.text(1)?);
        Ok(CountLine {
            variant_no: row.int(0)?,
            state: state.ok_or_else(|| DbError::damaged("stock_count_lines", "its state is unknown"))?,
            counted: Quantity::from_milli(row.int(2)?),
            counted_at: Timestamp::from_micros(row.int(3)?),
            counted_by: row.text(4)?.into(),
            recounts: row.int(5)?,
            book: Quantity::from_milli(row.int(6)?),
            variance: Quantity::from_milli(row.int(7)?),
            decided_by: row.text(8)?.into(),
        })
    };
    let lines = tx.rows(LINES, &[no.into()])?;
    Ok(Count {
        no: row.int(0)?,
        location_no: row.int(1)?,
        closed: row.text(2)? == "closed",
        blind: row.int(3)? == 1,
        tolerance_permille: row.int(4)?,
        note: row.text(5)?.into(),
        version: row.int(6)?,
        created_by: row.text(7)?.into(),
        created_at: Timestamp::from_micros(row.int(8)?),
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
    })
}

fn store_head(tx: &mut Tx, count: &Count) -> Result<(), DbError> {
    let sql = "INSERT INTO stock_counts (no, location_no, state, blind, tolerance_permille, note, version, created_by, created_at, \
               updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (no) DO UPDATE SET \
               state = excluded.state, version = excluded.version, updated_at = excluded.updated_at";
    let now = tx.now().micros();
    tx.execute(
        sql,
        &[
            count.no.into(),
            count.location_no.into(),
            (if count.closed { "closed" } else { "open" }).into(),
            i64::from(count.blind).into(),
            count.tolerance_permille.into(),
            (&*count.note).into(),
            count.version.into(),
            (&*count.created_by).into(),
            count.created_at.micros().into(),
            now.into(),
        ],
    )?;
    tx.notify(db::Notice::Changed { what: "counts" });
    Ok(())
}

fn store_line(tx: &mut Tx, no: i64, line: &CountLine) -> Result<(), DbError> {
    let sql = "INSERT INTO stock_count_lines (count_no, variant_no, state, counted, counted_at, counted_by, recounts, book, variance, \
               decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (count_no, variant_no) DO UPDATE SET \
               state = excluded.state, counted = excluded.counted, counted_at = excluded.counted_at, \
               counted_by = excluded.counted_by, recounts = excluded.recounts, book = excluded.book, variance = excluded.variance, \
               decided_by = excluded.decided_by";
    tx.execute(
        sql,
        &[
            no.into(),
            line.variant_no.into(),
            line.state.as_str().into(),
            line.counted.milli().into(),
            line.counted_at.micros().into(),
            (&*line.counted_by).into(),
            line.recounts.into(),
            line.book.milli().into(),
            line.variance.milli().into(),
            (&*line.decided_by).into(),
        ],
    )?;
    tx.notify(db::Notice::Changed { what: "counts" });
    Ok(())
}
