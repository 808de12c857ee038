//! Signing in, second factors, invitations, keys with scopes, stores, masks, views, approvals, the audit's chain.
use super::harness::{Answer, Ask, Shop, shops};
use serde_json::{Value, json};

/// Somebody on the console.
struct Staff<'a> {
    shop: &'a Shop,
    cookie: String,
}

impl Staff<'_> {
    fn ask<'b>(&self, method: &'b str, path: &'b str) -> Ask<'b> {
        self.shop.ask(method, path).header("cookie", &self.cookie).header("x-braid-csrf", "1")
    }
    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send()
    }
    fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path).json(body).send()
    }
}

fn sign_in<'a>(shop: &'a Shop, email: &str, password: &str, code: Option<&str>) -> Result<Staff<'a>, (u16, String)> {
    let body = json!({"email": email, "password": password, "code": code});
    let answer = shop.ask("POST", "/api/v1/session").json(&body).send();
    if answer.status != 200 {
        return Err(answer.code());
    }
    let cookie = answer.headers["set-cookie"].split(';').next().unwrap_or_default().to_string();
    Ok(Staff { shop, cookie })
}

fn staff<'a>(shop: &'a Shop, email: &str, role: &str, stores: &[&str]) -> Staff<'a> {
    let body = json!({"email": email, "name": email, "role": role, "stores": stores, "password": "long enough"});
    assert_eq!(shop.owner("POST", "/api/v1/users").json(&body).send().status, 201);
    sign_in(shop, email, "long enough", None).unwrap_or_else(|e| panic!("{e:?}"))
}

fn key(shop: &Shop, body: Value) -> String {
    let made = shop.owner("POST", "/api/v1/api-keys").json(&body).send();
    assert_eq!(made.status, 201, "{}", made.text);
    format!("Bearer {}", made.json()["key"].as_str().unwrap_or_default())
}

const SECRETS: [&str; 6] =
    ["olena.kovalenko", "671234567", "67 123 45 67", "ivan.petrenko", "44 20 7946 0018", "442079460018"];

/// People with contacts in every place where events may carry them.
fn seed(shop: &Shop) {
    let events = [
        (
            "/v1/identify",
            json!({"userId": "u1", "messageId": "1", "traits": {"name": "Олена", "email": "olena.kovalenko@example.com",
            "phone": "+380 67 123 45 67", "contacts": [{"viber": "380671234567"}]},
            "context": {"page": {"url": "https://shop.ua/?email=olena.kovalenko%40example.com"}}}),
        ),
        (
            "/v1/track",
            json!({"userId": "u1", "event": "Order Completed", "messageId": "2",
            "properties": {"store_id": "lviv-1", "order_id": "o1", "note": "call +380671234567 or olena.kovalenko@example.com"}}),
        ),
        (
            "/v1/track",
            json!({"userId": "ivan.petrenko@example.com", "event": "Lead", "messageId": "3",
            "properties": {"store_id": "kyiv-1", "contact_phone": 442079460018i64, "text": "tel. +44 20 7946 0018"}}),
        ),
        // Refused, and kept with its body.
        (
            "/v1/track",
            json!({"userId": "u1", "messageId": "4", "properties": {"email": "olena.kovalenko@example.com"}}),
        ),
    ];
    for (path, body) in events {
        shop.track(path, &body);
    }
    let consent = json!({"channel": "email", "address": "olena.kovalenko@example.com", "purpose": "marketing", "state": "granted", "wording": "yes"});
    assert_eq!(shop.owner("POST", "/api/v1/consents").json(&consent).send().status, 201);
    let segment = json!({"name": "S", "expression": "count(\"Order Completed\") >= 1"});
    assert_eq!(shop.owner("POST", "/api/v1/segments").json(&segment).send().status, 201);
}

