//! PostgreSQL that goes away, at any point of a commit and for any time: nothing acknowledged is lost, nothing is done twice,
//! callers are told, and the writer goes on by itself. Over real connections; SQLite's part is the file under the program.
use super::harness::*;
use crate::store::Location;
use crate::testing::Place;
use crate::testing::cluster::{Cluster, End};
use crate::testing::proxy::{Cut, Proxy};
use crate::writer::Options;
use crate::{DbError, Engine, Store, Sync, Tx};
use base::ManualClock;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A place behind a wire; `None` where no cluster runs.
fn behind_a_wire() -> Option<(Place, Proxy)> {
    let mut place = Place::postgres()?;
    let Location::Postgres { url } = &mut place.location else { panic!("this place is on PostgreSQL") };
    let (proxy, through) = Proxy::before(url);
    *url = through;
    Some((place, proxy))
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A command that is not kept from happening twice by an id, as most commands of people are.
fn raise(store: &Store) -> Result<i64, DbError> {
    store.write(|tx: &mut Tx| {
        if tx.get::<Tallies>(1)?.is_none() {
            tx.put::<Tallies>(1, Tally { folded_to: 0, total: 0 });
        }
        let Some(row) = tx.get_mut::<Tallies>(1)? else { return Err(DbError::Stopped) };
        row.total += 1;
        let total = row.total;
        tx.flush_keys::<Tallies>(&[1])?;
        Ok(total)
    })
}

#[test]
fn a_wire_cut_before_or_after_commit_on_postgres_counts_once() {
    let Some((place, proxy)) = behind_a_wire() else { return };
    let clock = clock();
    let store = open(&place, &clock);
    for round in 0..8 {
        let cut = if round % 2 == 0 { Cut::BeforeCommit } else { Cut::AfterCommit };
        proxy.cut_at(cut);
        assert_eq!(raise(&store).expect("it is done in the end"), round + 1, "{cut:?}");
        assert_eq!(proxy.cuts() as i64, round + 1, "the wire was cut");
        assert!(store.write(move |tx| tally(tx, 5, 900 + round as u128)).expect("the store goes on"));
        assert_eq!((total(&store, 1), total(&store, 5)), (round + 1, round + 1), "{cut:?}");
    }
    store.close();
    let store = open(&place, &clock);
    assert_eq!((total(&store, 1), total(&store, 5), logged(&store)), (8, 8, 8));
}

#[test]
fn an_absence_on_postgres_is_told_and_ends_by_itself() {
    let Some((place, proxy)) = behind_a_wire() else { return };
    let store = open(&place, &clock());
    raise(&store).expect("it is done");
    proxy.down();
    let answer = raise(&store);
    assert!(matches!(answer, Err(DbError::Lost(_))), "{answer:?}");
    // Known to be away, nobody waits for a try.
    let started = Instant::now();
    for _ in 0..20 {
        assert!(matches!(raise(&store), Err(DbError::Lost(_))));
    }
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    // Memory may lag behind the database, so it answers nothing; nor do readers.
    let read = store.read(|tx| Ok::<_, DbError>(tx.next_seq()));
    assert!(matches!(read, Err(DbError::Lost(_))), "{read:?}");
    let query = store.query(|db| db.first("SELECT 1", &[]));
    assert!(matches!(&query, Err(e) if e.is_transient() || matches!(e, DbError::Open { .. })), "{query:?}");
    assert!(store.is_alive());
    proxy.up();
    until("the store goes on", || raise(&store).is_ok());
    assert_eq!(total(&store, 1), 2);
    until("readers go on", || store.query(|db| db.first("SELECT 1", &[])).is_ok());
}

#[test]
fn a_commit_that_hangs_in_the_air_on_postgres_is_not_done_again() {
    for (cut, done) in [(Cut::BeforeCommit, 0), (Cut::AfterCommit, 1)] {
        let Some((place, proxy)) = behind_a_wire() else { return };
        let store = open(&place, &clock());
        // Nobody can ask what became of the commit, for longer than the writer waits.
        proxy.cut_and_stay_down(cut);
        let answer = raise(&store);
        assert!(matches!(answer, Err(DbError::Lost(_))), "{cut:?}: {answer:?}");
        proxy.up();
        until("the store goes on", || store.read(|tx| Ok::<_, DbError>(tx.next_seq())).is_ok());
        assert_eq!(total(&store, 1), done, "{cut:?}: memory is what was committed");
        assert_eq!(raise(&store).expect("it is done"), done + 1);
    }
}

#[test]
fn a_terminated_backend_on_postgres_is_replaced() {
    let Some(place) = Place::postgres() else { return };
    let store = open(&place, &clock());
    let mut admin = place.location.open(crate::Sync::Full, false).expect("it opens");
    for round in 1..=5 {
        let sql = "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let ended = admin.first(sql, &[]).expect("a superuser may").expect("a row").int(0).expect("a count");
        assert!(ended >= 1);
        assert_eq!(raise(&store).expect("it is done"), round);
    }
    // The connection of a reader that rested is replaced before it is used.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(logged(&store), 0);
}

/// Does `meddle` while a command waits between its read and its write.
fn with_a_meddler(place: &Place, meddle: impl FnOnce(Engine, Sender<()>) + Send + 'static) -> i64 {
    let store = open(place, &clock());
    let setup = "CREATE TABLE shelf (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)";
    store.write(move |tx| tx.execute(setup, &[]).map(drop)).expect("a table");
    let rows = "INSERT INTO shelf (id, n) VALUES (1, 0), (2, 0)";
    store.write(move |tx| tx.execute(rows, &[]).map(drop)).expect("rows");
    let other = place.location.open(crate::Sync::Full, false).expect("it opens");
    let (reached, met) = mpsc::channel::<()>();
    let (done, go) = mpsc::channel::<()>();
    let meddler = std::thread::spawn(move || {
        met.recv().expect("the command comes here");
        meddle(other, done);
    });
    let runs = Arc::new(AtomicI64::new(0));
    let counted = runs.clone();
    let answer = store.write(move |tx: &mut Tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        tx.first("SELECT n FROM shelf WHERE id = 1", &[])?;
        let _ = reached.send(());
        let _ = go.recv_timeout(Duration::from_millis(400));
        tx.execute("UPDATE shelf SET n = n + 1 WHERE id = 1", &[])?;
        tx.execute("UPDATE shelf SET n = n + 1 WHERE id = 2", &[])?;
        Ok::<_, DbError>(())
    });
    meddler.join().expect("the other program did its part");
    assert!(answer.is_ok(), "{answer:?}, after {} runs", runs.load(Ordering::SeqCst));
    let row = store.query(|db| db.first("SELECT n FROM shelf WHERE id = 2", &[])).expect("it answers").expect("a row");
    assert_eq!(row.int(0).expect("a number"), 1, "what was undone left nothing");
    runs.load(Ordering::SeqCst)
}

