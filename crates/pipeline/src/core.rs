//! A store with everything that reacts to its log.
use crate::jobs::{self, Kind, Runner};
use crate::preparer::{Current, Preparer};
use crate::recover::Refold;
use crate::ticker::Tick;
use crate::{Settings, facts_job, shop};
use base::{Clock, Timestamp};
use customers::counters::CounterSet;
use customers::rules::Rules;
use db::migrate::migrate;
use db::writer::{Observer, Options};
use db::{DbError, Engine, Location, Migrations, Store, Sync};
use std::sync::Arc;

/// How to open a store.
pub struct Open {
    pub location: Location,
    pub sync: Sync,
    pub options: Options,
    pub clock: Arc<dyn Clock>,
    /// Program, host and process, for whoever is refused.
    pub holder: String,
    pub take_over: bool,
    pub settings: Settings,
    /// Tables of rooms above this one.
    pub migrations: Vec<Migrations>,
    pub observer: Option<Observer>,
    /// Connections for reading beside the writer.
    pub readers: usize,
    /// Kinds of jobs of rooms above this one.
    pub jobs: Vec<Kind>,
    /// How an erasure goes through the texts of rooms above this one.
    pub sweeps: Vec<crate::erasure::Sweep>,
}

/// A store that runs.
pub struct Core {
    pub store: Arc<Store>,
    pub preparer: Arc<Preparer>,
    pub settings: Arc<Settings>,
    pub clock: Arc<dyn Clock>,
    /// Kinds of jobs that this program knows.
    pub jobs: Arc<Vec<Kind>>,
}

/// All tables of this crate and those below it.
pub fn migrations() -> Vec<Migrations> {
    vec![
        db::migrate::MIGRATIONS,
        customers::MIGRATIONS,
        segments::runtime::MIGRATIONS,
        messaging::MIGRATIONS,
        catalog::MIGRATIONS,
        stock::MIGRATIONS,
        catalog::prices::MIGRATIONS,
        loyalty::MIGRATIONS,
        ::orders::MIGRATIONS,
        Migrations {
            owner: "pipeline",
            steps: &[
                ("0001_pipeline", include_str!("../migrations/0001_pipeline.sql")),
                ("0002_sources", include_str!("../migrations/0002_sources.sql")),
            ],
        },
    ]
}

/// Refuses a store that a newer program made; for those who only read.
pub fn refuse_newer(db: &mut Engine) -> Result<(), DbError> {
    db::migrate::refuse_newer(db, &migrations())
}

impl Core {
    /// Opens a store: lock, migrations, settings, memory, what a kill left to fold.
    pub fn open(open: Open) -> Result<Core, DbError> {
        let settings = Arc::new(open.settings);
        let mut all = migrations();
        all.extend(open.migrations.iter().copied());
        let nothing = Current {
            counters: Arc::new(CounterSet::default()),
            rules: Arc::new(Rules::default()),
            plans: Arc::default(),
        };
        let preparer = Arc::new(Preparer::new(settings.clone(), nothing));
        let noted = settings.clone();
        let jobs: Arc<Vec<Kind>> = Arc::new(jobs::kinds(open.sweeps).into_iter().chain(open.jobs).collect());
        let runner = Runner::new(jobs.clone());
        let store = Store::open(db::Open {
            location: open.location,
            sync: open.sync,
            migrations: &all,
            options: open.options,
            clock: open.clock.clone(),
            holder: open.holder,
            take_over: open.take_over,
            before: Some(Box::new(move |engine| {
                facts_job::note(engine)?;
                shop::note(engine, &noted)
            })),
            recover: Some(Box::new(Refold { preparer: preparer.clone() })),
            ticker: Some(Box::new(Tick { preparer: preparer.clone(), leases_at: Timestamp::default(), jobs: runner })),
            observer: open.observer,
            readers: open.readers,
        })?;
        Ok(Core { store: Arc::new(store), preparer, settings, clock: open.clock, jobs })
    }

    /// Brings an empty database to the present schema without opening it for work.
    pub fn prepare_database(location: &Location, sync: Sync, extra: &[Migrations], now_us: i64) -> Result<(), DbError> {
        let mut all = migrations();
        all.extend(extra.iter().copied());
        migrate(&mut location.open(sync, false)?, &all, now_us)
    }
}
