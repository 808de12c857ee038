use super::harness::*;
use crate::engine::{Bulk, Value};
use crate::testing::Place;
use crate::writer::Options;
use crate::{DbError, Store, Tx, log, store};
use base::Clock;
use proptest::prelude::*;
use std::sync::mpsc;

/// Leaves the store as a kill would: nothing more is flushed, the lock is gone.
fn crash(store: Store) {
    let (sender, receiver) = mpsc::channel();
    store.write_with(
        |tx: &mut Tx| {
            tx.failpoint = Some("before-commit");
            Err::<(), _>(DbError::Stopped)
        },
        move |_| {
            let _ = sender.send(());
        },
    );
    let _ = receiver.recv();
    store.abandon();
}

#[test]
fn what_is_acknowledged_survives_a_crash_and_is_folded_again() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        for n in 0..40 {
            assert!(store.write(move |tx| tally(tx, n % 5, 100 + n as u128)).expect("it is logged"));
        }
        assert!(!store.write(|tx| tally(tx, 1, 101)).expect("a repeat is no error"));
        crash(store);
        let store = open(&place, &clock);
        assert_eq!((0..5).map(|k| total(&store, k)).collect::<Vec<_>>(), [8; 5]);
        assert_eq!(logged(&store), 40);
        assert!(!store.write(|tx| tally(tx, 1, 101)).expect("a repeat is known after a crash too"));
    }
}

#[test]
fn a_clean_stop_flushes_everything() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        for n in 0..40 {
            store.write(move |tx| tally(tx, n % 5, 100 + n as u128)).expect("it is logged");
        }
        store.close();
        let mut engine = place.location.open(crate::Sync::Full, true).expect("the file opens");
        let row = store::read_row(&mut engine).expect("the row is there");
        assert_eq!(row.unflushed_seq, row.next_seq);
        assert!(store::read_holder(&mut engine).expect("the row is there").clean);
        let rows = engine.rows("SELECT total FROM tallies ORDER BY id", &[]).expect("the table is there");
        assert_eq!(rows.iter().map(|r| r.int(0).expect("a number")).collect::<Vec<_>>(), [8; 5]);
    }
}

#[test]
fn only_the_guilty_command_of_a_group_fails() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        let (sender, receiver) = mpsc::channel();
        // The first command holds the writer until the others are queued, so that they share a group.
        let (go, wait) = mpsc::channel::<()>();
        store.write_with(
            move |_: &mut Tx| {
                let _ = wait.recv_timeout(std::time::Duration::from_secs(5));
                Ok::<_, DbError>(())
            },
            |_| {},
        );
        for n in 0..6i64 {
            let sender = sender.clone();
            store.write_with(
                move |tx: &mut Tx| {
                    let fresh = tally(tx, 7, 500 + n as u128)?;
                    match n {
                        2 => panic!("a bug"),
                        3 => Err(DbError::Busy("refused after writing".into())),
                        4 => tx.execute("INSERT INTO no_such_table VALUES (1)", &[]).map(|_| fresh),
                        _ => Ok(fresh),
                    }
                },
                move |answer: Result<bool, DbError>| {
                    let _ = sender.send((n, answer.is_ok()));
                },
            );
        }
        drop(sender);
        // Closed rather than told: the command runs again after the group was undone.
        drop(go);
        let mut answers: Vec<(i64, bool)> = receiver.iter().collect();
        answers.sort_unstable();
        assert_eq!(answers, [(0, true), (1, true), (2, false), (3, false), (4, false), (5, true)]);
        assert_eq!(total(&store, 7), 3);
        assert_eq!(logged(&store), 3);
        assert!(store.figures().replays >= 1, "they shared a group");
        // Ids of what was undone are free again.
        assert!(store.write(|tx| tally(tx, 7, 502)).expect("it is logged now"));
    }
}

