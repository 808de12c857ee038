//! Claims and whole orders over HTTP, asked of `braid serve` in a process of its own, over connections that stay open.
//!
//! A claim is `POST /api/v1/reservations` of one piece by a cart of its own, nine in ten of one of ten SKUs. An order is eight
//! requests of the shop's API (CONTRACTS 9): a cart, three lines, who orders, the way, the order, its payment. Beside them stands what the
//! same server answers at most: `GET /health` over as many connections.
use super::whole::{SHOPS, SKUS};
use super::{Options, median, percentile};
use crate::bench::http;
use crate::bench::ingest::{Keys, Server, start_braid, start_keys, stop};
use anyhow::{Context, bail, ensure};
use base::Rng;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// So many SKUs get nine claims in ten.
const HOT: u64 = 10;

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub skus: i64,
    pub connections: usize,
    pub shoppers: usize,
    /// Claims answered with 201.
    pub claims_per_s: f64,
    pub claims_p50_ms: f64,
    pub claims_p99_ms: f64,
    pub orders_per_s: f64,
    /// From the first request to the answer of the last.
    pub orders_p50_ms: f64,
    pub orders_p99_ms: f64,
    /// What a product page asks, over a connection of its own while nothing else runs.
    pub availability_p99_ms: f64,
    pub promise_p99_ms: f64,
    /// `GET /health` over as many connections as claims.
    pub health_per_s: f64,
    pub rounds: Vec<Round>,
    pub doctor_clean: bool,
}

/// One turn of all.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub health_per_s: f64,
    pub claims_per_s: f64,
    pub orders_per_s: f64,
}

/// Runs it.
pub fn run(options: &Options, database: Option<String>, dir: &Path) -> anyhow::Result<Report> {
    let dir = dir.join("http");
    let keys = start_keys(database.as_deref(), &dir, !dir.exists())?;
    let server = start_braid(false, &dir)?;
    fill(&server, &keys)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let length = Duration::from_secs(options.seconds);
    let (admin, shop) = (bearer(&keys), format!("Basic {}", http::base64(format!("{}:", keys.write_key).as_bytes())));
    let mut rounds = Vec::new();
    let (mut claims, mut orders) = (Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) as u64 {
        let seed = |client: usize| round << 32 | client as u64;
        let open = async |count: usize| -> anyhow::Result<Vec<Connection>> {
            let mut all = Vec::with_capacity(count);
            for _ in 0..count {
                all.push(Connection::open(&server.address).await?);
            }
            Ok(all)
        };
        let health = runtime.block_on(async {
            together(open(options.clients).await?.into_iter().map(Health).collect(), length).await
        })?;
        let mut claimed = runtime.block_on(async {
            let one =
                |(client, connection)| Claims { connection, key: admin.clone(), rng: Rng::new(seed(client)), client };
            together(open(options.clients).await?.into_iter().enumerate().map(one).collect(), length).await
        })?;
        let mut ordered = runtime.block_on(async {
            let one = |(client, connection)| Shopper { connection, key: shop.clone(), rng: Rng::new(seed(client)) };
            together(open(options.shoppers).await?.into_iter().enumerate().map(one).collect(), length).await
        })?;
        rounds.push(Round { health_per_s: health.per_s, claims_per_s: claimed.per_s, orders_per_s: ordered.per_s });
        claims.append(&mut claimed.waits);
        orders.append(&mut ordered.waits);
    }
    let pages = |path: &str| -> anyhow::Result<f64> {
        runtime.block_on(async {
            let mut connection = Connection::open(&server.address).await?;
            let mut waits = Vec::new();
            for n in 0..2_000 {
                let path = format!("/shop/v1/{path}&sku=S{}", n * 7 % SKUS);
                let asked = Instant::now();
                let (status, body) = connection.ask("GET", &path, &shop, "").await?;
                ensure!(status == 200, "{path} was answered with {status}: {}", String::from_utf8_lossy(body));
                waits.push(asked.elapsed().as_micros() as u64);
            }
            waits.sort_unstable();
            Ok(percentile(&waits, 0.99) / 1e3)
        })
    };
    let availability_p99_ms = pages("availability?channel=site")?;
    let promise_p99_ms = pages("promises?address=Odesa")?;
    stop(server)?;
    let doctor = Command::new(std::env::current_exe()?).arg("doctor").arg(&dir).arg("--json").output()?;
    if !doctor.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&doctor.stdout));
    }
    claims.sort_unstable();
    orders.sort_unstable();
    Ok(Report {
        skus: SKUS,
        connections: options.clients,
        shoppers: options.shoppers,
        claims_per_s: median(rounds.iter().map(|r| r.claims_per_s).collect()),
        claims_p50_ms: percentile(&claims, 0.5) / 1e3,
        claims_p99_ms: percentile(&claims, 0.99) / 1e3,
        orders_per_s: median(rounds.iter().map(|r| r.orders_per_s).collect()),
        orders_p50_ms: percentile(&orders, 0.5) / 1e3,
        orders_p99_ms: percentile(&orders, 0.99) / 1e3,
        availability_p99_ms,
        promise_p99_ms,
        health_per_s: median(rounds.iter().map(|r| r.health_per_s).collect()),
        rounds,
        doctor_clean: doctor.status.success(),
    })
}

