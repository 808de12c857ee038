//! Opening a store, and the handle through which everybody asks the writer and the readers.
use crate::engine::{Engine, Sync, redact};
use crate::migrate::{Migrations, migrate};
use crate::queue::Shared;
use crate::writer::{self, Command, Counts, Loop, Observer, Options, Recover, Ticker, Verdict, WriterRow};
use crate::{DbError, Tx};
use base::Clock;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; the folder around it is the installation. `vfs` names SQLite's file system layer, for tests.
    Sqlite { path: PathBuf, vfs: Option<String> },
    /// A connection URL.
    Postgres { url: String },
}

impl Location {
    /// Parses `sqlite:FILE` (relative to `dir`) and `postgres://…`.
    pub fn parse(url: &str, dir: &Path) -> Result<Self, DbError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            if file.is_empty() {
                return Err(DbError::Open {
                    url: url.into(),
                    reason: "it names no file: write sqlite:braid.db".into(),
                });
            }
            return Ok(Location::Sqlite { path: dir.join(file), vfs: None });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Location::Postgres { url: crate::engine::tls::with_absolute_root(url, dir)? });
        }
        let reason = "it must begin with sqlite: or postgres://".to_string();
        Err(DbError::Open { url: redact(url), reason })
    }
    /// A connection, without lock.
    pub fn open(&self, sync: Sync, read_only: bool) -> Result<Engine, DbError> {
        match self {
            Location::Sqlite { path, vfs } => Engine::open_sqlite(path, sync, read_only, vfs.as_deref()),
            Location::Postgres { url } => Engine::open_postgres(url, sync),
        }
    }
    /// The location as it may be shown.
    pub fn shown(&self) -> String {
        match self {
            Location::Sqlite { path, .. } => format!("sqlite:{}", path.display()),
            Location::Postgres { url } => redact(url),
        }
    }
}

/// The advisory lock of the customers' writer: "braid" and the writer's number.
const LOCK_KEY: i64 = 0x0062_7261_6964_0001;

/// A store that is locked and migrated, before its loop runs.
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    pub(crate) row: WriterRow,
    pub(crate) location: Location,
    pub(crate) sync: Sync,
}

pub(crate) fn lock_again(engine: &mut Engine) -> Result<bool, DbError> {
    if engine.dialect() == crate::Dialect::Sqlite {
        return Ok(true);
    }
    let row = engine.first("SELECT pg_try_advisory_lock($1)", &[LOCK_KEY.into()])?;
    Ok(row.is_some_and(|r| r.int(0).is_ok_and(|held| held == 1)))
}

/// A lock that is held for twice this long is somebody else's.
const HELD_FOR: Duration = Duration::from_millis(1100);

/// Reads the writer's row.
pub fn read_row(engine: &mut Engine) -> Result<WriterRow, DbError> {
    let sql = "SELECT epoch, next_seq, last_group, unflushed_group, unflushed_seq, next_id, next_profile, events, derived, \
               rejected, profiles, absorbed, hash_key, acted_at FROM writers WHERE writer = 1";
    let row = engine
        .first(sql, &[])?
        .ok_or_else(|| DbError::damaged("writers", "the row of the customers' writer is missing"))?;
    let key = row.blob(12)?;
    let half = |at: usize| {
        let bytes = key.get(at..at + 8).and_then(|b| b.try_into().ok());
        bytes.map(u64::from_le_bytes).ok_or_else(|| DbError::damaged("writers", "the hash key is cut"))
    };
    Ok(WriterRow {
        epoch: row.int(0)?,
        next_seq: row.int(1)?,
        last_group: row.int(2)?,
        unflushed_group: row.int(3)?,
        unflushed_seq: row.int(4)?,
        next_id: row.int(5)?,
        next_profile: row.int(6)?,
        counts: Counts {
            events: row.int(7)?,
            derived: row.int(8)?,
            rejected: row.int(9)?,
            profiles: row.int(10)?,
            absorbed: row.int(11)?,
        },
        hash_key: (half(0)?, half(8)?),
        acted_at: base::Timestamp::from_micros(row.int(13)?),
    })
}

