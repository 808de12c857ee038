//! Tree to plan: which counters a condition needs, and how their summaries decide it.
use crate::calendar::moment;
use crate::computed::{Known, Value};
use crate::language::{Aggregate, Calendar, Expr, Function, Path, Sequence, Window};
use customers::counters::{
    CALENDAR_SPAN_US, Counted, CounterSet, FieldPath, Filter, Keep, Kind, Meaning, Occurrence, Op, Test, Within,
};
use customers::derived::{self, Derived};
use db::event::Scalar;
use db::names::canonical;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// A condition, ready to be evaluated over and over.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) root: Node,
    pub(crate) counters: Vec<Counter>,
    dependencies: Dependencies,
}

/// One counter that a plan reads.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    /// Under which the summary is stored; known after [`Plan::bind`].
    pub id: u32,
    pub meaning: Meaning,
}

/// What can change a plan's answer besides time: an event that touches nothing of it need not evaluate it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Ids of counters, ascending; valid after [`Plan::bind`].
    pub counters: Vec<u32>,
    /// Outermost names of traits.
    pub traits: BTreeSet<Box<str>>,
    /// Channel and purpose.
    pub consents: BTreeSet<(Box<str>, Box<str>)>,
    /// Kinds of identifiers.
    pub identifiers: BTreeSet<Box<str>>,
    /// Names of other segments.
    pub segments: BTreeSet<Box<str>>,
    /// Names of computed traits.
    pub computed: BTreeSet<Box<str>>,
    /// Whether the answer rests on standing facts, which most events touch.
    pub facts: bool,
    /// Whether the answer can change by time alone.
    pub time: bool,
}

/// A plan needs a counter that the set does not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no counter keeps {meaning}")]
pub struct Unbound {
    pub meaning: Box<Meaning>,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
    Trait(FieldPath, Test),
    TraitExists(FieldPath),
    /// What follows from the standing facts; without a test, whether it is known.
    Derived {
        derived: &'static Derived,
        test: Option<Test>,
    },
    /// What the shop computes; without a test, whether it is known.
    Computed {
        value: Value,
        test: Option<Test>,
    },
    /// The last known values of a context path; without a test, whether there are any.
    Context {
        counter: usize,
        test: Option<Test>,
    },
    Consent {
        channel: Box<str>,
        purpose: Box<str>,
        test: Option<Test>,
    },
    Identifier {
        kind: Box<str>,
        test: Option<Test>,
    },
    InSegment(Box<str>),
    Aggregate {
        counter: usize,
        function: Function,
        window: Moving,
        op: Op,
        value: Scalar,
    },
    Sequence {
        counter: usize,
    },
}

/// How the events that count change with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moving {
    /// They do not.
    Still,
    Last {
        span_us: i64,
    },
    Calendar(Calendar),
}

/// Compiles a condition. `zone` is the shop's: days in `between` begin by its clocks. Never fails, since what cannot be
/// compiled cannot be parsed.
pub fn compile(expr: &Expr, zone: &TimeZone) -> Plan {
    compile_with(expr, zone, &Known::new())
}

/// The same where `trait.NAME` may be a computed trait.
pub fn compile_with(expr: &Expr, zone: &TimeZone, known: &Known) -> Plan {
    let mut compiler = Compiler::new(zone, known);
    let root = compiler.node(expr);
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

    /// What can change the answer.
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }
}

pub(crate) struct Compiler<'a> {
    pub zone: &'a TimeZone,
    known: &'a Known,
    pub counters: Vec<Counter>,
    pub dependencies: Dependencies,
}

impl<'a> Compiler<'a> {
    pub fn new(zone: &'a TimeZone, known: &'a Known) -> Self {
        Self { zone, known, counters: Vec::new(), dependencies: Dependencies::default() }
    }
}

