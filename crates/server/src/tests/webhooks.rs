//! Webhooks out: from what happens to a receiver that checks signatures and fails on demand. [LESSONS 29, 35]
use super::harness::Shop;
use crate::webhooks::queue::{Put, put};
use crate::webhooks::{gather, settle};
use connect::fake::{FakeReceiver, Received, Reply};
use db::testing::Place;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

fn open(place: Place) -> Shop {
    Shop::open(place, &[("webhooks", "reach", "loopback")])
}

/// Makes an endpoint; gives its id and secret.
fn endpoint(shop: &Shop, url: &str, types: &[&str], more: Value) -> (String, String) {
    let mut body = json!({"name": "Receiver", "url": url, "types": types});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let answer = shop.owner("POST", "/api/v1/webhooks").json(&body).send();
    assert_eq!(answer.status, 201, "{}", answer.text);
    let made = answer.json();
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_string();
    (text("id"), text("secret"))
}

fn buy(shop: &Shop, user: &str, id: &str) {
    let order = json!({"userId": user, "event": "Order Completed", "messageId": id, "properties": {"total": 5, "currency": "GBP"}});
    assert_eq!(shop.track("/v1/track", &order).status, 200);
}

fn post(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("POST", path).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {}", answer.text);
    answer.json()
}

fn get(shop: &Shop, path: &str) -> Value {
    shop.owner("GET", path).send().json()
}

fn wait_for(shop: &Shop, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + SOON;
    loop {
        let found = get(shop, path);
        if wanted(&found) {
            return found;
        }
        assert!(Instant::now() < until, "{path}: {found:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn bodies(received: &[Received]) -> Vec<Value> {
    received.iter().map(|r| serde_json::from_str(&r.body).expect("JSON")).collect()
}

fn of_type<'a>(bodies: &'a [Value], kind: &str) -> Vec<&'a Value> {
    bodies.iter().filter(|b| b["type"] == kind).collect()
}

fn sql(shop: &Shop, text: &'static str) -> u64 {
    let app = shop.app().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(app.write(move |tx| Ok(tx.execute(text, &[])?))).expect("runs")
}

fn number(shop: &Shop, text: &'static str) -> i64 {
    let app = shop.app().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    let asked = app.query(move |db| Ok(db.first(text, &[])?.map_or(Ok(0), |r| r.int(0))?));
    runtime.block_on(asked).expect("can be asked")
}

