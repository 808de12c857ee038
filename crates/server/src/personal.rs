//! Everything that is held of one person, written out for them (GDPR art. 15 and 20): [`write()`].
//!
//! One snapshot of the store is read, beside the writer. Small sections are gathered ([`gather`]) and written one by one;
//! the person's events go through in pieces of [`PIECE`], so that memory holds a piece of bodies and the index entries of
//! all (32 bytes an event), never the events themselves. The same rows become JSON or a page that loads nothing
//! ([`render`]). Members of staff are numbered and not named: who they are is theirs, that somebody looked is the person's.
mod gather;
mod orders;
mod render;
mod words;

pub use render::Form;
pub use words::Language;

use crate::sources::Snapshot;
use base::Timestamp;
use db::{DbError, Tx};
use pipeline::Preparer;
use pipeline::timeline::events_of;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// The version of the JSON's shape; docs/privacy.md describes it.
pub const VERSION: i64 = 1;
/// Events whose bodies are in memory at once.
const PIECE: usize = 256;

/// Whose data, and how it is written.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// A person, or any of its profiles.
    pub id: i64,
    pub form: Form,
    pub language: Language,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub person_id: i64,
    pub events: i64,
    pub bytes: i64,
    /// Of all bytes, in hexadecimal digits.
    pub sha256: String,
}

/// Why it was not written, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum PersonalError {
    /// Nobody has this id, or not any more.
    #[error("nobody has the id {0}")]
    NoPerson(i64),
    #[error(transparent)]
    Store(#[from] DbError),
    /// Whoever reads has gone, or the disk is full.
    #[error("the export could not be written: {0}")]
    Io(#[from] io::Error),
}

/// Counts and hashes what goes through.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: i64,
    hash: Sha256,
}

impl Write for Counted<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.out.write_all(buf)?;
        self.bytes += buf.len() as i64;
        self.hash.update(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Begins a snapshot in which a person is read; beside a running writer the person's rows must have been flushed.
pub fn snapshot(location: &db::Location, sync: db::Sync, now: Timestamp) -> Result<Tx, DbError> {
    let mut engine = location.open(sync, true)?;
    engine.batch(match engine.dialect() {
        db::Dialect::Sqlite => "BEGIN",
        db::Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    Tx::for_reading(engine, now)
}

/// Writes all that is held of a person. Blocks; costs a read of each event of the person.
pub fn write(tx: &mut Tx, preparer: &Preparer, wanted: Wanted, out: &mut dyn Write) -> Result<Written, PersonalError> {
    let current = preparer.current();
    let view = customers::person(tx, wanted.id, &current.counters)?.ok_or(PersonalError::NoPerson(wanted.id))?;
    let sources = Snapshot::load(tx.engine())?;
    let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
    let mut counted = Counted { out, bytes: 0, hash: Sha256::new() };
    let mut page = render::Page::begin(&mut counted, wanted.form, wanted.language, &view, tx.now())?;
    let mut staff = gather::Staff::default();
    for section in gather::sections(tx, &view, &sources, &mut staff)? {
        page.section(&section)?;
    }
    let events = events(tx, preparer, &members, &sources, &mut page)?;
    page.end()?;
    let sha256 = crate::secrets::hex(&counted.hash.finalize());
    Ok(Written { person_id: view.person_id, events, bytes: counted.bytes, sha256 })
}

/// Streams the events, oldest first, and then says which files brought some; gives how many events.
fn events(
    tx: &mut Tx,
    preparer: &Preparer,
    members: &[i64],
    sources: &Snapshot,
    page: &mut render::Page<'_, '_>,
) -> Result<i64, PersonalError> {
    let entries = customers::commands::timeline_entries(tx, members)?;
    let mut count = 0;
    let mut imports: BTreeMap<i64, gather::Brought> = BTreeMap::new();
    page.begin_events()?;
    for piece in entries.chunks(PIECE) {
        let seqs: Vec<i64> = piece.iter().map(|e| e.seq).collect();
        let profiles: HashMap<i64, i64> = piece.iter().map(|e| (e.seq, e.profile_id)).collect();
        let mut found = events_of(tx.engine(), preparer, &seqs)?;
        found.sort_by_key(|e| (e.timestamp, e.seq));
        for event in &found {
            let profile = profiles.get(&event.seq).copied().unwrap_or(event.profile_id);
            if event.origin == db::event::Origin::Import {
                imports.entry(event.source).or_default().add(event.received_at);
            }
            page.event(event, profile, &gather::source_name(sources, event.source))?;
            count += 1;
        }
    }
    page.end_events()?;
    page.section(&gather::imports(&imports, sources))?;
    Ok(count)
}
