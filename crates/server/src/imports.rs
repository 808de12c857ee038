//! Files go in through here: whole ones as jobs ([`spec`], [`drive`]), or in pieces that `braid import` made of a data set
//! (`POST /api/v1/imports/pieces`, from this machine only).
pub mod drive;
pub mod piece;
pub mod spec;
pub mod uploads;

use crate::app::App;
use crate::caller::identify;
use crate::domain::{Domain, Ingested};
use crate::problem::{BAD_INPUT, BAD_REQUEST, NOT_ALLOWED, Problem};
use crate::sources::{self, Source, SourceKind};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::{Json, response};
use base::Timestamp;
use db::event::Batch;
use db::message::Message;
use db::{DbError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The largest piece of a file.
pub const PIECE_MAX: usize = 32 << 20;
/// The largest event of a file.
const EVENT_MAX: usize = 1 << 20;

/// A piece of a file: messages of the tracking API, each with id and time of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece<'a> {
    /// Name of the source; made when it is new.
    source: &'a str,
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// New events.
    pub events: u64,
    /// Events that were there.
    pub duplicates: u64,
}

impl Imported {
    /// Counts what the writer said about a piece of `items`.
    pub fn of(items: usize, ingested: &Ingested) -> Self {
        let (duplicates, erased) = (ingested.duplicates.len() as u64, ingested.erased.len() as u64);
        Self { events: items as u64 - duplicates - erased, duplicates }
    }
}

/// Takes a piece of a file.
pub async fn take(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<response::Response, Problem> {
    let caller = identify(&app, &Method::POST, &headers)?;
    if !caller.is_local() {
        return Err(NOT_ALLOWED.because("files are imported on the machine itself, with braid import"));
    }
    let piece: Piece<'_> = serde_json::from_slice(&body).map_err(|e| BAD_REQUEST.because(e.to_string()))?;
    let name = crate::api::accounts::named(piece.source)?;
    let text = body_of(piece.batch.iter().map(|r| r.get()));
    let source = app.write(move |tx| Ok(ensure_source(tx, &name)?)).await?;
    if app.sources().sources().get(source.id).is_none() {
        app.reload_sources().await?;
    }
    let (shared, now) = (app.clone(), app.now());
    let batch = tokio::task::spawn_blocking(move || prepare(&shared.domain, source.id, text, now)).await;
    let batch = batch.map_err(|_| BAD_INPUT.because("the piece could not be read"))??;
    let items = batch.events.len();
    let (reply, answer) = oneshot::channel();
    app.domain.ingest_batch(batch, move |outcome| drop(reply.send(outcome)));
    let ingested = answer.await.unwrap_or(Err(DbError::Stopped))?;
    Ok(response::IntoResponse::into_response(Json(Imported::of(items, &ingested))))
}

/// The body that is logged for a piece.
pub fn body_of<'a>(messages: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("{\"batch\":[");
    for (at, message) in messages.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(message);
    }
    text.push_str("]}");
    text
}

/// The source of a file, made when it is new.
pub fn ensure_source(tx: &mut Tx, name: &str) -> Result<Source, DbError> {
    if let Some(found) = sources::find(tx, name)? {
        return Ok(found);
    }
    let made = sources::add(tx, name, SourceKind::Import, None)?;
    made.ok_or_else(|| DbError::damaged("sources", "a name is taken and free at once"))
}

/// Reads a piece. Times are taken as they are; an event without id or time, or from the future, is the importer's mistake.
pub fn prepare(domain: &Domain, source: i64, body: String, now: Timestamp) -> Result<Batch, Problem> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        batch: Vec<&'a RawValue>,
    }
    let parsed: Body<'_> = serde_json::from_str(&body).map_err(|e| BAD_REQUEST.because(e.to_string()))?;
    let (mut ids, mut times) = (Vec::with_capacity(parsed.batch.len()), Vec::with_capacity(parsed.batch.len()));
    for (at, raw) in parsed.batch.iter().enumerate() {
        let bad = |detail: &str| BAD_INPUT.at(&format!("/batch/{at}"), detail);
        if raw.get().len() > EVENT_MAX {
            return Err(bad("an event of a file has at most 1 MiB"));
        }
        let message: Message<'_> = serde_json::from_str(raw.get()).map_err(|e| bad(&e.to_string()))?;
        let id = message.message_id.as_deref().filter(|id| !id.is_empty()).ok_or_else(|| bad("it has no messageId"))?;
        let time = message.timestamp.as_deref().or(message.original_timestamp.as_deref());
        let time = time.and_then(|t| Timestamp::parse(t).ok()).ok_or_else(|| bad("it has no time"))?;
        if time > now {
            return Err(bad("it lies in the future"));
        }
        if message.kind.as_deref().and_then(db::event::EventKind::parse).is_none() {
            return Err(bad("its type is no call of the tracking API"));
        }
        ids.push(collect::event_id(domain.store().hash_key(), source, id));
        times.push(time);
    }
    domain.import_batch(source, body, &ids, &times, now).map_err(Problem::from)
}
