//! The feed of air-raid alerts, from its answers to what a shop and its customers see.
use super::harness::{Shop, shops};
use super::orders::{begin, bought, filled, get, owner, receive, site};
use crate::alerts::Feeder;
use connect::fake::{FakeAlerts, FeedTrick, Shown};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn listens(shop: &Shop, feed: &FakeAlerts) {
    let mut settings = get(shop, "order-settings");
    // The loop of the server asks once; the rest of the test asks by itself.
    settings["alerts"] = json!({"feed": "alerts_in_ua", "address": feed.in_ua(), "every_seconds": 600});
    settings["places"] = json!({"lviv-1": {"territories": ["90", "27"]}});
    owner(shop, "PUT", "order-settings", &settings);
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn alert(uid: &str) -> Shown {
    let since = base::Clock::now(&base::SystemClock).to_string();
    Shown { uid: uid.into(), kind: "air_raid", since, levels: vec!["Red"] }
}

fn promise(shop: &Shop) -> Value {
    site(shop, "GET", "promises?sku=shoe-42&location_id=lviv-1", None).json()["items"][0].clone()
}

#[test]
fn an_alert_reaches_promises_the_queue_and_the_customer() {
    // [V7]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 5);
        let feed = FakeAlerts::start();
        assert_eq!(get(&shop, "alerts")["state"], "off");
        let early = shop.owner("PUT", "/api/v1/alerts/key").json(&json!({"key": feed.key()})).send();
        assert_eq!(early.status, 409, "no address yet: {}", early.text);
        listens(&shop, &feed);
        assert_eq!(get(&shop, "alerts")["state"], "no_key");
        owner(&shop, "PUT", "alerts/key", &json!({"key": feed.key()}));
        until("the first answer", || get(&shop, "alerts")["state"] == "alive");
        assert!(!get(&shop, "order-settings").to_string().contains(feed.key()), "a key is no setting");
        assert!(!get(&shop, "audit?limit=50").to_string().contains(feed.key()), "nor does the audit know it");
        let calm = promise(&shop);
        let cart = filled(&shop, &[("shoe-42", 1)]);
        bought(&shop, "PUT", &format!("carts/{cart}/delivery"), &json!({"kind": "pickup", "location_id": "lviv-1"}));
        let order = bought(&shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
        let id = order["order_id"].as_str().expect("an id").to_string();
        let asks = |feeder: &mut Feeder, step: i64| {
            let app = shop.app().clone();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(feeder.step(&app, step * 10_000_000)).expect("it is taken over").as_secs()
        };
        let mut feeder = Feeder::patient(Duration::from_millis(300));
        feed.show([alert("27"), alert("14")]);
        assert_eq!(asks(&mut feeder, 1), 600);
        let shown = get(&shop, "alerts");
        let ours = shown["items"].as_array().into_iter().flatten().find(|a| a["territory"] == "27").cloned();
        assert_eq!(ours.expect("it is there")["locations"], json!(["lviv-1"]));
        let why = promise(&shop);
        assert!(
            why["why"].to_string().contains("air-raid alert") && why["ready_at"].as_str() > calm["ready_at"].as_str()
        );
        until("the shop stands still", || get(&shop, "alerts")["paused"][0]["location_id"] == "lviv-1");
        let delayed = || {
            let seen = site(&shop, "GET", &format!("orders/{id}"), None).json();
            seen["promised"]["earliest"].as_str() > order["promised"]["earliest"].as_str()
        };
        until("the promise moved", delayed);
        let queue = get(&shop, "pick-queue?location_id=lviv-1");
        let item = &queue["items"][0];
        assert_eq!((&item["paused"]["kind"], &item["minutes"]), (&json!("alert"), &json!(0)), "{queue}");
        let history = get(&shop, &format!("orders/{id}"))["history"].to_string();
        assert_eq!(history.matches("promise moved").count(), 1, "{history}");
        // It fails in every way, and nothing stops.
        for (at, (trick, word)) in [
            (FeedTrick::Status(500), "500"),
            (FeedTrick::SlowDown(900), "again in"),
            (FeedTrick::Hang, "did not answer"),
            (FeedTrick::Garbage, "cannot be read"),
        ]
        .into_iter()
        .enumerate()
        {
            feed.next_minute();
            feed.then([trick.clone()]);
            let wait = asks(&mut feeder, 100 * (at as i64 + 2));
            let shown = get(&shop, "alerts");
            assert!(shown["error"].as_str().is_some_and(|e| e.contains(word)), "{trick:?}: {shown}");
            assert_eq!(
                (&shown["failures"], &shown["state"]),
                (&json!(at + 1), &json!("alive")),
                "its last word is young"
            );
            assert!(wait >= 600 && (trick != FeedTrick::SlowDown(900) || wait >= 900), "{trick:?}: {wait}");
        }
        assert_eq!(
            shop.owner("POST", &format!("/api/v1/orders/{id}/fulfilments/1/steps"))
                .json(&json!({"do": "accept"}))
                .send()
                .status,
            200
        );
        feed.next_minute();
        feed.show([]);
        asks(&mut feeder, 2_000);
        let shown = get(&shop, "alerts");
        assert_eq!((&shown["failures"], &shown["error"]), (&json!(0), &Value::Null));
        assert!(shown["items"].as_array().is_some_and(|items| items.iter().all(|a| a["goes_on"] == false)), "{shown}");
        shop.assert_clean();
    }
}

#[test]
fn what_the_feed_said_is_known_after_a_restart_and_its_key_after_a_rotation() {
    for mut shop in shops() {
        begin(&shop);
        let feed = FakeAlerts::start();
        feed.show([alert("27")]);
        listens(&shop, &feed);
        owner(&shop, "PUT", "alerts/key", &json!({"key": feed.key()}));
        until("the first answer", || get(&shop, "alerts")["items"][0]["goes_on"] == true);
        let mut vault = crate::vault::Vault::open(&shop.place.folder).expect("opens");
        vault.add_key().expect("adds");
        let sealed = shop.app().domain.store().write(move |tx| crate::alerts::reseal(tx.engine(), &vault));
        assert_eq!(sealed.expect("runs").expect("opens"), 1);
        let mut vault = crate::vault::Vault::open(&shop.place.folder).expect("opens");
        vault.drop_old_keys().expect("drops");
        feed.then([FeedTrick::Status(500), FeedTrick::Status(500)]);
        shop.restart();
        let shown = get(&shop, "alerts");
        assert_eq!((&shown["items"][0]["goes_on"], &shown["has_key"]), (&json!(true), &json!(true)), "{shown}");
        // Another address asks for the key again: it is not sent there.
        let mut settings = get(&shop, "order-settings");
        settings["alerts"]["address"] = json!(feed.in_ua().replace("127.0.0.1", "localhost"));
        owner(&shop, "PUT", "order-settings", &settings);
        assert_eq!(get(&shop, "alerts")["state"], "no_key");
    }
}
