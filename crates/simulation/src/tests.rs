//! The simulation itself: it repeats exactly, reaches what it should, and finds what is broken.
use crate::ledger::{Ledger, Unanswered};
use crate::reached::WANTED;
use crate::run::{Bug, Life, run};
use crate::world::prepare;
use db::testing::Place;
use db::testing::prepared::Prepared;

fn sqlite() -> Prepared {
    prepare(Place::sqlite()).expect("a store is prepared")
}

fn life(seed: u64, commands: usize) -> Life {
    Life { seed, commands, bug: None, verbose: false, hashed: true }
}

#[test]
fn a_seed_repeats_exactly() {
    for place in Place::all() {
        let prepared = prepare(place).expect("a store is prepared");
        // Seed 8 is one of the thorough ones.
        for seed in [3, 8] {
            let once = run(&prepared, life(seed, 120)).expect("nothing is broken");
            let again = run(&prepared, life(seed, 120)).expect("nothing is broken");
            assert_eq!(once, again, "what happened, and what the store holds");
        }
        let one = run(&prepared, life(3, 120)).expect("nothing is broken");
        let other = run(&prepared, life(4, 120)).expect("nothing is broken");
        assert_ne!(one.reached, other.reached);
        assert_ne!(one.state, other.state);
    }
}

#[test]
fn a_life_on_each_engine() {
    for place in Place::all() {
        let prepared = prepare(place).expect("a store is prepared");
        let lived = run(&prepared, life(5, 200)).expect("nothing is broken");
        assert!(lived.reached.of("events accepted") > 200, "{lived:?}");
    }
}

#[test]
fn a_few_lives_reach_everything() {
    let mut all = crate::reached::Reached::default();
    let prepared = sqlite();
    for seed in [8, 16, 24, 1, 2, 9, 10, 11] {
        all.merge(&run(&prepared, life(seed, 250)).unwrap_or_else(|e| panic!("seed {seed}: {e}")).reached);
    }
    assert_eq!(all.missing(WANTED), Vec::<&str>::new(), "{all:?}");
}

#[test]
fn what_a_bug_would_do_is_found() {
    use Bug::*;
    let bugs = [
        LoseRequest,
        ForgetIds,
        SkipRefold,
        LoseMembership,
        LoseEdge,
        RepeatUnknown,
        ForgetErasures,
        LeaveTrace,
        LoseMovement,
        ForgetClaim,
        PaperTwice,
    ];
    let prepared = sqlite();
    for bug in bugs {
        let found = run(&prepared, Life { bug: Some(bug), ..life(2, 200) });
        assert!(found.is_err(), "{bug:?} goes unnoticed");
    }
}

#[test]
fn the_ledger_notices_false_answers() {
    let ids = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect::<Vec<_>>();
    let mut ledger = Ledger::default();
    assert_eq!(ledger.acknowledge(&ids(&["a", "b", "a"]), &[], &[2], &[]), Ok(1));
    assert!(ledger.acknowledge(&ids(&["a"]), &[], &[], &[]).is_err(), "taken twice");
    assert!(ledger.acknowledge(&ids(&["c"]), &[], &[0], &[]).is_err(), "never sent before");
    ledger.lose(Unanswered { body: "{}".into(), ids: ids(&["d"]), ..Unanswered::default() });
    assert_eq!(ledger.acknowledge(&ids(&["d"]), &[], &[0], &[]), Ok(1), "it had arrived, only the answer was lost");
    assert!(ledger.hand_over(7, "x@example.com").is_ok());
    assert!(ledger.hand_over(7, "x@example.com").is_err());
    ledger.may_repeat(7);
    assert!(ledger.hand_over(7, "x@example.com").is_ok());
    ledger.denied.insert("x@example.com".into());
    assert!(ledger.hand_over(8, "x@example.com").is_err());
}

#[test]
fn the_ledger_notices_who_comes_back() {
    let mut ledger = Ledger::default();
    ledger.erase(&[("user_id".into(), "olena".into()), ("phone".into(), "+380671112233".into())]);
    let body = r#"{"batch":[{"userId":"olena"},{"userId":"petro"},{"traits":{"phone":"0671112233"}}]}"#;
    assert_eq!(ledger.check_erased(body, &[0], &[0, 2]), Ok(()));
    assert!(ledger.check_erased(body, &[0], &[]).is_err(), "she is back");
    assert!(ledger.check_erased(body, &[], &[1]).is_err(), "he was never erased");
    let ids = ["x".to_string(), "y".to_string()];
    assert_eq!(ledger.acknowledge(&ids, &[], &[], &[0]), Ok(0));
    assert_eq!(ledger.acknowledged.iter().collect::<Vec<_>>(), ["y"], "what was refused is not in the log");
}

fn trading(seed: u64, commands: usize) -> crate::trade::Trading {
    crate::trade::Trading { seed, commands, defect: None, verbose: false, hashed: true }
}

#[test]
fn a_life_of_trade_repeats_exactly_on_each_engine() {
    for place in Place::all() {
        let prepared = prepare(place).expect("a store is prepared");
        for seed in [3, 8] {
            let once = crate::trade::run(&prepared, trading(seed, 150)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            let again = crate::trade::run(&prepared, trading(seed, 150)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            assert_eq!(once, again, "what happened, and what the store holds");
        }
    }
}

#[test]
fn some_lives_of_trade_reach_everything() {
    let mut all = crate::reached::Reached::default();
    let prepared = sqlite();
    for seed in 1..41 {
        let lived = crate::trade::run(&prepared, trading(seed, 250)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        all.merge(&lived.reached);
    }
    assert_eq!(all.missing(crate::reached::WANTED_OF_TRADE), Vec::<&str>::new(), "{all:?}");
}

#[test]
fn what_a_bug_would_do_to_orders_is_found() {
    let prepared = sqlite();
    for defect in crate::trade::Defect::ALL {
        let found = crate::trade::run(&prepared, crate::trade::Trading { defect: Some(defect), ..trading(2, 150) });
        let why = found.err().unwrap_or_default();
        assert!(why.contains("was noticed by the checker"), "{defect:?} goes unnoticed: {why}");
    }
}
