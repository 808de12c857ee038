//! The program as whoever installs it sees it: `init`, `serve` with its ready file, `doctor`, `export`.
use crate::http::Client;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A start must have happened, and a stop be over, within this; both take milliseconds on a quiet machine.
const LIMIT: Duration = Duration::from_secs(30);

/// `braid` with these words, apart from whatever settings the environment of the test has.
pub fn braid<I: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_braid"));
    command.args(words).env_remove("BRAID_DATABASE_URL").env("NO_COLOR", "1").env("BRAID_LOG_LEVEL", "warn");
    command
}

/// What a command that ended said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs a command to its end, which must come in time.
pub fn run(command: &mut Command) -> Said {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let mut child = Guard(child);
    let status = child.wait(Duration::from_secs(120)).expect("the command ends");
    let text = |thread: std::thread::JoinHandle<Vec<u8>>| {
        String::from_utf8(thread.join().expect("the pipe is read")).expect("the program speaks UTF-8")
    };
    Said { code: status.code().unwrap_or(-1), out: text(out), err: text(err) }
}

fn drain(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    let mut pipe = pipe.expect("it is a pipe");
    std::thread::spawn(move || {
        let mut all = Vec::new();
        pipe.read_to_end(&mut all).expect("the pipe is read");
        all
    })
}

/// A child that is not left behind.
pub struct Guard(Child);

impl Guard {
    pub fn new(child: Child) -> Self {
        Self(child)
    }
    /// Its end, if it comes within the limit.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("it is our child") {
                return Some(status);
            }
            if started.elapsed() > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("it is our child").is_none()
    }
    /// Ends it as a power cut of the process would.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
    /// The most memory that it ever had, in KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).expect("the system counts it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.0.id()).expect("a process id fits");
        // SAFETY: the child was not waited for yet, so the id is still its own.
        unsafe { libc::kill(pid, signal) };
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A database of one test on the cluster of the tests; gone when dropped.
pub struct Database {
    pub url: String,
    /// Where it is dropped, and its name; a database of a server of the test's own goes with the server.
    shared: Option<(String, String)>,
}

