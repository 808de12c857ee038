//! From the first click to the hand-over.
use super::world::{World, line, q};
use crate::OrderError;
use crate::commands::{self, Proof};
use crate::model::Delivery;
use crate::states::line::Line as LineState;
use crate::states::order::Status;
use crate::states::payment::Action;
use stock::StockError;
use stock::commands::Shortage;
use stock::model::{CUSTOMER, DocumentKind, LocationKind};

fn courier() -> Delivery {
    Delivery::Ship { option: "courier".into(), price_minor: 9900 }
}

#[test]
fn click_and_collect_from_the_cart_to_the_counter() {
    // [N4]
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let shoe = world.goods("shoe-42", 259_900, true);
        world.receive(shoe, shop, 2);
        let cart = world.cart(&[(shoe, 1)], Delivery::PickUp { location_no: shop });
        assert_eq!(world.available(shoe), q(2), "a cart holds nothing");
        let order = world.checkout(cart).expect("it is ordered");
        assert_eq!((order.status(), world.available(shoe)), (Status::AwaitingPayment, q(1)));
        assert_eq!((order.body.total_minor, order.body.tax_minor), (259_900, 43_317), "a fifth is inside");
        assert_eq!(order.body.parts[0].location_no, shop);
        let no = order.no;
        let paid = world.pay(no, Action::Capture, "c-1", 259_900).expect("it is paid");
        assert_eq!(paid.status(), Status::Confirmed);
        world.crash();
        let code = world.write(move |tx| Ok(commands::pick_up_code(tx.hash_key(), no))).expect("a code");
        let proof = Proof::Code(code);
        let (early_proof, late_proof) = (proof.clone(), proof);
        let early = world.write(move |tx| commands::collect(tx, no, 1, (&early_proof, None), "shop"));
        assert!(matches!(early, Err(OrderError::Refused(_))), "nobody picked it");
        let picked = world.write(move |tx| commands::accept(tx, no, 1, "shop")).expect("the shop picks");
        assert_eq!(picked.status(), Status::InProgress);
        world.clock.advance(9 * base::MINUTE_US);
        let ready = world.write(move |tx| commands::ready(tx, no, 1, "shop")).expect("it lies ready");
        let f = &ready.body.fulfilments[0];
        assert_eq!(f.ready_at.micros() - ready.placed_at.micros(), 9 * base::MINUTE_US, "[N5] minutes to ready");
        let wrong = Proof::Code("12".into());
        let wrong = world.write(move |tx| commands::collect(tx, no, 1, (&wrong, None), "shop"));
        assert!(matches!(wrong, Err(OrderError::Field { pointer, .. }) if pointer == "/code"));
        let done = world.write(move |tx| commands::collect(tx, no, 1, (&late_proof, None), "shop"));
        let done = done.expect("it is handed over");
        assert_eq!((done.status(), world.available(shoe)), (Status::Delivered, q(1)));
        let history = world.write(move |tx| Ok(commands::history_of(tx, no)?)).expect("it is read");
        let what: Vec<&str> = history.iter().map(|h| h.what.as_str()).collect();
        let steps = ["placed", "sourced", "confirmed", "payment capture", "accepted", "ready", "collected"];
        assert_eq!(what, steps);
    });
}

#[test]
fn a_checkout_that_is_sent_twice_orders_once() {
    World::each(|world| {
        let hub = world.location("W", LocationKind::Warehouse);
        let shoe = world.goods("shoe-42", 100_000, true);
        world.receive(shoe, hub, 5);
        let cart = world.cart(&[(shoe, 2)], courier());
        let first = world.checkout(cart).expect("it is ordered");
        world.crash();
        let second = world.checkout(cart).expect("a repeat is no error");
        assert_eq!((first.no, world.available(shoe)), (second.no, q(3)));
        assert_eq!(first.body.total_minor, 200_000 + 9900);
        let changed = world.write(move |tx| commands::put_line(tx, cart, shoe, q(1), false));
        assert!(matches!(changed, Err(OrderError::Field { .. })), "what was ordered is not edited behind its back");
    });
}

