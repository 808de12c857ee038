//! What somebody looked at last: each thing once, with the newest time, packed so that another look costs no allocation.

/// Products that are remembered.
pub const PRODUCTS_MAX: usize = 5;
/// Categories that are remembered.
pub const CATEGORIES_MAX: usize = 3;
/// Longest value, in bytes; longer ones are cut.
const VALUE_MAX: usize = 64;
/// Subject, time, tie and length before the value.
const HEAD: usize = 14;

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Product = 0,
    Category = 1,
}

/// One thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent<'a> {
    pub subject: Subject,
    /// Microseconds.
    pub at: i64,
    /// A hash of the message id, which orders what has the same time.
    pub tie: u32,
    pub value: &'a str,
}

/// The lists of a profile: by subject, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recents(Vec<u8>);

/// A hash of a message id, the same on every machine (FNV-1a).
pub fn tie(message_id: &str) -> u32 {
    message_id.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Recents {
    /// The things, products first, newest first.
    pub fn iter(&self) -> impl Iterator<Item = Recent<'_>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let (recent, next) = read(&self.0, from)?;
            from = next;
            Some(recent)
        })
    }
    /// The values of a subject, newest first.
    pub fn of(&self, subject: Subject) -> impl Iterator<Item = Recent<'_>> {
        self.iter().filter(move |r| r.subject == subject)
    }
    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        self.0.capacity()
    }
    /// The packed form.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
    /// The inverse of [`Recents::bytes`]; `None` for bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut from = 0;
        while from < bytes.len() {
            from = read(bytes, from)?.1;
        }
        Some(Self(bytes.to_vec()))
    }

    /// Adds a thing, or renews its time; of each subject the newest stay.
    pub fn insert(&mut self, subject: Subject, at: i64, tie: u32, value: &str) {
        let value = cut(value);
        let rank = (at, tie, value);
        let (mut from, mut place, mut held, mut count) = (0, None, None, 0);
        let mut last = 0;
        while let Some((found, next)) = read(&self.0, from) {
            if found.subject > subject {
                break;
            }
            if found.subject == subject {
                if found.value == value {
                    if (found.at, found.tie) >= (at, tie) {
                        return;
                    }
                    held = Some((from, next));
                } else {
                    count += 1;
                    if place.is_none() && (found.at, found.tie, found.value) < rank {
                        place = Some(from);
                    }
                    last = from;
                }
            }
            from = next;
        }
        let max = if subject == Subject::Product { PRODUCTS_MAX } else { CATEGORIES_MAX };
        let place = match place {
            Some(place) => place,
            None if count >= max => return,
            None => from,
        };
        // What goes: its older self, or the oldest when there are enough.
        let gone = held.or_else(|| (count >= max).then(|| (last, read(&self.0, last).map_or(last, |(_, end)| end))));
        self.replace(place, gone, subject, at, tie, value);
    }

    fn replace(
        &mut self,
        mut place: usize,
        gone: Option<(usize, usize)>,
        subject: Subject,
        at: i64,
        tie: u32,
        value: &str,
    ) {
        if let Some((from, to)) = gone {
            if from < place {
                place -= to - from;
            }
            self.0.copy_within(to.., from);
            self.0.truncate(self.0.len() - (to - from));
        }
        let (size, end) = (HEAD + value.len(), self.0.len());
        if self.0.capacity() < end + size {
            self.0.reserve_exact(end + size - end);
        }
        self.0.resize(end + size, 0);
        self.0.copy_within(place..end, place + size);
        let into = &mut self.0[place..place + size];
        into[0] = subject as u8;
        into[1..9].copy_from_slice(&at.to_le_bytes());
        into[9..13].copy_from_slice(&tie.to_le_bytes());
        into[13] = value.len() as u8;
        into[HEAD..].copy_from_slice(value.as_bytes());
    }
}

fn cut(value: &str) -> &str {
    let mut end = value.len().min(VALUE_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

fn read(bytes: &[u8], from: usize) -> Option<(Recent<'_>, usize)> {
    let head = bytes.get(from..from + HEAD)?;
    let subject = match head[0] {
        0 => Subject::Product,
        1 => Subject::Category,
        _ => return None,
    };
    let at = i64::from_le_bytes(head[1..9].try_into().ok()?);
    let tie = u32::from_le_bytes(head[9..13].try_into().ok()?);
    let end = from + HEAD + usize::from(head[13]);
    let value = std::str::from_utf8(bytes.get(from + HEAD..end)?).ok()?;
    Some((Recent { subject, at, tie, value }, end))
}
