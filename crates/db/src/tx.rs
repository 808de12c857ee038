//! One transaction: what a command sees of the database.
//!
//! A [`Tx`] belongs to the writer's thread. Rows of cached tables are read and changed in memory ([`Tx::get`],
//! [`Tx::get_mut`], [`Tx::put`]); facts that are only appended wait in a buffer ([`Tx::append`]) and go to the database in
//! bulk before COMMIT, or before the next SQL of the same transaction, so that a query sees what was written before it.
use crate::DbError;
use crate::cache::{AnyTable, Cached, Table};
use crate::engine::{Bulk, Dialect, Engine, Lookup, Owned, Row, Sync, Value};
use crate::notice::Notice;
use crate::store::Location;
use crate::writer::WriterRow;
use base::Timestamp;
use std::any::{Any, TypeId};

/// Memory beside the cached tables that follows commits: compiled definitions, counters, names.
pub trait Memory: Any + Send {
    /// Loads it from the database.
    fn load(db: &mut Engine) -> Result<Self, DbError>
    where
        Self: Sized;
    /// Loads it again after the database failed, or a group was undone that had lent rows; what cannot have changed may stay.
    fn reload(&mut self, db: &mut Engine) -> Result<(), DbError>
    where
        Self: Sized,
    {
        *self = Self::load(db)?;
        Ok(())
    }
    /// Makes the changes of the committed group lasting.
    fn commit(&mut self);
    /// Forgets the changes of the group that was rolled back.
    fn rollback(&mut self);
    /// Writes what has to be written before COMMIT.
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError> {
        let _ = db;
        Ok(())
    }
}

trait AnyMemory: Send {
    fn commit(&mut self);
    fn rollback(&mut self);
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError>;
    fn reload(&mut self, db: &mut Engine) -> Result<(), DbError>;
    fn as_any(&mut self) -> &mut dyn Any;
}

struct Held<M: Memory>(M);

impl<M: Memory> AnyMemory for Held<M> {
    fn commit(&mut self) {
        self.0.commit();
    }
    fn rollback(&mut self) {
        self.0.rollback();
    }
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError> {
        self.0.before_commit(db)
    }
    fn reload(&mut self, db: &mut Engine) -> Result<(), DbError> {
        self.0.reload(db)
    }
    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.0
    }
}

/// One transaction on the writer's connection, with the memory that belongs to the writer.
pub struct Tx {
    pub(crate) engine: Engine,
    tables: Vec<(TypeId, Box<dyn AnyTable>)>,
    memories: Vec<(TypeId, Box<dyn AnyMemory>)>,
    waiting: Vec<(&'static Bulk, Vec<Vec<Owned>>)>,
    pub(crate) row: WriterRow,
    /// The row as it was committed last.
    pub(crate) committed: WriterRow,
    /// First seq of each group that may still be the oldest unflushed one.
    pub(crate) group_starts: std::collections::VecDeque<(i64, i64)>,
    now: Timestamp,
    writes: u64,
    pub(crate) error: Option<DbError>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) open: bool,
    /// The last group when memory was loaded: of rows that changed before, memory does not know when.
    known_from: i64,
    /// Where threads of the writer's memory find the database.
    pub(crate) home: Option<(Location, Sync)>,
    /// New ids at which a run is made of them.
    pub(crate) seal_ids: usize,
    /// What threads of memory make is waited for, so that chance has no say in when it comes.
    pub(crate) patient: bool,
    pub(crate) failpoint: Option<&'static str>,
}

impl Tx {
    pub(crate) fn new(engine: Engine, row: WriterRow) -> Self {
        Self {
            engine,
            tables: Vec::new(),
            memories: Vec::new(),
            waiting: Vec::new(),
            committed: row.clone(),
            known_from: row.last_group,
            home: None,
            seal_ids: crate::dedup::SEAL_AT,
            patient: false,
            row,
            group_starts: std::collections::VecDeque::new(),
            now: Timestamp::default(),
            writes: 0,
            error: None,
            notices: Vec::new(),
            open: false,
            failpoint: None,
        }
    }

