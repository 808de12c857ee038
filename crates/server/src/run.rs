//! The life of a server: open, listen, say so, serve, stop.
use crate::app::App;
use crate::config::Config;
use crate::domain::{Domain, Start};
use crate::hub::Hub;
use crate::{api, erasing, listen, live, mailer, rerun};
use base::{Clock, SystemClock};
use db::{DbError, Location, Sync};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The file with the token for commands on this machine.
pub const TOKEN_FILE: &str = "local.token";

/// How to serve.
#[derive(Debug, Clone)]
pub struct Serve {
    /// The shop's folder.
    pub folder: PathBuf,
    /// Effective settings.
    pub config: Config,
    /// How hard the database syncs.
    pub sync: Sync,
    /// Takes the store over from whoever holds it.
    pub take_over: bool,
    /// Written when requests can be taken, removed at the stop.
    pub ready_file: Option<PathBuf>,
}

/// Why the server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[from] DbError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("cannot use the certificate: {0}")]
    Tls(String),
    /// A file cannot be written.
    #[error("cannot write {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The runtime cannot be started.
    #[error("cannot start the server's threads")]
    Runtime(#[source] std::io::Error),
    /// The snapshots cannot be loaded.
    #[error("cannot load what the server needs: {0}")]
    Load(String),
    /// The writer ended by itself, for instance because another program took over.
    #[error("the writer has stopped; the log says why")]
    WriterGone,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Told to by SIGTERM.
    Terminated,
    /// Told to by Ctrl-C.
    Interrupted,
}

/// A server that listens, for tests and `bench` inside one process.
pub struct Running {
    /// Everything that requests share.
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    served: Task,
    live: Task,
    mailer: Task,
    views: Task,
    /// Loops that do one thing each and end when they are told.
    loops: Vec<Task>,
    /// Long work on threads of its own, each with what stops it.
    threads: Vec<(Arc<AtomicBool>, Task)>,
}

type Task = tokio::task::JoinHandle<()>;

/// Serves until a signal says stop. Everything acknowledged is durable.
pub fn serve(options: Serve) -> Result<Ended, ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Runtime)?;
    // The store has threads of its own and is opened outside of the runtime: its PostgreSQL client blocks.
    let (domain, hub, notices) = open(&options)?;
    let outcome = runtime.block_on(async {
        // Before anybody can know that it runs: until then a signal would end it as it ends any program.
        let signals = Signals::listen()?;
        let running = start(&options, domain, hub, notices).await?;
        let ended = until_told(signals, &running, &options).await;
        running.stop().await;
        ended
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    outcome
}

type Notices = tokio::sync::mpsc::Receiver<Vec<db::Notice>>;

/// Opens the store with the streams watching it.
pub fn open(options: &Serve) -> Result<(Domain, Arc<Hub>, Notices), ServeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let location = Location::parse(&options.config.database_url, &options.folder)?;
    let (hub, notices) = Hub::new();
    let observed = hub.clone();
    let domain = Domain::open(Start {
        take_over: options.take_over,
        observer: Some(Arc::new(move |notices| observed.observe(notices))),
        ..Start::new(&options.config, location, options.sync, clock, "braid serve")
    })?;
    // A database that is older than its folder must not serve people who were erased since.
    let manifest = options.folder.join(pipeline::erasure::manifest::FILE);
    let again = pipeline::erasure::manifest::catch_up(domain.core(), &manifest)?;
    if again > 0 {
        tracing::warn!(people = again, "the database was older than the manifest of erasures; they were erased again");
    }
    Ok((domain, hub, notices))
}

