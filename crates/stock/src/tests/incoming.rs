//! Claims on goods that are to come.
use super::world::{World, q, want};
use crate::StockError;
use crate::incoming::{self, IncomingRequest, Part, PartState, Supply, allot};
use crate::model::LocationKind;
use crate::purchasing::{self, PurchaseInput};
use base::{DAY_US, Quantity, Rng, Timestamp};
use db::testing::Place;
use std::collections::BTreeMap;

fn day(n: i64) -> Timestamp {
    Timestamp::from_micros(n * DAY_US)
}

#[test]
fn the_earliest_is_promised_first_and_the_unknown_last() {
    let supply = |no: i64, units: i64, at: i64, place: i64| Supply {
        purchase_order_no: no,
        purchase_line: 0,
        location_no: place,
        free: q(units),
        expected_at: day(at),
    };
    let all = [supply(1, 5, 0, 1), supply(2, 2, 30, 1), supply(3, 3, 20, 2)];
    assert_eq!(allot(&all, q(4), None, None), Ok(vec![(2, q(3)), (1, q(1))]));
    assert_eq!(allot(&all, q(10), None, None), Ok(vec![(2, q(3)), (1, q(2)), (0, q(5))]));
    assert_eq!(allot(&all, q(4), Some(1), None), Ok(vec![(1, q(2)), (0, q(2))]));
    assert_eq!(allot(&all, q(4), None, Some(day(29))), Err(q(3)), "what nobody expects comes at no time");
    assert_eq!(allot(&all, q(11), None, None), Err(q(10)));
}

fn order(world: &World, place: i64, lines: &[(i64, i64)], expected: Option<Timestamp>) -> i64 {
    let supplier = world.write(|tx| purchasing::put_supplier(tx, ("khmara", "Khmara", 14, ""))).expect("made").1.no;
    let input = PurchaseInput {
        supplier_no: supplier,
        location_no: place,
        currency: "UAH".into(),
        freight_minor: 0,
        expected_at: expected,
        note: String::new(),
        lines: lines.iter().map(|(variant, units)| (*variant, q(*units), 100)).collect(),
    };
    let no = world.write(move |tx| purchasing::draft(tx, &input, "olena")).expect("a draft").no;
    world.write(move |tx| purchasing::place(tx, no, None)).expect("ordered");
    no
}

fn claim(world: &World, owner: &str, lines: &[(i64, i64)]) -> Result<Vec<Part>, StockError> {
    let lines = lines.iter().map(|(variant, units)| (*variant, q(*units))).collect();
    let request = IncomingRequest { owner: owner.into(), location_no: None, latest: None, after: None, lines };
    world.write(move |tx| incoming::claim(tx, &request))
}

fn parts(world: &World, claim_no: i64) -> Vec<(PartState, Quantity)> {
    let parts = world.write(move |tx| incoming::get(tx, claim_no)).expect("it is there");
    parts.iter().map(|p| (p.state, p.quantity)).collect()
}

fn receive(world: &World, no: i64, line: usize, units: i64, complete: bool) {
    let at = world.now();
    world
        .write(move |tx| purchasing::receive(tx, no, &[(line, q(units))], complete, ("", "shop"), at))
        .expect("they came");
}

