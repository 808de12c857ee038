//! Just enough HTTP/1.1 to ask a server on this machine.
use anyhow::Context;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Base64 with padding (RFC 4648).
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A POST of JSON; status and body.
pub fn post(address: &str, path: &str, authorization: &str, body: &str) -> anyhow::Result<(u16, String)> {
    ask("POST", address, path, authorization, body)
}

/// A GET; status and body.
pub fn get(address: &str, path: &str, authorization: &str) -> anyhow::Result<(u16, String)> {
    ask("GET", address, path, authorization, "")
}

/// A GET; status and the milliseconds that the server says it took (`Server-Timing`).
pub fn get_timed(address: &str, path: &str, authorization: &str) -> anyhow::Result<(u16, f64)> {
    let (status, head, _) = exchange("GET", address, path, authorization, "")?;
    let line = head.lines().find_map(|l| l.strip_prefix("server-timing:")).context("no Server-Timing in the answer")?;
    let ms = line.split("dur=").skip(1).filter_map(|part| part.split([',', ';']).next()?.trim().parse::<f64>().ok());
    Ok((status, ms.sum()))
}

fn ask(method: &str, address: &str, path: &str, authorization: &str, body: &str) -> anyhow::Result<(u16, String)> {
    exchange(method, address, path, authorization, body).map(|(status, _, body)| (status, body))
}

fn exchange(
    method: &str,
    address: &str,
    path: &str,
    authorization: &str,
    body: &str,
) -> anyhow::Result<(u16, String, String)> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("cannot reach {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").context("the server closed the connection")?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).context("the answer has no status")?;
    Ok((status, head.to_string(), body.to_string()))
}
