//! Both alert feeds on one port: `/v1/…` as alerts.in.ua, `/api/v3/…` as ukrainealarm. Keys are checked, the twelfth request of a
//! minute is the last, unchanged lists are answered with 304, and it fails on demand.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

/// How the next request goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedTrick {
    /// A status with `{"message"}`.
    Status(u16),
    /// 429 with `Retry-After`.
    SlowDown(u64),
    /// Takes the request and says nothing.
    Hang,
    /// Takes the request and closes.
    Drop,
    /// 200 with something else.
    Garbage,
    /// 302 to somewhere.
    Redirect,
    /// 200 with five megabytes.
    Huge,
}

/// An alert that both feeds show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Uid as alerts.in.ua says.
    pub uid: String,
    /// `air_raid` and so on.
    pub kind: &'static str,
    /// ISO time.
    pub since: String,
    /// Levels of ukrainealarm: `Red`, `Yellow`; without any the alert is over there.
    pub levels: Vec<&'static str>,
}

struct Inner {
    alerts: Vec<Shown>,
    /// What is answered while the feed is frozen.
    frozen: Option<(Vec<Shown>, u64)>,
    version: u64,
    tricks: VecDeque<FeedTrick>,
    hits: Vec<Instant>,
    paths: Vec<String>,
    per_minute: usize,
    stop: bool,
}

/// Two feeds on a real port; they end when this is dropped.
pub struct FakeAlerts {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    stop: Arc<AtomicBool>,
    key: RsaKeyPair,
}

/// The key that both feeds know.
const KEY: &str = "a-key";
/// The index of ukrainealarm begins here: .NET ticks of 2026, above 2⁵³.
const TICKS: u64 = 639_000_000_000_000_001;

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeAlerts {
    /// Listens on this machine; nothing goes on.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("has one");
        let inner = Arc::new(Mutex::new(Inner {
            alerts: Vec::new(),
            frozen: None,
            version: 0,
            tricks: VecDeque::new(),
            hits: Vec::new(),
            paths: Vec::new(),
            per_minute: 12,
            stop: false,
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, ends) = (inner.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || {
                    let _ = serve(stream, &shared);
                });
            }
        });
        let der = PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("provider.key")).expect("a key");
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key");
        Self { address, inner, stop, key }
    }
    /// Address of the feed that speaks as alerts.in.ua.
    pub fn in_ua(&self) -> String {
        format!("http://{}/v1", self.address)
    }
    /// Address of the feed that speaks as ukrainealarm.
    pub fn ukraine_alarm(&self) -> String {
        format!("http://{}/api/v3", self.address)
    }
    /// The key that both know.
    pub fn key(&self) -> &'static str {
        KEY
    }
    /// Shows these alerts from now on.
    pub fn show(&self, alerts: impl IntoIterator<Item = Shown>) {
        let mut inner = lock(&self.inner);
        inner.alerts = alerts.into_iter().collect();
        inner.version += 1;
    }
    /// Answers what it answers now, whatever is shown later; `false` lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let mut inner = lock(&self.inner);
        inner.frozen = frozen.then(|| (inner.alerts.clone(), inner.version));
    }
    /// Lets the next requests go wrong, one each.
    pub fn then(&self, tricks: impl IntoIterator<Item = FeedTrick>) {
        lock(&self.inner).tricks.extend(tricks);
    }
    /// Requests that came so far, by path.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.inner).paths.clone()
    }
    /// Forgets how often it was asked in the last minute.
    pub fn next_minute(&self) {
        lock(&self.inner).hits.clear();
    }
    /// The public key of webhooks, as PEM.
    pub fn public_pem(&self) -> String {
        let key = self.key.public_key().as_ref();
        let mut bits = vec![0];
        bits.extend_from_slice(key);
        // rsaEncryption with NULL parameters.
        let algorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
        let inside = [&algorithm[..], &der(0x03, &bits)].concat();
        let text = BASE64.encode(der(0x30, &inside));
        let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|c| std::str::from_utf8(c).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }
    /// The signature of a webhook message.
    pub fn sign(&self, timestamp: &str, body: &str) -> String {
        let mut signature = vec![0; self.key.public().modulus_len()];
        let message = format!("{timestamp}.{body}");
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
        signed.expect("a signature");
        BASE64.encode(signature)
    }
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

