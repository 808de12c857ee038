//! Places that stand still: clocks pause, promises move, customers hear of it once.
use super::world::{World, q, shop};
use crate::calendar::PauseKind;
use crate::commands::{self, Proof, alerts, pauses};
use crate::model::{Delivery, Order, Promised};
use crate::settings::{AlertFeed, BlackoutSettings, PlaceSettings, Settings, SwitchedOff};
use crate::states::fulfilment::Fulfilment;
use crate::states::order::Status;
use base::{Clock as _, HOUR_US, MINUTE_US, Timestamp};
use serde_json::Value;
use std::sync::Arc;
use stock::model::LocationKind::{Store, Warehouse};

impl World {
    fn must<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut db::Tx) -> Result<T, crate::OrderError> + Send + 'static,
    ) -> T {
        self.write(f).expect("it is done")
    }
    fn settle_in(&self, change: impl Fn(&mut Settings) + Send + 'static) {
        self.must(move |tx| {
            let mut settings = (*commands::settings(tx)?.1).clone();
            change(&mut settings);
            commands::put_settings(tx, &settings)
        });
    }
    /// What the ticker does; gives what customers are told.
    fn ticks(&self) -> Vec<(String, Value)> {
        self.must(|tx| {
            pauses::look(tx)?;
            while pauses::follow(tx, 2)? > 0 {}
            commands::no_shows(tx, 10)?;
            commands::unanswered(tx, &shop(), 10)?;
            Ok(crate::told::take(tx)?.into_iter().map(|told| (told.name.to_string(), told.properties)).collect())
        })
    }
    fn feed_says(&self, territories: &'static [&'static str]) -> bool {
        let now = self.clock.now().micros();
        self.must(move |tx| {
            let seen: Vec<(String, i64)> = territories.iter().map(|t| (t.to_string(), now)).collect();
            alerts::alerts_seen(tx, Some(&seen))
        })
    }
    fn minutes_pass(&self, minutes: i64) {
        self.clock.advance(minutes * MINUTE_US);
    }
    fn order_now(&self, no: i64) -> Arc<Order> {
        self.must(move |tx| commands::order_of(tx, no))
    }
    /// An order to be fetched in half an hour, promised so.
    fn promised(&self, variant_no: i64, location_no: i64) -> Arc<Order> {
        self.promised_in(30, variant_no, location_no)
    }
    fn promised_in(&self, minutes: i64, variant_no: i64, location_no: i64) -> Arc<Order> {
        let cart = self.cart(&[(variant_no, 1)], Delivery::PickUp { location_no });
        let at = self.clock.now().plus(minutes * MINUTE_US);
        self.must(move |tx| {
            let promised = Promised { earliest: at, latest: at, why: vec!["it is there".into()] };
            commands::put_delivery(tx, cart, &Delivery::PickUp { location_no }, ("", Some(&promised)))
        });
        let order = self.checkout(cart).expect("it is ordered");
        self.minutes_pass(1);
        order
    }
}

/// A shop in territory 27 that listens to a feed, with shoes; and everything was looked at once.
fn begin(world: &World) -> (i64, i64) {
    let lviv = world.location("Lviv-1", Store);
    let shoe = world.goods("shoe", 100_000, true);
    world.receive(shoe, lviv, 20);
    world.settle_in(|s| {
        s.alerts.feed = AlertFeed::AlertsInUa;
        let place = PlaceSettings { territories: vec!["27".into()], ..PlaceSettings::default() };
        s.places.insert("Lviv-1".into(), place);
    });
    world.ticks();
    (lviv, shoe)
}

fn after(order: &Order, before: &Order) -> i64 {
    let (a, b) = (order.body.promised.as_ref().expect("promised"), before.body.promised.as_ref().expect("promised"));
    (a.earliest.micros() - b.earliest.micros()) / MINUTE_US
}

