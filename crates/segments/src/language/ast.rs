//! The tree of an expression.
use base::{DAY_US, HOUR_US, MINUTE_US, Timestamp};
use customers::counters::{FieldPath, Filter, Occurrence, Op, Test};
use db::event::Scalar;

/// A condition on a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// Two or more.
    Or(Vec<Expr>),
    /// Two or more.
    And(Vec<Expr>),
    Not(Box<Expr>),
    Value(Path, Test),
    Exists(Path),
    Aggregate(Box<Aggregate>, Op, Scalar),
    Sequence(Box<Sequence>),
    /// Membership of another segment, by name.
    InSegment(Box<str>),
}

/// Where a value of a person stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    Trait(FieldPath),
    /// The last known value of the context of the person's events.
    Context(FieldPath),
    /// `"granted"`, `"denied"`, or missing.
    Consent {
        channel: Box<str>,
        purpose: Box<str>,
    },
    /// All values of the kind; kinds such as `android.id` have a dot.
    Identifier(Box<str>),
}

/// What is computed of the chosen events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Count,
    Sum,
    Min,
    Max,
    First,
    Last,
    Distinct,
}

impl Function {
    /// All functions.
    pub const ALL: [Function; 7] = [
        Function::Count,
        Function::Sum,
        Function::Min,
        Function::Max,
        Function::First,
        Function::Last,
        Function::Distinct,
    ];
    /// The function's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Min => "min",
            Function::Max => "max",
            Function::First => "first",
            Function::Last => "last",
            Function::Distinct => "distinct",
        }
    }
}

/// `count("Order Completed".total where … in last 30 days)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    pub function: Function,
    /// As written; aliases are resolved when it is compiled.
    pub event: Box<str>,
    /// Of the properties; only `count` does without.
    pub field: Option<FieldPath>,
    pub filter: Option<Filter>,
    pub window: Option<Window>,
}

/// Which events an aggregate looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// `T − span < timestamp ≤ T`.
    Last { amount: u32, unit: Unit },
    /// `from ≤ timestamp < to`.
    Between { from: Date, to: Date },
    /// The period of the shop's calendar that holds T.
    Calendar(Calendar),
}

/// A unit of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Minutes,
    Hours,
    /// 86,400 seconds each.
    Days,
}

impl Unit {
    /// The unit's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
            Unit::Days => "days",
        }
    }
    /// Microseconds of one.
    pub fn micros(self) -> i64 {
        match self {
            Unit::Minutes => MINUTE_US,
            Unit::Hours => HOUR_US,
            Unit::Days => DAY_US,
        }
    }
}

/// A period of the shop's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
}

impl Calendar {
    /// The period's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Calendar::Day => "day",
            Calendar::Week => "week",
            Calendar::Month => "month",
        }
    }
}

/// A bound of `between`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Date {
    /// The start of a shop day.
    Day {
        year: u16,
        month: u8,
        day: u8,
    },
    Moment(Timestamp),
}

/// `seq("Checkout Started" then not "Order Completed" within 2 hours)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    pub first: Occurrence,
    /// Whether the second event must be absent.
    pub negated: bool,
    pub then: Occurrence,
    pub amount: u32,
    pub unit: Unit,
}