/// Who holds the writer, as the row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub holder: String,
    /// Where the holder listens, empty if nowhere.
    pub address: String,
    pub since_us: i64,
    pub clean: bool,
}

/// Reads who holds, or held last, the writer.
pub fn read_holder(engine: &mut Engine) -> Result<Holder, DbError> {
    let row = engine.first("SELECT holder, address, since, clean FROM writers WHERE writer = 1", &[])?;
    let row = row.ok_or_else(|| DbError::damaged("writers", "the row of the customers' writer is missing"))?;
    Ok(Holder {
        holder: row.text(0)?.into(),
        address: row.text(1)?.into(),
        since_us: row.int(2)?,
        clean: row.int(3)? == 1,
    })
}

/// An exclusive lock on a file, gone with the process.
struct FileLock(#[allow(dead_code, reason = "held for its drop")] std::fs::File);

fn lock_file(path: &Path) -> Result<Option<FileLock>, DbError> {
    let open = |e: std::io::Error| DbError::Open { url: path.display().to_string(), reason: e.to_string() };
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock(file))),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(e)) => Err(open(e)),
    }
}

/// What prepares a store's database.
pub type Before<'a> = Box<dyn FnOnce(&mut Engine) -> Result<(), DbError> + 'a>;

/// How to open a store for writing.
pub struct Open<'a> {
    pub location: Location,
    pub sync: Sync,
    pub migrations: &'a [Migrations],
    pub options: Options,
    pub clock: Arc<dyn Clock>,
    /// Program, host and process, for whoever is refused.
    pub holder: String,
    /// Raises the epoch although somebody holds the lock.
    pub take_over: bool,
    /// Runs after the migrations and before memory is loaded, on the writer's connection.
    pub before: Option<Before<'a>>,
    pub recover: Option<Box<dyn Recover>>,
    pub ticker: Option<Box<dyn Ticker>>,
    pub observer: Option<Observer>,
    /// Connections for reading beside the writer.
    pub readers: usize,
}

type ReadJob = Box<dyn FnOnce(Result<&mut Engine, DbError>) + Send>;

/// A store that runs: its writer, its readers.
pub struct Store {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// A loop without a thread of its own; see [`Options::stepped`].
    stepped: Mutex<Option<Loop>>,
    warm: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Option<mpsc::SyncSender<ReadJob>>>,
    location: Location,
    sync: Sync,
    hash_key: (u64, u64),
    lock: Mutex<Option<FileLock>>,
}

