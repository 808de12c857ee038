//! Bringing a file in: one thread reads it, others make batches of its rows, the writer writes them in order.
//!
//! Pieces have the same rows whenever the file is read, and their events the same ids. So after a kill the rows that are in are
//! read once more only for the report of bad rows, and whatever was written without being noted is a repeat.
use super::piece::{Piece, Refused, Tally};
use super::spec::{self, KIND, Spec};
use crate::domain::Domain;
use base::{Clock, Timestamp};
use db::event::Batch;
use db::jobs::{self, Job, JobError, Progress};
use db::{DbError, Tx};
use exchange::convert::{self, Context, Made, Out};
use exchange::groups::{Groups, Next};
use exchange::mapping::{Kind, Plan};
use exchange::quality::{Judge, Seen};
use exchange::rows::{Bad, Row};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// Rows or orders in one piece.
const PIECE: usize = 500;
/// Pieces on their way to the writer.
const AHEAD: usize = 8;
/// Lines of a report; `rejected_rows` counts all.
const REPORT_MAX: u64 = 100_000;
/// Messages and bad rows that a dry run shows.
const SHOWN: usize = 100;

/// How an import ended.
#[derive(Debug)]
pub enum Ended {
    Done(Tally),
    /// It was stopped; it can be resumed.
    Stopped,
    /// This program is about to stop; the next one goes on.
    Interrupted,
}

/// Why an import cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error("{0}")]
    File(String),
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Where the report of an import's bad rows lies.
pub fn report_path(folder: &Path, job: i64) -> PathBuf {
    folder.join("imports").join(format!("{job}.csv"))
}

/// Rows of one piece, as they were read.
struct Raw {
    number: usize,
    groups: Vec<Vec<Row>>,
    bad: Vec<Bad>,
    rows: u64,
    upto: u64,
}

/// A piece that is ready for the writer.
struct Ready {
    number: usize,
    batch: Option<Batch>,
    bad: Vec<(Bad, bool)>,
    rows: u64,
    upto: u64,
}

/// What the threads of an import share.
struct Shared<'a> {
    domain: &'a Domain,
    plan: Plan,
    context: Context,
    source: i64,
    /// Rows that were in before this run.
    from: u64,
    over: AtomicBool,
}

