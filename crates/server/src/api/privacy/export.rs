//! Handing a person all that is held about them.
use super::print;
use crate::app::App;
use crate::audit;
use crate::border::Cleared;
use crate::caller::WritePrivacy;
use crate::input::{Id, Params};
use crate::personal::{self, Form, PersonalError, Wanted, Written};
use crate::problem::{CONFLICT, NOT_FOUND, Problem};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use customers::privacy::requests::{self, Kind, Outcome, State as At};
use http_body::Frame;
use serde::Deserialize;
use serde_json::json;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

use super::purposes::Format;

/// How the export is written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `json` (without it) or `html`.
    #[param(inline)]
    format: Option<Format>,
    /// The page's language: `en` or `uk`; the shop's without it.
    language: Option<String>,
    /// The access request that this answers; what was handed over is noted there.
    request_id: Option<String>,
}

/// Gives everything that is held of a customer, as a file: facts with their origin, identifiers with evidence, all events,
/// consents with proof, messages, what was joined, who looked. The file is streamed; each export stands in the audit.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/export", tag = "privacy",
    params(("person_id" = String, Path), ExportQuery),
    responses((status = 200, body = String, content_type = "application/json")))]
pub async fn export_customer(
    State(app): State<Arc<App>>,
    WritePrivacy(caller): WritePrivacy,
    Path(id): Path<String>,
    Params(q): Params<ExportQuery>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let form = if q.format == Some(Format::Html) { Form::Html } else { Form::Json };
    let language = print::language(q.language.as_deref(), &app)?;
    let request = q.request_id.as_deref().map(Id::in_path).transpose()?;
    let actor = caller.actor.clone();
    let person = app
        .write(move |tx| {
            let profile = tx.get::<customers::profiles::Profiles>(id)?.map(|p| p.person).filter(|p| *p != 0);
            let person = profile.ok_or_else(|| NOT_FOUND.because(format!("nobody has the id {id}")))?;
            if let Some(request) = request {
                may_answer(tx, request, person)?;
            }
            settle(tx, person)?;
            let after = json!({"format": form.as_str(), "request": request.map(|r| r.to_string())});
            audit::note(tx, &actor, ("export", "customer"), &person.to_string(), None, Some(&after))?;
            Ok(person)
        })
        .await?;
    crate::views::flush(&app).await;
    let (sender, receiver) = mpsc::channel(4);
    let wanted = Wanted { id: person, form, language };
    tokio::task::spawn_blocking(move || produce(&app, wanted, request, sender));
    let mut response = Response::new(Body::new(Stream(receiver)));
    response.extensions_mut().insert(Cleared);
    let headers = response.headers_mut();
    let kind = if form == Form::Html { "text/html; charset=utf-8" } else { "application/json" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"),
    );
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"customer-{person}.{}\"", form.as_str())) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Writes a person's rows that wait for their turn, and only theirs: the snapshot sees what is written.
fn settle(tx: &mut db::Tx, person: i64) -> Result<(), db::DbError> {
    let members = customers::commands::members_of(tx, person)?;
    // What a transaction touched is what it can write at once.
    for member in &members {
        tx.get_mut::<customers::profiles::Profiles>(*member)?;
    }
    tx.get_mut::<segments::runtime::Memberships>(person)?;
    tx.flush_keys::<customers::profiles::Profiles>(&members)?;
    tx.flush_keys::<segments::runtime::Memberships>(&[person])
}

/// Whether an export may answer a request: one for access, of this person, by somebody who was verified.
fn may_answer(tx: &mut db::Tx, request: i64, person: i64) -> Result<(), Problem> {
    let found = requests::find(tx, request)?;
    let found = found.ok_or_else(|| NOT_FOUND.because(format!("there is no request {request}")))?;
    let own = tx.get::<customers::profiles::Profiles>(found.person_id)?.is_some_and(|p| p.person == person);
    if found.kind != Kind::Access || !own {
        return Err(CONFLICT.because(format!("request {request} does not ask for the data of this customer")));
    }
    match found.state {
        At::Received => Err(CONFLICT.because("find out first whether whoever asks is who they say they are")),
        At::Refused => Err(CONFLICT.because(format!("request {request} was refused"))),
        At::Verified | At::Running | At::Done => Ok(()),
    }
}

/// Writes the export on a thread of its own, and notes at its end what was handed over.
fn produce(app: &App, wanted: Wanted, request: Option<i64>, sender: mpsc::Sender<io::Result<Bytes>>) {
    let mut pieces = Pieces { sender, held: Vec::with_capacity(PIECE) };
    let done = read(app, wanted, &mut pieces).and_then(|written| {
        if let Some(request) = request {
            note(app, request, wanted.form, &written)?;
        }
        Ok(written)
    });
    match done {
        Ok(written) => tracing::info!(events = written.events, bytes = written.bytes, "a customer's data was exported"),
        Err(error) => {
            tracing::warn!(%error, "an export of a customer's data broke off");
            // An answer that breaks off must not look whole.
            let _ = pieces.sender.blocking_send(Err(io::Error::other("the export broke off")));
        }
    }
}

fn read(app: &App, wanted: Wanted, out: &mut dyn Write) -> Result<Written, PersonalError> {
    let store = app.domain.store();
    let mut tx = personal::snapshot(store.location(), store.sync(), app.now())?;
    personal::write(&mut tx, app.domain.preparer(), wanted, out)
}

fn note(app: &App, request: i64, form: Form, written: &Written) -> Result<(), PersonalError> {
    let written = written.clone();
    app.domain.store().write(move |tx| {
        let outcome = Outcome::Export {
            at: tx.now().to_string(),
            format: form.as_str().into(),
            events: written.events,
            bytes: written.bytes,
            sha256: written.sha256.clone(),
        };
        requests::note_outcome(tx, request, outcome)?;
        tx.notify(db::Notice::Changed { what: "privacy" });
        Ok::<_, db::DbError>(())
    })?;
    Ok(())
}

/// Bytes that are sent at once.
const PIECE: usize = 64 << 10;

/// Gathers what is written into pieces and waits while the reader is slow.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    held: Vec<u8>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.held, Vec::with_capacity(PIECE)));
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::Error::other("the reader has gone"))
    }
}

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(buf);
        if self.held.len() >= PIECE {
            self.send()?;
        }
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

/// The pieces as the body of an answer.
struct Stream(mpsc::Receiver<io::Result<Bytes>>);

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|p| p.map(Frame::data)))
    }
}