impl Store {
    /// Locks, migrates, loads and folds what a kill left unflushed; then commands are taken.
    pub fn open(open: Open<'_>) -> Result<Store, DbError> {
        let Open {
            location,
            sync,
            migrations,
            options,
            clock,
            holder,
            take_over,
            before,
            recover,
            ticker,
            observer,
            readers,
        } = open;
        let now_us = clock.now().micros();
        let mut lock = None;
        if let Location::Sqlite { path, .. } = &location {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            lock = lock_file(&folder.join("lock"))?;
            if lock.is_none() && !take_over {
                return Err(held(&location, sync));
            }
        }
        let mut engine = location.open(sync, false)?;
        // PostgreSQL may take a moment to notice that a killed program's connection is gone; mostly it is a short one.
        let mut patience = Duration::from_millis(2);
        while !lock_again(&mut engine)? {
            if take_over {
                break;
            }
            if patience > HELD_FOR {
                return Err(held(&location, sync));
            }
            std::thread::sleep(patience);
            patience *= 2;
        }
        migrate(&mut engine, migrations, now_us)?;
        let key: [u8; 16] = base::random_bytes();
        engine.execute(
            "INSERT INTO writers (writer, epoch, holder, address, since, clean, next_seq, last_group, unflushed_group, \
             unflushed_seq, next_id, next_profile, events, derived, rejected, profiles, absorbed, hash_key) \
             VALUES (1, 0, '', '', 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, $1) ON CONFLICT (writer) DO NOTHING",
            &[(&key[..]).into()],
        )?;
        engine.execute(
            "UPDATE writers SET epoch = epoch + 1, holder = $1, address = '', since = $2, clean = 0 WHERE writer = 1",
            &[(&holder).into(), now_us.into()],
        )?;
        if let Some(before) = before {
            before(&mut engine)?;
        }
        let row = read_row(&mut engine)?;
        let hash_key = row.hash_key;
        let shared = Arc::new(Shared::new(options.queue));
        shared.observed.store(observer.is_some(), Ordering::Relaxed);
        let opened = Opened { engine, row, location: location.clone(), sync };
        let mut running = writer::prepare(opened, options, shared.clone(), clock);
        running.preload = recover.as_ref().and_then(|r| r.preload());
        let warm = recover.as_ref().and_then(|r| r.warm());
        let room = running.options.cache_bytes;
        running.recover = recover;
        running.ticker = ticker;
        running.observer = observer;
        running.recover_now()?;
        let (mut thread, mut warming, mut stepped) = (None, None, None);
        if running.options.stepped {
            running.ahead = Some(crate::warm::ByHand::new(warm, (location.clone(), sync), room));
            stepped = Some(running);
        } else {
            thread = Some(start_loop(running, &location)?);
            warming = Some(crate::warm::start(warm, (location.clone(), sync), shared.clone(), room)?);
        }
        let readers = start_readers(&location, sync, readers)?;
        Ok(Store {
            shared,
            thread: Mutex::new(thread),
            stepped: Mutex::new(stepped),
            warm: Mutex::new(warming),
            readers: Mutex::new(Some(readers)),
            location,
            sync,
            hash_key,
            lock: Mutex::new(lock),
        })
    }

