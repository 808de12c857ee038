//! What a person may ask for: all that is held, and to be forgotten; and what the audit keeps of it.
use super::harness::{Shop, shops};
use serde_json::{Value, json};
use std::time::Duration;

const HOSTILE: &str = "<script>alert('x')</script>\"&";

pub(super) fn person(shop: &Shop, email: &str) -> String {
    let found = shop.owner("GET", &format!("/api/v1/customers/lookup?email={email}")).send().json();
    found["person_id"].as_str().expect("is known").to_string()
}

fn request(shop: &Shop, kind: &str, contact: &str) -> Value {
    let body = json!({"kind": kind, "who": format!("Ann {HOSTILE}"), "contact": contact, "note": HOSTILE});
    shop.owner("POST", "/api/v1/privacy/requests").json(&body).send().json()
}

fn advance(shop: &Shop, id: &str, state: &str) -> Value {
    shop.owner("PUT", &format!("/api/v1/privacy/requests/{id}")).json(&json!({"state": state})).send().json()
}

fn of(shop: &Shop, id: &str) -> Value {
    let all = shop.owner("GET", "/api/v1/privacy/requests").send().json();
    let items = all["items"].as_array().expect("a list").clone();
    items.into_iter().find(|r| r["id"] == id).expect("is there")
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..400 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{what} did not happen");
}

/// A person with something in every section, whose every text is hostile.
fn hostile(shop: &Shop) -> String {
    let context = json!({"page": {"title": HOSTILE, "path": HOSTILE}, HOSTILE: HOSTILE});
    let at = |n: i64| base::Timestamp::from_micros(1_790_000_000_000_000 + n * 1_000_000).to_string();
    let identify = json!({"anonymousId": HOSTILE, "userId": format!("u {HOSTILE}"), "messageId": "m0", "timestamp": at(0), "context": context,
        "traits": {"email": "ann@example.com", "phone": "020 7946 0000", "firstName": HOSTILE, "lastName": HOSTILE, HOSTILE: {HOSTILE: [HOSTILE]}}});
    assert_eq!(shop.track("/v1/identify", &identify).status, 200);
    for n in 1..=3_i64 {
        let batch: Vec<Value> = (0..200)
            .map(|k| {
                let number = (n - 1) * 200 + k;
                json!({"type": "track", "event": format!("Viewed {HOSTILE}"), "anonymousId": HOSTILE, "messageId": format!("e{number}"),
                    "timestamp": at(number + 1), "properties": {HOSTILE: HOSTILE, "n": number}, "context": context})
            })
            .collect();
        assert_eq!(shop.track("/v1/batch", &json!({"batch": batch})).status, 200);
    }
    let consent = json!({"channel": "email", "address": "ann@example.com", "purpose": "marketing", "wording": HOSTILE, "wording_version": HOSTILE});
    assert_eq!(shop.owner("POST", "/api/v1/consents").json(&consent).send().status, 201);
    person(shop, "ann@example.com")
}

