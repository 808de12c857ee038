//! The simulation itself: it repeats exactly, reaches what it should, and finds what is broken.
use crate::ledger::{Ledger, Unanswered};
use crate::reached::WANTED;
use crate::run::{Bug, Life, run};
use db::testing::Place;

fn life(seed: u64, commands: usize) -> Life {
    Life { seed, commands, bug: None, verbose: false }
}

#[test]
fn a_seed_repeats_exactly() {
    let once = run(Place::sqlite(), life(3, 120)).expect("nothing is broken");
    let again = run(Place::sqlite(), life(3, 120)).expect("nothing is broken");
    assert_eq!(once, again);
    assert_ne!(once, run(Place::sqlite(), life(4, 120)).expect("nothing is broken"));
}

#[test]
fn a_life_on_each_engine() {
    for place in Place::all() {
        let reached = run(place, life(5, 200)).expect("nothing is broken");
        assert!(reached.of("events accepted") > 200, "{reached:?}");
    }
}

#[test]
fn a_few_lives_reach_everything() {
    let mut all = crate::reached::Reached::default();
    for seed in [8, 16, 24, 1, 2, 9] {
        all.merge(&run(Place::sqlite(), life(seed, 250)).unwrap_or_else(|e| panic!("seed {seed}: {e}")));
    }
    assert_eq!(all.missing(WANTED), Vec::<&str>::new(), "{all:?}");
}

#[test]
fn what_a_bug_would_do_is_found() {
    use Bug::*;
    for bug in [LoseRequest, ForgetIds, SkipRefold, LoseMembership, LoseEdge, RepeatUnknown] {
        let found = run(Place::sqlite(), Life { bug: Some(bug), ..life(2, 200) });
        assert!(found.is_err(), "{bug:?} goes unnoticed");
    }
}

#[test]
fn the_ledger_notices_false_answers() {
    let ids = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect::<Vec<_>>();
    let mut ledger = Ledger::default();
    assert_eq!(ledger.acknowledge(&ids(&["a", "b", "a"]), &[2]), Ok(1));
    assert!(ledger.acknowledge(&ids(&["a"]), &[]).is_err(), "taken twice");
    assert!(ledger.acknowledge(&ids(&["c"]), &[0]).is_err(), "never sent before");
    ledger.lose(Unanswered { body: "{}".into(), import: false, ids: ids(&["d"]), addresses: Vec::new() });
    assert_eq!(ledger.acknowledge(&ids(&["d"]), &[0]), Ok(1), "it had arrived, only the answer was lost");
    assert!(ledger.hand_over(7, "x@example.com").is_ok());
    assert!(ledger.hand_over(7, "x@example.com").is_err());
    ledger.may_repeat(7);
    assert!(ledger.hand_over(7, "x@example.com").is_ok());
    ledger.denied.insert("x@example.com".into());
    assert!(ledger.hand_over(8, "x@example.com").is_err());
}
