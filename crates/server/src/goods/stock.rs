//! Bringing a file of stock in: each number is a count at the file's moment. One thread reads it, the writer takes some hundred at a
//! time with the place after them; after a kill it goes on there. Bad rows are in the job's report.
use super::files::FileError;
use crate::domain::Domain;
use crate::imports::spec::fingerprint;
use base::{Quantity, Timestamp};
use catalog::variants;
use db::jobs::{self, Job, JobError, Progress};
use db::{DbError, Tx};
use exchange::rows::Bad;
use exchange::stock_files::{Counted, Layout, Reader};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use stock::StockError;
use stock::model::{Document, DocumentKind};

/// Jobs that bring files of stock in.
pub const KIND: &str = "stock_import";
/// Rows of one transaction.
const PIECE: usize = 400;

/// An import of one file of stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: PathBuf,
    pub name: String,
    /// What the file is: of another one nothing may be resumed.
    pub sha256: String,
    pub layout: exchange::rows::Layout,
    pub preset: Layout,
    /// Where what names no location lies; empty: such rows are refused.
    pub location: String,
    /// When it was counted.
    pub at: Timestamp,
    /// Places that may be counted; empty: all.
    pub stores: Vec<String>,
}

/// Looks at a file: whose layout it has, and what it is to its last byte. Says what is wrong otherwise.
pub fn look(path: &Path, named: &str, wanted: Option<Layout>, location: &str, at: Timestamp) -> Result<Spec, String> {
    let bad = |e: &dyn std::fmt::Display| format!("{named}: {e}");
    let path = exchange::xlsx::as_csv(path).map_err(|e| bad(&e))?;
    let name = if path.extension().is_some_and(|e| e == "csv") { "a.csv" } else { named };
    let layout = exchange::rows::Layout::of_file(&path, name).map_err(|e| bad(&e))?;
    let preset = wanted.unwrap_or_else(|| Layout::detect(&layout.columns));
    Reader::new(preset, &layout.columns).map_err(|e| bad(&e))?;
    if preset == Layout::WoocommerceStock && location.is_empty() {
        return Err(bad(&"WooCommerce names no location: say which one its stock is"));
    }
    let sha256 = fingerprint(&path).map_err(|e| bad(&e))?.sha256;
    Ok(Spec { path, name: named.into(), sha256, layout, preset, location: location.into(), at, stores: Vec::new() })
}

/// What became of a file's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub rows: u64,
    pub counted: u64,
    /// What changed the books.
    pub moved: u64,
    pub rejected: u64,
}

