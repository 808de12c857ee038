//! Taking connections: HTTP/1.1 over TCP or TLS, without Nagle's delay, until told to stop; then each finishes its request.
use crate::app::App;
use crate::collect_api;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::IpAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::ServiceExt;

/// Connections at once; one more waits in the system's queue.
const CONNECTIONS_MAX: usize = 8192;
/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long open requests may go on after the stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// Where a request's connection comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The address of whoever asks: the connection's, or what a trusted proxy says of it.
pub fn client_address(app: &App, extensions: &axum::http::Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    app.proxies.client(extensions.get::<Peer>().map(|p| p.0), headers).ip
}

/// Reads certificate and key.
pub fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let said = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).map_err(|e| said(certificate, &e))?.collect();
    let chain = chain.map_err(|e| said(certificate, &e))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| said(key, &e))?;
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(chain, key_der))
            .map_err(|e| said(certificate, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves until `stop` turns true, then waits for open requests.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Arc<App>,
    router: axum::Router,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Every connection holds a sender; when the last is dropped, all have ended.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            _ = stop.wait_for(|s| *s) => break,
        };
        let Ok(place) = place else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|s| *s) => break,
        };
        let (stream, peer) = match stream {
            Ok((stream, peer)) => (stream, peer.ip()),
            Err(error) => {
                // Out of descriptors, mostly; a short rest lets others close.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (app, router, stop, open, tls) = (app.clone(), router.clone(), stop.clone(), open.clone(), tls.clone());
        tokio::spawn(async move {
            connection(stream, peer, tls, app, router, stop).await;
            drop((place, open));
        });
    }
    drop((listener, open));
    if tokio::time::timeout(DRAIN_TIMEOUT, all_closed.recv()).await.is_err() {
        tracing::warn!("some connections were cut at the stop");
    }
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<TlsAcceptor>,
    app: Arc<App>,
    router: axum::Router,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, peer, app, router, stop).await,
        Some(tls) => match tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, peer, app, router, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => {}
        },
    }
}

async fn talk<S>(stream: S, peer: IpAddr, app: Arc<App>, router: axum::Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let (app, router) = (app.clone(), router.clone());
        async move { Ok::<_, Infallible>(answer(&app, router, request, peer).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).pipeline_flush(true).half_close(false);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stopped = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stop.wait_for(|s| *s) => None,
    };
    let ended = match stopped {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(app: &Arc<App>, router: axum::Router, request: Request<Incoming>, peer: IpAddr) -> Response {
    if collect_api::is_ours(request.uri().path()) {
        return collect_api::handle(app, request, Some(peer)).await;
    }
    let mut response = match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    // Who came over TLS once shall not be led to plain HTTP again (RFC 6797); a plain shop must not say so.
    if app.public_url.starts_with("https://") {
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}
