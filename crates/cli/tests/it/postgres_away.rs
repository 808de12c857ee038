//! PostgreSQL restarts, crashes and stays away under a real server with load: senders are told, nothing that was acknowledged
//! is lost or counted twice, and the server goes on by itself.
use crate::braid::{Database, Server, Shop, until};
use db::testing::cluster::{Cluster, End};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn body(sender: usize, number: usize) -> (Value, Vec<String>) {
    let ids: Vec<String> = (0..10).map(|at| format!("s{sender}-{number}-{at}")).collect();
    let item = |id: &String| json!({"type": "track", "messageId": id, "userId": format!("u{}", id.len() * 7 % 13 + sender), "event": "Product Viewed"});
    (json!({"batch": ids.iter().map(item).collect::<Vec<_>>()}), ids)
}

/// Senders that repeat what was refused or got no answer, as the SDKs do.
struct Load {
    stop: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    taken: Arc<Mutex<HashSet<String>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(server: &Server, shop: &Shop) -> Self {
        let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let taken = Arc::new(Mutex::new(HashSet::new()));
        let threads = (0..4).map(|sender| {
            let mut client = server.tracking(shop);
            let (stop, refused, taken) = (stop.clone(), refused.clone(), taken.clone());
            std::thread::spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::SeqCst) {
                    let (body, ids) = body(sender, number);
                    let answer = client.post_json("/v1/batch", &body).expect("the server itself is there all the time");
                    if answer.status == 200 {
                        taken.lock().expect("no panic").extend(ids);
                        number += 1;
                        continue;
                    }
                    let told = answer.json();
                    assert_eq!(answer.status, 503, "{told}");
                    assert!(matches!(answer.code().as_str(), "database_away" | "busy"), "{told}");
                    assert!(answer.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s > 0)));
                    refused.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(50));
                }
            })
        });
        Self { threads: threads.collect(), stop, refused, taken }
    }
    fn goes_on(&self) {
        let count = || self.taken.lock().expect("no panic").len();
        let before = count();
        until("events are taken", || count() > before + 200);
    }
    fn finish(self) -> HashSet<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().for_each(|t| t.join().expect("a sender found something wrong"));
        Arc::try_unwrap(self.taken).expect("all ended").into_inner().expect("no panic")
    }
}

fn assert_all_there(shop: &Shop, taken: &HashSet<String>, when: &str) {
    let events = shop.assert_clean(when);
    let exported = shop.exported();
    let wrong: Vec<_> = taken.iter().filter(|id| exported.get(*id) != Some(&1)).collect();
    assert!(wrong.is_empty(), "{when}: lost or doubled: {wrong:?}");
    assert!(exported.values().all(|times| *times == 1) && events == exported.len() as i64, "{when}");
}

#[test]
fn a_restart_of_postgres_under_load_is_told_and_loses_nothing() {
    let Some(mut cluster) = Cluster::start(&[], |_| {}) else { return };
    let shop = Shop::make(Some(Database::own(cluster.url())));
    let mut server = shop.serve();
    let made = server.admin(&shop).post_json(
        "/api/v1/segments",
        &json!({"name": "Views", "expression": r#"count("Product Viewed" in last 1 minutes) >= 5"#}),
    );
    assert_eq!(made.expect("an answer").status, 201);
    let load = Load::start(&server, &shop);
    load.goes_on();
    // A restart as an upgrade does it.
    cluster.end(End::Fast);
    cluster.run();
    load.goes_on();
    // A crash, and it stays away for longer than anybody waits.
    cluster.end(End::Immediate);
    let before = load.refused.load(Ordering::SeqCst);
    until("senders are told", || load.refused.load(Ordering::SeqCst) > before + 20);
    let mut admin = server.admin(&shop);
    for path in ["/api/v1/home", "/api/v1/segments", "/readyz"] {
        let answer = admin.get(path).expect("an answer");
        assert_eq!((answer.status, answer.code().as_str()), (503, "database_away"), "{path}: {}", answer.json());
        assert!(answer.header("retry-after").is_some(), "{path}");
    }
    assert_eq!(admin.get("/healthz").expect("an answer").status, 200);
    cluster.run();
    load.goes_on();
    until("staff is served again", || admin.get("/api/v1/segments").expect("an answer").status == 200);
    let taken = load.finish();
    assert!(server.child.is_running() && !server.said().contains("panicked"), "{}", server.said());
    assert_all_there(&shop, &taken, "beside the server");
    // The log tells of an absence once, not for each request.
    let lines = server.said().lines().filter(|l| l.contains("the database is away")).count();
    assert!((1..=6).contains(&lines), "{lines}: {}", server.said());
    server.stop();
    assert_all_there(&shop, &taken, "after the stop");
}
