//! What happens in shops.
use super::world::{World, input, line, paper, q, want};
use crate::StockError;
use crate::choice::Wanted;
use crate::commands::{self, Replacement, Request, Shortage};
use crate::model::{
    CUSTOMER, Condition, Document, DocumentKind, EndedWhy, LocationKind, LocationState, ReservationKind, SUPPLIER,
};
use base::{MINUTE_US, SECOND_US};
use std::sync::atomic::{AtomicI64, Ordering};

fn sold(world: &World, variant_no: i64, location_no: i64, units: i64, minutes_ago: i64, id: &str) -> Document {
    let at = world.now().plus(-minutes_ago * MINUTE_US);
    let document = paper(DocumentKind::Sale, at, vec![line(variant_no, location_no, CUSTOMER, units)]);
    Document { external_id: id.into(), source: "till:1".into(), ..document }
}

#[test]
fn the_last_piece_is_sold_once() {
    // [M5] [M1]
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 1);
        assert_eq!(world.on_site(7), q(1));
        world.reserve(vec![want(7, 1)]).expect("the first gets it");
        let Err(StockError::NotEnough(short)) = world.reserve(vec![want(7, 1)]) else { panic!("it is gone") };
        assert_eq!((short[0].wanted, short[0].available), (q(1), q(0)));
        assert_eq!(world.on_site(7), q(0));
        let Err(StockError::NotEnough(_)) = world.reserve(vec![want(99, 1)]) else { panic!("nobody knows it") };
    });
}

#[test]
fn a_sale_at_the_till_takes_it_off_the_site() {
    // [M1] [M2]
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 2);
        let sale = sold(world, 7, shop, 2, 0, "r-1");
        world.write(move |tx| commands::post(tx, &sale, Shortage::Refuse)).expect("it is sold");
        assert_eq!(world.on_site(7), q(0));
    });
}

#[test]
fn an_ended_hold_does_not_count_though_nobody_swept() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 1);
        let cart = world.reserve_as(ReservationKind::Cart, vec![want(7, 1)], Some(60)).expect("it is held");
        assert_eq!(cart.expires_at.micros() % SECOND_US, 0, "a hold ends with a full second");
        world.pass(59);
        assert_eq!(world.on_site(7), q(0));
        world.pass(2);
        assert_eq!(world.on_site(7), q(1), "its time is over");
        world.reserve(vec![want(7, 1)]).expect("the next one gets it");
        let no = cart.no;
        let late = world.write(move |tx| commands::confirm(tx, no, ReservationKind::Order, "order:1"));
        assert!(matches!(late, Err(StockError::Ended { why: "expired", .. })), "an ended hold becomes no order");
        let swept = world.write(|tx| Ok(commands::expire(tx, 100)?)).expect("it is swept");
        assert_eq!(swept.iter().map(|e| e.no).collect::<Vec<_>>(), [cart.no]);
        let due = world.write(|tx| Ok(commands::next_expiry(tx)?)).expect("it is read");
        assert!(due.is_some_and(|at| at > world.now()), "the next one ends later");
        assert_eq!(world.on_site(7), q(0));
    });
}

#[test]
fn in_a_shop_it_is_kept_for_a_day() {
    // [M7]
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 1);
        let there = Wanted { location_no: Some(shop), ..want(7, 1) };
        world.reserve_as(ReservationKind::InStore, vec![there], None).expect("it is kept");
        world.pass(86_399);
        assert_eq!(world.on_site(7), q(0));
        world.pass(2);
        assert_eq!(world.on_site(7), q(1), "and then released by itself");
    });
}