impl Compiler<'_> {
    fn node(&mut self, expr: &Expr) -> Node {
        match expr {
            Expr::Or(parts) => Node::Any(parts.iter().map(|part| self.node(part)).collect()),
            Expr::And(parts) => Node::All(parts.iter().map(|part| self.node(part)).collect()),
            Expr::Not(part) => Node::Not(Box::new(self.node(part))),
            Expr::Value(path, test) => self.value(path, Some(test)),
            Expr::Exists(path) => self.value(path, None),
            Expr::Aggregate(aggregate, op, value) => self.aggregate(aggregate, *op, value),
            Expr::Sequence(sequence) => self.sequence(sequence),
            Expr::InSegment(name) => {
                self.dependencies.segments.insert(name.clone());
                Node::InSegment(name.clone())
            }
        }
    }

    fn value(&mut self, path: &Path, test: Option<&Test>) -> Node {
        match path {
            Path::Trait(path) => {
                let name = path.names.join(".");
                if let Some(derived) = derived::find(&name) {
                    return self.derived(derived, test);
                }
                let known = self.known;
                if let Some(computed) = known.get(&*name) {
                    self.dependencies.computed.insert(name.into());
                    let value = self.formula(&computed.formula, computed.kind);
                    return Node::Computed { value, test: test.cloned() };
                }
                self.dependencies.traits.insert(path.root().into());
                match test {
                    Some(test) => Node::Trait(path.clone(), test.clone()),
                    None => Node::TraitExists(path.clone()),
                }
            }
            Path::Context(path) => {
                let counter = self.counter(Counted::Context(path.clone()), Keep::Last);
                Node::Context { counter, test: test.cloned() }
            }
            Path::Consent { channel, purpose } => {
                self.dependencies.consents.insert((channel.clone(), purpose.clone()));
                Node::Consent { channel: channel.clone(), purpose: purpose.clone(), test: test.cloned() }
            }
            Path::Identifier(kind) => {
                self.dependencies.identifiers.insert(kind.clone());
                Node::Identifier { kind: kind.clone(), test: test.cloned() }
            }
        }
    }

    fn derived(&mut self, derived: &'static Derived, test: Option<&Test>) -> Node {
        let needs = &mut self.dependencies;
        needs.facts = true;
        needs.time |= derived.by_time;
        needs.traits.extend(derived.traits.iter().map(|name| Box::from(*name)));
        needs.consents.extend(derived.consents.iter().map(|channel| (Box::from(*channel), "marketing".into())));
        Node::Derived { derived, test: test.cloned() }
    }

    pub(crate) fn counter(&mut self, counted: Counted, keep: Keep) -> usize {
        let meaning = Meaning { counted, keep }.normal();
        match self.counters.iter().position(|counter| counter.meaning == meaning) {
            Some(at) => at,
            None => {
                self.counters.push(Counter { id: 0, meaning });
                self.counters.len() - 1
            }
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate, op: Op, value: &Scalar) -> Node {
        let function = aggregate.function;
        let (window, span_us) = moving(aggregate);
        self.dependencies.time |= window != Moving::Still;
        let k = u32::try_from(aggregate.threshold(op, value)).unwrap_or(u32::MAX);
        // A minimum is asked about the type that it is compared with.
        let kind = Kind::of(value.into());
        let keep = match function {
            // So many newest times are enough for a comparison.
            Function::Count if window != Moving::Still => Keep::Newest { k },
            _ => keep(function, kind, k, (window != Moving::Still).then_some(span_us)),
        };
        let counter = self.chosen(aggregate, keep);
        Node::Aggregate { counter, function, window, op, value: value.clone() }
    }

    /// The counter of an aggregate's events.
    pub(crate) fn chosen(&mut self, aggregate: &Aggregate, keep: Keep) -> usize {
        let mut what = occurrence(&Occurrence { event: aggregate.event.clone(), filter: aggregate.filter.clone() });
        let mut field = aggregate.field.clone();
        if aggregate.function == Function::Count
            && let Some(field) = field.take()
        {
            // Counting a field counts the events that carry it.
            let exists = Filter::Exists(field);
            what.filter = Some(match what.filter {
                Some(filter) => Filter::All(vec![filter, exists]),
                None => exists,
            });
        }
        let between = match &aggregate.window {
            Some(Window::Between { from, to }) => Some((moment(*from, self.zone), moment(*to, self.zone))),
            _ => None,
        };
        self.counter(Counted::Events { what, field, between }, keep)
    }

    fn sequence(&mut self, sequence: &Sequence) -> Node {
        self.dependencies.time |= sequence.negated;
        let counted = Counted::Pair { first: occurrence(&sequence.first), then: occurrence(&sequence.then) };
        let within_us = i64::from(sequence.amount) * sequence.unit.micros();
        Node::Sequence { counter: self.counter(counted, Keep::Sequence { within_us, negated: sequence.negated }) }
    }
}

/// How an aggregate's events change with time, and the span that it must keep of them.
pub(crate) fn moving(aggregate: &Aggregate) -> (Moving, i64) {
    match &aggregate.window {
        Some(Window::Last { amount, unit }) => {
            let span_us = i64::from(*amount) * unit.micros();
            (Moving::Last { span_us }, span_us)
        }
        Some(Window::Calendar(calendar)) => (Moving::Calendar(*calendar), CALENDAR_SPAN_US),
        Some(Window::Between { .. }) | None => (Moving::Still, 0),
    }
}

/// What a function keeps, with the span of its window if it has one; of distinct values `k`.
pub(crate) fn keep(function: Function, kind: Kind, k: u32, span_us: Option<i64>) -> Keep {
    let within = match function {
        Function::Count => Within::Count,
        Function::Sum => Within::Sum,
        Function::Min => Within::Least(kind),
        Function::Max => Within::Greatest(kind),
        Function::First => Within::First,
        Function::Last => return Keep::Last,
        Function::Distinct => Within::Distinct { k },
    };
    match (span_us, within) {
        (Some(span_us), what) => Keep::Window { span_us, what },
        (None, Within::Count) => Keep::Count,
        (None, Within::Sum) => Keep::Sum,
        (None, Within::Least(kind)) => Keep::Least(kind),
        (None, Within::Greatest(kind)) => Keep::Greatest(kind),
        (None, Within::First) => Keep::First,
        (None, Within::Distinct { k }) => Keep::Distinct { k },
    }
}

/// Names of the first ecommerce specification become those of the second, as they do when events are taken.
fn occurrence(what: &Occurrence) -> Occurrence {
    Occurrence { event: canonical(&what.event).into(), filter: what.filter.clone() }
}