#[test]
fn everything_that_is_held_of_a_person_is_handed_over() {
    for shop in shops() {
        let ann = hostile(&shop);
        let asked = request(&shop, "access", "ann@example.com");
        let id = asked["id"].as_str().expect("an id").to_string();
        let path = format!("/api/v1/customers/{ann}/export?request_id={id}");
        let early = shop.owner("GET", &path).send();
        assert_eq!(early.code(), (409, "conflict".into()), "nobody gets data before it is known who asks");
        advance(&shop, &id, "verified");

        let answer = shop.owner("GET", &path).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.headers["content-disposition"].contains(&format!("customer-{ann}.json")));
        let all = answer.json();
        assert_eq!((&all["format"], &all["version"]), (&json!("braid.person"), &json!(1)));
        assert_eq!(all["person"]["person_id"], ann.as_str());
        let emails = all["identifiers"].as_array().expect("rows").iter().filter(|i| i["kind"] == "email");
        assert_eq!(
            emails.map(|i| (&i["value"], &i["evidence_message_id"])).collect::<Vec<_>>(),
            [(&json!("ann@example.com"), &json!("m0"))]
        );
        let first =
            all["traits"].as_array().expect("rows").iter().find(|t| t["name"] == "firstName").expect("is there");
        assert_eq!((&first["value"], &first["message_id"]), (&json!(HOSTILE), &json!("m0")));
        let consent = &all["consents"][0];
        assert_eq!(
            (&consent["state"], &consent["wording"], &consent["by"]),
            (&json!("granted"), &json!(HOSTILE), &json!("staff 1"))
        );
        assert_eq!(all["requests"][0]["kind"], "access");
        assert!(all["views"].as_array().is_some_and(|v| !v.is_empty()), "who looked");
        assert!(
            all["audit"].as_array().is_some_and(|a| a.iter().any(|l| l["action"] == "export")),
            "this export itself"
        );
        let events: Vec<(&Value, &Value)> =
            all["events"].as_array().expect("rows").iter().map(|e| (&e["message_id"], &e["properties"]["n"])).collect();
        assert_eq!(events.len(), 601, "more than one piece");
        assert_eq!(
            (events[0].0, events[1], events[600]),
            (&json!("m0"), (&json!("e0"), &json!(0)), (&json!("e599"), &json!(599)))
        );
        assert_eq!(all["events"][1]["context"]["page"]["title"], HOSTILE);
        assert!(!answer.text.contains(&shop.keys.api_key), "no key of the shop's");

        // [AB1] The outcome stands with the request, as proof of what was handed over; the page closes it.
        until("the outcome", || !of(&shop, &id)["export"].is_null());
        let noted = of(&shop, &id);
        let hash = crate::secrets::hex(&crate::secrets::hash_key(&answer.text));
        assert_eq!((&noted["export"]["events"], &noted["export"]["sha256"]), (&json!(601), &json!(hash)));
        assert_eq!((&noted["export"]["bytes"], &noted["state"]), (&json!(answer.text.len()), &json!("running")));
        assert_eq!(advance(&shop, &id, "done")["state"], "done");
        shop.assert_clean();
    }
}

