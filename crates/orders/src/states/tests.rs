//! What holds for every machine, for money and for the derived status; and that the diagrams in the docs are these tables.
use super::after::Case;
use super::machine::Word;
use super::order::{Paid, Pieces, Stage, Status, paid, status};
use super::payment::{Payment, Sums, refund::Refund};
use super::returns::{claim::Claim, exchange::Exchange, goods::Return};
use super::reviews::Review;
use super::shipment::{Scan, Shipment, Tracking, tracking};
use super::*;
use super::{fulfilment::Fulfilment, line::Line, transfer::Transfer};
use base::Rng;
use std::collections::{BTreeSet, HashSet};

/// Every state with every action under every single guard, none, and all.
fn sound<M: Machine + std::hash::Hash>() {
    let mut refused = 0;
    for state in M::ALL {
        for action in <M::Action as Word>::ALL {
            let rows: Vec<_> = M::TABLE.iter().filter(|r| r.from == *state && r.by == *action).collect();
            let mut sets: Vec<Vec<M::Guard>> = <M::Guard as Word>::ALL.iter().map(|g| vec![*g]).collect();
            sets.push(Vec::new());
            sets.push(<M::Guard as Word>::ALL.to_vec());
            for holds in sets {
                let expected = rows.iter().find(|r| r.if_all.iter().all(|g| holds.contains(g))).map(|r| r.to);
                match step(*state, *action, &holds) {
                    Ok(to) => assert_eq!(Some(to), expected),
                    Err(refusal) => {
                        refused += 1;
                        assert_eq!(expected, None, "{refusal}");
                        assert_eq!((refusal.state, refusal.action), (state.word(), action.word()));
                        assert!(
                            refusal
                                .possible
                                .iter()
                                .all(|(a, _)| M::TABLE.iter().any(|r| r.from == *state && r.by.word() == *a))
                        );
                        assert!(!refusal.possible.is_empty() || state.is_end(), "{refusal}");
                        match refusal.why {
                            Why::Missing(guard) => {
                                assert!(rows.iter().any(|r| r.if_all.iter().any(|g| g.word() == guard)))
                            }
                            Why::Over => assert!(state.is_end() && rows.is_empty()),
                            Why::NotHere => assert!(rows.is_empty()),
                        }
                        assert!(refusal.to_string().contains("cannot"));
                    }
                }
            }
            // A row that comes after one without guards is never taken.
            let open = rows.iter().position(|r| r.if_all.is_empty());
            assert!(open.is_none_or(|at| at + 1 == rows.len()), "{} {state} {action}", M::NAME);
        }
    }
    assert!(refused > 0);
    // Every state can be reached, and from every state an end can.
    let mut reached: HashSet<M> = M::START.iter().copied().collect();
    while let Some(row) = M::TABLE.iter().find(|r| reached.contains(&r.from) && !reached.contains(&r.to)) {
        reached.insert(row.to);
    }
    assert_eq!(reached.len(), M::ALL.len(), "{}", M::NAME);
    let mut ending: HashSet<M> = M::ALL.iter().copied().filter(|s| s.is_end()).collect();
    assert!(!ending.is_empty());
    while let Some(row) = M::TABLE.iter().find(|r| ending.contains(&r.to) && !ending.contains(&r.from)) {
        ending.insert(row.from);
    }
    assert_eq!(ending.len(), M::ALL.len(), "{} has a state without an end", M::NAME);
    // Every action and every guard is of use, and words are unique.
    for action in <M::Action as Word>::ALL {
        assert!(M::TABLE.iter().any(|r| r.by == *action), "{} never does {action}", M::NAME);
    }
    for guard in <M::Guard as Word>::ALL {
        assert!(M::TABLE.iter().any(|r| r.if_all.contains(guard)), "{} never asks {guard}", M::NAME);
    }
    let words: BTreeSet<&str> = M::ALL.iter().map(|s| s.word()).collect();
    assert_eq!(words.len(), M::ALL.len());
}

#[test]
fn every_machine_refuses_what_its_table_does_not_say_and_ends() {
    sound::<Stage>();
    sound::<Line>();
    sound::<Fulfilment>();
    sound::<Shipment>();
    sound::<Payment>();
    sound::<Refund>();
    sound::<Return>();
    sound::<Exchange>();
    sound::<Claim>();
    sound::<Transfer>();
    sound::<Case>();
}

