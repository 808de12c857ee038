//! Orders go out and come back.
use super::client::{Client, Ways};
use super::{GOODS, OFFERS, Shop, begin, journal, map, post, settled, shops, told};
use base::Quantity;
use orders::commands;
use orders::model::{Contact, Delivery};
use serde_json::json;

/// Orders one piece of an SKU; gives the order's number for people.
fn order(shop: &Shop, sku: &'static str) -> String {
    let seller =
        commands::Shop { country: "UA".into(), currency: "UAH".into(), zone: jiff::tz::TimeZone::UTC, buyers: None };
    let written = shop.app().domain.store().write(move |tx: &mut db::Tx| -> Result<String, orders::OrderError> {
        let variant = catalog::variants::find(tx, sku)?.unwrap_or(0);
        let cart = commands::create_cart(tx, &seller, "site", None)?.no;
        commands::put_line(tx, cart, variant, Quantity::ONE, false)?;
        let contact =
            Contact { email: "olena@example.com".into(), name: "Олена <К>".into(), ..Contact::default() };
        commands::put_contact(tx, cart, &contact)?;
        let delivery = Delivery::Ship { option: "nova-poshta".into(), price_minor: 7_000 };
        commands::put_delivery(tx, cart, &delivery, ("Львів, Площа Ринок 1", None))?;
        Ok(commands::checkout(tx, cart, &seller, "site")?.body.number.clone())
    });
    written.expect("it is ordered")
}

#[test]
fn orders_go_out_until_they_are_confirmed_and_come_back_paid() {
    // [M3] sales and payments.
    for shop in shops() {
        let password = begin(&shop, "commerceml", &json!({"currency": "UAH"}));
        let channel = json!({"name": "Site", "hold_seconds": 600, "buffer": 0, "kinds": ["store", "warehouse"]});
        let put = shop.owner("PUT", "/api/v1/stock-channels/site").json(&channel).send();
        assert!((200..300).contains(&put.status), "{}", put.text);
        let mut client = Client::new(&shop, "bas", &password, Ways::default());
        client
            .exchange(&[("import0_1.xml".into(), GOODS.into()), ("offers0_1.xml".into(), OFFERS.into())])
            .expect("taken");
        map(&shop, "warehouse", "w-hub", "hub");
        map(&shop, "price_type", "t-retail", "base");
        settled(&shop);
        let number = order(&shop, "HM-200-41");
        client.sign_in("sale");
        assert!(client.step("type=sale&mode=init").starts_with("zip=yes\n"));
        let first = client.step("type=sale&mode=query");
        assert!(first.starts_with("\u{feff}<?xml"), "{first}");
        for part in [
            format!("<Номер>{number}</Номер>"),
            format!("<Ид>{}#c-41</Ид>", super::BOOTS),
            "<Ид>ORDER_DELIVERY</Ид>".into(),
            "<ЦенаЗаЕдиницу>2599</ЦенаЗаЕдиницу>".into(),
            "<Сумма>2669</Сумма>".into(),
            "Олена &lt;К&gt;".into(),
            "<Контейнер>".into(),
        ] {
            assert!(first.contains(&part), "{part} is missing in {first}");
        }
        // Until it is confirmed the same orders come, and no others.
        let later = order(&shop, "HM-200-42");
        let again = client.step("type=sale&mode=query");
        assert!(again.contains(&number) && !again.contains(&format!("<Номер>{later}</Номер>")), "{again}");
        assert_eq!(client.step("type=sale&mode=success"), "success");
        let second = client.step("type=sale&mode=query");
        assert!(!second.contains(&format!("<Номер>{number}</Номер>")) && second.contains(&later), "{second}");
        assert_eq!(client.step("type=sale&mode=success"), "success");
        // It comes back with its number there, a date that is empty, then paid; one line was changed there.
        let back = |paid: &str, quantity: &str| {
            include_str!("../../../../exchange/testdata/commerceml/orders_back.xml")
                .replace("1001", &number)
                .replace("<Значение>T</Значение>", &format!("<Значение>{paid}</Значение>"))
                .replace(
                    "<Количество>1</Количество><Сумма>2599.00",
                    &format!("<Количество>{quantity}</Количество><Сумма>2599.00"),
                )
        };
        let limit = 10 << 20;
        client.upload("sale", "orders-1.xml", back("T", "1").as_bytes(), limit).expect("it is taken");
        assert!(!told(&shop, "paid there"), "{:#?}", journal(&shop));
        client.upload("sale", "orders-2.xml", back("2026-11-21", "2").as_bytes(), limit).expect("it is taken");
        client.upload("sale", "orders-3.xml", back("2026-11-21", "2").as_bytes(), limit).expect("it is taken");
        assert!(told(&shop, "of HM-200-41 1 are ordered here and 2 there"), "{:#?}", journal(&shop));
        assert!(told(&shop, "paid there on 2026-11-21"), "{:#?}", journal(&shop));
        let wanted = number.clone();
        let paid = shop.app().domain.store().read(move |tx: &mut db::Tx| -> Result<(i64, usize), orders::OrderError> {
            let row = tx.first("SELECT no FROM orders WHERE number = $1", &[(&wanted).into()])?.expect("it is there");
            let order = commands::order_of(tx, row.int(0)?)?;
            Ok((order.sums().captured, order.body.payments.len()))
        });
        assert_eq!(paid.expect("it is read"), (266_900, 1), "paid once, however often it is told");
        let third = client.step("type=sale&mode=query");
        assert!(!third.contains(&format!("<Номер>{number}</Номер>")), "what it said itself is no news to it: {third}");
        let kept = shop.place.folder.join("erp");
        let left = walk(&kept).into_iter().filter(|p| p.contains("orders-")).collect::<Vec<_>>();
        assert!(left.is_empty(), "files with names of people go as soon as they are read: {left:?}");
        client
            .upload("sale", "orders-4.xml", back("T", "1").replace(&number, "nobody").as_bytes(), limit)
            .expect("it is taken");
        assert!(told(&shop, "there is no order of this number"), "{:#?}", journal(&shop));
        post(&shop, "erp/bas/reconciliations", &json!({"whole": false}));
        shop.assert_clean();
    }
}

fn walk(path: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let one = |path: std::path::PathBuf| if path.is_dir() { walk(&path) } else { vec![path.display().to_string()] };
    entries.flat_map(|e| one(e.path())).collect()
}
