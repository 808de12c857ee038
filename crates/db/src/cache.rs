//! Cached tables: decoded rows in bounded memory, an overlay per group of commands, and the rotating flush.
//!
//! A row that a command changes goes to the overlay; COMMIT publishes the overlay to the cache and marks the row dirty. Dirty
//! rows of a *lazy* table lie in slices of 1,024 neighbouring keys; each group writes the next slices in key order, so that
//! a page carries many rows and each row is written at most once a turn. Until then the log is the row's truth: every row
//! carries the group that it is folded to, and a start folds the log again from the oldest group that some dirty row misses.
use crate::mirror::{Held, Mirror};
use crate::{DbError, Engine};
use hashbrown::HashMap;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

/// Rows by key as they were read; `None` where there is none.
pub type Loaded<T> = Vec<(<T as Table>::Key, Option<<T as Table>::Row>)>;

/// A table whose rows are held decoded in memory.
pub trait Table: Sized + 'static {
    type Key: Copy + Eq + Hash + Ord + Send + 'static;
    type Row: Clone + Send + 'static;
    /// The table's name in the database.
    const NAME: &'static str;
    /// Whether rows follow by rotating flush. Otherwise whoever puts a row writes it too, in the same transaction.
    const LAZY: bool;
    /// Whether every row that a group changed is written once, at the end of that group: for facts that many commands of one
    /// group change, such as the stock of what everybody buys. Not together with `LAZY`.
    const EAGER: bool = false;
    /// The slice of a key: neighbouring keys share one.
    fn slice(key: Self::Key) -> i64;
    /// Bytes that a decoded row takes in memory, roughly.
    fn weight(row: &Self::Row) -> usize;
    /// Reads a row by key.
    fn load(db: &mut Engine, key: Self::Key) -> Result<Option<Self::Row>, DbError>;
    /// Reads many rows by key, in as few statements as there can be; gives each key once, with `None` where there is no row.
    fn load_many(db: &mut Engine, keys: &[Self::Key]) -> Result<Loaded<Self>, DbError> {
        keys.iter().map(|key| Ok((*key, Self::load(db, *key)?))).collect()
    }
    /// Writes rows, sorted by key, as folded to `group`. Rows of an eager table come here in the group that changed them; one
    /// that stands for nothing any more is deleted here.
    fn flush(db: &mut Engine, rows: &[(Self::Key, &Self::Row)], group: i64) -> Result<(), DbError>;
}

struct Entry<R> {
    /// `None`: the database has no such row; or the row is lent to the overlay.
    row: Option<R>,
    weight: u32,
    /// The group after which the row in the database last changed, its low bits; 0 = before it was read.
    changed: u32,
    dirty: bool,
    used: bool,
    lent: bool,
}

struct Slice<K> {
    /// The first group whose effects some row of this slice does not have on disk.
    since_group: i64,
    keys: Vec<K>,
}

pub(crate) struct Cached<T: Table> {
    entries: HashMap<T::Key, Entry<T::Row>>,
    overlay: HashMap<T::Key, T::Row>,
    queue: VecDeque<T::Key>,
    weight: usize,
    slices: BTreeMap<i64, Slice<T::Key>>,
    cursor: i64,
    flushing: Vec<i64>,
    /// Keys that this group wrote before its end; what changes them afterwards writes them again.
    early: Vec<T::Key>,
    /// The whole table was written in the middle of this group.
    early_all: bool,
    /// Rows of the cache are in the overlay.
    lent: bool,
    /// Rows that had to be read one by one since the last time somebody asked.
    misses: usize,
    /// What other threads read of this table.
    mirror: Option<Held<T>>,
}

/// For so many groups a row that was written stays in memory: what a reader's connection read of it before is then known to
/// be old, see [`Cached::fill`].
pub(crate) const FRESH_GROUPS: i64 = 8;

