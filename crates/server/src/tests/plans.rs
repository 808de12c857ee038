//! A source's plan through the API: refused, mended, tried again; and observing.
use super::harness::{Shop, shops};
use serde_json::{Value, json};

fn first_source(shop: &Shop) -> String {
    let list = shop.owner("GET", "/api/v1/sources").send().json();
    let own = list["items"].as_array().expect("items").iter().find(|s| s["write_key_prefix"].is_string()).expect("one");
    own["id"].as_str().expect("an id").to_string()
}

fn order(id: &str, event: &str) -> Value {
    json!({"type": "track", "userId": "u", "event": event, "messageId": id, "properties": {"summa": 129_900}})
}

// [A6]
#[test]
fn what_a_plan_refused_is_taken_when_the_plan_is_mended() {
    for shop in shops() {
        let source = first_source(&shop);
        let plan = format!("/api/v1/sources/{source}/plan");
        let write = |text: &str| shop.owner("PUT", &plan).json(&json!({ "text": text })).send();
        let bad = write("event \"Order Completed\" block\n  total money");
        assert_eq!(bad.code(), (422, "bad_plan".into()));
        assert_eq!(bad.json()["errors"][0]["line"], 2);
        let strict = "unknown events block\nevent \"Order Completed\" block\n  total number required\n";
        assert_eq!(write(strict).json()["version"], 1);
        let sent = shop
            .track("/v1/batch?strict=1", &json!({"context": {"channel": "server"}, "batch": [order("1", "kupivka")]}));
        assert_eq!(sent.json()["items"][0]["code"], "plan_unknown_event");
        // A single call is refused as its path said, too.
        assert_eq!(
            shop.track(
                "/v1/track",
                &json!({"userId": "u", "event": "kupivka", "messageId": "2", "properties": {"summa": 100}})
            )
            .status,
            200
        );
        let list = |query: &str| shop.owner("GET", &format!("/api/v1/rejects?{query}")).send().json()["items"].clone();
        assert_eq!(list("event=kupivka&code=plan_unknown_event").as_array().map(Vec::len), Some(2));
        assert_eq!(list("event=other"), json!([]));
        assert_eq!(list("until=2020-01-01T00:00:00Z"), json!([]));
        assert_eq!(list("")[0]["replayable"], true);
        let hours = shop.owner("GET", "/api/v1/rejects/hours").send().json();
        assert_eq!(
            (&hours["items"][0]["code"], &hours["items"][0]["count"]),
            (&json!("plan_unknown_event"), &json!(2))
        );
        // Tried again too early, it is refused for the same reason.
        let first = list("")[1]["id"].as_str().expect("an id").to_string();
        let replay = format!("/api/v1/rejects/{first}/replay");
        assert_eq!(shop.owner("POST", &replay).send().json()["outcome"], "plan_unknown_event");
        let mended = format!(
            "{strict}alias \"kupivka\" = \"Order Completed\"\nrename * summa -> total\ndivide * total by 100\n"
        );
        let put = write(&mended).json();
        assert!(put["version"] == 2 && put["job_id"].is_string(), "{put}");
        assert_eq!(shop.owner("POST", &replay).send().json()["outcome"], "accepted");
        let many = shop.owner("POST", "/api/v1/rejects/replay").json(&json!({"source_id": source})).send().json();
        assert_eq!(many["items"].as_array().map(Vec::len), Some(1), "{many}");
        assert_eq!(many["items"][0]["outcome"], "accepted");
        assert_eq!(shop.owner("POST", &replay).send().code(), (409, "conflict".into()));
        let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=u").send().json();
        assert_eq!(person["totals"]["revenue"], json!([{"minor": 130_000, "currency": "UAH"}]));
        let id = person["person_id"].as_str().expect("a person");
        let items = shop.owner("GET", &format!("/api/v1/customers/{id}/timeline")).send().json()["items"].clone();
        assert_eq!((&items[0]["event"], &items[0]["sent_event"]), (&json!("Order Completed"), &json!("kupivka")));
        assert!(items.as_array().is_some_and(|i| i.iter().any(|e| e["context"]["channel"] == "server")));
        let versions = shop.owner("GET", &format!("{plan}/versions")).send().json();
        assert_eq!(versions["items"].as_array().map(Vec::len), Some(2));
        let stale = shop.owner("PUT", &plan).header("if-match", "\"v1\"").json(&json!({"text": ""})).send();
        assert_eq!(stale.code(), (412, "changed_meanwhile".into()));
        shop.assert_clean();
    }
}

// [B7]
#[test]
fn a_person_switches_a_source_on() {
    let shop = Shop::new();
    let source = first_source(&shop);
    let path = format!("/api/v1/sources/{source}");
    let set = |on: bool| shop.owner("PUT", &format!("{path}/observe")).json(&json!({"observe_only": on})).send().status;
    let shown = || shop.owner("GET", &path).send().json();
    let segment = shop
        .owner("POST", "/api/v1/segments")
        .json(&json!({"name": "S", "expression": "count(\"A\") >= 1"}))
        .send()
        .json();
    let text = json!({"name": "T", "channel": "email", "subject": "s", "body_html": "<p>x</p>", "body_text": "x"});
    let template = shop.owner("POST", "/api/v1/templates").json(&text).send().json();
    let rule = json!({"name": "Hello", "segment_id": segment["id"], "template_id": template["id"], "channel": "email", "purpose": "marketing"});
    assert_eq!(shop.owner("POST", "/api/v1/message-rules").json(&rule).send().status, 201);
    let live = || {
        shop.owner("GET", &format!("/api/v1/segments/{}", segment["id"].as_str().expect("id"))).send().json()["state"]
            == "live"
    };
    while !live() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!((set(true), set(true)), (200, 200));
    let event = |user: &str| json!({"userId": user, "event": "A", "messageId": user});
    assert_eq!(shop.track("/v1/track", &event("ann")).status, 200);
    let messages = || shop.owner("GET", "/api/v1/messages").send().json()["items"].as_array().map_or(0, Vec::len);
    assert_eq!(messages(), 0);
    let detail = shown();
    assert_eq!((&detail["observe_only"], &detail["would_have"][0]["count"]), (&json!(true), &json!(1)));
    assert_eq!(
        (&detail["would_have"][0]["rule_name"], &detail["would_have"][0]["message_id"]),
        (&json!("Hello"), &json!("ann"))
    );
    assert_eq!(set(false), 200);
    assert_eq!(shop.track("/v1/track", &event("bob")).status, 200);
    assert_eq!((messages(), shown()["observe_only"].clone()), (1, json!(false)));
    let audit = shop.owner("GET", "/api/v1/audit").send().json().to_string();
    assert_eq!(audit.matches("\"observe\"").count(), 2, "switched on and off, each once");
    shop.assert_clean();
}