impl Database {
    /// A new database on the cluster that `variable` names; `None`, and a word about it, where no cluster runs.
    pub fn make(variable: &str) -> Option<Self> {
        let Ok(admin) = std::env::var(variable) else {
            eprintln!("skipped: {variable} is not set; run it by `cargo xtask test` or `cargo xtask postgres --exec`");
            return None;
        };
        let name = format!(
            "braid_it_{}",
            base::random_token().to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "")
        );
        let (head, _) = admin.rsplit_once('/').expect("the URL names a database");
        let url = format!("{head}/{name}");
        let made = format!("CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'");
        sql(&admin, &made);
        Some(Self { url, shared: Some((admin, name)) })
    }
    /// The database of a server that is the test's own.
    pub fn own(url: String) -> Self {
        Self { url, shared: None }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((admin, name)) = &self.shared {
            sql(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// Runs statements on a connection of their own.
pub fn sql(url: &str, statements: &str) {
    let location = db::Location::parse(url, Path::new("/")).expect("a location");
    location.open(db::Sync::UnsafeFast, false).and_then(|mut e| e.batch(statements)).expect("the statements run");
}

/// A shop in a folder of its own.
pub struct Shop {
    pub folder: PathBuf,
    pub api_key: String,
    pub write_key: String,
    pub database: Option<Database>,
    /// Where logs and ready files lie, apart from the shop. Dropped last: servers write there.
    around: TempDir,
    starts: std::cell::Cell<usize>,
}

impl Shop {
    /// A shop on SQLite.
    pub fn sqlite() -> Self {
        Self::make(None)
    }
    /// A shop on a database of its own.
    pub fn make(database: Option<Database>) -> Self {
        let around = tempfile::tempdir().expect("a temporary folder");
        let folder = around.path().join("shop");
        Self::make_in(around, folder, database)
    }
    /// A shop in a given folder.
    pub fn make_in(around: TempDir, folder: PathBuf, database: Option<Database>) -> Self {
        let mut command = braid(["init".as_ref(), folder.as_os_str()]);
        if let Some(database) = &database {
            command.args(["--database", &database.url]);
        }
        let said = run(command.args(["--json", "--time-zone", "Europe/Kyiv", "--country", "UA"]));
        assert_eq!(said.code, 0, "{}", said.err);
        let printed: Value = serde_json::from_str(said.out.trim()).expect("one line of JSON");
        let word =
            |pointer: &str| printed.pointer(pointer).and_then(Value::as_str).expect("init prints it").to_string();
        let (api_key, write_key) = (word("/api_key"), word("/write_key"));
        Self { folder, api_key, write_key, database, around, starts: std::cell::Cell::default() }
    }

    /// A shop that lies in a folder already.
    pub fn found(
        around: TempDir,
        folder: PathBuf,
        database: Option<Database>,
        api_key: String,
        write_key: String,
    ) -> Self {
        Self { folder, api_key, write_key, database, around, starts: std::cell::Cell::default() }
    }

    /// The same shop, carried to another folder.
    pub fn at(self, folder: PathBuf) -> Self {
        Self { folder, ..self }
    }
    /// A file beside the shop.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }
    /// The URL of its database.
    pub fn database_url(&self) -> String {
        match &self.database {
            Some(database) => database.url.clone(),
            None => format!("sqlite:{}", self.folder.join("braid.db").display()),
        }
    }

    /// Begins a server and does not wait for it.
    pub fn begin(&self, more: &[&str]) -> Server {
        let number = self.starts.get() + 1;
        self.starts.set(number);
        let (ready, log) = (self.beside(&format!("ready-{number}")), self.beside(&format!("serve-{number}.log")));
        let mut command = braid(["serve".as_ref(), self.folder.as_os_str()]);
        command.args(["--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready).args(more);
        let file = File::create(&log).expect("the log can be written");
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("the program starts");
        Server { child: Guard(child), url: String::new(), ready, log }
    }

    /// A server that takes requests.
    pub fn serve(&self) -> Server {
        let mut server = self.begin(&[]);
        server.wait_ready();
        server
    }

    /// The report of `doctor`, with its exit code.
    pub fn doctor(&self) -> (i32, Value) {
        let said = run(braid(["doctor".as_ref(), self.folder.as_os_str()]).arg("--json"));
        let report =
            serde_json::from_str(said.out.trim()).unwrap_or_else(|_| panic!("doctor printed no JSON: {said:?}"));
        (said.code, report)
    }

    /// The count of events of a store that `doctor` finds sound.
    pub fn assert_clean(&self, when: &str) -> i64 {
        let (code, report) = self.doctor();
        assert!(code == 0 && report["findings"] == serde_json::json!([]), "{when}: {report:#}");
        report["counts"]["events"].as_i64().expect("a count")
    }

    /// How often each message id stands in the export.
    pub fn exported(&self) -> HashMap<String, usize> {
        let said = run(&mut braid(["export".as_ref(), "events".as_ref(), self.folder.as_os_str()]));
        assert_eq!(said.code, 0, "{}", said.err);
        let mut out = HashMap::new();
        for line in said.out.lines() {
            let event: Value = serde_json::from_str(line).expect("each line is JSON");
            *out.entry(event["messageId"].as_str().expect("an id").to_string()).or_default() += 1;
        }
        out
    }
}

/// A running server, killed when dropped.
pub struct Server {
    pub child: Guard,
    pub url: String,
    pub ready: PathBuf,
    pub log: PathBuf,
}

impl Server {
    /// Waits until it takes requests; fails if it ends instead.
    pub fn wait_ready(&mut self) {
        let started = Instant::now();
        while !self.is_ready() {
            assert!(self.child.is_running(), "the server ended: {}", self.said());
            assert!(started.elapsed() < LIMIT, "the server was not ready in time: {}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    /// Whether the ready file is there; what it holds must be whole from its first moment on.
    pub fn is_ready(&mut self) -> bool {
        let Ok(text) = std::fs::read_to_string(&self.ready) else { return false };
        assert!(
            text.starts_with("http://127.0.0.1:") && text.ends_with('\n'),
            "a part of the ready file was seen: {text:?}"
        );
        self.url = text.trim_end().to_string();
        true
    }
    /// Its log so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
    pub fn tracking(&self, shop: &Shop) -> Client {
        Client::tracking(&self.url, &shop.write_key)
    }
    pub fn admin(&self, shop: &Shop) -> Client {
        Client::admin(&self.url, &shop.api_key)
    }
    /// Ends it politely; that must be its end, with code 0.
    pub fn stop(mut self) {
        self.child.signal(libc::SIGTERM);
        let status = self.child.wait(LIMIT).expect("the server stops in time");
        assert_eq!(status.code(), Some(0), "{}", self.said());
        assert!(!self.ready.exists(), "the ready file stays after the stop");
    }
}

/// Waits for something that must come soon.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
