//! The end of a life: what must hold, and the damage that must be noticed.
use crate::run::{Bug, Lived, Run, TRIES, told};
use crate::world::{IMPORTS, TRACKED};
use segments::runtime::{Filling, computed, definitions};
use std::collections::BTreeSet;

impl Run {
    /// The end: everything unanswered is sent again, everything due is done, and all must be as the ledger has it.
    pub(crate) fn end(mut self) -> Result<Lived, String> {
        while !self.ledger.unanswered.is_empty() {
            self.send_again()?;
        }
        self.reopen()?;
        for _ in 0..TRIES {
            self.due(2000)?;
        }
        self.end_goods()?;
        if let Some(bug) = self.life.bug {
            self.damage(bug)?;
        }
        self.compare_goods()?;
        self.check()?;
        let filling = self.world.read(|tx| {
            let compiled = definitions::current(tx)?;
            Ok(compiled.segments.iter().filter(|s| s.filling != Filling::Live).count())
        });
        if filling.map_err(told)? > 0 {
            return Err("a segment is never filled".into());
        }
        for (user, views) in self.ledger.solo.clone() {
            if !self.ledger.unsure.contains(&user) {
                self.count_views(&user, views.len() as i64)?;
            }
        }
        self.end_erasures()?;
        self.world.stop();
        let report = self.world.check()?;
        let found = self.same_ids()?;
        if report.counts.events != found {
            return Err(format!("{found} events are in the log, {} are counted", report.counts.events));
        }
        self.reached.add("merges", (report.counts.profiles - report.counts.people).max(0) as u64);
        self.reached.note("checks by doctor");
        let state = if self.life.hashed { self.world.fingerprint().map_err(told)? } else { 0 };
        Ok(Lived { reached: self.reached, state })
    }

    /// The log holds every id that was acknowledged, once, and no other but perhaps those in limbo; gives how many there are.
    /// Those of erased people are among them.
    fn same_ids(&self) -> Result<i64, String> {
        let (key, mut found) = self.world.ids().map_err(told)?;
        let count = found.len() as i64;
        let source = |id: &str| if id.starts_with('i') { IMPORTS } else { TRACKED };
        let of = |id: &String| collect::event_id(key, source(id), id);
        let limbo: BTreeSet<u128> = self.ledger.limbo.iter().map(of).collect();
        let mut wanted: Vec<u128> = self.ledger.acknowledged.iter().map(of).collect();
        let perhaps = found.iter().filter(|id| limbo.contains(*id)).copied();
        wanted.extend(perhaps.collect::<BTreeSet<u128>>());
        wanted.sort_unstable();
        found.sort_unstable();
        match wanted == found {
            true => Ok(count),
            false => Err(format!("{} events were acknowledged, and the log does not have just these", wanted.len())),
        }
    }

    /// Views of a customer as the timeline has them, against the ledger's.
    pub(crate) fn count_views(&mut self, user: &str, views: i64) -> Result<(), String> {
        let name = user.to_string();
        let found = self.world.read(move |tx| {
            let country = base::Country::find("UA");
            let Some((person, _)) = customers::lookup(tx, "user_id", &name, country)? else { return Ok(None) };
            let members = customers::commands::members_of(tx, person)?;
            let viewed =
                db::names::all(tx.engine())?.into_iter().find(|(_, n)| &**n == "Product Viewed").map(|(id, _)| id);
            let entries = customers::commands::timeline_entries(tx, &members)?;
            let compiled = definitions::current(tx)?;
            let view = customers::person(tx, person, &compiled.counters.clone())?;
            let values = view.map(|v| computed::values(&compiled, &v.state, tx.now()).into_iter());
            let counted = values.into_iter().flatten().find(|(one, _)| one.name == "views");
            let counted = counted.and_then(|(_, answer)| segments::computed::json(&answer.values)?.as_i64());
            Ok(Some((entries.iter().filter(|e| Some(e.name) == viewed).count() as i64, counted)))
        });
        self.reached.note("traits compared");
        match found.map_err(told)? {
            Some(found) if found == (views, Some(views)) => Ok(()),
            found => Err(format!("{user} viewed {views} times; timeline and trait have {found:?}")),
        }
    }

    /// Does what a bug would have done.
    pub(crate) fn damage(&mut self, bug: Bug) -> Result<(), String> {
        let statement = match bug {
            Bug::LoseRequest => "DELETE FROM log WHERE first_seq = (SELECT MAX(first_seq) FROM log WHERE origin = 0)",
            Bug::ForgetIds => return self.ledger_says_new(),
            Bug::SkipRefold => {
                "UPDATE profiles SET state = (SELECT state FROM profiles WHERE profile_id = 1) WHERE profile_id = 2"
            }
            Bug::LoseMembership => "DELETE FROM memberships WHERE person_id = (SELECT MAX(person_id) FROM memberships)",
            Bug::LoseEdge => "DELETE FROM edges WHERE id = (SELECT MAX(id) FROM edges WHERE removed_at = 0)",
            Bug::ForgetErasures => {
                self.erase_guest()?;
                self.due(2000)?;
                "DELETE FROM erased WHERE kind = 'identifier'"
            }
            Bug::LeaveTrace => {
                self.erase_guest()?;
                self.due(2000)?;
                "UPDATE segments SET name = 'Like leaver0@gone.example' WHERE id = (SELECT MIN(id) FROM segments)"
            }
            Bug::LoseMovement => "DELETE FROM stock_moves WHERE no = (SELECT MAX(no) FROM stock_moves)",
            Bug::ForgetClaim => return self.forget_claim(),
            Bug::PaperTwice => return self.paper_twice(),
            Bug::RepeatUnknown => {
                "UPDATE messages SET status = 'pending', due_at = 1 WHERE status IN ('sent', 'unknown', 'refused')"
            }
        };
        self.world.stop();
        let mut engine = self.world.place.location.open(db::Sync::UnsafeFast, false).map_err(told)?;
        engine.execute(statement, &[]).map_err(told)?;
        drop(engine);
        self.world.restart().map_err(told)?;
        for _ in 0..20 {
            self.mail()?;
            if bug == Bug::ForgetErasures {
                self.batch(false)?;
            }
        }
        Ok(())
    }

    /// An id that was acknowledged is called new.
    pub(crate) fn ledger_says_new(&mut self) -> Result<(), String> {
        let Some(id) = self.ledger.acknowledged.first().cloned() else { return Ok(()) };
        self.ledger.acknowledge(&[id], &[], &[], &[]).map(drop)
    }
}