#[test]
fn what_is_short_orders_nothing() {
    // [M5]
    World::each(|world| {
        let hub = world.location("W", LocationKind::Warehouse);
        let (shoe, card) = (world.goods("shoe-42", 100_000, true), world.goods("gift-card", 50_000, false));
        world.receive(shoe, hub, 1);
        let (a, b) = (world.cart(&[(shoe, 1), (card, 3)], courier()), world.cart(&[(shoe, 1)], courier()));
        let order = world.checkout(a).expect("the first gets it; a card is always there");
        assert_eq!(order.body.parts.iter().filter(|p| p.claim.is_none()).count(), 1);
        let Err(OrderError::Stock(StockError::NotEnough(short))) = world.checkout(b) else { panic!("it is gone") };
        assert_eq!((short[0].wanted, short[0].available), (q(1), q(0)));
        world.receive(shoe, hub, 1);
        world.checkout(b).expect("the cart is still there");
    });
}

#[test]
fn an_order_needs_lines_a_customer_and_a_way() {
    World::each(|world| {
        let shoe = world.goods("shoe-42", 100_000, true);
        let empty =
            world.write(|tx| Ok(commands::create_cart(tx, &super::world::shop(), "site", None)?.no)).expect("a cart");
        let refused = world.checkout(empty).expect_err("nothing is in it").to_string();
        assert!(refused.contains("it has lines"), "{refused}");
        world.write(move |tx| commands::put_line(tx, empty, shoe, q(1), false)).expect("a line");
        let refused = world.checkout(empty).expect_err("nobody is known").to_string();
        assert!(refused.contains("the customer is known"), "{refused}");
        let far = world.write(move |tx| commands::put_delivery(tx, empty, &courier(), ("", None)));
        assert!(matches!(far, Err(OrderError::Field { pointer, .. }) if pointer == "/address"));
        let too_much = world.write(move |tx| commands::put_line(tx, empty, shoe, q(0), false));
        assert!(matches!(too_much, Err(OrderError::Field { pointer, .. }) if pointer == "/quantity"));
        let out = world.write(move |tx| commands::put_line(tx, empty, shoe, q(0), true)).expect("it is taken out");
        assert!(out.body.lines.is_empty());
    });
}

#[test]
fn payments_count_once_and_never_go_back() {
    // [LESSONS commerce 15]
    World::each(|world| {
        let hub = world.location("W", LocationKind::Warehouse);
        let shoe = world.goods("shoe-42", 100_000, true);
        world.receive(shoe, hub, 5);
        let cart = world.cart(&[(shoe, 1)], courier());
        let no = world.checkout(cart).expect("it is ordered").no;
        let much = world.pay(no, Action::Capture, "x", 500_000);
        assert!(matches!(much, Err(OrderError::Field { pointer, .. }) if pointer == "/amount"));
        world.pay(no, Action::Authorise, "a-1", 109_900).expect("the money is kept");
        world.pay(no, Action::Capture, "c-1", 109_900).expect("and taken");
        world.pay(no, Action::Capture, "c-1", 109_900).expect("told twice");
        let late = world.pay(no, Action::Authorise, "a-2", 109_900);
        assert!(matches!(late, Err(OrderError::Refused(_))), "what is paid is not merely kept again");
        let order = world.pay(no, Action::Refund, "r-1", 9_900).expect("some goes back");
        assert_eq!((order.sums().captured, order.sums().refunded), (109_900, 9_900));
        let more = world.pay(no, Action::Refund, "r-2", 200_000);
        assert!(matches!(more, Err(OrderError::Refused(_))), "not more than was paid");
        assert_eq!(order.status(), Status::AwaitingPayment, "what went back for nothing is left to pay again");
    });
}

