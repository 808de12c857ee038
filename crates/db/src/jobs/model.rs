//! A job and what may be said of it.
use base::{SECOND_US, Timestamp};

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has begun it, or it was resumed.
    Queued,
    /// A piece of it is done.
    Running,
    /// All of it is done.
    Done,
    /// It could not go on; the reason says why.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

impl State {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
    /// The inverse of [`State::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Stopped].into_iter().find(|s| s.as_str() == text)
    }
    /// Whether there is still something to do.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// A job as it is stored. Moments are microseconds UTC, 0 = not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    /// Who does it.
    pub kind: String,
    /// What it is about, in the numbers of its kind; 0 = nothing in particular.
    pub subject: i64,
    pub state: State,
    /// How far it is, in units of its kind; below zero before anything was done.
    pub position: i64,
    /// Where it ends; 0 = nobody knows yet.
    pub total: i64,
    /// What was asked for: JSON or a text of its kind. Never changed.
    pub payload: String,
    /// Where to go on, where that is not one number.
    pub bookmark: String,
    /// What it is at, for people.
    pub note: String,
    /// Why it failed or was stopped.
    pub reason: String,
    /// Whether resuming may help.
    pub retryable: bool,
    /// JSON for whoever asked; empty until it is done.
    pub result: String,
    /// Pieces that were committed.
    pub pieces: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// When this run began: a resumed job begins anew.
    pub started_at: i64,
    /// The position at which this run began.
    pub started_from: i64,
    pub finished_at: i64,
    /// Nothing is done before this moment.
    pub not_before: i64,
    /// Who asked for it, as the audit names people.
    pub actor: String,
}

impl Job {
    /// Units a second in this run; 0 while nothing can be said.
    pub fn rate(&self) -> f64 {
        let seconds = (self.updated_at - self.started_at) as f64 / SECOND_US as f64;
        let done = self.position.max(0) - self.started_from;
        if self.started_at == 0 || seconds < 0.001 || done <= 0 { 0.0 } else { done as f64 / seconds }
    }
}

/// A job to be added.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub kind: &'a str,
    pub subject: i64,
    /// Where it begins; 0 for most.
    pub position: i64,
    /// Where it ends; 0 = nobody knows yet.
    pub total: i64,
    pub payload: &'a str,
    pub actor: &'a str,
}

impl<'a> New<'a> {
    /// A job of a kind with what was asked for; from nothing, to an end that nobody knows yet.
    pub fn of(kind: &'a str, payload: &'a str) -> Self {
        Self { kind, subject: 0, position: 0, total: 0, payload, actor: "" }
    }
}

/// How far a job is after a piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub position: i64,
    /// The end, when it is now known or moved.
    pub total: Option<i64>,
    /// What it is at, for people; without it the last note stays.
    pub note: Option<String>,
    /// Where to go on; without it the last one stays.
    pub bookmark: Option<String>,
    /// Nothing is to be done before this moment.
    pub not_before: Option<Timestamp>,
}

impl Progress {
    /// Further, and nothing else to say.
    pub fn to(position: i64) -> Self {
        Self { position, ..Self::default() }
    }
    /// Says what it is at.
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_as_they_were_stored() {
        for state in [State::Queued, State::Running, State::Done, State::Failed, State::Stopped] {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("paused"), None);
    }
}
