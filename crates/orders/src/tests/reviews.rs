//! Reviews, told as stories.
use super::world::World;
use crate::commands;
use crate::model::Delivery;
use crate::reviews::commands::{Brought, Deed, act, bring, of_order, rating_of, read_rating, recounted, write};
use crate::reviews::lists::{Which, published, reviews};
use crate::reviews::{Rating, Source, Written};
use crate::states::reviews::Review as State;
use crate::{OrderError, personal, told};
use catalog::variants;
use stock::model::LocationKind::Store;

fn stars(rating: i64, text: &str) -> Written {
    Written { rating, text: text.into(), name: "Olena".into(), lang: "uk".into(), ..Written::default() }
}

impl World {
    /// An order of one piece of each, at the counter; handed over where that is said.
    fn fetched(&self, goods: &[i64], at: i64, handed: bool) -> i64 {
        let lines: Vec<(i64, i64)> = goods.iter().map(|no| (*no, 1)).collect();
        let cart = self.cart(&lines, Delivery::PickUp { location_no: at });
        let no = self.checkout(cart).expect("it is ordered").no;
        self.does(move |tx| {
            commands::accept(tx, no, 1, "shop")?;
            commands::ready(tx, no, 1, "shop")
        });
        if handed {
            self.does(move |tx| commands::hand_over_all(tx, no, "shop"));
        }
        no
    }
    fn product(&self, variant: i64) -> i64 {
        self.does(move |tx| Ok(variants::get(tx, variant)?.expect("it is there").product_no))
    }
    fn unread_from(&self, publish_from: u8) {
        self.does(move |tx| {
            let (_, settings) = commands::settings(tx)?;
            let mut fresh = (*settings).clone();
            fresh.reviews.publish_from = publish_from;
            commands::put_settings(tx, &fresh)
        });
    }
    fn sums_agree(&self) {
        assert_eq!(self.store().query(recounted).expect("they are read"), []);
    }
}

#[test]
fn a_customer_reviews_what_was_delivered_once_and_may_change_it() {
    // [P3] [A11]
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let (soap, comb) = (world.goods("soap", 5_000, true), world.goods("comb", 9_000, true));
        world.receive(soap, lviv, 5);
        world.receive(comb, lviv, 5);
        let no = world.fetched(&[soap, comb], lviv, false);
        let refused = world.write(move |tx| write(tx, no, 0, &stars(5, "good")));
        assert!(
            matches!(refused, Err(OrderError::Field { pointer, detail }) if pointer == "/line" && detail.contains("delivered"))
        );
        world.does(move |tx| commands::hand_over_all(tx, no, "shop"));
        let (first, events) = world.does(move |tx| {
            told::take(tx)?;
            let made = write(tx, no, 0, &stars(5, "good"))?;
            Ok((made, told::take(tx)?))
        });
        assert_eq!((first.state, first.source, first.bought), (State::Awaiting, Source::Own, Some((no, 0))));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.name, event.order_no), ("Product Reviewed", no));
        assert_eq!((&event.properties["rating"], &event.properties["review_body"]), (&5.into(), &"good".into()));
        // Written again as it was, nothing happens; otherwise it is the same review.
        let (same, silent) = world.does(move |tx| Ok((write(tx, no, 0, &stars(5, "good"))?, told::take(tx)?)));
        assert_eq!((same.version, silent.len()), (1, 0));
        let changed = world.does(move |tx| write(tx, no, 0, &stars(2, "it broke")));
        assert_eq!((changed.no, changed.version, changed.state), (first.no, 2, State::Awaiting));
        let out = world.write(move |tx| write(tx, no, 2, &stars(5, "")));
        assert!(matches!(out, Err(OrderError::Field { pointer, .. }) if pointer == "/line"));
        world.does(move |tx| write(tx, no, 1, &stars(4, "")));
        let all = world.does(move |tx| Ok(of_order(tx, no)?));
        assert_eq!(all.iter().map(|r| r.written.rating).collect::<Vec<_>>(), [2, 4]);
        let held = world.does(|tx| personal::held(tx, &[("email", "olena@example.com")]));
        assert_eq!(held.reviews.len(), 2, "whoever asks for what is held of them gets it");
        world.sums_agree();
    });
}