#[test]
fn what_happens_is_told_once_signed_and_only_to_whom_it_concerns() {
    for place in Place::all() {
        let (shop, all, few) = (open(place), FakeReceiver::start(), FakeReceiver::start());
        buy(&shop, "early", "before");
        let segment = post(
            &shop,
            "/api/v1/segments",
            &json!({"name": "Buyers", "expression": "count(\"Order Completed\") >= 2"}),
        );
        // Whom the first filling finds is told to nobody, so that one must be over.
        let filled = format!("/api/v1/segments/{}", segment["id"].as_str().unwrap_or_default());
        wait_for(&shop, &filled, |s| s["state"] == "live");
        let types = [
            "event.tracked",
            "person.merged",
            "person.split",
            "person.erased",
            "segment.entered",
            "segment.left",
            "consent.changed",
            "message.sent",
            "import.finished",
        ];
        let (_, secret) = endpoint(&shop, &all.url("/hooks"), &types, json!({}));
        let (_, other) = endpoint(
            &shop,
            &few.url("/few"),
            &["event.tracked", "segment.entered"],
            json!({"event_names": ["Product Viewed"], "segment_ids": [segment["id"]]}),
        );
        assert!(secret.starts_with("whsec_") && secret != other);
        buy(&shop, "ann", "a1");
        buy(&shop, "ann", "a2");
        let viewed =
            json!({"userId": "ann", "event": "Product Viewed", "messageId": "v1", "properties": {"sku": "shoe-42"}});
        assert_eq!(shop.track("/v1/track", &viewed).status, 200);
        let few_bodies = bodies(&few.wait_for(2, SOON));
        assert_eq!(of_type(&few_bodies, "event.tracked")[0]["data"]["event"], "Product Viewed");
        assert_eq!(of_type(&few_bodies, "segment.entered")[0]["data"]["segment"], "Buyers");
        // Two people turn out to be one.
        for (user, anonymous) in [("ann", "x"), ("bob", "y")] {
            let body = json!({"userId": user, "anonymousId": anonymous, "messageId": format!("i-{user}")});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
        }
        let alias = json!({"userId": "ann", "previousId": "bob", "messageId": "alias"});
        assert_eq!(shop.track("/v1/alias", &alias).status, 200);
        let consent = json!({"channel": "email", "address": "ann@example.com", "purpose": "marketing", "state": "granted", "wording": "yes"});
        post(&shop, "/api/v1/consents", &consent);
        // Three events, one entry, one merge, one consent.
        let received = all.wait_for(6, SOON);
        assert!(received.iter().all(|r| r.is_signed_with(&secret)), "by the specification");
        assert!(!received[0].is_signed_with(&other));
        let told = bodies(&received);
        let events = of_type(&told, "event.tracked");
        let ids: Vec<&str> = events.iter().filter_map(|e| e["data"]["message_id"].as_str()).collect();
        assert!(ids.len() == 3 && !ids.contains(&"before"), "the past is not told: {ids:?}");
        // Nobody promises an order: several attempts are under way at once.
        let first = events.iter().find(|e| e["data"]["message_id"] == "a1").expect("is among them");
        assert_eq!(first["data"]["properties"]["total"], 5);
        let merged = of_type(&told, "person.merged");
        assert_eq!(merged.len(), 1, "[A2] what was joined is told outward: {told:#?}");
        assert_eq!(merged[0]["data"]["before"].as_array().map(Vec::len), Some(2));
        assert_eq!(of_type(&told, "consent.changed")[0]["data"]["address"], "ann@example.com");
        let ann = get(&shop, "/api/v1/customers/lookup?user_id=ann")["person_id"].clone();
        assert_eq!(of_type(&told, "segment.entered")[0]["data"]["person_id"], ann);
        // Erased here, erased there.
        let path = format!("/api/v1/customers/{}/erasure", ann.as_str().unwrap_or_default());
        post(&shop, &path, &json!({"reason": "asked for it"}));
        let told = bodies(&all.wait_for(7, SOON));
        let erased = of_type(&told, "person.erased");
        assert_eq!((erased.len(), &erased[0]["data"]["person_id"]), (1, &ann));
        let jobs = FakeReceiver::start();
        endpoint(&shop, &jobs.url("/jobs"), &["job.finished"], json!({}));
        post(&shop, "/api/v1/segments", &json!({"name": "Others", "expression": "count(\"A\") >= 1"}));
        let job = &bodies(&jobs.wait_for(1, SOON))[0]["data"];
        assert_eq!((&job["kind"], &job["state"]), (&json!("segment_fill"), &json!("done")));
        let unique: std::collections::HashSet<_> = all.received().iter().map(|r| r.id.clone()).collect();
        assert_eq!(unique.len(), all.received().len(), "each once");
        wait_for(&shop, "/api/v1/jobs?state=done", |j| {
            j["items"].as_array().is_some_and(|i| i.iter().any(|j| j["kind"] == "erase"))
        });
        shop.assert_clean();
    }
}