/// What the writer does with every cached table without knowing its type.
pub(crate) trait AnyTable: Any + Send {
    fn publish(&mut self, group: i64);
    /// Forgets the overlay; gives whether rows of the cache went with it, so that memory must be loaded again.
    fn discard(&mut self) -> bool;
    fn clear(&mut self);
    fn flush_slices(&mut self, db: &mut Engine, group: i64, limit: usize) -> Result<usize, DbError>;
    /// Writes once more what was written in the middle of the group and may have changed since.
    fn flush_early(&mut self, db: &mut Engine, group: i64) -> Result<(), DbError>;
    /// The oldest group that a row misses on disk once the running group is committed.
    fn oldest_unflushed(&self, group: i64) -> Option<i64>;
    fn dirty_slices(&self) -> usize;
    fn dirty_rows(&self) -> usize;
    /// Forgets rows beyond a weight, looking at so many at most; tells whether the weight was reached, or all were looked at.
    fn evict(&mut self, budget: usize, group: i64, looks: usize) -> bool;
    fn take_misses(&mut self) -> usize;
    fn weight(&self) -> usize;
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<T: Table> Default for Cached<T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            overlay: HashMap::new(),
            queue: VecDeque::new(),
            weight: 0,
            slices: BTreeMap::new(),
            cursor: i64::MIN,
            flushing: Vec::new(),
            early: Vec::new(),
            early_all: false,
            lent: false,
            misses: 0,
            mirror: None,
        }
    }
}

impl<T: Table> Cached<T> {
    /// The committed rows that memory knows, for other threads; kept up to date from the first time somebody asks.
    pub(crate) fn mirror(&mut self) -> Arc<Mirror<T>>
    where
        T::Key: Sync,
        T::Row: Sync,
    {
        if let Some(known) = self.mirror.as_ref().and_then(Held::get) {
            return known;
        }
        let (held, mirror) = Held::new();
        for (key, entry) in self.entries.iter().filter(|(_, entry)| !entry.lent) {
            held.put(*key, entry.row.clone());
        }
        self.mirror = Some(held);
        mirror
    }

    /// Whether memory knows the row, or knows that there is none.
    pub(crate) fn holds(&self, key: T::Key) -> bool {
        self.overlay.contains_key(&key) || self.entries.contains_key(&key)
    }

    /// The row if memory knows it.
    pub(crate) fn peek(&self, key: T::Key) -> Option<&T::Row> {
        self.overlay.get(&key).or_else(|| self.entries.get(&key).and_then(|e| e.row.as_ref()))
    }

    /// Counts rows that were read together.
    pub(crate) fn misses(&mut self, count: usize) {
        self.misses += count;
    }

    /// Takes over a row that was read beforehand, unless memory knows it better.
    pub(crate) fn fill(&mut self, key: T::Key, row: Option<T::Row>) {
        if !self.holds(key) {
            self.insert_clean(key, row);
        }
    }

    pub(crate) fn get_with(
        &mut self,
        db: &mut Engine,
        key: T::Key,
        load: impl FnOnce(&mut Engine) -> Result<Option<T::Row>, DbError>,
    ) -> Result<Option<&T::Row>, DbError> {
        // Two look-ups where one would do: the borrow checker does not see that an early return ends the first borrow.
        if self.overlay.contains_key(&key) {
            return Ok(self.overlay.get(&key));
        }
        if !self.entries.contains_key(&key) {
            self.misses += 1;
            let row = load(db)?;
            self.insert_clean(key, row);
        }
        match self.entries.get_mut(&key) {
            Some(entry) => {
                entry.used = true;
                Ok(entry.row.as_ref())
            }
            None => Ok(None),
        }
    }

    pub(crate) fn get_mut(&mut self, db: &mut Engine, key: T::Key) -> Result<Option<&mut T::Row>, DbError> {
        if !self.overlay.contains_key(&key) {
            if self.get_with(db, key, |db| T::load(db, key))?.is_none() {
                return Ok(None);
            }
            // The row itself moves to the overlay: copying one for every event was a tenth of the writer's time, and only a
            // group that is undone would need the copy. Such a group has memory loaded again instead.
            let lent = self.entries.get_mut(&key).and_then(|entry| {
                entry.lent = true;
                entry.row.take()
            });
            if let Some(row) = lent {
                self.lent = true;
                self.overlay.insert(key, row);
            }
        }
        Ok(self.overlay.get_mut(&key))
    }