#[test]
fn a_refusal_says_what_is_missing_and_what_would_be_possible() {
    use fulfilment::{Action, Guard};
    let refusal =
        step(Fulfilment::InProgress, Action::Cancel, &[Guard::NothingGone]).expect_err("the place works on it");
    assert_eq!(refusal.why, Why::Missing("the_place_agreed"));
    assert_eq!(
        refusal.to_string(),
        "fulfilment order is in_progress and cannot cancel: it needs that the place agreed; possible: report, report short, \
         fulfil, request cancel, cancel, hold"
    );
    let refusal = step(Fulfilment::Closed, Action::Move, &[]).expect_err("over");
    assert_eq!(refusal.to_string(), "fulfilment order is closed and cannot move: nothing is done any more");
    assert_eq!(step(Fulfilment::InProgress, Action::Fulfil, &[Guard::All]), Ok(Fulfilment::Closed));
    assert_eq!(step(Fulfilment::InProgress, Action::Fulfil, &[]), Ok(Fulfilment::InProgress));
    assert_eq!(Fulfilment::parse("on_hold"), Some(Fulfilment::OnHold));
    assert_eq!(serde_json::to_value(Fulfilment::OnHold).expect("JSON"), "on_hold");
}

#[test]
fn paid_never_goes_back() {
    for row in Payment::TABLE.iter().filter(|row| row.from.was_paid()) {
        assert!(row.to.was_paid(), "{row:?}");
    }
    // Two devices saw parts of one order's life; however their news are joined, what was captured stays captured.
    for seed in 0..500 {
        let mut rng = Rng::new(seed);
        let mut views = vec![Sums::default()];
        for _ in 0..6 {
            let mut next = views[rng.below(views.len() as u64) as usize];
            match rng.below(3) {
                0 => next.authorised += rng.below(100) as i64,
                1 => next.captured += rng.below(100) as i64,
                _ => next.refunded += rng.below(next.refundable() as u64 + 1) as i64,
            }
            views.push(next);
        }
        let forwards = views.iter().fold(Sums::default(), |sum, view| sum.merge(*view));
        let backwards = views.iter().rev().fold(Sums::default(), |sum, view| sum.merge(*view));
        assert_eq!(forwards, backwards);
        assert!(views.iter().all(|v| v.captured <= forwards.captured && v.refunded <= forwards.refunded));
        assert_eq!(forwards.merge(forwards), forwards);
        assert!(forwards.refundable() >= 0);
    }
}

#[test]
fn a_carriers_word_does_not_depend_on_the_order_of_its_messages() {
    let scan = |at_us, id: &str, says| Scan { at_us, id: id.into(), says };
    let scans = [
        scan(3, "c", Tracking::AtPoint),
        scan(1, "a", Tracking::Announced),
        scan(3, "b", Tracking::InTransit),
        scan(3, "c", Tracking::AtPoint),
    ];
    assert_eq!(tracking(&scans), Some(Tracking::AtPoint));
    assert_eq!(tracking(scans.iter().rev()), Some(Tracking::AtPoint));
    assert_eq!(tracking(&[]), None);
}

/// [N3] One number for an order in several parcels.
#[test]
fn one_tracking_number_tells_the_parcel_that_is_farthest_behind() {
    use shipment::together;
    assert_eq!(together([Tracking::HandedOver, Tracking::InTransit]), Some(Tracking::InTransit));
    assert_eq!(together([Tracking::HandedOver, Tracking::HandedOver]), Some(Tracking::HandedOver));
    assert_eq!(together([Tracking::Lost, Tracking::AtPoint]), Some(Tracking::AtPoint));
    assert_eq!(
        together([Tracking::HandedOver, Tracking::Lost]),
        Some(Tracking::Lost),
        "nothing bad is hidden at the end"
    );
    assert_eq!(together([]), None);
}

