//! The nouns: what comes in, and what comes out.
use crate::enrich::place::Loading;
use crate::enrich::{Client, KeepIp};
use base::Timestamp;
use bytes::Bytes;
use db::event::{Batch, Event, EventKind};
use db::message::Message;
use serde_json::value::RawValue;

/// What a path of the tracking API asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// One message, of the kind that the path names.
    One(EventKind),
    /// A list of messages, each with a `type` of its own.
    Batch,
}

impl Call {
    /// The call of a path's last segment (`track` of `/v1/track`); `None` for unknown ones.
    pub fn parse(segment: &str) -> Option<Self> {
        Some(match segment {
            // Segment's libraries for browsers and telephones use the first letters; `import` is its old name of a batch.
            "batch" | "b" | "import" => Call::Batch,
            "t" => Call::One(EventKind::Track),
            "i" => Call::One(EventKind::Identify),
            "p" => Call::One(EventKind::Page),
            "s" => Call::One(EventKind::Screen),
            "g" => Call::One(EventKind::Group),
            "a" => Call::One(EventKind::Alias),
            other => return EventKind::parse(other).map(Call::One),
        })
    }
}

/// What kind of sender a write key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Anybody's browser: the key is public, so what it states is checked against the profile.
    Browser,
    /// A program of the shop's own.
    Server,
    /// Files.
    Import,
    /// Braid itself.
    System,
}

/// Who sends, as found by the write key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub id: i64,
    pub kind: SourceKind,
}

/// Settings of the tracking API.
#[derive(Debug, Clone)]
pub struct Options {
    /// `collect.clock_tolerance` in microseconds: a client's clock may be this far off without being corrected.
    pub clock_tolerance_us: i64,
    /// `collect.max_body` in bytes, after unzipping.
    pub max_body: usize,
    /// Secret of this installation, so that nobody can make two message ids collide.
    pub hash_key: (u64, u64),
    /// Where addresses are; `None` while no table is there.
    pub places: Option<Loading>,
    /// `collect.keep_ip`.
    pub keep_ip: KeepIp,
}

impl Options {
    /// The defaults of `[collect]`: 60 s, 500 KiB, no table of places, networks only.
    pub fn new(hash_key: (u64, u64)) -> Self {
        Self {
            clock_tolerance_us: 60 * base::SECOND_US,
            max_body: 500 << 10,
            hash_key,
            places: None,
            keep_ip: KeepIp::Network,
        }
    }
}

/// One request of the tracking API.
#[derive(Debug, Clone)]
pub struct Request {
    pub call: Call,
    pub source: Source,
    /// The other end of the connection.
    pub client: Client,
    /// The body, unzipped.
    pub body: Bytes,
    pub received_at: Timestamp,
    /// Version of the counter set that the hook works with; goes to [`Batch::prepared_with`].
    pub prepared_with: u64,
}

/// What a body states for all its messages; a message's own fields come first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defaults<'a> {
    pub context: Option<&'a RawValue>,
    /// What was derived of the message beside what it states, a JSON object.
    pub derived: Option<&'a str>,
}

/// Fills what an event means for customers (identifiers, traits, hits, amount, consent) into it, or refuses the message,
/// for instance with the code `no_identifier`.
pub type Prepare<'p> = dyn Fn(&Message<'_>, &Defaults<'_>, &mut Event) -> Result<(), Rejection> + 'p;

/// Why one message is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Stable; the console translates by it.
    pub code: &'static str,
    /// JSON Pointer (RFC 6901) within the message: `/event`, or empty for the message as a whole.
    pub pointer: String,
    pub detail: String,
}

impl Rejection {
    /// A rejection because of the field at `pointer` within the message.
    pub fn new(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), detail: detail.into() }
    }
}

/// A message that was not taken, as the debugger shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Position in the body's list; 0 for a single message.
    pub index: u32,
    /// What the message names itself, if it can be read.
    pub message_id: Option<String>,
    pub code: &'static str,
    /// JSON Pointer within the request's body.
    pub pointer: String,
    pub detail: String,
    /// What its event is called, if it can be read.
    pub event: Option<String>,
    /// The message as it came, cut to [`crate::REJECT_BYTES_MAX`] unless the tracking plan refused it.
    pub raw: String,
    /// Of a message that may be tried again: what its body stated for all, a JSON object.
    pub envelope: Option<String>,
}

/// Something that the sender should know about a message that was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub index: u32,
    pub code: &'static str,
    /// JSON Pointer within the request's body.
    pub pointer: String,
    pub detail: String,
}

/// A body that was taken; some or all of its messages may have been rejected.
#[derive(Debug, Clone)]
pub struct Received {
    /// Nothing needs to be logged when it holds no events.
    pub batch: Batch,
    /// By index.
    pub rejects: Vec<Reject>,
    /// By index.
    pub warnings: Vec<Warning>,
}

/// A request of which nothing is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stable; the console translates by it.
    pub code: &'static str,
    pub detail: String,
    /// Seconds for the `Retry-After` header; always there with 429 and 503.
    pub retry_after_s: Option<u32>,
}
