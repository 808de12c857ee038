//! What makes two messages the same.
use crate::Options;
use db::event::EventId;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// The id of a message: a keyed hash of source and `messageId`, never 0, which marks dropped items in the log.
pub fn event_id(hash_key: (u64, u64), source: i64, message_id: &str) -> EventId {
    hash(hash_key, source, 0, message_id)
}

/// The id of a message without `messageId`: a hash of source and raw text, so that a retry is a duplicate.
pub(crate) fn content_id(options: &Options, source: i64, raw: &str) -> EventId {
    hash(options.hash_key, source, 1, raw)
}

/// The message id that stands for a missing one, made of the id under which the event is logged.
pub fn content_message_id(id: EventId) -> Box<str> {
    format!("h-{id:032x}").into()
}

/// `tag` keeps a text that is an id apart from the same text as a message.
fn hash(key: (u64, u64), source: i64, tag: u8, text: &str) -> EventId {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    let mut head = [tag; 9];
    head[..8].copy_from_slice(&source.to_le_bytes());
    hasher.write(&head);
    hasher.write(text.as_bytes());
    hasher.finish128().as_u128().max(1)
}
