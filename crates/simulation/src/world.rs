//! A store that is driven by hand.
use base::{Clock, ManualClock, Rng, Timestamp};
use bytes::Bytes;
use collect::{Call, Source, SourceKind};
use db::testing::{Place, vfs};
use db::writer::Options;
use db::{DbError, Location, Step, Sync, Tx};
use pipeline::{Core, Ingest, Ingested, Open, Settings, doctor};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// A store, its clock, and whoever opens and closes it.
pub struct World {
    pub place: Place,
    pub clock: Arc<ManualClock>,
    /// Everything is synced, and what was not can be taken back: a cut of power.
    pub durable: bool,
    core: Option<Core>,
    pub opens: u64,
}

/// Where a life begins.
pub fn noon() -> Timestamp {
    Timestamp::from_civil(2026, 11, 22, 12, 0, 0)
}

impl World {
    /// A new store. With `durable` it lies on a file system that forgets what was not synced (SQLite only).
    pub fn new(mut place: Place, durable: bool) -> Result<Self, DbError> {
        let durable = match &mut place.location {
            Location::Sqlite { vfs, .. } if durable => {
                vfs::register();
                *vfs = Some(vfs::NAME.into());
                true
            }
            _ => false,
        };
        let mut world = Self { place, clock: Arc::new(ManualClock::new(noon())), durable, core: None, opens: 0 };
        world.open()?;
        // The store's secret decides how ids are hashed; a life that is to be repeated needs the same one.
        world.stop();
        let mut engine = world.place.location.open(Sync::UnsafeFast, false)?;
        engine.execute("UPDATE writers SET hash_key = $1", &[(&[7u8; 16][..]).into()])?;
        drop(engine);
        world.open()?;
        Ok(world)
    }

    fn open(&mut self) -> Result<(), DbError> {
        self.opens += 1;
        let mut patience = 200;
        loop {
            let opened = Core::open(Open {
                location: self.place.location.clone(),
                sync: if self.durable { Sync::Full } else { Sync::UnsafeFast },
                options: Options { stepped: true, cache_bytes: 8 << 20, ..Options::default() },
                clock: self.clock.clone() as Arc<dyn Clock>,
                holder: "a simulation".into(),
                take_over: false,
                settings: Settings::default(),
                jobs: Vec::new(),
                sweeps: Vec::new(),
                migrations: Vec::new(),
                observer: None,
                readers: 1,
            });
            match opened {
                // PostgreSQL frees a dead writer's lock when it notices that the connection is gone.
                Err(DbError::Held(_)) if patience > 0 => {
                    patience -= 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                opened => {
                    self.core = Some(opened?);
                    return Ok(());
                }
            }
        }
    }

    pub fn core(&self) -> &Core {
        self.core.as_ref().expect("the store is open")
    }
    /// Whether the writer still works; after a crash it does not.
    pub fn is_alive(&self) -> bool {
        self.core.as_ref().is_some_and(|core| core.store.is_alive())
    }
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends as a kill would: memory, overlay and connection are gone. With `power` the disk forgets too.
    pub fn crash(&mut self, power: Option<&mut Rng>) -> Result<(), DbError> {
        if let Some(core) = self.core.take() {
            core.store.abandon();
        }
        if let Some(rng) = power {
            vfs::power_cut(&self.place.folder, rng).map_err(|e| DbError::damaged("power cut", e))?;
        }
        self.open()
    }

    /// Ends in order.
    pub fn stop(&mut self) {
        if let Some(core) = self.core.take() {
            core.store.close();
        }
    }

    /// Ends in order, and starts again.
    pub fn restart(&mut self) -> Result<(), DbError> {
        self.stop();
        self.open()
    }

    pub fn write<T, E>(&self, f: impl FnMut(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.core().store.write(f)
    }

    pub fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        self.core().store.read(f)
    }

    /// Queues a body; the answer comes later, or never when the writer ends before.
    pub fn push(&self, body: &str, import: bool) -> mpsc::Receiver<Result<Ingested, DbError>> {
        let core = self.core();
        let bytes = Bytes::copy_from_slice(body.as_bytes());
        let (sender, receiver) = mpsc::sync_channel(1);
        let (id, kind) = if import { (2, SourceKind::Import) } else { (1, SourceKind::Server) };
        let received =
            core.preparer.receive(Call::Batch, Source { id, kind }, collect::Client::default(), bytes, self.now());
        let received = received.expect("the simulation writes bodies that are taken");
        let reply = Box::new(move |answer| drop(sender.send(answer)));
        core.store.push(Ingest::command(core.preparer.clone(), received.batch, received.rejects, reply));
        receiver
    }

    /// Sends a body and waits.
    pub fn send(&self, body: &str, import: bool) -> Result<Ingested, DbError> {
        self.push(body, import).recv().unwrap_or(Err(DbError::Stopped))
    }

    /// Lets the store do what is due, to the end or for `pieces` pieces; gives how many it took.
    pub fn tick(&self, pieces: u32) -> Result<u32, DbError> {
        for piece in 0..pieces {
            let now = self.now();
            let due = self.read(move |tx| {
                let waits = pipeline::backfill::is_waiting(tx)?;
                Ok(waits || segments::runtime::timers::next_due(tx)? <= now)
            })?;
            if !due {
                return Ok(piece);
            }
            self.core().store.step(Step::Tick);
            if !self.is_alive() {
                return Err(DbError::Stopped);
            }
        }
        Ok(pieces)
    }

    /// Writes a few of the rows that wait.
    pub fn flush(&self) {
        self.core().store.step(Step::Flush);
    }

    /// Everything that `doctor` finds, or a refusal with what it found.
    pub fn check(&self) -> Result<doctor::Report, String> {
        let report = doctor::run(&self.place.location, &*self.clock, Settings::default())
            .map_err(|e| format!("doctor cannot read: {e}"))?;
        match report.findings.is_empty() {
            true => Ok(report),
            false => Err(format!("doctor finds {:#?}", report.findings)),
        }
    }
}
