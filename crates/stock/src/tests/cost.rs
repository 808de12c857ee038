//! Cost: average, layers, freight, bills that come late.
use super::world::{World, line, paper, q};
use crate::StockError;
use crate::commands::{self, Shortage};
use crate::cost::replay::{Event, Flow, replay, share, spread};
use crate::cost::{self, Bill, Share};
use crate::model::{CUSTOMER, DocumentKind, LocationKind, SUPPLIER};
use crate::purchasing::{self, PurchaseInput};
use base::{Quantity, SECOND_US, Timestamp};
use catalog::model::Lots;
use proptest::prelude::*;

fn event(no: i64, units: i64, flow: Flow) -> Event {
    Event { no, at: Timestamp::from_micros(no * SECOND_US), quantity: q(units), flow }
}

#[test]
fn averages_and_layers_as_in_the_textbook() {
    let all = [
        event(1, 10, Flow::In(Some(1000))),
        event(2, 10, Flow::In(Some(2000))),
        event(3, 15, Flow::Out),
        event(4, 5, Flow::In(Some(1500))),
        event(5, 10, Flow::Out),
    ];
    let (standing, costs) = replay(&all);
    let out: Vec<_> = costs.iter().map(|c| (c.average_minor, c.fifo_minor)).collect();
    // (10·100 + 10·200) / 20 = 150 each; by layers ten of 100 and five of 200.
    assert_eq!(out, [(1000, 1000), (2000, 2000), (2250, 2000), (1500, 1500), (2250, 2500)]);
    assert_eq!((standing.on_hand, standing.average_minor, standing.fifo_minor()), (q(0), 0, 0));
}

#[test]
fn a_receipt_told_late_changes_what_came_after_it() {
    let sold = [event(1, 2, Flow::In(Some(200))), event(5, 1, Flow::Out)];
    assert_eq!(replay(&sold).1[1].average_minor, 100);
    let late = Event { no: 9, ..event(3, 2, Flow::In(Some(400))) };
    let (_, costs) = replay(&[sold[0], sold[1], late]);
    assert_eq!(costs.iter().map(|c| (c.no, c.average_minor, c.fifo_minor)).collect::<Vec<_>>()[2], (5, 150, 100));
    // Sold before anything came: it costs what comes next, and is a guess until then.
    let (standing, costs) = replay(&[event(1, 3, Flow::Out)]);
    assert_eq!((standing.owed, costs[0].average_minor, costs[0].estimated), (q(3), 0, true));
    let (standing, costs) = replay(&[event(1, 3, Flow::Out), event(2, 5, Flow::In(Some(501)))]);
    assert_eq!((costs[0].average_minor, costs[0].estimated), (301, false));
    assert_eq!((standing.on_hand, standing.average_minor, standing.owed), (q(2), 200, q(0)));
    // What a count found is worth the average; where nobody ever said, nothing.
    let (standing, _) = replay(&[event(1, 2, Flow::In(Some(300))), event(2, 1, Flow::In(None))]);
    assert_eq!((standing.average_minor, standing.unknown), (450, 1));
    assert_eq!(replay(&[event(1, 2, Flow::In(None))]).0.average_minor, 0);
}