#[test]
fn no_answer_shows_a_contact_to_who_may_not_see_it() {
    for shop in shops() {
        seed(&shop);
        let segment = shop.owner("GET", "/api/v1/segments").send().json()["items"][0]["id"].clone();
        let segment = segment.as_str().unwrap_or_default().to_string();
        let document = serde_json::to_value(crate::api::document()).expect("serializes");
        for role in ["marketer", "agent", "analyst", "shop_assistant"] {
            let key = key(
                &shop,
                json!({"name": role, "role": role, "stores": if role == "shop_assistant" { vec!["lviv-1"] } else { vec![] }}),
            );
            let mut seen = 0;
            for (path, item) in document["paths"].as_object().expect("paths") {
                if item.get("get").is_none() || path.ends_with("/stream") || path.ends_with("/live") {
                    continue;
                }
                let id = if path.contains("/segments/") { &*segment } else { "1" };
                let path = path.replace("{person_id}", "1").replace("{seq}", "1").replace("{id}", id);
                let more = if path.ends_with("/lookup") { "?phone=0671234567" } else { "" };
                let path = format!("{path}{more}");
                let answer = shop.ask("GET", &path).header("authorization", &key).send();
                for secret in SECRETS {
                    assert!(!answer.text.contains(secret), "{role} {path}: {secret} in {}", answer.text);
                }
                seen += u32::from(answer.status == 200);
                // The owner sees the same answer plainly, so that this test would notice an empty one.
                if path.ends_with("/customers/1") {
                    let plain = shop.owner("GET", &path).send();
                    assert!(plain.text.contains("olena.kovalenko@example.com"));
                    assert!(answer.text.contains("o•••@example.com"), "{}", answer.text);
                }
            }
            assert!(seen >= 4, "{role} saw {seen}");
            let preview = json!({"expression": "count(\"Order Completed\") >= 1"});
            let answer =
                shop.ask("POST", "/api/v1/segments/preview").header("authorization", &key).json(&preview).send();
            assert!(SECRETS.iter().all(|s| !answer.text.contains(s)), "{role}: {}", answer.text);
            // Contacts cannot be guessed letter by letter, but a whole one finds its customer.
            if role != "shop_assistant" {
                let find = |query: &str| {
                    let path = format!("/api/v1/customers?query={query}");
                    shop.ask("GET", &path).header("authorization", &key).send().json()["items"].as_array().map(Vec::len)
                };
                assert_eq!((find("06712"), find("0671234567")), (Some(0), Some(1)), "{role}");
            }
        }
        let events: String = shop.owner("GET", "/api/v1/events").send().text;
        assert!(events.contains("ivan.petrenko") || events.contains("Lead"));
    }
}

#[test]
fn a_stream_is_masked_while_it_runs() {
    let shop = Shop::new();
    seed(&shop);
    let key = key(&shop, json!({"name": "a", "role": "analyst"}));
    let mut lines = shop.ask("GET", "/api/v1/customers/1/stream").header("authorization", &key).stream();
    assert!(lines.any(|l| l == ": open"));
    let body = json!({"userId": "u1", "event": "Call Asked", "messageId": "9", "properties": {"phone": "0671234567", "mail": "olena.kovalenko@example.com"}});
    assert_eq!(shop.track("/v1/track", &body).status, 200);
    let line = lines.find(|l| l.contains("Call Asked")).expect("the event is told");
    assert!(SECRETS.iter().all(|s| !line.contains(s)), "{line}");
}

