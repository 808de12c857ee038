//! From a purchase to a mail, and out again by its link.
use super::harness::Shop;
use connect::fake::{Failure, FakeSmtp, How, Point, Script};
use db::testing::Place;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn wait_for(shop: &Shop, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let found = shop.owner("GET", path).send().json();
        if wanted(&found) {
            return found;
        }
        assert!(Instant::now() < until, "{path}: {found}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A shop with a rule "thank buyers", and two people who may be written to.
fn shop(place: Place, fake: &FakeSmtp) -> Shop {
    let shop = Shop::open(place, &[("mail", "smtp_url", &fake.url()), ("mail", "from", "Shop <shop@example.com>")]);
    let made = |path: &str, body: Value| {
        let answer = shop.owner("POST", path).json(&body).send();
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["id"].clone()
    };
    let segment = made("/api/v1/segments", json!({"name": "Buyers", "expression": "count(\"Order Completed\") >= 1"}));
    let text = "Hi {{ customer.name }}! {{ links.unsubscribe }}";
    let template = made(
        "/api/v1/templates",
        json!({"name": "T", "channel": "email", "subject": "Thanks, {{ customer.name }}", "body_html": "", "body_text": text}),
    );
    made(
        "/api/v1/message-rules",
        json!({"segment_id": segment, "template_id": template, "channel": "email", "purpose": "marketing"}),
    );
    for name in ["ann", "bob", "eve"] {
        let address = format!("{name}@example.com");
        shop.track(
            "/v1/identify",
            &json!({"userId": name, "messageId": name, "traits": {"name": name, "email": address}}),
        );
        if name != "eve" {
            made_consent(&shop, &address);
        }
    }
    shop
}

fn made_consent(shop: &Shop, address: &str) {
    let body =
        json!({"channel": "email", "address": address, "purpose": "marketing", "state": "granted", "wording": "yes"});
    assert_eq!(shop.owner("POST", "/api/v1/consents").json(&body).send().status, 201);
}

fn buy(shop: &Shop, user: &str) {
    let order = json!({"userId": user, "event": "Order Completed", "messageId": format!("{user}-order"), "properties": {"total": 5, "currency": "GBP"}});
    assert_eq!(shop.track("/v1/track", &order).status, 200);
}

#[test]
fn who_buys_and_agreed_gets_one_mail_and_can_leave_with_one_click() {
    for place in Place::all() {
        let fake = FakeSmtp::start(Script::default());
        let shop = shop(place, &fake);
        buy(&shop, "ann");
        buy(&shop, "eve");
        let mails = fake.wait_for(1, Duration::from_secs(20));
        assert_eq!(mails[0].subject(), "Thanks, ann");
        let link = mails[0].header("List-Unsubscribe").expect("the header").trim_matches(['<', '>']).to_string();
        assert_eq!(mails[0].header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
        let list = wait_for(&shop, "/api/v1/messages", |l| {
            let status = |s: &str| l["items"].as_array().into_iter().flatten().filter(|m| m["status"] == s).count();
            status("sent") == 1 && status("stopped") == 1
        });
        let stopped = list["items"].as_array().into_iter().flatten().find(|m| m["status"] == "stopped").expect("one");
        assert!(stopped["why"].as_array().is_some_and(|w| w.iter().any(|g| g["passed"] == false)), "{stopped}");
        let path = &link[link.find("/u/").expect("our link")..];
        let page = shop.ask("GET", path).send();
        assert_eq!(page.status, 200);
        assert!(page.text.contains("<form method=\"post\">"));
        let consent = |shop: &Shop| {
            let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=ann").send().json();
            person["consents"][0]["state"].clone()
        };
        assert_eq!(consent(&shop), "granted", "a look changes nothing");
        let left = shop
            .ask("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(b"List-Unsubscribe=One-Click")
            .send();
        assert_eq!(left.status, 200, "{}", left.text);
        assert_eq!(consent(&shop), "denied");
        assert_eq!(shop.ask("GET", "/u/nonsense").send().status, 404);
        assert_eq!(fake.accepted().len(), 1);
        let health = wait_for(&shop, "/api/v1/home", |h| h["counts"]["derived"] == 2);
        assert_eq!(health["counts"]["outbox_pending"], 0);
    }
}

#[test]
fn a_lost_answer_is_unknown_until_a_person_settles_it() {
    let lost = Failure::new(Point::EndOfData, How::Drop);
    let fake = FakeSmtp::start(Script::default().recipient("bob@example.com", [lost]));
    let shop = shop(Place::sqlite(), &fake);
    buy(&shop, "bob");
    let list = wait_for(&shop, "/api/v1/messages?status=unknown", |l| l["items"][0].is_object());
    let path = format!("/api/v1/messages/{}/settle", list["items"][0]["id"].as_str().unwrap_or_default());
    let settled = shop.owner("POST", &path).json(&json!({"as": "refused"})).send();
    assert_eq!((settled.status, &settled.json()["status"]), (200, &json!("refused")));
    let again = shop.owner("POST", &path).json(&json!({"as": "sent"})).send();
    assert_eq!(again.code(), (409, "conflict".into()));
}