#[test]
fn a_cart_becomes_an_order_and_the_goods_leave() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 3);
        let no = world.reserve(vec![want(7, 2)]).expect("it is held").no;
        world.write(move |tx| commands::confirm(tx, no, ReservationKind::Order, "order:9")).expect("it is ordered");
        world.pass(864_000);
        assert_eq!(world.on_site(7), q(1), "an order's claim does not end by itself");
        let leaves = paper(DocumentKind::Sale, world.now(), vec![line(7, shop, CUSTOMER, 2)]);
        world
            .write(move |tx| {
                commands::fulfil(tx, no, 0, q(2))?;
                commands::post(tx, &leaves, Shortage::Claimed)
            })
            .expect("it is handed over");
        assert_eq!((world.on_site(7), world.sellable(7, shop)), (q(1), q(1)));
        let again = world.write(move |tx| commands::fulfil(tx, no, 0, q(2)));
        assert!(matches!(again, Err(StockError::Ended { why: "fulfilled", .. })));
        world.write(move |tx| commands::release(tx, no, EndedWhy::Released)).expect("nothing is left to give back");
        assert_eq!(world.on_site(7), q(1));
    });
}

#[test]
fn claims_are_known_again_after_a_kill() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 10);
        let no = world.reserve(vec![want(7, 2)]).expect("held").no;
        world.reserve_as(ReservationKind::Order, vec![want(7, 3)], None).expect("ordered");
        world.crash();
        assert_eq!(world.on_site(7), q(5));
        world.write(move |tx| commands::release_line(tx, no, 0, q(1), EndedWhy::Released)).expect("one goes back");
        assert_eq!(world.on_site(7), q(6));
        world.crash();
        assert_eq!(world.on_site(7), q(6));
        world.pass(901);
        assert_eq!(world.on_site(7), q(7));
    });
}

#[test]
fn a_till_tells_late_and_twice_what_it_sold() {
    // [M3]: late, repeated, out of order
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 3);
        let sale = sold(world, 7, shop, 2, 30, "r-1");
        let again = sale.clone();
        let first = world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it is told");
        let second = world.write(move |tx| commands::post(tx, &again, Shortage::Record)).expect("and told again");
        assert!(!first.repeated && second.repeated && second.document_no == first.document_no);
        assert_eq!(world.sellable(7, shop), q(1));
        world.crash();
        let again = sold(world, 7, shop, 2, 30, "r-1");
        let third = world.write(move |tx| commands::post(tx, &again, Shortage::Record)).expect("after a kill too");
        assert!(third.repeated);
        assert_eq!(world.sellable(7, shop), q(1));
    });
}

#[test]
fn what_was_sold_though_not_on_the_books_is_found_and_never_negative() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 1);
        let sale = sold(world, 7, shop, 3, 5, "r-1");
        let refused = world.write({
            let sale = sale.clone();
            move |tx| commands::post(tx, &sale, Shortage::Refuse)
        });
        assert!(matches!(refused, Err(StockError::NotEnough(_))));
        assert_eq!(world.sellable(7, shop), q(1), "a refusal leaves everything as it was");
        let posted = world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it has happened");
        assert_eq!((posted.found[0].wanted, posted.found[0].available), (q(3), q(1)));
        assert_eq!(world.sellable(7, shop), q(0));
    });
}

#[test]
fn a_sale_of_what_is_claimed_breaks_the_youngest_claims_carts_first() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 4);
        let old = world.reserve_as(ReservationKind::Order, vec![want(7, 1)], None).expect("ordered").no;
        let young = world.reserve_as(ReservationKind::Order, vec![want(7, 1)], None).expect("ordered").no;
        let cart = world.reserve(vec![want(7, 1)]).expect("held").no;
        let sale = sold(world, 7, shop, 3, 5, "r-1");
        let posted = world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it has happened");
        assert_eq!(posted.broken.iter().map(|b| b.reservation_no).collect::<Vec<_>>(), [cart, young]);
        assert!(posted.found.is_empty());
        world.write(move |tx| commands::fulfil(tx, old, 0, q(1))).expect("the older order keeps its piece");
    });
}