fn bearer(keys: &Keys) -> String {
    format!("Bearer {}", keys.api_key)
}

fn fill(server: &Server, keys: &Keys) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(&server.address).await?;
        let key = bearer(keys);
        let mut ask = async |path: &str, body: Value| -> anyhow::Result<()> {
            let (status, answer) = connection.ask("POST", &format!("/api/v1/{path}"), &key, &body.to_string()).await?;
            ensure!((200..300).contains(&status), "{path}: {status} {}", String::from_utf8_lossy(answer));
            Ok(())
        };
        for at in 0..=SHOPS {
            let (id, kind) =
                if at == 0 { ("hub".to_string(), "warehouse") } else { (format!("shop-{at}"), "store") };
            ask("locations", json!({"id": id, "kind": kind, "name": id, "time_zone": "Europe/Kyiv"})).await?;
        }
        for n in 0..SKUS {
            let price = json!({"minor": 10_000 + n * 7 % 90_000, "currency": "UAH"});
            let sku = format!("S{n}");
            let variants = json!([{"sku": sku, "price": price}]);
            let product = json!({"id": format!("p{n}"), "name": "Goods", "state": "active", "variants": variants});
            ask("products", product).await?;
            let received = |to: &str| json!({"sku": sku, "from": "supplier", "to": to, "quantity": 1_000_000, "reason": "receipt"});
            ask("stock/movements", received("hub")).await?;
            ask("stock/movements", received(&format!("shop-{}", 1 + n % SHOPS))).await?;
        }
        Ok(())
    })
}

/// What one client does again and again.
trait Client {
    /// Once; gives whether it counts.
    async fn once(&mut self) -> anyhow::Result<bool>;
}

struct Took {
    per_s: f64,
    /// Microseconds each.
    waits: Vec<u64>,
}

/// Lets clients work side by side for so long.
async fn together<C: Client + 'static>(all: Vec<C>, length: Duration) -> anyhow::Result<Took> {
    let begun = Instant::now();
    let local = tokio::task::LocalSet::new();
    let tasks: Vec<_> = all
        .into_iter()
        .map(|mut client| {
            local.spawn_local(async move {
                let mut waits = Vec::new();
                while begun.elapsed() < length {
                    let asked = Instant::now();
                    if client.once().await? {
                        waits.push(asked.elapsed().as_micros() as u64);
                    }
                }
                Ok::<_, anyhow::Error>(waits)
            })
        })
        .collect();
    local.await;
    let mut waits = Vec::new();
    for task in tasks {
        waits.append(&mut task.await??);
    }
    Ok(Took { per_s: waits.len() as f64 / begun.elapsed().as_secs_f64(), waits })
}

struct Health(Connection);

impl Client for Health {
    async fn once(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.ask("GET", "/health", "", "").await?.0 == 200)
    }
}

struct Claims {
    connection: Connection,
    key: String,
    rng: Rng,
    client: usize,
}

