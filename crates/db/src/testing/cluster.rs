//! A PostgreSQL server of one test's own, for what cannot be done to the one that all tests share: stop it, crash it, give it
//! a certificate. Made with the programs of the shared one; gone when dropped.
use crate::engine::{Engine, Sync};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// An orderly stop: clients are told that the administrator shuts down.
    Fast,
    /// A crash: the next start recovers from its log.
    Immediate,
}

/// A server that may be stopped and started. It has the superuser and database `braid`.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    /// Root may not run PostgreSQL: whose the shared server's files are.
    user: (u32, u32),
    port: u16,
    settings: Vec<String>,
    server: Option<Child>,
}

impl Cluster {
    /// A server with these settings (`name=value`) on a port of this machine, where the tests have a shared one; it syncs.
    /// `prepare` may put files into its data folder, which stand under the name that the settings give them.
    pub fn start(settings: &[&str], prepare: impl FnOnce(&Path)) -> Option<Self> {
        let url = std::env::var("BRAID_TEST_POSTGRES").ok()?;
        let mut shared = Engine::open_postgres(&url, Sync::UnsafeFast).expect("the test cluster answers");
        let mut ask = |sql: &str| {
            let row = shared.first(sql, &[]).expect("it answers").expect("a row");
            PathBuf::from(row.text(0).expect("a text"))
        };
        let programs = ask("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
        let owner = std::fs::metadata(ask("SELECT current_setting('data_directory')")).expect("its folder is there");
        let folder = std::env::temp_dir().join(format!("braid_cluster_{}", super::unique()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let port =
            std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let mut cluster = Self {
            folder,
            programs,
            user: (owner.uid(), owner.gid()),
            port,
            settings: settings.iter().map(|s| s.to_string()).collect(),
            server: None,
        };
        cluster.give(&cluster.folder);
        let mut initdb = cluster.command("initdb");
        initdb.arg("--pgdata").arg(cluster.data()).args(["--username=braid", "--locale=C", "--encoding=UTF8"]);
        let made = initdb.args(["--auth=trust", "--no-sync", "--no-instructions"]).output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        prepare(&cluster.data());
        for entry in std::fs::read_dir(cluster.data()).expect("it is read").flatten() {
            cluster.give(&entry.path());
        }
        cluster.run();
        let mut first = cluster.wait(&cluster.url_of("postgres"));
        first.batch("CREATE DATABASE braid").expect("a database");
        Some(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn give(&self, path: &Path) {
        // SAFETY: always succeeds, reads only.
        if unsafe { libc::geteuid() } == 0 {
            std::os::unix::fs::chown(path, Some(self.user.0), Some(self.user.1)).expect("root may give away");
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder).env("LC_ALL", "C").stdin(Stdio::null());
        // SAFETY: always succeeds, reads only.
        if unsafe { libc::geteuid() } == 0 {
            command.uid(self.user.0).gid(self.user.1);
        }
        command
    }

    /// Starts the server again; does not wait until it answers.
    pub fn run(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "dynamic_shared_memory_type=mmap", "shared_buffers=16MB"] {
            command.arg("-c").arg(setting);
        }
        command.arg("-c").arg(format!("unix_socket_directories={}", self.folder.display()));
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        self.server = Some(command.stdout(Stdio::null()).stderr(log).spawn().expect("postgres starts"));
    }

    /// Ends the server and waits for its end.
    pub fn end(&mut self, end: End) {
        let Some(mut server) = self.server.take() else { return };
        let signal = if end == End::Fast { libc::SIGINT } else { libc::SIGQUIT };
        // SAFETY: the child was not waited for yet, so the id is still its own.
        unsafe { libc::kill(server.id() as i32, signal) };
        server.wait().expect("it is our child");
    }

    /// Waits until the server answers to this URL.
    pub fn wait(&self, url: &str) -> Engine {
        let started = Instant::now();
        loop {
            match Engine::open_postgres(url, Sync::Full) {
                Ok(engine) => return engine,
                Err(e) => {
                    let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    assert!(started.elapsed() < Duration::from_secs(30), "{e}: {log}");
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }

    /// `postgres://braid@127.0.0.1:PORT/braid`.
    pub fn url(&self) -> String {
        self.url_of("braid")
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://braid@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end(End::Immediate);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