#[test]
fn an_alert_moves_promises_once_and_back_when_it_is_over() {
    // [V7]
    World::each(|world| {
        let (lviv, shoe) = begin(world);
        let order = world.promised(shoe, lviv);
        world.ticks();
        assert!(world.feed_says(&["27", "31"]));
        let told = world.ticks();
        assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Order Delayed"]);
        let event = &told[0].1;
        assert_eq!((&event["reason"], &event["store_id"]), (&Value::from("alert"), &Value::from("Lviv-1")));
        assert_eq!(
            event["promised_before"]["earliest"],
            serde_json::json!(order.body.promised.as_ref().map(|p| p.earliest))
        );
        let moved = world.order_now(order.no);
        assert_eq!(after(&moved, &order), 65, "an hour as usual, and five minutes to resume");
        assert_eq!(moved.body.fulfilments[0].due_at, moved.body.promised.as_ref().expect("promised").earliest);
        assert_eq!(moved.body.promised_first, order.body.promised);
        // It goes on: nobody hears the same again.
        for _ in 0..6 {
            world.minutes_pass(10);
            assert!(!world.feed_says(&["27", "31"]), "nothing new");
            assert_eq!(world.ticks(), []);
        }
        world.minutes_pass(6);
        assert!(!world.feed_says(&["27", "31"]));
        assert_eq!(world.ticks().len(), 1, "longer than was assumed: once more");
        assert!(after(&world.order_now(order.no), &order) >= 130);
        // The guess is kept over a restart.
        world.crash();
        assert_eq!(world.ticks(), []);
        world.minutes_pass(4);
        assert!(world.feed_says(&["31"]), "over after 70 minutes");
        assert_eq!(world.ticks(), [], "an earlier promise is no delay");
        assert_eq!(after(&world.order_now(order.no), &order), 75);
        let list = world.must(move |tx| Ok(pauses::pauses_of(tx, lviv)?));
        assert_eq!(pauses::minutes(&list, order.placed_at, world.clock.now()), 1, "one minute before it, none since");
        // Who orders now is promised with what is known now.
        let late = world.promised(shoe, lviv);
        world.minutes_pass(30);
        assert_eq!(world.ticks(), []);
        assert_eq!(world.order_now(late.no).body.promised, late.body.promised);
    });
}

#[test]
fn a_lost_feed_stops_nothing() {
    World::each(|world| {
        let (lviv, shoe) = begin(world);
        let order = world.promised(shoe, lviv);
        world.feed_says(&["27"]);
        world.ticks();
        world.minutes_pass(3);
        world.must(|tx| alerts::alerts_failed(tx, "it answered with 500"));
        let feed = world.must(|tx| Ok(alerts::feed(tx)?));
        assert_eq!((feed.failures, feed.error.as_str()), (1, "it answered with 500"));
        world.crash();
        world.minutes_pass(10);
        assert_eq!(world.ticks(), []);
        assert_eq!(after(&world.order_now(order.no), &order), 65, "still believed");
        world.minutes_pass(13);
        world.ticks();
        let moved = world.order_now(order.no);
        assert_eq!(after(&moved, &order), 25, "over twenty minutes after its last word, and five to resume");
        let placed = world.promised(shoe, lviv);
        let no = placed.no;
        world.must(move |tx| commands::accept(tx, no, 1, "shop"));
    });
}

