//! Every change goes through here: once for an idempotency key, with its line in the audit, in one transaction.
use crate::app::App;
use crate::audit;
use crate::caller::Caller;
use crate::input::RequestKey;
use crate::problem::{CHANGED_MEANWHILE, IDEMPOTENCY_MISMATCH, Problem, internal};
use crate::secrets::{hash_key, hex};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::DAY_US;
use db::{DbError, Tx};
use serde::Serialize;
use serde_json::Value;

/// A line for the audit.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What was done, and to what kind of thing.
    pub what: (&'static str, &'static str),
    /// To which.
    pub subject: String,
    /// As it was.
    pub before: Option<Value>,
    /// As it is.
    pub after: Option<Value>,
}

/// What a change answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Done<T> {
    /// HTTP status.
    pub status: StatusCode,
    /// The body; not sent with 204.
    pub body: T,
    /// The body to keep for a repeat, when the real one shows a secret.
    pub kept: Option<Value>,
    /// The thing's version, for `ETag`.
    pub version: Option<i64>,
    /// Lines for the audit.
    pub audit: Vec<Line>,
}

impl<T> Done<T> {
    /// 200.
    pub fn ok(body: T) -> Self {
        Self { status: StatusCode::OK, body, kept: None, version: None, audit: Vec::new() }
    }
    /// 201.
    pub fn created(body: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }
    /// Adds a line to the audit.
    pub fn noted(
        mut self,
        what: (&'static str, &'static str),
        subject: impl ToString,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Self {
        self.audit.push(Line { what, subject: subject.to_string(), before, after });
        self
    }
    /// Says which version this is.
    pub fn versioned(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }
}

impl Done<()> {
    /// 204.
    pub fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::ok(()) }
    }
}

/// Refuses a change of a version that is no longer the newest.
pub fn check_version(wanted: Option<i64>, newest: i64) -> Result<(), Problem> {
    match wanted {
        Some(wanted) if wanted != newest => {
            Err(CHANGED_MEANWHILE.because(format!("you have version {wanted}, the newest is {newest}")))
        }
        _ => Ok(()),
    }
}

/// An answer with a version as its ETag.
pub fn with_version(body: impl Serialize, version: i64) -> Response {
    let mut response = axum::Json(body).into_response();
    tag(response.headers_mut(), version);
    response
}

fn tag(headers: &mut HeaderMap, version: i64) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"v{version}\"")) {
        headers.insert(header::ETAG, value);
    }
}

struct Answer {
    status: u16,
    body: String,
    version: Option<i64>,
    replayed: bool,
}

impl App {
    /// Runs a change. `f` may run again after its effects were undone, and must not refuse after its first write.
    pub async fn change<T, F>(&self, caller: &Caller, request: RequestKey, f: F) -> Result<Response, Problem>
    where
        F: FnMut(&mut Tx) -> Result<Done<T>, Problem> + Send + 'static,
        T: Serialize + Send + 'static,
    {
        self.change_as(caller.actor.clone(), request, f).await
    }

    /// [`App::change`] for a caller that is no person and no key of the admin API.
    pub async fn change_as<T, F>(&self, actor: String, request: RequestKey, mut f: F) -> Result<Response, Problem>
    where
        F: FnMut(&mut Tx) -> Result<Done<T>, Problem> + Send + 'static,
        T: Serialize + Send + 'static,
    {
        let answer = self.write(move |tx| run(tx, &actor, &request, &mut f)).await?;
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        let mut response = match status {
            StatusCode::NO_CONTENT => status.into_response(),
            _ => (status, [(header::CONTENT_TYPE, "application/json")], answer.body).into_response(),
        };
        if answer.replayed {
            response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        if let Some(version) = answer.version {
            tag(response.headers_mut(), version);
        }
        Ok(response)
    }
}

fn run<T: Serialize>(
    tx: &mut Tx,
    actor: &str,
    request: &RequestKey,
    f: &mut dyn FnMut(&mut Tx) -> Result<Done<T>, Problem>,
) -> Result<Answer, Problem> {
    let key = request.key.as_ref().map(|key| hex(&hash_key(&format!("{actor}\n{key}"))));
    if let Some(key) = &key
        && let Some(answer) = earlier(tx, key, &request.fingerprint)?
    {
        return Ok(answer);
    }
    let done = f(tx)?;
    for line in &done.audit {
        audit::note(tx, actor, line.what, &line.subject, line.before.as_ref(), line.after.as_ref())?;
    }
    let body = serde_json::to_string(&done.body).map_err(|e| internal(&e))?;
    let status = done.status.as_u16();
    if let Some(key) = key {
        let kept = done.kept.as_ref().map(Value::to_string);
        let now = tx.now().micros();
        tx.execute("DELETE FROM idempotency WHERE created_at < $1", &[(now - DAY_US).into()])?;
        tx.execute(
            "INSERT INTO idempotency (key, fingerprint, status, body, created_at) VALUES ($1, $2, $3, $4, $5)",
            &[
                (&key).into(),
                (&request.fingerprint).into(),
                i64::from(status).into(),
                kept.as_ref().unwrap_or(&body).into(),
                now.into(),
            ],
        )?;
    }
    Ok(Answer { status, body, version: done.version, replayed: false })
}

/// The answer to the same request, if it was made within a day.
fn earlier(tx: &mut Tx, key: &str, fingerprint: &str) -> Result<Option<Answer>, Problem> {
    let since = tx.now().micros() - DAY_US;
    let sql = "SELECT fingerprint, status, body FROM idempotency WHERE key = $1 AND created_at >= $2";
    let Some(row) = tx.first(sql, &[key.into(), since.into()])? else { return Ok(None) };
    if row.text(0)? != fingerprint {
        return Err(IDEMPOTENCY_MISMATCH.because("use a new key for another request"));
    }
    let status = u16::try_from(row.int(1)?).map_err(|e| DbError::damaged("idempotency", e))?;
    Ok(Some(Answer { status, body: row.text(2)?.into(), version: None, replayed: true }))
}
