//! The requests: a provider's document, its keys, a token for a code, a person's page.
use super::discovery::{self, ClientAuth, IssuerError, Metadata, MetadataError, check_issuer};
use super::flow::{form, form_value};
use super::id_token::{Claims, person};
use super::keys::{KeySet, KeysError};
use crate::webhook::address::Reach;
use crate::webhook::{Checked, words};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::{RequestBuilder, Url};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The largest answer that is read, bytes.
pub const ANSWER_MAX: usize = 256 << 10;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct OidcOptions {
    /// For name, connection and TLS: 5 s by default.
    pub connect: Duration,
    /// For a whole request with its answer: 10 s by default. Somebody waits in front of a page.
    pub answer: Duration,
    /// Further certificates to trust as roots, in PEM, beside those of the Mozilla programme.
    pub root_certificates_pem: Option<Vec<u8>>,
}

impl Default for OidcOptions {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(10), root_certificates_pem: None }
    }
}

/// Why a provider gave nothing that can be used. `at` names what was asked: `discovery`, `keys`, `token` or `person`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcFailure {
    /// The issuer may not be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Too late.
    #[error("the provider did not answer within {limit_s} seconds ({at})")]
    Timeout {
        /// What was asked.
        at: &'static str,
        /// The limit.
        limit_s: u64,
    },
    /// The connection failed; says how.
    #[error("the provider cannot be reached ({at}): {why}")]
    Connection {
        /// What was asked.
        at: &'static str,
        /// How.
        why: String,
    },
    /// Another status than 200.
    #[error("the provider answered {status} ({at}){}", error.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    Status {
        /// What was asked.
        at: &'static str,
        /// HTTP status.
        status: u16,
        /// The error's name, where it is one (RFC 6749, 5.2).
        error: Option<String>,
    },
    /// A redirect.
    #[error("the provider sends us elsewhere ({at}); enter the issuer as the provider's own pages name it")]
    Redirect {
        /// What was asked.
        at: &'static str,
    },
    /// Too large.
    #[error("the provider's answer is larger than {} KiB ({at})", ANSWER_MAX >> 10)]
    TooLarge {
        /// What was asked.
        at: &'static str,
    },
    /// No JSON, or not what was asked for.
    #[error("the provider's answer cannot be read ({at})")]
    Unreadable {
        /// What was asked.
        at: &'static str,
    },
    /// The document cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The page is somebody else's.
    #[error("the provider told of another person than the one who signed in")]
    OtherPerson,
    /// The program itself.
    #[error("no client for the provider can be made")]
    Client,
}

/// A code that becomes a token.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// What came back with the browser.
    pub code: &'a str,
    /// What PKCE's challenge was made of.
    pub verifier: &'a str,
    /// Where the browser came back to.
    pub redirect_uri: &'a str,
    /// Who asks.
    pub client_id: &'a str,
    /// Empty for a client without one.
    pub client_secret: &'a str,
}

/// What a code became.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Who signed in; not checked yet.
    pub id_token: String,
    /// Opens the person's page.
    pub access_token: Option<String>,
}

/// Asks providers. Cheap to clone.
#[derive(Clone)]
pub struct OidcClient {
    https: reqwest::Client,
    plain: reqwest::Client,
    patience_ms: Arc<AtomicU64>,
}

impl std::fmt::Debug for OidcClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OidcClient")
    }
}

impl OidcClient {
    /// A client.
    pub fn new(options: OidcOptions) -> Result<Self, OidcFailure> {
        let tls = crate::smtp::tls_config(options.root_certificates_pem.as_deref()).map_err(|_| OidcFailure::Client)?;
        let make = |https: bool| {
            // Providers stand on the internet or in the shop's own network; plain http is for this machine.
            let reach = if https { Reach::Private } else { Reach::Loopback };
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .https_only(https)
                .connect_timeout(options.connect)
                .pool_max_idle_per_host(1)
                .pool_idle_timeout(Duration::from_secs(30))
                .referer(false)
                .dns_resolver(Arc::new(Checked { reach, https, who: "sign-in" }))
                .build()
                .map_err(|_| OidcFailure::Client)
        };
        let patience_ms = Arc::new(AtomicU64::new(options.answer.as_millis() as u64));
        Ok(Self { https: make(true)?, plain: make(false)?, patience_ms })
    }

