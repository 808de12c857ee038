//! People who wait.
use super::world::{World, line, paper, q, want};
use crate::StockError;
use crate::commands::{self, Shortage};
use crate::model::{CUSTOMER, DocumentKind, EndedWhy, LocationKind};
use crate::waiting::fair::{Waiter, turns};
use crate::waiting::{self, KEPT_SECONDS, Waiting, WaitingInput, WaitingState};
use base::{Quantity, Rng};
use db::testing::Place;
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #[test]
    fn nobody_is_overtaken_and_nothing_is_given_twice(
        line in prop::collection::vec((1i64..4, prop::collection::btree_set(0i64..4, 0..4), 0i64..2), 0..10),
        free in prop::collection::vec(0i64..6, 4),
    ) {
        let line: Vec<Waiter> = line.into_iter()
            .map(|(units, places, buffer)| Waiter { quantity: q(units), places: places.into_iter().collect(), buffer: q(buffer) })
            .collect();
        let free: BTreeMap<i64, Quantity> = free.into_iter().enumerate().map(|(at, units)| (at as i64, q(units))).collect();
        let given = turns(&line, &free);
        prop_assert_eq!(given.len(), line.len());
        for place in 0..4 {
            let taken: Quantity = given.iter().flatten().flatten().filter(|(p, _)| *p == place).map(|(_, n)| *n).sum();
            prop_assert!(taken <= free[&place], "more was given at {} than there is", place);
        }
        for (at, turn) in given.iter().enumerate() {
            let before = || line[..at].iter().zip(&given[..at]).filter(|(_, turn)| turn.is_none()).flat_map(|(w, _)| &w.places);
            match turn {
                Some(turn) => {
                    prop_assert_eq!(turn.iter().map(|(_, n)| *n).sum::<Quantity>(), line[at].quantity);
                    for (place, _) in turn {
                        prop_assert!(line[at].places.contains(place));
                        prop_assert!(before().all(|other| other != place), "somebody before waits for that place");
                    }
                }
                None => {
                    // Whoever waits could not have been served from what those before left and nobody before waits for.
                    let left = |place: &i64| {
                        let taken: Quantity = given[..at].iter().flatten().flatten().filter(|(p, _)| p == place).map(|(_, n)| *n).sum();
                        (free[place] - taken - line[at].buffer).or_none()
                    };
                    let open: Quantity = line[at].places.iter().filter(|p| before().all(|other| other != *p)).map(left).sum();
                    prop_assert!(open < line[at].quantity, "{} could have been served", at);
                }
            }
        }
    }
}

fn join(world: &World, contact: &str, location_no: Option<i64>, units: i64) -> i64 {
    let input = WaitingInput {
        variant_no: 7,
        channel: "site".into(),
        location_no,
        quantity: q(units),
        contact: contact.into(),
    };
    world.write(move |tx| waiting::join(tx, &input)).expect("joined").0.no
}

fn advance(world: &World) -> Vec<i64> {
    let mut out = Vec::new();
    loop {
        let told: Vec<Waiting> = world.write(waiting::advance).expect("it goes on");
        let due = world.write(|tx| Ok(waiting::next_due(tx)?)).expect("it is read");
        out.extend(told.iter().map(|who| who.no));
        if due.is_none_or(|at| at > base::Timestamp::default()) {
            return out;
        }
    }
}

fn state(world: &World, no: i64) -> WaitingState {
    world.write(move |tx| waiting::get(tx, no)).expect("it is there").state
}

