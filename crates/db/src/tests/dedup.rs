//! Ids in the set, in runs of both forms, through sealing, merging, kills and dropping.
use super::harness::*;
use crate::testing::Place;
use crate::writer::Options;
use crate::{DbError, Engine, Store, dedup};
use base::{Clock, DAY_US, HOUR_US, ManualClock, Rng};
use std::collections::HashSet;
use std::sync::Arc;

#[test]
fn ids_are_found_in_sealed_runs_too() {
    for place in Place::all() {
        let clock = clock();
        let store = open(&place, &clock);
        let ids: Vec<u128> =
            (1..=70_000u128).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)).collect();
        let all = ids.clone();
        store
            .write(move |tx| {
                for chunk in all.chunks(1000) {
                    for id in chunk {
                        assert!(dedup::insert(tx, *id)?);
                    }
                }
                tally(tx, 1, 5)
            })
            .expect("ids are taken");
        clock.advance(2 * base::HOUR_US);
        for n in 0..200i64 {
            store
                .write(move |tx| {
                    dedup::maintain(tx, 30, false)?;
                    tally(tx, 1, 1_000_000 + n as u128)
                })
                .expect("a run is sealed piece by piece");
            let sealed = store.read(|tx| Ok::<_, DbError>(tx.memory::<dedup::Dedup>()?.run_count()));
            if sealed.expect("the writer answers") == 1 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let probe = ids.clone();
        let repeats = store.write(move |tx| {
            let mut repeats = 0;
            for id in probe.iter().step_by(97) {
                repeats += usize::from(!dedup::insert(tx, *id)?);
            }
            let fresh = dedup::insert(tx, 42)?;
            dedup::forget(tx, 42)?;
            Ok::<_, DbError>((repeats, fresh))
        });
        assert_eq!(repeats.expect("ids are looked up"), (ids.len().div_ceil(97), true));
        assert!(
            store.read(|tx| Ok::<_, DbError>(tx.memory::<dedup::Dedup>()?.ids_in_memory())).expect("it answers") < 1000
        );
        // After 31 days the run is dropped and the ids are new again.
        clock.advance(31 * base::DAY_US);
        store.write(|tx| dedup::maintain(tx, 30, false)).expect("it is dropped");
        let id = ids[5];
        assert!(store.write(move |tx| dedup::insert(tx, id)).expect("it answers"));
    }
}

fn small(place: &Place, clock: &Arc<ManualClock>) -> Store {
    open_with(place, clock, Options { seal_ids: 400, ..Options::default() }).expect("it opens")
}

/// Logs ids; gives those that were new.
fn take(store: &Store, ids: &[u128]) -> Vec<u128> {
    let ids = ids.to_vec();
    store
        .write(move |tx| {
            dedup::maintain(tx, 30, false)?;
            let mut fresh = Vec::new();
            for id in &ids {
                if tally(tx, 1, *id)? {
                    fresh.push(*id);
                }
            }
            Ok::<_, DbError>(fresh)
        })
        .expect("ids are taken")
}

fn count(db: &mut Engine, sql: &str) -> i64 {
    db.first(sql, &[]).expect("it is read").expect("a row").int(0).expect("a number")
}

fn settled(store: &Store) -> bool {
    store
        .write(|tx| {
            dedup::maintain(tx, 30, false)?;
            Ok::<_, DbError>(tx.memory::<dedup::Dedup>()?.is_settled())
        })
        .expect("it answers")
}