    /// A transaction that is never committed, over a connection of its own: for checks that want to see a store as the writer
    /// does. What is put stays in memory.
    pub fn for_reading(mut engine: Engine, now: Timestamp) -> Result<Self, DbError> {
        let row = crate::store::read_row(&mut engine)?;
        let mut tx = Self::new(engine, row);
        tx.now = now;
        Ok(tx)
    }
    /// Forgets rows beyond so many bytes, for whoever reads through a whole store with [`Tx::for_reading`].
    pub fn make_room(&mut self, bytes: usize) {
        self.evict(bytes);
    }
    /// Where a thread beside the writer may read; `None` where there is no writer.
    pub(crate) fn reader(&self) -> Option<(Location, Sync)> {
        self.home.clone()
    }
    /// The writer's row as this transaction sees it.
    pub fn writer_row(&self) -> &WriterRow {
        &self.row
    }
    /// The moment of this group: one for all its commands, never before the moment of the last group.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }
    /// The number of the running group.
    pub fn group(&self) -> i64 {
        self.row.last_group + 1
    }
    /// The seq that the next event gets.
    pub fn next_seq(&self) -> i64 {
        self.row.next_seq
    }
    /// How many writes this transaction has seen; a command that refuses must leave it as it was.
    pub fn writes(&self) -> u64 {
        self.writes
    }
    /// Says that a command writes by [`Tx::engine`], which nobody counts, so that its effects go if it refuses afterwards.
    pub fn will_write(&mut self) {
        self.writes += 1;
    }
    /// Which engine runs below.
    pub fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }
    /// The store's secret for keyed hashes of ids.
    pub fn hash_key(&self) -> (u64, u64) {
        self.row.hash_key
    }

    /// Runs one statement; gives the number of rows that it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64, DbError> {
        self.write_waiting()?;
        self.writes += 1;
        let out = self.engine.execute(sql, params);
        self.note(out)
    }
    /// Runs a query; gives its rows. Facts that this transaction appended are among them; rows of lazy tables need
    /// [`Tx::flush_table`] first.
    pub fn rows(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>, DbError> {
        self.write_waiting()?;
        let out = self.engine.rows(sql, params);
        self.note(out)
    }
    /// The first row of a query, if there is one.
    pub fn first(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Option<Row>, DbError> {
        self.write_waiting()?;
        let out = self.engine.first(sql, params);
        self.note(out)
    }
    /// Appends a fact; it goes to the database with its like before COMMIT.
    pub fn append(&mut self, bulk: &'static Bulk, row: Vec<Owned>) {
        self.writes += 1;
        debug_assert_eq!(row.len(), bulk.columns.len(), "{}", bulk.table);
        match self.waiting.iter_mut().find(|(b, _)| std::ptr::eq(*b, bulk)) {
            Some((_, rows)) => rows.push(row),
            None => self.waiting.push((bulk, vec![row])),
        }
    }
    /// Writes many rows now.
    pub fn upsert_many(&mut self, bulk: &'static Bulk, rows: &[&[Value<'_>]]) -> Result<(), DbError> {
        self.write_waiting()?;
        self.writes += 1;
        let out = self.engine.bulk(bulk, rows);
        self.note(out)
    }

    /// A row of a cached table by key.
    pub fn get<T: Table>(&mut self, key: T::Key) -> Result<Option<&T::Row>, DbError> {
        let at = self.table::<T>();
        let (engine, tables) = (&mut self.engine, &mut self.tables);
        match cached::<T>(&mut tables[at].1).get_with(engine, key, |db| T::load(db, key)) {
            Ok(row) => Ok(row),
            Err(e) => {
                self.error = Some(e.clone());
                Err(e)
            }
        }
    }
    /// A row of a cached table by key, read by `load` when it is not in memory.
    pub fn get_with<T: Table>(
        &mut self,
        key: T::Key,
        load: impl FnOnce(&mut Engine) -> Result<Option<T::Row>, DbError>,
    ) -> Result<Option<&T::Row>, DbError> {
        let at = self.table::<T>();
        let (engine, tables) = (&mut self.engine, &mut self.tables);
        cached::<T>(&mut tables[at].1).get_with(engine, key, load)
    }
    /// The row of a cached table if memory knows it.
    pub fn peek<T: Table>(&mut self, key: T::Key) -> Option<&T::Row> {
        let at = self.table::<T>();
        cached::<T>(&mut self.tables[at].1).peek(key)
    }
    /// Committed rows of a cached table for threads beside the writer, kept up to date from the first call on.
    pub fn mirror<T: Table>(&mut self) -> std::sync::Arc<crate::mirror::Mirror<T>>
    where
        T::Key: std::marker::Sync,
        T::Row: std::marker::Sync,
    {
        let at = self.table::<T>();
        cached::<T>(&mut self.tables[at].1).mirror()
    }
    /// Whether memory knows a row, or knows that there is none.
    pub fn holds<T: Table>(&mut self, key: T::Key) -> bool {
        let at = self.table::<T>();
        cached::<T>(&mut self.tables[at].1).holds(key)
    }
    /// Reads the rows that memory does not know in as few statements as there can be, so that nobody asks one by one.
    pub fn preload<T: Table>(&mut self, keys: &[T::Key]) -> Result<(), DbError> {
        let at = self.table::<T>();
        let (engine, tables) = (&mut self.engine, &mut self.tables);
        let table = cached::<T>(&mut tables[at].1);
        let mut absent: Vec<T::Key> = keys.iter().copied().filter(|key| !table.holds(*key)).collect();
        if absent.is_empty() {
            return Ok(());
        }
        absent.sort_unstable();
        absent.dedup();
        table.misses(absent.len());
        let rows = T::load_many(engine, &absent);
        for (key, row) in self.note(rows)? {
            cached::<T>(&mut self.tables[at].1).fill(key, row);
        }
        Ok(())
    }
    /// Reads the rows of many keys; as [`Tx::rows`] for what they hold.
    pub fn lookup(
        &mut self,
        lookup: &'static Lookup,
        keys: &[&[Value<'_>]],
        visit: &mut dyn FnMut(usize, Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.write_waiting()?;
        let out = self.engine.lookup(lookup, keys, visit);
        self.note(out)
    }
    /// Takes over rows that were read in this transaction; those that memory knows are left as they are.
    pub fn read_beforehand<T: Table>(&mut self, rows: impl IntoIterator<Item = (T::Key, Option<T::Row>)>) {
        let at = self.table::<T>();
        let table = cached::<T>(&mut self.tables[at].1);
        for (key, row) in rows {
            table.misses(1);
            table.fill(key, row);
        }
    }
    /// Takes over rows that another connection read while `as_of` was the last committed group. Rows that memory knows are
    /// left as they are; a reading that is too old is refused as a whole: gives whether it was taken.
    pub fn fill<T: Table>(&mut self, as_of: i64, rows: impl IntoIterator<Item = (T::Key, Option<T::Row>)>) -> bool {
        if as_of < self.known_from || self.row.last_group - as_of > crate::cache::FRESH_GROUPS {
            return false;
        }
        let at = self.table::<T>();
        let table = cached::<T>(&mut self.tables[at].1);
        rows.into_iter().for_each(|(key, row)| table.fill(key, row));
        true
    }
    /// A row to be changed; the change is seen by later commands of the group and published after COMMIT.
    pub fn get_mut<T: Table>(&mut self, key: T::Key) -> Result<Option<&mut T::Row>, DbError> {
        self.writes += 1;
        let at = self.table::<T>();
        let (engine, tables) = (&mut self.engine, &mut self.tables);
        cached::<T>(&mut tables[at].1).get_mut(engine, key)
    }
    /// Puts a row.
    pub fn put<T: Table>(&mut self, key: T::Key, row: T::Row) {
        self.writes += 1;
        let at = self.table::<T>();
        cached::<T>(&mut self.tables[at].1).put(key, row);
    }
    /// Writes every dirty row of a lazy table, so that SQL sees them.
    pub fn flush_table<T: Table>(&mut self) -> Result<(), DbError> {
        self.write_waiting()?;
        let at = self.table::<T>();
        let group = self.group();
        let (engine, tables) = (&mut self.engine, &mut self.tables);
        let out = cached::<T>(&mut tables[at].1).flush_all(engine, group);
        self.note(out)
    }
    /// Writes the given rows of a lazy table in this transaction if it changed them: for what must be a fact at once, such
    /// as a merge.
    pub fn flush_keys<T: Table>(&mut self, keys: &[T::Key]) -> Result<(), DbError> {
        self.write_waiting()?;
        let at = self.table::<T>();
        let group = self.group();
        let (engine, tables) = (&mut self.engine, &mut self.tables);
        let out = cached::<T>(&mut tables[at].1).flush_keys(engine, group, keys);
        self.note(out)
    }

    /// Memory of the writer, loaded when it is asked for first.
    pub fn memory<M: Memory>(&mut self) -> Result<&mut M, DbError> {
        let id = TypeId::of::<M>();
        let at = match self.memories.iter().position(|(t, _)| *t == id) {
            Some(at) => at,
            None => {
                let loaded = M::load(&mut self.engine)?;
                self.memories.push((id, Box::new(Held(loaded))));
                self.memories.len() - 1
            }
        };
        match self.memories[at].1.as_any().downcast_mut::<M>() {
            Some(memory) => Ok(memory),
            None => unreachable!("memories are found by their type"),
        }
    }

    /// Tells whoever watches, once this group is committed.
    pub fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Counts of the store, as `doctor` shows them.
    pub fn counts(&mut self) -> &mut crate::writer::Counts {
        self.writes += 1;
        &mut self.row.counts
    }
    /// The next number of a named sequence (`profile`, `edge`, …), unique for ever.
    pub fn next_id(&mut self) -> i64 {
        self.writes += 1;
        self.row.next_id += 1;
        self.row.next_id
    }
    /// The next profile's number; its own sequence, so that profiles that are born together lie together.
    pub fn next_profile_id(&mut self) -> i64 {
        self.writes += 1;
        self.row.next_profile += 1;
        self.row.next_profile
    }
    /// The highest profile number given so far.
    pub fn last_profile_id(&self) -> i64 {
        self.row.next_profile
    }
    pub(crate) fn advance_seq(&mut self, count: i64) -> i64 {
        let first = self.row.next_seq;
        self.row.next_seq += count;
        first
    }

    /// Makes the next COMMIT fail: `before-commit` or `after-commit`, the connection being lost just then. With
    /// `crash-after-body`, `crash-before-commit` or `crash-after-commit` the writer ends there as by a kill.
    #[cfg(any(test, feature = "testing"))]
    pub fn fail_at(&mut self, point: &'static str) {
        self.failpoint = Some(point);
    }
    /// The connection, for tests and for readers in `db`.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn note<R>(&mut self, result: Result<R, DbError>) -> Result<R, DbError> {
        if let Err(e) = &result {
            self.error = Some(e.clone());
        }
        result
    }

    fn table<T: Table>(&mut self) -> usize {
        let id = TypeId::of::<T>();
        match self.tables.iter().position(|(t, _)| *t == id) {
            Some(at) => at,
            None => {
                self.tables.push((id, Box::new(Cached::<T>::default())));
                self.tables.len() - 1
            }
        }
    }

    pub(crate) fn write_waiting(&mut self) -> Result<(), DbError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        for (bulk, rows) in &waiting {
            let values: Vec<Vec<Value<'_>>> = rows.iter().map(|r| r.iter().map(Owned::as_value).collect()).collect();
            let refs: Vec<&[Value<'_>]> = values.iter().map(Vec::as_slice).collect();
            let out = self.engine.bulk(bulk, &refs);
            self.note(out)?;
        }
        Ok(())
    }

    pub(crate) fn flush_early(&mut self) -> Result<(), DbError> {
        let group = self.group();
        for (_, table) in &mut self.tables {
            table.flush_early(&mut self.engine, group)?;
        }
        Ok(())
    }
    pub(crate) fn flush_slices(&mut self, limit: usize) -> Result<usize, DbError> {
        let group = self.group();
        let mut done = 0;
        for (_, table) in &mut self.tables {
            // Each table turns at its own pace: a small one is not starved by a large one.
            if table.dirty_slices() > 0 {
                done += table.flush_slices(&mut self.engine, group, limit)?;
            }
        }
        Ok(done)
    }
    pub(crate) fn dirty_slices(&self) -> usize {
        self.tables.iter().map(|(_, t)| t.dirty_slices()).max().unwrap_or(0)
    }
    /// Rows that wait for the rotating flush.
    pub fn dirty_rows(&self) -> usize {
        self.tables.iter().map(|(_, t)| t.dirty_rows()).sum()
    }
    pub(crate) fn oldest_unflushed(&self) -> Option<i64> {
        let group = self.group();
        self.tables.iter().filter_map(|(_, t)| t.oldest_unflushed(group)).min()
    }
    pub(crate) fn before_commit(&mut self) -> Result<(), DbError> {
        for (_, memory) in &mut self.memories {
            memory.before_commit(&mut self.engine)?;
        }
        Ok(())
    }
    pub(crate) fn publish(&mut self) {
        let group = self.group();
        for (_, table) in &mut self.tables {
            table.publish(group);
        }
        for (_, memory) in &mut self.memories {
            memory.commit();
        }
    }
    /// Publishes rows that were folded again at start: dirty since `group`.
    pub(crate) fn publish_recovered(&mut self, group: i64) {
        for (_, table) in &mut self.tables {
            table.publish(group);
        }
        for (_, memory) in &mut self.memories {
            memory.commit();
        }
        self.notices.clear();
    }
    /// Forgets what the group did; gives whether memory must be loaded again.
    pub(crate) fn discard(&mut self) -> bool {
        let mut lost = false;
        for (_, table) in &mut self.tables {
            lost |= table.discard();
        }
        for (_, memory) in &mut self.memories {
            memory.rollback();
        }
        self.waiting.clear();
        self.notices.clear();
        self.row = self.committed.clone();
        self.error = None;
        lost
    }
    pub(crate) fn forget_all(&mut self) -> Result<(), DbError> {
        self.known_from = self.row.last_group;
        for (_, table) in &mut self.tables {
            table.clear();
        }
        for (_, memory) in &mut self.memories {
            memory.reload(&mut self.engine)?;
        }
        Ok(())
    }
    pub(crate) fn evict(&mut self, budget: usize) {
        self.evict_some(budget, usize::MAX);
    }
    /// As [`Tx::evict`], looking at so many rows of a table at most; tells whether that was all that could be done.
    pub(crate) fn evict_some(&mut self, budget: usize, looks: usize) -> bool {
        let total: usize = self.tables.iter().map(|(_, t)| t.weight()).sum();
        if total <= budget {
            return true;
        }
        let mut done = true;
        let group = self.row.last_group;
        for (_, table) in &mut self.tables {
            let share = (table.weight() as u128 * budget as u128 / total.max(1) as u128) as usize;
            done &= table.evict(share, group, looks);
        }
        done
    }
    /// Rows that were not in memory when they were asked for since the last call.
    pub(crate) fn take_misses(&mut self) -> usize {
        self.tables.iter_mut().map(|(_, t)| t.take_misses()).sum()
    }
    /// Bytes of decoded rows in memory.
    pub fn cache_weight(&self) -> usize {
        self.tables.iter().map(|(_, t)| t.weight()).sum()
    }
}

fn cached<T: Table>(table: &mut Box<dyn AnyTable>) -> &mut Cached<T> {
    match table.as_mut().as_any().downcast_mut::<Cached<T>>() {
        Some(table) => table,
        None => unreachable!("tables are found by their type"),
    }
}
