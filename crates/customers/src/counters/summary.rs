//! The state of one counter: a function of the *set* of events that it saw.
//!
//! Whatever the order and the partition of the events, folding and merging end in the same value, byte for byte. Every
//! variant is therefore a canonical form: sorted, without repetition, pruned by a rule that looks at the set only.
use super::definition::{Keep, Within};
use super::sequence::Sequence;
use super::window;
use base::Decimal;
use db::DbError;
use db::event::Scalar;
use db::pack::{Reader, put_bytes, put_i64, put_u64};

/// The values of one event, ordered as events are: by time, then by message id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Register {
    pub at: i64,
    pub message_id: Box<str>,
    /// Sorted, distinct. Empty when the field holds something that cannot be compared, such as an object.
    pub values: Box<[Scalar]>,
}

/// What is known of one counter of one profile, or of a person after merging. The variant follows from [`Keep`].
///
/// Everything but the two hot ones is boxed, so that a list of summaries stays small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// How many.
    Count(u64),
    /// The newest times, ascending, with repetition.
    Newest(Vec<i64>),
    Sum(Box<Decimal>),
    /// The least or greatest value.
    Extreme(Box<Scalar>),
    /// The first or last event's values.
    Register(Box<Register>),
    /// The least distinct values, ascending.
    Distinct(Box<Vec<Scalar>>),
    /// Per time, ascending, the sum of its numbers.
    WindowSum(Box<Vec<(i64, Decimal)>>),
    /// By time, ascending, the values that none at or after their time outdoes.
    WindowExtreme(Box<Vec<(i64, Scalar)>>),
    /// Events, ascending.
    WindowFirst(Box<Vec<Register>>),
    /// Distinct values by their newest time, ascending.
    WindowDistinct(Box<Vec<(i64, Scalar)>>),
    Sequence(Box<Sequence>),
}

impl Summary {
    /// The state before the first event.
    pub fn empty(keep: Keep) -> Option<Self> {
        Some(match keep {
            Keep::Count => Summary::Count(0),
            Keep::Newest { .. } => Summary::Newest(Vec::new()),
            Keep::Sum => Summary::Sum(Box::default()),
            Keep::Distinct { .. } => Summary::Distinct(Box::default()),
            Keep::Sequence { .. } => Summary::Sequence(Box::default()),
            Keep::Window { what, .. } => match what {
                Within::Sum | Within::Count => Summary::WindowSum(Box::default()),
                Within::Least(_) | Within::Greatest(_) => Summary::WindowExtreme(Box::default()),
                Within::First => Summary::WindowFirst(Box::default()),
                Within::Distinct { .. } => Summary::WindowDistinct(Box::default()),
            },
            // These have no value before there is one.
            Keep::Least(_) | Keep::Greatest(_) | Keep::First | Keep::Last => return None,
        })
    }

    /// The state after one event alone. `None` when its values say nothing, which [`super::CounterSet::hits`] never hands out.
    pub fn of(keep: Keep, at: i64, message_id: &str, values: &[Scalar]) -> Option<Self> {
        let mut summary = match keep {
            Keep::Least(_) => Summary::Extreme(Box::new(values.iter().min()?.clone())),
            Keep::Greatest(_) => Summary::Extreme(Box::new(values.iter().max()?.clone())),
            Keep::First | Keep::Last => Summary::Register(Box::new(register(at, message_id, values))),
            other => Summary::empty(other)?,
        };
        summary.fold(keep, at, message_id, values);
        Some(summary)
    }