#[test]
fn the_page_for_people_runs_nothing_that_customers_wrote() {
    for shop in shops() {
        let ann = hostile(&shop);
        request(&shop, "access", "ann@example.com");
        for language in ["en", "uk"] {
            let path = format!("/api/v1/customers/{ann}/export?format=html&language={language}");
            let page = shop.owner("GET", &path).send();
            assert_eq!((page.status, &*page.headers["content-type"]), (200, "text/html; charset=utf-8"));
            assert!(page.headers["content-security-policy"].contains("default-src 'none'"));
            assert!(
                page.text.contains(&format!("<html lang=\"{language}\"")) && page.text.ends_with("</body></html>\n")
            );
            assert!(page.text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
            let tags: std::collections::BTreeSet<&str> =
                page.text.split('<').skip(1).map(|t| t.split([' ', '>', '\n']).next().unwrap_or_default()).collect();
            let ours = [
                "!doctype", "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tr", "th",
                "td", "pre",
            ];
            let strange: Vec<&&str> = tags.iter().filter(|t| !ours.contains(&t.trim_start_matches('/'))).collect();
            assert!(strange.is_empty(), "{strange:?}");
        }
        assert!(shop.owner("GET", &format!("/api/v1/customers/{ann}/export?language=ru")).send().status == 400);
        assert_eq!(shop.owner("GET", "/api/v1/customers/999999/export").send().status, 404);
    }
}

#[test]
fn a_request_for_erasure_erases_and_closes_by_itself() {
    for shop in shops() {
        let ann = hostile(&shop);
        let asked = request(&shop, "erasure", "ann@example.com");
        let id = asked["id"].as_str().expect("an id").to_string();
        let path = format!("/api/v1/privacy/requests/{id}/erasure");
        let erase = || shop.owner("POST", &path).json(&json!({})).send();
        assert_eq!(erase().code(), (409, "conflict".into()), "not before it is known who asks");
        advance(&shop, &id, "verified");
        let begun = erase();
        assert_eq!((begun.status, &begun.json()["state"]), (202, &json!("running")), "{}", begun.text);
        assert_eq!(shop.owner("GET", &format!("/api/v1/customers/{ann}")).send().status, 404, "unknown at once");
        until("the erasure", || of(&shop, &id)["state"] == "done");
        let done = of(&shop, &id);
        assert_eq!((&done["who"], &done["contact"], &done["note"]), (&json!("erased"), &json!(""), &json!("")));
        assert_eq!(done["erasure_job_id"], begun.json()["erasure_job_id"]);
        assert_eq!(erase().code(), (409, "conflict".into()), "once");
        shop.assert_clean();
    }
}

#[test]
fn requests_whose_term_ends_want_attention() {
    let shop = Shop::new();
    let of_home = || {
        let home = shop.owner("GET", "/api/v1/home").send().json();
        let found =
            home["attention"].as_array().expect("a list").iter().find(|a| a["kind"] == "privacy_requests").cloned();
        found.map(|a| a["count"].as_i64().unwrap_or(0))
    };
    assert_eq!(of_home(), None);
    let body = json!({"kind": "objection", "who": "Ann", "contact": "by phone", "received_at": "2020-01-01T00:00:00Z"});
    let made = shop.owner("POST", "/api/v1/privacy/requests").json(&body).send().json();
    assert_eq!((&made["overdue"], &made["due_at"]), (&json!(true), &json!("2020-01-31T00:00:00.000000Z")));
    request(&shop, "access", "nobody@example.com");
    assert_eq!(of_home(), Some(1), "the other one has 30 days");
    let id = made["id"].as_str().expect("an id");
    shop.owner("PUT", &format!("/api/v1/privacy/requests/{id}"))
        .json(&json!({"state": "refused", "reason": "not us"}))
        .send();
    assert_eq!(of_home(), None);
}

/// Writes lines about people into the audit: of Ann by number, of Ann by what they say, of Bob.
fn lines(shop: &Shop, ann: &str) {
    let ann = ann.to_string();
    let write = move |tx: &mut db::Tx| {
        let note = |tx: &mut db::Tx, kind, subject: &str, after: Value| {
            crate::audit::note(tx, "owner@example.com", ("test", kind), subject, None, Some(&after))
        };
        note(tx, "person", &ann, json!({"reason": "her sister called"}))?;
        note(tx, "note", "ann@example.com", json!({"text": "writes to ANN@example.com"}))?;
        note(tx, "note", "bob@example.com", json!({"text": "Bob"}))
    };
    shop.app().domain.store().write(write).expect("writes");
}

pub(super) fn erase(shop: &Shop, ann: &str) {
    let path = format!("/api/v1/customers/{ann}/erasure");
    assert_eq!(shop.owner("POST", &path).json(&json!({"reason": "asked"})).send().status, 202);
    until("the erasure", || shop.owner("GET", "/api/v1/privacy/erasures").send().json()["items"][0]["state"] == "done");
}

#[test]
fn the_audit_forgets_a_person_and_still_proves_itself() {
    // [AB1] With lines of before digests (`old`) and without.
    for (shop, old) in shops().into_iter().map(|s| (s, false)).chain(shops().into_iter().map(|s| (s, true))) {
        let store = || shop.app().domain.store();
        let verify = || store().query(crate::audit::verify).expect("reads");
        let ann = hostile(&shop);
        lines(&shop, &ann);
        if old {
            store().write(crate::audit::as_before_digests).expect("rewrites");
        }
        assert_eq!(verify(), []);
        erase(&shop, &ann);
        assert_eq!(verify(), [], "emptied lines are named by the erasure's line");
        let text = shop.owner("GET", "/api/v1/audit?limit=500").send().text;
        for gone in ["ann@example.com", "ANN@example.com", "her sister", "alert"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
        assert!(text.contains("bob@example.com") && text.contains("\"erase\""));
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let redaction =
            all["items"].as_array().expect("rows").iter().find(|l| l["action"] == "redact").expect("is there").clone();
        assert_eq!(redaction["after"]["lines"].as_array().map(Vec::len), Some(2), "{redaction}");
        // [AB1] Emptying one more line is found, and so is changing one that was emptied.
        let spoil = |sql: &'static str| store().write(move |tx| tx.execute(sql, &[])).expect("writes");
        let bob = "UPDATE audit SET subject = 'erased', before = NULL, after = NULL, salt = '', digest = CASE digest WHEN '' THEN 'emptied' ELSE digest END WHERE subject = 'bob@example.com'";
        assert_eq!(spoil(bob), 1);
        let found = verify();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].why.contains("no erasure says so"));
        if !old {
            assert!(spoil("UPDATE audit SET actor = 'x' WHERE subject = 'erased'") >= 1);
            assert!(verify().iter().any(|b| b.why.contains("was changed")));
        }
    }
}

