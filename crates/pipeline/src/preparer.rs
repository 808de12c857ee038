//! Bodies become batches, on the threads that take requests: `collect` checks, `customers` says what a message means.
use crate::Settings;
use crate::sources::Plans;
use crate::sources::learned::Learner;
use base::Timestamp;
use bytes::Bytes;
use collect::plan::Compiled;
use collect::{Call, Client, Defaults, Options, Received, Refusal, Rejection, Request, Source, SourceKind, Stored};
use customers::counters::CounterSet;
use customers::rules::Rules;
use db::event::{Batch, Event, EventId, EventKind, Origin};
use db::log::LogRow;
use db::message::Message;
use db::{DbError, Tx};
use serde_json::value::RawValue;
use std::sync::{Arc, PoisonError, RwLock};

/// What preparing works with; replaced as a whole when definitions change.
#[derive(Debug, Clone)]
pub struct Current {
    pub counters: Arc<CounterSet>,
    pub rules: Arc<Rules>,
    pub plans: Arc<Plans>,
}

impl Current {
    /// What a batch was prepared with ([`db::event::Batch::prepared_with`]): it is prepared again when any has changed since.
    pub fn version(&self) -> u64 {
        // Each rises by one a change: a million changes of one before a number could come twice.
        let low = |version: u64| version & 0xf_ffff;
        (low(self.plans.version) << 40) | (low(self.rules.version as u64) << 20) | low(self.counters.version)
    }
}

/// Prepares bodies with the current definitions.
pub struct Preparer {
    settings: Arc<Settings>,
    /// The store's secret; known once it is open.
    hash_key: std::sync::OnceLock<(u64, u64)>,
    current: RwLock<Current>,
    learner: Learner,
}

impl Preparer {
    /// A preparer that counts nothing yet.
    pub fn new(settings: Arc<Settings>, current: Current) -> Self {
        Self {
            settings,
            hash_key: std::sync::OnceLock::new(),
            current: RwLock::new(current),
            learner: Learner::default(),
        }
    }
    /// What the pipeline knows of the shop.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// What is learned of the events that it prepares.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }
    /// What it works with now.
    pub fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Replaces what it works with. Batches prepared before are prepared again by the writer.
    pub fn replace(&self, current: Current) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }
    /// Takes over what the writer's definitions have become.
    pub fn follow(&self, tx: &mut Tx) -> Result<(), DbError> {
        let _ = self.hash_key.set(tx.hash_key());
        let fresh = crate::step::current(tx)?;
        let known = self.current();
        if known.version() != fresh.version() {
            self.replace(fresh);
        }
        Ok(())
    }
    /// Takes over the store's secret only.
    pub(crate) fn follow_key(&self, tx: &Tx) {
        let _ = self.hash_key.set(tx.hash_key());
    }
    fn key(&self) -> (u64, u64) {
        self.hash_key.get().copied().unwrap_or_default()
    }
    /// The settings of the tracking API.
    pub fn options(&self) -> Options {
        Options {
            clock_tolerance_us: self.settings.clock_tolerance_us,
            max_body: self.settings.max_body,
            places: self.settings.places.clone(),
            keep_ip: self.settings.keep_ip,
            ..Options::new(self.key())
        }
    }

    /// A request's body, checked and prepared.
    pub fn receive(
        &self,
        call: Call,
        source: Source,
        client: Client,
        body: Bytes,
        received_at: Timestamp,
    ) -> Result<Received, Refusal> {
        let current = self.current();
        let request = Request { call, source, client, body, received_at, prepared_with: current.version() };
        let browser = source.kind == SourceKind::Browser;
        let plan = current.plans.of(source.id);
        collect::receive(request, &self.options(), &|message, defaults, event| {
            let mapped = mapped(plan, message, event);
            let properties = mapped.as_deref().or(message.properties).map(RawValue::get);
            if let Some(plan) = plan.filter(|p| p.expects() && !event.name.is_empty()) {
                plan.refuse(&event.name, properties)?;
            }
            self.fill(&current, browser, mapped.as_deref(), message, defaults, event)?;
            self.learner.see(source.id, plan, event, properties, received_at);
            Ok(())
        })
    }

    /// An event's properties under their standard names, where the source's plan gives them others.
    pub fn standard_properties(&self, source: i64, event: &str, properties: Option<&RawValue>) -> Option<String> {
        let current = self.current();
        let plan = current.plans.of(source).filter(|_| !event.is_empty())?;
        plan.properties(event, properties?.get()).map(|p| p.get().to_string())
    }

    /// The events of a log row, prepared with the current definitions.
    pub fn decode(&self, row: &LogRow) -> Result<Vec<Event>, DbError> {
        self.decode_row(&self.current(), row)
    }

    /// The events of a log row, prepared with given definitions.
    pub fn decode_row(&self, current: &Current, row: &LogRow) -> Result<Vec<Event>, DbError> {
        let (ids, times, extra) = (&*row.ids, &*row.times, &*row.extra);
        self.decode_with(current, row.source, Stored { body: &row.body, origin: row.origin, ids, times, extra })
    }

    /// The events of a body whose ids and times are decided, prepared with given definitions.
    pub fn decode_with(&self, current: &Current, source: i64, stored: Stored<'_>) -> Result<Vec<Event>, DbError> {
        // A browser's refusals were spoken when the body came; what is stored was taken.
        collect::decode(stored, &|message, defaults, event| {
            let mapped = mapped(current.plans.of(source), message, event);
            self.fill(current, false, mapped.as_deref(), message, defaults, event)
        })
    }

    /// A batch of a file, whose ids and times are decided.
    pub fn import_batch(
        &self,
        source: i64,
        body: String,
        ids: &[EventId],
        times: &[Timestamp],
        now: Timestamp,
    ) -> Result<Batch, DbError> {
        let current = self.current();
        let stored = Stored { body: &body, origin: Origin::Import, ids, times, extra: &[] };
        let events = self.decode_with(&current, source, stored)?;
        Ok(Batch {
            source,
            origin: Origin::Import,
            browser: false,
            received_at: now,
            packed: collect::pack(body.as_bytes()),
            extra: Vec::new(),
            raw: body.into(),
            count: ids.len() as u32,
            events,
            prepared_with: current.version(),
        })
    }

    fn fill(
        &self,
        current: &Current,
        browser: bool,
        mapped: Option<&RawValue>,
        message: &Message<'_>,
        defaults: &Defaults<'_>,
        event: &mut Event,
    ) -> Result<(), Rejection> {
        let preparer = customers::prepare::Preparer {
            browser,
            country: self.settings.country,
            currency: &self.settings.currency,
            hash_key: self.key(),
            rules: &current.rules,
            counters: &current.counters,
        };
        let standard = mapped.map(|m| Message { properties: Some(m), ..message.clone() });
        let message = standard.as_ref().unwrap_or(message);
        preparer
            .fill_with(message, defaults.context, defaults.derived, event)
            .map_err(|r| Rejection::new(r.code, r.pointer, r.detail))
    }
}

/// Gives an event its standard name by the source's plan; gives its properties under their standard names, where these are
/// others.
fn mapped(plan: Option<&Compiled>, message: &Message<'_>, event: &mut Event) -> Option<Box<RawValue>> {
    let plan = plan?;
    if event.kind == EventKind::Track
        && let Some(sent) = message.event.as_deref()
    {
        let name = plan.name(sent);
        if *name != *event.name {
            event.name = collect::clean(name).into();
        }
    }
    if event.name.is_empty() {
        return None;
    }
    plan.properties(&event.name, message.properties?.get())
}
