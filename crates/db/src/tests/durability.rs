//! No answer leaves before the sync that covers it; faults around COMMIT leave memory as a fresh load has it.
use super::harness::*;
use crate::store::Location;
use crate::testing::{Place, vfs};
use crate::writer::Options;
use crate::{DbError, Store, Sync};
use base::{ManualClock, Rng};
use std::sync::{Arc, Mutex};

fn counting_place() -> Place {
    vfs::register();
    let mut place = Place::sqlite();
    if let Location::Sqlite { vfs, .. } = &mut place.location {
        *vfs = Some(vfs::NAME.into());
    }
    place
}

fn open_counting(place: &Place, clock: &Arc<ManualClock>, sync: Sync) -> Store {
    let options = Options { turn: std::time::Duration::from_millis(50), ..Options::default() };
    open_synced(place, clock, options, sync).expect("the store opens")
}

/// Logs `count` events, several in flight; gives how many answers came while the WAL held unsynced writes.
fn load(place: &Place, store: &Store, from: u128, count: u128, acknowledged: &Arc<Mutex<Vec<(i64, u128)>>>) -> usize {
    let Location::Sqlite { path, .. } = &place.location else { panic!("this test is about files") };
    let wal = std::path::PathBuf::from(format!("{}-wal", path.display()));
    let early = Arc::new(Mutex::new(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    for id in from..from + count {
        let (wal, early, sender, acknowledged) = (wal.clone(), early.clone(), sender.clone(), acknowledged.clone());
        let key = (id % 40) as i64;
        store.write_with(
            move |tx| tally(tx, key, id),
            move |answer: Result<bool, DbError>| {
                if answer.is_ok() {
                    acknowledged.lock().expect("no panic").push((key, id));
                    if vfs::counted(&wal).unsynced > 0 {
                        *early.lock().expect("no panic") += 1;
                    }
                }
                let _ = sender.send(());
            },
        );
    }
    drop(sender);
    receiver.iter().count();
    // A binding would outlive the guard that it comes from.
    #[allow(clippy::let_and_return, reason = "the guard must go before the counter does")]
    let count = *early.lock().expect("no panic");
    count
}

#[test]
fn no_answer_leaves_before_its_sync_and_a_power_cut_loses_nothing() {
    let mut rng = Rng::new(7);
    let clock = clock();
    let place = counting_place();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut undone = 0;
    for round in 0..12u128 {
        let store = open_counting(&place, &clock, Sync::Full);
        assert_eq!(load(&place, &store, 1 + round * 200, 200, &acknowledged), 0, "an answer left before its sync");
        // The disk stops syncing: what is written now is refused, and may be lost, whole.
        vfs::fail_syncs(&place.folder, true);
        assert!(
            store.write(move |tx| tally(tx, 39, 1_000_000 + round)).is_err(),
            "an event was acknowledged without sync"
        );
        store.abandon();
        drop(store);
        undone += vfs::power_cut(&place.folder, &mut rng).expect("files can be put back");
        vfs::fail_syncs(&place.folder, false);
        let store = open_counting(&place, &clock, Sync::Full);
        let mut wanted = std::collections::BTreeMap::new();
        for (key, _) in acknowledged.lock().expect("no panic").iter() {
            *wanted.entry(*key).or_insert(0i64) += 1;
        }
        for (key, least) in wanted {
            let found = total(&store, key);
            let extra = if key == 39 { round as i64 + 1 } else { 0 };
            assert!(
                (least..=least + extra).contains(&found),
                "round {round}: key {key} has {found}, acknowledged {least}"
            );
        }
        store.close();
    }
    assert!(undone > 0, "the power cut found unsynced writes to take back");
}

#[test]
fn the_layer_sees_a_program_that_does_not_sync() {
    // The test of the test: with `--unsafe-fast` answers leave early, and this is noticed.
    let clock = clock();
    let place = counting_place();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let store = open_counting(&place, &clock, Sync::UnsafeFast);
    assert!(load(&place, &store, 1, 200, &acknowledged) > 0);
    store.abandon();
}
