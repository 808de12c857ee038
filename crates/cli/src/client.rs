//! A small HTTP client for the server on this machine, or another by TLS: one connection, one request at a time.
mod tls;

use crate::stop::Stop;
use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use tls::Tls;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// A connection, encrypted or not.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

type Stream = BufReader<Box<dyn Wire>>;

/// A connection to the server.
pub struct Client {
    /// `HOST:PORT`.
    host: String,
    tls: Option<Tls>,
    authorization: String,
    stream: Option<Stream>,
}

impl Client {
    /// A client for `http://HOST:PORT` or `https://HOST:PORT`, with the value of its `Authorization` header.
    pub fn new(url: &str, authorization: String) -> Result<Self, Stop> {
        Self::trusting(url, authorization, None)
    }

    /// As [`Client::new`]; a server that speaks TLS must have a certificate of the authorities in a file (PEM), or, without one, of
    /// those that this machine or Mozilla knows.
    pub fn trusting(url: &str, authorization: String, authorities: Option<&Path>) -> Result<Self, Stop> {
        let (plain, encrypted) = (url.strip_prefix("http://"), url.strip_prefix("https://"));
        let rest = plain.or(encrypted).map(|h| h.trim_end_matches('/')).filter(|h| !h.is_empty() && !h.contains('/'));
        let rest = rest.ok_or_else(|| {
            Stop::bad_input(anyhow!("{url:?} is no address of a server")).hint("http://HOST:PORT or https://HOST:PORT")
        })?;
        let port = if encrypted.is_some() { 443 } else { 80 };
        // The colons of an IPv6 address stand in brackets.
        let host = match rest.rsplit_once(':') {
            Some((_, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => rest.to_string(),
            _ => format!("{rest}:{port}"),
        };
        let tls = match encrypted {
            Some(_) => Some(Tls::to(&host, authorities).map_err(Stop::bad_input)?),
            None => None,
        };
        Ok(Self { host, tls, authorization, stream: None })
    }

    fn open(&self) -> anyhow::Result<Stream> {
        let stream = TcpStream::connect(&self.host).with_context(|| format!("cannot reach {}", self.host))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match &self.tls {
            Some(tls) => Box::new(tls.over(stream).with_context(|| format!("no TLS with {}", self.host))?),
            None => Box::new(stream),
        };
        Ok(BufReader::new(wire))
    }

    /// Sends a request and reads its JSON.
    pub fn send(&mut self, method: &str, path: &str, body: Option<&str>) -> anyhow::Result<Answer> {
        let reused = self.stream.is_some();
        match self.attempt(method, path, body) {
            // The server closes a connection that was idle. What is sent from here may be sent twice: all of it is keyed.
            Err(_) if reused => self.attempt(method, path, body),
            other => other,
        }
    }

    fn attempt(&mut self, method: &str, path: &str, body: Option<&str>) -> anyhow::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open()?,
        };
        ask(&mut stream, (&self.host, &self.authorization), (method, path, body.unwrap_or("")))?;
        let (answer, keep) = read(&mut stream)?;
        self.stream = keep.then_some(stream);
        Ok(answer)
    }

    /// Writes the answer of a GET as it comes; one that is no success, or breaks off, is an error.
    pub fn download(&self, path: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut stream = self.open()?;
        ask(&mut stream, (&self.host, &self.authorization), ("GET", path, ""))?;
        let head = Head::read(&mut stream)?;
        if (200..300).contains(&head.status) {
            return head.copy(&mut stream, out).context("the answer broke off: what was written is not whole");
        }
        let mut body = Vec::new();
        head.copy(&mut stream, &mut body)?;
        bail!("GET {path}: {} {}", head.status, said(&serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Sends a request that must succeed.
    pub fn must(&mut self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let text = body.map(Value::to_string);
        let answer = self.send(method, path, text.as_deref())?;
        if !(200..300).contains(&answer.status) {
            bail!("{method} {path}: {} {}", answer.status, said(&answer.body));
        }
        Ok(answer.body)
    }
}

/// What a problem says.
pub fn said(body: &Value) -> String {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_string();
    format!("{} {}", text("code"), text("detail"))
}

fn ask(
    stream: &mut Stream,
    (host, authorization): (&str, &str),
    (method, path, body): (&str, &str, &str),
) -> std::io::Result<()> {
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\n{kind}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.get_mut().write_all(head.as_bytes())?;
    stream.get_mut().write_all(body.as_bytes())
}

/// What stands before an answer's body.
struct Head {
    status: u16,
    length: u64,
    chunked: bool,
    keep: bool,
}

impl Head {
    fn read(stream: &mut Stream) -> anyhow::Result<Self> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).context("the server gave no answer")?;
        let mut head = Self { status, length: 0, chunked: false, keep: true };
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                bail!("the answer was cut");
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(head) };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse()?,
                "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => head.keep = !value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
    }

    /// Copies the body.
    fn copy(&self, stream: &mut Stream, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut exactly = |stream: &mut Stream, size: u64| -> anyhow::Result<()> {
            let copied = std::io::copy(&mut stream.take(size), out)?;
            anyhow::ensure!(copied == size, "the answer was cut");
            Ok(())
        };
        if !self.chunked {
            return exactly(stream, self.length);
        }
        let mut line = String::new();
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim(), 16)?;
            exactly(stream, size)?;
            line.clear();
            stream.read_line(&mut line)?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

fn read(stream: &mut Stream) -> anyhow::Result<(Answer, bool)> {
    let head = Head::read(stream)?;
    let mut body = Vec::new();
    head.copy(stream, &mut body)?;
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok((Answer { status: head.status, body }, head.keep))
}
