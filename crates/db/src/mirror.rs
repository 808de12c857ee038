//! Committed rows that any thread may read without asking the writer.
//!
//! A page that shows whether something can be bought must not wait for the group that is being written. The writer puts what
//! it publishes, reads or forgets; whoever does not find a row asks the writer, which then finds it here for the next one.
//! A row read here is what some recent commit left: it may be a moment old, never half changed. What must be exact is decided
//! in a command.
use crate::cache::Table;
use hashbrown::{DefaultHashBuilder, HashMap};
use std::any::Any;
use std::hash::BuildHasher;
use std::sync::{Arc, RwLock};

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
    fn shard(&self, key: T::Key) -> &Shard<T> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
    fn write(&self, key: T::Key) -> std::sync::RwLockWriteGuard<'_, HashMap<T::Key, Option<T::Row>>> {
        // No row is ever half in: a panic of somebody else while the lock was held left the map whole.
        self.shard(key).write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What the writer does with a mirror. Apart from it, since not every table's rows can be read by several threads, and only
/// those that can have one.
trait Follow<T: Table>: Send + Sync {
    fn put(&self, key: T::Key, row: Option<T::Row>);
    fn forget(&self, key: T::Key);
    fn clear(&self);
}

impl<T: Table> Follow<T> for Mirror<T>
where
    T::Key: Sync,
    T::Row: Sync,
{
    fn put(&self, key: T::Key, row: Option<T::Row>) {
        self.write(key).insert(key, row);
    }
    fn forget(&self, key: T::Key) {
        self.write(key).remove(&key);
    }
    fn clear(&self) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        }
    }
}

/// A table's mirror as its cache holds it.
pub(crate) struct Held<T: Table> {
    follow: Arc<dyn Follow<T>>,
    whole: Arc<dyn Any + Send + Sync>,
}

impl<T: Table> Held<T> {
    pub(crate) fn new() -> (Self, Arc<Mirror<T>>)
    where
        T::Key: Sync,
        T::Row: Sync,
    {
        let mirror = Arc::new(Mirror::<T>::default());
        (Self { follow: mirror.clone(), whole: mirror.clone() }, mirror)
    }
    pub(crate) fn get(&self) -> Option<Arc<Mirror<T>>>
    where
        T::Key: Sync,
        T::Row: Sync,
    {
        self.whole.clone().downcast().ok()
    }
    pub(crate) fn put(&self, key: T::Key, row: Option<T::Row>) {
        self.follow.put(key, row);
    }
    pub(crate) fn forget(&self, key: T::Key) {
        self.follow.forget(key);
    }
    pub(crate) fn clear(&self) {
        self.follow.clear();
    }
}
