//! What customers and colleagues at the counter do, told as stories: bags, store credit, advice, sales beside a pick-up, slots.
use super::world::{World, q, shop};
use crate::accompany;
use crate::after::commands as after;
use crate::after::credit;
use crate::after::model::CaseKind;
use crate::commands::{self, Beside, Proof};
use crate::model::{Contact, Delivery};
use crate::showroom::{self, Begin};
use crate::states::line::Line as LineState;
use crate::states::order::Status;
use crate::{OrderError, personal, told};
use catalog::links::{self, Association};
use stock::model::LocationKind::{Store, Warehouse};

fn pick_up(location_no: i64) -> Delivery {
    Delivery::PickUp { location_no }
}

impl World {
    fn packed(&self, lines: &[(i64, i64)], delivery: Delivery) -> i64 {
        let cart = self.cart(lines, delivery);
        let no = self.checkout(cart).expect("it is ordered").no;
        self.does(move |tx| {
            commands::accept(tx, no, 1, "shop")?;
            commands::ready(tx, no, 1, "shop")
        });
        no
    }
    fn code(&self, no: i64) -> String {
        self.does(move |tx| Ok(commands::pick_up_code(tx.hash_key(), no)))
    }
    fn belongs(&self, variant: i64, others: &[(i64, &'static str)]) {
        let others = others.to_vec();
        self.does(move |tx| {
            let product = |tx: &mut db::Tx, no: i64| {
                Ok::<i64, OrderError>(catalog::variants::get(tx, no)?.expect("it is there").product_no)
            };
            let of = product(tx, variant)?;
            let mut list = Vec::new();
            for (other, kind) in &others {
                list.push(Association { kind: (*kind).into(), other_no: product(tx, *other)?, quantity: 1 });
            }
            links::associate(tx, of, &list).expect("they are joined");
            Ok(())
        });
    }
}

#[test]
fn two_orders_of_one_customer_leave_in_one_bag_by_one_code() {
    // [N8]
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let (soap, comb) = (world.goods("soap", 5_000, true), world.goods("comb", 9_000, true));
        world.receive(soap, lviv, 5);
        world.receive(comb, lviv, 5);
        let a = world.packed(&[(soap, 1)], pick_up(lviv));
        let b = world.packed(&[(comb, 2)], pick_up(lviv));
        let with = world.does(move |tx| {
            let order = commands::order_of(tx, a)?;
            commands::with_it(tx, &order)
        });
        assert_eq!(with.iter().map(|o| o.no).collect::<Vec<_>>(), [b], "the page says what the code opens too");
        let items = [(a, 1), (b, 1)];
        let wrong = world.write(move |tx| commands::hand_over_bag(tx, &items, &Proof::Code("1".into()), "shop"));
        assert!(matches!(wrong, Err(OrderError::Field { pointer, .. }) if pointer == "/code"));
        let code = world.code(b);
        let done = world.does(move |tx| commands::hand_over_bag(tx, &items, &Proof::Code(code.clone()), "shop"));
        assert!(done.iter().all(|o| o.status() == Status::Delivered || o.body.given_at.micros() > 0));
        assert!(done.iter().all(|o| o.body.parts.iter().all(|p| p.state == LineState::Delivered)));
        assert_eq!((world.available(soap), world.available(comb)), (q(4), q(3)), "the ledger says the same");
        let said = world.does(move |tx| Ok(commands::history_of(tx, a)?));
        assert!(said.iter().any(|h| h.what == "in one bag" && h.detail.contains("with")));
    });
}

#[test]
fn a_bag_is_one_customers_at_one_address_and_has_one_number() {
    // [N8] [N3]
    World::each(|world| {
        let hub = world.location("W", Warehouse);
        let soap = world.goods("soap", 5_000, true);
        world.receive(soap, hub, 9);
        let courier = || Delivery::Ship { option: "courier".into(), price_minor: 0 };
        let (a, b) = (world.packed(&[(soap, 1)], courier()), world.packed(&[(soap, 2)], courier()));
        let cart = world.cart(&[(soap, 1)], courier());
        world.does(move |tx| {
            let other = Contact { email: "petro@example.com".into(), ..Contact::default() };
            commands::put_contact(tx, cart, &other)
        });
        let stranger = world.checkout(cart).expect("it is ordered").no;
        world.does(move |tx| {
            commands::accept(tx, stranger, 1, "shop")?;
            commands::ready(tx, stranger, 1, "shop")
        });
        let not_one = world.write(move |tx| commands::dispatch_bag(tx, &[(a, 1), (stranger, 1)], "20450", "hub"));
        assert!(matches!(not_one, Err(OrderError::Field { pointer, .. }) if pointer == "/items/1"));
        let twice = world.write(move |tx| commands::dispatch_bag(tx, &[(a, 1), (a, 1)], "20450", "hub"));
        assert!(matches!(twice, Err(OrderError::Field { pointer, .. }) if pointer == "/items"));
        let sent = world.does(move |tx| commands::dispatch_bag(tx, &[(a, 1), (b, 1)], " 20450 ", "hub"));
        assert!(sent.iter().all(|o| o.body.fulfilments[0].tracking == "20450"), "one tracking number");
        let again = world.write(move |tx| commands::dispatch_bag(tx, &[(a, 1), (b, 1)], "20450", "hub"));
        assert!(again.is_err(), "it left already");
    });
}

