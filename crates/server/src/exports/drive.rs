//! Taking data out: a thread beside the writer reads one snapshot page by page, and notes how far it is.
//!
//! After a stop or a kill it goes on behind the last page that was noted, over a new snapshot: what was read before stays as it
//! was then. (ADR 0024)
use super::browse::Browse;
use super::kinds::{self, Kind};
use super::pack::{Packed, pack};
use super::spec::Spec;
use super::spool::{Row, Spool};
use super::{JOB, folder, make_folder, spool_folder, store};
use crate::domain::Domain;
use crate::mask;
use base::{Clock, Country};
use customers::profiles::Profiles;
use db::jobs::{self, Job, JobError, Progress};
use db::{DbError, Tx};
use exchange::table::{Cell, Column, Type};
use segments::runtime::Memberships;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is noted how far an export is.
const NOTED: Duration = Duration::from_millis(250);

/// How an export ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// It was stopped or deleted.
    Stopped,
    /// This program is about to stop; the next one goes on.
    Interrupted,
}

/// Why an export cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error("the file cannot be written: {0}")]
    File(#[from] std::io::Error),
    /// Trying again changes nothing.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Where an export is: the bookmark of its job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Which section.
    section: usize,
    /// After which key of it.
    after: i64,
    /// Bytes of its rows on the disk.
    bytes: u64,
    /// Rows of each section so far.
    rows: Vec<u64>,
}

impl Place {
    fn total(&self) -> u64 {
        self.rows.iter().sum()
    }
}

/// Does the work of a job until it is done, stopped or interrupted. `told` hears how many rows there are.
pub fn drive(
    domain: &Domain,
    shop: &Path,
    job: &Job,
    clock: &dyn Clock,
    stop: &AtomicBool,
    told: &mut dyn FnMut(u64),
) -> Result<Ended, DriveError> {
    let ended = go_on(domain, shop, job, clock, stop, told)?;
    if ended == Ended::Stopped {
        tidy(domain, shop, job.subject)?;
    }
    Ok(ended)
}

fn go_on(
    domain: &Domain,
    shop: &Path,
    job: &Job,
    clock: &dyn Clock,
    stop: &AtomicBool,
    told: &mut dyn FnMut(u64),
) -> Result<Ended, DriveError> {
    let damaged = |e: serde_json::Error| DriveError::Refused(format!("the job is damaged: {e}"));
    let spec: Spec = serde_json::from_str(&job.payload).map_err(damaged)?;
    let mut place: Place = if job.bookmark.is_empty() {
        Place::default()
    } else {
        serde_json::from_str(&job.bookmark).map_err(damaged)?
    };
    make_folder(&spool_folder(shop, spec.export))?;
    // What waits in memory must stand in the snapshot.
    domain.store().write(|tx: &mut Tx| {
        tx.flush_table::<Profiles>()?;
        tx.flush_table::<Memberships>()
    })?;
    let store = domain.store();
    let settings = domain.shared_settings().clone();
    let mut browse = Browse::open(store.location(), store.sync(), settings, &spec, clock.now())?;
    let sections = spec.kind.sections();
    if spec.kind == Kind::WayBack {
        // Which orders were written stands in memory only.
        place = Place::default();
    }
    place.rows.resize(sections.len(), 0);
    let mut noted = Instant::now();
    while let Some(kind) = sections.get(place.section).copied() {
        let path = spool_folder(shop, spec.export).join(kind.as_str());
        let mut spool = match Spool::open(&path, place.bytes)? {
            Some(spool) => spool,
            None => {
                // The disk lost what was noted: this section is read again.
                (place.after, place.bytes, place.rows[place.section]) = (0, 0, 0);
                Spool::open(&path, 0)?
                    .ok_or_else(|| DriveError::Refused("the rows cannot be kept on the disk".into()))?
            }
        };
        let columns = kinds::columns(kind, &spec.chosen);
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(Ended::Interrupted);
            }
            let (mut rows, next) = browse.page(kind, place.after, &spec)?;
            if !spec.contacts {
                let country = domain.settings().country;
                rows.iter_mut().for_each(|row| masked(&columns, row, country));
            }
            place.rows[place.section] += rows.len() as u64;
            if place.total() > spec.most.max(0) as u64 {
                return Err(DriveError::Refused(format!(
                    "there are more rows than the {} that were permitted; ask for the approval of more",
                    spec.most.max(0)
                )));
            }
            if !rows.is_empty() {
                place.bytes = spool.append(&rows)?;
            }
            told(place.total());
            let Some(next) = next else { break };
            place.after = next;
            if noted.elapsed() >= NOTED {
                if !note(domain, job.id, &place, kind.as_str())? {
                    return Ok(Ended::Stopped);
                }
                noted = Instant::now();
            }
        }
        spool.sync()?;
        (place.section, place.after, place.bytes) = (place.section + 1, 0, 0);
        if !note(domain, job.id, &place, kind.as_str())? {
            return Ok(Ended::Stopped);
        }
    }
    drop(browse);
    let erased = domain.store().query(super::sweep::erased)?;
    finish(domain, shop, &spec, (clock, stop), &erased)
}