#[test]
fn a_count_is_an_anchor_for_what_is_told_afterwards() {
    // [LESSONS commerce 10]
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 12);
        world.pass(3600);
        let counted = paper(DocumentKind::Count, world.now(), vec![]);
        let (posted, variance) =
            world.write(move |tx| commands::count(tx, &counted, shop, 7, q(10))).expect("it is counted");
        assert!(posted.is_some() && variance == q(-2));
        // The two were sold before the count; the till says so only now.
        let sale = sold(world, 7, shop, 2, 30, "r-1");
        world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it is told");
        assert_eq!(world.sellable(7, shop), q(10), "what was counted stays");
        let late = sold(world, 7, shop, 1, 0, "r-2");
        world.write(move |tx| commands::post(tx, &late, Shortage::Record)).expect("it is sold");
        assert_eq!(world.sellable(7, shop), q(9));
        // A count that is older than the last one is no news.
        let older = paper(DocumentKind::Count, world.now().plus(-40 * MINUTE_US), vec![]);
        let (posted, _) = world.write(move |tx| commands::count(tx, &older, shop, 7, q(50))).expect("it is told");
        assert!(posted.is_none());
        // One of a moment ago is told late: what moved since then still counts.
        world.pass(600);
        let sale = sold(world, 7, shop, 4, 1, "r-3");
        world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it is sold");
        let before_sale = paper(DocumentKind::Count, world.now().plus(-5 * MINUTE_US), vec![]);
        let (_, variance) =
            world.write(move |tx| commands::count(tx, &before_sale, shop, 7, q(8))).expect("it is counted");
        assert_eq!((variance, world.sellable(7, shop)), (q(-1), q(4)));
    });
}

#[test]
fn a_sale_that_is_to_happen_needs_goods_whatever_moment_it_bears() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 1);
        world.pass(3600);
        let counted = paper(DocumentKind::Count, world.now(), vec![]);
        world.write(move |tx| commands::count(tx, &counted, shop, 7, q(1))).expect("it is counted");
        let sale = sold(world, 7, shop, 3, 30, "r-1");
        let refused = world.write(move |tx| commands::post(tx, &sale, Shortage::Refuse));
        assert!(matches!(refused, Err(StockError::NotEnough(_))), "there is one");
        assert_eq!(world.sellable(7, shop), q(1));
    });
}

#[test]
fn another_place_serves_a_claim_without_a_gap() {
    World::each(|world| {
        let (near, far) = (world.location("Lviv-1", LocationKind::Store), world.location("W", LocationKind::Warehouse));
        world.receive(7, near, 2);
        let no = world.reserve_as(ReservationKind::Order, vec![want(7, 2)], None).expect("ordered").no;
        let parts = vec![Replacement { line: 0, location_no: far, quantity: q(2) }];
        let refused = world.write(move |tx| commands::replace(tx, no, &parts));
        assert!(matches!(refused, Err(StockError::NotEnough(_))), "there is nothing there");
        assert_eq!(world.on_site(7), q(0), "and the old claim stands");
        world.receive(7, far, 1);
        let parts = vec![
            Replacement { line: 0, location_no: far, quantity: q(1) },
            Replacement { line: 0, location_no: near, quantity: q(1) },
        ];
        world.write(move |tx| commands::replace(tx, no, &parts)).expect("it is divided");
        assert_eq!(world.on_site(7), q(1));
        world.write(move |tx| commands::fulfil(tx, no, 1, q(1))).expect("the new line is there");
        world.write(move |tx| commands::release(tx, no, EndedWhy::Released)).expect("the rest goes back");
        assert_eq!(world.on_site(7), q(3));
    });
}

#[test]
fn a_paused_place_sells_nothing_new_and_keeps_what_it_promised() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 2);
        let no = world.reserve_as(ReservationKind::Order, vec![want(7, 1)], None).expect("ordered").no;
        world
            .write(|tx| commands::set_state(tx, "Lviv-1", LocationState::Paused, "air-raid alert"))
            .expect("it is paused");
        assert_eq!(world.on_site(7), q(0));
        assert!(world.reserve(vec![want(7, 1)]).is_err());
        world.crash();
        assert_eq!(world.on_site(7), q(0), "it stays paused after a start");
        world.write(move |tx| commands::fulfil(tx, no, 0, q(1))).expect("who ordered gets it");
        world.write(|tx| commands::set_state(tx, "Lviv-1", LocationState::Open, "")).expect("it is open again");
        assert_eq!(world.on_site(7), q(2));
    });
}

