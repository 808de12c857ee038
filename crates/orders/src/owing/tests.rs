//! What is left to pay, beside plain sums that know nothing of parts, cases or ledgers: random lives of an order.
use super::*;
use crate::after::commands::{self as after, Ask, Got, Pay, Taken};
use crate::after::model::{Grade, Reason, Wanted, Way};
use crate::commands::{self, Edit, Fact};
use crate::model::Delivery;
use crate::states::order::Status;
use crate::states::payment::Action;
use crate::tests::world::{World, q, shop};
use db::testing::Place;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use stock::model::LocationKind::Store;

const PRICE: i64 = 33_333;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many hundredths of what is left.
    Pay(i64),
    /// To so many pieces; what was paid too much goes back first.
    Edit(i64),
    /// Money goes back for nothing.
    Refund(i64),
    HandOver,
    /// So many pieces come back, so much is kept back of their money, and it is given as store credit or not.
    Return(i64, i64, bool),
    /// Pieces come back, and nobody says yet what for.
    Bring(i64),
    /// Something was wrong, and some money goes back while the goods stay.
    Complain(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(100), 1..100_i64].prop_map(Step::Pay),
        4 => (1..5_i64).prop_map(Step::Edit),
        1 => (1..40_000_i64).prop_map(Step::Refund),
        2 => Just(Step::HandOver),
        3 => (1..3_i64, prop_oneof![2 => Just(0), 1 => 1..5_000_i64], any::<bool>()).prop_map(|(n, w, c)| Step::Return(n, w, c)),
        1 => (1..3_i64).prop_map(Step::Bring),
        1 => (1..9_000_i64).prop_map(Step::Complain),
    ]
}

/// Ways to ask what is left to pay that were wrong once: each must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Right,
    /// What went back is forgotten.
    WithoutRefunds,
    /// What came back is owed all the same.
    WithoutReturns,
}

impl Asked {
    fn open(self, order: &Order) -> i64 {
        let sums = order.sums();
        match self {
            Asked::Right => order.open_minor(),
            Asked::WithoutRefunds => (order.owed_minor() - sums.captured).max(0),
            Asked::WithoutReturns => (order.owed_minor() - sums.captured + sums.refunded).max(0),
        }
    }
}

/// The plain sums.
#[derive(Default)]
struct Plain {
    /// Pieces that are wanted and did not come back, and those that came back undecided.
    pieces: i64,
    handed: bool,
    /// With us.
    money: i64,
    /// Owed though nobody has goods for it, less what need not be paid.
    beside: i64,
}

impl Plain {
    fn due(&self) -> i64 {
        (self.pieces * PRICE + self.beside).max(0)
    }
    fn open(&self) -> i64 {
        (self.due() - self.money).max(0)
    }
}

struct Shop<'a> {
    world: &'a World,
    lviv: i64,
    shoe: i64,
    asked: Asked,
    reached: &'a RefCell<BTreeMap<&'static str, u32>>,
}

struct Life<'a> {
    shop: &'a Shop<'a>,
    no: i64,
    plain: Plain,
    number: i64,
    /// Payments with what of them is left.
    payments: Vec<(String, i64)>,
}

type Done = Result<(), TestCaseError>;

