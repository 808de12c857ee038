//! Lots and serial numbers.
use super::world::{World, line, paper, q, want};
use crate::StockError;
use crate::commands::{self, Posted, Shortage};
use crate::lots::removal::{Held, Removal, sort, take};
use crate::lots::{self, LotInput, LotState};
use crate::model::{CUSTOMER, Condition, DocumentKind, LocationKind, Move, ReservationKind, SUPPLIER};
use base::{Quantity, Rng, SECOND_US, Timestamp};
use catalog::model::Lots;
use db::testing::Place;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * SECOND_US)
}

fn held(lot: &str, units: i64, expires: Option<i64>, first: i64) -> Held {
    Held { lot: lot.into(), quantity: q(units), expires_at: expires.map(at), first_at: at(first) }
}

#[test]
fn lots_leave_in_the_order_that_is_asked_for() {
    let all =
        [held("a", 2, Some(300), 1), held("b", 2, Some(200), 3), held("c", 2, None, 2), held("d", 9, Some(50), 0)];
    let taken = |removal, units| {
        let (parts, left) = take(&all, q(units), removal, at(100));
        (parts.iter().map(|(lot, n)| format!("{lot}{n}")).collect::<Vec<_>>().join(" "), left)
    };
    assert_eq!(taken(Removal::Fefo, 5), ("b2 a2 c1".into(), q(0)));
    assert_eq!(taken(Removal::Fifo, 3), ("a2 c1".into(), q(0)));
    assert_eq!(taken(Removal::Lifo, 3), ("b2 c1".into(), q(0)));
    assert_eq!(taken(Removal::Fefo, 8), ("b2 a2 c2".into(), q(2)), "what has expired stays");
    assert_eq!((Removal::usual(&all), Removal::usual(&all[2..3])), (Removal::Fefo, Removal::Fifo));
}

proptest! {
    #[test]
    fn what_is_taken_and_what_is_missing_is_what_was_wanted(
        lots in prop::collection::vec((0i64..5, 0i64..200, 0i64..50), 0..8), wanted in 0i64..20, now in 0i64..200
    ) {
        let all: Vec<Held> = lots.iter().enumerate()
            .map(|(n, (units, expires, first))| held(&n.to_string(), *units, (*expires > 20).then_some(*expires), *first)).collect();
        let fresh: Quantity = all.iter().filter(|lot| lot.is_fresh(at(now))).map(|lot| lot.quantity).sum();
        for removal in [Removal::Fefo, Removal::Fifo, Removal::Lifo] {
            let (parts, left) = take(&all, q(wanted), removal, at(now));
            let sum: Quantity = parts.iter().map(|(_, n)| *n).sum();
            prop_assert_eq!(sum + left, q(wanted));
            prop_assert_eq!(left, (q(wanted) - fresh).or_none());
            // All but the last are taken whole, and nothing that leaves earlier is left behind.
            let mut order: Vec<Held> = all.iter().filter(|l| l.is_fresh(at(now)) && l.quantity.is_positive()).cloned().collect();
            sort(&mut order, removal);
            for (at, (lot, n)) in parts.iter().enumerate() {
                prop_assert_eq!(&order[at].lot, lot);
                prop_assert!(at + 1 == parts.len() || *n == order[at].quantity);
            }
        }
    }
}

fn named(variant: i64, from: i64, to: i64, lot: &str, units: i64) -> Move {
    Move { lot: lot.into(), ..line(variant, from, to, units) }
}

fn post(world: &World, moves: Vec<Move>, shortage: Shortage) -> Result<Posted, StockError> {
    let document = paper(DocumentKind::Movement, world.now(), moves);
    world.write(move |tx| commands::post(tx, &document, shortage))
}

fn lies(world: &World, variant: i64, place: i64, condition: Condition) -> Vec<(String, Quantity)> {
    let all = world.store().query(move |db| lots::list(db, variant, "", false)).expect("they are read");
    let there = all.iter().flat_map(|(_, positions)| positions);
    let there = there.filter(|p| p.location_no == place && p.condition == condition);
    there.map(|p| (p.lot.to_string(), p.quantity)).collect()
}

fn say(
    world: &World,
    variant: i64,
    lot: &'static str,
    expires_at: Option<Timestamp>,
    quarantined: bool,
) -> Vec<commands::Broken> {
    let input = LotInput { expires_at, quarantined, why: String::new() };
    world.write(move |tx| lots::put(tx, variant, lot, &input, "olena")).expect("it is said").2
}

