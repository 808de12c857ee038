//! What the writer tells after a commit: enough for a screen to know what to fetch again.
use base::Timestamp;
use std::sync::Arc;

/// Something that is now committed.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Events were logged: the row's first seq, and per kept event its seq, profile (0 = none) and person.
    Logged(Arc<Logged>),
    /// Something about a person changed besides events: identity, consent, a message.
    Person { person_id: i64 },
    /// A segment's count moved.
    Segment { id: i64, count: i64 },
    /// What can be had of a variant changed, by a movement, a claim or a claim that ended.
    Stock { variant_no: i64 },
    /// Definitions changed: screens that show them fetch again.
    Changed { what: &'static str },
    /// Items were refused.
    Rejected { source: i64, count: i64 },
    /// A job moved.
    Job(Arc<JobMoved>),
}

/// A job after it moved, briefly.
#[derive(Debug, Clone, PartialEq)]
pub struct JobMoved {
    pub id: i64,
    pub kind: String,
    pub state: crate::jobs::State,
    pub position: i64,
    /// 0 = nobody knows yet.
    pub total: i64,
    /// Units a second.
    pub rate: f64,
    pub note: String,
}

/// The events of one log row, briefly.
#[derive(Debug)]
pub struct Logged {
    pub source: i64,
    pub origin: crate::event::Origin,
    pub received_at: Timestamp,
    pub items: Vec<LoggedItem>,
}

/// One event, briefly.
#[derive(Debug)]
pub struct LoggedItem {
    pub seq: i64,
    pub profile_id: i64,
    pub person_id: i64,
}