fn drive(domain: &Domain, folder: &Path, job: &Job, stop: &AtomicBool) -> Result<(), FileError> {
    let spec: Spec =
        serde_json::from_str(&job.payload).map_err(|e| FileError::File(format!("the job is damaged: {e}")))?;
    let cannot = |e: &dyn std::fmt::Display| FileError::File(format!("{}: {e}", spec.name));
    if fingerprint(&spec.path).map_err(|e| cannot(&e))?.sha256 != spec.sha256 {
        return Err(FileError::File(format!("{} has changed since the import began; begin a new one", spec.name)));
    }
    let mut tally: Tally = serde_json::from_str(&job.bookmark).unwrap_or_default();
    let from = job.position.max(0) as u64;
    let reader = Reader::new(spec.preset, &spec.layout.columns).map_err(|e| cannot(&e))?;
    let mut rows = spec.layout.rows_of_file(&spec.path).map_err(|e| cannot(&e))?;
    let mut report = report(folder, job.id, from > 0).map_err(|e| cannot(&e))?;
    let (mut upto, mut end) = (0u64, false);
    let (mut piece, mut bad): (Vec<Counted>, Vec<Bad>) = (Vec::new(), Vec::new());
    while !end {
        match rows.next_row().map_err(|e| cannot(&e))? {
            Some(row) => {
                upto += 1;
                if upto > from {
                    match row.and_then(|row| reader.take(&row)) {
                        Ok(found) => piece.extend(found),
                        Err(wrong) => bad.push(wrong),
                    }
                }
            }
            None => end = true,
        }
        if piece.len() + bad.len() < PIECE && !(end && upto > from) {
            continue;
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(refused) = bring(domain, job, &spec, std::mem::take(&mut piece), bad.len() as u64, upto, &mut tally)?
        else {
            return Ok(());
        };
        bad.extend(refused);
        bad.sort_by_key(|b| b.line);
        for wrong in bad.drain(..) {
            exchange::write::report_row(&mut report, &spec.name, &wrong, false).map_err(|e| cannot(&e))?;
        }
        report.flush().map_err(|e| cannot(&e))?;
    }
    let result = json!({"kind": "stock", "tally": tally, "report": tally.rejected > 0}).to_string();
    let id = job.id;
    domain.store().write(move |tx: &mut Tx| {
        tx.execute("UPDATE jobs SET total = position WHERE id = $1", &[id.into()])?;
        jobs::finish(tx, id, &result)
    })?;
    Ok(())
}

fn report(folder: &Path, job: i64, more: bool) -> std::io::Result<std::io::BufWriter<std::fs::File>> {
    let path = crate::imports::drive::report_path(folder, job);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let begun = more && path.exists();
    let file = std::fs::OpenOptions::new().create(true).write(true).append(begun).truncate(!begun).open(path)?;
    let mut out = std::io::BufWriter::new(file);
    if !begun {
        exchange::write::csv_row(&mut out, exchange::write::REPORT_HEADER, ',')?;
    }
    Ok(out)
}

/// Brings a piece; gives what was refused, or nothing where the job was stopped.
fn bring(
    domain: &Domain,
    job: &Job,
    spec: &Spec,
    piece: Vec<Counted>,
    bad: u64,
    upto: u64,
    tally: &mut Tally,
) -> Result<Option<Vec<Bad>>, DbError> {
    let (id, actor, spec, before) = (job.id, job.actor.clone(), spec.clone(), *tally);
    let done = domain.store().write(move |tx: &mut Tx| {
        let mut tally = Tally { rows: upto, rejected: before.rejected + bad, ..before };
        let skus: Vec<String> = piece.iter().filter_map(|c| variants::normalise_sku(&c.sku)).collect();
        variants::find_many(tx, &skus)?;
        let mut refused = Vec::new();
        for counted in &piece {
            match one(tx, &spec, &actor, counted)? {
                Ok(moved) => {
                    tally.counted += 1;
                    tally.moved += u64::from(moved);
                }
                Err(wrong) => refused.push(wrong),
            }
        }
        tally.rejected += refused.len() as u64;
        let note = format!("{} counted, {} rejected", tally.counted, tally.rejected);
        let bookmark = serde_json::to_string(&tally).ok();
        match jobs::progress(tx, id, &Progress { bookmark, ..Progress::to(upto as i64).noting(note) }) {
            Ok(_) => Ok(Some((tally, refused))),
            Err(JobError::Store(error)) => Err(error),
            Err(_) => Ok(None),
        }
    })?;
    Ok(done.map(|(moved, refused)| {
        *tally = moved;
        refused
    }))
}

/// Writes one number down as a count. Gives whether it moved anything, or why it was refused.
fn one(tx: &mut Tx, spec: &Spec, actor: &str, counted: &Counted) -> Result<Result<bool, Bad>, DbError> {
    let wrong = |column: &str, reason: String, value: &str| {
        Ok(Err(Bad { line: counted.line, column: column.into(), reason, value: exchange::rows::short(value) }))
    };
    let Some(variant) = variants::find(tx, &counted.sku)? else {
        return wrong("SKU", "there is no such SKU".into(), &counted.sku);
    };
    let places = stock::commands::places(tx)?;
    let named = if counted.location.is_empty() { &spec.location } else { &counted.location };
    // By its id, else by its name, as other systems know no ids of ours.
    let named_so =
        |l: &std::sync::Arc<stock::model::Location>| l.no > 0 && l.name.to_lowercase() == named.to_lowercase();
    let found = places.find(named).cloned().or_else(|| places.all().into_iter().find(named_so));
    let found = found.map(|l| (l.no, l.id.to_string()));
    let Some((location, id)) = found else {
        return wrong("Location", "there is no location of this id or name".into(), named);
    };
    if !spec.stores.is_empty() && !spec.stores.contains(&id) {
        return wrong("Location", "who brings the file works in other stores".into(), named);
    }
    if counted.quantity < Quantity::ZERO {
        return wrong(
            "quantity",
            "less than nothing lies nowhere: book what is missing first".into(),
            &counted.quantity.to_string(),
        );
    }
    let paper = Document {
        kind: DocumentKind::Count,
        source: "file".into(),
        external_id: "".into(),
        reference: spec.name.chars().take(40).collect::<String>().into(),
        note: "".into(),
        actor: actor.into(),
        at: spec.at.min(tx.now()),
        moves: vec![],
    };
    match stock::commands::count(tx, &paper, location, variant, counted.quantity) {
        Ok((_, variance)) => Ok(Ok(!variance.is_zero())),
        Err(StockError::Store(error)) => Err(error),
        Err(error) => wrong("quantity", error.to_string(), &counted.quantity.to_string()),
    }
}

/// Does the open imports of stock until it is told to end; a thread of its own.
pub fn serve(domain: &Domain, folder: &Path, stop: &AtomicBool) {
    super::serve_jobs(domain, (KIND, "stock"), stop, &|job| drive(domain, folder, job, stop));
}