/// Begins to listen.
pub async fn start(options: &Serve, domain: Domain, hub: Arc<Hub>, notices: Notices) -> Result<Running, ServeError> {
    let tls = match &options.config.tls {
        Some((certificate, key)) => Some(listen::tls(certificate, key).map_err(ServeError::Tls)?),
        None => None,
    };
    let refused = |source| ServeError::Listen { address: options.config.listen.clone(), source };
    let listener = TcpListener::bind(&options.config.listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let own_url = format!("{scheme}://{address}");
    let token = base::random_token();
    let public_url = Some(options.config.public_url.clone()).filter(|u| !u.is_empty()).unwrap_or(own_url.clone());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let vault = crate::vault::Vault::open(&options.folder).map_err(|e| ServeError::Load(e.to_string()))?;
    let place = (options.folder.clone(), options.config.clone());
    let app = App::new(domain, place, clock, hub, token, public_url, vault).await;
    let app = app.map_err(|e| ServeError::Load(e.detail))?;
    write_private(&options.folder.join(TOKEN_FILE), &app.local_token)?;
    let announced = own_url.clone();
    let fast = if options.sync == Sync::Full { "0" } else { "1" };
    let note = move |tx: &mut db::Tx| {
        db::settings::set(tx.engine(), "store.unsafe_fast", fast)?;
        tx.execute("UPDATE writers SET address = $1 WHERE writer = 1", &[(&announced).into()])?;
        Ok(())
    };
    app.write(note).await.map_err(|e| ServeError::Load(e.detail))?;
    app.domain.load_places(&options.config);
    let (stop, stopped) = watch::channel(false);
    let live = tokio::spawn(live::run(app.clone(), notices, stopped.clone()));
    let mailer = tokio::spawn(mailer::run(app.clone(), stopped.clone()));
    let views = tokio::spawn(crate::views::run(app.clone(), stopped.clone()));
    let loops = vec![
        tokio::spawn(erasing::run(app.clone(), options.folder.clone(), stopped.clone())),
        tokio::spawn(crate::retention::run(app.clone(), stopped.clone())),
        tokio::spawn(rerun::run(app.clone(), stopped.clone())),
        tokio::spawn(crate::exports::sweep::run(app.clone(), stopped.clone())),
        tokio::spawn(crate::alerts::run(app.clone(), stopped.clone())),
        tokio::spawn(crate::webhooks::read::run(app.clone(), stopped.clone())),
        tokio::spawn(crate::webhooks::send::run(app.clone(), stopped.clone())),
    ];
    // A comparison waits for no import, and neither for a file that goes out.
    let threads = vec![
        beside(&app, |app, told| crate::imports::drive::serve(&app.domain, &app.folder, &app.clock, told)),
        beside(&app, |app, told| crate::exports::drive::serve(&app.domain, &app.folder, &app.clock, told)),
        beside(&app, |app, told| crate::moving::work::serve(&app.domain, &app.clock, told)),
        beside(&app, |app, told| crate::goods::files::serve(&app.domain, &app.folder, told)),
        beside(&app, crate::erp::work::serve),
        beside(&app, |app, told| crate::goods::stock::serve(&app.domain, &app.folder, told)),
        beside(&app, crate::goods::follow_search),
        beside(&app, crate::goods::follow_feeds),
    ];
    let served = tokio::spawn(listen::serve(listener, tls, app.clone(), api::router(app.clone()), stopped));
    if let Some(file) = &options.ready_file {
        write_whole(file, &format!("{own_url}\n"))?;
    }
    tracing::info!(url = %own_url, "Braid takes requests");
    Ok(Running { app, address, stop, served, live, mailer, views, loops, threads })
}

/// Does long work on a thread of its own, as long as the server runs.
fn beside(app: &Arc<App>, work: fn(&App, &AtomicBool)) -> (Arc<AtomicBool>, Task) {
    let (stop, app) = (Arc::new(AtomicBool::new(false)), app.clone());
    let told = stop.clone();
    (stop, tokio::task::spawn_blocking(move || work(&app, &told)))
}

impl Running {
    /// Takes no more requests, finishes open ones, flushes, gives the store back.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        self.app.hub.close();
        let _ = self.served.await;
        let _ = self.live.await;
        let _ = self.mailer.await;
        let _ = self.views.await;
        // Requests that were open until now have seen people too.
        crate::views::flush(&self.app).await;
        for task in self.loops {
            let _ = task.await;
        }
        for (stop, _) in &self.threads {
            stop.store(true, Ordering::Relaxed);
        }
        for (_, thread) in self.threads {
            let _ = thread.await;
        }
        let app = self.app;
        // Closing waits for the writer's thread.
        let _ = tokio::task::spawn_blocking(move || app.domain.close()).await;
    }
}

/// What ends the server politely.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, ServeError> {
        let of = |kind| signal(kind).map_err(ServeError::Runtime);
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }
}

async fn until_told(mut signals: Signals, running: &Running, options: &Serve) -> Result<Ended, ServeError> {
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let ended = loop {
        tokio::select! {
            _ = signals.terminate.recv() => break Ok(Ended::Terminated),
            _ = signals.interrupt.recv() => break Ok(Ended::Interrupted),
            _ = look.tick() => if !running.app.domain.store().is_alive() {
                break Err(ServeError::WriterGone);
            }
        }
    };
    tracing::info!("stopping");
    // Whoever waits for the file learns first that there is nothing to ask any more.
    if let Some(file) = &options.ready_file {
        let _ = std::fs::remove_file(file);
    }
    let _ = std::fs::remove_file(options.folder.join(TOKEN_FILE));
    ended
}

/// Writes a file that only this user can read.
fn write_private(path: &Path, text: &str) -> Result<(), ServeError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |source| ServeError::File { path: path.display().to_string(), source };
    // A file that is there keeps its rights when it is opened, so it goes first.
    let _ = std::fs::remove_file(path);
    let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}

/// Writes a file so that nobody ever sees a part of it.
fn write_whole(path: &Path, text: &str) -> Result<(), ServeError> {
    let failed = |source| ServeError::File { path: path.display().to_string(), source };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, path)).map_err(failed)
}
