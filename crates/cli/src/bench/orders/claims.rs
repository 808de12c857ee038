//! Claims on goods that everybody wants, against what the machine's database does at best, and against the usual way of doing it.
//!
//! Clients are threads that call the command and wait for its answer. Nine in ten want one of ten variants. The baseline on
//! SQLite is bare rusqlite inserting rows of a claim in groups of 256; on PostgreSQL it is what most shops do: a conditional
//! update and an insert in a transaction a request, READ COMMITTED, on eight connections.
use super::{Options, median, percentile};
use anyhow::Context;
use base::{Clock, Quantity, Rng, SystemClock};
use db::{Dialect, Location, Open, Store, Sync, migrate};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};
use stock::choice::Wanted;
use stock::commands::{self, LocationInput, Request, Shortage};
use stock::model::{Document, DocumentKind, LocationKind, Move, ReservationKind, SUPPLIER};
use stock::{StockError, availability};

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub skus: i64,
    pub clients: usize,
    pub reservations_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// What the baseline is.
    pub baseline: &'static str,
    pub baseline_per_s: f64,
    /// The median of the rounds' ratios.
    pub ratio: f64,
    /// A product page's question beside the load, answered without the writer; microseconds.
    pub availability_p50_us: f64,
    pub availability_p99_us: f64,
    pub refused: i64,
    /// Findings of the books afterwards; none may be.
    pub findings: usize,
    pub rounds: Vec<Round>,
}

/// One turn of both.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub reservations_per_s: f64,
    pub baseline_per_s: f64,
    pub p99_ms: f64,
}

/// So many variants get nine requests in ten.
const HOT: u64 = 10;

/// Runs it.
pub fn run(options: &Options, database: Option<String>, dir: &Path) -> anyhow::Result<Report> {
    let url = database.as_deref().unwrap_or("sqlite:claims.db");
    measure(options, Location::parse(url, dir)?)
}

fn open(location: Location) -> anyhow::Result<Arc<Store>> {
    Ok(Arc::new(Store::open(Open {
        location,
        sync: Sync::Full,
        migrations: &[migrate::MIGRATIONS, stock::MIGRATIONS],
        options: db::writer::Options::default(),
        clock: Arc::new(SystemClock),
        holder: "braid bench orders".into(),
        take_over: false,
        before: None,
        recover: None,
        ticker: None,
        observer: None,
        readers: 1,
    })?))
}

fn measure(options: &Options, location: Location) -> anyhow::Result<Report> {
    let store = open(location.clone())?;
    fill(&store, options.skus)?;
    let mut baseline = Baseline::make(&location, options.skus)?;
    let mut rounds = Vec::new();
    let (mut waits, mut looks) = (Vec::new(), Vec::new());
    let refused = AtomicI64::new(0);
    for round in 0..options.rounds.max(1) {
        let baseline_per_s = baseline.run(options, round as u64)?;
        let mut taken = load(&store, options, round as u64, &refused, &mut looks)?;
        taken.waits.sort_unstable();
        let p99_ms = percentile(&taken.waits, 0.99) / 1e3;
        rounds.push(Round { reservations_per_s: taken.per_s, baseline_per_s, p99_ms });
        waits.append(&mut taken.waits);
    }
    waits.sort_unstable();
    looks.sort_unstable();
    let now = SystemClock.now();
    let findings = store.query(move |db| stock::doctor::check(db, now))?;
    store.close();
    let ratio = median(rounds.iter().map(|r| r.reservations_per_s / r.baseline_per_s).collect());
    Ok(Report {
        skus: options.skus,
        clients: options.clients,
        reservations_per_s: median(rounds.iter().map(|r| r.reservations_per_s).collect()),
        p50_ms: percentile(&waits, 0.5) / 1e3,
        p99_ms: percentile(&waits, 0.99) / 1e3,
        baseline: baseline.what(),
        baseline_per_s: median(rounds.iter().map(|r| r.baseline_per_s).collect()),
        ratio,
        availability_p50_us: percentile(&looks, 0.5) / 1e3,
        availability_p99_us: percentile(&looks, 0.99) / 1e3,
        refused: refused.load(Ordering::Relaxed),
        findings: findings.len(),
        rounds,
    })
}

