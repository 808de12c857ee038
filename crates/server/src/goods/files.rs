//! Bringing a file of products in: one thread reads it, the writer takes a thousand products at a time, each piece with the
//! position after it. After a kill the file is read again and what is in is passed over. No event is written a row.
use crate::domain::Domain;
use crate::imports::spec::fingerprint;
use catalog::commands::put_products_by;
use catalog::model::{Outcome, ProductInput};
use db::jobs::{self, Job, JobError, Progress};
use db::{DbError, Tx};
use exchange::goods::{Layout, Made, Reader};
use exchange::rows::Bad;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// Jobs that bring files of products in.
pub const KIND: &str = "product_import";
/// Products in one piece.
const PIECE: usize = 1_000;
/// Lines of a report.
const REPORT_MAX: u64 = 100_000;

/// An import of one file of products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: PathBuf,
    pub name: String,
    /// What the file is: of another one nothing may be resumed.
    pub sha256: String,
    pub layout: exchange::rows::Layout,
    pub preset: Layout,
    /// For prices that do not say theirs.
    pub currency: String,
}

/// Looks at a file: whose layout it has, and what it is to its last byte. `named` is what people call it; a workbook becomes CSV
/// beside itself. Says what is wrong otherwise.
pub fn look(path: &Path, named: &str, wanted: Option<Layout>, currency: &str) -> Result<Spec, String> {
    let bad = |e: &dyn std::fmt::Display| format!("{named}: {e}");
    let path = exchange::xlsx::as_csv(path).map_err(|e| bad(&e))?;
    let name = if path.extension().is_some_and(|e| e == "csv") { "a.csv" } else { named };
    let layout = exchange::rows::Layout::of_file(&path, name).map_err(|e| bad(&e))?;
    let preset = wanted.unwrap_or_else(|| Layout::detect(&layout.columns));
    Reader::new(preset, &layout.columns, currency).map_err(|e| bad(&e))?;
    let found = fingerprint(&path).map_err(|e| bad(&e))?;
    Ok(Spec { path, name: named.into(), sha256: found.sha256, layout, preset, currency: currency.into() })
}

/// What became of a file's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub rows: u64,
    pub products: u64,
    pub created: u64,
    pub changed: u64,
    pub same: u64,
    pub rejected: u64,
}

/// Why an import cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{0}")]
    File(String),
    #[error(transparent)]
    Store(#[from] DbError),
}

struct Piece {
    made: Vec<Made>,
    bad: Vec<Bad>,
    upto: u64,
}

/// Does the work of a job until it is done, stopped or interrupted; gives the tally.
pub fn drive(domain: &Domain, folder: &Path, job: &Job, interrupt: &AtomicBool) -> Result<Option<Tally>, FileError> {
    let spec: Spec =
        serde_json::from_str(&job.payload).map_err(|e| FileError::File(format!("the job is damaged: {e}")))?;
    let cannot = |e: &dyn std::fmt::Display| FileError::File(format!("{}: {e}", spec.name));
    if fingerprint(&spec.path).map_err(|e| cannot(&e))?.sha256 != spec.sha256 {
        return Err(FileError::File(format!("{} has changed since the import began; begin a new one", spec.name)));
    }
    let mut tally: Tally = serde_json::from_str(&job.bookmark).unwrap_or_default();
    let from = job.position.max(0) as u64;
    let mut report = Report::open(folder, job.id, &spec, from > 0).map_err(|e| cannot(&e))?;
    let names = Reader::new(spec.preset, &spec.layout.columns, &spec.currency).map_err(|e| cannot(&e))?;
    let (sender, pieces) = mpsc::sync_channel::<Result<Piece, String>>(3);
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            if let Err(error) = read(&spec, from, &sender) {
                let _ = sender.send(Err(error));
            }
            drop(sender);
        });
        write(domain, job, &pieces, &names, (&mut tally, &mut report), interrupt)
    })?;
    if !done {
        return Ok(None);
    }
    report.out.flush().map_err(|e| cannot(&e))?;
    let (id, reported) = (job.id, tally.rejected > 0);
    let result = json!({"kind": "products", "tally": tally, "report": reported}).to_string();
    domain.store().write(move |tx: &mut Tx| {
        tx.execute("UPDATE jobs SET total = position WHERE id = $1", &[id.into()])?;
        jobs::finish(tx, id, &result)
    })?;
    Ok(Some(tally))
}