#[test]
fn failures_are_tried_again_and_dead_letters_by_hand() {
    for place in Place::all() {
        let (shop, fake) = (open(place), FakeReceiver::start());
        fake.then([Reply::Words(500, "out of order"), Reply::Redirect(fake.url("/trap"))]);
        let (id, secret) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
        buy(&shop, "ann", "a1");
        let list = format!("/api/v1/webhooks/{id}/deliveries");
        let failed = wait_for(&shop, &list, |l| l["items"][0]["state"] == "failed");
        let delivery = failed["items"][0]["id"].as_str().unwrap_or_default().to_string();
        assert_eq!(failed["items"][0]["last_status"], 500);
        let path = format!("/api/v1/webhook-deliveries/{delivery}");
        let details = get(&shop, &path);
        assert_eq!(details["attempt_log"][0]["answer"], "out of order");
        assert_eq!(details["payload"]["data"]["message_id"], "a1");
        // By the schedule five seconds later; nobody waits for that here.
        post(&shop, &format!("{path}/replay"), &json!({}));
        fake.wait_for(2, SOON);
        wait_for(&shop, &path, |d| d["state"] == "failed" && d["last_status"] == 302);
        assert!(fake.received().iter().all(|r| r.path == "/hooks"), "no redirect is followed");
        // Ten attempts of a round, then it is dead, and a person may begin another round.
        fake.then([Reply::Status(404)]);
        assert_eq!(sql(&shop, "UPDATE webhook_deliveries SET tries = 9, attempts = 9, next_at = 1"), 1);
        shop.app().webhooks.wake();
        let dead = wait_for(&shop, &path, |d| d["state"] == "dead");
        assert_eq!((&dead["last_status"], &dead["attempts"]), (&json!(404), &json!(10)));
        let since = dead["created_at"].clone();
        let replayed = post(&shop, &format!("/api/v1/webhooks/{id}/replay"), &json!({"since": since}));
        assert_eq!(replayed["deliveries"], 1);
        let arrived = wait_for(&shop, &path, |d| d["state"] == "delivered");
        assert_eq!(arrived["attempt_log"].as_array().map(Vec::len), Some(4));
        let ids: std::collections::HashSet<_> = fake.received().into_iter().map(|r| r.id).collect();
        assert_eq!(ids.len(), 1, "the same webhook-id every time");
        assert_eq!(Some(&*fake.received()[0].id), arrived["message_id"].as_str());
        assert!(fake.received().iter().all(|r| r.is_signed_with(&secret)), "each attempt with its own time");
        assert_eq!(get(&shop, &format!("/api/v1/webhooks/{id}"))["failures"], 0, "one arrival and it is well again");
        shop.assert_clean();
    }
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let (shop, fake) = (open(Place::sqlite()), FakeReceiver::start());
    fake.then([Reply::SlowDown("3600".into())]);
    let (id, _) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
    buy(&shop, "ann", "a1");
    let list = format!("/api/v1/webhooks/{id}/deliveries");
    wait_for(&shop, &list, |l| l["items"][0]["state"] == "failed");
    buy(&shop, "ann", "a2");
    wait_for(&shop, &list, |l| l["items"].as_array().is_some_and(|i| i.len() == 2));
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(fake.received().len(), 1, "neither the first again nor the second");
    let waits = number(&shop, "SELECT MIN(blocked_until - last_at) / 1000000 FROM webhook_endpoints");
    assert!((3600..=4320).contains(&waits), "{waits}");
    let next = number(&shop, "SELECT MAX(next_at - created_at) / 1000000 FROM webhook_deliveries");
    assert!((3600..=4325).contains(&next), "{next}");
    assert!(get(&shop, &format!("/api/v1/webhooks/{id}"))["blocked_until"].is_string());
    shop.assert_clean();
}

#[test]
fn who_is_gone_is_disabled_and_told_no_more() {
    let (shop, fake) = (open(Place::sqlite()), FakeReceiver::start());
    fake.then([Reply::Status(410)]);
    let (id, _) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
    buy(&shop, "ann", "a1");
    let path = format!("/api/v1/webhooks/{id}");
    let gone = wait_for(&shop, &path, |e| e["state"] == "disabled");
    assert_eq!(gone["reason"], "gone");
    // Home says so to whoever may look at webhooks, and to nobody else.
    let told = |home: Value| -> Option<Value> {
        home["attention"].as_array().expect("a list").iter().find(|a| a["kind"] == "webhook_disabled").cloned()
    };
    let seen = told(shop.owner("GET", "/api/v1/home").send().json()).expect("an owner is told");
    assert_eq!((&seen["count"], &seen["link"]), (&json!(1), &json!(path.trim_start_matches("/api/v1"))), "{seen}");
    let body = json!({"name": "agent", "role": "agent"});
    let key = shop.owner("POST", "/api/v1/api-keys").json(&body).send().json();
    let agent = format!("Bearer {}", key["key"].as_str().expect("a key"));
    assert_eq!(told(shop.ask("GET", "/api/v1/home").header("authorization", &agent).send().json()), None);
    let audit = get(&shop, "/api/v1/audit");
    let line = audit["items"].as_array().into_iter().flatten().find(|l| l["action"] == "disable").expect("a line");
    assert_eq!((&line["actor"], &line["subject_kind"]), (&json!("braid"), &json!("webhook")));
    buy(&shop, "ann", "a2");
    let refused = shop.owner("POST", &format!("{path}/test")).json(&json!({})).send();
    assert_eq!(refused.code(), (409, "conflict".into()));
    post(&shop, &format!("{path}/state"), &json!({"state": "active"}));
    buy(&shop, "ann", "a3");
    let told = bodies(&fake.wait_for(2, SOON));
    assert_eq!(told[1]["data"]["message_id"], "a3", "what happened meanwhile is not told");
    shop.assert_clean();
}

