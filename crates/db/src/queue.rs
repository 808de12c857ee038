//! What waits for the writer, and what callers and the loop share.
use crate::DbError;
use crate::writer::{Command, Read};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) writes: VecDeque<Box<dyn Command>>,
    pub(crate) reads: VecDeque<Read>,
    pub(crate) closed: bool,
    pub(crate) poked: bool,
    /// What a simulation asks the loop to do; see [`crate::writer::Options::stepped`].
    pub(crate) steps: VecDeque<Step>,
}

/// Something that a loop does by itself, unless it is stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What is due: a bounded piece of it.
    Tick,
    /// A few dirty slices are written.
    Flush,
    /// The piece that was read ahead by the last such step is given to memory, and the next one is read.
    Warm,
}

/// What callers and the loop share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    pub(crate) wake: Condvar,
    capacity: usize,
    pub(crate) dead: AtomicBool,
    pub(crate) observed: AtomicBool,
    /// Figures for metrics: groups, events of the last group, microseconds of the last commit, dirty rows.
    pub(crate) groups: AtomicI64,
    pub(crate) last_group_events: AtomicUsize,
    pub(crate) last_commit_us: AtomicI64,
    pub(crate) dirty_rows: AtomicUsize,
    pub(crate) cache_bytes: AtomicUsize,
    pub(crate) replays: AtomicI64,
    pub(crate) statements: AtomicU64,
    /// Work came after memory was given back.
    pub(crate) cold: AtomicBool,
    pub(crate) group_sizes: Mutex<VecDeque<u32>>,
}

impl Shared {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            queue: Mutex::default(),
            wake: Condvar::new(),
            capacity,
            dead: AtomicBool::new(false),
            observed: AtomicBool::new(false),
            groups: AtomicI64::new(0),
            last_group_events: AtomicUsize::new(0),
            last_commit_us: AtomicI64::new(0),
            dirty_rows: AtomicUsize::new(0),
            cache_bytes: AtomicUsize::new(0),
            replays: AtomicI64::new(0),
            statements: AtomicU64::new(0),
            cold: AtomicBool::new(false),
            group_sizes: Mutex::default(),
        }
    }
    pub(crate) fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic while the queue is locked cannot leave it half changed: every change is one push or pop.
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    /// Whether nothing more is taken.
    pub(crate) fn is_closed(&self) -> bool {
        self.dead.load(Ordering::SeqCst) || self.lock().closed
    }
    pub(crate) fn push(&self, command: Box<dyn Command>) {
        let refused = {
            let mut queue = self.lock();
            if queue.closed || self.dead.load(Ordering::SeqCst) {
                Some((command, DbError::Stopped))
            } else if queue.writes.len() >= self.capacity {
                Some((command, DbError::QueueFull))
            } else {
                queue.writes.push_back(command);
                None
            }
        };
        match refused {
            Some((command, error)) => command.finish(Err(error)),
            None => self.wake.notify_one(),
        }
    }
    pub(crate) fn push_read(&self, read: Read) -> Result<(), DbError> {
        let mut queue = self.lock();
        if queue.closed || self.dead.load(Ordering::SeqCst) {
            return Err(DbError::Stopped);
        }
        if queue.reads.len() >= self.capacity {
            return Err(DbError::QueueFull);
        }
        queue.reads.push_back(read);
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }
    pub(crate) fn poke(&self) {
        self.lock().poked = true;
        self.wake.notify_one();
    }
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn push_step(&self, step: Step) {
        let mut queue = self.lock();
        if !queue.closed && !self.dead.load(Ordering::SeqCst) {
            queue.steps.push_back(step);
        }
    }
    /// Answers everything that waits: nobody will do it.
    pub(crate) fn drain(&self, error: &DbError) {
        let (commands, reads): (Vec<_>, Vec<_>) = {
            let mut queue = self.lock();
            queue.steps.clear();
            (queue.writes.drain(..).collect(), queue.reads.drain(..).collect())
        };
        for read in reads {
            read(Err(error.clone()));
        }
        for command in commands {
            command.finish(Err(error.clone()));
        }
    }
    pub(crate) fn depth(&self) -> usize {
        self.lock().writes.len()
    }
}
