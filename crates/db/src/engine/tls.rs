//! TLS to PostgreSQL by the words that its own programs use (`sslmode`, `sslrootcert`), with rustls instead of OpenSSL.
//!
//! | `sslmode` | encrypted | the server's certificate |
//! |---|---|---|
//! | `disable` | never | |
//! | `prefer` (when nothing is said) | if the server can | not looked at |
//! | `require` | always | not looked at, unless `sslrootcert` is given: then as `verify-ca` |
//! | `verify-ca` | always | made by a known authority |
//! | `verify-full` | always | made by a known authority, for the host of the URL |
//!
//! Known authorities are those in the file of `sslrootcert` (PEM), or the public ones of Mozilla's list without it.
use crate::{DbError, Engine, Location};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How far a connection is to be guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Mode::Disable,
            "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return None,
        })
    }
    /// What is agreed on with the server before TLS begins.
    pub(super) fn negotiated(self) -> postgres::config::SslMode {
        match self {
            Mode::Disable => postgres::config::SslMode::Disable,
            Mode::Prefer => postgres::config::SslMode::Prefer,
            _ => postgres::config::SslMode::Require,
        }
    }
}

/// What a URL asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub mode: Mode,
    /// A PEM file with the certificates of authorities.
    pub root: Option<PathBuf>,
}

/// Why a URL, or the file that it names, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("sslmode={0} is unknown: write disable, prefer, require, verify-ca or verify-full")]
    Mode(String),
    #[error("sslrootcert: {path} cannot be read: {reason}")]
    Root { path: PathBuf, reason: String },
    #[error("sslrootcert: {0} holds no certificate in PEM")]
    Empty(PathBuf),
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// Splits a URL into what the client library understands and what is done here.
pub(super) fn take(url: &str) -> Result<(String, Wanted), TlsError> {
    let mut wanted = Wanted { mode: Mode::Prefer, root: None };
    let Some((head, query)) = url.split_once('?') else { return Ok((url.to_string(), wanted)) };
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => {
                wanted.mode = Mode::parse(mode).ok_or_else(|| TlsError::Mode(mode.to_string()))?;
            }
            Some(("sslrootcert", file)) => wanted.root = Some(PathBuf::from(decoded(file))),
            _ => rest.push(pair),
        }
    }
    if wanted.mode == Mode::Require && wanted.root.is_some() {
        wanted.mode = Mode::VerifyCa;
    }
    let query = rest.join("&");
    let plain = if query.is_empty() { head.to_string() } else { format!("{head}?{query}") };
    Ok((plain, wanted))
}

/// The URL with a relative `sslrootcert` meant from the installation's folder, as every file in the settings is.
pub(crate) fn with_absolute_root(url: &str, folder: &Path) -> Result<String, DbError> {
    let failed = |e: TlsError| DbError::Open { url: super::redact(url), reason: e.to_string() };
    let (_, wanted) = take(url).map_err(failed)?;
    let Some((head, query)) = url.split_once('?') else { return Ok(url.to_string()) };
    let Some(root) = wanted.root.filter(|root| root.is_relative()) else { return Ok(url.to_string()) };
    let root = folder.join(root);
    let root = std::path::absolute(&root).unwrap_or(root);
    let pairs = query.split('&').map(|pair| match pair.starts_with("sslrootcert=") {
        true => format!("sslrootcert={}", encoded(&root.to_string_lossy())),
        false => pair.to_string(),
    });
    Ok(format!("{head}?{}", pairs.collect::<Vec<_>>().join("&")))
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(hex.unwrap_or(*byte));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str) -> String {
    text.chars().map(|c| if "%&?#+ ".contains(c) { format!("%{:02X}", c as u32) } else { c.to_string() }).collect()
}

impl Wanted {
    /// The TLS part of a connection. Its file is read anew for each one, so a certificate may be renewed while Braid runs.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, TlsError> {
        let setup = |e: &dyn std::fmt::Display| TlsError::Setup(e.to_string());
        // The provider is named here, so that nothing depends on which one the process has installed.
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| setup(&e))?;
        let config = match self.mode {
            Mode::VerifyFull => builder.with_root_certificates(self.roots()?),
            Mode::VerifyCa => {
                let known = WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), provider.clone());
                let known = known.build().map_err(|e| setup(&e))?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName { known: Some(known), provider }))
            }
            // A certificate that nobody asked to look at: encryption against listeners, not against impostors.
            Mode::Disable | Mode::Prefer | Mode::Require => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName { known: None, provider }))
            }
        };
        Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let Some(path) = &self.root else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let failed = |reason: String| TlsError::Root { path: path.clone(), reason };
        let pem = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|e| failed(e.to_string()))?;
            roots.add(certificate).map_err(|e| failed(e.to_string()))?;
        }
        if roots.is_empty() { Err(TlsError::Empty(path.clone())) } else { Ok(roots) }
    }
}