#[test]
fn freight_is_shared_to_the_unit() {
    assert_eq!(spread(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(spread(100, &[0, 0]), [50, 50]);
    assert_eq!(spread(-100, &[1, 1, 1]), [-34, -33, -33]);
    assert_eq!((share(100, q(1), q(3)), share(5, q(1), q(2)), share(-5, q(1), q(2))), (33, 3, -3));
}

proptest! {
    #[test]
    fn shares_sum_to_what_is_shared(amount in -10_000i64..10_000, weights in prop::collection::vec(0i64..50, 1..9)) {
        let shares = spread(amount, &weights);
        prop_assert_eq!(shares.iter().sum::<i64>(), amount);
        for (share, weight) in shares.iter().zip(&weights) {
            let all: i64 = weights.iter().sum();
            let exact = if all == 0 { amount as f64 / weights.len() as f64 } else { amount as f64 * *weight as f64 / all as f64 };
            prop_assert!((*share as f64 - exact).abs() < 1.0);
        }
    }

    #[test]
    fn value_is_conserved_and_layers_are_what_lies_there(
        flows in prop::collection::vec((1i64..5_000, prop::option::of(0i64..100_000), any::<bool>(), 0i64..60), 0..60)
    ) {
        let events: Vec<Event> = flows.iter().enumerate().map(|(no, (milli, cost, comes, second))| Event {
            no: no as i64 + 1,
            at: Timestamp::from_micros(second * SECOND_US),
            quantity: Quantity::from_milli(*milli),
            flow: if *comes { Flow::In(*cost) } else { Flow::Out },
        }).collect();
        let (standing, costs) = replay(&events);
        prop_assert_eq!(costs.len(), events.len());
        let came: Quantity = events.iter().filter(|e| e.flow != Flow::Out).map(|e| e.quantity).sum();
        let left: Quantity = events.iter().filter(|e| e.flow == Flow::Out).map(|e| e.quantity).sum();
        prop_assert_eq!(standing.on_hand - standing.owed, came - left);
        prop_assert_eq!(standing.layers.iter().map(|l| l.quantity).sum::<Quantity>(), standing.on_hand);
        prop_assert!(standing.layers.iter().all(|l| l.quantity.is_positive() && l.value_minor >= 0));
        prop_assert!(standing.on_hand.is_zero() || standing.owed.is_zero(), "nobody owes what lies there");
        prop_assert!(standing.on_hand.is_positive() || standing.average_minor == 0);
        if standing.owed.is_zero() {
            let is_out = |no: i64| events.iter().any(|e| e.no == no && e.flow == Flow::Out);
            let sold = |of: fn(&crate::cost::replay::Cost) -> i64| -> i64 { costs.iter().filter(|c| is_out(c.no)).map(of).sum() };
            prop_assert_eq!(standing.came_minor, sold(|c| c.average_minor) + standing.average_minor);
            prop_assert_eq!(standing.came_minor, sold(|c| c.fifo_minor) + standing.fifo_minor());
            prop_assert!(costs.iter().all(|c| !c.estimated));
        }
        // The order in which papers are told does not matter.
        let mut shuffled = events.clone();
        shuffled.reverse();
        prop_assert_eq!(replay(&shuffled), (standing, costs));
    }
}

#[test]
fn a_purchase_order_brings_its_cost_and_a_bill_corrects_it() {
    World::each(|world| {
        for variant in [7, 8] {
            world.variant(variant, Lots::None, "");
        }
        let shop = world.location("Lviv-1", LocationKind::Store);
        let supplier = world.write(|tx| purchasing::put_supplier(tx, ("khmara", "Khmara", 14, ""))).expect("made").1.no;
        let input = PurchaseInput {
            supplier_no: supplier,
            location_no: shop,
            currency: "UAH".into(),
            freight_minor: 1000,
            expected_at: None,
            note: String::new(),
            lines: vec![(7, q(3), 1000), (8, q(2), 500)],
        };
        let no = world.write(move |tx| purchasing::draft(tx, &input, "olena")).expect("a draft").no;
        world.write(move |tx| purchasing::place(tx, no, None)).expect("ordered");
        let came = |lines: Vec<(usize, Quantity)>, complete: bool| {
            let at = world.now();
            world.write(move |tx| purchasing::receive(tx, no, &lines, complete, ("", "shop"), at)).expect("they came");
        };
        let book = |variant: i64| {
            let book = world.store().query(move |db| cost::book(db, variant, "UAH", None)).expect("it is read");
            (book.standing.on_hand, book.standing.average_minor)
        };
        came(vec![(0, q(1))], false);
        // Freight by value: 750 of it for the first line, a third of that now.
        assert_eq!(book(7), (q(1), 1250));
        world.pass(60);
        came(vec![(0, q(2)), (1, q(1))], true);
        // The other half of the second line never came: those that did bear its freight too.
        assert_eq!((book(7).1 + book(8).1, book(7).0, book(8).0), (3000 + 500 + 1000, q(3), q(1)));
        world.pass(60);
        let sale = paper(DocumentKind::Sale, world.now(), vec![line(7, shop, CUSTOMER, 1)]);
        let sale = world.write(move |tx| commands::post(tx, &sale, Shortage::Refuse)).expect("sold").document_no;
        let sold = |world: &World| {
            let lines = world.store().query(move |db| cost::of_document(db, sale, "UAH")).expect("it is read");
            assert_eq!(lines.len(), 1);
            (lines[0].0, lines[0].1.average_minor, lines[0].1.fifo_minor)
        };
        let before = sold(world);
        // A receipt from before the sale is told late, and its bill later still, in weight's measure.
        let early = world.now().plus(-90 * SECOND_US);
        let receipt = paper(DocumentKind::Receipt, early, vec![line(7, SUPPLIER, shop, 3), line(8, SUPPLIER, shop, 1)]);
        let receipt = world.write(move |tx| commands::post(tx, &receipt, Shortage::Record)).expect("told").document_no;
        assert_eq!(sold(world), before, "of unknown cost, it counts as the average");
        let moves = world
            .store()
            .query(move |db| crate::lists::movements(db, crate::lists::Movements::Document(receipt), i64::MAX, 9));
        let numbers: Vec<i64> = moves.expect("they are read").iter().rev().map(|m| m.no).collect();
        let bill = Bill {
            currency: "UAH".into(),
            lines: vec![(numbers[0], 9000), (numbers[1], 1000)],
            freight_minor: 100,
            customs_minor: 401,
            by: Share::Value,
        };
        let weighed = Bill { by: Share::Weight, ..bill.clone() };
        let unweighed = world.write(move |tx| cost::bill(tx, receipt, &weighed));
        assert!(
            matches!(unweighed, Err(StockError::Field { pointer, .. }) if pointer == "/by"),
            "nobody knows the weight"
        );
        let half = Bill { lines: vec![(numbers[0], 9000)], ..bill.clone() };
        assert!(matches!(world.write(move |tx| cost::bill(tx, receipt, &half)), Err(StockError::Field { .. })));
        let billed = world.write(move |tx| cost::bill(tx, receipt, &bill)).expect("billed");
        assert_eq!(
            billed.iter().map(|i| (i.freight_minor, i.customs_minor)).collect::<Vec<_>>(),
            [(90, 361), (10, 40)]
        );
        let after = sold(world);
        assert!(after.1 > before.1, "the average was higher at the moment of the sale: {after:?} after {before:?}");
        assert_eq!(after.2, before.2, "by layers it was the first piece, which cost what it cost");
    });
}
