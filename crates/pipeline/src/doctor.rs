//! `braid doctor`: the invariants of a whole store, checked in one snapshot, beside a server or without one.
//!
//! The log is read once. Every profile is folded from scratch on the way; rows that follow the log lazily are folded up to
//! the log's end before they are compared, so that a store under load is as clean as one at rest. Identities are decided
//! again in log order, memberships are evaluated from scratch.
mod books;
mod jobs;
mod people;
mod profiles;
mod sources;

use crate::{Preparer, Settings};
use base::{Clock, Timestamp};
use db::{DbError, Engine, Location, Sync, Tx, settings, store};
use serde::Serialize;
use std::sync::Arc;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An invariant is broken.
    Error,
    /// A person must act.
    Warning,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: String,
    pub severity: Severity,
    pub subject: String,
    pub detail: String,
}

/// Counts of a store (CONTRACTS 1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Distinct events accepted from outside.
    pub events: i64,
    /// Events that Braid wrote itself.
    pub derived: i64,
    pub rejected: i64,
    pub profiles: i64,
    pub people: i64,
    pub messages: i64,
    pub outbox_pending: i64,
}

/// Something that a person should know and that breaks nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub what: &'static str,
    pub count: i64,
    pub detail: String,
    /// Age of the oldest in seconds, where that says something.
    pub oldest_s: Option<i64>,
}

/// The report, as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub counts: Counts,
    pub findings: Vec<Finding>,
    pub notes: Vec<Note>,
}

/// Findings of one kind that are told one by one; more are summed up, so that a broken store does not fill a disk.
const FINDINGS_MAX: usize = 100;

/// Collects findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    more: std::collections::BTreeMap<String, usize>,
}

impl Findings {
    pub(crate) fn error(&mut self, check: &str, subject: impl ToString, detail: impl Into<String>) {
        self.add(check, Severity::Error, subject.to_string(), detail.into());
    }
    pub(crate) fn add(&mut self, check: &str, severity: Severity, subject: String, detail: String) {
        if self.list.iter().filter(|f| f.check == check).count() >= FINDINGS_MAX {
            *self.more.entry(check.to_string()).or_default() += 1;
            return;
        }
        self.list.push(Finding { check: check.to_string(), severity, subject, detail });
    }
    fn finish(mut self) -> Vec<Finding> {
        for (check, count) in std::mem::take(&mut self.more) {
            let detail = format!("{count} more of this kind");
            self.list.push(Finding { check, severity: Severity::Error, subject: "…".into(), detail });
        }
        self.list
    }
}

/// The counts of a store, read in one statement each.
pub fn counts(db: &mut Engine) -> Result<Counts, DbError> {
    let row = store::read_row(db)?;
    let one = |db: &mut Engine, sql: &str| db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0));
    Ok(Counts {
        events: row.counts.events,
        derived: row.counts.derived,
        rejected: row.counts.rejected,
        profiles: row.counts.profiles,
        people: row.counts.profiles - row.counts.absorbed,
        messages: one(db, "SELECT CAST(COALESCE(SUM(intended), 0) AS BIGINT) FROM message_counts")?,
        outbox_pending: one(db, "SELECT CAST(COALESCE(SUM(pending + sending), 0) AS BIGINT) FROM message_counts")?,
    })
}