#[test]
fn a_lot_that_expires_cannot_be_had_from_its_second_on() {
    World::each(|world| {
        let (hub, shop) = (world.location("W", LocationKind::Warehouse), world.location("Lviv-1", LocationKind::Store));
        let receipt = vec![
            named(7, SUPPLIER, shop, "milk-1", 3),
            named(7, SUPPLIER, shop, "milk-2", 2),
            line(7, SUPPLIER, shop, 1),
        ];
        post(world, receipt, Shortage::Refuse).expect("they come");
        let end = world.now().plus(3600 * SECOND_US);
        say(world, 7, "milk-2", Some(end), false);
        say(world, 7, "milk-1", Some(end.plus(3600 * SECOND_US)), false);
        assert_eq!(world.on_site(7), q(6));
        // What leaves without a name is what expires first.
        post(world, vec![line(7, shop, CUSTOMER, 1)], Shortage::Refuse).expect("it is sold");
        assert_eq!(lies(world, 7, shop, Condition::Sellable), [("milk-1".into(), q(3)), ("milk-2".into(), q(1))]);
        let order = world.reserve_as(ReservationKind::Order, vec![want(7, 5)], None).expect("ordered").no;
        assert_eq!(world.write(|tx| Ok(lots::next_expiry(tx)?)).expect("it is read"), Some(end));
        world.pass(3600);
        let broken = world.write(|tx| lots::expire(tx, 10)).expect("it is swept");
        assert_eq!(
            broken.iter().map(|b| b.reservation_no).collect::<Vec<_>>(),
            [order],
            "five were promised, four are good"
        );
        assert_eq!(world.on_site(7), q(4));
        assert_eq!(lies(world, 7, shop, Condition::Quarantine), [("milk-2".into(), q(1))]);
        // What arrives later of a lot that is over lies apart at once, wherever it arrives.
        post(world, vec![named(7, SUPPLIER, hub, "milk-2", 4)], Shortage::Refuse).expect("they come late");
        assert_eq!(world.on_site(7), q(4));
        assert_eq!(lies(world, 7, hub, Condition::Quarantine), [("milk-2".into(), q(4))]);
        let back = Move { from_condition: Condition::Quarantine, ..named(7, hub, hub, "milk-2", 1) };
        assert!(
            matches!(post(world, vec![back], Shortage::Refuse), Err(StockError::Field { .. })),
            "nobody sells it again"
        );
        // Its label was misread: it comes back everywhere.
        say(world, 7, "milk-2", Some(world.now().plus(9000 * SECOND_US)), false);
        assert_eq!(world.on_site(7), q(9));
        world.crash();
        assert_eq!(world.write(|tx| Ok(lots::next_expiry(tx)?)).expect("it is read"), Some(end.plus(3600 * SECOND_US)));
    });
}

#[test]
fn a_lot_that_is_held_back_breaks_claims_and_comes_back() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        post(world, vec![named(7, SUPPLIER, shop, "L1", 4)], Shortage::Refuse).expect("they come");
        world.reserve(vec![want(7, 1)]).expect("claimed");
        assert_eq!(say(world, 7, "L1", None, true).len(), 1);
        assert_eq!(world.on_site(7), q(0));
        assert!(say(world, 7, "L1", None, true).is_empty(), "said twice");
        let known = world.write(|tx| Ok(lots::find(tx, 7, "L1")?)).expect("it is read").expect("it is there");
        assert_eq!(known.state, LotState::Quarantined);
        say(world, 7, "L1", None, false);
        assert_eq!(world.on_site(7), q(4));
    });
}

#[test]
fn a_serial_number_is_one_piece_at_one_place() {
    World::each(|world| {
        world.variant(7, Lots::Serial, "");
        let (a, b) = (world.location("A", LocationKind::Store), world.location("B", LocationKind::Store));
        let refused = |moves: Vec<Move>| match post(world, moves, Shortage::Refuse) {
            Err(StockError::Field { pointer, detail }) => format!("{pointer}: {detail}"),
            other => panic!("{other:?}"),
        };
        assert!(refused(vec![named(7, SUPPLIER, a, "SN-1", 2)]).starts_with("/lines/0/quantity"), "one piece each");
        let twice = vec![named(7, SUPPLIER, a, "SN-1", 1), named(7, SUPPLIER, b, "SN-1", 1)];
        assert_eq!(refused(twice), "/lines/1/lot: serial number SN-1 lies at A already");
        post(world, vec![named(7, SUPPLIER, a, "SN-1", 1), named(7, SUPPLIER, a, "SN-2", 1)], Shortage::Refuse)
            .expect("they come");
        assert_eq!(
            refused(vec![named(7, SUPPLIER, b, "SN-1", 1)]),
            "/lines/0/lot: serial number SN-1 lies at A already"
        );
        assert_eq!(refused(vec![named(7, b, CUSTOMER, "SN-1", 1)]), "/lines/0/lot: of SN-1 0 lie there");
        post(world, vec![named(7, a, b, "SN-1", 1)], Shortage::Refuse).expect("it moves");
        // A till that was offline sold it where the books did not have it: it came from where it lay.
        world.pass(60);
        post(world, vec![named(7, a, CUSTOMER, "SN-1", 1)], Shortage::Record).expect("it has happened");
        assert_eq!((world.sellable(7, a), world.sellable(7, b)), (q(1), q(0)));
        // It comes back, and then turns up at the other shop as well: it lies where it was seen last.
        post(world, vec![named(7, CUSTOMER, a, "SN-1", 1)], Shortage::Refuse).expect("a return");
        post(world, vec![named(7, CUSTOMER, b, "SN-1", 1)], Shortage::Record).expect("it has happened");
        assert_eq!((world.sellable(7, a), world.sellable(7, b)), (q(1), q(1)));
        assert_eq!(lies(world, 7, b, Condition::Sellable), [("SN-1".into(), q(1))]);
        let steps = world.store().query(|db| lots::history(db, "SN-1")).expect("it is read");
        let way: Vec<(i64, i64)> = steps.iter().map(|s| (s.from_no, s.to_no)).collect();
        let loss = crate::model::LOSS;
        let told =
            [(SUPPLIER, a), (a, b), (b, loss), (loss, a), (a, CUSTOMER), (CUSTOMER, a), (a, loss), (CUSTOMER, b)];
        assert_eq!(way, told);
        let there = world.store().query(|db| lots::places_of(db, "SN-1")).expect("it is read");
        assert_eq!(there.iter().map(|(v, p)| (*v, p.location_no)).collect::<Vec<_>>(), [(7, b)]);
    });
}