#[test]
fn store_credit_pays_once_and_what_is_given_back_returns_to_it() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let soap = world.goods("soap", 5_000, true);
        world.receive(soap, lviv, 5);
        let (account, code) = world.does(|tx| {
            let who = Contact { email: "olena@example.com".into(), ..Contact::default() };
            let account = credit::of_contact(tx, &who, "UAH")?;
            credit::give(tx, account.no, 8_000, "gift", "thanks", "owner")?;
            Ok((account.no, account.code.clone()))
        });
        let no = world.packed(&[(soap, 2)], pick_up(lviv));
        let pay = |code: &str, minor: Option<i64>| {
            let code = code.to_string();
            world.write(move |tx| after::pay_with_credit(tx, no, &code, minor, "site"))
        };
        for (code, minor, pointer) in
            [("nothing", None, "/code"), (&*code, Some(8_001), "/amount"), (&*code, Some(0), "/amount")]
        {
            let refused = pay(code, minor);
            assert!(matches!(&refused, Err(OrderError::Field { pointer: p, .. }) if p == pointer), "{refused:?}");
        }
        let (order, _) = pay(&code.to_lowercase(), None).expect("it is paid");
        assert_eq!((order.sums().captured, order.owed_minor()), (8_000, 10_000), "as much as is there");
        assert!(matches!(pay(&code, None), Err(OrderError::Field { pointer, .. }) if pointer == "/code"), "once");
        let left = world.does(move |tx| Ok(credit::account(tx, account)?.balance_minor));
        assert_eq!(left, 0);
        let found = world.store().query(crate::after::doctor::check).expect("it can be read");
        assert_eq!(found, []);
    });
}

#[test]
fn advice_in_a_showroom_goes_on_on_the_customers_phone_and_counts_for_the_adviser() {
    // [P9] [P7]
    World::each(|world| {
        let (lviv, hub) = (world.location("Lviv-1", Store), world.location("W", Warehouse));
        let (lamp, sofa) = (world.goods("lamp", 100_000, true), world.goods("sofa", 2_000_000, true));
        world.receive(sofa, hub, 3);
        world.receive(lamp, hub, 3);
        // At home they had put a lamp into their basket.
        let cart = world.cart(&[(lamp, 1)], Delivery::Ship { option: "courier".into(), price_minor: 0 });
        let who = Contact { email: "olena@example.com".into(), ..Contact::default() };
        let begin = Begin { contact: who, location_no: lviv, channel: "site".into(), ..Begin::default() };
        let ask = begin.clone();
        let first = world.does(move |tx| showroom::begin(tx, &shop(), &ask, "ira@example.com"));
        assert_eq!(first.cart_no, cart, "their own basket");
        let ask = begin.clone();
        let again = world.does(move |tx| showroom::begin(tx, &shop(), &ask, "ira@example.com"));
        assert_eq!(again.no, first.no, "advice that goes on is one");
        let no = first.no;
        world.does(move |tx| {
            showroom::note_goods(tx, no, (sofa, true, Some(true)), Some(q(1)))?;
            showroom::note_goods(tx, no, (lamp, true, Some(false)), Some(q(0)))?;
            showroom::note(tx, no, "measures her room first")
        });
        world.does(move |tx| showroom::send(tx, no, "https://shop.example/c/c1"));
        let told = world.does(|tx| Ok(told::take_of_carts(tx)?));
        assert_eq!((told.len(), told.first().map(|t| t.name)), (0, None), "told in the transaction that wrote it");
        let order = world.checkout(cart).expect("ordered on the phone");
        assert_eq!((order.body.lines.len(), order.body.seller.as_str()), (1, "ira@example.com"));
        let order_no = order.no;
        let row = world.does(move |tx| showroom::consultation(tx, no));
        assert_eq!((row.order_no, row.goods.len()), (Some(order_no), 2));
        let planned = world.does(move |tx| {
            let cases = after::account_of(tx, order_no)?.cases;
            after::case_of(tx, cases[0])
        });
        assert_eq!((planned.kind, planned.owner.as_str()), (CaseKind::CheckIn, "ira@example.com"), "feedback is asked");
        assert!(planned.due_at > order.placed_at);
        let late = world.write(move |tx| showroom::note(tx, no, "x"));
        assert!(late.is_err(), "it was ordered");
        let now = world.clock_now();
        let from = base::Timestamp::from_micros(0);
        let credited = world.store().query(move |db| showroom::credited(db, from, now.plus(1))).expect("it is counted");
        assert_eq!(credited.len(), 1);
        assert_eq!((credited[0].orders, credited[0].total_minor), (1, order.body.total_minor));
        world.crash();
        let row = world.does(move |tx| showroom::consultation(tx, no));
        assert_eq!((row.order_no, row.note.as_str()), (Some(order_no), "measures her room first"));
    });
}