#[test]
fn five_days_of_failures_disable() {
    let (shop, fake) = (open(Place::sqlite()), FakeReceiver::start());
    fake.always(Reply::Status(500));
    let (id, _) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
    buy(&shop, "ann", "a1");
    let path = format!("/api/v1/webhooks/{id}");
    wait_for(&shop, &path, |e| e["failures"] == 1 && e["state"] == "active");
    assert_eq!(
        sql(&shop, "UPDATE webhook_endpoints SET failures = 40, failing_since = failing_since - 432000000000"),
        1
    );
    assert_eq!(sql(&shop, "UPDATE webhook_deliveries SET next_at = 1"), 1);
    shop.app().webhooks.wake();
    let disabled = wait_for(&shop, &path, |e| e["state"] == "disabled");
    assert_eq!(disabled["reason"], "failing");
    assert!(!shop.app().webhooks.wanted(), "nobody listens, nothing runs");
    shop.assert_clean();
}

#[test]
fn an_answer_lost_by_a_crash_means_the_same_message_once_more() {
    for place in Place::all() {
        let (mut shop, fake) = (open(place), FakeReceiver::start());
        // The receiver has it, and its answer never comes: the end of the program falls between sending and settling.
        fake.then([Reply::Hang]);
        let (id, secret) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
        buy(&shop, "ann", "a1");
        fake.wait_for(1, SOON);
        shop.restart();
        let received = fake.wait_for(2, SOON);
        assert_eq!((&received[0].id, &received[0].body), (&received[1].id, &received[1].body));
        assert!(received[1].is_signed_with(&secret));
        let list = format!("/api/v1/webhooks/{id}/deliveries");
        let list = wait_for(&shop, &list, |l| l["items"][0]["state"] == "delivered");
        assert_eq!((list["items"].as_array().map(Vec::len), &list["items"][0]["attempts"]), (Some(1), &json!(2)));
        shop.assert_clean();
    }
}

#[test]
fn one_that_hangs_slows_nobody() {
    let (shop, slow, quick) = (open(Place::sqlite()), FakeReceiver::start(), FakeReceiver::start());
    slow.always(Reply::Hang);
    endpoint(&shop, &slow.url("/"), &["event.tracked"], json!({}));
    endpoint(&shop, &quick.url("/"), &["event.tracked"], json!({}));
    let began = Instant::now();
    for n in 0..30 {
        buy(&shop, "ann", &format!("a{n}"));
    }
    quick.wait_for(30, SOON);
    assert!(began.elapsed() < Duration::from_secs(15), "a hanging receiver holds its own places for 20 s each");
    assert!(slow.most_at_once() <= crate::webhooks::AT_ONCE, "{}", slow.most_at_once());
}

#[test]
fn a_new_secret_and_the_old_one_sign_together_for_a_while() {
    let (shop, fake) = (open(Place::sqlite()), FakeReceiver::start());
    let (id, old) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
    let path = format!("/api/v1/webhooks/{id}");
    let fresh = post(&shop, &format!("{path}/rotate"), &json!({"grace_hours": 1}));
    let new = fresh["secret"].as_str().unwrap_or_default().to_string();
    post(&shop, &format!("{path}/test"), &json!({}));
    let received = fake.wait_for(1, SOON);
    assert_eq!(bodies(&received)[0]["type"], "webhook.test");
    assert!(received[0].is_signed_with(&old) && received[0].is_signed_with(&new) && old != new);
    let leaked = post(&shop, &format!("{path}/rotate"), &json!({"grace_hours": 0}));
    post(&shop, &format!("{path}/test"), &json!({}));
    let received = fake.wait_for(2, SOON);
    assert!(received[1].is_signed_with(leaked["secret"].as_str().unwrap_or_default()));
    assert!(!received[1].is_signed_with(&new), "at once");
    for shown in [get(&shop, &path), get(&shop, "/api/v1/webhooks"), get(&shop, "/api/v1/audit")] {
        assert!(!shown.to_string().contains("whsec_"), "a secret is shown once: {shown}");
    }
}