#[test]
fn one_contact_is_shown_for_a_reason_that_the_audit_keeps() {
    for shop in shops() {
        seed(&shop);
        let agent = staff(&shop, "agent@example.com", "agent", &[]);
        let without = agent.post("/api/v1/customers/1/reveal", &json!({"reason": " "}));
        assert_eq!(without.code(), (422, "bad_input".into()));
        let answer = agent.post("/api/v1/customers/1/reveal", &json!({"reason": "asked to be called back"}));
        assert!(
            answer.text.contains("+380671234567") && answer.text.contains("olena.kovalenko@example.com"),
            "{}",
            answer.text
        );
        let audit = shop.owner("GET", "/api/v1/audit?action=reveal&actor=agent@example.com").send().json();
        assert_eq!(audit["items"][0]["after"]["reason"], "asked to be called back");
        assert!(SECRETS.iter().all(|s| !audit.to_string().contains(s)), "the values are not in the audit");
        let assistant = staff(&shop, "till@example.com", "shop_assistant", &["lviv-1"]);
        let refused = assistant.post("/api/v1/customers/1/reveal", &json!({"reason": "asked to be called back"}));
        assert_eq!(refused.code(), (403, "not_allowed".into()));
    }
}

#[test]
fn a_shop_assistant_serves_their_own_store_and_whoever_they_can_name() {
    for shop in shops() {
        seed(&shop);
        let assistant = staff(&shop, "kyiv@example.com", "shop_assistant", &["kyiv-1"]);
        let people = |answer: &Answer| {
            let items = answer.json()["items"].as_array().cloned().unwrap_or_default();
            items.iter().map(|i| i["person_id"].as_str().unwrap_or_default().to_string()).collect::<Vec<_>>()
        };
        let list = assistant.get("/api/v1/customers");
        assert_eq!((people(&list), &list.json()["total"]), (vec!["2".to_string()], &Value::Null));
        assert_eq!(assistant.get("/api/v1/customers/1").code(), (404, "not_found".into()));
        assert_eq!(assistant.get("/api/v1/customers/1/timeline").code(), (404, "not_found".into()));
        assert_eq!(assistant.get("/api/v1/customers/2").status, 200);
        assert_eq!(assistant.get("/api/v1/customers/lookup?phone=0671234567").status, 200);
        assert_eq!(assistant.get("/api/v1/customers/1/timeline").status, 200);
        let nobody = staff(&shop, "new@example.com", "shop_assistant", &[]);
        assert_eq!(people(&nobody.get("/api/v1/customers")), Vec::<String>::new());
        assert_eq!(nobody.get("/api/v1/home").code(), (403, "not_allowed".into()));
    }
}

#[test]
fn a_key_has_only_its_scopes_and_ends() {
    for shop in shops() {
        seed(&shop);
        let narrow = key(&shop, json!({"name": "n", "role": "owner", "scopes": ["customers:read"], "expires_days": 1}));
        let ask = |key: &str, method, path| shop.ask(method, path).header("authorization", key).send();
        assert_eq!(ask(&narrow, "GET", "/api/v1/customers/1").status, 200);
        assert!(
            !ask(&narrow, "GET", "/api/v1/customers/1").text.contains("olena.kovalenko@"),
            "seeing contacts is a scope too"
        );
        assert_eq!(ask(&narrow, "GET", "/api/v1/audit").code(), (403, "not_allowed".into()));
        assert_eq!(ask(&narrow, "POST", "/api/v1/api-keys").code(), (403, "not_allowed".into()));
        let elsewhere = key(&shop, json!({"name": "e", "role": "owner", "networks": ["192.0.2.0/24"]}));
        assert_eq!(ask(&elsewhere, "GET", "/api/v1/home").code(), (403, "not_allowed".into()));
        let here = key(&shop, json!({"name": "h", "role": "owner", "networks": ["127.0.0.0/8"]}));
        assert_eq!(ask(&here, "GET", "/api/v1/home").status, 200);
        let of_store = key(&shop, json!({"name": "s", "role": "analyst", "stores": ["kyiv-1"]}));
        assert_eq!(ask(&of_store, "GET", "/api/v1/customers/1").code(), (404, "not_found".into()));
        assert_eq!(ask(&of_store, "GET", "/api/v1/events").code(), (403, "not_allowed".into()));
        let listed = shop.owner("GET", "/api/v1/api-keys").send().json();
        let found =
            listed["items"].as_array().and_then(|k| k.iter().find(|k| k["name"] == "h")).cloned().unwrap_or_default();
        assert!(found["used_at"].is_string() && found.get("key").is_none(), "{found}");
        for (bad, place) in [
            (json!({"name": "x", "role": "agent", "scopes": ["audit:read"]}), "/scopes/0"),
            (json!({"name": "x", "role": "agent", "networks": ["10.0.0.0/40"]}), "/networks/0"),
            (json!({"name": "x", "role": "agent", "expires_days": 0}), "/expires_days"),
        ] {
            let answer = shop.owner("POST", "/api/v1/api-keys").json(&bad).send();
            assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (422, &json!(place)));
        }
        let id = found["id"].as_str().unwrap_or_default();
        assert_eq!(shop.owner("DELETE", &format!("/api/v1/api-keys/{id}")).send().status, 204);
        assert_eq!(ask(&here, "GET", "/api/v1/home").code(), (401, "not_signed_in".into()));
    }
}