#[test]
fn a_serialization_failure_on_postgres_is_tried_again() {
    let Some(place) = Place::postgres() else { return };
    let runs = with_a_meddler(&place, |mut other, done| {
        other.batch("UPDATE shelf SET n = n + 10 WHERE id = 1").expect("another program may write");
        drop(done);
    });
    assert_eq!(runs, 2, "the first run met 40001");
}

#[test]
fn a_deadlock_on_postgres_is_tried_again() {
    let Some(place) = Place::postgres() else { return };
    let runs = with_a_meddler(&place, |mut other, done| {
        // It holds 2 and then wants 1, which the command holds; and it is patient, so that the command is the victim.
        other.batch("SET deadlock_timeout = '20s'; BEGIN; UPDATE shelf SET n = n WHERE id = 2").expect("it holds");
        drop(done);
        std::thread::sleep(Duration::from_millis(300));
        other.batch("UPDATE shelf SET n = n WHERE id = 1").expect("it gets what the victim lets go");
        other.batch("ROLLBACK").expect("it lets go");
    });
    assert!(runs >= 2, "the first run met 40P01");
}

#[test]
fn what_postgres_says_is_told_apart() {
    let Some(place) = Place::postgres() else { return };
    let mut engine = place.location.open(Sync::Full, false).expect("it opens");
    let mut raise = |code: &str| {
        let sql = format!("DO $body$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '{code}'; END $body$");
        engine.batch(&sql).expect_err("it is raised")
    };
    assert!(matches!(raise("53100"), DbError::Full));
    for code in ["40001", "40P01", "55P03"] {
        assert!(matches!(raise(code), DbError::Busy(_)), "{code}");
    }
    for code in ["57P01", "57P02", "57P03", "08006", "08003"] {
        assert!(matches!(raise(code), DbError::Lost(_)), "{code}");
    }
    for code in ["23505", "42P01", "22003"] {
        assert!(matches!(raise(code), DbError::Statement { .. }), "{code}");
    }
}