#[test]
fn only_whoever_answers_for_privacy_takes_a_person_out() {
    let shop = Shop::new();
    let ann = hostile(&shop);
    for role in ["marketer", "agent", "shop_assistant", "planner", "analyst"] {
        let key = shop.owner("POST", "/api/v1/api-keys").json(&json!({"name": role, "role": role})).send().json();
        let key = format!("Bearer {}", key["key"].as_str().expect("a key"));
        let path = format!("/api/v1/customers/{ann}/export");
        let status = shop.ask("GET", &path).header("authorization", &key).send().status;
        assert!(matches!(status, 403 | 404), "{role}: {status}");
    }
    // A key with nothing but this right hands over whole data: it is the person's own.
    let body = json!({"name": "privacy", "role": "owner", "scopes": ["privacy:write", "customers:read"]});
    let key = shop.owner("POST", "/api/v1/api-keys").json(&body).send().json();
    let key = format!("Bearer {}", key["key"].as_str().expect("a key"));
    let answer = shop.ask("GET", &format!("/api/v1/customers/{ann}/export")).header("authorization", &key).send();
    assert!(answer.status == 200 && answer.text.contains("ann@example.com"));
}

#[test]
fn addresses_are_suppressed_by_list_and_lifted_with_a_reason() {
    for shop in shops() {
        let list = "email,reason\nAnn@Example.com,spam\nbob@example.com\nnobody\nann@example.com\n";
        let import = json!({"text": list, "reason": "list of the old tool"});
        let report = shop.owner("POST", "/api/v1/suppressions/import").json(&import).send().json();
        assert_eq!(
            report,
            json!({"lines": 4, "added": 2, "known": 1, "bad": [{"line": 4, "reason": "this is no e-mail address: write one such as olena@example.com"}], "bad_count": 1})
        );
        let all = shop.owner("GET", "/api/v1/suppressions?limit=1").send().json();
        assert_eq!(
            (&all["total"], &all["items"][0]["address"], &all["items"][0]["reason"]),
            (&json!(2), &json!("ann@example.com"), &json!("spam"))
        );
        let next = format!("/api/v1/suppressions?limit=1&cursor={}", all["next_cursor"].as_str().expect("a next page"));
        let next = shop.owner("GET", &next).send().json();
        assert_eq!((&next["items"][0]["address"], &next["next_cursor"]), (&json!("bob@example.com"), &Value::Null));
        assert_eq!(next["items"][0]["reason"], "list of the old tool");
        let begins = shop.owner("GET", "/api/v1/suppressions?query=BO").send().json();
        assert_eq!(begins["items"].as_array().map(Vec::len), Some(1));
        let lift = || {
            let body = json!({"channel": "email", "address": "bob@example.com", "reason": "wrote to us himself"});
            shop.owner("POST", "/api/v1/suppressions/lift").json(&body).send().status
        };
        assert_eq!((lift(), lift()), (204, 404));
        let bad = shop
            .owner("POST", "/api/v1/suppressions")
            .json(&json!({"channel": "email", "address": "x", "reason": "r"}))
            .send();
        assert_eq!(bad.status, 422, "{}", bad.text);
        let audit = shop.owner("GET", "/api/v1/audit?subject_kind=address").send().json();
        assert_eq!(audit["items"][0]["after"]["reason"], "wrote to us himself");
        assert!(shop.owner("GET", "/api/v1/audit?action=import").send().text.contains("\"added\":2"));
    }
}