    /// Runs a command and waits for its answer. The closure may run again after its effects were undone; it must not refuse
    /// after its first write (if it does, its effects are undone all the same, at a cost).
    pub fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (sender, receiver) = crate::answer::answer();
        self.write_with(f, move |answer| sender.send(answer));
        self.work();
        receiver.recv().unwrap_or_else(|| Err(DbError::Stopped.into()))
    }

    /// Runs a command; `reply` gets its answer on the writer's thread, after COMMIT.
    pub fn write_with<T, E, F>(&self, f: F, reply: impl FnOnce(Result<T, E>) + Send + 'static)
    where
        F: FnMut(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.shared.push(Box::new(FnCommand { f, answer: None, reply }));
    }

    /// Queues a command of one's own making.
    pub fn push(&self, command: Box<dyn Command>) {
        self.shared.push(command);
    }

    /// Reads committed state by key on the writer's thread, between two groups; waits.
    pub fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.read_with(f, move |answer| {
            let _ = sender.send(answer);
        });
        self.work();
        receiver.recv().unwrap_or_else(|_| Err(DbError::Stopped.into()))
    }

    /// As [`Store::read`], without waiting.
    pub fn read_with<T, E, F>(&self, f: F, reply: impl FnOnce(Result<T, E>) + Send + 'static)
    where
        F: FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let reply = Arc::new(Mutex::new(Some(reply)));
        let late = reply.clone();
        let give = |slot: &Mutex<Option<_>>| slot.lock().ok().and_then(|mut r| r.take());
        let refused = self.shared.push_read(Box::new(move |tx| {
            let answer = tx.map_err(E::from).and_then(f);
            if let Some(reply) = give(&reply) {
                reply(answer);
            }
        }));
        if let Err(e) = refused
            && let Some(reply) = give(&late)
        {
            reply(Err(e.into()));
        }
    }

    /// Runs a query on a connection of its own, beside the writer; sees what is committed, without lazy rows that wait for
    /// their flush. Waits.
    pub fn query<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Engine) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.query_with(f, move |answer| {
            let _ = sender.send(answer);
        });
        receiver.recv().unwrap_or_else(|_| Err(DbError::Stopped.into()))
    }

    /// As [`Store::query`], without waiting.
    pub fn query_with<T, E, F>(&self, f: F, reply: impl FnOnce(Result<T, E>) + Send + 'static)
    where
        F: FnOnce(&mut Engine) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let sender = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let Some(sender) = sender else { return reply(Err(DbError::Stopped.into())) };
        // The reply is kept apart, so that a full queue can still answer.
        let slot = Arc::new(Mutex::new(Some(reply)));
        let late = slot.clone();
        let job: ReadJob = Box::new(move |engine| {
            let answer = engine.map_err(E::from).and_then(f);
            if let Some(reply) = slot.lock().ok().and_then(|mut r| r.take()) {
                reply(answer);
            }
        });
        if sender.try_send(job).is_err()
            && let Some(reply) = late.lock().ok().and_then(|mut r| r.take())
        {
            reply(Err(DbError::QueueFull.into()));
        }
    }

    /// Says where this program listens, for commands that want to ask it.
    pub fn announce(&self, address: &str) -> Result<(), DbError> {
        let address = address.to_string();
        self.write(move |tx| {
            tx.execute("UPDATE writers SET address = $1 WHERE writer = 1", &[(&address).into()]).map(drop)
        })
    }

    /// Wakes the writer to look at what is due.
    pub fn poke(&self) {
        self.shared.poke();
    }
    /// Lets a stepped loop do what is queued, on this thread; a loop with a thread of its own does so by itself.
    pub fn work(&self) {
        let mut held = self.stepped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(mut running) = held.take()
            && running.work()
        {
            *held = Some(running);
        }
    }
    /// Lets a stepped loop do a piece of its own work, see [`Options::stepped`].
    #[cfg(any(test, feature = "testing"))]
    pub fn step(&self, step: crate::Step) {
        self.shared.push_step(step);
        self.work();
    }
    /// Whether the writer still takes commands.
    pub fn is_alive(&self) -> bool {
        !self.shared.dead.load(Ordering::SeqCst)
    }
    /// The store's secret for keyed hashes of ids.
    pub fn hash_key(&self) -> (u64, u64) {
        self.hash_key
    }
    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }
    /// How hard it syncs.
    pub fn sync(&self) -> Sync {
        self.sync
    }
    /// Figures for metrics.
    pub fn figures(&self) -> Figures {
        let sizes = self.shared.group_sizes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut sorted: Vec<u32> = sizes.iter().copied().collect();
        sorted.sort_unstable();
        Figures {
            queue_depth: self.shared.depth(),
            groups: self.shared.groups.load(Ordering::Relaxed),
            last_group_events: self.shared.last_group_events.load(Ordering::Relaxed),
            last_commit_us: self.shared.last_commit_us.load(Ordering::Relaxed),
            dirty_rows: self.shared.dirty_rows.load(Ordering::Relaxed),
            cache_bytes: self.shared.cache_bytes.load(Ordering::Relaxed),
            replays: self.shared.replays.load(Ordering::Relaxed),
            statements: self.shared.statements.load(Ordering::Relaxed),
            group_events_median: sorted.get(sorted.len() / 2).copied().unwrap_or(0) as usize,
        }
    }

    /// Leaves everything as a kill would: nothing is flushed any more.
    #[cfg(any(test, feature = "testing"))]
    pub fn abandon(&self) {
        self.shared.dead.store(true, Ordering::SeqCst);
        self.close();
    }

    /// Stops: what is queued is done, dirty rows are flushed, the lock is given back.
    pub fn close(&self) {
        self.shared.close();
        if let Some(thread) = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            let _ = thread.join();
        }
        self.work();
        self.stepped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(warm) = self.warm.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            warm.thread().unpark();
            let _ = warm.join();
        }
        self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a store can say about its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    pub queue_depth: usize,
    pub groups: i64,
    pub last_group_events: usize,
    pub last_commit_us: i64,
    pub dirty_rows: usize,
    pub cache_bytes: usize,
    /// Groups that had to be run again one command at a time.
    pub replays: i64,
    /// Statements that the writer ran on its present connection; on PostgreSQL each is a round trip.
    pub statements: u64,
    pub group_events_median: usize,
}

