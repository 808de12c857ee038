//! Real kills of a real server under load: what was acknowledged is there, once, and everything derived fits it.
use crate::braid::{Database, Server, Shop};
use crate::http::Client;
use base::Rng;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Clients at once.
const CLIENTS: usize = 4;
/// Requests of one client between two kills; the store stays small enough to be checked often.
const REQUESTS: usize = 120;
/// Kills between two checks of the whole store.
const CHECK_EVERY: usize = 10;

/// When a round's kill comes. All are reached in every run, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Somewhere in the start, folding of the last kill's tail included.
    WhileStarting,
    /// As soon as requests are taken.
    JustReady,
    /// Amid requests.
    UnderLoad,
    /// After the clients fell silent, while rows that wait are written.
    WhileIdle,
    /// Amid requests, with a segment being filled.
    WhileFilling,
    /// After SIGTERM: in the orderly stop.
    WhileStopping,
}

const MOMENTS: [Moment; 8] = [
    Moment::UnderLoad,
    Moment::JustReady,
    Moment::UnderLoad,
    Moment::WhileIdle,
    Moment::WhileStarting,
    Moment::UnderLoad,
    Moment::WhileFilling,
    Moment::WhileStopping,
];

/// What all clients know together.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<HashSet<String>>,
    /// Bodies whose answer never came, to be sent again as a client would.
    unanswered: Mutex<Vec<(String, Vec<String>)>>,
    numbers: AtomicUsize,
    repeats: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody of a small crowd, by some of what is known about them: people meet, merge and come back.
fn somebody(rng: &mut Rng, item: &mut Value) {
    let person = rng.below(60);
    let user = format!("u{person}");
    let device = format!("d{}", rng.below(150));
    let email = format!("p{}@example.com", if rng.below(8) == 0 { rng.below(60) } else { person });
    match rng.below(6) {
        0 | 1 => item["userId"] = json!(user),
        2 => item["anonymousId"] = json!(device),
        3 => {
            item["userId"] = json!(user);
            item["anonymousId"] = json!(device);
        }
        4 => {
            item["anonymousId"] = json!(device);
            item["context"] = json!({"traits": {"email": email}});
        }
        _ => {
            item["userId"] = json!(user);
            item["context"] = json!({"traits": {"email": email, "phone": format!("06712345{:02}", person)}});
        }
    }
}

fn item(rng: &mut Rng, id: &str) -> Value {
    let mut item = json!({"messageId": id});
    somebody(rng, &mut item);
    match rng.below(10) {
        0 | 1 => {
            item["type"] = json!("identify");
            item["traits"] = json!({"city": *rng.pick(&["Lviv", "Kyiv", "Odesa"]), "visits": rng.below(100)});
        }
        2 => {
            item["type"] = json!("page");
            item["name"] = json!("Home");
        }
        3 => {
            item["type"] = json!("track");
            item["event"] = json!(*rng.pick(&["Consent Granted", "Consent Revoked"]));
            item["properties"] = json!({"channel": "email", "purpose": "marketing", "wording": "Новини поштою"});
        }
        n => {
            item["type"] = json!("track");
            item["event"] = json!(["Product Viewed", "Product Added", "Order Completed"][n as usize % 3]);
            item["properties"] =
                json!({"category": *rng.pick(&["garden", "toys"]), "total": rng.below(900), "currency": "UAH"});
        }
    }
    item
}

/// A body, where it goes, and the ids in it.
fn body(rng: &mut Rng, ledger: &Ledger) -> (&'static str, String, Vec<String>) {
    let fresh = || format!("m-{}", ledger.numbers.fetch_add(1, Ordering::Relaxed));
    if rng.below(3) == 0 {
        let id = fresh();
        let mut one = item(rng, &id);
        one["type"] = json!("track");
        one["event"] = json!("Product Viewed");
        return ("/v1/track", one.to_string(), vec![id]);
    }
    let mut ids: Vec<String> = (0..1 + rng.below(8)).map(|_| fresh()).collect();
    // The same id twice in a body, and one that was taken before: both are said to be repeats, and stored once.
    if rng.below(6) == 0 {
        ids.push(ids[0].clone());
    }
    if rng.below(6) == 0
        && let Some(old) = lock(&ledger.acknowledged).iter().next().cloned()
    {
        ids.push(old);
    }
    let items: Vec<Value> = ids.iter().map(|id| item(rng, id)).collect();
    ("/v1/batch?strict=1", json!({"batch": items}).to_string(), ids)
}

