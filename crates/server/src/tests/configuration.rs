//! All settings as a list: from one shop to another, whole or not at all, and never over somebody else's change.
use super::harness::{Shop, shops};
use serde_json::{Value, json};

fn get(shop: &Shop) -> Vec<Value> {
    let answer = shop.owner("GET", "/api/v1/configuration").send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().expect("items").clone()
}

/// The list as it is sent, and its base.
fn split(list: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let item = |s: &Value| json!({"kind": s["kind"], "name": s["name"], "value": s["value"]});
    let base = |s: &Value| json!({"kind": s["kind"], "name": s["name"], "hash": s["hash"]});
    (list.iter().map(item).collect(), list.iter().map(base).collect())
}

fn find<'a>(list: &'a mut [Value], kind: &str, name: &str) -> &'a mut Value {
    list.iter_mut().find(|s| s["kind"] == kind && s["name"] == name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// A shop in which people have set everything.
fn furnished(shop: &Shop) {
    let send = |method: &str, path: &str, body: Value| {
        let answer = shop.owner(method, &format!("/api/v1/{path}")).json(&body).send();
        assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text);
        answer.json()
    };
    send("PUT", "settings/shop", json!({"name": "Крамниця «Дім»", "stores": [{"id": "lviv-1", "name": "Львів"}]}));
    let policy = crate::policy::Policy { export_rows: 100, ..Default::default() };
    send("PUT", "settings/security", serde_json::to_value(policy).expect("serializes"));
    send(
        "PUT",
        "profile-settings",
        json!({"new_days": 31, "at_risk_days": 90, "lapsed_days": 180, "loyal_orders": 5, "service_hour_minor": 0}),
    );
    let mut rules = shop.owner("GET", "/api/v1/identity/rules").send().json();
    rules["hubs"]["demote_at"] = json!(77);
    let kept = ["kinds", "hubs", "stitch"].map(|k| (k.to_string(), rules[k].clone()));
    send("PUT", "identity/rules", Value::Object(kept.into_iter().collect()));
    send("PUT", "caps", json!({"items": [{"channel": "email", "purpose": "marketing", "limit": 2, "window": "7d"}]}));
    // Named in an order in which the second would not be found if files were taken by their names.
    let wide = send("POST", "segments", json!({"name": "Views", "expression": "count(\"Product Viewed\") >= 2"}));
    send(
        "POST",
        "segments",
        json!({"name": "Buyers of what they saw", "expression": "in segment (\"Views\") and count(\"Order Completed\") >= 1"}),
    );
    let template = send(
        "POST",
        "templates",
        json!({"name": "Дякуємо", "channel": "email", "subject": "Дякуємо!", "body_html": "<p>shop@example.com</p>", "body_text": "Рядок\nдругий"}),
    );
    send(
        "POST",
        "message-rules",
        json!({"segment_id": wide["id"], "template_id": template["id"], "channel": "email", "purpose": "marketing", "once": true, "enabled": false}),
    );
    send(
        "POST",
        "message-rules",
        json!({"name": "Again", "segment_id": wide["id"], "template_id": template["id"], "channel": "email", "purpose": "service", "once": false, "enabled": true}),
    );
    send(
        "POST",
        "privacy/purposes",
        json!({"purpose": "Відеонагляд", "ground": "Legitimate interest", "categories": "Visitors", "retention": "30 days", "recipients": "None"}),
    );
    let made = send("POST", "sources", json!({"name": "Till", "kind": "server"}));
    let id = made["id"].as_str().expect("an id");
    send(
        "PUT",
        &format!("sources/{id}/plan"),
        json!({"text": "event \"Order Completed\" block\n  total number required\n"}),
    );
    send("PUT", &format!("sources/{id}/observe"), json!({"observe_only": true}));
}