#[test]
fn the_first_in_line_is_told_and_the_goods_are_kept() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let [a, b, c] = ["a@example.com", "b@example.com", "c@example.com"].map(|who| join(world, who, None, 1));
        assert_eq!(join(world, "b@example.com", None, 1), b, "who stands there keeps their place");
        assert_eq!(advance(world), [] as [i64; 0]);
        world.receive(7, shop, 2);
        assert_eq!(advance(world), [a, b]);
        assert_eq!(world.on_site(7), q(0), "what they were told of is kept");
        assert!(matches!(world.reserve(vec![want(7, 1)]), Err(StockError::NotEnough(_))));
        let to_tell = world.write(|tx| Ok(waiting::to_tell(tx, 10)?)).expect("it is read");
        assert_eq!(to_tell.iter().map(|t| t.contact.as_str()).collect::<Vec<_>>(), ["a@example.com", "b@example.com"]);
        let no = to_tell[0].no;
        world.write(move |tx| Ok(waiting::told(tx, no)?)).expect("told");
        assert_eq!(world.write(|tx| Ok(waiting::to_tell(tx, 10)?)).expect("it is read").len(), 1);
        // One comes in time; the other does not, and the next is told.
        let claim = world.write(move |tx| waiting::take(tx, a, "cart:9")).expect("taken");
        world.crash();
        world.pass(KEPT_SECONDS + 1);
        let late = world.write(move |tx| waiting::take(tx, b, "cart:9"));
        assert!(matches!(late, Err(StockError::Ended { .. })), "the goods are not kept any more");
        world.write(move |tx| commands::release(tx, claim, EndedWhy::Released)).expect("it has ended anyhow");
        assert_eq!(advance(world), [c]);
        assert_eq!(
            [a, b, c].map(|no| state(world, no)),
            [WaitingState::Taken, WaitingState::Passed, WaitingState::Told]
        );
        world.write(move |tx| waiting::leave(tx, c)).expect("left");
        assert_eq!((world.on_site(7), advance(world)), (q(2), vec![]));
    });
}

#[test]
fn who_waits_for_one_shop_is_not_held_up_by_another() {
    World::each(|world| {
        let (a, b) = (world.location("A", LocationKind::Store), world.location("B", LocationKind::Store));
        let many = join(world, "many@example.com", Some(a), 3);
        let [one, other] = [Some(a), Some(b)].map(|place| join(world, "one@example.com", place, 1));
        world.receive(7, a, 2);
        world.receive(7, b, 1);
        assert_eq!(advance(world), [other], "two pieces are not sold past somebody who waits for three");
        world.receive(7, a, 1);
        assert_eq!(advance(world), [many]);
        // Sold at the till meanwhile: they wait on, in front.
        let sale = paper(DocumentKind::Sale, world.now(), vec![line(7, a, CUSTOMER, 1)]);
        world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it has happened");
        assert_eq!(advance(world), [] as [i64; 0]);
        assert_eq!((state(world, many), state(world, one)), (WaitingState::Waiting, WaitingState::Waiting));
        world.receive(7, a, 2);
        assert_eq!(advance(world), [many, one]);
    });
}

#[test]
fn at_any_time_no_more_are_told_than_there_are_pieces() {
    let life = |place: Place, seed: u64| {
        let mut world = World::new(place);
        let shop = world.location("A", LocationKind::Store);
        let mut rng = Rng::new(seed);
        let (mut joined, mut told): (Vec<i64>, Vec<i64>) = Default::default();
        for step in 0..120 {
            match rng.below(8) {
                0 | 1 => joined.push(join(&world, &format!("{step}@example.com"), None, 1)),
                2 => world.receive(7, shop, 1 + rng.below(2) as i64),
                3 => {
                    if let Ok(claim) = world.reserve(vec![want(7, 1)]).map(|r| r.no) {
                        world.write(move |tx| commands::release(tx, claim, EndedWhy::Released)).expect("given back");
                    }
                }
                4 => world.pass(rng.below(KEPT_SECONDS as u64) as i64),
                5 => world.crash(),
                6 => {
                    if let Some(no) = told.last().copied() {
                        let _ = world.write(move |tx| waiting::take(tx, no, "cart:1"));
                    }
                }
                _ => {
                    if let Some(no) = joined.get(rng.below(joined.len().max(1) as u64) as usize).copied() {
                        let _ = world.write(move |tx| waiting::leave(tx, no));
                    }
                }
            }
            told.extend(advance(&world));
            let now = world.now();
            let kept = world.store().query(|db| waiting::list(db, 7, false, 0, 1000)).expect("it is read");
            let kept: Quantity = kept
                .iter()
                .filter(|(w, _)| w.state == WaitingState::Told && w.until_at > now)
                .map(|(w, _)| w.quantity)
                .sum();
            assert!(kept <= world.sellable(7, shop), "{kept} are told of, {} are there", world.sellable(7, shop));
            world.assert_sound();
        }
        // Everybody wanted one piece from the same places: they were told in the order in which they came.
        let mut sorted = told.clone();
        sorted.sort_unstable();
        assert_eq!(told, sorted);
        told.len()
    };
    let mut told = 0;
    for seed in 1..=10 {
        println!("BRAID_SEED={seed}");
        told += life(Place::sqlite(), seed);
    }
    if let Some(place) = Place::postgres() {
        println!("BRAID_SEED=9003 on PostgreSQL");
        life(place, 9003);
    }
    assert!(told > 60, "{told}");
}
