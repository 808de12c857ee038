//! Takes the files of exchanges in: one thread, a piece a transaction with the place after it. After a kill the file is read again
//! and what is in is passed over.
use super::connections::{self, Connection};
use super::folder::{Folder, FolderError};
use super::goods::{self, Around, Row, Tally};
use super::journal::{Level, Place, note};
use super::{returned, settle};
use crate::app::App;
use base::{DAY_US, Timestamp};
use db::jobs::{self, Job, JobError, Progress};
use db::{DbError, Tx};
use exchange::commerceml::{Head, Item, Part, Reader};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Items of one transaction.
const PIECE: usize = 400;
/// Pictures of goods that are read, in bytes each.
const PICTURE_MAX: u64 = 20 << 20;

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Spec {
    /// Takes a file of an exchange in.
    File { connection: i64, exchange: i64, name: String },
    /// Uses what waited, after somebody said what a warehouse or a kind of price is.
    Settle { connection: i64 },
}

/// Why a job cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("{0}")]
    File(String),
    #[error(transparent)]
    Store(#[from] DbError),
}

impl From<FolderError> for WorkError {
    fn from(error: FolderError) -> Self {
        WorkError::File(error.to_string())
    }
}

/// What a job is done with.
struct Bench<'a> {
    app: &'a App,
    job: &'a Job,
    stop: &'a AtomicBool,
    connection: Connection,
    zone: TimeZone,
}

/// Does the open jobs until it is told to end; a thread of its own.
pub fn serve(app: &App, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) && app.domain.store().is_alive() {
        let waiting = app.domain.store().read(|tx: &mut Tx| {
            let id = jobs::open(tx)?.iter().find(|w| w.kind == super::JOB).map(|w| w.id);
            id.map_or(Ok(None), |id| jobs::find(tx, id))
        });
        let Ok::<_, DbError>(Some(job)) = waiting else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        if let Err(error) = drive(app, &job, stop) {
            tracing::warn!(job = job.id, %error, "a file of an exchange cannot be taken in");
            let (id, reason, passing) = (job.id, error.to_string(), matches!(error, WorkError::Store(_)));
            let spec = serde_json::from_str::<Spec>(&job.payload).ok();
            let _ = app.domain.store().write(move |tx: &mut Tx| {
                if let Some(Spec::File { connection, exchange, name }) = &spec {
                    let place = Place { connection_id: *connection, exchange_id: *exchange, file: name.clone() };
                    note(tx, &place, Level::Failed, 0, name, &reason);
                }
                jobs::fail(tx, id, &reason, passing)
            });
        }
    }
}

fn drive(app: &App, job: &Job, stop: &AtomicBool) -> Result<(), WorkError> {
    let spec: Spec =
        serde_json::from_str(&job.payload).map_err(|e| WorkError::File(format!("the job is damaged: {e}")))?;
    let (Spec::File { connection, .. } | Spec::Settle { connection }) = &spec;
    let connection = *connection;
    let found = app.domain.store().read(move |tx: &mut Tx| connections::get(tx.engine(), connection))?;
    let connection = found.ok_or_else(|| WorkError::File("the connection was taken away".into()))?;
    let zone = TimeZone::get(&app.config.time_zone).unwrap_or(TimeZone::UTC);
    let bench = Bench { app, job, stop, connection, zone };
    match spec {
        Spec::File { exchange, name, .. } => bench.file(exchange, &name),
        Spec::Settle { .. } => bench.settle(),
    }
}

/// The local moment that a file bears.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = Timestamp::parse(text) {
        return Some(at);
    }
    let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
    let at = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

