//! What customers do by the link of their order or basket, and what colleagues at the counter do for them.
use super::harness::{Answer, Shop, shops};
use super::orders::{begin, bought, filled, get, owner, receive, site};
use super::privacy::person;
use serde_json::{Value, json};

/// A request of the customer's own page: without a key.
pub fn page(shop: &Shop, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let path = format!("/shop/v1/{path}");
    let request = shop.ask(method, &path);
    match body {
        Some(body) => request.json(body).send(),
        None => request.send(),
    }
}

/// An order that waits at the counter of lviv-1, paid if asked; gives its id and number.
pub fn ready(shop: &Shop, lines: &[(&str, i64)], paid: bool) -> (String, String) {
    let cart = filled(shop, lines);
    let there = json!({"kind": "pickup", "location_id": "lviv-1"});
    bought(shop, "PUT", &format!("carts/{cart}/delivery"), &there);
    let placed = bought(shop, "POST", &format!("carts/{cart}/checkout"), &json!({}));
    let text = |name: &str| placed[name].as_str().expect("a text").to_string();
    let (id, number) = (text("order_id"), text("number"));
    if paid {
        let pay = json!({"provider": "test", "amount": placed["total"]});
        bought(shop, "POST", &format!("orders/{id}/payments"), &pay);
    }
    for step in ["accept", "ready"] {
        owner(shop, "POST", &format!("orders/{id}/fulfilments/1/steps"), &json!({"do": step}));
    }
    (id, number)
}

fn goes_with(shop: &Shop, product: &str, other: &str) {
    let joined = json!({"items": [{"kind": "accompanying", "product_id": other, "quantity": 1}]});
    let path = format!("/api/v1/products/{product}/links");
    assert_eq!(shop.owner("PUT", &path).json(&joined).send().status, 204);
}

pub fn fetched(shop: &Shop, lines: &[(&str, i64)]) -> (String, String) {
    let (id, number) = ready(shop, lines, true);
    owner(shop, "POST", &format!("orders/{id}/fulfilments/1/steps"), &json!({"do": "hand_over", "seen": "passport"}));
    (id, number)
}

#[test]
fn the_customer_returns_and_complains_by_the_link_of_the_order() {
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 9);
        let (id, _) = fetched(&shop, &[("shoe-42", 3)]);
        let seen = page(&shop, "GET", &format!("orders/{id}"), None).json();
        assert_eq!((&seen["can_return"], &seen["can_claim"]), (&json!(true), &json!(true)), "{seen}");
        let all = page(&shop, "GET", &format!("orders/{id}/returns"), None).json();
        assert_eq!((&all["offered"][0]["returnable"], &all["items"]), (&json!(3), &json!([])), "{all}");
        assert!(all["reasons"].as_array().is_some_and(|r| !r.contains(&json!("not_collected"))));
        let ask = |quantity: i64, reason: &str| {
            let lines = json!([{"line": 0, "quantity": quantity, "reason": reason}]);
            let body = json!({"lines": lines, "note": "too tight", "key": "k1"});
            page(&shop, "POST", &format!("orders/{id}/returns"), Some(&body))
        };
        let carrier = ask(1, "not_collected");
        assert_eq!((carrier.status, &carrier.json()["errors"][0]["pointer"]), (422, &json!("/lines/0/reason")));
        let many = ask(4, "too_small");
        assert_eq!((many.status, &many.json()["errors"][0]["pointer"]), (422, &json!("/lines/0/quantity")));
        let made = ask(1, "too_small");
        assert_eq!((made.status, &made.json()["state"]), (201, &json!("approved")), "{}", made.text);
        assert_eq!(ask(1, "too_small").json()["id"], made.json()["id"], "asked twice");
        let claim = json!({"lines": [{"line": 0, "quantity": 1, "reason": "defect"}], "note": "the sole came off"});
        let made = page(&shop, "POST", &format!("orders/{id}/claims"), Some(&claim));
        assert_eq!((made.status, &made.json()["state"]), (201, &json!("open")), "{}", made.text);
        let taste = json!({"lines": [{"line": 0, "quantity": 1, "reason": "not_liked"}]});
        assert_eq!(page(&shop, "POST", &format!("orders/{id}/claims"), Some(&taste)).status, 422, "no fault");
        let claims = page(&shop, "GET", &format!("orders/{id}/claims"), None).json();
        assert_eq!((claims["items"].as_array().map(Vec::len), &claims["items"][0]["note"]), (Some(1), &claim["note"]));
        let all = page(&shop, "GET", &format!("orders/{id}/returns"), None);
        assert_eq!(all.json()["offered"][0]["returnable"], 2);
        assert!(!all.text.contains("olena@example.com"), "links are passed on");
        let forged = page(&shop, "GET", &format!("orders/{}/returns", id.replace('-', "-0")), None);
        assert_eq!(forged.status, 404);
        let path = format!("/shop/v1/orders/{id}/returns");
        let wrong = shop.ask("GET", &path).header("authorization", "Basic eDo=");
        assert_eq!(wrong.send().status, 401, "a key that is sent has to be right");
        shop.assert_clean();
    }
}

