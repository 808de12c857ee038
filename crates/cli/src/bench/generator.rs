//! The load: bodies of 100 events over kept-open connections, cheap enough to share two cores with what it measures.
//!
//! A body is a template whose ids are overwritten in place, so that making one costs a few microseconds. The skew is 80/20:
//! four of five events belong to the first fifth of the profiles. Three in a hundred events repeat an id sent before.
use base::Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What to send.
#[derive(Debug, Clone)]
pub struct Load {
    pub address: String,
    pub path: String,
    /// Basic authorization, already encoded.
    pub authorization: String,
    pub connections: usize,
    pub events_per_body: usize,
    pub profiles: u64,
    pub skew: Skew,
    /// Whose turn is first, with [`Skew::InTurn`].
    pub first: u64,
    pub duration: Duration,
    /// Events a second over all connections; `None` = as many as are answered.
    pub rate: Option<f64>,
    pub seed: u64,
}

/// Whose the events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Skew {
    /// Four of five events are of the first fifth.
    #[value(name = "80/20")]
    Fifth,
    /// Half of the events are of one person in a hundred, three in ten of the next nineteen, the rest of everybody else: few
    /// visit a shop every day.
    Shop,
    /// Everybody in turn, signed in and with an e-mail address: fills a store.
    InTurn,
}

impl Skew {
    /// As the flag is written.
    pub fn flag(self) -> &'static str {
        match self {
            Skew::Fifth => "80/20",
            Skew::Shop => "shop",
            Skew::InTurn => "in-turn",
        }
    }
    fn pick(self, rng: &mut Rng, profiles: u64, turn: &AtomicU64) -> u64 {
        let within = |rng: &mut Rng, from: u64, to: u64| from + rng.below((to - from).max(1));
        let (first, fifth) = ((profiles / 100).max(1), (profiles / 5).max(1));
        match (self, rng.below(100)) {
            (Skew::InTurn, _) => turn.fetch_add(1, Ordering::Relaxed) % profiles,
            (Skew::Fifth, roll) if roll < 80 => within(rng, 0, fifth),
            (Skew::Shop, roll) if roll < 50 => within(rng, 0, first),
            (Skew::Shop, roll) if roll < 80 => within(rng, first, fifth),
            _ => within(rng, fifth, profiles),
        }
    }
}

/// What came back.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    pub requests: u64,
    pub events: u64,
    pub errors: u64,
    pub seconds: f64,
    /// Latencies of requests in microseconds, sorted.
    pub latencies_us: Vec<u32>,
    /// CPU seconds that the generator itself took.
    pub cpu_seconds: f64,
}

impl Outcome {
    /// The latency below which `share` of the requests stayed, in milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let at = ((self.latencies_us.len() as f64 * share) as usize).min(self.latencies_us.len().saturating_sub(1));
        self.latencies_us.get(at).map_or(0.0, |us| f64::from(*us) / 1000.0)
    }
}

/// Names of events with their share in a hundred: most are views.
const NAMES: &[(&str, u64)] = &[
    ("Product Viewed", 55),
    ("Product List Viewed", 20),
    ("Product Added", 10),
    ("Products Searched", 8),
    ("Checkout Started", 4),
    ("Order Completed", 3),
];
const CATEGORIES: &[&str] = &["face care", "kitchen", "garden", "lights", "bags", "toys", "stationery", "candles"];

