//! Customers who are known for sure: their prices, their points, and what goes back of both.
use super::world::{World, q, shop};
use crate::OrderError;
use crate::after::commands as after;
use crate::after::model::{Grade, Reason, Wanted};
use crate::commands::Edit;
use crate::commands::buyers::{Buyer, Buyers, put_person};
use crate::commands::{self, Proof, Shop};
use crate::model::{Contact, Delivery, Order};
use crate::states::order::Status;
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

impl World {
    fn gift(&self) {
        self.does(|tx| {
            earn(tx, 9, 1_000, None, Cause { document: "gift", actor: "boss" })
                .map(drop)
                .map_err(|e| OrderError::field("/", e.to_string()))
        });
    }
    fn changed(&self, no: i64, lines: &[(i64, i64)]) -> Arc<Order> {
        let lines = Some(lines.iter().map(|(variant, units)| (*variant, q(*units))).collect());
        let edit = Edit { lines, ..Edit::default() };
        self.does(move |tx| commands::edit(tx, no, &edit, &village(), "agent"))
    }
    /// What points pay of an order, captured less refunded.
    fn paid_with_points(order: &Order) -> i64 {
        order
            .body
            .payments
            .iter()
            .filter(|p| p.provider == "loyalty")
            .map(|p| p.captured_minor - p.refunded_minor)
            .sum()
    }
    fn come_back(&self, no: i64, place: i64, units: i64) -> i64 {
        let ask = after::Ask {
            order_no: Some(no),
            lines: vec![Wanted { line: Some(0), variant_no: 0, quantity: q(units), reason: Reason::NotLiked }],
            channel: "site".into(),
            ..after::Ask::default()
        };
        let asked = self.does(move |tx| after::request(tx, &village(), &ask, "agent")).no;
        let lines = vec![after::Got { line: 0, quantity: q(units), grade: Some(Grade::Sellable), lot: String::new() }];
        let taken = after::Taken { location_no: place, key: String::new(), lines };
        self.does(move |tx| after::receive(tx, &village(), asked, &taken, "clerk"));
        let how = after::Pay { paid_out: true, ..after::Pay::default() };
        self.does(move |tx| after::refund(tx, asked, &how, "clerk")).body.total_minor
    }
}

#[test]
fn an_order_that_is_changed_keeps_the_points_that_still_apply_and_gives_the_rest_back() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let (shoe, hat) = (world.goods("shoe", 100_000, true), world.goods("hat", 30_000, true));
        world.receive(shoe, lviv, 9);
        world.receive(hat, lviv, 9);
        world.gift();
        for (burn_as, pays) in [("discount", false), ("payment", true)] {
            world.policy(burn_as);
            let order = world.bought(&[(shoe, 1), (hat, 1)], lviv, 900);
            let no = order.no;
            assert_eq!((order.open_minor(), world.points()), (40_000, 100), "{burn_as}");
            // A hat costs 300 points: the others are there again at once.
            let less = world.changed(no, &[(hat, 1)]);
            let of = less.body.points.expect("it has points");
            assert_eq!((of.burned, of.burned_minor, of.pays, world.points()), (300, 30_000, pays, 700), "{burn_as}");
            assert_eq!((less.open_minor(), less.body.total_minor), (0, if pays { 30_000 } else { 0 }), "{burn_as}");
            assert_eq!(World::paid_with_points(&less), if pays { 30_000 } else { 0 });
            // For more goods no more points are burned; the difference is paid.
            let more = world.changed(no, &[(shoe, 2)]);
            assert_eq!((more.open_minor(), more.status()), (170_000, Status::AwaitingPayment), "{burn_as}");
            assert_eq!((more.body.points.map(|of| of.burned), world.points()), (Some(300), 700));
            // What was burned as one thing becomes the other by the policy of the day, at the same price.
            world.policy(if pays { "discount" } else { "payment" });
            let other = world.changed(no, &[(shoe, 2)]);
            assert_eq!((other.open_minor(), world.points()), (170_000, 700), "{burn_as}");
            assert_eq!(World::paid_with_points(&other), if pays { 0 } else { 30_000 });
            world.policy(burn_as);
            let again = world.changed(no, &[(shoe, 2)]);
            assert_eq!((again.open_minor(), World::paid_with_points(&again)), (170_000, if pays { 30_000 } else { 0 }));
            // Earned points follow what is paid: 5 % of 1700.00, one being 1.00.
            assert_eq!(again.body.points.map(|of| of.earned), Some(85));
            let said: String = world.does(move |tx| {
                Ok(commands::history_of(tx, no)?.into_iter().map(|h| h.detail).collect::<Vec<_>>().join("\n"))
            });
            assert!(said.contains(r#""points_back":600"#), "{said}");
            world.does(move |tx| commands::cancel(tx, no, None, (false, "no", "site")));
            assert_eq!(world.points(), 1_000, "all of them are there again, {burn_as}");
            let over = world.does(move |tx| commands::order_of(tx, no));
            assert_eq!((World::paid_with_points(&over), over.open_minor()), (0, 0));
        }
        assert!(world.store().query(loyalty::points::doctor::check).expect("it is read").is_empty());
    });
}

