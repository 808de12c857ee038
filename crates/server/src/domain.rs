//! The one place where the server meets the rooms below it: opening the store, taking events in, reading them back.
use crate::config::Config;
use base::{Clock, Country, Timestamp};
use bytes::Bytes;
use collect::enrich::place::{Loading, Places};
use collect::{Client, KeepIp};
use db::event::Batch;
use db::writer::{Observer, Options};
use db::{DbError, Location, Store, Sync};
use jiff::tz::TimeZone;
pub use pipeline::Ingested;
use pipeline::{Core, Ingest, Open, Preparer, Settings};
use std::sync::Arc;

/// The open store with everything that reacts to events.
pub struct Domain {
    core: Core,
}

/// What a start needs to know.
pub struct Start {
    /// Where the store is.
    pub location: Location,
    /// How hard it syncs.
    pub sync: Sync,
    /// Bytes of decoded rows in memory.
    pub cache_bytes: usize,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Program, host and process, for whoever is refused.
    pub holder: String,
    /// Raises the epoch although somebody holds the lock.
    pub take_over: bool,
    /// What is told after each commit.
    pub observer: Option<Observer>,
    /// What the pipeline knows of the shop.
    pub settings: Settings,
}

impl Start {
    /// A start by the settings.
    pub fn new(config: &Config, location: Location, sync: Sync, clock: Arc<dyn Clock>, what: &str) -> Self {
        Self {
            location,
            sync,
            cache_bytes: config.cache_bytes,
            clock,
            holder: holder(what),
            take_over: false,
            observer: None,
            settings: settings(config),
        }
    }
}

/// What the pipeline knows of the shop.
pub fn settings(config: &Config) -> Settings {
    Settings {
        country: Country::find(&config.country),
        zone: TimeZone::get(&config.time_zone).unwrap_or(TimeZone::UTC),
        currency: config.currency.clone(),
        clock_tolerance_us: config.clock_tolerance_us,
        max_body: config.max_body,
        dedup_days: config.dedup_days,
        places: config.geo_file.as_ref().map(|_| Loading::default()),
        keep_ip: if config.keep_ip_whole { KeepIp::Whole } else { KeepIp::Network },
        public_url: config.public_url.clone(),
        mail_from: config.mail_from.clone(),
    }
}

/// Program, process and host, for whoever finds the store in use.
fn holder(what: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{what} (process {}{}{host})", std::process::id(), if host.is_empty() { "" } else { " on " })
}

/// Jobs whose pieces threads beside the writer bring.
fn brought() -> Vec<pipeline::jobs::Kind> {
    let files = [
        crate::imports::spec::KIND,
        crate::exports::JOB,
        crate::goods::files::KIND,
        crate::goods::stock::KIND,
        crate::erp::JOB,
    ];
    let kinds = files.into_iter().chain(crate::moving::work::KINDS).map(pipeline::jobs::Kind::brought);
    kinds.chain([crate::retention::kind()]).collect()
}

impl Domain {
    /// Opens the store; waits for what a kill left to be folded again.
    pub fn open(start: Start) -> Result<Self, DbError> {
        let core = Core::open(Open {
            location: start.location,
            sync: start.sync,
            options: Options { cache_bytes: start.cache_bytes, ..Options::default() },
            clock: start.clock,
            holder: start.holder,
            take_over: start.take_over,
            settings: start.settings,
            migrations: vec![crate::accounts::MIGRATIONS],
            observer: start.observer,
            readers: 3,
            jobs: brought(),
            sweeps: vec![crate::audit::redact],
        })?;
        Ok(Self { core })
    }

    /// Reads the table of places on a thread of its own: until it is there, addresses have no place.
    pub fn load_places(&self, config: &Config) {
        let (Some(file), Some(places)) = (config.geo_file.clone(), self.core.settings.places.clone()) else { return };
        let country = config.country.clone();
        std::thread::spawn(move || {
            let open = std::fs::File::open(&file).map_err(collect::enrich::place::TableError::from);
            match open.and_then(|f| Places::read(std::io::BufReader::with_capacity(1 << 20, f), &country)) {
                Ok(table) => {
                    let (ranges, kinds) = table.len();
                    tracing::info!(file = %file.display(), ranges, places = kinds, "the table of places is there");
                    let _ = places.set(table);
                }
                Err(error) => {
                    let reason = std::error::Error::source(&error).map_or(String::new(), |s| format!(": {s}"));
                    tracing::error!(file = %file.display(), "events get no place by address: {error}{reason}");
                }
            }
        });
    }

    /// The store with what reacts to its log.
    pub fn core(&self) -> &Core {
        &self.core
    }
    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.core.store
    }
    /// Kinds of jobs that this program knows.
    pub fn job_kinds(&self) -> &Arc<Vec<pipeline::jobs::Kind>> {
        &self.core.jobs
    }
    /// What reads bodies.
    pub fn preparer(&self) -> &Arc<Preparer> {
        &self.core.preparer
    }
    /// What the pipeline knows of the shop.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }
    /// The same, for who keeps it.
    pub fn shared_settings(&self) -> &Arc<Settings> {
        &self.core.settings
    }
    /// Stops the writer: what is queued is done, dirty rows are flushed, the lock is given back.
    pub fn close(&self) {
        self.core.store.close();
    }
    /// The largest body of the tracking API.
    pub fn max_body(&self) -> usize {
        self.core.settings.max_body
    }

    /// Reads a body by the rules of the tracking API.
    pub fn receive(
        &self,
        call: collect::Call,
        source: collect::Source,
        client: Client,
        body: Bytes,
        received_at: Timestamp,
    ) -> Result<collect::Received, collect::Refusal> {
        self.core.preparer.receive(call, source, client, body, received_at)
    }

    /// A batch of a file, whose ids and times are decided.
    pub fn import_batch(
        &self,
        source: i64,
        body: String,
        ids: &[u128],
        times: &[Timestamp],
        now: Timestamp,
    ) -> Result<Batch, DbError> {
        self.core.preparer.import_batch(source, body, ids, times, now)
    }

    /// Queues a request's batch with what was refused of it; `reply` is called on the writer's thread, after COMMIT.
    pub fn ingest(&self, received: collect::Received, reply: impl FnOnce(Result<Ingested, DbError>) + Send + 'static) {
        self.push(received.batch, received.rejects, reply);
    }

    /// Queues a batch; `reply` is called on the writer's thread, after COMMIT.
    pub fn ingest_batch(&self, batch: Batch, reply: impl FnOnce(Result<Ingested, DbError>) + Send + 'static) {
        self.push(batch, Vec::new(), reply);
    }

    fn push(
        &self,
        batch: Batch,
        rejects: Vec<collect::Reject>,
        reply: impl FnOnce(Result<Ingested, DbError>) + Send + 'static,
    ) {
        let command = Ingest::command(self.core.preparer.clone(), batch, rejects, Box::new(reply));
        self.core.store.push(command);
    }
}
