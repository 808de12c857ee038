//! Moving in, over HTTP and on both engines: comparisons with an old tool, decisions, saved mappings.
use super::harness::{Answer, Shop, shops};
use base::{Clock, DAY_US, SystemClock, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

fn upload(shop: &Shop, name: &str, text: &str) -> String {
    let made = shop.owner("POST", "/api/v1/uploads").json(&json!({"name": name, "size": text.len()})).send().json();
    let id = made["id"].as_str().expect("an id").to_string();
    let put = shop.owner("PUT", &format!("/api/v1/uploads/{id}?offset=0")).body(text.as_bytes()).send();
    assert_eq!(put.status, 200, "{}", put.text);
    id
}

fn wait(shop: &Shop, id: &str) -> Value {
    for _ in 0..1500 {
        let found = shop.owner("GET", &format!("/api/v1/jobs/{id}")).send().json();
        match found["state"].as_str() {
            Some("done" | "failed") => return found,
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    panic!("the job {id} is never done");
}

fn module(shop: &Shop, kind: &str, settings: Value) -> String {
    let made = shop
        .owner("POST", "/api/v1/parallel-run")
        .json(&json!({"name": format!("{kind} of the old tool"), "module": kind, "settings": settings}))
        .send();
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().expect("an id").to_string()
}

fn settings(green_days: u32) -> Value {
    json!({"items_permille": 5, "sum_permille": 2, "day_border_counts": false, "green_days": green_days,
        "open_differences": 0, "stale_days": 3, "live_only": true})
}

fn compare(shop: &Shop, module: &str, file: &str, text: &str, more: Value) -> Value {
    let mut body = json!({"upload": upload(shop, file, text)});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let begun = shop.owner("POST", &format!("/api/v1/parallel-run/{module}/comparisons")).json(&body).send();
    assert_eq!(begun.status, 201, "{}", begun.text);
    let job = wait(shop, begun.json()["job_id"].as_str().expect("a job"));
    assert_eq!(job["state"], "done", "{job}");
    job["result"].clone()
}

fn page(shop: &Shop, module: &str) -> Value {
    shop.owner("GET", &format!("/api/v1/parallel-run/{module}")).send().json()
}

/// A day some days ago, and a moment at noon of it.
fn ago(days: i64) -> (String, String) {
    let at = Timestamp::from_micros(SystemClock.now().micros() - days * DAY_US).to_string();
    let day = at[..10].to_string();
    (day.clone(), format!("{day}T12:00:00Z"))
}

fn order(shop: &Shop, number: &str, at: &str, total: &str) {
    let total: Value = serde_json::from_str(total).expect("a number");
    let body = json!({"userId": format!("u{number}"), "event": "Order Completed", "messageId": format!("m{number}"), "timestamp": at,
        "properties": {"order_id": number, "total": total, "currency": "GBP"}});
    assert_eq!(shop.track("/v1/track", &body).status, 200);
}

fn person<'a>(shop: &'a Shop) -> impl Fn(&'a str, &'a str, &Value) -> Answer {
    let body = json!({"email": "owner@example.com", "password": shop.keys.password});
    let answer = shop.ask("POST", "/api/v1/session").json(&body).send();
    let cookie = answer.headers["set-cookie"].split(';').next().unwrap_or_default().to_string();
    move |method, path, body| {
        shop.ask(method, path).header("cookie", &cookie).header("x-braid-csrf", "1").json(body).send()
    }
}

#[test]
fn an_old_tools_orders_are_compared_day_by_day_until_somebody_decides() {
    // [AD2] both systems side by side: every difference has its cause, go or no go is signed.
    for shop in shops() {
        let ((first, first_noon), (second, second_noon)) = (ago(2), ago(1));
        order(&shop, "1", &first_noon, "10.50");
        order(&shop, "2", &second_noon, "20");
        order(&shop, "3", &second_noon, "30");
        order(&shop, "9", &second_noon, "90");
        let id = module(&shop, "orders", settings(1));
        let file = format!(
            "order_id,date,email,total,status\n1,{first_noon},a@example.com,10.50,paid\n2,{second_noon},b@example.com,21,paid\n\
             3,{second_noon},c@example.com,30,paid\n4,{second_noon},d@example.com,40,paid\n5,{second_noon},e@example.com,no amount,paid\n"
        );
        let done = compare(&shop, &id, "orders.csv", &file, json!({}));
        assert_eq!(
            done["figures"]["causes"],
            json!({"different_value": 1, "missing_in_braid": 1, "missing_there": 1, "rejected_row": 1}),
            "{done}"
        );
        assert_eq!((done["verdict"].as_str(), done["from_day"].as_str()), (Some("no_go"), Some(first.as_str())));
        let found = page(&shop, &id);
        let days: Vec<(&str, &str)> = found["days"]
            .as_array()
            .expect("days")
            .iter()
            .map(|d| (d["day"].as_str().unwrap_or_default(), d["verdict"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(days, [(second.as_str(), "no_go"), (first.as_str(), "go")]);
        assert_eq!(found["module"]["standing"]["open_differences"], 4);
        let list = |query: &str| {
            shop.owner("GET", &format!("/api/v1/parallel-run/{id}/differences?{query}")).send().json()["items"].clone()
        };
        let wrong = list("cause=different_value");
        assert_eq!((&wrong[0]["there"]["value"], &wrong[0]["here"]["value"]), (&json!(2100), &json!(2000)));
        assert!(list("cause=rejected_row")[0]["why"].as_str().expect("why").contains("this is no amount"));
        assert_eq!(list("limit=2").as_array().map(Vec::len), Some(2));
        let ids: Vec<Value> = list("open=true").as_array().expect("a list").iter().map(|d| d["id"].clone()).collect();
        let explain = json!({"ids": ids, "note": "a test order of the old shop"});
        let path = format!("/api/v1/parallel-run/{id}/differences");
        assert_eq!(shop.owner("POST", &path).json(&explain).send().json()["explained"], 4);
        // The same file again: what was explained stays so.
        compare(&shop, &id, "orders.csv", &file, json!({}));
        assert_eq!(page(&shop, &id)["module"]["standing"]["open_differences"], 0);
        assert_eq!(page(&shop, &id)["runs"].as_array().map(Vec::len), Some(2));
        let path = format!("/api/v1/parallel-run/{id}/decisions");
        let go = json!({"decision": "go", "reason": "all differences are explained"});
        assert_eq!(
            shop.owner("POST", &path).json(&go).send().code(),
            (403, "not_allowed".into()),
            "a key decides nothing"
        );
        let ask = person(&shop);
        let refused = ask("POST", &path, &go);
        assert_eq!(refused.code(), (409, "conflict".into()));
        assert!(refused.text.contains("0 green days in a row, 1 wanted"), "{}", refused.text);
        // The old tool corrects its file: the day turns green.
        let fixed = format!(
            "order_id,date,email,total,status\n2,{second_noon},b@example.com,20,paid\n3,{second_noon},c@example.com,30,paid\n9,{second_noon},c@example.com,90,paid\n"
        );
        compare(&shop, &id, "orders.csv", &fixed, json!({}));
        assert_eq!(page(&shop, &id)["module"]["standing"]["green_days"], 2);
        assert_eq!(ask("POST", &path, &go).status, 200);
        assert_eq!(ask("POST", &path, &json!({"decision": "back", "reason": "not yet"})).code().0, 409);
        let switched = ask("POST", &path, &json!({"decision": "switch", "reason": "two weeks were green"}));
        assert_eq!((switched.status, switched.json()["switched_by"].as_str()), (200, Some("owner@example.com")));
        assert_eq!(
            ask("POST", &path, &json!({"decision": "back", "reason": "the till is down"})).json()["switched_at"],
            Value::Null
        );
        let decisions = page(&shop, &id)["decisions"].clone();
        let told: Vec<&str> =
            decisions.as_array().expect("a list").iter().filter_map(|d| d["decision"].as_str()).collect();
        assert_eq!(told, ["back", "switch", "go"]);
        let audit = shop.owner("GET", "/api/v1/audit?limit=20").send().text;
        assert!(audit.contains("\"switch\"") && audit.contains("two weeks were green"), "{audit}");
        shop.assert_clean();
    }
}

#[test]
fn totals_customers_opt_ins_and_segments_are_compared_too() {
    // [AD2] revenue, customers, opt-ins and sizes of segments, each in the old tool's own words.
    for shop in shops() {
        let ((first, first_noon), (second, second_noon)) = (ago(2), ago(1));
        order(&shop, "1", &first_noon, "10.50");
        order(&shop, "2", &first_noon, "9.50");
        order(&shop, "3", &second_noon, "30");
        let revenue = module(&shop, "revenue", settings(2));
        let text = format!("Day,Revenue\n{first},20.00\n{second},31.00\n");
        let done = compare(&shop, &revenue, "revenue.csv", &text, json!({}));
        assert_eq!(done["figures"]["causes"], json!({"different_value": 1}), "{done}");
        assert_eq!((&done["figures"]["sum_there"], &done["figures"]["sum_here"]), (&json!(5100), &json!(5000)));
        for (name, email) in [("u1", "ann@example.com"), ("u2", "bob@example.com")] {
            let body = json!({"userId": name, "messageId": email, "traits": {"email": email}});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
            let body = json!({"channel": "email", "address": email, "purpose": "marketing", "state": "granted", "wording": "yes"});
            assert!(shop.owner("POST", "/api/v1/consents").json(&body).send().status < 300);
        }
        let customers = module(&shop, "customers", settings(1));
        let text = "email,first_name\nann@example.com,Ann\neve@example.com,Eve\nu3,Nobody\n";
        let done = compare(&shop, &customers, "people.csv", text, json!({}));
        assert_eq!(done["figures"]["same"], 1, "{done}");
        assert_eq!(
            done["figures"]["causes"],
            json!({"missing_in_braid": 1, "missing_there": 2, "rejected_row": 1}),
            "{done}"
        );
        // Of things without a day only the newest comparison is known, and what was explained stays so.
        let first = shop.owner("GET", &format!("/api/v1/parallel-run/{customers}/differences?open=true")).send().json();
        let explain = json!({"ids": [first["items"][0]["id"]], "note": "a test customer"});
        let path = format!("/api/v1/parallel-run/{customers}/differences");
        assert_eq!(shop.owner("POST", &path).json(&explain).send().json()["explained"], 1);
        compare(&shop, &customers, "people.csv", text, json!({}));
        assert_eq!(page(&shop, &customers)["module"]["standing"]["open_differences"], 3);
        let opt_ins = module(&shop, "opt_ins", settings(1));
        let text = "email,Accepts Marketing\nann@example.com,yes\nbob@example.com,no\n";
        let done = compare(&shop, &opt_ins, "optins.csv", text, json!({}));
        assert_eq!(
            (&done["figures"]["same"], &done["figures"]["causes"]),
            (&json!(1), &json!({"different_value": 1})),
            "{done}"
        );
        let made = shop
            .owner("POST", "/api/v1/segments")
            .json(&json!({"name": "Buyers", "expression": "count(\"Order Completed\") >= 1"}))
            .send();
        assert_eq!(made.status, 201);
        let filled = || page_of(&shop, "/api/v1/segments")["items"][0]["count"].clone();
        for _ in 0..400 {
            if filled() == json!(3) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let segments = module(&shop, "segments", settings(1));
        let done = compare(&shop, &segments, "sizes.csv", "Segment,Size\nBuyers,3\n", json!({}));
        assert_eq!((done["verdict"].as_str(), &done["figures"]["same"]), (Some("go"), &json!(1)), "{done}");
        let refused = shop
            .owner("POST", &format!("/api/v1/parallel-run/{segments}/comparisons"))
            .json(&json!({"upload": upload(&shop, "x.csv", "email,name\na@example.com,A\n")}))
            .send();
        assert_eq!(refused.code(), (422, "bad_input".into()));
        assert!(refused.text.contains("segment and value"), "{}", refused.text);
        shop.assert_clean();
    }
}

fn page_of(shop: &Shop, path: &'static str) -> Value {
    shop.owner("GET", path).send().json()
}

#[test]
fn a_mapping_is_saved_in_versions_and_offered_for_the_next_file() {
    for shop in shops() {
        let text = "Mail,Who,Card\nann@example.com,Ann,7\n";
        let look = |name: &str, text: &str| {
            let body = json!({"upload": upload(&shop, name, text), "kind": "customers"});
            shop.owner("POST", "/api/v1/imports/look").json(&body).send().json()
        };
        let looked = look("a.csv", text);
        assert_eq!(looked["saved"], json!([]));
        let mapping =
            |card: &str| json!({"kind": "customers", "columns": {"Mail": "email", "Who": "name", "Card": card}});
        let save = |card: &str| {
            let body =
                json!({"name": "Old CRM", "source": "CRM", "layout": looked["layout"], "mapping": mapping(card)});
            shop.owner("POST", "/api/v1/imports/mappings").json(&body).send()
        };
        let first = save("external:loyalty_card");
        assert_eq!((first.status, first.json()["version"].as_i64()), (201, Some(1)), "{}", first.text);
        assert_eq!(save("external:loyalty_card").json()["version"], 1, "nothing changed");
        assert_eq!(save("trait:card").json()["version"], 2);
        assert_eq!(save("no such meaning").code(), (422, "bad_input".into()));
        let again = look("b.csv", "card;who;mail\n8;Bob;bob@example.com\n");
        assert_eq!(
            (&again["saved"][0]["exact"], &again["saved"][0]["saved"]["version"]),
            (&json!(true), &json!(2)),
            "{again}"
        );
        let more = look("c.csv", "Mail,Who,Card,Extra\nc@example.com,C,9,x\n");
        assert_eq!(more["saved"][0]["exact"], false);
        assert_eq!(look("d.csv", "email,name\nc@example.com,C\n")["saved"], json!([]));
        let id = first.json()["id"].as_str().expect("an id").to_string();
        let versions = shop.owner("GET", &format!("/api/v1/imports/mappings/{id}")).send().json();
        let columns: Vec<&Value> =
            versions["items"].as_array().expect("a list").iter().map(|v| &v["mapping"]["columns"]["Card"]).collect();
        assert_eq!(columns, [&json!("trait:card"), &json!("external:loyalty_card")]);
        assert_eq!(shop.owner("DELETE", &format!("/api/v1/imports/mappings/{id}")).send().status, 204);
        assert_eq!(look("e.csv", text)["saved"], json!([]));
        shop.assert_clean();
    }
}

/// Imports a file as it is looked at; gives the job.
fn import(shop: &Shop, name: &str, text: &str, more: Value) -> Value {
    let looked = {
        // A file that is called after a system is read as its export.
        let preset = name.strip_suffix(".preset.csv");
        let body = json!({"upload": upload(shop, name, text), "kind": "customers", "preset": preset});
        shop.owner("POST", "/api/v1/imports/look").json(&body).send().json()
    };
    let mut body = json!({"upload": upload(shop, name, text), "layout": looked["layout"], "mapping": looked["mapping"], "source": "Old CRM"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let begun = shop.owner("POST", "/api/v1/imports").json(&body).send();
    assert_eq!(begun.status, 201, "{}", begun.text);
    wait(shop, begun.json()["job_id"].as_str().expect("a job"))
}

/// Some dozens of strangers, so that names are as common as they are.
fn strangers(shop: &Shop) {
    let names = ["Olha", "Petro", "Maria", "Andrii", "Iryna", "Oleh", "Nadiia", "Taras"];
    let surnames = ["Shevchenko", "Bondar", "Kravets", "Melnyk", "Tkach", "Lysenko", "Moroz"];
    for (n, name) in names.iter().enumerate() {
        for (m, surname) in surnames.iter().enumerate() {
            let user = format!("s{n}-{m}");
            let birthday = format!("19{}-{:02}-{:02}", 50 + n * 5 + m, 1 + m, 1 + n * 3);
            let body = json!({"userId": user, "messageId": user, "traits": {"firstName": name, "lastName": surname,
                "birthday": birthday, "email": format!("{user}@example.com"), "address": {"city": "Lviv"}}});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
        }
    }
}

#[test]
fn who_comes_without_a_shared_key_is_filed_for_a_look_and_never_joined_by_itself() {
    // [A6] the same person in another list, spelt otherwise, is found; a person decides.
    for shop in shops() {
        strangers(&shop);
        let body = json!({"userId": "kept", "messageId": "kept", "traits": {"firstName": "Solomiia", "lastName": "Hrytsenko",
            "birthday": "1987-04-12", "phone": "+447911123456", "address": {"city": "Lviv", "street": "Franka 12"}}});
        assert_eq!(shop.track("/v1/identify", &body).status, 200);
        let text = "email,First Name,Last Name,Birthday,City\nsolomia.h@example.com,Solomia,Hrytsenko,12.04.1987,Lviv\nnew@example.com,Zenon,Unknownenko,01.02.1999,Odesa\n";
        let imported = import(&shop, "list.csv", text, json!({}));
        assert_eq!(imported["state"], "done", "{imported}");
        let job = wait(&shop, imported["result"]["resolve_job_id"].as_str().expect("a job that looks"));
        assert_eq!(job["state"], "done", "{job}");
        let found = &job["result"]["recognised"];
        assert_eq!((&found["people"], &found["filed"], &found["joined"]), (&json!(2), &json!(1), &json!(0)), "{job}");
        let id = imported["id"].as_str().expect("an id").to_string();
        let again = shop.owner("GET", &format!("/api/v1/jobs/{id}")).send().json();
        assert_eq!(again["result"]["recognised"]["filed"], 1, "the import's own report tells it: {again}");
        let review = shop.owner("GET", "/api/v1/identity/review").send().json();
        let item = &review["items"][0];
        assert_eq!((item["rule"].as_str(), review["open"].as_i64()), (Some("resolve"), Some(1)), "{review}");
        assert!(item["probability"].as_f64().is_some_and(|p| p >= 0.5), "{item}");
        assert!(item["evidence"].as_str().is_some_and(|e| e.contains("surname")), "{item}");
        // Once more with another file of the same people: nothing is filed twice.
        let more =
            import(&shop, "again.csv", &format!("{text}third@example.com,Zorian,Other,03.03.1977,Rivne\n"), json!({}));
        let job = wait(&shop, more["result"]["resolve_job_id"].as_str().expect("a job that looks"));
        assert_eq!(
            (&job["result"]["recognised"]["people"], &job["result"]["recognised"]["filed"]),
            (&json!(1), &json!(0))
        );
        // Where the shop allows it, the surest are joined, reversibly and with their evidence.
        let policy =
            json!({"blocked_services": "stop", "resolve": {"file_from": 0.5, "join_from": 0.9, "at_most": 10}});
        assert_eq!(shop.owner("PUT", "/api/v1/settings/contacts").json(&policy).send().status, 200);
        let text = "email,First Name,Last Name,Birthday,City,Phone\nhsolomiya@example.com,Соломія,Гриценко,12.04.1987,Львів,\n";
        let auto = import(&shop, "auto.csv", text, json!({}));
        let job = wait(&shop, auto["result"]["resolve_job_id"].as_str().expect("a job that looks"));
        assert_eq!(job["state"], "done", "{job}");
        let found = &job["result"]["recognised"];
        assert!(found["joined"].as_u64().unwrap_or(0) + found["filed"].as_u64().unwrap_or(0) >= 1, "{job}");
        shop.assert_clean();
    }
}

#[test]
fn the_bases_quality_is_a_report_whose_numbers_open_their_people() {
    // [A6] what is missing, invalid or stale is counted for everybody, and each number opens its list.
    for shop in shops() {
        let people = [
            ("a", json!({"email": "a@mail.ru", "name": "Ann", "birthday": "1990-01-01"})),
            ("b", json!({"email": "b@example.com", "phone": "+447911123456", "name": "Bob"})),
            ("c", json!({"phone": "+447911123457"})),
        ];
        for (user, traits) in &people {
            let body = json!({"userId": user, "messageId": user, "traits": traits});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
        }
        let visit = json!({"anonymousId": "x", "messageId": "visit", "event": "Product Viewed"});
        assert_eq!(shop.track("/v1/track", &visit).status, 200);
        let grant = json!({"channel": "email", "address": "b@example.com", "purpose": "marketing", "state": "granted", "wording": "yes"});
        assert!(shop.owner("POST", "/api/v1/consents").json(&grant).send().status < 300);
        let begun = shop.owner("POST", "/api/v1/quality").json(&json!({})).send();
        assert_eq!(wait(&shop, begun.json()["job_id"].as_str().expect("a job"))["state"], "done");
        let report = shop.owner("GET", "/api/v1/quality").send().json();
        let day = &report["items"][0];
        assert_eq!((&day["people"], &day["anonymous"]), (&json!(3), &json!(1)), "{report}");
        let count = |check: &str| day["checks"][check].as_u64().unwrap_or(0);
        assert_eq!(
            [
                "no_email",
                "no_phone",
                "no_name",
                "email_blocked_service",
                "email_granted",
                "email_unsaid",
                "never_bought",
                "seen_30_days"
            ]
            .map(count),
            [1, 1, 1, 1, 1, 1, 3, 3],
            "{day}"
        );
        for check in report["checks"].as_array().expect("a list").iter().filter_map(Value::as_str) {
            let found = shop.owner("GET", &format!("/api/v1/quality/{check}")).send().json();
            assert_eq!(found["items"].as_array().map(Vec::len), Some(count(check) as usize), "{check}: {found}");
        }
        let page = shop.owner("GET", "/api/v1/quality/never_bought?limit=2").send().json();
        let next = page["next_cursor"].as_str().expect("there is more").to_string();
        let rest = shop.owner("GET", &format!("/api/v1/quality/never_bought?limit=2&cursor={next}")).send().json();
        assert_eq!(rest["items"].as_array().map(Vec::len), Some(1));
        let found = shop.owner("GET", "/api/v1/customers/lookup?user_id=a").send().json();
        let id = found["person_id"].as_str().expect("a person").to_string();
        let person = shop.owner("GET", &format!("/api/v1/customers/{id}")).send().json();
        let marked = person["identifiers"].as_array().expect("a list").iter().find(|i| i["kind"] == "email");
        assert_eq!(marked.expect("an address")["flaw"], "email_blocked_service", "{person}");
        shop.assert_clean();
    }
}

#[test]
fn the_way_back_gives_each_tool_its_own_file() {
    // [AD2] what came in, and what came live since, goes back in the tool's own columns and words.
    for shop in shops() {
        let text = "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,Tags\n500,Olena,Koval,olena@example.com,no,+447911123456,\"vip, garden\"\n";
        let imported = import(&shop, "shopify-customers.preset.csv", text, json!({"without_opt_outs": true}));
        assert_eq!(imported["state"], "done", "{imported}");
        let body =
            json!({"userId": "u7", "messageId": "live", "traits": {"firstName": "Live", "email": "live@example.com"}});
        assert_eq!(shop.track("/v1/identify", &body).status, 200);
        let (_, noon) = ago(1);
        let line = json!({"product_id": "7", "sku": "S-7", "name": "Tea, green", "quantity": 2, "price": 5.25});
        for event in ["Order Completed", "Order Refunded"] {
            let body = json!({"userId": "u7", "event": event, "messageId": event, "timestamp": noon,
                "properties": {"order_id": "77", "total": 10.5, "currency": "GBP", "products": [line]}});
            assert_eq!(shop.track("/v1/track", &body).status, 200);
        }
        let write = |preset: &str| {
            let preset = exchange::back::find(preset).expect("it is there");
            let domain = &shop.app().domain;
            domain.store().write(|tx| tx.flush_table::<customers::profiles::Profiles>()).expect("flushed");
            let preparer = domain.preparer().clone();
            let done = domain.store().query(move |db| {
                let mut out = Vec::new();
                let rows = crate::moving::back::write(db, &preparer, preset, &mut out);
                Ok::<_, db::DbError>((rows.expect("written"), String::from_utf8(out).expect("text")))
            });
            done.expect("read")
        };
        let (rows, file) = write("shopify-customers");
        assert_eq!(rows, 2, "{file}");
        let olena = file.lines().find(|l| l.contains("olena@example.com")).expect("she is there");
        assert!(
            olena.starts_with("500,Olena,Koval,olena@example.com,no,") && olena.contains("\"vip, garden\""),
            "{olena}"
        );
        assert!(file.contains(",Live,,live@example.com,"), "{file}");
        let (rows, file) = write("woocommerce-orders");
        assert_eq!(rows, 1, "{file}");
        assert!(
            file.contains("77,refunded,GBP,") && file.contains("live@example.com") && file.contains("Tea, green"),
            "{file}"
        );
        let (_, file) = write("generic-opt-outs");
        assert!(file.contains("email,olena@example.com,marketing,unsubscribed,"), "{file}");
        // What a preset reads of it is what it read before: nothing new comes in.
        let (_, file) = write("shopify-customers");
        let again = import(&shop, "shopify-customers.preset.csv", &file, json!({"without_opt_outs": true}));
        assert_eq!(again["result"]["tally"]["rejected_rows"], 0, "{again}");
        shop.assert_clean();
    }
}

#[test]
fn who_is_erased_is_no_longer_named_by_a_difference() {
    // [AB1] differences name contacts; an erasure reaches them.
    for shop in shops() {
        let body = json!({"userId": "u1", "messageId": "m1", "traits": {"email": "gone@example.com"}});
        assert_eq!(shop.track("/v1/identify", &body).status, 200);
        let id = module(&shop, "customers", settings(1));
        compare(&shop, &id, "people.csv", "email,first_name\nother@example.com,Other\n", json!({}));
        let list = || shop.owner("GET", &format!("/api/v1/parallel-run/{id}/differences")).send().text;
        assert!(list().contains("gone@example.com"), "{}", list());
        let found = shop.owner("GET", "/api/v1/customers/lookup?email=gone@example.com").send().json();
        let person = found["person_id"].as_str().expect("a person").to_string();
        let path = format!("/api/v1/customers/{person}/erasure");
        assert!(shop.owner("POST", &path).json(&json!({"reason": "asked for it"})).send().status < 300);
        for _ in 0..400 {
            if !list().contains("gone@example.com") {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        assert!(!list().contains("gone@example.com") && list().contains("missing_there"), "{}", list());
    }
}

fn ready(shop: &Shop, body: Value) -> Value {
    let begun = shop.owner("POST", "/api/v1/exports").json(&body).send();
    assert_eq!(begun.status, 201, "{}", begun.text);
    let id = begun.json()["id"].as_str().expect("an id").to_string();
    for _ in 0..1500 {
        let found = shop.owner("GET", &format!("/api/v1/exports/{id}")).send().json();
        match found["state"].as_str() {
            Some("queued" | "running") => std::thread::sleep(Duration::from_millis(20)),
            _ => return found,
        }
    }
    panic!("the export {id} is never ready");
}

/// [AD2] The way back from the console: the old tool's own columns, nothing of ours in them, each order once.
#[test]
fn the_old_tools_own_files_come_as_exports() {
    for shop in shops() {
        order(&shop, "1", "2026-11-01T10:00:00Z", "10.50");
        order(&shop, "2", "2026-11-02T10:00:00Z", "20");
        order(&shop, "1", "2026-11-01T10:00:00Z", "10.50");
        let export =
            ready(&shop, json!({"kind": "way_back", "format": "csv", "preset": "generic-orders", "contacts": true}));
        assert_eq!((export["state"].as_str(), export["rows"].as_i64()), (Some("ready"), Some(2)), "{export}");
        let file = shop.place.folder.join("exports").join(format!("{}.csv", export["id"].as_str().expect("an id")));
        let text = std::fs::read_to_string(file).expect("the file");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("order_id,time,status,user_id") && lines[0].ends_with("lines"), "{}", lines[0]);
        assert!(lines[1].starts_with("1,2026-11-01T10:00:00.000000Z,completed,u1,"), "{}", lines[1]);
        assert_eq!(lines.len(), 3, "{text}");
        let refused = shop.owner("POST", "/api/v1/exports").json(&json!({"kind": "way_back", "format": "csv"})).send();
        assert_eq!(refused.code(), (422, "bad_input".into()), "{}", refused.text);
    }
}

/// [AD2] The checklist of a part is computed from what was done, and a person says go.
#[test]
fn a_part_is_rolled_out_step_by_step_and_somebody_says_go() {
    for shop in shops() {
        let open = |area: &str| -> Vec<String> {
            let all = shop.owner("GET", "/api/v1/rollout").send().json();
            let part = all["items"].as_array().expect("parts").iter().find(|p| p["area"] == area).expect("it").clone();
            let steps = part["steps"].as_array().expect("steps").clone();
            steps.iter().filter(|s| s["done"] == false).map(|s| s["step"].as_str().unwrap_or_default().into()).collect()
        };
        assert_eq!(open("consents"), ["import", "quality", "compare", "way_back"]);
        let text = "channel,address,state\nemail,no@example.com,denied\n";
        let layout = json!({"format": "csv", "columns": ["channel", "address", "state"]});
        let columns = json!({"channel": "channel", "address": "address", "state": "state"});
        let begun = shop
            .owner("POST", "/api/v1/imports")
            .json(&json!({"upload": upload(&shop, "no.csv", text), "layout": layout,
                "mapping": {"kind": "consents", "columns": columns}, "source": "Old tool"}))
            .send();
        assert_eq!(begun.status, 201, "{}", begun.text);
        wait(&shop, begun.json()["job_id"].as_str().expect("a job"));
        assert_eq!(open("consents"), ["quality", "compare", "way_back"]);
        let refused = shop.owner("POST", "/api/v1/quality/read").send();
        assert_eq!(refused.code(), (409, "conflict".into()), "no report yet");
        wait(&shop, shop.owner("POST", "/api/v1/quality").send().json()["job_id"].as_str().expect("a job"));
        assert_eq!(shop.owner("POST", "/api/v1/quality/read").send().status, 204);
        let back =
            ready(&shop, json!({"kind": "way_back", "format": "csv", "preset": "generic-opt-outs", "contacts": true}));
        assert_eq!((back["state"].as_str(), back["rows"].as_i64()), (Some("ready"), Some(1)));
        assert_eq!((open("consents"), open("sends")), (vec!["compare".into()], vec!["compare".to_string()]));
        let path = "/api/v1/rollout/consents/decisions";
        let go = json!({"go": true, "reason": "opt-outs are in"});
        assert_eq!(shop.owner("POST", path).json(&go).send().code(), (403, "not_allowed".into()), "a key says nothing");
        let ask = person(&shop);
        let refused = ask("POST", path, &go);
        assert_eq!(refused.code(), (409, "conflict".into()));
        assert!(refused.text.contains("1 steps of the checklist are open"), "{}", refused.text);
        let said = ask("POST", path, &json!({"go": true, "reason": "opt-outs are in", "although": true})).json();
        assert_eq!(said["decisions"][0]["lacking"], json!(["compare"]), "{said}");
        assert_eq!(said["decisions"][0]["actor"], "owner@example.com");
        ask("POST", path, &json!({"go": false, "reason": "the till is down"}));
        let audit = shop.owner("GET", "/api/v1/audit?subject_kind=rollout").send();
        assert_eq!((audit.status, audit.text.contains("the till is down")), (200, true), "{}", audit.text);
        assert_eq!(ask("POST", "/api/v1/rollout/nothing/decisions", &go).status, 404);
    }
}
