//! The tracking API, `/v1/…` (CONTRACTS 3): the hot path of the server, so it goes past the router and makes no spans.
mod client;
mod paths;
mod sdk_settings;

use crate::app::App;
use crate::domain::Ingested;
use crate::metrics::RouteClass;
use crate::sources::{self, Source};
use crate::timing;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base::Timestamp;
use bytes::{Bytes, BytesMut};
use collect::{RateLimit, Refusal, answer, write_key};
use db::DbError;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Bodies up to this many bytes are read on the runtime's own thread: 100 events take 300 to 400 µs.
const INLINE_BYTES: usize = 96 << 10;
/// How long a sender may take for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a refused body is read, and how long its sender may take.
const DRAIN_BYTES: usize = 16 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the database may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Who may send, and how fast.
#[derive(Debug, Default)]
pub struct Keys {
    sources: sources::Snapshot,
    limits: HashMap<i64, Mutex<RateLimit>>,
}

impl Keys {
    /// Full buckets for all sources.
    pub fn new(sources: sources::Snapshot, per_second: u32, now: Timestamp) -> Self {
        let bucket = || Mutex::new(RateLimit::new(per_second, per_second, now));
        let limits = sources.all().iter().map(|s| (s.id, bucket())).collect();
        Self { sources, limits }
    }
    /// The sources.
    pub fn sources(&self) -> &sources::Snapshot {
        &self.sources
    }
    fn take(&self, source: i64, events: u32, now: Timestamp) -> Result<(), Refusal> {
        let Some(limit) = self.limits.get(&source) else { return Ok(()) };
        limit.lock().unwrap_or_else(PoisonError::into_inner).take(events, now).map_err(Refusal::too_fast)
    }
}

pub use client::Proxies;
pub use paths::is_ours;

/// Answers a request whose path [`is_ours`]; `peer` is the other end of the connection.
pub async fn handle(app: &Arc<App>, request: axum::http::Request<Incoming>, peer: Option<IpAddr>) -> Response {
    let started = Instant::now();
    let mut database = Duration::ZERO;
    let mut response = match *request.method() {
        Method::OPTIONS => preflight(),
        Method::POST => match accept(app, request, peer, &mut database).await {
            Ok(body) => json(StatusCode::OK, body),
            Err(refusal) => refuse(app, &refusal),
        },
        Method::GET | Method::HEAD if sdk_settings::key_in(request.uri().path()).is_some() => {
            sdk_settings::answer(app, &request)
        }
        _ => refuse(app, &bad(405, "method_not_allowed", "events are sent with POST")),
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after, server-timing"));
    timing::write(response.headers_mut(), database, started.elapsed());
    app.metrics.answered(RouteClass::Collect, response.status().as_u16());
    response
}

/// Takes a request's events; gives the answer's body.
async fn accept(
    app: &Arc<App>,
    request: axum::http::Request<Incoming>,
    peer: Option<IpAddr>,
    database: &mut Duration,
) -> Result<Body, Refusal> {
    let call = paths::call(request.uri().path()).ok_or_else(|| bad(404, "not_found", "there is no such call"))?;
    let strict = request.uri().query().is_some_and(|q| q.split('&').any(|p| p == "strict=1" || p == "strict=true"));
    let (parts, incoming) = request.into_parts();
    let in_query = paths::key_in_query(parts.uri.query());
    let limit = app.domain.max_body();
    let body = read(incoming, &parts.headers, limit).await?;
    let body = unzip(&parts.headers, body, limit).await?;
    let keys = app.sources();
    let source = find_source(&keys, &parts.headers, in_query, &body)?;
    let (now, sender) = (app.now(), sender_of(&source));
    // A server speaks for others: its own address and agent say nothing about them.
    let client = match source.kind {
        sources::SourceKind::Browser => app.proxies.client(peer, &parts.headers),
        _ => collect::Client::default(),
    };
    let received = if body.len() <= INLINE_BYTES {
        app.domain.receive(call, sender, client, body, now)?
    } else {
        let app = app.clone();
        let read = tokio::task::spawn_blocking(move || app.domain.receive(call, sender, client, body, now)).await;
        read.map_err(|_| failed())??
    };
    keys.take(source.id, received.batch.count, now)?;
    let items = strict.then(|| received.items());
    let (events, rejects) = (received.batch.events.len() as u64, received.rejects.len() as u64);
    let mut ingested = Ingested::default();
    if events + rejects > 0 {
        let asked = Instant::now();
        let (reply, answer) = oneshot::channel();
        app.domain.ingest(received, move |outcome| drop(reply.send(outcome)));
        let outcome = tokio::time::timeout(ANSWER_TIMEOUT, answer).await;
        *database = asked.elapsed();
        ingested = match outcome {
            Ok(Ok(outcome)) => outcome.map_err(unavailable)?,
            Ok(Err(_)) => return Err(unavailable(DbError::Stopped)),
            Err(_) => return Err(Refusal::unavailable("database_away", "the database does not answer in time", 5)),
        };
    }
    app.metrics.accepted.fetch_add(events, Ordering::Relaxed);
    app.metrics.rejected.fetch_add(rejects, Ordering::Relaxed);
    app.metrics.duplicates.fetch_add(ingested.duplicates.len() as u64, Ordering::Relaxed);
    Ok(match items {
        Some(items) => answer::strict(items, &ingested.duplicates).into(),
        None => answer::SUCCESS.into(),
    })
}

async fn read(mut incoming: Incoming, headers: &HeaderMap, limit: usize) -> Result<Bytes, Refusal> {
    let too_large = || bad(400, "body_too_large", &format!("the body is larger than {} KiB", limit >> 10));
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if length.is_some_and(|l| l > limit) {
        drain(incoming).await;
        return Err(too_large());
    }
    let collected = async {
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = incoming.frame().await {
            let cut = |_| bad(400, "body_cut", "the body ended before its time");
            let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
            if first.len() + rest.len() + data.len() > limit {
                return Err(too_large());
            }
            // Most bodies come in one piece and are not copied.
            if first.is_empty() && rest.is_empty() {
                first = data;
            } else {
                if rest.is_empty() {
                    rest.reserve(length.unwrap_or(first.len() * 4).min(limit));
                    rest.extend_from_slice(&first);
                    first = Bytes::new();
                }
                rest.extend_from_slice(&data);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    };
    match tokio::time::timeout(BODY_TIMEOUT, collected).await {
        Ok(body) => body,
        Err(_) => Err(bad(400, "body_cut", "the body did not come in time")),
    }
}

/// Reads the rest of a body that is refused: a connection that is closed on unread data is reset, and the sender would
/// never hear why. Whoever sends much more than a mistake explains is cut off all the same.
async fn drain(mut incoming: Incoming) {
    let rest = async {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(frame)) = incoming.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, rest).await;
}

async fn unzip(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(body),
        Some(b"gzip" | b"x-gzip") => {
            let unzipped = tokio::task::spawn_blocking(move || collect::gunzip(&body, limit)).await;
            unzipped.map_err(|_| failed())?.map(Bytes::from)
        }
        Some(_) => Err(bad(400, "bad_encoding", "the body may be packed with gzip only")),
    }
}

fn find_source(
    keys: &Keys,
    headers: &HeaderMap,
    in_query: Option<String>,
    body: &Bytes,
) -> Result<Arc<Source>, Refusal> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let header = text(header::AUTHORIZATION).and_then(write_key::in_authorization);
    // Jitsu's libraries send a header of their own: the key alone, or with its secret behind a colon.
    let own = text(HeaderName::from_static("x-write-key")).map(|k| k.trim().to_owned()).filter(|k| !k.is_empty());
    let key = header.or(own).or(in_query).or_else(|| write_key::in_body(body)).ok_or_else(Refusal::unknown_key)?;
    keys.sources.of_key(&key).cloned().ok_or_else(Refusal::unknown_key)
}