    /// Adds one event. O(1) for counts; O(k) or O(log n) for what keeps lists.
    pub fn fold(&mut self, keep: Keep, at: i64, message_id: &str, values: &[Scalar]) {
        match (self, keep) {
            (Summary::Count(count), _) => *count += 1,
            (Summary::Newest(times), Keep::Newest { k }) => insert_newest(times, at, k as usize),
            (Summary::Sum(sum), _) => numbers(values).for_each(|n| **sum = sum.plus(n)),
            (Summary::Extreme(best), _) => values.iter().for_each(|value| take_better(best, value, keep)),
            (Summary::Register(held), _) => {
                // Times first: a message id and values are only copied when this event wins.
                let first = keep == Keep::First;
                if at == held.at || (at < held.at) == first {
                    let new = register(at, message_id, values);
                    if new != **held && (new < **held) == first {
                        **held = new;
                    }
                }
            }
            (Summary::Distinct(held), Keep::Distinct { k }) => {
                values.iter().for_each(|value| insert_distinct(held, value, k as usize));
            }
            (Summary::WindowSum(entries), Keep::Window { span_us, what: Within::Count }) => {
                window::insert_sum(entries, at, Decimal::from_int(1), span_us);
            }
            (Summary::WindowSum(entries), Keep::Window { span_us, .. }) => {
                let total = numbers(values).fold(Decimal::ZERO, Decimal::plus);
                window::insert_sum(entries, at, total, span_us);
            }
            (Summary::WindowExtreme(entries), Keep::Window { span_us, what }) => {
                let greatest = matches!(what, Within::Greatest(_));
                for value in values {
                    window::insert_extreme(entries, at, value, greatest, span_us);
                }
            }
            (Summary::WindowFirst(entries), Keep::Window { span_us, .. }) => {
                window::insert_register(entries, register(at, message_id, values), span_us);
            }
            (Summary::WindowDistinct(entries), Keep::Window { span_us, what: Within::Distinct { k } }) => {
                for value in values {
                    window::insert_distinct(entries, at, value, k as usize, span_us);
                }
            }
            (Summary::Sequence(sequence), Keep::Sequence { within_us, negated }) => {
                // Second first: an event of both roles does not answer itself, whichever comes first.
                if values.contains(&THEN) {
                    sequence.insert_then(at, within_us, negated);
                }
                if values.contains(&FIRST) {
                    sequence.insert_first(at, within_us, negated);
                }
            }
            _ => debug_assert!(false, "a summary of another kind than its definition"),
        }
    }

    /// Adds what another, disjoint set of events showed.
    pub fn merge(&mut self, keep: Keep, other: &Summary) {
        match (self, other) {
            (Summary::Count(a), Summary::Count(b)) => *a += b,
            (Summary::Newest(a), Summary::Newest(b)) => {
                let Keep::Newest { k } = keep else { return };
                b.iter().for_each(|at| insert_newest(a, *at, k as usize));
            }
            (Summary::Sum(a), Summary::Sum(b)) => **a = a.plus(**b),
            (Summary::Extreme(a), Summary::Extreme(b)) => take_better(a, b, keep),
            (Summary::Register(a), Summary::Register(b)) => {
                if a != b && (b < a) == (keep == Keep::First) {
                    a.clone_from(b);
                }
            }
            (Summary::Distinct(a), Summary::Distinct(b)) => {
                let Keep::Distinct { k } = keep else { return };
                b.iter().for_each(|value| insert_distinct(a, value, k as usize));
            }
            (Summary::Sequence(a), Summary::Sequence(b)) => {
                let Keep::Sequence { within_us, negated } = keep else { return };
                a.merge(b, within_us, negated);
            }
            (held, other) => {
                let Keep::Window { span_us, what } = keep else { return };
                held.merge_window(span_us, what, other);
            }
        }
    }

    fn merge_window(&mut self, span_us: i64, what: Within, other: &Summary) {
        match (self, other) {
            (Summary::WindowSum(a), Summary::WindowSum(b)) => {
                b.iter().for_each(|(at, total)| window::insert_sum(a, *at, *total, span_us));
            }
            (Summary::WindowExtreme(a), Summary::WindowExtreme(b)) => {
                let greatest = matches!(what, Within::Greatest(_));
                b.iter().for_each(|(at, value)| window::insert_extreme(a, *at, value, greatest, span_us));
            }
            (Summary::WindowFirst(a), Summary::WindowFirst(b)) => {
                b.iter().for_each(|entry| window::insert_register(a, entry.clone(), span_us));
            }
            (Summary::WindowDistinct(a), Summary::WindowDistinct(b)) => {
                let Within::Distinct { k } = what else { return };
                b.iter().for_each(|(at, value)| window::insert_distinct(a, *at, value, k as usize, span_us));
            }
            _ => debug_assert!(false, "summaries of different kinds"),
        }
    }

    /// Whether the variant is the one that belongs to `keep`.
    pub fn fits(&self, keep: Keep) -> bool {
        match Summary::empty(keep) {
            Some(empty) => std::mem::discriminant(&empty) == std::mem::discriminant(self),
            None if matches!(keep, Keep::Least(_) | Keep::Greatest(_)) => matches!(self, Summary::Extreme(_)),
            None => matches!(self, Summary::Register(_)),
        }
    }

