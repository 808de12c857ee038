//! Who is read ahead after a start: the people who were seen last, with their identifiers and memberships.
use customers::identifier;
use customers::profiles::{IdentifierTable, Owner, Profiles};
use db::store::read_row;
use db::warm::{Piece, Warm};
use db::{DbError, Engine, Table};
use segments::runtime::Memberships;

/// Profiles in a piece: some twenty milliseconds of reading, and two of the writer's time; it takes a piece a group.
const PIECE: usize = 2048;
/// What a person takes in memory at the least, to bound how many ids are read.
const PERSON_BYTES: usize = 600;

/// Reads people ahead.
#[derive(Default)]
pub struct People {
    /// Profiles still to be read, in pieces of neighbours; the people seen last stand at the end.
    waiting: Vec<i64>,
    hash_key: (u64, u64),
    segments: bool,
    room: usize,
}

const SEEN_LAST: &str = "SELECT profile_id FROM profile_list ORDER BY slot DESC, profile_id DESC LIMIT $1";
const ANY_SEGMENT: &str = "SELECT id FROM segments WHERE archived_at = 0 LIMIT 1";

impl Warm for People {
    fn begin(&mut self, db: &mut Engine, bytes: usize) -> Result<(), DbError> {
        self.hash_key = read_row(db)?.hash_key;
        self.segments = db.first(ANY_SEGMENT, &[])?.is_some();
        self.waiting.clear();
        self.room = bytes;
        let limit = (bytes / PERSON_BYTES) as i64;
        db.each(SEEN_LAST, &[limit.into()], &mut |row| {
            self.waiting.push(row.int(0)?);
            Ok(true)
        })?;
        // Neighbours share pages, so many pieces are put in order together; the last ones seen still come first.
        for part in self.waiting.chunks_mut(PIECE * 16) {
            part.sort_unstable();
        }
        self.waiting.reverse();
        Ok(())
    }

    fn next(&mut self, db: &mut Engine) -> Result<Option<Piece>, DbError> {
        let mut ids = self.waiting.split_off(self.waiting.len().saturating_sub(PIECE));
        if ids.is_empty() {
            self.waiting = Vec::new();
            return Ok(None);
        }
        ids.sort_unstable();
        let profiles = Profiles::load_many(db, &ids)?;
        let mut owners = Vec::new();
        for (profile_id, profile) in &profiles {
            let Some(profile) = profile else { continue };
            // A row says which values are its own, so that the table of identifiers need not be read.
            for (key, evidence, _) in profile.state.identifiers.own() {
                let hash = identifier::hash(self.hash_key, &key.kind, &key.value);
                owners.push((hash, Some(Owner { profile_id: *profile_id, seq: evidence.seq })));
            }
        }
        let memberships = if self.segments { Memberships::load_many(db, &ids)? } else { Vec::new() };
        let room = self.room;
        Ok(Some(Box::new(move |tx, group| {
            if tx.cache_weight() >= room {
                return false;
            }
            // A profile that changed and was flushed while this was read makes the whole piece too old, or stands in memory.
            if tx.fill::<Profiles>(group, profiles) {
                tx.fill::<IdentifierTable>(group, owners);
                tx.fill::<Memberships>(group, memberships);
            }
            true
        })))
    }
}
