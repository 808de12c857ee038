//! A server for one test, and a client that says what it wants.
use crate::config::{Effective, ShopSettings};
use crate::install::{self, Credentials};
use crate::run::{self, Running, Serve};
use db::Sync;
use db::testing::Place;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A running shop; stopped when dropped.
pub struct Shop {
    pub keys: Credentials,
    pub address: SocketAddr,
    pub place: Place,
    running: Option<Running>,
    runtime: tokio::runtime::Runtime,
    options: Serve,
    settings: Vec<(&'static str, &'static str, &'static str, String)>,
}

/// One shop on each engine that is there.
pub fn shops() -> Vec<Shop> {
    Place::all().into_iter().map(|place| Shop::open(place, &[])).collect()
}

impl Shop {
    /// A shop on SQLite.
    pub fn new() -> Self {
        Self::open(Place::sqlite(), &[])
    }
    /// A shop on a fresh place, with settings of its own.
    pub fn open(place: Place, settings: &[(&'static str, &'static str, &str)]) -> Self {
        let url = match &place.location {
            db::Location::Sqlite { .. } => "sqlite:braid.db".to_string(),
            db::Location::Postgres { url } => url.clone(),
        };
        let mut flags =
            vec![("database", "url", "test", url.clone()), ("http", "listen", "test", "127.0.0.1:0".into())];
        flags.extend(settings.iter().map(|(s, n, v)| (*s, *n, "test", (*v).to_string())));
        let config = Effective::load(None, &HashMap::new(), &flags).expect("valid").config(&place.folder);
        let shop = ShopSettings {
            time_zone: "Europe/London".into(),
            currency: "GBP".into(),
            locale: "en".into(),
            country: "GB".into(),
        };
        let sync = Sync::UnsafeFast;
        let keys =
            install::init(&place.folder, Some(&url), &shop, "owner@example.com", &config, sync).expect("makes a shop");
        let options = Serve {
            folder: place.folder.clone(),
            config,
            sync,
            take_over: false,
            ready_file: Some(place.folder.join("ready")),
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("starts");
        let running = begin(&runtime, &options);
        Self { keys, address: running.address, place, running: Some(running), runtime, options, settings: flags }
    }
    /// What requests share.
    pub fn app(&self) -> &std::sync::Arc<crate::app::App> {
        &self.running.as_ref().expect("it runs").app
    }
    /// Changes a setting; counts from the next start on.
    pub fn set(&mut self, section: &'static str, name: &'static str, value: &str) {
        self.settings.push((section, name, "test", value.to_string()));
        let config = Effective::load(None, &HashMap::new(), &self.settings).expect("valid");
        self.options.config = config.config(&self.place.folder);
    }
    /// The doctor finds nothing.
    pub fn assert_clean(&self) {
        let settings = crate::domain::settings(&self.options.config);
        let report = pipeline::doctor::run(&self.place.location, &base::SystemClock, settings).expect("can read");
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        let webhooks = crate::webhooks::doctor::check(&self.place.location, base::Clock::now(&base::SystemClock));
        assert_eq!(webhooks.expect("can read").0, []);
        assert_eq!(crate::erp::doctor::check(&self.place.location).expect("can read"), []);
    }
    /// Stops the server and starts it again on the same store.
    pub fn restart(&mut self) {
        self.stop();
        let running = begin(&self.runtime, &self.options);
        self.address = running.address;
        self.running = Some(running);
    }
    /// Stops the server.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
    /// A request as nobody.
    pub fn ask<'a>(&self, method: &'a str, path: &'a str) -> Ask<'a> {
        Ask { address: self.address, method, path, headers: Vec::new(), body: Vec::new() }
    }
    /// A request with the owner's key.
    pub fn owner<'a>(&self, method: &'a str, path: &'a str) -> Ask<'a> {
        self.ask(method, path).header("authorization", &format!("Bearer {}", self.keys.api_key))
    }
    /// A request of the tracking API with the first source's key.
    pub fn track(&self, path: &str, body: &Value) -> Answer {
        use base64::Engine as _;
        let key = base64::engine::general_purpose::STANDARD.encode(format!("{}:", self.keys.write_key));
        self.ask("POST", path).header("authorization", &format!("Basic {key}")).json(body).send()
    }
}

fn begin(runtime: &tokio::runtime::Runtime, options: &Serve) -> Running {
    let (domain, hub, notices) = run::open(options).expect("opens");
    runtime.block_on(run::start(options, domain, hub, notices)).expect("starts")
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A request.
pub struct Ask<'a> {
    address: SocketAddr,
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
    /// Status and code.
    pub fn code(&self) -> (u16, String) {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        (self.status, body["code"].as_str().unwrap_or_default().to_string())
    }
}

impl Ask<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    pub fn json(self, body: &Value) -> Self {
        let text = body.to_string();
        self.header("content-type", "application/json").body(text.as_bytes())
    }
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }
    fn start(&self) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("can be set");
        let mut head = format!("{} {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        stream.write_all(head.as_bytes()).expect("writes");
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(&self.body);
        BufReader::new(stream)
    }
    /// Sends it and reads the answer.
    pub fn send(self) -> Answer {
        let mut stream = self.start();
        let (status, headers) = head(&mut stream);
        let mut body = Vec::new();
        let _ = stream.read_to_end(&mut body);
        let body = if headers.get("transfer-encoding").is_some_and(|t| t == "chunked") { unchunk(&body) } else { body };
        Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }
    /// Sends it and gives the lines of the stream that answers.
    pub fn stream(self) -> impl Iterator<Item = String> + use<> {
        let mut stream = self.start();
        let (status, _) = head(&mut stream);
        assert_eq!(status, 200);
        stream.lines().map_while(Result::ok)
    }
}

fn head(stream: &mut BufReader<TcpStream>) -> (u16, HashMap<String, String>) {
    let mut line = String::new();
    stream.read_line(&mut line).expect("an answer");
    let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    let mut headers = HashMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).expect("headers");
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_string()),
            None => return (status, headers),
        };
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = body.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&body[..end]), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        out.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    out
}