#[test]
fn a_count_of_goods_with_lots_keeps_lots_within_what_lies_there() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        post(world, vec![named(7, SUPPLIER, shop, "L1", 3), named(7, SUPPLIER, shop, "L2", 3)], Shortage::Refuse)
            .expect("they come");
        world.pass(60);
        let document = paper(DocumentKind::Count, world.now(), vec![]);
        world.write(move |tx| commands::count(tx, &document, shop, 7, q(2))).expect("counted");
        assert_eq!(lies(world, 7, shop, Condition::Sellable), [("L2".into(), q(2))], "the oldest are missing");
        // Told late, from before the count: it changes nothing of what was counted.
        let early =
            paper(DocumentKind::Sale, world.now().plus(-30 * SECOND_US), vec![named(7, shop, CUSTOMER, "L1", 2)]);
        world.write(move |tx| commands::post(tx, &early, Shortage::Record)).expect("it has happened");
        assert_eq!(world.sellable(7, shop), q(2));
        // Sold under a name that is not there: it was another lot.
        let sold = post(world, vec![named(7, shop, CUSTOMER, "L9", 3)], Shortage::Record).expect("it has happened");
        assert_eq!(sold.found.iter().map(|f| (f.wanted, f.available)).collect::<Vec<_>>(), [(q(3), q(2))]);
        assert_eq!((world.sellable(7, shop), lies(world, 7, shop, Condition::Sellable)), (q(0), vec![]));
    });
}

#[test]
fn random_movements_of_lots_leave_books_that_balance() {
    let life = |place: Place, seed: u64| {
        let mut world = World::new(place);
        world.variant(71, Lots::Serial, "");
        let mut rng = Rng::new(seed);
        let places = [world.location("A", LocationKind::Store), world.location("B", LocationKind::Warehouse)];
        let (mut done, mut refused) = (0, 0);
        for _ in 0..150 {
            let mut pick = |n: u64| rng.below(n) as usize;
            let ends = [SUPPLIER, CUSTOMER, places[0], places[1]];
            let (from, to) = (ends[pick(4)], ends[pick(4)]);
            let variant = [70, 71][pick(2)];
            let lot = ["", "L1", "L2", "L3"][pick(4)];
            let units = if variant == 71 && !lot.is_empty() { 1 } else { pick(4) as i64 + 1 };
            let mut m = named(variant, from, to, lot, units);
            m.from_condition = [Condition::Sellable, Condition::Quarantine][usize::from(pick(8) == 0)];
            let shortage = if pick(2) == 0 { Shortage::Refuse } else { Shortage::Record };
            match pick(10) {
                0 => {
                    let at = world.now().plus(-(pick(600) as i64) * SECOND_US);
                    let (document, counted) = (paper(DocumentKind::Count, at, vec![]), q(pick(6) as i64));
                    let place = places[pick(2)];
                    world.write(move |tx| commands::count(tx, &document, place, variant, counted)).expect("counted");
                }
                1 => {
                    let state = LotInput { expires_at: None, quarantined: pick(2) == 0, why: String::new() };
                    let name = ["L1", "L2", "L3"][pick(3)];
                    world.write(move |tx| lots::put(tx, variant, name, &state, "olena")).expect("said");
                }
                2 => world.crash(),
                3 => world.pass(pick(300) as i64),
                _ => {
                    let at =
                        world.now().plus(-(pick(900) as i64) * SECOND_US * i64::from(shortage == Shortage::Record));
                    let document = paper(DocumentKind::Movement, at, vec![m]);
                    match world.write(move |tx| commands::post(tx, &document, shortage)) {
                        Ok(_) => done += 1,
                        Err(StockError::Store(e)) => panic!("{e}"),
                        Err(_) => refused += 1,
                    }
                }
            }
            world.assert_sound();
        }
        (done, refused)
    };
    let (mut done, mut refused) = (0, 0);
    for seed in 1..=12 {
        println!("BRAID_SEED={seed}");
        let (d, r) = life(Place::sqlite(), seed);
        done += d;
        refused += r;
    }
    if let Some(place) = Place::postgres() {
        println!("BRAID_SEED=9002 on PostgreSQL");
        life(place, 9002);
    }
    assert!(done > 300 && refused > 150, "{done} {refused}");
}
