//! Whole orders as commands: an empty cart, three lines, who orders, what is promised, the chosen way, and the order with its
//! goods kept at the places that sourcing chose. What the order tells the customers' log is logged in the same transaction, as
//! in the server. Clients are threads; each of the seven commands waits for its commit.
//!
//! The machine's limit beside it: the same seven commits an order, each of one bare row, by the same number of threads.
use super::{Options, median, percentile};
use anyhow::Context;
use base::{Clock, Quantity, Rng, SystemClock, Timestamp};
use catalog::model::{Price, ProductInput, ProductState, VariantInput};
use db::{DbError, Location, Store, Sync, Tx};
use orders::OrderError;
use orders::commands;
use orders::model::{Contact, Delivery, Promised};
use orders::offers::{Desk, WantedLine};
use orders::promise::Taken;
use serde::Serialize;
use server::domain::{Domain, Start};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stock::commands::{LocationInput, Shortage};
use stock::model::{Document, DocumentKind, LocationKind, Move, SUPPLIER};

/// Lines of an order.
const LINES: usize = 3;
/// Variants on sale.
pub(super) const SKUS: i64 = 10_000;
/// Shops beside the warehouse.
pub(super) const SHOPS: i64 = 9;

const ADDRESS: &str = "Одеса, Дерибасівська 1";

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub skus: i64,
    pub places: i64,
    pub clients: usize,
    pub orders_per_s: f64,
    /// From the empty cart to the order.
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Asking the promise book for a cart of three lines, microseconds.
    pub promise_p50_us: f64,
    pub promise_p99_us: f64,
    /// Seven commits of one bare row each, by as many threads, in the same kind of groups; in orders.
    pub bare_orders_per_s: f64,
    pub ratio: f64,
    pub refused: u64,
    /// Findings of the books afterwards; none may be.
    pub findings: usize,
    pub rounds: Vec<Round>,
}

/// One turn of both.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub orders_per_s: f64,
    pub bare_orders_per_s: f64,
    pub p99_ms: f64,
}

