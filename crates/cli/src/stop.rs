//! How a command ends early: with what code, why, and what to type next.
use std::fmt::Display;

/// An end before the end.
#[derive(Debug)]
pub struct Stop {
    /// The exit code.
    pub code: u8,
    /// Why; `None` when everything was said already.
    pub error: Option<anyhow::Error>,
    /// What to do next.
    pub hint: Option<String>,
}

/// What commands give.
pub type Outcome = Result<(), Stop>;

impl Stop {
    /// Something did not work.
    pub fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 1, error: Some(error.into()), hint: None }
    }
    /// What was given cannot be used.
    pub fn bad_input(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: Some(error.into()), hint: None }
    }
    /// Ends with a code, without words.
    pub fn silent(code: u8) -> Self {
        Self { code, error: None, hint: None }
    }
    /// Says what to do next.
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(error)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        // Whoever reads our output has heard enough.
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::silent(0) } else { Self::failed(error) }
    }
}
