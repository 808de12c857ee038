//! The books of sources: versions of plans, periods of observing, profiles that wait to be made again.
use super::Findings;
use crate::sources::reread::REREAD;
use db::{DbError, Tx};

/// Checks them. That plans can be read is checked by reading them.
pub(super) fn check(tx: &mut Tx, findings: &mut Findings) -> Result<(), DbError> {
    let gaps = "SELECT source, CAST(COUNT(*) AS BIGINT), CAST(MAX(version) AS BIGINT) FROM source_plans GROUP BY source \
                HAVING COUNT(*) <> MAX(version)";
    for row in tx.rows(gaps, &[])? {
        let detail = format!("it has {} versions, the newest is number {}", row.int(1)?, row.int(2)?);
        findings.error("sources.plans", format!("source {}", row.int(0)?), detail);
    }
    let orphans = "SELECT r.job, CAST(COUNT(*) AS BIGINT) FROM reread_profiles r LEFT JOIN jobs j ON j.id = r.job AND j.kind = $1 \
                   AND j.state <> 'done' WHERE j.id IS NULL GROUP BY r.job";
    for row in tx.rows(orphans, &[REREAD.into()])? {
        let detail = format!("{} profiles wait to be made again, but the job has ended", row.int(1)?);
        findings.error("sources.reread", format!("job {}", row.int(0)?), detail);
    }
    let open = "SELECT source, CAST(COUNT(*) AS BIGINT) FROM observations WHERE to_seq = 0 GROUP BY source HAVING COUNT(*) > 1";
    for row in tx.rows(open, &[])? {
        let detail = format!("it is observed {} times at once", row.int(1)?);
        findings.error("sources.observed", format!("source {}", row.int(0)?), detail);
    }
    Ok(())
}
