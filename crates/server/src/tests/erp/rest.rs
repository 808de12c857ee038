//! The REST form: event by event, both ways, and stock held against the books.
use super::{Shop, begin, get, journal, on_hand, post, price, shops};
use serde_json::{Value, json};

fn tell(shop: &Shop, events: &Value) -> Vec<String> {
    let answer = post(shop, "erp/bas/events", &json!({"events": events}));
    let one = |e: &Value| {
        let why = e["why"].as_str().map(|w| format!(": {w}")).unwrap_or_default();
        format!("{}{why}", e["outcome"].as_str().unwrap_or_default())
    };
    answer["items"].as_array().expect("items").iter().map(one).collect()
}

fn goods() -> Value {
    json!({"id": "e-1", "type": "goods", "at": "2026-11-20T10:00:00Z", "data": {"external_id": "G1", "variants": {"shoe-42": "V42"},
        "product": {"id": "shoe", "name": "Khmara", "state": "active", "variants": [{"sku": "shoe-42"}, {"sku": "shoe-43"}]}}})
}

fn told(id: &str, kind: &str, at: &str, data: &Value) -> Value {
    json!({"id": id, "type": kind, "at": format!("2026-11-20T{at}:00Z"), "data": data})
}

#[test]
fn events_come_late_twice_and_wrong_and_each_stands_for_itself() {
    // [M3] goods, prices, receipts, stock and sales, event by event.
    for shop in shops() {
        begin(&shop, "rest", &json!({"currency": "UAH"}));
        let lines = json!([{"external_id": "V42", "quantity": "5"}]);
        let events = json!([
            goods(),
            told("e-2", "price", "10:01", &json!({"external_id": "V42", "price_type": "base", "amount": "2599,00"})),
            told("e-3", "receipt", "10:02", &json!({"number": "П-1", "warehouse": "hub", "lines": lines})),
            told("e-4", "sale", "10:03", &json!({"warehouse": "hub", "lines": [{"sku": "shoe-42", "quantity": "2"}]})),
            told("e-5", "stock", "10:04", &json!({"sku": "shoe-43", "warehouse": "unknown", "quantity": "7"})),
            told(
                "e-6",
                "sale",
                "10:05",
                &json!({"warehouse": "hub", "lines": [{"external_id": "nothing", "quantity": "1"}]})
            ),
            told("e-7", "price", "10:05", &json!({"external_id": "V42", "price_type": "base", "amount": "багато"})),
            told(
                "e-8",
                "payment",
                "10:06",
                &json!({"order": "1001", "number": "p", "action": "capture", "amount": "1", "currency": "UAH"})
            ),
            told("e-3", "receipt", "10:02", &json!({"number": "П-1", "warehouse": "hub", "lines": lines})),
        ]);
        assert_eq!(
            tell(&shop, &events),
            [
                "taken",
                "taken",
                "taken",
                "taken",
                "waiting",
                "refused: \"nothing\" is not known here: tell its goods first, or its SKU",
                "refused: amount is no number",
                "refused: there is no order \"1001\" here",
                "repeated",
            ]
        );
        assert_eq!(on_hand(&shop, "shoe-42", "hub"), json!(3));
        assert_eq!(price(&shop, "shoe-42"), json!({"minor": 259_900, "currency": "UAH"}));
        // A sale that our books do not have goods for is a fact all the same.
        let late = told(
            "e-9",
            "sale",
            "09:00",
            &json!({"warehouse": "hub", "lines": [{"external_id": "V42", "quantity": "9"}]}),
        );
        assert_eq!(tell(&shop, &json!([late])), ["taken"]);
        assert_eq!(on_hand(&shop, "shoe-42", "hub"), json!(0));
        assert!(journal(&shop).iter().any(|l| l.contains("written down as found")), "{:#?}", journal(&shop));
        super::map(&shop, "warehouse", "unknown", "lviv");
        super::settled(&shop);
        assert_eq!(on_hand(&shop, "shoe-43", "lviv"), json!(7), "what waited is used");
        shop.assert_clean();
    }
}

