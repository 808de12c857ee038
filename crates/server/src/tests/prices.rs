//! Prices over HTTP: a list, why a price holds, a roll-back, a promotion with its basket, the report of differences.
use super::harness::{Shop, shops};
use serde_json::{Value, json};

fn set(shop: &Shop, list: &str, prices: Value) -> Value {
    let body = json!({"currency": if list == "base" { "UAH" } else { "" }, "prices": prices});
    let answer = shop.owner("POST", &format!("/api/v1/price-lists/{list}/prices")).json(&body).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn explain(shop: &Shop, more: Value) -> Value {
    let mut body = json!({"variant_id": "1", "currency": "UAH", "country": "EU"});
    more.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
    shop.owner("POST", "/api/v1/prices/explain").json(&body).send().json()
}

#[test]
fn one_price_is_asked_by_all_and_says_why_l3_l4() {
    // [L3] [L4] One price for all who ask, and a report of those that differ.
    for shop in shops() {
        set(&shop, "base", json!([{"variant_id": "1", "minor": 1000}, {"variant_id": "2", "minor": 500}]));
        let online = json!({"name": "Online", "currency": "UAH", "scope": {"channels": ["site", "app"]}});
        let made = shop.owner("POST", "/api/v1/price-lists").json(&online).send();
        assert_eq!(made.status, 201, "{}", made.text);
        let list = made.json()["id"].as_str().expect("an id").to_string();
        let done = set(&shop, &list, json!([{"variant_id": "1", "minor": 900}, {"variant_id": "2", "minor": -1}]));
        assert_eq!(
            (done["accepted"].clone(), done["rejected"][0]["pointer"].clone()),
            (json!(1), json!("/prices/1/minor"))
        );
        let site = explain(&shop, json!({"channel": "site"}));
        assert_eq!(site["price"]["minor"], 900);
        assert_eq!(site["price"]["reason"], "price list \"Online\" for channel site and 1 more");
        assert_eq!(
            (site["asked"][0]["has_price"].clone(), site["price"]["base_minor"].clone()),
            (json!(true), json!(1000))
        );
        assert_eq!(
            (site["reduction"]["lowest_minor"].clone(), site["reduction"]["shown_minor"].clone()),
            (json!(1000), json!(1000))
        );
        assert_eq!(explain(&shop, json!({"channel": "store"}))["price"]["reason"], "base price");
        let places = json!([{"channel": "site"}, {"channel": "store", "store": "lviv-1"}, {"channel": "store", "store": "kyiv-1"}]);
        let report = |explained: bool| {
            let body = json!({"currency": "UAH", "places": places, "explained": explained});
            shop.owner("POST", "/api/v1/prices/differences").json(&body).send().json()
        };
        let found = report(false);
        assert_eq!(
            (found["compared"].clone(), found["items"].as_array().map(Vec::len)),
            (json!(2), Some(1)),
            "{found}"
        );
        assert_eq!(
            (found["items"][0]["place"]["channel"].clone(), found["items"][0]["usual_minor"].clone()),
            (json!("site"), json!(1000))
        );
        let mut told = online.clone();
        told["reason"] = json!("discount online");
        let changed =
            shop.owner("PUT", &format!("/api/v1/price-lists/{list}")).header("if-match", "\"v1\"").json(&told).send();
        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_eq!(report(false)["items"], json!([]), "what has a reason is explained");
        assert_eq!(report(true)["items"][0]["explained"], "discount online");
        let stale =
            shop.owner("PUT", &format!("/api/v1/price-lists/{list}")).header("if-match", "\"v1\"").json(&told).send();
        assert_eq!(stale.code(), (412, "changed_meanwhile".into()));
        let change = done["change_id"].as_str().expect("a change");
        let back = shop.owner("POST", &format!("/api/v1/price-changes/{change}/roll-back")).json(&json!({})).send();
        assert_eq!((back.status, back.json()["accepted"].clone()), (200, json!(1)));
        assert_eq!(explain(&shop, json!({"channel": "site"}))["price"]["minor"], 1000);
        let audit = shop.owner("GET", "/api/v1/audit?limit=5").send().json();
        assert_eq!(audit["items"][0]["action"], "roll_back", "{audit}");
    }
}

#[test]
fn a_request_that_is_repeated_sets_prices_once() {
    for shop in shops() {
        let body = json!({"currency": "UAH", "prices": [{"variant_id": "1", "minor": 1000}]});
        let ask =
            || shop.owner("POST", "/api/v1/price-lists/base/prices").header("idempotency-key", "k").json(&body).send();
        let (first, again) = (ask(), ask());
        assert_eq!(first.json(), again.json());
        let changes = shop.owner("GET", "/api/v1/price-lists/base/changes").send().json();
        assert_eq!(changes["items"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn a_promotion_is_tried_on_a_basket_before_it_holds() {
    for shop in shops() {
        let promotion = json!({"id": "tenth", "limit": 5, "effects": [{"kind": "percent", "percent": 10}]});
        let basket = json!({"currency": "UAH", "country": "UA", "payment": "cash",
            "lines": [{"id": "1", "sku": "A", "quantity": 2, "price_minor": 4999}]});
        let cost = |body: Value| {
            let answer = shop.owner("POST", "/api/v1/baskets/price").json(&body).send();
            assert_eq!(answer.status, 200, "{}", answer.text);
            let priced = answer.json();
            (priced["totals"]["total_minor"].clone(), priced["totals"]["due_minor"].clone())
        };
        let draft = json!({"basket": basket, "promotions": {"promotions": [promotion]}});
        assert_eq!(cost(json!({"basket": basket})), (json!(9998), json!(10000)));
        assert_eq!(cost(draft), (json!(8998), json!(9000)));
        let put = shop.owner("PUT", "/api/v1/promotions/tenth").json(&json!({"document": promotion})).send();
        assert_eq!((put.status, put.json()["version"].clone()), (200, json!(1)), "{}", put.text);
        assert_eq!(cost(json!({"basket": basket})), (json!(8998), json!(9000)));
        let wrong = json!({"document": {"id": "tenth", "effects": [{"kind": "percent", "percent": 101}]}});
        let refused = shop.owner("PUT", "/api/v1/promotions/tenth").json(&wrong).send();
        assert_eq!(refused.code(), (422, "bad_input".into()));
        assert_eq!(refused.json()["errors"][0]["pointer"], "/document/effects/0/percent");
        let gone = shop.owner("DELETE", "/api/v1/promotions/tenth").send();
        assert_eq!(gone.status, 204);
        assert_eq!(cost(json!({"basket": basket})), (json!(9998), json!(10000)));
        let restored = shop.owner("POST", "/api/v1/promotions/tenth/restore").json(&json!({"version": 1})).send();
        assert_eq!((restored.status, restored.json()["version"].clone()), (200, json!(3)));
        let bad =
            json!({"basket": {"currency": "UAH", "lines": [{"id": "1", "sku": "A", "quantity": 0, "price_minor": 1}]}});
        let refused = shop.owner("POST", "/api/v1/baskets/price").json(&bad).send();
        assert_eq!(refused.json()["errors"][0]["pointer"], "/basket/lines/0/quantity");
        let law = shop.owner("GET", "/api/v1/laws/UA").send().json();
        assert_eq!((law["version"].clone(), law["document"]["country"].clone()), (json!(0), json!("UA")));
    }
}
