//! Traits that a shop defines itself: a name, a [`Formula`] over the same counters as segments, and a type.
//!
//! A value is never stored. It follows from the counters of a person's state at the moment of asking, as a segment's answer
//! does, and says how long it holds. Nothing is counted twice: a condition on `trait.NAME` reads the counters that the trait
//! reads, and a shop without computed traits counts nothing more. (ADR 0026)
use crate::compile::{Compiler, Counter, Dependencies, Moving, Unbound, keep, moving};
use crate::evaluate::{PersonView, bounds};
use crate::language::{Arithmetic, Formula, Function, THRESHOLD_MAX};
use base::{Decimal, Timestamp};
use customers::counters::{CounterSet, Kind, Meaning, Summary};
use db::event::Scalar;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What a computed trait is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub formula: Formula,
    pub kind: Kind,
}

/// Computed traits by name.
pub type Known = BTreeMap<Box<str>, Definition>;

/// A value and how long it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Empty when it is not known; several when the event's field held a list.
    pub values: Vec<Scalar>,
    /// The earliest moment at which it may become another if nothing happens until then.
    pub valid_until: Option<Timestamp>,
}

/// A formula over counters.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Number(Decimal),
    Of { counter: usize, function: Function, window: Moving, kind: Kind },
    Pair(Box<Value>, Arithmetic, Box<Value>),
}

/// A formula, ready to be evaluated over and over.
#[derive(Debug, Clone)]
pub struct Plan {
    root: Value,
    counters: Vec<Counter>,
    dependencies: Dependencies,
}

/// Why a formula does not give the type that was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// Only numbers are counted, added and divided.
    #[error("{0} gives a number; say that the trait is a number")]
    Number(String),
}

/// Checks that a formula gives what it is said to give.
pub fn check(formula: &Formula, kind: Kind) -> Result<(), TypeError> {
    let number = match formula {
        Formula::Number(_) | Formula::Pair(..) => Some("arithmetic".to_string()),
        Formula::Of(aggregate) => match aggregate.function {
            Function::Count | Function::Sum | Function::Distinct => Some(aggregate.function.as_str().to_string()),
            _ => None,
        },
    };
    match number {
        Some(what) if kind != Kind::Number => Err(TypeError::Number(what)),
        _ => Ok(()),
    }
}

/// Compiles a formula. `zone` is the shop's.
pub fn compile(definition: &Definition, zone: &TimeZone) -> Plan {
    let known = Known::new();
    let mut compiler = Compiler::new(zone, &known);
    let root = compiler.formula(&definition.formula, definition.kind);
    Plan { root, counters: compiler.counters, dependencies: compiler.dependencies }
}

impl Plan {
    /// What must be counted, in normal form, each once.
    pub fn meanings(&self) -> impl Iterator<Item = &Meaning> + Clone {
        self.counters.iter().map(|counter| &counter.meaning)
    }
    /// Connects the plan with the counters that are kept.
    pub fn bind(&mut self, set: &CounterSet) -> Result<(), Unbound> {
        for counter in &mut self.counters {
            let missing = || Unbound { meaning: Box::new(counter.meaning.clone()) };
            counter.id = set.find_id(&counter.meaning).ok_or_else(missing)?;
        }
        self.dependencies.counters = self.counters.iter().map(|counter| counter.id).collect();
        self.dependencies.counters.sort_unstable();
        Ok(())
    }
    /// What can change the value.
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }
    /// The value at `at`, which must not be before the person's newest event. O(entries in its windows).
    pub fn value(&self, person: &dyn PersonView, at: Timestamp, zone: &TimeZone) -> Answer {
        value(&self.root, &self.counters, person, at, zone)
    }
}

impl Compiler<'_> {
    pub(crate) fn formula(&mut self, formula: &Formula, kind: Kind) -> Value {
        match formula {
            Formula::Number(number) => Value::Number(*number),
            Formula::Pair(a, sign, b) => {
                let a = self.formula(a, Kind::Number);
                Value::Pair(Box::new(a), *sign, Box::new(self.formula(b, Kind::Number)))
            }
            Formula::Of(aggregate) => {
                let (window, span_us) = moving(aggregate);
                self.dependencies.time |= window != Moving::Still;
                let span = (window != Moving::Still).then_some(span_us);
                let keep = keep(aggregate.function, kind, THRESHOLD_MAX, span);
                let counter = self.chosen(aggregate, keep);
                Value::Of { counter, function: aggregate.function, window, kind }
            }
        }
    }
}

