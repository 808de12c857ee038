//! Keeping the index beside the catalogue: a thread that reads what changed and commits it with the position that covers it.
use crate::document;
use crate::index::{Index, SearchError};
use catalog::schema::Schema;
use catalog::{products, recount};
use db::{Engine, Location, Sync};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tantivy::{IndexWriter, Term};

/// Products read at once.
const PAGE: i64 = 1_000;
/// Pages in one commit while there is a lot to do.
const PAGES: usize = 20;
/// Bytes of documents in memory before they go to a file.
const HEAP: usize = 64 << 20;

/// Follows a catalogue into an index.
pub struct Follower {
    pub index: Arc<Index>,
    writer: IndexWriter,
    at: (i64, i64),
}

impl Follower {
    /// Takes an index over; there is one writer at a time.
    pub fn new(index: Arc<Index>) -> Result<Self, SearchError> {
        let writer = index.index.writer_with_num_threads(1, HEAP)?;
        let at = index.position()?;
        Ok(Self { index, writer, at })
    }

    /// Takes in what changed, as much as one commit holds; gives how many products, 0 when it is up to date.
    pub fn step(&mut self, db: &mut Engine) -> Result<usize, SearchError> {
        let epoch = recount::epoch(db)?;
        if epoch != self.at.0 {
            self.at = (epoch, 0);
        }
        let mut done = 0;
        let mut schema: Option<Schema> = None;
        for _ in 0..PAGES {
            let rows = products::changed(db, self.at.1, PAGE)?;
            let Some((last, _)) = rows.last().copied() else { break };
            // Products of one change beyond the page are read with it, so that the position never stands inside a change.
            let mut nos: Vec<i64> = rows.iter().map(|(_, no)| *no).collect();
            if rows.len() as i64 == PAGE {
                nos.extend(products::of_change(db, last, nos.last().copied().unwrap_or(0))?);
            }
            if schema.is_none() {
                schema = Some(Schema::load(db)?);
            }
            let Some(schema) = &schema else { break };
            for part in nos.chunks(PAGE as usize) {
                for product in products::by_nos(db, part)?.into_iter().flatten() {
                    self.writer.delete_term(Term::from_field_i64(self.index.fields.no, product.no));
                    self.writer.add_document(document::of(&self.index.fields, schema, &product))?;
                }
            }
            done += nos.len();
            self.at.1 = last;
            if (rows.len() as i64) < PAGE {
                break;
            }
        }
        if done > 0 {
            let mut commit = self.writer.prepare_commit()?;
            commit.set_payload(&format!("{}.{}", self.at.0, self.at.1));
            commit.commit()?;
            self.index.reload()?;
        }
        Ok(done)
    }

    /// Follows until it is told to end. Looks for changes five times a second; what goes wrong is said and tried again.
    pub fn run(mut self, location: &Location, sync: Sync, stop: &AtomicBool) {
        let mut db: Option<Engine> = None;
        let mut failures = 0u32;
        while !stop.load(Ordering::Relaxed) {
            let outcome = match &mut db {
                Some(db) => self.step(db),
                None => {
                    location.open(sync, true).map(|opened| db = Some(opened)).map(|()| 1).map_err(SearchError::from)
                }
            };
            match outcome {
                Ok(0) => {
                    failures = 0;
                    std::thread::sleep(Duration::from_millis(200));
                }
                Ok(_) => failures = 0,
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "the search index does not follow the catalogue");
                    }
                    failures = failures.saturating_add(1);
                    db = None;
                    std::thread::sleep(Duration::from_secs(u64::from(failures.min(30))));
                }
            }
        }
    }
}