#[test]
fn what_is_paused_waits_and_who_is_erased_is_taken_back() {
    for place in Place::all() {
        let (shop, fake) = (open(place), FakeReceiver::start());
        let (id, _) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked", "consent.changed"], json!({}));
        let path = format!("/api/v1/webhooks/{id}");
        post(&shop, &format!("{path}/state"), &json!({"state": "paused"}));
        for user in ["ann", "bob"] {
            let traits = json!({"userId": user, "messageId": user, "traits": {"email": format!("{user}@example.com")}});
            assert_eq!(shop.track("/v1/identify", &traits).status, 200);
            buy(&shop, user, &format!("{user}-order"));
        }
        let consent = json!({"channel": "email", "address": "ann@example.com", "purpose": "marketing", "state": "granted", "wording": "yes"});
        post(&shop, "/api/v1/consents", &consent);
        let list = format!("{path}/deliveries");
        let waits = wait_for(&shop, &list, |l| l["items"].as_array().is_some_and(|i| i.len() == 3));
        assert!(waits["items"].as_array().into_iter().flatten().all(|d| d["state"] == "pending"));
        let ann = get(&shop, "/api/v1/customers/lookup?user_id=ann")["person_id"].clone();
        let erasure = format!("/api/v1/customers/{}/erasure", ann.as_str().unwrap_or_default());
        post(&shop, &erasure, &json!({"reason": "asked for it"}));
        wait_for(&shop, &list, |l| {
            let of = |state: &str| l["items"].as_array().into_iter().flatten().filter(|d| d["state"] == state).count();
            (of("pending"), of("dead")) == (1, 2)
        });
        let left = number(&shop, "SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_messages WHERE body <> ''");
        assert_eq!(left, 1, "nothing of hers is left");
        post(&shop, &format!("{path}/state"), &json!({"state": "active"}));
        let told = bodies(&fake.wait_for(1, SOON));
        assert_eq!(told[0]["data"]["message_id"], "bob-order");
        let dead = get(&shop, &format!("{list}?state=dead"))["items"][0]["id"].clone();
        let replay = format!("/api/v1/webhook-deliveries/{}/replay", dead.as_str().unwrap_or_default());
        assert_eq!(shop.owner("POST", &replay).json(&json!({})).send().code(), (409, "conflict".into()));
        wait_for(&shop, "/api/v1/jobs?state=done", |j| {
            j["items"].as_array().is_some_and(|i| i.iter().any(|j| j["kind"] == "erase"))
        });
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(fake.received().len(), 1);
        shop.assert_clean();
    }
}

#[test]
fn without_an_endpoint_nothing_is_read_or_written() {
    let shop = open(Place::sqlite());
    for n in 0..5 {
        buy(&shop, "ann", &format!("a{n}"));
    }
    std::thread::sleep(Duration::from_millis(700));
    assert!(!shop.app().webhooks.wanted());
    assert_eq!(number(&shop, "SELECT CAST(COUNT(*) AS BIGINT) FROM subscriptions"), 0);
    assert_eq!(number(&shop, "SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_messages"), 0);
}

#[test]
fn what_cannot_be_an_endpoint_is_refused_with_its_place() {
    let shop = Shop::new();
    let said = |body: Value| {
        let answer = shop.owner("POST", "/api/v1/webhooks").json(&body).send();
        (answer.status, answer.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_string())
    };
    let good = json!({"name": "R", "url": "https://example.com/hooks", "types": ["event.tracked"]});
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/",
        "https://a:b@example.com/",
        "x",
    ] {
        assert_eq!(said(with("url", json!(url))), (422, "/url".into()), "{url}");
    }
    assert_eq!(said(with("types", json!([]))), (422, "/types".into()));
    assert_eq!(said(with("types", json!(["event.tracked", "nothing"]))), (422, "/types/1".into()));
    assert_eq!(said(with("segment_ids", json!(["99"]))), (422, "/segment_ids".into()));
    assert_eq!(said(with("event_names", json!([""]))), (422, "/event_names/0".into()));
    assert_eq!(said(with("name", json!(" "))), (422, "/name".into()));
    assert_eq!(said(good).0, 201);
    assert_eq!(get(&shop, "/api/v1/webhooks/999")["code"], "not_found");
    assert_eq!(get(&shop, "/api/v1/webhook-deliveries/999")["code"], "not_found");
}

