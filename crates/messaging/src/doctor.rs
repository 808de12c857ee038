//! Checks of the books on real data: what must always be true, and what a person should look at.
use crate::lists::all_counts;
use crate::model::{Counts, Status};
use base::Timestamp;
use db::{DbError, Engine};
use std::collections::BTreeMap;

/// How much is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// An invariant is broken.
    Error,
    /// A person must act.
    Warning,
    /// Worth knowing; leaves the check clean.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name of the check.
    pub check: &'static str,
    pub severity: Severity,
    pub subject: String,
    pub detail: String,
}

fn error(check: &'static str, subject: String, detail: String) -> Finding {
    Finding { check, severity: Severity::Error, subject, detail }
}

/// At most so many findings of one check: a thousand lines of the same say no more.
const FINDINGS_MAX: i64 = 20;

/// Runs every check. Reads only; costs a scan of the messages.
pub fn check(db: &mut Engine, now: Timestamp) -> Result<Vec<Finding>, DbError> {
    let mut out = Vec::new();
    check_counts(db, &mut out)?;
    check_ledger(db, &mut out)?;
    check_keys(db, &mut out)?;
    check_once(db, &mut out)?;
    check_dues(db, &mut out)?;
    check_versions(db, &mut out)?;
    note_unknown(db, now, &mut out)?;
    Ok(out)
}

/// intended = pending + stopped + sending + sent + refused + unknown, and the counts are those of the messages.
fn check_counts(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let mut actual: BTreeMap<i64, Counts> = BTreeMap::new();
    for row in db
        .rows("SELECT rule_id, status, COUNT(*) FROM messages GROUP BY rule_id, status ORDER BY rule_id, status", &[])?
    {
        let (rule, count) = (row.int(0)?, row.int(2)?);
        let counts = actual.entry(rule).or_default();
        counts.intended += count;
        match Status::parse(row.text(1)?) {
            Some(status) => *counts.of(status) += count,
            None => out.push(error(
                "message_status",
                format!("rule {rule}"),
                format!("{count} messages have the status {:?}", row.text(1)?),
            )),
        }
    }
    let stored: BTreeMap<i64, Counts> = all_counts(db)?.into_iter().collect();
    for rule in actual.keys().chain(stored.keys()).copied().collect::<std::collections::BTreeSet<_>>() {
        let (found, kept) =
            (actual.get(&rule).copied().unwrap_or_default(), stored.get(&rule).copied().unwrap_or_default());
        if found != kept || !kept.balance() {
            out.push(error("message_counts", format!("rule {rule}"), format!("counted {kept:?}, found {found:?}")));
        }
    }
    Ok(())
}

/// The cap ledger has a row exactly for what is sending, sent or unknown.
fn check_ledger(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let missing = "SELECT m.id, m.status FROM messages m LEFT JOIN sends s ON s.message_id = m.id \
                   WHERE m.status IN ('sending', 'sent', 'unknown') AND s.message_id IS NULL ORDER BY m.id LIMIT $1";
    for row in db.rows(missing, &[FINDINGS_MAX.into()])? {
        out.push(error(
            "cap_ledger",
            format!("message {}", row.int(0)?),
            format!("it is {} and counts under no cap", row.text(1)?),
        ));
    }
    let surplus = "SELECT s.message_id, COALESCE(m.status, 'gone') FROM sends s LEFT JOIN messages m ON m.id = s.message_id \
                   WHERE m.id IS NULL OR m.status NOT IN ('sending', 'sent', 'unknown') OR m.profile_id <> s.profile_id \
                   OR m.address <> s.address OR m.channel <> s.channel OR m.purpose <> s.purpose ORDER BY s.message_id LIMIT $1";
    for row in db.rows(surplus, &[FINDINGS_MAX.into()])? {
        let detail = format!("it counts under a cap as something else than it is ({})", row.text(1)?);
        out.push(error("cap_ledger", format!("message {}", row.int(0)?), detail));
    }
    Ok(())
}

/// The database holds keys unique; this proves that its index does.
fn check_keys(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    for row in db.rows(
        "SELECT key, COUNT(*) FROM messages GROUP BY key HAVING COUNT(*) > 1 ORDER BY key LIMIT $1",
        &[FINDINGS_MAX.into()],
    )? {
        out.push(error("message_key", row.text(0)?.into(), format!("{} messages have this key", row.int(1)?)));
    }
    Ok(())
}

/// With `once`, a rule reaches no profile twice.
fn check_once(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT rule_id, profile_id, COUNT(*) FROM messages WHERE once = 1 AND status IN ('sending', 'sent', 'unknown') \
               GROUP BY rule_id, profile_id HAVING COUNT(*) > 1 ORDER BY rule_id, profile_id LIMIT $1";
    for row in db.rows(sql, &[FINDINGS_MAX.into()])? {
        let subject = format!("rule {} and profile {}", row.int(0)?, row.int(1)?);
        out.push(error("message_once", subject, format!("reached {} times", row.int(2)?)));
    }
    Ok(())
}

/// What waits has a moment at which it is looked at, what is settled has none, and an attempt leaves its marks.
fn check_dues(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT id, status FROM messages WHERE (status IN ('pending', 'sending') AND due_at <= 0) \
               OR (status NOT IN ('pending', 'sending') AND due_at <> 0) \
               OR (status IN ('sending', 'sent', 'unknown', 'refused') AND (attempts = 0 OR address = '' OR template_version = 0)) \
               ORDER BY id LIMIT $1";
    for row in db.rows(sql, &[FINDINGS_MAX.into()])? {
        let detail = format!("its due time, attempts, address or template do not fit the status {}", row.text(1)?);
        out.push(error("message_state", format!("message {}", row.int(0)?), detail));
    }
    Ok(())
}

/// Each template has its current version, and no rule that is on lacks its template.
fn check_versions(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT t.id, t.version FROM templates t LEFT JOIN template_versions v ON v.template_id = t.id AND v.version = t.version \
               WHERE v.version IS NULL ORDER BY t.id LIMIT $1";
    for row in db.rows(sql, &[FINDINGS_MAX.into()])? {
        out.push(error(
            "template_version",
            format!("template {}", row.int(0)?),
            format!("its version {} is gone", row.int(1)?),
        ));
    }
    let sql = "SELECT r.id, r.name FROM message_rules r LEFT JOIN templates t ON t.id = r.template_id \
               WHERE r.archived_at = 0 AND (t.id IS NULL OR t.archived_at > 0) ORDER BY r.id LIMIT $1";
    for row in db.rows(sql, &[FINDINGS_MAX.into()])? {
        let detail =
            format!("the rule {:?} names a template that was deleted: everything it intends is stopped", row.text(1)?);
        out.push(Finding {
            check: "rule_template",
            severity: Severity::Warning,
            subject: format!("rule {}", row.int(0)?),
            detail,
        });
    }
    Ok(())
}

fn note_unknown(db: &mut Engine, now: Timestamp, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql =
        "SELECT COUNT(*), MIN(s.at) FROM messages m JOIN sends s ON s.message_id = m.id WHERE m.status = 'unknown'";
    if let Some(row) = db.first(sql, &[])?
        && row.int(0)? > 0
    {
        let hours = row.opt_int(1)?.map_or(0, |at| (now.micros() - at) / base::HOUR_US);
        let detail = format!(
            "{} messages may or may not have arrived, the oldest since {hours} h: settle them in the console",
            row.int(0)?
        );
        out.push(Finding { check: "unknown_messages", severity: Severity::Note, subject: "messages".into(), detail });
    }
    Ok(())
}