/// Logs events from several threads until told to stop; what is refused is sent again as a client would.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<i64>>>,
    refused: Arc<AtomicI64>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(store: &Arc<Store>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (acknowledged, refused) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicI64::new(0)));
        let threads = (0..4i64).map(|thread| {
            let (store, stop) = (store.clone(), stop.clone());
            let (acknowledged, refused) = (acknowledged.clone(), refused.clone());
            std::thread::spawn(move || {
                let mut id = thread;
                while !stop.load(Ordering::SeqCst) {
                    match store.write(move |tx| tally(tx, id % 10, id as u128 + 1)) {
                        Ok(_) => {
                            acknowledged.lock().expect("no panic").insert(id);
                            id += 4;
                        }
                        Err(e) => {
                            assert!(e.is_transient(), "{e}");
                            refused.fetch_add(1, Ordering::SeqCst);
                            std::thread::sleep(Duration::from_millis(20));
                        }
                    }
                }
            })
        });
        Self { threads: threads.collect(), stop, acknowledged, refused }
    }
    fn count(&self) -> usize {
        self.acknowledged.lock().expect("no panic").len()
    }
    /// Waits for some more acknowledged events.
    fn goes_on(&self) {
        let before = self.count();
        until("events are taken", || self.count() > before + 50);
    }
    fn finish(self) -> BTreeSet<i64> {
        self.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().for_each(|t| t.join().expect("no panic"));
        Arc::try_unwrap(self.acknowledged).expect("all threads ended").into_inner().expect("no panic")
    }
}

fn assert_once(store: &Store, acknowledged: &BTreeSet<i64>) {
    for key in 0..10 {
        let wanted = acknowledged.iter().filter(|id| *id % 10 == key).count() as i64;
        assert_eq!(total(store, key), wanted, "key {key}");
    }
    assert_eq!(logged(store), acknowledged.len() as i64);
}

#[test]
fn restarts_and_crashes_of_postgres_under_load_lose_nothing() {
    let Some(mut cluster) = Cluster::start(&[], |_| {}) else { return };
    let mut place = Place::sqlite();
    place.location = Location::Postgres { url: cluster.url() };
    let clock: Arc<ManualClock> = clock();
    let options = Options { turn: Duration::from_millis(100), ..Options::default() };
    let store = Arc::new(open_synced(&place, &clock, options.clone(), Sync::Full).expect("the store opens"));
    let load = Load::start(&store);
    load.goes_on();
    for (round, end) in [End::Fast, End::Immediate, End::Immediate].into_iter().enumerate() {
        cluster.end(end);
        if round == 1 {
            // Longer than the writer waits, so that callers are told.
            let before = load.refused.load(Ordering::SeqCst);
            until("callers are told", || load.refused.load(Ordering::SeqCst) > before + 4);
        }
        cluster.run();
        load.goes_on();
    }
    assert!(store.is_alive());
    let acknowledged = load.finish();
    assert_once(&store, &acknowledged);
    Arc::into_inner(store).expect("the only one").close();
    assert_once(&open_synced(&place, &clock, options, Sync::Full).expect("the store opens"), &acknowledged);
}

#[test]
fn a_file_that_goes_away_under_the_program_takes_no_more() {
    let place = Place::sqlite();
    let Location::Sqlite { path, .. } = &place.location else { panic!("this place is a file") };
    let (path, aside) = (path.clone(), path.with_extension("aside"));
    let store = open(&place, &clock());
    raise(&store).expect("it is done");
    std::fs::rename(&path, &aside).expect("it is moved");
    let answer = raise(&store);
    assert!(matches!(&answer, Err(DbError::Lost(why)) if why.contains("moved, deleted")), "{answer:?}");
    // Another file in its place is not the store.
    std::fs::write(&path, b"").expect("it is written");
    assert!(raise(&store).is_err());
    std::fs::rename(&aside, &path).expect("it is put back");
    until("the store goes on", || raise(&store).is_ok());
    assert_eq!(total(&store, 1), 2);
}
