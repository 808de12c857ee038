//! How much a body may hold, and finding out cheaply that it does not hold more.
use crate::shape::Item;

/// Bytes of one message of this API; imports have their own limit.
pub const EVENT_BYTES_MAX: usize = 32 << 10;
/// Messages in one body.
pub const ITEMS_MAX: usize = 2500;
/// Levels of objects and lists in a message, and in a body outside of its messages.
pub const DEPTH_MAX: usize = 32;
/// Characters of a `messageId`.
pub const MESSAGE_ID_CHARS_MAX: usize = 100;
/// Characters of an event's name.
pub const NAME_CHARS_MAX: usize = 200;
/// Characters of `userId`, `anonymousId`, `previousId` and `groupId`: they become keys of tables.
pub const ID_CHARS_MAX: usize = 512;
/// Bytes of a rejected message that the debugger keeps.
pub const REJECT_BYTES_MAX: usize = 4 << 10;

/// Whether a text has more than `max` characters; counts only when its bytes leave a doubt.
pub(crate) fn longer_than(text: &str, max: usize) -> bool {
    text.len() > max && text.chars().count() > max
}

/// The longest beginning of `text` that fits into `max` bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Whether every message of a parsed body is surely short and flat enough; `false` means that it has to be looked at
/// more closely.
///
/// The parser does not tell where a message begins and ends, and asking it to would cost a second pass. But it lends
/// pieces of the text, so one place inside each message is known, and a message lies between the places of its
/// neighbours. That stretch is on average twice as long as the message, and it is nested at most as deep as it has opening
/// brackets, those inside of texts counted too.
pub(crate) fn surely_within(text: &str, items: &[Item<'_>]) -> bool {
    let base = text.as_ptr() as usize;
    let (mut from, mut size_before, mut opens_before) = (0, 0, 0);
    let (mut short, mut flat) = (true, true);
    let places = items.iter().map(|item| item.anchor().map(|a| a - base)).chain([Some(text.len())]);
    for place in places {
        let Some(place) = place else { return false };
        let (size, opens) = (place - from, opening_brackets(&text.as_bytes()[from..place]));
        short &= size_before + size <= EVENT_BYTES_MAX;
        // Less, not equal: what follows the list lies in the body's own object too.
        flat &= opens_before + opens < DEPTH_MAX;
        (from, size_before, opens_before) = (place, size, opens);
    }
    short && (flat || depth(&[text]) <= DEPTH_MAX)
}

/// Counts `{` and `[`, in a form that compiles to vector instructions.
fn opening_brackets(bytes: &[u8]) -> usize {
    // Both become `{` when bit 5 is set, and nothing else does. A sum of 255 fits into a byte.
    bytes.chunks(255).map(|c| usize::from(c.iter().map(|b| u8::from(b | 0x20 == b'{')).sum::<u8>())).sum()
}

/// Whether a single valid JSON text is nested deeper than allowed.
pub(crate) fn too_deep(text: &str) -> bool {
    opening_brackets(text.as_bytes()) > DEPTH_MAX && depth(&[text]) > DEPTH_MAX
}

/// How deep valid JSON is nested. It may be given in pieces, with whole values between them left out.
pub(crate) fn depth(pieces: &[&str]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for piece in pieces {
        let bytes = piece.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'{' | b'[' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => at = end_of_string(bytes, at),
                _ => {}
            }
            at += 1;
        }
    }
    deepest
}

/// Where the string that opens at `at` closes.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at += 1;
        match bytes.get(at) {
            Some(b'\\') => at += 1,
            Some(b'"') | None => return at,
            _ => {}
        }
    }
}