#[test]
fn what_was_promised_is_theirs_when_it_comes_the_oldest_first() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let late = order(world, shop, &[(7, 2)], Some(world.now().plus(30 * DAY_US)));
        let soon = order(world, shop, &[(7, 3), (8, 1)], Some(world.now().plus(10 * DAY_US)));
        assert_eq!(world.on_site(7), q(0), "what is on order is not available");
        let first = claim(world, "order:1", &[(7, 2), (8, 1)]).expect("promised");
        assert!(first.iter().all(|p| p.purchase_order_no == soon));
        assert_eq!(incoming::promised_at(&first), Some(world.now().plus(10 * DAY_US)));
        let second = claim(world, "order:2", &[(7, 2)]).expect("promised");
        assert_eq!(second.iter().map(|p| p.purchase_order_no).collect::<Vec<_>>(), [soon, late]);
        assert_eq!(incoming::promised_at(&second), Some(world.now().plus(30 * DAY_US)));
        match claim(world, "order:3", &[(7, 1), (8, 1)]) {
            Err(StockError::NotEnough(short)) => {
                assert_eq!(short.iter().map(|s| (s.variant_no, s.available)).collect::<Vec<_>>(), [(8, q(0))]);
            }
            other => panic!("{other:?}"),
        }
        let third = claim(world, "order:3", &[(7, 1)]).expect("nothing of it was taken before");
        // Three come, of which three are promised: the buyer at the door gets none.
        receive(world, soon, 0, 2, false);
        assert!(matches!(world.reserve(vec![want(7, 1)]), Err(StockError::NotEnough(_))));
        receive(world, soon, 0, 1, false);
        assert_eq!(world.on_site(7), q(0));
        assert_eq!(parts(world, first[0].claim_no), [(PartState::Moved, q(2)), (PartState::Open, q(1))]);
        assert_eq!(parts(world, second[0].claim_no), [(PartState::Moved, q(1)), (PartState::Open, q(1))]);
        let mine = world.write(|tx| Ok(incoming::of_owner(tx, "order:1")?)).expect("it is read");
        let no = mine[0].reservation_no;
        let held = world.write(move |tx| Ok(tx.get::<crate::ReservationTable>(no)?.cloned())).expect("it is read");
        let held = held.expect("it is a claim on goods now");
        assert_eq!((&*held.owner, held.lines[0].quantity, held.lines[0].location_no), ("order:1", q(2), shop));
        // The other purchase order comes short: the youngest loses.
        receive(world, late, 0, 1, true);
        assert_eq!(parts(world, second[0].claim_no), [(PartState::Moved, q(1)), (PartState::Moved, q(1))]);
        assert_eq!(parts(world, third[0].claim_no), [(PartState::Short, q(1))]);
        // More than was promised is everybody's.
        world.write(move |tx| incoming::release(tx, first[0].claim_no)).expect("given back");
        receive(world, soon, 1, 1, false);
        assert_eq!(world.on_site(8), q(1));
        let told = world.store().query(|db| incoming::changes(db, 0, 100)).expect("it is read");
        let why: Vec<_> = told.iter().map(|c| (c.owner.as_str(), c.why.as_str())).collect();
        let came = "came";
        let wanted = [("order:1", came), ("order:2", came), ("order:2", came), ("order:3", "it will not come")];
        assert_eq!(why, wanted);
    });
}

#[test]
fn a_late_purchase_order_is_promised_anew() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let soon = order(world, shop, &[(7, 2)], Some(day(25_000)));
        let a = claim(world, "order:1", &[(7, 1)]).expect("promised")[0].claim_no;
        let b = claim(world, "order:2", &[(7, 1)]).expect("promised")[0].claim_no;
        let other = order(world, shop, &[(7, 1)], Some(day(25_010)));
        world.write(move |tx| purchasing::expect(tx, soon, Some(day(25_030)))).expect("it is late");
        let promised = |no: i64| {
            let parts = world.write(move |tx| incoming::get(tx, no)).expect("it is there");
            (parts[0].purchase_order_no, incoming::promised_at(&parts))
        };
        assert_eq!(promised(a), (other, Some(day(25_010))), "the oldest gets what comes earlier");
        assert_eq!(promised(b), (soon, Some(day(25_030))));
        world.write(move |tx| purchasing::cancel(tx, soon)).expect("called off");
        assert_eq!(parts(world, b), [(PartState::Short, q(1))]);
        assert_eq!(parts(world, a), [(PartState::Open, q(1))]);
    });
}