/// Does the work of a job until it is done, stopped or interrupted.
pub fn drive(
    domain: &Domain,
    folder: &Path,
    job: &Job,
    clock: &dyn Clock,
    interrupt: &AtomicBool,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Ended, DriveError> {
    let spec: Spec =
        serde_json::from_str(&job.payload).map_err(|e| DriveError::File(format!("the job is damaged: {e}")))?;
    let plan = spec.plan().map_err(|p| DriveError::File(p.detail))?;
    let cannot = |e: std::io::Error| DriveError::File(format!("{}: {e}", spec.name));
    // Of another file nothing may be skipped.
    let found = spec::fingerprint(&spec.path).map_err(cannot)?;
    if found.sha256 != spec.sha256 {
        return Err(DriveError::File(format!("{} has changed since the import began; begin a new one", spec.name)));
    }
    let context = spec.context(domain.settings(), clock.now());
    if spec.dry_run {
        return dry_run(domain, &spec, &plan, &context, job.id, interrupt);
    }
    let name = spec.source.clone();
    let source = domain.store().read(move |tx| spec::source_id(tx, &name))?;
    let report = Report::create(folder, job.id, &spec.name).map_err(cannot)?;
    let shared =
        Shared { domain, plan, context, source, from: job.position.max(0) as u64, over: AtomicBool::new(false) };
    let outcome = run(&shared, &spec, job.id, clock.now(), interrupt, report, told)?;
    if let Some(ended) = outcome {
        return Ok(ended);
    }
    end(domain, job.id, &spec)
}

/// Ends a job whose rows are all in.
fn end(domain: &Domain, id: i64, spec: &Spec) -> Result<Ended, DriveError> {
    let (kind, source) = (spec.mapping.kind, spec.source.clone());
    let tally = domain.store().write(move |tx| {
        let job = jobs::find(tx, id)?.ok_or_else(|| DbError::damaged("jobs", "the import's job is gone"))?;
        // Whoever stopped it after its last piece finds it stopped; resumed, it has nothing left to do.
        if !job.state.is_open() {
            return Ok(None);
        }
        let tally: Tally = serde_json::from_str(&job.bookmark).unwrap_or_default();
        spec::note_opt_outs(tx, kind)?;
        tx.execute("UPDATE jobs SET total = position WHERE id = $1", &[id.into()])?;
        let reported = tally.rejected_rows + tally.dropped_values > 0;
        let mut result = json!({"kind": kind.as_str(), "tally": tally, "report": reported});
        // People who come without a key that the base knows are looked for among everybody else.
        if matches!(kind, Kind::Customers | Kind::Orders)
            && tally.events > 0
            && let Some(source) = crate::sources::find(tx, &source)?
        {
            result["resolve_job_id"] = json!(crate::moving::resolving::begin(tx, &job, source.id)?.to_string());
        }
        jobs::finish(tx, id, &result.to_string())?;
        Ok::<_, DbError>(Some(tally))
    })?;
    Ok(tally.map_or(Ended::Stopped, Ended::Done))
}

/// Reads, prepares and writes; `None` when the file is at its end.
fn run(
    shared: &Shared<'_>,
    spec: &Spec,
    job: i64,
    now: Timestamp,
    interrupt: &AtomicBool,
    mut report: Report,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Option<Ended>, DriveError> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4);
    let (raw_in, raw_out) = mpsc::sync_channel::<Raw>(AHEAD);
    let (ready_in, ready_out) = mpsc::sync_channel::<Result<Ready, DriveError>>(AHEAD);
    let raw_out = Mutex::new(raw_out);
    std::thread::scope(|scope| {
        let failed = ready_in.clone();
        scope.spawn(move || {
            if let Err(error) = read(shared, spec, &raw_in) {
                let _ = failed.send(Err(error));
            }
        });
        for _ in 0..workers {
            let (ready, raw) = (ready_in.clone(), &raw_out);
            scope.spawn(move || {
                loop {
                    let next = raw.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(raw) = next else { return };
                    if ready.send(prepare(shared, raw, now)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ready_in);
        let out = write(shared, job, (spec.lines, interrupt), &ready_out, &mut report, told);
        // Whoever still reads or prepares finds nobody to give it to.
        shared.over.store(true, Ordering::Relaxed);
        drop(ready_out);
        let _ = raw_out.lock().unwrap_or_else(PoisonError::into_inner).try_iter().count();
        out
    })
}

fn read(shared: &Shared<'_>, spec: &Spec, out: &mpsc::SyncSender<Raw>) -> Result<(), DriveError> {
    let cannot = |e: std::io::Error| DriveError::File(format!("{}: {e}", spec.name));
    let rows = spec.layout.rows_of_file(&spec.path).map_err(|e| DriveError::File(format!("{}: {e}", spec.name)))?;
    let mut groups = Groups::new(rows, &shared.plan);
    let (mut number, mut upto) = (0, 0);
    loop {
        let mut raw = Raw { number, groups: Vec::with_capacity(PIECE), bad: Vec::new(), rows: 0, upto };
        let mut end = false;
        while raw.groups.len() + raw.bad.len() < PIECE {
            match groups.next_group().map_err(cannot)? {
                Some(Next::Group(rows)) => raw.groups.push(rows),
                Some(Next::Bad(bad)) => raw.bad.push(bad),
                None => {
                    end = true;
                    break;
                }
            }
        }
        let taken = raw.groups.iter().map(Vec::len).sum::<usize>() + raw.bad.len();
        raw.rows = taken as u64;
        upto += raw.rows;
        raw.upto = upto;
        number += 1;
        if (taken > 0 && out.send(raw).is_err()) || end || shared.over.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
}

fn prepare(shared: &Shared<'_>, raw: Raw, now: Timestamp) -> Result<Ready, DriveError> {
    let mut out = Out::default();
    for rows in &raw.groups {
        convert::convert(&shared.plan, &shared.context, rows, &mut out);
    }
    let mut bad = out.bad;
    bad.extend(raw.bad.into_iter().map(|b| (b, false)));
    bad.sort_by_key(|(b, _)| b.line);
    // What is in already is read for the report alone.
    let old = raw.upto <= shared.from;
    let batch = if old || out.made.is_empty() { None } else { Some(batch(shared, &out.made, now)?) };
    Ok(Ready { number: raw.number, batch, bad, rows: raw.rows, upto: raw.upto })
}

fn batch(shared: &Shared<'_>, made: &[Made], now: Timestamp) -> Result<Batch, DbError> {
    let body = super::body_of(made.iter().map(|m| m.json.as_str()));
    let key = shared.domain.store().hash_key();
    let ids: Vec<u128> = made.iter().map(|m| collect::event_id(key, shared.source, &m.message_id)).collect();
    let times: Vec<Timestamp> = made.iter().map(|m| m.time).collect();
    shared.domain.import_batch(shared.source, body, &ids, &times, now)
}

/// Gives pieces to the writer in the file's order, a few at once.
fn write(
    shared: &Shared<'_>,
    job: i64,
    (lines, interrupt): (u64, &AtomicBool),
    ready: &mpsc::Receiver<Result<Ready, DriveError>>,
    report: &mut Report,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Option<Ended>, DriveError> {
    let (answer, answers) = mpsc::channel::<Result<(), Refused>>();
    let (mut waiting, mut next, mut under_way) = (BTreeMap::new(), 0, 0usize);
    let settle = |under_way: &mut usize, most: usize| -> Result<Option<Ended>, DriveError> {
        while *under_way > most {
            let said = answers.recv().map_err(|_| DbError::Stopped)?;
            *under_way -= 1;
            match said {
                Ok(()) => {}
                Err(Refused::Stopped(_)) => return Ok(Some(Ended::Stopped)),
                Err(Refused::Store(DbError::Stopped)) => return Ok(Some(Ended::Interrupted)),
                Err(Refused::Store(error)) => return Err(error.into()),
            }
        }
        Ok(None)
    };
    while let Ok(made) = ready.recv() {
        let made = made?;
        waiting.insert(made.number, made);
        while let Some(piece) = waiting.remove(&next) {
            next += 1;
            report.add(&piece.bad).map_err(|e| DriveError::File(format!("the report: {e}")))?;
            if piece.upto <= shared.from {
                continue;
            }
            if interrupt.load(Ordering::Relaxed) {
                settle(&mut under_way, 0)?;
                return Ok(Some(Ended::Interrupted));
            }
            let rejected = piece.bad.iter().filter(|(_, kept)| !kept).count() as u64;
            let adds = Tally {
                rows: piece.rows,
                rejected_rows: rejected,
                dropped_values: piece.bad.len() as u64 - rejected,
                ..Tally::default()
            };
            let answer = answer.clone();
            shared.domain.store().push(Box::new(Piece {
                preparer: shared.domain.preparer().clone(),
                job,
                batch: piece.batch,
                adds,
                upto: piece.upto,
                refused: None,
                reply: Box::new(move |said| drop(answer.send(said))),
            }));
            under_way += 1;
            if let Some(ended) = settle(&mut under_way, AHEAD)? {
                return Ok(Some(ended));
            }
            told(piece.upto, lines);
        }
    }
    let ended = settle(&mut under_way, 0)?;
    report.flush().map_err(|e| DriveError::File(format!("the report: {e}")))?;
    Ok(ended)
}

/// Reads the whole file and writes nothing; the result says what would be.
fn dry_run(
    domain: &Domain,
    spec: &Spec,
    plan: &Plan,
    context: &Context,
    job: i64,
    interrupt: &AtomicBool,
) -> Result<Ended, DriveError> {
    let cannot = |e: std::io::Error| DriveError::File(format!("{}: {e}", spec.name));
    let rows = spec.layout.rows_of_file(&spec.path).map_err(|e| DriveError::File(format!("{}: {e}", spec.name)))?;
    let mut groups = Groups::new(rows, plan);
    let today =
        jiff::Timestamp::from_microsecond(context.now.micros()).map(|t| t.to_zoned(context.zone.clone()).date());
    let mut judge = Judge::new(context.country, today.map(|d| d.to_string()).unwrap_or_default());
    let (mut tally, mut first, mut bad_rows) = (Tally::default(), Vec::new(), Vec::new());
    while let Some(next) = groups.next_group().map_err(cannot)? {
        let mut out = Out::default();
        match next {
            Next::Group(rows) => {
                tally.rows += rows.len() as u64;
                convert::convert(plan, context, &rows, &mut out);
                rows.iter().for_each(|row| judged(&mut judge, plan, row));
            }
            Next::Bad(bad) => {
                tally.rows += 1;
                out.bad.push((bad, false));
            }
        }
        tally.events += out.made.len() as u64;
        let rejected = out.bad.iter().filter(|(_, kept)| !kept).count() as u64;
        tally.rejected_rows += rejected;
        tally.dropped_values += out.bad.len() as u64 - rejected;
        first.extend(out.made.into_iter().take(SHOWN.saturating_sub(first.len())).map(|m| m.json));
        bad_rows.extend(out.bad.into_iter().take(SHOWN.saturating_sub(bad_rows.len())));
        if tally.rows.is_multiple_of(20_000) {
            if interrupt.load(Ordering::Relaxed) {
                return Ok(Ended::Interrupted);
            }
            if !step(domain, job, &tally)? {
                return Ok(Ended::Stopped);
            }
        }
    }
    if !step(domain, job, &tally)? {
        return Ok(Ended::Stopped);
    }
    let first: Vec<serde_json::Value> = first.iter().filter_map(|m| serde_json::from_str(m).ok()).collect();
    let bad: Vec<_> = bad_rows.iter().map(|(bad, kept)| json!({"line": bad.line, "column": bad.column, "reason": bad.reason, "value": bad.value, "rest_taken": kept})).collect();
    let result = json!({"kind": spec.mapping.kind.as_str(), "dry_run": true, "tally": tally, "first": first, "bad": bad, "quality": judge.report()});
    let result = result.to_string();
    domain.store().write(move |tx| {
        tx.execute("UPDATE jobs SET total = position WHERE id = $1", &[job.into()])?;
        jobs::finish(tx, job, &result)
    })?;
    Ok(Ended::Done(tally))
}

/// Notes how far a dry run is; false when it was stopped.
fn step(domain: &Domain, job: i64, tally: &Tally) -> Result<bool, DbError> {
    let progress = Progress::to(tally.rows as i64).noting(tally.note());
    domain.store().write(move |tx: &mut Tx| match jobs::progress(tx, job, &progress) {
        Ok(_) => Ok(true),
        Err(JobError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    })
}

fn judged(judge: &mut Judge, plan: &Plan, row: &Row) {
    for (at, meaning) in &plan.meant {
        if !row.get(*at).is_empty() {
            judge.fill(meaning);
        }
    }
    let name = [plan.value(row, "name"), plan.value(row, "first_name"), plan.value(row, "last_name")].join(" ");
    let day = exchange::values::date(plan.value(row, "birthday"), plan.mapping.date_order);
    let (line, day) = (row.line.to_string(), day.map(|d| d.to_string()).unwrap_or_default());
    judge.see(&Seen {
        subject: &line,
        email: plan.value(row, "email"),
        phone: plan.value(row, "phone"),
        name: name.trim(),
        birthday: &day,
    });
}

/// The report of bad rows.
struct Report {
    out: std::io::BufWriter<std::fs::File>,
    file: String,
    rows: u64,
}

impl Report {
    fn create(folder: &Path, job: i64, file: &str) -> std::io::Result<Self> {
        let path = report_path(folder, job);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
        exchange::write::csv_row(&mut out, exchange::write::REPORT_HEADER, ',')?;
        Ok(Self { out, file: file.to_string(), rows: 0 })
    }
    fn add(&mut self, bad: &[(Bad, bool)]) -> std::io::Result<()> {
        for (bad, kept) in bad {
            if self.rows < REPORT_MAX {
                exchange::write::report_row(&mut self.out, &self.file, bad, *kept)?;
            }
            self.rows += 1;
        }
        Ok(())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// The oldest import that is open.
pub fn waiting(domain: &Domain) -> Result<Option<Job>, DbError> {
    domain.store().read(|tx| {
        let id = jobs::open(tx)?.iter().find(|w| w.kind == KIND).map(|w| w.id);
        id.map_or(Ok(None), |id| jobs::find(tx, id))
    })
}

/// Does the open imports of a store until it is told to end; the server's thread for files.
pub fn serve(domain: &Domain, folder: &Path, clock: &Arc<dyn Clock>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) && domain.store().is_alive() {
        let Ok(Some(job)) = waiting(domain) else {
            std::thread::sleep(std::time::Duration::from_millis(200));
            continue;
        };
        let attempt = || drive(domain, folder, &job, &**clock, stop, &mut |_, _| {});
        // What panics in one file must not keep the others waiting.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
        let broken = |_| Err(DriveError::File("reading the file failed inside Braid; the log says where".into()));
        match outcome.unwrap_or_else(broken) {
            Ok(_) => {}
            Err(error) => {
                let passing = matches!(&error, DriveError::Store(_));
                tracing::warn!(job = job.id, %error, "an import cannot go on");
                let reason = error.to_string();
                let id = job.id;
                let _ =
                    domain.store().write(move |tx| jobs::fail(tx, id, &reason, passing || !reason.contains("changed")));
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
        }
    }
}
