use super::shop::{Shop, ask, at, list, price};
use crate::prices::commands::{self, NewPrice, PriceError};
use crate::prices::model::{BASE, NEVER, Scope};
use crate::prices::store;
use base::{HOUR_US, SECOND_US};
use db::DbError;

fn scheduled(variant: i64, minor: i64, from: &str, until: Option<&str>) -> NewPrice {
    NewPrice { from: Some(at(from)), until: until.map(at), ..price(variant, minor) }
}

#[test]
fn a_scheduled_price_is_live_everywhere_at_its_second_l4() {
    // [L4] A price spreads to all channels by itself.
    for shop in Shop::each() {
        let sale = shop.list(list("sale", 1, Scope::default()));
        shop.set(BASE, "base", vec![price(1, 1000), price(2, 500)]);
        shop.set(sale.id, "k", vec![scheduled(1, 800, "2026-11-23T12:00:00Z", Some("2026-11-23T18:00:00Z"))]);
        let next = |from: &str| {
            let from = at(from);
            shop.store.query(move |db| store::next_change(db, from)).expect("a moment")
        };
        assert_eq!(next("2026-11-23T10:00:00Z"), Some(at("2026-11-23T12:00:00Z")));
        assert_eq!(next("2026-11-23T12:00:00Z"), Some(at("2026-11-23T18:00:00Z")));
        assert_eq!(next("2026-11-23T18:00:00Z"), None, "then nothing");
        assert_eq!(shop.minor(1, "site"), Some(1000));
        // What the writer's timer asks and does.
        let due = || shop.store.read(store::next_due).expect("a moment");
        assert!(due().is_some_and(|at| at <= shop.now()), "what was set to begin now is told at once");
        (0..3).for_each(|_| shop.store.write(store::tell).expect("it is told"));
        assert_eq!(due(), Some(at("2026-11-23T12:00:00Z")));
        shop.clock.advance(2 * HOUR_US - 1);
        assert_eq!(shop.minor(1, "site"), Some(1000), "a microsecond before");
        shop.clock.advance(1);
        for channel in ["site", "app", "store", "call"] {
            assert_eq!(shop.minor(1, channel), Some(800), "{channel}");
        }
        (0..2).for_each(|_| shop.store.write(store::tell).expect("it is told"));
        assert_eq!(due(), Some(at("2026-11-23T18:00:00Z")), "the next one");
        shop.clock.advance(1);
        shop.set(BASE, "sooner", vec![scheduled(2, 450, "2026-11-23T13:00:00Z", None)]);
        assert_eq!(due(), Some(at("2026-11-23T13:00:00Z")), "one that was set since");
        shop.clock.advance(6 * HOUR_US);
        assert_eq!(shop.minor(1, "site"), Some(1000), "and over at its second");
        let (from, to) = (at("2026-11-23T11:00:00Z"), at("2026-11-23T12:00:00Z"));
        let changed = shop.store.query(move |db| store::changed_between(db, (from, to), 0, 10));
        assert_eq!(changed.expect("variants"), [1], "feeds write only what changed");
        shop.assert_clean();
    }
}

#[test]
fn prices_are_set_in_bulk_with_rejections_and_once_for_a_key() {
    for shop in Shop::each() {
        let past = NewPrice { from: Some(at("2026-11-23T09:59:59Z")), ..price(3, 1) };
        let upside =
            NewPrice { from: Some(at("2026-11-24T00:00:00Z")), until: Some(at("2026-11-24T00:00:00Z")), ..price(4, 1) };
        let struck = NewPrice { compare_at: Some(5), ..price(5, 10) };
        let prices = vec![price(1, 100), price(0, 1), past, upside, price(2, 200), struck, price(1, 101), price(6, -1)];
        let applied = shop.try_set(BASE, "once", prices.clone()).expect("it is done");
        let shown: Vec<(usize, &str)> = applied.rejections.iter().map(|r| (r.index, r.pointer)).collect();
        assert_eq!(shown, [(1, "/variant"), (2, "/from"), (3, "/until"), (5, "/compare_at"), (6, ""), (7, "/minor")]);
        assert_eq!((applied.accepted, applied.replayed), (2, false));
        let again = shop.try_set(BASE, "once", prices).expect("a repeat");
        assert_eq!((again.change, again.accepted, again.replayed), (applied.change, 2, true));
        assert_eq!(shop.entries(1).len(), 1, "a repeat writes nothing");
        assert_eq!([shop.minor(1, "site"), shop.minor(2, "site"), shop.minor(6, "site")], [Some(100), Some(200), None]);
        let none = shop.try_set(BASE, "none", Vec::new()).expect_err("nothing to do");
        assert_eq!(none.to_string(), "1 to 10000 prices are set at once");
        assert!(matches!(shop.try_set(99, "x", vec![price(1, 1)]), Err(PriceError::NoList { id: 99 })));
        shop.assert_clean();
    }
}

