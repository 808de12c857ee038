//! What is wrong with an expression, where, and what to write instead.
use std::fmt;

/// An expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SyntaxError {
    /// Byte in the text, from 0.
    pub offset: usize,
    pub problem: Problem,
    /// What helps, as a sentence without its full stop.
    pub hint: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(offset: usize, problem: Problem) -> Self {
        Self { offset, problem, hint: None }
    }
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The kinds of mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Something else stands there.
    Expected { expected: String, found: String },
    /// A string without its closing quote; the offset is that of the opening one.
    Unterminated,
    /// An escape that JSON does not know.
    Escape,
    /// A number that is none, or does not fit.
    Number(String),
    /// A date that is none.
    Date(String),
    /// Every function but `count` is about a field of the event.
    NeedsField(&'static str),
    /// A number outside its limits.
    Limit { what: &'static str, max: u32 },
    /// More bytes than an expression may have.
    TooLong { bytes: usize },
    /// More nested brackets than allowed.
    TooDeep,
    /// More conditions than allowed.
    TooMany,
    /// A condition that exists elsewhere in the plans but not here yet.
    NotYet(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Expected { expected, found } => write!(f, "expected {expected}, found {found}"),
            Problem::Unterminated => f.write_str("this string has no closing quote"),
            Problem::Escape => f.write_str("this string has an unknown escape"),
            Problem::Number(text) => write!(f, "{text:?} is no number that can be compared"),
            Problem::Date(text) => write!(f, "{text:?} is no date"),
            Problem::NeedsField(function) => write!(f, "{function} needs a field of the event"),
            Problem::Limit { what, max } => write!(f, "{what} must be from 1 to {max}"),
            Problem::TooLong { bytes } => {
                write!(f, "the expression has {bytes} bytes, at most {} are allowed", super::TEXT_MAX)
            }
            Problem::TooDeep => write!(f, "more than {} nested brackets", super::DEPTH_MAX),
            Problem::TooMany => write!(f, "more than {} conditions", super::ATOMS_MAX),
            Problem::NotYet(what) => write!(f, "{what} is not part of the language yet"),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.problem)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Of the words that could stand there the one that was probably meant: at most two letters away.
pub(super) fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let best = known.iter().map(|k| (distance(&lower, k), *k)).min()?;
    (best.0 <= 2 && best.0 < best.1.len() && word.len() <= 24).then_some(best.1)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