/// Reads the file from its beginning; passes over products that are in.
fn read(spec: &Spec, from: u64, out: &mpsc::SyncSender<Result<Piece, String>>) -> Result<(), String> {
    let said = |e: &dyn std::fmt::Display| format!("{}: {e}", spec.name);
    let mut reader = Reader::new(spec.preset, &spec.layout.columns, &spec.currency)?;
    let mut rows = spec.layout.rows_of_file(&spec.path).map_err(|e| said(&e))?;
    let (mut upto, mut piece) = (0u64, Piece { made: Vec::new(), bad: Vec::new(), upto: 0 });
    let mut end = false;
    while !end {
        let found = match rows.next_row().map_err(|e| said(&e))? {
            Some(Ok(row)) => reader.push(row),
            Some(Err(bad)) => Some(Err(bad)),
            None => {
                end = true;
                reader.finish()
            }
        };
        if let Some(found) = found {
            upto += 1;
            if upto > from {
                match found {
                    Ok(made) => piece.made.push(made),
                    Err(bad) => piece.bad.push(bad),
                }
            }
        }
        if piece.made.len() + piece.bad.len() >= PIECE || (end && upto > from) {
            piece.upto = upto;
            let whole = std::mem::replace(&mut piece, Piece { made: Vec::new(), bad: Vec::new(), upto });
            if out.send(Ok(whole)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn write(
    domain: &Domain,
    job: &Job,
    pieces: &mpsc::Receiver<Result<Piece, String>>,
    names: &Reader,
    (tally, report): (&mut Tally, &mut Report),
    interrupt: &AtomicBool,
) -> Result<bool, FileError> {
    for piece in pieces {
        let piece = piece.map_err(FileError::File)?;
        if interrupt.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let mut inputs: Vec<ProductInput> = Vec::with_capacity(piece.made.len());
        let mut lines: Vec<(u64, u64)> = Vec::with_capacity(piece.made.len());
        let mut bad = piece.bad;
        for made in piece.made {
            match serde_json::from_value(made.product) {
                Ok(input) => {
                    inputs.push(input);
                    lines.push((made.line, made.rows));
                }
                Err(error) => bad.push(Bad::row(made.line, error.to_string(), "")),
            }
        }
        let (id, actor, upto, before) = (job.id, job.actor.clone(), piece.upto, *tally);
        let (bad_rows, rows) = (bad.len() as u64, lines.iter().map(|l| l.1).sum::<u64>());
        let written = domain.store().write(move |tx: &mut Tx| {
            let (accepted, rejected) = put_products_by(tx, &actor, &inputs)?;
            let of = |outcome: Outcome| accepted.iter().filter(|a| a.outcome == outcome).count() as u64;
            let tally = Tally {
                rows: before.rows + rows + bad_rows,
                products: before.products + accepted.len() as u64,
                created: before.created + of(Outcome::Created),
                changed: before.changed + of(Outcome::Changed),
                same: before.same + of(Outcome::Same),
                rejected: before.rejected + rejected.len() as u64 + bad_rows,
            };
            let bookmark = serde_json::to_string(&tally).ok();
            let note = format!("{} products, {} rejected", tally.products, tally.rejected);
            let progress = Progress { bookmark, ..Progress::to(upto as i64).noting(note) };
            match jobs::progress(tx, id, &progress) {
                Ok(_) => Ok(Some((tally, rejected))),
                Err(JobError::Store(error)) => Err(error),
                Err(_) => Ok(None),
            }
        });
        let Some((moved, rejected)) = written? else { return Ok(false) };
        *tally = moved;
        for r in rejected {
            let line = lines.get(r.index).map_or(0, |l| l.0);
            bad.push(Bad { line, column: names.column_of(&r.pointer), reason: r.detail, value: String::new() });
        }
        bad.sort_by_key(|b| b.line);
        report.add(&bad).map_err(|e| FileError::File(format!("the report: {e}")))?;
    }
    Ok(true)
}

/// The report of rows that were not taken.
struct Report {
    out: std::io::BufWriter<std::fs::File>,
    file: String,
    lines: u64,
}

impl Report {
    fn open(folder: &Path, job: i64, spec: &Spec, more: bool) -> std::io::Result<Self> {
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
        Ok(Self { out, file: spec.name.clone(), lines: 0 })
    }
    fn add(&mut self, bad: &[Bad]) -> std::io::Result<()> {
        for bad in bad {
            if self.lines < REPORT_MAX {
                exchange::write::report_row(&mut self.out, &self.file, bad, false)?;
            }
            self.lines += 1;
        }
        self.out.flush()
    }
}

/// Does the open imports of products until it is told to end; a thread of its own.
pub fn serve(domain: &Domain, folder: &Path, stop: &AtomicBool) {
    super::serve_jobs(domain, (KIND, "products"), stop, &|job| drive(domain, folder, job, stop).map(drop));
}

/// Columns and rows of the whole catalogue as Braid's own layout reads them.
pub mod out {
    use catalog::model::{Product, ProductInput};
    use catalog::schema::Schema;
    use exchange::goods::COLUMNS;
    use exchange::table::{Cell, Column, Type};
    use serde_json::Value;

    /// The columns: the fields, then every attribute by its keys as they occur.
    pub fn columns(keys: &[String]) -> Vec<Column> {
        let fixed = COLUMNS.iter().map(|c| Column::new(*c, Type::Text, ""));
        fixed.chain(keys.iter().map(|k| Column::new(k, Type::Text, ""))).collect()
    }

    /// The rows of a product: one a variant, or one where it has none.
    pub fn rows(schema: &Schema, product: &Product, keys: &[String]) -> Vec<Vec<Cell>> {
        let document = catalog::document::of(schema, product);
        let variants = if document.variants.is_empty() { vec![Default::default()] } else { document.variants.clone() };
        variants.iter().map(|v| row(&document, v, keys)).collect()
    }

    fn row(d: &ProductInput, v: &catalog::model::VariantInput, keys: &[String]) -> Vec<Cell> {
        let text = |t: Option<&String>| t.cloned().unwrap_or_default();
        let list = |l: Option<&Vec<String>>| l.map(|l| l.join(";")).unwrap_or_default();
        let there = !v.sku.is_empty();
        let price = v.price.as_ref().map(|p| catalog::feeds::render::money(p.minor, &p.currency));
        let (amount, currency) = price.as_deref().and_then(|p| p.split_once(' ')).unwrap_or_default();
        let media: Vec<String> = d.media.iter().flatten().map(|m| m.hash.clone()).collect();
        let flag = |b: Option<bool>| b.filter(|_| there).map(|b| b.to_string()).unwrap_or_default();
        let lots = v.lots.map(|l| ["none", "lot", "serial"][l.code() as usize].to_string()).filter(|_| there);
        let fixed = [
            d.id.clone(),
            text(d.name.as_ref()),
            d.state.map(|s| s.as_str().to_string()).unwrap_or_default(),
            text(d.family.as_ref()),
            text(d.brand.as_ref()),
            text(d.tax_class.as_ref()),
            list(d.categories.as_ref()),
            list(d.axes.as_ref()),
            media.join(";"),
            v.sku.clone(),
            text(v.gtin.as_ref()),
            amount.to_string(),
            currency.to_string(),
            flag(v.tracked),
            lots.unwrap_or_default(),
            v.weight_g.filter(|g| there && *g > 0).map(|g| g.to_string()).unwrap_or_default(),
            flag(v.archived),
        ];
        let value =
            |key: &String| v.attributes.get(key).or_else(|| d.attributes.get(key)).map(cell).unwrap_or_default();
        let cells = fixed.into_iter().chain(keys.iter().map(value));
        cells.map(|t| if t.is_empty() { Cell::None } else { Cell::Text(t) }).collect()
    }

    /// A value as the import reads it back.
    fn cell(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
            Value::Object(map) => match (map.get("amount"), map.get("unit"), map.get("minor"), map.get("currency")) {
                (Some(Value::String(amount)), Some(Value::String(unit)), ..) => format!("{amount} {unit}"),
                (_, _, Some(Value::Number(minor)), Some(Value::String(currency))) => {
                    catalog::feeds::render::money(minor.as_i64().unwrap_or_default(), currency)
                }
                _ => value.to_string(),
            },
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}
