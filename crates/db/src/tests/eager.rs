//! Rows that a group writes once, and what other threads read of them.
use super::harness::*;
use crate::testing::Place;
use crate::writer::Options;
use crate::{DbError, Store, Tx};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

fn add(tx: &mut Tx, key: i64, by: i64) -> Result<i64, DbError> {
    let before = tx.get::<Sums>(key)?.copied().unwrap_or(0);
    tx.put::<Sums>(key, before + by);
    Ok(before + by)
}

fn stored(store: &Store) -> Vec<(i64, i64)> {
    let rows = store.query(|db| db.rows("SELECT id, total FROM sums ORDER BY id", &[]));
    let rows = rows.expect("the table is there");
    rows.iter().map(|r| (r.int(0).expect("an id"), r.int(1).expect("a total"))).collect()
}

#[test]
fn a_group_writes_each_changed_row_once_and_deletes_what_is_nothing() {
    for place in Place::all() {
        let store = open(&place, &clock());
        let (go, wait) = mpsc::channel::<()>();
        store.write_with(
            move |_: &mut Tx| {
                let _ = wait.recv_timeout(Duration::from_secs(5));
                Ok::<_, DbError>(())
            },
            |_| {},
        );
        let before = SUMS_WRITTEN.load(Ordering::SeqCst);
        let (sender, receiver) = mpsc::channel();
        for n in 0..30i64 {
            let sender = sender.clone();
            store.write_with(
                move |tx: &mut Tx| add(tx, n % 3, 1),
                move |out| {
                    let _ = sender.send(out);
                },
            );
        }
        go.send(()).expect("the writer waits");
        for _ in 0..30 {
            receiver.recv().expect("an answer").expect("it is added");
        }
        assert_eq!(SUMS_WRITTEN.load(Ordering::SeqCst) - before, 3, "one write a row, not one a command");
        assert_eq!(stored(&store), [(0, 10), (1, 10), (2, 10)]);
        store.write(|tx| add(tx, 1, -10)).expect("it is taken off");
        assert_eq!(stored(&store), [(0, 10), (2, 10)]);
        // Nothing of it waits: a kill loses none of it.
        store.abandon();
        let store = open(&place, &clock());
        assert_eq!(store.read(|tx| Ok::<_, DbError>(tx.get::<Sums>(2)?.copied())).expect("it is read"), Some(10));
    }
}

#[test]
fn other_threads_read_what_was_committed_and_nothing_else() {
    for place in Place::all() {
        let store =
            open_with(&place, &clock(), Options { cache_bytes: 1 << 20, ..Options::default() }).expect("it opens");
        let mirror = store.read(|tx| Ok::<_, DbError>(tx.mirror::<Sums>())).expect("there is a mirror");
        assert_eq!(mirror.get(7), None, "nobody asked for it yet");
        store.write(|tx| add(tx, 7, 5)).expect("it is added");
        assert_eq!(mirror.get(7), Some(Some(5)));
        let refused = store.write(|tx| {
            add(tx, 7, 100)?;
            Err::<(), _>(DbError::Stopped)
        });
        assert!(refused.is_err());
        assert!(matches!(mirror.get(7), None | Some(Some(5))), "what was undone is never seen");
        store.read(|tx| Ok::<_, DbError>(tx.get::<Sums>(7)?.copied())).expect("it is read");
        assert_eq!(mirror.get(7), Some(Some(5)), "whoever finds nothing asks the writer, and it is here again");
        assert_eq!(store.read(|tx| Ok::<_, DbError>(tx.get::<Sums>(8)?.copied())).expect("it is read"), None);
        assert_eq!(mirror.get(8), Some(None), "known not to be there");
        let lost = store.write(|tx| {
            tx.fail_at("before-commit");
            add(tx, 7, 1)
        });
        assert!(lost.is_err());
        store.read(|tx| Ok::<_, DbError>(tx.get::<Sums>(7)?.copied())).expect("it is read");
        assert_eq!(mirror.get(7), Some(Some(5)), "after the database failed, memory and mirror begin anew");
    }
}

#[test]
fn what_memory_forgets_the_mirror_forgets() {
    let place = Place::sqlite();
    let store = open_with(&place, &clock(), Options { cache_bytes: 4096, ..Options::default() }).expect("it opens");
    let mirror = store.read(|tx| Ok::<_, DbError>(tx.mirror::<Sums>())).expect("there is a mirror");
    for n in 0..600 {
        store.write(move |tx| add(tx, n, 1)).expect("it is added");
    }
    let known = (0..600).filter(|n| mirror.get(*n).is_some()).count();
    assert!(known > 0 && known < 200, "{known} rows are in a memory for about 50");
}
