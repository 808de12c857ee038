//! Whether a person is in a segment at a moment, and how long that answer holds.
use crate::calendar::period;
use crate::compile::{Moving, Node, Plan};
use crate::computed::{self, Value};
use crate::language::Function;
use base::{Decimal, Timestamp};
use customers::State;
use customers::counters::{Json, Kind, Op, ScalarRef, Summary, Test};
use customers::derived::{Asked, Rules};
use db::event::Scalar;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// The merged state of one person.
pub trait PersonView {
    /// Everything that is known of the person.
    fn state(&self) -> &State;
    /// What derived traits know of the shop.
    fn rules(&self) -> &Rules;
    /// The JSON text of a trait, by its outermost name; removed traits have none.
    fn trait_json(&self, name: &str) -> Option<Cow<'_, str>>;
    /// The summary of a counter over all of the person's profiles.
    fn counter(&self, id: u32) -> Option<Cow<'_, Summary>>;
    /// Whether `test` holds for any identifier of the kind.
    fn any_identifier(&self, kind: &str, test: &mut dyn FnMut(&str) -> bool) -> bool;
    /// Whether consent is granted (true) or denied (false); `None` without a row.
    fn consent(&self, channel: &str, purpose: &str) -> Option<bool>;
    /// Whether the person is in another segment.
    fn in_segment(&self, name: &str) -> bool;
}

/// An answer and how long it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub member: bool,
    /// The earliest moment at which the answer may become another if nothing happens until then; `None` when time alone
    /// never changes it. Never too late; sometimes too early, and then evaluating again gives the same answer.
    pub valid_until: Option<Timestamp>,
}

impl Verdict {
    fn settled(member: bool) -> Self {
        Self { member, valid_until: None }
    }
}

/// Decides membership at `at`, which must not be before the person's newest event: what counters keep speaks of now.
///
/// The plan must be bound to the counters of the view. O(nodes + entries in its windows).
pub fn evaluate(plan: &Plan, person: &dyn PersonView, at: Timestamp, zone: &TimeZone) -> Verdict {
    Evaluation { plan, person, at, zone }.node(&plan.root)
}

struct Evaluation<'a> {
    plan: &'a Plan,
    person: &'a dyn PersonView,
    at: Timestamp,
    zone: &'a TimeZone,
}