/// Blacklists first: telephones on every channel that reaches them, accounts at messengers, in their own lists.
#[test]
fn telephones_and_accounts_are_suppressed_too() {
    for shop in shops() {
        let import = |body: Value| shop.owner("POST", "/api/v1/suppressions/import").json(&body).send();
        let phones = json!({"text": "Phone;Why\n+44 7700 900123;asked\n+44 (7700) 900-123\nann@example.com\n", "reason": "old list",
            "channels": ["sms", "viber", "call"]});
        let report = import(phones).json();
        assert_eq!((&report["added"], &report["known"], &report["bad"][0]["line"]), (&json!(1), &json!(1), &json!(4)));
        let accounts =
            json!({"text": "chat_id\n77001\n@olena_k", "reason": "blocked the bot", "channels": ["telegram"]});
        assert_eq!(import(accounts).json()["added"], 2);
        assert_eq!(import(json!({"text": "x", "reason": "r", "channels": ["pigeon"]})).status, 422);
        assert_eq!(import(json!({"text": "x", "reason": "r", "channels": []})).status, 422);
        let list = |query: &str| shop.owner("GET", &format!("/api/v1/suppressions?{query}")).send();
        let sms = list("channel=sms").json();
        assert_eq!(
            (&sms["items"][0]["address"], &sms["items"][0]["reason"], &sms["total"]),
            (&json!("+447700900123"), &json!("asked"), &json!(1))
        );
        assert_eq!(sms["totals"], json!({"call": 1, "sms": 1, "telegram": 2, "viber": 1}));
        assert_eq!(list("channel=telegram&query=ol").json()["items"][0]["address"], "olena_k");
        assert_eq!(list("").json()["total"], 0, "e-mail is asked for without a channel");
        assert_eq!(list("channel=pigeon").status, 400);
        let lift = json!({"channel": "viber", "address": "+44 7700 900 123", "reason": "wrote to us"});
        assert_eq!(shop.owner("POST", "/api/v1/suppressions/lift").json(&lift).send().status, 204);
        assert_eq!(list("channel=viber").json()["total"], 0);
        assert_eq!(list("channel=sms").json()["total"], 1, "each channel has its own");
        // Whoever is erased stays blocked, under a name that nobody reads.
        let body = json!({"userId": "u7", "messageId": "m7", "traits": {"phone": "+447700900123"},
            "context": {"externalIds": [{"id": "77001", "type": "telegram", "collection": "users", "encoding": "none"}]}});
        assert_eq!(shop.track("/v1/identify", &body).status, 200);
        let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=u7").send().json();
        let id = found["person_id"].as_str().expect("a person").to_string();
        erase(&shop, &id);
        let (sms, accounts) = (list("channel=sms").json(), list("channel=telegram").json());
        assert_eq!((&sms["total"], &sms["items"][0]["address"]), (&json!(1), &Value::Null), "{sms}");
        let shown: Vec<&Value> = accounts["items"].as_array().expect("a list").iter().map(|i| &i["address"]).collect();
        assert_eq!(shown, [&Value::Null, &json!("olena_k")]);
    }
}