#[test]
fn what_is_on_display_is_for_nobodys_basket() {
    // [P9]
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let sofa = world.goods("sofa", 2_000_000, true);
        let mut shown = super::world::line(sofa, stock::model::SUPPLIER, lviv, 1);
        shown.to_condition = stock::model::Condition::Display;
        world.post(stock::model::DocumentKind::Receipt, vec![shown], stock::commands::Shortage::Refuse);
        assert_eq!(world.available(sofa), q(0));
        let cart = world.cart(&[(sofa, 1)], pick_up(lviv));
        assert!(matches!(world.checkout(cart), Err(OrderError::Stock(stock::StockError::NotEnough(_)))));
    });
}

#[test]
fn slots_are_in_stock_there_and_not_owned_and_what_is_sold_beside_a_pick_up_is_counted() {
    // [N10] [P11]
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let shoe = world.goods("shoe", 200_000, true);
        let (cream, brush, laces, horn) = (
            world.goods("cream", 10_000, true),
            world.goods("brush", 12_000, true),
            world.goods("laces", 4_000, true),
            world.goods("horn", 3_000, true),
        );
        for (variant, units) in [(shoe, 5), (cream, 3), (laces, 3), (horn, 3)] {
            world.receive(variant, lviv, units);
        }
        world.belongs(
            shoe,
            &[(cream, "accompanying"), (brush, "accompanying"), (laces, "spare_part"), (horn, "substitute")],
        );
        // She has laces already.
        let earlier = world.packed(&[(laces, 1)], pick_up(lviv));
        let no = world.packed(&[(shoe, 1)], pick_up(lviv));
        let slots = world.does(move |tx| accompany::beside_order(tx, no, None, 6));
        let said: Vec<(&str, i64)> = slots.iter().map(|s| (s.sku.as_str(), s.price_minor)).collect();
        assert_eq!(said, [("cream", 10_000)], "brushes are out, laces are owned, a horn is a substitute");
        assert_eq!(slots[0].because, "shoe");
        let sale = |units: i64, of: i64| Beside {
            of_order_no: of,
            location_no: lviv,
            lines: vec![(cream, q(units))],
            channel: "site".into(),
        };
        let (too_many, fine) = (sale(4, no), sale(2, no));
        let refused = world.write(move |tx| commands::sell_beside(tx, &shop(), &too_many, "ira@example.com"));
        assert!(matches!(refused, Err(OrderError::Field { pointer, .. }) if pointer == "/lines/0/quantity"));
        let made = world.does(move |tx| commands::sell_beside(tx, &shop(), &fine, "ira@example.com"));
        assert!(made.body.parts.iter().all(|p| p.state == LineState::Delivered), "it goes over the counter at once");
        assert_eq!((made.body.seller.as_str(), world.available(cream)), ("ira@example.com", q(1)));
        let (from, to) = (base::Timestamp::from_micros(0), world.clock_now().plus(1));
        let sold = world.store().query(move |db| commands::sold_beside(db, from, to)).expect("it is counted");
        assert_eq!(
            sold.iter().map(|s| (s.location_no, s.sales, s.pick_ups, s.total_minor)).collect::<Vec<_>>(),
            [(lviv, 1, 1, 20_000)]
        );
        let _ = earlier;
    });
}

#[test]
fn all_that_is_held_of_somebody_is_found_by_any_of_their_names() {
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let soap = world.goods("soap", 5_000, true);
        world.receive(soap, lviv, 5);
        let no = world.packed(&[(soap, 2)], pick_up(lviv));
        world.does(move |tx| {
            commands::collect(tx, no, 1, (&Proof::Seen("passport".into()), None), "shop")?;
            let lines = vec![crate::after::model::ClaimLine {
                line: 0,
                milli: 1_000,
                reason: crate::after::model::Reason::Defect,
            }];
            let ask = after::ClaimAsk { order_no: no, lines, note: "it broke".into(), ..after::ClaimAsk::default() };
            after::claim_by_customer(tx, &shop(), &ask)
        });
        let offered = world.does(move |tx| after::offered(tx, &shop(), no));
        assert_eq!((offered[0].returnable, offered[0].denied.clone()), (2_000, None));
        let held = world.does(|tx| personal::held(tx, &[("email", "olena@example.com"), ("loyalty_card", "7")]));
        assert_eq!((held.orders.len(), held.carts.len(), held.claims.len()), (1, 1, 1));
        let nobody = world.does(|tx| personal::held(tx, &[("email", "petro@example.com"), ("phone", "")]));
        assert!(nobody.orders.is_empty() && nobody.carts.is_empty() && nobody.credit.is_empty());
    });
}