#[test]
fn what_one_shop_set_comes_to_another_whole() {
    for (a, b) in shops().into_iter().zip(shops()) {
        assert!(get(&a).iter().all(|s| s["kind"] == "source" || s["kind"] == "purpose"), "{:#?}", get(&a));
        furnished(&a);
        let list = get(&a);
        let kinds: std::collections::BTreeSet<&str> = list.iter().filter_map(|s| s["kind"].as_str()).collect();
        assert_eq!(
            kinds.into_iter().collect::<Vec<_>>(),
            [
                "caps",
                "identity",
                "message_rule",
                "profile",
                "purpose",
                "security",
                "segment",
                "shop",
                "source",
                "template"
            ]
        );
        // No secret and no number of this shop's own is in it.
        let text = serde_json::to_string(&list).expect("serializes");
        assert!(
            !text.contains("write_key")
                && !text.contains("segment_id")
                && !text.contains("template_id")
                && !text.contains(&a.keys.write_key),
            "{text}"
        );
        let (items, base) = split(&list);
        let body = |dry: bool| json!({"items": items, "base": base, "dry_run": dry});
        let before = get(&b);
        let tried = b.owner("POST", "/api/v1/configuration").json(&body(true)).send();
        assert_eq!(tried.status, 200, "{}", tried.text);
        assert_eq!(tried.json()["applied"], false);
        assert_eq!(get(&b), before, "a dry run leaves nothing");
        let done = b.owner("POST", "/api/v1/configuration").json(&body(false)).send();
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!((&done.json()["applied"], &done.json()["items"]), (&json!(true), &tried.json()["items"]));
        assert_eq!(get(&b), list, "the same list, hashes included");
        // Once more does nothing, and nothing is in the audit about it.
        let lines = || b.owner("GET", "/api/v1/audit?limit=500").send().json()["items"].as_array().map(Vec::len);
        let (count, again) = (lines(), b.owner("POST", "/api/v1/configuration").json(&body(false)).send().json());
        assert!(again["items"].as_array().expect("items").iter().all(|s| s["action"] == "same"), "{again}");
        assert_eq!((get(&b), lines()), (list, count));
        // It is in force: the observed source's plan blocks, the shop has its name.
        assert_eq!(b.owner("GET", "/api/v1/settings/shop").send().json()["name"], "Крамниця «Дім»");
        a.assert_clean();
        b.assert_clean();
    }
}

#[test]
fn a_change_of_somebody_else_is_a_conflict_and_nothing_is_done() {
    for shop in shops() {
        furnished(&shop);
        let (mut items, base) = split(&get(&shop));
        // Somebody changes a segment on the page while the file of a template is edited.
        let segments = shop.owner("GET", "/api/v1/segments").send().json();
        let views = segments["items"].as_array().expect("items").iter().find(|s| s["name"] == "Views").expect("there");
        let path = format!("/api/v1/segments/{}", views["id"].as_str().expect("an id"));
        let changed = json!({"name": "Views", "expression": "count(\"Product Viewed\") >= 9"});
        assert_eq!(shop.owner("PUT", &path).json(&changed).send().status, 200);
        find(&mut items, "template", "Дякуємо")["value"]["subject"] = json!("Ще раз дякуємо");
        let stood = get(&shop);
        let push = |items: &[Value], force: bool| {
            let body = json!({"items": items, "base": base, "force": force});
            shop.owner("POST", "/api/v1/configuration").json(&body).send()
        };
        let refused = push(&items, false);
        assert_eq!(refused.code(), (412, "changed_meanwhile".into()));
        assert!(refused.text.contains("Views"), "{}", refused.text);
        assert_eq!(get(&shop), stood, "not even the template");
        assert_eq!(push(&items, true).status, 200);
        let now = get(&shop);
        let named =
            |kind: &str, name: &str| now.iter().find(|s| s["kind"] == kind && s["name"] == name).expect("there");
        assert_eq!(named("template", "Дякуємо")["value"]["subject"], "Ще раз дякуємо");
        assert_eq!(named("segment", "Views")["value"]["expression"], "count(\"Product Viewed\") >= 2");
        shop.assert_clean();
    }
}

