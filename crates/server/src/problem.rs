//! What users see when something cannot be done: RFC 9457 problems with a stable code and a page each.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::DbError;
use serde::Serialize;

/// A code with what belongs to it. The page is `problems/<code>.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable; the console translates by it.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// One line.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code { code: $code, status: $status, title: $title };)*
        /// All codes.
        pub const CODES: &[Code] = &[$($name),*];
        /// The page of a code, in Markdown.
        pub fn page(code: &str) -> Option<&'static str> {
            match code {
                $($code => Some(include_str!(concat!("../problems/", $code, ".md"))),)*
                _ => None,
            }
        }
    };
}

codes! {
    BAD_REQUEST = "bad_request", 400, "The request cannot be read";
    BAD_QUERY = "bad_query", 400, "The address has a wrong parameter";
    BAD_CURSOR = "bad_cursor", 400, "The cursor is not one that Braid gave";
    NOT_SIGNED_IN = "not_signed_in", 401, "Sign in first";
    SECOND_FACTOR_NEEDED = "second_factor_needed", 401, "Signing in needs the code of the second factor";
    BAD_CREDENTIALS = "bad_credentials", 401, "Address or password is wrong";
    CSRF_MISSING = "csrf_missing", 403, "The request lacks the header x-braid-csrf";
    NOT_ALLOWED = "not_allowed", 403, "Your role does not allow this";
    SIGN_IN_REFUSED = "sign_in_refused", 403, "Signing in at the identity provider did not succeed";
    PASSWORD_OFF = "password_off", 403, "Passwords are for owners in this shop";
    APPROVAL_NEEDED = "approval_needed", 403, "A second person has to approve this";
    NOT_FOUND = "not_found", 404, "There is no such thing";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "This address takes other methods";
    CONFLICT = "conflict", 409, "This contradicts what is there";
    NOT_ENOUGH = "not_enough", 409, "There is not enough of it";
    WRONG_STATE = "wrong_state", 409, "It is not at a point where this can be done";
    ALREADY_EXISTS = "already_exists", 409, "There is one like this already";
    CHANGED_MEANWHILE = "changed_meanwhile", 412, "Somebody changed it meanwhile";
    TOO_LARGE = "too_large", 413, "The body is too large";
    UNSUPPORTED_TYPE = "unsupported_type", 415, "The body is not JSON";
    BAD_INPUT = "bad_input", 422, "A value is not possible";
    BAD_EXPRESSION = "bad_expression", 422, "The segment's condition cannot be understood";
    BAD_TEMPLATE = "bad_template", 422, "The template cannot be understood";
    BAD_PLAN = "bad_plan", 422, "The plan cannot be understood";
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch", 422, "The idempotency key was used for another request";
    TOO_MANY_ATTEMPTS = "too_many_attempts", 429, "Too many attempts to sign in";
    TOO_MANY_VIEWS = "too_many_views", 429, "Too many customers were looked at in this hour";
    TOO_FAST = "too_fast", 429, "Too many requests in a short time";
    INTERNAL = "internal", 500, "Something went wrong inside Braid";
    BUSY = "busy", 503, "Too much work is waiting";
    DISK_FULL = "disk_full", 503, "The disk is full";
    DATABASE_AWAY = "database_away", 503, "The database does not answer";
    STOPPING = "stopping", 503, "Braid is stopping";
}

/// One thing that is wrong with the input.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON Pointer into the request's body.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
    /// For text in a language of ours: the character, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// For text of several lines: the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
}

/// Of what there is not enough.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ShortLine {
    pub sku: String,
    /// The place that it must come from, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
    pub wanted: crate::api::stock::wire::Amount,
    pub available: crate::api::stock::wire::Amount,
}

/// A problem on its way to the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// This case.
    pub detail: String,
    /// The places in the input.
    pub errors: Vec<FieldError>,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u32>,
    /// What there is not enough of.
    pub short: Vec<ShortLine>,
}

/// The body of a problem.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The page about the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// This case.
    pub detail: Option<String>,
    /// Stable.
    pub code: String,
    /// The places in the input.
    pub errors: Vec<FieldError>,
    /// What there is not enough of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<ShortLine>,
}

impl Code {
    /// A problem of this kind.
    pub fn because(self, detail: impl Into<String>) -> Problem {
        Problem { code: self, detail: detail.into(), errors: Vec::new(), retry_after_s: None, short: Vec::new() }
    }
    /// A problem at one place of the body.
    pub fn at(self, pointer: &str, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        let error = FieldError { pointer: pointer.into(), detail: detail.clone(), offset: None, line: None };
        Problem { code: self, detail, errors: vec![error], retry_after_s: None, short: Vec::new() }
    }
}

impl Problem {
    /// The problem with advice to come again.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
    /// The JSON body.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("/docs/problems/{}", self.code.code),
            title: self.code.title.into(),
            status: self.code.status,
            detail: Some(self.detail.clone()).filter(|d| !d.is_empty()),
            code: self.code.code.into(),
            errors: self.errors.clone(),
            short: self.short.clone(),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::QueueFull => BUSY.because("too much work is waiting for the database").retry_after(1),
            DbError::Full => DISK_FULL.because(error.to_string()).retry_after(30),
            DbError::Busy(_) | DbError::Lost(_) | DbError::Open { .. } => {
                tracing::warn!(%error, "a request found the database away");
                DATABASE_AWAY.because("the database does not answer at the moment").retry_after(2)
            }
            DbError::Stopped | DbError::Fenced { .. } => STOPPING.because("Braid is stopping").retry_after(5),
            _ => internal(&error),
        }
    }
}

/// A failure of our own: details go to the log, under an id that the user can name.
pub fn internal(error: &dyn std::error::Error) -> Problem {
    let trace = crate::trace::current().unwrap_or_else(base::random_token);
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push_str(&format!(": {error}"));
        cause = error.source();
    }
    tracing::error!(trace.id = %trace, error = %format!("{error}{causes}"), "a request failed");
    INTERNAL.because(format!("the log has the details under {trace}"))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_with_cause_and_cure() {
        for code in CODES {
            let page = page(code.code).expect("the macro embeds it");
            assert!(page.starts_with(&format!("# {}\n", code.title)), "{} begins with its title", code.code);
            assert!(page.contains("## Why") && page.contains("## What to do"), "{} has both parts", code.code);
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/problems")).expect("the folder");
        assert_eq!(files.count(), CODES.len(), "a page without a code");
    }

    #[test]
    fn a_busy_database_says_when_to_come_again() {
        for error in [DbError::QueueFull, DbError::Full, DbError::Stopped, DbError::Busy("x".into())] {
            let problem = Problem::from(error);
            assert_eq!(problem.code.status, 503);
            assert!(problem.retry_after_s.is_some());
        }
    }
}