#[test]
fn promises_agree_with_a_naive_model() {
    #[derive(Default)]
    struct Model {
        /// Purchase order → awaited.
        awaited: BTreeMap<i64, Quantity>,
        /// Claim → asked for.
        claims: BTreeMap<i64, Quantity>,
    }
    let life = |place: Place, seed: u64| {
        let mut world = World::new(place);
        let shop = world.location("A", LocationKind::Store);
        let mut rng = Rng::new(seed);
        let mut model = Model::default();
        let (mut promised, mut refused, mut moved, mut short) = (0, 0, 0, 0);
        for step in 0..100 {
            let of = |world: &World, state: PartState, model: &Model| -> Quantity {
                let all = model.claims.keys().flat_map(|no| parts(world, *no));
                all.filter(|(s, _)| *s == state).map(|(_, n)| n).sum()
            };
            let open_before = of(&world, PartState::Open, &model);
            let short_before = of(&world, PartState::Short, &model);
            let awaited: Quantity = model.awaited.values().copied().sum();
            let some = |rng: &mut Rng, model: &Model| {
                let all: Vec<i64> = model.awaited.iter().filter(|(_, n)| n.is_positive()).map(|(no, _)| *no).collect();
                (!all.is_empty()).then(|| all[rng.below(all.len() as u64) as usize])
            };
            match rng.below(8) {
                0 => {
                    let units = 1 + rng.below(5) as i64;
                    let expected = (rng.below(4) > 0).then(|| day(25_000 + rng.below(50) as i64));
                    model.awaited.insert(order(&world, shop, &[(7, units)], expected), q(units));
                }
                1 | 2 => {
                    let units = 1 + rng.below(4) as i64;
                    match claim(&world, &format!("order:{step}"), &[(7, units)]) {
                        Ok(parts) => {
                            assert!(q(units) <= awaited - open_before, "more was promised than comes");
                            model.claims.insert(parts[0].claim_no, q(units));
                            promised += 1;
                        }
                        Err(StockError::NotEnough(s)) => {
                            assert_eq!(s[0].available, awaited - open_before);
                            assert!(q(units) > awaited - open_before);
                            refused += 1;
                        }
                        Err(e) => panic!("{e}"),
                    }
                }
                3 | 4 => {
                    let Some(no) = some(&mut rng, &model) else { continue };
                    let units = 1 + rng.below((model.awaited[&no].milli() / 1000) as u64) as i64;
                    let complete = rng.below(3) == 0;
                    let free_before = world.on_site(7);
                    receive(&world, no, 0, units, complete);
                    let left = if complete { Quantity::ZERO } else { model.awaited[&no] - q(units) };
                    model.awaited.insert(no, left);
                    let (open, lost) = (of(&world, PartState::Open, &model), of(&world, PartState::Short, &model));
                    let theirs = open_before - open - (lost - short_before);
                    assert_eq!(world.on_site(7), free_before + q(units) - theirs, "the rest is everybody's");
                    moved += i32::from(theirs.is_positive());
                }
                5 => {
                    let Some(no) = some(&mut rng, &model) else { continue };
                    let at = (rng.below(4) > 0).then(|| day(25_000 + rng.below(50) as i64));
                    world.write(move |tx| purchasing::expect(tx, no, at)).expect("expected");
                }
                6 => {
                    let Some(no) = some(&mut rng, &model) else { continue };
                    if world.write(move |tx| purchasing::cancel(tx, no)).is_ok() {
                        model.awaited.insert(no, Quantity::ZERO);
                    }
                }
                _ => {
                    if let Some(no) =
                        model.claims.keys().nth(rng.below(model.claims.len().max(1) as u64) as usize).copied()
                    {
                        world.write(move |tx| incoming::release(tx, no)).expect("given back");
                    }
                    if step % 3 == 0 {
                        world.crash();
                    }
                }
            }
            for (no, asked) in &model.claims {
                let sum: Quantity = parts(&world, *no).iter().map(|(_, n)| *n).sum();
                assert_eq!(sum, *asked, "nothing of a claim is lost");
            }
            let (open, lost) = (of(&world, PartState::Open, &model), of(&world, PartState::Short, &model));
            let awaited: Quantity = model.awaited.values().copied().sum();
            assert!(open <= awaited, "more is promised than comes");
            // Nobody is short as long as another purchase order brings it.
            assert!(lost == short_before || open == awaited, "{lost} are short, {open} of {awaited} are promised");
            short += i32::from(lost > short_before);
            world.assert_sound();
            world.pass(1);
        }
        [promised, refused, moved, short]
    };
    let mut all = [0; 4];
    for seed in 1..=8 {
        println!("BRAID_SEED={seed}");
        let one = life(Place::sqlite(), seed);
        for (sum, n) in all.iter_mut().zip(one) {
            *sum += n;
        }
    }
    if let Some(place) = Place::postgres() {
        println!("BRAID_SEED=9004 on PostgreSQL");
        life(place, 9004);
    }
    assert!(all[0] > 40 && all[1] > 40 && all[2] > 20 && all[3] > 5, "{all:?}");
}