#[test]
fn one_wrong_setting_leaves_all_as_they_were() {
    for shop in shops() {
        furnished(&shop);
        let (items, base) = split(&get(&shop));
        let stood = get(&shop);
        let cases: [(&str, &str, &str, Value, &str); 9] = [
            ("segment", "Views", "expression", json!("count("), "/value/expression"),
            ("segment", "Views", "expression", json!("in segment (\"Nobody\")"), "/value/expression"),
            ("template", "Дякуємо", "body_text", json!("{{ customer.name"), "/value"),
            ("message_rule", "Again", "segment", json!("Nobody"), "/value/segment"),
            ("source", "Till", "plan", json!("what?"), "/value/plan"),
            ("source", "Till", "kind", json!("browser"), "/value/kind"),
            ("shop", "", "stores", json!([{"id": "", "name": "x"}]), "/value/stores/0/id"),
            ("security", "", "export_rows", json!(-1), "/value/export_rows"),
            ("purpose", "Відеонагляд", "colour", json!("red"), "/value"),
        ];
        for (kind, name, field, wrong, place) in cases {
            let mut items = items.clone();
            // Good changes before and after the wrong one.
            find(&mut items, "profile", "")["value"]["new_days"] = json!(12);
            find(&mut items, "purpose", "Відеонагляд")["value"]["retention"] = json!("a year");
            find(&mut items, kind, name)["value"][field] = wrong;
            let refused =
                shop.owner("POST", "/api/v1/configuration").json(&json!({"items": items, "base": base})).send();
            assert!(matches!(refused.status, 400 | 404 | 422), "{kind} {field}: {}", refused.text);
            let pointer = refused.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_string();
            assert!(pointer.starts_with("/items/") && pointer.contains(place), "{kind} {field}: {}", refused.text);
            assert_eq!(get(&shop), stood, "{kind} {field}");
        }
        let twice = json!({"items": [items[0], items[0]], "base": base});
        assert_eq!(shop.owner("POST", "/api/v1/configuration").json(&twice).send().status, 422);
        shop.assert_clean();
    }
}

#[test]
fn things_of_one_name_are_told_and_left_out() {
    let shop = Shop::new();
    furnished(&shop);
    let twin = json!({"name": "Дякуємо", "channel": "email", "subject": "Двічі", "body_text": "x"});
    assert_eq!(shop.owner("POST", "/api/v1/templates").json(&twin).send().status, 201);
    let answer = shop.owner("GET", "/api/v1/configuration").send().json();
    assert_eq!(answer["doubles"], json!([{"kind": "template", "name": "Дякуємо"}]));
    assert!(get(&shop).iter().all(|s| s["kind"] != "template"));
    let item = json!({"kind": "template", "name": "Дякуємо", "value": twin});
    let refused = shop.owner("POST", "/api/v1/configuration").json(&json!({"items": [item]})).send();
    assert_eq!(refused.code(), (409, "conflict".into()));
}

#[test]
fn a_key_without_every_right_brings_nothing_in() {
    let shop = Shop::new();
    let key = |scopes: Value| {
        let body = json!({"name": "deploy", "role": "owner", "scopes": scopes});
        let made = shop.owner("POST", "/api/v1/api-keys").json(&body).send().json();
        format!("Bearer {}", made["key"].as_str().unwrap_or_else(|| panic!("{made}")))
    };
    let push = |key: &str| {
        shop.ask("POST", "/api/v1/configuration").header("authorization", key).json(&json!({"items": []})).send().status
    };
    assert_eq!(push(&key(json!(["settings:write"]))), 403);
    let all = ["settings", "segments", "messages", "sources", "events", "identity", "privacy"];
    assert_eq!(push(&key(json!(all.map(|a| format!("{a}:write"))))), 200);
}