/// Checks a store. `sync` is how the store is run, for the notes.
pub fn run(location: &Location, clock: &dyn Clock, shop: Settings) -> Result<Report, DbError> {
    let mut engine = location.open(Sync::Full, true)?;
    engine.batch(match engine.dialect() {
        db::Dialect::Sqlite => "BEGIN",
        db::Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    crate::refuse_newer(&mut engine)?;
    let counts = counts(&mut engine)?;
    let fast = settings::get(&mut engine, "store.unsafe_fast")?.is_some_and(|v| v == "1");
    let now = db::writer::not_before(clock.now(), db::store::read_row(&mut engine)?.acted_at);
    let mut tx = Tx::for_reading(engine, now)?;
    let preparer = Preparer::new(Arc::new(shop), crate::step::current(&mut tx)?);
    let mut findings = Findings::default();
    match check(&mut tx, &preparer, &counts, &mut findings) {
        // A row that cannot be read is a finding; what builds on it cannot be checked. A file that is no database is neither.
        Err(DbError::Damaged { place, reason }) if place != db::error::DATABASE_FILE => {
            findings.error("damaged", place, format!("{reason}; further checks were left out"));
        }
        other => other?,
    }
    for f in messaging::doctor::check(tx.engine(), now)? {
        use messaging::doctor::Severity as Told;
        let severity = match f.severity {
            Told::Error => Severity::Error,
            Told::Warning => Severity::Warning,
            Told::Note => continue,
        };
        findings.add(f.check, severity, f.subject, f.detail);
    }
    for f in ::orders::doctor::check(tx.engine())? {
        findings.add(f.check, Severity::Error, f.subject, f.detail);
    }
    for f in orders::after::doctor::check(tx.engine())? {
        findings.add(f.check, Severity::Error, f.subject, f.detail);
    }
    for f in stock::doctor::check(tx.engine(), now)? {
        findings.add(f.check, Severity::Error, f.subject, f.detail);
    }
    for f in catalog::prices::doctor::check(tx.engine())? {
        findings.error("prices", f.subject, f.detail);
    }
    for f in loyalty::points::doctor::check(tx.engine())? {
        findings.error("points", f.subject, f.detail);
    }
    for f in catalog::doctor::check(tx.engine())? {
        findings.add(f.check, Severity::Error, f.subject, f.detail);
    }
    let mut notes = notes(tx.engine(), now, fast)?;
    if let Some(detail) = db::engine::tls::exposure(location, tx.engine())? {
        notes.push(Note { what: "open_way", count: 1, detail, oldest_s: None });
    }
    Ok(Report { counts, findings: findings.finish(), notes })
}

fn check(tx: &mut Tx, preparer: &Preparer, counts: &Counts, findings: &mut Findings) -> Result<(), DbError> {
    preparer.follow(tx)?;
    let pass = profiles::read_log(tx, preparer, findings)?;
    books::check(tx, &pass, counts, findings)?;
    jobs::check(tx, findings)?;
    sources::check(tx, findings)?;
    let folded_again = pass.folded_again.clone();
    let rebuilt = profiles::compare(tx, pass, findings)?;
    crate::erasure::doctor::check(tx, findings)?;
    people::check(tx, rebuilt, tx.now(), &folded_again, findings)
}

fn notes(db: &mut Engine, now: Timestamp, fast: bool) -> Result<Vec<Note>, DbError> {
    let mut out = Vec::new();
    if fast {
        let detail = "the store runs with --unsafe-fast: a power cut may lose what was acknowledged".to_string();
        out.push(Note { what: "unsafe_sync", count: 1, detail, oldest_s: None });
    }
    let mut ask = |what: &'static str, sql: &str, detail: &str| -> Result<(), DbError> {
        let Some(row) = db.first(sql, &[])? else { return Ok(()) };
        let count = row.int(0)?;
        if count > 0 {
            let oldest = row.opt_int(1)?.filter(|at| *at > 0).map(|at| (now.micros() - at) / 1_000_000);
            out.push(Note { what, count, detail: detail.to_string(), oldest_s: oldest });
        }
        Ok(())
    };
    ask(
        "unknown_messages",
        "SELECT COUNT(*), MIN(settled_at) FROM messages WHERE status = 'unknown'",
        "messages whose answer was lost; settle them on the page Messages",
    )?;
    ask(
        "review_items",
        "SELECT COUNT(*), MIN(at) FROM review_items WHERE closed_at = 0",
        "joins that were refused and wait for a look",
    )?;
    ask(
        "parked_events",
        "SELECT COUNT(*), MIN(received_at) FROM rejects WHERE code = 'parked'",
        "events of Braid's own that kept calling forth others",
    )?;
    ask(
        "rereading",
        "SELECT COUNT(*), MIN(created_at) FROM jobs WHERE kind = 'reread_source' AND state <> 'done'",
        "sources whose history is read again; profiles that wait for it were not compared",
    )?;
    ask(
        "failed_jobs",
        "SELECT COUNT(*), MIN(finished_at) FROM jobs WHERE state = 'failed' AND retryable = 1",
        "jobs that could not go on and may be resumed",
    )?;
    let waits = customers::rules::current(db)?.version - customers::rules::applied(db)?;
    if waits > 0 {
        let detail = "the rules of identity changed and the past is not decided by them yet: identities were not decided \
                      again; see the job identity_rerun";
        out.push(Note { what: "identity_rules", count: waits, detail: detail.to_string(), oldest_s: None });
    }
    Ok(out)
}
