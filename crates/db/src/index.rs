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
    columns: &[("profile_id", 'i'), ("chunk", 'i'), ("entries", 'b'), ("newest", 'i'), ("oldest", 'i'), ("names", 'i')],
    key: 2,
    insert_only: false,
};
static CHUNKS_BULK: Bulk = CHUNKS;

/// Moves a full tail to a chunk of its own.
pub fn spill(tx: &mut Tx, profile_id: i64, tail: &[Entry]) {
    let Some(first) = tail.first() else { return };
    let mut entries = Vec::with_capacity(tail.len() * 10);
    pack(tail, &mut entries);
    let times = tail.iter().map(|e| e.timestamp.micros());
    let (newest, oldest) = (times.clone().max().unwrap_or(0), times.min().unwrap_or(0));
    let names = tail.iter().fold(0, |mask, e| mask | name_bit(e.name));
    let row = [profile_id.into(), first.seq.into(), entries.into(), newest.into(), oldest.into(), names.into()];
    tx.append(&CHUNKS_BULK, row.into());
}

/// The bit of a name in a chunk's `names`. Several names share a bit, so a set bit says "perhaps", a clear one "no".
pub fn name_bit(name: u32) -> i64 {
    1 << (name % 63)
}

/// What a chunk of a store of before says of its times: nothing, so it comes first and is always read.
pub const UNKNOWN: i64 = i64::MAX;

/// Which chunks of a profile, those with the newest event first.
#[derive(Debug, Clone, Copy)]
pub struct Newest {
    /// Only chunks behind this one: its `newest`, and its own number. `(i64::MAX, i64::MAX)` for the first.
    pub behind: (i64, i64),
    /// Only chunks with an event at or before this moment, in microseconds.
    pub until: i64,
    /// Only chunks with an event at or after this moment.
    pub from: i64,
    /// Only chunks that share a bit with this; -1 for all.
    pub names: i64,
}

/// A chunk as [`NEWEST`] gives it.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The greatest time of its entries, or [`UNKNOWN`].
    pub newest: i64,
    pub chunk: i64,
    pub entries: Vec<Entry>,
}

/// Chunks of a profile in the order of their newest event, the latest first, at most `$7`. See [`Newest`].
pub const NEWEST: &str = "SELECT newest, chunk, entries FROM profile_index WHERE profile_id = $1 \
     AND (newest < $2 OR (newest = $2 AND chunk < $3)) AND oldest <= $4 AND newest >= $5 \
     AND (names & $6) <> 0 ORDER BY newest DESC, chunk DESC LIMIT $7";

impl Newest {
    /// The parameters of [`NEWEST`].
    pub fn params(&self, profile_id: i64, limit: i64) -> [crate::Value<'static>; 7] {
        let Self { behind: (newest, chunk), until, from, names } = *self;
        [profile_id.into(), newest.into(), chunk.into(), until.into(), from.into(), names.into(), limit.into()]
    }
}

impl Chunk {
    /// Reads a row of [`NEWEST`].
    pub fn read(row: &crate::Row) -> Result<Self, DbError> {
        let entries = unpack(&mut Reader::new(row.blob(2)?))?;
        Ok(Self { newest: row.int(0)?, chunk: row.int(1)?, entries })
    }
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
