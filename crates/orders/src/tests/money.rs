//! Money of an order that changes: what is left to pay after money went back, goods came back, and prices changed.
use super::world::{World, q, shop};
use crate::commands::{self, Edit};
use crate::model::Delivery;
use crate::states::order::Status;
use crate::states::payment::Action;
use stock::model::LocationKind::Store;

/// What is paid after something was given back is taken.
#[test]
fn an_order_that_was_edited_down_and_up_again_can_be_paid() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, lviv, 9);
        let cart = world.cart(&[(shoe, 2)], Delivery::PickUp { location_no: lviv });
        let order = world.checkout(cart).expect("it is placed");
        let no = order.no;
        let change = |units: i64| {
            let edit = Edit { lines: Some(vec![(shoe, q(units))]), ..Edit::default() };
            world.write(move |tx| commands::edit(tx, no, &edit, &shop(), "agent"))
        };
        let take = |payment: &str, minor: i64| {
            let fact = commands::Fact {
                provider: "test".into(),
                payment_id: payment.into(),
                external_id: format!("{payment}:capture"),
                action: Action::Capture,
                amount_minor: minor,
            };
            world.write(move |tx| commands::pay(tx, no, &fact, "site"))
        };
        take("p1", 200_000).expect("it is paid");
        assert!(change(1).is_err(), "what was paid too much goes back first");
        world.pay(no, Action::Refund, "r1", 100_000).expect("it goes back");
        let less = change(1).expect("it is changed");
        assert_eq!((less.owed_minor(), less.status()), (100_000, Status::Confirmed));
        let more = change(3).expect("it is changed");
        assert_eq!(
            (more.owed_minor(), more.status()),
            (300_000, Status::AwaitingPayment),
            "of 3000.00 1000.00 is here"
        );
        assert!(take("p2", 200_001).is_err_and(|e| e.to_string().contains("200000 is left to pay")));
        let paid = take("p2", 200_000).expect("the difference is paid");
        assert_eq!(paid.status(), Status::Confirmed);
        assert!(take("p3", 1).is_err(), "and no more than that");
    });
}