#[test]
fn a_commit_whose_answer_is_lost_counts_once() {
    for (point, expected) in [("before-commit", 1), ("after-commit", 1)] {
        for place in Place::all() {
            let clock = clock();
            let store = open(&place, &clock);
            let mut first = true;
            let answer = store.write(move |tx: &mut Tx| {
                tx.failpoint = std::mem::take(&mut first).then_some(point);
                tally(tx, 3, 77)
            });
            // After a lost commit the command runs again; after a commit that happened it must not.
            assert!(answer.is_ok(), "{point}: {answer:?}");
            assert_eq!((total(&store, 3), logged(&store)), (expected, expected), "{point}");
            store.close();
            let store = open(&place, &clock);
            assert_eq!(total(&store, 3), expected, "{point}");
        }
    }
}

#[test]
fn a_second_program_is_refused_and_the_first_goes_on() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        match open_with(&place, &clock, Options::default()) {
            Err(DbError::Held(text)) => assert!(text.contains("a test") && text.contains("--take-over"), "{text}"),
            other => panic!("expected to be refused, got {:?}", other.map(|_| ()).map_err(|e| e.to_string())),
        }
        assert!(store.write(|tx| tally(tx, 1, 1)).expect("the first goes on"));
    }
}

#[test]
fn a_writer_that_was_taken_over_stops_at_its_next_commit() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        store.write(|tx| tally(tx, 1, 1)).expect("it is logged");
        let mut other = place.location.open(crate::Sync::Full, false).expect("it opens");
        other.execute("UPDATE writers SET epoch = epoch + 1 WHERE writer = 1", &[]).expect("the epoch rises");
        let answer = store.write(|tx| tally(tx, 1, 2));
        // Whoever comes first learns of it: this command, or the flush of a writer that has nothing else to do.
        assert!(matches!(answer, Err(DbError::Fenced { .. } | DbError::Stopped)), "{answer:?}");
        assert!(!store.is_alive());
    }
}

#[test]
fn a_list_sees_what_the_same_group_wrote() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        let seen = store.write(|tx| {
            tally(tx, 1, 1)?;
            tally(tx, 9, 2)?;
            tx.flush_table::<Tallies>()?;
            tally(tx, 9, 3)?;
            let rows = tx.rows("SELECT id, total FROM tallies ORDER BY id", &[])?;
            Ok::<_, DbError>(rows.iter().map(|r| (r.int(0).unwrap_or(-1), r.int(1).unwrap_or(-1))).collect::<Vec<_>>())
        });
        assert_eq!(seen.expect("it lists"), [(1, 1), (9, 1)]);
        // What changed after the flush in the same group is written with it all the same.
        crash(store);
        let store = open(&place, &clock);
        assert_eq!((total(&store, 1), total(&store, 9)), (1, 2));
    }
}

#[test]
fn parameters_are_numbered_not_counted() {
    for place in Place::all() {
        let mut engine = place.location.open(crate::Sync::UnsafeFast, false).expect("it opens");
        let row = engine.first("SELECT CAST($2 AS TEXT) || CAST($1 AS TEXT) || '$1'", &["a".into(), "b".into()]);
        assert_eq!(row.expect("it runs").expect("a row").text(0).expect("a text"), "ba$1");
    }
}

