//! What stands around every request of the admin API: who asks, which request it is, what may leave.
//!
//! On the way in: the caller is found once, a person of another shop is not there, a user who looked at too many people has
//! to wait. On the way out: contacts are masked for whoever may not see them, and the people in the answer are counted.
//! Routes need not think of any of it, so that a new one cannot forget it.
use crate::access::Act;
use crate::app::App;
use crate::caller::{Caller, identify_from};
use crate::mask;
use crate::metrics::RouteClass;
use crate::problem::{NOT_ALLOWED, Problem, TOO_MANY_VIEWS, internal};
use crate::{scope, timing, trace};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::Country;
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::BodyExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The largest answer that is masked as a whole; larger ones are streamed by line.
const ANSWER_MAX: usize = 64 << 20;
/// People counted of one answer.
const PEOPLE_MAX: usize = 1000;

/// Says that this answer may show contacts to somebody who otherwise may not see them: a contact revealed with a reason, an
/// export that a second person approved. Only handlers that have checked it put it into a response.
#[derive(Debug, Clone, Copy)]
pub struct Cleared;

/// Who asks, found before the route; extractors take it from the request.
#[derive(Clone)]
pub struct Identified(pub Arc<Result<Caller, Problem>>);

/// The middleware.
pub async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let trace = trace::of(request.headers());
    let log =
        tracing::info_span!("request", trace.id = %trace.id, method = %request.method(), path = request.uri().path());
    let mut response = trace::within(&trace, log, timing::timed(inside(&app, &mut request, next))).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&trace.id) {
        headers.insert("x-request-id", id);
    }
    let stream = headers.get(header::CONTENT_TYPE).is_some_and(|v| v == "text/event-stream");
    let class = if stream { RouteClass::Stream } else { RouteClass::Admin };
    app.metrics.answered(class, response.status().as_u16());
    response
}

async fn inside(app: &Arc<App>, request: &mut Request, next: Next) -> Response {
    let peer = crate::listen::client_address(app, request.extensions(), request.headers());
    let caller = Arc::new(identify_from(app, request.method(), request.headers(), peer));
    request.extensions_mut().insert(Identified(caller.clone()));
    let person = person_in(request.uri().path());
    let seen = matches!(*request.method(), Method::GET | Method::HEAD) || request.uri().path().ends_with("/preview");
    let looked_up = request.uri().path() == "/api/v1/customers/lookup";
    let request = std::mem::take(request);
    let Ok(caller) = &*caller else { return next.run(request).await };
    if let Err(problem) = may_pass(app, caller, person).await {
        return problem.into_response();
    }
    let response = next.run(request).await;
    if seen
        && response.status().is_success()
        && let Some(person) = person
    {
        app.views.note(caller, &[person], app.now());
    }
    leave(app, caller, response, (seen && person.is_none(), looked_up)).await
}

/// The customer that an address is about.
fn person_in(path: &str) -> Option<i64> {
    let rest = path.strip_prefix("/api/v1/customers/")?;
    rest.split('/').next()?.parse().ok().filter(|id| *id > 0)
}

async fn may_pass(app: &Arc<App>, caller: &Caller, person: Option<i64>) -> Result<(), Problem> {
    if let Some(minutes) = app.views.too_many(caller, app.now()) {
        return Err(TOO_MANY_VIEWS
            .because("you have looked at more customers in this hour than one person needs; the owner has been told")
            .retry_after(minutes * 60));
    }
    match person {
        Some(person) if caller.may(Act::Read(crate::access::Area::Customers)) => {
            scope::check(app, caller, person).await
        }
        _ => Ok(()),
    }
}

/// What may leave of an answer.
async fn leave(app: &Arc<App>, caller: &Caller, response: Response, (count, looked_up): (bool, bool)) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("").to_string();
    let json = kind.starts_with("application/json") || kind.starts_with("application/problem+json");
    let shows = caller.may(Act::SeeContacts) || response.extensions().get::<Cleared>().is_some();
    if shows && !(json && (count || caller.stores.is_some())) {
        return response;
    }
    let country = app.domain.settings().country;
    if json {
        return whole(app, caller, response, (!shows).then_some(country), (count, looked_up)).await;
    }
    let text = ["text/", "application/x-ndjson", "application/xml"].iter().any(|t| kind.starts_with(t));
    if text {
        let (mut parts, body) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::new(Lines { inner: body, held: BytesMut::new(), country }));
    }
    let empty = http_body::Body::size_hint(response.body()).exact() == Some(0);
    if empty || kind.is_empty() || kind.starts_with("image/") || kind.starts_with("font/") {
        return response;
    }
    // A workbook or an archive cannot be masked on its way out.
    NOT_ALLOWED
        .because("this file would show contacts, which your role does not see; ask for an approved export")
        .into_response()
}

