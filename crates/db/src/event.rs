//! An event on its way to the log: what the writer needs to know of it, ready to be folded.
//!
//! The log itself keeps the request's body as it came. This is the digest that is made of it on the threads that take
//! requests, so that the writer does only what needs order.
use base::{Decimal, Timestamp};
use bytes::Bytes;

/// What identifies an event for ever: 128 bits of a keyed hash over source and message id.
pub type EventId = u128;

/// The calls of the tracking API (CONVENTIONS 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    Identify,
    Track,
    Page,
    Screen,
    Group,
    Alias,
}

impl EventKind {
    /// The call's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Identify => "identify",
            EventKind::Track => "track",
            EventKind::Page => "page",
            EventKind::Screen => "screen",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
        }
    }
    /// The call of a name; `None` for names that are no call.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "identify" => EventKind::Identify,
            "track" => EventKind::Track,
            "page" => EventKind::Page,
            "screen" => EventKind::Screen,
            "group" => EventKind::Group,
            "alias" => EventKind::Alias,
            _ => return None,
        })
    }
}

/// Where a body came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The tracking API.
    Tracking = 0,
    /// A file; its ids never expire and its times are not corrected.
    Import = 1,
    /// Written by Braid itself, about a profile that is already known.
    Derived = 2,
}

impl Origin {
    /// The inverse of `as i64`.
    pub fn from_code(code: i64) -> Self {
        match code {
            1 => Origin::Import,
            2 => Origin::Derived,
            _ => Origin::Tracking,
        }
    }
}

/// One identifier that an event carries, normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// `user_id`, `email`, `phone`, `anonymous_id`, `android.id`, …
    pub kind: Box<str>,
    /// The normalised value.
    pub value: Box<str>,
    /// Keyed hash of kind and value, the key of the identifier cache.
    pub hash: u128,
}

/// A value that a counter keeps of an event. Text and numbers of different types never compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
}

/// "This event counts for that counter", found before the event reaches the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The counter's id in the counter set that the batch was prepared with.
    pub counter: u32,
    /// What the counter's field holds; empty for plain counts, several for a list's elements.
    pub values: Vec<Scalar>,
}

/// Money that an order event moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Minor units, positive for `Order Completed` and `Order Refunded` alike.
    pub minor: i64,
    /// ISO 4217, capitals.
    pub currency: Box<str>,
}

/// A consent that an event states, still to be checked against who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentClaim {
    pub channel: Box<str>,
    pub purpose: Box<str>,
    /// Normalised; `None` = the event's own address of that channel.
    pub address: Option<Box<str>>,
    pub granted: bool,
    pub wording: Box<str>,
    pub wording_version: Box<str>,
}

/// What an event adds to the standing facts of its profile; the codes are those of `customers::facts`, 0 is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touch {
    /// What was done.
    pub act: u8,
    /// What the same event shows besides, such as how an order was handed over.
    pub also: u8,
    pub channel: u8,
    pub device: u8,
    /// Seconds of the staff's time that it cost.
    pub seconds: u32,
    /// What it was about: a product, an order.
    pub item: Option<Box<str>>,
    /// The product's category.
    pub group: Option<Box<str>>,
    /// A contact point that cannot be used any more.
    pub lost: Option<Box<Loss>>,
}

/// A contact point that its provider says is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// As it is stored among the identifiers; empty when the event does not say.
    pub address: Box<str>,
    /// Why, a code of `customers::facts`.
    pub reason: u8,
}

/// One event, ready for the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Position in the body's list; the event's seq is the row's first seq plus this.
    pub index: u32,
    pub id: EventId,
    /// The message id as text: it breaks ties of time.
    pub message_id: Box<str>,
    /// When it happened, corrected (CONTRACTS 3).
    pub timestamp: Timestamp,
    pub kind: EventKind,
    /// Event name after aliases (`Page Viewed` for a page call); empty for identify, group and alias.
    pub name: Box<str>,
    /// In order of priority, highest first; no duplicates.
    pub identifiers: Vec<Identifier>,
    /// Traits that the event sets: name and JSON text, `None` removes.
    pub traits: Vec<(Box<str>, Option<Box<str>>)>,
    /// Counters that the event touches.
    pub hits: Vec<Hit>,
    /// For `Order Completed` and `Order Refunded`.
    pub amount: Option<Amount>,
    /// `alias`: the id that was used before.
    pub previous_id: Option<Box<str>>,
    pub consent: Option<ConsentClaim>,
    pub touch: Touch,
    /// Derived events only: the profile that it is about.
    pub profile_id: Option<i64>,
    /// The id is a hash of content without a time of its own: a duplicate for ten minutes only.
    pub weak_id: bool,
    /// `context.active` is false: the person did nothing, so it is no sign of life.
    pub passive: bool,
}

/// What one request, or one piece of a file, hands to the writer.
#[derive(Debug, Clone)]
pub struct Batch {
    pub source: i64,
    pub origin: Origin,
    /// Whether the source is a browser: grants from there are checked against the profile.
    pub browser: bool,
    pub received_at: Timestamp,
    /// The body as it came: JSON text.
    pub raw: Bytes,
    /// The body in zstd, ready to be stored.
    pub packed: Vec<u8>,
    /// What was derived of the items, packed as crate `collect` does; empty for nothing.
    pub extra: Vec<u8>,
    /// Items in the body, dropped ones included.
    pub count: u32,
    /// The items that were accepted, by index.
    pub events: Vec<Event>,
    /// Version of the counter set that `hits` were found with; the writer finds them again when it is not current.
    pub prepared_with: u64,
}