#[test]
fn both_engines_store_the_same_values() {
    static ROWS: Bulk =
        Bulk { table: "things", columns: &[("id", 'i'), ("name", 't'), ("data", 'b')], key: 1, insert_only: false };
    for place in Place::all() {
        let mut engine = place.location.open(crate::Sync::UnsafeFast, false).expect("it opens");
        engine.batch("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT, data BYTEA)").expect("a table");
        let rows: Vec<Vec<Value<'_>>> = vec![
            vec![1.into(), "Ґудзик ’\u{0}".into(), (&[0u8, 255][..]).into()],
            vec![2.into(), Value::Null, Value::Null],
            vec![i64::MIN.into(), "".into(), (&[][..]).into()],
        ];
        let refs: Vec<&[Value<'_>]> = rows.iter().map(Vec::as_slice).collect();
        engine.bulk(&ROWS, &refs).expect("rows are written");
        engine.bulk(&ROWS, &[&[2.into(), "two".into(), Value::Null]]).expect("a row is replaced");
        let found = engine.rows("SELECT id, name, data FROM things ORDER BY id", &[]).expect("rows are read");
        assert_eq!(found[0].int(0).expect("a number"), i64::MIN);
        assert_eq!(found[0].opt_text(1).expect("a text"), Some(""));
        assert!(found[1].text(1).expect("a text").starts_with("Ґудзик ’"));
        assert_eq!(found[1].blob(2).expect("bytes"), [0, 255]);
        assert_eq!(found[2].opt_text(1).expect("a text"), Some("two"));
        assert!(found[2].blob(2).is_err(), "nothing is not bytes");
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let place = Place::sqlite();
    let clock = clock();
    open(&place, &clock).close();
    let mut engine = place.location.open(crate::Sync::Full, false).expect("it opens");
    engine
        .execute(
            "INSERT INTO migrations (owner, step, name, applied_at) VALUES ('db', 99, 'later', $1)",
            &[clock.now().micros().into()],
        )
        .expect("a row");
    drop(engine);
    assert!(matches!(open_with(&place, &clock, Options::default()), Err(DbError::Newer { found: 99, .. })));
}

#[test]
fn a_damaged_body_is_named() {
    let place = Place::sqlite();
    let clock = clock();
    let store = open(&place, &clock);
    store.write(|tx| tally(tx, 1, 1)).expect("it is logged");
    store.close();
    let mut engine = place.location.open(crate::Sync::Full, false).expect("it opens");
    engine.execute("UPDATE log SET body = $1", &[(&b"not zstd"[..]).into()]).expect("it is damaged");
    let error = log::each(&mut engine, 1, true, &mut |_| Ok(true)).expect_err("damage is seen");
    assert!(matches!(&error, DbError::Damaged { place, .. } if place == "log row 1"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Any mix of repeats, flushes, refusals and crashes leaves memory equal to the log.
    #[test]
    fn memory_equals_the_log(steps in prop::collection::vec((0u8..10, 0i64..24, 0u128..60), 1..60)) {
        let place = Place::sqlite();
        let clock = clock();
        let options = Options { turn: std::time::Duration::from_millis(1), ..Options::default() };
        let mut store = open_with(&place, &clock, options.clone()).expect("it opens");
        let (mut expected, mut seen) = (std::collections::BTreeMap::new(), std::collections::BTreeSet::new());
        for (what, key, id) in steps {
            let id = id + 1;
            match what {
                0 => {
                    crash(store);
                    store = open_with(&place, &clock, options.clone()).expect("it opens");
                }
                1 => {
                    let refused: Result<(), DbError> = store.write(move |tx| {
                        tally(tx, key, id)?;
                        Err(DbError::Busy("refused".into()))
                    });
                    prop_assert!(refused.is_err());
                }
                2 => {
                    let mut once = true;
                    store.write(move |tx| {
                        if std::mem::take(&mut once) {
                            tx.failpoint = Some("after-commit");
                        }
                        tally(tx, key, id)
                    }).expect("it is logged");
                    if seen.insert(id) {
                        *expected.entry(key).or_insert(0) += 1;
                    }
                }
                _ => {
                    let fresh = store.write(move |tx| tally(tx, key, id)).expect("it is logged");
                    prop_assert_eq!(fresh, seen.insert(id));
                    if fresh {
                        *expected.entry(key).or_insert(0) += 1;
                    }
                }
            }
        }
        for key in 0..24 {
            prop_assert_eq!(total(&store, key), expected.get(&key).copied().unwrap_or(0));
        }
        prop_assert_eq!(logged(&store), seen.len() as i64);
    }
}
