//! What places do for orders, told as stories: from the first click to the ledger.
use super::world::{World, q, shop};
use crate::OrderError;
use crate::commands::{self, Edit, Proof};
use crate::confirmation::{NOT_COLLECTED, PREPAYMENT, UNCONFIRMED};
use crate::model::{Delivery, Order, Serving};
use crate::settings::{PlaceSettings, Settings};
use crate::states::fulfilment::Fulfilment;
use crate::states::line::Line as LineState;
use crate::states::order::Status;
use crate::states::payment::Action;
use base::HOUR_US;
use std::sync::Arc;
use stock::model::LocationKind::{Store, Warehouse};
use stock::transfers::{self, Arrived, Rest};

fn courier() -> Delivery {
    Delivery::Ship { option: "courier".into(), price_minor: 9900 }
}
fn seen() -> Proof {
    Proof::Seen("passport".into())
}

impl World {
    fn accept_and_pack(&self, no: i64, f: i64) -> Arc<Order> {
        self.does(move |tx| {
            commands::accept(tx, no, f, "shop")?;
            commands::ready(tx, no, f, "shop")
        })
    }
    fn told(&self) -> Vec<&'static str> {
        self.does(|tx| Ok(crate::told::take(tx)?.into_iter().map(|told| told.name).collect()))
    }
    fn set(&self, change: impl Fn(&mut Settings) + Send + 'static) {
        self.does(move |tx| {
            let mut settings = (*commands::settings(tx)?.1).clone();
            change(&mut settings);
            commands::put_settings(tx, &settings)
        });
    }
}

#[test]
fn of_three_sizes_that_were_tried_on_one_is_kept_and_two_are_on_sale_at_once() {
    // [N7, Q3, T2]
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let sizes: Vec<i64> =
            ["41", "42", "43"].iter().map(|s| world.goods(&format!("shoe-{s}"), 200_000, true)).collect();
        for size in &sizes {
            world.receive(*size, lviv, 1);
        }
        let cart = world.cart(&[(sizes[0], 1), (sizes[1], 1), (sizes[2], 1)], Delivery::PickUp { location_no: lviv });
        world.does(move |tx| commands::put_try_on(tx, cart, true));
        let order = world.checkout(cart).expect("it is ordered");
        let no = order.no;
        assert!(sizes.iter().all(|size| world.available(*size) == q(0)), "all three wait for the customer");
        let ready = world.accept_and_pack(no, 1);
        let waits = ready.body.fulfilments[0].keep_until.micros() - ready.body.fulfilments[0].ready_at.micros();
        assert_eq!(waits, 24 * HOUR_US);
        let too_many = world.write(move |tx| commands::collect(tx, no, 1, (&seen(), Some(&[(1, q(2))])), "shop"));
        assert!(matches!(too_many, Err(OrderError::Field { pointer, .. }) if pointer == "/kept"));
        let done = world.does(move |tx| commands::collect(tx, no, 1, (&seen(), Some(&[(1, q(1))])), "shop"));
        assert_eq!((done.owed_minor(), done.status()), (200_000, Status::Delivered), "only what is kept is owed");
        assert_eq!(sizes.iter().map(|s| world.available(*s)).collect::<Vec<_>>(), [q(1), q(0), q(1)]);
        assert_eq!(done.body.fulfilments[0].state, Fulfilment::Closed);
        let paid = world.pay(no, Action::Capture, "till-1", 200_000).expect("it is paid");
        assert_eq!(paid.status(), Status::Delivered);
    });
}