#[test]
fn an_invitation_works_once_and_a_new_password_ends_old_sessions() {
    for shop in shops() {
        let body = json!({"email": "New@Example.com", "name": "Нова", "role": "agent"});
        let made = shop.owner("POST", "/api/v1/invitations").header("idempotency-key", "i1").json(&body).send();
        assert_eq!(made.status, 201);
        let again = shop.owner("POST", "/api/v1/invitations").header("idempotency-key", "i1").json(&body).send();
        assert!(again.json().get("link").is_none(), "a link is shown once");
        let link = made.json()["link"].as_str().unwrap_or_default().to_string();
        let token = link.split('#').nth(1).unwrap_or_default();
        assert!(link.contains("/join#") && token.len() > 20);
        let join = |token: &str, password: &str| {
            let body = json!({"token": token, "password": password});
            shop.ask("POST", "/api/v1/invitations/accept").json(&body).send()
        };
        assert_eq!(join(token, "short").code(), (422, "bad_input".into()));
        assert_eq!(join("wrong", "long enough").code(), (404, "not_found".into()));
        assert_eq!(join(token, "first password").status, 204);
        assert_eq!(join(token, "other password").code(), (404, "not_found".into()));
        let user = sign_in(&shop, "new@example.com", "first password", None).unwrap_or_else(|e| panic!("{e:?}"));
        let me = user.get("/api/v1/session").json();
        assert_eq!((&me["role"], &me["own_password"], &me["name"]), (&json!("agent"), &json!(true), &json!("Нова")));
        assert!(
            me["rights"]
                .as_array()
                .is_some_and(|r| r.contains(&json!("contacts:use")) && !r.contains(&json!("audit:read")))
        );
        // A new password signs out everywhere else, not here.
        let other = sign_in(&shop, "new@example.com", "first password", None).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(user.get("/api/v1/sessions").json()["items"].as_array().map(Vec::len), Some(2));
        let wrong = user.post("/api/v1/session/password", &json!({"password": "x", "new_password": "second password"}));
        assert_eq!(wrong.code(), (422, "bad_input".into()));
        let done = user.post(
            "/api/v1/session/password",
            &json!({"password": "first password", "new_password": "second password"}),
        );
        assert_eq!(
            (done.status, user.get("/api/v1/session").status, other.get("/api/v1/session").status),
            (204, 200, 401)
        );
        // Reset by an owner: a link, and nobody is signed in any more once it is used.
        let users = shop.owner("GET", "/api/v1/users").send().json();
        let id = users["items"][1]["id"].as_str().unwrap_or_default().to_string();
        let reset =
            shop.owner("POST", &format!("/api/v1/users/{id}/reset")).json(&json!({"what": "password"})).send().json();
        let token = reset["link"].as_str().and_then(|l| l.split('#').nth(1)).unwrap_or_default().to_string();
        assert_eq!((join(&token, "third password").status, user.get("/api/v1/session").status), (204, 401));
        assert!(sign_in(&shop, "new@example.com", "third password", None).is_ok());
        // Deactivated: out at once.
        let user = sign_in(&shop, "new@example.com", "third password", None).unwrap_or_else(|e| panic!("{e:?}"));
        let off = json!({"name": "Нова", "role": "agent", "stores": [], "active": false});
        assert_eq!(shop.owner("PUT", &format!("/api/v1/users/{id}")).json(&off).send().status, 200);
        assert_eq!(user.get("/api/v1/session").status, 401);
        assert_eq!(
            sign_in(&shop, "new@example.com", "third password", None).err(),
            Some((401, "bad_credentials".into()))
        );
        // The last owner stays.
        let owner = users["items"][0]["id"].as_str().unwrap_or_default();
        let less = json!({"name": "Owner", "role": "agent", "stores": [], "active": true});
        assert_eq!(
            shop.owner("PUT", &format!("/api/v1/users/{owner}")).json(&less).send().code(),
            (409, "conflict".into())
        );
    }
}