#[test]
fn the_other_side_follows_what_happens_here_and_says_how_far_it_is() {
    for shop in shops() {
        begin(&shop, "rest", &json!({"currency": "UAH"}));
        assert_eq!(tell(&shop, &json!([goods()])), ["taken"]);
        let movement = |from: &str, to: &str, quantity: i64| {
            post(
                &shop,
                "stock/movements",
                &json!({"sku": "shoe-42", "from": from, "to": to, "quantity": quantity, "reason": "r"}),
            );
        };
        movement("supplier", "hub", 10);
        let events = get(&shop, "erp/bas/events?after=0");
        let first = &events["items"][0];
        assert_eq!(
            (&first["type"], &first["data"]["lines"][0]["external_id"]),
            (&json!("stock.movement"), &json!("V42")),
            "{events:#}"
        );
        assert_eq!(
            (&first["data"]["lines"][0]["to"], &first["data"]["lines"][0]["quantity"]),
            (&json!("hub"), &json!("10"))
        );
        let upto = first["id"].as_str().unwrap_or_default().to_string();
        let stands = post(&shop, "erp/bas/events/acknowledge", &json!({"upto": upto}));
        assert_eq!(stands["acknowledged"], upto.as_str());
        assert_eq!(get(&shop, "erp/bas/events")["items"], json!([]), "the next begins after what was acknowledged");
        let back = post(&shop, "erp/bas/events/acknowledge", &json!({"upto": "1"}));
        assert_eq!(back["acknowledged"], upto.as_str(), "it never goes back");
        let ahead =
            shop.owner("POST", "/api/v1/erp/bas/events/acknowledge").json(&json!({"upto": "999999999999"})).send();
        assert_eq!(ahead.status, 422, "{}", ahead.text);
        // What the other side told is no news to it.
        let lines = json!([{"external_id": "V42", "quantity": "1"}]);
        let sale = told("e-2", "sale", "10:00", &json!({"warehouse": "hub", "lines": lines}));
        assert_eq!(tell(&shop, &json!([sale])), ["taken"]);
        assert_eq!(get(&shop, "erp/bas/events")["items"], json!([]));
        // Three are sold here; a count there that has not heard of them is right about the rest.
        movement("hub", "customer", 3);
        std::thread::sleep(std::time::Duration::from_millis(5));
        let now = base::Clock::now(&base::SystemClock).to_string();
        let count = json!({"id": "e-3", "type": "stock", "at": now, "data": {"external_id": "V42", "warehouse": "hub", "quantity": "8"}});
        assert_eq!(tell(&shop, &json!([count])), ["taken"]);
        assert_eq!(on_hand(&shop, "shoe-42", "hub"), json!(5), "eight there, less three that it has not heard of");
        shop.assert_clean();
    }
}

#[test]
fn every_difference_has_its_cause_and_who_is_right() {
    for shop in shops() {
        begin(&shop, "rest", &json!({"stock": "check", "currency": "UAH"}));
        assert_eq!(tell(&shop, &json!([goods()])), ["taken"]);
        let movement = |sku: &str, from: &str, to: &str, quantity: i64| {
            post(
                &shop,
                "stock/movements",
                &json!({"sku": sku, "from": from, "to": to, "quantity": quantity, "reason": "r"}),
            );
        };
        movement("shoe-42", "supplier", "hub", 10);
        movement("shoe-43", "supplier", "hub", 4);
        let events = get(&shop, "erp/bas/events?after=0");
        let last = events["items"]
            .as_array()
            .and_then(|e| e.last())
            .and_then(|e| e["id"].as_str())
            .unwrap_or_default()
            .to_string();
        post(&shop, "erp/bas/events/acknowledge", &json!({"upto": last}));
        movement("shoe-42", "hub", "customer", 3);
        let item = |id: &str, warehouse: &str, quantity: i64| json!({"external_id": id, "warehouse": warehouse, "quantity": quantity});
        let items = json!([
            item("V42", "hub", 10),
            item("shoe-43", "hub", 5),
            item("nobody", "hub", 1),
            item("V42", "nowhere", 1)
        ]);
        let done = post(&shop, "erp/bas/reconciliations", &json!({"items": items, "whole": true}));
        assert_eq!((&done["items"], &done["differences"]), (&json!(4), &json!(4)));
        let found = get(&shop, "erp/bas/differences");
        let shown: Vec<String> = found["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|d| {
                format!(
                    "{} {} {}/{} {} {}",
                    d["external_id"], d["warehouse"], d["theirs"], d["ours"], d["cause"], d["right"]
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "\"V42\" \"hub\" 10/7 \"not_acknowledged\" \"here\"",
                "\"shoe-43\" \"hub\" 5/4 \"lost\" \"unknown\"",
                "\"nobody\" \"hub\" 1/0 \"unknown_goods\" \"unknown\"",
                "\"V42\" \"nowhere\" 1/0 \"unmapped_warehouse\" \"unknown\"",
            ]
        );
        assert_eq!(on_hand(&shop, "shoe-43", "hub"), json!(4), "a check changes nothing");
        shop.assert_clean();
    }
}