#[test]
fn what_the_chosen_shop_lacks_is_brought_there() {
    // [M8]
    World::each(|world| {
        let (lviv, hub) = (world.location("Lviv-1", Store), world.location("W", Warehouse));
        let (shoe, hat) = (world.goods("shoe", 100_000, true), world.goods("hat", 30_000, true));
        world.receive(hat, lviv, 1);
        world.receive(shoe, hub, 3);
        let cart = world.cart(&[(shoe, 2), (hat, 1)], Delivery::PickUp { location_no: lviv });
        let order = world.checkout(cart).expect("it is ordered");
        let no = order.no;
        let kinds: Vec<(Serving, i64)> = order.body.fulfilments.iter().map(|f| (f.kind, f.location_no)).collect();
        assert_eq!(kinds, [(Serving::PickUp, lviv), (Serving::Supply, hub)], "one order, the transfer visible in it");
        assert_eq!(world.available(shoe), q(1));
        let transfer_no = order.body.fulfilments[1].transfer_no.expect("a transfer brings it");
        world.does(move |tx| {
            let at = tx.now();
            Ok(transfers::ship(tx, transfer_no, &[q(2)], "hub", at)?)
        });
        world.crash();
        let order = world.does(move |tx| {
            let at = tx.now();
            let came = [Arrived { line: 0, received: q(2), damaged: q(0) }];
            transfers::receive(tx, transfer_no, &came, Rest::Awaited, ("", "shop"), at)?;
            commands::arrived(tx, transfer_no, "shop")
        });
        let order = order.expect("it was for an order");
        assert!(world.does(move |tx| commands::arrived(tx, transfer_no, "shop")).is_none(), "told twice");
        assert_eq!(order.body.fulfilments[1].state, Fulfilment::Closed);
        let part = order.body.parts.iter().find(|p| p.line == 0).expect("the shoes");
        assert_eq!((part.location_no, part.claim.is_some()), (lviv, true), "nobody else buys them in the shop");
        for f in order.body.fulfilments.iter().filter(|f| f.state == Fulfilment::Open).map(|f| f.no) {
            world.accept_and_pack(no, f);
            world.does(move |tx| commands::collect(tx, no, f, (&seen(), None), "shop"));
        }
        let done = world.does(move |tx| commands::order_of(tx, no));
        assert!(done.body.parts.iter().all(|p| p.state == LineState::Delivered), "{:?}", done.body.parts);
    });
}

#[test]
fn a_place_that_declines_gives_the_order_to_the_next() {
    // [V7]
    World::each(|world| {
        let (a, b) = (world.location("A", Store), world.location("B", Store));
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, a, 1);
        world.receive(shoe, b, 1);
        let no = world.checkout(world.cart(&[(shoe, 1)], courier())).expect("it is ordered").no;
        let first = world.does(move |tx| commands::order_of(tx, no)).body.parts[0].location_no;
        let second = if first == a { b } else { a };
        let moved = world.does(move |tx| commands::decline(tx, no, 1, &shop(), ("no hands", "shop")));
        assert_eq!((moved.body.parts[0].location_no, moved.body.parts[0].fulfilment), (second, Some(2)));
        assert_eq!(moved.body.fulfilments[0].state, Fulfilment::Cancelled);
        assert!(moved.body.fulfilments[1].asked_at.micros() > 0, "the next is asked at once");
        // The second takes it, and finds that it is not there.
        world.does(move |tx| commands::accept(tx, no, 2, "shop"));
        let short = world.does(move |tx| commands::report_short(tx, no, 2, (0, q(1)), &shop(), "shop"));
        assert_eq!(short.body.parts[0].location_no, first, "the first one still has a piece");
        let parked = world.does(move |tx| commands::decline(tx, no, 3, &shop(), ("gone", "shop")));
        assert_eq!(parked.body.parts[0].location_no, second, "and so it goes round, as long as the books say so");
    });
}