/// The value of a formula.
pub(crate) fn value(
    node: &Value,
    counters: &[Counter],
    person: &dyn PersonView,
    at: Timestamp,
    zone: &TimeZone,
) -> Answer {
    match node {
        Value::Number(number) => Answer { values: vec![Scalar::Number(*number)], valid_until: None },
        Value::Of { counter, function, window, kind } => {
            let summary = person.counter(counters[*counter].id);
            let mut answer = of_counter(*function, *window, summary.as_deref(), at, zone);
            answer.values.retain(|value| Kind::of(value.into()) == *kind);
            answer
        }
        Value::Pair(a, sign, b) => {
            let a = value(a, counters, person, at, zone);
            let b = value(b, counters, person, at, zone);
            let valid_until = match (a.valid_until, b.valid_until) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let known = (number(&a), number(&b));
            let found = if let (Some(a), Some(b)) = known { arithmetic(a, *sign, b) } else { None };
            Answer { values: found.map(Scalar::Number).into_iter().collect(), valid_until }
        }
    }
}

/// A value as JSON: nothing when it is not known, a list when the event's field held one. Numbers keep their digits.
pub fn json(values: &[Scalar]) -> Option<serde_json::Value> {
    let one = |value: &Scalar| match value {
        Scalar::Bool(b) => serde_json::Value::Bool(*b),
        Scalar::Number(n) => serde_json::from_str(&n.to_string()).unwrap_or_default(),
        Scalar::Text(text) => serde_json::Value::String(text.to_string()),
    };
    match values {
        [] => None,
        [only] => Some(one(only)),
        all => Some(all.iter().map(one).collect()),
    }
}

/// Of a list the first number; sums and counts have just one.
fn number(answer: &Answer) -> Option<Decimal> {
    answer.values.iter().find_map(|value| match value {
        Scalar::Number(number) => Some(*number),
        _ => None,
    })
}

/// Nine places, rounded half away from zero; `None` for a division by zero and beyond the range.
pub fn arithmetic(a: Decimal, sign: Arithmetic, b: Decimal) -> Option<Decimal> {
    const ONE: i128 = 1_000_000_000;
    let (a, b) = (a.billionths(), b.billionths());
    let rounded = |value: i128, by: i128| -> Option<i128> {
        let (whole, rest) = (value.checked_div(by)?, value.checked_rem(by)?);
        let up = rest.unsigned_abs() >= by.unsigned_abs().div_ceil(2);
        whole.checked_add(if !up {
            0
        } else if (value < 0) == (by < 0) {
            1
        } else {
            -1
        })
    };
    let out = match sign {
        Arithmetic::Plus => a.checked_add(b)?,
        Arithmetic::Minus => a.checked_sub(b)?,
        Arithmetic::Times => rounded(a.checked_mul(b)?, ONE)?,
        Arithmetic::By => rounded(a.checked_mul(ONE)?, b)?,
    };
    Some(Decimal::from_billionths(out))
}

fn of_counter(function: Function, window: Moving, summary: Option<&Summary>, at: Timestamp, zone: &TimeZone) -> Answer {
    let number = |n: Decimal| vec![Scalar::Number(n)];
    let counted = |n: usize| number(Decimal::from_int(n as i64));
    let still = |values: Vec<Scalar>| Answer { values, valid_until: None };
    let nothing = || match function {
        Function::Count | Function::Sum | Function::Distinct => number(Decimal::ZERO),
        _ => Vec::new(),
    };
    let moving = |len: usize, time: &dyn Fn(usize) -> i64, values: &dyn Fn(usize, usize) -> Vec<Scalar>| {
        let (from, to, valid_until) = bounds(window, at, zone, len, time);
        Answer { values: if from < to { values(from, to) } else { nothing() }, valid_until }
    };
    match summary {
        None => still(nothing()),
        Some(Summary::Count(n)) => still(number(Decimal::from_int(i64::try_from(*n).unwrap_or(i64::MAX)))),
        Some(Summary::Sum(sum)) => still(number(**sum)),
        Some(Summary::Distinct(values)) => still(counted(values.len())),
        Some(Summary::Extreme(value)) => still(vec![(**value).clone()]),
        Some(Summary::Register(held)) if window == Moving::Still => still(held.values.to_vec()),
        Some(Summary::Register(held)) => moving(1, &|_| held.at, &|_, _| held.values.to_vec()),
        Some(Summary::WindowSum(entries)) => moving(entries.len(), &|i| entries[i].0, &|from, to| {
            number(entries[from..to].iter().fold(Decimal::ZERO, |sum, (_, n)| sum.plus(*n)))
        }),
        Some(Summary::WindowDistinct(entries)) => {
            moving(entries.len(), &|i| entries[i].0, &|from, to| counted(to - from))
        }
        // The oldest entry left is the best of those left.
        Some(Summary::WindowExtreme(entries)) => {
            moving(entries.len(), &|i| entries[i].0, &|from, _| vec![entries[from].1.clone()])
        }
        Some(Summary::WindowFirst(entries)) => {
            moving(entries.len(), &|i| entries[i].at, &|from, _| entries[from].values.to_vec())
        }
        Some(Summary::Newest(_) | Summary::Sequence(_)) => still(Vec::new()),
    }
}

#[cfg(test)]
mod tests;
