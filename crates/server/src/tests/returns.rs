//! What comes after the sale, over HTTP.
use super::harness::{Shop, shops};
use base::Quantity;
use orders::commands::{self, Fact};
use orders::model::{Contact, Delivery};
use orders::states::payment::Action;
use serde_json::{Value, json};

pub fn post(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("POST", &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json()
}

fn get(shop: &Shop, path: &str) -> Value {
    let answer = shop.owner("GET", &format!("/api/v1/{path}")).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

/// An order of so many pieces of a new SKU that the customer has and paid; fifty more lie in each of two shops. Gives its id and the SKU.
pub fn delivered(shop: &Shop, number: u64, units: i64) -> (String, String) {
    for id in ["lviv-1", "kyiv-1"] {
        shop.owner("POST", "/api/v1/locations").json(&json!({"id": id, "kind": "store", "name": id})).send();
    }
    let sku = format!("r{number}-38");
    let variant = json!({"sku": sku, "price": {"minor": 10_001, "currency": "GBP"}, "attributes": {"size": "38"}});
    let product = json!({"id": format!("r{number}"), "name": "Boots", "state": "active", "variants": [variant]});
    post(shop, "products", &product);
    for id in ["lviv-1", "kyiv-1"] {
        let receipt = json!({"sku": sku, "from": "supplier", "to": id, "quantity": 50, "reason": "receipt"});
        post(shop, "stock/movements", &receipt);
    }
    let of = sku.clone();
    let store = shop.app().domain.store();
    let no = store
        .write(move |tx| -> Result<i64, orders::OrderError> {
            let variant = catalog::variants::find(tx, &of)?.expect("it is there");
            let place = stock::commands::places(tx)?.find("lviv-1").expect("it is there").no;
            let shop = commands::Shop {
                country: "UA".into(),
                currency: "GBP".into(),
                zone: jiff::tz::TimeZone::UTC,
                buyers: None,
            };
            let cart = commands::create_cart(tx, &shop, "site", None)?.no;
            commands::put_line(tx, cart, variant, Quantity::units(units), false)?;
            commands::put_contact(tx, cart, &Contact { email: "olena@example.com".into(), ..Contact::default() })?;
            commands::put_delivery(tx, cart, &Delivery::PickUp { location_no: place }, ("", None))?;
            let order = commands::checkout(tx, cart, &shop, "site")?;
            let fact = Fact {
                provider: "test".into(),
                payment_id: "p".into(),
                external_id: format!("c-{}", order.no),
                action: Action::Capture,
                amount_minor: order.body.total_minor,
            };
            commands::pay(tx, order.no, &fact, "site")?;
            Ok(order.no)
        })
        .expect("it is ordered");
    hand_over(shop, &no.to_string());
    (no.to_string(), sku)
}

/// The customer gets an order, named by its number or by the id that the API gives.
pub fn hand_over(shop: &Shop, order: &str) {
    let digits = order.strip_prefix('o').and_then(|id| id.split_once('-')).map_or(order, |(no, _)| no);
    let no: i64 = digits.parse().expect("a number");
    let store = shop.app().domain.store();
    let handed =
        store.write(move |tx| -> Result<(), orders::OrderError> { commands::hand_over_all(tx, no, "shop").map(drop) });
    handed.expect("it is handed over");
}

#[test]
fn a_return_from_the_word_to_the_bank() {
    for shop in shops() {
        let (order, sku) = delivered(&shop, 1, 3);
        let lines = json!([{"line": 0, "quantity": 2, "reason": "too_small"}]);
        let body =
            json!({"order_id": order, "lines": lines, "key": "tap-1", "note": "too tight", "channel": "till:lviv-1"});
        let made = post(&shop, "returns", &body);
        assert_eq!((&made["state"], &made["version"]), (&json!("approved"), &json!(2)));
        assert_eq!(post(&shop, "returns", &body)["id"], made["id"], "asked twice");
        let id = made["id"].as_str().expect("an id").to_string();
        let stale = shop.owner("POST", &format!("/api/v1/returns/{id}/cancel")).header("if-match", "\"v1\"").send();
        assert_eq!(stale.code(), (412, "changed_meanwhile".into()));
        let much = json!({"location_id": "kyiv-1", "lines": [{"line": 0, "quantity": 3}]});
        let much = shop.owner("POST", &format!("/api/v1/returns/{id}/receive")).json(&much).send();
        assert_eq!(much.json()["errors"][0]["pointer"], "/lines/0/quantity");
        let one = |grade: &str| json!({"location_id": "kyiv-1", "key": format!("r-{grade}"), "lines": [{"line": 0, "quantity": 1, "grade": grade}]});
        for grade in ["sellable", "write_off", "write_off"] {
            post(&shop, &format!("returns/{id}/receive"), &one(grade));
        }
        let there = get(&shop, &format!("stock/{sku}"));
        let kyiv = there["items"].as_array().and_then(|p| p.iter().find(|p| p["location_id"] == "kyiv-1")).cloned();
        assert_eq!(kyiv.expect("it lies there")["on_hand"], json!(51), "{there}");
        let early = shop.owner("POST", &format!("/api/v1/returns/{id}/fulfil")).json(&json!({})).send();
        assert_eq!(early.json()["errors"][0]["pointer"], "/return");
        let paid = post(&shop, &format!("returns/{id}/refund"), &json!({}));
        assert_eq!((&paid["total"]["minor"], &paid["state"]), (&json!(20_002), &json!("received")));
        let refund = paid["refunds"][0]["id"].as_str().expect("a refund").to_string();
        assert_eq!(get(&shop, "refunds?state=pending")["items"][0]["id"], json!(refund));
        let told = post(&shop, &format!("refunds/{refund}/settle"), &json!({"external_id": "bank-7"}));
        assert_eq!((&told["state"], &told["external_id"]), (&json!("settled"), &json!("bank-7")));
        assert_eq!(get(&shop, &format!("returns/{id}"))["state"], "refunded");
        let again = shop.owner("POST", &format!("/api/v1/returns/{id}/refund")).json(&json!({})).send();
        assert_eq!(again.code(), (409, "wrong_state".into()));
        let listed = get(&shop, &format!("returns?order_id={order}&state=refunded"));
        assert_eq!((&listed["items"][0]["id"], &listed["items"][1]), (&json!(id), &Value::Null));
        assert_eq!(get(&shop, "returns?state=open")["items"], json!([]));
        let audit = get(&shop, "audit?limit=5");
        assert!(audit.to_string().contains("refund"), "{audit}");
        let rates = get(&shop, "returns/rates");
        assert_eq!(
            (&rates["overall"]["all"]["delivered"], &rates["overall"]["all"]["returned"]),
            (&json!(3.0), &json!(2.0))
        );
        assert_eq!((&rates["sizes"][0]["key"], &rates["products"][0]["key"]), (&json!("38"), &json!("r1")));
        assert_eq!(rates["overall"]["reasons"], json!([{"reason": "too_small", "returned": 2.0}]));
        shop.assert_clean();
    }
}

#[test]
fn a_shop_assistant_takes_in_at_their_own_counter() {
    let shop = Shop::new();
    let (order, _) = delivered(&shop, 1, 1);
    let lines = json!([{"line": 0, "quantity": 1, "reason": "defect"}]);
    let id =
        post(&shop, "returns", &json!({"order_id": order, "lines": lines}))["id"].as_str().expect("an id").to_string();
    let key = json!({"name": "Till", "role": "shop_assistant", "stores": ["lviv-1"]});
    let key = post(&shop, "api-keys", &key)["key"].as_str().unwrap_or_default().to_string();
    let take = |place: &str| {
        let body = json!({"location_id": place, "lines": [{"line": 0, "quantity": 1, "grade": "outlet"}]});
        let path = format!("/api/v1/returns/{id}/receive");
        let ask = shop.ask("POST", &path).header("authorization", &format!("Bearer {key}"));
        ask.json(&body).send().status
    };
    assert_eq!((take("kyiv-1"), take("lviv-1")), (403, 200));
    shop.assert_clean();
}

#[test]
fn lists_are_narrowed_by_reason_place_owner_and_person_and_stand_at_the_customer() {
    // [Q4]
    for shop in shops() {
        let (order, _) = delivered(&shop, 7, 3);
        let (other, _) = delivered(&shop, 8, 1);
        let ask = |order: &str, reason: &str| {
            let lines = json!([{"line": 0, "quantity": 1, "reason": reason}]);
            post(&shop, "returns", &json!({"order_id": order, "lines": lines}))["id"].clone()
        };
        let (small, defect) = (ask(&order, "too_small"), ask(&other, "defect"));
        let came = json!({"location_id": "kyiv-1", "lines": [{"line": 0, "quantity": 1, "grade": "sellable"}]});
        post(&shop, &format!("returns/{}/receive", small.as_str().expect("an id")), &came);
        let claim = json!({"order_id": order, "lines": [{"line": 0, "quantity": 1, "reason": "damaged"}]});
        let claim = post(&shop, "claims", &claim)["id"].clone();
        let case = json!({"kind": "instructions", "order_id": order, "line": 0, "owner": "Ira"});
        let case = post(&shop, "after-sale", &case)["id"].clone();
        let ids = |path: &str| -> Vec<Value> {
            get(&shop, path)["items"].as_array().expect("a list").iter().map(|item| item["id"].clone()).collect()
        };
        let one = |id: &Value| vec![id.clone()];
        assert_eq!(ids("returns?reason=defect"), one(&defect));
        assert_eq!(ids("returns?reason=late"), Vec::<Value>::new());
        assert_eq!(ids("returns?location_id=kyiv-1"), one(&small));
        assert_eq!(ids("returns?location_id=lviv-1"), Vec::<Value>::new());
        assert_eq!(ids("returns?location_id=nowhere"), Vec::<Value>::new());
        assert_eq!(ids("returns?q=olena%40example.com"), vec![defect, small.clone()]);
        assert_eq!(ids("claims?reason=damaged"), one(&claim));
        assert_eq!(ids("claims?reason=defect"), Vec::<Value>::new());
        assert_eq!((ids("after-sale?owner=Ira"), ids("after-sale?owner=Oleh")), (one(&case), Vec::new()));
        let wrong = shop.owner("GET", "/api/v1/returns?reason=mood").send();
        assert_eq!(wrong.status, 422, "{}", wrong.text);
        // An order is named by the same id everywhere, and that id is taken back.
        let named = get(&shop, "returns?location_id=kyiv-1")["items"][0]["order_id"].clone();
        let named = named.as_str().expect("an id").to_string();
        assert_eq!(get(&shop, &format!("orders/{named}"))["order_id"], json!(named));
        assert_eq!(ids(&format!("claims?order_id={named}")), one(&claim));
        // All of it stands at the customer, too.
        let body = json!({"userId": "olena", "traits": {"email": "olena@example.com"}, "messageId": "m-olena"});
        assert_eq!(shop.track("/v1/identify", &body).status, 200);
        let person = shop.owner("GET", "/api/v1/customers/lookup?user_id=olena").send().json();
        let person = person["person_id"].as_str().expect("a person").to_string();
        let seen = get(&shop, &format!("customers/{person}/orders"));
        let counts = ["orders", "returns", "claims", "cases"].map(|of| seen[of].as_array().map_or(0, Vec::len));
        assert_eq!(counts, [2, 2, 1, 1], "{seen}");
        assert_eq!((&seen["cases"][0]["owner"], &seen["orders"][1]["order_id"]), (&json!("Ira"), &json!(named)));
    }
}
