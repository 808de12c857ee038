//! Erasing: bodies of the log are rewritten around what goes, and what a database leaves behind of deleted rows is
//! overwritten.
use crate::log::pack_body;
use crate::message::Items;
use crate::pack::put_u64;
use crate::store::Location;
use crate::{DbError, Dialect, Sync, Tx};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What stands in place of an item that is gone.
const GONE: &str = "null";

/// A body in which items were replaced: by nothing, or by a text of ours. All others stay byte for byte; what the items of
/// a body share stays as long as one of them does.
pub fn replace_items(body: &str, replace: &[(usize, Option<String>)]) -> Result<String, DbError> {
    let damaged = |e: &dyn std::fmt::Display| DbError::damaged("a logged body", e);
    let items = Items::split(body).map_err(|e| damaged(&e))?;
    let new =
        |at: usize| replace.iter().find(|(index, _)| *index == at).map(|(_, text)| text.as_deref().unwrap_or(GONE));
    let stays = items.items.iter().enumerate().any(|(at, item)| new(at).is_none() && item.get() != GONE);
    let single = items.items.len() == 1 && items.items[0].get().trim_start().starts_with('{') && !is_batch(body);
    if !stays || single {
        let texts: Vec<&str> = (0..items.items.len()).map(|at| new(at).unwrap_or(GONE)).collect();
        return Ok(format!("{{\"batch\":[{}]}}", texts.join(",")));
    }
    let mut out = String::with_capacity(body.len());
    let mut from = 0;
    for (at, item) in items.items.iter().enumerate() {
        let Some(text) = new(at) else { continue };
        // The items are pieces of the body: where they stand says what to leave as it is.
        let start = item.get().as_ptr() as usize - body.as_ptr() as usize;
        out.push_str(body.get(from..start).ok_or_else(|| damaged(&"an item stands outside of it"))?);
        out.push_str(text);
        from = start + item.get().len();
    }
    out.push_str(body.get(from..).ok_or_else(|| damaged(&"an item stands outside of it"))?);
    Ok(out)
}

fn is_batch(body: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default)]
        batch: Option<&'a serde_json::value::RawValue>,
    }
    serde_json::from_str::<Probe<'_>>(body).is_ok_and(|p| p.batch.is_some_and(|b| b.get().starts_with('[')))
}

/// Writes a row of the log anew: whose its items are, and its body. Ids, times and seqs stay.
/// What was derived of the items goes with the last of them that is somebody's.
pub fn rewrite_row(tx: &mut Tx, first_seq: i64, profiles: &[i64], body: &str) -> Result<(), DbError> {
    let mut packed = Vec::with_capacity(profiles.len() * 3);
    for profile in profiles {
        put_u64(&mut packed, *profile as u64);
    }
    let body = pack_body(body.as_bytes());
    let sql = if profiles.iter().any(|p| *p != 0) {
        "UPDATE log SET profiles = $2, body = $3 WHERE first_seq = $1"
    } else {
        "UPDATE log SET profiles = $2, body = $3, extra = NULL WHERE first_seq = $1"
    };
    tx.execute(sql, &[first_seq.into(), (&packed).into(), (&body).into()]).map(drop)
}

/// Rows from `from_seq` on that hold items which were not accepted, out of at most `limit` rows; and where to go on,
/// `None` at the end.
pub fn rows_with_dropped(tx: &mut Tx, from_seq: i64, limit: i64) -> Result<(Vec<i64>, Option<i64>), DbError> {
    let sql = "SELECT first_seq, ids FROM log WHERE first_seq >= $1 ORDER BY first_seq LIMIT $2";
    let rows = tx.rows(sql, &[from_seq.into(), limit.into()])?;
    let (mut found, mut next) = (Vec::new(), None);
    for row in &rows {
        let first_seq = row.int(0)?;
        next = Some(first_seq + 1);
        if row.blob(1)?.as_chunks::<16>().0.contains(&[0; 16]) {
            found.push(first_seq);
        }
    }
    Ok((found, next))
}

/// What stands in place of an address that was denied or complained: nobody can read it, and who has the address finds it.
/// A keyed hash (SipHash-1-3 with 128 bits) over channel and address.
pub fn hidden_address(key: (u64, u64), channel: &str, address: &str) -> String {
    use siphasher::sip128::{Hasher128, SipHasher13};
    use std::hash::Hasher;
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(b"address\0");
    hasher.write(channel.as_bytes());
    hasher.write(b"\0");
    hasher.write(address.as_bytes());
    format!("erased:{:032x}", hasher.finish128().as_u128())
}

/// From now on the connection overwrites what it deletes, whatever that costs. The store itself does so only where it
/// costs no further write.
pub fn overwrite(tx: &mut Tx, thoroughly: bool) -> Result<(), DbError> {
    if tx.dialect() == Dialect::Sqlite {
        let word = if thoroughly { "ON" } else { "FAST" };
        tx.engine().batch(&format!("PRAGMA secure_delete = {word}"))?;
    }
    Ok(())
}

/// What the end of an erasure found on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// The whole database was written anew.
    pub vacuumed: bool,
    /// Patterns that still stand in a file: work for a stopped server.
    pub left: usize,
}

