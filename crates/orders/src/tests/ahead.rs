//! Orders for goods that are still to come: never more than is on order, and everybody hears when that changes.
use super::world::{World, q, shop};
use crate::OrderError;
use crate::commands::{self, Edit, incoming};
use crate::model::{Delivery, Order, Promised, Serving};
use crate::states::line::Line as LineState;
use base::{Clock as _, DAY_US, Timestamp};
use std::sync::Arc;
use stock::ahead::EVERYWHERE;
use stock::model::LocationKind::{Store, Warehouse};
use stock::purchasing::{self, PurchaseInput};
use stock::{StockError, ahead};

impl World {
    fn ok<T: Send + 'static>(&self, f: impl FnMut(&mut db::Tx) -> Result<T, OrderError> + Send + 'static) -> T {
        self.write(f).expect("it is done")
    }
    /// A purchase order that is sent, of one variant, expected after so many days.
    pub(super) fn on_order(&self, variant_no: i64, location_no: i64, units: i64, days: i64) -> i64 {
        let at = self.clock.now().plus(days * DAY_US);
        self.ok(move |tx| {
            let supplier = purchasing::put_supplier(tx, ("acme", "Acme", 7, ""))?.1;
            let input = PurchaseInput {
                supplier_no: supplier.no,
                location_no,
                currency: "UAH".into(),
                freight_minor: 0,
                expected_at: Some(at),
                note: String::new(),
                lines: vec![(variant_no, q(units), 100)],
            };
            let no = purchasing::draft(tx, &input, "olena")?.no;
            Ok(purchasing::place(tx, no, Some(at))?.no)
        })
    }
    pub(super) fn sold_ahead(&self, variant_no: i64) {
        self.ok(move |tx| Ok(ahead::allow(tx, variant_no, &[EVERYWHERE])?));
    }
    /// What the API does with a delivery; gives what customers are told.
    pub(super) fn delivered(&self, purchase_no: i64, units: i64, complete: bool) -> Vec<&'static str> {
        let at = self.clock.now();
        self.ok(move |tx| {
            purchasing::receive(tx, purchase_no, &[(0, q(units))], complete, ("", "olena"), at)?;
            incoming::incoming_moved(tx, &shop(), 100, "olena")?;
            Ok(crate::told::take(tx)?.into_iter().map(|told| told.name).collect())
        })
    }
    fn expected(&self, purchase_no: i64, days: i64) -> Vec<&'static str> {
        let at = self.clock.now().plus(days * DAY_US);
        self.ok(move |tx| {
            purchasing::expect(tx, purchase_no, Some(at))?;
            incoming::incoming_moved(tx, &shop(), 100, "olena")?;
            Ok(crate::told::take(tx)?.into_iter().map(|told| told.name).collect())
        })
    }
    fn now_of(&self, no: i64) -> Arc<Order> {
        self.ok(move |tx| commands::order_of(tx, no))
    }
    fn free(&self, variant_no: i64) -> i64 {
        let found = self.ok(move |tx| Ok(ahead::of(tx, variant_no)?));
        found.map_or(0, |ahead| ahead.coming(self.clock.now()).map(|s| s.free.milli() / 1000).sum())
    }
}

fn courier() -> Delivery {
    Delivery::Ship { option: "courier".into(), price_minor: 0 }
}

fn states(order: &Order) -> Vec<(LineState, i64, bool)> {
    order.body.parts.iter().map(|p| (p.state, p.milli / 1000, p.incoming.is_some())).collect()
}