#[test]
fn sums_follow_each_step_and_the_negative_stand_first_until_answered() {
    // [AA5] [P3]
    World::each(|world| {
        let lviv = world.location("Lviv-1", Store);
        let soap = world.goods("soap", 5_000, true);
        world.receive(soap, lviv, 9);
        let product = world.product(soap);
        world.unread_from(4);
        let orders: Vec<i64> = (0..4).map(|_| world.fetched(&[soap], lviv, true)).collect();
        let wrote: Vec<_> = orders
            .iter()
            .zip([1, 5, 4, 3])
            .map(|(no, rating)| {
                let no = *no;
                world.does(move |tx| write(tx, no, 0, &stars(rating, "words")))
            })
            .collect();
        let sums = |world: &World| world.does(move |tx| Ok(rating_of(tx, product)?));
        assert_eq!(sums(world), Rating { stars: [0, 0, 0, 1, 1] }, "only what is trusted is shown");
        let (bad, good, middle) = (wrote[0].no, wrote[1].no, wrote[3].no);
        world.does(move |tx| act(tx, bad, &Deed::Publish, "maria"));
        assert_eq!(sums(world).mean().as_deref(), Some("3.33"));
        let list = |which: Which| -> Vec<(i64, bool)> {
            let found = world.store().query(move |db| reviews(db, &which, (2, 0), 10)).expect("a list");
            found.iter().map(|i| (i.review.no, i.raised)).collect()
        };
        assert_eq!(
            list(Which::default())[0],
            (bad, true),
            "the oldest stands first: it is negative and nobody answered"
        );
        world.does(move |tx| act(tx, bad, &Deed::Answer("We are sorry.".into()), "maria"));
        assert_eq!(list(Which::default()).last(), Some(&(bad, false)));
        assert_eq!(list(Which { unanswered: true, ..Which::default() }).len(), 3);
        assert_eq!(
            list(Which { rating: 3, state: "awaiting".into(), product_no: product, ..Which::default() }),
            [(middle, false)]
        );
        let without = world.write(move |tx| act(tx, good, &Deed::Reject(" ".into()), "maria"));
        assert!(matches!(without, Err(OrderError::Refused(_))), "a reason is given");
        world.does(move |tx| act(tx, good, &Deed::Reject("an advertisement".into()), "maria"));
        assert_eq!(sums(world).stars, [1, 0, 0, 1, 0]);
        // What its writer changes is read again; the answer stays.
        let again = world.does({
            let no = orders[0];
            move |tx| write(tx, no, 0, &stars(3, "they sent a new one"))
        });
        assert_eq!((again.state, again.answer.as_str()), (State::Awaiting, "We are sorry."));
        assert_eq!(sums(world).stars, [0, 0, 0, 1, 0]);
        let shown = world.store().query(move |db| published(db, product, i64::MAX, true, 10)).expect("a list");
        assert_eq!(shown.iter().map(|r| r.no).collect::<Vec<_>>(), [wrote[2].no]);
        assert_eq!(world.store().query(move |db| read_rating(db, product)).expect("sums"), sums(world));
        world.sums_agree();
    });
}

#[test]
fn reviews_of_elsewhere_come_in_once_with_their_source() {
    // [AA5]
    World::each(|world| {
        let soap = world.goods("soap", 5_000, true);
        let product_no = world.product(soap);
        world.unread_from(1);
        let brought = Brought {
            product_no,
            source: Source::Marketplace,
            source_id: "rozetka:77".into(),
            written: stars(2, "late"),
            written_at: world.clock_now().plus(-1),
            answer: String::new(),
        };
        let own = Brought { source: Source::Own, ..brought.clone() };
        assert!(world.write(move |tx| bring(tx, &own, "maria")).is_err(), "own ones come from an order");
        let first = world.does({
            let brought = brought.clone();
            move |tx| bring(tx, &brought, "maria")
        });
        assert_eq!((first.state, first.bought, first.source), (State::Published, None, Source::Marketplace));
        let again = Brought { written: stars(4, "they made it good"), answer: "Thank you".into(), ..brought };
        let second = world.does(move |tx| bring(tx, &again, "maria"));
        assert_eq!((second.no, second.answer.as_str()), (first.no, "Thank you"));
        let sums = world.does(move |tx| Ok(rating_of(tx, product_no)?));
        assert_eq!(sums.stars, [0, 0, 0, 1, 0], "counted once, as it is now");
        world.sums_agree();
    });
}
