//! Customers who are known for sure: their prices, their points, and what goes back of both.
use super::world::{World, q, shop};
use crate::OrderError;
use crate::commands::buyers::{Buyer, Buyers, put_person};
use crate::commands::{self, Proof, Shop};
use crate::model::{Contact, Delivery, Order};
use crate::states::payment::Action;
use catalog::prices::commands::{NewList, NewPrice, create_list, set_prices};
use db::{DbError, Tx};
use loyalty::points::commands::{Cause, balance, earn};
use loyalty::rules;
use std::sync::Arc;
use stock::model::LocationKind::Store;

/// Person 7 has the profiles 7 and 9 and is a regular; nobody else is known.
#[derive(Debug)]
struct Village;

impl Buyers for Village {
    fn buyer(&self, _: &mut Tx, person_id: i64) -> Result<Option<Buyer>, DbError> {
        let known = [7, 9].contains(&person_id);
        Ok(known.then(|| Buyer { id: "7".into(), accounts: vec![7, 9], segments: vec!["regulars".into()] }))
    }
}

fn village() -> Shop {
    Shop { buyers: Some(Arc::new(Village)), ..shop() }
}

impl World {
    fn points(&self) -> i64 {
        self.does(|tx| Ok(balance(tx, &[7, 9])?))
    }
    fn policy(&self, burn_as: &str) {
        let text = format!(r#"{{"points": {{"point_minor": 100, "earn_percent": 5, "burn_as": "{burn_as}"}}}}"#);
        self.does(move |tx| {
            let kept = rules::put(tx, rules::Kind::Policy, rules::POLICY, None, &text, "boss");
            kept.map(drop).map_err(|e| OrderError::field("/", e.to_string()))
        });
    }
    /// An order of person 7 that burns points, fetched and paid; gives what it was worth and its number.
    fn bought(&self, lines: &[(i64, i64)], location_no: i64, points: i64) -> Arc<Order> {
        let cart = self.cart(lines, Delivery::PickUp { location_no });
        self.does(move |tx| put_person(tx, cart, 7, points, &village()));
        self.does(move |tx| commands::checkout(tx, cart, &village(), "site"))
    }
    fn given(&self, order: &Arc<Order>) -> Arc<Order> {
        let (no, owed) = (order.no, order.open_minor());
        self.pay(no, Action::Capture, &format!("pay-{no}"), owed).expect("it is paid");
        self.does(move |tx| {
            commands::accept(tx, no, 1, "shop")?;
            commands::ready(tx, no, 1, "shop")?;
            commands::collect(tx, no, 1, (&Proof::Seen("face".into()), None), "shop")
        })
    }
}

#[test]
fn a_person_who_is_vouched_for_has_the_prices_of_their_segments() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let shoe = world.goods("shoe", 100_000, true);
        world.receive(shoe, lviv, 5);
        world.does(move |tx| {
            let list = serde_json::json!({"name": "regulars", "currency": "UAH", "scope": {"segments": ["regulars"]}});
            let list: NewList = serde_json::from_value(list).expect("a list");
            let refused = |e: &dyn std::fmt::Display| OrderError::field("/", e.to_string());
            let list = create_list(tx, &list, "boss").map_err(|e| refused(&e))?;
            let price = NewPrice {
                variant: shoe,
                min_quantity: 0,
                minor: Some(80_000),
                compare_at: None,
                from: None,
                until: None,
            };
            set_prices(tx, (list.id, "UAH"), "k", &[price], "boss", "").map_err(|e| refused(&e)).map(drop)
        });
        world.clock.advance(1_000_000);
        let total = |cart: i64| {
            world.does(move |tx| {
                let cart = commands::cart_of(tx, cart)?;
                Ok(commands::price_cart(tx, &cart, &village())?.0.totals.total_minor)
            })
        };
        let cart = world.cart(&[(shoe, 1)], Delivery::PickUp { location_no: lviv });
        assert_eq!(total(cart), 100_000, "nobody is known for sure");
        let stranger = world.write(move |tx| put_person(tx, cart, 5, 0, &village()));
        assert!(matches!(stranger, Err(OrderError::Unknown { what: "person", .. })));
        world.does(move |tx| put_person(tx, cart, 9, 0, &village()));
        assert_eq!(total(cart), 80_000);
        // Whoever writes another name is another customer.
        let contact = Contact { email: "other@example.com".into(), ..Contact::default() };
        world.does(move |tx| commands::put_contact(tx, cart, &contact));
        assert_eq!(total(cart), 100_000);
        world.does(move |tx| put_person(tx, cart, 7, 0, &village()));
        let order = world.does(move |tx| commands::checkout(tx, cart, &village(), "site"));
        assert_eq!((order.body.total_minor, order.contact.person_id), (80_000, 7));
    });
}

#[test]
fn points_are_burned_with_the_order_earned_at_hand_over_and_go_back_with_it() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let (shoe, hat) = (world.goods("shoe", 100_000, true), world.goods("hat", 30_000, true));
        world.receive(shoe, lviv, 9);
        world.receive(hat, lviv, 9);
        world.does(|tx| {
            earn(tx, 9, 1_000, None, Cause { document: "gift", actor: "boss" })
                .map(drop)
                .map_err(|e| OrderError::field("/", e.to_string()))
        });
        for (burn_as, total) in [("discount", 100_000), ("payment", 130_000)] {
            world.policy(burn_as);
            let before = world.points();
            let order = world.bought(&[(shoe, 1), (hat, 1)], lviv, 300);
            assert_eq!((order.body.total_minor, world.points()), (total, before - 300), "{burn_as}");
            let points = order.body.points.expect("it has points");
            assert_eq!((points.burned, points.burned_minor, points.pays), (300, 30_000, burn_as == "payment"));
            let burned: i64 = order.body.lines.iter().map(|line| line.burned).sum();
            assert_eq!(burned, 300, "each line knows its share");
            let paid: i64 = order.sums().captured;
            assert_eq!(paid, if burn_as == "payment" { 30_000 } else { 0 });
            // Called off, they are there again; and once more the same.
            let no = order.no;
            world.does(move |tx| commands::cancel(tx, no, None, (false, "no", "site")));
            assert_eq!(world.points(), before);
            let order = world.given(&world.bought(&[(shoe, 1), (hat, 1)], lviv, 300));
            let earned = order.body.points.expect("it has points").earned;
            assert!(earned > 0);
            assert_eq!(world.points(), before - 300 + earned, "earned when it is handed over, {burn_as}");
            let no = order.no;
            world.does(move |tx| {
                let mut account = crate::after::commands::account_of(tx, no)?;
                let worth = crate::after::commands::settle_pieces(tx, no, &mut account, &[(0, 1_000), (1, 1_000)])?;
                let sum = |of: fn(&loyalty::refunds::Refund) -> i64| worth.iter().map(of).sum::<i64>();
                assert_eq!((sum(|r| r.points_back), sum(|r| r.points_taken)), (300, earned));
                assert_eq!(sum(|r| r.total_minor), 100_000, "money goes back as money, points as points");
                Ok(())
            });
        }
        let too_many = world.cart(&[(hat, 1)], Delivery::PickUp { location_no: lviv });
        world.does(move |tx| put_person(tx, too_many, 7, 1_000_000, &village()));
        let order = world.does(move |tx| commands::checkout(tx, too_many, &village(), "site"));
        assert!(order.body.points.is_some_and(|points| points.burned <= 300), "no more than it costs");
        assert_eq!(world.available(hat), q(6), "two were given and one is kept");
    });
}