#[test]
fn what_is_on_order_is_sold_once_and_only_where_somebody_said_so() {
    World::each(|world| {
        let hub = world.location("W", Warehouse);
        let shoe = world.goods("shoe", 100_000, true);
        let other = world.goods("hat", 10_000, true);
        world.receive(other, hub, 5);
        world.receive(shoe, hub, 1);
        let purchase = world.on_order(shoe, hub, 3, 10);
        let short = |result: Result<Arc<Order>, OrderError>| match result {
            Err(OrderError::Stock(StockError::NotEnough(short))) => (short[0].wanted, short[0].available),
            other => panic!("it is short: {other:?}"),
        };
        assert_eq!(short(world.checkout(world.cart(&[(shoe, 3)], courier()))), (q(3), q(1)), "not sold ahead");
        world.sold_ahead(shoe);
        let first = world.checkout(world.cart(&[(shoe, 3), (other, 1)], courier())).expect("one is there, two come");
        let mut parts = states(&first);
        parts.sort_by_key(|(state, milli, _)| (*milli, state.as_str()));
        assert_eq!(
            parts,
            [(LineState::Allocated, 1, false), (LineState::Allocated, 1, false), (LineState::Ordered, 2, true)]
        );
        assert_eq!(world.free(shoe), 1);
        assert_eq!(short(world.checkout(world.cart(&[(shoe, 2)], courier()))), (q(2), q(0)), "all or nothing");
        assert_eq!(world.free(shoe), 1, "and nothing is kept");
        let second = world.checkout(world.cart(&[(shoe, 1)], courier())).expect("the last one");
        assert_eq!(world.free(shoe), 0);
        assert!(world.checkout(world.cart(&[(shoe, 1)], courier())).is_err());
        // Called off, it is for others again; and a change of an order claims anew.
        let no = second.no;
        world.ok(move |tx| commands::cancel(tx, no, None, (false, "changed my mind", "site")));
        assert_eq!(world.free(shoe), 1);
        let no = first.no;
        let more = Edit { lines: Some(vec![(shoe, q(4))]), ..Edit::default() };
        world.ok(move |tx| commands::edit(tx, no, &more, &shop(), "site"));
        assert_eq!((world.free(shoe), world.available(other)), (0, q(5)));
        let less = Edit { lines: Some(vec![(shoe, q(2))]), ..Edit::default() };
        world.ok(move |tx| commands::edit(tx, no, &less, &shop(), "site"));
        assert_eq!(world.free(shoe), 2);
        // It comes: whoever waits has it before anybody else, and the place is asked.
        world.crash();
        world.delivered(purchase, 3, true);
        let order = world.now_of(no);
        assert!(order.body.parts.iter().all(|p| p.state == LineState::Allocated || p.state == LineState::Cancelled));
        assert!(
            order
                .body
                .fulfilments
                .iter()
                .any(|f| f.location_no == hub && f.asked_at.micros() > 0 && f.done_at.micros() == 0)
        );
        assert_eq!(world.available(shoe), q(2), "one of four is theirs beside the one that was there");
    });
}

#[test]
fn a_purchase_order_that_moves_or_shrinks_moves_promises_and_tells() {
    World::each(|world| {
        let (lviv, hub) = (world.location("Lviv-1", Store), world.location("W", Warehouse));
        let shoe = world.goods("shoe", 100_000, true);
        world.sold_ahead(shoe);
        let purchase = world.on_order(shoe, hub, 2, 10);
        let promised = |days: i64| {
            let at: Timestamp = world.clock.now().plus(days * DAY_US);
            Promised { earliest: at, latest: at, why: vec!["it is on order".into()] }
        };
        let place = |delivery: Delivery, days: i64| {
            let cart = world.cart(&[(shoe, 1)], delivery.clone());
            let told = promised(days);
            world.ok(move |tx| commands::put_delivery(tx, cart, &delivery, ("Львів, Площа Ринок 1", Some(&told))));
            world.checkout(cart).expect("it is on order")
        };
        let sent = place(courier(), 12);
        let fetched = place(Delivery::PickUp { location_no: lviv }, 11);
        world.ok(|tx| Ok(crate::told::take(tx)?));
        assert_eq!(world.expected(purchase, 13), ["Order Delayed", "Order Delayed"]);
        let later = |order: &Arc<Order>| {
            let now = world.now_of(order.no).body.promised.clone().expect("promised");
            (now.earliest.micros() - order.body.promised.as_ref().expect("promised").earliest.micros()) / DAY_US
        };
        assert_eq!((later(&sent), later(&fetched)), (3, 3));
        assert_eq!(world.expected(purchase, 13), Vec::<&str>::new(), "nothing changed, nobody is told");
        assert_eq!(world.expected(purchase, 8), Vec::<&str>::new(), "earlier is no delay");
        assert_eq!(later(&sent), -2);
        // One of two comes: the elder order has it. Nobody brings the other, and it is parked where a person sees it.
        assert_eq!(world.delivered(purchase, 1, true), ["Order Delayed"]);
        assert_eq!(states(&world.now_of(sent.no)), [(LineState::Allocated, 1, false)]);
        assert_eq!(states(&world.now_of(fetched.no)), [(LineState::Parked, 1, false)]);
        // Goods for a customer who fetches them elsewhere are brought there.
        let next = world.on_order(shoe, hub, 1, 5);
        let brought = place(Delivery::PickUp { location_no: lviv }, 7);
        world.ok(|tx| Ok(crate::told::take(tx)?));
        world.delivered(next, 1, false);
        let order = world.now_of(brought.no);
        assert_eq!(order.body.fulfilments[0].kind, Serving::Supply);
        assert!(order.body.fulfilments[0].transfer_no.is_some() && order.body.parts[0].incoming.is_none());
        assert_eq!(world.available(shoe), q(0));
    });
}
