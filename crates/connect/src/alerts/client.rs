//! One GET with a limit, and the spacing of requests.
use super::value::FeedFailure;
use crate::webhook::schedule::retry_after;
use crate::webhook::{Checked, Reach, check_url, words};
use reqwest::header::{ACCEPT, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use std::sync::Arc;
use std::time::Duration;

/// How a feed is asked.
#[derive(Debug, Clone)]
pub struct FeedOptions {
    /// Where it is; https, or this machine.
    pub url: String,
    /// The key that the service gave.
    pub key: String,
    /// For name, connection and TLS: 5 s.
    pub connect: Duration,
    /// For the whole answer: 10 s.
    pub answer: Duration,
}

impl FeedOptions {
    /// With the usual limits.
    pub fn new(url: impl Into<String>, key: impl Into<String>) -> Self {
        Self { url: url.into(), key: key.into(), connect: Duration::from_secs(5), answer: Duration::from_secs(10) }
    }
}

/// The most bytes of an answer that are read: all of Ukraine with notes is a tenth of it.
const ANSWER_MAX: usize = 4 << 20;

/// What came back: status 200 with a body, or 304.
pub(super) struct Got {
    pub body: Option<Vec<u8>>,
    pub last_modified: Option<String>,
}

pub(super) struct Client {
    http: reqwest::Client,
    base: reqwest::Url,
    answer: Duration,
    /// Not asked before this.
    not_before_us: i64,
    spacing_us: i64,
}

impl Client {
    pub fn new(options: &FeedOptions, spacing: Duration) -> Result<Self, FeedFailure> {
        let settings = |e: &dyn std::fmt::Display| FeedFailure::Settings(e.to_string());
        let text = format!("{}/", options.url.trim_end_matches('/'));
        let base = check_url(Reach::Loopback, &text).map_err(|e| settings(&e))?;
        let https = base.scheme() == "https";
        let reach = if https { Reach::Public } else { Reach::Loopback };
        let tls = crate::smtp::tls_config(None).map_err(|e| settings(&e))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .https_only(https)
            .connect_timeout(options.connect)
            .pool_max_idle_per_host(1)
            .referer(false)
            .dns_resolver(Arc::new(Checked { reach, https, who: "alert feeds" }))
            .build()
            .map_err(|e| settings(&e))?;
        let spacing_us = spacing.as_micros() as i64;
        Ok(Self { http, base, answer: options.answer, not_before_us: i64::MIN, spacing_us })
    }

    /// Keeps requests apart: every call that goes out calls this first.
    pub fn admit(&mut self, now_us: i64) -> Result<(), FeedFailure> {
        if now_us < self.not_before_us {
            return Err(FeedFailure::TooFast(Duration::from_micros((self.not_before_us - now_us) as u64)));
        }
        self.not_before_us = now_us.saturating_add(self.spacing_us);
        Ok(())
    }

    /// Asks once. A 429 keeps everybody from asking again before the feed allows it.
    pub async fn get(
        &mut self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        now_us: i64,
    ) -> Result<Got, FeedFailure> {
        let url = self.base.join(path).map_err(|e| FeedFailure::Settings(e.to_string()))?;
        let mut request = self
            .http
            .get(url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("Braid-Alerts/1"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let got = tokio::time::timeout(self.answer, read(request, now_us)).await;
        let got = got.unwrap_or(Err(FeedFailure::Timeout(self.answer)));
        if let Err(FeedFailure::TooFast(wait)) = &got {
            let until = now_us.saturating_add(wait.as_micros().min(3_600_000_000) as i64);
            self.not_before_us = self.not_before_us.max(until);
        }
        got
    }
}

async fn read(request: reqwest::RequestBuilder, now_us: i64) -> Result<Got, FeedFailure> {
    let broken = |e: reqwest::Error| FeedFailure::Connection(words(&e));
    let mut response = request.send().await.map_err(broken)?;
    let header = |name| response.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_string);
    let last_modified = header(reqwest::header::LAST_MODIFIED);
    match response.status().as_u16() {
        200 => {}
        304 => return Ok(Got { body: None, last_modified }),
        401 => return Err(FeedFailure::Unauthorised),
        403 => return Err(FeedFailure::Forbidden),
        429 => {
            let asked = header(RETRY_AFTER).and_then(|v| retry_after(&v, now_us));
            return Err(FeedFailure::TooFast(asked.unwrap_or(Duration::from_secs(60))));
        }
        other => return Err(FeedFailure::Status(other)),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(FeedFailure::Unreadable("it is longer than 4 MiB".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Got { body: Some(body), last_modified })
}

/// A header that is kept out of logs.
pub(super) fn secret(text: &str) -> Result<HeaderValue, FeedFailure> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| FeedFailure::Settings("the key is no header value".into()))?;
    value.set_sensitive(true);
    Ok(value)
}
