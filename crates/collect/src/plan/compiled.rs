//! A plan ready for events: look-ups by name, nothing for sources without one.
use super::presets::{PRESETS, Preset};
use super::tree::Tree;
use super::{Action, EventPlan, Kind, Mode, Plan};
use crate::Rejection;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// A plan that events are held against.
#[derive(Debug, Default)]
pub struct Compiled {
    plan: Plan,
    names: HashMap<Box<str>, Box<str>>,
    by_event: HashMap<Box<str>, Vec<Action>>,
    for_all: Vec<Action>,
}

/// Something of an event that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Found {
    UnknownEvent,
    Missing(Box<str>),
    WrongKind { property: Box<str>, expected: &'static str, found: &'static str },
}

impl Compiled {
    /// Compiles a plan.
    pub fn new(plan: Plan) -> Self {
        let mut out = Self::default();
        let chosen: Vec<&Preset> = PRESETS.iter().filter(|p| plan.presets.iter().any(|n| n == p.name)).collect();
        for preset in &chosen {
            for (from, to) in preset.events {
                out.names.insert((*from).into(), (*to).into());
            }
        }
        for (from, to) in &plan.aliases {
            out.names.insert(from.as_str().into(), to.as_str().into());
        }
        let rules = chosen.iter().flat_map(|p| p.rules()).chain(plan.rules.iter().cloned());
        for rule in rules {
            match rule.event {
                Some(event) => out.by_event.entry(event.into()).or_default().push(rule.action),
                None => out.for_all.push(rule.action),
            }
        }
        out.plan = plan;
        out
    }

    /// What it was made of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The standard name of an event, by the plan or else by what is built in.
    pub fn name<'a>(&'a self, sent: &'a str) -> &'a str {
        match self.names.get(sent) {
            Some(name) => name,
            None => db::names::canonical(sent),
        }
    }

    /// The properties of an event (by its standard name) under their standard names; `None` when they stay as they are.
    pub fn properties(&self, event: &str, properties: &str) -> Option<Box<RawValue>> {
        let own = self.by_event.get(event);
        if own.is_none() && self.for_all.is_empty() {
            return None;
        }
        let mut tree = Tree::new(properties);
        for action in self.for_all.iter().chain(own.into_iter().flatten()) {
            tree.apply(action);
        }
        let mut text = String::with_capacity(properties.len() + 32);
        tree.write(&mut text);
        if text == properties { None } else { RawValue::from_string(text).ok() }
    }

    /// Whether events are held against it at all.
    pub fn expects(&self) -> bool {
        !self.plan.events.is_empty()
            && (self.plan.unknown != Mode::Observe || self.plan.events.values().any(|e| e.mode != Mode::Observe))
    }

    /// Holds a named event against the plan: what does not fit, with what follows from it.
    pub fn check(&self, event: &str, properties: Option<&str>) -> (Mode, Vec<Found>) {
        let Some(expected) = self.plan.events.get(event) else {
            return (self.plan.unknown, vec![Found::UnknownEvent]);
        };
        if expected.mode == Mode::Observe {
            return (Mode::Observe, Vec::new());
        }
        (expected.mode, wrong(expected, properties))
    }

    /// [`Compiled::check`] as the refusal of a message, when the plan blocks.
    pub fn refuse(&self, event: &str, properties: Option<&str>) -> Result<(), Rejection> {
        let (Mode::Block, found) = self.check(event, properties) else { return Ok(()) };
        match found.into_iter().next() {
            None => Ok(()),
            Some(Found::UnknownEvent) => {
                let detail =
                    format!("the source's plan does not know an event {event:?}: add it to the plan, or an alias");
                Err(Rejection::new("plan_unknown_event", "/event", detail))
            }
            Some(Found::Missing(name)) => {
                let detail = format!("the plan requires {name} of {event:?}");
                Err(Rejection::new("plan_missing", pointer(&name), detail))
            }
            Some(Found::WrongKind { property, expected, found }) => {
                let detail = format!("the plan expects {property} to be {expected}, found {found}");
                Err(Rejection::new("plan_wrong_kind", pointer(&property), detail))
            }
        }
    }
}

fn pointer(name: &str) -> String {
    format!("/properties/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn wrong(expected: &EventPlan, properties: Option<&str>) -> Vec<Found> {
    #[derive(Deserialize)]
    struct Fields<'a>(#[serde(borrow)] HashMap<Cow<'a, str>, &'a RawValue>);
    let fields = properties.and_then(|p| serde_json::from_str::<Fields<'_>>(p).ok()).map(|f| f.0).unwrap_or_default();
    let mut out = Vec::new();
    for p in &expected.properties {
        match fields.get(p.name.as_str()).and_then(|raw| Kind::of(raw.get())) {
            None if p.required => out.push(Found::Missing(p.name.as_str().into())),
            Some(kind) if p.kind != Kind::Any && kind != p.kind => out.push(Found::WrongKind {
                property: p.name.as_str().into(),
                expected: p.kind.as_str(),
                found: kind.as_str(),
            }),
            _ => {}
        }
    }
    out
}