/// Adds what to do to the reasons that people meet.
pub(super) fn explain(mode: Mode, reason: String) -> String {
    let advice = if reason.contains("UnknownIssuer") {
        "name the certificate of its authority by sslrootcert=FILE"
    } else if reason.contains("NotValidForName") || reason.contains("not valid for name") {
        "use a host that the certificate names, or sslmode=verify-ca"
    } else if reason.contains("server does not support TLS") {
        "switch TLS on there (ssl = on), or write sslmode=disable on one machine or a private network"
    } else if mode == Mode::Disable && reason.contains("no encryption") {
        "it wants TLS: write sslmode=verify-full"
    } else {
        return reason;
    };
    format!("{reason}; {advice}")
}

/// Accepts a certificate whatever name it was made for; without `known`, whoever made it.
#[derive(Debug)]
struct AnyName {
    known: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(known) = &self.known else { return Ok(ServerCertVerified::assertion()) };
        match known.verify_server_cert(certificate, others, name, ocsp, now) {
            // The name is looked at last, after the chain and the dates.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What is wrong with the way over which the database is reached, for people who run a shop; `None` where nothing is.
pub fn exposure(location: &Location, engine: &mut Engine) -> Result<Option<String>, DbError> {
    let Location::Postgres { url } = location else { return Ok(None) };
    let failed = |reason: String| DbError::Open { url: super::redact(url), reason };
    let (plain, wanted) = take(url).map_err(|e| failed(e.to_string()))?;
    let config: postgres::Config = plain.parse().map_err(|e| failed(super::chain(&e)))?;
    let far = config.get_hosts().iter().find_map(|host| match host {
        postgres::config::Host::Tcp(name) if !is_this_machine(name) => Some(name.clone()),
        _ => None,
    });
    let Some(host) = far else { return Ok(None) };
    let row = engine.first("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[])?;
    let encrypted = row.is_some_and(|r| r.int(0).is_ok_and(|ssl| ssl == 1));
    Ok(match (encrypted, wanted.mode) {
        (false, _) => Some(format!(
            "the connection to {host} is not encrypted: customers' data and the password cross the network in the open; \
             switch TLS on there and add sslmode=verify-full to the URL"
        )),
        (true, Mode::VerifyFull | Mode::VerifyCa) => None,
        (true, _) => Some(format!(
            "nobody checks that it is {host} that answers: add sslmode=verify-full, and sslrootcert=FILE for an authority of \
             your own, to the URL"
        )),
    })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_tls_are_taken_out_of_a_url() {
        let (plain, wanted) =
            take("postgres://u:p@h/db?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&connect_timeout=3")
                .expect("it is understood");
        assert_eq!(plain, "postgres://u:p@h/db?connect_timeout=3");
        assert_eq!(wanted, Wanted { mode: Mode::VerifyFull, root: Some("/etc/ca.pem".into()) });
        let (plain, wanted) = take("postgres://u@h/db?sslmode=require").expect("it is understood");
        assert_eq!((plain.as_str(), wanted.mode), ("postgres://u@h/db", Mode::Require));
        assert_eq!(take("postgres://u@h/db").expect("it is understood").1.mode, Mode::Prefer);
        // As libpq does: whoever names an authority wants it to be looked at.
        assert_eq!(take("postgres://h/db?sslrootcert=a&sslmode=require").expect("understood").1.mode, Mode::VerifyCa);
        assert!(take("postgres://h/db?sslmode=allow").expect_err("unknown").to_string().contains("verify-full"));
    }

    #[test]
    fn a_relative_root_is_meant_from_the_folder() {
        let url = "postgres://u@h/db?sslmode=verify-full&sslrootcert=ca%20file.pem&x=1";
        let absolute = with_absolute_root(url, Path::new("/srv/shop")).expect("it is understood");
        assert_eq!(absolute, "postgres://u@h/db?sslmode=verify-full&sslrootcert=/srv/shop/ca%20file.pem&x=1");
        assert_eq!(take(&absolute).expect("understood").1.root, Some("/srv/shop/ca file.pem".into()));
        let kept = "postgres://u@h/db?sslrootcert=/etc/ca.pem";
        assert_eq!(with_absolute_root(kept, Path::new("/srv")).expect("understood"), kept);
        assert!(with_absolute_root("postgres://h/db?sslmode=x", Path::new("/")).is_err());
    }

    #[test]
    fn only_this_machine_needs_no_guard() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["10.0.0.5", "db.internal", "localhost.example.com"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