impl Bench<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn file(&self, exchange: i64, name: &str) -> Result<(), WorkError> {
        let folder = Folder::new(&self.app.folder, self.connection.id, exchange);
        let id = self.job.id;
        if !folder.unpack(&mut |_| !self.stopped())? {
            return Ok(());
        }
        let cannot = |e: &dyn std::fmt::Display| WorkError::File(format!("{name}: {e}"));
        let path = folder.place(name).ok_or_else(|| cannot(&"its name cannot be used here"))?;
        let file = File::open(&path).map_err(|_| cannot(&"it did not come; send it before it is to be taken in"))?;
        let sql = "SELECT begun_at, direction FROM erp_exchanges WHERE id = $1";
        let begun = self.app.domain.store().read(move |tx: &mut Tx| {
            tx.first(sql, &[exchange.into()])?.map(|r| Ok::<_, DbError>((r.int(0)?, r.text(1)? == "sale"))).transpose()
        })?;
        let (begun_us, sale) = begun.ok_or_else(|| cannot(&"its exchange is gone"))?;
        let mut tally: Tally = serde_json::from_str(&self.job.bookmark).unwrap_or_default();
        let from = self.job.position.max(0);
        let mut reader = Reader::new(file);
        let (mut line, mut head, mut whole) = (0i64, None::<Head>, 0i64);
        let place = Place { connection_id: self.connection.id, exchange_id: exchange, file: name.into() };
        let mut piece: Vec<Row> = Vec::with_capacity(PIECE);
        loop {
            let item = reader.next().map_err(|e| cannot(&e))?;
            let end = item.is_none();
            match item {
                Some(Item::Opened(h)) => {
                    // A piece lies under one head.
                    if !piece.is_empty()
                        && !self.bring((&head, &place, begun_us, &reader), &mut piece, line, &mut tally)?
                    {
                        return Ok(());
                    }
                    head = Some(h);
                }
                Some(Item::Closed(h)) if h.part == Part::Goods => {
                    whole = match h.changes_only {
                        Some(false) if whole >= 0 => 1,
                        Some(false) => whole,
                        _ => -1,
                    };
                }
                Some(Item::Closed(_)) => {}
                Some(item) => {
                    line += 1;
                    if line > from {
                        let media = self.media(&folder, &item);
                        piece.push(Row { line, item, media });
                    }
                }
                None => {}
            }
            let full = piece.len() >= PIECE || (end && !piece.is_empty());
            if full
                && (self.stopped() || !self.bring((&head, &place, begun_us, &reader), &mut piece, line, &mut tally)?)
            {
                return Ok(());
            }
            if end {
                break;
            }
        }
        if sale {
            // What came with people's names goes as soon as it is read.
            let _ = std::fs::remove_file(&path);
        }
        let (named, result) = (name.to_string(), json!({"kind": "erp", "tally": tally}).to_string());
        let kept = serde_json::to_string(&tally).unwrap_or_default();
        self.app.domain.store().write(move |tx: &mut Tx| {
            let now = tx.now().micros();
            if whole != 0 {
                // A list of changes anywhere in an exchange makes it one of changes.
                let sql = "UPDATE erp_exchanges SET whole = CASE WHEN whole < 0 THEN whole ELSE $2 END WHERE id = $1";
                tx.execute(sql, &[exchange.into(), whole.into()])?;
            }
            let sql = "UPDATE erp_files SET tally = $3, updated_at = $4 WHERE exchange_id = $1 AND name = $2";
            tx.execute(sql, &[exchange.into(), (&named).into(), (&kept).into(), now.into()])?;
            tx.notify(db::Notice::Changed { what: "erp" });
            tx.execute("UPDATE jobs SET total = position WHERE id = $1", &[id.into()])?;
            jobs::finish(tx, id, &result)
        })?;
        Ok(())
    }

    /// Keeps pictures that came beside the file.
    fn media(&self, folder: &Folder, item: &Item) -> Vec<String> {
        let Item::Product(product) = item else { return Vec::new() };
        let kept = product.pictures.iter().filter_map(|picture| {
            let path = folder.place(picture)?;
            let small = std::fs::metadata(&path).is_ok_and(|m| m.len() <= PICTURE_MAX);
            let bytes = std::fs::read(path).ok().filter(|_| small)?;
            self.app.goods.media.keep(&bytes).ok().map(|k| k.hash)
        });
        kept.collect()
    }

    /// Brings a piece to the writer. Gives whether to go on.
    fn bring(
        &self,
        (head, place, begun_us, reader): (&Option<Head>, &Place, i64, &Reader<File>),
        piece: &mut Vec<Row>,
        upto: i64,
        tally: &mut Tally,
    ) -> Result<bool, WorkError> {
        let rows = std::mem::take(piece);
        let now = self.app.now();
        // A clock that is ahead there counts as now here; one that is far ahead is no clock.
        let said = moment(reader.made_at(), &self.zone).filter(|at| *at <= now.plus(DAY_US));
        let at = said.map_or(Timestamp::from_micros(begun_us), |at| at.min(now));
        let (head, place, connection) = (head.clone(), place.clone(), self.connection.clone());
        let (currency, id, before) = (self.app.config.currency.clone(), self.job.id, *tally);
        let moved = self.app.domain.store().write(move |tx: &mut Tx| {
            let mut tally = before;
            // Settings may have changed since the job began.
            let connection = connections::get(tx.engine(), connection.id)?.unwrap_or_else(|| connection.clone());
            let around = Around {
                connection: &connection,
                currency: &currency,
                head: head.clone(),
                at,
                begun_us,
                place: place.clone(),
            };
            goods::take(tx, &around, &rows, &mut tally)?;
            for row in &rows {
                if let Item::Document(document) = &row.item {
                    tally.orders += 1;
                    if !returned::take(tx, &connection, row.line, document, &place)? {
                        tally.refused += 1;
                    }
                }
            }
            let note = format!("{} goods, {} offers, {} refused", tally.goods, tally.offers, tally.refused);
            let progress = Progress { bookmark: serde_json::to_string(&tally).ok(), ..Progress::to(upto).noting(note) };
            match jobs::progress(tx, id, &progress) {
                Ok(_) => Ok(Some(tally)),
                Err(JobError::Store(error)) => Err(error),
                Err(_) => Ok(None),
            }
        })?;
        match moved {
            Some(moved) => {
                *tally = moved;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Goes over all offers and uses what waits.
    fn settle(&self) -> Result<(), WorkError> {
        let mut after = self.job.bookmark.clone();
        let mut done: i64 = self.job.position;
        loop {
            if self.stopped() {
                return Ok(());
            }
            let (from, id, connection, upto) = (after.clone(), self.job.id, self.connection.id, done);
            let currency = self.app.config.currency.clone();
            let next = self.app.domain.store().write(move |tx: &mut Tx| {
                let Some(connection) = connections::get(tx.engine(), connection)? else { return Ok(None) };
                let sql = "SELECT external_id, variant_no FROM erp_ids WHERE connection_id = $1 AND kind = 'variant' \
                           AND state <> 'moved' AND external_id > $2 ORDER BY external_id LIMIT $3";
                let rows = tx.rows(sql, &[connection.id.into(), (&from).into(), (PIECE as i64).into()])?;
                let offers: Vec<(String, i64)> =
                    rows.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)?))).collect::<Result<_, DbError>>()?;
                let place = Place { connection_id: connection.id, exchange_id: 0, file: String::new() };
                settle::settle(tx, &connection, &currency, &offers, &place)?;
                let upto = upto + offers.len() as i64;
                let last = offers.last().map(|(id, _)| id.clone());
                let progress = Progress { bookmark: last.clone(), ..Progress::to(upto) };
                match jobs::progress(tx, id, &progress) {
                    Ok(_) => {}
                    Err(JobError::Store(error)) => return Err(error),
                    Err(_) => return Ok(None),
                }
                if last.is_none() {
                    jobs::finish(tx, id, "{\"kind\": \"erp\"}")?;
                    tx.notify(db::Notice::Changed { what: "erp" });
                }
                Ok(last.map(|last| (last, upto)))
            })?;
            let Some((last, upto)) = next else { return Ok(()) };
            (after, done) = (last, upto);
        }
    }
}

/// Asks for what waits to be used, unless that is asked for already.
pub fn ask_to_settle(tx: &mut Tx, connection: i64) -> Result<(), DbError> {
    let text = serde_json::to_string(&Spec::Settle { connection }).map_err(|e| DbError::damaged("jobs", e))?;
    jobs::add(tx, &jobs::New { subject: connection, ..jobs::New::of(super::JOB, &text) }).map(drop)
}

/// Empties working folders of exchanges that nobody has spoken in for three days.
pub fn sweep(shop: &Path, db: &mut db::Engine, connection: i64, now: Timestamp) -> Result<(), DbError> {
    let sql = "SELECT id FROM erp_exchanges WHERE connection_id = $1 AND heard_at < $2 ORDER BY id DESC LIMIT 200";
    for row in db.rows(sql, &[connection.into(), (now.micros() - 3 * DAY_US).into()])? {
        let _ = Folder::new(shop, connection, row.int(0)?).wipe();
    }
    Ok(())
}