#[test]
fn quiet_hours_are_set_and_noted() {
    let shop = Shop::new();
    let put = |hours: Value| shop.owner("PUT", "/api/v1/quiet-hours").json(&json!({"hours": hours})).send();
    assert_eq!(shop.owner("GET", "/api/v1/quiet-hours").send().json(), json!({"hours": null}));
    assert_eq!(put(json!("21:00-09:00")).json(), json!({"hours": "21:00-09:00"}));
    assert_eq!(put(json!("9-21")).status, 422);
    assert_eq!(shop.owner("GET", "/api/v1/quiet-hours").send().json(), json!({"hours": "21:00-09:00"}));
    let audit = shop.owner("GET", "/api/v1/audit?action=update&subject_kind=quiet_hours").send().json();
    assert_eq!(audit["items"][0]["changed"], json!([{"field": "hours", "before": null, "after": "21:00-09:00"}]));
}

#[test]
fn what_a_customer_wants_is_kept_shown_and_forgotten() {
    for shop in shops() {
        let ann = hostile(&shop);
        let path = format!("/api/v1/customers/{ann}/preferences");
        let put = |items: Value| shop.owner("PUT", &path).json(&json!({"items": items})).send();
        let news = json!({"channel": "email", "topic": "news", "wanted": false});
        let set = put(json!([news, {"channel": "*", "topic": "sale", "wanted": true}])).json();
        assert_eq!(set["items"].as_array().map(Vec::len), Some(2), "{set}");
        assert_eq!(put(json!([news, news])).status, 422, "twice the same");
        assert_eq!(put(json!([{"channel": "e mail", "topic": "*", "wanted": true}])).status, 422);
        let one = put(json!([news])).json();
        assert_eq!(
            (&one["items"][0]["wanted"], &one["items"][0]["at"]),
            (&json!(false), &set["items"][0]["at"]),
            "it keeps its moment"
        );
        assert_eq!(shop.owner("GET", &path).send().json()["items"], one["items"]);
        let held = shop.owner("GET", &format!("/api/v1/customers/{ann}/export")).send().json();
        assert_eq!(
            (&held["preferences"][0]["topic"], &held["preferences"][0]["by"]),
            (&json!("news"), &json!("staff 1"))
        );
        erase(&shop, &ann);
        let left =
            shop.app().domain.store().query(|db| db.rows("SELECT profile_id FROM preferences", &[])).expect("reads");
        assert!(left.is_empty());
    }
}

/// Rules that a shop could not set: of no days at all, so that what just came is old.
fn at_once(shop: &Shop, kinds: &[&str]) {
    use customers::privacy::retention::{Kind, Rule, replace};
    let rule = |kind: &&str| Rule {
        id: 0,
        kind: Kind::parse(kind).expect("a kind"),
        source: 0,
        pattern: if *kind == "events" { "Viewed*".into() } else { String::new() },
        days: 0,
        ground: "a test".into(),
        enabled: true,
    };
    let rules: Vec<Rule> = kinds.iter().map(rule).collect();
    shop.app().domain.store().write(move |tx| replace(tx, &rules)).expect("writes");
}

fn run(shop: &Shop) {
    let begun = shop.owner("POST", "/api/v1/privacy/retention/run").json(&json!({"confirm": true})).send();
    assert_eq!(begun.status, 202, "{}", begun.text);
    let path = format!("/api/v1/jobs/{}", begun.json()["job_id"].as_str().expect("a job"));
    until("the job", || {
        let job = shop.owner("GET", &path).send().json();
        assert_ne!(job["state"], "failed", "{job}");
        job["state"] == "done"
    });
}

