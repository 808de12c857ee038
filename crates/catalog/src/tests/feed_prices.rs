//! Feeds show the prices of their channel, and a price that moves costs its own items. [L3]
use super::feeds::{feed, follow, put_channel_named, text};
use super::harness::Shop;
use crate::feeds::{self, Format};
use crate::prices::commands::{NewList, NewPrice, PriceError, create_list, end_list, set_prices, update_list};
use crate::prices::model::{BASE, Kind, Scope};
use crate::prices::store::{next_due, tell};
use base::{DAY_US, SECOND_US, Timestamp};
use db::DbError;
use serde_json::{Value, json};

fn fault(error: PriceError) -> DbError {
    DbError::damaged("test", error)
}

/// Twenty products of one variant at 129.90.
fn goods() -> Value {
    let one = |n: i32| {
        json!({"id": format!("p{n}"), "name": format!("Товар {n}"), "media": [{"hash": "https://x.test/1.jpg"}],
        "variants": [{"sku": format!("s{n}"), "price": {"minor": 12990, "currency": "UAH"}}]})
    };
    json!((0..20).map(one).collect::<Vec<_>>())
}

fn list(shop: &Shop, name: &'static str, position: i64, kind: Kind, scope: Scope) -> i64 {
    let new = NewList {
        name: name.into(),
        currency: "UAH".into(),
        kind,
        position,
        scope,
        reason: String::new(),
        starts_at: None,
        ends_at: None,
    };
    shop.write(move |tx| create_list(tx, &new, "olena").map(|l| l.id).map_err(fault))
}

fn set(shop: &Shop, list: i64, sku: &str, minor: i64, (from, until): (Option<Timestamp>, Option<Timestamp>)) {
    let (sku, key) = (sku.to_string(), format!("{list} {sku} {minor}"));
    shop.write(move |tx| {
        let variant = crate::variants::find(tx, &sku)?.expect("the variant is there");
        let price = NewPrice { variant, min_quantity: 0, minor: Some(minor), compare_at: None, from, until };
        let currency = if list == BASE { "UAH" } else { "" };
        set_prices(tx, (list, currency), &key, &[price], "olena", "").map_err(fault)
    });
}

/// The timer: as often as it says that it is due.
fn tick(shop: &Shop) {
    let due = |shop: &Shop| {
        shop.store.read(next_due).expect("a moment").is_some_and(|at| at <= base::Clock::now(&*shop.clock))
    };
    while due(shop) {
        shop.write(tell);
    }
}

/// What following costs until nothing is left: items rendered and written.
fn cost(shop: &Shop, feed: i64) -> (usize, usize) {
    let (mut rendered, mut written) = (0, 0);
    loop {
        let pace = follow(shop, feed);
        if pace.products == 0 {
            return (rendered, written);
        }
        (rendered, written) = (rendered + pace.rendered, written + pace.written);
    }
}

fn channels(names: &[&str]) -> Scope {
    Scope { channels: names.iter().map(|n| n.to_string()).collect(), ..Scope::default() }
}

fn item(shop: &Shop, feed: i64, sku: &str) -> String {
    let all = text(shop, feed);
    let mark = [format!("<offer id=\"{sku}\""), format!("<g:id>{sku}</g:id>")];
    let at = mark.iter().find_map(|m| all.find(m)).expect("the item is there");
    let end = ["</offer>", "</item>"].iter().filter_map(|e| all[at..].find(e)).min().expect("it ends");
    all[at..at + end].to_string()
}

#[test]
fn a_price_of_one_channel_costs_one_item_of_its_feed() {
    for shop in Shop::each() {
        shop.made(goods());
        let (site, market) = (put_channel_named(&shop, "site", vec![]), put_channel_named(&shop, "market", vec![]));
        let (on_site, on_market) = (feed(&shop, site, Format::Yml), feed(&shop, market, Format::GoogleMerchant));
        assert_eq!((cost(&shop, on_site), cost(&shop, on_market)), ((20, 20), (20, 20)));
        tick(&shop);
        assert_eq!(shop.query(feeds::waiting), [0i64; 0]);

        let only_market = list(&shop, "Market", 10, Kind::Regular, channels(&["market"]));
        set(&shop, only_market, "s7", 14900, (None, None));
        tick(&shop);
        assert_eq!(shop.query(feeds::waiting), [on_market], "the other channel's feed has nothing to do");
        assert_eq!(cost(&shop, on_market), (1, 1), "one item is rendered, and written");
        assert_eq!(cost(&shop, on_site), (0, 0));
        assert!(item(&shop, on_market, "s7").contains("<g:price>149.00 UAH</g:price>"));
        assert!(item(&shop, on_site, "s7").contains("<price>129.90</price>"));

        // What some customers alone are asked is no feed's business.
        let own = Scope { segments: vec!["vip".into()], ..Scope::default() };
        let own = list(&shop, "VIP", 1, Kind::Regular, own);
        set(&shop, own, "s7", 100, (None, None));
        tick(&shop);
        assert_eq!((cost(&shop, on_site), cost(&shop, on_market)), ((0, 0), (0, 0)));

        // A base price is everybody's; where a list goes before it, the item stays as it was.
        set(&shop, BASE, "s7", 13000, (None, None));
        tick(&shop);
        assert_eq!((cost(&shop, on_site), cost(&shop, on_market)), ((1, 1), (1, 0)));

        // A list that goes to another channel moves its goods in both; a list that ends, too.
        let moved = NewList {
            name: "Market".into(),
            currency: "UAH".into(),
            kind: Kind::Regular,
            position: 10,
            scope: channels(&["site"]),
            reason: String::new(),
            starts_at: None,
            ends_at: None,
        };
        shop.write(move |tx| update_list(tx, only_market, None, &moved, "olena").map_err(fault));
        tick(&shop);
        assert_eq!((cost(&shop, on_site), cost(&shop, on_market)), ((1, 1), (1, 1)));
        assert!(item(&shop, on_site, "s7").contains("<price>149.00</price>"));
        assert!(item(&shop, on_market, "s7").contains("<g:price>130.00 UAH</g:price>"));
        shop.write(move |tx| end_list(tx, only_market, "olena").map_err(fault));
        tick(&shop);
        assert_eq!((cost(&shop, on_site), cost(&shop, on_market)), ((1, 1), (0, 0)));
        assert!(item(&shop, on_site, "s7").contains("<price>130.00</price>"));
    }
}