    pub(crate) fn put(&mut self, key: T::Key, row: T::Row) {
        self.overlay.insert(key, row);
    }

    /// Bytes that a row takes here.
    fn weigh(row: Option<&T::Row>) -> usize {
        row.map_or(0, T::weight) + size_of::<T::Key>() * 2 + 48
    }

    fn insert_clean(&mut self, key: T::Key, row: Option<T::Row>) {
        let weight = Self::weigh(row.as_ref());
        self.weight += weight;
        self.queue.push_back(key);
        if let Some(mirror) = &self.mirror {
            mirror.put(key, row.clone());
        }
        self.entries
            .insert(key, Entry { row, weight: weight as u32, changed: 0, dirty: false, used: true, lent: false });
    }

    /// Moves a row from the overlay to the cache; gives whether it waited for its flush already.
    fn publish_row(&mut self, key: T::Key, row: T::Row, dirty: bool, changed: u32) -> bool {
        if let Some(mirror) = &self.mirror {
            mirror.put(key, Some(row.clone()));
        }
        // A row that waits for its flush cannot be evicted before that, and then counts from there. It changes with every
        // event and is weighed once a turn, when it is written: doing so each time was 3 % of the server's time.
        let fresh = |row, weight: usize| Entry {
            row: Some(row),
            weight: weight as u32,
            changed,
            dirty,
            used: true,
            lent: false,
        };
        match self.entries.get_mut(&key) {
            Some(entry) => {
                let before = entry.weight as usize;
                let weight = if dirty && entry.dirty { before } else { Self::weigh(Some(&row)) };
                self.weight = self.weight - before + weight;
                std::mem::replace(entry, fresh(row, weight)).dirty
            }
            None => {
                let weight = Self::weigh(Some(&row));
                self.weight += weight;
                self.queue.push_back(key);
                self.entries.insert(key, fresh(row, weight));
                false
            }
        }
    }

    /// Writes every dirty row now, in the middle of a group.
    pub(crate) fn flush_all(&mut self, db: &mut Engine, group: i64) -> Result<(), DbError> {
        self.flush_slices(db, group, usize::MAX)?;
        self.early_all = true;
        self.flush_overlay(db, group, |_| true)
    }

    /// Writes some rows now, in the middle of a group.
    pub(crate) fn flush_keys(&mut self, db: &mut Engine, group: i64, keys: &[T::Key]) -> Result<(), DbError> {
        self.early.extend_from_slice(keys);
        let wanted: hashbrown::HashSet<T::Key> = keys.iter().copied().collect();
        self.flush_overlay(db, group, |key| wanted.contains(key))
    }

    fn flush_overlay(&mut self, db: &mut Engine, group: i64, wanted: impl Fn(&T::Key) -> bool) -> Result<(), DbError> {
        let mut rows: Vec<(T::Key, &T::Row)> =
            self.overlay.iter().filter(|(k, _)| wanted(k)).map(|(k, r)| (*k, r)).collect();
        rows.sort_unstable_by_key(|(k, _)| *k);
        T::flush(db, &rows, group)
    }
}