#[test]
fn clocks_pause_while_a_place_stands_still() {
    // Who has to answer, and who waits for a customer, has as much longer.
    World::each(|world| {
        let (lviv, shoe) = begin(world);
        let hub = world.location("W", Warehouse);
        world.receive(shoe, hub, 5);
        world.settle_in(|s| (s.policy.answer_minutes, s.policy.keep_hours) = (15, 2));
        let (asked, waits) = (world.promised(shoe, lviv), world.promised(shoe, lviv));
        let no = waits.no;
        let ready = world.must(move |tx| {
            commands::accept(tx, no, 1, "shop")?;
            commands::ready(tx, no, 1, "shop")
        });
        world.must(|tx| crate::told::take(tx).map_err(Into::into));
        world.settle_in(|s| {
            let from = Timestamp::from_civil(2026, 11, 22, 14, 34, 0);
            s.switched_off = vec![SwitchedOff { location: "Lviv-1".into(), from, until: None, why: "a pipe".into() }];
        });
        world.minutes_pass(60);
        assert_eq!(world.ticks(), [], "an end that nobody knows moves nothing yet");
        assert_eq!(world.order_now(asked.no).body.fulfilments[0].state, Fulfilment::Open, "nobody is there to answer");
        world.minutes_pass(180);
        world.ticks();
        assert_eq!(world.order_now(no).status(), Status::InProgress, "and nobody can come");
        world.settle_in(|s| s.switched_off.clear());
        let told = world.ticks();
        assert_eq!(
            told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["Order Delayed", "Pickup Extended"]
        );
        let kept = world.order_now(no).body.fulfilments[0].keep_until;
        assert_eq!(kept.micros() - ready.body.fulfilments[0].keep_until.micros(), 240 * MINUTE_US);
        assert_eq!(world.ticks(), [], "once");
        world.minutes_pass(12);
        world.ticks();
        assert_eq!(world.order_now(asked.no).body.fulfilments[0].state, Fulfilment::Open, "14 minutes of its own");
        world.minutes_pass(2);
        world.ticks();
        assert_ne!(world.order_now(asked.no).body.fulfilments[0].state, Fulfilment::Open, "15");
        world.minutes_pass(107);
        world.ticks();
        assert_eq!(world.order_now(no).status(), Status::Cancelled, "two hours of its own");
        let now = world.clock.now();
        let found =
            world.store().query(move |db| crate::figures::figures(db, Timestamp::default(), now)).expect("read");
        let median = found.0.values().find_map(|f| f.ready_minutes_median);
        assert!(median.is_some_and(|minutes| minutes < 5.0), "{median:?}");
        let proof = Proof::Seen("x".into());
        assert!(world.write(move |tx| commands::collect(tx, no, 1, (&proof, None), "shop")).is_err());
    });
}

#[test]
fn a_power_cut_that_is_published_moves_only_what_was_promised_before() {
    World::each(|world| {
        let (lviv, shoe) = begin(world);
        world.settle_in(|s| {
            if let Some(place) = s.places.get_mut("Lviv-1") {
                place.queue = Some("3.2".into());
            }
        });
        world.ticks();
        let before = world.promised(shoe, lviv);
        let from = world.clock.now().plus(20 * MINUTE_US);
        world.settle_in(move |s| {
            s.blackouts = vec![BlackoutSettings { queue: "3.2".into(), from, until: from.plus(2 * HOUR_US) }];
        });
        let told = world.ticks();
        assert_eq!(told[0].1["reason"], "blackout");
        // 29 minutes of work are left and 20 fit before it.
        assert_eq!(after(&world.order_now(before.no), &before), 120);
        let known = world.promised_in(150, shoe, lviv);
        world.minutes_pass(60);
        assert_eq!(world.ticks(), []);
        assert_eq!(
            world.order_now(known.no).body.promised,
            known.body.promised,
            "it was promised with the cut in mind"
        );
        let list = world.must(move |tx| Ok(pauses::pauses_of(tx, lviv)?));
        assert_eq!(pauses::holding(&list, world.clock.now()).map(|p| p.kind), Some(PauseKind::Blackout));
        world.settle_in(|s| s.blackouts.clear());
        assert_eq!(world.ticks(), [], "power is back earlier: an earlier promise is no delay");
        assert!(after(&world.order_now(before.no), &before) < 120);
    });
}

impl World {
    /// A parcel to be sent by the default way, promised for a span, packed.
    fn parcel(&self, shoe: i64, (earliest, latest): (Timestamp, Timestamp)) -> Arc<Order> {
        let way = Delivery::Ship { option: "courier".into(), price_minor: 9900 };
        let cart = self.cart(&[(shoe, 1)], way.clone());
        self.must(move |tx| {
            let promised = Promised { earliest, latest, why: vec![] };
            commands::put_delivery(tx, cart, &way, ("Львів, Площа Ринок 1", Some(&promised)))
        });
        let no = self.checkout(cart).expect("it is ordered").no;
        self.minutes_pass(1);
        self.must(move |tx| {
            commands::accept(tx, no, 1, "shop")?;
            commands::ready(tx, no, 1, "shop")?;
            crate::told::take(tx)?;
            commands::order_of(tx, no)
        })
    }
}