#[test]
fn details_of_old_events_go_and_everything_else_stays_true() {
    for shop in shops() {
        let ann = hostile(&shop);
        let order = json!({"anonymousId": "a", "event": "Order Completed", "messageId": "o1",
            "properties": {"order_id": "7", "total": 10, "currency": "GBP"}});
        assert_eq!(shop.track("/v1/track", &order).status, 200);
        let known = json!({"anonymousId": "a", "event": "Viewed by mail", "messageId": "k1", "properties": {"n": 1},
            "context": {"traits": {"email": "bob@example.com"}}});
        assert_eq!(shop.track("/v1/track", &known).status, 200);
        let segment =
            json!({"name": "Many", "expression": "count(\"Viewed <script>alert('x')</script>\\\"&\") >= 100"});
        let made = shop.owner("POST", "/api/v1/segments").json(&segment).send();
        assert_eq!(made.status, 201, "{}", made.text);
        let before = shop.owner("GET", &format!("/api/v1/customers/{ann}/export")).send().json();
        std::thread::sleep(Duration::from_millis(5));
        at_once(&shop, &["events"]);
        run(&shop);
        let after = shop.owner("GET", &format!("/api/v1/customers/{ann}/export")).send().json();
        for same in ["identifiers", "traits", "consents", "profiles", "joins"] {
            assert_eq!(after[same], before[same], "{same}");
        }
        let (old, new) = (before["events"].as_array().expect("rows"), after["events"].as_array().expect("rows"));
        let deed = |e: &Value| ["message_id", "type", "event", "timestamp", "source"].map(|f| e[f].clone());
        assert_eq!(new.iter().map(deed).collect::<Vec<_>>(), old.iter().map(deed).collect::<Vec<_>>());
        let told = |events: &[Value]| {
            events.iter().filter(|e| e["properties"].as_object().is_some_and(|p| !p.is_empty())).count()
        };
        assert_eq!((told(old), told(new)), (600, 0));
        assert_eq!(new[0]["traits"], old[0]["traits"], "an identify call says who somebody is");
        let bob = person(&shop, "bob@example.com");
        let bob = shop.owner("GET", &format!("/api/v1/customers/{bob}/export")).send().json();
        let properties: Vec<&Value> =
            bob["events"].as_array().expect("rows").iter().map(|e| &e["properties"]).collect();
        assert!(
            properties.contains(&&order["properties"]) && properties.contains(&&known["properties"]),
            "{properties:?}"
        );
        shop.assert_clean();
        let bodies = || {
            let rows = shop.app().domain.store().query(|db| db::log::page(db, 1, 1000)).expect("reads");
            rows.into_iter().filter(|r| r.origin != db::event::Origin::Derived).map(|r| r.body).collect::<Vec<_>>()
        };
        let again = bodies();
        run(&shop);
        assert_eq!(bodies(), again, "twice is once");
    }
}

#[test]
fn texts_and_people_go_when_their_time_is_over() {
    for shop in shops() {
        let ann = hostile(&shop);
        assert_eq!(shop.track("/v1/batch", &json!({"batch": [{"type": "track", "messageId": HOSTILE}]})).status, 200);
        let rejects = || shop.owner("GET", "/api/v1/rejects").send().json();
        assert!(rejects().to_string().contains("script"));
        lines(&shop, &ann);
        std::thread::sleep(Duration::from_millis(5));
        let rules = json!([{"kind": "inactive", "days": 30, "ground": "g", "enabled": true}, {"kind": "rejects", "days": 7, "ground": "g", "enabled": true}]);
        let preview = shop
            .owner("POST", "/api/v1/privacy/retention/preview")
            .json(&json!({"rules": rules, "documents": []}))
            .send()
            .json();
        assert_eq!(
            (&preview["items"][0]["count"], &preview["items"][1]["count"]),
            (&json!(0), &json!(0)),
            "nothing is so old: {preview}"
        );
        at_once(&shop, &["rejects", "audit", "messages"]);
        run(&shop);
        assert_eq!(rejects()["items"].as_array().map(Vec::len), Some(1));
        assert!(!rejects().to_string().contains("script"), "{}", rejects());
        let verify = || shop.app().domain.store().query(crate::audit::verify).expect("reads");
        assert_eq!(verify(), []);
        let audit = shop.owner("GET", "/api/v1/audit?action=test").send().json();
        assert!(
            audit["items"].as_array().is_some_and(|l| l.len() == 3 && l.iter().all(|l| l["after"].is_null())),
            "{audit}"
        );
        assert_eq!(shop.owner("GET", &format!("/api/v1/customers/{ann}")).send().status, 200);
        at_once(&shop, &["inactive"]);
        run(&shop);
        assert_eq!(shop.owner("GET", &format!("/api/v1/customers/{ann}")).send().status, 404, "nobody was heard of");
        until("the erasure", || {
            shop.owner("GET", "/api/v1/privacy/erasures").send().json()["items"][0]["state"] == "done"
        });
        assert_eq!(verify(), []);
        shop.assert_clean();
    }
}

