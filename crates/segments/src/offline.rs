//! Segments of plain files (CONTRACTS 6, `segment eval`): the server's own identity, fold and evaluation over NDJSON.
//!
//! Lines are taken in file order as one source, times as written. A message id counts once in the whole file: the first
//! line wins, whatever its time. Events after T are dropped before identity, so that what happened later joins nobody.
//! Everything streams: memory holds profiles and 16 bytes a message id, never the events.
mod consent;
mod line;

pub use line::BadLine;

use crate::compile::{Plan, Unbound, compile};
use crate::evaluate::{PersonView, evaluate};
use crate::language::{SyntaxError, parse};
use base::{Country, Timestamp};
use customers::counters::{CounterSet, Definition, SetError, Summary};
pub use customers::derived::Rules;
use customers::identifier;
use customers::identity::memory::MemoryGraph;
use customers::model::State;
use customers::prepare::Preparer;
use customers::rules::Rules as IdentityRules;
use customers::state;
use db::event::Event;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::BufRead;

/// What evaluation needs to know of the shop.
#[derive(Debug, Clone)]
pub struct Options {
    /// T; without it the greatest timestamp of the file.
    pub at: Option<Timestamp>,
    /// For calendar windows and days.
    pub zone: TimeZone,
    /// For telephone numbers without a country code.
    pub country: Country,
    /// The shop's currency and thresholds, for derived traits; its zone is `zone`.
    pub rules: Rules,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The members: each by its smallest user id, else its smallest anonymous id; sorted.
    pub customers: Vec<Box<str>>,
    /// The moment that was asked about; `None` for a file without events.
    pub at: Option<Timestamp>,
    /// Events taken.
    pub events: u64,
    /// Lines with a message id that had been there before.
    pub duplicates: u64,
    /// Events after T.
    pub later: u64,
    /// People with an event at or before T.
    pub people: u64,
    /// Members that have neither a user id nor an anonymous id, and so no name in the output.
    pub unnamed: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// The expression cannot be read.
    #[error("cannot read the expression")]
    Expression(#[from] SyntaxError),
    /// A file knows no other segments.
    #[error("the expression asks for the segment {0:?}, and a file of events has no segments")]
    Segment(Box<str>),
    /// A line is no event.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// The file cannot be read.
    #[error("cannot read line {line}")]
    Read { line: u64, source: std::io::Error },
    /// The plan and its counters do not fit: a mistake of ours.
    #[error("cannot count what the expression needs")]
    Counters(#[from] SetError),
    /// See [`OfflineError::Counters`].
    #[error("cannot count what the expression needs")]
    Unbound(#[from] Unbound),
}

/// Evaluates an expression over lines of tracking-API events. A line may also be a body with a `batch`.
pub fn segment(expression: &str, input: &mut dyn BufRead, options: &Options) -> Result<Report, OfflineError> {
    let mut plan = compile(&parse(expression)?, &options.zone);
    if let Some(name) = plan.dependencies().segments.first() {
        return Err(OfflineError::Segment(name.clone()));
    }
    let definitions = plan.meanings().cloned().zip(0..).map(|(meaning, id)| Definition { id, meaning }).collect();
    let set = CounterSet::build(1, definitions)?;
    plan.bind(&set)?;
    let mut crowd = Crowd::new(&set, options);
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        if input.read_line(&mut text).map_err(|source| OfflineError::Read { line: number, source })? == 0 {
            break;
        }
        line::events(text.trim_end(), number, &mut |raw, message, shared| crowd.take(number, raw, message, shared))?;
    }
    Ok(crowd.finish(&plan, options))
}

/// The store's key of hashes plays no role in a file.
const HASH_KEY: (u64, u64) = (0x6272_6169_6400_0001, 0x7365_676d_656e_7473);

/// Everybody who was met so far.
struct Crowd<'a> {
    set: &'a CounterSet,
    until: Option<Timestamp>,
    country: Country,
    rules: IdentityRules,
    seen: HashSet<u128>,
    graph: MemoryGraph,
    states: BTreeMap<i64, State>,
    ledger: consent::Ledger,
    newest: Option<Timestamp>,
    report: Report,
}

impl<'a> Crowd<'a> {
    fn new(set: &'a CounterSet, options: &Options) -> Self {
        Self {
            set,
            until: options.at,
            country: options.country,
            rules: IdentityRules::default(),
            seen: HashSet::new(),
            graph: MemoryGraph::default(),
            states: BTreeMap::new(),
            ledger: consent::Ledger::default(),
            newest: None,
            report: Report::default(),
        }
    }