    /// Bytes in memory, roughly, this value itself not counted.
    pub fn weight(&self) -> usize {
        let text = |value: &Scalar| match value {
            Scalar::Text(t) => t.len(),
            _ => 0,
        };
        let held = |r: &Register| r.message_id.len() + r.values.iter().map(|v| 32 + text(v)).sum::<usize>();
        match self {
            Summary::Count(_) => 0,
            Summary::Newest(times) => times.capacity() * 8,
            Summary::Sum(_) => 16,
            Summary::Extreme(value) => 32 + text(value),
            Summary::Register(r) => 40 + held(r),
            Summary::Distinct(values) => 24 + values.iter().map(|v| 32 + text(v)).sum::<usize>(),
            Summary::WindowSum(entries) => 24 + entries.capacity() * 32,
            Summary::WindowExtreme(entries) | Summary::WindowDistinct(entries) => {
                24 + entries.iter().map(|(_, v)| 48 + text(v)).sum::<usize>()
            }
            Summary::WindowFirst(entries) => 24 + entries.iter().map(|r| 40 + held(r)).sum::<usize>(),
            Summary::Sequence(s) => 56 + (s.first.capacity() + s.then.capacity()) * 8,
        }
    }
}

/// The value of a hit that says "this event plays the first role of the sequence".
pub const FIRST: Scalar = Scalar::Bool(false);
/// The value of a hit that says "this event plays the second role of the sequence".
pub const THEN: Scalar = Scalar::Bool(true);

fn numbers(values: &[Scalar]) -> impl Iterator<Item = Decimal> {
    values.iter().filter_map(|value| match value {
        Scalar::Number(n) => Some(*n),
        _ => None,
    })
}

fn register(at: i64, message_id: &str, values: &[Scalar]) -> Register {
    let mut values = values.to_vec();
    values.sort();
    values.dedup();
    Register { at, message_id: message_id.into(), values: values.into() }
}

fn insert_newest(times: &mut Vec<i64>, at: i64, k: usize) {
    if times.len() < k {
        if times.is_empty() {
            times.reserve_exact(k.min(4));
        }
        let place = times.partition_point(|t| *t <= at);
        times.insert(place, at);
    } else if times.first().is_some_and(|oldest| at > *oldest) {
        // The oldest goes; the others move down to make room: no allocation.
        let place = times.partition_point(|t| *t <= at) - 1;
        times.copy_within(1..=place, 0);
        times[place] = at;
    }
}

fn take_better(best: &mut Scalar, value: &Scalar, keep: Keep) {
    let better = if matches!(keep, Keep::Greatest(_)) { value > best } else { value < best };
    if better {
        best.clone_from(value);
    }
}

fn insert_distinct(held: &mut Vec<Scalar>, value: &Scalar, k: usize) {
    if let Err(place) = held.binary_search(value)
        && place < k
    {
        held.truncate(k - 1);
        held.insert(place, value.clone());
    }
}

/// Appends a value.
pub fn put_scalar(out: &mut Vec<u8>, value: &Scalar) {
    match value {
        Scalar::Bool(b) => out.push(u8::from(*b)),
        Scalar::Number(n) => {
            out.push(2);
            put_decimal(out, *n);
        }
        Scalar::Text(t) => {
            out.push(3);
            put_bytes(out, t.as_bytes());
        }
    }
}

/// Reads a value.
pub fn read_scalar(reader: &mut Reader<'_>) -> Result<Scalar, DbError> {
    Ok(match reader.u8()? {
        tag @ (0 | 1) => Scalar::Bool(tag == 1),
        2 => Scalar::Number(read_decimal(reader)?),
        3 => Scalar::Text(reader.str()?.into()),
        tag => return Err(DbError::damaged("a counter", format!("unknown value type {tag}"))),
    })
}

/// Small numbers, and money with two places, take few bytes: the count of dropped decimal places, then the digits.
fn put_decimal(out: &mut Vec<u8>, value: Decimal) {
    let (mut digits, mut dropped) = (value.billionths(), 0u8);
    while dropped < 9 && digits != 0 && digits % 10 == 0 {
        digits /= 10;
        dropped += 1;
    }
    match i64::try_from(digits) {
        Ok(digits) => {
            out.push(dropped);
            put_i64(out, digits);
        }
        Err(_) => {
            out.push(255);
            out.extend_from_slice(&value.billionths().to_le_bytes());
        }
    }
}

