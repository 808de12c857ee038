//! The end of an erasure: what the engine leaves of deleted rows. Runs beside the writer, on a connection of its own.
use super::{DISK_WAITS, KIND, Work, decode};
use crate::Core;
use db::erase::Scrubbed;
use db::{DbError, Engine, Tx};

const WAITING: &str =
    "SELECT id, payload FROM jobs WHERE kind = $1 AND state = 'done' AND result = $2 ORDER BY id LIMIT 100";

/// A job, and byte strings of which none may be found any more; none where a kill made them forgotten.
type Waiting = (i64, Vec<Vec<u8>>);

/// Jobs whose rows are gone, with what is searched for on the disk; forgets it in the tables first, so that the search does
/// not find itself.
fn take(tx: &mut Tx) -> Result<Vec<Waiting>, DbError> {
    let mut out = Vec::new();
    for row in tx.rows(WAITING, &[KIND.into(), DISK_WAITS.into()])? {
        let (job, payload) = (row.int(0)?, row.text(1)?);
        let patterns = if payload.is_empty() { Vec::new() } else { decode::<Work>(payload)?.needles.patterns() };
        db::erase::overwrite(tx, true)?;
        tx.execute("UPDATE jobs SET payload = '' WHERE id = $1", &[job.into()])?;
        db::erase::overwrite(tx, false)?;
        out.push((job, patterns));
    }
    Ok(out)
}

/// Whether an erasure waits for its last step.
pub fn waiting_for_scrub(db: &mut Engine) -> Result<bool, DbError> {
    Ok(db.first(WAITING, &[KIND.into(), DISK_WAITS.into()])?.is_some())
}

/// Makes what was deleted unreadable and ends the jobs; gives what was found. Blocks, so not on a thread of an async
/// runtime. `stopped` allows to write a database of any size anew.
pub fn scrub(core: &Core, stopped: bool) -> Result<Scrubbed, DbError> {
    let jobs = core.store.write(take)?;
    if jobs.is_empty() {
        return Ok(Scrubbed::default());
    }
    let unsure = jobs.iter().any(|(_, patterns)| patterns.is_empty());
    let patterns: Vec<Vec<u8>> =
        if unsure { Vec::new() } else { jobs.iter().flat_map(|(_, patterns)| patterns.clone()).collect() };
    let found = db::erase::scrub(core.store.location(), core.store.sync(), &patterns, stopped)?;
    if found.left > 0 {
        tracing::warn!(left = found.left, "pages of the database still hold something of an erased person");
    }
    let ids: Vec<i64> = jobs.into_iter().map(|(job, _)| job).collect();
    core.store.write(move |tx| {
        let now = tx.now().micros();
        let result = format!("{{\"disk\":\"searched\",\"left\":{}}}", found.left);
        for job in &ids {
            let sql = "UPDATE jobs SET result = $2, updated_at = $3 WHERE id = $1";
            tx.execute(sql, &[(*job).into(), (&result).into(), now.into()])?;
            customers::privacy::requests::close_erased(tx, *job)?;
        }
        tx.notify(db::Notice::Changed { what: "privacy" });
        Ok::<_, DbError>(())
    })?;
    Ok(found)
}

/// Works every erasure of the store off, for commands without a server.
pub fn finish(core: &Core) -> Result<Scrubbed, DbError> {
    while core.store.read(super::is_waiting)? {
        core.store.poke();
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    scrub(core, true)
}
