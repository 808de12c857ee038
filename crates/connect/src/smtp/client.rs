//! The client: a bounded pool of open connections, and the way of one mail through it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::mail::{Mail, REFUSED_HERE};
use super::mime::Rendered;
use super::outcome::{Broken, Failure, Outcome, Stage, judge};
use super::session::{ServerInfo, Session, Setup};
use super::url::SmtpUrl;

/// How the client behaves; `Options::default()` suits a submission server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The limits of each wait.
    pub timeouts: Timeouts,
    /// Most connections open at once, and so most mails under way; at least 1.
    pub pool_size: usize,
    /// Our name in `EHLO`, a full host name; our IP address as a literal if `None` (RFC 5321, 4.1.4).
    pub helo_name: Option<String>,
    /// Further certificates to trust as roots, in PEM, beside those of the Mozilla programme.
    pub root_certificates_pem: Option<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Options {
        Options { timeouts: Timeouts::default(), pool_size: 4, helo_name: None, root_certificates_pem: None }
    }
}

/// The limits of each wait.
///
/// Up to 354 a short limit costs no more than a repetition, so the defaults are below those of RFC 5321, 4.5.3.2. After
/// 354 it makes a mail `Unknown`; there the default is the RFC's ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a free connection of the pool. 60 s by default.
    pub pool: Duration,
    /// For the name look-up and for each address. 15 s by default.
    pub connect: Duration,
    /// For the answer to one command, and for the TLS handshake. 30 s by default.
    pub command: Duration,
    /// For everything from the free connection to 354. 2 min by default.
    pub before_data: Duration,
    /// For handing the whole mail to the network. 3 min by default.
    pub data: Duration,
    /// For the answer to the final dot. 10 min by default.
    pub final_reply: Duration,
    /// How long an unused connection is kept. 30 s by default; servers close them after minutes.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            pool: Duration::from_secs(60),
            connect: Duration::from_secs(15),
            command: Duration::from_secs(30),
            before_data: Duration::from_secs(120),
            data: Duration::from_secs(180),
            final_reply: Duration::from_secs(600),
            idle: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// The longest that one [`SmtpClient::send`] can take. A lease on the mail must be longer.
    pub fn send_max(&self) -> Duration {
        self.pool + self.before_data + self.data + self.final_reply
    }
}

/// Why a client cannot be made from its options.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// `pool_size` is 0 or more than 1000.
    #[error("the number of connections to the mail server must be 1 to 1000")]
    PoolSize,
    /// `helo_name` holds something that a host name does not.
    #[error("the name for EHLO must be a host name or an address in brackets")]
    HeloName,
    /// `root_certificates_pem` holds no certificate or a broken one.
    #[error("the root certificates for the mail server cannot be read as PEM")]
    RootCertificates,
    /// The TLS library refused its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[source] tokio_rustls::rustls::Error),
}

/// Why [`SmtpClient::verify`] failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct VerifyError {
    /// The step that failed.
    pub stage: Stage,
    /// The server's code, if it answered.
    pub code: Option<u16>,
    /// The step and what happened, for a person.
    pub reason: String,
}

/// Sends mails through one server over a bounded pool of connections.
///
/// Share it by reference or `Arc`, within one tokio runtime with time and network, since kept connections belong to the
/// runtime that opened them. It starts no task of its own. Keep at most [`SmtpClient::pool_size`] mails under way: more of them wait here, and each gives
/// up after [`Timeouts::pool`] with `Retry`.
pub struct SmtpClient {
    url: SmtpUrl,
    options: Options,
    tls: Arc<ClientConfig>,
    /// One permit for each connection that may be open. In use and idle ones together never exceed the pool's size: a
    /// connection goes back to `idle` before its permit does, and whoever has a permit takes from `idle` first.
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    session: Session,
    since: Instant,
}

/// A failed attempt, with its connection if that can serve another mail.
struct Stopped {
    broken: Broken,
    session: Option<Session>,
}

impl Stopped {
    fn new(broken: Broken, session: Session) -> Stopped {
        let session = broken.keeps_connection().then_some(session);
        Stopped { broken, session }
    }
}

impl SmtpClient {
    /// Makes a client. Nothing is connected yet.
    pub fn new(url: SmtpUrl, options: Options) -> Result<SmtpClient, OptionsError> {
        if !(1..=1000).contains(&options.pool_size) {
            return Err(OptionsError::PoolSize);
        }
        let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
        if options.helo_name.as_ref().is_some_and(|name| name.is_empty() || !name.bytes().all(is_name_byte)) {
            return Err(OptionsError::HeloName);
        }
        let tls = Arc::new(tls_config(options.root_certificates_pem.as_deref())?);
        let permits = Semaphore::new(options.pool_size);
        Ok(SmtpClient { url, options, tls, permits, idle: Mutex::new(Vec::new()) })
    }

    /// How many mails can be under way at once.
    pub fn pool_size(&self) -> usize {
        self.options.pool_size
    }

    /// The limits in force.
    pub fn timeouts(&self) -> &Timeouts {
        &self.options.timeouts
    }