#[test]
fn a_change_is_previewed_and_rolled_back_and_the_past_stays() {
    for shop in Shop::each() {
        shop.set(BASE, "first", vec![price(1, 1000), price(2, 500)]);
        shop.clock.advance(HOUR_US);
        let wanted = vec![price(1, 900), price(3, 300), scheduled(2, 450, "2026-11-24T00:00:00Z", None)];
        let same = wanted.clone();
        let (effects, rejections) = shop.write(move |tx| commands::preview(tx, BASE, "UAH", &same)).expect("a preview");
        let shown: Vec<_> = effects.iter().map(|e| (e.variant, e.before, e.after)).collect();
        assert_eq!(shown, [(1, Some(1000), Some(900)), (3, None, Some(300)), (2, Some(500), Some(450))]);
        assert_eq!((rejections.len(), effects[0].until), (0, NEVER));
        assert_eq!(shop.minor(1, "site"), Some(1000), "a preview changes nothing");
        let change = shop.set(BASE, "second", wanted);
        assert_eq!(shop.minor(1, "site"), Some(900));
        let mistake = shop.now();
        shop.clock.advance(HOUR_US);
        let back = shop.write(move |tx| commands::roll_back(tx, change, "undo", "taras")).expect("it goes back");
        assert_eq!((back.accepted, back.rejections.len(), back.replayed), (3, 0, false));
        assert_eq!(
            [shop.minor(1, "site"), shop.minor(2, "site"), shop.minor(3, "site")],
            [Some(1000), Some(500), None]
        );
        let tomorrow = at("2026-11-25T00:00:00Z");
        assert_eq!(shop.quote(ask(2, "site", tomorrow)).map(|q| q.minor), Some(500), "what was scheduled never comes");
        assert_eq!(shop.quote(ask(1, "site", mistake)).map(|q| q.minor), Some(900), "what was asked was asked");
        let again = shop.write(move |tx| commands::roll_back(tx, change, "undo", "taras")).expect("a repeat");
        assert!(again.replayed);
        let twice =
            shop.write(move |tx| commands::roll_back(tx, change, "undo-2", "taras")).expect_err("once is enough");
        assert!(twice.to_string().ends_with("it was rolled back before"), "{twice}");
        shop.assert_clean();
    }
}

#[test]
fn a_price_that_was_changed_again_is_left_alone_by_a_roll_back() {
    for shop in Shop::each() {
        shop.set(BASE, "1", vec![price(1, 1000), price(2, 500)]);
        let change = shop.set(BASE, "2", vec![price(1, 900), price(2, 400)]);
        shop.clock.advance(SECOND_US);
        shop.set(BASE, "3", vec![price(1, 800)]);
        let back = shop.write(move |tx| commands::roll_back(tx, change, "undo", "taras")).expect("it goes back");
        assert_eq!((back.accepted, back.rejections.len()), (1, 1));
        assert!(back.rejections[0].what.starts_with("variant 1 was changed again by change"), "{:?}", back.rejections);
        assert_eq!([shop.minor(1, "site"), shop.minor(2, "site")], [Some(800), Some(500)]);
        shop.assert_clean();
    }
}

#[test]
fn lists_have_versions_and_memory_follows_commits_and_rollbacks() {
    for shop in Shop::each() {
        let made = shop.list(list("site", 5, Scope { channels: vec!["site".into()], ..Scope::default() }));
        shop.set(BASE, "b", vec![price(1, 1000)]);
        shop.set(made.id, "s", vec![price(1, 900)]);
        assert_eq!([shop.minor(1, "site"), shop.minor(1, "app")], [Some(900), Some(1000)]);
        let (id, everywhere) = (made.id, list("everywhere", 5, Scope::default()));
        let wanted = everywhere.clone();
        let failed = shop.write(move |tx| {
            commands::update_list(tx, id, Some(1), &wanted, "olena")?;
            Err::<(), _>(PriceError::NoList { id: 0 })
        });
        assert!(failed.is_err());
        assert_eq!(shop.minor(1, "app"), Some(1000), "what was undone is not remembered");
        let wanted = everywhere.clone();
        let (before, after) =
            shop.write(move |tx| commands::update_list(tx, id, Some(1), &wanted, "olena")).expect("it is changed");
        assert_eq!((before.version, after.version, shop.minor(1, "app")), (1, 2, Some(900)));
        let stale = shop
            .write(move |tx| commands::update_list(tx, id, Some(1), &everywhere, "taras"))
            .expect_err("it is stale");
        assert_eq!(stale.code(), "changed_meanwhile");
        shop.write(move |tx| commands::end_list(tx, id, "taras")).expect("it ends");
        assert_eq!(shop.minor(1, "app"), Some(1000));
        assert!(matches!(shop.try_set(id, "late", vec![price(1, 1)]), Err(PriceError::Ended { .. })));
        let versions = shop.store.query(move |db| commands::list_versions(db, id, i64::MAX, 10)).expect("versions");
        assert_eq!(
            versions.iter().map(|(v, who, ..)| (*v, who.as_str())).collect::<Vec<_>>(),
            [(3, "taras"), (2, "olena"), (1, "olena")]
        );
        let bad = shop.write(|tx| {
            commands::create_list(
                tx,
                &commands::NewList { currency: "грн".into(), ..list("x", 0, Scope::default()) },
                "olena",
            )
        });
        assert!(matches!(bad, Err(PriceError::Invalid { pointer, .. }) if pointer == "/currency"));
        shop.assert_clean();
    }
}

#[test]
fn doctor_finds_prices_that_hold_at_the_same_time() {
    for shop in Shop::each() {
        shop.set(BASE, "b", vec![price(1, 1000)]);
        shop.store
            .write(|tx| {
                let sql = "INSERT INTO price_entries (id, variant_no, list_id, currency, min_quantity, minor, compare_at, starts_at, ends_at, change_id) \
                           SELECT id + 1000, variant_no, list_id, currency, min_quantity, minor, compare_at, starts_at + 5, ends_at, 77 FROM price_entries";
                tx.execute(sql, &[]).map(drop)
            })
            .map_err(|e: DbError| e)
            .expect("it is broken");
        let found = shop.store.query(crate::prices::doctor::check).expect("doctor reads");
        let shown: Vec<&str> = found.iter().map(|f| f.detail.split(" and ").last().unwrap_or_default()).collect();
        assert_eq!(shown.len(), 2, "{found:?}");
        assert!(shown[0].ends_with("hold at the same time") && shown[1] == "nothing says who set it", "{found:?}");
    }
}
