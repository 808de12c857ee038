//! The manifest outside of the database: `erasures.ndjson` beside it, append-only, so that a backup that is older than an
//! erasure does not bring anybody back. It holds keyed hashes, times and request numbers; no personal data.
use super::begin_profiles;
use crate::Core;
use base::Timestamp;
use customers::identifier;
use customers::privacy::erased::{self, Kind, Line, Mark};
use customers::profiles::Profiles;
use db::{DbError, Tx};
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

/// The file's name.
pub const FILE: &str = "erasures.ndjson";
/// A manifest larger than this is none.
const BYTES_MAX: u64 = 1 << 30;

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// 32 hexadecimal digits.
    hash: String,
    kind: String,
    request: i64,
    at: String,
    seq: i64,
}

fn entry(line: &Line) -> Entry {
    Entry {
        hash: format!("{:032x}", line.hash),
        kind: line.kind.as_str().into(),
        request: line.request_id,
        at: line.mark.at.to_string(),
        seq: line.mark.seq,
    }
}

fn parse(text: &str) -> Option<Line> {
    let entry: Entry = serde_json::from_str(text).ok()?;
    Some(Line {
        hash: u128::from_str_radix(&entry.hash, 16).ok()?,
        kind: Kind::parse(&entry.kind)?,
        request_id: entry.request,
        mark: Mark { at: Timestamp::parse(&entry.at).ok()?, seq: entry.seq },
    })
}

/// Reads a manifest; a last line that a kill cut short is left out, any other that cannot be read is an error.
pub fn read(path: &Path) -> std::io::Result<Vec<Line>> {
    let size = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    if size > BYTES_MAX {
        return Err(std::io::Error::other(format!("{} is too large for a manifest", path.display())));
    }
    let text = std::fs::read_to_string(path)?;
    let mut out = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match parse(line.trim_end()) {
            Some(line) => out.push(line),
            None if !line.ends_with('\n') || line.trim().is_empty() => {}
            None => {
                return Err(std::io::Error::other(format!(
                    "line {} of {} is no line of a manifest",
                    number + 1,
                    path.display()
                )));
            }
        }
    }
    Ok(out)
}

/// Appends what the file lacks of the store's manifest, and syncs it; gives how many lines.
pub fn append(path: &Path, lines: &[Line]) -> std::io::Result<usize> {
    let key = |l: &Line| (l.hash, l.mark.at.micros());
    let known: HashSet<(u128, i64)> = read(path)?.iter().map(key).collect();
    let fresh: Vec<&Line> = lines.iter().filter(|l| !known.contains(&key(l))).collect();
    if fresh.is_empty() {
        return Ok(0);
    }
    let mut text = String::new();
    for line in &fresh {
        text.push_str(&serde_json::to_string(&entry(line)).map_err(std::io::Error::other)?);
        text.push('\n');
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    // A line that a kill cut short is taken back, so that it spoils no other; what it said is among the fresh ones.
    let old = std::fs::read(path)?;
    let whole = old.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    if whole < old.len() {
        file.set_len(whole as u64)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(fresh.len())
}

/// Erases in a store what a manifest names and the store still holds, before it is served: profiles that are there as they
/// were then. What it names and the store does not hold must not come in by a file either. One transaction a person; gives
/// how many people.
pub fn apply(core: &Core, lines: &[Line]) -> Result<usize, DbError> {
    let known: HashSet<(u128, i64)> =
        core.store.query(erased::lines)?.iter().map(|l| (l.hash, l.mark.at.micros())).collect();
    let missing: Vec<Line> = lines.iter().filter(|l| !known.contains(&(l.hash, l.mark.at.micros()))).copied().collect();
    if missing.is_empty() {
        return Ok(0);
    }
    let wanted: HashSet<u128> = missing.iter().filter(|l| l.kind == Kind::Profile).map(|l| l.hash).collect();
    let people = core.store.write(move |tx| {
        tx.flush_table::<Profiles>()?;
        present(tx, &wanted)
    })?;
    let count = people.len();
    for profiles in people {
        let preparer = core.preparer.clone();
        core.store.write(move |tx| begin_profiles(tx, &preparer, &profiles))?;
    }
    core.store.write(move |tx| {
        // Seqs of another line of backups say nothing here: all that this store logged so far is before the erasure.
        let seq = tx.next_seq();
        let fresh: Vec<Line> = missing.iter().map(|l| Line { mark: Mark { seq, ..l.mark }, ..*l }).collect();
        erased::add(tx, &fresh)
    })?;
    Ok(count)
}

/// Profiles that a manifest names and that are there, by person.
fn present(tx: &mut Tx, wanted: &HashSet<u128>) -> Result<Vec<Vec<i64>>, DbError> {
    let key = tx.hash_key();
    let mut people: HashMap<i64, Vec<i64>> = HashMap::new();
    customers::doctor::each_profile(tx.engine(), &mut |id, profile| {
        if profile.person != 0 && wanted.contains(&erased::profile_hash(key, id, profile.created_at)) {
            people.entry(profile.person).or_default().push(id);
        }
        Ok(())
    })?;
    let mut out: Vec<Vec<i64>> = people.into_values().collect();
    out.sort();
    Ok(out)
}

/// Brings the store and the file beside it together: what the file names and the store does not know is erased (the
/// database is older than its folder), what the store knows and the file does not is appended.
pub fn catch_up(core: &Core, path: &Path) -> Result<usize, DbError> {
    let failed = |e: std::io::Error| DbError::Lost(format!("cannot use {}: {e}", path.display()));
    let count = apply(core, &read(path).map_err(failed)?)?;
    append(path, &core.store.query(erased::lines)?).map_err(failed)?;
    Ok(count)
}

/// The hash under which a value would stand in the manifest.
pub fn hash_of(key: (u64, u64), kind: &str, value: &str) -> u128 {
    identifier::hash(key, kind, value)
}
