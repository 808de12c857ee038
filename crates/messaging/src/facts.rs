//! What the gate wants to know and this crate does not own.
use db::{DbError, Tx};

/// A person as a message sees one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PersonFacts {
    /// The person's own id: the oldest profile's.
    pub person_id: i64,
    /// Every profile of the person, the person's own id among them.
    pub members: Vec<i64>,
    /// Traits by name; values of any JSON type.
    pub traits: serde_json::Map<String, serde_json::Value>,
    /// The person's addresses per channel, the preferred one first. The channel `email` holds e-mail addresses.
    pub emails: Vec<String>,
    /// Some profile of the person unsubscribed from everything.
    pub unsubscribed: bool,
}

/// Where the gate's facts come from. All of it is read inside the transaction that decides.
pub trait GateFacts {
    /// Whether the person is in the segment now, timers that are overdue taken into account.
    fn membership(&mut self, tx: &mut Tx, segment_id: i64, person_id: i64) -> Result<bool, DbError>;
    /// The person that a profile belongs to now; `None` when nobody is left there (erased).
    fn person(&mut self, tx: &mut Tx, profile_id: i64) -> Result<Option<PersonFacts>, DbError>;
    /// The profiles of the person that a profile belongs to now; empty when nobody is left. Asked at every entry, so that
    /// implementations answer it without reading traits.
    fn members(&mut self, tx: &mut Tx, profile_id: i64) -> Result<Vec<i64>, DbError> {
        Ok(self.person(tx, profile_id)?.map(|p| p.members).unwrap_or_default())
    }
    /// The newest consent row of an address for a purpose: granted, denied, or none.
    fn consent(&mut self, tx: &mut Tx, channel: &str, address: &str, purpose: &str) -> Result<Option<bool>, DbError>;
    /// The properties of a logged event as JSON text; `None` when the event is gone.
    fn event_properties(&mut self, tx: &mut Tx, seq: i64) -> Result<Option<String>, DbError>;
    /// Whether a segment of this id exists and is not archived.
    fn segment_exists(&mut self, tx: &mut Tx, segment_id: i64) -> Result<bool, DbError>;
}