    /// Changes how long a whole request may take.
    pub fn set_patience(&self, answer: Duration) {
        self.patience_ms.store(answer.as_millis() as u64, Ordering::Relaxed);
    }

    /// Learns what a provider says of itself.
    pub async fn discover(&self, issuer: &str) -> Result<Metadata, OidcFailure> {
        let url = check_issuer(issuer)?;
        let document = self.ask("discovery", self.get(url)).await?;
        Ok(discovery::parse(issuer, &document)?)
    }

    /// Gets a provider's keys.
    pub async fn keys(&self, metadata: &Metadata) -> Result<KeySet, OidcFailure> {
        let document = self.ask("keys", self.get(metadata.jwks_uri.clone())).await?;
        Ok(KeySet::parse(&document)?)
    }

    /// Changes a code into tokens (Core, 3.1.3).
    pub async fn exchange(&self, metadata: &Metadata, exchange: Exchange<'_>) -> Result<Tokens, OidcFailure> {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", exchange.code),
            ("redirect_uri", exchange.redirect_uri),
            ("code_verifier", exchange.verifier),
        ];
        let basic = !exchange.client_secret.is_empty() && metadata.client_auth == ClientAuth::Basic;
        if !basic {
            pairs.push(("client_id", exchange.client_id));
        }
        if !basic && !exchange.client_secret.is_empty() {
            pairs.push(("client_secret", exchange.client_secret));
        }
        let url = metadata.token_endpoint.clone();
        let request = self.of(&url).post(url).body(form(pairs));
        let mut request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if basic {
            // RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
            let both = format!("{}:{}", form_value(exchange.client_id), form_value(exchange.client_secret));
            request = request.header(AUTHORIZATION, sensitive(&format!("Basic {}", BASE64.encode(both)))?);
        }
        let answer = self.ask("token", request).await?;
        let text = |name: &str| answer[name].as_str().map(str::to_string);
        let id_token = text("id_token").ok_or(OidcFailure::Unreadable { at: "token" })?;
        Ok(Tokens { id_token, access_token: text("access_token") })
    }

    /// Reads the page about the person who signed in (Core, 5.3): in this flow providers may tell the address only there.
    pub async fn person(&self, metadata: &Metadata, access_token: &str, subject: &str) -> Result<Claims, OidcFailure> {
        let url = metadata.userinfo_endpoint.clone().ok_or(OidcFailure::Unreadable { at: "person" })?;
        let request = self.get(url).header(AUTHORIZATION, sensitive(&format!("Bearer {access_token}"))?);
        let answer = self.ask("person", request).await?;
        if answer["sub"].as_str() != Some(subject) {
            return Err(OidcFailure::OtherPerson);
        }
        Ok(Claims { subject: subject.into(), ..person(&metadata.issuer, &answer) })
    }

    fn of(&self, url: &Url) -> &reqwest::Client {
        if url.scheme() == "https" { &self.https } else { &self.plain }
    }
    fn get(&self, url: Url) -> RequestBuilder {
        self.of(&url).get(url)
    }

    async fn ask(&self, at: &'static str, request: RequestBuilder) -> Result<Value, OidcFailure> {
        let request = request
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("Braid-SignIn/1"));
        let limit = Duration::from_millis(self.patience_ms.load(Ordering::Relaxed));
        let late = OidcFailure::Timeout { at, limit_s: limit.as_secs() };
        tokio::time::timeout(limit, read(at, request)).await.unwrap_or(Err(late))
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, OidcFailure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| OidcFailure::Unreadable { at: "token" })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(at: &'static str, request: RequestBuilder) -> Result<Value, OidcFailure> {
    let failed = |e: &reqwest::Error| OidcFailure::Connection { at, why: words(e) };
    let mut response = request.send().await.map_err(|e| failed(&e))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(OidcFailure::Redirect { at });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| failed(&e))? {
        if bytes.len() + chunk.len() > ANSWER_MAX {
            return Err(OidcFailure::TooLarge { at });
        }
        bytes.extend_from_slice(&chunk);
    }
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    if status.as_u16() != 200 {
        let error = value.as_ref().and_then(|v| v["error"].as_str());
        // A name and nothing more: whatever else the provider says is not repeated to anybody.
        let plain = |e: &&str| e.len() <= 60 && e.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let error = error.filter(plain).map(str::to_string);
        return Err(OidcFailure::Status { at, status: status.as_u16(), error });
    }
    value.filter(Value::is_object).ok_or(OidcFailure::Unreadable { at })
}