impl Evaluation<'_> {
    fn node(&self, node: &Node) -> Verdict {
        match node {
            Node::Any(parts) => self.join(parts, true),
            Node::All(parts) => self.join(parts, false),
            Node::Not(part) => {
                let inner = self.node(part);
                Verdict { member: !inner.member, ..inner }
            }
            Node::Trait(path, test) => Verdict::settled(
                self.with_trait(path.root(), |json| json.any(&path.names[1..], &mut |value| test.matches(value))),
            ),
            Node::TraitExists(path) => {
                Verdict::settled(self.with_trait(path.root(), |json| json.exists(&path.names[1..])))
            }
            Node::Derived { derived, test } => {
                let asked = Asked {
                    state: self.person.state(),
                    now: self.at,
                    rules: self.person.rules(),
                    consent: &|channel, purpose| self.person.consent(channel, purpose),
                    explain: false,
                };
                let answer = (derived.function)(&asked);
                let passes = |value: &Scalar| test.as_ref().is_none_or(|test| test.matches(value.into()));
                Verdict { member: answer.values.iter().any(passes), valid_until: answer.valid_until }
            }
            // One function alone answers as a condition on it would, and knows the exact moment of change.
            Node::Computed {
                value: Value::Of { counter, function, window, kind },
                test: Some(Test::Compare(op, constant)),
            } if Kind::of(constant.into()) == *kind => {
                let summary = self.person.counter(self.plan.counters[*counter].id);
                self.aggregate(*function, *window, summary.as_deref(), *op, constant)
            }
            Node::Computed { value, test } => {
                let answer = computed::value(value, &self.plan.counters, self.person, self.at, self.zone);
                let passes = |value: &Scalar| test.as_ref().is_none_or(|test| test.matches(value.into()));
                Verdict { member: answer.values.iter().any(passes), valid_until: answer.valid_until }
            }
            Node::Context { counter, test } => {
                let summary = self.person.counter(self.plan.counters[*counter].id);
                Verdict::settled(match summary.as_deref() {
                    Some(Summary::Register(held)) => {
                        test.as_ref().is_none_or(|test| held.values.iter().any(|value| test.matches(value.into())))
                    }
                    _ => false,
                })
            }
            Node::Consent { channel, purpose, test } => {
                let state = self.person.consent(channel, purpose);
                let passes = |granted| passes(test.as_ref(), if granted { "granted" } else { "denied" });
                Verdict::settled(state.is_some_and(passes))
            }
            Node::Identifier { kind, test } => {
                let found = self.person.any_identifier(kind, &mut |value| passes(test.as_ref(), value));
                Verdict::settled(found)
            }
            Node::InSegment(name) => Verdict::settled(self.person.in_segment(name)),
            Node::Aggregate { counter, function, window, op, value } => {
                let summary = self.person.counter(self.plan.counters[*counter].id);
                self.aggregate(*function, *window, summary.as_deref(), *op, value)
            }
            Node::Sequence { counter } => {
                let index = &self.plan.counters[*counter];
                self.sequence(index.meaning.keep, self.person.counter(index.id).as_deref())
            }
        }
    }

    /// `or` is decided by any true part, `and` by any false one. While a deciding part holds, nothing else matters, so the
    /// answer holds as long as the longest of them; without one, until the first part may change.
    fn join(&self, parts: &[Node], deciding: bool) -> Verdict {
        let mut decided: Option<Timestamp> = None;
        let mut open: Option<Timestamp> = None;
        for part in parts {
            let Verdict { member, valid_until } = self.node(part);
            match (member == deciding, valid_until) {
                (true, None) => return Verdict::settled(deciding),
                (true, until) => decided = decided.max(until),
                (false, until) => open = earlier(open, until),
            }
        }
        match decided {
            Some(until) => Verdict { member: deciding, valid_until: Some(until) },
            None => Verdict { member: !deciding, valid_until: open },
        }
    }

    fn with_trait(&self, name: &str, ask: impl FnOnce(&Json<'_>) -> bool) -> bool {
        let text = self.person.trait_json(name);
        text.as_deref().and_then(Json::parse).is_some_and(|json| ask(&json))
    }

    fn sequence(&self, keep: customers::counters::Keep, summary: Option<&Summary>) -> Verdict {
        let (Some(Summary::Sequence(held)), customers::counters::Keep::Sequence { within_us, negated }) =
            (summary, keep)
        else {
            return Verdict::settled(false);
        };
        if !negated {
            return Verdict::settled(held.found);
        }
        // Unanswered first events, ascending: the oldest is the first whose time runs out.
        match held.first.first().map(|first| Timestamp::from_micros(first.saturating_add(within_us))) {
            Some(due) if due <= self.at => Verdict::settled(true),
            due => Verdict { member: false, valid_until: due },
        }
    }

    fn aggregate(
        &self,
        function: Function,
        window: Moving,
        summary: Option<&Summary>,
        op: Op,
        value: &Scalar,
    ) -> Verdict {
        let constant = ScalarRef::from(value);
        if window == Moving::Still {
            return Verdict::settled(still(function, summary, op, constant));
        }
        let number = |n: usize| op.holds(ScalarRef::Number(Decimal::from_int(n as i64)), constant);
        let holds = |value: &Scalar| op.holds(value.into(), constant);
        let zero = op.holds(ScalarRef::Number(Decimal::ZERO), constant);
        match summary {
            Some(Summary::Newest(times)) => self.slide(window, times.len(), |i| times[i], |from, to| number(to - from)),
            Some(Summary::WindowDistinct(entries)) => {
                self.slide(window, entries.len(), |i| entries[i].0, |from, to| number(to - from))
            }
            Some(Summary::WindowSum(entries)) => {
                // Each question drops entries from the front of the one before, so the sum is carried along.
                let mut known: Option<(usize, Decimal)> = None;
                self.slide(
                    window,
                    entries.len(),
                    |i| entries[i].0,
                    |from, to| {
                        let sum = match known {
                            None => entries[from..to].iter().fold(Decimal::ZERO, |sum, (_, n)| sum.plus(*n)),
                            Some((before, sum)) => entries[before..from]
                                .iter()
                                .fold(sum, |sum, (_, n)| sum.plus(Decimal::from_billionths(-n.billionths()))),
                        };
                        known = Some((from, sum));
                        op.holds(ScalarRef::Number(sum), constant)
                    },
                )
            }
            Some(Summary::WindowExtreme(entries)) => {
                // The oldest entry left is the best of those left.
                self.slide(window, entries.len(), |i| entries[i].0, |from, to| from < to && holds(&entries[from].1))
            }
            Some(Summary::WindowFirst(entries)) => self.slide(
                window,
                entries.len(),
                |i| entries[i].at,
                |from, to| from < to && entries[from].values.iter().any(holds),
            ),
            Some(Summary::Register(held)) => {
                self.slide(window, 1, |_| held.at, |from, to| from < to && held.values.iter().any(holds))
            }
            _ => Verdict::settled(matches!(function, Function::Count | Function::Sum | Function::Distinct) && zero),
        }
    }

    /// Answers over the entries inside a moving window, and finds the moment at which enough of them have left it to
    /// change the answer. `time` gives the ascending times; `truth` answers over the entries `from..to`.
    fn slide(
        &self,
        window: Moving,
        len: usize,
        time: impl Fn(usize) -> i64,
        mut truth: impl FnMut(usize, usize) -> bool,
    ) -> Verdict {
        let at = self.at.micros();
        let count_until = |pass: &dyn Fn(i64) -> bool| {
            let (mut low, mut high) = (0, len);
            while low < high {
                let middle = (low + high) / 2;
                if pass(time(middle)) { low = middle + 1 } else { high = middle }
            }
            low
        };
        // Later entries cannot be there; should one be, it counts from its time on.
        let to = count_until(&|t| t <= at);
        let later = (to < len).then(|| Timestamp::from_micros(time(to)));
        let (start, end, span_us) = match window {
            Moving::Last { span_us } => (at.saturating_sub(span_us), None, span_us),
            Moving::Calendar(calendar) => {
                let (start, end) = period(calendar, self.at, self.zone);
                (start.micros() - 1, Some(end), 0)
            }
            Moving::Still => (i64::MIN, None, 0),
        };
        let from = count_until(&|t| t <= start).min(to);
        let now = truth(from, to);
        let mut change = None;
        if let Some(end) = end {
            change = (truth(to, to) != now).then_some(end);
        } else {
            let mut next = from;
            while next < to {
                let leaving = time(next);
                next += 1;
                // Entries of one moment leave together.
                if (next == to || time(next) != leaving) && truth(next, to) != now {
                    change = Some(Timestamp::from_micros(leaving.saturating_add(span_us)));
                    break;
                }
            }
        }
        Verdict { member: now, valid_until: earlier(change, later) }
    }
}