fn finish(
    domain: &Domain,
    shop: &Path,
    spec: &Spec,
    (clock, stop): (&dyn Clock, &AtomicBool),
    erased: &HashSet<i64>,
) -> Result<Ended, DriveError> {
    let made = match pack(shop, spec, clock.now(), erased, stop)? {
        Packed::Made(made) => made,
        Packed::Interrupted => return Ok(Ended::Interrupted),
    };
    let (id, file) = (spec.export, made.file.clone());
    let there = domain.store().write(move |tx| store::ready(tx, id, &made))?;
    if !there {
        // It was stopped or ended while the file was made; stopped, it makes the file again of its rows when it goes on.
        let _ = std::fs::remove_file(folder(shop).join(file));
        return Ok(Ended::Stopped);
    }
    std::fs::remove_dir_all(spool_folder(shop, spec.export))?;
    Ok(Ended::Done)
}

/// Removes what was written of an export that was ended while it was written.
fn tidy(domain: &Domain, shop: &Path, id: i64) -> Result<(), DbError> {
    let found = domain.store().read(move |tx| store::find(tx, id))?;
    if let Some(export) = found.filter(|e| !e.ended.is_empty()) {
        super::sweep::remove(shop, &export);
    }
    Ok(())
}

/// Notes how far an export is; false when it was stopped.
fn note(domain: &Domain, job: i64, place: &Place, section: &str) -> Result<bool, DbError> {
    let bookmark = serde_json::to_string(place).unwrap_or_default();
    let rows = place.total() as i64;
    let progress =
        Progress { bookmark: Some(bookmark), ..Progress::to(rows) }.noting(format!("{section}: {rows} rows"));
    domain.store().write(move |tx: &mut Tx| match jobs::progress(tx, job, &progress) {
        Ok(_) => Ok(true),
        Err(JobError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    })
}

/// Masks the contacts of a row by the rules of the API's border.
fn masked(columns: &[Column], row: &mut Row, country: Country) {
    let mut object = Map::new();
    for (column, cell) in columns.iter().zip(&row.cells) {
        let value = match cell {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Json(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            // Numbers and times of ours are no contacts.
            _ => continue,
        };
        object.insert(column.name.clone(), value);
    }
    let mut value = Value::Object(object);
    mask::mask_value(&mut value, country);
    for (column, cell) in columns.iter().zip(&mut row.cells) {
        match (value.get(&column.name), &cell) {
            (Some(Value::String(text)), Cell::Text(_)) => *cell = Cell::text(text.as_str()),
            (Some(found), Cell::Json(_)) if column.kind == Type::Json => *cell = Cell::json(found),
            (_, Cell::Text(_) | Cell::Json(_)) => *cell = Cell::None,
            _ => {}
        }
    }
}

/// The oldest export that is open.
fn waiting(domain: &Domain) -> Result<Option<Job>, DbError> {
    domain.store().read(|tx| {
        let id = jobs::open(tx)?.iter().find(|w| w.kind == JOB).map(|w| w.id);
        id.map_or(Ok(None), |id| jobs::find(tx, id))
    })
}

/// Does the open exports of a store until it is told to end; the server's thread for files that go out.
pub fn serve(domain: &Domain, shop: &Path, clock: &Arc<dyn Clock>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) && domain.store().is_alive() {
        let Ok(Some(job)) = waiting(domain) else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let attempt = || drive(domain, shop, &job, &**clock, stop, &mut |_| {});
        // What panics in one export must not keep the others waiting.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
        let broken = |_| Err(DriveError::Refused("writing the file failed inside Braid; the log says where".into()));
        if let Err(error) = outcome.unwrap_or_else(broken) {
            tracing::warn!(job = job.id, %error, "an export cannot go on");
            fail(domain, job.id, &error);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Fails an export's job with the reason; what may pass can be resumed.
pub fn fail(domain: &Domain, job: i64, error: &DriveError) {
    let (reason, passing) = (error.to_string(), !matches!(error, DriveError::Refused(_)));
    let _ = domain.store().write(move |tx| jobs::fail(tx, job, &reason, passing));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [issue 3, 8] What a role does not see leaves masked, wherever in a row it stands.
    #[test]
    fn contacts_are_masked_in_every_column() {
        let columns = kinds::columns(kinds::Kind::Customers, &kinds::Chosen::default());
        let at = |name: &str| columns.iter().position(|c| c.name == name).expect("a column");
        let mut row = Row::of(&[1], vec![Cell::None; columns.len() - 1]);
        row.cells[at("person_id")] = Cell::Int(380_671_234_567);
        row.cells[at("email")] = Cell::text("olena@example.com");
        row.cells[at("phone")] = Cell::text("+380671234567");
        row.cells[at("name")] = Cell::text("Olena 0671234567");
        row.cells[at("identifiers")] = Cell::Json(r#"[{"kind":"phone","value":"+380671234567"}]"#.into());
        row.cells[at("traits")] = Cell::Json(r#"{"contact":{"mail":"olena@example.com"}}"#.into());
        masked(&columns[..columns.len() - 1], &mut row, Country::find("UA"));
        let text: String = row.cells[1..].iter().map(|c| format!("{} ", c.shown())).collect();
        assert!(!text.contains("olena@") && !text.contains("1234567 ") && !text.contains("671234567\""), "{text}");
        assert_eq!(row.cells[at("person_id")], Cell::Int(380_671_234_567));
        assert!(row.cells[at("name")].shown().starts_with("Olena"));
    }
}