impl<T: Table> AnyTable for Cached<T>
where
    T::Row: Send,
{
    fn publish(&mut self, group: i64) {
        let written = std::mem::take(&mut self.early_all);
        let changed = group as u32;
        self.lent = false;
        self.early.clear();
        for slice in std::mem::take(&mut self.flushing) {
            let Some(done) = self.slices.remove(&slice) else { continue };
            for key in done.keys {
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.dirty = false;
                    entry.changed = changed;
                    if entry.row.is_some() {
                        self.weight -= entry.weight as usize;
                        let weight = Self::weigh(entry.row.as_ref());
                        entry.weight = weight as u32;
                        self.weight += weight;
                    }
                }
                // Written from the overlay: clean as soon as it is published, so it is published here.
                if let Some(row) = self.overlay.remove(&key) {
                    self.publish_row(key, row, false, changed);
                }
            }
        }
        let mut overlay = std::mem::take(&mut self.overlay);
        for (key, row) in overlay.drain() {
            let was_dirty = self.publish_row(key, row, T::LAZY && !written, changed);
            if T::LAZY && !written && !was_dirty {
                let slice =
                    self.slices.entry(T::slice(key)).or_insert_with(|| Slice { since_group: group, keys: Vec::new() });
                slice.keys.push(key);
            }
        }
        // Its room is kept for the next group.
        self.overlay = overlay;
    }

    fn flush_early(&mut self, db: &mut Engine, group: i64) -> Result<(), DbError> {
        if self.early_all || T::EAGER {
            return self.flush_overlay(db, group, |_| true);
        }
        let slices = std::mem::take(&mut self.flushing);
        let early: hashbrown::HashSet<T::Key> = self.early.iter().copied().collect();
        let out = if slices.is_empty() && early.is_empty() {
            Ok(())
        } else {
            self.flush_overlay(db, group, |key| early.contains(key) || slices.contains(&T::slice(*key)))
        };
        self.flushing = slices;
        out
    }

    fn discard(&mut self) -> bool {
        self.overlay.clear();
        self.early.clear();
        self.early_all = false;
        self.flushing.clear();
        std::mem::take(&mut self.lent)
    }

    fn clear(&mut self) {
        let mirror = self.mirror.take();
        if let Some(mirror) = &mirror {
            mirror.clear();
        }
        *self = Self { mirror, ..Self::default() };
    }

    fn flush_slices(&mut self, db: &mut Engine, group: i64, limit: usize) -> Result<usize, DbError> {
        let chosen: Vec<i64> = self
            .slices
            .range(self.cursor.saturating_add(1)..)
            .chain(self.slices.range(..=self.cursor))
            .map(|(slice, _)| *slice)
            .filter(|slice| !self.flushing.contains(slice))
            .take(limit)
            .collect();
        for slice in &chosen {
            let Some(found) = self.slices.get_mut(slice) else { continue };
            found.keys.sort_unstable();
            let rows: Vec<(T::Key, &T::Row)> = found
                .keys
                .iter()
                .filter_map(|key| {
                    let row = self.overlay.get(key).or_else(|| self.entries.get(key).and_then(|e| e.row.as_ref()));
                    row.map(|row| (*key, row))
                })
                .collect();
            T::flush(db, &rows, group)?;
            self.flushing.push(*slice);
            self.cursor = *slice;
        }
        Ok(chosen.len())
    }

    fn oldest_unflushed(&self, group: i64) -> Option<i64> {
        let waiting = self.slices.iter().filter(|(slice, _)| !self.flushing.contains(slice));
        let oldest = waiting.map(|(_, s)| s.since_group).min();
        let fresh = (T::LAZY && !self.early_all && !self.overlay.is_empty()).then_some(group);
        match (oldest, fresh) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn dirty_slices(&self) -> usize {
        self.slices.len()
    }

    fn dirty_rows(&self) -> usize {
        self.slices.values().map(|s| s.keys.len()).sum()
    }

    fn take_misses(&mut self) -> usize {
        std::mem::take(&mut self.misses)
    }

    fn evict(&mut self, budget: usize, group: i64, looks: usize) -> bool {
        let fresh = |changed: u32| changed != 0 && (group as u32).wrapping_sub(changed) <= FRESH_GROUPS as u32;
        // A second chance for what was used since the last look; one round over the queue at most.
        let all = looks >= self.queue.len();
        let mut looks = looks.min(self.queue.len());
        while self.weight > budget && looks > 0 {
            looks -= 1;
            let Some(key) = self.queue.pop_front() else { break };
            match self.entries.get_mut(&key) {
                Some(entry) if entry.dirty || entry.used || entry.lent || fresh(entry.changed) => {
                    entry.used = false;
                    self.queue.push_back(key);
                }
                Some(entry) => {
                    self.weight -= entry.weight as usize;
                    self.entries.remove(&key);
                    if let Some(mirror) = &self.mirror {
                        mirror.forget(key);
                    }
                }
                None => {}
            }
        }
        if self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to_fit();
            self.queue.shrink_to_fit();
        }
        all || self.weight <= budget
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