#[test]
fn a_scheduled_sale_goes_live_at_its_second_and_ends_at_it() {
    for shop in Shop::each() {
        shop.made(goods());
        let site = put_channel_named(&shop, "site", vec![]);
        let (yml, google) = (feed(&shop, site, Format::Yml), feed(&shop, site, Format::GoogleMerchant));
        cost(&shop, yml);
        cost(&shop, google);
        let sale = list(&shop, "Sale", 5, Kind::Sale, channels(&["site"]));
        let from = Timestamp::from_civil(2026, 11, 27, 0, 0, 0);
        let until = from.plus(DAY_US);
        tick(&shop);
        for sku in ["s3", "s4"] {
            set(&shop, sale, sku, 9990, (Some(from), Some(until)));
        }
        tick(&shop);
        assert_eq!(cost(&shop, yml), (0, 0), "nothing moves before its time");
        assert_eq!(shop.store.read(next_due).expect("a moment"), Some(from));

        shop.clock.set(from.plus(-1));
        tick(&shop);
        assert_eq!(shop.query(feeds::waiting), [0i64; 0]);
        shop.clock.set(from);
        tick(&shop);
        assert_eq!(shop.query(feeds::waiting), [yml, google]);
        assert_eq!((cost(&shop, yml), cost(&shop, google)), ((2, 2), (2, 2)));
        // [L3] the price before stands beside the sale price, as each format says it.
        let of = item(&shop, yml, "s3");
        assert!(of.contains("<price>99.90</price>") && of.contains("<oldprice>129.90</oldprice>"), "{of}");
        let of = item(&shop, google, "s4");
        assert!(
            of.contains("<g:price>129.90 UAH</g:price>") && of.contains("<g:sale_price>99.90 UAH</g:sale_price>"),
            "{of}"
        );
        shop.clock.set(until);
        tick(&shop);
        assert_eq!((cost(&shop, yml), cost(&shop, google)), ((2, 2), (2, 2)));
        let of = item(&shop, yml, "s3");
        assert!(of.contains("<price>129.90</price>") && !of.contains("oldprice"), "{of}");
    }
}

#[test]
fn many_prices_are_marked_in_pieces_and_a_rolled_back_piece_is_made_again() {
    for shop in Shop::each() {
        let one = |n: i32| json!({"id": format!("p{n}"), "name": "x", "variants": (0..50).map(|v| json!({"sku": format!("s{n}-{v}"), "price": {"minor": 100, "currency": "UAH"}})).collect::<Vec<_>>()});
        shop.made(json!((0..25).map(one).collect::<Vec<_>>()));
        let site = put_channel_named(&shop, "site", vec![]);
        let yml = feed(&shop, site, Format::Yml);
        cost(&shop, yml);
        let at = Timestamp::from_civil(2026, 11, 24, 0, 0, 0);
        shop.write(move |tx| {
            let variants = tx.rows("SELECT no FROM variants ORDER BY no", &[])?;
            let prices: Vec<NewPrice> = variants
                .iter()
                .map(|r| {
                    Ok(NewPrice {
                        variant: r.int(0)?,
                        min_quantity: 0,
                        minor: Some(90),
                        compare_at: None,
                        from: Some(at),
                        until: None,
                    })
                })
                .collect::<Result<_, DbError>>()?;
            set_prices(tx, (BASE, "UAH"), "all", &prices, "olena", "").map_err(fault)
        });
        shop.clock.set(at);
        shop.write(tell);
        let refused = shop.store.write(|tx| {
            tell(tx)?;
            Err::<(), PriceError>(PriceError::NoList { id: 1 })
        });
        assert!(refused.is_err());
        shop.clock.advance(SECOND_US);
        tick(&shop);
        let (rendered, written) = cost(&shop, yml);
        assert_eq!(written, 1250);
        assert!(rendered >= 1250, "{rendered}");
        assert!(!text(&shop, yml).contains("<price>1.00</price>"));
    }
}