#[test]
fn a_cancelled_order_gives_back_what_was_kept() {
    World::each(|world| {
        let hub = world.location("W", LocationKind::Warehouse);
        let (shoe, hat) = (world.goods("shoe-42", 100_000, true), world.goods("hat", 30_000, true));
        world.receive(shoe, hub, 5);
        world.receive(hat, hub, 5);
        let cart = world.cart(&[(shoe, 2), (hat, 1)], courier());
        let no = world.checkout(cart).expect("it is ordered").no;
        let left = world.write(move |tx| commands::cancel(tx, no, Some(&[1]), (false, "no hat", "agent")));
        let left = left.expect("one line goes");
        assert_eq!((world.available(hat), world.available(shoe)), (q(5), q(3)));
        assert_eq!((left.owed_minor(), left.status()), (209_900, Status::AwaitingPayment));
        world.write(move |tx| commands::accept(tx, no, 1, "hub")).expect("the hub picks");
        let asked = world.write(move |tx| commands::cancel(tx, no, None, (false, "", "agent")));
        assert!(matches!(asked, Err(OrderError::Refused(_))), "the hub has to agree");
        let over = world.write(move |tx| commands::cancel(tx, no, None, (true, "changed mind", "agent")));
        let over = over.expect("it is called off");
        assert_eq!((over.status(), over.owed_minor(), world.available(shoe)), (Status::Cancelled, 0, q(5)));
        let dead = world.write(move |tx| commands::accept(tx, no, 1, "hub"));
        assert!(dead.is_err());
    });
}

#[test]
fn goods_that_a_till_sold_come_from_elsewhere_or_are_seen_by_a_person() {
    World::each(|world| {
        let (near, far) = (world.location("A", LocationKind::Store), world.location("W", LocationKind::Warehouse));
        let shoe = world.goods("shoe-42", 100_000, true);
        world.receive(shoe, near, 1);
        let cart = world.cart(&[(shoe, 1)], courier());
        let order = world.checkout(cart).expect("it is ordered");
        assert_eq!(order.body.parts[0].location_no, near);
        world.receive(shoe, far, 1);
        let sell = |from| world.post(DocumentKind::Sale, vec![line(shoe, from, CUSTOMER, 1)], Shortage::Record);
        let broken = sell(near).broken;
        let (no, claim) = (order.no, (broken[0].reservation_no, broken[0].line));
        let found = world
            .write(move |tx| commands::lose_claim(tx, no, claim, &super::world::shop(), "till"))
            .expect("it is told");
        let (moved, served) = found.expect("a part had it");
        assert!(served && moved.body.parts[0].location_no == far);
        assert!(
            world
                .write(move |tx| commands::lose_claim(tx, no, claim, &super::world::shop(), "till"))
                .expect("told twice")
                .is_none()
        );
        let broken = sell(far).broken;
        let claim = (broken[0].reservation_no, broken[0].line);
        let found = world
            .write(move |tx| commands::lose_claim(tx, no, claim, &super::world::shop(), "till"))
            .expect("it is told");
        let (parked, served) = found.expect("a part had it");
        assert_eq!((served, parked.body.parts[0].state, parked.status()), (false, LineState::Parked, Status::Parked));
        let over = world.write(move |tx| commands::cancel(tx, no, None, (false, "sold out", "agent")));
        assert_eq!(over.expect("it is called off").status(), Status::Cancelled);
    });
}

#[test]
fn fifty_buyers_of_ten_pieces_get_ten() {
    World::each(|world| {
        let hub = world.location("W", LocationKind::Warehouse);
        let shoe = world.goods("shoe-42", 100_000, true);
        world.receive(shoe, hub, 10);
        let carts: Vec<i64> = (0..50).map(|_| world.cart(&[(shoe, 1)], courier())).collect();
        let got = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for cart in &carts {
                let (world, got) = (&*world, &got);
                scope.spawn(move || match world.checkout(*cart) {
                    Ok(_) => drop(got.fetch_add(1, std::sync::atomic::Ordering::SeqCst)),
                    Err(OrderError::Stock(StockError::NotEnough(_))) => {}
                    Err(e) => panic!("{e}"),
                });
            }
        });
        assert_eq!((got.into_inner(), world.available(shoe)), (10, q(0)));
    });
}