    /// Makes one attempt to send one mail and says where it ended.
    ///
    /// Never repeats a mail by itself. The one exception lies before the server saw anything of it: a kept connection
    /// which proves dead at `RSET` or `MAIL FROM` is replaced by a new one, once. Takes at most [`Timeouts::send_max`].
    ///
    /// A caller that drops the future midway closes the connection and must count the mail as `Unknown`.
    pub async fn send(&self, mail: &Mail) -> Outcome {
        let rendered = match mail.render() {
            Ok(rendered) => rendered,
            Err(error) => {
                return Outcome::Refused { reason: error.to_string(), code: REFUSED_HERE };
            }
        };
        let timeouts = &self.options.timeouts;
        let Ok(Ok(_permit)) = timeout(timeouts.pool, self.permits.acquire()).await else {
            return judge(&Broken { stage: Stage::Pool, failure: Failure::TimedOut });
        };
        let result = match timeout(timeouts.before_data, self.until_354(&rendered)).await {
            Ok(Ok(mut session)) => match session.message(&rendered).await {
                Ok(reply) => Ok((reply, session)),
                Err(broken) => Err(Stopped::new(broken, session)),
            },
            Ok(Err(stopped)) => Err(stopped),
            // The dropped connection has had no byte of the mail, even if 354 was on its way.
            Err(_) => Err(Stopped { broken: Broken { stage: Stage::Data, failure: Failure::TimedOut }, session: None }),
        };
        match result {
            Ok((reply, session)) => {
                self.keep(session);
                Outcome::Sent { reply }
            }
            Err(stopped) => {
                if let Some(session) = stopped.session {
                    self.keep(session);
                }
                judge(&stopped.broken)
            }
        }
    }

    /// Connects, greets and signs in on a connection of its own, and leaves: the check of a configuration.
    pub async fn verify(&self) -> Result<ServerInfo, VerifyError> {
        let limit = self.options.timeouts.before_data;
        let opened = timeout(limit, Session::open(&self.setup())).await;
        match opened.unwrap_or(Err(Broken { stage: Stage::Connect, failure: Failure::TimedOut })) {
            Ok(session) => {
                let server = session.server.clone();
                session.quit().await;
                Ok(server)
            }
            Err(broken) => {
                let code = match broken.failure {
                    Failure::Reply { code, .. } => Some(code),
                    _ => None,
                };
                Err(VerifyError { stage: broken.stage, code, reason: broken.to_string() })
            }
        }
    }

    /// Takes leave on all unused connections. Without it they are cut when the client is dropped, which servers forgive.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for Idle { session, .. } in idle {
            session.quit().await;
        }
    }

    /// Gives a connection on which the server has said 354 to this mail.
    async fn until_354(&self, mail: &Rendered) -> Result<Session, Stopped> {
        if let Some(mut session) = self.take_idle() {
            match reuse(&mut session, mail).await {
                Ok(()) => return recipient_and_data(session, mail).await,
                // A living server said no to this sender.
                Err(broken) if broken.stage == Stage::Sender && broken.keeps_connection() => {
                    return Err(Stopped::new(broken, session));
                }
                Err(_) => {}
            }
        }
        let opened = Session::open(&self.setup()).await;
        let mut session = opened.map_err(|broken| Stopped { broken, session: None })?;
        match session.sender(mail).await {
            Ok(()) => recipient_and_data(session, mail).await,
            Err(broken) => Err(Stopped::new(broken, session)),
        }
    }

    fn setup(&self) -> Setup<'_> {
        Setup {
            url: &self.url,
            helo_name: self.options.helo_name.as_deref(),
            timeouts: &self.options.timeouts,
            tls: &self.tls,
        }
    }

    fn take_idle(&self) -> Option<Session> {
        let mut idle = self.idle();
        let limit = self.options.timeouts.idle;
        idle.retain(|kept| kept.since.elapsed() < limit);
        // The one used last: the others grow old and go when fewer are needed.
        idle.pop().map(|kept| kept.session)
    }

    fn keep(&self, session: Session) {
        let mut idle = self.idle();
        idle.push(Idle { session, since: Instant::now() });
        assert!(idle.len() <= self.options.pool_size, "more idle connections than the pool has");
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn reuse(session: &mut Session, mail: &Rendered) -> Result<(), Broken> {
    session.reset().await?;
    session.sender(mail).await
}

async fn recipient_and_data(mut session: Session, mail: &Rendered) -> Result<Session, Stopped> {
    match session.recipient_and_data(mail).await {
        Ok(()) => Ok(session),
        Err(broken) => Err(Stopped::new(broken, session)),
    }
}

pub(crate) fn tls_config(extra_roots_pem: Option<&[u8]>) -> Result<ClientConfig, OptionsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_roots_pem {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| OptionsError::RootCertificates)?;
            roots.add(certificate).map_err(|_| OptionsError::RootCertificates)?;
        }
        if roots.len() == before {
            return Err(OptionsError::RootCertificates);
        }
    }
    // The provider is named here, so that nothing depends on which one the process has installed.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(OptionsError::Tls)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