#[test]
fn one_ends_ones_own_sessions_only() {
    let shop = Shop::new();
    let (ann, bob) = (staff(&shop, "ann@example.com", "agent", &[]), staff(&shop, "bob@example.com", "agent", &[]));
    let second = sign_in(&shop, "ann@example.com", "long enough", None).unwrap_or_else(|e| panic!("{e:?}"));
    let sessions = ann.get("/api/v1/sessions").json();
    let of = |current: bool| {
        let items = sessions["items"].as_array().cloned().unwrap_or_default();
        let found =
            items.iter().find(|s| s["current"] == current).map(|s| s["id"].as_str().unwrap_or_default().to_string());
        found.unwrap_or_default()
    };
    let path = format!("/api/v1/sessions/{}", of(false));
    assert_eq!(bob.ask("DELETE", &path).send().code(), (404, "not_found".into()));
    assert_eq!(ann.ask("DELETE", &path).send().status, 204);
    assert_eq!((second.get("/api/v1/session").status, ann.get("/api/v1/session").status), (401, 200));
}

#[test]
fn a_second_factor_is_asked_for_and_no_code_works_twice() {
    for shop in shops() {
        let ann = staff(&shop, "ann@example.com", "owner", &[]);
        let begun = ann.post("/api/v1/session/second-factor", &json!({"password": "long enough"})).json();
        let secret = begun["secret"].as_str().unwrap_or_default().to_string();
        let bytes = crate::totp::from_base32(&secret).expect("base 32");
        let code = |steps: i64| {
            let step = shop.app().now().micros() / base::SECOND_US / crate::totp::STEP_S + steps;
            crate::totp::code(&bytes, step as u64, 6)
        };
        // The code of the step before, so that the present one is still good afterwards.
        let confirmed = ann.post("/api/v1/session/second-factor/confirm", &json!({"code": code(-1)}));
        let recovery = confirmed.json()["recovery_codes"].as_array().cloned().unwrap_or_default();
        assert_eq!((confirmed.status, recovery.len()), (200, 10));
        let go = |code: Option<&str>| sign_in(&shop, "ann@example.com", "long enough", code).map(|_| ());
        let needed = || Err((401, "second_factor_needed".to_string()));
        assert_eq!(go(None), needed());
        let present = code(0);
        assert_eq!(go(Some(&present)), Ok(()));
        assert_eq!(go(Some(&present)), needed(), "a replay");
        let spare = recovery[0].as_str().unwrap_or_default();
        assert_eq!((go(Some(spare)), go(Some(spare))), (Ok(()), needed()));
        // Neither secret nor codes lie in the database as they are.
        let (secret, code) = (secret.clone(), spare.replace('-', ""));
        let row = shop.app().domain.store().query(move |db| {
            let row = db.first("SELECT totp FROM users WHERE email = $1", &["ann@example.com".into()])?;
            row.map(|r| r.text(0).map(str::to_string)).transpose()
        });
        let stored = row.expect("reads").unwrap_or_default();
        assert!(stored.starts_with("v1.") && !stored.contains(&secret) && !stored.contains(&code));
        let id =
            shop.owner("GET", "/api/v1/users").send().json()["items"][1]["id"].as_str().unwrap_or_default().to_string();
        let reset =
            shop.owner("POST", &format!("/api/v1/users/{id}/reset")).json(&json!({"what": "second_factor"})).send();
        assert_eq!((reset.status, go(None)), (204, Ok(())));
    }
}

