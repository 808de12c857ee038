//! Feeds follow item by item; assortment decides. [L2] [L6]
use super::harness::Shop;
use crate::feeds::{self, Feed, Format};
use crate::schema::{Channel, ChannelKind, Labels};
use crate::{assortment::Rule, describe};
use base::Timestamp;
use db::{DbError, Tx};
use serde_json::json;

fn channel(code: &str, rules: Vec<Rule>) -> Channel {
    Channel {
        no: 0,
        code: code.into(),
        kind: ChannelKind::Site,
        labels: Labels::new(),
        root_no: 0,
        locales: vec!["uk".into()],
        currencies: vec!["UAH".into()],
        assortment: rules,
        version: 0,
    }
}

fn put_channel(shop: &Shop, rules: Vec<Rule>) -> i64 {
    put_channel_named(shop, "site", rules)
}

pub fn put_channel_named(shop: &Shop, code: &'static str, rules: Vec<Rule>) -> i64 {
    shop.write(move |tx| {
        describe::put_channel(tx, channel(code, rules.clone()), None)
            .map(|c| c.no)
            .map_err(|e| DbError::damaged("test", e))
    })
}

pub fn feed(shop: &Shop, channel_no: i64, format: Format) -> i64 {
    shop.write(move |tx| {
        let no = tx.next_id();
        let feed = Feed {
            no,
            name: "F".into(),
            format,
            channel_no,
            locale: "uk".into(),
            currency: "UAH".into(),
            link: "https://shop.test/p/{id}?s={sku}".into(),
            token: format!("t{no}"),
            active: true,
            region: String::new(),
            position: 0,
            priced_to: 0,
            followed_at: Timestamp::default(),
            version: 1,
        };
        feeds::put(tx, &feed)?;
        Ok(no)
    })
}

pub fn follow(shop: &Shop, feed: i64) -> feeds::Pace {
    shop.write(move |tx: &mut Tx| {
        feeds::advance(tx, feed, "https://braid.test/media", &mut |tx, feed, channel, _, variant| {
            feeds::follow::shown_offer(tx, feed, channel, variant, None)
        })
    })
}

pub fn text(shop: &Shop, feed: i64) -> String {
    shop.query(move |db| Ok(feeds::items(db, feed, 0, 100)?.into_iter().map(|(_, t)| t).collect()))
}

#[test]
fn one_changed_sku_costs_one_item() {
    for shop in Shop::each() {
        let goods: Vec<_> = (0..20)
            .map(|n| json!({"id": format!("p{n}"), "name": format!("Товар <{n}> & Co"), "attributes": {"colour": "red"}, "categories": ["Дім"],
                "media": [{"hash": "https://x.test/1.jpg"}],
                "variants": [{"sku": format!("s{n}"), "gtin": if n == 0 { "4820000000000" } else { "" }, "price": {"minor": 12990, "currency": "UAH"}}]}))
            .collect();
        shop.made(json!(goods));
        let site = put_channel(&shop, vec![]);
        let (yml, google) = (feed(&shop, site, Format::Yml), feed(&shop, site, Format::GoogleMerchant));
        assert_eq!(follow(&shop, yml).written, 20);
        follow(&shop, google);
        let all = text(&shop, yml);
        assert!(
            all.contains("<name>Товар &lt;0&gt; &amp; Co</name>") && all.contains("<price>129.90</price>"),
            "{all:.400}"
        );
        assert!(all.contains("<barcode>4820000000000</barcode>") && all.contains("<param name=\"colour\">red</param>"));
        let ads = text(&shop, google);
        assert!(
            ads.contains("<g:price>129.90 UAH</g:price>")
                && ads.contains("<g:link>https://shop.test/p/p0?s=s0</g:link>")
        );
        shop.made(json!([{"id": "p7", "variants": [{"sku": "s7", "price": {"minor": 5000, "currency": "UAH"}}]}]));
        assert_eq!(shop.query(feeds::waiting), [yml, google]);
        let pace = follow(&shop, yml);
        assert_eq!((pace.products, pace.written), (1, 1));
        assert_eq!(follow(&shop, yml).products, 0);
        assert!(text(&shop, yml).contains("<price>50.00</price>"));
        // What every product may show makes the feed look at all of them, and write what differs.
        shop.write(crate::recount::touch_all);
        let pace = follow(&shop, yml);
        assert_eq!((pace.products, pace.written), (20, 0));
    }
}

#[test]
fn what_a_channel_does_not_sell_is_left_out_with_the_reason() {
    for shop in Shop::each() {
        let one = |id: &str, brand: &str, state: &str| json!({"id": id, "name": id, "brand": brand, "state": state, "media": [{"hash": "https://x.test/1.jpg"}], "variants": [{"sku": id, "price": {"minor": 1, "currency": "UAH"}}]});
        shop.made(json!([one("a", "Acme", "active"), one("b", "Lumo", "active"), one("c", "Acme", "draft"), {"id": "d", "name": "d", "variants": [{"sku": "d"}]}]));
        let rule = Rule { sell: false, brands: vec!["Lumo".into()], ..Rule::default() };
        let site = put_channel(&shop, vec![rule]);
        let feed = feed(&shop, site, Format::GoogleMerchant);
        follow(&shop, feed);
        assert_eq!(shop.query(move |db| feeds::counts(db, feed)), (1, 3));
        let why = shop.query(move |db| feeds::left_out(db, feed));
        let why: Vec<(&str, i64, &str)> = why.iter().map(|(w, n, s)| (w.as_str(), *n, s.as_str())).collect();
        assert_eq!(why, [("assortment", 1, "b"), ("no_price", 1, "d"), ("not_offered", 1, "c")]);
        // The rule goes: the item comes.
        put_channel(&shop, vec![]);
        follow(&shop, feed);
        assert_eq!(shop.query(move |db| feeds::counts(db, feed)), (2, 2));
    }
}