/// Sends a body and writes down what was promised about it; `false` when the server is gone.
fn send(client: &mut Client, ledger: &Ledger, path: &str, body: String, ids: Vec<String>) -> bool {
    match client.post(path, body.as_bytes()) {
        Ok(answer) if answer.status == 200 => {
            if let Some(items) = answer.json()["items"].as_array() {
                for (item, id) in items.iter().zip(&ids) {
                    assert_eq!(item["messageId"], json!(id));
                    let status = item["status"].as_str().unwrap_or_default();
                    assert!(matches!(status, "accepted" | "duplicate"), "{item}");
                    ledger.repeats.fetch_add(usize::from(status == "duplicate"), Ordering::Relaxed);
                }
            }
            lock(&ledger.acknowledged).extend(ids);
            true
        }
        // A server that stops refuses politely; such a body is sent again later.
        Ok(answer) => {
            assert_eq!(answer.status, 503, "{:?}", answer.json());
            assert!(answer.header("retry-after").is_some());
            lock(&ledger.unanswered).push((body, ids));
            false
        }
        Err(_) => {
            lock(&ledger.unanswered).push((body, ids));
            false
        }
    }
}

/// Clients that send until they are told to stop or the server is gone.
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(server: &Server, shop: &Shop, ledger: &Arc<Ledger>, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..CLIENTS).map(|number| {
            let mut client = server.tracking(shop);
            let (stop, ledger, mut rng) = (stop.clone(), ledger.clone(), Rng::new(seed * 31 + number as u64));
            std::thread::spawn(move || {
                for _ in 0..REQUESTS {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let again = lock(&ledger.unanswered).pop();
                    let goes_on = match again {
                        Some((body, ids)) => send(&mut client, &ledger, "/v1/batch?strict=1", as_batch(body), ids),
                        None => {
                            let (path, body, ids) = body(&mut rng, &ledger);
                            send(&mut client, &ledger, path, body, ids)
                        }
                    };
                    if !goes_on {
                        return;
                    }
                }
            })
        });
        Self { threads: threads.collect(), stop }
    }

    fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a client found something wrong");
        }
    }
}

/// A single message as a batch of one, so that all retries take one road.
fn as_batch(body: String) -> String {
    if body.starts_with("{\"batch\"") { body } else { format!("{{\"batch\":[{body}]}}") }
}

/// Lets time pass: the moment of a kill is what is random here, so there is no condition to wait for.
fn wait_ms(ms: u64) {
    let until = Instant::now() + Duration::from_millis(ms);
    while let Some(rest) = until.checked_duration_since(Instant::now()) {
        std::thread::sleep(rest.min(Duration::from_millis(5)));
    }
}

