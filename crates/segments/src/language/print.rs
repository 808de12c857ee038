//! Tree to text: one normal text for each tree, which parses to the same tree.
use super::ast::{Aggregate, Date, Expr, Path, Sequence, Window};
use customers::counters::Occurrence;
use customers::counters::filter::{write_name, write_quoted, write_scalar};
use std::fmt::{self, Write as _};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Or(parts) => join(f, parts, " or ", |part| matches!(part, Expr::Or(_))),
            Expr::And(parts) => join(f, parts, " and ", |part| matches!(part, Expr::Or(_) | Expr::And(_))),
            Expr::Not(part) if matches!(**part, Expr::Or(_) | Expr::And(_) | Expr::Not(_)) => write!(f, "not ({part})"),
            Expr::Not(part) => write!(f, "not {part}"),
            Expr::Value(path, test) => write!(f, "{path} {test}"),
            Expr::Exists(path) => write!(f, "exists {path}"),
            Expr::Aggregate(aggregate, op, value) => {
                write!(f, "{aggregate} {} ", op.as_str())?;
                write_scalar(f, value)
            }
            Expr::Sequence(sequence) => sequence.fmt(f),
            Expr::InSegment(name) => {
                f.write_str("in segment(")?;
                write_quoted(f, name)?;
                f.write_char(')')
            }
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, loose: fn(&Expr) -> bool) -> fmt::Result {
    parts.iter().enumerate().try_for_each(|(at, part)| {
        f.write_str(if at > 0 { word } else { "" })?;
        if loose(part) { write!(f, "({part})") } else { write!(f, "{part}") }
    })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Trait(path) => write!(f, "trait{path}"),
            Path::Context(path) => write!(f, "context{path}"),
            Path::Consent { channel, purpose } => {
                f.write_str("consent.")?;
                write_name(f, channel)?;
                f.write_char('.')?;
                write_name(f, purpose)
            }
            Path::Identifier(kind) => {
                f.write_str("identifier.")?;
                // The dots of a kind such as `android.id` may stand outside quotes.
                let plain = kind.split('.').all(customers::counters::filter::is_plain_name);
                if plain { f.write_str(kind) } else { write_quoted(f, kind) }
            }
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.as_str())?;
        write_quoted(f, &self.event)?;
        if let Some(field) = &self.field {
            write!(f, "{field}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " where {filter}")?;
        }
        if let Some(window) = &self.window {
            write!(f, " {window}")?;
        }
        f.write_char(')')
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Last { amount, unit } => write!(f, "in last {amount} {}", unit.as_str()),
            Window::Between { from, to } => write!(f, "between {from} and {to}"),
            Window::Calendar(period) => write!(f, "in calendar {}", period.as_str()),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Date::Day { year, month, day } => write!(f, "{year:04}-{month:02}-{day:02}"),
            Date::Moment(moment) => write!(f, "{moment}"),
        }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occurrence = |f: &mut fmt::Formatter<'_>, what: &Occurrence| {
            write_quoted(f, &what.event)?;
            match &what.filter {
                Some(filter) => write!(f, " where {filter}"),
                None => Ok(()),
            }
        };
        f.write_str("seq(")?;
        occurrence(f, &self.first)?;
        f.write_str(if self.negated { " then not " } else { " then " })?;
        occurrence(f, &self.then)?;
        write!(f, " within {} {})", self.amount, self.unit.as_str())
    }
}