impl Life<'_> {
    fn reach(&self, what: &'static str) {
        *self.shop.reached.borrow_mut().entry(what).or_default() += 1;
    }
    fn order(&self) -> Arc<Order> {
        let no = self.no;
        self.shop.world.does(move |tx| commands::order_of(tx, no))
    }
    fn fact(&mut self, payment: &str, action: Action, minor: i64) -> bool {
        self.number += 1;
        let fact = Fact {
            provider: "test".into(),
            payment_id: payment.into(),
            external_id: format!("{}:{}", self.no, self.number),
            action,
            amount_minor: minor,
        };
        let no = self.no;
        self.shop.world.write(move |tx| commands::pay(tx, no, &fact, "site")).is_ok()
    }
    fn pay(&mut self, minor: i64) -> bool {
        let payment = format!("p{}-{}", self.no, self.number);
        let taken = self.fact(&payment, Action::Capture, minor);
        if taken {
            self.plain.money += minor;
            self.payments.push((payment, minor));
        }
        taken
    }
    /// Gives money back for nothing, as far as payments go.
    fn give(&mut self, minor: i64) {
        let mut rest = minor;
        for at in 0..self.payments.len() {
            let (payment, left) = self.payments[at].clone();
            let part = rest.min(left);
            if part > 0 && self.fact(&payment, Action::Refund, part) {
                self.payments[at].1 -= part;
                self.plain.money -= part;
                rest -= part;
            }
        }
    }
    /// What refunds by the case did to payments is read, not reckoned.
    fn read_payments(&mut self) {
        let order = self.order();
        for (id, left) in &mut self.payments {
            let of = order.body.payments.iter().find(|p| p.id == *id);
            *left = of.map_or(0, |p| p.captured_minor - p.refunded_minor);
        }
    }
    fn edit(&mut self, units: i64) -> Done {
        if self.plain.handed {
            return Ok(());
        }
        let surplus = self.plain.money - units * PRICE;
        if surplus > 0 {
            self.give(surplus);
        }
        let (no, shoe) = (self.no, self.shop.shoe);
        let edit = Edit { lines: Some(vec![(shoe, q(units))]), ..Edit::default() };
        let done = self.shop.world.write(move |tx| commands::edit(tx, no, &edit, &shop(), "agent"));
        prop_assert!(done.is_ok(), "{:?}", done.err());
        self.reach(if units < self.plain.pieces { "edited down" } else { "edited up" });
        self.plain.pieces = units;
        Ok(())
    }
    fn bring(&mut self, units: i64) -> Option<(i64, i64)> {
        let units = units.min(self.plain.pieces);
        if !self.plain.handed || units == 0 {
            return None;
        }
        let (no, lviv) = (self.no, self.shop.lviv);
        let ask = Ask {
            order_no: Some(no),
            lines: vec![Wanted { line: Some(0), variant_no: 0, quantity: q(units), reason: Reason::NotLiked }],
            channel: "site".into(),
            ..Ask::default()
        };
        let asked = self.shop.world.write(move |tx| after::request(tx, &shop(), &ask, "agent")).ok()?.no;
        let lines = vec![Got { line: 0, quantity: q(units), grade: Some(Grade::Sellable), lot: String::new() }];
        let taken = Taken { location_no: lviv, key: String::new(), lines };
        self.shop.world.does(move |tx| after::receive(tx, &shop(), asked, &taken, "clerk"));
        self.plain.pieces -= units;
        Some((asked, units))
    }
    fn step(&mut self, step: Step) -> Done {
        match step {
            Step::Pay(share) => {
                let open = self.plain.open();
                prop_assert!(!self.pay(open + 1), "more than is owed was taken: {}", open + 1);
                if open > 0 {
                    prop_assert!(self.pay((open * share / 100).max(1)), "{open} cannot be paid");
                    self.reach("paid");
                }
            }
            Step::Edit(units) => self.edit(units)?,
            Step::Refund(minor) => {
                let before = self.plain.money;
                self.give(minor);
                if self.plain.money < before {
                    self.reach("refunded");
                }
            }
            Step::HandOver => {
                let no = self.no;
                if !self.plain.handed {
                    self.shop.world.does(move |tx| commands::hand_over_all(tx, no, "shop"));
                    self.plain.handed = true;
                    self.reach("handed over");
                }
            }
            Step::Bring(units) => {
                if self.bring(units).is_some() {
                    self.reach("brought");
                }
            }
            Step::Return(units, withheld, credit) => {
                let Some((asked, units)) = self.bring(units) else { return Ok(()) };
                self.check()?;
                let worth = units * PRICE - withheld;
                let given = worth.min(self.plain.money.max(0));
                let way = if credit { Way::Credit } else { Way::Payments };
                let how = Pay { way, withheld_minor: withheld, why: "scratched".into(), paid_out: true };
                let row = self.shop.world.does(move |tx| after::refund(tx, asked, &how, "clerk"));
                prop_assert_eq!(row.body.total_minor, given);
                self.plain.money -= given;
                self.plain.beside += withheld;
                self.read_payments();
                self.reach(if credit { "returned for credit" } else { "returned" });
                if withheld > 0 {
                    self.reach("kept back");
                }
            }
            Step::Complain(minor) => {
                if !self.plain.handed || self.plain.pieces == 0 {
                    return Ok(());
                }
                let no = self.no;
                let line = crate::after::model::ClaimLine { line: 0, milli: 1000, reason: Reason::Defect };
                let ask = after::ClaimAsk { order_no: no, lines: vec![line], ..after::ClaimAsk::default() };
                let Ok(claim) = self.shop.world.write(move |tx| after::open_claim(tx, &shop(), &ask, "agent")) else {
                    return Ok(());
                };
                let how = (crate::after::model::Resolution::Refund, Some(minor));
                let done = self.shop.world.write(move |tx| after::approve_claim(tx, claim.no, how, "sorry", "agent"));
                let Ok(done) = done else { return Ok(()) };
                for refund in done.body.refunds.clone() {
                    self.shop.world.does(move |tx| after::settle_refund(tx, refund, "", "bank"));
                }
                self.plain.money -= done.body.refund_minor;
                self.plain.beside -= done.body.refund_minor;
                self.read_payments();
                self.reach("complained");
            }
        }
        self.check()
    }
    fn check(&self) -> Done {
        let order = self.order();
        let (open, plain) = (self.shop.asked.open(&order), self.plain.open());
        prop_assert_eq!(open, plain, "left to pay");
        if open == 0 {
            prop_assert!(order.status() != Status::AwaitingPayment, "it is paid and called unpaid");
        }
        if !self.plain.handed {
            prop_assert_eq!(order.status() == Status::AwaitingPayment, open > 0);
        }
        Ok(())
    }
}

