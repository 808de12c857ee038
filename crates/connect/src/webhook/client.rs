//! The client: one POST, its answer up to a limit.
use super::address::{Reach, allows, check_url, literal};
use super::schedule::retry_after;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct WebhookOptions {
    /// Where it may go.
    pub reach: Reach,
    /// For name, connection and TLS. 10 s by default.
    pub connect: Duration,
    /// For everything up to the answer's head. 20 s by default; Standard Webhooks says 15 to 30 s.
    pub answer: Duration,
    /// For the answer's body, which is only shown: 2 s by default.
    pub body: Duration,
    /// Further certificates to trust as roots, in PEM, beside those of the Mozilla programme.
    pub root_certificates_pem: Option<Vec<u8>>,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let (connect, answer, body) = (seconds(10), seconds(20), seconds(2));
        Self { reach: Reach::Public, connect, answer, body, root_certificates_pem: None }
    }
}

impl WebhookOptions {
    /// The longest time that one attempt takes.
    pub fn send_max(&self) -> Duration {
        self.answer + self.body
    }
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum WebhookOptionsError {
    /// No certificates in the PEM text.
    #[error("the further root certificates cannot be read")]
    RootCertificates,
    /// The library refuses.
    #[error("no client for webhooks can be made")]
    Client(#[source] reqwest::Error),
}

/// Bytes of an answer's body that are kept, to be shown.
pub const ANSWER_MAX: usize = 512;

/// What is sent.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// Where.
    pub url: &'a str,
    /// `webhook-id`: the same for every attempt.
    pub id: &'a str,
    /// `webhook-timestamp`: of this attempt, Unix seconds.
    pub timestamp_s: i64,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// JSON.
    pub body: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What `Retry-After` asks for.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub text: String,
    /// Until the head had come.
    pub took: Duration,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL may not be used.
    #[error(transparent)]
    Url(#[from] super::UrlError),
    /// Too late.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection failed; says how.
    #[error("{0}")]
    Connection(String),
}

/// Sends webhooks. Cheap to clone.
#[derive(Clone)]
pub struct WebhookClient {
    https: reqwest::Client,
    plain: reqwest::Client,
    options: Arc<WebhookOptions>,
}

impl std::fmt::Debug for WebhookClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookClient({:?})", self.options.reach)
    }
}

impl WebhookClient {
    /// A client.
    pub fn new(options: WebhookOptions) -> Result<Self, WebhookOptionsError> {
        let tls = crate::smtp::tls_config(options.root_certificates_pem.as_deref())
            .map_err(|_| WebhookOptionsError::RootCertificates)?;
        // One client for each scheme: whether an address is allowed depends on it, and a resolver does not see it.
        let make = |https: bool| {
            let resolver = Checked { reach: options.reach, https, who: "webhooks" };
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                // A proxy of the environment would resolve names by itself, beyond the check.
                .no_proxy()
                .https_only(https)
                .connect_timeout(options.connect)
                .pool_max_idle_per_host(2)
                .pool_idle_timeout(Duration::from_secs(30))
                .referer(false)
                .dns_resolver(Arc::new(resolver))
                .build()
                .map_err(WebhookOptionsError::Client)
        };
        Ok(Self { https: make(true)?, plain: make(false)?, options: Arc::new(options) })
    }

    /// How it behaves.
    pub fn options(&self) -> &WebhookOptions {
        &self.options
    }

    /// Sends once; `now_us` is what `Retry-After` with a date is compared with.
    pub async fn send(&self, post: Post<'_>, now_us: i64) -> Result<Answer, Failure> {
        let url = check_url(self.options.reach, post.url)?;
        debug_assert!(literal(&url).is_none_or(|a| allows(self.options.reach, url.scheme() == "https", a)));
        let client = if url.scheme() == "https" { &self.https } else { &self.plain };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("Braid-Webhooks/1"))
            .header("webhook-id", post.id)
            .header("webhook-timestamp", post.timestamp_s.to_string())
            .header("webhook-signature", post.signature)
            .body(post.body);
        let began = Instant::now();
        let mut response = match tokio::time::timeout(self.options.answer, request.send()).await {
            Err(_) => return Err(Failure::Timeout(self.options.answer)),
            Ok(Err(error)) => return Err(Failure::Connection(words(&error))),
            Ok(Ok(response)) => response,
        };
        let took = began.elapsed();
        let asked = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok());
        let retry_after = asked.and_then(|v| retry_after(v, now_us));
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        // The status has decided; a body that dawdles costs its words only.
        let body = async {
            while bytes.len() < ANSWER_MAX {
                match response.chunk().await {
                    Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_MAX)]),
                    _ => break,
                }
            }
        };
        let _ = tokio::time::timeout(self.options.body, body).await;
        bytes.truncate(ANSWER_MAX);
        let text = String::from_utf8_lossy(&bytes).replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
        Ok(Answer { status, retry_after, text, took })
    }
}

/// An error with its causes, without the URL, whose query may hold a secret.
pub(crate) fn words(error: &reqwest::Error) -> String {
    let mut out = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !out.contains(&text) {
            out.push_str(if out.is_empty() { "" } else { ": " });
            out.push_str(&text);
        }
        cause = error.source();
    }
    if out.is_empty() { "the request failed".into() } else { out }
}

/// Resolves a name and leaves out every address that may not be reached; the connection goes to what is left, so that a
/// name which resolves to something else a moment later changes nothing.
pub(crate) struct Checked {
    pub reach: Reach,
    pub https: bool,
    /// Who goes there, for the words of a refusal.
    pub who: &'static str,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, https, who) = (self.reach, self.https, self.who);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(|a| allows(reach, https, a.ip())).collect();
            if allowed.is_empty() {
                let why = match found.first() {
                    Some(address) => format!("{} is at {}, which {who} may not reach", name.as_str(), address.ip()),
                    None => format!("{} has no address", name.as_str()),
                };
                return Err(why.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