/// One body and where its ids stand.
struct Template {
    bytes: Vec<u8>,
    /// Offsets of the 32 hexadecimal digits of each message id.
    ids: Vec<usize>,
    /// Offsets of the nine digits of each user's or device's number, and whether it is a user's.
    people: Vec<(usize, bool)>,
    /// Offsets of the number once more, in each event's e-mail address.
    addresses: Vec<usize>,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A body of several events has a list around them; one alone is a call of its own.
fn template(events: usize, known: bool, rng: &mut Rng) -> Template {
    let list = events > 1;
    let (mut text, mut ids, mut people) =
        (String::from(if list { "{\"batch\":[" } else { "" }), Vec::new(), Vec::new());
    let mut addresses = Vec::new();
    for at in 0..events {
        if at > 0 {
            text.push(',');
        }
        let mut roll = rng.below(100);
        let name = NAMES.iter().find(|(_, share)| {
            let hit = roll < *share;
            roll = roll.saturating_sub(*share);
            hit
        });
        let name = name.filter(|_| !known).map_or("Product Viewed", |(n, _)| n);
        let category = rng.pick(CATEGORIES);
        text.push_str("{\"type\":\"track\",\"messageId\":\"");
        ids.push(text.len());
        text.push_str("00000000000000000000000000000000\",");
        // Sixty in a hundred are signed in; the others carry the device alone.
        if known || rng.below(100) < 60 {
            text.push_str("\"userId\":\"u");
            people.push((text.len(), true));
            text.push_str("000000000\",");
        } else {
            text.push_str("\"anonymousId\":\"a");
            people.push((text.len(), false));
            text.push_str("000000000\",");
        }
        let price = rng.below(90_000) + 1000;
        let filler = "x".repeat(60 + rng.below(100) as usize);
        text.push_str(&format!(
            "\"event\":\"{name}\",\"properties\":{{\"product_id\":\"sku-{}\",\"category\":\"{category}\",\"name\":\"Blanket of Carpathian wool {}\",\
             \"brand\":\"Khmara\",\"price\":{}.{:02},\"currency\":\"UAH\",\"quantity\":{},\"position\":{},\"total\":{}.{:02}}},\
             \"context\":{{\"library\":{{\"name\":\"braid.js\",\"version\":\"1.0.0\"}},\"page\":{{\"path\":\"/catalogue/{category}\",\"title\":\"Catalogue\",\
             \"url\":\"https://shop.example/catalogue?item={}&note={filler}\"}},\"locale\":\"uk-UA\",\"timezone\":\"Europe/Kyiv\",\
             \"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"",
            rng.below(300_000), rng.below(1000), price / 100, price % 100, rng.below(3) + 1, rng.below(40), price / 100,
            price % 100, rng.below(300_000),
        ));
        if known {
            text.push_str(",\"traits\":{\"email\":\"u");
            addresses.push(text.len());
            text.push_str("000000000@shop.example\"}");
        }
        text.push_str("}}");
    }
    if list {
        text.push_str("]}");
    }
    Template { bytes: text.into_bytes(), ids, people, addresses }
}

fn write_hex(bytes: &mut [u8], mut value: u128) {
    for slot in bytes.iter_mut().rev() {
        *slot = HEX[(value & 15) as usize];
        value >>= 4;
    }
}

fn write_decimal(bytes: &mut [u8], mut value: u64) {
    for slot in bytes.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl Template {
    fn refresh(&mut self, rng: &mut Rng, load: &Load, turn: &AtomicU64, sent: &mut Vec<u128>) {
        for at in &self.ids {
            // In turn everybody comes once, so that nobody's only event is a repeat.
            let repeat = load.skew != Skew::InTurn && !sent.is_empty() && rng.below(100) < 3;
            let id =
                if repeat { *rng.pick(sent) } else { u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64()) };
            if sent.len() < 4096 {
                sent.push(id);
            } else {
                let slot = rng.below(4096) as usize;
                sent[slot] = id;
            }
            write_hex(&mut self.bytes[*at..at + 32], id);
        }
        for (event, (at, signed_in)) in self.people.iter().enumerate() {
            let number = load.skew.pick(rng, load.profiles, turn);
            if let Some(address) = self.addresses.get(event) {
                write_decimal(&mut self.bytes[*at..at + 9], number);
                write_decimal(&mut self.bytes[*address..address + 9], number);
                continue;
            }
            // Six of ten people are signed in, always, so that there are as many profiles as people.
            let of_ten = if *signed_in { number % 6 } else { 6 + number % 4 };
            let number = number - number % 10 + of_ten;
            write_decimal(&mut self.bytes[*at..at + 9], number);
        }
    }
}

/// Sends the load; runs on a thread of its own with a small runtime of its own.
pub fn run(load: &Load) -> std::io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = cpu_seconds();
    let started = Instant::now();
    let mut out = runtime.block_on(async {
        let mut tasks = Vec::new();
        let turn = Arc::new(AtomicU64::new(load.first));
        for connection in 0..load.connections {
            tasks.push(tokio::spawn(one_connection(load.clone(), connection, started, turn.clone())));
        }
        let mut out = Outcome::default();
        for task in tasks {
            match task.await {
                Ok(Ok(part)) => {
                    out.requests += part.requests;
                    out.events += part.events;
                    out.errors += part.errors;
                    out.latencies_us.extend(part.latencies_us);
                }
                _ => out.errors += 1,
            }
        }
        out
    });
    out.seconds = started.elapsed().as_secs_f64();
    out.cpu_seconds = cpu_seconds() - before;
    out.latencies_us.sort_unstable();
    Ok(out)
}