#[test]
fn a_packed_parcel_waits_for_its_carrier_over_an_alert() {
    // [V7] nobody hands a parcel over in an alert: it goes at the carrier's next time, and the customer hears of it once.
    World::each(|world| {
        let (_, shoe) = begin(world);
        let span = (Timestamp::from_civil(2026, 11, 24, 7, 0, 0), Timestamp::from_civil(2026, 11, 25, 18, 0, 0));
        let order = world.parcel(shoe, span);
        // 16:33 in Kyiv; the carrier comes at 18:00.
        world.minutes_pass(60);
        world.feed_says(&["27"]);
        let told = world.ticks();
        assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Order Delayed"]);
        assert_eq!(told[0].1["reason"], "alert");
        let moved = world.order_now(order.no);
        assert_eq!(after(&moved, &order), 24 * 60, "tomorrow at six");
        assert_eq!(moved.body.promised.as_ref().map(|p| p.latest), Some(span.1.plus(24 * HOUR_US)));
        assert_eq!(world.ticks(), [], "once");
        world.crash();
        assert_eq!(world.ticks(), []);
        world.minutes_pass(10);
        world.feed_says(&[]);
        assert_eq!(world.ticks(), [], "over before six: as it was promised first");
        assert_eq!(world.order_now(order.no).body.promised, order.body.promised);
    });
}

#[test]
fn couriers_of_ones_own_wait_where_others_drive() {
    // [V7] the window of a courier who starts from the place moves past the cut; a carrier's does not.
    World::each(|world| {
        let (_, shoe) = begin(world);
        world.settle_in(|s| {
            if let Some(place) = s.places.get_mut("Lviv-1") {
                place.queue = Some("3.2".into());
            }
        });
        world.ticks();
        let span = (Timestamp::from_civil(2026, 11, 24, 7, 0, 0), Timestamp::from_civil(2026, 11, 25, 18, 0, 0));
        let parcel = world.parcel(shoe, span);
        // On the day of arrival, from the window's begin at 9:00 in Kyiv to 13:00; the method takes two days.
        let arrives = Timestamp::from_civil(2026, 11, 24, 7, 0, 0);
        let cut = move |s: &mut Settings| {
            s.blackouts =
                vec![BlackoutSettings { queue: "3.2".into(), from: arrives, until: arrives.plus(4 * HOUR_US) }];
        };
        world.settle_in(cut);
        assert_eq!(world.ticks(), [], "a carrier keeps its window");
        assert_eq!(world.order_now(parcel.no).body.promised, parcel.body.promised);
        world.settle_in(|s| s.blackouts.clear());
        world.ticks();
        world.settle_in(|s| s.carriers[0].own = true);
        world.ticks();
        world.settle_in(cut);
        let told = world.ticks();
        assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Order Delayed"]);
        assert_eq!(told[0].1["reason"], "blackout");
        assert_eq!(after(&world.order_now(parcel.no), &parcel), 4 * 60);
        assert_eq!(world.ticks(), [], "once");
        world.settle_in(|s| s.blackouts.clear());
        assert_eq!(world.ticks(), []);
        assert_eq!(world.order_now(parcel.no).body.promised, parcel.body.promised);
    });
}

#[test]
fn a_parcel_is_late_only_when_it_misses_its_carrier() {
    World::each(|world| {
        let (lviv, shoe) = begin(world);
        let way = Delivery::Ship { option: "courier".into(), price_minor: 9900 };
        let cart = world.cart(&[(shoe, 1)], way.clone());
        let tomorrow = Timestamp::from_civil(2026, 11, 24, 7, 0, 0);
        world.must(move |tx| {
            let promised = Promised { earliest: tomorrow, latest: tomorrow, why: vec![] };
            commands::put_delivery(tx, cart, &way, ("Львів, Площа Ринок 1", Some(&promised)))
        });
        let order = world.checkout(cart).expect("it is ordered");
        assert_eq!(order.body.fulfilments[0].location_no, lviv);
        world.minutes_pass(1);
        // 16:33 in Kyiv; the courier comes at 18:00. An hour is not too long, two are.
        world.feed_says(&["27"]);
        let told = world.ticks();
        assert_eq!(told.len(), 1, "16:33 + 65 + 30 minutes is after six");
        assert_eq!(after(&world.order_now(order.no), &order), 24 * 60);
        world.minutes_pass(15);
        world.feed_says(&[]);
        world.ticks();
        assert_eq!(world.order_now(order.no).body.promised, order.body.promised, "it is in time after all");
        assert_eq!(world.available(shoe), q(19));
    });
}
