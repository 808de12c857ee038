//! Committed rows that any thread may read without asking the writer.
//!
//! A page that shows whether something can be bought must not wait for the group that is being written. The writer puts what
//! it publishes, reads or forgets; whoever does not find a row asks the writer, which then finds it here for the next one.
//! A row read here is what some recent commit left: it may be a moment old, never half changed. What must be exact is decided
//! in a command.
use crate::cache::Table;
use hashbrown::{DefaultHashBuilder, HashMap};
use std::hash::BuildHasher;
use std::sync::RwLock;

/// So many parts with a lock each: readers of different rows hardly ever meet.
const SHARDS: usize = 16;

type Shard<T> = RwLock<HashMap<<T as Table>::Key, Option<<T as Table>::Row>>>;

/// Rows of a table as they were committed last; as many as the writer's cache holds.
pub struct Mirror<T: Table> {
    shards: [Shard<T>; SHARDS],
    hasher: DefaultHashBuilder,
}

impl<T: Table> Default for Mirror<T> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()), hasher: DefaultHashBuilder::default() }
    }
}

impl<T: Table> Mirror<T> {
    /// The row; `None` if memory does not know it, `Some(None)` if it knows that there is none.
    pub fn get(&self, key: T::Key) -> Option<Option<T::Row>> {
        let shard = self.shard(key).read().unwrap_or_else(std::sync::PoisonError::into_inner);
        shard.get(&key).cloned()
    }
    pub(crate) fn put(&self, key: T::Key, row: Option<T::Row>) {
        self.write(key).insert(key, row);
    }
    pub(crate) fn forget(&self, key: T::Key) {
        self.write(key).remove(&key);
    }
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        }
    }
    fn shard(&self, key: T::Key) -> &Shard<T> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
    fn write(&self, key: T::Key) -> std::sync::RwLockWriteGuard<'_, HashMap<T::Key, Option<T::Row>>> {
        // No row is ever half in: a panic of somebody else while the lock was held left the map whole.
        self.shard(key).write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
