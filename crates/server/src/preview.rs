//! Whom a condition would hold, counted over the whole store on a connection of its own, beside the writer.
use crate::app::App;
use crate::problem::{BAD_EXPRESSION, BUSY, INTERNAL, Problem, internal};
use base::Decimal;
use customers::counters::{CounterSet, Counters, Meaning, Summary};
use customers::derived::Rules;
use customers::model::State;
use db::event::Scalar;
use db::{DbError, Location, Sync, Tx, log};
use pipeline::{Current, Preparer};
use segments::computed::Definition;
use segments::runtime::definitions;
use segments::{PersonView, Plan};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a preview may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a condition would give.
#[derive(Debug, Default)]
pub struct Found {
    /// People that it holds for.
    pub count: i64,
    /// All people.
    pub of: i64,
    /// Some of them.
    pub sample: Vec<i64>,
}

/// Counts the people that a condition holds for; rows follow the log by seconds, so a person of this moment may be missed.
pub async fn people(app: &Arc<App>, expression: String, sample: usize) -> Result<Found, Problem> {
    let (sender, receiver) = oneshot::channel();
    let (preparer, clock) = (app.domain.preparer().clone(), app.clock.clone());
    let (location, sync) = (app.domain.store().location().clone(), app.domain.store().sync());
    // A thread of its own: it may read for seconds, and the PostgreSQL client blocks.
    let spawned = std::thread::Builder::new().name("preview".into()).spawn(move || {
        let started = Instant::now();
        let _ = sender.send(count(&location, sync, clock.now(), &preparer, &expression, sample, started));
    });
    spawned.map_err(|e| internal(&e))?;
    crate::timing::database(receiver).await.unwrap_or_else(|_| Err(INTERNAL.because("the preview broke off")))
}

/// What a computed trait would be, over everybody.
#[derive(Debug, Default)]
pub struct Values {
    /// All people.
    pub of: i64,
    /// People of whom it is known.
    pub known: i64,
    /// Sum and ends of the numbers.
    pub sum: Decimal,
    pub least: Option<Decimal>,
    pub greatest: Option<Decimal>,
    /// The most frequent values, at most ten; counted over the first thousand different ones.
    pub frequent: Vec<(Scalar, i64)>,
    /// Some people with their values.
    pub sample: Vec<(i64, Vec<Scalar>)>,
}

/// Different values that are counted one by one.
const DIFFERENT_MAX: usize = 1_000;

/// Computes a trait for everybody; rows follow the log by seconds.
pub async fn values(app: &Arc<App>, definition: Definition, sample: usize) -> Result<Values, Problem> {
    let (sender, receiver) = oneshot::channel();
    let (preparer, clock) = (app.domain.preparer().clone(), app.clock.clone());
    let (location, sync) = (app.domain.store().location().clone(), app.domain.store().sync());
    let spawned = std::thread::Builder::new().name("preview".into()).spawn(move || {
        let found = compute(&location, sync, clock.now(), &preparer, &definition, sample, Instant::now());
        let _ = sender.send(found);
    });
    spawned.map_err(|e| internal(&e))?;
    crate::timing::database(receiver).await.unwrap_or_else(|_| Err(INTERNAL.because("the preview broke off")))
}

