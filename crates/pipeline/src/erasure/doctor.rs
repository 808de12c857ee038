//! Nothing that the manifest names is present.
use crate::doctor::Findings;
use customers::privacy::erased::Erased;
use db::tx::Memory;
use db::{DbError, Tx};

/// Checks identifiers, tombstones and what was meant to be kept.
pub(crate) fn check(tx: &mut Tx, findings: &mut Findings) -> Result<(), DbError> {
    let key = tx.hash_key();
    let erased = Erased::load(tx.engine())?;
    if !erased.is_empty() {
        tx.engine().each("SELECT kind, value, profile_id, seq FROM identifiers", &[], &mut |row| {
            let (kind, value) = (row.text(0)?, row.text(1)?);
            if erased.covers(customers::identifier::hash(key, kind, value), row.int(3)?) {
                let detail = format!("profile {} owns a value ({kind}) that was erased", row.int(2)?);
                findings.error("privacy.erased", format!("profile {}", row.int(2)?), detail);
            }
            Ok(true)
        })?;
    }
    customers::doctor::each_profile(tx.engine(), &mut |id, profile| {
        if profile.person == 0 && profile.state != customers::State::default() {
            findings.error("privacy.erased", format!("profile {id}"), "what is left of it still says something");
        }
        Ok(())
    })?;
    let sql = "SELECT d.seq FROM retained_documents d WHERE NOT EXISTS \
               (SELECT 1 FROM log l WHERE l.first_seq <= d.seq AND l.first_seq + l.count > d.seq) ORDER BY d.seq LIMIT 100";
    for row in tx.engine().rows(sql, &[])? {
        findings.error(
            "privacy.retained",
            format!("event {}", row.int(0)?),
            "law keeps it, and the log does not have it",
        );
    }
    Ok(())
}
