//! Exchange with accounting systems: a client that behaves like 1C drives the real server.
mod client;
mod rest;
mod sale;
mod stock_files;

use super::harness::{Shop, shops};
use client::{Client, Ways};
use serde_json::{Value, json};

const GOODS: &str = include_str!("../../../exchange/testdata/commerceml/import.xml");
const OFFERS: &str = include_str!("../../../exchange/testdata/commerceml/offers.xml");
const BOOTS: &str = "bd72d8f9-55bc-11d9-848a-00112f43529a";

fn post(shop: &Shop, path: &str, body: &Value) -> Value {
    let answer = shop.owner("POST", &format!("/api/v1/{path}")).json(body).send();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json()
}

fn get(shop: &Shop, path: &str) -> Value {
    let answer = shop.owner("GET", &format!("/api/v1/{path}")).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

/// A shop with two places and a connection; gives the password.
fn begin(shop: &Shop, kind: &str, settings: &Value) -> String {
    post(shop, "locations", &json!({"id": "hub", "kind": "warehouse", "name": "Hub"}));
    post(shop, "locations", &json!({"id": "lviv", "kind": "store", "name": "Львів"}));
    let made = post(shop, "erp", &json!({"name": "bas", "kind": kind, "settings": settings}));
    made["password"].as_str().unwrap_or_default().to_string()
}

fn map(shop: &Shop, kind: &str, external_id: &str, target: &str) {
    let body = json!({"kind": kind, "external_id": external_id, "target": target});
    let answer = shop.owner("PUT", "/api/v1/erp/bas/mappings").json(&body).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Waits until no job of an exchange is open.
fn settled(shop: &Shop) {
    for _ in 0..400 {
        let jobs = get(shop, "jobs?kind=erp_import&limit=500");
        let open = |j: &Value| j["state"] == "queued" || j["state"] == "running";
        if !jobs["items"].as_array().is_some_and(|all| all.iter().any(open)) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("jobs never end: {}", get(shop, "jobs?kind=erp_import"));
}

fn on_hand(shop: &Shop, sku: &str, location: &str) -> Value {
    let stock = get(shop, &format!("stock/{}", sku.replace(' ', "%20")));
    let items = stock["items"].as_array().cloned().unwrap_or_default();
    items.iter().find(|i| i["location_id"] == location).map_or(Value::Null, |i| i["on_hand"].clone())
}

fn price(shop: &Shop, sku: &str) -> Value {
    let products = get(shop, "products?limit=100");
    let all = products["items"].as_array().cloned().unwrap_or_default();
    for product in all {
        let full = get(shop, &format!("products/{}", product["id"].as_str().unwrap_or_default()));
        let found = full["variants"].as_array().and_then(|v| v.iter().find(|v| v["sku"] == sku).cloned());
        if let Some(found) = found {
            return found["price"].clone();
        }
    }
    Value::Null
}

fn journal(shop: &Shop) -> Vec<String> {
    let lines = get(shop, "erp/bas/journal?limit=500");
    let line = |l: &Value| {
        let text = |name: &str| l[name].as_str().unwrap_or_default().to_string();
        format!("{} {}: {}", text("level"), text("subject"), text("what"))
    };
    lines["items"].as_array().map(|all| all.iter().map(line).collect()).unwrap_or_default()
}

fn told(shop: &Shop, part: &str) -> bool {
    journal(shop).iter().any(|l| l.contains(part))
}

fn files() -> Vec<(String, Vec<u8>)> {
    vec![("import0_1.xml".into(), GOODS.into()), ("offers0_1.xml".into(), OFFERS.into())]
}

/// Everything that the two files of the example hold.
fn assert_example(shop: &Shop) {
    assert_eq!(on_hand(shop, "HM-200-41", "hub"), json!(3), "{:#?}", journal(shop));
    assert_eq!(on_hand(shop, "HM-200-41", "lviv"), json!(2));
    assert_eq!(on_hand(shop, "HM-200-42", "hub"), json!(1));
    assert_eq!(on_hand(shop, "CR-1", "hub"), json!(10.5));
    assert_eq!(price(shop, "HM-200-41"), json!({"minor": 259_900, "currency": "UAH"}));
    assert_eq!(
        price(shop, "CR-1"),
        json!({"minor": 10_000, "currency": "UAH"}),
        "a price of twelve is a twelfth a piece"
    );
    let boots = get(shop, &format!("products/{BOOTS}"));
    assert_eq!(boots["name"], "Черевики \"Хмара\" & шнурки");
    assert_eq!(boots["variants"].as_array().map(Vec::len), Some(3));
    assert_eq!(boots["attributes"]["Сезон"], "Зима", "{boots:#}");
    assert!(told(shop, "-1 at hub is less than nothing"), "{:#?}", journal(shop));
    shop.assert_clean();
}

#[test]
fn a_whole_exchange_brings_goods_prices_and_stock() {
    // [M3] archives or not, pieces cut anywhere, either encoding, either order of the files.
    let every = [
        Ways { zip: false, piece: 1_500, windows_1251: false, offers_first: false, slice_ms: 5_000 },
        Ways { zip: true, piece: 1_100, windows_1251: true, offers_first: false, slice_ms: 5_000 },
        Ways { zip: false, piece: 1_031, windows_1251: true, offers_first: true, slice_ms: 0 },
    ];
    for ways in every {
        for shop in shops() {
            let settings =
                json!({"file_limit": ways.piece, "zip": ways.zip, "slice_ms": ways.slice_ms, "currency": "UAH"});
            let password = begin(&shop, "commerceml", &settings);
            let mut client = Client::new(&shop, "bas", &password, ways);
            client.exchange(&files()).expect("it is taken");
            // Nobody has said yet what the warehouses and prices are: goods are there, the rest waits.
            assert_eq!(on_hand(&shop, "HM-200-41", "hub"), Value::Null);
            let maps = get(&shop, "erp/bas/mappings");
            assert_eq!(maps["items"].as_array().map(Vec::len), Some(4), "{maps:#}");
            map(&shop, "warehouse", "w-hub", "hub");
            map(&shop, "warehouse", "w-lviv", "lviv");
            map(&shop, "price_type", "t-retail", "base");
            settled(&shop);
            assert_example(&shop);
            // The same again changes nothing.
            client.exchange(&files()).expect("it is taken");
            assert_example(&shop);
            assert_eq!(client.said_progress, ways.slice_ms == 0, "who has no time is asked to come again");
        }
    }
}

#[test]
fn who_does_not_sign_in_gets_no_further() {
    for shop in shops() {
        let password = begin(&shop, "commerceml", &json!({}));
        let ask = |query: &str, login: Option<(&str, &str)>, cookie: &str| {
            client::ask(&shop, "bas", query, login, cookie, b"")
        };
        assert!(ask("type=catalog&mode=checkauth", None, "").starts_with("failure\nno name and password came"));
        assert!(
            ask("type=catalog&mode=checkauth", Some(("bas", "wrong")), "").starts_with("failure\nname or password")
        );
        assert!(
            ask("type=catalog&mode=checkauth", Some(("other", &password)), "").starts_with("failure\nname or password")
        );
        assert!(ask("type=catalog&mode=init", None, "").starts_with("failure\nthe exchange is not signed in"));
        assert!(
            ask("type=catalog&mode=init", None, "braid_exchange=made-up")
                .starts_with("failure\nthe exchange is not signed in")
        );
        let begun = ask("type=catalog&mode=checkauth", Some(("bas", &password)), "");
        let lines: Vec<&str> = begun.lines().collect();
        assert_eq!((lines[0], lines[1]), ("success", "braid_exchange"), "{begun}");
        let cookie = format!("braid_exchange={}", lines[2]);
        assert_eq!(ask("type=catalog&mode=init", None, &cookie), "zip=yes\nfile_limit=10485760");
        assert_eq!(
            ask("type=catalog&mode=init&version=2.09", None, &cookie),
            "zip=yes\nfile_limit=10485760\nversion=2.10"
        );
        assert!(
            ask("type=catalog&mode=init", Some(("bas", &password)), "").starts_with("zip="),
            "a lost cookie, the password repeated"
        );
        assert!(ask("type=crm&mode=init", None, &cookie).starts_with("failure\ntype=crm"));
        assert!(ask("type=catalog&mode=info", None, &cookie).starts_with("failure\nmode=info"));
        assert!(ask("type=catalog&mode=import&filename=none.xml", None, &cookie).contains("it did not come"));
        assert!(ask("type=catalog&mode=file&filename=../../x", None, &cookie).starts_with("failure\nfilename"));
        let html = client::ask(&shop, "bas", "type=catalog&mode=file&filename=a.xml", None, &cookie, b"<html></html>");
        assert_eq!(html, "success");
        let refused = ask("type=catalog&mode=import&filename=a.xml", None, &cookie);
        assert!(refused.starts_with("failure\na.xml: it begins with <html>"), "{refused}");
        assert!(told(&shop, "failed a.xml"), "{:#?}", journal(&shop));
        assert_eq!(
            client::ask(&shop, "nobody", "type=catalog&mode=checkauth", None, "", b"").lines().next(),
            Some("failure")
        );
        let made = get(&shop, "erp/bas");
        assert!(made["password"].is_null(), "a password is shown once");
        shop.assert_clean();
    }
}

#[test]
fn a_second_run_brings_only_changes_and_late_files_change_nothing() {
    for shop in shops() {
        let password = begin(&shop, "commerceml", &json!({"currency": "UAH"}));
        let mut client = Client::new(&shop, "bas", &password, Ways::default());
        client.exchange(&files()).expect("it is taken");
        for (kind, id, target) in
            [("warehouse", "w-hub", "hub"), ("warehouse", "w-lviv", "lviv"), ("price_type", "t-retail", "base")]
        {
            map(&shop, kind, id, target);
        }
        settled(&shop);
        // A sale here after the count there: what comes late must not undo it.
        let sale = json!({"source": "till:hub", "external_id": "r-1", "kind": "sale", "at": "2026-11-20T15:30:00Z", "happened": true,
            "lines": [{"sku": "CR-1", "quantity": 1, "from": "hub"}]});
        post(&shop, "stock/documents", &sale);
        assert_eq!(on_hand(&shop, "CR-1", "hub"), json!(9.5));
        let rests = include_str!("../../../exchange/testdata/commerceml/rests.xml");
        client.exchange(&[("rests0_1.xml".into(), rests.into())]).expect("it is taken");
        // Seven lay there at three o'clock, and one was sold half an hour later.
        assert_eq!(on_hand(&shop, "CR-1", "hub"), json!(6), "{:#?}", journal(&shop));
        assert_eq!(on_hand(&shop, "CR-1", "lviv"), json!(1000.25));
        let cheaper = OFFERS.replace("1200", "1140").replace("14:45:42", "15:10:00");
        client.exchange(&[("prices0_1.xml".into(), cheaper.into_bytes())]).expect("it is taken");
        assert_eq!(price(&shop, "CR-1")["minor"], 9_500);
        let late =
            OFFERS.replace("КоличествоНаСкладе=\"10,5\"", "КоличествоНаСкладе=\"99\"").replace("14:45:42", "09:00:00");
        client.exchange(&[("offers_late.xml".into(), late.into_bytes())]).expect("it is taken");
        assert_eq!(on_hand(&shop, "CR-1", "hub"), json!(9.5), "the count of ten past three holds: 10.5 less one sold");
        assert_eq!(price(&shop, "CR-1")["minor"], 9_500, "an old price is no news");
        shop.assert_clean();
    }
}

#[test]
fn goods_that_get_characteristics_keep_their_stock_and_are_no_duplicates() {
    for shop in shops() {
        let password = begin(&shop, "commerceml", &json!({"currency": "UAH"}));
        let mut client = Client::new(&shop, "bas", &password, Ways::default());
        client.exchange(&files()).expect("it is taken");
        map(&shop, "warehouse", "w-hub", "hub");
        settled(&shop);
        let offer = |id: &str, tone: &str, quantity: &str| {
            format!(
                "<Предложение><Ид>cream-1#{id}</Ид><ХарактеристикиТовара><ХарактеристикаТовара><Наименование>Тон</Наименование>\
                 <Значение>{tone}</Значение></ХарактеристикаТовара></ХарактеристикиТовара>\
                 <Склад ИдСклада=\"w-hub\" КоличествоНаСкладе=\"{quantity}\"/></Предложение>"
            )
        };
        let file = format!(
            "<КоммерческаяИнформация ДатаФормирования=\"2026-11-20T16:00:00\"><ПакетПредложений СодержитТолькоИзменения=\"true\">\
             <Предложения>{}{}</Предложения></ПакетПредложений></КоммерческаяИнформация>",
            offer("black", "чорний", "6"),
            offer("brown", "коричневий", "4"),
        );
        client.exchange(&[("offers0_1.xml".into(), file.into_bytes())]).expect("it is taken");
        let cream = get(&shop, "products/cream-1");
        let skus: Vec<&str> =
            cream["variants"].as_array().expect("variants").iter().filter_map(|v| v["sku"].as_str()).collect();
        assert_eq!(skus, ["CR-1", "CR-1-коричневий"], "the first takes the place of what was one");
        assert_eq!(cream["variants"][0]["attributes"]["Тон"], "чорний");
        assert_eq!(on_hand(&shop, "CR-1", "hub"), json!(6));
        assert_eq!(on_hand(&shop, "CR-1-коричневий", "hub"), json!(4));
        let back = OFFERS.replace("14:45:42", "17:00:00");
        client.exchange(&[("offers0_2.xml".into(), back.into_bytes())]).expect("it is taken");
        assert!(told(&shop, "it has characteristics now"), "{:#?}", journal(&shop));
        assert_eq!(on_hand(&shop, "CR-1", "hub"), json!(6));
        shop.assert_clean();
    }
}

#[test]
fn what_vanishes_is_archived_and_much_of_it_only_when_somebody_says_so() {
    for shop in shops() {
        let password = begin(&shop, "commerceml", &json!({"currency": "UAH"}));
        let mut client = Client::new(&shop, "bas", &password, Ways::default());
        client.exchange(&files()).expect("it is taken");
        let state = |id: &str| get(&shop, &format!("products/{id}"))["state"].as_str().unwrap_or_default().to_string();
        let cut = GOODS.find("      <Товар>\n        <Ид>cream-1").expect("it is there");
        let end = GOODS[cut..].find("</Товар>").expect("it ends") + cut + "</Товар>".len();
        let less = format!("{}{}", &GOODS[..cut], &GOODS[end..]);
        let changes = less.replace("СодержитТолькоИзменения=\"false\"", "СодержитТолькоИзменения=\"true\"");
        client.exchange(&[("import0_1.xml".into(), changes.into_bytes())]).expect("it is taken");
        assert_eq!(
            client.step("type=catalog&mode=deactivate&timestamp=0"),
            "success\nchanges only: nothing is archived"
        );
        client.exchange(&[("import0_1.xml".into(), less.clone().into_bytes())]).expect("it is taken");
        let asked = client.step("type=catalog&mode=deactivate&timestamp=99999999999");
        assert!(asked.starts_with("failure\n1 of 2 goods would be archived"), "{asked}");
        assert_eq!(state("cream-1"), "active");
        let exchanges = get(&shop, "erp/bas/exchanges");
        assert_eq!(exchanges["items"][0]["asked"], "1 of 2");
        assert_eq!(exchanges["items"][0]["whole"], true);
        let id = exchanges["items"][0]["id"].as_str().unwrap_or_default();
        let done = post(&shop, &format!("erp/bas/exchanges/{id}/confirm"), &json!({"archive": true}));
        assert_eq!(
            (done["archived"].as_i64(), &state("cream-1")[..], &state(BOOTS)[..]),
            (Some(1), "archived", "active")
        );
        assert_eq!(client.step("type=catalog&mode=complete"), "success");
        // It comes back as it was.
        client.exchange(&files()).expect("it is taken");
        assert_eq!(state("cream-1"), "active");
        shop.assert_clean();
    }
}
