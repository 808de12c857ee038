//! One connection: bytes out, replies in, plain or through TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::outcome::Failure;
use super::reply::{self, Reply};

/// How many addresses of a host are tried; a few names list dozens.
const ADDRESSES_MAX: usize = 6;

pub(crate) struct Wire {
    stream: Stream,
    /// Bytes received and not yet parsed; empty whenever the conversation is in step.
    buffer: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// Connects to the first address of `host` that answers, waiting at most `limit` for each.
    pub async fn connect(host: &str, port: u16, limit: Duration) -> Result<Wire, Failure> {
        let addresses = within(limit, tokio::net::lookup_host((host, port))).await?;
        let mut last = Failure::Io("the host name has no address".to_owned());
        for address in addresses.take(ADDRESSES_MAX) {
            match within(limit, TcpStream::connect(address)).await {
                Ok(stream) => {
                    // Commands are small and each waits for its answer: Nagle's delay would only add to that.
                    stream.set_nodelay(true).map_err(|error| io_failure(&error))?;
                    return Ok(Wire { stream: Stream::Plain(stream), buffer: Vec::new() });
                }
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// Makes the TLS handshake, checking the certificate against `host`.
    pub async fn into_tls(self, config: Arc<ClientConfig>, host: &str, limit: Duration) -> Result<Wire, Failure> {
        // Bytes that came in the clear after the answer to STARTTLS would later pass for protected ones (CVE-2011-0411).
        if !self.buffer.is_empty() {
            return Err(Failure::Malformed("the server went on talking before TLS began"));
        }
        let Stream::Plain(stream) = self.stream else {
            return Err(Failure::Configuration("TLS is already on".to_owned()));
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Failure::Configuration("the host is no name that a certificate could have".to_owned()))?;
        let stream = within(limit, TlsConnector::from(config).connect(name, stream)).await?;
        Ok(Wire { stream: Stream::Tls(Box::new(stream)), buffer: Vec::new() })
    }

    /// Whether what is sent can be read on the way.
    pub fn is_exposed(&self) -> bool {
        match &self.stream {
            Stream::Tls(_) => false,
            Stream::Plain(stream) => !stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback()),
        }
    }

    /// Our end of the connection.
    pub fn local_addr(&self) -> Result<SocketAddr, Failure> {
        match &self.stream {
            Stream::Plain(stream) => stream.local_addr(),
            Stream::Tls(stream) => stream.get_ref().0.local_addr(),
        }
        .map_err(|error| io_failure(&error))
    }

    /// Sends all of `bytes`.
    pub async fn write(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Failure> {
        match &mut self.stream {
            Stream::Plain(stream) => within(limit, stream.write_all(bytes)).await,
            Stream::Tls(stream) => {
                within(limit, async {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                })
                .await
            }
        }
    }

    /// Waits for one whole reply. The limit is for all of it, so that single bytes in good time do not hold us for ever.
    pub async fn read_reply(&mut self, limit: Duration) -> Result<Reply, Failure> {
        match tokio::time::timeout(limit, self.read_reply_unbounded()).await {
            Ok(result) => result,
            Err(_) => Err(Failure::TimedOut),
        }
    }

    async fn read_reply_unbounded(&mut self) -> Result<Reply, Failure> {
        let mut chunk = [0; 1024];
        loop {
            if let Some((reply, length)) = reply::parse(&self.buffer)? {
                self.buffer.drain(..length);
                return Ok(reply);
            }
            let count = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut chunk).await,
                Stream::Tls(stream) => stream.read(&mut chunk).await,
            }
            .map_err(|error| io_failure(&error))?;
            if count == 0 {
                return Err(Failure::Closed);
            }
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }

    /// Whether the server said more than it was asked.
    pub fn has_unread(&self) -> bool {
        !self.buffer.is_empty()
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(io_failure(&error)),
        Err(_) => Err(Failure::TimedOut),
    }
}

fn io_failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::Closed,
        _ => Failure::Io(error.to_string()),
    }
}
