//! Collect: the rules of the tracking API, from bytes to events that the writer can take.
//!
//! Start at [`receive`]: a body goes in; accepted events, rejects and warnings come out, or a [`Refusal`] of the whole
//! body. [`decode`] reads the same bodies again from the log, with the ids and times that were decided then. Around them:
//! [`correct`] (when it happened), [`event_id`] (what makes two messages the same), [`write_key`] and [`RateLimit`] (who
//! may send, and how fast), [`answer`] (what the sender hears), [`enrich`] (what an
//! event tells between its lines), [`pack`] and [`gunzip`] (bytes).
//!
//! Invariants: an accepted event is never later than its receipt nor, unless the receipt is, before 2000; a bad item never
//! costs a good one its place; a stored body says of itself which call each message is, so that the log can be read without
//! anything beside it; whatever the bytes, nothing here panics.
//!
//! Deliberately absent: HTTP (crate `server`), what an event means for a customer (crate `customers`, reached through the
//! [`Prepare`] hook), and duplicates, which only the writer knows.
mod accept;
mod decode;
mod diagnose;
pub mod enrich;
mod id;
mod limits;
mod model;
mod name;
mod packing;
pub mod plan;
mod rate;
mod receive;
mod shape;
mod time;

pub mod answer;
pub mod write_key;

pub use accept::clean;
pub use db::compress::pack;
pub use decode::{ERASED, Stored, decode};
pub use enrich::extra::Extra;
pub use enrich::{Client, KeepIp};
pub use id::{content_message_id, event_id};
pub use limits::{
    DEPTH_MAX, EVENT_BYTES_MAX, ID_CHARS_MAX, ITEMS_MAX, MESSAGE_ID_CHARS_MAX, NAME_CHARS_MAX, REJECT_BYTES_MAX,
};
pub use model::{
    Call, Defaults, Options, Prepare, Received, Refusal, Reject, Rejection, Request, Source, SourceKind, Warning,
};
pub use packing::gunzip;
pub use rate::{RateLimit, RetryAfter};
pub use receive::receive;
pub use time::{Corrected, TimeWarning, correct};

#[cfg(test)]
mod tests;