#[test]
fn a_shop_may_ask_its_owners_for_a_second_factor_first() {
    let shop = Shop::new();
    let ann = staff(&shop, "ann@example.com", "owner", &[]);
    assert_eq!(ann.get("/api/v1/home").status, 200);
    set_policy(&shop, &[("owners_need_second_factor", json!(true))]);
    assert_eq!(ann.get("/api/v1/home").code(), (403, "not_allowed".into()));
    assert_eq!(ann.get("/api/v1/session").json()["second_factor_owed"], true);
    assert_eq!(ann.post("/api/v1/session/second-factor", &json!({"password": "long enough"})).status, 200);
}

fn set_policy(shop: &Shop, changes: &[(&str, Value)]) {
    let mut policy = shop.owner("GET", "/api/v1/settings/security").send().json();
    for (name, value) in changes {
        policy[*name] = value.clone();
    }
    let answer = shop.owner("PUT", "/api/v1/settings/security").json(&policy).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[test]
fn who_looks_at_too_many_is_told_about_and_stopped() {
    for mut shop in shops() {
        for n in 0..12 {
            let body = json!({"userId": format!("v{n}"), "event": "A", "messageId": n.to_string()});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
        }
        set_policy(&shop, &[("views_alarm", json!(5)), ("views_limit", json!(8))]);
        let agent = staff(&shop, "agent@example.com", "agent", &[]);
        for n in 1..=5 {
            assert_eq!(agent.get(&format!("/api/v1/customers/{n}")).status, 200);
            assert_eq!(agent.get(&format!("/api/v1/customers/{n}/timeline")).status, 200, "one customer counts once");
        }
        let alarms = shop.owner("GET", "/api/v1/view-alarms").send().json();
        assert_eq!(
            (&alarms["items"][0]["actor"], &alarms["items"][0]["persons"]),
            (&json!("agent@example.com"), &json!(5))
        );
        let home = shop.owner("GET", "/api/v1/home").send().json();
        assert!(home["attention"].as_array().is_some_and(|a| a.iter().any(|a| a["kind"] == "unusual_views")), "{home}");
        // A page of the list shows the others, and that is too many.
        assert_eq!(agent.get("/api/v1/customers?limit=50").status, 200);
        let stopped = agent.get("/api/v1/customers/1");
        assert_eq!(stopped.code(), (429, "too_many_views".into()));
        assert!(stopped.headers["retry-after"].parse::<u32>().is_ok_and(|s| s <= 3660));
        let cookie = agent.cookie.clone();
        shop.restart();
        let agent = Staff { shop: &shop, cookie };
        assert_eq!(
            agent.get("/api/v1/customers/1").code(),
            (429, "too_many_views".into()),
            "a restart forgives nobody"
        );
        let views = shop.owner("GET", "/api/v1/audit/views/1").send().json();
        let own = views["items"].as_array().and_then(|v| v.iter().find(|v| v["actor"] == "agent@example.com")).cloned();
        assert_eq!(own.expect("is in the books")["times"], 3);
        let id = alarms["items"][0]["id"].as_str().unwrap_or_default();
        assert_eq!(shop.owner("POST", &format!("/api/v1/view-alarms/{id}/close")).send().status, 204);
    }
}

#[test]
fn a_large_export_needs_another_owner() {
    for shop in shops() {
        let (ann, bob) = (staff(&shop, "ann@example.com", "owner", &[]), staff(&shop, "bob@example.com", "owner", &[]));
        let agent = staff(&shop, "agent@example.com", "agent", &[]);
        let wanted = json!({"what": "customers", "rows": 2000, "reason": "for the printer"});
        assert_eq!(agent.post("/api/v1/export-approvals", &wanted).code(), (403, "not_allowed".into()));
        let made = ann.post("/api/v1/export-approvals", &wanted).json();
        let id: i64 = made["id"].as_str().and_then(|i| i.parse().ok()).unwrap_or_default();
        let decide = format!("/api/v1/export-approvals/{id}/decide");
        let permit = |rows: i64| {
            let caller = crate::caller::Caller {
                actor: "ann@example.com".into(),
                ..crate::caller::Caller::of_role("ann@example.com", crate::access::Role::Owner)
            };
            let policy = crate::policy::Policy::default();
            let app = shop.app().clone();
            let (sender, receiver) = std::sync::mpsc::channel();
            let f =
                move |tx: &mut db::Tx| crate::approvals::permit(tx, &caller, &policy, ("customers", rows), Some(id));
            app.domain.store().write_with(f, move |answer| drop(sender.send(answer)));
            receiver.recv().expect("an answer").map_err(|p: crate::problem::Problem| p.code.code)
        };
        assert_eq!(permit(2000), Err("approval_needed"), "nobody has approved it");
        assert_eq!(ann.post(&decide, &json!({"approve": true})).code(), (403, "not_allowed".into()), "not by oneself");
        assert_eq!(
            shop.owner("POST", &decide).json(&json!({"approve": true})).send().code(),
            (403, "not_allowed".into()),
            "not by a key"
        );
        assert_eq!(bob.post(&decide, &json!({"approve": true})).json()["state"], "approved");
        assert_eq!(bob.post(&decide, &json!({"approve": false})).code(), (409, "conflict".into()));
        assert_eq!(permit(2001), Err("approval_needed"), "more rows than approved");
        let given = permit(2000).expect("may go");
        assert_eq!(given.approval, Some(id));
        assert_eq!(permit(2000), Err("approval_needed"), "once");
        let audit = shop.owner("GET", "/api/v1/audit?action=export").send().json();
        assert_eq!(audit["items"][0]["after"]["mark"], given.mark());
    }
}

#[test]
fn a_changed_audit_is_found() {
    for shop in shops() {
        for n in 0..3 {
            let body = json!({"name": format!("K{n}"), "role": "agent"});
            assert_eq!(shop.owner("POST", "/api/v1/api-keys").json(&body).send().status, 201);
        }
        let verify = || shop.app().domain.store().query(crate::audit::verify).expect("reads");
        assert_eq!(verify(), []);
        let entries = shop.owner("GET", "/api/v1/audit?subject_kind=api_key").send().json();
        let newest = &entries["items"][0];
        let fields: Vec<&str> =
            newest["changed"].as_array().into_iter().flatten().filter_map(|c| c["field"].as_str()).collect();
        assert_eq!(newest["subject_name"], "K2");
        assert!(fields.contains(&"role") && fields.contains(&"name"), "{newest}");
        let export = shop.owner("GET", "/api/v1/audit/export").send().text;
        assert!(export.lines().count() >= 4 && export.lines().next().is_some_and(|l| l.contains("\"head\"")));
        let spoil =
            |sql: &'static str| shop.app().domain.store().write(move |tx| tx.execute(sql, &[])).expect("writes");
        assert_eq!(spoil("UPDATE audit SET actor = 'somebody else' WHERE id = (SELECT MIN(id) FROM audit)"), 1);
        assert_eq!(verify().len(), 1);
        spoil("DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)");
        assert!(!verify().is_empty());
    }
}
