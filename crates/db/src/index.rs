//! The index of a profile: which events are its own, when they happened, and what they are called.
//!
//! The newest entries (the *tail*) live inside the profile's row; at [`CHUNK`] entries they move to a chunk of
//! `profile_index`, keyed by the seq of the chunk's first entry, so that moving them twice changes nothing.
use crate::pack::{Reader, put_i64, put_u64};
use crate::{Bulk, DbError, Engine, Tx};
use base::Timestamp;

/// Entries in a chunk.
pub const CHUNK: usize = 64;

/// One event of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    pub seq: i64,
    pub timestamp: Timestamp,
    /// Number of the event's name, see [`crate::names`].
    pub name: u32,
}

/// The newest entries of a profile, packed: a decoded row is held in memory by the hundred thousand, and 24 bytes an entry
/// were half of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    packed: Vec<u8>,
    count: u32,
    last: Option<Entry>,
}

impl Tail {
    /// Adds an entry.
    pub fn push(&mut self, entry: Entry) {
        let (seq, time) = self.last.map_or((0, 0), |l| (l.seq, l.timestamp.micros()));
        put_i64(&mut self.packed, entry.seq.wrapping_sub(seq));
        put_i64(&mut self.packed, entry.timestamp.micros().wrapping_sub(time));
        put_u64(&mut self.packed, u64::from(entry.name));
        self.count += 1;
        self.last = Some(entry);
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// The entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        let mut reader = Reader::new(&self.packed);
        unpack_some(&mut reader, u64::from(self.count)).unwrap_or_else(|e| panic!("what was packed here unpacks: {e}"))
    }
    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        self.packed.capacity()
    }
    /// Writes it as [`pack`] does.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, u64::from(self.count));
        out.extend_from_slice(&self.packed);
    }
}

impl From<Vec<Entry>> for Tail {
    fn from(entries: Vec<Entry>) -> Self {
        let mut out = Self::default();
        entries.into_iter().for_each(|e| out.push(e));
        out
    }
}

/// Packs entries: count, then per entry seq delta, time delta and name. About 6 to 10 bytes each.
pub fn pack(entries: &[Entry], out: &mut Vec<u8>) {
    put_u64(out, entries.len() as u64);
    let (mut seq, mut time) = (0, 0);
    for entry in entries {
        put_i64(out, entry.seq - seq);
        put_i64(out, entry.timestamp.micros().wrapping_sub(time));
        put_u64(out, u64::from(entry.name));
        (seq, time) = (entry.seq, entry.timestamp.micros());
    }
}

/// The inverse of [`pack`].
pub fn unpack(reader: &mut Reader<'_>) -> Result<Vec<Entry>, DbError> {
    let count = reader.u64()?;
    unpack_some(reader, count)
}

fn unpack_some(reader: &mut Reader<'_>, count: u64) -> Result<Vec<Entry>, DbError> {
    let mut out = Vec::with_capacity(count.min(4096) as usize);
    let (mut seq, mut time) = (0i64, 0i64);
    for _ in 0..count {
        seq = seq.wrapping_add(reader.i64()?);
        time = time.wrapping_add(reader.i64()?);
        let name = u32::try_from(reader.u64()?).map_err(|e| DbError::damaged("a profile's index", e))?;
        out.push(Entry { seq, timestamp: Timestamp::from_micros(time), name });
    }
    Ok(out)
}

const CHUNKS: Bulk = Bulk {
    table: "profile_index",
    columns: &[("profile_id", 'i'), ("chunk", 'i'), ("entries", 'b')],
    key: 2,
    insert_only: false,
};
static CHUNKS_BULK: Bulk = CHUNKS;

/// Moves a full tail to a chunk of its own.
pub fn spill(tx: &mut Tx, profile_id: i64, tail: &[Entry]) {
    let Some(first) = tail.first() else { return };
    let mut entries = Vec::with_capacity(tail.len() * 10);
    pack(tail, &mut entries);
    tx.append(&CHUNKS_BULK, vec![profile_id.into(), first.seq.into(), entries.into()]);
}

/// All spilled entries of a profile, in seq order.
pub fn chunks(db: &mut Engine, profile_id: i64) -> Result<Vec<Entry>, DbError> {
    let mut out = Vec::new();
    db.each(
        "SELECT entries FROM profile_index WHERE profile_id = $1 ORDER BY chunk",
        &[profile_id.into()],
        &mut |row| {
            out.extend(unpack(&mut Reader::new(row.blob(0)?))?);
            Ok(true)
        },
    )?;
    Ok(out)
}

/// Replaces all chunks of a profile, when its events were moved; gives what stays for the tail.
pub fn rewrite(tx: &mut Tx, profile_id: i64, entries: &[Entry]) -> Result<Tail, DbError> {
    tx.execute("DELETE FROM profile_index WHERE profile_id = $1", &[profile_id.into()])?;
    let full = entries.len() / CHUNK * CHUNK;
    for chunk in entries[..full].chunks(CHUNK) {
        spill(tx, profile_id, chunk);
    }
    Ok(entries[full..].to_vec().into())
}