#[test]
fn store_credit_pays_at_checkout() {
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 9);
        let store = shop.app().domain.store();
        let code = store
            .write(|tx| -> Result<String, orders::OrderError> {
                use orders::after::credit;
                let who = orders::model::Contact { email: "olena@example.com".into(), ..Default::default() };
                let account = credit::of_contact(tx, &who, "GBP")?;
                let account = credit::account(tx, account.no)?;
                credit::give(tx, account.no, 150_000, "gift", "thanks", "owner")?;
                Ok(account.code.clone())
            })
            .expect("it is given");
        let (id, _) = ready(&shop, &[("shoe-42", 1)], false);
        let pay = |code: &str, minor: i64| {
            let body = json!({"provider": "store_credit", "code": code, "amount": {"minor": minor, "currency": "UAH"}});
            page(&shop, "POST", &format!("orders/{id}/payments"), Some(&body))
        };
        // The shoes are priced in UAH here; credit in another currency is none for them.
        let other = pay(&code, 100);
        assert_eq!((other.status, &other.json()["errors"][0]["pointer"]), (422, &json!("/code")), "{}", other.text);
        let code = store
            .write(|tx| -> Result<String, orders::OrderError> {
                use orders::after::credit;
                let who = orders::model::Contact { phone: "+380671234567".into(), ..Default::default() };
                let account = credit::of_contact(tx, &who, "UAH")?;
                credit::give(tx, account.no, 150_000, "gift-uah", "thanks", "owner")?;
                Ok(account.code.clone())
            })
            .expect("it is given");
        let paid = pay(&code, 150_000);
        assert_eq!((paid.status, &paid.json()["paid"]["minor"]), (201, &json!(150_000)), "{}", paid.text);
        assert_eq!(paid.json()["to_pay"]["minor"], 50_000);
        assert_eq!(pay(&code, 1).status, 422, "it paid already");
        assert_eq!(pay("0000-0000", 1).status, 422);
        shop.assert_clean();
    }
}

#[test]
fn whoever_asks_too_fast_is_told_when_to_come_again() {
    for place in db::testing::Place::all() {
        let settings = [("shop_api", "rate_per_client", "1"), ("shop_api", "rate_per_key", "2")];
        let shop = Shop::open(place, &settings);
        begin(&shop);
        let from = |address: &str| {
            shop.ask("GET", "/shop/v1/orders/o1-0000000000000000").header("x-forwarded-for", address).send()
        };
        // The order is counted, whoever asks for it; then the address, whatever it asks for.
        let codes: Vec<u16> = (0..6).map(|_| from("203.0.113.5").status).collect();
        assert!(codes.starts_with(&[404, 404, 404, 404]) && codes.contains(&429), "{codes:?}");
        let refused = (0..8).map(|_| from("203.0.113.5")).find(|a| a.status == 429).expect("it is too fast");
        assert_eq!(refused.code(), (429, "too_fast".into()));
        assert_eq!(refused.headers["retry-after"], "1");
        let other = shop.ask("GET", "/shop/v1/orders/o2-0000000000000000").header("x-forwarded-for", "203.0.113.6");
        assert_eq!(other.send().status, 404, "somebody else");
        let mut last = 0;
        for _ in 0..200 {
            last = site(&shop, "GET", "availability?sku=nothing", None).status;
            if last == 429 {
                break;
            }
        }
        assert_eq!(last, 429, "a key is counted, too");
    }
}