/// A source as `collect` knows it.
pub fn sender_of(source: &Source) -> collect::Source {
    let kind = match source.kind {
        sources::SourceKind::Browser => collect::SourceKind::Browser,
        sources::SourceKind::Server => collect::SourceKind::Server,
        sources::SourceKind::Import => collect::SourceKind::Import,
        sources::SourceKind::System => collect::SourceKind::System,
    };
    collect::Source { id: source.id, kind }
}

fn unavailable(error: DbError) -> Refusal {
    match error {
        DbError::QueueFull => Refusal::unavailable("busy", "too much work is waiting", 1),
        DbError::Full => Refusal::unavailable("disk_full", "the disk that holds the database is full", 30),
        DbError::Stopped | DbError::Fenced { .. } => Refusal::unavailable("stopping", "the server is stopping", 5),
        DbError::Busy(_) | DbError::Lost(_) | DbError::Open { .. } => {
            Refusal::unavailable("database_away", "the database does not answer", 2)
        }
        error => {
            tracing::error!(%error, "events could not be stored");
            failed()
        }
    }
}

fn failed() -> Refusal {
    bad(500, "internal", "something went wrong inside Braid; nothing was stored")
}

fn bad(status: u16, code: &'static str, detail: &str) -> Refusal {
    Refusal { status, code, detail: detail.into(), retry_after_s: None }
}

fn refuse(app: &App, refusal: &Refusal) -> Response {
    app.metrics.refused.fetch_add(1, Ordering::Relaxed);
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, refusal.body().into());
    if let Some(seconds) = refusal.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if refusal.status == 405 {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    }
    response
}

fn json(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Any page may send events: a write key of a browser is public, and no cookie is ever looked at here.
fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        // The last three are sent by the libraries of Jitsu and RudderStack.
        HeaderValue::from_static(
            "authorization, content-type, content-encoding, x-write-key, anonymousid, x-enable-debug",
        ),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}