fn compute(
    location: &Location,
    sync: Sync,
    now: base::Timestamp,
    preparer: &Preparer,
    definition: &Definition,
    sample: usize,
    started: Instant,
) -> Result<Values, Problem> {
    let mut engine = location.open(sync, true)?;
    engine.batch("BEGIN")?;
    let mut tx = Tx::for_reading(engine, now)?;
    let compiled = definitions::current(&mut tx)?;
    let mut plan = segments::computed::compile(definition, &compiled.zone);
    let (set, mut past) = counted(&mut tx, preparer, &compiled, plan.meanings(), started)?;
    plan.bind(&set).map_err(|e| internal(&e))?;
    let (mut found, mut different) = (Values::default(), HashMap::<Scalar, i64>::new());
    for (person, members) in people_of(&mut tx)? {
        if started.elapsed() > PATIENCE {
            return Err(slow());
        }
        found.of += 1;
        let state = customers::commands::person_state(&mut tx, person, &set)?.clone();
        let counters = match &mut past {
            None => Cow::Borrowed(&state.counters),
            Some(past) => Cow::Owned(joined(&set, &members, past)),
        };
        let view = View { state: &state, rules: &compiled.rules, counters, consents: Vec::new(), segments: Vec::new() };
        let values = plan.value(&view, now, &compiled.zone).values;
        if values.is_empty() {
            continue;
        }
        found.known += 1;
        for value in &values {
            if let Scalar::Number(n) = value {
                found.sum = found.sum.plus(*n);
                found.least = Some(found.least.map_or(*n, |least| least.min(*n)));
                found.greatest = Some(found.greatest.map_or(*n, |greatest| greatest.max(*n)));
            }
            if let Some(count) = different.get_mut(value) {
                *count += 1;
            } else if different.len() < DIFFERENT_MAX {
                different.insert(value.clone(), 1);
            }
        }
        if found.sample.len() < sample {
            found.sample.push((person, values));
        }
    }
    found.frequent = different.into_iter().collect();
    found.frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.frequent.truncate(10);
    Ok(found)
}

/// Counters, and per profile what they counted where that is not kept.
type Counted = (Arc<CounterSet>, Option<HashMap<i64, Counters>>);

/// The counters of a plan: those that are kept, or its own, counted over the whole log.
fn counted<'m>(
    tx: &mut Tx,
    preparer: &Preparer,
    compiled: &definitions::Compiled,
    meanings: impl Iterator<Item = &'m Meaning> + Clone,
    started: Instant,
) -> Result<Counted, Problem> {
    if meanings.clone().all(|m| compiled.counters.find_id(m).is_some()) {
        return Ok((compiled.counters.clone(), None));
    }
    let definitions = meanings.cloned().zip(1..).map(|(meaning, id)| customers::counters::Definition { id, meaning });
    let set = Arc::new(CounterSet::build(0, definitions.collect()).map_err(|e| internal(&e))?);
    let past = count_past(tx, preparer, &set, started)?;
    Ok((set, Some(past)))
}

struct View<'a> {
    state: &'a State,
    rules: &'a Rules,
    counters: Cow<'a, Counters>,
    consents: Vec<(Box<str>, Box<str>, Option<bool>)>,
    segments: Vec<Box<str>>,
}

impl PersonView for View<'_> {
    fn state(&self) -> &State {
        self.state
    }
    fn rules(&self) -> &Rules {
        self.rules
    }
    fn trait_json(&self, name: &str) -> Option<Cow<'_, str>> {
        self.state.traits.json(name)
    }
    fn counter(&self, id: u32) -> Option<Cow<'_, Summary>> {
        self.counters.get(id).map(Cow::Borrowed)
    }
    fn any_identifier(&self, kind: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.state.identifiers.own_of_kind(kind).any(test)
    }
    fn consent(&self, channel: &str, purpose: &str) -> Option<bool> {
        self.consents.iter().find(|(c, p, _)| **c == *channel && **p == *purpose).and_then(|(_, _, granted)| *granted)
    }
    fn in_segment(&self, name: &str) -> bool {
        self.segments.iter().any(|s| **s == *name)
    }
}