fn read_decimal(reader: &mut Reader<'_>) -> Result<Decimal, DbError> {
    Ok(match reader.u8()? {
        255 => Decimal::from_billionths(reader.u128()? as i128),
        dropped @ 0..=9 => Decimal::from_billionths(i128::from(reader.i64()?) * 10i128.pow(u32::from(dropped))),
        other => return Err(DbError::damaged("a counter", format!("unknown number form {other}"))),
    })
}

fn put_register(out: &mut Vec<u8>, r: &Register) {
    put_i64(out, r.at);
    put_bytes(out, r.message_id.as_bytes());
    put_list(out, &r.values, put_scalar);
}

fn read_register(reader: &mut Reader<'_>) -> Result<Register, DbError> {
    let (at, message_id) = (reader.i64()?, reader.str()?.into());
    Ok(Register { at, message_id, values: read_list(reader, read_scalar)?.into() })
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_u64(out, items.len() as u64);
    items.iter().for_each(|item| put(out, item));
}

fn read_list<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, DbError>,
) -> Result<Vec<T>, DbError> {
    let count = reader.u64()?;
    // A damaged length must not reserve memory: the list ends with the bytes.
    let mut items = Vec::with_capacity(count.min(64) as usize);
    for _ in 0..count {
        items.push(read(reader)?);
    }
    Ok(items)
}

/// Ascending times as differences.
fn put_times(out: &mut Vec<u8>, times: &[i64]) {
    let mut before = 0;
    put_list(out, times, |_, _| {});
    for at in times {
        put_i64(out, at.wrapping_sub(before));
        before = *at;
    }
}

fn read_times(reader: &mut Reader<'_>) -> Result<Vec<i64>, DbError> {
    let mut before = 0i64;
    read_list(reader, |reader| {
        before = before.wrapping_add(reader.i64()?);
        Ok(before)
    })
}

impl Summary {
    /// Appends the packed form; equal summaries give equal bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Summary::Count(count) => {
                out.push(0);
                put_u64(out, *count);
            }
            Summary::Newest(times) => {
                out.push(1);
                put_times(out, times);
            }
            Summary::Sum(sum) => {
                out.push(2);
                put_decimal(out, **sum);
            }
            Summary::Extreme(value) => {
                out.push(3);
                put_scalar(out, value);
            }
            Summary::Register(r) => {
                out.push(4);
                put_register(out, r);
            }
            Summary::Distinct(values) => {
                out.push(5);
                put_list(out, values, put_scalar);
            }
            Summary::WindowSum(entries) => {
                out.push(6);
                put_list(out, entries, |out, (at, total)| {
                    put_i64(out, *at);
                    put_decimal(out, *total);
                });
            }
            Summary::WindowExtreme(entries) | Summary::WindowDistinct(entries) => {
                out.push(if matches!(self, Summary::WindowExtreme(_)) { 7 } else { 9 });
                put_list(out, entries, |out, (at, value)| {
                    put_i64(out, *at);
                    put_scalar(out, value);
                });
            }
            Summary::WindowFirst(entries) => {
                out.push(8);
                put_list(out, entries, put_register);
            }
            Summary::Sequence(s) => {
                out.push(if s.found { 11 } else { 10 });
                put_times(out, &s.first);
                put_times(out, &s.then);
            }
        }
    }

    /// Reads what [`Summary::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DbError> {
        let timed = |reader: &mut Reader<'_>| Ok((reader.i64()?, read_scalar(reader)?));
        Ok(match reader.u8()? {
            0 => Summary::Count(reader.u64()?),
            1 => Summary::Newest(read_times(reader)?),
            2 => Summary::Sum(Box::new(read_decimal(reader)?)),
            3 => Summary::Extreme(Box::new(read_scalar(reader)?)),
            4 => Summary::Register(Box::new(read_register(reader)?)),
            5 => Summary::Distinct(Box::new(read_list(reader, read_scalar)?)),
            6 => {
                let entry = |reader: &mut Reader<'_>| Ok((reader.i64()?, read_decimal(reader)?));
                Summary::WindowSum(Box::new(read_list(reader, entry)?))
            }
            7 => Summary::WindowExtreme(Box::new(read_list(reader, timed)?)),
            8 => Summary::WindowFirst(Box::new(read_list(reader, read_register)?)),
            9 => Summary::WindowDistinct(Box::new(read_list(reader, timed)?)),
            tag @ (10 | 11) => {
                let (first, then) = (read_times(reader)?, read_times(reader)?);
                Summary::Sequence(Box::new(Sequence { found: tag == 11, first, then }))
            }
            tag => return Err(DbError::damaged("a counter", format!("unknown summary {tag}"))),
        })
    }
}