impl Client for Claims {
    async fn once(&mut self) -> anyhow::Result<bool> {
        let hot = self.rng.below(10) < 9;
        let sku = if hot { self.rng.below(HOT) } else { self.rng.below(SKUS.unsigned_abs()) };
        let owner = format!("cart:{}-{}", self.client, self.rng.below(1 << 40));
        let body =
            format!("{{\"kind\":\"cart\",\"owner\":\"{owner}\",\"lines\":[{{\"sku\":\"S{sku}\",\"quantity\":1}}]}}");
        let (status, answer) = self.connection.ask("POST", "/api/v1/reservations", &self.key, &body).await?;
        match status {
            201 => Ok(true),
            409 => Ok(false),
            _ => bail!("a claim was answered with {status}: {}", String::from_utf8_lossy(answer)),
        }
    }
}

struct Shopper {
    connection: Connection,
    key: String,
    rng: Rng,
}

impl Shopper {
    async fn say(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let (status, answer) = self.connection.ask(method, &format!("/shop/v1/{path}"), &self.key, body).await?;
        ensure!((200..300).contains(&status), "{path} was answered with {status}: {}", String::from_utf8_lossy(answer));
        Ok(serde_json::from_slice(answer)?)
    }
}

impl Client for Shopper {
    async fn once(&mut self) -> anyhow::Result<bool> {
        let cart = self.say("POST", "carts", "{}").await?;
        let cart = format!("carts/{}", cart["cart_id"].as_str().context("a cart has no id")?);
        for _ in 0..3 {
            let line = format!("{{\"sku\":\"S{}\",\"quantity\":1}}", self.rng.below(SKUS.unsigned_abs()));
            self.say("POST", &format!("{cart}/lines"), &line).await?;
        }
        let person = self.rng.below(1_000_000);
        let who = format!("{{\"email\":\"u{person}@shop.example\",\"name\":\"Олена\"}}");
        self.say("PUT", &format!("{cart}/customer"), &who).await?;
        let way = "{\"option_id\":\"courier\",\"address\":\"Odesa, Derybasivska 1\"}";
        self.say("PUT", &format!("{cart}/delivery"), way).await?;
        let order = self.say("POST", &format!("{cart}/checkout"), "{}").await?;
        let id = order["order_id"].as_str().context("an order has no id")?;
        let minor = order["total"]["minor"].as_i64().context("an order has no total")?;
        let payment = format!("{{\"provider\":\"on_delivery\",\"amount\":{{\"minor\":{minor},\"currency\":\"UAH\"}}}}");
        self.say("POST", &format!("orders/{id}/payments"), &payment).await?;
        Ok(true)
    }
}

/// A connection that stays open.
struct Connection {
    stream: TcpStream,
    host: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: address.into(), request: Vec::new(), answer: vec![0; 16 << 10] })
    }

    /// Asks; gives status and body.
    async fn ask(&mut self, method: &str, path: &str, key: &str, body: &str) -> anyhow::Result<(u16, &[u8])> {
        use std::io::Write;
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host)?;
        if !key.is_empty() {
            write!(self.request, "authorization: {key}\r\n")?;
        }
        if !body.is_empty() {
            write!(self.request, "content-type: application/json\r\ncontent-length: {}\r\n", body.len())?;
        }
        write!(self.request, "\r\n{body}")?;
        self.stream.write_all(&self.request).await?;
        let mut filled = 0;
        loop {
            if filled == self.answer.len() {
                self.answer.resize(self.answer.len() * 2, 0);
            }
            let read = self.stream.read(&mut self.answer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            let Some(end) = self.answer[..filled].windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.answer[..end])?;
            let header = |name: &str| {
                let mut pairs = head.lines().filter_map(|line| line.split_once(':'));
                pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
            };
            let length: usize = header("content-length").context("an answer has no length")?.parse()?;
            let status = head.get(9..12).and_then(|s| s.parse().ok()).context("an answer has no status")?;
            if filled >= end + 4 + length {
                return Ok((status, &self.answer[end + 4..end + 4 + length]));
            }
        }
    }
}
