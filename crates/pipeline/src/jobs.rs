//! Who does the pieces of jobs that the writer does itself, and in which order.
//!
//! A [`Kind`] names a step: a function that does one bounded piece and says how far that brought the job. The ticker asks
//! the [`Runner`] for one piece at a time, between groups of commands; kinds take turns, and within a kind the oldest job
//! goes first. Piece and position are one transaction. A job whose pieces keep failing is failed with the reason, so that
//! it never holds up timers or other jobs. How to add a kind: docs/howto/add-job.md.
use crate::preparer::Preparer;
use db::jobs::{self, Job, JobError, Progress, State};
use db::reactor::NewEvent;
use db::{DbError, Tx};
use hashbrown::HashMap;
use std::sync::Arc;

/// Times that a piece is tried before its job is failed.
const TRIES: u32 = 5;

/// What a step brought about.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// There is more to do.
    More(Progress),
    /// Nothing is left; JSON for whoever asked, or nothing.
    Done(String),
    /// It cannot go on. What this step wrote stands; with `retryable` a person may resume it.
    Failed { reason: String, retryable: bool },
}

/// What a step gets besides transaction and job.
pub struct Hands<'a> {
    /// Reads bodies of the log.
    pub preparer: &'a Arc<Preparer>,
    /// Events that the step brings about; they are logged at the end of its transaction.
    pub appended: &'a mut Vec<NewEvent>,
}