/// A warehouse with everything, and two shops that have what everybody wants.
fn fill(store: &Store, skus: i64) -> anyhow::Result<()> {
    let place = |id: &str, kind| LocationInput {
        id: id.into(),
        kind,
        name: id.into(),
        address: String::new(),
        lat_lon_e7: None,
        time_zone: "Europe/Kyiv".into(),
        entity: String::new(),
    };
    let mut places = Vec::new();
    for (id, kind) in [("W", LocationKind::Warehouse), ("A", LocationKind::Store), ("B", LocationKind::Store)] {
        let input = place(id, kind);
        places.push(store.write(move |tx| commands::put_location(tx, &input, None))?.1.no);
    }
    let line = |variant_no: i64, to_no: i64, units: i64| {
        Move::sellable(variant_no, (SUPPLIER, to_no), Quantity::units(units), "")
    };
    let mut moves: Vec<Move> = (1..=skus).map(|variant| line(variant, places[0], 100_000)).collect();
    for variant in 1..=HOT as i64 {
        moves.extend(places[1..].iter().map(|place| line(variant, *place, 10_000_000)));
    }
    for part in moves.chunks(2000) {
        let document = Document {
            kind: DocumentKind::Receipt,
            source: "bench".into(),
            external_id: "".into(),
            reference: "".into(),
            note: "".into(),
            actor: "bench".into(),
            at: SystemClock.now(),
            moves: part.to_vec(),
        };
        store.write(move |tx| commands::post(tx, &document, Shortage::Refuse))?;
    }
    Ok(())
}

fn wanted(rng: &mut Rng, skus: i64) -> i64 {
    let hot = rng.below(10) < 9;
    1 + (if hot { rng.below(HOT) } else { rng.below(skus.unsigned_abs()) }) as i64
}

struct Taken {
    per_s: f64,
    /// Microseconds each.
    waits: Vec<u64>,
}

fn load(
    store: &Arc<Store>,
    options: &Options,
    round: u64,
    refused: &AtomicI64,
    looks: &mut Vec<u64>,
) -> anyhow::Result<Taken> {
    let stop = AtomicBool::new(false);
    let carts = AtomicI64::new(10_000_000 * (round as i64 + 1));
    let mirror = store.read(|tx| Ok::<_, db::DbError>(tx.mirror::<stock::StockTable>()))?;
    let places = store.read(|tx| -> Result<_, db::DbError> { commands::places(tx) })?;
    let site = places.channel("site").context("there is no channel site")?.clone();
    let begun = Instant::now();
    let (mut waits, mut failed) = (Vec::new(), None);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..options.clients)
            .map(|client| {
                let (stop, carts) = (&stop, &carts);
                scope.spawn(move || -> Result<Vec<u64>, StockError> {
                    let mut rng = Rng::new(round << 32 | client as u64);
                    let mut waits = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        // Every buyer has a cart of their own; carts get their numbers from one sequence.
                        let cart = carts.fetch_add(1, Ordering::Relaxed);
                        let lines = vec![Wanted {
                            variant_no: wanted(&mut rng, options.skus),
                            quantity: Quantity::ONE,
                            location_no: None,
                        }];
                        let kind = ReservationKind::Cart;
                        let request = Request {
                            channel: "site".into(),
                            kind,
                            owner: format!("cart:{cart}").into(),
                            lines,
                            seconds: None,
                            partial: false,
                        };
                        let asked = Instant::now();
                        match store.write(move |tx| commands::reserve(tx, &request)) {
                            Ok(_) => waits.push(asked.elapsed().as_micros() as u64),
                            Err(StockError::NotEnough(_)) => drop(refused.fetch_add(1, Ordering::Relaxed)),
                            Err(e) => return Err(e),
                        }
                    }
                    Ok(waits)
                })
            })
            .collect();
        // A product page asks now and then.
        let mut rng = Rng::new(7);
        while begun.elapsed() < Duration::from_secs(options.seconds) {
            std::thread::sleep(Duration::from_millis(2));
            let asked = Instant::now();
            let stock = mirror.get(wanted(&mut rng, HOT as i64)).flatten();
            let free = stock.map(|stock| availability::for_channel(&stock, &site, SystemClock.now()));
            if std::hint::black_box(free).is_some() {
                looks.push(asked.elapsed().as_nanos() as u64);
            }
        }
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            match client.join() {
                Ok(Ok(mut own)) => waits.append(&mut own),
                Ok(Err(e)) => failed = Some(anyhow::Error::from(e)),
                Err(_) => failed = Some(anyhow::anyhow!("a client panicked")),
            }
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    Ok(Taken { per_s: waits.len() as f64 / begun.elapsed().as_secs_f64(), waits })
}

