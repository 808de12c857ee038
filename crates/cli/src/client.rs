//! A small HTTP client for the server on this machine: one connection, one request at a time.
use crate::stop::Stop;
use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// A connection to the server.
pub struct Client {
    host: String,
    authorization: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client for `http://HOST:PORT`, with the value of its `Authorization` header.
    pub fn new(url: &str, authorization: String) -> Result<Self, Stop> {
        let host = url.strip_prefix("http://").map(|h| h.trim_end_matches('/').to_string());
        let host = host.ok_or_else(|| {
            Stop::failed(anyhow!("the server listens at {url}, and this command speaks plain HTTP only"))
                .hint("stop the server and run the command again")
        })?;
        Ok(Self { host, authorization, stream: None })
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
            None => {
                let stream = TcpStream::connect(&self.host).with_context(|| format!("cannot reach {}", self.host))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        ask(&mut stream, (&self.host, &self.authorization), (method, path, body.unwrap_or("")))?;
        let (answer, keep) = read(&mut stream)?;
        self.stream = keep.then_some(stream);
        Ok(answer)
    }

    /// Writes the answer of a GET as it comes; one that is no success, or breaks off, is an error.
    pub fn download(&self, path: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut stream =
            BufReader::new(TcpStream::connect(&self.host).with_context(|| format!("cannot reach {}", self.host))?);
        stream.get_ref().set_read_timeout(Some(PATIENCE))?;
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
    stream: &mut BufReader<TcpStream>,
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
    fn read(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Self> {
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
    fn copy(&self, stream: &mut BufReader<TcpStream>, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut exactly = |stream: &mut BufReader<TcpStream>, size: u64| -> anyhow::Result<()> {
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

fn read(stream: &mut BufReader<TcpStream>) -> anyhow::Result<(Answer, bool)> {
    let head = Head::read(stream)?;
    let mut body = Vec::new();
    head.copy(stream, &mut body)?;
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok((Answer { status: head.status, body }, head.keep))
}