fn settle(store: &Store) {
    let started = std::time::Instant::now();
    while !settled(store) {
        assert!(started.elapsed().as_secs() < 20, "sealing and merging come to an end");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Ids come, some again; the store is killed at any moment of sealing, merging and deleting, and groups are undone.
/// At each moment an id is new exactly once.
fn story(place: &Place, seed: u64, steps: usize) {
    let (mut rng, clock) = (Rng::new(seed), clock());
    let (mut store, mut known) = (small(place, &clock), Vec::<u128>::new());
    let mut all: HashSet<u128> = HashSet::new();
    let mut most = 0;
    for step in 0..steps {
        let mut ids: Vec<u128> =
            (0..150).map(|_| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())).collect();
        for _ in 0..20 {
            ids.extend((!known.is_empty()).then(|| *rng.pick(&known)));
        }
        let expected: Vec<u128> = ids.iter().copied().filter(|id| all.insert(*id)).collect();
        assert_eq!(take(&store, &ids), expected, "seed {seed}, step {step}");
        known.extend(expected);
        let runs = store.read(|tx| Ok::<_, DbError>(tx.memory::<dedup::Dedup>()?.run_count()));
        most = most.max(runs.expect("it answers"));
        clock.advance(HOUR_US / 20);
        match rng.below(12) {
            0 => {
                store.abandon();
                store = small(place, &clock);
            }
            1 => {
                let undone: Result<(), DbError> = store.write(|tx| {
                    dedup::maintain(tx, 30, false)?;
                    tally(tx, 2, 77)?;
                    tx.execute("INSERT INTO no_such_table VALUES (1)", &[]).map(drop)
                });
                assert!(undone.is_err());
            }
            2 => {
                let refused: Result<(), DbError> = store.write(|tx| {
                    dedup::maintain(tx, 30, false)?;
                    dedup::insert(tx, 78)?;
                    tx.next_id();
                    Err(DbError::Busy("refused after writing".into()))
                });
                assert!(refused.is_err());
            }
            3 => settle(&store),
            _ => {}
        }
    }
    settle(&store);
    assert!(most > 6, "seed {seed}: {most} runs at most, nothing was there to merge");
    let runs = store.read(|tx| Ok::<_, DbError>(tx.memory::<dedup::Dedup>()?.run_count())).expect("it answers");
    assert!(runs < most.max(12), "seed {seed}: {runs} runs are left of {most}");
    store.close();
    let mut db = place.location.open(crate::Sync::UnsafeFast, true).expect("it opens");
    // What was half written or was merged left nothing behind, and what is left is whole.
    let strays = "SELECT CAST(COUNT(*) AS BIGINT) FROM dedup_pages p LEFT JOIN dedup_runs r ON r.run = p.run AND r.state = 0 WHERE r.run IS NULL";
    assert_eq!(count(&mut db, strays), 0, "seed {seed}");
    let strays = "SELECT CAST(COUNT(*) AS BIGINT) FROM dedup_filters p LEFT JOIN dedup_runs r ON r.run = p.run AND r.state = 0 WHERE r.run IS NULL";
    assert_eq!(count(&mut db, strays), 0, "seed {seed}");
    let sealed = count(&mut db, "SELECT CAST(SUM(count) AS BIGINT) FROM dedup_runs WHERE state = 0");
    assert_eq!(count(&mut db, "SELECT CAST(SUM(length(ids)) / 16 AS BIGINT) FROM dedup_pages"), sealed);
    // A fresh start knows all of them.
    let store = small(place, &clock);
    assert!(take(&store, &known).is_empty(), "seed {seed}");
}

#[test]
fn ids_are_new_once_whatever_is_sealed_merged_and_killed_on_sqlite() {
    for seed in 1..=2 {
        story(&Place::sqlite(), seed, 100);
    }
}

#[test]
fn ids_are_new_once_whatever_is_sealed_merged_and_killed_on_postgres() {
    let Some(place) = Place::postgres() else { return };
    story(&place, 11, 70);
}

#[test]
fn runs_of_the_former_form_are_read_and_merged() {
    for place in Place::all() {
        let clock = clock();
        small(&place, &clock).close();
        let mut db = place.location.open(crate::Sync::UnsafeFast, false).expect("it opens");
        let mut rng = Rng::new(5);
        let mut all = Vec::new();
        for run in 1..=6i64 {
            let mut ids: Vec<u128> =
                (0..1_500).map(|_| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())).collect();
            ids.sort_unstable();
            // As they were written: pages of 512 ids, the first of each and a filter (here: of ones) in the row.
            let mut filter = vec![3u8];
            ids.chunks(512).for_each(|page| filter.extend(page[0].to_le_bytes()));
            filter.extend([0xffu8; 64]);
            let now = clock.now().micros();
            db.execute(
                "INSERT INTO dedup_runs (run, upto_seq, newest_at, keep_for_ever, count, filter, oldest_at) VALUES ($1, 1, $2, 0, 1500, $3, $2)",
                &[run.into(), now.into(), (&filter).into()],
            )
            .expect("a run");
            for (page, ids) in ids.chunks(512).enumerate() {
                let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
                db.execute(
                    "INSERT INTO dedup_pages (run, page, ids) VALUES ($1, $2, $3)",
                    &[run.into(), (page as i64).into(), (&bytes).into()],
                )
                .expect("a page");
            }
            all.extend(ids);
        }
        let store = small(&place, &clock);
        let some: Vec<u128> = all.iter().copied().step_by(41).collect();
        assert!(take(&store, &some).is_empty());
        settle(&store);
        let runs = store.read(|tx| Ok::<_, DbError>(tx.memory::<dedup::Dedup>()?.run_count()));
        assert_eq!(runs.expect("it answers"), 1, "six runs became one");
        assert!(take(&store, &some).is_empty());
        assert_eq!(take(&store, &[1, 2, 3]), [1, 2, 3]);
        // Dropped by age as a whole, and where the log is sealed stays known.
        clock.advance(31 * DAY_US);
        settle(&store);
        assert_eq!(take(&store, &all[..10]), all[..10]);
    }
}