#[test]
fn a_bag_is_one_hand_over() {
    // [N8]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-41", "lviv-1", 5);
        receive(&shop, "shoe-42", "lviv-1", 5);
        let (a, _) = ready(&shop, &[("shoe-41", 1)], true);
        let (b, second) = ready(&shop, &[("shoe-42", 1)], true);
        let queue = get(&shop, "pick-queue?location_id=lviv-1");
        let bags: Vec<&Value> = queue["items"].as_array().expect("a list").iter().map(|i| &i["bag"]).collect();
        assert!(bags.len() == 2 && bags[0] == bags[1] && bags[0].is_string(), "{queue}");
        let seen = page(&shop, "GET", &format!("orders/{a}"), None).json();
        assert_eq!(seen["with"], json!([second]), "the page says what the code opens too");
        let step = json!({"do": "hand_over", "code": seen["pick_up_code"],
            "items": [{"order_id": a, "fulfilment": 1}, {"order_id": b, "fulfilment": 1}]});
        let done = owner(&shop, "POST", "bags", &step);
        let states: Vec<&Value> = done["orders"].as_array().expect("a list").iter().map(|o| &o["state"]).collect();
        assert_eq!(states, ["delivered", "delivered"], "{done}");
        let again = shop.owner("POST", "/api/v1/bags").json(&step).send();
        assert!((400..500).contains(&again.status), "{}", again.text);
        assert_eq!(get(&shop, "pick-queue?location_id=lviv-1")["items"], json!([]));
        shop.assert_clean();
    }
}

#[test]
fn an_export_has_orders_and_all_that_came_of_them() {
    // [AB1]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 9);
        let (id, number) = fetched(&shop, &[("shoe-42", 2)]);
        let back = json!({"lines": [{"line": 0, "quantity": 1, "reason": "too_small"}], "note": "too tight"});
        assert_eq!(page(&shop, "POST", &format!("orders/{id}/returns"), Some(&back)).status, 201);
        let claim = json!({"lines": [{"line": 0, "quantity": 1, "reason": "defect"}], "note": "came unglued"});
        assert_eq!(page(&shop, "POST", &format!("orders/{id}/claims"), Some(&claim)).status, 201);
        owner(&shop, "POST", "goodwill", &json!({"order_id": id, "amount_minor": 500, "why": "sorry", "key": "g"}));
        filled(&shop, &[("shoe-42", 1)]);
        let who = person(&shop, "olena@example.com");
        let asked = json!({"kind": "access", "who": "Olena", "contact": "olena@example.com", "note": ""});
        let request = owner(&shop, "POST", "privacy/requests", &asked);
        let request = request["id"].as_str().expect("an id");
        owner(&shop, "PUT", &format!("privacy/requests/{request}"), &json!({"state": "verified"}));
        let all = get(&shop, &format!("customers/{who}/export?request_id={request}"));
        assert_eq!(all["orders_placed"][0]["order_number"], number.as_str(), "{all}");
        assert_eq!(all["orders_placed"][0]["phone"], "+380671234567");
        assert_eq!(
            (&all["returns"][0]["note"], &all["claims"][0]["note"]),
            (&json!("too tight"), &json!("came unglued"))
        );
        assert_eq!(all["store_credit"][0]["balance"], 500);
        assert_eq!(all["baskets"][0]["goods"][0]["sku"], "shoe-42");
        assert_eq!(all["order_lines"][0]["sku"], "shoe-42");
    }
}