/// Does one piece. Bounded: a few milliseconds, for events wait meanwhile.
pub type StepFn = Arc<dyn Fn(&mut Tx, &Job, &mut Hands<'_>) -> Result<Step, DbError> + Send + Sync>;

/// A kind of job.
#[derive(Clone)]
pub struct Kind {
    pub name: &'static str,
    /// Whether a person may stop and resume it.
    pub stoppable: bool,
    /// The step; without one somebody beside the writer brings the pieces as commands.
    pub step: Option<StepFn>,
}

impl Kind {
    /// A kind whose pieces the writer does between groups of commands.
    pub fn stepping(
        name: &'static str,
        step: impl Fn(&mut Tx, &Job, &mut Hands<'_>) -> Result<Step, DbError> + Send + Sync + 'static,
    ) -> Self {
        Self { name, stoppable: true, step: Some(Arc::new(step)) }
    }
    /// A kind whose pieces come from outside as commands that call [`db::jobs::progress`].
    pub fn brought(name: &'static str) -> Self {
        Self { name, stoppable: true, step: None }
    }
    /// A kind that only its owner stops.
    pub fn unstoppable(mut self) -> Self {
        self.stoppable = false;
        self
    }
}

/// Kinds that belong to rooms below the server. An erasure goes through the texts of rooms above with their `sweeps`.
pub fn kinds(sweeps: Vec<crate::erasure::Sweep>) -> Vec<Kind> {
    vec![
        crate::backfill::kind(),
        recount(),
        crate::erasure::kind(sweeps),
        crate::households::kind(),
        crate::rerun::kind(),
        crate::sources::reread::kind(),
    ]
}

/// Counts completeness of products anew after a family changed.
fn recount() -> Kind {
    Kind::stepping(catalog::recount::KIND, |tx, job, _| {
        Ok(match catalog::recount::step(tx, job)? {
            catalog::recount::Piece::More(progress) => Step::More(progress),
            catalog::recount::Piece::Done(result) => Step::Done(result),
        })
    })
    .unstoppable()
}

/// Stops a job for a person.
pub fn stop(tx: &mut Tx, kinds: &[Kind], id: i64) -> Result<(), StopError> {
    check(tx, kinds, id)?;
    Ok(jobs::stop(tx, id, "stopped by a person")?)
}

/// Lets a job go on for a person.
pub fn resume(tx: &mut Tx, kinds: &[Kind], id: i64) -> Result<(), StopError> {
    check(tx, kinds, id)?;
    Ok(jobs::resume(tx, id)?)
}

/// Why a job is neither stopped nor resumed.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// Only its owner may.
    #[error("a job of the kind {0} follows what it belongs to; change that instead")]
    Bound(String),
    #[error(transparent)]
    Job(#[from] JobError),
}

fn check(tx: &mut Tx, kinds: &[Kind], id: i64) -> Result<(), StopError> {
    let job = jobs::find(tx, id).map_err(JobError::from)?.ok_or(JobError::NotFound(id))?;
    match kinds.iter().find(|k| k.name == job.kind) {
        Some(kind) if !kind.stoppable => Err(StopError::Bound(job.kind)),
        _ => Ok(()),
    }
}

/// Failures of a job's next piece.
#[derive(Debug, Default)]
struct Strikes {
    times: u32,
    /// The pieces that were committed when it was last tried: one more, and the last try did succeed.
    pieces: i64,
    said: Option<String>,
}

/// Does the pieces. Its memory is advice only; what counts is in the database.
pub struct Runner {
    kinds: Arc<Vec<Kind>>,
    /// The kind that had its turn last.
    last: usize,
    strikes: HashMap<i64, Strikes>,
}

impl Runner {
    /// A runner for these kinds.
    pub fn new(kinds: Arc<Vec<Kind>>) -> Self {
        Self { kinds, last: 0, strikes: HashMap::new() }
    }

    /// The next moment at which there is a piece to do: 0 for now, `None` for never. Asked after every group.
    pub fn next_due(&self, tx: &mut Tx) -> Result<Option<i64>, DbError> {
        let open = jobs::open(tx)?;
        let own = |kind: &str| self.kinds.iter().any(|k| k.step.is_some() && k.name == kind);
        Ok(open.iter().filter(|w| own(&w.kind)).map(|w| w.not_before).min())
    }

    /// Does one piece of one job, if one is due.
    pub fn advance(
        &mut self,
        tx: &mut Tx,
        preparer: &Arc<Preparer>,
        appended: &mut Vec<NewEvent>,
    ) -> Result<(), DbError> {
        let Some((at, id)) = self.next(tx)? else { return Ok(()) };
        // Whoever fails now does not come first again.
        self.last = at;
        let Some(job) = jobs::find(tx, id)? else { return jobs::changed(tx) };
        let Some(step) = self.kinds[at].step.clone() else { return Ok(()) };
        let strikes = self.strikes.entry(id).or_default();
        if strikes.pieces != job.pieces || job.state == State::Queued && strikes.times > TRIES {
            *strikes = Strikes { pieces: job.pieces, ..Strikes::default() };
        }
        strikes.times += 1;
        if strikes.times > TRIES {
            let said = strikes.said.take().unwrap_or_else(|| "the log says why".into());
            return jobs::fail(tx, id, &format!("a piece of it failed {TRIES} times: {said}"), true);
        }
        let kept = appended.len();
        let done = step(tx, &job, &mut Hands { preparer, appended }).inspect_err(|error| {
            if let Some(strikes) = self.strikes.get_mut(&id) {
                strikes.said = Some(error.to_string());
            }
        })?;
        match done {
            Step::More(progress) => match jobs::progress(tx, id, &progress) {
                Ok(_) => return Ok(()),
                Err(JobError::Store(error)) => return Err(error),
                // The step itself, or what it called, ended or replaced the job.
                Err(_) => return Ok(()),
            },
            Step::Done(result) => jobs::finish(tx, id, &result)?,
            Step::Failed { reason, retryable } => {
                appended.truncate(kept);
                jobs::fail(tx, id, &reason, retryable)?;
            }
        }
        self.strikes.remove(&id);
        Ok(())
    }

    /// The kind whose turn it is, and its oldest job that is due.
    fn next(&self, tx: &mut Tx) -> Result<Option<(usize, i64)>, DbError> {
        let now = tx.now().micros();
        let open = jobs::open(tx)?;
        if open.is_empty() {
            return Ok(None);
        }
        for after in 1..=self.kinds.len() {
            let at = (self.last + after) % self.kinds.len();
            let kind = &self.kinds[at];
            if kind.step.is_none() {
                continue;
            }
            // Within a kind jobs go in order: one that waits for its moment holds up those behind it.
            if let Some(waiting) = open.iter().find(|w| w.kind == kind.name)
                && waiting.not_before <= now
            {
                return Ok(Some((at, waiting.id)));
            }
        }
        Ok(None)
    }
}
