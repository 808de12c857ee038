//! What the writer does by itself: people whose moment has come, jobs, leases that ran out. A bounded piece at a time.
use crate::jobs::Runner;
use crate::preparer::Preparer;
use crate::sources::learned;
use crate::{append_derived, facts_job, step};
use base::{SECOND_US, Timestamp};
use db::writer::Ticker;
use db::{DbError, Tx};
use segments::runtime::{Memberships, timers};
use std::sync::Arc;

/// People looked at in one transaction.
const PEOPLE: usize = 256;

/// The writer's own work.
pub struct Tick {
    pub preparer: Arc<Preparer>,
    /// When leases are looked at next.
    pub leases_at: Timestamp,
    pub jobs: Runner,
}

/// How often leases are looked at, and how many end in one transaction.
const LEASES_EVERY_US: i64 = 2 * SECOND_US;
const LEASES: i64 = 200;

impl Ticker for Tick {
    fn next_due(&mut self, tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
        let mut due = timers::next_due(tx)?;
        due = due.min(self.leases_at);
        if let Some(at) = stock::ticking::next_due(tx)? {
            due = due.min(at);
        }
        if let Some(at) = catalog::prices::store::next_due(tx)? {
            due = due.min(at);
        }
        if let Some(at) = self.jobs.next_due(tx)? {
            due = due.min(Timestamp::from_micros(at));
        }
        if tx.memory::<facts_job::FactsJob>()?.is_waiting() {
            due = due.min(Timestamp::default());
        }
        if let Some(at) = self.preparer.learner().due() {
            due = due.min(at);
        }
        Ok(Some(due))
    }

    fn tick(&mut self, tx: &mut Tx) -> Result<(), DbError> {
        let (mut appended, mut people) = (Vec::new(), Vec::new());
        for (due, person_id) in timers::take_due(tx, PEOPLE)? {
            people.push(person_id);
            let moved = segments::runtime::look_again(tx, person_id, due)?;
            let reason = format!("timer:{}", due.micros());
            appended.extend(step::moved(tx, &self.preparer, &moved, &reason)?);
        }
        // The next moment must be a fact at once: no event stands in the log from which it could be found again.
        tx.flush_keys::<Memberships>(&people)?;
        let broken = stock::ticking::tick(tx)?;
        if !broken.is_empty() {
            let shop = crate::orders::shop(&self.preparer);
            ::orders::commands::claims_lost(tx, &broken, &shop, "braid").map_err(fault)?;
        }
        if tx.now() >= self.leases_at {
            messaging::outbox::expire_leases(tx, LEASES)?;
            loyalty::points::commands::expire(tx, LEASES)?;
            let shop = crate::orders::shop(&self.preparer);
            // Who stands still is known before anybody is late.
            ::orders::commands::pauses::look(tx).map_err(fault)?;
            ::orders::commands::pauses::follow(tx, LEASES).map_err(fault)?;
            ::orders::commands::incoming::incoming_moved(tx, &shop, LEASES, "braid").map_err(fault)?;
            ::orders::commands::no_shows(tx, LEASES).map_err(fault)?;
            ::orders::commands::unanswered(tx, &shop, LEASES).map_err(fault)?;
            self.leases_at = tx.now().plus(LEASES_EVERY_US);
        }
        catalog::prices::store::tell(tx)?;
        if facts_job::advance(tx, &self.preparer)? {
            // Conditions over facts were answered from half of them.
            segments::runtime::commands::refill_facts(tx)?;
        }
        if self.preparer.learner().due().is_some_and(|at| at <= tx.now()) {
            learned::flush(tx, self.preparer.learner())?;
        }
        self.jobs.advance(tx, &self.preparer, &mut appended)?;
        customers::stitch::watch(tx)?;
        // What definitions became is what requests are prepared with from now on.
        self.preparer.follow(tx)?;
        crate::orders::tell(tx, &self.preparer)?;
        append_derived(tx, &self.preparer, appended)
    }
}

/// The writer's own work is never refused by a rule: what fails there is the store.
fn fault(error: ::orders::OrderError) -> DbError {
    match error {
        ::orders::OrderError::Store(error) => error,
        other => DbError::damaged("orders", other.to_string()),
    }
}
