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
        let body = body.unwrap_or("");
        let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n{kind}content-length: {}\r\n\r\n",
            self.host,
            self.authorization,
            body.len()
        );
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(body.as_bytes())?;
        let (answer, keep) = read(&mut stream)?;
        self.stream = keep.then_some(stream);
        Ok(answer)
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

fn read(stream: &mut BufReader<TcpStream>) -> anyhow::Result<(Answer, bool)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).context("the server gave no answer")?;
    let (mut length, mut chunked, mut keep) = (0usize, false, true);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            bail!("the answer was cut");
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse()?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => keep = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16)?;
            let at = body.len();
            body.resize(at + size, 0);
            stream.read_exact(&mut body[at..])?;
            line.clear();
            stream.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else {
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
    }
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok((Answer { status, body }, keep))
}
