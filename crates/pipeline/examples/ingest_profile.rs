//! The writer's path alone, for a profiler: batches are prepared on one thread and logged on the other, without HTTP.
//!
//! `cargo run --release -p pipeline --example ingest_profile -- sqlite:/tmp/x/braid.db 10`
use base::{Rng, SystemClock};
use bytes::Bytes;
use collect::{Call, Source, SourceKind};
use db::{Location, Sync};
use pipeline::{Core, Ingest, Open, Settings};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "sqlite:/tmp/braid-profile/braid.db".into());
    let seconds: u64 = args.next().and_then(|s| s.parse().ok()).unwrap_or(10);
    let profiles: u64 = args.next().and_then(|s| s.parse().ok()).unwrap_or(100_000);
    if let Some(folder) = url.strip_prefix("sqlite:").and_then(|f| std::path::Path::new(f).parent()) {
        std::fs::create_dir_all(folder).expect("the folder can be made");
    }
    let core = Core::open(Open {
        location: Location::parse(&url, std::path::Path::new("/")).expect("a url"),
        sync: Sync::Full,
        options: db::writer::Options::default(),
        clock: Arc::new(SystemClock),
        holder: "profile".into(),
        take_over: false,
        settings: Settings::default(),
        migrations: Vec::new(),
        observer: None,
        readers: 1,
        jobs: Vec::new(),
        sweeps: Vec::new(),
    })
    .expect("it opens");
    for (at, category) in ["face care", "kitchen", "garden", "lights", "bags", "toys"].iter().enumerate() {
        let text = format!(
            "count(\"Product Viewed\" where properties.category = \"{category}\" in last 14 days) >= {}",
            at + 1
        );
        make(&core, &format!("s{at}"), &text);
    }
    for (at, text) in [
        "count(\"Product Viewed\" in last 7 days) >= 10",
        "count(\"Product Viewed\" in last 30 days) >= 1",
        "count(\"Product List Viewed\" in last 1 days) >= 3",
        "count(\"Products Searched\" in last 3 days) >= 2",
        "count(\"Product Added\" in last 7 days) >= 1",
        "count(\"Product Added\" in last 7 days) >= 1 and count(\"Order Completed\" in last 7 days) = 0",
        "count(\"Order Completed\") = 1",
        "count(\"Order Completed\" in last 90 days) >= 3",
        "sum(\"Order Completed\".total) >= 1000",
        "count(\"Checkout Started\" in last 2 hours) >= 1",
        "count(\"Product Viewed\" where properties.price >= 800 in last 14 days) >= 2",
        "trait.city = \"Lviv\"",
        "exists identifier.email",
        "not count(\"Order Completed\") >= 1",
    ]
    .iter()
    .enumerate()
    {
        make(&core, &format!("t{at}"), text);
    }
    let mut rng = Rng::new(1);
    let done = Arc::new(AtomicU64::new(0));
    let in_flight = 32;
    let (sender, receiver) = mpsc::channel::<()>();
    for _ in 0..in_flight {
        let _ = sender.send(());
    }
    let started = Instant::now();
    let mut last = (0u64, 0u64);
    let mut prepare_us = 0u128;
    while started.elapsed().as_secs() < seconds {
        let _ = receiver.recv();
        let body = body(&mut rng, profiles);
        let t = Instant::now();
        let now = base::Clock::now(&SystemClock);
        let source = Source { id: 1, kind: SourceKind::Server };
        let received = core.preparer.receive(Call::Batch, source, collect::Client::default(), Bytes::from(body), now);
        prepare_us += t.elapsed().as_micros();
        let received = received.expect("taken");
        let (counted, answered) = (done.clone(), sender.clone());
        core.store.push(Ingest::command(
            core.preparer.clone(),
            received.batch,
            received.rejects,
            Box::new(move |answer| {
                let kept = answer.map_or(0, |a| u64::from(a.kept));
                counted.fetch_add(kept, Ordering::Relaxed);
                let _ = answered.send(());
            }),
        ));
        let second = started.elapsed().as_secs();
        if second != last.0 {
            let now = done.load(Ordering::Relaxed);
            eprintln!("{second:>3} s {:>8} events/s  {:?}", now - last.1, core.store.figures());
            last = (second, now);
        }
    }
    let total = done.load(Ordering::Relaxed);
    eprintln!("{} events/s; preparing {:.2} µs an event", total / seconds, prepare_us as f64 / total as f64);
    core.store.close();
}

fn make(core: &Core, name: &str, text: &str) {
    let (name, text) = (name.to_string(), text.to_string());
    let made = core.store.write(move |tx| segments::runtime::commands::create(tx, &name, &text));
    if let Err(e) = made {
        eprintln!("{e}");
    }
}

fn body(rng: &mut Rng, profiles: u64) -> Vec<u8> {
    use std::fmt::Write;
    let mut text = String::with_capacity(70_000);
    text.push_str("{\"batch\":[");
    for at in 0..100 {
        if at > 0 {
            text.push(',');
        }
        let roll = rng.below(100);
        let name = match roll {
            0..55 => "Product Viewed",
            55..75 => "Product List Viewed",
            75..85 => "Product Added",
            85..93 => "Products Searched",
            93..97 => "Checkout Started",
            _ => "Order Completed",
        };
        let hot = rng.below(100) < 80;
        let person = if hot { rng.below(profiles / 5) } else { profiles / 5 + rng.below(profiles - profiles / 5) };
        // Six of ten people are signed in, always; so there are as many profiles as people.
        let (key, letter) = if person % 10 < 6 { ("userId", 'u') } else { ("anonymousId", 'a') };
        let category = rng.pick(&["face care", "kitchen", "garden", "lights", "bags", "toys"]);
        let _ = write!(
            text,
            "{{\"type\":\"track\",\"messageId\":\"{:016x}{:016x}\",\"{key}\":\"{letter}{person:09}\",\"event\":\"{name}\",\"properties\":{{\"product_id\":\"sku-{}\",\
             \"category\":\"{category}\",\"name\":\"Blanket of Carpathian wool\",\"brand\":\"Khmara\",\"price\":{}.50,\"currency\":\"UAH\",\"quantity\":1,\
             \"position\":{},\"total\":{}.50}},\"context\":{{\"library\":{{\"name\":\"braid.js\",\"version\":\"1.0.0\"}},\"page\":{{\"path\":\"/catalogue/{category}\",\
             \"title\":\"Catalogue\",\"url\":\"https://shop.example/catalogue?item={}&note=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}},\
             \"locale\":\"uk-UA\",\"timezone\":\"Europe/Kyiv\",\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"}}}}",
            rng.next_u64(),
            rng.next_u64(),
            rng.below(300_000),
            rng.below(900),
            rng.below(40),
            rng.below(900),
            rng.below(300_000)
        );
    }
    text.push_str("]}");
    text.into_bytes()
}