fn start_loop(running: Loop, location: &Location) -> Result<JoinHandle<()>, DbError> {
    let run = move || {
        let shared = running.shared.clone();
        // A bug of the loop itself must not leave callers waiting for ever; the next start folds what was missed.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Loop::run(running))).is_err() {
            tracing::error!("the writer panicked and is gone");
            shared.dead.store(true, Ordering::SeqCst);
            shared.drain(&DbError::Stopped);
        }
    };
    let spawned = std::thread::Builder::new().name("writer".into()).spawn(run);
    spawned.map_err(|e| DbError::Open { url: location.shown(), reason: e.to_string() })
}

fn held(location: &Location, sync: Sync) -> DbError {
    let holder = location.open(sync, true).and_then(|mut e| read_holder(&mut e));
    DbError::Held(match holder {
        Ok(h) => format!(
            "the store is in use by {} since {}{}; stop it, or start with --take-over",
            if h.holder.is_empty() { "another program" } else { &h.holder },
            base::Timestamp::from_micros(h.since_us),
            if h.address.is_empty() { String::new() } else { format!(" at {}", h.address) },
        ),
        Err(_) => "the store is in use by another program; stop it, or start with --take-over".into(),
    })
}

/// How long a reader's connection may rest before it is asked whether it is still there.
const RESTED: Duration = Duration::from_secs(1);

fn start_readers(location: &Location, sync: Sync, count: usize) -> Result<mpsc::SyncSender<ReadJob>, DbError> {
    let (sender, receiver) = mpsc::sync_channel::<ReadJob>(256);
    let receiver = Arc::new(Mutex::new(receiver));
    for at in 0..count.max(1) {
        let (location, receiver) = (location.clone(), receiver.clone());
        let spawned = std::thread::Builder::new().name(format!("reader-{at}")).spawn(move || {
            let mut engine: Option<Engine> = None;
            let mut used = Instant::now();
            loop {
                let job = receiver.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
                let Ok(job) = job else { return };
                // A connection that rested may be gone without anybody having noticed; asking costs less than a failed query.
                let rested = used.elapsed() > RESTED;
                engine = engine.take().filter(|e| !e.is_closed());
                if rested && engine.as_mut().is_some_and(|e| !e.answers()) {
                    engine = None;
                }
                if engine.is_none() {
                    match location.open(sync, true) {
                        Ok(open) => engine = Some(open),
                        Err(error) => {
                            tracing::warn!(%error, "a reader cannot connect");
                            job(Err(error));
                            continue;
                        }
                    }
                }
                let Some(open) = engine.as_mut() else { continue };
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(Ok(open)))).is_err() {
                    tracing::error!("a query panicked");
                    engine = None;
                }
                used = Instant::now();
            }
        });
        spawned.map_err(|e| DbError::Open { url: "a reader's thread".into(), reason: e.to_string() })?;
    }
    Ok(sender)
}

struct FnCommand<F, T, E, R> {
    f: F,
    answer: Option<Result<T, E>>,
    reply: R,
}

impl<F, T, E, R> Command for FnCommand<F, T, E, R>
where
    F: FnMut(&mut Tx) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
    R: FnOnce(Result<T, E>) + Send,
{
    fn run(&mut self, tx: &mut Tx) -> Result<Verdict, DbError> {
        let before = tx.writes();
        let answer = (self.f)(tx);
        let refused = answer.is_err();
        self.answer = Some(answer);
        // A database error inside the command's own error has left its mark in the transaction.
        if let Some(e) = tx.error.clone() {
            return Err(e);
        }
        Ok(if refused && tx.writes() != before { Verdict::Undo } else { Verdict::Keep })
    }
    fn finish(self: Box<Self>, outcome: Result<(), DbError>) {
        let answer = match (outcome, self.answer) {
            (Err(e), _) => Err(e.into()),
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(DbError::Stopped.into()),
        };
        (self.reply)(answer);
    }
}
