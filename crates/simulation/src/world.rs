//! A store that is driven by hand.
use base::{Clock, ManualClock, Rng, Timestamp};
use bytes::Bytes;
use collect::{Call, Source, SourceKind};
use db::event::{Batch, Origin};
use db::testing::prepared::Prepared;
use db::testing::{Place, vfs};
use db::writer::Options;
use db::{DbError, Dialect, Engine, Location, Owned, Step, Sync, Tx, backup};
use pipeline::{Core, Ingest, Ingested, Open, Settings, doctor};
use std::hash::{Hash, Hasher};
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

/// The source of ordinary requests.
pub const TRACKED: i64 = 1;
/// The source of imports.
pub const IMPORTS: i64 = 2;

/// A store as every life begins with: all tables made, and a secret that is the same each time, since it decides how ids are
/// hashed and a life is to be repeated.
pub fn prepare(place: Place) -> Result<Prepared, DbError> {
    let mut world = World::new(place, false)?;
    world.stop();
    let mut engine = world.place.location.open(Sync::UnsafeFast, false)?;
    engine.execute("UPDATE writers SET hash_key = $1, epoch = 0", &[(&[7u8; 16][..]).into()])?;
    drop(engine);
    Ok(Prepared::new(world.place))
}

/// Where a life begins.
pub fn noon() -> Timestamp {
    Timestamp::from_civil(2026, 11, 22, 12, 0, 0)
}

