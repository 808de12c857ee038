//! TLS to a server: whom its certificate must come from, and for which name.
use anyhow::{Context, anyhow, bail};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// Where systems keep the authorities that they trust (PEM).
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What a connection to one server is checked by.
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// For `HOST:PORT`; `authorities` is a file that takes the place of those that are known.
    pub fn to(host: &str, authorities: Option<&Path>) -> anyhow::Result<Self> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        let name = ServerName::try_from(name.to_string()).map_err(|_| anyhow!("{name:?} is no name of a server"))?;
        let roots = match authorities {
            Some(path) => of_file(path)?,
            None => known(),
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?;
        Ok(Self { config: Arc::new(builder.with_root_certificates(roots).with_no_client_auth()), name })
    }

    /// Agrees with the server; a certificate that nobody vouches for ends it.
    pub fn over(&self, mut stream: TcpStream) -> anyhow::Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut connection = ClientConnection::new(self.config.clone(), self.name.clone())?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }
}

fn of_file(path: &Path) -> anyhow::Result<RootCertStore> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let damaged = || format!("{} holds a certificate that cannot be read", path.display());
        roots.add(certificate.with_context(damaged)?).with_context(damaged)?;
    }
    if roots.is_empty() {
        bail!("{} holds no certificate in PEM", path.display());
    }
    Ok(roots)
}

/// Mozilla's authorities, and those of this machine: a company's own may be among them.
fn known() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = SYSTEM.iter().find_map(|path| std::fs::read(path).ok()) {
        let readable = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
        roots.add_parsable_certificates(readable);
    }
    roots
}
