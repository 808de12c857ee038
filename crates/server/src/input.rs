//! Reading requests of the admin API strictly: JSON bodies, query parameters, ids, cursors, versions.
use crate::problem::{BAD_CURSOR, BAD_QUERY, BAD_REQUEST, FieldError, NOT_FOUND, Problem, TOO_LARGE, UNSUPPORTED_TYPE};
use crate::secrets::hex;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The largest body of the admin API.
pub const BODY_MAX: usize = 1 << 20;

/// What makes a request the same as an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// `Idempotency-Key`, if it was sent.
    pub key: Option<String>,
    /// Hash of method, address and body.
    pub fingerprint: String,
}

/// A JSON body. An empty one counts as `{}`.
pub struct Input<T> {
    /// What it says.
    pub value: T,
    /// What makes it the same as an earlier one.
    pub request: RequestKey,
}

/// A body without fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (method, path) = (request.method().clone(), request.uri().path().to_string());
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("").to_string();
        let key = request.headers().get("idempotency-key").map(|v| v.to_str().map(str::to_string));
        let key = key.transpose().map_err(|_| BAD_REQUEST.because("Idempotency-Key is not plain text"))?;
        if key.as_ref().is_some_and(|k| k.is_empty() || k.len() > 255) {
            return Err(BAD_REQUEST.because("Idempotency-Key has 1 to 255 characters"));
        }
        let body = Bytes::from_request(request, state).await.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE.because(format!("a body may have {} KiB", BODY_MAX >> 10)),
            _ => BAD_REQUEST.because("the body ended before its time"),
        })?;
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !body.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
            return Err(UNSUPPORTED_TYPE.because("send the body as application/json"));
        }
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        if text.trim_ascii_start().starts_with(b"[") {
            // A list would be read as fields in their order, and one without items as a body that leaves out everything.
            return Err(BAD_REQUEST.because("the body is a JSON object"));
        }
        let value = parse(text)?;
        let mut hash = Sha256::new();
        for part in [method.as_str().as_bytes(), b" ", path.as_bytes(), b"\n", text] {
            hash.update(part);
        }
        let request = RequestKey { key, fingerprint: hex(&hash.finalize()) };
        Ok(Self { value, request })
    }
}

/// Parses strictly and names the place of what is wrong.
fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|e| {
        let pointer: String = e.path().iter().map(segment).collect();
        let (detail, line) = (e.inner().to_string(), e.inner().line() as i64);
        let error = FieldError { pointer, detail: detail.clone(), offset: None, line: Some(line).filter(|l| *l > 0) };
        Problem { errors: vec![error], ..BAD_REQUEST.because(detail) }
    })?;
    deserializer.end().map_err(|e| BAD_REQUEST.because(e.to_string()))?;
    Ok(parsed)
}

fn segment(segment: &serde_path_to_error::Segment) -> String {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

/// Query parameters, unknown ones refused.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => {
                // The cause says what is wrong; what stands before it is the library's.
                let mut cause: &dyn std::error::Error = &error;
                while let Some(next) = cause.source() {
                    cause = next;
                }
                Err(BAD_QUERY.because(cause.to_string()))
            }
        }
    }
}

/// Where a page of a list begins and how long it is.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Items, 1 to 500; 50 without it.
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// How many items a page has.
pub fn limit(limit: Option<i64>) -> Result<i64, Problem> {
    match limit.unwrap_or(50) {
        n @ 1..=500 => Ok(n),
        _ => Err(BAD_QUERY.because("limit is a number from 1 to 500")),
    }
}

/// A place in a list as text that nobody needs to understand.
pub fn cursor(place: &[i64]) -> String {
    let text: Vec<String> = place.iter().map(i64::to_string).collect();
    URL_SAFE_NO_PAD.encode(text.join("."))
}

/// The inverse of [`cursor`], for places of `N` numbers.
pub fn place<const N: usize>(cursor: Option<&str>) -> Result<Option<[i64; N]>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let read = || -> Option<[i64; N]> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let numbers: Option<Vec<i64>> = text.split('.').map(|n| n.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    read().map(Some).ok_or_else(|| BAD_CURSOR.because("pass next_cursor as it came"))
}

/// A number that stands as text on the wire: JavaScript rounds large ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub i64);

impl Id {
    /// The id in an address; one that cannot be is simply not there.
    pub fn in_path(text: &str) -> Result<i64, Problem> {
        parse_id(text).ok_or_else(|| NOT_FOUND.because(format!("nothing has the id {text:.40}")))
    }
}

fn parse_id(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id| *id > 0)
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_id(&text).map(Self).ok_or_else(|| serde::de::Error::custom(format!("{text:.40} is no id")))
    }
}

impl utoipa::PartialSchema for Id {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for Id {}

/// The version that a change wants to replace: `If-Match: "v3"`; `*` and absence match any.
pub fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix("\"v").and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok());
    version.map(Some).ok_or_else(|| BAD_REQUEST.because("If-Match carries an ETag that Braid gave, such as \"v3\""))
}

/// A list on the wire.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// What is on this page.
    pub items: Vec<T>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A list that is complete.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
    /// A page of at most `limit` items; of one more that was fetched it is known that there is a next page.
    pub fn page(mut items: Vec<T>, limit: i64, place: impl Fn(&T) -> String) -> Self {
        let more = items.len() as i64 > limit;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(place);
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape is tested")]
    struct Shape {
        items: Vec<Inner>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape is tested")]
    struct Inner {
        id: Id,
    }

    #[test]
    fn what_is_wrong_in_a_body_is_named_with_its_place() {
        let said = |text: &str| {
            let problem = parse::<Shape>(text.as_bytes()).expect_err(text);
            (problem.code.code, problem.errors.first().map(|e| e.pointer.clone()).unwrap_or_default())
        };
        assert_eq!(said("{"), ("bad_request", String::new()));
        assert_eq!(said(r#"{"items": [{"id": "1"}, {"id": 2}]}"#), ("bad_request", "/items/1/id".into()));
        assert_eq!(said(r#"{"items": [{"id": "x"}]}"#), ("bad_request", "/items/0/id".into()));
        assert_eq!(said(r#"{"items": [], "more": 1}"#), ("bad_request", "/more".into()));
        assert_eq!(said(r#"{"items": []} x"#).0, "bad_request");
    }

    #[test]
    fn cursors_come_back_as_they_went() {
        assert_eq!(place(Some(&cursor(&[12, -3]))), Ok(Some([12, -3])));
        assert_eq!(place::<1>(None), Ok(None));
        for bad in ["", "x", "MTI", "!!"] {
            assert!(place::<2>(Some(bad)).is_err(), "{bad}");
        }
        let page = List::page(vec![3, 2, 1], 2, |n| cursor(&[*n]));
        assert_eq!((page.items.len(), page.next_cursor), (2, Some(cursor(&[2]))));
    }
}
