//! A small domain: counters by key, a lazy table that the log can fold again.
use crate::event::{Batch, Event, EventKind, Origin};
use crate::log::{self, Kept};
use crate::testing::Place;
use crate::writer::{Options, Recover};
use crate::{Bulk, DbError, Engine, Migrations, Open, Store, Sync, Table, Tx, Value, dedup, migrate};
use base::{Clock, ManualClock, Timestamp};
use bytes::Bytes;
use std::sync::Arc;

pub struct Tallies;

#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    pub folded_to: i64,
    pub total: i64,
}

static TALLIES: Bulk =
    Bulk { table: "tallies", columns: &[("id", 'i'), ("folded_to", 'i'), ("total", 'i')], key: 1, insert_only: false };

impl Table for Tallies {
    type Key = i64;
    type Row = Tally;
    const NAME: &'static str = "tallies";
    const LAZY: bool = true;
    fn slice(key: i64) -> i64 {
        key >> 3
    }
    fn weight(_: &Tally) -> usize {
        16
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Tally>, DbError> {
        let row = db.first("SELECT folded_to, total FROM tallies WHERE id = $1", &[key.into()])?;
        row.map(|r| Ok(Tally { folded_to: r.int(0)?, total: r.int(1)? })).transpose()
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Tally)], group: i64) -> Result<(), DbError> {
        let values: Vec<[Value<'_>; 3]> =
            rows.iter().map(|(k, r)| [(*k).into(), group.into(), r.total.into()]).collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&TALLIES, &refs)
    }
}

/// The same, written with every group; a tally of nothing is deleted.
pub struct Sums;

static SUMS: Bulk = Bulk { table: "sums", columns: &[("id", 'i'), ("total", 'i')], key: 1, insert_only: false };

/// Rows that were written so far, to see that a group writes each of its rows once.
pub static SUMS_WRITTEN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

impl Table for Sums {
    type Key = i64;
    type Row = i64;
    const NAME: &'static str = "sums";
    const LAZY: bool = false;
    const EAGER: bool = true;
    fn slice(key: i64) -> i64 {
        key >> 3
    }
    fn weight(_: &i64) -> usize {
        8
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<i64>, DbError> {
        db.first("SELECT total FROM sums WHERE id = $1", &[key.into()])?.map(|r| r.int(0)).transpose()
    }
    fn flush(db: &mut Engine, rows: &[(i64, &i64)], _: i64) -> Result<(), DbError> {
        SUMS_WRITTEN.fetch_add(rows.len(), std::sync::atomic::Ordering::SeqCst);
        let values: Vec<[Value<'_>; 2]> =
            rows.iter().filter(|(_, t)| **t != 0).map(|(k, t)| [(*k).into(), (**t).into()]).collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&SUMS, &refs)?;
        let gone: Vec<[Value<'_>; 1]> = rows.iter().filter(|(_, t)| **t == 0).map(|(k, _)| [(*k).into()]).collect();
        let refs: Vec<&[Value<'_>]> = gone.iter().map(|v| &v[..]).collect();
        db.delete_many(&SUMS, &refs)
    }
}

pub const TEST_MIGRATIONS: Migrations = Migrations {
    owner: "tests",
    steps: &[(
        "0001_tallies",
        "CREATE TABLE tallies (id BIGINT PRIMARY KEY, folded_to BIGINT NOT NULL, total BIGINT NOT NULL);\
         CREATE TABLE sums (id BIGINT PRIMARY KEY, total BIGINT NOT NULL)",
    )],
};

/// What folds the tallies again.
pub fn refold() -> Box<dyn Recover> {
    Box::new(Refold)
}

struct Refold;
impl Recover for Refold {
    fn recover(&mut self, tx: &mut Tx, _: i64, from_seq: i64) -> Result<(), DbError> {
        let mut rows = Vec::new();
        log::each(tx.engine(), from_seq, false, &mut |row| {
            rows.push(row);
            Ok(true)
        })?;
        for row in rows {
            for (at, profile) in row.profiles.iter().enumerate() {
                if row.ids[at] == 0 {
                    continue;
                }
                if tx.get::<Tallies>(*profile)?.is_none() {
                    tx.put::<Tallies>(*profile, Tally { folded_to: 0, total: 0 });
                }
                let Some(tally) = tx.get_mut::<Tallies>(*profile)? else { continue };
                if tally.folded_to < row.group {
                    tally.total += 1;
                }
            }
        }
        Ok(())
    }
}

pub fn open(place: &Place, clock: &Arc<ManualClock>) -> Store {
    open_with(place, clock, Options { turn: std::time::Duration::from_secs(3600), ..Options::default() })
        .expect("the store opens")
}

pub fn open_with(place: &Place, clock: &Arc<ManualClock>, options: Options) -> Result<Store, DbError> {
    open_synced(place, clock, options, Sync::UnsafeFast)
}

pub fn open_synced(place: &Place, clock: &Arc<ManualClock>, options: Options, sync: Sync) -> Result<Store, DbError> {
    Store::open(Open {
        location: place.location.clone(),
        sync,
        migrations: &[migrate::MIGRATIONS, TEST_MIGRATIONS],
        options,
        clock: clock.clone() as Arc<dyn Clock>,
        holder: "a test".into(),
        take_over: false,
        before: None,
        recover: Some(refold()),
        ticker: None,
        observer: None,
        readers: 1,
    })
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_civil(2026, 11, 22, 14, 32, 0)))
}

/// Logs one event for a key, unless its id was seen.
pub fn tally(tx: &mut Tx, key: i64, id: u128) -> Result<bool, DbError> {
    if !dedup::insert(tx, id)? {
        return Ok(false);
    }
    let now = tx.now();
    let raw = Bytes::from_static(b"{\"type\":\"track\",\"event\":\"Tick\"}");
    let event = Event {
        index: 0,
        id,
        message_id: "m".into(),
        timestamp: now,
        kind: EventKind::Track,
        name: "Tick".into(),
        identifiers: vec![],
        traits: vec![],
        hits: vec![],
        amount: None,
        previous_id: None,
        consent: None,
        touch: crate::event::Touch::default(),
        profile_id: None,
        weak_id: false,
        passive: false,
    };
    let batch = Batch {
        source: 1,
        origin: Origin::Tracking,
        browser: false,
        received_at: now,
        packed: log::pack_body(&raw),
        extra: Vec::new(),
        raw,
        count: 1,
        events: vec![event],
        prepared_with: 0,
    };
    if tx.get::<Tallies>(key)?.is_none() {
        tx.put::<Tallies>(key, Tally { folded_to: 0, total: 0 });
    }
    if let Some(row) = tx.get_mut::<Tallies>(key)? {
        row.total += 1;
    }
    log::append(tx, &batch, &[Kept { index: 0, id, timestamp: now, profile_id: key }]);
    Ok(true)
}

pub fn total(store: &Store, key: i64) -> i64 {
    store.read(move |tx| Ok::<_, DbError>(tx.get::<Tallies>(key)?.map_or(0, |r| r.total))).expect("the writer answers")
}

pub fn logged(store: &Store) -> i64 {
    let count = |db: &mut Engine| {
        let mut kept = 0;
        log::each(db, 1, true, &mut |row| {
            kept += row.kept() as i64;
            Ok(true)
        })?;
        Ok::<_, DbError>(kept)
    };
    store.query(count).expect("a reader answers")
}