impl Drop for FakeAlerts {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        lock(&self.inner).stop = true;
        // The listener wakes up for this connection and sees the stop.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, inner: &Mutex<Inner>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_string();
    let (mut authorization, mut since) = (String::new(), String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match &*name.to_ascii_lowercase() {
            "authorization" => authorization = value.trim().into(),
            "if-modified-since" => since = value.trim().into(),
            _ => {}
        }
    }
    if path.is_empty() {
        return Ok(());
    }
    let (trick, answer) = {
        let mut inner = lock(inner);
        inner.paths.push(path.clone());
        inner.hits.retain(|hit| hit.elapsed() < Duration::from_secs(60));
        inner.hits.push(Instant::now());
        let trick = inner.tricks.pop_front();
        (trick, answer(&inner, &path, &authorization, &since))
    };
    let mut stream = stream;
    let mut say = |status: u16, more: &str, body: &str| {
        let length = body.len();
        write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n{body}")
    };
    match trick {
        None => say(answer.0, &answer.1, &answer.2),
        Some(FeedTrick::Status(status)) => say(status, "", "{\"message\": \"as asked\"}"),
        Some(FeedTrick::SlowDown(seconds)) => {
            say(429, &format!("retry-after: {seconds}\r\n"), "{\"message\": \"slow down\"}")
        }
        Some(FeedTrick::Redirect) => say(302, "location: /elsewhere\r\n", ""),
        Some(FeedTrick::Garbage) => say(200, "", "<html>maintenance</html>"),
        Some(FeedTrick::Huge) => say(200, "", &" ".repeat(5 << 20)),
        Some(FeedTrick::Drop) => Ok(()),
        Some(FeedTrick::Hang) => {
            while !lock(inner).stop {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
    }
}

type Said = (u16, String, String);

fn answer(inner: &Inner, path: &str, authorization: &str, since: &str) -> Said {
    let refuse = |status: u16, words: &str| (status, String::new(), json!({"message": words}).to_string());
    let (alerts, version) = inner.frozen.as_ref().map_or((&inner.alerts, inner.version), |(a, v)| (a, *v));
    let expected = if path.starts_with("/v1/") { format!("Bearer {KEY}") } else { KEY.to_string() };
    if authorization != expected {
        return refuse(401, "API token is not valid");
    }
    if inner.hits.len() > inner.per_minute {
        return refuse(429, "API limit reached");
    }
    match path {
        "/v1/alerts/active.json" => {
            let modified = format!("Mon, 23 Nov 2026 10:00:{:02} GMT", version % 60);
            let head = format!("last-modified: {modified}\r\ncontent-type: application/json\r\n");
            if since == modified {
                return (304, head, String::new());
            }
            (200, head, json!({"alerts": alerts.iter().enumerate().map(in_ua).collect::<Vec<_>>()}).to_string())
        }
        "/api/v3/alerts/status" => (200, String::new(), format!("{{\"lastActionIndex\": {}}}", TICKS + version)),
        "/api/v3/alerts" => {
            (200, String::new(), Value::from(alerts.iter().map(ukraine_alarm).collect::<Vec<_>>()).to_string())
        }
        _ => refuse(404, "not found"),
    }
}

fn in_ua((id, alert): (usize, &Shown)) -> Value {
    json!({"id": id, "location_title": "somewhere", "location_type": "oblast", "started_at": alert.since, "finished_at": null,
        "updated_at": alert.since, "alert_type": alert.kind, "location_uid": alert.uid, "location_oblast": "somewhere",
        "location_oblast_uid": alert.uid.parse::<u64>().unwrap_or(0), "location_raion": null, "notes": "", "calculated": null})
}

fn ukraine_alarm(alert: &Shown) -> Value {
    let id = if alert.uid == "29" { "9999" } else { &alert.uid };
    let kind = match alert.kind {
        "air_raid" => "AIR",
        "artillery_shelling" => "ARTILLERY",
        "urban_fights" => "URBAN_FIGHTS",
        "chemical" => "CHEMICAL",
        "nuclear" => "NUCLEAR",
        _ => "UNKNOWN",
    };
    let level = |level: &&str| json!({"alertLevel": level, "createdAt": alert.since, "reason": ""});
    json!({"regionId": id, "regionType": "State", "regionName": "somewhere", "lastUpdate": alert.since, "activeAlerts": [
        {"regionId": id, "regionType": "State", "type": kind, "lastUpdate": alert.since,
            "activeAlertLevels": alert.levels.iter().map(level).collect::<Vec<_>>()}]})
}