#[test]
fn a_piece_that_is_missing_is_taken_out_and_the_rest_goes() {
    World::each(|world| {
        let hub = world.location("W", Warehouse);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, hub, 3);
        let no = world.checkout(world.cart(&[(shoe, 3)], courier())).expect("it is ordered").no;
        world.does(move |tx| commands::accept(tx, no, 1, "hub"));
        let much = world.write(move |tx| commands::report_short(tx, no, 1, (0, q(4)), &shop(), "hub"));
        assert!(matches!(much, Err(OrderError::Field { pointer, .. }) if pointer == "/quantity"));
        let short = world.does(move |tx| commands::report_short(tx, no, 1, (0, q(1)), &shop(), "hub"));
        let states: Vec<(LineState, i64)> = short.body.parts.iter().map(|p| (p.state, p.milli)).collect();
        assert_eq!(states, [(LineState::Released, 2_000), (LineState::Parked, 1_000)]);
        let again = world.write(move |tx| commands::source_again(tx, no, &shop(), "agent"));
        assert!(again.is_ok(), "the books still have a piece that nobody claims: {again:?}");
        let sent = world.does(move |tx| commands::dispatch(tx, no, 1, "20450000000001", "hub"));
        assert_eq!(sent.body.fulfilments[0].tracking, "20450000000001");
        assert_eq!(sent.status(), Status::PartlySent);
        let home = world.does(move |tx| commands::deliver(tx, no, 1, "carrier"));
        assert_eq!(home.pieces().delivered, 2_000);
    });
}

#[test]
fn who_never_came_pays_a_share_the_third_time() {
    // [N4] no-show release
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, lviv, 5);
        for round in 0..2 {
            let no =
                world.checkout(world.cart(&[(shoe, 1)], Delivery::PickUp { location_no: lviv })).expect("ordered").no;
            world.accept_and_pack(no, 1);
            world.clock.advance(72 * HOUR_US - 1);
            assert_eq!(world.does(|tx| commands::no_shows(tx, 10)), 0, "round {round}: a moment too early");
            world.clock.advance(1);
            assert_eq!(world.does(|tx| commands::no_shows(tx, 10)), 1);
            assert_eq!(world.does(|tx| commands::no_shows(tx, 10)), 0, "once");
            let over = world.does(move |tx| commands::order_of(tx, no));
            assert_eq!((over.status(), over.body.unclaimed, world.available(shoe)), (Status::Cancelled, true, q(5)));
        }
        let third = world.checkout(world.cart(&[(shoe, 1)], Delivery::PickUp { location_no: lviv })).expect("ordered");
        assert_eq!(third.body.holds, [PREPAYMENT]);
        let no = third.no;
        assert_eq!(third.body.fulfilments[0].asked_at.micros(), 0, "nobody works on it yet");
        let early = world.write(move |tx| commands::accept(tx, no, 1, "shop"));
        assert!(matches!(early, Err(OrderError::Refused(_))));
        let paid = world.pay(no, Action::Capture, "share", 20_000).expect("the share is paid");
        assert!(paid.body.holds.is_empty() && paid.body.fulfilments[0].asked_at.micros() > 0);
    });
}

#[test]
fn a_paid_order_that_nobody_fetches_is_never_released_silently() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, lviv, 1);
        let no = world.checkout(world.cart(&[(shoe, 1)], Delivery::PickUp { location_no: lviv })).expect("ordered").no;
        world.pay(no, Action::Capture, "c", 100_000).expect("it is paid");
        world.accept_and_pack(no, 1);
        world.clock.advance(73 * HOUR_US);
        world.does(|tx| commands::no_shows(tx, 10));
        let stopped = world.does(move |tx| commands::order_of(tx, no));
        assert_eq!((stopped.body.holds.as_slice(), world.available(shoe)), (&[NOT_COLLECTED.to_string()][..], q(0)));
        let late = world.does(move |tx| commands::collect(tx, no, 1, (&seen(), None), "shop"));
        assert_eq!((late.status(), late.body.holds.len()), (Status::Delivered, 0), "they came after all");
    });
}

