//! What is counted and what is kept of it.
use super::filter::{FieldPath, Filter, write_quoted};
use super::json::ScalarRef;
use base::{SECOND_US, Timestamp};
use std::fmt::{self, Write as _};

/// The type of value that a minimum or maximum is asked about; others do not take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Bool,
    Number,
    Text,
}

impl Kind {
    /// The type of a value.
    pub fn of(value: ScalarRef<'_>) -> Self {
        match value {
            ScalarRef::Bool(_) => Kind::Bool,
            ScalarRef::Number(_) => Kind::Number,
            ScalarRef::Text(_) => Kind::Text,
        }
    }
}

/// Events of one name that pass a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurrence {
    /// The name after aliases.
    pub event: Box<str>,
    pub filter: Option<Filter>,
}

/// Which events count, and which of their values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Events of one name, whole or one field of them; with `between` only those with `from ≤ timestamp < to`.
    Events { what: Occurrence, field: Option<FieldPath>, between: Option<(Timestamp, Timestamp)> },
    /// A value of the context of any event, of any call.
    Context(FieldPath),
    /// Events of two roles, for [`Keep::Sequence`].
    Pair { first: Occurrence, then: Occurrence },
}

/// What a trailing window keeps of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Within {
    /// How many events: one number a timestamp, kept like a sum, so that what a window has left is forgotten.
    Count,
    /// Numbers to be added: one total a timestamp.
    Sum,
    /// Values that can still become the least: each smaller than all that came after it.
    Least(Kind),
    /// The same for the greatest.
    Greatest(Kind),
    /// Every event with its values, for the first of the window.
    First,
    /// The `k` values seen last, each with the newest time at which it was seen.
    Distinct { k: u32 },
}

/// What is kept, so that the question can be answered exactly and the state stays bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// How many there were.
    Count,
    /// The times of the `k` newest: enough to say of any window or calendar period how many it holds, up to `k`.
    Newest { k: u32 },
    /// The sum of the numbers.
    Sum,
    /// The least value of a type.
    Least(Kind),
    /// The greatest value of a type.
    Greatest(Kind),
    /// The values of the event with the least `(timestamp, message_id)`.
    First,
    /// The values of the event with the greatest `(timestamp, message_id)`; enough for windows too.
    Last,
    /// The `k` least distinct values: enough to say how many there are, up to `k`.
    Distinct { k: u32 },
    /// Entries newer than the newest minus `span_us`. Since nobody asks about a moment before the newest event, that is
    /// all that any question can need.
    Window { span_us: i64, what: Within },
    /// One event and then (or then not) another, at most `within_us` later.
    Sequence { within_us: i64, negated: bool },
}

impl Keep {
    /// Whether a value takes part.
    pub fn takes(self, value: ScalarRef<'_>) -> bool {
        let kind = Kind::of(value);
        match self {
            Keep::Count | Keep::Newest { .. } | Keep::Sequence { .. } => false,
            Keep::Window { what: Within::Count, .. } => false,
            Keep::Sum | Keep::Window { what: Within::Sum, .. } => match value {
                ScalarRef::Number(n) => n.billionths().unsigned_abs() <= ADDEND_MAX,
                _ => false,
            },
            Keep::Least(k) | Keep::Greatest(k) | Keep::Window { what: Within::Least(k) | Within::Greatest(k), .. } => {
                k == kind
            }
            Keep::First | Keep::Last | Keep::Distinct { .. } | Keep::Window { .. } => true,
        }
    }
    /// Whether an event without a value that takes part still counts.
    pub fn takes_bare(self) -> bool {
        matches!(self, Keep::Count | Keep::Newest { .. } | Keep::First | Keep::Last | Keep::Sequence { .. })
            || matches!(self, Keep::Window { what: Within::First | Within::Count, .. })
    }
}

/// A number beyond ±10¹⁸ is left out of sums (in billionths), so that no sum can reach the end of the range, where it
/// would depend on the order.
const ADDEND_MAX: u128 = 1_000_000_000_000_000_000_000_000_000;

/// One thing that is counted per profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The number under which summaries are stored; never used for another meaning.
    pub id: u32,
    pub meaning: Meaning,
}

/// What a definition means. Two segments that mean the same share a counter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meaning {
    pub counted: Counted,
    pub keep: Keep,
}

impl Meaning {
    /// The same meaning in the form in which equal ones look alike.
    #[must_use]
    pub fn normal(self) -> Self {
        let tidy = |o: Occurrence| Occurrence { event: o.event, filter: o.filter.map(Filter::normal) };
        let counted = match self.counted {
            Counted::Events { what, field, between } => Counted::Events { what: tidy(what), field, between },
            Counted::Pair { first, then } => Counted::Pair { first: tidy(first), then: tidy(then) },
            context => context,
        };
        Self { counted, keep: self.keep }
    }
}

fn write_occurrence(f: &mut fmt::Formatter<'_>, what: &Occurrence, field: Option<&FieldPath>) -> fmt::Result {
    write_quoted(f, &what.event)?;
    if let Some(field) = field {
        write!(f, "{field}")?;
    }
    match &what.filter {
        Some(filter) => write!(f, " where {filter}"),
        None => Ok(()),
    }
}

impl fmt::Display for Meaning {
    /// A text that only equal meanings share; it is stored as the key under which a counter's id is found again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.keep {
            Keep::Sequence { within_us, negated } => {
                write!(f, "seq {}us{} of ", within_us, if negated { " not" } else { "" })?;
            }
            Keep::Window { span_us, what } => write!(f, "window {span_us}us {what:?} of ")?,
            keep => write!(f, "{keep:?} of ")?,
        }
        match &self.counted {
            Counted::Events { what, field, between } => {
                write_occurrence(f, what, field.as_ref())?;
                match between {
                    Some((from, to)) => write!(f, " between {from} and {to}"),
                    None => Ok(()),
                }
            }
            Counted::Context(path) => write!(f, "context{path}"),
            Counted::Pair { first, then } => {
                write_occurrence(f, first, None)?;
                f.write_str(" then ")?;
                write_occurrence(f, then, None)?;
                f.write_char('.')
            }
        }
    }
}

/// The span that a calendar window keeps: no day, ISO week or month is longer, changes of the clock included.
pub const CALENDAR_SPAN_US: i64 = 32 * 86_400 * SECOND_US;