/// Masks a JSON answer, and counts the people in it.
async fn whole(
    app: &Arc<App>,
    caller: &Caller,
    response: Response,
    mask: Option<Country>,
    (count, looked_up): (bool, bool),
) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return internal(&error).into_response(),
    };
    if count && parts.status.is_success() {
        let people = people_in(&bytes);
        if !people.is_empty() && caller.stores.is_none() {
            app.views.note(caller, &people, app.now());
        }
        // Whoever can name a phone, an address or a card has the customer before them.
        if let (true, [person], Some(_)) = (looked_up, &*people, &caller.stores) {
            app.known.serve(caller, *person, app.now());
            app.views.note(caller, &people, app.now());
        }
    }
    let untouched = mask.is_none() && caller.stores.is_none();
    if untouched || bytes.is_empty() {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let parsed =
        (bytes.len() <= ANSWER_MAX).then(|| serde_json::from_slice::<serde_json::Value>(&bytes).ok()).flatten();
    let Some(mut value) = parsed else {
        return crate::problem::INTERNAL.because("the answer could not be masked, so it is not shown").into_response();
    };
    if let Err(problem) = keep_own(app, caller, &mut value).await {
        return problem.into_response();
    }
    if let Some(country) = mask {
        mask::mask_value(&mut value, country);
    }
    Response::from_parts(parts, Body::from(value.to_string()))
}

/// Leaves in a list only the customers of the caller's stores, and notes that they were seen.
async fn keep_own(app: &Arc<App>, caller: &Caller, value: &mut serde_json::Value) -> Result<(), Problem> {
    if caller.stores.is_none() {
        return Ok(());
    }
    let Some(items) = value.get_mut("items").and_then(|i| i.as_array_mut()) else { return Ok(()) };
    let (mut kept, mut seen, mut left_out) = (Vec::with_capacity(items.len()), Vec::new(), false);
    for item in std::mem::take(items) {
        match item.get("person_id").and_then(|p| p.as_str()).and_then(|p| p.parse().ok()) {
            Some(person) if !scope::visible(app, caller, person).await? => left_out = true,
            person => {
                seen.extend(person);
                kept.push(item);
            }
        }
    }
    *items = kept;
    app.views.note(caller, &seen, app.now());
    // How many there are in other stores is nobody's business either.
    if left_out && let Some(total) = value.get_mut("total") {
        *total = serde_json::Value::Null;
    }
    Ok(())
}

/// The customers that an answer names: every `"person_id":"…"` in it. A scan of bytes, so that it costs the owner's answers
/// no parsing; a text inside of a string has its quotes escaped and is not mistaken for one.
fn people_in(json: &[u8]) -> Vec<i64> {
    const NEEDLE: &[u8] = b"\"person_id\":\"";
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(place) = json[at..].windows(NEEDLE.len()).position(|w| w == NEEDLE) {
        at += place + NEEDLE.len();
        let digits = json[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        out.extend(std::str::from_utf8(&json[at..at + digits]).ok().and_then(|d| d.parse::<i64>().ok()));
        if out.len() >= PEOPLE_MAX {
            break;
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// A text that is masked line by line while it is sent: streams, exports.
struct Lines {
    inner: Body,
    held: BytesMut,
    country: Country,
}

/// A line may be this long; a longer one is masked in pieces at its blanks.
const LINE_MAX: usize = 4 << 20;

impl Lines {
    fn masked(&self, lines: &[u8]) -> Bytes {
        let mut out = String::with_capacity(lines.len());
        for line in String::from_utf8_lossy(lines).split_inclusive('\n') {
            let (head, body) = line.strip_prefix("data: ").map_or(("", line), |body| ("data: ", body));
            let trimmed = body.trim_end_matches(['\r', '\n']);
            out.push_str(head);
            match serde_json::from_str::<serde_json::Value>(trimmed) {
                Ok(mut value @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
                    mask::mask_value(&mut value, self.country);
                    out.push_str(&value.to_string());
                }
                _ => out.push_str(&mask::mask_text(trimmed, self.country)),
            }
            out.push_str(&body[trimmed.len()..]);
        }
        out.into()
    }
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = axum::Error;
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.held.extend_from_slice(&data);
                    let end = self.held.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
                    let end = end.or((self.held.len() > LINE_MAX).then_some(self.held.len()));
                    if let Some(end) = end {
                        let lines = self.held.split_to(end);
                        return Poll::Ready(Some(Ok(Frame::data(self.masked(&lines)))));
                    }
                }
                Poll::Ready(None) if self.held.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) => {
                    let rest = self.held.split();
                    return Poll::Ready(Some(Ok(Frame::data(self.masked(&rest)))));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_counted_where_they_are_named() {
        let json = br#"{"items":[{"person_id":"12","x":"\"person_id\":\"99\""},{"person_id":"7"},{"person_id":"12"},{"person_id":null}]}"#;
        assert_eq!(people_in(json), [7, 12]);
        assert_eq!(person_in("/api/v1/customers/12/timeline"), Some(12));
        assert_eq!((person_in("/api/v1/customers/lookup"), person_in("/api/v1/segments/12")), (None, None));
    }
}
