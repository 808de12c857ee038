//! What stands around every answer: headers of pages, traces, TLS, the stop.
use super::harness::Shop;
use db::testing::Place;
use serde_json::json;
use std::io::{Read, Write};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[test]
fn a_page_of_the_console_runs_nothing_of_others_and_nothing_inline() {
    let shop = Shop::new();
    let page = shop.ask("GET", "/customers").send();
    assert_eq!(page.status, 200);
    let policy = &page.headers["content-security-policy"];
    let scripts = policy.split(';').find(|d| d.trim().starts_with("script-src"));
    let scripts =
        scripts.or_else(|| policy.split(';').find(|d| d.trim().starts_with("default-src"))).unwrap_or_default();
    assert!(scripts.contains("'self'") && !scripts.contains("unsafe") && !scripts.contains('*'), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
    assert_eq!((&*page.headers["x-frame-options"], &*page.headers["x-content-type-options"]), ("DENY", "nosniff"));
    assert_eq!(page.headers["referrer-policy"], "same-origin");
    assert!(!page.headers.contains_key("strict-transport-security"), "a plain shop must stay reachable");
    // With such a policy a browser would not run them, so the page must not need any.
    for tag in page.text.split("<script").skip(1) {
        let (head, rest) = tag.split_once('>').unwrap_or((tag, ""));
        let body = rest.split("</script>").next().unwrap_or_default();
        assert!(head.contains("src=") && body.trim().is_empty(), "an inline script: {tag:.80}");
    }
    assert!(!page.text.contains(" onload=") && !page.text.contains(" onclick="));
}

#[test]
fn a_request_keeps_the_trace_that_it_came_with() {
    let shop = Shop::new();
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{id}-00f067aa0ba902b7-01");
    let answer = shop.owner("GET", "/api/v1/home").header("traceparent", &parent).send();
    assert_eq!((answer.status, &*answer.headers["x-request-id"]), (200, id));
    let refused = shop.ask("GET", "/api/v1/home").header("traceparent", &parent).send();
    assert_eq!((refused.status, &*refused.headers["x-request-id"]), (401, id));
    let own = shop.owner("GET", "/api/v1/home").send().headers["x-request-id"].clone();
    assert!(own.len() == 32 && own != id);
}

fn fake(name: &str) -> String {
    format!("{}/../connect/src/fake/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn over_tls(address: std::net::SocketAddr, roots: RootCertStore, request: &str) -> std::io::Result<String> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = StreamOwned::new(client, std::net::TcpStream::connect(address)?);
    stream.write_all(request.as_bytes())?;
    let mut text = Vec::new();
    // The server closes after its answer; a close without a TLS goodbye is no matter here.
    match stream.read_to_end(&mut text) {
        Err(e) if text.is_empty() => Err(e),
        _ => Ok(String::from_utf8_lossy(&text).into_owned()),
    }
}

#[test]
fn a_shop_with_a_certificate_speaks_tls_only() {
    let (certificate, key) = (fake("server.pem"), fake("server.key"));
    let settings = [("http", "tls_cert_file", &*certificate), ("http", "tls_key_file", &*key)];
    let shop = Shop::open(Place::sqlite(), &settings);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fake("ca.pem")).expect("a certificate")).expect("a root");
    let request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = over_tls(shop.address, roots, request).expect("answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.to_lowercase().contains("strict-transport-security: max-age=31536000"), "{answer}");
    // A client that does not know the certificate's maker does not talk to it.
    assert!(over_tls(shop.address, RootCertStore::empty(), request).is_err());
    let mut plain = std::net::TcpStream::connect(shop.address).expect("listens");
    plain.write_all(request.as_bytes()).expect("writes");
    let mut text = Vec::new();
    let _ = plain.read_to_end(&mut text);
    assert!(!String::from_utf8_lossy(&text).contains("200"), "no plain answer");
}

#[test]
fn views_of_the_last_moment_survive_a_stop() {
    let mut shop = Shop::new();
    let body = json!({"userId": "u", "event": "A", "messageId": "1"});
    assert_eq!(shop.track("/v1/track", &body).status, 200);
    assert_eq!(shop.owner("GET", "/api/v1/customers/1").send().status, 200);
    shop.restart();
    let views = shop.owner("GET", "/api/v1/audit/views/1").send().json();
    assert_eq!(views["items"][0]["times"], 1, "{views}");
}
