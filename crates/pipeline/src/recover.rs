//! After a kill: what lazy rows miss of the log is folded again.
use crate::preparer::Preparer;
use crate::{backfill, step};
use db::event::Batch;
use db::warm::Warm;
use db::writer::{Preload, Recover};
use db::{DbError, Tx, log};
use hashbrown::HashSet;
use segments::runtime::{definitions, timers};
use std::sync::Arc;

/// Log rows that are read and folded at once.
const ROWS: i64 = 128;

/// Folds the log again from the oldest group that some row misses.
pub struct Refold {
    pub preparer: Arc<Preparer>,
}

/// Identifiers with their owners, profiles and memberships of everybody whom a group's events name: in four statements
/// instead of four a person. (The owner of a profile that joined another one is read when it is asked for.)
fn preload(tx: &mut Tx, batches: &[&Batch]) -> Result<(), DbError> {
    let events = || batches.iter().flat_map(|b| &b.events);
    let people = customers::preload::people(tx, events())?;
    if !definitions::current(tx)?.segments.is_empty() {
        tx.preload::<segments::runtime::Memberships>(&people)?;
    }
    Ok(())
}

impl Recover for Refold {
    fn preload(&self) -> Option<Preload> {
        Some(preload)
    }
    fn warm(&self) -> Option<Box<dyn Warm>> {
        Some(Box::new(crate::warm::People::default()))
    }
    fn recover(&mut self, tx: &mut Tx, from_group: i64, from_seq: i64) -> Result<(), DbError> {
        let compiled = definitions::current(tx)?;
        let current = step::current(tx)?;
        // Requests are prepared with what the store holds now, whoever changed it.
        self.preparer.follow(tx)?;
        // What a job has still to count of the past must not be counted here as well.
        let counting = backfill::counting(tx.engine())?;
        let facts = crate::facts_job::current(tx.engine())?;
        let mut from = from_seq;
        let mut people = HashSet::new();
        loop {
            let rows = log::page(tx.engine(), from, ROWS)?;
            let Some(last) = rows.last() else { break };
            from = last.first_seq + last.ids.len() as i64;
            for row in &rows {
                let mut events = self.preparer.decode_row(&current, row)?;
                for event in &mut events {
                    let profile_id = row.profiles[event.index as usize];
                    if profile_id == 0 {
                        continue;
                    }
                    let seq = row.first_seq + i64::from(event.index);
                    event.hits.retain(|h| !counting.iter().any(|(upto, ids)| seq < *upto && ids.contains(&h.counter)));
                    facts.strip(seq, event);
                    let at = customers::commands::Replayed {
                        seq,
                        group: row.group,
                        source: row.source,
                        received_at: row.received_at,
                        profile_id,
                    };
                    customers::refold(tx, at, event, &compiled.counters)?;
                    people.insert(profile_id);
                }
            }
        }
        segments::runtime::changes::recover(tx, from_group)?;
        // Moments that were armed and not written are not known any more: whoever may have had one is looked at soon.
        let soon = tx.now();
        let mut people: Vec<i64> = people.into_iter().collect();
        people.sort_unstable();
        for profile_id in people {
            let person_id = customers::commands::person_of(tx, profile_id)?;
            if person_id == 0 {
                // Erased, and the job has not come to this event yet.
                continue;
            }
            timers::arm(tx, person_id, soon)?;
        }
        Ok(())
    }
}
