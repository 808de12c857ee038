//! Keeping the index beside the catalogue and its prices: a thread that reads what changed and commits it with the position that
//! covers it.
use crate::document::{self, Selling};
use crate::index::{At, Index, SearchError};
use base::{Clock, Timestamp};
use catalog::model::Product;
use catalog::prices::{marks, store};
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
    at: At,
}

impl Follower {
    /// Takes an index over; there is one writer at a time.
    pub fn new(index: Arc<Index>) -> Result<Self, SearchError> {
        let writer = index.index.writer_with_num_threads(1, HEAP)?;
        let at = index.position()?;
        Ok(Self { index, writer, at })
    }

    /// Takes in what changed by `now`, as much as one commit holds; gives how many products, 0 when it is up to date.
    pub fn step(&mut self, db: &mut Engine, now: Timestamp) -> Result<usize, SearchError> {
        let epoch = recount::epoch(db)?;
        if epoch != self.at.epoch {
            self.at = At { epoch, change: 0, ..self.at };
        }
        let (mut done, mut selling) = (0, None);
        for _ in 0..PAGES {
            let rows = products::changed(db, self.at.change, PAGE)?;
            let Some((last, _)) = rows.last().copied() else { break };
            // Products of one change beyond the page are read with it, so that the position never stands inside a change.
            let mut nos: Vec<i64> = rows.iter().map(|(_, no)| *no).collect();
            if rows.len() as i64 == PAGE {
                nos.extend(products::of_change(db, last, nos.last().copied().unwrap_or(0))?);
            }
            done += self.take(db, &mut selling, &nos, now)?;
            self.at.change = last;
            if (rows.len() as i64) < PAGE {
                break;
            }
        }
        // Prices are followed once the catalogue is: a document is made with the prices of its moment anyway.
        for _ in 0..if done < PAGES * PAGE as usize { PAGES } else { 0 } {
            let rows = marks::marked_anywhere(db, self.at.priced_to, PAGE)?;
            let Some((last, _)) = rows.last().copied() else { break };
            let variants: Vec<i64> = rows.iter().map(|(_, variant)| *variant).collect();
            let mut nos: Vec<i64> = products::products_of(db, &variants)?.into_iter().flatten().collect();
            nos.sort_unstable();
            nos.dedup();
            self.take(db, &mut selling, &nos, now)?;
            done += rows.len();
            self.at.priced_to = last;
            if (rows.len() as i64) < PAGE {
                break;
            }
        }
        if done > 0 {
            let mut commit = self.writer.prepare_commit()?;
            commit.set_payload(&self.at.text());
            commit.commit()?;
            self.index.reload()?;
        }
        Ok(done)
    }

    /// Puts products into the index as they are now.
    fn take(
        &self,
        db: &mut Engine,
        selling: &mut Option<Selling>,
        nos: &[i64],
        now: Timestamp,
    ) -> Result<usize, SearchError> {
        if selling.is_none() {
            // Prices are marked at a moment of the writer's, which a clock that went back does not undo.
            let at = now.max(marks::told(db)?);
            *selling = Some(Selling { schema: Schema::load(db)?, lists: store::load_lists(db)?, at });
        }
        let Some(selling) = selling else { return Ok(0) };
        for part in nos.chunks(PAGE as usize) {
            let products: Vec<Product> = products::by_nos(db, part)?.into_iter().flatten().collect();
            let variants: Vec<i64> = products.iter().flat_map(|p| &p.variants).map(|v| v.no).collect();
            let mut entries = store::read_entries(db, &variants)?.into_iter();
            for product in products {
                let prices: Vec<_> = entries.by_ref().take(product.variants.len()).collect();
                self.writer.delete_term(Term::from_field_i64(self.index.fields.no, product.no));
                self.writer.add_document(document::of(&self.index.fields, selling, &product, &prices))?;
            }
        }
        Ok(nos.len())
    }

    /// Follows until it is told to end. Looks for changes five times a second; what goes wrong is said and tried again.
    pub fn run(mut self, location: &Location, sync: Sync, clock: &dyn Clock, stop: &AtomicBool) {
        let mut db: Option<Engine> = None;
        let mut failures = 0u32;
        while !stop.load(Ordering::Relaxed) {
            let outcome = match &mut db {
                Some(db) => self.step(db, clock.now()),
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
