//! Availability and choice as plain functions.
use super::world::{q, want};
use crate::availability::{at_the_till, available, changes_at, for_channel};
use crate::choice::{Chosen, Wanted, choose};
use crate::model::{Condition, Ending, LocationKind, Position, VariantStock};
use crate::places::Channel;
use base::{Quantity, Timestamp};

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn position(location_no: i64, on_hand: i64, firm: i64, safety: i64) -> Position {
    let mut p = Position::new(location_no);
    p.on_hand[Condition::Sellable as usize] = q(on_hand);
    p.firm = q(firm);
    p.safety = q(safety);
    p
}

fn channel(serving: &[i64], buffer: i64) -> Channel {
    Channel {
        id: "site".into(),
        name: "Site".into(),
        hold_seconds: 900,
        buffer: q(buffer),
        kinds: vec![LocationKind::Store],
        only: vec![],
        excluded: vec![],
        version: 1,
        serving: serving.iter().copied().collect(),
    }
}

/// The table of DOMAIN 4.6: (on hand, allocated, threshold) gives.
#[test]
fn availability_is_what_the_table_says() {
    for ((on_hand, firm, safety), expected) in [
        ((10, 0, 0), 10),
        ((10, 0, 3), 7),
        ((10, 5, 0), 5),
        ((10, 5, 3), 2),
        ((10, 10, 0), 0),
        ((10, 10, -5), 5),
        ((0, 0, 3), 0),
    ] {
        assert_eq!(available(&position(1, on_hand, firm, safety), Quantity::ZERO, at(0)), q(expected));
    }
}

#[test]
fn a_hold_counts_until_its_end_and_not_a_moment_longer() {
    let mut p = position(1, 10, 1, 0);
    p.holds = vec![Ending { at: at(100), quantity: q(2) }, Ending { at: at(200), quantity: q(3) }];
    let free = |us: i64| available(&p, Quantity::ZERO, Timestamp::from_micros(us));
    assert_eq!(free(99_999_999), q(4));
    assert_eq!(free(100_000_000), q(6));
    assert_eq!(free(200_000_000), q(9));
    let stock = VariantStock { positions: vec![p.clone()] };
    assert_eq!(changes_at(&stock, at(50)), Some(at(100)));
    assert_eq!(changes_at(&stock, at(100)), Some(at(200)));
    assert_eq!(changes_at(&stock, at(200)), None);
    p.safety = q(4);
    assert_eq!(at_the_till(&p, at(0)), q(4), "what is kept back from channels is the shop's own to sell");
}

#[test]
fn buffers_and_places_that_do_not_serve_are_left_out() {
    let stock = VariantStock { positions: vec![position(1, 5, 0, 0), position(2, 9, 0, 0), position(3, 1, 0, 0)] };
    assert_eq!(
        for_channel(&stock, &channel(&[1, 3], 2), at(0)),
        q(3),
        "a place with less than the buffer owes nothing"
    );
}

fn chosen(line: usize, location_no: i64, units: i64) -> Chosen {
    Chosen { line, location_no, quantity: q(units) }
}

#[test]
fn one_place_for_everything_comes_first_then_as_few_as_can_be() {
    let (a, b) = (
        VariantStock { positions: vec![position(1, 9, 0, 0), position(2, 5, 0, 0)] },
        VariantStock { positions: vec![position(2, 4, 0, 0), position(3, 9, 0, 0)] },
    );
    let views = [(10, Some(&a)), (20, Some(&b))];
    let all = channel(&[1, 2, 3], 0);
    let pick = |wanted: &[Wanted]| choose(wanted, &views, &all, at(0), false).expect("there is enough").0;
    assert_eq!(pick(&[want(10, 3), want(20, 4)]), [chosen(0, 2, 3), chosen(1, 2, 4)]);
    assert_eq!(pick(&[want(10, 8), want(20, 5)]), [chosen(0, 1, 8), chosen(1, 3, 5)]);
    assert_eq!(pick(&[want(10, 12)]), [chosen(0, 1, 9), chosen(0, 2, 3)]);
    // [LESSONS commerce 1] Two lines of one variant do not both count on the same pieces.
    assert_eq!(pick(&[want(10, 7), want(10, 7)]), [chosen(0, 1, 7), chosen(1, 2, 5), chosen(1, 1, 2)]);
    let short = choose(&[want(10, 7), want(10, 8)], &views, &all, at(0), false).expect_err("there are 14");
    assert_eq!((short[0].wanted, short[0].available), (q(8), q(7)));
    let (some, short) = choose(&[want(10, 20)], &views, &all, at(0), true).expect("what there is will do");
    assert_eq!(some.iter().map(|c| c.quantity).sum::<Quantity>(), q(14));
    assert_eq!((short[0].wanted, short[0].available), (q(20), q(14)));
}

#[test]
fn a_named_place_is_taken_before_others_may() {
    let a = VariantStock { positions: vec![position(1, 5, 0, 0), position(2, 9, 0, 0)] };
    let views = [(10, Some(&a))];
    let named = Wanted { location_no: Some(2), ..want(10, 9) };
    let (picked, _) =
        choose(&[want(10, 5), named], &views, &channel(&[1, 2], 0), at(0), false).expect("there is enough");
    assert_eq!(picked, [chosen(0, 1, 5), chosen(1, 2, 9)]);
}