#[test]
fn advice_goes_from_the_shop_to_the_customers_phone_and_becomes_an_order() {
    // [P9] [P7]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 3);
        receive(&shop, "shoe-41", "lviv-1", 3);
        let cart = filled(&shop, &[("shoe-41", 1)]);
        let open = json!({"location_id": "lviv-1", "cart": format!("https://shop.example/c/{cart}?from=mail")});
        let made = owner(&shop, "POST", "consultations", &open);
        assert_eq!((&made["cart_id"], &made["lines"][0]["name"]), (&json!(cart), &json!("Khmara")), "{made}");
        let id = made["id"].as_str().expect("an id");
        let by_phone = json!({"location_id": "lviv-1", "customer": {"phone": "067 123 45 67"}});
        assert_eq!(owner(&shop, "POST", "consultations", &by_phone)["id"], id, "found by phone, and gone on with");
        let step = |body: Value| owner(&shop, "POST", &format!("consultations/{id}/steps"), &body);
        step(json!({"do": "goods", "sku": "shoe-41", "tried": true, "liked": false, "quantity": 0}));
        step(json!({"do": "goods", "sku": "shoe-42", "tried": true, "liked": true, "quantity": 1}));
        let sent = step(json!({"do": "send"}));
        assert!(sent["sent_at"].is_string() && sent["link"].as_str().is_some_and(|l| l.ends_with(&cart)), "{sent}");
        let events = get(&shop, &format!("customers/{}/timeline", person(&shop, "olena@example.com")));
        let shared = events["items"].as_array().expect("a list").iter().find(|e| e["event"] == "Cart Shared");
        assert!(shared.is_some_and(|e| e["properties"]["url"] == sent["link"]), "{events}");
        // From here on it is the customer's own phone, without a key.
        let seen = page(&shop, "GET", &format!("carts/{cart}"), None).json();
        assert_eq!((&seen["advised"][1]["liked"], &seen["reachable"]), (&json!(true), &json!(true)), "{seen}");
        let way = json!({"kind": "pickup", "location_id": "lviv-1"});
        assert_eq!(page(&shop, "PUT", &format!("carts/{cart}/delivery"), Some(&way)).status, 200);
        let placed = page(&shop, "POST", &format!("carts/{cart}/checkout"), Some(&json!({})));
        assert_eq!(placed.status, 201, "{}", placed.text);
        let order = placed.json()["order_id"].as_str().expect("an id").to_string();
        let pay = json!({"provider": "test", "amount": placed.json()["total"]});
        assert_eq!(page(&shop, "POST", &format!("orders/{order}/payments"), Some(&pay)).status, 201);
        let done = get(&shop, &format!("orders/{order}"));
        assert_eq!((&done["seller"], &done["state"]), (&made["seller"], &json!("confirmed")));
        let cases = get(&shop, "after-sale?state=running&kind=check_in");
        assert_eq!(cases["items"][0]["order_number"], done["number"], "feedback is planned");
        let figures = get(&shop, "orders/figures");
        assert_eq!(
            (&figures["credited"][0]["seller"], &figures["credited"][0]["orders"]),
            (&made["seller"], &json!(1))
        );
        let late = shop.owner("POST", &format!("/api/v1/consultations/{id}/steps")).json(&json!({"do": "send"})).send();
        assert_eq!(late.status, 422);
        shop.assert_clean();
    }
}

#[test]
fn a_price_tag_opens_what_the_customer_wants_to_know() {
    // [P2] [P3] [R3]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 30);
        receive(&shop, "shoe-41", "kyiv-1", 2);
        let care = json!({"sku": "care.1", "gtin": "4006381333931", "price": {"minor": 9_900, "currency": "UAH"}});
        owner(
            &shop,
            "POST",
            "products",
            &json!({"id": "care", "name": "Cream", "state": "active", "variants": [care]}),
        );
        receive(&shop, "care.1", "lviv-1", 2);
        goes_with(&shop, "shoe", "care");
        let tag = page(&shop, "GET", "shelf/lviv-1/shoe-42?lang=uk", None);
        let seen = tag.json();
        assert_eq!((&seen["name"], &seen["price"]["minor"]), (&json!("Khmara"), &json!(200_000)), "{}", tag.text);
        assert_eq!(seen["here"], 10, "nobody counts the stock from outside");
        assert_eq!(seen["slots"][0]["sku"], "care.1");
        let sizes = seen["variants"].as_array().expect("a list");
        assert_eq!((&sizes[0]["here"], &sizes[0]["elsewhere"]), (&json!(0), &json!(true)), "{seen}");
        let other = page(&shop, "GET", "shelf/lviv-1/shoe-41", None).json();
        assert_eq!(
            (&other["elsewhere"][0]["location_id"], &other["elsewhere"][0]["available"]),
            (&json!("kyiv-1"), &json!(2))
        );
        let scanned = page(&shop, "GET", "shelf/lviv-1/4006381333931", None).json();
        assert_eq!(scanned["sku"], "care.1", "as a scanner reads it");
        for bad in ["shelf/lviv-1/nothing", "shelf/moon/shoe-42", "shelf/hub/shoe-42"] {
            assert_eq!(page(&shop, "GET", bad, None).status, 404, "{bad}");
        }
        let basket = page(&shop, "POST", "shelf/lviv-1", Some(&json!({"sku": "shoe-42", "quantity": 1})));
        assert_eq!(basket.status, 201, "{}", basket.text);
        let cart = basket.json()["cart_id"].as_str().expect("an id").to_string();
        let slots = page(&shop, "GET", &format!("carts/{cart}/slots"), None).json();
        assert_eq!(slots["items"][0]["sku"], "care.1");
        let seen = page(&shop, "GET", &format!("shelf/lviv-1/shoe-42?cart={cart}"), None).json();
        assert_eq!(seen["own_price"], Value::Null, "nobody is known yet");
        for path in ["/i/lviv-1/care.1", &format!("/c/{cart}")] {
            assert!(matches!(shop.ask("GET", path).send().status, 200), "{path}");
        }
        let sheet = shop.owner("GET", "/api/v1/locations/lviv-1/shelf-codes").send();
        assert_eq!((sheet.status, sheet.text.matches("<rect").count()), (200, 2), "{}", sheet.text);
    }
}

