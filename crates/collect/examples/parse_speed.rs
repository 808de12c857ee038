//! Microseconds an event of 650 bytes costs, in bodies of 100: `cargo run --release -p collect --example parse_speed`.
use base::Timestamp;
use bytes::Bytes;
use collect::{Call, Client, Options, Request, Source, SourceKind, pack, receive};
use std::hint::black_box;
use std::time::Instant;

const EVENTS: usize = 100;
const ROUNDS: usize = 400;

fn event(n: usize) -> String {
    let user = if n % 5 < 3 { format!(r#""userId":"user-{}","#, n * 7919 % 100_000) } else { String::new() };
    format!(
        r#"{{"type":"track","messageId":"ajs-next-1763821868{n:04}-7b9c2f1e-4a55","anonymousId":"5f0c3a1e-8a0b-4c1d-9a57-{:012}",{user}"event":"Product Viewed","timestamp":"2026-11-22T14:31:08.{:03}Z","properties":{{"product_id":"sku-{}","sku":"G-{}","category":"face care","name":"Крем для обличчя","brand":"Mila","price":{}.90,"quantity":1,"currency":"UAH","url":"https://shop.example/p/{n}"}},"context":{{"ip":"203.0.113.{}","locale":"uk-UA","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","page":{{"path":"/p/{n}","title":"Face","url":"https://shop.example/p/{n}"}},"library":{{"name":"braid.js","version":"1.0.0"}}}}}}"#,
        n * 104_729,
        n % 1000,
        n * 31 % 5000,
        n * 17 % 900,
        n % 400 + 99,
        n % 250,
    )
}

/// Median microseconds an event.
fn time(name: &str, mut run: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e6 / EVENTS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name:<28} {:.2} µs an event", rounds[ROUNDS / 2]);
}

fn main() {
    let items: Vec<String> = (0..EVENTS).map(event).collect();
    let good = format!(r#"{{"sentAt":"2026-11-22T14:31:09.000Z","batch":[{}]}}"#, items.join(","));
    let mixed = good.replacen(r#""event":"Product Viewed""#, r#""event":{}"#, 1);
    println!("{} bytes an event", good.len() / EVENTS);
    let options = Options::new((1, 2));
    let received_at = Timestamp::from_civil(2026, 11, 22, 14, 31, 10);
    for (name, body) in [("receive", good.clone()), ("receive, one bad item", mixed)] {
        let request = Request {
            call: Call::Batch,
            source: Source { id: 1, kind: SourceKind::Browser },
            client: Client::default(),
            body: Bytes::from(body),
            received_at,
            prepared_with: 0,
        };
        let run = || drop(black_box(receive(black_box(request.clone()), &options, &|_, _, _| Ok(()))));
        time(name, run);
    }
    time("packing alone", || drop(black_box(pack(black_box(good.as_bytes())))));
}
