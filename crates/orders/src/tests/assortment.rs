//! What is sold where is said once, in the catalogue, and carts obey it. [L6]
use super::world::{World, q, shop};
use crate::OrderError;
use crate::commands;
use catalog::assortment::Rule;
use catalog::describe;
use catalog::schema::{Channel, ChannelKind, Labels};

/// A format of stores that sells nothing but hats.
fn small_stores() -> Channel {
    let hats = Rule { sell: true, skus: vec!["hat".into()], ..Rule::default() };
    Channel {
        no: 0,
        code: "small".into(),
        kind: ChannelKind::Store,
        labels: Labels::new(),
        root_no: 0,
        locales: vec!["uk".into()],
        currencies: vec!["UAH".into()],
        assortment: vec![hats, Rule::default()],
        version: 0,
    }
}

#[test]
fn a_format_of_stores_sells_what_its_assortment_says_and_the_site_everything() {
    World::each(|world| {
        let (shoe, hat) = (world.goods("shoe", 100_000, true), world.goods("hat", 30_000, true));
        let carts = world.write(|tx| {
            let made = describe::put_channel(tx, small_stores(), None);
            made.map_err(|e| db::DbError::damaged("test", e))?;
            let sells = stock::commands::ChannelInput {
                id: "small".into(),
                name: "Small stores".into(),
                hold_seconds: 900,
                buffer: q(0),
                kinds: vec![stock::model::LocationKind::Store],
                only: vec![],
                excluded: vec![],
            };
            stock::commands::put_channel(tx, &sells, None)?;
            let small = commands::create_cart(tx, &shop(), "small", None)?.no;
            Ok((small, commands::create_cart(tx, &shop(), "site", None)?.no))
        });
        let (small, site) = carts.expect("they are begun");
        let put = |cart: i64, variant: i64| world.write(move |tx| commands::put_line(tx, cart, variant, q(1), false));
        assert!(put(small, hat).is_ok() && put(site, hat).is_ok() && put(site, shoe).is_ok());
        let refused = put(small, shoe);
        assert!(
            matches!(&refused, Err(OrderError::Field { pointer, detail }) if pointer == "/sku" && detail.contains("rule 2")),
            "{refused:?}"
        );
    });
}