    fn take(
        &mut self,
        number: u64,
        raw: &str,
        message: &db::message::Message<'_>,
        shared: Option<&serde_json::value::RawValue>,
    ) -> Result<(), BadLine> {
        let mut event = line::event(number, raw, message)?;
        // Without an id of its own the text is the id, so that a repeated line is a repetition.
        let id = match message.message_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => identifier::hash(HASH_KEY, "message", id),
            None => identifier::hash(HASH_KEY, "text", raw),
        };
        if !self.seen.insert(id) {
            self.report.duplicates += 1;
            return Ok(());
        }
        event.id = id;
        if event.message_id.is_empty() {
            event.message_id = format!("h-{id:032x}").into();
        }
        if self.until.is_some_and(|until| event.timestamp > until) {
            self.report.later += 1;
            return Ok(());
        }
        let preparer = Preparer {
            browser: false,
            country: self.country,
            currency: "",
            hash_key: HASH_KEY,
            rules: &self.rules,
            counters: self.set,
        };
        if let Err(refusal) = preparer.fill(message, shared, &mut event) {
            return Err(BadLine::new(number, 1, refusal.to_string()));
        }
        self.place(&event);
        Ok(())
    }

    fn place(&mut self, event: &Event) {
        self.report.events += 1;
        self.newest = self.newest.max(Some(event.timestamp));
        let order = i64::try_from(self.report.events).unwrap_or(i64::MAX);
        let profile = self.graph.place(event, order, Timestamp::from_micros(order), None);
        if let Some(profile) = profile {
            state::fold_state(self.states.entry(profile).or_default(), event, self.set, 1);
        }
        self.ledger.record(event, profile, &mut self.graph);
    }

    fn finish(mut self, plan: &Plan, options: &Options) -> Report {
        self.report.at = options.at.or(self.newest);
        let Some(at) = self.report.at else { return self.report };
        let rules = Rules { zone: options.zone.clone(), ..options.rules.clone() };
        for (_, profiles) in self.graph.people() {
            self.report.people += 1;
            let states = profiles.iter().filter_map(|profile| self.states.get(profile));
            let person = Person { crowd: &self, state: merged(states, self.set), profiles: &profiles, rules: &rules };
            if !evaluate(plan, &person, at, &options.zone).member {
                continue;
            }
            match person.name() {
                Some(name) => self.report.customers.push(name.into()),
                None => self.report.unnamed += 1,
            }
        }
        self.report.customers.sort_unstable();
        self.report
    }
}

fn merged<'s>(mut states: impl Iterator<Item = &'s State>, set: &CounterSet) -> Cow<'s, State> {
    let mut merged = states.next().map_or_else(|| Cow::Owned(State::default()), Cow::Borrowed);
    for state in states {
        state::merge_into(merged.to_mut(), state, set);
    }
    merged
}

struct Person<'a> {
    crowd: &'a Crowd<'a>,
    profiles: &'a [i64],
    state: Cow<'a, State>,
    rules: &'a Rules,
}

impl Person<'_> {
    fn values<'p>(&'p self, kind: &'p str) -> impl Iterator<Item = &'p str> {
        let identifiers = self.profiles.iter().filter_map(|profile| self.crowd.graph.identifiers(*profile));
        identifiers.flat_map(move |identifiers| identifiers.own_of_kind(kind))
    }

    fn name(&self) -> Option<&str> {
        self.values("user_id").min().or_else(|| self.values("anonymous_id").min())
    }
}

impl PersonView for Person<'_> {
    fn state(&self) -> &State {
        &self.state
    }
    fn rules(&self) -> &Rules {
        self.rules
    }
    fn trait_json(&self, name: &str) -> Option<Cow<'_, str>> {
        self.state.traits.json(name)
    }
    fn counter(&self, id: u32) -> Option<Cow<'_, Summary>> {
        self.state.counters.get(id).map(Cow::Borrowed)
    }
    fn any_identifier(&self, kind: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.values(kind).any(test)
    }
    fn consent(&self, channel: &str, purpose: &str) -> Option<bool> {
        self.crowd.ledger.state(self.profiles, channel, purpose, &self.crowd.graph)
    }
    fn in_segment(&self, _name: &str) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
