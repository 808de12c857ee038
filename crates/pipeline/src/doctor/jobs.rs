//! Jobs: none is past its end, none stands still unseen, and what waits for one has one.
use super::{Findings, Severity};
use base::DAY_US;
use db::{DbError, Tx};
use segments::runtime::commands::FILL;

/// An open job that has not moved for this long is told.
const STILL_US: i64 = DAY_US;

pub(super) fn check(tx: &mut Tx, findings: &mut Findings) -> Result<(), DbError> {
    let sql = "SELECT id, kind, state FROM jobs \
               WHERE state NOT IN ('queued', 'running', 'done', 'failed', 'stopped') ORDER BY id LIMIT 100";
    for row in tx.engine().rows(sql, &[])? {
        let detail = format!("{:?} is no state of a job", row.text(2)?);
        findings.error("jobs.state", format!("{} {}", row.text(1)?, row.int(0)?), detail);
    }
    // A job's end may be unknown (0); filling a segment goes on past its end with the people.
    let sql = "SELECT id, kind, position, total FROM jobs \
               WHERE total > 0 AND position > total AND kind <> $1 ORDER BY id LIMIT 100";
    for row in tx.engine().rows(sql, &[FILL.into()])? {
        let detail = format!("it stands at {} of {}", row.int(2)?, row.int(3)?);
        findings.error("jobs.position", format!("{} {}", row.text(1)?, row.int(0)?), detail);
    }
    let before = tx.now().micros() - STILL_US;
    let sql = "SELECT id, kind, updated_at, state FROM jobs WHERE state IN ('queued', 'running') AND updated_at < $1 \
               AND not_before < $1 ORDER BY id LIMIT 100";
    for row in tx.engine().rows(sql, &[before.into()])? {
        let since = base::Timestamp::from_micros(row.int(2)?);
        let detail = format!("it is {} and has not moved since {since}; stop it, or resume it", row.text(3)?);
        let subject = format!("{} {}", row.text(1)?, row.int(0)?);
        findings.add("jobs.still", Severity::Warning, subject, detail);
    }
    let sql = "SELECT id, name, state FROM segments WHERE archived_at = 0 AND state <> 'live' AND NOT EXISTS \
               (SELECT 1 FROM jobs WHERE kind = $1 AND subject = segments.id \
               AND state IN ('queued', 'running', 'failed')) ORDER BY id LIMIT 100";
    for row in tx.engine().rows(sql, &[FILL.into()])? {
        let detail = format!("it is {}, and no job fills it", row.text(2)?);
        findings.error("jobs.missing", format!("segment {} {:?}", row.int(0)?, row.text(1)?), detail);
    }
    let sql = "SELECT id, name FROM computed_traits WHERE archived_at = 0 AND state <> 'live' AND NOT EXISTS \
               (SELECT 1 FROM jobs WHERE kind = $1 AND subject = computed_traits.id \
               AND state IN ('queued', 'running', 'failed')) ORDER BY id LIMIT 100";
    for row in tx.engine().rows(sql, &[FILL.into()])? {
        let subject = format!("computed trait {} {:?}", row.int(0)?, row.text(1)?);
        findings.error("jobs.missing", subject, "its past is not counted, and no job counts it");
    }
    Ok(())
}