#[test]
fn the_status_follows_from_its_parts() {
    let none = Pieces::default();
    let of = |pieces: Pieces| status(Stage::Placed, Paid::Yes, pieces, false);
    assert_eq!(of(Pieces { waiting: 2, ..none }), Status::Confirmed);
    assert_eq!(status(Stage::Placed, Paid::No, Pieces { waiting: 2, ..none }, false), Status::AwaitingPayment);
    assert_eq!(status(Stage::Placed, Paid::Yes, Pieces { waiting: 2, ..none }, true), Status::OnHold);
    assert_eq!(of(Pieces { waiting: 1, parked: 1, ..none }), Status::Parked);
    assert_eq!(of(Pieces { waiting: 1, working: 1, ..none }), Status::InProgress);
    assert_eq!(of(Pieces { working: 1, sent: 1, ..none }), Status::PartlySent);
    assert_eq!(of(Pieces { sent: 2, cancelled: 1, ..none }), Status::Sent);
    assert_eq!(of(Pieces { sent: 1, delivered: 1, ..none }), Status::PartlyDelivered);
    assert_eq!(of(Pieces { delivered: 2, ..none }), Status::Delivered);
    assert_eq!(of(Pieces { delivered: 1, returned: 1, ..none }), Status::PartlyReturned);
    assert_eq!(of(Pieces { returned: 2, ..none }), Status::Returned);
    assert_eq!(of(Pieces { lost: 2, ..none }), Status::Lost);
    assert_eq!(of(Pieces { cancelled: 2, ..none }), Status::Cancelled);
    assert_eq!(status(Stage::Editing, Paid::Yes, Pieces { waiting: 2, ..none }, false), Status::Confirmed);
    assert_eq!(status(Stage::Cart, Paid::No, none, false), Status::Cart);
    let sums = Sums { authorised: 100, ..Sums::default() };
    assert_eq!(paid(sums, 100), Paid::Covered);
    assert_eq!(paid(Sums { captured: 60, ..sums }, 100), Paid::Covered);
    assert_eq!(paid(Sums { captured: 60, ..Sums::default() }, 100), Paid::Partly);
    assert_eq!(paid(Sums { captured: 60, on_delivery: 40, ..Sums::default() }, 100), Paid::Covered);
    assert_eq!(paid(Sums { captured: 100, refunded: 10, ..sums }, 90), Paid::PartlyRefunded);
    assert_eq!(paid(Sums { captured: 100, refunded: 10, ..sums }, 100), Paid::Partly, "it is open again");
    assert_eq!(paid(Sums { captured: 100, refunded: 100, ..sums }, 0), Paid::Refunded);
    assert_eq!(paid(Sums { captured: 100, refunded: 100, ..sums }, 100), Paid::No);
}

/// Moving a piece forward never moves the status backwards, from placing to delivery.
#[test]
fn the_status_is_monotone_on_the_way_to_the_customer() {
    let rank = |s: Status| Status::ALL.iter().position(|w| *w == s).expect("a status");
    for seed in 0..500 {
        let mut rng = Rng::new(seed);
        let mut pieces = [1 + rng.below(4) as i64, 0, 0, 0];
        let mut before = 0;
        for _ in 0..40 {
            let now = Pieces {
                waiting: pieces[0],
                working: pieces[1],
                sent: pieces[2],
                delivered: pieces[3],
                ..Pieces::default()
            };
            let now = rank(status(Stage::Placed, Paid::Yes, now, false));
            assert!(now >= before, "seed {seed}: {pieces:?}");
            before = now;
            let from = rng.below(3) as usize;
            if pieces[from] > 0 {
                pieces[from] -= 1;
                pieces[from + 1] += 1;
            }
        }
    }
}

#[test]
fn the_diagrams_in_the_docs_are_these_tables() {
    let path = format!("{}/../../docs/orders.md", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(&path).expect("docs/orders.md");
    let diagrams = [
        (Stage::NAME, mermaid::<Stage>()),
        (Review::NAME, mermaid::<Review>()),
        (Line::NAME, mermaid::<Line>()),
        (Fulfilment::NAME, mermaid::<Fulfilment>()),
        (Shipment::NAME, mermaid::<Shipment>()),
        (Payment::NAME, mermaid::<Payment>()),
        (Refund::NAME, mermaid::<Refund>()),
        (Case::NAME, mermaid::<Case>()),
        (Return::NAME, mermaid::<Return>()),
        (Exchange::NAME, mermaid::<Exchange>()),
        (Claim::NAME, mermaid::<Claim>()),
        (Transfer::NAME, mermaid::<Transfer>()),
    ];
    let bless = std::env::var_os("BRAID_BLESS").is_some();
    for (name, diagram) in diagrams {
        let (begin, end) = (format!("<!-- {name} -->\n"), "<!-- end -->");
        let from = text.find(&begin).unwrap_or_else(|| panic!("no place for {name}")) + begin.len();
        let until = from + text[from..].find(end).expect("an end");
        let drawn = format!("```mermaid\n{diagram}```\n");
        if bless {
            text.replace_range(from..until, &drawn);
        } else {
            assert_eq!(&text[from..until], drawn, "{name}: run with BRAID_BLESS=1");
        }
    }
    if bless {
        std::fs::write(path, text).expect("written");
    }
}
