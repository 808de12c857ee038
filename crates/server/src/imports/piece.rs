//! One piece of a file in one transaction: its events and how far the import is after it.
use db::event::Batch;
use db::jobs::{self, JobError, Progress, State};
use db::writer::{Command, Verdict};
use db::{DbError, Tx};
use pipeline::Preparer;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What became of the rows so far; the bookmark of the job and, at its end, part of its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub rows: u64,
    /// Messages of the tracking API that were new.
    pub events: u64,
    /// Messages that were there.
    pub duplicates: u64,
    /// Rows that could not be taken.
    pub rejected_rows: u64,
    /// Values that were left out of rows that were taken.
    pub dropped_values: u64,
}

impl Tally {
    /// Both.
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            events: self.events + other.events,
            duplicates: self.duplicates + other.duplicates,
            rejected_rows: self.rejected_rows + other.rejected_rows,
            dropped_values: self.dropped_values + other.dropped_values,
        }
    }
    /// As people read it.
    pub fn note(&self) -> String {
        format!("{} rows, {} new events, {} rows not taken", self.rows, self.events, self.rejected_rows)
    }
}

/// Why a piece was not written.
#[derive(Debug)]
pub enum Refused {
    /// The job was stopped.
    Stopped(State),
    Store(DbError),
}

/// Who hears what became of a piece.
pub type Reply = Box<dyn FnOnce(Result<(), Refused>) + Send>;

/// The command that writes a piece.
pub struct Piece {
    pub preparer: Arc<Preparer>,
    pub job: i64,
    /// Events; nothing when every row of the piece was bad.
    pub batch: Option<Batch>,
    /// What the piece adds, but for events and duplicates, which only the log knows.
    pub adds: Tally,
    /// Rows of the file up to the piece's end.
    pub upto: u64,
    pub refused: Option<State>,
    pub reply: Reply,
}

impl Command for Piece {
    fn run(&mut self, tx: &mut Tx) -> Result<Verdict, DbError> {
        self.refused = None;
        let job = jobs::find(tx, self.job)?;
        let state = job.as_ref().map_or(State::Stopped, |j| j.state);
        let Some(job) = job.filter(|j| j.state.is_open()) else {
            self.refused = Some(state);
            return Ok(Verdict::Keep);
        };
        let before: Tally = serde_json::from_str(&job.bookmark).unwrap_or_default();
        let mut adds = self.adds;
        if let Some(batch) = &mut self.batch {
            let done = pipeline::ingest(tx, &self.preparer, batch)?;
            adds.duplicates = done.duplicates.len() as u64;
            adds.events = batch.events.len() as u64 - adds.duplicates;
        }
        let tally = before.plus(adds);
        let bookmark = serde_json::to_string(&tally).unwrap_or_default();
        let progress = Progress { bookmark: Some(bookmark), ..Progress::to(self.upto as i64).noting(tally.note()) };
        match jobs::progress(tx, self.job, &progress) {
            Ok(_) => Ok(Verdict::Keep),
            Err(JobError::Store(error)) => Err(error),
            Err(_) => Ok(Verdict::Undo),
        }
    }
    fn finish(self: Box<Self>, outcome: Result<(), DbError>) {
        let said = match (outcome, self.refused) {
            (Err(error), _) => Err(Refused::Store(error)),
            (Ok(()), Some(state)) => Err(Refused::Stopped(state)),
            (Ok(()), None) => Ok(()),
        };
        (self.reply)(said);
    }
    fn size(&self) -> usize {
        self.batch.as_ref().map_or(1, |b| b.events.len().max(1))
    }
    fn name(&self) -> &'static str {
        "import"
    }
}