#[test]
fn what_goes_with_a_pick_up_is_sold_at_the_counter_and_counted() {
    // [N10] [P11]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 3);
        let care = json!({"sku": "care-1", "price": {"minor": 9_900, "currency": "UAH"}});
        owner(
            &shop,
            "POST",
            "products",
            &json!({"id": "care", "name": "Cream", "state": "active", "variants": [care]}),
        );
        receive(&shop, "care-1", "lviv-1", 2);
        goes_with(&shop, "shoe", "care");
        let (id, _) = ready(&shop, &[("shoe-42", 1)], true);
        let code = page(&shop, "GET", &format!("orders/{id}/code.svg"), None);
        assert_eq!((code.status, code.headers["content-type"].as_str()), (200, "image/svg+xml"));
        let slots = get(&shop, &format!("orders/{id}/slots?location_id=lviv-1"));
        assert_eq!((&slots["items"][0]["sku"], &slots["items"][0]["because"]), (&json!("care-1"), &json!("Khmara")));
        let sale = json!({"location_id": "lviv-1", "lines": [{"sku": "care-1", "quantity": 1}]});
        let made = owner(&shop, "POST", &format!("orders/{id}/beside"), &sale);
        assert_eq!((&made["state"], &made["balance_minor"]), (&json!("delivered"), &json!(9_900)), "{made}");
        assert_eq!(get(&shop, &format!("orders/{id}/slots"))["items"], json!([]), "they have it now");
        let figures = get(&shop, "orders/figures");
        let beside =
            json!([{"location_id": "lviv-1", "sales": 1, "pick_ups": 1, "total": {"minor": 9_900, "currency": "UAH"}}]);
        assert_eq!(figures["beside"], beside);
        shop.assert_clean();
    }
}

#[test]
fn a_colleague_at_the_counter_sees_what_the_customer_did_online() {
    // [P1] [P6]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 5);
        let (_, number) = fetched(&shop, &[("shoe-42", 1)]);
        filled(&shop, &[("shoe-41", 2)]);
        let list = json!({"name": "For Olena", "currency": "UAH", "scope": {"customers": ["olena@example.com"]}});
        owner(&shop, "POST", "price-lists", &list);
        let who = person(&shop, "olena@example.com");
        let card = get(&shop, &format!("customers/{who}/counter?location_id=lviv-1&sku=shoe-42"));
        assert_eq!(card["orders"][0]["number"], number.as_str(), "{card}");
        assert_eq!(card["baskets"][0]["lines"][0]["sku"], "shoe-41");
        assert_eq!(card["offers"][0]["name"], "For Olena");
        assert_eq!((&card["price"]["price"]["minor"], &card["price"]["name"]), (&json!(200_000), &json!("Khmara")));
        assert_eq!(shop.owner("GET", "/api/v1/customers/999999/counter").send().status, 404);
    }
}

#[test]
fn the_document_of_the_shops_api_names_what_is_there() {
    let shop = Shop::new();
    let document = page(&shop, "GET", "openapi.json", None).json();
    for (method, path, key) in crate::shop_api::document::all() {
        let of = &document["paths"][format!("/shop/v1{path}")][method];
        assert!(of["responses"]["429"]["headers"]["Retry-After"].is_object(), "{method} {path}");
        let asked = path.replace("{id}", "x1").replace("{location}", "nowhere").replace("{code}", "nothing");
        let body = (method != "get").then(|| json!({}));
        let answer = page(&shop, &method.to_uppercase(), asked.trim_start_matches('/'), body.as_ref());
        // Nothing of these exists: a key is asked for, or the id is unknown, or the body lacks something; never a page or a wrong method.
        let wanted: &[u16] = if key { &[401] } else { &[400, 404, 422] };
        assert!(wanted.contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        assert!(answer.headers["content-type"].starts_with("application/problem+json"), "{method} {path}");
    }
}
