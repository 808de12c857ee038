//! Books that must agree: counts, ids, subscriptions.
use super::{Counts, Findings, profiles::Pass};
use db::{DbError, Tx};

/// Checks what the log alone decides.
pub(super) fn check(tx: &mut Tx, pass: &Pass, counts: &Counts, findings: &mut Findings) -> Result<(), DbError> {
    if tx.next_seq() != pass.next_seq {
        let detail = format!("the writer's row goes on with {}, the log with {}", tx.next_seq(), pass.next_seq);
        findings.error("log.contiguous", "writer 1", detail);
    }
    for (what, counted, found) in [("events", counts.events, pass.events), ("derived", counts.derived, pass.derived)] {
        if counted != found {
            findings.error("counts", what, format!("{counted} are counted, the log has {found}"));
        }
    }
    ids(tx, pass, findings)?;
    sequences(tx, findings)?;
    let cut = "SELECT first_seq FROM log WHERE LENGTH(ids) <> count * 16 ORDER BY first_seq LIMIT 100";
    for row in tx.engine().rows(cut, &[])? {
        findings.error("log.ids", format!("log row {}", row.int(0)?), "it has another number of ids than it counts");
    }
    let hours = tx.engine().first("SELECT CAST(COALESCE(SUM(events), 0) AS BIGINT) FROM hours", &[])?;
    let hours = hours.map_or(Ok(0), |r| r.int(0))?;
    if hours != pass.events {
        findings.error("hours", "events", format!("the hours hold {hours} events, the log {}", pass.events));
    }
    for (name, position) in db::subscriptions::all(tx.engine())? {
        if position > pass.next_seq {
            findings.error(
                "subscriptions",
                name,
                format!("it has read up to {position}, the log ends at {}", pass.next_seq),
            );
        }
    }
    Ok(())
}

/// Numbers are given once: the next one lies beyond all that were given.
fn sequences(tx: &mut Tx, findings: &mut Findings) -> Result<(), DbError> {
    let (next_profile, next_id) = (tx.writer_row().next_profile, tx.writer_row().next_id);
    let given = [
        ("profiles", "SELECT MAX(profile_id) FROM profiles", next_profile),
        ("edges", "SELECT MAX(id) FROM edges", next_id),
        ("consents", "SELECT MAX(id) FROM consents", next_id),
        ("segments", "SELECT MAX(id) FROM segments", next_id),
        ("messages", "SELECT MAX(id) FROM messages", next_id),
        ("jobs", "SELECT MAX(id) FROM jobs", next_id),
    ];
    for (what, sql, last) in given {
        let highest = tx.engine().first(sql, &[])?.map_or(Ok(None), |r| r.opt_int(0))?.unwrap_or(0);
        if highest > last {
            findings.error("sequences", what, format!("{highest} was given, and the writer's row says {last}"));
        }
    }
    Ok(())
}

/// Ids are unique in the log, and sealed runs hold just those of the log.
fn ids(tx: &mut Tx, pass: &Pass, findings: &mut Findings) -> Result<(), DbError> {
    let mut sorted = pass.ids.clone();
    sorted.sort_unstable();
    for pair in sorted.windows(2).filter(|p| p[0] == p[1]) {
        findings.error("ids", format!("{:032x}", pair[0]), "the log holds two events with this id");
    }
    let mut sealed = 0i64;
    let runs = tx.engine().rows("SELECT run, count, pages FROM dedup_runs WHERE state = 0 ORDER BY run", &[])?;
    for run in &runs {
        let (number, count, pages) = (run.int(0)?, run.int(1)?, run.int(2)?);
        let mut found = 0;
        let sql = "SELECT ids, page FROM dedup_pages WHERE run = $1 ORDER BY page";
        tx.engine().each(sql, &[number.into()], &mut |row| {
            for raw in row.blob(0)?.as_chunks::<16>().0 {
                found += 1;
                let id = u128::from_le_bytes(*raw);
                if pages > 0 && db::dedup::page_of(id, pages) != row.int(1)? {
                    let subject = format!("{id:032x}");
                    findings.error("ids", subject, format!("run {number} has this id in a page where nobody looks"));
                }
                if sorted.binary_search(&id).is_err() {
                    findings.error(
                        "ids",
                        format!("{id:032x}"),
                        format!("run {number} knows this id, the log does not"),
                    );
                }
            }
            Ok(true)
        })?;
        if found != count {
            findings.error("ids", format!("run {number}"), format!("it should hold {count} ids and holds {found}"));
        }
        sealed += found;
    }
    if sealed > sorted.len() as i64 {
        findings.error("ids", "runs", format!("{sealed} ids are sealed, the log has {}", sorted.len()));
    }
    Ok(())
}
