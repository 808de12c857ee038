//! Rows that are read ahead: never older than what memory knew, and together rather than one by one.
use super::harness::*;
use crate::testing::Place;
use crate::writer::Options;
use crate::{DbError, Store};
use std::time::Duration;

fn holds(store: &Store, key: i64) -> bool {
    store.read(move |tx| Ok::<_, DbError>(tx.holds::<Tallies>(key))).expect("the writer answers")
}

/// Offers a row that was read while `as_of` was the last group; gives whether the reading was taken, and the total then.
fn offer(store: &Store, as_of: i64, key: i64, total: i64) -> (bool, i64) {
    let read = move |tx: &mut crate::Tx| {
        let taken = tx.fill::<Tallies>(as_of, [(key, Some(Tally { folded_to: as_of, total }))]);
        Ok::<_, DbError>((taken, tx.get::<Tallies>(key)?.map_or(0, |r| r.total)))
    };
    store.read(read).expect("the writer answers")
}

#[test]
fn a_reading_that_is_too_old_is_never_taken_for_the_row() {
    for place in Place::all() {
        let clock = clock();
        // No room at all: whatever may go, goes.
        let options = Options { cache_bytes: 0, turn: Duration::ZERO, ..Options::default() };
        let store = open_with(&place, &clock, options).expect("it opens");
        let group = |store: &Store| store.read(|tx| Ok::<_, DbError>(tx.group() - 1)).expect("the writer answers");
        store.write(|tx| tally(tx, 1, 1)).expect("it is logged");
        let before = group(&store);
        store.write(|tx| tally(tx, 1, 2)).expect("it is logged");
        // The row is written, and stays for a while although there is no room for it.
        store.write(|tx| tx.flush_table::<Tallies>()).expect("it is flushed");
        assert_eq!(offer(&store, before, 1, 1), (true, 2), "memory knows better");
        let mut evicted = false;
        for n in 0..64 {
            if !holds(&store, 1) {
                evicted = true;
                break;
            }
            store.write(move |tx| tally(tx, 2, 100 + n)).expect("it is logged");
        }
        assert!(evicted, "a row that nobody asks for goes one day");
        assert_eq!(offer(&store, before, 1, 1), (false, 2), "the old reading is refused, the row is read anew");
        let now = group(&store);
        assert_eq!(offer(&store, now, 7, 70), (true, 70), "a fresh one of a row that memory does not know is taken");
    }
}

#[test]
fn readings_from_before_memory_was_loaded_again_are_refused() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        store.write(|tx| tally(tx, 1, 1)).expect("it is logged");
        store.write(|tx| tally(tx, 1, 2)).expect("it is logged");
        // A command that fails after it changed a row: memory is loaded again.
        let failed: Result<(), DbError> = store.write(|tx| {
            tally(tx, 1, 3)?;
            tx.execute("INSERT INTO no_such_table VALUES (1)", &[]).map(drop)
        });
        assert!(failed.is_err());
        assert!(!offer(&store, 1, 9, 90).0);
        assert_eq!(total(&store, 1), 2);
    }
}