/// A larger file is not written anew beside a server: that would hold the writer up for longer than it waits.
const VACUUM_MAX: u64 = 256 << 20;
/// Tables that an erasure changes.
const TOUCHED: [&str; 26] = [
    "log",
    "profiles",
    "profile_list",
    "profile_index",
    "identifiers",
    "edges",
    "cannot_link",
    "identity_cuts",
    "review_items",
    "consents",
    "name_words",
    "household_keys",
    "household_links",
    "memberships",
    "membership_changes",
    "timers",
    "messages",
    "sends",
    "suppressions",
    "rejects",
    "moved_events",
    "jobs",
    "preferences",
    "privacy_requests",
    "hours",
    "segment_counts",
];

/// The same of the server's.
const TOUCHED_BY_SERVER: [&str; 11] = [
    "audit",
    "idempotency",
    "views",
    "notes",
    "customer_files",
    "bulk_edits",
    "bulk_edit_rows",
    "saved_views",
    "compare_differences",
    "webhook_messages",
    "webhook_attempts",
];

/// Makes deleted rows unreadable on a connection of its own: SQLite's write-ahead log is emptied, its files are searched
/// for the patterns, and where a page still holds one the file is written anew (`whatever_size` for a stopped store);
/// PostgreSQL gets a VACUUM of the touched tables.
pub fn scrub(location: &Location, sync: Sync, patterns: &[Vec<u8>], whatever_size: bool) -> Result<Scrubbed, DbError> {
    let mut engine = location.open(sync, false)?;
    let Location::Sqlite { path, .. } = location else {
        for table in TOUCHED {
            engine.batch(&format!("VACUUM {table}"))?;
        }
        // A store without the server has none of its tables.
        let served = "SELECT step FROM migrations WHERE owner = 'server' LIMIT 1";
        if engine.first(served, &[])?.is_some() {
            for table in TOUCHED_BY_SERVER {
                engine.batch(&format!("VACUUM {table}"))?;
            }
        }
        return Ok(Scrubbed { vacuumed: true, left: 0 });
    };
    let mut out = Scrubbed::default();
    checkpoint(&mut engine)?;
    out.left = search(path, patterns)?;
    let size = std::fs::metadata(path).map_or(0, |m| m.len());
    // Without patterns (a kill after they were forgotten) nothing can be searched for, so nothing is taken for clean.
    if (out.left > 0 || patterns.is_empty()) && (whatever_size || size <= VACUUM_MAX) {
        engine.batch("VACUUM")?;
        checkpoint(&mut engine)?;
        out = Scrubbed { vacuumed: true, left: search(path, patterns)? };
    }
    Ok(out)
}

fn checkpoint(engine: &mut crate::Engine) -> Result<(), DbError> {
    // Readers may hold the log for a moment; the next start empties it in any case.
    for _ in 0..50 {
        let busy = engine.first("PRAGMA wal_checkpoint(TRUNCATE)", &[])?.map_or(Ok(0), |r| r.int(0))?;
        if busy == 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Err(DbError::Busy("the write-ahead log is in use and cannot be emptied yet".into()))
}

/// How many of the patterns stand in the database's files.
pub fn search(path: &Path, patterns: &[Vec<u8>]) -> Result<usize, DbError> {
    let patterns: Vec<Vec<u8>> = patterns.iter().map(|p| p.to_ascii_lowercase()).collect();
    let mut found = vec![false; patterns.len()];
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        search_file(&PathBuf::from(name), &patterns, &mut found)?;
    }
    Ok(found.iter().filter(|f| **f).count())
}

fn search_file(path: &Path, patterns: &[Vec<u8>], found: &mut [bool]) -> Result<(), DbError> {
    const PIECE: usize = 1 << 20;
    let longest = patterns.iter().map(Vec::len).max().unwrap_or(0);
    let failed = |e: std::io::Error| DbError::Lost(format!("cannot read {}: {e}", path.display()));
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(e)),
    };
    let mut held: Vec<u8> = Vec::with_capacity(PIECE + longest);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(failed)?;
        if read == 0 {
            return Ok(());
        }
        held.extend(piece[..read].iter().map(u8::to_ascii_lowercase));
        for (pattern, found) in patterns.iter().zip(found.iter_mut()).filter(|(p, _)| !p.is_empty()) {
            *found = *found || memchr::memmem::find(&held, pattern).is_some();
        }
        let keep = held.len().saturating_sub(longest);
        held.drain(..keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, gone: &[usize], wanted: &str) {
        let gone: Vec<(usize, Option<String>)> = gone.iter().map(|at| (*at, None)).collect();
        assert_eq!(replace_items(body, &gone).expect("the body is sound"), wanted);
    }

    #[test]
    fn what_stays_stays_byte_for_byte() {
        check(
            r#"{ "batch":[ {"a": 1},{"b":2} , {"c":3}], "context":{"ip":"1"}}"#,
            &[1],
            r#"{ "batch":[ {"a": 1},null , {"c":3}], "context":{"ip":"1"}}"#,
        );
        check(r#"{"context":{"e":"x"},"batch":[{"a":1},{"b":2}]}"#, &[0, 1], r#"{"batch":[null,null]}"#);
        check(r#"{"context":{"e":"x"},"batch":[null,{"b":2}]}"#, &[1], r#"{"batch":[null,null]}"#);
        check(r#"{"type":"track","context":{}}"#, &[0], r#"{"batch":[null]}"#);
        let kept = replace_items(r#"{"type":"track","email":"x"}"#, &[(0, Some("{\"k\":1}".into()))]);
        assert_eq!(kept.expect("the body is sound"), r#"{"batch":[{"k":1}]}"#);
    }
}