#[test]
fn documents_that_law_keeps_go_at_the_end_of_their_term() {
    for shop in shops() {
        let order = json!({"userId": "u2", "event": "Order Completed", "messageId": "o1", "properties": {"order_id": "7", "total": 10, "currency": "GBP"}, "traits": {}});
        assert_eq!(shop.track("/v1/track", &order).status, 200);
        let body = json!({"rules": [], "documents": [{"event": "Order Completed", "ground": "Tax law of somewhere", "term_days": 10, "enabled": true}]});
        let set = shop.owner("PUT", "/api/v1/privacy/retention").json(&body).send().json();
        assert_eq!(set["documents"], body["documents"]);
        let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=u2").send().json();
        erase(&shop, found["person_id"].as_str().expect("is known"));
        let kept = || {
            shop.app()
                .domain
                .store()
                .query(|db| db.rows("SELECT ground, until FROM retained_documents", &[]))
                .expect("reads")
        };
        assert_eq!((kept().len(), kept()[0].text(0).expect("text")), (1, "Tax law of somewhere"));
        run(&shop);
        assert_eq!(kept().len(), 1, "its term is not over");
        shop.app()
            .domain
            .store()
            .write(|tx| tx.execute("UPDATE retained_documents SET until = 1", &[]))
            .expect("writes");
        run(&shop);
        assert_eq!(kept().len(), 0);
        let log = shop.app().domain.store().query(|db| db::log::page(db, 1, 10)).expect("reads");
        assert!(log.iter().all(|row| !row.body.contains("order_id")), "the document is gone from the log");
        shop.assert_clean();
        let bad = json!({"rules": [{"kind": "events", "days": 1, "ground": "g"}], "documents": []});
        assert_eq!(shop.owner("PUT", "/api/v1/privacy/retention").json(&bad).send().status, 422, "too soon");
    }
}

#[test]
fn purposes_and_wordings_are_listed_as_they_are_used() {
    for shop in shops() {
        let presets = shop.owner("GET", "/api/v1/privacy/purposes").send().json();
        assert_eq!(presets["items"][0]["id"], "0");
        let adopt =
            || shop.owner("POST", "/api/v1/privacy/purposes/adopt").json(&json!({"presets": true})).send().json();
        let own = adopt();
        assert_eq!(own["items"].as_array().map(Vec::len), presets["items"].as_array().map(Vec::len));
        assert_ne!(own["items"][0]["id"], "0");
        assert_eq!(adopt()["items"], own["items"], "once");
        let consent = |state: &str, wording: &str| {
            let body = json!({"channel": "email", "address": "ann@example.com", "purpose": "marketing", "state": state, "wording": wording, "wording_version": "2"});
            assert_eq!(shop.owner("POST", "/api/v1/consents").json(&body).send().status, 201);
        };
        consent("granted", "Write to me");
        consent("denied", "Write to me");
        consent("granted", "Write to me often");
        let found = shop.owner("GET", "/api/v1/privacy/wordings").send().json();
        let of: Vec<(&Value, &Value, &Value)> = found["items"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|w| (&w["wording"], &w["granted"], &w["denied"]))
            .collect();
        assert_eq!(
            of,
            [(&json!("Write to me often"), &json!(1), &json!(0)), (&json!("Write to me"), &json!(1), &json!(1))]
        );
        assert_eq!((&found["items"][0]["version"], &found["items"][0]["source"]), (&json!("2"), &Value::Null));
    }
}