#[test]
fn a_large_order_of_somebody_new_waits_for_a_word() {
    World::each(|world| {
        let hub = world.location("W", Warehouse);
        let shoe = world.goods("shoe", 900_000, true);
        world.receive(shoe, hub, 5);
        world.set(|s| s.policy.confirm_above_minor = 500_000);
        let order = world.checkout(world.cart(&[(shoe, 1)], courier())).expect("it is ordered");
        assert_eq!((order.body.holds.as_slice(), order.status()), (&[UNCONFIRMED.to_string()][..], Status::OnHold));
        let no = order.no;
        let gone_on = world.does(move |tx| commands::confirm_order(tx, no, "customer"));
        assert!(gone_on.body.holds.is_empty() && gone_on.body.fulfilments[0].asked_at.micros() > 0);
        let held = world.does(move |tx| commands::hold(tx, no, "the address is odd", "agent"));
        assert_eq!(held.body.fulfilments[0].state, Fulfilment::OnHold);
        let free = world.does(move |tx| commands::release_hold(tx, no, "the address is odd", "agent"));
        assert_eq!(free.body.fulfilments[0].state, Fulfilment::Open);
        assert!(free.body.fulfilments[0].asked_at.micros() > 0);
    });
}

#[test]
fn an_order_is_changed_after_placing_and_the_difference_is_told() {
    World::each(|world| {
        let (hub, lviv) = (world.location("W", Warehouse), world.location("Lviv-1", Store));
        let (shoe, hat) = (world.goods("shoe", 100_000, true), world.goods("hat", 30_000, true));
        world.receive(shoe, hub, 5);
        world.receive(hat, lviv, 5);
        let no = world.checkout(world.cart(&[(shoe, 2)], courier())).expect("it is ordered").no;
        world.pay(no, Action::Capture, "c", 209_900).expect("it is paid");
        let less = Edit { lines: Some(vec![(shoe, q(1))]), ..Edit::default() };
        let refused = world.write(move |tx| commands::edit(tx, no, &less, &shop(), "agent"));
        assert!(matches!(refused, Err(OrderError::Refused(_))), "what was paid too much goes back first: {refused:?}");
        assert_eq!(world.available(shoe), q(3), "and nothing was touched");
        let more = Edit { lines: Some(vec![(shoe, q(3)), (hat, q(1))]), ..Edit::default() };
        let changed = world.does(move |tx| commands::edit(tx, no, &more, &shop(), "agent"));
        assert_eq!((changed.body.total_minor, changed.owed_minor()), (339_900, 339_900));
        assert_eq!((world.available(shoe), world.available(hat)), (q(2), q(4)));
        assert_eq!(changed.body.number, world.does(move |tx| commands::order_of(tx, no)).body.number);
        let none = Edit { lines: Some(vec![(shoe, q(9))]), ..Edit::default() };
        let short = world.write(move |tx| commands::edit(tx, no, &none, &shop(), "agent"));
        assert!(matches!(short, Err(OrderError::Stock(_))), "{short:?}");
        assert_eq!((world.available(shoe), world.available(hat)), (q(2), q(4)), "the old order still holds");
        let there = Edit { delivery: Some(Delivery::PickUp { location_no: lviv }), ..Edit::default() };
        let moved = world.does(move |tx| commands::edit(tx, no, &there, &shop(), "agent"));
        assert_eq!(moved.body.shipping_minor, 0);
        let supplied =
            moved.body.fulfilments.iter().filter(|f| f.kind == Serving::Supply && f.state == Fulfilment::Open);
        assert_eq!(supplied.count(), 1, "the shoes are brought to the shop");
        let f = moved.body.fulfilments.iter().find(|f| f.kind == Serving::PickUp).expect("the hat waits there").no;
        world.does(move |tx| commands::accept(tx, no, f, "shop"));
        let late = Edit { address: Some("Одеса".into()), ..Edit::default() };
        let late = world.write(move |tx| commands::edit(tx, no, &late, &shop(), "agent"));
        assert!(matches!(late, Err(OrderError::Refused(_))), "a place works on it: it has to agree first");
    });
}