impl World {
    /// A prepared store. With `durable` it lies on a file system that forgets what was not synced (SQLite only).
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
        Ok(world)
    }

    fn open(&mut self) -> Result<(), DbError> {
        self.opens += 1;
        let mut patience = 200;
        loop {
            let opened = Core::open(Open {
                location: self.place.location.clone(),
                sync: self.sync(),
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
        let (sender, receiver) = mpsc::sync_channel(1);
        let (batch, rejects) = if import { (self.imported(body), Vec::new()) } else { self.received(body) };
        let reply = Box::new(move |answer| drop(sender.send(answer)));
        core.store.push(Ingest::command(core.preparer.clone(), batch, rejects, reply));
        receiver
    }

    fn received(&self, body: &str) -> (Batch, Vec<collect::Reject>) {
        let bytes = Bytes::copy_from_slice(body.as_bytes());
        let source = Source { id: TRACKED, kind: SourceKind::Server };
        let preparer = &self.core().preparer;
        let received = preparer.receive(Call::Batch, source, collect::Client::default(), bytes, self.now());
        let received = received.expect("the simulation writes bodies that are taken");
        (received.batch, received.rejects)
    }

    /// A file's rows say their ids and times themselves.
    fn imported(&self, body: &str) -> Batch {
        let read: serde_json::Value = serde_json::from_str(body).expect("the simulation writes JSON");
        let items = read["batch"].as_array().expect("a body is a list of items");
        let text = |item: &serde_json::Value, name: &str| item[name].as_str().expect("each item says it").to_string();
        let key = self.core().store.hash_key();
        let ids: Vec<u128> = items.iter().map(|i| collect::event_id(key, IMPORTS, &text(i, "messageId"))).collect();
        let time = |i| Timestamp::parse(&text(i, "timestamp")).expect("it is a time");
        let times: Vec<Timestamp> = items.iter().map(time).collect();
        let batch = self.core().preparer.import_batch(IMPORTS, body.into(), &ids, &times, self.now());
        batch.expect("the simulation writes rows that are taken")
    }

    /// Sends a body and waits.
    pub fn send(&self, body: &str, import: bool) -> Result<Ingested, DbError> {
        let answer = self.push(body, import);
        self.work();
        answer.recv().unwrap_or(Err(DbError::Stopped))
    }

    /// Lets the store do what is queued, as one group.
    pub fn work(&self) {
        self.core().store.work();
    }

    /// Lets the store do what is due, to the end or for `pieces` pieces; gives how many it took.
    pub fn tick(&self, pieces: u32) -> Result<u32, DbError> {
        for piece in 0..pieces {
            let now = self.now();
            let due = self.read(move |tx| {
                let waits = pipeline::backfill::is_waiting(tx)? || pipeline::erasure::is_waiting(tx)?;
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

    pub fn dialect(&self) -> Dialect {
        match self.place.location {
            Location::Sqlite { .. } => Dialect::Sqlite,
            Location::Postgres { .. } => Dialect::Postgres,
        }
    }

    pub(crate) fn engine(&self) -> Result<Engine, DbError> {
        self.place.location.open(Sync::UnsafeFast, true)
    }

    /// Takes a backup beside the running program, ends that as a kill would, and goes on with what the backup brings back.
    pub fn restore_backup(&mut self) -> Result<(), String> {
        let mut bytes = Vec::new();
        let at = self.now().to_string();
        let made = backup::Made { braid: "simulation", at: &at, config: "", throttle: Duration::ZERO };
        let mut engine = self.engine().map_err(|e| e.to_string())?;
        backup::write(&mut engine, &mut bytes, &made).map_err(|e| format!("no backup can be made: {e}"))?;
        drop(engine);
        if let Some(core) = self.core.take() {
            core.store.abandon();
        }
        let mut place = Place::sqlite();
        if let (Location::Sqlite { vfs: old, .. }, Location::Sqlite { vfs, .. }) =
            (&self.place.location, &mut place.location)
        {
            vfs.clone_from(old);
        }
        let manifest = backup::verify(&mut &bytes[..]).map_err(|e| format!("the backup is not whole: {e}"))?;
        let mut fresh = place.location.open(self.sync(), false).map_err(|e| e.to_string())?;
        let now = self.now().micros();
        backup::load(&mut fresh, &mut &bytes[..], &manifest, &pipeline::migrations(), now)
            .map_err(|e| format!("the backup cannot be restored: {e}"))?;
        drop(fresh);
        self.place = place;
        self.open().map_err(|e| format!("what a backup brought back does not open: {e}"))
    }

    /// The store's secret, and the ids of all events that came from outside.
    pub fn ids(&self) -> Result<((u64, u64), Vec<u128>), DbError> {
        let mut engine = self.engine()?;
        let key = db::store::read_row(&mut engine)?.hash_key;
        let mut ids = Vec::new();
        db::log::each(&mut engine, 1, false, &mut |row| {
            if row.origin != Origin::Derived {
                ids.extend(row.ids.iter().filter(|id| **id != 0));
            }
            Ok(true)
        })?;
        Ok((key, ids))
    }

    /// Every row of every table, as text, with its table; bodies of the log unpacked.
    fn everything(&self, visit: &mut dyn FnMut(&str, &str)) -> Result<(), DbError> {
        let mut engine = self.engine()?;
        let sql = match engine.dialect() {
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND SUBSTR(name, 1, 6) <> 'sqlite' ORDER BY name"
            }
            Dialect::Postgres => "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        };
        for table in engine.rows(sql, &[])? {
            let table = table.text(0)?.to_string();
            let mut rows = Vec::new();
            for row in engine.rows(&format!("SELECT * FROM {table}"), &[])? {
                let mut line = String::new();
                for value in &row.0 {
                    match value {
                        Owned::Text(text) => line.push_str(text),
                        Owned::Blob(bytes) => line.push_str(&String::from_utf8_lossy(bytes)),
                        Owned::Int(number) => line.push_str(&number.to_string()),
                        Owned::Null => {}
                    }
                    line.push('\u{1f}');
                }
                rows.push(line);
            }
            rows.sort_unstable();
            rows.iter().for_each(|row| visit(&table, row));
        }
        db::log::each(&mut engine, 1, true, &mut |row| {
            visit("bodies", &row.body);
            Ok(true)
        })
    }

    /// Where any of the texts stands: in a row, in a body, or in what a file still holds of deleted ones.
    pub fn traces(&self, texts: &[String]) -> Result<Vec<String>, DbError> {
        let mut found = Vec::new();
        let small: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        self.everything(&mut |table, row| {
            let row = row.to_lowercase();
            found.extend(
                small.iter().filter(|text| row.contains(*text)).map(|text| format!("{text} in {table}: {row}")),
            );
        })?;
        if let Location::Sqlite { path, .. } = &self.place.location {
            let patterns: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            let pages = db::erase::search(path, &patterns)?;
            found.extend((pages > 0).then(|| format!("{pages} patterns in the file")));
        }
        Ok(found)
    }

    /// A hash over everything that the store holds, but for the key of unsubscribe links: keys are drawn from the system.
    pub fn fingerprint(&self) -> Result<u64, DbError> {
        let mut hasher = std::hash::DefaultHasher::new();
        self.everything(&mut |table, row| {
            if !(table == "settings" && row.starts_with("messaging.unsubscribe_secret")) {
                (table, row).hash(&mut hasher);
            }
        })?;
        Ok(hasher.finish())
    }

    fn sync(&self) -> Sync {
        if self.durable { Sync::Full } else { Sync::UnsafeFast }
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