fn count(
    location: &Location,
    sync: Sync,
    now: base::Timestamp,
    preparer: &Preparer,
    expression: &str,
    sample: usize,
    started: Instant,
) -> Result<Found, Problem> {
    let mut engine = location.open(sync, true)?;
    engine.batch("BEGIN")?;
    let mut tx = Tx::for_reading(engine, now)?;
    let compiled = definitions::current(&mut tx)?;
    let expr = segments::parse(expression).map_err(|e| BAD_EXPRESSION.at("/expression", e.to_string()))?;
    let mut plan = segments::compile_with(&expr, &compiled.zone, &compiled.known);
    let (set, mut past) = counted(&mut tx, preparer, &compiled, plan.meanings(), started)?;
    plan.bind(&set).map_err(|e| internal(&e))?;
    let mut found = Found::default();
    for (person, members) in people_of(&mut tx)? {
        if started.elapsed() > PATIENCE {
            return Err(slow());
        }
        found.of += 1;
        let state = customers::commands::person_state(&mut tx, person, &set)?.clone();
        let counters = match &mut past {
            None => Cow::Borrowed(&state.counters),
            Some(past) => Cow::Owned(joined(&set, &members, past)),
        };
        let (consents, in_segments) = beside(&mut tx, &plan, person, &members, &compiled)?;
        let view = View { state: &state, rules: &compiled.rules, counters, consents, segments: in_segments };
        if segments::evaluate(&plan, &view, now, &compiled.zone).member {
            found.count += 1;
            if found.sample.len() < sample {
                found.sample.push(person);
            }
        }
    }
    Ok(found)
}

fn slow() -> Problem {
    BUSY.because(
        "there is too much history to count this beside everything else; save it, and it is filled step by step",
    )
    .retry_after(60)
}

/// Every person with its profiles.
fn people_of(tx: &mut Tx) -> Result<Vec<(i64, Vec<i64>)>, DbError> {
    let mut people: HashMap<i64, Vec<i64>> = HashMap::new();
    tx.engine().each("SELECT profile_id, person FROM profile_list WHERE person <> 0", &[], &mut |row| {
        people.entry(row.int(1)?).or_default().push(row.int(0)?);
        Ok(true)
    })?;
    let mut out: Vec<_> = people.into_iter().collect();
    out.sort_unstable();
    Ok(out)
}

/// Counts what nobody counts yet, over the whole log.
fn count_past(
    tx: &mut Tx,
    preparer: &Preparer,
    set: &Arc<CounterSet>,
    started: Instant,
) -> Result<HashMap<i64, Counters>, Problem> {
    let current = Current { counters: set.clone(), ..preparer.current() };
    let mut out: HashMap<i64, Counters> = HashMap::new();
    let moved = pipeline::backfill::moved_between(tx, 0, i64::MAX)?;
    let mut from = 1;
    loop {
        if started.elapsed() > PATIENCE {
            return Err(slow());
        }
        let rows = log::page(tx.engine(), from, 256)?;
        let Some(last) = rows.last() else { return Ok(out) };
        from = last.first_seq + 1;
        for row in &rows {
            for event in preparer.decode_row(&current, row)? {
                let seq = row.first_seq + i64::from(event.index);
                let placed = row.profiles.get(event.index as usize).copied().unwrap_or(0);
                let profile = moved.get(&seq).copied().unwrap_or(placed);
                if profile != 0 && !event.hits.is_empty() {
                    out.entry(profile).or_default().fold(set, event.timestamp, &event.message_id, &event.hits);
                }
            }
        }
    }
}

fn joined(set: &CounterSet, members: &[i64], past: &mut HashMap<i64, Counters>) -> Counters {
    let mut out = Counters::default();
    for member in members {
        if let Some(counters) = past.remove(member) {
            out.merge(set, &counters);
        }
    }
    out
}

type Beside = (Vec<(Box<str>, Box<str>, Option<bool>)>, Vec<Box<str>>);

/// What a condition asks beside a person's own state.
fn beside(
    tx: &mut Tx,
    plan: &Plan,
    person: i64,
    members: &[i64],
    compiled: &definitions::Compiled,
) -> Result<Beside, DbError> {
    let needs = plan.dependencies();
    let mut consents = Vec::new();
    for (channel, purpose) in &needs.consents {
        let granted = customers::consent::person_consent(tx, members, channel, purpose)?;
        consents.push((channel.clone(), purpose.clone(), granted));
    }
    let mut names = Vec::new();
    if !needs.segments.is_empty() {
        for membership in segments::runtime::read_person(tx, person)? {
            names.extend(compiled.find(membership.segment_id).map(|s| Box::<str>::from(s.name.as_str())));
        }
    }
    Ok((consents, names))
}