struct Baseline {
    dialect: Dialect,
    location: Location,
}

impl Baseline {
    fn make(location: &Location, skus: i64) -> anyhow::Result<Self> {
        let location = match location {
            Location::Sqlite { path, vfs } => {
                Location::Sqlite { path: path.with_file_name("baseline.db"), vfs: vfs.clone() }
            }
            other => other.clone(),
        };
        let mut engine = location.open(Sync::Full, false)?;
        engine.batch(
            "CREATE TABLE bare (no BIGINT PRIMARY KEY, variant_no BIGINT, location_no BIGINT, quantity BIGINT, expires_at BIGINT);\
             CREATE TABLE bare_positions (variant_no BIGINT PRIMARY KEY, sellable BIGINT, reserved BIGINT)",
        )?;
        let dialect = engine.dialect();
        if dialect == Dialect::Postgres {
            let rows = format!("INSERT INTO bare_positions SELECT n, 1000000000, 0 FROM generate_series(1, {skus}) n");
            engine.batch(&rows)?;
            engine.batch("CREATE SEQUENCE bare_no")?;
        }
        Ok(Self { dialect, location })
    }
    fn what(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "bare rusqlite, rows inserted in groups of 256",
            Dialect::Postgres => "a conditional update and an insert in a transaction a request, 8 connections",
        }
    }
    fn run(&mut self, options: &Options, round: u64) -> anyhow::Result<f64> {
        let length = Duration::from_secs(options.seconds);
        match self.dialect {
            Dialect::Sqlite => rows(&self.location, options, round, length),
            Dialect::Postgres => naive(&self.location, options, round, length),
        }
    }
}

fn rows(location: &Location, options: &Options, round: u64, length: Duration) -> anyhow::Result<f64> {
    let Location::Sqlite { path, .. } = location else { anyhow::bail!("it is no SQLite file") };
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
    let mut rng = Rng::new(round);
    let (begun, mut count) = (Instant::now(), 0u64);
    while begun.elapsed() < length {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        {
            let mut insert = connection.prepare_cached(
                "INSERT INTO bare (variant_no, location_no, quantity, expires_at) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for _ in 0..256 {
                insert.execute([wanted(&mut rng, options.skus), 1, 1000, begun.elapsed().as_micros() as i64])?;
            }
        }
        connection.execute_batch("COMMIT")?;
        count += 256;
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

fn naive(location: &Location, options: &Options, round: u64, length: Duration) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let counts: Vec<anyhow::Result<u64>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8u64)
            .map(|client| {
                scope.spawn(move || -> anyhow::Result<u64> {
                    let mut engine = location.open(Sync::Full, false)?;
                    let mut rng = Rng::new(round << 32 | client);
                    let mut count = 0;
                    while begun.elapsed() < length {
                        let variant = wanted(&mut rng, options.skus);
                        engine.batch("BEGIN ISOLATION LEVEL READ COMMITTED")?;
                        let sql = "UPDATE bare_positions SET reserved = reserved + $2 \
                                   WHERE variant_no = $1 AND sellable - reserved >= $2";
                        if engine.execute(sql, &[variant.into(), 1000.into()])? == 1 {
                            let sql = "INSERT INTO bare (no, variant_no, location_no, quantity, expires_at) \
                                       VALUES (nextval('bare_no'), $1, 1, 1000, $2)";
                            engine.execute(sql, &[variant.into(), 1.into()])?;
                            count += 1;
                        }
                        engine.batch("COMMIT")?;
                    }
                    Ok(count)
                })
            })
            .collect();
        clients.into_iter().map(|c| c.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a client panicked")))).collect()
    });
    let total: u64 = counts.into_iter().collect::<anyhow::Result<Vec<u64>>>()?.into_iter().sum();
    Ok(total as f64 / begun.elapsed().as_secs_f64())
}
