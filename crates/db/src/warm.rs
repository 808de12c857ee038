//! Warming: after a start, and when work comes after a rest, rows are read on a connection of their own and handed to the
//! writer's memory piece by piece, so that the writer need not read each when it is asked for first.
//!
//! A piece is read in one snapshot that says after which group it was made; [`crate::Tx::fill`] refuses one that is too old
//! and never replaces what memory knows.
use crate::engine::Sync;
use crate::queue::Shared;
use crate::{DbError, Dialect, Engine, Location, Tx};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// Gives a piece to memory; it was read while the given group was the last one. Answers whether there is room for more.
pub type Piece = Box<dyn FnOnce(&mut Tx, i64) -> bool + Send>;

/// Reads what is likely to be asked for, the likeliest first.
pub trait Warm: Send {
    /// Begins anew; `bytes` is the room that there is.
    fn begin(&mut self, db: &mut Engine, bytes: usize) -> Result<(), DbError>;
    /// The next piece, or `None` when there is nothing more to read.
    fn next(&mut self, db: &mut Engine) -> Result<Option<Piece>, DbError>;
}

/// Memory is warmed up to this part of its room: the rest is for what is asked for beside it.
const PART: (usize, usize) = (3, 4);

pub(crate) fn start(
    mut warm: Option<Box<dyn Warm>>,
    (location, sync): (Location, Sync),
    shared: Arc<Shared>,
    room: usize,
) -> Result<JoinHandle<()>, DbError> {
    let shown = location.shown();
    let run = move || {
        let (mut wanted, room) = (true, room / PART.1 * PART.0);
        let mut ids: Option<Box<dyn Warm>> = Some(Box::new(crate::dedup::FiltersAhead::default()));
        while !shared.is_closed() {
            // Filters of ids stay in memory once they are there.
            for warm in ids.take().iter_mut().chain(warm.iter_mut().filter(|_| wanted)) {
                if let Err(error) = round(warm.as_mut(), &location, sync, &shared, room) {
                    tracing::warn!(%error, "rows could not be read ahead; each is read when it is asked for");
                }
            }
            std::thread::park_timeout(Duration::from_millis(250));
            wanted = shared.cold.swap(false, Ordering::Relaxed);
        }
    };
    let spawned = std::thread::Builder::new().name("warm".into()).spawn(run);
    spawned.map_err(|e| DbError::Open { url: shown, reason: e.to_string() })
}

/// Warming by hand, for a stepped loop: a piece is read in one step and given to memory in the next, so that it is as old as
/// what happens between two steps makes it.
pub(crate) struct ByHand {
    all: Vec<Box<dyn Warm>>,
    /// Whose turn it is, and whether it has begun.
    turn: (usize, bool),
    db: Option<Engine>,
    held: Option<(i64, Piece)>,
    home: (Location, Sync),
    room: usize,
}

impl ByHand {
    pub(crate) fn new(warm: Option<Box<dyn Warm>>, home: (Location, Sync), room: usize) -> Self {
        let ids: Box<dyn Warm> = Box::new(crate::dedup::FiltersAhead::default());
        let all = std::iter::once(ids).chain(warm).collect();
        Self { all, turn: (0, false), db: None, held: None, home, room: room / PART.1 * PART.0 }
    }

    /// The piece that was read last, for the writer.
    pub(crate) fn held(&mut self) -> Option<crate::writer::Read> {
        let (group, piece) = self.held.take()?;
        Some(Box::new(move |tx| {
            if let Ok(tx) = tx {
                piece(tx, group);
            }
        }))
    }

    /// Reads the next piece; after the last one it begins anew.
    pub(crate) fn read(&mut self) -> Result<(), DbError> {
        let mut db = match self.db.take() {
            Some(db) => db,
            None => self.home.0.open(self.home.1, true)?,
        };
        self.next(&mut db)?;
        self.db = Some(db);
        Ok(())
    }

    fn next(&mut self, db: &mut Engine) -> Result<(), DbError> {
        for _ in 0..self.all.len() {
            let (at, begun) = self.turn;
            let warm = self.all[at].as_mut();
            if !begun {
                warm.begin(db, self.room)?;
            }
            self.held = snapshot(warm, db)?;
            if self.held.is_some() {
                self.turn = (at, true);
                return Ok(());
            }
            self.turn = ((at + 1) % self.all.len(), false);
        }
        Ok(())
    }
}

fn round(warm: &mut dyn Warm, location: &Location, sync: Sync, shared: &Shared, room: usize) -> Result<(), DbError> {
    let mut db = location.open(sync, true)?;
    warm.begin(&mut db, room)?;
    let mut taken: Option<mpsc::Receiver<bool>> = None;
    loop {
        // The next piece is read while the writer takes the last one.
        let next = snapshot(warm, &mut db)?;
        // Memory is full, or the writer is gone.
        if taken.take().is_some_and(|answer| !answer.recv().unwrap_or(false)) {
            return Ok(());
        }
        let Some((group, piece)) = next else { return Ok(()) };
        let (sender, receiver) = mpsc::sync_channel(1);
        shared.push_read(Box::new(move |tx| {
            let _ = sender.send(tx.is_ok_and(|tx| piece(tx, group)));
        }))?;
        taken = Some(receiver);
    }
}

/// A piece, with the last group of the snapshot in which it was read.
fn snapshot(warm: &mut dyn Warm, db: &mut Engine) -> Result<Option<(i64, Piece)>, DbError> {
    db.batch(match db.dialect() {
        Dialect::Sqlite => "BEGIN",
        Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    let read = crate::store::read_row(db).and_then(|row| Ok((row.last_group, warm.next(db)?)));
    db.batch("COMMIT")?;
    let (group, piece) = read?;
    Ok(piece.map(|piece| (group, piece)))
}