/// Segments that change with time and with people, and a rule that writes to those who enter.
fn furnish(server: &Server, shop: &Shop) {
    let mut admin = server.admin(shop);
    let mut made = |path: &str, body: Value| {
        let answer = admin.post_json(path, &body).expect("the server answers");
        assert_eq!(answer.status, 201, "{path}: {:?}", answer.json());
        answer.json()["id"].clone()
    };
    let buyers = made(
        "/api/v1/segments",
        json!({"name": "Buyers", "expression": r#"count("Order Completed" in last 1 minutes) >= 2"#}),
    );
    made(
        "/api/v1/segments",
        json!({"name": "In Lviv", "expression": r#"trait.city = "Lviv" and not count("Order Completed") >= 5"#}),
    );
    made(
        "/api/v1/segments",
        json!({"name": "Willing", "expression": r#"consent.email.marketing = "granted" and exists identifier.user_id"#}),
    );
    let template = json!({"name": "Thanks", "channel": "email", "subject": "Дякуємо", "body_html": "<p>Дякуємо</p>", "body_text": ""});
    let template = made("/api/v1/templates", template);
    let rule = json!({"segment_id": buyers, "template_id": template, "channel": "email", "purpose": "marketing", "once": true});
    made("/api/v1/message-rules", rule);
}

/// One life of the server, ended by a kill.
fn round(shop: &Shop, ledger: &Arc<Ledger>, rng: &mut Rng, number: usize) {
    let moment = MOMENTS[number % MOMENTS.len()];
    let mut server = shop.begin(&[]);
    if moment == Moment::WhileStarting {
        wait_ms(rng.below(90));
        return server.child.kill();
    }
    server.wait_ready();
    let load = Load::start(&server, shop, ledger, number as u64 + 1);
    match moment {
        Moment::WhileStarting | Moment::JustReady => {}
        Moment::UnderLoad => wait_ms(100 + rng.below(600)),
        Moment::WhileIdle => {
            wait_ms(100 + rng.below(200));
            load.stop.store(true, Ordering::Relaxed);
            wait_ms(rng.below(120));
        }
        Moment::WhileFilling => {
            wait_ms(100 + rng.below(100));
            let expression = format!("count(\"Product Viewed\" in last {} days) >= 2", 1 + number);
            let segment = json!({"name": format!("Views {number}"), "expression": expression});
            let answer = server.admin(shop).post_json("/api/v1/segments", &segment).expect("the server answers");
            assert_eq!(answer.status, 201, "{:?}", answer.json());
            wait_ms(rng.below(60));
        }
        Moment::WhileStopping => {
            wait_ms(100 + rng.below(200));
            server.child.signal(libc::SIGTERM);
            wait_ms(rng.below(60));
        }
    }
    server.child.kill();
    load.finish();
}

/// The store as the kill left it, without a server.
fn check(shop: &Shop, ledger: &Ledger, when: &str) {
    let acknowledged = lock(&ledger.acknowledged).clone();
    let events = shop.assert_clean(when);
    assert!(events >= acknowledged.len() as i64, "{when}: {events} events, {} acknowledged", acknowledged.len());
    let exported = shop.exported();
    let twice: Vec<_> = exported.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{when}: stored more than once: {twice:?}");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !exported.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{when}: acknowledged and lost: {lost:?}");
}

fn kill_and_check(shop: Shop) {
    let kills: usize = std::env::var("BRAID_KILLS").ok().map_or(50, |n| n.parse().expect("BRAID_KILLS is a number"));
    let seed = std::env::var("BRAID_SEED").ok().map_or(1, |s| s.parse().expect("BRAID_SEED is a number"));
    let (ledger, mut rng, started) = (Arc::new(Ledger::default()), Rng::new(seed), Instant::now());
    let server = shop.serve();
    furnish(&server, &shop);
    server.stop();
    for number in 0..kills {
        round(&shop, &ledger, &mut rng, number);
        if number % CHECK_EVERY == CHECK_EVERY - 1 {
            check(&shop, &ledger, &format!("after kill {}", number + 1));
        }
    }
    // Whoever got no answer asks again, as a client would; then both sides know the same.
    let server = shop.serve();
    let mut client = server.tracking(&shop);
    for (body, ids) in std::mem::take(&mut *lock(&ledger.unanswered)) {
        assert!(send(&mut client, &ledger, "/v1/batch?strict=1", as_batch(body), ids));
    }
    check(&shop, &ledger, "beside the last server");
    server.stop();
    check(&shop, &ledger, "after the last stop");
    let acknowledged = lock(&ledger.acknowledged).len();
    assert_eq!(shop.assert_clean("at the end"), acknowledged as i64, "just what was acknowledged is counted");
    assert!(ledger.repeats.load(Ordering::Relaxed) > 0, "no repeat was told");
    eprintln!("{kills} kills, {acknowledged} events acknowledged, {:.0} s", started.elapsed().as_secs_f64());
}

#[test]
fn kills_lose_nothing_on_sqlite() {
    kill_and_check(Shop::sqlite());
}

#[test]
fn kills_lose_nothing_on_postgres() {
    // The durable cluster where there is one: a kill of Braid alone loses nothing on either, but the timing is the real one.
    let variable = if std::env::var("BRAID_TEST_POSTGRES_DURABLE").is_ok() {
        "BRAID_TEST_POSTGRES_DURABLE"
    } else {
        "BRAID_TEST_POSTGRES"
    };
    if let Some(database) = Database::make(variable) {
        kill_and_check(Shop::make(Some(database)));
    }
}