/// Runs it.
pub fn run(options: &Options, database: Option<String>, dir: &Path) -> anyhow::Result<Report> {
    let location = Location::parse(database.as_deref().unwrap_or("sqlite:whole.db"), dir)?;
    let config = server::config::Effective::load(None, &Default::default(), &[])?.config(dir);
    let start = Start::new(&config, location.clone(), Sync::Full, Arc::new(SystemClock), "braid bench orders");
    let domain = Arc::new(Domain::open(start)?);
    let filled = Arc::new(fill(domain.store())?);
    domain.store().write(|tx: &mut Tx| -> Result<(), DbError> {
        tx.engine().batch("CREATE TABLE bare (no BIGINT PRIMARY KEY, body TEXT NOT NULL)")
    })?;
    let (mut rounds, mut waits, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    let refused = AtomicU64::new(0);
    for round in 0..options.rounds.max(1) as u64 {
        let bare_orders_per_s = bare(domain.store(), options, round)?;
        let mut taken = load(&domain, &filled, options, round, &refused)?;
        taken.waits.sort_unstable();
        rounds.push(Round {
            orders_per_s: taken.per_s,
            bare_orders_per_s,
            p99_ms: percentile(&taken.waits, 0.99) / 1e3,
        });
        waits.append(&mut taken.waits);
        asked.append(&mut taken.asked);
    }
    waits.sort_unstable();
    asked.sort_unstable();
    domain.close();
    let findings = pipeline::doctor::run(&location, &SystemClock, server::domain::settings(&config))?.findings.len();
    Ok(Report {
        skus: SKUS,
        places: 1 + SHOPS,
        clients: options.clients,
        orders_per_s: median(rounds.iter().map(|r| r.orders_per_s).collect()),
        p50_ms: percentile(&waits, 0.5) / 1e3,
        p99_ms: percentile(&waits, 0.99) / 1e3,
        promise_p50_us: percentile(&asked, 0.5) / 1e3,
        promise_p99_us: percentile(&asked, 0.99) / 1e3,
        bare_orders_per_s: median(rounds.iter().map(|r| r.bare_orders_per_s).collect()),
        ratio: median(rounds.iter().map(|r| r.orders_per_s / r.bare_orders_per_s).collect()),
        refused: refused.load(Ordering::Relaxed),
        findings,
        rounds,
    })
}

/// A warehouse with everything and shops with some of it; gives the variants' numbers.
fn fill(store: &Store) -> anyhow::Result<Vec<i64>> {
    let mut places = Vec::new();
    for at in 0..=SHOPS {
        let input = LocationInput {
            id: if at == 0 { "hub".into() } else { format!("shop-{at}") },
            kind: if at == 0 { LocationKind::Warehouse } else { LocationKind::Store },
            name: format!("Place {at}"),
            address: String::new(),
            lat_lon_e7: None,
            time_zone: "Europe/Kyiv".into(),
            entity: String::new(),
        };
        places.push(store.write(move |tx| stock::commands::put_location(tx, &input, None))?.1.no);
    }
    let mut numbers = Vec::new();
    for first in (0..SKUS).step_by(500) {
        let made = store.write(move |tx: &mut Tx| -> Result<Vec<i64>, DbError> {
            let one = |n: i64| VariantInput {
                sku: format!("S{n}"),
                price: Some(Price { minor: 10_000 + n * 7 % 90_000, currency: "UAH".into() }),
                ..VariantInput::default()
            };
            let inputs: Vec<ProductInput> = (first..(first + 500).min(SKUS))
                .map(|n| ProductInput {
                    id: format!("p{n}"),
                    name: Some(format!("Goods {n}")),
                    state: Some(ProductState::Active),
                    variants: vec![one(n)],
                    ..ProductInput::default()
                })
                .collect();
            catalog::commands::put_products(tx, &inputs)?;
            let found = (first..(first + 500).min(SKUS)).map(|n| catalog::variants::find(tx, &format!("S{n}")));
            Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })?;
        numbers.extend(made);
    }
    anyhow::ensure!(numbers.len() as i64 == SKUS, "the catalogue took {} of {SKUS} SKUs", numbers.len());
    for (at, to_no) in places.iter().enumerate() {
        // Every shop has each third variant.
        let here: Vec<i64> =
            numbers.iter().enumerate().filter(|(n, _)| at == 0 || (n + at) % 3 == 0).map(|(_, no)| *no).collect();
        for part in here.chunks(1000) {
            let moves = part
                .iter()
                .map(|variant_no| Move::sellable(*variant_no, (SUPPLIER, *to_no), Quantity::units(1_000_000), ""))
                .collect();
            let document = Document {
                kind: DocumentKind::Receipt,
                source: "bench".into(),
                external_id: "".into(),
                reference: "".into(),
                note: "".into(),
                actor: "bench".into(),
                at: SystemClock.now(),
                moves,
            };
            store.write(move |tx| stock::commands::post(tx, &document, Shortage::Refuse))?;
        }
    }
    Ok(numbers)
}

#[derive(Default)]
struct Load {
    per_s: f64,
    /// Microseconds an order.
    waits: Vec<u64>,
    /// Nanoseconds a promise.
    asked: Vec<u64>,
}

fn load(
    domain: &Arc<Domain>,
    numbers: &Arc<Vec<i64>>,
    options: &Options,
    round: u64,
    refused: &AtomicU64,
) -> anyhow::Result<Load> {
    let store = domain.store();
    let shop = pipeline::orders::shop(domain.preparer());
    let places = store.read(|tx| -> Result<_, DbError> { stock::commands::places(tx) })?;
    let (version, settings) = store.read(|tx| -> Result<_, DbError> { commands::settings(tx) })?;
    let desk = Arc::new(Desk::compile(settings, version, &places, &[], SystemClock.now())?);
    let stock = store.read(|tx| Ok::<_, DbError>(tx.mirror::<stock::StockTable>()))?;
    let site = places.channel("site").context("there is no channel site")?.clone();
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    let mut out = Load::default();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let clients: Vec<_> = (0..options.clients)
            .map(|client| {
                let (stop, shop, desk, stock, site) = (&stop, shop.clone(), desk.clone(), stock.clone(), site.clone());
                scope.spawn(move || -> anyhow::Result<Load> {
                    let mut rng = Rng::new(round << 32 | client as u64);
                    let mut own = Load::default();
                    while !stop.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        let person = rng.below(1_000_000);
                        let (shop, own_shop) = (shop.clone(), shop.clone());
                        let cart = store.write(move |tx| commands::create_cart(tx, &own_shop, "site", None))?.no;
                        let mut wanted = Vec::with_capacity(LINES);
                        for _ in 0..LINES {
                            let variant = numbers[rng.below(numbers.len() as u64) as usize];
                            wanted.push(variant);
                            store.write(move |tx| commands::put_line(tx, cart, variant, Quantity::ONE, true))?;
                        }
                        let contact = Contact {
                            email: format!("u{person}@shop.example"),
                            name: "Олена".into(),
                            ..Contact::default()
                        };
                        store.write(move |tx| commands::put_contact(tx, cart, &contact))?;
                        let now = SystemClock.now();
                        let asked = Instant::now();
                        let lines: Vec<WantedLine> = wanted
                            .iter()
                            .map(|no| {
                                let stock = stock.get(*no).flatten();
                                WantedLine::new(true, stock.as_deref(), Quantity::ONE, None, (&site, now))
                            })
                            .collect();
                        let offers = desk.offers(
                            &lines,
                            (Some(desk.settings.zone_of(ADDRESS)), Some(0)),
                            100_000,
                            &Taken::default(),
                            now,
                        );
                        own.asked.push(asked.elapsed().as_nanos() as u64);
                        let offer = offers.iter().find(|o| o.method.is_some()).context("nothing is promised")?;
                        let at = Timestamp::from_micros;
                        let (option, price_minor) = (offer.option.clone(), offer.price_minor);
                        let delivery = Delivery::Ship { option, price_minor };
                        let promised = Promised {
                            earliest: at(offer.promise.earliest_us),
                            latest: at(offer.promise.latest_us),
                            why: offer.why.clone(),
                        };
                        store
                            .write(move |tx| commands::put_delivery(tx, cart, &delivery, (ADDRESS, Some(&promised))))?;
                        let preparer = domain.preparer().clone();
                        let placed = store.write(move |tx| {
                            let order = commands::checkout(tx, cart, &shop, "bench")?;
                            pipeline::orders::tell(tx, &preparer)?;
                            Ok::<_, OrderError>(order)
                        });
                        match placed {
                            Ok(_) => own.waits.push(begun.elapsed().as_micros() as u64),
                            Err(OrderError::Stock(stock::StockError::NotEnough(_))) => {
                                let _ = refused.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(e) => return Err(e.into()),
                        }
                    }
                    Ok(own)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(options.seconds));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            let mut own = client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
            out.waits.append(&mut own.waits);
            out.asked.append(&mut own.asked);
        }
        Ok(())
    })?;
    out.per_s = out.waits.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(out)
}

/// Seven rows an order, each with a commit of its own to wait for.
fn bare(store: &Arc<Store>, options: &Options, round: u64) -> anyhow::Result<f64> {
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    let mut commits = 0u64;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let clients: Vec<_> = (0..options.clients as i64)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || -> anyhow::Result<u64> {
                    let mut count = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let no = ((round as i64) << 48) | (client << 32) | count;
                        store.write(move |tx: &mut Tx| -> Result<(), DbError> {
                            let sql = "INSERT INTO bare (no, body) VALUES ($1, $2)";
                            tx.engine().execute(sql, &[no.into(), "one row".into()]).map(drop)
                        })?;
                        count += 1;
                    }
                    Ok(count as u64)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(options.seconds));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            commits += client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        Ok(())
    })?;
    let orders = commits as f64 / (LINES + 4) as f64;
    Ok(orders / begun.elapsed().as_secs_f64())
}