#[test]
fn rules_that_the_business_edits_choose_the_place() {
    // [N9]
    World::each(|world| {
        let (near, hub) = (world.location("Lviv-1", Store), world.location("W", Warehouse));
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, near, 9);
        world.receive(shoe, hub, 9);
        let place = |world: &World| {
            world.checkout(world.cart(&[(shoe, 1)], courier())).expect("ordered").body.parts[0].location_no
        };
        world.set(|s| {
            s.places.insert("Lviv-1".into(), PlaceSettings { handling_minor: 100, ..PlaceSettings::default() });
        });
        assert_eq!(place(world), hub, "picking costs nothing there");
        world.set(|s| {
            s.places.insert("W".into(), PlaceSettings { handling_minor: 900, ..PlaceSettings::default() });
        });
        assert_eq!(place(world), near);
        world.set(|s| {
            s.places.insert("Lviv-1".into(), PlaceSettings { per_day: Some(1), ..PlaceSettings::default() });
        });
        assert_eq!(place(world), hub, "the shop was asked once today already");
        let order = world.checkout(world.cart(&[(shoe, 1)], courier())).expect("ordered");
        assert!(order.body.fulfilments[0].why.contains("the warehouse W"), "{}", order.body.fulfilments[0].why);
    });
}

#[test]
fn each_step_is_told_to_the_log() {
    World::each(|world| {
        let hub = world.location("W", Warehouse);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, hub, 5);
        let cart = world.cart(&[(shoe, 1)], courier());
        // What is told is taken in the transaction in which it happened.
        let names = world.does(move |tx| {
            let order = commands::checkout(tx, cart, &shop(), "site")?;
            let told = crate::told::take(tx)?;
            assert_eq!(told[0].order_no, order.no);
            assert_eq!(told[0].properties["total"].to_string(), "1099.0");
            Ok(told.into_iter().map(|told| told.name).collect::<Vec<_>>())
        });
        assert_eq!(names, ["Order Completed"]);
        assert!(world.told().is_empty());
    });
}

#[test]
fn a_cart_may_hold_its_goods_and_the_order_takes_them() {
    World::each(|world| {
        let hub = world.location("W", Warehouse);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, hub, 1);
        let cart = world.cart(&[(shoe, 1)], courier());
        world.does(move |tx| commands::hold_cart(tx, cart));
        assert_eq!(world.available(shoe), q(0));
        let other = world.cart(&[(shoe, 1)], courier());
        assert!(world.checkout(other).is_err(), "somebody thinks about it");
        world.does(move |tx| commands::hold_cart(tx, cart));
        world.checkout(cart).expect("it is ordered");
        assert_eq!(world.available(shoe), q(0));
        world.clock.advance(HOUR_US);
        assert_eq!(world.available(shoe), q(0), "an order's claim does not end by itself");
    });
}

#[test]
fn a_place_that_does_not_answer_loses_the_order() {
    World::each(|world| {
        let (a, b) = (world.location("A", Store), world.location("B", Store));
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, a, 1);
        world.receive(shoe, b, 1);
        world.set(|s| s.policy.answer_minutes = 15);
        let order = world.checkout(world.cart(&[(shoe, 1)], courier())).expect("it is ordered");
        let (no, first) = (order.no, order.body.parts[0].location_no);
        world.clock.advance(15 * base::MINUTE_US - 1);
        assert_eq!(world.does(|tx| commands::unanswered(tx, &shop(), 10)), 0, "a moment too early");
        world.clock.advance(1);
        assert_eq!(world.does(|tx| commands::unanswered(tx, &shop(), 10)), 1);
        assert_eq!(world.does(|tx| commands::unanswered(tx, &shop(), 10)), 0, "the next one has its own time");
        let moved = world.does(move |tx| commands::order_of(tx, no));
        assert_ne!(moved.body.parts[0].location_no, first);
    });
}