#[test]
fn what_is_called_off_in_parts_gives_its_points_back_to_the_unit() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let (shoe, hat) = (world.goods("shoe", 100_000, true), world.goods("hat", 30_000, true));
        world.receive(shoe, lviv, 99);
        world.receive(hat, lviv, 99);
        world.gift();
        for burn_as in ["discount", "payment"] {
            world.policy(burn_as);
            for burned in [1, 2, 7, 100, 301] {
                let before = world.points();
                // A line is called off, then the rest.
                let order = world.bought(&[(shoe, 1), (hat, 1)], lviv, burned);
                let (no, own) = (order.no, order.body.lines[0].burned);
                let part = order.body.parts.iter().position(|p| p.line == 0).expect("it has a part");
                world.does(move |tx| commands::cancel(tx, no, Some(&[part]), (false, "no", "agent")));
                assert_eq!(world.points(), before - burned + own, "the shoe's share, {burn_as} {burned}");
                let left = world.does(move |tx| commands::order_of(tx, no));
                let worth = order.body.lines[1].burned_minor;
                let pays = burn_as == "payment";
                assert_eq!(World::paid_with_points(&left), if pays { worth } else { 0 });
                assert_eq!(left.open_minor(), 30_000 - worth, "{burn_as} {burned}");
                world.does(move |tx| commands::cancel(tx, no, None, (false, "no", "agent")));
                assert_eq!(world.points(), before, "{burn_as} {burned}");
                // Of three tried on one is kept, and comes back later: each has its share, and all of them together what was burned.
                let cart = world.cart(&[(hat, 3)], Delivery::PickUp { location_no: lviv });
                world.does(move |tx| {
                    commands::put_try_on(tx, cart, true)?;
                    put_person(tx, cart, 7, burned, &village())
                });
                let no = world.does(move |tx| commands::checkout(tx, cart, &village(), "site")).no;
                let kept = world.does(move |tx| {
                    commands::accept(tx, no, 1, "shop")?;
                    commands::ready(tx, no, 1, "shop")?;
                    commands::collect(tx, no, 1, (&Proof::Seen("face".into()), Some(&[(0, q(1))])), "shop")
                });
                let open = kept.open_minor();
                let first = |amount: i64| {
                    let pieces = loyalty::amounts::Quantity::pieces;
                    loyalty::share_until(amount, pieces(3), pieces(1))
                };
                let share = first(burned);
                let wanted = if pays { 30_000 - first(burned * 100) } else { first(90_000 - burned * 100) };
                assert_eq!(open, wanted, "{burn_as} {burned}");
                let earned = world.points() - (before - share);
                let wanted = kept.body.points.map_or(0, |of| first(of.earned));
                assert_eq!(earned, wanted, "the first third of what all of it would have earned");
                world.pay(no, Action::Capture, &format!("pay-{no}"), open).expect("it is paid");
                assert_eq!(world.come_back(no, lviv, 1), open, "{burn_as} {burned}");
                let back = world.does(move |tx| commands::order_of(tx, no));
                assert_eq!(
                    (back.open_minor(), back.owing().surplus_minor(), World::paid_with_points(&back)),
                    (0, 0, 0)
                );
                assert_eq!(world.points(), before, "nothing more and nothing less, {burn_as} {burned}");
            }
        }
        assert!(world.store().query(loyalty::points::doctor::check).expect("it is read").is_empty());
        assert_eq!(world.store().query(crate::after::doctor::check).expect("it is read"), []);
    });
}