/// Which of `len` entries, ascending by time, a window holds at a moment (`from..to`), and when that may next be others.
pub(crate) fn bounds(
    window: Moving,
    at: Timestamp,
    zone: &TimeZone,
    len: usize,
    time: &dyn Fn(usize) -> i64,
) -> (usize, usize, Option<Timestamp>) {
    let first_after = |limit: i64| {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = (low + high) / 2;
            if time(middle) <= limit { low = middle + 1 } else { high = middle }
        }
        low
    };
    let to = first_after(at.micros());
    let later = (to < len).then(|| Timestamp::from_micros(time(to)));
    let (from, change) = match window {
        Moving::Still => (0, None),
        Moving::Last { span_us } => {
            let from = first_after(at.micros().saturating_sub(span_us)).min(to);
            (from, (from < to).then(|| Timestamp::from_micros(time(from).saturating_add(span_us))))
        }
        Moving::Calendar(calendar) => {
            let (start, end) = period(calendar, at, zone);
            let from = first_after(start.micros() - 1).min(to);
            (from, (from < to).then_some(end))
        }
    };
    (from, to, earlier(change, later))
}

/// An aggregate over events that do not change with time.
fn still(function: Function, summary: Option<&Summary>, op: Op, constant: ScalarRef<'_>) -> bool {
    let number = |n: Decimal| op.holds(ScalarRef::Number(n), constant);
    match summary {
        Some(Summary::Count(n)) => number(Decimal::from_int(i64::try_from(*n).unwrap_or(i64::MAX))),
        Some(Summary::Sum(sum)) => number(**sum),
        Some(Summary::Distinct(values)) => number(Decimal::from_int(values.len() as i64)),
        Some(Summary::Extreme(value)) => op.holds((&**value).into(), constant),
        Some(Summary::Register(held)) => held.values.iter().any(|value| op.holds(value.into(), constant)),
        _ => matches!(function, Function::Count | Function::Sum | Function::Distinct) && number(Decimal::ZERO),
    }
}

fn passes(test: Option<&Test>, text: &str) -> bool {
    test.is_none_or(|test| test.matches(ScalarRef::Text(text)))
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