#[test]
fn old_deliveries_go_with_their_messages() {
    let (shop, fake) = (open(Place::sqlite()), FakeReceiver::start());
    let (id, _) = endpoint(&shop, &fake.url("/hooks"), &["event.tracked"], json!({}));
    buy(&shop, "ann", "a1");
    wait_for(&shop, &format!("/api/v1/webhooks/{id}/deliveries"), |l| l["items"][0]["state"] == "delivered");
    let app = shop.app().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    let purge = || runtime.block_on(app.write(|tx| Ok(settle::purge(tx)?))).expect("runs");
    assert!(!purge());
    let messages = "SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_messages";
    assert_eq!(number(&shop, messages), 1, "a week is not over");
    sql(&shop, "UPDATE webhook_deliveries SET settled_at = settled_at - 604801000000");
    sql(&shop, "UPDATE webhook_messages SET queued_at = queued_at - 604801000000");
    purge();
    assert_eq!(number(&shop, messages), 0);
    assert_eq!(number(&shop, "SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_attempts"), 0);
    shop.assert_clean();
}

/// What the reader would do next, step by step.
struct ByHand<'a>(&'a Shop, tokio::runtime::Runtime);

impl<'a> ByHand<'a> {
    /// The shop's own reader sleeps from here on.
    fn new(shop: &'a Shop) -> Self {
        shop.app().webhooks.touch(false);
        std::thread::sleep(Duration::from_millis(400));
        Self(shop, tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts"))
    }
    fn gather(&self) -> gather::Gathered {
        let (app, preparer) = (self.0.app().clone(), self.0.app().domain.preparer().clone());
        self.1.block_on(app.query(move |db| Ok(gather::gather(db, &preparer, true)?))).expect("can read")
    }
    fn put(&self, found: &gather::Gathered) -> Put {
        let (app, found) = (self.0.app().clone(), found.clone());
        self.1.block_on(app.write(move |tx| Ok(put(tx, &found)?))).expect("can write")
    }
}

#[test]
fn a_reading_is_queued_once_and_never_after_an_erasure() {
    for place in Place::all() {
        let (shop, fake) = (open(place), FakeReceiver::start());
        endpoint(&shop, &fake.url("/"), &["event.tracked", "person.erased"], json!({}));
        let reader = ByHand::new(&shop);
        buy(&shop, "bob", "b1");
        let found = reader.gather();
        assert_eq!(reader.put(&found), Put::Queued(1));
        assert_eq!(reader.put(&found), Put::Stale, "the places have moved");
        // Read, then erased, then queued: nothing of it may get in.
        buy(&shop, "ann", "a1");
        let found = reader.gather();
        assert!(found.facts.iter().any(|f| f.data["message_id"] == "a1"));
        let ann = get(&shop, "/api/v1/customers/lookup?user_id=ann")["person_id"].clone();
        let erasure = format!("/api/v1/customers/{}/erasure", ann.as_str().unwrap_or_default());
        post(&shop, &erasure, &json!({"reason": "asked for it"}));
        assert_eq!(reader.put(&found), Put::Stale);
        assert_eq!(reader.put(&reader.gather()), Put::Queued(1), "only that she is gone");
        assert!(reader.gather().facts.is_empty());
        shop.app().webhooks.touch(true);
        let told = bodies(&fake.wait_for(2, SOON));
        assert!(!told.iter().any(|b| b["data"]["message_id"] == "a1"), "{told:#?}");
        assert_eq!(of_type(&told, "person.erased")[0]["data"]["person_id"], ann);
        wait_for(&shop, "/api/v1/jobs?state=done", |j| {
            j["items"].as_array().is_some_and(|i| i.iter().any(|j| j["kind"] == "erase"))
        });
        shop.assert_clean();
    }
}
