//! What reacts to a logged event inside its transaction.
//!
//! The reactors run in a fixed order for each event of a batch; each sees what the ones before it found. Events that they
//! write themselves are fed again after the batch, round by round.
use crate::event::{Event, Origin};
use crate::{DbError, Tx};
use base::Timestamp;

/// An event that Braid writes itself, about a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub profile_id: i64,
    pub name: Box<str>,
    /// A JSON object.
    pub properties: String,
    /// When it happened; for what a timer did, the timer's due time.
    pub timestamp: Timestamp,
}

/// A person entered or left a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    pub segment_id: i64,
    pub person_id: i64,
    pub entered: bool,
    /// Whether rules may act on it; not so for what a backfill or a merge found.
    pub triggers: bool,
    pub at: Timestamp,
}

/// One event on its way through the reactors.
pub struct Happened<'a> {
    pub event: &'a Event,
    pub seq: i64,
    pub source: i64,
    pub origin: Origin,
    pub browser: bool,
    pub received_at: Timestamp,
    /// Number of the event's name, 0 for those without.
    pub name: u32,
    /// Where it was placed, by `customers`; 0 = nobody's.
    pub profile_id: i64,
    /// The person that the profile belongs to; 0 = nobody.
    pub person_id: i64,
    /// The event made the person: nothing of it can be in the database.
    pub created: bool,
    /// The person is new, or what it consists of changed: everything must be evaluated.
    pub person_changed: bool,
    /// People that this event's edges absorbed.
    pub absorbed: Vec<i64>,
    /// Memberships that the event changed, by `segments`.
    pub moved: Vec<Moved>,
    /// Events to be fed after the batch.
    pub appended: Vec<NewEvent>,
}

/// A room's part in the transaction of an event.
pub trait Reactor: Send {
    /// The room.
    fn name(&self) -> &'static str;
    /// Reacts to one event.
    fn react(&mut self, tx: &mut Tx, happened: &mut Happened<'_>) -> Result<(), DbError>;
}

/// Rounds in which events may call forth events, before what is left is parked.
pub const ROUNDS_MAX: usize = 8;
