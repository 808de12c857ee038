//! Conditions on what an event carries: tests of single values, combined with and, or, not.
use super::json::{Json, ScalarRef};
use db::event::Scalar;
use std::fmt::{self, Write as _};

/// Where a value stands inside an object: the names from the outside in. Lists on the way stand for each of their
/// elements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    /// At least one name.
    pub names: Box<[Box<str>]>,
}

impl FieldPath {
    /// The path of these names.
    pub fn new<S: Into<Box<str>>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect() }
    }
    /// The outermost name.
    pub fn root(&self) -> &str {
        self.names.first().map_or("", |name| name)
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    /// The sign in the language.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Eq => "=",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
        }
    }
    /// Whether `left op right`. Values of different types never compare: every operator is false, `!=` too.
    pub fn holds(self, left: ScalarRef<'_>, right: ScalarRef<'_>) -> bool {
        use std::cmp::Ordering;
        let order = match (left, right) {
            (ScalarRef::Bool(a), ScalarRef::Bool(b)) => a.cmp(&b),
            (ScalarRef::Number(a), ScalarRef::Number(b)) => a.cmp(&b),
            // The order of UTF-8 bytes is the order of code points.
            (ScalarRef::Text(a), ScalarRef::Text(b)) => a.cmp(b),
            _ => return false,
        };
        match self {
            Op::Eq => order == Ordering::Equal,
            Op::Ne => order != Ordering::Equal,
            Op::Lt => order == Ordering::Less,
            Op::Le => order != Ordering::Greater,
            Op::Gt => order == Ordering::Greater,
            Op::Ge => order != Ordering::Less,
        }
    }
}

/// A condition on one value. A list passes when any of its elements does; who calls sees to that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    Compare(Op, Scalar),
    In(Vec<Scalar>),
    Contains(Box<str>),
    StartsWith(Box<str>),
}

impl Test {
    /// Whether the value passes.
    pub fn matches(&self, value: ScalarRef<'_>) -> bool {
        match self {
            Test::Compare(op, constant) => op.holds(value, constant.into()),
            Test::In(constants) => constants.iter().any(|constant| Op::Eq.holds(value, constant.into())),
            Test::Contains(part) => matches!(value, ScalarRef::Text(text) if text.contains(&**part)),
            Test::StartsWith(part) => matches!(value, ScalarRef::Text(text) if text.starts_with(&**part)),
        }
    }

    fn normal(self) -> Self {
        match self {
            Test::In(mut constants) => {
                constants.sort();
                constants.dedup();
                match <[Scalar; 1]>::try_from(constants) {
                    Ok([only]) => Test::Compare(Op::Eq, only),
                    Err(constants) => Test::In(constants),
                }
            }
            other => other,
        }
    }
}

/// A condition on an event's properties. There is no third truth value: what is missing makes a test false, and `not`
/// of false is true.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Exists(FieldPath),
    Field(FieldPath, Test),
}

impl Filter {
    /// Whether the properties pass. `Json::Null` stands for an event without properties.
    pub fn matches(&self, properties: &Json<'_>) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(properties)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(properties)),
            Filter::Not(part) => !part.matches(properties),
            Filter::Exists(path) => properties.exists(&path.names),
            Filter::Field(path, test) => properties.any(&path.names, &mut |value| test.matches(value)),
        }
    }

    /// The same condition in the form in which equal ones look alike: flat, sorted, without repetition.
    #[must_use]
    pub fn normal(self) -> Self {
        match self {
            Filter::All(parts) => gather(parts, Filter::All, |part| match part {
                Filter::All(inner) => Ok(inner),
                other => Err(other),
            }),
            Filter::Any(parts) => gather(parts, Filter::Any, |part| match part {
                Filter::Any(inner) => Ok(inner),
                other => Err(other),
            }),
            Filter::Not(part) => match part.normal() {
                Filter::Not(inner) => *inner,
                other => Filter::Not(Box::new(other)),
            },
            Filter::Field(path, test) => Filter::Field(path, test.normal()),
            Filter::Exists(path) => Filter::Exists(path),
        }
    }

    /// Calls `see` with every path that the condition looks at.
    pub fn paths<'f>(&'f self, see: &mut dyn FnMut(&'f FieldPath)) {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| part.paths(see)),
            Filter::Not(part) => part.paths(see),
            Filter::Exists(path) | Filter::Field(path, _) => see(path),
        }
    }
}

fn gather(
    parts: Vec<Filter>,
    join: fn(Vec<Filter>) -> Filter,
    open: fn(Filter) -> Result<Vec<Filter>, Filter>,
) -> Filter {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match open(part.normal()) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    flat.sort();
    flat.dedup();
    match <[Filter; 1]>::try_from(flat) {
        Ok([only]) => only,
        Err(flat) => join(flat),
    }
}

/// Writes a text in double quotes with the escapes that the language reads.
pub fn write_quoted(f: &mut dyn fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Whether a name can stand without quotes.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_name_char)
}

/// Letters, digits, `_`, `$`, `-`.
pub fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '-')
}

/// Writes a name of a path, in quotes where it needs them.
pub fn write_name(f: &mut dyn fmt::Write, name: &str) -> fmt::Result {
    if is_plain_name(name) { f.write_str(name) } else { write_quoted(f, name) }
}

/// Writes a value as the language reads it.
pub fn write_scalar(f: &mut dyn fmt::Write, value: &Scalar) -> fmt::Result {
    match value {
        Scalar::Bool(b) => write!(f, "{b}"),
        Scalar::Number(n) => write!(f, "{n}"),
        Scalar::Text(t) => write_quoted(f, t),
    }
}

impl fmt::Display for FieldPath {
    /// As it stands after an event name: `.total`, `."odd name"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.iter().try_for_each(|name| {
            f.write_char('.')?;
            write_name(f, name)
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Compare(op, constant) => {
                write!(f, "{} ", op.as_str())?;
                write_scalar(f, constant)
            }
            Test::In(constants) => {
                f.write_str("in [")?;
                for (at, constant) in constants.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    write_scalar(f, constant)?;
                }
                f.write_char(']')
            }
            Test::Contains(part) => {
                f.write_str("contains ")?;
                write_quoted(f, part)
            }
            Test::StartsWith(part) => {
                f.write_str("starts with ")?;
                write_quoted(f, part)
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |f: &mut fmt::Formatter<'_>, path: &FieldPath| match &*path.names {
            [root, rest @ ..] if &**root == "products" && !rest.is_empty() => {
                write!(f, "products[]{}", FieldPath { names: rest.into() })
            }
            _ => write!(f, "properties{path}"),
        };
        match self {
            Filter::Any(parts) => parts.iter().enumerate().try_for_each(|(at, part)| {
                f.write_str(if at > 0 { " or " } else { "" })?;
                if matches!(part, Filter::Any(_)) { write!(f, "({part})") } else { write!(f, "{part}") }
            }),
            Filter::All(parts) => parts.iter().enumerate().try_for_each(|(at, part)| {
                f.write_str(if at > 0 { " and " } else { "" })?;
                let loose = matches!(part, Filter::Any(_) | Filter::All(_));
                if loose { write!(f, "({part})") } else { write!(f, "{part}") }
            }),
            Filter::Not(part) => match &**part {
                Filter::Exists(_) | Filter::Field(..) => write!(f, "not {part}"),
                _ => write!(f, "not ({part})"),
            },
            Filter::Exists(at) => {
                f.write_str("exists ")?;
                path(f, at)
            }
            Filter::Field(at, test) => {
                path(f, at)?;
                write!(f, " {test}")
            }
        }
    }
}