async fn one_connection(
    load: Load,
    connection: usize,
    started: Instant,
    turn: Arc<AtomicU64>,
) -> std::io::Result<Outcome> {
    let mut rng = Rng::new(load.seed.wrapping_mul(1_000_003).wrapping_add(connection as u64));
    let mut template = template(load.events_per_body, load.skew == Skew::InTurn, &mut rng);
    let mut sent = Vec::with_capacity(4096);
    let mut out = Outcome::default();
    let mut stream = TcpStream::connect(&load.address).await?;
    stream.set_nodelay(true)?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        load.path,
        load.address,
        load.authorization,
        template.bytes.len()
    );
    let mut request = Vec::with_capacity(head.len() + template.bytes.len());
    let mut answer = vec![0u8; 16 * 1024];
    let pause = load.rate.map(|r| Duration::from_secs_f64(load.connections as f64 * load.events_per_body as f64 / r));
    let mut next = started + pause.map_or(Duration::ZERO, |p| p.mul_f64(rng.unit()));
    // Everybody in turn ends with the last one.
    let done = || load.skew == Skew::InTurn && turn.load(Ordering::Relaxed) >= load.profiles;
    while started.elapsed() < load.duration && !done() {
        if let Some(pause) = pause {
            tokio::time::sleep_until(next.into()).await;
            next += pause;
        }
        template.refresh(&mut rng, &load, &turn, &mut sent);
        request.clear();
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(&template.bytes);
        // With a rate, time counts from when the request was due: waiting behind a slow one is latency too.
        let begun = if pause.is_some() { next - pause.unwrap_or_default() } else { Instant::now() };
        stream.write_all(&request).await?;
        let status = read_answer(&mut stream, &mut answer).await?;
        out.latencies_us.push(begun.elapsed().as_micros().min(u128::from(u32::MAX)) as u32);
        out.requests += 1;
        if status == 200 {
            out.events += load.events_per_body as u64;
        } else {
            out.errors += 1;
        }
    }
    Ok(out)
}

/// Reads one HTTP/1.1 answer with a content length; gives its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<u16> {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        let Some(end) = find(&buffer[..filled], b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap_or_default();
        let length = head
            .lines()
            .filter_map(|l| l.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .unwrap_or(0);
        if filled >= end + 4 + length {
            return Ok(head.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0));
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// CPU seconds, user and system, that this process has taken.
pub fn cpu_seconds() -> f64 {
    process_cpu_seconds(std::process::id()).unwrap_or(0.0)
}

/// CPU seconds, user and system, that a process has taken, from `/proc`.
pub fn process_cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Fields after the closing bracket of the name, which may hold blanks: utime and stime are the 12th and 13th.
    let rest = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // USER_HZ is 100 on every Linux.
    Some(ticks / 100.0)
}