/// Complaints and returns of one line are exact together only where the complaint's money is taken off the piece that comes back; the
/// plain sums do not know which piece that is, so a life has one or the other.
fn live(shop: &Shop<'_>, steps: &[Step]) -> Done {
    let delivery = Delivery::PickUp { location_no: shop.lviv };
    let cart = shop.world.cart(&[(shop.shoe, 2)], delivery);
    let order = shop.world.checkout(cart).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let plain = Plain { pieces: 2, ..Plain::default() };
    let mut life = Life { shop, no: order.no, plain, number: 0, payments: vec![] };
    let complains = steps.iter().position(|s| matches!(s, Step::Complain(_)));
    let comes_back = steps.iter().position(|s| matches!(s, Step::Return(..) | Step::Bring(_)));
    for of in steps {
        match of {
            Step::Complain(_) if comes_back < complains && comes_back.is_some() => continue,
            Step::Return(..) | Step::Bring(_) if complains < comes_back && complains.is_some() => continue,
            // Money that went back for nothing may be missing for what comes back; that is another story.
            Step::Refund(_) if life.plain.handed => continue,
            of => life.step(*of)?,
        }
    }
    // In the end it can be paid, all of it at once, and then nothing is left.
    let open = life.plain.open();
    if open > 0 {
        prop_assert!(life.pay(open), "{open} cannot be paid in the end");
        life.reach("paid in the end");
    }
    life.check()
}

fn lives(
    world: &World,
    asked: Asked,
    cases: u32,
    reached: &RefCell<BTreeMap<&'static str, u32>>,
) -> Result<(), String> {
    let (lviv, shoe) = (world.location("Lviv-1", Store), world.goods("shoe", PRICE, true));
    world.receive(shoe, lviv, 10_000);
    let shop = Shop { world, lviv, shoe, asked, reached };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let steps = proptest::collection::vec(step(), 3..14);
    runner.run(&steps, |steps| live(&shop, &steps)).map_err(|e| e.to_string())
}

#[test]
fn what_is_left_to_pay_is_right_through_random_lives() {
    for (place, cases) in Place::all().into_iter().zip([300, 60]) {
        let world = World::new(place);
        let reached = RefCell::default();
        if let Err(e) = lives(&world, Asked::Right, cases, &reached) {
            panic!("{e}");
        }
        world.assert_sound();
        assert_eq!(world.store().query(crate::after::doctor::check).expect("it is read"), []);
        let reached = reached.into_inner();
        for what in [
            "paid",
            "edited down",
            "edited up",
            "refunded",
            "handed over",
            "returned",
            "returned for credit",
            "kept back",
            "brought",
            "complained",
            "paid in the end",
        ] {
            assert!(reached.get(what).is_some_and(|n| *n > 3), "{what} was hardly reached: {reached:?}");
        }
    }
}

#[test]
fn what_was_wrong_once_is_noticed() {
    for asked in [Asked::WithoutRefunds, Asked::WithoutReturns] {
        let Some(place) = Place::all().into_iter().next() else { return };
        let world = World::new(place);
        let found = lives(&world, asked, 200, &RefCell::default());
        assert!(found.is_err_and(|e| e.contains("left to pay")), "{asked:?}");
    }
}