#[test]
fn bad_input_is_refused_at_its_place() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let at = world.now();
        let refused = |document: Document| match world.write(move |tx| commands::post(tx, &document, Shortage::Refuse))
        {
            Err(StockError::Field { pointer, .. }) => pointer,
            other => panic!("{other:?}"),
        };
        let moves = |m| paper(DocumentKind::Movement, at, vec![m]);
        assert_eq!(refused(paper(DocumentKind::Movement, at, vec![])), "/lines");
        assert_eq!(refused(moves(line(7, SUPPLIER, shop, 0))), "/lines/0/quantity");
        assert_eq!(refused(moves(line(7, shop, shop, 1))), "/lines/0/to");
        assert_eq!(refused(moves(line(7, SUPPLIER, CUSTOMER, 1))), "/lines/0/to");
        assert_eq!(refused(moves(line(7, SUPPLIER, 12345, 1))), "/lines/0/to");
        assert_eq!(
            refused(paper(DocumentKind::Movement, at.plus(2 * 86_400 * SECOND_US), vec![line(7, SUPPLIER, shop, 1)])),
            "/at"
        );
        let bad = input("Lviv 1/2", LocationKind::Store);
        assert!(matches!(world.write(move |tx| commands::put_location(tx, &bad, None)), Err(StockError::Field { .. })));
        let virtual_one = input("supplier", LocationKind::Store);
        assert!(world.write(move |tx| commands::put_location(tx, &virtual_one, None)).is_err());
        let read_before = input("Lviv-1", LocationKind::Warehouse);
        let changed = world.write(move |tx| commands::put_location(tx, &read_before, Some(77)));
        assert!(matches!(changed, Err(StockError::Changed { .. })));
    });
}

#[test]
fn what_is_broken_or_on_display_is_not_for_sale() {
    // [P9]
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 3);
        let mut display = line(7, shop, shop, 1);
        display.to_condition = Condition::Display;
        let mut broken = line(7, shop, shop, 1);
        broken.to_condition = Condition::Damaged;
        let document = paper(DocumentKind::Condition, world.now(), vec![display, broken]);
        world.write(move |tx| commands::post(tx, &document, Shortage::Refuse)).expect("it is moved");
        assert_eq!(world.on_site(7), q(1));
        let mut back = line(7, shop, shop, 2);
        back.from_condition = Condition::Display;
        let document = paper(DocumentKind::Condition, world.now(), vec![back]);
        let refused = world.write(move |tx| commands::post(tx, &document, Shortage::Refuse));
        assert!(matches!(refused, Err(StockError::NotEnough(_))), "one is on display, not two");
    });
}

#[test]
fn ten_thousand_buyers_of_a_hundred_pieces_get_a_hundred() {
    World::each(|world| {
        let (a, b) = (world.location("A", LocationKind::Store), world.location("B", LocationKind::Warehouse));
        world.receive(7, a, 60);
        world.receive(7, b, 40);
        static GOT: AtomicI64 = AtomicI64::new(0);
        static REFUSED: AtomicI64 = AtomicI64::new(0);
        GOT.store(0, Ordering::SeqCst);
        REFUSED.store(0, Ordering::SeqCst);
        let store = world.store();
        std::thread::scope(|scope| {
            for buyer in 0..20 {
                let store = store.clone();
                scope.spawn(move || {
                    for n in 0..500 {
                        let owner = format!("cart:{buyer}-{n}").into();
                        let (lines, channel) = (vec![want(7, 1)], "site".into());
                        let kind = ReservationKind::Cart;
                        let request = Request { channel, kind, owner, lines, seconds: None, partial: false };
                        match store.write(move |tx| commands::reserve(tx, &request)) {
                            Ok(_) => GOT.fetch_add(1, Ordering::SeqCst),
                            Err(StockError::NotEnough(_)) => REFUSED.fetch_add(1, Ordering::SeqCst),
                            Err(e) => panic!("{e}"),
                        };
                    }
                });
            }
        });
        assert_eq!((GOT.load(Ordering::SeqCst), REFUSED.load(Ordering::SeqCst)), (100, 9900));
        assert_eq!(world.on_site(7), q(0));
    });
}
